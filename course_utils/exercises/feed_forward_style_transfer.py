"""Checks of the exercises of notebook 01c, feed-forward style transfer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .checking import random_tensor
from .exercise import Case, Exercise


def _normalized(x: Tensor, *dims: int) -> Tensor:
    spread = x.var(dims, correction=0, keepdim=True) + 1e-5
    return (x - x.mean(dims, keepdim=True)) / spread.sqrt()


def _scaled(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    return x * gain[..., None, None] + shift[..., None, None]


def _conditional(x: Tensor, shares: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    return _scaled(F.instance_norm(x), shares @ gain, shares @ shift)


def _activations(images: int, channels: int, height: int, width: int, seed: int) -> Tensor:
    """Channels and images of different means and standard deviations."""
    x = random_tensor(images, channels, height, width, seed=seed)
    scale = torch.linspace(0.5, 3, images * channels).view(images, channels, 1, 1)
    return x * scale + 2 * scale.flip(1) - 1


def _styled(seed: int, shares: Tensor, height: int = 4, width: int = 6) -> tuple[Tensor, ...]:
    x = _activations(len(shares), 2, height, width, seed)
    tables = (random_tensor(shares.shape[1], 2, seed=seed + each) + 1.5 for each in (1, 2))
    return (x, shares, *tables)


ONE_EACH = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
MIXED = torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])

check_conditional_instance_norm = Exercise(
    "Exercise 1, conditional instance normalization",
    _conditional,
    [
        Case(_styled(1, ONE_EACH)),
        Case(_styled(4, MIXED), but="right for one style an image; a mixture takes the mean of the "
             "gains and of the shifts, weighted by the shares: shares @ gain."),
    ],
    [
        (lambda x, s, g, b: F.instance_norm(x), "that is instance normalization without a style: "
         "multiply by the gain of the style and add its shift."),
        (lambda x, s, g, b: _scaled(_normalized(x, 0, 2, 3), s @ g, s @ b), "that is batch "
         "normalization: mean and standard deviation are those of one image, over dim=(2, 3)."),
        (lambda x, s, g, b: _scaled(_normalized(x, 1, 2, 3), s @ g, s @ b), "that is layer "
         "normalization: each channel has a mean and a standard deviation of its own."),
        (lambda x, s, g, b: _scaled(x, s @ g, s @ b), "gain and shift are right, but x is not "
         "normalized first."),
        (lambda x, s, g, b: _scaled(x - x.mean((2, 3), keepdim=True), s @ g, s @ b), "the mean is "
         "taken away; divide by the standard deviation as well."),
        (lambda x, s, g, b: _scaled(F.instance_norm(x), s @ b, s @ g), "gain and shift have "
         "changed places."),
        (lambda x, s, g, b: _scaled(F.instance_norm(x), s @ g, 0 * (s @ b)), "the shift is "
         "missing."),
        (lambda x, s, g, b: _scaled(F.instance_norm(x), g.mean(0)[None], b.mean(0)[None]), "every "
         "image gets the mean of all styles; the shares say which style it gets."),
    ],
    result="activations (N, C, h, w)",
    shapes=lambda x, s, g, b: {
        (len(s), g.shape[1]): "that is the gain or the shift alone: normalize x, then scale it.",
    },
    praise="right: a style is one gain and one shift a channel, and styles mix linearly.",
    tolerance=1e-3,
)  # fmt: skip


def _gram(features: Tensor) -> Tensor:
    flat = features.flatten(2)
    return flat @ flat.mT / flat.shape[2]


def _relative(gram: Tensor, wanted: Tensor) -> Tensor:
    return (gram - wanted).square().sum((1, 2)) / wanted.square().sum((1, 2))


def _batch_style_loss(features: Tensor, targets: Tensor, which: Tensor) -> Tensor:
    return _relative(_gram(features), targets[which]).mean()


def _batch(seed: int, which: list[int], height: int, width: int) -> tuple[Tensor, ...]:
    features = _activations(len(which), 3, height, width, seed)
    targets = _gram(_activations(4, 3, 5, 5, seed + 1)) * torch.arange(1, 5).view(4, 1, 1)
    return features, targets, torch.tensor(which)


check_batch_style_loss = Exercise(
    "Exercise 2, the style loss of a mixed batch",
    _batch_style_loss,
    [
        Case(_batch(1, [2, 0, 3], 4, 6)),
        Case(_batch(5, [1, 1, 3, 0], 3, 3), but="right for three images; for four, two of them in "
             "one style, it is {found:.4g} instead of {right:.4g}."),
    ],
    [
        (lambda f, t, w: _relative(_gram(f), t[: len(f)]).mean(), "image n gets the target of "
         "style n; it should get that of style which[n]: targets[which]."),
        (lambda f, t, w: _relative(_gram(f) * f[0, 0].numel(), t[w]).mean(), "divide the Gram "
         "matrices by the number of positions, h w, as the targets are."),
        (lambda f, t, w: _relative(_gram(f) / f.shape[1], t[w]).mean(), "divide the Gram matrices "
         "by the number of positions alone, not by the channels."),
        (lambda f, t, w: (_gram(f) - t[w]).square().sum((1, 2)).mean(), "divide by the squared "
         "entries of the target, so that all styles count alike."),
        (lambda f, t, w: (_gram(f) - t[w]).square().sum() / t[w].square().sum(), "divide for each "
         "image and then take the mean: here the style with the largest Gram matrix counts most."),
        (lambda f, t, w: _relative(_gram(f), t[w]).sum(), "that is the sum over the images; return "
         "the mean."),
        (lambda f, t, w: _relative(_gram(f).mean(0, keepdim=True), t[w]).mean(), "the Gram matrix "
         "is that of each image; averaged over a batch of several styles it describes none."),
        (lambda f, t, w: _relative(_gram(f)[:, None].flatten(0, 1).repeat_interleave(len(t), 0),
         t.repeat(len(f), 1, 1)).mean(), "that compares every image with every style."),
    ],
    result="the style loss, one number",
    shapes=lambda f, t, w: {(len(f),): "that is one number an image; return their mean."},
    praise="right: one batch trains several styles, each image against its own painting.",
)  # fmt: skip
