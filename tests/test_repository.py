"""One address of the project: every badge, setup cell and page agrees with pyproject.toml."""

import re
import shutil
import subprocess
import sys
from types import ModuleType

import pytest

from course_utils.__main__ import main
from course_utils.authoring.fork import PLACES, fork, stated_name
from course_utils.authoring.notebooks import (
    NOTEBOOKS,
    ROOT,
    NotebookError,
    read,
)

FORK = "https://github.com/someone/my-course"
# Links that fetch or open the course, wherever they stand.
LINKS = re.compile(
    r"colab\.research\.google\.com/github/([^/\s]+/[^/\s]+)/"
    r"|mybinder\.org/v2/gh/([^/\s]+/[^/\s]+)/"
    r"|git clone [^\n]*github\.com/([^/\s]+/[^/\s.]+)"
    r"|repository-code: \W?https://github\.com/([^/\s]+/[^/\s\"']+)"
)
SETUP = """# On Colab, fetch the course; anywhere else this does nothing.
import sys
from pathlib import Path

if "google.colab" in sys.modules:
    repository = "https://github.com/{name}"
    if not Path("course/course_utils").exists():
        !git clone --quiet --depth 1 {{repository}} course
    if not Path("course/course_utils").exists():
        raise RuntimeError(
            f"{{repository}} could not be cloned: upload a ZIP of it (Files, at the left), "
            "unpack it as the folder 'course', and run this cell again."
        )
    sys.path.insert(0, str(Path("course").resolve()))

import course_utils

lab = course_utils.start("{stem}")"""
NOTEBOOK_PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def files(root):
    return [path for pattern in PLACES for path in sorted(root.glob(pattern))]


@pytest.fixture
def copy(tmp_path):
    """The files that name the address, in a folder of their own."""
    for path in files(ROOT):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


@pytest.mark.parametrize("path", NOTEBOOK_PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_opened_and_fetched_from_the_project_s_own_address(path):
    title, *cells = read(path).cells
    badge = f"https://colab.research.google.com/github/{stated_name()}/blob/main/notebooks/"
    assert badge + path.name in title.source
    setup = next(cell.source for cell in cells if cell.cell_type == "code")
    assert setup == SETUP.format(name=stated_name(), stem=path.stem)


@pytest.mark.parametrize("cloned", [True, False])
def test_on_colab_the_course_is_fetched_or_a_sentence_says_how_to_bring_it(
    cloned, tmp_path, monkeypatch
):
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    shell, commands = InteractiveShell(), []

    def system(command):
        commands.append(shell.var_expand(command))
        if cloned:
            (tmp_path / "course" / "course_utils").mkdir(parents=True)

    monkeypatch.setattr(shell, "system", system)
    fetching, _ = SETUP.format(name=stated_name(), stem="00_start_here").split(
        "import course_utils"
    )
    result = shell.run_cell(fetching)
    assert commands == [f"git clone --quiet --depth 1 https://github.com/{stated_name()} course"]
    if cloned:
        assert result.error_in_exec is None
        assert sys.path[0] == str(tmp_path / "course")
    else:
        assert isinstance(result.error_in_exec, RuntimeError)
        assert "upload a ZIP of it" in str(result.error_in_exec)


def test_no_page_points_elsewhere():
    for path in files(ROOT):
        for match in LINKS.finditer(path.read_text(encoding="utf-8")):
            assert next(filter(None, match.groups())) == stated_name(), path


def test_the_address_stands_in_no_file_that_fork_does_not_know():
    command = ["git", "grep", "--name-only", "--fixed-strings", stated_name()]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    if found.returncode > 1:
        pytest.skip("this is not a clone")
    assert set(found.stdout.split()) <= {str(path.relative_to(ROOT)) for path in files(ROOT)}


def test_a_fork_is_pointed_at_everywhere_and_back_again(copy, capsys):
    before = {path: path.read_bytes() for path in files(copy)}
    old = stated_name(copy)
    assert fork(f"{FORK}.git", copy) == 0
    assert stated_name(copy) == "someone/my-course"
    assert not [path for path in files(copy) if old.encode() in path.read_bytes()]
    for path in copy.glob("notebooks/*.ipynb"):
        assert path.read_bytes().count(b"someone/my-course") == 2
        read(path)
    for _ in range(2):  # back again, and to where one is
        assert fork(f"https://github.com/{old}/", copy) == 0
        assert {path: path.read_bytes() for path in files(copy)} == before


def test_a_longer_name_that_begins_alike_is_another_repository(copy):
    old = stated_name(copy)
    page = copy / "README.md"
    others = f"See https://github.com/{old}-two, github.com/{old}.js and x{old}.\n"
    ours = (
        f"github.com/{old}.git, github.com/{old}. colab/github/{old}/blob mybinder.org/v2/gh/{old}"
    )
    owner, name = old.split("/")
    pages = f" https://{owner}.github.io/{name}/index.html"
    page.write_text(others + ours + pages, encoding="utf-8")
    fork(FORK, copy)
    pointed = (
        ours.replace(old, "someone/my-course") + " https://someone.github.io/my-course/index.html"
    )
    assert page.read_text(encoding="utf-8") == others + pointed
    fork(f"https://github.com/{old}", copy)
    assert page.read_text(encoding="utf-8") == others + ours + pages


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("someone/my-course", "is not like https://github.com/OWNER/NAME"),
        ("https://gitlab.com/a/b", "is not like"),
        ("https://github.com/a", "is not like"),
        ("", "is not like"),
        (FORK, "mentioned in README.md already"),  # there were no way back
    ],
)
def test_only_a_repository_on_github_that_is_named_nowhere_is_an_address(address, said, copy):
    (copy / "README.md").write_text(f"Made from {FORK}.", encoding="utf-8")
    before = {path: path.read_bytes() for path in files(copy)}
    with pytest.raises(NotebookError, match=said):
        fork(address, copy)
    assert {path: path.read_bytes() for path in files(copy)} == before


@pytest.mark.parametrize(
    "address",
    [
        f"{FORK}.git",
        FORK,
        "git@github.com:someone/my-course.git",
        "ssh://git@github.com/someone/my-course.git",
    ],
)
def test_without_an_address_the_fork_is_where_the_clone_comes_from(copy, address):
    for command in (["init", "--quiet"], ["remote", "add", "origin", address]):
        subprocess.run(["git", *command], cwd=copy, check=True)
    assert fork(root=copy) == 0
    assert stated_name(copy) == "someone/my-course"


def test_a_clone_of_nowhere_on_github_is_asked_for_the_address(copy):
    # Not the repository around the folder, should there be one.
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    with pytest.raises(NotebookError, match="make fork URL="):
        fork(root=copy)
    elsewhere = ["git", "remote", "add", "origin", "https://gitlab.com/someone/my-course"]
    subprocess.run(elsewhere, cwd=copy, check=True)
    with pytest.raises(NotebookError, match="is not like"):
        fork(root=copy)


def test_the_command_line_refuses_in_one_sentence(capsys):
    assert main(["fork", "nonsense"]) == 1
    assert capsys.readouterr().err.startswith("\n'nonsense' is not like https://github.com/")
