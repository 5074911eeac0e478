"""What `python -m course_utils` does with notebooks: run, store, vary, hold claims over seeds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbformat import NotebookNode

from ..session import processes, settings
from ..session.files import replacing
from .claims_table import claims_section, replace_section
from .notebooks import (
    NOTEBOOKS,
    ROOT,
    CellRun,
    NotebookError,
    clean,
    execute,
    find,
    image_cells,
    kept_images,
    read,
    records,
    write,
)
from .plan import companions_of, ideas_of
from .plan_page import check_own, write_plan
from .speaker_notes import with_speaker_notes
from .targets import (
    CLONE,
    check_replaceable,
    check_writable,
    executed_copy,
    keep,
    signed,
    targets,
)
from .variants import (
    only_exercises,
    unsolved,
    with_solutions,
    without_solutions,
)
from .verified_table import record_classroom, record_full

CLAIMS_TABLE = ROOT / "benchmarks" / "results" / "claims.md"


def run(
    name: str,
    budget: str = "classroom",
    seed: int = 0,
    out: Path | None = None,
    publish: bool = False,
    folder: Path = NOTEBOOKS,
) -> int:
    """Execute one notebook of `folder`, tell its progress and keep the executed copy.

    A full run that publishes also tells the table in the notebooks' README how long it took,
    unless it went on from checkpoints, or finished parts of tables, of a run that was cut.

    Started by `accelerate launch` or `torchrun`, every process executes the notebook. The first
    tells its progress, and the others keep copies of their own, as `NAME-process-2.ipynb`.

    Args:
        name: how the notebook's file name starts.
        budget, seed, publish: handed to the notebook as COURSE_BUDGET, COURSE_SEED and
            COURSE_PUBLISH.
        out: the executed copy, which holds all that ran after a failure too, or a folder for it.
            Default: the notebook's name in COURSE_RUNS, or in runs.

    Returns: 1 where the copy had to be kept elsewhere, else 0.

    Raises:
        NotebookError: no such notebook, a setting does not fit, something is in the way of the
            copy that is not to be lost, or a cell or widget callback failed.
    """
    path = _the_only(find([name], folder))
    runs = settings.folder("COURSE_RUNS") or ROOT / "runs"
    begun = [*(runs / path.stem).glob("*.pt"), *(runs / path.stem).glob("*.parts")]
    out = executed_copy(path, out, runs)
    if publish and budget != "full":
        raise NotebookError("Only a full run makes weights to publish; add --budget full.")
    environment = {"COURSE_BUDGET": budget, "COURSE_SEED": str(seed)}
    for variable in ("COURSE_RUNS", "COURSE_DATA"):  # the kernel works in another folder
        if chosen := settings.folder(variable):
            environment[variable] = str(chosen)
    if publish:
        environment["COURSE_PUBLISH"] = "1"
        check_writable(ROOT / "data" / "weights", CLONE)
        check_writable(path.parent, CLONE)

    notebook = read(path)
    seconds: list[float] = []

    def before(number: int, count: int, cell: NotebookNode) -> None:
        if processes.is_first():
            _say_cell(number, count, cell)

    def after(cell_run: CellRun) -> None:
        seconds.append(cell_run.seconds)
        if processes.is_first():
            _say_seconds(cell_run)

    if not processes.is_first():
        out = out.with_stem(f"{out.stem}-process-{processes.rank() + 1}")
    try:
        execute(notebook, path.parent, environment, before, after)
    finally:
        kept = keep(signed(clean(notebook), "run"), out)
        if kept and processes.is_first():
            print(f"\nThe executed copy is {out}")
    session = _session(notebook)
    if session and publish and not begun and processes.is_first():
        record_full(path.stem, session, sum(seconds), path.parent / "README.md")
    return 0 if kept else 1


def store(names: list[str], folder: Path = NOTEBOOKS) -> int:
    """Execute notebooks in the classroom budget and store their outputs in place.

    The images of the cells tagged "cover" and "image-NAME" are also kept in data/images,
    for the pages, and the table in the notebooks' README says when this was, and with what.

    Raises:
        NotebookError: a cell or widget callback failed, or something cannot be written; that
            notebook's file stays as it was.
    """
    shelf = folder.parent / "data" / "images"
    for path in find(names, folder):
        print(path.stem)
        notebook = read(path)
        table = path.parent / "README.md"
        images = [shelf / f"{name}.png" for name, _ in image_cells(notebook, path.stem)]
        for written in (path, table, *images):
            check_writable(written.parent, CLONE)
            check_replaceable(written)
        seconds = _executed_here(notebook, path.parent)
        if not keep(clean(notebook), path):
            return 1
        if session := _session(notebook):
            record_classroom(path.stem, session, sum(seconds.values()), table)
        for name, image in kept_images(notebook, path.stem).items():
            shelf.mkdir(parents=True, exist_ok=True)
            with replacing(shelf / f"{name}.png") as file:
                file.write(image)
    return 0


def student(names: list[str], out: Path | None = None, folder: Path = NOTEBOOKS) -> int:
    """Write notebooks without their solutions into `out`, build/student by default.

    Raises:
        NotebookError: in this and in the next two, something is in the way that is not to be lost.
    """
    for path, target in targets(find(names, folder), out, "student"):
        write(signed(without_solutions(read(path)), "student"), target)
    return 0


def solved(names: list[str], out: Path | None = None, folder: Path = NOTEBOOKS) -> int:
    """Write the solved exercises of notebooks, with the cells they need, for nbval to compare.

    Args:
        out: the folder they go to, build/solved by default.
    """
    for path, target in targets(find(names, folder), out, "solved"):
        write(signed(only_exercises(with_solutions(read(path))), "solved"), target)
    return 0


def instructor(names: list[str], out: Path | None = None, folder: Path = NOTEBOOKS) -> int:
    """Write notebooks with solutions filled in, executed here, and with speaker notes.

    Beside each notebook lies its plan as a page to print.

    Args:
        out: the folder they go to, build/instructor by default.

    Raises:
        NotebookError: a cell or widget callback failed, or a solution does not satisfy its check.
    """
    pairs = targets(find(names, folder), out, "instructor")
    for _, target in pairs:
        check_own(target.with_suffix(".html"))
    lectures = folder.parent / "LECTURES.md"
    entries = lectures.read_text(encoding="utf-8") if lectures.is_file() else ""
    for path, target in pairs:
        print(path.stem)
        notebook = with_solutions(read(path))
        seconds = _executed_here(notebook, path.parent)
        if wrong := unsolved(notebook):
            raise NotebookError(f"{path.stem}: a solution is refused.\n" + "\n".join(wrong))
        ideas = ideas_of(entries, path.name.split("_")[0])
        noted = with_speaker_notes(clean(notebook), seconds, ideas, companions_of(path))
        if not keep(signed(noted, "instructor"), target):
            return 1
        write_plan(noted, target.with_suffix(".html"))
    return 0


def slides(names: list[str], out: Path | None = None) -> int:
    """Write the slides of lessons; see `authoring.slides_pages.slides`."""
    from .slides_pages import slides as written

    return written(names, out)


def claims(
    names: list[str],
    seeds: int = 5,
    budget: str = "classroom",
    table: Path = CLAIMS_TABLE,
    folder: Path = NOTEBOOKS,
) -> int:
    """Collect every claim over seeds 0 … seeds - 1 and write how often each one holds.

    A claim that does not hold on some seed is a result, and leaves the exit status at 0.

    Raises:
        NotebookError: a cell or widget callback failed, for another reason than a claim, or the
            table cannot be written.
    """
    if seeds < 1:
        raise NotebookError(f"Claims need at least one seed, not {seeds}.")
    check_writable(table.parent, CLONE)
    check_replaceable(table)
    for path in find(names, folder):
        runs = [_claims_on(path, seed, budget) for seed in range(seeds)]
        section = claims_section(path.stem, runs, budget)
        print(section)  # first, for the disk may have filled up
        replace_section(table, path.stem, section)
    print(f"Written to {table}")
    return 0


def grade(
    folder: Path,
    roster: Path | None = None,
    out: Path = Path("results.csv"),
    workers: int = 1,
    seconds: float = 15.0,
    seed: int | None = None,
) -> int:
    """Mark a folder of submissions; see `authoring.grading.grade`, which this loads PyTorch for."""
    from .grading.grade import grade as mark

    return mark(folder, roster, out, workers, seconds, seed)


def handin(name: str, out: Path | None = None) -> int:
    """Check that a student's notebook runs, and pack it; see `authoring.grading.handin`."""
    from .grading.handin import handin as pack

    return pack(name, out)


def _claims_on(path: Path, seed: int, budget: str) -> list[dict]:
    print(f"{path.stem}, seed {seed}", flush=True)
    notebook = read(path)
    with _reproducible_environment(seed) as environment:
        environment |= {"COURSE_BUDGET": budget, "COURSE_CLAIMS": "collect"}
        execute(notebook, path.parent, environment)
    return records(notebook, "claim")


@contextmanager
def _reproducible_environment(seed: int) -> Iterator[dict[str, str | None]]:
    """Variables that shut out what this machine remembers: earlier runs, data, live progress."""
    with tempfile.TemporaryDirectory() as runs:
        yield {
            "COURSE_BUDGET": "classroom",
            "COURSE_SEED": str(seed),
            "COURSE_CLAIMS": None,
            "COURSE_PUBLISH": None,
            "COURSE_DATA": None,
            "COURSE_PROGRESS": "off",
            "COURSE_RUNS": runs,
            "OMP_NUM_THREADS": "1",
        }


def _executed_here(notebook: NotebookNode, folder: Path) -> dict[str, float]:
    """Execute a notebook as CI does, tell its progress, and return the seconds of each cell id."""
    seconds = {}

    def after(run: CellRun) -> None:
        _say_seconds(run)
        seconds[run.cell.id] = run.seconds

    with _reproducible_environment(seed=0) as environment:
        environment["COURSE_DEVICE"] = "cpu"  # what every reader has, and CI compares with
        execute(notebook, folder, environment, _say_cell, after)
    return seconds


def _session(notebook: NotebookNode) -> dict | None:
    """What `start` recorded: versions, device, budget; None where nothing started."""
    return next((said["session"] for said in records(notebook, "session")), None)


def _the_only(paths: list[Path]) -> Path:
    if len(paths) > 1:
        names = ", ".join(path.stem for path in paths)
        raise NotebookError(f"Name one notebook to run, not {len(paths)}: {names}.")
    return paths[0]


def _say_cell(number: int, count: int, cell: NotebookNode) -> None:
    first_line = next(line for line in cell.source.splitlines() if line.strip())
    print(f"{number:3d}/{count}  {first_line[:72]:72s}", end="", flush=True)


def _say_seconds(run: CellRun) -> None:
    print(f" {run.seconds:6.1f} s")
    for said in (*records(run.cell, "process"), *records(run.cell, "claim")):
        print(f"         {said['line']}")
