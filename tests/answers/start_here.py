"""Answers to the exercises of lesson 00."""

import torch
from torch.nn.functional import conv1d, pad


def posterior(density, priors):
    joint = density * priors
    return joint / joint.sum(dim=1, keepdim=True)


def posterior_in_place(density, priors):
    density *= priors
    return density / density.sum(1, keepdim=True)


def by_images(kernel, d, s):
    return conv1d(torch.eye(d)[:, None], kernel[None, None], stride=s)[:, 0].T


def with_rows(rows):
    def matrix(kernel, d, s):
        matrix = torch.zeros(rows(d, len(kernel), s), d)
        for row in range(len(matrix)):
            matrix[row, row * s : row * s + len(kernel)] = kernel
        return matrix

    return matrix


def field(layers):
    seen = 1
    for f, s in reversed(layers):
        seen = (seen - 1) * s + f
    return seen


def field_by_gradient(layers):
    """How many pixels of a long line have a gradient from one output."""
    y = x = torch.zeros(1, 1, 400, requires_grad=True)
    for f, s in layers:
        y = conv1d(y, torch.ones(1, 1, f), stride=s)
    return (torch.autograd.grad(y[0, 0, 0], x)[0] != 0).sum()


SAID = {((3, 1),) * 2: 5, ((4, 2),) * 3 + ((4, 1),) * 2: 70}  # in the solution; Isola et al. 2017
RIGHT = {
    "posterior": [posterior, lambda density, priors: (density.log() + priors.log()).softmax(1)],
    "convolution_matrix": [with_rows(lambda d, f, s: (d - f) // s + 1), by_images],
    "receptive_field": [field_by_gradient, lambda layers: SAID.get(tuple(layers), field(layers))],
}
WRONG = {
    "posterior": [
        (lambda density, priors: posterior(density, priors)[:, 0], "a probability a point"),
        (lambda density, priors: posterior(density, priors.sqrt()), "instead of"),
        (posterior_in_place, "changes `density` itself"),
    ],
    "convolution_matrix": [
        (with_rows(lambda d, f, s: d - f + 1), "with the rest dropped"),
        (with_rows(lambda d, f, s: (d - f) // s), "makes 3 outputs, and the matrix has 2"),
        (lambda *given: pad(by_images(*given), (0, 0, 0, 1)), "the matrix has 4 rows"),
        (lambda *given: 2 * by_images(*given), "instead of"),
        (lambda *given: by_images(*given).flatten(), "(outputs, d)"),
    ],
    "receptive_field": [
        (lambda layers: field([(1, layers[0][1]), *layers]), "it gives 65 instead of 33"),
        (lambda layers: field(layers) if layers else 0, "the receptive field is 1"),
        (lambda layers: [field(layers)], "as a number"),
    ],
}
