"""Networks side by side: each is the network it would be alone, and learns as it would alone."""

import math

import pytest
import torch
from torch import nn

from course_utils import models


def alone(layer, run):
    """The run of a ParallelLinear as an nn.Linear."""
    _, inputs, outputs = layer.weight.shape
    linear = nn.Linear(inputs, outputs).to(layer.weight.dtype)
    with torch.no_grad():
        linear.weight.copy_(layer.weight[run].T)
        linear.bias.copy_(layer.bias[run, 0])
    return linear


def alone_normalised(layer, run):
    """The run of a ParallelBatchNorm as an nn.BatchNorm1d."""
    norm = nn.BatchNorm1d(layer.scale.shape[-1]).to(layer.scale.dtype)
    with torch.no_grad():
        norm.weight.copy_(layer.scale[run, 0])
        norm.bias.copy_(layer.shift[run, 0])
    return norm


def one_of(nets, run):
    """One run of `perceptrons` as PyTorch's own layers, with the weights of now."""
    layers = []
    for layer in nets:
        if isinstance(layer, models.ParallelLinear):
            layers.append(alone(layer, run))
        elif isinstance(layer, models.ParallelBatchNorm):
            layers.append(alone_normalised(layer, run))
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def test_a_parallel_layer_is_a_linear_layer_for_every_run():
    layer, x = models.ParallelLinear(3, 4, 5), torch.randn(3, 7, 4)
    y = layer(x)
    assert y.shape == (3, 7, 5)
    for run in range(3):
        assert torch.allclose(y[run], alone(layer, run)(x[run]), atol=1e-6)


@pytest.mark.parametrize("inputs", [1, 4, 100])
def test_weights_start_uniformly_within_one_over_root_inputs_as_pytorch_s_do(inputs):
    torch.manual_seed(0)
    layer, reach = models.ParallelLinear(20, inputs, 400), 1 / math.sqrt(inputs)
    pytorch = nn.Linear(inputs, 8000)
    for ours, theirs in ((layer.weight, pytorch.weight), (layer.bias, pytorch.bias)):
        assert ours.numel() >= 8000
        for values in (ours, theirs):
            assert 0.99 * reach < values.abs().max() <= reach
            assert values.mean().abs().item() < 0.03 * reach
            assert values.std().item() == pytest.approx(reach / math.sqrt(3), rel=0.03)


def test_runs_start_from_different_weights():
    layer = models.ParallelLinear(2, 3, 4)
    assert not torch.allclose(layer.weight[0], layer.weight[1])
    assert not torch.allclose(layer.bias[0], layer.bias[1])


def test_a_parallel_layer_says_its_sizes():
    assert repr(models.ParallelLinear(10, 2, 64)) == (
        "ParallelLinear(runs=10, inputs=2, outputs=64)"
    )


def test_parallel_batch_normalisation_is_batch_normalisation_for_every_run():
    torch.manual_seed(0)
    layer = models.ParallelBatchNorm(3, 4)
    with torch.no_grad():
        layer.scale.uniform_(0.5, 2)
        layer.shift.normal_()
    x = torch.randn(3, 9, 4) * torch.tensor([0.01, 1.0, 30.0])[:, None, None] + 5
    y = layer(x)
    for run in range(3):
        assert torch.allclose(y[run], alone_normalised(layer, run)(x[run]), atol=1e-4)


def test_parallel_batch_normalisation_has_the_gradient_of_pytorch_s():
    torch.manual_seed(0)
    layer, x = models.ParallelBatchNorm(2, 3).double(), torch.randn(2, 5, 3, dtype=torch.double)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(layer(x).pow(3).sum(), x)
    for run in range(2):
        one = x[run].detach().requires_grad_()
        (own,) = torch.autograd.grad(alone_normalised(layer, run)(one).pow(3).sum(), one)
        assert torch.allclose(slope[run], own)


def test_a_batch_is_normalised_by_itself_after_training_too():
    layer = models.ParallelBatchNorm(2, 3)
    x = 5 + torch.randn(2, 50, 3)
    training, later = layer(x), layer.eval()(x)
    assert torch.equal(training, later) and not list(layer.buffers())
    assert later.mean(1).abs().max() < 1e-5
    assert torch.allclose(later.var(1, correction=0), torch.ones(2, 3), atol=1e-4)


def test_perceptrons_have_the_layers_that_were_asked_for():
    nets = models.perceptrons(2, 3, 1, (8, 6), nn.Tanh, normalise=True)
    assert [type(layer).__name__ for layer in nets] == [
        "ParallelLinear", "ParallelBatchNorm", "Tanh",
        "ParallelLinear", "ParallelBatchNorm", "Tanh", "ParallelLinear",
    ]  # fmt: skip
    assert [p.shape for p in nets.parameters()][:4] == [(2, 3, 8), (2, 1, 8), (2, 1, 8), (2, 1, 8)]
    assert nets(torch.randn(2, 5, 3)).shape == (2, 5, 1)
    straight = models.perceptrons(2, 3, 4, hidden=())
    assert len(straight) == 1 and straight(torch.randn(2, 5, 3)).shape == (2, 5, 4)


def test_perceptrons_take_another_linear_layer():
    class Doubled(models.ParallelLinear):
        def forward(self, x):
            return 2 * super().forward(x)

    nets = models.perceptrons(2, 3, 1, (4,), linear=Doubled)
    assert [type(layer) for layer in nets] == [Doubled, nn.ReLU, Doubled]


@pytest.mark.parametrize("normalise", [False, True])
def test_perceptrons_are_the_networks_of_pytorch(normalise):
    nets, x = models.perceptrons(3, 2, 2, (16, 16), normalise=normalise), torch.randn(3, 11, 2)
    for run in range(3):
        assert torch.allclose(nets(x)[run], one_of(nets, run)(x[run]), atol=1e-5)


def train(net, x, y, loss_of, steps=20):
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.5, 0.99))
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = loss_of(net(x), y)
        loss.sum().backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


@pytest.mark.parametrize(
    ("dtype", "normalise", "exact"),
    [
        (torch.float32, False, 1e-5),
        (torch.float64, False, 1e-12),
        # A bias in front of a normalisation has no gradient but rounding errors, and Adam follows
        # these too: a little in double precision, and in single precision as far as any other.
        (torch.float64, True, 1e-6),
    ],
)
def test_runs_that_train_side_by_side_end_where_each_ends_alone(dtype, normalise, exact):
    """What a table over seeds rests on: the summed loss gives each run its own gradient."""
    torch.manual_seed(0)
    nets = models.perceptrons(3, 2, 1, (16, 16), nn.Tanh, normalise=normalise).to(dtype)
    x, y = torch.randn(3, 32, 2, dtype=dtype), torch.randn(3, 32, 1, dtype=dtype)
    y[2] *= 100  # a run with large gradients takes nothing from the others
    singles = [one_of(nets, run) for run in range(3)]
    start = nets[0].weight.detach().clone()
    together = train(nets, x, y, lambda guess, y: (guess - y).square().mean((1, 2)))
    assert (nets[0].weight - start).abs().max() > 0.05
    for run, net in enumerate(singles):
        own = train(net, x[run], y[run], lambda guess, y: (guess - y).square().mean())
        assert torch.allclose(together[:, run], own, rtol=exact, atol=exact)
        for ours, theirs in zip(one_of(nets, run).parameters(), net.parameters()):
            assert torch.allclose(ours, theirs, rtol=exact, atol=exact)
        assert own[-1] < own[0]
