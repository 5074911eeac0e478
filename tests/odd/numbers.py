from __future__ import annotations

from . import Row

ROWS: list[Row] = []
