"""Exercises of lesson 06, CycleGAN."""

import torch
from torch import Tensor

from .checking import Wrong, ask, check, random_tensor
from .exercise import Case, Exercise, combined, listed

# 1. Perfect and wrong


def check_strangers(answer) -> None:
    """`strangers(truth)` -> (G, F), index tensors (n,) each, of which many are right."""
    check("Exercise 1, perfect and wrong", answer, _examine_strangers)


def _examine_strangers(answer) -> str:
    # The first tells all mistakes apart; in small ones a wrong answer may be right by chance.
    for world in ([4, 2, 0, 1, 3], [1, 0], [0, 1, 2], [2, 0, 1, 3], [3, 0, 6, 4, 1, 7, 5, 2]):
        truth = torch.tensor(world)
        found = ask(answer, truth, names=["truth"])
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise Wrong("return two tensors: G, a zebra for each horse, and F, a horse for each "
                        "zebra.")  # fmt: skip
        there, back = (_indices(listed(part), name, len(world)) for part, name in zip(found, "GF"))
        _demand_every_sample(there, "D_Y catches G", "horses", "zebra")
        _demand_every_sample(back, "D_X catches F", "zebras", "horse")
        _demand_cycle(there, back, truth)
        hits = (there == truth).nonzero().flatten().tolist()
        if len(hits) == len(world):
            raise Wrong("that is the true translation. It minimizes every loss, too; find one that "
                        "does the same and is wrong for every horse.")  # fmt: skip
        if hits:
            raise Wrong(f"of {len(world)} horses, {len(hits)} get their ground truth, for example "
                        f"horse {hits[0]} zebra {world[hits[0]]}; use `truth`.")  # fmt: skip
    return "right: what G and F generate are the datasets, each cycle is kept, no zebra is right."


def _indices(found, name: str, count: int) -> Tensor:
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if shape != (count,):
        raise Wrong(f"{name} should be a tensor of shape ({count},); this is {shape}.")
    if found.dtype not in (torch.int64, torch.int32):
        raise Wrong(f"{name} should hold whole numbers, those of scenes; it holds {found.dtype}.")
    for number in found.tolist():
        if not 0 <= number < count:
            raise Wrong(f"{name} names scene {number}, and there are only 0 to {count - 1}.")
    return found.long()


def _demand_every_sample(chosen: Tensor, caught: str, given: str, generated: str) -> None:
    often = chosen.bincount(minlength=len(chosen)).tolist()
    if 0 in often:
        raise Wrong(f"{caught}: of {len(chosen)} {given}, {max(often)} become {generated} "
                    f"{often.index(max(often))}, and {generated} {often.index(0)} is never "
                    "generated; the dataset has each of them once.")  # fmt: skip


def _demand_cycle(there: Tensor, back: Tensor, truth: Tensor) -> None:
    for horse, zebra in enumerate(there.tolist()):
        if back[zebra] == horse:
            continue
        hint = "F is the inverse, F[G[i]] = i."
        if torch.equal(back, truth.argsort()):
            hint = "Your F goes back from the *ground truth*; it has to undo what G does."
        elif torch.equal(back, there):
            hint = "F = G is the way back only where scenes are swapped in pairs; F[G[i]] = i."
        raise Wrong(f"the cycle is broken: G makes zebra {zebra} of horse {horse}, and F makes "
                    f"horse {back[zebra]} of it. {hint}")  # fmt: skip


# 2. Two straight lines


def _lines(slope=lambda std_x, std_y: std_y / std_x, inverse=lambda a: 1 / a):
    """Both pairs (a, b, c, d), the rising one first, with other formulas for a and c."""

    def pairs(mean_x, std_x, mean_y, std_y):
        a = torch.tensor([1.0, -1.0]) * slope(std_x, std_y)
        c = inverse(a)
        return torch.stack([a, mean_y - a * mean_x, c, mean_x - c * mean_y], 1)

    return pairs


def _rising_first(found):
    found = listed(found)
    fits = isinstance(found, Tensor) and found.shape == (2, 4) and not found.is_complex()
    return found[found[:, 0].argsort(descending=True)] if fits else found


def _largest_difference(found: Tensor, right: Tensor, mean_x, std_x, mean_y, std_y) -> str:
    differences = [
        (abs(value - target), f"{what} is {value:.3f} and should be {target:.3f}.")
        for a, b, c, d in found.tolist()
        for what, value, target in (
            ("D_Y catches G: σ(G(x)) = |a| σ_X", abs(a) * std_x, std_y),
            ("D_Y catches G: the mean of G(x), a μ_X + b,", a * mean_x + b, mean_y),
            ("D_X catches F: σ(F(y)) = |c| σ_Y", abs(c) * std_y, std_x),
            ("D_X catches F: the mean of F(y), c μ_Y + d,", c * mean_y + d, mean_x),
            ("the cycle is broken: a c", a * c, 1),
        )
    ]
    return max(differences)[1]


ONE_PAIR = "that is one pair, and there are two; return both, as rows of a (2, 4) tensor."
TWICE = "both rows are the same pair. What else can a slope be, so that the spread is right?"
check_lines = Exercise(
    "Exercise 2, two straight lines",
    _lines(),
    [Case((-1.0, 2.0, 3.0, 0.6)), Case((4.0, 1.5, 4.5, 3.0)), Case((0.5, 1.0, -2.0, 1.0))],
    [
        (_lines(lambda x, y: y**2 / x**2), "a is a quotient of variances; a line stretches the "
         "standard deviation: σ(G(x)) = |a| σ_X."),
        (_lines(lambda x, y: x / y), "a is upside down; |a| σ_X is to be σ_Y."),
        (_lines(lambda x, y: 1), "a is ±1, which leaves the spread as it was; it should be σ_Y."),
        (_lines(inverse=lambda a: -1 / a), "both distributions are right, and the cycle is broken: "
         "one slope is positive and the other negative. F has the sign of G."),
        (lambda *given: _lines()(*given)[[0, 0]], TWICE),
        (lambda *given: _lines()(*given)[[1, 1]], TWICE),
    ],
    result="a row (a, b, c, d) for each pair",
    shapes=lambda *given: {(4,): ONE_PAIR, (1, 4): ONE_PAIR},
    read=_rising_first,
    explain=_largest_difference,
    not_finite="is anything divided by 0?",
    praise="right: of all bijections, straight lines leave two, the true one and a mirror.",
)  # fmt: skip

# 3. The smallest cycle error


def _error(horses, zebra, answer=lambda shared: shared.median(0).values, cost=torch.abs):
    """The mean |F(G(x)) - x|, F(G(x)) being one answer for all horses that share a zebra."""
    shares = [horses[zebra == one] for one in zebra.unique()]
    return sum(cost(shared - answer(shared)).sum().item() for shared in shares) / horses.numel()


def _error_per_zebra(horses, zebra, answer):
    shares = [horses[zebra == one] for one in zebra.unique()]
    return sum((shared - answer(shared)).abs().mean().item() for shared in shares) / len(shares)


GAPS = "the numbers of the zebras need not be 0, 1, 2 without gaps; go through zebra.unique()."
SQUARED = "that is a squared error; the cycle's is the absolute difference, ‖·‖₁."
ONE_HORSE = "F answers with one of the horses; the best image has the median in each of its pixels."
ERRORS = [
    (_error, ""),
    (lambda h, z, answer: _error(h, 0 * z, answer), "F gives the same answer to every zebra; it "
     "sees which zebra it has, so each zebra gets an answer of its own."),
    (_error_per_zebra, "every zebra counts alike; the expectation is over x, so every *horse* "
     "does: a zebra of five horses counts five times."),
]  # fmt: skip
PIXELS = [
    (lambda shared: shared, ""),
    (lambda shared: shared.reshape(-1, 1), "F answers with one number for the whole image; each "
     "pixel has its own median, dim=0 of the horses of that zebra."),
]  # fmt: skip
ANSWERS = [
    (lambda shared: shared.median(0).values, ""),
    (lambda shared: shared.mean(0), "that is the error of the mean of the horses; by the absolute "
     "difference ‖·‖₁, what is nearest to many numbers is their median."),
]  # fmt: skip
check_least_cycle_error = Exercise(
    "Exercise 3, the smallest cycle error",
    lambda horses, zebra: _error(horses, zebra),
    [
        Case((random_tensor(10, 3, seed=10).exp(), torch.tensor([0, 2, 1, 0, 0, 1, 0, 2, 2, 0]))),
        Case((random_tensor(9, 4, seed=11).exp(), torch.tensor([7, 3, 7, 7, 3, 9, 7, 7, 3])), GAPS),
        Case((random_tensor(4, 2, seed=12).exp(), torch.tensor([3, 1, 0, 2]))),
        Case((random_tensor(7, 5, seed=13).exp(), torch.tensor([0] * 7))),
    ],
    [
        *combined(
            lambda error, pixels, answer: lambda h, z: error(h, z, lambda x: answer(pixels(x))),
            ERRORS, PIXELS, ANSWERS,
        ),
        (lambda h, z: _error(h, z, cost=torch.square), SQUARED),
        (lambda h, z: _error(h, z, lambda shared: shared.mean(0), torch.square), SQUARED),
        (lambda h, z: _error(h, z, lambda x: x[:, None], lambda gaps: gaps.abs().mean(0)), "that "
         "compares the horses of a zebra with each other, as if F drew one at random; it may "
         "choose the best answer."),
        (lambda h, z: _error(h, z, lambda shared: shared[0]), ONE_HORSE),
        (lambda h, z: _error(h, z, lambda shared: shared[-1]), ONE_HORSE),
        (lambda h, z: _error(h, z, lambda x: x[torch.cdist(x, x, p=1).sum(0).argmin()]), ONE_HORSE),
        (lambda h, z: _error(h, z, lambda x: (x.amax(0) + x.amin(0)) / 2), "F answers with the "
         "middle between the largest and the smallest; half of the *horses* lie on either side of "
         "the median."),
        (lambda h, z: _error(h, z) * h.numel(), "that is a sum; take the mean over the horses and "
         "over the pixels."),
        (lambda h, z: _error(h, z) * h.shape[1], "summed over the pixels; take their mean, too."),
        (lambda h, z: _error(h, z) * len(h), "summed over the horses; take their mean, too."),
        (lambda h, z: 2 * _error(h, z), "doubled: here no factor 2 for the paper's scale is asked "
         "for."),
        (lambda h, z: 0.0, "it is 0 only where no two different horses become one zebra; F has one "
         "answer to a zebra, and it cannot be both horses."),
    ],
    result="one number for all horses",
    crashes={"IndexError": GAPS},
    explain=lambda found, right, *given: f"you say {found:.4f}, and the least is {right:.4f}; F "
    "has one answer to a zebra, the best for all horses that became it.",
    not_finite="is there a zebra of which the mean over no horses is taken?",
    praise="right: a trained pair with an error below this one hides something in its zebras.",
)  # fmt: skip
