"""The exercises of notebook 07b, residual networks in depth."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from .checking import Wrong, as_number
from .exercise import Case, Exercise, combined
from .resnet import STAGES

# 1. Paths

SHARES = [
    (lambda n, k: 2.0**-k, ""),
    (lambda n, k: (n - k) / n, "that is the share of the *blocks* that are left. A path is lost if "
     "it goes through a deleted block, and half of all paths do, for each block."),
    (lambda n, k: k / n, "that is the share of the blocks that are gone; count the paths left."),
    (lambda n, k: 1 - 2.0**-k, "that is the share of the paths that are lost."),
    (lambda n, k: 2.0 ** (n - k), "that is how many paths are left; their share is out of 2^n."),
    (lambda n, k: 2.0**n - 2.0 ** (n - k), "that is how many paths are lost; what share is left?"),
    (lambda n, k: 2.0**k, "the share is upside down: out of 2^n paths 2^(n - deleted) are left."),
    (lambda n, k: 2.0 ** (k - n), "that is one path out of those that are left, not out of 2^n."),
    (lambda n, k: 0.5 if k else 1.0, "each deleted block halves what is left, not only the first."),
    (lambda n, k: 0.0 if k else 1.0, "that is a plain network, with one path through all blocks."),
    (lambda n, k: 1 / (k + 1), "every deleted block halves what is left: ½, ¼, ⅛."),
    (lambda n, k: 1 - k / 2, "half of what is *left* is lost each time, not half of all: ½, ¼, ⅛."),
    (lambda n, k: (n - k) / 2**n, "the paths left are not n - deleted: each block doubles them."),
]  # fmt: skip
LENGTHS = [
    (lambda n, k: (n - k) / 2, ""),
    (lambda n, k: n / 2, "that is the mean length in the whole network, deleted blocks included."),
    (lambda n, k: n - k, "that is the longest path, through all blocks that are there; half of the "
     "paths go around each of them. (Or you count convolutions: asked are blocks.)"),
    (lambda n, k: n, "that is the longest path of the whole network."),
    (lambda n, k: n / 2 - k, "each deleted block takes ½ from the mean length, not 1."),
    (lambda n, k: (n - k + 1) / 2, "that forgets the path around all blocks, of length 0."),
    (lambda n, k: (n - k) / 2 * 2.0**-k, "the sum is divided by all 2^n paths, not by those left."),
    (lambda n, k: n / 2 * 2.0**-k, "the share says how many are left, not how long they are."),
    (lambda n, k: (n - k) / 2 * 2.0 ** (n - k), "that is the sum of the lengths; take their mean."),
    (lambda n, k: k / 2, "that is how many deleted blocks a path had; count those that are left."),
    (lambda n, k: 0.0 if k else n, "that is a plain network, with one path through all blocks."),
]  # fmt: skip
NAMES = ("the share", "the mean length")


def _two_numbers(found: Any) -> Tensor:
    if isinstance(found, Tensor) and found.shape == (2,):
        return found
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two numbers: the share of the paths left, and their mean length.")
    numbers = [as_number(one, f"{name}: return one number") for one, name in zip(found, NAMES)]
    return torch.tensor([float(number) for number in numbers], dtype=torch.double)


def _paths(share=SHARES[0][0], length=LENGTHS[0][0]):
    return lambda blocks, deleted: torch.tensor([share(blocks, deleted), length(blocks, deleted)])


def _say_paths(found: Tensor, right: Tensor, blocks: int, deleted: int) -> str:
    wrong = int(abs(found[0] - right[0]) < 1e-5)
    return (
        f"for {blocks} blocks, of which {deleted} are deleted, you say {found[wrong]:.6g} for "
        f"{NAMES[wrong]}; think of each block as a switch, through or around."
    )


check_paths = Exercise(
    "Exercise 1, paths",
    _paths(),
    [  # small enough for an answer that walks along every path
        *(Case(given) for given in ((10, 3), (9, 4), (6, 1))),
        Case((5, 0), "right so far, but not where no block is deleted: all paths are left."),
        Case((12, 12), "right so far, but not where all 12 blocks are deleted: one of 2^12 paths "
             "is left, of length 0."),
    ],
    [
        *combined(_paths, SHARES, [(one, hint and f"the length: {hint}") for one, hint in LENGTHS]),
        (lambda *given: _paths()(*given).flip(0), "both are right, and in the wrong order: first "
         "the share, then the length."),
    ],
    result="the share of the paths that is left, and their mean length",
    read=_two_numbers,
    explain=_say_paths,
    tolerance=1e-5,
    praise="right: each block that is deleted halves the paths, and shortens their mean by ½.",
)  # fmt: skip

# 2. Multiply-adds

PIXELS = [
    ({}, ""),
    ({"uses": 2}, "multiplications and additions are counted apart; one of each is one "
     "multiply-add."),
    ({"shrink": 1}, "all stages are counted on 32 × 32 pixels; the second has 16 × 16, the third "
     "8 × 8."),
    ({"shrink": 2}, "half the side is a quarter of the pixels: 1,024, 256 and 64."),
    ({"early": 4}, "the convolutions with stride 2 are counted at the pixels of their input; each "
     "weight is used once for every pixel of the *output*."),
    ({"side": 1, "shrink": 1}, "those are the weights; each is used once for every pixel that "
     "comes out."),
    ({"side": 224}, "the images have 32 × 32 pixels."),
]  # fmt: skip
LAYERS = [
    ({}, ""),
    ({"head": 0}, "the last layer is missing, 64 · 10."),
    ({"head": 650}, "the biases of the last layer are additions alone and do not count."),
    ({"head": 40_960}, "the last layer gets 64 means, not 64 · 8 · 8 pixels."),
    ({"stem": 0}, "the first convolution is missing; it stands before the three stages."),
    ({"colours": 1}, "the images have three colours: 3 · 16 · 9 weights in the first "
     "convolution."),
    ({"colours": 16}, "the first convolution gets the image's three colours, not 16 channels."),
    ({"projection": 1}, "projections are counted; with option A the shortcuts have no weights."),
    *STAGES,
]  # fmt: skip


def _work(n: int, uses=1, side=32, shrink=4, early=1, colours=3, places=9, convolutions=2, stem=1,
          narrow=1, projection=0, head=640) -> int:  # fmt: skip
    """Multiply-adds of an image (He et al. 2015, section 4.2), or a mistake's count.

    Args:
        n: blocks a stage, of so many `convolutions`.
        uses: how often a multiply-add counts.
        side, shrink: pixels a side, and by what their number is divided from stage to stage.
        early: by what the pixels of a convolution with stride 2 are multiplied.
        colours, places: channels of an image, and weights of a kernel.
        stem, head: whether the first convolution counts, and what the last layer adds.
        narrow: how many convolutions of a stage get the channels of the stage before.
        projection: whether 1 × 1 convolutions in the shortcuts count.
    """
    pixels, count = side * side, head
    count += stem * pixels * 16 * places * colours
    for before, width in ((16, 16), (16, 32), (32, 64)):
        pixels //= 1 if before == width else shrink
        layers = convolutions * n
        first = min(narrow, layers)
        inputs = first * before + (layers - first) * width
        if before != width:
            inputs += (early - 1) * (before if narrow else width)
            count += projection * pixels * before * width
        count += pixels * places * inputs * width
    return uses * count


check_multiply_adds = Exercise(
    "Exercise 2, multiply-adds",
    _work,
    [Case((n,)) for n in (7, 1, 2, 3, 18)],
    combined(lambda one, two: partial(_work, **one, **two), PIXELS, LAYERS),
    result="how many multiply-adds there are, as a number",
    explain=lambda found, right, n: (
        f"for n = {n}, that is {6 * n + 2} layers, you count {found:,}: {abs(found - right):,} too "
        f"{'many' if found > right else 'few'}. Each n adds 14,155,776, two convolutions of "
        "4,718,592 altogether in each of three stages."
    ),
    not_finite="a number of multiply-adds is whole.",
    tolerance=0,
    praise=f"right: {_work(3):,} with 20 layers, {_work(18):,} with 110.",
)  # fmt: skip
