"""Checks of the exercises of notebook 05b, what conditions are good for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, normalize, pad, pdist, softplus

from .checking import (
    Wrong,
    as_number,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
    random_tensor,
    tried,
)


def _between(low: float, high: float, count: int, seed: int) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=torch.Generator().manual_seed(seed))


# 1. Halfway on the sphere

LENGTH_ONE = (
    "the vectors have length 1; a sentence has √k, and the generator has seen no other length."
)
FROM_THE_END = "`share` is taken from the wrong end: at 0 stands the first vector, at 1 the second."
STRAIGHT = (
    "that is the straight line, which cuts through the sphere: in between the vectors are shorter "
    "than √k, shortest half way."
)
UNEVEN = (
    "a straight line, set to length √k afterwards. That is on the great circle, but right only "
    "half way and at the two ends: equal steps on the line are small angles near its ends and "
    "large ones in the middle. `share` is a share of the angle."
)


def check_halfway(answer) -> None:
    """Exercise 1: `halfway(first, second, share)` -> (N, k), all of length √k."""
    check("Exercise 1, halfway", answer, _examine_halfway)


def _column(share: Tensor) -> Tensor:
    return share[:, None]


def _root(vectors: Tensor) -> float:
    """The length √k that vectors (N, k) should have."""
    return vectors.shape[1] ** 0.5


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """The angles between pairs of vectors of one length, (N,); exact for small ones, too."""
    return 2 * torch.atan2((first - second).norm(dim=1), (first + second).norm(dim=1))


def _slerp(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Spherical linear interpolation (Shoemake 1985); equal vectors give themselves."""
    angle = _angle(first, second)[:, None]
    here, there = ((1 - _column(share)) * angle).sin(), (_column(share) * angle).sin()
    mixed = torch.where(angle > 1e-5, here * first + there * second, first)
    return _root(first) * normalize(mixed, dim=1)


def _line(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return torch.lerp(first, second, _column(share))


def _even_line(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return _root(first) * normalize(_line(first, second, share), dim=1)


def _sines(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    angle = _angle(first, second)[:, None]
    return ((1 - _column(share)) * angle).sin() * first + (_column(share) * angle).sin() * second


def _one_angle(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    angle = _angle(first.flatten()[None], second.flatten()[None])
    here, there = ((1 - _column(share)) * angle).sin(), (_column(share) * angle).sin()
    return (here * first + there * second) / angle.sin()


HALFWAY_MISTAKES = [
    (_line, STRAIGHT),
    (lambda a, b, s: _line(a, b, 1 - s), f"{STRAIGHT} And {FROM_THE_END}"),
    (_even_line, UNEVEN),
    (lambda a, b, s: _even_line(a, b, 1 - s), f"{UNEVEN} And {FROM_THE_END}"),
    (lambda a, b, s: _slerp(a, b, s) / _root(a), LENGTH_ONE),
    (lambda a, b, s: _slerp(a, b, 1 - s) / _root(a), f"{LENGTH_ONE} And {FROM_THE_END}"),
    (lambda a, b, s: _even_line(a, b, s) / _root(a), f"{LENGTH_ONE} And it is {UNEVEN}"),
    (lambda a, b, s: _slerp(a, b, s) * _root(a), "the vectors have length k; it should be √k."),
    (lambda a, b, s: _slerp(a, b, 1 - s), FROM_THE_END),
    (lambda a, b, s: _slerp(a, b, torch.full_like(s, 0.5)), "that is half way, whatever `share` "
     "says."),
    (_sines, "the two sines must be divided by the sine of the whole angle, sin Ω; without it the "
     "vectors at the ends are not the given ones."),
    (_one_angle, "one angle is taken for the whole batch; each pair has its own, a sum over "
     "dim=1."),
    (lambda a, b, s: a, "that is the first vector, wherever the walk stands."),
    (lambda a, b, s: b, "that is the second vector, wherever the walk stands."),
]  # fmt: skip
HALFWAY_CRASHES = {
    "must match the size": "share is (N,); as a column, share[:, None], it goes with (N, k)",
    "mat1 and mat2": "the angle of each pair is a sum over dim=1 of first * second, not a product "
    "of matrices",
}


def _pairs(numbers: int, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two vectors a pair (N, k) at all kinds of angles, and shares (N,) far from 0, ½ and 1."""
    first = normalize(random_tensor(count, numbers, seed=seed), dim=1)
    other = random_tensor(count, numbers, seed=seed + 1)
    across = normalize(other - (other * first).sum(1, keepdim=True) * first, dim=1)
    angle = torch.linspace(0.4, 2.6, count)[:, None]
    second = angle.cos() * first + angle.sin() * across
    share = _between(0.1, 0.4, count, seed)
    share[::2] = 1 - share[::2]
    return _root(first) * first, _root(first) * second, share


def _examine_halfway(answer) -> str:
    for numbers, count, seed in ((24, 6, 1), (5, 8, 2)):
        first, second, share = _pairs(numbers, count, seed)
        _compare_halfway(answer, first, second, share, "")
    ends = torch.tensor([0.0, 1.0]).repeat(4)
    _compare_halfway(answer, first, second, ends, "right on the way, but at its ends: ")
    _examine_equal(answer)
    return "right: equal shares are equal angles, and every step has the length of a sentence."


def _ask_halfway(answer, first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    found = ask(answer, first.clone(), second.clone(), share.clone(), crashes=HALFWAY_CRASHES)
    if isinstance(found, Tensor) and found.shape == first.shape and found.is_floating_point():
        return found  # NaN, too: what it means depends on the vectors
    return ask_tensor(lambda: found, shape=tuple(first.shape), meaning="one vector a pair")


def _compare_halfway(answer, first: Tensor, second: Tensor, share: Tensor, before: str) -> None:
    found = _ask_halfway(answer, first, second, share)
    if not found.isfinite().all():
        raise Wrong(
            f"{before}not all numbers are finite. acos knows -1 to 1 only, and a cosine is "
            "first · second divided by both lengths, that is by k."
        )
    right = _slerp(first, second, share)
    if near(found, right, 1e-3):
        return
    hint = explanation(found, tried(HALFWAY_MISTAKES, first, second, share))
    raise Wrong(before + (hint or _say_halfway(found, right, first, second, share)))


def _say_halfway(found: Tensor, right: Tensor, first: Tensor, second: Tensor, share: Tensor) -> str:
    worst = int((found - right).norm(dim=1).argmax())
    here = normalize(found[[worst]], dim=1) * _root(first)
    begin = first[[worst]]
    whole, way = (_angle(begin, end).rad2deg().item() for end in (second[[worst]], here))
    return (
        f"{share[worst]:.2f} of an angle of {whole:.0f}° is {share[worst] * whole:.0f}°, and the "
        f"vector there has length {_root(first):.2f}; yours stands at {way:.0f}° from the first "
        f"and has length {found[worst].norm():.2f}."
    )


def _examine_equal(answer) -> None:
    # The first cosine is exactly 1, the others, by rounding, are a little more or less.
    same = 4 * normalize(torch.cat([torch.ones(1, 16), random_tensor(40, 16, seed=3)]), dim=1)
    found = _ask_halfway(answer, same, same, _between(0.1, 0.9, len(same), 3))
    if not found.isfinite().all():
        raise Wrong(
            "right for different sentences, but two equal ones give NaN: their angle is 0, and "
            "sin 0 / sin 0 has no value (or rounding has made their cosine a little more than 1, "
            "where acos has none: .clamp(-1, 1)). Between equal vectors lies that vector."
        )
    if not near(found, same, 5e-3):
        worst = (found - same).norm(dim=1).argmax()
        raise Wrong(
            "right for different sentences, but between two equal ones it gives a vector of "
            f"length {found[worst].norm():.2f} that is not the same."
        )


# 2. The two wishes

OF_D = (
    "softplus(logits) = -log(1 - σ(logits)) is what D pays for a drawing, small where D says fake. "
    "G wants to be taken for real and pays softplus(-logits)."
)
SQUARED = (
    "the distance is squared, |x - G|² instead of |x - G|. The best answer to the one is the mean "
    "of all that is possible, to the other the median."
)
SUMMED = (
    "the distances are summed, so λ means something else for each size of image and batch; take "
    "their mean."
)
CANCELLED = "the differences have signs and cancel out: first .abs(), then the mean."
REGRESSION = "that is the distance alone, a regression; D's verdict is missing."
ON_BOTH = "the weight multiplies both wishes, so neither counts for more than the other."


def _caught(logits: Tensor) -> Tensor:
    return softplus(-logits).mean()


def _distance(drawing: Tensor, truth: Tensor) -> Tensor:
    return (truth - drawing).abs().mean()


def _wishes(
    caught: Callable[[Tensor], Tensor] = _caught,
    distance: Callable[[Tensor, Tensor], Tensor] = _distance,
) -> Callable[..., Tensor]:
    """The loss with one of its two terms replaced."""
    return lambda logits, drawing, truth, weight: caught(logits) + weight * distance(drawing, truth)


LOSS_MISTAKES = [
    (_wishes(lambda d: softplus(d).mean()), OF_D),
    (_wishes(lambda d: -softplus(d).mean()), "log(1 - D) has the right sign, but saturates: where "
     "D is sure of a fake it is flat (notebook 04). softplus(-logits) is steepest there."),
    (_wishes(lambda d: -_caught(d)), "D's verdict is subtracted, so G is paid for being caught."),
    (_wishes(lambda d: softplus(-d.mean())), "softplus of the mean logit: patches that look very "
     "real make up for one that gives the drawing away. Every patch pays for itself: first "
     "softplus, then the mean."),
    (_wishes(lambda d: softplus(-d.mean((1, 2))).mean()), "softplus of the mean logit of each "
     "image: patches that look very real make up for one that gives it away. First softplus, "
     "then the mean."),
    (_wishes(lambda d: softplus(d.mean())), f"softplus of the mean logit, and of the wrong sign: "
     f"{OF_D}"),
    (_wishes(lambda d: softplus(-d).sum()), "the patches are summed; take the mean over the map, "
     "or a larger image has more to fear from D."),
    (_wishes(lambda d: softplus(-d).sum((1, 2)).mean()), "the patches are summed; take the mean "
     "over the map, or a larger image has more to fear from D."),
    (_wishes(lambda d: -d.mean()), "the logits themselves are the verdict of a critic (WGAN); here "
     "G pays softplus(-logits)."),
    (_wishes(lambda d: -d.sigmoid().mean()), "the probability is used as it is; its negative log "
     "is missing: softplus(-logits)."),
    (_wishes(lambda d: (1 - d).square().mean()), "that is the loss of least squares (LSGAN); here "
     "G pays softplus(-logits)."),
    (_wishes(lambda d: softplus(-d.sigmoid()).mean()), "the logits go through a sigmoid and then "
     "through softplus, which has one inside: softplus(-logits)."),
    (_wishes(distance=lambda x, t: (t - x).abs().sum()), SUMMED),
    (_wishes(distance=lambda x, t: (t - x).abs().sum((1, 2, 3)).mean()), SUMMED),
    (_wishes(distance=lambda x, t: (t - x).square().mean()), SQUARED),
    (_wishes(distance=lambda x, t: (t - x).square().sum()), f"{SQUARED} And {SUMMED}"),
    (_wishes(distance=lambda x, t: (t - x).square().mean().sqrt()), "that is the root of the mean "
     "square; the distance is the mean of |x - G|."),
    (_wishes(distance=lambda x, t: (t - x).flatten(1).norm(dim=1).mean()), "that is the L2 norm of "
     "each image; the distance is the mean of |x - G|."),
    (_wishes(distance=lambda x, t: (t - x).mean()), CANCELLED),
    (_wishes(distance=lambda x, t: (x - t).mean()), CANCELLED),
    (_wishes(distance=lambda x, t: (t - x).mean().abs()), CANCELLED),
    (_wishes(distance=lambda x, t: -_distance(x, t)), "the distance is subtracted, so G is paid "
     "for being far from the truth."),
    (lambda d, x, t, w: w * _caught(d) + _distance(x, t), "the weight belongs to the distance, not "
     "to D's verdict."),
    (lambda d, x, t, w: w * (_caught(d) + _distance(x, t)), ON_BOTH),
    (lambda d, x, t, w: _caught(d) + _distance(x, t), "the weight does not occur."),
    (lambda d, x, t, w: _caught(d) + _distance(x, t) / w, "the distance is divided by its weight."),
    (lambda d, x, t, w: (1 - w) * _caught(d) + w * _distance(x, t), "the weight is no share; it "
     "multiplies the distance, and D's verdict counts once."),
    (lambda d, x, t, w: _caught(d), "that is D's verdict alone; the distance to the truth is "
     "missing."),
    (lambda d, x, t, w: w * _distance(x, t), REGRESSION),
    (lambda d, x, t, w: _distance(x, t), REGRESSION),
]  # fmt: skip
LOSS_CRASHES = {
    "must match the size": "the logits have their own, smaller map; average each term to one "
    "number before you add them",
}
NO_WAY_BACK = (
    "the number is right, but no gradient flows back to the {}, {}; leave out .detach(), .item(), "
    ".data and no_grad. (D's own step detaches the drawing, G's must not.)"
)
LEARNERS = {
    "logits": "and through them G learns what D thinks of its drawing",
    "drawing": "and through it G learns how far it is from the truth",
}


def check_generator_loss(answer) -> None:
    """Exercise 2: `generator_loss(logits, drawing, truth, weight)` -> one number."""
    check("Exercise 2, two wishes", answer, _examine_loss)


def _round_of(count: int, side: int, size: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (N, h, w) and images, drawn and true, (N, 3, H, W)."""
    logits = 2 * random_tensor(count, side, side + 1, seed=seed) - 0.5
    images = random_tensor(2, count, 3, size, size + 2, seed=seed + 1).sigmoid()
    return logits, images[0], images[1] ** 1.3


def _examine_loss(answer) -> str:
    for count, side, size, weight, seed in ((2, 3, 8, 20, 1), (4, 5, 6, 0.3, 2)):
        given = *_round_of(count, side, size, seed), weight
        found, _ = _ask_loss(answer, *given)
        if not found.isfinite():
            raise Wrong("the result is not a finite number. Logits have either sign and no log; "
                        "-log σ(logits) is softplus(-logits).")  # fmt: skip
        right = _wishes()(*given)
        if not near(found, right):
            raise Wrong(
                explanation(found, tried(LOSS_MISTAKES, *given))
                or f"D's verdict is {_caught(given[0]):.4f}, the distance "
                f"{_distance(*given[1:3]):.4f} and its weight {weight}, so the loss is "
                f"{right:.4f}; yours is {found:.4f}."
            )
        _judge_gradients(answer, *given)
    _, drawing, truth = _round_of(2, 3, 8, 3)
    sure = torch.full((2, 3, 4), -200.0)
    found, right = _ask_loss(answer, sure, drawing, truth, 1)[0], _wishes()(sure, drawing, truth, 1)
    if not near(found, right):
        raise Wrong(
            "right for usual logits, but where D is quite sure, at -200, D's verdict is 200, and "
            f"your loss {found:.3g}: σ(-200) is rounded to 0, and its log is lost. "
            "softplus(-logits) needs no σ."
        )
    return "right: each patch pays for itself, the distance has its weight, and both reach G."


def _ask_loss(answer, logits, drawing, truth, weight) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss (), and what it should have a gradient for, by name."""
    leaves = {
        "logits": logits.clone().requires_grad_(),
        "drawing": drawing.clone().requires_grad_(),
    }
    found = ask(answer, *leaves.values(), truth.clone(), weight, crashes=LOSS_CRASHES)
    if isinstance(found, float):
        raise Wrong("return a tensor of one number; a plain number has no gradient, and G would "
                    "learn nothing from it: leave out .item().")  # fmt: skip
    shapes = {
        tuple(logits.shape): "that is one number a patch; take the mean over the map and the "
        "batch.",
        tuple(drawing.shape): "that is one number a pixel; take the mean over all of them.",
        (len(logits),): "that is one number an image; take the mean over the batch, too.",
    }
    if isinstance(found, Tensor) and tuple(found.shape) in shapes:
        raise Wrong(shapes[tuple(found.shape)])
    if isinstance(found, Tensor) and found.dim() == 0 and found.is_floating_point():
        return found, leaves  # NaN, too: what it means is said where it is compared
    return ask_tensor(lambda: found, shape=(), meaning="one number for the batch"), leaves


def _judge_gradients(answer, logits, drawing, truth, weight) -> None:
    found, leaves = _ask_loss(answer, logits, drawing, truth, weight)
    expected = {name: leaf.detach().clone().requires_grad_() for name, leaf in leaves.items()}
    _wishes()(*expected.values(), truth, weight).backward()
    if not found.requires_grad:
        raise Wrong(NO_WAY_BACK.format("generator", "which would learn nothing from it"))
    found.backward()
    for name, leaf in leaves.items():
        if leaf.grad is None or not leaf.grad.any():
            raise Wrong(NO_WAY_BACK.format(name, LEARNERS[name]))
        if not near(leaf.grad, expected[name].grad, 1e-5):
            raise Wrong(f"the number is right, but not its gradient for the {name}; leave out "
                        ".detach() and .data.")  # fmt: skip


# 3. The price of making up one's mind

PIXELS_AVERAGED = "the mean over the pixels is taken; take their sum."
ROOTED = "a root is taken; it is the squared error that is asked for."
MEAN_UNBIASED = (
    "that divides by n - 1. The possible images are all there are, not a sample, and each is the "
    "truth once in n times: divide by n, .var(dim=0, correction=0)."
)
MEAN_MISTAKES = [
    (lambda x: x.var(0).sum(), MEAN_UNBIASED),
    (lambda x: x.var(0).mean(), f"{PIXELS_AVERAGED} And {MEAN_UNBIASED}"),
    (lambda x: x.var(0, correction=0).mean(), PIXELS_AVERAGED),
    (lambda x: x.var(0, correction=0).sum().sqrt(), ROOTED),
    (lambda x: x.std(0, correction=0).sum(), ROOTED),
    (lambda x: (x - x.mean(0)).norm(dim=1).mean(), ROOTED),
    (lambda x: (x - x.mean(0)).square().sum(), "that is the sum over the possible images; only "
     "one of them is the truth, so take their mean."),
    (lambda x: (x - x.mean()).square().sum(1).mean(), "the mean is one number for all pixels, a "
     "grey image; each pixel has its own, .mean(dim=0)."),
    (lambda x: x.var(correction=0), "the mean is one number for all pixels, a grey image; each "
     "pixel has its own, .mean(dim=0)."),
    (lambda x: x.var(), "the mean is one number for all pixels, a grey image; each pixel has its "
     "own, .mean(dim=0)."),
    (lambda x: (x - x.mean(1, keepdim=True)).square().sum(1).mean(), "the mean is taken over the "
     "pixels of each image; the answer is the mean of the images, .mean(dim=0)."),
    (lambda x: x.square().sum(1).mean(), "that is the error of a black image; subtract the mean "
     "of the possible ones."),
    (lambda x: (x - x.mean(0)).abs().sum(1).mean(), "the distances are not squared."),
    (lambda x: (x - x.mean(0)).sum(1).mean().square(), "the differences cancel out before they are "
     "squared: first the square, then the sum."),
]  # fmt: skip
DRAW_MISTAKES = [
    (lambda x: 2 * x.var(0).sum(), "only pairs of different images are counted. Drawn and true "
     "are independent, so once in n times they are the same, with no error."),
    (lambda x: 2 * x.var(0).mean(), f"{PIXELS_AVERAGED} And only pairs of different images are "
     "counted."),
    (lambda x: x.new_tensor(0.0), "each image is compared with itself, as if the truth were "
     "known; the one that is drawn and the true one are independent."),
    (lambda x: x.var(0, correction=0).sum(), "that is as cheap as the mean. The drawn image is "
     "off the mean as well as the true one: take the squared distance of two draws, over all n² "
     "pairs. (With i < j only, each pair counts half.)"),
    (lambda x: x.var(0).sum(), "that is the variance, and with n - 1; take the squared distance of "
     "two draws, the mean over all n² pairs."),
    (lambda x: 2 * x.var(0, correction=0).mean(), PIXELS_AVERAGED),
    (lambda x: 2 * x.var(0, correction=0).sum().sqrt(), ROOTED),
    (lambda x: (2 * x.var(0, correction=0).sum()).sqrt(), ROOTED),
    (lambda x: (x[:, None] - x).norm(dim=2).mean(), ROOTED),
    (lambda x: pdist(x).mean(), f"{ROOTED} And only pairs of different images are counted."),
    (lambda x: 4 * x.var(0, correction=0).sum(), "twice the error, squared, is four times; but the "
     "two are off the mean independently, and their squares add."),
    (lambda x: (x[:, None] - x).square().sum(), "that is the sum over all pairs; take the mean "
     "over the n² of them."),
    (lambda x: (x[:, None] - x).square().sum() / len(x), "that is divided by n only; there are n² "
     "pairs of drawn and true."),
    (lambda x: pdist(x).square().sum(), "that is the sum over the pairs i < j; take the mean over "
     "all n² of drawn and true."),
    (lambda x: (x[:, None] - x).abs().sum(2).mean(), "the distances are not squared."),
    (lambda x: (x - x.roll(1, 0)).square().sum(1).mean(), "each image is compared with one "
     "neighbour; any of the n can be drawn whichever is true."),
]  # fmt: skip
PRICES = {
    "always the mean": (MEAN_MISTAKES, lambda x: x.var(0, correction=0).sum()),
    "one at random": (DRAW_MISTAKES, lambda x: 2 * x.var(0, correction=0).sum()),
}


def check_price_of_deciding(answer) -> None:
    """Exercise 3: `price_of_deciding(possible)` -> (error of the mean, error of a draw)."""
    check("Exercise 3, the price of deciding", answer, _examine_price)


def _possible(count: int, pixels: int, seed: int) -> Tensor:
    """Images (n, d) whose pixels differ in their means and their spreads."""
    spread = 0.5 + torch.arange(pixels)
    middle = 1 + random_tensor(pixels, seed=seed + 1)
    return middle + spread * random_tensor(count, pixels, seed=seed)


def _examine_price(answer) -> str:
    for count, pixels, seed in ((5, 3, 1), (8, 4, 2)):
        possible = _possible(count, pixels, seed)
        found, again = (_ask_prices(answer, possible) for _ in range(2))
        if not near(found, again):
            raise Wrong("the same images give another price the second time. Throw no dice: an "
                        "expectation is a mean over all n that can be drawn.")  # fmt: skip
        _compare_prices(found, possible)
    found = _ask_prices(answer, possible[:1])
    if not near(found, torch.zeros(2)):
        raise Wrong("if only one image is possible, mean and draw are that image, and both "
                    f"errors are 0; yours are {found[0]:.3g} and {found[1]:.3g}.")  # fmt: skip
    return "right: twice the error, or 3 dB, however many are possible and whatever they look like."


def _ask_prices(answer, possible: Tensor) -> Tensor:
    """The two errors of an answer, (2,)."""
    found = ask(answer, possible.clone())
    if isinstance(found, Tensor) and found.shape == (2,):
        found = found.unbind()
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two numbers: the error of the mean, and that of a draw.")
    reduce = "; sum over the pixels, and take the mean over the images"
    numbers = [
        as_number(price, f"{name}: return one number", reduce) for price, name in zip(found, PRICES)
    ]
    return torch.tensor(numbers, dtype=torch.double)


def _compare_prices(found: Tensor, possible: Tensor) -> None:
    rights = torch.stack([right(possible) for _, right in PRICES.values()])
    if near(found.flip(0), rights):
        raise Wrong("both are right, and in the wrong order: first the mean, then the draw.")
    for price, right, (name, (mistakes, _)) in zip(found, rights, PRICES.items()):
        if not near(price, right):
            raise Wrong(
                f"{name}: "
                + (
                    explanation(price, tried(mistakes, possible))
                    or f"of {len(possible)} possible images of {possible.shape[1]} pixels the "
                    f"error is {right:.3f}; yours is {price:.3f}."
                )
            )


# 4. Weights around a hole

OUTSIDE_ONLY = "the pixels in the hole have weights; nothing is known there: * ~hole."
BEYOND_EDGE = (
    "at the edge of the image {}; what lies beyond counts as not hole, so pad with zeros and "
    "divide by all window × window places."
)
OF_SECTION_4 = "that is the weight of section 4; here {}."


def _nearness(hole: Tensor, window: int, counted: bool = True) -> Tensor:
    """The share of hole in the window around each pixel, (N, 1, H, W)."""
    return avg_pool2d(hole.float(), window, 1, window // 2, count_include_pad=counted)


def _outside(measure: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, int], Tensor]:
    return lambda hole, window: measure(hole, window) * ~hole


def _around(hole: Tensor, window: int) -> Tensor:
    return _nearness(hole, window) * ~hole


def _padded(mode: str) -> Callable[[Tensor, int], Tensor]:
    """The share with something else than zeros beyond the edge."""
    return lambda hole, window: avg_pool2d(pad(hole.float(), 4 * [window // 2], mode), window, 1)


WEIGHT_MISTAKES = [
    (_nearness, OUTSIDE_ONLY),
    (lambda hole, w: _nearness(hole, w) * hole, "the weights are 0 outside and stand in the hole, "
     "where nothing is known: * ~hole, not * hole."),
    (_outside(lambda hole, w: _nearness(~hole, w)), "that is the share of pixels that can be seen; "
     "a pixel counts the more, the more hole there is around it."),
    (lambda hole, w: _nearness(~hole, w), "that is the share of pixels that can be seen, in the "
     "hole, too; take the share of the hole, and * ~hole."),
    (_outside(lambda hole, w: 1 - _nearness(hole, w)), "that is one minus the share; a pixel "
     "counts the more, the more hole there is around it."),
    (lambda hole, w: 1 - _nearness(hole, w), "that is one minus the share; a pixel counts the "
     "more, the more hole there is around it."),
    (_outside(lambda hole, w: max_pool2d(hole.float(), w, 1, w // 2)), "max_pool2d only asks "
     "whether there is any hole in the window; the share is the mean, avg_pool2d."),
    (lambda hole, w: max_pool2d(hole.float(), w, 1, w // 2), "max_pool2d only asks whether there "
     "is any hole in the window, and the hole itself gets 1; the share is the mean, avg_pool2d, "
     "and 0 in the hole."),
    (_outside(lambda hole, w: _nearness(hole, w, False)), BEYOND_EDGE.format("the share is taken "
     "of fewer pixels (count_include_pad=False)")),
    (lambda hole, w: _nearness(hole, w, False), OUTSIDE_ONLY),
    (_outside(_padded("replicate")), BEYOND_EDGE.format("the last row and column are repeated")),
    (_outside(_padded("reflect")), BEYOND_EDGE.format("the image is mirrored")),
    (_outside(_padded("circular")), BEYOND_EDGE.format("the opposite edge is continued")),
    (_outside(lambda hole, w: _nearness(hole, w) * w * w), "that is how many pixels of the window "
     "are hole; the share is out of window × window."),
    (_outside(lambda hole, w: _nearness(hole, w) * w), "that is divided by window only; the share "
     "is out of window × window."),
    (_outside(lambda hole, w: _nearness(hole, w) * w * w / (w * w - 1)), "the pixel in the middle "
     "is left out of the count; the share is out of all window × window."),
    (_outside(lambda hole, w: _nearness(hole, w) + 0.2), OF_SECTION_4.format("nothing is added to "
     "the share")),
    (lambda hole, w: _around(hole, w) / _around(hole, w).mean(), OF_SECTION_4.format("the weights "
     "are not divided by their mean")),
    (lambda hole, w: _section_4(hole, w), OF_SECTION_4.format("nothing is added to the share, and "
     "the weights are not divided by their mean")),
    (lambda hole, w: _section_4(hole, 7), OF_SECTION_4.format("the window is given, nothing is "
     "added to the share, and the weights are not divided by their mean")),
    (lambda hole, w: _around(hole, 7), "the window is always 7, as in section 4; take it as it is "
     "given."),
    (lambda hole, w: _around(hole, 2 * w + 1), "the window reaches `window` pixels to each side; "
     "it is `window` wide altogether, window // 2 to each side."),
    (lambda hole, w: (~hole).float(), "every pixel outside counts the same; it should count the "
     "more, the more hole there is around it."),
]  # fmt: skip
WEIGHT_CRASHES = {
    "for 'Bool'": "pooling takes floats: hole.float()",
    "with a bool tensor": "the opposite of a mask is ~hole",
    "pad should be": "a window reaches window // 2 to each side",
    "must match the size": "pool with stride=1 and padding=window // 2, so that each pixel keeps "
    "its place",
}


def check_context_weight(answer) -> None:
    """Exercise 4: `nearness_to(hole, window)` -> (N, 1, H, W)."""
    check("Exercise 4, weights around a hole", answer, _examine_weight)


def _section_4(hole: Tensor, window: int) -> Tensor:
    weight = (_nearness(hole, window) + 0.2) * ~hole
    return weight / weight.mean()


def _holes(height: int, width: int, seed: int) -> Tensor:
    """A square inside, one in a corner, and scattered pixels, (3, 1, H, W)."""
    hole = torch.zeros(3, 1, height, width, dtype=torch.bool)
    hole[0, :, 3:6, 4:8] = True
    hole[1, :, : height // 2, : width // 2] = True
    hole[2] = random_tensor(1, height, width, seed=seed) > 0.6
    return hole


def _examine_weight(answer) -> str:
    for height, width, window, seed in ((13, 11, 5, 1), (10, 12, 9, 2)):
        _compare_weight(answer, _holes(height, width, seed), window)
    for hole, what in (
        (torch.zeros(1, 1, 8, 8, dtype=torch.bool), "without a hole"),
        (torch.ones(1, 1, 8, 8, dtype=torch.bool), "that is all hole"),
    ):
        found = _ask_weight(answer, hole, 3)
        if not near(found, torch.zeros(hole.shape)):
            raise Wrong(f"an image {what} has no weights but 0, and yours reach "
                        f"{found.abs().max():.3g}.")  # fmt: skip
    _compare_weight(answer, _holes(9, 12, 3), 1)
    return "right: nothing in the hole, and outside the more, the more of it lies around."


def _ask_weight(answer, hole: Tensor, window: int) -> Tensor:
    given = hole.clone()
    found = ask(answer, given, window, crashes=WEIGHT_CRASHES)
    if not torch.equal(given, hole):
        raise Wrong("your function changes `hole` itself; whoever gave it still needs it.")
    if isinstance(found, Tensor) and found.shape != hole.shape and found.dim() == 4:
        raise Wrong(f"the weights have shape {tuple(found.shape)} and should have "
                    f"{tuple(hole.shape)}: for a window of {window}, pool with stride=1 and "
                    "padding=window // 2.")  # fmt: skip
    if isinstance(found, Tensor) and not found.is_floating_point():
        found = found.float()  # a mask: what is wrong with it is said by its values
    return ask_tensor(lambda: found, shape=tuple(hole.shape), meaning="one weight a pixel")


def _compare_weight(answer, hole: Tensor, window: int) -> None:
    found, right = _ask_weight(answer, hole, window), _around(hole, window)
    if near(found, right):
        return
    if hint := explanation(found, tried(WEIGHT_MISTAKES, hole, window)):
        raise Wrong(hint)
    place = int((found - right).abs().argmax())
    place_in = torch.unravel_index(torch.tensor(place), hole[:, 0].shape)
    image, row, column = (int(at) for at in place_in)
    where = "in the hole" if hole[image, 0, row, column] else "outside the hole"
    raise Wrong(
        f"for a window of {window}, the pixel in row {row}, column {column} of image {image}, "
        f"{where}, has the weight {found.flatten()[place]:.3f} instead of "
        f"{right.flatten()[place]:.3f}."
    )
