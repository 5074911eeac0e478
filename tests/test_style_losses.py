"""The formulas of style transfer against direct sums, in double precision."""

import itertools

import pytest
import torch

from course_utils import losses

torch.manual_seed(0)
F = torch.rand(2, 3, 4, 5, dtype=torch.double)
P = torch.rand(2, 3, 4, 5, dtype=torch.double)


def shuffled(features, seed=0):
    """The same activations at other positions."""
    flat = features.flatten(2)
    order = torch.randperm(flat.shape[2], generator=torch.Generator().manual_seed(seed))
    return flat[..., order].reshape(features.shape)


def test_content_loss_is_the_sum_of_the_slide():
    for n in range(2):
        pairs = zip(F[n].flatten().tolist(), P[n].flatten().tolist())
        expected = sum(0.5 * (f - p) ** 2 for f, p in pairs)
        assert losses.content_loss(F, P)[n].item() == pytest.approx(expected)


def test_content_loss_broadcasts_one_content_over_several_images():
    apart = losses.content_loss(F, P[:1])
    assert torch.equal(apart[1:], losses.content_loss(F[1:], P[:1])) and apart.shape == (2,)


def test_gram_matrix_is_the_mean_over_positions_of_products():
    gram = losses.gram_matrix(F)
    for n, i, j in itertools.product(range(2), range(3), range(3)):
        products = [F[n, i, y, x].item() * F[n, j, y, x].item() for y in range(4) for x in range(5)]
        assert gram[n, i, j].item() == pytest.approx(sum(products) / 20)


def test_gram_matrix_is_symmetric_and_has_no_negative_eigenvalue():
    gram = losses.gram_matrix(F - 0.5)
    assert torch.allclose(gram, gram.mT)
    assert torch.linalg.eigvalsh(gram).min() > -1e-12


def test_gram_matrix_is_the_same_for_channels_last():
    other = F.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(losses.gram_matrix(other), losses.gram_matrix(F))


def test_gram_matrix_of_half_precision_neither_overflows_nor_stays_half():
    large = torch.full((1, 2, 32, 32), 300.0, dtype=torch.float16)  # 300² is beyond float16
    with torch.autocast("cpu", torch.bfloat16):
        gram = losses.gram_matrix(large)
    assert gram.dtype == torch.float32 and torch.allclose(gram, torch.tensor(90_000.0))


def test_shuffled_positions_leave_the_statistics_and_change_the_content():
    other = shuffled(F)
    assert torch.allclose(losses.gram_matrix(other), losses.gram_matrix(F))
    assert torch.allclose(losses.mean_and_variance(other), losses.mean_and_variance(F))
    assert (losses.content_loss(other, F) > 0.1).all()


def test_mean_and_variance_are_those_of_every_channel():
    found = losses.mean_and_variance(F)
    for n, c in itertools.product(range(2), range(3)):
        values = F[n, c].flatten().tolist()
        mean = sum(values) / 20
        assert found[n, 0, c].item() == pytest.approx(mean)
        variance = sum((value - mean) ** 2 for value in values) / 20
        assert found[n, 1, c].item() == pytest.approx(variance)


def test_the_diagonal_of_gram_is_variance_plus_squared_mean():
    mean, variance = losses.mean_and_variance(F).unbind(1)
    diagonal = losses.gram_matrix(F).diagonal(dim1=1, dim2=2)
    assert torch.allclose(diagonal, variance + mean.square())


def test_a_channel_that_never_lights_up_has_a_finite_gradient():
    dark = torch.zeros(1, 2, 3, 3, dtype=torch.double, requires_grad=True)
    wanted = losses.mean_and_variance(F[:1, :2, :3, :3])
    losses.style_loss(losses.mean_and_variance(dark), wanted).sum().backward()
    assert dark.grad.isfinite().all()


def test_style_loss_is_the_squared_error_in_units_of_the_style():
    gram, wanted = losses.gram_matrix(F), losses.gram_matrix(P[:1])
    for n in range(2):
        pairs = list(zip(gram[n].flatten().tolist(), wanted.flatten().tolist()))
        expected = sum((g - a) ** 2 for g, a in pairs) / sum(a**2 for _, a in pairs)
        assert losses.style_loss(gram, wanted)[n].item() == pytest.approx(expected)


def test_style_loss_is_that_of_gatys_up_to_a_factor_of_the_style():
    flat, other = F.flatten(2), P[:1].flatten(2)
    channels, positions = flat.shape[1:]
    apart = (flat @ flat.mT - other @ other.mT).square().sum((1, 2))
    gatys = apart / (4 * channels**2 * positions**2)
    wanted = losses.gram_matrix(P[:1])
    factor = wanted.square().sum() / (4 * channels**2)
    assert torch.allclose(gatys, factor * losses.style_loss(losses.gram_matrix(F), wanted))


def test_style_loss_is_0_for_the_style_and_1_for_no_activation_at_all():
    wanted = losses.gram_matrix(P)
    assert torch.equal(losses.style_loss(wanted, wanted), torch.zeros(2).double())
    assert torch.allclose(losses.style_loss(0 * wanted, wanted), torch.ones(2).double())


def test_style_loss_of_a_style_without_activations_is_no_nan():
    assert losses.style_loss(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)).item() == 0


def test_styles_may_come_from_images_of_another_size():
    wanted = losses.gram_matrix(torch.rand(1, 3, 9, 7).double())
    assert losses.style_loss(losses.gram_matrix(F), wanted).shape == (2,)


def test_total_variation_is_the_mean_squared_step_down_plus_across():
    x = F
    for n in range(2):
        down = [
            (x[n, c, i + 1, j] - x[n, c, i, j]).item() ** 2
            for c, i, j in itertools.product(range(3), range(3), range(5))
        ]
        across = [
            (x[n, c, i, j + 1] - x[n, c, i, j]).item() ** 2
            for c, i, j in itertools.product(range(3), range(4), range(4))
        ]
        expected = sum(down) / len(down) + sum(across) / len(across)
        assert losses.total_variation(x)[n].item() == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 1, 4), (1, 1, 4, 1)])
def test_total_variation_of_a_line_or_a_point_is_finite(shape):
    assert losses.total_variation(torch.rand(shape)).isfinite().all()
    assert losses.total_variation(torch.ones(shape)).eq(0).all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: losses.content_loss(x, P),
        lambda x: losses.gram_matrix(x),
        lambda x: losses.style_loss(losses.gram_matrix(x), losses.gram_matrix(P)),
        lambda x: losses.style_loss(losses.mean_and_variance(x), losses.mean_and_variance(P)),
        losses.total_variation,
    ],
)
def test_gradients_equal_finite_differences(loss):
    assert torch.autograd.gradcheck(loss, (F.clone().requires_grad_(),))
