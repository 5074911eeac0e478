"""What code computes, for `fingerprints`: functions, classes and modules, read to the end.

Of a function its byte code counts (so comments, layout and names of local variables do not), its
defaults, and what it takes from outside; of a class its members and the classes it inherits from.
That holds for the notebook, the student's modules and this package; libraries count by name.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import sysconfig
import types
from collections.abc import Callable, Set
from functools import cache
from pathlib import Path
from typing import Any

WRAPPERS = (staticmethod, classmethod, property, functools.cached_property)
# Members of a class that do not change what it computes.
CLASS_NOISE = {"__module__", "__doc__", "__dict__", "__weakref__", "__annotations__",
               "__annotate_func__", "__firstlineno__", "__static_attributes__",
               "_abc_impl"}  # fmt: skip


def name_of(step: Callable) -> str:
    """What a step is called, without underscores around it: `gan_step`.

    Raises:
        ValueError: it is no Python function and no `functools.partial` of one, which can be read.
    """
    while isinstance(step, functools.partial):
        step = step.func
    if not inspect.isfunction(step):
        raise ValueError(
            "fit needs a step that is a plain function, def step(batch, nets, opts), or "
            "functools.partial of one."
        )
    return step.__name__.strip("_")


def _function(digest, function: types.FunctionType) -> None:
    enclosed = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    if not _is_own(function.__globals__.get("__name__", "__main__")):
        digest.put("library", f"{function.__module__}.{function.__qualname__}")
        for inner in map(_content, enclosed.values()):  # what a decorator of a library wraps
            if inspect.isroutine(inner):
                digest.add(inner)
        return
    _code(digest, function.__code__)
    digest.add_all("defaults", [function.__defaults__, function.__kwdefaults__])
    global_names, attributes = _names(function.__code__)
    used = {name: function.__globals__.get(name) for name in global_names}
    used |= {name: _content(cell) for name, cell in enclosed.items()}
    for name, value in sorted(used.items()):
        _named(digest, name, value, attributes, entered=set())


def _named(digest, name: str, value: Any, attributes: Set[str], entered: set[str]) -> None:
    """What a name stands for; of a module, those members whose names stand in the code, too."""
    digest.put("name", name)
    digest.names.append(name)
    if not inspect.ismodule(value):
        digest.add(value)
    else:
        digest.put("module", value.__name__)
        if _is_own(value.__name__) and value.__name__ not in entered:
            entered.add(value.__name__)
            for member in sorted(attributes & set(dir(value))):
                _named(digest, member, getattr(value, member), attributes, entered)
    digest.names.pop()


def _code(digest, code: types.CodeType) -> None:
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    digest.put("code", code.co_code, repr((code.co_names, arguments, code.co_flags)))
    digest.put(getattr(code, "co_exceptiontable", b""))
    first = code.co_consts[:1]
    documented = code.co_flags & inspect.CO_OPTIMIZED and first and isinstance(first[0], str)
    digest.add_all("constants", code.co_consts[1:] if documented else code.co_consts)


def _class(digest, kind: type) -> None:
    digest.put("class", f"{kind.__module__}.{kind.__qualname__}")
    if not _is_own(kind.__module__):
        return
    digest.add_all("bases", kind.__bases__)
    for name, member in vars(kind).items():
        slot = inspect.isdatadescriptor(member) and not isinstance(member, WRAPPERS)
        if name not in CLASS_NOISE and not slot:
            digest.put("name", name)
            digest.add(member)


def _wrapper(digest, value) -> None:
    parts = ("fget", "fset", "fdel", "__func__", "func")
    digest.add_all(type(value).__name__, [getattr(value, part, None) for part in parts])


def _builtin(digest, value: types.BuiltinFunctionType) -> None:
    digest.put("builtin", value.__qualname__)
    if not inspect.ismodule(value.__self__):
        digest.add(value.__self__)


KINDS = (
    (types.FunctionType, _function),
    (types.MethodType, lambda digest, it: digest.add_all("method", [it.__func__, it.__self__])),
    (types.BuiltinFunctionType, _builtin),
    (types.CodeType, _code),
    (type, _class),
    (WRAPPERS, _wrapper),
    (types.ModuleType, lambda digest, value: digest.put("module", value.__name__)),
)


def _content(cell: types.CellType) -> Any:
    """What a variable of an enclosing function holds; None where it has no value yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _names(code: types.CodeType) -> tuple[set[str], set[str]]:
    """The global names that code reads, functions within it too, and all names in it."""
    read, every, waiting = set(), set(), [code]
    while waiting:
        code = waiting.pop()
        loads = dis.get_instructions(code)
        read.update(one.argval for one in loads if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
        every.update(code.co_names)
        waiting += [value for value in code.co_consts if inspect.iscode(value)]
    return read, every


@cache
def _is_own(module: str) -> bool:
    """Whether a module is the notebook, the student's or this package, and no library."""
    root = module.partition(".")[0]
    if root in ("__main__", __name__.partition(".")[0]):
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    libraries = [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")]
    inside = file and any(Path(file).is_relative_to(folder) for folder in libraries)
    return root not in sys.stdlib_module_names and not inside
