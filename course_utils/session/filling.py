"""Networks that are filled whole or not at all.

PyTorch's `load_state_dict` copies what fits before it refuses the rest, and a network that is half
of one training and half of another computes without a word.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping

from torch import Tensor, nn


def fill(net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a network the values of a state dictionary, all of them or none.

    Args:
        net: filled in place.
        state: name -> value, as `net.state_dict()` has them.

    Raises:
        ValueError: the two do not fit; the network is as it was.

    Example:
        >>> fill(nn.Linear(3, 4), nn.Linear(3, 5).state_dict())
        Traceback (most recent call last):
        ...
        ValueError: These weights are of another network: weight is (5, 3), not (4, 3).
    """
    if wrong := misfit(net, state):
        raise ValueError(f"These weights are of another network: {wrong}.")
    net.load_state_dict(state)


def misfit(net: nn.Module, state: Mapping[str, Tensor]) -> str:
    """Why a network cannot be filled with a state dictionary, in a few words; empty if it can.

    Names, shapes and kinds are compared: fractions never stand where whole numbers did, or the
    other way round.
    """
    if not isinstance(state, Mapping):
        return f"they are {type(state).__name__}, no state dictionary"
    own = net.state_dict()
    for wrong, names in (("missing", own.keys() - state), ("unknown", state.keys() - own)):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            return f"{reprlib.repr(min(names, key=str))}{more} {wrong}"
    for name, value in own.items():
        if isinstance(value, Tensor) and (wrong := _difference(state[name], value)):
            return f"{name} is {wrong}"
    return ""


def _difference(given, own: Tensor) -> str:
    """What a value is, and what it should be; empty where it is that."""
    if not isinstance(given, Tensor):
        return f"{type(given).__name__}, no tensor"
    if given.shape != own.shape:
        return f"{tuple(given.shape)}, not {tuple(own.shape)}"
    if given.is_floating_point() != own.is_floating_point():
        return f"{given.dtype}, not {own.dtype}".replace("torch.", "")
    return ""
