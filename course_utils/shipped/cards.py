"""What all files that ship have in common: a card that says how they were made, and refusals."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import torch

from ..session.lab import course_folder

PACKED = (
    Path(__file__).resolve().parents[1] / "_data"
)  # a copy of them inside a wheel, see setup.py


class Refused(Exception):
    """A file that ships is missing, damaged or of something else; the message says what to do."""


def shipped_folder(kind: str) -> Path:
    """Where what ships lies: in the clone, or in the package where that was installed alone.

    Args:
        kind: "weights", "tables" or "images".
    """
    return (PACKED if PACKED.is_dir() else course_folder() / "data") / kind


def card_of(content: bytes, **facts: Any) -> dict[str, Any]:
    """A card: the facts, today's date, versions, and checksums of its content and of itself."""
    card = {
        **facts,
        "date": date.today().isoformat(),
        "versions": {"torch": str(torch.__version__), "python": platform.python_version()},
        "sha256": _checksum(content),
    }
    return {**card, "card_sha256": _own_checksum(card)}


def look_for(*files: Path, what: str, instead: str) -> None:
    """Refuse files of which one is missing.

    Args:
        what: they are, such as "weights called digits".
        instead: of fetching them, what to do in the full budget, such as "train them".

    Raises:
        Refused: one is missing.
    """
    if not all(file.is_file() for file in files):
        raise Refused(
            f"No shipped {what} in {files[0].parent.name}/; fetch the course again, or {instead} "
            "with COURSE_BUDGET=full."
        )


def bytes_of(file: Path) -> bytes:
    """What a file holds.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{file.name} cannot be read ({error.strerror}); mend that.") from error


def read_json(file: Path, *keys: str) -> dict[str, Any]:
    """What a JSON file holds, under these keys and others.

    Raises:
        Refused: it cannot be read, is no JSON object of finite numbers, or lacks a key.
    """
    try:
        content = json.loads(
            bytes_of(file).decode(),
            object_pairs_hook=_without_repetition,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not all(key in content for key in keys):
        raise Refused(f"{file.name} is damaged; fetch it again.")
    return content


def hold_against(card: Any, content: bytes, file: Path) -> None:
    """Refuse content that is not what its card was written for, and a card that was changed.

    Args:
        card: as it was read.
        content: what the card is of.
        file: where the content is from.

    Raises:
        Refused: a checksum differs.
    """
    if not isinstance(card, dict) or card.get("card_sha256") != _own_checksum(card):
        raise Refused(f"The card of {file.name} is damaged; fetch it again.")
    if card["sha256"] != _checksum(content):
        raise Refused(
            f"{file.name} is damaged (its checksum differs from its card); fetch it again."
        )


def _own_checksum(card: Mapping) -> str:
    """Of what a card says, however its file is laid out."""
    said = {key: value for key, value in card.items() if key != "card_sha256"}
    return _checksum(json.dumps(said, sort_keys=True).encode())


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number.")
    return number


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("A key stands there twice.")
    return dict(pairs)
