"""Values between two processes that do not trust each other: JSON and raw numbers, never pickle.

What an answer returns is told as a tree of a few kinds (tensors, arrays, numbers, lists); of
anything else only the name of its class goes over. Whoever decodes believes no size, no type and no
offset. This file stands alone: the answering process has nothing else of the grader.
"""

from __future__ import annotations

import inspect
import json
import math
import numbers
import struct

import numpy as np
import torch
from torch import Tensor

MAGIC = b"NUMBERS1"
FRAME = struct.Struct("<8sIQ")  # magic, bytes of JSON, bytes of numbers
MOST_JSON = 2**23
MOST_BYTES = 2**28
MOST_NUMBERS = 2**24  # of one tensor, as in the checks; more are told by their shape alone
MOST_PARTS = 200_000
DEEPEST = 6
LONGEST_TEXT = 2000
DTYPES = {
    str(kind).removeprefix("torch."): kind
    for kind in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64,
        torch.complex128, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
        torch.bool,
    )
}  # fmt: skip
ARRAYS = {"float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"}


class BadMessage(Exception):
    """Bytes that no honest process sends."""


class Unsendable(Exception):
    """A value of a kind that cannot be handed to another process."""


class Encoder:
    """Trees of JSON, and beside them the bytes of all numbers."""

    def __init__(self):
        self.parts: list[bytes] = []
        self.size = 0
        self.outputs: list[Tensor] = []  # tensors with a gradient, in the order of their "grad"
        self._seen = 0

    def tree(self, value, depth: int = DEEPEST) -> dict:
        """The tree of a value; never fails, as what has no kind is told by its class."""
        self._seen += 1
        if self._seen > MOST_PARTS:
            return {"t": "other", "name": "something with far too many parts"}
        if isinstance(value, Tensor):
            return self._tensor(value)
        if value is None or value is Ellipsis:
            return {"t": "none" if value is None else "ellipsis"}
        if isinstance(value, bool):
            return {"t": "bool", "v": bool(value)}
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.name in ARRAYS:
            return self._array(value)
        if isinstance(value, numbers.Integral):
            number = int(value)
            if number.bit_length() > 1000:  # which no check compares as a whole number
                return {"t": "float", "v": repr(math.inf if number > 0 else -math.inf)}
            return {"t": "int", "v": str(number)}
        if isinstance(value, numbers.Real):
            return {"t": "float", "v": repr(float(value))}
        if isinstance(value, (list, tuple)) and depth:
            kind = "list" if isinstance(value, list) else "tuple"
            return {"t": kind, "v": [self.tree(each, depth - 1) for each in value]}
        if inspect.iscoroutine(value):
            return {"t": "coroutine"}
        return {"t": "other", "name": type(value).__name__[:80]}

    def _tensor(self, value: Tensor) -> dict:
        with torch._C.DisableTorchFunctionSubclass():  # what is stored, not what a subclass says
            value = value.as_subclass(Tensor)
            shape, needs_grad = list(value.shape) if not value.is_nested else [], False
            if value.is_nested or value.is_meta:
                return {"t": "nested" if value.is_nested else "meta", "s": shape}
            kind = str(value.dtype).removeprefix("torch.")
            if value.is_quantized:
                value = value.dequantize()
                kind = str(value.dtype).removeprefix("torch.")
            if kind not in DTYPES:
                return {"t": "other", "name": f"a tensor of {kind}"[:80]}
            if math.prod(shape) > MOST_NUMBERS:
                return {"t": "huge", "s": shape, "d": kind}
            dense, needs_grad = value.to_dense(), value.requires_grad
            tree = {"t": "tensor", "d": kind, "s": shape, "o": self.size}
            if needs_grad:
                tree["grad"] = len(self.outputs)
                tree["leaf"] = value.is_leaf
                self.outputs.append(value)
            self._add(_bytes(dense))
            return tree

    def _array(self, value) -> dict:
        array = np.ascontiguousarray(value)
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        if array.size > MOST_NUMBERS:
            return {"t": "huge", "s": list(value.shape), "d": "float32"}
        tree = {"t": kind, "d": array.dtype.name, "s": list(value.shape), "o": self.size}
        self._add(array.tobytes())
        return tree

    def _add(self, numbers_: bytes) -> None:
        self.size += len(numbers_)
        if self.size > MOST_BYTES:
            raise Unsendable("these are far too many numbers")
        self.parts.append(numbers_)

    def frame(self, message: dict) -> bytes:
        """Message and numbers as one piece."""
        text = json.dumps(message).encode()
        return FRAME.pack(MAGIC, len(text), self.size) + text + b"".join(self.parts)


def _bytes(dense: Tensor) -> bytes:
    flat = dense.detach().cpu()
    try:
        flat = flat.contiguous().flatten().view(torch.uint8)
        return flat.numpy().tobytes()
    except (RuntimeError, TypeError):  # what functorch has wrapped, and what shares no memory
        copy = torch.empty(dense.shape, dtype=dense.dtype)
        with torch.no_grad():
            copy.copy_(dense.detach().resolve_conj().resolve_neg())
        return copy.flatten().view(torch.uint8).numpy().tobytes() if copy.numel() else b""


def read_frame(read) -> tuple[dict, bytes]:
    """Message and numbers from a function that reads exactly so many bytes.

    Raises:
        BadMessage: it is no frame, or larger than any honest one.
        EOFError: raised by `read` where there are no more bytes.
    """
    magic, text, numbers_ = FRAME.unpack(read(FRAME.size))
    if magic != MAGIC or text > MOST_JSON or numbers_ > MOST_BYTES:
        raise BadMessage("bytes that are no message")
    try:
        message = json.loads(read(text).decode())
    except (ValueError, RecursionError) as error:
        raise BadMessage("a message that is no JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("a message that is no dictionary")
    return message, read(numbers_)


class Decoder:
    """Values from a tree and its numbers.

    Args:
        body: the numbers.
        tensor: (tensor, tree) -> what stands for it, such as one with a way back.
    """

    def __init__(self, body: bytes, tensor=lambda value, tree: value):
        self.body, self.tensor = body, tensor
        self._seen = 0

    def value(self, tree, depth: int = DEEPEST + 1):
        """The value that a tree tells.

        Raises:
            BadMessage: it tells none.
        """
        self._seen += 1
        if self._seen > MOST_PARTS + 10 or depth < 0 or not isinstance(tree, dict):
            raise BadMessage("a value that is none")
        try:
            return self._value(tree, depth)
        except BadMessage:
            raise
        except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise BadMessage(f"a value that is none ({type(error).__name__})") from error

    def _value(self, tree: dict, depth: int):
        kind = tree["t"]
        if kind in ("tensor", "array", "scalar"):
            return self._numbers(tree)
        if kind in ("list", "tuple"):
            if not isinstance(tree["v"], list):
                raise BadMessage("a list that is none")
            found = [self.value(each, depth - 1) for each in tree["v"]]
            return found if kind == "list" else tuple(found)
        if kind == "bool":
            return tree["v"] is True
        if kind == "int":
            return int(_text(tree["v"], 400))
        if kind == "float":
            return float(_text(tree["v"], 40))
        if kind in ("none", "ellipsis"):
            return None if kind == "none" else Ellipsis
        if kind == "coroutine":
            return _never()
        if kind == "nested":
            return torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)])
        if kind == "meta":
            return torch.empty(_shape(tree["s"]), device="meta")
        if kind == "huge":
            return torch.zeros(()).expand(_shape(tree["s"]))
        if kind == "other":
            return stand_in(_text(tree["name"], 80))
        raise BadMessage("a value of no kind")

    def _numbers(self, tree: dict):
        shape, kind, start = _shape(tree["s"]), tree["d"], tree["o"]
        if kind not in DTYPES or (tree["t"] != "tensor" and kind not in ARRAYS):
            raise BadMessage("numbers of no kind")
        dtype = DTYPES[kind]
        size = math.prod(shape) * dtype.itemsize
        if type(start) is not int or start < 0 or start + size > len(self.body):
            raise BadMessage("numbers that are not there")
        if math.prod(shape) > MOST_NUMBERS:
            raise BadMessage("far too many numbers")
        raw = bytearray(self.body[start : start + size])
        if not raw:
            found = torch.empty(shape, dtype=dtype)
        elif dtype is torch.bool:  # a byte of it can be more than 0 and 1
            found = (torch.frombuffer(raw, dtype=torch.uint8) != 0).view(shape)
        else:
            found = torch.frombuffer(raw, dtype=dtype).view(shape)
        if tree["t"] == "tensor":
            return self.tensor(found, tree)
        return found.numpy() if tree["t"] == "array" else found.numpy()[()]


def _shape(sizes) -> tuple[int, ...]:
    fits = isinstance(sizes, list) and len(sizes) <= 16
    if not fits or not all(type(one) is int and 0 <= one < 2**40 for one in sizes):
        raise BadMessage("a shape that is none")
    return tuple(sizes)


def _text(value, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise BadMessage("a text that is none")
    return value


def clear(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text in one line, without control characters, cut where it is too long."""
    return "".join(c if c.isprintable() else " " for c in str(text)[:longest])


def stand_in(name: str):
    """An object of an empty class that has the name of the one that was returned."""
    return type("".join(c for c in name if c.isprintable()) or "object", (), {})()


async def _never():
    """Stands for a coroutine, which has not begun either."""
