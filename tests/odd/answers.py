"""What people hand in as an answer to an exercise: each oddity is tried on all of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import io
import itertools
import random
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.exercises import checking
from tests.answers import solutions

from . import LONGEST, Row, works

SOLUTIONS = solutions()
NOT_COMPARED = "cannot be compared"  # the last resort of `check`; no ordinary answer comes there


def said(check: Callable, answer: object) -> str:
    """What a check prints, with what it or Python complains about on the error stream."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        check(answer)
    return out.getvalue()


def faults(odd: Callable, hint: str = "", mark: str = "✘", names=SOLUTIONS) -> list[str]:
    """What is said of the solutions, made odd, that is not one line of that mark with the hint."""
    lines = {name: said(SOLUTIONS[name][0], odd(SOLUTIONS[name][1])) for name in names}
    return [
        f"{name}: {line}"
        for name, line in lines.items()
        if not re.fullmatch(rf"[{mark}] Exercise [^\n]*{hint}[^\n]*\n", line)
        or len(line) > LONGEST
        or NOT_COMPARED in line
    ]


def everywhere(what: str, odd: Callable, hint: str = "", mark: str = "✘") -> Row:
    """All solutions, made odd by `answer -> answer`, get one line of that mark with the hint."""
    return works(what, lambda folder: faults(odd, hint, mark), lambda faults: not faults)


def in_place_of(part: Callable) -> Callable:
    """An answer whose result, or each part of it, is replaced: part(tensor) -> anything."""

    def replaced(found):
        if isinstance(found, (list, tuple)):
            return type(found)(map(replaced, found))
        return part(torch.as_tensor(found))

    return lambda answer: lambda *given: replaced(answer(*given))


def raising(error: BaseException) -> Callable:
    def answer(*given):
        raise error

    return lambda solution: answer


def after(do: Callable) -> Callable:
    """An answer that does something first."""
    return lambda answer: lambda *given: (do(), answer(*given))[1]


class OfMyOwn(Tensor):
    pass


class Equal:
    """An object that says it equals everything."""

    shape = ()

    def __eq__(self, other):
        return True


class Exiting:
    @property
    def __class__(self):
        sys.exit()


class Called:
    def __init__(self, answer):
        self.answer = answer

    def __call__(self, *given):
        return self.answer(*given)

    def method(self, *given):
        return self.answer(*given)


class Layer(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, *given):
        return self.answer(*given)


class WordlessError(Exception):
    def __str__(self):
        raise ValueError("no words")


class Interrupted(torch.autograd.Function):
    """x, whose way back ends Python."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        sys.exit()


def as_double(part: Tensor) -> Tensor:
    return part.double() if part.is_floating_point() else part


def quantized(part: Tensor) -> Tensor:
    return torch.quantize_per_tensor(part.detach().float().nan_to_num(), 0.01, 0, torch.qint32)


async def asynchronous(*given):
    return given[0]


def contains_itself() -> list:
    own = []
    own.append(own)
    return own


RIGHT = {
    "float64": in_place_of(as_double),
    "a sparse tensor": in_place_of(Tensor.to_sparse),
    "a tensor of a class of one's own": in_place_of(lambda part: part.as_subclass(OfMyOwn)),
    "a tensor of other strides": in_place_of(lambda part: torch.stack([part, part], -1)[..., 0]),
    "an object with __call__": Called,
    "a bound method": lambda answer: Called(answer).method,
    "functools.partial": functools.partial,
    "an nn.Module": Layer,
}
PARTS = {
    "float64 with noise in it": (lambda part: part.double() + torch.randn_like(part.double()), ""),
    "float16": (Tensor.half, "too few digits"),
    "bfloat16": (Tensor.bfloat16, "too few digits"),
    "8 bits": (lambda part: part.float().to(torch.float8_e4m3fn), "too few digits"),
    "a tensor on device meta": (lambda part: part.to("meta"), "`meta` has a shape and no numbers"),
    "a complex tensor": (lambda part: part.to(torch.complex64), "complex"),
    "a quantized tensor that is off by 1": (lambda part: quantized(part + 1), ""),
    "a nested tensor": (lambda part: torch.nested.nested_tensor([part.flatten().detach().float()]),
                        "nested"),
    "a view of 10^12 numbers": (lambda part: torch.zeros(1).expand(10**12), "far too many"),
    "a sparse tensor of 10^12 numbers": (
        lambda part: torch.sparse_coo_tensor([[0]], [1.0], (10**12,), check_invariants=True),
        "far too many"),
    "two dimensions too many": (lambda part: part[None, None].expand(2, 2, *part.shape), ""),
    "summed over the wrong dimension": (lambda part: part.double().sum(0) + (part.dim() < 1), ""),
    "averaged over the last one": (lambda part: part.double().mean(-1) + (part.dim() < 1), ""),
    "no number at all": (lambda part: torch.tensor([]), ""),
    "NaN": (lambda part: part.double() * torch.nan, ""),
    "infinity": (lambda part: part.double() + torch.inf, ""),
    "an array of text": (lambda part: np.array(["a"]), ""),
}  # fmt: skip
RESULTS = {
    "a text": "3",
    "10^400": 10**400,
    "-10^400": -(10**400),
    "a pair of 10^400": (10**400, 10**400),
    "a list of 10^400": [10**400] * 5,
    "a fraction of 10^400": Fraction(10**400, 3),
    "a complex number": 1j,
    "a Decimal": Decimal("1.5"),
    "None in a tuple": (None, None),
    "an ellipsis in a tuple": (..., ...),
    "a tuple in which no tensor is": ("a", "b"),
    "an empty list": [],
    "a list that contains itself": contains_itself(),
    "ragged rows": [[1.0], [1.0, 2.0]],
    "a range": range(5),
    "a set": {1, 2},
    "a dictionary": {"result": 1},
    "bytes": b"abc",
    "a class": int,
    "a function": len,
    "a truth value": True,
    "an object that equals everything": Equal(),
    "a matrix of ones": torch.ones(2, 2),
}
ERRORS = {
    "SystemExit": SystemExit(3),
    "a KeyboardInterrupt of its own": KeyboardInterrupt(),
    "GeneratorExit": GeneratorExit(),
    "StopIteration": StopIteration(),
    "a cancelled task": asyncio.CancelledError(),
    "MemoryError": MemoryError(),
    "an error that has no words": WordlessError(),
    "an error of many lines": ValueError("\n".join("many lines")),
    "an error of 5,000 letters": ValueError("x" * 5000),
    "the hint of a check": checking.Wrong("you are right"),
}
CODE = {
    "too few arguments": (lambda answer: lambda: 1, "stopped with TypeError"),
    "too many arguments": (lambda answer: lambda *given: answer(*given, 1), "stopped with TypeErr"),
    "a class instead of a function": (lambda answer: Called, ""),
    "an unbound method": (lambda answer: Called.method, ""),
    "a number instead of a function": (lambda answer: 3, "a function is needed here"),
    "a generator": (lambda answer: lambda *given: (one for one in given), ""),
    "a coroutine": (lambda answer: asynchronous, "leave out `async`"),
    "a recursion without end": (lambda answer: lambda *given: answer_itself(*given), "RecursionEr"),
    "a tensor of 10^14 numbers": (lambda answer: lambda *given: torch.empty(10**14), "memory"),
    "an array of 10^13 numbers": (lambda answer: lambda *given: np.ones(10**13), "allocate"),
    "another's method": (lambda answer: Tensor.sum, ""),
    "right at first, and then a text": (lambda answer: right_at_first(answer, "three"), ""),
    "right at first, and then nothing": (lambda answer: right_at_first(answer, None), "nothing"),
}  # fmt: skip


def answer_itself(*given):
    return answer_itself(*given)


def right_at_first(answer: Callable, then: object) -> Callable:
    calls = itertools.count()
    return lambda *given: answer(*given) if next(calls) == 0 else then


# Arguments that are changed


def change(part: Tensor | list) -> None:
    if isinstance(part, list):
        part.append(part[-1] if part else 1)
    elif part.dtype == torch.bool:
        part.logical_not_()
    else:
        with torch.no_grad():
            part += 1


def overwriting(place: int, how: Callable = change, late: bool = False) -> Callable:
    """An answer with the right value that changes one of its arguments, before or after."""

    def overwrites(answer):
        def changed(*given):
            kept = [checking._copy(part) for part in given]
            how(given[place])
            return answer(*kept)

        def changed_late(*given):
            found = in_place_of(Tensor.clone)(answer)(*given)
            how(given[place])
            return found

        return changed_late if late else changed

    return overwrites


def arguments(kinds=(Tensor, list)) -> list[tuple[str, int, str]]:
    """Every argument of these kinds: (exercise, its place, its name)."""
    found = {}

    def noting(name, answer):
        names = list(inspect.signature(answer).parameters)

        def noted(*given):
            for place, part in enumerate(given):
                if isinstance(part, kinds):
                    found[name, place, names[place]] = True
            return answer(*given)

        return noted

    for name, (check, answer) in SOLUTIONS.items():
        said(check, noting(name, answer))
    return list(found)


def not_noticed(how: Callable = change, kinds=(Tensor, list), late: bool = False) -> list[str]:
    """What is said where an argument is changed, and not that it is, by its name."""
    return [
        line
        for name, place, called in arguments(kinds)
        for line in faults(
            overwriting(place, how, late), f"your function changes `{called}` itself", names=[name]
        )
    ]


def noticed(what: str, **options) -> Row:
    return works(what, lambda folder: not_noticed(**options), lambda lines: not lines)


def walk_in_place(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """The right codes, and the example of a fault report: `end` is overwritten."""
    end -= start
    return start + end * torch.linspace(0, 1, steps)[:, None]


def says(what: str, name: str, answer: object, line: str) -> Row:
    """One answer to one exercise, and what the check must say."""
    return works(what, lambda folder: said(SOLUTIONS[name][0], answer), lambda found: (
        re.fullmatch(rf"{line}[^\n]*\n", found) is not None))  # fmt: skip


OVERWRITTEN = [
    says("end -= start in a right walk", "vae_latent_space-interpolate", walk_in_place,
         r"✘ .*changes `end` itself"),
    says("x.sub_() in a right loss of the hole", "autoencoder_uses-hole_loss",
         lambda x, t, hole: (x.sub_(t).square() * hole).flatten(1).sum(1)
         / hole.expand_as(t).flatten(1).sum(1),
         r"✘ .*changes `restored` itself"),
    says("mu += ... in a right trick", "vae_latent_space-reparameterise",
         lambda mu, logvar: mu.add_(logvar.mul(0.5).exp() * torch.randn_like(mu)),
         r"✘ .*changes `mu` itself"),
    says("an argument is overwritten and nothing returned", "vae_latent_space-interpolate",
         lambda start, end, steps: [end.sub_(start), None][1], r"✘ .*changes `end` itself"),
    says("an argument has its gradient turned on", "resnet-backward",
         lambda gradient, jacobians: jacobians.requires_grad_().sum(0) @ gradient,
         r"✘ .*turns on the gradient of `jacobians`"),
    says("a right answer is the argument's own view", "style_transfer-restyled",
         lambda content, style: content[:], r"✘ .*that is the content as it was"),
    says("the critic's weights are overwritten", "stabilizing_gans-gradient_penalty",
         lambda critic, real, fake: (
             critic.weight.data.mul_(2),
             SOLUTIONS["stabilizing_gans-gradient_penalty"][1](critic, real, fake),
         )[1], "✘ .*weights are not as they were"),
    noticed("every argument is overwritten by a right answer, before it computes"),
    noticed("every argument is overwritten by a right answer, when it has computed", late=True),
    noticed("every tensor loses its shape in a right answer", kinds=Tensor,
            how=lambda part: setattr(part, "data", torch.zeros(3))),
    noticed("every tensor gets a dimension in a right answer", kinds=Tensor,
            how=lambda part: part.unsqueeze_(0)),
]  # fmt: skip


# What is changed for everybody


def state() -> tuple:
    """What no answer may leave changed."""
    return (
        torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate(),
        torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads(),
        torch.get_default_device(), torch.get_deterministic_debug_mode(),
        torch.is_inference_mode_enabled(), torch.get_float32_matmul_precision(),
        sys.getrecursionlimit(), list(warnings.filters), signal.getsignal(signal.SIGINT),
    )  # fmt: skip


def leaves(what: str, do: Callable[[], object]) -> Row:
    """Solutions that do this first leave everything as it was; each line is one line."""

    def found(folder):
        before = state()
        lines = faults(after(do), mark="✔✘")
        return lines, [pair for pair in zip(before, state()) if pair[0] != pair[1]]

    return works(what, found, lambda found: found == ([], []))


LEFT = {
    "torch.manual_seed": lambda: torch.manual_seed(0),
    "np.random.seed": lambda: np.random.seed(0),
    "random.seed": lambda: random.seed(0),
    "gradients are switched off": lambda: torch.set_grad_enabled(False),
    "no_grad is entered and not left": lambda: torch.no_grad().__enter__(),
    "the default dtype is float64": lambda: torch.set_default_dtype(torch.float64),
    "the default dtype is float16": lambda: torch.set_default_dtype(torch.float16),
    "the default device is meta": lambda: torch.set_default_device("meta"),
    "another number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "a coarser matrix product": lambda: torch.set_float32_matmul_precision("medium"),
    "another recursion limit": lambda: sys.setrecursionlimit(5000),
    "warnings are errors": lambda: warnings.simplefilter("error"),
}


# Time


def limited(answer: object, name: str = "resnet-parameters", seconds: float = 0.5) -> tuple:
    """(what is said, whether that took at most a second more than the limit)."""
    start = time.monotonic()
    with patch.object(checking, "LIMIT", seconds):
        line = said(SOLUTIONS[name][0], answer)
    return line, time.monotonic() - start < seconds + 1


def stopped(what: str, answer: object, words: str = "does a loop never end") -> Row:
    return works(what, lambda folder: limited(answer), lambda found: (
        re.fullmatch(rf"✘ [^\n]*within 0.5 seconds[^\n]*{words}[^\n]*\n", found[0]) and found[1]
    ))  # fmt: skip


def endless(*given):
    while True:
        pass


def stubborn(*given):
    while True:
        try:
            sum(range(100))
        except:  # noqa: E722
            pass


def endless_drawing(*given):
    while torch.rand(()) < 2:
        pass


def asleep(*given):
    time.sleep(1.5)  # ends before the tests do


def in_every_exercise(folder) -> list[str]:
    with patch.object(checking, "LIMIT", 0.05):
        return faults(lambda answer: endless, "does not come to an end")


def interrupted(folder) -> bool:
    """Whether an interrupt by the user goes through, and the answer does not go on."""
    going_on = []

    def counting(n):
        while True:
            going_on.append(n)
            time.sleep(0.01)

    user = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    # A shell starts what runs in its background without one.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    user.start()
    try:
        said(SOLUTIONS["resnet-parameters"][0], counting)
    except KeyboardInterrupt:
        so_far = len(going_on)
        time.sleep(0.1)
        return 0 < len(going_on) == so_far
    finally:
        signal.signal(signal.SIGINT, before)
    return False


def in_another_thread(folder) -> tuple:
    found = []
    thread = threading.Thread(target=lambda: found.append(limited(endless)))
    thread.start()
    thread.join()
    return found[0]


def documented_stub(n):
    """How many parameters there are."""


def with_a_gradient_that_exits(h: Tensor, weight: Tensor) -> Tensor:
    return SOLUTIONS["autoencoder_variants-contractive"][1](Interrupted.apply(h), weight)


def modified_on_the_way(h: Tensor, weight: Tensor) -> Tensor:
    """A right value whose gradient is lost: what the way back needs is overwritten."""
    squares = weight.square().sum(1)
    slope = h * (1 - h)
    found = slope.square() @ squares
    slope.zero_()
    return found


ROWS: list[Row] = [
    *(everywhere(f"right, as {what}", odd, mark="✔") for what, odd in RIGHT.items()),
    *(everywhere(f"the result is {what}", in_place_of(part), hint)
      for what, (part, hint) in PARTS.items()),
    *(everywhere(f"the result is {what}", lambda answer, it=it: lambda *given: it)
      for what, it in RESULTS.items()),
    *(everywhere(f"it raises {what}", raising(error), "your function stopped with")
      for what, error in ERRORS.items()),
    *(everywhere(f"it is {what}", odd, hint) for what, (odd, hint) in CODE.items()),
    *OVERWRITTEN,
    *(leaves(f"{what}, for everybody", do) for what, do in LEFT.items()),
    says("a mask in float64, with noise", "autoencoders-mask",
         lambda x, share: x.double() + torch.randn_like(x.double()), "✘ .*add nothing"),
    says("codes in float64", "inversion_and_directions-find_latent",
         lambda *given: SOLUTIONS["inversion_and_directions-find_latent"][1](*given).double(), "✔"),
    says("a sum over the wrong dimension", "autoencoder_variants-contractive",
         lambda h, weight: SOLUTIONS["autoencoder_variants-contractive"][1](h.T, weight.T), "✘"),
    says("codes that are whole numbers", "vae_latent_space-reparameterise",
         lambda mu, logvar: mu.long(), "✘ .*numbers with decimals"),
    says("a gradient that ends Python", "autoencoder_variants-contractive",
         with_a_gradient_that_exits,
         "✘ .*way back to its gradient PyTorch stopped with SystemExit"),
    says("a gradient that is overwritten", "autoencoder_variants-contractive", modified_on_the_way,
         "✘ .*way back to its gradient PyTorch stopped with RuntimeError"),
    says("an object that ends Python when it is looked at", "resnet-parameters",
         lambda n: Exiting(), f"✘ .*{NOT_COMPARED}.*SystemExit"),
    works("what an answer prints is printed, and the line follows",
          lambda folder: said(SOLUTIONS["resnet-parameters"][0], lambda n: print("here", n)),
          lambda found: found.splitlines()[0] == "here 9" and found.count("\n") == 2),
    says("a function without return", "resnet-parameters", lambda n: [n, None][1],
         "✘ .*returns nothing; is a `return` missing"),
    says("a stub with a word on it", "resnet-parameters", documented_stub, "○ .*not attempted"),
    says("nothing is returned in one case only", "resnet-parameters",
         lambda n: 97_216 * n - 21_926 if n > 2 else None, "✘ .*returns nothing"),
    stopped("a loop without end", endless),
    stopped("a loop without end that swallows every error", stubborn),
    stopped("a loop without end that calls PyTorch", endless_drawing),
    stopped("a long call of a library, which cannot be stopped", asleep, "restart the kernel"),
    works("a loop without end in every exercise", in_every_exercise, lambda faults: not faults),
    works("a loop without end, not in the main thread", in_another_thread,
          lambda found: found[0].startswith("✘") and found[1]),
    works("the user interrupts a loop without end", interrupted, lambda found: found),
    works("a whole check has ten seconds", lambda folder: checking.LIMIT, lambda it: it == 10),
]  # fmt: skip
