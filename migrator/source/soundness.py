"""What SQLite itself thinks of its file, before anybody believes what is read from it.

A flipped bit in an inner page can hide rows from everybody who looks for a range of rowids: the copy would lack them,
and so would the proof.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from migrator.core.errors import SourceError
from migrator.core.names import quote_identifier
from migrator.core.values import LARGEST_VALUE_BYTES

# Complaints about pages come first, under this heading. The others are about values in columns (NOT NULL, CHECK,
# STRICT) that SQLite has accepted or been told to overlook: census and plan have their own word for those.
_PAGES = "*** in database main ***"


def check_pages(connection: apsw.Connection, path: Path, table: str) -> None:
    """Read every page of the table and hold its tree together. Raises SourceError.

    quick_check and not integrity_check, which also looks up every row in every index and takes thirty times as long:
    rows are read from tables, and indexes are built anew.
    """
    previous = connection.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    try:
        found = connection.execute(f"PRAGMA main.quick_check({quote_identifier(table)})").fetchone()
        if found and str(found[0]).startswith(_PAGES):
            raise _damaged(path, str(found[0]).removeprefix(_PAGES))
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, previous)


def ordinary_tables(connection: apsw.Connection) -> list[str]:
    """Not the virtual ones: their modules would be run. A number for a name would be taken for a number of errors."""
    listed = connection.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    return [name for (name,) in listed if not name.isdigit()]


def _damaged(path: Path, said: str) -> SourceError:
    return SourceError(
        f"{path} is damaged.",
        f"SQLite says: {' '.join(said.split())}.",
        f"Make a copy, then try: sqlite3 {path} .recover | sqlite3 recovered.db, and migrate recovered.db.",
    )
