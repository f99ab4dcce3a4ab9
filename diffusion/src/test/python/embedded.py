"""The embedded model as diffusers' and transformers' modules, for reference outputs. Needs torch, diffusers (made with 0.40.0.dev),
transformers, safetensors."""

import json, math, tempfile
from pathlib import Path

import torch
import diffusers.models.embeddings as embeddings
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizerFast

torch.set_grad_enabled(False)
ROOT = Path(__file__).resolve().parents[4]
FILE = ROOT / "diffusion/src/main/resources/dev/gyre/diffusion/checkpoint/shapes.safetensors"
MERGES = ROOT / "tokenizer/src/main/resources/dev/gyre/tokenizer/clip-merges.txt"

weights = {k: v.float() for k, v in load_file(FILE).items()}
with safe_open(FILE, "pt") as f:
    about = f.metadata()


def unet():
    width = [weights[f"model.diffusion_model.input_blocks.{i}.0.out_layers.3.weight"].shape[0] for i in (1, 4, 7, 10)]
    context = weights["model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    net = UNet2DConditionModel(
        block_out_channels=width, cross_attention_dim=context, attention_head_dim=int(about["unet_heads"]),
        norm_num_groups=int(about["norm_groups"]))
    net.load_state_dict(convert_ldm_unet_checkpoint(dict(weights), net.config))
    return net.eval()


def vae():
    width = [weights[f"first_stage_model.encoder.down.{i}.block.0.conv1.weight"].shape[0] for i in range(4)]
    net = AutoencoderKL(
        block_out_channels=width, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=2, norm_num_groups=int(about["norm_groups"]))
    net.load_state_dict(convert_ldm_vae_checkpoint(dict(weights), net.config))
    return net.eval()


def text_encoder():
    prefix = "cond_stage_model.transformer.text_model."
    state = {k[len(prefix):]: v for k, v in weights.items() if k.startswith(prefix) and "position_ids" not in k}
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("encoder.layers."))
    net = CLIPTextModel(CLIPTextConfig(
        vocab_size=49408, hidden_size=state["final_layer_norm.weight"].shape[0],
        intermediate_size=state["encoder.layers.0.mlp.fc1.weight"].shape[0], num_hidden_layers=layers,
        num_attention_heads=int(about["text_heads"]), hidden_act="quick_gelu", bos_token_id=49406, eos_token_id=49407))
    own = net.state_dict()
    net.load_state_dict({k: own[k] if "position_ids" in k else state[k.removeprefix("text_model.")] for k in own})
    return net.eval()


def tokenizer():
    lines = MERGES.read_text(encoding="utf-8")
    pairs = [tuple(l.split()) for l in lines.split("\n")[1:] if l]
    order = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    chars = [chr(b) for b in order] + [chr(256 + i) for i in range(256 - len(order))]
    symbols = chars + [c + "</w>" for c in chars] + ["".join(p) for p in pairs] + ["<|startoftext|>", "<|endoftext|>"]
    folder = Path(tempfile.mkdtemp())
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(symbols)}), encoding="utf-8")
    (folder / "merges.txt").write_text(lines, encoding="utf-8")
    return CLIPTokenizerFast.from_pretrained(folder)


_float32_time = embeddings.get_timestep_embedding


def _exact_time(t, n, **_):
    x = t[:, None].double() * torch.exp(-math.log(1e4) * torch.arange(n // 2).double() / (n // 2))
    return torch.cat([x.cos(), x.sin()], -1)


def exact_time(on):
    """diffusers embeds timesteps in float32 whatever the model's type; references in float64 want them exact."""
    embeddings.get_timestep_embedding = _exact_time if on else _float32_time
