"""A sun over hills and a river in stained glass: Voronoi panes of glowing colours, held by lead."""

from __future__ import annotations

import numpy as np

from .canvas import (
    blend,
    clouds,
    colours,
    grid,
    lit,
    noise,
)

SUN = 0.54, 0.35
RINGS = 0.105, 0.20, 0.31  # radii of the sun and of the two glows around it
REACH = 0.16  # no pixel is further from the two sites nearest to it
PALETTES = tuple(
    colours(codes)
    for codes in (
        "fff8d0 ffe46a",  # the sun
        "ffc02a ff8a1a",
        "f8502a e02860 c83aa0",
        "16309c 1650d0 1c88e8 48b8f4",  # the sky
        "3c2a8c 5a3cb0 7a58c8",  # far mountains
        "0a6a50 0e8c4c 34a83a",  # hills
        "e8b41e f4d23c c8c832",  # fields of corn
        "0c5a28 1e8a34 7cc034",  # meadows in front
        "7ce0f8 b8f0fc 4cb8f0",  # the river
    )
)


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    x, y = grid(side)
    bends = random.uniform(-0.4, 0.4, 4)
    region, contour = _regions(x, y, bends)
    sites = _sites(bends, random)
    belongs = _regions(sites[:, 0], sites[:, 1], bends)[0]
    pane, between = _voronoi(side, sites, belongs, region)
    colour = np.stack([blend(random.random(), PALETTES[kind]) for kind in belongs])
    colour = colour * random.uniform(0.8, 1.1, (len(colour), 1))
    colour = colour[pane]

    # Glass is brighter where it is thin, towards the sun, and along the streaks of its making.
    streaks = 0.5 * noise(random, side, 14, 60) + 0.7 * clouds(random, side, 10, 4)
    bubbles = 0.3 * (noise(random, side, 150) > 2.2)
    glow = np.exp(-((np.hypot(x - SUN[0], y - SUN[1]) / 0.55) ** 2))
    thin = (np.minimum(between, contour) / 0.028).clip(0, 1)
    light = 0.60 + 0.34 * thin + 0.30 * glow + 0.10 * streaks + bubbles
    haze = 0.16 * (thin * (0.5 + glow)) ** 2 * colour.max(-1)
    glass = colour * light[..., None] + haze[..., None]

    rim = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) - 0.004
    outside = np.stack([between - 0.0042, contour - 0.0066, rim - 0.010]).min(0)
    came = (0.5 - outside * side / 2).clip(0, 1)[..., None]
    bulge = np.sqrt((-outside / 0.006).clip(0, 1))
    metal = colours("1a1b22")[0] * (1 + 0.2 * noise(random, side, 120))[..., None]
    metal = lit(metal, (bulge * side * 0.003).astype(np.float32), 1.2)
    return (glass * (1 - came) + metal * came).clip(0, 1)


def _regions(x, y, bends):
    """The number of the region (a place in PALETTES) and the distance to its border."""
    away = np.hypot(x - SUN[0], y - SUN[1])
    ridges = (
        0.575 + 0.035 * np.sin(9 * x + bends[0]) + 0.020 * np.sin(23 * x),
        0.655 + 0.035 * np.sin(6 * x + 1.0 + bends[1]),
        0.735 + 0.030 * np.sin(5 * x + 3.4 + bends[2]),
        0.830 + 0.055 * np.sin(4 * x + 0.2 + bends[3]),
    )
    down = y - ridges[1]
    course = 0.53 + 0.17 * np.sin(11 * down.clip(0) ** 0.9 + 0.4) * (0.35 + 2 * down)
    river = np.abs(x - course) - 0.018 - 0.20 * down.clip(0)
    river = np.maximum(river, ridges[1] - y)
    region = np.full(np.shape(away), 3)
    region = np.where(away < RINGS[2], 2, region)
    region = np.where(away < RINGS[1], 1, region)
    region = np.where(away < RINGS[0], 0, region)
    for number, ridge in enumerate(ridges):
        region = np.where(y > ridge, 4 + number, region)
    region = np.where(river < 0, 8, region)

    border = np.full(np.shape(away), 1.0)
    above = y < ridges[0]
    for radius in RINGS:
        border = np.where(above, np.minimum(border, np.abs(away - radius)), border)
    for ridge in ridges:
        away_from = np.where(river < 0, 1, np.abs(y - ridge) * 0.95)
        border = np.minimum(border, away_from)
    border = np.minimum(border, np.where(down > 0, np.abs(river) * 0.75, 1))
    border = np.minimum(border, np.where(river < 0, np.abs(down), 1))
    return region, border.astype(np.float32)


def _sites(bends, random: np.random.Generator) -> np.ndarray:
    """(N, 2) middles of the panes: rings around the sun, a loose grid on the land."""
    rings = (
        (0.02, 3),
        (0.075, 9),
        (0.152, 15),
        (0.255, 19),
        (0.365, 20),
        (0.48, 24),
        (0.60, 26),
        (0.73, 26),
    )
    sites = []
    for number, (radius, count) in enumerate(rings):
        turn = np.arange(count) + 0.5 * (number % 2) + random.normal(0, 0.08, count)
        turn = 2 * np.pi * turn / count
        away = radius * (1 + random.normal(0, 0.02, count))
        sites.append(np.stack([SUN[0] + away * np.cos(turn), SUN[1] + away * np.sin(turn)], -1))
    sky = np.concatenate(sites)
    sky = sky[_regions(sky[:, 0], sky[:, 1], bends)[0] < 4]
    row, column = np.mgrid[0:13, 0:15]
    land = np.stack([(column + 0.5 * (row % 2)) / 14.0 - 0.02, 0.535 + row / 12 * 0.48], -1)
    land = land.reshape(-1, 2) + random.normal(0, 0.010, (land[..., 0].size, 2))
    kind, border = _regions(land[:, 0], land[:, 1], bends)
    land = land[(kind >= 4) & (border > 0.006)]
    sites = np.concatenate([sky, land])
    return sites[(np.abs(sites - 0.5) < 0.56).all(1)]


def _voronoi(side: int, sites: np.ndarray, belongs: np.ndarray, region: np.ndarray):
    """The nearest site of the pixel's own region, and the distance to the line to the next one."""
    x, y = grid(side)
    best = np.full((2, side, side), 9.0, np.float32)
    which = np.zeros((2, side, side), np.int16)
    for number, (site_x, site_y) in enumerate(sites.astype(np.float32)):
        window = tuple(
            slice(max(0, int((at - REACH) * side)), max(0, int((at + REACH) * side)))
            for at in (site_y, site_x)
        )
        square = (x[window] - site_x) ** 2 + (y[window] - site_y) ** 2
        square[region[window] != belongs[number]] = 9.0
        window = (slice(None), *window)
        (near, next_), (one, two) = best[window], which[window]
        first, second = square < near, square < next_
        two[...] = np.where(first, one, np.where(second, number, two))
        next_[...] = np.where(first, near, np.minimum(next_, square))
        one[first] = number
        np.minimum(near, square, out=near)
    apart = np.linalg.norm(sites[which[0]] - sites[which[1]], axis=-1).clip(0.01)
    return which[0], ((best[1] - best[0]) / (2 * apart)).astype(np.float32)
