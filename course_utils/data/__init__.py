"""Every dataset of the course, by name: `load("handwriting")`, `load("mnist")`, ..."""

from __future__ import annotations

from collections.abc import Mapping

from ..session.arguments import whole
from .download import DownloadError
from .imageset import ImageSet
from .own import own_image, to_mnist_style

__all__ = ["DownloadError", "ImageSet", "load", "own_image", "to_mnist_style"]

SPLITS = ("train", "test")
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
    """Load a dataset as tensors, images float32 in [0, 1] on `device`.

    Args:
        name: "handwriting" and "faces" are drawn here (offline, with their true factors);
            "mnist", "fashion_mnist" and "cifar10" are read from `root` and downloaded there
            first if need be; "photographs" come in packages that the course needs anyway;
            "folder:PATH" reads the images under PATH (see `folder.read_folder` for formats, sizes
            and labels). `registry` holds what is known of each.
        split: "train" or "test". Drawn sets draw other images for each: the test split uses
            `seed + TEST_SEED_OFFSET`. Folders need a sub-folder for each, see `folder.read_folder`.
        size: how many images: the first `size` of the set. Default: all of a real set;
            60,000 / 10,000 handwritten digits or 20,000 / 4,000 faces.
        seed: of the drawn sets, 0 <= seed < 2**31 - 1; the others do not depend on it.
        root: where real datasets are kept. Default: the environment variable COURSE_DATA, else
            data/downloads of the course folder.
        resolution: side of the square images in pixels, for faces (default 32), photographs
            (default 256) and folders. The other sets have one resolution of their own.
        fixed: factors that are the same in every image of a drawn set, name -> value.

    Raises:
        ValueError: an argument cannot be used, or a file holds something else than it should.
        FileNotFoundError: PATH does not exist.
        DownloadError: a dataset is neither in `root` nor could be downloaded.

    Example:
        >>> digits = load("handwriting", size=20)
        >>> digits.images.shape, sorted(digits.labels[:10].tolist())
        (torch.Size([20, 1, 28, 28]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        >>> load("faces", "test", size=3, fixed={"smile": 1.0}).factors["smile"]
        tensor([1., 1., 1.])
    """
    from . import registry  # here, so that it can also be run as a program

    size, resolution = _positive("size", size), _positive("resolution", resolution)
    if split not in SPLITS:
        raise ValueError(f'split is {split!r}; use "train" or "test".')
    dataset = registry.find(name)
    if dataset.domains:
        raise ValueError(
            f"{name} has two domains and no pairs; load it by unpaired({name!r}) of "
            f"course_utils.data.unpaired."
        )
    if fixed and dataset.how != registry.DRAWN:
        raise ValueError(f"fixed is for drawn sets; the factors of {name} are not known.")
    options = {"device": device}
    if dataset.resizes:
        options["resolution"] = resolution or (dataset.shape and dataset.shape[1])
    elif resolution not in (None, own := dataset.shape[1]):
        raise ValueError(
            f"{name} comes in {own} x {own} pixels only, not {resolution}; leave resolution out."
        )
    if dataset.how == registry.DRAWN:
        seed = _seed_of(split, seed)
        return dataset.load(size or dataset.sizes[split], seed=seed, fixed=fixed, **options)
    if dataset.how == registry.FOLDER:
        return dataset.load(name.partition(":")[2], split, size, **options)
    return dataset.load(dataset, split, size, root=root, **options)


def _seed_of(split: str, seed: int) -> int:
    seed = whole(seed, "seed", least=0, most=TEST_SEED_OFFSET - 1)
    return seed if split == "train" else seed + TEST_SEED_OFFSET


def _positive(what: str, value) -> int | None:
    """`value` as a positive int, or None where it is None."""
    return None if value is None else whole(value, what)
