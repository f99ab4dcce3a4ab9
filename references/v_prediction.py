"""Writes v-prediction.safetensors: final latents of the embedded model with its UNet's output taken for v, made by
diffusers' schedulers in float64, with float32's error; on Stable Diffusion's noise schedule and, where a scheduler can
rescale it, with zero terminal SNR.
"""

import diffusers as d
import torch

from references import places
from references.common import BETAS, OFFSET, Embedded, compute_in, ids, in_both, save
from references.samplers import GUIDANCE, PROMPT, SEED, SIDE, STEPS, replaced

V = dict(prediction_type="v_prediction")
DDIM = dict(clip_sample=False, set_alpha_to_one=False)
TRAILING = dict(timestep_spacing="trailing")

# By Gyre's names. Without PNDM: diffusers' extrapolates from the v of several timesteps, Gyre's, as the paper, from their noise.
SCHEDULERS = {
    "ddim": lambda **zero: d.DDIMScheduler(**DDIM, **OFFSET, **V, **zero),
    "ddim trailing": lambda **zero: d.DDIMScheduler(**DDIM, **BETAS, **TRAILING, **V, **zero),
    "ddpm trailing": lambda **zero: d.DDPMScheduler(clip_sample=False, **BETAS, **TRAILING, **V, **zero),
    "euler": lambda **zero: d.EulerDiscreteScheduler(**BETAS, **V, **zero),
    "euler trailing": lambda **zero: d.EulerDiscreteScheduler(**BETAS, **TRAILING, **V, **zero),
    "euler karras": lambda **zero: d.EulerDiscreteScheduler(use_karras_sigmas=True, **BETAS, **V, **zero),
    "euler a": lambda **zero: d.EulerAncestralDiscreteScheduler(**BETAS, **V, **zero),
    "DPMSolverMultistepScheduler": lambda **zero: d.DPMSolverMultistepScheduler(**BETAS, **V, **zero),
    "unipc": lambda **zero: d.UniPCMultistepScheduler(**BETAS, **V, **zero),
    "lcm": lambda **zero: d.LCMScheduler(clip_sample=False, **BETAS, **V, **zero),
    "heun": lambda: d.HeunDiscreteScheduler(**BETAS, **V),
    "lms": lambda: d.LMSDiscreteScheduler(**BETAS, **V),
    "dpm2": lambda: d.KDPM2DiscreteScheduler(**BETAS, **V),
}
ONLY_WITHOUT = ("ddim", "heun", "lms", "dpm2")  # of leading timesteps, or schedulers that do not rescale
NOISY = ("ddpm trailing", "euler a", "lcm")


def scheduler(name, zero, dtype):
    """With betas of the type that the network computes in; diffusers' are float32."""
    linspace = torch.linspace
    with replaced(torch, "linspace", lambda *a, **k: linspace(*a, **{**k, "dtype": dtype})):
        made = SCHEDULERS[name](**(dict(rescale_betas_zero_snr=True) if zero else {}))
    made.set_timesteps(STEPS)
    return made


def sample(name, zero, predict, start, noise, dtype):
    made = scheduler(name, zero, dtype)
    x = start * made.init_noise_sigma
    for t in made.timesteps:
        v = predict(made.scale_model_input(x, t).to(dtype), t)
        if name in NOISY:
            with replaced(torch, "randn", lambda *_, **__: noise()):
                x = made.step(v, t, x, generator=torch.Generator()).prev_sample.to(dtype)
        else:
            x = made.step(v, t, x).prev_sample.to(dtype)
    return x


def all_samples(model, dtype):
    compute_in(dtype, model.unet, model.text)
    states = model.text(ids(model.tokenizer, ["", PROMPT])).last_hidden_state.to(dtype)

    def predict(x, t):
        without, with_prompt = model.unet(torch.cat([x, x]), t, states).sample.chunk(2)
        return without + GUIDANCE * (with_prompt - without)

    results = {}
    for zero in (False, True):
        for name in SCHEDULERS:
            if zero and name in ONLY_WITHOUT:
                continue
            generator = torch.Generator().manual_seed(SEED)
            randn = torch.randn
            noise = lambda: randn(1, 4, SIDE, SIDE, generator=generator).to(dtype)
            results[name + ("|ztsnr" if zero else "|")] = sample(name, zero, predict, noise(), noise, dtype)
    return results


def main():
    args = places.parser(__doc__).parse_args()
    model = Embedded()
    exact, single = in_both(lambda dtype: all_samples(model, dtype))
    save(
        places.destination(places.V_PREDICTION, args.out),
        exact,
        single,
        prompt=PROMPT,
        settings=f"{STEPS} steps, guidance {GUIDANCE}, seed {SEED} of torch's CPU generator, empty negative prompt, 128x128",
    )


if __name__ == "__main__":
    main()
