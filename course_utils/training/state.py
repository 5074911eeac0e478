"""Everything that the rest of a run depends on: taken, and put back."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ..session import processes
from ..session.filling import misfit
from .batches import Batches
from .players import Players
from .random_state import random_state, set_random_state
from .run import Run


def state_of(number: int, run: Run, players: Players, batches: Batches) -> dict:
    """Everything that the rest of the run depends on."""
    nets, opts = players.by_name, players.optimisers
    return {
        "step": number,
        "order_seed": batches.order_seed,
        "nets": {key: net.state_dict() for key, net in nets.items()},
        "opts": {key: opt.adam.state_dict() for key, opt in opts.items()},
        "scalers": {key: opt.scaler.state_dict() for key, opt in opts.items()},
        "random": random_state(),
        "others": processes.gather_objects(lambda: (random_state(), _buffers(nets))),
        "history": run.history,
        "snapshots": run.snapshots,
        "seconds": run.seconds,
        "began": run.began,
    }


def restore(state: dict, run: Run, players: Players, batches: Batches) -> None:
    """Put a saved state back everywhere.

    Raises:
        ValueError: it is of other networks; all are as they were.
    """
    for key, net in players.by_name.items():
        if wrong := misfit(net, state["nets"].get(key)):
            raise ValueError(f"The checkpoint's {key} is another network: {wrong}.")
    for key, net in players.by_name.items():
        net.load_state_dict(state["nets"][key])
        players.optimisers[key].adam.load_state_dict(state["opts"][key])
        players.optimisers[key].scaler.load_state_dict(state["scalers"][key])
    if processes.is_first():
        set_random_state(state["random"])
    else:
        numbers, buffers = state["others"][processes.rank() - 1]
        set_random_state(numbers)
        for key, net in players.by_name.items():
            net.load_state_dict(buffers[key], strict=False)
    run.history, run.snapshots = state["history"], list(state["snapshots"])
    run.seconds, run.began = state["seconds"], state["began"]
    batches.order_seed = state["order_seed"]


def _buffers(nets: Mapping[str, nn.Module]) -> dict[str, dict[str, Tensor]]:
    """What a network remembers beside its weights, on the CPU: batch normalization's averages ...

    In several processes each has its own, for each saw other examples.
    """
    saved = {key: net.state_dict() for key, net in nets.items()}
    return {
        key: {name: saved[key][name].cpu() for name, _ in net.named_buffers() if name in saved[key]}
        for key, net in nets.items()
    }


def follow_the_first(run: Run, players: Players) -> None:
    """At the end of a run in several processes: all hold what the first one holds."""
    if processes.count() == 1:
        return
    players.broadcast()
    run.snapshots, run.seconds, numbers = processes.broadcast_object(
        (run.snapshots, run.seconds, random_state())
    )
    set_random_state(numbers)
