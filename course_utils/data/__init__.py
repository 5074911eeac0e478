"""Every data set of the course, by name: `load("handwriting")`, `load("mnist")`, ..."""

from __future__ import annotations

import operator
from collections.abc import Mapping

from .download import DownloadError
from .imageset import ImageSet
from .own import own_image, to_mnist_style

__all__ = ["DownloadError", "ImageSet", "ink_on_black", "load", "own_image"]

NAMES = ("handwriting", "faces", "mnist", "fashion_mnist", "cifar10", "folder:PATH")
SPLITS = ("train", "test")
DRAWN_SIZES = {
    "handwriting": {"train": 60_000, "test": 10_000},
    "faces": {"train": 20_000, "test": 4_000},
}
# Added to the seed of a drawn test split. It fits in 32 bits, because torch's CPU generator
# ignores higher ones, and lies above every seed a caller may give, so no two splits coincide.
TEST_SEED_OFFSET = 2**31 - 1


def load(
    name: str,
    split: str = "train",
    size: int | None = None,
    *,
    seed: int = 0,
    device="cpu",
    root=None,
    resolution: int | None = None,
    fixed: Mapping[str, float] | None = None,
) -> ImageSet:
    """Load a data set as tensors, images float32 in [0, 1] on `device`.

    Args:
        name: "handwriting" and "faces" are drawn here (offline, with their true factors);
            "mnist", "fashion_mnist" and "cifar10" are read from `root` and downloaded there
            first if need be; "folder:PATH" reads the images under PATH (see
            `folder.read_folder` for formats, sizes and labels).
        split: "train" or "test". Drawn sets draw other images for each: the test split uses
            `seed + TEST_SEED_OFFSET`. Folders need sub-folders "train" and "test" for "test".
        size: how many images: the first `size` of the set. Default: all of a real set;
            60,000 / 10,000 handwritten digits or 20,000 / 4,000 faces.
        seed: of the drawn sets, 0 <= seed < 2**31 - 1; the others do not depend on it.
        root: where real data sets are kept. Default: the environment variable COURSE_DATA, else
            data/downloads of the course folder.
        resolution: side of the square images in pixels, for faces (default 32) and folders.
            The other sets have one resolution of their own.
        fixed: factors that are the same in every image of a drawn set, name -> value.

    Raises:
        ValueError: an argument cannot be used, or a file holds something else than it should.
        FileNotFoundError: PATH does not exist.
        DownloadError: a data set is neither in `root` nor could be downloaded.
    """
    size, resolution = _positive("size", size), _positive("resolution", resolution)
    if split not in SPLITS:
        raise ValueError(f'split is {split!r}; use "train" or "test".')
    if name in DRAWN_SIZES:
        return _draw(name, split, size, seed, device, resolution, fixed)
    if fixed:
        raise ValueError(f"fixed is for drawn sets; the factors of {name} are not known.")
    if str(name).startswith("folder:"):
        from .folder import read_folder

        path = name.removeprefix("folder:")
        return read_folder(path, split, size, resolution=resolution, device=device)
    if name not in NAMES:
        raise ValueError(f"There is no data set {name!r}; choose one of {', '.join(NAMES)}.")
    from .real import read_real

    _check_resolution(name, resolution, 32 if name == "cifar10" else 28)
    return read_real(name, split, size, root=root, device=device)


def _draw(name, split, size, seed, device, resolution, fixed) -> ImageSet:
    if not hasattr(seed, "__index__") or not 0 <= seed < TEST_SEED_OFFSET:
        raise ValueError(f"seed is {seed!r}; use a whole number from 0 to {TEST_SEED_OFFSET - 1}.")
    size = size or DRAWN_SIZES[name][split]
    seed = seed if split == "train" else seed + TEST_SEED_OFFSET
    if name == "faces":
        from . import faces

        return faces.draw(size, seed=seed, fixed=fixed, device=device, resolution=resolution or 32)
    from . import handwriting

    _check_resolution(name, resolution, 28)
    return handwriting.draw(size, seed=seed, fixed=fixed, device=device)


def _positive(what: str, value) -> int | None:
    """`value` as a positive int, or None where it is None."""
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(f"{what} is {value!r}; use a positive whole number, or leave it out.")
    return operator.index(value)


def _check_resolution(name: str, resolution: int | None, own: int) -> None:
    if resolution not in (None, own):
        raise ValueError(
            f"{name} comes in {own} x {own} pixels only, not {resolution}; leave resolution out."
        )
