"""The loop: what it trains, what it records, what it refuses, and that no cut is noticed."""

import copy
import dataclasses
import io
import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import weakref
from functools import partial
from pathlib import Path

import numpy
import pytest
import torch
from torch import nn

from course_utils import fit
from course_utils.session import processes
from course_utils.training import Diverged, Optimiser, checkpoints, cosine, late_linear, update_ema

HERE = Path(__file__).parent


def line_step(batch, nets, opts, scale=1.0):
    x, y = batch
    loss = scale * (nets.line(x) - y).square().mean()
    opts.line.minimise(loss)
    return {"loss": loss, "count": len(x)}


def line_data(count=100):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=generator)
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]])


def test_it_learns_and_records_every_step(lab, capsys):
    line = nn.Linear(3, 1)
    run = fit(line_step, line_data(), {"line": line}, lab, epochs=80, lr=0.05, batch_size=32)
    assert run.history["loss"].shape == (80 * 4,)
    assert run.history["count"][:4].tolist() == [32, 32, 32, 4]
    assert run.per_epoch("loss")[-1] < 1e-3 < run.per_epoch("loss")[0]
    assert not line.training
    assert capsys.readouterr().out.startswith("line_step: 80 epochs · loss ")


@pytest.mark.parametrize(
    ("count", "batch_size", "lengths"),
    [
        (10, 4, [4, 4, 2]),
        (9, 4, [4, 4]),  # a last batch of one is left out
        (8, 4, [4, 4]),
        (1, 4, [1]),  # unless it is all there is
        (3, 1, [1, 1, 1]),
        (2, 128, [2]),
    ],
)
def test_the_batches_of_an_epoch(lab, count, batch_size, lengths):
    seen = []

    def step(x, nets, opts):
        seen.append(x.flatten().tolist())
        opts.net.minimise(nets.net(x).sum())
        return {"size": float(len(x)), "number": float(len(seen))}

    data = torch.arange(float(count))[:, None]
    run = fit(step, data, {"net": nn.Linear(1, 1)}, lab, epochs=3, batch_size=batch_size)
    assert run.history["size"].tolist() == 3 * lengths
    assert run.steps_per_epoch == len(lengths)
    assert run.per_epoch("size").tolist() == pytest.approx([sum(lengths) / len(lengths)] * 3)
    middle = (len(lengths) + 1) / 2
    assert run.per_epoch("number").tolist() == [middle + len(lengths) * epoch for epoch in range(3)]
    for epoch in range(3):  # no image twice in an epoch
        images = sum(seen[epoch * len(lengths) : (epoch + 1) * len(lengths)], [])
        assert len(set(images)) == sum(lengths)


def test_the_image_that_is_left_out_is_another_one_every_epoch(lab):
    left_out = []

    def step(x, nets, opts):
        left_out.append(({0.0, 1.0, 2.0, 3.0, 4.0} - set(x.flatten().tolist())).pop())
        return {"loss": 0.0}

    data = torch.arange(5.0)[:, None]
    fit(step, data, {"net": nn.Linear(1, 1)}, lab, epochs=60, batch_size=4)
    assert set(left_out) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_a_player_moves_only_itself_and_leaves_no_gradient_in_the_other_s_weights(lab):
    a, b = nn.Linear(2, 2), nn.Linear(2, 1)
    x, a_before, b_before = torch.randn(4, 2), a.weight.clone(), b.weight.clone()
    (expected,) = torch.autograd.grad(b(a(x)).mean(), [a.weight])
    b.weight.grad = torch.ones_like(b.weight)

    def step(x, nets, opts):
        opts.a.minimise(nets.b(nets.a(x)).mean())
        return {"loss": 0.0}

    fit(step, x, {"a": a, "b": b}, lab, epochs=1)
    assert torch.allclose(a.weight.grad, expected) and not torch.equal(a_before, a.weight)
    assert torch.equal(b.weight.grad, torch.ones_like(b.weight)) and b.bias.grad is None
    assert torch.equal(b_before, b.weight)


def test_a_player_minimises_by_adam_from_fresh_gradients_each_time(lab):
    ours = nn.Linear(3, 1)
    theirs = copy.deepcopy(ours)
    player = Optimiser(ours.parameters(), 0.05, (0.5, 0.9), lab)
    adam = torch.optim.Adam(theirs.parameters(), lr=0.05, betas=(0.5, 0.9))
    x, y = line_data(20)
    for _ in range(5):
        player.minimise((ours(x) - y).square().mean())
        adam.zero_grad()
        (theirs(x) - y).square().mean().backward()
        adam.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)


def test_frozen_weights_and_those_that_a_loss_does_not_use_stay(lab):
    parts = {"frozen": nn.Linear(2, 2).requires_grad_(False), "free": nn.Linear(2, 1)}
    net = nn.ModuleDict({**parts, "idle": nn.Linear(2, 1)})
    frozen, free, idle = (part.weight.clone() for part in net.values())
    player = Optimiser(net.parameters(), 0.1, (0.9, 0.999), lab)
    player.minimise(net["free"](net["frozen"](torch.randn(4, 2))).mean())
    assert torch.equal(frozen, net["frozen"].weight) and torch.equal(idle, net["idle"].weight)
    assert not torch.equal(free, net["free"].weight)


def test_a_player_knows_the_progress_and_its_own_rate_follows_the_schedule(lab):
    seen = []

    def step(x, nets, opts):
        seen.append([(opt.progress, opt.adam.param_groups[0]["lr"]) for opt in (opts.a, opts.b)])
        return {"loss": 0.0}

    nets = {"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}
    rates = {"a": 1.0, "b": 0.1}
    fit(step, torch.ones(5, 1), nets, lab, epochs=2, batch_size=1, lr=rates, schedule=cosine)
    expected = [(number / 10, 0.5 + 0.5 * math.cos(math.pi * number / 10)) for number in range(10)]
    for place, rate in enumerate((1.0, 0.1)):
        for found, (progress, factor) in zip(seen, expected, strict=True):
            assert found[place] == (progress, pytest.approx(rate * factor))


@pytest.mark.parametrize(("given", "decay"), [({"decay": 0.9}, 0.9), ({}, 0.999)])
def test_the_average_is_that_of_the_textbook_with_the_network_s_buffers(given, decay):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    average = copy.deepcopy(net)
    expected = [p.detach().clone() for p in net.parameters()]
    for _ in range(30):
        net(torch.randn(9, 3).double() + 3)
        with torch.no_grad():
            for weight in net.parameters():
                weight += torch.randn_like(weight)
        before = copy.deepcopy(net.state_dict())
        update_ema(average, net, **given)
        assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
        expected = [decay * a + (1 - decay) * p for a, p in zip(expected, net.parameters())]
    for ours, theirs, weight in zip(average.parameters(), expected, net.parameters()):
        assert torch.allclose(ours, theirs, rtol=1e-9) and not torch.allclose(ours, weight)
        assert ours.requires_grad and ours.grad_fn is None
    assert all(torch.equal(a, b) for a, b in zip(average.buffers(), net.buffers(), strict=True))


@pytest.mark.parametrize("other", [nn.Linear(3, 5), nn.Linear(3, 4, bias=False), nn.Sequential()])
def test_the_average_of_networks_of_another_shape_is_refused(other):
    average = nn.Linear(3, 4)
    before = average.weight.clone()
    with pytest.raises(ValueError, match="two networks of one architecture: a copy.deepcopy"):
        update_ema(average, other)
    assert torch.equal(before, average.weight)


def test_in_half_precision_a_player_meets_the_other_as_it_is_now(lab):
    """Autocast caches weights; a GAN's second pass must see the updated discriminator."""
    differences = []

    def step(x, nets, opts):
        opts.net.minimise(nets.net(x).mean())
        now = nets.net(x)
        with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
            differences.append((now - nets.net(x)).abs().max().item())
        return {"loss": 0.0}

    half = dataclasses.replace(lab, precision="bf16")
    fit(step, torch.ones(8, 4), {"net": nn.Linear(4, 4)}, half, epochs=3, lr=1.0)
    assert differences == [0.0, 0.0, 0.0]


def test_a_late_line_stays_and_then_falls_to_zero():
    factors = [late_linear(number / 8) for number in range(9)]
    assert factors == [1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]


def test_watching_leaves_no_trace(lab):
    def train(**watching):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

        def step(batch, nets, opts):
            loss = (nets.net(batch[0]) - batch[1]).square().mean()
            loss = loss * (random.random() + numpy.random.rand())
            opts.net.minimise(loss)
            return {"loss": loss}

        random.seed(1)
        numpy.random.seed(1)
        return fit(step, line_data(), {"net": net}, lab, epochs=2, batch_size=10, **watching)

    def look(nets):
        return torch.randn(2) + random.random() + numpy.random.rand() + nets.net(torch.ones(1, 3))

    watched = train(watch=look, watch_at=(0, 7, 20))
    assert [step for step, _ in watched.snapshots] == [0, 7, 20]
    assert torch.equal(watched.history["loss"], train().history["loss"])


def test_bfloat16_trains_too(lab):
    torch.manual_seed(0)
    line, half = nn.Linear(3, 1), dataclasses.replace(lab, precision="bf16")
    run = fit(line_step, line_data(), {"line": line}, half, epochs=60, lr=0.05, batch_size=32)
    assert run.per_epoch("loss")[-1] < 0.05
    assert line(torch.ones(1, 3)).dtype == torch.float32


@pytest.mark.parametrize(
    ("data", "options", "advice"),
    [
        (torch.zeros(0, 3), {}, "not 0"),
        ((torch.zeros(4, 3), torch.zeros(5, 1)), {}, "one length"),
        (torch.zeros(4, 3), {"epochs": 0}, "epochs is 0; use a whole number from 1"),
        (torch.zeros(4, 3), {"batch_size": 0}, "batch_size is 0; use a whole number from 1"),
        (torch.zeros(4, 3), {"watch": lambda nets: 0}, "belong together"),
        (torch.zeros(4, 3).numpy(), {}, "needs tensors and was given ndarray"),
        (torch.zeros(4, 3), {"step": print}, "plain function"),
        (torch.zeros(4, 3), {"step": lambda *_: None}, "must return its measures"),
        (torch.zeros(4, 3), {"step": lambda *_: {"loss": torch.zeros(3)}}, "loss has 3 numbers"),
        (torch.zeros(5, 3), {"step": lambda x, *_: {len(x): 0.0}, "batch_size": 3}, "the same"),
    ],
)
def test_bad_input_and_a_step_that_returns_no_measures_are_refused(lab, data, options, advice):
    options = {"step": line_step, "epochs": 1, **options}
    with pytest.raises(ValueError, match=advice):
        fit(data=data, nets={"line": nn.Linear(3, 1)}, lab=lab, **options)


def test_measures_keep_no_graph(lab):
    graphs = []

    def step(x, nets, opts):
        kept = nets.line(x).mean()
        graphs.append(weakref.ref(kept))
        opts.line.minimise(nets.line(x).mean())
        return {"kept": kept}

    fit(step, torch.ones(20, 3), {"line": nn.Linear(3, 1)}, lab, epochs=1, batch_size=1)
    assert graphs[0]() is None


def breaking_down(at, value, before=2.0):
    """A step whose loss is 2 and, from a step on, something else; the weight counts the steps."""
    calls = []

    def step(x, nets, opts):
        with torch.no_grad():
            nets.counter.weight += 1
            if len(calls) >= at:
                nets.counter.weight.fill_(value)
        calls.append(1)
        return {"size": len(x), "loss": torch.tensor(value if len(calls) > at else before)}

    return step


def counter():
    net = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(net.weight)
    return net


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, math.nan),
        *itertools.product([1, 99, 100, 250], [math.nan, math.inf, -math.inf, -1e30]),
    ],
)
def test_a_run_that_diverges_carries_its_history_and_gives_good_weights_back(lab, at, value):
    net = counter()
    message = f"loss became {value:.3g} at step {at}: the training diverged. Try a smaller learning"
    with pytest.raises(FloatingPointError, match=re.escape(message)) as end:
        fit(breaking_down(at, value), torch.ones(300, 1), {"counter": net}, lab, epochs=1,
            batch_size=1, name="doomed")  # fmt: skip
    run = end.value.run
    assert run.name == "doomed" and run.steps_per_epoch == 300 and run.seconds > 0
    assert run.history["loss"].tolist() == [2.0] * at
    assert run.history["size"].tolist() == [1.0] * at
    # The history is looked at every hundred steps, and the weights are kept there.
    assert net.weight.item() == at // 100 * 100
    assert not net.training


@pytest.mark.parametrize(("steps", "good"), [(1, 0), (150, 100), (250, 200)])
def test_weights_spoilt_behind_a_finite_loss_are_neither_returned_nor_saved(lab, steps, good):
    """The slope of a root at 0 is NaN, and the loss that shows it is that of the next step."""
    net = counter()

    def step(x, nets, opts):
        with torch.no_grad():
            nets.counter.weight += 1
            if nets.counter.weight.item() == steps:
                nets.counter.weight.fill_(math.nan)
        return {"loss": 1.0}

    for _ in range(2):  # the second time, from the checkpoint
        with pytest.raises(Diverged, match="weights became NaN or infinite up to step"):
            fit(step, torch.ones(steps, 1), {"counter": net}, lab, epochs=1, batch_size=1,
                save="root", save_every=1e9)  # fmt: skip
        assert net.weight.item() == good
    saved = [torch.load(io.BytesIO(path.read_bytes().split(b"\n", 2)[2]))
             for path in lab.runs_folder.glob("root-*.pt")]  # fmt: skip
    assert saved and all(one["state"]["nets"]["counter"]["weight"].isfinite() for one in saved)


def test_what_is_infinite_from_the_beginning_is_meant_to_be(lab):
    net = nn.Linear(3, 1)
    net.register_buffer("mask", torch.tensor([0.0, -math.inf]))
    assert fit(line_step, line_data(), {"line": net}, lab, epochs=1).resumed_at == 0


@pytest.mark.parametrize("before", [2.0, 0.0, 1e-9, -0.5])
def test_a_measure_may_grow_to_a_million_times_its_first_value_or_1(lab, before):
    limit = 1e6 * max(1.0, before)

    def train(value):
        step = breaking_down(2, value, before)
        return fit(step, torch.ones(5, 1), {"counter": counter()}, lab, epochs=1, batch_size=1)

    expected = [before] * 2 + [0.99 * limit] * 3
    assert train(0.99 * limit).history["loss"].tolist() == pytest.approx(expected)
    with pytest.raises(Diverged, match=re.escape(f"loss became {1.01 * limit:.3g} at step 2")):
        train(1.01 * limit)


def test_buffers_and_every_player_get_their_good_values_back(lab):
    norm, other = nn.BatchNorm1d(1), nn.Linear(1, 1)
    start = [value.clone() for net in (norm, other) for value in net.state_dict().values()]

    def step(x, nets, opts):
        loss = nets.other(nets.norm(x)).square().mean() * math.nan
        opts.norm.minimise(loss)
        return {"loss": loss}

    with pytest.raises(Diverged):
        fit(step, torch.randn(8, 1), {"norm": norm, "other": other}, lab, epochs=1)
    now = [value for net in (norm, other) for value in net.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(start, now))
    assert norm.weight.requires_grad and isinstance(norm.weight, nn.Parameter)


def test_a_learning_rate_of_ten_ends_in_a_sentence_and_finite_weights(lab):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    with pytest.raises(Diverged, match="The networks have their last good weights back.") as end:
        fit(line_step, line_data(), {"line": net}, lab, epochs=200, lr=10.0, batch_size=50)
    history = end.value.run.history["loss"]
    assert len(history) < 400 and history.isfinite().all()
    assert all(weight.isfinite().all() for weight in net.parameters())


def trained(lab, seed=0, line=lambda: nn.Linear(3, 1), **options):
    torch.manual_seed(2)
    net = line()
    options = {"step": line_step, "data": line_data(), "epochs": 3, "save": "line", **options}
    return fit(nets={"line": net}, lab=dataclasses.replace(lab, seed=seed), **options), net


def test_a_run_can_be_continued_and_a_finished_one_is_not_trained_again(lab, capsys):
    whole, line = trained(lab, save="whole", epochs=6)
    trained(lab, epochs=2)
    parts, other = trained(lab, epochs=6)
    assert parts.resumed_at == 2
    capsys.readouterr()
    again, same = trained(lab, epochs=6)
    assert again.resumed_at == 6
    assert re.search(r"resumed at step 6 of the run of \d\d:\d\d$", capsys.readouterr().out.strip())
    for run, net in ((parts, other), (again, same)):
        assert torch.equal(whole.history["loss"], run.history["loss"])
        assert torch.equal(line.weight, net.weight)


def cut_in_step(number, patch):
    """From now on, a run is interrupted in the middle of a step, before that is saved."""
    steps, broadcast = iter(range(100)), processes.broadcast_decisions

    def interrupted(*decisions):
        if next(steps) == number:
            raise KeyboardInterrupt
        return broadcast(*decisions)

    patch.setattr(processes, "broadcast_decisions", interrupted)


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_resuming_is_exact_where_an_image_is_left_out(lab, cut, monkeypatch):
    """9 images in batches of 4: two steps an epoch, and a cut between them or between epochs."""
    odd = {"data": line_data(9), "batch_size": 4, "epochs": 5, "save_every": 0}
    whole, line = trained(lab, save="whole", **odd)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_in_step(cut, patch)
        trained(lab, save="parts", **odd)
    parts, other = trained(lab, save="parts", **odd)
    assert parts.resumed_at == cut and len(parts.history["loss"]) == 10
    assert torch.equal(whole.history["loss"], parts.history["loss"])
    assert torch.equal(line.weight, other.weight)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"lr": 0.5},
        {"batch_size": 7},
        {"betas": (0.5, 0.9)},
        {"schedule": cosine},
        {"watch": lambda nets: nets.line.bias, "watch_at": (0, 2)},
        {"data": tuple(part.flip(0) for part in line_data())},
        {"data": (line_data()[0], line_data()[1].flip(0))},
        {"line": lambda: nn.Sequential(nn.Linear(3, 1), nn.Tanh())},
        {"step": partial(line_step, scale=2.0)},
    ],
)
def test_other_settings_are_another_run_and_going_back_resumes_the_first(lab, change):
    first, _ = trained(lab)
    other, _ = trained(lab, **change)
    again, _ = trained(lab)
    assert first.resumed_at == 0 and other.resumed_at == 0 and again.resumed_at == 3
    assert len(list(lab.runs_folder.glob("line-????????.pt"))) == 2


def test_a_decay_rate_may_be_a_whole_number(lab):
    whole, _ = trained(lab, betas=(0, 0.9))
    real, _ = trained(lab, betas=(0.0, 0.9))
    assert real.resumed_at == len(whole.history["loss"])  # the same run


LESSON = """
import torch
from torch import nn
from course_utils import fit

LIMIT = torch.full((2_000,), 3.0)
SETTINGS = {"weight": 0.5}
frozen = nn.Linear(3, 3)
nn.init.ones_(frozen.weight), nn.init.zeros_(frozen.bias)

def scaled(x):
    return SETTINGS["weight"] * x

class Base(nn.Module):
    def features(self, x):
        return scaled(x)

class Line(Base):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 1)

    def forward(self, x):
        return self.line(self.features(x))

def with_shift(shift):
    def step(batch, nets, opts, weight=1.0):
        x, y = batch
        loss = weight * (nets.line(frozen(x)) - y).square().mean().clamp(max=LIMIT.sum()) + shift
        opts.line.minimise(loss)
        return {"loss": loss}
    return step

step = with_shift(0.0)
torch.manual_seed(0)
line = Line()
"""
FIT = 'run = fit(step, data, {"line": line}, lab, save="line", batch_size=20, **options)'


def opened(lab, edit=("", "")):
    """A small notebook that is ready to train, some of its text changed."""
    names = {"__name__": "__main__", "lab": lab, "data": line_data()}
    exec(LESSON.replace(*edit), names)
    return names


def fitted(names, **options):
    """Run the cell that trains."""
    names["options"] = {"epochs": 6, **options}
    exec(FIT, names)
    return names["run"]


def lesson(lab, edit=("", ""), **options):
    """The run of a whole notebook."""
    return fitted(opened(lab, edit), **options)


EDITS = {
    "forward of its class": ("self.line(self.features(x))", "self.line(-self.features(x))"),
    "forward of a base class": ("return scaled(x)", "return scaled(x) + 1"),
    "a helper": ('["weight"] * x', '["weight"] * x.abs()'),
    "a setting in a table": ('{"weight": 0.5}', '{"weight": 0.25}'),
    "a setting around the step": ("with_shift(0.0)", "with_shift(1.0)"),
    "a default of the step": ("weight=1.0", "weight=2.0"),
    "a frozen network exchanged": ("ones_(frozen.weight)", "eye_(frozen.weight)"),
    "a constant tensor exchanged": ("full((2_000,), 3.0)", "full((2_000,), 1e-6)"),
    "other first weights": ("manual_seed(0)", "manual_seed(1)"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_run_of_edited_code_is_trained_anew_and_going_back_finds_the_first(lab, edit):
    assert LESSON.count(edit[0]) == 1
    first, again, edited = lesson(lab), lesson(lab), lesson(lab, edit)
    fresh = lesson(dataclasses.replace(lab, runs_folder=lab.runs_folder / "fresh"), edit)
    assert again.resumed_at == 30 and edited.resumed_at == 0
    assert torch.equal(edited.history["loss"], fresh.history["loss"])
    assert not torch.equal(edited.history["loss"], first.history["loss"])
    assert lesson(lab).resumed_at == 30


@pytest.mark.parametrize("saves", [0, 2])
@pytest.mark.parametrize("begin_anew", [False, True], ids=["same kernel", "new kernel"])
def test_a_cell_that_is_cut_and_run_again_gives_the_run_that_was_never_cut(
    lab, monkeypatch, saves, begin_anew
):
    """Cut in the middle of step 12, after so many checkpoints; `saves` 0: before the first one."""
    uncut = opened(dataclasses.replace(lab, runs_folder=lab.runs_folder / "whole"))
    whole = fitted(uncut)
    every = {"save_every": 0 if saves else 1e9}
    names = opened(lab)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_in_step(12, patch)
        fitted(names, **every)
    assert not names["line"].training
    assert not torch.equal(names["line"].line.weight, uncut["line"].line.weight)
    torch.rand(3)  # the notebook's random numbers have gone on
    if begin_anew:
        exec(LESSON, names)
    run = fitted(names, **every)
    assert run.resumed_at == (12 if saves else 0)
    assert torch.equal(run.history["loss"], whole.history["loss"])
    assert torch.equal(names["line"].line.weight, uncut["line"].line.weight)


def test_a_longer_run_of_the_same_network_goes_on_in_the_same_kernel(lab):
    names = opened(lab)
    fitted(names)
    run = fitted(names, epochs=9)
    assert run.resumed_at == 30 and len(run.history["loss"]) == 45


def test_fewer_epochs_in_the_same_kernel_are_the_beginning_of_that_run(lab, capsys):
    """The last checkpoint is too long; the one before it, of step 0, has the first weights."""
    names = opened(lab)
    whole = fitted(names).history["loss"]
    assert torch.equal(fitted(names, epochs=1).history["loss"], whole[:5])
    assert "30 steps and only 5" in capsys.readouterr().out
    resumed = lesson(lab)
    assert resumed.resumed_at == 5 and torch.equal(resumed.history["loss"], whole)


def test_without_its_checkpoints_a_run_begins_with_the_weights_there_are(lab):
    names = opened(lab)
    fitted(names)
    for path in lab.runs_folder.glob("*.pt"):
        path.unlink()
    assert fitted(names).history["loss"][0] != lesson(lab).history["loss"][0]


def test_a_network_trained_further_is_another_run(lab):
    """What begins with the weights that another run left is not the run that began afresh."""

    def trained_further():
        names = opened(lab)
        fitted(names)
        return fitted(names, lr=0.01), names["line"].line.weight.detach()

    further, weight = trained_further()
    assert further.resumed_at == lesson(lab, lr=0.01).resumed_at == 0
    again, same = trained_further()
    assert again.resumed_at == 30 and torch.equal(same, weight)


def test_a_step_that_cannot_be_compared_begins_afresh_and_says_so(lab, capsys):
    source = torch.Generator()

    def noisy_step(batch, nets, opts):
        torch.rand(1, generator=source)
        return line_step(batch, nets, opts)

    for _ in range(2):
        run, _ = trained(lab, step=noisy_step)
        said = capsys.readouterr().out
        assert run.resumed_at == 0 and not list(lab.runs_folder.glob("*.pt"))
        assert "line begins afresh and is not saved: it uses `source`, a torch" in said


def only_checkpoint(lab):
    (path,) = lab.runs_folder.glob("line-????????.pt")
    return path


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (lambda whole: whole[:-100], "is damaged or cut short"),
        (lambda whole: b"", "is not a checkpoint of this course"),
        (lambda whole: b"not a checkpoint", "is not a checkpoint of this course"),
        (lambda whole: b"PK\x03\x04" + b"0" * 100, "is not a checkpoint of this course"),
    ],
)
def test_a_damaged_file_is_kept_and_the_checkpoint_before_it_used(lab, capsys, damaged, reason):
    trained(lab, save_every=0)  # a checkpoint at each of the three steps
    path = only_checkpoint(lab)
    content = damaged(path.read_bytes())
    path.write_bytes(content)
    capsys.readouterr()
    run, _ = trained(lab, save_every=0)
    (kept,) = lab.runs_folder.glob("*.refused-*")
    assert run.resumed_at == 2 and kept.read_bytes() == content
    assert f"{path.name} {reason}" in capsys.readouterr().out


def test_a_checkpoint_of_another_run_is_refused_by_name(tmp_path):
    path = tmp_path / "a.pt"
    checkpoints.save(path, {"step": 1}, {"seed": 0, "learning rate": 0.1})
    with pytest.raises(checkpoints.CheckpointRefused, match=r"a.pt belongs .*\(seed differ\)"):
        checkpoints.load(path, {"seed": 1, "learning rate": 0.1})


def test_parts_left_by_killed_processes_are_cleared_away_when_old(lab):
    trained(lab)
    path = only_checkpoint(lab)
    young, old = (path.with_name(f".{path.name}.{age}.part") for age in ("young", "old"))
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    trained(lab)
    assert young.exists() and not old.exists()


def test_a_checkpoint_that_would_run_code_is_not_unpickled(tmp_path):
    """A file with a true checksum but a pickle inside stops at `weights_only`."""

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = tmp_path / "trap.pt"
    checkpoints.save(path, Trap(), {})
    with pytest.raises(checkpoints.CheckpointRefused, match="trap.pt holds something else"):
        checkpoints.load(path, {})
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_run_killed_twenty_times_ends_bit_for_bit_like_one_left_alone(tmp_path):
    own = {"OMP_NUM_THREADS": "1", "COURSE_PROGRESS": "off", "PYTHONPATH": str(HERE.parent)}
    environment = {**os.environ, **own}
    done = subprocess.run(
        [sys.executable, HERE / "killed_run.py", tmp_path / "runs", "20", "1"],
        env=environment, capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["killed"] == 20
    assert "resumed at step" in outcome["log"][-1]
    assert outcome["cut"] == outcome["whole"]


SHARING = """
import pathlib, sys, time
from course_utils.training import checkpoints

path, until, resumed, said = pathlib.Path(sys.argv[1]), time.monotonic() + 2, 0, []
while time.monotonic() < until:
    checkpoints.save(path, {"step": 1}, {"seed": 0})
    resumed += checkpoints.resume(path, {"seed": 0}, 1, said.append) == {"step": 1}
print(resumed > 10, said)
"""


def test_two_kernels_save_under_one_name_without_an_error(tmp_path):
    """Each may rename what the other is about to read or to rename."""
    command = [sys.executable, "-c", SHARING, tmp_path / "shared.pt"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    for process in both:
        out, error = process.communicate(timeout=120)
        assert (out, error) == ("True []\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shared.previous.pt", "shared.pt"]
