"""What the solutions of notebook 05c say beside their code."""

import pytest
import torch

from tests.answers.image_to_image import errors, loss


def test_a_bad_patch_costs_2_5_and_nothing_in_the_mean_of_the_logits():
    logits, no_image = torch.tensor([10.0, 10.0, 10.0, -10.0]), torch.zeros(1)
    assert loss(logits, no_image, no_image, 20).item() == pytest.approx(2.5, abs=0.01)
    assert loss(logits.mean(), no_image, no_image, 20).item() == pytest.approx(0.007, abs=0.001)


def test_a_constant_output_has_its_distance_to_the_mean_and_near_it_less_error_than_a_sample():
    possible = torch.randn(8, 4, generator=torch.Generator().manual_seed(2))
    of_mean, of_sample = errors(possible)
    always = (possible[:, None] - possible).square().sum(2).mean(0)
    away = (possible - possible.mean(0)).square().sum(1)
    torch.testing.assert_close(always, of_mean + away)
    assert always.min() < of_sample
