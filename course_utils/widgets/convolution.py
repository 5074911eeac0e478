"""A kernel that moves over a small image, step by step: the arithmetic of convolutions.

Three views: the convolution; the transposed convolution as a sum of contributions (every pixel of
the input adds a copy of the kernel, times its value, to the output); and the same transposed
convolution as a convolution over an input with zeros between and around its pixels (Dumoulin and
Visin 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

from ..plots.images import load_font
from ..session.arguments import whole

FORWARD, CONTRIBUTIONS, FANCY = "forward", "transposed, contributions", "transposed, fancy padding"
DIRECTIONS = (FORWARD, CONTRIBUTIONS, FANCY)

WIDTH, HEIGHT, MARGIN, GAP = 940, 470, 12, 44
LARGEST = 100  # of the sizes, in pixels: more cells would be smaller than a dot
LARGEST_CELL, SMALLEST_WITH_NUMBER = 46, 17
# Colours of cells. Blue is what the kernel covers, yellow what is written now; padding is grey.
INK, PALE_INK = "#000000", "#777777"
PLAIN, PADDING, UNREACHED, NOT_YET = "#FFFFFF", "#D9D9D9", "#E8C4CA", "#F7F7F7"
COVERED, COVERED_PADDING, WRITTEN, NOW = "#88CCEE", "#5E93AD", "#F3E3B5", "#DDAA33"


@dataclass(frozen=True)
class Panel:
    """One grid of the image.

    Attributes:
        title: the text above it.
        numbers: (H, W) values of the cells; NaN is left empty.
        colours: (H, W) of colour names.
    """

    title: str
    numbers: Tensor
    colours: numpy.ndarray


def output_size(d: int, f: int, p: int, s: int, transposed: bool = False) -> int:
    """Pixels per side of the output of a convolution, or of a transposed one; below 1 means none.

    Args:
        d, f, p, s: the sizes of input and filter, padding and stride.
        transposed: whether the convolution is a transposed one.

    Raises:
        ValueError: one is no whole number that the figure can show.
    """
    d, f, s, p = _sizes(d, f, s, p)
    return (d - 1) * s - 2 * p + f if transposed else (d - f + 2 * p) // s + 1


def _sizes(size, kernel, stride, padding) -> tuple[int, int, int, int]:
    """The four numbers of a convolution as Python's."""
    size, kernel = whole(size, "size", most=LARGEST), whole(kernel, "kernel", most=LARGEST)
    stride = whole(stride, "stride", most=LARGEST)
    return size, kernel, stride, whole(padding, "padding", least=0, most=LARGEST)


def example(size: int, kernel: int) -> tuple[Tensor, Tensor]:
    """The input (size, size) and the kernel (kernel, kernel) of the figure, filled with 0, 1, 2."""
    size, kernel, _, _ = _sizes(size, kernel, 1, 0)
    row, column = torch.arange(size)[:, None], torch.arange(size)
    steps = torch.arange(kernel)
    weights = (steps[:, None] + 2 * steps + 1) % 3
    return ((row * 2 + column * column + row * column) % 3).float(), weights.float()


def convolution_walk(
    size: int, kernel: int, stride: int, padding: int, direction: str, step: int
) -> numpy.ndarray:
    """The kernel at one position: input, kernel and the output so far.

    Args:
        size, kernel, stride, padding: d, f, s and p of the size formula; the input is square.
        direction: one of `DIRECTIONS`.
        step: the position, counted row by row from 0; after the last it starts again.

    Returns:
        (470, 940, 3) bytes.

    Raises:
        ValueError: there is no such direction, or a number is none that the figure can show.

    Example:
        >>> convolution_walk(5, kernel=3, stride=1, padding=0, direction="forward", step=0).shape
        (470, 940, 3)
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"The direction is {direction!r}; use one of {', '.join(DIRECTIONS)}.")
    size, kernel, stride, padding = _sizes(size, kernel, stride, padding)
    step = whole(step, "step", least=0)
    side = output_size(size, kernel, padding, stride, direction != FORWARD)
    lines = _sentences(size, kernel, padding, stride, direction, side)
    if side < 1:
        return _paint(_nothing(size, kernel, padding * (direction == FORWARD)), lines)
    panels = {FORWARD: _forward, CONTRIBUTIONS: _contributions, FANCY: _fancy}[direction]
    return _paint(panels(size, kernel, stride, padding, step), lines)


def _sentences(d: int, f: int, p: int, s: int, direction: str, side: int) -> list[str]:
    if direction == FORWARD:
        rest = (d - f + 2 * p) % s
        formula = f"d' = (d − f + 2p)/s + 1 = ({d} − {f} + 2·{p})/{s} + 1 = "
        exact = (d - f + 2 * p) / s + 1
        if side < 1:
            return ["No output.", f"The kernel ({f}) is larger than the input with its padding "
                    f"({d} + 2·{p} = {d + 2 * p}):", "it fits nowhere."]  # fmt: skip
        if rest:
            unread = "row and column" if rest == 1 else f"{rest} rows and columns"
            return [f"{formula}{exact:.2f}, rounded down: {side}",
                    f"The kernel does not reach the last {unread} (pink)."]  # fmt: skip
        return [f"{formula}{side}"]
    formula = f"d' = (d − 1)·s − 2p + f = ({d} − 1)·{s} − 2·{p} + {f} = {side}"
    if side < 1:
        return ["No output.", formula, "The padding is cut off from the output, and nothing "
                "is left."]  # fmt: skip
    around = f - 1 - p
    if direction == FANCY and around < 0:
        return [formula, f"Padding f − 1 − p = {around}: nothing is added around, "
                f"{-around} cut off on each side."]  # fmt: skip
    if direction == FANCY:
        between = f"{s - 1} zero{'' if s == 2 else 's'} between the pixels"
        return [formula, f"{between}, f − 1 − p = {around} around; then stride 1, kernel turned "
                "by 180°."]  # fmt: skip
    overlap = "Where contributions overlap, they are added."
    return [formula, "The border of p (grey) is cut off." if p else overlap]


def _nothing(size: int, kernel: int, padding: int) -> list[Panel]:
    """Input and kernel alone."""
    image, weights = example(size, kernel)
    given, inside = (pad(grid, (padding,) * 4) for grid in (image, image * 0 + 1))
    colours = numpy.where(inside.bool(), PLAIN, PADDING)
    return [
        Panel(f"input {_sides(given, inside.bool())}", given, colours),
        Panel(f"kernel {kernel} × {kernel}", weights, numpy.full(weights.shape, COVERED)),
    ]


def _forward(size: int, kernel: int, stride: int, padding: int, step: int) -> list[Panel]:
    image, weights = example(size, kernel)
    given = pad(image, (padding,) * 4)
    inside = pad(torch.ones(size, size, dtype=torch.bool), (padding,) * 4)
    return _sliding(given, inside, weights, stride, step)


def _fancy(size: int, kernel: int, stride: int, padding: int, step: int) -> list[Panel]:
    image, weights = example(size, kernel)
    given, inside = (
        fancy_padding(grid, kernel, stride, padding) for grid in (image, image * 0 + 1)
    )
    return _sliding(given, inside.bool(), weights.flip(0, 1), 1, step)


def fancy_padding(image: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """The image with stride − 1 zeros between its pixels and kernel − 1 − padding around it.

    A convolution of the result with the kernel turned by 180° is the transposed convolution of
    the image (Dumoulin and Visin 2016, relationship 14). A negative border is cut off.

    Args:
        image: (H, W).
        kernel, stride, padding: f, s and p of the transposed convolution.

    Returns:
        (H', W') with H' = (H − 1)·stride + 1 + 2·(kernel − 1 − padding), and W' likewise.

    Example:
        >>> fancy_padding(torch.ones(2, 2), kernel=3, stride=2, padding=2)
        tensor([[1., 0., 1.],
                [0., 0., 0.],
                [1., 0., 1.]])
    """
    _, kernel, stride, padding = _sizes(1, kernel, stride, padding)
    rows, columns = ((side - 1) * stride + 1 for side in image.shape)
    spread = image.new_zeros(rows, columns)
    spread[::stride, ::stride] = image
    return pad(spread, (kernel - 1 - padding,) * 4)


def _sliding(given: Tensor, inside: Tensor, weights: Tensor, stride: int, step: int):
    """Input, kernel and output of a kernel that slides over `given`."""
    output = conv2d(given[None, None], weights[None, None], stride=stride)[0, 0]
    kernel, side = len(weights), len(output)
    position = step % side**2
    top, left = (stride * number for number in divmod(position, side))
    under = numpy.zeros(given.shape, bool)
    under[top : top + kernel, left : left + kernel] = True
    reached = (side - 1) * stride + kernel
    colours = numpy.where(inside, PLAIN, PADDING)
    colours[reached:], colours[:, reached:] = UNREACHED, UNREACHED
    colours = numpy.where(under, numpy.where(inside, COVERED, COVERED_PADDING), colours)
    order = torch.arange(side**2).view(side, side)
    written = numpy.select([order == position, order < position], [NOW, WRITTEN], NOT_YET)
    shown = output.masked_fill(order > position, torch.nan)
    return [
        Panel(f"input {_sides(given, inside)}", given, colours),
        Panel(f"kernel {kernel} × {kernel}", weights, numpy.full(weights.shape, COVERED)),
        Panel(f"output {side} × {side}", shown, written),
    ]


def _sides(given: Tensor, inside: Tensor) -> str:
    pixels = int(inside.any(0).sum())
    inner = f"{pixels} × {pixels}"
    return inner if inside.all() else f"{inner}, with zeros {len(given)} × {len(given)}"


def _contributions(size: int, kernel: int, stride: int, padding: int, step: int) -> list[Panel]:
    """Input, kernel and output of a transposed convolution, summed up to one input pixel."""
    image, weights = example(size, kernel)
    position = step % size**2
    order = torch.arange(size**2).view(size, size)
    so_far = image * (order <= position)
    whole = conv_transpose2d(so_far[None, None], weights[None, None], stride=stride)[0, 0]
    top, left = (stride * number for number in divmod(position, size))
    current = numpy.zeros(whole.shape, bool)
    current[top : top + kernel, left : left + kernel] = True
    kept = numpy.zeros(whole.shape, bool)
    side = len(whole) - 2 * padding
    kept[padding : padding + side, padding : padding + side] = True
    touched = conv_transpose2d(
        (order <= position).float()[None, None], torch.ones(1, 1, kernel, kernel), stride=stride
    )[0, 0]
    colours = numpy.select([current & kept, ~kept, touched.numpy() > 0], [NOW, PADDING, WRITTEN],
                           NOT_YET)  # fmt: skip
    colours = numpy.where(current & ~kept, COVERED_PADDING, colours)
    lit = numpy.where(order == position, COVERED, PLAIN)
    cut = f", cut from {len(whole)} × {len(whole)}" if padding else ""
    return [
        Panel(f"input {size} × {size}", image, lit),
        Panel(f"kernel {kernel} × {kernel}", weights, numpy.full(weights.shape, NOW)),
        Panel(f"output {side} × {side}{cut}", whole.masked_fill(touched == 0, torch.nan), colours),
    ]


def _paint(panels: list[Panel], lines: list[str]) -> numpy.ndarray:
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((MARGIN, 8 + 26 * number), line, fill=INK, font=load_font(19))
    _paint_panels(draw, panels, top=16 + 26 * max(2, len(lines)))
    return numpy.asarray(canvas)


def _paint_panels(draw, panels: list[Panel], top: int) -> None:
    title = 30
    widths = [panel.numbers.shape[1] for panel in panels]
    free = WIDTH - 2 * MARGIN - GAP * (len(panels) - 1)
    tallest = max(panel.numbers.shape[0] for panel in panels)
    cell = min(LARGEST_CELL, free // sum(widths), (HEIGHT - top - title - MARGIN) // tallest)
    left = MARGIN
    for panel, columns in zip(panels, widths):
        draw.text((left, top), panel.title, fill=INK, font=load_font(16))
        _paint_grid(draw, panel, left, top + title, cell)
        left += max(columns * cell, round(load_font(16).getlength(panel.title))) + GAP


def _paint_grid(draw, panel: Panel, left: int, top: int, cell: int) -> None:
    font = load_font(max(9, round(cell * 0.42)))
    with_numbers = cell >= SMALLEST_WITH_NUMBER
    for row, (numbers, colours) in enumerate(zip(panel.numbers.tolist(), panel.colours)):
        for column, (number, colour) in enumerate(zip(numbers, colours)):
            x, y = left + column * cell, top + row * cell
            draw.rectangle((x, y, x + cell, y + cell), fill=str(colour), outline="#999999")
            if with_numbers and number == number:  # NaN differs from itself
                middle = (x + cell / 2, y + cell / 2)
                draw.text(middle, f"{number:.0f}", fill=INK if number else PALE_INK, font=font,
                          anchor="mm")  # fmt: skip
