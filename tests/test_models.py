"""Networks: shapes, ranges, and the noise where it belongs."""

import pytest
import torch

from course_utils import models

VAES = [
    models.VariationalAutoencoder(3, hidden=16, shape=(1, 8, 8)),
    models.ConvolutionalVAE(3, width=4, hidden=16, shape=(1, 28, 28)),
    models.ConvolutionalVAE(3, width=4, hidden=16, halvings=3, shape=(3, 32, 24)),
]


@pytest.mark.parametrize("vae", VAES, ids=lambda vae: str(vae.shape))
def test_a_vae_keeps_shapes_and_ranges(vae):
    x = torch.rand(5, *vae.shape)
    logits, mu, logvar = vae(x)
    assert logits.shape == x.shape and mu.shape == logvar.shape == (5, 3)
    drawn = vae.decode(torch.randn(2, 3))
    assert drawn.shape == (2, *vae.shape) and drawn.min() >= 0 and drawn.max() <= 1


@pytest.mark.parametrize("vae", VAES, ids=lambda vae: str(vae.shape))
def test_the_code_is_drawn_with_the_encoder_s_mean_and_deviation(vae):
    x = torch.rand(1, *vae.shape).expand(4000, *vae.shape)
    seen = []
    handle = vae.decoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        _, mu, logvar = vae(x)
    handle.remove()
    assert torch.allclose(seen[0].mean(0), mu[0], atol=0.1)
    assert torch.allclose(seen[0].std(0), (0.5 * logvar[0]).exp(), rtol=0.1)


def test_the_size_of_the_pytorch_example():
    """784-400-20 as published has 652,824 parameters."""
    vae = models.VariationalAutoencoder(20, hidden=400)
    assert sum(p.numel() for p in vae.parameters()) == 652_824


def test_images_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="30×28 cannot be halved 2 times; .* multiple of 4"):
        models.ConvolutionalVAE(2, shape=(1, 30, 28))


def test_a_reader_gives_its_numbers_for_any_size():
    reader = models.SmallConvNet(4, width=4, shape=(1, 28, 28))
    assert reader(torch.rand(3, 1, 28, 28)).shape == (3, 4)
