"""The comparison of lesson 04b: GAN methods, each tuned, then trained with ten other seeds.

Methods and protocol are the notebook's own: this runs its cells tagged "methods", and does in
several processes what `compare_all` and `run_all_long` there do in one. As there, every training is
kept in a file as soon as it is finished, so that a run that was cut goes on where it stopped; what
is of code that has changed since is trained anew.

    python benchmarks/mode_collapse.py [--workers 2]
    python benchmarks/mode_collapse.py --page  (only the page of results, from the tables that ship)
    python benchmarks/mode_collapse.py --updates 100 --methods R1 --out FOLDER  (a quick try)
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "benchmarks" / "results" / "mode_collapse.md"
NOTEBOOK = ROOT / "notebooks" / "04b_stabilizing_gans.ipynb"
TABLES, PLAIN = ("gan_methods", "gan_long_runs"), "plain GAN"


@cache
def lesson() -> dict:
    """What the notebook's cells tagged "methods" define."""
    from course_utils.authoring.notebooks import definitions

    return definitions(NOTEBOOK, tag="methods")


@cache
def session():
    """The session, on one thread, and the two mixtures."""
    os.environ |= {"COURSE_BUDGET": "full", "COURSE_PROGRESS": "off"}
    import torch

    import course_utils
    from course_utils.data import mixtures

    torch.set_num_threads(1)
    lab = course_utils.start(NOTEBOOK.stem, seed=0)
    both = (mixtures.ring(), mixtures.grid())
    return lab, [mixture.standardised().to(lab.device) for mixture in both]


def compared(name: str, updates: int) -> dict:
    """A method's row of the table that the notebook's `compare_all` makes."""
    from course_utils import KeptParts

    (lab, both), of = session(), lesson()
    of["UPDATES"], kept = updates, KeptParts(TABLES[0], lab)
    tried = of["tuned"](name, both, lab, partial(kept, of["score"]))
    best, row = tried[0], {"tried": tried}
    for mixture in both:
        method = of["method_of"](name, best["setting"], mixture, best["lr"])
        score = partial(kept, of["score"], method, mixture, lab, of["REPORTED_RUNS"], seed=0)
        own = score(updates=updates)
        same_time = partial(kept, of["updates_in_equal_time"], method, mixture, lab)
        count = updates if name == PLAIN else same_time()
        row[mixture.name] = {"updates": own, "seconds": {**score(updates=count), "count": count}}
    return row


def run_long(name: str, at_most: int | None) -> dict:
    """A row of the table that the notebook's `run_all_long` makes: mixture -> score."""
    from course_utils import KeptParts

    (lab, both), of = session(), lesson()
    method, updates = of["LONG_RUNS"][name]
    of["LONG_RUNS"][name], kept = (method, at_most or updates), KeptParts(TABLES[1], lab)
    return {mixture.name: kept(of["run_long"], name, mixture, lab) for mixture in both}


COLUMNS = {"modes": ".1f", "high quality": ".1%", "share KL": ".4f", "reverse KL": ".4f"}


def spread(values: Sequence[float], form: str) -> str:
    """Mean ± standard error."""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    return f"{mean:{form}} ± {math.sqrt(variance / len(values)):{form}}"


def scores_table(rows: Sequence[tuple[str, int, Mapping]], modes: int) -> str:
    """Names, numbers of updates and scores as a table in Markdown."""
    lines = [
        f"| method | updates | s a seed | modes of {modes} | high quality | share KL | reverse KL "
        "| all kept | high quality, EMA | reverse KL, EMA | all kept, EMA |",
        f"| --- |{' ---: |' * 10}",
    ]
    for name, updates, score in rows:
        cells = [name, f"{updates:,}", f"{score['seconds']:.3g}"]
        for which, measures in (("generator", list(COLUMNS)), ("average", list(COLUMNS)[1::2])):
            found = score[which]
            cells += [
                spread(found[measure], COLUMNS[measure]) if measure in found else "–"
                for measure in measures
            ]
            cells.append(f"{found['heavy modes'].count(modes)} of {len(found['heavy modes'])}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page(board: Mapping, long_runs: Mapping, updates: int) -> str:
    """The page of results."""
    of = lesson()
    text = (
        "# GAN methods on the ring and the grid\n\n"
        "Written by `benchmarks/mode_collapse.py` from the methods of lesson 04b. Each method is "
        f"tuned with {of['TUNING_RUNS']} seeds ({updates:,} generator updates, lowest mean "
        f"reverse KL on both mixtures) and reported with {of['REPORTED_RUNS']} others: mean ± "
        "standard error, 2,500 samples a seed; EMA is the average of the generator's weights. All "
        "modes are kept where each has at least 1 % of the samples. The reverse KL has a bin for "
        "samples that are off every mode; the share KL is of the modes' shares among the "
        "high-quality samples alone. Seconds are of processor time, all seeds together, divided by "
        "their number.\n\n## What was tuned\n\n"
        "| method | learning rate | own setting | tried | published |\n"
        "| --- | ---: | --- | ---: | --- |\n"
    )
    for name, row in board.items():
        best, (_, what, _, published) = row["tried"][0], of["SETTINGS"][name]
        cells = (f"{best['lr']:g}", f"{what} = {best['setting']}", f"{len(row['tried'])}")
        text += f"| {' | '.join((name, *cells, published))} |\n"
    for mixture in session()[1]:
        here = [(name, row[mixture.name]) for name, row in board.items()]
        parts = {
            "equal updates": [(name, updates, row["updates"]) for name, row in here],
            "equal seconds": [
                (name, row["seconds"]["count"], row["seconds"]) for name, row in here
            ],
            "long runs": [
                (name, of["LONG_RUNS"][name][1], row[mixture.name])
                for name, row in long_runs.items()
                if mixture.name in row
            ],
        }
        for title, rows in parts.items():
            table = scores_table(rows, modes=len(mixture.means))
            text += f"\n## The {mixture.name}, {title}\n\n{table}\n"
    return text


def train_all(names: Sequence[str], workers: int, try_updates: int | None):
    """The tables of the comparison and of the long runs."""
    of, updates = lesson(), try_updates or lesson()["UPDATES"]
    # Fresh processes: a forked one would inherit torch's threads in an unknown state.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        board = {
            name: pool.submit(compared, name, updates) for name in dict.fromkeys([PLAIN, *names])
        }
        long_runs = {name: pool.submit(run_long, name, try_updates) for name in of["LONG_RUNS"]}
        return [{name: row.result() for name, row in table.items()} for table in (board, long_runs)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--page", action="store_true", help="only write it, of what ships")
    arguments.add_argument("--updates", type=int, help="fewer than the notebook's, for a try")
    arguments.add_argument("--methods", nargs="+", help="these and the plain GAN alone")
    arguments.add_argument("--out", type=Path, help="for tables and page; needed for a try")
    chosen = arguments.parse_args()
    of, a_try = lesson(), bool(chosen.updates or chosen.methods)
    names = chosen.methods or list(of["SETTINGS"])
    if a_try and not chosen.out:
        arguments.error("a try does not replace what ships; give its results a folder by --out")
    if not set(names) <= set(of["SETTINGS"]):
        arguments.error(f"the methods are {', '.join(of['SETTINGS'])}")

    from course_utils.shipped import tables

    if not chosen.page:
        made = train_all(names, chosen.workers, chosen.updates)
        seeds = f"{of['REPORTED_RUNS']} seeds"
        protocols = (
            f"{len(made[0])} GAN methods on the ring and the grid: tuned, then {seeds}, at equal "
            "updates and seconds.",
            f"A GAN method, without each of its parts, and the plain GAN, long runs of {seeds}.",
        )
        for name, table, protocol in zip(TABLES, made, protocols):
            card = {"protocol": protocol, "seed": 0, "budget": "full"}
            tables.save(name, table, card, chosen.out)
            if not a_try:
                shutil.rmtree(tables.parts_folder(name, session()[0]), ignore_errors=True)
    board, long_runs = (tables.load(name, chosen.out)[0] for name in TABLES)
    text = page(board, long_runs, chosen.updates or of["UPDATES"])
    (chosen.out / PAGE.name if chosen.out else PAGE).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
