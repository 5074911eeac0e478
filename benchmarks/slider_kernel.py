"""How long the kernel takes to answer a moved slider, for every widget of a notebook.

    python benchmarks/slider_kernel.py [NOTEBOOK] [--moves 40]

Runs the notebook's cells, then moves every slider of every widget back and forth and prints the
median and the slowest answer in milliseconds: computing the image and encoding it as PNG.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from course_utils.authoring.notebooks import NOTEBOOKS, definitions
from course_utils.widgets import Explorer


def answers(explorer: Explorer, moves: int) -> list[float]:
    """Milliseconds of each answer to a slider moved to a random place."""
    chance, delays = random.Random(0), []
    for _ in range(moves):
        for slider in explorer.sliders.values():
            before = slider.value
            began = time.perf_counter()
            if hasattr(slider, "options"):
                slider.index = chance.randrange(len(slider.options))
            else:
                steps = round((slider.max - slider.min) / slider.step)
                slider.value = slider.min + chance.randrange(steps + 1) * slider.step
            if slider.value != before:
                delays.append(1e3 * (time.perf_counter() - began))
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "notebook", nargs="?", type=Path, default=NOTEBOOKS / "03_vae_latent_space.ipynb"
    )
    parser.add_argument("--moves", type=int, default=40)
    options = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    with tempfile.TemporaryDirectory() as runs:
        os.environ["COURSE_RUNS"] = runs
        names = definitions(options.notebook)
    print("\n| widget | sliders | median, ms | slowest, ms |\n|---|---|---|---|")
    for name, explorer in names.items():
        if isinstance(explorer, Explorer):
            delays = answers(explorer, options.moves)
            middle, worst = statistics.median(delays), max(delays)
            print(f"| {name} | {len(explorer.sliders)} | {middle:.1f} | {worst:.1f} |")


if __name__ == "__main__":
    main()
