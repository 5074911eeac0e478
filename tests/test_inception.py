"""Inception v3: the paper's sizes, torchvision's parameters and logits, and tables of branches."""

import pytest
import torch

from course_utils import models
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


def test_torchvisions_weights_give_torchvisions_logits_and_auxiliary_logits(pair):
    ours, theirs = pair
    assert count(ours) == 27_161_264
    for part, x in (
        ("forward", torch.randn(2, 3, 76, 90)),
        ("AuxLogits", torch.rand(2, 768, 17, 17)),
    ):
        with torch.no_grad():
            expected, found = (getattr(net, part)(x) for net in (theirs, ours))
        assert (expected[0] - expected[1]).std() > 0.01
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


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


@pytest.mark.parametrize("kernel", ["3", "3x", "2x2", "3x3/3", "x3", "3 x 3"])
def test_kernels_that_cannot_be_read_are_refused(kernel):
    with pytest.raises(ValueError, match="Write a kernel as '3x3', '1x7' or '3x3/2'"):
        models.ConvolutionUnit(3, kernel, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.InceptionBlock(3, {}), "branches must be a whole number of at least 1"),
        (lambda: models.InceptionBlock(3, {"one": ["median"]}), "'mean' or 'max/2', not 'median'"),
        (lambda: models.InceptionBlock(3, {"one": [("3x3", 0)]}), "after must be a whole number"),
        (lambda: models.InceptionV3(classes=0), "classes must be a whole number"),
    ],
)
def test_sizes_and_steps_that_cannot_be_built_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_images_that_are_too_small_are_refused(pair):
    for shape in [(1, 3, 74, 80), (1, 1, 80, 80), (3, 80, 80)]:
        with pytest.raises(ValueError, match="at least 75 pixels a side"):
            pair[0](torch.zeros(shape))
    with torch.no_grad(), pytest.raises(ValueError, match="takes images of 299 × 299"):
        pair[0].with_auxiliary(torch.zeros(1, 3, 80, 80))
