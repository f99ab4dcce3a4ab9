"""Prints the numbers that stand in tests of noise themselves: PyTorch's normal numbers on a CPU (TorchRandomTest) and
AUTOMATIC1111's way from one seed's noise to another's (PictureNoiseTest).
"""

import argparse

import torch


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def show(what, x):
    x = x.flatten()
    print(
        f"{what}: first",
        *("%.10g" % v for v in x[:8]),
        "| last",
        *("%.10g" % v for v in x[-4:]),
        f"| sum {x.double().sum():.10f}",
    )


def turned(x, y, part):
    """Spherical interpolation along the second dimension, as the web UI has it for variations of a seed."""
    angle = torch.acos((x / x.norm(dim=1, keepdim=True) * y / y.norm(dim=1, keepdim=True)).sum(1))
    near, far = (torch.sin(p * angle) / torch.sin(angle) for p in (1 - part, part))
    return near.unsqueeze(1) * x + far.unsqueeze(1) * y


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    for seed, *shape in ((42, 4, 64, 64), (0, 4, 64, 64), (7, 5), (7, 17), (7, 20), (3, 31), (5, 100)):
        show(f"seed {seed}, {shape}", normal(seed, *shape))
    generator = torch.Generator().manual_seed(7)
    for count in (3, 16, 2):
        show(f"seed 7, then {count}", torch.randn(count, generator=generator))
    show("seed 42 to 7 by 0.3, [4, 8, 16]", turned(normal(42, 4, 8, 16), normal(7, 4, 8, 16), 0.3))


if __name__ == "__main__":
    main()
