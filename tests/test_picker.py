"""The upload button: good images are shown, bad ones are explained, nothing is lost."""

import io

import numpy as np
import pytest
from PIL import Image

from course_utils import plots
from course_utils.widgets import ImagePicker
from course_utils.widgets.picker import uploaded
from tests.test_own_images import red_webp


def file_of(*colour):
    return plots.png(np.full((30, 40, 3), colour, np.uint8))


RED, BLUE = file_of(255, 0, 0), file_of(0, 0, 255)


def with_red_and_blue_swapped(x):
    if x.min() == 1:
        raise ValueError("all white")
    return x.flip(1)


def shown(x):
    if not x.any():
        raise RuntimeError("too <dark>")
    return plots.image_grid(x, 1, scale=1)


@pytest.fixture
def picker():
    return ImagePicker(shown, "yours", BLUE, (3, 8, 8), with_red_and_blue_swapped, crop=False)


def colour_of(widget):
    return np.asarray(Image.open(io.BytesIO(widget.view.value)).convert("RGB"))[0, 0].tolist()


def test_a_bad_file_is_explained_and_the_last_image_stays_until_a_good_one_comes(picker, tmp_path):
    assert picker.image.shape == (6, 8, 3) and picker.message.layout.display == "none"
    white, missing = file_of(255), tmp_path / "photo.png"
    for bad, why in [
        (b"words", "cannot be read"), (missing, "photo.png"), (white, "all white"),
        (red_webp(12_000, 9_000), "more than 24 megapixels"),
    ]:  # fmt: skip
        said = picker.offer(bad)
        assert why in said and said in picker.message.value
        assert picker.message.layout.display is None and colour_of(picker) == [255, 0, 0]
    assert picker.offer(RED) == "" and picker.message.layout.display == "none"
    assert colour_of(picker) == [0, 0, 255]


def test_an_error_in_show_is_seen_and_raised(picker):
    with pytest.raises(RuntimeError, match="too <dark>"):
        picker.offer(file_of(0))
    assert "too &lt;dark&gt;" in picker.message.value and colour_of(picker) == [255, 0, 0]
    assert picker.offer(RED) == "" and picker.message.layout.display == "none"


@pytest.mark.parametrize("value", [
    {"red.png": {"content": RED, "metadata": {}}},  # ipywidgets 7
    ({"name": "red.png", "content": memoryview(RED)},),  # ipywidgets 8
    (),  # the upload was taken back
])  # fmt: skip
def test_both_forms_of_an_upload_are_read(picker, value):
    assert uploaded(value) == [RED] * len(value)
    picker._uploaded({"new": value})
    assert colour_of(picker) == ([0, 0, 255] if value else [255, 0, 0])


def test_the_notebook_keeps_an_image_of_it(picker):
    bundle = picker._repr_mimebundle_()
    assert bundle["text/plain"] == "yours" and bundle["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle
