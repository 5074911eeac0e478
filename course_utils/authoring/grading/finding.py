"""The exercises of a submission, and the code that each of them needs, found without running any.

What is needed follows from names: the answer's function, what it reads, what that reads, and so on,
taken from the notebook's cells statement by statement. A training run, a figure, a download is left
out unless an answer reads what it made.
"""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, field

from nbformat import NotebookNode

from ..notebooks import python_source, tags
from ..variants import global_names
from .handed_out import CHECK, Lesson, Wanted

START = re.compile(r"""\bstart\(\s*["'](?P<stem>[\w-]+)["']""")
CHECKS_OF = re.compile(r"course_utils\.exercises(?:\.(\w+)| import +(\w+))")
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
PLAIN = (*DEFINES, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
LONGEST_CELL = 200_000  # characters; more is no code that anybody has written


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a cell.

    Attributes:
        at: the numbers of its cell and of itself within it.
        node: as Python reads it.
        reads, gives: the global names that it reads, and those it gives a value.
    """

    at: tuple[int, int]
    node: ast.stmt
    reads: frozenset[str]
    gives: frozenset[str]

    @property
    def source(self) -> str:
        """It alone, as code."""
        return ast.unparse(self.node)

    @property
    def is_plain(self) -> bool:
        """Whether it gives its names their values whatever they were before."""
        if isinstance(self.node, DEFINES):
            return True
        if isinstance(self.node, (ast.Assign, ast.AnnAssign)):
            targets = getattr(self.node, "targets", None) or [self.node.target]
            names = all(isinstance(part, (ast.Name, ast.Tuple, ast.List)) for part in targets)
            return names and not self.reads & self.gives
        return isinstance(self.node, PLAIN)


@dataclass
class Found:
    """An exercise of a submission.

    Attributes:
        wanted: which.
        code: (place, source) of what its answer needs, in order.
        answer: the expression that gives the function.
        own: the code of the answer itself, for comparing submissions.
        state: "" where it can be run, else "missing", "not attempted" or "wrong".
        said: why, or what is worth knowing.
    """

    wanted: Wanted
    code: list[tuple[str, str]] = field(default_factory=list)
    answer: str = ""
    own: str = ""
    state: str = ""
    said: str = ""


@dataclass
class _Cell:
    number: int
    id: str
    tagged: bool
    source: str
    statements: list[Statement]
    broken: str = ""


def lesson_of(notebook: NotebookNode, file_name: str, known: dict[str, Lesson]) -> Lesson | str:
    """The lesson that a notebook is of, or a sentence that says why there is none."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    named = [match["stem"] for match in START.finditer(code)]
    for stem in named:
        if stem in known:
            return known[stem]
    modules = {name for pair in CHECKS_OF.findall(code) for name in pair if name}
    for lesson in known.values():
        if lesson.module in modules:
            return lesson
    fitting = [lesson for stem, lesson in known.items() if stem.lower() in file_name.lower()]
    if fitting:
        return max(fitting, key=lambda lesson: len(lesson.stem))
    ids = {cell.get("id") for cell in notebook.cells}
    checks = set(CHECK.findall(code))
    functions = set(re.findall(r"^def (\w+)", code, re.MULTILINE))
    score, best = 0, None
    for lesson in known.values():
        points = sum(
            3 * (one.cell in ids) + 2 * (one.check in checks) + (one.function in functions)
            for one in lesson.wanted
        )
        if points > score:
            score, best = points, lesson
    if best is not None and score > 1:
        return best
    if named:
        return f"it is of the lesson {named[0]}, which this course does not have."
    return "no exercise of any lesson of this course is in it."


def find(notebook: NotebookNode, lesson: Lesson) -> list[Found]:
    """Every exercise of a lesson, as it is in a notebook."""
    cells = [_cell(number, cell) for number, cell in enumerate(notebook.cells)]
    cells = [cell for cell in cells if cell]
    return [_find_one(wanted, lesson, cells) for wanted in lesson.wanted]


def _cell(number: int, cell: NotebookNode) -> _Cell | None:
    if cell.cell_type != "code" or not cell.source.strip():
        return None
    made = _Cell(number, cell.get("id", ""), "exercise" in tags(cell), cell.source, [])
    if len(cell.source) > LONGEST_CELL:
        made.broken = f"it has {len(cell.source):,} characters"
        return made
    try:
        body = ast.parse(python_source(cell)).body
        made.statements = [_statement((number, at), node) for at, node in enumerate(body)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        made.broken = f"{error.__class__.__name__}: {getattr(error, 'msg', error)}"
        made.broken += f" in line {line}" if line else ""
    return made


def _statement(at: tuple[int, int], node: ast.stmt) -> Statement:
    reads, gives = global_names(ast.unparse(node))
    gives = set(gives)
    for part in ast.walk(node):  # TABLE["a"] = 1 and TABLE.append(1) change what TABLE is
        if isinstance(part, (ast.Subscript, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            if isinstance(name := _base(part), ast.Name):
                gives.add(name.id)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        if isinstance(function, ast.Attribute) and isinstance(name := _base(function), ast.Name):
            gives.add(name.id)
    return Statement(at, node, frozenset(reads), frozenset(gives))


def _base(node: ast.AST) -> ast.AST:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return node


def _find_one(wanted: Wanted, lesson: Lesson, cells: list[_Cell]) -> Found:
    cell, call = _place(wanted, lesson, cells)
    if cell is not None and cell.broken:
        said = f"the cell of the exercise is not Python: {cell.broken}."
        return Found(wanted, state="wrong", said=said)
    expression = _argument(call) if call is not None else None
    if expression is not None and not isinstance(expression, ast.Name):
        return _with_needs(wanted, cell, cells, None, ast.unparse(expression), "")
    asked = expression.id if expression is not None else wanted.function
    chosen, said = _definition(asked, wanted, lesson, cell, cells)
    if chosen is None:
        broken = [each for each in cells if each.broken and wanted.function in each.source]
        if broken:
            said = f"the cell with {wanted.function} is not Python: {broken[-1].broken}."
            return Found(wanted, state="wrong", said=said)
        if cell is None:
            said = (
                f"neither its cell nor a function {wanted.function} is in the notebook; was the "
                "cell deleted?"
            )
            return Found(wanted, state="missing", said=said)
        said = f"the cell of the exercise has no function {asked}."
        return Found(wanted, state="missing", said=said)
    name = asked if asked in chosen.gives else chosen.node.name
    if _is_stub(chosen.node):
        return Found(wanted, state="not attempted", said="not attempted yet.")
    return _with_needs(wanted, cell, cells, chosen, name, said)


def _place(wanted: Wanted, lesson: Lesson, cells: list[_Cell]):
    """The cell of an exercise, and the call of its check, where they are there."""
    calls = [
        (cell, call)
        for cell in cells
        for statement in cell.statements
        for call in ast.walk(statement.node)
        if isinstance(call, ast.Call) and _called(call) == wanted.check
    ]
    tagged = [pair for pair in calls if pair[0].tagged]
    if calls:
        return (tagged or calls)[-1]
    for cell in cells:  # not Python, or without its check
        if cell.tagged and wanted.check in cell.source:
            return cell, None
    others = {one.check for one in lesson.wanted}
    free = [c for c in cells if c.tagged and not others & set(CHECK.findall(c.source))]
    for cell in [*(c for c in free if c.id == wanted.cell), *free]:
        if cell.id == wanted.cell or re.search(rf"\b{wanted.function}\b", cell.source):
            return cell, None
    for cell in cells:
        if wanted.cell and cell.id == wanted.cell and not others & set(CHECK.findall(cell.source)):
            return cell, None
    return None, None


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _argument(call: ast.Call) -> ast.expr | None:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return given[0] if given and not isinstance(given[0], ast.Starred) else None


def _definition(name, wanted: Wanted, lesson: Lesson, cell: _Cell | None, cells: list[_Cell]):
    """The statement that makes an answer, and what is worth knowing about it.

    First in the cell of the exercise, then below it, then above it; a stub only where there is
    nothing else. What the lesson itself gives this name, as some do, is no answer.
    """
    place = cell.number if cell else -1
    everything = [statement for each in cells for statement in each.statements]
    making = [each for each in everything if name in each.gives and each.is_plain]
    here = [each for each in making if each.at[0] == place]
    below = [each for each in making if each.at[0] > place]
    above = [each for each in making if each.at[0] < place]
    for group in (here, below, above):
        done = [
            each
            for each in group
            if not _is_stub(each.node) and each.source not in lesson.statements
        ]
        if done:
            elsewhere = cell is not None and group is not here
            said = "the function is not in the cell of the exercise." if elsewhere else ""
            return done[-1], said
    if cell is not None:
        others = {one.function for one in lesson.wanted}
        renamed = [
            each
            for each in cell.statements
            if isinstance(each.node, ast.FunctionDef)
            and each.node.name not in others
            and not _is_stub(each.node)
        ]
        alike = [
            each
            for each in renamed
            if tuple(one.arg for one in each.node.args.args) == wanted.arguments
        ]
        if alike or len(renamed) == 1:
            chosen = (alike or renamed)[-1]
            said = f"the function is called {chosen.node.name}, and the check asks for {name}."
            return chosen, said
    stubs = [each for each in (*above, *below, *here) if _is_stub(each.node)]
    return (stubs[-1] if stubs else None), ""


def _is_stub(node: ast.stmt) -> bool:
    """Whether a function does nothing yet."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        return _is_nothing(node.value.body)
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return isinstance(node, ast.Assign) and _is_nothing(node.value)
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return all(
        isinstance(each, ast.Pass)
        or (isinstance(each, ast.Expr) and _is_nothing(each.value))
        or (isinstance(each, ast.Return) and (each.value is None or _is_nothing(each.value)))
        or (isinstance(each, ast.Raise) and "NotImplementedError" in ast.unparse(each))
        for each in body
    )


def _is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value in (None, Ellipsis)


def _with_needs(
    wanted: Wanted,
    cell: _Cell | None,
    cells: list[_Cell],
    chosen: Statement | None,
    answer: str,
    said: str,
) -> Found:
    """The answer with everything that it needs, in the order of the notebook."""
    everything = [statement for each in cells for statement in each.statements]
    at = (cell.number if cell else 10**9, 10**9)
    if chosen is not None:
        at = max(at, chosen.at)
    own_name = answer if chosen is not None else None
    reads = chosen.reads if chosen is not None else global_names(f"_ = {answer}")[0]
    taken = {chosen.at: chosen} if chosen is not None else {}
    wishes, looked_at = list(reads), {own_name}
    while wishes:
        name = wishes.pop()
        if name in looked_at:
            continue
        looked_at.add(name)
        for statement in _makers(name, everything, at):
            if statement.at not in taken:
                taken[statement.at] = statement
                wishes += statement.reads
    given = {name for statement in taken.values() for name in statement.gives}
    if looked_at - given - {None} - set(dir(builtins)):  # perhaps it comes from a star
        stars = [each for each in everything if _is_star(each.node) and each.at < at]
        taken |= {each.at: each for each in stars}
    ordered = [taken[place] for place in sorted(taken)]
    code = [(f"cell {each.at[0] + 1}", each.source) for each in ordered]
    own = [each.source for each in ordered if isinstance(each.node, DEFINES) or each is chosen]
    return Found(wanted, code, answer, "\n".join(own) or answer, said=said)


def _makers(name: str, everything: list[Statement], at: tuple[int, int]) -> list[Statement]:
    """The statements that make a name what it is where a check is called."""
    making = [each for each in everything if name in each.gives]
    before = [each for each in making if each.at <= at]
    found: list[Statement] = []
    for statement in reversed(before or making):
        found.append(statement)
        if statement.is_plain:
            break
    if all(isinstance(each.node, ast.Expr) for each in found):
        return []
    if isinstance(found[-1].node, (ast.Import, ast.ImportFrom)):
        return [found[-1]]  # torch.manual_seed(0) is no part of torch
    return found


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(part.name == "*" for part in node.names)
