"""`StyleStudio`: two pictures of one's own, and a button that paints one like the other."""

from __future__ import annotations

import html
import time
from collections.abc import Callable

from torch import Tensor

from .. import plots
from .picker import PicturePicker
from .shown import Shown

REDRAW_SECONDS = 0.33


class StyleStudio(Shown):
    """Two upload buttons, a button that paints, and the painted picture, which changes meanwhile.

    A file that cannot be used leaves the last good picture where it is, with a sentence below it.
    The notebook's stop button ends the painting early; the best picture so far stays.

    Args:
        paint: called with the photograph and the painting, (1, 3, H, W) each, and a function
            `watch(picture)`, which it may call as often as it likes to show where it is; returns
            a `pixels.Film`.
        content, style: the first photograph and the first painting: paths, bytes or open files.
        description: a sentence for readers who cannot see the pictures.
        size: side of the pictures in pixels.
        device: where the pictures shall be.

    Attributes:
        content, style: the two PicturePickers.
        button: the ipywidgets Button that paints.
        result: the painted picture (1, 3, H, W), None before the first.
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
        self.scale = max(1, 320 // size)
        self.result: Tensor | None = None
        self.chosen: dict[str, Tensor] = {}
        self.image = ipywidgets.Image(format="png", layout={"object_fit": "contain"})
        self.content = self._picker("photograph", content, size, device)
        self.style = self._picker("painting", style, size, device)
        self.button = ipywidgets.Button(description="paint", button_style="primary")
        self.message = ipywidgets.HTML(value="Nothing is painted yet.")
        right = ipywidgets.VBox([self.button, self.image, self.message])
        columns = [self.content.box, self.style.box, right]
        for column in columns:  # all three pictures equally large, however wide the page is
            column.layout.width = "33%"
        for image in (self.content.image, self.style.image, self.image):
            image.layout.width = "100%"
        self.box = ipywidgets.HBox(columns)
        self._draw(self.chosen["photograph"])
        self.button.on_click(lambda button: self.press())

    def press(self) -> None:
        """Paint, as the button does.

        Raises: whatever `paint` raises, also shown as a sentence; the last painted picture stays.
        """
        from IPython.utils.capture import capture_output

        self.button.disabled, drawn = True, time.perf_counter()
        self._say("Painting; the stop button of the notebook (■) keeps the best so far.")

        def watch(picture: Tensor) -> None:
            nonlocal drawn
            if time.perf_counter() - drawn > REDRAW_SECONDS:
                self.image.value = plots.png(self._tile(picture))
                drawn = time.perf_counter()

        try:
            # A film's own live picture would be shown a second time, somewhere else.
            with capture_output():
                film = self.paint(self.chosen["photograph"], self.chosen["painting"], watch)
            self.result = film.picture.detach()
            ending = "stopped: this is the best so far" if film.stopped else "finished"
            self._say(f"{ending}, after {film.seconds:.1f} s")
        except Exception as error:
            # In a browser the error of a callback goes unseen, so it is shown as well as raised.
            self._say(f"These two cannot be painted: {error}")
            raise
        finally:
            self.button.disabled = False
            self._draw(self.chosen["photograph"] if self.result is None else self.result)

    def _picker(self, kind: str, first, size: int, device) -> PicturePicker:
        def show(picture: Tensor):
            self.chosen[kind] = picture
            return self._tile(picture)

        picker = PicturePicker(show, f"The {kind}.", first, (3, size, size), device=device)
        picker.button.description = kind
        return picker

    def _tile(self, picture: Tensor):
        return plots.sheet(picture[:1], columns=1, scale=self.scale)

    def _draw(self, picture: Tensor) -> None:
        tile = self._tile(picture)
        self.image.value = plots.png(tile)
        chosen = (self._tile(self.chosen[kind]) for kind in ("photograph", "painting"))
        self.picture = plots.beside(*chosen, tile)

    def _say(self, sentence: str) -> None:
        self.message.value = html.escape(sentence, quote=False)
