"""Checks of the exercises of notebook 05, conditional GANs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pdist

from .checking import Wrong, random_tensor
from .exercise import Case, Exercise, combined


def _hot(labels: Tensor, classes: int) -> Tensor:
    return one_hot(labels, classes).float()


# 1. Joined


def _batch(latent: int, classes: int, seed: int) -> tuple[Tensor, Tensor, int]:
    """z (6, latent), labels (6,) among which the last class is missing, and their number."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randperm(classes - 1, generator=generator).repeat(6)[:6]
    return random_tensor(6, latent, seed=seed), labels, classes


ONE_NUMBER = "that joins one number, as if 4 were twice class 2. Classes have no order: one-hot."
OWN_PLACE = "the label is {} z, where it cannot be told from noise; join it beside z."
ENCODINGS = [
    (_hot, ""),
    (lambda k, n: k[:, None], ONE_NUMBER),
    (lambda k, n: k[:, None] / n, ONE_NUMBER),
    (lambda k, n: k[:, None] / (n - 1), ONE_NUMBER),
    (lambda k, n: one_hot(k), "the width depends on the batch; say it: one_hot(labels, classes)."),
    (lambda k, n: _hot(k, n + 1), "y has a place too many: the labels begin at 0."),
    (lambda k, n: 2 * _hot(k, n) - 1, "y is 1 at its class and 0 elsewhere, not -1."),
    (lambda k, n: 1 - _hot(k, n), "y is turned round: 1 at its class, and 0 elsewhere."),
    (lambda k, n: 0 * _hot(k, n), "y is 0 everywhere, and says nothing of the class."),
]
ORDERS = [
    (lambda z, y: torch.cat([z, y], 1), ""),
    (lambda z, y: torch.cat([y, z], 1), "y stands before z; the generator takes [z, y]."),
]
check_joined = Exercise(
    "Exercise 1, joined",
    lambda z, labels, classes: torch.cat([z, _hot(labels, classes)], 1),
    cases=[Case(_batch(3, 6, seed=1)), Case(_batch(5, 4, seed=2))],
    mistakes=[
        *combined(lambda y, join: lambda z, k, n: join(z, y(k, n)), ENCODINGS, ORDERS),
        (lambda z, k, n: _hot(k, n), "that is y alone; z, in which two images differ, is missing."),
        (lambda z, k, n: z, "that is z alone; y is missing."),
        (lambda z, k, n: z + k[:, None], OWN_PLACE.format("added to")),
        (lambda z, k, n: z * k[:, None], OWN_PLACE.format("multiplied with")),
        (lambda z, k, n: z[:, :, None] * _hot(k, n)[:, None], "that multiplies all numbers of z "
         "and y; join them side by side, torch.cat(..., dim=1)."),
        (lambda z, k, n: torch.cat([z.long(), _hot(k, n)], 1), "z has lost its decimals and holds "
         "whole numbers; turn the one-hot vectors into floats, not z into integers."),
    ],
    result="one row an example, latent + classes wide",
    crashes={
        "Sizes of tensors must match": "join along dim=1: one row an example",
        "same number of dimensions": "labels is (N,); it must become a row for each example first",
        "only applicable to index": "one_hot wants the labels as they come, whole numbers",
        "Class values must be smaller": "the labels go up to classes - 1",
    },
    slopes="GAN inversion finds z by its gradient.",
    praise="right: z first, then one place for each class, also for one that no label names.",
)  # fmt: skip


# 2. The best discriminators


def _best(p: Tensor, q: Tensor) -> Tensor:
    """p / (p + q), and ½ where neither has mass."""
    return torch.where(p + q > 0, p / (p + q), torch.tensor(0.5))


def _marginal(table: Tensor) -> Tensor:
    """The sum over y, for each x, as a table (X, Y)."""
    return table.sum(1, keepdim=True).expand_as(table)


def _of_marginals(output: Callable) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda p, q: output(_marginal(p), _marginal(q))


def _tables(examples: int, classes: int, p_factor=1.0, q_factor=1.0) -> tuple[Tensor, Tensor]:
    """p(x, y) of data, q(x, y) of a generator with the same p(y); factors are of the first row."""
    p, q = (random_tensor(examples, classes, seed=seed).exp() for seed in (1, 11))
    p[0] *= p_factor
    q[0] *= q_factor
    return p / p.sum(), q / q.sum(0) * p.sum(0) / p.sum()


INSTEAD = "it says {found:.3g} instead of {right:.3g}"
ONCE = f"where one of p and q is 0 {INSTEAD}; divide only once, by the sum of both."
HALF = f"where both are 0 {INSTEAD}; where this D never sees an example, say ½ (torch.where)."
RARE = f"for a rare x {INSTEAD}: add no constant to the sum, and do not clamp it."
ONE_CELL = torch.tensor([0.0, 1.0, 1.0])
TABLES = [
    ((5, 3), ""), ((4, 4), ""),  # of a square table, a turned one has the right shape
    ((5, 3, 0, 1), ONCE), ((5, 3, 1, 0), ONCE), ((5, 3, 0, 0), HALF),
    ((5, 3, ONE_CELL, ONE_CELL), HALF), ((5, 3, 1e-12, 1e-12), RARE),
]  # fmt: skip


def _one_of(found, place: int):
    """One of two tables that are returned; the first may come alone."""
    if isinstance(found, Tensor) and found.dim() == 2 and place == 0:
        return found
    pair = found.dim() == 3 if isinstance(found, Tensor) else isinstance(found, (tuple, list))
    if not pair or len(found) != 2:
        raise Wrong("return two tables: of a D that sees x and y, and of one that sees x only.")
    return found[place]


RATIO = "that is a ratio, which has no upper limit; D* is a probability, p over the sum of both."
NO_Q = "that is {}, in which q does not occur; D* compares p and q."
AVERAGED = "that averages what the other D says. Sum p and q over y first, and then divide."
OF_BOTH = [
    (lambda p, q: _best(q, p), "p and q are swapped: D says how likely a pair is real."),
    (lambda p, q: p / q, RATIO), (lambda p, q: q / p, RATIO),
    (lambda p, q: (p / q).log(), "that is the logit of D*; D* itself is the sigmoid of it."),
    (lambda p, q: _best(p, q).log(), "that is log D*; the log comes later, in V. Return D*."),
    (lambda p, q: 2 * _best(p, q), "twice too large: D* divides by the sum, not by the mean."),
    (lambda p, q: (p > q).float(), "that is a hard decision; D* says how sure one can be."),
]  # fmt: skip
UNCONDITIONAL = Exercise(
    "Exercise 2, the unconditional discriminator",
    _of_marginals(_best),
    cases=[Case(_tables(*given), but, "the unconditional D: ") for given, but in TABLES],
    mistakes=[
        *combined(_of_marginals, OF_BOTH),
        (_best, "that D has looked at y, since its rows differ from column to column. It compares "
         "p(x) with q(x), the sums over y."),
        (lambda p, q: _marginal(_best(p, q)) / p.shape[1], AVERAGED),
        (lambda p, q: _marginal(_best(p, q)), AVERAGED),
        (lambda p, q: _marginal(_best(p, q) * p.sum(0)), AVERAGED),
        (lambda p, q: _marginal(_best(p, q) * p) / _marginal(p), AVERAGED),
        (lambda p, q: _marginal(_best(p, q) * q) / _marginal(q), AVERAGED),
        (lambda p, q: 0 * p + 0.5, "½ everywhere: p.sum(0), the sum over x, is p(y). Use dim=1."),
        (lambda p, q: _of_marginals(_best)(p, q).T, "rows and columns are swapped: x names the "
         "rows. Keep the dimension that is summed, keepdim=True."),
        (lambda p, q: _marginal(p), NO_Q.format("p(x)")),
    ],
    result="one row an x, one column a y",
    shapes=lambda p, q: dict.fromkeys([(len(p),), (len(p), 1)], "that is one number for each x; "
                                      "make it a table (X, Y): .expand_as(p)."),
    read=lambda found: _one_of(found, 1),
    praise="",
)  # fmt: skip
check_best_discriminators = Exercise(
    "Exercise 2, the best discriminators",
    _best,
    cases=[Case(_tables(*given), but, "the conditional D: ") for given, but in TABLES],
    mistakes=[
        *OF_BOTH,
        (_of_marginals(_best), "that D sees x alone; this one scores every pair by itself. (Or are "
         "the two in the wrong order? The conditional D comes first.)"),
        (lambda p, q: 0 * p + 0.5, "½ everywhere: that D sees y alone. It sees x, too."),
        (lambda p, q: p / _marginal(p), NO_Q.format("p(y|x)")),
        (lambda p, q: p / p.sum(0), NO_Q.format("p(x|y)")),
        (lambda p, q: _best(p / _marginal(p), q / _marginal(q)), "that compares p(y|x) with "
         "q(y|x), and leaves out whether x is real at all; compare the joint probabilities."),
        (lambda p, q: p / (p + q).sum(), "divide by p + q, not by the sum of the whole table."),
    ],
    result="one row an x, one column a y",
    read=lambda found: _one_of(found, 0),
    also=[UNCONDITIONAL.examine],
    praise="right: one scores the pair, the other only what is left when y is summed out.",
)  # fmt: skip


# 3. Diversity within a class


def _spread(measure: Callable, average: Callable) -> Callable[[Tensor, Tensor], Tensor]:
    """A measure of each class's features (n, d), averaged by (measures, sizes) -> one number."""

    def spread(features: Tensor, labels: Tensor) -> Tensor:
        classes = [features[labels == label] for label in labels.unique()]
        sizes = torch.tensor([float(len(members)) for members in classes])
        return average(torch.stack([measure(members) for members in classes]), sizes)

    return spread


def _features(sizes: list[int], d: int, seed: int) -> tuple[Tensor, Tensor]:
    """Features (N, d) of classes of different sizes, places and spreads, mixed; labels (N,)."""
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    places = 3 * random_tensor(len(sizes), d, seed=seed + 1)[labels]
    return places + (0.5 + labels[:, None]) * random_tensor(len(labels), d, seed=seed), labels


TOGETHER = "everything together: ten memorized images look diverse. Take each class by itself."
APART = "that is how far the classes are from each other; take the spread inside each."
BIASED = "that divides by n; the unbiased variance divides by n - 1."
NUMBERS_AVERAGED = "that is the mean over the d numbers; the trace of the covariance is their sum."
OVER_NUMBERS = "that is the variance over the d numbers; it is taken over the images, dim=0."
ROOT = "that takes a root; the trace is the sum of the variances."
DIAGONAL = "the trace of the covariance matrix is the sum of the diagonal."
BY_SIZE = "large classes count for more; take the mean over classes, each counts once."
MEASURES = [
    (lambda x: x.var(0).sum(), ""),
    (lambda x: x.var(0, correction=0).sum(), BIASED),
    (lambda x: x.var(0).mean(), NUMBERS_AVERAGED),
    (lambda x: x.var(0, correction=0).mean(), f"{NUMBERS_AVERAGED} And {BIASED}"),
    (lambda x: x.var(), "each of the d numbers has a mean of its own: .var(dim=0), then the sum."),
    (lambda x: x.var(1).sum(), OVER_NUMBERS), (lambda x: x.var(1).mean(), OVER_NUMBERS),
    (lambda x: x.std(0).sum(), ROOT), (lambda x: x.std(0).mean(), ROOT),
    (lambda x: x.var(0).sum().sqrt(), ROOT),
    (lambda x: pdist(x).mean(), "that is the mean distance, which section 5 took; take the trace."),
    (lambda x: pdist(x).square().mean(), "the mean squared distance of two is twice the trace."),
    (lambda x: x.T.cov().sum(), DIAGONAL), (lambda x: x.T.cov().mean(), DIAGONAL),
    (lambda x: x.T.cov().norm(), DIAGONAL),
    (lambda x: x.square().sum(1).mean(), "the mean of the class is not subtracted."),
    (lambda x: (x - x.mean(0)).norm(dim=1).mean(), "the trace takes the squared distances."),
]  # fmt: skip
AVERAGES = [
    (lambda each, sizes: each.mean(), ""),
    (lambda each, sizes: each.sum(), "that is the sum over the classes; take their mean."),
    (lambda each, sizes: each @ sizes / sizes.sum(), BY_SIZE),
    (lambda each, sizes: each @ (sizes - 1) / (sizes - 1).sum(), BY_SIZE),
    (lambda each, sizes: each.mean().sqrt(), ROOT),
]
WITHIN = _spread(MEASURES[0][0], AVERAGES[0][0])
FEATURES, LABELS = _features([8, 2, 6, 4], 3, seed=2)
check_within_class_spread = Exercise(
    "Exercise 3, diversity within a class",
    lambda features, labels: WITHIN(features, labels).item(),
    cases=[
        Case(_features([3, 9, 5], 4, seed=1)),
        Case((FEATURES, LABELS)),
        Case((FEATURES, 3 * LABELS + 2), "right for the labels 0, 1, 2, 3, but for 2, 5, 8, 11 it "
             "gives {found:.3g} instead of {right:.3f}; go through labels.unique()."),
        Case((random_tensor(4, 3, seed=3)[LABELS], LABELS), "one image a class has no spread, and "
             "it gives {found:.3g}."),
    ],
    mistakes=[
        (lambda x, labels: x.var(0).sum(), TOGETHER),
        (lambda x, labels: x.var(0, correction=0).sum(), TOGETHER),
        (lambda x, labels: x.var(0).mean(), TOGETHER),
        (lambda x, labels: x.var(), TOGETHER),
        (lambda x, labels: pdist(x).mean(), TOGETHER),
        (_spread(lambda x: x.mean(0), lambda each, _: each.var(0).sum()), APART),
        (_spread(lambda x: x.mean(0), lambda each, _: each.var(0, correction=0).sum()), APART),
        *combined(_spread, MEASURES, AVERAGES),
    ],
    result="one number for all classes",
    shapes=lambda x, labels: {
        (len(labels.unique()),): "that is one number a class; return their mean.",
        (len(labels.unique()), x.shape[1]): "sum the variances of each class, and take the mean.",
        (x.shape[1],): "that is one number for each of d; the trace is their sum.",
        (x.shape[1], x.shape[1]): "that is a covariance matrix; return its trace.",
    },
    praise="right: each class by itself, each counts once, and one image a class gives 0.",
)  # fmt: skip
