"""The exercises of notebook 05: right answers pass, and each usual mistake gets its hint."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.nn.functional import one_hot

from course_utils.exercises import conditional_gan as exercises
from tests.wrong_answers import (
    are_told_apart,
    gets_hint,
    gets_some_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)


def joined(z, labels, classes):
    return torch.cat([z, one_hot(labels, classes).to(z.dtype)], dim=1)


def joined_by_hand(z, labels, classes):
    rows = []
    for example, label in zip(z, labels.tolist()):
        y = torch.tensor([float(place == label) for place in range(classes)])
        rows.append(torch.cat([example, y]))
    return torch.stack(rows)


def joined_by_scatter(z, labels, classes):
    return torch.hstack([z, torch.zeros(len(z), classes).scatter(1, labels[:, None], 1.0)])


def share(first, second):
    return first / (first + second)


def best(p, q):
    told = share(p, q).nan_to_num(0.5)
    not_told = share(p.sum(1, keepdim=True), q.sum(1, keepdim=True)).nan_to_num(0.5)
    return told, not_told.expand_as(p)


def best_by_hand(p, q):
    told, not_told = torch.full_like(p, 0.5), torch.full_like(p, 0.5)
    for x in range(p.shape[0]):
        for y in range(p.shape[1]):
            if p[x, y] + q[x, y] > 0:
                told[x, y] = p[x, y] / (p[x, y] + q[x, y])
            if p[x].sum() + q[x].sum() > 0:
                not_told[x, y] = p[x].sum() / (p[x].sum() + q[x].sum())
    return told, not_told


def best_by_average(p, q):
    """Who is not told says the mean of who is told, over the mixture: the same in other words."""
    told, weight = torch.where(p + q > 0, p / (p + q), 0.5), p + q
    mean = (told * weight).sum(1) / weight.sum(1)
    return [told, torch.where(mean.isnan(), 0.5, mean)[:, None].repeat(1, p.shape[1])]


def best_within_classes(p, q):
    """p(x|y) against q(x|y), which is the same because both have the same p(y)."""
    return share(p / p.sum(0), q / q.sum(0)).nan_to_num(0.5), best(p, q)[1]


def told_as(told):
    """An answer whose first table is another."""
    return lambda p, q: (told(p, q), best(p, q)[1])


def not_told_as(not_told):
    """An answer whose second table is another: what is given as (X,) goes along the rows."""

    def answer(p, q):
        table = not_told(p, q)
        return best(p, q)[0], table[:, None].expand_as(p) if table.dim() == 1 else table

    return answer


def away(age, stages):
    return (age[:, None] - torch.arange(stages)).abs()


def soft(age, stages):
    return (1 - away(age, stages)).clamp(min=0)


def soft_by_neighbours(age, stages):
    below = age.floor().long().clamp(max=stages - 2)
    part = (age - below)[:, None]
    return (1 - part) * one_hot(below, stages) + part * one_hot(below + 1, stages)


def soft_by_hand(age, stages):
    return torch.tensor([[max(0.0, 1 - abs(a - s)) for s in range(stages)] for a in age.tolist()])


def soft_by_matrix(age, stages):
    eye = torch.eye(stages)
    return torch.lerp(eye[age.floor().long()], eye[age.ceil().long()], age.frac()[:, None])


def without_the_last_stage(age, stages):
    below = age.floor().long()
    part = (age - below)[:, None]
    return (1 - part) * one_hot(below, stages) + part * one_hot(below + 1, stages)


def crowds(features, labels):
    return [features[labels == label] for label in labels.unique()]


def spread(features, labels):
    return torch.stack([crowd.var(0).sum() for crowd in crowds(features, labels)]).mean()


def spread_by_hand(features, labels):
    total, classes = 0.0, set(labels.tolist())
    for which in classes:
        members = [x for x, label in zip(features.tolist(), labels.tolist()) if label == which]
        for numbers in zip(*members):
            mean = sum(numbers) / len(numbers)
            total += sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)
    return total / len(classes)


def spread_by_one_hot(features, labels):
    _, place, count = labels.unique(return_inverse=True, return_counts=True)
    y = one_hot(place).float()
    mean = y.T @ features / count[:, None]
    squared = (features - mean[place]).square().sum(1)
    return (y.T @ squared / (count - 1)).mean()


def of_classes(measure):
    return lambda x, labels: torch.stack([measure(c) for c in crowds(x, labels)]).mean()


def descend(loss_of=lambda squared: squared.sum(), sign=-1, begin=torch.clone, end=torch.detach):
    """A right search by plain descent, with one of its parts replaced."""

    def answer(generator, target, y, start, steps, rate):
        z = begin(start)
        for _ in range(steps):
            z.requires_grad_()
            loss = loss_of((generator(z, y) - target).square())
            (slope,) = torch.autograd.grad(loss, z)
            z = (z + sign * rate * slope).detach()
        return end(z)

    return answer


find = descend()


def optimise(
    optimiser=torch.optim.Adam,
    loss_of=lambda squared: squared.sum(),
    what=lambda generator, z: [z],
    inputs=lambda z: {"inputs": [z]},
    begin=lambda start: start.clone().requires_grad_(),
    forget=True,
    extra=0,
    **options,
):
    """A right search by an optimiser, with one of its parts replaced."""

    def answer(generator, target, y, start, steps, rate):
        z = begin(start)
        opt = optimiser(what(generator, z), lr=rate, **options)
        for _ in range(steps + extra):
            if forget:
                opt.zero_grad()
            loss_of((generator(z, y) - target).square()).backward(**inputs(z))
            opt.step()
        return z.detach()

    return answer


def one_after_another(generator, target, y, start, steps, rate):
    pairs = zip(target.split(1), y.split(1), start.split(1))
    return torch.cat([find(generator, *one, steps, rate) for one in pairs])


def under_no_grad(generator, target, y, start, steps, rate):
    z = start.clone().requires_grad_()
    for _ in range(steps):
        ((generator(z, y) - target) ** 2).sum().backward(inputs=[z])
        with torch.no_grad():
            z -= rate * z.grad
        z.grad = None
    return z.detach()


def clearing_up(generator, target, y, start, steps, rate):
    found = optimise(inputs=lambda z: {})(generator, target, y, start, steps, rate)
    generator.zero_grad()
    return found


def shared(generator, target, y, start, steps, rate):
    mean = find(generator, target, y, start.mean(0, keepdim=True), steps, rate)
    return mean.expand_as(start)


def shared_way(generator, target, y, start, steps, rate):
    z = start.clone()
    for _ in range(steps):
        step = torch.zeros(1, 3, requires_grad=True)
        loss = (generator(z + step, y) - target).square().sum()
        z = z - rate * torch.autograd.grad(loss, step)[0]
    return z.detach()


def adam_anew(generator, target, y, start, steps, rate):
    z = start
    for _ in range(steps):
        z = optimise()(generator, target, y, z, 1, rate)
    return z


def frozen(generator, target, y, start, steps, rate):
    generator.requires_grad_(False)
    return find(generator, target, y, start, steps, rate)


def in_place(generator, target, y, start, steps, rate):
    start += find(generator, target, y, start, steps, rate) - start
    return start


def out_of_reach(generator, target, y, start, steps, rate):
    """Plain descent that stops too near the start."""
    found = find(generator, target, y, start, steps, rate)
    return start + (found - start).clamp(-0.4, 0.4)


RIGHT = [
    (exercises.check_joined, joined),
    (exercises.check_joined, joined_by_hand),
    (exercises.check_joined, joined_by_scatter),
    (exercises.check_joined, lambda z, k, n: torch.cat([z, one_hot(k, n)], dim=-1)),
    (exercises.check_joined, lambda z, k, n: torch.cat([z, torch.eye(n)[k]], 1)),
    (exercises.check_joined, lambda z, k, n: torch.cat([z, (k[:, None] == torch.arange(n))], 1)),
    (exercises.check_joined, lambda z, k, n: torch.cat([z, one_hot(k, n)], 1).double()),
    (exercises.check_best_discriminators, best),
    (exercises.check_best_discriminators, best_by_hand),
    (exercises.check_best_discriminators, best_by_average),
    (exercises.check_best_discriminators, best_within_classes),
    (exercises.check_best_discriminators, lambda p, q: torch.stack(best(p, q))),
    (exercises.check_best_discriminators, lambda p, q: best(p.double(), q.double())),
    (exercises.check_soft_one_hot, soft),
    (exercises.check_soft_one_hot, soft_by_neighbours),
    (exercises.check_soft_one_hot, soft_by_hand),
    (exercises.check_soft_one_hot, soft_by_matrix),
    (exercises.check_soft_one_hot, lambda age, stages: F.relu(1 - away(age, stages))),
    (exercises.check_within_class_spread, spread),
    (exercises.check_within_class_spread, spread_by_hand),
    (exercises.check_within_class_spread, spread_by_one_hot),
    (exercises.check_within_class_spread, lambda x, y: spread(x, y).item()),
    (exercises.check_within_class_spread, of_classes(lambda c: c.T.cov().trace())),
    (exercises.check_within_class_spread, of_classes(lambda c: F.pdist(c).square().mean() / 2)),
    (exercises.check_find_latent, find),
    (exercises.check_find_latent, one_after_another),
    (exercises.check_find_latent, under_no_grad),
    (exercises.check_find_latent, clearing_up),
    (exercises.check_find_latent, optimise()),
    (exercises.check_find_latent, optimise(torch.optim.SGD)),
    (exercises.check_find_latent, optimise(torch.optim.SGD, momentum=0.5)),
    (exercises.check_find_latent, optimise(loss_of=lambda squared: squared.mean())),
    (exercises.check_find_latent, optimise(betas=(0.0, 0.99))),
    (exercises.check_find_latent, optimise(torch.optim.RMSprop)),
    (exercises.check_find_latent, descend(lambda squared: squared.sum() / 2)),
    (exercises.check_find_latent, descend(lambda squared: squared.sum((1, 2, 3)).sum())),
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
    torch.zeros(2, 3, 3), torch.tensor([math.nan]), torch.tensor(math.nan), torch.tensor(1),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_whatever_is_returned_gets_a_hint(check, nonsense, capsys):
    gets_some_hint(check, nonsense, capsys)


JOINED = [
    (lambda z, k, n: torch.cat([one_hot(k, n), z], 1), "y stands before z"),
    (lambda z, k, n: torch.cat([z, k[:, None]], 1), "Classes have no order"),
    (lambda z, k, n: torch.cat([z, k[:, None] / n], 1), "Classes have no order"),
    (lambda z, k, n: torch.cat([z, k[:, None] / (n - 1)], 1), "Classes have no order"),
    (lambda z, k, n: torch.cat([z, one_hot(k)], 1), "width depends on the batch"),
    (lambda z, k, n: torch.cat([z, one_hot(k, n + 1)], 1), "a place too many"),
    (lambda z, k, n: one_hot(k, n).float(), "y alone"),
    (lambda z, k, n: z, "z alone"),
    (lambda z, k, n: z + k[:, None], "added to z"),
    (lambda z, k, n: z * k[:, None], "multiplied by the label"),
    (lambda z, k, n: torch.cat([z, 2 * one_hot(k, n) - 1], 1), "not -1"),
    (lambda z, k, n: torch.cat([z, 1 - one_hot(k, n)], 1), "turned round"),
    (lambda z, k, n: torch.cat([z, torch.zeros(len(z), n)], 1), "who is not told"),
    (lambda z, k, n: z[:, :, None] * one_hot(k, n)[:, None], "side by side"),
    (lambda z, k, n: torch.cat([z.long(), one_hot(k, n)], 1), "whole numbers"),
    (lambda z, k, n: torch.cat([z, one_hot(k, n)], 0), "join along dim=1"),
    (lambda z, k, n: torch.cat([z, k], 1), "it must become a row for each example"),
    (lambda z, k, n: torch.cat([z, one_hot(k.float(), n)], 1), "as they come, whole numbers"),
    (lambda z, k, n: torch.cat([z, one_hot(k + 1, n - 1)], 1), "labels go up to classes - 1"),
    (lambda z, k, n: joined(z.detach(), k, n), "no gradient can flow back to z"),
    (lambda z, k, n: joined(z, (k + 1) % n, n), "instead of"),
    (lambda z, k, n: joined(z, k, n).T, "has shape"),
    (lambda z, k, n: joined(z, k, n).tolist(), "return a tensor"),
    (lambda z, k, n: joined(z, k, 6), "has shape (6, 11) and should have (6, 9)"),
]
BEST = [
    (told_as(lambda p, q: share(q, p)), "told: p and q are swapped"),
    (told_as(lambda p, q: p / q), "ratio, which has no upper limit"),
    (told_as(lambda p, q: q / p), "ratio, which has no upper limit"),
    (told_as(lambda p, q: (p / q).log()), "logit of D*"),
    (told_as(lambda p, q: share(p, q).log()), "the log comes later"),
    (told_as(lambda p, q: 2 * share(p, q)), "twice too large"),
    (told_as(lambda p, q: p > q), "hard decision"),
    (lambda p, q: best(p, q)[1:] * 2, "told: that D sees x alone"),
    (told_as(lambda p, q: share(p.sum(0), q.sum(0)).expand_as(p)), "that D sees y alone"),
    (told_as(lambda p, q: p / p.sum(1, keepdim=True)), "that is p(y|x)"),
    (told_as(lambda p, q: p / p.sum(0)), "that is p(x|y)"),
    (
        told_as(lambda p, q: share(p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True))),
        "whether x is real at all",
    ),
    (told_as(lambda p, q: p / (p + q).sum()), "not by the sum of the whole table"),
    (told_as(lambda p, q: share(p, q).square()), "in the first cell"),
    (lambda p, q: best(p, q)[::-1], "in the wrong order"),
    (lambda p, q: best(p, q)[:1] * 2, "not told: that D has looked at y"),
    (not_told_as(lambda p, q: share(p, q).mean(1)), "averages what the other D says"),
    (not_told_as(lambda p, q: share(p, q).sum(1)), "averages what the other D says"),
    (not_told_as(lambda p, q: share(p, q) @ p.sum(0)), "averages what the other D says"),
    (
        not_told_as(lambda p, q: (share(p, q) * p / p.sum(1, keepdim=True)).sum(1)),
        "averages what the other D says",
    ),
    (
        not_told_as(lambda p, q: (share(p, q) * q / q.sum(1, keepdim=True)).sum(1)),
        "averages what the other D says",
    ),
    (not_told_as(lambda p, q: share(p.sum(0), q.sum(0)).expand_as(p)), "the sum over x"),
    (not_told_as(lambda p, q: torch.full_like(p, 0.5)), "½ everywhere"),
    (not_told_as(lambda p, q: share(q.sum(1), p.sum(1))), "not told: p and q are swapped"),
    (not_told_as(lambda p, q: p.sum(1) / q.sum(1)), "no upper limit"),
    (not_told_as(lambda p, q: q.sum(1) / p.sum(1)), "no upper limit"),
    (not_told_as(lambda p, q: p.sum(1)), "q does not occur"),
    (
        not_told_as(
            lambda p, q: (
                best(p, q)[1]
                if p.shape[0] != p.shape[1]
                else share(p.sum(1), q.sum(1)).nan_to_num(0.5).expand_as(p)
            )
        ),
        "rows and columns are swapped",
    ),
    (not_told_as(lambda p, q: best(p, q)[1].sqrt()), "the rows sum to"),
    (lambda p, q: (best(p, q)[0], best(p, q)[1][:, 0]), "one number for each x"),
    (lambda p, q: (best(p, q)[0], best(p, q)[1][:, :1]), "one number for each x"),
    (lambda p, q: best(p, q)[0], "return two tables"),
    (lambda p, q: {"told": best(p, q)[0]}, "return two tables"),
    (lambda p, q: (best(p, q)[0].tolist(), best(p, q)[1]), "told must be a tensor"),
    (lambda p, q: (best(p, q)[0], best(p, q)[1].T), "not_told has shape (3, 5)"),
    (told_as(share), "where both are 0 the D that is told says nan"),
    (told_as(lambda p, q: p / (p + q + 1e-12)), "where both are 0 the D that is told says 0"),
    (not_told_as(lambda p, q: share(p.sum(1), q.sum(1))), "D that is not told says nan"),
    (
        told_as(lambda p, q: (p / q).nan_to_num(1.0, posinf=0.0).div(1 + (p / q).nan_to_num(1.0))),
        "divide only once",
    ),
    (
        told_as(lambda p, q: (p + 1e-8) / (p + q + 2e-8)),
        "add no constant to the sum",
    ),
    (told_as(lambda p, q: share(p.clamp(min=1e-9), q.clamp(min=1e-9))), "do not clamp it"),
]
SOFT = [
    (lambda a, k: one_hot(a.round().long(), k), "rounded to a stage"),
    (lambda a, k: one_hot(a.long(), k).float(), "cut off to the stage below"),
    (lambda a, k: one_hot(a.ceil().long(), k), "moved to the stage above"),
    (lambda a, k: 1 - away(a, k), "negative numbers"),
    (lambda a, k: (1 - away(a, k)).abs(), "not .abs()"),
    (lambda a, k: torch.where(away(a, k) < 1, away(a, k), 0), "wrong way round"),
    (lambda a, k: soft(a, k).gt(0) / 2, "both neighbours get half"),
    (lambda a, k: soft(a, k) > 0, "they share it"),
    (away, "those are the distances"),
    (lambda a, k: soft(a, k) ** 2, "the shares are squared"),
    (lambda a, k: (1 - away(a, k) ** 2).clamp(min=0), "the distance is squared"),
    (lambda a, k: (1 - away(a, k) / 2).clamp(0), "reach too far"),
    (lambda a, k: 1 - away(a, k) / k, "reach too far"),
    (lambda a, k: (-away(a, k)).softmax(1), "however far away"),
    (lambda a, k: (-(away(a, k) ** 2)).softmax(1), "however far away"),
    (lambda a, k: (-(away(a, k) ** 2)).exp(), "however far away"),
    (lambda a, k: soft(a, k).softmax(1), "however far away"),
    (lambda a, k: 1 / (1 + away(a, k)), "however far away"),
    (lambda a, k: (a[:, None] - torch.arange(k)).clamp(0, 1), "thermometer"),
    (lambda a, k: (1 + a[:, None] - torch.arange(k)).clamp(0, 1), "thermometer"),
    (lambda a, k: soft(a, k).mul(math.pi / 2).sin() ** 2, "not linearly"),
    (lambda a, k: (-4 * away(a, k)).softmax(1), "instead of"),
    (lambda a, k: soft(a, k) / 2, "its shares sum to 0.50"),
    (lambda a, k: a, "one number an age"),
    (lambda a, k: a[:, None] / (k - 1), "one number an age"),
    (lambda a, k: soft(a, k).T, "one row an age, one column a stage"),
    (lambda a, k: soft(a, 3), "should have (6, 5)"),
    (lambda a, k: soft(a, k).tolist(), "return a tensor"),
    (lambda a, k: one_hot(a, k), "takes whole numbers only"),
    (without_the_last_stage, "at the last stage there is none above"),
    (
        lambda a, k: torch.eye(k)[a.long()].lerp(torch.eye(k)[a.long() + 1], a.frac()[:, None]),
        "at the last stage there is none above",
    ),
    (
        lambda a, k: torch.where((away(a, k) > 0) & (away(a, k) < 1), 1 - away(a, k), 0),
        "right between two stages, but an age of 0.00 gives [0.00, 0.00, 0.00]",
    ),
]
SPREAD = [
    (lambda x, y: x.var(0).sum(), "everything together"),
    (lambda x, y: x.T.cov(correction=0).trace(), "everything together"),
    (lambda x, y: x.var(0).mean(), "everything together"),
    (lambda x, y: x.var(), "everything together"),
    (lambda x, y: F.pdist(x).mean(), "everything together"),
    (lambda x, y: torch.stack([c.mean(0) for c in crowds(x, y)]).var(0).sum(), "from each other"),
    (
        lambda x, y: torch.stack([c.mean(0) for c in crowds(x, y)]).T.cov(correction=0).trace(),
        "from each other",
    ),
    (lambda x, y: sum(c.var(0).sum() for c in crowds(x, y)), "the sum over the classes"),
    (
        lambda x, y: sum(len(c) * c.var(0).sum() for c in crowds(x, y)) / len(x),
        "large classes count for more",
    ),
    (
        lambda x, y: (
            sum((len(c) - 1) * c.var(0).sum() for c in crowds(x, y)) / (len(x) - len(y.unique()))
        ),
        "large classes count for more",
    ),
    (of_classes(lambda c: c.var(0, correction=0).sum()), "unbiased variance divides by n - 1"),
    (
        of_classes(lambda c: (c - c.mean(0)).square().sum(1).mean()),
        "unbiased variance divides by n - 1",
    ),
    (
        lambda x, y: sum((c - c.mean(0)).square().sum() for c in crowds(x, y)) / len(x),
        "look less diverse than they are. And large classes",
    ),
    (of_classes(lambda c: c.var(0).mean()), "the mean over the d numbers"),
    (of_classes(lambda c: c.var(0, correction=0).mean()), "is their sum. And that divides by n"),
    (of_classes(lambda c: c.var()), "a mean of its own"),
    (of_classes(lambda c: c.var(1).sum()), "over the images, dim=0"),
    (of_classes(lambda c: c.cov().trace()), "over the images, dim=0"),
    (of_classes(lambda c: c.var(1).mean()), "over the images, dim=0"),
    (of_classes(lambda c: c.std(0).sum()), "takes a root"),
    (of_classes(lambda c: c.std(0).mean()), "takes a root"),
    (of_classes(lambda c: c.var(0).sum().sqrt()), "takes a root"),
    (lambda x, y: spread(x, y).sqrt(), "takes a root"),
    (of_classes(lambda c: F.pdist(c).mean()), "which section 3 took"),
    (of_classes(lambda c: F.pdist(c).square().mean()), "twice the trace"),
    (of_classes(lambda c: c.T.cov().sum()), "sum of the diagonal"),
    (of_classes(lambda c: c.T.cov().norm()), "sum of the diagonal"),
    (of_classes(lambda c: c.T.cov().mean()), "sum of the diagonal"),
    (of_classes(lambda c: c.square().sum(1).mean()), "not subtracted"),
    (of_classes(lambda c: (c - c.mean(0)).norm(dim=1).mean()), "takes the squared distances"),
    (
        lambda x, y: torch.stack([c.var(0).sum() for c in crowds(x, y)]),
        "one number a class; return their mean",
    ),
    (lambda x, y: torch.stack([c.var(0) for c in crowds(x, y)]), "the variances of each class"),
    (lambda x, y: x.var(0), "the trace is their sum"),
    (lambda x, y: x.T.cov(), "return its trace"),
    (lambda x, y: x, "one number for all classes"),
    (
        lambda x, y: torch.stack([x[y == k].var(0).sum() for k in range(y.max() + 1)]).mean(),
        "for 2, 5, 8, 11 it gives nan",
    ),
    (
        lambda x, y: torch.stack([c.var(0).sum() for c in crowds(x, y)]).sum() / (y.max() + 1),
        "for 2, 5, 8, 11",
    ),
    (lambda x, y: spread(x, y) + 1, "for classes of 3, 9 and 5 examples"),
    (lambda x, y: (spread(x, y) - 0.01).clamp(min=0) + 0.01, "one image a class has no spread"),
]
FIND = [
    (descend(lambda d: d.sum((1, 2, 3)).mean()), "averaged over the batch"),
    (optimise(torch.optim.SGD, lambda d: d.sum((1, 2, 3)).mean()), "averaged over the batch"),
    (descend(lambda d: d.mean()), "averaged over pixels and batch"),
    (descend(lambda d: d.mean((1, 2, 3)).sum()), "averaged over the pixels"),
    (descend(lambda d: d.flatten(1).sum(1).sqrt().sum()), "the square of the norm is missing"),
    (descend(lambda d: d.sum().sqrt()), "the norm over the whole batch"),
    (descend(sign=1), "uphill"),
    (optimise(maximize=True), "uphill"),
    (optimise(torch.optim.SGD, forget=False), "gradients of earlier steps"),
    (optimise(forget=False), "gradients of earlier steps"),
    (adam_anew, "forgets how steep"),
    (optimise(extra=-1), "one step too few"),
    (optimise(extra=1), "one step too many"),
    (optimise(torch.optim.SGD, extra=1), "one step too many"),
    (optimise(what=lambda g, z: [z, *g.parameters()], inputs=lambda z: {}), "weights have moved"),
    (
        optimise(
            torch.optim.SGD, what=lambda g, z: g.parameters(), inputs=lambda z: {}, forget=False
        ),
        "weights have moved",
    ),
    (optimise(inputs=lambda z: {}), "leaves gradients in the generator's weights"),
    (frozen, "comes back frozen"),
    (in_place, "changes `start` itself"),
    (optimise(begin=lambda start: start.requires_grad_()), "changes `start` itself"),
    (optimise(begin=lambda start: start.detach().requires_grad_()), "changes `start` itself"),
    (descend(begin=lambda start: start), "turns on the gradient of `start` itself"),
    (descend(end=lambda z: z.requires_grad_()), "return z.detach()"),
    (shared, "one z is searched for"),
    (lambda *given: shared(*given)[:1], "one z for all"),
    (lambda *given: shared(*given)[0], "one z for all"),
    (shared_way, "all z move by the same amount"),
    (lambda g, target, y, start, steps, rate: start, "has not moved"),
    (lambda g, target, y, start, steps, rate: g(start, y).detach(), "has shape (5, 1, 3, 3)"),
    (lambda g, t, y, start, steps, rate: find(g, t, y, start, 40, rate), "4 and 12 steps"),
    (lambda g, t, y, start, steps, rate: find(g, t, y, start, steps, 0.05), "twice the rate"),
    (optimise(torch.optim.SGD, lambda d: d.sum() ** 1.1), "gets another z than in a batch"),
    (out_of_reach, "there is a z that makes it 0"),
    (descend(begin=torch.zeros_like, sign=-0.001), "gone from"),
    (descend(lambda d: d.sum((1, 2, 3))), "sum the losses of the batch"),
    (optimise(begin=lambda start: start.requires_grad_().clone()), "is no leaf"),
    (
        lambda g, target, y, start, steps, rate: torch.autograd.grad(
            (g(start, y) - target).square().sum(), start
        )[0],
        "must have .requires_grad_()",
    ),
    (optimise(begin=torch.clone, inputs=lambda z: {"inputs": [z]}), "must have .requires_grad_()"),
]
WRONG = wrong_answers(
    {
        exercises.check_joined: JOINED,
        exercises.check_best_discriminators: BEST,
        exercises.check_soft_one_hot: SOFT,
        exercises.check_within_class_spread: SPREAD,
        exercises.check_find_latent: FIND,
    }
)


@pytest.mark.filterwarnings("ignore:var")  # of a class without examples
@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


TABLES = {
    "joined": (exercises.JOIN_MISTAKES, exercises._batch_to_join(3, 6, 1), joined),
    "told": (
        exercises.TOLD_MISTAKES,
        exercises._tables(5, 3, seed=1),
        lambda p, q: best(p, q)[0],
    ),
    "not told": (
        exercises.NOT_TOLD_MISTAKES,
        exercises._tables(4, 4, seed=2),
        lambda p, q: best(p, q)[1],
    ),
    "soft": (exercises.SOFT_MISTAKES, (exercises.BETWEEN, 3), soft),
    "soft, more stages": (exercises.SOFT_MISTAKES, (exercises.BETWEEN + 2, 5), soft),
    "spread": (exercises.SPREAD_MISTAKES, exercises._crowd((3, 9, 5), 4, 1), spread),
    "find": (
        exercises.FIND_MISTAKES,
        (exercises._Painter(), *exercises._sitting(), 4, exercises.RATE),
        find,
    ),
    "find by Adam": (
        exercises.FIND_MISTAKES,
        (exercises._Painter(), *exercises._sitting(), 4, exercises.RATE),
        optimise(),
    ),
}


@pytest.mark.parametrize(("table", "given", "right"), TABLES.values(), ids=TABLES)
def test_no_mistake_is_taken_for_another_or_for_the_answer(table, given, right):
    results = [(right(*given), "right")]
    results += [(mistake(*given), hint) for mistake, hint in table]
    are_told_apart(results)


def test_what_the_two_say_of_a_generator_that_does_not_listen():
    """The figures of the solution: eight classes that do not overlap, two examples of each."""
    p = torch.eye(8).repeat_interleave(2, dim=0) / 16
    told, not_told = best(p, p.sum(1, keepdim=True) * p.sum(0))
    torch.testing.assert_close(told, torch.where(p > 0, 8 / 9, 0.0))
    torch.testing.assert_close(not_told, torch.full_like(p, 0.5))


def test_the_search_is_asked_for_what_can_be_found():
    target, y, start = exercises._sitting()
    found = find(exercises._Painter(), target, y, start, 200, exercises.RATE)
    torch.testing.assert_close(exercises._Painter()(found, y), target, atol=0.01, rtol=0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_leaves_the_dice_of_the_notebook_alone(check, capsys):
    leaves_the_dice_alone(check, dict(RIGHT[::-1])[check], capsys)
