"""`ImagePicker`: an upload button for an image of one's own, and what a model makes of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy
from torch import Tensor

from ..data.image_files import SUFFIXES
from ..data.own import own_image
from ..session.arguments import whole
from .shown import Shown


class ImagePicker(Shown):
    """An upload button above what a pure function shows of the chosen image.

    If a file cannot be used, the last good image stays, and one sentence below it says what to do.

    Args:
        show: image (1, C, H, W) in [0, 1] -> what to show of it, (H, W, 3) bytes.
        description: a sentence for readers who cannot see the image.
        first: what to show until another is chosen: a path, bytes or open file.
        shape: (C, H, W) in which a file is read, see `data.own_image`; `device` and `crop` too.
        prepare: applied to the image before `show`; a ValueError that it raises counts as a
            file that cannot be used. For digits: `data.to_mnist_style`, with a large `shape` such
            as (1, 320, 320) and `crop=False`.

    Attributes:
        button: the ipywidgets FileUpload.
        view: the ipywidgets Image that shows the image.
        message: the ipywidgets HTML below it, hidden while there is nothing to say.

    Raises:
        ValueError: `first` cannot be read as an image, or `shape` is not of whole numbers.
        FileNotFoundError: there is no file `first`.

    Example:
        >>> from course_utils import plots
        >>> grey = plots.png(numpy.full((32, 32, 3), 128, numpy.uint8))  # a file as bytes
        >>> picker = ImagePicker(lambda image: plots.to_bytes(image)[0], "My image.", first=grey)
        >>> picker.image.shape
        (64, 64, 3)
        >>> picker.offer(b"no image").split(";")[0]
        'The file cannot be read as an image (not an image, or damaged)'
    """

    def __init__(
        self,
        show: Callable[[Tensor], numpy.ndarray],
        description: str,
        first,
        shape: tuple[int, int, int] = (3, 64, 64),
        prepare: Callable[[Tensor], Tensor] | None = None,
        *,
        device="cpu",
        crop: bool = True,
    ):
        import ipywidgets

        self.show, self.description, self.prepare = show, description, prepare
        self.shape = tuple(whole(side, "A number of shape", most=4096) for side in shape)
        self.device, self.crop = device, crop
        self.button = ipywidgets.FileUpload(
            accept=",".join(SUFFIXES), multiple=False, description="choose an image",
            layout={"width": "14em"},
        )  # fmt: skip
        self.view = ipywidgets.Image(format="png", layout={"object_fit": "contain"})
        self.message = ipywidgets.HTML(layout={"display": "none"})
        self.box = ipywidgets.VBox([self.button, self.view, self.message])
        self._show(self._read(first))
        self.button.observe(self._uploaded, names="value")

    def offer(self, source) -> str:
        """Use an image as if it had been chosen with the button.

        Args:
            source: a path, bytes or open file.

        Returns:
            what is wrong with it, in one sentence; empty if it is shown.

        Raises:
            Exception: whatever `show` raises, which is not an error of the file.
        """
        said = ""
        try:
            image = self._read(source)
        except (ValueError, FileNotFoundError) as error:
            said = str(error)
        else:
            self._show(image)
        self._say(said)
        return said

    def _read(self, source) -> Tensor:
        image = own_image(source, self.shape, self.device, crop=self.crop)
        return image if self.prepare is None else self.prepare(image)

    def _show(self, image: Tensor) -> None:
        with self._showing_errors("This image cannot be shown"):
            self.image = self.show(image)
        self.view.value = self.png

    def _uploaded(self, change) -> None:
        for content in uploaded(change["new"]):
            self.offer(content)


def uploaded(value) -> list[bytes]:
    """The contents of the files in the value of a FileUpload, none after it was emptied.

    ipywidgets 7 gives {name: {"content": ...}}, ipywidgets 8 ({"name": ..., "content": ...},).
    """
    files = value.values() if isinstance(value, dict) else value
    return [bytes(file["content"]) for file in files]
