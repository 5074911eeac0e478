"""`fit`: the one training loop of the course.

A notebook writes the step, which is where the idea is; the loop brings batches, devices, precision,
progress, history, snapshots, checkpoints and exact resume. Autoencoders, GANs, CycleGANs and
classifiers all run on it: a step is given the networks and one optimiser for each, and decides
itself what is minimised and in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

from torch import Tensor, nn

from ..session import processes
from ..session.arguments import file_name, real
from ..session.lab import Lab
from ..session.progress import Progress
from .batches import Batches, same_precision
from .code_reading import name_of
from .players import Players
from .record import Record
from .run import Diverged, Run
from .saving import Saving
from .schedules import constant
from .snapshots import Snapshots
from .state import follow_the_first


def fit(
    step: Callable,
    data: Tensor | Sequence[Tensor],
    nets: Mapping[str, nn.Module],
    lab: Lab,
    *,
    epochs: int,
    lr: float | Mapping[str, float] = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    batch_size: int = 128,
    schedule: Callable[[float], float] = constant,
    save: str | None = None,
    save_every: float = 30.0,
    watch: Callable[[SimpleNamespace], Tensor] | None = None,
    watch_at: Sequence[int] = (),
    name: str | None = None,
) -> Run:
    """Train networks by calling `step` on batches, and return the history.

    Several processes (`torchrun`) share the work of a run, and each calls
    `fit` alike. A step is then given its process's part of the batch, `minimise` averages the
    gradients over all parts, and the history is averaged the same way, so that a run is that of
    one process up to rounding. Three things follow from the parts: random numbers drawn in a step
    are each process's own; batch normalization averages over a part; and a step must call
    `minimise` for the same players in every process. Afterwards all processes hold the networks,
    history, snapshots and random numbers of the first, which alone watches, prints and saves.

    Args:
        step: `step(batch, nets, opts) -> {measure: value}`, a function or a
            `functools.partial` of one. `batch` is a tensor (or a tuple, where `data` is several
            tensors); `nets.NAME` are the networks, `opts.NAME` their
            optimisers with `minimise(loss)`. The values are numbers or one-number tensors;
            tensors are copied to the CPU rarely, so a step never waits for the device.
        data: one tensor or several of equal length, finite, and not of bytes. They are moved to
            the device once and batches are taken by indexing there.
        nets: name -> network, trained in place.
        lab: the session: device, precision, folder of checkpoints.
        epochs: passes over the data in all, sittings before a cut included.
        lr: learning rate of Adam, one number or one a network.
        betas: Adam's two decay rates.
        batch_size: examples a step, those of all processes together; the last batch of an epoch
            may be smaller (one of a single example is left out).
        schedule: progress in [0, 1) -> factor on the learning rate (`constant`, `cosine`,
            `late_linear`).
        save: a name for files: keep a checkpoint under it and resume from it when called again.
            The resumed run is bit for bit the run that was never cut (on the CPU). A run of other
            code, data, networks, first weights, rates or seed is another run, with a checkpoint
            of its own beside the first, so going back to the old settings resumes the old run.
            So is one with another number of processes. All code counts that a step reaches, and
            every tensor and network that it uses (see `fingerprints`).
        save_every: seconds between checkpoints.
        watch: `watch(nets) -> tensor`, called without gradients at the steps in `watch_at`
            (counted from 0, before that step's update; the number of steps in all is the
            end). It does not disturb the run: random numbers it draws are given back.
        watch_at: the steps at which to watch.
        name: what progress lines call the run; `save`, else the step's name.

    Raises:
        ValueError: `data` is empty, of unequal lengths or not finite, an argument cannot be used,
            or the processes were given different runs.
        Diverged: a measure or a weight became NaN, infinite or absurdly large. The networks are
            left with their last good weights, the error carries the run so far, and checkpoints
            are kept.

    Example:
        >>> import torch, course_utils
        >>> from torch import nn
        >>> lab = course_utils.start("example")
        course_utils ...
        >>> def step(x, nets, opts):
        ...     loss = (nets.line(x) - 2 * x).square().mean()
        ...     opts.line.minimise(loss)
        ...     return {"loss": loss}
        >>> x = torch.linspace(-1, 1, 64)[:, None]
        >>> run = fit(step, x, {"line": nn.Linear(1, 1)}, lab, epochs=200, batch_size=16, lr=0.05)
        step: 200 epochs ...
        >>> run.history["loss"].shape, run.last_epoch()["loss"] < 1e-3
        (torch.Size([800]), True)
    """
    batches = Batches(data, batch_size, epochs, lab.device)
    players = Players(nets, lr, betas, lab, schedule)
    same_precision(batches.tensors, players.by_name)
    save = save if save is None else file_name(save, "save")
    save_every = real(save_every, "save_every", "seconds, 0 or more", lambda pause: pause >= 0)
    step_name = name_of(step)
    run = Run(name or save or step_name, batches.per_epoch)
    processes.check_alike("run", f"{run.name} ({batches})")
    players.broadcast()
    snapshots = Snapshots(watch, watch_at, run, players)
    saving = Saving(save, save_every, step, batches.epochs, lab, run, batches, players, snapshots)
    begin = saving.resume()
    record, progress = Record(run, players), Progress(run.name, batches.epochs, batches.per_epoch)

    with players.training(), saving:
        for number, batch, share in batches.since(begin):
            snapshots.take(number)
            players.begin_step(number / batches.steps, share)
            with players.autocast:
                measures = step(batch, players.nets, players.opts)
            record.add(measures, share)
            last = number + 1 == batches.steps
            save_now, draw_now = processes.broadcast_decisions(saving.due(), progress.due())
            if record.full or save_now or draw_now or last:
                if not record.read_back(number):
                    follow_the_first(run, players)
                    raise Diverged(record.trouble, run)
                progress.show(number + 1, run.history)
            if save_now and not last:
                saving.save(number + 1)
        snapshots.take(batches.steps)
        if begin < batches.steps:
            saving.save(batches.steps)
        follow_the_first(run, players)
    if processes.is_first():
        progress.finish(run)
    return run
