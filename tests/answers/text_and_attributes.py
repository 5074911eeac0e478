"""Answers to the exercises of notebook 05b, text and attributes."""

import torch
import torch.nn.functional as F
from torch.nn.functional import one_hot


def zero_shot(images, prompts, temperature, scale=lambda s, t: s / t):
    cosine = F.cosine_similarity(images[:, None], prompts, dim=2)
    return scale(cosine, temperature).softmax(1)


def zero_shot_by_hand(images, prompts, temperature):
    S = (images @ prompts.T) / images.norm(dim=1)[:, None] / prompts.norm(dim=1) / temperature
    return (S - S.logsumexp(1, keepdim=True)).exp()


def zero_shot_by_exp(images, prompts, temperature):
    """Overflows at a low temperature."""
    S = (F.cosine_similarity(images[:, None], prompts, dim=2) / temperature).exp()
    return S / S.sum(1, keepdim=True)


def slerp(first, second, share, cosine=F.cosine_similarity):
    """As it is usually written; equal vectors give NaN."""
    share, angle = share[:, None], cosine(first, second).acos()[:, None]
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def slerp_or(otherwise, first, second, share):
    differ = (first != second).any(dim=1, keepdim=True)
    return torch.where(differ, slerp(first, second, share), otherwise)


def halfway_by_rotation(first, second, share):
    """Along the direction that is at right angles to the first vector."""
    length = first.norm(dim=1, keepdim=True)
    along = (first * second).sum(1, keepdim=True) / length
    across = second - along / length * first
    angle = share[:, None] * torch.atan2(across.norm(dim=1, keepdim=True), along)
    return angle.cos() * first + length * angle.sin() * F.normalize(across, dim=1)


def away(age, stages):
    return (age[:, None] - torch.arange(stages)).abs()


def soft(age, stages):
    return torch.tensor([[max(0.0, 1 - abs(a - s)) for s in range(stages)] for a in age.tolist()])


def soft_by_neighbours(last):
    """The stage below, at most the `last`, and the one above."""

    def answer(age, stages):
        below = age.floor().long().clamp(max=last(stages))
        part = (age - below)[:, None]
        return (1 - part) * one_hot(below, stages) + part * one_hot(below + 1, stages)

    return answer


def soft_by_matrix(age, stages):
    eye = torch.eye(stages)
    return torch.lerp(eye[age.floor().long()], eye[age.ceil().long()], age.frac()[:, None])


RIGHT = {
    "zero_shot": [
        zero_shot,
        zero_shot_by_hand,
        lambda x, t, tau: zero_shot(x.double(), t.double(), tau),
    ],
    "halfway": [lambda a, b, s: slerp_or(a, a, b, s), halfway_by_rotation],
    "soft_one_hot": [soft, soft_by_neighbours(lambda n: n - 2), soft_by_matrix],
}
WRONG = {
    "zero_shot": [
        (zero_shot_by_exp, "at 0.005: "),
        (lambda x, t, tau: zero_shot(x, t, tau, lambda s, t: s / t**2), "one row an image"),
        (lambda x, t, tau: zero_shot(x, t, tau).argmax(1), "that is the class alone"),
        (lambda x, t, tau: zero_shot(x, t, tau).T, "one row a class"),
        (lambda x, t, tau: x @ t, "images @ prompts.T"),
        (lambda x, t, tau: zero_shot(x, t, tau) * (0.5 if len(t) == 1 else 1), "a single class"),
    ],
    "halfway": [
        (lambda a, b, s: slerp(a, b, s, lambda a, b: (a * b).sum(1)), "both lengths, that is by k"),
        (slerp, "two equal ones give nan"),
        (lambda a, b, s: slerp_or(0 * a, a, b, s), "two equal ones give 0"),
        (lambda a, b, s: slerp(a, b, s) if s.frac().any() else a, "at its ends: that is the first"),
        (lambda a, b, s: slerp(a, b, s.square()), "of an angle of"),
        (lambda a, b, s: (1 - s) * a + s * b, "as a column, share[:, None]"),
        (lambda a, b, s: a @ b, "not a product of matrices"),
        (lambda a, b, s: slerp(a, b, s)[0], "one vector a pair"),
    ],
    "soft_one_hot": [
        (lambda a, k: (-4 * away(a, k)).softmax(1), "instead of"),
        (lambda a, k: soft(a, k) / 2, "the shares of an age sum to 1"),
        (lambda a, k: a, "one number an age"),
        (lambda a, k: soft(a, k).T, "one row an age, one column a stage"),
        (lambda a, k: one_hot(a, k), "takes whole numbers only"),
        (soft_by_neighbours(lambda n: n - 1), "at the last stage there is none above"),
        (lambda a, k: soft_by_matrix(a + 1e-6, k), "at the last stage there is none above"),
        (lambda a, k: soft(a, k) * (away(a, k) > 0), "right between two stages"),
    ],
}
