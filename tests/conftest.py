"""What every test stands on: no window opens, nothing lands in the user's own runs."""

import os
import subprocess
import sys

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


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the web site, built once for all its tests."""
    from course_utils.authoring import scripts
    from course_utils.authoring import site as program

    if missing := program.missing_packages():
        pytest.skip(f"the site is not built without {', '.join(missing)}: {program.INSTALL}")
    try:
        scripts.fetched_scripts(program.ROOT / "site")
    except program.NotebookError as error:
        pytest.skip(str(error).splitlines()[0])
    out = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "course_utils.authoring.site", str(out)]
    built = subprocess.run(command, cwd=program.ROOT, capture_output=True, encoding="utf-8")
    assert built.returncode == 0, built.stderr
    return out
