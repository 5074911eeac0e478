"""Two sets of images without pairs, for translation from one to the other and back."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from ..session.lab import data_folder
from . import _positive, animals
from .download import CHUNK_BYTES, fetch
from .folder import DEFAULT_RESOLUTION, SUFFIXES, read_folder

__all__ = ["PUBLISHED", "Unpaired", "unpaired"]

# The archives of Zhu et al. 2017: the authors' address now and before. The hashes and lengths are
# those that TensorFlow Datasets publishes for the same archives (url_checksums/cycle_gan.txt).
ADDRESSES = (
    "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
    "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/",
)


@dataclass(frozen=True)
class _Archive:
    names: tuple[str, str]
    bytes: int
    sha256: str


PUBLISHED = {
    "horse2zebra": _Archive(
        ("horse", "zebra"),
        116_867_962,
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    "apple2orange": _Archive(
        ("apple", "orange"),
        78_456_409,
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    "summer2winter_yosemite": _Archive(
        ("summer", "winter"),
        132_640_856,
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    "monet2photo": _Archive(
        ("Monet", "photograph"),
        305_231_073,
        "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
}
PARTS = ("trainA", "trainB", "testA", "testB")  # sub-folders: A holds X, B holds Y
MAX_UNPACKED_BYTES = 2 << 30  # of all the images of an archive together
DRAWN_SIZE, DRAWN_TEST_SIZE = 4_000, 256


@dataclass(frozen=True)
class Unpaired:
    """Images of X and of Y, (N, 3, H, W) float32 in [0, 1] each, all of one height and width.

    Attributes:
        x, y: for training; no image of one shows what an image of the other shows.
        test_x, test_y: for measuring, all of them new.
        partners_of_test_x: what `test_x` should become in Y, pixel by pixel, where that is known
            (drawn sets), else None.
        partners_of_test_y: the same of `test_y` in X.
        masks_of_test_x: (N, 1, H, W) in [0, 1], where the animal of `test_x` or its partner is;
            the rest is background, which a translation should leave as it is. None where it is
            not known.
        masks_of_test_y: the same for `test_y`.
        names: what one image of X and one of Y shows.
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    partners_of_test_x: Tensor | None
    partners_of_test_y: Tensor | None
    names: tuple[str, str]
    masks_of_test_x: Tensor | None = None
    masks_of_test_y: Tensor | None = None


def unpaired(
    name: str = "horse:zebra",
    size: int | None = None,
    *,
    test_size: int | None = None,
    seed: int = 0,
    resolution: int | None = None,
    device: torch.device | str = "cpu",
    root=None,
) -> Unpaired:
    """Two sets of images without pairs.

    Args:
        name: "horse:zebra", or any other two of `animals.KINDS`, is drawn here, offline;
            "horse2zebra" or another name of `PUBLISHED` is read from `root` and downloaded there
            first if need be; "folders:PATH_X,PATH_Y" reads any two folders of images (see
            `folder.read_folder`), and paths may hold commas themselves: the comma between them is
            the first one with a folder before it and a folder after it.
        size: how many training images of each set. Default: 4,000 drawn ones; all others.
        test_size: how many test images of each set. Default: 256 drawn ones, all published ones,
            and of a folder those in its sub-folder "test", or where there are no sub-folders
            "train" and "test", a tenth of it, chosen by `seed`.
        seed: of the drawn sets (every set and every seed has scenes of its own) and of that choice.
        resolution: side of the square images in pixels. Default: 32 drawn, 64 otherwise.
        device: where the tensors stay.
        root: where published sets are kept. Default: the environment variable COURSE_DATA, else
            data/downloads of the course folder.

    Raises:
        ValueError: an argument cannot be used, or there are too few images.
        FileNotFoundError: a folder does not exist.
        DownloadError: a published set is neither in `root` nor could be downloaded.
    """
    size, test_size = _positive("size", size), _positive("test_size", test_size)
    resolution = _positive("resolution", resolution)
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= seed < 2**30:
        raise ValueError(f"seed is {seed!r}; use a whole number from 0 to {2**30 - 1}.")
    kinds = tuple(str(name).split(":"))
    if len(kinds) == 2 and set(kinds) <= set(animals.KINDS):
        return _drawn(kinds, size, test_size, seed, resolution or 32, device)
    resolution = resolution or DEFAULT_RESOLUTION
    if str(name).startswith("folders:"):
        return _from_folders(
            name.removeprefix("folders:"), size, test_size, seed, resolution, device
        )
    if name not in PUBLISHED:
        raise ValueError(
            f'There are no sets {name!r}; use two different kinds, as in "horse:zebra" (of '
            f'{", ".join(animals.KINDS)}), "folders:PATH_X,PATH_Y", or one of '
            f"{', '.join(PUBLISHED)}."
        )
    folder = _published(name, Path(root).expanduser() if root else data_folder())
    sizes = (size, size, test_size, test_size)
    sets = [
        read_folder(folder / part, size=wanted, resolution=resolution, device=device).images
        for part, wanted in zip(PARTS, sizes, strict=True)
    ]
    return Unpaired(*sets, None, None, names=PUBLISHED[name].names)


def _drawn(kinds, size, test_size, seed, resolution, device) -> Unpaired:
    if kinds[0] == kinds[1]:
        raise ValueError(f"Both sets are of the kind {kinds[0]!r}; choose two different kinds.")
    size, test_size = size or DRAWN_SIZE, test_size or DRAWN_TEST_SIZE
    x, y = kinds

    def images(kind: str, which: int, count: int) -> Tensor:
        return animals.draw(
            count, kind, seed=4 * seed + which, resolution=resolution, device=device
        ).images

    def masks(which: int) -> Tensor:
        options = {"seed": 4 * seed + which, "resolution": resolution, "device": device}
        return torch.maximum(*(animals.mask(test_size, kind, **options) for kind in kinds))

    return Unpaired(
        x=images(x, 0, size),
        y=images(y, 1, size),
        test_x=images(x, 2, test_size),
        test_y=images(y, 3, test_size),
        partners_of_test_x=images(y, 2, test_size),
        partners_of_test_y=images(x, 3, test_size),
        names=kinds,
        masks_of_test_x=masks(2),
        masks_of_test_y=masks(3),
    )


# Two folders


def _from_folders(paths: str, size, test_size, seed, resolution, device) -> Unpaired:
    folders = _two_folders(paths)
    sets = [_read_both(folder, size, test_size, seed, resolution, device) for folder in folders]
    (x, test_x), (y, test_y) = sets
    names = tuple(folder.resolve().name for folder in folders)
    return Unpaired(x, y, test_x, test_y, None, None, names=names)


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
        x, y = (Path(side.strip()).expanduser() for side in sides)
        if all(side.strip() for side in sides) and x.is_dir() and y.is_dir():
            return x, y
    raise FileNotFoundError(
        f'"folders:{paths}" does not name two folders that are there; write both paths with a '
        f"comma between them, whole or as seen from {Path.cwd()}."
    )


def _read_both(folder: Path, size, test_size, seed, resolution, device) -> tuple[Tensor, Tensor]:
    """The training and the test images of one folder."""
    options = {"resolution": resolution, "device": device}
    if all((folder / split).is_dir() for split in ("train", "test")):
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


def _published(name: str, root: Path) -> Path:
    """The folder of a published set with all of `PARTS`, downloaded and unpacked if need be."""
    folder = root / name
    if all((folder / part).is_dir() for part in PARTS):
        return folder
    published, file = PUBLISHED[name], f"{name}.zip"
    archive = fetch(
        [address + file for address in ADDRESSES],
        root / file,
        f"sha256:{published.sha256}",
        instead=(
            f'use "horse:zebra", which needs no files, or put {file} or the folder {name} with '
            f"{', '.join(PARTS)} into {root} yourself, or set COURSE_DATA to a folder that has it"
        ),
        limit=published.bytes,
    )
    _unpack(archive, folder)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the images of an archive into the `PARTS` of `folder`, each whole or not at all.

    Of a member's name only the part and the last piece count, so that an archive cannot place a
    file anywhere else, and only names of images are taken.

    Raises: ValueError where the archive lacks a part, or holds more than MAX_UNPACKED_BYTES.
    """
    with (
        zipfile.ZipFile(archive) as packed,
        tempfile.TemporaryDirectory(dir=archive.parent, prefix=f".{folder.name}.") as temporary,
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
