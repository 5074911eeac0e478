"""Shipped weights: whole, small, fitting, and said so when not."""

import dataclasses
import json

import pytest
import torch
from torch import nn

import course_utils
from course_utils.shipped import weights
from course_utils.shipped.cards import Refused

SHIPPED = sorted(weights.weights_folder().glob("*.safetensors"))
TOTAL_BYTES = 15e6  # of the whole course


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
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


def test_missing_damaged_and_foreign_weights_are_refused(tmp_path):
    with pytest.raises(Refused, match="No shipped weights called net"):
        weights.load("net", nn.Linear(3, 4), tmp_path)
    path = weights.save("net", nn.Linear(3, 4), {}, tmp_path)
    with pytest.raises(Refused, match="another architecture"):
        weights.load("net", nn.Linear(3, 5), tmp_path)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(Refused, match="net.safetensors is damaged"):
        weights.load("net", nn.Linear(3, 4), tmp_path)


@pytest.mark.parametrize("card", ["{bad", "{}"])
def test_a_damaged_card_is_refused(tmp_path, card):
    path = weights.save("net", nn.Linear(3, 4), {}, tmp_path)
    path.with_suffix(".json").write_text(card)
    with pytest.raises(Refused, match="net.json is damaged"):
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
def test_every_shipped_file_has_a_true_card(path):
    import hashlib

    from safetensors import safe_open

    card = json.loads(path.with_suffix(".json").read_text())
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card["sha256"]
    assert path.stat().st_size == card["bytes"]
    assert card["measures"] and card["budget"] == "full"
    with safe_open(path, "pt") as file:
        shapes = {key: list(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    assert shapes == card["architecture"]["shapes"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_is_in_the_data_readme(path):
    table = (weights.weights_folder().parent / "README.md").read_text()
    name = "digits_beta_B" if path.stem.startswith("digits_beta_") else path.stem
    assert f"`{name}`" in table


def test_the_course_stays_small():
    assert sum(path.stat().st_size for path in SHIPPED) < TOTAL_BYTES
