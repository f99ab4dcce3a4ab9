"""PyTorch and diffusers as a peer to measure against: answers a line of standard input with the seconds that one run took.

    linear ROWS IN OUT fp32|fp16|bf16       y = x · Wᵀ + b
    conv BATCH IN SIDE OUT KERNEL STRIDE fp32|bf16
    attention HEADS QUERIES KEYS DEPTH fp32|bf16
    step HEIGHT WIDTH fp32|fp16|bf16            diffusers' UNet of Stable Diffusion v1.5, batch 2 (guidance)
    decode HEIGHT WIDTH fp32|bf16           diffusers' decoder, batch 1; sizes are the latents'

What is asked for first is built, warmed up, and where there is a choice of memory layouts (NCHW or channels-last) the faster one
is kept. Attention is PyTorch's fused one. Weights are random: time does not depend on them. Needs torch; step and decode also
diffusers. Started as: python peer.py THREADS [DEVICE], DEVICE being cpu or cuda.
"""

import platform
import sys
import time

import torch
import torch.nn.functional as F

UNET = dict(
    sample_size=64, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=(320, 640, 1280, 1280),
    down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, cross_attention_dim=768, attention_head_dim=8)
VAE = dict(
    in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=(128, 256, 512, 512),
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, sample_size=512)


def timed(run):
    start = time.perf_counter()
    run()
    if torch.get_default_device().type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def layouts(build):
    """The faster of build(contiguous) and build(channels-last), both warmed up."""
    best = None
    for layout in (torch.contiguous_format, torch.channels_last):
        run = build(layout)
        run()
        seconds = min(timed(run) for _ in range(2))
        if best is None or seconds < best[0]:
            best = (seconds, run)
    return best[1]


def linear(rows, inputs, outputs, dtype):
    layer = torch.nn.Linear(inputs, outputs).to(dtype)
    x = torch.randn(rows, inputs, dtype=dtype)
    return lambda: layer(x)


def conv(batch, inputs, side, outputs, kernel, stride, dtype):
    def build(layout):
        layer = torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2).to(dtype).to(memory_format=layout)
        x = torch.randn(batch, inputs, side, side, dtype=dtype).to(memory_format=layout)
        return lambda: layer(x)

    return layouts(build)


def attention(heads, queries, keys, depth, dtype):
    q = torch.randn(1, heads, queries, depth, dtype=dtype)
    k, v = (torch.randn(1, heads, keys, depth, dtype=dtype) for _ in range(2))
    return lambda: F.scaled_dot_product_attention(q, k, v)


def step(height, width, dtype):
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    def build(layout):
        net = UNet2DConditionModel(**UNET).eval().to(dtype).to(memory_format=layout)
        x = torch.randn(2, 4, height, width, dtype=dtype).to(memory_format=layout)
        text = torch.randn(2, 77, 768, dtype=dtype)
        t = torch.tensor([500, 500])
        return lambda: net(x, t, text)

    return layouts(build)


def decode(height, width, dtype):
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    def build(layout):
        net = AutoencoderKL(**VAE).eval().to(dtype).to(memory_format=layout)
        z = torch.randn(1, 4, height, width, dtype=dtype).to(memory_format=layout)
        return lambda: net.decode(z)

    return layouts(build)


KINDS = dict(linear=linear, conv=conv, attention=attention, step=step, decode=decode)
TYPES = dict(fp32=torch.float32, fp16=torch.float16, bf16=torch.bfloat16)


def diffusers():
    try:
        from diffusers import __version__  # also where it lies on the path without being installed

        return __version__
    except ImportError:
        return "missing"


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_default_device(sys.argv[2] if len(sys.argv) > 2 else "cpu")
    torch.set_grad_enabled(False)
    torch.manual_seed(1)
    print("ready PyTorch %s (Python %s, diffusers %s)" % (torch.__version__, platform.python_version(), diffusers()), flush=True)
    ready = {}
    for line in sys.stdin:
        line = line.strip()
        try:
            if line not in ready:
                kind, *sizes, dtype = line.split()
                if kind not in ("step", "decode") or len(ready) > 4:
                    ready.clear()
                run = KINDS[kind](*map(int, sizes), TYPES[dtype])
                run()
                ready[line] = run
            print("seconds %.9f" % timed(ready[line]), flush=True)
        except Exception as problem:  # said to whoever asked, who goes on with the next
            print("error " + " ".join(str(problem).split()), flush=True)


main()
