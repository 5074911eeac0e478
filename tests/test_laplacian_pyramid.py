"""The Laplacian pyramid against its definition, and the networks of its levels."""

import pytest
import torch
from torch.nn.functional import interpolate

from course_utils.models import laplacian_pyramid as pyramid

IMAGES = torch.rand(3, 2, 32, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_an_image_comes_back_from_its_pyramid(levels):
    parts = pyramid.laplacian_pyramid(IMAGES, levels)
    assert [part.shape[2] for part in parts] == [32 // 2**k for k in range(levels)] + [32 >> levels]
    assert torch.allclose(pyramid.from_pyramid(parts), IMAGES, atol=1e-6)


def test_a_level_is_the_image_beyond_its_enlarged_half():
    coarse = IMAGES.view(3, 2, 16, 2, 8, 2).mean((3, 5))
    large = interpolate(coarse, size=(32, 16), mode="bilinear")
    details, small = pyramid.laplacian_pyramid(IMAGES, 1)
    assert torch.allclose(small, coarse)
    assert torch.allclose(details, IMAGES - large, atol=1e-6)


def test_a_flat_image_has_no_details():
    details, small = pyramid.laplacian_pyramid(torch.full((1, 1, 8, 8), 0.3), 1)
    assert details.abs().max() < 1e-6 and torch.allclose(small, torch.full((1, 1, 4, 4), 0.3))


@pytest.mark.parametrize("images", [torch.rand(3, 8, 8), torch.rand(1, 1, 6, 8), None])
def test_what_cannot_be_halved_twice_is_refused(images):
    with pytest.raises(ValueError, match=r"give \(N, C, H, W\), H and W even\."):
        pyramid.laplacian_pyramid(images, 2)


def test_each_detail_depends_on_the_coarse_image_around_it():
    net = pyramid.LevelNetwork(coarse=1, fine=1, width=4)
    coarse = torch.rand(1, 1, 16, 16, requires_grad=True)
    net(coarse, torch.randn(1, 1, 32, 32))[0, 0, 16, 16].backward()
    seen = coarse.grad[0, 0].nonzero()
    # Four convolutions of 3 × 3 on the coarse grid: four coarse pixels in each direction.
    assert seen.min(0).values.tolist() == [4, 4] and seen.max(0).values.tolist() == [12, 12]


def test_the_discriminator_depends_on_both_of_its_inputs():
    D = pyramid.LevelDiscriminator(channels=3, width=4, side=8)
    coarse, fine = torch.rand(2, 3, 8, 8), torch.randn(2, 3, 16, 16)
    logit = D(coarse, fine)
    assert logit.shape == (2,)
    assert not torch.allclose(D(1 - coarse, fine), logit) and not torch.allclose(
        D(coarse, -fine), logit
    )
