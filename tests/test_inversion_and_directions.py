"""What the solutions of notebook 05d say beside their code."""

import math

import pytest
import torch

from tests.answers.inversion_and_directions import bound, weight


def test_the_weights_beside_a_half_that_is_hole():
    left = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    left[..., :16] = True
    assert weight(left, 7)[0, 0, [0, 16, 31], 16].tolist() == pytest.approx(
        [12 / 49, 3 / 7, 12 / 49]
    )
    assert not weight(left, 7)[..., 19:].any()  # further away than the window reaches


def test_the_bound_is_0_where_q_knows_nothing_log_k_at_most_and_negative_where_it_is_wrong():
    codes = torch.arange(10)
    assert bound(torch.zeros(10, 10), codes).item() == pytest.approx(0, abs=1e-6)
    assert bound(100 * torch.eye(10), codes).item() == pytest.approx(math.log(10))
    assert bound(100 * torch.eye(10).roll(1, 0), codes) < 0


def test_a_mean_over_the_batch_makes_plain_descent_slower_and_leaves_adam_alone():
    from tests.answers.inversion_and_directions import search

    def generator(z, y):
        return z + y

    given = torch.ones(4, 3), torch.zeros(4, 3), torch.zeros(4, 3)
    steps = {}
    for optimiser in (torch.optim.SGD, torch.optim.Adam):
        for loss in (torch.sum, lambda squared: squared.sum() / 4):
            found = search(optimiser, loss)(generator, *given, 1, 0.01)
            steps.setdefault(optimiser, []).append(found.mean().item())
    (sgd, sgd_of_mean), (adam, adam_of_mean) = steps.values()
    assert sgd == pytest.approx(4 * sgd_of_mean)
    assert adam == pytest.approx(adam_of_mean, rel=1e-3)
