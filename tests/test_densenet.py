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


def test_walking_gives_growing_channels_and_halves_sizes_and_channels_rounding_down():
    net = small(layers=10)
    shapes = {name: tuple(x.shape[1:]) for name, x in net.walk(torch.zeros(1, 3, 13, 16))}
    assert shapes == {
        "stem": (6, 13, 16),
        "block1.0": (9, 13, 16),
        "transition1": (4, 6, 8),
        "block2.0": (7, 6, 8),
        "transition2": (3, 3, 4),
        "block3.0": (6, 3, 4),
    }
    assert list(net.blocks()) == ["block1.0", "block2.0", "block3.0"]
    assert small(channels=1, classes=4)(torch.zeros(5, 1, 4, 5)).shape == (5, 4)
    assert list(small().blocks()) == [f"block{b}.{n}" for b in (1, 2, 3) for n in (0, 1)]


def test_a_layer_hands_on_what_it_gets_and_adds_channels():
    layer = small().blocks()["block1.1"]
    x = torch.randn(2, 9, 5, 5)
    assert torch.equal(layer(x), torch.cat([x, layer.new(x)], dim=1))
    assert torch.equal(layer.bypass(x), torch.cat([x, torch.zeros(2, 3, 5, 5)], dim=1))


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(layers=41), r"6n \+ 4 layers, and 41 is no such number; take 40 or 46"),
        (lambda: small(layers=4), "take 10 or 16"),
        (lambda: small(growth=0), "growth must be a whole number of at least 1"),
        (lambda: small(classes=1.5), "classes must be a whole number"),
        (lambda: small(compression=0.0), "above 0 and at most 1"),
        (lambda: small(compression=1.2), "above 0 and at most 1"),
        (lambda: small()(torch.zeros(1, 1, 8, 8)), "at least 4 pixels a side"),
        (lambda: small()(torch.zeros(3, 8, 8)), "at least 4 pixels a side"),
        (lambda: small()(torch.zeros(1, 3, 3, 8)), "at least 4 pixels a side"),
        (lambda: small()(torch.zeros(1, 3, 8, 8), ["transition1"]), "No block .* 'transition1'"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
