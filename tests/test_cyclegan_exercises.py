"""The figures in the solutions of the exercises of lesson 06."""

import itertools
import math
import random

import pytest
import torch

from course_utils.exercises.cyclegan import check_least_cycle_error
from tests.answers.cyclegan import lines
from tests.answers.cyclegan_in_depth import exchange


@pytest.mark.parametrize(("n", "share"), [(1, 0), (3, 2 / 6), (8, 1 / math.e)])
def test_a_third_of_all_permutations_is_wrong_for_every_horse(n, share):
    hits = [sum(map(int.__eq__, p, range(n))) for p in itertools.permutations(range(n))]
    assert hits.count(0) / len(hits) == pytest.approx(share, abs=1e-4)
    assert sum(hits) == len(hits)  # one is right on average


def test_the_identity_loss_prefers_the_rising_line_and_is_not_zero_for_it():
    y = 5 + 0.6 * torch.randn(9999, generator=torch.Generator().manual_seed(0))
    rising, falling = (((a - 1) * y + b).abs().mean() for a, b, *_ in lines(2.0, 1.5, 5.0, 0.6))
    assert 0 < rising < falling
    a, b, *_ = lines(2.0, 1.5, 5.0, 1.5)[0]
    assert (a, b) == (1, 3)  # with equal spreads it shifts by the difference of the means


def test_the_smallest_error_is_a_quarter_for_even_coats_and_the_median_gives_up_one_horse():
    coats, floor = torch.linspace(0, 1, 1001)[:, None], check_least_cycle_error.reference
    assert floor(coats, torch.arange(1001)) == 0
    assert floor(coats, torch.zeros(1001)) == pytest.approx(0.25, abs=1e-3)
    assert floor(torch.eye(10)[:, :1], torch.zeros(10)) == pytest.approx(0.1)


def test_half_of_what_is_shown_is_past_and_a_hundred_fakes_old():
    numbers, pool, ages = random.Random(0), [], []
    for now in range(40_000):
        shown, pool = exchange(pool, now, 50, numbers.random() < 0.5, numbers.randrange(50))
        ages += [now - shown] * (shown != now and now > 1_000)
    assert len(ages) / 39_000 == pytest.approx(0.5, abs=0.01)
    assert sum(ages) / len(ages) == pytest.approx(100, abs=3)
