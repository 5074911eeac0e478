"""Marking a folder of submissions, some of each kind; `tests/make_submissions.py` has them all."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.authoring.grading import encoding, finding, handed_in, reporting
from course_utils.authoring.grading.comparing import Checks, judge, varied, with_other_cases
from course_utils.authoring.grading.duplicates import duplicates
from course_utils.authoring.grading.grade import grade
from course_utils.authoring.grading.handed_in import Student
from course_utils.authoring.grading.handin import handin
from course_utils.authoring.grading.marking import Marker
from course_utils.authoring.grading.rooms import Limits, Room, furnish
from course_utils.authoring.notebooks import ROOT, NotebookError
from tests import answers, make_submissions
from tests.make_submissions import RIGHT_FIELD, START, known, notebook, wrong_verdicts

SOME = {
    START,
    "03_vae_latent_space",
    f"{START}, 1",
    "a crash of Python",
    "markup in its error",
    "a cell that is not Python",
    "while True",
    "a large tensor",
    "a deleted cell",
    "renamed, and checked under that name",
    "helpers in another cell",
    "saved to 30.0%",
    "a PDF",
    "another lesson",
    "two files of one student, 1",
    "two files of one student, 2",
    "a folder of Moodle",
    "the check replaced",
    "an object that equals everything",
    "a tensor that equals everything",
    "written into the channel",
    "the reference by its name",
    "the source of the check read",
    "the answers of the known cases",
    "os._exit after atexit",
}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="told by Linux's /proc")


def of_kind(*kinds):
    return [one for kind in kinds for one in kind()]


def some_submissions():
    everything = of_kind(
        make_submissions.right_answers,
        make_submissions.failures,
        make_submissions.moved,
        make_submissions.files,
        make_submissions.cheats,
    )
    everything.append(next(make_submissions.named_mistakes()))
    return [one for one in everything if one.what in SOME]


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """(submissions, their folder, the table) after one run."""
    here = tmp_path_factory.mktemp("class")
    made = make_submissions.make(here / "in", some_submissions())
    (here / "in" / "Empty Erika_9999_assignsubmission_file_").mkdir()
    assert {one.what for one in made} == SOME
    assert grade(here / "in", out=here / "marks.csv", seconds=5) == 0
    return made, here / "in", here / "marks.csv"


def rows_of(table):
    with open(table, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_verdict_is_right_and_nothing_is_lost(marked):
    made, _, table = marked
    assert not wrong_verdicts(made, table)
    empty = [row for row in rows_of(table) if row["name"].startswith("Empty Erika")]
    assert [row["hint"] for row in empty] == ["the folder is empty."]
    twice = [row for row in rows_of(table) if row["name"] == "twicetom"]
    assert all("One of 2 files for this lesson" in row["note"] for row in twice)


def left_over():
    """Processes that answer, or did."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(b"answering.main()" in word for word in words):
            found.append((int(place.parent.name), b" ".join(words)))
    return found


def ours(processes, folder):
    return [one for one in processes if str(folder).encode() in one[1]]


def test_it_goes_on_where_it_was_and_marks_what_has_changed(marked, capsys):
    _, folder, table = marked
    before = table.read_bytes()
    capsys.readouterr()
    assert grade(folder, out=table, seconds=5) == 0
    assert "files are marked already" in capsys.readouterr().out
    assert table.read_bytes() == before
    changed = next(folder.glob("emptyemil*"), None) or next(folder.glob("paulpdf*"))
    content = changed.read_bytes()
    changed.write_bytes(b"")
    assert grade(folder, out=table, seconds=5) == 0
    assert "   1/1 " in capsys.readouterr().out
    assert any(row["hint"] == "the file is empty." for row in rows_of(table))
    changed.write_bytes(content)
    assert grade(folder, out=table, seconds=5) == 0
    assert table.read_bytes() == before


def test_a_table_that_somebody_has_worked_on_is_not_replaced(marked):
    _, folder, table = marked
    before = table.read_bytes()
    table.write_bytes(before + b"mine\n")
    with pytest.raises(NotebookError, match="worked on since"):
        grade(folder, out=table, seconds=5)
    table.write_bytes(before)


def test_pages_show_what_students_wrote_as_text(marked):
    _, _, table = marked
    pages = list((table.with_suffix(".grading") / "students").glob("*.html"))
    pages += [table.with_suffix(".grading") / "summary.html"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert "&lt;script&gt;" in text and "<script" not in text
    mistakes = rows_of(table.with_suffix(".grading") / "mistakes.csv")
    assert any("joint densities" in row["mistake"] for row in mistakes)


def test_no_cell_of_the_table_is_a_formula():
    text = reporting.table([{"name": "=1+1", "hint": "@x", "note": "a=1"}])
    assert "'=1+1" in text and "'@x" in text and ",a=1" in text


@LINUX
def test_a_run_that_is_killed_goes_on_and_leaves_no_process(tmp_path):
    folder = tmp_path / "in"
    loop = make_submissions.FIELD + "while True: pass"
    for number, source in enumerate((RIGHT_FIELD, loop, RIGHT_FIELD)):
        content = nbformat.writes(notebook(START, {3: source})).encode()
        folder.mkdir(exist_ok=True)
        (folder / f"student{number}_1_{number}_{START}.ipynb").write_bytes(content)
    table = tmp_path / "marks.csv"
    command = [sys.executable, "-m", "course_utils", "grade", folder, "--out", table]
    run = subprocess.Popen([*command, "--seconds", "300"], cwd=ROOT, stdout=subprocess.DEVNULL)
    kept = table.with_suffix(".grading") / "kept"
    state = table.with_suffix(".grading") / "state.json"
    end = time.monotonic() + 120
    while time.monotonic() < end and not list(kept.glob("*.json")):
        time.sleep(0.1)
    room = json.loads(state.read_text(encoding="utf-8"))["room"]
    assert ours(left_over(), room)
    run.send_signal(signal.SIGKILL)
    run.wait()
    end = time.monotonic() + 20
    while time.monotonic() < end and ours(left_over(), room):
        time.sleep(0.1)
    assert not ours(left_over(), room)
    assert grade(folder, out=table, seconds=3) == 0
    verdicts = {
        (row["name"], row["verdict"]) for row in rows_of(table) if "field" in row["exercise"]
    }
    assert verdicts == {("student0", "right"), ("student1", "wrong"), ("student2", "right")}
    assert not os.path.exists(room) and not ours(left_over(), room)


# Where answers run


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    place = tmp_path_factory.mktemp("room")
    furnish(place)
    return place


@pytest.mark.parametrize(("forks", "world"), [(False, False), (sys.platform == "linux", False)])
def test_answers_are_held_without_a_world_of_their_own(furnished, tmp_path, forks, world):
    python_only = ["the source of the check read", "sys.exit", "the answer from the network"]
    if forks:
        python_only += ["children that outlive it", "another program that has the reference"]
    chosen = [one for one in make_submissions.cheats() if one.what in python_only]
    assert len(chosen) == len(python_only)
    made = notebook(START, {3: RIGHT_FIELD})
    with Room(furnished, limits=Limits(5), forks=forks, world=world) as room:
        marker = Marker(room, known(), seed=1)
        for one in chosen:
            (tmp_path / "x.ipynb").write_bytes(one.content)
            verdict = marker.mark(tmp_path / "x.ipynb", "x.ipynb")[2]
            assert verdict.verdict == "wrong", (one.what, verdict)
        (tmp_path / "x.ipynb").write_text(nbformat.writes(made), encoding="utf-8")
        assert marker.mark(tmp_path / "x.ipynb", "x.ipynb")[2].verdict == "right"
    assert not list(furnished.glob("work-*"))
    if sys.platform == "linux":
        assert not ours(left_over(), furnished)


# What processes tell each other


@pytest.mark.parametrize(
    "value",
    [
        None, ..., True, 3, -(2**70), 0.5, float("inf"), [1, (2.0, [True])], torch.ones(2, 3),
        torch.zeros(0, 2), torch.tensor(3), torch.tensor([True, False]), torch.ones(2).double(),
    ],
)  # fmt: skip
def test_values_come_back_as_they_were(value):
    encoder = encoding.Encoder()
    tree = json.loads(json.dumps(encoder.tree(value)))
    found = encoding.Decoder(b"".join(encoder.parts)).value(tree)
    assert type(found) is type(value)
    same = torch.equal(found, value) if isinstance(value, torch.Tensor) else found == value
    assert same and getattr(found, "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize(
    "tree",
    [
        3, None, {}, {"t": "pickle"}, {"t": "tensor"}, {"t": "list", "v": 3},
        {"t": "int", "v": "1" * 10**4}, {"t": "int", "v": "x"}, {"t": "other", "name": 3},
        {"t": "tensor", "d": "float32", "s": [4], "o": 0},
        {"t": "tensor", "d": "float32", "s": [-1], "o": 0},
        {"t": "tensor", "d": "float32", "s": [1], "o": -4},
        {"t": "tensor", "d": "object", "s": [1], "o": 0},
        {"t": "tensor", "d": "float32", "s": [True], "o": 0},
        {"t": "huge", "s": [2**60, 2**60]}, {"t": "meta", "s": "x"},
    ],
)  # fmt: skip
def test_what_no_honest_process_sends_is_refused(tree):
    with pytest.raises(encoding.BadMessage):
        encoding.Decoder(bytes(8)).value(tree)


@pytest.mark.parametrize(
    "raw", [b"right" * 9, encoding.FRAME.pack(encoding.MAGIC, 2**31, 0),
            encoding.FRAME.pack(encoding.MAGIC, 2, 2**60) + b"{}",
            encoding.FRAME.pack(encoding.MAGIC, 2, 0) + b"[]",
            encoding.FRAME.pack(encoding.MAGIC, 2, 0) + b"\xff\xfe"],
)  # fmt: skip
def test_bytes_that_are_no_message_are_refused(raw):
    left = memoryview(raw)

    def read(count):
        nonlocal left
        part, left = left[:count], left[count:]
        return bytes(part)

    with pytest.raises(encoding.BadMessage):
        encoding.read_frame(read)


# Verdicts


class Here:
    """An answer in this process."""

    gone, unsendable = None, ""

    def __init__(self, function):
        self.function = function

    def __call__(self, *given):
        return self.function(*given)


def test_the_solutions_are_right_for_other_numbers_too():
    checks = [Checks(), Checks(4321)]
    for name, (check, function) in answers.solutions().items():
        lesson, _, exercise = name.partition("-")
        verdict = judge(Here(function), lesson, f"check_{exercise}", checks, seed=5)
        assert verdict.verdict == "right", (name, verdict)
        if hasattr(check, "reference"):
            other = with_other_cases(check, checks[1], lesson, f"check_{exercise}", 5)
            assert other is not None, f"nobody can ask {name} about other numbers"


def test_whole_numbers_keep_the_order_that_all_given_ones_have():
    found = varied([(10, 3), (9, 4), (12, 12)], lambda blocks, deleted: blocks - deleted, seed=1)
    assert len(found) == 8 and all(blocks >= deleted for blocks, deleted in found)
    assert not set(found) & {(10, 3), (9, 4), (12, 12)}


# Finding


def test_only_what_an_answer_needs_is_run():
    more = (
        "import torch, math\nmodel = train()\nK = 2\nK = K + 1\n\n\ndef twice(x):\n    return K * x"
    )
    made = notebook(START, {3: "def receptive_field(layers):\n    return twice(1)"}, more)
    found = finding.find(made, known()[START])[2]
    code = [source for _, source in found.code]
    assert code == ["K = 2", "K = K + 1", "def twice(x):\n    return K * x",
                    "def receptive_field(layers):\n    return twice(1)"]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "name", "number", "original"),
    [
        (["doejane_123_456_03_vae.ipynb"], "Jane Doe", "123", "03_vae.ipynb"),
        (["doejane_LATE_123_456_03_vae-2.ipynb"], "Jane Doe", "123", "03_vae.ipynb"),
        (["Jane Doe_99_assignsubmission_file_", "a.ipynb"], "Jane Doe", "123", "a.ipynb"),
        (["Jane Doe_99_assignsubmission_file_a.ipynb"], "Jane Doe", "123", "a.ipynb"),
        (["Doe, Jane", "a.ipynb"], "Jane Doe", "123", "a.ipynb"),
        (["03_vae_jane_doe.ipynb"], "Jane Doe", "123", "03_vae_jane_doe.ipynb"),
        (["oztürkzoe_7_8_a.ipynb"], "Zoë Öztürk", "7", "a.ipynb"),
        (["somebody_5_6_a.ipynb"], "somebody", "5", "a.ipynb"),
    ],
)
def test_names_are_read_as_platforms_write_them(tmp_path, parts, name, number, original):
    path = tmp_path.joinpath(*parts)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    students = [Student("Jane Doe", "123"), Student("Zoë Öztürk", "7")]
    (found,) = handed_in.handed_in(tmp_path, students)
    assert (found.student.name, found.student.id, found.original) == (name, number, original)
    assert found.in_roster == (name != "somebody")


def test_the_roster_tells_who_handed_in_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "doejane_123_456_x.ipynb").touch()
    people = tmp_path / "people.csv"
    people.write_text("Last name;First name;ID\nDoe;Jane;123\nRoe;Rick;7\n", encoding="utf-8-sig")
    assert grade(tmp_path / "in", people, tmp_path / "marks.csv") == 0
    said = {row["name"]: (row["verdict"], row["id"]) for row in rows_of(tmp_path / "marks.csv")}
    assert said == {"Jane Doe": ("unreadable", "123"), "Rick Roe": ("nothing handed in", "7")}


def test_the_same_code_is_listed_and_what_was_handed_out_is_not():
    field = "def receptive_field(layers):\n    size, step = 1, 1\n    for f, s in layers:\n"
    field += "        size += (f - 1) * step\n        step *= s\n    return size"
    renamed = field.replace("size", "r").replace("step", "q") + "  # all my own work"
    other = field.replace("size += (f - 1) * step", "size = size + step * (f - 1)")
    handed_out = max(known()[START].code, key=len)
    codes = {"A": field, "B": renamed, "C": other, "D": handed_out, "E": handed_out}
    given = [(START, "3", name, f"{name}.ipynb", code) for name, code in codes.items()]
    (same,) = duplicates(given, known())
    assert same.names == ("A", "B")


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_with_nothing_in_it_is_told(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotebookError, match="is no folder|no submissions"):
        grade(tmp_path / folder, out=tmp_path / "marks.csv")


# The student's side


def test_a_notebook_that_runs_is_packed_and_one_that_fails_is_not(tmp_path, capsys):
    source = "from course_utils.exercises import start_here as exercises\n"
    source += RIGHT_FIELD + "\n\n\nexercises.check_receptive_field(receptive_field)"
    source += "\nexercises.progress()"
    path = tmp_path / "mine.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), path)
    assert handin(str(path), tmp_path / "out") == 0
    assert "1 of 1 exercises are right" in capsys.readouterr().out
    packed = handed_in.notebook_of(tmp_path / "out" / "mine.zip")
    assert packed.cells[0].source == source
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), path)
    with pytest.raises(NotebookError, match="Nothing was packed"):
        handin(str(path), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_progress_shows_what_is_solved(capsys):
    from course_utils.exercises import vae_latent_space as exercises

    exercises.check_kl(exercises.check_kl.reference)
    exercises.check_reparameterise(lambda mu, logvar: mu)
    capsys.readouterr()
    exercises.progress()
    said = capsys.readouterr().out
    assert "✔ Exercise 1, the KL term: right" in said and "1 of 3 exercises are solved" in said
    assert "✘ Exercise 2, the reparameterization: wrong" in said
