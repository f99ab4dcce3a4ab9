"""Writes fullsize.json: outputs of Stable Diffusion v1.5's networks at full size with hashed weights (those of `gyre
synth`), in float64, 256 sampled values of each, with sums and float32's error. The inputs stand in the file. Needs 16
GB of memory.
"""

import json
import time

import torch
from diffusers import DDIMScheduler

from references import places
from references.common import (
    LATENT_SCALE,
    OFFSET,
    compute_in,
    fill,
    hashed,
    ids,
    in_both,
    new_text_encoder,
    new_unet,
    new_vae,
    original_keys,
    rms,
    text_key,
    tokenizer,
)

PROMPT, NEGATIVE = "a photograph of an astronaut riding a horse", "blurry, low quality"
GUIDANCE, STEPS, SEED = 7.5, 2, 42
UNIT = 3**0.5  # scale of inputs of variance 1


def unet():
    keys = original_keys()["unet"]
    with torch.device("meta"):
        net = new_unet()
    return fill(net, lambda key, shape: hashed(keys[key], shape))


def vae():
    """The attention's 1×1 convolutions are matrices here: the same values in the same order."""
    keys = original_keys()["vae"]
    with torch.device("meta"):
        net = new_vae()
    return fill(net, lambda key, shape: hashed(keys[key], shape))


def text_encoder():
    return fill(new_text_encoder(), lambda key, shape: hashed(text_key(key), shape))


def sampled(count):
    """Flat indices of the sampled values."""
    return [i * 2654435761 % count for i in range(256)]


class Report:
    """The file, written again after every result: the whole takes long, and parts may be made by themselves."""

    def __init__(self, path):
        self.path, self.start = path, time.time()
        self.results = json.loads(path.read_text()) if path.exists() else {}

    def put(self, name, exact, single, **about):
        values = exact.double().flatten()
        error = single.double().flatten() - values
        self.results[name] = {
            **about,
            "shape": list(exact.shape),
            "at": "value i of 256 stands at flat index (i*2654435761) mod n, 64-bit",
            "values": [float("%.9g" % v) for v in values[sampled(values.numel())].tolist()],
            "sum": values.sum().item(),
            "sum_of_squares": (values * values).sum().item(),
            "max_abs": values.abs().max().item(),
            "float32_max_error": float("%.3g" % error.abs().max()),
            "float32_rms_error": float("%.3g" % rms(error)),
        }
        self.path.write_text(json.dumps(self.results, separators=(",", ":")))
        largest, seconds = error.abs().max(), time.time() - self.start
        print(f"{name}: rms {rms(values):.4f}, float32's largest error {largest:.2e}, {seconds:.0f} s", flush=True)


def of(net, run):
    """run(dtype) of a network, in float64 and in float32."""

    def compute(dtype):
        compute_in(dtype, net)
        return run(dtype)

    return in_both(compute)


def text(report):
    net, tokens = text_encoder(), ids(tokenizer(), [PROMPT, ""])
    report.put("clip.last_hidden_state", *of(net, lambda dtype: net(tokens).last_hidden_state), prompts=[PROMPT, ""])


def denoiser(report):
    net = unet()
    context = hashed("golden.context", (2, 77, 768), UNIT)
    x = hashed("golden.x", (2, 4, 64, 64), UNIT)
    report.put(
        "unet.eps",
        *of(net, lambda dtype: net(x.to(dtype), torch.tensor([981, 21]), context.to(dtype)).sample),
        timesteps=[981, 21],
        inputs='x [2,4,64,64]: sqrt(3)*u("golden.x"); context [2,77,768]: sqrt(3)*u("golden.context")',
    )
    rect = hashed("golden.rect", (1, 4, 40, 64), UNIT)
    report.put(
        "unet.rect.eps",
        *of(net, lambda dtype: net(rect.to(dtype), torch.tensor([500]), context[:1].to(dtype)).sample),
        timesteps=[500],
        inputs='x [1,4,40,64]: sqrt(3)*u("golden.rect"); context [1,77,768]: sqrt(3)*u("golden.context", i), i = 0 to 59135',
    )


def autoencoder(report):
    net = vae()
    latents = hashed("golden.latents", (1, 4, 64, 64), UNIT)
    report.put(
        "vae.decoded",
        *of(net, lambda dtype: net.decode(latents.to(dtype) / LATENT_SCALE).sample),
        inputs='latents [1,4,64,64]: sqrt(3)*u("golden.latents"); decode divides by 0.18215; output before clamping',
    )
    image = hashed("golden.image", (1, 3, 256, 320), 1.0)
    report.put(
        "vae.moments",
        *of(net, lambda dtype: net.quant_conv(net.encoder(image.to(dtype)))),
        inputs='image [1,3,256,320]: u("golden.image"); output [1,8,32,40]: mean and log-variance before clamping, unscaled',
    )


def draw(dtype, encoder, net, autoencoder):
    """Final latents and decoded picture of two DDIM steps."""
    compute_in(dtype, encoder, net, autoencoder)
    scheduler = DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **OFFSET)
    scheduler.set_timesteps(STEPS)
    tokens = tokenizer()
    states = torch.cat([encoder(ids(tokens, prompt)).last_hidden_state for prompt in (NEGATIVE, PROMPT)])
    x = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(SEED)).to(dtype)
    for t in scheduler.timesteps:
        without, with_prompt = net(torch.cat([x, x]), t, states).sample.chunk(2)
        x = scheduler.step(without + GUIDANCE * (with_prompt - without), t, x).prev_sample.to(dtype)
    return x, autoencoder.decode(x / LATENT_SCALE).sample


def picture(report):
    nets = text_encoder(), unet(), vae()
    exact, single = in_both(lambda dtype: draw(dtype, *nets))
    about = dict(
        prompt=PROMPT,
        negative=NEGATIVE,
        sampler="DDIM, leading timesteps, offset 1",
        steps=STEPS,
        timesteps=[501, 1],
        guidance=GUIDANCE,
        seed="42, torch CPU noise",
        size="512x512",
    )
    report.put("picture.latents", exact[0], single[0], **about)
    report.put("picture.decoded", exact[1], single[1], note="before clamping", **about)


PIECES = {"text": text, "unet": denoiser, "vae": autoencoder, "picture": picture}


def main():
    parser = places.parser(__doc__)
    parser.add_argument("pieces", nargs="*", metavar="PIECE", help="some of: " + ", ".join(PIECES) + " (default: all)")
    args = parser.parse_args()
    unknown = set(args.pieces) - PIECES.keys()
    if unknown:
        parser.error(f"unknown piece {', '.join(unknown)}; there are {', '.join(PIECES)}")
    report = Report(places.destination(places.FULL_SIZE, args.out))
    for piece in args.pieces or PIECES:
        PIECES[piece](report)


if __name__ == "__main__":
    main()
