"""Images of two domains without pairs, for translation from one to the other and back."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from ..session.arguments import whole
from ..session.files import remove_parts
from ..session.lab import data_folder
from ..session.text import printable
from . import _positive, animals
from .download import CHUNK_BYTES, fetch
from .folder import DEFAULT_RESOLUTION, read_folder
from .held import drawable
from .image_classes import has_splits
from .image_files import SUFFIXES
from .registry import DATASETS, Dataset, find

__all__ = ["Unpaired", "unpaired"]

PARTS = ("trainA", "trainB", "testA", "testB")  # sub-folders: A holds X, B holds Y
MAX_UNPACKED_BYTES = 2 << 30  # of all the images of an archive together
Fixed = Mapping[str, float]


@dataclass(frozen=True)
class Unpaired:
    """Images of two domains X and Y, (N, 3, H, W) float32 in [0, 1], all of one height and width.

    Attributes:
        x, y: for training; no image of one shows what an image of the other shows.
        test_x, test_y: held out for evaluation.
        truth_of_test_x: the ground truth of a translation of `test_x` to Y, pixel by pixel, where
            it is known (drawn sets), else None.
        truth_of_test_y: the same of `test_y` to X.
        masks_of_test_x: (N, 1, H, W) in [0, 1], where the animal of `test_x` or of its ground
            truth is; the rest is background, which a translation should leave as it is. None
            where it is not known.
        masks_of_test_y: the same for `test_y`.
        seeds: of `animals.draw` for x, y, test_x and test_y, so that their scenes can be drawn
            once more with another animal or another factor; None for images that are not drawn.
        domains: what one image of X and one of Y shows.

    Example:
        >>> x, y = torch.rand(4, 3, 8, 8), torch.rand(6, 3, 8, 8)
        >>> Unpaired(x, y, x[:1], y[:1], ("horse", "zebra"))
        Unpaired horse and zebra: 4 + 6 images 3×8×8, 1 + 1 for testing
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    domains: tuple[str, str]
    truth_of_test_x: Tensor | None = None
    truth_of_test_y: Tensor | None = None
    masks_of_test_x: Tensor | None = None
    masks_of_test_y: Tensor | None = None
    seeds: tuple[int, int, int, int] | None = None

    def __repr__(self) -> str:
        """One line that says what there is, as `ImageSet` does."""
        x, y = self.domains
        shape = "×".join(map(str, self.x.shape[1:]))
        return (
            f"Unpaired {x} and {y}: {len(self.x):,} + {len(self.y):,} images {shape}, "
            f"{len(self.test_x):,} + {len(self.test_y):,} for testing"
        )


def unpaired(
    name: str = "horse:zebra",
    size: int | None = None,
    *,
    test_size: int | None = None,
    seed: int = 0,
    fixed: Fixed | tuple[Fixed, Fixed] | None = None,
    resolution: int | None = None,
    device: torch.device | str = "cpu",
    root=None,
) -> Unpaired:
    """Images of two domains without pairs.

    Args:
        name: "horse:zebra", or any other two of `animals.KINDS`, is drawn here, offline (twice the
            same kind gives one domain twice); "horse2zebra" or another downloaded one of
            `registry` is read from `root` and downloaded there first if need be;
            "folders:PATH_X,PATH_Y" reads any two folders of images (see `folder.read_folder`), and
            paths may hold commas themselves: the comma between them is the first one with a folder
            before it and a folder after it.
        size: how many training images of each domain. Default: 4,000 drawn ones; all others.
        test_size: how many test images of each domain. Default: 256 drawn ones, all published
            ones, and of a folder those in its sub-folder "test", or where there are no sub-folders
            "train" and "test", a tenth of it, chosen by `seed`.
        seed: of the drawn sets and of that choice. Below 2**30, x, y, test_x and test_y of every
            seed have scenes of their own; beyond, they begin again, because torch's CPU generator
            looks at 32 bits of a seed.
        fixed: factors that are the same in every image of a drawn set, name -> value; a pair of
            such fixes those of X and of Y. An image and its ground truth have the same.
        resolution: side of the square images in pixels. Default: 32 drawn, 64 otherwise.
        device: where the tensors stay.
        root: where published sets are kept. Default: the environment variable COURSE_DATA, else
            data/downloads of the course folder.

    Raises:
        ValueError: an argument cannot be used, or there are too few images.
        FileNotFoundError: a folder does not exist.
        DownloadError: a published set is neither in `root` nor could be downloaded.

    Example:
        >>> sets = unpaired("horse:zebra", size=8, test_size=4)
        >>> sets.x.shape, sets.test_y.shape, sets.domains
        (torch.Size([8, 3, 32, 32]), torch.Size([4, 3, 32, 32]), ('horse', 'zebra'))
    """
    size, test_size = _positive("size", size), _positive("test_size", test_size)
    resolution = _positive("resolution", resolution)
    seed = whole(seed, "seed", least=0, most=2**60 - 1)
    kinds = tuple(str(name).split(":"))
    if len(kinds) == 2 and set(kinds) <= set(animals.KINDS):
        both = fixed if isinstance(fixed, tuple) else (fixed, fixed)
        if len(both) != 2:
            raise ValueError(f"fixed holds {len(both)} entries; give one for X and one for Y.")
        return _drawn(kinds, size, test_size, seed, both, resolution or 32, device)
    if fixed:
        raise ValueError(f"fixed is for drawn sets; the factors of {name} are not known.")
    resolution = resolution or DEFAULT_RESOLUTION
    if str(name).startswith("folders:"):
        return _from_folders(
            name.removeprefix("folders:"), size, test_size, seed, resolution, device
        )
    published = {each.name: each for each in DATASETS.values() if each.domains and each.archive}
    if name not in published:
        raise ValueError(
            f"There is no dataset {name!r} without pairs; use two kinds of animal, as in "
            f'"horse:zebra" (of {", ".join(animals.KINDS)}), "folders:PATH_X,PATH_Y", or one of '
            f"{', '.join(published)}."
        )
    folder = _published(published[name], Path(root).expanduser() if root else data_folder())
    sizes = (size, size, test_size, test_size)
    sets = [
        read_folder(folder / part, size=wanted, resolution=resolution, device=device).images
        for part, wanted in zip(PARTS, sizes, strict=True)
    ]
    return Unpaired(*sets, domains=published[name].domains)


def _drawn(kinds, size, test_size, seed, fixed, resolution, device) -> Unpaired:
    x, y = kinds
    fixed_x, fixed_y = fixed
    sizes = find("horse:zebra").sizes
    size, test_size = size or sizes["train"], test_size or sizes["test"]
    for name, count in {"size": size, "test_size": test_size}.items():
        drawable(count, seed, 3, resolution, resolution, name=name)
    seeds = tuple(4 * seed + part for part in range(4))
    seed_x, seed_y, seed_test_x, seed_test_y = seeds
    options = {"resolution": resolution, "device": device}

    def images(count: int, kind: str, seed: int, fixed) -> Tensor:
        return animals.draw(count, kind, seed=seed, fixed=fixed, **options).images

    def masks(seed: int, fixed) -> Tensor:
        of_each = (animals.mask(test_size, k, seed=seed, fixed=fixed, **options) for k in kinds)
        return torch.maximum(*of_each)

    return Unpaired(
        x=images(size, x, seed_x, fixed_x),
        y=images(size, y, seed_y, fixed_y),
        test_x=images(test_size, x, seed_test_x, fixed_x),
        test_y=images(test_size, y, seed_test_y, fixed_y),
        domains=kinds,
        truth_of_test_x=images(test_size, y, seed_test_x, fixed_x),
        truth_of_test_y=images(test_size, x, seed_test_y, fixed_y),
        masks_of_test_x=masks(seed_test_x, fixed_x),
        masks_of_test_y=masks(seed_test_y, fixed_y),
        seeds=seeds,
    )


# Two folders


def _from_folders(paths: str, size, test_size, seed, resolution, device) -> Unpaired:
    folders = _two_folders(paths)
    sets = [_read_both(folder, size, test_size, seed, resolution, device) for folder in folders]
    (x, test_x), (y, test_y) = sets
    return Unpaired(x, y, test_x, test_y, tuple(printable(f.resolve().name) for f in folders))


def _two_folders(paths: str) -> tuple[Path, Path]:
    """The folders in "PATH_X,PATH_Y", of which each may hold commas."""
    pieces = paths.split(",")
    if len(pieces) < 2:
        raise ValueError(
            f'"folders:{paths}" names one folder; write two with a comma between them, as in '
            f'"folders:PATH_X,PATH_Y".'
        )
    for position in range(1, len(pieces)):
        sides = (",".join(pieces[:position]), ",".join(pieces[position:]))
        x, y = (os.path.expanduser(side.strip()) for side in sides)
        if os.path.isdir(x) and os.path.isdir(y):
            return Path(x), Path(y)
    raise FileNotFoundError(
        f'"folders:{paths}" does not name two folders that are there; write both paths with a '
        f"comma between them, whole or as seen from {Path.cwd()}."
    )


def _read_both(folder: Path, size, test_size, seed, resolution, device) -> tuple[Tensor, Tensor]:
    """The training and the test images of one folder."""
    options = {"resolution": resolution, "device": device}
    if has_splits(folder):
        return (
            read_folder(folder, "train", size, **options).images,
            read_folder(folder, "test", test_size, **options).images,
        )
    # A tenth, rounded up, of so many images leaves at least `size`.
    wanted = None if size is None else size + (test_size or -(-size // 9))
    images = read_folder(folder, size=wanted, **options).images
    held_out = test_size or -(-len(images) // 10)
    if len(images) <= held_out:
        raise ValueError(
            f"{folder} has {len(images):,} readable images, and {held_out:,} of them for testing "
            f"leave none to train on; add images or lower test_size."
        )
    # By chance, because the order of a folder may follow its names or its classes.
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    order = order.to(images.device)
    return images[order[held_out:][:size]], images[order[:held_out]]


# The published sets


def _published(dataset: Dataset, root: Path) -> Path:
    """The folder of a published set with all of `PARTS`, downloaded and unpacked if need be."""
    folder, source = root / dataset.folder, dataset.archive
    if all((folder / part).is_dir() for part in PARTS):
        return folder
    archive = fetch(
        source.urls,
        root / source.file,
        source.checksum,
        instead=(
            f'use "horse:zebra", which needs no files, or put {source.file} or the folder '
            f"{dataset.folder} with {', '.join(PARTS)} into {root} yourself, or set COURSE_DATA to "
            f"a folder that has it"
        ),
        limit=dataset.download_bytes,
    )
    _unpack(archive, folder)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the images of an archive into the `PARTS` of `folder`, each whole or not at all.

    Of a member's name only the part and the last piece count, so that an archive cannot place a
    file anywhere else, and only names of images are taken.

    Raises: ValueError where the archive lacks a part, or holds more than MAX_UNPACKED_BYTES.
    """
    remove_parts(folder)
    with (
        zipfile.ZipFile(archive) as packed,
        tempfile.TemporaryDirectory(".part", f".{folder.name}.", archive.parent) as temporary,
    ):
        images = [member for member in packed.infolist() if _is_image(member.filename)]
        parts = {PurePosixPath(member.filename).parent.name for member in images}
        if lacking := [part for part in PARTS if part not in parts]:
            raise ValueError(f"{archive} lacks images of {', '.join(lacking)}; delete it.")
        # zipfile never gives more of a member than its header promises.
        if sum(member.file_size for member in images) > MAX_UNPACKED_BYTES:
            raise ValueError(
                f"{archive} holds more than the {MAX_UNPACKED_BYTES >> 30} GiB allowed; delete it."
            )
        for part in PARTS:
            Path(temporary, part).mkdir()
        for member in images:
            name = PurePosixPath(member.filename)
            target = Path(temporary, name.parent.name, name.name)
            with packed.open(member) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file, CHUNK_BYTES)
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            try:
                os.replace(Path(temporary, part), folder / part)
            except OSError:
                if not (folder / part).is_dir():  # else it was there, or another process was first
                    raise


def _is_image(member: str) -> bool:
    """Whether a member of an archive is an image that lies in one of `PARTS`."""
    path = PurePosixPath(member)
    hidden = path.name.startswith(".")
    return path.parent.name in PARTS and path.suffix.lower() in SUFFIXES and not hidden
