"""Where the committed files lie. A file that moves is changed here, and nowhere else."""

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

DIFFUSION = ROOT / "diffusion/src/test/resources/dev/gyre/diffusion"
GOLDEN = DIFFUSION / "golden.safetensors"
CIRCLE = DIFFUSION / "circle.png"
TINY_NETS = DIFFUSION / "tiny-nets.json"
FULL_SIZE = DIFFUSION / "fullsize.json"
BF16_ERRORS = DIFFUSION / "bf16-errors.json"
SD15_KEYS = DIFFUSION / "sd15-keys.tsv"
DIFFUSERS_KEYS = DIFFUSION / "diffusers-keys.tsv"
SAMPLERS = DIFFUSION / "samplers.safetensors"
V_PREDICTION = DIFFUSION / "v-prediction.safetensors"
UNET_LEVELS = DIFFUSION / "unet-levels.safetensors"
PROMPTS = DIFFUSION / "prompts.safetensors"
PICTURES = DIFFUSION / "pictures.safetensors"
LORA_KOHYA = DIFFUSION / "lora-kohya.safetensors"
LORA_PEFT = DIFFUSION / "lora-peft.safetensors"
INVERSION = DIFFUSION / "wobbly.safetensors"
INVERSION_DIFFUSERS = DIFFUSION / "wobbly-diffusers.safetensors"
IMAGES = DIFFUSION / "images"

EMBEDDED_MODEL = ROOT / "diffusion/src/main/resources/dev/gyre/diffusion/checkpoint/shapes.safetensors"

TOKENIZER = ROOT / "tokenizer/src/test/resources/dev/gyre/tokenizer"
HF_VECTORS = TOKENIZER / "hf-vectors.tsv"
WEBUI_PROMPTS = TOKENIZER / "webui-prompts.tsv"
MERGES = ROOT / "tokenizer/src/main/resources/dev/gyre/tokenizer/clip-merges.txt"

ENCODINGS = ROOT / "machine/src/test/resources/dev/gyre/machine/assembler/encodings.tsv.gz"

SERVER = ROOT / "server/src/test/resources/dev/gyre/server"
SERVER_CIRCLE = SERVER / "circle.png"
SERVER_MASK = SERVER / "mask.png"
CAPTURES = SERVER / "captures"
NODE_CLIENT = ROOT / "server/src/test/node"


def parser(description):
    """An argument parser with the option that every script has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--out", type=Path, metavar="FOLDER", help="write into FOLDER, not over the committed files")
    return made


def destination(committed, out):
    """Where to write: the file's committed place, or its name in the folder that --out gave."""
    if out is None:
        return committed
    out.mkdir(parents=True, exist_ok=True)
    return out / committed.name
