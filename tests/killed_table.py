"""Measure a table of kept parts, be killed at random moments, go on, and look at what is there.

Run as a program: `python tests/killed_table.py FOLDER KILLS SEED`. Prints one line of JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from course_utils import KeptParts, shipped_table
from course_utils.session.lab import Lab
from course_utils.shipped import tables

PARTS = 300
STARTED, MADE = "started", "made"  # files: that a sitting has begun, and a letter for each part


def sitting(folder: Path) -> None:
    """Measure the table, or go on with it, and publish it."""
    cpu = torch.device("cpu")
    lab = Lab("killed", 0, "full", cpu, "float32", folder, folder / "runs", publish=True)
    tables.tables_folder = lambda: folder / "tables"

    def draw(number):
        with open(folder / MADE, "ab") as file:
            file.write(b"x")
        return {"number": number, "drawn": torch.rand(100)}

    def draw_all():
        """Random numbers."""
        kept = KeptParts("drawn", lab)
        (folder / STARTED).touch()
        return {"rows": [kept(draw, number) for number in range(PARTS)]}

    torch.manual_seed(0)
    shipped_table("drawn", lab, draw_all)


def in_a_child(folder: Path, kill_after: float | None) -> bool:
    """Whether a sitting in a process of its own came to its end."""
    (folder / STARTED).unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        sys.stdout = open(folder / "log.txt", "a", encoding="utf-8")  # noqa: SIM115
        sitting(folder)
        sys.stdout.flush()
        os._exit(0)
    if kill_after is not None:
        while not (folder / STARTED).exists():
            time.sleep(0.001)
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)  # it waits to be collected, if it has ended
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)  # a process with running threads must not be forked
    found, seconds = {}, 0.0
    for name, times in (("whole", 0), ("cut", kills)):
        here = folder / name
        here.mkdir(parents=True)
        began, moments = time.perf_counter(), random.Random(seed)
        ended = [in_a_child(here, moments.uniform(0, 1) * seconds / kills) for _ in range(times)]
        kept = len([*here.glob("runs/drawn.parts/*.json")])
        assert in_a_child(here, None)
        seconds = time.perf_counter() - began
        found[name] = {
            "table": tables.load("drawn", here / "tables")[0],
            "kept": kept,
            "made": (here / MADE).stat().st_size,
            "left": [path.name for path in here.rglob("*.parts*")],
            "killed": ended.count(False),
            "log": (here / "log.txt").read_text(encoding="utf-8").splitlines(),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
