"""What tells one run from another: all that it computes, and the weights that it begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from ..session.lab import Lab
from . import fingerprints
from .batches import Batches
from .players import Players
from .schedules import constant
from .snapshots import Snapshots

# network -> (its weights as a run left them, that run's code, the weights it had begun with). A
# notebook's network lives on after a cut, half trained; where the same cell is run again, it means
# the run that began with fresh weights.
_LEFT: WeakKeyDictionary[nn.Module, tuple[str, dict, str]] = WeakKeyDictionary()


def code_of(
    step: Callable, epochs: int, lab: Lab, batches: Batches, players: Players, snapshots: Snapshots
) -> dict[str, Any]:
    """What a run computes, but for the weights it begins with: plain values and hashes.

    Raises:
        Incomparable: the step or `watch` uses something that cannot be compared.
    """
    nets = players.by_name.items()
    parts = [(f"{key}.{name}", part) for key, net in nets for name, part in _parts_of(net)]
    known = {id(part): name for name, part in parts}
    shapes = {
        id(part): f"{part.dtype} {tuple(part.shape)} {part.requires_grad}"
        for _, part in parts
        if isinstance(part, Tensor)
    }
    return {
        "seed": lab.seed,
        "learning rate": players.rates,
        "betas": players.betas,
        "batch size": int(batches.size),
        "schedule": fingerprints.of(players.schedule, known),
        # A constant rate can be continued for longer; a falling one has a planned end.
        "epochs": "any" if players.schedule is constant else int(epochs),
        "step": fingerprints.of(step, known),
        "watch": [fingerprints.of(snapshots.watch, known), *map(int, snapshots.at)],
        "data": [fingerprints.of(tensor) for tensor in batches.tensors],
        "networks": {key: fingerprints.of(net, shapes) for key, net in nets},
    }


def beginnings(players: Players, code: dict) -> list[dict[str, str]]:
    """The weights that a run may have begun with, as hashes: before it was cut, or those of now."""
    now, before = {}, {}
    for key, net in players.by_name.items():
        now[key] = _weights_of(net)
        end, run, begun = _LEFT.get(net, ("", {}, ""))
        before[key] = begun if end == now[key] and run == code else now[key]
    return [before, now] if before != now else [now]


def remember(players: Players, code: dict, begun: dict[str, str]) -> None:
    """Note that the networks, as they are now, were left by a run that began with these weights."""
    for key, net in players.by_name.items():
        _LEFT[net] = _weights_of(net), code, begun[key]


def _weights_of(net: nn.Module) -> str:
    return fingerprints.of([value.detach() for value in net.state_dict().values()])


def _parts_of(net: nn.Module) -> Iterator[tuple[str, nn.Module | Tensor]]:
    """The modules, parameters and buffers of a network with their names, itself included."""
    yield from net.named_modules()
    yield from net.named_parameters()
    yield from net.named_buffers()
