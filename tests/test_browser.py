"""The page as a student sees it: JupyterLab in a browser, sliders moved by key presses."""

import os
import statistics
from pathlib import Path

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from course_utils.authoring.notebooks import KERNEL, NOTEBOOKS, read
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


UPLOAD = """
from course_utils import plots, widgets

def mirrored(image):
    return plots.image_grid(image.flip(3), columns=1, scale=20)

widgets.ImagePicker(mirrored, "Yours in a mirror.", first=FIRST, shape=(3, 8, 8))
"""


# First in this file: playwright drives one browser at a time, and `opened` keeps one to the end.
def test_an_uploaded_image_is_shown_and_a_bad_file_explained(tmp_path):
    paths = {colour: tmp_path / f"{colour}.png" for colour in ("red", "blue")}
    for colour, path in paths.items():
        Image.new("RGB", (50, 30), colour).save(path)
    (tmp_path / "notes.png").write_bytes(b"no image at all")
    notebook = tmp_path / "upload.ipynb"
    cell = new_code_cell(UPLOAD.replace("FIRST", repr(str(paths["red"]))))
    write(new_notebook(cells=[cell], metadata={"kernelspec": KERNEL}), notebook)
    lab_folder = tmp_path / "lab"
    lab_folder.mkdir()
    with jupyter_lab(notebook, lab_folder) as address, browser_page(address) as page:
        run_all(page)
        image = page.locator("img.widget-image")
        red = image.get_attribute("src")
        upload(page, tmp_path / "notes.png")
        page.get_by_text("cannot be read as an image").wait_for()
        assert image.get_attribute("src") == red
        upload(page, paths["blue"])
        page.wait_for_function(
            "red => document.querySelector('img.widget-image').src !== red", arg=red
        )
        assert page.get_by_text("cannot be read as an image").count() == 0


def upload(page, path):
    """Choose a file as a hand would: the button opens the browser's own dialogue."""
    with page.expect_file_chooser() as chosen:
        page.locator(".jupyter-button.widget-upload").click()
    chosen.value.set_files(path)


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


def test_every_slider_changes_an_image(opened):
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
        print(f"\nslider to image: median {statistics.median(delays):.0f} ms", end=" ")
    assert statistics.median(delays) < SLOWEST_MEDIAN_MS


def count_figures(outputs: list[dict]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)
