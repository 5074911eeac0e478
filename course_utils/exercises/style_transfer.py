"""Checks of the exercises of notebook 01, style transfer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor

from .checking import (
    Wrong,
    as_count,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
    random_tensor,
    tried,
)


def _all_of(*hints: str) -> str:
    """Several hints as one; empty ones are left out."""
    return " And ".join(hint for hint in hints if hint)


def _judge_untouched(given: Sequence[Tensor], before: Sequence[Tensor]) -> None:
    for now, then in zip(given, before):
        if not torch.equal(now, then):
            raise Wrong(
                "your function changes what it was given, and the next who uses it gets something "
                "else; make new tensors instead. (a = a + b makes one, a += b changes a.)"
            )


# 1. In another's mean and spread

NOT_DIVIDED = (
    "the content's own spread is still in it, multiplied with the style's; divide by it first."
)
NOT_CENTRED = "the content's own mean is still in it; subtract it before anything else."
NORMALISED = (
    "mean 0 and spread 1 in every channel: the content's style is gone, and now the other one "
    "has to be put on, times σ(S), plus μ(S)."
)
MEAN_MISSING = "the spread is the style's, but the mean is 0; add the style's mean at the end."
ONLY_MEAN = "the mean is the style's, but the spread is still the content's."
VARIANCES = (
    "you scale with variances; the standard deviation is what stretches, the root of the variance."
)
UPSIDE_DOWN = (
    "the two spreads are upside down: divide by that of the content, multiply by the style's."
)
OVER_BATCH = (
    "the images of the batch share one mean and one spread; each has its own: over the "
    "positions only, dim=(2, 3)."
)
OVER_CHANNELS = (
    "the channels share one mean and one spread; a style is what *each* channel does, so average "
    "over the positions only, dim=(2, 3)."
)
STYLE_OVER_BATCH = "each image has a style of its own; yours get the mean style of the batch."
SILENT = (
    "right, but not for a channel that is 0 everywhere, as many are behind a ReLU: its spread is "
    "0, and 0 / 0 is no number. Add something tiny to the divisor; the channel then has the "
    "style's mean everywhere."
)
RESTYLE_CRASHES = {
    "must match the size": "statistics over dim=(2, 3) with keepdim=True have shape (N, C, 1, 1) "
    "and fit images of every size",
    "broadcast": "statistics over dim=(2, 3) with keepdim=True have shape (N, C, 1, 1) and fit "
    "images of every size",
}
TINY = 1e-8
POSITIONS = (2, 3)
# Whether a spread is divided by n or by n - 1 is a matter of taste here.
CORRECTIONS = (0, 1)


def check_restyled(answer) -> None:
    """Exercise 1: `restyled(content, style)` -> content with style's mean and std, (N, C, h, w)."""
    check("Exercise 1, in another's mean and spread", answer, _examine_restyled)


def _mean_and_spread(features: Tensor, dim=POSITIONS, correction: int = 0) -> tuple[Tensor, Tensor]:
    mean = features.mean(dim, keepdim=True)
    return mean, features.std(dim, correction=correction, keepdim=True) + TINY


def _restyled(content: Tensor, style: Tensor, correction: int = 0, dim=POSITIONS,
              of_style=POSITIONS) -> Tensor:  # fmt: skip
    """Adaptive instance normalisation (Huang and Belongie 2017), or with a mistake's statistics."""
    mean, spread = _mean_and_spread(content, dim, correction)
    wanted_mean, wanted_spread = _mean_and_spread(style, of_style, correction)
    return (content - mean) / spread * wanted_spread + wanted_mean


def _with_statistics(formula: Callable) -> Callable[[Tensor, Tensor, int], Tensor]:
    """A formula of the content, its mean and spread, and those of the style."""
    return lambda content, style, correction: formula(
        content,
        *_mean_and_spread(content, correction=correction),
        *_mean_and_spread(style, correction=correction),
    )


def _over(dim: Sequence[int], of_style: Sequence[int]) -> Callable[[Tensor, Tensor, int], Tensor]:
    return lambda content, style, correction: _restyled(content, style, correction, dim, of_style)


RESTYLE_MISTAKES = [
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) * ws + wm), NOT_DIVIDED),
    (_with_statistics(lambda c, m, s, wm, ws: c / s * ws + wm), NOT_CENTRED),
    (_with_statistics(lambda c, m, s, wm, ws: c * ws + wm), f"{NOT_CENTRED} And {NOT_DIVIDED}"),
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) / s), NORMALISED),
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) / s * ws), MEAN_MISSING),
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) / s * ws + m),
     "the spread is the style's, but the mean is the content's again."),
    (_with_statistics(lambda c, m, s, wm, ws: c - m + wm), ONLY_MEAN),
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) / s + wm),
     "the mean is the style's, but the spread is 1; multiply with σ(S)."),
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) / s**2 * ws**2 + wm), VARIANCES),
    (_with_statistics(lambda c, m, s, wm, ws: (c - m) / ws * s + wm), UPSIDE_DOWN),
    (_with_statistics(lambda c, m, s, wm, ws: ((c - m) / s + wm) * ws),
     "the mean is added before the spread is multiplied, which stretches it too."),
    (_with_statistics(lambda c, m, s, wm, ws: c), "that is the content as it was."),
    (_over((0, 2, 3), (0, 2, 3)), OVER_BATCH),
    (_over((1, 2, 3), (1, 2, 3)), OVER_CHANNELS),
    (_over((0, 1, 2, 3), (0, 1, 2, 3)), _all_of(OVER_BATCH, OVER_CHANNELS)),
    (_over(POSITIONS, (0, 2, 3)), STYLE_OVER_BATCH),
    (_over(POSITIONS, (1, 2, 3)), OVER_CHANNELS),
]  # fmt: skip


def _examine_restyled(answer) -> str:
    content, style = _two_images(seed=1)
    found = _ask_restyled(answer, content, style)
    _compare_restyled(found, content, style)
    _compare_restyled(_ask_restyled(answer, content[:1], style[1:2]), content[:1], style[1:2])
    content[:, 1] = 0.0
    found = _ask_restyled(answer, content, style, SILENT)
    if not _is_restyled(found, content, style):
        raise Wrong(SILENT)
    return "right: what stands where is the content's; how strongly each channel speaks, the style."


def _two_images(seed: int) -> tuple[Tensor, Tensor]:
    """Features of images of different sizes, (2, 3, 6, 8) and (2, 3, 5, 7), channels unlike."""
    loudness = torch.tensor([[0.5, 1.0, 3.0], [2.0, 0.7, 1.4]])[..., None, None]
    content = loudness * (random_tensor(2, 3, 6, 8, seed=seed) + 0.6)
    return content, loudness.flip(0, 1) * (random_tensor(2, 3, 5, 7, seed=seed + 1) - 1.1)


def _ask_restyled(answer, content: Tensor, style: Tensor, hint: str = "") -> Tensor:
    given = content.clone(), style.clone()
    found = ask(answer, *given, crashes=RESTYLE_CRASHES)
    _judge_untouched(given, (content, style))
    if isinstance(found, Tensor) and hint and not found.isfinite().all():
        raise Wrong(hint)
    meaning = (
        "the positions are those of the content; from the style come two numbers a channel, its "
        "mean and its spread"
    )
    return ask_tensor(lambda: found, shape=tuple(content.shape), meaning=meaning)


def _is_restyled(found: Tensor, content: Tensor, style: Tensor) -> bool:
    return any(near(found, _restyled(content, style, one), 1e-3) for one in CORRECTIONS)


def _compare_restyled(found: Tensor, content: Tensor, style: Tensor) -> None:
    if _is_restyled(found, content, style):
        return
    for correction in CORRECTIONS:
        if hint := explanation(found, tried(RESTYLE_MISTAKES, content, style, correction)):
            raise Wrong(hint)
    for name, place in (("mean", 0), ("spread", 1)):
        got, wanted = (_mean_and_spread(image)[place].flatten() for image in (found, style))
        if not near(got, wanted, 0.03):
            at = int((got - wanted).abs().argmax())
            number, channel = divmod(at, content.shape[1])
            raise Wrong(f"in image {number} channel {channel} has the {name} {got[at]:.3f}; the "
                        f"style's is {wanted[at]:.3f}.")  # fmt: skip
    raise Wrong("mean and spread of every channel are right, but the content is not where it was: "
                "only shift and stretch it.")  # fmt: skip


# 2. Neighbours

WRAPPED = (
    "what leaves the image on one side comes in again on the other (torch.roll does so); leave "
    "the pairs out that do not exist."
)
OVER_ALL = (
    "the sum is divided by all positions; divide by the number of pairs, which is smaller: "
    "(h - down) · (w - across)."
)
SUMMED_PAIRS = "that is the sum over the pairs; return the mean."
TURNED = (
    "that is the transpose: F_j stands before F_i. Entry (i, j) asks what channel *j* does where "
    "the shift leads to."
)
SWAPPED = "down and across are swapped; rows are dimension 2, columns dimension 3."
UNSHIFTED = "that is the Gram matrix without a shift; the second factor is read further on."
SYMMETRIC = "both directions are averaged; only the shift that is given counts."
MIXED = (
    "the images of the batch are mixed; each has a matrix of its own, so keep dimension 0 and "
    "let matmul go through it."
)
OVER_CHANNELS_TOO = "divided by the channels, too; the mean is over pairs of positions only."
CENTRED = "the means are subtracted first: a covariance. Gram takes the activations as they are."
EMPTY = (
    "right where both shifts are positive, but not for {}: mind that features[:, :, :-0] is "
    "empty; h - down as the end works for 0, too."
)
GRAM_CRASHES = {
    "must match": "the two factors need the same positions: without the last rows and columns, "
    "and without the first",
    "Expected size for first two dimensions": "flatten the positions, (N, C, pairs), and transpose "
    "the second factor, .mT",
    "view size is not compatible": "use reshape or flatten(2) on what was sliced",
}
SHIFTS = ((1, 2), (2, 1), (0, 2), (3, 0), (0, 0))


def check_shifted_gram(answer) -> None:
    """Exercise 2: `shifted_gram(features, down, across)` -> (N, C, C)."""
    check("Exercise 2, neighbours", answer, _examine_shifted)


def _pairs(features: Tensor, down: int, across: int, wrap: bool = False) -> tuple[Tensor, Tensor]:
    """The activations here and at the shift, (N, C, pairs) each."""
    if wrap:
        return features.flatten(2), features.roll((-down, -across), (2, 3)).flatten(2)
    height, width = features.shape[2:]
    here = features[:, :, : height - down, : width - across].flatten(2)
    return here, features[:, :, down:, across:].flatten(2)


def _shifted(features: Tensor, down: int, across: int, pairs="inside", divisor="pairs",
             turned: bool = False) -> Tensor:  # fmt: skip
    """Gram at a shift (Berger and Memisevic 2017), or what a mistake makes of it."""
    if pairs == "swapped":
        down, across = across, down
    elif pairs == "here":
        down = across = 0
    here, there = _pairs(features, down, across, wrap=pairs == "wrapped")
    positions, channels = features[0, 0].numel(), features.shape[1]
    by = {"pairs": here.shape[2], "all": positions, "none": 1}
    by |= {"channels": channels * here.shape[2], "channels and all": channels * positions}
    gram = here @ there.mT / by[divisor]
    return gram.mT if turned else gram


PAIRS = {"inside": "", "wrapped": WRAPPED, "swapped": SWAPPED, "here": UNSHIFTED}
DIVISORS = {"pairs": "", "all": OVER_ALL, "none": SUMMED_PAIRS, "channels": OVER_CHANNELS_TOO,
            "channels and all": f"{OVER_CHANNELS_TOO} And {OVER_ALL}"}  # fmt: skip


def _shift_mistake(pairs: str, divisor: str, turned: bool) -> tuple[Callable, str]:
    hint = _all_of(PAIRS[pairs], DIVISORS[divisor], TURNED if turned else "")
    return lambda f, down, across: _shifted(f, down, across, pairs, divisor, turned), hint


# Where nothing is left out, all positions are the pairs; unshifted, nothing can be turned.
SHIFT_MISTAKES = [
    _shift_mistake(pairs, divisor, turned)
    for pairs, divisor, turned in product(PAIRS, DIVISORS, (False, True))
    if (pairs, divisor, turned) != ("inside", "pairs", False)
    and not (pairs in ("wrapped", "here") and "all" in divisor)
    and not (pairs == "here" and turned)
] + [
    (lambda f, d, a: (_shifted(f, d, a) + _shifted(f, d, a).mT) / 2, SYMMETRIC),
    (lambda f, d, a: _shifted(f, d, a).mean(0, keepdim=True).expand(len(f), -1, -1), MIXED),
    (lambda f, d, a: _shifted(f, d, a).sum(0, keepdim=True).expand(len(f), -1, -1), MIXED),
    (lambda f, d, a: _shifted(f - f.mean((2, 3), keepdim=True), d, a), CENTRED),
]


def _examine_shifted(answer) -> str:
    for seed, (down, across) in enumerate(SHIFTS):
        features = random_tensor(2, 3, 5, 6, seed=seed).relu()
        _compare_shifted(answer, features, down, across)
    return "right: with the shift 0 it is the Gram matrix, and with others it knows neighbours."


def _compare_shifted(answer, features: Tensor, down: int, across: int) -> None:
    zero = " and ".join(
        f"{name} = 0" for name, by in (("down", down), ("across", across)) if not by
    )
    hint_of_zero = EMPTY.format(zero) if zero else ""
    found = _ask_shifted(answer, features, down, across, hint_of_zero)
    if near(found, _shifted(features, down, across)):
        return
    given = features, down, across
    if hint := explanation(found, tried(SHIFT_MISTAKES, *given)):
        raise Wrong(hint)
    if hint_of_zero:
        raise Wrong(hint_of_zero)
    here, there = _pairs(*given)
    first = (here[0, 0] * there[0, 1]).mean()
    raise Wrong(f"for a shift of {down} down and {across} across, the mean of F_0(p) F_1(p + shift)"
                f" is {first:.3f} in the first image, and entry (0, 1) says "
                f"{found[0, 0, 1]:.3f}.")  # fmt: skip


def _ask_shifted(answer, features: Tensor, down: int, across: int, hint: str) -> Tensor:
    given = features.clone()
    try:
        found = ask(answer, given, down, across, crashes={} if hint else GRAM_CRASHES)
    except Wrong as crash:
        raise Wrong(f"{crash} ({hint})" if hint else str(crash)) from crash
    _judge_untouched([given], [features])
    if isinstance(found, Tensor):
        _judge_gram_shape(tuple(found.shape), features)
        if hint and not found.isfinite().all():
            raise Wrong(hint)
    shape = (len(features), features.shape[1], features.shape[1])
    return ask_tensor(lambda: found, shape=shape, meaning="channels by channels, for each image")


def _judge_gram_shape(shape: tuple[int, ...], features: Tensor) -> None:
    count, channels = features.shape[:2]
    if len(shape) == 3 and shape[0] == count and shape[1] == shape[2] > channels:
        raise Wrong(
            f"{shape[1]} × {shape[2]} is positions by positions; sum over the positions, so that "
            "channels by channels are left: (N, C, pairs) @ (N, pairs, C)."
        )
    if shape in ((channels, channels), (1, channels, channels), (count * channels,) * 2):
        raise Wrong(f"one matrix for the whole batch; {MIXED}")


# 3. The gradient of a style

GRADIENT_FACTORS = {
    4.0: "",
    2.0: "half of it: F stands twice in G = F Fᵀ / M, once for i and once for j, and both depend "
    "on it. (Slopes of squares bring a 2, the two places another.)",
    1.0: "a factor 4 is missing: 2 from the square, and 2 because F stands in G twice.",
    8.0: "twice too much: 2 from the square and 2 from the two places of F make 4.",
}
GRADIENT_DIVISORS = {
    "M": "",
    "1": "G has 1/M before the sum, and so has its slope: divide by M.",
    "M²": "divided by M twice, and 1/M stands in G only once. (Where G is a sum, as in the paper "
    "of Gatys et al., other factors come out.)",
}
GRADIENT_SIGNS = {
    1.0: "",
    -1.0: "the sign is wrong: that points downhill, A - G. A gradient points uphill.",
}
OF_GATYS = (
    "those are the factors of Gatys et al. (2016), whose loss has 1/(4 C² M²) in front; here they "
    "are others."
)
UNDIVIDED_GRAM = "G = F Fᵀ / M, and in yours the 1/M is missing in front of F Fᵀ."
AUTOGRAD_CRASHES = {
    "does not require grad": "autograd is switched off here; derive the formula by hand",
    "must match": "F is (C, M), G and A are (C, C)",
    "cannot be multiplied": "F is (C, M) and G - A is (C, C), so (G - A) @ F fits",
}


def check_style_gradient(answer) -> None:
    """Exercise 3: `style_gradient(features, wanted)` -> dE/dF, (C, M), without autograd."""
    check("Exercise 3, the gradient of a style", answer, _examine_gradient)


def _gram(features: Tensor) -> Tensor:
    return features @ features.T / features.shape[1]


def _style_error(features: Tensor, wanted: Tensor) -> Tensor:
    return (_gram(features) - wanted).square().sum()


def _style_gradient(features: Tensor, wanted: Tensor, factor: float = 4.0, divisor: str = "M",
                    sign: float = 1.0, undivided: bool = False) -> Tensor:  # fmt: skip
    """4/M (G - A) F, or what a mistake makes of it."""
    positions = features.shape[1]
    gram = _gram(features) * (positions if undivided else 1)
    by = {"M": positions, "1": 1, "M²": positions**2}
    return sign * factor / by[divisor] * (gram - wanted) @ features


def _gradient_mistake(factor, divisor, sign, undivided) -> tuple[Callable, str]:
    hint = _all_of(
        UNDIVIDED_GRAM if undivided else "",
        GRADIENT_FACTORS[factor],
        GRADIENT_DIVISORS[divisor],
        GRADIENT_SIGNS[sign],
    )
    return lambda f, a: _style_gradient(f, a, factor, divisor, sign, undivided), hint


# Single mistakes come first, so that of two explanations the simpler one is given.
GRADIENT_MISTAKES = [
    (mistake, hint)
    for mistake, hint in sorted(
        (
            _gradient_mistake(*choice)
            for choice in product(
                GRADIENT_FACTORS, GRADIENT_DIVISORS, GRADIENT_SIGNS, (False, True)
            )
        ),
        key=lambda row: row[1].count(" And "),
    )
    if hint
] + [
    (lambda f, a: _style_gradient(f, a, 1, "M²") / len(f) ** 2, OF_GATYS),
    (lambda f, a: _style_gradient(f, a, 1, "M²", undivided=True) / len(f) ** 2, OF_GATYS),
    (lambda f, a: 4 / f.shape[1] * _gram(f) @ f, "the style that is wanted, A, does not occur."),
    (lambda f, a: 4 / f.shape[1] * (_gram(f) - a).square() @ f, "the square is still there; its "
     "slope is 2 (G - A)."),
]  # fmt: skip


def _examine_gradient(answer) -> str:
    for channels, positions, seed in ((3, 7, 1), (4, 4, 3), (5, 2, 5)):
        features = random_tensor(channels, positions, seed=seed)
        wanted = _gram(random_tensor(channels, 2 * channels, seed=seed + 1))
        found = _ask_gradient(answer, features, wanted)
        if not near(found, _style_gradient(features, wanted), 1e-3):
            raise Wrong(
                explanation(found, tried(GRADIENT_MISTAKES, features, wanted))
                or _say_slope(found, features, wanted)
            )
    return "right: one C × C matrix for the whole image, applied at every position alike."


def _ask_gradient(answer, features: Tensor, wanted: Tensor) -> Tensor:
    given = features.clone(), wanted.clone()
    with torch.no_grad():
        found = ask(answer, *given, crashes=AUTOGRAD_CRASHES)
    _judge_untouched(given, (features, wanted))
    if isinstance(found, Tensor) and found.shape == features.T.shape != features.shape:
        raise Wrong("that is (M, C), the transpose; a gradient has the shape of what it is the "
                    "gradient of, (C, M).")  # fmt: skip
    if isinstance(found, Tensor) and found.shape == wanted.shape != features.shape:
        raise Wrong("that is the slope by G, (C, C); go on to F, by which G changes.")
    meaning = "a slope for each activation"
    return ask_tensor(lambda: found, shape=tuple(features.shape), meaning=meaning)


def _say_slope(found: Tensor, features: Tensor, wanted: Tensor) -> str:
    """The entry that is off most, beside the quotient of two small differences."""
    at = divmod(int((found - _style_gradient(features, wanted)).abs().argmax()), features.shape[1])
    step = torch.zeros_like(features, dtype=torch.double)
    step[at] = 1e-4
    above, below = (
        _style_error(features.double() + change, wanted.double()) for change in (step, -step)
    )
    return (
        f"if F[{at[0]}, {at[1]}] grows by 0.0001, the loss changes by "
        f"{(above - below) / 2:.6f}, so its slope is {(above - below) / 2e-4:.3f}, and you say "
        f"{found[at]:.3f}."
    )


# 4. How many numbers a style has

SQUARE = (
    "a Gram matrix is symmetric: what stands above the diagonal stands below it, too. Independent "
    "are the diagonal and one half of the rest, C (C + 1) / 2."
)
NO_DIAGONAL = (
    "the diagonal is missing, how strong each channel is by itself: C (C + 1) / 2 and not C (C - "
    "1) / 2."
)
ALWAYS_TRIANGLE = (
    "right where a layer has at least as many positions as channels. With fewer, G has the rank M "
    "at most and cannot be any symmetric matrix: count the numbers of F, and take away the "
    "M (M - 1) / 2 that G does not see."
)
WITHOUT_TURNS = (
    "where M < C you count all C · M numbers of F. But F and F Q have the same Gram matrix for "
    "every orthogonal Q: take away the M (M - 1) / 2 numbers of Q."
)
REVERSED_TURNS = "M (M - 1) / 2 are the numbers that G does not see; take them away from C · M."
ALL_FEATURES = "that is how many activations there are; a style forgets where each of them was."
POSITIONS_TRIANGLE = (
    "M (M + 1) / 2 are the products of positions with each other; G has channels by channels."
)
MEANS_ONLY = "two numbers a channel, as many as means and variances; G has the pairs of channels."
SMALLER_TRIANGLE = (
    "where M < C you count a symmetric M × M matrix; but the M directions that it lies along are "
    "to be chosen among C, too: C · M - M (M - 1) / 2."
)


def check_style_numbers(answer) -> None:
    """Exercise 4: `style_numbers(layers)` -> independent numbers, for [(channels, positions)]."""
    check("Exercise 4, how many numbers a style has", answer, _examine_numbers)


def _triangle(side: int) -> int:
    return side * (side + 1) // 2


def _numbers(channels: int, positions: int) -> int:
    """Dimension of the symmetric C × C matrices of rank up to M that F Fᵀ can be."""
    rank = min(channels, positions)
    return channels * rank - _triangle(rank - 1)


def _or_few(many: Callable[[int, int], int], few: Callable[[int, int], int]) -> Callable:
    """One count where there are at least as many positions as channels, another where not."""
    return lambda c, m: many(c, m) if m >= c else few(c, m)


def _of_triangle(channels: int, positions: int) -> int:
    return _triangle(channels)


NUMBER_MISTAKES = [
    (_of_triangle, ALWAYS_TRIANGLE),
    (lambda c, m: c * c, SQUARE),
    (lambda c, m: _triangle(c - 1), NO_DIAGONAL),
    (lambda c, m: c * m, ALL_FEATURES),
    (lambda c, m: 2 * c, MEANS_ONLY),
    (lambda c, m: _triangle(m), POSITIONS_TRIANGLE),
    (_or_few(_of_triangle, lambda c, m: c * m), WITHOUT_TURNS),
    (lambda c, m: min(_triangle(c), c * m), WITHOUT_TURNS),
    (_or_few(_of_triangle, lambda c, m: c * m + _triangle(m - 1)), REVERSED_TURNS),
    (_or_few(_of_triangle, lambda c, m: _triangle(m)), SMALLER_TRIANGLE),
    (_or_few(_of_triangle, lambda c, m: c * m - _triangle(m)), "the numbers of an orthogonal M × M "
     "matrix are M (M - 1) / 2, one for each plane it can turn in, and not M (M + 1) / 2."),
    (lambda c, m: c * m - _triangle(m - 1), "that holds where M < C. With more positions than "
     "channels G can be any symmetric matrix of this kind: C (C + 1) / 2."),
]  # fmt: skip
# A layer with positions in plenty, one with few, both, and both kinds in one style.
STYLES = (
    [(6, 100)],
    [(7, 7)],
    [(9, 4)],
    [(12, 11), (10, 1)],
    [(5, 64), (8, 16), (16, 4), (16, 1)],
)


def _added_up(count: Callable[[int, int], int], layers: Sequence[tuple[int, int]]) -> int:
    """A count of every layer, added up."""
    return sum(count(channels, positions) for channels, positions in layers)


def _examine_numbers(answer) -> str:
    found = [as_count(ask(answer, list(layers))) for layers in STYLES]
    right = [_added_up(_numbers, layers) for layers in STYLES]
    for layers, count, wanted in zip(STYLES, found, right):
        if count != wanted:
            raise Wrong(_counted_wrong(found) or _say_numbers(layers, count, wanted))
    return "right: no more than a symmetric matrix has, and fewer where positions are few."


def _counted_wrong(found: Sequence[float]) -> str | None:
    """The mistake that gives these counts; None where none does."""
    for mistake, hint in NUMBER_MISTAKES:
        if all(_added_up(mistake, layers) == count for layers, count in zip(STYLES, found)):
            return hint
    return None


def _say_numbers(layers: Sequence[tuple[int, int]], found: float, wanted: int) -> str:
    if len(layers) > 1:
        return (
            f"for the layers {layers} there are {wanted}, and you say {found:g}. Every layer "
            "brings its own; add them up."
        )
    channels, positions = layers[0]
    return (
        f"a layer of {channels} channels and {positions} positions has {wanted} numbers, and you "
        f"say {found:g}."
    )
