"""Sentences as rows of numbers: what a network reads, and which words it has never met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

NO_WORD, UNKNOWN = 0, 1

# Letters of any alphabet, with hyphens and apostrophes inside a word; or a number.
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+")


def tokenise(sentence: str) -> list[str]:
    """The words of a sentence in small letters, without punctuation; "grown-up" is one word."""
    return _WORD.findall(sentence.lower())


class Vocabulary:
    """The words of some sentences, each with a number, in alphabetical order.

    0 stands for "no word here", behind the end of a sentence, and 1 for any word that is not in
    the vocabulary: it keeps its place in the sentence.

    Attributes:
        words: the words; the first has number 2.
    """

    def __init__(self, sentences: Iterable[str]):
        self.words = sorted({word for sentence in sentences for word in tokenise(sentence)})
        self._numbers = {word: number for number, word in enumerate(self.words, start=2)}

    def __len__(self) -> int:
        """How many numbers there are, the two without a word included."""
        return len(self.words) + 2

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    def numbers(self, sentences: Sequence[str], length: int = 1) -> Tensor:
        """(N, L) int64 for N sentences, filled up with 0 to the longest, or to `length`.

        Raises: TypeError for a single sentence, which would be read letter by letter.
        """
        if isinstance(sentences, str):
            raise TypeError("numbers takes a list of sentences; put the one in brackets.")
        rows = [[self._numbers.get(word, UNKNOWN) for word in tokenise(s)] for s in sentences]
        longest = max([length, *map(len, rows)])
        filled = [row + [NO_WORD] * (longest - len(row)) for row in rows]
        return torch.tensor(filled, dtype=torch.int64).view(len(rows), longest)

    def unknown(self, sentence: str) -> list[str]:
        """The words of a sentence that have no number, each once, in their order."""
        return list(dict.fromkeys(word for word in tokenise(sentence) if word not in self))
