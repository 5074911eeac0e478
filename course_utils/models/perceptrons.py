"""Many small networks trained as one: the runs of several seeds side by side in one tensor.

A network of a few thousand weights cannot keep a processor busy. Ten of them in one batched product
take little longer than one on a GPU, and about half as long as ten in a row on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .sizes import check_sizes


class ParallelLinear(nn.Module):
    """`runs` independent linear layers, x W + b, in one batched product.

    Weights are (runs, inputs, outputs), and initialised like those of `nn.Linear`: uniformly within
    ±1/√inputs.

    Args:
        runs: how many layers.
        inputs, outputs: features that come in and go out.

    Example:
        >>> ParallelLinear(runs=5, inputs=2, outputs=3)(torch.rand(5, 8, 2)).shape
        torch.Size([5, 8, 3])
    """

    def __init__(self, runs: int, inputs: int, outputs: int):
        super().__init__()
        check_sizes(runs=runs, inputs=inputs, outputs=outputs)
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

    It keeps no running statistics: a batch is normalised by itself, after training as well, so it
    should be large.

    Args:
        runs: how many runs.
        features: numbers per sample.
        epsilon: added to the variance.
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
    """`runs` independent multilayer perceptrons as one network.

    Args:
        runs: how many perceptrons.
        inputs, outputs: features that come in and go out.
        hidden: width of each hidden layer.
        activation: makes the layer that follows each hidden one.
        linear: makes a linear layer from (runs, inputs, outputs).
        normalise: whether batch normalisation stands between a hidden layer and its activation.

    Returns:
        a network from (runs, batch, inputs) to (runs, batch, outputs).

    Example:
        >>> discriminators = perceptrons(runs=5, inputs=2, outputs=1)
        >>> discriminators(torch.rand(5, 100, 2)).shape
        torch.Size([5, 100, 1])
    """
    layers, width = [], inputs
    for size in hidden:
        layers.append(linear(runs, width, size))
        if normalise:
            layers.append(ParallelBatchNorm(runs, size))
        layers.append(activation())
        width = size
    return nn.Sequential(*layers, linear(runs, width, outputs))
