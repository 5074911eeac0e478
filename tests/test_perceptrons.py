"""Networks side by side: each is the network it would be alone, and learns as it would alone."""

import math

import pytest
import torch
from torch import nn

from course_utils import models


def alone(net, run):
    """One run of `perceptrons`, or of a layer of theirs, in PyTorch's own layers."""
    if isinstance(net, nn.Sequential):
        return nn.Sequential(*[alone(layer, run) for layer in net])
    if not list(net.parameters()):
        return net
    weight, bias = (part[run].detach().clone() for part in net.parameters())
    linear = isinstance(net, models.ParallelLinear)
    own = (nn.Linear(*weight.shape) if linear else nn.BatchNorm1d(len(bias.T))).to(weight.dtype)
    own.weight.data, own.bias.data = weight.T if linear else weight[0], bias[0]
    return own


@pytest.mark.parametrize("inputs", [1, 4, 100])
def test_weights_start_uniformly_within_one_over_root_inputs_as_pytorch_s_do(inputs):
    torch.manual_seed(0)
    layer, reach = models.ParallelLinear(20, inputs, 400), 1 / math.sqrt(inputs)
    assert not any(torch.allclose(part[0], part[1]) for part in layer.parameters())
    for values in [*layer.parameters(), *nn.Linear(inputs, 8000).parameters()]:
        assert values.numel() >= 8000 and 0.99 * reach < values.abs().max() <= reach
        assert values.mean().abs().item() < 0.03 * reach
        assert values.std().item() == pytest.approx(reach / math.sqrt(3), rel=0.03)


def test_parallel_batch_normalisation_is_that_of_pytorch_for_every_run_and_so_is_its_gradient():
    torch.manual_seed(0)
    layer = models.ParallelBatchNorm(3, 4).double()
    with torch.no_grad():
        layer.scale.uniform_(0.5, 2)
        layer.shift.normal_()
    spread = torch.tensor([0.01, 1.0, 30.0])[:, None, None]
    x = (torch.randn(3, 9, 4, dtype=torch.double) * spread + 5).requires_grad_()
    y = layer(x)
    (slope,) = torch.autograd.grad(y.pow(3).sum(), x)
    for run in range(3):
        one = x[run].detach().requires_grad_()
        expected = alone(layer, run)(one)
        (own,) = torch.autograd.grad(expected.pow(3).sum(), one)
        assert torch.allclose(y[run], expected) and torch.allclose(slope[run], own)
    # By the batch itself after training too.
    assert torch.equal(y, layer.eval()(x)) and not list(layer.buffers())


def test_perceptrons_have_the_layers_that_were_asked_for():
    class Doubled(models.ParallelLinear):
        def forward(self, x):
            return 2 * super().forward(x)

    nets = models.perceptrons(2, 3, 1, (8, 6), nn.Tanh, Doubled, normalise=True)
    hidden = [Doubled, models.ParallelBatchNorm, nn.Tanh]
    assert [type(layer) for layer in nets] == [*hidden, *hidden, Doubled]
    assert repr(nets[3]) == "Doubled(runs=2, inputs=8, outputs=6)"
    assert [p.shape for p in nets.parameters()][:4] == [(2, 3, 8), (2, 1, 8), (2, 1, 8), (2, 1, 8)]
    assert nets(torch.randn(2, 5, 3)).shape == (2, 5, 1)
    plain = [type(layer) for layer in models.perceptrons(2, 3, 4, hidden=(5,))]
    assert plain == [models.ParallelLinear, nn.ReLU, models.ParallelLinear]
    straight = models.perceptrons(2, 3, 4, hidden=())
    assert len(straight) == 1 and straight(torch.randn(2, 5, 3)).shape == (2, 5, 4)


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


# A bias in front of a normalisation has no gradient but rounding errors, and Adam follows these
# too: a little in double precision, and in single precision as far as any other.
@pytest.mark.parametrize(
    "dtype, normalise, exact",
    [(torch.float32, False, 1e-5), (torch.float64, False, 1e-12), (torch.float64, True, 1e-6)],
)
def test_runs_that_train_side_by_side_end_where_each_ends_alone(dtype, normalise, exact):
    """What a table over seeds rests on: the summed loss gives each run its own gradient."""
    torch.manual_seed(0)
    nets = models.perceptrons(3, 2, 1, (16, 16), nn.Tanh, normalise=normalise).to(dtype)
    x, y = torch.randn(3, 32, 2, dtype=dtype), torch.randn(3, 32, 1, dtype=dtype)
    y[2] *= 100  # a run with large gradients takes nothing from the others
    single_nets = [alone(nets, run) for run in range(3)]
    together = train(nets, x, y, lambda guess, y: (guess - y).square().mean((1, 2)))
    for run, net in enumerate(single_nets):
        own = train(net, x[run], y[run], lambda guess, y: (guess - y).square().mean())
        assert torch.allclose(together[:, run], own, rtol=exact, atol=exact)
        for ours, theirs in zip(alone(nets, run).parameters(), net.parameters()):
            assert torch.allclose(ours, theirs, rtol=exact, atol=exact)
        assert own[-1] < own[0]
