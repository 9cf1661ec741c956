"""The only place where SQLite and PostgreSQL differ: URLs, types, pragmas, the upsert.

Drivers are imported here and not when they are first needed: Home Assistant imports an integration outside of its event
loop, and SQLAlchemy would import them inside.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite  # noqa: F401
import orjson
from psycopg.types.json import Jsonb
from sqlalchemy import URL, Connection, Dialect, Engine, Table, Text, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..core.errors import StoreError
from ..core.jsontext import dumps

_SQLITE = ("sqlite", "sqlite+aiosqlite", "sqlite+pysqlite")
_POSTGRESQL = ("postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2")

# synchronous NORMAL may lose the last transactions in a power cut, and never the file; the next sync brings them again.
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "busy_timeout = 30000",
    "cache_size = -64000",
    "temp_store = MEMORY",
)
# A server that hangs, or a network that goes silent, becomes an error within a minute; and the server notices as soon
# that we are gone, and lets go of what we have claimed.
_PATIENCE = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 20,
    "application_name": "metastore",
    "options": "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
}
READING = {"metastore_reads": True}  # an execution option: this transaction takes no write lock


def database_url(text: str) -> URL:
    """The URL for SQLAlchemy's synchronous driver, which `async_engine` turns. Raises StoreError, without the URL."""
    try:
        url = make_url(text.strip())
        if "\0" in text:
            raise ValueError("a NUL character")
    except (ArgumentError, ValueError) as error:
        raise StoreError("This is not a database URL. It looks like sqlite:////config/metastore.db") from error
    if url.drivername in _SQLITE:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise StoreError("The URL names no file: sqlite:///metastore.db")
        return URL.create("sqlite", database=url.database)
    if url.drivername in _POSTGRESQL:
        if not url.database:
            raise StoreError("The URL names no database: postgresql://user:password@host/database")
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"{url.drivername} is no database that Metastore knows: sqlite or postgresql")


def within(url: URL, folder: Path) -> URL:
    """SQLite's relative paths begin in that folder, and not where the process happens to be; one file has one URL."""
    if url.drivername != "sqlite":
        return url
    assert url.database is not None
    return url.set(database=str((folder / url.database).resolve()))


def async_engine(url: URL) -> AsyncEngine:
    """Parameters are positional with either driver, as `Bulk` needs them."""
    if url.drivername == "sqlite":
        engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"))
    else:
        engine = create_async_engine(
            url, paramstyle="format", json_serializer=_dumps, json_deserializer=_loads, connect_args=_PATIENCE
        )
    _prepare(engine.sync_engine)
    return engine


def sync_engine(url: URL) -> Engine:
    """For Alembic, in a worker thread."""
    engine = create_engine(url, connect_args=_PATIENCE if url.drivername != "sqlite" else {})
    _prepare(engine)
    return engine


def looking_engine(url: URL) -> Engine:
    """For a look at a file that may be somebody else's: nothing in it is changed, not even its journal mode."""
    path = quote(str(url.database))
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def _prepare(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own accord
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get("metastore_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _dumps(value: object) -> str:
    return dumps(value).decode()


@lru_cache(maxsize=4096)
def _loads(content: str | bytes) -> Any:
    """Entries are never changed, so equal texts share their value: most are one of a few, and `[]` above all.

    Fifty thousand entities with lists and objects of their own would be half a million for the garbage collector.
    """
    return orjson.loads(content)


def said(error: SQLAlchemyError) -> str:
    """The driver's own words, in one line; SQLAlchemy's would carry the statement and its values."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(original).__name__


class Json(TypeDecorator[Any]):
    """JSONB in PostgreSQL, JSON as TEXT in SQLite; None is NULL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else _dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else _loads(value)


class TextList(TypeDecorator[list[str]]):
    """text[] in PostgreSQL, a JSON list as TEXT in SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(Text()))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else _dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else _loads(value)


_INSERT: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Bulk:
    """One INSERT for many rows that are tuples in the order of the table's columns.

    SQLAlchemy would bind every value by itself, in the event loop; here only lists and objects are touched.
    """

    def __init__(self, table: Table, dialect: Dialect, *, replace: bool) -> None:
        """With `replace`, a row whose key is there already becomes an UPDATE of all other columns."""
        insert = _INSERT[dialect.name](table)
        if replace:
            columns = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
            insert = insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=columns)
        self.statement = str(insert.compile(dialect=dialect))
        self._converters = [
            (position, converter)
            for position, column in enumerate(table.columns)
            if (converter := _converter(column.type, dialect.name))
        ]

    def rows(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them."""
        converted = []
        for row in rows:
            values = list(row)
            for position, convert in self._converters:
                if values[position] is not None:
                    values[position] = convert(values[position])
            converted.append(tuple(values))
        return converted


def _converter(kind: TypeEngine[Any], dialect: str) -> Callable[[Any], Any] | None:
    if dialect == "sqlite":
        return _dumps if isinstance(kind, (Json, TextList)) else None
    return (lambda value: Jsonb(value, dumps=dumps)) if isinstance(kind, Json) else None
