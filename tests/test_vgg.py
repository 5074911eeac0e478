"""Networks of features: names and shapes of layers, laziness, torchvision's order, rescaling."""

import pytest
import torch
from torch import nn

from course_utils.models import vgg
from course_utils.models.vgg import VGG, RandomFilters, SqueezeNet, course_vgg, squeezenet1_1

IMAGES = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def small(pooling="average"):
    torch.manual_seed(0)
    return VGG((4, 6), (1, 2), pooling)


def test_layers_are_called_as_in_the_lecture():
    vgg16 = course_vgg()
    assert len(vgg16.layers) == 13
    assert vgg16.layers[:3] == ("block1_conv1", "block1_conv2", "block2_conv1")
    assert vgg16.layers[-1] == "block5_conv3"
    assert {vgg16.content_layer, *vgg16.style_layers} <= set(vgg16.layers)


def test_a_layer_is_the_same_whatever_else_is_asked_for():
    net = small()
    everything = net(IMAGES)
    for layer in net.layers:
        assert torch.equal(net(IMAGES, [layer])[layer], everything[layer])
    assert list(net(IMAGES, ["block2_conv2", "block1_conv1"])) == ["block1_conv1", "block2_conv2"]
    assert net(IMAGES, []) == {}
    assert list(net(IMAGES, "block2_conv1")) == ["block2_conv1"]


def test_nothing_is_computed_beyond_the_last_layer():
    net, computed = small(), []
    net.features[3].register_forward_hook(lambda *_: computed.append("block2_conv1"))
    net(IMAGES, ["block1_conv1"])
    assert not computed
    net(IMAGES, ["block2_conv1"])
    assert computed


def test_the_activations_of_all_layers_by_hand():
    net = small()
    found = net(IMAGES)
    assert list(found) == ["block1_conv1", "block2_conv1", "block2_conv2"]
    spread = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    x = (IMAGES - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / spread
    for layer, convolution in zip(found, (0, 3, 5)):
        x = nn.functional.avg_pool2d(x, 2) if layer == "block2_conv1" else x
        x = net.features[convolution](x).relu()
        assert torch.allclose(found[layer], x)


@pytest.mark.parametrize("net", [small(), RandomFilters((3, 5), 2), squeezenet1_1()])
def test_gradients_reach_the_pixels_and_a_layer_that_is_not_there_is_named(net):
    pixels = IMAGES.clone().requires_grad_()
    sum(a.square().mean() for a in net(pixels).values()).backward()
    assert (pixels.grad != 0).any(1).float().mean() > 0.9
    with pytest.raises(ValueError, match="There is no layer 'block9_conv1'; it has"):
        net(IMAGES, ["block9_conv1"])


def test_images_too_small_for_a_layer():
    net = course_vgg()
    assert net(torch.rand(1, 3, 16, 16), ["block5_conv3"])["block5_conv3"].shape[-1] == 1
    with pytest.raises(ValueError, match="15 × 40 pixels are too small for block5_conv3"):
        net(torch.rand(1, 3, 15, 40))
    net(torch.rand(1, 3, 15, 40), ["block4_conv3"])


@pytest.mark.parametrize(
    "arguments, says",
    [
        (((4, 6), (1, 2), "median"), "pooling is 'median'"),
        (((4, 6), (1, 2), "max", "wrap"), "borders are 'wrap'"),
        (((4, 6), (1, 2, 3)), "3 blocks need as many widths, not 2"),
        (((4, 0), (1, 2)), "width must be a whole number of at least 1"),
    ],
)
def test_layouts_that_cannot_be_built(arguments, says):
    with pytest.raises(ValueError, match=says):
        VGG(*arguments)


def test_reflected_borders_see_no_edge_where_there_is_none():
    grey = torch.full((1, 3, 24, 24), 0.3)
    for borders, spread in (("reflect", 0.0), ("zeros", 0.01)):
        torch.manual_seed(0)
        net = VGG((4, 6), (1, 2), borders=borders)
        last = net(grey)["block2_conv2"]
        assert (last.amax((2, 3)) - last.amin((2, 3))).max() >= spread
        assert spread or torch.allclose(last, last[..., :1, :1].expand_as(last), atol=1e-6)
    middle = {}
    for borders in ("reflect", "zeros"):  # away from the borders both are the same network
        torch.manual_seed(0)
        middle[borders] = VGG((4, 6), (1, 2), borders=borders)(IMAGES)["block2_conv2"]
    inside = (..., slice(4, -4), slice(4, -4))
    assert torch.allclose(middle["reflect"][inside], middle["zeros"][inside], atol=1e-6)


@pytest.mark.parametrize("borders", ["zeros", "reflect"])
def test_folded_batch_normalization_changes_nothing(borders):
    torch.manual_seed(0)
    net = VGG((4, 6), (1, 2), "average", borders, normalized=True)
    for _ in range(3):
        net(IMAGES)  # in training, for running means and variances
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    folded = net.eval().folded()
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert len(folded.convolutions()) == len(net.convolutions()) == 3
    for layer, found in folded(IMAGES).items():
        assert torch.allclose(found, net(IMAGES)[layer], atol=1e-5)
    again = folded.folded()  # nothing left to fold
    assert torch.equal(again(IMAGES)["block2_conv2"], folded(IMAGES)["block2_conv2"])


def test_course_vgg_has_the_layout_of_vgg16():
    net, trained = course_vgg(), course_vgg(normalized=True)
    assert net.layers == trained.layers == vgg.vgg16().layers
    shapes = {name: value.shape for name, value in net.state_dict().items()}
    assert {name: value.shape for name, value in trained.folded().state_dict().items()} == shapes


@pytest.mark.parametrize("configuration, build", [("D", vgg.vgg16), ("E", vgg.vgg19)])
def test_vgg_is_torchvisions(configuration, build):
    from torchvision.models.vgg import cfgs, make_layers

    ours, theirs = build(), make_layers(cfgs[configuration])
    assert [str(a) for a in ours.features] == [str(b) for b in theirs]
    assert ours.layers[-1] == f"block5_conv{3 if configuration == 'D' else 4}"


def test_squeezenet_is_torchvisions():
    from torchvision.models import squeezenet1_1 as torchvisions

    torch.manual_seed(0)
    theirs, ours = torchvisions(), SqueezeNet()
    ours.features.load_state_dict(theirs.features.state_dict())
    expected, x = [], (IMAGES - ours.mean) / ours.spread
    for module in theirs.features:
        x = module(x)
        if not isinstance(module, nn.Conv2d | nn.MaxPool2d):  # a ReLU or a Fire
            expected.append(x)
    for (layer, found), wanted in zip(ours(IMAGES).items(), expected, strict=True):
        assert torch.allclose(found, wanted, atol=1e-5), layer
    assert ours.layers == ("conv1", *(f"fire{n}" for n in range(2, 10)))


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_equalised_layers_have_mean_one_and_keep_their_proportions(pooling):
    net = small(pooling)
    for convolution in net.convolutions():
        nn.init.uniform_(convolution.bias, -0.5, 0.5)
    before = net(IMAGES)
    assert net.equalise(IMAGES) is net
    for layer, after in net(IMAGES).items():
        assert after.mean().item() == pytest.approx(1, rel=1e-4)
        assert torch.allclose(after, before[layer] / before[layer].mean(), rtol=1e-3, atol=1e-4)


def test_random_filters_are_the_same_every_time():
    state = torch.get_rng_state()
    net, again, other = RandomFilters(), RandomFilters(), RandomFilters(seed=1)
    assert torch.equal(state, torch.get_rng_state())
    found = net(IMAGES)
    assert list(found) == ["3x3", "5x5", "7x7", "11x11", "17x17", "23x23"]
    assert all(tuple(a.shape) == (2, 24, 32, 48) for a in found.values())
    assert torch.equal(found["7x7"], again(IMAGES, ["7x7"])["7x7"])
    assert not torch.allclose(found["7x7"], other(IMAGES, ["7x7"])["7x7"])
    filters = net.filters["5x5"].weight.detach().flatten(1)
    assert torch.allclose(filters @ filters.T, 9 * torch.eye(24), atol=1e-4)
