"""The loop: what it trains, what it records, what it refuses, and that no cut is noticed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import course_utils
from course_utils import checkpoints, fit
from course_utils.training import cosine

HERE = Path(__file__).parent


@pytest.fixture
def lab(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    made = course_utils.start("test")
    capsys.readouterr()
    return made


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


def test_every_picture_is_used_once_an_epoch(lab):
    seen = []

    def step(x, nets, opts):
        seen.append(x)
        opts.net.minimise(nets.net(x).sum())
        return {"loss": 0.0}

    fit(step, torch.arange(10.0)[:, None], {"net": nn.Linear(1, 1)}, lab, epochs=2, batch_size=4)
    first, second = torch.cat(seen[:3]).flatten(), torch.cat(seen[3:]).flatten()
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert first.tolist() != second.tolist()


def test_two_players_each_move_only_themselves(lab):
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    before = b.weight.clone()

    def step(x, nets, opts):
        loss = nets.b(nets.a(x)).mean()
        opts.a.minimise(loss)  # fills b's gradients too, which must not move b
        return {"loss": loss}

    fit(step, torch.ones(4, 1), {"a": a, "b": b}, lab, epochs=3)
    assert torch.equal(before, b.weight)


def test_the_rate_follows_the_schedule_and_each_network_has_its_own(lab):
    rates = []

    def step(x, nets, opts):
        rates.append([opts.a.torch.param_groups[0]["lr"], opts.b.torch.param_groups[0]["lr"]])
        return {"loss": 0.0}

    nets = {"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}
    fit(step, torch.ones(4, 1), nets, lab, epochs=4, lr={"a": 1.0, "b": 0.1}, schedule=cosine)
    assert rates[0] == [1.0, 0.1]
    assert rates[2] == pytest.approx([0.5, 0.05])


def test_watching_leaves_no_trace(lab):
    def train(**watching):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

        def step(batch, nets, opts):
            loss = (nets.net(batch[0]) - batch[1]).square().mean()
            opts.net.minimise(loss)
            return {"loss": loss}

        return fit(step, line_data(), {"net": net}, lab, epochs=2, batch_size=10, **watching)

    def look(nets):
        return torch.randn(2) + nets.net(torch.ones(1, 3))

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
    import dataclasses

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
    ],
)
def test_bad_input_is_refused(lab, data, options, advice):
    options = {"epochs": 1, **options}
    with pytest.raises(ValueError, match=advice):
        fit(line_step, data, {"line": nn.Linear(3, 1)}, lab, **options)


def test_a_step_must_be_a_function(lab):
    with pytest.raises(ValueError, match="plain function"):
        fit(print, torch.zeros(4, 3), {"line": nn.Linear(3, 1)}, lab, epochs=1)


def test_a_loss_that_explodes_is_named_with_its_step(lab):
    def step(x, nets, opts):
        loss = nets.line(x).sum() * (float("nan") if x.sum() < 0 else 1)
        opts.line.minimise(loss)
        return {"loss": loss}

    data = torch.ones(1000, 3)
    data[700:] = -1
    with pytest.raises(FloatingPointError, match=r"loss became nan at step \d+: try a smaller"):
        fit(step, data, {"line": nn.Linear(3, 1)}, lab, epochs=1, batch_size=1)


# Checkpoints and resume


def trained(lab, **options):
    torch.manual_seed(2)
    line = nn.Linear(3, 1)
    options = {"epochs": 3, "save": "line", **options}
    run = fit(options.pop("step", line_step), line_data(), {"line": line}, lab, **options)
    return run, line


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


@pytest.mark.parametrize(
    ("change", "named"),
    [({"lr": 0.5}, "learning rate"), ({"batch_size": 7}, "batch size"), ({"epochs": 1}, "3 steps")],
)
def test_another_run_of_that_name_starts_afresh_and_keeps_the_old(lab, capsys, change, named):
    trained(lab)
    capsys.readouterr()
    run, _ = trained(lab, **change)
    said = capsys.readouterr().out
    assert run.resumed_at == 0 and named in said and "line.pt.refused" in said
    assert (lab.runs_folder / "line.pt.refused").exists()


def test_a_changed_number_that_the_step_uses_makes_another_run(lab, capsys):
    def with_weight(weight):
        def step(batch, nets, opts):
            loss = weight * (nets.line(batch[0]) - batch[1]).square().mean()
            opts.line.minimise(loss)
            return {"loss": loss}

        return step

    trained(lab, step=with_weight(1.0))
    assert trained(lab, step=with_weight(1.0))[0].resumed_at == 3
    assert trained(lab, step=with_weight(2.0))[0].resumed_at == 0
    assert "step differ" in capsys.readouterr().out


def test_a_truncated_checkpoint_is_refused_and_the_one_before_is_used(lab, capsys):
    trained(lab, save_every=0)
    path = lab.runs_folder / "line.pt"
    before = checkpoints.previous(path)
    path.write_bytes(path.read_bytes()[:-100])
    step_before = before.stat().st_size and 2  # with save_every=0 there is one at each step
    capsys.readouterr()
    run, _ = trained(lab, save_every=0)
    said = capsys.readouterr().out
    assert run.resumed_at == step_before
    assert "line.pt is damaged or cut short" in said and "line.pt.refused" in said


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04" + b"0" * 100])
def test_a_foreign_file_is_refused(lab, content, capsys):
    lab.runs_folder.mkdir(parents=True)
    (lab.runs_folder / "line.pt").write_bytes(content)
    run, _ = trained(lab)
    assert run.resumed_at == 0
    assert "line.pt is not a checkpoint of this course" in capsys.readouterr().out
    assert (lab.runs_folder / "line.pt.refused").read_bytes() == content


def test_a_checkpoint_that_would_run_code_is_not_unpickled(lab, tmp_path):
    """A file with a true checksum but a pickle inside stops at `weights_only`."""
    import hashlib
    import io

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
