"""Sets of one's own: folders of images as people have them, and files that are damaged."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import unicodedata
from pathlib import Path
from unittest import mock

import numpy
import torch
from PIL import Image

from course_utils import data, plots
from course_utils.data import image_files, image_tree, real, registry
from course_utils.data.unpaired import unpaired
from course_utils.session.text import print_line, printable

from . import Row, refused, works

# What other systems cannot store is tried where it can be: two names that differ in capitals, bytes
# that are no text, links and pipes.
LINUX = sys.platform.startswith("linux")
RED, BLUE = (255, 0, 0), (0, 0, 255)


# --- making folders, and reading them -----------------------------------------------------------


def encoded(kind: str = "png", **options) -> bytes:
    """The bytes of a sound image of 8 x 6 pixels: red on the left, blue on the right."""
    image, buffer = Image.new("RGB", (8, 6), RED), io.BytesIO()
    image.paste(BLUE, (4, 0, 8, 6))
    image.save(buffer, kind, **options)
    return buffer.getvalue()


PNG = encoded()
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def fill(folder: Path, *names: str, **contents: int) -> Path:
    """Put files at these names, images where the suffix says so; a name that ends in / is a folder.

    `contents` are folders -> how many images.
    """
    names += tuple(f"{inner}/{number}.png" for inner, n in contents.items() for number in range(n))
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG if path.suffix in image_files.SUFFIXES else b"something else")
    return folder


def loaded(folder: Path, split: str = "train", **options):
    """The set, and the lines that were printed while it was read."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        images = data.load(f"folder:{folder}", split, **options)
    return images, printed.getvalue()


def load_of(*names: str, split: str = "train", within: str = "", **contents: int):
    """A call that fills a folder and loads it."""
    return lambda folder: loaded(fill(folder, *names, **contents) / within, split)


def gives(classes=(), labels=None, count=None, says: str | None = ""):
    """What must hold of a set: its classes, its labels, and what the printed lines say.

    `says` is a piece of them; "" asks for none, None for anything.
    """

    def holds(result) -> bool:
        images, printed = result
        found = None if images.labels is None else images.labels.tolist()
        said = says is None or (says in printed if says else not printed)
        return (
            images.classes == tuple(classes)
            and found == labels
            and (count is None or len(images) == count)
            and said
        )

    return holds


# --- splits and classes -------------------------------------------------------------------------

TRAIN = {"train/cat": 2, "train/dog": 1, "train/horse": 1}
PETS = ("cat", "dog", "horse")

ROWS: list[Row] = [
    works(
        "a test split that lacks a class of train",
        load_of(split="test", **TRAIN, **{"test/cat": 1, "test/horse": 2}),
        gives(PETS, [0, 2, 2]),
    ),
    works(
        "a test split with one class of train, not the first",
        load_of(split="test", **TRAIN, **{"test/horse": 2}),
        gives(PETS, [2, 2]),
    ),
    works(
        "a test split whose class is empty",
        load_of("test/dog/", split="test", **TRAIN, **{"test/cat": 1, "test/horse": 1}),
        gives(PETS, [0, 2], says="no image that can be read in dog (empty)"),
    ),
    refused(
        "a test split with a class that train has not",
        load_of(split="test", **TRAIN, **{"test/cat": 1, "test/zebra": 1}),
        "the class 'zebra', which .*train has not; its classes are cat, dog, horse",
    ),
    refused(
        "a test split of one class that train has not",
        load_of(split="test", **TRAIN, **{"test/zebra": 2}),
        "the class 'zebra', which .*train has not",
    ),
    refused(
        "a test class in other capitals than train's",
        load_of(split="test", **TRAIN, **{"test/Cat": 1, "test/dog": 1}),
        "rename it 'cat' if that is meant",
    ),
    refused(
        "a test class whose folder in train is empty",
        load_of("train/zebra/", split="test", **TRAIN, **{"test/cat": 1, "test/zebra": 1}),
        "the class 'zebra', which .*train has not",
    ),
    works(
        "a test class that a Mac wrote with its accents apart",
        lambda folder: loaded(
            fill(
                folder,
                f"train/{unicodedata.normalize('NFC', 'café')}/a.png",
                "train/tea/a.png",
                f"test/{unicodedata.normalize('NFD', 'café')}/a.png",
            ),
            "test",
        ),
        gives((unicodedata.normalize("NFC", "café"), "tea"), [0]),
    ),
    works(
        "test images without class folders, as for a competition",
        load_of(split="test", **TRAIN, test=3),
        gives((), None, 3, "no labels, because no image lies in a folder of the classes cat"),
    ),
    works(
        "test images in test/test",
        load_of(split="test", **TRAIN, **{"test/test": 3}),
        gives((), None, 3, "no labels"),
    ),
    works(
        "test images with classes, and train without",
        load_of(split="test", train=2, **{"test/cat": 1, "test/dog": 1}),
        gives((), None, 2, "train has no classes"),
    ),
    works(
        "a loose image beside the classes of test",
        load_of("test/loose.png", split="test", **TRAIN, **{"test/cat": 1}),
        gives((), None, 2, "no labels, because 1 of the images lie beside the folders cat"),
    ),
]

# What the two splits are called.
TWO_SPLITS = [
    ("train", "val"), ("Train", "Test"), ("training", "testing"), ("train", "valid"),
    ("TRAIN", "VALIDATION"), ("training_set", "test_set"), ("seg_train", "seg_test"),
    ("train2017", "val2017"), ("Training data", "Test data"), ("TrainSet", "TestSet"),
    ("trainval", "test"), ("train", "test1"), ("train", "test_images"),
]  # fmt: skip
ROWS += [
    works(
        f"splits called {first} and {second}: {split}",
        load_of(
            split=split,
            **{f"{first}/cat": 1, f"{first}/dog": 2, f"{second}/dog": 1},
        ),
        gives(
            ("cat", "dog"),
            [0, 1, 1] if split == "train" else [1],
            says=None,
        ),
    )
    for first, second in TWO_SPLITS
    for split in ("train", "test")
]
ROWS += [
    works(
        "splits train and val: a line says which serves as test",
        load_of(split="test", train=1, val=2),
        gives(count=2, says="there is no test, so val serves as the test split"),
    ),
    works(
        "splits train, val and test: a line says that val is not read",
        load_of(split="test", train=1, val=2, test=3),
        gives(count=3, says="not read, beside train and test: val (2 images)"),
    ),
    works(
        "images beside the splits",
        load_of("cover.png", train=1, test=3, extra=4),
        gives(count=1, says="beside train and test: extra (4 images), 1 images"),
    ),
    works(
        "classes called train and bus are no splits",
        load_of(train=1, bus=1),
        gives(("bus", "train"), [0, 1]),
    ),
    works(
        "classes called steam train and test tube are no splits",
        load_of(**{"steam train": 1, "test tube": 1}),
        gives(("steam train", "test tube"), [0, 1]),
    ),
    refused(
        "the four folders of two sets without pairs",
        load_of(trainA=1, trainB=1, testA=1, testB=1),
        "has 2 folders for one split, trainA, trainB; keep one, or name the folder",
    ),
    refused(
        "an empty test split",
        load_of("test/", split="test", train=1),
        "test holds no images that can be read; put some there",
    ),
    refused(
        "a test split without train",
        load_of(split="test", pictures=2),
        'no sub-folders "train" and "test"',
    ),
    works(
        "splits within the classes",
        load_of(**{"cat/train": 1, "cat/test": 1, "dog/train": 1, "dog/test": 1}),
        gives(("cat", "dog"), [0, 1, 0, 1], says="put train and test above the classes"),
    ),
    works(
        "two domains whose splits are called Train and Test",
        lambda folder: unpaired(
            f"folders:{fill(folder / 'x', Train=2, Test=1)},{fill(folder / 'y', train=1, val=3)}"
        ),
        lambda sets: [len(x) for x in (sets.x, sets.test_x, sets.y, sets.test_y)] == [2, 1, 1, 3],
    ),
]

# Classes.
ROWS += [
    works(
        "a class with no image",
        load_of("dog/", cat=1, horse=1),
        gives(("cat", "horse"), [0, 1], says="no image that can be read in dog (empty)"),
    ),
    works(
        "a class in a format that is not read",
        load_of("dog/a.heic", "dog/b.HEIC", cat=1, horse=1),
        gives(("cat", "horse"), [0, 1], says="no image that can be read in dog (2 .heic)"),
    ),
    works(
        "a class of words alone",
        load_of("dog/a.txt", cat=1, horse=1),
        gives(("cat", "horse"), [0, 1], says="dog (1 .txt)"),
    ),
    works(
        "two classes, of which one is empty",
        load_of("dog/", cat=2),
        gives((), None, 2, "dog (empty), so cat is the whole set and no class"),
    ),
    works(
        "a class of damaged images alone",
        lambda folder: (
            fill(folder, "dog/", cat=1, horse=1),
            (folder / "dog" / "a.png").write_bytes(b"no image"),
            loaded(folder),
        )[-1],
        gives(("cat", "dog", "horse"), [0, 2], says="no image of the class dog can be read"),
    ),
    works(
        "a loose image beside class folders",
        load_of("cover.png", cat=2, dog=1),
        gives((), None, 4, "no labels, because 1 of the images lie beside the folders cat, dog"),
    ),
    works(
        "a loose text beside class folders",
        load_of("labels.csv", "README", cat=1, dog=1),
        gives(("cat", "dog"), [0, 1]),
    ),
    works(
        "a loose HEIC beside class folders",
        load_of("cover.heic", cat=1, dog=1),
        gives(("cat", "dog"), [0, 1], says="not read: 1 .heic, to be saved as PNG or JPEG"),
    ),
    works(
        "classes one level too deep",
        load_of(**{"pets/cat": 1, "pets/dog": 1}),
        gives(("cat", "dog"), [0, 1]),
    ),
    works(
        "classes three levels too deep, with empty folders beside",
        load_of("home/docs/a.txt", **{"home/data/pets/cat": 1, "home/data/pets/dog": 1}),
        gives(("cat", "dog"), [0, 1], says="docs (1 .txt), so data is the whole set and no class"),
    ),
    works(
        "splits one level too deep",
        load_of(
            split="test",
            **{f"archive/archive/{k}": n for k, n in TRAIN.items()},
            **{"archive/archive/test/dog": 2},
        ),
        gives(PETS, [1, 1]),
    ),
    works(
        "classes one level too deep in each split",
        load_of(
            split="test", **{"train/images/cat": 1, "train/images/dog": 1}, **{"test/images/dog": 1}
        ),
        gives(("cat", "dog"), [1]),
    ),
    works(
        "images left on the way to the only folder",
        load_of("a.heic", edited=1),
        gives((), None, 1, "not read: 1 .heic"),
    ),
    works(
        "classes from 0 to 11",
        load_of(**{str(number): 1 for number in range(12)}),
        gives([str(number) for number in range(12)], list(range(12))),
    ),
    works(
        "classes of words, numbers and leading zeros",
        load_of(**{name: 1 for name in ("a10", "B2", "a2", "007", "7", "0008")}),
        gives(("007", "7", "0008", "a2", "a10", "B2"), list(range(6))),
    ),
    works(
        "files from 0 to 11",
        lambda folder: image_tree.scan(fill(folder, *(f"{n}.png" for n in range(12)))).images,
        lambda images: images == [f"{number}.png" for number in range(12)],
    ),
]

TWINS = [
    refused(
        "splits train and Train",
        load_of(train=1, Train=1, test=1),
        "has 2 folders for one split, (train, Train|Train, train); keep one",
    ),
    works(
        "a class that differs from another in capitals alone",
        load_of(**{"Cat/a": 1, "cat/a": 1}),
        gives(("Cat", "cat"), [0, 1], says="differ in capitals alone"),
    ),
]
ROWS += TWINS if LINUX else []

# --- what systems, cameras and programs leave ---------------------------------------------------

LEFT = ["@eaDir", "__MACOSX", ".ipynb_checkpoints", "$RECYCLE.BIN", "lost+found",
        "System Volume Information", "#recycle", ".thumbnails"]  # fmt: skip
ROWS += [
    works(f"a folder {name}", load_of(**{name: 2}, cat=1, dog=1), gives(("cat", "dog"), [0, 1]))
    for name in LEFT
]
ROWS += [
    works(
        f"a folder {name} in a class",
        load_of(**{f"cat/{name}": 2, "cat/a": 1}, dog=1),
        gives(("cat", "dog"), [0, 1]),
    )
    for name in LEFT[:2]
]
ROWS += [
    works(
        f"a file {name} beside images",
        load_of(name, "cat/" + name, cat=1, dog=1),
        gives(("cat", "dog"), [0, 1]),
    )
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._a.png", "LICENSE")
]

UNREAD = ["heic", "HEIF", "tif", "tiff", "avif", "svg", "psd", "jxl", "dng", "npy", "mp4"]
ROWS += [
    works(
        f"two .{suffix} files among the images",
        load_of(f"a.{suffix}", f"b.{suffix}", "c.png"),
        gives(count=1, says=f"not read: 2 .{suffix.lower()}, to be saved as PNG or JPEG"),
    )
    for suffix in UNREAD
]
ROWS += [
    refused(
        f"a folder of .{suffix} files alone",
        load_of(f"a.{suffix}", f"b.{suffix}"),
        rf"holds no images that can be read \(but 2 .{suffix.lower()}, to be saved as PNG or JPEG",
    )
    for suffix in UNREAD[:5]
]
ROWS += [
    refused(
        "a folder with an archive that was not unpacked",
        load_of("images.zip", "notes.txt"),
        r"holds no images that can be read \(but 1 .zip, 1 .txt, to be unpacked\)",
    ),
    works(
        "images without a suffix",
        load_of("IMG_0001", "IMG_0002", "a.png"),
        gives(count=1, says="not read: 2 files without a suffix"),
    ),
    works(
        "formats of many kinds: the first four are named",
        load_of(*(f"a.{suffix}" for suffix in UNREAD), "c.png"),
        gives(count=1, says=" and 7 more, to be saved"),
    ),
    *(
        works(
            f"a JPEG called .{suffix}",
            lambda folder, suffix=suffix: (
                (folder / f"a.{suffix}").write_bytes(encoded("jpeg")),
                loaded(folder),
            )[-1],
            gives(count=1),
        )
        for suffix in ("jfif", "jpe", "JPG", "JFIF")
    ),
    works(
        "a JPEG of a phone that holds two images (MPO)",
        lambda folder: (
            (folder / "a.jpg").write_bytes(
                encoded("mpo", save_all=True, append_images=[Image.new("RGB", (8, 6))])
            ),
            loaded(folder),
        )[-1],
        gives(count=1),
    ),
]


def with_file(name: str, content: bytes):
    """A call that loads a folder of one sound image and one file of these bytes."""

    def load(folder: Path):
        fill(folder, "sound.png")
        (folder / name).write_bytes(content)
        return loaded(folder)

    return load


ROWS += [
    works(what, with_file(name, content), gives(count=1, says=f"1 left out: {name} ({reason}"))
    for what, name, content, reason in [
        ("a HEIC that is called .jpg", "a.jpg", HEIC, "HEIC, AVIF or a film inside"),
        ("a TIFF that is called .png", "a.png", encoded("tiff"), "TIFF inside"),
        ("an empty file", "a.png", b"", "an empty file"),
        ("a pointer of Git LFS", "a.png", b"version https://git-lfs.github.com/spec/v1\n", "a poi"),
        ("a page that was saved as an image", "a.jpg", b"<!DOCTYPE html>", "not an image"),
    ]
]


# --- EXIF ---------------------------------------------------------------------------------------

BAD_EXIF = {
    "without a header": b"no header of EXIF",
    "of a header alone": b"Exif\0\0",
    "with a header of another kind": b"Exif\0\0junkjunkjunk",
    "that ends early": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01",
    "that points beyond its end": b"Exif\0\0II*\0\xff\xff\xff\x7f",
}
DPI = {"jpeg": {"dpi": (72, 72)}, "png": {}, "webp": {}}  # with it, a JPEG's EXIF is read later
ROWS += [
    works(
        f"a sound {kind} with an EXIF block {what}",
        lambda folder, kind=kind, block=block: data.own_image(
            encoded(kind, exif=block, **DPI[kind]), (3, 6, 8)
        ),
        lambda image: image.shape == (1, 3, 6, 8) and image[0, 0, 3, 1] > 0.8,
    )
    for what, block in BAD_EXIF.items()
    for kind in DPI
]
ROWS += [
    works(
        "a folder with a sound JPEG and a damaged EXIF block",
        lambda folder: (
            (folder / "a.jpg").write_bytes(
                encoded("jpeg", exif=b"Exif\0\0junkjunkjunk", dpi=(72, 72))
            ),
            loaded(folder),
        )[-1],
        gives(count=1),
    ),
    *(
        works(
            f"an EXIF block that says orientation {turned}",
            lambda folder, turned=turned: data.own_image(
                encoded("png", exif=_exif(turned)), (3, 8, 8), crop=False
            ),
            lambda image, turned=turned: image.shape == (1, 3, 6, 8),
        )
        for turned in (0, 1, 9, 65535)
    ),
]


def _exif(turned: int) -> Image.Exif:
    exif = Image.Exif()
    exif[image_files.EXIF_ORIENTATION] = turned
    return exif


# --- links, pipes, folders that cannot be read --------------------------------------------------


def with_links(links: dict[str, str], split: str = "train", *names: str, **contents: int):
    """A call that loads the folder "set", beside which there may be others; link -> where to."""

    def load(folder: Path):
        fill(folder, *names, **contents)
        for link, target in links.items():
            (folder / link).parent.mkdir(parents=True, exist_ok=True)
            (folder / link).symlink_to(folder / target)
        return loaded(folder / "set", split)

    return load


def in_time(do, seconds: float = 5.0):
    """The same call, given up where it does not end."""

    def call(folder: Path):
        result = []
        thread = threading.Thread(target=lambda: result.append(do(folder)), daemon=True)
        thread.start()
        thread.join(seconds)
        return result[0]  # an IndexError: it still waits, or has failed

    return call


def with_pipe(folder: Path):
    os.mkfifo(fill(folder, "a.png") / "pipe.png")
    return loaded(folder)


def unreadable(folder: Path):
    """A folder that the system does not let us list, whoever we are."""
    fill(folder, cat=1, dog=1)
    scandir = os.scandir

    def listing(path):
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    with mock.patch.object(os, "scandir", listing):
        return loaded(folder)


def unreadable_file(folder: Path):
    fill(folder, "a.png", "b.png")
    opening = Image.open

    def only_b(source, **options):
        if Path(source).name == "a.png":
            raise PermissionError(13, "Permission denied", str(source))
        return opening(source, **options)

    with mock.patch.object(Image, "open", only_b):
        return loaded(folder)


def limited(name: str, value: int, load):
    """A call under another limit."""

    def call(folder: Path):
        with mock.patch.object(image_tree, name, value):
            return load(folder)

    return call


LINKS = [
    works("a named pipe among the images", in_time(with_pipe),
          gives(count=1, says="not read: 1 pipes, sockets or devices")),
    works(
        "a link to a device",
        with_links({"set/zero.png": "/dev/zero"}, "train", "set/a.png"),
        gives(count=1, says="not read: 1 pipes, sockets or devices"),
    ),
    refused(
        "one image of one's own that is a named pipe",
        lambda folder: (os.mkfifo(folder / "pipe.png"), data.own_image(folder / "pipe.png")),
        "pipe.png is no file; name one image",
    ),
    works(
        "classes that are links",
        with_links({"set/cat": "a", "set/dog": "b"}, a=1, b=1),
        gives(("cat", "dog"), [0, 1]),
    ),
    works(
        "a split that is a link",
        with_links({"set/test": "held"}, "test", **{"set/train": 1, "held": 2}),
        gives(count=2),
    ),
    works(
        "images that are links",
        with_links({"set/b.png": "b.png"}, "train", "b.png", "set/a.png"),
        gives(count=2),
    ),
    works(
        "a folder that links to itself",
        with_links({"set/cat/again": "set"}, **{"set/cat": 1, "set/dog": 1}),
        gives(("cat", "dog"), [0, 1], says="not read: 1 links to folders that are read already"),
    ),
    works(
        "two folders that link to one another",
        with_links(
            {"set/cat/d": "set/dog", "set/dog/c": "set/cat"}, **{"set/cat": 1, "set/dog": 1}
        ),
        gives(("cat", "dog"), [0, 1], says="2 links to folders that are read already"),
    ),
    works(
        "a class that links to another",
        with_links({"set/a cat": "set/cat"}, **{"set/cat": 1, "set/dog": 1}),
        gives(("cat", "dog"), [0, 1], says="1 links to folders that are read already"),
    ),
    works(
        "links that lead nowhere",
        with_links({"set/gone.png": "nowhere.png", "set/lost": "nowhere"}, "train", "set/a.png"),
        gives(count=1, says="not read: 2 links that lead nowhere"),
    ),
    works(
        "a link to itself",
        with_links({"set/loop.png": "set/loop.png"}, "train", "set/a.png"),
        gives(count=1, says="not read: 1 links that lead nowhere"),
    ),
    refused(
        "a test split that is a link to train",
        with_links({"set/test": "set/train"}, "test", **{"set/train": 2}),
        'has no sub-folders "train" and "test"',
    ),
    refused("a folder that must not be listed", unreadable,
            r"The folder .*dog cannot be read \(Permission denied\); allow yourself"),
    works("an image that must not be opened", unreadable_file,
          gives(count=1, says="1 left out: a.png (Permission denied)")),
    refused("more files than anyone's set has", limited("MAX_FILES", 5, load_of(cat=4, dog=4)),
            "holds more than 5 files"),
    refused("folders in folders without end",
            lambda folder: loaded(fill(folder, "/".join(60 * ["a"]) + "/a.png")),
            "more than 50 deep; name a folder"),
]  # fmt: skip
ROWS += LINKS if LINUX else []


# --- names --------------------------------------------------------------------------------------

ODD_NAMES = {
    "a line break": "two\nlines",
    "a code that colours": "red\x1b[31m",
    "a code that turns the text": "a\u202egnp",
    "a byte that is no text": os.fsdecode(b"b\xffd"),
    "a bell": "a\x07",
}
if not LINUX:
    ODD_NAMES.clear()


def of_bytes(encoding: str, do):
    """The same call while it prints to a terminal of that encoding; the call's result and text."""

    def call(folder: Path):
        raw = io.BytesIO()
        terminal = io.TextIOWrapper(raw, encoding, write_through=True)
        with contextlib.redirect_stdout(terminal):
            result = do(folder)
        return result, raw.getvalue().decode(encoding)

    return call


def load_named(name: str, broken: bool):
    """A call that loads two classes, one with that name; its second image is broken."""

    def load(folder: Path):
        fill(folder, f"{name}/{name}.png", "dog/a.png")
        if broken:
            (folder / name / f"{name}2.png").write_bytes(b"no image")
        return data.load(f"folder:{folder}")

    return load


def is_plain(text: str) -> bool:
    """Whether a terminal shows the text as it is, on lines that all end as sentences."""
    lines = text.splitlines()
    return all(line.isprintable() for line in lines) and all(line[-1] == "." for line in lines)


ROWS += [
    works(
        f"a name with {what}, on a terminal of {encoding}",
        of_bytes(encoding, load_named(name, broken=True)),
        lambda result: (
            len(result[0]) == 2
            and len(result[0].classes) == 2
            and all(name.isprintable() for name in result[0].classes)
            and is_plain(result[1])
            and "1 left out" in result[1]
        ),
    )
    for what, name in (ODD_NAMES | {"letters of Japan": "猫", "an emoji": "🐈"}).items()
    for encoding in ("utf-8", "cp1252", "ascii")
]
ROWS += [
    refused(
        f"a folder without images whose name has {what}",
        lambda folder, name=name: loaded(fill(folder, f"{name}/") / name),
        r"^[ -~]*holds no images that can be read",
    )
    for what, name in ODD_NAMES.items()
]
ROWS += [
    refused(
        f"an unknown test class whose name has {what}",
        load_of(split="test", **TRAIN, **{f"test/{name}": 1}),
        r"^[ -~]*has the class [ -~]*, which [ -~]*$",
    )
    for what, name in ODD_NAMES.items()
]
ROWS += [
    works(
        f"printing {what}",
        of_bytes("ascii", lambda folder, name=name: print_line(name)),
        lambda result: result[1].strip() and result[1].count("\n") == 1,
    )
    for what, name in ODD_NAMES.items()
]
ROWS += [
    works(
        "words of many scripts are printed as they are",
        lambda folder: printable("naïve 猫 می‌خواهم 👩‍🔬 кошка"),
        lambda text: text == "naïve 猫 می‌خواهم 👩‍🔬 кошка",
    ),
    works(
        "a path in quotes, as Windows copies it",
        lambda folder: loaded(f'"{fill(folder, "a.png")}"'),
        gives(count=1),
    ),
    works(
        "a path with a space after the colon",
        lambda folder: loaded(f" {fill(folder, 'a.png')}"),
        gives(count=1),
    ),
    *(
        refused(
            f"a path that {what}",
            lambda folder, path=path: loaded(path),
            "^There is no folder .*; write the path of a folder of images after",
            FileNotFoundError,
        )
        for what, path in [
            ("is empty", ""),
            ("is a space", " "),
            ("names the home of nobody", "~nobody-of-that-name/images"),
            ("holds a zero byte", "a\0b"),
            ("is longer than any", "x" * 300),
            ("leads nowhere", "nowhere"),
        ]
    ),
]

# --- names in figures ---------------------------------------------------------------------------


def drawn(name: str):
    """A call that draws a map of two classes, one of that name, and gives the texts in it."""

    def draw(folder: Path):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2, 2))
        axes = figure.add_subplot()
        plots.codes_map(axes, torch.rand(4, 2), torch.tensor([0, 1, 0, 1]), (name, "dog"))
        axes.set_title(plots.plain(name))
        axes.legend(axes.plot([0], [0]), [plots.plain(name)])
        figure.savefig(io.BytesIO(), format="png")
        return axes

    return draw


def shows(name: str):
    """Whether a figure shows the name as it is, rather than the formula that it may be."""
    from matplotlib.cbook import is_math_text

    def holds(axes) -> bool:
        texts = [axes.texts[0], axes.title, *axes.get_legend().get_texts()]
        shown = [text.get_text() for text in texts]
        as_it_is = {text.replace("\\$", "$") for text in shown} == {printable(name)}
        return as_it_is and not any(map(is_math_text, shown))

    return holds


MATHS = ["$x_{$", "$\\nothing$", "$", "5 $ to 10 $", "\\$x$", "a_b^c", "100 %", "{", "$$", ""]
ROWS += [works(f"a class called {name!r} in a figure", drawn(name), shows(name)) for name in MATHS]
ROWS += [
    works(f"a class whose name has {what} in a figure", drawn(name), shows(name))
    for what, name in ODD_NAMES.items()
]
ROWS += [
    works(
        f"a caption with {what} above an image",
        lambda folder, name=name: plots.captioned(numpy.zeros((8, 8, 3), numpy.uint8), name),
        lambda image: image.shape[0] == 34,
    )
    for what, name in (ODD_NAMES | {"nothing": "", "a formula": "$x_{$"}).items()
]


# --- one image of one's own ---------------------------------------------------------------------

ROWS += [
    refused(f"own_image of {what}", lambda folder, source=source: data.own_image(source), words)
    for what, source, words in [
        (
            "a tensor",
            torch.zeros(3, 64, 64),
            r"There is no image Tensor of shape \(3, 64, 64\); gi",
        ),
        ("an array", numpy.zeros((640, 640, 3)), "There is no image ndarray of shape"),
        (
            "an upload as a whole",
            {"name": "a.png", "content": PNG},
            "give a path, bytes or an open",
        ),
        ("None", None, "There is no image None; give a path"),
        ("a HEIC", HEIC, r"\(HEIC, AVIF or a film inside\); open it in a program"),
        ("no bytes", b"", r"\(an empty file\); open it"),
        ("text", io.StringIO("words"), r"\(it is open as text\); use open"),
    ]
]
ROWS += [
    refused(
        f"own_image in the shape {what}",
        lambda folder, shape=shape: data.own_image(PNG, shape),
        r"^shape is .{1,50}; give \(C, H, W\)",
    )
    for what, shape in {
        "of halves": (3, 2.5, 8),
        "without end": (3, float("inf"), 8),
        "of a million squared": (3, 10**6, 10**6),
        "that is an image": torch.zeros(3, 64, 64),
        "64": 64,
    }.items()
]
PAGE = torch.ones(1, 1, 100, 100)
ROWS += [
    refused(
        f"to_mnist_style of {what}",
        lambda folder, images=images: data.to_mnist_style(images),
        words,
    )
    for what, images, words in [
        ("NaN", PAGE * torch.nan, "needs brightnesses from 0 to 1"),
        ("bytes", (PAGE * 255).byte(), "divide bytes by 255"),
        ("a range from -1 to 1", 1 - 2 * torch.rand(1, 1, 100, 100), "brightnesses from 0 to 1"),
        ("an array", PAGE.numpy(), "this is ndarray of shape"),
        ("one image without the axis of images", PAGE[0], r"this is \(1, 100, 100\)"),
    ]
]

# --- damaged files of published sets ------------------------------------------------------------

IDX = bytes([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 5]) + bytes(range(100))


def damaged_idx(position: int):
    """A call that reads an IDX file of which one byte was flipped since its hash was taken."""
    import hashlib

    def read(folder: Path):
        content = bytearray(IDX)
        content[position] ^= 1 + position % 255
        (folder / "a-ubyte").write_bytes(content)
        return real.read_idx(folder / "a-ubyte", f"sha256:{hashlib.sha256(IDX).hexdigest()}")

    return read


def mnist_of(images: bytes | None, labels: bytes | None):
    """A call that loads MNIST's test split from files of these bytes after the right headers."""

    def load(folder: Path):
        raw = fill(folder, "MNIST/raw/") / "MNIST" / "raw"
        names = registry.DATASETS["mnist"].files["test"]
        heads = (
            bytes.fromhex("00000803 00002710 0000001c 0000001c"),
            bytes.fromhex("00000801 00002710"),
        )
        for name, head, content in zip(names, heads, (images, labels), strict=True):
            (raw / name).write_bytes(head + content)
        return data.load("mnist", "test", root=folder)

    return load


def downloaded_once(folder: Path):
    """FashionMNIST as it was unpacked here, of which one byte was flipped since."""
    import gzip

    from course_utils.data import download

    packed, path = folder / "a.gz", folder / "a-ubyte"
    packed.write_bytes(gzip.compress(IDX))
    download.gunzip(packed, path)
    assert real.read_idx(path).shape == (4, 5, 5)
    content = bytearray(IDX)
    content[60] ^= 1
    path.write_bytes(content)
    return real.read_idx(path)


PIXELS, DIGITS = 10_000 * 28 * 28, 10_000
ROWS += [
    refused(f"an IDX file with byte {position} flipped", damaged_idx(position), "delete it")
    for position in (*range(0, 116, 9), 115)
]
ROWS += [
    refused("MNIST of zeros", mnist_of(bytes(PIXELS), bytes(DIGITS)), "t10k-images.*delete it"),
    refused("MNIST's images cut", mnist_of(bytes(PIXELS // 2), bytes(DIGITS)), "delete it"),
    refused("FashionMNIST with one bit flipped", downloaded_once, "a-ubyte .*delete it"),
]


def flipped_mnist(which: int, position: int):
    """A call that loads the real test split with one byte flipped; a made one where it is not."""

    def load(folder: Path):
        names = registry.DATASETS["mnist"].files["test"]
        source = Path(os.environ.get("COURSE_DATA", "")) / "MNIST" / "raw"
        if not all((source / name).is_file() for name in names):
            return mnist_of(bytes(PIXELS), bytes(DIGITS))(folder)
        raw = fill(folder, "MNIST/raw/") / "MNIST" / "raw"
        for number, name in enumerate(names):
            content = bytearray((source / name).read_bytes())
            if number == which:
                content[position] ^= 1
            (raw / name).write_bytes(content)
        return data.load("mnist", "test", root=folder)

    return load


ROWS += [
    refused(f"MNIST's {what} with one bit flipped", flipped_mnist(which, at), f"{what}.*delete it")
    for which, what, at in ((0, "images", 400_000), (1, "labels", 5_000))
]

# --- what a set says of itself ------------------------------------------------------------------

SETS = {"handwriting": 20, "faces": 20, "photographs": 2}
ROWS += [
    works(
        f"the last line of a cell is {name}",
        lambda folder, name=name, size=size: repr(data.load(name, size=size)),
        lambda text: text.startswith("ImageSet '") and "\n" not in text and len(text) < 150,
    )
    for name, size in SETS.items()
]
ROWS += [
    works(
        "the last line of a cell is a folder with an odd name",
        lambda folder: repr(loaded(fill(folder / "two\nlines", "a.png"))[0]),
        lambda text: text == "ImageSet 'two\\nlines': 1 images 3×6×8",
    ),
    works(
        "the last line of a cell is a folder with classes",
        lambda folder: repr(loaded(fill(folder / "pets", cat=1, dog=1))[0]),
        lambda text: text == "ImageSet 'pets': 2 images 3×6×8, labels (2 classes)",
    ),
    works(
        "the last line of a cell is two sets without pairs",
        lambda folder: repr(unpaired("horse:zebra", 4, test_size=2)),
        lambda text: text == "Unpaired horse and zebra: 4 + 4 images 3×32×32, 2 + 2 for testing",
    ),
    works(
        "the last line of a cell is a set without images",
        lambda folder: repr(data.load("handwriting", size=2)[:0]),
        lambda text: text.startswith("ImageSet 'handwriting': 0 images 1×28×28"),
    ),
]
ROWS += [
    refused(
        f"two folders, one of which {what}",
        lambda folder, path=path: unpaired(f"folders:{fill(folder / 'x', 'a.png')},{path}"),
        "does not name two folders that are there; write both paths",
        FileNotFoundError,
    )
    for what, path in {
        "names the home of nobody": "~nobody-of-that-name/images",
        "holds a zero byte": "a\0b",
    }.items()
]
