"""The original code's networks (CompVis' latent diffusion modules), at any width."""

import sys
import types

import torch

# The original asks whether a number is OmegaConf's list, and wants nothing else of that package.
sys.modules["omegaconf.listconfig"] = types.SimpleNamespace(ListConfig=type("ListConfig", (), {}))
sys.modules["omegaconf"] = types.SimpleNamespace(listconfig=sys.modules["omegaconf.listconfig"])

from ldm.modules.diffusionmodules import openaimodel
from ldm.modules.diffusionmodules.model import Decoder, Encoder
from ldm.modules.diffusionmodules.util import GroupNorm32

# The original norms in float32 whatever the type of its weights; a reference in float64 wants float64 throughout.
GroupNorm32.forward = torch.nn.GroupNorm.forward

UNET = dict(
    in_channels=4,
    out_channels=4,
    model_channels=320,
    attention_resolutions=[4, 2, 1],
    num_res_blocks=2,
    channel_mult=[1, 2, 4, 4],
    num_heads=8,
    transformer_depth=1,
    context_dim=768,
)
AUTOENCODER = dict(
    double_z=True,
    z_channels=4,
    resolution=256,
    in_channels=3,
    out_ch=3,
    ch=128,
    ch_mult=[1, 2, 4, 4],
    num_res_blocks=2,
    attn_resolutions=[],
    dropout=0.0,
)


def unet(**other):
    return openaimodel.UNetModel(
        image_size=32, use_spatial_transformer=True, use_checkpoint=False, legacy=False, **UNET | other
    ).eval()


def encoder(**other):
    return Encoder(**AUTOENCODER | other).eval()


def decoder(**other):
    return Decoder(**AUTOENCODER | other).eval()


def autoencoder():
    """The whole of the autoencoder, in the order of the original's AutoencoderKL, which wants a training framework."""
    return torch.nn.ModuleDict(
        dict(
            encoder=encoder(),
            decoder=decoder(),
            quant_conv=torch.nn.Conv2d(8, 8, 1),
            post_quant_conv=torch.nn.Conv2d(4, 4, 1),
        )
    )
