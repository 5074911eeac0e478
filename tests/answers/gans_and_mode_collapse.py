"""Answers to the exercises of notebook 04 that no table of mistakes has."""

import torch
import torch.nn.functional as F

from course_utils.exercises import gans_and_mode_collapse as gans

count_modes = gans.check_count_modes.reference
generator_loss = gans.check_generator_loss.reference


def one_mode_after_another(x, m, s):
    return float(sum(bool(((x - mean).square().sum(1) <= 9 * s**2).any()) for mean in m))


RIGHT = {
    "optimal_discriminator": [
        lambda p, q: 1 / (1 + q / p),
        lambda p, q: torch.stack([p, q]).log().softmax(0)[0],
    ],
    "generator_loss": [
        lambda a: -F.logsigmoid(a).sum() / len(a),
        lambda a: torch.logaddexp(-a, a.new_zeros(())).mean(),
        lambda a: F.binary_cross_entropy_with_logits(a, torch.ones_like(a)),
    ],
    "count_modes": [one_mode_after_another, lambda x, m, s: torch.tensor(count_modes(x, m, s))],
}
WRONG = {
    "optimal_discriminator": [
        (lambda p, q: (p > q).long(), "hard decision"),
        (lambda p, q: (p / q) / (1 + p / q), "where p_g is 0 it gives nan instead of 1"),
        (lambda p, q: (p / q).log().sigmoid() + 0 * q / p, "where p_data is 0 it gives nan"),
        (lambda p, q: p / (p + q + 1e-8), "by 1e-12"),
        (lambda p, q: p - q, "for p_data ="),
        (lambda p, q: (p / (p + q)).mean(), "has shape () and should have (5,)"),
        (lambda p, q: 0.5, "return a tensor"),
    ],
    "generator_loss": [
        (lambda a: F.binary_cross_entropy(a, torch.ones_like(a)), "with_logits)"),
        (lambda a: -a.sigmoid().log().mean(), "log(σ(a)) is log(0)"),
        (lambda a: -(a.sigmoid() + 1e-8).log().mean(), "caps it"),
        (lambda a: F.binary_cross_entropy(a.sigmoid(), torch.ones_like(a)), "caps it"),
        (lambda a: torch.where(a > -50, -a.sigmoid().log(), -a).mean(), "slope is nan"),
        (lambda a: generator_loss(a).item(), "without .item()"),
        (lambda a: generator_loss(a.detach()), "no gradient"),
        (lambda a: generator_loss(a)[None], "has shape (1,) and should have ()"),
        (lambda a: (a.sigmoid() - 1).square().mean(), "instead of"),
    ],
    "count_modes": [
        (lambda x, m, s: (torch.cdist(x, m) < 3 * s).any(0), "not a tensor of shape (25,)"),
        (lambda x, m, s: ((x - m).norm(dim=1) < 3 * s).sum(), "compares all with all"),
        (lambda x, m, s: count_modes(x, m, 0.05), "std = 2 it gives 0"),
        (lambda x, m, s: 9, "it gives 9 instead of 6"),
        (lambda x, m, s: 100, "it gives 100"),
    ],
}
