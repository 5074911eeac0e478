"""A picture that changes in its place in the notebook, with one line of text above it."""

from __future__ import annotations

import base64
import html
import os
import sys
import time

from torch import Tensor

from . import plots
from .progress import Line, display_handle

REDRAW_SECONDS = 0.33  # a new picture is some 100 KB through the notebook's connection


class LivePicture:
    """A picture shown while it is made; with COURSE_PROGRESS=off only the last line is printed.

    In a terminal the line is redrawn in place, and there is no picture.
    """

    def __init__(self, width: int = 384):
        self.width = width
        self.drawn = time.perf_counter()
        self.live = os.environ.get("COURSE_PROGRESS") != "off"
        self.handle = display_handle() if self.live else None

    def due(self) -> bool:
        """Whether it is time to draw again: to look at a tensor is to wait for the device."""
        return self.live and time.perf_counter() - self.drawn > REDRAW_SECONDS

    def draw(self, pictures: Tensor, line: str) -> None:
        """Show the first of (N, C, H, W) pictures in [0, 1] and a line."""
        if self.handle is not None:
            self.handle.update(_Still(pictures, line, self.width))
        elif self.live and sys.stdout.isatty():
            print("\r\x1b[K" + line, end="", flush=True)
        # After drawing, so that a slow connection is never asked for more than it carries.
        self.drawn = time.perf_counter()

    def finish(self, pictures: Tensor, line: str) -> None:
        """Leave the final picture and line."""
        if self.handle is not None:
            self.handle.update(_Still(pictures, line, self.width))
        else:
            print(("\r\x1b[K" if self.live and sys.stdout.isatty() else "") + line)


class _Still(Line):
    """A line and a picture, for a notebook."""

    def __init__(self, pictures: Tensor, line: str, width: int):
        super().__init__(line)
        self.picture, self.width = plots.to_bytes(pictures[:1])[0], width

    def _repr_html_(self) -> str:
        encoded = base64.b64encode(plots.png(self.picture)).decode()
        return (
            f"<div>{html.escape(self.text)}</div>"
            f'<img width="{self.width}" src="data:image/png;base64,{encoded}"/>'
        )
