"""Sentences as rows of token numbers, and the words that are not in a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..session.arguments import whole

NO_WORD, UNKNOWN = 0, 1

# Letters of any alphabet, with hyphens and apostrophes inside a word; or a number.
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+")


def tokenise(sentence: str) -> list[str]:
    """The words of a sentence in lower case, without punctuation; "grown-up" is one word.

    Args:
        sentence: any text.

    Example:
        >>> tokenise("A grown-up, smiling.")
        ['a', 'grown-up', 'smiling']
    """
    return _WORD.findall(sentence.lower())


class Vocabulary:
    """The words of some sentences, each with a number, in alphabetical order.

    0 is the padding after the end of a sentence, and 1 stands for any word that is not in the
    vocabulary, at its position in the sentence.

    Args:
        sentences: the sentences whose words make the vocabulary.

    Attributes:
        words: the words; the first has number 2.

    Example:
        >>> vocabulary = Vocabulary(["a green wall"])  # a: 2, green: 3, wall: 4
        >>> vocabulary.numbers(["a pink wall"])
        tensor([[2, 1, 4]])
        >>> vocabulary.unknown("a pink wall")
        ['pink']
    """

    def __init__(self, sentences: Iterable[str]):
        self.words = sorted({word for sentence in sentences for word in tokenise(sentence)})
        self._numbers = {word: number for number, word in enumerate(self.words, start=2)}

    def __len__(self) -> int:
        """How many numbers there are, including 0 and 1."""
        return len(self.words) + 2

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    def numbers(self, sentences: Sequence[str], length: int = 1) -> Tensor:
        """The numbers of the words of N sentences, padded with 0.

        Args:
            sentences: a list of N sentences.
            length: the least L.

        Returns:
            (N, L) int64, L being the length of the longest sentence, or `length` if that is more.

        Raises:
            TypeError: a single sentence instead of a list.
            ValueError: `length` is no whole number.
        """
        if isinstance(sentences, str):
            raise TypeError("numbers takes a list of sentences; put the one in brackets.")
        rows = [[self._numbers.get(word, UNKNOWN) for word in tokenise(s)] for s in sentences]
        longest = max([whole(length, "length", most=10_000), *map(len, rows)])
        filled = [row + [NO_WORD] * (longest - len(row)) for row in rows]
        return torch.tensor(filled, dtype=torch.int64).view(len(rows), longest)

    def unknown(self, sentence: str) -> list[str]:
        """The words of a sentence that have no number, each once, in their order."""
        return list(dict.fromkeys(word for word in tokenise(sentence) if word not in self))
