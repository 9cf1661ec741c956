"""How many bytes a table and its indexes take in the file."""

from __future__ import annotations

import apsw


def table_sizes(connection: apsw.Connection) -> dict[str, int]:
    """Bytes per table, its own pages only, from SQLite's dbstat; empty where this SQLite has no dbstat."""
    try:
        rows = connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")
        return {str(name): int(str(size)) for name, size in rows}
    except apsw.SQLError:
        return {}
