"""Settings, consoles, what ships and how it was installed; widgets and cells in a notebook."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import ipywidgets
import numpy
import safetensors.torch
import torch
from torch import nn

from course_utils import doctor, plots, widgets
from course_utils.__main__ import main
from course_utils.claims import claim
from course_utils.data.download import write_checked
from course_utils.data.sentences import Vocabulary
from course_utils.session import filling, lab, settings
from course_utils.session.records import FAILED, MARKS, VERDICTS, say
from course_utils.shipped import cards, images, tables, weights
from course_utils.shipped.cards import Refused
from course_utils.shipped.feature_networks import feature_network, kept_file
from course_utils.tables import Table
from course_utils.training.state import restore

from . import Row, refused, works

# Settings

WRONG_SETTINGS = [
    *[("COURSE_SEED", seed) for seed in ("lucky", "-1", "1.5", "1e3", "²", "9" * 30)],
    *[("COURSE_DEVICE", device) for device in ("gpu", "cuda:", "cuda:one", "CPU")],
    *[("COURSE_BUDGET", budget) for budget in ("ful", "full ", "1")],
    *[("COURSE_PRECISION", precision) for precision in ("half", "float64")],
]
VARIABLES = ("COURSE_SEED", "COURSE_DEVICE", "COURSE_BUDGET", "COURSE_PRECISION")


def with_setting(variable, value, call):
    with mock.patch.dict(os.environ, {variable: value}):
        return call()


def told_by(command, variable, value):
    """(exit status, what was said on the error stream) of a command."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        return with_setting(variable, value, lambda: main(command)), said.getvalue()


SETTINGS: list[Row] = [
    *[
        refused(
            f"{variable}={value}",
            lambda folder, v=variable, t=value: with_setting(v, t, settings.check),
            variable,
        )
        for variable, value in WRONG_SETTINGS
    ],
    *[
        works(
            f"{variable}={value}, seen by {command}",
            lambda folder, v=variable, t=value, c=command: told_by([c], v, t),
            lambda told: told[0] == 2 and told[1].count("\n") == 1,
        )
        for variable, value in WRONG_SETTINGS[::4]
        for command in ("doctor", "run")
    ],
    *[
        works(
            f"an empty {variable}",
            lambda folder, v=variable: with_setting(v, "", lambda: lab.start("odd")).budget,
            lambda budget: budget == "classroom",
        )
        for variable in VARIABLES
    ],
]

# Consoles of other alphabets

LINES = [f"{mark} two is even" for mark in {*MARKS.values(), FAILED, *VERDICTS.values()}]
LINES += ["→ 猫 · 5 − 3 × 2 …", "a name \udcff that is no text"]


def printed(encoding: str, call) -> str:
    """What a call prints where the output has letters of this encoding alone."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    with mock.patch.object(sys, "stdout", stream):
        call()
        stream.flush()
        return stream.buffer.getvalue().decode(encoding)


def report():
    """The command line, which prints with `print`."""
    with mock.patch("course_utils.doctor.doctor", lambda: print("✔ Ready", "✘ not", sep="\n") or 0):
        assert main(["doctor"]) == 0


CONSOLES: list[Row] = [
    *[
        works(
            f"{line!r} on a console of {encoding}",
            lambda folder, e=encoding, t=line: printed(e, lambda: say(t)),
            lambda text: text.endswith("\n") and len(text) > 10,
        )
        for line in LINES
        for encoding in ("cp1252", "cp437", "ascii", "utf-8")
    ],
    works(
        "marks that differ stay different on Windows",
        lambda folder: {printed("cp1252", lambda m=mark: say(m)) for mark in VERDICTS.values()},
        lambda lines: len(lines) == len(VERDICTS),
    ),
    works(
        "the command line on a console of cp1252",
        lambda folder: printed("cp1252", report),
        lambda text: text.split() == ["+", "Ready", "x", "not"],
    ),
    works(
        "a letter that the console has is kept",
        lambda folder: printed("cp1252", lambda: say("café")),
        lambda text: text.strip() == "café",
    ),
    works("a program without a console", lambda folder: silently(), lambda result: result is None),
]


def silently():
    with mock.patch.object(sys, "stdout", None):
        return say("✔ nobody reads this")


# Cards and what they are of


def resigned(card: dict) -> bytes:
    """A card that was changed, with its own checksum made right again."""
    card = {key: value for key, value in card.items() if key != "card_sha256"}
    return json.dumps({**card, "card_sha256": cards._own_checksum(card)}).encode()


def changed(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


ODD_CARDS = {
    "[]": lambda card: b"[]",
    "null": lambda card: b"null",
    "a number": lambda card: b"7",
    "a string that names all keys": lambda card: b'"sha256 architecture measures card table"',
    "empty": lambda card: b"",
    "deeply nested": lambda card: b"[" * 100_000,
    "deeply nested in a key": lambda card: b'{"sha256": ' * 50_000,
    "cut short": lambda card: card[: len(card) // 2],
    "not UTF-8": lambda card: card.decode().encode("utf-16"),
    "Latin-1": lambda card: changed(card, b'"seed"', '"seéd"'.encode("latin-1")),
    "with one key twice": lambda card: changed(card, b'"seed": 0', b'"seed": 0, "seed": 0'),
    "with a number beyond all": lambda card: changed(card, b'"seed": 0', b'"seed": 1e999'),
    "with a number of 9,999 digits": lambda card: changed(card, b": 0", b": " + b"9" * 9_999),
    "with NaN": lambda card: changed(card, b'"seed": 0', b'"seed": NaN'),
    "with a flipped digit": lambda card: changed(card, b'"seed": 0', b'"seed": 1'),
    "with a flipped key": lambda card: changed(card, b'"seed"', b'"sead"'),
    "with a flipped checksum": lambda card: changed(card, b'"sha256": "', b'"sha256": "x'),
    "without its own checksum": lambda card: changed(card, b'"card_sha256"', b'"card_sha257"'),
}


def shipped_weights_of(folder, net=None) -> Path:
    """Weights of a small network in a folder; returns their card."""
    card = {"measures": {"loss": 0.25}, "seed": 0, "budget": "full"}
    return weights.save("net", net or nn.Linear(3, 4), card, folder).with_suffix(".json")


def shipped_table_of(folder) -> Path:
    return tables.save("own", {"loss": [0.5]}, {"protocol": "So.", "seed": 0}, folder)


def shipped_image_of(folder) -> Path:
    grey = numpy.full((8, 8, 3), 128, numpy.uint8)
    return images.save("sheet", grey, {"seed": 0}, folder).with_suffix(".json")


SHIPPED = {
    "weights": (shipped_weights_of, lambda folder: weights.load("net", nn.Linear(3, 4), folder)),
    "table": (shipped_table_of, lambda folder: tables.load("own", folder)),
    "image": (shipped_image_of, lambda folder: images.load("sheet", folder)),
}


def with_card(kind, spoil, folder):
    ship, load = SHIPPED[kind]
    card = ship(folder)
    card.write_bytes(spoil(card.read_bytes()))
    return load(folder)


def folder_in_the_way(kind, folder):
    ship, load = SHIPPED[kind]
    card = ship(folder)
    card.unlink()
    card.mkdir()
    return load(folder)


def diagnosis(spoil, folder):
    card = shipped_weights_of(folder)
    card.write_bytes(spoil(card.read_bytes()))
    (finding,) = doctor.weights(folder)
    return finding


def without_measures(folder):
    card = shipped_weights_of(folder)
    said = json.loads(card.read_bytes())
    del said["measures"]
    card.write_bytes(resigned(said))
    return weights.load("net", nn.Linear(3, 4), folder)


CARDS: list[Row] = [
    *[
        refused(
            f"a card of {kind} that is {what}".replace("is with", "is one with"),
            lambda folder, k=kind, s=spoil: with_card(k, s, folder),
            "damaged",
            Refused,
        )
        for kind in SHIPPED
        for what, spoil in ODD_CARDS.items()
    ],
    *[
        refused(
            f"a folder in place of the card of {kind}",
            lambda folder, k=kind: folder_in_the_way(k, folder),
            "^No shipped .*COURSE_BUDGET=full",
            Refused,
        )
        for kind in SHIPPED
    ],
    *[
        works(
            f"a card that is {what}, seen by doctor".replace("is with", "is one with"),
            lambda folder, s=spoil: diagnosis(s, folder),
            lambda finding: finding.remedy.startswith("restore it"),
        )
        for what, spoil in list(ODD_CARDS.items())[:10]
    ],
    refused("a card without measures", without_measures, "net.json is damaged", Refused),
]

# Weights that are none, or another network's


def with_tensors(change, folder):
    """Load weights that were changed, with both checksums made right; the network must stay."""
    made = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    card_file = shipped_weights_of(folder, made)
    file = card_file.with_suffix(".safetensors")
    content = change({**safetensors.torch.load(file.read_bytes())})
    content = content if isinstance(content, bytes) else safetensors.torch.save(content)
    file.write_bytes(content)
    card = json.loads(card_file.read_bytes())
    card_file.write_bytes(resigned({**card, "sha256": cards._checksum(content)}))
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    return unchanged(net, lambda: weights.load("net", net, folder))


def unchanged(net, call):
    """Make a call that is refused; the network must be as it was."""
    before = {key: value.clone() for key, value in net.state_dict().items()}
    try:
        return call()
    finally:
        after = net.state_dict()
        assert all(torch.equal(after[key], value) for key, value in before.items()), "changed"


def put(key, value):
    return lambda tensors: {**tensors, key: value(tensors[key])}


def without(key):
    return lambda tensors: {name: value for name, value in tensors.items() if name != key}


ODD_WEIGHTS = {
    "hold NaN": (put("1.bias", lambda value: value * torch.nan), "numbers that are none"),
    "hold infinity": (put("1.running_var", lambda value: value + torch.inf), "none .1.running_var"),
    "hold whole numbers": (put("1.weight", lambda value: value.int()), "1.weight is int32"),
    "count in fractions": (put("1.num_batches_tracked", lambda value: value / 2), "is float32"),
    "lack one": (without("1.bias"), "'1.bias' missing"),
    "have one more": (lambda tensors: {**tensors, "2.x": torch.ones(1)}, "'2.x' unknown"),
    "have a row too many": (put("1.bias", lambda value: torch.ones(5)), r"\(5,\), not \(4,\)"),
    "are none": (lambda tensors: {}, "missing"),
    "are text": (lambda tensors: b"not a file of weights", "no file of weights"),
    "are an empty file": (lambda tensors: b"", "no file of weights"),
}


def of_another_network(folder):
    """What is kept of a downloaded network is another one's."""
    features = {"features.0.weight": torch.zeros(3, 3)}
    kept = kept_file("squeezenet1_1", folder / "torchvision")
    kept.parent.mkdir()
    write_checked(io.BytesIO(safetensors.torch.save(features)), kept)
    return with_setting("COURSE_DATA", str(folder), lambda: feature_network("squeezenet1_1"))


def restored(state):
    """A checkpoint whose second network is another one's: the first must stay, too."""
    nets = {"one": nn.Linear(3, 4), "two": nn.Linear(3, 4)}
    both = nn.ModuleDict(nets)
    saved = {"nets": {"one": nn.Linear(3, 4).state_dict(), "two": state}}
    players = SimpleNamespace(by_name=nets)
    return unchanged(both, lambda: restore(saved, SimpleNamespace(), players, SimpleNamespace()))


def filled(state):
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    return unchanged(net, lambda: filling.fill(net, state(net.state_dict())))


ODD_STATES = {
    "lacks a value": (without("1.bias"), "'1.bias' missing"),
    "has an unknown value": (lambda state: {**state, "2": torch.ones(1)}, "'2' unknown"),
    "has another shape at the end": (put("1.bias", lambda value: value[:1]), r"\(1,\), not \(2,\)"),
    "has no tensors": (put("1.bias", lambda value: value.tolist()), "list, no tensor"),
    "is the network itself": (lambda state: nn.Linear(3, 4), "no state dictionary"),
    "is None": (lambda state: None, "no state dictionary"),
    "is empty": (lambda state: {}, "and 3 more missing"),
    "has whole numbers": (put("0.bias", lambda value: value.long()), "int64, not float32"),
}

NETWORKS: list[Row] = [
    *[
        refused(
            f"shipped weights that {what}, with the right checksum",
            lambda folder, c=change: with_tensors(c, folder),
            words,
            Refused,
        )
        for what, (change, words) in ODD_WEIGHTS.items()
    ],
    *[
        refused(
            f"a state that {what} for a network that is to stay whole",
            lambda folder, s=state: filled(s),
            words,
        )
        for what, (state, words) in ODD_STATES.items()
    ],
    refused("kept weights of another network", of_another_network, "deleted?.*again", Refused),
    refused(
        "a checkpoint whose second network is another",
        lambda folder: restored(nn.Linear(3, 5).state_dict()),
        "The checkpoint's two is another network: weight is",
    ),
    refused(
        "a checkpoint without the second network",
        lambda folder: restored(None),
        "The checkpoint's two is another network",
    ),
]

# Images that ship


def with_image(change, folder):
    file = shipped_image_of(folder).with_suffix(".jpg")
    file.write_bytes(change(file.read_bytes()))
    return images.load("sheet", folder)


def signed_text(folder):
    card_file = shipped_image_of(folder)
    card_file.with_suffix(".jpg").write_bytes(b"no image")
    card = json.loads(card_file.read_bytes())
    card_file.write_bytes(resigned({**card, "sha256": cards._checksum(b"no image")}))
    return images.load("sheet", folder)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


IMAGES: list[Row] = [
    *[
        refused(
            f"an image that ships and {what}",
            lambda folder, c=change: with_image(c, folder),
            "sheet.jpg is damaged",
            Refused,
        )
        for what, change in {
            "has a flipped bit": flipped,
            "was cut": lambda content: content[:-9],
            "was replaced": lambda content: plots.png(numpy.zeros((8, 8, 3), numpy.uint8)),
            "is empty": lambda content: b"",
        }.items()
    ],
    refused("text that ships as an image", signed_text, "sheet.jpg is no image", Refused),
    works(
        "the image that ships",
        lambda folder: images.load("01_gallery").shape,
        lambda shape: shape[2] == 3,
    ),
]

# The package installed alone (tests/test_installed.py installs it)


def installed_in(folder, here):
    """The folder of runs where the package lies in site-packages, and `here` is the current one."""
    os.chdir(here)
    with mock.patch.object(
        lab, "__file__", str(folder / "site-packages/course_utils/session/lab.py")
    ):
        return lab.course_folder()


def clone_in(folder) -> Path:
    (folder / "clone" / "notebooks" / "deep").mkdir(parents=True)
    (folder / "clone" / "pyproject.toml").write_text("", encoding="utf-8")
    return folder / "clone"


INSTALLED: list[Row] = [
    works(
        f"a package installed alone, used in {where or 'a clone'}",
        lambda folder, w=where: installed_in(folder, clone_in(folder) / w).name,
        lambda name: name == "clone",
    )
    for where in ("", "notebooks", "notebooks/deep")
] + [
    works(
        "a package installed alone, used where there is no clone",
        lambda folder: installed_in(folder, folder) == folder,
        lambda same: same,
    ),
    works(
        "what ships, in a package that was installed alone",
        lambda folder: packed_in(folder),
        lambda found: found,
    ),
]


def packed_in(folder):
    with mock.patch.object(cards, "PACKED", folder):
        return weights.weights_folder() == folder / "weights"


# What widgets say

TAG = "<img src=x onerror=alert(1)>"
GREY = numpy.full((8, 8, 3), 128, numpy.uint8)


def grey(**state):
    return GREY


def failing(error):
    """A function that draws once, and then fails."""
    calls = []

    def draw(*arguments, **state):
        calls.append(state)
        if len(calls) > 1:
            raise error
        return GREY

    return draw


def said_by_explorer(error):
    view = widgets.explore(failing(error), "Grey.", side=(0, 4, 1, 0))
    with contextlib.suppress(type(error)):
        view.set(side=2)
    assert view.view.layout.display == "none"  # the image of another position
    return view.message.value


def said_by_picker(error):
    picker = widgets.ImagePicker(failing(error), "Grey.", first=plots.png(GREY), shape=(3, 8, 8))
    with contextlib.suppress(type(error)):
        picker.offer(plots.png(GREY))
    return picker.message.value


def said_by_caption_box(error):
    known = Vocabulary(["a red house"])
    box = widgets.CaptionBox(failing(error), known, ["a red house"], {}, "Grey.")
    with contextlib.suppress(type(error)):
        box.write("a house")
    return box.message.value


def said_by_studio(error):
    def paint(*arguments):
        raise error

    studio = widgets.StyleStudio(paint, plots.png(GREY), plots.png(GREY), "Grey.", size=8)
    with contextlib.suppress(type(error)):
        studio.press()
    return studio.message.value


def unknown_word(folder):
    known = Vocabulary(["a red house"])
    box = widgets.CaptionBox(lambda *arguments: GREY, known, ["a red house"], {}, "Grey.")
    box.write(TAG)
    return box.message.value


def file_with_a_tag(folder):
    (folder / "<b>").write_bytes(b"no image")
    picker = widgets.ImagePicker(lambda image: GREY, "Grey.", first=plots.png(GREY))
    picker.offer(folder / "<b>")
    return picker.message.value


ERRORS = {
    "a tag": (ValueError(f"class {TAG}"), lambda said: "<" not in said and "&lt;img" in said),
    "a tag in a key": (KeyError(TAG), lambda said: "<" not in said and "'" not in said),
    "a line break": (OSError("two\nlines\x1b[31m"), lambda said: r"two\nlines\x1b[31m" in said),
    "half a letter": (ValueError("\udcff"), lambda said: r"\udcff" in said),
    "text that turns round": (ValueError("a\u202egpj.exe"), lambda said: "\u202e" not in said),
    "nothing": (AssertionError(), lambda said: said.endswith("AssertionError")),
    "a whole array": (ValueError("0, " * 9_999), lambda said: len(said) <= 400),
}
SPEAKERS = {
    "explorer": said_by_explorer,
    "image picker": said_by_picker,
    "caption box": said_by_caption_box,
    "style studio": said_by_studio,
}

MESSAGES: list[Row] = [
    *[
        works(
            f"an error that says {what}, in the {speaker}",
            lambda folder, s=said, e=error: s(e),
            holds,
        )
        for what, (error, holds) in ERRORS.items()
        for speaker, said in SPEAKERS.items()
    ],
    works("a tag as a word of a sentence", unknown_word, lambda said: "<" not in said),
    works("a file whose name is a tag", file_with_a_tag, lambda said: said and "<" not in said),
    works(
        "a slider whose name is a tag",
        lambda folder: widgets.explore(grey, "Grey.", **{TAG: [1, 2]}).sliders[TAG].description,
        lambda label: "<" not in label,
    ),
    works(
        "a line break in a table",
        lambda folder: two_lines(),
        lambda lines: len(lines) == 3,
    ),
]


def two_lines():
    table = Table({"loss": "low"}, "network")
    table.add("two\nlines", loss=1)
    return repr(table).splitlines()


# What `explore` is given

ODD_DRAWN = {
    "floats": numpy.zeros((8, 8, 3)),
    "no colours": numpy.zeros((8, 8), numpy.uint8),
    "four colours": numpy.zeros((8, 8, 4), numpy.uint8),
    "channels first": numpy.zeros((3, 8, 8), numpy.uint8),
    "several images": numpy.zeros((2, 8, 8, 3), numpy.uint8),
    "an empty image": numpy.zeros((0, 8, 3), numpy.uint8),
    "truth values": numpy.zeros((8, 8, 3), bool),
    "None": None,
    "a tensor": torch.zeros(3, 8, 8),
    "a figure": plots.Figure(GREY, "Grey."),
    "a list": [[[0, 0, 0]]],
    "a path": Path("image.png"),
    "bytes": b"\x89PNG",
}


def drawn_later(image):
    """What is shown where the second image is of the wrong kind."""
    view = widgets.explore(lambda side: GREY if side == 0 else image, "G.", side=(0, 4, 1, 0))
    with contextlib.suppress(TypeError):
        view.set(side=2)
        return "nothing was raised"
    return view.message.value


ODD_CONTROLS = {
    "a step of 0": (0, 4, 0, 0),
    "a step backwards": (0, 4, -1, 0),
    "a step that does not fit": (0, 4, 5, 0),
    "low above high": (4, 0, 1, 2),
    "low equal to high": (3, 3, 1, 3),
    "a start outside": (0, 4, 1, 9),
    "a start that is NaN": (0.0, 1.0, 0.1, float("nan")),
    "no end": (0.0, float("inf"), 1.0, 0.0),
    "text for numbers": ("0", "4", "1", "0"),
    "truth values": (False, True, True, False),
    "three numbers": (0, 4, 1),
    "one choice": ["only"],
    "no choice": [],
    "one pair": [("only", 1)],
    "an array of one": numpy.array([3]),
    "None": None,
    "text": "abc",
    "a set": {1, 2},
    "a box of ipywidgets": ipywidgets.VBox(),
}


def chosen(control, name="kind"):
    """(what draw was given for each position, the state, the labels) of a list of choices."""
    given = []

    def draw(kind):
        given.append(kind)
        return numpy.full((8, 8, 3), len(given), numpy.uint8)

    view = widgets.explore(draw, "Grey.", kind=control)
    for position in range(1, len(view.sliders["kind"].options)):
        view.sliders["kind"].value = position
    return given, view, [label for label, _ in view.sliders["kind"].options]


def second_of_arrays(folder):
    choices = [torch.zeros(2), torch.ones(2)]
    view = widgets.explore(lambda kind: GREY, "Grey.", kind=choices).set(kind=choices[1])
    return view.state["kind"]


def set_many(folder):
    """The second value is refused: the first slider must not have moved."""
    view = widgets.explore(grey, "Grey.", one=(0, 4, 1, 0), two=(0, 4, 1, 0))
    try:
        view.set(one=3, two=9)
    finally:
        assert view.state == {"one": 0, "two": 0}


def type_of_given(control, **moved):
    seen = []

    def draw(side):
        seen.append(side)
        return GREY

    widgets.explore(draw, "Grey.", side=control).set(**moved)
    return type(seen[-1]), seen[-1]


SLIDERS: list[Row] = [
    *[
        refused(
            f"{what} drawn by a function of explore",
            lambda folder, i=image: widgets.explore(lambda side: i, "Odd.", side=(0, 4, 1, 0)),
            "What was drawn is .*it must be bytes",
            TypeError,
        )
        for what, image in ODD_DRAWN.items()
    ],
    *[
        works(
            f"{what} drawn when a slider is moved",
            lambda folder, i=image: drawn_later(i),
            lambda said: said.startswith("This position cannot be drawn: What was drawn is "),
        )
        for what, image in ODD_DRAWN.items()
    ],
    *[
        refused(
            f"a control that is {what}",
            lambda folder, c=control: widgets.explore(grey, "Grey.", side=c),
            "The control 'side' (is|goes from)",
            ValueError,
        )
        for what, control in ODD_CONTROLS.items()
    ],
    refused("no controls", lambda folder: widgets.explore(grey, "Grey."), "nothing to move"),
    refused(
        "draw that is no function",
        lambda folder: widgets.explore(GREY, "Grey.", side=(0, 4, 1, 0)),
        "ndarray.*give a function",
    ),
    refused(
        "the image in place of the function that draws it",
        lambda folder: widgets.explore(None, "Grey.", side=(0, 4, 1, 0)),
        "None; give a function",
    ),
    refused(
        "a slider that draw does not take",
        lambda folder: widgets.explore(lambda side: GREY, "Grey.", sides=(0, 4, 1, 0)),
        "cannot be called with sides: ",
    ),
    refused(
        "an argument of draw without a slider",
        lambda folder: widgets.explore(lambda side, up: GREY, "Grey.", side=(0, 4, 1, 0)),
        "cannot be called with side: .*up",
    ),
    refused(
        "no description",
        lambda folder: widgets.explore(grey, None, side=(0, 4, 1, 0)),
        "description is None",
    ),
    *[
        refused(
            f"a whole slider set to {value!r}",
            lambda folder, v=value: widgets.explore(grey, "G.", side=(0, 4, 1, 0)).set(side=v),
            "side has no position",
        )
        for value in (2.5, 9, -1, "2", None, float("nan"), True, [2], torch.ones(2))
    ],
    refused("a value outside beside a good one", set_many, "two has no position 9"),
    *[
        works(
            f"{kind} as numbers of a control",
            lambda folder, m=make: type_of_given(tuple(map(m, (0, 4, 1, 2))), side=m(3)),
            lambda given: given == (int, 3),
        )
        for kind, make in {
            "NumPy's whole numbers": numpy.int64,
            "NumPy's bytes": numpy.uint8,
            "tensors of one whole number": torch.tensor,
            "arrays of one whole number": numpy.array,
        }.items()
    ],
    works(
        "NumPy's fractions as numbers of a control",
        lambda folder: type_of_given(tuple(map(numpy.float32, (0, 1, 0.5, 0))), side=0.5),
        lambda given: given == (float, 0.5),
    ),
    works(
        "choices as pairs of label and value",
        lambda folder: chosen([("light", 0.9), ("dark", 0.1)]),
        lambda made: made[0] == [0.9, 0.1] and made[2] == ["light", "dark"],
    ),
    works(
        "choices as a dictionary",
        lambda folder: chosen({"light": 0.9, 2: 0.1}),
        lambda made: made[0] == [0.9, 0.1] and made[2] == ["light", "2"],
    ),
    works(
        "None among the choices, and first",
        lambda folder: chosen([None, "some"]),
        lambda made: made[0] == [None, "some"] and made[2] == ["None", "some"],
    ),
    works(
        "arrays and tensors as choices",
        lambda folder: chosen([numpy.zeros(3), torch.ones(2, 2), GREY]),
        lambda made: made[0][2] is GREY and made[2] == ["choice 1", "choice 2", "choice 3"],
    ),
    works("a tensor that is chosen from code", second_of_arrays, lambda tensor: tensor.sum() == 2),
    works(
        "an array as the choices",
        lambda folder: chosen(numpy.array([3, 5, 8])),
        lambda made: made[0] == [3, 5, 8] and type(made[0][0]) is int,
    ),
    works(
        "a range as the choices", lambda folder: chosen(range(3)), lambda made: made[0] == [0, 1, 2]
    ),
    works(
        "choices that are equal, and pairs of numbers",
        lambda folder: chosen([(1, 2), (1, 2), (3, 4)]),
        lambda made: made[0] == [(1, 2), (1, 2), (3, 4)],
    ),
    works(
        "labels with line breaks, and long ones",
        lambda folder: chosen(["two\nlines", "x" * 99]),
        lambda made: made[2] == [r"two\nlines", "choice 2"] and made[0][0] == "two\nlines",
    ),
    works(
        "a text field of ipywidgets as a control",
        lambda folder: widgets.explore(grey, "G.", word=ipywidgets.Text("a")).set(word="b").state,
        lambda state: state == {"word": "b"},
    ),
]

# Claims and tables: what a cell says of itself


def added(**measures):
    return Table({"loss": "low"}).add("network", **measures)


SAYINGS: list[Row] = [
    *[
        refused(
            f"a claim that holds {holds!r}",
            lambda folder, h=holds: claim("two is even", h),
            "A claim needs one truth value|against thresholds",
        )
        for holds in (1, 0.0, None, "yes", [True], torch.ones(2) > 0, numpy.array([True, False]))
    ],
    *[
        refused(
            f"a claim with {figures!r} for figures",
            lambda folder, f=figures: claim("two is even", True, f),
            "figures are text",
        )
        for figures in (2, None, ["2"], torch.ones(1))
    ],
    refused("a claim that is no sentence", lambda folder: claim(None, True), "is a sentence"),
    refused("figures in brackets", lambda folder: claim("so", True, "[2]"), "square brackets"),
    works(
        "a claim that one NumPy value bears out",
        lambda folder: claim("so", numpy.array([2]).all()),
        lambda result: result is None,
    ),
    *[
        refused(
            f"{number!r} in a table",
            lambda folder, n=number: added(loss=n),
            "loss is .*one number",
        )
        for number in ("good", "2", None, [1.0], torch.ones(2), 2j, True)
    ],
    refused("NaN in a table", lambda folder: added(loss=torch.nan), "no number for loss"),
    refused("a measure of no column", lambda folder: added(lost=1.0), "the columns are"),
    works(
        "a tensor of one number in a table",
        lambda folder: added(loss=torch.tensor(2)),
        lambda result: result is None,
    ),
]

ROWS: list[Row] = [
    *SETTINGS,
    *CONSOLES,
    *CARDS,
    *NETWORKS,
    *IMAGES,
    *INSTALLED,
    *MESSAGES,
    *SLIDERS,
    *SAYINGS,
]
