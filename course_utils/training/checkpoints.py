"""Checkpoints that survive a cut at any moment, and that are never mistaken for another run's.

A checkpoint is one file: a first line that says what it is, the SHA-256 of the rest, and the
rest, which is `torch.save` of tensors and plain values and is read with `weights_only=True`.
It is written under another name, forced to the disk, and then renamed; the checkpoint before
it is kept beside it. So at whatever moment the process is cut, one whole checkpoint is there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
from pathlib import Path

import torch

from ..session.files import remove_parts, replacing

HEADER = b"course_utils checkpoint 1\n"


class CheckpointRefused(Exception):
    """A file that cannot be used to resume a run; the message says which one and why."""


def previous(path: Path) -> Path:
    """Where the checkpoint before the newest one is kept."""
    return path.with_suffix(".previous" + path.suffix)


def short_name(run: dict) -> str:
    """Eight letters that stand for what identifies a run, for the name of its file."""
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:8]


def save(path: Path, state: dict, run: dict) -> None:
    """Write a checkpoint so that at every moment a whole one exists.

    Args:
        path: the file; the checkpoint it held is kept as `previous(path)`.
        state: tensors and plain values, nested in dicts, lists and tuples.
        run: what identifies the run (sizes, rates, the step's text ...): plain values, each
            compared when the run is resumed.

    Raises:
        OSError: it cannot be written; the checkpoints that there were are as they were.
    """
    buffer = io.BytesIO()
    torch.save({"run": run, "state": state}, buffer)
    payload = buffer.getbuffer()
    digest = hashlib.sha256(payload).hexdigest().encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, former=previous(path)) as file:
        file.write(HEADER + digest)
        file.write(payload)


def load(path: Path, run: dict) -> dict:
    """Read the state of a checkpoint of this run.

    Raises:
        CheckpointRefused: the file cannot be read, is damaged, is no checkpoint, or belongs to
            another run.
        FileNotFoundError: there is none (any more).
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CheckpointRefused(f"{path.name} cannot be read ({error.strerror})") from error
    if not content.startswith(HEADER):
        raise CheckpointRefused(f"{path.name} is not a checkpoint of this course")
    digest, _, payload = content[len(HEADER) :].partition(b"\n")
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        raise CheckpointRefused(f"{path.name} is damaged or cut short (its checksum differs)")
    try:
        saved = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except Exception as error:  # weights_only stops at whatever is not a tensor or plain value
        raise CheckpointRefused(
            f"{path.name} holds something else than tensors and plain values"
        ) from error
    differing = [key for key in {**run, **saved["run"]} if run.get(key) != saved["run"].get(key)]
    if differing:
        raise CheckpointRefused(
            f"{path.name} belongs to another run ({', '.join(sorted(differing))} differ)"
        )
    return saved["state"]


def resume(path: Path, run: dict, longest: int, report=print) -> dict | None:
    """The state of the newest checkpoint that can be used, or None where there is none.

    Each file that is refused is reported in one sentence and set aside under a name with
    `.refused`, so that nothing is lost and nothing is refused twice. What killed processes left
    of writing is cleared away.

    Args:
        path: the file that `save` wrote.
        run: what identifies the run, as given to `save`.
        longest: how many steps the run is to have; a checkpoint beyond that is refused.
        report: takes the sentence.
    """
    remove_parts(path)
    for candidate in (path, previous(path)):
        if not os.path.lexists(candidate):  # or its folder cannot be looked into
            continue
        try:
            state = load(candidate, run)
            if state["step"] > longest:
                raise CheckpointRefused(
                    f"{candidate.name} has {state['step']} steps and only {longest} are asked for"
                )
            return state
        except FileNotFoundError:  # another process has just put a newer one in its place
            continue
        except CheckpointRefused as reason:
            report(f"Checkpoint not used: {reason}; {_set_aside(candidate)}.")
    return None


def _set_aside(path: Path) -> str:
    """Give a refused file another name, where that can be, and say so."""
    aside = path.with_name(f"{path.name}.refused-{uuid.uuid4().hex[:8]}")
    try:
        os.replace(path, aside)
    except OSError as error:
        return f"it stays where it is ({error.strerror})"
    return f"kept as {aside.name}"
