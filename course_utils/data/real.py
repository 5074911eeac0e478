"""Real datasets: MNIST, FashionMNIST and CIFAR-10 from their published binary files; photographs.

Files are fetched by `download`, from torchvision's mirrors and against its checksums, and not by
`torchvision.datasets.MNIST(download=True)`. Measured with torchvision 0.29: a process killed while
it unpacked a file left 0 or 2 of 47 MB under the final name, which counted as complete from then
on; what broke off in a download stayed under the final name; of 40 changed bytes 40 were read
silently; and it still waited after 60 s for a server that said nothing.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from ..session.lab import data_folder
from .download import damage, extract, fetch, gunzip
from .imageset import ImageSet
from .registry import Dataset

CIFAR10_IMAGES_A_FILE = 10_000


def read_idx_dataset(dataset: Dataset, split: str, size: int | None, *, root, device) -> ImageSet:
    """The first `size` images (N, 1, 28, 28) of a dataset in IDX files, as MNIST is published.

    Files that `root` lacks are downloaded or, where the archive is there, unpacked first.

    Raises:
        ValueError: `size` exceeds the set, or a file in `root` is damaged.
        DownloadError: a file is missing and could not be downloaded.
    """
    folder = _root(root) / dataset.folder
    for name in dataset.files[split]:
        if not (folder / name).is_file():
            _fetch_idx(name, folder, dataset.download_bytes)
    images, labels = (
        read_idx(folder / name, dataset.checksums.get(name)) for name in dataset.files[split]
    )
    aligned = images.shape[1:] == dataset.shape[1:] and labels.shape == images.shape[:1] != (0,)
    if not aligned or labels.max() >= len(dataset.classes):
        raise ValueError(
            f"The {split} files in {folder} are not those of {dataset.name} (images "
            f"{images.shape}, labels {labels.shape}); delete them, and they are downloaded again."
        )
    return _image_set(dataset, split, size, images[:, None], labels, device)


def _fetch_idx(name: str, folder: Path, limit: int) -> None:
    """Download a file of MNIST or FashionMNIST of at most `limit` bytes, and unpack it."""
    from torchvision import datasets  # only here: importing it takes longer than reading MNIST

    source = getattr(datasets, folder.parent.name)  # the folders are called as its classes are
    archive = f"{name}.gz"
    urls = [mirror + archive for mirror in source.mirrors]
    checksum = f"md5:{dict(source.resources)[archive]}"
    instead = _instead("handwriting", folder)
    fetch(urls, folder / archive, checksum, instead=instead, limit=limit)
    gunzip(folder / archive, folder / name)


def read_cifar10(dataset: Dataset, split: str, size: int | None, *, root, device) -> ImageSet:
    """The first `size` images (N, 3, 32, 32) of CIFAR-10; raises as `read_idx_dataset` does."""
    root = _root(root)
    folder, archive = root / dataset.folder, root / dataset.archive.file
    record = 1 + math.prod(dataset.shape)  # a label, then the red, the green and the blue plane
    file_bytes = CIFAR10_IMAGES_A_FILE * record
    paths = [folder / name for name in dataset.files[split]]
    if not all(path.is_file() for path in paths):
        source = dataset.archive
        limit = dataset.download_bytes
        fetch(source.urls, archive, source.checksum, instead=_instead("faces", root), limit=limit)
        extract(archive, folder, sum(dataset.files.values(), ()), limit=file_bytes)
    records = []
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{archive} lacks {path.name}; delete it.")
        content = np.fromfile(path, np.uint8)
        if len(content) != file_bytes:
            raise _damaged(path, _wrong_length(len(content), file_bytes))
        if wrong := damage(path, content):
            raise _damaged(path, wrong)
        records.append(content.reshape(-1, record))
    records = np.concatenate(records)
    images, labels = records[:, 1:].reshape(-1, *dataset.shape), records[:, 0]
    if labels.max() >= len(dataset.classes):
        raise ValueError(
            f"The {split} files in {folder} are not those of {dataset.name} (a label is "
            f"{labels.max()}); delete them, and they are downloaded again."
        )
    return _image_set(dataset, split, size, images, labels, device)


def read_photographs(
    dataset: Dataset, split: str, size: int | None, *, root, device, resolution: int
) -> ImageSet:
    """The first `size` photographs, (N, 3, resolution, resolution); a class each, `root` unused.

    Raises: ValueError where `split` is "test", of which there are none, or `size` is too large.
    """
    from .photographs import NAMES, photograph

    if not dataset.sizes[split]:
        raise ValueError(f'{dataset.name} has no {split} images; use split="train".')
    _check_size(dataset, split, size, len(NAMES))
    images = torch.cat([photograph(name, resolution, device=device) for name in NAMES[:size]])
    labels = torch.arange(len(images), device=device)
    return ImageSet(dataset.name, images, labels, classes=NAMES)


def read_idx(path: Path, checksum: str | None = None) -> np.ndarray:
    """The uint8 array in an IDX file (the format of LeCun's MNIST files).

    Two zero bytes, 8 for "unsigned byte", the number of dimensions, each dimension as a
    big-endian 32-bit integer, then the values.

    Args:
        checksum: of the file, where it is known; see `download.damage`.

    Raises: ValueError where the file is another, is damaged or is no IDX file.
    """
    content = np.fromfile(path, np.uint8)
    if wrong := damage(path, content, checksum):
        raise _damaged(path, wrong)
    dimensions = int(content[3]) if content[:3].tolist() == [0, 0, 8] and len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if not dimensions or len(content) < start:
        raise _damaged(path, "is not an IDX file")
    shape = tuple(content[4:start].view(">u4").tolist())
    if len(content) != start + math.prod(shape):
        raise _damaged(path, _wrong_length(len(content), start + math.prod(shape)))
    return content[start:].reshape(shape)


def _image_set(dataset: Dataset, split: str, size, images, labels, device) -> ImageSet:
    """The first `size` of uint8 images (N, C, H, W) and labels (N,)."""
    _check_size(dataset, split, size, len(images))
    return ImageSet(
        name=dataset.name,
        images=torch.from_numpy(images[:size].copy()).to(device).float().div_(255),
        labels=torch.from_numpy(labels[:size].astype(np.int64)).to(device),
        classes=dataset.classes,
    )


def _check_size(dataset: Dataset, split: str, size: int | None, count: int) -> None:
    if size is not None and size > count:
        raise ValueError(f"{dataset.name} has {count:,} {split} images, not {size:,}; lower size.")


def _root(root) -> Path:
    return Path(root).expanduser() if root else data_folder()


def _wrong_length(found: int, expected: int) -> str:
    return f"is damaged ({found:,} bytes instead of {expected:,})"


def _damaged(path: Path, wrong: str) -> ValueError:
    return ValueError(
        f"{path} {wrong}; delete it, and the next load downloads it again, or read images of your "
        f'own by data.load("folder:PATH").'
    )


def _instead(drawn: str, folder: Path) -> str:
    return (
        f'use data.load("{drawn}"), which needs no files, or put the file into {folder} '
        f"yourself, or set COURSE_DATA to a folder that has the data"
    )
