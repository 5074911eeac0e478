"""Checks of the exercises of notebook 04, GANs and mode collapse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from .checking import (
    Wrong,
    as_count,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
    random_tensor,
    tried,
)

NO_GRADIENT = "right, but no gradient can flow back; leave out no_grad and .detach."


def _ask_loss(answer, *arguments, crashes: Mapping[str, str] = MappingProxyType({})) -> Tensor:
    """What a loss function returns, which must not be a plain number."""
    loss = ask(answer, *arguments, crashes=crashes)
    if isinstance(loss, (int, float)):
        raise Wrong("return a tensor, without .item(): the optimiser needs its gradient.")
    return loss


# 1. The optimal discriminator

OPTIMAL_MISTAKES = [
    (lambda p, q: q / (p + q), "p_data and p_g are swapped: D says how likely an example is real, "
     "so p_data stands on top."),
    (lambda p, q: p / q, "that is the ratio of the densities, which has no upper limit; D* is a "
     "probability, p_data over the sum of both."),
    (lambda p, q: q / p, "that is a ratio of the densities, which has no upper limit; D* is a "
     "probability, p_data over the sum of both."),
    (lambda p, q: p / p + q, "mind the brackets: / comes before +, so that is 1 + p_g."),
    (lambda p, q: (p / q).log(), "that is the logit of D*; D* itself is the sigmoid of it, "
     "p_data/(p_data + p_g)."),
    (lambda p, q: (q / p).log(), "that is a log of the ratio; D* is p_data/(p_data + p_g), and "
     "its log comes later, in V."),
    (lambda p, q: (p / (p + q)).log(), "that is log D*; the log comes later, in V. Return D*."),
    (lambda p, q: (q / (p + q)).log(), "that is log(1 - D*); the log comes later, in V. Return "
     "D*."),
    (lambda p, q: 2 * p / (p + q), "twice too large: that divides by the mean of the densities, "
     "as the Jensen-Shannon divergence does; D* divides by their sum."),
    (lambda p, q: (p - q) / (p + q), "that runs from -1 to 1; D* is a probability: p_data alone "
     "stands on top."),
    (lambda p, q: (p > q).float(), "that is a hard decision; D* says how sure one can be: ½ "
     "where the densities are equal, and all that lies between 0 and 1."),
    (lambda p, q: (p - q).sigmoid(), "the sigmoid wants the difference of the log densities, not "
     "of the densities."),
    (lambda p, q: (p / q).sigmoid(), "the sigmoid wants the log of the ratio; simpler is "
     "p_data/(p_data + p_g)."),
    (lambda p, q: p / (p + q).sum(), "every point is judged by itself; divide by the sum of the "
     "two densities there, not by a sum over all points."),
    (lambda p, q: p / p.sum(), "every point is judged by itself; divide by the sum of the two "
     "densities there, not by a sum over all points."),
    (lambda p, q: p / p.square().add(q.square()).sqrt(), "the densities are squared; D* divides "
     "by their plain sum."),
]  # fmt: skip


def check_optimal_discriminator(answer) -> None:
    """Exercise 1: `optimal_discriminator(p_data, p_g)` -> a tensor of the same shape."""
    check("Exercise 1, the optimal discriminator", answer, _examine_optimal)


def _densities(*shape: int, seed: int) -> tuple[Tensor, Tensor]:
    return random_tensor(*shape, seed=seed).exp(), random_tensor(*shape, seed=seed + 10).exp()


def _examine_optimal(answer) -> str:
    for seed, shape in ((1, (6,)), (2, (4, 5))):
        p_data, p_g = _densities(*shape, seed=seed)
        found = _ask_optimal(answer, p_data, p_g)
        if near(found, p_data / (p_data + p_g)):
            continue
        first, second = p_data.flatten()[0].item(), p_g.flatten()[0].item()
        raise Wrong(
            explanation(found, tried(OPTIMAL_MISTAKES, p_data, p_g))
            or f"for p_data = {first:.3f} and p_g = {second:.3f} it gives "
            f"{found.flatten()[0]:.3f} instead of {first / (first + second):.3f}."
        )
    _examine_optimal_at_zero(answer, p_data, p_g)
    # Far from the modes densities are tiny, and D* is what it is all the same.
    tiny = _ask_optimal(answer, 1e-12 * p_data, 1e-12 * p_g)
    if not near(tiny, p_data / (p_data + p_g)):
        raise Wrong("right for large densities, but it changes where both are multiplied by "
                    "1e-12, and only their ratio counts. Far from the modes they are that small: "
                    "add no constant to the sum, and do not clamp it.")  # fmt: skip
    return "right: ½ where the densities agree, and nothing but their ratio counts."


def _ask_optimal(answer, p_data: Tensor, p_g: Tensor) -> Tensor:
    found = ask(answer, p_data.clone(), p_g.clone())
    if isinstance(found, Tensor) and not found.is_floating_point():
        found = found.float()  # a comparison: what is wrong with it is said by its values
    return ask_tensor(lambda: found, shape=tuple(p_data.shape), meaning="one D* for each point")


def _examine_optimal_at_zero(answer, p_data: Tensor, p_g: Tensor) -> None:
    for what, value in (("p_data", 0.0), ("p_g", 1.0)):
        given = {"p_data": p_data, "p_g": p_g, what: torch.zeros_like(p_data)}
        found = ask(answer, given["p_data"], given["p_g"])
        if not near(found, torch.full_like(p_data, value)):
            raise Wrong(
                f"right where both are positive, but where {what} is 0 it gives "
                f"{found.flatten()[0]:.3g} instead of {value:g}; divide only once, by "
                "p_data + p_g, which is positive."
            )


# 2. The generator's loss

GENERATOR_LOSSES = [
    (lambda a: functional.softplus(-a), ""),
    (lambda a: -functional.softplus(a), "that is E log(1 - D(G(z))), the saturating loss. Its "
     "sign is right, but the game is another: it is flat where D is sure that the samples are "
     "fake, which is how training begins. Write -E log D(G(z))."),
    (lambda a: functional.logsigmoid(a), "the sign is turned round: minimising this would teach "
     "the generator to be found out."),
    (lambda a: functional.softplus(a), "that is the discriminator's loss on fakes, "
     "-E log(1 - D(G(z))): the generator wants them called real, target 1."),
    (lambda a: -a.log(), "these are logits, and log wants a probability: D(G(z)) = σ(logit)."),
    (lambda a: a.log(), "these are logits, and log wants a probability: D(G(z)) = σ(logit)."),
    (lambda a: -a, "that is Wasserstein's loss, of a critic; here the logits become "
     "probabilities first, and then their log is taken."),
    (lambda a: a, "that is the mean logit; the logits become probabilities first, and then their "
     "log is taken, with a minus."),
    (lambda a: functional.softplus(-a.sigmoid()), "the sigmoid is taken twice: what works with "
     "logits takes it itself."),
    (lambda a: -a.sigmoid(), "the log is missing: -E log D(G(z))."),
    (lambda a: a.sigmoid(), "that is E D(G(z)); the loss is -E log D(G(z))."),
    (lambda a: 1 - a.sigmoid(), "the log is missing: -E log D(G(z))."),
    (lambda a: functional.softplus(-a) / 2, "half as large as it should be; there is no ½ in "
     "this formula."),
    (lambda a: (a - 1).square(), "that is the loss of least squares, which has no log; this one "
     "is -E log D(G(z))."),
    (lambda a: functional.softplus(-a) / math.log(2), "the logarithm is the natural one, not to "
     "the base 2."),
]  # fmt: skip
LOSS_REDUCTIONS = [
    (lambda each: each.mean(), ""),
    (lambda each: each.sum(), "that is the sum; E is the mean over the batch, so that the step "
     "does not grow with it."),
    (lambda each: each, "that is one number an example; E is their mean."),
]  # fmt: skip
GENERATOR_CRASHES = {
    "between 0 and 1": "binary_cross_entropy wants probabilities; for logits there is "
    "binary_cross_entropy_with_logits",
}
STABLE = (
    "log(σ(a)) is log(0) there. Write it without the detour: -log σ(a) is "
    "torch.nn.functional.softplus(-a), or -logsigmoid(a)."
)


def check_generator_loss(answer) -> None:
    """Exercise 2: `generator_loss(logits) -> one number`."""
    check("Exercise 2, the generator's loss", answer, _examine_generator_loss)


def _examine_generator_loss(answer) -> str:
    for logits in (_positive_logits(), 2 * random_tensor(7, seed=6)):
        _compare_generator_loss(answer, logits.requires_grad_())
    _examine_sure_discriminator(answer)
    return "right: the gradient stays where the discriminator is sure, and nothing overflows."


def _positive_logits() -> Tensor:
    """Logits (N,) of which even log(logit) is a number, which can be told from others."""
    return 2 * random_tensor(6, seed=3).abs() + 0.5


def _compare_generator_loss(answer, logits: Tensor) -> None:
    loss = _ask_loss(answer, logits, crashes=GENERATOR_CRASHES)
    values = logits.detach()
    if isinstance(loss, Tensor) and near(loss, values.sigmoid().mean().log().neg()):
        raise Wrong("that is the log of the mean; take the log of each, and then the mean.")
    if isinstance(loss, Tensor):
        for reduce, reduction_hint in LOSS_REDUCTIONS:
            mistakes = [
                (lambda a, each=each, reduce=reduce: reduce(each(a)), hint or reduction_hint)
                for each, hint in GENERATOR_LOSSES
            ]
            if hint := explanation(loss, tried(mistakes, values)):
                raise Wrong(hint)
    loss = ask_tensor(lambda: loss, shape=(), meaning="one number for the whole batch")
    right = functional.softplus(-values).mean()
    if not near(loss, right):
        raise Wrong(
            f"it gives {loss.item():.3f} instead of {right.item():.3f}: the mean of -log D(G(z)), "
            "where D(G(z)) = σ(logit)."
        )
    if loss.grad_fn is None:
        raise Wrong(NO_GRADIENT)


def _examine_sure_discriminator(answer) -> None:
    logits = torch.tensor([-200.0, -120.0, 0.0, 200.0], requires_grad=True)
    loss = _ask_loss(answer, logits)
    right = functional.softplus(-logits).mean().item()
    if not loss.isfinite():
        raise Wrong(f"right for small logits, but at -200 it gives {loss.item():g}: {STABLE}")
    if not near(loss, torch.tensor(right)):
        raise Wrong(
            f"right for small logits, but at logits of -200 and -120 the loss is "
            f"{loss.item():.1f} instead of {right:.1f}: a constant added inside the log, or a "
            f"clamp, caps it, and takes the gradient away where it is needed most. {STABLE}"
        )
    slope = torch.autograd.grad(loss, logits)[0]
    if not near(slope, (logits.detach().sigmoid() - 1) / len(logits)):
        raise Wrong(
            f"the value is right, but its slope at -200 is {slope[0].item():g} and should be "
            f"{-1 / len(logits):g}: the generator would not learn. {STABLE}"
        )


# 3. Modes that are found

# Where a sample lies, in standard deviations from its centre; how many modes have one there; and
# how many samples. Every mistake below finds another number of modes among them.
SAMPLES_AROUND = [
    ((0.1, 0.0), 1, 2),
    ((0.0, -0.6), 1, 2),
    ((1.2, 0.6), 2, 2),
    ((-1.85, 0.3), 1, 2),
    ((1.9, -1.9), 3, 2),  # 2.7 from the centre, and the sum of both is 3.8
    ((2.9, 0.0), 1, 1),
    ((2.5, 2.5), 2, 2),  # 3.5 from the centre: in the square and not in the circle
    ((0.0, -5.0), 2, 3),
    ((9.0, 0.0), 1, 4),  # still nearest to its own centre
]


def _distances(samples: Tensor, means: Tensor) -> Tensor:
    return (samples[:, None] - means).norm(dim=-1)


def _offsets(samples: Tensor, means: Tensor) -> Tensor:
    return (samples[:, None] - means).abs()


def _count_modes(samples: Tensor, means: Tensor, std: float) -> int:
    return int((_distances(samples, means) < 3 * std).any(0).sum())


MODE_MISTAKES = [
    (lambda x, m, s: len(_distances(x, m).argmin(1).unique()), "every sample is given to its "
     "nearest mode, however far away that is; a generator that has learnt nothing then finds "
     "nearly all of them. Count a sample only within 3 std of the centre."),
    (lambda x, m, s: len(m), "that is every mode there is; count only those with a sample within "
     "3 std of the centre."),
    (lambda x, m, s: len(m) - _count_modes(x, m, s), "those are the modes that are missed; count "
     "those that are found."),
    (lambda x, m, s: (_distances(x, m) < 3 * s).any(1).sum(), "that counts the samples near a "
     "mode; count the modes near a sample: of a table (N, K) it is any(dim=0), over the samples."),
    (lambda x, m, s: (_distances(x, m) < 3 * s).any(1).float().mean(), "that is the share of "
     "samples near a mode; count the modes."),
    (lambda x, m, s: _count_modes(x, m, s) / len(m), "that is the share of the modes; return how "
     "many."),
    (lambda x, m, s: (_offsets(x, m) < 3 * s).all(-1).any(0).sum(), "each coordinate is compared "
     "by itself, which makes a square with corners 4.2 std away; take the Euclidean distance."),
    (lambda x, m, s: (_offsets(x, m).sum(-1) < 3 * s).any(0).sum(), "the coordinates are added, "
     "which makes a diamond; take the Euclidean distance."),
    (lambda x, m, s: (_distances(x, m) < s).any(0).sum(), "the radius is 1 std; of a Gaussian in "
     "the plane that holds only 39 %, 3 std hold 98.9 %."),
    (lambda x, m, s: (_distances(x, m) < 2 * s).any(0).sum(), "the radius is 2 std; take 3."),
    (lambda x, m, s: (_distances(x, m).square() < 3 * s).any(0).sum(), "the squared distance is "
     "compared with 3 std; take the root, or square both sides: (3 std)²."),
    (lambda x, m, s: (_distances(x, m).square() < 3 * s**2).any(0).sum(), "both sides are "
     "squared, and the 3 is squared, too: (3 std)² is 9 std²."),
    (lambda x, m, s: (_distances(x, m) < 3 * s**2).any(0).sum(), "the radius is 3 variances; the "
     "distance is compared with 3 std."),
    (lambda x, m, s: ((_distances(x, m) < 3 * s).sum(0) > 1).sum(), "one sample is enough for a "
     "mode to be found."),
]  # fmt: skip
MODE_CRASHES = {
    "RuntimeError": "samples is (N, 2) and means (K, 2); torch.cdist(samples, means) compares all "
    "with all, (N, K)",
}


def check_count_modes(answer) -> None:
    """Exercise 3: `count_modes(samples, means, std) -> int`."""
    check("Exercise 3, modes that are found", answer, _examine_count_modes)


def _scattered(std: float, spacing: float, seed: int) -> tuple[Tensor, Tensor]:
    """Samples (N, 2) around the centres (25, 2) of a grid, as `SAMPLES_AROUND` says."""
    line = torch.arange(-2, 3) * spacing
    means = torch.cartesian_prod(line, line)
    means = means[torch.randperm(len(means), generator=torch.Generator().manual_seed(seed))]
    offsets, modes, samples = (torch.tensor(column) for column in zip(*SAMPLES_AROUND))
    one_each = offsets.repeat_interleave(modes, dim=0)
    one_each = means[: len(one_each)] + std * one_each
    return one_each.repeat_interleave(samples.repeat_interleave(modes), dim=0), means


def _examine_count_modes(answer) -> str:
    # The same image in two sizes, then with fewer samples, so that no number fits by chance.
    # Only the first of them tells all mistakes from each other.
    for seed, (std, spacing) in enumerate([(0.05, 1.0), (2.0, 40.0)]):
        samples, means = _scattered(std, spacing, seed)
        _compare_modes(answer, samples, means, std, () if seed else MODE_MISTAKES)
        _compare_modes(answer, samples[::3], means, std)
        _compare_modes(answer, samples + spacing / 2, means, std)  # between the modes: none
    return "right: a sample must come near a mode to have found it."


def _compare_modes(answer, samples: Tensor, means: Tensor, std: float, mistakes=()) -> None:
    count = ask(answer, samples, means, std, crashes=MODE_CRASHES)
    if isinstance(count, Tensor) and count.shape == (len(means),):
        raise Wrong("that is one entry a mode; return how many are found: .any(dim=0).sum().")
    if isinstance(count, Tensor) and count.shape == (len(samples),):
        raise Wrong("that is one entry a sample; return how many modes are found.")
    count = as_count(count)
    right = _count_modes(samples, means, std)
    if count == right:
        return
    number = torch.tensor(float(count))
    numbers = [
        (lambda *given, mistake=mistake: torch.tensor(float(mistake(*given))), hint)
        for mistake, hint in mistakes
    ]
    raise Wrong(
        explanation(number, tried(numbers, samples, means, std))
        or f"for {len(samples)} samples, {len(means)} modes and std = {std:g} it gives {count:g}; "
        f"{right} modes have a sample within 3 std of their centre."
    )


# 4. Diversity


def _pairs(batch: Tensor) -> Tensor:
    """The differences of all pairs, (N, N, d)."""
    return batch[:, None] - batch[None]


def _diversity(batch: Tensor) -> Tensor:
    return torch.cdist(batch, batch).sum(1) / (len(batch) - 1)


def _of_others(each: Tensor) -> Tensor:
    """Of (N, N) numbers, zero on the diagonal, each row's mean over the others."""
    return each.sum(1) / (len(each) - 1)


ITSELF = "the example itself, at distance 0, is counted: there are N - 1 others to divide by."
SQUARED = "the norm is squared; take the root of the sum of squares before the mean."
ABSOLUTE = "that is the L1 norm, the sum of absolute values; lecture 2 takes L2."
DIVERSITY_MISTAKES = [
    (lambda x: _pairs(x).norm(dim=-1).mean(1), ITSELF),
    (lambda x: _pairs(x).norm(dim=-1).sum(1), "that is the sum; divide by the N - 1 others, so "
     "that it does not grow with the batch."),
    (lambda x: _of_others(_pairs(x).square().sum(-1)), SQUARED),
    (lambda x: _pairs(x).square().sum(-1).mean(1), SQUARED),
    (lambda x: _pairs(x).square().sum((1, 2)), SQUARED),
    (lambda x: _of_others(_pairs(x).square().sum(-1)).sqrt(), "the mean is taken before the "
     "root; take each pair's norm first, and then the mean."),
    (lambda x: _of_others(_pairs(x).abs().sum(-1)), ABSOLUTE),
    (lambda x: _pairs(x).abs().sum(-1).mean(1), ABSOLUTE),
    (lambda x: _of_others(_pairs(x).square().mean(-1).sqrt()), "under the root is a mean over "
     "the d numbers; the L2 norm takes their sum."),
    (lambda x: _pairs(x).norm(dim=-1).square().sum(1).sqrt(), "that is the norm of all "
     "differences at once; take each pair's norm, and then the mean."),
    (lambda x: (x - x.mean(0)).norm(dim=1), "that is the distance to the middle of the batch; "
     "lecture 2 compares pairs: each with each."),
    (lambda x: (_pairs(x).sum(1) / (len(x) - 1)).norm(dim=1), "the differences are averaged "
     "first, and there they cancel; take each pair's norm, and then the mean."),
    (lambda x: _pairs(x).norm(dim=-1).max(1).values, "that is the distance to the furthest; take "
     "the mean over all others."),
    (lambda x: (_pairs(x).norm(dim=-1) + 1e9 * torch.eye(len(x))).min(1).values, "that is the "
     "distance to the nearest; take the mean over all others."),
    (lambda x: x.norm(dim=1), "that is the length of each example; take the norms of differences "
     "of pairs."),
    (lambda x: (x - x.roll(1, 0)).norm(dim=1), "each is compared with one other only; lecture 2 "
     "takes all pairs."),
    (lambda x: (x - x.roll(-1, 0)).norm(dim=1), "each is compared with one other only; lecture 2 "
     "takes all pairs."),
]  # fmt: skip
ROOT = (
    "the slope of a root is infinite at 0, and 0 · ∞ is not a number. torch.cdist and .norm take "
    "care of that; if you write the root yourself, add a tiny number under it, like 1e-12."
)


def check_diversity(answer) -> None:
    """Exercise 4: `diversity(batch) -> (N,)` from (N, d)."""
    check("Exercise 4, diversity", answer, _examine_diversity)


def _examine_diversity(answer) -> str:
    for examples, numbers in ((6, 3), (4, 5)):
        batch = random_tensor(examples, numbers, seed=7)
        found = _ask_diversity(answer, batch.requires_grad_())
        if not near(found, _diversity(batch)):
            raise Wrong(
                explanation(found, tried(DIVERSITY_MISTAKES, batch.detach()))
                or f"{found[0]:.3f} instead of {_diversity(batch)[0]:.3f} for the first example: "
                "the mean of the L2 norms of its differences to the others."
            )
        if found.grad_fn is None:
            raise Wrong("right, but no gradient can flow back, so the generator would not learn "
                        "to spread; leave out no_grad and .detach.")  # fmt: skip
        slope, right = (_slope(each, batch) for each in (found, _diversity(batch)))
        if not slope.isfinite().all():
            raise Wrong("the values are right, but the gradient is NaN: the distance of each "
                        f"example to itself is 0, {ROOT}")  # fmt: skip
        if not near(slope, right, 1e-3):
            raise Wrong("the values are right, but the gradient is not: is a part of it detached?")
    _examine_twins(answer, batch.detach())
    return "right, and finite where examples are equal, which is what collapse looks like."


def _ask_diversity(answer, batch: Tensor) -> Tensor:
    examples, numbers = batch.shape
    result = ask(answer, batch)
    shapes = {
        (): "that is one number for the whole batch. It tells diverse batches from others, but D "
        "judges examples and wants a number to go with each: shape (N,).",
        (examples, examples): "those are all the pairs; take the mean over the others, dim=1, "
        "without the example itself.",
        (examples, numbers): "the norm runs over the d numbers of a difference and the mean over "
        "the others; here a number for each of d is left.",
        (examples, examples, numbers): "those are the differences; take the norm over the last "
        "dimension, and then the mean over the others.",
        (examples, examples - 1): "those are the distances to the others; take their mean, dim=1.",
        (examples * (examples - 1) // 2,): "that is one number a pair; give each example the mean "
        "over its N - 1 pairs.",
    }
    if isinstance(result, float):
        raise Wrong(shapes[()])
    if isinstance(result, Tensor) and tuple(result.shape) in shapes:
        raise Wrong(shapes[tuple(result.shape)])
    return ask_tensor(lambda: result, shape=(examples,), meaning="one number an example")


def _slope(found: Tensor, batch: Tensor) -> Tensor:
    weights = torch.arange(1.0, len(batch) + 1)  # of a plain sum, half a gradient can be whole
    slope = torch.autograd.grad(found @ weights.to(found), batch, allow_unused=True)[0]
    return torch.zeros_like(batch) if slope is None else slope


def _examine_twins(answer, batch: Tensor) -> None:
    twins = batch.clone()
    twins[1] = twins[0]
    collapsed = batch[:1].repeat(len(batch), 1)
    for what, given in (("two examples are equal", twins), ("all examples are equal", collapsed)):
        given.requires_grad_()
        found = ask(answer, given)
        if not found.isfinite().all():
            raise Wrong(f"where {what} it gives {found[0].item():g}; a distance of 0 counts as 0.")
        if not near(found, _diversity(given), 1e-2):
            raise Wrong(
                f"right for different examples, but where {what} it gives {found[0]:.3f} instead "
                f"of {_diversity(given)[0]:.3f}: equal examples count, too, with distance 0. They "
                "are what the discriminator should see."
            )
        if not _slope(found, given).isfinite().all():
            raise Wrong(f"the values are right, but where {what} the gradient is NaN: {ROOT}")


# 5. The gradient penalty

PENALISED, DIMENSIONS = 2000, 3


class _QuadraticCritic:
    """½ Σ wᵢ xᵢ², whose gradient at x is w x; and it remembers where it was asked."""

    def __init__(self):
        self.weight = torch.tensor([0.3, 0.6, -0.5], requires_grad=True)
        self.asked: list[Tensor] = []

    def __call__(self, x: Tensor) -> Tensor:
        self.asked.append(x.detach().clone())
        return (self.weight * x.square()).sum(-1) / 2

    def gradient(self, x: Tensor) -> Tensor:
        return self.weight * x

    def points(self) -> Tensor:
        """Where the penalty was taken, (N, d): the last batch, or all single examples."""
        if not self.asked:
            raise Wrong("the critic was never called; the penalty is on its gradient.")
        if self.asked[-1].shape == (PENALISED, DIMENSIONS):
            return self.asked[-1]
        if all(x.numel() == DIMENSIONS for x in self.asked) and len(self.asked) == PENALISED:
            return torch.stack([x.flatten() for x in self.asked])
        raise Wrong(
            f"the critic was asked about a batch of shape {tuple(self.asked[-1].shape)} and should "
            f"be asked about N points, one for each pair, {(PENALISED, DIMENSIONS)}."
        )


PENALTY_MISTAKES = [
    (lambda g: g.norm(dim=1).square().mean(), "the -1 is missing: the norm should be 1, not 0."),
    (lambda g: g.norm(dim=1).mean(), "that is the mean norm; the penalty is its distance from 1, "
     "squared."),
    (lambda g: (g.norm(dim=1) - 1).mean(), "the square is missing: norms above and below 1 "
     "cancel."),
    (lambda g: (g.norm(dim=1) - 1).abs().mean(), "that is the absolute difference from 1; it is "
     "squared."),
    (lambda g: (g.norm(dim=1) - 1).relu().square().mean(), "that is one-sided: norms below 1 cost "
     "nothing. The formula asks for a norm of 1, from both sides."),
    (lambda g: (g.norm(dim=1) + 1).square().mean(), "the 1 is subtracted, not added."),
    (lambda g: (g.norm(dim=1) - 1).mean().square(), "the mean is taken before the square, so that "
     "norms above and below 1 cancel; square first."),
    (lambda g: (g.square().sum(1) - 1).square().mean(), "the root is missing: the norm is the "
     "root of the sum of squares."),
    (lambda g: (g.norm() - 1).square(), "that is the norm over the whole batch; every example's "
     "gradient has a norm of its own: dim=1."),
    (lambda g: (g.norm() / len(g) - 1).square(), "that is the norm over the whole batch, and of "
     "the gradient of the critic's mean; every example's gradient has a norm of its own: dim=1, "
     "of the sum."),
    (lambda g: (g.norm(dim=0) - 1).square().mean(), "that is a norm over the batch, dim=0; every "
     "example's gradient has a norm of its own: dim=1."),
    (lambda g: ((g / len(g)).norm(dim=1) - 1).square().mean(), "the gradient is N times too small: "
     "differentiate the sum of the critic's outputs, not the mean, so that each example has its "
     "own gradient."),
    (lambda g: (g - 1).square().mean(), "each coordinate is compared with 1 and the mean taken "
     "over them; take the norm over the coordinates first, dim=1."),
    (lambda g: (g.abs() - 1).square().mean(), "each coordinate is compared with 1 and the mean "
     "taken over them; take the norm over the coordinates first, dim=1."),
    (lambda g: (g - 1).square().sum(1).mean(), "1 is subtracted from each coordinate; take the "
     "norm first, dim=1, and then subtract 1."),
    (lambda g: (g.square().mean(1).sqrt() - 1).square().mean(), "under the root is a mean over "
     "the coordinates; the norm takes their sum."),
    (lambda g: (g.abs().sum(1) - 1).square().mean(), "that is the L1 norm; take L2."),
    (lambda g: (g.sum(1) - 1).square().mean(), "the coordinates are added; the norm is the root "
     "of the sum of their squares."),
    (lambda g: (g.mean(1) - 1).square().mean(), "that is the mean over the coordinates; the norm "
     "is the root of the sum of their squares."),
    (lambda g: (g.norm(dim=1) - 1).square().sum(), "that is the sum over the batch; E is the "
     "mean."),
    (lambda g: (g.norm(dim=1) - 1).square(), "that is one number an example; E is their mean."),
    (lambda g: 10 * (g.norm(dim=1) - 1).square().mean(), "ten times too large: λ comes where the "
     "penalty is added to the loss, not here."),
    (lambda g: (g.norm(dim=1) - 1).square().mean() / 2, "half as large as it should be; there is "
     "no ½ in this formula."),
]  # fmt: skip
PENALTY_CRASHES = {
    "does not require grad": "the points must have .requires_grad_() before the critic sees them",
    "not have been used in the graph": "differentiate by the points that the critic was given",
    "only for scalar outputs": "differentiate the sum of the critic's outputs; each depends on "
    "its own example only",
    "NoneType": "a tensor made by arithmetic keeps no .grad; torch.autograd.grad(output, points) "
    "returns the gradient",
}
CREATE_GRAPH = (
    "the value is right, but the penalty does not reach the critic's weights, so it would train "
    "nothing: pass create_graph=True to torch.autograd.grad, and leave out .detach."
)


def check_gradient_penalty(answer) -> None:
    """Exercise 5: `gradient_penalty(critic, real, fake) -> one number`."""
    check("Exercise 5, the gradient penalty", answer, _examine_gradient_penalty)


def _examine_gradient_penalty(answer) -> str:
    # The same dice for every answer, and the notebook's own go on as if nothing had been thrown.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first = _compare_penalty(answer)
        if torch.equal(first, _compare_penalty(answer)):
            raise Wrong("two calls take the same points; draw new weights every time.")
    return "right: on the lines between, for each example, and the critic's weights feel it."


def _compare_penalty(answer) -> Tensor:
    """Examine one call and return the points (N, d) at which the penalty was taken."""
    fake = random_tensor(PENALISED, DIMENSIONS, seed=8)
    real = fake + 1 + random_tensor(PENALISED, DIMENSIONS, seed=9).abs()
    critic = _QuadraticCritic()
    penalty = _ask_loss(answer, critic, real.clone(), fake.clone(), crashes=PENALTY_CRASHES)
    points = critic.points()
    _judge_points(points, real, fake)
    gradient = critic.gradient(points)
    if isinstance(penalty, Tensor):
        if hint := explanation(penalty, tried(PENALTY_MISTAKES, gradient)):
            raise Wrong(hint)
    penalty = ask_tensor(lambda: penalty, shape=(), meaning="one number for the whole batch")
    right = (gradient.norm(dim=1) - 1).square().mean()
    if not near(penalty, right):
        raise Wrong(
            f"the points are right, but the penalty is {penalty.item():.3f} instead of "
            f"{right.item():.3f}: the mean of (‖gradient‖ - 1)²."
        )
    _judge_way_back(penalty, right, critic)
    return points


def _judge_points(points: Tensor, real: Tensor, fake: Tensor) -> None:
    for what, others in (("real", real), ("generated", fake)):
        if near(points, others):
            raise Wrong(f"the penalty is taken at the {what} examples; take it at points between "
                        "real and generated ones, where the critic has to lead the "
                        "generator.")  # fmt: skip
    weights = (points - fake) / (real - fake)  # (N, d): 0 at the fake example and 1 at the real
    inside = -1e-3 < weights.min() and weights.max() < 1 + 1e-3
    if not near(weights, weights[:, :1].expand_as(weights), 1e-3):
        if near(weights, weights[:1].expand_as(weights), 1e-3) and inside:
            raise Wrong("the weights are one a coordinate, and the same for all; draw one for "
                        "each example: torch.rand(N, 1).")  # fmt: skip
        if inside:
            raise Wrong("every coordinate has a weight of its own, so the points fill a box "
                        "and do not lie on the line; draw one for each example, "
                        "torch.rand(N, 1).")  # fmt: skip
        raise Wrong("the points are not on the lines between real[i] and fake[i]: "
                    "w·real + (1 - w)·fake.")  # fmt: skip
    _judge_weights(weights[:, 0], inside)


def _judge_weights(weights: Tensor, inside: bool) -> None:
    """Weights (N,) of the real examples: they must be uniform between 0 and 1."""
    if near(weights, weights[:1].expand_as(weights), 1e-3):
        if near(weights[0], torch.tensor(0.5)):
            raise Wrong("the points are always in the middle; draw the weight at random, for each "
                        "example: torch.rand(N, 1).")  # fmt: skip
        raise Wrong("one weight is shared by the whole batch; draw one for each example: "
                    "torch.rand(N, 1).")  # fmt: skip
    if not inside:
        raise Wrong("the points lie beyond the examples, too; the weight is between 0 and 1: "
                    "torch.rand, not randn.")  # fmt: skip
    if ((weights - weights.round()).abs() < 1e-3).all():
        raise Wrong("each point is either a real or a generated example; draw the weight "
                    "uniformly between 0 and 1, torch.rand(N, 1).")  # fmt: skip
    # Kolmogorov and Smirnov: of as many uniform weights 0.06 happens once in a million.
    even = torch.linspace(0, 1, len(weights))
    if (weights.sort().values - even).abs().max() > 0.06:
        raise Wrong("the points are on the lines, but not uniformly; draw the weights with "
                    "torch.rand(N, 1), as they come.")  # fmt: skip


def _judge_way_back(penalty: Tensor, right: Tensor, critic: _QuadraticCritic) -> None:
    if critic.weight.grad is not None:
        raise Wrong("the value is right, but your function leaves gradients in the critic's "
                    "weights, and the next step would add to them: use torch.autograd.grad "
                    "instead of .backward().")  # fmt: skip
    if penalty.grad_fn is None:
        raise Wrong(CREATE_GRAPH)
    slope = torch.autograd.grad(penalty, critic.weight, allow_unused=True)[0]
    if slope is None or not near(slope, torch.autograd.grad(right, critic.weight)[0], 1e-3):
        raise Wrong(CREATE_GRAPH)
