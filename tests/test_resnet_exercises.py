"""The exercises of notebook 07: right answers pass, and each usual mistake gets its hint."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F

from course_utils import models
from course_utils.exercises import resnet as exercises
from course_utils.exercises.checking import near, random_tensor
from tests.wrong_answers import (
    gets_hint,
    gets_some_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)


def backward(gradient, jacobians):
    for jacobian in jacobians.flip(0):
        gradient = gradient + gradient @ jacobian
    return gradient


def backward_transposed(gradient, jacobians):
    for jacobian in reversed(list(jacobians)):
        gradient = (torch.eye(len(gradient)) + jacobian).T @ gradient
    return gradient


def backward_by_product(gradient, jacobians):
    """The Jacobian of the whole chain first, in double precision."""
    whole = torch.eye(len(gradient)).double()
    for jacobian in jacobians.double():
        whole = whole + jacobian @ whole
    return gradient.double() @ whole


def backward_by_paths(gradient, jacobians):
    """The sum over all 2^n paths."""
    total = torch.zeros_like(gradient)
    for path in itertools.product((False, True), repeat=len(jacobians)):
        slope = gradient
        for through, jacobian in zip(path, jacobians.flip(0)):
            slope = slope @ jacobian if through else slope
        total = total + slope
    return total


def backward_by_autograd(gradient, jacobians):
    x = start = torch.zeros_like(gradient, requires_grad=True)
    for jacobian in jacobians:
        x = x + jacobian @ x
    return torch.autograd.grad(x, start, gradient)[0]


def chain(forwards=False, untransposed=False, identity="each"):
    def answer(gradient, jacobians):
        unit, found = torch.eye(len(gradient)), gradient
        for jacobian in jacobians if forwards else jacobians.flip(0):
            factor = jacobian + {"each": unit, "ones": 1}.get(identity, 0)
            found = factor @ found if untransposed else factor.T @ found
        return found + gradient if identity == "once" else found

    return answer


def in_place(gradient, jacobians):
    jacobians += torch.eye(len(gradient))
    for jacobian in jacobians.flip(0):
        gradient = gradient @ jacobian
    return gradient


def in_place_gradient(gradient, jacobians):
    for jacobian in jacobians.flip(0):
        gradient += gradient @ jacobian
    return gradient


def with_identity_of_the_number_of_blocks(gradient, jacobians):
    return gradient @ (torch.eye(len(jacobians)) + jacobians[0])


def behind(x, channels):
    return F.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))


def shortcut(x, channels):
    kept = x[:, :, ::2, ::2]
    zeros = kept.new_zeros(len(x), channels - x.shape[1], *kept.shape[2:])
    return torch.cat([kept, zeros], dim=1)


def shortcut_into_zeros(x, channels):
    n, c, height, width = x.shape
    y = torch.zeros(n, channels, math.ceil(height / 2), math.ceil(width / 2), dtype=torch.double)
    y[:, :c] = x[..., ::2, ::2]
    return y


def shortcut_by_convolution(x, channels):
    return F.conv2d(x, torch.eye(channels, x.shape[1])[..., None, None], stride=2)


def without_gradient(x, channels):
    with torch.no_grad():
        return shortcut(x, channels)


def half_detached(x, channels):
    return torch.cat([shortcut(x[:1], channels), shortcut(x[1:].detach(), channels)])


def learned(x, channels):
    return F.conv2d(x, torch.randn(channels, x.shape[1], 1, 1), stride=2)


def zeroed(x, channels):
    x[:, :, 1::2] = 0
    return shortcut(x, channels)


def wrong_when_odd(x, channels):
    size = [(side + 1) // 2 for side in x.shape[2:]]
    return behind(F.interpolate(x, size), channels)


def wrong_when_equal(x, channels):
    return shortcut(x, channels) if channels > x.shape[1] else F.avg_pool2d(x, 2)


def parameters(n):
    count = 3 * 16 * 9 + 2 * 16
    for before, width in ((16, 16), (16, 32), (32, 64)):
        inputs = before + (2 * n - 1) * width
        count += 9 * inputs * width + 2 * n * 2 * width
    return count + 64 * 10 + 10


def parameters_built(n):
    return sum(weight.numel() for weight in models.cifar_resnet(6 * n + 2).parameters())


def counted(**options):
    return lambda n: exercises._parameters(n, **options)


def paths(blocks, deleted):
    return 2.0**-deleted, (blocks - deleted) / 2


def paths_walked(blocks, deleted):
    ways = list(itertools.product((0, 1), repeat=blocks))
    left = [sum(way) for way in ways if not any(way[:deleted])]
    return len(left) / len(ways), sum(left) / len(left)


def paths_counted(blocks, deleted):
    left = blocks - deleted
    lengths = [(length, math.comb(left, length)) for length in range(left + 1)]
    mean = sum(length * many for length, many in lengths) / 2**left
    return Fraction(2**left, 2**blocks), torch.tensor(mean)


def share_as(share):
    return lambda n, k: (share(n, k), (n - k) / 2)


def length_as(length):
    return lambda n, k: (2.0**-k, length(n, k))


RIGHT = [
    (exercises.check_backward, backward_transposed),
    (exercises.check_backward, backward_by_product),
    (exercises.check_backward, backward_by_paths),
    (exercises.check_backward, backward_by_autograd),
    (exercises.check_backward, backward),
    (exercises.check_shortcut, shortcut_into_zeros),
    (exercises.check_shortcut, shortcut_by_convolution),
    (exercises.check_shortcut, lambda x, c: behind(F.max_pool2d(x, 1, 2), c)),
    (exercises.check_shortcut, lambda x, c: behind(x[:, :, ::2, ::2], c)),
    (exercises.check_shortcut, lambda x, c: models.resnet.ZeroPadding(c - x.shape[1], 2)(x)),
    (exercises.check_shortcut, shortcut),
    (exercises.check_parameters, parameters_built),
    (exercises.check_parameters, lambda n: 97_216 * n - 21_926),
    (exercises.check_parameters, lambda n: torch.tensor(parameters(n))),
    (exercises.check_parameters, lambda n: float(parameters(n))),
    (exercises.check_parameters, parameters),
    (exercises.check_paths, paths_walked),
    (exercises.check_paths, paths_counted),
    (exercises.check_paths, lambda n, k: list(paths(n, k))),
    (exercises.check_paths, lambda n, k: torch.tensor(paths(n, k))),
    (exercises.check_paths, paths),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    passes(check, answer, capsys)


CHECKS = dict.fromkeys(check for check, _ in RIGHT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_stub_is_not_attempted_and_a_crash_is_told(check, capsys):
    says_what_stopped(check, capsys)


NONSENSE = [
    "text", 3, 2.5, True, [1.0], [1.0, 2.0], (torch.zeros(2), "text"), torch.zeros(3, 3),
    torch.zeros(2, 3, 3), torch.zeros(1, 1, 1, 1), torch.tensor([math.nan]), torch.tensor(1),
    (math.nan, math.inf), torch.zeros(2), {"mean": 1.0}, math.inf, torch.full((3,), math.nan),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_whatever_is_returned_gets_a_hint(check, nonsense, capsys):
    gets_some_hint(check, nonsense, capsys)


BACKWARD = [
    (chain(forwards=True), "the gradient meets the last one first"),
    (chain(untransposed=True), "sums over the inputs"),
    (chain(forwards=True, untransposed=True), "a small change of x travels *forward*"),
    (chain(identity="never"), "the shortcuts are missing"),
    (chain(identity="once"), "one shortcut around the whole network"),
    (chain(identity="ones"), "ones on its diagonal only"),
    (chain(forwards=True, identity="never"), "jacobians.flip(0). And the shortcuts are missing"),
    (chain(untransposed=True, identity="once"), "J_F.T @ gradient. And the gradient is added once"),
    (lambda g, j: torch.linalg.multi_dot([g, *j.flip(0)]), "the shortcuts are missing"),
    (lambda g, j: g + (g @ j).sum(0), "the factors I + J_F are multiplied"),
    (lambda g, j: (g @ (j + torch.eye(len(g)))).sum(0), "the factors I + J_F are multiplied"),
    (lambda g, j: g + (j @ g).sum(0), "are multiplied. And J_F @ gradient"),
    (lambda g, j: (g @ j).sum(0), "are multiplied. And the shortcuts are missing"),
    (lambda g, j: (j @ g).sum(0), "J_F.T @ gradient. And the shortcuts are missing"),
    (lambda g, j: g + g @ j[0], "only the first block"),
    (lambda g, j: g + g @ j[-1], "only the last block"),
    (lambda g, j: g, "what comes through the F is missing"),
    (lambda g, j: backward(g, j) + (len(j) - 1) * g, "right for a single block, but not for 4"),
    (lambda g, j: backward(g, 2 * j), "wrong already for a single block"),
    (in_place, "changes `jacobians` itself"),
    (in_place_gradient, "changes `gradient` itself"),
    (with_identity_of_the_number_of_blocks, "torch.eye(d), not that of the number of blocks"),
    (lambda g, j: g + g @ j, "what a block gives goes on to the next"),
    (lambda g, j: backward(g, j)[None], "one number for each x_j"),
    (lambda g, j: backward(g, j).tolist(), "return a tensor"),
]
SHORTCUT = [
    (lambda x, c: behind(F.avg_pool2d(x, 2, ceil_mode=True), c), "four pixels are averaged"),
    (
        lambda x, c: behind(F.interpolate(x, scale_factor=0.5, mode="bilinear"), c),
        "(or interpolated)",
    ),
    (lambda x, c: behind(F.max_pool2d(x, 2, ceil_mode=True), c), "the largest of four pixels"),
    (lambda x, c: behind(x[:, :, 1::2, 1::2], c), "the pixels kept start at 1"),
    (lambda x, c: behind(x[..., : x.shape[2] // 2, : x.shape[3] // 2], c), "that is a corner"),
    (lambda x, c: F.pad(x[..., ::2, ::2], (0, 0, 0, 0, c - x.shape[1], 0)), "zeros stand in front"),
    (
        lambda x, c: F.pad(
            x[..., ::2, ::2], (0, 0, 0, 0, (c - x.shape[1]) // 2, (c - x.shape[1] + 1) // 2)
        ),
        "half of the zeros stand in front",
    ),
    (lambda x, c: torch.cat([x, x, x], 1)[:, :c, ::2, ::2], "the new channels repeat those of x"),
    (
        lambda x, c: x.repeat_interleave(-(-c // x.shape[1]), 1)[:, :c, ::2, ::2],
        "repeat those of x",
    ),
    (
        lambda x, c: F.pad(x[..., ::2, ::2], (0, 0, 0, 0, 0, c - x.shape[1]), value=1.0),
        "full of ones",
    ),
    (
        lambda x, c: F.pad(F.avg_pool2d(x, 2), (0, 0, 0, 0, c - x.shape[1], 0)),
        "x[:, :, ::2, ::2]. And the zeros stand in front",
    ),
    (learned, "option A has no parameters"),
    (lambda x, c: 2 * shortcut(x, c), "instead of"),
    (lambda x, c: shortcut(x, c) + 0.5 * (torch.arange(c) == c - 1)[:, None, None], "in all new"),
    (lambda x, c: behind(x[..., 1::2, ::2], c), "which is x["),
    (wrong_when_odd, "right for even sizes, but for odd ones: in image"),
    (
        lambda x, c: behind(x[..., : x.shape[2] // 2 * 2 : 2, : x.shape[3] // 2 * 2 : 2], c),
        "right for even sizes, but for odd ones: x has shape (2, 3, 7, 5), and the result "
        "(2, 6, 3, 2): of 7 rows keep four",
    ),
    (wrong_when_equal, "with as many as before: four pixels are averaged"),
    (behind, "keep every second pixel only"),
    (lambda x, c: x[..., ::2, ::2], "the new channels are missing; there should be 8 altogether"),
    (lambda x, c: behind(x[..., ::2, ::2], c + x.shape[1]), "so add channels - C"),
    (lambda x, c: behind(x[..., ::2, ::2], c + 1), "there should be 8 channels"),
    (lambda x, c: behind(x[:, :, ::2], c), "(H, W) should become (4, 3)"),
    (lambda x, c: F.pad(x[..., ::2, ::2], (0, c - x.shape[1])), "counts from the last dimension"),
    (lambda x, c: shortcut(x, c)[0], "(N, channels, H/2, W/2)"),
    (
        lambda x, c: torch.cat([x[..., ::2, ::2], torch.zeros_like(x)], 1),
        "the zeros stand beside the halved image",
    ),
    (zeroed, "changes `x` itself"),
    (lambda x, c: shortcut(x.detach(), c), "no gradient flows back to x"),
    (lambda x, c: torch.tensor(shortcut(x, c).tolist()), "no gradient flows back to x"),
    (without_gradient, "no gradient flows back to x"),
    (half_detached, "but not the gradient"),
    (lambda x, c: torch.from_numpy(x.numpy()), "keep every second"),
    (lambda x, c: shortcut(torch.from_numpy(x.numpy()), c), "numpy knows no gradients"),
    (lambda x, c: shortcut(x, c).tolist(), "return a tensor"),
]
COUNT = [
    (counted(bias=1), "the convolutions have biases"),
    (counted(norm=0), "batch normalisation is forgotten"),
    (counted(norm=1), "two numbers a channel, γ and β, and you count one"),
    (counted(norm=0, bias=1), "and no batch normalisation, give the same"),
    (counted(norm=4), "The running mean and variance are no parameters"),
    (counted(stem_norm=0), "behind the very first convolution is forgotten"),
    (counted(projection=1), "projections are counted"),
    (
        lambda n: sum(w.numel() for w in models.cifar_resnet(6 * n + 2, project=True).parameters()),
        "projections and their batch normalisation are counted",
    ),
    (
        lambda n: sum(w.numel() for w in models.cifar_resnet(6 * n + 2).state_dict().values())
        - len([m for m in models.cifar_resnet(6 * n + 2).modules() if hasattr(m, "running_var")]),
        "four numbers a channel",
    ),
    (
        lambda n: sum(
            w.numel() for w in models.cifar_resnet(6 * n + 2, normalise=False).parameters()
        ),
        "and you count one",
    ),
    (
        lambda n: sum(w.numel() for w in models.cifar_resnet(6 * n + 2, channels=1).parameters()),
        "the images have three colours",
    ),
    (lambda n: parameters(n) + 9 * (16 * 32 + 32 * 64), "not its own 32 or 64"),
    (counted(narrow=2), "both convolutions of the first block"),
    (counted(narrow=None), "only its very first one does"),
    (lambda n: parameters(n) - 10, "biases of the last layer"),
    (lambda n: parameters(n) - 650, "the last layer is missing"),
    (counted(head=40_970), "64 numbers an image, not 64 · 8 · 8"),
    (counted(colours=16), "not 16 channels"),
    (lambda n: parameters(n) - 464, "the first convolution and its batch normalisation"),
    (lambda n: parameters(n) - 432, "the first convolution is missing; it stands"),
    (counted(layers=1), "each of the n blocks of a stage has two convolutions"),
    (counted(places=1), "nine weights for each pair of channels."),
    (counted(places=3), "not three"),
    (counted(bias=1, head=640), "β does the same. And the biases of the last layer"),
    (counted(norm=4, narrow=0), "γ and β are two. And where a stage starts"),
    (lambda n: parameters(n) - 7, "what each n adds is right, 97,216, but the rest is off by 7, "
     "too few"),
    (lambda n: parameters(n) + 7, "off by 7, too many"),
    (lambda n: parameters(2 * n), "your count grows by 194,432, and it should by 97,216"),
    (lambda n: 97_216 * n**2 - 21_926, "for n = 2, that is 14 layers, you count 366,938"),
    (lambda n: 270_000, "your count grows by 0"),
    (lambda n: parameters(n) + 0.5, "a number of parameters is whole"),
    (lambda n: math.nan, "a number of parameters is whole"),
    (lambda n: f"{parameters(n)}", "as a number; this is str"),
    (lambda n: [parameters(n)], "as a number; this is list"),
]  # fmt: skip
PATHS = [
    (share_as(lambda n, k: (n - k) / n), "the share of the *blocks* that are left"),
    (share_as(lambda n, k: k / n), "the share of the blocks that are gone"),
    (share_as(lambda n, k: 1 - 0.5**k), "the share of the paths that are lost"),
    (share_as(lambda n, k: 2 ** (n - k)), "that is how many paths are left"),
    (share_as(lambda n, k: 2**n - 2 ** (n - k)), "that is how many paths are lost"),
    (share_as(lambda n, k: 2**k), "upside down"),
    (share_as(lambda n, k: 0.5 ** (n - k)), "one path out of those that are left"),
    (share_as(lambda n, k: 0.5), "not only the first"),
    (share_as(lambda n, k: 0.5 if k else 1), "not only the first"),
    (share_as(lambda n, k: 0), "a plain network"),
    (share_as(lambda n, k: 1 / (k + 1)), "every deleted block halves what is left"),
    (share_as(lambda n, k: 1 - k / 2), "not half of all"),
    (share_as(lambda n, k: (n - k) / 2**n), "are not n - deleted"),
    (share_as(lambda n, k: 0.9**k), "the share: for 10 blocks, of which 3 are taken out, you say"),
    (length_as(lambda n, k: n / 2), "the mean length in the whole network"),
    (length_as(lambda n, k: n - k), "the longest path, through all blocks that are there"),
    (length_as(lambda n, k: n), "the longest path of the whole network"),
    (length_as(lambda n, k: n / 2 - k), "takes ½ from the mean length"),
    (length_as(lambda n, k: (n - k + 1) / 2), "forgets the path around all blocks"),
    (length_as(lambda n, k: (n - k) / 2 / 2**k), "divided by all 2^n paths"),
    (length_as(lambda n, k: n / 2 / 2**k), "not how long they are"),
    (length_as(lambda n, k: (n - k) / 2 * 2 ** (n - k)), "the sum of the lengths"),
    (length_as(lambda n, k: k / 2), "count those that are left"),
    (length_as(lambda n, k: 0), "a plain network"),
    (length_as(lambda n, k: math.pi), "you say 3.14159; think of each block as a switch"),
    (length_as(lambda n, k: (n - k) // 2), "the mean length: for 10 blocks"),
    (lambda n, k: paths(n, k)[::-1], "in the wrong order"),
    (lambda n, k: 0.5**k, "return two numbers"),
    (lambda n, k: (*paths(n, k), 1), "return two numbers"),
    (lambda n, k: ("half", 3.5), "the share: return one number; this is str"),
    (
        lambda n, k: (0.5**k, torch.zeros(3)),
        "the mean length: return one number, not a tensor of shape (3,)",
    ),
    (lambda n, k: (0.5**k if k < n else 0, (n - k) / 2), "for 12 blocks, of which 12"),
]
WRONG = wrong_answers(
    {
        exercises.check_backward: BACKWARD,
        exercises.check_shortcut: SHORTCUT,
        exercises.check_parameters: COUNT,
        exercises.check_paths: PATHS,
    }
)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


TABLES = {
    "backward": (exercises.BACKWARD_MISTAKES, exercises._chain(4, 3, 1), backward),
    "backward, larger": (exercises.BACKWARD_MISTAKES, exercises._chain(3, 6, 2), backward),
    "shortcut": (
        exercises.SHORTCUT_MISTAKES,
        (random_tensor(2, 4, 8, 6, seed=1), 8),
        shortcut,
    ),
    "shortcut, not twice the channels": (
        exercises.SHORTCUT_MISTAKES,
        (random_tensor(3, 3, 6, 10, seed=2), 7),
        shortcut,
    ),
    "counts": (
        [
            (lambda options=options: torch.tensor([counted(**options)(n) for n in (1, 2)]), hint)
            for options, hint in exercises.COUNT_MISTAKES
        ],
        (),
        lambda: torch.tensor([parameters(1), parameters(2)]),
    ),
}
for given in exercises.NETWORKS[:2]:
    for place, (name, (table, _)) in enumerate(exercises.PATHS.items()):
        TABLES[f"{name} of {given}"] = (
            [
                (lambda n, k, f=mistake: torch.tensor(float(f(n, k))), hint)
                for mistake, hint in table
            ],
            given,
            lambda n, k, place=place: torch.tensor(paths(n, k)[place]),
        )


def same(first, second):
    """Counts are compared exactly: ten biases are little beside all weights."""
    return torch.equal(first, second) if first.dtype == torch.int64 else near(first, second)


@pytest.mark.parametrize(("table", "given", "right"), TABLES.values(), ids=TABLES)
def test_no_mistake_is_taken_for_another_or_for_the_answer(table, given, right):
    results = [(right(*given), "right")]
    results += [(mistake(*given), hint) for mistake, hint in table]
    for place, (first, hint) in enumerate(results):
        for second, other in results[:place]:
            if first.shape == second.shape and hint != other:
                assert not same(first, second), (hint, other)


def test_the_count_is_the_networks():
    for n in (1, 3, 5):
        assert parameters_built(n) == exercises._parameters(n) == parameters(n)
    assert [round(parameters(n) / 1e6, 2) for n in (3, 5, 7, 9)] == [0.27, 0.46, 0.66, 0.85]
    assert round(parameters(18) / 1e6, 1) == 1.7


def test_the_figures_of_the_solutions():
    """What the questions before the exercises are answered with."""
    gradient, jacobians = exercises._chain(4, 3, 1)
    assert torch.equal(backward(gradient, 0 * jacobians), gradient)
    jacobians[2] = -torch.eye(3)
    assert not backward(gradient, jacobians).any()

    x = torch.ones(1, 4, 8, 8, requires_grad=True)
    shortcut(x, 8).sum().backward()
    assert x.grad.mean().item() == 0.25
    net = models.cifar_resnet(20)
    changing = [block for block in net.blocks().values() if not block.same_shape]
    assert len(changing) == 2
    for block in changing:
        given = torch.randn(1, block.conv1.in_channels, 8, 8)
        torch.testing.assert_close(
            block.downsample(given), shortcut(given, block.conv1.out_channels)
        )

    third = sum(weight.numel() for weight in net.layer3.parameters())
    assert 0.7 < third / parameters(3) < 0.8
    assert 2 * parameters(9) < parameters(18) < 2.1 * parameters(9)
    assert paths(54, 1) == (0.5, 26.5)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_leaves_the_dice_of_the_notebook_alone(check, capsys):
    leaves_the_dice_alone(check, dict(RIGHT)[check], capsys)
