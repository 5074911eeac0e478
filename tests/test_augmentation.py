"""Augmented images: whole, moved and mirrored as asked, and the same again from the same seed."""

import math
from itertools import product

import pytest
import torch
from torchvision.transforms import functional as torchvision

from course_utils.data import augmentation


def images(count=50, colours=3, height=10, width=7):
    """Images in which every pixel has a number of its own, from 1 up."""
    numbers = torch.arange(1.0, colours * height * width + 1)
    return numbers.view(1, colours, height, width) + 1000 * torch.arange(count).view(-1, 1, 1, 1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def cut_by_torchvision(x, padding, top, left):
    return torchvision.crop(torchvision.pad(x, [padding] * 4), top, left, *x.shape[-2:])


@pytest.mark.parametrize("padding", [0, 4])
def test_a_crop_is_torchvisions_crop_at_the_same_place(padding):
    x, (top, left) = images(), torch.randint(2 * padding + 1, (2, 50), generator=seeded())
    ours = augmentation.crop(x, padding, top, left)
    places = zip(x, top.tolist(), left.tolist())
    theirs = [cut_by_torchvision(image, padding, *place) for image, *place in places]
    assert ours.equal(torch.stack(theirs))
    middle = torch.full((50,), padding)
    assert augmentation.crop(x, padding, middle, middle).equal(x)


def test_each_image_has_a_place_of_its_own_and_every_place_is_as_likely_as_any_other():
    x = images(count=12_500, colours=1, height=4, width=5)
    crops = augmentation.random_crop(x, 2, seeded())
    windows = (cut_by_torchvision(x, 2, *place) for place in product(range(5), repeat=2))
    at = torch.stack([(crops == window).flatten(1).all(1) for window in windows])
    assert (at.sum(0) == 1).all()
    chi_square = ((at.sum(1) - 500).square() / 500).sum()
    assert chi_square < 51.2  # of 24 degrees of freedom: once in a thousand


def test_a_flip_is_a_flip_and_half_of_the_images_get_one():
    x = images(count=2000, colours=1, height=3, width=4)
    flipped = augmentation.random_flip(x, generator=seeded())
    turned = (flipped == torchvision.hflip(x)).all(dim=(1, 2, 3))
    same = (flipped == x).all(dim=(1, 2, 3))
    assert (turned ^ same).all()
    assert abs(turned.float().mean() - 0.5) < 0.04  # three and a half standard errors
    assert augmentation.random_flip(x, 0).equal(x)
    assert augmentation.random_flip(x, 1).equal(x.flip(3))


@pytest.mark.parametrize(
    "change, argument", [(augmentation.random_crop, 4), (augmentation.random_flip, 0.5)]
)
def test_the_seed_decides_and_the_given_images_are_left_alone(change, argument):
    x = images()
    first, again, other = (change(x, argument, seeded(seed)) for seed in (1, 1, 2))
    assert first.equal(again) and not first.equal(other)
    torch.manual_seed(3)
    by_torchs_own = change(x, argument)
    torch.manual_seed(3)
    assert change(x, argument).equal(by_torchs_own)
    assert x.equal(images()) and not first.equal(x)


def test_normalised_is_torchvisions_and_undoes_the_statistics():
    x = torch.rand(40, 3, 8, 8, generator=seeded()) * torch.tensor([0.2, 0.5, 1.0]).view(3, 1, 1)
    before, (mean, std) = x.clone(), augmentation.colour_statistics(x)
    changed = augmentation.normalised(x, mean, std)
    assert x.equal(before)
    torch.testing.assert_close(changed, torchvision.normalize(x, mean, std))
    after_mean, after_std = augmentation.colour_statistics(changed)
    torch.testing.assert_close(torch.tensor(after_mean), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.tensor(after_std), torch.ones(3))


def test_what_cannot_be_done_is_said_in_a_sentence():
    x = images()
    for call, words in [
        (lambda: augmentation.random_crop(x[0], 4), r"a batch of images \(N, C, H, W\)"),
        (lambda: augmentation.random_flip(x[0]), r"a batch of images \(N, C, H, W\)"),
        (lambda: augmentation.colour_statistics(x[0]), r"a batch of images \(N, C, H, W\)"),
        (lambda: augmentation.random_crop(x, -1), "The padding is -1"),
        (lambda: augmentation.random_crop(x, 1.5), "The padding is 1.5"),
        (lambda: augmentation.crop(x, True, *torch.zeros(2, 50).long()), "The padding is True"),
        (lambda: augmentation.random_flip(x, 1.2), "The probability of a flip is 1.2"),
        (lambda: augmentation.normalised(x, [0.5], [1.0] * 3), "as many numbers in mean"),
        (lambda: augmentation.normalised(x, [0.5] * 3, [1.0] * 4), "as many numbers in std"),
        (lambda: augmentation.normalised(x, [0.5] * 3, [1.0, 0.0, 1.0]), "must be above 0"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()


def blob(height, width, middle, covariance):
    """A Gaussian of brightness; middle and covariance in (x, y) pixels."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    places = torch.stack([x, y], dim=2) - torch.tensor(middle)
    inverse = torch.tensor(covariance).inverse()
    return (-0.5 * torch.einsum("hwi,ij,hwj->hw", places, inverse, places)).exp()[None, None]


def moments(image):
    """Mean and covariance of the brightness, (x, y) in pixels."""
    mass = image[0, 0] / image.sum()
    y, x = torch.meshgrid(*(torch.arange(n) + 0.5 for n in mass.shape), indexing="ij")
    places = torch.stack([x, y], dim=2)
    mean = (mass[..., None] * places).sum((0, 1))
    return mean, torch.einsum("hw,hwi,hwj->ij", mass, places - mean, places - mean)


@pytest.mark.parametrize("width", [40, 60])
def test_deskewing_centres_scales_and_takes_the_shear_out(width):
    image = blob(40, width, (24.0, 17.0), ((9.0, 6.0), (6.0, 16.0)))
    mean, covariance = moments(augmentation.deskewed(image, size=0.25))
    assert torch.allclose(mean, torch.tensor([width / 2, 20.0]), atol=0.05)
    assert abs(covariance[0, 1]) < 0.1
    assert covariance[1, 1].sqrt().item() == pytest.approx(0.25 * 20, rel=0.02)


def test_deskewing_leaves_an_empty_image_empty():
    assert augmentation.deskewed(torch.zeros(2, 1, 8, 8)).equal(torch.zeros(2, 1, 8, 8))


def test_an_affine_transformation_of_nothing_is_the_image():
    x = torch.rand(3, 2, 9, 14)
    assert torch.allclose(augmentation.random_affine(x), x, atol=1e-5)


def test_an_affine_transformation_keeps_to_its_amounts():
    image = blob(40, 60, (30.0, 20.0), ((9.0, 0.0), (0.0, 9.0))).expand(300, 1, 40, 60)
    shifted = augmentation.random_affine(image, shift=0.2, generator=seeded())
    means = torch.stack([moments(each[None])[0] for each in shifted]) - torch.tensor([30.0, 20.0])
    assert (means.abs().amax(0) <= torch.tensor([6.05, 4.05])).all()
    assert (means.abs().amax(0) > torch.tensor([5.5, 3.6])).all()
    scaled = augmentation.random_affine(image, scale=0.2, generator=seeded())
    sizes = torch.stack([moments(each[None])[1][0, 0].sqrt() for each in scaled]).log() - math.log(
        3
    )
    assert -0.21 < sizes.min() < -0.18 and 0.18 < sizes.max() < 0.21
    slanted = augmentation.random_affine(image, shear=0.5, generator=seeded())
    found = torch.stack([c[0, 1] / c[1, 1] for c in (moments(each[None])[1] for each in slanted)])
    assert 0.45 < found.abs().max() < 0.51
    turned = augmentation.random_affine(image[:50], degrees=30, generator=seeded())
    assert all(abs(moments(each[None])[1][0, 1]) < 0.1 for each in turned)  # round as it was
