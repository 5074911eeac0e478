"""Augmented images: whole, moved and mirrored as asked, and the same again from the same seed."""

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


def cut_by_torchvision(image, padding, top, left):
    framed = torchvision.pad(image, [padding] * 4)
    return torchvision.crop(framed, top, left, *image.shape[1:])


def places_of(images, crops, padding):
    """(N, 2): top and left of the window that each crop is, found by trying all of them."""
    tried = [(top, left) for top in range(2 * padding + 1) for left in range(2 * padding + 1)]
    found = []
    for image, cropped in zip(images, crops):
        where = [p for p in tried if cropped.equal(cut_by_torchvision(image, padding, *p))]
        assert len(where) == 1, "no crop of its own framed image"
        found += where
    return torch.tensor(found)


@pytest.mark.parametrize("padding", [0, 1, 3])
def test_a_crop_is_a_window_of_its_own_framed_image(padding):
    x = images()
    crops = augmentation.random_crop(x, padding, seeded())
    assert crops.shape == x.shape
    places_of(x, crops, padding)


def test_every_place_is_as_likely_as_any_other_and_each_image_has_its_own():
    x = images(count=4500, colours=1, height=4, width=4)
    places = places_of(x, augmentation.random_crop(x, 1, seeded()), 1)
    counts = torch.bincount(3 * places[:, 0] + places[:, 1], minlength=9)
    chi_square = ((counts - 500).square() / 500).sum()
    assert chi_square < 26.1  # of 8 degrees of freedom: once in a thousand


def test_a_crop_is_torchvisions_crop_at_the_same_place():
    x, top, left = images(), *torch.randint(9, (2, 50), generator=seeded())
    ours = augmentation.crop(x, 4, top, left)
    theirs = [cut_by_torchvision(*each) for each in zip(x, [4] * 50, top.tolist(), left.tolist())]
    assert ours.equal(torch.stack(theirs))


def test_the_middle_place_leaves_an_image_where_it_was():
    x, middle = images(), torch.full((50,), 4)
    assert augmentation.crop(x, 4, middle, middle).equal(x)


def test_a_flip_is_a_flip_and_half_of_the_images_get_one():
    x = images(count=2000, colours=1, height=3, width=4)
    flipped = augmentation.random_flip(x, generator=seeded())
    turned = (flipped == torchvision.hflip(x)).all(dim=(1, 2, 3))
    same = (flipped == x).all(dim=(1, 2, 3))
    assert (turned ^ same).all()
    assert abs(turned.float().mean() - 0.5) < 0.04  # three and a half standard errors


@pytest.mark.parametrize("probability, all_of_them", [(0, False), (1, True)])
def test_never_and_always(probability, all_of_them):
    x = images()
    assert augmentation.random_flip(x, probability).equal(x.flip(3) if all_of_them else x)


@pytest.mark.parametrize(
    "change",
    [
        lambda x, generator: augmentation.random_crop(x, 4, generator),
        lambda x, generator: augmentation.random_flip(x, 0.5, generator),
    ],
    ids=["crop", "flip"],
)
def test_the_seed_decides(change):
    x = images()
    first = change(x, seeded(1))
    assert change(x, seeded(1)).equal(first)
    assert not change(x, seeded(2)).equal(first)
    torch.manual_seed(3)
    by_torchs_own = change(x, None)
    torch.manual_seed(3)
    assert change(x, None).equal(by_torchs_own)


def test_the_given_images_are_left_alone():
    x, before = images(), images()
    for change in (
        augmentation.random_crop(x, 4),
        augmentation.random_flip(x, 1),
        augmentation.normalised(x, [1.0] * 3, [2.0] * 3),
    ):
        assert not change.equal(x)
    assert x.equal(before)


def test_normalised_is_torchvisions_and_undoes_the_statistics():
    x = torch.rand(40, 3, 8, 8, generator=seeded()) * torch.tensor([0.2, 0.5, 1.0]).view(3, 1, 1)
    mean, std = augmentation.colour_statistics(x)
    changed = augmentation.normalised(x, mean, std)
    torch.testing.assert_close(changed, torchvision.normalize(x, mean, std))
    after_mean, after_std = augmentation.colour_statistics(changed)
    torch.testing.assert_close(torch.tensor(after_mean), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.tensor(after_std), torch.ones(3))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda x: augmentation.random_crop(x[0], 4), r"a batch of images \(N, C, H, W\)"),
        (lambda x: augmentation.random_flip(x[0]), r"a batch of images \(N, C, H, W\)"),
        (lambda x: augmentation.colour_statistics(x[0]), r"a batch of images \(N, C, H, W\)"),
        (lambda x: augmentation.random_crop(x, -1), "The padding is -1"),
        (lambda x: augmentation.random_crop(x, 1.5), "The padding is 1.5"),
        (lambda x: augmentation.crop(x, True, *torch.zeros(2, 50).long()), "The padding is True"),
        (lambda x: augmentation.random_flip(x, 1.2), "The probability of a flip is 1.2"),
        (lambda x: augmentation.normalised(x, [0.5], [1.0] * 3), "as many numbers in mean"),
        (lambda x: augmentation.normalised(x, [0.5] * 3, [1.0] * 4), "as many numbers in std"),
        (lambda x: augmentation.normalised(x, [0.5] * 3, [1.0, 0.0, 1.0]), "must be above 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call(images())
