"""The step of the benchmark is the reference implementation's: same losses, same gradients."""

import importlib.util
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "cyclegan_step.py"


@pytest.fixture(scope="module")
def benchmark():
    specification = importlib.util.spec_from_file_location("cyclegan_step", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def small(benchmark):
    nets = benchmark.networks(32, width=4, blocks=2)
    return {key: net.double() for key, net in nets.items()}


@pytest.mark.parametrize("batch", [1, 3])
def test_both_ways_have_the_same_losses_and_gradients(benchmark, lab, batch):
    x, y = torch.rand(2, batch, 3, 32, 32, dtype=torch.float64)
    apart = benchmark.disagreement(small(benchmark), x, y, lab)
    assert len(apart) == 8 and max(apart.values()) < 1e-9


def test_another_weight_of_the_cycle_would_be_noticed(benchmark, lab, monkeypatch):
    monkeypatch.setitem(benchmark.LESSON, "distance", lambda a, b: (a - b).abs().mean())
    x, y = torch.rand(2, 1, 3, 32, 32, dtype=torch.float64)
    apart = benchmark.disagreement(small(benchmark), x, y, lab)
    assert apart["cycle"] > 0.1 and apart["gradients of to_zebra"] > 0.1
    assert apart[benchmark.OBJECTIVE] < 1e-9 and apart["gradients of x"] < 1e-9
