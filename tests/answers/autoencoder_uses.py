"""Answers to the exercises of lesson 02b."""

import torch
import torch.nn.functional as F


def precision_by_hand(found, wanted, k):
    rows = zip(found.tolist(), wanted.tolist())
    return torch.tensor([sum(one == label for one in row[:k]) / k for row, label in rows])


def hole_loss_by_hand(restored, truth, hole):
    images = zip(restored, truth, hole)
    return torch.stack([F.mse_loss(x[:, where[0]], t[:, where[0]]) for x, t, where in images])


RIGHT = {
    "precision": [precision_by_hand, lambda f, w, k: (f.T[:k] == w).double().mean(0)],
    "hamming": [lambda a, s: torch.cdist(a.float(), s.float(), p=1)],
    "hole_loss": [hole_loss_by_hand, lambda *given: hole_loss_by_hand(*given).double()],
}
WRONG = {
    "precision": [
        (lambda f, w, k: f[:, :k] == w[:, None], "true or false"),
        (lambda f, w, k: (f[:, :k] == w[:, None]).float().mean().item(), "each query"),
        (lambda f, w, k: torch.ones(len(w)) / 7, "the first 4 give"),
        (lambda f, w, k: f[:, :k] == w, "RuntimeError"),
    ],
    "hamming": [
        (lambda a, s: a[:, None] ^ s, "count over the bits"),
        (lambda a, s: (s[:, None] ^ a).sum(2), "turned round"),
        (lambda a, s: (a ^ s[: len(a)]).sum(1), "every query with every"),
        (lambda a, s: torch.full((len(a), len(s)), 0.3), "get 0.3"),
    ],
    "hole_loss": [
        (lambda x, t, hole: F.mse_loss(x * hole, t * hole), "whole batch"),
        (lambda *given: hole_loss_by_hand(*given).detach(), "no gradient"),
        (lambda x, t, hole: torch.full((len(x),), 0.5), "yours is 0.5000"),
    ],
}
