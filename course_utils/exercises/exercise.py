"""An exercise as data: a reference, cases to ask about, and the mistakes that people make.

Where an answer is a function of its arguments, everything that a check does follows from these
three: what is right, what a wrong answer is taken for, and its tests (`tests/test_exercises.py`
hands every mistake in as an answer, and holds that no two are taken for one another).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from .checking import Wrong, as_number, ask, attempt, check, near, plain, said_by

Mistakes = Sequence[tuple[Callable[..., Any], str]]


@dataclass(frozen=True)
class Case:
    """Arguments to ask about.

    Attributes:
        given: the arguments; the answer gets copies of tensors and lists.
        but: what to say where the answer was right so far and is wrong here, with {found} and
            {right} for the first number that is wrong; without it the mistakes are looked through.
        before: words in front of whatever is said of this case.
    """

    given: tuple
    but: str = ""
    before: str = ""


@dataclass(frozen=True)
class Exercise:
    """A question whose right answer is a function of its arguments. Calling it checks an answer.

    Attributes:
        title: printed first, such as "Exercise 1, Bayes' rule".
        reference: the right answer, (arguments) -> a tensor or a number.
        cases: what is asked, in this order; on the first, no two mistakes give the same.
        mistakes: (what is computed by mistake, what to say), looked through in this order.
        result: what the numbers of the result are, such as "one D* for each point".
        praise: said where all is right.
        shapes: (arguments) -> {a wrong shape: what to say}.
        crashes: part of a crash's message -> what it means here.
        read: what an answer returned -> what is compared (a list made a tensor, rows sorted); may
            raise `Wrong`. The reference and the mistakes give what is compared, which it leaves.
        explain: (found, right, *arguments) -> what to say of a wrong result that no mistake gives;
            without it the first arguments and the first wrong number are told.
        slopes: where the gradient to the first argument must be right as well: what to say where
            it is not.
        leaves: how many of the first arguments need a right gradient, where `slopes` is given.
        not_finite: what to do about a result that is not finite.
        also: what else must hold: each is given the answer and raises `Wrong`.
        tolerance: relative, of values.
    """

    title: str
    reference: Callable[..., Any]
    cases: Sequence[Case]
    mistakes: Mistakes
    result: str
    praise: str
    shapes: Callable[..., Mapping[tuple, str]] = lambda *given: {}
    crashes: Mapping[str, str] = field(default_factory=dict)
    read: Callable[[Any], Any] = lambda found: found
    explain: Callable[..., str] | None = None
    slopes: str = ""
    leaves: int = 1
    not_finite: str = "look for log(0) or an exp of something large."
    also: Sequence[Callable[[Callable], None]] = ()
    tolerance: float = 1e-4

    def __call__(self, answer: Callable) -> None:
        """Print one line: right, wrong and why, or not attempted."""
        check(self.title, answer, self.examine)

    def examine(self, answer: Callable) -> str:
        """The praise where an answer is right.

        Raises:
            Wrong: with the best hint there is.
        """
        for case in self.cases:
            try:
                self._compare(answer, case)
            except Wrong as hint:
                raise Wrong(f"{case.before}{hint}") from hint
        for demand in self.also:
            demand(answer)
        return self.praise

    def said_of(self, found: Any, case: Case) -> str:
        """The hint of the first mistake that gives a result, "" where none does."""
        for mistake, hint in self.mistakes:
            try:
                wrong = mistake(*case.given)
            except (RuntimeError, IndexError, ValueError):  # sizes that fit in another case
                continue
            if _alike(found, wrong, self.tolerance):
                return hint
        return ""

    def _compare(self, answer: Callable, case: Case) -> None:
        leaves = self.leaves if self.slopes else 0
        given = tuple(
            part.detach().clone().requires_grad_() if number < leaves else part
            for number, part in enumerate(case.given)
        )
        right = self.reference(*given)
        found = self.read(ask(answer, *given, names=self._names(), crashes=self.crashes))
        if not isinstance(right, Tensor):
            return self._compare_numbers(found, right, case)
        found = self._as_tensor(found, right, case)
        if not near(found.detach(), right.detach(), self.tolerance):
            raise Wrong(self._hint(found.detach(), right.detach(), case))
        for name, leaf in zip(self._names(), given[:leaves]):
            self._compare_slopes(found, right, name, leaf, case)

    def _names(self) -> Sequence[str]:
        """What the arguments are called."""
        return list(inspect.signature(self.reference).parameters)

    def _compare_numbers(self, found: Any, right: Real, case: Case) -> None:
        shape = tuple(found.shape) if isinstance(found, Tensor) else ()
        if hint := self.shapes(*case.given).get(shape):
            raise Wrong(hint)
        found = as_number(found, f"return {self.result}")
        if not _alike(found, right, self.tolerance):
            raise Wrong(self._hint(found, right, case))

    def _as_tensor(self, found: Any, right: Tensor, case: Case) -> Tensor:
        shapes = self.shapes(*case.given)
        if isinstance(found, Real) and () in shapes:
            raise Wrong(shapes[()])
        if isinstance(found, Real) and self.slopes:
            raise Wrong("return a tensor, without .item(): the optimiser needs its gradient.")
        if not isinstance(found, Tensor):
            raise Wrong(f"return a tensor; this is {type(found).__name__}.")
        found = found if found.is_floating_point() else found.double()
        if found.shape == right.shape:
            return found
        hint = shapes.get(tuple(found.shape)) or self.said_of(found.detach(), case)
        raise Wrong(
            hint
            or f"the result has shape {tuple(found.shape)} and should have {tuple(right.shape)}: "
            f"{self.result}."
        )

    def _hint(self, found: Any, right: Any, case: Case) -> str:
        number, wanted, place = _first_wrong(found, right, self.tolerance)
        if case.but:
            return case.but.format(found=number, right=wanted)
        if hint := self.said_of(found, case):
            return hint
        if not torch.as_tensor(found).isfinite().all():
            return f"the result has values that are not finite numbers; {self.not_finite}"
        if self.explain:
            return self.explain(found, right, *case.given)
        told = " and ".join(
            f"{name} = {_told(part)}" for name, part in zip(self._names(), case.given)
        )
        form = "g" if isinstance(right, int) else ".3f"
        return (
            f"for {told} it gives {number:{form}}{place} instead of {wanted:{form}}: {self.result}."
        )

    def _compare_slopes(
        self, found: Tensor, right: Tensor, name: str, leaf: Tensor, case: Case
    ) -> None:
        if found.grad_fn is None:
            raise Wrong("right, but no gradient can flow back; leave out no_grad and .detach.")
        probe = torch.arange(1, found.numel() + 1).double()  # of a plain sum, half can look whole
        ours, theirs = (slope_of(each.double().flatten() @ probe, leaf) for each in (found, right))
        if not near(ours, theirs, 1e-3):
            at = int((ours - theirs).nan_to_num(1e9).abs().argmax())
            slope, wanted = ours.flatten()[at].item(), theirs.flatten()[at].item()
            because = case.but.format(found=slope, right=wanted) or self.slopes
            raise Wrong(
                f"the value is right, but its slope is {slope:g} for `{name}` and should be "
                f"{wanted:g}: {because}"
            )


def combined(build: Callable, *parts: Sequence[tuple]) -> list[tuple[Callable, str]]:
    """Mistakes that may be made together: one choice of each part, their hints joined.

    Args:
        build: (a choice of each part) -> what is computed.
        parts: of each part its (choice, hint) pairs; the right choice has an empty hint, and all
            right is no mistake.
    """
    return [
        (build(*(choice for choice, _ in chosen)), " And ".join(hint for _, hint in chosen if hint))
        for chosen in product(*parts)
        if any(hint for _, hint in chosen)
    ]


def listed(found: Any) -> Any:
    """A list of numbers, or of rows of numbers, as a tensor: to `read` what was returned."""
    if not isinstance(found, (list, tuple)):
        return found
    try:
        return plain(torch.stack([torch.as_tensor(each) for each in found]))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise Wrong(f"from this list no tensor can be made ({said_by(error)}).") from error


def slope_of(loss: Tensor, leaf: Tensor) -> Tensor:
    """The gradient of a student's number to a leaf, 0 where none reaches it.

    Raises:
        Wrong: PyTorch cannot find it, or the student's own way back raised.
    """
    (slope,) = attempt(
        lambda: torch.autograd.grad(
            loss, leaf, retain_graph=True, allow_unused=True, materialize_grads=True
        ),
        "the value is right, but on the way back to its gradient PyTorch",
    )
    return plain(slope)


def refuse(*faults: tuple[bool, str]) -> None:
    """Raise the hint of the first fault that is there: (whether it is, what to say)."""
    for there, hint in faults:
        if there:
            raise Wrong(hint)


def _alike(first: Any, second: Any, tolerance: float) -> bool:
    """Whether two results are the same: numbers, or tensors of one shape."""
    first, second = _tensor(first), _tensor(second)
    return first.shape == second.shape and near(first, second, tolerance)


def _tensor(value: Any) -> Tensor:
    """A number with all its digits: torch would keep 24 bits of it."""
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.double)


def _first_wrong(found: Any, right: Any, tolerance: float) -> tuple[float, float, str]:
    """The first numbers in which two results differ, and where: "" for the very first."""
    found, right = _tensor(found).double(), _tensor(right).double()
    place = (~torch.isclose(found, right, tolerance, tolerance)).nonzero()[0].tolist()
    at = f" at {place}" if any(place) else ""
    return found[tuple(place)].item(), right[tuple(place)].item(), at


def _first(value: Any) -> float:
    return float(value.flatten()[0]) if isinstance(value, Tensor) else float(value)


def _told(part: Any) -> str:
    if not isinstance(part, Tensor):
        return str(part)
    return f"{_first(part):.3f}" + (" …" if part.numel() > 1 else "")
