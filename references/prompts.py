"""Writes prompts.safetensors: text states of the embedded model for chunks of tokens with weights, and for the layers
before the last, in float64 with float32's error. The chunks stand here already parsed, so only the arithmetic is at
stake: rows times weights, then the chunk scaled back to its mean.
"""

import torch

from references import places
from references.common import END, LENGTH, START, Embedded, compute_in, in_both, save

# name: clip skip, then chunks of (text, weight)
CASES = {
    "a (red:1.3) circle": (1, [[("a ", 1.0), ("red", 1.3), (" circle", 1.0)]]),
    "((star)) on [black]": (1, [[("star", 1.1 * 1.1), (" on ", 1.0), ("black", 1 / 1.1)]]),
    "a red circle BREAK a (blue) background": (
        1,
        [[("a red circle", 1.0)], [("a ", 1.0), ("blue", 1.1), (" background", 1.0)]],
    ),
    "a red circle on a blue background|2": (2, [[("a red circle on a blue background", 1.0)]]),
    "a (red:0.5) circle|3": (3, [[("a ", 1.0), ("red", 0.5), (" circle", 1.0)]]),
}


def states(model, skip, chunks, dtype):
    rows = []
    for parts in chunks:
        ids, weights = [START], [1.0]
        for text, weight in parts:
            tokens = model.tokenizer(text, add_special_tokens=False).input_ids
            ids += tokens
            weights += [weight] * len(tokens)
        ids += [END] * (LENGTH - len(ids))
        weights += [1.0] * (LENGTH - len(weights))
        out = model.text(torch.tensor([ids]), output_hidden_states=True)
        z = out.last_hidden_state if skip == 1 else model.text.final_layer_norm(out.hidden_states[-skip])
        weighed = z * torch.tensor(weights, dtype=dtype)[None, :, None]
        rows.append(weighed * (z.mean() / weighed.mean()))
    return torch.cat(rows, 1)


def results(model, dtype):
    compute_in(dtype, model.text)
    return {name: states(model, *case, dtype) for name, case in CASES.items()}


def main():
    args = places.parser(__doc__).parse_args()
    model = Embedded()
    save(places.destination(places.PROMPTS, args.out), *in_both(lambda dtype: results(model, dtype)))


if __name__ == "__main__":
    main()
