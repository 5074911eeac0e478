"""The losses and rules of lesson 04, from its cells tagged "games", against second derivations."""

import math
import re
from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from types import SimpleNamespace
from unittest.mock import ANY

import matplotlib
import pytest
import torch
from torch.autograd import gradcheck
from torch.func import functional_call
from torch.nn.functional import logsigmoid, one_hot

from course_utils import models
from course_utils.authoring.notebooks import NOTEBOOKS, definitions
from course_utils.data import mixtures
from course_utils.training import constant, fit
from course_utils.training.players import Players

RUNS, BATCH = 3, 8
MIXTURE = mixtures.ring(4).standardised()


@pytest.fixture(scope="module")
def lesson():
    """The names that the cells tagged "games" define."""
    with matplotlib.rc_context():  # the notebook's style is not that of other tests
        names = definitions(NOTEBOOKS / "04_gans_and_mode_collapse.ipynb", tag="games")
    return SimpleNamespace(**names)


@pytest.fixture
def points():
    """Real points and fakes, (RUNS, BATCH, 2) each, in double precision."""
    torch.manual_seed(1)
    real, fake = torch.randn(2, RUNS, BATCH, 2, dtype=torch.double)
    return real, fake + 0.5


@pytest.fixture
def D(lesson):
    torch.manual_seed(2)
    return lesson.discriminator(RUNS).double()


LOSSES = {  # the formulas of the papers, of probabilities and scores of real points and fakes
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
    "d_energy margin=2": lambda p, q, a, b: a + torch.where(b < 2, 2 - b, 0.0),
    "g_energy": lambda p, q, a, b: b,
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_mean_of_its_textbook_formula_and_so_is_its_gradient(lesson, name):
    torch.manual_seed(0)
    points = (1.5 * torch.randn(2, RUNS, BATCH, 2, dtype=torch.double)).requires_grad_()
    function, _, margin = name.partition(" margin=")
    given = {"margin": float(margin)} if margin else {}
    loss = getattr(lesson, function)(lambda x: x[..., 0], *points, **given)
    a, b = points[..., 0]
    expected = LOSSES[name](a.sigmoid(), b.sigmoid(), a, b).mean(-1)
    assert loss.shape == (RUNS,) and torch.allclose(loss, expected, rtol=1e-9, atol=0)
    weights = torch.randn(RUNS).double()  # so that each run has a gradient of its own
    slope, exact = (torch.autograd.grad(each @ weights, points)[0] for each in (loss, expected))
    assert exact.any() and torch.allclose(slope, exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["d_classify", "g_nonsaturating", "g_minimax", "d_softened"])
def test_a_loss_stays_finite_where_the_discriminator_is_certain(lesson, name):
    scores = torch.tensor([[[300.0, 0.0]], [[-300.0, 0.0]]], requires_grad=True)
    loss = getattr(lesson, name)(lambda x: x[..., 0], scores, scores)
    (slope,) = torch.autograd.grad(loss.sum(), scores)
    assert loss.isfinite().all() and slope.isfinite().all()


def test_the_energy_is_the_squared_error_of_the_autoencoder(lesson, points):
    energy, x = lesson.Cost(RUNS).double(), points[0]
    assert torch.allclose(energy(x), (energy.autoencoder(x) - x).norm(dim=-1) ** 2)


def test_penalties_are_taken_between_pairs_and_at_real_points_and_fakes(lesson):
    torch.manual_seed(0)
    real, fake = torch.randn(2, RUNS, 2000, 2, dtype=torch.double)
    seen = []

    def bowl(x):  # whose gradient is x
        seen.append(x.detach())
        return x.square().sum(-1) / 2

    penalty = lesson.gradient_penalty(bowl, real, fake)
    (between,) = seen
    share, same = ((between - fake) / (real - fake)).unbind(-1)
    assert torch.allclose(share, same)  # on the line
    uniform = torch.linspace(0, 1, 2000).double().expand(RUNS, -1)
    assert torch.allclose(share.sort(dim=-1).values, uniform, atol=0.06)
    assert torch.allclose(penalty, (between.norm(dim=-1) - 1).square().mean(-1))
    lengths = (real.square() + fake.square()).sum(-1)
    assert torch.allclose(lesson.r1_r2(bowl, real, fake), lengths.mean(-1) / 2)
    assert not real.requires_grad and not fake.requires_grad


@pytest.mark.parametrize("name", ["gradient_penalty", "r1_r2"])
def test_a_penalty_has_its_gradient_for_the_weights_of_the_discriminator(lesson, D, points, name):
    weights = dict(D.named_parameters())

    def penalty(*moved):
        torch.manual_seed(5)
        there = partial(functional_call, D, dict(zip(weights, moved)))
        return getattr(lesson, name)(there, *points).sum()

    assert gradcheck(penalty, (*weights.values(),), rtol=1e-4, atol=1e-7, fast_mode=True)


def test_the_fading_weight_falls_to_almost_nothing(lesson):
    weights = [lesson.fading(part / 10) for part in range(11)]
    assert weights == sorted(weights, reverse=True)
    assert weights[::5] == pytest.approx([0.501, 0.126, 0.001])


def test_clipping_bounds_every_weight_and_leaves_small_ones_alone(lesson):
    D = lesson.discriminator(2)
    for bound, given in (0.1, {}), (0.01, {"bound": 0.01}):
        expected = [weight.detach().clamp(-bound, bound) for weight in D.parameters()]
        lesson.clip(D, **given)
        assert all(torch.equal(weight, x) for weight, x in zip(D.parameters(), expected))
        assert all(weight.requires_grad and weight.grad_fn is None for weight in D.parameters())


def plain_losses(D, real, fake):
    """The two losses of the plain GAN, for one run or several, from probabilities."""
    p, q = D(real).sigmoid(), D(fake).sigmoid()
    return -p.log().mean(-1) - (1 - q).log().mean(-1), -q.log().mean(-1)


@pytest.mark.parametrize("given", [{"steps": 0}, {"steps": 1}, {}])
def test_the_unrolled_loss_is_that_of_a_discriminator_that_has_moved(lesson, D, points, given):
    (name,) = (name for name in lesson.games if name.startswith("unrolled, "))
    ahead, before = deepcopy(D), deepcopy(D.state_dict())
    optimiser = torch.optim.SGD(ahead.parameters(), lr=0.1)
    for _ in range(given.get("steps", int(name.split()[1]))):
        optimiser.zero_grad()
        plain_losses(ahead, *points)[0].sum().backward()
        optimiser.step()
    found = lesson.g_unrolled(D, *points, **given)
    assert torch.allclose(found, plain_losses(ahead, *points)[1])
    assert all(torch.equal(before[key], value) for key, value in D.state_dict().items())
    assert all(weight.grad is None for weight in D.parameters())


def test_the_unrolled_gradient_goes_through_the_steps_of_the_discriminator(lesson, D, points):
    unrolled = partial(lesson.g_unrolled, D, points[0])
    assert gradcheck(unrolled, points[1].requires_grad_(), rtol=1e-5, atol=1e-9)


def test_minibatch_features_are_mean_distances_with_a_gradient_for_the_others(lesson, points):
    x = points[0].requires_grad_()
    seen = lesson.WithDistances()(x)
    distances = (x[:, :, None] - x[:, None]).square().sum(-1).sqrt().sum(2, keepdim=True)
    assert torch.allclose(seen, torch.cat([x, distances / (BATCH - 1)], dim=-1), rtol=1e-6)
    (slope,) = torch.autograd.grad(seen[0, 0, 2], x)
    assert (slope[0].norm(dim=-1) > 0).all()
    equal = torch.ones(1, 40, 2, requires_grad=True)  # a generator that is collapsed entirely
    (slope,) = torch.autograd.grad(lesson.WithDistances()(equal).square().sum(), equal)
    assert slope.isfinite().all()


def test_a_pack_of_the_size_of_its_name_holds_neighbours_side_by_side(lesson, points):
    x = points[0].float()
    assert torch.equal(lesson.Packed(4)(x), torch.cat([x[:, i::4] for i in range(4)], dim=-1))
    (name,) = (name for name in lesson.games if name.startswith("packing, "))
    logits = lesson.games[name].make_discriminator(RUNS)(x)
    assert logits.shape == (RUNS, BATCH // int(name.split()[1]))
    with pytest.raises(RuntimeError):
        lesson.Packed(4)(x[:, :6])


def test_noise_on_the_input_of_the_discriminator_is_gaussian_with_its_strength(lesson):
    x = torch.randn(2, 5000, 2)
    torch.manual_seed(0)
    noise = lesson.Noisy()(x) - x
    assert noise.std().item() == pytest.approx(0.1, rel=0.03)
    assert noise.mean().abs() < 0.01
    assert torch.equal(lesson.Noisy()(x, sigma=0.0), x)


def test_a_labelled_generator_draws_every_class_and_says_which(lesson):
    game = lesson.with_labels(5)
    torch.manual_seed(0)
    G, D = game.make_generator(RUNS), game.make_discriminator(RUNS)
    made = G(torch.zeros(RUNS, 400, 2))
    assert made.shape == (RUNS, 400, 7) and D(made).shape == (RUNS, 400)
    labels = made[..., 2:]
    assert set(labels.unique().tolist()) == {0.0, 1.0} and (labels.sum(-1) == 1).all()
    assert (labels.mean((0, 1)) - 0.2).abs().max() < 0.06
    # The point is drawn for the label that stands beside it.
    again = G.net(torch.cat([torch.zeros(RUNS, 400, 2), labels], dim=-1))
    assert torch.allclose(made[..., :2], again, atol=1e-6)


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 64), (20, 20), (64, 1)])
def test_spectral_normalisation_divides_by_the_largest_singular_value(lesson, inputs, outputs):
    """And its gradient goes through the singular value."""
    torch.manual_seed(0)
    layer = lesson.Unstretched(RUNS, inputs, outputs).double()
    x = torch.randn(RUNS, BATCH, inputs, dtype=torch.double)
    with torch.no_grad():
        layer.weight *= torch.tensor([0.01, 1.0, 50.0]).double()[:, None, None]
        for _ in range(3000):
            layer(x)
    y, largest = layer(x), torch.linalg.matrix_norm(layer.weight, 2, keepdim=True)
    exact = x @ (layer.weight / largest) + layer.bias
    assert torch.allclose(y, exact, atol=1e-6)
    slopes = [torch.autograd.grad(each.pow(3).sum(), layer.weight)[0] for each in (y, exact)]
    assert torch.allclose(*slopes, rtol=1e-4)


def test_normalisation_is_in_every_layer_that_should_have_it(lesson):
    layers = [m for m in lesson.unstretched(2).modules() if isinstance(m, models.ParallelLinear)]
    assert len(layers) == 4 and all(isinstance(layer, lesson.Unstretched) for layer in layers)
    G = lesson.games["trick: batch norm in G"].make_generator(RUNS)
    assert sum(isinstance(layer, models.ParallelBatchNorm) for layer in G) == len(lesson.HIDDEN)


def test_the_names_are_those_of_all_variants_and_of_the_labels(lesson):
    assert sorted(lesson.NAMES) == sorted([*lesson.games, "labels"])
    assert lesson.game_on("labels", MIXTURE).make_generator(1).classes == 4
    assert lesson.game_on("plain", MIXTURE) is lesson.plain is lesson.games["plain"]


def test_in_every_variant_networks_train_and_runs_leave_each_other_alone(lesson, lab):
    """A run ends alike whatever data and weights the other has; both end with finite weights."""
    for name in lesson.NAMES:
        game, ends = lesson.game_on(name, MIXTURE), []
        for other in (0.0, 0.3):
            torch.manual_seed(0)
            G, D = game.make_generator(2), game.make_discriminator(2)
            nets = {"generator": G, "discriminator": D, "average": deepcopy(G)}
            begin = deepcopy(nets)
            for weight in [*G.parameters(), *D.parameters()]:
                weight.data[1] *= 1 + other
            size = BATCH * game.k
            data, labels = MIXTURE.sample_with_labels(3 * size, 2)  # (examples, runs, ...)
            data[:, 1] += other
            if game.labelled:
                data = torch.cat([data, one_hot(labels, 4)], dim=-1)
            fit(lesson.rounds_of(game), data, nets, lab, epochs=1, batch_size=size, lr=1e-3)
            ends.append(nets)
        for player in nets:
            old, one, two = ([*net[player].parameters()] for net in (begin, *ends))
            assert any(not torch.equal(a, b) for a, b in zip(old, one)), (name, player)
            assert all(b.isfinite().all() for b in one), (name, player)
            assert all(torch.allclose(a[0], b[0], atol=1e-6) for a, b in zip(one, two)), name
            assert not all(torch.equal(a[1], b[1]) for a, b in zip(one, two)), (name, player)


def test_play_gives_the_rules_and_the_data_to_the_loop(lesson, monkeypatch):
    told = {}

    def loop(step, data, nets, lab, **how):
        told.update(how, data=data, nets=nets)

    monkeypatch.setitem(lesson.play.__globals__, "fit", loop)
    rules = {"rates": (0.1, 0.2), "k": 3, "momentum": 0.25, "patience": 4}
    game = replace(lesson.with_labels(4), **rules)
    nets, _ = lesson.play(game, MIXTURE, None, runs=2, steps=500, batch=5, save="kept")
    assert told["nets"] is nets and [*nets] == ["generator", "discriminator", "average"]
    assert told["lr"] == {"generator": 0.1, "discriminator": 0.2, "average": 0.0}
    assert told["betas"] == (0.25, 0.99) and told["schedule"] is game.schedule
    assert (told["epochs"], told["batch_size"], told["save"]) == (20, 15, "kept")
    assert told["name"] == "2 seeds, ring"
    points, labels = told["data"].split([2, 4], dim=-1)
    assert points.shape == (1500, 2, 2)
    nearest = torch.cdist(points, MIXTURE.means).argmin(-1)
    assert torch.equal(labels, one_hot(nearest, 4).float())
    assert isinstance(nets["generator"], lesson.Labelled)
    pairs = zip(nets["generator"].parameters(), nets["average"].parameters())
    assert all(torch.equal(a, b) and a is not b for a, b in pairs)
    lesson.play(lesson.plain, MIXTURE, None, runs=2, steps=500, batch=5)
    assert told["data"].shape == (500, 2, 2) and told["betas"] == (0.5, 0.99)


BOTH = {"discriminator_loss": ANY, "generator_loss": ANY}
CHANGES = {  # a variant: the rules in which it differs from the plain GAN
    "Wasserstein, clipped": {**BOTH, "k": 2, "after": ANY},
    "trick: soft labels": {"discriminator_loss": ANY},
    "trick: noise on D's input": {"make_discriminator": ANY},
    "trick: two time scales": {"rates": (5e-4, 2e-3)},
    "trick: five steps of D": {"k": 5},
    "trick: batch norm in G": {"make_generator": ANY},
    "trick: spectral norm in D": {"make_discriminator": ANY},
    "trick: no decay": {"schedule": constant},
    "trick: no momentum": {"momentum": 0},
    "the theory's minimax": {"generator_loss": ANY},
    "minibatch features": {"make_discriminator": ANY},
    "packing, 2 at a time": {"make_discriminator": ANY},
    "unrolled, 3 steps": {"generator_loss": ANY, "rates": ANY},
    "R1 + R2, fading": {"penalty": ANY, "penalty_weight": ANY},
    "relativistic": BOTH,
    "relativistic, R1 + R2 fading": {"penalty": ANY, "penalty_weight": ANY},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_variant_changes_its_own_rules_and_no_other(lesson, name):
    other = lesson.games["relativistic" if name.startswith("relativistic, ") else "plain"]
    rules = {rule.name: getattr(lesson.games[name], rule.name) for rule in fields(lesson.Game)}
    assert {key: x for key, x in rules.items() if x != getattr(other, key)} == CHANGES[name]


def test_rounds_by_all_rules_are_those_of_a_loop_by_pytorch_alone(lesson, lab, monkeypatch):
    """Losses are relativistic, for which the real examples that G is given count as well."""
    torch.manual_seed(0)
    steps, rates, with_graph = 6, {"generator": 2e-3, "discriminator": 1e-3, "average": 0.0}, []

    def d_loss(D, real, fake):
        with_graph.append(fake.requires_grad)
        return lesson.d_relativistic(D, real, fake)

    def shrink(D):
        for weight in D.parameters():
            weight.data *= 0.999

    game = lesson.Game(
        d_loss, lesson.g_relativistic, k=2, after=shrink,
        penalty=lambda D, real, fake: D(real).square().mean(-1),
        penalty_weight=lambda progress: 1 + progress,
    )  # fmt: skip
    G, D = game.make_generator(RUNS).double(), game.make_discriminator(RUNS).double()
    nets = {"generator": G, "discriminator": D, "average": deepcopy(G)}
    g, d, average = deepcopy([*nets.values()])
    data = torch.randn(steps, 2 * BATCH, RUNS, 2, dtype=torch.double)
    noise = torch.randn(steps, 3, RUNS, BATCH, 2, dtype=torch.double)

    # Its noise comes from a list, so that the other loop can have the same.
    waiting = iter(noise.flatten(0, 1))
    monkeypatch.setitem(lesson.rounds_of.__globals__, "noise_for", lambda real: next(waiting))
    players = Players(nets, rates, (0.5, 0.99), lab, game.schedule)
    for number, batch in enumerate(data):
        players.begin_step(number / steps, 1.0)
        measures = lesson.rounds_of(game)(batch, players.nets, players.opts)
    assert with_graph == [False] * 2 * steps  # a step of D keeps no graph of G

    def minimise(adam, loss):
        adam.zero_grad()
        loss.sum().backward()
        adam.step()

    adams = [torch.optim.Adam(net.parameters(), betas=(0.5, 0.99)) for net in (g, d)]
    for number, batch in enumerate(data):
        for adam, rate in zip(adams, rates.values()):
            adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * number / steps)) / 2
        for part, z in enumerate(noise[number, :2]):
            real = batch[part * BATCH : (part + 1) * BATCH].transpose(0, 1)
            loss_D = -logsigmoid(d(real) - d(g(z).detach())).mean(-1)
            loss_D = loss_D + (1 + number / steps) * d(real).square().mean(-1)
            minimise(adams[1], loss_D)
            shrink(d)
        loss_G = -logsigmoid(d(g(noise[number, 2])) - d(real)).mean(-1)
        minimise(adams[0], loss_G)
        for old, new in zip(average.parameters(), g.parameters()):
            old.data = 0.999 * old.data + 0.001 * new.data
    for net, own in zip(nets.values(), (g, d, average)):
        for a, b in zip(net.parameters(), own.parameters()):
            assert torch.allclose(a, b, atol=1e-8)
    assert torch.allclose(measures["D"], loss_D.mean())
    assert torch.allclose(measures["G"], loss_G.mean())


def test_a_score_is_the_coverage_of_G_and_of_its_average(lesson, lab, monkeypatch):
    def collapsed(z):
        return MIXTURE.means[0].expand(z.shape)

    def perfect(z):
        return torch.cat([MIXTURE.sample(*z.shape[:2]), torch.ones(*z.shape[:2], 4)], dim=-1)

    nets, run = {"generator": collapsed, "average": perfect}, SimpleNamespace(seconds=6.0)
    monkeypatch.setitem(lesson.score.__globals__, "play", lambda *_: (nets, run))
    measures, seconds = lesson.score(lesson.plain, MIXTURE, lab, 3, 100)
    assert measures.shape == (2, 4, 3) and seconds == 2.0
    modes, heavy, good, divergence = measures.mean(-1).T.tolist()
    assert modes == heavy == [1, 4]
    assert good == pytest.approx([1, 0.989], abs=0.004)
    assert divergence == pytest.approx([math.log(4 / 0.9889), 0.0008], abs=0.002)


def test_the_scoreboard_shows_what_was_put_into_it(lesson):
    seeds, ring = lesson.TABLE_SEEDS, mixtures.ring()
    grid = mixtures.Mixture("grid", ring.means, ring.std)  # of eight modes, like the numbers below
    average = [[number] * seeds for number in (8.0, 8.0, 0.75, 0.125)]
    scores = {"ring": {}, "grid": {}}
    for name, modes in (("one", 8.0), ("two", 5.0)):
        for mixture, seconds in (("ring", 7.0), ("grid", 9.0)):
            G = [[number] * seeds for number in (modes, modes - 1, 0.5, 1.25)]
            scores[mixture][name] = {"G": G, "average of G": average, "seconds": seconds}
    scores["ring"]["two"]["G"][1][0] = 8.0  # one seed of the second has kept all on the ring
    lines = lesson.scoreboard(scores, ring, which=0).splitlines()
    (first,), (second,) = ([line for line in lines if word in line] for word in ("one", "two"))
    shown = [{float(x) for x in re.findall(r"\d+\.?\d*", line)} for line in (first, second)]
    assert {8.0, 7.0, 50.0, 1.25, 0.0} <= shown[0]
    assert {5.0, 4.4, 50.0, 1.25, 100 / seeds} <= shown[1]
    assert "±" in second and "±" not in first  # the seeds of the first agree
    averages = lesson.scoreboard(scores, grid, which=1)
    assert all(text in averages for text in ("a perfect sampler", "75", "0.125", "100"))
