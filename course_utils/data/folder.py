"""A folder of one's own images as an image set."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from ..session.text import print_line, printable, some
from .image_classes import Found, find_images
from .image_files import open_image, orientation, read_image, reason
from .imageset import ImageSet

DEFAULT_RESOLUTION = 64
LARGEST_OWN_SIZE = 256  # pixels a side up to which images keep a size that they all share
MAX_BYTES = 8 << 30  # of the whole set as float32


def read_folder(
    path, split: str = "train", size: int | None = None, *, resolution: int | None = None, device
) -> ImageSet:
    """Read the PNG, JPEG, WebP, BMP and GIF images under `path`, sub-folders included.

    Each image is turned upright (EXIF), reduced to 8 bits per channel, converted to RGB with
    white in place of transparency, and resized and centre-cropped to the resolution. Of an
    animation only the first frame is used.

    Classes: if every image lies in one of two or more sub-folders, these are the classes, in the
    order 1, 2, 10, and they take turns, so that the first `size` images are balanced. Otherwise
    the images come in the order of their paths, without labels. Folders that hold nothing but one
    folder are passed through first.

    Splits: sub-folders called train and test, in any case, with the usual endings (Training,
    test_set) and equal rests (seg_train, seg_test), are the two splits. Where there is no test,
    one called val, valid or validation serves as test; where there is, it is not read. The
    classes of the test split are those of train, with its numbers.

    Links are followed, each folder read once. Ignored are hidden files and folders, and those that
    systems leave (`@eaDir`, `__MACOSX`, `lost+found`). One printed line each tells of anything else
    that is not read: other formats (HEIC, TIFF, AVIF), links that lead nowhere, pipes, classes
    without images, images beside the classes. A file that cannot be decoded, or is too large (see
    `image_files.open_image`: a PNG of over 108 megapixels, a WebP of over 24), is left out and
    named as well.

    Args:
        path: the folder.
        split: "train" or "test"; a folder without splits is all "train".
        size: the first `size` readable images; default all.
        resolution: side in pixels. Default: the size that all the images share, if it is no
            larger than 256 x 256 (it need not be square), else 64.
        device: of the result.

    Returns:
        an ImageSet with the name of the folder and images (N, 3, H, W) float32 in [0, 1].

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no image there can be read, or fewer than `size`, or they need over 8 GiB; two
            folders are one split; the test split has a class that train has not; a folder cannot
            be listed, or holds more than a million files.
    """
    folder = existing_folder(path)
    found = find_images(folder, split)
    shape = (resolution, resolution) if resolution else _shared_shape(found.files)
    count = min(size or len(found.files), len(found.files))
    if count * 3 * shape[0] * shape[1] * 4 > MAX_BYTES:
        raise ValueError(
            f"{count:,} images of {shape[1]} x {shape[0]} pixels from {printable(found.folder)} "
            f"need more than {MAX_BYTES >> 30} GiB; lower resolution or size."
        )
    pixels, kept, broken = _read(found, shape, count)
    if len(kept) < (size or 1):
        raise ValueError(
            f"{printable(found.folder)} has {len(kept):,} readable images, fewer than the "
            f"{size or 1:,} wanted{_left_out(broken)}; add images{' or lower size' if size else ''}"
            f"."
        )
    if broken:
        print_line(f"{found.folder}: {len(kept):,} images read{_left_out(broken)}.")
    labels = [found.labels[position] for position in kept] if found.classes else None
    if labels and len(kept) + len(broken) == len(found.files):
        lost = [found.classes[label] for label in sorted(set(found.labels) - set(labels))]
        found.notes.extend(f"no image of the class {name} can be read" for name in lost)
    for note in found.notes:
        print_line(f"{folder}: {note}.")
    images = torch.from_numpy(pixels[: len(kept)]).permute(0, 3, 1, 2).contiguous()
    return ImageSet(
        name=printable(folder.resolve().name or folder.resolve()),
        images=images.to(device).float().div_(255),
        labels=torch.tensor(labels, device=device) if labels else None,
        classes=found.classes,
    )


def existing_folder(path) -> Path:
    """The folder that is meant: `~` is the home folder, spaces and quotes around it do not count.

    Raises: FileNotFoundError where there is none.
    """
    for text in (str(path), str(path).strip(" \t\"'")):
        if text and os.path.isdir(os.path.expanduser(text)):
            return Path(os.path.expanduser(text))
    raise FileNotFoundError(
        f"There is no folder {str(path)[:200]!r}; write the path of a folder of images after "
        f'"folder:", whole or as seen from {Path.cwd()}.'
    )


def _read(found: Found, shape, count: int) -> tuple[np.ndarray, list[int], list[str]]:
    """The first `count` images that can be read, (count, H, W, 3) uint8, and their positions.

    Last, the names of those that cannot, each with the reason.
    """
    pixels = np.empty((count, *shape, 3), np.uint8)
    kept, broken = [], []
    for position, file in enumerate(found.files):
        if len(kept) == count:
            break
        try:
            pixels[len(kept)] = read_image(file, shape)
            kept.append(position)
        except Exception as error:  # decoders raise almost anything on damaged bytes
            broken.append(f"{file.relative_to(found.folder)} ({reason(error)})")
    return pixels, kept, broken


def _shared_shape(files: list[Path]) -> tuple[int, int]:
    """(H, W) that all readable images share if it is small, else the default square."""
    shapes = set()
    for file in files:
        try:
            with open_image(file) as image:
                if max(image.size) <= LARGEST_OWN_SIZE:
                    turned = orientation(image) >= 5
                    shapes.add(image.size if turned else image.size[::-1])
                else:
                    shapes.add(None)
        except Exception:  # left for read_image, whose caller reports it
            continue
        if None in shapes or len(shapes) > 1:
            break
    if len(shapes) == 1 and None not in shapes:
        return shapes.pop()
    return DEFAULT_RESOLUTION, DEFAULT_RESOLUTION


def _left_out(broken: list[str]) -> str:
    """The end of a sentence that names the files left out, if any, and why."""
    return f", {len(broken):,} left out: {some(broken, 2)}" if broken else ""
