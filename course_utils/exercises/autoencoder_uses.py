"""Checks of the exercises of notebook 02b, what autoencoders are good for."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import metrics
from ..metrics import retrieval
from .checking import (
    Wrong,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
)


def check_precision(answer) -> None:
    """Exercise 1: `precision_at_k(found, wanted, k) -> (Q,)`."""
    check("Exercise 1, precision at k", answer, _examine_precision)


def _searches(seed: int, queries: int = 6, found: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    wanted = torch.arange(queries) % 3
    return torch.randint(0, 3, (queries, found), generator=generator), wanted


def _examine_precision(answer) -> str:
    for seed, k in ((1, 4), (2, 3), (3, 8)):
        found, wanted = _searches(seed)
        _compare_precision(answer, found, wanted, k)
    return "right: of the first k, the share that was wanted."


def _compare_precision(answer, found: Tensor, wanted: Tensor, k: int) -> None:
    hits = found == wanted[:, None]
    right = retrieval.precision_at(hits, k)
    result = ask(answer, found, wanted, k)
    if isinstance(result, (bool, int, float)) or isinstance(result, Tensor) and result.dim() == 0:
        raise Wrong("that is one number for all searches; keep one for each query (dim=1).")
    if isinstance(result, Tensor) and result.dtype == torch.bool:
        raise Wrong("those are the hits, true or false; turn them to floats and average over k.")
    if isinstance(result, Tensor) and not result.is_floating_point():
        if near(result, hits[:, :k].sum(1)):
            raise Wrong("that counts the hits; a share is the count divided by k.")
        result = result.float()
    share = ask_tensor(
        lambda: result, shape=(len(wanted),), meaning="one share a query, averaged over dim=1"
    )
    if near(share, right):
        return
    count, hits_among_k = found.shape[1], hits[:, :k].sum(1)
    all_counted = "all that was found is counted; cut off after the first k: found[:, :k]."
    mistakes = {
        "that counts the hits; a share is the count divided by k.": hits_among_k,
        all_counted: hits.float().mean(1),
        f"the hits among the first k are divided by all {count} found; divide by k.": hits_among_k
        / count,
        "all hits are divided by k; count only those among the first k.": hits.sum(1) / k,
        "those are the last k; the best are the first.": hits[:, -k:].float().mean(1),
        "that is the share of misses; what is wanted has the query's own label.": 1 - right,
        "that is k - 1 images; found[:, :k] holds k.": hits[:, : k - 1].float().mean(1),
    }
    raise Wrong(
        explanation(share, mistakes.items())
        or f"for a query with label {wanted[0]} and {found[0].tolist()} found, the first {k} give "
        f"{right[0]:.3f}, and yours is {share[0]:.3f}."
    )


def check_hamming(answer) -> None:
    """Exercise 2: `hamming(asked, stored) -> (Q, N)` from booleans."""
    check("Exercise 2, Hamming distance", answer, _examine_hamming)


def _examine_hamming(answer) -> str:
    for seed, bits in ((1, 12), (2, 7)):
        generator = torch.Generator().manual_seed(seed)
        asked = torch.rand(4, bits, generator=generator) < 0.6
        stored = torch.rand(5, bits, generator=generator) < 0.4
        _compare_hamming(answer, asked, stored)
    return "right: 0 for equal codes, and every bit counts once."


def _compare_hamming(answer, asked: Tensor, stored: Tensor) -> None:
    bits = asked.shape[1]
    right = retrieval.hamming(asked, stored)
    result = ask(answer, asked, stored)
    if isinstance(result, Tensor) and result.shape == (len(asked), len(stored), bits):
        raise Wrong("that compares every bit; now count over the bits, .sum(dim=2).")
    if isinstance(result, Tensor) and result.shape == (len(stored), len(asked)):
        raise Wrong("turned round: one row a query, one column a stored code.")
    if isinstance(result, Tensor) and result.dtype == torch.bool:
        raise Wrong("true or false is no distance; count the bits that differ with .sum(dim=2).")
    if isinstance(result, Tensor) and not result.is_floating_point():
        result = result.float()
    distance = ask_tensor(
        lambda: result,
        shape=(len(asked), len(stored)),
        meaning="every query with every stored code; asked[:, None] makes room for them",
    )
    if near(distance, right):
        return
    both = asked.float() @ stored.float().T
    either = (asked[:, None] | stored).sum(2)
    mistakes = {
        "that counts the bits that agree; the distance counts those that differ (^).": bits - right,
        "that is the share of bits; the distance is a count: sum, not mean.": right / bits,
        "that counts bits that are on in both (&); those that differ are asked for (^).": both,
        "that counts bits that are on in either (|); where both are on they agree (^).": either,
        "that is the Euclidean distance, the root of the count.": right.sqrt(),
        "that counts bits that are on in the query only; a bit may differ both ways.": asked.sum(1)[
            :, None
        ]
        - both,
    }
    raise Wrong(
        explanation(distance, mistakes.items())
        or f"two codes that differ in {int(right[0, 0])} of {bits} bits get {distance[0, 0]:.3g}; "
        "^ is true where two booleans differ."
    )


def check_psnr(answer) -> None:
    """Exercise 3: `psnr(restored, truth) -> (N,)` in dB."""
    check("Exercise 3, decibels", answer, _examine_psnr)


def _images(seed: int, count: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(count, 3, 6, 5, generator=generator)
    strength = torch.linspace(0.05, 0.3, count)[:, None, None, None]
    return truth + strength * torch.randn(truth.shape, generator=generator), truth


def _examine_psnr(answer) -> str:
    for seed in (1, 2):
        _compare_psnr(answer, *_images(seed))
    return "right: 10 dB for every tenth of the error."


def _compare_psnr(answer, restored: Tensor, truth: Tensor) -> None:
    right = metrics.psnr(restored, truth)
    result = ask(answer, restored, truth)
    if isinstance(result, float) or isinstance(result, Tensor) and result.dim() == 0:
        raise Wrong("that is one number for the whole batch; average over each image alone.")
    decibels = ask_tensor(lambda: result, shape=(len(truth),), meaning="one number an image")
    if near(decibels, right):
        return
    squared = (restored - truth).square().flatten(1)
    mistakes = {
        "the sign is turned round: small errors must give many decibels.": -right,
        "that is the natural logarithm; decibels take log10.": -10 * squared.mean(1).log(),
        "the errors are summed; the mean does not depend on the size of the image.": -10
        * squared.sum(1).log10(),
        "twice too large: the factor 20 belongs to the root of the error.": 2 * right,
        "half of it: either take no root of the error, or 20 for the factor.": right / 2,
        "a bel too coarse: 10 times the logarithm.": right / 10,
        "that is the absolute error; square it.": -10
        * (restored - truth).abs().flatten(1).mean(1).log10(),
        "that is the error itself; now take -10 log10 of it.": squared.mean(1),
    }
    raise Wrong(
        explanation(decibels, mistakes.items())
        or f"a mean squared error of {squared.mean(1)[0]:.4f} is {right[0]:.2f} dB, "
        f"and yours is {decibels[0]:.2f}."
    )


def check_hole_loss(answer) -> None:
    """Exercise 4: `hole_loss(restored, truth, hole) -> (N,)`, differentiable."""
    check("Exercise 4, only the hole", answer, _examine_hole_loss)


def _holes(truth: Tensor) -> Tensor:
    """One hole an image, each of another size."""
    holes = torch.zeros_like(truth[:, :1], dtype=torch.bool)
    for number in range(len(truth)):
        holes[number, :, 1 : 3 + number % 3, 1:4] = True
    return holes


def _examine_hole_loss(answer) -> str:
    for seed in (3, 4):
        restored, truth = _images(seed)
        _compare_hole_loss(answer, restored, truth, _holes(truth))
    restored, truth = _images(5)
    restored.requires_grad_()
    loss = ask(answer, restored, truth, _holes(truth))
    if not loss.requires_grad:
        raise Wrong("no gradient can flow back from the loss; keep .detach and .item out of it.")
    return "right: the hole, the whole hole, and nothing but the hole."


def _compare_hole_loss(answer, restored: Tensor, truth: Tensor, hole: Tensor) -> None:
    squared = (restored - truth).square()
    pixels = hole.flatten(1).sum(1)
    total = (squared * hole).flatten(1).sum(1)
    colours, size = truth.shape[1], truth[0].numel()
    right = total / (pixels * colours)
    result = ask(answer, restored, truth, hole)
    if isinstance(result, float) or isinstance(result, Tensor) and result.dim() == 0:
        raise Wrong("that is one number for the whole batch; keep one for each image.")
    loss = ask_tensor(lambda: result, shape=(len(truth),), meaning="one loss an image")
    if near(loss, right):
        return
    outside = (squared * ~hole).flatten(1).sum(1)
    mistakes = {
        "that is the error of the whole image; multiply it by the hole first.": squared.flatten(
            1
        ).mean(1),
        "the error in the hole is divided by all pixels; divide by those of the hole.": total
        / size,
        "divided by the hole's pixels, but each has several colours: hole.expand_as(truth).": total
        / pixels,
        "the errors are summed; divide by the number of values in the hole.": total,
        "that is the error outside the hole; the mask is turned round.": outside
        / (size - pixels * colours),
        "every image is divided by the size of all holes together; each has its own.": total
        / (pixels.sum() * colours),
        "that is the absolute error; square it.": ((restored - truth).abs() * hole)
        .flatten(1)
        .sum(1)
        / (pixels * colours),
    }
    raise Wrong(
        explanation(loss, mistakes.items())
        or f"the squared errors in the first hole average {right[0]:.4f}, and yours is "
        f"{loss[0]:.4f}."
    )
