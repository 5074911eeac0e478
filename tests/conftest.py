"""What every test stands on: no window opens, nothing lands in the user's own runs."""

import os

import pytest

import course_utils

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    """A default session whatever the caller's settings; checkpoints go to a temporary folder."""
    for name in ("BUDGET", "SEED", "CLAIMS", "PUBLISH", "DEVICE"):
        monkeypatch.delenv(f"COURSE_{name}", raising=False)
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COURSE_PROGRESS", "off")


@pytest.fixture
def lab(tmp_path, monkeypatch, capsys):
    """A session whose checkpoints lie in the test's own folder, with its first line taken away."""
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    made = course_utils.start("test")
    capsys.readouterr()
    return made
