"""A folder of submissions, marked in several processes; what is done is not done again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path

from ...session.files import is_no_file
from ..notebooks import NOTEBOOKS, ROOT, NotebookError
from ..targets import check_replaceable, check_writable
from . import reporting
from .comparing import EXERCISES, PERSON
from .duplicates import duplicates
from .handed_in import HandedIn, Student, checksum, handed_in, roster
from .handed_out import lessons
from .marking import Marker, Row
from .rooms import Limits, Room, enforced_here, furnish

AGAIN = "move it away, or name another file with --out"
MARK_OF_ROOM = ".marking"
PASSING = ("not started", "marking failed")  # which say nothing about an answer


def grade(
    folder: Path,
    roster_file: Path | None = None,
    out: Path = Path("results.csv"),
    workers: int = 1,
    seconds: float = 15.0,
    seed: int | None = None,
    handed_out: Path = NOTEBOOKS,
) -> int:
    """Mark every notebook in a folder; the results are in `out` and in the folder beside it.

    A run that was cut goes on where it was; a submission is marked again only where its file, the
    course's checks or the lesson have changed.

    Args:
        folder: files as a learning platform exports them, in folders or not.
        roster_file: a CSV file with the columns name and id; without it, names are taken from the
            files.
        out: the table; beside it, in a folder that ends in .grading, are the pages.
        workers: how many submissions are marked at the same time.
        seconds: for one exercise.
        seed: of the numbers that nobody has seen; by default it follows from all that is handed
            in, so that nobody knows it before.
        handed_out: the folder with the lessons.

    Raises:
        NotebookError: there is nothing to mark, or something is in the way.
    """
    if not folder.is_dir():
        raise NotebookError(f"{folder} is no folder; name the folder with the submissions.")
    if workers < 1 or seconds <= 0:
        raise NotebookError("At least one worker (-n) and some seconds are needed.")
    out, folder = out.absolute(), folder.absolute()
    beside = out.with_suffix(".grading")
    check_writable(out.parent, "name another file with --out")
    check_replaceable(out)
    if is_no_file(beside) and not beside.is_dir():
        raise NotebookError(f"{beside} is in the way; {AGAIN}.")
    students = roster(roster_file) if roster_file else []
    files = [one for one in handed_in(folder, students) if not _is_ours(one.path, out, beside)]
    files = [one for one in files if not roster_file or one.path != roster_file.absolute()]
    if not files:
        raise NotebookError(f"There are no submissions in {folder}.")
    kept = _Kept(beside, out)
    sums = {one.shown: checksum(one.path) for one in files}
    seed = kept.seed(seed, sums)
    known = lessons(handed_out)
    marked_with = _fingerprint(known, seconds)
    keys = {
        one.shown: hashlib.sha256(
            f"{sums[one.shown]} {one.shown} {marked_with} {seed}".encode()
        ).hexdigest()
        for one in files
    }
    marked = {one.shown: kept.rows(keys[one.shown]) for one in files}
    to_do = [one for one in files if marked[one.shown] is None]
    if len(to_do) < len(files):
        print(f"{len(files) - len(to_do)} of {len(files)} files are marked already.")
    place = kept.room()
    try:
        furnish(place)
        private = (folder, beside, Path.home())
        hidden = [path for path in private if not _needed(path, place)]
        settings = (place, hidden, Limits(seconds), seed, handed_out)
        for number, (one, rows, told) in enumerate(_marked(to_do, workers, settings), start=1):
            marked[one.shown] = rows
            kept.keep(keys[one.shown], rows, told)
            _tell(number, len(to_do), one, rows)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    rows = _rows(folder, files, students, marked)
    _write(rows, known, kept, out, beside, seed)
    return 0


class _Kept:
    """What is kept between two runs: the rows of each file, and of the run its seed."""

    def __init__(self, beside: Path, out: Path):
        self.folder, self.out = beside / "kept", out
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state_file = beside / "state.json"
        try:
            self.state = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.state = {}
        if out.exists() and self.state.get("results") != checksum(out):
            raise NotebookError(
                f"{out} is there and was not made by `grade`, or was worked on since; {AGAIN}."
            )
        self._remove_old_room()

    def _save(self) -> None:
        reporting.save(self.state_file, json.dumps(self.state, indent=1))

    def _remove_old_room(self) -> None:
        """Of a run that was killed."""
        old = self.state.pop("room", None)
        if old and (Path(old) / MARK_OF_ROOM).is_file():
            shutil.rmtree(old, ignore_errors=True)

    def seed(self, wanted: int | None, sums: dict[str, str]) -> int:
        """The seed of this run, the same when it goes on."""
        if wanted is None:
            wanted = self.state.get("seed")
        if wanted is None:
            text = json.dumps(sorted(sums.items()))
            wanted = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
        self.state["seed"] = wanted
        self._save()
        return wanted

    def room(self) -> Path:
        """A folder for what answers run with."""
        place = Path(tempfile.mkdtemp(prefix="marking-"))
        (place / MARK_OF_ROOM).touch()
        self.state["room"] = str(place)
        self._save()
        return place

    def rows(self, key: str) -> list[dict] | None:
        """The rows of a file, None where it is to be marked."""
        try:
            kept = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            return kept if isinstance(kept, list) and kept else None
        except (OSError, ValueError):
            return None

    def keep(self, key: str, rows: list[dict], told: dict) -> None:
        """Keep the rows of a file, and what has held its answers.

        What failed for want of a process is tried again in the next run.
        """
        if told:
            self.state["enforced"] = told
        if not any(row["mistake"] in PASSING for row in rows):
            reporting.save(self.folder / f"{key}.json", json.dumps(rows))

    def finish(self) -> None:
        """Note that the table is as this run has made it."""
        self.state.pop("room", None)
        self.state["results"] = checksum(self.out)
        self._save()


# In several processes

_marker: Marker | None = None


def _start(place: Path, hidden: list[Path], limits: Limits, seed: int, handed_out: Path) -> None:
    """What a process that marks does first."""
    global _marker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is the one to be interrupted
    _marker = _new_marker(place, hidden, limits, seed, handed_out)
    Finalize(None, _marker.room.close, exitpriority=1)  # when the pool is closed


def _new_marker(place, hidden, limits, seed, handed_out) -> Marker:
    import torch

    torch.set_num_threads(1)
    return Marker(Room(place, hidden, limits), lessons(handed_out), seed)


def _mark(path: Path, original: str) -> tuple[list[dict], dict]:
    rows = [row.as_record() for row in _marker.mark(path, original)]
    return rows, _marker.enforced


def _marked(files: list[HandedIn], workers: int, settings: tuple):
    """(file, its rows, what held its answers) of each, as they are done."""
    if workers == 1 or len(files) < 2:
        marker = _new_marker(*settings)
        with marker.room:
            for one in files:
                yield (
                    one,
                    [row.as_record() for row in marker.mark(one.path, one.original)],
                    (marker.enforced),
                )
        return
    left = list(files)
    while left:
        done: list[HandedIn] = []
        try:
            for one, rows, told in _in_pool(left, workers, settings):
                done.append(one)
                yield one, rows, told
            return
        except BrokenProcessPool:
            left = [one for one in left if one not in done]
            if workers == 1:  # it is the first that is left
                said = "marking it ended its process twice."
                yield left[0], [Row(verdict=PERSON, mistake="marking failed", hint=said)
                                .as_record()], {}  # fmt: skip
                left = left[1:]
            workers = 1


def _in_pool(files: list[HandedIn], workers: int, settings: tuple):
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS",)}
    os.environ["OMP_NUM_THREADS"] = "1"
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, settings)
    try:
        waiting = iter(files)
        running: dict[Future, HandedIn] = {}
        while True:
            while len(running) < workers and (one := next(waiting, None)) is not None:
                running[pool.submit(_mark, one.path, one.original)] = one
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                rows, told = future.result()
                yield running.pop(future), rows, told
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


# What comes out


def _rows(folder: Path, files: list[HandedIn], students: list[Student], marked: dict) -> list[dict]:
    """All rows, with whose they are; of students without a file as well."""
    of_lesson: dict[tuple, list[str]] = defaultdict(list)
    for one in files:
        for lesson in {row["lesson"] for row in marked[one.shown]}:
            of_lesson[one.student, lesson].append(one.shown)
    found = []
    for one in files:
        for row in marked[one.shown]:
            notes = [row["note"]]
            others = of_lesson[one.student, row["lesson"]]
            if len(others) > 1 and row["lesson"]:
                notes.append(f"One of {len(others)} files for this lesson: {', '.join(others)}.")
            if not one.in_roster:
                notes.append("The roster has nobody of this name.")
            whose = {"name": one.student.name, "id": one.student.id, "file": one.shown}
            found.append({**row, **whose, "note": " ".join(filter(None, notes))})
    nothing = Row(verdict="nothing handed in").as_record()
    seen = {one.student for one in files}
    for student in students:
        if student not in seen:
            hint = "no file of this student is in the folder."
            whose = {"name": student.name, "id": student.id, "file": ""}
            found.append({**nothing, **whose, "hint": hint})
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.name.startswith(".") and not any(path.iterdir()):
            whose = {"name": path.name, "id": "", "file": f"{path.relative_to(folder)}/"}
            found.append({**nothing, **whose, "hint": "the folder is empty."})
    return sorted(found, key=lambda row: (row["name"], row["id"], row["file"], row["exercise"]))


def _write(rows: list[dict], known, kept: _Kept, out: Path, beside: Path, seed: int) -> None:
    answers = [
        (row["lesson"], row["exercise"], row["name"], row["file"], row["own"])
        for row in rows
        if row["own"]
    ]
    same = duplicates(answers, known)
    students: dict[tuple, list[dict]] = defaultdict(list)
    for row in rows:
        students[row["name"], row["id"]].append(row)
    pages = beside / "students"
    wanted = {reporting.page_name(*who) for who in students}
    for who, mine in students.items():
        text = reporting.student_page(who[0], mine)
        reporting.save(pages / reporting.page_name(*who), text)
    for page in pages.glob("*.html"):
        if page.name not in wanted:  # of somebody whose files are gone
            page.unlink()
    held = enforced_here(kept.state["enforced"]) if kept.state.get("enforced") else ""
    said = [f"{len(students)} students, {len(rows)} rows; seed {seed}.", held]
    reporting.save(beside / "summary.html", reporting.summary_page(rows, same, said))
    header = ("lesson", "exercise", "mistake", "students")
    made = [dict(zip(header, one)) for one in reporting.mistakes_of(rows)]
    reporting.save(beside / "mistakes.csv", reporting.table(made, header))
    listed = [
        {
            "lesson": one.lesson,
            "exercise": one.exercise,
            "students": "; ".join(one.names),
            "files": "; ".join(one.files),
            "published solution": "yes" if one.published else "",
        }
        for one in same
    ]
    header = ("lesson", "exercise", "students", "files", "published solution")
    reporting.save(beside / "duplicates.csv", reporting.table(listed, header))
    reporting.save(out, reporting.table(rows))
    kept.finish()
    if held:
        print(held)
    print(f"The marks are in {out}, a page on the class in {beside / 'summary.html'}.")


def _tell(number: int, count: int, one: HandedIn, rows: list[dict]) -> None:
    verdicts = [row["verdict"] for row in rows]
    said = ", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts))
    print(f"{number:4d}/{count}  {one.student.name[:30]:30s}  {said}", flush=True)


def _is_ours(path: Path, out: Path, beside: Path) -> bool:
    return path == out or beside in path.parents


def _needed(folder: Path, place: Path) -> bool:
    """Whether a folder has in it what answers run with."""
    used = [place, sys.prefix, sys.base_prefix, sys.executable, *sys.path, ROOT]
    used.append(os.environ.get("COURSE_DATA", ""))
    return any(folder == Path(each) or folder in Path(each).parents for each in used if each)


def _fingerprint(known: dict, seconds: float) -> str:
    """A checksum of what decides about verdicts besides the files."""
    digest = hashlib.sha256(f"{seconds}".encode())
    for path in sorted([*EXERCISES.glob("*.py"), *Path(__file__).parent.glob("*.py")]):
        with contextlib.suppress(OSError):
            digest.update(path.read_bytes())
    for lesson in known.values():
        digest.update(f"{lesson.stem} {lesson.wanted}".encode())
    return digest.hexdigest()
