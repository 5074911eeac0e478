"""Handwritten digits drawn from pen strokes: images like MNIST's whose true factors are known.

A digit is made in three steps, one function each:

1. `_write`: a writing style gives the points of the pen's path; noise moves them; a spline
   connects them.
2. `_place`: the path is slanted, rotated, scaled and put in its position.
3. `_ink`: a stroke of the given width follows the path and makes grey values.

Every image is a pure function of its class, its factors and its noise. The factors are independent
of each other, of the noise and of the class. All random numbers come from the CPU, so that one
seed gives the same images on every device, up to rounding; drawing takes no matrix product, so
that neither TF32 nor autocast changes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from math import pi, prod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from .handwriting_styles import STYLES, Style
from .held import drawable, held
from .imageset import ImageSet

SIDE = 28  # pixels
CLASSES = tuple("0123456789")

# The factors and their ranges: style is uniform, the others come from a normal distribution around
# the middle, truncated at LIMIT standard deviations (thickness on a logarithmic scale). As in real
# handwriting, average digits are frequent and extreme ones rare.
FACTORS = {
    "style": (0.0, 1.0),  # which of the class's styles; see `style_index`
    "slant": (-0.5, 0.85),  # shear: pixels to the right per pixel up; 0 is upright
    "rotation": (-0.25, 0.25),  # radians, clockwise as seen; applied after the slant
    "thickness": (1.2, 5.0),  # mean stroke width, pixels
    "size": (18.0, 21.5),  # longer side of the box around the ink, pixels
    "position_x": (-1.5, 1.5),  # centre of mass right of the image's centre, pixels
    "position_y": (-1.5, 1.5),  # centre of mass below the image's centre, pixels
}
LIMIT = 2.5

# How far from 0 a factor may be given: further off, nothing of the digit is left in the image.
FARTHEST = {
    "slant": 3.0,
    "rotation": 2 * pi,
    "size": 2.0 * SIDE,
    "position_x": SIDE / 2,
    "position_y": SIDE / 2,
}

# Fixed, these make canonical (deslanted) digits: only class, style, thickness and noise differ.
CANONICAL = {"slant": 0.2, "rotation": 0.0, "size": 19.5, "position_x": 0.0, "position_y": 0.0}

# The noise of one image: independent standard normal numbers, truncated at +-LIMIT.
POINTS = max(sum(len(points) for points, _ in style.strokes()) for style in STYLES)
WAVES = 3
NOISE = {
    "points": (POINTS, 2),  # displacement of each point of the path
    "ends": (2,),  # how much is missing at the start and at the end of the path
    "second_stroke": (2,),  # displacement of the second stroke
    "sloppiness": (1,),  # scale of the displacements
    "roundness": (1,),  # whether the path passes through its points or only near them
    "waves": (WAVES, 5),  # smooth bending of the whole digit
    "waist": (1,),  # upper half larger than the lower, or the reverse
    "taper": (1,),  # top wider than the bottom, or the reverse
    "width": (1,),  # narrow or wide writing
    "pressure": (2,),  # how the stroke width changes along a stroke
    "softness": (1,),  # sharp or blurred edge of the ink
}
NOISE_SIZE = sum(prod(shape) for shape in NOISE.values())

SAMPLES = 80  # points of the path that are drawn: about one per pixel
CHUNK = 256  # digits drawn at a time: what fits the processor's cache


def draw(
    size: int, *, seed: int = 0, fixed: Mapping[str, float] | None = None, device="cpu"
) -> ImageSet:
    """Draw `size` digits, all ten classes equally often.

    The first k digits of a larger set with the same seed are those of `draw(k)`, up to
    rounding.

    Args:
        size: how many digits.
        seed: of the classes, the factors and the noise.
        fixed: factors that are the same for every digit, for example {"rotation": 0.0}; the
            others are drawn as if nothing were fixed.
        device: where to draw, and where the images stay.

    Returns:
        an ImageSet "handwriting" on `device`: images (size, 1, 28, 28) float32 in [0, 1], bright
        strokes on black; labels (size,); factors as in `sample_factors`; classes "0" to "9".

    Raises:
        ValueError: `size` is not a positive whole number, `seed` not a whole number, or a fixed
            factor unknown or impossible, or so many images fill no memory.
    """
    size, seed = _check_request(size, seed)
    labels = sample_labels(size, seed)
    factors = sample_factors(size, seed) | held(fixed, FACTORS, size)
    images = render(labels, factors, sample_noise(size, seed), device)
    return ImageSet("handwriting", images, labels, factors, classes=CLASSES).to(device)


def legible_digits(size: int, seed: int = 0, device="cpu") -> ImageSet:
    """Draw `size` digits with half the noise, in a border of two pixels.

    All of them are legible, and 32 pixels can be halved three times. Classes and factors are those
    of `draw(size, seed=seed)`.

    Args:
        size, seed, device: as for `draw`.

    Returns:
        an ImageSet like that of `draw`, with images (size, 1, 32, 32).

    Raises:
        ValueError: as `draw`.

    Example:
        >>> digits = legible_digits(10)
        >>> digits.images.shape, sorted(digits.labels.tolist())
        (torch.Size([10, 1, 32, 32]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    size, seed = _check_request(size, seed)
    labels, factors = sample_labels(size, seed), sample_factors(size, seed)
    images = pad(render(labels, factors, 0.5 * sample_noise(size, seed), device), (2, 2, 2, 2))
    return ImageSet("handwriting", images, labels, factors, classes=CLASSES).to(device)


def sample_labels(size: int, seed: int = 0) -> Tensor:
    """The classes of `size` digits, (size,) int64 on the CPU; every ten have each class once.

    Args:
        size: how many digits.
        seed: of the random numbers.

    Raises:
        ValueError: `size` is not a positive whole number, or `seed` not a whole number.

    Example:
        >>> sample_labels(20).bincount()
        tensor([2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """
    size, seed = _check_request(size, seed)
    tens = -(-size // 10)  # rounded up
    return _uniform(tens, 10, seed, stream=0).argsort(dim=1).flatten()[:size]


def sample_factors(size: int, seed: int = 0) -> dict[str, Tensor]:
    """The factors of `size` digits.

    Each lies in its range in `FACTORS`, and is independent of the others and of the class.

    Args:
        size: how many digits.
        seed: of the random numbers.

    Returns:
        name -> (size,) float32 on the CPU.

    Raises:
        ValueError: `size` is not a positive whole number, or `seed` not a whole number.

    Example:
        >>> sample_factors(3)["slant"].shape
        torch.Size([3])
    """
    size, seed = _check_request(size, seed)
    uniform = dict(zip(FACTORS, _uniform(size, len(FACTORS), seed, stream=1).unbind(dim=1)))
    factors = {"style": uniform.pop("style")}
    for name, values in uniform.items():
        low, high = FACTORS[name]
        share = 0.5 + _normal(values) / (2 * LIMIT)
        by_ratio = name == "thickness"  # 2 to 3 pixels is as large a step as 3 to 4.5
        factors[name] = low * (high / low) ** share if by_ratio else low + (high - low) * share
    return factors


def sample_noise(size: int, seed: int = 0) -> Tensor:
    """The noise of `size` digits, (size, NOISE_SIZE) float32 on the CPU.

    Args:
        size: how many digits.
        seed: of the random numbers.

    Raises:
        ValueError: `size` is not a positive whole number, or `seed` not a whole number.

    Example:
        >>> sample_noise(3).shape == (3, NOISE_SIZE)
        True
    """
    size, seed = _check_request(size, seed)
    return _normal(_uniform(size, NOISE_SIZE, seed, stream=2))


def render(labels: Tensor, factors: dict[str, Tensor], noise: Tensor, device="cpu") -> Tensor:
    """The images of given classes, factors and noise.

    A pure function, so that one factor can be changed while all others are fixed: repeat one row
    of labels and noise N times and give that factor N values. Factors may leave the ranges of
    `FACTORS` a little (except style); strokes beyond the edge of the image are cut off.

    Args:
        labels: (N,) int64, 0 to 9.
        factors: name -> (N,), all names of `FACTORS`.
        noise: (N, NOISE_SIZE) as from `sample_noise`.
        device: where to draw, and where the images stay.

    Returns:
        (N, 1, 28, 28) float32 in [0, 1].

    Raises:
        ValueError: a factor is missing or unknown, a length differs, or a value is impossible.

    Example:
        >>> render(sample_labels(2), sample_factors(2), sample_noise(2)).shape
        torch.Size([2, 1, 28, 28])
    """
    _check_drawable(labels, factors, noise)
    templates = _templates(torch.device(device))
    labels, noise = labels.to(device), noise.to(device)
    factors = {name: values.to(device, torch.float32) for name, values in factors.items()}
    images = torch.empty(len(labels), 1, SIDE, SIDE, device=device)
    for start in range(0, len(labels), CHUNK):
        rows = slice(start, start + CHUNK)
        part = {name: values[rows, None] for name, values in factors.items()}
        template = templates[style_index(labels[rows], part["style"][:, 0])]
        varied = _unpack(noise[rows])
        radius = part["thickness"] / 2 * _pressure(template, varied)
        path = _place(_write(template, varied, part["thickness"]), radius, template, part)
        softness = (0.3 * varied["softness"]).exp()
        images[rows] = _ink(path, radius, softness)
    return images


def style_index(labels: Tensor, style: Tensor) -> Tensor:
    """The position of each digit's style in `STYLES`.

    The styles of a class divide the interval [0, 1) in proportion to their weights; the factor
    `style` lies in the part of one of them.

    Args:
        labels: (N,) int64, 0 to 9.
        style: (N,) in [0, 1).

    Returns:
        (N,) int64.
    """
    ends, first = _style_shares(labels.device)
    return first[labels] + (style[:, None] >= ends[labels]).sum(dim=1)


def _unpack(noise: Tensor) -> dict[str, Tensor]:
    """The named parts of (n, NOISE_SIZE): name -> (n, *NOISE[name])."""
    parts = noise.split([prod(shape) for shape in NOISE.values()], dim=1)
    return {name: part.unflatten(1, NOISE[name]) for name, part in zip(NOISE, parts)}


# --- 1. write ------------------------------------------------------------------------------------


def _write(template: _Templates, varied: dict[str, Tensor], thickness: Tensor) -> Tensor:
    """The path in units of the digit's box, centred on 0: (n, SAMPLES, 2), x right, y down."""
    scale = (0.35 * varied["sloppiness"]).exp()[:, None]
    spread = 0.035 + 0.04 * template.is_end[..., None]  # strokes begin and end least precisely
    points = template.points + spread * scale * varied["points"]

    # From passing through the points (0) to cutting across between them (0.8), as in haste.
    haste = (0.5 * varied["roundness"]).clamp(0, 0.8)[:, None]
    spline = template.passing + haste * (template.cutting - template.passing)
    path = (spline[..., None] * points[:, None]).sum(dim=2) - 0.5
    path = path + 0.03 * template.second_stroke[..., None] * varied["second_stroke"][:, None]

    # The path begins late and ends early: the samples left out gather at its ends.
    skipped = (0.06 * SAMPLES * varied["ends"]).clamp(0, 0.2 * SAMPLES).long()
    sample = torch.arange(SAMPLES, device=path.device).expand(len(path), -1)
    sample = sample.clamp(skipped[:, :1], SAMPLES - 1 - skipped[:, 1:])
    path = path.gather(1, sample[..., None].expand(-1, -1, 2))

    x, y = path.unbind(dim=2)
    inside = y.clamp(-0.5, 0.5)
    x = x * (1 + 0.4 * varied["taper"] * inside)
    y = y + (0.3 * varied["waist"]).clamp(-0.35, 0.35) * (0.25 - inside**2)

    kx, ky, phase, shift_x, shift_y = varied["waves"][:, None].unbind(dim=3)  # (n, 1, WAVES) each
    wave = (2.6 * (kx * x[..., None] + ky * y[..., None]) + 2 * pi * phase).sin()
    bend = 0.05 * scale[..., 0, None]
    x = x + (bend * shift_x * wave).sum(dim=2)
    y = y + (bend * shift_y * wave).sum(dim=2)

    width = 0.75 * (0.2 * varied["width"]).exp()
    # Digits of thick strokes are wide enough for their loops to stay open.
    width = torch.maximum(width, 0.22 * thickness)
    return torch.stack([width * x, y], dim=2)


def _pressure(template: _Templates, varied: dict[str, Tensor]) -> Tensor:
    """The stroke width along the path relative to its mean: (n, SAMPLES), mean 1."""
    slow, fast = varied["pressure"][..., None].unbind(dim=1)
    along = pi * template.along
    pressure = (0.1 * (slow * along.cos() + fast * (2 * along).cos())).exp()
    return pressure / pressure.mean(dim=1, keepdim=True)


# --- 2. place ------------------------------------------------------------------------------------


def _place(
    path: Tensor, radius: Tensor, template: _Templates, factors: dict[str, Tensor]
) -> Tensor:
    """The path in pixels from the image's centre, shaped by the factors: (n, SAMPLES, 2)."""
    x, y = path.unbind(dim=2)
    x = x - factors["slant"] * y
    cos, sin = factors["rotation"].cos(), factors["rotation"].sin()
    path = torch.stack([x * cos - y * sin, x * sin + y * cos], dim=2)

    longer_side = (path.amax(dim=1) - path.amin(dim=1)).amax(dim=1, keepdim=True)
    path = path * ((factors["size"] - factors["thickness"]) / longer_side)[..., None]

    # Each sample stands for the ink of the two half steps around it; a lifted pen leaves none.
    steps = (path[:, 1:] - path[:, :-1]).norm(dim=2) * template.pen_down
    ink = radius * torch.nn.functional.pad(steps, (1, 1)).unfold(1, 2, 1).sum(dim=2)
    mass = ink[..., None] / ink.sum(dim=1)[:, None, None]
    position = torch.cat([factors["position_x"], factors["position_y"]], dim=1)
    return path - (mass * path).sum(dim=1, keepdim=True) + position[:, None]


# --- 3. ink --------------------------------------------------------------------------------------


def _ink(path: Tensor, radius: Tensor, softness: Tensor) -> Tensor:
    """Grey values (n, 1, 28, 28) of a round pen that follows the path.

    Args:
        path: (n, SAMPLES, 2) pixels from the image's centre.
        radius: (n, SAMPLES) of the pen, pixels.
        softness: (n, 1) width of the ink's edge, pixels.
    """
    # The smallest power distance |pixel - sample|^2 - radius^2 finds the disc a pixel is deepest
    # in; it splits into a part in x and a part in y, so each sample costs one addition a pixel.
    pixels = torch.arange(SIDE, device=path.device) - (SIDE - 1) / 2
    x, y = path.unbind(dim=2)
    across = (pixels - x[..., None]) ** 2 - (radius**2)[..., None]
    down = (pixels - y[..., None]) ** 2
    nearest = across[:, 0, None, :] + down[:, 0, :, None]
    for sample in range(1, SAMPLES):
        disc = across[:, sample, None, :] + down[:, sample, :, None]
        nearest = torch.minimum(nearest, disc, out=nearest)

    mean_radius = radius.mean(dim=1)[:, None, None]
    outside = (nearest + mean_radius**2).clamp(min=0).sqrt() - mean_radius  # pixels from the edge
    return (0.5 - outside / softness[..., None]).clamp(0, 1)[:, None]


# --- templates -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Templates:
    """Styles as tensors, a row a style, so that digits of all classes are drawn together."""

    points: Tensor  # (styles, POINTS, 2) in box units; unused ones are 0
    is_end: Tensor  # (styles, POINTS) 1 where a stroke begins or ends
    passing: Tensor  # (styles, SAMPLES, POINTS) makes a path that goes through the points
    cutting: Tensor  # (styles, SAMPLES, POINTS) makes a path that cuts across between them
    along: Tensor  # (styles, SAMPLES) 0 to 1 along each stroke
    second_stroke: Tensor  # (styles, SAMPLES) 1 in the second stroke
    pen_down: Tensor  # (styles, SAMPLES - 1) 0 where the pen is lifted between two samples

    def __getitem__(self, index: Tensor) -> _Templates:
        return _Templates(*(getattr(self, f.name)[index] for f in fields(self)))


@cache
def _templates(device: torch.device) -> _Templates:
    rows = [_template(style) for style in STYLES]
    columns = [[getattr(row, f.name) for row in rows] for f in fields(_Templates)]
    return _Templates(*(torch.stack(column).to(device) for column in columns))


def _template(style: Style) -> _Templates:
    """One style's row, without the first dimension."""
    strokes = style.strokes()
    lengths = [(points[1:] - points[:-1]).norm(dim=1).sum() for points, _ in strokes]
    shares = [max(6, round(float(SAMPLES * length / sum(lengths)))) for length in lengths]
    shares[0] = SAMPLES - sum(shares[1:])
    splines = [_stroke_splines(*strokes[i], shares[i]) for i in range(len(strokes))]
    passing = torch.block_diag(*(through for through, _ in splines))
    cutting = torch.block_diag(*(across for _, across in splines))

    is_end = torch.cat([torch.tensor([1.0] + [0.0] * (len(p) - 2) + [1.0]) for p, _ in strokes])
    stroke = torch.arange(len(strokes)).repeat_interleave(torch.tensor(shares))
    unused = POINTS - len(is_end)
    pad = torch.nn.functional.pad
    return _Templates(
        points=pad(torch.cat([points for points, _ in strokes]), (0, 0, 0, unused)),
        is_end=pad(is_end, (0, unused)),
        passing=pad(passing, (0, unused)),
        cutting=pad(cutting, (0, unused)),
        along=torch.cat([torch.linspace(0, 1, share) for share in shares]),
        second_stroke=(stroke == 1).float(),
        pen_down=(stroke[1:] == stroke[:-1]).float(),
    )


def _stroke_splines(points: Tensor, corners: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Two (samples, n) matrices that turn the n points of a stroke into a path.

    The first is the spline of Catmull and Rom (1974), which passes through the points; the second
    the uniform cubic B-spline, which only approaches them. A corner counts twice as a knot, so
    that both turn sharply there. The samples are equally far apart along the polygon of the knots.
    """
    point_of_knot = torch.arange(len(points)).repeat_interleave(1 + corners.long())
    knots = points[point_of_knot]
    steps = (knots[1:] - knots[:-1]).norm(dim=1) + 1e-4  # so that twins are still in order
    distance = np.append(0.0, steps.cumsum(dim=0).numpy())
    places = np.linspace(0, distance[-1], samples)
    position = torch.from_numpy(np.interp(places, distance, np.arange(len(knots)))).float()
    select = torch.nn.functional.one_hot(point_of_knot, len(points)).float()
    catmull_rom = _spline_matrix(position, len(knots), _catmull_rom) @ select
    b_spline = _spline_matrix(position, len(knots), _b_spline) @ select
    return catmull_rom, b_spline


def _spline_matrix(position: Tensor, knots: int, blend) -> Tensor:
    """(samples, knots): the path at each position in [0, knots - 1] as a mixture of the knots.

    A segment mixes the four knots around it. The ends have no such neighbour: it is the last but
    one knot, reflected at the last.
    """
    segment = position.long().clamp(max=knots - 2)
    mixture = torch.zeros(len(position), knots + 2)
    mixture.scatter_(1, segment[:, None] + torch.arange(4), blend(position - segment))
    reflected = torch.nn.functional.pad(torch.eye(knots), (0, 0, 1, 1))
    reflected[0, :2] = torch.tensor([2.0, -1.0])
    reflected[-1, -2:] = torch.tensor([-1.0, 2.0])
    return mixture @ reflected


def _catmull_rom(u: Tensor) -> Tensor:
    weights = [-u + 2 * u**2 - u**3, 2 - 5 * u**2 + 3 * u**3, u + 4 * u**2 - 3 * u**3, u**3 - u**2]
    return torch.stack(weights, dim=1) / 2


def _b_spline(u: Tensor) -> Tensor:
    weights = [(1 - u) ** 3, 4 - 6 * u**2 + 3 * u**3, 1 + 3 * u + 3 * u**2 - 3 * u**3, u**3]
    return torch.stack(weights, dim=1) / 6


@cache
def _style_shares(device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each style's part of [0, 1) ends, (10, most styles of a class), and first styles (10,).

    Classes with fewer styles are filled up with 1, which no style number reaches.
    """
    weights = [[s.weight for s in STYLES if s.digit == digit] for digit in range(10)]
    counts = torch.tensor([len(of_class) for of_class in weights])
    ends = torch.ones(10, int(counts.max()))
    for digit, of_class in enumerate(weights):
        shares = torch.tensor(of_class, dtype=torch.float64) / sum(of_class)
        ends[digit, : len(of_class) - 1] = shares.cumsum(dim=0)[:-1].float()
    return ends.to(device), (counts.cumsum(dim=0) - counts).to(device)


# --- random numbers and checks -------------------------------------------------------------------


def _uniform(rows: int, columns: int, seed: int, stream: int) -> Tensor:
    """(rows, columns) in [0, 1). Labels, factors and noise each draw from a stream of their own."""
    generator = torch.Generator().manual_seed(3 * seed + stream)
    return torch.rand(rows, columns, generator=generator)


def _normal(uniform: Tensor) -> Tensor:
    """Standard normal numbers that end at +-LIMIT, from uniform ones."""
    tail = torch.special.ndtr(torch.tensor(-LIMIT))
    return torch.special.ndtri(tail + (1 - 2 * tail) * uniform)


def _check_request(size: int, seed: int) -> tuple[int, int]:
    return drawable(size, seed, 1, SIDE, SIDE)


def _check_drawable(labels: Tensor, factors: dict[str, Tensor], noise: Tensor):
    if set(factors) != set(FACTORS):
        raise ValueError(f"factors must be exactly {', '.join(FACTORS)}, not {', '.join(factors)}.")
    if labels.is_floating_point() or labels.dim() != 1 or not ((labels >= 0) & (labels < 10)).all():
        raise ValueError("labels must be a 1-D tensor of whole numbers from 0 to 9.")
    for name, values in factors.items():
        if values.shape != labels.shape:
            shape = tuple(values.shape)
            raise ValueError(f"{name} must hold {len(labels)} numbers, one per label, not {shape}.")
        if not values.isfinite().all():
            raise ValueError(f"{name} holds numbers that are not finite.")
        farthest = FARTHEST.get(name)
        if farthest and (values.abs() > farthest).any():
            worst = values[values.abs().argmax()].item()
            raise ValueError(
                f"{name} is {worst:g}, and nothing of the digit would be left in the image; give "
                f"numbers from {-farthest:.3g} to {farthest:.3g}."
            )
    if noise.shape != (len(labels), NOISE_SIZE):
        needed, given = (len(labels), NOISE_SIZE), tuple(noise.shape)
        raise ValueError(f"noise must have the shape {needed}, as from sample_noise, not {given}.")
    style, thickness, size = factors["style"], factors["thickness"], factors["size"]
    if not ((style >= 0) & (style < 1)).all():
        raise ValueError("style must lie in [0, 1).")
    if not ((thickness > 0) & (thickness < size)).all():
        raise ValueError("thickness must be positive and smaller than size (both in pixels).")
