"""sqlite3's Connection, over PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import psycopg

from migrator.adapter.cursor import Cursor, RowFactory
from migrator.adapter.opening import parameters, session_of, tables_at, target_of
from migrator.adapter.session import Session
from migrator.core.redact import redact

if TYPE_CHECKING:
    from psycopg.abc import PQGen

    from migrator.adapter.shadow import Arguments

_Answer = TypeVar("_Answer")
ISOLATION_LEVELS = ("", "DEFERRED", "IMMEDIATE", "EXCLUSIVE")


class Connection:
    """Raises sqlite3's exceptions. One thread's own, as sqlite3's, unless it was made for several."""

    def __init__(
        self,
        url: str,
        timeout: float = 5.0,
        isolation_level: str | None = "",
        *,
        detect_types: int = 0,
        check_same_thread: bool = True,
    ) -> None:
        self.row_factory: RowFactory | None = None
        self.text_factory: Callable[[bytes], Any] = str
        self.detect_types = detect_types
        self._thread = threading.get_ident() if check_same_thread else None
        self._lock = threading.RLock()
        self._target = target_of(url)
        shared = tables_at(self._target)
        try:
            self._connection = psycopg.connect("", **parameters(self._target, timeout))
        except psycopg.Error as error:
            raise unreachable(error, self._target.password) from error
        level = isolation_of(isolation_level)
        self._session: Session | None = session_of(self._connection, self._target, shared, level)

    # -- statements ----------------------------------------------------------------------------------------------------

    def cursor(self, factory: Callable[[Connection], Any] = Cursor) -> Any:
        self._check()
        return factory(self)

    def execute(self, sql: str, parameters: Arguments = (), /) -> Cursor:
        return Cursor(self).execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Arguments], /) -> Cursor:
        return Cursor(self).executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> Cursor:
        return Cursor(self).executescript(sql_script)

    # -- transactions --------------------------------------------------------------------------------------------------

    def commit(self) -> None:
        session = self._check()
        if session.transaction.open:
            self._wait(session.commit)

    def rollback(self) -> None:
        session = self._check()
        if session.transaction.open:
            self._wait(session.rollback)

    @property
    def in_transaction(self) -> bool:
        return self._check().transaction.open

    @property
    def isolation_level(self) -> str | None:
        return self._check().isolation

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        """None commits what is open, as in sqlite3."""
        session = self._check()
        wanted = isolation_of(level)
        if wanted is None:
            self.commit()
        session.isolation = wanted

    @property
    def total_changes(self) -> int:
        return self._check().total_changes

    def __enter__(self) -> Connection:
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> Literal[False]:
        """Commits or rolls back, and leaves the connection open."""
        if kind is not None:
            self.rollback()
            return False
        try:
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return False

    # -- the connection itself -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """What was not committed is lost. May be called again."""
        self._check_thread()
        self._session = None
        self._connection.close()

    def interrupt(self) -> None:
        """From another thread: the statement that is running raises sqlite3.OperationalError."""
        if self._session is None:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
        self._connection.cancel_safe()

    def __getattr__(self, name: str) -> Any:
        if name in _OF_SQLITE:
            return lambda *_, **__: _only_sqlite(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _check(self) -> Session:
        self._check_thread()
        if self._session is None:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
        return self._session

    def _check_thread(self) -> None:
        if self._thread is not None and self._thread != threading.get_ident():
            raise sqlite3.ProgrammingError(
                "SQLite objects created in a thread can only be used in that same thread. The object was created in "
                f"thread id {self._thread} and this is thread id {threading.get_ident()}."
            )

    def _wait(self, conversation: Callable[[], PQGen[_Answer]]) -> _Answer:
        with self._lock:
            try:
                return self._connection.wait(conversation())
            except sqlite3.Error as error:
                if self._session is None or not self._session.suspects(error):
                    raise
                known = self._session.tables
                if tables_at(self._target).tables is known and "cached plan" not in str(error):
                    raise
                self._session.look_again()
                return self._connection.wait(conversation())


def isolation_of(level: str | None) -> str | None:
    if level is not None and level.upper() not in ISOLATION_LEVELS:
        raise ValueError("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")
    return level


def unreachable(error: psycopg.Error, password: str | None) -> sqlite3.OperationalError:
    return sqlite3.OperationalError(f"unable to open database: {redact(' '.join(str(error).split()), password)}")


_OF_SQLITE = {
    *("create_function", "create_aggregate", "create_window_function", "create_collation", "set_authorizer"),
    *("set_progress_handler", "set_trace_callback", "enable_load_extension", "load_extension", "iterdump", "backup"),
    *("blobopen", "serialize", "deserialize", "getlimit", "setlimit", "getconfig", "setconfig"),
}


def _only_sqlite(name: str) -> NoReturn:
    raise sqlite3.NotSupportedError(
        f"{name}() belongs to SQLite's own engine. Where statements need it, do that part in Python, or write a "
        "function for PostgreSQL and call it with psycopg."
    )
