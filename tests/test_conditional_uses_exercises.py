"""What the solutions of notebook 05b say beside their code."""

import pytest
import torch
import torch.nn.functional as F

from tests.answers.conditional_uses import errors, loss, weight


def test_equal_steps_on_a_line_are_not_equal_on_the_sphere():
    ends = torch.eye(2)
    walk = F.normalize(torch.lerp(ends[0], ends[1], torch.linspace(0, 1, 9)[:, None]))
    steps = F.cosine_similarity(walk[1:], walk[:-1]).acos().rad2deg()
    assert steps.tolist() == pytest.approx([8.1, 10.3, 12.5, 14, 14, 12.5, 10.3, 8.1], abs=0.1)


def test_a_bad_patch_costs_2_5_and_nothing_in_the_mean_of_the_logits():
    logits, no_image = torch.tensor([10.0, 10.0, 10.0, -10.0]), torch.zeros(1)
    assert loss(logits, no_image, no_image, 20).item() == pytest.approx(2.5, abs=0.01)
    assert loss(logits.mean(), no_image, no_image, 20).item() == pytest.approx(0.007, abs=0.001)


def test_the_same_image_always_costs_its_distance_to_the_mean_and_near_it_less_than_a_draw():
    possible = torch.randn(8, 4, generator=torch.Generator().manual_seed(2))
    of_mean, of_draw = errors(possible)
    always = (possible[:, None] - possible).square().sum(2).mean(0)
    away = (possible - possible.mean(0)).square().sum(1)
    torch.testing.assert_close(always, of_mean + away)
    assert always.min() < of_draw


def test_the_weights_beside_a_half_that_is_hole():
    left = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    left[..., :16] = True
    assert weight(left, 7)[0, 0, [0, 16, 31], 16].tolist() == pytest.approx(
        [12 / 49, 3 / 7, 12 / 49]
    )
    assert not weight(left, 1).any()
