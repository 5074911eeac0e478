"""Answers to the exercises of lesson 01, style transfer."""

import torch
import torch.nn.functional as F

from course_utils import losses

POSITIONS = (2, 3)


def restyled(content, style):
    mean, wanted_mean = (maps.mean(POSITIONS, keepdim=True) for maps in (content, style))
    std, wanted_std = (maps.std(POSITIONS, keepdim=True) for maps in (content, style))
    return (content - mean) / (std + 1e-6) * wanted_std + wanted_mean


def restyled_by_normalisation(content, style):
    n, c = content.shape[:2]
    flat = style.flatten(2)
    mean, std = flat.mean(2), flat.var(2, correction=0).sqrt()
    return F.instance_norm(content) * std.reshape(n, c, 1, 1) + mean.reshape(n, c, 1, 1)


def shifted_gram(features, down, across):
    h, w = features.shape[2:]
    here = features[:, :, : h - down, : w - across].flatten(2)
    return here @ features[:, :, down:, across:].flatten(2).mT / here.shape[2]


def gram_by_roll(features, down, across):
    """All pairs, those that wrap around left out by a mask."""
    there = features.roll((-down, -across), (2, 3))
    inside = torch.ones_like(features[:1, :1])
    inside[:, :, inside.shape[2] - down :] = 0
    inside[:, :, :, inside.shape[3] - across :] = 0
    return (features * inside).flatten(2) @ there.flatten(2).mT / inside.sum()


def with_negative_slices(features, down, across):
    here = features[:, :, :-down, :-across].flatten(2)
    return here @ features[:, :, down:, across:].flatten(2).mT / here.shape[2]


def style_gradient(features, wanted):
    positions = features.shape[1]
    return 4 / positions * (features @ features.T / positions - wanted) @ features


def gradient_by_convolution(features, wanted):
    positions = features.shape[1]
    kernel = 4 / positions * (features @ features.T / positions - wanted)
    return F.conv1d(features[None], kernel[..., None])[0]


def gradient_by_autograd(features, wanted):
    features = features.clone().requires_grad_()
    loss = (features @ features.T / features.shape[1] - wanted).square().sum()
    return torch.autograd.grad(loss, features)[0]


RIGHT = {
    "restyled": [
        restyled_by_normalisation,
        lambda c, s: restyled(c.double(), s.double()),
    ],
    "shifted_gram": [gram_by_roll],
    "style_gradient": [
        gradient_by_convolution,
        lambda f, a: style_gradient(f.double(), a.double()),
    ],
}
WRONG = {
    "restyled": [
        (lambda c, s: F.instance_norm(c), "mean 0 and standard deviation 1"),
        (
            lambda c, s: restyled(c, s) + 0 / c.std(POSITIONS, keepdim=True),
            "right, but not for a channel that is 0 everywhere",
        ),
        (lambda c, s: restyled(c, s) * c.any(3, keepdim=True).any(2, keepdim=True), "is 0 every"),
        (lambda c, s: restyled(c.sub_(c.mean(POSITIONS, keepdim=True)), s), "changes `content`"),
        (lambda c, s: restyled(s, c), "the positions are those of the content"),
        (lambda c, s: (c - c.mean(2, keepdim=True)) / s, "have shape (N, C, 1, 1)"),
        (lambda c, s: restyled(c, s).flip(3), "is not where it was"),
        (lambda c, s: restyled(c, s) + 1, "has the mean"),
        (lambda c, s: restyled(c, s + 2 * s.mean(POSITIONS, keepdim=True)), "has the mean"),
        (lambda c, s: restyled(c, 2 * s - s.mean(POSITIONS, keepdim=True)), "has the standard"),
    ],
    "shifted_gram": [
        (lambda f, d, a: losses.gram_matrix(f), "without a shift"),
        (lambda f, d, a: shifted_gram(f, d, a).mean(0), "one matrix for the whole batch"),
        (lambda f, d, a: shifted_gram(f.flatten(0, 1)[None], d, a)[0], "one matrix for the whole"),
        (with_negative_slices, "not for down = 0"),
        (lambda f, d, a: shifted_gram(f, max(1, d), max(1, a)), "not for down = 0"),
        (lambda f, d, a: shifted_gram(f, d, a or 1), "not for across = 0"),
        (lambda f, d, a: shifted_gram(f, d, a) * (1 if d or a else 2), "down = 0 and across = 0"),
        (lambda f, d, a: f.flatten(2).mT @ f.flatten(2), "is positions by positions"),
        (lambda f, d, a: f[:, :, d:] * f[:, :, :, a:], "the two factors need the same positions"),
        (lambda f, d, a: f @ f, "(N, C, pairs) @ (N, pairs, C)"),
        (lambda f, d, a: f[..., a:].view(2, 3, -1), "use reshape or flatten(2)"),
        (lambda f, d, a: shifted_gram(f, d, a).sqrt(), "entry (0, 1) says"),
        (lambda f, d, a: shifted_gram(f, d, a)[:, :2], "channels by channels, for each image"),
        (lambda f, d, a: shifted_gram(f.div_(3), d, a), "changes `features` itself"),
    ],
    "style_gradient": [
        (lambda f, a: style_gradient(f, a).T, "that is (M, C), the transpose"),
        (lambda f, a: 2 * (f @ f.T / f.shape[1] - a), "that is the slope by G"),
        (gradient_by_autograd, "autograd is switched off here"),
        (lambda f, a: f @ (f @ f.T - a), "so (G - A) @ F fits"),
        (lambda f, a: f @ f.T - f, "G and A are (C, C)"),
        (lambda f, a: style_gradient(f, a) + f, "grows by 0.0001"),
        (lambda f, a: f.mul_(2), "changes `features` itself"),
        (lambda f, a: style_gradient(f, a).sum(), "a slope for each activation"),
    ],
}
