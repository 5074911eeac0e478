"""Words become numbers and stay where they stood; unknown ones are named."""

import pytest
import torch

from course_utils.data.faces import caption, sample_factors
from course_utils.data.sentences import Vocabulary, tokenise

VOCABULARY = Vocabulary(["A grown-up with red hair.", "Red hair, a red wall."])


def test_a_word_is_letters_and_what_joins_them():
    assert tokenise("A grown-up, BEAMING; the child's 3 größte_Hüte!") == [
        "a", "grown-up", "beaming", "the", "child's", "3", "größte", "hüte",
    ]  # fmt: skip
    assert tokenise(" ,.!") == []


def test_words_are_numbered_by_the_alphabet_from_two():
    assert VOCABULARY.words == ["a", "grown-up", "hair", "red", "wall", "with"]
    assert len(VOCABULARY) == 8
    assert VOCABULARY.numbers(["wall with red hair"]).tolist() == [[6, 7, 5, 4]]


def test_an_unknown_word_keeps_its_place_and_is_named_once():
    sentence = "Purple hair, a purple hat, red"
    assert VOCABULARY.numbers([sentence]).tolist() == [[1, 4, 2, 1, 1, 5]]
    assert VOCABULARY.unknown(sentence) == ["purple", "hat"]
    assert VOCABULARY.unknown("RED wall") == []


def test_short_sentences_are_filled_up():
    numbers = VOCABULARY.numbers(["", "red", "a red wall"])
    assert numbers.tolist() == [[0, 0, 0], [5, 0, 0], [2, 5, 6]]
    assert VOCABULARY.numbers(["red"], length=4).tolist() == [[5, 0, 0, 0]]
    assert VOCABULARY.numbers([]).shape == (0, 1)
    assert numbers.dtype == torch.int64


def test_one_sentence_without_brackets_is_refused():
    with pytest.raises(TypeError, match="list of sentences"):
        VOCABULARY.numbers("red hair")


def test_captions_of_any_seed_have_the_same_words():
    def words(seed):
        factors = sample_factors(1_500, seed)
        rows = zip(*factors.values(), strict=True)
        rows = [dict(zip(factors, row, strict=True)) for row in rows]
        return Vocabulary(caption(row, seed=number) for number, row in enumerate(rows)).words

    assert words(0) == words(1)
