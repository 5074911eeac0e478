"""Parts of a measured table, each kept as soon as it is made: a run that is cut loses one of them.

They lie beside the checkpoints of the notebook's trainings, in a folder for each table, and go when
the whole table is published. Each is a file of its own, written in one step, with a card.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session import files, processes
from ..session.lab import Lab
from ..training import checkpoints, fingerprints
from ..training.random_state import random_state, set_random_state
from .cards import Refused, card_of, hold_against, read_json
from .tables import EXACT, compact, parts_folder, plain


class KeptParts:
    """Calls functions, and keeps what they return for the next run of the same table.

    What was kept is taken where table, budget and seed are the same, and the function with all that
    it reaches and all that it is given, as for a checkpoint of `fit`. The generators of random
    numbers are left as they were found, whether a part is made or taken; so every part has the
    numbers that it would have without the others, and one that must differ from them needs a seed.

    Args:
        table: its name, as `shipped_table` has it.
        lab: the session.

    Example:
        >>> from course_utils import start
        >>> def squares(count):
        ...     return [number**2 for number in range(count)]
        >>> kept = KeptParts("squares", start("example"))
        course_utils ...
        >>> kept(squares, 4), kept(squares, 4)  # the second time from its file
        squares goes on with what an earlier run had finished.
        ([0, 1, 4, 9], [0, 1, 4, 9])
    """

    def __init__(self, table: str, lab: Lab):
        self.table, self.lab, self.folder = table, lab, parts_folder(table, lab)
        self.told: set[str] = set()  # sentences that were printed once

    def __call__(self, work: Callable, *given, **options) -> Any:
        """What `work(*given, **options)` returns, computed or from its file.

        Returns:
            numbers, strings, and lists and dictionaries of them, as `shipped_table` takes them;
            the same whether computed or read.

        Raises:
            ValueError: it returns something else.
        """
        path, identity = self._place(work, given, options)
        part = self._read(path, identity) if path and processes.is_first() else None
        part = processes.broadcast_object(part)
        if part is not None:
            self._tell(f"{self.table} goes on with what an earlier run had finished.")
            return part
        before = random_state()
        part = processes.broadcast_object(plain(work(*given, **options), EXACT))
        set_random_state(before)
        if path and processes.is_first():
            self._write(path, part, identity)
        return part

    def _place(self, work: Callable, given: tuple, options: dict) -> tuple[Path | None, dict]:
        """The file of a part and what identifies it; None where that cannot be said."""
        try:
            code = fingerprints.of([work, given, options])
        except fingerprints.Incomparable as what:
            self._tell(f"A part of {self.table} is not kept: it uses {what}.")
            return None, {}
        identity = {
            "table": self.table,
            "seed": self.lab.seed,
            "budget": self.lab.budget,
            "work": code,
        }
        return self.folder / f"{checkpoints.short_name(identity)}.json", identity

    def _read(self, path: Path, identity: dict) -> Any:
        """A part from its file, or None where there is none that can be used."""
        if not os.path.lexists(path):
            return None
        try:
            whole = read_json(path, "card", "part")
            hold_against(whole["card"], compact(whole["part"]), path)
        except Refused:
            self._tell(f"{path} is damaged or cannot be read; that part is computed again.")
            return None
        same = all(whole["card"].get(key) == value for key, value in identity.items())
        return whole["part"] if same else None

    def _write(self, path: Path, part: Any, identity: dict) -> None:
        """Keep a part; where that fails, the measuring is worth more than its copy."""
        text = json.dumps({"card": card_of(compact(part), **identity), "part": part})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with files.replacing(path) as file:
                file.write(text.encode())
        except OSError as error:
            self._tell(
                f"{self.table} is measured on without being kept: {self.folder} cannot be written "
                f"({error.strerror or error}); {files.way_out('COURSE_RUNS')}, and start again."
            )

    def _tell(self, sentence: str) -> None:
        """Print a sentence, once."""
        if processes.is_first() and sentence not in self.told:
            self.told.add(sentence)
            print(sentence)
