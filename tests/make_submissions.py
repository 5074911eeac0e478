"""Makes the submissions that the marking is tried on, and says of each which verdict is right.

    python -m tests.make_submissions FOLDER            makes them
    python -m course_utils grade FOLDER --out FOLDER.csv -n 2
    python -m tests.make_submissions FOLDER --marked FOLDER.csv      holds the table to them

Right answers, every named mistake of every exercise, crashes, loops without end, memory hogs,
missing and renamed parts, files that are no notebooks, and thirty ways to cheat.
`tests/test_grading.py` takes a dozen of them.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.authoring.grading.comparing import EXERCISES, Checks
from course_utils.authoring.grading.handed_out import Lesson, lessons
from course_utils.authoring.notebooks import NOTEBOOKS, ROOT, NotebookError, read, tags
from course_utils.authoring.variants import with_solutions, without_solutions
from course_utils.session.records import KEY

START = "00_start_here"  # whose exercises are three plain functions
NOT_RIGHT = ("wrong", "not attempted", "missing", "for a person")


@dataclass
class Submission:
    """A file to hand in, and what the table must say of it.

    Attributes:
        kind: right, mistake, crash, loop, memory, moved, file or cheat.
        what: which of them.
        name: of the file.
        content: of the file.
        expected: number of an exercise, 0 for a row without one -> (verdicts, words in its hint).
        world: whether only a world of its own (namespaces on Linux) makes this verdict sure.
    """

    kind: str
    what: str
    name: str
    content: bytes
    expected: dict[int, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    world: bool = False


@cache
def known() -> dict[str, Lesson]:
    """The lessons."""
    return lessons()


@cache
def _handed_out(stem: str) -> str:
    return nbformat.writes(without_solutions(read(NOTEBOOKS / f"{stem}.ipynb")))


def notebook(stem: str, answers: dict[int, str], more: str = "", title: str = ""):
    """A student's notebook of a lesson.

    Args:
        stem: the lesson.
        answers: number of an exercise -> what stands in its cell above the call of its check.
        more: a cell of the student's own, before the exercises.
        title: a heading of the student's own.
    """
    made = nbformat.reads(_handed_out(stem), as_version=4)
    cells = [cell for cell in made.cells if "exercise" in tags(cell)]
    for number, source in answers.items():
        call = cells[number - 1].source.rpartition("\n\n\n")[2]
        cells[number - 1].source = source if "check_" in source else f"{source}\n\n\n{call}"
    if more:
        made.cells.insert(made.cells.index(cells[0]), new_code_cell(more))
    if title:
        made.cells.insert(0, new_markdown_cell(title))
    return made


def _file(made) -> bytes:
    return nbformat.writes(made).encode()


# Right answers, and every named mistake


def right_answers() -> Iterator[Submission]:
    """Each lesson solved."""
    for number, (stem, lesson) in enumerate(known().items()):
        try:
            made = with_solutions(read(NOTEBOOKS / f"{stem}.ipynb"))
        except NotebookError:
            continue  # said by the tests of the lessons
        name = f"rightrita{number}_{1000 + number}_{2000 + number}_{stem}.ipynb"
        if number % 3 == 1:
            name = f"Rita Right{number}_{1000 + number}_assignsubmission_file_{stem}.ipynb"
        expected = {one.number: (("right",), "") for one in lesson.wanted}
        yield Submission("right", stem, name, _file(made), expected)
    for number, (stem, lesson) in enumerate(known().items()):
        name = f"idleida{number}_{3000 + number}_{4000 + number}_{stem}.ipynb"
        expected = {one.number: (("not attempted",), "") for one in lesson.wanted}
        yield Submission("right", f"{stem}, as it came", name, _handed_out(stem).encode(), expected)


def named_mistakes() -> Iterator[Submission]:
    """Every hint of every exercise that is made from a list of mistakes, once."""
    checks = Checks()
    for stem, lesson in known().items():
        of_each = {}
        for one in lesson.wanted:
            made: dict[str, int] = {}
            for number, (_, hint) in enumerate(
                getattr(checks.of(lesson.module, one.check), "mistakes", ())
            ):
                if " And " not in hint:
                    made.setdefault(hint, number)
            of_each[one.number] = (one, list(made.items()))
        helper = _as_code(lesson.module)
        for turn in range(max((len(made) for _, made in of_each.values()), default=0)):
            answers, expected = {}, {}
            for number, (one, made) in of_each.items():
                if turn < len(made):
                    hint, place = made[turn]
                    given = ", ".join(one.arguments)
                    answers[number] = (
                        f"def {one.function}({given}):\n"
                        f"    return {one.check}.mistakes[{place}][0]({given})"
                    )
                    expected[number] = (("wrong",), hint)
                else:
                    expected[number] = (("not attempted",), "")
            name = f"mia{lesson.module.replace('_', '')}{turn}_{5000 + turn}_{turn}_{stem}.ipynb"
            content = _file(notebook(stem, answers, helper))
            yield Submission("mistake", f"{stem}, {turn + 1}", name, content, expected)


@cache
def _as_code(module: str) -> str:
    """The code of a lesson's mistakes, as a student's own cell: no import of the checks."""
    lines: list[str] = []
    for name in ("checking", "exercise", module):
        inside = False  # an import of several lines from a file that is here already
        for line in (EXERCISES / f"{name}.py").read_text(encoding="utf-8").splitlines():
            if line.startswith(("from __future__", "from .checking", "from .exercise")):
                inside = line.rstrip().endswith("(")
            elif inside:
                inside = not line.startswith(")")
            else:
                lines.append(line.replace("from ..", "from course_utils."))
    return "\n".join(lines)


# Answers that fail


FIELD = "def receptive_field(layers):\n    "
RIGHT_FIELD = (
    "def receptive_field(layers):\n    size, step = 1, 1\n    for f, s in layers:\n"
    "        size += (f - 1) * step\n        step *= s\n    return size"
)
CRASHES = {
    "an error of one's own": ("raise ValueError('no idea')", "ValueError: no idea"),
    "a division by zero": ("return 1 / 0", "ZeroDivisionError"),
    "a name that is nowhere": ("return size + 1", "NameError"),
    "endless recursion": ("return receptive_field(layers)", "RecursionError"),
    "an assertion": ("assert not layers, 'layers'", "AssertionError"),
    "an interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "a crash of Python": ("import ctypes; ctypes.string_at(0)", "brings Python itself down"),
    "an abort": ("import os; os.abort()", "brings Python itself down"),
    "its own end": ("import os; os._exit(0)", "ends Python"),
    "text": ("return '33'", "this is str"),
    "a bare return": ("layers = list(layers); return", "returns nothing"),
    "a class": ("return type('Size', (), {})", "return the pixels"),
    "markup in its error": ("raise ValueError('<script>alert(1)</script>')", "<script>"),
    "an error that cannot be told": (
        "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})",
        "stopped with E",
    ),
}
LOOPS = {
    "while True": "while True:\n        pass",
    "a loop that swallows everything": (
        "while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass"
    ),
    "a sum without end, in C": "import itertools; return sum(itertools.count())",
    "a power without end, in C": "return 10 ** 10 ** 10",
    "a sleep": "import time; time.sleep(10 ** 6)",
    "a lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "a thread that is waited for": (
        "import threading, time\n    t = threading.Thread(target=time.sleep, args=(10 ** 6,))\n"
        "    t.start(); t.join()"
    ),
    "a process that stops itself": (
        "import ctypes, os, signal\n    getattr(ctypes.CDLL(None), 'raise')(signal.SIGSTOP)\n"
        "    ctypes.CDLL(None).pause()"
    ),
    "a large product, again and again": (
        "import torch; x = torch.rand(2000, 2000)\n    while True: x = x @ x"
    ),
    "printing without end": "while True: print('x' * 10 ** 6)",
}
HOGS = {
    "a large tensor": ("import torch; return torch.ones(10 ** 11)", "memory"),
    "a growing list": ("x = []\n    while True: x.append(bytearray(10 ** 7))", ""),
    "a long text": ("return len('x' * 10 ** 11)", "Memory"),
    "doubling": ("import torch; x = torch.ones(10)\n    while True: x = torch.cat([x, x])", ""),
    "higher limits first": (
        "import resource\n    resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\n"
        "    return bytearray(10 ** 11)",
        "",
    ),
    "a result of too many numbers": ("import torch; return torch.zeros(1).expand(10 ** 9)", ""),
}  # fmt: skip


def failures() -> Iterator[Submission]:
    """Crashes, loops without end, memory hogs; the other two exercises are as they came."""
    rest = {1: (("not attempted",), ""), 2: (("not attempted",), "")}
    for kind, many in (
        ("crash", {what: pair for what, pair in CRASHES.items()}),
        ("loop", {what: (code, "does a loop never end") for what, code in LOOPS.items()}),
        ("memory", HOGS),
    ):
        for number, (what, (code, words)) in enumerate(many.items()):
            name = f"{kind}carl{number}_{6000 + number}_{number}_{START}.ipynb"
            content = _file(notebook(START, {3: FIELD + code}))
            expected = {**rest, 3: (("wrong",), words)}
            yield Submission(kind, what, name, content, expected)
    others = {  # what goes wrong before a function is called
        "a cell that is not Python": (FIELD + "return (1 +", "is not Python"),
        "an indentation": ("def receptive_field(layers):\nreturn 1", "is not Python"),
        "a default that fails": ("def receptive_field(layers, x=1 / 0):\n    return 1", "Zero"),
        "a decorator that fails": ("@undefined\n" + FIELD + "return 1", "NameError"),
        "no function": ("receptive_field = 33", "a function is needed"),
        "another number of arguments": ("def receptive_field(f, s):\n    return 1", "TypeError"),
        "a coroutine": ("async def receptive_field(layers):\n    return 1", "asynchronous"),
        "a generator": (FIELD + "yield 1", "generator"),
        "code that nests deeply": (FIELD + "return " + "(" * 90 + "1" + ")" * 90 + "()", ""),
        "a needed cell that fails": (FIELD + "return HELPER", "HELPER"),
    }
    for number, (what, (source, words)) in enumerate(others.items()):
        name = f"Carla Crash{number}_{6500 + number}_assignsubmission_file_{START}.ipynb"
        more = "HELPER = open('notes.txt').read()" if "HELPER" in source else ""
        expected = {**rest, 3: (("wrong",), words)}
        yield Submission("crash", what, name, _file(notebook(START, {3: source}, more)), expected)


# Cells that are elsewhere, or not there


def moved() -> Iterator[Submission]:
    """Deleted cells, renamed functions, lost tags; what can be found is marked."""
    stub = "def receptive_field(layers): ..."
    renamed = RIGHT_FIELD.replace("receptive_field", "my_field")
    right, missing, idle = (("right",), ""), (("missing",), ""), (("not attempted",), "")

    def one(what: str, made, third, first=idle, second=idle, name=START):
        number = abs(hash_of(what)) % 1000
        file = f"movermax{number}_{7000 + number}_{number}_{name}.ipynb"
        expected = {1: first, 2: second, 3: third}
        return Submission("moved", what, file, _file(made), expected)

    def exercise_cells(made):
        return [cell for cell in made.cells if "exercise" in tags(cell)]

    made = notebook(START, {3: RIGHT_FIELD})
    made.cells = [cell for cell in made.cells if "check_posterior" not in cell.source]
    yield one("a deleted cell", made, right, first=missing)

    made = notebook(START, {})
    made.cells = [cell for cell in made.cells if "exercise" not in tags(cell)]
    yield one("all exercises deleted", made, missing, missing, missing)

    source = f"{renamed}\n\n\nexercises.check_receptive_field(my_field)"
    yield one("renamed, and checked under that name", notebook(START, {3: source}), right)
    yield one("renamed, and not checked so", notebook(START, {3: renamed}), right)

    made = notebook(START, {3: RIGHT_FIELD})
    for cell in made.cells:
        cell.metadata.pop("tags", None)
    yield one("no tags", made, right)
    for cell in made.cells:
        cell.pop("id", None)
    made.nbformat_minor = 4
    yield one("no tags and no ids, as from Colab", made, right)

    made = notebook(START, {})
    exercise_cells(made)[2].source = RIGHT_FIELD
    yield one("the check deleted", made, right)
    for cell in made.cells:
        cell.metadata.pop("tags", None)
        cell.id = f"x{made.cells.index(cell)}"
    yield one("check, tag and id lost: found by its name", made, right)

    made = notebook(START, {3: stub})
    made.cells.append(new_code_cell(RIGHT_FIELD))
    yield one("the answer in a cell at the end", made, right)
    made = notebook(START, {3: stub}, more=RIGHT_FIELD)
    yield one("the answer above the stub", made, right)
    made = notebook(START, {3: "exercises.check_receptive_field(receptive_field)"}, RIGHT_FIELD)
    yield one("only the check in the cell", made, right)

    made = notebook(START, {})
    checks = exercise_cells(made)
    checks[2].source = "exercises.check_receptive_field(lambda layers: 1)"
    yield one("a lambda that is wrong", made, (("wrong",), "it gives 1 instead of"))
    first = RIGHT_FIELD.replace("def ", "def _").replace("_receptive_field", "helper")
    source = "from functools import partial\n\n\nexercises.check_receptive_field(partial(helper))"
    yield one("an expression", notebook(START, {3: source}, first), right)

    helper = "import math\nONE = 1\n\n\ndef steps(layers, k):\n    return math.prod("
    helper += "s for _, s in layers[:k]) * ONE"
    source = "def receptive_field(layers):\n    return 1 + sum((f - 1) * steps(layers, k) "
    source += "for k, (f, s) in enumerate(layers))"
    yield one("helpers in another cell", notebook(START, {3: source}, helper), right)
    more = f"{helper}\nraise RuntimeError('a training run that fails')"
    yield one("a failing line beside the helpers", notebook(START, {3: source}, more), right)
    slow = "import time\ntime.sleep(10 ** 6)\n" + helper
    yield one("an endless line beside the helpers", notebook(START, {3: source}, slow), right)
    magic = "%matplotlib inline\n!pip install nothing\n" + helper
    yield one("magic beside the helpers", notebook(START, {3: source}, magic), right)
    by_star = source.replace("steps(layers, k)", "prod([s for _, s in layers[:k]])")
    yield one("a star import", notebook(START, {3: by_star}, "from math import *"), right)
    table = "TABLE = {}\nTABLE['one'] = 1\nTABLE.update(two=2)"
    source = RIGHT_FIELD.replace("1, 1", "TABLE['one'], TABLE['two'] - 1")
    yield one("a table that is filled", notebook(START, {3: source}, table), right)
    doc = RIGHT_FIELD.replace("layers):\n", "layers):\n    '''Mine.'''\n    import math\n")
    yield one("a docstring and an import", notebook(START, {3: doc}), right)
    nothing = "def receptive_field(layers):\n    '''Later.'''\n    raise NotImplementedError"
    yield one("not implemented", notebook(START, {3: nothing}), idle)
    numpy = "import numpy as np\n\n\n" + RIGHT_FIELD.replace("return size", "return np.int64(size)")
    yield one("a number of NumPy", notebook(START, {3: numpy}), right)
    tensor = RIGHT_FIELD.replace("return size", "import torch; return torch.tensor(size)")
    yield one("a tensor of one number", notebook(START, {3: tensor}), right)
    loud = RIGHT_FIELD.replace("return size", "print('x' * 10 ** 6); return size")
    yield one("a loud answer", notebook(START, {3: loud}), right)
    made = notebook(START, {3: RIGHT_FIELD})
    made.cells.append(new_code_cell("def broken(:"))
    yield one("another cell that is not Python", made, right)


def hash_of(text: str) -> int:
    """A number for a text, the same in every run."""
    return sum(ord(letter) * 31**at for at, letter in enumerate(text)) % 10**9


# Files that are something else


def files() -> Iterator[Submission]:
    """Half-saved files, other files, archives, a lesson that nobody knows, two files of one."""
    whole = _file(notebook(START, {3: RIGHT_FIELD}))

    def one(what: str, name: str, content: bytes, verdict: str, words: str):
        return Submission("file", what, name, content, {0: ((verdict,), words)})

    for share in (0.02, 0.3, 0.7, 0.999):
        half = whole[: int(len(whole) * share)]
        name = f"halfhans{int(1000 * share)}_81_{int(1000 * share)}_{START}.ipynb"
        yield one(f"saved to {share:.1%}", name, half, "unreadable", "only in part")
    name = "halfhanna_82_1_x.ipynb"
    yield one("zeros at the end", name, whole[:5000] + bytes(3000), "unreadable", "only in part")
    yield one("empty", "emptyemil_83_1_x.ipynb", b"", "unreadable", "is empty")
    yield one("blanks", "emptyemma_83_2_x.ipynb", b" \n\n", "unreadable", "is empty")
    pdf = b"%PDF-1.7\n\xe2\xe3\xcf\xd3 1 0 obj"
    yield one("a PDF", "paulpdf_84_1_answers.pdf", pdf, "unreadable", "not even text")
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    yield one("a picture", "paulapng_84_2_x.ipynb", png, "unreadable", "not even text")
    script = RIGHT_FIELD.encode()
    yield one("a script", "pitpy_84_3_answers.py", script, "unreadable", "does not hold JSON")
    page = b"<html><body>cells</body></html>"
    yield one("a web page", "webwilma_84_4_x.html", page, "unreadable", "does not hold JSON")
    for what, value in (
        ("a list", [1, 2]),
        ("a number", 3),
        ("another object", {"cells": 3, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}),
        ("cells without text", {"cells": [{"cell_type": "code", "source": 5}], "nbformat": 4,
                                "nbformat_minor": 5, "metadata": {}}),
    ):  # fmt: skip
        name = f"jsonjo{len(what)}_85_{len(what)}_x.ipynb"
        yield one(what, name, json.dumps(value).encode(), "unreadable", "other JSON")
    deep = b"[" * 10**5 + b"]" * 10**5
    yield one("JSON without end", "deepdora_85_99_x.ipynb", deep, "unreadable", "JSON")
    no_code = _file(new_notebook(cells=[new_markdown_cell("My answers are right.")]))
    yield one("no code", "nocodenora_86_1_x.ipynb", no_code, "unreadable", "no code")
    strange = new_notebook(cells=[new_code_cell('import course_utils\nlab = course_utils.start('
                                                '"99_quantum")')])  # fmt: skip
    name = "strangesven_86_2_quantum.ipynb"
    yield one("another lesson", name, _file(strange), "unknown lesson", "99_quantum")
    other = _file(new_notebook(cells=[new_code_cell("print('hello')")]))
    yield one("another notebook", "otherolga_86_3_x.ipynb", other, "unknown lesson", "no exercise")
    large = b'{"cells": [' + b" " * (51 * 2**20)
    yield one("a huge file", "hugehugo_87_1_x.ipynb", large, "unreadable", "MB, more than")
    yield one("a damaged archive", "zipzoe_88_1_x.zip", b"PK\x03\x04" + bytes(99), "unreadable",
              "archive is damaged")  # fmt: skip
    yield one("an archive without one", "zipzac_88_2_x.zip", _archive({"a.txt": b"x"}),
              "unreadable", "holds no notebooks")  # fmt: skip
    two = _archive({"a.ipynb": whole, "b.ipynb": whole})
    yield one("an archive with two", "zipzita_88_3_x.zip", two, "unreadable", "2 notebooks")
    bomb = _archive({"a.ipynb": bytes(60 * 2**20)})
    yield one("a zip bomb", "zipzeno_88_4_x.zip", bomb, "unreadable", "larger than any")
    marked = {1: (("not attempted",), ""), 2: (("not attempted",), ""), 3: (("right",), "")}
    packed = _archive({f"{START}.ipynb": whole})
    yield Submission("file", "an archive of `make handin`", f"zipzelda_88_5_{START}.zip", packed,
                     marked)  # fmt: skip
    with_mark = b"\xef\xbb\xbf" + whole
    name = f"bombob_88_6_{START}.ipynb"
    yield Submission("file", "a byte order mark", name, with_mark, marked)
    for copy in (1, 2):
        name = f"twicetom_89_{copy}_{START}-{copy}.ipynb"
        yield Submission("file", f"two files of one student, {copy}", name, whole, marked)
    old = json.loads(whole)
    for cell in old["cells"]:
        cell.pop("id", None)
    old["nbformat_minor"] = 2
    name = f"oldotto_89_3_{START}.ipynb"
    yield Submission("file", "an older format", name, json.dumps(old).encode(), marked)
    name = f"Folder Fritz_9001_assignsubmission_file_/{START}.ipynb"
    yield Submission("file", "a folder of Moodle", name, whole, marked)
    name = f"Öztürk, Zoë/my {START} (1).ipynb"
    yield Submission("file", "a folder with a name", name, whole, marked)


def _archive(inside: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    return file.getvalue()


# Cheating

SECRET = f"{EXERCISES}/start_here.py"
CHEATS: dict[str, tuple[str, str, str]] = {
    # what: (the answer, a cell of one's own, words in the hint); none of them is right
    "the check replaced": (
        "def receptive_field(layers): ...",
        "exercises.check_receptive_field = lambda answer: print('✔ Exercise 3: right')",
        "",
    ),
    "what a check compares with replaced": (
        FIELD + "import course_utils.exercises.checking as c; c.near = lambda *x: True\n"
        "    return 1",
        "import torch\ntorch.allclose = torch.equal = torch.isclose = lambda *x, **y: True",
        "",
    ),
    "an object that equals everything": (
        FIELD + "return Anything()",
        "class Anything:\n    def __eq__(self, other): return True\n"
        "    def __getattr__(self, name): return self\n"
        "    def __call__(self, *x, **y): return self\n    def __hash__(self): return 0",
        "this is Anything",
    ),
    "a number that equals everything": (
        FIELD + "return Number(7)",
        "class Number(float):\n    def __eq__(self, other): return True\n"
        "    def __sub__(self, other): return 0.0\n    __rsub__ = __sub__\n"
        "    def __abs__(self): return 0.0\n    def __hash__(self): return 0",
        "",
    ),
    "a tensor that equals everything": (
        FIELD + "return torch.ones(()).as_subclass(Always)",
        "import torch\nclass Always(torch.Tensor):\n"
        "    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None):\n"
        "        return True",
        "",
    ),
    "sys.exit": (FIELD + "import sys; sys.exit(0)", "", "SystemExit"),
    "os._exit after atexit": (
        FIELD + "import atexit, os\n    atexit.register(print, 'right'); os._exit(0)",
        "",
        "ends Python",
    ),
    "written into the channel": (
        FIELD + "import json, os, struct\n"
        "    text = json.dumps({'id': '0', 'found': {'t': 'int', 'v': '33'}, 'after': [None],\n"
        "                       'verdict': 'right'}).encode()\n"
        "    for n in range(3, 30):\n        try: os.write(n, struct.pack('<8sIQ', b'NUMBERS1',"
        " len(text), 0) + text)\n        except OSError: pass\n    return 1",
        "",
        "channel",
    ),
    "rubbish in the channel": (
        FIELD + "import os\n    for n in range(3, 30):\n        try: os.write(n, b'right' * 999)\n"
        "        except OSError: pass\n    return 1",
        "",
        "no message",
    ),
    "the reference by its name": (
        FIELD + "return exercises.check_receptive_field.reference(layers)", "", "AttributeError",
    ),
    "the reference as the answer": (
        "exercises.check_receptive_field(exercises.check_receptive_field.reference)",
        "", "AttributeError",
    ),
    "the reference imported": (
        FIELD + "from course_utils.exercises.start_here import _field\n    return _field(layers)",
        "", "",
    ),
    "the reference by importlib": (
        FIELD + "import importlib, sys; sys.modules.pop('course_utils.exercises', None)\n"
        f"    sys.path.insert(0, {str(ROOT)!r}); sys.meta_path[:] = sys.meta_path[-3:]\n"
        "    for n in list(sys.modules):\n"
        "        if n.startswith('course_utils'): del sys.modules[n]\n"
        "    return importlib.import_module('course_utils.exercises.start_here')._field(layers)",
        "", "",
    ),
    "the reference in memory": (
        FIELD + "import gc\n    for one in gc.get_objects():\n"
        "        if type(one).__name__ == 'Exercise' and 'field' in one.title:\n"
        "            return one.reference(layers)\n    return 1",
        "", "",
    ),
    "the right number in a frame": (
        FIELD + "import sys; frame = sys._getframe()\n    while frame:\n"
        "        if 'right' in frame.f_locals: return frame.f_locals['right']\n"
        "        frame = frame.f_back\n    return 1",
        "", "",
    ),
    "the source of the check read": (
        FIELD + "scope = {'__name__': 'x', '__package__': 'course_utils.exercises'}\n"
        f"    exec(open({SECRET!r}).read().split('check_rec')[0], scope)\n"
        "    return scope['_field'](layers)",
        "", "",
    ),
    "the source found on the disk": (
        FIELD + "import glob, os\n"
        f"    found = glob.glob({str(ROOT)!r} + '/**/start_here*', recursive=True)\n"
        "    code = open(found[0]).read()\n    raise ValueError(code[:100])",
        "", "",
    ),
    "the source read around Python": (
        FIELD + "import ctypes; libc = ctypes.CDLL(None)\n"
        "    room = ctypes.create_string_buffer(9**5)\n"
        f"    number = libc.open({SECRET!r}.encode(), 0)\n"
        "    size = libc.read(number, room, 9**5)\n"
        "    if size <= 0: raise OSError('nothing to read')\n"
        "    code = room.raw[:size].decode()\n"
        "    code = code[code.index('def _field'):code.index('check_receptive_field =')]\n"
        "    scope = {'math': __import__('math')}; exec(code, scope)\n"
        "    return scope['_field'](layers)",
        "", "nothing to read",
    ),
    "another program that has the reference": (
        FIELD + "import subprocess, sys\n"
        f'    code = "import sys; sys.path.insert(0, {str(ROOT)!r}); "\n'
        "    code += 'from course_utils.exercises.start_here import _field; '\n"
        "    code += f'print(_field({layers}))'\n"
        "    told = subprocess.run([sys.executable, '-c', code], capture_output=True)\n"
        "    return int(told.stdout)",
        "", "",
    ),
    "the answers of the known cases": (
        FIELD + "return TABLE.get(str(layers), 1)",
        "TABLE = {'[(5, 2), (3, 3), (4, 1), (2, 2)]': 33, '[(3, 1), (3, 1)]': 5, '[(7, 2)]': 7,\n"
        "         '[(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]': 70, '[]': 1}",
        "and not for others",
    ),
    "children that outlive it": (
        FIELD + "import ctypes, os, time; libc = ctypes.CDLL(None)\n"
        "    for _ in range(3):\n        if libc.fork() == 0:\n            libc.setsid()\n"
        "            if libc.fork() == 0: time.sleep(600)\n            libc._exit(0)\n    return 1",
        "", "",
    ),
    "processes without number": (
        FIELD + "import ctypes; libc = ctypes.CDLL(None)\n    while True: libc.fork()", "", "",
    ),
    "the answer from the network": (
        FIELD + "import urllib.request\n"
        "    return int(urllib.request.urlopen('http://127.0.0.1:8/field', timeout=2).read())",
        "", "",
    ),
    "the check's file overwritten": (
        FIELD + f"open({SECRET!r}, 'w').write('')\n    return 1", "", "",
    ),
    "permissions changed": (
        FIELD + f"import ctypes; ctypes.CDLL(None).chmod({str(EXERCISES)!r}.encode(), 0)\n"
        f"    ctypes.CDLL(None).unlink({SECRET!r}.encode())\n    return 1",
        "", "",
    ),
    "files left behind": (
        FIELD + "import ctypes; libc = ctypes.CDLL(None)\n"
        "    for place in (b'/tmp/left-by-a-cheat', b'/var/tmp/left-by-a-cheat'):\n"
        "        libc.creat(place, 0o600)\n    return 1",
        "", "",
    ),
    "the process of the grader changed": (
        FIELD + "import os\n    with open(f'/proc/{os.getppid()}/mem', 'r+b') as memory:\n"
        "        memory.write(b'right')\n    return 1",
        "", "",
    ),
    "a pickle that acts": (
        FIELD + "return Act()",
        "import os\nclass Act:\n    def __reduce__(self): return os.system, ('touch /tmp/acted',)",
        "this is Act",
    ),
    "the program that answers rewritten": (
        FIELD + "from asked import encoding\n"
        "    encoding.Encoder.tree = lambda self, *x: {'t': 'right', 'verdict': 'right'}\n"
        "    return 1",
        "", "value",
    ),
    "everything is not a number": (FIELD + "return float('nan')", "", ""),
    "built-in functions replaced": (
        FIELD + "import builtins; builtins.isinstance = lambda *x: True\n"
        "    builtins.abs = lambda x: 0; builtins.float = lambda x: 0\n    return 1",
        "", "",
    ),
    "numbers without end": (
        FIELD + "return [1] * 10 ** 7", "", "",
    ),
    "a thread that answers later": (
        FIELD + "import threading, os\n"
        "    threading.Thread(target=lambda: [os.write(n, b'x') for n in range(3, 9)]).start()\n"
        "    return 1",
        "", "",
    ),
}  # fmt: skip


def cheats() -> Iterator[Submission]:
    """Ways to be called right without being right."""
    for number, (what, (answer, more, words)) in enumerate(CHEATS.items()):
        made = notebook(START, {3: answer}, more)
        name = f"cheatcher{number}_{9000 + number}_{number}_{START}.ipynb"
        expected = {3: (NOT_RIGHT, words)}
        yield Submission("cheat", what, name, _file(made), expected, "around Python" in what)
    made = notebook(START, {})
    for cell in (one for one in made.cells if "exercise" in tags(one)):
        title = "Exercise 3, the receptive field"
        record = {KEY: {"exercise": title, "verdict": "right"}}
        said = {"text/plain": f"✔ {title}: right"}
        cell.outputs = [new_output("display_data", data=said, metadata=record)]
    expected = {number: (("not attempted",), "") for number in (1, 2, 3)}
    name = f"cheatchet_9100_1_{START}.ipynb"
    yield Submission("cheat", "the verdict in the stored output", name, _file(made), expected)
    made = notebook(START, {3: FIELD + "raise ValueError('x')"}, title="# =cmd|' /C calc'!A0")
    name = f"=HYPERLINK(1)_9101_1_{START}.ipynb"
    expected = {3: (("wrong",), "ValueError")}
    yield Submission("cheat", "a formula as a name", name, _file(made), expected)


def submissions() -> Iterator[Submission]:
    """All of them."""
    for kind in (right_answers, named_mistakes, failures, moved, files, cheats):
        yield from kind()


def make(folder: Path, chosen) -> list[Submission]:
    """Write submissions into a folder."""
    made = list(chosen)
    for one in made:
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise ValueError(f"two submissions are called {one.name}")
        path.write_bytes(one.content)
    return made


def wrong_verdicts(made: list[Submission], table: Path) -> list[str]:
    """What a table of marks says that it should not, and what it has lost."""
    rows = defaultdict(dict)
    with open(table, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number = int(row["exercise"].split(".")[0]) if row["exercise"] else 0
            rows[row["file"].lstrip("'")][number] = row
    said = []
    for one in made:
        mine = rows.get(one.name)
        if not mine:
            said.append(f"{one.kind}, {one.what}: {one.name} is lost")
            continue
        for number, (verdicts, words) in one.expected.items():
            row = mine.get(number)
            if row is None:
                said.append(f"{one.kind}, {one.what}: no row for exercise {number}")
            elif row["verdict"] not in verdicts or words not in row["hint"] + row["mistake"]:
                told = f"{row['verdict']}: {row['hint'][:200]}"
                said.append(f"{one.kind}, {one.what}, {number}: {told} | {verdicts} {words[:80]}")
        extra = set(mine) - set(one.expected)
        if one.kind != "cheat" and extra:
            said.append(f"{one.kind}, {one.what}: rows {extra} besides")
    return said


def main() -> int:
    """Make submissions, or hold the table of their marks to what is right."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--marked", type=Path, help="the table that `grade` has made of them")
    chosen = parser.parse_args()
    kept = chosen.folder.with_suffix(".expected.json")  # a lesson may change before it is marked
    if not chosen.marked:
        made = make(chosen.folder, submissions())
        (chosen.folder / "Empty Erika_9999_assignsubmission_file_").mkdir()
        told = [[one.kind, one.what, one.name, list(one.expected.items())] for one in made]
        kept.write_text(json.dumps(told), encoding="utf-8")
        print(len(made), dict(Counter(one.kind for one in made)))
        return 0
    told = json.loads(kept.read_text(encoding="utf-8"))
    made = [
        Submission(kind, what, name, b"", dict(expected)) for kind, what, name, expected in told
    ]
    wrong = wrong_verdicts(made, chosen.marked)
    with open(chosen.marked, newline="", encoding="utf-8") as file:
        verdicts = Counter(row["verdict"] for row in csv.DictReader(file))
    print(f"{len(made)} submissions, {sum(verdicts.values())} rows: {dict(verdicts)}")
    print("\n".join(wrong) or "Every verdict is right, and nothing is lost.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
