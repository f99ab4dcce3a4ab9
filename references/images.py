"""Writes images/: small pictures in many formats, as Pillow writes them."""

import io

import numpy as np
from PIL import Image

from references import places

WIDTH, HEIGHT = 9, 6
BLOCKS = [["red", "lime", "blue"], ["yellow", "cyan", "magenta"]]
ORIENTATION = 274  # EXIF's tag


def encoded(image, kind, **settings):
    out = io.BytesIO()
    image.save(out, kind, **settings)
    return out.getvalue()


def colours():
    """Every pixel of another colour; ImageTest has the same formula."""
    i = np.arange(3 * WIDTH * HEIGHT)
    return Image.fromarray((i // 27 * 31 + i // 3 % 9 * 17 + i % 3 * 90).astype(np.uint8).reshape(HEIGHT, WIDTH, 3))


def chequered(image):
    """The same with every second pixel transparent, the first of them at the top left."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    made = image.copy()
    made.putalpha(Image.fromarray(((x + y) % 2 * 255).astype(np.uint8)))
    return made


def deep_gray():
    i = np.arange(WIDTH * HEIGHT)
    return Image.fromarray(((i // 9 * 3000 + i % 9 * 5000) % 65536).astype(np.uint16).reshape(HEIGHT, WIDTH))


def half_white(side):
    return Image.fromarray(
        np.where(np.arange(side)[None, :, None] < side // 2, 0, 255).repeat(side, 0).repeat(3, 2).astype(np.uint8)
    )


def blocks():
    image = Image.new("RGB", (48, 32))
    for row, names in enumerate(BLOCKS):
        for column, name in enumerate(names):
            image.paste(name, (16 * column, 16 * row, 16 * column + 16, 16 * row + 16))
    return image


def turned(orientation):
    """As a camera says that it was held."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(blocks(), "JPEG", quality=95, subsampling=0, exif=exif)


def main():
    args = places.parser(__doc__).parse_args()
    # First, because Pillow's noise comes from the process's own generator, which starts at the same place each time.
    noise = Image.effect_noise((512, 512), 80).convert("RGB")
    plain = colours()
    smooth = plain.resize((64, 48), Image.Resampling.BICUBIC)
    files = {
        "rgb.png": encoded(plain, "PNG"),
        "rgb.bmp": encoded(plain, "BMP"),
        "rgb.tiff": encoded(plain, "TIFF"),
        "lossless.webp": encoded(plain, "WEBP", lossless=True),
        "alpha.png": encoded(chequered(plain), "PNG"),
        "gray.png": encoded(plain.convert("L"), "PNG"),
        "gray16.png": encoded(deep_gray(), "PNG"),
        "one-bit.png": encoded(plain.convert("1"), "PNG"),
        "palette.gif": encoded(plain, "GIF"),
        "smooth.png": encoded(smooth, "PNG"),
        "smooth.jpg": encoded(smooth, "JPEG", quality=95, subsampling=0),
        "smooth.webp": encoded(smooth, "WEBP", quality=90),
        "half-white.webp": encoded(half_white(4096), "WEBP", lossless=True),
        "cut-off.webp": encoded(noise, "WEBP", lossless=True)[:2000],
    }
    files |= {f"turned-{orientation}.jpg": turned(orientation) for orientation in range(1, 9)}
    folder = places.destination(places.IMAGES, args.out)
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
