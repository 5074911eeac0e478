"""The exercises of notebook 01: right answers pass, and each usual mistake gets its hint."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils import losses
from course_utils.exercises import style_transfer as exercises
from course_utils.exercises.checking import near, random_tensor
from course_utils.models.vgg import COURSE_WIDTHS, VGG, VGG_WIDTHS
from tests.wrong_answers import (
    gets_hint,
    gets_some_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)

POSITIONS = (2, 3)


def mean_and_spread(features, dim=POSITIONS):
    return features.mean(dim, keepdim=True), features.std(dim, keepdim=True) + 1e-6


def restyled(content, style):
    mean, spread = mean_and_spread(content)
    wanted_mean, wanted_spread = mean_and_spread(style)
    return (content - mean) / spread * wanted_spread + wanted_mean


def restyled_by_normalisation(content, style):
    n, c = content.shape[:2]
    flat = style.flatten(2)
    mean, spread = flat.mean(2), flat.var(2, correction=0).sqrt()
    return F.instance_norm(content) * spread.reshape(n, c, 1, 1) + mean.reshape(n, c, 1, 1)


def restyled_one_by_one(content, style):
    result = torch.zeros_like(content)
    for n, c in torch.cartesian_prod(torch.arange(len(content)), torch.arange(content.shape[1])):
        of, like = content[n, c], style[n, c]
        result[n, c] = (of - of.mean()) / (of.std() + 1e-7) * like.std() + like.mean()
    return result


def from_statistics(formula):
    return lambda content, style: formula(
        content, *mean_and_spread(content), *mean_and_spread(style)
    )


def over(dim, of_style=None):
    def answer(content, style):
        mean, spread = mean_and_spread(content, dim)
        wanted_mean, wanted_spread = mean_and_spread(style, of_style or dim)
        return (content - mean) / spread * wanted_spread + wanted_mean

    return answer


def without_anything_tiny(content, style):
    mean, spread = content.mean(POSITIONS, keepdim=True), content.std(POSITIONS, keepdim=True)
    return (content - mean) / spread * mean_and_spread(style)[1] + mean_and_spread(style)[0]


def silent_stays_silent(content, style):
    return restyled(content, style) * (content.std(POSITIONS, keepdim=True) > 0)


def restyled_in_place(content, style):
    content -= content.mean(POSITIONS, keepdim=True)
    return restyled(content, style)


def shifted_gram(features, down, across):
    h, w = features.shape[2:]
    here = features[:, :, : h - down, : w - across].flatten(2)
    there = features[:, :, down:, across:].flatten(2)
    return here @ there.mT / here.shape[2]


def gram_by_sum(features, down, across):
    h, w = features.shape[2:]
    here, there = features[:, :, : h - down, : w - across], features[:, :, down:, across:]
    pairs = (h - down) * (w - across)
    return torch.einsum("nchw,ndhw->ncd", here, there) / pairs


def gram_by_roll(features, down, across):
    """All pairs, those that wrap around left out by a mask."""
    there = features.roll((-down, -across), (2, 3))
    inside = torch.ones_like(features[:1, :1])
    inside[:, :, inside.shape[2] - down :] = 0
    inside[:, :, :, inside.shape[3] - across :] = 0
    return (features * inside).flatten(2) @ there.flatten(2).mT / inside.sum()


def with_negative_slices(features, down, across):
    here = features[:, :, :-down, :-across].flatten(2)
    return here @ features[:, :, down:, across:].flatten(2).mT / here.shape[2]


def skipping_zero(features, down, across):
    """Fails in another way for shifts of 0: all pairs, of the wrong positions."""
    return shifted_gram(features, max(1, down), max(1, across))


def positions_by_positions(features, down, across):
    h, w = features.shape[2:]
    here = features[:, :, : h - down, : w - across].flatten(2)
    return here.mT @ features[:, :, down:, across:].flatten(2) / features.shape[1]


def style_gradient(features, wanted):
    positions = features.shape[1]
    gram = features @ features.T / positions
    return 4 / positions * (gram - wanted) @ features


def gradient_by_loops(features, wanted):
    c, m = features.shape
    gram = features @ features.T / m
    slope = torch.zeros(c, m)
    for i in range(c):
        for j in range(c):
            slope[i] += 2 * (gram[i, j] - wanted[i, j]) * features[j] / m
            slope[j] += 2 * (gram[i, j] - wanted[i, j]) * features[i] / m
    return slope


def gradient_by_differences(features, wanted):
    found = torch.zeros_like(features, dtype=torch.double)
    for at in range(features.numel()):
        step = torch.zeros_like(found)
        step.view(-1)[at] = 1e-5
        above, below = (
            exercises._style_error(features.double() + change, wanted.double())
            for change in (step, -step)
        )
        found.view(-1)[at] = (above - below) / 2e-5
    return found


def gradient_by_autograd(features, wanted):
    features = features.clone().requires_grad_()
    loss = (features @ features.T / features.shape[1] - wanted).square().sum()
    return torch.autograd.grad(loss, features)[0]


def style_numbers(layers):
    count = 0
    for channels, positions in layers:
        if positions >= channels:
            count += channels * (channels + 1) // 2
        else:
            count += channels * positions - positions * (positions - 1) // 2
    return count


def numbers_by_rank(layers):
    """The rank of the Jacobian of F -> F Fᵀ at a random F."""
    count = 0
    for channels, positions in layers:
        features = random_tensor(channels, positions, seed=channels).double()
        slopes = torch.autograd.functional.jacobian(lambda f: f @ f.T, features)
        count += int(torch.linalg.matrix_rank(slopes.reshape(channels**2, -1)))
    return count


def counted(number):
    return lambda layers: sum(number(c, m) for c, m in layers)


def with_few(number):
    """Right where there are as many positions as channels."""
    return counted(lambda c, m: c * (c + 1) // 2 if m >= c else number(c, m))


RIGHT = [
    (exercises.check_restyled, restyled_by_normalisation),
    (exercises.check_restyled, restyled_one_by_one),
    (exercises.check_restyled, lambda c, s: restyled(c.double(), s.double())),
    (exercises.check_restyled, restyled),
    (exercises.check_shifted_gram, gram_by_sum),
    (exercises.check_shifted_gram, gram_by_roll),
    (exercises.check_shifted_gram, shifted_gram),
    (exercises.check_style_gradient, gradient_by_loops),
    (exercises.check_style_gradient, gradient_by_differences),
    (exercises.check_style_gradient, style_gradient),
    (exercises.check_style_numbers, numbers_by_rank),
    (exercises.check_style_numbers, lambda layers: torch.tensor(style_numbers(layers))),
    (exercises.check_style_numbers, lambda layers: float(style_numbers(layers))),
    (exercises.check_style_numbers, style_numbers),
]
CHECKS = dict(RIGHT)


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    passes(check, answer, capsys)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_stub_is_not_attempted_and_a_crash_is_told(check, capsys):
    says_what_stopped(check, capsys)


NONSENSE = [
    "text", 3, 2.5, True, [1.0], [1.0, 2.0], (torch.zeros(2), "text"), torch.zeros(3, 3),
    torch.zeros(2, 3, 3), torch.zeros(1, 1, 1, 1), torch.tensor([math.nan]), torch.tensor(1),
    (math.nan, math.inf), torch.zeros(2, 3, 6, 8), {"mean": 1.0}, math.inf,
    torch.full((2, 3, 3), math.nan), torch.zeros(2, 3, 3, dtype=torch.int64), math.nan,
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_whatever_is_returned_gets_a_hint(check, nonsense, capsys):
    gets_some_hint(check, nonsense, capsys)


RESTYLED = [
    (from_statistics(lambda c, m, s, wm, ws: (c - m) * ws + wm), "own spread is still in it"),
    (from_statistics(lambda c, m, s, wm, ws: c / s * ws + wm), "own mean is still in it"),
    (from_statistics(lambda c, m, s, wm, ws: c * ws + wm), "before anything else. And the content"),
    (from_statistics(lambda c, m, s, wm, ws: (c - m) / s), "mean 0 and spread 1"),
    (lambda c, s: F.instance_norm(c), "mean 0 and spread 1"),
    (from_statistics(lambda c, m, s, wm, ws: (c - m) / s * ws), "but the mean is 0"),
    (from_statistics(lambda c, m, s, wm, ws: (c - m) / s * ws + m), "the content's again"),
    (from_statistics(lambda c, m, s, wm, ws: c - m + wm), "the spread is still the content's"),
    (from_statistics(lambda c, m, s, wm, ws: (c - m) / s + wm), "but the spread is 1"),
    (from_statistics(lambda c, m, s, wm, ws: (c - m) / s**2 * ws**2 + wm), "with variances"),
    (from_statistics(lambda c, m, s, wm, ws: (c - m) / ws * s + wm), "upside down"),
    (from_statistics(lambda c, m, s, wm, ws: ((c - m) / s + wm) * ws), "which stretches it too"),
    (lambda c, s: c, "the content as it was"),
    (over((0, 2, 3)), "the images of the batch share"),
    (over((1, 2, 3)), "the channels share one mean"),
    (over((0, 1, 2, 3)), "dim=(2, 3). And the channels share"),
    (over(POSITIONS, (0, 2, 3)), "the mean style of the batch"),
    (over(POSITIONS, (1, 2, 3)), "the channels share one mean"),
    (without_anything_tiny, "right, but not for a channel that is 0 everywhere"),
    (silent_stays_silent, "right, but not for a channel that is 0 everywhere"),
    (restyled_in_place, "changes what it was given"),
    (lambda c, s: restyled(s, c), "the positions are those of the content"),
    (lambda c, s: (c - c.mean(2, keepdim=True)) / s, "have shape (N, C, 1, 1)"),
    (lambda c, s: restyled(c, s).flip(3), "is not where it was"),
    (lambda c, s: restyled(c, s) + 1, "has the mean"),
    (lambda c, s: restyled(c, s + 2 * s.mean(POSITIONS, keepdim=True)), "has the mean"),
    (lambda c, s: restyled(c, s).tolist(), "return a tensor"),
]


def turned(features, down, across):
    return shifted_gram(features, down, across).mT


def wrapped(features, down, across):
    there = features.roll((-down, -across), (2, 3)).flatten(2)
    return features.flatten(2) @ there.mT / there.shape[2]


def divided_by(number):
    def answer(features, down, across):
        h, w = features.shape[2:]
        pairs = (h - down) * (w - across)
        return shifted_gram(features, down, across) * pairs / number(features)

    return answer


def shifted_in_place(features, down, across):
    features /= features.shape[1]
    return shifted_gram(features, down, across)


SHIFTED = [
    (wrapped, "comes in again on the other"),
    (lambda f, d, a: wrapped(f, d, a).mT, "do not exist. And that is the transpose"),
    (turned, "F_j stands before F_i"),
    (lambda f, d, a: shifted_gram(f, a, d), "down and across are swapped"),
    (lambda f, d, a: losses.gram_matrix(f), "without a shift"),
    (divided_by(lambda f: f[0, 0].numel()), "divided by all positions"),
    (divided_by(lambda f: 1), "the sum over the pairs"),
    (divided_by(lambda f: f[0].numel()), "divided by the channels, too; the mean is over pairs of "
     "positions only. And the sum is divided by all"),
    (lambda f, d, a: shifted_gram(f, d, a) / 3, "divided by the channels, too"),
    (lambda f, d, a: (shifted_gram(f, d, a) + turned(f, d, a)) / 2, "both directions are averaged"),
    (lambda f, d, a: shifted_gram(f, d, a).mean(0, keepdim=True).repeat(len(f), 1, 1), "are mixed"),
    (lambda f, d, a: shifted_gram(f, d, a).mean(0), "one matrix for the whole batch"),
    (lambda f, d, a: shifted_gram(f.flatten(0, 1)[None], d, a)[0], "one matrix for the whole"),
    (lambda f, d, a: shifted_gram(f - f.mean(POSITIONS, keepdim=True), d, a), "a covariance"),
    (with_negative_slices, "not for down = 0"),
    (skipping_zero, "not for down = 0"),
    (lambda f, d, a: shifted_gram(f, d, a or 1), "not for across = 0"),
    (lambda f, d, a: shifted_gram(f, d, a) if d or a else 2 * losses.gram_matrix(f),
     "not for down = 0 and across = 0"),
    (positions_by_positions, "is positions by positions"),
    (lambda f, d, a: f[:, :, d:] * f[:, :, :, a:], "the two factors need the same positions"),
    (lambda f, d, a: shifted_gram(f, d, a).sqrt(), "entry (0, 1) says"),
    (lambda f, d, a: shifted_gram(f, d, a)[:, :2], "channels by channels, for each image"),
    (shifted_in_place, "changes what it was given"),
    (lambda f, d, a: shifted_gram(f, d, a).tolist(), "return a tensor"),
]  # fmt: skip


def gradient(factor=4.0, divisor=lambda c, m: m, gram_divisor=lambda c, m: m):
    def answer(features, wanted):
        c, m = features.shape
        gram = features @ features.T / gram_divisor(c, m)
        return factor / divisor(c, m) * (gram - wanted) @ features

    return answer


GRADIENT = [
    (gradient(2), "half of it"),
    (gradient(1), "a factor 4 is missing"),
    (gradient(8), "twice too much"),
    (gradient(-4), "points downhill"),
    (gradient(-2), "bring a 2, the two places another.) And the sign is wrong"),
    (gradient(4, lambda c, m: 1), "divide by M."),
    (gradient(4, lambda c, m: m**2), "divided by M twice"),
    (gradient(2, lambda c, m: 1), "bring a 2, the two places another.) And G has 1/M"),
    (gradient(1, lambda c, m: (c * m) ** 2), "of Gatys et al. (2016), whose loss"),
    (gradient(1, lambda c, m: (c * m) ** 2, lambda c, m: 1), "of Gatys et al. (2016), whose loss"),
    (gradient(4, gram_divisor=lambda c, m: 1), "the 1/M is missing in front"),
    (lambda f, a: style_gradient(f, 0 * a), "A, does not occur"),
    (lambda f, a: 4 / f.shape[1] * (f @ f.T / f.shape[1] - a) ** 2 @ f, "the square is still"),
    (lambda f, a: style_gradient(f, a).T, "that is (M, C), the transpose"),
    (lambda f, a: 2 * (f @ f.T / f.shape[1] - a), "that is the slope by G"),
    (gradient_by_autograd, "autograd is switched off here"),
    (lambda f, a: f @ (f @ f.T - a), "so (G - A) @ F fits"),
    (lambda f, a: style_gradient(f, a) + f, "grows by 0.0001"),
    (lambda f, a: style_gradient(f.abs(), a), "and you say"),
    (lambda f, a: f.mul_(2), "changes what it was given"),
    (lambda f, a: style_gradient(f, a).sum(), "a slope for each activation"),
    (lambda f, a: style_gradient(f, a).tolist(), "return a tensor"),
]
NUMBERS = [
    (counted(lambda c, m: c * c), "a Gram matrix is symmetric"),
    (counted(lambda c, m: c * (c + 1) / 2), "right where a layer has at least as many positions"),
    (counted(lambda c, m: c * (c - 1) / 2), "the diagonal is missing"),
    (counted(lambda c, m: c * m), "a style forgets where"),
    (counted(lambda c, m: 2 * c), "two numbers a channel"),
    (counted(lambda c, m: m * (m + 1) / 2), "products of positions with each other"),
    (with_few(lambda c, m: c * m), "have the same Gram matrix for every orthogonal Q"),
    (counted(lambda c, m: min(c * (c + 1) / 2, c * m)), "for every orthogonal Q"),
    (with_few(lambda c, m: c * m + m * (m - 1) / 2), "take them away from C · M"),
    (with_few(lambda c, m: m * (m + 1) / 2), "are to be chosen among C, too"),
    (with_few(lambda c, m: c * m - m * (m + 1) / 2), "one for each plane it can turn in"),
    (counted(lambda c, m: c * m - m * (m - 1) / 2), "that holds where M < C"),
    (lambda layers: style_numbers(layers[-1:]), "add them up"),
    (lambda layers: 2 * style_numbers(layers), "a layer of 6 channels and 100 positions has 21"),
    (lambda layers: [style_numbers(layers)], "as a number; this is list"),
]
WRONG = wrong_answers(
    {
        exercises.check_restyled: RESTYLED,
        exercises.check_shifted_gram: SHIFTED,
        exercises.check_style_gradient: GRADIENT,
        exercises.check_style_numbers: NUMBERS,
    }
)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


TABLES = {
    "restyled": (exercises.RESTYLE_MISTAKES, (*exercises._two_images(1), 1), exercises._restyled),
    "shifted Gram": (
        exercises.SHIFT_MISTAKES,
        (random_tensor(2, 3, 5, 6, seed=0).relu(), *exercises.SHIFTS[0]),
        shifted_gram,
    ),
    "gradient": (
        exercises.GRADIENT_MISTAKES,
        (random_tensor(3, 7, seed=1), exercises._gram(random_tensor(3, 6, seed=2))),
        style_gradient,
    ),
    "numbers": (
        [
            (
                lambda f=mistake: torch.tensor(
                    [exercises._added_up(f, s) for s in exercises.STYLES]
                ),
                h,
            )
            for mistake, h in exercises.NUMBER_MISTAKES
        ],
        (),
        lambda: torch.tensor([style_numbers(layers) for layers in exercises.STYLES]),
    ),
}


@pytest.mark.parametrize(("table", "given", "right"), TABLES.values(), ids=TABLES)
def test_no_mistake_is_taken_for_another_or_for_the_answer(table, given, right):
    results = [(right(*given), "right")]
    results += [(mistake(*given), hint) for mistake, hint in table]
    for place, (first, hint) in enumerate(results):
        for second, other in results[:place]:
            if first.shape == second.shape and hint != other:
                assert not near(first, second, 1e-5), (hint, other)


def test_the_gradient_by_hand_is_that_of_autograd():
    features, wanted = random_tensor(4, 9, seed=1), random_tensor(4, 4, seed=2)
    wanted = wanted @ wanted.T
    assert near(gradient_by_autograd(features, wanted), style_gradient(features, wanted))


def test_the_figures_of_the_solution_on_mean_and_spread():
    content, style = exercises._two_images(1)
    assert near(restyled(content, content), content)
    once = restyled(content, style)
    assert near(restyled(once, style), once, 1e-3)
    # The diagonal of the Gram matrix is the style's, the rest is not.
    plain = restyled_by_normalisation(content, style)
    got, wanted = losses.gram_matrix(plain), losses.gram_matrix(style)
    assert near(got.diagonal(dim1=1, dim2=2), wanted.diagonal(dim1=1, dim2=2), 1e-3)
    assert not near(got, wanted, 1e-2)


def test_the_figures_of_the_solution_on_neighbours():
    board = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float()[None, None]
    entries = [shifted_gram(board, *shift).item() for shift in ((0, 0), (0, 1), (1, 1))]
    assert entries == pytest.approx([0.5, 0.0, 0.5], abs=0.001)
    order = torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))
    shuffled = board.flatten(2)[:, :, order].reshape_as(board)
    assert shifted_gram(shuffled, 0, 0).item() == 0.5
    for shift in ((0, 1), (1, 1)):
        assert abs(shifted_gram(shuffled, *shift).item() - 0.25) < 0.02
    features = random_tensor(1, 2, 5, 6, seed=1)
    assert near(shifted_gram(features, 0, 0), losses.gram_matrix(features))
    assert near(shifted_gram(features.flip(2, 3), 1, 2), turned(features, 1, 2))


def test_the_figures_of_the_solution_on_the_gradient():
    features, wanted = random_tensor(3, 7, seed=1), torch.eye(3)
    features[:, 2] = 0
    assert not style_gradient(features, wanted)[:, 2].any()
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    assert near(
        style_gradient(features[:, order], wanted), style_gradient(features, wanted)[:, order]
    )
    gram = features @ features.T / 7
    layer = F.conv1d(features[None], (4 / 7 * (gram - wanted))[..., None])[0]
    assert near(layer, style_gradient(features, wanted))


def test_the_figures_of_the_solution_on_numbers():
    def layers(widths, size):
        return [(c, (size // 2**block) ** 2) for block, c in enumerate(widths)]

    assert [name[5] for name in VGG.style_layers] == list("12345")  # one layer a block
    pixels = 3 * 256**2
    assert pixels == 196_608
    assert style_numbers(layers(VGG_WIDTHS, 256)) == 272_992
    assert style_numbers(layers(COURSE_WIDTHS, 256)) == 12_448
    assert round(pixels / 12_448) == 16
    assert 2 * sum(COURSE_WIDTHS) == 640
    assert layers(VGG_WIDTHS, 256)[-1] == (512, 256)
    assert layers(COURSE_WIDTHS, 80)[-2:] == [(96, 100), (96, 25)]
    assert (style_numbers([(96, 25)]), style_numbers([(96, 96)])) == (2_100, 4_656)
    assert style_numbers(layers(COURSE_WIDTHS, 80)) == 9_892


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_leaves_the_dice_of_the_notebook_alone(check, capsys):
    leaves_the_dice_alone(check, CHECKS[check], capsys)
