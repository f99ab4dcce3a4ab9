"""Writes pictures.safetensors: outputs of image-to-image, inpainting, adapters, ControlNets, tiles and the safety
checker, made with diffusers' pipelines around the embedded model in float64, with float32's error; and the small
adapter files that they read.
"""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import (
    ControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
)
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel

from references import adapters, places, safety
from references.common import LATENT_SCALE, compute_in, fill, hashed, in_both, original_keys, save
from references.pipelines import PROMPT, ddim, draw, euler, inpainting_unet, mask, model, picture, pipeline

SIZE = dict(height=128, width=128)


def control(seed):
    """A ControlNet of hashed weights; the layers that trained ones begin at zero are small."""
    keys = original_keys()["controlnet"]

    def weight(key, shape):
        small = key.startswith(("controlnet_down", "controlnet_mid")) or "conv_out" in key
        return hashed(keys[key].replace("control_model.", f"control_model.{seed}.", 1), shape) * (0.1 if small else 1)

    return fill(ControlNetModel.from_unet(model.unet, load_weights_from_unet=False), weight)


def image_to_image(dtype, done):
    for name, scheduler in (("ddim", ddim), ("euler", euler)):
        done["img2img." + name] = draw(
            pipeline(StableDiffusionImg2ImgPipeline, scheduler()), image=picture, strength=0.6
        )
    wide = inpainting_unet().to(dtype)
    for name, scheduler, strength in (("ddim", ddim, 1.0), ("euler", euler, 0.7)):
        settings = dict(image=picture, mask_image=mask, strength=strength, **SIZE)
        done["inpaint." + name] = draw(pipeline(StableDiffusionInpaintPipeline, scheduler()), **settings)
        done["inpaint9." + name] = draw(pipeline(StableDiffusionInpaintPipeline, scheduler(), wide), **settings)
    latents = draw(pipeline(StableDiffusionPipeline, euler()), **SIZE)
    large = F.interpolate(latents, scale_factor=1.5, mode="bilinear")
    done["hires.latent"] = draw(pipeline(StableDiffusionImg2ImgPipeline, euler()), image=large, strength=0.7)


def controls(dtype, done):
    nets = [control(1).to(dtype), control(2).to(dtype)]
    done["control.one"] = draw(
        pipeline(StableDiffusionControlNetPipeline, euler(), controlnet=nets[0]),
        image=picture,
        controlnet_conditioning_scale=0.8,
        control_guidance_end=0.6,
        **SIZE,
    )
    done["control.two"] = draw(
        pipeline(StableDiffusionControlNetPipeline, ddim(), controlnet=MultiControlNetModel(nets)),
        image=[picture, mask.convert("RGB")],
        controlnet_conditioning_scale=[0.5, 1.2],
        control_guidance_start=[0.0, 0.2],
        **SIZE,
    )


def tiles(dtype, done):
    vae = model.vae
    z = torch.randn(1, 4, 13, 16, generator=torch.Generator().manual_seed(12)).to(dtype) / LATENT_SCALE
    x = torch.from_numpy(np.asarray(picture).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None, :, :104].to(dtype)
    vae.tile_latent_min_size, vae.tile_sample_min_size = 8, 64
    done["tiles.z"], done["tiles.decoded"] = z, vae.tiled_decode(z).sample
    done["tiles.moments"] = vae._tiled_encode(x)
    convolutions = [m for net in (model.unet, vae) for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    for m in convolutions:
        m.padding_mode = "circular"
        m._reversed_padding_repeated_twice = [m.padding[1]] * 2 + [m.padding[0]] * 2
    done["tileable"] = draw(pipeline(StableDiffusionPipeline, euler()), **SIZE)
    done["tileable.decoded"] = vae.decode(done["tileable"] / LATENT_SCALE).sample[:, :, ::4, ::4]
    done["tileable.moments"] = vae.quant_conv(vae.encoder(x))
    for m in convolutions:
        m.padding_mode = "zeros"


def reuse(dtype, done):
    """DeepCache by hand: in two of three steps the block before the last `n` on the way up gives what it gave before."""
    last, before = model.unet.up_blocks[-1], model.unet.up_blocks[-2]
    for n in (1, 3):
        where = last.resnets[3 - n]
        width = before.resnets[-1].out_channels if n == 3 else last.resnets[0].out_channels
        plain, kept, calls = where.forward, None, 0

        def forward(x, temb):
            nonlocal kept, calls
            if calls % 3 == 0:
                kept = x[:, :width].clone()
            calls += 1
            return plain(torch.cat([kept, x[:, width:]], 1), temb)

        where.forward = forward
        done[f"reuse.{n}"] = draw(pipeline(StableDiffusionPipeline, ddim()), **SIZE)
        where.forward = plain


def main():
    args = places.parser(__doc__).parse_args()
    files = adapters.write(args.out)

    def results(dtype):
        compute_in(dtype, model.unet, model.text, model.vae)
        done = {}
        adapters.results(files, dtype, done)
        for case in (safety.results, image_to_image, controls, tiles, reuse):
            case(dtype, done)
        return done

    save(places.destination(places.PICTURES, args.out), *in_both(results), prompt=PROMPT)


if __name__ == "__main__":
    main()
