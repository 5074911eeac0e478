"""Shipped weights: whole, small, fitting, and said so when not."""

import dataclasses
import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import course_utils
from course_utils.shipped import weights
from course_utils.shipped.cards import Refused

SHIPPED = sorted(weights.weights_folder().glob("*.safetensors"))
TOTAL_BYTES = 20e6  # of the whole course


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path / "weights")
    return course_utils.start("weights")


def test_weights_return_in_half_precision(tmp_path):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    weights.save("net", net, {"measures": {"loss": 1.5}}, tmp_path)
    other = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    card = weights.load("net", other, tmp_path)
    assert card["measures"] == {"loss": 1.5}
    assert torch.allclose(other[0].weight, net[0].weight, atol=1e-3)
    assert other[0].weight.dtype == torch.float32
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.json", "net.safetensors"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path, card: path.unlink(), "No shipped weights called net"),
        (lambda path, card: card.unlink(), "No shipped weights called net"),
        (lambda path, card: path.write_bytes(path.read_bytes()[:-2]), "net.safetensors is damaged"),
        (lambda path, card: card.write_text("{bad", encoding="utf-8"), "net.json is damaged"),
        (lambda path, card: card.write_text("{}", encoding="utf-8"), "net.json is damaged"),
    ],
)
def test_missing_damaged_and_foreign_weights_are_refused(tmp_path, damage, said):
    path = weights.save("net", nn.Linear(3, 4), {"measures": {}}, tmp_path)
    with pytest.raises(Refused, match="another architecture"):
        weights.load("net", nn.Linear(3, 5), tmp_path)
    damage(path, path.with_suffix(".json"))
    with pytest.raises(Refused, match=said):
        weights.load("net", nn.Linear(3, 4), tmp_path)


def test_weights_that_half_precision_cannot_hold_are_not_saved(tmp_path):
    net = nn.Linear(3, 4)
    nn.init.constant_(net.weight, 1e5)
    with pytest.raises(ValueError, match="too large for half precision"):
        weights.save("net", net, {}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_full_budget_trains_and_publishes_only_when_told(lab):
    def train(net):
        nn.init.constant_(net.weight, 2.0)
        return {"loss": 0.25}

    full = dataclasses.replace(lab, budget="full")
    assert weights.shipped_weights("net", nn.Linear(2, 2), full, train) == {"loss": 0.25}
    assert not weights.weights_folder().exists()
    weights.shipped_weights("net", nn.Linear(2, 2), dataclasses.replace(full, publish=True), train)
    net = nn.Linear(2, 2)
    assert weights.shipped_weights("net", net, lab, train) == {"loss": 0.25}
    assert (net.weight == 2).all() and not net.training


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_has_a_true_card_and_is_in_the_data_readme(path):
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card["sha256"]
    assert path.stat().st_size == card["bytes"]
    assert card["measures"] and card["budget"] == "full"
    shapes = {key: list(value.shape) for key, value in load_file(path).items()}
    assert shapes == card["architecture"]["shapes"]
    name = "digits_beta_B" if path.stem.startswith("digits_beta_") else path.stem
    assert f"`{name}`" in (path.parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_course_stays_small():
    assert sum(path.stat().st_size for path in SHIPPED) < TOTAL_BYTES
