"""What `watch` sees while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..session import processes
from ..session.arguments import shown
from . import arguments
from .players import Players
from .random_state import random_state, set_random_state
from .run import Run


class Snapshots:
    """Calls `watch` at the steps in `watch_at`; the run is not disturbed.

    Raises:
        ValueError: only one of the two is given, or one cannot be used.
    """

    def __init__(self, watch: Callable | None, watch_at: Sequence[int], run: Run, players: Players):
        watch_at = arguments.steps(watch_at)
        if bool(watch_at) != (watch is not None):
            raise ValueError("watch and watch_at belong together: what to look at, and when.")
        if watch is not None:
            arguments.callable_or_refused(watch, "watch", "lambda nets: nets.net(x)")
        self.watch, self.at, self.run, self.players = watch, watch_at, run, players

    def take(self, number: int) -> None:
        """Take the snapshot of a step, if there is to be one and none is there."""
        if number in self.at and processes.is_first() and number not in dict(self.run.snapshots):
            self.run.snapshots.append((number, self._seen()))

    def _seen(self) -> Tensor:
        """What `watch` returns, on the CPU; networks and random numbers are left as they were."""
        numbers = random_state()
        for net in self.players.by_name.values():
            net.eval()
        with torch.no_grad():
            seen = self.watch(self.players.nets)
        if not isinstance(seen, Tensor):
            raise ValueError(f"watch returned {shown(seen)}; return a tensor to be kept.")
        for net in self.players.by_name.values():
            net.train()
        set_random_state(numbers)
        return seen.detach().cpu().clone()
