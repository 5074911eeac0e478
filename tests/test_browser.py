"""The page as a student sees it: JupyterLab in a browser, sliders moved by key presses."""

import ast
import os
import statistics
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from course_utils.authoring.notebooks import KERNEL, NOTEBOOKS, read
from tests.lab_page import (
    CHANGE_SECONDS,
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


MAP = """
import torch
from torch import nn
import course_utils
from course_utils import models, plots, widgets
from course_utils.data import mixtures

plots.use_course_style()
D = nn.Sequential(models.perceptrons(1, 2, 1, (16,)), nn.Flatten(1))
nets = {"G": models.perceptrons(1, 2, 2, (16,)), "D": D}

def step(real, nets, opts):
    fake = nets.G(torch.randn(1, 128, 2))
    opts.G.minimise(-nets.D(fake).mean())
    return {"loss_D": 0.5, "loss_G": 1.0}

lab, ring = course_utils.start("map"), mixtures.ring().standardised()
gan_map = widgets.GANMap(step, lambda: nets, ring, lab, "A GAN.")
gan_map
"""


PRINTED_BY = """async code => {
    const session = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const [future, said] = [session.kernel.requestExecute({code}), []];
    future.onIOPub = message => said.push(message.content.text ?? "");
    await future.done;
    return said.join("");
}"""


@pytest.fixture
def map_notebook(tmp_path):
    notebook = tmp_path / "map.ipynb"
    write(new_notebook(cells=[new_code_cell(MAP)], metadata={"kernelspec": KERNEL}), notebook)
    (tmp_path / "lab").mkdir()
    return notebook


def test_the_data_of_a_gan_are_dragged_with_the_mouse(map_notebook, tmp_path):
    pytest.importorskip("anywidget")
    with jupyter_lab(map_notebook, tmp_path / "lab") as address, browser_page(address) as page:
        run_all(page)
        page.set_viewport_size({"width": 1280, "height": 720})
        handles, image = page.locator(".course-plane > button"), page.locator("img.widget-image")
        handles.nth(7).wait_for()
        image.scroll_into_view_if_needed()
        if "COURSE_SCREENSHOTS" in os.environ:
            page.screenshot(path=Path(os.environ["COURSE_SCREENSHOTS"]) / "gan_map.png")

        with changed(image):  # the top mode, by half the radius downwards
            x, y = middle(handles.nth(2))
            radius = middle(handles.nth(0))[0] - x
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x, y + radius / 2, steps=30)
            page.mouse.up()
        below = pytest.approx((0, 2**0.5 / 2), abs=0.02)
        moved = ask(page, "gan_map.points[2]", below)
        on_sliders = "tuple(gan_map.sliders[name].value for name in 'xy')"
        ask(page, on_sliders, pytest.approx(moved, abs=0.006))  # rounded to their step

        with changed(image):
            page.keyboard.press("ArrowRight")  # it has the focus
        ask(page, "gan_map.points[2]", pytest.approx((moved[0] + 0.048, moved[1])))

        with changed(image):
            page.mouse.click(x, y + radius)  # the middle of the ring is empty
        ask(page, "gan_map.points[-1]", pytest.approx((0, 0), abs=0.02))
        with changed(image):
            handles.nth(8).dblclick()
        ask(page, "len(gan_map.points)", handles.count())
        with changed(image):
            handles.nth(0).focus()
            page.keyboard.press("Delete")
        ask(page, "len(gan_map.points)", 7)
        page.mouse.click(x, y - 1.2 * radius)  # beyond the axes: nothing is added
        ask(page, "len(gan_map.points)", 7)

        with changed(image):
            page.get_by_role("button", name="Ring again").click()
        page.wait_for_function("document.querySelectorAll('.course-plane > button').length === 8")
        with changed(image):
            page.get_by_role("button", name="Train 100 steps").click()
        ask(page, "len(gan_map.losses['loss_G'])", 100)
        with changed(image):
            page.locator(".widget-play button").first.click()
        ask(page, "len(gan_map.losses['loss_G']) > 100", True)


LATENT_MAP = """
import torch
from course_utils import models, plots, widgets

plots.use_course_style()
decoder = models.VariationalAutoencoder(2, hidden=8).decoder
codes, labels = torch.randn(99, 2), torch.arange(99) % 10
latent_map = widgets.LatentMap(decoder, codes, labels, [*"0123456789"], "A map of codes.")
latent_map
"""


def test_a_code_is_dragged_and_clicked_and_its_image_follows(tmp_path):
    pytest.importorskip("anywidget")
    notebook = tmp_path / "latent.ipynb"
    write(
        new_notebook(cells=[new_code_cell(LATENT_MAP)], metadata={"kernelspec": KERNEL}), notebook
    )
    (tmp_path / "lab").mkdir()
    with jupyter_lab(notebook, tmp_path / "lab") as address, browser_page(address) as page:
        run_all(page)
        handle, image = page.locator(".course-plane > button"), page.locator("img.widget-image")
        handle.wait_for()
        image.scroll_into_view_if_needed()
        assert move(page, page.locator(".noUi-handle").first) > 0  # a slider moves the handle
        ask(page, "latent_map.plane.points", [(0.02, 0.0)])
        if "COURSE_SCREENSHOTS" in os.environ:
            page.screenshot(path=Path(os.environ["COURSE_SCREENSHOTS"]) / "latent_map.png")
        x, y = middle(handle)
        with changed(image):
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 60, y - 40, steps=20)
            page.mouse.up()
        ask(page, "latent_map.code[0] > 0.3 and latent_map.code[1] > 0.2", True)
        with changed(image):
            page.mouse.click(x, y)  # a single handle comes to the click
        ask(page, "latent_map.code", pytest.approx((0, 0), abs=0.05))
        assert handle.count() == 1


def test_without_the_front_end_of_the_map_its_sliders_remain(map_notebook, tmp_path):
    """As where the kernel has anywidget and the JupyterLab that shows it has not."""
    settings = tmp_path / "lab" / "config" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"disabledExtensions": {"anywidget": true}}', encoding="utf-8")
    with jupyter_lab(map_notebook, tmp_path / "lab") as address, browser_page(address) as page:
        run_all(page)
        image = page.locator("img.widget-image")
        image.wait_for()
        assert page.locator(".course-plane").count() == 0
        assert image.bounding_box()["width"] > 600
        for handle in page.locator(".noUi-handle").all()[:3]:  # mode, x and y
            assert move(page, handle) > 0
        with changed(image):
            page.get_by_role("button", name="Train 100 steps").click()


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@contextmanager
def changed(image):
    """Wait after the block until the image has another address."""
    before = image.get_attribute("src")
    yield
    image.page.wait_for_function(
        "old => document.querySelector('img.widget-image').src !== old", arg=before
    )


def ask(page, expression: str, expected):
    """The value of an expression in the kernel, once it is as expected."""
    deadline, value = time.monotonic() + CHANGE_SECONDS, None
    while time.monotonic() < deadline and value != expected:
        value = ast.literal_eval(page.evaluate(PRINTED_BY, f"print({expression})"))
    assert value == expected
    return value


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
