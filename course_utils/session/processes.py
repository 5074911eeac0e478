"""Several processes that train one network together, one a GPU, on one machine or more.

`torchrun` (or a launcher that sets the same variables) starts the same program once a process and
tells each one in environment variables who it is. Every process holds the whole network and
computes on its own part of each batch; what they tell one another is all in this module. In a
program that was started alone, nothing here waits, copies or costs anything.

torch is imported where it is used: the command line asks who it is and has no other need of it.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

TIMEOUT_MINUTES = 10.0  # minutes that one process waits for another


class WrongLaunch(ValueError):
    """The program was not started as several processes have to be; the message says how."""


class ProcessesLost(RuntimeError):
    """The other processes did not come, or went away; the message says what to look at."""


@cache  # asked several times a step
def count() -> int:
    """How many processes work together; 1 unless a launcher started several.

    Raises:
        WrongLaunch: the launcher's variables are incomplete, or no numbers.
    """
    if "WORLD_SIZE" not in os.environ:
        # accelerate promises several processes by this address, and starts one where it counts
        # fewer than two GPUs.
        if "MASTER_ADDR" in os.environ and "ACCELERATE_MIXED_PRECISION" in os.environ:
            raise WrongLaunch(
                "accelerate was asked for several processes and started one, as it does without "
                "two GPUs. Add --multi_gpu in place of --cpu, which starts them on processors "
                "too, or use torchrun --standalone --nproc-per-node 2."
            )
        return 1
    return _number("WORLD_SIZE")


@cache
def rank() -> int:
    """Which of the processes this is, from 0."""
    return _number("RANK") if count() > 1 else 0


def local_rank() -> int:
    """Which of the processes on this machine this is, from 0: the number of its GPU."""
    return _number("LOCAL_RANK") if count() > 1 else 0


def is_first() -> bool:
    """Whether this is the process that prints and writes files for all."""
    return rank() == 0


def name() -> str:
    """This process in messages: "process 2 of 4"."""
    return f"process {rank() + 1} of {count()}"


def shard(batch: Tensor) -> tuple[Tensor, float]:
    """This process's part of a batch, and its share in what all processes compute together.

    The parts together are the batch, and the shares add up to 1. A batch that would leave a
    process with fewer than two examples, over which batch normalisation has no average, is
    computed whole by every process.

    Args:
        batch: (B, ...), the same in every process.
    """
    if count() == 1:
        return batch, 1.0
    if len(batch) < 2 * count():
        return batch, 1 / count()
    mine = batch.tensor_split(count())[rank()]
    return mine, len(mine) / len(batch)


def all_reduce(tensors: Iterable[Tensor], share: float) -> None:
    """Replace tensors, in place, by their sum over the processes, each weighted by its share.

    With the shares of `part`, means over parts become means over the whole batch: gradients
    above all. The tensors travel as one. Every process must bring the same shapes.
    """
    if count() == 1:
        return
    import torch

    tensors = list(tensors)
    joined = torch.cat([tensor.reshape(-1) for tensor in tensors]) * share
    with _others() as distributed:
        distributed.all_reduce(joined)
    pieces = joined.split([tensor.numel() for tensor in tensors])
    for tensor, piece in zip(tensors, pieces):
        tensor.copy_(piece.view_as(tensor))


def broadcast(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors, in place, with those of the first process."""
    if count() == 1:
        return
    import torch

    for tensor in tensors:
        content = tensor.contiguous().reshape(-1).view(torch.uint8)  # any type travels as bytes
        with _others() as distributed:
            distributed.broadcast(content, src=0)
        tensor.copy_(content.view(tensor.dtype).view(tensor.shape))


def broadcast_decisions(*answers: bool) -> tuple[bool, ...]:
    """The first process's answers in every process: for what hangs on a clock."""
    if count() == 1:
        return answers
    import torch

    said = torch.tensor(answers, dtype=torch.uint8)
    broadcast([said])
    return tuple(said.bool().tolist())


def broadcast_object(value: Any) -> Any:
    """The first process's value in every process: plain values and tensors on the CPU."""
    if count() == 1:
        return value
    box = [value]
    with _others() as distributed:
        distributed.broadcast_object_list(box, src=0)
    return box[0]


def gather_objects(make: Callable[[], Any]) -> list:
    """In the first process, what `make` returns in every other one; elsewhere nothing."""
    if count() == 1:
        return []
    made = [None] * count() if is_first() else None
    with _others() as distributed:
        distributed.gather_object(None if is_first() else make(), made, dst=0)
    return made[1:] if is_first() else []


def all_gather_objects(value: Any) -> list:
    """The values of all processes, in the order of their ranks, in every process."""
    if count() == 1:
        return [value]
    values = [None] * count()
    with _others() as distributed:
        distributed.all_gather_object(values, value)
    return values


def check_alike(what: str, description: str) -> None:
    """Make sure that every process is about to do the same.

    Raises:
        ValueError: in all processes, where one describes something else than the first.
    """
    if count() == 1:
        return
    for number, other in enumerate(descriptions := all_gather_objects(description), start=1):
        if other != descriptions[0]:
            raise ValueError(
                f"The {what} must be the same in every process: process 1 has "
                f"{descriptions[0]}, and process {number} has {other}."
            )


@contextmanager
def _others():
    """torch.distributed, once all processes have met; a process that is lost becomes a sentence."""
    import torch
    from torch import distributed

    if not distributed.is_initialized():
        # An optimizer imports torch._dynamo. Imported after the processes have met, it holds on to
        # the connections, and `_shut_down` would not end their threads.
        import torch._dynamo

        # Gradients travel between GPUs directly, everything else through the processors.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        try:
            distributed.init_process_group(backend, timeout=timedelta(minutes=TIMEOUT_MINUTES))
        except (RuntimeError, ValueError) as error:
            raise ProcessesLost(
                f"This is {name()}, and within {TIMEOUT_MINUTES:g} minutes the others did not "
                f"meet it at {os.environ.get('MASTER_ADDR')}, port "
                f"{os.environ.get('MASTER_PORT')}. Start "
                "them all by one torchrun; on several machines, each must "
                "reach that address."
            ) from error
        atexit.register(_shut_down)
    try:
        yield distributed
    except RuntimeError as error:
        raise ProcessesLost(
            f"This is {name()}, and it lost the others: one of them has ended, and its own "
            "messages say why, or has not come to the same place within "
            f"{TIMEOUT_MINUTES:g} minutes."
        ) from error


def _shut_down() -> None:
    """End the connections while Python still lives.

    A thread of gloo that lets go of its last tensor when Python has ended aborts the process. After
    an error nobody takes leave: NCCL would wait for others who no longer answer.
    """
    from torch import distributed

    if distributed.is_initialized() and not hasattr(sys, "last_type"):
        distributed.destroy_process_group()


def _number(variable: str) -> int:
    text = os.environ.get(variable, "")
    if not text.isdecimal() or (variable == "WORLD_SIZE" and int(text) < 1):
        raise WrongLaunch(
            f"{variable} is {text!r} where a launcher of several processes writes a number; "
            "start them by torchrun, or unset WORLD_SIZE."
        )
    return int(text)
