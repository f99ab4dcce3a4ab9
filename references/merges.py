"""Writes clip-merges.txt: the 48,894 merges that CLIP's tokenizer uses of its published file,
clip/bpe_simple_vocab_16e6.txt.gz in https://github.com/openai/CLIP (MIT licence, in clip-merges.LICENSE; the wheel of
open_clip_torch holds the same file).
"""

import gzip
import hashlib
from pathlib import Path

from references import places

SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
MERGES = 49152 - 256 - 2  # of a vocabulary of that size, less its bytes and two special tokens


def main():
    parser = places.parser(__doc__)
    parser.add_argument("vocabulary", type=Path, metavar="bpe_simple_vocab_16e6.txt.gz")
    args = parser.parse_args()
    data = args.vocabulary.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        parser.error(f"{args.vocabulary}: not the file that CLIP published (its SHA-256 is another)")
    lines = gzip.decompress(data).decode("utf-8").split("\n")[1 : 1 + MERGES]
    places.destination(places.MERGES, args.out).write_text("\n".join(["#version: 0.2", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
