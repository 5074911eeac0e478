"""What a training run leaves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

import torch
from torch import Tensor


class Diverged(FloatingPointError):
    """A run whose measures became NaN, infinite or absurd.

    The networks hold the last weights that were known to be good, and `run.history` every step
    up to there.

    Example:
        >>> run = Run("gan", steps_per_epoch=10)
        >>> Diverged("loss became nan at step 7", run).run.name
        'gan'
    """

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


@dataclass
class Run:
    """What a training run leaves.

    Attributes:
        name: its name in messages and checkpoints.
        steps_per_epoch: how many steps made an epoch.
        history: measure -> (steps,) float32 tensor on the CPU, one value a step.
        snapshots: (step, tensor) pairs, as `watch` returned them.
        seconds: time spent training, over all sittings.
        began: when its first sitting began, as "2026-11-30 14:02".
        resumed_at: the step this sitting began with; 0 unless a checkpoint was found.
    """

    name: str
    steps_per_epoch: int
    history: dict[str, Tensor] = field(default_factory=dict)
    snapshots: list[tuple[int, Tensor]] = field(default_factory=list)
    seconds: float = 0.0
    began: str = ""
    resumed_at: int = 0

    def start_clock(self) -> None:
        """Begin a sitting."""
        self.began = self.began or datetime.now().strftime("%Y-%m-%d %H:%M")
        self._before, self._started = self.seconds, time.perf_counter()

    def read_clock(self) -> None:
        """Bring `seconds` up to date."""
        self.seconds = self._before + time.perf_counter() - self._started

    def per_epoch(self, measure: str) -> Tensor:
        """The mean of a measure over each epoch, (epochs,)."""
        epochs = self.history[measure].split(self.steps_per_epoch)
        return torch.stack([epoch.mean() for epoch in epochs])

    def last_epoch(self) -> dict[str, float]:
        """measure -> its mean over the last epoch."""
        return {measure: self.per_epoch(measure)[-1].item() for measure in self.history}
