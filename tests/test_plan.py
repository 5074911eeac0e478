"""The lecturer's plan: minutes by one formula, what to skip, and the page to print."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.authoring.notebooks import NOTEBOOKS, ROOT, NotebookError, find, read, write
from course_utils.authoring.plan import (
    CLASSES,
    Companion,
    Planned,
    advice,
    companions_of,
    ideas_of,
    kept,
    plan_of,
    sections,
)
from course_utils.authoring.plan_page import check_own, plan_page, write_plan
from course_utils.authoring.speaker_notes import with_speaker_notes
from course_utils.authoring.variants import with_solutions

LECTURES = (ROOT / "LECTURES.md").read_text(encoding="utf-8")
PATHS = find()


def planned(*sections_):
    """Entries from (minutes, ideas), the first being what stands before the sections."""
    return [
        Planned(f"{number}. Part", str(number), 0, minutes, 1, True, ideas)
        for number, (minutes, ideas) in enumerate(sections_)
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_minutes_of_the_sections_add_up_to_those_of_the_header(path):
    notebook = read(path)
    parts = sections(notebook)
    plan = plan_of(parts, notebook, ideas_of(LECTURES, path.name.split("_")[0]))
    assert f"about {sum(entry.alone for entry in plan)} minutes" in notebook.cells[0].source
    assert f"{sum(entry.in_class for entry in plan)} to show" in notebook.cells[0].source
    assert sum(part.sizes.exercises for part in parts) <= 3
    for minutes in CLASSES:
        assert sum(entry.in_class for entry in kept(plan, minutes)) <= minutes
        assert advice(plan, minutes, 3).startswith(f"**{minutes} minutes:** ")


def test_what_has_most_of_the_lectures_stays():
    plan = planned((1, 0), (5, 1), (5, 1), (10, 2), (5, 3), (4, 0))
    assert [entry.number for entry in kept(plan, 30)] == list("012345")
    assert [entry.number for entry in kept(plan, 26)] == list("01234")
    assert [entry.number for entry in kept(plan, 15)] == list("0145")  # not even half of it fits
    assert [entry.number for entry in kept(plan, 1)] == ["0"]


def test_what_is_marked_stays():
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# T\n\nabout 20 minutes to work through, 10 to show in class"),
            new_markdown_cell("## 1. A"),
            *(new_code_cell("a") for _ in range(5)),
            new_markdown_cell("## 2. B"),
            *(new_code_cell("b") for _ in range(4)),
            new_markdown_cell("## 3. C", metadata={"keep": True}),
            *(new_code_cell("c") for _ in range(4)),
        ]
    )
    plan = plan_of(sections(notebook), notebook, {"2": 5})
    assert [entry.number for entry in kept(plan, 7)] == ["1", "3"]
    assert advice(plan, 7, 0).startswith("**7 minutes:** skip *2. B* (")


def test_a_longer_class_has_exercises_and_a_companion():
    plan = planned((10, 1), (20, 2))
    companions = [Companion("02b", "Deeper", 40), Companion("02c", "Beside", 20)]
    said = advice(plan, 90, 3, companions)
    assert "Then the exercises, 8 minutes each. Then all of 02c, *Beside*." in said
    assert said.endswith("16 minutes are left.")
    assert "Then 1 of the 3 exercises" in advice(plan, 45, 3)


def test_companions_are_those_of_the_same_number():
    (path,) = find(["05"])
    assert [one.number for one in companions_of(path)] == ["05b", "05c", "05d"]
    assert companions_of(next(NOTEBOOKS.glob("05b_*"))) == []


def test_the_page_to_print_has_plan_notes_and_solutions(tmp_path):
    (path,) = find(["05"])
    noted = with_speaker_notes(with_solutions(read(path)), {}, ideas_of(LECTURES, "05"))
    page = plan_page(noted)
    assert "@page" in page and "https://" not in page.partition("</head>")[0]
    assert page.count("<h2>") == 8 and "In a class of" in page and "Ask before you run" in page
    assert "def joined(z, labels" in page and "return torch.cat" in page
    target = tmp_path / "05.html"
    write_plan(noted, target)
    check_own(target)
    assert target.read_text(encoding="utf-8") == page


def test_a_page_that_is_not_ours_is_left_alone(tmp_path):
    from course_utils.authoring.commands import instructor

    (path,) = find(["05"])
    folder = tmp_path / "notebooks"
    write(read(path), folder / path.name)
    mine = tmp_path / "out" / f"{path.stem}.html"
    mine.parent.mkdir()
    mine.write_text("<p>mine</p>", encoding="utf-8")
    with pytest.raises(NotebookError, match="was not made by `instructor`"):
        instructor([], mine.parent, folder)
