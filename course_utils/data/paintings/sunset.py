"""The sun goes down over the sea, in paint so thick that it casts shadows (impasto)."""

from __future__ import annotations

import numpy as np

from .canvas import (
    blend,
    clouds,
    colours,
    grid,
    inside,
    lit,
    noise,
    over,
    sample,
)
from .strokes import (
    brush,
    busy,
    lay,
    scattered,
    streamlines,
)

SKETCH = 384
HORIZON = 0.60
SKY = colours("5a2a6e 8c3070 c43f5e e8663c f79a34 ffd35c")
SEA = colours("1d1b4c 2f2f78 5b3c86 a34a78 e8744a")


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    sketch, angle = _scene(random)
    image = sample(sketch, *grid(side))
    height = np.zeros((side, side), np.float32)
    for count, length, width, loose, least in (
        (320, 0.2, 0.05, 0.06, 0.0),
        (1100, 0.13, 0.024, 0.09, 0.0),
        (7000, 0.030, 0.0085, 0.03, 0.2),  # only where there is much to see
    ):
        x, y = scattered(random, count)
        seen = busy(sketch, x, y) >= least
        x, y = x[seen], y[seen]
        long = length * random.uniform(0.7, 1.2, len(x)).astype(np.float32)
        mark = lay(side, streamlines(angle, x, y, long, 8), width, taper=7)
        colour = sample(sketch, x, y) * (1 + loose * random.standard_normal((len(x), 1)))
        colour += 0.4 * loose * random.standard_normal((len(x), 3))
        brush(image, height, mark, colour, random, bristle=0.08, thickness=2.2)
    return lit(image, height, 0.2)


def _scene(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x, y = grid(SKETCH)
    sun_x, sun_y = 0.60, 0.47
    dx, dy = x - sun_x, y - sun_y
    away = np.hypot(dx, dy)
    tone = y / HORIZON * 0.75 + 0.35 * np.exp(-((away / 0.22) ** 2)) - 0.05
    drift = clouds(random, SKETCH, 3, 3)
    sketch = blend((tone + 0.05 * drift).clip(0, 1), SKY)
    stretched = noise(random, SKETCH, 3, 9) + 0.5 * noise(random, SKETCH, 6, 18)
    bank = inside(0.55 - stretched, 0.5) * (y < HORIZON - 0.03) * (away > 0.12)
    sketch = over(
        sketch, 0.8 * bank, blend((1.25 * y).clip(0, 1), colours("3f2a66 7a3a7c d8566a ffb46a"))
    )
    sketch = over(sketch, inside(away - 0.085, 0.01), colours("fff2b8")[0])
    angle = np.arctan2(dx, -dy + 1e-6) + 0.25 * drift  # around the sun
    angle = np.where(away > 0.36, 0.22 * drift, angle)

    depth = ((y - HORIZON) / (1 - HORIZON)).clip(0, 1)
    swell = np.sin(2 * np.pi * (14 * depth**0.6 + 0.5 * noise(random, SKETCH, 5)))
    tone = 0.55 - 0.55 * depth + 0.16 * swell + 0.12 * noise(random, SKETCH, 5, 22)
    sea = blend(tone.clip(0, 1), SEA)
    spread = 0.055 + 0.10 * depth + 0.03 * noise(random, SKETCH, 3, 26)
    path = np.exp(-((dx / spread) ** 4)) * (0.95 + 0.5 * np.minimum(swell, 0))
    sea = over(sea, path.clip(0, 1), blend(1 - 0.7 * depth, colours("f0703c ffb648 fff0a8")))
    water = inside(HORIZON - y, 0.004)
    sketch = over(sketch, water, sea)
    angle = np.where(water > 0.5, 0.16 * noise(random, SKETCH, 5), angle)

    cape = (
        HORIZON - 0.10 * (1 - x / 0.34).clip(0, 1) ** 0.7 - 0.006 * noise(random, SKETCH, 16, 1)[:1]
    )
    land = inside(np.maximum(cape - y, y - HORIZON - 0.004), 0.006) * (x < 0.33)
    sketch = over(
        sketch,
        land,
        blend((0.5 + 0.3 * noise(random, SKETCH, 12)).clip(0, 1), colours("23143c 4a2458 8a3a60")),
    )
    boat = 0.25
    hull = np.maximum(np.abs(x - boat) - 0.105 + 1.2 * (y - 0.755), np.abs(y - 0.772) - 0.019)
    main = np.maximum(boat + 0.004 - x, np.maximum(x - boat - 0.50 * (y - 0.50), y - 0.745))
    jib = np.maximum(x - boat + 0.010, np.maximum(boat - 0.42 * (y - 0.53) - x, y - 0.745))
    for shape, colour in ((hull, "140c28"), (main, "ffd9a0"), (jib, "f0906a")):
        sketch = over(sketch, inside(shape, 0.006), colours(colour)[0])
        angle = np.where(shape < 0, 0 if shape is hull else 1.3, angle)
    return sketch.clip(0, 1), angle.astype(np.float32)
