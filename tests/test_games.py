"""The games of lesson 04, read from the notebook: every loss against a second derivation.

The cells tagged "games" are the only place where these losses are written, so that what the lesson
shows is what is tested.
"""

import math
import re
from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from types import SimpleNamespace

import matplotlib
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from course_utils import models
from course_utils.authoring.notebooks import NOTEBOOKS, definitions
from course_utils.data import mixtures
from course_utils.training import Optimiser, fit

RUNS, BATCH = 3, 8


@pytest.fixture(scope="module")
def lesson():
    """The names that the cells tagged "games" define."""
    with matplotlib.rc_context():  # the notebook's style is not that of other tests
        return SimpleNamespace(
            **definitions(NOTEBOOKS / "04_gans_and_mode_collapse.ipynb", tag="games")
        )


@pytest.fixture
def points():
    """Real points and fakes, (RUNS, BATCH, 2) each, in double precision."""
    torch.manual_seed(1)
    real, fake = torch.randn(2, RUNS, BATCH, 2, dtype=torch.double)
    return real, fake + 0.5


@pytest.fixture
def judge(lesson):
    """A discriminator in double precision whose logits are well away from zero."""
    torch.manual_seed(2)
    D = lesson.discriminator(RUNS).double()
    with torch.no_grad():
        for weight in D.parameters():
            weight *= 1.7
    return D


class Linear(nn.Module):
    """D(x) = w·x, with one w a run."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x):
        return (x * self.weight[:, None]).sum(-1)


def bowl(x, steepness=3.0):
    """D(x) = a ‖x‖² / 2, whose gradient is a x."""
    return steepness * x.square().sum(-1) / 2


def along(function, x, direction, step=1e-6):
    """The slope of a function of a double tensor in a direction, by finite differences."""
    ahead, behind = function(x + step * direction), function(x - step * direction)
    return (ahead - behind).item() / (2 * step)


def slope_by_differences(function, x, step=1e-6):
    """The gradient of a function of one number with respect to a double tensor."""
    slope = torch.empty_like(x)
    for place in range(x.numel()):
        shift = torch.zeros_like(x)
        shift.view(-1)[place] = step
        slope.view(-1)[place] = (function(x + shift) - function(x - shift)) / (2 * step)
    return slope


# Losses of the scores alone

LOSSES = {
    # name: the formula of the paper, from probabilities and scores of real points and fakes
    "d_classify": lambda p, q, a, b: -p.log() - (1 - q).log(),
    "g_nonsaturating": lambda p, q, a, b: -q.log(),
    "g_minimax": lambda p, q, a, b: (1 - q).log(),
    "d_squares": lambda p, q, a, b: ((a - 1) ** 2 + b**2) / 2,
    "g_squares": lambda p, q, a, b: (b - 1) ** 2 / 2,
    "d_critic": lambda p, q, a, b: b - a,
    "g_critic": lambda p, q, a, b: -b,
    "d_relativistic": lambda p, q, a, b: -(a - b).sigmoid().log(),
    "g_relativistic": lambda p, q, a, b: -(b - a).sigmoid().log(),
    "d_softened": lambda p, q, a, b: -0.9 * p.log() - 0.1 * (1 - p).log() - (1 - q).log(),
    "d_energy": lambda p, q, a, b: a + torch.where(b < 1, 1 - b, 0.0),
    "g_energy": lambda p, q, a, b: b,
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_mean_of_its_textbook_formula_in_every_run(lesson, judge, points, name):
    real, fake = points
    with torch.no_grad():
        a, b = judge(real), judge(fake)
        loss = getattr(lesson, name)(judge, real, fake)
    expected = LOSSES[name](a.sigmoid(), b.sigmoid(), a, b)
    assert loss.shape == (RUNS,)
    for run in range(RUNS):
        by_hand = sum(expected[run].tolist()) / BATCH
        assert loss[run].item() == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("name", ["d_classify", "g_nonsaturating", "g_minimax", "d_softened"])
def test_a_loss_stays_finite_where_the_judge_is_certain(lesson, name):
    scores = torch.tensor([[[300.0, 0.0]], [[-300.0, 0.0]]], requires_grad=True)
    loss = getattr(lesson, name)(lambda x: x[..., 0], scores, scores)
    (slope,) = torch.autograd.grad(loss.sum(), scores)
    assert loss.isfinite().all() and slope.isfinite().all()


DIRECTIONS = {  # what is good for a player: higher scores of real points, higher scores of fakes
    "d_classify": (+1, -1), "d_squares": (+1, -1), "d_critic": (+1, -1),
    "d_relativistic": (+1, -1), "d_softened": (+1, -1), "d_energy": (-1, +1),
    "g_nonsaturating": (0, +1), "g_minimax": (0, +1), "g_squares": (0, +1),
    "g_critic": (0, +1), "g_relativistic": (-1, +1), "g_energy": (0, -1),
}  # fmt: skip


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_loss_pulls_scores_the_way_its_player_wants(lesson, name):
    real, fake = torch.full((2, 1, 1, 2), 0.5).requires_grad_().unbind()
    loss = getattr(lesson, name)(lambda x: x[..., 0], real, fake)
    slopes = torch.autograd.grad(loss.sum(), (real, fake), materialize_grads=True)
    signs = tuple(-int(slope[0, 0, 0].sign()) for slope in slopes)
    assert signs == DIRECTIONS[name]


def test_labels_are_softened_on_the_real_side_only(lesson, judge, points):
    cross_entropy = functional.binary_cross_entropy_with_logits
    loss = lesson.d_softened(judge, *points)
    for run in range(RUNS):
        a, b = (judge(part)[run] for part in points)
        expected = cross_entropy(a, torch.full_like(a, 0.9))
        expected = expected + cross_entropy(b, torch.zeros_like(b))
        assert loss[run].item() == pytest.approx(expected.item(), rel=1e-9)


def test_relativistic_losses_compare_pairs_and_not_means(lesson):
    real, fake = torch.tensor([[[1.0, 0], [2.0, 0]]]), torch.tensor([[[4.0, 0], [-3.0, 0]]])
    expected = (math.log(1 + math.exp(4 - 1)) + math.log(1 + math.exp(-3 - 2))) / 2
    found = lesson.d_relativistic(lambda x: x[..., 0], real, fake)
    assert found.item() == pytest.approx(expected, rel=1e-6)
    expected = (math.log(1 + math.exp(1 - 4)) + math.log(1 + math.exp(2 + 3))) / 2
    found = lesson.g_relativistic(lambda x: x[..., 0], real, fake)
    assert found.item() == pytest.approx(expected, rel=1e-6)


# Energy


def test_a_fake_beyond_the_margin_is_left_alone(lesson):
    fake = torch.tensor([[[0.2, 0.0], [0.9, 0.0], [1.1, 0.0], [5.0, 0.0]]], requires_grad=True)
    real = torch.tensor([[[0.3, 0.0], [0.5, 0.0]]])
    loss = lesson.d_energy(lambda x: x[..., 0], real, fake)
    assert loss.item() == pytest.approx(0.4 + (0.8 + 0.1) / 4)
    (slope,) = torch.autograd.grad(loss.sum(), fake)
    assert slope[0, :, 0].tolist() == pytest.approx([-0.25, -0.25, 0, 0])
    wider = lesson.d_energy(lambda x: x[..., 0], real, fake, margin=2.0)
    assert wider.item() == pytest.approx(0.4 + (1.8 + 1.1 + 0.9) / 4)


def test_the_cost_is_the_squared_error_of_the_autoencoder(lesson, points):
    cost, x = lesson.Cost(RUNS).double(), points[0]
    with torch.no_grad():
        found, decoded = cost(x), cost.autoencoder(x)
    assert found.shape == (RUNS, BATCH) and (found >= 0).all()
    a, b = decoded[2, 5].tolist(), x[2, 5].tolist()
    assert found[2, 5].item() == pytest.approx((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


# Slopes and their penalties


def test_slopes_of_a_judge_are_its_finite_differences(lesson, judge, points):
    x = points[0]
    with torch.no_grad():
        expected = slope_by_differences(lambda x: judge(x).sum(), x)
    assert torch.allclose(lesson.slopes(judge, x), expected, atol=1e-6)
    assert not x.requires_grad


def test_the_gradient_penalty_of_a_linear_critic_is_known(lesson, points):
    weight = torch.tensor([[3.0, 4.0], [0.6, 0.8], [0.0, 0.25]], dtype=torch.double)
    penalty = lesson.gradient_penalty(Linear(weight), *points)
    assert penalty.tolist() == pytest.approx([16.0, 0.0, 0.5625], abs=1e-9)


def test_the_gradient_penalty_is_taken_between_pairs_of_real_points_and_fakes(lesson, points):
    real, fake = points
    torch.manual_seed(5)
    penalty = lesson.gradient_penalty(bowl, real, fake)
    torch.manual_seed(5)
    share = torch.rand(RUNS, BATCH, 1)
    between = torch.lerp(fake, real, share.double())
    expected = (3 * between.norm(dim=-1) - 1).square().mean(-1)
    assert torch.allclose(penalty, expected)


def test_the_gradient_penalty_looks_at_the_whole_way_between_them(lesson):
    seen = []

    def critic(x):
        seen.append(x)
        return x.sum(-1)

    lesson.gradient_penalty(critic, torch.zeros(2, 2000, 2), torch.ones(2, 2000, 2))
    (between,) = seen
    assert torch.equal(between[..., 0], between[..., 1])  # on the line
    share = between[..., 0].detach().sort(dim=-1).values
    assert torch.allclose(share, torch.linspace(0, 1, 2000).expand(2, -1), atol=0.06)  # uniform


@pytest.mark.parametrize("name", ["gradient_penalty", "r1_r2"])
def test_a_penalty_teaches_the_judge(lesson, judge, points, name):
    """Its gradient for the weights of D goes through the gradient for x, and is the right one."""
    weights = {key: weight.detach() for key, weight in judge.named_parameters()}

    def penalty(moved):
        torch.manual_seed(5)
        D = partial(functional_call, judge, moved)
        return getattr(lesson, name)(D, *points).sum()

    leaves = {key: weight.clone().requires_grad_() for key, weight in weights.items()}
    slopes = torch.autograd.grad(penalty(leaves), [*leaves.values()], materialize_grads=True)
    for key, slope in zip(weights, slopes):
        direction = torch.randn_like(slope)
        expected = along(lambda w, key=key: penalty({**weights, key: w}), weights[key], direction)
        assert (slope * direction).sum().item() == pytest.approx(expected, rel=1e-4, abs=1e-7), key


def test_r1_and_r2_of_a_bowl_are_known(lesson, points):
    real, fake = points
    expected = [
        0.5 * 9 * (sum(x * x + y * y for x, y in a) + sum(x * x + y * y for x, y in b)) / BATCH
        for a, b in zip(real.tolist(), fake.tolist())
    ]
    assert lesson.r1_r2(bowl, real, fake).tolist() == pytest.approx(expected)


def test_r1_and_r2_are_those_of_each_run_alone(lesson, judge, points):
    found = lesson.r1_r2(judge, *points)
    for run in range(RUNS):
        expected = 0.0
        for heap in points:
            x = heap[run].clone().requires_grad_()
            for number in range(BATCH):  # one example after another
                everybody = x[number].expand(RUNS, 1, 2)
                (slope,) = torch.autograd.grad(judge(everybody)[run, 0], x)
                expected += 0.5 * slope.square().sum().item() / BATCH
        assert found[run].item() == pytest.approx(expected, rel=1e-9)


def test_the_fading_weight_falls_to_almost_nothing(lesson):
    weights = [lesson.fading(part / 10) for part in range(11)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(0.501) and weights[-1] == pytest.approx(0.001)
    assert weights[5] == pytest.approx(0.5 / 4 + 0.001)


def largest_weight(net):
    return nn.utils.parameters_to_vector(net.parameters()).abs().max().item()


def test_clipping_bounds_every_weight_and_leaves_small_ones_alone(lesson):
    D = lesson.discriminator(2)
    before = [weight.detach().clone() for weight in D.parameters()]
    lesson.clip(D)
    for weight, old in zip(D.parameters(), before):
        assert torch.equal(weight.detach(), old.clamp(-0.1, 0.1))
        assert weight.requires_grad and weight.grad_fn is None
    assert largest_weight(D) == pytest.approx(0.1)
    lesson.clip(D, bound=0.01)
    assert largest_weight(D) == pytest.approx(0.01)


# Unrolling


def plain_losses(D, real, fake):
    """The two losses of the plain game, for one run or several, from probabilities."""
    p, q = D(real).sigmoid(), D(fake).sigmoid()
    return -p.log().mean(-1) - (1 - q).log().mean(-1), -q.log().mean(-1)


def test_without_steps_the_unrolled_loss_is_the_plain_one(lesson, judge, points):
    found = lesson.g_unrolled(judge, *points, steps=0)
    assert torch.allclose(found, plain_losses(judge, *points)[1])


@pytest.mark.parametrize("steps", [1, 3])
def test_the_unrolled_loss_is_that_of_a_copy_of_the_judge_that_has_moved(
    lesson, judge, points, steps
):
    ahead = deepcopy(judge)
    optimiser = torch.optim.SGD(ahead.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        plain_losses(ahead, *points)[0].sum().backward()
        optimiser.step()
    found = lesson.g_unrolled(judge, *points, steps=steps)
    assert found.shape == (RUNS,)
    assert torch.allclose(found, plain_losses(ahead, *points)[1])
    assert not torch.allclose(found, plain_losses(judge, *points)[1], atol=1e-3)


def test_unrolling_takes_the_steps_of_its_name(lesson, judge, points):
    (steps,) = (int(name.split()[1]) for name in lesson.games if name.startswith("unrolled, "))
    found = lesson.g_unrolled(judge, *points)
    assert torch.equal(found, lesson.g_unrolled(judge, *points, steps=steps, rate=0.1))
    assert not torch.equal(found, lesson.g_unrolled(judge, *points, steps=steps + 1))


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_the_unrolled_gradient_goes_through_the_judge_s_steps(lesson, judge, points, steps):
    real, fake = points[0], points[1].clone().requires_grad_()

    def loss(fake):
        return lesson.g_unrolled(judge, real, fake, steps=steps).sum()

    (slope,) = torch.autograd.grad(loss(fake), fake)
    for seed in range(3):
        torch.manual_seed(seed)
        direction = torch.randn_like(fake)
        expected = along(loss, fake.detach(), direction)
        assert (slope * direction).sum().item() == pytest.approx(expected, rel=1e-5, abs=1e-9)
    if steps:  # and is another one than that of a judge who moves without being watched
        ahead = deepcopy(judge)
        for _ in range(steps):
            loss_of_d = plain_losses(ahead, real, fake.detach())[0].sum()
            moves = torch.autograd.grad(loss_of_d, [*ahead.parameters()])
            with torch.no_grad():
                for weight, move in zip(ahead.parameters(), moves):
                    weight -= 0.1 * move
        (blind,) = torch.autograd.grad(plain_losses(ahead, real, fake)[1].sum(), fake)
        assert (slope - blind).norm() > 0.01 * blind.norm()


def test_unrolling_leaves_the_judge_as_it_is(lesson, judge, points):
    before = deepcopy(judge.state_dict())
    fake = points[1].clone().requires_grad_()
    lesson.g_unrolled(judge, points[0], fake).sum().backward(inputs=[fake])
    assert all(torch.equal(before[key], value) for key, value in judge.state_dict().items())
    assert all(weight.grad is None for weight in judge.parameters())


# What the judge sees


def test_minibatch_features_are_mean_distances_to_the_others(lesson, points):
    x = points[0]
    seen = lesson.WithDistances()(x)
    assert seen.shape == (RUNS, BATCH, 3) and torch.equal(seen[..., :2], x)
    for run in range(RUNS):
        for i in range(BATCH):
            others = [math.dist(x[run, i], x[run, j]) for j in range(BATCH) if j != i]
            assert seen[run, i, 2].item() == pytest.approx(sum(others) / (BATCH - 1), rel=1e-6)


def test_minibatch_features_have_a_gradient_for_the_others_and_for_twins(lesson):
    x = torch.randn(1, 6, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(lesson.WithDistances()(x)[0, 0, 2], x)
    assert (slope[0].norm(dim=-1) > 0).all()
    twins = torch.ones(1, 40, 2, requires_grad=True)  # a generator that is collapsed entirely
    (slope,) = torch.autograd.grad(lesson.WithDistances()(twins).square().sum(), twins)
    assert slope.isfinite().all()


def test_a_pack_holds_neighbours_side_by_side(lesson, points):
    x = points[0]
    packs = lesson.Packed(4)(x)
    assert packs.shape == (RUNS, 2, 8)
    for run in range(RUNS):
        for pack in range(2):
            expected = [number for i in range(4) for number in x[run, 4 * pack + i].tolist()]
            assert packs[run, pack].tolist() == expected
    assert torch.equal(lesson.Packed(1)(x), x)


def test_packs_have_the_size_of_their_name(lesson):
    (name,) = (name for name in lesson.games if name.startswith("packing, "))
    D = lesson.games[name].make_discriminator(RUNS)
    assert D(torch.randn(RUNS, 24, 2)).shape == (RUNS, 24 // int(name.split()[1]))


@pytest.mark.parametrize(("size", "packs"), [(2, 4), (4, 2), (8, 1)])
def test_a_judge_of_packs_gives_one_score_a_pack(lesson, size, packs):
    D, x = lesson.packed(RUNS, size), torch.randn(RUNS, BATCH, 2)
    scores = D(x)
    assert scores.shape == (RUNS, packs)
    x[0, 0] += 1  # only the first pack has changed
    changed = (D(x) != scores).tolist()
    assert changed[0] == [True] + [False] * (packs - 1) and not any(changed[1] + changed[2])


def test_packs_that_do_not_come_out_even_are_refused(lesson):
    with pytest.raises(RuntimeError):
        lesson.Packed(4)(torch.randn(RUNS, 6, 2))


def test_a_judge_with_distances_has_one_score_an_example(lesson):
    assert lesson.with_distances(RUNS)(torch.randn(RUNS, BATCH, 2)).shape == (RUNS, BATCH)


def test_noise_on_what_the_judge_sees_has_the_strength_it_says(lesson):
    x = torch.randn(2, 5000, 2)
    torch.manual_seed(0)
    noise = lesson.Noisy()(x) - x
    assert noise.std().item() == pytest.approx(0.1, rel=0.03)
    assert noise.mean().abs() < 0.01
    assert torch.equal(lesson.Noisy()(x, sigma=0.0), x)


def test_a_labelled_generator_asks_for_every_class_and_says_which(lesson):
    game = lesson.with_labels(5)
    torch.manual_seed(0)
    G, D = game.make_generator(RUNS), game.make_discriminator(RUNS)
    made = G(torch.randn(RUNS, 400, 2))
    assert made.shape == (RUNS, 400, 7) and D(made).shape == (RUNS, 400)
    labels = made[..., 2:]
    assert set(labels.unique().tolist()) == {0.0, 1.0} and (labels.sum(-1) == 1).all()
    assert (labels.mean((0, 1)) - 0.2).abs().max() < 0.06
    assert game.labelled and game.generator_loss is lesson.g_nonsaturating
    # The point is drawn for the label that stands beside it.
    z = torch.zeros(RUNS, 400, 2)
    made, one_of_each = G(z)[0], torch.eye(5)
    for label in one_of_each:
        same = made[(made[:, 2:] == label).all(-1)][:, :2]
        own = G.net(torch.cat([torch.zeros(2), label]).expand(RUNS, 1, 7))[0, 0]
        assert torch.allclose(same, own.expand_as(same), atol=1e-6)


# Spectral normalisation


def matrices(layer, inputs):
    """What a layer multiplies with, from what it does to unit vectors."""
    with torch.no_grad():
        runs = layer.weight.shape[0]
        basis = torch.eye(inputs, dtype=layer.weight.dtype)
        return layer(basis.expand(runs, -1, -1)) - layer.bias


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 64), (20, 20), (64, 1)])
def test_a_layer_that_does_not_stretch_has_a_largest_singular_value_of_one(lesson, inputs, outputs):
    torch.manual_seed(0)
    layer = lesson.Unstretched(RUNS, inputs, outputs).double()
    with torch.no_grad():
        layer.weight *= torch.tensor([0.01, 1.0, 50.0]).double()[:, None, None]
    for _ in range(200):
        effective = matrices(layer, inputs)
    largest = torch.linalg.svdvals(effective)[:, 0]
    assert torch.allclose(largest, torch.ones(RUNS).double(), atol=1e-2)
    exact = layer.weight / torch.linalg.svdvals(layer.weight)[:, :1, None]
    assert torch.allclose(effective, exact, atol=1e-2)


def test_power_iteration_keeps_up_with_weights_that_move_a_little(lesson):
    torch.manual_seed(0)
    layer = lesson.Unstretched(RUNS, 16, 16)
    for _ in range(300):
        matrices(layer, 16)
        with torch.no_grad():
            layer.weight += 0.002 * torch.randn_like(layer.weight)
    assert (torch.linalg.svdvals(matrices(layer, 16))[:, 0] - 1).abs().max() < 0.1


def test_the_gradient_of_spectral_normalisation_goes_through_the_singular_value(lesson):
    torch.manual_seed(0)
    layer, x = lesson.Unstretched(1, 4, 3).double(), torch.randn(1, 6, 4, dtype=torch.double)
    for _ in range(500):
        matrices(layer, 4)

    def exact(weight):
        return (x @ (weight / torch.linalg.svdvals(weight)[:, :1, None])).square().sum()

    with torch.no_grad():
        layer.bias.zero_()
    (slope,) = torch.autograd.grad(layer(x).square().sum(), layer.weight)
    direction = torch.randn_like(slope)
    expected = along(exact, layer.weight.detach(), direction)
    assert (slope * direction).sum().item() == pytest.approx(expected, rel=1e-4)


def test_every_layer_of_the_judge_that_does_not_stretch_is_one(lesson):
    D = lesson.unstretched(2)
    layers = [layer for layer in D.modules() if isinstance(layer, models.ParallelLinear)]
    assert len(layers) == 4 and all(isinstance(layer, lesson.Unstretched) for layer in layers)
    for _ in range(100):
        D(torch.randn(2, 4, 2))
    a, b = torch.randn(2, 2, 300, 2)
    with torch.no_grad():
        steepness = (D(a) - D(b)).abs() / (a - b).norm(dim=-1)
    assert steepness.max() < 1.05


# All games


@pytest.fixture(scope="module")
def mixture():
    return mixtures.ring(4).standardised()


def every_game(lesson, mixture):
    return {name: lesson.game_on(name, mixture) for name in lesson.NAMES}


def batch_for(game, mixture, runs=RUNS, batch=BATCH):
    """A batch of real examples as `play` makes them, (runs, batch, 2 or more)."""
    points, labels = mixture.sample_with_labels(runs, batch)
    if game.labelled:
        one_hot = functional.one_hot(labels, len(mixture.means))
        return torch.cat([points, one_hot], dim=-1)
    return points


def losses_of(game, G, D, real, z, seed=0):
    """Every loss of a game, with the random numbers of a seed."""
    torch.manual_seed(seed)
    parts = {"D": game.discriminator_loss(D, real, G(z)), "G": game.generator_loss(D, real, G(z))}
    if game.penalty:
        parts["penalty"] = game.penalty(D, real, G(z))
    return parts


def test_the_names_are_those_of_all_games_and_of_the_labels(lesson, mixture):
    assert sorted(lesson.NAMES) == sorted([*lesson.games, "labels"])
    assert len(set(lesson.NAMES)) == len(lesson.NAMES) >= 20
    assert lesson.game_on("labels", mixture).make_generator(1).classes == 4
    assert lesson.game_on("plain", mixture) is lesson.plain is lesson.games["plain"]


def test_in_every_game_runs_do_not_influence_each_other(lesson, mixture):
    """One number a run, which the data, the noise and the weights of another run leave alone."""
    for name, game in every_game(lesson, mixture).items():
        torch.manual_seed(0)
        G, D = game.make_generator(RUNS), game.make_discriminator(RUNS)
        real, z = batch_for(game, mixture), torch.randn(RUNS, BATCH, 2)
        state = deepcopy(D.state_dict())
        before = losses_of(game, G, D, real, z)
        D.load_state_dict(state)  # power iteration goes on at every look
        real, z = real.clone(), z.clone()
        real[1, :, :2] += 0.3
        z[1] *= 2
        moved = losses_of(game, G, D, real, z)
        D.load_state_dict(state)
        with torch.no_grad():
            for weight in [*G.parameters(), *D.parameters()]:
                weight[1] *= 1.5
        other = losses_of(game, G, D, real, z)
        for part, losses in before.items():
            assert losses.shape == (RUNS,), (name, part)
            for later in (moved, other):
                assert torch.allclose(losses[[0, 2]], later[part][[0, 2]], atol=1e-6), (name, part)
                assert losses[1] != later[part][1], (name, part)


def test_in_every_game_the_gradient_of_a_run_is_its_own(lesson, mixture):
    for name, game in every_game(lesson, mixture).items():
        torch.manual_seed(0)
        G, D = game.make_generator(RUNS), game.make_discriminator(RUNS)
        real, z = batch_for(game, mixture), torch.randn(RUNS, BATCH, 2)
        for part, net in (("D", D), ("G", G)):
            loss = losses_of(game, G, D, real, z)[part]
            weights = [*net.parameters()]
            slopes = torch.autograd.grad(loss[0], weights, materialize_grads=True)
            assert all((slope[1:] == 0).all() for slope in slopes), (name, part)
            assert any((slope[0] != 0).any() for slope in slopes), (name, part)


def test_every_game_can_be_played(lesson, mixture, lab):
    """A few rounds each: the losses are numbers, both players move, the average follows."""
    for name, game in every_game(lesson, mixture).items():
        G, D = game.make_generator(2), game.make_discriminator(2)
        nets = {"generator": G, "discriminator": D, "average": deepcopy(G)}
        before = deepcopy(nets)
        data = batch_for(game, mixture, runs=3 * BATCH * game.k, batch=2)  # (examples, runs, ...)
        size = BATCH * game.k
        run = fit(lesson.rounds_of(game), data, nets, lab, epochs=1, batch_size=size, lr=1e-3)
        assert run.history["D"].shape == run.history["G"].shape == (3,), name
        for player, net in nets.items():
            pairs = [*zip(net.parameters(), before[player].parameters())]
            assert all(now.isfinite().all() for now, _ in pairs), (name, player)
            assert any(not torch.equal(now, then) for now, then in pairs), (name, player)
            assert all(now.shape[0] == 2 for now, _ in pairs), (name, player)


@pytest.mark.parametrize("name", ["plain", "labels", "Wasserstein, clipped"])
def test_play_trains_for_the_steps_and_on_the_batches_asked(lesson, mixture, lab, name, capsys):
    game, seen = lesson.game_on(name, mixture), []

    def watched(D, real, fake):
        seen.append((real.shape, fake.shape))
        return game.discriminator_loss(D, real, fake)

    watching = {"watch": lambda nets: torch.zeros(1), "watch_at": [0, 100]}
    told = replace(game, discriminator_loss=watched)
    nets, run = lesson.play(told, mixture, lab, runs=2, steps=100, batch=4, **watching)
    assert len(run.history["D"]) == len(run.history["G"]) == 100
    assert len(seen) == 100 * game.k
    wide = 2 + 4 * game.labelled
    assert set(seen) == {((2, 4, wide), (2, 4, wide))}
    assert [step for step, _ in run.snapshots] == [0, 100]
    assert "2 seeds, ring: 1 epochs" in capsys.readouterr().out
    if name == "Wasserstein, clipped":
        assert largest_weight(nets["discriminator"]) == pytest.approx(0.1)


def test_play_hands_the_rules_and_the_data_to_the_loop(lesson, mixture, monkeypatch):
    told = {}

    def loop(step, data, nets, lab, **how):
        told.update(how, data=data, nets=nets)

    monkeypatch.setitem(lesson.play.__globals__, "fit", loop)
    game = replace(lesson.with_labels(4), rates=(0.1, 0.2), k=3)
    nets, _ = lesson.play(game, mixture, None, runs=2, steps=500, batch=5, save="kept")
    assert told["nets"] is nets and [*nets] == ["generator", "discriminator", "average"]
    assert told["lr"] == {"generator": 0.1, "discriminator": 0.2, "average": 0.0}
    assert told["betas"] == (0.5, 0.99) and told["schedule"] is game.schedule
    assert (told["epochs"], told["batch_size"], told["save"]) == (5, 15, "kept")
    points, labels = told["data"].split([2, 4], dim=-1)
    assert points.shape == (1500, 2, 2)
    nearest = torch.cdist(points, mixture.means).argmin(-1)
    assert torch.equal(labels, functional.one_hot(nearest, 4).float())
    pairs = zip(nets["generator"].parameters(), nets["average"].parameters())
    assert all(torch.equal(a, b) and a is not b for a, b in pairs)

    patient = replace(lesson.plain, momentum=0.25, patience=4)
    lesson.play(patient, mixture, None, runs=2, steps=500, batch=5)
    assert told["betas"] == (0.25, 0.99) and told["epochs"] == 20


def test_a_round_keeps_the_rules_of_its_game(lesson, mixture, lab):
    """k steps of D on k different parts, each penalised and followed by `after`; then G once."""
    calls = []

    def d_loss(D, real, fake):
        calls.append(("D", real))
        assert not fake.requires_grad and not torch.equal(real, fake)
        return lesson.d_classify(D, real, fake)

    def g_loss(D, real, fake):
        calls.append(("G", real))
        assert fake.requires_grad
        return lesson.g_nonsaturating(D, real, fake)

    def weight(progress):
        calls.append(("weight", progress))
        return 7.0

    def penalty(D, real, fake):
        return D(real).mean(-1)

    game = lesson.Game(
        d_loss, g_loss, k=2, penalty=penalty, penalty_weight=weight,
        after=lambda D: calls.append(("after", D)),
    )  # fmt: skip
    G, D = game.make_generator(RUNS), game.make_discriminator(RUNS)
    frozen = deepcopy(D)
    nets = SimpleNamespace(generator=G, discriminator=D, average=deepcopy(G))
    average = [weight.detach().clone() for weight in G.parameters()]
    opts = SimpleNamespace(
        generator=Optimiser(G.parameters(), 1e-2, (0.5, 0.99), lab),
        discriminator=Optimiser(D.parameters(), 0.0, (0.5, 0.99), lab),
    )
    opts.discriminator.progress = 0.25
    batch = mixture.sample(2 * BATCH, RUNS)
    torch.manual_seed(0)
    measures = lesson.rounds_of(game)(batch, nets, opts)
    assert [name for name, _ in calls] == ["D", "weight", "after"] * 2 + ["G"]
    first, second, third = (part for name, part in calls if name in "DG")
    assert torch.equal(torch.cat([first, second], dim=1), batch.transpose(0, 1))
    assert torch.equal(second, third)
    assert calls[1][1] == 0.25 and calls[2][1] is D
    # D has a rate of 0 here, so that its last loss can be computed again.
    G_before = deepcopy(G)
    nn.utils.vector_to_parameters(torch.cat([w.flatten() for w in average]), G_before.parameters())
    torch.manual_seed(0)
    z = [torch.randn(RUNS, BATCH, 2) for _ in range(3)]
    with torch.no_grad():
        expected = plain_losses(frozen, second, G_before(z[1]))[0] + 7 * frozen(second).mean(-1)
        assert measures["D"].item() == pytest.approx(expected.mean().item(), rel=1e-4)
        expected = plain_losses(frozen, second, G_before(z[2]))[1]
        assert measures["G"].item() == pytest.approx(expected.mean().item(), rel=1e-4)
    for old, now, mean in zip(average, G.parameters(), nets.average.parameters()):
        assert torch.allclose(mean, 0.999 * old + 0.001 * now, atol=1e-7)


ONE_RULE = {  # how the name of a game begins: what it changes
    "trick: soft labels": {"discriminator_loss"},
    "trick: noise on D's input": {"make_discriminator"},
    "trick: two time scales": {"rates"},
    "trick: five steps of D": {"k"},
    "trick: batch norm in G": {"make_generator"},
    "trick: spectral norm in D": {"make_discriminator"},
    "trick: no decay": {"schedule"},
    "trick: no momentum": {"momentum"},
    "the theory's minimax": {"generator_loss"},
    "minibatch features": {"make_discriminator"},
    "packing": {"make_discriminator"},
    "unrolled": {"generator_loss", "rates"},
    "R1 + R2, fading": {"penalty", "penalty_weight"},
}


def changed_rules(game, other):
    return {
        rule.name for rule in fields(game) if getattr(game, rule.name) != getattr(other, rule.name)
    }


@pytest.mark.parametrize("begin", ONE_RULE)
def test_a_cure_changes_its_own_rule_of_the_plain_game_and_no_other(lesson, begin):
    (name,) = (name for name in lesson.games if name.startswith(begin))
    assert changed_rules(lesson.games[name], lesson.plain) == ONE_RULE[begin]


def test_the_relativistic_games_change_the_losses_and_then_the_penalty(lesson):
    pairs, smooth = lesson.games["relativistic"], lesson.games["relativistic, R1 + R2 fading"]
    assert changed_rules(pairs, lesson.plain) == {"discriminator_loss", "generator_loss"}
    assert changed_rules(smooth, pairs) == {"penalty", "penalty_weight"}


def test_the_tricks_do_what_they_say(lesson):
    games = lesson.games
    g_rate, d_rate = games["trick: two time scales"].rates
    assert d_rate == 4 * g_rate and games["trick: five steps of D"].k == 5
    assert {games["trick: no decay"].schedule(part / 9) for part in range(9)} == {1.0}
    assert games["trick: no momentum"].momentum == 0
    G = games["trick: batch norm in G"].make_generator(RUNS)
    assert sum(isinstance(layer, models.ParallelBatchNorm) for layer in G) == len(lesson.HIDDEN)
    assert G(torch.randn(RUNS, BATCH, 2)).shape == (RUNS, BATCH, 2)


def textbook(G, D, batches, noises, rates, factor):
    """The plain game of one run by PyTorch alone; batches and noises are (steps, batch, 2)."""
    d_adam = torch.optim.Adam(D.parameters(), lr=rates[1], betas=(0.5, 0.99))
    g_adam = torch.optim.Adam(G.parameters(), lr=rates[0], betas=(0.5, 0.99))
    for number, (real, (z_for_d, z_for_g)) in enumerate(zip(batches, noises)):
        for adam, rate in ((g_adam, rates[0]), (d_adam, rates[1])):
            adam.param_groups[0]["lr"] = rate * factor(number / len(batches))
        d_adam.zero_grad()
        plain_losses(lambda x: D(x).flatten(), real, G(z_for_d).detach())[0].backward()
        d_adam.step()
        g_adam.zero_grad()
        plain_losses(lambda x: D(x).flatten(), real, G(z_for_g))[1].backward()
        g_adam.step()


def one_run(nets, run):
    """One run of `perceptrons` as PyTorch's own layers."""
    layers = []
    for layer in nets:
        if isinstance(layer, models.ParallelLinear):
            linear = nn.Linear(*layer.weight.shape[1:]).double()
            with torch.no_grad():
                linear.weight.copy_(layer.weight[run].T)
                linear.bias.copy_(layer.bias[run, 0])
            layer = linear
        layers.append(layer)
    return nn.Sequential(*layers)


def test_the_plain_game_is_the_textbook_s_for_every_run(lesson, lab, monkeypatch):
    """The loop of the lesson against one written with PyTorch alone, run by run."""
    steps, runs, rates = 6, 2, (2e-3, 1e-3)
    torch.manual_seed(0)
    G, D = lesson.generator(runs).double(), lesson.discriminator(runs).double()
    singles = [(one_run(G, run), one_run(D[0], run)) for run in range(runs)]
    data = torch.randn(steps, BATCH, runs, 2, dtype=torch.double)
    noises = torch.randn(steps, 2, runs, BATCH, 2, dtype=torch.double)

    nets = SimpleNamespace(generator=G, discriminator=D, average=deepcopy(G))
    opts = SimpleNamespace(
        generator=Optimiser(G.parameters(), rates[0], (0.5, 0.99), lab),
        discriminator=Optimiser(D.parameters(), rates[1], (0.5, 0.99), lab),
    )
    # Its noise comes from a list, so that the other loop can have the same.
    waiting = iter(noises.flatten(0, 1))
    names = lesson.rounds_of.__globals__
    monkeypatch.setitem(names, "noise_for", lambda real: next(waiting))
    one_round = lesson.rounds_of(lesson.plain)
    for number, batch in enumerate(data):
        for opt in (opts.generator, opts.discriminator):
            opt.scale_rate(lesson.plain.schedule(number / steps))
        one_round(batch, nets, opts)
    for run, (g, d) in enumerate(singles):
        textbook(g, d, data[:, :, run], noises[:, :, run], rates, lesson.plain.schedule)
        for ours, theirs in ((one_run(G, run), g), (one_run(D[0], run), d)):
            for a, b in zip(ours.parameters(), theirs.parameters()):
                assert torch.allclose(a, b, atol=1e-8)


# The scoreboard


def test_a_score_is_the_coverage_of_the_generator_and_of_its_average(
    lesson, mixture, lab, monkeypatch
):
    def collapsed(z):
        return mixture.means[0].expand(z.shape)

    def perfect(z):
        return torch.cat([mixture.sample(*z.shape[:2]), torch.ones(*z.shape[:2], 4)], dim=-1)

    nets, run = {"generator": collapsed, "average": perfect}, SimpleNamespace(seconds=6.0)
    monkeypatch.setitem(lesson.score.__globals__, "play", lambda *_: (nets, run))
    measures, seconds = lesson.score(lesson.plain, mixture, lab, 3, 100)
    assert measures.shape == (2, 4, 3) and seconds == 2.0
    modes, heavy, good, divergence = measures.mean(-1).T.tolist()
    assert modes == heavy == [1, 4]
    assert good == pytest.approx([1, 0.989], abs=0.004)
    assert divergence == pytest.approx([math.log(4 / 0.9889), 0.0008], abs=0.002)


def test_the_scoreboard_shows_what_was_put_into_it(lesson):
    seeds, scores = lesson.TABLE_SEEDS, {}
    for mixture, seconds in (("ring", 7.0), ("grid", 9.0)):
        scores[mixture] = {
            name: {
                "G": [[number] * seeds for number in (modes, modes - 1, 0.5, 1.25)],
                "average of G": [[number] * seeds for number in (8.0, 8.0, 0.75, 0.125)],
                "seconds": seconds,
            }
            for name, modes in (("one", 8.0), ("two", 5.0))
        }
    ring = mixtures.ring()
    grid = mixtures.Mixture("grid", ring.means, ring.std)  # of eight modes, like the numbers above
    scores["ring"]["two"]["G"][1][0] = 8.0  # one seed of the second has kept all on the ring
    lines = lesson.scoreboard(scores, ring, which=0).splitlines()
    (first,), (second,) = ([line for line in lines if word in line] for word in ("one", "two"))
    shown = [[float(x) for x in re.findall(r"\d+\.?\d*", line)] for line in (first, second)]
    assert {8.0, 7.0, 50.0, 1.25, 0.0} <= set(shown[0])
    assert {5.0, 4.4, 50.0, 1.25, 100 / seeds} <= set(shown[1])
    assert "±" in second and "±" not in first  # the seeds of the first agree
    averages = lesson.scoreboard(scores, grid, which=1)
    assert "a perfect sampler" in averages
    assert "75" in averages and "0.125" in averages and "100" in averages
