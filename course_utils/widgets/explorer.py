"""`explore`: an image that follows sliders.

The image is a function of the sliders' values and of nothing else, so it can be tested
without a browser, and stored in the notebook for readers who have no kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy

from .. import plots
from .shown import Shown

STYLE = {"description_width": "9em"}


class Explorer(Shown):
    """Sliders above an image; made by `explore`.

    Attributes:
        sliders: name -> the ipywidgets control.
        view: the ipywidgets Image that shows the image.
        image: what it shows now, (H, W, 3) bytes.
        message: the ipywidgets HTML below it, hidden while there is nothing to say.
    """

    def __init__(self, draw: Callable[..., numpy.ndarray], sliders: Mapping, description: str):
        import ipywidgets

        self.draw = draw
        self.sliders = dict(sliders)
        self.description = description
        # As wide as the page, but so low that the sliders stay on the screen.
        layout = {"object_fit": "contain", "object_position": "left", "max_height": "60vh"}
        self.view = ipywidgets.Image(format="png", layout=layout)
        self.message = ipywidgets.HTML(layout={"display": "none"})
        controls = [_with_play_button(slider) for slider in self.sliders.values()]
        self.box = ipywidgets.VBox([*controls, self.view, self.message])
        self._redraw()
        for slider in self.sliders.values():
            slider.observe(self._redraw, names="value")

    @property
    def state(self) -> dict:
        """name -> value of every slider."""
        return {name: slider.value for name, slider in self.sliders.items()}

    def set(self, **values) -> Explorer:
        """Move sliders from code, and redraw the image.

        Args:
            values: slider -> its new value.

        Returns:
            the widget itself.

        Raises:
            KeyError: there is no slider of that name.
            ValueError: a value lies outside a slider's range.
        """
        for name, value in values.items():
            if name not in self.sliders:
                raise KeyError(f"No slider {name!r}; there are {', '.join(self.sliders)}.")
            if not _accepts(self.sliders[name], value):
                raise ValueError(f"The slider {name} has no position {value!r}.")
            self.sliders[name].value = value
        return self

    def sweep(self) -> str:
        """Move every slider to its ends and its middle and back, and report what was drawn.

        Returns:
            how many sliders were moved to how many positions, in one line.

        Raises:
            RuntimeError: a slider changed nothing in the image.
        """
        moves = 0
        for name, slider in self.sliders.items():
            drawn, start = {self.image.tobytes()}, slider.value
            for value in _test_values(slider):
                slider.value = value
                drawn.add(self.image.tobytes())
                moves += 1
            slider.value = start
            if len(drawn) == 1:
                raise RuntimeError(f"Moving {name} changed nothing in the image.")
        sliders = "1 slider" if len(self.sliders) == 1 else f"{len(self.sliders)} sliders"
        return f"{sliders} moved to {moves} positions"

    def _redraw(self, change=None) -> None:
        try:
            self.image = self.draw(**self.state)
        except Exception as error:
            # In a browser the error of a callback goes unseen, so it is shown in place of
            # the image; it is raised as well, for whoever moved the slider from code.
            self.message.value = f"<b>This position cannot be drawn:</b> {error}"
            self.message.layout.display = None
            raise
        self.message.layout.display = "none"
        self.view.value = plots.png(self.image)


def explore(draw: Callable[..., numpy.ndarray], description: str, **controls) -> Explorer:
    """Sliders over a function that draws.

    Args:
        draw: called with one keyword argument per slider, returns an image (H, W, 3) of bytes;
            it should take less than 20 ms.
        description: a sentence for readers who cannot see the image.
        controls: one per slider: (low, high, step, start) of numbers, a list of choices (the
            first is the start), or an ipywidgets control. An integer slider called step or frame
            gets a play button.

    Raises:
        ValueError: a control is none of these.

    Example:
        >>> draw = lambda side: numpy.zeros((side, side, 3), numpy.uint8)
        >>> view = explore(draw, "A black square.", side=(1, 9, 1, 4))  # low, high, step, start
        >>> view.image.shape, view.set(side=9).image.shape
        ((4, 4, 3), (9, 9, 3))
    """
    sliders = {name: _slider(name, control) for name, control in controls.items()}
    return Explorer(draw, sliders, description)


def _slider(name: str, control):
    import ipywidgets

    label = name.replace("_", " ")
    layout = {"width": "30em"}
    if isinstance(control, ipywidgets.Widget):
        return control
    if isinstance(control, tuple) and len(control) == 4:
        low, high, step, start = control
        whole = all(isinstance(number, int) for number in control)
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(
            value=start, min=low, max=high, step=step, description=label, style=STYLE, layout=layout
        )
    if isinstance(control, list) and len(control) > 1:
        return ipywidgets.SelectionSlider(
            options=control, value=control[0], description=label, style=STYLE, layout=layout
        )
    raise ValueError(
        f"The control {name!r} is {control!r}; give (low, high, step, start) or a list of choices."
    )


def _with_play_button(slider):
    """Whole-number sliders called step or frame get a play button beside them."""
    import ipywidgets

    if slider.description not in ("step", "frame") or not isinstance(slider, ipywidgets.IntSlider):
        return slider
    play = ipywidgets.Play(value=slider.value, min=slider.min, max=slider.max, interval=250)
    ipywidgets.link((play, "value"), (slider, "value"))
    return ipywidgets.HBox([slider, play])


def _test_values(slider) -> list:
    """The ends and the middle of a slider, or some of the choices of another control."""
    if hasattr(slider, "options"):
        values = list(slider._options_values)
        return [values[0], values[len(values) // 2], values[-1]]
    if isinstance(slider.value, bool):
        return [False, True]
    middle = slider.min + round((slider.max - slider.min) / 2 / slider.step) * slider.step
    return [slider.min, middle, slider.max]


def _accepts(slider, value) -> bool:
    """Whether a control has a position of this value."""
    if hasattr(slider, "options"):
        return value in slider._options_values
    if isinstance(slider.value, bool):
        return isinstance(value, bool)
    return slider.min <= value <= slider.max
