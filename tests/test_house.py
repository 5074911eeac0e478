"""The house: which room may use which, how long the loop may be, and where each change is made."""

import ast
import re

import pytest

from course_utils.authoring.notebooks import ROOT

PACKAGE = ROOT / "course_utils"
# What a room may import; data flows one way. Files beside the rooms count as rooms.
MAY_USE = {
    "session": set(),
    "losses": set(),
    "tables": {"session"},
    "claims": {"session"},
    "data": {"session"},
    "models": {"session", "data"},
    "metrics": {"session", "losses"},
    "plots": {"session"},
    "training": {"session", "plots"},
    "shipped": {"session", "data", "models", "training"},
    "doctor": {"session", "data", "shipped"},
    "widgets": {"session", "data", "metrics", "plots", "training"},
    "exercises": {"losses", "metrics", "session"},
    "authoring": {"session", "data", "models", "shipped"},  # the demos export networks
    "__main__": {"authoring", "session", "doctor"},
}


def imports(path):
    """(room, room that it uses) of every import in a file of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = list(parts[: len(parts) - node.level]) if node.level else []
            module = base + (node.module.split(".") if node.module else [])
            if module[0] == "course_utils":
                for used in module[1:2] or [name.name for name in node.names]:
                    yield parts[1], used


def test_data_flows_one_way_and_nothing_imports_authoring():
    used = {pair for path in PACKAGE.rglob("*.py") for pair in imports(path)}
    used = {(room, other) for room, other in used if room != other and room != "__init__"}
    allowed = {(room, other) for room, others in MAY_USE.items() for other in others}
    assert used - {(room, "__version__") for room in MAY_USE} <= allowed
    assert {room for room, other in used if other == "authoring"} == {"__main__"}


def test_the_loop_fits_on_a_screen():
    (fit,) = (
        node
        for node in ast.parse((PACKAGE / "training" / "loop.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    )
    assert fit.end_lineno - fit.body[1].lineno + 1 <= 40  # without its docstring
    for path in (PACKAGE / "training").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 160, path.name


def rows_of_changes():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| change | open |")[2].partition("\n\n")[0]
    lines = table.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("change", "place"), rows_of_changes())
def test_the_place_of_each_change_is_there(change, place):
    for name in re.findall(r"`([\w./]+)`", place)[:1]:
        assert (ROOT / name).exists(), (change, name)


def test_ten_changes_are_told():
    assert len(rows_of_changes()) >= 10


def names_no_encoding(call):
    """Whether a call reads or writes text in whatever encoding the system prefers.

    On Windows that is an alphabet of 256 letters, in which the course's pages cannot be read.
    """
    given = {argument.arg for argument in call.keywords}
    values = [*call.args, *(argument.value for argument in call.keywords)]
    texts = {value.value for value in values if isinstance(value, ast.Constant)}
    modes = {text for text in texts if isinstance(text, str) and set(text) <= set("rwaxbt+")}
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    opens = name == "fdopen" or (name == "open" and (isinstance(call.func, ast.Name) or modes))
    textual = (
        name in ("read_text", "write_text")
        or (opens and not any("b" in mode for mode in modes))
        or (name in ("run", "Popen", "check_output") and given & {"text", "universal_newlines"})
    )
    return textual and not given & {"encoding", None}


@pytest.mark.parametrize("folder", ["course_utils", "tests", "benchmarks"])
def test_text_is_read_and_written_in_utf_8_wherever_it_runs(folder):
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and names_no_encoding(node)
    }
    assert not found
