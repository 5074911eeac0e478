"""Checks of the exercises of notebook 05b, what conditions are good for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize, one_hot, softplus
from torch.optim import SGD, Adam

from .checking import Wrong, as_number, ask, ask_tensor, check, near, random_tensor, same
from .exercise import Case, Exercise, combined, refuse


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """Between vectors, (N, 1), and at least 0.001, so that one can divide by its sine."""
    return F.cosine_similarity(first, second).clamp(-1, 1).acos().clamp(min=1e-3)[:, None]


def _slerp(first: Tensor, second: Tensor, share: Tensor, angle: Tensor | None = None) -> Tensor:
    """Spherical linear interpolation (Shoemake 1985)."""
    angle, share = _angle(first, second) if angle is None else angle, share[:, None]
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def _line(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return first.lerp(second, share[:, None])


def _of_root_k(vectors: Tensor) -> Tensor:
    return vectors.shape[1] ** 0.5 * normalize(vectors, dim=1)


def _explain_halfway(found: Tensor, right: Tensor, first: Tensor, second: Tensor, share) -> str:
    at = int((found - right).norm(dim=1).argmax())
    whole, way = (_angle(first, end)[at].rad2deg().item() for end in (second, found))
    return (
        f"{share[at]:.2f} of an angle of {whole:.0f}° is {share[at] * whole:.0f}°, and the vector "
        f"there has length {right[at].norm():.2f}; yours stands at {way:.0f}° from the first and "
        f"has length {found[at].norm():.2f}."
    )


UNCHANGED = (lambda given: given), ""
SHARES = torch.tensor([0.9, 0.15, 0.7, 0.3, 0.8, 0.2])
LONG, SHORT = ([_of_root_k(random_tensor(6, k, seed=seed)) for seed in (1, 2)] for k in (24, 3))
SAME = _of_root_k(torch.cat([torch.ones(1, 16), random_tensor(40, 16, seed=3)]))

check_halfway = Exercise(
    "Exercise 1, halfway",
    _slerp,
    [
        Case((*LONG, SHARES)),
        Case((*SHORT, SHARES)),
        Case((*SHORT, SHARES.round()), before="right on the way, but at its ends: "),
        Case((SAME, SAME, torch.linspace(0.1, 0.9, 41)), "right for different sentences, but two "
             "equal ones give {found:.3g} instead of {right:.3g}: their angle is 0, where sin 0 / "
             "sin 0 has no value, or their cosine is rounded to more than 1: .clamp(-1, 1)."),
    ],
    [
        *combined(
            lambda length, path, share: lambda a, b, s: length(path(a, b, share(s))),
            [
                UNCHANGED,
                (lambda x: x / x.shape[1] ** 0.5, "the vectors have length 1; it should be √k."),
                (lambda x: x * x.shape[1] ** 0.5, "the vectors have length k; it should be √k."),
            ],
            [
                (_slerp, ""),
                (_line, "a straight line cuts through the sphere, with vectors shorter than √k."),
                (lambda *given: _of_root_k(_line(*given)), "a straight line, set to length √k, is "
                 "right only half way and at the two ends: `share` is a share of the angle."),
                (lambda a, b, s: _slerp(a, b, s, _angle(a.reshape(1, -1), b.reshape(1, -1))),
                 "one angle is taken for the whole batch; each pair has its own (dim=1)."),
            ],
            [UNCHANGED, (lambda share: 1 - share, "`share` is taken from the wrong end.")],
        ),
        (lambda a, b, s: _slerp(a, b, s) * _angle(a, b).sin(), "the two sines are not divided by "
         "the sine of the whole angle, sin Ω."),
        (lambda a, b, s: _of_root_k(a + b), "that is half way, whatever `share` says."),
        (lambda a, b, s: a, "that is the first vector, whatever `share` says."),
        (lambda a, b, s: b, "that is the second vector, whatever `share` says."),
    ],
    result="one vector a pair",
    crashes={
        "must match the size": "share is (N,); as a column, share[:, None], it goes with (N, k)",
        "mat1 and mat2": "the angle of a pair is a sum over dim=1, not a product of matrices",
    },
    not_finite="acos takes a cosine: first · second divided by both lengths, that is by k.",
    explain=_explain_halfway,
    tolerance=1e-3,
    praise="right: equal shares are equal angles, and every step has the length of a sentence.",
)  # fmt: skip


def _step(count: int, side: int, size: int, weight: float, seed: int) -> tuple:
    """Logits (N, h, w), drawing and truth (N, 3, H, W), and the weight of their distance."""
    logits = 2 * random_tensor(count, side, side + 1, seed=seed) - 0.5
    drawing, truth = random_tensor(2, count, 3, size, size + 2, seed=seed + 1).sigmoid()
    return logits, drawing, truth**1.3, weight


def _adversarial(logits: Tensor) -> Tensor:
    return softplus(-logits).mean()


def _distance(error: Tensor) -> Tensor:
    return error.abs().mean()


def _loss(adversarial=_adversarial, distance=_distance, add=lambda a, d, w: a + w * d) -> Callable:
    """The generator's loss, with other terms, or added in another way."""
    return lambda logits, drawing, truth, weight: add(
        adversarial(logits), distance(truth - drawing), weight
    )


FOR_G = "here G pays softplus(-logits)."
MEAN_LOGIT = "softplus of the mean logit{}. Every patch pays for itself: first softplus, then mean."
MAP_SUMMED = "the patches are summed, and a large image has more of them; take the mean."
SUMMED = "the distances are summed, so λ depends on the size of image and batch; take their mean."
SQUARED = "the distance is squared; its best answer is the mean, that of |x - G| the median."
L1 = "take the mean of |x - G|."
CANCELLED = "the differences have signs and cancel out: first .abs(), then the mean."
REGRESSION = "that is the distance alone, a regression; the adversarial loss is missing."

check_generator_loss = Exercise(
    "Exercise 2, two wishes",
    _loss(),
    [
        Case(_step(2, 3, 4, weight=3, seed=8)),
        Case(_step(4, 5, 6, weight=0.3, seed=2)),
        Case((torch.full((2, 3, 4), -200.0), *_step(2, 3, 8, weight=1, seed=3)[1:]), "right for "
             "usual logits, but at -200, where D is sure, it is {found:.3g} and not {right:.3g}: "
             "σ(-200) is rounded to 0, and its log is lost. Take softplus(-logits)."),
    ],
    [
        *combined(
            _loss,
            [
                (_adversarial, ""),
                (lambda d: softplus(d).mean(), f"D pays softplus(logits) for fakes; {FOR_G}"),
                (lambda d: -softplus(d).mean(), f"log(1 - D) saturates where D is sure; {FOR_G}"),
                (lambda d: -_adversarial(d), "the sign is wrong; G is paid for being caught."),
                (lambda d: softplus(-d.mean()), MEAN_LOGIT.format("")),
                (lambda d: softplus(-d.mean((1, 2))).mean(), MEAN_LOGIT.format(" of each image")),
                (lambda d: softplus(d.mean()), MEAN_LOGIT.format(", and of the wrong sign")),
                (lambda d: softplus(-d).sum(), MAP_SUMMED),
                (lambda d: softplus(-d).sum((1, 2)).mean(), MAP_SUMMED),
                (lambda d: -d.mean(), f"-logits is the loss against a critic (WGAN); {FOR_G}"),
                (lambda d: -d.sigmoid().mean(), f"the negative log is missing; {FOR_G}"),
                (lambda d: (1 - d).square().mean(), f"that is least squares (LSGAN); {FOR_G}"),
                (lambda d: softplus(-d.sigmoid()).mean(), f"softplus has a sigmoid in it; {FOR_G}"),
            ],
            [
                (_distance, ""),
                (lambda e: e.abs().sum(), SUMMED),
                (lambda e: e.abs().sum((1, 2, 3)).mean(), SUMMED),
                (lambda e: e.square().mean(), SQUARED),
                (lambda e: e.square().sum(), f"{SQUARED} And {SUMMED}"),
                (lambda e: e.square().mean().sqrt(), f"that is the root of the mean square; {L1}"),
                (lambda e: e.flatten(1).norm(dim=1).mean(), f"that is the L2 norm; {L1}"),
                (lambda e: e.mean(), CANCELLED),
                (lambda e: -e.mean(), CANCELLED),
                (lambda e: e.mean().abs(), CANCELLED),
                (lambda e: -_distance(e), "the distance is subtracted; G is paid for being far."),
            ],
        ),
        *combined(
            lambda add: _loss(add=add),
            [
                (lambda a, d, w: w * a + d, "the weight belongs to the distance."),
                (lambda a, d, w: w * (a + d), "the weight multiplies both terms."),
                (lambda a, d, w: a + d, "the weight does not occur."),
                (lambda a, d, w: a + d / w, "the distance is divided by its weight."),
                (lambda a, d, w: a - w * a + w * d, "the weight is no share of a whole."),
                (lambda a, d, w: a, "the distance to the truth is missing."),
                (lambda a, d, w: w * d, REGRESSION),
                (lambda a, d, w: d, REGRESSION),
            ],
        ),
    ],
    result="one number for the batch",
    shapes=lambda logits, drawing, *others: {
        (): "a plain number has no gradient, and G would learn nothing from it: leave out .item().",
        logits.shape: "that is one number a patch; take the mean over the map and the batch.",
        drawing.shape: "that is one number a pixel; take the mean over all of them.",
        logits.shape[:1]: "that is one number an image; take the mean over the batch, too.",
    },
    crashes={"must match the size": "average each term to one number before you add them"},
    not_finite="logits have either sign and no log; -log σ(logits) is softplus(-logits).",
    slopes="leave out .detach(), .data and no_grad. (D's own step detaches the drawing, G's not.)",
    leaves=2,
    tolerance=1e-5,
    explain=lambda found, right, logits, drawing, truth, weight: "softplus(-logits) has the mean "
    f"{_adversarial(logits):.4f}, the distance is {_distance(truth - drawing):.4f} and its weight "
    f"{weight}, so the loss is {right:.4f}; yours is {found:.4f}.",
    praise="right: each patch pays for itself, the distance has its weight, and both reach G.",
)  # fmt: skip


def _two_errors(found) -> Tensor:
    found = list(found) if isinstance(found, Tensor) and found.dim() else found
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two numbers: the error of the mean, and that of a draw.")
    reduce = "; sum over the pixels, and take the mean over the images"
    return torch.tensor([as_number(error, "return two numbers", reduce) for error in found])


def _variance(factor: int, correction: int, reduce: Callable) -> Callable:
    return lambda images: reduce(factor * images.var(0, correction=correction))


MEAN, DRAW = _variance(1, 0, torch.sum), _variance(2, 0, torch.sum)


def _errors(of_mean=MEAN, of_draw=DRAW) -> Callable:
    return lambda images: torch.stack([of_mean(images), of_draw(images)])


AVERAGED = "the mean over the pixels is taken; take their sum."
ROOTED = "a root is taken; it is the squared error that is asked for."
UNSQUARED = "the distances are not squared."
UNBIASED = "that divides by n - 1, but all images are given: divide by n (correction=0)."
GREY = "the mean is one number for all pixels, a grey image; each has its own, .mean(dim=0)."
OTHERS = "only pairs of different images are counted; once in n times, drawn and true are the same."
REDUCED = [(torch.sum, ""), (torch.mean, AVERAGED), (lambda each: each.sum().sqrt(), ROOTED)]
FACTORS = [
    (2, ""),
    (1, "that is the error of the mean; take the mean over all n² pairs of drawn and true."),
    (4, "drawn and true are off the mean independently: their squares add, not their errors."),
]
OF_MEAN = [
    *combined(_variance, [(1, "")], [(0, ""), (1, UNBIASED)], REDUCED),
    (lambda x: x.std(0, correction=0).sum(), ROOTED),
    (lambda x: (x - x.mean(0)).norm(dim=1).mean(), ROOTED),
    (lambda x: (x - x.mean(0)).square().sum(), "only one of them is the truth: take the mean."),
    (lambda x: (x - x.mean()).square().sum(1).mean(), GREY),
    (lambda x: x.var(correction=0), GREY),
    (lambda x: x.var(), GREY),
    (lambda x: (x.T - x.mean(1)).square().sum(0).mean(), "the mean of each image is "
     "subtracted; take the mean over the images, .mean(dim=0)."),
    (lambda x: x.square().sum(1).mean(), "that is the error of a black image; subtract the mean."),
    (lambda x: (x - x.mean(0)).abs().sum(1).mean(), UNSQUARED),
]  # fmt: skip
OF_DRAW = [
    *combined(_variance, FACTORS, [(0, ""), (1, OTHERS)], REDUCED),
    (lambda x: 0 * x.sum(), "each image is compared with itself; draw independently of the truth."),
    (lambda x: (x[:, None] - x).norm(dim=2).mean(), ROOTED),
    (lambda x: F.pdist(x).mean(), f"{ROOTED} And {OTHERS}"),
    (lambda x: (x[:, None] - x).square().sum(), "that is the sum over all pairs; take the mean."),
    (lambda x: (x[:, None] - x).square().sum() / len(x), "that is divided by n only, not by n²."),
    (lambda x: F.pdist(x).square().sum(), "that is the sum over the pairs i < j, not all n²."),
    (lambda x: (x[:, None] - x).abs().sum(2).mean(), UNSQUARED),
    (lambda x: (x - x.roll(1, 0)).square().sum(1).mean(), "any of the n images can be drawn, not "
     "one neighbour of the true one."),
]  # fmt: skip

check_price_of_deciding = Exercise(
    "Exercise 3, the price of deciding",
    lambda possible: _errors()(possible),
    [
        Case((torch.arange(0.5, 3) * (random_tensor(5, 3, seed=1) + 1),)),
        Case((torch.arange(0.5, 4) * (random_tensor(8, 4, seed=2) + 1),)),
        Case((random_tensor(1, 4, seed=3),), "if only one image is possible, both errors are 0."),
    ],
    [
        (lambda x: _errors()(x).flip(0), "both are right, but in the wrong order: mean first."),
        *((_errors(of_mean=error), f"always the mean: {hint}") for error, hint in OF_MEAN),
        *((_errors(of_draw=error), f"one at random: {hint}") for error, hint in OF_DRAW),
        *combined(lambda n, reduce: _errors(_variance(1, n, reduce), _variance(2, n, reduce)),
                  [(0, ""), (1, UNBIASED)], REDUCED),
    ],
    result="two numbers, the error of the mean and that of a draw",
    read=_two_errors,
    explain=lambda found, right, possible: f"of {len(possible)} possible images of "
    f"{possible.shape[1]} pixels the two errors are {right[0]:.3f} and {right[1]:.3f}; yours are "
    f"{found[0]:.3f} and {found[1]:.3f}. (Draw no random numbers: average over all draws.)",
    praise="right: twice the error, or 3 dB, however many are possible, whatever they look like.",
)  # fmt: skip


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
    "Exercise 4, weights around a hole",
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
            [(0, ""), (0.2, "unlike in section 4, nothing is added to the share.")],
            [UNCHANGED, (lambda x: x / x.mean(), "weights are not divided by their mean here.")],
            [
                UNCHANGED,
                (lambda w: 7, "the window is always 7, as in section 4; here the window is given."),
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


def _hot(labels: Tensor, classes: int) -> Tensor:
    return one_hot(labels, classes).float()


# 5. An age between two stages


def _away(age: Tensor, stages: int) -> Tensor:
    """How far each age is from each stage, (N, stages)."""
    return (age[:, None] - torch.arange(stages)).abs()


BETWEEN = torch.tensor([0.1, 0.35, 0.8, 1.3, 1.65, 1.9])
WHOLE = "right between two stages, but a whole age must be one-hot, the last one, too."
FAR = "far stages get {}: a stage gets 0 where it is a step or more away, .clamp(min=0)"
WIDE = "the shares reach too far and do not sum to 1: a stage one whole step away gets 0."
SHARE_SQUARED = "the {} squared, so the shares do not sum to 1 between stages; share linearly."
SOFTMAX = "every stage gets a share, however far away; only the two neighbours share the 1."
AGE_SHARES = [
    (lambda away: 1 - away, f"{FAR.format('negative numbers')}."),
    (lambda away: (1 - away).abs(), f"{FAR.format('shares, too')}, not .abs()."),
    (lambda away: away * (away < 1), "wrong way round: the nearer stage gets the larger share."),
    (lambda away: (away < 1) / 2, "both neighbours get half; the nearer one gets more."),
    (lambda away: (away < 1).float(), "both neighbours get 1; they share it."),
    (lambda away: away, "those are the distances to the stages; near stages get more, not less."),
    (lambda away: (1 - away).clamp(min=0).square(), SHARE_SQUARED.format("shares are")),
    (lambda away: (1 - away.square()).clamp(min=0), SHARE_SQUARED.format("distance is")),
    (lambda away: (1 - away / 2).clamp(min=0), WIDE),
    (lambda away: 1 - away / away.shape[1], WIDE),
    (lambda away: (-away).softmax(1), SOFTMAX),
    (lambda away: (-away.square()).softmax(1), SOFTMAX),
    (lambda away: (-away.square()).exp(), SOFTMAX),
    (lambda away: (-away).exp(), SOFTMAX),
    (lambda away: (1 - away).clamp(min=0).softmax(1), SOFTMAX),
    (lambda away: 1 / (1 + away), SOFTMAX),
    (lambda away: (torch.pi / 2 * away.clamp(max=1)).cos().square(), "the shares sum to 1, but not "
     "linearly: a quarter of the way is ¾ and ¼."),
]  # fmt: skip
ROUNDED = "the age is {}, without a share for the other neighbour."
THERMOMETER = "that is a thermometer, filled up to the age; in training a whole age was one-hot."
check_soft_one_hot = Exercise(
    "Exercise 5, between two ages",
    lambda age, stages: (1 - _away(age, stages)).clamp(min=0),
    cases=[
        Case((BETWEEN, 3)), Case((torch.arange(3.0), 3), WHOLE),
        Case((BETWEEN + 2, 5)), Case((torch.arange(5.0), 5), WHOLE),
    ],
    mistakes=[
        (lambda age, n: _hot(age.round().long(), n), ROUNDED.format("rounded to a stage")),
        (lambda age, n: _hot(age.floor().long(), n), ROUNDED.format("cut off to the stage below")),
        (lambda age, n: _hot(age.ceil().long(), n), ROUNDED.format("moved to the stage above")),
        (lambda age, n: (age[:, None] - torch.arange(n)).clamp(0, 1), THERMOMETER),
        (lambda age, n: (age[:, None] - torch.arange(n) + 1).clamp(0, 1), THERMOMETER),
        *combined(lambda share: lambda age, n: share(_away(age, n)), AGE_SHARES),
    ],
    result="one row an age, one column a stage; the shares of an age sum to 1",
    shapes=lambda age, n: dict.fromkeys([(len(age),), (len(age), 1)], "that is one number an age; "
                                        "give each stage a place of its own: (N, stages)."),
    crashes={
        "Class values must be smaller": "at the last stage there is none above",
        "out of bounds": "at the last stage there is none above",
        "only applicable to index": "one_hot takes whole numbers only",
    },
    praise="right: a whole age is one-hot, and in between two stages share the 1.",
)  # fmt: skip


# 6. GAN inversion: many ways are right, so what is compared is usual mistakes, and where it ends


class _Generator(nn.Module):
    """tanh(A z + B y): images (N, 1, 3, 3) of z (N, 3), which can be found, and y (N, 2)."""

    def __init__(self):
        super().__init__()
        self.of_z = nn.Parameter(torch.linalg.qr(random_tensor(9, 3, seed=1))[0].T.clone())
        self.of_y = nn.Parameter(0.3 * random_tensor(2, 9, seed=2))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return (z @ self.of_z + y @ self.of_y).tanh().view(-1, 1, 3, 3)


RATE = 0.1
Y = _hot(torch.tensor([0, 1, 1, 0, 1]), 2)
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
    """Exercise 6: `find_latent(generator, target, y, start, steps, rate)` -> (N, latent)."""
    Adam([torch.zeros(1, requires_grad=True)])  # the first of a session loads for a second or more
    check("Exercise 6, GAN inversion", answer, _examine_find)


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
