"""Answers to the exercises of notebook 05d."""

import math

import torch
import torch.nn.functional as F
from torch.optim import SGD, Adam, RMSprop

from course_utils.exercises.inversion_and_directions import FIND_MISTAKES


def search(
    optimiser=Adam, loss_of=torch.sum, of=lambda generator, z: [z], inputs=lambda z: [z],
    begin=lambda start: start.detach().clone().requires_grad_(), **options,
):  # fmt: skip
    """A right search by an optimiser, with one of its parts replaced."""

    def answer(generator, target, y, start, steps, rate):
        z = begin(start)
        opt = optimiser(of(generator, z), lr=rate, **options)
        for _ in range(steps):
            opt.zero_grad()
            loss_of((generator(z, y) - target).square()).backward(inputs=inputs(z))
            opt.step()
        return z.detach()

    return answer


find = search(SGD)


def one_after_another(generator, target, y, start, *rest):
    pairs = zip(target.split(1), y.split(1), start.split(1))
    return torch.cat([find(generator, *one, *rest) for one in pairs])


def clearing_up(generator, *given):
    found = search(inputs=lambda z: None)(generator, *given)
    generator.zero_grad()
    return found


def shared(generator, target, y, start, *rest):
    return find(generator, target, y, start.mean(0, True), *rest).expand_as(start)


def shared_way(generator, target, y, start, *rest):
    way = find(lambda way, y: generator(start + way, y), target, y, torch.zeros(1, 3), *rest)
    return start + way


def adam_anew(generator, target, y, start, steps, rate):
    for _ in range(steps):
        start = search()(generator, target, y, start, 1, rate)
    return start


def weight(hole, window):
    kernel = torch.full((1, 1, window, window), 1 / window**2)
    return F.conv2d(hole.float(), kernel, padding="same").masked_fill(hole, 0)


def weight_by_unfold(hole, window):
    columns = F.unfold(hole.double(), window, padding=window // 2).mean(1)
    return torch.where(hole, 0, columns.view(hole.shape))


def bound(logits, codes):
    return math.log(logits.shape[1]) - F.cross_entropy(logits, codes)


def bound_by_hand(logits, codes):
    log_q = logits.double() - logits.double().logsumexp(1, keepdim=True)
    return math.log(logits.shape[1]) + log_q[torch.arange(len(codes)), codes].mean()


RIGHT = {
    "find_latent": [
        one_after_another,
        clearing_up,
        search(loss_of=torch.mean),
        search(SGD, momentum=0.5),
        search(RMSprop),
    ],
    "context_weight": [weight, weight_by_unfold],
    "information_bound": [bound, bound_by_hand],
}
WRONG = {
    "find_latent": [
        *FIND_MISTAKES,
        (adam_anew, "forgets how steep"),
        (search(of=lambda g, z: [z, *g.parameters()], inputs=lambda z: None), "have moved"),
        (search(inputs=lambda z: None), "leaves gradients in the generator's weights"),
        (lambda g, *given: find(g.requires_grad_(False), *given), "comes back frozen"),
        (search(begin=lambda start: start.requires_grad_()), "changes `start` itself"),
        (lambda g, t, y, start, *rest: find(g, t, y, start.requires_grad_(), *rest), "turns on"),
        (lambda *given: find(*given).requires_grad_(), "return z.detach()"),
        (shared, "one z is searched for"),
        (lambda *given: shared(*given)[:1], "one z for all"),
        (shared_way, "all z move by the same amount"),
        (lambda g, target, y, start, steps, rate: start, "has not moved"),
        (lambda g, target, y, start, *_: g(start, y).detach(), "has shape (5, 1, 3, 3)"),
        (lambda g, t, y, start, steps, rate: find(g, t, y, start, 40, rate), "4 and 12 steps"),
        (lambda g, t, y, start, steps, rate: find(g, t, y, start, steps, 0.05), "twice the rate"),
        (search(SGD, lambda d: d.sum() ** 1.1), "gets another z than in a batch"),
        (lambda *given: given[3] + (find(*given) - given[3]).clamp(-0.4, 0.4), "makes it 0"),
        (search(loss_of=lambda d: d.sum((1, 2, 3))), "sum the losses of the batch"),
        (search(begin=lambda start: start.requires_grad_().clone()), "is no leaf"),
        (search(begin=torch.clone), "must have .requires_grad_()"),
    ],
    "context_weight": [
        (lambda h, w: weight(h, w) ** 2, "outside the hole, has the weight"),
        (lambda h, w: weight(h, w) + 0.1 * h, "in the hole, has the weight 0.1"),
        (lambda h, w: F.avg_pool2d(h.float(), w, 1), "pool with stride=1 and padding=window // 2"),
        (lambda h, w: F.avg_pool2d(h.float(), w) * ~h, "with stride=1 and padding=window // 2"),
        (lambda h, w: F.avg_pool2d(h.float(), w, 1, w), "a window reaches window // 2"),
        (lambda h, w: F.avg_pool2d(h, w, 1, w // 2), "pooling takes floats"),
        (lambda h, w: weight(h, w) * (1 - h), "the opposite of a mask"),
        (lambda h, w: weight(h.logical_not_(), w), "changes `hole` itself"),
        (lambda h, w: weight(h, w).clamp(min=1e-3 * h.all()), "that is all hole has no weights"),
    ],
    "information_bound": [
        (lambda q, c: -F.cross_entropy(q, c), "H(c) is missing"),
        (F.cross_entropy, "the cross-entropy alone"),
        (lambda q, c: math.log(q.shape[1]) + F.cross_entropy(q, c), "Subtract it"),
        (lambda q, c: bound(q, c) / math.log(2), "that is in bits"),
        (lambda q, c: math.log(q.shape[1]) + q.softmax(1).log()[range(len(c)), c].mean(),
         "Take log_softmax"),
        (lambda q, c: bound(q, c).item(), "leave out .item()"),
        (lambda q, c: bound(q.detach(), c), "no gradient can flow back"),
        (lambda q, c: math.log(q.shape[1]) - F.cross_entropy(q, c, reduction="none"), "an image"),
        (lambda q, c: bound(q, c) + 1, "gives"),
    ],
}  # fmt: skip
