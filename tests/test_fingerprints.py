"""A step is known again by all that it computes, and by nothing that changes by itself."""

import functools
import os
import random
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from torch import nn

from course_utils import losses
from course_utils.authoring.notebooks import ROOT
from course_utils.training import fingerprints
from course_utils.training.code_reading import name_of


@dataclass
class Recipe:
    weight: float = 1.0
    loss: Any = None


class Scaled(nn.Module):
    """A network of the student's own."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale, self.line = scale, filled(nn.Linear(2, 2))

    def forward(self, x):
        return self.scale * self.line(x)


def filled(net, value=0.5):
    with torch.no_grad():
        for part in net.state_dict().values():
            part.fill_(value)
    return net


def squares(x):
    return x.square()


def absolutes(x):
    return x.abs()


@functools.lru_cache
def remembered(x):
    return squares(x)


@torch.no_grad()
def decorated(x):
    return squares(x)


def user_of(setting):
    """A function that has its setting from the function around it."""

    def step(batch):
        return setting, batch

    return step


def with_default(setting):
    def step(batch, option=setting):
        return option, batch

    return step


def with_keyword(setting):
    def step(batch, *, option=setting):
        return option, batch

    return step


def given(batch, setting):
    return setting, batch


def partial_of(setting):
    return functools.partial(given, setting=setting)


def large(*changed):
    """100,000 numbers of which some are ones."""
    values = torch.zeros(100_000)
    values[list(changed)] = 1
    return values


WAYS = [user_of, with_default, with_keyword, partial_of]
PAIRS = {
    "a number": (1.0, 2.0),
    "a number of another kind": (1, 1.0),
    "a word": ("squares", "absolutes"),
    "none": (None, 0),
    "a tuple": ((10, 10), (10, 0)),
    "a set": ({"a", "b"}, {"a", "c"}),
    "a list in a dict": ({"widths": [8, 16]}, {"widths": [8, 24]}),
    "a queue": (deque([1]), deque([2])),
    "a namespace": (SimpleNamespace(a=1), SimpleNamespace(a=2)),
    "a path": (Path("a"), Path("b")),
    "a tensor": (torch.ones(3), torch.zeros(3)),
    "the type of a tensor": (torch.ones(3), torch.ones(3, dtype=torch.double)),
    "one number of a large tensor": (large(), large(77_777)),
    "an array": (numpy.ones(3), numpy.zeros(3)),
    "a function": (squares, absolutes),
    "a function of a library": (nn.functional.relu, nn.functional.gelu),
    "functions in a tuple": ((squares, absolutes), (absolutes, squares)),
    "a dataclass": (Recipe(), Recipe(weight=2.0)),
    "a dataclass of functions": (Recipe(loss=squares), Recipe(loss=absolutes)),
    "a partial": (functools.partial(given, 1), functools.partial(given, 2)),
    "a network of another kind": (filled(nn.Linear(1, 1)), nn.ReLU()),
    "the weights of a network": (filled(nn.Linear(2, 2)), filled(nn.Linear(2, 2), 0.25)),
    "a buffer of a network": (nn.BatchNorm1d(2), filled(nn.BatchNorm1d(2))),
    "a setting of a network": (Scaled(), Scaled(2.0)),
    "whether a network is in training": (nn.Dropout(), nn.Dropout().eval()),
    "a method of a network": (Scaled().forward, Scaled(2.0).forward),
}


def of(value):
    return fingerprints.of(value)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PAIRS)
def test_another_setting_makes_another_fingerprint(way, name):
    one, other = PAIRS[name]
    assert of(way(one)) == of(way(one)) != of(way(other))


NOTEBOOK = """
import torch
from torch import nn
from course_utils import losses
import functools

CONSTANT = 1.0
TABLE = torch.zeros(5000)
FROZEN = nn.Linear(3, 3)
nn.init.ones_(FROZEN.weight), nn.init.zeros_(FROZEN.bias)

def helper(x):
    return x + CONSTANT

@functools.lru_cache
def remembered(x):
    return 1 * x

@torch.no_grad()
def still(x):
    return 2 * x

class Base(nn.Module):
    LIMIT = 4

    def encode(self, x):
        return helper(x)

class Net(Base):
    kind = property(lambda self: 5)

    @staticmethod
    def scaled(x):
        return 6 * x

    def forward(self, x):
        '''Describes.'''
        return self.encode(x)  # a comment

NET = Net()

def step(batch, nets, opts):
    loss = NET(batch).sum() + FROZEN(batch).sum() + TABLE.sum() + remembered(1) + still(batch)
    return {"loss": [losses.squared_error(part, part) for part in (loss,)]}
"""
EDITS = {
    "forward of a class": ("return self.encode(x)", "return 2 * self.encode(x)"),
    "forward of a base class": ("return helper(x)", "return -helper(x)"),
    "attribute of a base class": ("LIMIT = 4", "LIMIT = 3"),
    "property": ("self: 5", "self: 7"),
    "static method": ("6 * x", "7 * x"),
    "helper of a base class": ("x + CONSTANT", "x - CONSTANT"),
    "constant of a helper": ("CONSTANT = 1.0", "CONSTANT = 2.0"),
    "helper that is cached": ("return 1 * x", "return 3 * x"),
    "helper that is decorated by a library": ("return 2 * x", "return 3 * x"),
    "tensor of thousands": ("zeros(5000)", "ones(5000)"),
    "weights of a frozen network": ("ones_(FROZEN.weight)", "zeros_(FROZEN.weight)"),
    "class it inherits from": ("class Net(Base)", "class Net(Base, nn.Identity)"),
    "comprehension within the step": ("for part in (loss,)", "for part in (loss, loss)"),
    "function of this package": ("losses.squared_error", "losses.binary_cross_entropy"),
}


def step_of(text):
    names = {"__name__": "__main__"}
    exec(text, names)
    return names["step"]


@pytest.mark.parametrize(("old", "new"), EDITS.values(), ids=EDITS)
def test_an_edit_anywhere_in_what_a_step_reaches_makes_another_fingerprint(old, new):
    assert NOTEBOOK.count(old) == 1
    assert of(step_of(NOTEBOOK)) == of(step_of(NOTEBOOK)) != of(step_of(NOTEBOOK.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [("  # a comment", ""), ("loss = NET", "\n\n    loss = NET"), ("Describes.", "Says."),
     ("helper(x):\n    return x + CONSTANT", "helper(x): return (x + CONSTANT)")],
)  # fmt: skip
def test_comments_docstrings_and_layout_do_not_count(old, new):
    assert of(step_of(NOTEBOOK)) == of(step_of(NOTEBOOK.replace(old, new, 1)))


def test_a_function_of_this_package_is_read_and_one_of_a_library_is_not(monkeypatch):
    step = step_of(NOTEBOOK)
    before = of(step)
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: x)
    assert of(step) == before
    monkeypatch.setattr(losses, "squared_error", squares)
    assert of(step) != before


def test_a_module_of_the_student_is_read_where_it_is_used(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for used, unused in ((1, 1), (1, 2), (2, 2)):
        (tmp_path / "own_helpers.py").write_text(
            f"def used(x): return {used}\nUNUSED = {unused}\n", encoding="utf-8"
        )
        sys.modules.pop("own_helpers", None)
        import importlib

        importlib.invalidate_caches()
        sys.dont_write_bytecode = True
        module = importlib.import_module("own_helpers")
        names = {"__name__": "__main__", "own_helpers": module}
        exec("def step(x): return own_helpers.used(x)", names)
        found.append(of(names["step"]))
    assert found[0] == found[1] != found[2]


def test_what_is_trained_counts_by_its_name():
    net = nn.Linear(2, 2)
    known = {id(net): "net", id(net.weight): "net.weight"}
    step, alone = user_of(net), user_of(net.weight)
    before = fingerprints.of(step, known), fingerprints.of(alone, known)
    filled(net, 3.0)
    assert before == (fingerprints.of(step, known), fingerprints.of(alone, known))


def test_the_session_counts_by_its_seed_and_budget_so_that_a_run_may_go_on_elsewhere(lab):
    labs = [lab, replace(lab, runs_folder=Path("elsewhere"), device=torch.device("meta"))]
    assert len({of(user_of(some)) for some in labs}) == 1
    assert of(user_of(lab)) != of(user_of(replace(lab, budget="full")))


def test_what_holds_itself_comes_to_an_end():
    ring = [1]
    ring.append(ring)

    def again(n):
        return again(n - 1) if n else ring

    assert of(again) == of(again)


@pytest.mark.parametrize(
    "value",
    [iter([1, 2]), (x for x in [1]), torch.Generator(), random.Random(0), sys.stdout,
     numpy.random.default_rng(0)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_with_its_name(value):
    with pytest.raises(fingerprints.Incomparable, match="`setting`, a "):
        of(user_of(value))


def test_the_name_told_is_that_of_the_variable_that_holds_it():
    stream = iter([1])
    helper = user_of(Recipe(loss=lambda x: next(stream)))
    with pytest.raises(fingerprints.Incomparable, match="`stream`, a list_iterator, whose place"):
        of(user_of([helper]))


IN_ANOTHER_PROCESS = """
import sys
sys.path.insert(0, "tests")
import test_fingerprints as here
for way in here.WAYS:
    for name in here.PAIRS:
        print(here.of(way(here.PAIRS[name][0])))
print(here.of(here.step_of(here.NOTEBOOK)))
"""


def test_the_fingerprint_is_the_same_in_every_process():
    printed = [
        subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert len(printed[0].split()) == len(WAYS) * len(PAIRS) + 1


def test_a_name_without_underscores():
    def _gan_step_(batch, nets, opts): ...

    assert name_of(_gan_step_) == "gan_step"
    assert name_of(functools.partial(functools.partial(_gan_step_))) == "gan_step"
