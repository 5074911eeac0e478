"""Words become numbers and stay where they stood; unknown ones are named."""

import pytest
import torch

from course_utils.data import faces
from course_utils.data.sentences import Vocabulary, tokenise

VOCABULARY = Vocabulary(["A grown-up with red hair.", "Red hair, a red wall."])


def test_a_word_is_letters_and_what_joins_them():
    words = "a grown-up beaming the child's 3 größte hüte"
    assert tokenise("A grown-up, BEAMING; the child's 3 größte_Hüte!") == words.split()
    assert tokenise(" ,.!") == []


def test_words_are_numbered_from_two_and_an_unknown_one_keeps_its_place_and_is_named_once():
    assert (
        VOCABULARY.words == ["a", "grown-up", "hair", "red", "wall", "with"]
        and len(VOCABULARY) == 8
    )
    sentence = "Purple hair, a purple hat, red"
    assert VOCABULARY.numbers([sentence]).tolist() == [[1, 4, 2, 1, 1, 5]]
    assert VOCABULARY.unknown(sentence) == ["purple", "hat"]
    assert VOCABULARY.unknown("RED wall") == []


def test_short_sentences_are_filled_up():
    numbers = VOCABULARY.numbers(["", "red", "a red wall"])
    assert numbers.tolist() == [[0, 0, 0], [5, 0, 0], [2, 5, 6]]
    assert VOCABULARY.numbers(["red"], length=4).tolist() == [[5, 0, 0, 0]]
    assert VOCABULARY.numbers([]).shape == (0, 1) and numbers.dtype == torch.int64
    with pytest.raises(TypeError, match="list of sentences"):
        VOCABULARY.numbers("red hair")


def test_captions_of_any_seed_have_the_same_words():
    drawn = (faces.draw(1_500, seed=seed, resolution=16) for seed in (0, 1))
    first, other = (Vocabulary(of_a_seed.captions).words for of_a_seed in drawn)
    assert first == other
