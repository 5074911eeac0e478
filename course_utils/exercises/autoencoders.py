"""Checks of the exercises of notebook 02, autoencoders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from ..losses import contractive_penalty, sparsity_kl
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

EXAMPLES = 5


def _mistakes(result: Tensor, choices: Sequence[Sequence[tuple]], build: Callable):
    """Which mistakes lead to a result: the hints of the shortest list that explains it.

    Args:
        choices: of each part of the formula, the ways to write it: (value, hint), where the hint
            of the right way is "".
        build: the values of one way of each part -> the result they give.

    Returns:
        the hints in the order of `choices`, none where the result is right; None where no
        combination gives the result.
    """
    ways = sorted(itertools.product(*choices), key=lambda way: sum(bool(hint) for _, hint in way))
    way = explanation(result, ((way, build(*(value for value, _ in way))) for way in ways))
    return None if way is None else [hint for _, hint in way if hint]


# 1. Tied weights

TIED_ORDERS = [
    ((True, False), ""),
    ((True, True), "the decoder has the matrix the same way round as the encoder; it needs the "
     "transpose, so after x @ weight.T comes h @ weight."),
    ((False, True), "the matrix is used in the wrong order: weight is (code, pixels), so the "
     "encoder is x @ weight.T and the decoder h @ weight."),
    ((False, False), "the encoder needs the transpose: weight is (code, pixels) and x has its "
     "images in rows, so it is x @ weight.T."),
]  # fmt: skip
TIED_CODES = [
    (torch.sigmoid, ""),
    (lambda a: a, "h is not what the encoder's matrix gives but the sigmoid of it."),
    (torch.tanh, "the code's non-linearity is the sigmoid, not tanh."),
    (torch.relu, "the code's non-linearity is the sigmoid, not the ReLU."),
]
TIED_BIASES = [
    ((0, 1), ""),
    ((1, 0), "the biases are swapped: bias_h belongs to the code, bias_x to the image."),
    ((None, 1), "bias_h is missing; it is added before the sigmoid."),
    ((0, None), "bias_x is missing; it is added to the logits."),
    ((None, None), "both biases are missing."),
]
TIED_OUTPUTS = [
    (lambda a: a, ""),
    (torch.sigmoid, "that is the image; return its logits, without the last sigmoid, which is "
     "inside the loss."),
]  # fmt: skip
TIED_CRASHES = {"RuntimeError": "x is (N, pixels), weight (code, pixels)"}


def check_tied(answer) -> None:
    """Exercise 1: `tied(x, weight, bias_h, bias_x) -> (N, pixels)` logits."""
    check("Exercise 1, tied weights", answer, _examine_tied)


def _examine_tied(answer) -> str:
    # First as many numbers as pixels: there a matrix that is turned gives a result, not an error.
    for pixels, code in ((4, 4), (7, 3)):
        x = random_tensor(EXAMPLES, pixels, seed=1).sigmoid()
        weight = random_tensor(code, pixels, seed=2)
        biases = random_tensor(code, seed=3), random_tensor(pixels, seed=4)
        weight.requires_grad_()

        def build(orders, squash, which, last, x=x, weight=weight, biases=biases):
            into, out = (weight.T if transposed else weight for transposed in orders)
            before, after = (0 if bias is None else biases[bias] for bias in which)
            return last(squash(x @ into + before) @ out + after)

        logits = _ask_tied(answer, x, weight, *biases)
        choices = [TIED_ORDERS, TIED_CODES, TIED_BIASES, TIED_OUTPUTS]
        if pixels != code:
            choices = [choice[:1] for choice in choices]
        mistakes = _mistakes(logits, choices, build)
        if mistakes:
            raise Wrong(mistakes[0])
        if mistakes is None:
            right = build(*(choice[0][0] for choice in choices))
            raise Wrong(
                f"the first logit is {logits[0, 0]:.3f} instead of {right[0, 0]:.3f}; "
                "h = σ(W x + b_h), and the logits are Wᵀ h + b_x."
            )
        if logits.grad_fn is None:
            raise Wrong("right, but no gradient can flow back; leave out no_grad and .detach.")
    return "right: one matrix, there and back."


def _ask_tied(answer, x: Tensor, weight: Tensor, bias_h: Tensor, bias_x: Tensor) -> Tensor:
    logits = ask(answer, x, weight, bias_h, bias_x, crashes=TIED_CRASHES)
    meaning = "one row an image, one column a pixel"
    return ask_tensor(lambda: logits, shape=tuple(x.shape), meaning=meaning)


# 2. Sparsity

SPARSITY_AVERAGES = [
    (lambda h: h.mean(0), ""),
    (lambda h: h.mean(1), "ρ̂ is averaged over the images, dim=0, and not over the units."),
    (lambda h: h.mean(), "every unit has a ρ̂ of its own: average over the images only, dim=0."),
    (lambda h: h, "average the activations first, and then take the KL; here each image has a "
     "KL of its own."),
]  # fmt: skip
SPARSITY_WAYS = [
    (False, ""),
    (True, "the KL is the wrong way round: ρ stands in front and in the numerator, KL(ρ‖ρ̂)."),
]
SPARSITY_TERMS = [
    ((1, 1), ""),
    ((1, 0), "the second term is missing: a unit that is too often on must cost, too."),
    ((0, 1), "the first term is missing: a unit that is too often off must cost, too."),
    ((1, -1), "the two terms are added."),
]
SPARSITY_SIGNS = [(1, ""), (-1, "the sign is turned round: a KL is never negative.")]
SPARSITY_LOGS = [
    (1.0, ""),
    (1 / math.log(2), "the logarithm is the natural one, .log(); this is to the base 2."),
    (1 / math.log(10), "the logarithm is the natural one, .log(); this is to the base 10."),
]
SPARSITY_SUMS = [
    (False, ""),
    (True, "the slide sums over the units; this is their mean."),
]


def check_sparsity(answer) -> None:
    """Exercise 2: `sparsity(h, rho) -> one number`."""
    check("Exercise 2, the sparsity penalty", answer, _examine_sparsity)


def _examine_sparsity(answer) -> str:
    for seed, units, rho in ((5, 4, 0.2), (6, 3, 0.05)):
        h = random_tensor(EXAMPLES, units, seed=seed).sigmoid().requires_grad_()
        penalty = ask(answer, h, rho)
        if isinstance(penalty, (int, float)):
            raise Wrong("return a tensor, without .item(): the optimiser needs its gradient.")
        if isinstance(penalty, Tensor) and penalty.shape == (units,):
            raise Wrong("that is one number a unit; sum them.")
        penalty = ask_tensor(answer, h, rho, shape=(), meaning="one number for the whole batch")

        def build(average, turned, terms, sign, base, mean, h=h, rho=rho):
            target, found = torch.tensor(rho), average(h)
            if turned:
                target, found = found, target
            on = target * (target / found).log()
            off = (1 - target) * ((1 - target) / (1 - found)).log()
            kl = sign * base * (terms[0] * on + terms[1] * off)
            kl = kl.mean(0) if kl.dim() == 2 else kl  # each image's own, over the batch
            return kl.mean() if mean else kl.sum()

        choices = [SPARSITY_AVERAGES, SPARSITY_WAYS, SPARSITY_TERMS]
        choices += [SPARSITY_SIGNS, SPARSITY_LOGS, SPARSITY_SUMS]
        mistakes = _mistakes(penalty, choices, build)
        if mistakes:
            raise Wrong(mistakes[0])
        if mistakes is None:
            raise Wrong(
                f"for ρ = {rho} it gives {penalty.item():.3f} instead of "
                f"{sparsity_kl(h, rho).item():.3f}; compare term by term with the formula."
            )
        if penalty.grad_fn is None:
            raise Wrong("right, but no gradient can flow back; leave out no_grad and .detach.")
    return "right: 0 where every unit is on as often as asked, and more everywhere else."


# 3. Masks


def check_mask(answer) -> None:
    """Exercise 3: `masked(x, share) -> (N, C, H, W)`."""
    check("Exercise 3, a mask", answer, _examine_mask)


def _examine_mask(answer) -> str:
    # The same dice for every answer, and the notebook's own go on as if nothing had been thrown.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for colours, height, width, share in ((3, 16, 16, 0.3), (1, 12, 20, 0.8)):
            x = 0.2 + 0.6 * torch.rand(64, colours, height, width)
            dropped = _dropped(answer, x, share)
            _judge_mask(dropped, share)
            if torch.equal(dropped, _dropped(answer, x, share)):
                raise Wrong("two calls drop the same pixels; draw a new mask every time.")
    return "right: the share asked for, other pixels in every image, and the rest untouched."


def _dropped(answer, x: Tensor, share: float) -> Tensor:
    """(N, C, H, W) booleans: what was set to zero; and what was not must be as it was."""
    given = x.clone()
    damaged = ask(answer, given, share)
    if not torch.equal(given, x):
        raise Wrong("your function changes x itself; the loss still needs the whole image, so "
                    "make a new tensor.")  # fmt: skip
    if isinstance(damaged, Tensor) and damaged.any() and ((damaged == 0) | (damaged == 1)).all():
        raise Wrong("that is the mask; multiply the images by it.")
    if not isinstance(damaged, Tensor) or damaged.shape != x.shape:
        what = tuple(damaged.shape) if isinstance(damaged, Tensor) else type(damaged).__name__
        raise Wrong(f"return images of the same shape {tuple(x.shape)}; this is {what}.")
    dropped = damaged == 0
    rest, was = damaged[~dropped], x[~dropped]
    if near(rest, was):
        return dropped
    for what in (share, 1 - share):
        if near(rest, was / what):
            raise Wrong("the pixels that are left are scaled up, as dropout does; leave them as "
                        "they are.")  # fmt: skip
    if torch.isclose(rest, was).float().mean() > 0.05:
        raise Wrong("the pixels that are dropped must become 0, and not noise or another value.")
    raise Wrong("the pixels that are left must stay as they were; set some to 0, add nothing.")


def _judge_mask(dropped: Tensor, share: float) -> None:
    if not dropped.any():
        raise Wrong(f"no pixel is 0; for share = {share} that share of them should be.")
    if dropped.all():
        raise Wrong(f"every pixel is 0; for share = {share} only that share of them should be.")
    if not torch.equal(dropped.any(1), dropped.all(1)):
        raise Wrong("the colours of a pixel are dropped separately; a missing pixel has none of "
                    "them, so draw one number a pixel: (N, 1, H, W).")  # fmt: skip
    pixels = dropped[:, 0]
    if (pixels == pixels[:1]).all():
        raise Wrong("every image loses the same pixels; draw a mask for each.")
    if (pixels == pixels[:, :1]).all() or (pixels == pixels[:, :, :1]).all():
        raise Wrong("whole rows, columns or images go at once; draw one number a pixel.")
    found = pixels.float().mean().item()
    if abs(found - share) < 0.02:
        return
    if abs(found - (1 - share)) < 0.02:
        raise Wrong(f"for share = {share} that share is kept; it should be dropped.")
    raise Wrong(f"for share = {share} it drops {100 * found:.0f} % of the pixels.")


# 4. The contractive penalty

CONTRACTIVE_SLOPES = [
    (lambda h: h * (1 - h), ""),
    (lambda h: torch.ones_like(h), "the slope h(1 - h) is missing: a unit that is fully on or off "
     "hardly changes."),
    (lambda h: h.sigmoid() * (1 - h.sigmoid()), "h has been through the sigmoid already; its "
     "slope is h(1 - h), without another σ."),
    (lambda h: h, "the slope of the sigmoid is h(1 - h), not h."),
    (lambda h: 1 - h, "the slope of the sigmoid is h(1 - h), not 1 - h."),
    (lambda h: 1 - h.square(), "1 - h² is the slope of tanh; that of the sigmoid is h(1 - h)."),
]  # fmt: skip
CONTRACTIVE_SUMS = [
    (lambda slope, weight: slope.square() @ weight.square().sum(1), ""),
    (lambda slope, weight: slope @ weight.square().sum(1), "the slope h(1 - h) is squared, too."),
    (lambda slope, weight: slope.square() @ weight.sum(1), "the weights are squared, too."),
    (lambda slope, weight: slope @ weight.sum(1), "every entry of the Jacobian is squared before "
     "it is summed."),
    (lambda slope, weight: slope @ weight.abs().sum(1), "the entries of the Jacobian are squared; "
     "these are their absolute values."),
    (lambda slope, weight: (slope.square() @ weight.square().sum(1)).sqrt(), "that is the norm; "
     "the penalty is the norm squared."),
    (lambda slope, weight: (slope @ weight.sum(1)).square(), "that is the square of the sum; it "
     "is the sum of the squares."),
    (lambda slope, weight: (slope @ weight.abs().sum(1)).square(), "that is the square of the "
     "sum; it is the sum of the squares."),
    (lambda slope, weight: (slope @ weight.square().sum(1)).square(), "that is the square of the "
     "sum; it is the sum of the squares."),
    (lambda slope, weight: slope.square() @ weight.sum(1).square(), "the weights are summed and "
     "then squared; square each, then sum."),
    (lambda slope, weight: (slope @ weight).square().sum(1), "the entries are summed over the "
     "units and then squared; square each, then sum."),
]  # fmt: skip
CONTRACTIVE_SCALES = [
    (lambda weight: 1, ""),
    (lambda weight: weight.shape[0], "the units are averaged; the formula sums over them."),
    (lambda weight: weight.shape[1], "the pixels are averaged; the formula sums over them."),
    (lambda weight: weight.numel(), "the entries are averaged; the formula sums over them."),
    (lambda weight: 2, "half as large as it should be; there is no ½ in this formula."),
]


def check_contractive(answer) -> None:
    """Exercise 4: `contractive(h, weight) -> (N,)`."""
    check("Exercise 4, the contractive penalty", answer, _examine_contractive)


def _examine_contractive(answer) -> str:
    for seed, units, pixels in ((7, 4, 6), (8, 3, 8)):
        h = random_tensor(EXAMPLES, units, seed=seed).mul(2).sigmoid().requires_grad_()
        weight = random_tensor(units, pixels, seed=seed + 10)
        shapes = {
            (EXAMPLES, units): "that is one number a unit; sum over the units, too.",
            (EXAMPLES, pixels): "that is one number a pixel; sum over the pixels, too.",
            (EXAMPLES, units, pixels): "those are the entries of the Jacobian; square them and "
            "sum over units and pixels.",
            (): "that is one number for the whole batch; keep one for each image.",
        }
        penalty = ask(answer, h, weight)
        if isinstance(penalty, Tensor) and penalty.dim() == 0:
            if near(penalty, weight.square().sum()):
                raise Wrong(CONTRACTIVE_SLOPES[1][1])
        if isinstance(penalty, Tensor) and tuple(penalty.shape) in shapes:
            raise Wrong(shapes[tuple(penalty.shape)])
        penalty = ask_tensor(answer, h, weight, shape=(EXAMPLES,), meaning="one number an image")

        def build(slope, total, scale, h=h, weight=weight):
            return total(slope(h), weight) / scale(weight)

        choices = [CONTRACTIVE_SLOPES, CONTRACTIVE_SUMS, CONTRACTIVE_SCALES]
        mistakes = _mistakes(penalty, choices, build)
        if mistakes:
            raise Wrong(mistakes[0])
        if mistakes is None:
            right = contractive_penalty(h, weight)
            raise Wrong(
                f"{penalty[0]:.3f} instead of {right[0]:.3f} for the first image: "
                "the sum over j and i of (h_j (1 - h_j) W_ji)²."
            )
        if penalty.grad_fn is None:
            raise Wrong("right, but no gradient can flow back; leave out no_grad and .detach.")
    return "right: the squared norm of the Jacobian, and no Jacobian built."


# 5. How many stamps

# (d, f, s). By the first of them every mistake below can be told from the right answer and from
# each other; behind it: stamp and stride that divide, that are equal, a stride of 1, stamps that
# leave gaps, a single stamp.
STAMPED = ((7, 5, 2), (5, 3, 2), (6, 4, 2), (4, 3, 3), (5, 4, 1), (5, 2, 4), (1, 5, 2), (4, 7, 3))


def _counts(starts: Iterable[int], wide: int, places: int) -> Tensor:
    """(places,) How many stamps of a width, which begin at `starts`, lie on each place."""
    place, start = torch.arange(places)[:, None], torch.tensor(list(starts))
    return ((start <= place) & (place < start + wide)).sum(1)


def _stamps(d: int, f: int, s: int) -> Tensor:
    return _counts(range(0, d * s, s), f, (d - 1) * s + f)


def _misplaced(shift: int = 0, before: int = 0, behind: int = 0, wider: int = 0):
    """Counts of stamps that are moved, wider, or more (or fewer) at the two ends."""

    def counts(d: int, f: int, s: int) -> Tensor:
        starts = (number * s + shift for number in range(-before, d + behind))
        return _counts(starts, f + wider, (d - 1) * s + f)

    return counts


def _everywhere(number: Callable[[int, int], int]):
    """The same number at all places, of a stamp of f places and a stride of s."""
    return lambda d, f, s: torch.full(((d - 1) * s + f,), number(f, s))


NEAR_THE_ENDS = (
    "near the ends fewer stamps overlap than in the middle: none is laid before the first input's "
    "and none behind the last one's."
)
NO_STRIDE = "the stride is missing: each stamp begins s places behind the one before."
STAMP_MISTAKES = [
    (lambda d, f, s: _stamps(d, f, s).clamp(max=1), "that says whether a place is hit; return how "
     "often."),
    (lambda d, f, s: _stamps(d, f, s) ** 2, "that is the count in an image, where rows and "
     "columns multiply; here there is one dimension."),
    (_everywhere(lambda f, s: f // s), NEAR_THE_ENDS),
    (_everywhere(lambda f, s: -(-f // s)), NEAR_THE_ENDS),
    (_misplaced(before=9, behind=9), NEAR_THE_ENDS),
    (_misplaced(before=9), "no stamp is laid before the first input's, which begins at place 0."),
    (_misplaced(behind=9), "no stamp is laid behind the last input's, which begins at (d - 1)s."),
    (_misplaced(behind=1), "that is one stamp too many; d inputs lay d of them."),
    (_misplaced(behind=-1), "one stamp is missing; d inputs lay d of them."),
    (_misplaced(wider=1), "the stamps are one place too wide; one that begins at a covers a to "
     "a + f - 1."),
    (_misplaced(wider=-1), "the stamps are one place too narrow; one that begins at a covers a to "
     "a + f - 1."),
    (_misplaced(shift=1), "the stamps lie one place too far behind; the first begins at place 0."),
    (_misplaced(shift=-1), "the stamps lie one place too far in front; the first begins at "
     "place 0."),
    (lambda d, f, s: _counts(range(d), f, (d - 1) * s + f), NO_STRIDE),
    (lambda d, f, s: _counts(range(d), f, d - 1 + f), NO_STRIDE),
    (lambda d, f, s: _stamps(d, s, f), "f and s are swapped: the stamps are f places wide and "
     "begin s apart."),
]  # fmt: skip


def check_stamps(answer) -> None:
    """Exercise 5: `count_stamps(d, f, s)` -> (d - 1)s + f numbers, a tensor or a list."""
    check("Exercise 5, how many stamps", answer, _examine_stamps)


def _examine_stamps(answer) -> str:
    for setting in STAMPED:
        found, right = _ask_stamps(answer, setting), _stamps(*setting)
        if found.shape == right.shape and near(found, right):
            continue
        said = "for d = {}, f = {} and s = {}: ".format(*setting)
        if hint := explanation(found, tried(STAMP_MISTAKES, *setting)):
            raise Wrong(said + hint)
        if found.shape != right.shape:
            raise Wrong(said + _say_places(tuple(found.shape), *setting))
        place = (found != right).nonzero()[0].item()
        raise Wrong(
            f"{said}on place {place}, counted from 0, you say {found[place]:g} instead of "
            f"{right[place]}."
        )
    return "right: even in the middle where s divides f, and up and down everywhere else."


def _ask_stamps(answer, setting: tuple[int, int, int]) -> Tensor:
    counts = ask(answer, *setting)
    if isinstance(counts, (list, tuple)):
        counts = torch.tensor([as_number(each, "each entry is one number") for each in counts])
    if isinstance(counts, (int, float)):
        raise Wrong("that is one number; return one for each place of the output.")
    if not isinstance(counts, Tensor):
        raise Wrong(f"return a tensor or a list; this is {type(counts).__name__}.")
    return counts.detach().double()


def _say_places(shape: tuple[int, ...], d: int, f: int, s: int) -> str:
    places = (d - 1) * s + f
    if shape in ((d, places), (places, d)):
        stamps = shape.index(d)
        return f"that says which stamp lies on which place; sum over the stamps, dim={stamps}."
    if shape == (d,):
        return "that is one number an input; return one for each place of the output."
    if shape in ((d * s,), ((d - 1) * s,), ((d - 1) * s + 1,), (d * s + f,)):
        return (
            "the last stamp begins at (d - 1)s and is f places wide, so the output has (d - 1)s + f"
            f" = {places} places; yours has {shape[0]}."
        )
    return f"the output has (d - 1)s + f = {places} places; yours has the shape {shape}."
