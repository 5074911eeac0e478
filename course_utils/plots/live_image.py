"""An image that is updated in place in the notebook, with one line of text above it."""

from __future__ import annotations

import base64
import html

from torch import Tensor

from .. import plots
from ..session.progress import Line, LiveOutput

REDRAW_SECONDS = 0.33  # a new image is some 100 KB through the notebook's connection


class LiveImage:
    """An image shown while it is generated, with a line above; in a terminal the line alone.

    Args:
        width: of the image on the page, in pixels.
    """

    def __init__(self, width: int = 384):
        self.width, self.output = width, LiveOutput(REDRAW_SECONDS)

    def due(self) -> bool:
        """Whether it is time to draw again; drawing waits for the device to finish its work."""
        return self.output.due()

    def draw(self, images: Tensor, line: str) -> None:
        """Show the first of (N, C, H, W) images in [0, 1] and a line."""
        self.output.draw(_Still(images, line, self.width))

    def finish(self, images: Tensor, line: str) -> None:
        """Leave the final image and line."""
        self.output.finish(_Still(images, line, self.width))


class _Still(Line):
    """A line and an image, for a notebook."""

    def __init__(self, images: Tensor, line: str, width: int):
        super().__init__(line)
        self.image, self.width = plots.to_bytes(images[:1])[0], width

    def _repr_html_(self) -> str:
        encoded = base64.b64encode(plots.png(self.image)).decode()
        return (
            f"<div>{html.escape(self.text)}</div>"
            f'<img width="{self.width}" src="data:image/png;base64,{encoded}"/>'
        )
