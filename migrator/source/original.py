"""Reading what a SQLite file is beside its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw

from migrator.core.names import quote_identifier
from migrator.core.original import INDEX, VIRTUAL, Definition, Original
from migrator.source.connection import connect, source_errors


def read_original(path: Path) -> Original:
    """Raises SourceError. SQLite's own tables and the shadows of virtual ones are made by what they belong to."""
    with source_errors(path):
        connection = connect(path)
        try:
            return _read(connection)
        finally:
            connection.close()


def _read(connection: apsw.Connection) -> Original:
    rows: list[Any] = connection.execute(
        "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    kinds = {name: kind for schema, name, kind, *_ in connection.execute("PRAGMA main.table_list") if schema == "main"}
    unique = {
        name
        for table in kinds
        if kinds[table] == "table"
        for _, name, is_unique, *_ in connection.execute(f"PRAGMA main.index_list({quote_identifier(table)})")
        if is_unique
    }
    shadows = {name for name, kind in kinds.items() if kind == "shadow"}
    definitions = tuple(
        Definition(
            VIRTUAL if kinds.get(name) == "virtual" else kind, name, table, sql, kind == INDEX and name in unique
        )
        for kind, name, table, sql in rows
        if not name.lower().startswith("sqlite_") and table not in shadows
    )
    return Original(
        definitions,
        encoding=str(connection.pragma("encoding")),
        user_version=int(connection.pragma("user_version")),
        application_id=int(connection.pragma("application_id")),
        page_size_bytes=int(connection.pragma("page_size")),
        auto_vacuum=int(connection.pragma("auto_vacuum")),
        wal=connection.pragma("journal_mode") == "wal",
        analyzed=any(name == "sqlite_stat1" for _, name, *_ in rows),
    )
