"""Views for measuring a VAE: a posterior that is rotated, and the weights of draws from q(z|x)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy
import torch
from torch import Tensor

from .. import plots
from ..session.arguments import real, whole


def _ellipse(covariance: Tensor, reach: float = 2.0, points: int = 120) -> numpy.ndarray:
    """(points, 2) on the curve that lies `reach` standard deviations from the mean."""
    turn = torch.linspace(0, 2 * math.pi, points, dtype=covariance.dtype)
    circle = torch.stack([turn.cos(), turn.sin()])
    return (reach * torch.linalg.cholesky(covariance) @ circle).T.numpy()


class RotationView:
    """The posterior of a linear VAE and the best diagonal q, while its latent space is rotated.

    Args:
        measure: angle in degrees -> covariance (2, 2) of p(z|x), that of the best diagonal q, the
            ELBO and log p(x), the last two averaged over the data.

    Example:
        >>> plots.use_course_style()
        >>> view = RotationView(lambda angle: (torch.eye(2), torch.eye(2), -4.5, -4.4))
        >>> view.draw(angle=30.0).shape
        (336, 800, 3)
    """

    def __init__(self, measure: Callable[[float], tuple[Tensor, Tensor, float, float]]):
        from matplotlib import pyplot

        self.measure = measure
        angles = range(0, 91, 3)
        found = [measure(float(angle)) for angle in angles]
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.2), width_ratios=(1, 1.3))
        (self.true,) = left.plot([], [], color=plots.PALETTE[2], label="p(z|x)")
        (self.q,) = left.plot([], [], color=plots.PALETTE[0], label="best diagonal q(z|x)")
        widest = 2.6 * max(float(torch.linalg.eigvalsh(each[0])[-1]) for each in found) ** 0.5
        left.set(xlim=(-widest, widest), ylim=(-widest, 1.7 * widest), aspect="equal")
        left.set(xlabel="z₁ - its mean", ylabel="z₂ - its mean")
        left.legend(fontsize=12, loc="upper left")
        right.plot(angles, [each[3] for each in found], "k", label="log p(x)")
        right.plot(angles, [each[2] for each in found], color=plots.PALETTE[0], label="ELBO")
        (self.dot,) = right.plot([], [], "o", color=plots.PALETTE[0], ms=11)
        (self.gap,) = right.plot([], [], ":", color=plots.PALETTE[2], label="KL(q(z|x) ‖ p(z|x))")
        right.set(xlabel="angle, degrees", ylabel="nats, mean over the data", xlim=(-2, 92))
        low, high = right.get_ylim()
        right.set_ylim(low, high + 0.45 * (high - low))
        right.legend(fontsize=12, loc="upper center", ncols=3, columnspacing=1)
        self.plot = plots.LivePlot(figure, [self.true, self.q, self.gap, self.dot])

    def draw(self, angle: float) -> numpy.ndarray:
        """The image (H, W, 3) with the latent space rotated by an angle in degrees."""
        angle = real(angle, "angle", "a finite number of degrees", math.isfinite)
        posterior, diagonal, elbo, log_evidence = self.measure(angle)
        self.true.set_data(*_ellipse(posterior).T)
        self.q.set_data(*_ellipse(diagonal).T)
        self.gap.set_data([angle, angle], [float(elbo), float(log_evidence)])
        self.dot.set_data([angle], [float(elbo)])
        return self.plot.image()


class ImportanceView:
    """Draws from q(z|x) over the true posterior, each as large as its importance weight.

    The axes are those of q: 0 is its mean, and 1 is one of its standard deviations.

    Args:
        density: (N, side, side) of p(z|x) on an even square grid; any scale.
        extent: the grid covers [-extent, extent]² of these units, rows along the second axis.
        draws: (N, k, 2) draws from q, in these units.
        log_weights: (N, k) log p(x, z) - log q(z|x) of each.
        log_evidence: (N,) log p(x).

    Example:
        >>> plots.use_course_style()
        >>> draws, weights = torch.randn(1, 50, 2), torch.zeros(1, 50)
        >>> view = ImportanceView(torch.rand(1, 9, 9), 5.0, draws, weights, [0.0])
        >>> view.draw(image=0, k=10).shape
        (352, 880, 3)
    """

    def __init__(
        self,
        density: Tensor,
        extent: float,
        draws: Tensor,
        log_weights: Tensor,
        log_evidence: Sequence[float] | Tensor,
    ):
        from matplotlib import pyplot

        self.density, self.draws, self.log_weights = (
            some.detach().cpu() for some in (density, draws, log_weights)
        )
        self.log_evidence = torch.as_tensor(log_evidence).detach().cpu()
        most = self.draws.shape[1]
        counts = torch.arange(1, most + 1)
        self.estimates = self.log_weights.logcumsumexp(1) - counts.log()
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.4), width_ratios=(1, 1.3))
        around = (-extent, extent, -extent, extent)
        self.shade = left.imshow(
            numpy.zeros(density.shape[1:]), cmap="Greys", vmin=0, vmax=1, extent=around,
            origin="lower",
        )  # fmt: skip
        circle = _ellipse(torch.eye(2))
        left.plot(*circle.T, color=plots.PALETTE[0], label="q(z|x), two σ")
        self.dots = left.scatter([], [], s=[], color=plots.PALETTE[2], alpha=0.7, linewidths=0)
        left.set(xlabel="(z₁ - μ₁) / σ₁", ylabel="(z₂ - μ₂) / σ₂")
        left.set(xlim=(-extent, extent), ylim=(-extent, extent))
        left.set_title("p(z|x) in grey", fontsize=14)
        left.legend(fontsize=11, loc="upper left")
        (self.level,) = right.plot([1, most], [0, 0], "k", label="log p(x), by the grid")
        (self.curve,) = right.plot(counts, 0 * counts, color=plots.PALETTE[2], label="k draws")
        (self.dot,) = right.plot([], [], "o", color=plots.PALETTE[2], ms=10)
        right.set(xscale="log", xlabel="k", ylabel="nats above log p(x)", ylim=(-8, 4))
        right.legend(fontsize=12, loc="lower right")
        self.text = right.text(0.03, 0.95, "", transform=right.transAxes, va="top", fontsize=13)
        moving = [self.shade, *left.lines, self.dots, left.get_legend()]
        self.plot = plots.LivePlot(figure, [*moving, self.level, self.curve, self.dot, self.text])

    def draw(self, image: int, k: int) -> numpy.ndarray:
        """The figure (H, W, 3) for the first k draws of one image."""
        image = whole(image, "image", least=0, most=len(self.draws) - 1)
        k = whole(k, "k", most=self.draws.shape[1])
        density = self.density[image]
        self.shade.set_data((density / density.max()).numpy())
        share = self.log_weights[image, :k].softmax(0)
        self.dots.set_offsets(self.draws[image, :k].numpy())
        self.dots.set_sizes((6 + 500 * share).numpy())
        missing = self.estimates[image] - self.log_evidence[image]
        self.curve.set_ydata(missing.clamp(-8, 4).numpy())
        self.dot.set_data([k], [float(missing[k - 1].clamp(-8, 4))])
        effective = 1 / share.square().sum()
        self.text.set_text(
            f"effective number of draws {effective:.1f} of {k}\nestimate {missing[k - 1]:+.2f} nats"
        )
        return self.plot.image()
