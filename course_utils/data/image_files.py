"""One image file as an array of bytes, whatever is in it."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import numpy as np

from ..session.text import printable

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif")
# What Pillow may try on a file, whatever its suffix says: it knows rarer and riskier formats.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
# What the first bytes of a file that is none of these say it is.
OTHERS = {
    b"II*\0": "TIFF inside",
    b"MM\0*": "TIFF inside",
    b"\0\0\0\x0cjP  ": "JPEG 2000 inside",
    b"\0\0\0\x0cJXL ": "JPEG XL inside",
    b"version https://git-lfs": "a pointer of Git LFS, which `git lfs pull` replaces by the image",
}
MAX_PIXELS = 100_000_000  # that one file may unfold into: decoded, they take 0.4 GB
BAND = 8  # rows of a reduced image that are made at once
EXIF_ORIENTATION = 0x0112


def read_image(source, shape: tuple[int, int], crop: bool = True) -> np.ndarray:
    """The image in a file as (H, W, 3) uint8, with `shape` = (H, W).

    It is turned upright (EXIF), reduced to 8 bits per channel, converted to RGB with white in place
    of transparency, and resized. With `crop` it fills `shape` and the rest is cut off, the same on
    both sides; without, the whole image is resized to fit into `shape`, so that one of its sides
    may be shorter. Of an animation only the first frame is used.

    Args:
        source: a path, or an open binary file.
        shape: (H, W).
        crop: see above.

    Raises:
        ValueError: the file is no image, or has more than MAX_PIXELS pixels, by its header.
        Exception: whatever Pillow raises for a damaged file; `reason` says it in a few words.
    """
    from PIL import Image, ImageOps

    height, width = shape
    # With twice the size the resize below decides the quality; EXIF may turn the image yet.
    enough = 2 * max(shape)
    with open_image(source, enough) as image:
        small = _reduced(image, enough)
        image = _upright(small, orientation(image))
        if crop:
            image = ImageOps.fit(image, (width, height))
        else:
            scale = min(width / image.width, height / image.height)
            size = [max(1, round(scale * side)) for side in image.size]
            image = image.resize(size, Image.Resampling.BICUBIC)
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


@contextmanager
def open_image(source, enough: int | None = None):
    """An open image whose header has been read and found reasonable.

    A JPEG is set to decode at 1/2, 1/4 or 1/8 of its size, for a fraction of the work, where that
    leaves it `enough` pixels a side. A progressive one is held in whole all the same.

    Pillow's warnings are kept quiet: of large images, because a limit of our own follows, and
    of oddities that it can read past.
    """
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(source, formats=FORMATS)
        except UnidentifiedImageError:
            raise ValueError(_what_it_is(source)) from None
        except Image.DecompressionBombError:  # Pillow's own limit, where an image is far beyond
            raise ValueError("more than 100 megapixels") from None
        with image:
            whole = image.size
            if enough:
                image.draft(None, (enough, enough))
            width, height = whole if "progressive" in image.info else image.size
            if width * height > MAX_PIXELS:
                raise ValueError(f"{whole[0]} x {whole[1]} is more than 100 megapixels")
            yield image


def orientation(image) -> int:
    """How the camera was held when it took a Pillow image: EXIF's number, 1 (upright) to 8."""
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # a damaged block tells nothing, and the image beside it is sound
        return 1


def reason(error: Exception) -> str:
    """Why a file could not be read, in a few words on one line."""
    return printable(getattr(error, "strerror", None) or error or type(error).__name__)[:120]


def _what_it_is(source) -> str:
    """What a file is that holds none of FORMATS, by its first bytes."""
    if hasattr(source, "read"):
        source.seek(0)
        start = source.read(32)
    else:
        with open(source, "rb") as file:
            start = file.read(32)
    if not start:
        return "an empty file"
    if start[4:8] == b"ftyp":
        return "HEIC, AVIF or a film inside"
    known = [what for first, what in OTHERS.items() if start.startswith(first)]
    return known[0] if known else "not an image, or damaged"


def _upright(image, turned: int):
    """The image as the camera saw it, by EXIF's number."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[turned]) if turned in turns else image


def _reduced(image, enough: int):
    """The image as RGBA, smaller by a whole factor that leaves it `enough` pixels a side.

    It is made band by band, so that a large image is never in memory twice.
    """
    from PIL import Image

    factor = max(1, min(image.size) // enough)
    image.load()
    width, height = image.size
    small = Image.new("RGBA", (-(-width // factor), -(-height // factor)))
    for row in range(0, small.height, BAND):
        top, bottom = row * factor, min((row + BAND) * factor, height)
        small.paste(_eight_bits(image.crop((0, top, width, bottom))).reduce(factor), (0, row))
    return small


def _eight_bits(image):
    """The same image as RGBA with 8 bits a channel."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit greyscale, which convert() would clip at 255
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    return image.convert("RGBA")
