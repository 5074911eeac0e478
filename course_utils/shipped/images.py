"""Images that take minutes to make and ship with the course: JPEG files in data/images.

Each has a card beside it, as trained weights have.

Like trained weights they are made by running the notebook itself, `python -m course_utils run 01
--budget full --publish`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy

from ..session import processes
from ..session.files import replacing
from ..session.lab import Lab
from .cards import Refused, bytes_of, card_of, hold_against, look_for, read_json, shipped_folder

QUALITY = 85  # of 95: more makes files larger and nothing better


def shipped_image(name: str, lab: Lab, make: Callable[[], numpy.ndarray]) -> numpy.ndarray:
    """The image that ships; in the full budget it is made instead.

    Args:
        name: the file's name without ending.
        lab: the session. In the full budget `make` is called, and with `lab.publish` what it
            makes replaces the file that ships.
        make: returns the image, (H, W, 3) bytes.

    Returns:
        (H, W, 3) bytes.

    Raises:
        Refused: the file is missing or damaged.

    Example:
        >>> from course_utils import start
        >>> shipped_image("01_gallery", start("example"), make=None).shape
        course_utils ...
        (..., ..., 3)
    """
    if lab.budget != "full":
        return load(name)
    image = make()
    if lab.publish and processes.is_first():
        save(name, image, {"seed": lab.seed, "budget": lab.budget})
    return image


def images_folder() -> Path:
    """Where the images that ship lie."""
    return shipped_folder("images")


def save(name: str, image: numpy.ndarray, card: Mapping, folder: Path | None = None) -> Path:
    """Write an image (H, W, 3) of bytes and its card, to which date, versions and sums are added.

    Raises:
        TypeError: it is no such image; nothing is written.
    """
    from PIL import Image

    folder = folder or images_folder()
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "jpeg", quality=QUALITY, optimize=True)
    content = buffer.getvalue()
    path = folder / f"{name}.jpg"
    with replacing(path) as file:
        file.write(content)
    with replacing(path.with_suffix(".json")) as file:
        card = card_of(content, shape=list(image.shape), bytes=len(content), **card)
        file.write((json.dumps(card, indent=2) + "\n").encode())
    return path


def load(name: str, folder: Path | None = None) -> numpy.ndarray:
    """An image as (H, W, 3) bytes.

    Raises:
        Refused: the file or its card is missing or damaged.

    Example:
        >>> load("01_gallery").shape
        (2048, 2048, 3)
    """
    from PIL import Image

    path = (folder or images_folder()) / f"{name}.jpg"
    card_file = path.with_suffix(".json")
    look_for(path, card_file, what=f"image called {name}", instead="make it")
    content = bytes_of(path)
    hold_against(read_json(card_file, "sha256"), content, path)
    try:
        with Image.open(io.BytesIO(content), formats=["jpeg"]) as stored:
            return numpy.asarray(stored.convert("RGB"))
    except OSError as error:
        raise Refused(f"{path.name} is no image; fetch it again.") from error
