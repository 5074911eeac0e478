"""How often each claim holds over seeds: a markdown file with a section a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..session.files import replacing
from ..session.records import FAILED, MARKS

Run = Sequence[Mapping]  # the claims of a notebook on one seed, as `records` gives them


def claims_section(title: str, runs: Sequence[Run], budget: str) -> str:
    """The table of one notebook: a row a claim, a column a seed.

    The margin is that of the figure which came nearest to its threshold, over the seeds.

    Args:
        title: the notebook's name.
        runs: one for each seed, from 0; one that was cut has fewer claims.
        budget: the budget they ran in.
    """
    by_statement = [{said["claim"]: said for said in run} for run in runs]
    head = ["claim", "kind", "holds", "smallest margin", *(f"seed {n}" for n in range(len(runs)))]
    rows = [head, ["---"] * len(head)]
    for statement in dict.fromkeys(said["claim"] for run in runs for said in run):
        found = [claims.get(statement) for claims in by_statement]
        held = sum(said is not None and said["holds"] for said in found)
        kind = next(_kind(said) for said in found if said)
        held_by = f"{held} of {len(runs)}"
        rows.append([statement, kind, held_by, _smallest_margin(found), *map(_cell, found)])
    table = "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in rows)
    return f"## {title}\n\nBudget {budget}, {len(runs)} seeds.\n\n{table}\n"


def replace_section(table: Path, title: str, section: str) -> None:
    """Write one notebook's section, leaving those of the others as they are.

    Args:
        table: the file; made where there is none.
        title: the notebook's name.
        section: what `claims_section` made of it.
    """
    text = table.read_text(encoding="utf-8") if table.exists() else ""
    sections = {part.split("\n", 1)[0]: f"## {part}" for part in text.split("## ")[1:]}
    sections[title] = section
    body = "\n".join(sections[name].rstrip() + "\n" for name in sorted(sections))
    table.parent.mkdir(parents=True, exist_ok=True)
    with replacing(table) as file:
        file.write(f"# Claims over seeds\n\nWritten by `make claims`.\n\n{body}".encode())


def _kind(said: Mapping) -> str:
    return f"stored: {said['stored']}" if said["kind"] == "stored" else said["kind"]


def _smallest_margin(found: Sequence[Mapping | None]) -> str:
    """The figure that came nearest to its threshold, and the threshold; a dash for a bare truth."""
    compared = [said for said in found if said and "margin" in said]
    if not compared:
        return "–"
    nearest = min(compared, key=lambda said: said["margin"])
    margin = f"{nearest['margin']:+.0%}"
    return f"{margin} ({nearest['figure']:.3g} against {nearest['threshold']:.3g})"


def _cell(said: Mapping | None) -> str:
    if said is None:
        return "not reached"
    return f"{MARKS[said['kind']] if said['holds'] else FAILED} {said['figures']}".strip()


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
