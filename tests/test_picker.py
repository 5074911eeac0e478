"""The upload button: good images are shown, bad ones are explained, nothing is lost."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import plots
from course_utils.widgets import ImagePicker
from course_utils.widgets.picker import uploaded


def file_of(colour, size=(40, 30), mode="RGB", **options):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "png", **options)
    return buffer.getvalue()


RED, BLUE = file_of("red"), file_of("blue")


def picker(shape=(3, 8, 8)):
    return ImagePicker(lambda x: plots.image_grid(x, 1, scale=1), "yours", first=RED, shape=shape)


def colour_of(widget):
    return np.asarray(Image.open(io.BytesIO(widget.view.value)).convert("RGB"))[0, 0].tolist()


def test_it_shows_what_it_is_given():
    widget = picker()
    assert colour_of(widget) == [255, 0, 0] and widget.image.shape == (8, 8, 3)
    assert widget.offer(BLUE) == ""
    assert colour_of(widget) == [0, 0, 255]


def test_a_bad_file_is_explained_and_the_last_image_stays():
    widget = picker()
    said = widget.offer(b"this is no image")
    assert "cannot be read" in said and said in widget.message.value
    assert widget.message.layout.display is None and colour_of(widget) == [255, 0, 0]
    assert widget.offer(BLUE) == "" and widget.message.layout.display == "none"


def test_a_missing_file_is_explained(tmp_path):
    assert "photo.png" in picker().offer(tmp_path / "photo.png")


@pytest.mark.parametrize("value", [
    {"blue.png": {"content": BLUE, "metadata": {}}},  # ipywidgets 7
    ({"name": "blue.png", "content": memoryview(BLUE)},),  # ipywidgets 8
])  # fmt: skip
def test_both_forms_of_an_upload_are_read(value):
    assert uploaded(value) == [BLUE]
    widget = picker()
    widget._uploaded({"new": value})
    assert colour_of(widget) == [0, 0, 255]


def test_an_upload_that_is_taken_back_changes_nothing():
    widget = picker()
    widget._uploaded({"new": ()})
    assert colour_of(widget) == [255, 0, 0]


@pytest.mark.parametrize("content", [
    file_of((9, 9, 9, 0), mode="RGBA"), file_of(128, mode="L"), file_of(1, mode="1"),
    file_of(3, mode="P"), file_of("red", size=(1, 700)), file_of("red", size=(3000, 20)),
])  # fmt: skip
def test_any_kind_of_image_has_the_shape_asked_for(content):
    seen = []
    widget = ImagePicker(
        lambda x: (seen.append(x), plots.image_grid(x, 1))[1],
        "yours",
        first=content,
        shape=(1, 25, 25),
    )
    assert seen[0].shape == (1, 1, 25, 25) and seen[0].dtype == torch.float32
    assert 0 <= seen[0].min() and seen[0].max() <= 1 and widget.message.value == ""


def test_the_notebook_keeps_an_image_of_it():
    bundle = picker()._repr_mimebundle_()
    assert bundle["text/plain"] == "yours" and bundle["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle
