"""What `start` decides, and how it says no."""

import subprocess
import sys

import pytest
import torch

import course_utils
from course_utils.session import lab as session


def test_start_prints_one_line_and_seeds(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_SEED", raising=False)
    lab = course_utils.start("a_notebook", seed=3)
    first = torch.rand(2)
    course_utils.start("a_notebook", seed=3)
    assert torch.equal(first, torch.rand(2))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("course_utils ") and "seed 3" in lines[0]
    assert lab.pick(classroom=1, full=2) == 1


def test_environment_decides_budget_seed_and_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_BUDGET", "full")
    monkeypatch.setenv("COURSE_SEED", "7")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    lab = course_utils.start("a_notebook")
    assert lab.pick(classroom=1, full=2) == 2
    assert lab.seed == 7
    assert lab.runs_folder == tmp_path / "a_notebook"


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("COURSE_BUDGET", "huge", "classroom, full"),
        ("COURSE_SEED", "lucky", "whole number"),
        ("COURSE_DEVICE", "abacus", "cpu, cuda, cuda:N or mps"),
        ("COURSE_PRECISION", "exact", "float32, bf16"),
    ],
)
def test_a_bad_environment_is_refused_with_advice(monkeypatch, variable, value, advice):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=advice) as refusal:
        course_utils.start("a_notebook")
    assert variable in str(refusal.value) and value in str(refusal.value)


def test_precision_is_plain_on_a_cpu():
    assert session.choose_precision(torch.device("cpu")) == "float32"


def test_importing_the_package_imports_nothing_heavy_beside_torch():
    heavy = "torchvision", "sklearn", "skimage", "matplotlib", "ipywidgets", "accelerate", "PIL"
    code = (
        "import sys, torch; before = set(sys.modules); import course_utils, course_utils.session;"
        f"print([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert out.stdout.strip() == "[]"


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="widgets"):
        course_utils.wigdets  # noqa: B018
