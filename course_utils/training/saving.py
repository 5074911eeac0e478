"""A run that survives a cut: what identifies it, what its state is, and when that is saved."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy

from ..session import files, processes
from ..session.lab import Lab, seed_everything
from . import checkpoints, fingerprints, identity
from .batches import Batches
from .players import Players
from .run import Run
from .snapshots import Snapshots
from .state import restore, state_of


class Saving:
    """Keeps checkpoints of a run, and resumes it; does nothing where `save` is None.

    The first checkpoint is written before the first step, with the weights and random numbers of
    the beginning: what is cut before the next one begins again from there. Where a checkpoint
    cannot be written, the run goes on, says so once, and tries again when the next one is due.
    """

    def __init__(self, save, every: float, step, epochs: int, lab: Lab, run: Run, batches: Batches,
                 players: Players, snapshots: Snapshots):  # fmt: skip
        self.every, self.run, self.batches, self.players = every, run, batches, players
        self.told = False  # that it cannot be saved
        self.save_as, self.folder, self.code, self.path = save, Path(lab.runs_folder), None, None
        if save is None:
            return
        try:
            self.code = identity.code_of(step, epochs, lab, batches, players, snapshots)
        except fingerprints.Incomparable as what:
            if processes.is_first():
                print(f"{run.name} begins afresh and is not saved: it uses {what}.")

    def resume(self) -> int:
        """The step to begin with: 0, or that of the newest checkpoint, whose state is put back."""
        state = self._newest() if self.code else None
        self.batches.order_seed, state = processes.broadcast_object(
            (self.batches.order_seed, state)
        )
        if not processes.is_first():  # or all would draw the same noise for different examples
            own = numpy.random.SeedSequence([self.batches.order_seed, processes.rank()])
            seed_everything(int(own.generate_state(1)[0]))
        if state:
            restore(state, self.run, self.players, self.batches)
        self.run.resumed_at = state["step"] if state else 0
        self.run.start_clock()
        if not state:
            self.save(0)
        elif state["step"] < self.batches.steps and processes.is_first():
            self._tell(files.obstacle(self.folder))  # now, and not at the first save
        self.saved_at = time.perf_counter()
        return self.run.resumed_at

    def _newest(self) -> dict | None:
        """The newest checkpoint of this run, where there is one; afterwards `path` is its file."""
        for begun in identity.beginnings(self.players, self.code):
            self.begun = begun
            self.identity = {**self.code, "first weights": self.begun}
            name = f"{self.save_as}-{checkpoints.short_name(self.identity)}"
            if processes.count() > 1:
                self.identity["processes"] = processes.count()
                name = f"{name}-of-{processes.count()}"
            self.path = self.folder / f"{name}.pt"
            if not processes.is_first():  # the first one reads and writes for all
                continue
            state = checkpoints.resume(self.path, self.identity, longest=self.batches.steps)
            if state:
                return state
            _say_what_else_there_is(self.path)
        return None

    def due(self) -> bool:
        """Whether it is time to save."""
        return self.path is not None and time.perf_counter() - self.saved_at > self.every

    def save(self, finished: int) -> None:
        """Write the state after `finished` steps."""
        self.run.read_clock()
        if self.path:
            state = state_of(finished, self.run, self.players, self.batches)
            if processes.is_first():
                self._write(state)
        self.saved_at = time.perf_counter()

    def _write(self, state: dict) -> None:
        """Write a checkpoint; where that fails, the training is worth more than its copy."""
        try:
            checkpoints.save(self.path, state, self.identity)
        except OSError as error:
            self._tell(error.strerror or str(error))

    def _tell(self, obstacle: str | None) -> None:
        """Say once what keeps the run from being saved, if anything does."""
        if obstacle and not self.told:
            self.told = True
            print(
                f"{self.run.name} trains on without being saved: {self.folder} cannot be written "
                f"({obstacle}); {files.way_out('COURSE_RUNS')}, and start again."
            )

    def __enter__(self) -> None:
        """The steps between are those of the run; see `__exit__`."""

    def __exit__(self, *cut) -> None:
        """At the end or after a cut: stop the clock, note with which weights the run had begun."""
        self.run.read_clock()
        if self.path:
            identity.remember(self.players, self.code, self.begun)


def _say_what_else_there_is(path: Path) -> None:
    """Tell of checkpoints of the same run in another number of processes, which are not used."""
    stem = re.sub(r"-of-\d+$", "", path.stem)
    for other in sorted(path.parent.glob("*.pt")):
        if re.fullmatch(rf"{re.escape(stem)}(-of-\d+)?\.pt", other.name):
            print(
                f"{other.name} is of another number of processes, and only that many resume it "
                "exactly; this run begins afresh beside it."
            )
