"""Plain and residual networks: the papers' counts, torchvision's logits, gradients by hand."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from course_utils import models

BLOCKS = [
    models.BasicBlock,
    models.Bottleneck,
    models.PreActivationBlock,
    models.PreActivationBottleneck,
]
SHORTCUTS = [
    models.Shortcut,
    models.NoShortcut,
    models.ScaledShortcut,
    models.ShortcutGate,
    models.ExclusiveGate,
    models.ConvolutionalShortcut,
    models.DropoutShortcut,
]


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def small(layers=20, **options):
    torch.manual_seed(0)
    return models.cifar_resnet(layers, width=4, **options)


def last_norm(block):
    return block.bn3 if isinstance(block, models.Bottleneck) else block.bn2


def unsettle(net):
    """A network as after training: it tells images apart, and no scale is 1 and no shift 0."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return net


def matrix(layer, channels, side):
    """The convolution as a matrix: its answers to a 1 in each place, one a column."""
    places = torch.eye(channels * side * side, dtype=torch.float64)
    return layer(places.unflatten(1, (channels, side, side))).flatten(1).T.detach()


# The papers' tables


@pytest.mark.parametrize(
    ("layers", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
)
@pytest.mark.parametrize("shortcut", [models.Shortcut, models.NoShortcut])
def test_networks_for_cifar_have_the_papers_parameters(layers, millions, shortcut):
    """He et al. 2015, table 6; option A adds none, so the plain counterpart has as many."""
    with torch.device("meta"):
        found = count(models.cifar_resnet(layers, shortcut=shortcut)) / 1e6
    assert round(found, 1 if layers == 110 else 2) == millions


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_parameters_of_resnet_20_by_hand(shortcut):
    """Three kinds of shortcut have weights: C² for a 1 × 1 kernel, and C biases for a gate."""
    sizes = [3 * 16 * 9]
    for before, width in ((16, 16), (16, 32), (32, 64)):
        sizes += [before * width * 9, *[width * width * 9] * 5]
        sizes += [2 * 2 * width] * 3  # scale and shift behind each of six convolutions
        if shortcut is models.ConvolutionalShortcut:
            sizes += [width**2] * 3
        if shortcut in (models.ShortcutGate, models.ExclusiveGate):
            sizes += [width**2 + width] * 3
    sizes += [2 * 16, 64 * 10 + 10]
    assert count(models.cifar_resnet(20, shortcut=shortcut)) == sum(sizes)


@pytest.mark.parametrize("block", BLOCKS)
def test_layers_are_the_convolutions_on_the_longest_way_and_the_linear_layer(block):
    layers = 2 + 2 * 3 * block.convolutions
    net = models.cifar_resnet(layers, block, width=4)
    weighted = [m for m in net.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    assert len(weighted) == layers


def test_the_pre_activated_bottleneck_of_164_layers_has_the_papers_parameters():
    with torch.device("meta"):
        net = models.cifar_resnet(164, models.PreActivationBottleneck)
    assert round(count(net) / 1e6, 1) == 1.7


def test_stages_have_the_papers_channels_and_pixels():
    net = models.cifar_resnet(20)
    shapes = {name: tuple(x.shape) for name, x in net.walk(torch.zeros(2, 3, 32, 32))}
    assert list(shapes) == ["stem", *net.blocks()]
    for stage, shape in enumerate([(2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)], start=1):
        assert [shapes[f"layer{stage}.{place}"] for place in range(3)] == [shape] * 3


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_networks_for_imagenet_have_torchvisions_parameters_by_name(name):
    from torchvision import models as reference

    with torch.device("meta"):
        ours, theirs = getattr(models, name)(), getattr(reference, name)(weights=None)
    sizes = [{key: t.shape for key, t in net.state_dict().items()} for net in (ours, theirs)]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvisions_weights_give_torchvisions_logits(name):
    from torchvision import models as reference

    theirs = unsettle(getattr(reference, name)(weights=None)).eval()
    ours = getattr(models, name)().eval()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 65, 64)
    with torch.no_grad():
        expected = theirs(images)
        assert (expected[0] - expected[1]).std() > 0.01
        torch.testing.assert_close(ours(images), expected, rtol=1e-4, atol=1e-4)


# Shapes and starting weights


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("shortcut", SHORTCUTS)
@pytest.mark.parametrize("project", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
def test_every_kind_has_logits_and_gradients_everywhere(block, shortcut, project, normalise):
    torch.manual_seed(0)
    net = models.cifar_resnet(
        2 + 3 * block.convolutions,
        block,
        width=4,
        shortcut=shortcut,
        project=project,
        normalise=normalise,
        channels=1,
        classes=5,
    )
    logits = net(torch.randn(3, 1, 9, 12))
    assert logits.shape == (3, 5)
    logits.square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert normalise == any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())


def test_convolutions_start_as_he_et_al_say():
    layer = models.cifar_resnet(20).layer3[0].conv1  # 32 channels come in, 64 go out
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 64)), rel=0.02)
    biased = models.cifar_resnet(8, normalise=False).layer1[0].conv1
    assert torch.equal(biased.bias, torch.zeros(16))


def test_without_normalisation_a_plain_networks_gradients_keep_their_size():
    """He's weights are made for this; what is lost in ten layers is lost at the borders."""
    torch.manual_seed(0)
    block = partial(models.BasicBlock, 32, 32, normalise=False, shortcut=models.NoShortcut)
    x = torch.randn(2, 32, 24, 24, requires_grad=True)
    y = torch.nn.Sequential(*[block() for _ in range(5)])(x)
    upstream = torch.randn_like(y)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    assert 0.4 < gradient.norm() / upstream.norm() < 1.6


# The block by hand


@pytest.mark.parametrize("stride", [1, 2])
def test_zero_padding_keeps_every_pixel_of_the_stride_and_adds_zeros(stride):
    x = torch.randn(2, 3, 5, 6)
    y = models.ZeroPadding(more=2, stride=stride)(x)
    assert torch.equal(y[:, :3], x[:, :, ::stride, ::stride])
    assert torch.equal(y[:, 3:], torch.zeros_like(y[:, :2]))


def test_a_block_is_what_the_paper_draws():
    torch.manual_seed(0)
    block = models.BasicBlock(4, 4).eval()
    x = torch.randn(2, 4, 6, 6)
    scale = math.sqrt(1 + 1e-5)  # of fresh running statistics
    inner = F.relu(F.conv2d(x, block.conv1.weight, padding=1) / scale)
    residual = F.conv2d(inner, block.conv2.weight, padding=1) / scale
    torch.testing.assert_close(block(x), F.relu(x + residual))


def test_a_pre_activated_block_is_what_the_paper_draws():
    torch.manual_seed(0)
    block = models.PreActivationBlock(4, 4).eval()
    x = torch.randn(2, 4, 6, 6)
    scale = math.sqrt(1 + 1e-5)
    inner = F.conv2d(F.relu(x / scale), block.conv1.weight, padding=1)
    residual = F.conv2d(F.relu(inner / scale), block.conv2.weight, padding=1)
    torch.testing.assert_close(block(x), x + residual)


@pytest.mark.parametrize("shortcut", [models.Shortcut, models.NoShortcut])
def test_backwards_a_pre_activated_block_multiplies_by_the_identity_plus_the_jacobian(shortcut):
    """F(x) = W₂ relu(W₁ relu(x)), so J = W₂ D₁ W₁ D₀, and dL/dx = dL/dy (I + J)."""
    torch.manual_seed(0)
    block = models.PreActivationBlock(2, 2, normalise=False, shortcut=shortcut).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn_like(x)
    (found,) = torch.autograd.grad(block(x), x, upstream)

    first, second = matrix(block.conv1, 2, 4), matrix(block.conv2, 2, 4)
    active = x.detach().flatten()
    inner = first @ active.relu()
    jacobian = second @ torch.diag((inner > 0).double()) @ first @ torch.diag((active > 0).double())
    straight = torch.eye(32, dtype=torch.float64) if shortcut is models.Shortcut else 0
    expected = upstream.flatten() @ (straight + jacobian)
    torch.testing.assert_close(found.flatten(), expected)


def test_backwards_a_block_has_the_last_relu_before_the_identity_plus_the_jacobian():
    """dL/dx = dL/dy D (I + J), where D keeps what is above 0 in y, and J = W₂ D₁ W₁."""
    torch.manual_seed(0)
    block = models.BasicBlock(2, 2, normalise=False).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn_like(x)
    y = block(x)
    (found,) = torch.autograd.grad(y, x, upstream)

    first, second = matrix(block.conv1, 2, 4), matrix(block.conv2, 2, 4)
    jacobian = second @ torch.diag((first @ x.detach().flatten() > 0).double()) @ first
    kept = torch.diag((y.detach().flatten() > 0).double())
    expected = upstream.flatten() @ kept @ (torch.eye(32, dtype=torch.float64) + jacobian)
    torch.testing.assert_close(found.flatten(), expected)


@pytest.mark.parametrize("block", [models.BasicBlock, models.Bottleneck])
def test_with_a_last_norm_of_zero_a_block_is_the_identity(block):
    torch.manual_seed(0)
    made = block(4 * block.expansion, 4)
    torch.nn.init.zeros_(last_norm(made).weight)
    x = torch.rand(2, 4 * block.expansion, 5, 5)
    assert torch.equal(made(x), x)


@pytest.mark.parametrize("block", [models.PreActivationBlock, models.PreActivationBottleneck])
def test_with_a_last_convolution_of_zero_a_pre_activated_block_is_the_identity(block):
    made = block(4 * block.expansion, 4)
    last = made.conv3 if block.convolutions == 3 else made.conv2
    torch.nn.init.zeros_(last.weight)
    x = torch.randn(2, 4 * block.expansion, 5, 5)
    assert torch.equal(made(x), x)


# Shortcuts


def meet(shortcut, **options):
    torch.manual_seed(0)
    x, residual = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    return shortcut(3, **options), x, residual


def test_a_shortcut_adds_and_no_shortcut_forgets():
    shortcut, x, residual = meet(models.Shortcut)
    assert torch.equal(shortcut(x, residual), x + residual)
    assert torch.equal(models.NoShortcut(3)(x, residual), residual)


@pytest.mark.parametrize(("weight", "other"), [(0.5, 1.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0)])
def test_a_scaled_shortcut_weighs_both_paths(weight, other):
    shortcut, x, residual = meet(models.ScaledShortcut, weight=weight, residual_weight=other)
    torch.testing.assert_close(shortcut(x, residual), weight * x + other * residual)


def test_gates_are_the_sigmoid_of_a_1x1_convolution():
    for kind in (models.ShortcutGate, models.ExclusiveGate):
        shortcut, x, residual = meet(kind, bias=0.3)
        kernel = shortcut.to_gate.weight[:, :, 0, 0]
        gate = torch.einsum("oc,nchw->nohw", kernel, x).add(0.3).sigmoid()
        other = gate if kind is models.ExclusiveGate else 1
        torch.testing.assert_close(shortcut(x, residual), (1 - gate) * x + other * residual)


def test_a_closed_gate_leaves_the_identity_and_an_open_one_closes_the_shortcut():
    for kind, closed, opened in (
        (models.ShortcutGate, lambda x, f: x + f, lambda x, f: f),
        (models.ExclusiveGate, lambda x, f: x, lambda x, f: f),
    ):
        shortcut, x, residual = meet(kind, bias=-40.0)
        torch.testing.assert_close(shortcut(x, residual), closed(x, residual))
        shortcut, x, residual = meet(kind, bias=40.0)
        torch.testing.assert_close(shortcut(x, residual), opened(x, residual))


def test_gates_start_almost_closed():
    for kind in (models.ShortcutGate, models.ExclusiveGate):
        shortcut, x, _ = meet(kind)
        assert torch.equal(shortcut.to_gate.bias, torch.full((3,), -6.0))
        assert shortcut.gate(0 * x).max().item() == pytest.approx(1 / (1 + math.exp(6)))


def test_a_convolutional_shortcut_mixes_channels_pixel_by_pixel():
    shortcut, x, residual = meet(models.ConvolutionalShortcut)
    mixed = torch.einsum("oc,nchw->nohw", shortcut.mix.weight[:, :, 0, 0], x)
    torch.testing.assert_close(shortcut(x, residual), mixed + residual)


def test_dropout_drops_of_x_only_and_only_while_training():
    shortcut, x, residual = meet(models.DropoutShortcut)
    x = torch.ones(4, 3, 40, 40)
    carried = shortcut(x, 0 * x)
    assert set(carried.unique().tolist()) == {0.0, 2.0}
    assert carried.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(shortcut.eval()(x, 0 * x), x)


# Deleting blocks


@pytest.mark.parametrize("block", BLOCKS)
def test_deleting_a_block_leaves_every_other_as_it_was(block):
    net = models.cifar_resnet(2 + 9 * block.convolutions, block, width=4).eval()
    images = torch.randn(2, 3, 16, 16)
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        whole, logits = dict(net.walk(images)), net(images)
        cut = dict(net.walk(images, without=["layer2.1"]))
        names = list(whole)
        here = names.index("layer2.1")
        for name in names[:here]:
            assert torch.equal(cut[name], whole[name])
        torch.testing.assert_close(cut["layer2.1"], cut["layer2.0"])
        x = cut["layer2.1"]
        for name in names[here + 1 :]:
            x = net.blocks()[name](x)
            assert torch.equal(cut[name], x)
        assert torch.equal(net.classify(x), net(images, without=["layer2.1"]))
        assert not torch.equal(net(images, without=["layer2.1"]), logits)
        assert torch.equal(net(images), logits)
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


def test_deleting_is_the_same_as_f_of_zero():
    """With the last norm at 0 the block already is its shortcut, also where the shape changes."""
    net = small().eval()
    images = torch.randn(2, 3, 16, 16)
    for name in ("layer1.1", "layer2.0", "layer3.2"):
        torch.nn.init.zeros_(last_norm(net.blocks()[name]).weight)
        assert torch.equal(net(images), net(images, without=[name]))


@pytest.mark.parametrize("shortcut", [s for s in SHORTCUTS if s is not models.NoShortcut])
def test_of_a_deleted_block_stays_what_its_shortcut_carries(shortcut):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 4)
    block = models.PreActivationBlock(3, 3, shortcut=shortcut).eval()
    torch.testing.assert_close(block.bypass(x), block.shortcut(x, 0 * x))
    block = models.BasicBlock(3, 3, shortcut=shortcut).eval()
    torch.testing.assert_close(block.bypass(x), F.relu(block.shortcut(x, 0 * x)))


def test_in_place_of_a_plain_block_stands_nothing():
    net = small(shortcut=models.NoShortcut).eval()
    x = torch.rand(2, 8, 5, 5)
    assert torch.equal(net.blocks()["layer2.1"].bypass(x), x)
    with pytest.raises(ValueError, match="no shortcut and changes the shape"):
        net(torch.randn(2, 3, 16, 16), without=["layer2.0"])


def test_all_blocks_deleted_leave_the_stem_thinned_out():
    net = small(layers=8, block=models.PreActivationBlock).eval()
    images = torch.randn(2, 3, 16, 16)
    states = dict(net.walk(images, without=list(net.blocks())))
    last = states["layer3.0"]
    assert torch.equal(last[:, :4], states["stem"][:, :, ::4, ::4])
    assert torch.equal(last[:, 4:], torch.zeros_like(last[:, 4:]))


# Refusals


@pytest.mark.parametrize(
    ("layers", "block", "message"),
    [
        (19, models.BasicBlock, r"6n \+ 2 layers, and 19 is not one of these .*take 14 or 20"),
        (21, models.Bottleneck, r"9n \+ 2 layers, and 21 is not one of these .*take 20 or 29"),
        (2, models.BasicBlock, "at least 8"),
        (20.0, models.BasicBlock, "whole number"),
        (True, models.BasicBlock, "whole number"),
    ],
)
def test_layers_that_make_no_equal_stages_are_refused(layers, block, message):
    with pytest.raises(ValueError, match=message):
        models.cifar_resnet(layers, block)


@pytest.mark.parametrize("sizes", [{"width": 0}, {"channels": -1}, {"classes": 2.5}])
def test_sizes_that_cannot_be_built_are_refused(sizes):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        models.cifar_resnet(8, **sizes)


def test_other_things_that_cannot_be_are_refused_and_say_what_to_do():
    net = small(layers=8)
    with pytest.raises(ValueError, match=r"takes \(N, 3, H, W\) images; these are \(2, 1, 8, 8"):
        net(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match="No block is called 'layer4.0'.*net.blocks"):
        net(torch.zeros(2, 3, 8, 8), without=["layer4.0"])
    with pytest.raises(ValueError, match=r"in a list: \['layer1.0'\]"):
        net(torch.zeros(2, 3, 8, 8), without="layer1.0")
    with pytest.raises(ValueError, match="make the block with project=True"):
        models.BasicBlock(8, 4)
    with pytest.raises(ValueError, match="below 1"):
        models.DropoutShortcut(4, rate=1.0)
    with pytest.raises(ValueError, match="must be numbers"):
        models.ScaledShortcut(4, weight=math.nan)
    with pytest.raises(ValueError, match="need as many widths"):
        models.ResNet(models.BasicBlock, [1, 1], [4])
