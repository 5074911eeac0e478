"""Exercises of lesson 02, autoencoders."""

import math

import torch
from torch import Tensor

from .checking import Wrong, ask, check, near, random_tensor
from .exercise import Case, Exercise, combined, refuse

# 1. Sparsity


def _term(p, q):
    return p * (p / q).log()


def _kl(p, q):
    return _term(p, q) + _term(1 - p, 1 - q)


def _sparsity(h, rho):
    return _kl(rho, h.mean(0)).sum()


AVERAGES = [
    (lambda h: h.mean(0), ""),
    (lambda h: h.mean(1), "ρ̂ is averaged over the images, dim=0, and not over the units."),
    (lambda h: h.mean(), "every unit has a ρ̂ of its own: average over the images only, dim=0."),
]
DIVERGENCES = [
    (_kl, ""),
    (lambda rho, mean: _kl(mean, rho), "the KL is the wrong way round: ρ stands in front and in "
     "the numerator, KL(ρ‖ρ̂)."),
    (_term, "the second term is missing: a unit that is too often on must cost, too."),
    (lambda rho, mean: _term(1 - rho, 1 - mean), "the first term is missing: a unit that is too "
     "often off must cost, too."),
    (lambda rho, mean: _term(rho, mean) - _term(1 - rho, 1 - mean), "the two terms are added."),
]  # fmt: skip
NATURAL = "the logarithm is the natural one, .log(); this is to the base {}."
check_sparsity = Exercise(
    "Exercise 1, the sparsity penalty",
    _sparsity,
    [
        Case((random_tensor(5, 4, seed=5).sigmoid(), 0.2)),
        Case((random_tensor(5, 3, seed=6).sigmoid(), 0.05)),
    ],
    [
        *combined(lambda mean, kl: lambda h, rho: kl(rho, mean(h)).sum(), AVERAGES, DIVERGENCES),
        (lambda h, rho: _kl(rho, h).sum(1).mean(), "average the activations first, and then take "
         "the KL; here each image has a KL of its own."),
        (lambda h, rho: -_sparsity(h, rho), "the sign is turned round: a KL is never negative."),
        (lambda h, rho: _sparsity(h, rho) / math.log(2), NATURAL.format(2)),
        (lambda h, rho: _sparsity(h, rho) / math.log(10), NATURAL.format(10)),
        (lambda h, rho: _kl(rho, h.mean(0)).mean(), "the units are summed; this is their mean."),
    ],
    result="one number for the whole batch; compare it term by term with the formula",
    shapes=lambda h, rho: {(h.shape[1],): "that is one number a unit; sum them."},
    slopes="every activation of the batch has a part in ρ̂.",
    praise="right: 0 where every unit is on as often as asked, and more everywhere else.",
)  # fmt: skip

# 2. A mask


def check_mask(answer) -> None:
    """`masked(x, share)` -> (N, C, H, W); it draws random numbers."""
    check("Exercise 2, a mask", answer, _examine_mask)


def _examine_mask(answer) -> str:
    with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers go on as before
        torch.manual_seed(0)
        for channels, height, width, share in ((3, 16, 16, 0.3), (1, 12, 20, 0.8)):
            x = 0.2 + 0.6 * torch.rand(64, channels, height, width)
            dropped = _dropped(answer, x, share)
            _demand_random_pixels(dropped, share)
            if torch.equal(dropped, _dropped(answer, x, share)):
                raise Wrong("two calls drop the same pixels; draw a new mask every time.")
    return "right: the share asked for, other pixels in every image, and the rest untouched."


def _dropped(answer, x: Tensor, share: float) -> Tensor:
    """(N, C, H, W) booleans: what was set to zero; what was not must be as it was."""
    damaged = ask(answer, x, share, names=("x", "share"))
    of_pixels = isinstance(damaged, Tensor) and damaged.shape[-2:] == x.shape[-2:]
    if of_pixels and damaged.any() and ((damaged == 0) | (damaged == 1)).all():
        raise Wrong("that is the mask; multiply the images by it.")
    what = tuple(damaged.shape) if isinstance(damaged, Tensor) else type(damaged).__name__
    if what != tuple(x.shape):
        raise Wrong(f"return images of the same shape {tuple(x.shape)}; this is {what}.")
    dropped = damaged == 0
    rest, was = damaged[~dropped].float(), x[~dropped]
    changed = not near(rest, was)
    scaled = near(rest, was / share) or near(rest, was / (1 - share))
    refuse(
        (changed and scaled, "the pixels that are left are scaled up, as by dropout; leave them as "
         "they are."),
        (changed and torch.isclose(rest, was).float().mean() > 0.05, "the pixels that are dropped "
         "must become 0, and not noise or another value."),
        (changed, "the pixels that are left must stay as they were; add nothing."),
    )  # fmt: skip
    return dropped


def _demand_random_pixels(dropped: Tensor, share: float) -> None:
    pixels = dropped[:, 0]
    found = pixels.float().mean().item()
    given = f"for share = {share}"
    refuse(
        (found == 0, f"{given} no pixel is 0; that share of them should be."),
        (found == 1, f"{given} every pixel is 0; only that share of them should be."),
        ((dropped != dropped[:, :1]).any(), "the colours of a pixel are dropped separately; draw "
         "one number for all of them: (N, 1, H, W)."),
        ((pixels == pixels[:1]).all(), "every image loses the same pixels; draw a mask for each."),
        ((pixels == pixels[:, :1]).all() or (pixels == pixels[:, :, :1]).all(), "whole rows, "
         "columns or images go at once; draw one number a pixel."),
        (abs(found - (1 - share)) < 0.02, f"{given} that share is kept; it should be dropped."),
        (abs(found - share) >= 0.02, f"{given} it drops {100 * found:.0f} % of the pixels."),
    )  # fmt: skip


# 3. Learn the distribution


def _factor(codes):
    return torch.linalg.cholesky(codes.T.cov())


def _spread(codes):
    return codes.std(0).diag()


def _samples(codes, noise):
    return codes.mean(0) + noise @ _factor(codes).T


CENTRES = [
    (lambda codes: codes.mean(0), ""),
    (
        lambda codes: 0,
        "the mean is missing: the samples should be scattered around that of the "
        "codes, not around 0.",
    ),
    (
        lambda codes: codes.mean(),
        "every dimension has a mean of its own: average over the codes only, dim=0.",
    ),
]
ALONE = "that draws every dimension by itself; the codes are correlated, and L has that in it."
FACTORS = [
    (_factor, ""),
    (lambda codes: _factor(codes).T, "L is the wrong way round: a sample is a row here, so L ε is "
     "noise @ L.T."),
    (_spread, ALONE),
    (lambda codes: codes.var(0).diag(), ALONE),
    (lambda codes: codes.T.cov(), "the noise is multiplied with the covariance matrix itself, so "
     "that the samples have its square; take its Cholesky factor L."),
    (lambda codes: torch.eye(codes.shape[1]), "the covariance is missing: this is noise of "
     "variance 1 in every dimension."),
    (lambda codes: torch.linalg.cholesky(codes.T.cov(correction=0)), "the covariance is divided "
     "by N; divide by N - 1, as torch.cov does."),
    (lambda codes: torch.linalg.cholesky(codes.T @ codes / (len(codes) - 1)), "subtract the mean "
     "before you form the covariance."),
    (lambda codes: torch.linalg.cholesky(codes.T.corrcoef()), "that is the matrix of the "
     "correlations, in which every variance is 1; take the covariance."),
]  # fmt: skip
check_gaussian_codes = Exercise(
    "Exercise 3, learn the distribution",
    _samples,
    [
        Case((random_tensor(9, size, seed=19) @ mixing + 2, random_tensor(count, size, seed=29)))
        for size, count, mixing in (
            (3, 3, torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.5, -1.0], [0.0, 0.0, 1.5]])),
            (2, 5, torch.tensor([[1.0, -2.0], [0.0, 0.5]])),
        )
    ],
    [
        *combined(
            lambda centre, factor: lambda codes, noise: centre(codes) + noise @ factor(codes).T,
            CENTRES,
            FACTORS,
        ),
        (lambda codes, noise: _samples(codes, noise).T, "the samples stand in columns; return "
         "them as rows."),
        (lambda codes, noise: codes.mean(0) - noise @ _factor(codes).T, "the noise has the wrong "
         "sign; the distribution is the same, but add L ε as it is asked."),
        (lambda codes, noise: noise @ _factor(codes).T - codes.mean(0), "the mean is subtracted; "
         "add it."),
    ],
    result="one sample a row, μ + L ε",
    crashes={
        "not positive-definite": "is the matrix the covariance of the dimensions, (d, d)?",
        "mat1 and mat2 shapes": "noise is (M, d) and L is (d, d): noise @ L.T",
        "size of tensor": "the mean is over the codes, dim=0, and has d numbers",
    },
    shapes=lambda codes, noise: {
        tuple(codes.shape): "there is one sample for each row of the noise, not for each code.",
        noise.shape[::-1]: "the samples stand in columns; return them as rows.",
    },
    praise="right: the mean and all correlations of the codes, from independent noise.",
)  # fmt: skip
