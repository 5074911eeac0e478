"""What people read is also recorded for programs, in a notebook's kernel and nowhere else."""

from nbformat.v4 import new_code_cell, new_notebook

from course_utils.authoring.notebooks import execute, printed_lines, records
from course_utils.session.records import say

SAID = """
import course_utils
from course_utils import check, claim
from course_utils.exercises import checking

lab = course_utils.start("01_small", seed=3)
print("first")
claim("two is even", 2 % 2 == 0, "2")
print("then")
check("a + b = b + a", 1 + 2 == 2 + 1)
claim("three is even", 3 % 2 == 0, "3", stored="small_numbers")
for answer in (lambda: 1, lambda: 2, lambda: ...):
    def examine(answer):
        if checking.ask(answer) == 2:
            raise checking.Wrong("one is wanted.")
        return "so it is."
    checking.check("Exercise 1, one", answer, examine)
"""


def test_a_kernel_keeps_the_record_beside_the_line(tmp_path):
    cell = new_code_cell(SAID)
    notebook = new_notebook(cells=[cell])
    environment = {"COURSE_CLAIMS": "collect", "COURSE_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    execute(notebook, tmp_path, environment)
    assert records(notebook, "claim") == [
        {"claim": "two is even", "holds": True, "figures": "2", "kind": "claim",
         "line": "✔ two is even [2]"},
        {"claim": "a + b = b + a", "holds": True, "figures": "", "kind": "check",
         "line": "≡ a + b = b + a"},
        {"claim": "three is even", "holds": False, "figures": "3", "kind": "stored",
         "stored": "small_numbers", "line": "✘ three is even [3]"},
    ]  # fmt: skip
    assert [
        (said["exercise"], said["verdict"], said["line"]) for said in records(cell, "exercise")
    ] == [
        ("Exercise 1, one", "right", "✔ Exercise 1, one: so it is."),
        ("Exercise 1, one", "wrong", "✘ Exercise 1, one: one is wanted."),
        ("Exercise 1, one", "not attempted", "○ Exercise 1, one: not attempted yet."),
    ]
    (started,) = records(cell, "session")
    session = started["session"]
    assert {"budget": "classroom", "seed": 3, "precision": "float32"}.items() <= session.items()
    assert session["device"] == "CPU, 1 thread"
    assert f" · torch {session['torch']} · CPU, 1 thread · float32 · " in started["line"]
    assert printed_lines(cell)[1:4] == ["first", "✔ two is even [2]", "then"]
    assert [output.output_type for output in cell.outputs[:4]] == [
        "display_data", "stream", "display_data", "stream",
    ]  # fmt: skip


def test_outside_a_notebook_the_line_is_printed(capsys):
    say("a line", anything=1)
    assert capsys.readouterr().out == "a line\n"
