"""The exercises of notebook 02: right answers pass, and each usual mistake gets its hint."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils import losses
from course_utils.data import corruption
from course_utils.exercises import autoencoders as exercises
from tests.wrong_answers import gets_hint, leaves_the_dice_alone, wrong_answers


def tied(x, weight, bias_h, bias_x):
    h = torch.sigmoid(x @ weight.T + bias_h)
    return h @ weight + bias_x


def sparsity(h, rho):
    average = h.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    on = rho * (rho / average).log()
    off = (1 - rho) * ((1 - rho) / (1 - average)).log()
    return (on + off).sum()


def masked(x, share):
    keep = torch.rand_like(x[:, :1]) >= share
    return x * keep


def contractive(h, weight):
    slope = h * (1 - h)
    return slope.square() @ weight.square().sum(dim=1)


def count_stamps(d, f, s):
    counts = torch.zeros((d - 1) * s + f, dtype=torch.int64)
    for number in range(d):
        counts[number * s : number * s + f] += 1
    return counts


def by_torch(d, f, s):
    return F.conv_transpose1d(torch.ones(1, 1, d), torch.ones(1, 1, f), stride=s)[0, 0]


def covered(d, f, s):
    """Which stamp lies on which place, (d, places)."""
    starts, places = torch.arange(d) * s, torch.arange((d - 1) * s + f)
    return (starts[:, None] <= places) & (places < starts[:, None] + f)


def exactly_masked(x, share):
    """The same share in every image, to the pixel."""
    count, _, height, width = x.shape
    order = torch.rand(count, height * width).argsort(1).argsort(1)
    return x * (order >= share * height * width).view(count, 1, height, width)


def through_autograd(h, weight):
    jacobian = (h * (1 - h))[:, :, None] * weight
    return jacobian.flatten(1).norm(dim=1) ** 2


RIGHT = [
    (exercises.check_tied, tied),
    (exercises.check_tied, lambda x, w, h, b: F.linear(F.linear(x, w, h).sigmoid(), w.T, b)),
    (exercises.check_tied, lambda x, w, h, b: (w.T @ (w @ x.T + h[:, None]).sigmoid()).T + b),
    (exercises.check_sparsity, sparsity),
    (exercises.check_sparsity, losses.sparsity_kl),
    (
        exercises.check_sparsity,
        lambda h, rho: torch.distributions.kl_divergence(
            torch.distributions.Bernoulli(torch.tensor(rho)),
            torch.distributions.Bernoulli(h.mean(0)),
        ).sum(),
    ),
    (exercises.check_mask, masked),
    (exercises.check_mask, corruption.mask),
    (exercises.check_mask, exactly_masked),
    (exercises.check_mask, lambda x, share: x * (torch.rand(len(x), 1, *x.shape[2:]) > share)),
    (exercises.check_mask, lambda x, share: x.masked_fill(torch.rand_like(x[:, :1]) < share, 0)),
    (exercises.check_contractive, contractive),
    (exercises.check_contractive, through_autograd),
    (exercises.check_contractive, losses.contractive_penalty),
    (exercises.check_stamps, count_stamps),
    (exercises.check_stamps, by_torch),
    (exercises.check_stamps, lambda d, f, s: covered(d, f, s).sum(0)),
    (exercises.check_stamps, lambda d, f, s: count_stamps(d, f, s).tolist()),
    (exercises.check_stamps, lambda d, f, s: list(count_stamps(d, f, s))),
    (exercises.check_stamps, lambda d, f, s: tuple(by_torch(d, f, s).tolist())),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    assert check(answer) is None
    assert capsys.readouterr().out.startswith("✔ Exercise")


CHECKS = dict.fromkeys(check for check, _ in RIGHT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_stub_is_not_attempted_and_a_crash_is_told(check, capsys):
    check(lambda *given: ...)
    assert "not attempted" in capsys.readouterr().out
    check(lambda *given: given[0].nothing)
    assert "stopped with AttributeError" in capsys.readouterr().out
    check(None)
    assert "a function is needed" in capsys.readouterr().out


def coins_the_wrong_way_round(h, rho):
    average = h.mean(0)
    return (
        average * (average / rho).log() + (1 - average) * ((1 - average) / (1 - rho)).log()
    ).sum()


def divergence(average, rho):
    return rho * (rho / average).log() + (1 - rho) * ((1 - rho) / (1 - average)).log()


def in_place(x, share):
    x *= torch.rand_like(x[:, :1]) >= share
    return x


def always_the_same(x, share):
    generator = torch.Generator().manual_seed(0)
    return x * (torch.rand(len(x), 1, *x.shape[2:], generator=generator) >= share)


def noise_for_missing(x, share):
    return torch.where(torch.rand_like(x[:, :1]) < share, torch.rand_like(x), x)


TIED = [
    (lambda x, w, h, b: (x @ w.T + h).sigmoid() @ w.T + b, "same way round"),
    (lambda x, w, h, b: (x @ w + h).sigmoid() @ w.T + b, "wrong order"),
    (lambda x, w, h, b: (x @ w + h).sigmoid() @ w + b, "encoder needs the transpose"),
    (lambda x, w, h, b: (x @ w.T + h) @ w + b, "the sigmoid of it"),
    (lambda x, w, h, b: (x @ w.T + h).tanh() @ w + b, "not tanh"),
    (lambda x, w, h, b: (x @ w.T + h).relu() @ w + b, "not the ReLU"),
    (lambda x, w, h, b: tied(x, w, h, b).sigmoid(), "return its logits"),
    (lambda x, w, h, b: tied(x, w, b, h), "biases are swapped"),
    (lambda x, w, h, b: tied(x, w, 0, b), "bias_h is missing"),
    (lambda x, w, h, b: tied(x, w, h, 0), "bias_x is missing"),
    (lambda x, w, h, b: tied(x, w, 0, 0), "both biases are missing"),
    # Two mistakes: the first is said, and after that the second.
    (lambda x, w, h, b: ((x @ w + h) @ w.T + b).sigmoid(), "wrong order"),
    (lambda x, w, h, b: tied(x, w, h, b) + 1, "first logit is"),
    (lambda x, w, h, b: (x @ w.T + h).sigmoid(), "Wᵀ h + b_x"),
    (lambda x, w, h, b: w @ x + h, "weight (code, pixels)"),
    (lambda x, w, h, b: tied(x, w, h, b).T, "shape (4, 5) and should have (5, 4)"),
    (lambda x, w, h, b: tied(x, w, h, b).detach(), "no gradient"),
    (lambda x, w, h, b: 1.0, "return a tensor"),
]
SPARSITY = [
    (lambda h, rho: divergence(h.mean(1), rho).sum(), "not over the units"),
    (lambda h, rho: divergence(h.mean(), rho), "a ρ̂ of its own"),
    (lambda h, rho: divergence(h, rho).mean(0).sum(), "average the activations first"),
    (coins_the_wrong_way_round, "wrong way round"),
    (lambda h, rho: (rho * (rho / h.mean(0)).log()).sum(), "second term is missing"),
    (lambda h, rho: ((1 - rho) * ((1 - rho) / (1 - h.mean(0))).log()).sum(), "first term is"),
    (lambda h, rho: 2 * (rho * (rho / h.mean(0)).log()).sum() - sparsity(h, rho), "are added"),
    (lambda h, rho: -sparsity(h, rho), "sign"),
    (lambda h, rho: sparsity(h, rho) / math.log(2), "base 2"),
    (lambda h, rho: sparsity(h, rho) / math.log(10), "base 10"),
    (lambda h, rho: divergence(h.mean(0), rho).mean(), "this is their mean"),
    (lambda h, rho: divergence(h.mean(0), rho), "one number a unit; sum"),
    (lambda h, rho: divergence(h, rho).sum(1), "one number for the whole batch"),
    (lambda h, rho: sparsity(h, rho).item(), "without .item()"),
    (lambda h, rho: sparsity(h, rho).detach(), "no gradient"),
    (lambda h, rho: (h.mean(0) - rho).square().sum(), "term by term"),
    (lambda h, rho: h.mean() * 0 + math.inf, "finite"),
    (lambda h, rho: (h.mean(0) * rho.log()).sum(), "AttributeError"),
]
MASK = [
    (lambda x, share: masked(x, 1 - share), "is kept; it should be dropped"),
    (lambda x, share: x * (torch.rand(1, 1, *x.shape[2:]) >= share), "every image loses"),
    (lambda x, share: masked(x, share) / (1 - share), "scaled up"),
    (lambda x, share: F.dropout(x, share), "scaled up"),
    (in_place, "changes x itself"),
    (always_the_same, "two calls"),
    (lambda x, share: x * (torch.rand_like(x) >= share), "dropped separately"),
    (noise_for_missing, "must become 0"),
    (corruption.salt_and_pepper, "must become 0"),
    (lambda x, share: torch.where(torch.rand_like(x[:, :1]) < share, 0.5, x), "must become 0"),
    (lambda x, share: masked(x, share) + 0.01 * (x > 0), "add nothing"),
    (corruption.gaussian, "add nothing"),
    (lambda x, share: x, "no pixel is 0"),
    (lambda x, share: x * 0, "every pixel is 0"),
    (lambda x, share: masked(x, 0.5), "drops 50 % of the pixels"),
    (lambda x, share: masked(x, 0.3), "for share = 0.8 it drops 30 %"),
    (lambda x, share: x * (torch.rand(len(x), 1, 1, 1) >= share), "whole rows"),
    (lambda x, share: x * (torch.rand(len(x), 1, x.shape[2], 1) >= share), "whole rows"),
    (lambda x, share: x * (torch.rand(len(x), 1, 1, x.shape[3]) >= share), "whole rows"),
    (lambda x, share: torch.rand_like(x[:, :1]) >= share, "that is the mask"),
    (lambda x, share: masked(x, share).flatten(1), "return images of the same shape"),
    (lambda x, share: 0, "this is int"),
]
CONTRACTIVE = [
    (lambda h, w: contractive(h, w).sqrt(), "the norm squared"),
    (lambda h, w: ((h * (1 - h)) @ w.sum(1)).square(), "square of the sum"),
    (lambda h, w: ((h * (1 - h)) @ w).square().sum(1), "summed over the units and then squared"),
    (lambda h, w: (h * (1 - h)).square() @ w.sum(1).square(), "square each, then sum"),
    (lambda h, w: w.square().sum().expand(len(h)), "slope h(1 - h) is missing"),
    (lambda h, w: w.square().sum(), "slope h(1 - h) is missing"),
    (lambda h, w: (h * (1 - h)) @ w.square().sum(1), "slope h(1 - h) is squared, too"),
    (lambda h, w: (h * (1 - h)).square() @ w.sum(1), "weights are squared, too"),
    (lambda h, w: (h * (1 - h)) @ w.sum(1), "every entry of the Jacobian is squared"),
    (lambda h, w: (h * (1 - h)) @ w.abs().sum(1), "absolute values"),
    (lambda h, w: contractive(h, w).sum(), "whole batch"),
    (lambda h, w: contractive(h, w).mean(), "whole batch"),
    (lambda h, w: contractive(h, w) / w.shape[0], "units are averaged"),
    (lambda h, w: contractive(h, w) / w.shape[1], "pixels are averaged"),
    (lambda h, w: contractive(h, w) / w.numel(), "entries are averaged"),
    (lambda h, w: contractive(h, w) / 2, "no ½"),
    (lambda h, w: contractive(h.sigmoid(), w), "without another σ"),
    (lambda h, w: h.square() @ w.square().sum(1), "h(1 - h), not h."),
    (lambda h, w: (1 - h).square() @ w.square().sum(1), "not 1 - h."),
    (lambda h, w: (1 - h**2).square() @ w.square().sum(1), "slope of tanh"),
    (lambda h, w: (h * (1 - h)).square() * w.square().sum(1), "sum over the units, too"),
    (lambda h, w: (h * (1 - h)).square() @ w.square(), "sum over the pixels, too"),
    (lambda h, w: (h * (1 - h))[:, :, None] * w, "entries of the Jacobian"),
    (lambda h, w: contractive(h, w).detach(), "no gradient"),
    (lambda h, w: h.sum(1), "instead of"),
    (lambda h, w: h @ w.T, "RuntimeError"),
]


def stamped(wide=0, step=0, start=0, first=0, last=0):
    """Counts where stamps are wider, further apart, moved, or more in front and behind."""

    def answer(d, f, s):
        counts = [0] * ((d - 1) * s + f)
        for number in range(first, d + last):
            begin = number * (s + step) + start
            for place in range(max(begin, 0), min(begin + f + wide, len(counts))):
                counts[place] += 1
        return counts

    return answer


STAMPS = [
    (lambda d, f, s: count_stamps(d, f, s) > 0, "whether a place is hit"),
    (lambda d, f, s: count_stamps(d, f, s).clamp(max=1), "whether a place is hit"),
    (lambda d, f, s: by_torch(d, f, s) ** 2, "rows and columns multiply"),
    (lambda d, f, s: [f // s] * ((d - 1) * s + f), "near the ends fewer"),
    (lambda d, f, s: [-(-f // s)] * ((d - 1) * s + f), "near the ends fewer"),
    (stamped(first=-20, last=20), "near the ends fewer"),
    (stamped(first=-20), "before the first input's"),
    (stamped(last=20), "behind the last input's"),
    (stamped(last=1), "one stamp too many"),
    (stamped(last=-1), "one stamp is missing"),
    (stamped(wide=1), "one place too wide"),
    (stamped(wide=-1), "one place too narrow"),
    (stamped(start=1), "too far behind"),
    (stamped(start=-1), "too far in front"),
    (lambda d, f, s: stamped(step=1 - s)(d, f, s), "stride is missing"),
    (lambda d, f, s: by_torch(d, f, 1), "stride is missing"),
    (lambda d, f, s: count_stamps(d, s, f), "swapped"),
    (lambda d, f, s: count_stamps(d, f, s)[: d * s], "= 17 places; yours has 14."),
    (lambda d, f, s: count_stamps(d, f, s)[:-f], "= 17 places; yours has 12."),
    (lambda d, f, s: [0] * (d * s + f), "= 17 places; yours has 19."),
    (lambda d, f, s: [0] * ((d - 1) * s + 1), "= 17 places; yours has 13."),
    (lambda d, f, s: [f] * d, "one number an input"),
    (covered, "sum over the stamps, dim=0"),
    (lambda d, f, s: covered(d, f, s).T, "sum over the stamps, dim=1"),
    (lambda d, f, s: by_torch(d, f, s)[None], "yours has the shape (1, 17)"),
    (lambda d, f, s: [], "yours has the shape (0,)"),
    (lambda d, f, s: d * f, "one for each place"),
    (lambda d, f, s: torch.tensor(d * f), "yours has the shape ()"),
    (lambda d, f, s: covered(d, f, s).tolist(), "each entry is one number; this is list"),
    (lambda d, f, s: {}, "a tensor or a list; this is dict"),
    (lambda d, f, s: by_torch(d, f, s) / 2, "on place 0, counted from 0, you say 0.5"),
    (lambda d, f, s: by_torch(d, f, s) * math.nan, "you say nan instead of 1"),
    (lambda d, f, s: [1] * f if d == 1 else by_torch(min(d, 6), f, s), "for d = 7"),
    (lambda d, f, s: by_torch(d, max(f, s), s), "for d = 5, f = 2 and s = 4"),
]
WRONG = wrong_answers(
    {
        exercises.check_tied: TIED,
        exercises.check_sparsity: SPARSITY,
        exercises.check_mask: MASK,
        exercises.check_contractive: CONTRACTIVE,
        exercises.check_stamps: STAMPS,
    }
)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


def test_the_mask_check_leaves_the_dice_of_the_notebook_alone(capsys):
    leaves_the_dice_alone(exercises.check_mask, masked, capsys)


def test_stamps_are_counted_as_torch_counts_them():
    for setting in exercises.STAMPED:
        assert exercises._stamps(*setting).tolist() == by_torch(*setting).tolist()


def test_the_first_setting_tells_every_mistake_about_stamps():
    setting = exercises.STAMPED[0]
    right = exercises._stamps(*setting).tolist()
    results = [mistake(*setting).tolist() for mistake, _ in exercises.STAMP_MISTAKES]
    assert right not in results
    assert len({tuple(result) for result in results}) == len(results)
