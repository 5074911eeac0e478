"""`explore`: an image that follows sliders.

The image is a function of the sliders' values and of nothing else, so it can be tested
without a browser, and stored in the notebook for readers who have no kernel.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real

import numpy
from torch import Tensor

from ..session.arguments import shown
from ..session.text import printable
from .shown import Shown

STYLE = {"description_width": "9em"}
LONGEST_LABEL = 40  # characters


class Explorer(Shown):
    """Sliders above an image; made by `explore`.

    Attributes:
        sliders: name -> the ipywidgets control; that of choices holds the position of one.
        choices: name -> the choices, where a slider has some.
        view: the ipywidgets Image that shows the image.
        image: what it shows now, (H, W, 3) bytes.
        message: the ipywidgets HTML below it, hidden while there is nothing to say.
    """

    def __init__(
        self,
        draw: Callable[..., numpy.ndarray],
        sliders: Mapping,
        description: str,
        choices: Mapping[str, list],
    ):
        import ipywidgets

        self.draw = draw
        self.sliders, self.choices = dict(sliders), dict(choices)
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
        return {
            name: self.choices[name][slider.value] if name in self.choices else slider.value
            for name, slider in self.sliders.items()
        }

    def set(self, **values) -> Explorer:
        """Move sliders from code, and redraw the image.

        Args:
            values: slider -> its new value.

        Returns:
            the widget itself.

        Raises:
            KeyError: there is no slider of that name; none is moved.
            ValueError: a value lies outside a slider's range; none is moved.
        """
        positions = {name: self._position(name, value) for name, value in values.items()}
        for name, position in positions.items():
            self.sliders[name].value = position
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
            drawn, start = {self.png}, slider.value
            for value in _test_values(slider):
                slider.value = value
                drawn.add(self.png)
                moves += 1
            slider.value = start
            if len(drawn) == 1:
                raise RuntimeError(f"Moving {name} changed nothing in the image.")
        sliders = "1 slider" if len(self.sliders) == 1 else f"{len(self.sliders)} sliders"
        return f"{sliders} moved to {moves} positions"

    def _position(self, name: str, value):
        """What the control of that name holds for a value."""
        if name not in self.sliders:
            raise KeyError(f"No slider {name!r}; there are {', '.join(self.sliders)}.")
        value = _plain(value)
        if name in self.choices:
            # Arrays are themselves alone; of everything else, an equal one is meant as well.
            choices = list(enumerate(self.choices[name]))
            found = [position for position, choice in choices if choice is value]
            found += [position for position, choice in choices if (choice == value) is True]
            if found:
                return found[0]
        elif _accepts(self.sliders[name], value):
            return value
        raise ValueError(f"The slider {name} has no position {shown(value)}.")

    def _redraw(self, change=None) -> None:
        drawn = False
        try:
            with self._showing_errors("This position cannot be drawn"):
                self.image = self.draw(**self.state)
            drawn = True
        finally:  # the image of another position is none of this one
            self.view.layout.display = None if drawn else "none"
        self._say("")
        self.view.value = self.png


def explore(draw: Callable[..., numpy.ndarray], description: str, **controls) -> Explorer:
    """Sliders over a function that draws.

    Args:
        draw: called with one keyword argument per slider, returns an image (H, W, 3) of bytes;
            it should take less than 20 ms.
        description: a sentence for readers who cannot see the image.
        controls: one per slider: (low, high, step, start) of numbers, a list of choices (the
            first is the start), or an ipywidgets control. Choices are anything, or pairs of a
            label and anything. An integer slider called step or frame gets a play button.

    Raises:
        TypeError: `draw` cannot be called with these names, or does not return an image.
        ValueError: a control is none of these, or there is none.

    Example:
        >>> draw = lambda side: numpy.zeros((side, side, 3), numpy.uint8)
        >>> view = explore(draw, "A black square.", side=(1, 9, 1, 4))  # low, high, step, start
        >>> view.image.shape, view.set(side=9).image.shape
        ((4, 4, 3), (9, 9, 3))
    """
    if not isinstance(description, str):
        raise TypeError(f"The description is {shown(description)}; give a sentence.")
    if not controls:
        raise ValueError("There is nothing to move; give a control, such as side=(1, 9, 1, 4).")
    _check_call(draw, controls)
    labelled = {name: _labelled(control) for name, control in controls.items()}
    labelled = {name: pairs for name, pairs in labelled.items() if len(pairs) > 1}
    sliders = {
        name: selection(name, [label for label, _ in labelled[name]])
        if name in labelled
        else _slider(name, control)
        for name, control in controls.items()
    }
    choices = {name: [choice for _, choice in pairs] for name, pairs in labelled.items()}
    return Explorer(draw, sliders, description, choices)


def _check_call(draw, names: Iterable[str]) -> None:
    """Refuse what cannot be called with these names."""
    if not callable(draw):
        raise TypeError(f"What draws is {shown(draw)}; give a function that returns an image.")
    try:
        signature = inspect.signature(draw)
    except ValueError:  # some functions of C tell nobody what they take
        return
    try:
        signature.bind(**dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(
            f"The function that draws cannot be called with {', '.join(names)}: {error}."
        ) from error


def _labelled(control) -> list[tuple[str, object]]:
    """(label, choice) pairs of a control that is a list of choices, or like one; else none."""
    if isinstance(control, Mapping):
        control = [(str(label), choice) for label, choice in control.items()]
    if isinstance(control, range) or getattr(control, "ndim", 0):  # an array, or a tensor
        control = list(control)
    if not isinstance(control, list):
        return []
    paired = all(
        isinstance(choice, tuple) and len(choice) == 2 and isinstance(choice[0], str)
        for choice in control
    )
    if paired:
        return [(printable(label), _plain(choice)) for label, choice in control]
    choices = [_plain(choice) for choice in control]
    return [(_label(choice, number), choice) for number, choice in enumerate(choices, 1)]


def _label(choice, number: int) -> str:
    """What a slider calls a choice: itself, where that is short."""
    named = "" if hasattr(choice, "shape") else printable(choice)
    return named if 0 < len(named) <= LONGEST_LABEL else f"choice {number}"


def selection(name: str, labels: list[str]):
    """A slider over choices, which holds the position of one: choices may be arrays."""
    import ipywidgets

    options = [(label, position) for position, label in enumerate(labels)]
    return ipywidgets.SelectionSlider(options=options, value=0, **_look(name))


def _slider(name: str, control):
    import ipywidgets

    if isinstance(control, ipywidgets.Widget) and hasattr(control, "value"):
        return control
    numbers = [_plain(number) for number in control] if isinstance(control, tuple) else []
    if len(numbers) == 4 and all(map(_is_number, numbers)):
        low, high, step, start = numbers
        if not low <= start <= high or not low < high or not 0 < step <= high - low:
            raise ValueError(
                f"The control {name!r} goes from {low} to {high} in steps of {step} and begins at "
                f"{start}; let low be below high, the start between them, and the step fit in."
            )
        whole = all(isinstance(number, Integral) for number in numbers)
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(value=start, min=low, max=high, step=step, **_look(name))
    raise ValueError(
        f"The control {name!r} is {shown(control)}; give (low, high, step, start) as numbers, a "
        "list of two choices or more, or a control of ipywidgets."
    )


def _look(name: str) -> dict:
    # ipywidgets 7 takes tags in a description for tags.
    label = printable(name).replace("_", " ").replace("<", "‹")
    return {"description": label, "style": STYLE, "layout": {"width": "30em"}}


def _with_play_button(slider):
    """Whole-number sliders called step or frame get a play button beside them."""
    import ipywidgets

    if not isinstance(slider, ipywidgets.IntSlider) or slider.description not in ("step", "frame"):
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
    if not hasattr(slider, "min"):  # a text, a colour: the control itself refuses
        return True
    whole = isinstance(value, Integral) or not isinstance(slider.value, int)
    return _is_number(value) and whole and slider.min <= value <= slider.max


def _plain(value):
    """A number of NumPy or torch as Python's; everything else as it is."""
    single = isinstance(value, numpy.generic) or (
        isinstance(value, (numpy.ndarray, Tensor)) and not value.ndim
    )
    return value.item() if single else value


def _is_number(value) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isinstance(value, Integral) or math.isfinite(value)
