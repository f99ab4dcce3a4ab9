"""Writes golden.safetensors: outputs of the embedded model's networks and final latents of four samplers, in float64
with float32's error; and circle.png, the first of the pictures drawn so, from which other references begin.
"""

import torch
from diffusers import DDIMScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, PNDMScheduler
from PIL import Image

from references import places
from references.common import BETAS, LATENT_SCALE, OFFSET, Embedded, compute_in, save

PROMPTS = [
    "a red circle on a blue background",
    "a small yellow star on a black background",
    "a green heart and a purple square on a white background",
]
SAMPLERS = {  # name: steps, scheduler
    "ddim": (20, lambda: DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **OFFSET)),
    "pndm": (50, lambda: PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, **OFFSET)),
    "euler": (20, lambda: EulerDiscreteScheduler(**BETAS)),
    "euler_a": (20, lambda: EulerAncestralDiscreteScheduler(**BETAS)),
}
GUIDANCE, SEED, SIDE = 5.0, 42, 16
SETTINGS = (
    "20 steps (pndm: 50), guidance 5.0, seed 42 (torch CPU noise), empty negative prompt, 128x128; pndm/ddim: SD1.5 scheduler "
    "settings (leading, steps_offset 1); euler, euler_a: linspace"
)
GIVEN = ("unet.x", "vae.z", "vae.image")


def noise(count, seed):
    return torch.randn(count, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def draw(model, prompt, sampler, dtype):
    """Final latents. Schedulers keep their own float32 constants; noise is drawn in float32."""
    steps, new = SAMPLERS[sampler]
    scheduler = new()
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(1, 4, SIDE, SIDE, generator=generator).to(dtype) * scheduler.init_noise_sigma
    states = model.states("", prompt)
    for t in scheduler.timesteps:
        both = scheduler.scale_model_input(torch.cat([x, x]), t).to(dtype)
        without, with_prompt = model.unet(both, t, states).sample.chunk(2)
        epsilon = without + GUIDANCE * (with_prompt - without)
        if sampler == "euler_a":  # draws its noise in the type of ε
            x = scheduler.step(epsilon.float(), t, x, generator=generator).prev_sample.to(dtype)
        else:
            x = scheduler.step(epsilon, t, x).prev_sample.to(dtype)
    return x


def results(model, dtype, image=None):
    """All tensors by name; the image to encode is the first picture unless one is given."""
    compute_in(dtype, model.unet, model.vae, model.text)
    done = {f"text.{i}": model.states(prompt) for i, prompt in enumerate(["", *PROMPTS])}
    done["unet.x"] = noise(2, 11).to(dtype)
    done["unet.eps"] = model.unet(
        done["unet.x"], torch.tensor([981, 21]), torch.cat([done["text.0"], done["text.1"]])
    ).sample
    done["vae.z"] = noise(1, 12).to(dtype)
    done["vae.decoded"] = model.vae.decode(done["vae.z"] / LATENT_SCALE).sample
    for i, prompt in enumerate(PROMPTS):
        for sampler in SAMPLERS:
            done[f"latents.{i}.{sampler}"] = draw(model, prompt, sampler, dtype)
    if image is None:
        image = model.vae.decode(done["latents.0.ddim"] / LATENT_SCALE).sample.float()
    done["vae.image"] = image.to(dtype)
    done["vae.moments"] = model.vae.quant_conv(model.vae.encoder(done["vae.image"]))
    return done


def pixels(picture):
    return Image.fromarray(((picture / 2 + 0.5).clamp(0, 1) * 255).round().byte()[0].permute(1, 2, 0).numpy())


def main():
    args = places.parser(__doc__).parse_args()
    model = Embedded()
    exact = results(model, torch.float64)
    picture = model.vae.decode(exact["latents.0.ddim"] / LATENT_SCALE).sample
    single = results(model, torch.float32, exact["vae.image"].float())
    pixels(picture).save(places.destination(places.CIRCLE, args.out))
    save(places.destination(places.GOLDEN, args.out), exact, single, GIVEN, prompts=PROMPTS, settings=SETTINGS)


if __name__ == "__main__":
    main()
