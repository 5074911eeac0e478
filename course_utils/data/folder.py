"""A folder of one's own images as an image set."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from .imageset import ImageSet

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
# What Pillow may try on a file, whatever its suffix says: it knows rarer and riskier formats.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
DEFAULT_RESOLUTION = 64
LARGEST_OWN_SIZE = 256  # pixels a side up to which images keep a size that they all share
MAX_PIXELS = 100_000_000  # that one file may unfold into: decoded, they take 0.4 GB
BAND = 8  # rows of a reduced image that are made at once
MAX_BYTES = 8 << 30  # of the whole set as float32
EXIF_ORIENTATION = 0x0112


def read_folder(
    path, split: str = "train", size: int | None = None, *, resolution: int | None = None, device
) -> ImageSet:
    """Read the PNG, JPEG, WebP, BMP and GIF images under `path`, sub-folders included.

    Each image is turned upright (EXIF), reduced to 8 bits per channel, converted to RGB with
    white in place of transparency, and resized and centre-cropped to the resolution. Of an
    animation only the first frame is used. Hidden files and folders are ignored.

    Order and labels: if every image lies in one of two or more sub-folders, these are the classes,
    and the classes alternate, so that the first `size` images are balanced. Otherwise the images
    come in the order of their paths, without labels.

    A file that cannot be decoded, or has more than 100 megapixels, is left out, and one printed
    line names it. A plain JPEG may have up to 178: it is decoded at a fraction of its size.

    Args:
        path: the folder.
        split: the sub-folder to read if `path` has both "train" and "test"; any other folder is
            all "train".
        size: the first `size` readable images; default all.
        resolution: side in pixels. Default: the size that all the images share, if it is no
            larger than 256 x 256 (it need not be square), else 64.
        device: of the result.

    Returns:
        an ImageSet with the name of the folder and images (N, 3, H, W) float32 in [0, 1].

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no image there can be read, or fewer than `size`, or they need over 8 GiB.
    """
    folder = _split_folder(path, split)
    files, classes = _find_images(folder)
    shape = (resolution, resolution) if resolution else _shared_shape(files)
    count = min(size or len(files), len(files))
    if count * 3 * shape[0] * shape[1] * 4 > MAX_BYTES:
        raise ValueError(
            f"{count:,} images of {shape[1]} x {shape[0]} pixels from {folder} need more than "
            f"{MAX_BYTES >> 30} GiB; lower resolution or size."
        )
    kept, broken = [], []
    pixels = np.empty((count, *shape, 3), np.uint8)
    for file in files:
        if len(kept) == count:
            break
        try:
            pixels[len(kept)] = read_image(file, shape)
            kept.append(file)
        except Exception as error:  # decoders raise almost anything on damaged bytes
            broken.append(f"{file.relative_to(folder)} ({error or type(error).__name__})")
    if len(kept) < (size or 1):
        raise ValueError(
            f"{folder} has {len(kept):,} readable images, fewer than the {size or 1:,} wanted"
            f"{_left_out(broken)}; add images{' or lower size' if size else ''}."
        )
    if broken:
        print(f"{folder}: {len(kept):,} images read{_left_out(broken)}.")
    images = torch.from_numpy(pixels[: len(kept)]).permute(0, 3, 1, 2).contiguous()
    labels = [classes.index(_class_of(file, folder)) for file in kept] if classes else None
    return ImageSet(
        name=Path(path).expanduser().resolve().name,
        images=images.to(device).float().div_(255),
        labels=torch.tensor(labels, device=device) if classes else None,
        classes=classes,
    )


def read_image(source, shape: tuple[int, int], crop: bool = True) -> np.ndarray:
    """The image in a file as (H, W, 3) uint8, with `shape` = (H, W); see `read_folder`.

    With `crop` it fills `shape` and the rest is cut off; without, the whole image is resized to
    fit into `shape`, so that one of its sides may be shorter.

    Args:
        source: a path, or an open binary file.
        shape: (H, W).
        crop: see above.

    Raises:
        ValueError: the file is no image, or has more than MAX_PIXELS pixels, by its header.
        Exception: whatever Pillow raises for a damaged file.
    """
    from PIL import Image, ImageOps

    height, width = shape
    # With twice the size the resize below decides the quality; EXIF may turn the image yet.
    enough = 2 * max(shape)
    with _open(source, enough) as image:
        image = _reduced(image, enough)
        ImageOps.exif_transpose(image, in_place=True)
        if crop:
            image = ImageOps.fit(image, (width, height))
        else:
            scale = min(width / image.width, height / image.height)
            size = [max(1, round(scale * side)) for side in image.size]
            image = image.resize(size, Image.Resampling.BICUBIC)
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


@contextmanager
def _open(source, enough: int | None = None):
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
            raise ValueError("not an image, or damaged") from None
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
    small.info = dict(image.info)  # says how the camera was held
    return small


def _eight_bits(image):
    """The same image as RGBA with 8 bits a channel."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit greyscale, which convert() would clip at 255
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    return image.convert("RGBA")


def _split_folder(path, split: str) -> Path:
    folder = Path(path).expanduser()
    if not path or not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {str(path)!r}; write the path of a folder of images after "
            f'"folder:", whole or as seen from {Path.cwd()}.'
        )
    if all((folder / name).is_dir() for name in ("train", "test")):
        return folder / split
    if split == "test":
        raise ValueError(
            f'{folder} has no sub-folders "train" and "test"; put the images to test on into '
            f"{folder / 'test'} and the others into {folder / 'train'}."
        )
    return folder


def _find_images(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The image files under `folder` in the order of the set, and the names of the classes."""
    found = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(parent, name)
            for name in sorted(files)
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise ValueError(
            f"{folder} holds no images; put some there ({', '.join(SUFFIXES)}) or check the path."
        )
    by_class: dict[str, list[Path]] = {}
    for file in found:
        by_class.setdefault(_class_of(file, folder), []).append(file)
    if "" in by_class or len(by_class) == 1:
        return found, ()
    turns = [(turn, file) for files in by_class.values() for turn, file in enumerate(files)]
    turns.sort(key=lambda pair: pair[0])  # stable: within a turn the classes keep their order
    return [file for _, file in turns], tuple(by_class)


def _refuse(error: OSError):
    raise error  # os.walk would ignore a folder that it cannot read


def _class_of(file: Path, folder: Path) -> str:
    """The name of the sub-folder of `folder` that holds `file`; empty if there is none."""
    parts = file.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""


def _shared_shape(files: list[Path]) -> tuple[int, int]:
    """(H, W) that all readable images share if it is small, else the default square."""
    shapes = set()
    for file in files:
        try:
            with _open(file) as image:
                if max(image.size) <= LARGEST_OWN_SIZE:
                    turned = image.getexif().get(EXIF_ORIENTATION, 1) >= 5
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
    if not broken:
        return ""
    more = f" and {len(broken) - 2:,} more" if len(broken) > 2 else ""
    return f", {len(broken):,} left out: {', '.join(broken[:2])}{more}"
