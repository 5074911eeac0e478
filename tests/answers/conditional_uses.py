"""Answers to the exercises of notebook 05b."""

import torch
import torch.nn.functional as F
from torch.nn.functional import one_hot
from torch.optim import SGD, Adam, RMSprop

from course_utils.exercises.conditional_uses import FIND_MISTAKES


def slerp(first, second, share, cosine=F.cosine_similarity):
    """As it is usually written; equal vectors give NaN."""
    share, angle = share[:, None], cosine(first, second).acos()[:, None]
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def slerp_or(otherwise, first, second, share):
    differ = (first != second).any(dim=1, keepdim=True)
    return torch.where(differ, slerp(first, second, share), otherwise)


def halfway_by_rotation(first, second, share):
    """Along the direction that is at right angles to the first vector."""
    length = first.norm(dim=1, keepdim=True)
    along = (first * second).sum(1, keepdim=True) / length
    across = second - along / length * first
    angle = share[:, None] * torch.atan2(across.norm(dim=1, keepdim=True), along)
    return angle.cos() * first + length * angle.sin() * F.normalize(across, dim=1)


def loss(logits, drawing, truth, weight, log_sigmoid=F.logsigmoid):
    return -log_sigmoid(logits).mean() + weight * F.l1_loss(drawing, truth)


def loss_in_double(logits, drawing, truth, weight):
    return (1 + (-logits.double()).exp()).log().mean() + weight * (truth - drawing).abs().mean()


def errors(possible):
    of_mean = (possible - possible.mean(0)).square().sum(1).mean()
    return of_mean, (possible[:, None] - possible).square().sum(2).mean()


def errors_of_draws(possible):
    drawn, true = possible[torch.randint(len(possible), (2, 50))]
    return errors(possible)[0], (drawn - true).square().sum(1).mean()


def weight(hole, window):
    kernel = torch.full((1, 1, window, window), 1 / window**2)
    return F.conv2d(hole.float(), kernel, padding="same").masked_fill(hole, 0)


def weight_by_unfold(hole, window):
    columns = F.unfold(hole.double(), window, padding=window // 2).mean(1)
    return torch.where(hole, 0, columns.view(hole.shape))


def away(age, stages):
    return (age[:, None] - torch.arange(stages)).abs()


def soft(age, stages):
    return torch.tensor([[max(0.0, 1 - abs(a - s)) for s in range(stages)] for a in age.tolist()])


def soft_by_neighbours(last):
    """The stage below, at most the `last`, and the one above."""

    def answer(age, stages):
        below = age.floor().long().clamp(max=last(stages))
        part = (age - below)[:, None]
        return (1 - part) * one_hot(below, stages) + part * one_hot(below + 1, stages)

    return answer


def soft_by_matrix(age, stages):
    eye = torch.eye(stages)
    return torch.lerp(eye[age.floor().long()], eye[age.ceil().long()], age.frac()[:, None])


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


RIGHT = {
    "halfway": [lambda a, b, s: slerp_or(a, a, b, s), halfway_by_rotation],
    "generator_loss": [loss, loss_in_double],
    "price_of_deciding": [
        lambda x: torch.stack(errors(x)),
        lambda x: [errors(x)[0].item(), 2 * errors(x.double())[0].view(1)],
    ],
    "context_weight": [weight, weight_by_unfold],
    "soft_one_hot": [soft, soft_by_neighbours(lambda n: n - 2), soft_by_matrix],
    "find_latent": [
        one_after_another,
        clearing_up,
        search(loss_of=torch.mean),
        search(SGD, momentum=0.5),
        search(RMSprop),
    ],
}
WRONG = {
    "halfway": [
        (lambda a, b, s: slerp(a, b, s, lambda a, b: (a * b).sum(1)), "both lengths, that is by k"),
        (slerp, "two equal ones give nan"),
        (lambda a, b, s: slerp_or(0 * a, a, b, s), "two equal ones give 0"),
        (lambda a, b, s: slerp(a, b, s) if s.frac().any() else a, "at its ends: that is the first"),
        (lambda a, b, s: slerp(a, b, s.square()), "of an angle of"),
        (lambda a, b, s: (1 - s) * a + s * b, "as a column, share[:, None]"),
        (lambda a, b, s: a @ b, "not a product of matrices"),
        (lambda a, b, s: slerp(a, b, s)[0], "one vector a pair"),
    ],
    "generator_loss": [
        (lambda *given: loss(*given, torch.log), "logits have either sign and no log"),
        (lambda *given: loss(*given, lambda d: d.sigmoid().log()), "σ(-200) is rounded to 0"),
        (lambda d, x, t, w: loss(d, x, t, 3), "its weight 0.3, so the loss is"),
        (lambda d, x, t, w: loss(d, x.detach(), t, w), "its slope is 0 for `drawing`"),
        (lambda d, x, t, w: loss(d.detach(), x, t, w), "its slope is 0 for `logits`"),
        (lambda *given: loss(*given).detach(), "no gradient can flow back"),
        (lambda *given: loss(*given).item(), "leave out .item()"),
        (lambda d, x, t, w: F.softplus(-d) + w * F.l1_loss(x, t), "one number a patch"),
        (lambda d, x, t, w: F.softplus(-d).mean() + w * (x - t).abs(), "one number a pixel"),
        (lambda d, x, t, w: F.softplus(-d).mean((1, 2)) + w * F.l1_loss(x, t), "number an image"),
        (lambda d, x, t, w: F.softplus(-d) + w * (x - t).abs(), "average each term to one number"),
    ],
    "price_of_deciding": [
        (errors_of_draws, "of 5 possible images of 3 pixels"),
        (lambda x: errors(x)[0], "return two numbers"),
        (lambda x: (*errors(x), 3.01), "return two numbers"),
        (lambda x: (x[0], errors(x)[1]), "not a tensor of shape (3,)"),
        (lambda x: (errors(x)[0], 2 * errors(x)[0] + (len(x) == 1)), "if only one image"),
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
    "soft_one_hot": [
        (lambda a, k: (-4 * away(a, k)).softmax(1), "instead of"),
        (lambda a, k: soft(a, k) / 2, "the shares of an age sum to 1"),
        (lambda a, k: a, "one number an age"),
        (lambda a, k: soft(a, k).T, "one row an age, one column a stage"),
        (lambda a, k: one_hot(a, k), "takes whole numbers only"),
        (soft_by_neighbours(lambda n: n - 1), "at the last stage there is none above"),
        (lambda a, k: soft_by_matrix(a + 1e-6, k), "at the last stage there is none above"),
        (lambda a, k: soft(a, k) * (away(a, k) > 0), "right between two stages"),
    ],
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
}
