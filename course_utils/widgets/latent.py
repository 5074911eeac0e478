"""Views of a latent space: what the sliders of the VAE and autoencoder lessons show.

Each view draws its axes once and then only what moves, so that it follows a dragged slider.
Give its method `draw` to `explore`. `LatentMap` is a widget already: its point is also dragged with
the mouse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy
import torch
from torch import Tensor

from .. import plots
from ..session.arguments import real
from .dragged import DraggedPoint

FINITE = "a finite number"


class ELBOView:
    """A Gaussian q(z|x) over the true posterior, and the ELBO below log p(x).

    Args:
        z: (n,) an even grid of codes.
        posterior: x -> (n,) density of p(z|x).
        elbo_and_gap: (x, mean, sigma) -> the ELBO, and the KL by which it is below log p(x).
        log_evidence: x -> log p(x).

    Example:
        >>> plots.use_course_style()
        >>> z = torch.linspace(-4, 4, 801)
        >>> view = ELBOView(z, lambda x: 0 * z, lambda x, mean, sigma: (-2, 0.5), lambda x: -1.5)
        >>> view.draw(mean=0.0, sigma=1.0, x=0.5).shape
        (336, 720, 3)
    """

    def __init__(self, z: Tensor, posterior, elbo_and_gap, log_evidence):
        from matplotlib import pyplot

        # A few hundred points make a smooth line; more only make the slider slow.
        self.shown = (z.abs() <= 3.2).nonzero().flatten()[:: max(1, len(z) // 1000)]
        self.z, self.posterior = z[self.shown], posterior
        self.elbo_and_gap, self.log_evidence = elbo_and_gap, log_evidence
        figure, (left, right) = pyplot.subplots(1, 2, width_ratios=(3, 2))
        flat = self.z * 0
        (self.true_line,) = left.plot(self.z, flat, color=plots.PALETTE[2], label="p(z|x), true")
        (self.q_line,) = left.plot(self.z, flat, color=plots.PALETTE[0], label="q(z|x)")
        left.set(xlim=(-3, 3), ylim=(0, 2.2), xlabel="code z", title="Fit q to the posterior")
        left.legend(loc="upper left", fontsize=12)
        (self.evidence_line,) = right.plot([0, 1], [0, 0], "k")
        (self.elbo_line,) = right.plot([0, 1], [0, 0], color=plots.PALETTE[0])
        self.gap_bar = right.fill_between([0.35, 0.65], 0, 1, color=plots.PALETTE[4])
        self.evidence_text = right.text(0.02, 0, "", va="bottom")
        self.elbo_text = right.text(0.02, 0, "", va="top")
        self.gap_text = right.text(0.68, 0, "", va="center")
        right.set(xlim=(0, 1), ylim=(-9, 0), xticks=[], ylabel="nats")
        right.set_title("log p(x) and the ELBO")
        self.lowest = right.get_ylim()[0]
        moving = [self.true_line, self.q_line, self.gap_bar, self.evidence_line, self.elbo_line]
        self.plot = plots.LivePlot(
            figure, [*moving, self.evidence_text, self.elbo_text, self.gap_text]
        )

    def draw(self, mean: float, sigma: float, x: float) -> numpy.ndarray:
        """The image (H, W, 3) for q = N(mean, sigma²) and the observation x, all finite."""
        mean, x = (real(value, name, FINITE) for name, value in {"mean": mean, "x": x}.items())
        sigma = real(sigma, "sigma", "a number above 0", lambda width: 0 < width < math.inf)
        density = ((self.z - mean) / sigma).square().mul(-0.5).exp() / (
            sigma * math.sqrt(2 * math.pi)
        )
        self.true_line.set_ydata(self.posterior(x)[self.shown])
        self.q_line.set_ydata(density)
        evidence = float(self.log_evidence(x))
        elbo, gap = (float(value) for value in self.elbo_and_gap(x, mean, sigma))
        floor = max(elbo, self.lowest)  # far below the axis it is drawn at the edge
        self.evidence_line.set_ydata([evidence, evidence])
        self.elbo_line.set_ydata([floor, floor])
        self.gap_bar.set_verts([[(0.35, floor), (0.65, floor), (0.65, evidence), (0.35, evidence)]])
        self.evidence_text.set_text(f"log p(x) = {evidence:.2f}")
        self.evidence_text.set_y(evidence + 0.1)
        self.elbo_text.set_text(f"ELBO = {elbo:.2f}")
        self.elbo_text.set_y(floor - 0.1 if floor > self.lowest + 1 else floor + 0.7)
        self.gap_text.set_text(f"gap {gap:.2f}")
        self.gap_text.set_y((floor + evidence) / 2)
        return self.plot.image()


def _set_apart(axis, least: float) -> None:
    """Move the labels of a map that overlap apart, each with a line back to its place.

    Args:
        axis: matplotlib axes whose texts are the labels.
        least: how far apart they shall be, in the unit of the axes.
    """
    at = torch.tensor([text.get_position() for text in axis.texts], dtype=torch.double)
    turns = torch.arange(len(at)).double()
    # Labels of one and the same place need different directions to go apart.
    moved = at + 0.01 * least * torch.stack([turns.cos(), turns.sin()], dim=-1)
    for _ in range(100):
        between = moved[:, None] - moved
        distance = between.norm(dim=-1, keepdim=True).clamp(min=1e-9)
        overlap = (least - distance).clamp(min=0)
        moved = moved + (0.3 * overlap * between / distance).sum(dim=1)
    for text, old, new in zip(axis.texts, at, moved):
        if (new - old).norm() > 0.1 * least:
            colour = text.get_bbox_patch().get_edgecolor()
            axis.plot(*torch.stack([old, new]).T, color=colour, lw=1.5, scalex=False, scaley=False)
            text.set_position(new.tolist())


class LatentPad:
    """A point in a two-dimensional latent space, and the image that is decoded from it.

    Args:
        decoder: (1, 2) code -> (1, C, H, W) logits.
        codes, labels, classes: the codes of a dataset, (N, 2), the class of each, (N,), and the
            names of the classes, drawn behind the point.
        extent: the axes show [-extent, extent]².

    Example:
        >>> plots.use_course_style()
        >>> decoder = lambda z: torch.zeros(1, 1, 28, 28)
        >>> pad = LatentPad(decoder, torch.randn(9, 2), torch.zeros(9), ["zero"])
        >>> pad.draw(first=0.0, second=1.0).shape
        (384, 696, 3)
    """

    def __init__(
        self,
        decoder: Callable[[Tensor], Tensor],
        codes: Tensor,
        labels: Tensor,
        classes: Sequence[str],
        extent: float = 3.2,
    ):
        from matplotlib import pyplot

        self.decoder, self.codes = decoder, codes
        figure, axis = pyplot.subplots(figsize=(5, 4.8))
        plots.codes_map(axis, codes, labels, classes, extent)
        _set_apart(axis, least=0.15 * extent)
        axis.set(xlabel="first", ylabel="second")
        self.axis = axis
        (self.point,) = axis.plot([0], [0], "o", ms=16, mfc="none", mec="red", mew=4)
        self.plot = plots.LivePlot(figure, [self.point])

    @torch.no_grad()
    def draw(self, first: float, second: float) -> numpy.ndarray:
        """The codes with the point marked, and the decoded image beside them, (H, W, 3)."""
        first, second = real(first, "first", FINITE), real(second, "second", FINITE)
        self.point.set_data([first], [second])
        code = self.codes.new_tensor([[first, second]])
        image = self.decoder(code).sigmoid()
        return plots.side_by_side(self.plot.image(), plots.image_grid(image, 1, scale=10))


class LatentMap(DraggedPoint):
    """A `LatentPad` whose point is dragged with the mouse, or moved by the sliders below it.

    Args:
        decoder: (1, 2) code -> (1, C, H, W) logits.
        codes, labels, classes: the codes of a dataset, (N, 2), the class of each, (N,), and the
            names of the classes, drawn behind the point.
        description: a sentence for readers who cannot see the image.
        extent: the axes show [-extent, extent]², and the point stays inside.

    Attributes:
        plane: the `Plane` with the handle of the point.
        code: (first, second) of the point, rounded to `STEP`.

    Example:
        >>> plots.use_course_style()
        >>> decoder = lambda z: z.sum() + torch.zeros(1, 1, 28, 28)
        >>> codes, labels = torch.randn(9, 2), torch.zeros(9)
        >>> latent_map = LatentMap(decoder, codes, labels, ["zero"], "A map of codes.")
        >>> latent_map.set(first=1.0, second=-0.5).code
        (1.0, -0.5)
    """

    STEP = 0.02

    def __init__(
        self,
        decoder: Callable[[Tensor], Tensor],
        codes: Tensor,
        labels: Tensor,
        classes: Sequence[str],
        description: str,
        extent: float = 3.2,
    ):
        pad = LatentPad(decoder, codes, labels, classes, extent)
        super().__init__(pad.draw, pad.axis, description, extent, label="code")

    @property
    def code(self) -> tuple[float, float]:
        """(first, second): the point whose image is shown."""
        return self.point
