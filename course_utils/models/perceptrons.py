"""Many small networks trained as one: the runs of several seeds side by side in one tensor.

A network of a few thousand weights leaves a processor waiting between two operations; ten of them
in one batched product cost little more than one on a GPU, and about half on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


class ParallelLinear(nn.Module):
    """`runs` independent linear layers, x W + b, in one batched product.

    Takes (runs, batch, inputs) and gives (runs, batch, outputs). Weights are (runs, inputs,
    outputs) and start as those of `nn.Linear` do: uniform within ±1/√inputs.
    """

    def __init__(self, runs: int, inputs: int, outputs: int):
        super().__init__()
        reach = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(runs, inputs, outputs).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(runs, 1, outputs).uniform_(-reach, reach))

    def forward(self, x: Tensor) -> Tensor:
        """(runs, batch, outputs) of x (runs, batch, inputs)."""
        return torch.baddbmm(self.bias, x, self.weight)

    def extra_repr(self) -> str:
        runs, inputs, outputs = self.weight.shape
        return f"runs={runs}, inputs={inputs}, outputs={outputs}"


class ParallelBatchNorm(nn.Module):
    """Batch normalisation of every run by its own batch (Ioffe and Szegedy 2015).

    Takes and gives (runs, batch, features). It has no memory of past batches: a batch is
    normalised by itself, after training as well, so give it samples in plenty.
    """

    def __init__(self, runs: int, features: int, epsilon: float = 1e-5):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(runs, 1, features))
        self.shift = nn.Parameter(torch.zeros(runs, 1, features))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """x (runs, batch, features), each feature with mean 0 and variance 1, scaled, shifted."""
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) * (variance + self.epsilon).rsqrt() * self.scale + self.shift


def perceptrons(
    runs: int,
    inputs: int,
    outputs: int,
    hidden: tuple[int, ...] = (128, 128, 128),
    activation: Callable[[], nn.Module] = nn.ReLU,
    linear: Callable[[int, int, int], nn.Module] = ParallelLinear,
    normalise: bool = False,
) -> nn.Sequential:
    """`runs` independent perceptrons as one network from (runs, batch, inputs) to outputs.

    Args:
        hidden: width of each hidden layer.
        activation: makes the layer that follows each hidden one.
        linear: makes a linear layer from (runs, inputs, outputs).
        normalise: whether batch normalisation stands between a hidden layer and its activation.
    """
    layers, width = [], inputs
    for size in hidden:
        layers.append(linear(runs, width, size))
        if normalise:
            layers.append(ParallelBatchNorm(runs, size))
        layers.append(activation())
        width = size
    return nn.Sequential(*layers, linear(runs, width, outputs))
