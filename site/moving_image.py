"""The moving image of the README, from the networks that ship.

    python site/moving_image.py [FILE]

Three panels in a loop: a photograph through the styles of lesson 01c, a face along two attribute
directions of lesson 03, digits along a closed path through the latent space of lesson 03.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy
import torch
from torch import Tensor

from course_utils import data, models, plots
from course_utils.authoring import demo_models
from course_utils.authoring.notebooks import ROOT
from course_utils.data.photographs import photograph
from course_utils.session.files import replacing
from course_utils.shipped import weights

FILE = ROOT / "data" / "images" / "moving.gif"
FRAMES, SECONDS = 32, 0.14  # in all, and each
SIDE = 196  # pixels of a panel
STYLES = (0, 3, 5, 6)  # of the eight of lesson 01c


def closed(points: Tensor, frames: int = FRAMES) -> Tensor:
    """(frames, d): a closed path through points (n, d), which rests at each of them."""
    at = torch.arange(frames) * len(points) / frames
    share = (1 - torch.cos(math.pi * (at % 1))) / 2
    first = at.long()
    return torch.lerp(points[first], points[(first + 1) % len(points)], share[:, None])


def styled() -> Tensor:
    """(FRAMES, 3, SIDE, SIDE): a photograph in mixtures of styles."""
    net = demo_models.stylizer()
    shares = closed(torch.eye(net.styles)[list(STYLES)])
    content = photograph("pagoda", SIDE)
    return torch.cat([net(content, share[None]) for share in shares])


def faces() -> Tensor:
    """(FRAMES, 3, 32, 32): a face with and without smile and glasses."""
    net, attributes, directions, codes, _ = demo_models.face_directions()
    found = dict(zip(attributes, directions))
    smile, glasses, turn = (found[name] for name in ("smile", "glasses", "head_turn"))
    corners = [-smile - glasses, smile - glasses, smile + glasses + turn, glasses - smile - turn]
    return net.decode(closed(codes[0] + torch.stack(corners)))


def digits() -> Tensor:
    """(FRAMES, 1, 28, 28): from digit to digit."""
    net = models.ConvolutionalVAE(latent=10, width=8, hidden=48)
    weights.load("digits_beta_1", net)
    drawn = data.load("handwriting", "test", size=400, seed=0)
    shown = [int((drawn.labels == digit).nonzero()[3]) for digit in (2, 3, 8, 6, 0)]
    codes, _ = net.encode(drawn.images[shown])
    return net.decode(closed(codes))


def enlarged(images: Tensor) -> numpy.ndarray:
    """(N, SIDE, SIDE, 3) bytes of (N, C, h, w), each pixel a square."""
    images = images.expand(-1, 3, -1, -1)
    scaled = torch.nn.functional.interpolate(images, (SIDE, SIDE), mode="nearest")
    return numpy.stack([plots.image_grid(one[None], 1, scale=1, gap=0) for one in scaled])


def main(file: Path = FILE) -> None:
    """Write the animation."""
    from PIL import Image

    with torch.no_grad():
        panels = [enlarged(images) for images in (styled(), faces(), digits())]
    gap = numpy.full((FRAMES, SIDE, 12, 3), 255, dtype=numpy.uint8)
    frames = numpy.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=2)
    pictures = [Image.fromarray(frame).quantize(64, dither=Image.Dither.NONE) for frame in frames]
    how = {"save_all": True, "append_images": pictures[1:], "loop": 0, "optimize": True}
    with replacing(file) as stream:
        pictures[0].save(stream, format="GIF", duration=round(1000 * SECONDS), **how)
    print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
