"""How an answer is checked: what is wrong is said, and why, one hint at a time.

An answer is somebody's first attempt. It may raise anything, run for ever, overwrite what it was
given, change how PyTorch is set, or return anything at all. `check`, `ask` and `plain` see to that
for every exercise, so that an exercise itself compares nothing but plain tensors and numbers.
"""

from __future__ import annotations

import contextvars
import ctypes
import dis
import inspect
import math
import random
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..session.records import VERDICTS, say

LIMIT = 10.0  # seconds for a whole check, of which the last tenth is for stopping the answer
MOST_NUMBERS = 2**24  # of a result; more can only be a mistake, and would take long to compare
LONGEST_CRASH = 240  # characters of an error's message
NO_CRASHES: Mapping[str, str] = MappingProxyType({})
SAID: dict[str, str] = {}  # in this session: title -> the last verdict, which `progress` shows


class Wrong(Exception):
    """What is wrong with an answer, said to the student."""


class _NotAttempted(Exception):
    pass


class _TooLong(Exception):
    """An answer has not come to an end; says whether it could be stopped."""


def check(title: str, answer: Callable, examine: Callable[[Callable], str]) -> None:
    """Examine an answer and print one line: right, wrong and why, or not attempted.

    Whatever the answer does, the notebook's random numbers and settings are then as they were, and
    the line is there within `LIMIT` seconds. An interrupt by the user goes through.

    Args:
        title: the exercise, for example "Exercise 1".
        answer: the student's function. A stub returns `...` or None.
        examine: tries the function and raises `Wrong` with a hint; returns what to say when
            all is right.
    """
    verdict = "wrong"
    try:
        with _put_back(DICE + SETTINGS), warnings.catch_warnings():
            words = _within(LIMIT, examine, answer)
        verdict = "right"
    except _NotAttempted:
        verdict, words = "not attempted", "not attempted yet."
    except (Wrong, _TooLong) as hint:
        words = str(hint)
    except Exception as error:  # an object that is against everything; no notebook stops for it
        words = f"what your function returns cannot be compared ({said_by(error)})."
    SAID[title] = verdict
    say(f"{VERDICTS[verdict]} {title}: {words}", exercise=title, verdict=verdict)


def _within(seconds: float, function: Callable, *arguments) -> Any:
    """What a function returns, or raises, if it comes to an end in time.

    It runs in a thread of its own, which is the one way that works on every system and in every
    thread: the waiting thread can say that time is up, and it is also the one that the user
    interrupts, so that a `KeyboardInterrupt` in the function is the function's own.

    What Python runs is stopped. One long call of a library (a product of large matrices, a sleep)
    is left to itself and the line says so. A call that never lets another thread run, as in
    10 ** 10 ** 10 or sum(itertools.count()), can only be ended by restarting the kernel.

    Raises:
        _TooLong: it does not come to an end in time.
    """
    outcome: dict[str, Any] = {}
    done = threading.Event()  # a Thread whose `join` is interrupted looks as if it had ended

    def work():
        try:
            outcome["result"] = function(*arguments)
        except Exception as error:
            outcome["error"] = error
        except BaseException as error:  # an exit, which is to end nothing but the answer
            outcome["error"] = RuntimeError(said_by(error))
        finally:
            done.set()

    # With the context of this thread, what is printed belongs to the same cell of the notebook.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    try:
        in_time = _wait(done, 0.9 * seconds)
    except BaseException:  # the user interrupts
        _stop(thread, done, 0.1 * seconds)
        raise
    if not in_time:
        words = f"your function does not come to an end within {seconds:g} seconds"
        if _stop(thread, done, 0.1 * seconds):
            raise _TooLong(f"{words}; does a loop never end?")
        raise _TooLong(f"{words}, and cannot be stopped from outside: restart the kernel.")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def _wait(done: threading.Event, seconds: float) -> bool:
    """Wait in small portions: on Windows, an interrupt does not end a wait."""
    end = time.monotonic() + seconds
    while not done.is_set() and (left := end - time.monotonic()) > 0:
        done.wait(min(left, 0.1))
    return done.is_set()


def _stop(thread: threading.Thread, done: threading.Event, seconds: float) -> bool:
    """Whether a thread is done when it is told to stop, again and again."""
    end = time.monotonic() + seconds
    while not done.is_set() and time.monotonic() < end:
        identity, stop = ctypes.c_ulong(thread.ident), ctypes.py_object(_Stop)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, stop)
        done.wait(0.01)
    return done.is_set() or not thread.is_alive()


class _Stop(SystemExit):
    """Raised in the thread of an answer, from outside.

    Python makes the instance in that thread, where the answer stands: so that an `except:` in a
    loop does not swallow it, the next line of the answer, as of the `except:`, raises again.
    """

    def __init__(self):
        frame = sys._getframe(1)
        while frame and frame.f_code is not attempt.__code__:
            frame.f_trace = _raise_again
            frame = frame.f_back
        sys.settrace(_raise_again if frame else None)


def _raise_again(frame, event, argument):
    if event == "line":
        raise SystemExit
    return _raise_again


def _dice_of_gpus() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []


# How to read, and how to put back, what an answer may change for everybody: random numbers, after
# a check (two calls in one are to draw different ones); settings, after each call, too; and those
# that belong to a thread, after each call in it, which had no default device to begin with.
DICE = (
    (torch.get_rng_state, torch.set_rng_state),
    (_dice_of_gpus, torch.cuda.set_rng_state_all),
    (np.random.get_state, np.random.set_state),
    (random.getstate, random.setstate),
)
SETTINGS = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (sys.getrecursionlimit, sys.setrecursionlimit),
)
OF_THREAD = (
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (lambda: None, torch.set_default_device),
)


@contextmanager
def _put_back(states: Sequence[tuple[Callable, Callable]]) -> Iterator[None]:
    before = [read() for read, _ in states]
    try:
        yield
    finally:
        for (_, put), state in zip(states, before):
            put(state)


def random_tensor(*shape: int, seed: int) -> Tensor:
    """Standard normal numbers, the same for a seed, that leave the notebook's dice alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def ask(
    answer: Callable,
    *arguments,
    names: Sequence[str] = (),
    crashes: Mapping[str, str] = NO_CRASHES,
) -> Any:
    """What the student's function returns, as `plain` makes it.

    It is given copies of tensors and lists, through which gradients flow, and has to leave them as
    they are: whoever calls a function still needs what he gave it.

    Args:
        names: what the arguments are called.
        crashes: part of a crash's message -> what it means in this exercise.

    Raises:
        Wrong: the function is none, raised, changed an argument, or returned what has no numbers.
    """
    if not callable(answer):
        raise Wrong(f"a function is needed here, and this is {type(answer).__name__}.")
    copies = [_copy(part) for part in arguments]
    with _put_back(SETTINGS + OF_THREAD):
        result = attempt(lambda: answer(*copies), "your function", crashes)
    for number, (now, before) in enumerate(zip(copies, arguments)):
        name = f"`{names[number]}`" if number < len(names) else f"argument {number + 1}"
        _demand_unchanged(now, before, name)
    if inspect.iscoroutine(result):
        result.close()  # or Python complains that nobody waited for it
        raise Wrong("your function is asynchronous and has not begun; leave out `async`.")
    if result is Ellipsis or (result is None and _is_stub(answer)):
        raise _NotAttempted
    if result is None:
        raise Wrong("your function returns nothing; is a `return` missing?")
    return plain(result)


def _is_stub(answer: Callable) -> bool:
    """Whether a function does no more than one with `...` as its body."""
    return inspect.isfunction(answer) and _operations(answer) <= _operations(_stub)


def _operations(function: Callable) -> set[str]:
    return {one.opname for one in dis.get_instructions(function)}


def _stub(): ...


def attempt(call: Callable[[], Any], whose: str, crashes: Mapping[str, str] = NO_CRASHES) -> Any:
    """What a call of the student's code gives; a crash in it becomes a hint with its message.

    Whatever is raised is the code's own, SystemExit and KeyboardInterrupt, too: `check` waits in
    another thread, which is the one that the user interrupts.
    """
    try:
        return call()
    except BaseException as error:
        crash = said_by(error, longest=None)
        meaning = next((meaning for part, meaning in crashes.items() if part in crash), "")
        words = f"{whose} stopped with {said_by(error)}"
        raise Wrong(f"{words} ({meaning})" if meaning else words) from error


def said_by(error: BaseException, longest: int | None = LONGEST_CRASH) -> str:
    """The kind of an error and its message, in one line."""
    line = " ".join("".join(traceback.format_exception_only(error)).split())
    return line if len(line) <= (longest or math.inf) else f"{line[:longest]} …"


def _copy(part: Any) -> Any:
    if isinstance(part, Tensor):
        return part.clone()
    return [_copy(each) for each in part] if isinstance(part, list) else part


def _demand_unchanged(now: Any, before: Any, name: str) -> None:
    if isinstance(before, (Tensor, list)) and not same(now, before):
        raise Wrong(
            f"your function changes {name} itself; whoever gave it still needs it. "
            "(a = a + b makes a new tensor, a += b changes the old one.)"
        )
    if isinstance(before, Tensor) and now.requires_grad != before.requires_grad:
        raise Wrong(
            f"your function turns {'on' if now.requires_grad else 'off'} the gradient of {name} "
            "itself; clone it first, .detach().clone()."
        )


def same(now: Any, before: Any) -> bool:
    """Whether a tensor, or a list, is what it was before it was handed over."""
    if isinstance(before, list):
        return len(now) == len(before) and all(map(same, now, before))
    if isinstance(before, Tensor):
        if not isinstance(now, Tensor) or (now.dtype, now.device) != (before.dtype, before.device):
            return False
        return torch.equal(now.detach(), before.detach())
    return type(now) is type(before) and now == before


def plain(found: Any, depth: int = 2) -> Any:
    """A result with every tensor in it dense, real and on the CPU, so that it can be compared.

    Args:
        found: anything; tensors, and lists and tuples of them, are looked at.
        depth: how many lists may lie in one another.

    Raises:
        Wrong: a tensor has no numbers, far too many, or none precise enough to be compared.
    """
    if isinstance(found, (list, tuple)) and depth:
        parts = [plain(each, depth - 1) for each in found]
        return parts if isinstance(found, list) else tuple(parts)
    if not isinstance(found, Tensor):
        return found
    if found.is_nested:
        raise Wrong("that is a nested tensor; return one with rows of equal length.")
    if found.is_meta:
        raise Wrong("a tensor on the device `meta` has a shape and no numbers; compute on the CPU.")
    if found.numel() > MOST_NUMBERS:
        raise Wrong(f"the result has shape {tuple(found.shape)}, far too many numbers.")
    if found.is_complex():
        raise Wrong("the result is complex; the numbers asked for are real ones.")
    if found.is_floating_point() and torch.finfo(found.dtype).bits < 32:
        kind = str(found.dtype).removeprefix("torch.")
        raise Wrong(f"the result is {kind}, which keeps too few digits; compute in float32.")
    found = found.dequantize() if found.is_quantized else found
    return found.to_dense().as_subclass(Tensor).cpu()


def ask_tensor(
    answer: Callable,
    *arguments,
    shape: tuple[int, ...],
    meaning: str,
    names: Sequence[str] = (),
) -> Tensor:
    """Like `ask`, and the result must be a tensor of finite floats of the given shape."""
    result = ask(answer, *arguments, names=names)
    if not isinstance(result, Tensor):
        raise Wrong(f"return a tensor; this is {type(result).__name__}.")
    if tuple(result.shape) != shape:
        raise Wrong(
            f"the result has shape {tuple(result.shape)} and should have {shape}: {meaning}."
        )
    if not result.is_floating_point():
        raise Wrong(f"return numbers with decimals; the result is {result.dtype}.")
    if not result.isfinite().all():
        raise Wrong(
            "the result has values that are not finite numbers; look for log(0) or an "
            "exp of something large."
        )
    return result


def as_number(result: Any, wanted: str = "return one number", otherwise: str = "") -> Real:
    """A number, or a tensor or an array of one, as an int or a float; one beyond 2^62 as infinite.

    Args:
        wanted: what to return, said where it is neither.
        otherwise: what to do with a tensor of more numbers, or fewer.

    Raises:
        Wrong: it is neither.
    """
    if isinstance(result, (Tensor, np.ndarray)):
        if math.prod(result.shape) != 1:
            kind, shape = "a tensor" if isinstance(result, Tensor) else "an array", result.shape
            raise Wrong(f"{wanted}, not {kind} of shape {tuple(shape)}{otherwise}.")
        result = result.item()
    if isinstance(result, bool) or not isinstance(result, Real):
        raise Wrong(f"{wanted}; this is {type(result).__name__}.")
    if abs(result) > 2**62:  # more than a tensor of integers holds
        return math.inf if result > 0 else -math.inf
    return int(result) if isinstance(result, Integral) else float(result)


def near(first: Tensor, second: Tensor, tolerance: float = 1e-4) -> bool:
    """Whether two tensors agree to a relative tolerance."""
    return torch.allclose(first.double(), second.double(), rtol=tolerance, atol=tolerance)
