"""How long a notebook's first slider takes from key press to changed pixels in JupyterLab.

    python benchmarks/slider_latency.py [NOTEBOOK] [--presses 30]

Prints the median and the range in milliseconds. Needs chromium or Chrome, and playwright.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.lab_page import browser_page, find_browser, jupyter_lab, move, run_all  # noqa: E402


def measure(notebook: Path, presses: int) -> list[float]:
    """Milliseconds from each key press to the changed image."""
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(notebook, Path(folder)) as address:
        with browser_page(address) as page:
            run_all(page)
            handle = page.locator(".noUi-handle").first
            move(page, handle)  # the first move also loads what later ones reuse
            return [move(page, handle) for _ in range(presses)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "notebooks" / "03_vae_latent_space.ipynb"
    parser.add_argument("notebook", nargs="?", type=Path, default=default)
    parser.add_argument("--presses", type=int, default=30)
    options = parser.parse_args()
    if find_browser() is None:
        sys.exit("No browser on PATH: install chromium or Google Chrome.")
    if not options.notebook.is_file():
        sys.exit(f"There is no notebook at {options.notebook}.")
    delays = measure(options.notebook, options.presses)
    print(
        f"{options.notebook.stem}: slider to image, median {statistics.median(delays):.0f} ms, "
        f"{min(delays):.0f} to {max(delays):.0f} ms over {len(delays)} key presses"
    )


if __name__ == "__main__":
    main()
