"""The exercises of notebook 07, residual networks."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from .checking import random_tensor
from .exercise import Case, Exercise, combined

# 1. The way back

WAYS = [  # (whether the first block comes first, whether J_F stands in front), hint
    ((False, False), ""),
    ((True, False), "the blocks are gone through from the first to the last; the gradient meets "
     "the last one first, reversed(jacobians) or jacobians.flip(0)."),
    ((False, True), "J_F @ gradient sums over the inputs x_j. The gradient sums over the outputs, "
     "because each of them depends on x_j: gradient @ J_F, or J_F.T @ gradient."),
    ((True, True), "that multiplies J_1 first, and from the left: so a small change of x travels "
     "*forward*. The gradient starts at the last block, with gradient @ J_F."),
]  # fmt: skip
UNTRANSPOSED = WAYS[2][1]
NO_SHORTCUTS = "the shortcuts are missing: dy/dx of y = x + F(x) is I + J_F, and not J_F alone."
IDENTITIES = [
    ("each", ""),
    ("never", NO_SHORTCUTS),
    ("once", "the gradient is added once, at the end: that is one shortcut around the whole "
     "network. Every block has its own."),
    ("ones", "1 is added to every number of J_F; the identity has ones on its diagonal only."),
]  # fmt: skip
SUMMED = "the blocks' answers are summed; one after the other, the factors I + J_F are multiplied."


def _backward(gradient: Tensor, jacobians: Tensor, way=(False, False), identity="each") -> Tensor:
    """dL/dx of y = x + F(x), many times (He et al. 2016), or what a mistake makes of it."""
    forwards, untransposed = way
    added = {"each": torch.eye(len(gradient)), "ones": 1}.get(identity, 0)
    found = gradient
    for factor in (jacobians if forwards else jacobians.flip(0)) + added:
        found = factor @ found if untransposed else found @ factor
    return found + gradient if identity == "once" else found


def _chain(blocks: int, size: int, seed: int) -> Case:
    """A gradient (d,) and Jacobians (blocks, d, d)."""
    jacobians = 0.5 * random_tensor(blocks, size, size, seed=seed + 1)
    return Case((random_tensor(size, seed=seed), jacobians))


check_backward = Exercise(
    "Exercise 1, the way back",
    _backward,
    [_chain(4, 3, seed=1), _chain(3, 6, seed=2), _chain(1, 5, seed=3)],
    [
        *combined(lambda *wrong: lambda g, j: _backward(g, j, *wrong), WAYS, IDENTITIES),
        (lambda g, j: g + g @ j.sum(0), SUMMED),
        (lambda g, j: g + j.sum(0) @ g, f"{SUMMED} And {UNTRANSPOSED}"),
        (lambda g, j: g @ j.sum(0), f"{SUMMED} And {NO_SHORTCUTS}"),
        (lambda g, j: j.sum(0) @ g, f"{SUMMED} And {UNTRANSPOSED} And {NO_SHORTCUTS}"),
        (lambda g, j: len(j) * g + g @ j.sum(0), SUMMED),
        (lambda g, j: g + g @ j[0], "only the first block is gone through; take them all."),
        (lambda g, j: g + g @ j[-1], "only the last block is gone through; take them all."),
        (lambda g, j: g, "that is the gradient as it came; the shortcuts carry it to the input, "
         "but what comes through the F is missing."),
    ],
    result="one number for each x_j at the very beginning; what a block gives goes on to the next",
    crashes={"must match the size": "the identity has the size of the state, torch.eye(d), not "
             "that of the number of blocks"},
    explain=lambda found, right, gradient, jacobians: (
        f"for {len(jacobians)} blocks the result has length {found.norm():.3f} and should have "
        f"{right.norm():.3f}. A block adds Σ_i dL/dy_i · J_F[i, j] to dL/dy_j, and what it gives "
        "is the gradient that the block before it gets."
    ),
    praise="right: from the last block to the first, and each adds to what came to it.",
)  # fmt: skip

# 2. Option A

REPEATED = "the new channels repeat those of x; they should be 0, so that F alone fills them."
KEPT = [
    (lambda x: x[..., ::2, ::2], ""),
    (lambda x: avg_pool2d(x, 2), "four pixels are averaged (or interpolated); option A keeps every "
     "second one as it is, x[:, :, ::2, ::2]."),
    (lambda x: max_pool2d(x, 2), "that is the largest of four pixels; take every second one."),
    (lambda x: x[..., 1::2, 1::2], "the pixels kept start at 1; start with the first, number 0."),
    (lambda x: x[..., : (x.shape[2] + 1) // 2, : (x.shape[3] + 1) // 2], "that is a corner of the "
     "image, at full size; keep every second pixel of all of it, ::2."),
]  # fmt: skip
FILLED = [
    (lambda x, new: _with_channels(x, 0, new), ""),
    (lambda x, new: _with_channels(x, new, 0), "the zeros stand in front; the channels of x keep "
     "their places, and zeros come behind."),
    (lambda x, new: _with_channels(x, new // 2, new - new // 2), "half of the zeros stand in "
     "front, as in some implementations. Here all zeros come behind the channels of x."),
    (lambda x, new: x.repeat(1, 1 + new, 1, 1)[:, : x.shape[1] + new], REPEATED),
    (lambda x, new: x.repeat_interleave(1 + -(-new // x.shape[1]), 1)[:, : x.shape[1] + new],
     REPEATED),
    (lambda x, new: _with_channels(x, 0, new, 1.0), "the new channels are full of ones; they "
     "should be 0, so that F alone fills them."),
]  # fmt: skip


def _with_channels(x: Tensor, before: int, behind: int, value: float = 0.0) -> Tensor:
    return pad(x, (0, 0, 0, 0, before, behind), value=value)


def _shapes_of_shortcut(x: Tensor, channels: int) -> dict[tuple, str]:
    n, c, h, w = x.shape
    rows, columns = (h + 1) // 2, (w + 1) // 2
    return {
        (n, channels, h, w): "keep every second pixel only, in both directions.",
        (n, channels, h // 2, w // 2): "of 7 rows keep four, 0, 2, 4 and 6: round odd sizes up.",
        (n, c, rows, columns): f"the new channels are missing; there should be {channels} "
        "altogether.",
        (n, c + channels, rows, columns): f"{channels} channels are added; there should be "
        f"{channels} altogether, so add channels - C.",
        (n, c, rows, columns + channels - c): "the zeros stand beside the pixels. F.pad counts "
        "from the last dimension: two numbers for W, two for H, then two for the channels.",
    }  # fmt: skip


def _say_shortcut(found: Tensor, right: Tensor, x: Tensor, channels: int) -> str:
    place = torch.unravel_index((found - right).abs().argmax(), found.shape)
    image, channel, row, column = place
    copied = f"which is x[{image}, {channel}, {2 * row}, {2 * column}]"
    return (
        f"in image {image}, channel {channel}, row {row}, column {column} stands "
        f"{found[place]:.3f} instead of {right[place]:.3f}, "
        f"{copied if channel < x.shape[1] else 'as in all new channels'}; option A has no "
        "parameters, it copies and adds zeros."
    )


check_shortcut = Exercise(
    "Exercise 2, a shortcut without parameters",
    lambda x, channels: _with_channels(x[..., ::2, ::2], 0, channels - x.shape[1]),
    [
        Case((random_tensor(2, 4, 8, 6, seed=1), 8)),
        Case((random_tensor(3, 3, 6, 10, seed=2), 7)),
        Case((random_tensor(2, 3, 7, 5, seed=3), 6), before="right for even sizes, but for odd "
             "ones: "),
        Case((random_tensor(2, 3, 6, 6, seed=4), 3), before="right with new channels, but with as "
             "many as before: "),
    ],
    combined(
        lambda keep, fill: lambda x, channels: fill(keep(x), channels - x.shape[1]), KEPT, FILLED
    ),
    result="(N, channels, H/2, W/2)",
    shapes=_shapes_of_shortcut,
    crashes={
        "Can't call numpy": "numpy knows no gradients; torch can do all that is needed",
        "Sizes of tensors must match": "the zeros stand beside the halved image: "
        "(N, channels - C, H/2, W/2)",
    },
    explain=_say_shortcut,
    slopes="each pixel kept should get what comes to its copy, and the others nothing.",
    praise="right: every second pixel, then zeros, and what is kept has its way back.",
)  # fmt: skip

# 3. Counting

NORMALISATIONS = [
    ({}, ""),
    ({"bias": 1}, "the convolutions have biases; with batch normalisation behind them they have "
     "none, because β does the same."),
    ({"norm": 0}, "batch normalisation is forgotten: γ and β, two numbers for each channel."),
    ({"norm": 1}, "batch normalisation has two numbers a channel, γ and β, and you count one. "
     "(Biases in the convolutions, and no batch normalisation, give the same.)"),
    ({"norm": 4}, "four numbers a channel are counted for batch normalisation. The running mean "
     "and variance are no parameters, they are measured: γ and β are two."),
    ({"stem_norm": 0}, "batch normalisation behind the very first convolution is forgotten: 32."),
]  # fmt: skip
STAGES = [  # mistakes about the convolutions of the three stages, whatever is counted
    ({"narrow": 0}, "where a stage starts, its first convolution gets the channels of the stage "
     "before, 16 or 32, not its own 32 or 64."),
    ({"narrow": 2}, "where a stage starts, both convolutions of the first block get the channels "
     "of the stage before; only the first of them does."),
    ({"narrow": 99}, "all convolutions of a stage get the channels of the stage before; only its "
     "very first one does."),
    ({"convolutions": 1}, "each of the n blocks of a stage has two convolutions, so 2n a stage."),
    ({"places": 1}, "a kernel of 3 × 3 has nine weights for each pair of channels."),
    ({"places": 3}, "a kernel of 3 × 3 has nine weights for each pair of channels, not three."),
]  # fmt: skip
LAYERS = [
    ({}, ""),
    ({"projection": 1}, "projections are counted; with option A the shortcuts have no parameters."),
    ({"projection": 2}, "projections and their batch normalisation are counted; with option A the "
     "shortcuts have no parameters."),
    ({"head": 640}, "the biases of the last layer are missing, one for each of 10 classes."),
    ({"head": 0}, "the last layer is missing: 64 · 10 weights and 10 biases."),
    ({"head": 40_970}, "the last layer gets 64 numbers an image, not 64 · 8 · 8: their means."),
    ({"colours": 1}, "the images have three colours: the first convolution has 3 · 16 · 9."),
    ({"colours": 16}, "the first convolution gets the image's three colours, not 16 channels."),
    ({"stem": 0}, "the first convolution is missing; it stands before the three stages."),
    *STAGES,
]  # fmt: skip


def _parameters(n: int, colours=3, places=9, convolutions=2, stem=1, bias=0, norm=2, stem_norm=1,
                narrow=1, projection=0, head=650) -> int:  # fmt: skip
    """How many parameters the network has (He et al. 2015, section 4.2), or a mistake's count.

    Args:
        n: blocks a stage, of so many `convolutions`.
        colours, places: channels of an image, and weights of a kernel.
        stem, stem_norm: whether the first convolution counts, and its batch normalisation.
        bias, norm, head: numbers a channel, and those of the last layer.
        narrow: how many convolutions of a stage get the channels of the stage before.
        projection: 1 counts 1 × 1 convolutions in the shortcuts, 2 their normalisation, too.
    """
    count = head + stem * 16 * (places * colours + bias) + stem_norm * 16 * norm
    for before, width in ((16, 16), (16, 32), (32, 64)):
        layers = convolutions * n
        first = min(narrow, layers)
        inputs = first * before + (layers - first) * width
        count += width * (places * inputs + layers * (bias + norm))
        if projection and before != width:
            count += width * (before + 2 * (projection - 1))
    return count


check_parameters = Exercise(
    "Exercise 3, parameters",
    _parameters,
    [Case((n,)) for n in (9, 1, 2, 3, 18)],
    combined(lambda one, two: partial(_parameters, **one, **two), NORMALISATIONS, LAYERS),
    result="how many parameters there are, as a number",
    explain=lambda found, right, n: (
        f"for n = {n}, that is {6 * n + 2} layers, you count {found:,}: {abs(found - right):,} too "
        f"{'many' if found > right else 'few'}. Each n adds 97,216, two convolutions and their "
        "batch normalisation in each of three stages."
    ),
    not_finite="a number of parameters is whole.",
    tolerance=0,
    praise=f"right: {_parameters(3):,} with 20 layers, {_parameters(18):,} with 110. The paper "
    "rounds to 0.27 and 1.7 million.",
)  # fmt: skip
