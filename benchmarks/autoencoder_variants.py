"""All variants of the autoencoder on one table, over seeds, in the full budget.

The training is the notebook's own: this runs the cells of lesson 02 that are tagged "variants",
once a seed, each in a process of its own, and averages the tables they leave.

    python benchmarks/autoencoder_variants.py
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "autoencoder_variants.md"
SEEDS = range(5)


def table_of(seed: int):
    """The table of one seed."""
    os.environ |= {
        "COURSE_BUDGET": "full",
        "COURSE_SEED": str(seed),
        "COURSE_PROGRESS": "off",
        "COURSE_RUNS": tempfile.mkdtemp(),
    }
    import torch

    from course_utils.authoring.notebooks import NOTEBOOKS, definitions

    torch.set_num_threads(1)
    return definitions(NOTEBOOKS / "02_autoencoders.ipynb", tag="variants")["table"]


def main() -> None:
    from course_utils import tables

    # Fresh processes: a forked one would inherit torch's threads in an unknown state.
    workers = min(len(SEEDS), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(table_of, SEEDS))
    text = (
        "# Autoencoders, all variants on one table\n\n"
        "Written by `benchmarks/autoencoder_variants.py`: the cells of lesson 02 in the full "
        f"budget (10,000 drawn digits of 16 × 16 pixels, 40 epochs each), {len(SEEDS)} seeds, mean "
        "± standard deviation. Every code has 256 numbers. Errors are squared errors an image on "
        "2,000 test digits, shown clean, with Gaussian noise (σ = 0.5), and with half of the "
        "pixels missing; the other columns are explained in the lesson.\n\n"
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + tables.over_seeds(found) + "\n", encoding="utf-8")
    print(tables.over_seeds(found))


if __name__ == "__main__":
    main()
