"""Which images of a folder are of which split, and of which class."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..session.text import printable, some
from .image_files import SUFFIXES
from .image_tree import DEAD, NO_FILE, NO_SUFFIX, PACKED, TWICE, UNREAD, Tree, scan

SPLIT_WORDS = {
    "train": ("train", "training", "trainset", "trainval", "trn"),
    "test": ("test", "testing", "testset"),
    "val": ("val", "valid", "validation", "validating", "dev"),
}
# They say nothing in the name of a split: train and test_images are two splits.
NEUTRAL_WORDS = {"set", "data", "dataset", "split", "images", "imgs", "img", "pictures", "photos"}


@dataclass
class Found:
    """The images of one split.

    Attributes:
        folder: where they lie.
        files: their paths, in the order of the set.
        labels: the class of each, or None.
        classes: the names of the classes.
        notes: sentences without a full stop about everything that is not as it seems.
    """

    folder: Path
    files: list[Path]
    labels: list[int] | None
    classes: tuple[str, ...]
    notes: list[str]


def find_images(folder: Path, split: str) -> Found:
    """The images of a split of `folder`, and their classes; `read_folder` says by which rules.

    Raises:
        ValueError: there are none, or it cannot be told which they are.
    """
    notes: list[str] = []
    tree, train, whole = _chosen(scan(folder), split, notes)
    if not tree.count:
        raise ValueError(
            f"{printable(tree.path)} holds no images that can be read{_what_is_left(whole)}; put "
            f"some there ({', '.join(SUFFIXES)}) or check the path."
        )
    classes = _classes(tree) if train is None else _classes_of_train(tree, train, notes)
    notes += _oddities(tree) + _unread(whole)
    if not classes or tree.images:
        return Found(tree.path, tree.files(), None, (), notes)
    # The classes take turns, so that the first images of the set are balanced.
    turns = [
        (turn, label, file)
        for label, name in enumerate(classes)
        for turn, file in enumerate(_files_of(tree, name))
    ]
    turns.sort(key=lambda each: each[:2])
    labels, files = [label for _, label, _ in turns], [file for _, _, file in turns]
    return Found(tree.path, files, labels, classes, notes)


def has_splits(folder: Path) -> bool:
    """Whether `folder` has sub-folders for training and for testing."""
    return bool(_splits(_inner(scan(folder), [])))


# Which split


def _inner(tree: Tree, notes: list[str], known: tuple[str, ...] = ()) -> Tree:
    """The folder where it begins: below those that hold nothing but one folder with images.

    Args:
        notes: is told what else lies there.
        known: the classes of train, where these are images of another split: a folder of images
            is a class then, even if it is alone.
    """
    while not (tree.images or _splits(tree)):
        full = [folder for folder in tree.folders if folder.count]
        if len(full) != 1 or full[0].name in known:
            break
        if known and full[0].images and full[0].name != tree.name:  # test/test is no class
            break
        notes += _empty(tree, f", so {full[0].name} is the whole set and no class")
        tree = full[0]
    return tree


def _splits(tree: Tree) -> dict[str, Tree]:
    """The folder of each split: "train", and "test" or "val" or both; empty if there are none.

    Names count in any case and with the usual endings, as in Train and Validation, or in
    training_set and test_images. What else is in them must be the same: seg_train and seg_test are
    splits, but "train station" and "test tube" are two classes.
    """
    groups: dict[tuple, dict[str, list[Tree]]] = {}
    for folder in tree.folders:
        words = [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", folder.name)]
        kinds = [(kind, word) for kind, of in SPLIT_WORDS.items() for word in of if word in words]
        if len(kinds) == 1:
            kind, word = kinds[0]
            rest = tuple(other for other in words if other not in {word, *NEUTRAL_WORDS})
            groups.setdefault(rest, {}).setdefault(kind, []).append(folder)
    groups = {rest: of for rest, of in groups.items() if "train" in of and len(of) > 1}
    for kind in SPLIT_WORDS:
        same = [folder for group in groups.values() for folder in group.get(kind, ())]
        if len(same) > 1:
            raise ValueError(
                f"{printable(tree.path)} has {len(same)} folders for one split, "
                f"{some(folder.name for folder in same)}; keep one, or name the folder of the "
                f"images themselves."
            )
    return {kind: folders[0] for group in groups.values() for kind, folders in group.items()}


def _chosen(whole: Tree, split: str, notes: list[str]) -> tuple[Tree, Tree | None, Tree]:
    """Where the images of a split begin, where those of train do, and all that was looked at.

    The second is None unless "train" has to number the classes of another split.
    """
    tree = _inner(whole, notes)
    splits = _splits(tree)
    if not splits and split == "test":
        raise ValueError(
            f'{printable(tree.path)} has no sub-folders "train" and "test"; put the images to test '
            f"on into {printable(tree.path / 'test')} and the others into "
            f"{printable(tree.path / 'train')}."
        )
    if not splits:
        return tree, None, whole
    if "test" not in splits:
        splits["test"] = splits.pop("val")
        if split == "test":
            notes.append(f"there is no test, so {splits['test'].name} serves as the test split")
    used = [splits["train"], splits["test"]]
    others = [folder for folder in tree.folders if folder.count and folder not in used]
    beside = [f"{folder.name} ({folder.count:,} images)" for folder in others]
    beside += [f"{len(tree.images):,} images"] if tree.images else []
    if beside:
        notes.append(f"not read, beside {used[0].name} and {used[1].name}: {some(beside)}")
    if split == "train":
        return _inner(splits["train"], notes), None, splits["train"]
    train = _inner(splits["train"], [])
    return _inner(splits["test"], notes, known=_classes(train)), train, splits["test"]


# Which class


def _classes(tree: Tree) -> tuple[str, ...]:
    """The names of the folders with images, if there are two or more and every image is in one."""
    names = tuple(dict.fromkeys(folder.name for folder in tree.folders if folder.count))
    return () if tree.images or len(names) < 2 else names


def _classes_of_train(tree: Tree, train: Tree, notes: list[str]) -> tuple[str, ...]:
    """The classes of "train", in its order, for the images of another split.

    Raises: ValueError where the split has a class that "train" has not.
    """
    classes = _classes(train)
    own = [folder.name for folder in tree.folders if folder.count]
    unknown = [name for name in own if name not in classes]
    if classes and not own:
        notes.append(f"no labels, because no image lies in a folder of the classes {some(classes)}")
    elif classes and unknown and not tree.images:
        alike = {name.casefold(): name for name in classes}
        near = difflib.get_close_matches(unknown[0].casefold(), alike, 1, 0.85)
        raise ValueError(
            f"{printable(tree.path)} has the class {unknown[0]!r}, which {printable(train.path)} "
            f"has not; its classes are {some(classes)}, so "
            + (
                f"rename it {alike[near[0]]!r} if that is meant"
                if near
                else "put images of it there"
            )
            + ", or move it away."
        )
    elif not classes and len(own) > 1:
        notes.append(f"no labels, because {printable(train.path)} has no classes")
    return classes


def _files_of(tree: Tree, name: str) -> list[Path]:
    return [file for folder in tree.folders if folder.name == name for file in folder.files()]


# What is not as it seems


def _oddities(tree: Tree) -> list[str]:
    """Sentences without a full stop on what is left out below a folder, and on its classes."""
    full = [folder for folder in tree.folders if folder.count]
    notes = _empty(tree, "") if full else []
    if tree.images and full:
        notes.append(
            f"no labels, because {len(tree.images):,} of the images lie beside the folders "
            f"{some(folder.name for folder in full)}; move them into one to have these as classes"
        )
    split = [folder for folder in full if _splits(folder)]
    if split:
        notes.append(
            f"{some(folder.name for folder in split)} have folders for splits in them, which are "
            f"read together; put train and test above the classes to keep them apart"
        )
    twins = Counter(folder.name.casefold() for folder in full)
    if twins := [folder.name for folder in full if twins[folder.name.casefold()] > 1]:
        notes.append(
            f"{some(twins)} differ in capitals alone, or in how their letters are stored, which "
            f"other systems do not tell apart"
        )
    return notes


def _unread(whole: Tree) -> list[str]:
    """At most one sentence on files that may be images and are not read."""
    told = UNREAD | PACKED | {DEAD, NO_FILE, NO_SUFFIX, TWICE}
    unread = Counter({what: count for what, count in whole.all_left.items() if what in told})
    return [f"not read: {_counts(unread)}{_advice(unread)}"] if +unread else []


def _empty(tree: Tree, so: str) -> list[str]:
    """At most one sentence that names the folders without images, and what follows from it."""
    empty = [
        f"{folder.name} ({_counts(folder.all_left) or 'empty'})"
        for folder in tree.folders
        if not folder.count
    ]
    return [f"no image that can be read in {some(empty)}{so}"] if empty else []


def _what_is_left(whole: Tree) -> str:
    left = whole.all_left
    return f" (but {_counts(left)}{_advice(left)})" if +left else ""


def _counts(left: Counter) -> str:
    return some([f"{count:,} {what}" for what, count in (+left).most_common()], 4)


def _advice(left: Counter) -> str:
    """What to do about the files that are not read, as the end of a sentence."""
    save = ", to be saved as PNG or JPEG" if UNREAD & left.keys() else ""
    return save + (", to be unpacked" if PACKED & left.keys() else "")
