"""Every dataset of the course, described in one place.

`data.load`, `unpaired`, `doctor` and the tables in data/README.md read what is registered here, and
`python -m course_utils.data.registry` prints those tables. To add a dataset, write its loader and
call `register`, below or in a module of your own.
"""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DATASETS", "Archive", "Dataset", "find", "register", "table"]

DRAWN, DOWNLOADED, PACKAGE, FOLDER = "drawn", "downloaded", "in a package", "your own files"


@dataclass(frozen=True)
class Archive:
    """A file to download: its name, its checksum as `download.fetch` takes it, and addresses."""

    file: str
    checksum: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset before it is loaded.

    Attributes:
        name: what `data.load` or `unpaired` is given; capitals stand for what the reader puts in.
        shows: what an image shows, and what else is known of it.
        how: DRAWN here, DOWNLOADED, read from a PACKAGE or from a FOLDER of the reader's own.
        source, terms: who made it, and under which licence or on what condition it may be used.
        loader: "module.function" of `course_utils.data`, imported when it is used, or a function.
            It is called, and returns an `ImageSet`,
                if DRAWN     as loader(size, seed=, fixed=, device=),
                if FOLDER    as loader(path, split, size, device=),
                otherwise    as loader(dataset, split, size, root=, device=),
            and with resolution= where `resizes`. A dataset without pairs is loaded by `unpaired`.
        shape: (C, H, W) of an image, where it is given; None where the files decide.
        sizes: split -> how many images: of DRAWN ones the default. Without pairs, two numbers.
        resizes: whether the reader can choose the resolution.
        classes: the name of each label.
        domains: of a dataset without pairs, what an image of X and one of Y shows.
        folder: where it lies below the data folder.
        files: split -> names of its files (or folders) in `folder`.
        checksums: name of a file -> "sha256:...", where it is known.
        download_bytes, disk_bytes: the size of the download, and of all that lies on disk then.
        archive: what to download, unless torchvision knows it.
    """

    name: str
    shows: str
    how: str
    source: str
    terms: str
    loader: str | Callable
    shape: tuple[int, int, int] | None = None
    sizes: Mapping[str, int | tuple[int, int]] = field(default_factory=dict)
    resizes: bool = False
    classes: tuple[str, ...] = ()
    domains: tuple[str, str] | None = None
    folder: str = ""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    download_bytes: int = 0
    disk_bytes: int = 0
    archive: Archive | None = None

    @property
    def call(self) -> str:
        """How it is loaded."""
        return f'unpaired("{self.name}")' if self.domains else f'data.load("{self.name}")'

    def load(self, *arguments, **options):
        """Import the loader and call it."""
        if callable(self.loader):
            return self.loader(*arguments, **options)
        module, function = self.loader.split(".")
        module = importlib.import_module(f"{__package__}.{module}")
        return getattr(module, function)(*arguments, **options)

    def missing(self, root: Path) -> list[str]:
        """The names of its files that are not below the data folder `root`, packed or unpacked."""
        if self.archive and os.path.isfile(root / self.archive.file):
            return []
        folder = root / self.folder
        names = sum(self.files.values(), ())
        # os.path, because a folder that may not be looked into is an answer, too.
        there = os.path.exists
        return [n for n in names if not (there(folder / n) or there(folder / f"{n}.gz"))]


DATASETS: dict[str, Dataset] = {}


def register(dataset: Dataset) -> None:
    """Let `dataset` be found by its name. Raises: ValueError where the name is taken."""
    if dataset.name in DATASETS:
        raise ValueError(f"There is a dataset {dataset.name!r} already; choose another name.")
    DATASETS[dataset.name] = dataset


def find(name: str) -> Dataset:
    """The dataset of that name, or of that kind where the name holds a path ("folder:PATH").

    Raises: ValueError, which lists the names that `data.load` takes.
    """
    if str(name) in DATASETS:
        return DATASETS[str(name)]
    kind, colon, _ = str(name).partition(":")
    for dataset in DATASETS.values():
        if colon and dataset.how == FOLDER and dataset.name.startswith(f"{kind}:"):
            return dataset
    names = [dataset.name for dataset in DATASETS.values() if not dataset.domains]
    near = difflib.get_close_matches(str(name).lower(), DATASETS, 1)
    meant = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(f"There is no dataset {name!r}{meant}; choose one of {', '.join(names)}.")


# The tables of data/README.md


def table(*, without_pairs: bool) -> str:
    """The datasets that `unpaired` loads, or those that `data.load` does, as a markdown table."""
    columns = (
        "name",
        "an image shows",
        "images (train / test)",
        "source and terms",
        "download, on disk",
    )
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for dataset in DATASETS.values():
        if bool(dataset.domains) == without_pairs:
            cells = f"`{dataset.name}`", dataset.shows, _images(dataset), _source(dataset)
            rows.append(f"| {' | '.join((*cells, _download(dataset)))} |")
    return "\n".join(rows)


def _images(dataset: Dataset) -> str:
    sizes = " / ".join(
        " + ".join(f"{size:,}" for size in (count if isinstance(count, tuple) else (count,)))
        for count in dataset.sizes.values()
        if count
    )
    if dataset.how == DRAWN:
        sizes = f"any number (default {sizes})"
    shape = " × ".join(map(str, dataset.shape)) if dataset.shape else "any size"
    return f"{sizes or 'all there are'}, {shape}"


def _source(dataset: Dataset) -> str:
    return f"{dataset.source}; {dataset.terms}" if dataset.terms else dataset.source


def _download(dataset: Dataset) -> str:
    if dataset.how != DOWNLOADED:
        return f"none: {dataset.how}"
    sizes = (dataset.download_bytes, dataset.disk_bytes)
    return ", ".join(f"{size / 1e6:.0f} MB" for size in sizes if size)


# The datasets

IDX_FILES = {
    split: (f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte")
    for split, stem in (("train", "train"), ("test", "t10k"))
}
THIS_COURSE = "drawn by this package"

register(
    Dataset(
        name="handwriting",
        shows="a digit; all true factors",
        how=DRAWN,
        source=THIS_COURSE,
        terms="MIT",
        loader="handwriting.draw",
        shape=(1, 28, 28),
        sizes={"train": 60_000, "test": 10_000},
    )
)
register(
    Dataset(
        name="faces",
        shows="a cartoon face; all true factors, a caption",
        how=DRAWN,
        source=THIS_COURSE,
        terms="MIT",
        loader="faces.draw",
        shape=(3, 32, 32),
        sizes={"train": 20_000, "test": 4_000},
        resizes=True,
    )
)
register(
    Dataset(
        name="mnist",
        shows="a handwritten digit",
        how=DOWNLOADED,
        source="LeCun, Cortes and Burges",
        terms="CC BY-SA 3.0",
        loader="real.read_idx_dataset",
        shape=(1, 28, 28),
        sizes={"train": 60_000, "test": 10_000},
        classes=tuple("0123456789"),
        folder="MNIST/raw",
        files=IDX_FILES,
        checksums={
            "train-images-idx3-ubyte": (
                "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte": (
                "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            "t10k-images-idx3-ubyte": (
                "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte": (
                "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        },
        download_bytes=11_594_722,
        disk_bytes=66_544_770,
    )
)
register(
    Dataset(
        name="fashion_mnist",
        shows="an article of clothing",
        how=DOWNLOADED,
        source="Xiao, Rasul and Vollgraf 2017 (Zalando)",
        terms="MIT",
        loader="real.read_idx_dataset",
        shape=(1, 28, 28),
        sizes={"train": 60_000, "test": 10_000},
        classes=(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
            "Bag", "Ankle boot",
        ),
        folder="FashionMNIST/raw",
        files=IDX_FILES,
        download_bytes=30_878_645,
        disk_bytes=85_828_693,
    )
)  # fmt: skip
register(
    Dataset(
        name="cifar10",
        shows="an animal or a vehicle",
        how=DOWNLOADED,
        source="Krizhevsky 2009",
        terms="no licence stated, cite the report",
        loader="real.read_cifar10",
        shape=(3, 32, 32),
        sizes={"train": 50_000, "test": 10_000},
        classes=(
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
            "truck",
        ),
        folder="cifar-10-batches-bin",
        files={
            "train": tuple(f"data_batch_{batch}.bin" for batch in range(1, 6)),
            "test": ("test_batch.bin",),
        },
        download_bytes=170_052_171,
        disk_bytes=354_432_171,
        # The binary version: torchvision reads the Python version, which has to be unpickled.
        archive=Archive(
            "cifar-10-binary.tar.gz",
            "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            (
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",
            ),
        ),
    )
)  # fmt: skip
register(
    Dataset(
        name="photographs",
        shows="one of the photographs listed below",
        how=PACKAGE,
        source="scikit-image, scikit-learn",
        terms="free, see below",
        loader="real.read_photographs",
        shape=(3, 256, 256),
        sizes={"train": 6, "test": 0},
        resizes=True,
    )
)
register(
    Dataset(
        name="folder:PATH",
        shows="your own PNG, JPEG, WebP, BMP or GIF file",
        how=FOLDER,
        source="you",
        terms="yours",
        loader="folder.read_folder",
        resizes=True,
    )
)
register(
    Dataset(
        name="horse:zebra",
        shows="a cartoon animal: any two of the kinds above; ground truth, masks, no shared scene",
        how=DRAWN,
        source=THIS_COURSE,
        terms="MIT",
        loader="unpaired.unpaired",
        shape=(3, 32, 32),
        sizes={"train": 4_000, "test": 256},
        resizes=True,
        domains=("horse", "zebra"),
    )
)
register(
    Dataset(
        name="folders:PATH_X,PATH_Y",
        shows="your own files of two folders; a path may hold commas",
        how=FOLDER,
        source="you",
        terms="yours",
        loader="unpaired.unpaired",
        resizes=True,
        domains=("PATH_X", "PATH_Y"),
    )
)


def _register_published(name, domains, train, test, photographs, download_bytes, sha256) -> None:
    """One of the datasets of Zhu et al. 2017.

    The hashes, lengths and numbers of images are those that TensorFlow Datasets publishes for the
    same archives (url_checksums/cycle_gan.txt and its catalogue); the addresses are the authors'
    now and before.
    """
    addresses = (
        "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
        "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/",
    )
    file = f"{name}.zip"
    register(
        Dataset(
            name=name,
            shows=f"{domains[0]} in X, {domains[1]} in Y",
            how=DOWNLOADED,
            source=photographs,
            terms="Zhu et al. 2017, who ask to be cited",
            loader="unpaired.unpaired",
            shape=(3, 256, 256),
            sizes={"train": train, "test": test},
            resizes=True,
            domains=domains,
            folder=name,
            files={"train": ("trainA", "trainB"), "test": ("testA", "testB")},
            download_bytes=download_bytes,
            archive=Archive(file, f"sha256:{sha256}", tuple(a + file for a in addresses)),
        )
    )


_register_published(
    "horse2zebra", ("horse", "zebra"), (1_067, 1_334), (120, 140),
    "photographs from ImageNet", 116_867_962,
    "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
)  # fmt: skip
_register_published(
    "apple2orange", ("apple", "orange"), (995, 1_019), (266, 248),
    "photographs from ImageNet", 78_456_409,
    "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
)  # fmt: skip
_register_published(
    "summer2winter_yosemite", ("summer", "winter"), (1_231, 962), (309, 238),
    "photographs from Flickr", 132_640_856,
    "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
)  # fmt: skip
_register_published(
    "monet2photo", ("Monet", "photograph"), (1_072, 6_287), (121, 751),
    "paintings from WikiArt, photographs from Flickr", 305_231_073,
    "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
)  # fmt: skip


if __name__ == "__main__":
    print(table(without_pairs=False), table(without_pairs=True), sep="\n\n")
