"""The verdict on an answer: the lesson's own check, in this process, of numbers from another one.

A check is loaded from its file under another name, so that nothing that has happened to
`course_utils.exercises` matters, and once more with other random numbers in its cases: whoever
knows the cases of the notebook knows none of these. Cases without random numbers (whole numbers,
lists of them) are varied within what the given ones have in common.
"""

from __future__ import annotations

import importlib
import itertools
import random
import re
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import course_utils

from .rooms import Answer

EXERCISES = Path(course_utils.__file__).parent / "exercises"
NO_LIMIT = 3600.0  # seconds; the answering process has its own
ROUNDS = 3  # with other numbers; an answer that fails must fail most of them
OUT_OF_MEMORY = re.compile(r"can't allocate memory|MemoryError|[Oo]ut ?[Oo]f ?[Mm]emory|bad_alloc")
KNOWN_ONLY = "right for the numbers that the notebook's check asks about, and not for others: "
PERSON = "for a person"


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer.

    Attributes:
        verdict: right, wrong, not attempted, or for a person.
        mistake: what kind of mistake it is, the same for the same mistake; "" where right.
        hint: what is said to the student.
    """

    verdict: str
    mistake: str = ""
    hint: str = ""


class Checks:
    """The checks of all lessons, loaded from their files with random numbers of one's own.

    Args:
        shift: added to every seed of their cases; 0 gives the numbers of the notebooks.
    """

    def __init__(self, shift: int = 0):
        self.package = f"course_utils._checks_{shift:x}"
        self.shift = shift
        self.said: list[dict] = []
        if self.package not in sys.modules:
            package = types.ModuleType(self.package)
            package.__path__ = [str(EXERCISES)]
            package.__package__ = self.package
            sys.modules[self.package] = package
        self._checking = importlib.import_module(f"{self.package}.checking")
        self._checking.LIMIT = NO_LIMIT
        self._checking.random_tensor = self._random_tensor

    def _random_tensor(self, *shape: int, seed: int) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed + self.shift))

    def of(self, lesson: str, name: str) -> Callable | None:
        """A check by its lesson and its name, such as `check_kl`; None where there is none."""
        if not (EXERCISES / f"{lesson}.py").is_file():
            return None
        module = importlib.import_module(f"{self.package}.{lesson}")
        return getattr(module, name, None)

    def run(self, check: Callable, answer: Callable) -> dict:
        """The record that a check gives of an answer: "exercise", "verdict" and "words"."""
        said: list[dict] = []

        def say(line: str, **record) -> None:
            said.append(record | {"words": line.partition(": ")[2]})

        self._checking.say = say
        check(answer)
        return said[-1] if said else {"verdict": PERSON, "words": "its check says nothing."}


def judge(answer: Answer, lesson: str, name: str, checks: list[Checks], seed: int) -> Verdict:
    """The verdict on an answer.

    Args:
        answer: asks the answering process.
        lesson, name: of the check, such as "vae_latent_space" and "check_kl".
        checks: first those with the notebooks' numbers, then others with other numbers.
        seed: of the cases that are varied.
    """
    check = checks[0].of(lesson, name)
    if check is None:
        return Verdict(PERSON, "no check", f"the course has no {name} for this lesson any more.")
    verdict = _verdict(checks[0].run(check, answer), check, answer)
    if verdict.verdict != "right" or not hasattr(check, "reference"):
        return verdict
    failures = []
    for number, others in enumerate(checks[1:]):
        other = with_other_cases(check, others, lesson, name, seed + number)
        if other is None:
            break
        found = _verdict(others.run(other, answer), other, answer)
        if found.verdict != "wrong":
            if number == 0:  # one round is enough where it is right
                break
            continue
        failures.append(found)
        if answer.gone:
            break
    if failures and (answer.gone or len(failures) > ROUNDS // 2):
        hint = failures[0].hint
        if answer.gone:
            return Verdict("wrong", failures[0].mistake, hint)
        return Verdict("wrong", "right for the check's own numbers only", KNOWN_ONLY + hint)
    return verdict


def _verdict(said: dict, check: Any, answer: Answer) -> Verdict:
    words = said["words"]
    if answer.unsendable:
        hint = f"this exercise cannot be marked by a program ({answer.unsendable})."
        return Verdict(PERSON, "not marked by a program", hint)
    if answer.gone:
        kind = PERSON if answer.gone.mistake == "not started" else "wrong"
        return Verdict(kind, answer.gone.mistake, answer.gone.words)
    if said["verdict"] == "wrong":
        return Verdict("wrong", mistake_named(words, check), words)
    return Verdict(said["verdict"], "", words)


def mistake_named(words: str, check: Any) -> str:
    """A name for a mistake, the same for all who made it, from what was said of it."""
    if OUT_OF_MEMORY.search(words):
        return "needs too much memory"
    hints = {hint for _, hint in getattr(check, "mistakes", ()) if hint and hint in words}
    if hints:
        return max(hints, key=len)
    if crash := re.search(r"stopped with (\w[\w.]*)", words):
        return f"stopped with {crash[1]}"
    return re.sub(r"-?\d[\d.,]*(e[+-]?\d+)?", "#", words)[:160]


# Cases with other numbers


def with_other_cases(check, others: Checks, lesson: str, name: str, seed: int):
    """The exercise with cases that nobody has seen, or None where none can be made."""
    try:
        other = others.of(lesson, name)
    except Exception:  # numbers with which the module cannot even make its cases
        other = None
    if other is not None and any(
        not _same(one.given, two.given) for one, two in zip(check.cases, other.cases)
    ):
        return other
    given = varied([case.given for case in check.cases], check.reference, seed)
    if not given:
        return None
    base = other if other is not None else check
    return replace(base, cases=[type(check.cases[0])(each) for each in given])


def varied(given: list[tuple], reference: Callable, seed: int, count: int = 8) -> list[tuple]:
    """Other arguments than those given, within what these have in common; [] where there are none.

    Whole numbers lie between the smallest and the largest seen at their place, and two of them
    are in an order only where all given ones are; lists are made of the parts of those seen. Where
    there are tensors, the arguments stay together and only the order of their rows changes. The
    reference must make a finite result of them.
    """
    dice = random.Random(seed)
    if not given or len({len(each) for each in given}) != 1:
        return []
    found: list[tuple] = []
    for _ in range(60 * count):
        if any(map(_has_tensor, dice.choice(given))):
            made = _shuffled(dice.choice(given), dice)
        else:
            made = tuple(_part([each[at] for each in given], dice) for at in range(len(given[0])))
        known = any(_same(made, each) for each in (*given, *found))
        if any(part is None for part in made) or known or not _in_order(made, given):
            continue
        if _fits(made, reference, given):
            found.append(made)
        if len(found) == count:
            break
    return found


def _has_tensor(part) -> bool:
    return isinstance(part, Tensor) or (
        isinstance(part, list) and any(isinstance(each, Tensor) for each in part)
    )


def _shuffled(given: tuple, dice: random.Random) -> tuple:
    """The same arguments with the rows of the first tensor, and of all as long, in other order."""
    first = next(part for part in given if _has_tensor(part))
    if isinstance(first, Tensor) and not first.dim():
        return given
    order = dice.sample(range(len(first)), len(first))
    return tuple(
        ([part[at] for at in order] if isinstance(part, list) else part[order].clone())
        if _has_tensor(part) and not (isinstance(part, Tensor) and not part.dim())
        and isinstance(part, type(first)) and len(part) == len(order)
        else part
        for part in given
    )  # fmt: skip


def _part(seen: list, dice: random.Random):
    """One argument, in the manner of those seen at its place; None where that has no manner."""
    if all(type(each) is int for each in seen):
        return dice.randint(min(seen), max(seen) + (max(seen) > 1))
    if all(isinstance(each, bool) for each in seen):
        return dice.choice(seen)
    if all(isinstance(each, float) for each in seen):
        return dice.uniform(min(seen), max(seen))
    if all(isinstance(each, list) for each in seen):
        parts = [part for each in seen for part in each]
        longest = max(map(len, seen)) + 1
        return [dice.choice(parts) for _ in range(dice.randint(1, longest))] if parts else None
    return None


def _in_order(made: tuple, given: list[tuple]) -> bool:
    """Whether whole numbers are in the order in which all the given ones are."""
    whole = [at for at, part in enumerate(made) if type(part) is int]
    for one, two in itertools.permutations(whole, 2):
        if all(each[one] <= each[two] for each in given) and made[one] > made[two]:
            return False
    return True


def _fits(made: tuple, reference: Callable, given: list[tuple]) -> bool:
    try:
        found, like = torch.as_tensor(reference(*made)), torch.as_tensor(reference(*given[0]))
    except Exception:
        return False
    return bool(found.isfinite().all()) and found.dim() == like.dim()


def _same(one, two) -> bool:
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        return one.shape == two.shape and torch.equal(one, two)
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(map(_same, one, two))
    return type(one) is type(two) and one == two
