"""A lighthouse in pen and ink: tones made of strokes that follow the forms and cross each other."""

from __future__ import annotations

import numpy as np

from .canvas import (
    clouds,
    colours,
    grid,
    inside,
    noise,
    sample,
)
from .strokes import lay, scattered, streamlines

SKETCH = 384
PAPER, INK = colours("f3e8cf 1b1712")
LAMP, HORIZON = (0.36, 0.225), 0.69


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    tone, angle, outline = _scene(random)
    x, y = grid(side)
    fine_tone = sample(tone, x, y)
    ink = np.zeros((side, side), np.float32)
    # The darker the tone, the more layers of strokes cross there.
    for threshold, turn, count, length, width in (
        (0.10, 0.0, 2300, 0.065, 0.0030),
        (0.34, 0.0, 2300, 0.060, 0.0032),
        (0.50, 0.85, 2600, 0.055, 0.0034),
        (0.66, -0.75, 3000, 0.050, 0.0036),
        (0.82, 1.57, 3600, 0.045, 0.0040),
    ):
        at_x, at_y = scattered(random, count)
        here = sample(tone, at_x, at_y) + 0.04 * random.standard_normal(len(at_x))
        at_x, at_y = at_x[here > threshold], at_y[here > threshold]
        angles = angle + turn + 0.06 * noise(random, SKETCH, 10)
        long = length * random.uniform(0.6, 1.2, len(at_x)).astype(np.float32)
        paths = streamlines(angles, at_x, at_y, long, 6)
        mark = lay(side, paths, width * random.uniform(0.7, 1.2, len(at_x)), taper=1.8)
        ink = np.maximum(ink, (mark.stroke >= 0) & (fine_tone > threshold - 0.1))
    ink = np.maximum(ink, sample(outline, x, y)).clip(0, 1)
    ink = (ink * (0.93 + 0.06 * noise(random, side, 60)).clip(0, 1))[..., None]
    fibre = 0.5 * noise(random, side, 180) + 0.7 * clouds(random, side, 4, 5)
    paper = PAPER * (1 + 0.02 * fibre)[..., None]
    return (paper * (1 - ink) + INK * ink).clip(0, 1)


def _scene(random: np.random.Generator):
    """Tone (0 is white), direction of the first layers, and outlines; all (SKETCH, SKETCH)."""
    x, y = grid(SKETCH)
    dx, dy = x - LAMP[0], y - LAMP[1]
    away = np.hypot(dx, dy)
    tone = 0.78 - 0.75 * y / HORIZON + 0.05 * noise(random, SKETCH, 4)
    angle = 0.12 * np.sin(5 * x + 1) + 0.12
    for at_x, at_y, broad in (
        (0.82, 0.17, 0.17),
        (0.62, 0.36, 0.12),
        (0.90, 0.45, 0.13),
        (0.08, 0.42, 0.13),
    ):
        # A cloud: heaps of discs, white above and shaded below.
        for _ in range(9):
            puff_x, puff_y = (
                at_x + broad * random.uniform(-0.9, 0.9),
                at_y + 0.22 * broad * random.standard_normal(),
            )
            radius = broad * random.uniform(0.25, 0.45)
            puff = np.hypot(x - puff_x, (y - puff_y) * 1.25)
            below = (y - puff_y) / radius
            tone = np.where(puff < radius, 0.42 * (below - 0.1).clip(0), tone)
            angle = np.where(puff < radius, np.arctan2(x - puff_x, puff_y - y), angle)
    for way, lean, broad in ((1, -0.16, 0.11), (-1, 0.14, 0.13)):  # the beam, both ways
        off = np.abs(np.arctan2(dy, way * dx) - lean) - broad
        tone = np.where(off < 0, tone * (away * 1.1).clip(0, 1) ** 2 - 0.05, tone)
    tone = tone * (1 - np.exp(-((away / 0.10) ** 2)))
    angle = np.where(away < 0.19, np.arctan2(dx, -dy), angle)

    depth = ((y - HORIZON) / (1 - HORIZON)).clip(0, 1)
    wave = 2 * np.pi * (7 * depth**0.6 + 0.55 * noise(random, SKETCH, 5, 3))
    glitter = np.exp(-(((x - 0.74) / (0.05 + 0.12 * depth)) ** 2))
    sea = 0.34 + 0.34 * np.sin(wave) + 0.12 * depth - 0.4 * glitter
    tone = np.where(y > HORIZON, sea, tone)
    angle = np.where(y > HORIZON, 0.18 * np.cos(wave), angle)

    top = 0.585 - 0.03 * np.cos(9 * (x - 0.2)) + 0.012 * noise(random, SKETCH, 10, 1)[:1]
    top = top + 2.6 * (x - 0.57).clip(0) ** 1.05
    cliff = top - y
    crags = np.sin(2 * np.pi * (5.5 * x + 1.6 * (y - top) + 0.22 * noise(random, SKETCH, 6)))
    ledges = noise(random, SKETCH, 5, 14)
    face = 0.52 + 0.30 * crags + 0.14 * ledges + 0.45 * (x - 0.35)
    turf = np.exp(-((cliff / 0.028) ** 2))
    tone = np.where(cliff < 0, face * (1 - turf) + 0.08, tone)
    angle = np.where(cliff < 0, 1.35 - 0.5 * crags, angle)
    surf = 0.925 + 0.022 * noise(random, SKETCH, 9, 1)[:1] - 0.05 * (x - 0.5).clip(0)
    foam = 0.22 + 0.22 * noise(random, SKETCH, 8, 16)
    tone = np.where((y > surf) & (x < 0.74), foam, tone)
    angle = np.where((y > surf) & (x < 0.74), 0.3 * noise(random, SKETCH, 7), angle)
    outlines = [np.where(y < surf, cliff, 1)]

    half = 0.034 + 0.030 * (y - 0.26) / 0.34
    around = (dx / half).clip(-1, 1)
    bands = 0.42 * (((y - 0.265) / 0.062).astype(np.int64) % 2)
    shade = 0.02 + bands + 0.62 * (around - 0.05).clip(0)

    def both(*distances):  # where shapes overlap
        return np.stack(np.broadcast_arrays(*distances)).max(0)

    house, ship = np.abs(x - 0.495), x - 0.80
    gable = both(house - 0.072, 0.495 + 0.4 * house - y, y - 0.546)
    hull = both(np.abs(ship) - 0.062 + 0.8 * (y - 0.69).clip(0), np.abs(y - 0.700) - 0.014)
    main_sail = both(0.004 - ship, ship - 0.36 * (y - 0.54), y - 0.676)
    jib = both(ship + 0.004, -ship - 0.30 * (y - 0.56), y - 0.676)
    for shape, dark, lines in (
        (both(np.abs(dx) - half, 0.265 - y, y - 0.575), shade, 0.45 * around),  # the tower
        (both(np.abs(dx) - 0.048, np.abs(y - 0.264) - 0.009), 0.9, 0.0),
        (both(np.abs(dx) - 0.025, np.abs(y - 0.225) - 0.032), 0.0, 0.0),
        (both(np.abs(dx) - 0.9 * (y - 0.148), np.abs(y - 0.172) - 0.024), 0.95, 0.6),
        (both(house - 0.058, np.abs(y - 0.580) - 0.036), 0.16, 0.0),
        (gable, 0.78, 1.1),
        (hull, 0.95, 0.1),
        (main_sail, 0.06, 1.2),
        (jib, 0.30, 1.9),
    ):
        tone, angle = np.where(shape < 0, dark, tone), np.where(shape < 0, lines, angle)
        outlines.append(shape)
    outline = np.zeros_like(tone)
    for pane_x, pane_y in ((0.472, 0.58), (0.518, 0.58), (0.355, 0.355), (0.355, 0.48)):
        pane = np.maximum(np.abs(x - pane_x) - 0.009, np.abs(y - pane_y) - 0.013)
        outline = np.maximum(outline, inside(pane, 0.003))
    for shape in outlines:
        outline = np.maximum(outline, inside(np.abs(shape) - 0.0018, 0.003))
    free = (cliff > 0) & (np.min(outlines[1:], 0) > 0)
    outline = np.maximum(outline, inside(np.abs(y - HORIZON) - 0.0010, 0.003) * free)
    outline *= noise(random, SKETCH, 40) > -1.5
    for bird_x, bird_y, span in ((0.60, 0.50, 0.028), (0.67, 0.46, 0.022), (0.70, 0.53, 0.018)):
        wing = np.abs(y - bird_y - 0.6 * np.abs(np.abs(x - bird_x) - 0.5 * span)) - 0.0022
        wing = np.where(np.abs(x - bird_x) < span, wing, 1)
        outline = np.maximum(outline, inside(wing, 0.003))
    return tone, angle.astype(np.float32), outline.astype(np.float32)
