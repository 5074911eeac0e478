"""The loop: what it trains, what it records, what it refuses, and that no cut is noticed."""

import copy
import dataclasses
import hashlib
import io
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
from course_utils.training import (
    RUNAWAY,
    Diverged,
    Optimiser,
    checkpoints,
    cosine,
    late_linear,
    update_ema,
)

HERE = Path(__file__).parent


def line_step(batch, nets, opts):
    x, y = batch
    loss = (nets.line(x) - y).square().mean()
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


def test_every_image_is_used_once_an_epoch(lab):
    seen = []

    def step(x, nets, opts):
        seen.append(x)
        opts.net.minimise(nets.net(x).sum())
        return {"loss": 0.0}

    fit(step, torch.arange(10.0)[:, None], {"net": nn.Linear(1, 1)}, lab, epochs=2, batch_size=4)
    first, second = torch.cat(seen[:3]).flatten(), torch.cat(seen[3:]).flatten()
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize(
    ("count", "batch_size", "lengths"),
    [
        (10, 4, [4, 4, 2]),
        (9, 4, [4, 4]),  # a last batch of one is left out
        (8, 4, [4, 4]),
        (4, 4, [4]),
        (5, 4, [4]),
        (3, 4, [3]),
        (1, 4, [1]),  # unless it is all there is
        (1, 1, [1]),
        (3, 1, [1, 1, 1]),
        (1, 128, [1]),
        (2, 128, [2]),
        (129, 128, [128]),
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


def test_batch_normalisation_trains_where_one_image_is_left_over(lab):
    net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    run = fit(line_step, line_data(129), {"line": net}, lab, epochs=2, batch_size=128)
    assert run.history["count"].tolist() == [128, 128]


def test_two_players_each_move_only_themselves(lab):
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    before, a_before = b.weight.clone(), a.weight.clone()

    def step(x, nets, opts):
        loss = nets.b(nets.a(x)).mean()
        opts.a.minimise(loss)
        return {"loss": loss}

    fit(step, torch.ones(4, 1), {"a": a, "b": b}, lab, epochs=3)
    assert torch.equal(before, b.weight) and not torch.equal(a_before, a.weight)


def test_a_player_leaves_no_gradient_in_the_other_s_weights(lab):
    a, b = nn.Linear(2, 2), nn.Linear(2, 1)
    x = torch.randn(4, 2)
    (expected,) = torch.autograd.grad(b(a(x)).mean(), [a.weight])
    b.weight.grad = torch.ones_like(b.weight)
    Optimiser(a.parameters(), 0.1, (0.9, 0.999), lab).minimise(b(a(x)).mean())
    assert torch.allclose(a.weight.grad, expected)
    assert torch.equal(b.weight.grad, torch.ones_like(b.weight)) and b.bias.grad is None


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


def test_frozen_weights_of_a_player_stay(lab):
    net = nn.Sequential(nn.Linear(2, 2).requires_grad_(False), nn.Linear(2, 1))
    frozen, free = net[0].weight.clone(), net[1].weight.clone()
    Optimiser(net.parameters(), 0.1, (0.9, 0.999), lab).minimise(net(torch.randn(4, 2)).mean())
    assert torch.equal(frozen, net[0].weight) and not torch.equal(free, net[1].weight)


def test_weights_that_a_loss_does_not_use_stay(lab):
    net = nn.ModuleDict({"used": nn.Linear(2, 1), "idle": nn.Linear(2, 1)})
    idle = net["idle"].weight.clone()
    player = Optimiser(net.parameters(), 0.1, (0.9, 0.999), lab)
    player.minimise(net["used"](torch.ones(4, 2)).mean())
    assert torch.equal(idle, net["idle"].weight)


def test_a_player_knows_how_much_of_the_run_is_done(lab):
    seen = []

    def step(x, nets, opts):
        seen.append((opts.a.progress, opts.b.progress))
        return {"loss": 0.0}

    nets = {"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}
    fit(step, torch.ones(5, 1), nets, lab, epochs=2, batch_size=1)
    assert seen == [(number / 10, number / 10) for number in range(10)]


# The running average of weights


def test_follow_is_the_textbook_s_running_average():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    average = copy.deepcopy(net)
    expected = [p.detach().clone() for p in net.parameters()]
    for _ in range(30):
        with torch.no_grad():
            for weight in net.parameters():
                weight += torch.randn_like(weight)
        update_ema(average, net, decay=0.9)
        expected = [0.9 * old + 0.1 * p.detach() for old, p in zip(expected, net.parameters())]
    for ours, theirs, weight in zip(average.parameters(), expected, net.parameters()):
        assert torch.allclose(ours, theirs) and not torch.allclose(ours, weight)


def test_follow_remembers_a_thousand_steps_unless_told_otherwise():
    average, net = nn.Linear(1, 1).double(), nn.Linear(1, 1).double()
    nn.init.zeros_(average.weight)
    nn.init.ones_(net.weight)
    for _ in range(1000):
        update_ema(average, net)
    assert average.weight.item() == pytest.approx(1 - 0.999**1000)
    update_ema(average, net, decay=0.0)
    assert average.weight.item() == pytest.approx(1)


def test_follow_changes_nothing_in_the_network_and_copies_its_buffers():
    net, average = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    net(torch.randn(9, 2) + 3)
    before = [value.clone() for value in net.state_dict().values()]
    update_ema(average, net)
    assert all(torch.equal(a, b) for a, b in zip(before, net.state_dict().values()))
    assert torch.equal(average.running_mean, net.running_mean)
    assert average.num_batches_tracked == 1
    assert average.weight.requires_grad and average.weight.grad_fn is None


@pytest.mark.parametrize(
    "other",
    [nn.Linear(3, 5), nn.Linear(4, 3), nn.Linear(3, 4, bias=False), nn.Sequential()],
)
def test_follow_refuses_networks_of_another_shape(other):
    average = nn.Linear(3, 4)
    before = average.weight.clone()
    with pytest.raises(ValueError, match="two networks of one architecture: a copy.deepcopy"):
        update_ema(average, other)
    assert torch.equal(before, average.weight)


def test_a_loss_of_the_average_goes_down_where_the_game_circles(lab):
    """Two players of x times y: the weights go round and round, their average comes to rest."""
    x, y = counter(), counter()
    nn.init.ones_(x.weight)
    mean = copy.deepcopy(x)

    def step(batch, nets, opts):
        with torch.no_grad():
            slope_x, slope_y = nets.y.weight.clone(), nets.x.weight
            nets.x.weight -= 0.01 * slope_x
            nets.y.weight += 0.01 * slope_y
        update_ema(nets.mean, nets.x, decay=0.999)
        return {"radius": (nets.x.weight.square() + nets.y.weight.square()).sqrt()}

    run = fit(
        step, torch.ones(100, 1), {"x": x, "y": y, "mean": mean}, lab, epochs=40, batch_size=1
    )
    assert run.history["radius"][-1].item() > 0.95 and mean.weight.abs().item() < 0.2


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


def test_the_rate_follows_the_schedule_and_each_network_has_its_own(lab):
    rates = []

    def step(x, nets, opts):
        rates.append([opts.a.adam.param_groups[0]["lr"], opts.b.adam.param_groups[0]["lr"]])
        return {"loss": 0.0}

    nets = {"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}
    fit(step, torch.ones(4, 1), nets, lab, epochs=4, lr={"a": 1.0, "b": 0.1}, schedule=cosine)
    assert rates[0] == [1.0, 0.1]
    assert rates[2] == pytest.approx([0.5, 0.05])


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


def test_the_same_seed_gives_the_same_run(lab):
    def train():
        torch.manual_seed(5)
        line = nn.Linear(3, 1)
        return fit(line_step, line_data(), {"line": line}, lab, epochs=2).history["loss"]

    assert torch.equal(train(), train())


def test_bfloat16_trains_too(lab):
    torch.manual_seed(0)
    line = nn.Linear(3, 1)
    run = fit(
        line_step, line_data(), {"line": line}, dataclasses.replace(lab, precision="bf16"),
        epochs=60, lr=0.05, batch_size=32,
    )  # fmt: skip
    assert run.per_epoch("loss")[-1] < 0.05
    assert line(torch.ones(1, 3)).dtype == torch.float32


@pytest.mark.parametrize(
    ("data", "options", "advice"),
    [
        (torch.zeros(0, 3), {}, "not 0"),
        ((torch.zeros(4, 3), torch.zeros(5, 1)), {}, "one length"),
        (torch.zeros(4, 3), {"epochs": 0}, "1 or more"),
        (torch.zeros(4, 3), {"batch_size": 0}, "1 or more"),
        (torch.zeros(4, 3), {"watch": lambda nets: 0}, "belong together"),
        (torch.zeros(4, 3).numpy(), {}, "needs tensors and was given ndarray"),
    ],
)
def test_bad_input_is_refused(lab, data, options, advice):
    options = {"epochs": 1, **options}
    with pytest.raises(ValueError, match=advice):
        fit(line_step, data, {"line": nn.Linear(3, 1)}, lab, **options)


def test_a_step_must_be_a_function(lab):
    with pytest.raises(ValueError, match="plain function"):
        fit(print, torch.zeros(4, 3), {"line": nn.Linear(3, 1)}, lab, epochs=1)


@pytest.mark.parametrize(
    ("returned", "advice"),
    [
        (lambda loss, x: None, "must return its measures"),
        (lambda loss, x: {"loss": torch.zeros(3)}, "loss has 3 numbers"),
        (lambda loss, x: {"loss": loss, "odd": 1.0} if x[0, 0] > 2 else {"loss": loss}, "same"),
    ],
)
def test_a_step_that_returns_something_else_is_told_so(lab, returned, advice):
    def step(x, nets, opts):
        loss = nets.line(x).mean()
        opts.line.minimise(loss)
        return returned(loss, x)

    data = torch.arange(6.0)[:, None].expand(6, 3)
    with pytest.raises(ValueError, match=advice):
        fit(step, data, {"line": nn.Linear(3, 1)}, lab, epochs=1, batch_size=1)


def test_measures_keep_no_graph(lab):
    graphs = []

    def step(x, nets, opts):
        kept = nets.line(x).mean()
        graphs.append(weakref.ref(kept))
        opts.line.minimise(nets.line(x).mean())
        return {"kept": kept}

    fit(step, torch.ones(20, 3), {"line": nn.Linear(3, 1)}, lab, epochs=1, batch_size=1)
    assert graphs[0]() is None


def test_networks_are_ready_for_use_after_an_interrupt(lab):
    line = nn.Linear(3, 1)

    def step(x, nets, opts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(step, torch.ones(4, 3), {"line": line}, lab, epochs=1)
    assert not line.training


def test_a_loss_that_explodes_is_named_with_its_step(lab):
    def step(x, nets, opts):
        loss = nets.line(x).sum() * (float("nan") if x.sum() < 0 else 1)
        opts.line.minimise(loss)
        return {"loss": loss}

    data = torch.ones(1000, 3)
    data[700:] = -1
    message = r"loss became nan at step \d+: the training diverged. Try a smaller learning rate"
    with pytest.raises(FloatingPointError, match=message):
        fit(step, data, {"line": nn.Linear(3, 1)}, lab, epochs=1, batch_size=1)


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


@pytest.mark.parametrize("at", [1, 7, 99, 100, 250])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.01 * 2 * RUNAWAY, -1e30])
def test_a_run_that_diverges_carries_its_history_and_gives_good_weights_back(lab, at, value):
    net = counter()
    with pytest.raises(Diverged, match=f"at step {at}: the training diverged") as end:
        fit(breaking_down(at, value), torch.ones(300, 1), {"counter": net}, lab, epochs=1,
            batch_size=1, name="doomed")  # fmt: skip
    run = end.value.run
    assert run.name == "doomed" and run.steps_per_epoch == 300 and run.seconds > 0
    assert run.history["loss"].tolist() == [2.0] * at
    assert run.history["size"].tolist() == [1.0] * at
    # The history is looked at every hundred steps, and the weights are kept there.
    assert net.weight.item() == at // 100 * 100
    assert not net.training


def test_a_run_that_diverges_at_once_ends_where_it_began(lab):
    net = counter()
    with pytest.raises(Diverged, match="loss became nan at step 0") as end:
        fit(breaking_down(0, math.nan), torch.ones(5, 1), {"counter": net}, lab, epochs=1)
    assert len(end.value.run.history["loss"]) == 0 and net.weight.item() == 0


def test_a_loss_that_grows_a_lot_and_stays_finite_is_no_divergence(lab):
    net = counter()
    growing = breaking_down(3, 0.99 * 2 * RUNAWAY)
    run = fit(growing, torch.ones(5, 1), {"counter": net}, lab, epochs=1, batch_size=1)
    assert run.history["loss"].tolist() == [2.0] * 3 + [pytest.approx(0.99 * 2 * RUNAWAY)] * 2


@pytest.mark.parametrize("before", [0.0, 1e-9, -0.5])
def test_a_measure_that_begins_near_zero_may_grow_to_a_million(lab, before):
    """A loss that starts at 0 has no first value to be measured against."""

    def train(value):
        step = breaking_down(2, value, before)
        return fit(step, torch.ones(5, 1), {"counter": counter()}, lab, epochs=1, batch_size=1)

    assert len(train(0.9 * RUNAWAY).history["loss"]) == 5
    with pytest.raises(Diverged, match=r"loss became 1.1e\+06 at step 2"):
        train(1.1 * RUNAWAY)


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


# Checkpoints and resume


def trained(lab, step=line_step, data=None, line=lambda: nn.Linear(3, 1), **options):
    torch.manual_seed(2)
    net = line()
    options = {"epochs": 3, "save": "line", **options}
    return fit(step, data or line_data(), {"line": net}, lab, **options), net


def test_a_finished_run_is_not_trained_again(lab):
    first, line = trained(lab)
    again, other = trained(lab)
    assert again.resumed_at == 3 and torch.equal(line.weight, other.weight)
    assert torch.equal(first.history["loss"], again.history["loss"])


def test_a_constant_rate_can_be_continued(lab):
    whole, line = trained(lab, save="whole", epochs=6)
    trained(lab, save="parts", epochs=2)
    parts, other = trained(lab, save="parts", epochs=6)
    assert parts.resumed_at == 2 and torch.equal(line.weight, other.weight)
    assert torch.equal(whole.history["loss"], parts.history["loss"])


def cut_after(saves, monkeypatch):
    """From now on, a run is interrupted once it has saved so many times after the first."""
    save, left = checkpoints.save, [saves + 1]

    def counted(*given):
        save(*given)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save", counted)


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_resuming_is_exact_where_an_image_is_left_out(lab, cut, monkeypatch):
    """9 images in batches of 4: two steps an epoch, and a cut between them or between epochs."""
    odd = {"data": line_data(9), "batch_size": 4, "epochs": 5, "save_every": 0}
    whole, line = trained(lab, save="whole", **odd)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_after(cut, patch)
        trained(lab, save="parts", **odd)
    parts, other = trained(lab, save="parts", **odd)
    assert parts.resumed_at == cut and len(parts.history["loss"]) == 10
    assert torch.equal(whole.history["loss"], parts.history["loss"])
    assert torch.equal(line.weight, other.weight)


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.5},
        {"batch_size": 7},
        {"betas": (0.5, 0.9)},
        {"schedule": cosine},
        {"watch": lambda nets: nets.line.bias, "watch_at": (0, 2)},
        {"data": tuple(part.flip(0) for part in line_data())},
        {"data": (line_data()[0], line_data()[1].flip(0))},
        {"line": lambda: nn.Sequential(nn.Linear(3, 1), nn.Tanh())},
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


def test_another_seed_is_another_run(lab):
    trained(lab)
    assert trained(dataclasses.replace(lab, seed=1))[0].resumed_at == 0


def test_fewer_epochs_than_the_checkpoint_has_start_afresh(lab, capsys):
    trained(lab)
    run, _ = trained(lab, epochs=1)
    assert run.resumed_at == 0 and len(run.history["loss"]) == 1
    assert "3 steps and only 1" in capsys.readouterr().out


def with_setting(weight=1.0, table=None, tensor=None, default=0.0):
    table = table or {"weight": 1.0}
    tensor = torch.ones(1) if tensor is None else tensor

    def step(batch, nets, opts, default=default):
        scale = (lambda: weight * table["weight"])() * tensor.sum()
        loss = scale * (nets.line(batch[0]) - batch[1]).square().mean() + default
        opts.line.minimise(loss)
        return {"loss": loss}

    return step


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 2.0},
        {"table": {"weight": 2.0}},
        {"tensor": torch.tensor([2.0])},
        {"default": 1.0},
    ],
)
def test_a_changed_setting_that_the_step_uses_makes_another_run(lab, change):
    trained(lab, step=with_setting())
    assert trained(lab, step=with_setting())[0].resumed_at == 3
    assert trained(lab, step=with_setting(**change))[0].resumed_at == 0


def scaled_step(batch, nets, opts, scale):
    loss = scale * (nets.line(batch[0]) - batch[1]).square().mean()
    opts.line.minimise(loss)
    return {"loss": loss}


def test_a_step_may_be_a_partial_and_each_setting_is_a_run_of_its_own(lab, capsys):
    once, twice = (partial(scaled_step, scale=scale) for scale in (1.0, 2.0))
    first, _ = trained(lab, step=once)
    other, _ = trained(lab, step=twice)
    again, _ = trained(lab, step=partial(scaled_step, scale=1.0))
    assert first.resumed_at == 0 and other.resumed_at == 0 and again.resumed_at == 3
    capsys.readouterr()
    fit(twice, line_data(), {"line": nn.Linear(3, 1)}, lab, epochs=1)
    assert capsys.readouterr().out.startswith("scaled_step: 1 epochs")


LESSON = """
import torch
from torch import nn
from course_utils import fit
from course_utils.session import processes

LIMIT = torch.full((2_000,), 3.0)
frozen = nn.Linear(3, 3)
nn.init.ones_(frozen.weight), nn.init.zeros_(frozen.bias)

def scaled(x):
    return 0.5 * x

class Base(nn.Module):
    def features(self, x):
        return scaled(x)

class Line(Base):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 1)

    def forward(self, x):
        return self.line(self.features(x))

def step(batch, nets, opts):
    x, y = batch
    loss = (nets.line(frozen(x)) - y).square().mean().clamp(max=LIMIT.sum())
    opts.line.minimise(loss)
    return {"loss": loss}

torch.manual_seed(0)
line = Line()
"""
FIT = 'run = fit(step, data, {"line": line}, lab, epochs=6, batch_size=20, save="line", **options)'


def lesson(lab, edit=("", ""), **options):
    """Run a small notebook, some of its text changed."""
    names = {"__name__": "__main__", "lab": lab, "data": line_data(), "options": options}
    exec(LESSON.replace(*edit), names)
    exec(FIT, names)
    return names


EDITS = {
    "forward of its class": ("self.line(self.features(x))", "self.line(-self.features(x))"),
    "forward of a base class": ("return scaled(x)", "return scaled(x) + 1"),
    "a helper": ("return 0.5 * x", "return 0.25 * x"),
    "a frozen network exchanged": ("ones_(frozen.weight)", "eye_(frozen.weight)"),
    "a constant tensor exchanged": ("full((2_000,), 3.0)", "full((2_000,), 1e-6)"),
    "other first weights": ("manual_seed(0)", "manual_seed(1)"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_run_of_edited_code_is_trained_anew_and_going_back_finds_the_first(lab, edit):
    assert LESSON.count(edit[0]) == 1
    first, again, edited = lesson(lab), lesson(lab), lesson(lab, edit)
    fresh = lesson(dataclasses.replace(lab, runs_folder=lab.runs_folder / "fresh"), edit)
    assert again["run"].resumed_at == 30 and edited["run"].resumed_at == 0
    assert torch.equal(edited["run"].history["loss"], fresh["run"].history["loss"])
    assert not torch.equal(edited["run"].history["loss"], first["run"].history["loss"])
    assert lesson(lab)["run"].resumed_at == 30


@pytest.mark.parametrize("saves", [0, 2])
@pytest.mark.parametrize("begin_anew", [False, True], ids=["same kernel", "new kernel"])
def test_a_cell_that_is_cut_and_run_again_gives_the_run_that_was_never_cut(
    lab, monkeypatch, saves, begin_anew
):
    """Cut in the middle of step 12, after so many checkpoints; `saves` 0: before the first one."""
    whole = lesson(dataclasses.replace(lab, runs_folder=lab.runs_folder / "whole"))
    every = {"save_every": 0 if saves else 1e9}
    steps, broadcast = iter(range(100)), processes.broadcast_decisions

    def cut_in_step(*decisions):
        if next(steps) == 12:
            raise KeyboardInterrupt
        return broadcast(*decisions)

    names = {"__name__": "__main__", "lab": lab, "data": line_data(), "options": every}
    exec(LESSON, names)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(processes, "broadcast_decisions", cut_in_step)
        exec(FIT, names)
    assert not torch.equal(names["line"].line.weight, whole["line"].line.weight)
    torch.rand(3)  # the notebook's random numbers have gone on
    if begin_anew:
        exec(LESSON, names)
    exec(FIT, names)
    assert names["run"].resumed_at == (12 if saves else 0)
    assert torch.equal(names["run"].history["loss"], whole["run"].history["loss"])
    assert torch.equal(names["line"].line.weight, whole["line"].line.weight)


def test_a_longer_run_of_the_same_network_goes_on_in_the_same_kernel(lab):
    names = lesson(lab)
    exec(FIT.replace("epochs=6", "epochs=9"), names)
    assert names["run"].resumed_at == 30 and len(names["run"].history["loss"]) == 45


def test_fewer_epochs_in_the_same_kernel_are_the_beginning_of_that_run(lab):
    """The last checkpoint is too long; the one before it, of step 0, has the first weights."""
    names = lesson(lab)
    whole = names["run"].history["loss"]
    exec(FIT.replace("epochs=6", "epochs=1"), names)
    assert torch.equal(names["run"].history["loss"], whole[:5])
    resumed = lesson(lab)["run"]
    assert resumed.resumed_at == 5 and torch.equal(resumed.history["loss"], whole)


def test_without_its_checkpoints_a_run_begins_with_the_weights_there_are(lab):
    names = lesson(lab)
    for path in lab.runs_folder.glob("*.pt"):
        path.unlink()
    exec(FIT, names)
    assert names["run"].history["loss"][0] != lesson(lab)["run"].history["loss"][0]


def test_a_network_trained_further_is_another_run(lab):
    """What begins with the weights that another run left is not the run that began afresh."""
    names = lesson(lab)
    exec(FIT.replace("epochs=6", "epochs=6, lr=0.01"), names)
    further, weight = names["run"], names["line"].line.weight.clone()
    afresh = lesson(lab, lr=0.01)["run"]
    assert further.resumed_at == afresh.resumed_at == 0
    names = lesson(lab)
    exec(FIT.replace("epochs=6", "epochs=6, lr=0.01"), names)
    assert names["run"].resumed_at == 30 and torch.equal(names["line"].line.weight, weight)


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


def test_a_resumed_run_says_when_it_began(lab, capsys):
    trained(lab)
    capsys.readouterr()
    trained(lab)
    assert re.search(r"resumed at step 3 of the run of \d\d:\d\d$", capsys.readouterr().out.strip())


def only_checkpoint(lab):
    (path,) = lab.runs_folder.glob("line-????????.pt")
    return path


def test_a_truncated_checkpoint_is_refused_and_the_one_before_is_used(lab, capsys):
    trained(lab, save_every=0)  # a checkpoint at each of the three steps
    path = only_checkpoint(lab)
    path.write_bytes(path.read_bytes()[:-100])
    capsys.readouterr()
    run, _ = trained(lab, save_every=0)
    said = capsys.readouterr().out
    assert run.resumed_at == 2
    assert f"{path.name} is damaged or cut short" in said and ".refused-" in said


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04" + b"0" * 100])
def test_a_foreign_file_is_refused_and_kept(lab, content, capsys):
    trained(lab)
    path = only_checkpoint(lab)
    path.write_bytes(content)
    run, _ = trained(lab)
    assert run.resumed_at == 0
    assert f"{path.name} is not a checkpoint of this course" in capsys.readouterr().out
    (kept,) = lab.runs_folder.glob("*.refused-*")
    assert kept.read_bytes() == content


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

    buffer = io.BytesIO()
    torch.save({"run": {}, "state": Trap()}, buffer)
    payload = buffer.getvalue()
    digest = hashlib.sha256(payload).hexdigest().encode()
    path = tmp_path / "trap.pt"
    path.write_bytes(checkpoints.HEADER + digest + b"\n" + payload)
    with pytest.raises(checkpoints.CheckpointRefused, match="trap.pt holds something else"):
        checkpoints.load(path, {})
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_run_killed_twenty_times_ends_bit_for_bit_like_one_left_alone(tmp_path):
    own = {"OMP_NUM_THREADS": "1", "COURSE_PROGRESS": "off", "PYTHONPATH": str(HERE.parent)}
    environment = {**os.environ, **own}
    done = subprocess.run(
        [sys.executable, HERE / "killed_run.py", tmp_path / "runs", "20", "1"],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["killed"] == 20
    assert "resumed at step" in outcome["log"][-1]
    assert outcome["cut"] == outcome["whole"]
