"""The GAN methods of lesson 04b, from its cells tagged "methods", against second derivations."""

import importlib.util
import math
import re
from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import ANY

import matplotlib
import pytest
import torch
from torch.autograd import gradcheck
from torch.func import functional_call
from torch.nn.functional import logsigmoid, one_hot

from course_utils import KeptParts, models
from course_utils.authoring.notebooks import NOTEBOOKS, definitions, read
from course_utils.data import mixtures
from course_utils.training import Diverged, fit
from course_utils.training.players import Players

NOTEBOOK = NOTEBOOKS / "04b_stabilizing_gans.ipynb"
SCRIPT = Path(__file__).parents[1] / "benchmarks" / "mode_collapse.py"
RUNS, BATCH = 3, 8
MIXTURE = mixtures.ring(4).standardised()


@pytest.fixture(scope="module")
def lesson():
    """The names that the cells tagged "methods" define."""
    with matplotlib.rc_context():  # the notebook's style is not that of other tests
        names = definitions(NOTEBOOK, tag="methods")
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


LOSSES = {  # where it is found, and its formula of probabilities and scores of real and fake
    "loss_D": lambda p, q, a, b: -p.log() - (1 - q).log(),
    "loss_G": lambda p, q, a, b: -q.log(),
    "least_squares(1.0).loss_D": lambda p, q, a, b: ((a - 0.5) ** 2 + (b + 0.5) ** 2) / 2,
    "least_squares(2.0).loss_D": lambda p, q, a, b: ((a - 1) ** 2 + (b + 1) ** 2) / 2,
    "least_squares(2.0).loss_G": lambda p, q, a, b: (b - 1) ** 2 / 2,
    "critic_D": lambda p, q, a, b: b - a,
    "critic_G": lambda p, q, a, b: -b,
    "energy_based(1.0).loss_D": lambda p, q, a, b: a + torch.where(b < 1, 1 - b, 0.0),
    "energy_based(2.0).loss_D": lambda p, q, a, b: a + torch.where(b < 2, 2 - b, 0.0),
    "energy_based(1.0).loss_G": lambda p, q, a, b: b,
    "label_smoothing(0.9).loss_D": lambda p, q, a, b: (
        -0.9 * p.log() - 0.1 * (1 - p).log() - (1 - q).log()
    ),
    "relativistic_D": lambda p, q, a, b: -(a - b).sigmoid().log(),
    "relativistic_G": lambda p, q, a, b: -(b - a).sigmoid().log(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_mean_of_its_textbook_formula_and_so_is_its_gradient(lesson, name):
    torch.manual_seed(0)
    points = (1.5 * torch.randn(2, RUNS, BATCH, 2, dtype=torch.double)).requires_grad_()
    loss, (a, b) = eval(name, vars(lesson))(lambda x: x[..., 0], *points), points[..., 0]
    expected = LOSSES[name](a.sigmoid(), b.sigmoid(), a, b).mean(-1)
    assert loss.shape == (RUNS,) and torch.allclose(loss, expected, rtol=1e-9, atol=0)
    weights = torch.randn(RUNS).double()  # so that each run has a gradient of its own
    slope, exact = (torch.autograd.grad(each @ weights, points)[0] for each in (loss, expected))
    assert exact.any() and torch.allclose(slope, exact, rtol=1e-9, atol=1e-12)
    certain = torch.tensor([[300.0], [-300.0]], requires_grad=True)  # scores in single precision
    loss = eval(name, vars(lesson))(lambda x: x, certain, certain.flip(0))
    (slope,) = torch.autograd.grad(loss.sum(), certain)
    assert loss.isfinite().all() and slope.isfinite().all()


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
    lengths = [x.square().sum(-1).mean(-1) for x in (real, fake)]
    assert torch.allclose(lesson.r1(bowl, real, fake), lengths[0] / 2)
    assert torch.allclose(lesson.r1_r2(bowl, real, fake), sum(lengths) / 2)
    assert not real.requires_grad and not fake.requires_grad


@pytest.mark.parametrize("name", ["gradient_penalty", "r1", "r1_r2"])
def test_a_penalty_has_its_gradient_for_the_weights_of_the_discriminator(lesson, D, points, name):
    weights = dict(D.named_parameters())

    def penalty(*moved):
        torch.manual_seed(5)
        there = partial(functional_call, D, dict(zip(weights, moved)))
        return getattr(lesson, name)(there, *points).sum()

    assert gradcheck(penalty, (*weights.values(),), rtol=1e-4, atol=1e-7, fast_mode=True)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_the_unrolled_loss_is_that_of_a_discriminator_that_has_moved(lesson, D, points, steps):
    def plain_losses(D):  # from probabilities
        p, q = (D(x).sigmoid() for x in points)
        return -p.log().mean(-1) - (1 - q).log().mean(-1), -q.log().mean(-1)

    ahead, before = deepcopy(D), deepcopy(D.state_dict())
    optimizer = torch.optim.SGD(ahead.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        plain_losses(ahead)[0].sum().backward()
        optimizer.step()
    found = lesson.unrolled(0.1, steps).loss_G(D, *points)
    assert torch.allclose(found, plain_losses(ahead)[1])
    # And its gradient for G goes through the steps of D.
    unrolled = partial(lesson.unrolled(0.1, steps).loss_G, D, points[0])
    assert gradcheck(unrolled, points[1].clone().requires_grad_(), rtol=1e-5, atol=1e-9)
    assert all(torch.equal(before[key], value) for key, value in D.state_dict().items())
    assert all(weight.grad is None for weight in D.parameters())


def test_minibatch_features_are_mean_distances_with_a_gradient_for_the_others(lesson, points):
    x = points[0].requires_grad_()
    seen = lesson.WithDistances(0.3)(x)
    distances = (x[:, :, None] - x[:, None]).square().sum(-1).sqrt().sum(2, keepdim=True)
    expected = torch.cat([x, 0.3 * distances / (BATCH - 1)], dim=-1)
    assert torch.allclose(seen, expected, rtol=1e-6)
    (slope,) = torch.autograd.grad(seen[0, 0, 2], x)
    assert (slope[0].norm(dim=-1) > 0).all()
    equal = torch.ones(1, 40, 2, requires_grad=True)  # a generator that is collapsed entirely
    (slope,) = torch.autograd.grad(lesson.WithDistances(1.0)(equal).square().sum(), equal)
    assert slope.isfinite().all()


def test_small_layers_do_what_their_names_say(lesson):
    torch.manual_seed(0)
    x = torch.randn(RUNS, 4000, 2)
    assert torch.equal(lesson.Packed(4)(x), torch.cat([x[:, i::4] for i in range(4)], dim=-1))
    assert lesson.packing(2).make_discriminator(RUNS)(x).shape == (RUNS, 2000)
    noise = lesson.Noisy(0.1)(x) - x
    assert noise.std().item() == pytest.approx(0.1, rel=0.03) and noise.mean().abs() < 0.01
    assert torch.equal(lesson.Noisy(0.0)(x), x) and torch.equal(lesson.Times(3.0)(x), 3 * x)
    labelled = lesson.LabelScale(0.3)(torch.cat([x, x], dim=-1))
    assert torch.equal(labelled, torch.cat([x, 0.3 * x], dim=-1))
    cost = lesson.Cost(RUNS)
    assert torch.allclose(cost(x), (cost.autoencoder(x) - x).norm(dim=-1) ** 2, rtol=1e-4)


def test_clipping_bounds_every_weight_and_leaves_small_ones_alone(lesson, D):
    before = [weight.detach().clone() for weight in D.parameters()]
    lesson.wasserstein_clipped(0.05).after_D(D)
    assert all(torch.equal(b, a.clamp(-0.05, 0.05)) for a, b in zip(before, D.parameters()))
    assert all(weight.requires_grad and weight.grad_fn is None for weight in D.parameters())


def test_a_labelled_generator_draws_every_class_and_says_which(lesson):
    method = lesson.with_labels(0.3, classes=5)
    torch.manual_seed(0)
    G, D = method.make_generator(RUNS), method.make_discriminator(RUNS)
    made = G(torch.zeros(RUNS, 400, 2))
    assert made.shape == (RUNS, 400, 7) and D(made).shape == (RUNS, 400)
    labels = made[..., 2:]
    assert set(labels.unique().tolist()) == {0.0, 1.0} and (labels.sum(-1) == 1).all()
    assert (labels.mean((0, 1)) - 0.2).abs().max() < 0.06
    # The point is drawn for the label that stands beside it.
    again = G.net(torch.cat([torch.zeros(RUNS, 400, 2), labels], dim=-1))
    assert torch.allclose(made[..., :2], again, atol=1e-6)


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 64), (20, 20), (64, 1)])
def test_spectral_normalization_divides_by_the_largest_singular_value(lesson, inputs, outputs):
    """And its gradient goes through the singular value."""
    torch.manual_seed(0)
    layer = lesson.SpectralLinear(RUNS, inputs, outputs).double()
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


def test_normalization_is_in_every_layer_that_should_have_it_and_in_no_other(lesson):
    D = lesson.spectral_normalization(10.0).make_discriminator(2)
    layers = [m for m in D.modules() if isinstance(m, models.ParallelLinear)]
    assert len(layers) == 4 and all(isinstance(layer, lesson.SpectralLinear) for layer in layers)
    assert D[-1].factor == 10.0
    for where in ("G", "D", "GD", ""):
        method = lesson.batch_normalization(where)
        for player, make in (("G", method.make_generator), ("D", method.make_discriminator)):
            normalized = [m for m in make(2).modules() if isinstance(m, models.ParallelBatchNorm)]
            assert len(normalized) == (len(lesson.HIDDEN) if player in where else 0)


NETWORK, LOSS = {"make_discriminator": ANY}, {"loss_D": ANY, "loss_G": ANY}
PENALTY = {"penalty": ANY, "penalty_weight": ANY}
CHANGES = {  # of a method at its last setting: the fields in which it differs from the plain GAN
    "plain GAN": {"beta1": 0.9},
    "minibatch features": NETWORK,
    "labels": {**NETWORK, "make_generator": ANY, "labelled": True},
    "unrolled": {"loss_G": ANY},
    "Wasserstein, clipped": {**LOSS, "steps_of_D": 5, "after_D": ANY},
    "Wasserstein, penalty": {**LOSS, **PENALTY, "steps_of_D": 5},
    "least squares": LOSS,
    "energy-based": {**LOSS, **NETWORK},
    "label smoothing": {"loss_D": ANY},
    "instance noise": NETWORK,
    "two time scales": {"lr_ratio": 4.0},
    "batch normalization": {**NETWORK, "make_generator": ANY},
    "spectral normalization": NETWORK,
    "packing": NETWORK,
    "R1": PENALTY,
    "relativistic, R1 + R2": {**LOSS, **PENALTY},
}


def test_a_method_changes_what_its_name_says_and_nothing_else(lesson):
    assert list(CHANGES) == list(lesson.SETTINGS)
    plain, names = lesson.Method(), [field.name for field in fields(lesson.Method)]
    for name, changes in CHANGES.items():
        build, what, settings, published = lesson.SETTINGS[name]
        assert len(set(settings)) == 3 and what and published, name
        method = lesson.method_of(name, settings[-1], MIXTURE, lr=0.125)
        assert method.lr == 0.125, name
        found = {key: getattr(method, key) for key in names if key not in ("lr", *NETWORK)}
        found = {key: value for key, value in found.items() if value != getattr(plain, key)}
        # A discriminator that is called in another way may still be the same.
        assert found == {key: x for key, x in changes.items() if key not in NETWORK}, name
        same = repr(method.make_discriminator(1)) == repr(lesson.discriminator(1))
        assert same == (changes.get("make_discriminator") is None), name
    weights = [lesson.method_of("R1", w, MIXTURE, 1.0).penalty_weight(0.5) for w in (0.1, 0.01)]
    assert weights == [0.1, 0.01]
    assert lesson.method_of("labels", 1.0, MIXTURE, 1.0).make_generator(1).classes == 4


def test_at_every_setting_networks_train_and_runs_leave_each_other_alone(lesson, lab):
    """A run ends alike whatever data and weights the other has; both end with finite weights."""
    for name, (_, _, settings, _) in lesson.SETTINGS.items():
        for setting in settings:
            method, ends = lesson.method_of(name, setting, MIXTURE, lr=1e-3), []
            for other in (0.0, 0.3):
                torch.manual_seed(0)
                G, D = method.make_generator(2), method.make_discriminator(2)
                nets = {"generator": G, "discriminator": D, "average": deepcopy(G)}
                begin = deepcopy(nets)
                for weight in [*G.parameters(), *D.parameters()]:
                    weight.data[1] *= 1 + other
                size = BATCH * method.steps_of_D
                data, labels = MIXTURE.sample_with_labels(2 * size, 2)  # (samples, runs, ...)
                data[:, 1] += other
                if method.labelled:
                    data = torch.cat([data, one_hot(labels, 4)], dim=-1)
                fit(lesson.step_of(method), data, nets, lab, epochs=1, batch_size=size, lr=1e-3)
                ends.append(nets)
            for player in nets:
                told = name, setting, player
                old, one, two = ([*net[player].parameters()] for net in (begin, *ends))
                assert any(not torch.equal(a, b) for a, b in zip(old, one)), told
                assert all(b.isfinite().all() for b in one), told
                assert all(torch.allclose(a[0], b[0], atol=1e-6) for a, b in zip(one, two)), told
                assert not all(torch.equal(a[1], b[1]) for a, b in zip(one, two)), told


def test_a_run_among_several_is_that_of_a_loop_by_pytorch_alone(lesson, lab, monkeypatch):
    """With every field used: steps of D, penalty and its weight, after_D, schedule, rates, EMA.

    Losses are relativistic, for which the real samples that G is given count as well.
    """
    torch.manual_seed(0)
    steps, rates, with_graph = 6, {"generator": 2e-3, "discriminator": 1e-3, "average": 0.0}, []

    def loss_D(D, real, fake):
        with_graph.append(fake.requires_grad)
        return lesson.relativistic_D(D, real, fake)

    def shrink(D):
        for weight in D.parameters():
            weight.data *= 0.999

    method = lesson.Method(
        loss_D, lesson.relativistic_G, steps_of_D=2, after_D=shrink,
        penalty=lambda D, real, fake: D(real).square().mean(-1),
        penalty_weight=lambda progress: 1 + progress,
    )  # fmt: skip
    G, D = method.make_generator(RUNS).double(), method.make_discriminator(RUNS).double()
    nets = {"generator": G, "discriminator": D, "average": deepcopy(G)}
    g, d, average = (lesson.generator(1), lesson.discriminator(1), lesson.generator(1))
    for one, several in zip((g, d, average), nets.values()):  # the last of the runs, alone
        state = several.state_dict().items()
        one.double().load_state_dict({key: value[-1:].clone() for key, value in state})
    data = torch.randn(steps, 2 * BATCH, RUNS, 2, dtype=torch.double)
    noise = torch.randn(steps, 3, RUNS, BATCH, 2, dtype=torch.double)

    # Noise comes from a list, so that the other loop can have the same; G's is fresh.
    waiting = iter(noise.flatten(0, 1))
    monkeypatch.setitem(lesson.step_of.__globals__, "noise_for", lambda real: next(waiting))
    players = Players(nets, rates, (0.5, 0.99), lab, method.schedule)
    for number, batch in enumerate(data):
        players.begin_step(number / steps, 1.0)
        measures = lesson.step_of(method)(batch, players.nets, players.opts)
    assert [*measures] == ["loss_D", "loss_G"] and next(waiting, None) is None
    assert with_graph == [False] * 2 * steps  # a step of D keeps no graph of G

    def minimise(adam, loss):
        adam.zero_grad()
        loss.backward()
        adam.step()

    adams = [torch.optim.Adam(net.parameters(), betas=(0.5, 0.99)) for net in (g, d)]
    for number, batch in enumerate(data[:, :, -1:]):
        for adam, rate in zip(adams, rates.values()):
            adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * number / steps)) / 2
        for part, z in enumerate(noise[number, :2, -1:]):
            real = batch[part * BATCH : (part + 1) * BATCH].transpose(0, 1)
            loss = -logsigmoid(d(real) - d(g(z).detach())).mean()
            minimise(adams[1], loss + (1 + number / steps) * d(real).square().mean())
            shrink(d)
        minimise(adams[0], -logsigmoid(d(g(noise[number, 2, -1:])) - d(real)).mean())
        for old, new in zip(average.parameters(), g.parameters()):
            old.data = 0.999 * old.data + 0.001 * new.data
    for several, one in zip(nets.values(), (g, d, average)):
        for a, b in zip(several.parameters(), one.parameters()):
            assert torch.allclose(a[-1:], b, atol=1e-8)


def test_train_gives_the_method_and_the_data_to_the_loop(lesson, lab, monkeypatch):
    nets, run = lesson.train(lesson.Method(), MIXTURE, lab, runs=2, steps=100, batch=4)
    assert {len(values) for values in run.history.values()} == {100}  # generator updates
    told = {}

    def loop(step, data, nets, lab, **how):
        told.update(how, data=data, nets=nets)

    monkeypatch.setitem(lesson.train.__globals__, "fit", loop)
    changed = {"lr": 0.1, "lr_ratio": 2.0, "steps_of_D": 3, "beta1": 0.25}
    method = replace(lesson.with_labels(1.0, 4), **changed)
    nets, _ = lesson.train(method, MIXTURE, None, runs=2, steps=500, batch=5, save="kept")
    assert told["nets"] is nets and [*nets] == ["generator", "discriminator", "average"]
    assert told["lr"] == {"generator": 0.1, "discriminator": 0.2, "average": 0.0}
    assert told["betas"] == (0.25, 0.99) and told["schedule"] is method.schedule
    assert (told["epochs"], told["batch_size"], told["save"]) == (5, 15, "kept")
    assert told["name"] == "2 runs, ring"
    points, labels = told["data"].split([2, 4], dim=-1)
    assert points.shape == (1500, 2, 2)
    nearest = torch.cdist(points, MIXTURE.means).argmin(-1)
    assert torch.equal(labels, one_hot(nearest, 4).float())
    pairs = zip(nets["generator"].parameters(), nets["average"].parameters())
    assert all(torch.equal(a, b) and a is not b for a, b in pairs)


def test_a_score_is_the_coverage_of_G_and_of_its_average(lesson, lab, monkeypatch):
    drawn, names = [], lesson.score.__globals__
    score = partial(lesson.score, lesson.Method(), MIXTURE, lab, 3, 100)

    def train(*given):
        drawn.append(torch.rand(1).item())
        if len(drawn) > 3:
            raise Diverged("loss_D is NaN.", None)
        collapsed = MIXTURE.means[0].expand(3, 2500, 2)
        with_labels = torch.cat([MIXTURE.sample(3, 2500), torch.ones(3, 2500, 4)], dim=-1)
        return {"generator": lambda z: collapsed, "average": lambda z: with_labels}, None

    monkeypatch.setitem(names, "train", train)
    found, _, _, lost = (score(seed) for seed in (0, 0, 1, 1))
    assert drawn[0] == drawn[1] != drawn[2] and found["seconds"] >= 0
    rows = found["generator"], found["average"], lost["average"]
    assert all([*row] == list(lesson.MEASURES) for row in rows)
    for measure, expected in {
        "modes": [1, 4, 0],
        "heavy modes": [1, 4, 0],
        "high quality": [1, 0.989, 0],
        "share KL": [math.log(4), 0.0006, math.log(4)],  # the largest where there are no shares
        "reverse KL": [math.log(4 / 0.9889), 0.0008, 4.5],
    }.items():
        assert [sum(row[measure]) / 3 for row in rows] == pytest.approx(expected, abs=4e-3), measure


@pytest.mark.parametrize(("cost", "expected"), [(1.0, 5000), (2.0, 2500), (1e3, 100)])
def test_equal_time_is_by_the_median_ratio_of_pieces_in_turns(lesson, monkeypatch, cost, expected):
    """While the machine becomes slower and slower, and is very slow twice."""
    trained, clock = [], [0.0]

    def train(method, mixture, lab, runs, steps):
        trained.append((method.steps_of_D, mixture, lab, runs, steps))
        load = 1 + len(trained) / 100
        clock[0] += load * (cost if method.steps_of_D == 2 else 1.0)
        clock[0] += 50.0 * (len(trained) in (1, 6))

    monkeypatch.setitem(lesson.score.__globals__, "train", train)
    monkeypatch.setitem(lesson.score.__globals__, "process_time", lambda: clock[0])
    found = lesson.updates_in_equal_time(lesson.Method(steps_of_D=2), MIXTURE, "lab")
    assert abs(found - expected) <= 100
    assert trained == [(1 + i % 2, MIXTURE, "lab", lesson.REPORTED_RUNS, 100) for i in range(12)]


@pytest.mark.parametrize(("best", "tried"), [(3e-3, 5), (3e-4, 6), (1e-3, 6), (3e-2, 6)])
def test_tuning_tries_the_rates_first_and_then_the_settings(lesson, monkeypatch, best, tried):
    """The score is best at one rate and at the last setting."""
    scored, (*_, wanted) = [], lesson.SETTINGS["packing"][2]

    def score(method, mixture, lab, runs, updates, seed):
        (setting, rate), plus = method, 0.5 if mixture == "grid" else 0.0
        scored.append((mixture, runs, updates, seed))
        distance = abs(math.log(rate / best)) + (setting != wanted) + plus
        return {"generator": {"reverse KL": [distance] * runs}}

    names = lesson.tuned.__globals__
    monkeypatch.setitem(names, "method_of", lambda name, setting, mixture, lr: (setting, lr))
    found = lesson.tuned("packing", ("ring", "grid"), None, score)
    assert len(found) == tried and len(scored) == 2 * tried  # nothing is trained twice
    assert (found[0]["lr"], found[0]["setting"]) == (best, wanted)
    assert found[0]["reverse KL"] == pytest.approx([0.0, 0.5])
    totals = [sum(one["reverse KL"]) for one in found]
    assert totals == sorted(totals)
    assert {one[1:] for one in scored} == {(lesson.TUNING_RUNS, lesson.UPDATES, 1)}


def test_the_benchmark_makes_the_table_that_the_notebook_makes(lesson, lab, monkeypatch):
    specification = importlib.util.spec_from_file_location("mode_collapse", SCRIPT)
    benchmark = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(benchmark)
    names, both = lesson.score.__globals__, [mixtures.ring(), mixtures.grid()]

    def tuned(name, both, lab, score):
        return [{"lr": 0.01, "setting": setting} for setting in lesson.SETTINGS[name][2]]

    def score(method, mixture, lab, runs, updates, seed, batch=128):
        seconds = updates * (method.steps_of_D + method.lr_ratio) / batch
        rows = {measure: [seconds, seed + 0.5] for measure in lesson.MEASURES}
        rows["modes"] = rows["heavy modes"] = [3, len(mixture.means)]
        return {"seconds": seconds, "generator": rows, "average": rows}

    def updates_in_equal_time(method, mixture, lab):
        return 100 * len(mixture.means) // method.steps_of_D

    for made_up in (tuned, score, updates_in_equal_time):
        monkeypatch.setitem(names, made_up.__name__, made_up)
    monkeypatch.setattr(benchmark, "lesson", lambda: names)
    monkeypatch.setattr(benchmark, "session", lambda: (lab, both))
    own = {**names, "KeptParts": KeptParts, "ring": both[0], "grid": both[1], "lab": lab}
    for cell in read(NOTEBOOK).cells:
        for call in ("compare_all", "run_all_long"):
            if f"def {call}" in cell.source:
                exec(re.split(r"\n\w+ = shipped_table", cell.source)[0], own)
    board = {name: benchmark.compared(name, lesson.UPDATES) for name in lesson.SETTINGS}
    long_runs = {name: benchmark.run_long(name, None) for name in lesson.LONG_RUNS}
    assert board == own["compare_all"]() and long_runs == own["run_all_long"]()
    page = benchmark.page(board, long_runs, lesson.UPDATES)
    assert page.count("\n| R1 | ") == 5 and page.count("\n| all of it | ") == 2
    assert "| 14.0 ± 11.0 | " in page and "| 1 of 2 | " in page
