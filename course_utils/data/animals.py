"""Cartoon animals on a plain, with a ground truth for unpaired image-to-image translation.

All kinds of animals are drawn from the same factors, so that the same seed with another kind gives
the same scene, pixel by pixel, with the other animal in it. Lessons on unpaired translation train
without these pairs and are evaluated on them.

- "horse": a plain coat.
- "zebra": the same shape; stripes in the horse's coat colour, darker by STRIPE, on PALE. The pairs
  are one to one: either image determines the other.
- "grey zebra": stripes in INK whatever the coat, so that the colour of the horse is lost.
- "giraffe": the same body and legs with a long neck and a small head; patches in the coat colour.

Half the side of an image is the unit of length: x runs from -1 (left) to 1 (right), y from -1
(bottom) to 1 (top). An animal has coordinates of its own, in which it always faces right: `along`
it, and `up` from the ground it stands on. Shapes are signed distances, negative inside, as in
`faces`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ..session.arguments import whole
from .held import check_factors as check_ranges
from .held import drawable, held
from .imageset import ImageSet

__all__ = ["FACTORS", "KINDS", "RANGES", "draw", "mask", "render", "sample_factors"]

KINDS = ("horse", "zebra", "grey zebra", "giraffe")

# Every factor is uniform between these ends, independently of all others.
RANGES = {
    "coat": (0.0, 1.0),  # sand, gold, chestnut, bay, dark brown
    "facing": (0, 1),  # 0 to the left, 1 to the right: one of the two
    "place": (-1.0, 1.0),  # as far left .. as far right as the whole animal can be seen
    "size": (0.0, 1.0),  # small .. large
    "head": (0.0, 1.0),  # grazing .. held high
    "stride": (-1.0, 1.0),  # the near foreleg back .. forward, the other legs in step
    "sky": (0.0, 1.0),  # dawn, day, evening
    "grass": (0.0, 1.0),  # dry .. lush
    "horizon": (0.0, 1.0),  # low .. high
    "tree": (-1.0, 1.0),  # left .. right; the sun stands on the other side
}
FACTORS = tuple(RANGES)

GROUND = -0.8  # height at which the animals stand
PERIOD = 0.22  # of the stripes, in lengths of the animal


def _rgb(*codes: str) -> Tensor:
    """(len(codes), 3) colours in [0, 1] from codes such as "ffe0c4"."""
    return torch.tensor([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes])


COAT = _rgb("e6bd78", "d9932f", "b8561f", "85371f", "4f2a20")
SKY = _rgb("e39aa6", "7fb3e6", "3f8fdc", "7a6fc0")
HAZE = _rgb("ffe0b5", "dcefff", "bfe3fb", "ffc9a0")  # the sky above the horizon
GRASS = _rgb("c9b45c", "93b84f", "4f9a45", "2f7a4a")
INK, PALE, CREAM, LEAVES, TRUNK, SUN = _rgb(
    "2a2730", "fbf6ea", "f6e3b8", "3d7a4a", "6b4a35", "fff3b8"
)
STRIPE = 0.55  # brightness of stripes, mane, tail, ears and muzzle against the horse's coat
PATCH = 0.85  # the same of a giraffe's patches


def sample_factors(count: int, seed: int = 0) -> dict[str, Tensor]:
    """Independent factors of `count` animals.

    They are the same for every kind, and the first ones do not depend on `count`.

    Args:
        count: how many animals.
        seed: of the random numbers.

    Returns:
        name -> (count,) float32 on the CPU.

    Raises:
        ValueError: `count` is not a whole number of at least 1.

    Example:
        >>> factors = sample_factors(100)
        >>> factors["coat"].shape, factors["facing"].unique().tolist()  # left or right
        (torch.Size([100]), [0.0, 1.0])
    """
    count, seed = drawable(count, seed, 3, 32, 32, name="count")
    generator = torch.Generator().manual_seed(seed)
    # One row per animal, so that more animals only add rows.
    uniform = torch.rand(count, len(FACTORS), generator=generator)
    low, high = torch.tensor(list(RANGES.values())).T
    columns = (low + (high - low) * uniform).T.contiguous()
    factors = dict(zip(FACTORS, columns, strict=True))
    factors["facing"] = factors["facing"].round()
    return factors


def check_factors(factors: Mapping[str, Tensor]) -> None:
    """Refuse factors that do not describe one or more animals.

    Raises:
        ValueError: a factor is missing, unknown, of another shape or out of its range.
    """
    check_ranges(factors, RANGES, "an animal")
    if not (torch.as_tensor(factors["facing"]) % 1 == 0).all():
        raise ValueError("Every facing must be 0 (left) or 1 (right), and one is neither.")


def draw(
    count: int,
    kind: str = "horse",
    *,
    seed: int = 0,
    resolution: int = 32,
    fixed: Mapping[str, float] | None = None,
    device: torch.device | str = "cpu",
) -> ImageSet:
    """`count` random animals of one kind, with their factors.

    The same seed with another kind gives the ground truth of a translation: the same scene around
    the other animal. The first images do not depend on `count`, and every device draws the same up
    to rounding.

    Args:
        count: how many animals.
        kind: one of `KINDS`.
        seed: of the factors.
        resolution: height and width in pixels, 16 to 128.
        fixed: factors that are the same in every image, for example {"head": 1.0}; the others
            are drawn as if nothing were fixed.
        device: where to draw, and where the images stay.

    Returns:
        an ImageSet with images (count, 3, resolution, resolution) float32 in [0, 1].

    Raises:
        ValueError: `count` is below 1, `kind` is unknown, `resolution` is not between 16 and 128,
            or a fixed factor is unknown or out of range.

    Example:
        >>> horses, zebras = draw(4, "horse"), draw(4, "zebra")  # pairs: the same seed
        >>> horses.images.shape, torch.equal(horses.factors["sky"], zebras.factors["sky"])
        (torch.Size([4, 3, 32, 32]), True)
    """
    factors = _factors(count, seed, fixed)
    images = render(factors, kind, resolution=resolution, device=device)
    on_device = {name: values.to(device) for name, values in factors.items()}
    return ImageSet(kind, images, factors=on_device)


def mask(
    count: int,
    kind: str = "horse",
    *,
    seed: int = 0,
    resolution: int = 32,
    fixed: Mapping[str, float] | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The segmentation masks of the images that `draw` makes with the same arguments.

    Args:
        count, kind, seed, resolution, fixed, device: as for `draw`.

    Returns:
        (count, 1, resolution, resolution) in [0, 1], the share of each pixel that the animal
        covers. Where it is 0 is background, which is the same for all kinds.

    Raises:
        ValueError: as `draw`.

    Example:
        >>> mask(4, "zebra").shape
        torch.Size([4, 1, 32, 32])
    """
    factors = _factors(count, seed, fixed)
    return _in_chunks(factors, kind, resolution, device, channels=1)


def render(
    factors: Mapping[str, Tensor],
    kind: str = "horse",
    *,
    resolution: int = 32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The images of given factors, without any random number.

    Args:
        factors: every name of `FACTORS` -> (N,) tensor within its range of `RANGES`.
        kind, resolution, device: as for `draw`.

    Returns:
        (N, 3, resolution, resolution) float32 in [0, 1] on `device`.

    Raises:
        ValueError: a factor is missing, unknown, of another shape or out of its range, `kind` is
            unknown, or `resolution` is not between 16 and 128.

    Example:
        >>> factors = sample_factors(1) | {"head": torch.tensor([0.0])}  # grazing
        >>> render(factors, "horse", resolution=64).shape
        torch.Size([1, 3, 64, 64])
    """
    return _in_chunks(factors, kind, resolution, device, channels=3)


def _factors(count: int, seed: int, fixed: Mapping[str, float] | None) -> dict[str, Tensor]:
    factors = sample_factors(count, seed)
    return factors | held(fixed, FACTORS, len(factors["coat"]))


def _in_chunks(factors, kind: str, resolution: int, device, channels: int) -> Tensor:
    """All images (3 channels) or all masks (1 channel), some at a time."""
    if kind not in KINDS:
        raise ValueError(f"There is no kind {kind!r}; choose one of {', '.join(KINDS)}.")
    resolution = whole(resolution, "resolution", 16, 128)
    check_factors(factors)
    value = {name: torch.as_tensor(factors[name]).float().to(device) for name in FACTORS}
    count, _ = drawable(len(value["coat"]), 0, channels, resolution, resolution, name="count")
    images = torch.empty(count, channels, resolution, resolution, device=device)
    # A plane of a chunk should stay in a processor's cache; an accelerator prefers large ones.
    pixels = 2**17 if images.device.type == "cpu" else 2**22
    chunk = max(1, pixels // resolution**2)
    for start in range(0, count, chunk):
        part = {name: column[start : start + chunk] for name, column in value.items()}
        scene = _place(part, kind, resolution)
        drawn = _cover_of_all(scene)[:, None] if channels == 1 else _image(scene, kind, part)
        images[start : start + chunk] = drawn
    return images


# Geometry


class _Shape(NamedTuple):
    """What differs between the kinds; angles in degrees, grazing and with the head held high."""

    neck_low: float
    neck_high: float
    neck_length: float
    neck_end: float  # radius
    head_low: float
    head_high: float
    head_length: float
    head_radius: float
    nose_radius: float
    mane_lift: float  # how far the mane stands off the middle of the neck
    mane_end: float  # radius


HORSE = _Shape(-54, 62, 0.44, 0.1, -78, -33, 0.27, 0.11, 0.075, 0.085, 0.065)
GIRAFFE = _Shape(54, 80, 0.62, 0.075, -50, -25, 0.2, 0.085, 0.06, 0.03, 0.055)


class _Scene(NamedTuple):
    """For every pixel, (N, R, R), where it lies and its distance to each part of the animal."""

    x: Tensor  # (1, 1, R), in the image
    y: Tensor  # (1, R, 1)
    along: Tensor  # in the animal's own coordinates
    up: Tensor
    pixel: Tensor  # (N, 1, 1), the size of a pixel in lengths of the animal
    body: Tensor  # trunk, neck, head and near legs in one
    far_legs: Tensor
    hair: Tensor  # mane and tail
    ears: Tensor
    eye: Tensor
    muzzle: Tensor
    band: Tensor  # the place from the rump to the nose, or on a leg: stripes run across it


def _capsule(x, y, start, end, start_radius, end_radius) -> tuple[Tensor, Tensor]:
    """Distance to a line thickened by a radius that changes evenly from one end to the other.

    Returns:
        the distance, and the position along the line, 0 to 1.
    """
    length_x, length_y = end[0] - start[0], end[1] - start[1]
    square = length_x * length_x + length_y * length_y
    x, y = x - start[0], y - start[1]
    place = ((x * (length_x / square)) + y * (length_y / square)).clamp(0, 1)
    across, over = x - place * length_x, y - place * length_y
    distance = (across.square_() + over.square_()).sqrt_()
    return distance - (start_radius + (end_radius - start_radius) * place), place


def _smooth_union(one: Tensor, other: Tensor, roundness: float) -> Tensor:
    """The nearer of two distances, with the inner corner where the shapes meet rounded off."""
    overlap = (roundness - (one - other).abs()).clamp_min(0)
    return torch.minimum(one, other) - overlap.square() / (4 * roundness)


def _toward(point, angle, length):
    """The point at this angle (radians above the level) and distance from another."""
    return point[0] + length * angle.cos(), point[1] + length * angle.sin()


def _disc(x, y, middle, radius: float) -> Tensor:
    return ((x - middle[0]).square() + (y - middle[1]).square()).sqrt() - radius


def _leg(along, up, hip, foot, thick: float) -> Tensor:
    """Distance to a leg from the hip over the knee to the foot, `foot` along on the ground."""
    knee = (0.5 * (hip[0] + foot) + 0.02, 0.24)
    upper, _ = _capsule(along, up, hip, knee, thick, 0.06)
    lower, _ = _capsule(along, up, knee, (foot, 0.045), 0.06, 0.055)
    return torch.minimum(upper, lower)


def _place(value: dict[str, Tensor], kind: str, resolution: int) -> _Scene:
    value = {name: column.view(-1, 1, 1) for name, column in value.items()}
    centres = (torch.arange(resolution, device=value["coat"].device) + 0.5) * (2 / resolution) - 1
    x, y = centres.view(1, 1, -1), -centres.view(1, -1, 1)
    scale = 0.86 + 0.24 * value["size"]
    middle = value["place"] * (1 - 0.87 * scale)
    along = (2 * value["facing"] - 1) * (x - middle) / scale + 0.1
    along, up = torch.broadcast_tensors(along, (y - GROUND) / scale)

    trunk, _ = _capsule(along, up, (-0.34, 0.63), (0.29, 0.62), 0.215, 0.2)
    near_legs, far_legs, tail = _legs_and_tail(along, up, swing=0.17 * value["stride"])
    front = _front(along, up, value["head"], GIRAFFE if kind == "giraffe" else HORSE)
    body = _smooth_union(_smooth_union(trunk, front.whole, 0.08), near_legs, 0.06)
    band = torch.where(front.neck < trunk, front.neck_band, along)
    band = torch.where(front.head < torch.minimum(front.neck, trunk), front.head_band, band)
    # A leg is striped where it comes out below the trunk.
    band = torch.where((near_legs < front.whole) & (trunk > 0), up - 0.02, band)
    return _Scene(
        x, y, along, up, 2 / resolution / scale, body, far_legs,
        torch.minimum(tail, front.mane), front.ears, front.eye, front.muzzle, band,
    )  # fmt: skip


def _legs_and_tail(along, up, swing) -> tuple[Tensor, Tensor, Tensor]:
    """Distances to the near legs, the far legs and the tail."""
    near = torch.minimum(
        _leg(along, up, (-0.4, 0.52), -0.42 - swing, 0.13),
        _leg(along, up, (0.33, 0.5), 0.33 + swing, 0.1),
    )
    far = torch.minimum(
        _leg(along, up, (-0.3, 0.52), -0.29 + swing, 0.12),
        _leg(along, up, (0.24, 0.5), 0.2 - swing, 0.1),
    )
    tail, _ = _capsule(along, up, (-0.52, 0.74), (-0.64 - 0.25 * swing, 0.3), 0.035, 0.065)
    return near, far, tail


class _Front(NamedTuple):
    """Distances to the parts before the trunk, and the places along neck and head."""

    whole: Tensor  # neck and head in one
    neck: Tensor
    head: Tensor
    mane: Tensor
    ears: Tensor
    eye: Tensor
    muzzle: Tensor
    neck_band: Tensor
    head_band: Tensor


def _front(along, up, raised: Tensor, shape: _Shape) -> _Front:
    """Neck and head, from grazing (`raised` 0) to held high (1)."""
    withers = (0.31, 0.69)
    neck_angle = torch.deg2rad(shape.neck_low + (shape.neck_high - shape.neck_low) * raised)
    head_angle = torch.deg2rad(shape.head_low + (shape.head_high - shape.head_low) * raised)
    poll = _toward(withers, neck_angle, shape.neck_length)
    nose = _toward(poll, head_angle, shape.head_length)
    neck, on_neck = _capsule(along, up, withers, poll, 0.16, shape.neck_end)
    head, on_head = _capsule(along, up, poll, nose, shape.head_radius, shape.nose_radius)

    back = neck_angle + math.pi / 2
    mane_start = _toward(withers, back, shape.mane_lift + 0.06)
    mane_end = _toward(poll, back, shape.mane_lift)
    mane, _ = _capsule(along, up, mane_start, mane_end, 0.07, shape.mane_end)
    ear = head_angle + math.radians(115)
    ears, _ = _capsule(along, up, _toward(poll, ear, 0.1), _toward(poll, ear, 0.2), 0.05, 0.02)
    return _Front(
        whole=_smooth_union(neck, head, 0.05),
        neck=neck,
        head=head,
        mane=mane,
        ears=ears,
        eye=_disc(along, up, _toward(poll, head_angle, 0.07), 0.035),
        muzzle=_disc(along, up, nose, 0.085),
        neck_band=0.33 + shape.neck_length * on_neck,
        head_band=0.33 + shape.neck_length + 0.27 * on_head,
    )


# Paint


def _cover(distance: Tensor, soft) -> Tensor:
    """How much of each pixel lies within a shape: 1 inside, 0 outside, a ramp `soft` wide."""
    return (0.5 - distance / soft).clamp_(0, 1)


def _cover_of_all(scene: _Scene) -> Tensor:
    """How much of each pixel the animal covers, all its parts together."""
    bare = 1.0
    for part in (scene.far_legs, scene.hair, scene.ears, scene.body):
        bare = bare * (1 - _cover(part, scene.pixel))
    return 1 - bare


def _paint(image: Tensor, colour: Tensor, cover: Tensor) -> None:
    """Lay `colour` (N, 3, 1, 1) or a pixel over (N, 3, R, R) in place where `cover` says."""
    image.lerp_(colour, cover[:, None])


def _solid(colour: Tensor, like: Tensor) -> Tensor:
    return colour.to(like).view(1, 3, 1, 1)


def _blend(palette: Tensor, position: Tensor) -> Tensor:
    """(N, 3, 1, 1) colours at positions (N,) from 0 to 1 along a palette."""
    place = position * (len(palette) - 1)
    below = place.long().clamp_max(len(palette) - 2)
    palette = palette.to(position.device)
    mixed = palette[below].lerp(palette[below + 1], (place - below)[:, None])
    return mixed[..., None, None]


def _image(scene: _Scene, kind: str, value: dict[str, Tensor]) -> Tensor:
    image = _background(scene, value)
    coat = _blend(COAT, value["coat"])
    dark = _solid(INK, coat) if kind == "grey zebra" else coat * STRIPE
    skin = _skin(scene, kind, coat, dark)
    light = (0.95 + 0.3 * (scene.up - 0.62)).clamp_(0.8, 1.0)[:, None]
    _paint(image, skin * light * 0.78, _cover(scene.far_legs, scene.pixel))
    _paint(image, dark, _cover(scene.hair, scene.pixel))
    _paint(image, dark, _cover(scene.ears, scene.pixel))
    inside = _cover(scene.body, scene.pixel)
    _paint(image, skin * light, inside)
    _paint(image, dark, _cover(scene.muzzle, scene.pixel) * inside * 0.8)
    _paint(image, _solid(INK, coat), _cover(scene.eye, scene.pixel))
    return image.clamp_(0, 1)


def _skin(scene: _Scene, kind: str, coat: Tensor, dark: Tensor) -> Tensor:
    """The colour of the hide, (N, 3, 1, 1) where it is plain, else (N, 3, R, R)."""
    if kind == "horse":
        return coat
    if kind == "giraffe":
        return _solid(CREAM, coat).lerp(coat * PATCH, _patches(scene)[:, None])
    wave = (2 * math.pi / PERIOD * scene.band).cos()
    # As steep as a stripe's edge would be if it were one pixel soft.
    stripes = (0.5 + wave * (PERIOD / (2 * math.pi)) / scene.pixel).clamp(0, 1)
    return _solid(PALE, coat).lerp(dark, stripes[:, None])


def _patches(scene: _Scene) -> Tensor:
    """1 on the patches of a giraffe and 0 on the lines between them."""
    row = (scene.up / 0.21).floor()
    over = ((scene.up / 0.21 - row) - 0.5).abs() * 0.21
    column = scene.along / 0.25 + 0.5 * (row % 2)
    across = ((column - column.floor()) - 0.5).abs() * 0.25
    corner = (over - 0.03).clamp_min(0).square() + (across - 0.045).clamp_min(0).square()
    patch = corner.sqrt() - 0.05
    return _cover(patch, scene.pixel) * ((scene.up - 0.12) / 0.2).clamp(0, 1)


def _background(scene: _Scene, value: dict[str, Tensor]) -> Tensor:
    """Sky, sun, grass, tree and the animal's shadow, all of them the same for every kind."""
    x, y = scene.x, scene.y
    horizon = (-0.32 + 0.5 * value["horizon"]).view(-1, 1, 1)
    height = ((y - horizon) / (1 - horizon)).clamp(0, 1)[:, None]
    image = _blend(HAZE, value["sky"]).lerp(_blend(SKY, value["sky"]), height)
    image = image.expand(-1, -1, -1, x.shape[-1]).contiguous()
    pixel = 2 / x.shape[-1]
    tree = value["tree"].view(-1, 1, 1)
    sun = ((x + 0.8 * tree).square() + (y - 0.72).square()).sqrt() - 0.13
    _paint(image, _solid(SUN, image), _cover(sun, pixel))
    depth = ((horizon - y) / (horizon + 1)).clamp(0, 1)[:, None]
    grass = _blend(GRASS, value["grass"]) * (1.08 - 0.3 * depth)
    _paint(image, grass, _cover(y - horizon, pixel).expand(-1, -1, x.shape[-1]))
    trunk = torch.maximum((x - tree).abs() - 0.035, (y - horizon - 0.1).abs() - 0.14)
    _paint(image, _solid(TRUNK, image), _cover(trunk, pixel))
    crown = (((x - tree) / 1.3).square() + (y - horizon - 0.34).square()).sqrt() - 0.15
    _paint(image, _solid(LEAVES, image), _cover(crown, pixel))
    shadow = ((scene.along + 0.03) / 0.6).square() + (scene.up / 0.09).square() - 1
    _paint(image, grass * 0.72, _cover(shadow, 0.6) * 0.9)
    return image
