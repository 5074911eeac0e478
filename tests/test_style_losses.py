"""The formulas of style transfer against direct sums, in double precision."""

import pytest
import torch

from course_utils import losses

torch.manual_seed(0)
F = torch.rand(2, 3, 4, 5, dtype=torch.double)
P = torch.rand(2, 3, 4, 5, dtype=torch.double)


def test_content_loss_is_the_sum_of_the_slide_also_for_one_content_of_several_images():
    for wanted in (P, P[:1]):
        expected = 0.5 * torch.einsum("nchw,nchw->n", F - wanted, F - wanted)
        assert torch.allclose(losses.content_loss(F, wanted), expected)


def test_gram_matrix_is_the_mean_over_positions_of_products():
    expected = torch.einsum("niyx,njyx->nij", F, F) / 20
    for features in (F, F.contiguous(memory_format=torch.channels_last)):
        assert torch.allclose(losses.gram_matrix(features), expected)


def test_gram_matrix_of_half_precision_neither_overflows_nor_stays_half():
    large = torch.full((1, 2, 32, 32), 300.0, dtype=torch.float16)  # 300² is beyond float16
    with torch.autocast("cpu", torch.bfloat16):
        gram = losses.gram_matrix(large)
    assert gram.dtype == torch.float32 and torch.allclose(gram, torch.tensor(90_000.0))


def test_shuffled_positions_leave_the_statistics_and_change_the_content():
    other = F.flatten(2)[..., torch.randperm(20)].reshape(F.shape)
    assert torch.allclose(losses.gram_matrix(other), losses.gram_matrix(F))
    assert torch.allclose(losses.mean_and_variance(other), losses.mean_and_variance(F))
    assert (losses.content_loss(other, F) > 0.1).all()


def test_the_variance_is_the_diagonal_of_gram_without_the_squared_mean():
    mean, variance = losses.mean_and_variance(F).unbind(1)
    diagonal = losses.gram_matrix(F).diagonal(dim1=1, dim2=2)
    assert torch.allclose(mean, F.flatten(2).sum(2) / 20)
    assert torch.allclose(variance, diagonal - mean.square())


def test_a_channel_that_never_lights_up_has_a_finite_gradient():
    dark = torch.zeros(1, 2, 3, 3, dtype=torch.double, requires_grad=True)
    wanted = losses.mean_and_variance(F[:1, :2, :3, :3])
    losses.style_loss(losses.mean_and_variance(dark), wanted).sum().backward()
    assert dark.grad.isfinite().all()


def test_style_loss_is_that_of_gatys_up_to_a_factor_of_the_style():
    flat, other = F.flatten(2), torch.rand(1, 3, 63).double()  # a style of 9 × 7 positions
    apart = (flat @ flat.mT / 20 - other @ other.mT / 63).square().sum((1, 2))
    gatys = apart / (4 * 3**2)
    wanted = losses.gram_matrix(other.view(1, 3, 9, 7))
    factor = wanted.square().sum() / (4 * 3**2)
    assert torch.allclose(gatys, factor * losses.style_loss(losses.gram_matrix(F), wanted))


def test_style_loss_of_a_style_without_activations_is_no_nan():
    assert losses.style_loss(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)).item() == 0


def test_squared_variation_is_the_mean_squared_step_down_plus_across():
    for n in range(2):
        down = [(F[n, :, i + 1] - F[n, :, i]).square().sum().item() for i in range(3)]
        across = [(F[n, :, :, j + 1] - F[n, :, :, j]).square().sum().item() for j in range(4)]
        expected = sum(down) / (3 * 3 * 5) + sum(across) / (3 * 4 * 4)
        assert losses.squared_variation(F)[n].item() == pytest.approx(expected)


def test_total_variation_is_the_mean_length_of_the_gradient():
    for n in range(2):
        down, across = torch.zeros_like(F[n]), torch.zeros_like(F[n])
        down[:, :3], across[:, :, :4] = F[n].diff(dim=1), F[n].diff(dim=2)
        expected = (down.square() + across.square()).sqrt().mean().item()
        assert losses.total_variation(F)[n].item() == pytest.approx(expected, abs=1e-3)


def test_total_variation_keeps_an_edge_that_squared_variation_would_blur():
    edge = (torch.arange(20) >= 10).double().expand(1, 1, 4, 20)
    ramp = ((torch.arange(20) - 5) / 10).clamp(0, 1).double().expand(1, 1, 4, 20)
    assert losses.total_variation(ramp) == pytest.approx(losses.total_variation(edge), rel=0.02)
    assert losses.squared_variation(ramp) < losses.squared_variation(edge) / 8


@pytest.mark.parametrize("variation", [losses.squared_variation, losses.total_variation])
@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 1, 4), (1, 1, 4, 1)])
def test_variation_of_a_line_or_a_point_is_finite(shape, variation):
    assert variation(torch.rand(shape)).isfinite().all()
    assert variation(torch.ones(shape)).abs().lt(1e-9).all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: losses.content_loss(x, P),
        lambda x: losses.gram_matrix(x),
        lambda x: losses.style_loss(losses.gram_matrix(x), losses.gram_matrix(P)),
        lambda x: losses.style_loss(losses.mean_and_variance(x), losses.mean_and_variance(P)),
        losses.squared_variation,
        losses.total_variation,
    ],
)
def test_gradients_equal_finite_differences(loss):
    assert torch.autograd.gradcheck(loss, (F.clone().requires_grad_(),))
