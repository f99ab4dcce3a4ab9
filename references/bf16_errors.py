"""Writes bf16-errors.json: root mean square differences from the float64 references when the same modules run in bf16
(weights, activations, latents): final latents of the embedded model by prompt and sampler, and of the full-size
networks over the sampled values. Wants a processor with bf16 products (AVX512-BF16 or AMX): without, PyTorch is exact
in other places and slow.
"""

import json

import torch
from safetensors.torch import load_file

from references import full_size, golden, places
from references.common import Embedded, compute_in, rms


def embedded():
    model, exact = Embedded(), load_file(places.GOLDEN)
    compute_in(torch.bfloat16, model.unet, model.vae, model.text)
    for sampler in golden.SAMPLERS:
        for i, prompt in enumerate(golden.PROMPTS):
            name = f"latents.{i}.{sampler}"
            yield name, rms(golden.draw(model, prompt, sampler, torch.bfloat16).double() - exact[name].double())


def at_full_size():
    exact = json.loads(places.FULL_SIZE.read_text())
    latents, picture = full_size.draw(torch.bfloat16, full_size.text_encoder(), full_size.unet(), full_size.vae())
    for name, result in ("picture.latents", latents), ("picture.decoded", picture):
        values = result.double().flatten()
        yield (
            name,
            rms(values[full_size.sampled(values.numel())] - torch.tensor(exact[name]["values"], dtype=torch.float64)),
        )


def main():
    args = places.parser(__doc__).parse_args()
    errors = {}
    for part in embedded, at_full_size:
        for name, error in part():
            errors[name] = float("%.3g" % error)
            print(name, errors[name], flush=True)
    places.destination(places.BF16_ERRORS, args.out).write_text(json.dumps(errors, indent=1) + "\n")


if __name__ == "__main__":
    main()
