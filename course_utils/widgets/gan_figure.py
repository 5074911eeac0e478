"""The figure of `GANMap`: data, generated samples, D's surface and losses, drawn in two layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy
import torch
from torch import Tensor

from .. import plots

SIDE = 48  # points of D's surface in each direction
SAMPLES, DATA = 400, 400  # points drawn
LAST_STEPS, TOGETHER = 1000, 10  # of the losses: how many, and how many to one mean
CHOSEN = "#0072B2"


class GANFigure:
    """What training changes is drawn once a training; while data move, only the data are redrawn.

    Args:
        reach: the map shows [-reach, reach]².

    Attributes:
        map: the matplotlib axes of the map.

    Example:
        >>> figure = GANFigure(reach=2.0)
        >>> figure.show_training(torch.rand(9, 2), torch.rand(48, 48), {"loss_D": [1.4, 1.3]})
        >>> figure.image(torch.eye(2), chosen=0, std=0.1, title="two modes").shape
        (560, 1000, 3)
    """

    def __init__(self, reach: float):
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=(10, 5.6), dpi=100, layout="none")
        self.map = figure.add_axes((0.06, 0.1, 0.462, 0.825))  # square
        self.map.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="x")
        self.map.set_ylabel("y", rotation=0)
        self.text = self.map.set_title("", loc="left", fontsize=14)
        self._draw_surface(figure.add_axes((0.538, 0.1, 0.014, 0.825)), reach)
        self._draw_points(figure)
        self._draw_losses(figure.add_axes((0.67, 0.46, 0.31, 0.465)))
        self.noise = torch.randn(DATA, 2, generator=torch.Generator().manual_seed(0))
        self.of_data = [self.data, *self.rings, self.chosen, self.text]
        for artist in self.of_data:
            artist.set_animated(True)  # drawn by `image`, over the rest
        self.plot = plots.LivePlot(figure, [self.surface, self.samples, *self.lines.values()])

    def show_training(self, samples: Tensor, probability: Tensor, losses: Mapping) -> None:
        """Draw all that training changes.

        Args:
            samples: (N, 2) points that G generates; the first 400 are drawn.
            probability: (48, 48) of D(x), from 0 to 1, row by row from the lower left.
            losses: "loss_D" and "loss_G" -> one number a step; means of ten are drawn,
                of the last 1000.
        """
        self.samples.set_offsets(samples[:SAMPLES].numpy())
        self.surface.set_data(probability.numpy())
        for name, values in losses.items():
            whole = min(len(values), LAST_STEPS) // TOGETHER * TOGETHER
            means = numpy.reshape(values[len(values) - whole :], (-1, TOGETHER)).mean(axis=1)
            self.lines[name].set_data(numpy.arange(1 - len(means), 1) * TOGETHER, means)
        self._draw_training()

    def image(self, modes: Tensor, chosen: int, std: float, title: str) -> numpy.ndarray:
        """The image (560, 1000, 3) of data at some modes, over what training has changed.

        Args:
            modes: (K, 2) centres of the data.
            chosen: the number of the one that is marked.
            std: standard deviation of each Gaussian.
            title: the text above the map.
        """
        if self.plot.canvas is None:  # given up for other plots, see LivePlot
            self._draw_training()
        self.data.set_offsets((modes[torch.arange(DATA) % len(modes)] + std * self.noise).numpy())
        for ring in self.rings:
            ring.set_offsets(modes.numpy())
        self.chosen.set_offsets(modes[chosen].numpy())
        self.text.set_text(title)
        self.plot.canvas.restore_region(self.trained)
        for artist in self.of_data:
            artist.draw(self.plot.canvas.get_renderer())
        return numpy.asarray(self.plot.canvas.buffer_rgba())[..., :3].copy()

    def _draw_training(self) -> None:
        self.plot.image()
        self.trained = self.plot.canvas.copy_from_bbox(self.map.figure.bbox)

    def _draw_surface(self, bar, reach: float) -> None:
        from matplotlib import pyplot
        from matplotlib.colors import ListedColormap

        # A colour for each twentieth, without the darkest, on which no sample would be visible.
        shades = ListedColormap(pyplot.get_cmap("PuOr")(numpy.linspace(0.18, 0.82, 20)))
        look = {"cmap": shades, "vmin": 0, "vmax": 1, "interpolation": "bilinear"}
        extent = (-reach, reach, -reach, reach)
        flat = numpy.zeros((SIDE, SIDE))
        self.surface = self.map.imshow(flat, origin="lower", extent=extent, **look)
        colours = self.map.figure.colorbar(self.surface, cax=bar)
        colours.set_ticks([0, 0.5, 1], labels=["0, fake", "D(x)", "1, real"])

    def _draw_points(self, figure) -> None:
        def points(label=None, **look):
            return self.map.scatter([0], [0], label=label, **look)

        green = {"color": plots.PALETTE[3], "edgecolors": "white", "linewidths": 0.5}
        self.samples = points("samples of G", s=22, **green)
        self.data = points("data", s=10, color="black", linewidths=0)
        # Black on white, so that the rings are visible on any background.
        ring = {"s": 230, "facecolors": "none"}
        white = points(edgecolors="white", linewidths=4, **ring)
        black = points("mode of the data", edgecolors="black", linewidths=2, **ring)
        self.chosen = points("chosen mode", edgecolors=CHOSEN, linewidths=4, **ring)
        self.rings = [white, black]
        handles = [self.samples, self.data, black, self.chosen]
        place = {"loc": "lower left", "bbox_to_anchor": (0.64, 0.06)}
        figure.legend(handles=handles, fontsize=14, **place)

    def _draw_losses(self, axes) -> None:
        colours = {"loss_D": plots.PALETTE[1], "loss_G": plots.PALETTE[3]}
        self.lines = {
            name: axes.plot([], [], color=colour, lw=2, label=name)[0]
            for name, colour in colours.items()
        }
        axes.set(xlim=(-LAST_STEPS, 0), ylim=(0, 4), yticks=range(5), xlabel="steps before now")
        axes.set_xticks([-LAST_STEPS, -LAST_STEPS / 2, 0], labels=[LAST_STEPS, LAST_STEPS // 2, 0])
        axes.set_title("losses, means of 10 steps", loc="left", fontsize=14)
        axes.legend(loc="upper left", fontsize=13)
