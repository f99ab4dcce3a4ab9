"""Pictures with captions, drawn by a procedure: flat coloured shapes, by signed distance, so that their edges are
smooth.

Run by itself it writes a sheet of 32 scenes and prints their captions.
"""

import argparse
import math
from pathlib import Path

import torch

COLOURS = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 215, 50),
    "green": (50, 170, 70),
    "cyan": (60, 200, 210),
    "blue": (45, 80, 210),
    "purple": (130, 60, 180),
    "pink": (245, 130, 180),
    "brown": (125, 80, 45),
    "white": (248, 248, 248),
    "gray": (140, 140, 140),
    "black": (20, 20, 20),
}
NAMES = list(COLOURS)
RGB = torch.tensor(list(COLOURS.values()), dtype=torch.float32) / 127.5 - 1
PLACES = {
    "": None,
    "on the left": (-0.42, 0),
    "on the right": (0.42, 0),
    "at the top": (0, -0.42),
    "at the bottom": (0, 0.42),
    "in the center": (0, 0),
}
SIZES = {"": 0.42, "small": 0.24, "large": 0.62}
WORDS = [
    "a",
    "an",
    "small",
    "large",
    "on",
    "the",
    "left",
    "right",
    "at",
    "top",
    "bottom",
    "in",
    "center",
    "background",
    "and",
    ",",
]


# Shapes: signed distances, negative inside, of about unit size.


def polygon(x, y, points):
    nearest, sign = None, torch.ones_like(x)
    for (ax, ay), (bx, by) in zip(points, points[-1:] + points[:-1]):
        ex, ey = bx - ax, by - ay
        wx, wy = x - ax, y - ay
        along = ((wx * ex + wy * ey) / (ex * ex + ey * ey)).clamp(0, 1)
        squared = (wx - ex * along) ** 2 + (wy - ey * along) ** 2
        nearest = squared if nearest is None else torch.minimum(nearest, squared)
        below, above, left = y >= ay, y < by, (ex * wy) > (ey * wx)
        crossed = (below & above & left) | (~below & ~above & ~left)
        sign = torch.where(crossed, -sign, sign)
    return sign * nearest.sqrt()


def around(radii):
    """Corners at equal angles, the first at the top."""
    angles = [2 * math.pi * i / len(radii) for i in range(len(radii))]
    return [(radius * math.sin(angle), -radius * math.cos(angle)) for radius, angle in zip(radii, angles)]


def norm(x, y):
    return (x * x + y * y).sqrt()


def box(x, y, width, height):
    return torch.maximum(x.abs() - width, y.abs() - height)


def heart(x, y):
    x, y = x.abs() * 1.05, -(y * 1.05) + 0.42
    arc = ((x - 0.25) ** 2 + (y - 0.75) ** 2).sqrt() - math.sqrt(2) / 4
    middle = torch.maximum(x + y, torch.zeros_like(x)) * 0.5
    tip = torch.minimum(x**2 + (y - 1.0) ** 2, (x - middle) ** 2 + (y - middle) ** 2).sqrt() * torch.sign(x - y)
    return torch.where(x + y > 1.0, arc, tip) * 1.5


SHAPES = {
    "circle": lambda x, y: norm(x, y) - 1,
    "square": lambda x, y: torch.maximum(x.abs(), y.abs()) - 0.86,
    "triangle": lambda x, y: polygon(x, y, [(0, -1.0), (1.0, 0.8), (-1.0, 0.8)]),
    "star": lambda x, y: polygon(x, y, around([1.12, 1.12 * 0.42] * 5)),
    "heart": heart,
    "diamond": lambda x, y: polygon(x, y, [(0, -1.1), (0.8, 0), (0, 1.1), (-0.8, 0)]),
    "ring": lambda x, y: (norm(x, y) - 0.78).abs() - 0.24,
    "cross": lambda x, y: torch.minimum(box(x, y, 1.0, 0.34), box(x, y, 0.34, 1.0)),
    "moon": lambda x, y: torch.maximum(norm(x, y) - 1, 0.85 - ((x - 0.5) ** 2 + (y + 0.15) ** 2).sqrt()),
    "hexagon": lambda x, y: polygon(x, y, around([1.05] * 6)),
}
SHAPE_NAMES = list(SHAPES)


class Dice:
    def __init__(self, generator):
        self.generator = generator

    def one_of(self, count):
        return int(torch.randint(count, (1,), generator=self.generator))

    def between(self, low, high):
        return float(torch.rand(1, generator=self.generator)) * (high - low) + low


def two_things(dice):
    """Side by side, [(shape, colour, size's name, centre, radius)]."""
    dice.between(0, 1)  # once chose a side; kept, so that seeds give the scenes that they gave
    things = []
    for centre in ((-0.46, 0), (0.46, 0)):
        shape, colour = dice.one_of(10), dice.one_of(12)
        dice.between(0, 1)  # once chose a size
        things.append((shape, colour, "", centre, 0.36))
    return things


def one_thing(dice):
    """[(…)] as two_things, and the name of its place."""
    size = list(SIZES)[[0, 0, 0, 1, 2][dice.one_of(5)]]
    place = "" if size == "large" else list(PLACES)[[0, 0, 0, 0, 1, 2, 3, 4, 5][dice.one_of(9)]]
    shape, colour = dice.one_of(10), dice.one_of(12)
    centre = PLACES[place] or (dice.between(-0.12, 0.12), dice.between(-0.12, 0.12))
    aside = place not in ("", "in the center")
    return [(shape, colour, size, centre, min(SIZES[size], 0.38) if aside else SIZES[size])], place


def sample(generator, side):
    """A random scene: the image [3, side, side] in [−1, 1], and its caption."""
    dice = Dice(generator)
    k = torch.arange(side) * 2.0 / side - 1 + 1.0 / side
    y, x = torch.meshgrid(k, k, indexing="ij")
    ground = dice.one_of(12)
    image = RGB[ground][:, None, None] + (y * 0.06)[None] * -1
    if dice.between(0, 1) < 0.3:
        things, place = two_things(dice), ""
    else:
        things, place = one_thing(dice)

    words = []
    for shape, colour, size, (cx, cy), radius in things:
        while colour == ground:
            colour = dice.one_of(12)
        radius = radius * dice.between(0.92, 1.08)
        cx += dice.between(-0.03, 0.03)
        cy += dice.between(-0.03, 0.03)
        u, v = (x - cx) / radius, (y - cy) / radius
        distance = SHAPES[SHAPE_NAMES[shape]](u, v) * radius
        cover = (0.5 - distance * side / 2).clamp(0, 1)[None]
        image = image * (1 - cover) + (RGB[colour][:, None, None] + (v * -0.07)[None]) * cover
        words.append(" ".join(filter(None, ("a", size, NAMES[colour], SHAPE_NAMES[shape]))))
    caption = " and ".join(words) + (" " + place if place else "")
    wording = dice.between(0, 1)
    if wording < 0.75:
        caption += " on a " + NAMES[ground] + " background"
    elif wording < 0.9:
        caption += ", " + NAMES[ground] + " background"
    else:
        caption += " on " + NAMES[ground]
    return image.clamp(-1, 1), caption.replace("a orange", "an orange")


def main():
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sheet", type=Path, help="the PNG to write")
    args = parser.parse_args()
    generator = torch.Generator().manual_seed(1)
    scenes = [sample(generator, 128) for _ in range(32)]
    print(*(caption for _, caption in scenes), sep="\n")
    sheet = (
        torch.stack([image for image, _ in scenes])
        .reshape(4, 8, 3, 128, 128)
        .permute(0, 3, 1, 4, 2)
        .reshape(512, 1024, 3)
    )
    Image.fromarray(((sheet + 1) * 127.5).clamp(0, 255).byte().numpy()).save(args.sheet)


if __name__ == "__main__":
    main()
