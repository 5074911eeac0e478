"""A fish in the sea, as in Rome: thousands of cut stones in rows that follow its outline."""

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
from .strokes import lay

SKETCH = 384
STONE = 0.0185  # side of a stone
SEA = colours("12384a 1c5a6a 2f8488 7ab8a8 c8dcc0")
MORTAR = colours("8f8672")[0]


def paint(side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3) float32 in [0, 1]."""
    sketch, regions = _scene(random)
    place, angle, size = _stones(regions, random)
    turned = angle + random.normal(0, 0.06, len(angle))
    half = 0.5 * size[:, None] * np.stack([np.cos(turned), np.sin(turned)], -1)
    half = half * random.uniform(0.8, 0.95, (len(half), 1))
    paths = np.stack([place - half, place, place + half], 1).astype(np.float32)
    mark = lay(side, paths, size * random.uniform(0.78, 0.92, len(size)), taper=14)
    colour = sample(sketch, place[:, 0], place[:, 1])
    colour = colour * (1 + 0.13 * random.standard_normal((len(place), 1)))
    colour = colour + 0.035 * random.standard_normal(colour.shape)

    there = mark.stroke >= 0
    grain = noise(random, side, 160)
    image = MORTAR * (1 + 0.05 * grain + 0.06 * noise(random, side, 30))[..., None]
    stone = colour[mark.stroke[there]] * (1 + 0.05 * grain[there])[:, None]
    image[there] = stone
    tilt = random.standard_normal((len(place), 2))[mark.stroke]
    height = np.where(there, 2.2 + tilt[..., 0] * mark.along + 0.5 * tilt[..., 1] * mark.across, 0)
    return lit(image.clip(0, 1), height.astype(np.float32), 0.17)


def _scene(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What is shown, and the number of the region that each pixel belongs to."""
    x, y = grid(SKETCH)
    swell = np.sin(
        2 * np.pi * (5.5 * y + 0.35 * np.sin(2 * np.pi * 1.6 * x) + 0.2 * noise(random, SKETCH, 3))
    )
    sketch = blend(
        (0.42 - 0.25 * (y - 0.5) + 0.22 * swell + 0.06 * noise(random, SKETCH, 8)).clip(0, 1), SEA
    )
    regions = np.zeros((SKETCH, SKETCH), np.int64)

    def put(distance, image, region):
        nonlocal sketch, regions
        sketch = over(sketch, inside(distance, 0.003), image)
        if region:
            regions = np.where(distance < 0, region, regions)

    # The fish lies on a bow; u runs from its mouth (-1) to its tail (1), v from back to belly.
    turn = 0.32
    u = ((x - 0.46) * np.cos(turn) + (y - 0.52) * np.sin(turn)) / 0.30
    v = (-(x - 0.46) * np.sin(turn) + (y - 0.52) * np.cos(turn)) / 0.30 + 0.14 * (u * u - 0.4)
    half = 0.56 * np.sqrt((1 - ((u + 0.12) / 0.96) ** 2).clip(0)) * (1 - 0.18 * u) + 0.02
    body = np.where(np.abs(u + 0.05) < 1.05, np.abs(v) - half, 1)
    stem = ((u - 0.62) / 0.6).clip(0, 1)
    notch = 1.24 - 0.24 * (1 - np.abs(v) / 0.5).clip(0)
    tail = np.maximum(np.abs(v) - 0.12 - 0.62 * stem, np.maximum(0.66 - u, u - notch))
    stripes = np.sin(2 * np.pi * (2.6 * u - 1.2 * np.abs(v)))
    fins = blend(
        (0.5 + 0.5 * np.sin(2 * np.pi * 9 * v / (0.3 + stem)) * 0.8).clip(0, 1),
        colours("a8321f e0702c f6b54a"),
    )
    back = np.maximum(-v - half - 0.26 * (1 - ((u + 0.05) / 0.62) ** 2).clip(0), v + 0.6 * half)
    belly = np.maximum(v - half - 0.24 * (1 - ((u - 0.1) / 0.3) ** 2).clip(0), 0.5 * half - v)
    rays = blend(
        (0.5 + 0.45 * np.sin(2 * np.pi * (6 * u - 2 * v))).clip(0, 1),
        colours("8c2a20 d85a28 f4a83c"),
    )
    put(np.where(np.abs(u + 0.05) < 0.62, back, 1), rays, 2)
    put(np.where(np.abs(u - 0.1) < 0.3, belly, 1), rays, 2)
    put(tail, fins, 2)
    put(body - 0.05, colours("3a1a1c")[0], 1)
    flank = blend(
        (0.52 + v / (2.1 * half)).clip(0, 1), colours("b3301e e0602a f4a93e f8e0a0 fdf4dc")
    )
    flank = over(flank, inside(0.5 - stripes, 0.3) * (u > -0.42), colours("7c1f24")[0])
    scales = np.sin(2 * np.pi * (7 * u + 3.5 * v)) * np.sin(2 * np.pi * (7 * u - 3.5 * v))
    flank = flank * (1 + 0.14 * scales * (u > -0.42))[..., None]
    put(body, flank, 1)
    gill = np.abs(np.hypot(u + 0.92, v) - 0.5) - 0.035
    put(np.maximum(gill, body + 0.06), colours("5c1a1e")[0], 0)
    for radius, colour in ((0.15, "3a1a1c"), (0.125, "fdf4dc"), (0.075, "1a1420")):
        put(np.hypot(u + 0.72, v + 0.12) - radius, colours(colour)[0], 4 if radius > 0.14 else 0)
    put(
        np.maximum(np.abs(v - 0.12 - 0.1 * (u + 0.9)) - 0.025, np.maximum(u + 0.84, body)),
        colours("3a1a1c")[0],
        0,
    )
    for at_x, at_y, radius in ((0.155, 0.24, 0.034), (0.215, 0.165, 0.024), (0.17, 0.11, 0.017)):
        ring = np.hypot(x - at_x, y - at_y)
        put(ring - radius, colours("f4f2dc")[0], 3)
        put(ring - 0.5 * radius, colours("8fc8c0")[0], 0)
    for at_x, lean in ((0.84, 0.05), (0.90, -0.03), (0.80, 0.02), (0.16, -0.04), (0.11, 0.03)):
        top = 0.60 + 0.12 * random.random()
        leaf = (
            np.abs(x - at_x - lean * np.sin(9 * (y - 0.9)))
            - 0.016 * ((y - top) / 0.2).clip(0, 1) ** 0.6
        )
        put(
            np.where((y > top) & (y < 0.95), leaf, 1),
            blend((1.6 - 1.3 * y).clip(0, 1), colours("2a4a20 6a8c30 b8b84a")),
            5,
        )
    ground = 0.87 + 0.014 * noise(random, SKETCH, 5, 1)[:1] - y
    put(
        ground,
        blend((0.5 + 0.4 * clouds(random, SKETCH, 9)).clip(0, 1), colours("a8844c d8b878 f0e0b0")),
        6,
    )

    rim = np.maximum(np.abs(x - 0.5), np.abs(y - 0.5))
    put(0.455 - rim, colours("f0e6cc")[0], 7)
    around = np.where(np.abs(x - 0.5) > np.abs(y - 0.5), y, x)
    put(
        0.475 - rim,
        over(
            colours("a83224")[0] + 0 * sketch,
            1.0 * (np.sin(2 * np.pi * 9 * around) > 0.2),
            colours("20242c")[0],
        ),
        8,
    )
    return sketch.clip(0, 1), regions


def _stones(regions: np.ndarray, random: np.random.Generator):
    """Centres (N, 2), angles and sizes of the stones: rows along the regions' outlines."""
    from scipy.ndimage import distance_transform_edt
    from scipy.spatial import cKDTree
    from skimage.feature import peak_local_max
    from skimage.measure import find_contours

    places, angles, towards = [], [], np.zeros((SKETCH, SKETCH), np.float32)
    step = STONE * SKETCH
    for region in sorted(set(regions.ravel()), reverse=True):
        here = np.pad(regions == region, 1)
        depth = distance_transform_edt(here)[1:-1, 1:-1]
        slope_y, slope_x = np.gradient(depth)
        towards = np.where(regions == region, np.arctan2(slope_x, -slope_y), towards)
        for level in np.arange(0.5 * step, depth.max(), step):
            for line in find_contours(depth, level):
                length = np.concatenate([[0], np.hypot(*np.diff(line, axis=0).T).cumsum()])
                count = int(length[-1] / step)
                if not count:
                    continue
                at = (np.arange(count) + random.random()) / count * length[-1]
                spot = np.stack([np.interp(at, length, line[:, k]) for k in (1, 0)], -1)
                ahead = np.stack([np.interp(at + 2, length, line[:, k]) for k in (1, 0)], -1)
                before = np.stack([np.interp(at - 2, length, line[:, k]) for k in (1, 0)], -1)
                heading = ahead - before
                places.append(spot)
                angles.append(np.arctan2(heading[:, 1], heading[:, 0]))
    place, angle = np.concatenate(places), np.concatenate(angles)
    kept = np.ones(len(place), bool)
    for one, other in sorted(cKDTree(place).query_pairs(0.72 * step)):
        if kept[one]:
            kept[other] = False
    place, angle = place[kept], angle[kept]
    size = np.full(len(place), STONE)
    for smaller in (0.8, 0.6):  # the gaps that the rows leave
        taken = np.ones((SKETCH, SKETCH), bool)
        row, column = place[:, 1].round().astype(int), place[:, 0].round().astype(int)
        taken[row.clip(0, SKETCH - 1), column.clip(0, SKETCH - 1)] = False
        away = distance_transform_edt(taken)
        gaps = peak_local_max(
            away,
            min_distance=4,
            threshold_abs=0.5 * (1 + smaller) * step * 0.95,
            exclude_border=False,
        )
        place = np.concatenate([place, gaps[:, ::-1]])
        angle = np.concatenate([angle, towards[gaps[:, 0], gaps[:, 1]]])
        size = np.concatenate([size, np.full(len(gaps), smaller * STONE)])
    return (place + 0.5) / SKETCH, angle, size
