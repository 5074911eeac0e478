"""Answers to the exercises of lesson 05."""

import torch
from torch.nn.functional import one_hot, pdist

from course_utils.exercises.conditional_gan import UNCONDITIONAL


def joined(z, labels, classes):
    return torch.cat([z, one_hot(labels, classes)], 1)


def share(first, second):
    return first / (first + second)


def best(p, q):
    unconditional = share(p.sum(1, True), q.sum(1, True)).nan_to_num(0.5).expand_as(p)
    return share(p, q).nan_to_num(0.5), unconditional


def best_by_average(p, q):
    """The unconditional D says the mean of the conditional one, over the mixture."""
    each, weight = torch.where(p + q > 0, p / (p + q), 0.5), p + q
    mean = (each * weight).sum(1) / weight.sum(1)
    return [each, torch.where(mean.isnan(), 0.5, mean)[:, None].repeat(1, p.shape[1])]


def best_within_classes(p, q):
    """p(x|y) against q(x|y), which is the same because both have the same p(y)."""
    return share(p / p.sum(0), q / q.sum(0)).nan_to_num(0.5), best(p, q)[1]


def conditional(table):
    """An answer whose first table is another."""
    return lambda p, q: (table(p, q), best(p, q)[1])


def unconditional(table):
    """An answer whose second table is another."""
    return lambda p, q: (best(p, q)[0], table(p, q))


def right_until_square(p, q):
    square = p.shape[0] == p.shape[1]
    return share(p.sum(1), q.sum(1)).expand_as(p) if square else best(p, q)[1]


def of_classes(measure, names=torch.unique, average=torch.mean):
    return lambda x, y: average(torch.stack([measure(x[y == each]) for each in names(y)]))


def trace(x):
    return x.var(0).sum()


spread = of_classes(trace)


def spread_by_one_hot(features, labels):
    _, place, count = labels.unique(return_inverse=True, return_counts=True)
    y = one_hot(place).float()
    squared = (features - (y.T @ features / count[:, None])[place]).square().sum(1)
    return (y.T @ squared / (count - 1)).mean()


RIGHT = {
    "joined": [
        lambda z, k, n: torch.hstack([z, torch.zeros(len(z), n).scatter(1, k[:, None], 1.0)]),
        lambda z, k, n: torch.cat([z, (k[:, None] == torch.arange(n))], 1),
        lambda z, k, n: joined(z, k, n).double(),
    ],
    "best_discriminators": [
        best_by_average, best_within_classes,
        lambda p, q: torch.stack(best(p, q)),
        lambda p, q: best(p.double(), q.double()),
    ],
    "within_class_spread": [
        spread_by_one_hot,
        lambda x, y: spread(x, y).item(),
        of_classes(lambda x: x.T.cov().trace()),
        of_classes(lambda x: pdist(x).square().mean() / 2),
    ],
}  # fmt: skip
WRONG = {
    "joined": [
        (lambda z, k, n: torch.cat([z, one_hot(k, n)], 0), "join along dim=1"),
        (lambda z, k, n: torch.cat([z, k], 1), "it must become a row for each example"),
        (lambda z, k, n: torch.cat([z, one_hot(k.float(), n)], 1), "as they come, whole numbers"),
        (lambda z, k, n: torch.cat([z, one_hot(k + 1, n - 1)], 1), "labels go up to classes - 1"),
        (lambda z, k, n: joined(z.detach(), k, n), "no gradient can flow back"),
        (lambda z, k, n: joined(z, (k + 1) % n, n), "instead of"),
        (lambda z, k, n: joined(z, k, 6), "has shape (6, 11) and should have (6, 9)"),
    ],
    "best_discriminators": [
        *((unconditional(mistake), hint) for mistake, hint in UNCONDITIONAL.mistakes),
        (conditional(lambda p, q: share(p, q).square()), "the conditional D: for p = "),
        (unconditional(lambda p, q: best(p, q)[1].sqrt()), "the unconditional D: for p = "),
        (lambda p, q: best(p, q)[::-1], "in the wrong order"),
        (lambda p, q: best(p, q)[0], "return two tables"),
        (conditional(lambda p, q: share(p, q).tolist()), "return a tensor; this is list"),
        (unconditional(lambda p, q: best(p, q)[1][:, 0]), "one number for each x"),
        (unconditional(right_until_square), "rows and columns are swapped"),
        (conditional(share), "where both are 0 it says nan"),
        (conditional(lambda p, q: p / (p + q + 1e-12)), "where both are 0 it says 0"),
        (unconditional(lambda p, q: best(p, q)[1].where(p + q > 0, 0.5)), "where both are 0"),
        (conditional(lambda p, q: (p / q).nan_to_num(1, 0) / (1 + (p / q).nan_to_num(1))), "once"),
        (conditional(lambda p, q: (p + 1e-8) / (p + q + 2e-8)), "add no constant to the sum"),
        (conditional(lambda p, q: share(p.clamp(min=1e-9), q.clamp(min=1e-9))), "do not clamp it"),
    ],
    "within_class_spread": [
        (of_classes(trace, average=torch.clone), "one number a class; return their mean"),
        (of_classes(lambda x: x.var(0), average=torch.clone), "the variances of each class"),
        (lambda x, y: x.var(0), "the trace is their sum"),
        (lambda x, y: x.T.cov(), "return its trace"),
        (lambda x, y: x, "one number for all classes"),
        (of_classes(trace, lambda y: range(max(y) + 1)), "for 2, 5, 8, 11 it gives nan"),
        (lambda x, y: spread(x, y) + 1, "it gives 9.453 instead of 8.453"),
        (lambda x, y: spread(x, y).clamp(min=0.01), "one image a class has no spread"),
    ],
}
