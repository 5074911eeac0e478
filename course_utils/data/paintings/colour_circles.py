"""Discs of pure colours that change where they cross, in the manner of Delaunay, 1912."""

from __future__ import annotations

import numpy as np

from .canvas import (
    canvas_weave,
    clouds,
    colours,
    grid,
    lit,
    noise,
    over,
    sample,
)

COLOURS = colours(
    "e6332a f28c1e f7d117 fbf3d9 3aa655 0f7f8c 1e6fd0 243b8f 7a2f8f e86fa0 151a2c 9fd3e0"
)
DISCS = (  # x, y, radius, rings
    (0.30, 0.30, 0.38, 7),
    (0.74, 0.66, 0.40, 7),
    (0.80, 0.17, 0.22, 4),
    (0.20, 0.82, 0.26, 5),
)


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    x, y = grid(side)
    hand_x = x + 0.0022 * noise(random, side, 18)
    hand_y = y + 0.0022 * noise(random, side, 18)
    # Four broad fields lie behind, divided by the diagonals that the discs' quarters follow.
    colour = 10 * (hand_x + hand_y < 1) + 8 * (hand_x + hand_y >= 1)
    colour = np.where(np.abs(hand_x - hand_y) < 0.30, 6 - 5 * (hand_x + hand_y > 1), colour)
    angle = np.where(np.abs(hand_x - hand_y) < 0.30, np.pi / 4, -np.pi / 4) + 0 * x
    field = colour.astype(np.int64)
    for number, (at_x, at_y, radius, rings) in enumerate(DISCS):
        dx, dy = hand_x - at_x, hand_y - at_y
        away = np.hypot(dx, dy)
        turn = np.arctan2(dy, dx) + 0.35 * number + 0.12 * random.standard_normal()
        ring = np.minimum((away / radius * rings).astype(np.int64), rings)
        quarter = np.floor(turn / (np.pi / 2)).astype(np.int64) % 4
        table = _table(rings, random)
        within = away < radius
        field = np.where(within, table[ring.clip(0, rings - 1), quarter], field)
        angle = np.where(within, np.arctan2(dx, -dy), angle)
    image = COLOURS[field % len(COLOURS)]

    # The brush went along the rings: noise smeared along the angle.
    grain = noise(random, side, 220)
    smeared = np.zeros_like(grain)
    along_x, along_y = np.cos(angle), np.sin(angle)
    for step in np.linspace(-0.024, 0.024, 9, dtype=np.float32):
        smeared += sample(grain, x + step * along_x, y + step * along_y)
    smeared /= 4
    light = 1 + 0.09 * smeared + 0.06 * clouds(random, side, 5, 3)
    weave = canvas_weave(random, side)
    bare = (1.2 * (smeared + 0.4 * weave - 1.75)).clip(0, 0.5)
    image = over(image * light[..., None], bare, colours("efe6d2")[0])
    return lit(image.clip(0, 1), 0.4 * weave + 0.9 * smeared, 0.13)


def _table(rings: int, random: np.random.Generator) -> np.ndarray:
    """(rings, 4) numbers of colours: neighbours always differ, warm ones face cold ones."""
    warm, cold = [0, 1, 2, 9, 3], [4, 5, 6, 7, 8, 11]
    table = np.empty((rings, 4), np.int64)
    for ring in range(rings):
        for quarter in range(4):
            choices = warm if (ring + quarter) % 2 else cold
            taken = {
                table[ring - 1, quarter] if ring else -1,
                table[ring, quarter - 2] if quarter > 1 else -1,
            }
            if ring > 1:
                taken.add(table[ring - 2, quarter])
            table[ring, quarter] = random.choice([c for c in choices if c not in taken])
    return table
