"""MNIST, FashionMNIST and CIFAR-10, read from their published binary files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from ..session.lab import data_folder
from .download import extract, fetch, gunzip
from .imageset import ImageSet

# The classes of torchvision.datasets, which are also the names of the folders.
IDX_SETS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}

# The binary version: torchvision reads the Python version, which would have to be unpickled.
CIFAR10_ARCHIVE = "cifar-10-binary.tar.gz"
CIFAR10_URLS = (
    f"https://www.cs.toronto.edu/~kriz/{CIFAR10_ARCHIVE}",
    f"https://cave.cs.toronto.edu/kriz/{CIFAR10_ARCHIVE}",
)
CIFAR10_CHECKSUM = "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
CIFAR10_FOLDER = "cifar-10-batches-bin"
CIFAR10_FILES = {
    "train": tuple(f"data_batch_{batch}.bin" for batch in range(1, 6)),
    "test": ("test_batch.bin",),
}
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
CIFAR10_IMAGES_A_FILE = 10_000


def read_real(name: str, split: str, size: int | None, *, root, device) -> ImageSet:
    """The first `size` images of "mnist", "fashion_mnist" (N, 1, 28, 28) or "cifar10"
    (N, 3, 32, 32), downloaded into `root` first where they are not there yet.

    Raises:
        ValueError: `size` exceeds the set, or a file in `root` is damaged.
        DownloadError: a file is missing and could not be downloaded.
    """
    folder = Path(root).expanduser() if root else data_folder()
    read = _read_cifar10 if name == "cifar10" else _read_mnist
    images, labels, classes = read(name, split, folder)
    if size is not None and size > len(images):
        raise ValueError(f"{name} has {len(images):,} {split} images, not {size:,}; lower size.")
    return ImageSet(
        name=name,
        images=torch.from_numpy(images[:size].copy()).to(device).float().div_(255),
        labels=torch.from_numpy(labels[:size].astype(np.int64)).to(device),
        classes=classes,
    )


def _read_mnist(name: str, split: str, folder: Path):
    """Images (N, 1, 28, 28) uint8, labels (N,) uint8 and the classes of an MNIST-like set."""
    from torchvision import datasets

    source = getattr(datasets, IDX_SETS[name])  # knows the mirrors and their checksums
    raw = folder / IDX_SETS[name] / "raw"
    arrays = []
    for archive, md5 in source.resources:
        if archive.startswith("train") != (split == "train"):
            continue
        path = raw / archive.removesuffix(".gz")
        if not path.is_file():
            urls = [mirror + archive for mirror in source.mirrors]
            fetch(urls, raw / archive, f"md5:{md5}", instead=_instead("handwriting", raw))
            gunzip(raw / archive, path)
        arrays.append(read_idx(path))
    images, labels = arrays
    aligned = images.shape[1:] == (28, 28) and labels.shape == images.shape[:1] != (0,)
    if not aligned or labels.max() > 9:
        raise ValueError(
            f"The {split} files in {raw} are not those of {name} (images {images.shape}, labels "
            f"{labels.shape}); delete them, and they are downloaded again."
        )
    classes = tuple("0123456789") if name == "mnist" else tuple(source.classes)
    return images[:, None], labels, classes


def _read_cifar10(name: str, split: str, folder: Path):
    """Images (N, 3, 32, 32) uint8, labels (N,) uint8 and the classes of CIFAR-10."""
    folder = folder / CIFAR10_FOLDER
    paths = [folder / file for file in CIFAR10_FILES[split]]
    record = 1 + 3 * 32 * 32  # one label, then the red, the green and the blue plane
    file_bytes = CIFAR10_IMAGES_A_FILE * record
    if not all(path.is_file() for path in paths):
        archive = folder.parent / CIFAR10_ARCHIVE
        instead = _instead("faces", folder.parent)
        fetch(CIFAR10_URLS, archive, CIFAR10_CHECKSUM, instead=instead)
        extract(archive, folder, sum(CIFAR10_FILES.values(), ()), limit=file_bytes)
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{folder.parent / CIFAR10_ARCHIVE} lacks {path.name}; delete it.")
        if path.stat().st_size != file_bytes:
            raise _damaged(path, file_bytes, path.stat().st_size)
    records = np.concatenate([np.fromfile(path, np.uint8).reshape(-1, record) for path in paths])
    labels = records[:, 0]
    if labels.max() > 9:
        raise ValueError(
            f"The {split} files in {folder} are not those of {name} (a label is {labels.max()}); "
            f"delete them, and they are downloaded again."
        )
    return records[:, 1:].reshape(-1, 3, 32, 32), labels, CIFAR10_CLASSES


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in an IDX file (the format of LeCun's MNIST files).

    Two zero bytes, 8 for "unsigned byte", the number of dimensions, each dimension as a
    big-endian 32-bit integer, then the values.
    """
    content = np.fromfile(path, np.uint8)
    dimensions = int(content[3]) if content[:3].tolist() == [0, 0, 8] and len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if not dimensions or len(content) < start:
        raise ValueError(
            f"{path} is not an IDX file; delete it, and it is downloaded again by the next load."
        )
    shape = tuple(content[4:start].view(">u4").tolist())
    if len(content) != start + math.prod(shape):
        raise _damaged(path, start + math.prod(shape), len(content))
    return content[start:].reshape(shape)


def _damaged(path: Path, expected: int, found: int) -> ValueError:
    return ValueError(
        f"{path} is damaged ({found:,} bytes instead of {expected:,}); delete it, and it is "
        f"downloaded again by the next load."
    )


def _instead(drawn: str, folder: Path) -> str:
    return (
        f'use data.load("{drawn}"), which needs no files, or put the file into {folder} '
        f"yourself, or set COURSE_DATA to a folder that has the data"
    )
