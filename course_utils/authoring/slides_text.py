"""Markdown for slides: cut into blocks, set as HTML, and the room that a block takes estimated.

A block is what stays together: a paragraph, a list, a table, a formula. Formulas never meet the
Markdown library: they are taken out before it and put back after it, between the marks that MathJax
looks for. The library is mistune, which comes with JupyterLab.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from math import ceil

WIDTH, HEIGHT = 1160, 572  # pixels of a slide between its heading and its foot
HEADED = 60  # pixels that a heading within a text takes
SIZE, LINE = 26, 36  # pixels of a letter and of a line for which room is estimated
LETTER = 0.47  # width of a mean letter, as a share of its size
ITEM = re.compile(r"^(?:[-*] |\d+\. )", re.MULTILINE)
HIDDEN = re.compile(r"<details>.*?</details>\s*", re.DOTALL)
# Code first: a dollar within it is no formula.
FORMULA = re.compile(
    r"(?P<code>(`+).+?\2)|\$\$(?P<display>.+?)\$\$|(?<![\\$])\$(?P<inline>[^\s$](?:[^$]*[^\s$])?)\$",
    re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """What stays together on a slide.

    Attributes:
        kind: "prose", "list", "table", "formula", "heading", "claim" or "printed".
        html: how it is set.
        height: pixels that it takes at the width of a slide and at `SIZE`, estimated.
        leads: whether it should stand on the slide of the next one, as what ends in a colon.
        follows: whether it should stand on the slide of the one before, as a formula.
        continued: whether it is a later part of what was cut, which begins a slide.
    """

    kind: str
    html: str
    height: int
    leads: bool = False
    follows: bool = False
    continued: bool = False


def html_of(markdown: str) -> str:
    r"""Markdown as HTML, formulas between the marks of MathJax.

    >>> html_of("*Two* of $a_1 < b_1$ and `$x`")
    '<p><em>Two</em> of \\(a_1 &lt; b_1\\) and <code>$x</code></p>\n'
    """
    kept: list[str] = []

    def taken(match: re.Match) -> str:
        if match["code"]:
            return match[0]
        display = match["display"] is not None
        formula = escape(match["display"] if display else match["inline"], quote=False).strip()
        kept.append(rf"\[{formula}\]" if display else rf"\({formula}\)")
        return f"\ue000{len(kept) - 1}\ue001"

    text = _library()(FORMULA.sub(taken, markdown))
    return re.sub("\ue000(\\d+)\ue001", lambda match: kept[int(match[1])], text)


def inline(markdown: str) -> str:
    """A heading, or another line in Markdown, as HTML without a paragraph around it.

    >>> inline("1. The *first*")
    '1. The <em>first</em>'
    """
    return html_of(re.sub(r"^(\d+)\.", r"\1\.", markdown))[3:-5]


@lru_cache
def _library():
    import mistune

    return mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])


def pieces(markdown: str) -> Iterator[str]:
    r"""The paragraphs, lists, tables and headings of a text, without what is hidden in it.

    >>> list(pieces("Two:\n- a\n- b\n\n$$x$$"))
    ['Two:', '- a\n- b', '$$x$$']
    """
    fenced: list[str] = []
    for part in re.split(r"\n\s*\n", HIDDEN.sub("", markdown)):
        fenced.append(part)
        whole = "\n\n".join(fenced)
        if whole.count("```") % 2:
            continue
        fenced = []
        if not whole.strip():
            continue
        if (heading := re.match(r"#+ .+\n?", whole)) and heading.end() < len(whole):
            yield heading[0].strip()
            whole = whole[heading.end() :]
        first = ITEM.search(whole)
        if first and first.start() and not whole.startswith(("```", "|", ">", "$$")):
            yield whole[: first.start()].strip()
            whole = whole[first.start() :]
        yield whole.strip("\n")


def blocks(markdown: str, room: int = HEIGHT - HEADED) -> list[Block]:
    """The blocks of a text; lists and tables that are higher than `room` are cut between rows."""
    return [block for piece in pieces(markdown) for block in _cut(piece, room)]


def _cut(piece: str, room: int) -> Iterator[Block]:
    block = _block(piece)
    if block.height <= max(room, HEIGHT) or block.kind not in ("list", "table"):
        yield block
        return
    lines = piece.splitlines()
    head = lines[:2] if block.kind == "table" else []
    rows = lines[2:] if head else _items(piece)
    parts = _filled(head, rows, room)
    for lower in range(room // 2, room, 20):  # as many parts, about equally long
        if len(even := _filled(head, rows, lower)) == len(parts):
            parts = even
            break
    for number, part in enumerate(parts):
        cut = _block("\n".join([*head, *part]))
        yield replace(cut, continued=number > 0, follows=number == 0)


def _filled(head: list[str], rows: list[str], room: int) -> list[list[str]]:
    """Rows, or items, in parts that fit into the room."""
    parts: list[list[str]] = [[]]
    for row in rows:
        if parts[-1] and _block("\n".join([*head, *parts[-1], row])).height > room:
            parts.append([])
        parts[-1].append(row)
    return parts


def _items(piece: str) -> list[str]:
    """The items of a list."""
    items = re.split(rf"(?m)(?={ITEM.pattern})", piece)
    return [item.strip("\n") for item in items if item.strip()]


def _block(piece: str) -> Block:
    if piece.startswith("#"):
        title = piece.lstrip("# ")
        return Block("heading", f"<h3>{inline(title)}</h3>", HEADED, leads=True)
    if piece.startswith("|"):
        rows = [row for row in piece.splitlines() if row.startswith("|")]
        height = sum(13 + LINE * _lines(row.replace("|", " "), 1.25) for row in rows) - LINE
        return Block("table", html_of(piece), height, follows=True)
    if ITEM.match(piece):
        items = _items(piece)
        height = 12 + sum(8 + LINE * _lines(item, 1.05) + displays(item) for item in items)
        return Block("list", html_of(piece), height, follows=True)
    if piece.startswith("```"):
        return Block("printed", html_of(piece), 24 + 30 * (piece.count("\n") - 1))
    only_formula = piece.startswith("$$") and piece.endswith("$$")
    words = FORMULA.sub(lambda match: "" if match["display"] else match[0], piece)
    height = displays(piece) + (0 if only_formula else 18 + LINE * _lines(words))
    return Block(
        "formula" if only_formula else "prose",
        html_of(piece),
        height,
        leads=piece.rstrip().endswith(":"),
        follows=only_formula or piece[:1].islower(),
    )


def displays(text: str) -> int:
    """Pixels that the displayed formulas of a text take."""
    found = [match["display"] for match in FORMULA.finditer(text) if match["display"]]
    return sum(48 + 52 * (1 + formula.count(r"\\")) for formula in found)


def plain(text: str) -> str:
    r"""A text about as long as it looks: without marks, addresses and the commands of formulas.

    >>> plain(r"**Two** [words](https://x.y) of $\\mathcal{L}_1$")
    'Two words of L1'
    """
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(
        r"\\(?:mathbb|mathcal|mathrm|text|hat|bar|tilde|frac|quad|left|right)\b", "", text
    )
    text = re.sub(r"\\[a-zA-Z]+", "x", text)
    return re.sub(r"[*`$\[\]{}_^\\]", "", text)


def _lines(text: str, spread: float = 1.0, width: int = WIDTH) -> int:
    letters = len(" ".join(plain(text).split())) * spread
    return max(1, ceil(letters * LETTER * SIZE / width))


def claim_block(said: dict, marks: dict[str, str], failed: str) -> Block:
    """The line of a claim: its mark, what it says, and the figures in smaller letters.

    Args:
        said: what `records` gives for it.
        marks, failed: kind -> mark of one that holds, and the mark of one that does not.
    """
    mark = marks[said["kind"]] if said["holds"] else failed
    figures = f' <span class="figures">{escape(said["figures"], quote=False)}</span>'
    text = (
        f'<p class="claim {said["kind"]}"><span class="mark">{mark}</span> '
        f"{escape(said['claim'], quote=False)}{figures if said['figures'] else ''}</p>"
    )
    height = 40 + LINE * _lines(f"{said['claim']} {said['figures']}", 1.05)
    return Block("claim", text, height)


def printed_block(text: str) -> Block:
    """What a cell printed."""
    lines = text.rstrip("\n").splitlines()
    height = 34 + 32 * sum(max(1, ceil(len(line) / 88)) for line in lines)
    return Block("printed", f"<pre>{escape(text.rstrip(), quote=False)}</pre>", height)


def groups(found: Sequence[Block], room: int = HEIGHT) -> list[list[Block]]:
    """Blocks that belong to one another, as far as they fit on one slide together."""
    grouped: list[list[Block]] = []
    for block in found:
        together = grouped and (grouped[-1][-1].leads or block.follows)
        if together and sum(one.height for one in grouped[-1]) + block.height <= room:
            grouped[-1].append(block)
        else:
            grouped.append([block])
    return grouped


def height(found: Sequence[Block], width: int = WIDTH) -> int:
    """Pixels that blocks take in a column of this width, estimated."""
    return ceil(sum(block.height for block in found) * (WIDTH / width) ** 0.95)
