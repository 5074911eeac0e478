"""A great wave in the manner of Hokusai, 1831: flat inks, carved outlines, grain of the block."""

from __future__ import annotations

import numpy as np

from .canvas import (
    blend,
    clouds,
    colours,
    grid,
    inside,
    noise,
    over,
)

INKS = {
    name: colours(code)[0]
    for name, code in {
        "line": "14284a", "deep": "1d3f73", "blue": "3f74a8", "pale": "a9c6d0", "foam": "f4ecd6",
        "boat": "c9a25e", "seal": "b8372a",
    }.items()
}  # fmt: skip
# The great wave from its foot to its tip: along its back, and along its hollow face.
BACK = (
    (-0.45, 1.12),
    (-0.18, 0.64),
    (0.02, 0.36),
    (0.17, 0.19),
    (0.33, 0.115),
    (0.48, 0.125),
    (0.585, 0.20),
    (0.625, 0.29),
)
FACE = (
    (0.78, 1.12),
    (0.50, 0.89),
    (0.33, 0.71),
    (0.275, 0.56),
    (0.295, 0.42),
    (0.375, 0.32),
    (0.49, 0.275),
    (0.60, 0.315),
)
SWELL_BACK = ((0.45, 1.10), (0.56, 0.94), (0.68, 0.83), (0.80, 0.76), (0.90, 0.735), (0.97, 0.76))
SWELL_FACE = ((1.25, 1.10), (1.12, 1.02), (1.00, 0.95), (0.93, 0.88), (0.92, 0.82), (0.955, 0.785))


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    from PIL import Image, ImageDraw

    x, y = grid(side)
    sky = blend((0.1 + 1.35 * y).clip(0, 1), colours("d9c9a0 ead9b2 e3cfa6 9aa0a0 6d7f8e"))
    mist = inside(0.5 - noise(random, side, 2, 12), 0.05) * (y < 0.55)
    sky = over(sky, 0.5 * mist, colours("f2e6c8")[0])
    sheet = Image.fromarray((sky * 255).astype(np.uint8))
    block = _Block(ImageDraw.Draw(sheet), side)
    _mountain(block)
    _sea(block, random)
    _wave(block, BACK, FACE, 15, random, claws=34, size=0.022)
    _boat(block)
    _wave(block, SWELL_BACK, SWELL_FACE, 9, random, claws=16, size=0.014)
    for _ in range(90):
        at = np.array([0.60, 0.34]) + random.normal(0, (0.13, 0.12))
        block.disc(at, 0.002 + 0.004 * random.random() ** 2, "foam")
    block.area(((0.06, 0.055), (0.125, 0.055), (0.125, 0.235), (0.06, 0.235)), "seal")
    for row in range(5):
        top = 0.07 + 0.032 * row
        for _ in range(4):
            start = np.array([0.073, top]) + random.random(2) * (0.03, 0.02)
            end = start + random.choice([(0.016, 0), (0, 0.014), (0.011, 0.010)])
            block.line([start, end], "foam", 0.0045)
    image = np.asarray(sheet, np.float32) / 255

    # Less ink where the wood is hard, a little paper everywhere.
    rings = np.sin(2 * np.pi * (26 * y + 1.4 * noise(random, side, 2, 3) + 2.5 * x))
    grain = 0.5 * rings + 0.8 * noise(random, side, 5, 190) + 0.4 * clouds(random, side, 5, 4)
    paper = colours("f0e4c8")[0]
    thin = (0.07 + 0.065 * grain).clip(0, 0.5)
    fibre = 1 + 0.018 * noise(random, side, 150)
    return (over(image, thin, paper) * fibre[..., None]).clip(0, 1)


class _Block:
    """Draws in lengths of the image, every outline as wide as a knife cuts."""

    def __init__(self, draw, side: int):
        self.draw, self.side = draw, side

    def area(self, points, ink: str):
        points = [tuple(point) for point in np.asarray(points) * self.side]
        self.draw.polygon(points, fill=_code(ink))

    def line(self, points, ink: str = "line", width: float = 0.0045):
        points = [tuple(point) for point in np.asarray(points) * self.side]
        self.draw.line(
            points, fill=_code(ink), width=max(1, round(width * self.side)), joint="curve"
        )

    def disc(self, at, radius: float, ink: str):
        (x, y), reach = np.asarray(at) * self.side, radius * self.side
        self.draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_code(ink))


def _code(ink: str) -> tuple[int, ...]:
    return tuple(int(round(255 * value)) for value in INKS[ink])


def _curve(points, count: int = 90) -> np.ndarray:
    """(count, 2): a smooth curve through the points."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(np.linspace(0, 1, len(points)), np.array(points))(np.linspace(0, 1, count))


def _mountain(block: _Block):
    left, top, right = np.array([0.56, 0.735]), np.array([0.735, 0.615]), np.array([0.93, 0.735])
    slope = [
        left,
        (0.65, 0.688),
        (0.71, 0.632),
        top,
        (0.752, 0.618),
        (0.80, 0.655),
        (0.86, 0.702),
        right,
    ]
    block.area(slope, "deep")
    snow = [
        (0.688, 0.652), (0.71, 0.632), top, (0.752, 0.618), (0.785, 0.643), (0.772, 0.655),
        (0.76, 0.642), (0.747, 0.66), (0.732, 0.645), (0.715, 0.664), (0.704, 0.65),
    ]  # fmt: skip
    block.area(snow, "foam")
    block.line(slope, width=0.003)


def _sea(block: _Block, random: np.random.Generator):
    across = np.linspace(-0.02, 1.02, 120)
    for row, base in enumerate(np.linspace(0.725, 1.02, 9)):
        phase = random.uniform(0, 6)
        crest = base + (0.004 + 0.004 * row) * np.sin(
            2 * np.pi * across * (2.6 - 0.12 * row) + phase
        )
        block.area(np.concatenate([np.stack([across, crest], -1), [(1.1, 1.2), (-0.1, 1.2)]]),
                   ("blue", "pale", "deep")[row % 3])  # fmt: skip
        block.line(np.stack([across, crest], -1), width=0.003)


def _wave(block: _Block, back, face, bands: int, random, *, claws: int, size: float):
    """A wave between two curves, striped from foot to tip, with foam along its lip."""
    back, face = _curve(back), _curve(face)
    block.area(np.concatenate([back, face[::-1]]), "deep")
    edges = np.linspace(0, 1, bands + 1) ** 0.9
    along = np.linspace(0, 1, len(back))[:, None]
    for band in range(bands):
        low, high = edges[band], edges[band + 1]
        swing = 0.012 * np.sin(7 * along + band)
        one = back + (face - back) * (low + swing)
        two = back + (face - back) * (high + swing)
        if band % 2:
            reach = slice(0, int(len(back) * random.uniform(0.80, 0.95)))
            ribbon = np.concatenate([one[reach], two[reach][::-1]])
            block.area(ribbon, ("blue", "pale", "foam")[(band // 2) % 3])
            block.line(one[reach], width=0.0025)
            block.line(two[reach], width=0.0025)
    block.line(back, width=0.006)
    block.line(face, width=0.005)

    discs = []
    lip = np.concatenate([back[int(0.66 * len(back)) :], face[int(0.60 * len(face)) :][::-1]])
    middle = (back[int(0.78 * len(back))] + face[int(0.78 * len(face))]) / 2
    for number in range(claws):
        at = lip[int((number + random.random()) / claws * (len(lip) - 1))]
        outward = at - middle
        heading = np.arctan2(outward[1], outward[0])
        radius = size * random.uniform(0.8, 1.25)
        _claw(at, heading, radius, 2, discs, random)
    for at, radius in discs:
        block.disc(at, radius + 0.0042, "line")
    for at, radius in discs:
        block.disc(at, radius, "foam")
    for at, radius in discs:
        if radius > 0.5 * size:
            for _ in range(2):
                spot = at + random.normal(0, 0.4 * radius, 2)
                turn = random.uniform(0, 2 * np.pi)
                bow = np.linspace(turn, turn + 2.2, 8)
                arc = spot + 0.35 * radius * np.stack([np.cos(bow), np.sin(bow)], -1)
                block.line(arc, "blue", 0.0028)


def _claw(at, heading: float, radius: float, depth: int, discs: list, random):
    """Discs of foam that shrink along a hook which bends down, with smaller hooks upon it."""
    for step in range(8):
        discs.append((at, radius))
        if depth and step in (2, 4, 6):
            aside = heading + random.choice((-1.0, 1.0)) * random.uniform(0.5, 1.0)
            _claw(at, aside, 0.6 * radius, depth - 1, discs, random)
        at = at + 0.85 * radius * np.array([np.cos(heading), np.sin(heading)])
        bend = np.angle(np.exp(1j * (np.pi / 2 - heading)))
        heading += 0.20 * bend + 0.1 * random.standard_normal()
        radius *= 0.84


def _boat(block: _Block):
    hull = _curve(((0.47, 0.835), (0.56, 0.868), (0.68, 0.872), (0.80, 0.835), (0.845, 0.795)), 40)
    deck = _curve(((0.845, 0.795), (0.78, 0.822), (0.68, 0.848), (0.57, 0.848), (0.47, 0.835)), 40)
    block.area(np.concatenate([hull, deck]), "boat")
    block.line(np.concatenate([hull, deck]), width=0.004)
    for place in np.linspace(0.56, 0.74, 6):
        block.disc((place, 0.838 - 0.06 * (place - 0.62) ** 2), 0.0115, "line")
        block.disc((place + 0.002, 0.835 - 0.06 * (place - 0.62) ** 2), 0.0065, "foam")
