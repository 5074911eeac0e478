"""A picture that changes in its place in the notebook, with one line of text above it."""

from __future__ import annotations

import base64
import html

from torch import Tensor

from . import plots
from .progress import Line, LiveOutput

REDRAW_SECONDS = 0.33  # a new picture is some 100 KB through the notebook's connection


class LivePicture:
    """A picture shown while it is made, with a line above it; in a terminal the line alone."""

    def __init__(self, width: int = 384):
        self.width, self.output = width, LiveOutput(REDRAW_SECONDS)

    def due(self) -> bool:
        """Whether it is time to draw again: to look at a tensor is to wait for the device."""
        return self.output.due()

    def draw(self, pictures: Tensor, line: str) -> None:
        """Show the first of (N, C, H, W) pictures in [0, 1] and a line."""
        self.output.draw(_Still(pictures, line, self.width))

    def finish(self, pictures: Tensor, line: str) -> None:
        """Leave the final picture and line."""
        self.output.finish(_Still(pictures, line, self.width))


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
