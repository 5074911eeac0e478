"""Plain and residual networks: the papers' counts, torchvision's logits, gradients by hand."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from course_utils import models
from course_utils.models import resnet

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
IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def small(layers=20, **options):
    torch.manual_seed(0)
    return models.cifar_resnet(layers, width=4, **options)


def unsettle(net):
    """A network as after training: it tells images apart, and no scale is 1 and no shift 0."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
        elif isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.kaiming_normal_(module.weight)
    return net


def matrix(layer, channels, side):
    """The convolution as a matrix: its answers to a 1 in each place, one a column."""
    places = torch.eye(channels * side * side, dtype=torch.float64)
    return layer(places.unflatten(1, (channels, side, side))).flatten(1).T.detach()


@pytest.mark.parametrize(
    ("layers", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7), (164, 1.7)]
)
@pytest.mark.parametrize("shortcut", [models.Shortcut, models.NoShortcut])
def test_networks_for_cifar_have_the_papers_parameters(layers, millions, shortcut):
    """He et al. 2015, table 6, and 2016; option A adds none: the plain counterpart has as many."""
    block = models.PreActivationBottleneck if layers == 164 else models.BasicBlock
    with torch.device("meta"):
        found = count(models.cifar_resnet(layers, block, shortcut=shortcut)) / 1e6
    assert round(found, 1 if layers > 100 else 2) == millions


@pytest.mark.parametrize("block", BLOCKS)
def test_layers_are_the_convolutions_on_the_longest_way_and_the_linear_layer(block):
    layers = 2 + 2 * 3 * block.convolutions
    net = small(layers, block=block)
    weighted = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == layers


def test_stages_have_the_papers_channels_and_pixels():
    net = models.cifar_resnet(20)
    shapes = {name: tuple(x.shape) for name, x in net.walk(torch.zeros(2, 3, 32, 32))}
    assert list(shapes) == ["stem", *net.blocks()]
    for stage, shape in enumerate([(2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)], start=1):
        assert [shapes[f"layer{stage}.{place}"] for place in range(3)] == [shape] * 3


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_torchvisions_weights_fit_by_name_and_give_torchvisions_logits(name):
    from torchvision import models as reference

    theirs = unsettle(getattr(reference, name)(weights=None)).eval()
    with torch.device("meta"):  # no time for weights that are replaced at once
        ours = getattr(models, name)().eval()
    ours.load_state_dict(theirs.state_dict(), assign=True)
    images = torch.randn(2, 3, 65, 64)
    with torch.no_grad():
        expected = theirs(images)
        assert (expected[0] - expected[1]).std() > 0.01
        torch.testing.assert_close(ours(images), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("shortcut", SHORTCUTS)
@pytest.mark.parametrize("project", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
def test_every_kind_has_logits_and_gradients_everywhere(block, shortcut, project, normalise):
    torch.manual_seed(0)
    options = {"shortcut": shortcut, "project": project, "normalise": normalise}
    net = small(2 + 3 * block.convolutions, block=block, channels=1, classes=5, **options)
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


def test_a_pre_activated_block_is_what_the_paper_draws():
    torch.manual_seed(0)
    block = models.PreActivationBlock(4, 4).eval()
    x = torch.randn(2, 4, 6, 6)
    scale = math.sqrt(1 + 1e-5)
    inner = F.conv2d(F.relu(x / scale), block.conv1.weight, padding=1)
    residual = F.conv2d(F.relu(inner / scale), block.conv2.weight, padding=1)
    torch.testing.assert_close(block(x), x + residual)


@pytest.mark.parametrize(
    ("kind", "shortcut"),
    [
        (models.PreActivationBlock, models.Shortcut),
        (models.PreActivationBlock, models.NoShortcut),
        (models.BasicBlock, models.Shortcut),
    ],
)
def test_backwards_a_block_multiplies_by_the_identity_plus_the_jacobian(kind, shortcut):
    """dL/dx = dL/dy (I + W₂ D₁ W₁ D₀) with the ReLU before, dL/dy D₂ (I + W₂ D₁ W₁) after it."""
    torch.manual_seed(0)
    block = kind(2, 2, normalise=False, shortcut=shortcut).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    upstream, y = torch.randn_like(x), block(x)
    (found,) = torch.autograd.grad(y, x, upstream)

    def slopes(of):
        return torch.diag((of.detach().flatten() > 0).double())

    first, second = matrix(block.conv1, 2, 4), matrix(block.conv2, 2, 4)
    identity = torch.eye(32, dtype=torch.float64)
    before, after = (slopes(x), identity) if block.activated_first else (identity, slopes(y))
    inner = first @ before @ x.detach().flatten()
    jacobian = second @ slopes(inner) @ first @ before
    straight = identity if shortcut is models.Shortcut else 0
    expected = upstream.flatten() @ after @ (straight + jacobian)
    torch.testing.assert_close(found.flatten(), expected)


def mixed(layer, x):
    """A 1 × 1 convolution, pixel by pixel."""
    return torch.einsum("oc,nchw->nohw", layer.weight[:, :, 0, 0], x)


def gate(shortcut, x, bias=-6.0):
    return mixed(shortcut.to_gate, x).add(bias).sigmoid()


@pytest.mark.parametrize(
    ("kind", "options", "formula"),
    [
        (models.Shortcut, {}, lambda s, x, f: x + f),
        (models.NoShortcut, {}, lambda s, x, f: f),
        (models.ScaledShortcut, {}, lambda s, x, f: 0.5 * x + f),
        (models.ScaledShortcut, {"weight": 2, "residual_weight": 3}, lambda s, x, f: 2 * x + 3 * f),
        (models.ShortcutGate, {}, lambda s, x, f: (1 - gate(s, x)) * x + f),
        (models.ShortcutGate, {"bias": 0.3}, lambda s, x, f: (1 - gate(s, x, 0.3)) * x + f),
        (models.ExclusiveGate, {}, lambda s, x, f: (1 - gate(s, x)) * x + gate(s, x) * f),
        (models.ConvolutionalShortcut, {}, lambda s, x, f: mixed(s.mix, x) + f),
    ],
)
def test_a_shortcut_is_its_formula(kind, options, formula):
    torch.manual_seed(0)
    shortcut, (x, residual) = kind(3, **options), torch.randn(2, 2, 3, 4, 4)
    torch.testing.assert_close(shortcut(x, residual), formula(shortcut, x, residual))


def test_dropout_drops_of_x_only_and_only_while_training():
    shortcut, x = models.DropoutShortcut(3), torch.ones(4, 3, 40, 40)
    carried = shortcut(x, 0 * x)
    assert set(carried.unique().tolist()) == {0.0, 2.0}
    assert carried.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(shortcut(0 * x, x), x) and torch.equal(shortcut.eval()(x, 0 * x), x)


@pytest.mark.parametrize("block", BLOCKS)
def test_deleting_a_block_leaves_every_other_as_it_was(block):
    net = small(2 + 9 * block.convolutions, block=block).eval()
    state, logits = copy.deepcopy(net.state_dict()), net(IMAGES)
    cut, x = dict(net.walk(IMAGES, without=["layer2.1"])), net.stem(IMAGES)
    for name, other in net.blocks().items():
        x = x if name == "layer2.1" else other(x)
        assert torch.equal(cut[name], x)
    without = net(IMAGES, without=["layer2.1"])
    assert torch.equal(net.classify(x), without) and not torch.equal(without, logits)
    assert torch.equal(net(IMAGES), logits)
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("block", BLOCKS)
def test_deleting_is_the_same_as_f_of_zero(block):
    """With its last layer at 0 a block is its shortcut, also where the shape changes."""
    last = f"{'conv' if block.activated_first else 'bn'}{block.convolutions}"
    net = small(2 + 9 * block.convolutions, block=block).eval()
    for name in ("layer1.1", "layer2.0", "layer3.2"):
        torch.nn.init.zeros_(getattr(net.blocks()[name], last).weight)
        assert torch.equal(net(IMAGES), net(IMAGES, without=[name]))


@pytest.mark.parametrize("shortcut", [s for s in SHORTCUTS if s is not models.NoShortcut])
def test_of_a_deleted_block_stays_what_its_shortcut_carries(shortcut):
    x = torch.randn(2, 3, 4, 4)
    for kind, last in (
        (models.PreActivationBlock, torch.nn.Identity()),
        (models.BasicBlock, F.relu),
    ):
        block = kind(3, 3, shortcut=shortcut).eval()
        torch.testing.assert_close(block.bypass(x), last(block.shortcut(x, 0 * x)))


def test_in_place_of_a_plain_block_stands_nothing():
    net, x = small(shortcut=models.NoShortcut).eval(), torch.rand(2, 8, 5, 5)
    assert torch.equal(net.blocks()["layer2.1"].bypass(x), x)
    with pytest.raises(ValueError, match="no shortcut and changes the shape"):
        net(IMAGES, without=["layer2.0"])


def test_all_blocks_deleted_leave_the_stem_thinned_out():
    net = small(layers=8, block=models.PreActivationBlock).eval()
    states = dict(net.walk(IMAGES, without=list(net.blocks())))
    last = states["layer3.0"]
    assert torch.equal(last[:, :4], states["stem"][:, :, ::4, ::4])
    assert torch.equal(last[:, 4:], torch.zeros_like(last[:, 4:]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(19), r"6n \+ 2 layers, and 19 is not one of these .*take 14 or 20"),
        (lambda: small(21, block=models.Bottleneck), r"9n \+ 2 layers, and 21 .*take 20 or 29"),
        (lambda: small(2), "at least 8"),
        (lambda: small(20.0), "whole number"),
        (lambda: small(True), "whole number"),
        (lambda: models.cifar_resnet(8, width=0), "width must be a whole number of at least 1"),
        (lambda: small(8, channels=-1), "channels must be a whole number of at least 1"),
        (lambda: small(8, classes=2.5), "classes must be a whole number of at least 1"),
        (lambda: models.BasicBlock(8, 4), "make the block with project=True"),
        (lambda: models.DropoutShortcut(4, rate=1.0), "below 1"),
        (lambda: models.ScaledShortcut(4, weight=math.nan), "must be numbers"),
        (lambda: models.ResNet(models.BasicBlock, [1, 1], [4]), "need as many widths"),
        (lambda: small(8)(IMAGES[:, :1]), r"takes \(N, 3, H, W\) images; these are \(2, 1, 16"),
        (lambda: small(8)(IMAGES, ["layer4.0"]), "No block is called 'layer4.0'.*net.blocks"),
        (lambda: small(8)(IMAGES, "layer1.0"), r"in a list: \['layer1.0'\]"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_the_family_has_torchvisions_parameters(name):
    from torchvision import models as reference

    with torch.device("meta"):
        ours, theirs = getattr(models, name)(), getattr(reference, name)()
    assert {n: w.shape for n, w in ours.state_dict().items()} == {
        n: w.shape for n, w in theirs.state_dict().items()
    }


def test_costs_are_those_of_the_weights_at_every_pixel():
    with torch.device("meta"):
        net = models.cifar_resnet(8, width=4)
    weights, work = resnet.count_costs(net, side=8)
    assert weights == count(net)
    # First convolution, then per stage the two convolutions of its one block, and the last layer.
    by_hand = 64 * 27 * 4 + 64 * 9 * (16 + 16) + 16 * 9 * (32 + 64) + 4 * 9 * (128 + 256) + 16 * 10
    assert work == by_hand


def test_costs_are_counted_on_the_meta_device_only():
    with pytest.raises(ValueError, match="meta"):
        resnet.count_costs(small(8), side=32)
    with torch.device("meta"), pytest.raises(ValueError, match="side"):
        resnet.count_costs(small(8), side=0)
