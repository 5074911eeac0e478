"""`SamplePath`: where a diffusion model or a flow carries one point of noise.

The starting point is dragged on the plane, or moved by sliders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy
import torch
from torch import Tensor

from .. import plots
from .dragged import DraggedPoint

Sampler = Callable[[Tensor, int], Sequence[Tensor]]


class SamplePath(DraggedPoint):
    """A path from noise to data in the plane, whose start is dragged with the mouse.

    Args:
        samplers: name -> a function of noise (N, 2) and a number of steps that returns the points
            after every step, the noise first: steps + 1 tensors (N, 2).
        data: (K, 2) samples of the data, drawn behind the path.
        description: a sentence for readers who cannot see the image.
        steps: the numbers of steps to choose from.
        extent: the axes show [-extent, extent]², and the start stays inside.

    Attributes:
        plane: the `Plane` with the handle of the start.
        start: (first, second) of the start, rounded to `STEP`.

    Example:
        >>> plots.use_course_style()
        >>> straight = lambda x, steps: [x * (1 - n / steps) for n in range(steps + 1)]
        >>> paths = SamplePath({"to zero": straight}, torch.zeros(1, 2), "To zero.", steps=(2, 4))
        >>> paths.set(first=1.0, second=-0.5, steps=2).start
        (1.0, -0.5)
    """

    def __init__(
        self,
        samplers: Mapping[str, Sampler],
        data: Tensor,
        description: str,
        steps: Sequence[int] = (1, 2, 5, 10, 20, 50),
        extent: float = 3.0,
    ):
        from matplotlib import pyplot

        self.samplers, self.device = dict(samplers), data.device
        figure, axis = pyplot.subplots(figsize=(6, 5.6))
        axis.scatter(*data.cpu().T, s=14, color=plots.PALETTE[2], label="data", linewidths=0)
        (self.line,) = axis.plot([], [], "o-", color=plots.PALETTE[0], ms=4, lw=1.5, label="path")
        (self.first,) = axis.plot([], [], "o", ms=13, mfc="none", mec="black", mew=2.5)
        (self.last,) = axis.plot([], [], "*", ms=16, color=plots.PALETTE[1], mec="black")
        self.first.set_label("start: noise")
        self.last.set_label("end: sample")
        axis.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
        axis.set(xlabel="$x_1$", ylabel="$x_2$")
        axis.legend(loc="lower left", fontsize=10)
        self.plot = plots.LivePlot(figure, [self.line, self.first, self.last])

        choices = {"sampler": list(self.samplers), "steps": list(steps)}
        self._only = {name: values[0] for name, values in choices.items()}
        choices = {name: values for name, values in choices.items() if len(values) > 1}
        super().__init__(
            self._path, axis, description, extent, label="start", start=(1.0, 2.0), choices=choices
        )

    @property
    def start(self) -> tuple[float, float]:
        """(first, second) of the noise that the path begins with."""
        return self.point

    def _path(self, first: float, second: float, **choices) -> numpy.ndarray:
        chosen = self._only | choices
        noise = torch.tensor([[first, second]], device=self.device)
        path = torch.cat([*self.samplers[chosen["sampler"]](noise, chosen["steps"])]).cpu()
        self.line.set_data(*path.T)
        self.first.set_data(*path[:1].T)
        self.last.set_data(*path[-1:].T)
        return self.plot.image()
