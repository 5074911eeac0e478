"""The scoreboard of lesson 04: every variant of the GAN on the ring and the grid, ten seeds each.

The variants are the notebook's own: this runs its cells tagged "games", trains each in a process
of its own, and writes the table and the file that the notebook shows. What is finished is kept,
so that a run that was cut goes on where it stopped.

    python benchmarks/mode_collapse.py [--finished FOLDER] [--workers 2]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "mode_collapse.md"
NAME = "mode_collapse_scoreboard"


@cache
def lesson() -> dict:
    """What the notebook's cells tagged "games" define."""
    from course_utils.authoring.notebooks import NOTEBOOKS, definitions

    return definitions(NOTEBOOKS / "04_gans_and_mode_collapse.ipynb", tag="games")


def play(job: tuple[str, str, str]) -> tuple[str, str]:
    """Train a variant on a mixture with ten seeds at once and keep its scores in a file."""
    name, mixture_name, path = job
    if Path(path).exists():
        return name, mixture_name
    os.environ |= {"COURSE_BUDGET": "full", "COURSE_PROGRESS": "off"}
    import torch

    import course_utils
    from course_utils.data import mixtures
    from course_utils.session.files import replacing

    torch.set_num_threads(1)
    lab = course_utils.start("04_gans_and_mode_collapse", seed=0)
    mixture = getattr(mixtures, mixture_name)().standardised().to(lab.device)
    score, game = lesson()["score"], lesson()["game_on"](name, mixture)
    seeds, steps = lesson()["TABLE_SEEDS"], lesson()["TABLE_STEPS"]
    measures, seconds = score(game, mixture, lab, seeds, steps)
    row = {**dict(zip(lesson()["WHOSE"], measures.tolist())), "seconds": seconds}
    with replacing(Path(path)) as file:
        file.write(json.dumps(row).encode())
    return name, mixture_name


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _length(name: str) -> float:
    """Roughly how long a game takes; unrolling differentiates through D's own steps."""
    game = lesson()["games"].get(name)
    if game is None:
        return 1.0
    return game.patience * game.k * (6.0 if "unrolled" in name else 1.0)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--finished", type=Path, default=ROOT / "runs" / "mode_collapse")
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = arguments.parse_args()
    chosen.finished.mkdir(parents=True, exist_ok=True)

    from course_utils.data import mixtures
    from course_utils.shipped import tables

    names, both = lesson()["NAMES"], ("ring", "grid")
    file = {
        (name, mixture): str(chosen.finished / f"{_file_name(name)}_{mixture}.json")
        for name in names
        for mixture in both
    }
    # The longest first, so that no worker is left alone with one at the end.
    longest = sorted(file.items(), key=lambda entry: -_length(entry[0][0]))
    # Fresh processes: a forked one would inherit torch's threads in an unknown state.
    with ProcessPoolExecutor(chosen.workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(play, (*job, path)) for job, path in longest]
        for done in as_completed(jobs):
            print("finished:", *done.result(), flush=True)
    scores = {"measures": lesson()["MEASURES"]}
    for mixture in both:
        rows = {name: json.loads(Path(file[name, mixture]).read_text()) for name in names}
        scores[mixture] = tables.plain(rows)
    seeds, steps = lesson()["TABLE_SEEDS"], lesson()["TABLE_STEPS"]
    protocol = (
        f"{len(names)} GAN variants on the ring and the grid, {seeds} seeds each, {steps:,} steps "
        "of 256 examples."
    )
    tables.save(NAME, scores, {"protocol": protocol, "seed": 0, "budget": "full"})

    boards = [
        lesson()["scoreboard"](scores, getattr(mixtures, mixture)(), which)
        for mixture in both
        for which in (0, 1)
    ]
    text = (
        "# Mode collapse: every game on the ring and the grid\n\n"
        "Written by `benchmarks/mode_collapse.py` from the games of lesson 04: "
        f"{seeds} seeds, {steps:,} steps of 256 examples, mean ± standard error, "
        '2,500 samples a seed. "≥ 1 %" counts modes with at least that share of the samples, '
        '"all kept" the seeds in which every mode has it; "good" is within three standard '
        "deviations of a mode. Seconds are those of the run on one core, all seeds together, "
        "divided by their number; they depend on what else the machine did.\n\n"
    )
    RESULT.write_text(text + "\n\n".join(boards) + "\n", encoding="utf-8")
    print(*boards, sep="\n\n")


if __name__ == "__main__":
    main()
