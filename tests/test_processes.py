"""Training in several processes, really started by `torchrun`."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import several_processes
import torch
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.__main__ import main
from course_utils.authoring.notebooks import (
    ROOT,
    printed_lines,
    read,
    write,
)
from course_utils.session import lab as session
from course_utils.session import processes
from course_utils.shipped import weights
from course_utils.training import saving

PROGRAM = Path(several_processes.__file__)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
NOTEBOOK = [
    """
import torch
import course_utils
from course_utils import claim, fit
lab = course_utils.start("01_small")
""",
    """
def step(x, nets, opts):
    loss = (nets.net(x) - 2 * x).square().mean()
    opts.net.minimise(loss)
    return {"loss": loss}
net = torch.nn.Linear(1, 1)
run = fit(step, torch.randn(64, 1), {"net": net}, lab, epochs=30, batch_size=16, lr=0.05)
""",
    """
slope = net.weight.item()
claim("it has learnt to double", abs(slope - 2) < 0.2, f"{slope:.6f}")
""",
]
ONE_FAILS = """
from course_utils.session import processes
assert processes.is_first(), "the second process fails"
processes.all_gather_objects("the first waits")
"""


def environment(folder):
    own = {"OMP_NUM_THREADS": "1", "COURSE_RUNS": str(folder / "runs"), "COURSE_DEVICE": "cpu"}
    return {**os.environ, **own, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def launched(command, folder, status=0):
    """What a launcher and its processes print."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )
    assert (done.returncode == 0) == (status == 0), done.stdout + done.stderr
    return done


def outcomes(folder, part):
    """What each of the two processes held after a part of the program."""
    return [torch.load(folder / f"{part}-{rank}.pt") for rank in range(2)]


def assert_same(a, b):
    """Bit for bit, through dicts, lists and tuples."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        [assert_same(a[key], b[key]) for key in a]
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        [assert_same(*pair) for pair in zip(a, b)]
    else:
        assert a == b


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The folder of one launch of two processes that went through every part."""
    folder = tmp_path_factory.mktemp("two")
    done = launched([*TORCHRUN, PROGRAM, folder, *several_processes.PARTS], folder)
    (folder / "said.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_two_processes_compute_what_one_computes(two, lab):
    alone = several_processes.exact(lab)
    first, second = outcomes(two, "exact")
    for part in ("net", "history"):
        assert_same(first[part], second[part])
    for ours, theirs in zip(first["net"].values(), alone["net"].values()):
        assert torch.allclose(ours, theirs, atol=1e-5)
    assert torch.allclose(first["history"]["loss"], alone["history"]["loss"], rtol=1e-4, atol=1e-6)
    for one, other, whole in zip(first["seen"], second["seen"], alone["seen"], strict=True):
        assert len(one) == len(other)
        assert torch.equal(torch.cat([one, other]), whole)


def test_with_noise_and_batch_normalisation_two_end_as_well_as_one(two, lab):
    def end(outcome):
        return outcome["history"]["loss_G"][-60:].mean()

    alone = []
    for seed in range(4):
        session.seed_everything(seed)
        alone.append(end(several_processes.noisy(lab)))
    alone = torch.stack(alone)
    together = end(outcomes(two, "noisy")[0])
    assert (together - alone.mean()).abs() < 4 * alone.std()


def test_each_process_has_noise_of_its_own_and_afterwards_all_hold_the_same(two):
    first, second = outcomes(two, "noisy")
    assert not (first.pop("drawn") == second.pop("drawn")).any()
    assert [step for step, _ in first["snapshots"]] == [0, 30, 100]
    assert_same(first, second)


def test_a_step_that_calls_a_member_of_a_network_trains_one_network_and_not_two(two, lab):
    """What DistributedDataParallel does not do, and why gradients are averaged in `minimise`."""
    alone = several_processes.member(lab)["net"]
    ours, theirs = outcomes(two, "member"), outcomes(two, "member_by_torch")
    assert_same(*(outcome["net"] for outcome in ours))
    for name, weight in alone.items():
        assert torch.allclose(ours[0]["net"][name], weight, atol=1e-6)
    first, second = (outcome["net"]["there.weight"] for outcome in theirs)
    assert (first - second).abs().max() > 1e-2


def test_a_batch_too_small_to_share_is_computed_whole_by_each(two, lab):
    alone = several_processes.small(lab)
    for outcome in outcomes(two, "small"):
        assert outcome["sizes"] == alone["sizes"] == [3, 3]
        assert torch.allclose(outcome["net"]["weight"], alone["net"]["weight"])


def test_a_run_that_diverges_in_one_process_ends_in_both(two, lab):
    first, second = outcomes(two, "diverging")
    assert_same(first, second)
    assert re.match("loss became nan at step [0-9]+: the training diverged", first["end"])
    assert all(value.isfinite().all() for value in first["net"].values())


def test_processes_with_different_data_are_told_so(two):
    first, second = outcomes(two, "unlike")
    assert first == second
    assert "The run must be the same in every process" in first["refusal"]
    assert "data (8, 1)" in first["refusal"] and "data (9, 1)" in first["refusal"]


def test_every_process_names_its_device_and_the_first_tells_progress(two):
    said = (two / "said.txt").read_text(encoding="utf-8")
    for line in ("process 1 of 2 · CPU, 1 thread", "process 2 of 2 · CPU, 1 thread"):
        assert said.count(line) == 2 * len(several_processes.PARTS)
    assert said.count("cut: 30 epochs") == 1


def test_the_connections_end_before_python_does(two):
    """A thread of gloo that outlives Python aborts the process, once in some fifty."""
    for rank in range(2):
        assert (two / f"connected-{rank}.txt").read_text(encoding="utf-8") == "False"


def test_after_an_error_nothing_is_shut_down(monkeypatch):
    left = []
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: left.append(True))
    monkeypatch.setattr(sys, "last_type", ValueError, raising=False)
    processes._shut_down()
    assert not left
    monkeypatch.delattr(sys, "last_type")
    processes._shut_down()
    assert left


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_of_two_processes_resumes_bit_for_bit(two, tmp_path):
    launcher = subprocess.Popen(
        [*TORCHRUN, PROGRAM, tmp_path, "cut"], env=environment(tmp_path),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while not list((tmp_path / "runs" / "several").glob("cut-*-of-2.previous.pt")):
            assert launcher.poll() is None
            time.sleep(0.001)
        time.sleep(0.1)  # a few checkpoints more
    finally:
        kill_all(launcher)
    assert not list(tmp_path.glob("cut-*.pt")), "the run was over before it was killed"
    launched([*TORCHRUN, PROGRAM, tmp_path, "cut"], tmp_path)
    for whole, parts in zip(outcomes(two, "cut"), outcomes(tmp_path, "cut")):
        assert 0 < parts.pop("resumed at") < 360 and whole.pop("resumed at") == 0
        assert torch.equal(whole.pop("drawn")[-len(parts["drawn"]) :], parts.pop("drawn"))
        assert_same(whole, parts)


def kill_all(launcher):
    """Kill a launcher and all that it started, at once."""
    family = [*psutil.Process(launcher.pid).children(recursive=True), launcher]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    launcher.wait()


def test_another_number_of_processes_is_another_run_and_is_told(lab, capsys):
    lab.runs_folder.mkdir(parents=True)
    path = lab.runs_folder / "cut-01234567.pt"
    path.with_stem(f"{path.stem}-of-2").touch()
    path.with_stem(f"{path.stem}-of-2.previous").touch()
    saving._say_what_else_there_is(path)
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith("cut-01234567-of-2.pt is of another number of processes")


@pytest.fixture
def course(tmp_path):
    """A function that makes a folder with a copy of the package and a notebook of given cells."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_utils", tmp_path / "course_utils", ignore=ignored)

    def make(*cells):
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        write(notebook, tmp_path / "notebooks" / "01_small.ipynb")
        return tmp_path

    return make


def test_torchrun_runs_a_notebook_in_two_processes(course):
    folder = course(*NOTEBOOK)
    done = launched([*TORCHRUN, "-m", "course_utils", "run", "01"], folder)
    assert "         process 2 of 2 · CPU, 1 thread" in done.stdout.splitlines()
    assert done.stdout.count("✔") == 1
    copies = [read(folder / "runs" / f"01_small{name}.ipynb") for name in ("", "-process-2")]
    first, second = map(printed_lines, copies)
    for lines in (first, second):
        assert lines[1:3] == ["process 1 of 2 · CPU, 1 thread", "process 2 of 2 · CPU, 1 thread"]
    assert first[-1] == second[-1] and first[-1].startswith("✔ it has learnt to double [")


def test_torchrun_ends_all_processes_when_one_fails(course):
    folder = course(NOTEBOOK[0], ONE_FAILS)
    began = time.monotonic()
    done = launched([*TORCHRUN, "-m", "course_utils", "run", "01"], folder, status=1)
    assert "the second process fails" in done.stderr
    assert time.monotonic() - began < 60
    assert (folder / "runs" / "01_small-process-2.ipynb").exists()


# Without a launch


@pytest.fixture
def launcher_s_word(monkeypatch):
    """A function that sets variables as a launcher does, for this test only."""
    asked = processes.count, processes.rank

    def say(**variables):
        for variable, value in variables.items():
            monkeypatch.setenv(variable, str(value))
        for question in asked:
            question.cache_clear()

    yield say
    monkeypatch.undo()
    say()


@pytest.fixture
def alone_of_two(launcher_s_word):
    """The environment of the first of two processes, whose fellow never comes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"LOCAL_RANK": 0, "WORLD_SIZE": 2, "MASTER_PORT": port, "MASTER_ADDR": "127.0.0.1"}
    launcher_s_word(RANK=0, **variables)


def test_processes_that_do_not_come_are_not_waited_for_forever(alone_of_two, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT_MINUTES", 1 / 60)
    with pytest.raises(processes.ProcessesLost, match="This is process 1 of 2, and within 0.01"):
        processes.broadcast_object("hello")


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two'"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE is '0'"),
        ({"WORLD_SIZE": "2"}, "RANK is ''"),
        ({"MASTER_ADDR": "127.0.0.1", "ACCELERATE_MIXED_PRECISION": "no"}, "Add --multi_gpu"),
    ],
)
def test_a_wrong_launch_is_a_sentence(launcher_s_word, variables, advice, capsys):
    launcher_s_word(**variables)
    with pytest.raises(processes.WrongLaunch, match=re.escape(advice)):
        processes.rank()
    assert main(["run", "03"]) == 1
    assert advice in capsys.readouterr().err


def test_only_run_works_in_several_processes(alone_of_two, capsys):
    assert main(["notebooks", "03"]) == 1
    assert "Several processes can run a notebook" in capsys.readouterr().err


def test_every_process_has_a_gpu_of_its_own(alone_of_two, launcher_s_word):
    launcher_s_word(RANK=1, LOCAL_RANK=1)
    assert session.own_gpu("cuda", 2) == 1
    with pytest.raises(ValueError, match="no GPU left for process 2 of 2: this machine has 1"):
        session.own_gpu("cuda", 1)
    with pytest.raises(ValueError, match="two cannot share a GPU"):
        session.own_gpu("cuda:0", 2)


def test_only_the_first_process_publishes(lab, alone_of_two, launcher_s_word, monkeypatch):
    launcher_s_word(RANK=1)
    monkeypatch.setattr(weights, "save", lambda *_: pytest.fail("the second process published"))
    monkeypatch.setattr(processes, "broadcast_object", lambda value: value)
    full = session.Lab(**{**vars(lab), "budget": "full", "publish": True})
    net = torch.nn.Linear(1, 1)
    assert weights.shipped_weights("x", net, full, train=lambda net: {"loss": 1.0}) == {"loss": 1.0}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("length", [1, 2, 5, 6, 7, 14, 50])
def test_the_parts_are_the_batch_and_the_shares_add_up(monkeypatch, count, length):
    monkeypatch.setattr(processes, "count", lambda: count)
    batch = torch.arange(length)
    parts, shares = [], []
    for rank in range(count):
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        part, share = processes.shard(batch)
        parts.append(part)
        shares.append(share)
    assert sum(shares) == pytest.approx(1)
    if length < 2 * count:
        assert all(torch.equal(part, batch) for part in parts)
    else:
        assert torch.equal(torch.cat(parts), batch)
        assert min(map(len, parts)) >= 2
        assert shares == pytest.approx([len(part) / length for part in parts])


def test_a_program_started_alone_gets_back_what_it_brought():
    tensor = torch.ones(3)
    processes.all_reduce([tensor], 0.5)
    processes.broadcast([tensor])
    assert tensor.tolist() == [1, 1, 1]
    assert processes.broadcast_decisions(True, False) == (True, False)
    assert processes.broadcast_object("x") == "x" and processes.all_gather_objects("x") == ["x"]
    assert processes.gather_objects(lambda: pytest.fail("asked")) == []
