"""Cartoon faces drawn from known factors, with captions.

A head is a surface of revolution about its vertical axis, a slightly tapered ellipsoid, with eyes,
brows, mouth, glasses, beard and hairline as its texture: each pixel is projected back to a point of
the head, whose coordinates in the front view determine its colour. A turn of the head is therefore
a true rotation.

Half the side of an image is the unit of length: x runs from -1 (left) to 1 (right), y from -1
(bottom) to 1 (top). Shapes are signed distances, negative inside, with an edge about one pixel
soft.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ..session.arguments import whole
from .face_factors import (
    CHOICES,
    FACTORS,
    IDENTITY_FACTORS,
    RANGES,
    caption,
    check_factors,
    sample_factors,
)
from .held import drawable, held
from .imageset import ImageSet

__all__ = [
    "CHOICES", "FACTORS", "IDENTITY_FACTORS", "RANGES",
    "caption", "draw", "render", "sample_factors",
]  # fmt: skip

MAX_TURN = math.radians(42)  # at head_turn = 1
MAX_TILT = math.radians(18)  # at tilt = 1
NECK = -0.35  # the height about which the head tilts


class HairShape(NamedTuple):
    """A hair style in numbers; heights are above the middle of the head."""

    present: float = 1.0
    volume: float = 0.08  # how far the hair stands off the head
    bottom: float = 0.0  # height at which the hair behind the head ends
    side: float = 0.08  # height at which the hair beside the face ends
    fringe: float = 0.36  # height of the hairline above the nose
    drop: float = 0.0  # how much lower the hairline is at the temples
    parting: float = 0.0  # slope of the hairline: a side parting
    roundness: float = 0.0  # 0 falls straight down, 1 comes round again below
    curls: float = 0.0  # size of the round waves of the outline
    spikes: float = 0.0  # size of the pointed ones
    ears: float = 1.0  # 0 where the hair covers them
    knot_side: float = 0.0  # distance of a bun from the middle; pigtails are two of them
    knot_up: float = 0.0
    knot_radius: float = 0.0


HAIR_SHAPES = {
    "bald": HairShape(present=0.0),
    "short": HairShape(bottom=-0.05, parting=0.22),
    "spiky": HairShape(volume=0.05, bottom=-0.02, spikes=0.2),
    "bob": HairShape(volume=0.12, bottom=-0.48, side=-0.48, fringe=0.3, drop=0.05, ears=0.0),
    "long": HairShape(volume=0.1, bottom=-1.2, side=-1.2, fringe=0.5, drop=0.4, ears=0.0),
    "curly": HairShape(
        volume=0.17, bottom=-0.4, side=-0.4, drop=0.1, roundness=0.8, curls=0.09, ears=0.0
    ),
    "bun": HairShape(volume=0.05, fringe=0.44, drop=0.15, knot_up=0.74, knot_radius=0.2),
    "pigtails": HairShape(
        volume=0.07, fringe=0.44, drop=0.2, knot_side=0.7, knot_up=0.14, knot_radius=0.21
    ),
}


def _rgb(*codes: str) -> Tensor:
    """(len(codes), 3) colours in [0, 1] from codes such as "ffe0c4"."""
    return torch.tensor([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes])


SKIN = _rgb("ffdfc8", "f5c297", "dda06f", "b0744a", "7d5038")  # light to dark, blended between
HAIR = _rgb("2b2630", "7a4a2b", "c4562a", "eec15f", "4f7fc4")  # in the order of CHOICES
GREY, SHIRT, INK, LENS, WHITE = _rgb("dfe3ea", "4d6a86", "2a2430", "eaf6ff", "ffffff")
MOUTH, TONGUE, ROSE = _rgb("571a27", "e0565c", "f0605f")


def draw(
    size: int,
    *,
    seed: int = 0,
    fixed: Mapping[str, float] | None = None,
    device: torch.device | str = "cpu",
    resolution: int = 32,
) -> ImageSet:
    """`size` random faces, each with all factors and a caption.

    They are the same on every device up to rounding, and the first ones do not depend on `size`.

    Args:
        size: how many faces.
        seed: of the factors and of the wording of the captions.
        fixed: factors that are the same for every face, for example {"tilt": 0.0}; the others are
            drawn as if nothing were fixed.
        device: where to draw, and where the images stay.
        resolution: height and width in pixels, 16 to 128.

    Returns:
        an ImageSet with images (size, 3, resolution, resolution) float32 in [0, 1].

    Raises:
        ValueError: `size` is below 1, `resolution` is not between 16 and 128, or a fixed factor is
            unknown or out of range.
    """
    size, seed = drawable(size, seed, 3, 32, 32)
    factors = sample_factors(size, seed)
    for name, values in held(fixed, FACTORS, size).items():
        # A choice that is no whole number stays one, so that `check_factors` sees it.
        whole_ones = name in CHOICES and bool((values == values.round()).all())
        factors[name] = values.long() if whole_ones else values
    images = render(factors, resolution=resolution, device=device)
    rows = zip(*(values.tolist() for values in factors.values()), strict=True)
    captions = tuple(
        caption(dict(zip(factors, row, strict=True)), seed=seed * 1_000_003 + position)
        for position, row in enumerate(rows)
    )
    on_device = {name: values.to(device) for name, values in factors.items()}
    return ImageSet("faces", images, factors=on_device, captions=captions)


def render(
    factors: Mapping[str, Tensor], *, resolution: int = 32, device: torch.device | str = "cpu"
) -> Tensor:
    """The images of given factors, without any random number.

    Args:
        factors: every name of `FACTORS` -> (N,) tensor: within its range for `RANGES`, a position
            in the list of words for `CHOICES`. Of the latter, only `age` may lie between two
            stages (0 child, 1 adult, 2 old), so that ageing can be shown step by step.
        resolution: height and width in pixels, 16 to 128.
        device: where to draw, and where the images stay.

    Returns:
        (N, 3, resolution, resolution) float32 in [0, 1] on `device`.

    Raises:
        ValueError: a factor is missing, unknown, of another shape or out of its range, or
            `resolution` is not between 16 and 128.

    Example:
        >>> factors = sample_factors(4) | {"smile": torch.tensor([-1.0, 0.0, 0.5, 1.0])}
        >>> render(factors).shape
        torch.Size([4, 3, 32, 32])
    """
    resolution = whole(resolution, "resolution", 16, 128)
    check_factors(factors)
    factors = {name: torch.as_tensor(factors[name]).to(device) for name in FACTORS}
    count, _ = drawable(len(factors["smile"]), 0, 3, resolution, resolution)
    images = torch.empty(count, 3, resolution, resolution, device=device)
    # A plane of a chunk should stay in a processor's cache; an accelerator prefers large ones.
    pixels = 2**17 if images.device.type == "cpu" else 2**22
    chunk = max(1, pixels // resolution**2)
    for start in range(0, count, chunk):
        part = {name: values[start : start + chunk] for name, values in factors.items()}
        images[start : start + chunk] = _render_chunk(part, resolution)
    return images


class _Head(NamedTuple):
    """The head's measures, (N, 1, 1) each, and for every pixel, (N, R, R), what it shows."""

    half_width: Tensor
    half_height: Tensor
    child: Tensor  # 1 at age 0, 0 from age 1 on
    old: Tensor  # 0 up to age 1, 1 at age 2
    turn: Tensor  # radians
    x: Tensor  # the pixel, from the head's centre, upright
    y: Tensor
    outline: Tensor  # distance to the head's silhouette
    across: Tensor  # where the point of the head that the pixel shows lies, seen from the front
    ahead: Tensor  # how far that point lies towards the face: negative on the back of the head
    pixel: float  # the size of a pixel
    soft: Tensor  # width of a soft edge on the head: wider where the surface turns away
    inside: Tensor  # how much of the pixel the head covers, 0 to 1
    face: Tensor  # the same, but 0 on the back half of the head


def _render_chunk(factors: dict[str, Tensor], resolution: int) -> Tensor:
    value = {name: values.float().view(-1, 1, 1) for name, values in factors.items()}
    x, y = _grid(resolution, value["smile"].device)
    head = _place_head(value, x, y, pixel=2 / resolution)
    hair = _hair_shape(factors["hair_style"])
    hair_edge = _hair_outline(head, hair)
    skin = _blend(SKIN, factors["skin_tone"])
    pigment = HAIR.to(skin)[factors["hair_colour"].long()][..., None, None]
    pigment = pigment.lerp(_solid(GREY, skin), 0.85 * head.old[:, None])

    image = _background(factors["background"], x, y)
    _paint_shirt(image, head, x, y)
    _paint(image, pigment * 0.82, _cover(hair_edge, head.pixel) * hair.present)
    _paint_neck(image, skin, head, x, y)
    _paint_ears(image, skin, head, hair)
    _paint_skin(image, skin, head)
    _paint_wrinkles(image, skin, head)
    _paint_beard(image, pigment, head, value["beard"])
    _paint_mouth(image, head, value["smile"])
    _paint_eyes(image, head, value["eye_openness"], value["gaze"])
    _paint_brows(image, pigment, head)
    _paint_nose(image, skin, head)
    _paint_glasses(image, head, value["glasses"])
    _paint_hair(image, pigment, head, hair, hair_edge)
    _paint_near_ear(image, skin, head, hair)
    return image.clamp_(0, 1)


# Geometry


def _grid(resolution: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pixel centres: x (1, 1, R) and y (1, R, 1)."""
    centres = (torch.arange(resolution, device=device) + 0.5) * (2 / resolution) - 1
    return centres.view(1, 1, -1), -centres.view(1, -1, 1)


def _place_head(value: dict[str, Tensor], x: Tensor, y: Tensor, pixel: float) -> _Head:
    child = (1 - value["age"]).clamp(0, 1)
    old = (value["age"] - 1).clamp(0, 1)
    half_width = (0.5 + 0.02 * child) * (0.83 + 0.3 * value["face_width"])
    half_height = 0.6 - 0.08 * child
    taper = 0.1 - 0.16 * child  # a child's cheeks are wider than its forehead

    tilt = MAX_TILT * value["tilt"]
    upright_x = x * tilt.cos() - (y - NECK) * tilt.sin()
    upright_y = x * tilt.sin() + (y - NECK) * tilt.cos() + NECK
    upright_y = upright_y + 0.06 * child

    girth = 1 + taper * upright_y / half_height
    outline = _ellipse(upright_x / girth, upright_y, half_width, half_height)
    radius_squared = (half_width * girth).square() * (1 - (upright_y / half_height).square())
    radius = radius_squared.clamp_min(0).sqrt()  # of the circle that the head is at this height
    turn = MAX_TURN * value["head_turn"]
    across, ahead = _unturn(upright_x, radius, turn)
    depth = (radius.square() - upright_x.square()).clamp_min(0).sqrt()
    stretch = turn.cos() + turn.sin() * upright_x / depth.clamp_min(0.05)
    soft = pixel * stretch.abs().clamp(1, 9).sqrt()
    inside = _cover(outline, pixel)
    return _Head(
        half_width, half_height, child, old, turn, upright_x, upright_y, outline, across,
        ahead, pixel, soft, inside, inside * (ahead > 0),
    )  # fmt: skip


def _unturn(x: Tensor, radius: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Where the point visible at x, on a vertical cylinder turned by `turn`, was before the turn.

    Returns:
        its distances across and ahead; beyond the cylinder, those of its nearer edge.
    """
    x = torch.minimum(torch.maximum(x, -radius), radius)
    depth = (radius.square() - x.square()).clamp_min(0).sqrt()
    return x * turn.cos() - depth * turn.sin(), x * turn.sin() + depth * turn.cos()


def _hair_shape(style: Tensor) -> HairShape:
    """The numbers of each image's hair style, (N, 1, 1) each."""
    table = torch.tensor([HAIR_SHAPES[name] for name in CHOICES["hair_style"]])
    rows = table.to(style.device)[style.long()]
    return HairShape(*(column.view(-1, 1, 1) for column in rows.unbind(dim=1)))


def _ellipse(x: Tensor, y: Tensor, half_width, half_height) -> Tensor:
    """Distance to an ellipse to first order: f / |grad f| of f = (x/a)^2 + (y/b)^2 - 1."""
    p, q = x / half_width, y / half_height
    slope = ((p / half_width).square() + (q / half_height).square()).sqrt()
    return (p.square() + q.square() - 1) / (2 * slope + 1e-6)


def _segment(x: Tensor, y: Tensor, half_length) -> Tensor:
    """Distance to a level line of the given half length about the origin."""
    return (x.abs() - half_length).clamp_min(0).square().add(y.square()).sqrt()


def _smooth_union(one: Tensor, other: Tensor, roundness: float) -> Tensor:
    """The nearer of two distances, with the inner corner where the shapes meet rounded off."""
    overlap = (roundness - (one - other).abs()).clamp_min(0)
    return torch.minimum(one, other) - overlap.square() / (4 * roundness)


# Paint


def _cover(distance: Tensor, soft) -> Tensor:
    """How much of each pixel lies within a shape: 1 inside, 0 outside, a ramp `soft` wide."""
    return (0.5 - distance / soft).clamp(0, 1)


def _paint(image: Tensor, colour: Tensor, cover: Tensor) -> None:
    """Lay `colour` (N, 3, 1, 1) over (N, 3, R, R) in place where `cover` (N, R, R) says."""
    image.lerp_(colour, cover[:, None])


def _solid(colour: Tensor, like: Tensor) -> Tensor:
    return colour.to(like).view(1, 3, 1, 1)


def _blend(palette: Tensor, position: Tensor) -> Tensor:
    """(N, 3, 1, 1) colours at positions 0 to 1 along a palette."""
    place = position.float() * (len(palette) - 1)
    below = place.long().clamp_max(len(palette) - 2)
    palette = palette.to(position.device)
    mixed = palette[below].lerp(palette[below + 1], (place - below)[:, None])
    return mixed[..., None, None]


def _background(position: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A pastel of the colour wheel, a little lighter in the middle."""
    thirds = torch.arange(3, device=position.device) / 3
    wheel = (2 * math.pi * (position.float()[:, None] - thirds)).cos()
    colour = (0.76 + 0.13 * wheel)[..., None, None]
    glow = 0.08 * (1 - 0.5 * (x.square() + y.square()))
    return colour + glow[:, None]


def _paint_shirt(image, head, x, y) -> None:
    shirt = _ellipse(x, y + 1.12, 0.72 * (1 - 0.2 * head.child), 0.46)
    _paint(image, _solid(SHIRT, image), _cover(shirt, head.pixel))


def _paint_neck(image, skin, head, x, y) -> None:
    neck = torch.maximum(x.abs() - 0.19 * (1 - 0.2 * head.child), _ellipse(x, y + 0.5, 0.3, 0.34))
    _paint(image, skin * 0.82, _cover(neck, head.pixel))


def _paint_ears(image, skin, head, hair) -> None:
    """Both ears, beside the head; the head is painted over them and hides the far one."""
    ears = _ellipse(head.x.abs() - head.half_width * head.turn.cos(), head.y, 0.1, 0.13)
    _paint(image, skin * 0.93, _cover(ears, head.pixel) * hair.ears)


def _paint_near_ear(image, skin, head, hair) -> None:
    """The ear that a turn brings to the front."""
    middle = -head.turn.sign() * head.half_width * head.turn.cos()
    turned = (head.turn.sin().abs() / 0.25).clamp(0, 1) * hair.ears
    ear = _ellipse(head.x - middle, head.y, 0.1, 0.13)
    _paint(image, skin * 0.93, _cover(ear, head.pixel) * turned)
    _paint(image, skin * 0.72, _cover(ear + 0.07, head.pixel) * turned)


def _paint_skin(image, skin, head) -> None:
    _paint(image, skin, head.inside)
    # The head is round: it is darker where its surface turns away.
    rim = (1 + head.outline / 0.22).clamp(0, 1).square() * head.inside
    _paint(image, skin * _solid(torch.tensor([0.86, 0.8, 0.8]), skin), rim)
    cheeks = _ellipse(head.across.abs() - 0.56 * head.half_width, head.y + 0.17, 0.13, 0.09)
    blush = _cover(cheeks, 0.12) * (0.25 + 0.15 * head.child)
    _paint(image, _solid(ROSE, skin), blush * head.face)


def _paint_wrinkles(image, skin, head) -> None:
    """Two lines on the forehead, one under each eye, one from each side of the nose."""
    side = head.across.abs()
    arch = 0.3 * side.square()
    forehead = torch.minimum(
        _segment(side, head.y - 0.34 + arch, 0.2), _segment(side, head.y - 0.25 + arch, 0.16)
    )
    under_eyes = _segment(side - 0.4 * head.half_width, head.y + 0.15 - 2 * arch, 0.08)
    beside_nose = _segment(head.y + 0.22, side - 0.22 + 0.3 * (head.y + 0.2), 0.07)
    lines = torch.minimum(forehead, torch.minimum(under_eyes, beside_nose)) - 0.012
    _paint(image, skin * 0.62, _cover(lines, head.soft) * head.face * head.old * 0.75)


def _paint_beard(image, pigment, head, beard) -> None:
    """A beard along the jaw from ear to ear, which leaves the mouth free, and a moustache."""
    bare = _ellipse(
        head.across, head.y + 0.17 * head.half_height, 0.88 * head.half_width,
        0.53 * head.half_height,
    )  # fmt: skip
    jaw = torch.maximum(-bare, head.y + 0.02)
    jaw = torch.maximum(jaw, -0.1 - head.ahead)  # no further back than the ears
    on_jaw = _cover(jaw, head.soft) * head.inside
    # At the chin the beard stands out from the head, so like the nose it is placed in the image.
    chin = _ellipse(
        head.x - 0.4 * head.half_width * head.turn.sin(), head.y + 0.86 * head.half_height,
        0.42 * head.half_width, 0.22 * head.half_height,
    )  # fmt: skip
    on_jaw = torch.maximum(on_jaw, _cover(chin, head.pixel))
    lip = _segment(head.across, head.y + 0.2 - 0.04 * head.child + head.across.square(), 0.11)
    on_lip = _cover(lip - 0.036, head.soft) * head.face
    _paint(image, pigment * 0.85, torch.maximum(on_jaw, on_lip) * beard)


def _paint_mouth(image, head, smile) -> None:
    """A bow whose corners rise with the smile; a broad one opens and shows teeth and tongue."""
    half_width = (0.21 + 0.03 * smile) * (1 - 0.1 * head.child)
    bow = (head.across / half_width).square().clamp_max(1)
    upper = -0.3 + 0.04 * head.child + 0.12 * smile * (bow - 0.4)
    opening = (smile - 0.15).clamp_min(0)
    lower = upper - 0.23 * opening * (1 - bow.square())
    side = head.across.abs()
    beside = (side - half_width).clamp_min(0)
    above = (head.y - upper).clamp_min(0) + (lower - head.y).clamp_min(0)
    lips = (beside.square() + above.square()).sqrt() - 0.026
    _paint(image, _solid(MOUTH, image), _cover(lips, head.soft) * head.face)
    middle = 0.5 * (lower + upper)
    open_wide = (4 * opening).clamp_max(1) * head.face
    tongue = torch.maximum(lower + 0.01 - head.y, head.y - middle)
    tongue = torch.maximum(tongue, side - 0.6 * half_width)
    _paint(image, _solid(TONGUE, image), _cover(tongue, head.soft) * open_wide)
    teeth = torch.maximum(head.y - upper, middle - head.y)
    teeth = torch.maximum(teeth, side - 0.88 * half_width)
    _paint(image, _solid(WHITE, image), _cover(teeth, head.soft) * open_wide)


def _eye_place(head: _Head) -> tuple[Tensor, Tensor, Tensor]:
    """Distance of the eyes from the middle, their height, and their size (1 for an adult)."""
    return 0.43 * head.half_width, 0.05 - 0.1 * head.child, 1 + 0.15 * head.child


def _paint_eyes(image, head, openness, gaze) -> None:
    """Both eyes at once, one the mirror image of the other but for the gaze."""
    apart, height, size = _eye_place(head)
    half_width = 0.142 * size
    opening = 0.148 * size * openness.sqrt()
    x = head.across.abs() - apart
    # A closing eye sinks and arches like a lash.
    arch = (1 - openness).square() * 0.05
    y = head.y - height + arch * (x / half_width).square()
    # The lid is a dark ellipse that peeps out above the white; closed, only the lid is left.
    lid = _ellipse(x, y - 0.024, half_width + 0.01, opening + 0.022)
    _paint(image, _solid(INK, image), _cover(lid, head.soft) * head.face)
    white = _cover(_ellipse(x, y, half_width, opening + 0.001), head.soft) * head.face
    white = white * (opening / head.pixel).clamp(0, 1)
    _paint(image, _solid(WHITE, image), white)
    look = 0.062 * size * gaze * head.across.sign()
    pupil = _ellipse(x - look, y, 0.076 * size, 0.086 * size)
    _paint(image, _solid(INK, image), _cover(pupil, head.soft) * white)
    # The light comes from the upper right in both eyes.
    glint_x = x - look - 0.025 * head.across.sign()
    glint = _ellipse(glint_x, y - 0.03, 0.024 * size, 0.026 * size)
    strength = min(0.9, 0.024 / head.pixel)  # it fills only a part of a large pixel
    _paint(image, _solid(WHITE, image), _cover(glint, head.soft) * white * strength)


def _paint_brows(image, pigment, head) -> None:
    apart, height, size = _eye_place(head)
    x = head.across.abs() - apart
    brows = _segment(x, head.y - height - 0.225 * size + 1.2 * x.square(), 0.09)
    thickness = 0.026 - 0.006 * head.child
    _paint(image, pigment * 0.75, _cover(brows - thickness, head.soft) * head.face)


def _paint_nose(image, skin, head) -> None:
    """The nose stands out from the head, so a turn moves it further than the rest."""
    size = 1 - 0.3 * head.child
    middle = 1.12 * head.half_width * head.turn.sin()
    nose = _ellipse(head.x - middle, head.y + 0.12 + 0.02 * head.child, 0.065 * size, 0.05 * size)
    shade = skin * _solid(torch.tensor([0.82, 0.68, 0.66]), skin)
    _paint(image, shade, _cover(nose, head.pixel) * 0.8)


def _paint_glasses(image, head, glasses) -> None:
    """Two round lenses, the bridge between them, and the temples back to the ears."""
    apart, height, _ = _eye_place(head)
    x = head.across.abs() - apart
    y = head.y - height
    radius = apart - 0.02
    ring = (x.square() + y.square()).sqrt() - radius
    glass = _cover(ring, head.soft) * head.face * glasses
    _paint(image, _solid(LENS, image), 0.2 * glass)
    bar = torch.maximum((y - 0.02).abs(), radius - x.abs())
    frame = torch.minimum(ring.abs(), bar) - 0.024
    _paint(image, _solid(INK, image), _cover(frame, head.soft) * head.face * glasses)


def _hair_outline(head: _Head, hair: HairShape) -> Tensor:
    """Distance to the outer edge of the hair: a dome above, straight or round below."""
    crown = 0.15
    above = head.y - crown
    above = above.clamp_min(0) + hair.roundness * above.clamp_max(0)
    dome = _ellipse(
        head.x, above, head.half_width + hair.volume, head.half_height - crown + hair.volume
    )
    wave = (6 * torch.atan2(head.x, head.y - 0.05)).cos().abs()
    on_top = ((head.y - 0.3) / 0.15).clamp(0, 1)
    dome = dome - hair.curls * wave - hair.spikes * (1 - wave) * on_top
    outline = torch.maximum(dome, hair.bottom + 0.25 * head.x.square() - head.y)
    # A knot sits a little behind the middle of the head and goes round with it.
    knot_x = (head.x + 0.3 * head.half_width * head.turn.sin()).abs()
    knot_x = knot_x - hair.knot_side * head.turn.cos()
    knot = (knot_x.square() + (head.y - hair.knot_up).square()).sqrt() - hair.knot_radius
    return torch.minimum(outline, knot)


def _paint_hair(image, pigment, head, hair, hair_edge) -> None:
    """The hair in front: all that lies above the hairline, and the locks beside the face."""
    across = head.across / head.half_width
    hairline = hair.fringe + hair.parting * across - hair.drop * across.abs()
    hairline = hairline + head.old * (0.07 + 0.1 * across.abs())
    strands = (6 * across).cos().abs()
    hairline = hairline - 0.5 * hair.curls * strands - 0.4 * hair.spikes * (1 - strands)
    # The locks hang on a cylinder about the head. Above the ears all hair beside it is in front.
    radius = (head.half_width + hair.volume).expand_as(head.x)
    _, ahead = _unturn(head.x, radius, head.turn)
    locks = torch.maximum(ahead - (0.52 - 0.3 * hair.ears) * radius, hair.side - head.y)
    beside = torch.maximum(-0.01 - head.outline, 0.05 - head.y)
    front = _smooth_union(torch.minimum(hairline - head.y, beside), locks, 0.12)
    cover = _cover(torch.maximum(front, hair_edge), head.soft) * hair.present
    _paint(image, pigment, cover)
    shine = _segment(head.x - 0.16, hair_edge + 0.11, 0.1) - 0.025
    shine = _cover(shine, head.pixel) * (head.y > 0.25) * cover
    _paint(image, _solid(WHITE, image), 0.3 * shine)
