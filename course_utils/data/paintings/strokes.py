"""Brush and pen strokes that follow a direction field, thousands at a time."""

# Without `from __future__ import annotations`: pdoc cannot look up what a NamedTuple then has.
from typing import NamedTuple

import numpy as np

from .canvas import sample

SPACING = 0.7  # pixels between the points that a stroke is made of: no holes
CHUNK = 400_000  # points laid at once, which bounds the memory
BRISTLES = 24


class Mark(NamedTuple):
    """Which stroke is on top at each pixel, and where in it the pixel lies; all (side, side)."""

    stroke: np.ndarray  # -1 where there is none
    along: np.ndarray  # 0 at the stroke's start to 1 at its end
    across: np.ndarray  # -1 to 1 from one of its edges to the other


def scattered(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of about `count` points, one in each cell of a grid, in random order.

    They cover a little more than the image, so that its rim is as dense as its middle.
    """
    cells = max(1, round(count**0.5))
    place = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(-1, 2)
    place = (place + random.random(place.shape)) / cells * 1.06 - 0.03
    place = place[random.permutation(len(place))].astype(np.float32)
    return place[:, 0], place[:, 1]


def streamlines(
    angle: np.ndarray, x: np.ndarray, y: np.ndarray, length, steps: int = 12
) -> np.ndarray:
    """Paths (N, 2 steps + 1, 2) of a length each, along the field `angle`, their middle at (x, y).

    A field of undirected lines will do: a path never turns by more than a right angle at once.
    """
    step = np.broadcast_to(np.asarray(length, np.float32), x.shape) / (2 * steps)
    halves = []
    for way in (-1, 1):
        at_x, at_y, before = x.copy(), y.copy(), None
        points = []
        for _ in range(steps):
            here = sample(angle, at_x, at_y)
            heading = np.stack([np.cos(here), np.sin(here)]) * way
            if before is not None:
                heading *= np.where((heading * before).sum(0) < 0, -1, 1)
            before = heading
            at_x, at_y = at_x + step * heading[0], at_y + step * heading[1]
            points.append(np.stack([at_x, at_y], -1))
        halves.append(points)
    backwards, forwards = halves
    middle = [np.stack([x, y], -1)]
    return np.stack(backwards[::-1] + middle + forwards, 1).astype(np.float32)


def lay(side: int, paths: np.ndarray, width, taper: float = 4.0) -> Mark:
    """Lay strokes of a width each along paths (N, P, 2), later ones over earlier ones.

    With a `taper` of 1 a stroke is a spindle, of 2 an ellipse; the larger, the blunter its ends.
    """
    width = np.broadcast_to(np.asarray(width, np.float32), len(paths))
    lengths = np.linalg.norm(np.diff(paths, axis=1), axis=-1).sum(1)
    longways = max(2, int(np.ceil(lengths.max() * side / SPACING)))
    crossways = max(1, int(np.ceil(width.max() * side / SPACING)))
    along = np.linspace(0, 1, longways, dtype=np.float32)
    across = np.linspace(-1, 1, crossways + 2, dtype=np.float32)[1:-1]
    profile = (1 - np.abs(2 * along - 1) ** taper) ** (1 / taper)
    knot = along * (paths.shape[1] - 1)
    left = np.minimum(knot.astype(np.int64), paths.shape[1] - 2)
    mix = (knot - left)[:, None]
    top = np.full(side * side + 1, -1, np.int64)  # the last one takes what lies outside
    each = longways * crossways
    for first in range(0, len(paths), max(1, CHUNK // each)):
        part = slice(first, first + max(1, CHUNK // each))
        a, b = paths[part][:, left], paths[part][:, left + 1]
        middle, tangent = a + (b - a) * mix, b - a
        tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-9)
        normal = np.stack([-tangent[..., 1], tangent[..., 0]], -1)
        reach = (width[part, None] / 2 * profile)[:, :, None] * across  # (n, longways, crossways)
        middle, normal = middle * side, normal * side
        column = np.floor(middle[..., :1] + normal[..., :1] * reach).astype(np.int32)
        row = np.floor(middle[..., 1:] + normal[..., 1:] * reach).astype(np.int32)
        place = row * side + column
        # As unsigned numbers, negative ones are large.
        outside = np.maximum(column.view(np.uint32), row.view(np.uint32)) >= side
        place[outside] = side * side
        code = first * each + np.arange(place.size)
        top[place.ravel()] = code  # of points in one pixel the last stays
    top = top[:-1].reshape(side, side)
    within = top % each
    return Mark(
        np.where(top < 0, -1, top // each),
        along[within // crossways],
        across[within % crossways],
    )


def brush(
    image: np.ndarray,
    height: np.ndarray,
    mark: Mark,
    colour: np.ndarray,
    random: np.random.Generator,
    *,
    bristle: float = 0.1,
    thickness: float = 1.0,
) -> None:
    """Put paint on `image` and on `height` (its relief, in pixels), both changed in place.

    Args:
        colour: (N, 3), one a stroke.
        bristle: how much the bristles' traces differ in brightness.
        thickness: height of the paint, which is heaped up at the rims and at the stroke's end.
    """
    traces = random.standard_normal((97, BRISTLES + 1)).astype(np.float32)
    traces[:, 1:-1] = (traces[:, :-2] + 2 * traces[:, 1:-1] + traces[:, 2:]) / 3
    there = mark.stroke >= 0
    stroke, along, across = (part[there] for part in mark)
    place = (across + 1) / 2 * BRISTLES
    low = place.astype(np.int64)
    mix = place - low
    row = traces[stroke % len(traces)]
    which = np.arange(len(stroke))
    trace = row[which, low] * (1 - mix) + row[which, np.minimum(low + 1, BRISTLES)] * mix
    image[there] = colour[stroke] * (1 + bristle * trace)[:, None]
    rim = across**4 + 0.6 * along**6
    height[there] = 0.3 * height[there] + thickness * (1 + 0.35 * trace + 0.5 * rim)


def busy(sketch: np.ndarray, x: np.ndarray, y: np.ndarray, reach: int = 6) -> np.ndarray:
    """How much `sketch` changes around the points (x, y): where a painter takes a finer brush."""
    from scipy.ndimage import maximum_filter, minimum_filter

    grey = sketch.mean(-1)
    return sample(maximum_filter(grey, reach) - minimum_filter(grey, reach), x, y)
