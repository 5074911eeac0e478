"""The history of a run: measures are read back from the device rarely, and then judged."""

from __future__ import annotations

import torch
from torch import Tensor

from ..session import processes
from ..session.arguments import shown
from .players import Players, Weights
from .run import Run

READ_BACK_EVERY = 100  # steps between two copies of the history from the device
RUNAWAY = 1e6  # a measure this many times its first value (or 1) is not coming back
ADVICE = (
    "the training diverged. Try a smaller learning rate, or look for a log, a root or a division "
    "of zero, whose slope may be infinite, or for targets of a cross-entropy outside [0, 1]. The "
    "networks have their last good weights back."
)


class Record:
    """Collects what each step measured, and knows the last weights that were good.

    Attributes:
        trouble: what went wrong, in a sentence; "" while all is well.
    """

    def __init__(self, run: Run, players: Players):
        self.run, self.players, self.good = run, players, players.weights()
        # What is infinite from the beginning, such as a mask in a buffer, is meant to be.
        self.finite = {key: _finite_parts(net) for key, net in self.good.items()}
        self.pending: list[dict] = []
        self.shares: list[float] = []
        self.trouble = ""

    @property
    def full(self) -> bool:
        """Whether it is time to read back."""
        return len(self.pending) >= READ_BACK_EVERY

    def add(self, measures: dict, share: float) -> None:
        """Keep the measures of a step, on the device."""
        expected = self.pending[-1] if self.pending else self.run.history
        self.pending.append(_detached(measures, expected))
        self.shares.append(share)

    def read_back(self, number: int) -> bool:
        """Move what waits into the history, up to step `number`, and judge it.

        Of several processes, all see the mean over the parts of each batch, so that they judge
        alike.

        Returns:
            whether all is well. If not, the history ends before the step that went wrong, the
            networks have their last good weights back, and `trouble` says what happened.
        """
        fresh = {}
        for key in self.pending[0]:
            values = [torch.as_tensor(measures[key]).float() for measures in self.pending]
            fresh[key] = torch.stack([value.reshape(()) for value in values]).cpu()
        processes.all_reduce(fresh.values(), torch.tensor(self.shares).repeat(len(fresh)))
        first_bad, culprit = _first_bad(fresh, self.run.history)
        for key, values in fresh.items():
            before = self.run.history.get(key, values[:0])
            self.run.history[key] = torch.cat([before, values[:first_bad]])
        now = self.players.weights()  # the last step may have spoilt them, with a finite loss
        spoilt = processes.broadcast_object(not self._still_finite(now))
        if culprit:
            step = number + 1 - len(self.pending) + first_bad
            value = fresh[culprit][first_bad].item()
            self.trouble = f"{culprit} became {value:.3g} at step {step}: {ADVICE}"
        elif spoilt:
            self.trouble = f"weights became NaN or infinite up to step {number}: {ADVICE}"
        if self.trouble:
            self.players.put_back(self.good)
        else:
            self.good = now
        self.pending.clear()
        self.shares.clear()
        return not self.trouble

    def _still_finite(self, weights: Weights) -> bool:
        """Whether all that was finite at the beginning is, asked of the device once."""
        parts = [weights[key][name] for key, names in self.finite.items() for name in names]
        return not parts or bool(torch.stack([part.isfinite().all() for part in parts]).all())


def _first_bad(fresh: dict[str, Tensor], history: dict[str, Tensor]) -> tuple[int, str]:
    """The first of the fresh steps with a measure that is no number or runs away, and which."""
    bad, culprit = len(next(iter(fresh.values()))), ""
    for key, values in fresh.items():
        first = history[key][0] if key in history else values[0]
        limit = RUNAWAY * first.abs().nan_to_num(1.0, posinf=1.0).clamp_min(1)
        wild = (values.abs() <= limit).logical_not().nonzero()
        if len(wild) and int(wild[0]) < bad:
            bad, culprit = int(wild[0]), key
    return bad, culprit


def _detached(measures: dict, expected) -> dict:
    """The measures of a step without their graphs, which would fill the memory."""
    if not isinstance(measures, dict) or not measures:
        raise ValueError('A step must return its measures: return {"loss": loss}.')
    if expected and measures.keys() != expected.keys():
        raise ValueError(
            f"This step returned the measures {list(measures)}, the one before "
            f"{list(expected)}; every step must return the same."
        )
    kept = dict(measures)
    for measure, value in measures.items():
        if isinstance(value, Tensor):
            kept[measure] = value.detach()
        if not isinstance(value, (int, float)) and _size(value) != 1:
            raise ValueError(
                f"{measure} has {_size(value)} numbers; return one, its .mean()."
                if _size(value) is not None
                else f"{measure} is {shown(value)}; return a number."
            )
    return kept


def _size(value) -> int | None:
    """How many numbers a measure has; None where it is none."""
    if isinstance(value, Tensor):
        return value.numel()
    return getattr(value, "size", 1) if hasattr(value, "__float__") else None


def _finite_parts(net: dict[str, Tensor]) -> list[str]:
    """The names of those weights and buffers that are finite."""
    return [name for name, value in net.items() if bool(value.isfinite().all())]
