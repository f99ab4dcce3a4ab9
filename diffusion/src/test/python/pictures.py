"""Reference outputs of image-to-image, inpainting, adapters, ControlNets, tiles and the safety checker, made with diffusers' pipelines
around the embedded model: in float64, with the largest error that float32 makes. Needs what embedded.py needs, and peft.

usage: pictures.py FOLDER    writes pictures.safetensors and the small files that it reads"""

import json, sys, zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

import embedded
import diffusers.models.autoencoders.vae as vae_module
import diffusers.pipelines.controlnet.pipeline_controlnet as controlnet_module
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion as text_module
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img as image_module
import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint as inpaint_module
from diffusers import *
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel

torch.set_grad_enabled(False)
OUT = Path(sys.argv[1])
PROMPT = "a yellow star on a black background"
KW = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
DDIM = lambda: DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1, **KW)
EULER = lambda: EulerDiscreteScheduler(**KW)


def randn(shape, generator=None, device=None, dtype=None, layout=None):
    """Noise is that of float32 whatever the pipeline's type."""
    return torch.randn(shape, generator=generator).to(dtype)


for module in (vae_module, controlnet_module, text_module, image_module, inpaint_module):
    module.randn_tensor = randn


def hashed(key, shape, scale=None):
    """The numbers of `gyre synth`: splitmix64 of the key's CRC and the index; matrices have variance 1 over what they sum."""
    n = int(np.prod(shape))
    z = (np.uint64(zlib.crc32(key.encode()) << 32) + np.arange(n, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1
    if scale is None:
        if len(shape) > 1:
            u = u * np.sqrt(3 / (n / shape[0]))
        else:
            u = (1 if key.endswith(".weight") else 0) + 0.1 * u
    else:
        u = u * scale
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


np.seterr(over="ignore")
unet, text, tokenizer = embedded.unet(), embedded.text_encoder(), embedded.tokenizer()
unet.register_to_config(sample_size=64)
tokenizer.model_max_length = 77
vae = embedded.vae()
wide = UNet2DConditionModel.from_config(unet.config, in_channels=9).eval()
wide.register_to_config(sample_size=64)
state = unet.state_dict()
first = state["conv_in.weight"]
state["conv_in.weight"] = torch.cat([first, hashed("inpainting", (first.shape[0], 5, 3, 3), 0.05)], 1)
wide.load_state_dict(state)

picture = Image.open(Path(__file__).parents[1] / "resources/dev/gyre/diffusion/circle.png").convert("RGB")
mask = Image.fromarray(np.where(np.arange(128)[None, :] >= 64, 255, 0).repeat(128, 0).astype(np.uint8))


def control(seed):
    net = ControlNetModel.from_unet(unet, load_weights_from_unet=False).eval()
    state = {}
    for key, value in net.state_dict().items():
        state[key] = hashed(f"control_model.{seed}." + original(key), tuple(value.shape))
        if key.startswith("controlnet_down") or key.startswith("controlnet_mid") or "conv_out" in key:
            state[key] *= 0.1
    net.load_state_dict(state)
    return net


def original(key):
    """The original's name of a ControlNet's parameter."""
    import re

    for a, b in (("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
                 ("controlnet_cond_embedding.conv_in", "input_hint_block.0"),
                 ("controlnet_cond_embedding.conv_out", "input_hint_block.14"),
                 ("controlnet_mid_block", "middle_block_out.0"), ("mid_block.resnets.0", "middle_block.0"),
                 ("mid_block.attentions.0", "middle_block.1"), ("mid_block.resnets.1", "middle_block.2")):
        key = key.replace(a, b)
    key = re.sub(r"^conv_in\.", "input_blocks.0.0.", key)
    key = re.sub(r"controlnet_cond_embedding\.blocks\.(\d)", lambda m: f"input_hint_block.{2 * int(m[1]) + 2}", key)
    key = re.sub(r"controlnet_down_blocks\.(\d+)", r"zero_convs.\1.0", key)
    key = re.sub(
        r"down_blocks\.(\d)\.(resnets|attentions)\.(\d)",
        lambda m: f"input_blocks.{3 * int(m[1]) + int(m[3]) + 1}.{int(m[2] == 'attentions')}", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.conv", lambda m: f"input_blocks.{3 * int(m[1]) + 3}.0.op", key)
    if "transformer_blocks" not in key:
        for a, b in (("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
                     ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")):
            key = key.replace("." + a + ".", "." + b + ".")
    return key


def parts(scheduler, net=unet):
    return dict(vae=vae, text_encoder=text, tokenizer=tokenizer, unet=net, scheduler=scheduler, safety_checker=None,
                feature_extractor=None, requires_safety_checker=False)


def call(pipe, **kw):
    pipe.set_progress_bar_config(disable=True)
    kw = dict(prompt=PROMPT, guidance_scale=5, num_inference_steps=10, output_type="latent",
              generator=torch.Generator().manual_seed(42)) | kw
    return pipe(**kw).images


def image_to_image(dtype, done):
    for name, make in (("ddim", DDIM), ("euler", EULER)):
        done["img2img." + name] = call(StableDiffusionImg2ImgPipeline(**parts(make())), image=picture, strength=0.6)
    for name, make, strength in (("ddim", DDIM, 1.0), ("euler", EULER, 0.7)):
        kw = dict(image=picture, mask_image=mask, strength=strength, height=128, width=128)
        done["inpaint." + name] = call(StableDiffusionInpaintPipeline(**parts(make())), **kw)
        done["inpaint9." + name] = call(StableDiffusionInpaintPipeline(**parts(make(), wide)), **kw)
    latents = call(StableDiffusionPipeline(**parts(EULER())), height=128, width=128)
    large = F.interpolate(latents, scale_factor=1.5, mode="bilinear")
    done["hires.latent"] = call(StableDiffusionImg2ImgPipeline(**parts(EULER())), image=large, strength=0.7)


def controls(dtype, done):
    nets = [control(1).to(dtype), control(2).to(dtype)]
    kw = dict(height=128, width=128)
    done["control.one"] = call(
        StableDiffusionControlNetPipeline(controlnet=nets[0], **parts(EULER())), image=picture,
        controlnet_conditioning_scale=0.8, control_guidance_end=0.6, **kw)
    done["control.two"] = call(
        StableDiffusionControlNetPipeline(controlnet=MultiControlNetModel(nets), **parts(DDIM())),
        image=[picture, mask.convert("RGB")], controlnet_conditioning_scale=[0.5, 1.2], control_guidance_start=[0.0, 0.2], **kw)


def tiles(dtype, done):
    z = torch.randn(1, 4, 13, 16, generator=torch.Generator().manual_seed(12)).to(dtype) / 0.18215
    x = torch.from_numpy(np.asarray(picture).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None, :, :104].to(dtype)
    vae.tile_latent_min_size, vae.tile_sample_min_size = 8, 64
    done["tiles.z"], done["tiles.decoded"] = z, vae.tiled_decode(z).sample
    done["tiles.moments"] = vae._tiled_encode(x)
    convs = [m for net in (unet, vae) for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    for m in convs:
        m.padding_mode = "circular"
        m._reversed_padding_repeated_twice = [m.padding[1]] * 2 + [m.padding[0]] * 2
    done["tileable"] = call(StableDiffusionPipeline(**parts(EULER())), height=128, width=128)
    done["tileable.decoded"] = vae.decode(done["tileable"] / 0.18215).sample[:, :, ::4, ::4]
    done["tileable.moments"] = vae.quant_conv(vae.encoder(x))
    for m in convs:
        m.padding_mode = "zeros"


def reuse(dtype, done):
    """DeepCache by hand: in two steps of three the block before the last `n` on the way up gives what it gave before."""
    for n in (1, 3):
        pipe = StableDiffusionPipeline(**parts(DDIM()))
        kept, calls = {}, [0]
        last = unet.up_blocks[-1]
        where = last.resnets[3 - n]
        plain = where.forward

        def forward(x, temb):
            width = unet.up_blocks[-2].resnets[-1].out_channels if n == 3 else last.resnets[0].out_channels
            if calls[0] % 3 == 0:
                kept["h"] = x[:, :width].clone()
            x = torch.cat([kept["h"], x[:, width:]], 1)
            calls[0] += 1
            return plain(x, temb)

        where.forward = forward
        done[f"reuse.{n}"] = call(pipe, height=128, width=128)
        where.forward = plain


CASES = [image_to_image, controls, tiles, reuse]


def main():
    from adapters import write, adapters
    from safety import safety

    write(OUT)
    results = []
    for dtype in (torch.float64, torch.float32):
        for net in (unet, text, vae, wide):
            net.to(dtype)
        embedded.exact_time(dtype == torch.float64)
        done = {}
        for case in [adapters, safety] + CASES:
            case(dtype, done)
        results.append(done)
    exact, rough = results
    error = {k: float("%.2e" % (exact[k] - rough[k].double()).abs().max()) for k in exact}
    save_file({k: v.float().contiguous() for k, v in exact.items()}, OUT / "pictures.safetensors",
              metadata={"float32_error": json.dumps(error), "prompt": PROMPT})
    print(error)


if __name__ == "__main__":
    sys.modules["pictures"] = sys.modules["__main__"]
    main()
