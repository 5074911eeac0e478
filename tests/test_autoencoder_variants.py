"""The variants of lesson 02c, from its cells tagged "variants", against second derivations."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import course_utils
from course_utils import losses, metrics
from course_utils.authoring.notebooks import NOTEBOOKS, definitions
from course_utils.shipped import tables

NOTEBOOK = NOTEBOOKS / "02c_autoencoder_variants.ipynb"
SCRIPT = Path(__file__).parents[1] / "benchmarks" / "autoencoder_variants.py"


@pytest.fixture(scope="module")
def lesson():
    """The names that the cells tagged "variants" define."""
    return SimpleNamespace(**definitions(NOTEBOOK, tag="variants"))


@pytest.fixture
def lab():
    return course_utils.start("02c variants", seed=1)


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.rand(32, 1, 16, 16)


@pytest.fixture
def split(x):
    """Codes are the images; the class is whether the first pixel is bright."""
    labels = (x[:, 0, 0, 0] > 0.5).long()
    return {part: (x, labels) for part in ("train", "validation", "test")}


def cross_entropy(net, x, shown):
    return F.binary_cross_entropy(net(shown).sigmoid(), x, reduction="sum") / len(x)


@torch.no_grad()
def test_a_penalty_is_added_with_its_weight(lesson, x):
    torch.manual_seed(1)
    net = lesson.one_layer()
    h, W = net.encode(x), net.encoder[1].weight
    jacobian = (h * (1 - h))[:, :, None] * W
    expected = {
        lesson.plain: ((), 0.0),
        lesson.sparse_kl: ((0.3, 0.2), 0.3 * losses.sparsity_kl(h, 0.2)),
        lesson.sparse_l1: ((0.1,), 0.1 * h.sum() / len(x)),
        lesson.contractive: ((2.0,), 2.0 * jacobian.square().sum() / len(x)),
    }
    for objective, (setting, penalty) in expected.items():
        reconstruction, found = objective(net, x, *setting)
        assert torch.allclose(reconstruction, cross_entropy(net, x, x), rtol=1e-5)
        assert float(found) == pytest.approx(float(penalty), rel=1e-5)


@pytest.mark.parametrize("name", ["mask", "gaussian"])
def test_denoising_shows_damage_and_asks_for_the_image(lesson, x, name):
    net = lesson.one_layer()
    torch.manual_seed(2)
    reconstruction, penalty = getattr(lesson, f"denoising_{name}")(net, x, 0.5)
    torch.manual_seed(2)
    shown = getattr(lesson.corruption, name)(x, 0.5)
    assert penalty == 0 and torch.allclose(reconstruction, cross_entropy(net, x, shown), rtol=1e-5)


def test_the_second_layer_learns_while_the_first_stays(lesson, x):
    net = lesson.TwoLayers()
    loss, _ = lesson.second_layer(net, x, 0.3)
    loss.backward()
    assert net.up_1.weight.grad is None and net.up_2.weight.grad.any()
    net.zero_grad(set_to_none=True)
    lesson.first_layer(net, x, 0.3)[0].backward()
    assert net.up_2.weight.grad is None and net.up_1.weight.grad.any()


def test_dropped_codes_of_the_first_layer_are_not_scaled_up(lesson, x):
    net, given = lesson.TwoLayers(), []
    net.up_2.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    lesson.second_layer(net, x, 0.5)
    kept = given[0] != 0
    assert 0.4 < kept.float().mean() < 0.6
    assert torch.allclose(given[0][kept], net.first_code(x)[kept], atol=1e-6)


def test_the_second_layer_decodes_as_the_whole_network_does(lesson, x):
    net, received = lesson.TwoLayers(), []
    loss, _ = lesson.second_layer(net, x, 0.0)
    net.down_1.register_forward_pre_hook(lambda _, inputs: received.append(inputs[0]))
    net(x)
    expected = 0.5 * (received[0] - net.first_code(x)).square().sum(1).mean()
    assert torch.allclose(loss, expected, rtol=1e-5)


def test_greedy_training_uses_as_many_epochs(lesson, x, lab, capsys):
    lesson.train_greedily(lesson.denoising_mask, x, lab, 0.5, epochs=8)
    done = capsys.readouterr().out
    for part, epochs in (("first layer", 2), ("second layer", 2), ("both layers", 4)):
        assert f"{part}: {epochs} epochs" in done


def test_two_layers_have_as_many_weights_as_one(lesson):
    one, two = (
        sum(p.numel() for p in net.parameters() if p.dim() == 2)
        for net in (lesson.one_layer(), lesson.TwoLayers())
    )
    assert one == two == 2 * 256 * 256


def test_the_ridge_is_chosen_on_validation_digits(lesson, split):
    found = lesson.classification_errors(nn.Flatten(), split, 24)
    x, labels = split["train"]
    codes = x.flatten(1)
    each = [
        100 - 100 * metrics.linear_probe(codes[:24], labels[:24], codes, labels, ridge=ridge)
        for ridge in lesson.RIDGES
    ]
    assert found["validation"] == min(each) and found["test"] == found["validation"]


def test_every_network_is_shown_the_same_damage_and_no_random_numbers_are_taken(lesson, x):
    net = lesson.one_layer()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first, second = (lesson.reconstruction_errors(net, x) for _ in range(2))
    assert first == second and torch.equal(torch.rand(2), expected)


def test_a_setting_is_chosen_by_validation_and_reported_on_test_digits(lesson, lab):
    def run(name, setting, lr, seed, lab):
        best = setting == (0.5,) and lr == lesson.RATES[1]
        of = {question: 1.0 - best for question in lesson.QUESTIONS} | {"error": 2.0}
        return {"validation": of, "test": {q: 10.0 + seed for q in of}}

    row = lesson.compare("denoising, mask", lab, run)
    assert len(row["tried"]) == 3 * len(lesson.RATES)
    for question in lesson.QUESTIONS:
        chosen = row["chosen"][question]
        assert (chosen["setting"], chosen["lr"]) == ([0.5], lesson.RATES[1])
        assert chosen[question] == [10.0 + seed for seed in range(lesson.SEEDS)]
    assert lesson.TUNING_SEED not in range(lesson.SEEDS)


def test_each_variant_can_be_trained(lesson, x, lab):
    for train, settings in lesson.VARIANTS.values():
        net, _ = train(x, lab, *settings[0], lr=1e-3, epochs=1)
        assert net.encode(x).shape == (len(x), 256) and net(x).shape == x.shape
    for make, _ in lesson.LONG_RUNS.values():
        assert make()(x).shape == x.shape


def test_the_page_of_results_is_that_of_the_tables():
    spec = importlib.util.spec_from_file_location("autoencoder_variants", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.page(*(tables.load(name)[0] for name in script.TABLES))
    assert script.PAGE.read_text(encoding="utf-8") == page
