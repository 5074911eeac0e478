"""`StyleStudio`: style transfer between two images of one's own."""

from __future__ import annotations

import time
from collections.abc import Callable

from torch import Tensor

from .. import plots
from ..session.arguments import whole
from .picker import ImagePicker
from .shown import Shown

REDRAW_SECONDS = 0.33


class StyleStudio(Shown):
    """Two upload buttons, a button that starts the optimisation, and its image while it runs.

    If a file cannot be used, the last good image stays, with a sentence below it. The notebook's
    stop button ends the optimisation early; the best image so far stays.

    Args:
        paint: the optimisation. It is called with the content image and the style image,
            (1, 3, H, W) each, and a function `watch(image)`, which it may call at any time to
            show its current image; it returns a `training.pixels.PixelRun`.
        content, style: the first content image and the first style image: paths, bytes or open
            files.
        description: a sentence for readers who cannot see the images.
        size: side of the images in pixels.
        device: where the images are.

    Attributes:
        content, style: the two ImagePickers.
        button: the ipywidgets Button that starts the optimisation.
        result: the resulting image (1, 3, H, W), None before the first run.

    Raises:
        ValueError: `content` or `style` cannot be read as an image, or `size` is no whole number.
        FileNotFoundError: one of the two files does not exist.

    Example:
        >>> import numpy
        >>> grey = plots.png(numpy.full((64, 64, 3), 128, numpy.uint8))  # a file as bytes
        >>> studio = StyleStudio(paint=None, content=grey, style=grey, description="Grey images.")
        >>> studio.image.shape  # content, style and result side by side
        (256, 800, 3)
    """

    def __init__(
        self,
        paint: Callable,
        content,
        style,
        description: str,
        size: int = 128,
        *,
        device="cpu",
    ):
        import ipywidgets

        self.paint, self.description = paint, description
        size = whole(size, "size", most=4096)
        self.scale = max(1, 320 // size)
        self.result: Tensor | None = None
        self.chosen: dict[str, Tensor] = {}
        self.view = ipywidgets.Image(format="png", layout={"object_fit": "contain"})
        self.content = self._picker("photograph", content, size, device)
        self.style = self._picker("painting", style, size, device)
        self.button = ipywidgets.Button(description="paint", button_style="primary")
        self.message = ipywidgets.HTML(value="Nothing is painted yet.")
        right = ipywidgets.VBox([self.button, self.view, self.message])
        columns = [self.content.box, self.style.box, right]
        for column in columns:  # all three images equally large, however wide the page is
            column.layout.width = "33%"
        for view in (self.content.view, self.style.view, self.view):
            view.layout.width = "100%"
        self.box = ipywidgets.HBox(columns)
        self._draw(self.chosen["photograph"])
        self.button.on_click(lambda button: self.press())

    def press(self) -> None:
        """Run the optimisation, as the button does.

        Raises:
            Exception: whatever `paint` raises, also shown as a sentence; the last result stays.
        """
        from IPython.utils.capture import capture_output

        self.button.disabled, drawn = True, time.perf_counter()
        self._say("Painting; the stop button of the notebook (■) keeps the best so far.")

        def watch(image: Tensor) -> None:
            nonlocal drawn
            if time.perf_counter() - drawn > REDRAW_SECONDS:
                self.view.value = plots.png(self._tile(image))
                drawn = time.perf_counter()

        try:
            with self._showing_errors("These two cannot be painted"):
                # A run's own live image would be shown a second time, somewhere else.
                with capture_output():
                    run = self.paint(self.chosen["photograph"], self.chosen["painting"], watch)
                self.result = run.image.detach()
                ending = "stopped: this is the best so far" if run.stopped else "finished"
                self._say(f"{ending}, after {run.seconds:.1f} s")
        finally:
            self.button.disabled = False
            self._draw(self.chosen["photograph"] if self.result is None else self.result)

    def _picker(self, kind: str, first, size: int, device) -> ImagePicker:
        def show(image: Tensor):
            self.chosen[kind] = image
            return self._tile(image)

        picker = ImagePicker(show, f"The {kind}.", first, (3, size, size), device=device)
        picker.button.description = kind
        return picker

    def _tile(self, image: Tensor):
        return plots.image_grid(image[:1], columns=1, scale=self.scale)

    def _draw(self, image: Tensor) -> None:
        tile = self._tile(image)
        self.view.value = plots.png(tile)
        chosen = (self._tile(self.chosen[kind]) for kind in ("photograph", "painting"))
        self.image = plots.side_by_side(*chosen, tile)
