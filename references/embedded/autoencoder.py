"""Trains the autoencoder on scenes of 128×128 pixels and saves it as diffusers does.

The committed model's: 64-pixel crops in batches of 16 at a rate of 0.002, then some more from there. The weight of the
KL term and a log-variance that begins at −5 keep two of the four channels from collapsing.
"""

import argparse
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from references.common import new_vae
from references.embedded.scenes import sample

SIDE, POOL = 128, 3000
WIDTHS, GROUPS = (24, 48, 64, 64), 8


class Crops:
    """Crops of a pool of scenes, of which each batch renews as many as it takes."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.pool = [self.scene() for _ in range(POOL)]

    def scene(self):
        return sample(self.generator, SIDE)[0]

    def random(self, end, *shape):
        return torch.randint(end, shape, generator=self.generator).tolist()

    def batch(self, count, crop):
        for _ in range(count):
            self.pool[self.random(POOL, 1)[0]] = self.scene()
        crops = []
        for i in self.random(POOL, count):
            top, left = self.random(SIDE - crop + 1, 2)
            crops.append(self.pool[i][:, top : top + crop, left : left + crop])
        return torch.stack(crops)


def loss_of(vae, x):
    """Absolute and squared errors, those of the slopes, and a little KL."""
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        posterior = vae.encode(x).latent_dist
        z = posterior.sample()
        y = vae.decode(z).sample
    error = y.float() - x
    slopes = (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    kl = posterior.kl().float().mean() / z[0].numel()
    loss = error.abs().mean() + (error * error).mean() + 0.5 * slopes + 1e-4 * kl
    return loss, error.detach().square().mean().item(), kl.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--start", type=Path, metavar="FOLDER", help="go on from this autoencoder")
    args = parser.parse_args()
    torch.set_grad_enabled(True)
    torch.manual_seed(0)
    if args.start:
        vae = AutoencoderKL.from_pretrained(args.start)
    else:
        vae = new_vae(WIDTHS, GROUPS)
        with torch.no_grad():
            vae.quant_conv.bias[4:] = -5.0
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vae = vae.to(device, memory_format=torch.channels_last).train()
    crops = Crops(seed=9 if args.start else 2)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=1e-4, eps=1e-7)
    start, average = time.time(), None
    for step in range(args.steps):
        warm, decay = min(1, (step + 1) / 60), min(1, (args.steps - step) / (args.steps * 0.5))
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * decay
        x = crops.batch(args.batch, args.crop).to(device, memory_format=torch.channels_last)
        loss, squared, kl = loss_of(vae, x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        average = squared if average is None else 0.97 * average + 0.03 * squared
        if step % 100 == 0:
            print(
                f"{step}: squared error {average:.5f}, KL {kl:.3f}, {(time.time() - start) / (step + 1):.2f} s a step",
                flush=True,
            )
        if step % 500 == 499 or step == args.steps - 1:
            vae.save_pretrained(args.out)


if __name__ == "__main__":
    main()
