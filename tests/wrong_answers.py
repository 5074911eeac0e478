"""What the tests of all exercise checks share: what a check has to say of an answer."""

from itertools import combinations

import pytest
import torch

from course_utils.exercises.checking import near


def wrong_answers(hints):
    """From check -> [(answer, hint)] to one (check, answer, hint) a test."""
    return [
        pytest.param(check, answer, hint, id=f"{check.__name__[6:]}-{hint}")
        for check, answers in hints.items()
        for answer, hint in answers
    ]


def passes(check, answer, capsys):
    """A right answer passes, and the check has no value that a cell would show."""
    assert check(answer) is None
    said = capsys.readouterr().out
    assert said.startswith("✔ Exercise"), said


def gets_hint(check, answer, hint, capsys):
    """A wrong answer fails with this hint."""
    assert check(answer) is None
    said = capsys.readouterr().out
    assert said.startswith("✘ Exercise") and hint in said, said


def says_what_stopped(check, capsys):
    """A stub is not attempted, a crash is told, and only a function can be checked."""
    check(lambda *given: ...)
    assert "not attempted" in capsys.readouterr().out
    check(lambda *given: given[0].nothing)
    assert "stopped with AttributeError" in capsys.readouterr().out
    check(lambda: 1)
    assert "stopped with TypeError" in capsys.readouterr().out
    check(None)
    assert "a function is needed" in capsys.readouterr().out


def gets_some_hint(check, nonsense, capsys):
    """Whatever a student's function returns, the check says what is wrong and does not stop."""
    check(lambda *given: nonsense)
    assert capsys.readouterr().out.startswith("✘ Exercise")


def leaves_the_dice_alone(check, answer, capsys, seed=1):
    """A check that draws random numbers does not change those of the notebook."""
    torch.manual_seed(seed)
    expected = torch.rand(2)
    torch.manual_seed(seed)
    passes(check, answer, capsys)
    assert torch.equal(torch.rand(2), expected)


def are_told_apart(results):
    """Of [(tensor, hint)] no two with different hints are near: no mistake is taken for another."""
    for (first, hint), (second, other) in combinations(results, 2):
        if first.shape == second.shape and hint != other:
            assert not near(first, second), (hint, other)
