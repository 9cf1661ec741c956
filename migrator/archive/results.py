"""The result of a view, as SQLite gave it: one JSON array for each row.

JSON has neither bytes nor infinities; they are objects: {"hex": "00ff"}, {"real": "-inf"}.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

Row = tuple[object, ...]


def write_rows(rows: Iterable[Row]) -> str:
    return "".join(json.dumps([_written(value) for value in row], ensure_ascii=False) + "\n" for row in rows)


def read_rows(text: str) -> list[Row]:
    """Raises ValueError for a text that was not written here."""
    return [tuple(map(_read, json.loads(line))) for line in text.split("\n")[:-1]]


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"real": str(value)}
    return value


def _read(value: object) -> object:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"]) if "hex" in value else float(value["real"])
    return value
