"""The exercises of notebook 00: right answers pass, and each usual mistake gets its hint."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv1d

from course_utils.exercises import start_here as exercises
from course_utils.exercises.checking import near, random_tensor
from tests.wrong_answers import (
    gets_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)


def posterior(density, priors):
    joint = density * priors
    return joint / joint.sum(dim=1, keepdim=True)


def posterior_by_logarithms(density, priors):
    return (density.log() + priors.log()).softmax(dim=1)


def posterior_in_place(density, priors):
    density *= priors
    return density / density.sum(1, keepdim=True)


def convolution_matrix(kernel, d, s):
    outputs = (d - len(kernel)) // s + 1
    matrix = torch.zeros(outputs, d)
    for row in range(outputs):
        matrix[row, row * s : row * s + len(kernel)] = kernel
    return matrix


def matrix_by_images(kernel, d, s):
    return conv1d(torch.eye(d)[:, None], kernel[None, None], stride=s)[:, 0].T


def matrix_with_rows(rows):
    def answer(kernel, d, s):
        matrix = torch.zeros(rows(d, len(kernel), s), d)
        for row in range(len(matrix)):
            matrix[row, row * s : row * s + len(kernel)] = kernel
        return matrix

    return answer


def matrix_that_wraps(kernel, d, s):
    row = torch.zeros(d)
    row[: len(kernel)] = kernel
    return torch.stack([row.roll(s * place) for place in range(d // s)])


def rows_at(start, flip=False, reverse=False):
    def answer(kernel, d, s):
        rows = len(convolution_matrix(kernel, d, s))
        matrix = torch.zeros(rows, 2 * d)
        for row in range(rows):
            at = start(row, s)
            matrix[row, at : at + len(kernel)] = kernel.flip(0) if flip else kernel
        return (matrix.flip(0) if reverse else matrix)[:, :d]

    return answer


def receptive_field(layers):
    seen, apart = 1, 1
    for f, s in layers:
        seen = seen + (f - 1) * apart
        apart = apart * s
    return seen


def field_from_behind(layers):
    seen = 1
    for f, s in reversed(layers):
        seen = (seen - 1) * s + f
    return seen


def field_by_gradient(layers):
    """How many pixels of a long line have a gradient from one output."""
    x = torch.zeros(1, 1, 400, requires_grad=True)
    y = x
    for f, s in layers:
        layer = nn.Conv1d(1, 1, f, stride=s, bias=False)
        nn.init.ones_(layer.weight)
        y = layer(y)
    y[0, 0, 0].backward()
    return int((x.grad != 0).sum())


RIGHT = [
    (exercises.check_posterior, posterior),
    (exercises.check_posterior, posterior_by_logarithms),
    (exercises.check_convolution_matrix, convolution_matrix),
    (exercises.check_convolution_matrix, matrix_by_images),
    (exercises.check_receptive_field, receptive_field),
    (exercises.check_receptive_field, field_from_behind),
    (exercises.check_receptive_field, field_by_gradient),
    (exercises.check_receptive_field, lambda layers: torch.tensor(receptive_field(layers))),
]
CHECKS = list(dict(RIGHT))


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    passes(check, answer, capsys)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_stops_is_said(check, capsys):
    says_what_stopped(check, capsys)


BAYES = [
    (lambda density, priors: density * priors, "those are the joint densities"),
    (lambda density, priors: density * priors / (density * priors).sum(0), "each *column* adds"),
    (lambda density, priors: density / density.sum(1, keepdim=True), "the priors are missing"),
    (lambda density, priors: density / density.sum(0), "each *column*"),
    (lambda density, priors: priors.expand(len(density), -1), "those are the priors"),
    (lambda density, priors: density, "of x given the class"),
    (lambda density, priors: posterior(density, priors).log(), "that is the logarithm"),
    (lambda density, priors: density.log() + priors.log(), "And those are the joint densities"),
    (lambda density, priors: (density * priors).softmax(1), "softmax takes logarithms"),
    (lambda density, priors: posterior(density, 1 / priors), "the priors divide"),
    (lambda density, priors: density * priors / density.sum(1, True), "belong into the divisor"),
    (lambda density, priors: density * priors / (density * priors).sum(), "over all points"),
    (lambda density, priors: posterior(density, priors)[:, 0], "a probability a point and class"),
    (lambda density, priors: posterior(density, priors.sqrt()), "the probabilities are ("),
    (lambda density, priors: density @ priors, "has shape (5,)"),
    (posterior_in_place, "changes what it was given"),
]
MATRIX = [
    (lambda k, d, s: convolution_matrix(k.flip(0), d, s), "the kernel is turned round"),
    (lambda k, d, s: convolution_matrix(k, d, s).T, "the matrix of the *transposed* convolution"),
    (rows_at(lambda row, s: row), "with stride s it starts at column i · s"),
    (rows_at(lambda row, s: row, flip=True), "And row i starts"),
    (rows_at(lambda row, s: row * s, reverse=True), "in the wrong order"),
    (rows_at(lambda row, s: row * s + 1), "shifted by one"),
    (matrix_with_rows(lambda d, f, s: d - f + 1), "with the rest dropped"),
    (matrix_with_rows(lambda d, f, s: (d - f) // s), "makes 3 outputs, and the matrix has 2"),
    (matrix_that_wraps, "rounded down"),
    (lambda k, d, s: 2 * convolution_matrix(k, d, s), "multiplied with x = 1, 2, ..., 7"),
    (lambda k, d, s: convolution_matrix(k, d, s).flatten(), "(outputs, d)"),
    (lambda k, d, s: convolution_matrix(k, d, s).tolist(), "return a tensor"),
]
FIELD = [
    (lambda layers: 1 + sum(f - 1 for f, _ in layers), "right without strides"),
    (lambda layers: receptive_field([(1, layers[0][1]), *layers]), "for the layers"),
    (lambda layers: receptive_field(layers[::-1]), "you took those behind"),
    (lambda layers: receptive_field(layers) - 1, "the pixel it stands on is missing"),
    (lambda layers: sum(f for f, _ in layers), "each layer adds f - 1 steps, not f"),
    (lambda layers: math.prod(f for f, _ in layers), "the kernel sizes are multiplied"),
    (lambda layers: receptive_field(layers) ** 2, "number of pixels in the square"),
    (lambda layers: max(f for f, _ in layers), "the largest kernel"),
    (lambda layers: math.prod(s for _, s in layers), "the product of the strides"),
    (lambda layers: 1_000, "and you say 1000"),
    (lambda layers: receptive_field(layers) if layers else 0, "a number sees itself"),
    (lambda layers: [receptive_field(layers)], "as a number"),
]


def field_with_own_stride(layers):
    seen, apart = 1, 1
    for f, s in layers:
        apart *= s
        seen += (f - 1) * apart
    return seen


FIELD.append((field_with_own_stride, "own stride does not widen"))
WRONG = wrong_answers(
    {
        exercises.check_posterior: BAYES,
        exercises.check_convolution_matrix: MATRIX,
        exercises.check_receptive_field: FIELD,
    }
)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


def test_no_mistake_is_taken_for_another_or_for_the_answer():
    density, priors = exercises._densities(5, 2, 1)
    kernel = random_tensor(3, seed=1)
    tables = [
        [(posterior(density, priors), "right")]
        + [(mistake(density, priors), hint) for mistake, hint in exercises.BAYES_MISTAKES],
        [(convolution_matrix(kernel, 7, 2), "right")]
        + [
            (exercises._matrix(kernel, 7, 2, **given), hint)
            for given, hint in exercises.MATRIX_MISTAKES
        ],
        [(torch.tensor(receptive_field(exercises.STACKS[0])), "right")]
        + [
            (torch.tensor(mistake(exercises.STACKS[0])), hint)
            for mistake, hint in exercises.FIELD_MISTAKES
        ],
    ]
    for table in tables:
        for place, (first, hint) in enumerate(table):
            for second, other in table[:place]:
                if first.shape == second.shape and hint != other:
                    assert not near(first, second), (hint, other)


def test_the_figures_of_the_solutions():
    """What the questions before the exercises are answered with."""
    assert receptive_field([(3, 1), (3, 1)]) == 5
    assert receptive_field([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]) == 70  # Isola et al. 2017
    x, y = random_tensor(7, seed=1), random_tensor(3, seed=2)
    matrix = convolution_matrix(random_tensor(3, seed=3), 7, 2)
    assert torch.isclose((matrix @ x) @ y, x @ (matrix.T @ y))
    assert (matrix != 0).sum() == 9


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_leaves_the_dice_of_the_notebook_alone(check, capsys):
    leaves_the_dice_alone(check, dict(RIGHT)[check], capsys)
