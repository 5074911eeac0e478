"""Emoji in two drawn styles, two domains whose hidden pairs are known.

Both styles are drawn from the same factors, so that the same seed in the other style gives the
same face, pixel by pixel, as another vendor might have drawn it. Lessons on unpaired
image-to-image translation train without these pairs and are evaluated on them.

- "solid": a filled yellow to orange disc, dark eyes, mouth and brows.
- "line": a white disc with a coloured rim; eyes are rings with a pupil, and features are strokes
  in the colour of the rim, blue to violet. The pairs are one to one: the hue of either determines
  that of the other.

Half the side of an image is the unit of length: x runs from -1 (left) to 1 (right), y from -1
(bottom) to 1 (top). Shapes are signed distances, negative inside, as in `faces`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ..session.arguments import whole
from .held import check_factors, drawable, held
from .imageset import ImageSet
from .unpaired import Unpaired

__all__ = ["FACTORS", "RANGES", "STYLES", "draw", "render", "sample_factors", "unpaired"]

STYLES = ("solid", "line")

# Every factor is uniform between these ends, independently of all others.
RANGES = {
    "hue": (0.0, 1.0),  # solid: yellow .. orange; line: blue .. violet
    "smile": (-1.0, 1.0),  # corners of the mouth down .. up
    "open": (0.0, 1.0),  # mouth closed .. open
    "gaze": (-1.0, 1.0),  # left .. right
    "eyes": (0.0, 1.0),  # narrow .. wide open
    "brows": (-1.0, 1.0),  # inner ends up .. down
    "tilt": (-1.0, 1.0),  # the head to the left .. to the right
}
FACTORS = tuple(RANGES)
MAX_TILT = math.radians(20)
RADIUS = 0.86


def sample_factors(count: int, seed: int = 0) -> dict[str, Tensor]:
    """Independent factors of `count` faces.

    They are the same for both styles, and the first ones do not depend on `count`.

    Args:
        count: how many faces.
        seed: of the random numbers.

    Returns:
        name -> (count,) float32 on the CPU.

    Raises:
        ValueError: `count` is not a whole number of at least 1.

    Example:
        >>> sample_factors(100)["smile"].shape
        torch.Size([100])
    """
    count, seed = drawable(count, seed, 3, 32, 32, name="count")
    generator = torch.Generator().manual_seed(seed)
    # One row per face, so that more faces only add rows.
    uniform = torch.rand(count, len(FACTORS), generator=generator)
    low, high = torch.tensor(list(RANGES.values())).T
    return dict(zip(FACTORS, (low + (high - low) * uniform).T.contiguous(), strict=True))


def draw(
    count: int,
    style: str = "solid",
    *,
    seed: int = 0,
    resolution: int = 32,
    fixed: Mapping[str, float] | None = None,
    device: torch.device | str = "cpu",
) -> ImageSet:
    """`count` random faces in one style, with their factors.

    The same seed in the other style gives the ground truth of a translation.

    Args:
        count: how many faces.
        style: one of `STYLES`.
        seed: of the factors.
        resolution: height and width in pixels, 16 to 128.
        fixed: factors that are the same in every image, for example {"smile": 1.0}; the others
            are drawn as if nothing were fixed.
        device: where to draw, and where the images stay.

    Returns:
        an ImageSet with images (count, 3, resolution, resolution) float32 in [0, 1].

    Raises:
        ValueError: `count` is below 1, `style` is unknown, `resolution` is not between 16 and 128,
            or a fixed factor is unknown or out of range.

    Example:
        >>> solid, line = draw(4, "solid"), draw(4, "line")  # pairs: the same seed
        >>> line.images.shape, torch.equal(solid.factors["gaze"], line.factors["gaze"])
        (torch.Size([4, 3, 32, 32]), True)
    """
    factors = sample_factors(count, seed)
    factors |= held(fixed, FACTORS, len(factors["hue"]))
    images = render(factors, style, resolution=resolution, device=device)
    return ImageSet(style, images, factors={k: v.to(device) for k, v in factors.items()})


def unpaired(
    size: int = 1_000,
    *,
    test_size: int = 200,
    seed: int = 0,
    resolution: int = 32,
    device: torch.device | str = "cpu",
) -> Unpaired:
    """X, faces in the style "solid", and Y, other faces in the style "line", without pairs.

    Args:
        size: how many training images of each domain.
        test_size: how many test images of each, with their ground truth.
        seed: of the factors, 0 <= seed < 2**30; x, y, test_x and test_y have faces of their own.
        resolution: height and width in pixels, 16 to 128.
        device: where the tensors stay.

    Raises:
        ValueError: an argument is no whole number in its range.

    Example:
        >>> unpaired(size=8, test_size=4)
        Unpaired solid and line: 8 + 8 images 3×32×32, 4 + 4 for testing
    """
    seed = whole(seed, "seed", least=0, most=2**30 - 1)
    x, y, test_x, test_y = (4 * seed + part for part in range(4))
    solid, line = STYLES

    def images(count: int, style: str, seed: int) -> Tensor:
        return draw(count, style, seed=seed, resolution=resolution, device=device).images

    return Unpaired(
        x=images(size, solid, x),
        y=images(size, line, y),
        test_x=images(test_size, solid, test_x),
        test_y=images(test_size, line, test_y),
        domains=STYLES,
        truth_of_test_x=images(test_size, line, test_x),
        truth_of_test_y=images(test_size, solid, test_y),
    )


def render(
    factors: Mapping[str, Tensor],
    style: str = "solid",
    *,
    resolution: int = 32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The images of given factors, without any random number.

    Args:
        factors: every name of `FACTORS` -> (N,) tensor within its range of `RANGES`.
        style, resolution, device: as for `draw`.

    Returns:
        (N, 3, resolution, resolution) float32 in [0, 1] on `device`.

    Raises:
        ValueError: a factor is missing, unknown, of another shape or out of its range, `style` is
            unknown, or `resolution` is not between 16 and 128.

    Example:
        >>> render(sample_factors(1), "line", resolution=64).shape
        torch.Size([1, 3, 64, 64])
    """
    if style not in STYLES:
        raise ValueError(f"There is no style {style!r}; choose one of {', '.join(STYLES)}.")
    resolution = whole(resolution, "resolution", 16, 128)
    check_factors(factors, RANGES, "a face")
    value = {name: torch.as_tensor(factors[name]).float().to(device) for name in FACTORS}
    count, _ = drawable(len(value["hue"]), 0, 3, resolution, resolution, name="count")
    images = torch.empty(count, 3, resolution, resolution, device=device)
    chunk = max(1, 2**18 // resolution**2)
    for start in range(0, count, chunk):
        part = {name: column[start : start + chunk] for name, column in value.items()}
        images[start : start + chunk] = _images(part, style, resolution)
    return images


def _rgb(*codes: str) -> Tensor:
    """(len(codes), 3) colours in [0, 1] from codes such as "ffe0c4"."""
    return torch.tensor([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes])


FILL, RIM = _rgb("ffdf3d", "ff8f33"), _rgb("1f78c8", "8c3fb5")  # along the hue
WHITE, PAPER, BROWN, TONGUE = _rgb("ffffff", "e6edf3", "4a2c1a", "f29c9c")


def _images(value: dict[str, Tensor], style: str, resolution: int) -> Tensor:
    value = {name: column.view(-1, 1, 1) for name, column in value.items()}
    centres = (torch.arange(resolution, device=value["hue"].device) + 0.5) * (2 / resolution) - 1
    x, y = centres.view(1, 1, -1), -centres.view(1, -1, 1)
    angle = MAX_TILT * value["tilt"]  # in the head's own coordinates
    across, up = x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()
    disc = (x.square() + y.square()).sqrt() - RADIUS
    eyes = [_eye(across, up, value, side) for side in (-1, 1)]
    brows = torch.minimum(*(_brow(across, up, value, side) for side in (-1, 1)))
    mouth = _mouth(across, up, value)
    draw_style = _solid if style == "solid" else _line
    return draw_style(value["hue"], disc, eyes, brows, mouth, 2 / resolution)


def _solid(hue, disc, eyes, brows, mouth, pixel) -> Tensor:
    fill = _between(FILL, hue)
    image = WHITE.to(hue).view(1, 3, 1, 1).expand(len(hue), 3, *disc.shape[1:])
    image = _over(image, 0.85 * fill, disc, pixel)
    image = _over(image, fill, disc + 0.07, pixel)
    for outline, _ in eyes:
        image = _over(image, BROWN, outline + 0.02, pixel)
    image = _over(image, BROWN, brows - 0.05, pixel)
    return _over(image, BROWN, mouth - 0.045, pixel)


def _line(hue, disc, eyes, brows, mouth, pixel) -> Tensor:
    rim = _between(RIM, hue)
    image = PAPER.to(hue).view(1, 3, 1, 1).expand(len(hue), 3, *disc.shape[1:])
    image = _over(image, rim, disc, pixel)
    image = _over(image, WHITE, disc + 0.13, pixel)
    for outline, pupil in eyes:
        image = _over(image, rim, outline.abs() - 0.035, pixel)
        image = _over(image, rim, pupil, pixel)
    image = _over(image, rim, brows - 0.03, pixel)
    image = _over(image, TONGUE, mouth, pixel)
    return _over(image, rim, mouth.abs() - 0.04, pixel)


def _eye(across, up, value, side: int) -> tuple[Tensor, Tensor]:
    """Distances to the outline of an eye, an ellipse, and to its pupil."""
    wide, high = 0.14, 0.11 + 0.11 * value["eyes"]
    middle = side * 0.31 + 0.07 * value["gaze"]
    across, up = across - middle, up - 0.2
    inside = ((across / wide).square() + (up / high).square()).sqrt()
    outline = (inside - 1) * torch.minimum(torch.full_like(high, wide), high)
    pupil = ((across - 0.06 * value["gaze"]).square() + up.square()).sqrt() - 0.06
    return outline, pupil


def _brow(across, up, value, side: int) -> Tensor:
    """Distance to a line of length .32 above an eye."""
    across = (across - side * 0.31) * side  # positive outwards
    height = 0.53 + 0.3 * value["brows"] * across.clamp(-0.16, 0.16)
    return ((across - across.clamp(-0.16, 0.16)).square() + (up - height).square()).sqrt()


def _mouth(across, up, value) -> Tensor:
    """Distance to the space between the lips, roughly: zero thickness where it is closed."""
    half = 0.42
    place = (across / half).clamp(-1, 1)
    middle = -0.37 + 0.2 * value["smile"] * (place.square() - 0.5)
    thickness = 0.17 * value["open"] * (1 - place.square())
    vertical = (up - middle).abs() - thickness
    beyond = (across.abs() - half).clamp_min(0)
    return torch.where(beyond > 0, (beyond.square() + vertical.square()).sqrt(), vertical)


def _between(ends: Tensor, hue: Tensor) -> Tensor:
    """(N, 3, 1, 1) colours on the line between two."""
    return torch.lerp(*ends.to(hue), hue.view(-1, 1)).view(-1, 3, 1, 1)


def _over(image: Tensor, colour: Tensor, distance: Tensor, soft: float) -> Tensor:
    """The image with a shape of one colour on it, whose edge is about one pixel soft."""
    cover = (0.5 - distance / soft).clamp(0, 1).unsqueeze(1)
    return torch.lerp(
        image, colour.to(image).view(-1, 3, 1, 1).expand_as(image), cover.expand_as(image)
    )
