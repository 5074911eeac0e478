"""What a widget stores in the notebook: live controls, and an image for pages without a kernel."""

from __future__ import annotations

import numpy

from .. import plots


class Shown:
    """A widget with an image, as the value of a cell.

    Attributes:
        box: the ipywidgets container of everything that is live.
        image: what it shows now, (H, W, 3) bytes.
        description: what the image shows, for readers who cannot see it.
    """

    box = None
    image: numpy.ndarray
    description: str

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include=None, exclude=None):
        """One bundle: live controls where there is a kernel, the image everywhere else."""
        # Spelt out, because the method that makes it differs between ipywidgets 7 and 8.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": plots.small_png(self.image),
            "text/plain": self.description,
        }
