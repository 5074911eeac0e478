"""Every exercise of every lesson: stub, solution, right answers, wrong answers and their hints."""

import importlib
import re
from itertools import combinations

import pytest
import torch

from course_utils.authoring.notebooks import NOTEBOOKS, read, tags
from course_utils.authoring.variants import exercises
from course_utils.exercises.exercise import Exercise, _alike

LESSONS = {path.stem.split("_", 1)[1]: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
MODULES = {name: importlib.import_module(f"course_utils.exercises.{name}") for name in LESSONS}
IN_NOTEBOOKS = [
    pytest.param(MODULES[name], stub, call, solution, id=f"{name}-{call}")
    for name, path in LESSONS.items()
    for _, stub, call, solution in exercises(read(path))
]
CHECKS = {
    f"{lesson}-{name.removeprefix('check_')}": value
    for lesson, module in MODULES.items()
    for name, value in vars(module).items()
    if name.startswith("check_")
}
DECLARED = {name: check for name, check in CHECKS.items() if isinstance(check, Exercise)}
NONSENSE = ["three", float("nan"), torch.tensor(float("nan")), [1.0, "two"], {"a": 1}, (), object()]


def answers(kind):
    """(check, answer, ...) of tests/answers: of each lesson's `RIGHT` or `WRONG`."""
    for lesson in LESSONS:
        handed_in = getattr(importlib.import_module(f"tests.answers.{lesson}"), kind)
        for name, given in handed_in.items():
            for number, one in enumerate(given):
                answer, *hint = one if isinstance(one, tuple) else (one,)
                label = hint[0] if hint else number
                yield pytest.param(
                    CHECKS[f"{lesson}-{name}"], answer, *hint, id=f"{lesson}-{name}-{label}"
                )


def said(check, answer, capsys):
    """What a check prints; it has no value, which a cell would show below the verdict."""
    capsys.readouterr()
    assert check(answer) is None
    return capsys.readouterr().out


def run(module, call, source, capsys):
    """What the check of a notebook says of a source."""
    scope = {"torch": torch, "exercises": module}
    exec(source, scope)
    return said(lambda _: eval(call, scope), None, capsys)


def test_each_lesson_has_an_exercise_file_of_its_name_and_all_its_checks_are_used():
    for lesson, path in LESSONS.items():
        calls = " ".join(cell.source for cell in read(path).cells if "exercise" in tags(cell))
        used = set(re.findall(r"exercises\.(check_\w+)", calls))
        assert used == {name for name in vars(MODULES[lesson]) if name.startswith("check_")}


@pytest.mark.parametrize(("module", "stub", "call", "solution"), IN_NOTEBOOKS)
def test_the_stub_is_not_attempted_and_the_solution_is_right(module, stub, call, solution, capsys):
    assert re.match(r"○ Exercise .*not attempted", run(module, call, stub, capsys))
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    assert run(module, call, solution, capsys).startswith("✔ Exercise")
    assert torch.equal(torch.rand(2), expected)  # the notebook's random numbers go on as before


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_whatever_is_handed_in_the_check_says_what_is_wrong_and_does_not_stop(check, capsys):
    assert "stopped with AttributeError" in said(check, lambda *given: given[0].nothing, capsys)
    assert "stopped with TypeError" in said(check, lambda: 1, capsys)
    assert "a function is needed" in said(check, None, capsys)
    for nonsense in NONSENSE:
        line = said(check, lambda *given, it=nonsense: it, capsys)
        assert line.startswith("✘ Exercise"), nonsense


@pytest.mark.parametrize(("check", "answer"), [*answers("RIGHT")])
def test_a_right_answer_of_another_kind_passes(check, answer, capsys):
    assert said(check, answer, capsys).startswith("✔ Exercise")


@pytest.mark.parametrize(("check", "answer", "hint"), [*answers("WRONG")])
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    line = said(check, answer, capsys)
    assert line.startswith("✘ Exercise") and hint in line


@pytest.mark.parametrize(
    ("exercise", "mistake", "hint"),
    [
        pytest.param(exercise, mistake, hint, id=f"{name}-{number}")
        for name, exercise in DECLARED.items()
        for number, (mistake, hint) in enumerate(exercise.mistakes)
    ],
)
def test_every_mistake_is_refused_by_its_own_hint(exercise, mistake, hint, capsys):
    line = said(exercise, mistake, capsys)
    assert line.startswith("✘ Exercise") and hint in line


@pytest.mark.parametrize("exercise", DECLARED.values(), ids=DECLARED)
def test_no_mistake_is_taken_for_another_or_for_right(exercise):
    given = exercise.cases[0].given
    results = [("right", exercise.reference(*given))]
    results += [(hint, mistake(*given)) for mistake, hint in exercise.mistakes]
    for (hint, one), (other, two) in combinations(results, 2):
        assert hint == other or not _alike(one, two, exercise.tolerance), (hint, other)
