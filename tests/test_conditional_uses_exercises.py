"""The exercises of notebook 05b: right answers pass, and each usual mistake gets its hint."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import conditional_uses as exercises
from tests.wrong_answers import (
    are_told_apart,
    gets_hint,
    gets_some_hint,
    leaves_the_dice_alone,
    passes,
    says_what_stopped,
    wrong_answers,
)


def halfway(first, second, share):
    k, share = first.shape[1], share[:, None]
    cosine = (first * second).sum(dim=1, keepdim=True) / k
    angle = cosine.clamp(-1, 1).acos().clamp(min=1e-3)
    mixed = ((1 - share) * angle).sin() * first + (share * angle).sin() * second
    return k**0.5 * F.normalize(mixed, dim=1)


def halfway_divided(first, second, share):
    """Slerp as it is usually written, and the straight line where the angle is too small."""
    share = share[:, None]
    angle = F.cosine_similarity(first, second).clamp(-1, 1).acos()[:, None]
    here, there = ((1 - share) * angle).sin() / angle.sin(), (share * angle).sin() / angle.sin()
    line = torch.lerp(first, second, share)
    return torch.where(angle > 1e-3, here * first + there * second, line)


def halfway_by_rotation(first, second, share):
    """Along the direction that is at right angles to the first vector."""
    length = first.norm(dim=1, keepdim=True)
    along = (first * second).sum(1, keepdim=True) / length
    across = second - along / length * first
    angle = share[:, None] * torch.atan2(across.norm(dim=1, keepdim=True), along)
    return angle.cos() * first + length * angle.sin() * F.normalize(across, dim=1)


def halfway_by_hand(first, second, share):
    points = []
    for a, b, s in zip(first.double(), second.double(), share.tolist()):
        cosine = float(a @ b) / len(a)
        angle = math.acos(max(-1.0, min(1.0, cosine)))
        if angle < 1e-4:
            points.append(a)
            continue
        here, there = math.sin((1 - s) * angle), math.sin(s * angle)
        points.append((here * a + there * b) / math.sin(angle))
    return torch.stack(points)


def halves_of_halves(first, second, share):
    """Forty times to the middle of what is left, on the side where the share lies."""
    first, second, share = first.double(), second.double(), share.double()[:, None]
    length = first.norm(dim=1, keepdim=True)
    for _ in range(40):
        middle, later = length * F.normalize(first + second, dim=1), share > 0.5
        first, second = torch.where(later, middle, first), torch.where(later, second, middle)
        share = torch.where(later, 2 * share - 1, 2 * share)
    return first


def without_clamp(first, second, share):
    share = share[:, None]
    angle = ((first * second).sum(1, keepdim=True) / first.shape[1]).acos()
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def without_a_guard(first, second, share):
    share, angle = share[:, None], F.cosine_similarity(first, second).clamp(-1, 1).acos()[:, None]
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def with_epsilon(first, second, share):
    """No NaN for equal vectors, and 0 instead."""
    share, angle = share[:, None], exercises._angle(first, second)[:, None]
    mixed = ((1 - share) * angle).sin() * first + (share * angle).sin() * second
    return mixed / (angle.sin() + 1e-8)


def with_long_cosine(first, second, share):
    share, angle = share[:, None], (first * second).sum(1, keepdim=True).acos()
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def line(first, second, share):
    return torch.lerp(first, second, share[:, None])


def even_line(first, second, share):
    return first.shape[1] ** 0.5 * F.normalize(line(first, second, share), dim=1)


def caught(logits):
    return F.softplus(-logits).mean()


def distance(drawing, truth):
    return (truth - drawing).abs().mean()


def wishes(verdict=caught, away=distance):
    return lambda d, x, t, w: verdict(d) + w * away(x, t)


loss = wishes()


def loss_without_gradient(logits, drawing, truth, weight):
    with torch.no_grad():
        return loss(logits, drawing, truth, weight)


def loss_by_hand(logits, drawing, truth, weight):
    total = 0
    for patch in logits.flatten():
        total = total + torch.log1p((-patch.abs()).exp()) + (-patch).clamp(min=0)
    return total / logits.numel() + weight * F.l1_loss(drawing, truth)


def price(possible):
    of_mean = (possible - possible.mean(dim=0)).square().sum(dim=1).mean()
    of_draw = (possible[:, None] - possible).square().sum(dim=2).mean()
    return of_mean, of_draw


def price_by_hand(possible):
    images = possible.tolist()
    n, mean = len(images), [sum(pixel) / len(images) for pixel in zip(*images)]

    def error(first, second):
        return sum((a - b) ** 2 for a, b in zip(first, second))

    of_mean = sum(error(truth, mean) for truth in images) / n
    return of_mean, sum(error(a, b) for a in images for b in images) / n**2


def first_as(of_mean):
    return lambda x: (of_mean(x), price(x)[1])


def second_as(of_draw):
    return lambda x: (price(x)[0], of_draw(x))


def by_dice(possible):
    drawn = possible[torch.randint(len(possible), (50,))]
    true = possible[torch.randint(len(possible), (50,))]
    return price(possible)[0], (drawn - true).square().sum(1).mean()


def nearness(hole, window):
    return F.avg_pool2d(hole.float(), window, stride=1, padding=window // 2)


def weight(hole, window):
    return nearness(hole, window) * ~hole


def weight_by_convolution(hole, window):
    kernel = torch.full((1, 1, window, window), 1 / window**2)
    return F.conv2d(hole.float(), kernel, padding="same").masked_fill(hole, 0)


def weight_by_unfold(hole, window):
    columns = F.unfold(hole.double(), window, padding=window // 2).mean(1)
    return torch.where(hole, 0, columns.view(hole.shape))


def weight_by_hand(hole, window):
    weights, reach = torch.zeros(hole.shape), window // 2
    for n, _, row, column in (~hole).nonzero().tolist():
        top, left = max(row - reach, 0), max(column - reach, 0)
        around = hole[n, 0, top : row + reach + 1, left : column + reach + 1]
        weights[n, 0, row, column] = around.sum() / window**2
    return weights


def outside(measure):
    return lambda hole, window: measure(hole, window) * ~hole


def padded(mode):
    return outside(lambda h, w: F.avg_pool2d(F.pad(h.float(), [w // 2] * 4, mode), w, 1))


def in_place(hole, window):
    weights = weight(hole, window)
    hole |= True
    return weights


def section_4(hole, window=7):
    weights = (nearness(hole, window) + 0.2) * ~hole
    return weights / weights.mean()


RIGHT = [
    (exercises.check_halfway, halfway_divided),
    (exercises.check_halfway, halfway_by_rotation),
    (exercises.check_halfway, halfway_by_hand),
    (exercises.check_halfway, halves_of_halves),
    (exercises.check_halfway, halfway),
    (exercises.check_generator_loss, loss_by_hand),
    (exercises.check_generator_loss, wishes(lambda d: -F.logsigmoid(d).mean())),
    (
        exercises.check_generator_loss,
        wishes(lambda d: F.binary_cross_entropy_with_logits(d, torch.ones_like(d)), F.l1_loss),
    ),
    (exercises.check_generator_loss, wishes(lambda d: (1 + (-d.double()).exp()).log().mean())),
    (exercises.check_generator_loss, loss),
    (exercises.check_price_of_deciding, price_by_hand),
    (exercises.check_price_of_deciding, lambda x: torch.stack(price(x))),
    (exercises.check_price_of_deciding, lambda x: list(price(x.double()))),
    (exercises.check_price_of_deciding, lambda x: (price(x)[0].item(), 2 * price(x)[0].view(1))),
    (
        exercises.check_price_of_deciding,
        lambda x: (x.var(0, correction=0).sum(), torch.cdist(x, x).square().mean()),
    ),
    (exercises.check_price_of_deciding, price),
    (exercises.check_context_weight, weight_by_convolution),
    (exercises.check_context_weight, weight_by_unfold),
    (exercises.check_context_weight, weight_by_hand),
    (exercises.check_context_weight, lambda h, w: torch.where(h, 0.0, nearness(h, w))),
    (exercises.check_context_weight, lambda h, w: (1 - h.float()) * nearness(h, w)),
    (exercises.check_context_weight, weight),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    passes(check, answer, capsys)


CHECKS = dict.fromkeys(check for check, _ in RIGHT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_stub_is_not_attempted_and_a_crash_is_told(check, capsys):
    says_what_stopped(check, capsys)


NONSENSE = [
    "text", 3, 2.5, True, [1.0], [1.0, 2.0], (torch.zeros(2), "text"), torch.zeros(3, 3),
    torch.zeros(2, 3, 3), torch.tensor([math.nan]), torch.tensor(math.nan), torch.tensor(1),
    (math.nan, math.inf), torch.zeros(2), {"mean": 1.0},
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_whatever_is_returned_gets_a_hint(check, nonsense, capsys):
    gets_some_hint(check, nonsense, capsys)


HALFWAY = [
    (line, "cuts through the sphere"),
    (lambda a, b, s: line(b, a, s), "half way. And `share` is taken from the wrong end"),
    (even_line, "right only half way and at the two ends"),
    (lambda a, b, s: even_line(b, a, s), "a share of the angle. And `share` is taken from"),
    (lambda a, b, s: F.normalize(halfway(a, b, s), dim=1), "the vectors have length 1"),
    (lambda a, b, s: F.normalize(line(a, b, s), dim=1), "no other length. And it is a straight"),
    (lambda a, b, s: F.normalize(halfway(b, a, s), dim=1), "no other length. And `share`"),
    (lambda a, b, s: a.shape[1] ** 0.5 * halfway(a, b, s), "it should be √k"),
    (lambda a, b, s: halfway(b, a, s), "taken from the wrong end"),
    (lambda a, b, s: halfway(a, b, 0.5 + 0 * s), "half way, whatever `share` says"),
    (lambda a, b, s: even_line(a, b, 0.5 + 0 * s), "half way, whatever `share` says"),
    (lambda a, b, s: exercises._sines(a, b, s), "divided by the sine of the whole angle"),
    (lambda a, b, s: exercises._one_angle(a, b, s), "one angle is taken for the whole batch"),
    (lambda a, b, s: a, "the first vector, wherever"),
    (lambda a, b, s: b, "the second vector, wherever"),
    (with_long_cosine, "divided by both lengths, that is by k"),
    (without_clamp, "two equal ones give NaN"),
    (without_a_guard, "two equal ones give NaN"),
    (with_epsilon, "between two equal ones it gives a vector of length 0.00"),
    (
        lambda a, b, s: torch.where((s[:, None] * (1 - s[:, None])) > 0, halfway(a, b, s), a),
        "right on the way, but at its ends: that is the first vector",
    ),
    (lambda a, b, s: halfway(a, b, s.square()), "of an angle of"),
    (lambda a, b, s: (1 - s) * a + s * b, "as a column, share[:, None]"),
    (lambda a, b, s: a @ b, "not a product of matrices"),
    (lambda a, b, s: halfway(a, b, s)[0], "one vector a pair"),
    (lambda a, b, s: halfway(a, b, s).long(), "finite numbers"),
    (lambda a, b, s: halfway(a, b, s).tolist(), "return a tensor"),
]
LOSS = [
    (wishes(lambda d: F.softplus(d).mean()), "is what D pays for a drawing"),
    (wishes(lambda d: -(1 - d.sigmoid()).log().mean()), "is what D pays for a drawing"),
    (wishes(lambda d: (1 - d.sigmoid()).log().mean()), "saturates"),
    (wishes(lambda d: -caught(d)), "G is paid for being caught"),
    (wishes(lambda d: F.softplus(-d.mean())), "Every patch pays for itself"),
    (wishes(lambda d: F.softplus(-d.mean((1, 2))).mean()), "the mean logit of each image"),
    (wishes(lambda d: F.softplus(d.mean())), "mean logit, and of the wrong sign"),
    (wishes(lambda d: F.softplus(-d).sum()), "the patches are summed"),
    (wishes(lambda d: F.softplus(-d).sum((1, 2)).mean()), "the patches are summed"),
    (wishes(lambda d: -d.mean()), "the verdict of a critic (WGAN)"),
    (wishes(lambda d: -d.sigmoid().mean()), "negative log is missing"),
    (wishes(lambda d: (d - 1).square().mean()), "least squares"),
    (wishes(lambda d: F.softplus(-d.sigmoid()).mean()), "which has one inside"),
    (wishes(lambda d: -d.log().mean()), "Logits have either sign and no log"),
    (wishes(lambda d: -d.sigmoid().log().mean()), "σ(-200) is rounded to 0"),
    (wishes(lambda d: -(d.sigmoid() + 1e-12).log().mean()), "σ(-200) is rounded to 0"),
    (wishes(away=lambda x, t: (t - x).abs().sum()), "the distances are summed"),
    (wishes(away=lambda x, t: (t - x).abs().sum((1, 2, 3)).mean()), "the distances are summed"),
    (wishes(away=F.mse_loss), "the distance is squared"),
    (wishes(away=lambda x, t: F.mse_loss(x, t, reduction="sum")), "the median. And the distances"),
    (wishes(away=lambda x, t: F.mse_loss(x, t).sqrt()), "root of the mean square"),
    (wishes(away=lambda x, t: (x - t).flatten(1).norm(dim=1).mean()), "the L2 norm"),
    (wishes(away=lambda x, t: (t - x).mean()), "have signs and cancel out"),
    (wishes(away=lambda x, t: (x - t).mean()), "have signs and cancel out"),
    (wishes(away=lambda x, t: (x - t).mean().abs()), "have signs and cancel out"),
    (wishes(away=lambda x, t: -distance(x, t)), "paid for being far"),
    (lambda d, x, t, w: w * caught(d) + distance(x, t), "belongs to the distance"),
    (lambda d, x, t, w: w * (caught(d) + distance(x, t)), "multiplies both wishes"),
    (lambda d, x, t, w: caught(d) + distance(x, t), "does not occur"),
    (lambda d, x, t, w: caught(d) + distance(x, t) / w, "divided by its weight"),
    (lambda d, x, t, w: (1 - w) * caught(d) + w * distance(x, t), "is no share"),
    (lambda d, x, t, w: caught(d), "D's verdict alone"),
    (lambda d, x, t, w: distance(x, t), "a regression"),
    (lambda d, x, t, w: w * distance(x, t), "a regression"),
    (lambda d, x, t, w: caught(d) + 20 * distance(x, t), "and its weight 0.3, so the loss is"),
    (wishes(away=F.smooth_l1_loss), "D's verdict is"),
    (lambda d, x, t, w: loss(d, x.detach(), t, w), "flows back to the drawing"),
    (lambda d, x, t, w: loss(d.detach(), x, t, w), "flows back to the logits"),
    (lambda d, x, t, w: loss(d, x, t, w).detach(), "flows back to the generator"),
    (loss_without_gradient, "flows back to the generator"),
    (
        lambda d, x, t, w: loss(d, x, t, w) + (distance(x.detach(), t) - distance(x, t)) * w / 2,
        "but not its gradient for the drawing",
    ),
    (lambda d, x, t, w: loss(d, x, t, w).item(), "leave out .item()"),
    (lambda d, x, t, w: F.softplus(-d) + w * distance(x, t), "one number a patch"),
    (lambda d, x, t, w: caught(d) + w * (x - t).abs(), "one number a pixel"),
    (
        lambda d, x, t, w: F.softplus(-d).mean((1, 2)) + w * (x - t).abs().mean((1, 2, 3)),
        "one number an image",
    ),
    (lambda d, x, t, w: F.softplus(-d) + w * (x - t).abs(), "average each term to one number"),
    (lambda d, x, t, w: (caught(d), distance(x, t)), "return a tensor"),
]
PRICE = [
    (first_as(lambda x: x.var(0).sum()), "always the mean: that divides by n - 1"),
    (first_as(lambda x: x.T.cov().trace()), "always the mean: that divides by n - 1"),
    (lambda x: (x.var(0).sum(), 2 * x.var(0).sum()), "always the mean: that divides by n - 1"),
    (first_as(lambda x: x.var(0).mean()), "take their sum. And that divides by n - 1"),
    (lambda x: tuple(each / x.shape[1] for each in price(x)), "mean over the pixels"),
    (lambda x: tuple(each.sqrt() for each in price(x)), "a root is taken"),
    (first_as(lambda x: x.std(0, correction=0).sum()), "a root is taken"),
    (first_as(lambda x: (x - x.mean(0)).norm(dim=1).mean()), "a root is taken"),
    (first_as(lambda x: price(x)[0] * len(x)), "only one of them is the truth"),
    (first_as(lambda x: (x - x.mean()).square().sum(1).mean()), "a grey image"),
    (first_as(lambda x: x.var(correction=0)), "a grey image"),
    (first_as(lambda x: x.var()), "a grey image"),
    (first_as(lambda x: (x - x.mean(1)[:, None]).square().sum(1).mean()), "of each image"),
    (first_as(lambda x: x.square().sum(1).mean()), "a black image"),
    (first_as(lambda x: (x - x.mean(0)).abs().sum(1).mean()), "are not squared"),
    (first_as(lambda x: price(x)[0] + 1), "images of 3 pixels the error is"),
    (second_as(lambda x: F.pdist(x).square().mean()), "only pairs of different images"),
    (second_as(lambda x: 2 * x.var(0).mean()), "their sum. And only pairs of different"),
    (second_as(lambda x: (x - x).square().sum(1).mean()), "compared with itself"),
    (second_as(lambda x: price(x)[0]), "as cheap as the mean"),
    (second_as(lambda x: F.pdist(x).square().sum() / len(x) ** 2), "as cheap as the mean"),
    (second_as(lambda x: x.var(0).sum()), "and with n - 1"),
    (second_as(lambda x: price(x)[1] / x.shape[1]), "one at random: the mean over the pixels"),
    (second_as(lambda x: price(x)[1].sqrt()), "a root is taken"),
    (second_as(lambda x: 2 * price(x)[0].sqrt()), "a root is taken"),
    (second_as(lambda x: (x[:, None] - x).norm(dim=2).mean()), "a root is taken"),
    (second_as(lambda x: F.pdist(x).mean()), "a root is taken; it is"),
    (second_as(lambda x: 4 * price(x)[0]), "their squares add"),
    (second_as(lambda x: (x[:, None] - x).square().sum()), "the sum over all pairs"),
    (second_as(lambda x: (x[:, None] - x).square().sum() / len(x)), "divided by n only"),
    (second_as(lambda x: F.pdist(x).square().sum()), "the sum over the pairs i < j"),
    (second_as(lambda x: (x[:, None] - x).abs().sum(2).mean()), "are not squared"),
    (second_as(lambda x: (x - x.roll(1, 0)).square().sum(1).mean()), "with one neighbour"),
    (second_as(lambda x: price(x)[1] + 1), "one at random: of 5 possible images"),
    (by_dice, "Throw no dice"),
    (lambda x: price(x)[::-1], "in the wrong order"),
    (lambda x: price(x)[0], "return two numbers"),
    (lambda x: (*price(x), 3.01), "return two numbers"),
    (first_as(lambda x: (x - x.mean(0)).square().mean(0)), "not a tensor of shape (3,)"),
    (second_as(lambda x: "2 v"), "one at random: return one number"),
    (
        lambda x: (x.var(0).sum() * (1 - 1 / len(x)), 2 * x.var(0).sum() * (1 - 1 / len(x))),
        "if only one image is possible",
    ),
]
WEIGHT = [
    (nearness, "* ~hole"),
    (lambda h, w: nearness(h, w) * h, "not * hole"),
    (outside(lambda h, w: nearness(~h, w)), "share of pixels that can be seen; a pixel"),
    (lambda h, w: nearness(~h, w), "can be seen, in the hole, too"),
    (outside(lambda h, w: 1 - nearness(h, w)), "one minus the share"),
    (lambda h, w: 1 - nearness(h, w), "one minus the share"),
    (outside(lambda h, w: F.max_pool2d(h.float(), w, 1, w // 2)), "only asks whether"),
    (lambda h, w: F.max_pool2d(h.float(), w, 1, w // 2), "the hole itself gets 1"),
    (
        outside(lambda h, w: F.avg_pool2d(h.float(), w, 1, w // 2, count_include_pad=False)),
        "fewer pixels (count_include_pad=False)",
    ),
    (padded("replicate"), "are repeated"),
    (padded("reflect"), "is mirrored"),
    (padded("circular"), "the opposite edge"),
    (outside(lambda h, w: nearness(h, w) * w**2), "how many pixels"),
    (outside(lambda h, w: nearness(h, w) * w), "divided by window only"),
    (outside(lambda h, w: nearness(h, w) * w**2 / (w**2 - 1)), "the middle is left out"),
    (outside(lambda h, w: nearness(h, w) + 0.2), "nothing is added to the share"),
    (lambda h, w: weight(h, w) / weight(h, w).mean(), "not divided by their mean"),
    (section_4, "the weight of section 4; here nothing is added to the share, and"),
    (lambda h, w: section_4(h), "the window is given"),
    (lambda h, w: weight(h, 7), "always 7"),
    (lambda h, w: weight(h, 2 * w + 1), "`window` wide altogether"),
    (lambda h, w: ~h, "counts the same"),
    (lambda h, w: weight(h, w) ** 2, "outside the hole, has the weight"),
    (lambda h, w: weight(h, w) + 0.1 * h, "in the hole, has the weight 0.1"),
    (lambda h, w: F.avg_pool2d(h.float(), w, 1), "pool with stride=1 and padding=window // 2"),
    (lambda h, w: F.avg_pool2d(h.float(), w, 1, 1) * ~h, "padding=window // 2"),
    (lambda h, w: F.avg_pool2d(h.float(), w) * ~h, "so that each pixel keeps its place"),
    (lambda h, w: F.avg_pool2d(h.float(), w, 1, w) * ~h, "a window reaches window // 2"),
    (lambda h, w: F.avg_pool2d(h.float(), w, 1, 3) * ~h, "a window reaches window // 2"),
    (lambda h, w: F.avg_pool2d(h, w, 1, w // 2), "pooling takes floats"),
    (lambda h, w: nearness(h, w) * (1 - h), "the opposite of a mask"),
    (in_place, "changes `hole` itself"),
    (lambda h, w: weight(h, w).clamp(min=1e-3 * h.all()), "that is all hole has no weights but 0"),
    (lambda h, w: weight(h, w).mean(0), "one weight a pixel"),
    (lambda h, w: weight(h, w).tolist(), "return a tensor"),
]
WRONG = wrong_answers(
    {
        exercises.check_halfway: HALFWAY,
        exercises.check_generator_loss: LOSS,
        exercises.check_price_of_deciding: PRICE,
        exercises.check_context_weight: WEIGHT,
    }
)


@pytest.mark.filterwarnings("ignore:var")  # of one possible image
@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_wrong_answer_gets_the_right_hint(check, answer, hint, capsys):
    gets_hint(check, answer, hint, capsys)


TABLES = {
    "halfway": (exercises.HALFWAY_MISTAKES, exercises._pairs(24, 6, 1), halfway),
    "loss": (exercises.LOSS_MISTAKES, (*exercises._round_of(2, 3, 8, 1), 20), loss),
    "loss, small weight": (exercises.LOSS_MISTAKES, (*exercises._round_of(4, 5, 6, 2), 0.3), loss),
    "mean": (exercises.MEAN_MISTAKES, [exercises._possible(5, 3, 1)], lambda x: price(x)[0]),
    "draw": (exercises.DRAW_MISTAKES, [exercises._possible(5, 3, 1)], lambda x: price(x)[1]),
    "weight": (exercises.WEIGHT_MISTAKES, (exercises._holes(13, 11, 1), 5), weight),
    "weight, larger window": (exercises.WEIGHT_MISTAKES, (exercises._holes(10, 12, 2), 9), weight),
}


@pytest.mark.parametrize(("table", "given", "right"), TABLES.values(), ids=TABLES)
def test_no_mistake_is_taken_for_another_or_for_the_answer(table, given, right):
    results = [(right(*given), "right")]
    results += [(mistake(*given), hint) for mistake, hint in table]
    are_told_apart(results)


def test_the_figures_of_the_solutions():
    """What the questions before the exercises are answered with."""
    ends = torch.eye(2)
    walk = [even_line(ends[:1], ends[1:], torch.tensor([n / 8])) for n in range(9)]
    steps = [exercises._angle(a, b).rad2deg().item() for a, b in zip(walk, walk[1:])]
    assert steps == pytest.approx([8.1, 10.3, 12.5, 14.0, 14.0, 12.5, 10.3, 8.1], abs=0.1)
    logits = torch.tensor([10.0, 10.0, 10.0, -10.0])
    assert caught(logits).item() == pytest.approx(2.5, abs=0.01)
    assert F.softplus(-logits.mean()).item() == pytest.approx(0.007, abs=0.001)
    assert 20 / (3 * 32 * 32) == pytest.approx(0.0065, abs=0.0001)

    left = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    left[..., :16] = True
    column = weight(left, 7)[0, 0, :, 16]
    assert column[16].item() == pytest.approx(3 / 7)
    assert column[[0, 31]].tolist() == pytest.approx([12 / 49] * 2)
    assert not weight(left, 1).any()


def test_an_image_near_the_mean_costs_less_than_a_drawn_one():
    """v + ‖x - m‖² for an image that is always the same, as the solution says."""
    possible = exercises._possible(8, 4, 2)
    of_mean, of_draw = price(possible)
    away = (possible - possible.mean(0)).square().sum(1)
    always = torch.stack([(possible - one).square().sum(1).mean() for one in possible])
    torch.testing.assert_close(always, of_mean + away)
    assert always.min() < of_draw


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_leaves_the_dice_of_the_notebook_alone(check, capsys):
    leaves_the_dice_alone(check, dict(RIGHT)[check], capsys)
