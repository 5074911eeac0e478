"""The networks of a run and their optimisers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from ..session import processes
from ..session.arguments import real
from ..session.lab import Lab
from . import arguments

Weights = dict[str, dict[str, Tensor]]  # network -> name -> weights or buffer


class Optimiser:
    """One player's optimiser: `minimise(loss)` is zero_grad, backward and step in one line.

    A player is one entry of `nets`; networks that share a loss (an encoder and a decoder, the two
    generators of a CycleGAN) are one player, an `nn.ModuleDict` of them.

    Of several processes, each averages its gradients with those of the others after its backward
    pass, by one all-reduce. `DistributedDataParallel` does that in hooks of the wrapped network's
    own `forward`, and a step may call a *member* of it (`nets.net.encode`, one entry of an
    `nn.ModuleDict`): then its hooks do not run and each process silently trains weights of its
    own (tests/test_processes.py shows both).

    Attributes:
        adam: the optimiser of torch.
        progress: how much of the run is done, in [0, 1), for what fades while training.
        share: the weight of this process's gradients in those of all; 1 for a single process.
    """

    def __init__(self, parameters, lr: float, betas: tuple[float, float], lab: Lab):
        self.parameters = [weight for weight in parameters if weight.requires_grad]
        decay_rates = arguments.decay_rates(betas)  # as floats: torch refuses a 0 beside a 0.99
        # One fused kernel for all parameters instead of several a tensor: the same update.
        self.adam = torch.optim.Adam(self.parameters, lr=lr, betas=decay_rates, fused=True)
        # Half-precision gradients underflow unless the loss is scaled up; otherwise idle.
        self.scaler = torch.amp.GradScaler(lab.device.type, enabled=lab.precision == "fp16")
        self.half = lab.precision != "float32"
        self.base_lr = lr
        self.progress = 0.0
        self.share = 1 / processes.count()

    def minimise(self, loss: Tensor) -> None:
        """Move this player's parameters one step down the gradient of a loss of one number.

        Raises:
            ValueError: the loss is no tensor of one number that depends on weights.
        """
        _check_loss(loss)
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


class Players:
    """The networks of a run, one optimiser for each, and the precision they compute in.

    Attributes:
        by_name, optimisers: name -> network, name -> optimiser.
        nets, opts: the same as a step is given them: `nets.NAME`, `opts.NAME`.
        rates, betas, schedule: how they learn.
    """

    def __init__(self, nets: Mapping[str, nn.Module], lr, betas, lab: Lab, schedule: Callable):
        nets = arguments.networks(nets)
        self.rates, self.betas = arguments.rates(lr, list(nets)), list(arguments.decay_rates(betas))
        self.schedule = arguments.callable_or_refused(schedule, "schedule", "training.cosine")
        self.by_name = {key: net.to(lab.device).train() for key, net in nets.items()}
        self.optimisers = {
            key: Optimiser(net.parameters(), self.rates[key], betas, lab)
            for key, net in self.by_name.items()
        }
        self.nets, self.opts = SimpleNamespace(**self.by_name), SimpleNamespace(**self.optimisers)
        half = torch.float16 if lab.precision == "fp16" else torch.bfloat16
        plain = lab.precision == "float32"  # a context that does nothing costs time, too
        self.autocast = nullcontext() if plain else torch.autocast(lab.device.type, dtype=half)

    @contextmanager
    def training(self) -> Iterator[None]:
        """In training mode, and in evaluation mode afterwards, also when a cell is interrupted."""
        try:
            yield
        finally:
            for net in self.by_name.values():
                net.eval()

    def begin_step(self, progress: float, share: float) -> None:
        """Set the learning rates of a step, and this process's share in it."""
        wanted = "a schedule that gives a number of at least 0"
        factor = real(self.schedule(progress), "The factor of the schedule", wanted, _is_factor)
        for opt in self.optimisers.values():
            opt.progress, opt.share = progress, share
            opt.scale_rate(factor)

    def broadcast(self) -> None:
        """Give all processes the networks of the first."""
        for net in self.by_name.values():
            processes.broadcast(net.state_dict().values())

    def weights(self) -> Weights:
        """Copies of all weights and buffers."""
        return {
            key: {name: value.clone() for name, value in net.state_dict().items()}
            for key, net in self.by_name.items()
        }

    def put_back(self, weights: Weights) -> None:
        """Undo all steps since `weights`."""
        for key, net in self.by_name.items():
            net.load_state_dict(weights[key])


def _check_loss(loss) -> None:
    """Refuse what has no gradient; what is asked here, the device need not be asked."""
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        what = "a number" if isinstance(loss, Tensor) else f"of the type {type(loss).__name__}"
        raise ValueError(
            f"The loss is {what} without a gradient; compute it from what the network returns, "
            "without .item(), .detach() or torch.no_grad."
        )
    if loss.numel() != 1:
        raise ValueError(
            f"The loss has the shape {tuple(loss.shape)}; minimise one number, its .mean()."
        )


def _is_factor(factor: float) -> bool:
    return 0 <= factor < math.inf
