"""A function is known again by its text and its settings, and by nothing that changes by itself."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from course_utils.training import fingerprints

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Recipe:
    weight: float = 1.0
    game: Any = None


def squares(x):
    return x.square()


def absolutes(x):
    return x.abs()


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


def partial_by_place(setting):
    return functools.partial(given, None, setting)


WAYS = [user_of, with_default, with_keyword, partial_of, partial_by_place]
PAIRS = {
    "a number": (1.0, 2.0),
    "a word": ("squares", "absolutes"),
    "yes or no": (True, False),
    "none": (None, 0),
    "a tuple": ((10, 10), (10, 0)),
    "a list in a dict": ({"widths": [8, 16]}, {"widths": [8, 24]}),
    "a tensor": (torch.ones(3), torch.zeros(3)),
    "the size of a large tensor": (torch.ones(2_000), torch.ones(2_001)),
    "a function": (squares, absolutes),
    "a function of a library": (nn.functional.relu, nn.functional.gelu),
    "functions in a tuple": ((squares, absolutes), (absolutes, squares)),
    "a recipe": (Recipe(), Recipe(weight=2.0)),
    "a recipe of functions": (Recipe(game=squares), Recipe(game=absolutes)),
    "a partial": (functools.partial(given, 1), functools.partial(given, 2)),
    "a partial of a partial": (
        functools.partial(functools.partial(given, 1), 1),
        functools.partial(functools.partial(given, 1), 2),
    ),
    "a network of another kind": (nn.Linear(1, 1), nn.ReLU()),
    "a method of another kind": (nn.Linear(1, 1).forward, nn.ReLU().forward),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PAIRS)
def test_another_setting_makes_another_fingerprint(way, name):
    one, other = PAIRS[name]
    assert fingerprints.of_function(way(one)) == fingerprints.of_function(way(one))
    assert fingerprints.of_function(way(one)) != fingerprints.of_function(way(other))


def test_what_a_used_function_uses_counts():
    deep = [user_of(user_of(value)) for value in (1, 1, 2)]
    found = [fingerprints.of_function(function) for function in deep]
    assert found[0] == found[1] != found[2]


def test_weights_and_large_tensors_do_not_count_but_their_kind_does():
    networks = [user_of(nn.Linear(2, 2)) for _ in range(2)]
    assert len({fingerprints.of_function(step) for step in networks}) == 1
    heaps = [user_of(torch.full((2_000,), value)) for value in (0.0, 1.0)]
    assert len({fingerprints.of_function(step) for step in heaps}) == 1


def test_the_session_does_not_count_so_that_a_run_may_go_on_elsewhere(lab):
    labs = [lab, replace(lab, runs_folder=Path("elsewhere"))]
    assert len({fingerprints.of_function(user_of(some)) for some in labs}) == 1


def test_a_container_that_holds_itself_and_a_function_that_calls_itself_come_to_an_end():
    ring = [1]
    ring.append(ring)

    def again(n):
        return again(n - 1) if n else ring

    assert len(fingerprints.of_function(again)) == 64


def test_another_text_makes_another_fingerprint_also_without_a_source():
    made = {}
    for text in ("x + 1", "x + 1 ", "x + 2", "y + 1"):
        names = {"__name__": "made", "y": 3}
        exec(f"def step(x):\n    return {text}", names)
        made[text] = fingerprints.of_function(names["step"])
    assert made["x + 1"] == made["x + 1 "]
    assert len(set(made.values())) == 3


IN_ANOTHER_PROCESS = """
import functools, sys
sys.path.insert(0, "tests")
import test_fingerprints as here
from course_utils.training import fingerprints
for way in here.WAYS:
    for name in here.PAIRS:
        print(fingerprints.of_function(way(here.PAIRS[name][0])))
"""


def test_the_fingerprint_is_the_same_in_every_process():
    printed = [
        subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert len(printed[0].split()) == len(WAYS) * len(PAIRS)


def test_data_are_known_by_shape_and_content():
    heap = torch.arange(600.0).view(200, 3)
    known = fingerprints.of_data(heap)
    assert known == fingerprints.of_data(heap.clone())
    others = (heap[:199], heap.flip(0), heap + 1, heap.view(100, 6))
    assert known not in {fingerprints.of_data(other) for other in others}


def test_a_name_without_underscores():
    def _gan_step_(batch, nets, opts): ...

    assert fingerprints.name_of(_gan_step_) == "gan_step"
    assert fingerprints.name_of(functools.partial(functools.partial(_gan_step_))) == "gan_step"
