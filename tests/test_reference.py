"""The API reference: examples in docstrings are run, lessons use nothing without an example."""

import ast
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import course_utils

ROOT = Path(__file__).parents[1]
MODULES = [
    info.name
    for info in pkgutil.walk_packages(course_utils.__path__, "course_utils.")
    if not info.name.endswith("__main__")
]
ROOMS = [name for name in MODULES if hasattr(importlib.import_module(name), "__path__")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# Checks of exercises: their examples are the exercises themselves.
WITHOUT_EXAMPLES = "course_utils.exercises."


class Finder(doctest.DocTestFinder):
    """Finds the examples of decorated functions too, which otherwise count as torch's own."""

    def _from_module(self, module, object):
        return super()._from_module(module, inspect.unwrap(object))


def examples(name):
    return [test for test in Finder().find(importlib.import_module(name)) if test.examples]


@pytest.mark.parametrize("name", ["course_utils", *MODULES])
def test_examples_give_what_they_say(name):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples(name):
        runner.run(test)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
    assert runner.failures == 0


def cells(notebook):
    """The syntax tree of every code cell, without the lines that speak to IPython."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).split("\n")
            # An indented one becomes `pass`: it may be all that an `if` has below it.
            plain = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines]
            yield ast.parse("\n".join(plain))


def imported(nodes):
    """(name in the notebook, object) for everything that is imported from the package."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "course_utils":
            module = importlib.import_module(node.module)
            for alias in node.names:
                yield alias.asname or alias.name, getattr(module, alias.name)


def resolved(node, names):
    """The object that `a` or `a.b.c` names in a notebook; None where it is not of the package."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(resolved(node.value, names), node.attr, None)
    return None


def used_by(notebook):
    """The functions and classes of the package that a notebook imports or calls."""
    nodes = [node for tree in cells(notebook) for node in ast.walk(tree)]
    names = {"course_utils": course_utils, **dict(imported(nodes))}
    for node in nodes:
        found = resolved(node, names)
        if inspect.isfunction(found) or inspect.isclass(found):
            if found.__module__.startswith("course_utils"):
                yield f"{found.__module__}.{found.__qualname__}"


def test_what_lessons_use_has_an_example():
    used = {name for notebook in NOTEBOOKS for name in used_by(notebook)}
    have = {test.name for name in MODULES for test in examples(name)}
    assert len(used) > 100  # they are found at all
    missing = {name for name in used if not name.startswith(WITHOUT_EXAMPLES)} - have
    assert sorted(missing) == []


@pytest.mark.parametrize("room", ["course_utils", *ROOMS])
def test_every_room_says_what_it_is_for(room):
    assert importlib.import_module(room).__doc__


def test_the_reference_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "course_utils.authoring.reference", str(tmp_path)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert made.returncode == 0 and not made.stderr, made.stderr
    for room in ["course_utils", *ROOMS]:
        page = tmp_path / f"{room.replace('.', '/')}.html"
        assert page.is_file(), room
