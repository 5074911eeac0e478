"""Checks of the exercises of notebook 05c, image-to-image translation."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.functional import softplus

from .checking import Wrong, as_number, random_tensor
from .exercise import Case, Exercise, combined


def _step(count: int, side: int, size: int, weight: float, seed: int) -> tuple:
    """Logits (N, h, w), output and truth (N, 3, H, W), and the weight of their distance."""
    logits = 2 * random_tensor(count, side, side + 1, seed=seed) - 0.5
    output, truth = random_tensor(2, count, 3, size, size + 2, seed=seed + 1).sigmoid()
    return logits, output, truth**1.3, weight


def _adversarial(logits: Tensor) -> Tensor:
    return softplus(-logits).mean()


def _distance(error: Tensor) -> Tensor:
    return error.abs().mean()


def _loss(adversarial=_adversarial, distance=_distance, add=lambda a, d, w: a + w * d) -> Callable:
    """The generator's loss, with other terms, or added in another way."""
    return lambda logits, output, truth, weight: add(
        adversarial(logits), distance(truth - output), weight
    )


FOR_G = "here the loss of G is softplus(-logits)."
MEAN_LOGIT = (
    "softplus of the mean logit{}. Every patch has a loss of its own: first softplus, then mean."
)
MAP_SUMMED = "the patches are summed, and a large image has more of them; take the mean."
SUMMED = "the distances are summed, so λ depends on the size of image and batch; take their mean."
SQUARED = "the distance is squared; its best answer is the mean, that of |x - G| the median."
L1 = "take the mean of |x - G|."
CANCELLED = "the differences have signs and cancel out: first .abs(), then the mean."
REGRESSION = "that is the distance alone, a regression; the adversarial loss is missing."

check_generator_loss = Exercise(
    "Exercise 1, the loss of the generator",
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
                (lambda d: softplus(d).mean(), f"that is the loss of D for fakes; {FOR_G}"),
                (lambda d: -softplus(d).mean(), f"log(1 - D) saturates where D is sure; {FOR_G}"),
                (lambda d: -_adversarial(d), "the sign is wrong; G would learn to look fake."),
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
                (lambda e: -_distance(e), "the distance is subtracted; it must be small."),
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
    shapes=lambda logits, output, *others: {
        (): "a plain number has no gradient, and G would learn nothing from it: leave out .item().",
        logits.shape: "that is one number a patch; take the mean over the map and the batch.",
        output.shape: "that is one number a pixel; take the mean over all of them.",
        logits.shape[:1]: "that is one number an image; take the mean over the batch, too.",
    },
    crashes={"must match the size": "average each term to one number before you add them"},
    not_finite="logits have either sign and no log; -log σ(logits) is softplus(-logits).",
    slopes="leave out .detach(), .data and no_grad. (Only D's own step detaches the output.)",
    leaves=2,
    tolerance=1e-5,
    explain=lambda found, right, logits, output, truth, weight: "softplus(-logits) has the mean "
    f"{_adversarial(logits):.4f}, the distance is {_distance(truth - output):.4f} and its weight "
    f"{weight}, so the loss is {right:.4f}; yours is {found:.4f}.",
    praise="right: each patch has its own loss, the distance has its weight, and both reach G.",
)  # fmt: skip


def _two_errors(found) -> Tensor:
    found = list(found) if isinstance(found, Tensor) and found.dim() else found
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two numbers: the error of the mean, and that of a sample.")
    reduce = "; sum over the pixels, and take the mean over the images"
    return torch.tensor([as_number(error, "return two numbers", reduce) for error in found])


def _variance(factor: int, correction: int, reduce: Callable) -> Callable:
    return lambda images: reduce(factor * images.var(0, correction=correction))


MEAN, SAMPLE = _variance(1, 0, torch.sum), _variance(2, 0, torch.sum)


def _errors(of_mean=MEAN, of_sample=SAMPLE) -> Callable:
    return lambda images: torch.stack([of_mean(images), of_sample(images)])


AVERAGED = "the mean over the pixels is taken; take their sum."
ROOTED = "a root is taken; it is the squared error that is asked for."
UNSQUARED = "the distances are not squared."
UNBIASED = "that divides by n - 1, but all images are given: divide by n (correction=0)."
GREY = "the mean is one number for all pixels, a grey image; each has its own, .mean(dim=0)."
OTHERS = (
    "only pairs of different images are counted; once in n times, sample and truth are the same."
)
REDUCED = [(torch.sum, ""), (torch.mean, AVERAGED), (lambda each: each.sum().sqrt(), ROOTED)]
FACTORS = [
    (2, ""),
    (1, "that is the error of the mean; take the mean over all n² pairs of sample and truth."),
    (4, "sample and truth are off the mean independently: their squares add, not their errors."),
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
OF_SAMPLE = [
    *combined(_variance, FACTORS, [(0, ""), (1, OTHERS)], REDUCED),
    (lambda x: 0 * x.sum(), "each is compared with itself; sample and truth are independent."),
    (lambda x: (x[:, None] - x).norm(dim=2).mean(), ROOTED),
    (lambda x: F.pdist(x).mean(), f"{ROOTED} And {OTHERS}"),
    (lambda x: (x[:, None] - x).square().sum(), "that is the sum over all pairs; take the mean."),
    (lambda x: (x[:, None] - x).square().sum() / len(x), "that is divided by n only, not by n²."),
    (lambda x: F.pdist(x).square().sum(), "that is the sum over the pairs i < j, not all n²."),
    (lambda x: (x[:, None] - x).abs().sum(2).mean(), UNSQUARED),
    (lambda x: (x - x.roll(1, 0)).square().sum(1).mean(), "any of the n images can be the sample, "
     "not one neighbour of the true one."),
]  # fmt: skip

check_errors_of_mean_and_sample = Exercise(
    "Exercise 2, errors of mean and sample",
    lambda possible: _errors()(possible),
    [
        Case((torch.arange(0.5, 3) * (random_tensor(5, 3, seed=1) + 1),)),
        Case((torch.arange(0.5, 4) * (random_tensor(8, 4, seed=2) + 1),)),
        Case((random_tensor(1, 4, seed=3),), "if only one image is possible, both errors are 0."),
    ],
    [
        (lambda x: _errors()(x).flip(0), "both are right, but in the wrong order: mean first."),
        *((_errors(of_mean=error), f"always the mean: {hint}") for error, hint in OF_MEAN),
        *((_errors(of_sample=error), f"one at random: {hint}") for error, hint in OF_SAMPLE),
        *combined(lambda n, reduce: _errors(_variance(1, n, reduce), _variance(2, n, reduce)),
                  [(0, ""), (1, UNBIASED)], REDUCED),
    ],
    result="two numbers, the error of the mean and that of a sample",
    read=_two_errors,
    explain=lambda found, right, possible: f"of {len(possible)} possible images of "
    f"{possible.shape[1]} pixels the two errors are {right[0]:.3f} and {right[1]:.3f}; yours are "
    f"{found[0]:.3f} and {found[1]:.3f}. (Draw no random numbers: average over all samples.)",
    praise="right: twice the error, or 3 dB, however many are possible, whatever they look like.",
)  # fmt: skip
