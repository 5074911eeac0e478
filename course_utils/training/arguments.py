"""What `fit` is given, looked at before the first step: each refusal is one sentence."""

from __future__ import annotations

import keyword
import math
from collections.abc import Callable, Mapping, Sequence

from torch import nn

from ..session.arguments import real, shown, whole


def networks(nets) -> dict[str, nn.Module]:
    """The networks of a run by their names.

    Raises:
        ValueError: they are not given by names that a step can write as `nets.NAME`, one is no
            network, has nothing to train, or has weights that are not finite from the beginning.
    """
    if not isinstance(nets, Mapping):
        raise ValueError(f"nets is {_kind(nets)}; give every network a name, as in {{'net': net}}.")
    if not nets:
        raise ValueError("nets is empty; give at least one network, as in {'net': net}.")
    for name, net in nets.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(
                f"A network is called {shown(name)}; use a name that a step can write after nets., "
                "such as nets.net."
            )
        if not isinstance(net, nn.Module):
            raise ValueError(f"nets[{name!r}] is {_kind(net)}; give a network, an nn.Module.")
        weights = [weight for weight in net.parameters() if weight.requires_grad]
        if not weights:
            raise ValueError(
                f"nets[{name!r}] has no weights that require a gradient; leave it out of nets, and "
                "use it in the step by its own name."
            )
        if any(isinstance(weight, nn.UninitializedParameter) for weight in weights):
            raise ValueError(
                f"nets[{name!r}] has lazy weights that have no shape yet; call it once on a batch."
            )
        if not all(bool(weight.isfinite().all()) for weight in weights):
            raise ValueError(
                f"nets[{name!r}] has weights that are NaN or infinite before the first step; make "
                "the network anew."
            )
    return dict(nets)


def rates(lr, names: Sequence[str]) -> dict[str, float]:
    """The learning rate of each network.

    One of several may be 0: such a network is kept with the others, and not trained.

    Raises:
        ValueError: a rate is missing, is of no network, or is no number above 0.
    """
    if not isinstance(lr, Mapping):
        return dict.fromkeys(names, real(lr, "lr", "a number above 0", lambda r: 0 < r < math.inf))
    if set(lr) != set(names):
        raise ValueError(
            f"lr has rates for {_listed(lr)}, and the networks are {_listed(names)}; give one "
            "rate for each, or one number for all."
        )
    wanted = "a number of at least 0"
    each = {
        name: real(lr[name], f"lr[{name!r}]", wanted, lambda r: 0 <= r < math.inf) for name in names
    }
    if not any(each.values()):
        raise ValueError("All rates of lr are 0, and nothing would be trained; give one above 0.")
    return each


def decay_rates(betas) -> tuple[float, float]:
    """Adam's two decay rates.

    Raises:
        ValueError: they are not two numbers, each at least 0 and below 1.
    """
    if not hasattr(betas, "__len__") or isinstance(betas, str) or len(betas) != 2:
        raise ValueError(f"betas is {shown(betas)}; give two numbers, such as (0.9, 0.999).")
    wanted = "two numbers, each at least 0 and below 1"
    return tuple(real(beta, "One of betas", wanted, lambda rate: 0 <= rate < 1) for beta in betas)


def steps(watch_at) -> tuple[int, ...]:
    """The steps at which to watch, as Python's whole numbers.

    Raises:
        ValueError: they are no whole numbers in a row, or one is below 0.
    """
    if not hasattr(watch_at, "__iter__") or isinstance(watch_at, str) or not _row(watch_at):
        raise ValueError(f"watch_at is {shown(watch_at)}; give steps, such as (0, 100, 500).")
    return tuple(whole(step, "A step of watch_at", least=0) for step in watch_at)


def callable_or_refused(value, name: str, example: str) -> Callable:
    """`value`, where it can be called; otherwise a ValueError that gives an example."""
    if not callable(value):
        raise ValueError(f"{name} is {shown(value)}; give a function, such as {example}.")
    return value


def _row(values) -> bool:
    return getattr(values, "ndim", 1) == 1


def _listed(names) -> str:
    return ", ".join(map(str, names)) or "none"


def _kind(value) -> str:
    return shown(value) if isinstance(value, type) else f"of the type {type(value).__name__}"
