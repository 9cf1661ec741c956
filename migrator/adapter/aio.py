"""aiosqlite's interface over PostgreSQL, or aiosqlite itself for a file.

`from migrator.adapter import aio as aiosqlite` is all that changes. Everything but the waiting is what the plain
connection does.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable
from sqlite3 import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004  # DB-API's own name
    paramstyle,
    register_adapter,
    register_converter,
    sqlite_version,
    sqlite_version_info,
)
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import psycopg

from migrator.adapter.connection import isolation_of, unreachable
from migrator.adapter.cursor import Result, RowFactory
from migrator.adapter.opening import parameters, session_of, tables_at, target_of
from migrator.adapter.places import file_of, is_server
from migrator.adapter.rows import Row
from migrator.adapter.session import EMPTY, NOTHING, Session

if TYPE_CHECKING:
    from psycopg.abc import PQGen

    from migrator.adapter.shadow import Arguments

__all__ = [
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Row",
    "Warning",
    "connect",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
]

_Answer = TypeVar("_Answer")
_Made = TypeVar("_Made", bound="Cursor | Connection")


def connect(
    database: Any, timeout: float = 5.0, detect_types: int = 0, isolation_level: str | None = "", **others: Any
) -> Any:
    """To be awaited, or entered with `async with`. `others` are aiosqlite's, for a file."""
    if isinstance(database, str) and is_server(database):
        return Connection(database, timeout, isolation_level, detect_types)
    try:
        import aiosqlite
    except ImportError as error:
        raise ImportError("aiosqlite is not installed, which opens files: pip install aiosqlite") from error
    place = file_of(database) if isinstance(database, str) else database
    return aiosqlite.connect(
        place, timeout=timeout, detect_types=detect_types, isolation_level=isolation_level, **others
    )


class Doing(Generic[_Made]):
    """What aiosqlite returns: awaited it is done, and `async with` closes what came of it."""

    def __init__(self, work: Coroutine[Any, Any, _Made]) -> None:
        self._work = work
        self._made: _Made | None = None

    def __await__(self) -> Generator[Any, None, _Made]:
        return self._work.__await__()

    async def __aenter__(self) -> _Made:
        self._made = await self._work
        return self._made

    async def __aexit__(self, *_: object) -> None:
        if self._made is not None:
            await self._made.close()


class Connection:
    """One event loop's; statements of several tasks go one after the other."""

    def __init__(self, url: str, timeout: float, isolation_level: str | None, detect_types: int = 0) -> None:
        self.row_factory: RowFactory | None = None
        self.text_factory: Callable[[bytes], Any] = str
        self.detect_types = detect_types
        self._target = target_of(url)
        self._timeout_s, self._isolation = timeout, isolation_of(isolation_level)
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._opened: Session | None = None
        self._lock = asyncio.Lock()

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._open().__await__()

    async def _open(self) -> Connection:
        shared = await asyncio.to_thread(tables_at, self._target)
        try:
            connection = await psycopg.AsyncConnection.connect("", **parameters(self._target, self._timeout_s))
        except psycopg.Error as error:
            raise unreachable(error, self._target.password) from error
        self._connection, self._opened = connection, session_of(connection, self._target, shared, self._isolation)
        return self

    async def __aenter__(self) -> Connection:
        return self if self._opened is not None else await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """What was not committed is lost."""
        self._opened = None
        if self._connection is not None:
            await self._connection.close()

    # -- statements ----------------------------------------------------------------------------------------------------

    def cursor(self) -> Doing[Cursor]:
        return Doing(self._cursor())

    async def _cursor(self) -> Cursor:
        self._session()
        return Cursor(self)

    def execute(self, sql: str, parameters: Arguments | None = None) -> Doing[Cursor]:
        return Doing(Cursor(self).execute(sql, parameters))

    def executemany(self, sql: str, parameters: Iterable[Arguments]) -> Doing[Cursor]:
        return Doing(Cursor(self).executemany(sql, parameters))

    def executescript(self, sql_script: str) -> Doing[Cursor]:
        return Doing(Cursor(self).executescript(sql_script))

    async def execute_insert(self, sql: str, parameters: Arguments | None = None) -> Any:
        """A row with the last rowid."""
        cursor = await Cursor(self).execute(sql, parameters)
        return (cursor.lastrowid,)

    async def execute_fetchall(self, sql: str, parameters: Arguments | None = None) -> list[Any]:
        cursor = await Cursor(self).execute(sql, parameters)
        return await cursor.fetchall()

    # -- transactions --------------------------------------------------------------------------------------------------

    async def commit(self) -> None:
        session = self._session()
        if session.transaction.open:
            await self._wait(session.commit)

    async def rollback(self) -> None:
        session = self._session()
        if session.transaction.open:
            await self._wait(session.rollback)

    @property
    def in_transaction(self) -> bool:
        return self._session().transaction.open

    @property
    def isolation_level(self) -> str | None:
        return self._session().isolation

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        self._session().isolation = isolation_of(level)

    @property
    def total_changes(self) -> int:
        return self._session().total_changes

    async def interrupt(self) -> None:
        """From another task: the statement that is running raises sqlite3.OperationalError."""
        self._session()
        assert self._connection is not None
        await self._connection.cancel_safe()

    def _session(self) -> Session:
        if self._opened is None:
            raise ValueError("no active connection")
        return self._opened

    async def _wait(self, conversation: Callable[[], PQGen[_Answer]]) -> _Answer:
        async with self._lock:
            session = self._session()
            assert self._connection is not None
            try:
                return await self._connection.wait(conversation())
            except sqlite3.Error as error:
                if not session.suspects(error):
                    raise
                known = session.tables
                shared = await asyncio.to_thread(tables_at, self._target)
                if shared.tables is known and "cached plan" not in str(error):
                    raise
                session.look_again()
                return await self._connection.wait(conversation())


class Cursor(Result):
    """As sqlite3's, but for what waits."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.row_factory, connection.text_factory, connection.detect_types)
        self.connection = connection

    async def execute(self, sql: str, parameters: Arguments | None = None) -> Cursor:
        session = self.connection._session()
        self._take(NOTHING)
        try:
            self._take(await self.connection._wait(lambda: session.execute(sql, parameters or ())))
        finally:
            if self._outcome is not EMPTY:
                self.lastrowid = session.last_rowid
        return self

    async def executemany(self, sql: str, parameters: Iterable[Arguments]) -> Cursor:
        session, rows = self.connection._session(), list(parameters)
        self._take(NOTHING)
        self._take(await self.connection._wait(lambda: session.execute_many(sql, rows)))
        return self

    async def executescript(self, sql_script: str) -> Cursor:
        session = self.connection._session()
        await self.connection._wait(lambda: session.execute_script(sql_script))
        return self

    async def fetchone(self) -> Any:
        rows = self._next(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return self._next(self.arraysize if size is None else size)

    async def fetchall(self) -> list[Any]:
        return self._next(len(self._outcome.rows))

    async def close(self) -> None:
        self._take(NOTHING)

    async def __aenter__(self) -> Cursor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Any]:
        for row in self._next(len(self._outcome.rows)):
            yield row
