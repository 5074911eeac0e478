"""`python -m course_utils doctor`: is everything here, and what to do about what is not."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from .data.registry import Dataset

ROOT = Path(__file__).resolve().parents[1]
INSTALL = "run `make lab`, or `pip install -r requirements.txt`"
IMPORT_NAMES = {"pillow": "PIL", "scikit-learn": "sklearn", "scikit-image": "skimage"}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` is empty where nothing need be done."""

    subject: str
    state: str
    remedy: str = ""

    def __str__(self) -> str:
        mark, remedy = ("--", f"; {self.remedy}") if self.remedy else ("ok", "")
        return f"  {mark}  {self.subject:<22} {self.state}{remedy}"


def doctor() -> int:
    """Print the report. Returns 0 where the default course can run, 1 otherwise."""
    installed = list(packages(ROOT / "requirements.txt"))
    _print_part("Installed", installed)
    missing = [finding for finding in installed if finding.remedy]
    if missing:
        print(f"\n{len(missing)} to mend before the notebooks can run: {missing[0].remedy}.")
        return 1

    from .session.lab import data_folder, runs_folder

    there = device()
    _print_part("Device", [there])
    if there.remedy:
        return 1
    places = [folder("COURSE_RUNS", runs_folder()), folder("COURSE_DATA", data_folder())]
    _print_part("Folders", places)
    _print_part("Data", data(data_folder()))
    _print_part("Weights", [*weights(ROOT / "data" / "weights"), imagenet_weights()])
    if unusable := [place for place in places if place.remedy]:
        print(f"\n{len(unusable)} to mend before you begin: {unusable[0].remedy}.")
        return 1
    print("\nReady: every notebook runs here with its default data.")
    return 0


def packages(requirements: Path) -> Iterator[Finding]:
    """One finding a package that the requirement file names: there, in range, importable."""
    if not requirements.exists():
        yield Finding("requirements", f"not at {requirements}", "run this from a clone")
        return
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:  # nearly everything else needs it, so nothing is installed
        yield Finding("packages", "none installed", INSTALL)
        return
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#-":
            requirement = Requirement(line)
            yield _package(requirement.name, requirement.specifier)


def device() -> Finding:
    """The device that the notebooks choose, its precision, and the number of processor cores.

    Example:
        >>> str(device()).split()[0]  # then the device, the precision and the cores
        'ok'
    """
    from .session.lab import choose_device, choose_precision

    try:
        chosen = choose_device()
    except ValueError as error:  # COURSE_DEVICE names one that is not here
        return Finding("device", str(error).rstrip("."), "unset COURSE_DEVICE")
    return Finding(str(chosen), f"{choose_precision(chosen)}, {os.cpu_count()} processor cores")


def folder(variable: str, chosen: Path) -> Finding:
    """Whether files can be written into a folder; it is tried.

    Args:
        variable: what chooses it, COURSE_RUNS or COURSE_DATA. A folder of data that lacks nothing
            may be read-only.

    Example:
        >>> folder("COURSE_RUNS", Path(os.devnull, "runs")).remedy[:15]
        'set COURSE_RUNS'
    """
    from .session.files import obstacle, way_out

    name = "checkpoints" if variable == "COURSE_RUNS" else "downloads"
    trouble = obstacle(chosen)
    if trouble and not (variable == "COURSE_DATA" and _complete(chosen)):
        return Finding(name, f"{chosen} cannot be written ({trouble})", way_out(variable))
    return Finding(name, f"in {chosen}")


def data(folder: Path) -> Iterator[Finding]:
    """What there is of each dataset. None is required: lessons draw their own by default."""
    from .data import registry

    for dataset in registry.DATASETS.values():
        if dataset.how == registry.DRAWN:
            yield Finding(dataset.name, "drawn by the course itself, no files needed")
        elif dataset.how == registry.PACKAGE:
            yield Finding(dataset.name, f"in {dataset.source}, no files needed")
        elif dataset.how == registry.DOWNLOADED:
            yield _downloaded(dataset, folder)


def weights(folder: Path) -> Iterator[Finding]:
    """Which trained weights ship, each with its card. None is required: notebooks train anew.

    Args:
        folder: where they lie.

    Example:
        >>> [finding.state for finding in weights(Path("nowhere"))]
        ['none in nowhere']
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        remedy = "train with `python -m course_utils run 03 --budget full --publish`"
        yield Finding("weights", f"none in {folder}", remedy)
    for file in files:
        yield _weights_file(file)


def imagenet_weights() -> Finding:
    """Whether the optional package with the weights of an ImageNet network is there, and whole.

    Example:
        >>> imagenet_weights().subject
        'efficientnet_lite0'
    """
    from .shipped import imagenet
    from .shipped.cards import Refused

    subject = "efficientnet_lite0"
    try:
        size = len(imagenet.weights_bytes())
    except imagenet.NotInstalled:
        return Finding(subject, "not installed, optional", f"`{imagenet.INSTALL}` brings it")
    except Refused:
        return Finding(subject, "its file is damaged", f"`{imagenet.REINSTALL}` brings it again")
    return Finding(subject, f"{size / 1e6:.2f} MB, in {imagenet.PACKAGE}")


def _print_part(title: str, findings: Iterable[Finding]) -> None:
    print(title, *findings, sep="\n", flush=True)


def _complete(folder: Path) -> bool:
    from .data.registry import DATASETS, DOWNLOADED

    return not any(each.missing(folder) for each in DATASETS.values() if each.how == DOWNLOADED)


def _downloaded(dataset: Dataset, root: Path) -> Finding:
    missing, folder = dataset.missing(root), root / dataset.folder
    if not missing:
        return Finding(dataset.name, f"in {folder if folder.is_dir() else root}")
    partly = len(missing) < sum(map(len, dataset.files.values()))
    state = f"{folder} lacks {', '.join(missing)}" if partly else f"not in {root}"
    remedy = f"{dataset.call} downloads it, or set COURSE_DATA to where you have it"
    return Finding(dataset.name, state, remedy)


def _package(name: str, versions: SpecifierSet) -> Finding:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "missing", INSTALL)
    if not versions.contains(version, prereleases=True):
        return Finding(name, f"{version}, not {versions}", INSTALL)
    try:
        importlib.import_module(IMPORT_NAMES.get(name, name))
    except Exception as error:  # a broken binary may raise anything, and all of it is an answer
        reason = re.sub(r"\s+", " ", str(error))[:80]
        return Finding(name, f"{version} is there but does not import ({reason})", INSTALL)
    return Finding(name, version)


def _weights_file(file: Path) -> Finding:
    from .shipped.cards import Refused, read_json

    try:
        content = file.read_bytes()
    except OSError as error:
        return Finding(file.stem, f"cannot be read ({error.strerror})", "look at its permissions")
    state = f"{len(content) / 1e6:.2f} MB"
    restore = "restore it with `git checkout data/weights`"
    card_file = file.with_suffix(".json")
    if not card_file.is_file():
        return Finding(file.stem, f"{state}, without its card {file.stem}.json", restore)
    try:
        card = read_json(card_file, "sha256")
    except Refused:
        return Finding(file.stem, f"{state}, but its card is damaged", restore)
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        return Finding(file.stem, f"{state}, but its checksum differs from its card", restore)
    return Finding(file.stem, state)
