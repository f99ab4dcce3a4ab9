"""diffusers' pipelines around the embedded model, as pictures.py and what belongs to it use them."""

import diffusers.models.autoencoders.vae as vae_module
import diffusers.pipelines.controlnet.pipeline_controlnet as controlnet_module
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion as text_module
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img as image_module
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint as inpaint_module
import numpy as np
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, UNet2DConditionModel
from PIL import Image

from references import places
from references.common import BETAS, LENGTH, OFFSET, Embedded, hashed

PROMPT = "a yellow star on a black background"
SEED = 42

model = Embedded()
model.tokenizer.model_max_length = LENGTH
picture = Image.open(places.CIRCLE).convert("RGB")
mask = Image.fromarray(
    np.where(np.arange(128)[None, :] >= 64, 255, 0).repeat(128, 0).astype(np.uint8)
)  # the right half


def _randn(shape, generator=None, device=None, dtype=None, layout=None):
    """Noise is that of float32 whatever the pipeline's type."""
    return torch.randn(shape, generator=generator).to(dtype)


for module in (vae_module, controlnet_module, text_module, image_module, inpaint_module):
    module.randn_tensor = _randn


def ddim():
    return DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **OFFSET)


def euler():
    return EulerDiscreteScheduler(**BETAS)


def inpainting_unet():
    """The embedded UNet with five more channels in its first layer, as inpainting checkpoints have."""
    net = UNet2DConditionModel.from_config(model.unet.config, in_channels=9).eval()
    state = model.unet.state_dict()
    first = state["conv_in.weight"]
    state["conv_in.weight"] = torch.cat([first, hashed("inpainting", (first.shape[0], 5, 3, 3), 0.05)], 1)
    net.load_state_dict(state)
    return net


def pipeline(kind, scheduler, unet=None, **more):
    made = kind(
        vae=model.vae,
        text_encoder=model.text,
        tokenizer=model.tokenizer,
        unet=unet or model.unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        **more,
    )
    made.set_progress_bar_config(disable=True)
    return made


def draw(pipe, **settings):
    """Final latents."""
    generator = torch.Generator().manual_seed(SEED)
    settings = (
        dict(prompt=PROMPT, guidance_scale=5, num_inference_steps=10, output_type="latent", generator=generator)
        | settings
    )
    return pipe(**settings).images
