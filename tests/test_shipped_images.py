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
    (tmp_path / "data" / "images").mkdir(parents=True)
    monkeypatch.setattr(shipped_images, "course_folder", lambda: tmp_path)
    return replace(course_utils.start("images"), budget="full", publish=True)


def test_what_a_full_run_publishes_is_shown_in_class(lab):
    assert shipped_image("sheet", lab, lambda: GREY) is GREY
    shown = shipped_image("sheet", replace(lab, budget="classroom"), None)
    assert shown.shape == GREY.shape and abs(shown.astype(int) - 128).max() <= 2


def test_without_publish_nothing_is_written(lab, tmp_path):
    shipped_image("sheet", replace(lab, publish=False), lambda: GREY)
    assert not list((tmp_path / "data" / "images").iterdir())


@pytest.mark.parametrize("content", [None, b"no image"])
def test_a_missing_or_damaged_file_is_refused_in_a_sentence(lab, tmp_path, content):
    if content:
        (tmp_path / "data" / "images" / "sheet.jpg").write_bytes(content)
    with pytest.raises(Refused, match="sheet.jpg.*COURSE_BUDGET=full"):
        shipped_image("sheet", replace(lab, budget="classroom"), None)
