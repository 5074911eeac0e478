"""Images that ship: made in the full budget, published on demand, read in class."""

from dataclasses import replace

import numpy
import pytest

import course_utils
from course_utils.shipped import images as shipped_images
from course_utils.shipped.cards import Refused
from course_utils.shipped.images import shipped_image

GREY = numpy.full((20, 30, 3), 128, numpy.uint8)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped_images, "images_folder", lambda: tmp_path / "images")
    return replace(course_utils.start("images"), budget="full", publish=True)


def test_what_a_full_run_publishes_is_shown_in_class(lab):
    assert shipped_image("sheet", lab, lambda: GREY) is GREY
    shown = shipped_image("sheet", replace(lab, budget="classroom"), None)
    assert shown.shape == GREY.shape and abs(shown.astype(int) - 128).max() <= 2


def test_without_publish_nothing_is_written(lab, tmp_path):
    shipped_image("sheet", replace(lab, publish=False), lambda: GREY)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", [["sheet.jpg", "sheet.json"], ["sheet.jpg"], ["sheet.json"]])
def test_a_missing_file_is_refused_in_a_sentence(lab, tmp_path, missing):
    shipped_image("sheet", lab, lambda: GREY)
    for name in missing:
        (tmp_path / "images" / name).unlink()
    with pytest.raises(Refused, match="No shipped image called sheet.*COURSE_BUDGET=full"):
        shipped_image("sheet", replace(lab, budget="classroom"), None)


def test_what_is_no_image_is_not_published(lab, tmp_path):
    shipped_image("sheet", lab, lambda: GREY)
    before = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}
    with pytest.raises(TypeError):
        shipped_image("sheet", lab, lambda: GREY / 255)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}


def test_every_image_that_lessons_load_is_whole():
    folder = shipped_images.shipped_folder("images")
    loaded = sorted(card.stem for card in folder.glob("*.json"))
    assert loaded
    for name in loaded:
        assert shipped_images.load(name, folder).ndim == 3
