"""Writes diffusers-keys.tsv: what diffusers' own conversion calls every tensor of the original's. Columns: part,
diffusers' key, the original's key.
"""

import diffusers.loaders.single_file_utils as utils
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from safetensors import safe_open

from references import places

UNET, VAE, CONTROL = "model.diffusion_model.", "first_stage_model.", "control_model."


def names(convert, ranks, config):
    """[(diffusers' key, the original's key)]: the conversion is given tensors of one number, by which they are known
    again.
    """
    keys = dict(enumerate(ranks))
    converted = convert({key: torch.full((1,) * ranks[key], i) for i, key in keys.items()}, config)
    return [(key, keys[int(tensor.flatten()[0])]) for key, tensor in converted.items()]


def control_ranks(ranks):
    """A ControlNet is the UNet's way down with a convolution of its own at every step, and a small network for its
    picture.
    """
    encoder = [k for k in ranks if k.startswith((UNET + "input", UNET + "middle", UNET + "time"))]
    keys = [CONTROL + k.removeprefix(UNET) for k in encoder]
    layers = (
        [f"input_hint_block.{i}" for i in range(0, 15, 2)]
        + [f"zero_convs.{i}.0" for i in range(12)]
        + ["middle_block_out.0"]
    )
    keys += [f"{CONTROL}{layer}.{kind}" for kind in ("weight", "bias") for layer in layers]
    return dict.fromkeys(keys, 4)


def main():
    args = places.parser(__doc__).parse_args()
    with safe_open(places.EMBEDDED_MODEL, "pt") as file:
        ranks = {key: len(file.get_slice(key).get_shape()) for key in file.keys()}
    unet = UNet2DConditionModel(block_out_channels=[32] * 4, cross_attention_dim=32, attention_head_dim=4)
    vae = AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[32] * 4,
        layers_per_block=2,
    )
    parts = {
        "unet": names(
            utils.convert_ldm_unet_checkpoint, {k: r for k, r in ranks.items() if k.startswith(UNET)}, unet.config
        ),
        "vae": names(
            utils.convert_ldm_vae_checkpoint, {k: r for k, r in ranks.items() if k.startswith(VAE)}, vae.config
        ),
        "controlnet": names(
            utils.convert_controlnet_checkpoint, control_ranks(ranks), ControlNetModel.from_unet(unet).config
        ),
    }
    with places.destination(places.DIFFUSERS_KEYS, args.out).open("w") as out:
        for part, pairs in parts.items():
            for theirs, original in pairs:
                print(part, theirs, original, sep="\t", file=out)


if __name__ == "__main__":
    main()
