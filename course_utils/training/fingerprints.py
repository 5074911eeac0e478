"""What a step computes, as a hash: its code, and everything that this reaches.

A student who edits the `forward` of a class, a helper three calls away or a constant, and runs
the cell again, must get a run of the new code and not the checkpoint of the old one. So code is
read to the end (`code_reading.py`), and settings, tensors and networks with every byte. What
cannot be compared, such as an open file, is refused.
"""

from __future__ import annotations

import hashlib
import random
import types
from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from ..session.lab import Lab
from . import code_reading
from .run import Run

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))
STATEFUL = (torch.Generator, random.Random, numpy.random.Generator, numpy.random.RandomState)
# What a network holds beside what it computes with; hooks are looked at by themselves.
NETWORK_NOISE = set(vars(nn.Module())) - {"training", "_parameters", "_buffers", "_modules"}


class Incomparable(Exception):
    """Something that cannot be compared with that of another run; the message says what."""


def of(value: Any, known: Mapping[int, str] = types.MappingProxyType({})) -> str:
    """A hash of a value and of all that it reaches.

    Args:
        value: a function, a network, data, settings, or containers of such.
        known: id -> name, of what is described elsewhere and counts by its name here.

    Returns:
        64 hexadecimal digits, the same in every process.

    Raises:
        Incomparable: it reaches something whose state is not to be had: an iterator, a file, a
            generator of random numbers.

    Example:
        >>> def scaled(weight):
        ...     return lambda x: weight * x
        >>> of(scaled(1.0)) == of(scaled(1.0)), of(scaled(1.0)) == of(scaled(2.0))
        (True, False)
    """
    digest = Digest(known)
    digest.add(value)
    return digest.hash.hexdigest()


class Digest:
    """Walks through values and feeds a hash with what they are.

    Attributes:
        names: the variables on the way to what is looked at, for messages.
    """

    def __init__(self, known: Mapping[int, str]):
        self.hash, self.known = hashlib.sha256(), known
        self.names: list[str] = []
        self.met: dict[int, int] = {}
        self.alive: list = []  # so that no id is given twice

    def put(self, *words: str | bytes) -> None:
        """Feed words, each with its length, so that no two lists of words look alike."""
        for word in words:
            content = word if isinstance(word, bytes) else word.encode()
            self.hash.update(b"%d:" % len(content) + content)

    def add(self, value: Any) -> None:
        """Feed a value, whatever it is."""
        if isinstance(value, PLAIN):
            return self.put(type(value).__name__, repr(value))
        if id(value) in self.known:
            return self.put("known", self.known[id(value)])
        if id(value) in self.met:
            return self.put("met", str(self.met[id(value)]))
        self.met[id(value)] = len(self.met)
        self.alive.append(value)
        for kinds, describe in KINDS:
            if isinstance(value, kinds):
                return describe(self, value)
        _object(self, value)

    def add_all(self, kind: str, values) -> None:
        """Feed several values and what they are together."""
        values = list(values)
        self.put(kind, str(len(values)))
        for value in values:
            self.add(value)

    def refuse(self, value: Any, why: str = "") -> None:
        """Give up, naming what cannot be compared and the variable that holds it."""
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        where = f"`{self.names[-1]}`, " if self.names else ""
        raise Incomparable(f"{where}a {kind}{why}")


def _tensor(digest: Digest, value: Tensor) -> None:
    content = value.detach().cpu().resolve_conj()
    content = (content.to_dense() if content.layout != torch.strided else content).contiguous()
    content = torch.view_as_real(content) if content.is_complex() else content
    digest.put("tensor", str(tuple(value.shape)), str(value.dtype), str(value.requires_grad))
    digest.hash.update(content.reshape(-1).view(torch.uint8).numpy())


def _array(digest: Digest, value: numpy.ndarray) -> None:
    digest.put("array", str(value.shape), value.dtype.str)
    digest.add(value.tolist()) if value.dtype.hasobject else digest.put(value.tobytes())


def _network(digest: Digest, net: nn.Module) -> None:
    digest.add(type(net))
    digest.add({key: part for key, part in vars(net).items() if key not in NETWORK_NOISE})
    digest.add_all("hooks", [*net._forward_pre_hooks.values(), *net._forward_hooks.values()])


def _object(digest: Digest, value: Any) -> None:
    """Anything else: how Python would copy it says what it is made of."""
    try:
        parts = value.__reduce_ex__(2)
    except Exception:  # each kind of object refuses in its own way
        digest.refuse(value)
    if isinstance(parts, str):  # a global of that name, which may wrap a function
        digest.put("global", parts)
        return digest.add(getattr(value, "__wrapped__", None))
    make, arguments, state, items, pairs = (*parts, None, None, None)[:5]
    digest.add_all("object", [make, arguments, state, list(items or ()), list(pairs or ())])


def _unordered(digest: Digest, values: Set) -> None:
    digest.add_all("set", sorted(of(value, digest.known) for value in values))


KINDS = (
    (Lab, lambda digest, lab: digest.put("session", str(lab.seed), lab.budget)),  # goes elsewhere
    (Run, lambda digest, run: digest.add_all("run", [run.history, run.snapshots])),
    (STATEFUL, lambda digest, value: digest.refuse(value, ", whose state is in no checkpoint")),
    (Tensor, _tensor),
    (numpy.ndarray, _array),
    (nn.Module, _network),
    *code_reading.KINDS,
    (
        (dict, types.MappingProxyType),
        lambda digest, value: digest.add_all("dict", [x for pair in value.items() for x in pair]),
    ),
    ((list, tuple), lambda digest, value: digest.add_all(type(value).__name__, value)),
    ((set, frozenset), _unordered),
    (types.UnionType, lambda digest, value: digest.put("union", repr(value))),  # an annotation
    (Iterator, lambda digest, value: digest.refuse(value, ", whose place is in no checkpoint")),
)
