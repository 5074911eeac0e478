"""Checks of the exercises of lesson 02b, uses of autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor

from .checking import random_tensor
from .exercise import Case, Exercise, combined


def _hits(found: Tensor, wanted: Tensor) -> Tensor:
    return (found == wanted[:, None]).float()


check_precision = Exercise(
    "Exercise 1, precision at k",
    lambda found, wanted, k: _hits(found, wanted)[:, :k].mean(1),
    [
        Case(((3 * random_tensor(6, 8, seed=k).sigmoid()).long(), torch.arange(6) % 3, k))
        for k in (4, 3, 8)
    ],
    [
        (lambda f, w, k: _hits(f, w)[:, :k].sum(1), "that is a count, to be divided by k."),
        (lambda f, w, k: _hits(f, w).mean(1), "all are counted; cut off after k: found[:, :k]."),
        (lambda f, w, k: _hits(f, w)[:, :k].sum(1) / f.shape[1], "the hits among the first k are "
         "divided by the number of all found; divide by k."),
        (lambda f, w, k: _hits(f, w).sum(1) / k, "all hits are divided by k; count only those "
         "among the first k."),
        (lambda f, w, k: _hits(f, w)[:, -k:].mean(1), "those are the last k; the best are first."),
        (lambda f, w, k: 1 - _hits(f, w)[:, :k].mean(1), "that is the share of misses."),
        (lambda f, w, k: _hits(f, w)[:, : k - 1].mean(1), "that is k - 1; found[:, :k] holds k."),
    ],
    result="one share a query, averaged over dim=1",
    shapes=lambda found, wanted, k: {
        (): "that is one number for all searches; keep one for each query (dim=1).",
        (len(wanted), k): "those are the hits, true or false, in the shape (Q, k); turn them to "
        "floats and average over k.",
    },
    explain=lambda result, right, found, wanted, k: f"for a query with label {wanted[0]} and "
    f"{found[0].tolist()} found, the first {k} give {right[0]:.3f}, and yours is {result[0]:.3f}.",
    praise="right: of the first k, the share that was wanted.",
)  # fmt: skip

check_hamming = Exercise(
    "Exercise 2, Hamming distance",
    lambda asked, stored: (asked[:, None] ^ stored).sum(2),
    [
        Case((random_tensor(4, bits, seed=1) > -0.25, random_tensor(5, bits, seed=2) > 0.25))
        for bits in (12, 7)
    ],
    [
        (lambda a, s: (a[:, None] == s).sum(2), "those agree; count the bits that differ (^)."),
        (lambda a, s: (a[:, None] ^ s).float().mean(2), "that is the share of bits; sum them."),
        (lambda a, s: (a[:, None] ^ s).any(2), "true or false is no distance; count the bits."),
        (lambda a, s: (a[:, None] & s).sum(2), "those are on in both (&); take ^ instead."),
        (lambda a, s: (a[:, None] | s).sum(2), "those are on in either (|); take ^ instead."),
        (lambda a, s: (a[:, None] ^ s).sum(2).sqrt(), "that is the Euclidean distance, a root."),
        (lambda a, s: (a[:, None] & ~s).sum(2), "that counts bits that are on in the query only; "
         "a bit may differ both ways."),
    ],
    result="every query with every stored code; asked[:, None] makes room for them",
    shapes=lambda asked, stored: {
        (len(asked), *stored.shape): "that compares every bit; now count over the bits, .sum(2).",
        (len(stored), len(asked)): "turned round: one row a query, one column a stored code.",
    },
    explain=lambda found, right, asked, stored: f"two codes that differ in {right[0, 0]} of "
    f"{asked.shape[1]} bits get {found[0, 0]:.3g}; ^ is true where two booleans differ.",
    praise="right: 0 for equal codes, and every bit counts once.",
)  # fmt: skip


def _images(seed: int) -> tuple[Tensor, Tensor]:
    """Restored images and the truth (4, 3, 6, 5), each further off than the one before it."""
    truth, noise = random_tensor(2, 4, 3, 6, 5, seed=seed)
    strength = torch.linspace(0.05, 0.3, 4)[:, None, None, None]
    return truth.sigmoid() + strength * noise, truth.sigmoid()


def _total(error: Tensor, where: Tensor) -> Tensor:
    return (error * where).flatten(1).sum(1)


def _mean_over(error: Tensor, where: Tensor) -> Tensor:
    """Over the pixels of each image, and their colours, where a mask (N, 1, H, W) is true."""
    return _total(error, where) / _total(torch.ones_like(error), where)


HOLES = torch.arange(30).view(1, 1, 6, 5) < torch.tensor([4, 9, 2, 13])[:, None, None, None]

check_hole_loss = Exercise(
    "Exercise 3, only the hole",
    lambda restored, truth, hole: _mean_over((restored - truth).square(), hole),
    [Case((*_images(3), HOLES)), Case((*_images(4), HOLES.flip(0)))],
    combined(
        lambda size, mean: lambda x, t, hole: mean(size(x - t), hole),
        [(torch.square, ""), (torch.abs, "that is the absolute error; square it.")],
        [
            (_mean_over, ""),
            (lambda error, hole: error.flatten(1).mean(1), "that is the error of the whole image; "
             "multiply it by the hole first."),
            (lambda error, hole: (error * hole).flatten(1).mean(1), "the error in the hole is "
             "divided by all pixels; divide by those of the hole."),
            (lambda error, hole: _total(error, hole) / hole.flatten(1).sum(1), "divided by the "
             "hole's pixels, but each has several colours: hole.expand_as(truth)."),
            (_total, "the errors are summed; divide by the number of values in the hole."),
            (lambda error, hole: _mean_over(error, ~hole), "that is the error outside the hole; "
             "the mask is turned round."),
            (lambda error, hole: _total(error, hole) / (hole.sum() * error.shape[1]), "every image "
             "is divided by the size of all holes together; each has its own."),
        ],
    ),
    result="one loss an image",
    shapes=lambda *given: {(): "that is one number for the whole batch; keep one for each image."},
    slopes="keep .detach and .item out of the loss.",
    explain=lambda found, right, *given: "the squared errors in the first hole average "
    f"{right[0]:.4f}, and yours is {found[0]:.4f}.",
    praise="right: the hole, the whole hole, and nothing but the hole.",
)  # fmt: skip
