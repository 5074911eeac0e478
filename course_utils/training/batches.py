"""Batches of tensors that lie on the device, in an order that follows from one number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ..session import processes


class Batches:
    """The batches of a run; every epoch has an order of its own.

    The order of the examples in epoch e follows from `order_seed` + e, so that the position in
    the data is the number of the step, and nothing else need be saved.

    Attributes:
        tensors: the data, on the device.
        size: examples a step.
        per_epoch, steps: how many batches make an epoch, and all epochs.
        order_seed: what the orders follow from.

    Raises:
        ValueError: the data are no tensors of one length, or a number is out of range.
    """

    def __init__(self, data, size: int, epochs: int, device: torch.device):
        self.several = isinstance(data, Sequence)
        self.tensors = [tensor.to(device) for tensor in _as_tensors(data)]
        lengths = {len(tensor) for tensor in self.tensors}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                f"fit needs data of one length that is not 0; these have {sorted(lengths)}."
            )
        if epochs < 1 or size < 1:
            raise ValueError(
                f"epochs and batch_size must be 1 or more; they are {epochs} and {size}."
            )
        self.size, self.count = size, len(self.tensors[0])
        self.per_epoch = _batches_per_epoch(self.count, size)
        self.steps = epochs * self.per_epoch
        self.order_seed = int(torch.randint(2**31, ()))

    def __repr__(self) -> str:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in self.tensors)
        return f"{self.steps} steps of {self.size}, data {shapes}"

    def since(self, begin: int) -> Iterator[tuple[int, Tensor | tuple[Tensor, ...], float]]:
        """(number, batch, share) of each step from `begin` on.

        Of several processes, each takes its part of the batch that a single one would take, and
        `share` is how much of the batch that is.
        """
        order = None
        for number in range(begin, self.steps):
            epoch, position = divmod(number, self.per_epoch)
            if order is None or position == 0:
                order = _order(self.count, self.order_seed + epoch, self.tensors[0].device)
            chosen = order[position * self.size : (position + 1) * self.size]
            chosen, share = processes.shard(chosen)
            batch = tuple(tensor[chosen] for tensor in self.tensors)
            yield number, batch if self.several else batch[0], share


def _as_tensors(data) -> list[Tensor]:
    tensors = list(data) if isinstance(data, Sequence) else [data]
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise ValueError(
                f"fit needs tensors and was given {type(tensor).__name__}; "
                "of a dataset, give its .images, or (its .images, its .labels)."
            )
    return tensors


def _batches_per_epoch(count: int, size: int) -> int:
    """How many batches make an epoch.

    A last batch of a single example is left out, because batch normalization has no average over
    one; the next epoch has another order, so it is another example every time.
    """
    batches, left = divmod(count, size)
    return batches + (left > 1 or (left == 1 and batches == 0))


def _order(count: int, seed: int, device: torch.device) -> Tensor:
    """A permutation that is the same on every device."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).to(device)
