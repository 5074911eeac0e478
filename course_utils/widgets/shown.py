"""What a widget stores in the notebook: live controls, and an image for pages without a kernel.

And how all of them show what went wrong: as a sentence below the image, escaped, since the names of
folders and the words of errors may hold tags, which a browser would run.
"""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy

from .. import plots
from ..session.text import printable

LONGEST = 400  # characters of a message: an error may quote a whole array


class Shown:
    """A widget with an image, as the value of a cell.

    Attributes:
        box: the ipywidgets container of everything that is live.
        message: the ipywidgets HTML for a sentence, hidden while there is nothing to say.
        description: what the image shows, for readers who cannot see it.
    """

    box = None
    description: str

    @property
    def image(self) -> numpy.ndarray:
        """What it shows now, (H, W, 3) bytes."""
        from PIL import Image

        return numpy.asarray(Image.open(io.BytesIO(self.png)))

    @image.setter
    def image(self, image: numpy.ndarray) -> None:
        # Kept as a file, which is a tenth as large: a notebook may have a hundred widgets.
        self.png = plots.png(checked_image(image))

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

    def _say(self, sentence: str) -> None:
        """Show a sentence; an empty one hides the place of it."""
        said = printable(sentence)
        said = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
        self.message.value = html.escape(said, quote=False)
        self.message.layout.display = None if sentence else "none"

    @contextmanager
    def _showing_errors(self, what: str) -> Iterator[None]:
        """Show an error of the block as a sentence, and raise it.

        In a browser the error of a callback goes unseen; from code it is what it always was.

        Args:
            what: went wrong, such as "This image cannot be shown".
        """
        try:
            yield
        except Exception as error:
            self._say(f"{what}: {in_words(error)}")
            raise


def in_words(error: Exception) -> str:
    """What an error says; its name where it says nothing."""
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    return str(said) or type(error).__name__


def checked_image(image: numpy.ndarray) -> numpy.ndarray:
    """The image itself, where it is one that a widget can show.

    Raises:
        TypeError: it is not (H, W, 3) bytes, or empty.

    Example:
        >>> checked_image(numpy.zeros((8, 8)))
        Traceback (most recent call last):
        ...
        TypeError: What was drawn is an array of float64 (8, 8); it must be bytes (H, W, 3), ...
    """
    good = isinstance(image, numpy.ndarray) and image.dtype == numpy.uint8 and image.ndim == 3
    if good and image.shape[2] == 3 and image.size:
        return image
    kind = type(image).__name__
    if isinstance(image, numpy.ndarray):
        kind = f"an array of {image.dtype} {image.shape}"
    raise TypeError(
        f"What was drawn is {kind}; it must be bytes (H, W, 3), such as plots.image_grid makes of "
        "a tensor and plots.LivePlot(figure, []).image() of a figure."
    )
