"""The style of the course's matplotlib figures, and the plots that several lessons share."""

from __future__ import annotations

from typing import ClassVar

import numpy
from torch import Tensor

from ..session.text import printable

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


def use_course_style() -> None:
    """Large type, no frame and colour-blind-safe lines: readable from the last row.

    It changes matplotlib's settings for all figures that are made afterwards.

    Example:
        >>> from matplotlib import rcParams
        >>> use_course_style()
        >>> rcParams["axes.titlesize"], rcParams["figure.dpi"]
        (16.0, 80.0)
    """
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


class LivePlot:
    """A matplotlib figure of which only a few artists move, redrawn in milliseconds.

    The axes and everything else are drawn once and kept as a background; a redraw puts the
    background back and draws the moving artists over it. The background and the canvas are some
    megabytes: only the plots that were used last keep theirs, and any other draws them again when
    it is used again.

    Args:
        figure: a finished figure; axis limits must not change afterwards.
        moving: the artists that will be changed between redraws.

    Example:
        >>> from matplotlib import pyplot
        >>> figure, axes = pyplot.subplots(figsize=(3, 2), dpi=100)
        >>> (line,) = axes.plot([0, 1], [0, 1])
        >>> LivePlot(figure, [line]).image().shape  # rows, columns, colours
        (200, 300, 3)
    """

    AWAKE = 8  # how many plots keep their background
    _awake: ClassVar[list[LivePlot]] = []  # the plot that was used last stands last

    def __init__(self, figure, moving):
        from matplotlib import pyplot

        self.figure, self.moving = figure, list(moving)
        for artist in self.moving:
            artist.set_animated(True)
        self._wake()
        figure.set_layout_engine("none")  # everything stays where it is when it is drawn again
        pyplot.close(figure)  # so that the notebook does not show it a second time

    def _wake(self) -> None:
        """Draw the background, and let the plot that was not used for longest forget its own."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.canvas = FigureCanvasAgg(self.figure)
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(self.figure.bbox)
        self._awake.append(self)
        while len(self._awake) > self.AWAKE:
            self._awake.pop(0)._sleep()

    def _sleep(self) -> None:
        from matplotlib.backend_bases import FigureCanvasBase
        from matplotlib.text import Text

        self.canvas, self.background = None, None
        FigureCanvasBase(self.figure)  # in place of the one that was drawn on
        for text in self.figure.findobj(Text):
            text._renderer = None  # it keeps what it was last drawn with, and so the canvas

    def image(self) -> numpy.ndarray:
        """The figure as its artists are now, (H, W, 3) bytes."""
        if self.canvas is None:
            self._wake()
        self._awake.remove(self)
        self._awake.append(self)
        self.canvas.restore_region(self.background)
        for artist in self.moving:
            artist.draw(self.canvas.get_renderer())
        return numpy.asarray(self.canvas.buffer_rgba())[..., :3].copy()


def number_grid(axes, grid: Tensor, marked: Tensor | None = None, digits: int = 1) -> None:
    """A small matrix as squares with its numbers in them.

    Args:
        axes: the matplotlib axes to draw into.
        grid: (H, W) numbers; zeros are written in grey.
        marked: positions to colour, counted row by row from 0, in a tensor of any shape.
        digits: decimals to write.

    Example:
        >>> import torch
        >>> from matplotlib import pyplot
        >>> axes = pyplot.figure().add_subplot()
        >>> number_grid(axes, torch.eye(2), digits=0)
        >>> [text.get_text() for text in axes.texts]
        ['1', '0', '0', '1']
    """
    from matplotlib.patches import Rectangle

    height, width = grid.shape
    chosen = set() if marked is None else set(marked.flatten().tolist())
    for position, number in enumerate(grid.flatten().tolist()):
        row, column = divmod(position, width)
        colour = PALETTE[1] if position in chosen else "white"
        square = {"facecolor": colour, "edgecolor": "black", "linewidth": 1.5}
        axes.add_patch(Rectangle((column, row), 1, 1, **square))
        text = {"color": "black" if number or position in chosen else "grey", "fontsize": 16}
        axes.text(column + 0.5, row + 0.5, f"{number:.{digits}f}", ha="center", va="center", **text)
    axes.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05), aspect="equal")
    axes.axis("off")


def plain(text) -> str:
    """`text` for a figure that shows it as it is: without formulas between dollars, on one line.

    For names that come from files and people, of classes for instance.

    Example:
        >>> print(plain("$x_{$"))
        \\$x_{\\$
    """
    return printable(text).replace("$", r"\$")


def codes_map(axes, codes: Tensor, labels: Tensor, classes, extent: float | None = None) -> None:
    """Two-dimensional codes as dots, coloured by class, each class named at its median.

    Args:
        axes: the matplotlib axes to draw into.
        codes, labels, classes: (N, 2) codes, (N,) classes and the name of each class.
        extent: the axes show [-extent, extent]²; all codes if it is None.

    Example:
        >>> import torch
        >>> from matplotlib import pyplot
        >>> axes = pyplot.figure().add_subplot()
        >>> codes_map(axes, torch.rand(4, 2), torch.tensor([0, 1, 1, 0]), ["cat", "dog"])
        >>> [text.get_text() for text in axes.texts]
        ['cat', 'dog']
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
                plain(label),
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
