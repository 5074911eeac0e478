"""The feed-forward network for style transfer, and the weights of it that ship."""

import pytest
import torch

from course_utils import models
from course_utils.data import paintings
from course_utils.data.photographs import photograph
from course_utils.shipped import weights


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    net = models.Stylizer(styles=3, widths=(4, 6, 8), blocks=1)
    for name, weight in net.named_parameters():
        if ".norm." in name:
            torch.nn.init.normal_(weight)
    return net.eval()


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (33, 50), (8, 9)])
def test_an_image_keeps_its_size_and_range(net, size):
    y = net(torch.rand(2, 3, *size), torch.eye(3)[:2])
    assert y.shape == (2, 3, *size) and 0 <= y.min() and y.max() <= 1


def test_one_row_of_shares_serves_all_images(net):
    x, row = torch.rand(4, 3, 16, 16), torch.tensor([[0.2, 0.3, 0.5]])
    assert torch.allclose(net(x, row), net(x, row.expand(4, -1)), atol=1e-6)


def test_each_image_of_a_batch_is_normalized_alone(net):
    x = torch.rand(3, 3, 16, 16)
    alone = torch.cat([net(x[n : n + 1], torch.eye(3)[n : n + 1]) for n in range(3)])
    assert torch.allclose(net(x, torch.eye(3)), alone, atol=1e-5)


def test_equal_gains_and_shifts_are_the_same_style(net):
    equal = models.Stylizer(styles=3, widths=(4, 6, 8), blocks=1)
    state = net.state_dict()
    equal.load_state_dict(
        {
            name: value[:1].expand_as(value) if ".norm." in name else value
            for name, value in state.items()
        }
    )
    x = torch.rand(1, 3, 16, 16)
    expected = equal(x, torch.eye(3)[:1])
    assert torch.allclose(equal(x, torch.tensor([[0.1, 0.4, 0.5]])), expected, atol=1e-5)
    assert not torch.allclose(net(x, torch.eye(3)[1:2]), net(x, torch.eye(3)[:1]), atol=1e-2)


def test_contrast_and_brightness_of_the_input_do_not_matter(net):
    x = torch.rand(1, 3, 32, 32)
    style = torch.eye(3)[:1]
    assert torch.allclose(net(x, style), net(0.3 + 0.4 * x, style), atol=1e-3)


def test_conditional_instance_norm_is_that_of_torch():
    layer = models.ConditionalInstanceNorm(channels=5, styles=2)
    torch.nn.init.normal_(layer.gain), torch.nn.init.normal_(layer.shift)
    x = torch.randn(2, 5, 7, 9)
    for style in range(2):
        gain, shift = layer.gain[style], layer.shift[style]
        expected = torch.nn.functional.instance_norm(x, weight=gain, bias=shift)
        assert torch.allclose(layer(x, torch.eye(2)[[style]]), expected, atol=1e-5)


@pytest.mark.parametrize("shares", [torch.eye(2), torch.ones(3), torch.ones(1, 4)])
def test_shares_of_another_number_of_styles_are_refused(net, shares):
    with pytest.raises(ValueError, match="shares has the shape"):
        net(torch.rand(1, 3, 16, 16), shares)


def test_an_image_that_is_too_small_is_refused(net):
    with pytest.raises(ValueError, match="too small"):
        net(torch.rand(1, 3, 7, 16), torch.eye(3)[:1])


def test_the_shipped_weights_are_small_and_colour_a_photograph_as_the_paintings():
    net = models.Stylizer(styles=len(paintings.NAMES))
    card = weights.load("stylizer", net)
    assert card["bytes"] <= 600_000
    x = photograph("pagoda", 128)
    with torch.no_grad():
        y = net.eval()(x.expand(8, -1, -1, -1), torch.eye(8))
    colours = torch.cat([paintings.paint(name, 128) for name in paintings.NAMES]).mean((2, 3))
    distances = torch.cdist(y.mean((2, 3)), colours)
    # Instance normalization fixes the mean colour: that of its own painting is the nearest one.
    assert (distances.argmin(1) == torch.arange(8)).sum() >= 6
    assert (distances.diagonal() < (x.mean((2, 3)) - colours).norm(dim=1)).sum() >= 6


def test_the_network_can_be_exported_with_shares_as_an_input(net):
    example = torch.rand(1, 3, 32, 32), torch.tensor([[0.5, 0.0, 0.5]])
    program = torch.export.export(net, example)
    assert torch.allclose(program.module()(*example), net(*example), atol=1e-6)
