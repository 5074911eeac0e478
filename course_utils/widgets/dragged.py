"""`DraggedPoint`: an image with a point that is dragged with the mouse, or moved by sliders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy

from .explorer import Explorer, selection
from .plane import Plane, frame_of

COORDINATES = ("first", "second")


class DraggedPoint(Explorer):
    """An explorer whose sliders `first` and `second` are the place of a point on its image.

    Args:
        draw: as for `Explorer`; it is called with `first`, `second` and the choices.
        axis: matplotlib axes of that image, on which the point lies.
        description: a sentence for readers who cannot see the image.
        extent: the axes show [-extent, extent]², and the point stays inside.
        label: what the handle of the point is called.
        start: (first, second) at the beginning.
        choices: name -> the choices of further sliders, above those of the point.

    Attributes:
        plane: the `Plane` with the handle of the point.
        point: (first, second), rounded to `STEP`.
    """

    STEP = 0.05

    def __init__(
        self,
        draw: Callable[..., numpy.ndarray],
        axis,
        description: str,
        extent: float,
        label: str,
        start: tuple[float, float] = (0.0, 0.0),
        choices: Mapping[str, Sequence] | None = None,
    ):
        self.plane, self._dragging = None, False
        self.reach = round(extent / self.STEP)  # the positions go from -reach to reach
        places = [round(self.STEP * n, 6) for n in range(-self.reach, self.reach + 1)]
        choices = dict(choices or {}) | dict.fromkeys(COORDINATES, places)
        # Not FloatSliders: a browser rounds the value of one to its step and sends it back.
        sliders = {
            name: selection(name, [f"{v:.2f}" if isinstance(v, float) else str(v) for v in values])
            for name, values in choices.items()
        }
        for name, place in zip(COORDINATES, start):
            sliders[name].value = self.reach + round(place / self.STEP)
        super().__init__(draw, sliders, description, choices)

        height, width, _ = self.image.shape
        self.plane = Plane(
            self.png,
            [self.point],
            self._dragged,
            extent=(-extent, extent, -extent, extent),
            frame=frame_of(axis, height, width),
            label=label,
            max_width=f"{60 * width / height:.0f}vh",  # so low that the sliders are on the screen
        )
        self.view = self.plane.view
        self.box.children = [self.plane.box, *sliders.values(), self.message]

    @property
    def point(self) -> tuple[float, float]:
        """(first, second): where the point is."""
        return self.state["first"], self.state["second"]

    def _dragged(self) -> None:
        self._dragging = True  # the image is drawn once, and the handle stays with the mouse
        for name, value in zip(COORDINATES, self.plane.points[0]):
            self.sliders[name].value = self.reach + round(value / self.STEP)
        self._dragging = False
        super()._redraw()

    def _redraw(self, change=None) -> None:
        if not self._dragging:
            super()._redraw(change)
            if self.plane:
                self.plane.put([self.point])
