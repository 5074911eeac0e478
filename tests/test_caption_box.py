"""The caption box: every example draws, unknown words are named, nothing is lost."""

import io

import numpy as np
import pytest
from PIL import Image

from course_utils.data.sentences import Vocabulary
from course_utils.widgets import CaptionBox
from course_utils.widgets.caption_box import EMPTY, answer

EXAMPLES = ("A child with red or black hair.", "An adult, pink wall.", "A child, green wall.")
VOCABULARY = Vocabulary(EXAMPLES)
TOPICS = {"hair": ["red", "black"], "wall": ["pink", "green"]}


def strokes(sentence, seed):
    image = np.full((8, 8, 3), 10 * seed, np.uint8)
    image[0, 0] = len(sentence)
    return image


@pytest.fixture
def box():
    return CaptionBox(strokes, VOCABULARY, EXAMPLES, TOPICS, "Faces from sentences.")


def shown(box):
    return np.asarray(Image.open(io.BytesIO(box.view.value)).convert("RGB"))


def test_every_example_draws_and_is_understood(box):
    for example in EXAMPLES:
        box.choice.set_state({"index": EXAMPLES.index(example)})  # what a browser sends
        assert box.field.value == example and box.said == ""
        assert np.array_equal(shown(box), strokes(example, 0))
        assert box.message.layout.display == "none"


def test_a_typed_sentence_and_a_moved_slider_draw(box):
    box.field.set_state({"value": "A green child."})
    box.slider.set_state({"value": 3})
    assert np.array_equal(shown(box), strokes("A green child.", 3))


def test_unknown_words_are_named_and_the_rest_is_drawn(box):
    said = box.write("A child with purple <hair>, tall.", seed=2)
    assert said.startswith("Not in the vocabulary: purple, tall. They are encoded as an unknown")
    assert said.endswith("Known before “hair”: red, black.")
    assert np.array_equal(shown(box), strokes("A child with purple <hair>, tall.", 2))
    assert box.message.layout.display is None and "purple" in box.message.value


def test_known_words_are_those_for_what_the_unknown_word_stands_before():
    assert "“wall”: pink, green" in answer("orange wall", VOCABULARY, TOPICS)
    assert "“hair”" not in answer("orange wall", VOCABULARY, TOPICS)
    elsewhere = answer("a pirate", VOCABULARY, TOPICS)
    assert "“hair”" in elsewhere and "“wall”" in elsewhere
    assert elsewhere.startswith("Not in the vocabulary: pirate. It is encoded as an unknown word.")
    assert answer("RED wall", VOCABULARY, TOPICS) == ""


def test_topics_with_the_same_words_are_listed_once():
    said = answer("a pirate", VOCABULARY, {"hair": ["red"], "wall": ["red"], "child": ["green"]})
    assert said.endswith("Known before “hair”, “wall”: red; before “child”: green.")


def test_the_box_offers_no_word_that_it_does_not_know():
    with pytest.raises(ValueError, match="violet"):
        CaptionBox(strokes, VOCABULARY, EXAMPLES, {"wall": ["violet"]}, "Faces.")


@pytest.mark.parametrize("nothing", ["", "   ", "...!"])
def test_an_empty_sentence_is_answered_and_the_last_image_stays(box, nothing):
    before = shown(box)
    assert box.write(nothing) == EMPTY and EMPTY in box.message.value
    box.slider.value = 4
    assert np.array_equal(shown(box), before)
    assert box.write("A child.") == "" and box.message.layout.display == "none"


def test_what_is_typed_is_text_and_not_markup(box):
    said = box.write("<b>hello</b>")
    assert "hello" in said and "<" not in box.message.value


def test_a_pasted_page_is_cut():
    lengths = []
    box = CaptionBox(
        lambda sentence, seed: (lengths.append(len(sentence)), strokes("", 0))[1],
        VOCABULARY, EXAMPLES, TOPICS, "Faces.",
    )  # fmt: skip
    box.write("red " * 5_000)
    assert lengths[-1] == 200


def test_an_error_is_shown_and_raised_and_a_bad_seed_refused(box):
    box.draw = lambda sentence, seed: 1 / 0
    with pytest.raises(ZeroDivisionError):
        box.write("A child.")
    assert "cannot be drawn" in box.message.value
    with pytest.raises(ValueError, match="from 0 to 19"):
        box.write("A child.", seed=20)


def test_the_notebook_keeps_an_image_of_it(box):
    bundle = box._repr_mimebundle_()
    assert bundle["text/plain"] == "Faces from sentences."
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle
