"""The contact sheet of the faces: one row a factor, and only that factor changes in it."""

import pytest

from course_utils.data import faces
from course_utils.data.face_sheet import PLAIN, factor_sheet


def test_there_is_a_row_for_every_factor():
    sheet = factor_sheet(steps=5)
    assert [caption.split(":")[0].replace(" ", "_") for caption in sheet] == list(faces.FACTORS)
    assert set(PLAIN) == set(faces.FACTORS)


def test_a_choice_has_one_image_a_word_and_the_others_as_many_as_asked():
    for caption, images in factor_sheet(steps=5, resolution=16).items():
        name = caption.split(":")[0].replace(" ", "_")
        count = len(faces.CHOICES[name]) if name in faces.CHOICES else 5
        assert images.shape == (count, 3, 16, 16)


@pytest.mark.parametrize("row", range(len(faces.FACTORS)))
def test_every_factor_can_be_seen(row):
    images = list(factor_sheet(steps=5).values())[row]
    assert ((images[1:] - images[:-1]).abs().flatten(1).amax(1) > 0.05).all()
