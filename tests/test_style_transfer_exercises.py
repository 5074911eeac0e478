"""What the solutions of lesson 01 say besides the answers."""

import pytest
import torch

from course_utils import losses
from course_utils.exercises import style_transfer as exercises
from course_utils.exercises.checking import near, random_tensor

BOARD = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float()[None, None]
restyled = exercises.check_restyled.reference
shifted_gram = exercises.check_shifted_gram.reference


def test_restyling_twice_is_restyling_once_and_sets_the_diagonal_of_the_gram_matrix():
    content, style = exercises.CONTENT, exercises.STYLE
    assert near(restyled(content, content), content)
    once = restyled(content, style)
    assert near(restyled(once, style), once, 1e-3)
    got, wanted = losses.gram_matrix(once), losses.gram_matrix(style)
    assert near(got.diagonal(dim1=1, dim2=2), wanted.diagonal(dim1=1, dim2=2), 1e-3)
    assert not near(got, wanted, 1e-2)


def test_shifted_gram_matrices_tell_a_board_from_a_shuffled_one():
    entries = [shifted_gram(BOARD, *shift).item() for shift in ((0, 0), (0, 1), (1, 1))]
    assert entries == pytest.approx([0.5, 0.0, 0.5], abs=0.001)
    order = torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))
    mixed = BOARD.flatten(2)[..., order].reshape_as(BOARD)
    entries = [shifted_gram(mixed, *shift).item() for shift in ((0, 0), (0, 1), (1, 1))]
    assert entries == pytest.approx([0.5, 0.25, 0.25], abs=0.02)
    features = random_tensor(1, 2, 5, 6, seed=1)
    assert near(shifted_gram(features, 0, 0), losses.gram_matrix(features))
    assert near(shifted_gram(features.flip(2, 3), 1, 2), shifted_gram(features, 1, 2).mT)
