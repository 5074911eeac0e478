"""Checks of the exercises of notebook 07, residual networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations, product
from numbers import Real

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from .checking import (
    Wrong,
    as_count,
    as_number,
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


# 1. The way back

FORWARDS = (
    "the blocks are gone through from the first to the last; the gradient meets the last one "
    "first, reversed(jacobians) or jacobians.flip(0)."
)
UNTRANSPOSED = (
    "J_F @ gradient sums over the inputs x_j. The gradient sums over the outputs, because each of "
    "them depends on x_j: gradient @ J_F, or J_F.T @ gradient."
)
FORWARD_PASS = (
    "that multiplies J_1 first, and from the left: so a small change of x travels *forward*. The "
    "gradient starts at the last block, and is multiplied from the other side: gradient @ J_F."
)
IDENTITIES = {
    "each": "",
    "never": "the shortcuts are missing: dy/dx of y = x + F(x) is I + J_F. The product of the J_F "
    "alone is a plain network's.",
    "once": "the gradient is added once, at the end: that is one shortcut around the whole "
    "network. Every block has its own, so each factor is I + J_F.",
    "ones": "1 is added to every number of J_F; the identity has ones on its diagonal only, "
    "torch.eye(d).",
}
SUMMED = (
    "the blocks' answers are summed, each for the gradient at the very end. But what block k gets "
    "has gone through the later blocks; the factors I + J_F are multiplied."
)
ONE_BLOCK = "only the {} block is gone through; take them all."
BACKWARD_CRASHES = {
    "must match the size": "the identity has the size of the state, torch.eye(d), not that of the "
    "number of blocks",
}


def check_backward(answer) -> None:
    """Exercise 1: `backward(gradient, jacobians)` -> the gradient at the input, (d,)."""
    check("Exercise 1, the way back", answer, _examine_backward)


def _backward(
    gradient: Tensor,
    jacobians: Tensor,
    forwards: bool = False,
    untransposed: bool = False,
    identity: str = "each",
) -> Tensor:
    """dL/dx of y = x + F(x), many times (He et al. 2016), or what a mistake makes of it."""
    added = {"each": torch.eye(len(gradient)), "ones": 1}.get(identity, 0)
    found = gradient
    for factor in (jacobians if forwards else jacobians.flip(0)) + added:
        found = factor @ found if untransposed else found @ factor
    return found + gradient if identity == "once" else found


def _chain_mistake(forwards: bool, untransposed: bool, identity: str) -> tuple[Callable, str]:
    ways = {(True, True): FORWARD_PASS, (True, False): FORWARDS, (False, True): UNTRANSPOSED}
    hint = _all_of(ways.get((forwards, untransposed), ""), IDENTITIES[identity])
    return lambda g, j: _backward(g, j, forwards, untransposed, identity), hint


BACKWARD_MISTAKES = [
    (mistake, hint)
    for mistake, hint in (
        _chain_mistake(*choice) for choice in product((False, True), (False, True), IDENTITIES)
    )
    if hint
] + [
    (lambda g, j: g + g @ j.sum(0), SUMMED),
    (lambda g, j: g + j.sum(0) @ g, f"{SUMMED} And {UNTRANSPOSED}"),
    (lambda g, j: g @ j.sum(0), f"{SUMMED} And {IDENTITIES['never']}"),
    (lambda g, j: j.sum(0) @ g, f"{SUMMED} And {UNTRANSPOSED} And {IDENTITIES['never']}"),
    (lambda g, j: len(j) * g + g @ j.sum(0), SUMMED),
    (lambda g, j: g + g @ j[0], ONE_BLOCK.format("first")),
    (lambda g, j: g + g @ j[-1], ONE_BLOCK.format("last")),
    (lambda g, j: g, "that is the gradient as it came; the shortcuts carry it to the input, but "
     "what comes through the F is missing."),
]  # fmt: skip


def _chain(blocks: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """A gradient (d,) and Jacobians (blocks, d, d)."""
    return random_tensor(size, seed=seed), 0.5 * random_tensor(blocks, size, size, seed=seed + 1)


def _examine_backward(answer) -> str:
    for blocks, size, seed in ((4, 3, 1), (3, 6, 2), (1, 5, 3)):
        gradient, jacobians = _chain(blocks, size, seed)
        found = _ask_backward(answer, gradient, jacobians)
        if not near(found, _backward(gradient, jacobians)):
            raise Wrong(
                explanation(found, tried(BACKWARD_MISTAKES, gradient, jacobians))
                or _say_backward(answer, found, gradient, jacobians)
            )
    return "right: from the last block to the first, and each adds to what came to it."


def _ask_backward(answer, gradient: Tensor, jacobians: Tensor) -> Tensor:
    given = gradient.clone(), jacobians.clone()
    found = ask(answer, *given, crashes=BACKWARD_CRASHES)
    for name, now, before in zip(("gradient", "jacobians"), given, (gradient, jacobians)):
        if not torch.equal(now, before):
            raise Wrong(f"your function changes `{name}` itself; whoever gave it still needs it. "
                        "(a = a + b makes a new tensor, a += b changes the old one.)")  # fmt: skip
    meaning = (
        "one number for each x_j at the very beginning; what a block gives goes on to the next"
    )
    return ask_tensor(lambda: found, shape=tuple(gradient.shape), meaning=meaning)


def _say_backward(answer, found: Tensor, gradient: Tensor, jacobians: Tensor) -> str:
    one = _ask_backward(answer, gradient, jacobians[:1])
    if len(jacobians) > 1 and near(one, _backward(gradient, jacobians[:1])):
        return (
            f"right for a single block, but not for {len(jacobians)}: what one block gives is the "
            "gradient that the block before it gets."
        )
    return (
        "wrong already for a single block: there dL/dx_j is dL/dy_j, and Σ_i dL/dy_i · J_F[i, j] "
        f"is added. The result has length {found.norm():.3f}, and should have "
        f"{_backward(gradient, jacobians).norm():.3f}."
    )


# 2. Option A

AVERAGED = (
    "four pixels are averaged (or interpolated); option A keeps every second one as it is, "
    "x[:, :, ::2, ::2]."
)
LARGEST = "that is the largest of four pixels; option A keeps every second one, whatever it is."
FROM_ONE = "the pixels kept start at 1; start with the first, number 0."
CORNER = "that is a corner of the image, at full size; keep every second pixel of all of it, ::2."
IN_FRONT = "the zeros stand in front; the channels of x keep their places, and zeros come behind."
BOTH_SIDES = (
    "half of the zeros stand in front. (Some implementations do so.) Here the channels of x keep "
    "their places, and all zeros come behind."
)
REPEATED = (
    "the new channels repeat those of x; they are full of zeros, so that F alone says what is in "
    "them."
)
ONES = "the new channels are full of ones; they should be 0, so that F alone says what is in them."
KEPT = [
    (lambda x: x[:, :, ::2, ::2], ""),
    (lambda x: avg_pool2d(x, 2), AVERAGED),
    (lambda x: max_pool2d(x, 2), LARGEST),
    (lambda x: x[:, :, 1::2, 1::2], FROM_ONE),
    (lambda x: x[:, :, : (x.shape[2] + 1) // 2, : (x.shape[3] + 1) // 2], CORNER),
]
FILLED = [
    (lambda x, more: _with_channels(x, 0, more), ""),
    (lambda x, more: _with_channels(x, more, 0), IN_FRONT),
    (lambda x, more: _with_channels(x, more // 2, more - more // 2), BOTH_SIDES),
    (lambda x, more: x.repeat(1, 1 + more, 1, 1)[:, : x.shape[1] + more], REPEATED),
    (lambda x, more: x.repeat_interleave(1 + -(-more // x.shape[1]), 1)[:, : x.shape[1] + more],
     REPEATED),
    (lambda x, more: _with_channels(x, 0, more, 1.0), ONES),
]  # fmt: skip
SHORTCUT_CRASHES = {
    "Can't call numpy": "numpy knows no gradients; torch can do all that is needed",
    "Sizes of tensors must match": "the zeros stand beside the halved image: (N, channels - C, "
    "H/2, W/2)",
}


def _with_channels(x: Tensor, before: int, behind: int, value: float = 0.0) -> Tensor:
    return pad(x, (0, 0, 0, 0, before, behind), value=value)


def _shortcut_mistake(keep: Callable, fill: Callable) -> Callable[[Tensor, int], Tensor]:
    return lambda x, channels: fill(keep(x), channels - x.shape[1])


SHORTCUT_MISTAKES = [
    (_shortcut_mistake(keep, fill), _all_of(kept, filled))
    for (keep, kept), (fill, filled) in product(KEPT, FILLED)
    if kept or filled
]


def check_shortcut(answer) -> None:
    """Exercise 2: `shortcut(x, channels)` -> (N, channels, H/2, W/2), rounded up."""
    check("Exercise 2, a shortcut without parameters", answer, _examine_shortcut)


def _shortcut(x: Tensor, channels: int) -> Tensor:
    """Option A of He et al. 2015, section 4.1."""
    return _with_channels(x[:, :, ::2, ::2], 0, channels - x.shape[1])


def _examine_shortcut(answer) -> str:
    for shape, channels, seed in (((2, 4, 8, 6), 8, 1), ((3, 3, 6, 10), 7, 2)):
        _compare_shortcut(answer, random_tensor(*shape, seed=seed), channels)
    odd, square = random_tensor(2, 3, 7, 5, seed=3), random_tensor(2, 3, 6, 6, seed=4)
    _compare_shortcut(answer, odd, 6, "right for even sizes, but for odd ones: ")
    _compare_shortcut(answer, square, 3, "right with new channels, but with as many as before: ")
    _judge_way_back(answer, random_tensor(2, 3, 6, 5, seed=5), 5)
    return "right: every second pixel, then zeros, and what is kept has its way back."


def _ask_shortcut(answer, x: Tensor, channels: int) -> Tensor:
    given = x.clone()
    found = ask(answer, given, channels, crashes=SHORTCUT_CRASHES)
    if not torch.equal(given, x):
        raise Wrong("your function changes `x` itself; F still needs it.")
    right = _shortcut(x, channels).shape
    if isinstance(found, Tensor) and found.dim() == 4 and found.shape != right:
        raise Wrong(_say_shape(tuple(found.shape), tuple(x.shape), channels))
    return ask_tensor(lambda: found, shape=tuple(right), meaning="(N, channels, H/2, W/2)")


def _say_shape(found: Sequence[int], given: Sequence[int], channels: int) -> str:
    size, halved = tuple(given[2:]), tuple((side + 1) // 2 for side in given[2:])
    said = f"x has shape {given}, and the result {found}: "
    if tuple(found[2:]) == size:
        return f"{said}keep every second pixel only, in both directions."
    if tuple(found[2:]) == tuple(side // 2 for side in size) != halved:
        return f"{said}of 7 rows keep four, 0, 2, 4 and 6, so odd sizes are rounded up."
    if tuple(found[2:]) != halved:
        return (
            f"{said}(H, W) should become {halved}. (F.pad counts from the last dimension: two "
            "numbers for W, two for H, then two for the channels.)"
        )
    if found[1] == given[1]:
        return f"{said}the new channels are missing; there should be {channels} altogether."
    if found[1] == given[1] + channels:
        return (
            f"{said}{channels} channels are added; there should be {channels} altogether, so add "
            "channels - C."
        )
    return f"{said}there should be {channels} channels, and as many images as before."


def _compare_shortcut(answer, x: Tensor, channels: int, before: str = "") -> None:
    try:
        found, again = (_ask_shortcut(answer, x, channels) for _ in range(2))
    except Wrong as wrong:
        raise Wrong(f"{before}{wrong}") from wrong
    if not near(found, again):
        raise Wrong("the same x gives another result the second time; option A has no parameters, "
                    "and throws no dice.")  # fmt: skip
    right = _shortcut(x, channels)
    if near(found, right):
        return
    hint = explanation(found, tried(SHORTCUT_MISTAKES, x, channels))
    raise Wrong(before + (hint or _say_shortcut(found, right, x.shape[1])))


def _say_shortcut(found: Tensor, right: Tensor, channels: int) -> str:
    place = torch.unravel_index((found - right).abs().argmax(), found.shape)
    number, channel, row, column = (int(at) for at in place)
    of_x = f"x[{number}, {channel}, {2 * row}, {2 * column}]"
    return (
        f"in image {number}, channel {channel}, row {row}, column {column} stands "
        f"{found[place]:.3f} instead of {right[place]:.3f}, "
        + (f"which is {of_x}." if channel < channels else "as in all new channels.")
    )


def _judge_way_back(answer, x: Tensor, channels: int) -> None:
    leaves = [x.clone().requires_grad_() for _ in range(2)]
    results = [_ask_shortcut(answer, leaves[0], channels), _shortcut(leaves[1], channels)]
    if not results[0].requires_grad:
        raise Wrong(
            "the numbers are right, but no gradient flows back to x, and a shortcut is there for "
            "the gradient; leave out .detach(), .data, .item() and no_grad."
        )
    probe = random_tensor(*results[1].shape, seed=6)
    slopes = [
        torch.autograd.grad(result, leaf, probe, materialize_grads=True, allow_unused=True)[0]
        for result, leaf in zip(results, leaves)
    ]
    if not near(*slopes):
        raise Wrong("the numbers are right, but not the gradient: each pixel kept should get what "
                    "comes to its copy, and the others nothing.")  # fmt: skip


# 3. Counting

DEPTHS = (1, 2, 3, 5, 9, 18)
COUNT_MISTAKES = [
    ({"bias": 1}, "the convolutions have biases; with batch normalisation behind them they have "
     "none, because β does the same."),
    ({"norm": 0}, "batch normalisation is forgotten: γ and β, two numbers for each channel."),
    ({"norm": 1}, "batch normalisation has two numbers a channel, γ and β, and you count one. "
     "(Biases in the convolutions, and no batch normalisation, give the same.)"),
    ({"norm": 4}, "four numbers a channel are counted for batch normalisation. The running mean "
     "and variance are no parameters, they are measured: γ and β are two."),
    ({"stem_norm": 0}, "the batch normalisation behind the very first convolution is forgotten: "
     "2 · 16."),
    ({"projection": 1}, "projections are counted; with option A the shortcuts have no parameters."),
    ({"projection": 2}, "projections and their batch normalisation are counted; with option A the "
     "shortcuts have no parameters."),
    ({"narrow": 0}, "where a stage starts, its first convolution gets the channels of the stage "
     "before, 16 or 32, not its own 32 or 64."),
    ({"narrow": 2}, "where a stage starts, both convolutions of the first block get the channels "
     "of the stage before; only the first of them does, the second has its result."),
    ({"narrow": None}, "all convolutions of a stage get the channels of the stage before; only "
     "its very first one does."),
    ({"head": 640}, "the biases of the last layer are missing, one for each of 10 classes."),
    ({"head": 0}, "the last layer is missing: 64 · 10 weights and 10 biases."),
    ({"head": 64 * 64 * 10 + 10}, "the last layer gets 64 numbers an image, not 64 · 8 · 8: the "
     "mean over the pixels comes before it."),
    ({"colours": 1}, "the images have three colours, so the first convolution has "
     "3 · 16 · 3 · 3 weights."),
    ({"colours": 16}, "the first convolution gets the three colours of the image, not 16 "
     "channels."),
    ({"stem": 0, "stem_norm": 0}, "the first convolution and its batch normalisation are missing; "
     "they stand before the three stages."),
    ({"stem": 0}, "the first convolution is missing; it stands before the three stages."),
    ({"layers": 1}, "each of the n blocks of a stage has two convolutions, so 2n a stage."),
    ({"places": 1}, "a kernel of 3 × 3 has nine weights for each pair of channels."),
    ({"places": 3}, "a kernel of 3 × 3 has nine weights for each pair of channels, not three."),
]  # fmt: skip
STAGES = ((16, 16), (16, 32), (32, 64))


def check_parameters(answer) -> None:
    """Exercise 3: `parameters(n)` -> how many the network of 6n + 2 layers has."""
    check("Exercise 3, parameters", answer, _examine_parameters)


def _parameters(
    n: int,
    colours: int = 3,
    places: int = 9,
    layers: int = 2,
    stem: int = 1,
    bias: int = 0,
    norm: int = 2,
    stem_norm: int = 1,
    narrow: int | None = 1,
    projection: int = 0,
    head: int = 650,
) -> int:
    """How many numbers the network learns (He et al. 2015, section 4.2), or a mistake's count.

    Args:
        n: blocks a stage.
        colours: channels of an image.
        places: weights of a kernel.
        layers: convolutions a block.
        stem, stem_norm: whether the first convolution counts, and its batch normalisation.
        bias, norm: numbers a channel.
        narrow: how many convolutions of a stage get the channels of the stage before; None: all.
        projection: 1 counts 1 × 1 convolutions in the shortcuts, 2 their normalisation, too.
        head: numbers of the last layer.
    """
    count = head + stem * 16 * (places * colours + bias) + stem_norm * 16 * norm
    for before, width in STAGES:
        all_of_them = layers * n
        first = all_of_them if narrow is None else min(narrow, all_of_them)
        inputs = first * before + (all_of_them - first) * width
        count += width * (places * inputs + all_of_them * (bias + norm))
        if projection and before != width:
            count += width * (before + norm * (projection - 1))
    return count


def _counted_wrong(found: Sequence[float]) -> str | None:
    """The mistake, or the two mistakes, that give these counts; None where none do."""
    pairs = [
        ({**one, **other}, _all_of(hint, also))
        for (one, hint), (other, also) in combinations(COUNT_MISTAKES, 2)
        if not one.keys() & other.keys()
    ]
    for options, hint in COUNT_MISTAKES + pairs:
        if all(count == _parameters(n, **options) for n, count in zip(DEPTHS, found)):
            return hint
    return None


def _examine_parameters(answer) -> str:
    found = [as_count(ask(answer, n)) for n in DEPTHS]
    for n, count in zip(DEPTHS, found):
        if not float(count).is_integer():
            raise Wrong(f"for n = {n} you count {count}; a number of parameters is whole.")
    wrong = [n for n, count in zip(DEPTHS, found) if count != _parameters(n)]
    if wrong:
        raise Wrong(_counted_wrong(found) or _say_count(found, wrong[0]))
    return (
        f"right: {found[DEPTHS.index(3)]:,.0f} with 20 layers, {found[-1]:,.0f} with 110. The "
        "paper rounds to 0.27 and 1.7 million."
    )


def _say_count(found: Sequence[float], n: int) -> str:
    counts = dict(zip(DEPTHS, found))
    step, right = counts[2] - counts[1], _parameters(2) - _parameters(1)
    if all(count == counts[1] + (n - 1) * step for n, count in counts.items()):
        if step == right:
            return (
                f"what each n adds is right, {step:,.0f}, but the rest is off by "
                f"{abs(counts[1] - _parameters(1)):,.0f}, too "
                f"{'many' if counts[1] > _parameters(1) else 'few'}: look at the first "
                "convolution, at those where a stage starts, and at the last layer."
            )
        return (
            f"with each n your count grows by {step:,.0f}, and it should by {right:,}: two more "
            "convolutions in each of three stages, and their batch normalisation."
        )
    return (
        f"for n = {n}, that is {6 * n + 2} layers, you count {counts[n]:,.0f}. Each n adds the "
        "same, two convolutions and their batch normalisation in each of three stages."
    )


# 4. Paths

SHARE_MISTAKES = [
    (lambda n, k: (n - k) / n, "that is the share of the *blocks* that are left. A path is lost if "
     "it goes through a deleted block, and half of all paths do, for each block."),
    (lambda n, k: k / n, "that is the share of the blocks that are gone. Ask which paths are left: "
     "those that go around each deleted block, half of them for each."),
    (lambda n, k: 1 - 2.0**-k, "that is the share of the paths that are lost."),
    (lambda n, k: 2.0 ** (n - k), "that is how many paths are left; their share is out of 2^n."),
    (lambda n, k: 2.0**n - 2.0 ** (n - k), "that is how many paths are lost; asked is the share of "
     "those that are left."),
    (lambda n, k: 2.0**k, "the share is upside down: out of 2^n paths 2^(n - deleted) are left."),
    (lambda n, k: 2.0 ** (k - n), "that is one path out of those that are left; their share of all "
     "is asked."),
    (lambda n, k: 0.5 if k else 1.0, "each deleted block halves what is left, not only the first."),
    (lambda n, k: 0.0 if k else 1.0, "that is a plain network, where the only path goes through "
     "all blocks. With shortcuts, the paths that go around are left."),
    (lambda n, k: 1 / (k + 1), "every deleted block halves what is left: ½, ¼, ⅛."),
    (lambda n, k: 1 - k / 2, "half of what is *left* is lost each time, not half of all: ½, ¼, ⅛."),
    (lambda n, k: (n - k) / 2**n, "the paths that are left are not n - deleted: each block that is "
     "there doubles them."),
]  # fmt: skip
LENGTH_MISTAKES = [
    (lambda n, k: n / 2, "that is the mean length in the whole network; deleted blocks are on no "
     "path any more."),
    (lambda n, k: n - k, "that is the longest path, through all blocks that are there; half of the "
     "paths go around each of them. (Or you count convolutions: asked are blocks.)"),
    (lambda n, k: n, "that is the longest path of the whole network."),
    (lambda n, k: n / 2 - k, "each deleted block takes ½ from the mean length: only half of the "
     "paths went through it."),
    (lambda n, k: (n - k + 1) / 2, "the mean of 1, 2, …, n - deleted forgets the path around all "
     "blocks, of length 0. (And the lengths are not equally frequent.)"),
    (lambda n, k: (n - k) / 2 * 2.0**-k, "the sum of the lengths is divided by all 2^n paths; take "
     "the mean over those that are left."),
    (lambda n, k: n / 2 * 2.0**-k, "the share says how many are left, not how long they are."),
    (lambda n, k: (n - k) / 2 * 2.0 ** (n - k), "that is the sum of the lengths; take their mean."),
    (lambda n, k: k / 2, "that is how many deleted blocks a path had; count those that are left."),
    (lambda n, k: 0.0 if k else float(n), "that is a plain network, where the only path goes "
     "through all blocks."),
]  # fmt: skip
PATHS = {
    "the share": (SHARE_MISTAKES, lambda n, k: 2.0**-k),
    "the mean length": (LENGTH_MISTAKES, lambda n, k: (n - k) / 2),
}
# Small enough for an answer that walks along every path.
NETWORKS = ((10, 3), (9, 4), (6, 1), (5, 0), (12, 12), (1, 1))


def check_paths(answer) -> None:
    """Exercise 4: `paths(blocks, deleted)` -> (share that is left, mean length of those)."""
    check("Exercise 4, paths", answer, _examine_paths)


def _examine_paths(answer) -> str:
    for blocks, deleted in NETWORKS:
        _compare_paths(_ask_paths(answer, blocks, deleted), blocks, deleted)
    return "right: each block that is taken out halves the paths, and shortens their mean by ½."


def _ask_paths(answer, blocks: int, deleted: int) -> list[Real]:
    found = ask(answer, blocks, deleted)
    if isinstance(found, Tensor) and found.shape == (2,):
        found = found.unbind()
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two numbers: the share of the paths that is left, and their mean "
                    "length.")  # fmt: skip
    return [as_number(number, f"{name}: return one number") for number, name in zip(found, PATHS)]


def _same(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=1e-5, abs_tol=1e-9)


def _compare_paths(found: Sequence[float], blocks: int, deleted: int) -> None:
    rights = [right(blocks, deleted) for _, right in PATHS.values()]
    if all(map(_same, found, rights)):
        return
    if all(map(_same, found, reversed(rights))):
        raise Wrong("both are right, and in the wrong order: first the share, then the length.")
    for number, right, (name, (mistakes, _)) in zip(found, rights, PATHS.items()):
        if not _same(number, right):
            hints = (hint for mistake, hint in mistakes if _same(mistake(blocks, deleted), number))
            said = next(hints, "think of each block as a switch, through or around.")
            raise Wrong(f"{name}: for {blocks} blocks, of which {deleted} are taken out, you say "
                        f"{number:.6g}; {said}")  # fmt: skip
