"""Answers to the exercises of notebook 08b, diffusion in depth."""

import torch.nn.functional as F

from course_utils.models import laplacian_pyramid


def level(images):
    coarse = F.avg_pool2d(images, 2)
    return coarse, images - F.interpolate(coarse, scale_factor=2, mode="bilinear")


def level_of_the_package(images):
    details, coarse = laplacian_pyramid.laplacian_pyramid(images, 1)
    return coarse, details


def level_by_reshaping(images):
    n, c, h, w = images.shape
    coarse = images.view(n, c, h // 2, 2, w // 2, 2).mean((3, 5))
    return [coarse, images - laplacian_pyramid.enlarged(coarse)]


def like(sigma, x):
    return sigma.view(-1, *[1] * (x.dim() - 1))


def target(x, end, sigma, lower):
    ratio = like(lower / sigma, x)
    return (end - ratio * x) / (1 - ratio)


def target_by_noise(x, end, sigma, lower):
    noise = (x - end) / like(sigma - lower, x)
    return x - like(sigma, x) * noise


RIGHT = {
    "level": [level_of_the_package, level_by_reshaping, lambda x: level(x.double())],
    "target": [target_by_noise, lambda *given: target(*given).double()],
}
WRONG = {
    "level": [
        (lambda x: level(x)[::-1], "the coarse images come first"),
        (lambda x: level(x)[1], "return two tensors"),
        (lambda x: (level(x)[0], 0), "the details are a tensor (N, C, H, W); this is int"),
        (lambda x: (level(x)[0] + 0.1, level(x)[1]), "the coarse images of images (2, 1, 8, 8)"),
        (lambda x: (level(x)[0], level(x)[1] * 2), "the details of images (2, 1, 8, 8) differ"),
        (lambda x: level(x[:, :1].expand_as(x)), "not for images of three colours"),
    ],
    "target": [
        (lambda x, e, s, w: e - x, "x̂₀ for each example"),
        (lambda x, e, s, w: (e - w / s * x) / (1 - w / s), "add some of length 1"),
        (
            lambda x, e, s, w: target(x, e, s, w) if w.any() else 0 * x,
            "not for the last step",
        ),
        (lambda x, e, s, w: target(x, e, s, w) / (w / w)[:, None], "for the last step"),
        (
            lambda x, e, s, w: (e - (w / s)[:, None] * x) / (1 - (w / s)[:, None]),
            "add some of length 1",
        ),
        (lambda x, e, s, w: s, "not one number an example"),
        (lambda x, e, s, w: target(x, e, s, w).tolist(), "return a tensor; this is list"),
    ],
}
