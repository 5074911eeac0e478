"""Answers to the exercises of notebook 03b that no table of mistakes has."""

import math

import torch

RIGHT = {
    "active_units": [lambda mu: sum(column.std() > 0.1 for column in mu.T)],
    "importance_weighted": [lambda w: (w - w.amax()).exp().mean(1).log() + w.amax()],
    "information": [
        lambda w: w.log_softmax(1).diagonal().mean() + math.log(len(w)),
        lambda w: (w.log_softmax(1).trace() / len(w)).item() + math.log(len(w)),
    ],
}
WRONG = {
    "active_units": [
        (lambda mu: mu.var(0) > 0.01, "not a tensor of shape"),
        (lambda mu: 100, "100 units of 7"),
        (lambda mu: 3, "3 are counted instead of 1"),
    ],
    "importance_weighted": [
        (lambda w: w.exp().mean(1).log(), "logsumexp"),
        (lambda w: w.amax(1), "log of the mean"),
        (lambda w: w.logsumexp(0), "shape"),
    ],
    "information": [
        (lambda w: (w.diagonal() - w.exp().mean(1).log()).mean(), "tiny"),
        (lambda w: w.diagonal() - w.logsumexp(1), "average them"),
        (lambda w: w.log_softmax(1).diagonal().mean() + math.log(6), "for 9"),
        (lambda w: w.diagonal() - torch.zeros(3), "RuntimeError"),
    ],
}
