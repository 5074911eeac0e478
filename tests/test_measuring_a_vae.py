"""What lesson 03b measures with: the network of Burda et al., log p(x, z), and two views."""

import pytest
import torch

from course_utils import losses, metrics, models, plots, widgets


def test_the_two_layer_vae_has_the_sizes_of_burda_et_al():
    vae = models.TwoLayerVAE()
    widths = [layer.weight.shape for layer in vae.modules() if isinstance(layer, torch.nn.Linear)]
    assert widths == [(200, 784), (200, 200), (100, 200), (200, 50), (200, 200), (784, 200)]
    logits, mu, logvar = vae(torch.rand(3, 1, 28, 28))
    assert logits.shape == (3, 1, 28, 28) and mu.shape == logvar.shape == (3, 50)


def test_log_joint_is_the_bernoulli_likelihood_plus_the_prior():
    vae = models.VariationalAutoencoder(2, hidden=16)
    x, z = (torch.rand(4, 1, 28, 28) < 0.3).float(), torch.randn(4, 3, 2)
    logits = vae.decoder(z.flatten(0, 1))
    by_loss = -losses.binary_cross_entropy(logits, x.repeat_interleave(3, dim=0)).view(4, 3)
    expected = by_loss + losses.gaussian_log_density(z)
    assert torch.allclose(metrics.log_joint(vae, x, z), expected, atol=1e-3)


def test_log_joint_refuses_other_images():
    vae = models.VariationalAutoencoder(2, hidden=16)
    with pytest.raises(ValueError, match="pixels"):
        metrics.log_joint(vae, torch.zeros(4, 1, 14, 14), torch.zeros(4, 3, 2))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        metrics.log_joint(vae, torch.full((4, 1, 28, 28), 2.0), torch.zeros(4, 3, 2))


@pytest.fixture
def importance():
    plots.use_course_style()
    draws = torch.randn(2, 20, 2, generator=torch.Generator().manual_seed(0))
    weights = torch.zeros(2, 20)
    weights[1, 0] = 50.0  # one draw has all the weight
    return widgets.ImportanceView(torch.rand(2, 9, 9), 5.0, draws, weights, [0.0, 0.0])


def test_equal_weights_count_fully_and_one_heavy_weight_counts_as_one(importance):
    importance.draw(image=0, k=20)
    assert importance.text.get_text().startswith("effective number of draws 20.0 of 20")
    importance.draw(image=1, k=20)
    assert importance.text.get_text().startswith("effective number of draws 1.0 of 20")


@pytest.mark.parametrize(
    "wrong", [{"image": 2, "k": 1}, {"image": 0, "k": 21}, {"image": 0, "k": 0}]
)
def test_the_view_of_weights_refuses_what_it_has_not(importance, wrong):
    with pytest.raises(ValueError):
        importance.draw(**wrong)


def test_the_rotated_posterior_moves_and_refuses_no_angle():
    plots.use_course_style()
    tall = torch.diag(torch.tensor([1.0, 4.0]))
    view = widgets.RotationView(
        lambda angle: (tall if angle else torch.eye(2), torch.eye(2), -angle / 10, 0.0)
    )
    first, second = view.draw(angle=0.0), view.draw(angle=10.0)
    assert first.shape == second.shape and (first != second).any()
    with pytest.raises(ValueError, match="angle"):
        view.draw(angle=float("nan"))
