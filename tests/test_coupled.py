"""The coupled GANs of lesson 06b: what is shared and what is each domain's own."""

import pytest
import torch

from course_utils.models import CoupledDiscriminator, CoupledGenerator


@pytest.mark.parametrize("shared", range(4))
def test_shared_layers_get_gradients_from_both_domains_and_own_ones_from_their_own(shared):
    generator = CoupledGenerator(8, width=2, shared=shared)
    for domain, other in ((0, 1), (1, 0)):
        generator.zero_grad()
        generator(torch.randn(4, 8))[domain].square().sum().backward()
        assert all(weight.grad.abs().sum() > 0 for weight in generator.shared.parameters())
        assert any(weight.grad.abs().sum() > 0 for weight in generator.own[domain].parameters())
        assert all(weight.grad is None for weight in generator.own[other].parameters())
    assert len(generator.shared) == shared
    assert all(len(own) == 4 - shared for own in generator.own)


def test_each_logit_depends_on_its_own_image_only():
    discriminator = CoupledDiscriminator(3, 4, shared=3)
    x, y = torch.rand(2, 4, 3, 32, 32)
    on_x, on_y = discriminator(x, y)
    assert on_x.shape == on_y.shape == (4,)
    again, changed = discriminator(x, 1 - y)
    assert torch.equal(on_x, again) and not torch.equal(on_y, changed)


def test_without_shared_layers_the_discriminators_have_nothing_in_common():
    apart, together = (CoupledDiscriminator(3, 4, shared=shared) for shared in (0, 3))
    sizes = [sum(weight.numel() for weight in net.parameters()) for net in (apart, together)]
    assert sizes[0] > sizes[1] and not list(apart.shared.parameters())


@pytest.mark.parametrize("make", [CoupledGenerator, CoupledDiscriminator])
@pytest.mark.parametrize("shared", [-1, 4, 1.0, True])
def test_refuses_to_share_what_there_is_not(make, shared):
    with pytest.raises(ValueError, match="0 to 3 can be shared"):
        make(shared=shared)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"takes \(N, 8\) latent"):
        CoupledGenerator(8)(torch.zeros(2, 9))
    with pytest.raises(ValueError, match=r"takes \(N, 3, 32, 32\)"):
        CoupledDiscriminator()(torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 28, 28))
