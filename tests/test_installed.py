"""The package installed alone, not from a clone: what ships is in it, and nothing is written there.

`pip install .` puts it among the packages, away from data/ and notebooks/.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.authoring.notebooks import ROOT

LARGEST = 26e6  # bytes, unpacked
USES_WHAT_SHIPS = """
import course_utils
from course_utils import shipped_image, shipped_table
from course_utils.shipped import tables, weights
lab = course_utils.start("installed")
for name in sorted(path.stem for path in tables.tables_folder().glob("*.json")):
    shipped_table(name, lab, None, "so")
first = sorted(weights.weights_folder().glob("*.safetensors"))[0]
print(course_utils.__file__, first, lab.runs_folder, lab.data_folder, sep="\\n")
print(shipped_image("01_gallery", lab, None).shape)
from course_utils.shipped.feature_networks import feature_network
feature_network("course_vgg")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder in which the package was installed alone, from a copy without what is ignored."""
    copy, site = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("site")
    unwanted = shutil.ignore_patterns("__pycache__", "downloads")
    for name in ("course_utils", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    # As pip would from a clone, but that nothing is fetched.
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    install += ["--no-build-isolation", "--target", str(site), str(copy)]
    done = subprocess.run(install, capture_output=True, encoding="utf-8")
    if "No module named pip" in done.stderr or "Cannot import 'setuptools" in done.stderr:
        pytest.skip("this environment has no pip or no setuptools")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(copy)
    return site


def run_python(site, here, *arguments):
    unset = {"COURSE_DATA", "COURSE_RUNS"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {"PYTHONPATH": str(site), "COURSE_DEVICE": "cpu"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, encoding="utf-8")


def test_what_ships_is_found_and_runs_go_where_one_works(site, tmp_path):
    before = sorted(path for path in site.rglob("*") if "__pycache__" not in path.parts)
    done = run_python(site, tmp_path, "-c", USES_WHAT_SHIPS)
    assert done.returncode == 0, done.stderr
    package, weights, runs, data, shape = map(str.strip, done.stdout.splitlines()[1:])
    assert Path(package).is_relative_to(site) and Path(weights).is_relative_to(site)
    assert Path(runs) == tmp_path / "runs" / "installed" and shape.endswith(", 3)")
    assert Path(data) == tmp_path / "data" / "downloads"
    after = sorted(path for path in site.rglob("*") if "__pycache__" not in path.parts)
    assert before == after


def test_every_file_of_the_package_is_there(site):
    ignored = {"__pycache__", ".ipynb_checkpoints"}
    files = [path for path in (ROOT / "course_utils").rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT) for path in files if not ignored & {*path.parts}}
    for kind in ("weights", "tables", "images"):
        shipped = (ROOT / "data" / kind).iterdir()
        wanted |= {Path("course_utils", "_data", kind, path.name) for path in shipped}
    assert not [path for path in wanted if not (site / path).is_file()]


def test_the_installed_package_stays_small(site):
    files = (path for path in site.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert sum(path.stat().st_size for path in files) < LARGEST


def test_commands_that_need_a_clone_say_so(site, tmp_path):
    for command in (["run", "00"], ["doctor"], ["student"]):
        done = run_python(site, tmp_path, "-m", "course_utils", *command)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert "clone" in done.stdout + done.stderr, command
