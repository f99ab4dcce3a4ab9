"""Writes samplers.safetensors: final latents of the embedded model after ten steps of every sampler, made by diffusers' schedulers or
k-diffusion's functions around the same network in float64, with the largest error that the whole makes in float32 beside each.
k-diffusion's noise is plain Gaussian here, from the generator that made the first.

usage: PYTHONPATH=diffusers/src:k-diffusion samplers.py OUT.safetensors     needs scipy; k-diffusion without its other dependencies
"""

import json, sys, types
from importlib import util
from pathlib import Path
from unittest.mock import MagicMock

import torch
from safetensors.torch import save_file

import diffusers as d
import embedded

# k-diffusion's package imports much that its samplers do not use.
for name in ("torchsde", "torchdiffeq", "torchvision", "torchvision.transforms"):
    sys.modules.setdefault(name, MagicMock())
package = types.ModuleType("k_diffusion")
package.__path__ = [str(Path(p) / "k_diffusion") for p in sys.path if (Path(p) / "k_diffusion").is_dir()]
sys.modules["k_diffusion"] = package
from k_diffusion import external, sampling

PROMPT, STEPS, GUIDANCE, SEED, SIDE = "a red circle on a blue background", 10, 5.0, 42, 16
beta = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
sd = dict(steps_offset=1, **beta)

DIFFUSERS = {
    "ddim": lambda: d.DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **sd),
    "ddim trailing": lambda: d.DDIMScheduler(clip_sample=False, set_alpha_to_one=False, timestep_spacing="trailing", **beta),
    "plms": lambda: d.PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, **sd),
    "ddpm": lambda: d.DDPMScheduler(clip_sample=False, **sd),
    "euler": lambda: d.EulerDiscreteScheduler(**beta),
    "euler leading": lambda: d.EulerDiscreteScheduler(timestep_spacing="leading", **sd),
    "euler trailing": lambda: d.EulerDiscreteScheduler(timestep_spacing="trailing", **beta),
    "euler karras": lambda: d.EulerDiscreteScheduler(use_karras_sigmas=True, **beta),
    "euler exponential": lambda: d.EulerDiscreteScheduler(use_exponential_sigmas=True, **beta),
    "euler a": lambda: d.EulerAncestralDiscreteScheduler(**beta),
    "heun": lambda: d.HeunDiscreteScheduler(**beta),
    "lms": lambda: d.LMSDiscreteScheduler(**beta),
    "dpm2": lambda: d.KDPM2DiscreteScheduler(**beta),
    "DPMSolverMultistepScheduler": lambda: d.DPMSolverMultistepScheduler(**beta),
    "dpm++2m karras whole": lambda: d.DPMSolverMultistepScheduler(use_karras_sigmas=True, **beta),
    "unipc": lambda: d.UniPCMultistepScheduler(**beta),
    "unipc karras whole": lambda: d.UniPCMultistepScheduler(use_karras_sigmas=True, **beta),
    "lcm": lambda: d.LCMScheduler(**beta),
}
K_DIFFUSION = {
    "dpm2 a": (sampling.sample_dpm_2_ancestral, "uniform"),
    "dpm++2s a": (sampling.sample_dpmpp_2s_ancestral, "uniform"),
    "dpm++2s a karras": (sampling.sample_dpmpp_2s_ancestral, "karras"),
    "dpm++2m": (sampling.sample_dpmpp_2m, "uniform"),
    "dpm++2m karras": (sampling.sample_dpmpp_2m, "karras"),
    "dpm++sde": (sampling.sample_dpmpp_sde, "uniform"),
    "dpm++2m sde": (sampling.sample_dpmpp_2m_sde, "uniform"),
    "dpm++2m sde karras": (sampling.sample_dpmpp_2m_sde, "karras"),
    "dpm++3m sde": (sampling.sample_dpmpp_3m_sde, "uniform"),
    "dpm++3m sde exponential": (sampling.sample_dpmpp_3m_sde, "exponential"),
    "heun uniform": (sampling.sample_heun, "uniform"),
}
NOISY = ("ddpm", "lcm", "euler a")

net, clip, tokenizer = embedded.unet(), embedded.text_encoder(), embedded.tokenizer()


def context(dtype):
    ids = tokenizer(["", PROMPT], padding="max_length", max_length=77, return_tensors="pt").input_ids
    return clip(ids).last_hidden_state.to(dtype)


def guided(x, t, text):
    without, with_ = net(torch.cat([x, x]), t, text).sample.chunk(2)
    return without + GUIDANCE * (with_ - without)


def by_diffusers(name, text, dtype, generator):
    scheduler = DIFFUSERS[name]()
    scheduler.set_timesteps(STEPS)
    x = torch.randn(1, 4, SIDE, SIDE, generator=generator).to(dtype) * scheduler.init_noise_sigma
    more = {"generator": generator} if name in NOISY else {}
    for t in scheduler.timesteps:
        epsilon = guided(scheduler.scale_model_input(x, t).to(dtype), t, text)
        if more:  # noise is drawn in the type of the prediction; the seed stands for float32's
            real = torch.randn
            torch.randn = lambda *a, **k: real(*a, **{**k, "dtype": torch.float32}).to(dtype)
        x = scheduler.step(epsilon, t, x, **more).prev_sample.to(dtype)
        if more:
            torch.randn = real
    return x


def by_k_diffusion(name, text, dtype, generator):
    function, spacing = K_DIFFUSION[name]
    root = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    alphas = torch.cumprod(1 - root, 0).to(dtype)

    class Model(torch.nn.Module):
        alphas_cumprod = alphas

        def apply_model(self, x, t):
            return guided(x, t, text)

    model = external.CompVisDenoiser(Model())
    real = torch.linspace
    torch.linspace = lambda *a, **k: real(*a, **{"dtype": dtype, **k})
    least, most = model.sigma_min.item(), model.sigma_max.item()
    sigmas = {"uniform": lambda: model.get_sigmas(STEPS), "karras": lambda: sampling.get_sigmas_karras(STEPS, least, most),
              "exponential": lambda: sampling.get_sigmas_exponential(STEPS, least, most)}[spacing]().to(dtype)
    torch.linspace = real
    noise = lambda *_: torch.randn(1, 4, SIDE, SIDE, generator=generator).to(dtype)
    more = {} if function in (sampling.sample_dpmpp_2m, sampling.sample_heun) else {"noise_sampler": noise}
    return function(model, noise() * sigmas[0], sigmas, disable=True, **more)


def run(dtype):
    net.to(dtype)
    clip.to(dtype)
    embedded.exact_time(dtype == torch.float64)
    text = context(dtype)
    results = {}
    for names, by in ((DIFFUSERS, by_diffusers), (K_DIFFUSION, by_k_diffusion)):
        for name in names:
            results[name] = by(name, text, dtype, torch.Generator().manual_seed(SEED))
    return results


exact, single = run(torch.float64), run(torch.float32)
error = {k: float("%.2e" % (single[k].double() - exact[k]).abs().max()) for k in exact}
for name in exact:
    print("%-28s %8.1e  std %.3f" % (name, error[name], exact[name].std()))
save_file({k: v.float().contiguous() for k, v in exact.items()}, sys.argv[1], metadata={
    "float32_error": json.dumps(error), "prompt": PROMPT,
    "settings": f"{STEPS} steps, guidance {GUIDANCE}, seed {SEED} of torch's CPU generator, empty negative prompt, 128x128"})
