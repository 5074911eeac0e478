"""The exercises of notebook 06: right answers pass, and each usual mistake gets its hint."""

import itertools
import math
import random

import pytest
import torch

from course_utils.exercises import cyclegan as exercises
from course_utils.exercises.checking import near
from course_utils.models.image_pool import ImagePool
from tests.wrong_answers import (
    are_told_apart,
    gets_hint,
    gets_some_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)


def strangers(partner):
    there = partner.roll(1)
    return there, there.argsort()


def strangers_by_dice(partner):
    there = partner
    while (there == partner).any():
        there = torch.randperm(len(partner))
    back = torch.empty_like(there)
    back[there] = torch.arange(len(there))
    return there, back


def strangers_renamed(partner):
    """Every true zebra, but of the next number."""
    there = (partner + 1) % len(partner)
    return there.tolist(), [there.tolist().index(zebra) for zebra in range(len(partner))]


def with_back(back):
    return lambda partner: (strangers(partner)[0], back(partner))


def strangers_in_place(partner):
    partner += 1
    partner %= len(partner)
    return partner, partner.argsort()


def lines(mean_x, std_x, mean_y, std_y):
    rows = []
    for a in (std_y / std_x, -std_y / std_x):
        c = 1 / a
        rows.append((a, mean_y - a * mean_x, c, mean_x - c * mean_y))
    return torch.tensor(rows)


def lines_with(a=None, b=None, c=None, back=None):
    """`lines` with other formulas: of the slopes, the shift, and the shift on the way back."""

    def answer(mean_x, std_x, mean_y, std_y):
        rows = []
        for sign in (1, -1):
            there = sign * (a(std_x, std_y) if a else std_y / std_x)
            shift = b(there, mean_x, mean_y) if b else mean_y - there * mean_x
            slope = c(there) if c else 1 / there
            rows.append(
                (there, shift, slope, back if back is not None else mean_x - slope * mean_y)
            )
        return torch.tensor(rows)

    return answer


def least_cycle_error(horses, zebra):
    total = 0.0
    for one in zebra.unique():
        heap = horses[zebra == one]
        total += (heap - heap.median(dim=0).values).abs().sum()
    return total / horses.numel()


def floor_by_search(horses, zebra):
    """The best answer of all: for each pixel, one of the numbers that its horses have."""
    total = 0.0
    for one in zebra.unique():
        heap = horses[zebra == one]
        costs = (heap[:, None] - heap[None]).abs().sum(1)  # (candidates, pixels)
        total += costs.amin(0).sum().item()
    return total / horses.numel()


def floor_by_quantile(horses, zebra):
    answers = torch.empty_like(horses)
    for one in set(zebra.tolist()):
        answers[zebra == one] = horses[zebra == one].quantile(0.5, dim=0)
    return (answers - horses).abs().mean()


def floor_with(best, cost=torch.abs, reduce=torch.mean):
    def answer(horses, zebra):
        answers = torch.empty_like(horses)
        for one in zebra.unique():
            answers[zebra == one] = best(horses[zebra == one])
        return reduce(cost(answers - horses))

    return answer


def median(heap):
    return heap.median(0).values


def floor_per_zebra(horses, zebra):
    heaps = [horses[zebra == one] for one in zebra.unique()]
    return sum((heap - median(heap)).abs().mean() for heap in heaps) / len(heaps)


def floor_without_gaps(horses, zebra):
    heaps = [horses[zebra == one] for one in range(len(zebra.unique()))]
    return sum((heap - median(heap)).abs().sum() for heap in heaps if len(heap)) / horses.numel()


def floor_of_empty_heaps(horses, zebra):
    heaps = [horses[zebra == one] for one in range(int(zebra.max()) + 1)]
    return sum((heap - heap.mean(0)).abs().sum() for heap in heaps) / horses.numel()


def floor_in_place(horses, zebra):
    horses -= median(horses)
    return least_cycle_error(horses, zebra)


def exchange(pool, fake, size, coin, place):
    if len(pool) < size:
        return fake, [*pool, fake]
    if not coin:
        return fake, pool
    return pool[place], [*pool[:place], fake, *pool[place + 1 :]]


def exchange_on_a_copy(pool, fake, size, coin, place):
    pool = pool.copy()
    if len(pool) < size:
        pool.append(fake)
    elif coin:
        fake, pool[place] = pool[place], fake
    return fake, pool


def exchange_to_the_end(pool, fake, size, coin, place):
    """Where in the pool the fake lies does not matter: `place` is drawn at random."""
    if len(pool) == size and not coin:
        return fake, pool
    pool = [*pool, fake]
    return (fake, pool) if len(pool) <= size else (pool.pop(place), pool)


def full_pool(rule):
    """Right while the pool is filling."""
    return lambda pool, fake, size, coin, place: (
        exchange(pool, fake, size, coin, place)
        if len(pool) < size
        else rule(pool, fake, coin, place)
    )


def on_true(rule):
    """Right unless a fake is swapped."""
    return full_pool(lambda p, f, coin, place: rule(p, f, place) if coin else (f, p))


def swapped(pool, fake, place):
    return [*pool[:place], fake, *pool[place + 1 :]]


def exchange_in_place(pool, fake, size, coin, place):
    pool.append(fake)
    return fake, pool


def paints_over(pool, fake, size, coin, place):
    if len(pool) == size and coin:
        shown = pool[place].clone()
        pool[place].copy_(fake)
        return shown, pool
    return exchange(pool, fake, size, coin, place)


RIGHT = [
    (exercises.check_strangers, strangers_by_dice),
    (exercises.check_strangers, strangers_renamed),
    (exercises.check_strangers, lambda p: [p.roll(-1).int(), p.roll(-1).argsort()]),
    (exercises.check_strangers, strangers),
    (exercises.check_lines, lambda *given: lines(*given).flip(0)),
    (exercises.check_lines, lambda *given: lines(*given).tolist()),
    (exercises.check_lines, lambda *given: tuple(lines(*given).double())),
    (exercises.check_lines, lines),
    (exercises.check_least_cycle_error, floor_by_search),
    (exercises.check_least_cycle_error, floor_by_quantile),
    (exercises.check_least_cycle_error, floor_with(median)),
    (exercises.check_least_cycle_error, least_cycle_error),
    (exercises.check_exchange, exchange_on_a_copy),
    (exercises.check_exchange, exchange_to_the_end),
    (exercises.check_exchange, exchange),
]
CHECKS = dict(RIGHT)


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    passes(check, answer, capsys)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_stub_is_not_attempted_and_a_crash_is_told(check, capsys):
    says_what_stopped(check, capsys)


IMAGE = torch.zeros(3, 2, 2)
NONSENSE = [
    "text", 3, 2.5, True, [1.0], [1.0, 2.0], (torch.zeros(2), "text"), torch.zeros(3, 3),
    torch.zeros(2, 4), torch.zeros(1, 1, 1, 1), torch.tensor([math.nan]), torch.tensor(1),
    (math.nan, math.inf), {"mean": 1.0}, math.inf, torch.full((2, 4), math.nan),
    ([], []), ([0, 0], [0, 0]), ([0, 5], [-1, 0]), ([[1]], 2), ("ab", "cd"), (IMAGE, IMAGE),
    (IMAGE, [IMAGE, 3]), (IMAGE, []), (torch.zeros(2) > 0, torch.zeros(2) > 0),
    torch.zeros(2, 4, dtype=torch.cfloat), [[1, 2, 3, 4], [1, 2, 3]],
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_whatever_is_returned_gets_a_hint(check, nonsense, capsys):
    gets_some_hint(check, nonsense, capsys)


STRANGERS = [
    (lambda p: (p, p.argsort()), "that is the true translation"),
    (lambda p: (torch.arange(len(p)).roll(1), torch.arange(len(p)).roll(-1)), "of 5 horses, 2 get"),
    (
        lambda p: (p.flip(0), p.flip(0).argsort()),
        "of 5 horses, 1 get their true partner, for example horse 2 zebra 0",
    ),
    (lambda p: (0 * p, 0 * p), "D_Y catches G: of 5 horses, 5 become zebra 0, and zebra 1 is"),
    (with_back(lambda p: 0 * p), "D_X catches F: of 5 zebras, 5 become horse 0"),
    (with_back(lambda p: p.argsort()), "goes back from the *true* partners"),
    (lambda p: (strangers(p)[0],) * 2, "F = G is the way back only where"),
    (with_back(lambda p: strangers(p)[0].argsort().roll(1)), "the cycle is broken: G makes zebra"),
    (strangers_in_place, "changes `partner` itself"),
    (lambda p: strangers(p)[0], "return two tensors"),
    (lambda p: torch.stack(strangers(p)), "return two tensors"),
    (lambda p: (strangers(p)[0].float(), strangers(p)[1]), "G should hold whole numbers"),
    (
        lambda p: (strangers(p)[0], strangers(p)[1] + 1),
        "F names scene 5, and there are only 0 to 4",
    ),
    (lambda p: (strangers(p)[0][:-1], strangers(p)[1]), "G has shape (4,)"),
    (lambda p: (torch.eye(len(p)), p), "G has shape (5, 5)"),
    (lambda p: (strangers, strangers), "this is function"),
    (lambda p: (["a", "b"], p), "G is no tensor of whole numbers"),
]
LINES = [
    (lambda *given: lines(*given)[:1], "that is one pair"),
    (lambda *given: lines(*given)[0], "that is one pair"),
    (lambda *given: lines(*given)[:1].repeat(2, 1), "both rows are the same pair"),
    (lines_with(c=lambda a: -1 / a), "F has the sign of G"),
    (lines_with(a=lambda x, y: y**2 / x**2), "a quotient of variances"),
    (lines_with(a=lambda x, y: x / y), "a is upside down"),
    (lines_with(a=lambda x, y: 1.0), "which leaves the spread as it was"),
    (
        lines_with(a=lambda x, y: x * y),
        "D_Y catches G in (1.2, 4.2, 0.833, -3.5): σ(G(x)) = |a| σ_X",
    ),
    (lines_with(b=lambda a, x, y: y - x), "b = μ_Y - a μ_X"),
    (lines_with(b=lambda a, x, y: y), "the mean of G(x) is 2.700, and the zebras' is 3.000"),
    (lines_with(c=lambda a: a), "D_X catches F in"),
    (lines_with(back=0.0), "d = μ_X - c μ_Y"),
    (lambda *given: lines(*given).T, "has shape (4, 2)"),
    (lambda *given: lines(*given) / 0, "are not finite"),
    (lambda *given: "a x + b", "this is str"),
    (lambda *given: [(1, 2, 3, 4), (1, 2)], "from this none can be made"),
]
FLOOR = [
    (floor_with(lambda heap: heap.mean(0)), "the mean of the horses pays"),
    (floor_with(median, torch.square), "a squared error"),
    (floor_with(lambda heap: heap.mean(0), torch.square), "a squared error"),
    (lambda h, z: (h - median(h)).abs().mean(), "the same answer to every zebra"),
    (lambda h, z: (h - h.mean(0)).abs().mean(), "an answer of its own. And that is what the mean"),
    (floor_per_zebra, "every zebra counts alike"),
    (floor_with(lambda heap: heap.median()), "one number for the whole image"),
    (floor_with(lambda heap: heap.mean()), "dim=0 of the horses of that zebra. And"),
    (floor_with(lambda heap: heap[:1]), "with one of the horses that were given"),
    (floor_with(lambda heap: heap[-1:]), "with one of the horses that were given"),
    (floor_with(lambda heap: (heap.amax(0) + heap.amin(0)) / 2), "between the largest and the"),
    (floor_with(median, reduce=torch.sum), "that is a sum"),
    (lambda h, z: least_cycle_error(h, z) * h.shape[1], "summed over the pixels"),
    (lambda h, z: least_cycle_error(h, z) * len(h), "summed over the horses"),
    (lambda h, z: 2 * least_cycle_error(h, z), "no factor 2"),
    (lambda h, z: 0.0, "the floor is 0 only where"),
    (
        lambda h, z: torch.stack(
            [(h[z == one] - horse).abs().mean() for horse, one in zip(h, z)]
        ).mean(),
        "as if F drew one at random",
    ),
    (floor_without_gaps, "go through zebra.unique()"),
    (floor_with(lambda heap: heap.quantile(0.4, dim=0)), "there is an F that pays no more than"),
    (lambda h, z: 0.5 * least_cycle_error(h, z), "no F can get below"),
    (floor_in_place, "changes what it was given"),
    (floor_with(median, reduce=lambda error: error.mean(0)), "one number for all horses"),
    (floor_with(median, reduce=lambda error: error.mean() / 0), "no finite number"),
    (lambda h, z: "0.1", "this is str"),
]
EXCHANGE = [
    (lambda p, f, size, coin, place: (f, p), "the pool is not full yet, 2 of 4"),
    (
        lambda p, f, size, coin, place: exchange(p, f, size if coin else 0, coin, place),
        "whatever the coin says. Yours holds 2",
    ),
    (lambda p, f, size, coin, place: (p[place], [*p, f]), "the fake is shown *and* kept"),
    (full_pool(lambda p, f, coin, place: (f, [*p, f])), "the pool holds 4 and has 5 afterwards"),
    (full_pool(lambda p, f, coin, place: (f, p[:place] + p[place + 1 :])), "and has 3 afterwards"),
    (full_pool(lambda p, f, coin, place: exchange(p, f, 1, not coin, place)), "swapped all the"),
    (full_pool(lambda p, f, coin, place: exchange(p, f, 1, True, place)), "swapped all the same"),
    (full_pool(lambda p, f, coin, place: (p[place], p)), "the coin says no"),
    (full_pool(lambda p, f, coin, place: (f, p)), "the coin is True and the pool is full"),
    (on_true(lambda p, f, place: (f, swapped(p, f, place))), "sees no past fake at all"),
    (on_true(lambda p, f, place: (p[place], p)), "keeps the first fakes for ever"),
    (on_true(lambda p, f, place: (p[0], [*p[1:], f])), "yours is another one, number 0 instead of"),
    (on_true(lambda p, f, place: (p[place], swapped(p, f, 0))), "all but the image at `place`"),
    (on_true(lambda p, f, place: (p[place], [f] * len(p))), "all but the image at `place` stay"),
    (on_true(lambda p, f, place: ((p[place] + f) / 2, swapped(p, f, place))), "none of the pool"),
    (exchange_in_place, "changes the pool or the fake"),
    (paints_over, "changes the pool or the fake"),
    (lambda *given: exchange(*given)[::-1], "first the image that is shown"),
    (lambda *given: exchange(*given)[0], "return two things"),
    (lambda *given: (exchange(*given)[0][0], given[0]), "should be one image"),
    (lambda *given: (given[1], torch.stack(exchange(*given)[1])), "should be a list of images"),
]
WRONG = wrong_answers(
    {
        exercises.check_strangers: STRANGERS,
        exercises.check_lines: LINES,
        exercises.check_least_cycle_error: FLOOR,
        exercises.check_exchange: EXCHANGE,
    }
)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


def test_no_mistake_is_taken_for_another_or_for_the_answer():
    given = exercises._herd(0)
    results = [(least_cycle_error(*given), "right")]
    results += [(mistake(*given), hint) for mistake, hint in exercises.FLOOR_MISTAKES]
    are_told_apart(results)


def test_the_figures_of_the_solution_on_strangers():
    worlds = {n: list(itertools.permutations(range(n))) for n in (1, 3, 8)}
    wrong = {
        n: [all(zebra != horse for horse, zebra in enumerate(world)) for world in all_of_them]
        for n, all_of_them in worlds.items()
    }
    assert sum(wrong[1]) == 0
    assert (sum(wrong[3]), len(wrong[3])) == (2, 6)
    assert abs(sum(wrong[8]) / len(wrong[8]) - 1 / math.e) < 1e-4
    assert round(100 / math.e) == 37
    hits = [sum(zebra == horse for horse, zebra in enumerate(world)) for world in worlds[8]]
    assert sum(hits) == len(hits)  # one hit on average


def test_the_figures_of_the_solution_on_lines():
    x = 2 + 3 * torch.linspace(0.001, 0.999, 999).double().logit()  # some symmetric heap
    x = (x - x.mean()) / x.std() * 1.5 + 2
    mean_y, std_y = 5.0, 0.6
    y = (x - 2) / 1.5 * std_y + mean_y
    fines = []
    for a, b, c, d in lines(2.0, 1.5, mean_y, std_y).tolist():
        assert near((a * x + b).sort().values, y.sort().values, 1e-5)
        assert near(c * (a * x + b) + d, x, 1e-5)
        fines.append((a * y + b - y).abs().mean())
    assert 0 < fines[0] < fines[1]
    # Equal spreads: the true line only shifts, and pays the shift.
    a, b, _, _ = lines(2.0, 1.5, mean_y, 1.5)[0].tolist()
    assert (a * y + b - y).abs().mean().item() == pytest.approx(3.0)


def test_the_figures_of_the_solution_on_the_floor():
    coats = torch.linspace(0, 1, 1001)[:, None]
    assert least_cycle_error(coats, torch.arange(1001)).item() == 0
    floor = least_cycle_error(coats, torch.zeros(1001, dtype=torch.long))
    assert abs(floor.item() - 0.25) < 1e-3
    # Nine dark horses and a pale one: the median pays less than the mean.
    herd = torch.tensor([[0.0]] * 9 + [[1.0]])
    assert near(least_cycle_error(herd, torch.zeros(10)), torch.tensor(0.1))
    assert near(floor_with(lambda heap: heap.mean(0))(herd, torch.zeros(10)), torch.tensor(0.18))


def test_the_figures_of_the_solution_on_the_pool():
    dice, pool, ages, fresh, fakes = random.Random(0), [], [], 0, 40_000
    for now in range(fakes):
        shown, pool = exchange(pool, now, 50, dice.random() < 0.5, dice.randrange(50))
        if now > 1_000:
            fresh += shown == now
            ages += [now - shown] * (shown != now)
    assert abs(fresh / (fakes - 1_000) - 0.5) < 0.01
    assert abs(sum(ages) / len(ages) - 100) < 3


def test_the_pool_of_the_exercise_is_that_of_the_course():
    torch.manual_seed(0)
    course, mine = ImagePool(3, (1, 1, 1)), []
    for name in range(40):
        fake = torch.full((1, 1, 1), float(name))
        before = course.images[: course.held].flatten().tolist()
        shown = course.exchange(fake[None]).item()
        after = course.images[: course.held].flatten().tolist()
        coin = len(before) == 3 and shown != name
        place = before.index(shown) if coin else 0
        expected, mine = exchange(mine, float(name), 3, coin, place)
        assert (shown, after) == (expected, mine)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_leaves_the_dice_of_the_notebook_alone(check, capsys):
    leaves_the_dice_alone(check, CHECKS[check], capsys)
