"""Answers to the exercises of lesson 06 that no table of mistakes has."""

import torch


def with_back(back):
    return lambda truth: (truth.roll(1), back(truth))


def lines(mean_x, std_x, mean_y, std_y, c=lambda a: 1 / a, d=None):
    """Both pairs, with another slope or shift on the way back where they are given."""
    rows = []
    for a in (std_y / std_x, -std_y / std_x):
        shift = mean_x - c(a) * mean_y if d is None else d
        rows.append((a, mean_y - a * mean_x, c(a), shift))
    return torch.tensor(rows)


def floor_with(best, reduce=torch.mean):
    def answer(horses, zebra):
        answers = torch.empty_like(horses)
        for one in zebra.unique():
            answers[zebra == one] = best(horses[zebra == one])
        return reduce((answers - horses).abs())

    return answer


def by_quantile(share):
    return lambda shared: shared.quantile(share, dim=0)


def by_search(shared):
    """For each pixel the best of all numbers that its horses have."""
    errors = (shared[:, None] - shared).abs().sum(0)
    return shared.gather(0, errors.argmin(0, keepdim=True))


def floor_without_gaps(horses, zebra):
    shares = [horses[zebra == one] for one in range(len(zebra.unique()))]
    return sum((one - by_search(one)).abs().sum() for one in shares if len(one)) / horses.numel()


RIGHT = {
    "strangers": [
        lambda p: [p.roll(-1).int(), p.roll(-1).argsort()],
        lambda p: (((p + 1) % len(p)).tolist(), ((p + 1) % len(p)).argsort().tolist()),
    ],
    "lines": [
        lambda *given: lines(*given).flip(0).tolist(),
        lambda *given: tuple(lines(*given).double()),
    ],
    "least_cycle_error": [floor_with(by_search), floor_with(by_quantile(0.5))],
}
WRONG = {
    "strangers": [
        (lambda p: (p, p.argsort()), "that is the true translation"),
        (lambda p: (p.flip(0), p.flip(0).argsort()), "of 5 horses, 1 get their ground truth"),
        (lambda p: (0 * p, 0 * p), "D_Y catches G: of 5 horses, 5 become zebra 0, and zebra 1 is"),
        (with_back(lambda p: 0 * p), "D_X catches F: of 5 zebras, 5 become horse 0"),
        (with_back(torch.argsort), "goes back from the *ground truth*"),
        (with_back(lambda p: p.roll(1)), "F = G is the way back only where"),
        (with_back(lambda p: p.roll(1).argsort().roll(1)), "F is the inverse"),
        (lambda p: (p.add_(1), p), "changes `truth` itself"),
        (torch.argsort, "return two tensors"),
        (lambda p: (p.float(), p), "G should hold whole numbers"),
        (with_back(lambda p: p + 1), "F names scene 5, and there are only 0 to 4"),
    ],
    "lines": [
        (lambda *given: lines(*given)[0], "that is one pair"),
        (lambda *given: lines(*given) * 2, "D_Y catches G: the mean of G(x)"),
        (lambda *given: lines(*given, c=lambda a: a), "D_X catches F: σ(F(y)) = |c| σ_Y"),
        (lambda *given: lines(*given, d=0.0), "D_X catches F: the mean of F(y), c μ_Y + d"),
        (lambda *given: lines(*given) / 0, "are not finite"),
    ],
    "least_cycle_error": [
        (floor_without_gaps, "go through zebra.unique()"),
        (floor_with(by_quantile(0.4)), "and the least is"),
        (lambda h, z: h.sub_(1).mean(), "changes `horses` itself"),
        (floor_with(by_search, reduce=lambda error: error.mean(0)), "one number for all horses"),
    ],
}
