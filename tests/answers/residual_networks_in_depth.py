"""Answers to the exercises of notebook 07b, residual networks in depth."""

import itertools
import math
from fractions import Fraction

import torch

from course_utils import models
from course_utils.models.resnet import count_costs


def paths(blocks, deleted):
    return 2.0**-deleted, (blocks - deleted) / 2


def paths_walked(blocks, deleted):
    ways = list(itertools.product((0, 1), repeat=blocks))
    left = [sum(way) for way in ways if not any(way[:deleted])]
    return len(left) / len(ways), sum(left) / len(left)


def multiply_adds(n):
    return 14_155_776 * n - 1_916_288


def counted(n, **options):
    with torch.device("meta"):
        net = models.cifar_resnet(6 * n + 2, **options)
    return count_costs(net, side=32)[1]


RIGHT = {
    "paths": [
        paths_walked,
        lambda n, k: [Fraction(1, 2**k), torch.tensor((n - k) / 2)],
        lambda n, k: torch.tensor(paths(n, k)),
    ],
    "multiply_adds": [
        counted,
        lambda n: torch.tensor(multiply_adds(n)),
        lambda n: float(multiply_adds(n)),
    ],
}
WRONG = {
    "paths": [
        (lambda n, k: (0.9**k, (n - k) / 2), "you say 0.729 for the share"),
        (lambda n, k: (2.0**-k, (n - k) // 2), "you say 3 for the mean length"),
        (lambda n, k: (0.5**k if k else 0, (n - k) / 2), "not where no block is deleted"),
        (lambda n, k: (0.5**k if k < n else 0, (n - k) / 2), "where all 12 blocks"),
        (lambda n, k: 0.5**k, "return two numbers"),
        (lambda n, k: ("half", 3.5), "the share: return one number; this is str"),
        (lambda n, k: (0.5**k, torch.zeros(3)), "return one number, not a tensor of shape (3,)"),
    ],
    "multiply_adds": [
        (lambda n: counted(n, project=True), "projections are counted"),
        (lambda n: 2 * multiply_adds(n), "counted apart"),
        (lambda n: multiply_adds(n) - 7, "7 too few"),
        (lambda n: multiply_adds(n) + 9, "9 too many"),
        (lambda n: 14_155_776 * n**2 - 1_916_288, "Each n adds 14,155,776"),
        (lambda n: math.nan, "a number of multiply-adds is whole"),
        (lambda n: f"{multiply_adds(n)}", "as a number; this is str"),
    ],
}
