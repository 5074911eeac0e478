"""An image of one's own as a tensor, from most kinds of files; photographed digits as well."""

from __future__ import annotations

import io
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..session.arguments import shown, whole
from ..session.text import printable
from .image_files import TooLarge, read_image, reason

MAX_SHAPE = 2048 * 2048  # pixels of the result
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in the perceived brightness
FRAME, BOX = 28, 20  # pixels: the side of an image of the digit sets, and its ink's longer side
CENTRE = 14.5  # where MNIST has the centre of mass: in the middle of pixel 14
WORKING_SIDE = 320  # pixels: photographs are reduced to this size before the ink is detected
WIDEST_STROKE = 0.35  # of the photograph's shorter side: what is wider counts as lighting
NARROWEST_STROKE = 0.11  # of the digit's longer side: MNIST's digits have wide strokes
BLACK = 0.1  # a background below this is not paper
PALEST_INK = 0.2  # share of the paper's light that ink absorbs at least; shadows absorb less
NOISE_LIMIT = 8.0  # least contrast of ink, in standard deviations of the paper's noise
SMALLEST_INK = 0.0003  # of the photograph's area: what is smaller is a speck
NO_DIGIT = (
    "No digit is to be seen here; write one large, with a dark pen on plain white paper, leave a "
    "margin around it, and photograph it from close up."
)


def own_image(source, shape=(3, 64, 64), device="cpu", *, crop: bool = True) -> Tensor:
    """Read one image of any size and kind.

    JPEG, PNG, WebP, BMP and GIF are read. The image is turned upright (EXIF), and transparent parts
    become white. Of an animation only the first frame is used.

    At most 0.5 GB of memory is needed beside the file. A PNG, BMP or GIF may have 108 megapixels,
    for example 12,000 x 9,000, a WebP 24, and a JPEG 178; a progressive JPEG between 50 and 140,
    as its colours are stored. No side may be over 65,535 pixels.

    Args:
        source: a path, the bytes of a file, or an open binary file.
        shape: (C, H, W); C is 3 for colours or 1 for luma, the grey of the same brightness, and
            H W is at most 2048 x 2048.
        device: of the result.
        crop: True fills the whole of `shape` and cuts off the rest; False fits the whole image
            into `shape`, so that one of its sides may be shorter.

    Returns:
        (1, C, H, W) float32 in [0, 1].

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no image that can be read, or too large a one, or an argument cannot
            be used.
    """
    channels, height, width = _checked_shape(shape)
    name, source = _opened(source)
    failure = ""
    try:
        pixels = read_image(source, (height, width), crop)
    except TooLarge as error:
        failure = f"{name} cannot be read: {error}."
    except Exception as error:  # decoders raise almost anything on damaged bytes
        failure = (
            f"{name} cannot be read as an image ({reason(error)}); open it in a program that shows "
            "images and save it as PNG or JPEG."
        )
    if failure:  # raised here, where no other error holds the half-read image in memory
        raise ValueError(failure)
    if channels == 1:
        from PIL import Image

        pixels = np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    image = torch.tensor(pixels, device=device).permute(2, 0, 1)[None]
    return image.float().div_(255).contiguous()


def to_mnist_style(images: Tensor) -> Tensor:
    """Turn photographs of one handwritten digit each into images like MNIST's.

    The light on the paper may be uneven, and the ink of any colour. The digit is stretched to full
    contrast, bright on black, scaled so that its longer side is 20 pixels, and shifted so that its
    centre of mass is in the middle of 28 x 28 pixels, as in MNIST (LeCun et al. 1998). Thin strokes
    are widened to the stroke width of MNIST. Specks are removed, and so is everything that reaches
    the edge of the photograph: ruled lines, shadows, the table. An image that is bright on dark
    already stays so.

    Args:
        images: (N, C, H, W) in [0, 1], C of 1 or 3, larger than 28 x 28 if the digit fills only a
            part, for example from `own_image(path, (1, 320, 320), crop=False)`.

    Returns:
        (N, 1, 28, 28) float32 in [0, 1] on the same device.

    Raises:
        ValueError: an image shows no digit with a margin around it, or `images` are not images.

    Example:
        >>> page = torch.ones(1, 3, 100, 100)  # white paper
        >>> page[:, :, 20:80, 45:52] = 0.2  # a dark stroke
        >>> to_mnist_style(page).shape
        torch.Size([1, 1, 28, 28])
    """
    shape = tuple(images.shape) if isinstance(images, Tensor) else shown(images)
    if not isinstance(images, Tensor) or len(shape) != 4 or shape[1] not in (1, 3) or 0 in shape:
        raise ValueError(
            f"to_mnist_style needs images (N, C, H, W) with C of 1 or 3, as own_image makes "
            f"them; this is {shape}."
        )
    greys = images.detach().float()
    if not ((greys >= 0) & (greys <= 1)).all():  # NaN is neither
        raise ValueError(
            "to_mnist_style needs brightnesses from 0 to 1, and there are others in these images; "
            "divide bytes by 255."
        )
    if shape[1] == 3:
        greys = (greys * greys.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    shrink = WORKING_SIDE / max(greys.shape[2:])
    if shrink < 1:
        greys = _resized(greys, [max(1, round(shrink * side)) for side in greys.shape[2:]])
    digits = [_centred(_widened(_digit(_ink(grey[0].cpu().numpy())))) for grey in greys]
    return torch.stack(digits).to(images.device)


def _checked_shape(shape) -> tuple[int, int, int]:
    try:
        channels, height, width = (whole(side, "shape") for side in shape)
    except (TypeError, ValueError):
        channels = height = width = 0
    if channels not in (1, 3) or min(height, width) < 1 or height * width > MAX_SHAPE:
        raise ValueError(
            f"shape is {shown(shape)}; give (C, H, W) with C of 1 or 3, for example (3, 64, 64), "
            f"and H W of at most 2048 x 2048."
        )
    return channels, height, width


def _opened(source):
    """What to call the image in a message, and what Pillow can open."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "The file", io.BytesIO(source)
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        name = printable(name) if isinstance(name, str) else "The file"
        if isinstance(source, io.TextIOBase):
            raise ValueError(
                f'{name} cannot be read as an image (it is open as text); use open(path, "rb").'
            )
        return name, source
    if not isinstance(source, (str, os.PathLike)) or not str(source):
        raise ValueError(f"There is no image {shown(source)}; give a path, bytes or an open file.")
    path = os.path.expanduser(source)
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"There is no file {path[:200]!r}; write the path of an image, whole or as seen from "
            f"{os.getcwd()}."
        )
    if not os.path.isfile(path):
        example = os.path.join(path if os.path.isdir(path) else os.path.dirname(path), "cat.jpg")
        raise ValueError(
            f"{printable(path)} is no file; name one image, for example {printable(example)}."
        )
    return printable(path), path


# From a photograph to a digit, step by step: (H, W) arrays of numpy


def _ink(grey: np.ndarray) -> np.ndarray:
    """How much ink there is at each pixel, 0 to 1, be it darker or brighter than the background."""
    from scipy import ndimage

    if np.median(grey) < BLACK:  # as in the digit sets, whose ink may touch the edge
        grey = np.pad(grey, 1)
    widest = max(3, round(WIDEST_STROKE * min(grey.shape)))
    if _is_bright_on_dark(grey):
        ink = grey - ndimage.grey_opening(grey, size=(widest, widest))
    else:
        # In the shade both paper and ink are darker, by the same factor.
        ink = 1 - grey / ndimage.grey_closing(grey, size=(widest, widest)).clip(0.02)
    ink = ink - np.median(ink)
    # From neighbouring pixels, so that neither light nor shadow counts as noise.
    noise = 1.05 * np.median(np.abs(np.diff(ink))) if min(ink.shape) > 1 else 1.0
    full = np.sort(ink, axis=None)[-max(4, ink.size // 1000) :].mean()
    if full < max(PALEST_INK, NOISE_LIMIT * noise):
        raise ValueError(NO_DIGIT)
    return ((ink / full - 0.25) / 0.5).clip(0, 1)


def _is_bright_on_dark(grey: np.ndarray) -> bool:
    """Whether the bright pixels differ more from the background than the dark ones."""
    from scipy import ndimage

    if np.median(grey) < BLACK:
        return True
    # The background is the median of a wide window: strokes do not fill it, lighting does.
    height, width = (min(64, side) for side in grey.shape)
    grey = _resized(torch.from_numpy(grey)[None, None], (height, width))[0, 0].numpy()
    window = -(-height // 2), -(-width // 2)
    background = ndimage.median_filter(grey, size=window, mode="nearest")
    apart = np.sort(grey - background, axis=None)
    outermost = max(4, apart.size // 200)
    return bool(apart[-outermost:].mean() > -apart[:outermost].mean())


def _digit(ink: np.ndarray) -> np.ndarray:
    """The ink cut to its bounding box, without specks and without what reaches the edge."""
    from scipy import ndimage

    parts, count = ndimage.label(ink > 0.5, structure=np.ones((3, 3)))
    inner = np.bincount(parts.ravel(), minlength=count + 1)
    inner[[0, *parts[0], *parts[-1], *parts[:, 0], *parts[:, -1]]] = 0
    if inner.max() < max(1, SMALLEST_INK * ink.size):
        raise ValueError(NO_DIGIT)
    ours = np.isin(parts, np.flatnonzero(inner >= 0.05 * inner.max()))
    rows, columns = np.flatnonzero(ours.any(1)), np.flatnonzero(ours.any(0))
    soft_edge = ndimage.binary_dilation(ours, np.ones((3, 3)))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return np.where(soft_edge, ink, 0)[box]


def _widened(digit: np.ndarray) -> np.ndarray:
    """The digit with a stroke width like MNIST's."""
    from scipy import ndimage

    strokes = np.pad(digit > 0.5, 1)
    width = 4 * ndimage.distance_transform_edt(strokes)[strokes].mean() - 2
    missing = round(NARROWEST_STROKE * max(digit.shape) - width)
    if missing < 1:
        return digit
    reach = np.arange(missing + 1) - missing / 2
    disc = reach[:, None] ** 2 + reach**2 <= (missing / 2 + 0.3) ** 2
    return ndimage.grey_dilation(np.pad(digit, missing), footprint=disc)


def _centred(digit: np.ndarray) -> Tensor:
    """(1, 28, 28): the digit scaled to its box, its centre of mass where MNIST has it."""
    side = round(max(digit.shape) * FRAME / BOX)
    frame = np.zeros((side, side), np.float32)
    corner = []
    for axis, length in enumerate(digit.shape):
        mass = digit.sum(1 - axis)
        middle = (mass * (np.arange(length) + 0.5)).sum() / mass.sum()
        start = round(side * CENTRE / FRAME - middle)
        corner.append(min(max(start, 0), side - length))
    top, left = corner
    frame[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    small = _resized(torch.from_numpy(frame)[None, None], (FRAME, FRAME))[0]
    return small / small.max()


def _resized(images: Tensor, size) -> Tensor:
    return F.interpolate(images, size, mode="bilinear", antialias=True).clamp(0, 1)
