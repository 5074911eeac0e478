"""`Plane`: an image with handles that are dragged with the mouse, a finger or the arrow keys.

The image is an Image of core ipywidgets. The handles are an anywidget that lies over it (plane.js,
plane.css), so that where that is missing, the package or its front end, the image still follows
whatever else moves it, such as sliders.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

Point = tuple[float, float]


class Plane:
    """Handles over an image, at points of a plane that is part of the image.

    A handle is dragged with the mouse or a finger, or moved with the arrow keys. A click on an
    empty place adds one, or moves the handle there if it is to be the only one; a double-click or
    the Delete key removes one.
    The image itself shows where the points are: a handle is seen only while it is used.

    Args:
        png: the image as the bytes of a PNG file.
        points: where the handles are, (x, y) in the plane's own coordinates.
        changed: called with nothing after the page has changed `points` or `chosen`.
        extent: (low x, high x, low y, high y) of the plane; handles stay inside.
        frame: (left, upper, right, lower) edge of the plane in the image, from 0 to 1, see
            `frame_of`.
        least, most: how many handles there may be; 1 and 1 for a single one that stays.
        label: what a handle is called for readers who cannot see it.
        max_width: of the image on the page, in CSS.

    Attributes:
        box: the ipywidgets Box of image and handles.
        view: the ipywidgets Image.
        handles: the anywidget; None where anywidget is not installed.
        points, chosen: the points now, and the number of the one that was moved last, from 0.

    Example:
        >>> square = (-1, 1, -1, 1)
        >>> plane = Plane(b"", [(0, 0)], lambda: None, square, frame=(0, 0, 1, 1))
        >>> plane.put([(0.5, -0.5)])
        >>> plane.points
        [(0.5, -0.5)]
    """

    def __init__(
        self,
        png: bytes,
        points: Sequence[Point],
        changed: Callable[[], None],
        extent: tuple[float, float, float, float],
        frame: tuple[float, float, float, float],
        *,
        least: int = 1,
        most: int = 1,
        label: str = "point",
        max_width: str = "100%",
    ):
        import ipywidgets

        self.changed = changed
        self.view = ipywidgets.Image(value=png, format="png", layout={"width": "100%"})
        self.handles = None
        if make := handles_class():
            limits = {"least": least, "most": most, "label": label}
            self.handles = make(extent=list(extent), frame=list(frame), **limits)
            self.handles.observe(self._moved_on_the_page, names="state")
        inside = [self.view, self.handles] if self.handles else [self.view]
        self.box = ipywidgets.Box(inside, layout={"width": "100%", "max_width": max_width})
        self._putting = False
        self.put(points)

    def show(self, png: bytes) -> None:
        """Show another image of the same size, the bytes of a PNG file."""
        self.view.value = png

    def put(self, points: Sequence[Point], chosen: int = 0) -> None:
        """Move handles from code; `changed` is not called."""
        self.points = [(float(x), float(y)) for x, y in points]
        self.chosen = chosen
        if self.handles:
            state = {"points": [list(point) for point in self.points], "chosen": chosen}
            self._putting = True
            self.handles.state = state
            self._putting = False

    def _moved_on_the_page(self, change) -> None:
        if not self._putting:
            state = change["new"]
            self.points = [(float(x), float(y)) for x, y in state["points"]]
            self.chosen = int(state["chosen"])
            self.changed()


def frame_of(axes, height: int, width: int) -> tuple[float, float, float, float]:
    """Where matplotlib axes lie in an image, for `Plane`.

    Args:
        axes: of a figure that has been drawn, by `plots.LivePlot` for instance.
        height, width: of the image in pixels. The figure fills it, or is its lower left part, as
            `plots.side_by_side` puts it.

    Returns:
        (left, upper, right, lower) edge, from 0 to 1.
    """
    box = axes.get_window_extent()
    return box.x0 / width, 1 - box.y1 / height, box.x1 / width, 1 - box.y0 / height


@functools.cache
def handles_class():
    """The class of the anywidget with the handles; None where anywidget is not installed."""
    if find_spec("anywidget") is None:
        return None
    import anywidget
    from traitlets import Dict, Int, List, Unicode

    folder = Path(__file__).parent

    class Handles(anywidget.AnyWidget):
        _esm = (folder / "plane.js").read_text(encoding="utf-8")
        _css = (folder / "plane.css").read_text(encoding="utf-8")
        state = Dict().tag(sync=True)  # points and chosen in one, to change together
        extent = List().tag(sync=True)
        frame = List().tag(sync=True)
        least = Int(1).tag(sync=True)
        most = Int(1).tag(sync=True)
        label = Unicode("point").tag(sync=True)

    return Handles
