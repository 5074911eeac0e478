"""Replay the training of a GAN in the plane: fakes, the discriminator's surface, the gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from .. import metrics, plots


def flat_weights(*nets: nn.Module) -> Tensor:
    """All weights of some networks as one vector: what a training history is made of."""
    return torch.cat([parameters_to_vector(net.parameters()) for net in nets])


class TimeMachine:
    """Both players at any moment of a run, and what each does next in slow motion.

    A frame of the history is the weights of both players, and all that is shown is computed from
    them. The background is D's verdict, from sure of a fake to sure of a real point; arrows are
    the gradient that the generator climbs, its spy at the discriminator.

    Args:
        generator, discriminator: networks of the run's architecture, (runs, batch, 2) to points
            and to logits (runs, batch); copied.
        history: (step, weights) pairs, as `fit` records them when it watches `flat_weights` both.
        mixture: the data.
        turns: (player, move) pairs in the order of play; move(G, D) trains that player a little.
        reach: the image shows [-reach, reach]².
    """

    SURFACE, ARROWS, SAMPLES = 48, 13, 400
    STEPS_A_TURN = 10  # of one player: a single step could not be seen

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        history: Sequence[tuple[int, Tensor]],
        mixture,
        turns: Sequence[tuple[str, Callable[[nn.Module, nn.Module], None]]],
        reach: float = 2.4,
    ):
        from matplotlib import pyplot

        self.G, self.D = copy.deepcopy(generator).cpu(), copy.deepcopy(discriminator).cpu()
        self.history, self.turns = list(history), list(turns)
        self.mixture = mixture.to("cpu")
        numbers = torch.Generator().manual_seed(0)
        runs = next(self.G.parameters()).shape[0]
        self.z = torch.randn(runs, 2000, 2, generator=numbers)
        self.surface_points = _lattice(self.SURFACE, reach)
        self.arrow_points = _lattice(self.ARROWS, 0.92 * reach)
        self._played: dict[tuple[int, int], Tensor] = {}

        figure, axis = pyplot.subplots(figsize=(7.2, 6.2))
        flat = numpy.zeros((self.SURFACE, self.SURFACE))
        extent = (-reach, reach, -reach, reach)
        look = {"cmap": "PuOr", "vmin": 0, "vmax": 1, "origin": "lower"}
        look["interpolation"] = "bilinear"
        self.surface = axis.imshow(flat, extent=extent, **look)
        figure.colorbar(self.surface, label="D(x): fake 0 … real 1", shrink=0.8)
        places = self.arrow_points.T.numpy()
        zeros = numpy.zeros(self.ARROWS**2)
        self.arrows = axis.quiver(
            *places, zeros, zeros, angles="xy", scale_units="xy", scale=1, width=0.004, alpha=0.7
        )
        # Black on white, so that the rings can be seen on any verdict.
        centres = {"s": 140, "facecolors": "none"}
        under = axis.scatter(*self.mixture.means.T, edgecolors="white", linewidths=3.5, **centres)
        rings = axis.scatter(
            *self.mixture.means.T, edgecolors="black", linewidths=1.4, label="data", **centres
        )
        dots = {"s": 9, "color": plots.PALETTE[3], "linewidths": 0}
        self.dots = axis.scatter(*torch.zeros(2, self.SAMPLES), label="fakes", **dots)
        self.text = axis.set_title("step")  # some text, so that room is kept for it
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        legend = axis.legend(loc="lower left", fontsize=11, frameon=True)
        moving = [self.surface, self.arrows, under, rings, self.dots, legend, self.text]
        self.plot = plots.LivePlot(figure, moving)

    def weights(self, frame: int, slow_motion: int = 0) -> Tensor:
        """The weights at a frame, or some turns of the players after it."""
        key = (frame, slow_motion)
        if key not in self._played:
            if slow_motion == 0:
                return self.history[frame][1]
            # vector_to_parameters makes views: without a copy, a move would change the history.
            before = self.weights(frame, slow_motion - 1).clone()
            vector_to_parameters(before, self._parameters())
            _, move = self.turns[(slow_motion - 1) % len(self.turns)]
            # Each turn draws the same numbers whenever it is replayed.
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(slow_motion)
                for _ in range(self.STEPS_A_TURN):
                    move(self.G, self.D)
            self._played[key] = flat_weights(self.G, self.D).detach()
        return self._played[key]

    def draw(self, frame: int, slow_motion: int = 0, run: int = 1) -> numpy.ndarray:
        """The image of a frame (from 0), so many turns later, of one run (from 1)."""
        vector_to_parameters(self.weights(frame, slow_motion), self._parameters())
        with torch.no_grad():
            fakes = self.G(self.z)[run - 1]
            verdict = self.D(self._for_all(self.surface_points)).sigmoid()[run - 1]
        slope = self._slope(self.arrow_points)[run - 1]
        length = slope.norm(dim=-1, keepdim=True)
        # Long slopes are drawn shorter, or one arrow would cover the image.
        slope = 0.3 * slope / (length + 1)
        self.surface.set_data(verdict.view(self.SURFACE, self.SURFACE).numpy())
        self.arrows.set_UVC(*slope.T.numpy())
        self.dots.set_offsets(fakes[: self.SAMPLES].numpy())
        found = metrics.coverage(fakes, self.mixture)
        self.text.set_text(
            f"step {self.history[frame][0]:,}{self._said(slow_motion)}:  {int(found['modes'])} of "
            f"{len(self.mixture.means)} modes, {found['high quality']:.0%} good"
        )
        return self.plot.image()

    def _said(self, slow_motion: int) -> str:
        if slow_motion == 0:
            return ""
        player, _ = self.turns[(slow_motion - 1) % len(self.turns)]
        return f" + {slow_motion} (now {player})"

    def _slope(self, points: Tensor) -> Tensor:
        """The gradient of D's logit at points, (runs, points, 2)."""
        points = self._for_all(points).clone().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.D(points).sum(), points)[0]

    def _for_all(self, points: Tensor) -> Tensor:
        return points.expand(len(self.z), -1, -1)

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.G.parameters(), *self.D.parameters()]


def _lattice(side: int, reach: float) -> Tensor:
    """(side², 2) points, row by row from the lower left."""
    line = torch.linspace(-reach, reach, side)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=-1)
