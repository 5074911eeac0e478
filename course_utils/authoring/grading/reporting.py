"""What comes out of marking: a table, a page for each student, and a page on the class.

Everything that a student wrote is text here: escaped in the pages, and in the table kept from being
a formula of a spreadsheet.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from ...session.files import replacing
from .duplicates import Same

COLUMNS = ("name", "id", "lesson", "exercise", "verdict", "mistake", "hint", "seconds", "file",
           "note")  # fmt: skip
MARKS = {"right": "✔", "wrong": "✘", "not attempted": "○"}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ccc; }
.right { color: #00633f; } .wrong { color: #a02800; } .other { color: #555; }
"""  # noqa: E501


def save(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())


def table(rows: Iterable[dict], columns: Iterable[str] = COLUMNS) -> str:
    """Rows as CSV, in which no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(row.get(column, "")) for column in columns])
    return text.getvalue()


def _harmless(cell) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def page_name(name: str, number: str) -> str:
    """A file name for a student's page; no two students share one."""
    plain = re.sub(r"[^\w-]+", "-", name).strip("-").lower()[:60] or "student"
    return f"{plain}-{hashlib.sha256(f'{name} {number}'.encode()).hexdigest()[:6]}.html"


def student_page(name: str, rows: list[dict]) -> str:
    """What a student reads: each exercise, whether it is right, and the hint."""
    right = sum(row["verdict"] == "right" for row in rows)
    asked = sum(bool(row["exercise"]) for row in rows)
    parts = [f"<h1>{_text(name)}</h1>", f"<p>{right} of {asked} exercises are right.</p>"]
    for lesson in dict.fromkeys(row["lesson"] for row in rows):
        mine = [row for row in rows if row["lesson"] == lesson]
        parts.append(f"<h2>{_text(lesson or 'Files without a lesson')}</h2>")
        body = [
            (_text(row["exercise"] or row["file"]), _verdict(row["verdict"]), _said(row))
            for row in mine
        ]
        parts.append(_table(("exercise", "", "what is said of it"), body))
    return _page(name, parts)


def _said(row: dict) -> str:
    note = f"<br><small>{_text(row['note'])}</small>" if row["note"] else ""
    return f"{_text(row['hint'])}{note}"


def mistakes_of(rows: list[dict]) -> list[tuple[str, str, str, int]]:
    """(lesson, exercise, mistake, how many students made it), the most frequent first."""
    made: dict[tuple, set] = defaultdict(set)
    for row in rows:
        if row["mistake"]:
            key = (row["lesson"], row["exercise"], row["mistake"])
            made[key].add((row["name"], row["id"]))
    counted = [(*key, len(who)) for key, who in made.items()]
    return sorted(counted, key=lambda one: (one[0], one[1], -one[3], one[2]))


def summary_page(rows: list[dict], same: list[Same], said: list[str]) -> str:
    """What a lecturer reads: verdicts, mistakes and duplicates of the class.

    Args:
        rows: all rows.
        same: answers that are the same code.
        said: sentences on how it was marked.
    """
    counts: dict[tuple, Counter] = defaultdict(Counter)
    for row in rows:
        if row["exercise"]:
            counts[row["lesson"], row["exercise"]][row["verdict"]] += 1
    verdicts = sorted({verdict for each in counts.values() for verdict in each})
    students = {(row["name"], row["id"]) for row in rows}
    parts = [
        "<h1>Marks of the class</h1>",
        *(f"<p>{_text(sentence)}</p>" for sentence in said),
        "<h2>Exercises</h2>",
        _table(
            ("lesson", "exercise", *verdicts),
            [
                (_text(key[0]), _text(key[1]), *(str(each[one]) for one in verdicts))
                for key, each in sorted(counts.items())
            ],
        ),
        "<h2>Mistakes</h2>",
        _table(
            ("lesson", "exercise", "mistake", "students"),
            [tuple(_text(part) for part in one) for one in mistakes_of(rows)],
        ),
        "<h2>For a person to look at</h2>",
        _table(
            ("student", "file", "exercise", "what is said of it"),
            [
                (_text(row["name"]), _text(row["file"]), _text(row["exercise"]), _said(row))
                for row in rows
                if not row["exercise"] or row["verdict"] == "for a person" or row["note"]
            ],
        ),
        "<h2>The same code</h2>",
        "<p>Names, comments and layout aside. Short answers are often alike by chance, and some "
        "are the published solution; nobody is accused here.</p>",
        _table(
            ("lesson", "exercise", "students", "published solution"),
            [
                (_text(one.lesson), _text(one.exercise), _text(", ".join(one.names)),
                 "yes" if one.published else "")
                for one in same
            ],
        ),
        "<h2>Students</h2>",
        "<ul>",
        *(
            f'<li><a href="students/{page_name(*one)}">{_text(one[0])}</a></li>'
            for one in sorted(students)
        ),
        "</ul>",
    ]  # fmt: skip
    return _page("Marks of the class", parts)


def _verdict(verdict: str) -> str:
    kind = verdict if verdict in ("right", "wrong") else "other"
    return f'<span class="{kind}">{MARKS.get(verdict, "·")} {_text(verdict)}</span>'


def _text(value) -> str:
    return html.escape(str(value), quote=True)


def _table(header: tuple[str, ...], rows: list[tuple]) -> str:
    """A table of cells that are HTML already."""
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{_text(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows
    )  # fmt: skip
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _page(title: str, parts: list[str]) -> str:
    head = (
        f'<meta charset="utf-8"><title>{_text(title)}</title>'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'\"><style>{STYLE}</style>"
    )
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'
