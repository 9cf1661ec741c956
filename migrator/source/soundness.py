"""What SQLite itself thinks of its file, before anybody believes what is read from it.

A flipped bit in an inner page can hide rows from everybody who looks for a range of rowids: the copy would lack them,
and so would the proof.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from migrator.core.errors import SourceError
from migrator.core.values import LARGEST_VALUE_BYTES

# Complaints about pages come first, under this heading. The others are about values in columns (NOT NULL, CHECK,
# STRICT) that SQLite has accepted or been told to overlook: census and plan have their own word for those.
_PAGES = "*** in database main ***"


def check_pages(connection: apsw.Connection, path: Path) -> None:
    """Read every page and hold the tables' trees against each other. Raises SourceError.

    quick_check and not integrity_check, which also looks up every row in every index and takes thirty times as long:
    rows are read from tables, and indexes are built anew.
    """
    previous = connection.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    try:
        ((found, *_),) = connection.execute("PRAGMA main.quick_check(1)").fetchall()
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, previous)
    if str(found).startswith(_PAGES):
        raise SourceError(
            f"{path} is damaged.",
            f"SQLite says: {' '.join(str(found).removeprefix(_PAGES).split())}.",
            f"Make a copy, then try: sqlite3 {path} .recover | sqlite3 recovered.db, and migrate recovered.db.",
        )
