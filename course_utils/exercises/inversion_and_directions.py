"""Checks of the exercises of notebook 05d, inversion and directions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, one_hot
from torch.optim import SGD, Adam

from .checking import Wrong, ask, ask_tensor, check, near, random_tensor, same
from .exercise import Case, Exercise, combined, refuse

UNCHANGED = (lambda given: given), ""


# 1. GAN inversion: many ways are right, so what is compared is usual mistakes, and where it ends


class _Generator(nn.Module):
    """tanh(A z + B y): images (N, 1, 3, 3) of z (N, 3), which can be found, and y (N, 2)."""

    def __init__(self):
        super().__init__()
        self.of_z = nn.Parameter(torch.linalg.qr(random_tensor(9, 3, seed=1))[0].T.clone())
        self.of_y = nn.Parameter(0.3 * random_tensor(2, 9, seed=2))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return (z @ self.of_z + y @ self.of_y).tanh().view(-1, 1, 3, 3)


RATE = 0.1
Y = one_hot(torch.tensor([0, 1, 1, 0, 1]), 2).float()
TARGET = _Generator()(0.7 * random_tensor(5, 3, seed=3), Y).detach()
START = 0.7 * random_tensor(5, 3, seed=6)


def _search(loss=Tensor.sum, optimiser=SGD, forget=True, extra=0) -> Callable[..., Tensor]:
    """A search by a loss of squared differences, which may keep old gradients, or go too far."""

    def find(generator, target, y, start, steps, rate):
        z = start.clone().requires_grad_()
        descent = optimiser([z], lr=rate)
        for _ in range(steps + extra):
            z.grad = None if forget else z.grad
            loss((generator(z, y) - target).square()).backward(inputs=[z])
            descent.step()
        return z.detach()

    return find


SLOW = "so every z takes a smaller step. Sum: each z occurs only in its own term."
SLIPS = [
    ({"loss": lambda d: -d.sum()}, "it goes uphill: subtract the gradient."),
    ({"forget": False}, "the gradients of earlier steps are added to the new one; reset z.grad."),
    ({"extra": -1}, "that is one step too few: take exactly `steps`."),
    ({"extra": 1}, "that is one step too many: take exactly `steps`."),
]
FIND_MISTAKES = [
    (_search(lambda d: d.sum((1, 2, 3)).mean()), f"the loss is averaged over the batch, {SLOW}"),
    (_search(torch.mean), f"the loss is averaged over pixels and batch, {SLOW}"),
    (_search(lambda d: d.mean((1, 2, 3)).sum()), "the loss is averaged over the pixels; sum them."),
    (_search(lambda d: d.sum((1, 2, 3)).sqrt().sum()), "the square of the norm is missing: its "
     "slope does not fade near the target, so the steps jump over it."),
    (_search(lambda d: d.sum().sqrt()), "that is the norm over the whole batch; square it."),
    *combined(lambda each, slip: _search(optimiser=each, **slip), [(SGD, ""), (Adam, "")], SLIPS),
    (_search(optimiser=partial(Adam, betas=(0.0, 0.0))), "Adam is made anew in every step "
     "and forgets how steep it was, so every number moves by `rate`; make it once."),
]  # fmt: skip
NEEDS_GRADIENT = "z must have .requires_grad_() before the generator sees it"
FIND_CRASHES = {
    "does not require grad": NEEDS_GRADIENT,
    "requires_grad=False": NEEDS_GRADIENT,
    "optimize a non-leaf": "a tensor made by arithmetic is no leaf: start.clone().requires_grad_()",
    "is being used in an in-place operation": "change z under torch.no_grad(), or make a new z",
    "a second time": "detach z after each step, so that each has a graph of its own",
    "only for scalar outputs": "sum the losses of the batch; each z occurs only in its own term",
    "NoneType": "a tensor made by arithmetic keeps no .grad; use torch.autograd.grad(loss, z)",
    "appears to not have been used": "differentiate by the z that the generator was given",
}


def check_find_latent(answer) -> None:
    """Exercise 1: `find_latent(generator, target, y, start, steps, rate)` -> (N, latent)."""
    Adam([torch.zeros(1, requires_grad=True)])  # the first of a session loads for a second or more
    check("Exercise 1, GAN inversion", answer, _examine_find)


def _find(answer, steps: int, rate: float = RATE, images: int = 5) -> Tensor:
    """z of one call (images, 3), which must leave all that it was given as it was."""
    generator = _Generator()
    target, y, start = (part[:images] for part in (TARGET, Y, START))
    found = ask(
        answer, generator, target, y, start, steps, rate,
        names=("generator", "target", "y", "start"), crashes=FIND_CRASHES,
    )  # fmt: skip
    weights = list(generator.parameters())
    refuse(
        (not same(weights, list(_Generator().parameters())), "the generator's weights "
         "have moved; only z is given to the optimiser."),
        (any(each.grad is not None and each.grad.any() for each in weights), "your function leaves "
         "gradients in the generator's weights: .backward(inputs=[z])."),
        (not all(each.requires_grad for each in weights), "the generator comes back frozen; leave "
         "its requires_grad alone and use torch.autograd.grad(loss, z)."),
        (isinstance(found, Tensor) and found.numel() == 3 < start.numel(), "that is one z for all; "
         "each example has its own: (N, latent)."),
    )  # fmt: skip
    found = ask_tensor(lambda: found, shape=tuple(start.shape), meaning="one z an example")
    refuse((found.requires_grad, "z is returned with its graph; return z.detach()."))
    return found.float()  # the generator's own kind of number


def _examine_find(answer) -> str:
    found = _find(answer, 4)
    way = found - START
    refuse(
        (not way.any(), "z has not moved from `start`."),
        (near(found, found[:1].expand_as(found)), "one z is searched for that should serve all."),
        (near(way, way[:1].expand_as(way)), "all z move by the same amount; each has a gradient."),
    )
    given = _Generator(), TARGET, Y, START, 4, RATE
    refuse(*((near(found, mistake(*given)), hint) for mistake, hint in FIND_MISTAKES))
    refuse(
        (near(found, _find(answer, 12), 1e-5), "4 and 12 steps end at the same place."),
        (near(_find(answer, 1), _find(answer, 1, 2 * RATE), 1e-5), "a step at twice the rate is as "
         "long as before; multiply it by `rate`."),
        (not near(_find(answer, 4, images=1), found[:1], 1e-3), "searched for alone, the first "
         "image gets another z than in a batch of five; sum over the batch."),
    )  # fmt: skip
    before, after = (
        (_Generator()(z, Y) - TARGET).square().sum((1, 2, 3)) for z in (START, _find(answer, 200))
    )
    worst = int((after / before).argmax())
    if after[worst] > 0.02 * before[worst]:  # what bounces around the target is near enough
        change = f"gone from {before[worst]:.3f} to {after[worst]:.3g} in 200 steps"
        raise Wrong(f"an image's squared difference has {change}; there is a z that makes it 0.")
    return "right: every z goes its own way, and the generator is as it was."


# 2. Weights around a hole


def _share(hole: Tensor, window: int, counted: bool = True) -> Tensor:
    """The share of hole in the window around each pixel, (N, 1, H, W)."""
    return avg_pool2d(hole.float(), window, 1, window // 2, count_include_pad=counted)


def _padded(mode: str) -> Callable:
    """The share with something else than zeros beyond the edge."""
    return lambda hole, window: avg_pool2d(F.pad(hole.float(), 4 * [window // 2], mode), window, 1)


def _explain_weight(found: Tensor, right: Tensor, hole: Tensor, window: int) -> str:
    at = image, _, row, column = torch.unravel_index((found - right).abs().argmax(), hole.shape)
    return (
        f"for a window of {window}, the pixel in row {row}, column {column} of image {image}, "
        f"{'in' if hole[at] else 'outside'} the hole, has the weight {found[at]:.3f} instead of "
        f"{right[at]:.3f}."
    )


DASHES = random_tensor(2, 1, 13, 4, seed=1).repeat_interleave(3, dim=3) > 0.4
MORE = "a pixel counts the more, the more hole there is around it."
EDGE = "at the edge of the image {}; what lies beyond counts as not hole: pad with zeros."
OUT_OF = "the share is out of all window × window."

check_context_weight = Exercise(
    "Exercise 2, weights around a hole",
    lambda hole, window: _share(hole, window) * ~hole,
    [
        Case((DASHES, 5)),
        Case((DASHES.mT, 9)),
        Case((torch.zeros(1, 1, 8, 8).bool(), 3), "an image without a hole has no weights but 0."),
        Case((torch.ones(1, 1, 8, 8).bool(), 3), "an image that is all hole has no weights but 0."),
        Case((DASHES, 1)),
    ],
    [
        *combined(
            lambda measure, mask: lambda hole, window: measure(hole, window) * mask(hole),
            [
                (_share, ""),
                (lambda h, w: _share(~h, w), f"that is the share that can be seen; {MORE}"),
                (lambda h, w: 1 - _share(h, w), f"that is one minus the share; {MORE}"),
                (lambda h, w: F.max_pool2d(h.float(), w, 1, w // 2), "max_pool2d only asks whether "
                 "there is any hole; the share is the mean, avg_pool2d."),
                (lambda h, w: _share(h, w, False), EDGE.format("the share is taken of fewer pixels "
                 "(count_include_pad=False)")),
                (_padded("replicate"), EDGE.format("the last row and column are repeated")),
                (_padded("reflect"), EDGE.format("the image is mirrored")),
                (_padded("circular"), EDGE.format("the opposite edge is continued")),
                (lambda h, w: w * w * _share(h, w), f"that is how many pixels are hole; {OUT_OF}"),
                (lambda h, w: w * _share(h, w), f"that is divided by window only; {OUT_OF}"),
                (lambda h, w: _share(h, w) / (1 - 1 / w**2), f"the middle is missing; {OUT_OF}"),
            ],
            [
                (lambda h: ~h, ""),
                (lambda h: 1, "the hole has weights, but nothing is known there: * ~hole."),
                (lambda h: h, "the weights are in the hole; take * ~hole, not * hole."),
            ],
        ),
        *combined(
            lambda add, scale, size: lambda h, w: scale((_share(h, size(w)) + add) * ~h),
            [(0, ""), (0.2, "unlike in section 2, nothing is added to the share.")],
            [UNCHANGED, (lambda x: x / x.mean(), "weights are not divided by their mean here.")],
            [
                UNCHANGED,
                (lambda w: 7, "the window is always 7, as in section 2; here the window is given."),
                (lambda w: 2 * w + 1, "it is `window` wide altogether, window // 2 to each side."),
            ],
        ),
        (lambda h, w: ~h, f"every pixel outside counts the same; {MORE}"),
    ],
    result="one weight a pixel, so pool with stride=1 and padding=window // 2",
    crashes={
        "for 'Bool'": "pooling takes floats: hole.float()",
        "with a bool tensor": "the opposite of a mask is ~hole",
        "pad should be": "a window reaches window // 2 to each side",
        "must match the size": "with stride=1 and padding=window // 2 pixels keep their place",
    },
    explain=_explain_weight,
    praise="right: nothing in the hole, and outside the more, the more of it lies around.",
)  # fmt: skip


# 3. The lower bound on the mutual information


def _log_q(logits: Tensor, codes: Tensor) -> Tensor:
    """log Q(c|x) of the code that each image was generated from, (N,)."""
    return logits.log_softmax(1).gather(1, codes[:, None]).squeeze(1)


def _codes(examples: int, classes: int, sharp: float = 1.0) -> tuple[Tensor, Tensor]:
    """Logits of Q, and codes, among which the last does not occur."""
    codes = torch.arange(examples) * 3 % (classes - 1)
    return sharp * random_tensor(examples, classes, seed=4), codes


def _bound(entropy=lambda logits: math.log(logits.shape[1]), log_q=_log_q, add=torch.add):
    return lambda logits, codes: add(log_q(logits, codes).mean(), entropy(logits))


FROM_BATCH = "H(c) is taken from {}. The codes are drawn uniformly by us, so it is log K."
SECOND_TERM = "log Q is evaluated {}; it is asked of the code that generated the image."


def _counted(logits: Tensor, codes: Tensor) -> Tensor:
    share = one_hot(codes, logits.shape[1]).float().mean(0)
    return -torch.special.xlogy(share, share).sum() + _log_q(logits, codes).mean()


def _of_mean(logits: Tensor, codes: Tensor) -> Tensor:
    share = logits.softmax(1).mean(0)
    return -(share * share.log()).sum() + _log_q(logits, codes).mean()


def _q_entropy(logits: Tensor, codes: Tensor) -> Tensor:
    q = logits.softmax(1)
    return math.log(logits.shape[1]) + (q * q.log()).sum(1).mean()


check_information_bound = Exercise(
    "Exercise 3, the bound",
    _bound(),
    [
        Case(_codes(7, 5)),
        Case(_codes(9, 4, sharp=3.0)),
        Case(_codes(6, 5, sharp=200.0), "right for usual logits, but where Q is sure it is "
             "{found:.4g} and not {right:.4g}: softmax is rounded to 0, and its log is lost. Take "
             "log_softmax or cross_entropy."),
    ],
    [
        (lambda q, c: _log_q(q, c).mean(), "H(c) is missing; without it the bound never exceeds "
         "0, and 0 says nothing."),
        (lambda q, c: -_log_q(q, c).mean(), "that is the cross-entropy alone, which is "
         "minimized; the bound is H(c) minus it."),
        (_bound(add=lambda each, h: h - each), "the cross-entropy is added; a worse Q would get a "
         "higher bound. Subtract it."),
        (_bound(add=lambda each, h: -h - each), "the sign is turned round: H(c) minus the "
         "cross-entropy."),
        (_bound(lambda q: math.log2(q.shape[1])), "H(c) is in bits and log Q in nats; take the "
         "natural logarithm for both."),
        (_bound(lambda q: math.log2(q.shape[1]), lambda q, c: _log_q(q, c) / math.log(2)),
         "that is in bits; the bound is asked for in nats, the natural logarithm."),
        (_bound(lambda q: math.log(len(q))), "H(c) is the log of the size of the batch; K is the "
         "number of values that a code can have, logits.shape[1]."),
        (_bound(lambda q: math.log(q.shape[1] - 1)), "one code is not counted; the batch need not "
         "hold all K."),
        (_bound(lambda q: q.shape[1]), "H(c) is log K, not K."),
        (_counted, FROM_BATCH.format("the codes of this batch")),
        (_of_mean, FROM_BATCH.format("the mean output of Q")),
        (_q_entropy, "that is log K minus the entropy of Q's output, which is high for a Q that "
         "is sure and wrong; log Q is evaluated at the true code."),
        (_bound(log_q=lambda q, c: q.log_softmax(1).amax(1)),
         SECOND_TERM.format("at the most probable code")),
        (_bound(log_q=lambda q, c: q.log_softmax(1)), SECOND_TERM.format("at all codes")),
        (_bound(log_q=lambda q, c: q.log_softmax(0).gather(1, c[:, None])),
         "the softmax runs over the batch; it runs over the codes, dim=1."),
        (_bound(log_q=lambda q, c: q.gather(1, c[:, None])), "those are the logits; log Q is their "
         "log_softmax."),
        (_bound(log_q=lambda q, c: _log_q(q, c).exp()), "that is Q itself; the logarithm is "
         "missing."),
        (_bound(log_q=lambda q, c: q.sigmoid().gather(1, c[:, None]).log()), "each logit has a "
         "sigmoid of its own; one code of K is a softmax."),
        (lambda q, c: math.log(q.shape[1]) + _log_q(q, c).sum(), "log Q is summed over the batch; "
         "take the mean."),
        (lambda q, c: math.log(q.shape[1]) + _log_q(q, c).mean().exp().log1p(), "a 1 is added "
         "inside the logarithm."),
        (lambda q, c: (q.argmax(1) == c).float().mean(), "that is the accuracy of Q; the bound is "
         "in nats."),
    ],
    result="one number for the batch, in nats",
    shapes=lambda logits, codes: {
        (): "return a tensor: Q and G are trained by its gradient, so leave out .item().",
        codes.shape: "that is one number an image; take the mean over the batch.",
        logits.shape: "that is one number for each code; take log Q at the code that generated "
                      "the image, and then the mean.",
    },
    crashes={
        "must have the same number of dimensions": "codes is (N,); gather wants (N, 1)",
        "expected scalar type Long": "codes are whole numbers, as cross_entropy takes them",
    },
    not_finite="softmax(1).log() loses what is rounded to 0; take log_softmax(1).",
    slopes="Q and G are trained by its gradient; leave out .detach() and no_grad.",
    praise="right: 0 for a Q that always says 1/K, at most log K, and negative where Q is wrong.",
)  # fmt: skip
