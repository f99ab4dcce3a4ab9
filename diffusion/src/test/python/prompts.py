"""Writes prompts.safetensors: text states of the embedded model's encoder in float64, with float32's error, for chunks of tokens with
weights (made by Gyre's or any other reading of the prompt, so only the arithmetic is at stake here): rows times weights, then the chunk
scaled back to its mean; and for the layers before the last.

usage: PYTHONPATH=diffusers/src prompts.py OUT.safetensors
"""

import json, sys

import torch
from safetensors.torch import save_file

import embedded

net, tokenizer = embedded.text_encoder(), embedded.tokenizer()

# name: clip skip, then chunks of (text, weight)
CASES = {
    "a (red:1.3) circle": (1, [[("a ", 1.0), ("red", 1.3), (" circle", 1.0)]]),
    "((star)) on [black]": (1, [[("star", 1.1 * 1.1), (" on ", 1.0), ("black", 1 / 1.1)]]),
    "a red circle BREAK a (blue) background": (1, [[("a red circle", 1.0)], [("a ", 1.0), ("blue", 1.1), (" background", 1.0)]]),
    "a red circle on a blue background|2": (2, [[("a red circle on a blue background", 1.0)]]),
    "a (red:0.5) circle|3": (3, [[("a ", 1.0), ("red", 0.5), (" circle", 1.0)]]),
}


def states(skip, chunks, dtype):
    rows = []
    for parts in chunks:
        ids, weights = [49406], [1.0]
        for text, weight in parts:
            tokens = tokenizer(text, add_special_tokens=False).input_ids
            ids += tokens
            weights += [weight] * len(tokens)
        ids += [49407] * (77 - len(ids))
        weights += [1.0] * (77 - len(weights))
        out = net(torch.tensor([ids]), output_hidden_states=True)
        z = out.last_hidden_state if skip == 1 else net.final_layer_norm(out.hidden_states[-skip])
        weighed = z * torch.tensor(weights, dtype=dtype)[None, :, None]
        rows.append(weighed * (z.mean() / weighed.mean()))
    return torch.cat(rows, 1)


results = {}
for dtype in (torch.float64, torch.float32):
    net.to(dtype)
    results[dtype] = {name: states(*case, dtype) for name, case in CASES.items()}
exact, single = results[torch.float64], results[torch.float32]
error = {k: float("%.2e" % (single[k].double() - exact[k]).abs().max()) for k in exact}
print(error)
save_file({k: v.float().contiguous() for k, v in exact.items()}, sys.argv[1], metadata={"float32_error": json.dumps(error)})
