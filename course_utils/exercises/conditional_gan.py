"""Checks of the exercises of notebook 05, conditional GANs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, pdist

from .checking import (
    Wrong,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
    random_tensor,
    tried,
)


def _listed(row: Tensor) -> str:
    return "[" + ", ".join(f"{number:.2f}" for number in row.tolist()) + "]"


# 1. Joined

ONE_NUMBER = (
    "the label is joined as one number, as if class 4 were four times as much as class 1, and 3 "
    "lay between 2 and 4. Classes have no order: give each a place of its own, one-hot."
)
JOIN_MISTAKES = [
    (lambda z, labels, classes: torch.cat([_hot(labels, classes), z], 1), "y stands before z; "
     "the generator takes [z, y], and its first weights belong to z."),
    (lambda z, labels, classes: torch.cat([z, labels[:, None]], 1), ONE_NUMBER),
    (lambda z, labels, classes: torch.cat([z, labels[:, None] / classes], 1), ONE_NUMBER),
    (lambda z, labels, classes: torch.cat([z, labels[:, None] / (classes - 1)], 1), ONE_NUMBER),
    (lambda z, labels, classes: torch.cat([z, one_hot(labels)], 1), "one_hot(labels) takes the "
     "largest label it sees for the last class, so the width depends on the batch, and here the "
     "last class does not occur: one_hot(labels, classes)."),
    (lambda z, labels, classes: torch.cat([z, one_hot(labels, classes + 1)], 1), "y has a place "
     "too many: the labels begin at 0, so there are `classes` of them."),
    (lambda z, labels, classes: _hot(labels, classes), "that is y alone; z is missing, and with "
     "it all that makes two images of a class differ."),
    (lambda z, labels, classes: z, "that is z alone; y is missing."),
    (lambda z, labels, classes: z + labels[:, None], "the label is added to z, where nothing can "
     "tell it from noise any more; it needs numbers of its own, beside z."),
    (lambda z, labels, classes: z * labels[:, None], "z is multiplied by the label, so class 0 "
     "has no noise left; y needs numbers of its own, beside z."),
    (lambda z, labels, classes: torch.cat([z, 2 * _hot(labels, classes) - 1], 1), "y is 1 at its "
     "class and 0 elsewhere, not -1: so W y picks one column of W."),
    (lambda z, labels, classes: torch.cat([z, 1 - _hot(labels, classes)], 1), "y is turned round: "
     "1 at its class, and 0 elsewhere."),
    (lambda z, labels, classes: torch.cat([z, z.new_zeros(len(z), classes)], 1), "y is 0 "
     "everywhere: that is what a player gets who is not told."),
    (lambda z, labels, classes: z[:, :, None] * _hot(labels, classes)[:, None], "that multiplies "
     "every number of z with every one of y; join them side by side, torch.cat(..., dim=1)."),
]  # fmt: skip
JOIN_CRASHES = {
    "Sizes of tensors must match": "join along dim=1: one row an example",
    "same number of dimensions": "labels is (N,); it must become a row for each example first, "
    "one-hot",
    "only applicable to index": "one_hot wants the labels as they come, whole numbers",
    "Class values must be smaller": "the labels go up to classes - 1",
}


def check_joined(answer) -> None:
    """Exercise 1: `joined(z, labels, classes)` -> (N, latent + classes)."""
    check("Exercise 1, joined", answer, _examine_joined)


def _hot(labels: Tensor, classes: int) -> Tensor:
    return one_hot(labels, classes).float()


def _batch_to_join(latent: int, classes: int, seed: int) -> tuple[Tensor, Tensor, int]:
    """z (6, latent), labels (6,) among which the last class is missing, and their number."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randperm(classes - 1, generator=generator).repeat(6)[:6]
    return random_tensor(6, latent, seed=seed), labels, classes


def _examine_joined(answer) -> str:
    for latent, classes, seed in ((3, 6, 1), (5, 4, 2)):
        _compare_joined(answer, *_batch_to_join(latent, classes, seed))
    return "right: z first, then one place for each class, also for one that no label names."


def _compare_joined(answer, z: Tensor, labels: Tensor, classes: int) -> None:
    given = z.clone().requires_grad_()
    found = ask(answer, given, labels.clone(), classes, crashes=JOIN_CRASHES)
    right = torch.cat([z, _hot(labels, classes)], 1)
    if isinstance(found, Tensor):
        if hint := explanation(found, tried(JOIN_MISTAKES, z, labels, classes)):
            raise Wrong(hint)
        if found.shape == right.shape and not found.is_floating_point():
            raise Wrong("the result holds whole numbers, so z has lost its decimals; turn the "
                        "one-hot vectors into floats, not z into integers.")  # fmt: skip
    found = ask_tensor(
        lambda: found, shape=tuple(right.shape), meaning="one row an example, latent + classes wide"
    )
    if not near(found, right):
        raise Wrong(
            f"for z = {_listed(z[0])} and label {labels[0]} of {classes} it gives "
            f"{_listed(found[0])} instead of {_listed(right[0])}."
        )
    if found.grad_fn is None:
        raise Wrong("right, but no gradient can flow back to z, and section 7 searches for z by "
                    "its gradient; leave out no_grad and .detach.")  # fmt: skip


# 2. The best discriminators


def check_best_discriminators(answer) -> None:
    """Exercise 2: `best_discriminators(p, q) -> (told, not_told)`, each (X, Y)."""
    check("Exercise 2, the best discriminators", answer, _examine_best)


def _best(p: Tensor, q: Tensor) -> Tensor:
    """p / (p + q), and ½ where neither has mass."""
    return torch.where(p + q > 0, p / (p + q), torch.tensor(0.5))


def _of_x(p: Tensor, q: Tensor) -> Tensor:
    """What D says that sees x alone, as a table (X, Y)."""
    return _best(p.sum(1, keepdim=True), q.sum(1, keepdim=True)).expand_as(p)


def _rows(table: Tensor, each: Tensor) -> Tensor:
    """One number a row (X,) as a table of the same shape as `table`."""
    return each[:, None].expand_as(table)


def _share(first: Tensor, second: Tensor) -> Tensor:
    return first / (first + second)


SWAPPED = "p and q are swapped: D says how likely a pair is real, so p stands on top."
RATIO = "that is a ratio, which has no upper limit; D* is a probability, p over the sum of both."
CONDITIONED = (
    "that compares p(y|x) with q(y|x): does x go with y? It leaves out whether x is real at all; "
    "compare the joint probabilities."
)
TOLD_MISTAKES = [
    (lambda p, q: _share(q, p), SWAPPED),
    (lambda p, q: p / q, RATIO),
    (lambda p, q: q / p, RATIO),
    (lambda p, q: (p / q).log(), "that is the logit of D*; D* itself is the sigmoid of it."),
    (lambda p, q: _share(p, q).log(), "that is log D*; the log comes later, in V. Return D*."),
    (lambda p, q: 2 * _share(p, q), "twice too large: D* divides by the sum, not by the mean."),
    (lambda p, q: (p > q).float(), "that is a hard decision; D* says how sure one can be."),
    (lambda p, q: _of_x(p, q), "that D sees x alone; one that is told sees the pair, and judges "
     "every cell of the table by itself."),
    (lambda p, q: torch.full_like(p, 0.5), "½ everywhere: that D sees y alone, and both tables "
     "have the same y by design. It sees x, too: judge every cell by itself."),
    (lambda p, q: p / p.sum(1, keepdim=True), "that is p(y|x), in which q does not occur; D* "
     "compares p and q, cell by cell."),
    (lambda p, q: p / p.sum(0), "that is p(x|y), in which q does not occur; D* compares p and q, "
     "cell by cell."),
    (lambda p, q: _share(p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)), CONDITIONED),
    (lambda p, q: p / (p + q).sum(), "every cell is judged by itself; divide by p + q there, not "
     "by the sum of the whole table."),
]  # fmt: skip
AVERAGED = (
    "that averages what the other D says. One that cannot see y compares the probabilities of x: "
    "sum p and q over y first, and then divide."
)
NOT_TOLD_MISTAKES = [
    (lambda p, q: _share(p, q), "that D has looked at y: its rows differ from column to column. "
     "It sees x alone, so it compares p(x) with q(x), the sums over y."),
    (lambda p, q: _rows(p, _share(p, q).mean(1)), AVERAGED),
    (lambda p, q: _rows(p, _share(p, q).sum(1)), AVERAGED),
    (lambda p, q: _rows(p, _share(p, q) @ p.sum(0)), AVERAGED),
    (lambda p, q: _rows(p, (_share(p, q) * p).sum(1) / p.sum(1)), AVERAGED),
    (lambda p, q: _rows(p, (_share(p, q) * q).sum(1) / q.sum(1)), AVERAGED),
    (lambda p, q: torch.full_like(p, 0.5), "½ everywhere: p.sum(0) is p(y), the sum over x, and y "
     "is what this D cannot see. It sees x: sum over y, dim=1."),
    (lambda p, q: _of_x(q, p), SWAPPED),
    (lambda p, q: _rows(p, p.sum(1) / q.sum(1)), RATIO),
    (lambda p, q: _rows(p, q.sum(1) / p.sum(1)), RATIO),
    (lambda p, q: _of_x(p, q).T, "rows and columns are swapped: x names the rows, so what this D "
     "says is the same all along a row. Keep the dimension that is summed, keepdim=True."),
    (lambda p, q: _rows(p, p.sum(1)), "that is p(x), in which q does not occur; D* compares p(x) "
     "and q(x)."),
]  # fmt: skip
HALF = (
    "no example ever lies there, so V does not depend on D; say ½, for example with torch.where, "
    "or .nan_to_num(0.5)."
)


def _tables(examples: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """p(x, y) of data and q(x, y) of a generator with the same p(y), all positive."""
    p = random_tensor(examples, classes, seed=seed).exp()
    p = p / p.sum()
    q = random_tensor(examples, classes, seed=seed + 10).exp()
    return p, q / q.sum(0) * p.sum(0)


def _tables_with_holes() -> tuple[Tensor, Tensor]:
    """The same with cells where one of them, or both, are 0, and an x that never comes."""
    p, q = _tables(6, 3, seed=3)
    p[0, 1] = q[0, 1] = 0
    p[1, 0] = q[2, 2] = 0
    p[5] = q[5] = 0
    p = p / p.sum()
    return p, q / q.sum(0) * p.sum(0)


def _examine_best(answer) -> str:
    # The square comes second: there a table that is turned round fits, and is wrong.
    for p, q in (_tables(5, 3, seed=1), _tables(4, 4, seed=2)):
        _compare_best(answer, p, q)
    _examine_holes(answer)
    rare_p, rare_q = _tables(5, 3, seed=4)
    rare = torch.tensor([1.0, 1.0, 1e-12])
    told, _ = _ask_tables(answer, rare_p * rare, rare_q * rare)
    if not near(told, _share(rare_p, rare_q)):
        raise Wrong("right for large probabilities, but in a class that comes once in 1e12 pairs "
                    "D* changes, and only the ratio of p and q counts: add no constant to the "
                    "sum, and do not clamp it.")  # fmt: skip
    return "right: one judges the pair, the other only what is left when y is summed out."


def _ask_tables(answer, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    result = ask(answer, p.clone(), q.clone())
    if isinstance(result, Tensor) and result.dim() == 3:
        result = tuple(result)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("return two tables: told, not_told.")
    told, not_told = (
        table.float() if isinstance(table, Tensor) and not table.is_floating_point() else table
        for table in result  # a comparison: what is wrong with it is said by its values
    )
    if isinstance(not_told, Tensor) and not_told.shape in {(len(p),), (len(p), 1)}:
        raise Wrong("the second has one number for each x; give it as a table (X, Y), too, the "
                    "same along each row, so that the two can be compared: "
                    ".expand_as(p).")  # fmt: skip
    for name, table in (("told", told), ("not_told", not_told)):
        if not isinstance(table, Tensor):
            raise Wrong(f"{name} must be a tensor; this is {type(table).__name__}.")
        if table.shape != p.shape:
            raise Wrong(f"{name} has shape {tuple(table.shape)} and should have {tuple(p.shape)}: "
                        "one row an x, one column a y.")  # fmt: skip
    return told, not_told


def _compare_best(answer, p: Tensor, q: Tensor) -> None:
    told, not_told = _ask_tables(answer, p, q)
    if near(told, _of_x(p, q)) and near(not_told, _best(p, q)):
        raise Wrong("both tables are right, and in the wrong order: return told, not_told.")
    rights = {"told": _best(p, q), "not told": _of_x(p, q)}
    mistakes = {"told": TOLD_MISTAKES, "not told": NOT_TOLD_MISTAKES}
    for (who, right), table in zip(rights.items(), (told, not_told)):
        if near(table, right):
            continue
        raise Wrong(
            f"the D that is {who}: "
            + (
                explanation(table, tried(mistakes[who], p, q))
                or f"in the first cell p = {p[0, 0]:.3f} and q = {q[0, 0]:.3f}, and the rows sum "
                f"to {p[0].sum():.3f} and {q[0].sum():.3f}; it says {table[0, 0]:.3f} instead of "
                f"{right[0, 0]:.3f}."
            )
        )


def _examine_holes(answer) -> None:
    p, q = _tables_with_holes()
    empty = {"told": p + q == 0, "not told": (p + q == 0).all(1, keepdim=True).expand_as(p)}
    rights = {"told": _best(p, q), "not told": _of_x(p, q)}
    for table, (who, right) in zip(_ask_tables(answer, p, q), rights.items()):
        if near(table, right):
            continue
        said = table[empty[who]]
        if not near(said, torch.full_like(said, 0.5)):
            raise Wrong(f"right where p or q is positive, but where both are 0 the D that is {who} "
                        f"says {said[0]:.3g}: {HALF}")  # fmt: skip
        x, y = divmod(int((table - right).nan_to_num(1).abs().argmax()), p.shape[1])
        raise Wrong(
            f"right where all are positive, but where p = {p[x, y]:.3f} and q = {q[x, y]:.3f} the "
            f"D that is {who} says {table[x, y]:.3g} instead of {right[x, y]:.3g}; divide only "
            "once, by the sum of both."
        )


# 3. An age between two stages

SOFTMAX = (
    "that is a softmax, or some other bell: every stage gets a share, however far away. Only the "
    "two neighbours share, and a whole age is one-hot, as in training."
)
WIDE = (
    "the weights reach too far, to stages that are no neighbours, and do not sum to 1: a stage "
    "one whole step away gets 0."
)
CURVED = "the shares sum to 1, but not linearly: a quarter of the way is ¾ and ¼."
SOFT_MISTAKES = [
    (lambda a, k: _hot(a.round().long(), k), "the age is rounded to a stage, so 0.6 and 1.4 are "
     "the same, and it jumps in between; share the 1 between the two neighbours."),
    (lambda a, k: _hot(a.floor().long(), k), "the age is cut off to the stage below; share the 1 "
     "between the two neighbours."),
    (lambda a, k: _hot(a.ceil().long(), k), "the age is moved to the stage above; share the 1 "
     "between the two neighbours."),
    (lambda a, k: (1 - _away(a, k)), "far stages get negative numbers; the share of a stage is 0 "
     "where it is a step or more away: .clamp(min=0)."),
    (lambda a, k: (1 - _away(a, k)).abs(), "far stages get shares, too; the share of a stage is 0 "
     "where it is a step or more away: .clamp(min=0), not .abs()."),
    (lambda a, k: torch.where(_away(a, k) < 1, _away(a, k), 0.0), "the shares are the wrong way "
     "round: the nearer stage gets the larger one."),
    (lambda a, k: (_away(a, k) < 1).float() / 2, "both neighbours get half; the nearer one gets "
     "more."),
    (lambda a, k: (_away(a, k) < 1).float(), "both neighbours get 1; they share it."),
    (lambda a, k: _away(a, k), "those are the distances to the stages; a stage gets the more the "
     "nearer it is."),
    (lambda a, k: (1 - _away(a, k)).clamp(min=0).square(), "the shares are squared, so they do "
     "not sum to 1 between stages; share linearly."),
    (lambda a, k: (1 - _away(a, k).square()).clamp(min=0), "the distance is squared, so the "
     "shares do not sum to 1 between stages; share linearly."),
    (lambda a, k: (1 - _away(a, k) / 2).clamp(min=0), WIDE),
    (lambda a, k: (1 - _away(a, k) / (k - 1)).clamp(min=0), WIDE),
    (lambda a, k: (1 - _away(a, k) / k).clamp(min=0), WIDE),
    (lambda a, k: (a[:, None] - torch.arange(k)).clamp(0, 1), "that is a thermometer, filled up "
     "to the age; training saw one-hot stages, so a whole age must be one-hot."),
    (lambda a, k: (a[:, None] - torch.arange(k) + 1).clamp(0, 1), "that is a thermometer, filled "
     "up to the age; training saw one-hot stages, so a whole age must be one-hot."),
    (lambda a, k: (-_away(a, k)).softmax(1), SOFTMAX),
    (lambda a, k: (-_away(a, k).square()).softmax(1), SOFTMAX),
    (lambda a, k: (-_away(a, k).square() / 2).softmax(1), SOFTMAX),
    (lambda a, k: (-_away(a, k).square()).exp(), SOFTMAX),
    (lambda a, k: (-_away(a, k)).exp(), SOFTMAX),
    (lambda a, k: (1 - _away(a, k)).softmax(1), SOFTMAX),
    (lambda a, k: (1 - _away(a, k)).clamp(min=0).softmax(1), SOFTMAX),
    (lambda a, k: 1 / (1 + _away(a, k)), SOFTMAX),
    (lambda a, k: (torch.pi / 2 * _away(a, k).clamp(max=1)).cos().square(), CURVED),
]  # fmt: skip
SOFT_CRASHES = {
    "Class values must be smaller": "at the last stage there is none above",
    "out of bounds": "at the last stage there is none above",
    "only applicable to index": "one_hot takes whole numbers only; an age between two stages is "
    "a share of each",
}


def check_soft_one_hot(answer) -> None:
    """Exercise 3: `soft_one_hot(age, stages)` -> (N, stages) for real ages (N,)."""
    check("Exercise 3, between two stages", answer, _examine_soft)


def _away(age: Tensor, stages: int) -> Tensor:
    """How far each age is from each stage, (N, stages)."""
    return (age[:, None] - torch.arange(stages)).abs()


def _soft(age: Tensor, stages: int) -> Tensor:
    return (1 - _away(age, stages)).clamp(min=0)


BETWEEN = torch.tensor([0.1, 0.35, 0.8, 1.3, 1.65, 1.9])


def _examine_soft(answer) -> str:
    for stages in (3, 5):
        ages = BETWEEN + stages - 3
        found = _ask_soft(answer, ages, stages)
        right = _soft(ages, stages)
        if not near(found, right):
            raise Wrong(
                explanation(found, tried(SOFT_MISTAKES, ages, stages))
                or _say_soft(found, right, ages)
            )
        # The whole ages, and with them the last stage, which has none above.
        ages = torch.cat([torch.arange(float(stages)), BETWEEN])
        found, right = _ask_soft(answer, ages, stages), _soft(ages, stages)
        if not near(found, right):
            raise Wrong(f"right between two stages, but {_say_soft(found, right, ages)}")
    return "right: a whole age is one-hot, and in between two stages share the 1."


def _ask_soft(answer, ages: Tensor, stages: int) -> Tensor:
    found = ask(answer, ages.clone(), stages, crashes=SOFT_CRASHES)
    if isinstance(found, Tensor) and not found.is_floating_point():
        found = found.float()  # one-hot: what is wrong with it is said by its values
    if isinstance(found, Tensor) and found.shape in {(len(ages),), (len(ages), 1)}:
        raise Wrong("that is one number an age, as if an old face were twice an adult one; give "
                    "each stage a place of its own: (N, stages).")  # fmt: skip
    return ask_tensor(
        lambda: found, shape=(len(ages), stages), meaning="one row an age, one column a stage"
    )


def _say_soft(found: Tensor, right: Tensor, ages: Tensor) -> str:
    worst = int((found - right).abs().sum(1).argmax())
    total = found[worst].sum().item()
    sums = "" if abs(total - 1) < 1e-3 else f", and its shares sum to {total:.2f}"
    return (
        f"an age of {ages[worst]:.2f} gives {_listed(found[worst])} instead of "
        f"{_listed(right[worst])}{sums}."
    )


# 4. Diversity within a class


def _crowds(features: Tensor, labels: Tensor) -> list[Tensor]:
    return [features[labels == label] for label in labels.unique()]


def _of_classes(measure: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean over classes of a measure of one class's features (n, d)."""
    return lambda x, labels: torch.stack([measure(c) for c in _crowds(x, labels)]).mean()


def _weighted(weight: Callable[[int], int]) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean over classes of the traces, each weighted by a number that depends on its size."""

    def mean(x: Tensor, labels: Tensor) -> Tensor:
        crowds = _crowds(x, labels)
        weights = torch.tensor([float(weight(len(crowd))) for crowd in crowds])
        return (weights * torch.stack([c.var(0).sum() for c in crowds])).sum() / weights.sum()

    return mean


_within = _of_classes(lambda c: c.var(0).sum())
TOGETHER = (
    "that is the spread of everything together, which is large already because the classes "
    "differ: ten images learnt by heart would look diverse. Take each class by itself."
)
BETWEEN_CLASSES = (
    "that is how far the classes are from each other; ten images learnt by heart would look "
    "diverse. Take the spread inside each class."
)
NUMBERS_AVERAGED = "that is the mean over the d numbers; the trace of the covariance is their sum."
BIASED = (
    "that divides by n; the unbiased variance divides by n - 1, or small classes look less "
    "diverse than they are."
)
BY_SIZE = "large classes count for more; take the mean over classes, each counts once."
DEVIATION = "that takes a root; the trace is the sum of the variances."
SPREAD_MISTAKES = [
    (lambda x, y: x.var(0).sum(), TOGETHER),
    (lambda x, y: x.var(0, correction=0).sum(), TOGETHER),
    (lambda x, y: x.var(0).mean(), TOGETHER),
    (lambda x, y: x.var(), TOGETHER),
    (lambda x, y: pdist(x).mean(), TOGETHER),
    (lambda x, y: torch.stack([c.mean(0) for c in _crowds(x, y)]).var(0).sum(), BETWEEN_CLASSES),
    (lambda x, y: torch.stack([c.mean(0) for c in _crowds(x, y)]).var(0, correction=0).sum(),
     BETWEEN_CLASSES),
    (lambda x, y: len(y.unique()) * _within(x, y), "that is the sum over the classes; take their "
     "mean."),
    (_weighted(lambda n: n), BY_SIZE),
    (_weighted(lambda n: n - 1), BY_SIZE),
    (_of_classes(lambda c: c.var(0, correction=0).sum()), BIASED),
    (lambda x, y: _weighted(lambda n: n - 1)(x, y) * (len(x) - len(y.unique())) / len(x),
     f"{BIASED} And {BY_SIZE}"),
    (_of_classes(lambda c: c.var(0).mean()), NUMBERS_AVERAGED),
    (_of_classes(lambda c: c.var(0, correction=0).mean()), f"{NUMBERS_AVERAGED} And {BIASED}"),
    (_of_classes(lambda c: c.var()), "that is the variance of all numbers of a class together; "
     "every number has a mean of its own: .var(dim=0), and then the sum."),
    (_of_classes(lambda c: c.var(1).sum()), "that is the variance over the d numbers of each "
     "image; it is taken over the images, dim=0."),
    (_of_classes(lambda c: c.var(1).mean()), "that is the variance over the d numbers of each "
     "image; it is taken over the images, dim=0."),
    (_of_classes(lambda c: c.std(0).sum()), DEVIATION),
    (_of_classes(lambda c: c.std(0).mean()), DEVIATION),
    (_of_classes(lambda c: c.var(0).sum().sqrt()), DEVIATION),
    (lambda x, y: _within(x, y).sqrt(), DEVIATION),
    (_of_classes(lambda c: pdist(c).mean()), "that is the mean distance of two images of a "
     "class, which section 3 took; here it is the trace of the covariance."),
    (_of_classes(lambda c: pdist(c).square().mean()), "twice too large: the mean squared distance "
     "of two images is twice the trace."),
    (_of_classes(lambda c: c.T.cov().sum()), "that sums the whole covariance matrix; its trace "
     "is the sum of the diagonal."),
    (_of_classes(lambda c: c.T.cov().norm()), "that is the norm of the covariance matrix; its "
     "trace is the sum of the diagonal."),
    (_of_classes(lambda c: c.T.cov().mean()), "that is the mean of the covariance matrix; its "
     "trace is the sum of the diagonal."),
    (_of_classes(lambda c: c.square().sum(1).mean()), "the mean of the class is not subtracted; "
     "the variance is the mean squared distance to it."),
    (_of_classes(lambda c: (c - c.mean(0)).norm(dim=1).mean()), "that is the mean distance to the "
     "middle of the class; the trace takes the squared distances."),
]  # fmt: skip


def check_within_class_spread(answer) -> None:
    """Exercise 4: `within_class_spread(features, labels) -> one number`."""
    check("Exercise 4, diversity within a class", answer, _examine_spread)


def _crowd(sizes: tuple[int, ...], numbers: int, seed: int) -> tuple[Tensor, Tensor]:
    """Features (N, d) of classes of different sizes, places and spreads, mixed; labels (N,)."""
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    places = 3 * random_tensor(len(sizes), numbers, seed=seed + 1)
    spread = 0.5 + torch.arange(len(sizes))
    noise = random_tensor(len(labels), numbers, seed=seed)
    features = places[labels] + spread[labels, None] * noise
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return features[order], labels[order]


def _examine_spread(answer) -> str:
    for seed, sizes, numbers in ((1, (3, 9, 5), 4), (2, (8, 2, 6, 4), 3)):
        features, labels = _crowd(sizes, numbers, seed)
        found, right = _ask_spread(answer, features, labels), _within(features, labels)
        if not near(found, right):
            raise Wrong(
                explanation(found, tried(SPREAD_MISTAKES, features, labels))
                or f"for classes of {_sizes(sizes)} examples it gives {found:.3f} instead of "
                f"{right:.3f}: the variances of the d numbers, summed, and the mean over classes."
            )
    found = _ask_spread(answer, features, 3 * labels + 2)
    if not near(found, right):
        raise Wrong(
            f"right for the labels 0, 1, 2, 3, but for 2, 5, 8, 11 it gives {found:.3g} instead "
            f"of {right:.3f}. A class that does not occur must not be counted; go through "
            "labels.unique()."
        )
    by_heart = random_tensor(4, numbers, seed=3)[labels]
    found = _ask_spread(answer, by_heart, labels)
    if not near(found, torch.tensor(0.0), 1e-3):
        raise Wrong(f"one image a class has no spread, and it gives {found:.3g}.")
    return "right: each class by itself, each counts once, and one image a class gives 0."


def _sizes(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes[:-1])) + f" and {sizes[-1]}"


def _ask_spread(answer, features: Tensor, labels: Tensor) -> Tensor:
    found = ask(answer, features.clone(), labels.clone())
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return torch.tensor(float(found))
    classes, numbers = len(labels.unique()), features.shape[1]
    shapes = {
        (classes,): "that is one number a class; return their mean.",
        (classes, numbers): "those are the variances of each class; sum them over the d numbers, "
        "and take the mean over the classes.",
        (numbers,): "that is one number for each of d; the trace is their sum.",
        (numbers, numbers): "that is a covariance matrix; return its trace.",
    }
    if isinstance(found, Tensor) and tuple(found.shape) in shapes:
        raise Wrong(shapes[tuple(found.shape)])
    if isinstance(found, Tensor) and found.dim() == 0:
        return found.float()  # NaN, too: what is wrong with it is said where it is compared
    return ask_tensor(lambda: found, shape=(), meaning="one number for all classes")


# 5. The search


class _Painter(nn.Module):
    """A generator whose z can be found: tanh(A z + B y), with A's columns orthonormal.

    Its images are (N, 1, 3, 3), from z (N, 3) and y (N, 2).
    """

    def __init__(self):
        super().__init__()
        columns, _ = torch.linalg.qr(random_tensor(9, 3, seed=1))
        self.of_z = nn.Parameter(columns.T.clone())
        self.of_y = nn.Parameter(0.3 * random_tensor(2, 9, seed=2))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return (z @ self.of_z + y @ self.of_y).tanh().view(-1, 1, 3, 3)


def _sitting() -> tuple[Tensor, Tensor, Tensor]:
    """Images (5, 1, 3, 3), their y (5, 2), and where to start, (5, 3)."""
    y = one_hot(torch.tensor([0, 1, 1, 0, 1]), 2).float()
    with torch.no_grad():
        target = _Painter()(0.7 * random_tensor(5, 3, seed=3), y)
    return target, y, 0.7 * random_tensor(5, 3, seed=6)


def _search(
    reduce=lambda squared: squared.sum(),
    optimiser=torch.optim.SGD,
    forget=True,
    extra=0,
    anew=False,
) -> Callable[..., Tensor]:
    """The search with one of its parts replaced.

    Args:
        reduce: squared differences (N, 1, 3, 3) -> the loss.
        optimiser: of z.
        forget: whether the gradient is set back to zero before each step.
        extra: how many steps too many.
        anew: whether each step has an optimiser of its own.
    """

    def find(generator, target, y, start, steps, rate):
        z = start.clone().requires_grad_()
        descent = optimiser([z], lr=rate)
        for _ in range(steps + extra):
            if anew:
                descent = optimiser([z], lr=rate)
            if forget:
                z.grad = None
            loss = reduce((generator(z, y) - target).square())
            loss.backward(inputs=[z])
            descent.step()
        return z.detach()

    return find


Adam = torch.optim.Adam
UPHILL = "it goes uphill: subtract the gradient."
ACCUMULATED = (
    "the gradients of earlier steps are added to the new one, because .backward() adds to z.grad; "
    "set it back before each step, with optimiser.zero_grad() or z.grad = None."
)
STEPS_OFF = "that is one step too {}: take exactly `steps`."
FIND_MISTAKES = [
    (_search(lambda d: d.sum((1, 2, 3)).mean()), "the loss is averaged over the batch, so every z "
     "takes N times smaller a step, and the more images are searched for the slower it gets. "
     "Sum over the batch: each z occurs only in its own term."),
    (_search(lambda d: d.mean()), "the loss is averaged over pixels and batch, so every z takes a "
     "much smaller step, and the more images are searched for the slower it gets. Sum: each z "
     "occurs only in its own term."),
    (_search(lambda d: d.mean((1, 2, 3)).sum()), "the loss is averaged over the pixels; ‖·‖² is "
     "their sum."),
    (_search(lambda d: d.sum((1, 2, 3)).sqrt().sum()), "the square of the norm is missing: its "
     "slope does not fade near the target, so the steps jump over it."),
    (_search(lambda d: d.sum().sqrt()), "that is the norm over the whole batch; take each "
     "image's squared norm, and their sum."),
    (_search(lambda d: -d.sum()), UPHILL),
    (_search(lambda d: -d.sum(), Adam), UPHILL),
    (_search(forget=False), ACCUMULATED),
    (_search(optimiser=Adam, forget=False), ACCUMULATED),
    (_search(optimiser=Adam, anew=True), "Adam is made anew in every step and forgets how steep "
     "it was, so every number moves by `rate` and jumps over the target in the end; make it once, "
     "before the loop."),
    (_search(extra=-1), STEPS_OFF.format("few")),
    (_search(extra=1), STEPS_OFF.format("many")),
    (_search(optimiser=Adam, extra=-1), STEPS_OFF.format("few")),
    (_search(optimiser=Adam, extra=1), STEPS_OFF.format("many")),
]  # fmt: skip
NEEDS_GRADIENT = "z must have .requires_grad_() before the generator sees it"
FIND_CRASHES = {
    "does not require grad": NEEDS_GRADIENT,
    "requires_grad=False": NEEDS_GRADIENT,
    "optimize a non-leaf": "a tensor made by arithmetic is no leaf: start.clone().detach()"
    ".requires_grad_(), in this order",
    "is being used in an in-place operation": "change z under torch.no_grad(), or make a new z",
    "a second time": "detach z after each step, so that each has a graph of its own",
    "only for scalar outputs": "sum the losses of the batch; each z occurs only in its own term",
    "NoneType": "a tensor made by arithmetic keeps no .grad; torch.autograd.grad(loss, z) returns "
    "the gradient",
    "appears to not have been used": "differentiate by the z that the generator was given",
}
RATE = 0.1


def check_find_latent(answer) -> None:
    """Exercise 5: `find_latent(generator, target, y, start, steps, rate)` -> (N, latent)."""
    check("Exercise 5, the search", answer, _examine_find)


def _examine_find(answer) -> str:
    target, y, start = _sitting()
    found = _ask_find(answer, target, y, start, 4)
    _judge_way(found, start)
    if hint := explanation(found, tried(FIND_MISTAKES, _Painter(), target, y, start, 4, RATE)):
        raise Wrong(hint)
    if near(found, _ask_find(answer, target, y, start, 12), 1e-5):
        raise Wrong("4 and 12 steps end at the same place; take as many as `steps` says.")
    first, twice = (_ask_find(answer, target, y, start, 1, rate) for rate in (RATE, 2 * RATE))
    if near(first, twice, 1e-5):
        raise Wrong("a step at twice the rate is as long as before; multiply it by `rate`.")
    alone = _ask_find(answer, target[:1], y[:1], start[:1], 4)
    if not near(alone, found[:1], 1e-3):
        raise Wrong("searched for alone, the first image gets another z than in a batch of five; "
                    "each example's search is its own, so sum over the batch.")  # fmt: skip
    _judge_arrival(_ask_find(answer, target, y, start, 200), target, y, start)
    return "right: every z goes its own way, and the generator is as it was."


def _ask_find(answer, target, y, start, steps: int, rate: float = RATE) -> Tensor:
    """z of one call (N, latent), which must leave all that it was given as it was."""
    generator, begin = _Painter(), start.clone()
    given = generator, target.clone(), y.clone(), begin, steps, rate
    found = ask(answer, *given, crashes=FIND_CRASHES)
    _judge_generator(generator)
    if not torch.equal(begin.detach(), start):
        raise Wrong("your function changes `start` itself, and a second search would begin where "
                    "the first ended; work on start.clone().")  # fmt: skip
    if begin.requires_grad:
        raise Wrong("your function turns on the gradient of `start` itself; work on "
                    "start.clone().")  # fmt: skip
    if isinstance(found, Tensor) and found.numel() == start[0].numel() < start.numel():
        raise Wrong("that is one z for all; each example has its own: (N, latent).")
    found = ask_tensor(
        lambda: found, shape=tuple(start.shape), meaning="one z an example, as in `start`"
    )
    if found.requires_grad:
        raise Wrong("z is returned with its graph, so whoever uses it goes on differentiating "
                    "through all steps; return z.detach().")  # fmt: skip
    return found


def _judge_generator(generator: _Painter) -> None:
    for now, before in zip(generator.parameters(), _Painter().parameters()):
        if not torch.equal(now, before):
            raise Wrong("the generator's weights have moved; z alone is searched for, so only z is "
                        "given to the optimiser.")  # fmt: skip
        if now.grad is not None and now.grad.any():
            raise Wrong("your function leaves gradients in the generator's weights, and its next "
                        "training step would add to them: .backward(inputs=[z]), or "
                        "torch.autograd.grad(loss, z).")  # fmt: skip
        if not now.requires_grad:
            raise Wrong("the generator comes back frozen, and would silently train no more; leave "
                        "its requires_grad alone and differentiate by z only: "
                        "torch.autograd.grad(loss, z).")  # fmt: skip


def _judge_way(found: Tensor, start: Tensor) -> None:
    way = found - start
    if not way.any():
        raise Wrong("z has not moved from `start`.")
    if near(found, found[:1].expand_as(found)):
        raise Wrong("one z is searched for that should serve all; each example has its own.")
    if near(way, way[:1].expand_as(way)):
        raise Wrong("all z move by the same amount, as if one were searched for; each example has "
                    "its own gradient, a row of (N, latent).")  # fmt: skip


def _judge_arrival(found: Tensor, target: Tensor, y: Tensor, start: Tensor) -> None:
    with torch.no_grad():
        before, after = (
            (_Painter()(z, y) - target).square().sum((1, 2, 3)) for z in (start, found)
        )
    worst = int((after / before).argmax())
    if after[worst] > 0.02 * before[worst]:  # what bounces around the target is near enough
        raise Wrong(
            f"after 200 steps at rate {RATE} the squared difference of image {worst} has gone "
            f"from {before[worst]:.3f} to {after[worst]:.3g}, and there is a z that makes it 0."
        )
