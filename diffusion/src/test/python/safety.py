"""The safety checker: a tiny one of hashed weights, and what diffusers makes of it."""

import numpy as np
import torch
from PIL import Image
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor


def checker():
    from pictures import hashed

    net = StableDiffusionSafetyChecker(CLIPConfig(vision_config=dict(
        hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=1, image_size=224, patch_size=14,
        hidden_act="quick_gelu"), projection_dim=48)).eval()
    state = {}
    for key, value in net.state_dict().items():
        if "position_ids" in key:
            state[key] = value
        elif key.endswith("embeds_weights"):
            state[key] = 0.15 + 0.1 * hashed(key, tuple(value.shape), 1.0)
        else:
            state[key] = hashed(key, tuple(value.shape))
    net.load_state_dict(state)
    return net


def safety(dtype, done):
    from pictures import picture, mask

    net = checker().to(dtype)
    processor = CLIPImageProcessor()
    ramp = np.stack([np.add.outer(np.arange(300) * a, np.arange(200) * b) % 256 for a, b in ((1, 2), (3, 1), (2, 2))], -1)
    images = [picture, mask.convert("RGB"), Image.fromarray(ramp.astype(np.uint8))]
    pixels = processor(images, return_tensors="pt").pixel_values
    done["safety.pixels"] = pixels[:, :, ::8, ::8]
    embeds = net.visual_projection(net.vision_model(pixels.to(dtype))[1])
    unit = torch.nn.functional.normalize
    done["safety.concepts"] = unit(embeds) @ unit(net.concept_embeds).T - net.concept_embeds_weights
    done["safety.special"] = unit(embeds) @ unit(net.special_care_embeds).T - net.special_care_embeds_weights
    _, flags = net(images=[np.zeros((2, 2, 3))] * 3, clip_input=pixels.to(dtype))
    done["safety.flags"] = torch.tensor(flags).to(dtype)
