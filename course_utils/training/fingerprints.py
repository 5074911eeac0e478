"""What functions and data are, as hashes, so that a changed one is known to be another."""

from __future__ import annotations

import dataclasses
import dis
import functools
import hashlib
import inspect
from collections.abc import Callable

import torch
from torch import Tensor

LARGE_TENSOR = 1000  # numbers; of a larger one only the size is looked at


def of_function(function: Callable) -> str:
    """A hash of a function's text and of what it uses from outside: own functions, settings.

    So that a student who changes `beta` and runs the cell again gets a new run, and not the
    checkpoint of the old one. A setting may be a number, a word, a small tensor, a function or a
    dataclass of the same module, a `functools.partial`, a dict, list or tuple of such. Of anything
    else, such as a network, only the type counts.

    Returns:
        64 hexadecimal digits, the same in every process.
    """
    home = getattr(_innermost(function), "__module__", None)
    waiting, met = [], set()  # functions whose text is still to be read, and all that were met
    inside = []  # containers being described: one that holds itself must not be entered again

    def words(value) -> str:
        if isinstance(value, (bool, int, float, str, type(None))):
            return repr(value)
        if isinstance(value, Tensor):
            size = f"{tuple(value.shape)} {value.dtype}"
            return size if value.numel() >= LARGE_TENSOR else f"{size} {value.tolist()!r}"
        if inspect.isfunction(value):
            if value.__module__ == home and value not in met:
                met.add(value)
                waiting.append(value)
            return f"{value.__module__}.{value.__qualname__}"
        if inspect.ismethod(value):
            return f"{words(value.__func__)} of {words(value.__self__)}"
        if isinstance(value, functools.partial):
            return f"partial{contents([value.func, value.args, value.keywords])}"
        if dataclasses.is_dataclass(value) and type(value).__module__ == home:
            return f"{type(value).__qualname__}{contents(vars(value))}"
        if isinstance(value, (dict, list, tuple)):
            return contents(value)
        return type(value).__qualname__

    def contents(value) -> str:
        if any(value is outer for outer in inside):
            return "itself"
        inside.append(value)
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        described = ", ".join(f"{words(key)}: {words(part)}" for key, part in pairs)
        inside.pop()
        return f"{{{described}}}"

    texts = [words(function)]
    while waiting:
        part = waiting.pop()
        texts += [_text(part), words([part.__defaults__, part.__kwdefaults__])]
        texts += [f"{name} = {words(value)}" for name, value in sorted(_used(part).items())]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def of_data(tensor: Tensor) -> str:
    """Shape and a checksum of a sample: enough to tell two data sets, or two orders, apart."""
    sample = tensor[:: max(1, len(tensor) // 64)].detach().cpu().contiguous()
    content = sample.reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{tuple(tensor.shape)} {hashlib.sha256(content).hexdigest()}"


def is_plain(function: Callable) -> bool:
    """Whether it is a Python function, or `functools.partial` of one, which can be read."""
    return inspect.isfunction(_innermost(function))


def name_of(function: Callable) -> str:
    """What a plain function is called, without underscores around it: `gan_step`."""
    return _innermost(function).__name__.strip("_")


def _innermost(function: Callable) -> Callable:
    """The function inside `functools.partial`, be it none, one or several."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _text(function) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # made by exec: no text to be had, so its byte code
        return _byte_code(function.__code__)


def _byte_code(code) -> str:
    inner = [_byte_code(value) for value in code.co_consts if inspect.iscode(value)]
    plain = [value for value in code.co_consts if not inspect.iscode(value)]
    return code.co_code.hex() + repr((code.co_names, plain, inner))


def _used(function) -> dict:
    """name -> value of every variable that a function, or one inside it, takes from outside."""
    names, waiting = set(), [function.__code__]
    while waiting:
        code = waiting.pop()
        loads = dis.get_instructions(code)
        names.update(load.argval for load in loads if load.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
        waiting += [value for value in code.co_consts if inspect.iscode(value)]
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    enclosed = {name: cell.cell_contents for name, cell in cells}
    used = {name: function.__globals__[name] for name in names if name in function.__globals__}
    return {**used, **enclosed}
