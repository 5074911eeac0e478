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
        "claims": notebook_commands.claims,
        "minutes": sizes.minutes,
        "fork": repository.fork,
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
        "instructor": "write notebooks solved, executed here, and with speaker notes",
        "solved": "write the solved exercises of notebooks, for the tests",
    }
    for name, purpose in variants.items():
        variant = commands.add_parser(name, help=purpose)
        variant.add_argument("names", **some)
        variant.add_argument("--out", type=Path, help=f"their folder (default: build/{name})")

    claims = commands.add_parser("claims", help="how often each claim holds over random seeds")
    claims.add_argument("names", **some)
    claims.add_argument("--seeds", type=int, default=5, help="seeds 0 to SEEDS - 1 (default: 5)")
    claims.add_argument("--budget", **budgets, help="seconds on a laptop, or minutes on a GPU")

    counted = commands.add_parser("minutes", help="count lessons, and write how long they take")
    counted.add_argument("names", **some)

    fork = commands.add_parser("fork", help="point badges and setup cells at your own repository")
    fork.add_argument("address", help="such as https://github.com/me/my-course")
    return parser


if __name__ == "__main__":
    sys.exit(program())
