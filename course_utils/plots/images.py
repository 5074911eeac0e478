"""Images as one tiled array: grids, captions, rows, and how a notebook shows them."""

from __future__ import annotations

import io
from functools import cache

import numpy
import torch
from torch import Tensor

from ..session.text import printable

WHITE = 255


def to_bytes(images: Tensor) -> numpy.ndarray:
    """Images as bytes, 0 for 0.0 and 255 for 1.0; values beyond [0, 1] are clipped.

    Args:
        images: (N, C, H, W) floats in [0, 1], with C of 1 or 3.

    Returns:
        (N, H, W, 3) uint8.

    Example:
        >>> images = torch.tensor([0.0, 0.5, 2.0]).view(1, 1, 1, 3)
        >>> to_bytes(images)[0, 0, :, 0].tolist()
        [0, 128, 255]
    """
    images = images.detach().clamp(0, 1).mul(255).round().to(torch.uint8).cpu()
    return images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()


def image_grid(images: Tensor, columns: int, scale: int = 2, gap: int = 2) -> numpy.ndarray:
    """Images side by side, row by row, as one image.

    Args:
        images: (N, C, H, W) in [0, 1].
        columns: images per row.
        scale: each pixel becomes scale × scale, so that browsers need not blur it.
        gap: white pixels between images, after scaling.

    Returns:
        (height, width, 3) bytes.

    Example:
        >>> image_grid(torch.rand(6, 1, 28, 28), columns=3).shape  # 2 rows of 56 pixels, a gap
        (114, 172, 3)
    """
    tiles = to_bytes(images).repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = tiles.shape
    rows = -(-count // columns)
    canvas = numpy.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), WHITE, numpy.uint8
    )
    for number, tile in enumerate(tiles):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def captioned(image: numpy.ndarray, text: str, size: int = 16) -> numpy.ndarray:
    """The image with a line of text above it.

    Args:
        image: (H, W, 3) bytes.
        text: the caption, put on one line; a long one makes the result wider than the image.
        size: of the letters, in pixels.

    Returns:
        (height, width, 3) bytes, higher than the image by 1.6 times the size of the letters.

    Example:
        >>> captioned(numpy.zeros((32, 64, 3), numpy.uint8), "noise").shape  # 26 rows for the text
        (58, 64, 3)
    """
    from PIL import Image, ImageDraw

    font, text = load_font(size), printable(text)
    height, width = image.shape[:2]
    band = round(size * 1.6)
    canvas = Image.new("RGB", (max(width, round(font.getlength(text)) + 8), height + band), "white")
    ImageDraw.Draw(canvas).text((2, 1), text, fill="black", font=font)
    canvas.paste(Image.fromarray(image), (0, band))
    return numpy.asarray(canvas)


@cache
def load_font(size: int):
    """The font that comes with matplotlib, for Pillow, whose own has no Greek letters.

    Args:
        size: of the letters, in pixels.
    """
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def side_by_side(*images: numpy.ndarray, gap: int = 16) -> numpy.ndarray:
    """Images next to each other on white, aligned at the bottom.

    Args:
        images: (H, W, 3) bytes each, of any size.
        gap: white pixels between two images.

    Returns:
        (height, width, 3) bytes.

    Example:
        >>> low, high = numpy.zeros((10, 20, 3), numpy.uint8), numpy.zeros((30, 20, 3), numpy.uint8)
        >>> side_by_side(low, high).shape
        (30, 56, 3)
    """
    return _stacked(images, gap, along=1)


def stacked(*images: numpy.ndarray, gap: int = 12) -> numpy.ndarray:
    """Images under each other on white, aligned at the left.

    Args:
        images: (H, W, 3) bytes each, of any size.
        gap: white pixels between two images.

    Returns:
        (height, width, 3) bytes.

    Example:
        >>> low, high = numpy.zeros((10, 20, 3), numpy.uint8), numpy.zeros((30, 20, 3), numpy.uint8)
        >>> stacked(low, high).shape
        (52, 20, 3)
    """
    return _stacked(images, gap, along=0)


def _stacked(images, gap: int, along: int) -> numpy.ndarray:
    across = 1 - along
    most = max(image.shape[across] for image in images)
    padded = []
    for number, image in enumerate(images):
        spare = most - image.shape[across]
        margins = [(0, 0), (0, 0), (0, 0)]
        margins[across] = (spare, 0) if along == 1 else (0, spare)
        margins[along] = (gap if number else 0, 0)
        padded.append(numpy.pad(image, margins, constant_values=WHITE))
    return numpy.concatenate(padded, axis=along)


def png(image: numpy.ndarray) -> bytes:
    """The image as the bytes of a PNG file; fast rather than small, since sliders wait for it.

    Args:
        image: (H, W, 3) bytes.

    Example:
        >>> png(numpy.zeros((8, 8, 3), numpy.uint8))[:4]
        b'\\x89PNG'
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


class Figure:
    """An image as the value of a cell, shown by the notebook and by pages without a kernel.

    Args:
        image: (H, W, 3) bytes.
        description: what the image shows, for readers who cannot see it.

    Example:
        >>> Figure(numpy.zeros((8, 8, 3), numpy.uint8), "A black square.")
        A black square.
    """

    def __init__(self, image: numpy.ndarray, description: str):
        self.image = image
        self.description = description

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": small_png(self.image), "text/plain": self.description}


def image_rows(
    named: dict[str, Tensor], description: str, columns: int = 20, scale: int = 2
) -> Figure:
    """Grids of images under each other, each under its caption.

    Args:
        named: caption -> (N, C, H, W) images in [0, 1].
        description: what the images show, for readers who cannot see them.
        columns: images per row.
        scale: each pixel becomes scale × scale.

    Example:
        >>> rows = {"real": torch.rand(4, 3, 32, 32), "fake": torch.rand(4, 3, 32, 32)}
        >>> image_rows(rows, "Four images each.").image.shape
        (192, 262, 3)
    """
    sheets = [
        captioned(image_grid(images, min(columns, len(images)), scale), caption)
        for caption, images in named.items()
    ]
    return Figure(stacked(*sheets), description)


def small_png(image: numpy.ndarray) -> bytes:
    """The image as the bytes of a small PNG file with at most 256 colours, to store in a notebook.

    Args:
        image: (H, W, 3) bytes.
    """
    from PIL import Image

    buffer = io.BytesIO()
    # k-means keeps colours of few pixels, a pale forehead for instance.
    few = Image.fromarray(image).quantize(256, kmeans=1, dither=Image.Dither.NONE)
    few.save(buffer, "png", optimize=True)
    return buffer.getvalue()
