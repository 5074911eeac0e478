"""Figures: one style, sheets of pictures, and plots that can be redrawn fast enough to drag.

Pictures are arrays of bytes, (H, W, 3) uint8; only plots with axes use matplotlib, which is
imported when the first one is drawn.
"""

from __future__ import annotations

import io
from functools import cache

import numpy
import torch
from torch import Tensor

# Ten colours that stay apart for colour-blind readers (after Paul Tol's "muted" scheme).
PALETTE = (
    "#332288",
    "#DDAA33",
    "#CC6677",
    "#117733",
    "#88CCEE",
    "#882255",
    "#44AA99",
    "#999933",
    "#AA4499",
    "#000000",
)
WHITE = 255


def use_course_style() -> None:
    """Large type, no frame, colour-blind-safe lines: readable from the last row."""
    from cycler import cycler
    from matplotlib import pyplot

    pyplot.rcParams.update(
        {
            "figure.figsize": (9, 4.2),
            "figure.dpi": 80,
            "savefig.dpi": 80,
            "figure.constrained_layout.use": True,
            "font.size": 14,
            "axes.titlesize": 16,
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "lines.linewidth": 2.5,
            "legend.frameon": False,
            "image.cmap": "gray",
        }
    )


def to_bytes(images: Tensor) -> numpy.ndarray:
    """(N, C, H, W) floats in [0, 1], C of 1 or 3 -> (N, H, W, 3) bytes; beyond it is clipped."""
    images = images.detach().clamp(0, 1).mul(255).round().to(torch.uint8).cpu()
    return images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()


def sheet(images: Tensor, columns: int, scale: int = 2, gap: int = 2) -> numpy.ndarray:
    """Pictures side by side, row by row, as one picture (H, W, 3).

    Args:
        images: (N, C, H, W) in [0, 1].
        columns: pictures a row.
        scale: each pixel becomes scale × scale, so that browsers need not blur it.
        gap: white pixels between pictures, after scaling.
    """
    tiles = to_bytes(images).repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = tiles.shape
    rows = -(-count // columns)
    canvas = numpy.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), WHITE, numpy.uint8
    )
    for number, tile in enumerate(tiles):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def captioned(picture: numpy.ndarray, text: str, size: int = 16) -> numpy.ndarray:
    """The picture with a line of text above it."""
    from PIL import Image, ImageDraw

    font = _font(size)
    height, width = picture.shape[:2]
    band = round(size * 1.6)
    canvas = Image.new("RGB", (max(width, round(font.getlength(text)) + 8), height + band), "white")
    ImageDraw.Draw(canvas).text((2, 1), text, fill="black", font=font)
    canvas.paste(Image.fromarray(picture), (0, band))
    return numpy.asarray(canvas)


@cache
def _font(size: int):
    """The font that comes with matplotlib: Pillow's own has no Greek letters."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def beside(*pictures: numpy.ndarray, gap: int = 16) -> numpy.ndarray:
    """Pictures next to each other on white, aligned at the bottom."""
    return _stacked(pictures, gap, along=1)


def above(*pictures: numpy.ndarray, gap: int = 12) -> numpy.ndarray:
    """Pictures under each other on white, aligned at the left."""
    return _stacked(pictures, gap, along=0)


def _stacked(pictures, gap: int, along: int) -> numpy.ndarray:
    across = 1 - along
    most = max(picture.shape[across] for picture in pictures)
    padded = []
    for number, picture in enumerate(pictures):
        spare = most - picture.shape[across]
        margins = [(0, 0), (0, 0), (0, 0)]
        margins[across] = (spare, 0) if along == 1 else (0, spare)
        margins[along] = (gap if number else 0, 0)
        padded.append(numpy.pad(picture, margins, constant_values=WHITE))
    return numpy.concatenate(padded, axis=along)


def png(picture: numpy.ndarray) -> bytes:
    """The picture as a PNG file; fast rather than small, since sliders wait for it."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


class Picture:
    """A picture as the value of a cell: the notebook shows it, and a page without a kernel too.

    Args:
        picture: (H, W, 3) bytes.
        description: what is to be seen, for readers who cannot see it.
    """

    def __init__(self, picture: numpy.ndarray, description: str):
        self.picture = picture
        self.description = description

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": small_png(self.picture), "text/plain": self.description}


def rows(named: dict[str, Tensor], description: str, columns: int = 20, scale: int = 2) -> Picture:
    """Sheets of pictures under each other, each under its name.

    Args:
        named: caption -> (N, C, H, W) pictures in [0, 1].
        description: what is to be seen, for readers who cannot see it.
        columns: pictures per row.
        scale: each pixel becomes scale × scale.
    """
    sheets = [
        captioned(sheet(images, min(columns, len(images)), scale), caption)
        for caption, images in named.items()
    ]
    return Picture(above(*sheets), description)


def small_png(picture: numpy.ndarray) -> bytes:
    """The picture as a small PNG file, with at most 256 colours: for storing in a notebook."""
    from PIL import Image

    buffer = io.BytesIO()
    # k-means keeps colours that few pixels have, a pale forehead for instance.
    image = Image.fromarray(picture).quantize(256, kmeans=1, dither=Image.Dither.NONE)
    image.save(buffer, "png", optimize=True)
    return buffer.getvalue()


class LivePlot:
    """A matplotlib figure of which only a few artists move, redrawn in milliseconds.

    The axes and everything else are drawn once and kept as a background; a redraw puts the
    background back and draws the moving artists over it.

    Args:
        figure: a finished figure; axis limits must not change afterwards.
        moving: the artists that will be changed between redraws.
    """

    def __init__(self, figure, moving):
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.moving = list(moving)
        for artist in self.moving:
            artist.set_animated(True)
        self.canvas = FigureCanvasAgg(figure)
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(figure.bbox)
        pyplot.close(figure)  # so that the notebook does not show it a second time

    def picture(self) -> numpy.ndarray:
        """(H, W, 3) bytes of the figure as its artists are now."""
        self.canvas.restore_region(self.background)
        for artist in self.moving:
            artist.draw(self.canvas.get_renderer())
        return numpy.asarray(self.canvas.buffer_rgba())[..., :3].copy()


def number_grid(axes, grid: Tensor, marked: Tensor | None = None, digits: int = 1) -> None:
    """A small matrix as squares with its numbers in them.

    Args:
        axes: where to draw.
        grid: (H, W) numbers; zeros are drawn pale.
        marked: positions to colour, counted row by row from 0, in a tensor of any shape.
        digits: decimals to write.
    """
    from matplotlib.patches import Rectangle

    height, width = grid.shape
    chosen = set() if marked is None else set(marked.flatten().tolist())
    for place, number in enumerate(grid.flatten().tolist()):
        row, column = divmod(place, width)
        colour = PALETTE[1] if place in chosen else "white"
        square = {"facecolor": colour, "edgecolor": "black", "linewidth": 1.5}
        axes.add_patch(Rectangle((column, row), 1, 1, **square))
        text = {"color": "black" if number or place in chosen else "grey", "fontsize": 16}
        axes.text(column + 0.5, row + 0.5, f"{number:.{digits}f}", ha="center", va="center", **text)
    axes.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05), aspect="equal")
    axes.axis("off")


def codes_map(axes, codes: Tensor, labels: Tensor, classes, extent: float | None = None) -> None:
    """Two-dimensional codes as dots, coloured by class, each class named at its median.

    Args:
        axes: where to draw.
        codes, labels, classes: (N, 2) codes, (N,) classes and the name of each class.
        extent: the map shows [-extent, extent]²; where None, all codes.
    """
    codes, labels = codes.detach().cpu(), labels.cpu()
    for number in range(len(classes)):
        own = codes[labels == number]
        axes.scatter(*own.T, s=7, color=PALETTE[number % 10], alpha=0.6, linewidths=0)
    for number, label in enumerate(classes):
        own = codes[labels == number]
        if len(own):
            axes.text(
                *own.median(0).values.tolist(),
                label,
                ha="center",
                va="center",
                fontsize=15,
                weight="bold",
                bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": PALETTE[number % 10]},
            )
    if extent is None:
        axes.set_aspect("equal", adjustable="datalim")
    else:
        axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
