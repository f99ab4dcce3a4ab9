"""Writes sd15-keys.tsv: the key and shape of every parameter of Stable Diffusion v1.5 in the original's layout and
order.
"""

import torch

from references import original, places
from references.common import UNET, VAE, new_text_encoder, text_key


def parameters():
    with torch.device("meta"):
        for key, value in original.unet().named_parameters():
            yield UNET + key, value
        for key, value in original.autoencoder().named_parameters():
            yield VAE + key, value
        for key, value in new_text_encoder().named_parameters():
            yield text_key(key), value


def main():
    args = places.parser(__doc__).parse_args()
    lines = [f"{key}\t{'x'.join(map(str, value.shape))}\n" for key, value in parameters()]
    places.destination(places.SD15_KEYS, args.out).write_text("".join(lines))


if __name__ == "__main__":
    main()
