"""The running average of a network's weights."""

from __future__ import annotations

import torch
from torch import nn

from ..session.arguments import real


@torch.no_grad()
def update_ema(average: nn.Module, net: nn.Module, decay: float = 0.999) -> None:
    """Move `average` a little towards `net`: the exponential moving average of its weights.

    The players of a GAN circle around their solution, and the average of a circle is its centre.
    Call it once a step, with `average` a `copy.deepcopy` of `net` that nothing trains.

    Args:
        decay: the average remembers about the last 1 / (1 - decay) steps; in [0, 1).

    Raises:
        ValueError: the two are not of one architecture, or decay is not in [0, 1).

    Example:
        >>> from torch import nn
        >>> average, net = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.zeros_(average.weight), nn.init.ones_(net.weight)
        >>> update_ema(average, net, decay=0.75)
        >>> average.weight.item()
        0.25
    """
    decay = real(decay, "decay", "a number of at least 0 and below 1", lambda part: 0 <= part < 1)
    theirs, ours = list(net.parameters()), list(average.parameters())
    if [p.shape for p in theirs] != [p.shape for p in ours]:
        raise ValueError(
            "update_ema needs two networks of one architecture: a copy.deepcopy of one."
        )
    torch._foreach_lerp_(ours, theirs, 1 - decay)
    for old, new in zip(average.buffers(), net.buffers(), strict=True):
        old.copy_(new)
