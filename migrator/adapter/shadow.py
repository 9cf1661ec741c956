"""The tables without their rows, in SQLite: it says what it thinks of a statement, and answers what is about them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from migrator.core.model import fold

Arguments = Sequence[Any] | Mapping[str, Any]
CATALOG = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"})
_MOST_STEPS = 1_000_000  # of SQLite's machine, over tables without rows


@dataclass(frozen=True)
class Compiled:
    """What a statement reads and writes, by folded names; a column '' or None stands for all of its table."""

    columns: frozenset[tuple[str, str]]
    writes: frozenset[str]
    names: tuple[str, ...] | None  # of the result, where it is a query's

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(table for table, _ in self.columns) | self.writes

    @property
    def is_about_the_schema(self) -> bool:
        return bool(self.tables) and self.tables <= CATALOG and not self.writes


class Shadow:
    """One for all connections to the same tables."""

    def __init__(self, definitions: Iterable[str]) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._seen: list[tuple[int, str | None, str | None]] = []
        for statement in definitions:
            with suppress(sqlite3.Error):
                self._db.execute(statement)
        self._triggers = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
        self._db.set_progress_handler(lambda: 1, _MOST_STEPS)

    def compile(self, sql: str, arguments: Arguments, *, query: bool) -> Compiled:
        """Raises what sqlite3 raises for a statement or for arguments that it does not understand."""
        with self._lock, self._watched():
            self._db.execute(f"EXPLAIN {sql}", arguments)
            seen = [(action, fold(table or ""), fold(column or "")) for action, table, column in self._seen]
        columns = {(table, column) for action, table, column in seen if action in _READ_OR_SET}
        writes = {table for action, table, _ in seen if action in _WRITE}
        return Compiled(frozenset(columns), frozenset(writes), self._names(sql, arguments) if query else None)

    def answer(self, sql: str, arguments: Arguments = ()) -> tuple[tuple[str, ...] | None, list[tuple[Any, ...]]]:
        """Names and rows of a statement about the schema. Raises sqlite3.Error."""
        with self._lock:
            cursor = self._db.execute(sql, arguments)
            return _names_of(cursor), cursor.fetchall()

    def _names(self, sql: str, arguments: Arguments) -> tuple[str, ...] | None:
        with self._lock, suppress(sqlite3.Error):
            cursor = self._db.execute(sql, arguments)
            names = _names_of(cursor)
            cursor.close()
            return names
        return None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._seen.clear()
        self._db.set_authorizer(self._see)
        try:
            yield
        finally:
            self._db.set_authorizer(None)

    def _see(self, action: int, one: str | None, other: str | None, _: str | None, within: str | None) -> int:
        """What a trigger does is not the statement's; `within` may be a view too."""
        if (action in _READ_OR_SET or action in _WRITE) and within not in self._triggers:
            self._seen.append((action, one, other))
        return sqlite3.SQLITE_OK

    def close(self) -> None:
        self._db.close()


_READ_OR_SET = (sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE)
_WRITE = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE, sqlite3.SQLITE_UPDATE)


def _names_of(cursor: sqlite3.Cursor) -> tuple[str, ...] | None:
    return tuple(column[0] for column in cursor.description) if cursor.description else None
