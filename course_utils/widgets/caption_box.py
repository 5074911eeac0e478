"""`CaptionBox`: an image generated from a sentence of one's own, and the words it did not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy

from ..data.sentences import Vocabulary, tokenise
from ..session.arguments import whole
from .explorer import STYLE
from .shown import Shown

EMPTY = "There is no sentence yet: write one, or choose an example."
LONGEST = 200  # characters: enough for any sentence, and a pasted page is answered at once


def answer(sentence: str, vocabulary: Vocabulary, topics: Mapping[str, Sequence[str]]) -> str:
    """The message for a sentence; empty where every word is known.

    It names the unknown words. Then it lists the known words for each topic that follows an
    unknown word ("hair" in "purple hair"), or for all topics if there is none.

    Args:
        sentence: what was written.
        vocabulary: the known words.
        topics: noun -> the known words that can stand before it, for example
            {"wall": ["pink", "green"]}.
    """
    if not tokenise(sentence):
        return EMPTY
    unknown = vocabulary.unknown(sentence)
    if not unknown:
        return ""
    known = _listed(_topics_after(tokenise(sentence), set(unknown), topics) or topics, topics)
    return (
        f"Not in the vocabulary: {', '.join(unknown)}. "
        f"{'It is' if len(unknown) == 1 else 'They are'} encoded as an unknown word. "
        f"Known {known}."
    )


def _topics_after(words: list[str], unknown: set[str], topics: Mapping) -> list[str]:
    """The first topic among the two words after each unknown word."""
    found = []
    for place, word in enumerate(words):
        near = [later for later in words[place + 1 : place + 3] if later in topics]
        if word in unknown and near:
            found.append(near[0])
    return list(dict.fromkeys(found))


def _listed(meant: Iterable[str], topics: Mapping[str, Sequence[str]]) -> str:
    """The known words before each topic, listed once for topics that share them."""
    nouns: dict[tuple[str, ...], list[str]] = {}
    for topic in meant:
        nouns.setdefault(tuple(topics[topic]), []).append(f"“{topic}”")
    return "; ".join(
        f"before {', '.join(some)}: {', '.join(known)}" for known, some in nouns.items()
    )


class CaptionBox(Shown):
    """A field for a sentence above the image that is generated from it.

    A line below names the words that are not in the vocabulary. A sentence without any word gets
    a message, and the last image stays.

    Args:
        draw: (sentence, seed) -> image (H, W, 3) of bytes; it should take less than 20 ms.
        vocabulary: the words that `draw` understands.
        examples: sentences to choose from; the first is shown at the start.
        topics: noun -> known words that can stand before it, see `answer`.
        description: a sentence for readers who cannot see the image.
        seeds: how many seeds of the latent vector z there are.

    Raises:
        ValueError: an example or a topic has a word that is not in the vocabulary, or `seeds` is
            no whole number.

    Attributes:
        field, choice, slider: the ipywidgets Text, Dropdown and IntSlider.
        view: the ipywidgets Image that shows the image.
        message: the ipywidgets HTML below it, hidden while there is nothing to say.
        said: the line below the image as plain text.

    Example:
        >>> draw = lambda sentence, seed: numpy.zeros((8, 8, 3), numpy.uint8)
        >>> known = Vocabulary(["a red house"])
        >>> box = CaptionBox(draw, known, ["a red house"], {"house": ["red"]}, "A house.")
        >>> box.write("a blue house").split(".")[0]
        'Not in the vocabulary: blue'
    """

    def __init__(
        self,
        draw: Callable[[str, int], numpy.ndarray],
        vocabulary: Vocabulary,
        examples: Sequence[str],
        topics: Mapping[str, Sequence[str]],
        description: str,
        seeds: int = 20,
    ):
        import ipywidgets

        offered = [*examples, *topics, *(word for words in topics.values() for word in words)]
        if new := vocabulary.unknown(" ".join(offered)):
            raise ValueError(f"The box offers words that are not in its vocabulary: {new}.")
        self.draw, self.vocabulary, self.topics = draw, vocabulary, topics
        self.description, self.examples, self.said = description, tuple(examples), ""
        wide = {"style": STYLE, "layout": {"width": "52em", "max_width": "100%"}}
        # Only a finished line counts, or a word would be called unknown while it is typed.
        self.field = ipywidgets.Text(
            value=self.examples[0], description="sentence", continuous_update=False, **wide
        )
        self.choice = ipywidgets.Dropdown(
            options=self.examples, value=self.examples[0], description="examples", **wide
        )
        self.slider = ipywidgets.IntSlider(
            value=0, min=0, max=whole(seeds, "seeds") - 1, description="seed of z", style=STYLE,
            layout={"width": "30em"},
        )  # fmt: skip
        self.view = ipywidgets.Image(format="png", layout={"object_fit": "contain"})
        self.message = ipywidgets.HTML(layout={"display": "none"})
        self.box = ipywidgets.VBox([self.field, self.choice, self.slider, self.view, self.message])
        self._redraw()
        for control in (self.field, self.slider):
            control.observe(self._redraw, names="value")
        self.choice.observe(self._chosen, names="value")

    def write(self, sentence: str, seed: int | None = None) -> str:
        """Write a sentence into the field from code, and move the slider.

        Args:
            sentence: what to write.
            seed: the new position of the slider; it stays if this is None.

        Returns:
            the message about it; empty where every word is known.

        Raises:
            ValueError: the slider has no such seed.
        """
        if seed is not None:
            self.slider.value = whole(seed, "seed", least=0, most=self.slider.max)
        self.field.value = sentence
        return self.said

    def _chosen(self, change) -> None:
        self.field.value = change["new"]

    def _redraw(self, change=None) -> None:
        sentence = self.field.value[:LONGEST]
        said = answer(sentence, self.vocabulary, self.topics)
        if said != EMPTY:
            with self._showing_errors("This sentence cannot be drawn"):
                self.image = self.draw(sentence, self.slider.value)
            self.view.value = self.png
        self._say(said)

    def _say(self, sentence: str) -> None:
        self.said = sentence
        super()._say(sentence)
