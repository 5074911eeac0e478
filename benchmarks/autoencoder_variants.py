"""The comparison of lesson 02c: variants of the autoencoder, each tuned, then over other seeds.

Variants and protocol are the notebook's own: this runs its cells tagged "variants", and does in
several processes what they do in one. Every training is kept in a file as soon as it is finished,
so that a run that was cut goes on where it stopped; where those cells have changed, it begins anew.

    python benchmarks/autoencoder_variants.py [--workers 2]
    python benchmarks/autoencoder_variants.py --page  (only the page, from the tables that ship)
    python benchmarks/autoencoder_variants.py --epochs 1 --variants plain --out FOLDER  (a try)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "benchmarks" / "results" / "autoencoder_variants.md"
NOTEBOOK = ROOT / "notebooks" / "02c_autoencoder_variants.ipynb"
TABLES = ("autoencoder_variants", "autoencoder_long_runs")


@cache
def lesson() -> dict:
    """What the notebook's cells tagged "variants" define."""
    from course_utils.authoring.notebooks import definitions

    return definitions(NOTEBOOK, tag="variants")


@cache
def session():
    """The session, on one thread."""
    os.environ |= {"COURSE_BUDGET": "full", "COURSE_PROGRESS": "off"}
    import torch

    import course_utils

    torch.set_num_threads(1)
    return course_utils.start(NOTEBOOK.stem, seed=0)


def kept(folder: Path, function: str, epochs: int):
    """A function of the notebook whose result is kept in a file and read again from it."""
    from course_utils.session.files import replacing

    def run(name: str, *given):
        *settings, lab = given
        key = re.sub(r"[^a-z0-9.]+", "_", f"{function} {name} {settings}".lower())
        path = folder / f"{key}.json"
        if not path.exists():
            more = {"epochs": epochs} if epochs else {}
            result = json.dumps(lesson()[function](name, *settings, lab, **more))
            with replacing(path) as file:
                file.write(result.encode())
        return json.loads(path.read_text(encoding="utf-8"))

    return run


def work(kind: str, name: str, folder: Path, epochs: int) -> dict:
    """One row of a table."""
    lab, of = session(), lesson()
    if kind == "baselines":
        return of["baselines"](lab)
    compare, function = {"variant": ("compare", "one_run"), "long": ("compare_long", "long_run")}[
        kind
    ]
    return of[compare](name, lab, kept(folder, function, epochs))


def spread(values: Sequence[float]) -> str:
    """Mean and the 95 % interval of the mean over seeds."""
    from course_utils.metrics import bootstrap_mean

    low, high = bootstrap_mean(values)
    return f"{sum(values) / len(values):.2f} ({low:.2f} to {high:.2f})"


def page(variants: Mapping, long_runs: Mapping) -> str:
    """The page of results."""
    of = lesson()
    text = (
        "# Variants of the autoencoder\n\n"
        "Written by `benchmarks/autoencoder_variants.py` from the cells of lesson 02c that are "
        f'tagged "variants". MNIST at 16 × 16: 5,000 training digits, {of["EPOCHS"]} epochs, 256 '
        "latent dimensions. For each question, each variant's setting and learning rate are "
        "chosen on 2,000 validation digits with one seed; reported are the 10,000 test digits over "
        f"{of['SEEDS']} other seeds (other training digits and other first weights): mean and 95 % "
        "interval of the mean. Errors are squared errors an image, or per cent of errors of a "
        "linear classifier on the frozen code.\n"
    )
    for question in of["QUESTIONS"]:
        text += f"\n## {question.capitalize()}\n\n| variant | setting | learning rate | result | "
        text += "squared error, undamaged |\n| --- | --- | ---: | ---: | ---: |\n"
        for name, row in variants["variants"].items():
            best = row["chosen"][question]
            setting = ", ".join(map(str, best["setting"])) or "–"
            results = f"{spread(best[question])} | {spread(best['error'])}"
            text += f"| {name} | {setting} | {best['lr']:g} | {results} |\n"
        for name, row in variants["baselines"].items():
            if question in row:
                text += f"| {name} | – | – | {spread(row[question])} | – |\n"
    text += (
        "\n## Convolutional autoencoders\n\nSquared error of test digits on the way, "
        f"{of['LONG_SEEDS']} seeds.\n\n"
    )
    text += f"| network | learning rate | {' | '.join(f'{n} epochs' for n in of['WATCHED'])} |\n"
    text += f"| --- |{' ---: |' * (1 + len(of['WATCHED']))}\n"
    for name, row in long_runs.items():
        cells = [spread(values) for values in zip(*row["curves"])]
        text += f"| {name} | {row['lr']:g} | {' | '.join(cells)} |\n"
    return text


def main() -> None:
    """Measure, and write the tables and the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="only the page of results")
    parser.add_argument("--epochs", type=int, default=0, help="for a quick try, with --out")
    parser.add_argument("--variants", nargs="+", help="only these")
    parser.add_argument("--out", type=Path, help="a folder for the tables instead of data/tables")
    options = parser.parse_args()
    from course_utils.shipped import tables

    if options.page:
        PAGE.write_text(page(*(tables.load(name)[0] for name in TABLES)), encoding="utf-8")
        return
    of = lesson()
    code = hashlib.sha256(tagged_source().encode()).hexdigest()[:12]
    folder = ROOT / "runs" / f"autoencoder_variants_{code}_{options.epochs}"
    folder.mkdir(parents=True, exist_ok=True)
    names = options.variants or list(of["VARIANTS"])
    long_names = [] if options.variants else list(of["LONG_RUNS"])
    jobs = [("baselines", "")] + [("variant", name) for name in names]
    jobs += [("long", name) for name in long_names]
    # Fresh processes: a forked one would inherit torch's threads in an unknown state.
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(work, kind, name, folder, options.epochs) for kind, name in jobs]
        found = {job: future.result() for job, future in zip(jobs, futures)}
    board = {name: found["variant", name] for name in names}
    both = (
        {"variants": board, "baselines": found["baselines", ""]},
        {name: found["long", name] for name in long_names},
    )
    for name, table, maker in zip(TABLES, both, ("measure_variants", "measure_long_runs")):
        if table:
            protocol = (of[maker].__doc__ or "").split("\n", 1)[0]
            card = {"protocol": protocol, "seed": 0, "budget": "full"}
            tables.save(name, table, card, options.out)
    if not options.out and not options.variants:
        PAGE.write_text(page(*(tables.load(name)[0] for name in TABLES)), encoding="utf-8")


def tagged_source() -> str:
    """The code of the cells that this runs."""
    from course_utils.authoring.notebooks import read, tags

    cells = read(NOTEBOOK).cells
    return "\n".join(cell.source for cell in cells if "variants" in tags(cell))


if __name__ == "__main__":
    main()
