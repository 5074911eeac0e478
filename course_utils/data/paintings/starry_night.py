"""Night over a village in the manner of van Gogh, 1889: the sky turns in whirls of strokes."""

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

SKETCH = 384  # pixels a side of the image that the brush looks at
SKY = colours("0a1440 14286b 1f4a9c 3f7cc0 8fbcd8")
HALO = colours("fff3b0 ffd84a e8b93c 9db67c 4a86b8")
LAND = colours("0b1f3a 12405a 1d5f6e 3c7d6a")


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    sketch, angle = _scene(random)
    image = sample(sketch, *grid(side))
    height = np.zeros((side, side), np.float32)
    for count, length, width, loose, least in (
        (900, 0.11, 0.024, 0.05, 0.0),
        (4800, 0.066, 0.0115, 0.10, 0.0),
        (13000, 0.018, 0.0062, 0.04, 0.17),  # only where there is much to see
    ):
        x, y = scattered(random, count)
        seen = busy(sketch, x, y) >= least
        x, y = x[seen], y[seen]
        angles = angle + 0.1 * noise(random, SKETCH, 14)
        long = length * random.uniform(0.7, 1.15, len(x)).astype(np.float32)
        wide = width * random.uniform(0.75, 1.1, len(x)).astype(np.float32)
        mark = lay(side, streamlines(angles, x, y, long, 8), wide)
        colour = sample(sketch, x, y) * (1 + loose * random.standard_normal((len(x), 1)))
        colour += 0.35 * loose * random.standard_normal((len(x), 3))
        brush(image, height, mark, colour, random, bristle=0.07, thickness=0.9)
    return lit(image, height, 0.16)


def _scene(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What is painted, and the direction of the strokes there."""
    x, y = grid(SKETCH)
    flow_x = 1 + 0.25 * noise(random, SKETCH, 3)
    flow_y = 0.55 * np.sin(2 * np.pi * (0.9 * x + 0.15)) + 0.3 * noise(random, SKETCH, 4)
    light = 0.32 + 0.11 * clouds(random, SKETCH, 4) + 0.35 * (y - 0.15)

    whirls = [(0.44, 0.36, 0.15, 1), (0.66, 0.47, 0.10, -1)]
    for at_x, at_y, radius, turn in whirls:
        dx, dy = x - at_x, y - at_y - 0.02 * random.standard_normal()
        distance = np.hypot(dx, dy)
        pull = 9 * np.exp(-((distance / radius) ** 2))
        flow_x, flow_y = flow_x - turn * pull * dy / radius, flow_y + turn * pull * dx / radius
        spiral = np.sin(2 * np.pi * distance / radius * 2.2 - turn * np.arctan2(dy, dx))
        light = light + 0.4 * np.exp(-((distance / radius) ** 2)) * (0.35 + 0.75 * spiral)
    band = y - 0.50 - 0.05 * np.sin(2 * np.pi * (x * 1.3 + 0.1))
    light = light + 0.38 * np.exp(-((band / 0.035) ** 2))
    sketch = blend(light.clip(0, 1), SKY)

    stars = [(0.86, 0.15, 0.115)]  # the moon
    stars += [
        (0.08, 0.12, 0.05), (0.27, 0.10, 0.065), (0.47, 0.12, 0.05), (0.64, 0.20, 0.06),
        (0.33, 0.27, 0.04), (0.93, 0.40, 0.045), (0.22, 0.42, 0.055), (0.80, 0.36, 0.035),
    ]  # fmt: skip
    for place, (at_x, at_y, radius) in enumerate(stars):
        if place:
            at_x, at_y = np.array([at_x, at_y]) + 0.015 * random.standard_normal(2)
        dx, dy = x - at_x, y - at_y
        distance = np.hypot(dx, dy) / radius
        rings = 0.5 * distance + 0.06 * np.sin(2 * np.pi * distance * 2.5)
        glow = inside(distance - 1.0 - 0.08 * noise(random, SKETCH, 20), 0.45)
        sketch = over(sketch, glow, blend(rings.clip(0, 1), HALO))
        sketch = over(sketch, inside(distance - 0.26, 0.1), colours("fffbe6")[0])
        near = np.exp(-((distance / 1.35) ** 6))
        flow_x = (1 - near) * flow_x - near * dy / np.maximum(distance * radius, 1e-6)
        flow_y = (1 - near) * flow_y + near * dx / np.maximum(distance * radius, 1e-6)
    moon = np.hypot(x - 0.86, y - 0.15)
    bite = np.hypot(x - 0.838, y - 0.138)
    sketch = over(
        sketch, inside(np.maximum(moon - 0.066, 0.050 - bite), 0.008), colours("f08c1e")[0]
    )
    angle = np.arctan2(flow_y, flow_x)

    for base, rise, shade in ((0.66, 0.055, 0.75), (0.72, 0.05, 0.45), (0.79, 0.035, 0.15)):
        ridge = base + rise * noise(random, SKETCH, 3, 1)[:1]
        slope = np.gradient(ridge, axis=1) * SKETCH
        tone = shade + 0.18 * np.sin(2 * np.pi * (y - ridge) * 14) + 0.12 * noise(random, SKETCH, 9)
        cover = inside(ridge - y, 0.006)
        sketch = over(sketch, cover, blend(tone.clip(0, 1), LAND))
        edge = np.exp(-(((y - ridge) / 0.008) ** 2))
        sketch = over(sketch, 0.7 * edge, colours("081530")[0])
        angle = np.where(cover > 0.5, np.arctan(slope) + 0 * x, angle)

    sketch, angle = _village(sketch, angle, x, y, random)
    sketch, angle = _cypress(sketch, angle, x, y, random)
    return sketch.clip(0, 1), angle.astype(np.float32)


def _village(sketch, angle, x, y, random: np.random.Generator):
    """Houses with lit windows and a church among them."""
    walls, roofs = colours("3a5f8c 5478a0 6c8aa4 46688e"), colours("16223e 5a3040 1c3a5a 6e4038")
    window = colours("ffce4a")[0]
    middles = np.linspace(0.34, 0.97, 9) + random.uniform(-0.012, 0.012, 9)
    floors = 0.885 + random.uniform(-0.05, 0.055, 9)
    for house in np.argsort(floors):
        middle, floor = middles[house], floors[house]
        half, tall, rise = random.uniform(0.036, 0.046), random.uniform(0.042, 0.056), 0.042
        top = floor - tall / 2
        wall = np.maximum(np.abs(x - middle) - half, np.abs(y - floor) - tall / 2)
        slope = np.abs(x - middle) - 1.2 * half * (y - top + rise) / rise
        roof = np.maximum(slope, np.maximum(y - top, top - rise - y))
        sketch = over(sketch, inside(wall, 0.004), walls[house % 4])
        sketch = over(sketch, inside(roof, 0.004), roofs[house % 4])
        for shift in (-0.42, 0.42):
            pane = np.maximum(np.abs(x - middle - shift * half) - 0.0095, np.abs(y - floor) - 0.013)
            if random.random() < 0.8:
                sketch = over(sketch, inside(pane, 0.004), window)
        angle = np.where(wall < 0, np.pi / 2, angle)
        angle = np.where(roof < 0, np.arctan2(rise, 1.2 * half) * np.sign(x - middle), angle)
    tower = np.maximum(np.abs(x - 0.62) - 0.017, np.abs(y - 0.82) - 0.06)
    spire = np.maximum(np.abs(x - 0.62) - 0.022 * (y - 0.60) / 0.16, np.abs(y - 0.68) - 0.08)
    sketch = over(sketch, inside(tower, 0.004), colours("3b5f86")[0])
    sketch = over(sketch, inside(spire, 0.004), colours("0e1a36")[0])
    angle = np.where(np.minimum(tower, spire) < 0, np.pi / 2, angle)
    return sketch, angle


def _cypress(sketch, angle, x, y, random: np.random.Generator):
    """A dark tree in the foreground that rises like a flame, with a smaller one beside it."""
    for root, top, broad, lean in ((0.235, 0.50, 0.05, 0.03), (0.135, 0.07, 0.105, -0.02)):
        up = ((y - top) / (1 - top)).clip(0, 1)
        middle = root + lean * (1 - up) + 0.010 * np.sin(2 * np.pi * y * 2.3)
        half = broad * up**0.8 * (1.08 - 0.45 * up**3)
        tongues = 0.22 * np.abs(np.sin(2 * np.pi * (y * 5.5 + 9 * np.abs(x - middle)))) * half
        flame = np.abs(x - middle) - half + tongues + 0.006 * noise(random, SKETCH, 18)
        cover = inside(flame, 0.008) * (y > top)
        across = (x - middle) / (half + 0.01)
        streak = 0.5 + 0.5 * np.sin(2 * np.pi * (across * 1.4 + y * 2.2))
        tone = (0.6 * streak + 0.14 * noise(random, SKETCH, 16)).clip(0, 1)
        sketch = over(sketch, cover, blend(tone, colours("050f10 0f2a22 24452a 5c5a28")))
        rise = np.pi / 2 + 0.45 * across + 0.35 * np.cos(2 * np.pi * y * 5.5)
        angle = np.where(cover > 0.5, rise, angle)
    return sketch, angle
