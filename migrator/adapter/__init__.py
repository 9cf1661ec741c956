"""sqlite3's interface over SQLite or PostgreSQL, for programs that move before all of their SQL is rewritten.

`from migrator import adapter as sqlite3` is all that changes; connect() takes a path, as before, or a URL.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from sqlite3 import (
    PARSE_COLNAMES,
    PARSE_DECLTYPES,
    Binary,
    DatabaseError,
    DataError,
    Date,
    DateFromTicks,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Time,
    TimeFromTicks,
    TimestampFromTicks,
    Warning,  # noqa: A004  # DB-API's own name
    adapters,
    apilevel,
    complete_statement,
    converters,
    paramstyle,
    register_adapter,
    register_converter,
    sqlite_version,
    sqlite_version_info,
    threadsafety,
)
from typing import TYPE_CHECKING, Any

from migrator.adapter.places import file_of, is_server
from migrator.adapter.rows import Row

if TYPE_CHECKING:
    from migrator.adapter.connection import Connection
    from migrator.adapter.cursor import Cursor

Timestamp = dt.datetime

__all__ = [
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Row",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "adapters",
    "apilevel",
    "complete_statement",
    "connect",
    "converters",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
    "threadsafety",
]


def connect(
    database: Any,
    timeout: float = 5.0,
    detect_types: int = 0,
    isolation_level: str | None = "",
    check_same_thread: bool = True,
    **others: Any,
) -> Any:
    """sqlite3's own connection for a path or sqlite:///path; for postgresql:// one like it. `others` are sqlite3's."""
    place = database if isinstance(database, str) else ""
    if not is_server(place):
        others |= {"timeout": timeout, "detect_types": detect_types, "isolation_level": isolation_level}
        return sqlite3.connect(file_of(place) or database, check_same_thread=check_same_thread, **others)
    from migrator.adapter.connection import Connection

    return Connection(
        database, timeout, isolation_level, detect_types=detect_types, check_same_thread=check_same_thread
    )


def __getattr__(name: str) -> Any:
    """The classes of PostgreSQL's side are imported when they are asked for: psycopg takes a while."""
    if name == "Connection":
        from migrator.adapter.connection import Connection

        return Connection
    if name == "Cursor":
        from migrator.adapter.cursor import Cursor

        return Cursor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
