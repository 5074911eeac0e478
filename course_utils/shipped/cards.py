"""What all files that ship have in common: a card that says how they were made, and refusals."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import date
from pathlib import Path
from typing import Any

import torch


class Refused(Exception):
    """A file that ships is missing, damaged or of something else; the message says what to do."""


def card_of(content: bytes, **facts: Any) -> dict[str, Any]:
    """A card: the facts, today's date, versions, and the checksum of the content it describes."""
    return {
        **facts,
        "date": date.today().isoformat(),
        "versions": {"torch": str(torch.__version__), "python": platform.python_version()},
        "sha256": _checksum(content),
    }


def look_for(*files: Path, what: str, instead: str) -> None:
    """Refuse files of which one is missing.

    Args:
        what: they are, such as "weights called digits".
        instead: of fetching them, what to do in the full budget, such as "train them".

    Raises:
        Refused: one is missing.
    """
    if not all(file.exists() for file in files):
        raise Refused(
            f"No shipped {what} in {files[0].parent.name}/; fetch the course again, or {instead} "
            "with COURSE_BUDGET=full."
        )


def read_json(file: Path, *keys: str) -> dict[str, Any]:
    """What a JSON file holds, under these keys and others.

    Raises:
        Refused: it is no JSON, or a key is missing.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if all(key in content for key in keys):
            return content
    except (ValueError, TypeError):
        pass
    raise Refused(f"{file.name} is damaged; fetch it again.")


def hold_against(checksum: str, content: bytes, file: Path) -> None:
    """Refuse content that is not what its card was written for.

    Args:
        checksum: the card's.
        file: where the content is from.

    Raises:
        Refused: the checksum differs.
    """
    if checksum != _checksum(content):
        raise Refused(
            f"{file.name} is damaged (its checksum differs from its card); fetch it again."
        )


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
