"""Writes the pictures that the service's tests send: circle.png, red on blue, and mask.png, whose lower half is
transparent. The PNGs are put together here, so that their bytes, which stand in the captured requests too, do not hang
on a library's version.
"""

import struct
import zlib

import numpy as np

from references import places

SIDE = 64


def png(pixels):
    """A PNG of [height, width, 3 or 4] bytes: no filter, zlib's best."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def main():
    args = places.parser(__doc__).parse_args()
    y, x = np.mgrid[:SIDE, :SIDE]
    inside = (x - SIDE // 2) ** 2 + (y - SIDE // 2) ** 2 < 20**2
    circle = np.where(inside[..., None], (220, 40, 40), (40, 80, 210)).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE, 4), np.uint8)
    mask[: SIDE // 2, :, 3] = 255
    for place, pixels in ((places.SERVER_CIRCLE, circle), (places.SERVER_MASK, mask)):
        places.destination(place, args.out).write_bytes(png(pixels))


if __name__ == "__main__":
    main()
