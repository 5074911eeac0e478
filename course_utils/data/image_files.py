"""One image file as an array of bytes, whatever is in it."""

from __future__ import annotations

import io
import math
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
# Memory that Pillow may need for one file. It keeps a pixel in up to 4 bytes: 108 megapixels.
MAX_MEMORY = 4 * 12_000 * 9_000
# Pillow has no reduced reading of WebP: it unfolds the image four times, beside the whole file.
WEBP_BYTES = 18  # a pixel, which makes 24 megapixels
MAX_SIDE = 65_535  # pixels: what a JPEG can have
BAND = 1_000_000  # pixels that are converted at once
EXIF_ORIENTATION = 0x0112


class TooLarge(ValueError):
    """An image that would need too much memory; says how large it may be, and what to do."""


def read_image(source, shape: tuple[int, int], crop: bool = True) -> np.ndarray:
    """The image in a file as (H, W, 3) uint8, with `shape` = (H, W).

    It is turned upright (EXIF), reduced to 8 bits per channel, converted to RGB with white in place
    of transparency, and resized. With `crop` it fills `shape` and the rest is cut off, the same on
    both sides; without, the whole image is resized to fit into `shape`, so that one of its sides
    may be shorter. Of an animation only the first frame is used.

    At most 0.5 GB of memory is needed, whatever is in the file; see `open_image` for the limits.
    A `shape` of more than 2048 x 2048 needs more.

    Args:
        source: a path, or an open binary file.
        shape: (H, W).
        crop: see above.

    Raises:
        ValueError: the file is no image, or a `TooLarge` one, by its header.
        Exception: whatever Pillow raises for a damaged file; `reason` says it in a few words.
    """
    from PIL import Image

    # With twice the size the resizing below decides the quality; EXIF may turn the image yet.
    with open_image(source, 2 * max(shape)) as image:
        turned = orientation(image)
        wanted = shape[::-1] if turned < 5 else shape
        (left, top, right, bottom), size = _placed(image.size, wanted, crop)
        rows = _narrowed(image, math.floor(top), math.ceil(bottom), left, right, size[0])
    del image  # before more memory is needed: it holds all of its pixels
    box = (0, top - math.floor(top), size[0], bottom - math.floor(top))
    resized = Image.fromarray(rows).resize(size, Image.Resampling.BICUBIC, box)
    return np.asarray(_upright(resized, turned))


@contextmanager
def open_image(source, enough: int | None = None):
    """An open image whose header has been read and found reasonable.

    A JPEG is set to decode at 1/2, 1/4 or 1/8 of its size, for a fraction of the memory, where that
    leaves it `enough` pixels a side. A progressive one is held in whole all the same.

    PNG, BMP and GIF may have up to 108 megapixels, WebP 24, a JPEG at least 108 and, decoded at a
    fraction, up to Pillow's own limit of 178. A progressive JPEG decoded at 1/8 may have 141 if its
    colours are stored at half the size, as is usual, 71 if they are not, and 53 in CMYK. No side
    may be over 65,535 pixels.

    Pillow's warnings are kept quiet: of large images, because the limits above are lower, and
    of oddities that it can read past.

    Raises:
        ValueError: the file holds no image of FORMATS, or a `TooLarge` one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _opened(source) as image:
                _check_size(image, enough)
                yield image
    except MemoryError:
        raise TooLarge("too little memory is free; make it smaller") from None


def orientation(image) -> int:
    """How the camera was held when it took a Pillow image: EXIF's number, 1 (upright) to 8."""
    try:
        turned = image.getexif().get(EXIF_ORIENTATION)
    except Exception:  # a damaged block tells nothing, and the image beside it is sound
        return 1
    return turned if turned in range(1, 9) else 1


def reason(error: Exception) -> str:
    """Why a file could not be read, in a few words on one line."""
    return printable(getattr(error, "strerror", None) or error or type(error).__name__)[:120]


def _opened(source):
    """The image in a file, of which Pillow has read the header."""
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(source, formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(_what_it_is(source)) from None
    except Image.DecompressionBombError:  # Pillow's own limit
        raise TooLarge("it has more than 178 megapixels; make it smaller") from None


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


def _check_size(image, enough: int | None) -> None:
    """Have a JPEG decoded at a fraction of its size, and refuse what needs too much memory."""
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        raise TooLarge(
            f"{width} x {height} has a side of more than {MAX_SIDE:,} pixels; make it smaller"
        )
    if enough:
        image.draft(None, (enough, enough))
    kind, otherwise = image.format, " or save it as JPEG (not progressive)"
    needed = 4 * image.width * image.height
    if kind == "WEBP":
        kind, needed = "WebP", WEBP_BYTES * width * height
    elif kind in ("JPEG", "MPO"):  # an MPO is a JPEG with a second image behind it
        kind, otherwise = "JPEG", ""
        if _has_several_scans(image):
            kind, otherwise = "progressive JPEG", " or save it as an ordinary JPEG"
            needed += _coefficient_bytes(image, width * height)
    if needed > MAX_MEMORY:
        most = int(MAX_MEMORY / needed * width * height / 1e6)
        raise TooLarge(
            f"{width} x {height} is more than {most} megapixels, the most for a {kind}; make it "
            f"smaller{otherwise}"
        )


def _has_several_scans(image) -> bool:
    """Whether a JPEG is progressive, or has a scan for each channel; True where that is unclear."""
    if "progressive" in image.info:
        return True
    image.fp.seek(2)
    while len(segment := image.fp.read(4)) == 4 and segment[0] == 0xFF:
        if segment[1] == 0xDA:  # the first scan begins, with the number of its channels
            return image.fp.read(1) != bytes([image.layers])
        image.fp.seek(int.from_bytes(segment[2:], "big") - 2, io.SEEK_CUR)
    return True


def _coefficient_bytes(image, pixels: int) -> float:
    """What libjpeg keeps until the last of several scans: 2 bytes for a number of each channel.

    Channels may be stored at fewer points than the finest one.
    """
    points = [across * down for _, across, down, _ in image.layer]
    return 2 * pixels * sum(points) / max(1, *points)


def _placed(size: tuple[int, int], wanted: tuple[int, int], crop: bool):
    """Which box (left, top, right, bottom) of an image is resized, and to which (W, H)."""
    width, height = size
    across, down = wanted
    if not crop:
        scale = min(across / width, down / height)
        return (0, 0, width, height), tuple(max(1, round(scale * side)) for side in size)
    box = min(width, height * across / down), min(height, width * down / across)
    left, top = (width - box[0]) / 2, (height - box[1]) / 2
    return (left, top, left + box[0], top + box[1]), wanted


def _narrowed(image, first: int, last: int, left: float, right: float, width: int) -> np.ndarray:
    """The rows `first` to `last` from `left` to `right`, (rows, width, 3) uint8.

    They are made band by band, so that a large image is never in memory twice.
    """
    from PIL.Image import Resampling

    start, end = math.floor(left), math.ceil(right)
    image.load()
    rows = np.empty((last - first, width, 3), np.uint8)
    step = max(1, BAND // (end - start))
    for row in range(first, last, step):
        band = _on_white(image.crop((start, row, end, min(row + step, last))))
        box = (left - start, 0, right - start, band.height)
        band = band.resize((width, band.height), Resampling.BICUBIC, box, reducing_gap=2.0)
        rows[row - first : row - first + band.height] = band
    return rows


def _on_white(image):
    """The same image as RGB with 8 bits a channel, white where it is transparent."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit greyscale, which convert() would clip at 255
        image = Image.fromarray(((np.asarray(image).astype(np.uint32) + 128) // 257).astype("u1"))
    if image.mode in ("L", "RGB", "CMYK") and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
