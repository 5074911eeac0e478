"""What every painting needs: coordinates, smooth noise, palettes, soft edges, light on relief.

The side of an image is the unit of length: x runs from 0 (left) to 1 (right), y from 0 (top) to 1
(bottom), so that the composition is the same at every size. Images are (side, side, 3) float32,
colours in [0, 1].
"""

from __future__ import annotations

import numpy as np


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y at the centres of side x side pixels, each (side, side)."""
    middle = (np.arange(side, dtype=np.float32) + 0.5) / side
    return np.broadcast_to(middle, (side, side)), np.broadcast_to(middle[:, None], (side, side))


def noise(
    random: np.random.Generator, side: int, cells: int, rows: int | None = None
) -> np.ndarray:
    """Smooth noise (side, side), mean about 0, standard deviation about 1.

    Cubic B-splines over a lattice of random numbers. `cells` humps fit from left to right and
    `rows` (default: as many) from top to bottom; the numbers drawn do not depend on `side`.
    """
    rows = rows or cells
    lattice = random.standard_normal((rows + 3, cells + 3), np.float32)
    down, right = _spline(side, rows), _spline(side, cells)
    return down @ lattice @ right.T * 2.1


def clouds(random: np.random.Generator, side: int, cells: int, octaves: int = 4) -> np.ndarray:
    """Noise over several scales, each half as large and half as strong as the one before."""
    layers = [noise(random, side, cells << k) / 2**k for k in range(octaves)]
    return sum(layers) / np.sqrt(sum(4.0**-k for k in range(octaves))).astype(np.float32)


def _spline(side: int, cells: int) -> np.ndarray:
    """(side, cells + 3) weights of cubic B-splines."""
    place = (np.arange(side, dtype=np.float32) + 0.5) / side * cells + 1
    away = np.abs(place[:, None] - np.arange(cells + 3, dtype=np.float32))
    near = 2 / 3 - away**2 + away**3 / 2
    far = (2 - away).clip(0) ** 3 / 6
    return np.where(away < 1, near, far)


def colours(codes: str) -> np.ndarray:
    """(N, 3) colours from codes such as "0b1d4f e8c547"."""
    return np.array(
        [[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes.split()], np.float32
    )


def blend(position: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The colours at `position`, where 0 is the first of the palette and 1 the last."""
    stops = np.linspace(0, 1, len(palette))
    channels = [np.interp(position, stops, palette[:, k]) for k in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def over(image: np.ndarray, cover: np.ndarray, colour) -> np.ndarray:
    """`image` with `colour` laid over it where `cover` is 1, mixed where it is less."""
    cover = cover[..., None]
    return image * (1 - cover) + np.asarray(colour, np.float32) * cover


def inside(distance: np.ndarray, softness: float) -> np.ndarray:
    """1 where a signed distance is negative, 0 where positive, an edge `softness` wide between."""
    return (0.5 - distance / softness).clip(0, 1)


def lit(image: np.ndarray, height: np.ndarray, strength: float) -> np.ndarray:
    """`image` as relief of the given height (in pixels), lit from the top left."""
    slope = np.zeros_like(height)
    slope[:, 1:-1] = height[:, 2:] - height[:, :-2]
    slope[1:-1] += height[2:] - height[:-2]
    light = 1 + strength * np.tanh(slope)
    return (image * light[..., None]).clip(0, 1)


def canvas_weave(random: np.random.Generator, side: int, threads: int = 160) -> np.ndarray:
    """Height (side, side) of a woven canvas, about -1 to 1."""
    x, y = grid(side)
    sway = noise(random, side, 12) * 0.15
    across = np.sin(2 * np.pi * (threads * x + sway))
    along = np.sin(2 * np.pi * (threads * y + sway[::-1]))
    return (across * np.sign(along) + along * 0.5) * (0.6 + 0.2 * noise(random, side, 40))


def sample(field: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The values of `field` (side, side, ...) at the pixels in which the points (x, y) lie."""
    side = len(field)
    column = (x * side).astype(np.int64).clip(0, side - 1)
    row = (y * side).astype(np.int64).clip(0, side - 1)
    return field[row, column]
