"""What the solutions of notebook 01 say besides the answers."""

import pytest
import torch

from course_utils import losses
from course_utils.exercises import style_transfer as exercises
from course_utils.exercises.checking import near, random_tensor
from course_utils.models.vgg import COURSE_WIDTHS, VGG, VGG_WIDTHS

BOARD = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float()[None, None]
restyled = exercises.check_restyled.reference
shifted_gram = exercises.check_shifted_gram.reference
style_numbers = exercises.check_style_numbers.reference


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


def test_the_counts_of_style_numbers():
    def layers(widths, size):
        return [(c, (size // 2**block) ** 2) for block, c in enumerate(widths)]

    assert [name[5] for name in VGG.style_layers] == list("12345")  # one layer a block
    assert style_numbers(layers(VGG_WIDTHS, 256)) == 272_992 > 3 * 256**2 == 196_608
    assert style_numbers(layers(COURSE_WIDTHS, 256)) == 12_448 and round(196_608 / 12_448) == 16
    assert layers(VGG_WIDTHS, 256)[-1] == (512, 256)
    assert layers(COURSE_WIDTHS, 80)[-1] == (96, 25) and 2 * sum(COURSE_WIDTHS) == 640
    assert (style_numbers([(96, 25)]), style_numbers([(96, 96)])) == (2_100, 4_656)
    assert style_numbers(layers(COURSE_WIDTHS, 80)) == 9_892
