"""Does SQLite keep a value as it is? A column's affinity may make another value of it, without a word.

https://www.sqlite.org/datatype3.html#type_affinity says what becomes of what; one thing it does not say is that a REAL
column loses the sign of -0.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from migrator.core.convert import Unfit
from migrator.core.model import Affinity
from migrator.core.values import BrokenText, Unreadable, show, storage_class

# SQLite reads a number up to a NUL.
_NUMBER = re.compile(r"[ \t-\r]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t-\r]*(?:\0|\Z)")
_COUNTING = (Affinity.INTEGER, Affinity.NUMERIC)
_KEPT: dict[str, tuple[Affinity, ...]] = {
    "smallint": (*_COUNTING, Affinity.BLOB),
    "integer": (*_COUNTING, Affinity.BLOB),
    "bigint": (*_COUNTING, Affinity.BLOB),
    "text": (Affinity.TEXT, Affinity.BLOB),
    "varchar": (Affinity.TEXT, Affinity.BLOB),
    "char": (Affinity.TEXT, Affinity.BLOB),
    "bytea": tuple(Affinity),
}


def is_kept(type_name: str, affinity: Affinity) -> bool:
    """Whether that is certain of every value of the PostgreSQL type, so that none has to be looked at."""
    return affinity in _KEPT.get(type_name, ())


def keeper(affinity: Affinity) -> Callable[[object], None]:
    """Raises Unfit for a value of which a column of this affinity would make another, or that SQLite has not."""

    def check(value: object) -> None:
        if changed := _change(value, affinity):
            raise Unfit(f"{storage_class(value)} {show(value)} {changed}")

    return check


def _change(value: object, affinity: Affinity) -> str:
    """What would become of the value, or '' if it stays."""
    if value is None or isinstance(value, bytes):
        return ""
    if isinstance(value, Unreadable):
        return "cannot be read, so its text is not known"
    if isinstance(value, (str, BrokenText)):
        return _change_of_text(value, affinity)
    if type(value) is int:
        return _change_of_integer(value, affinity)
    if isinstance(value, float):
        return _change_of_real(value, affinity)
    return "is nothing that SQLite has"


def _change_of_text(value: str | BrokenText, affinity: Affinity) -> str:
    if affinity in (Affinity.TEXT, Affinity.BLOB):
        return ""
    text = value if isinstance(value, str) else value.raw.decode("latin-1")
    return f"would become a number in a column of {affinity} affinity" if _NUMBER.match(text) else ""


def _change_of_integer(value: int, affinity: Affinity) -> str:
    if not -(2**63) <= value < 2**63:
        return "does not fit into 64 bits"
    if affinity in (Affinity.TEXT, Affinity.REAL):
        return f"would become a {'text' if affinity is Affinity.TEXT else 'real'} in a column of {affinity} affinity"
    return ""


def _change_of_real(value: float, affinity: Affinity) -> str:
    if math.isnan(value):
        return "would become NULL: SQLite has no NaN"
    if affinity is Affinity.TEXT:
        return "would become a text in a column of TEXT affinity"
    if affinity in _COUNTING and value.is_integer() and -(2**63) < value < 2**63:
        return f"would become an integer in a column of {affinity} affinity"
    if affinity is Affinity.REAL and not value and math.copysign(1.0, value) < 0:
        return "would become 0.0: a column of REAL affinity has no -0.0"
    return ""
