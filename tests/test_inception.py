"""Inception v3: the paper's sizes, torchvision's parameters and logits, and tables of branches."""

import pytest
import torch

from course_utils import models
from course_utils.models import inception
from tests.test_resnet import count, unsettle


@pytest.fixture(scope="module")
def pair():
    """torchvision's network with random weights, and ours with the same."""
    from torchvision.models import inception_v3

    theirs = inception_v3(weights=None, init_weights=False, aux_logits=True)
    unsettle(theirs).eval()
    with torch.device("meta"):  # no time for weights that are replaced at once
        ours = models.InceptionV3().eval()
    ours.load_state_dict(theirs.state_dict(), assign=True)
    return ours, theirs


def test_parameters_are_torchvisions(pair):
    assert count(pair[0]) == count(pair[1]) == 27_161_264


def test_torchvisions_weights_give_torchvisions_logits(pair):
    ours, theirs = pair
    images = torch.randn(2, 3, 76, 90)
    with torch.no_grad():
        expected = theirs(images)
        assert (expected[0] - expected[1]).std() > 0.01
        torch.testing.assert_close(ours(images), expected, rtol=1e-4, atol=1e-5)


def test_torchvisions_weights_give_torchvisions_auxiliary_logits(pair):
    grid = torch.rand(2, 768, 17, 17)
    with torch.no_grad():
        expected = pair[1].AuxLogits(grid)
        assert expected.std() > 0.01
        torch.testing.assert_close(pair[0].AuxLogits(grid), expected, rtol=1e-4, atol=1e-5)


def test_the_auxiliary_classifier_reads_mixed_6e(pair, monkeypatch):
    """If it hands on what it reads, that is what comes out, for small images too."""
    net, images = pair[0], torch.randn(1, 3, 80, 80)
    monkeypatch.setattr(net.AuxLogits, "forward", lambda x: x)
    with torch.no_grad():
        last, read = net.with_auxiliary(images)
        assert torch.equal(read, dict(net.walk(images))["Mixed_6e"])
        assert torch.equal(last, net(images))


def test_rows_have_the_papers_sizes():
    """Szegedy et al. 2016, table 1: 35 × 35 × 288, 17 × 17 × 768, 8 × 8 × 1280 and 2048."""
    with torch.device("meta"):
        net = models.InceptionV3().eval()
        shapes = {name: tuple(x.shape[1:]) for name, x in net.walk(torch.empty(1, 3, 299, 299))}
        logits = net.with_auxiliary(torch.empty(2, 3, 299, 299))
    assert [tuple(x.shape) for x in logits] == [(2, 1000), (2, 1000)]
    assert shapes["Conv2d_1a_3x3"] == (32, 149, 149)
    assert shapes["maxpool1"] == (64, 73, 73)
    assert shapes["maxpool2"] == (192, 35, 35)
    assert shapes["Mixed_5d"] == (288, 35, 35)
    assert shapes["Mixed_6a"] == shapes["Mixed_6e"] == (768, 17, 17)
    assert shapes["Mixed_7a"] == (1280, 8, 8)
    assert shapes["Mixed_7b"] == shapes["Mixed_7c"] == (2048, 8, 8)


def test_a_block_puts_its_branches_behind_each_other():
    torch.manual_seed(0)
    block = models.InceptionBlock(
        3,
        {
            "narrow": [("1x1", 2)],
            "wide": [("1x1", 4), [("1x3", 5), ("3x1", 6)]],
            "pooled": ["mean", ("1x1", 1)],
            "seen": ["mean"],
        },
    ).eval()
    assert block.channels == 2 + 11 + 1 + 3
    x = torch.randn(2, 3, 6, 7)
    y = block(x)
    assert y.shape == (2, 17, 6, 7)
    assert torch.equal(y[:, :2], block.narrow(x))
    inside = block.wide_1(x)
    assert torch.equal(y[:, 2:7], block.wide_2a(inside))
    assert torch.equal(y[:, 7:13], block.wide_2b(inside))
    mean = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
    assert torch.equal(y[:, 13:14], block.pooled(mean))
    assert torch.equal(y[:, 14:], mean)
    assert torch.equal(block.branch("wide", x), y[:, 2:13])


def test_a_reducing_block_halves_and_keeps_the_largest():
    block = models.InceptionBlock(2, {"strided": [("3x3/2", 4)], "pooled": ["max/2"]}).eval()
    x = torch.randn(1, 2, 9, 7)
    y = block(x)
    assert y.shape == (1, 6, 4, 3)
    assert torch.equal(y[:, 4:, 0, 0], x[:, :, :3, :3].amax(dim=(2, 3)))


def test_a_kernel_of_1x7_and_one_of_7x1_see_a_square_with_fewer_weights():
    pixels = torch.zeros(1, 1, 15, 15, requires_grad=True)
    one, other = models.ConvolutionUnit(1, "1x7", 1), models.ConvolutionUnit(1, "7x1", 1)
    other.conv(one.conv(pixels))[0, 0, 7, 7].backward()
    seen = pixels.grad[0, 0] != 0
    assert seen[4:11, 4:11].all() and seen.sum() == 49
    assert one.conv.weight.numel() + other.conv.weight.numel() == 14


@pytest.mark.parametrize(
    ("before", "branches", "after"),
    [
        (192, inception.grid35(pooled=32), 256),
        (288, inception.reduce35(), 768),
        (768, inception.grid17(width=128), 768),
        (768, inception.reduce17(), 1280),
        (1280, inception.grid8(), 2048),
    ],
)
def test_every_table_makes_the_papers_channels(before, branches, after):
    with torch.device("meta"):
        block = models.InceptionBlock(before, branches)
        assert block(torch.empty(1, before, 9, 9)).shape[1] == block.channels == after


def test_gradients_reach_every_parameter_of_a_block():
    torch.manual_seed(0)
    block = models.InceptionBlock(4, inception.grid8())
    block(torch.randn(2, 4, 5, 5)).square().sum().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kernel", ["3", "3x", "2x2", "3x3/3", "x3", "3 x 3"])
def test_kernels_that_cannot_be_read_are_refused(kernel):
    with pytest.raises(ValueError, match="Write a kernel as '3x3', '1x7' or '3x3/2'"):
        models.ConvolutionUnit(3, kernel, 4)


def test_sizes_and_steps_that_cannot_be_built_are_refused():
    with pytest.raises(ValueError, match="branches must be a whole number of at least 1"):
        models.InceptionBlock(3, {})
    with pytest.raises(ValueError, match="pools by 'mean' or 'max/2', not 'median'"):
        models.InceptionBlock(3, {"pooled": ["median"]})
    with pytest.raises(ValueError, match="after must be a whole number"):
        models.InceptionBlock(3, {"one": [("3x3", 0)]})
    with pytest.raises(ValueError, match="classes must be a whole number"):
        models.InceptionV3(classes=0)


def test_images_that_are_too_small_are_refused(pair):
    for shape in [(1, 3, 74, 80), (1, 1, 80, 80), (3, 80, 80)]:
        with pytest.raises(ValueError, match="at least 75 pixels a side"):
            pair[0](torch.zeros(shape))
    with torch.no_grad(), pytest.raises(ValueError, match="takes images of 299 × 299"):
        pair[0].with_auxiliary(torch.zeros(1, 3, 80, 80))
