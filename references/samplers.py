"""Writes samplers.safetensors: final latents of the embedded model after ten steps of every sampler, made by diffusers'
schedulers or k-diffusion's functions in float64, with float32's error. k-diffusion's noise is plain Gaussian here, from
the generator that made the first. With --toy, prints what they make of a model that is one line: the numbers in
SamplerTest.
"""

import sys
import types
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import MagicMock

import diffusers as d
import torch

from references import places
from references.common import BETAS, OFFSET, Embedded, compute_in, ids, in_both, save

# k-diffusion's package imports much that its samplers do not use.
for name in ("torchsde", "torchdiffeq", "torchvision", "torchvision.transforms"):
    sys.modules.setdefault(name, MagicMock())
package = types.ModuleType("k_diffusion")
package.__path__ = [str(Path(p) / "k_diffusion") for p in sys.path if (Path(p) / "k_diffusion").is_dir()]
sys.modules["k_diffusion"] = package
from k_diffusion import external, sampling

PROMPT, STEPS, GUIDANCE, SEED, SIDE = "a red circle on a blue background", 10, 5.0, 42, 16

DIFFUSERS = {
    "ddim": lambda: d.DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **OFFSET),
    "ddim trailing": lambda: d.DDIMScheduler(
        clip_sample=False, set_alpha_to_one=False, timestep_spacing="trailing", **BETAS
    ),
    "plms": lambda: d.PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, **OFFSET),
    "ddpm": lambda: d.DDPMScheduler(clip_sample=False, **OFFSET),
    "euler": lambda: d.EulerDiscreteScheduler(**BETAS),
    "euler leading": lambda: d.EulerDiscreteScheduler(timestep_spacing="leading", **OFFSET),
    "euler trailing": lambda: d.EulerDiscreteScheduler(timestep_spacing="trailing", **BETAS),
    "euler karras": lambda: d.EulerDiscreteScheduler(use_karras_sigmas=True, **BETAS),
    "euler exponential": lambda: d.EulerDiscreteScheduler(use_exponential_sigmas=True, **BETAS),
    "euler a": lambda: d.EulerAncestralDiscreteScheduler(**BETAS),
    "heun": lambda: d.HeunDiscreteScheduler(**BETAS),
    "lms": lambda: d.LMSDiscreteScheduler(**BETAS),
    "dpm2": lambda: d.KDPM2DiscreteScheduler(**BETAS),
    "DPMSolverMultistepScheduler": lambda: d.DPMSolverMultistepScheduler(**BETAS),
    "dpm++2m karras whole": lambda: d.DPMSolverMultistepScheduler(use_karras_sigmas=True, **BETAS),
    "unipc": lambda: d.UniPCMultistepScheduler(**BETAS),
    "unipc karras whole": lambda: d.UniPCMultistepScheduler(use_karras_sigmas=True, **BETAS),
    "lcm": lambda: d.LCMScheduler(**BETAS),
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
NOISELESS_K = (sampling.sample_dpmpp_2m, sampling.sample_heun)


@contextmanager
def replaced(owner, name, value):
    real = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield real
    finally:
        setattr(owner, name, real)


def by_diffusers(name, predict, start, noise, dtype, steps=STEPS):
    """predict(x, t) is ε; start is the first noise; noise() gives that of a step."""
    scheduler = DIFFUSERS[name]()
    scheduler.set_timesteps(steps)
    x = start * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        epsilon = predict(scheduler.scale_model_input(x, t).to(dtype), t)
        if name in NOISY:  # schedulers draw in the type of the prediction; the seed stands for float32's
            with replaced(torch, "randn", lambda *_, **__: noise()):
                x = scheduler.step(epsilon, t, x, generator=torch.Generator()).prev_sample.to(dtype)
        else:
            x = scheduler.step(epsilon, t, x).prev_sample.to(dtype)
    return x


def by_k_diffusion(name, predict, start, noise, dtype):
    function, spacing = K_DIFFUSION[name]
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2

    class Model(torch.nn.Module):
        alphas_cumprod = torch.cumprod(1 - betas, 0).to(dtype)

        def apply_model(self, x, t):
            return predict(x, t)

    model = external.CompVisDenoiser(Model())
    linspace = torch.linspace
    with replaced(torch, "linspace", lambda *a, **k: linspace(*a, **{"dtype": dtype, **k})):
        least, most = model.sigma_min.item(), model.sigma_max.item()
        sigmas = {
            "uniform": lambda: model.get_sigmas(STEPS),
            "karras": lambda: sampling.get_sigmas_karras(STEPS, least, most),
            "exponential": lambda: sampling.get_sigmas_exponential(STEPS, least, most),
        }[spacing]().to(dtype)
    more = {} if function in NOISELESS_K else {"noise_sampler": lambda *_: noise()}
    return function(model, start * sigmas[0], sigmas, disable=True, **more)


def every(run):
    """{name: run(function, name)}, diffusers' first."""
    return {
        name: run(by, name)
        for names, by in ((DIFFUSERS, by_diffusers), (K_DIFFUSION, by_k_diffusion))
        for name in names
    }


def on_the_embedded_model(model, dtype):
    compute_in(dtype, model.unet, model.text)
    states = model.text(ids(model.tokenizer, ["", PROMPT])).last_hidden_state.to(dtype)

    def predict(x, t):
        without, with_prompt = model.unet(torch.cat([x, x]), t, states).sample.chunk(2)
        return without + GUIDANCE * (with_prompt - without)

    def run(by, name):
        generator = torch.Generator().manual_seed(SEED)
        randn = torch.randn  # the real one: schedulers see another
        noise = lambda: randn(1, 4, SIDE, SIDE, generator=generator).to(dtype)
        return by(name, predict, noise(), noise, dtype)

    return every(run)


def toy():
    """ε = 0.3 x + 0.001 t from [1, −½, ¼, 2], with noise that is ½."""
    predict = lambda x, t: 0.3 * x + 0.001 * t
    start, half = torch.tensor([[1, -0.5, 0.25, 2]], dtype=torch.float64), torch.full((1, 4), 0.5, dtype=torch.float64)
    results = every(lambda by, name: by(name, predict, start, lambda: half, torch.float64))
    for steps in (4, 8):
        results[f"lcm, {steps} steps"] = by_diffusers("lcm", predict, start, lambda: half, torch.float64, steps)
    for name, x in results.items():
        print(name, *("%.6f" % v for v in x.flatten()), sep=", ")


def main():
    parser = places.parser(__doc__)
    parser.add_argument("--toy", action="store_true", help="print the one-line model's numbers and write nothing")
    args = parser.parse_args()
    if args.toy:
        toy()
        return
    model = Embedded()
    exact, single = in_both(lambda dtype: on_the_embedded_model(model, dtype))
    save(
        places.destination(places.SAMPLERS, args.out),
        exact,
        single,
        prompt=PROMPT,
        settings=f"{STEPS} steps, guidance {GUIDANCE}, seed {SEED} of torch's CPU generator, empty negative prompt, 128x128",
    )


if __name__ == "__main__":
    main()
