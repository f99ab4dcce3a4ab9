"""Writes shapes.safetensors: a trained text encoder, UNet and autoencoder as one float16 checkpoint in the original
layout.
"""

import math
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from references import places
from references.common import LATENT_SCALE, TEXT, ids, original_keys, text_key, tokenizer
from references.embedded.scenes import COLOURS, SHAPES, WORDS

METADATA = {
    "format": "pt",
    "norm_groups": "8",
    "unet_heads": "4",
    "text_heads": "2",
    "native_size": "128",
    "model": "gyre-shapes",
    "license": "Apache-2.0",
    "about": "Small latent-diffusion model in the original Stable Diffusion v1 layout, trained from scratch on procedurally drawn shapes.",
}


def scaled(vae, scale):
    """The autoencoder with its latents' scale folded in, so that 0.18215 times a latent has the deviation that the UNet
    was trained at.
    """
    f = scale / LATENT_SCALE
    weight, bias = vae["quant_conv.weight"].clone(), vae["quant_conv.bias"].clone()
    weight[:4] *= f
    bias[:4] *= f
    bias[4:] += 2 * math.log(f)
    return vae | {
        "quant_conv.weight": weight,
        "quant_conv.bias": bias,
        "post_quant_conv.weight": vae["post_quant_conv.weight"] / f,
    }


def original_layout(unet, vae, text):
    """The three under the original's keys; its autoencoder's attention is made of 1×1 convolutions."""
    keys = original_keys()
    checkpoint = {keys["unet"][k]: v for k, v in unet.items()}
    for k, v in vae.items():
        matrix = "mid_block.attentions" in k and v.dim() == 2
        checkpoint[keys["vae"][k]] = v[:, :, None, None] if matrix else v
    return checkpoint | {text_key(k): v for k, v in text.items() if "position_ids" not in k}


def without_unknown_words(checkpoint):
    """Rows of the token table that no caption uses carry nothing: zeros make the file compress."""
    tokens = tokenizer()
    used = {token for word in [*COLOURS, *SHAPES, *WORDS] for token in ids(tokens, word)[0].tolist()}
    key = TEXT + "embeddings.token_embedding.weight"
    mask = torch.zeros(len(checkpoint[key]), 1)
    mask[list(used)] = 1
    return checkpoint | {key: checkpoint[key] * mask}


def main():
    parser = places.parser(__doc__)
    parser.add_argument("autoencoder", type=Path, metavar="FOLDER", help="as autoencoder.py saved it")
    parser.add_argument("denoiser", type=Path, metavar="FILE", help="as denoiser.py saved it")
    args = parser.parse_args()
    vae = AutoencoderKL.from_pretrained(args.autoencoder).state_dict()
    state = load_file(args.denoiser)
    with safe_open(args.denoiser, "pt") as file:
        scale = float(file.metadata()["scale"])
    unet, text = (
        {k.removeprefix(name): v for k, v in state.items() if k.startswith(name)} for name in ("unet.", "text.")
    )
    checkpoint = without_unknown_words(original_layout(unet, scaled(vae, scale), text))
    save_file(
        {k: v.half().contiguous() for k, v in checkpoint.items()},
        places.destination(places.EMBEDDED_MODEL, args.out),
        metadata=METADATA,
    )


if __name__ == "__main__":
    main()
