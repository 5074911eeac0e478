"""The page as a student sees it: JupyterLab in a browser, sliders moved by key presses."""

import os
import statistics
from pathlib import Path

import pytest

from course_utils.notebook_files import NOTEBOOKS, read
from tests.lab_page import (
    browser_page,
    find_browser,
    jupyter_lab,
    move,
    run_all,
    save_screenshot,
)

pytest.importorskip("playwright", reason="playwright is not installed; `make test` installs it")
pytestmark = pytest.mark.skipif(
    find_browser() is None,
    reason="no browser on PATH: install chromium or Google Chrome to test the page",
)

NOTEBOOK = NOTEBOOKS / "03_vae_latent_space.ipynb"
PRESSES = 15
SLOWEST_MEDIAN_MS = 2_000


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The notebook in a page with every cell run: (page, all outputs)."""
    assert NOTEBOOK.exists(), f"{NOTEBOOK.name} is not there, so no page was tested."
    with jupyter_lab(NOTEBOOK, tmp_path_factory.mktemp("lab")) as address:
        with browser_page(address) as page:
            yield page, run_all(page)


def test_every_cell_runs_without_error_or_noise(opened):
    _, outputs = opened
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]


def test_every_stored_figure_is_drawn_again(opened):
    _, outputs = opened
    stored = [output for cell in read(NOTEBOOK).cells for output in cell.get("outputs", [])]
    assert count_figures(stored) > 0
    assert count_figures(outputs) == count_figures(stored)


def test_every_slider_changes_a_picture(opened):
    page, _ = opened
    handles = page.locator(".noUi-handle").all()
    assert handles, "the notebook shows no slider"
    for handle in handles:
        assert move(page, handle) > 0
    if "COURSE_SCREENSHOTS" in os.environ:
        folder = Path(os.environ["COURSE_SCREENSHOTS"])
        save_screenshot(page, folder / f"{NOTEBOOK.stem}.png")


def test_a_slider_answers_while_it_is_moved(opened, capsys):
    page, _ = opened
    handle = page.locator(".noUi-handle").first
    delays = [move(page, handle) for _ in range(PRESSES)]
    with capsys.disabled():
        print(f"\nslider to picture: median {statistics.median(delays):.0f} ms", end=" ")
    assert statistics.median(delays) < SLOWEST_MEDIAN_MS


def count_figures(outputs: list[dict]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)
