"""Batches of tensors that lie on the device, in an order that follows from one number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from ..session import processes
from ..session.arguments import whole

MOST_EPOCHS = 10**6


class Batches:
    """The batches of a run; every epoch has an order of its own.

    The order of the examples in epoch e follows from `order_seed` + e, so that the position in
    the data is the number of the step, and nothing else need be saved.

    Attributes:
        tensors: the data, on the device.
        size: examples a step.
        epochs, per_epoch, steps: passes over the data, how many batches make one, and all.
        order_seed: what the orders follow from.

    Raises:
        ValueError: the data are no tensors of one length, or not finite, or a number is out of
            range.
    """

    def __init__(self, data, size: int, epochs: int, device: torch.device):
        self.several = isinstance(data, Sequence)
        self.size = whole(size, "batch_size", most=2**31 - 1)
        self.epochs = whole(epochs, "epochs", most=MOST_EPOCHS)
        self.tensors = [tensor.to(device) for tensor in _checked(data)]
        self.count = len(self.tensors[0])
        self.per_epoch = _batches_per_epoch(self.count, self.size)
        self.steps = self.epochs * self.per_epoch
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


def _checked(data) -> list[Tensor]:
    """The tensors of a run's data.

    Raises:
        ValueError: something is no tensor, their lengths differ or are 0, or their numbers are
            bytes, NaN or infinite.
    """
    given = list(data) if isinstance(data, Sequence) and not isinstance(data, str) else [data]
    for tensor in given:
        if not isinstance(tensor, Tensor):
            raise ValueError(
                f"fit needs tensors and was given {type(tensor).__name__}; of a dataset, give its "
                ".images, or (its .images, its .labels), and of a NumPy array torch.from_numpy."
            )
        if not tensor.dim():
            raise ValueError("fit needs data of several examples and was given one number.")
        if tensor.dtype == torch.uint8:
            raise ValueError(
                f"The data {tuple(tensor.shape)} are bytes; give images as numbers in [0, 1], "
                "images.float() / 255, and classes as labels.long()."
            )
        if not bool(tensor.isfinite().all()):
            bad = int(tensor.isfinite().logical_not().sum())
            raise ValueError(
                f"The data {tuple(tensor.shape)} hold {bad:,} numbers that are NaN or infinite, "
                "and one spoils all weights; leave those examples out."
            )
    lengths = {len(tensor) for tensor in given}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"fit needs data of one length that is not 0; these have {sorted(lengths)}."
        )
    return given


def same_precision(data: Sequence[Tensor], nets: Mapping[str, nn.Module]) -> None:
    """Refuse data in double precision for networks in single, as NumPy's numbers come.

    Raises:
        ValueError: data are float64 and no network is.
    """
    double = any(
        weight.dtype == torch.float64 for net in nets.values() for weight in net.parameters()
    )
    if not double and any(tensor.dtype == torch.float64 for tensor in data):
        raise ValueError(
            "The data are float64, as NumPy's numbers are, and the networks float32; give .float()."
        )


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
