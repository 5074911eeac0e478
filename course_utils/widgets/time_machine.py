"""Replay the training of a GAN in the plane: fakes, the discriminator's output, its gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from .. import metrics, plots
from ..session.arguments import whole


def flat_weights(*nets: nn.Module) -> Tensor:
    """All parameters of some networks as one vector: a frame of a training history.

    Args:
        nets: the networks, in the order of their parameters in the vector.

    Returns:
        (parameters,), still part of the graph of gradients.

    Example:
        >>> flat_weights(nn.Linear(2, 3), nn.Linear(3, 1)).shape  # (6 + 3) + (3 + 1)
        torch.Size([13])
    """
    return torch.cat([parameters_to_vector(net.parameters()) for net in nets])


MOST_TURNS = 500  # each is replayed from the one before


class TimeMachine:
    """Generator and discriminator at any step of a run, and the next updates of each.

    A frame of the history is the weights of both networks, and all that is shown is computed from
    them. The background is D(x), from 0 (fake) to 1 (real). The arrows are the gradient of the
    logit with respect to the input: the direction in which the generator moves its samples.

    Args:
        generator, discriminator: networks of the run's architecture, (runs, batch, 2) to points
            and to logits (runs, batch); copied.
        history: (step, weights) pairs, as `fit` records them when it watches `flat_weights` of
            both.
        mixture: the data.
        turns: (network, update) pairs in the order of training, the first a name for the title;
            update(G, D) trains one of the two for one step.
        reach: the image shows [-reach, reach]².

    Example:
        >>> from course_utils.data.mixtures import ring
        >>> from course_utils.models import perceptrons
        >>> G, D = perceptrons(1, 2, 2), nn.Sequential(perceptrons(1, 2, 1), nn.Flatten())
        >>> machine = TimeMachine(G, D, [(0, flat_weights(G, D))], ring(), turns=[])
        >>> machine.draw(frame=0).dtype.name
        'uint8'
    """

    SURFACE, ARROWS, SAMPLES = 48, 13, 400
    STEPS_A_TURN = 10  # of one network: the effect of a single step would be invisible

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
        random_numbers = torch.Generator().manual_seed(0)
        runs = next(self.G.parameters()).shape[0]
        self.z = torch.randn(runs, 2000, 2, generator=random_numbers)
        self.surface_points = lattice(self.SURFACE, reach)
        self.arrow_points = lattice(self.ARROWS, 0.92 * reach)
        self._replayed: dict[tuple[int, int], Tensor] = {}

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
        # Black on white, so that the rings are visible on any background.
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
        """The weights at a frame, or after `slow_motion` further turns of training.

        Args:
            frame: position in the history, from 0.
            slow_motion: turns after that frame, of 10 steps each.

        Raises:
            ValueError: there is no such frame, or the turns are no whole number.
        """
        frame = whole(frame, "frame", least=0, most=len(self.history) - 1)
        # Without `turns` there are none to replay.
        slow_motion = whole(slow_motion, "slow_motion", least=0, most=MOST_TURNS * bool(self.turns))
        key = (frame, slow_motion)
        if key not in self._replayed:
            if slow_motion == 0:
                return self.history[frame][1]
            # vector_to_parameters makes views: without a copy, an update would change the history.
            before = self.weights(frame, slow_motion - 1).clone()
            vector_to_parameters(before, self._parameters())
            _, update = self.turns[(slow_motion - 1) % len(self.turns)]
            # Each turn draws the same random numbers whenever it is replayed.
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(slow_motion)
                for _ in range(self.STEPS_A_TURN):
                    update(self.G, self.D)
            self._replayed[key] = flat_weights(self.G, self.D).detach()
        return self._replayed[key]

    def draw(self, frame: int, slow_motion: int = 0, run: int = 1) -> numpy.ndarray:
        """The image (H, W, 3) of one run at a frame, or after further turns of training.

        Args:
            frame: position in the history, from 0.
            slow_motion: turns after that frame, of 10 steps each.
            run: which of the runs, from 1.

        Raises:
            ValueError: there is no such frame or run, or the turns are no whole number.
        """
        run = whole(run, "run", most=len(self.z))
        frame, slow_motion = whole(frame, "frame", least=0), whole(slow_motion, "slow_motion", 0)
        vector_to_parameters(self.weights(frame, slow_motion), self._parameters())
        with torch.no_grad():
            fakes = self.G(self.z)[run - 1]
            probability = self.D(self._for_all(self.surface_points)).sigmoid()[run - 1]
        gradient = self._gradient(self.arrow_points)[run - 1]
        # Large gradients are drawn shorter, or one arrow would cover the image.
        arrows = 0.3 * gradient / (gradient.norm(dim=-1, keepdim=True) + 1)
        self.surface.set_data(probability.view(self.SURFACE, self.SURFACE).numpy())
        self.arrows.set_UVC(*arrows.T.numpy())
        self.dots.set_offsets(fakes[: self.SAMPLES].numpy())
        found = metrics.coverage(fakes, self.mixture)
        self.text.set_text(
            f"step {self.history[frame][0]:,}{self._turn(slow_motion)}:  {int(found['modes'])} of "
            f"{len(self.mixture.means)} modes, {found['high quality']:.0%} good"
        )
        return self.plot.image()

    def _turn(self, slow_motion: int) -> str:
        """The turn of training in words, for the title."""
        if slow_motion == 0:
            return ""
        network, _ = self.turns[(slow_motion - 1) % len(self.turns)]
        return f" + {slow_motion} (now {network})"

    def _gradient(self, points: Tensor) -> Tensor:
        """The gradient of D's logit at points, (runs, points, 2)."""
        points = self._for_all(points).clone().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.D(points).sum(), points)[0]

    def _for_all(self, points: Tensor) -> Tensor:
        return points.expand(len(self.z), -1, -1)

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.G.parameters(), *self.D.parameters()]


def lattice(side: int, reach: float) -> Tensor:
    """(side², 2) points, row by row from the lower left."""
    line = torch.linspace(-reach, reach, side)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=-1)
