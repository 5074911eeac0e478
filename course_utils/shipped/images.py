"""Images that take minutes to make and ship with the course: JPEG files in data/images.

Like trained weights they are made by running the notebook itself, `python -m course_utils run 01
--budget full --publish`.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy

from ..session import processes
from ..session.files import replacing
from ..session.lab import Lab, course_folder
from .cards import Refused

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
    from PIL import Image

    path = course_folder() / "data" / "images" / f"{name}.jpg"
    if lab.budget == "full":
        image = make()
        if lab.publish and processes.is_first():
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "jpeg", quality=QUALITY, optimize=True)
            with replacing(path) as file:
                file.write(buffer.getvalue())
        return image
    try:
        with Image.open(path) as stored:
            return numpy.asarray(stored.convert("RGB"))
    except OSError as error:
        raise Refused(
            f"{path.name} in {path.parent.name}/ is missing or damaged; fetch the course again, "
            "or make it with COURSE_BUDGET=full."
        ) from error
