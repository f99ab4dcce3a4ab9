"""Trains the text encoder and the UNet on latents of scenes, which a trained autoencoder makes: ε-prediction with
Stable Diffusion's noise schedule, a tenth of the captions empty, and saves moving averages of the weights.

The committed model took 10,800 steps of 32 on two cores, in runs that went on from each other.
"""

import argparse
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from references.common import ids, new_text_encoder, new_unet, tokenizer
from references.embedded.scenes import sample

SIDE, RATE = 128, 1e-3


def alphas():
    """ᾱ of the thousand timesteps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


class Pool:
    """Latents and captions' tokens of scenes, some of them renewed now and then."""

    def __init__(self, vae, size, device):
        self.vae, self.device, self.tokenizer = vae, device, tokenizer()
        self.generator = torch.Generator().manual_seed(5)
        self.empty = ids(self.tokenizer, "")[0]
        batches = [self.scenes(50) for _ in range(-(-size // 50))]
        self.latents, self.tokens = (torch.cat(parts) for parts in zip(*batches))
        self.scale = 1 / self.latents.std().item()

    def scenes(self, count):
        images, captions = zip(*(sample(self.generator, SIDE) for _ in range(count)))
        with torch.no_grad():
            latents = self.vae.encode(torch.stack(images).to(self.device)).latent_dist.mode().cpu().contiguous()
        return latents, ids(self.tokenizer, list(captions))

    def indices(self, count):
        return torch.randint(len(self.latents), (count,), generator=self.generator)

    def renew(self, count):
        new = self.scenes(count)
        at = self.indices(count)
        self.latents[at], self.tokens[at] = new

    def batch(self, count):
        """Latents of unit deviation, and tokens, one in ten of an empty caption."""
        at = self.indices(count)
        tokens = self.tokens[at].clone()
        tokens[torch.rand(count, generator=self.generator) < 0.1] = self.empty
        return (self.latents[at] * self.scale).to(self.device), tokens.to(self.device)


def weights_of(snr):
    """Min-SNR 5 where little noise is left. Where there is much, an error is blown up by 1/√snr in the picture, and
    that is where colours are decided.
    """
    return torch.where(snr > 1, snr.clamp(max=5.0) / snr, snr.rsqrt())


def timesteps(count, device):
    """Composition and colour are decided early: half of the steps come from the noisy 60 %."""
    t = torch.randint(1000, (count,), device=device)
    return torch.where(torch.rand(count, device=device) < 0.5, 400 + t * 3 // 5, t)


class Averages:
    """Moving averages of floating-point state."""

    def __init__(self, state):
        self.state = {k: v.detach().clone() for k, v in state.items()}
        self.pairs = [(self.state[k], v) for k, v in state.items() if v.is_floating_point()]

    @torch.no_grad()
    def update(self, step):
        averages, values = zip(*self.pairs)
        torch._foreach_lerp_(list(averages), list(values), 1 - min(0.999, (1 + step) / (10 + step)))

    def save(self, path, **metadata):
        save_file(
            {k: v.cpu().contiguous() for k, v in self.state.items()},
            path,
            metadata={k: str(v) for k, v in metadata.items()},
        )


def state_of(unet, text):
    return {"unet." + k: v for k, v in unet.state_dict().items()} | {
        "text." + k: v for k, v in text.state_dict().items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("autoencoder", type=Path, metavar="FOLDER", help="as autoencoder.py saved it")
    parser.add_argument("out", type=Path, metavar="OUT.safetensors")
    parser.add_argument("--steps", type=int, default=10800)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--pool", type=int, default=6000, help="scenes that are kept encoded")
    parser.add_argument("--start", type=Path, metavar="FILE", help="go on from these weights")
    args = parser.parse_args()
    torch.set_grad_enabled(True)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vae = AutoencoderKL.from_pretrained(args.autoencoder).eval().to(device)
    unet, text = new_unet((32, 64, 96, 96), context=64, heads=4, groups=8), new_text_encoder(64, 3, 2)
    if args.start:
        for name, net in (("unet.", unet), ("text.", text)):
            net.load_state_dict(
                {k.removeprefix(name): v for k, v in load_file(args.start).items() if k.startswith(name)}
            )
    unet.to(device)
    text.to(device)
    averages = Averages(state_of(unet, text))
    predict = torch.compile(unet) if device == "cpu" else unet
    parameters = [*unet.parameters(), *text.parameters()]
    pool, alpha = Pool(vae, args.pool, device), alphas().to(device)
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3)
    start, average = time.time(), None
    for step in range(args.steps):
        warm, decay = min(1, (step + 1) / 200), min(1, max(0.02, (1 - step / args.steps) / 0.4))
        for group in optimizer.param_groups:
            group["lr"] = RATE * warm * decay
        if step % 8 == 0:
            pool.renew(16)
        z, tokens = pool.batch(args.batch)
        t = timesteps(args.batch, device)
        noise, a = torch.randn_like(z), alpha[t][:, None, None, None]
        x = a.sqrt() * z + (1 - a).sqrt() * noise
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            epsilon = predict(x, t, text(tokens).last_hidden_state).sample
        errors = ((epsilon.float() - noise) ** 2).mean((1, 2, 3))
        optimizer.zero_grad(set_to_none=True)
        (errors * weights_of(a / (1 - a))[:, 0, 0, 0]).mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        averages.update(step)
        error = errors.mean().item()
        average = error if average is None else 0.99 * average + 0.01 * error
        if step % 200 == 0:
            print(f"{step}: squared error {average:.4f}, {(time.time() - start) / (step + 1):.2f} s a step", flush=True)
        if step % 1000 == 999 or step == args.steps - 1:
            averages.save(args.out, scale=pool.scale, steps=step + 1)


if __name__ == "__main__":
    main()
