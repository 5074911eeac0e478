"""One line of progress, in a notebook, a terminal or a log."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime

from . import processes
from .records import accept_any_letter, in_notebook

REDRAW_SECONDS = 0.25  # reading a loss waits for the device, so not at every step


class LiveOutput:
    """One output that is redrawn in its place while something goes on, and left in its final form.

    In a terminal it is a line of text. With COURSE_PROGRESS=off, and where output goes to a file,
    only the final line is printed. Of several processes, only the first draws.

    Args:
        pause: seconds between two drawings at least.
    """

    def __init__(self, pause: float):
        self.pause, self.drawn = pause, time.perf_counter()
        accept_any_letter(sys.stdout)
        self.live = processes.is_first() and os.environ.get("COURSE_PROGRESS") != "off"
        self.handle = display_handle() if self.live else None

    def due(self) -> bool:
        """Whether it is time to draw again: what is to be drawn may have to wait for the device."""
        return self.live and time.perf_counter() - self.drawn > self.pause

    def draw(self, output: Line) -> None:
        """Show the output as it is now."""
        if self.handle is not None:
            self.handle.update(output)
        elif self.live and sys.stdout.isatty():
            print(f"\r\x1b[K{output.text}", end="", flush=True)
        # After drawing, so that a slow connection is never asked for more than it carries.
        self.drawn = time.perf_counter()

    def finish(self, output: Line) -> None:
        """Leave the final output."""
        if self.handle is not None:
            self.handle.update(output)
        else:
            print(("\r\x1b[K" if self.live and sys.stdout.isatty() else "") + output.text)


class Progress:
    """The line that tells how far a training run is."""

    def __init__(self, name: str, epochs: int, batches: int):
        self.name, self.epochs, self.batches = name, epochs, batches
        self.output = LiveOutput(REDRAW_SECONDS)
        self.first_step = None

    def due(self) -> bool:
        """Whether it is time to draw again."""
        return self.output.due()

    def show(self, step: int, history: dict) -> None:
        """Draw the line after `step` steps."""
        if not self.due():
            return
        now = time.perf_counter()
        if self.first_step is None:
            self.first_step, self.started = step, now
        share = step / (self.epochs * self.batches)
        done = step - self.first_step
        left = ""
        if done:
            remaining = self.epochs * self.batches - step
            left = f" · {(now - self.started) * remaining / done:.0f} s left"
        epoch = min(step // self.batches + 1, self.epochs)
        measures = measures_in_words({key: values[-1].item() for key, values in history.items()})
        line = f"{self.name}: epoch {epoch}/{self.epochs} · {share:.0%} · {measures}{left}"
        self.output.draw(Line(line))

    def finish(self, run) -> None:
        """Leave the final line: epochs, last epoch's measures, seconds."""
        resumed = ""
        if run.resumed_at:
            day, began = run.began.split()
            began = began if day == datetime.now().strftime("%Y-%m-%d") else f"{day}, {began}"
            resumed = f" · resumed at step {run.resumed_at} of the run of {began}"
        measures = measures_in_words(run.last_epoch())
        epochs = f"{self.epochs} epoch{'s' * (self.epochs > 1)}"
        line = f"{self.name}: {epochs} · {measures} · {run.seconds:.1f} s{resumed}"
        self.output.finish(Line(line))


class Line:
    """A text that a notebook shows without quotation marks."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


def measures_in_words(values: dict[str, float]) -> str:
    """Measures as one line, four digits each: "loss 0.1234 · error 2.5"."""
    return " · ".join(f"{measure} {value:.4g}" for measure, value in values.items())


def display_handle():
    """A place in the notebook's output that can be redrawn, or None outside a notebook."""
    if not in_notebook():
        return None
    from IPython.display import display

    return display(Line("…"), display_id=True)
