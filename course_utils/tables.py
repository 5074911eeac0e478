"""Tables of results: one row per method, one column per measure, the best of each column marked.

A notebook shows a table as the value of a cell; a benchmark collects one table per seed and
`over_seeds` writes their means and standard deviations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import torch

from .session.arguments import real


class Table:
    """Measures of several methods.

    Args:
        best: measure -> "low" or "high", whichever is better, or "" where neither is. Its order
            is the order of the columns.
        title: what the rows are.
        digits: measure -> decimals to show; 2 unless it says otherwise.

    Attributes:
        rows: method -> {measure: number}.

    Raises:
        ValueError: `best` has another value than "low", "high" or "".

    Example:
        >>> table = Table({"PSNR": "high", "seconds": "low"}, title="network")
        >>> table.add("U-Net", PSNR=24.5, seconds=31)
        >>> table.add("autoencoder", PSNR=21.0, seconds=20)
        >>> table.winner("PSNR"), table.winner("seconds")
        ('U-Net', 'autoencoder')
    """

    BETTER = ("low", "high", "")

    def __init__(
        self, best: Mapping[str, str], title: str = "", digits: Mapping[str, int] | None = None
    ):
        for measure, better in best.items():
            if better not in self.BETTER:
                raise ValueError(f'{measure} is best {better!r}; say "low", "high" or "".')
        self.best, self.title, self.digits = dict(best), title, dict(digits or {})
        self.rows: dict[str, dict[str, float]] = {}

    def add(self, method: str, **measures: float) -> None:
        """Put in a row, or replace the one of that name.

        Args:
            method: the name of the row.
            measures: one number per column; names as in `best`, with `_` for a space.

        Raises:
            ValueError: a column has no number (or one that is not a number), or a number no
                column.
        """
        named = {
            measure.replace("_", " "): real(value, measure, "one number", lambda number: True)
            for measure, value in measures.items()
        }
        if set(named) != set(self.best):
            raise ValueError(f"{method} has {sorted(named)}; the columns are {sorted(self.best)}.")
        missing = [measure for measure, value in named.items() if math.isnan(value)]
        if missing:
            raise ValueError(f"{method} has no number for {', '.join(missing)}: it is NaN.")
        self.rows[method] = named

    def column(self, measure: str) -> dict[str, float]:
        """method -> its number in the column `measure`."""
        return {method: row[measure] for method, row in self.rows.items()}

    def winner(self, measure: str) -> str:
        """The method with the best number in a column.

        Raises:
            ValueError: the table is empty, or the column has no better direction.
        """
        if not self.best.get(measure) or not self.rows:
            raise ValueError(
                f"Nothing can be best in {measure!r}: no rows, or neither low nor high is better."
            )
        column = self.column(measure)
        return {"low": min, "high": max}[self.best[measure]](column, key=column.get)

    def _text(self, measure: str, value: float) -> str:
        return f"{value:,.{self.digits.get(measure, 2)}f}"

    def __repr__(self) -> str:
        """The table as text, in markdown."""
        return _markdown(
            [self.title, *self.best],
            [
                [method, *(self._text(measure, value) for measure, value in row.items())]
                for method, row in self._ordered()
            ],
        )

    def _ordered(self):
        for method, row in self.rows.items():
            yield method, {measure: row[measure] for measure in self.best}

    def _repr_html_(self) -> str:
        winners = {
            measure: self.column(measure)[self.winner(measure)]
            for measure, better in self.best.items()
            if better and self.rows
        }
        style = "text-align:right;padding:.25em .7em;font-size:115%"
        head = "".join(f'<th style="{style}">{escape(name)}</th>' for name in self.best)
        lines = []
        for method, row in self._ordered():
            cells = [f'<th style="text-align:left;font-size:115%">{escape(method)}</th>']
            for measure, value in row.items():
                text = self._text(measure, value)
                if winners.get(measure) == row[measure]:
                    text = f"<b>{text}</b>&nbsp;★"
                cells.append(f'<td style="{style}">{text}</td>')
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return (
            f'<table><thead><tr><th style="text-align:left">{escape(self.title)}</th>{head}</tr>'
            f"</thead><tbody>{''.join(lines)}</tbody></table>"
        )


def over_seeds(tables: Sequence[Table], standard_error: bool = False) -> str:
    """Tables of the same methods from several seeds as one of mean ± standard deviation.

    Args:
        tables: one table per seed, two or more.
        standard_error: show the standard error of the mean, the standard deviation divided by
            √seeds, instead of the standard deviation.

    Returns:
        markdown, with the best mean of each column in bold.

    Raises:
        ValueError: fewer than two tables, or tables with different methods or measures.

    Example:
        >>> first, second = Table({"error": "low"}, "method"), Table({"error": "low"}, "method")
        >>> first.add("GAN", error=1)
        >>> second.add("GAN", error=3)
        >>> print(over_seeds([first, second]).splitlines()[-1])
        | GAN | **2.00 ± 1.41** |
    """
    first = tables[0] if tables else None
    if len(tables) < 2:
        raise ValueError("A spread needs the tables of two seeds or more.")
    if any(list(t.rows) != list(first.rows) or t.best != first.best for t in tables):
        raise ValueError("The tables have different methods or measures; they cannot be averaged.")
    mean, spread = Table(first.best, digits=first.digits), {}
    divisor = math.sqrt(len(tables)) if standard_error else 1.0
    for method in first.rows:
        numbers = torch.tensor(
            [[table.rows[method][name] for name in first.best] for table in tables],
            dtype=torch.float64,
        )
        mean.rows[method] = dict(zip(first.best, numbers.mean(0).tolist(), strict=True))
        spread[method] = dict(zip(first.best, (numbers.std(0) / divisor).tolist(), strict=True))
    rows = []
    for method, row in mean.rows.items():
        cells = [method]
        for measure, value in row.items():
            deviation = spread[method][measure]
            text = first._text(measure, value)
            if deviation > 0:
                text += f" ± {first._text(measure, deviation)}"
            won = first.best[measure] and value == mean.column(measure)[mean.winner(measure)]
            cells.append(f"**{text}**" if won else text)
        rows.append(cells)
    return _markdown([first.title, *first.best], rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    # A bar or a line break in a name would begin another cell or row.
    head, *rows = [
        [" ".join(cell.split("\n")).replace("|", r"\|") for cell in line] for line in [head, *rows]
    ]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
