"""Measured tables that ship: plain numbers, small, whole, and said so when not."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

import course_utils
from course_utils import KeptParts, shipped_table
from course_utils.shipped import tables
from course_utils.shipped.cards import Refused

HERE = Path(__file__).parent
SHIPPED = sorted(tables.tables_folder().glob("*.json"))
LARGEST = 200_000  # bytes


def measured(name="loss"):
    """How it is measured.

    And more.
    """
    return {name: torch.tensor([0.123456, 1234.56]), "rows": [(1, 20_001), "a [b]\n"], "none": []}


READ = {"loss": [0.1235, 1235.0], "rows": [[1, 20_001], "a [b]\n"], "none": []}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "tables_folder", lambda: tmp_path / "tables")
    return replace(course_utils.start("tables", seed=5), budget="full", publish=True)


def test_what_a_full_run_publishes_is_read_in_class(lab):
    classroom = replace(lab, budget="classroom")
    for name, measure, protocol in (
        ("own", measured, ""),
        ("given", partial(measured, "loss"), ""),
        ("said", measured, "In another way."),
    ):
        assert shipped_table(name, lab, measure, protocol) == READ
        assert shipped_table(name, classroom, measure) == READ
        table, card = tables.load(name)
        assert card["protocol"] == (protocol or "How it is measured.")
        assert (card["seed"], card["budget"], card["date"][:2]) == (5, "full", "20")
    text = (tables.tables_folder() / "own.json").read_text(encoding="utf-8")
    assert '  "loss": [0.1235, 1235.0],\n' in text


def test_only_the_first_process_publishes_and_only_when_told(lab, monkeypatch):
    assert shipped_table("own", replace(lab, publish=False), measured) == READ
    monkeypatch.setattr(tables.processes, "is_first", lambda: False)
    assert shipped_table("own", lab, measured) == READ
    assert not tables.tables_folder().exists()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), None, {1: 2}, measured])
def test_what_cannot_stand_in_the_file_is_refused_and_the_former_stays(lab, number):
    shipped_table("own", lab, measured)
    with pytest.raises(ValueError, match="cannot hold"):
        shipped_table("own", lab, lambda: {"loss": [number]}, "Wrongly.")
    assert tables.load("own")[0] == READ
    with pytest.raises(ValueError, match="Say how own is measured"):
        shipped_table("own", replace(lab, budget="classroom"), lambda: {})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (None, "No shipped table called own in .*COURSE_BUDGET=full"),
        (lambda text: text[:-9], "own.json is damaged; fetch it again"),
        (lambda text: text.replace('"table"', '"tables"'), "own.json is damaged; fetch"),
        (lambda text: text.replace("0.1235", "0.1236"), "its checksum differs from its card"),
    ],
)
def test_a_missing_or_damaged_table_is_refused_in_a_sentence(lab, damage, said):
    if damage:
        shipped_table("own", lab, measured)
        path = tables.tables_folder() / "own.json"
        path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(Refused, match=said):
        shipped_table("own", replace(lab, budget="classroom"), measured)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_table_that_ships_is_whole_small_and_in_the_data_readme(path):
    table, card = tables.load(path.stem)
    assert tables.plain(table) == table
    assert card["protocol"].endswith(".") and card["budget"] == "full"
    assert path.stat().st_size < LARGEST
    assert f"`{path.stem}`" in (path.parents[1] / "README.md").read_text(encoding="utf-8")


def draw(factor, plus=0.0):
    """Another number at every call; says that it is called."""
    print("made")
    return {"drawn": (factor * torch.rand(()).item() + plus, 1 / 3), "name": "a"}


def test_a_part_is_made_once_and_then_read_exactly(lab, capsys):
    capsys.readouterr()
    torch.manual_seed(3)
    made = KeptParts("own", lab)(draw, 2.0)
    again = KeptParts("own", lab)(draw, 2.0)
    assert made == again and made["drawn"][1] == 1 / 3 and made["name"] == "a"
    goes_on = "own goes on with what an earlier run had finished.\n"
    assert capsys.readouterr().out == f"made\n{goes_on}"
    assert 2 * torch.rand(()).item() == made["drawn"][0]  # the numbers are as they were found
    others = [
        KeptParts("other", lab)(draw, 2.0),
        KeptParts("own", replace(lab, seed=6))(draw, 2.0),
        KeptParts("own", replace(lab, budget="classroom"))(draw, 2.0),
        KeptParts("own", lab)(draw, 3.0),
        KeptParts("own", lab)(draw, 2.0, plus=1.0),
    ]
    assert capsys.readouterr().out == "made\n" * len(others) and made not in others


def test_a_part_of_changed_code_is_made_again(lab, capsys, monkeypatch):
    """However deep the change lies: here in what the package's own loop calls."""
    from course_utils.training import loop

    def train(net):
        course_utils.fit(step, torch.ones(4, 1), {"net": net}, lab, epochs=1, batch_size=2)
        print("made")
        return net.weight.item()

    def step(x, nets, opts):
        loss = nets.net(x).square().mean()
        opts.net.minimise(loss)
        return {"loss": loss}

    net = torch.nn.Linear(1, 1)
    weights = {key: value.clone() for key, value in net.state_dict().items()}

    def is_made():
        net.train().load_state_dict(weights)
        KeptParts("own", lab)(train, net)
        return "made\n" in capsys.readouterr().out

    assert [is_made(), is_made()] == [True, False]
    players = loop.Players
    monkeypatch.setattr(loop, "Players", lambda *given, **named: players(*given, **named))
    assert [is_made(), is_made()] == [True, False]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-9],
        lambda content: content.replace(b"0.333", b"0.334"),
        lambda content: content.replace(b'"seed": 5', b'"seed": 6'),
    ],
)
def test_a_damaged_part_is_told_of_and_made_again(lab, capsys, damage):
    made = KeptParts("own", lab)(draw, 2.0)
    (path,) = tables.parts_folder("own", lab).iterdir()
    path.write_bytes(damage(path.read_bytes()))
    capsys.readouterr()
    again = KeptParts("own", lab)(draw, 3.0 - 1.0)
    said = f"{path} is damaged or cannot be read; that part is computed again.\nmade\n"
    assert capsys.readouterr().out == said and again == made
    assert KeptParts("own", lab)(draw, 2.0) == made
    assert "made" not in capsys.readouterr().out


def test_parts_go_when_the_table_is_published(lab):
    def whole():
        """Drawn."""
        return {"all": KeptParts("own", lab)(draw, 2.0)["drawn"]}

    folder = tables.parts_folder("own", lab)
    KeptParts("own-another", lab)(draw, 2.0)
    shipped_table("own", replace(lab, publish=False), whole)
    assert folder.exists()
    shipped_table("own", lab, whole)
    assert not folder.exists() and tables.parts_folder("own-another", lab).exists()


def test_what_cannot_be_kept_is_measured_all_the_same(lab, capsys):
    kept, stream = KeptParts("own", lab), torch.Generator()
    for _ in range(2):
        assert kept(lambda: torch.rand(1, generator=stream).shape[0]) == 1
    said = "A part of own is not kept: it uses `stream`, a torch"
    assert capsys.readouterr().out.count(said) == 1
    lab.runs_folder.parent.mkdir(exist_ok=True)
    lab.runs_folder.touch()  # a file where the folder should be
    for _ in range(2):
        kept(draw, 2.0)
    told = capsys.readouterr().out
    assert told.count("made\n") == 2 and told.count("own is measured on without being kept") == 1
    assert "set COURSE_RUNS to a folder that can" in told
    with pytest.raises(ValueError, match="cannot hold nan"):
        kept(lambda: float("nan"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_table_whose_run_is_killed_twenty_times_loses_a_part_each_time_at_most(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(
        [sys.executable, HERE / "killed_table.py", tmp_path, "20", "1"],
        env=environment, capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    whole, cut = json.loads(done.stdout).values()
    assert cut["killed"] > 5 and cut["kept"] > 0
    assert cut["table"] == whole["table"] and not cut["left"]
    assert whole["made"] == 300 and 300 <= cut["made"] <= 300 + cut["killed"]
    assert cut["log"] == ["drawn goes on with what an earlier run had finished."]  # none is damaged
