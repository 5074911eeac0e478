"""The command line: `python -m course_utils -h`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .session import records, settings


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says. Returns the exit status."""
    records.accept_any_letter(sys.stdout)
    try:
        settings.check()
    except settings.WrongSetting as error:
        print(error, file=sys.stderr)
        return 2
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")
    if command == "doctor":
        from .doctor import doctor

        return doctor()

    from .authoring import commands as notebook_commands
    from .authoring import fork as repository
    from .authoring import sizes
    from .authoring.notebooks import NotebookError
    from .session import processes

    act = {
        "run": notebook_commands.run,
        "notebooks": notebook_commands.store,
        "student": notebook_commands.student,
        "instructor": notebook_commands.instructor,
        "solved": notebook_commands.solved,
        "slides": notebook_commands.slides,
        "claims": notebook_commands.claims,
        "minutes": sizes.minutes,
        "fork": repository.fork,
        "grade": notebook_commands.grade,
        "handin": notebook_commands.handin,
    }[command]
    try:
        if command != "run" and processes.count() > 1:
            raise NotebookError(f"Several processes can run a notebook; start {command} alone.")
        return act(**options)
    except (NotebookError, processes.WrongLaunch) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def program() -> int:
    """`main` as a program: a disk that fails is told in a sentence, and so is a full log."""
    try:
        status = main()
        sys.stdout.flush()
        return status
    except OSError as error:
        where = error.filename or "Something that this command reads or writes"
        print(f"\n{where} cannot be used: {error.strerror or error}.", file=sys.stderr)
        # Or Python would try to print the rest once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils", description="Check, run and store the course's notebooks."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = settings.budget()
    budgets = {"choices": ["classroom", "full"], "default": chosen}
    some = {"nargs": "*", "metavar": "NAME", "help": "how its file name starts; all without one"}

    commands.add_parser("doctor", help="what is installed, and what to do about what is not")

    run = commands.add_parser("run", help="run one notebook and keep the executed copy")
    run.add_argument("name", help="how the notebook's file name starts, such as 03")
    run.add_argument("--budget", **budgets, help="seconds on a laptop, or minutes on a GPU")
    run.add_argument(
        "--seed", type=int, default=settings.seed(), help="what every random number follows from"
    )
    run.add_argument("--out", type=Path, help="the executed copy (default: runs/<notebook>)")
    run.add_argument(
        "--publish", action="store_true", help="renew the weights that ship; with --budget full"
    )

    store = commands.add_parser("notebooks", help="run notebooks and store their outputs in them")
    store.add_argument("names", **some)

    variants = {
        "student": "write notebooks without solutions",
        "instructor": "write notebooks solved, executed here, with speaker notes, and a plan",
        "solved": "write the solved exercises of notebooks, for the tests",
    }
    for name, purpose in variants.items():
        variant = commands.add_parser(name, help=purpose)
        variant.add_argument("names", **some)
        variant.add_argument("--out", type=Path, help=f"their folder (default: build/{name})")

    shown = commands.add_parser("slides", help="write the slides of lessons, for use offline")
    shown.add_argument(
        "names", **(some | {"help": "how its file name starts; all main lessons without one"})
    )
    shown.add_argument("--out", type=Path, help="their folder (default: build/slides)")

    claims = commands.add_parser("claims", help="how often each claim holds over random seeds")
    claims.add_argument("names", **some)
    claims.add_argument("--seeds", type=int, default=5, help="seeds 0 to SEEDS - 1 (default: 5)")
    claims.add_argument("--budget", **budgets, help="seconds on a laptop, or minutes on a GPU")

    counted = commands.add_parser("minutes", help="count lessons, and write how long they take")
    counted.add_argument("names", **some)

    _add_marking(commands)

    fork = commands.add_parser("fork", help="point badges and setup cells at your own repository")
    where = "such as https://github.com/me/my-course (default: git's origin)"
    fork.add_argument("address", nargs="?", help=where)
    return parser


def _add_marking(commands) -> None:
    """The commands of `authoring.grading`: a lecturer's and a student's."""
    from .authoring.grading.enforced import ENFORCED

    grade = commands.add_parser(
        "grade",
        help="mark a folder of notebooks that students handed in",
        description="Mark every notebook in a folder. Beside the table, in a folder that ends in "
        ".grading, there are a page for each student, one on the class, its mistakes, and answers "
        "that are the same code. A run that was cut goes on where it was.",
        epilog=ENFORCED,
    )
    grade.add_argument("folder", type=Path, help="files as a learning platform exports them")
    grade.add_argument(
        "--roster", type=Path, metavar="FILE", help="a CSV file with the columns name and id"
    )
    grade.add_argument(
        "--out", type=Path, default=Path("results.csv"), help="the table (default: results.csv)"
    )
    grade.add_argument(
        "-n", dest="workers", type=int, default=1, help="how many at the same time (default: 1)"
    )
    grade.add_argument("--seconds", type=float, default=15.0, help="for one exercise (default: 15)")
    grade.add_argument(
        "--seed", type=int, help="of the numbers asked besides (default: from all that is there)"
    )
    handin = commands.add_parser("handin", help="check that a notebook runs, and pack it")
    handin.add_argument("name", help="a notebook's file, or how its name starts, such as 03")
    handin.add_argument("--out", type=Path, help="the archive, or its folder (build/handin)")


if __name__ == "__main__":
    sys.exit(program())
