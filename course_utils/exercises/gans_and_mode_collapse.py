"""Checks of the exercises of notebook 04, GANs and mode collapse."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from .checking import random_tensor
from .exercise import Case, Exercise, combined


def _best(p_data: Tensor, p_g: Tensor) -> Tensor:
    """D* (Goodfellow et al. 2014, proposition 1)."""
    return p_data / (p_data + p_g)


AT_ZERO = (
    "where {} is 0 it gives {{found:.3g}} instead of {{right:g}}; divide only by p_data + p_g."
)
RATIO = "that is a ratio of the densities, which has no upper limit; D* is a probability."
EACH_POINT = "every point is scored by itself; divide by the sum of the two densities there."
P, Q = random_tensor(2, 4, 5, seed=2).exp()
check_optimal_discriminator = Exercise(
    "Exercise 1, the optimal discriminator",
    _best,
    [
        Case((P[0], Q[0])),
        Case((P, Q)),
        Case((0 * P, Q), but=AT_ZERO.format("p_data")),
        Case((P, 0 * Q), but=AT_ZERO.format("p_g")),
        Case((1e-12 * P, 1e-12 * Q), but="right, but not where both densities are multiplied by "
             "1e-12: add no constant to the sum, and do not clamp it."),
    ],
    [
        (lambda p, q: _best(q, p), "p_data and p_g are swapped: D says how likely x is real."),
        (lambda p, q: p / q, RATIO),
        (lambda p, q: q / p, RATIO),
        (lambda p, q: 1 + q, "mind the brackets: / comes before +, so that is 1 + p_g."),
        (lambda p, q: (p / q).log(), "that is the logit of D*; D* itself is the sigmoid of it."),
        (lambda p, q: (q / p).log(), "that is a log of the ratio; D* is p_data/(p_data + p_g)."),
        (lambda p, q: _best(p, q).log(), "that is log D*; the log comes later, in V. Return D*."),
        (lambda p, q: _best(q, p).log(), "that is log(1 - D*); the log comes later, in V."),
        (lambda p, q: 2 * _best(p, q), "divide by the sum, not by the mean (of Jensen-Shannon)."),
        (lambda p, q: (p - q) / (p + q), "that runs from -1 to 1; p_data alone stands on top."),
        (lambda p, q: (p > q).float(), "that is a hard decision; D* says how sure one can be."),
        (lambda p, q: (p - q).sigmoid(), "the sigmoid wants the difference of the log densities."),
        (lambda p, q: (p / q).sigmoid(), "the sigmoid wants the log of the ratio."),
        (lambda p, q: p / (p + q).sum(), EACH_POINT),
        (lambda p, q: p / p.sum(), EACH_POINT),
        (lambda p, q: p / torch.hypot(p, q), "the densities are squared; divide by their sum."),
    ],
    result="one D* for each point",
    praise="right: ½ where the densities agree, and nothing but their ratio counts.",
)  # fmt: skip


STABLE = "log(σ(a)) is log(0) at -200; -log σ(a) is softplus(-a), or -logsigmoid(a)."
FROM_LOGITS = "these are logits, and log wants a probability: D(G(z)) = σ(logit)."
NO_LOG = "the log is missing: -E log D(G(z))."
LOSSES = [
    (lambda a: softplus(-a), ""),
    (lambda a: -softplus(a), "that is the saturating loss, flat where D is sure; take -E log D."),
    (logsigmoid, "the sign is turned round: this teaches the generator to be found out."),
    (softplus, "that is the discriminator's loss on fakes; G wants them called real, target 1."),
    (lambda a: -a.log(), FROM_LOGITS),
    (lambda a: a.log(), FROM_LOGITS),
    (lambda a: -a, "that is Wasserstein's loss, of a critic; take σ first, and then the log."),
    (lambda a: a, "that is the mean logit; take σ, then the log, with a minus."),
    (lambda a: softplus(-a.sigmoid()), "the sigmoid is taken twice: the loss takes it itself."),
    (lambda a: -a.sigmoid(), NO_LOG),
    (lambda a: a.sigmoid(), "that is E D(G(z)); the loss is -E log D(G(z))."),
    (lambda a: 1 - a.sigmoid(), NO_LOG),
    (lambda a: softplus(-a) / 2, "half as large as it should be; there is no ½ in this formula."),
    (lambda a: (a - 1).square(), "that is the loss of least squares, which has no log."),
    (lambda a: softplus(-a) / math.log(2), "the logarithm is the natural one, not to the base 2."),
]
REDUCTIONS = [
    (lambda each: each.mean(), ""),
    (lambda each: each.sum(), "that is the sum over the batch; E is the mean."),
    (lambda each: each, "that is one number an example; E is their mean."),
]
check_generator_loss = Exercise(
    "Exercise 2, the generator's loss",
    lambda logits: softplus(-logits).mean(),
    [
        Case((2 * random_tensor(6, seed=3).abs() + 0.5,)),  # of which even log(logit) is a number
        Case((2 * random_tensor(7, seed=6),)),
        Case((torch.tensor([-200.0, -120.0, 0.0, 150.0]),), before="at logits of -200: "),
    ],
    [
        *combined(lambda loss, reduce: lambda a: reduce(loss(a)), LOSSES, REDUCTIONS),
        (lambda a: -a.sigmoid().mean().log(), "that is the log of the mean; take each log first."),
    ],
    result="one number, the mean of -log σ(logit); a constant in the log, or a clamp, caps it",
    crashes={"between 0 and 1": "for logits there is binary_cross_entropy_with_logits"},
    slopes=f"the generator would not learn. {STABLE}",
    not_finite=STABLE,
    praise="right: the gradient stays where the discriminator is sure, and nothing overflows.",
)


# One mode each: where its samples lie, in standard deviations from its centre, and how many there
# are. Every mistake below finds another number of modes among them.
AROUND = torch.tensor([
    [0.1, 0.0, 2], [0.0, -0.6, 2], [1.2, 0.6, 2], [1.2, 0.6, 2], [-1.85, 0.3, 2],
    [1.9, -1.9, 2], [1.9, -1.9, 2], [1.9, -1.9, 2],  # the sum of both is 3.8, the norm 2.7
    [2.9, 0.0, 1], [2.5, 2.5, 2], [2.5, 2.5, 2],  # in the square, not in the circle
    [0.0, -5.0, 3], [0.0, -5.0, 3], [9.0, 0.0, 4],  # still nearest to its own centre
])  # fmt: skip


def _scattered(std: float, step: int = 1, shift: float = 0) -> tuple[Tensor, Tensor, float]:
    """Every step-th sample around the first centres of a grid (25, 2), as `AROUND` says."""
    line = 20 * std * torch.arange(-2, 3)
    means = torch.cartesian_prod(line, line)
    samples = means[: len(AROUND)] + std * (AROUND[:, :2] + shift)
    return samples.repeat_interleave(AROUND[:, 2].long(), dim=0)[::step], means, std


def _close(samples: Tensor, means: Tensor, radius: float, p: float = 2) -> Tensor:
    return (samples[:, None] - means).norm(p, dim=-1) < radius


def _found(samples: Tensor, means: Tensor, radius: float, p: float = 2) -> int:
    return int(_close(samples, means, radius, p).any(0).sum())


check_count_modes = Exercise(
    "Exercise 3, modes that are found",
    lambda samples, means, std: _found(samples, means, 3 * std),
    [
        Case(_scattered(0.05)),
        *(
            Case(_scattered(std, step, shift), but=f"right for one set of samples; of another with "
                 f"std = {std:g} it gives {{found:g}} instead of {{right:g}}.")
            for std in (0.05, 2.0)
            for step, shift in ((1, 0), (3, 0), (1, 10))  # 10: between the modes, none is found
        ),
    ],
    [
        (lambda x, m, s: len(torch.cdist(x, m).argmin(1).unique()), "each is given to its nearest "
         "mode, however far away; a generator that has learnt nothing then finds nearly all."),
        (lambda x, m, s: len(m), "that is every mode there is; count those with a sample near."),
        (lambda x, m, s: len(m) - _found(x, m, 3 * s), "those are the modes that are missed."),
        (lambda x, m, s: _close(x, m, 3 * s).any(1).sum(), "that counts the samples near a mode; "
         "count the modes near a sample: of a table (N, K) it is any(dim=0)."),
        (lambda x, m, s: _close(x, m, 3 * s).any(1).float().mean(), "that is the share of samples "
         "near a mode; count the modes."),
        (lambda x, m, s: _found(x, m, 3 * s) / len(m), "that is the share of the modes; count."),
        (lambda x, m, s: _found(x, m, 3 * s, p=math.inf), "comparing each coordinate by itself "
         "makes a square with corners 4.2 std away; take the Euclidean distance."),
        (lambda x, m, s: _found(x, m, 3 * s, p=1), "that is a diamond: take the L2 distance."),
        (lambda x, m, s: _found(x, m, s), "the radius is 1 std, which holds only 39 %; take 3."),
        (lambda x, m, s: _found(x, m, 2 * s), "the radius is 2 std; take 3."),
        (lambda x, m, s: _found(x, m, (3 * s) ** 0.5), "squares are compared with 3 std."),
        (lambda x, m, s: _found(x, m, 3**0.5 * s), "the 3 is squared, too: (3 std)² is 9 std²."),
        (lambda x, m, s: _found(x, m, 3 * s**2), "the radius is 3 variances; take 3 std."),
        (lambda x, m, s: (_close(x, m, 3 * s).sum(0) > 1).sum(), "one sample is enough."),
    ],
    result="how many modes are found, as a number",
    crashes={"RuntimeError": "torch.cdist(samples, means) compares all with all, (N, K)"},
    praise="right: a sample must come near a mode to have found it.",
)  # fmt: skip
