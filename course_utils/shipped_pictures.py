"""Pictures that take minutes to make and ship with the course: JPEG files in data/pictures.

Like trained weights they are made by running the notebook itself, `python -m course_utils run 01
--budget full --publish`.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy

from . import processes
from .files import replacing
from .session import Lab, course_folder

QUALITY = 85  # of 95: more makes files larger and nothing better


class PictureRefused(Exception):
    """A picture that ships is missing or damaged; the message says what to do."""


def shipped_picture(name: str, lab: Lab, make: Callable[[], numpy.ndarray]) -> numpy.ndarray:
    """The picture that ships; in the full budget it is made instead.

    Args:
        name: the file's name without ending.
        lab: the session. In the full budget `make` is called, and with `lab.publish` what it
            makes replaces the file that ships.
        make: returns the picture, (H, W, 3) bytes.

    Returns:
        (H, W, 3) bytes.

    Raises:
        PictureRefused: the file is missing or damaged.
    """
    from PIL import Image

    path = course_folder() / "data" / "pictures" / f"{name}.jpg"
    if lab.budget == "full":
        picture = make()
        if lab.publish and processes.is_first():
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "jpeg", quality=QUALITY, optimize=True)
            with replacing(path) as file:
                file.write(buffer.getvalue())
        return picture
    try:
        with Image.open(path) as image:
            return numpy.asarray(image.convert("RGB"))
    except OSError as error:
        raise PictureRefused(
            f"{path.name} in {path.parent.name}/ is missing or damaged; fetch the course again, "
            "or make it with COURSE_BUDGET=full."
        ) from error
