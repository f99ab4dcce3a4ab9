"""LoRA and textual inversion: small files as kohya's tools, diffusers and AUTOMATIC1111 write them, and what diffusers makes of them."""

from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

FOLDER = []
LAYERS = {  # layer of diffusers' UNet: kind
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q": "linear",
    "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k": "linear",
    "down_blocks.2.attentions.0.proj_in": "pixel",
    "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj": "linear",
    "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0": "linear",
    "up_blocks.3.attentions.1.transformer_blocks.0.ff.net.2": "linear",
}
LOCON = ["down_blocks.1.resnets.0.conv1", "down_blocks.0.downsamplers.0.conv", "up_blocks.2.upsamplers.0.conv",
         "up_blocks.3.resnets.2.conv_shortcut", "mid_block.resnets.1.time_emb_proj"]
TEXT = ["layers.0.self_attn.q_proj", "layers.2.mlp.fc1", "layers.1.self_attn.out_proj"]


def low_rank(key, layer, rank, spatial):
    from pictures import hashed

    weight = layer.weight
    down = (rank, *weight.shape[1:]) if spatial or weight.dim() == 4 else (rank, weight.shape[1])
    up = (weight.shape[0], rank, 1, 1) if weight.dim() == 4 else (weight.shape[0], rank)
    return hashed(key + ".down", down), 0.3 * hashed(key + ".up", up)


def module(net, path):
    return net.get_submodule(path)


def encoder(net):
    return getattr(net, "text_model", net).encoder


def write(folder):
    from pictures import text, unet

    FOLDER.append(Path(folder))
    kohya = {}
    for path in list(LAYERS) + LOCON:
        down, up = low_rank("kohya." + path, module(unet, path), 2, path in LOCON)
        name = "lora_unet_" + path.replace(".", "_")
        # One alpha for all: diffusers mixes up those of attention layers where they differ.
        kohya |= {name + ".lora_down.weight": down, name + ".lora_up.weight": up, name + ".alpha": torch.tensor(1.5)}
    for path in TEXT:
        down, up = low_rank("kohya.te." + path, module(encoder(text), path), 2, False)
        name = "lora_te_text_model_encoder_" + path.replace(".", "_")
        kohya |= {name + ".lora_down.weight": down, name + ".lora_up.weight": up, name + ".alpha": torch.tensor(4.0)}
    save_file({k: v.half().contiguous() for k, v in kohya.items()}, FOLDER[0] / "lora-kohya.safetensors",
              metadata={"ss_network_dim": "2"})
    state, te = {}, {}
    for path in LAYERS:
        down, up = low_rank("peft." + path, module(unet, path), 3, False)
        state |= {path + ".lora_A.weight": down.half(), path + ".lora_B.weight": up.half()}
    for path in TEXT:
        down, up = low_rank("peft.te." + path, module(encoder(text), path), 3, False)
        te |= {"text_model.encoder." + path + ".lora_A.weight": down.half(),
               "text_model.encoder." + path + ".lora_B.weight": up.half()}
    StableDiffusionPipeline.save_lora_weights(
        FOLDER[0], state, te, weight_name="lora-peft.safetensors", safe_serialization=True,
        unet_lora_adapter_metadata={"r": 3, "lora_alpha": 2, "target_modules": ["to_q"]},
        text_encoder_lora_adapter_metadata={"r": 3, "lora_alpha": 6, "target_modules": ["q_proj"]})
    from pictures import hashed

    vectors = hashed("embedding", (2, 64), 1.0).half()
    save_file({"emb_params": vectors}, FOLDER[0] / "wobbly.safetensors")
    save_file({"<wobbly>": vectors}, FOLDER[0] / "wobbly-diffusers.safetensors")


def adapters(dtype, done):
    from pictures import EULER, call, embedded, hashed, parts, text, tokenizer, unet

    x = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(11)).to(dtype)

    def see(name):
        ids = tokenizer(["", "a red circle on a blue background"], padding="max_length", max_length=77,
                        return_tensors="pt").input_ids
        states = text(ids).last_hidden_state
        done[f"lora.{name}.text"] = states
        done[f"lora.{name}.eps"] = unet(x, torch.tensor([981, 21]), states).sample

    def texts(name, strength, add):
        """The text encoder's part, W + s·α/r·up·down: diffusers looks for other module names than transformers 5 has."""
        file = load_file(FOLDER[0] / f"lora-{name}.safetensors")
        for path in TEXT:
            layer = module(encoder(text), path)
            if name == "kohya":
                key = "lora_te_text_model_encoder_" + path.replace(".", "_")
                down, up, alpha = (file[key + e] for e in (".lora_down.weight", ".lora_up.weight", ".alpha"))
            else:
                key = "text_encoder.text_model.encoder." + path
                down, up, alpha = file[key + ".lora_A.weight"], file[key + ".lora_B.weight"], 6.0
            delta = up.double() @ down.double() * (float(alpha) / down.shape[0])
            layer.weight.data = (layer.weight.double() + add * strength * delta).to(dtype)

    pipe = StableDiffusionPipeline(**parts(EULER()))
    for name in ("kohya", "peft"):
        state, alphas, metadata = pipe.lora_state_dict(
            FOLDER[0], weight_name=f"lora-{name}.safetensors", return_lora_metadata=True)
        state = {k: v for k, v in state.items() if k.startswith("unet.")}
        alphas = {k: v for k, v in (alphas or {}).items() if k.startswith("unet.")} or None
        pipe.load_lora_into_unet(state, alphas, pipe.unet, adapter_name=name, metadata=metadata)
    for case, use in (("kohya", {"kohya": 0.7}), ("peft", {"peft": 1.0}), ("both", {"kohya": -0.5, "peft": 1.25})):
        pipe.unet.set_adapters(list(use), list(use.values()))
        for name in use:
            texts(name, use[name], 1)
        see(case)
        for name in use:
            texts(name, use[name], -1)
    pipe.unload_lora_weights()
    text.load_state_dict(embedded.text_encoder().state_dict())

    before = text.get_input_embeddings().weight.shape[0]
    vectors = hashed("embedding", (2, 64), 1.0).half().to(dtype)
    table = text.get_input_embeddings().weight.data
    ids = tokenizer("a wug on a blue background").input_ids
    wug = tokenizer("wug").input_ids[1:-1]
    at = next(i for i in range(len(ids)) if ids[i:i + len(wug)] == wug)
    ids = ids[:at] + [before, before + 1] + ids[at + len(wug):]
    ids = torch.tensor([ids + [49407] * (77 - len(ids))])
    text.get_input_embeddings().weight.data = torch.cat([table, vectors])
    done["inversion.text"] = text(ids).last_hidden_state
    text.get_input_embeddings().weight.data = table
