"""One submission, marked: its exercises found, asked and judged; a row for each."""

from __future__ import annotations

import hashlib
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import encoding
from .comparing import PERSON, ROUNDS, Checks, Verdict, judge
from .finding import Found, find, lesson_of
from .handed_in import Unreadable, notebook_of
from .handed_out import Lesson
from .rooms import Answer, Gone, Room, told_error

sys.setrecursionlimit(max(3000, sys.getrecursionlimit()))  # of code that nests deeply
LONGEST_HINT = 1000


@dataclass
class Row:
    """One exercise of one submission; without an exercise, what is wrong with the file."""

    lesson: str = ""
    exercise: str = ""
    verdict: str = ""
    mistake: str = ""
    hint: str = ""
    seconds: float = 0.0
    note: str = ""
    own: str = field(default="", repr=False)

    def as_record(self) -> dict:
        """For keeping."""
        return asdict(self)


class Marker:
    """Marks submissions, one after the other.

    Args:
        room: where answers run.
        lessons: what was handed out.
        seed: of the numbers that nobody has seen.
    """

    def __init__(self, room: Room, lessons: dict[str, Lesson], seed: int):
        self.room, self.lessons, self.seed = room, lessons, seed
        shifts = [1_000 + _number(f"{seed} {number}") % 10**6 for number in range(ROUNDS)]
        self.checks = [Checks(shift) for shift in (0, *shifts)]
        self.enforced: dict = {}

    def mark(self, path: Path, original: str) -> list[Row]:
        """The rows of a file. Whatever is in it, there is one at least."""
        try:
            notebook = notebook_of(path)
            lesson = lesson_of(notebook, original, self.lessons)
            if isinstance(lesson, str):
                return [Row(verdict="unknown lesson", hint=lesson)]
            found = find(notebook, lesson)
        except Unreadable as error:
            return [Row(verdict="unreadable", hint=str(error))]
        except (RecursionError, MemoryError):
            return [Row(verdict="unreadable", hint="its code nests deeper than Python can read.")]
        return [self._mark_one(one, lesson) for one in found]

    def _mark_one(self, found: Found, lesson: Lesson) -> Row:
        note, seconds = "", 0.0
        if found.state:
            verdict = Verdict(found.state, _mistake_of_state(found), found.said)
        else:
            note = found.said
            verdict, more, seconds = self._asked(found, lesson)
            if verdict.mistake == "not started":  # once more: perhaps it was the machine
                verdict, more, seconds = self._asked(found, lesson)
            note = " ".join(filter(None, (note, more)))
        hint = encoding.clear(verdict.hint, LONGEST_HINT)
        return Row(
            lesson.stem,
            f"{found.wanted.number}. {found.wanted.check.removeprefix('check_')}",
            verdict.verdict,
            encoding.clear(verdict.mistake, 300),
            hint,
            round(seconds, 2),
            encoding.clear(note, 500),
            found.own,
        )

    def _asked(self, found: Found, lesson: Lesson) -> tuple[Verdict, str, float]:
        """The verdict on an answer, what else is worth knowing, and the seconds it took."""
        name = f"{self.seed} {lesson.stem} {found.wanted.check}"
        started = time.perf_counter()
        try:
            with self.room.visitor() as visitor:
                started = time.perf_counter()
                self.enforced = self.enforced or visitor.enforced
                visitor.start_clock()
                seed = _number(name) % 2**31
                asked = {"code": found.code, "answer": found.answer, "seed": seed}
                prepared, _ = visitor.ask("prepare", encoding.Encoder(), **asked)
                failed = _failures(prepared)
                answer = _answer(prepared, visitor)
                verdict = judge(answer, lesson.module, found.wanted.check, self.checks, seed)
                note = "It tried to " + ", to ".join(visitor.tried) + "." if visitor.tried else ""
        except Gone as gone:
            kind = PERSON if gone.mistake == "not started" else "wrong"
            return Verdict(kind, gone.mistake, gone.words), "", time.perf_counter() - started
        except Exception as error:  # of the marking itself: nothing is lost for it
            said = f"marking it failed ({type(error).__name__}: {error})."
            return Verdict(PERSON, "marking failed", said), "", time.perf_counter() - started
        if failed and verdict.verdict == "wrong":
            hint = f"{verdict.hint.rstrip('.')}. Before that, {failed.rstrip('.')}."
            verdict = Verdict(verdict.verdict, verdict.mistake, hint)
        return verdict, note, time.perf_counter() - started


def _answer(prepared: dict, visitor):
    """What is handed to the check: asks the process, or is what stands where a function should."""
    error = prepared.get("error")
    if isinstance(error, dict):
        kind, text = encoding.clear(error.get("kind", "")), encoding.clear(error.get("text", ""))

        def fails(*given):
            raise told_error(kind or "Error", text)

        fails.gone, fails.unsendable = None, ""
        return fails
    if prepared.get("callable") is not True:
        made = encoding.stand_in(encoding.clear(prepared.get("kind", "object"), 80))
        made.gone, made.unsendable = None, ""
        return made
    return Answer(visitor)


def _failures(prepared: dict) -> str:
    """What failed in the code that an answer needs."""
    failed = prepared.get("failed")
    told = [
        f"{encoding.clear(one.get('place', ''), 20)} stopped with "
        f"{encoding.clear(one.get('text', ''), 200)}"
        for one in (failed if isinstance(failed, list) else [])
        if isinstance(one, dict)
    ]
    return "; ".join(told[:3])


def _mistake_of_state(found: Found) -> str:
    if found.state == "missing":
        return "not in the notebook"
    return "not Python" if found.state == "wrong" else ""


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
