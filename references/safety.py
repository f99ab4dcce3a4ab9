"""The safety checker: a tiny one of hashed weights, and what diffusers makes of it. pictures.py runs it."""

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from torch.nn.functional import normalize
from transformers import CLIPConfig, CLIPImageProcessor

from references.common import fill, hashed
from references.pipelines import mask, picture


def checker():
    def weight(key, shape):
        if key.endswith("embeds_weights"):  # thresholds
            return 0.15 + 0.1 * hashed(key, shape, 1.0)
        return hashed(key, shape)

    vision = dict(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=1,
        image_size=224,
        patch_size=14,
        hidden_act="quick_gelu",
    )
    return fill(StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=48)), weight)


def results(dtype, done):
    net = checker().to(dtype)
    ramp = np.stack(
        [np.add.outer(np.arange(300) * a, np.arange(200) * b) % 256 for a, b in ((1, 2), (3, 1), (2, 2))], -1
    )
    images = [picture, mask.convert("RGB"), Image.fromarray(ramp.astype(np.uint8))]
    pixels = CLIPImageProcessor()(images, return_tensors="pt").pixel_values
    done["safety.pixels"] = pixels[:, :, ::8, ::8]
    embeds = net.visual_projection(net.vision_model(pixels.to(dtype))[1])
    done["safety.concepts"] = normalize(embeds) @ normalize(net.concept_embeds).T - net.concept_embeds_weights
    done["safety.special"] = normalize(embeds) @ normalize(net.special_care_embeds).T - net.special_care_embeds_weights
    _, flags = net(images=[np.zeros((2, 2, 3))] * 3, clip_input=pixels.to(dtype))
    done["safety.flags"] = torch.tensor(flags).to(dtype)
