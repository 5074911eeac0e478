"""Checks of the exercises of notebook 04b, stabilizing GANs."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from .checking import ask, check, near, plain, random_tensor, same
from .exercise import Case, Exercise, combined, refuse, slope_of
from .gans_and_mode_collapse import REDUCTIONS


def _pairs(batch: Tensor) -> Tensor:
    """The differences of all pairs, (N, N, d)."""
    return batch[:, None] - batch[None]


def _of_others(each: Tensor) -> Tensor:
    """Of (N, N) numbers, zero on the diagonal, each row's mean over the others."""
    return each.sum(1) / (len(each) - 1)


def _shapes(batch: Tensor) -> dict[tuple, str]:
    n, d = batch.shape
    return {
        (): "that is one number for the whole batch; D wants a number to go with each example.",
        (n, n): "those are all the pairs; take the mean over the others, dim=1.",
        (n, d): "the norm runs over the d numbers; here a number for each of d is left.",
        (n, n, d): "those are the differences; take the norm over the last dimension.",
        (n, n - 1): "those are the distances to the others; take their mean, dim=1.",
        (n * (n - 1) // 2,): "that is one number a pair; take the mean over each example's pairs.",
    }


NORMS_OF_PAIRS = [
    (lambda pairs: pairs.norm(dim=-1), ""),
    (lambda pairs: pairs.square().sum(-1), "the norm is squared; take the root before the mean."),
    (lambda pairs: pairs.abs().sum(-1), "that is the L1 norm; lecture 2 takes L2."),
    (lambda pairs: pairs.square().mean(-1).sqrt(), "under the root is a mean over the d numbers."),
]
MEANS = [
    (_of_others, ""),
    (lambda each: each.mean(1), "the example itself, at distance 0, is counted; divide by N - 1."),
    (lambda each: each.sum(1), "that is the sum; divide by the N - 1 others."),
    (lambda each: each.amax(1), "that is the distance to the furthest; take the mean of all."),
    (lambda each: each.kthvalue(2, 1).values, "that is the nearest; take the mean of all."),
]
BATCH = random_tensor(6, 3, seed=7)
check_diversity = Exercise(
    "Exercise 1, diversity",
    lambda batch: _of_others(torch.cdist(batch, batch)),
    [
        Case((BATCH,)),
        Case((random_tensor(4, 5, seed=7),)),
        Case((BATCH[[0, 0, 2, 3, 4, 5]],), before="where two examples are equal: "),
        Case((BATCH[[0] * 6],), before="where all examples are equal: "),
    ],
    [
        *combined(lambda norm, mean: lambda x: mean(norm(_pairs(x))), NORMS_OF_PAIRS, MEANS),
        (lambda x: _of_others(_pairs(x).square().sum(-1)).sqrt(), "a mean comes before the root."),
        (lambda x: _pairs(x).flatten(1).norm(dim=1), "that is a norm of all differences at once."),
        (lambda x: (x - x.mean(0)).norm(dim=1), "that is the distance to the middle of the batch."),
        (lambda x: _of_others(_pairs(x)).norm(dim=1), "take norms first: there they cancel."),
        (lambda x: x.norm(dim=1), "that is the length of each; take the norms of differences."),
        (lambda x: (x - x.roll(1, 0)).norm(dim=1), "each is compared with one other only."),
        (lambda x: (x - x.roll(-1, 0)).norm(dim=1), "each is compared with one other only."),
    ],
    result="the mean L2 distance to the others; equal examples count, too, with distance 0",
    shapes=_shapes,
    slopes="each example is at distance 0 from itself, where the slope of a root is infinite: use "
    "torch.cdist or .norm, or add 1e-12 under the root. If it is no NaN: is a part detached?",
    praise="right, and finite where examples are equal, which is what collapse looks like.",
    tolerance=1e-3,
)  # fmt: skip


class _QuadraticCritic:
    """½ Σ wᵢ xᵢ², whose gradient at x is w x; and it remembers where it was asked."""

    def __init__(self):
        self.weight = torch.tensor([0.3, 0.6, -0.5], requires_grad=True)
        self.asked: list[Tensor] = []

    def __call__(self, x: Tensor) -> Tensor:
        self.asked.append(x.detach().clone())
        return (self.weight * x.square()).sum(-1) / 2

    def points(self, shape: tuple[int, int]) -> Tensor:
        """Where the penalty was taken, (N, d): the last batch, or all single examples."""
        refuse((not self.asked, "the critic was never called; the penalty is on its gradient."))
        last = plain(self.asked[-1])
        if last.shape == shape:
            return last
        points = torch.cat([plain(x).flatten() for x in self.asked])
        refuse((points.numel() != math.prod(shape), f"the critic, asked about {tuple(last.shape)}, "
                "should be asked about N points, one for each pair of examples."))  # fmt: skip
        return points.view(shape)


EACH_NORM = "every example's gradient has a norm of its own: dim=1."
NORMS = [  # of the gradients (N, d)
    (lambda g: g.norm(dim=1), ""),
    (lambda g: g.square().sum(1), "the root is missing: a norm is the root of a sum of squares."),
    (lambda g: g.norm(), f"that is the norm over the whole batch; {EACH_NORM}"),
    (lambda g: g.norm() / len(g), f"that is the norm over the whole batch, of a mean; {EACH_NORM}"),
    (lambda g: g.norm(dim=0), f"that is a norm over the batch, dim=0; {EACH_NORM}"),
    (lambda g: g.norm(dim=1) / len(g), "differentiate the sum of the outputs, not the mean."),
    (lambda g: g, "each coordinate is compared with 1; take the norm over them first, dim=1."),
    (lambda g: g.abs(), "each coordinate is compared with 1; take the norm first, dim=1."),
    (lambda g: g.square().mean(1).sqrt(), "under the root is a mean over the coordinates."),
    (lambda g: g.abs().sum(1), "that is the L1 norm; take L2."),
    (lambda g: g.sum(1), "the coordinates are added; a norm is the root of a sum of squares."),
    (lambda g: g.mean(1), "that is the mean over the coordinates; take their norm."),
]
DISTANCES = [  # of a norm from 1
    (lambda norm: (norm - 1).square(), ""),
    (lambda norm: norm.square(), "the -1 is missing: the norm should be 1, not 0."),
    (lambda norm: norm, "that is the mean norm; take its distance from 1, squared."),
    (lambda norm: norm - 1, "the square is missing: norms above and below 1 cancel."),
    (lambda norm: (norm - 1).abs(), "that is the absolute difference from 1; it is squared."),
    (lambda norm: (norm - 1).relu().square(), "that is one-sided: norms below 1 cost nothing."),
    (lambda norm: (norm + 1).square(), "the 1 is subtracted, not added."),
    (lambda norm: 10 * (norm - 1).square(), "leave out λ: it comes where losses are added."),
    (lambda norm: (norm - 1).square() / 2, "half as large as it should be; there is no ½ here."),
]
PENALTY = Exercise(  # of the gradients at the points that an answer has chosen
    "Exercise 2, the gradient penalty",
    lambda gradient: (gradient.norm(dim=1) - 1).square().mean(),
    [],
    [
        *combined(lambda norm, distance, reduce: lambda g: reduce(distance(norm(g))),
                  NORMS, DISTANCES, REDUCTIONS),
        (lambda g: (g.norm(dim=1).mean() - 1).square(), "the mean is taken before the square."),
        (lambda g: (g - 1).square().sum(1).mean(), "1 is subtracted from each coordinate."),
    ],
    result="one number, the mean of (‖gradient‖ - 1)² (the points are right)",
    crashes={
        "does not require grad": "before that, the points must have .requires_grad_()",
        "not have been used in the graph": "differentiate by the points that the critic was given",
        "only for scalar outputs": "differentiate the sum of the critic's outputs",
        "NoneType": "arithmetic keeps no .grad; use torch.autograd.grad(output, points)",
    },
    praise="right: on the lines between, for each example, and the critic's weights feel it.",
)  # fmt: skip


def check_gradient_penalty(answer) -> None:
    """Exercise 2: `gradient_penalty(critic, real, fake) -> one number`."""
    check(PENALTY.title, answer, _examine_twice)


@torch.random.fork_rng(devices=[])
def _examine_twice(answer) -> str:
    torch.manual_seed(0)
    same = torch.equal(_examine_penalty(answer), _examine_penalty(answer))
    refuse((same, "two calls take the same points; draw new weights every time."))
    return PENALTY.praise


def _examine_penalty(answer) -> Tensor:
    """Examine one call and return the points (N, d) at which the penalty was taken."""
    fake = random_tensor(2000, 3, seed=8)
    real = fake + 1 + random_tensor(2000, 3, seed=9).abs()
    critic = _QuadraticCritic()
    names = ("critic", "real", "fake")
    penalty = ask(answer, critic, real, fake, names=names, crashes=PENALTY.crashes)
    points = critic.points(real.shape)
    _examine_weights((points - fake) / (real - fake))
    refuse(
        (not same(critic.weight, _QuadraticCritic().weight) or not critic.weight.requires_grad,
         "the critic's weights are not as they were; here nobody learns yet."),
        (isinstance(penalty, float), "return a tensor, without .item(), or nothing is learnt."),
        (critic.weight.grad is not None, "your function leaves gradients in the critic's weights: "
         "use torch.autograd.grad instead of .backward()."),
    )  # fmt: skip
    gradient = critic.weight * points
    replace(PENALTY, cases=[Case((gradient.detach(),))]).examine(lambda gradient: penalty)
    slopes = [
        slope_of(each, critic.weight)
        for each in (penalty, PENALTY.reference(gradient))
        if each.requires_grad
    ]
    refuse((len(slopes) == 1 or not near(*slopes, 1e-3), "the value is right, but its slope does "
            "not reach the critic's weights: pass create_graph=True, no .detach."))  # fmt: skip
    return points


def _examine_weights(weights: Tensor) -> None:
    """Of the points and each coordinate, (N, d): 0 at the generated example, 1 at the real one."""
    of_all, of_one = weights[:1].expand_as(weights), weights[:, :1].expand_as(weights)
    shared, on_lines = near(weights, of_all, 1e-3), near(weights, of_one, 1e-3)
    constant = weights.mean().item() if shared and on_lines else math.nan
    inside = -1e-3 < weights.min() and weights.max() < 1 + 1e-3
    even = torch.linspace(0, 1, len(weights))[:, None]
    distance = (weights.sort(dim=0).values - even).abs().max()  # of Kolmogorov and Smirnov
    between = "; take it between real and generated ones, at torch.rand(N, 1)."
    one_each = "; draw one for each example, torch.rand(N, 1)."
    refuse(
        (abs(constant - 1) < 1e-3, "the penalty is taken at the real examples" + between),
        (abs(constant) < 1e-3, "the penalty is taken at the generated examples" + between),
        (abs(constant - 0.5) < 1e-3, "the points are always in the middle" + one_each),
        (shared and on_lines, "one weight is shared by the whole batch" + one_each),
        (inside and shared, "the weights are one a coordinate, and the same for all" + one_each),
        (inside and not on_lines, "each coordinate has its own weight: they fill a box" + one_each),
        (not on_lines, "the points are not on the lines w·real[i] + (1 - w)·fake[i]."),
        (not inside, "the points lie beyond the examples, too: torch.rand, not randn."),
        (near(weights, weights.round(), 1e-3), "each is either a real or a generated" + one_each),
        (distance > 0.06, "the points are on the lines, but not uniformly" + one_each),
    )  # a right one is that uneven once in a million
