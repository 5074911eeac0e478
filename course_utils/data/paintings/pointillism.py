"""A river bank in the manner of Seurat, 1884: every colour is made of dots of several others."""

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
    sample,
)
from .strokes import lay, scattered, streamlines

SKETCH = 384


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    sketch = _scene(random)
    image = np.empty((side, side, 3), np.float32)
    image[:] = colours("e9dfc6")
    for count, width in ((5000, 0.017), (9000, 0.0115), (11000, 0.0085)):
        x, y = scattered(random, count)
        local = sample(sketch, x, y)
        paths = streamlines(np.zeros((2, 2), np.float32), x, y, 0.95 * width, 1)
        mark = lay(side, paths, width * random.uniform(0.75, 1.1, len(x)), taper=2)
        there = mark.stroke >= 0
        image[there] = divided(local, random)[mark.stroke[there]]
    return image


def divided(local: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Colours (N, 3) that are `local` on average, each one purer and off to one side of it."""
    grey = local.mean(-1, keepdims=True)
    hues = colours("e8402c f2a31c f6e04a 4fa845 2c6fc4 6a3f9c")
    hues = hues - hues.mean(-1, keepdims=True)
    hues -= hues.mean(0)
    shift = hues[random.integers(len(hues), size=len(local))]
    room = 0.5 + 0.8 * np.minimum(grey, 1 - grey)
    light = 0.05 * random.standard_normal((len(local), 1))
    return (
        (grey + 1.25 * (local - grey) + 0.36 * room * shift + light).clip(0, 1).astype(np.float32)
    )


def _scene(random: np.random.Generator) -> np.ndarray:
    x, y = grid(SKETCH)
    shore = 0.40
    sketch = blend((y / shore).clip(0, 1), colours("7fb0d8 a9cbe0 d8dfd6 f6e3b4"))
    puffs = clouds(random, SKETCH, 4, 3) + 0.5 * noise(random, SKETCH, 3, 9)
    sketch = over(
        sketch, 0.8 * inside(0.7 - puffs, 0.9) * (1 - y / shore).clip(0, 1), colours("fff4e2")[0]
    )
    for base, rise, cells, codes in (
        (0.34, 0.030, 4, "8e9fc4 a7b4cc"), (0.375, 0.016, 12, "5f8a76 8fb078"),
    ):  # fmt: skip
        ridge = base + rise * noise(random, SKETCH, cells, 1)[:1]
        tone = (0.5 + 0.4 * noise(random, SKETCH, 14)).clip(0, 1)
        sketch = over(sketch, inside(ridge - y, 0.006), blend(tone, colours(codes)))
    for house in np.linspace(0.5, 0.9, 5) + random.uniform(-0.03, 0.03, 5):
        wall = np.maximum(np.abs(x - house) - 0.016, np.abs(y - 0.382) - 0.014)
        roof = np.maximum(np.abs(x - house) - (y - 0.35) * 1.3, np.abs(y - 0.36) - 0.01)
        sketch = over(sketch, inside(wall, 0.004), colours("f6e6cc")[0])
        sketch = over(sketch, inside(roof, 0.004), colours("d0633c")[0])

    water = shore - y
    mirror = blend(((y - shore) / 0.4).clip(0, 1), colours("e9dcae a8c4cc 6a9cc4 3f74b0"))
    wave = noise(random, SKETCH, 8, 50)
    mirror = over(mirror, (0.22 * wave + 0.1).clip(0, 0.5), colours("f8ecc8")[0])
    bank_glow = np.exp(-(((y - shore) / 0.05) ** 2))
    mirror = over(mirror, 0.55 * bank_glow, colours("6f9478")[0])
    sketch = over(sketch, inside(water, 0.004), mirror)
    for sail_x, foot, tall in ((0.56, 0.475, 0.15), (0.78, 0.435, 0.085), (0.44, 0.425, 0.06)):
        rise = (foot - y) / tall
        sail = np.maximum(sail_x - x, np.maximum(x - sail_x - 0.45 * tall * (1 - rise), -rise))
        sketch = over(
            sketch, inside(np.maximum(sail, (rise - 1) * tall), 0.004), colours("fff6e4")[0]
        )
        hull = np.maximum(
            np.abs(x - sail_x - 0.12 * tall) - 0.42 * tall,
            np.abs(y - foot - 0.05 * tall) - 0.05 * tall,
        )
        sketch = over(sketch, inside(hull, 0.004), colours("7a3c2c")[0])
        image = np.maximum(
            np.abs(x - sail_x - 0.15 * tall) - 0.16 * tall,
            np.maximum(foot + 0.1 * tall - y, y - foot - 0.8 * tall),
        )
        sketch = over(sketch, 0.6 * inside(image, 0.01) * (wave > -0.4), colours("f6ecd4")[0])

    bank = 0.66 - 0.16 * x + 0.012 * noise(random, SKETCH, 5, 1)[:1]
    bank = bank + 0.22 * (x - 0.62).clip(0)
    depth = ((y - bank) / 0.4).clip(0, 1)
    tone = 0.75 - 0.35 * depth + 0.16 * noise(random, SKETCH, 5, 14)
    meadow = blend(tone.clip(0, 1), colours("2f6a3a 5c9440 a2bc48 dcd468"))
    shadows = np.sin(2 * np.pi * (2.2 * (y - 0.3 * x) + 0.12 * noise(random, SKETCH, 4)))
    meadow = over(
        meadow, 0.75 * inside(0.45 - shadows, 0.4) * inside(0.70 - y, 0.05), colours("2c4f5c")[0]
    )
    sketch = over(sketch, inside(bank - y, 0.005), meadow)

    for foot_x, foot_y, tall, wide, codes in (
        (0.16, 0.80, 0.68, 0.17, "173a3a 2c6a3c 6a9a3c c8c050"),
        (0.93, 0.70, 0.46, 0.12, "1c3f48 35724a 7fa848 d8c860"),
    ):  # fmt: skip
        trunk = (
            np.abs(x - foot_x - 0.01 * np.sin(9 * y)) - 0.016 - 0.1 * (y - foot_y + 0.06).clip(0)
        )
        trunk = np.maximum(trunk, np.maximum(y - foot_y, foot_y - tall * 0.6 - y))
        sketch = over(sketch, inside(trunk, 0.004), colours("4a2f3c")[0])
        # A crown is heaps of leaves, each one lit from the right; those in front come last.
        for heap in range(16):
            turn, out = 2.4 * heap, 0.85 * ((16 - heap) / 16) ** 0.5
            heap_x = foot_x + wide * out * np.cos(turn)
            heap_y = foot_y - 0.68 * tall + 0.27 * tall * out * np.sin(turn)
            radius = wide * random.uniform(0.36, 0.5)
            leaves = np.hypot(x - heap_x, 1.15 * (y - heap_y)) / radius
            leaves = leaves + 0.14 * clouds(random, SKETCH, 12, 2)
            light = 0.40 - 0.34 * (y - heap_y) / radius + 0.26 * (x - heap_x) / radius
            light = light - 0.5 * (heap_y - foot_y + 0.68 * tall) / tall
            cover = inside(leaves - 1, 0.08)
            sketch = over(sketch, cover, blend(light.clip(0, 1), colours(codes)))
    for at_x, at_y, tall, coat in (
        (0.45, 0.80, 0.16, "4a3a6c"), (0.505, 0.81, 0.15, "b8403c"), (0.70, 0.72, 0.09, "2f4f7c"),
    ):  # fmt: skip
        rise = (at_y - y) / tall
        body = np.maximum(
            np.abs(x - at_x) - tall * (0.07 + 0.13 * (0.62 - rise).clip(0)),
            np.maximum(-rise, rise - 0.78) * tall,
        )
        head = np.hypot(x - at_x, y - at_y + 0.86 * tall) - 0.075 * tall
        shade = np.maximum(
            np.abs(y - at_y - 0.006) - 0.012, np.abs(x - at_x + 0.5 * tall) - 0.5 * tall
        )
        sketch = over(sketch, 0.8 * inside(shade, 0.01), colours("24485a")[0])
        sketch = over(sketch, inside(body, 0.004), colours(coat)[0])
        sketch = over(sketch, inside(head, 0.004), colours("e8b090")[0])
    parasol = np.maximum(np.hypot((x - 0.52) / 1.5, y - 0.672) - 0.035, y - 0.672)
    sketch = over(sketch, inside(parasol, 0.004), colours("f0603c")[0])
    return sketch.clip(0, 1)
