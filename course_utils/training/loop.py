"""`fit`: the one training loop of the course.

A notebook writes the step, which is where the idea is; the loop brings batches, devices,
precision, progress, history, snapshots, checkpoints and exact resume. Autoencoders, GANs,
CycleGANs and classifiers all run on it: a step is given the networks and one optimiser for
each, and decides itself what is minimised and in which order.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy
import torch
from torch import Tensor, nn

from ..session import processes
from ..session.lab import Lab, seed_everything
from ..session.progress import Progress
from . import checkpoints, fingerprints

READ_BACK_EVERY = 100  # steps between two copies of the history from the device
RUNAWAY = 1e6  # a measure this many times its first value (or 1) is not coming back


class Diverged(FloatingPointError):
    """A run whose measures became NaN, infinite or absurd.

    The networks hold the last weights that were known to be good, and `run.history` every step
    up to there.
    """

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


@dataclass
class Run:
    """What a training run leaves.

    Attributes:
        name: its name in messages and checkpoints.
        history: measure -> (steps,) float32 tensor on the CPU, one value a step.
        snapshots: (step, tensor) pairs, as `watch` returned them.
        seconds: time spent training, over all sittings.
        steps_per_epoch: how many steps made an epoch.
        resumed_at: the step this sitting began with; 0 unless a checkpoint was found.
    """

    name: str
    steps_per_epoch: int
    history: dict[str, Tensor] = field(default_factory=dict)
    snapshots: list[tuple[int, Tensor]] = field(default_factory=list)
    seconds: float = 0.0
    resumed_at: int = 0

    def per_epoch(self, measure: str) -> Tensor:
        """The mean of a measure over each epoch, (epochs,)."""
        epochs = self.history[measure].split(self.steps_per_epoch)
        return torch.stack([epoch.mean() for epoch in epochs])

    def last_epoch(self) -> dict[str, float]:
        """measure -> its mean over the last epoch."""
        return {measure: self.per_epoch(measure)[-1].item() for measure in self.history}


class Optimiser:
    """One player's optimiser: `minimise(loss)` is zero_grad, backward and step in one line.

    A player is one entry of `nets`; networks that share a loss (an encoder and a decoder, the two
    generators of a CycleGAN) are one player, an `nn.ModuleDict` of them.

    Attributes:
        progress: how much of the run is done, in [0, 1), for what fades while training.
        share: the weight of this process's gradients in those of all; 1 for a single process.
    """

    def __init__(self, parameters, lr: float, betas: tuple[float, float], lab: Lab):
        # One fused kernel for all parameters instead of several a tensor: the same update.
        self.parameters = [weight for weight in parameters if weight.requires_grad]
        decay_rates = tuple(map(float, betas))  # torch refuses a 0 beside a 0.99
        self.adam = torch.optim.Adam(self.parameters, lr=lr, betas=decay_rates, fused=True)
        # Half-precision gradients underflow unless the loss is scaled up; otherwise idle.
        self.scaler = torch.amp.GradScaler(lab.device.type, enabled=lab.precision == "fp16")
        self.half = lab.precision != "float32"
        self.base_lr = lr
        self.progress = 0.0
        self.share = 1 / processes.count()

    def minimise(self, loss: Tensor) -> None:
        """Move this player's parameters one step down the gradient of a loss of one number."""
        for weight in self.parameters:
            weight.grad = None
        # The backward pass takes its precision from the forward pass.
        with torch.autocast(loss.device.type, enabled=False) if self.half else nullcontext():
            # For this player's weights only: the opponent's gradients would go unused.
            self.scaler.scale(loss).backward(inputs=self.parameters)
        if processes.count() > 1:
            gradients = [weight.grad for weight in self.parameters if weight.grad is not None]
            processes.all_reduce(gradients, self.share)
        self.scaler.step(self.adam)
        self.scaler.update()
        if self.half:
            # Autocast keeps half-precision copies of the weights, which are now out of date.
            torch.clear_autocast_cache()

    def scale_rate(self, factor: float) -> None:
        """Set the learning rate to `factor` times the one it was made with."""
        for group in self.adam.param_groups:
            group["lr"] = self.base_lr * factor


def constant(progress: float) -> float:
    """A learning rate that stays."""
    return 1.0


def cosine(progress: float) -> float:
    """A learning rate that falls to zero along half a cosine (Loshchilov and Hutter 2017)."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def late_linear(progress: float) -> float:
    """A learning rate that stays for half of the run, then falls to zero along a line.

    That of Zhu, Park, Isola and Efros (2017), whose rate fell once an epoch; this one, every step.
    """
    return min(1.0, 2 * (1 - progress))


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

    Several processes (`accelerate launch`, `torchrun`) share the work of a run, and each calls
    `fit` alike. A step is then given its process's part of the batch, `minimise` averages the
    gradients over all parts, and the history is averaged the same way, so that a run is that of
    one process up to rounding. Three things follow from the parts: random numbers drawn in a step
    are each process's own; batch normalisation averages over a part; and a step must call
    `minimise` for the same players in every process. Afterwards all processes hold the networks,
    history, snapshots and random numbers of the first, which alone watches, prints and saves.

    Args:
        step: `step(batch, nets, opts) -> {measure: value}`, a function or a
            `functools.partial` of one. `batch` is a tensor (or a tuple, where `data` is several
            tensors); `nets.NAME` are the networks, `opts.NAME` their
            optimisers with `minimise(loss)`. The values are numbers or one-number tensors;
            tensors are copied to the CPU rarely, so a step never waits for the device.
        data: one tensor or several of equal length. They are moved to the device once and
            batches are taken by indexing there.
        nets: name -> network, trained in place.
        lab: the session: device, precision, folder of checkpoints.
        epochs: passes over the data in all, sittings before a cut included.
        lr: learning rate of Adam, one number or one a network.
        betas: Adam's two decay rates.
        batch_size: images a step, those of all processes together; the last batch of an epoch
            may be smaller (one of a single image is left out).
        schedule: progress in [0, 1) -> factor on the learning rate (`constant`, `cosine`,
            `late_linear`).
        save: a name: keep a checkpoint under it and resume from it when called again. The
            resumed run is bit for bit the run that was never cut (on the CPU). A run with
            other data, networks, rates, seed or another step is another run, with a checkpoint
            of its own beside the first, so going back to the old settings resumes the old run.
            So is one with another number of processes.
        save_every: seconds between checkpoints.
        watch: `watch(nets) -> tensor`, called without gradients at the steps in `watch_at`
            (counted from 0, before that step's update; the number of steps in all is the
            end). It does not disturb the run: random numbers it draws are given back.
        watch_at: the steps at which to watch.
        name: what progress lines call the run; `save`, else the step's name.

    Raises:
        ValueError: `data` is empty or of unequal lengths, or a number is out of range, or the
            processes were given different runs.
        Diverged: a measure became NaN, infinite or absurdly large. The networks are left with
            their last good weights, the error carries the run so far, and checkpoints are kept.
    """
    tensors = [tensor.to(lab.device) for tensor in _as_tensors(data)]
    _check(step, tensors, epochs, batch_size, watch, watch_at)
    rates = {key: float(lr[key] if isinstance(lr, Mapping) else lr) for key in nets}
    nets = {key: net.to(lab.device).train() for key, net in nets.items()}
    opts = {key: Optimiser(net.parameters(), rates[key], betas, lab) for key, net in nets.items()}
    batches = _batches_per_epoch(len(tensors[0]), batch_size)
    steps = epochs * batches
    run = Run(name or save or fingerprints.name_of(step), steps_per_epoch=batches)
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
    processes.check_alike("run", f"{run.name} ({steps} steps of {batch_size}, data {shapes})")
    for net in nets.values():
        processes.broadcast(net.state_dict().values())
    path = identity = None
    if save is not None:
        identity = {
            "seed": lab.seed,
            "learning rate": rates,
            "betas": [float(beta) for beta in betas],
            "batch size": int(batch_size),
            "schedule": fingerprints.of_function(schedule),
            # A constant rate can be continued for longer; a falling one has a planned end.
            "epochs": "any" if schedule is constant else int(epochs),
            "step": fingerprints.of_function(step),
            "watch": [fingerprints.of_function(watch), *map(int, watch_at)] if watch else [],
            "data": [fingerprints.of_data(tensor) for tensor in tensors],
            "networks": {key: repr(net) for key, net in nets.items()},
        }
        path = Path(lab.runs_folder) / f"{save}-{checkpoints.short_name(identity)}.pt"
        if processes.count() > 1:
            identity["processes"] = processes.count()
            path = path.with_stem(f"{path.stem}-of-{processes.count()}")

    # The order of the images in epoch e follows from one number, so that the position in
    # the data is the number of the step and nothing else need be saved.
    order_seed = int(torch.randint(2**31, ()))
    begin = 0
    state = path and processes.is_first() and checkpoints.resume(path, identity, longest=steps)
    if path and processes.is_first() and not state:
        _say_what_else_there_is(path)
    order_seed, state = processes.broadcast_object((order_seed, state))
    if not processes.is_first():  # or all would draw the same noise for different images
        own = numpy.random.SeedSequence([order_seed, processes.rank()])
        seed_everything(int(own.generate_state(1)[0]))
    if state:
        begin, order_seed = _restore(state, run, nets, opts)
        run.resumed_at = begin

    step_nets, step_opts = SimpleNamespace(**nets), SimpleNamespace(**opts)
    autocast, several = _autocast(lab), isinstance(data, Sequence)
    pending, shares, good = [], [], _weights(nets)
    seconds_before = run.seconds
    started_at = saved_at = time.perf_counter()
    progress = Progress(run.name, epochs, batches)

    def keep(finished: int) -> None:
        run.seconds = seconds_before + time.perf_counter() - started_at
        if path:
            state = _state(finished, order_seed, run, nets, opts)
            if processes.is_first():
                checkpoints.save(path, state, identity)

    def look(number: int) -> None:
        if number in watch_at and processes.is_first() and number not in dict(run.snapshots):
            run.snapshots.append((number, _watch(watch, nets)))

    try:
        for number, batch, share in _batches(tensors, batch_size, order_seed, begin, steps):
            look(number)
            for opt in opts.values():
                opt.progress, opt.share = number / steps, share
                opt.scale_rate(float(schedule(opt.progress)))
            with autocast:
                measures = step(batch if several else batch[0], step_nets, step_opts)
            pending.append(_detached(measures, expected=pending[-1] if pending else run.history))
            shares.append(share)
            finished = number + 1
            save_now, draw_now = processes.broadcast_decisions(
                path is not None and time.perf_counter() - saved_at > save_every, progress.due()
            )
            if len(pending) == READ_BACK_EVERY or finished == steps or save_now or draw_now:
                trouble = _read_back(pending, shares, run.history, number)
                if trouble:
                    run.seconds = seconds_before + time.perf_counter() - started_at
                    for key, net in nets.items():
                        net.load_state_dict(good[key])
                    _follow_the_first(run, nets)
                    raise Diverged(trouble, run)
                now = _weights(nets)  # the last step may have spoilt them unseen
                good = now if _finite(now) else good
                progress.show(finished, run.history)
            if save_now and finished < steps:
                keep(finished)
                saved_at = time.perf_counter()

        look(steps)
        if begin < steps:
            keep(steps)
        _follow_the_first(run, nets)
    finally:  # also when a cell is interrupted
        for net in nets.values():
            net.eval()
    if processes.is_first():
        progress.finish(run)
    return run


def _batches_per_epoch(count: int, batch_size: int) -> int:
    """How many batches make an epoch.

    A last batch of a single example is left out, because batch normalisation has no average over
    one; the next epoch has another order, so it is another example every time.
    """
    batches, left = divmod(count, batch_size)
    return batches + (left > 1 or (left == 1 and batches == 0))


def _batches(tensors: list[Tensor], batch_size: int, order_seed: int, begin: int, steps: int):
    """(number, batch, share) of each step from `begin` on; every epoch has an order of its own.

    Of several processes, each takes its part of the batch that a single one would take.
    """
    count = len(tensors[0])
    batches = _batches_per_epoch(count, batch_size)
    order = None
    for number in range(begin, steps):
        epoch, position = divmod(number, batches)
        if order is None or position == 0:
            order = _order(count, order_seed + epoch, tensors[0].device)
        picked = order[position * batch_size : (position + 1) * batch_size]
        picked, share = processes.shard(picked)
        yield number, tuple(tensor[picked] for tensor in tensors), share


def _as_tensors(data) -> list[Tensor]:
    tensors = list(data) if isinstance(data, Sequence) else [data]
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise ValueError(
                f"fit needs tensors and was given {type(tensor).__name__}; "
                "of a data set, give its .images, or (its .images, its .labels)."
            )
    return tensors


def _check(step, tensors: list[Tensor], epochs, batch_size, watch, watch_at) -> None:
    if bool(len(watch_at)) != (watch is not None):
        raise ValueError("watch and watch_at belong together: what to look at, and when.")
    if not fingerprints.is_plain(step):
        raise ValueError(
            "fit needs a step that is a plain function, def step(batch, nets, opts), or "
            "functools.partial of one."
        )
    lengths = {len(tensor) for tensor in tensors}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"fit needs data of one length that is not 0; these have {sorted(lengths)}."
        )
    if epochs < 1 or batch_size < 1:
        raise ValueError(
            f"epochs and batch_size must be 1 or more; they are {epochs} and {batch_size}."
        )


def _autocast(lab: Lab) -> torch.autocast:
    """The precision of the session: float32 as it is, or half precision where that is safe."""
    half = torch.float16 if lab.precision == "fp16" else torch.bfloat16
    return torch.autocast(lab.device.type, dtype=half, enabled=lab.precision != "float32")


def _order(count: int, seed: int, device: torch.device) -> Tensor:
    """A permutation that is the same on every device."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)).to(device)


def _watch(watch, nets) -> Tensor:
    """What `watch` sees, on the CPU; networks and random numbers are left as they were."""
    numbers = _random_state()
    for net in nets.values():
        net.eval()
    with torch.no_grad():
        seen = watch(SimpleNamespace(**nets)).detach().cpu().clone()
    for net in nets.values():
        net.train()
    _set_random_state(numbers)
    return seen


def _random_state() -> dict:
    """The state of every generator that a step may draw from, as tensors and plain values."""
    name, keys, *rest = numpy.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": [name, torch.from_numpy(keys.astype("int64")), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        "mps": torch.mps.get_rng_state() if torch.backends.mps.is_available() else None,
    }


def _set_random_state(numbers: dict) -> None:
    """Put every generator back; those of devices that are not here are left out."""
    random.setstate(numbers["python"])
    name, keys, *rest = numbers["numpy"]
    numpy.random.set_state((name, keys.numpy().astype("uint32"), *rest))
    torch.set_rng_state(numbers["torch"])
    if torch.cuda.is_available() and numbers["cuda"] is not None:
        torch.cuda.set_rng_state(numbers["cuda"])
    if torch.backends.mps.is_available() and numbers["mps"] is not None:
        torch.mps.set_rng_state(numbers["mps"])


def _read_back(
    pending: list[dict], shares: list[float], history: dict[str, Tensor], number: int
) -> str:
    """Append the waiting measures to the history, one copy from the device a measure.

    Of several processes, all see the mean over the parts of each batch, so that they judge alike.

    Returns:
        what went wrong and at which step, in a sentence; "" where all is well. The history then
        ends before that step.
    """
    fresh = {}
    for key in pending[0]:
        values = [torch.as_tensor(measures[key]).detach().float() for measures in pending]
        fresh[key] = torch.stack(values).cpu()
    processes.all_reduce(fresh.values(), torch.tensor(shares).repeat(len(fresh)))
    bad, culprit = len(pending), ""
    for key, values in fresh.items():
        first = history[key][0] if key in history else values[0]
        limit = RUNAWAY * first.abs().nan_to_num(1.0, posinf=1.0).clamp_min(1)
        wild = (values.abs() <= limit).logical_not().nonzero()
        if len(wild) and int(wild[0]) < bad:
            bad, culprit = int(wild[0]), key
    for key, values in fresh.items():
        history[key] = torch.cat([history.get(key, values[:0]), values[:bad]])
    pending.clear()
    shares.clear()
    if not culprit:
        return ""
    step = number + 1 - len(fresh[culprit]) + bad
    return (
        f"{culprit} became {fresh[culprit][bad].item():.3g} at step {step}: the training diverged. "
        "Try a smaller learning rate, or look for a log or a division of zero. The networks have "
        "their last good weights back."
    )


def _weights(nets: Mapping[str, nn.Module]) -> dict[str, dict[str, Tensor]]:
    """Copies of all weights and buffers."""
    return {
        key: {name: value.clone() for name, value in net.state_dict().items()}
        for key, net in nets.items()
    }


def _finite(weights: dict[str, dict[str, Tensor]]) -> bool:
    """Whether every weight is a number, asked of the device once."""
    whole = [value.isfinite().all() for net in weights.values() for value in net.values()]
    return bool(torch.stack(whole).all())


@torch.no_grad()
def update_ema(average: nn.Module, net: nn.Module, decay: float = 0.999) -> None:
    """Move the weights of `average` a little towards those of `net`: their running average.

    Games circle around their solution, and the average of a circle is its centre. Call it once a
    step, with `average` a copy of `net` that nothing trains.

    Args:
        decay: the average remembers about the last 1 / (1 - decay) steps; in [0, 1).

    Raises:
        ValueError: the two are not of one architecture.
    """
    theirs, ours = list(net.parameters()), list(average.parameters())
    if [p.shape for p in theirs] != [p.shape for p in ours]:
        raise ValueError("follow needs two networks of one architecture: a copy.deepcopy of one.")
    torch._foreach_lerp_(ours, theirs, 1 - decay)
    for old, new in zip(average.buffers(), net.buffers(), strict=True):
        old.copy_(new)


def _detached(measures: dict, expected) -> dict:
    """The measures of a step without their graphs, which would fill the memory."""
    if not isinstance(measures, dict) or not measures:
        raise ValueError('A step must return its measures: return {"loss": loss}.')
    if expected and set(measures) != set(expected):
        raise ValueError(
            f"This step returned the measures {sorted(measures)}, the one before "
            f"{sorted(expected)}; every step must return the same."
        )
    for measure, value in measures.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"{measure} has {value.numel()} numbers; return one, its .mean().")
    return {
        measure: value.detach().reshape(()) if isinstance(value, Tensor) else value
        for measure, value in measures.items()
    }


def _state(number, order_seed, run, nets, opts) -> dict:
    """Everything that the rest of the run depends on."""
    return {
        "step": number,
        "order_seed": order_seed,
        "nets": {key: net.state_dict() for key, net in nets.items()},
        "opts": {key: opt.adam.state_dict() for key, opt in opts.items()},
        "scalers": {key: opt.scaler.state_dict() for key, opt in opts.items()},
        "random": _random_state(),
        "others": processes.gather_objects(lambda: (_random_state(), _buffers(nets))),
        "history": run.history,
        "snapshots": run.snapshots,
        "seconds": run.seconds,
    }


def _restore(state: dict, run: Run, nets, opts) -> tuple[int, int]:
    """Put a saved state back everywhere; returns the step to go on with and the order seed."""
    for key, net in nets.items():
        net.load_state_dict(state["nets"][key])
        opts[key].adam.load_state_dict(state["opts"][key])
        opts[key].scaler.load_state_dict(state["scalers"][key])
    if processes.is_first():
        _set_random_state(state["random"])
    else:
        numbers, buffers = state["others"][processes.rank() - 1]
        _set_random_state(numbers)
        for key, net in nets.items():
            net.load_state_dict(buffers[key], strict=False)
    run.history, run.snapshots = state["history"], list(state["snapshots"])
    run.seconds = state["seconds"]
    return state["step"], state["order_seed"]


def _buffers(nets: Mapping[str, nn.Module]) -> dict[str, dict[str, Tensor]]:
    """What a network remembers beside its weights, on the CPU: batch normalisation's averages ...

    In several processes each has its own, for each saw other images.
    """
    saved = {key: net.state_dict() for key, net in nets.items()}
    return {
        key: {name: saved[key][name].cpu() for name, _ in net.named_buffers() if name in saved[key]}
        for key, net in nets.items()
    }


def _follow_the_first(run: Run, nets: Mapping[str, nn.Module]) -> None:
    """At the end of a run in several processes: all hold what the first one holds."""
    if processes.count() == 1:
        return
    for net in nets.values():
        processes.broadcast(net.state_dict().values())
    run.snapshots, run.seconds, numbers = processes.broadcast_object(
        (run.snapshots, run.seconds, _random_state())
    )
    _set_random_state(numbers)


def _say_what_else_there_is(path: Path) -> None:
    """Tell of checkpoints of the same run in another number of processes, which are not used."""
    stem = re.sub(r"-of-\d+$", "", path.stem)
    for other in sorted(path.parent.glob("*.pt")):
        if re.fullmatch(rf"{re.escape(stem)}(-of-\d+)?\.pt", other.name):
            print(
                f"{other.name} is of another number of processes, and only that many resume it "
                "exactly; this run begins afresh beside it."
            )
