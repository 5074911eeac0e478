"""Answers to the exercises of notebook 07, residual networks."""

import math

import torch
import torch.nn.functional as F

from course_utils import models


def backward(gradient, jacobians):
    for jacobian in jacobians.flip(0):
        gradient = gradient + gradient @ jacobian
    return gradient


def backward_by_product(gradient, jacobians):
    """The Jacobian of the whole chain first, in double precision."""
    whole = torch.eye(len(gradient)).double()
    for jacobian in jacobians.double():
        whole = whole + jacobian @ whole
    return gradient.double() @ whole


def backward_by_autograd(gradient, jacobians):
    x = start = torch.zeros_like(gradient, requires_grad=True)
    for jacobian in jacobians:
        x = x + jacobian @ x
    return torch.autograd.grad(x, start, gradient)[0]


def behind(x, channels):
    return F.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))


def shortcut(x, channels):
    return behind(x[..., ::2, ::2], channels)


def shortcut_into_zeros(x, channels):
    n, c, height, width = x.shape
    y = torch.zeros(n, channels, math.ceil(height / 2), math.ceil(width / 2), dtype=torch.double)
    y[:, :c] = x[..., ::2, ::2]
    return y


def parameters(n):
    return 97_216 * n - 21_926


def size(n, **options):
    return sum(one.numel() for one in models.cifar_resnet(6 * n + 2, **options).parameters())


RIGHT = {
    "backward": [backward_by_product, backward_by_autograd],
    "shortcut": [
        shortcut_into_zeros,
        lambda x, c: F.conv2d(x, torch.eye(c, x.shape[1])[..., None, None], stride=2),
        lambda x, c: models.resnet.ZeroPadding(c - x.shape[1], 2)(x),
    ],
    "parameters": [
        size,
        lambda n: torch.tensor(parameters(n)),
        lambda n: float(parameters(n)),
    ],
}
WRONG = {
    "backward": [
        (lambda g, j: backward(g, j) + (len(j) - 1) * g, "is the gradient that the block before"),
        (lambda g, j: backward(g, 2 * j), "the result has length 1.962 and should have 1.105"),
        (lambda g, j: backward(g, j.mul_(2)), "changes `jacobians` itself"),
        (lambda g, j: backward(g.mul_(2), j), "changes `gradient` itself"),
        (lambda g, j: g @ (torch.eye(len(j)) + j[0]), "not that of the number of blocks"),
        (lambda g, j: g + g @ j, "what a block gives goes on to the next"),
        (lambda g, j: backward(g, j)[None], "one number for each x_j"),
    ],
    "shortcut": [
        (lambda x, c: behind(F.avg_pool2d(x, 2, ceil_mode=True), c), "four pixels are averaged"),
        (lambda x, c: F.conv2d(x, torch.ones(c, x.shape[1], 1, 1), stride=2), "has no parameters"),
        (lambda x, c: behind(x[..., 1::2, ::2], c), "which is x["),
        (lambda x, c: shortcut(x, c) + 0.5 * (torch.arange(c) == c - 1)[:, None, None], "in all"),
        (lambda x, c: shortcut(x * (1 + x.shape[2] % 2), c), "but for odd ones: in image"),
        (lambda x, c: shortcut(x[..., : x.shape[3] // 2 * 2], c), "should have (2, 6, 4, 3)"),
        (lambda x, c: shortcut(x[..., :-1, :-1], c), "but for odd ones: of 7 rows keep four"),
        (lambda x, c: shortcut(x, c) if c > x.shape[1] else F.avg_pool2d(x, 2), "as before: four"),
        (behind, "keep every second pixel only"),
        (lambda x, c: x[..., ::2, ::2], "the new channels are missing; there should be 8"),
        (lambda x, c: shortcut(x, c + x.shape[1]), "so add channels - C"),
        (lambda x, c: F.pad(x[..., ::2, ::2], (0, c - x.shape[1])), "from the last dimension"),
        (lambda x, c: shortcut(x, c)[0], "(N, channels, H/2, W/2)"),
        (lambda x, c: torch.cat([x[..., ::2, ::2], x], 1), "stand beside the halved image"),
        (lambda x, c: shortcut(x.mul_(2), c), "changes `x` itself"),
        (torch.no_grad()(shortcut), "no gradient can flow back"),
        (lambda x, c: torch.cat([shortcut(x[:1], c), shortcut(x[1:].detach(), c)]), "each pixel"),
        (lambda x, c: shortcut(torch.from_numpy(x.numpy()), c), "numpy knows no gradients"),
    ],
    "parameters": [
        (lambda n: size(n, project=True), "projections and their batch normalisation"),
        (lambda n: size(n, normalise=False), "and you count one"),
        (lambda n: parameters(n) - 7, "you count 853,011: 7 too few"),
        (lambda n: parameters(n) + 0.5, "0.5 too many"),
        (lambda n: 97_216 * n**2 - 21_926, "Each n adds 97,216"),
        (lambda n: math.nan, "a number of parameters is whole"),
        (lambda n: f"{parameters(n)}", "as a number; this is str"),
    ],
}
