"""DenseNet-BC: the paper's counts, torchvision's logits, and layers that can be deleted."""

import pytest
import torch

from course_utils import models
from tests.test_resnet import count, unsettle


def small(**options):
    torch.manual_seed(0)
    return models.DenseNet(**{"layers": 16, "growth": 3, **options}).eval()


@pytest.mark.parametrize(
    ("layers", "growth", "millions"), [(100, 12, 0.8), (250, 24, 15.3), (190, 40, 25.6)]
)
def test_networks_have_the_papers_parameters(layers, growth, millions):
    """Huang et al. 2017, table 2."""
    with torch.device("meta"):
        assert round(count(models.DenseNet(layers, growth)) / 1e6, 1) == millions


def test_parameters_by_hand():
    """10 layers, k = 4: one layer a block, 8 channels to start with and 12 after the layer."""
    layer = 2 * 8 + 8 * 16 + 2 * 16 + 16 * 4 * 9
    narrow = 2 * 6 + 6 * 16 + 2 * 16 + 16 * 4 * 9  # 6 and 5 channels are left by the transitions
    narrowest = 2 * 5 + 5 * 16 + 2 * 16 + 16 * 4 * 9
    transitions = (2 * 12 + 12 * 6) + (2 * 10 + 10 * 5)
    ends = 3 * 8 * 9 + 2 * 9 + 9 * 10 + 10
    expected = layer + narrow + narrowest + transitions + ends
    assert count(models.DenseNet(10, growth=4)) == expected


def test_torchvisions_weights_give_torchvisions_logits():
    """torchvision's has another stem, for large images; with ours in its place all is equal."""
    from torchvision.models import DenseNet

    theirs = DenseNet(12, (6, 6, 6), num_init_features=24, num_classes=10)
    theirs.features.conv0 = torch.nn.Conv2d(3, 24, 3, padding=1, bias=False)
    for name in ("norm0", "relu0", "pool0"):
        setattr(theirs.features, name, torch.nn.Identity())
    unsettle(theirs).eval()
    ours = models.DenseNet(40, 12).eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values())))
    images = torch.randn(2, 3, 33, 32)
    with torch.no_grad():
        expected = theirs(images)
        assert (expected[0] - expected[1]).std() > 0.01
        torch.testing.assert_close(ours(images), expected, rtol=1e-4, atol=1e-5)


def test_walking_gives_growing_channels_and_halved_sizes():
    net = small()
    shapes = {name: tuple(x.shape[1:]) for name, x in net.walk(torch.zeros(1, 3, 13, 16))}
    assert shapes == {
        "stem": (6, 13, 16),
        "block1.0": (9, 13, 16),
        "block1.1": (12, 13, 16),
        "transition1": (6, 6, 8),
        "block2.0": (9, 6, 8),
        "block2.1": (12, 6, 8),
        "transition2": (6, 3, 4),
        "block3.0": (9, 3, 4),
        "block3.1": (12, 3, 4),
    }
    assert list(net.blocks()) == [name for name in shapes if name.startswith("block")]


def test_a_layer_hands_on_what_it_gets_and_adds_channels():
    layer = small().blocks()["block1.1"]
    x = torch.randn(2, 9, 5, 5)
    assert torch.equal(layer(x), torch.cat([x, layer.new(x)], dim=1))
    assert torch.equal(layer.bypass(x), torch.cat([x, torch.zeros(2, 3, 5, 5)], dim=1))


def test_backwards_a_layer_adds_what_comes_straight_and_what_comes_through_it():
    """y = [x, H(x)], so dL/dx is dL/dy's first part plus its second times H's Jacobian."""
    layer = models.DenseLayer(2, 2).eval().double()
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(1, 4, 3, 3, dtype=torch.float64)
    (found,) = torch.autograd.grad(layer(x), x, upstream)
    jacobian = torch.autograd.functional.jacobian(layer.new, x.detach()).reshape(18, 18)
    through = (upstream[:, 2:].flatten() @ jacobian).view_as(x)
    torch.testing.assert_close(found, upstream[:, :2] + through)


def test_deleting_a_layer_is_the_same_as_its_last_convolution_being_zero():
    net = small()
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        whole = net(images)
        cut = net(images, without=["block2.0"])
        assert not torch.allclose(cut, whole)
        assert torch.equal(net(images), whole)
        torch.nn.init.zeros_(net.blocks()["block2.0"].conv2.weight)
        torch.testing.assert_close(net(images), cut)


def test_gradients_reach_every_parameter():
    net = small(channels=1, classes=4).train()
    logits = net(torch.randn(5, 1, 12, 12))
    assert logits.shape == (5, 4)
    logits.square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 41}, r"6n \+ 4 layers, and 41 is no such number; take 40 or 46"),
        ({"layers": 4}, "take 10 or 16"),
        ({"growth": 0}, "growth must be a whole number of at least 1"),
        ({"classes": 1.5}, "classes must be a whole number"),
        ({"compression": 0.0}, "above 0 and at most 1"),
        ({"compression": 1.2}, "above 0 and at most 1"),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        models.DenseNet(**options)


def test_images_and_names_that_do_not_fit_are_refused():
    net = small()
    for shape in [(1, 1, 8, 8), (3, 8, 8), (1, 3, 3, 8)]:
        with pytest.raises(ValueError, match="at least 4 pixels a side"):
            net(torch.zeros(shape))
    with pytest.raises(ValueError, match="No block is called 'transition1'"):
        net(torch.zeros(1, 3, 8, 8), without=["transition1"])
