"""The exercises of notebook 04: right answers pass, and each usual mistake gets its hint."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils.data.mixtures import grid, ring
from course_utils.exercises import gans_and_mode_collapse as exercises
from course_utils.exercises.checking import random_tensor
from tests.wrong_answers import (
    are_told_apart,
    gets_hint,
    gets_some_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)


def optimal_discriminator(p_data, p_g):
    return p_data / (p_data + p_g)


def generator_loss(logits):
    return F.softplus(-logits).mean()


def count_modes(samples, means, std):
    return (torch.cdist(samples, means) < 3 * std).any(dim=0).sum().item()


def nearest_and_close(samples, means, std):
    distance, nearest = torch.cdist(samples, means).min(dim=1)
    return len(nearest[distance < 3 * std].unique())


def one_mode_after_another(samples, means, std):
    found = 0
    for mean in means:
        squared = ((samples - mean) ** 2).sum(1)
        found += bool((squared <= 9 * std**2).any())
    return found


def diversity(batch):
    return torch.cdist(batch, batch).sum(dim=1) / (len(batch) - 1)


def differences(batch):
    return batch.unsqueeze(1) - batch.unsqueeze(0)


def without_the_diagonal(batch):
    apart = differences(batch)[~torch.eye(len(batch), dtype=torch.bool)]
    return apart.norm(dim=1).view(len(batch), -1).mean(1)


def root_by_hand(tiny):
    def answer(batch):
        squared = differences(batch).square().sum(2)
        return (squared + tiny).sqrt().sum(1) / (len(batch) - 1)

    return answer


def one_example_after_another(batch):
    rows = []
    for place, example in enumerate(batch):
        others = torch.cat([batch[:place], batch[place + 1 :]])
        rows.append((others - example).norm(dim=1).mean())
    return torch.stack(rows)


def points_between(real, fake):
    weight = torch.rand(len(real), 1)
    return (weight * real + (1 - weight) * fake).requires_grad_()


def gradient_at(critic, points):
    return torch.autograd.grad(critic(points).sum(), points, create_graph=True)[0]


def gradient_penalty(critic, real, fake):
    gradient = gradient_at(critic, points_between(real, fake))
    return (gradient.norm(dim=1) - 1).square().mean()


def penalty(points=points_between, gradient=gradient_at, measure=None):
    """A gradient penalty with one of its parts replaced."""

    def answer(critic, real, fake):
        slope = gradient(critic, points(real, fake))
        return (slope.norm(dim=1) - 1).square().mean() if measure is None else measure(slope)

    return answer


def weighted(draw):
    """Points on the lines, for a weight that depends on (N, d)."""

    def points(real, fake):
        weight = draw(*real.shape)
        return (weight * real + (1 - weight) * fake).requires_grad_()

    return points


def outputs_as_weights(critic, points):
    scores = critic(points)
    return torch.autograd.grad(
        scores, points, grad_outputs=torch.ones_like(scores), create_graph=True, retain_graph=True
    )[0]


def by_backward(create_graph):
    def gradient(critic, points):
        critic(points).sum().backward(create_graph=create_graph)
        return points.grad

    return gradient


def by_jacobian(critic, points):
    jacobian = torch.autograd.functional.jacobian(critic, points, create_graph=True)
    return jacobian.diagonal().T


def functional_gradient(critic, points):
    return torch.func.grad(lambda x: critic(x).sum())(points)


def each_by_itself(critic, points):
    return torch.cat([gradient_at(critic, x.detach()[None].requires_grad_()) for x in points])


RIGHT = [
    (exercises.check_optimal_discriminator, optimal_discriminator),
    (exercises.check_optimal_discriminator, lambda p, q: 1 - q / (p + q)),
    (exercises.check_optimal_discriminator, lambda p, q: 1 / (1 + q / p)),
    (exercises.check_optimal_discriminator, lambda p, q: torch.sigmoid(p.log() - q.log())),
    (exercises.check_optimal_discriminator, lambda p, q: torch.stack([p, q]).log().softmax(0)[0]),
    (exercises.check_generator_loss, generator_loss),
    (exercises.check_generator_loss, lambda a: -F.logsigmoid(a).mean()),
    (exercises.check_generator_loss, lambda a: F.softplus(-a).sum() / len(a)),
    (exercises.check_generator_loss, lambda a: torch.logaddexp(-a, a.new_zeros(())).mean()),
    (
        exercises.check_generator_loss,
        lambda a: F.binary_cross_entropy_with_logits(a, torch.ones_like(a)),
    ),
    (exercises.check_generator_loss, lambda a: torch.nn.BCEWithLogitsLoss()(a, a * 0 + 1)),
    (exercises.check_count_modes, count_modes),
    (exercises.check_count_modes, nearest_and_close),
    (exercises.check_count_modes, one_mode_after_another),
    (exercises.check_count_modes, lambda x, m, s: torch.tensor(count_modes(x, m, s))),
    (exercises.check_count_modes, lambda x, m, s: float(count_modes(x, m, s))),
    (
        exercises.check_count_modes,
        lambda x, m, s: ((x - m[:, None]).norm(dim=2).min(dim=1).values / s < 3).sum(),
    ),
    (exercises.check_diversity, diversity),
    (exercises.check_diversity, without_the_diagonal),
    (exercises.check_diversity, one_example_after_another),
    (exercises.check_diversity, root_by_hand(1e-12)),
    (exercises.check_diversity, root_by_hand(1e-8)),
    (exercises.check_diversity, lambda x: differences(x).norm(dim=2).sum(1) / (len(x) - 1)),
    (exercises.check_diversity, lambda x: torch.cdist(x, x).mean(1) * len(x) / (len(x) - 1)),
    (exercises.check_gradient_penalty, gradient_penalty),
    (exercises.check_gradient_penalty, penalty(gradient=outputs_as_weights)),
    (exercises.check_gradient_penalty, penalty(gradient=functional_gradient)),
    (exercises.check_gradient_penalty, penalty(gradient=each_by_itself)),
    (exercises.check_gradient_penalty, penalty(weighted(lambda n, d: torch.rand(n)[:, None]))),
    (
        exercises.check_gradient_penalty,
        penalty(
            lambda real, fake: torch.lerp(real, fake, torch.rand(len(real), 1)).requires_grad_()
        ),
    ),
    (
        exercises.check_gradient_penalty,
        penalty(measure=lambda g: (((g**2).sum(1) + 1e-12).sqrt() - 1).pow(2).mean()),
    ),
    (
        exercises.check_gradient_penalty,
        penalty(measure=lambda g: F.mse_loss(g.norm(dim=1), torch.ones(len(g)))),
    ),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    passes(check, answer, capsys)


CHECKS = dict.fromkeys(check for check, _ in RIGHT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_stub_is_not_attempted_and_a_crash_is_told(check, capsys):
    says_what_stopped(check, capsys)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "nonsense",
    ["text", 3, 2.5, True, [1.0], torch.zeros(3, 3), torch.tensor([math.nan]), torch.tensor(1)],
    ids=str,
)
def test_whatever_is_returned_gets_a_hint(check, nonsense, capsys):
    gets_some_hint(check, nonsense, capsys)


OPTIMAL_DISCRIMINATOR = [
    (lambda p, q: q / (p + q), "swapped"),
    (lambda p, q: p / q, "ratio of the densities"),
    (lambda p, q: q / p, "ratio of the densities"),
    (lambda p, q: p / p + q, "mind the brackets"),
    (lambda p, q: p.log() - q.log(), "the logit of D*"),
    (lambda p, q: q.log() - p.log(), "a log of the ratio"),
    (lambda p, q: (p / (p + q)).log(), "that is log D*;"),
    (lambda p, q: (q / (p + q)).log(), "log(1 - D*)"),
    (lambda p, q: p / (0.5 * (p + q)), "Jensen-Shannon"),
    (lambda p, q: (p - q) / (p + q), "from -1 to 1"),
    (lambda p, q: p > q, "hard decision"),
    (lambda p, q: (p > q).long(), "hard decision"),
    (lambda p, q: torch.stack([p, q]).softmax(0)[0], "difference of the log densities"),
    (lambda p, q: (p / q).sigmoid(), "log of the ratio"),
    (lambda p, q: p / (p + q).sum(), "judged by itself"),
    (lambda p, q: p / p.sum(), "judged by itself"),
    (lambda p, q: p / torch.hypot(p, q), "squared"),
    (lambda p, q: (p / q) / (1 + p / q), "where p_g is 0 it gives nan instead of 1"),
    (lambda p, q: (p / q).log().sigmoid() + 0 * q / p, "where p_data is 0 it gives nan"),
    (lambda p, q: p / (p + q + 1e-8), "multiplied by 1e-12"),
    (lambda p, q: p / (p + q).clamp(min=1e-6), "multiplied by 1e-12"),
    (lambda p, q: p - q, "for p_data ="),
    (lambda p, q: optimal_discriminator(p, q).mean(), "has shape () and should have (6,)"),
    (lambda p, q: 0.5, "return a tensor"),
]
GENERATOR_LOSS = [
    (lambda a: (1 - a.sigmoid()).log().mean(), "the saturating loss"),
    (lambda a: (1 - a.sigmoid()).log().sum(), "the saturating loss"),
    (lambda a: -F.softplus(a), "the saturating loss"),
    (lambda a: F.logsigmoid(a).mean(), "sign is turned round"),
    (lambda a: a.sigmoid().log().mean(), "sign is turned round"),
    (lambda a: -F.logsigmoid(a).sum(), "that is the sum"),
    (lambda a: -F.logsigmoid(a), "one number an example"),
    (lambda a: -a.log().mean(), "log wants a probability"),
    (lambda a: -(a + 1e-8).log().mean(), "log wants a probability"),
    (lambda a: F.binary_cross_entropy(a, torch.ones_like(a)), "with_logits)"),
    (lambda a: F.binary_cross_entropy_with_logits(a, a * 0), "discriminator's loss on fakes"),
    (lambda a: -(1 - a.sigmoid()).log().mean(), "discriminator's loss on fakes"),
    (
        lambda a: F.binary_cross_entropy_with_logits(a.sigmoid(), torch.ones_like(a)),
        "taken twice",
    ),
    (lambda a: -a.mean(), "Wasserstein's"),
    (lambda a: a.mean(), "mean logit"),
    (lambda a: -a.sigmoid().mean(), "log is missing"),
    (lambda a: 1 - a.sigmoid().mean(), "log is missing"),
    (lambda a: a.sigmoid().mean(), "E D(G(z))"),
    (lambda a: -a.sigmoid().mean().log(), "log of the mean"),
    (lambda a: generator_loss(a) / 2, "no ½"),
    (lambda a: (a - 1).square().mean(), "least squares"),
    (lambda a: -a.sigmoid().log2().mean(), "base 2"),
    (lambda a: -a.sigmoid().log().mean(), "at -200 it gives inf: log(σ(a)) is log(0)"),
    (lambda a: (1 + (-a).exp()).log().mean(), "at -200 it gives inf"),
    (lambda a: -(a.sigmoid() + 1e-8).log().mean(), "caps it"),
    (lambda a: -a.sigmoid().clamp(min=1e-8).log().mean(), "caps it"),
    (lambda a: F.binary_cross_entropy(a.sigmoid(), torch.ones_like(a)), "caps it"),
    (
        lambda a: torch.where(a > -50, -a.sigmoid().log(), -a).mean(),
        "its slope at -200 is nan and should be -0.25",
    ),
    (lambda a: generator_loss(a).item(), "without .item()"),
    (lambda a: generator_loss(a.detach()), "no gradient"),
    (lambda a: generator_loss(a).detach(), "no gradient"),
    (lambda a: generator_loss(a)[None], "has shape (1,) and should have ()"),
    (lambda a: (a.sigmoid() - 1).square().mean(), "instead of"),
]
COUNT_MODES = [
    (lambda x, m, s: len(torch.cdist(x, m).argmin(1).unique()), "to its nearest mode"),
    (lambda x, m, s: torch.cdist(x, m).argmin(1).unique().numel(), "learnt nothing"),
    (lambda x, m, s: len(m), "every mode there is"),
    (lambda x, m, s: len(m) - count_modes(x, m, s), "that are missed"),
    (lambda x, m, s: (torch.cdist(x, m) < 3 * s).any(1).sum(), "counts the samples"),
    (lambda x, m, s: (torch.cdist(x, m) < 3 * s).sum().item(), "counts the samples"),
    (lambda x, m, s: (torch.cdist(x, m) < 3 * s).any(1).float().mean(), "share of samples"),
    (lambda x, m, s: count_modes(x, m, s) / len(m), "share of the modes"),
    (lambda x, m, s: count_modes(x, m, s / 3), "1 std"),
    (lambda x, m, s: count_modes(x, m, 2 * s / 3), "2 std; take 3"),
    (lambda x, m, s: (torch.cdist(x, m) ** 2 < 3 * s).any(0).sum(), "compared with 3 std"),
    (lambda x, m, s: (torch.cdist(x, m) ** 2 < 3 * s**2).any(0).sum(), "the 3 is squared, too"),
    (lambda x, m, s: count_modes(x, m, s**2), "3 variances"),
    (
        lambda x, m, s: ((x[:, None] - m).abs() < 3 * s).all(2).any(0).sum(),
        "makes a square with corners",
    ),
    (lambda x, m, s: (torch.cdist(x, m, p=1) < 3 * s).any(0).sum(), "diamond"),
    (lambda x, m, s: (torch.cdist(x, m, p=math.inf) < 3 * s).any(0).sum(), "square"),
    (lambda x, m, s: ((torch.cdist(x, m) < 3 * s).sum(0) > 1).sum(), "one sample is enough"),
    (lambda x, m, s: (torch.cdist(x, m) < 3 * s).any(0), "one entry a mode"),
    (lambda x, m, s: (torch.cdist(x, m) < 3 * s).any(1), "one entry a sample"),
    (lambda x, m, s: torch.cdist(x, m) < 3 * s, "not a tensor of shape"),
    (lambda x, m, s: ((x - m).norm(dim=1) < 3 * s).sum(), "torch.cdist(samples, means) compares"),
    (lambda x, m, s: (torch.cdist(x, m) < 0.15).any(0).sum(), "std = 2 it gives 0"),
    (lambda x, m, s: "all", "as a number; this is str"),
    (lambda x, m, s: 9, "it gives 9; 6 modes have"),
    (lambda x, m, s: 100, "it gives 100; 9 modes have a sample within 3 std"),
]
DIVERSITY = [
    (lambda x: torch.cdist(x, x).mean(1), "itself"),
    (lambda x: torch.cdist(x, x).sum(1), "that is the sum"),
    (lambda x: torch.cdist(x, x).square().sum(1) / (len(x) - 1), "norm is squared"),
    (lambda x: differences(x).square().sum(2).mean(1), "norm is squared"),
    (lambda x: (differences(x) ** 2).sum((1, 2)), "norm is squared"),
    (lambda x: (torch.cdist(x, x) ** 2).sum(1).div(len(x) - 1).sqrt(), "before the root"),
    (lambda x: torch.cdist(x, x, p=1).sum(1) / (len(x) - 1), "L1"),
    (lambda x: torch.cdist(x, x, p=1).mean(1), "L1"),
    (lambda x: diversity(x) / x.shape[1] ** 0.5, "mean over the d numbers"),
    (lambda x: differences(x).flatten(1).norm(dim=1), "all differences at once"),
    (lambda x: (x - x.mean(0)).norm(dim=1), "middle of the batch"),
    (lambda x: (differences(x).sum(1) / (len(x) - 1)).norm(dim=1), "there they cancel"),
    (lambda x: torch.cdist(x, x).max(1).values, "furthest"),
    (lambda x: torch.cdist(x, x).topk(2, largest=False).values[:, 1], "nearest"),
    (lambda x: x.norm(dim=1), "length of each"),
    (lambda x: (x - x.roll(1, 0)).norm(dim=1), "one other only"),
    (lambda x: diversity(x).mean(), "wants a number to go with each"),
    (lambda x: F.pdist(x).mean(), "wants a number to go with each"),
    (lambda x: F.pdist(x).mean().item(), "wants a number to go with each"),
    (lambda x: F.pdist(x), "one number a pair"),
    (lambda x: torch.cdist(x, x), "all the pairs"),
    (lambda x: differences(x), "those are the differences"),
    (lambda x: differences(x).norm(dim=1), "a number for each of d is left"),
    (lambda x: x.std(0), "has shape (3,) and should have (6,)"),
    (root_by_hand(0), "example to itself is 0, the slope of a root is infinite"),
    (
        lambda x: torch.stack(
            [
                torch.cat([x[:i], x[i + 1 :]]).sub(x[i]).square().sum(1).sqrt().mean()
                for i in range(len(x))
            ]
        ),
        "where two examples are equal the gradient is NaN",
    ),
    (
        lambda x: torch.stack([row[row > 0].mean() for row in torch.cdist(x, x)]),
        "equal examples count, too, with distance 0",
    ),
    (lambda x: diversity(x.detach()), "to spread"),
    (lambda x: torch.cdist(x, x.detach()).sum(1) / (len(x) - 1), "detached"),
    (lambda x: torch.cdist(x, x[1:]).mean(1), "instead of"),
]
GRADIENT_PENALTY = [
    (
        penalty(gradient=lambda critic, x: torch.autograd.grad(critic(x).sum(), x)[0]),
        "does not reach the critic's weights",
    ),
    (
        penalty(
            gradient=lambda critic, x: torch.autograd.grad(critic(x).sum(), x, retain_graph=True)[0]
        ),
        "create_graph=True",
    ),
    (penalty(gradient=lambda critic, x: gradient_at(critic, x).detach()), "create_graph=True"),
    (penalty(gradient=by_backward(False)), ".backward()"),
    (penalty(gradient=by_backward(True)), ".backward()"),
    (penalty(gradient=lambda critic, x: gradient_at(critic, x) / len(x)), "not the mean"),
    (
        lambda critic, real, fake: gradient_penalty(critic, real, fake).item(),
        "without .item()",
    ),
    (penalty(measure=lambda g: g.norm(dim=1).square().mean()), "the -1 is missing"),
    (penalty(measure=lambda g: g.norm(dim=1).mean()), "the mean norm"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).mean()), "square is missing"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).abs().mean()), "absolute difference"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).relu().square().mean()), "one-sided"),
    (
        penalty(measure=lambda g: (g.norm(dim=1) - 1).clamp(min=0).square().mean()),
        "norms below 1 cost nothing",
    ),
    (penalty(measure=lambda g: (g.norm(dim=1) + 1).square().mean()), "not added"),
    (penalty(measure=lambda g: (g.norm(dim=1).mean() - 1).square()), "before the square"),
    (penalty(measure=lambda g: (g.square().sum(1) - 1).square().mean()), "root is missing"),
    (penalty(measure=lambda g: (g.norm() - 1) ** 2), "norm over the whole batch"),
    (penalty(measure=lambda g: (g.norm() / len(g) - 1) ** 2), "norm over the whole batch"),
    (penalty(measure=lambda g: (g.norm(dim=0) - 1).square().mean()), "dim=0"),
    (penalty(measure=lambda g: (g - 1).square().mean()), "each coordinate is compared"),
    (penalty(measure=lambda g: (g.abs() - 1).square().mean()), "each coordinate is compared"),
    (penalty(measure=lambda g: (g - 1).square().sum(1).mean()), "from each coordinate"),
    (
        penalty(measure=lambda g: (g.square().mean(1).sqrt() - 1).square().mean()),
        "mean over the coordinates",
    ),
    (penalty(measure=lambda g: (g.abs().sum(1) - 1).square().mean()), "L1"),
    (penalty(measure=lambda g: (g.sum(1) - 1).square().mean()), "coordinates are added"),
    (penalty(measure=lambda g: (g.mean(1) - 1).square().mean()), "mean over the coordinates"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).square().sum()), "sum over the batch"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).square()), "one number an example"),
    (penalty(measure=lambda g: 10 * (g.norm(dim=1) - 1).square().mean()), "λ"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).square().mean() / 2), "no ½"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 2).square().mean()), "the points are right"),
    (penalty(measure=lambda g: (g.norm(dim=1) - 1).square().mean()[None]), "has shape (1,)"),
    (penalty(lambda real, fake: real.requires_grad_()), "at the real examples"),
    (penalty(lambda real, fake: fake.requires_grad_()), "at the generated examples"),
    (penalty(weighted(lambda n, d: torch.rand(()))), "shared by the whole batch"),
    (penalty(weighted(lambda n, d: torch.rand(1))), "shared by the whole batch"),
    (penalty(weighted(lambda n, d: torch.rand(1, 1))), "shared by the whole batch"),
    (penalty(weighted(lambda n, d: torch.rand(n, d))), "fill a box"),
    (penalty(weighted(lambda n, d: torch.rand(d))), "one a coordinate, and the same for all"),
    (penalty(weighted(lambda n, d: 0.5)), "always in the middle"),
    (penalty(weighted(lambda n, d: torch.randn(n, 1))), "torch.rand, not randn"),
    (penalty(weighted(lambda n, d: torch.rand(n, 1).round())), "either a real or a generated"),
    (penalty(weighted(lambda n, d: torch.rand(n, 1).sqrt())), "not uniformly"),
    (penalty(weighted(lambda n, d: torch.linspace(0, 1, n)[:, None])), "same points"),
    (
        penalty(
            weighted(lambda n, d: torch.rand(n, 1, generator=torch.Generator().manual_seed(0)))
        ),
        "draw new weights every time",
    ),
    (
        penalty(lambda real, fake: points_between(real, fake[torch.randperm(len(fake))])),
        "not on the lines",
    ),
    (
        penalty(
            lambda real, fake: (
                (points_between(real, fake) + torch.randn_like(real)).detach().requires_grad_()
            )
        ),
        "not on the lines",
    ),
    (
        penalty(lambda real, fake: torch.cat([real, fake]).requires_grad_()),
        "should be asked about N points",
    ),
    (
        penalty(lambda real, fake: points_between(real, fake).detach()),
        "the points must have .requires_grad_()",
    ),
    (
        penalty(gradient=lambda critic, x: torch.autograd.grad(critic(x), x)[0]),
        "differentiate the sum",
    ),
    (
        penalty(gradient=lambda critic, x: torch.autograd.grad(critic(x + 0).sum(), x + 0)[0]),
        "points that the critic was given",
    ),
    (
        penalty(lambda real, fake: points_between(real, fake) + 0, by_backward(True)),
        "keeps no .grad",
    ),
    (lambda critic, real, fake: (real - fake).norm(), "never called"),
    (
        lambda critic, real, fake: (
            (((critic(real) - critic(fake)) / (real - fake).norm(dim=1)).abs() - 1).square().mean()
        ),
        "at the generated examples",
    ),
]
WRONG = wrong_answers(
    {
        exercises.check_optimal_discriminator: OPTIMAL_DISCRIMINATOR,
        exercises.check_generator_loss: GENERATOR_LOSS,
        exercises.check_count_modes: COUNT_MODES,
        exercises.check_diversity: DIVERSITY,
        exercises.check_gradient_penalty: GRADIENT_PENALTY,
    }
)


@pytest.mark.filterwarnings(
    "ignore:Using backward.. with create_graph", "ignore:The .grad attribute"
)
@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


@pytest.mark.parametrize("seed", range(5))
def test_the_penalty_check_leaves_the_dice_of_the_notebook_alone(seed, capsys):
    leaves_the_dice_alone(exercises.check_gradient_penalty, gradient_penalty, capsys, seed)


def reduced(losses):
    """A table of losses (N,) with each way to reduce them, as the check combines them."""
    return [
        (lambda a, each=each, reduce=reduce: reduce(each(a)), hint or reduction_hint)
        for reduce, reduction_hint in exercises.LOSS_REDUCTIONS
        for each, hint in losses
    ]


TABLES = {
    "optimal discriminator": (exercises.OPTIMAL_MISTAKES, exercises._densities(6, seed=1)),
    "generator loss": (
        reduced(exercises.GENERATOR_LOSSES),
        (exercises._positive_logits(),),
    ),
    "modes": (exercises.MODE_MISTAKES, (*exercises._scattered(0.05, 1.0, 0), 0.05)),
    "diversity": (exercises.DIVERSITY_MISTAKES, (random_tensor(6, 3, seed=7),)),
    "gradient penalty": (exercises.PENALTY_MISTAKES, (random_tensor(2000, 3, seed=8),)),
}


@pytest.mark.parametrize(("table", "given"), TABLES.values(), ids=TABLES)
def test_no_mistake_is_taken_for_another(table, given):
    results = [(torch.as_tensor(mistake(*given)), hint) for mistake, hint in table]
    are_told_apart(results)


@pytest.mark.parametrize("mixture", [ring(), grid()], ids=lambda mixture: mixture.name)
def test_a_perfect_sampler_finds_all_modes_and_scatter_finds_few(mixture):
    generator = torch.Generator().manual_seed(0)
    samples = mixture.sample(2500, generator=generator)
    assert exercises._count_modes(samples, mixture.means, mixture.std) == len(mixture.means)
    scatter = 4 * torch.rand(200, 2, generator=generator) - 2
    nearest = (scatter[:, None] - mixture.means).norm(dim=2).argmin(1).unique()
    found = exercises._count_modes(scatter, mixture.means, mixture.std)
    assert found < len(nearest) / 2


def test_the_penalty_of_a_linear_critic_is_known_wherever_it_is_taken():
    critic = torch.nn.Linear(4, 1)
    real, fake = torch.randn(2, 6, 4)
    expected = (critic.weight.norm() - 1).square()
    torch.testing.assert_close(gradient_penalty(critic, real, fake), expected)
