"""Checks of the exercises of notebook 06, CycleGAN."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .checking import (
    Wrong,
    ask,
    check,
    explanation,
    near,
    random_tensor,
    tried,
)

# 1. Perfect and wrong


def check_strangers(answer) -> None:
    """Exercise 1: `strangers(partner)` -> (G, F), index tensors (n,) each.

    Both games won, the cycle kept, and every horse given a zebra that is not its partner.
    """
    check("Exercise 1, perfect and wrong", answer, _examine_strangers)


# The first tells all mistakes apart; in small ones a wrong answer may be right by chance.
WORLDS = ([4, 2, 0, 1, 3], [1, 0], [0, 1, 2], [2, 0, 1, 3], [3, 0, 6, 4, 1, 7, 5, 2])


def _examine_strangers(answer) -> str:
    for world in WORLDS:
        partner = torch.tensor(world)
        there, back = _ask_strangers(answer, partner)
        _judge_heap(there, "G", "zebra", "horses", "D_Y")
        _judge_heap(back, "F", "horse", "zebras", "D_X")
        _judge_cycle(there, back, partner)
        _judge_partners(there, partner)
    return (
        "right: both discriminators see a perfect heap, each way back is kept, no zebra is right."
    )


def _ask_strangers(answer, partner: Tensor) -> list[Tensor]:
    given = partner.clone()
    found = ask(answer, given)
    if not torch.equal(given, partner):
        raise Wrong("your function changes `partner` itself; make new tensors instead.")
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two tensors: G, the zebra of each horse, and F, the horse of each "
                    "zebra.")  # fmt: skip
    return [_as_choices(choices, name, len(partner)) for choices, name in zip(found, "GF")]


def _as_choices(choices, name: str, count: int) -> Tensor:
    """What a generator chooses for each of `count` scenes, (count,) whole numbers below it."""
    if isinstance(choices, (list, tuple)):
        try:
            choices = torch.tensor(choices)
        except (TypeError, ValueError, RuntimeError) as error:
            raise Wrong(f"{name} is no tensor of whole numbers: {error}.") from error
    if not isinstance(choices, Tensor):
        raise Wrong(f"{name} should be a tensor of whole numbers; this is "
                    f"{type(choices).__name__}.")  # fmt: skip
    if choices.shape != (count,):
        raise Wrong(f"{name} has shape {tuple(choices.shape)}; of {count} scenes each needs one "
                    f"number, ({count},).")  # fmt: skip
    if choices.dtype == torch.bool or choices.is_floating_point() or choices.is_complex():
        raise Wrong(f"{name} should hold whole numbers, the numbers of scenes; it holds "
                    f"{choices.dtype}.")  # fmt: skip
    if choices.min() < 0 or choices.max() >= count:
        raise Wrong(f"{name} names scene {_outside(choices, count)}, and there are only 0 to "
                    f"{count - 1}.")  # fmt: skip
    return choices


def _outside(choices: Tensor, count: int) -> int:
    return int(choices[(choices < 0) | (choices >= count)][0])


def _judge_heap(choices: Tensor, name: str, painted: str, given: str, judge: str) -> None:
    count = len(choices)
    often = torch.bincount(choices, minlength=count)
    if (often == 1).all():
        return
    most, missing = int(often.argmax()), int((often == 0).int().argmax())
    raise Wrong(
        f"{judge} catches {name}: of {count} {given}, {int(often[most])} become {painted} {most}, "
        f"and {painted} {missing} is never painted. The heap has each of them once."
    )


def _judge_cycle(there: Tensor, back: Tensor, partner: Tensor) -> None:
    lost = back[there] != torch.arange(len(there))
    if not lost.any():
        return
    horse = int(lost.int().argmax())
    zebra = int(there[horse])
    said = f"G makes zebra {zebra} of horse {horse}, and F makes horse {int(back[zebra])} of it"
    if torch.equal(back[partner], torch.arange(len(partner))):
        raise Wrong(f"{said}. Your F goes back from the *true* partners; it has to undo what G "
                    "does, not what would be right.")  # fmt: skip
    if torch.equal(back, there):
        raise Wrong(f"{said}. F = G is the way back only where scenes are swapped in pairs; F is "
                    "the inverse, F[G[i]] = i.")  # fmt: skip
    raise Wrong(f"the cycle is broken: {said}. F is the inverse, F[G[i]] = i.")


def _judge_partners(there: Tensor, partner: Tensor) -> None:
    right = int((there == partner).sum())
    if right == len(partner):
        raise Wrong("that is the true translation. It wins everything, too; find one that wins as "
                    "much and is wrong for every horse.")  # fmt: skip
    if right:
        horse = int((there == partner).int().argmax())
        raise Wrong(f"of {len(partner)} horses, {right} get their true partner, for example horse "
                    f"{horse} zebra {int(partner[horse])}. (Partners are different in every "
                    "world, so start from `partner`.)")  # fmt: skip


# 2. Two straight lines

ONE_LINE = "that is one pair, and there are two; return both, as rows of a (2, 4) tensor."
TWICE = (
    "both rows are the same pair. The other wins as much: what else can a slope be, so that the "
    "spread is right?"
)
SIGNS = (
    "both games are won, and the cycle is broken: one slope is positive and the other negative, "
    "so there and back again turns the line round. F has the sign of G."
)
VARIANCE_SLOPE = "a is a quotient of variances; a line stretches the standard deviation: {}."
INVERSE_SLOPE = "a is upside down; what is wide as X is to be as wide as Y: {}."
UNIT_SLOPE = "a is ±1, which leaves the spread as it was; only where it is the same is that right."
CENTRE = (
    "the mean of G(x) is {:.3f}, and the zebras' is {:.3f}. The mean of the horses is stretched, "
    "too: b = μ_Y - a μ_X."
)
PEOPLE = ((-1.0, 2.0, 3.0, 0.6), (4.0, 1.5, 4.5, 3.0), (0.5, 1.0, -2.0, 1.0))


def check_lines(answer) -> None:
    """Exercise 2: `lines(mean_x, std_x, mean_y, std_y)` -> (2, 4), rows (a, b, c, d).

    G(x) = a x + b and F(y) = c y + d, both pairs of lines that win both games and keep the cycle.
    """
    check("Exercise 2, two straight lines", answer, _examine_lines)


def _examine_lines(answer) -> str:
    for numbers in PEOPLE:
        rows = _ask_lines(answer, numbers)
        for row in rows:
            _judge_line(*row.tolist(), *numbers)
        if near(*rows):
            raise Wrong(TWICE)
    return "right: of all that can win, straight lines leave two, the true one and a mirror."


def _ask_lines(answer, numbers: Sequence[float]) -> Tensor:
    found = ask(answer, *numbers)
    if isinstance(found, (list, tuple)):
        try:
            found = torch.tensor([list(row) for row in found], dtype=torch.double)
        except (TypeError, ValueError, RuntimeError) as error:
            raise Wrong(f"return a tensor (2, 4) of numbers; from this none can be made: "
                        f"{error}.") from error  # fmt: skip
    if not isinstance(found, Tensor):
        raise Wrong(f"return a tensor (2, 4); this is {type(found).__name__}.")
    if found.shape in ((4,), (1, 4)):
        raise Wrong(ONE_LINE)
    if found.shape != (2, 4) or found.is_complex():
        raise Wrong(f"the result has shape {tuple(found.shape)} and should have (2, 4): a row "
                    "(a, b, c, d) for each pair.")  # fmt: skip
    if not found.isfinite().all():
        raise Wrong("some of the numbers are not finite.")
    return found.double()


def _judge_line(a, b, c, d, mean_x, std_x, mean_y, std_y) -> None:
    """Raise `Wrong` for lines that lose a game or break the cycle."""
    row = f"({a:.3g}, {b:.3g}, {c:.3g}, {d:.3g})"
    wide = f"σ(G(x)) = |a| σ_X is {abs(a) * std_x:.3f}, and the zebras' is {std_y:.3f}"
    if not _same(abs(a) * std_x, std_y):
        for slope, hint in (
            (std_y**2 / std_x**2, VARIANCE_SLOPE),
            (std_x / std_y, INVERSE_SLOPE),
            (1.0, UNIT_SLOPE),
        ):
            if _same(abs(a), slope):
                raise Wrong(hint.format(wide))
        raise Wrong(f"D_Y catches G in {row}: {wide}.")
    if not _same(a * mean_x + b, mean_y):
        raise Wrong(CENTRE.format(a * mean_x + b, mean_y))
    if not _same(abs(c) * std_y, std_x):
        raise Wrong(f"D_X catches F in {row}: σ(F(y)) = |c| σ_Y is {abs(c) * std_y:.3f}, and the "
                    f"horses' is {std_x:.3f}.")  # fmt: skip
    if not _same(c * mean_y + d, mean_x):
        raise Wrong(f"D_X catches F in {row}: the mean of F(y) is {c * mean_y + d:.3f}, and the "
                    f"horses' is {mean_x:.3f}: d = μ_X - c μ_Y.")  # fmt: skip
    if not _same(a * c, 1.0):
        raise Wrong(SIGNS)


def _same(first: float, second: float) -> bool:
    return abs(first - second) < 1e-4 * (1 + abs(second))


# 3. The floor of the cycle

MEANS = (
    "that is what the mean of the horses pays. ‖·‖₁ is the absolute difference, and what is "
    "nearest to many numbers in that sense is their median."
)
SQUARED = "that is a squared error; the cycle's is the absolute difference, ‖·‖₁."
ONE_FOR_ALL = (
    "F gives the same answer to every zebra; it sees which zebra it has, so each zebra gets an "
    "answer of its own."
)
OVER_ZEBRAS = (
    "every zebra counts alike; the expectation is over x, so every *horse* does: a zebra painted "
    "for five horses counts five times."
)
ONE_GREY = (
    "F answers with one number for the whole image; each pixel has its own median, dim=0 of the "
    "horses of that zebra."
)
NO_CHOICE = (
    "that compares the horses of a zebra with each other, as if F drew one at random; it may "
    "choose the best answer."
)
FIRST_HORSE = (
    "F answers with one of the horses that were given, the same for all pixels. It may answer with "
    "any image, and the best has the median in each pixel."
)
MIDDLE = (
    "F answers with the middle between the largest and the smallest; the median is in the middle "
    "of the *horses*, half of them on either side."
)
IN_SUM = "that is a sum; `distance` takes the mean over the horses and over the pixels."
SUM_OVER_PIXELS = "summed over the pixels; `distance` takes their mean, too."
DOUBLED = "doubled: here no factor 2 for the paper's scale is asked for."
FLOOR_ZERO = (
    "the floor is 0 only where no two different horses become one zebra; F has one answer to "
    "a zebra, and it cannot be both horses."
)
GAPS = (
    "right where the zebras are numbered 0, 1, 2 without gaps, but not where numbers are missing; "
    "go through zebra.unique()."
)


def check_least_cycle_error(answer) -> None:
    """Exercise 3: `least_cycle_error(horses, zebra)` -> one number.

    The least mean |F(G(x)) - x| over all F, where G paints zebra number `zebra[i]` for horse i.
    """
    check("Exercise 3, the floor of the cycle", answer, _examine_floor)


def _answers(horses: Tensor, zebra: Tensor, best: Callable[[Tensor], Tensor]) -> Tensor:
    """F(G(x)) for every horse, (n, d): the best image for all horses of its zebra."""
    answers = torch.empty_like(horses)
    for one in zebra.unique():
        answers[zebra == one] = best(horses[zebra == one])
    return answers


def _median(horses: Tensor) -> Tensor:
    return horses.median(0).values


def _midrange(horses: Tensor) -> Tensor:
    return (horses.amax(0) + horses.amin(0)) / 2


def _error(horses: Tensor, zebra: Tensor, best: Callable[[Tensor], Tensor] = _median) -> Tensor:
    return (horses - _answers(horses, zebra, best)).abs().mean()


def _per_zebra(horses: Tensor, zebra: Tensor, best: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean over the zebras of the mean over each one's horses."""
    heaps = [horses[zebra == one] for one in zebra.unique()]
    return torch.stack([(heap - best(heap)).abs().mean() for heap in heaps]).mean()


def _drawn(horses: Tensor, zebra: Tensor) -> Tensor:
    """What F pays that answers with one of the zebra's horses, drawn at random."""
    costs = [
        (horses[zebra == zebra[i]] - horses[i]).abs().mean() for i in range(len(horses))
    ]  # fmt: skip
    return torch.stack(costs).mean()


def _one_horse(horses: Tensor) -> Tensor:
    """The horse that is nearest to all."""
    costs = (horses[:, None] - horses).abs().sum((1, 2))
    return horses[costs.argmin()]


FLOOR_MISTAKES = [
    (lambda h, z: _error(h, z, lambda heap: heap.mean(0)), MEANS),
    (lambda h, z: (h - _answers(h, z, lambda heap: heap.mean(0))).square().mean(), SQUARED),
    (lambda h, z: (h - _answers(h, z, _median)).square().mean(), SQUARED),
    (lambda h, z: _error(h, 0 * z), ONE_FOR_ALL),
    (lambda h, z: _error(h, 0 * z, lambda heap: heap.mean(0)), f"{ONE_FOR_ALL} And {MEANS}"),
    (lambda h, z: _per_zebra(h, z, _median), OVER_ZEBRAS),
    (lambda h, z: _per_zebra(h, z, lambda heap: heap.mean(0)), f"{OVER_ZEBRAS} And {MEANS}"),
    (lambda h, z: _error(h, z, lambda heap: heap.median().expand(heap.shape[1])), ONE_GREY),
    (lambda h, z: _error(h, z, lambda heap: heap.mean().expand(heap.shape[1])),
     f"{ONE_GREY} And {MEANS}"),
    (_drawn, NO_CHOICE),
    (lambda h, z: _error(h, z, lambda heap: heap[0]), FIRST_HORSE),
    (lambda h, z: _error(h, z, lambda heap: heap[-1]), FIRST_HORSE),
    (lambda h, z: _error(h, z, _one_horse), FIRST_HORSE),
    (lambda h, z: _error(h, z, _midrange), MIDDLE),
    (lambda h, z: _error(h, z) * h.numel(), IN_SUM),
    (lambda h, z: _error(h, z) * h.shape[1], SUM_OVER_PIXELS),
    (lambda h, z: _error(h, z) * len(h), "summed over the horses; their mean is asked for."),
    (lambda h, z: 2 * _error(h, z), DOUBLED),
    (lambda h, z: torch.zeros(()), FLOOR_ZERO),
]  # fmt: skip
# (horses, pixels, the zebra of each): without gaps, with gaps, one each, one for all.
HERDS = (
    (11, 3, [0, 2, 1, 0, 0, 1, 0, 2, 2, 0, 0]),
    (9, 4, [7, 3, 7, 7, 3, 9, 7, 7, 3]),
    (4, 2, [3, 1, 0, 2]),
    (7, 5, [0] * 7),
)


def _herd(number: int) -> tuple[Tensor, Tensor]:
    count, pixels, zebra = HERDS[number]
    return random_tensor(count, pixels, seed=10 + number).exp(), torch.tensor(zebra)


def _examine_floor(answer) -> str:
    for number in range(len(HERDS)):
        horses, zebra = _herd(number)
        try:
            found = _ask_floor(answer, horses, zebra)
        except Wrong as wrong:
            raise Wrong(f"{wrong} ({GAPS})" if number == 1 else str(wrong)) from wrong
        if near(found, _error(horses, zebra)):
            continue
        if number == 1:
            raise Wrong(GAPS)
        hint = explanation(found, tried(FLOOR_MISTAKES, horses, zebra))
        raise Wrong(hint or _say_floor(found, horses, zebra))
    return "right: a trained pair with an error below this floor has hidden something in its zebra."


def _ask_floor(answer, horses: Tensor, zebra: Tensor) -> Tensor:
    given = horses.clone(), zebra.clone()
    found = ask(answer, *given)
    if not (torch.equal(given[0], horses) and torch.equal(given[1], zebra)):
        raise Wrong("your function changes what it was given; make new tensors instead.")
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        found = torch.tensor(float(found))
    if not isinstance(found, Tensor) or found.is_complex() or found.dtype == torch.bool:
        raise Wrong(f"return one number; this is {type(found).__name__}.")
    if found.numel() != 1:
        raise Wrong(f"return one number for all horses, not a tensor of shape "
                    f"{tuple(found.shape)}.")  # fmt: skip
    found = found.reshape(()).float()
    if not found.isfinite():
        raise Wrong("the result is no finite number; is there a zebra of which the mean over no "
                    "horses is taken?")  # fmt: skip
    return found


def _say_floor(found: Tensor, horses: Tensor, zebra: Tensor) -> str:
    least = _error(horses, zebra)
    if found < least:
        return (
            f"you say {found:.4f}, and no F can get below {least:.4f}: whatever it answers to a "
            "zebra, it answers to all horses that became it."
        )
    return f"you say {found:.4f}, and there is an F that pays no more than {least:.4f}."


# 4. The pool

FILLING = {
    "grows": "the pool is not full yet, {held} of {size}, and so the fake is put into it, whatever "
    "the coin says. Yours holds {now} afterwards.",
    "shown": "while the pool is filling, the fake is shown *and* kept; you show another image.",
}
OVERFULL = "the pool holds {size} and has {now} afterwards; the fake takes the *place* of one."
EMPTIED = "the pool held {held} and has {now} afterwards; a full pool stays full."
NO_COIN = "the coin says no, and so the fake is shown as it is, and the pool stays as it was."
SWAPPED_ANYWAY = (
    "the coin is False, and the fake is swapped all the same. True means that it is swapped; False "
    "shows it as it is, and the pool stays as it was."
)
NEVER_SWAPPED = (
    "the coin is True and the pool is full, and still the fake is shown as it is; swap it with the "
    "image at `place`."
)
SHOWS_NEW = (
    "the fake goes into the pool, and the image that lay there is shown. You show the fake, so "
    "the discriminator sees no past fake at all."
)
NOT_STORED = (
    "a past fake is shown, but the pool stays as it was. The fresh one has to take its place, or "
    "the pool keeps the first fakes for ever."
)
OTHER_PLACE = "the image at `place` is swapped; yours is another one, {}."
COPIES = "the fake is there, but something else is missing: all but the image at `place` stay."


def check_exchange(answer) -> None:
    """Exercise 4: `exchange(pool, fake, size, coin, place)` -> (shown, new pool)."""
    check("Exercise 4, the pool", answer, _examine_exchange)


def _exchange(pool: list, fake: Tensor, size: int, coin: bool, place: int) -> tuple[Tensor, list]:
    """One fake meets the pool (Shrivastava et al. 2017)."""
    if len(pool) < size:
        return fake, [*pool, fake]
    if coin:
        return pool[place], [*pool[:place], fake, *pool[place + 1 :]]
    return fake, pool


def _numbers(pool: Sequence[Tensor]) -> list[float]:
    """What the images of a pool are called: each has one grey of its own."""
    return sorted(float(image.mean()) for image in pool)


# (held before, size, coin, place)
MEETINGS = (
    (2, 4, False, 0), (2, 4, True, 1), (0, 3, True, 0), (4, 4, False, 1), (4, 4, True, 2),
    (4, 4, True, 0), (4, 4, True, 3), (1, 1, True, 0),
)  # fmt: skip


def _examine_exchange(answer) -> str:
    for held, size, coin, place in MEETINGS:
        pool = [torch.full((3, 2, 2), float(number + 1)) for number in range(held)]
        fake = torch.full((3, 2, 2), 100.0)
        shown, after = _ask_exchange(answer, pool, fake, size, coin, place)
        if held < size:
            _judge_filling(shown, after, held, size)
        else:
            _judge_full(shown, after, pool, coin, place)
    return (
        "right: half of what the discriminator sees is fresh, and the other half is from the past."
    )


def _ask_exchange(answer, pool, fake, size, coin, place) -> tuple[float, list[float]]:
    """The names of the image that is shown and of those in the pool afterwards."""
    given = [image.clone() for image in pool]
    shown_to = fake.clone()
    found = ask(answer, given, shown_to, size, coin, place)
    same = len(given) == len(pool) and all(map(torch.equal, given, pool))
    if not same or not torch.equal(shown_to, fake):
        raise Wrong("your function changes the pool or the fake that it was given; return a new "
                    "list, [*pool, fake] or pool.copy().")  # fmt: skip
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two things: the image that is shown, and the list of images in "
                    "the pool afterwards.")  # fmt: skip
    shown, after = found
    if isinstance(shown, (list, tuple)) and isinstance(after, Tensor):
        raise Wrong("first the image that is shown, then the pool.")
    if not _is_image(shown):
        raise Wrong("what is shown should be one image (C, H, W), the fake or one of the pool.")
    if not isinstance(after, (list, tuple)) or not all(map(_is_image, after)):
        raise Wrong("the pool afterwards should be a list of images (C, H, W) again.")
    return float(shown.mean()), _numbers(after)


def _is_image(found) -> bool:
    return isinstance(found, Tensor) and found.shape == (3, 2, 2) and found.is_floating_point()


def _judge_filling(shown: float, after: list[float], held: int, size: int) -> None:
    if after != [*range(1, held + 1), 100]:
        raise Wrong(FILLING["grows"].format(held=held, size=size, now=len(after)))
    if shown != 100:
        raise Wrong(FILLING["shown"])


def _judge_full(shown, after, pool, coin: bool, place: int) -> None:
    size, before = len(pool), _numbers(pool)
    if len(after) != size:
        raise Wrong((OVERFULL if len(after) > size else EMPTIED).format(
            size=size, held=size, now=len(after)))  # fmt: skip
    if not coin:
        if shown != 100 and 100 in after:
            raise Wrong(SWAPPED_ANYWAY)
        if shown != 100 or after != before:
            raise Wrong(NO_COIN)
        return
    if shown == 100:
        raise Wrong(SHOWS_NEW if 100 in after else NEVER_SWAPPED)
    if after == before:
        raise Wrong(NOT_STORED)
    if shown != place + 1:
        raise Wrong(OTHER_PLACE.format(f"number {before.index(shown)} instead of {place}"
                                       if shown in before else "and none of the pool"))  # fmt: skip
    if after != sorted([*before[:place], *before[place + 1 :], 100.0]):
        raise Wrong(COPIES)
