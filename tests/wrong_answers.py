"""What the tests of all exercise checks share: what a check has to say of an answer."""

import pytest


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
