"""What diffusers calls the tensors of the embedded model, by its own conversion: part, diffusers' key, the original's key.

usage: PYTHONPATH=diffusers/src names.py > diffusers-keys.tsv"""

import torch

import embedded
import diffusers.loaders.single_file_utils as utils
from diffusers import AutoencoderKL, ControlNetModel


def report(part, converted, marks):
    for key, value in converted.items():
        print(part, key, marks[int(value.flatten()[0])], sep="\t")


def marked(keys):
    """Tensors that are known by their one number; vectors and matrices, as the conversion asks for."""
    marks = dict(enumerate(keys))
    return {k: torch.full((1,) * weights[k].dim(), i) for i, k in marks.items()}, marks


weights = embedded.weights
unet = embedded.unet()
tensors, marks = marked([k for k in weights if k.startswith("model.diffusion_model.")])
report("unet", utils.convert_ldm_unet_checkpoint(tensors, unet.config), marks)
vae = AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                    block_out_channels=[32] * 4, layers_per_block=2)
tensors, marks = marked([k for k in weights if k.startswith("first_stage_model.")])
report("vae", utils.convert_ldm_vae_checkpoint(tensors, vae.config), marks)
own = ["control_model." + k[len("model.diffusion_model."):] for k in weights
       if k.startswith(("model.diffusion_model.input", "model.diffusion_model.middle", "model.diffusion_model.time"))]
own += [f"control_model.{layer}.{kind}" for kind in ("weight", "bias")
        for layer in [f"input_hint_block.{i}" for i in range(0, 15, 2)] + [f"zero_convs.{i}.0" for i in range(12)]
        + ["middle_block_out.0"]]
marks = dict(enumerate(own))
tensors = {k: torch.full((1, 1, 1, 1), i) for i, k in marks.items()}
report("controlnet", utils.convert_controlnet_checkpoint(tensors, ControlNetModel.from_unet(unet).config), marks)
