"""Writes tiny-nets.json: outputs of the original code's networks whose parameters and inputs are sines: small ones in
float64, with float32's error, and the full-size UNet on a latent of 8×8 in float32.
"""

import json
import zlib

import numpy as np
import torch
from ldm.modules.diffusionmodules import openaimodel
from ldm.modules.diffusionmodules.util import timestep_embedding
from transformers import CLIPTextConfig, CLIPTextModel

from references import original, places
from references.common import END, LENGTH, START, TEXT, UNET, VAE, fill, in_both, text_key

TINY_UNET = original.UNET | dict(model_channels=32, num_heads=4, context_dim=24)
TINY_AUTOENCODER = original.AUTOENCODER | dict(ch=32)
TINY_TEXT = dict(
    vocab_size=49408,
    hidden_size=64,
    intermediate_size=256,
    num_hidden_layers=3,
    num_attention_heads=4,
    max_position_embeddings=LENGTH,
    hidden_act="quick_gelu",
)
ASTRONAUT = [START, 320, 8853, 539, 550, 18376, 6765, 320, 4558, END]


def sines(key, shape):
    """sin(0.1 i + c), c by the key; matrices over the root of what they sum, norms' weights about 1, biases about 0."""
    n = int(np.prod(shape))
    s = np.sin(0.1 * np.arange(n) + zlib.crc32(key.encode()) % 1000 / 100)
    if len(shape) > 1:
        s = s / np.sqrt(n // shape[0])
    else:
        s = 1 + 0.1 * s if key.endswith(".weight") else 0.1 * s
    return torch.from_numpy(s.astype(np.float32).reshape(shape))


def series(f, step, *shape):
    return torch.from_numpy(f(step * np.arange(int(np.prod(shape)))).astype(np.float32).reshape(shape))


def report(name, config, net, run):
    """run(dtype) in both types."""

    def compute(dtype):
        net.to(dtype)
        return run(dtype)

    exact, single = in_both(compute)
    values = exact.flatten()
    return {
        "name": name,
        "config": config,
        "shape": list(exact.shape),
        "f64_first16": values[:16].tolist(),
        "f64_last4": values[-4:].tolist(),
        "f64_sum": values.sum().item(),
        "f64_sumsq": (values * values).sum().item(),
        "max_abs_f32_minus_f64": (single.double() - exact).abs().max().item(),
        "max_abs": values.abs().max().item(),
    }


def predict(net, dtype, x, t, context):
    """The UNet's output; the original embeds timesteps in float32 whatever its weights are, and has a type for its
    input.
    """
    net.dtype = dtype
    openaimodel.timestep_embedding = lambda *args, **kw: timestep_embedding(*args, **kw).to(dtype)
    return net(x.to(dtype), torch.tensor(t), context.to(dtype))


def unet():
    net = fill(original.unet(**TINY_UNET), lambda key, shape: sines(UNET + key, shape))
    x, context, t = series(np.sin, 0.05, 2, 4, 16, 16), series(np.cos, 0.03, 2, 7, 24), [981, 1]
    config = {**TINY_UNET, "x": "sin(0.05*i) [2,4,16,16]", "t": t, "context": "cos(0.03*i) [2,7,24]", "prefix": UNET}
    return report("unet_tiny_b2_16x16", config, net, lambda dtype: predict(net, dtype, x, t, context))


def embedding():
    t = [0, 1, 500, 981]
    e = timestep_embedding(torch.tensor(t), 320)
    return {
        "name": "timestep_embedding_320",
        "t": t,
        "first4": e[:, :4].tolist(),
        "at160": e[:, 160:164].tolist(),
        "last2": e[:, -2:].tolist(),
    }


def decoder():
    prefix = VAE + "decoder."
    net = fill(original.decoder(**TINY_AUTOENCODER), lambda key, shape: sines(prefix + key, shape))
    z = series(np.sin, 0.05, 1, 4, 8, 8)
    config = {**TINY_AUTOENCODER, "z": "sin(0.05*i) [1,4,8,8]", "prefix": prefix}
    return report("vae_decoder_tiny_8x8", config, net, lambda dtype: net(z.to(dtype)))


def encoder():
    prefix = VAE + "encoder."
    net = fill(original.encoder(**TINY_AUTOENCODER), lambda key, shape: sines(prefix + key, shape))
    x = series(np.sin, 0.01, 1, 3, 64, 64)
    config = {**TINY_AUTOENCODER, "x": "sin(0.01*i) [1,3,64,64]", "prefix": prefix}
    return report("vae_encoder_tiny_64x64", config, net, lambda dtype: net(x.to(dtype)))


def text_encoder():
    # Plain attention takes its softmax in float32, so float64 ends at 3e-8 here.
    net = CLIPTextModel(CLIPTextConfig(**TINY_TEXT, attn_implementation="eager"))
    fill(net, lambda key, shape: sines(text_key(key), shape))
    ids = torch.tensor([ASTRONAUT + [END] * (LENGTH - len(ASTRONAUT))])
    config = {**TINY_TEXT, "ids": ASTRONAUT, "prefix": TEXT, "eps": 1e-5}
    return report("clip_tiny_77", config, net, lambda dtype: net(ids).last_hidden_state)


def full_unet():
    net = fill(original.unet(), lambda key, shape: sines(UNET + key, shape))
    y = (
        predict(net, torch.float32, series(np.sin, 0.05, 1, 4, 8, 8), [981], series(np.cos, 0.03, 1, 77, 768))
        .double()
        .flatten()
    )
    return {
        "name": "unet_full_synthetic_8x8",
        "x": "sin(0.05*i) [1,4,8,8]",
        "t": 981,
        "context": "cos(0.03*i) [1,77,768]",
        "f32_first8": y[:8].tolist(),
        "f32_sum": y.sum().item(),
        "max_abs": y.abs().max().item(),
    }


def main():
    args = places.parser(__doc__).parse_args()
    entries = [make() for make in (unet, embedding, decoder, encoder, text_encoder, full_unet)]
    places.destination(places.TINY_NETS, args.out).write_text(json.dumps(entries, indent=1))


if __name__ == "__main__":
    main()
