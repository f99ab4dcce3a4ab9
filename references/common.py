"""What the reference scripts share: networks as diffusers' and transformers' modules, weights by formula, CLIP's
tokenizer, and files of float64 outputs with float32's error beside each.
"""

import functools
import json
import math
import tempfile
import zlib
from pathlib import Path

import diffusers.models.embeddings as embeddings
import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizerFast

from references import places

torch.set_grad_enabled(False)

UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer.text_model."
LATENT_SCALE = 0.18215
START, END, LENGTH = 49406, 49407, 77

# Stable Diffusion's noise schedule, and that with its published scheduler's offset.
BETAS = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
OFFSET = dict(steps_offset=1, **BETAS)


# Networks.


def new_unet(widths=(320, 640, 1280, 1280), context=768, heads=8, groups=32):
    """A UNet of Stable Diffusion v1's layout; at full size by default."""
    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=widths,
        cross_attention_dim=context,
        attention_head_dim=heads,
        norm_num_groups=groups,
    )


def new_vae(widths=(128, 256, 512, 512), groups=32):
    return AutoencoderKL(
        block_out_channels=widths,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=2,
        norm_num_groups=groups,
    )


def new_text_encoder(width=768, layers=12, heads=12):
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=LENGTH,
            hidden_act="quick_gelu",
            bos_token_id=START,
            eos_token_id=END,
            pad_token_id=END,
        )
    )


def text_key(key):
    """The original's key of a parameter of transformers' text encoder, which has lost a prefix over the years."""
    return TEXT + key.removeprefix("text_model.")


@functools.cache
def original_keys():
    """{part: {diffusers' key: the original's key}} of the parts unet, vae and controlnet, as diffusers_keys.py found
    them.
    """
    keys = {}
    for line in places.DIFFUSERS_KEYS.read_text().splitlines():
        part, theirs, original = line.split("\t")
        keys.setdefault(part, {})[theirs] = original
    return keys


class Embedded:
    """The embedded model's networks, widened from the float16 in which they are stored."""

    def __init__(self):
        weights = {k: v.float() for k, v in load_file(places.EMBEDDED_MODEL).items()}
        with safe_open(places.EMBEDDED_MODEL, "pt") as file:
            about = file.metadata()
        groups = int(about["norm_groups"])

        first = [weights[f"{UNET}input_blocks.{i}.0.out_layers.3.weight"] for i in (1, 4, 7, 10)]
        context = weights[f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        self.unet = new_unet([w.shape[0] for w in first], context, int(about["unet_heads"]), groups).eval()
        self.unet.load_state_dict(convert_ldm_unet_checkpoint(dict(weights), self.unet.config))

        first = [weights[f"{VAE}encoder.down.{i}.block.0.conv1.weight"] for i in range(4)]
        self.vae = new_vae([w.shape[0] for w in first], groups).eval()
        self.vae.load_state_dict(convert_ldm_vae_checkpoint(dict(weights), self.vae.config))

        layers = 1 + max(
            int(k.removeprefix(TEXT).split(".")[2]) for k in weights if k.startswith(TEXT + "encoder.layers.")
        )
        width = weights[TEXT + "final_layer_norm.weight"].shape[0]
        self.text = new_text_encoder(width, layers, int(about["text_heads"])).eval()
        own = self.text.state_dict()
        self.text.load_state_dict({k: own[k] if "position_ids" in k else weights[text_key(k)] for k in own})

        self.tokenizer = tokenizer()

    def states(self, *prompts):
        """The text encoder's last hidden states, prompt after prompt."""
        return torch.cat([self.text(ids(self.tokenizer, prompt)).last_hidden_state for prompt in prompts])


# The tokenizer.


def vocabulary(merges):
    """CLIP's tokens in their order, which follows from its merges: bytes, bytes that end a word, merges, two special
    ones.
    """
    order = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    chars = [chr(b) for b in order] + [chr(256 + i) for i in range(256 - len(order))]
    pairs = ["".join(line.split()) for line in merges.split("\n")[1:] if line]
    return chars + [c + "</w>" for c in chars] + pairs + ["<|startoftext|>", "<|endoftext|>"]


def tokenizer():
    """Hugging Face's CLIP tokenizer of the committed merges."""
    merges = places.MERGES.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens = {token: i for i, token in enumerate(vocabulary(merges))}
        (folder / "vocab.json").write_text(json.dumps(tokens), encoding="utf-8")
        (folder / "merges.txt").write_text(merges, encoding="utf-8")
        return CLIPTokenizerFast.from_pretrained(folder)


def ids(tokenizer, texts):
    """Token ids [n, 77], padded with the end token."""
    texts = [texts] if isinstance(texts, str) else texts
    return tokenizer(texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt").input_ids


# Weights by formula.


def hashed(key, shape, scale=None):
    """The numbers of `gyre synth`: splitmix64 of the key's CRC and the index, uniform in [-1, 1).

    With a scale, u·scale. Without, a parameter: matrices have variance 1 over what they sum, a norm's weight is 1 + 0.1
    u, a bias 0.1 u.
    """
    n = math.prod(shape)
    z = np.uint64(zlib.crc32(key.encode()) << 32) + np.arange(n, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1
    if scale is not None:
        u = u * scale
    elif len(shape) > 1:
        u = u * np.sqrt(3 / (n / shape[0]))
    else:
        u = (1 if key.endswith(".weight") else 0) + 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def fill(net, value):
    """Gives each parameter value(diffusers' key, shape)."""
    state = {k: value(k, tuple(v.shape)) for k, v in net.state_dict().items() if "position_ids" not in k}
    net.load_state_dict(state, strict=False, assign=True)
    return net.eval()


# Precision.

_float32_embedding = embeddings.get_timestep_embedding


def _exact_embedding(timesteps, width, **_):
    half = width // 2
    angles = timesteps[:, None].double() * torch.exp(-math.log(1e4) * torch.arange(half).double() / half)
    return torch.cat([angles.cos(), angles.sin()], -1)


def compute_in(dtype, *nets):
    """Turns the networks to a type. diffusers embeds timesteps in float32 whatever it is; float64 wants them exact."""
    for net in nets:
        net.to(dtype)
    embeddings.get_timestep_embedding = _exact_embedding if dtype == torch.float64 else _float32_embedding


def in_both(run):
    """run(dtype) in float64 and in float32."""
    return run(torch.float64), run(torch.float32)


def save(path, exact, single, given=(), **metadata):
    """Writes float64's results as float32, and the largest error of float32's into the metadata; `given` names inputs,
    which have none.
    """
    error = {k: float("%.2e" % (single[k].double() - exact[k].double()).abs().max()) for k in exact if k not in given}
    metadata = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
    save_file(
        {k: v.float().contiguous() for k, v in exact.items()},
        path,
        metadata={"float32_error": json.dumps(error), **metadata},
    )
    for name, largest in error.items():
        print("%-40s float32's error %8.1e" % (name, largest))


def rms(difference):
    return difference.double().pow(2).mean().sqrt().item()
