"""LoRA and textual inversion: small files as kohya's tools, diffusers and AUTOMATIC1111 write them, and what diffusers
makes of them. pictures.py runs it.
"""

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from references import places
from references.common import END, LENGTH, Embedded, hashed, ids
from references.pipelines import euler, model, pipeline

UNET_LAYERS = [
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k",
    "down_blocks.2.attentions.0.proj_in",
    "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
    "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.3.attentions.1.transformer_blocks.0.ff.net.2",
]
LOCON_LAYERS = [
    "down_blocks.1.resnets.0.conv1",
    "down_blocks.0.downsamplers.0.conv",
    "up_blocks.2.upsamplers.0.conv",
    "up_blocks.3.resnets.2.conv_shortcut",
    "mid_block.resnets.1.time_emb_proj",
]
TEXT_LAYERS = ["layers.0.self_attn.q_proj", "layers.2.mlp.fc1", "layers.1.self_attn.out_proj"]


def unet_layer(path):
    return model.unet.get_submodule(path)


def text_layer(path):
    return getattr(model.text, "text_model", model.text).encoder.get_submodule(path)


def low_rank(key, layer, rank, spatial=False):
    """(down, up) for a layer; a spatial convolution's down is one of its own size."""
    shape = layer.weight.shape
    convolution = len(shape) == 4
    down = (rank, *shape[1:]) if spatial or convolution else (rank, shape[1])
    up = (shape[0], rank, 1, 1) if convolution else (shape[0], rank)
    return hashed(key + ".down", down), 0.3 * hashed(key + ".up", up)


def kohya():
    """The layout of kohya's training tools, with LoCon's convolutions."""
    state = {}

    def put(name, down, up, alpha):
        state.update(
            {name + ".lora_down.weight": down, name + ".lora_up.weight": up, name + ".alpha": torch.tensor(alpha)}
        )

    for path in UNET_LAYERS + LOCON_LAYERS:
        # One alpha for all: diffusers mixes up those of attention layers where they differ.
        put(
            "lora_unet_" + path.replace(".", "_"),
            *low_rank("kohya." + path, unet_layer(path), 2, path in LOCON_LAYERS),
            1.5,
        )
    for path in TEXT_LAYERS:
        put(
            "lora_te_text_model_encoder_" + path.replace(".", "_"),
            *low_rank("kohya.te." + path, text_layer(path), 2),
            4.0,
        )
    return {k: v.half().contiguous() for k, v in state.items()}


def peft(layers, prefix, key, find):
    """The layout of PEFT, without the prefix of the network that diffusers adds."""
    state = {}
    for path in layers:
        down, up = low_rank(key + path, find(path), 3)
        state |= {prefix + path + ".lora_A.weight": down.half(), prefix + path + ".lora_B.weight": up.half()}
    return state


def write(out):
    """Writes the files; {name: path}."""
    files = {"kohya": places.destination(places.LORA_KOHYA, out), "peft": places.destination(places.LORA_PEFT, out)}
    save_file(kohya(), files["kohya"], metadata={"ss_network_dim": "2"})
    StableDiffusionPipeline.save_lora_weights(
        files["peft"].parent,
        peft(UNET_LAYERS, "", "peft.", unet_layer),
        peft(TEXT_LAYERS, "text_model.encoder.", "peft.te.", text_layer),
        weight_name=files["peft"].name,
        safe_serialization=True,
        unet_lora_adapter_metadata={"r": 3, "lora_alpha": 2, "target_modules": ["to_q"]},
        text_encoder_lora_adapter_metadata={"r": 3, "lora_alpha": 6, "target_modules": ["q_proj"]},
    )
    vectors = embedding()
    save_file({"emb_params": vectors}, places.destination(places.INVERSION, out))
    save_file({"<wobbly>": vectors}, places.destination(places.INVERSION_DIFFUSERS, out))
    return files


def embedding():
    """Two learned vectors."""
    return hashed("embedding", (2, 64), 1.0).half()


def add_to_text(name, file, strength, dtype):
    """W + s·α/r·up·down in the text encoder, by hand: transformers 5 has not the names that diffusers looks for."""
    for path in TEXT_LAYERS:
        if name == "kohya":
            key = "lora_te_text_model_encoder_" + path.replace(".", "_")
            down, up, alpha = (file[key + end] for end in (".lora_down.weight", ".lora_up.weight", ".alpha"))
        else:
            key = "text_encoder.text_model.encoder." + path
            down, up, alpha = file[key + ".lora_A.weight"], file[key + ".lora_B.weight"], 6.0
        delta = up.double() @ down.double() * (float(alpha) / down.shape[0])
        layer = text_layer(path)
        layer.weight.data = (layer.weight.double() + strength * delta).to(dtype)


def loras(files, dtype, done):
    x = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(11)).to(dtype)
    tokens = ids(model.tokenizer, ["", "a red circle on a blue background"])
    tensors = {name: load_file(path) for name, path in files.items()}
    pipe = pipeline(StableDiffusionPipeline, euler())
    for name, path in files.items():
        state, alphas, metadata = pipe.lora_state_dict(path.parent, weight_name=path.name, return_lora_metadata=True)
        state = {k: v for k, v in state.items() if k.startswith("unet.")}
        alphas = {k: v for k, v in (alphas or {}).items() if k.startswith("unet.")} or None
        pipe.load_lora_into_unet(state, alphas, pipe.unet, adapter_name=name, metadata=metadata)
    for case, use in (("kohya", {"kohya": 0.7}), ("peft", {"peft": 1.0}), ("both", {"kohya": -0.5, "peft": 1.25})):
        pipe.unet.set_adapters(list(use), list(use.values()))
        for name, strength in use.items():
            add_to_text(name, tensors[name], strength, dtype)
        states = model.text(tokens).last_hidden_state
        done[f"lora.{case}.text"] = states
        done[f"lora.{case}.eps"] = model.unet(x, torch.tensor([981, 21]), states).sample
        for name, strength in use.items():
            add_to_text(name, tensors[name], -strength, dtype)
    pipe.unload_lora_weights()
    model.text.load_state_dict(Embedded().text.state_dict())


def inversion(dtype, done):
    """The text states of "a wug on a blue background", the two vectors in place of "wug"."""
    layer = model.text.get_input_embeddings()
    table = layer.weight.data
    first = table.shape[0]
    tokens, wug = model.tokenizer("a wug on a blue background").input_ids, model.tokenizer("wug").input_ids[1:-1]
    at = next(i for i in range(len(tokens)) if tokens[i : i + len(wug)] == wug)
    tokens = tokens[:at] + [first, first + 1] + tokens[at + len(wug) :]
    layer.weight.data = torch.cat([table, embedding().to(dtype)])
    done["inversion.text"] = model.text(torch.tensor([tokens + [END] * (LENGTH - len(tokens))])).last_hidden_state
    layer.weight.data = table


def results(files, dtype, done):
    loras(files, dtype, done)
    inversion(dtype, done)
