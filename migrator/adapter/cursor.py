"""sqlite3's Cursor, over PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migrator.adapter.detection import converted, name_of
from migrator.adapter.rows import Row
from migrator.adapter.session import EMPTY, NOTHING, Outcome

if TYPE_CHECKING:
    from migrator.adapter.connection import Connection
    from migrator.adapter.shadow import Arguments

RowFactory = Callable[[Any, tuple[Any, ...]], Any]
Described = tuple[tuple[str, None, None, None, None, None, None], ...]


class Result:
    """What a cursor of either kind has of the statement that it executed last."""

    def __init__(
        self, row_factory: RowFactory | None, text_factory: Callable[[bytes], Any] = str, detect_types: int = 0
    ) -> None:
        self._text_factory, self._detect_types = text_factory, detect_types
        self.arraysize = 1
        self.row_factory = row_factory
        self.lastrowid: int | None = None
        self._outcome = NOTHING
        self._place = 0

    @property
    def description(self) -> Described | None:
        names = self._outcome.names
        if names is not None and self._detect_types & sqlite3.PARSE_COLNAMES:
            names = tuple(map(name_of, names))
        return None if names is None else tuple((name, None, None, None, None, None, None) for name in names)

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount

    def _take(self, outcome: Outcome) -> None:
        self._outcome, self._place = outcome, 0

    def _made(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        if self._detect_types or self._text_factory is not str:
            rows = converted(rows, self._outcome, self._detect_types, self._text_factory)
        factory = Row if self.row_factory is sqlite3.Row else self.row_factory
        return list(rows) if factory is None else [factory(self, row) for row in rows]

    def _next(self, count: int) -> list[Any]:
        rows = self._outcome.rows[self._place : self._place + count]
        self._place += len(rows)
        return self._made(rows)


class Cursor(Result):
    """Made by Connection.cursor(). Methods raise sqlite3's exceptions."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.row_factory, connection.text_factory, connection.detect_types)
        self.connection = connection
        self._closed = False

    def execute(self, sql: str, parameters: Arguments = (), /) -> Cursor:
        session = self._session()
        self._take(NOTHING)
        try:
            self._take(self.connection._wait(lambda: session.execute(sql, parameters)))
        finally:
            if self._outcome is not EMPTY:
                self.lastrowid = session.last_rowid
        return self

    def executemany(self, sql: str, parameters: Iterable[Arguments], /) -> Cursor:
        session = self._session()
        self._take(NOTHING)
        self._take(self.connection._wait(lambda: session.execute_many(sql, parameters)))
        return self

    def executescript(self, sql_script: str, /) -> Cursor:
        session = self._session()
        self.connection._wait(lambda: session.execute_script(sql_script))
        return self

    def fetchone(self) -> Any:
        self._session()
        rows = self._next(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        self._session()
        return self._next(self.arraysize if size is None else size)

    def fetchall(self) -> list[Any]:
        self._session()
        return self._next(len(self._outcome.rows))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self._session()
        rows = self._next(1)
        if not rows:
            raise StopIteration
        return rows[0]

    def close(self) -> None:
        self.connection._check()
        self._closed = True
        self._take(NOTHING)

    def setinputsizes(self, sizes: Any, /) -> None:
        """Does nothing, as in sqlite3."""

    def setoutputsize(self, size: Any, column: Any = None, /) -> None:
        """Does nothing, as in sqlite3."""

    def _session(self) -> Any:
        session = self.connection._check()
        if self._closed:
            raise sqlite3.ProgrammingError("Cannot operate on a closed cursor.")
        return session
