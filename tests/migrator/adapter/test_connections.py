"""The connection itself: threads, its end, a server that is not there, and what only SQLite has."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrator import adapter

from .both import Both, failed


def in_a_thread(work: Callable[[], Any]) -> Any:
    """What it returned, or the error that it raised."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except sqlite3.Error as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_a_path_is_sqlites_own_connection(tmp_path: Path) -> None:
    for place in (f"sqlite:///{tmp_path / 'a.db'}", str(tmp_path / "a.db"), tmp_path / "a.db", ":memory:"):
        with closing(adapter.connect(place, isolation_level=None)) as connection:
            assert type(connection) is sqlite3.Connection
            assert connection.isolation_level is None


def test_another_thread_is_turned_away(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        cursor = connection.cursor()
        work = (connection.commit, connection.cursor, lambda: cursor.execute("SELECT 1"), connection.close)
        errors = [in_a_thread(one) for one in work]
        assert all("thread" in str(error) for error in errors)
        return [type(error).__name__ for error in errors], connection.execute("SELECT 1").fetchone()

    unchanged.same(body)


def test_threads_may_share_one_that_is_made_for_it(unchanged: Both) -> None:
    with closing(adapter.connect(unchanged.url, check_same_thread=False)) as connection:
        queries = [
            lambda number=number: connection.execute("SELECT id, ? FROM orders", (str(number),)).fetchall()
            for number in range(40)
        ]
        found: dict[int, Any] = {}

        def work(first: int) -> None:
            for number in range(first, 40, 4):
                found[number] = queries[number]()

        threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {number: [(1, str(number)), (2, str(number)), (3, str(number))] for number in range(40)}


def test_what_is_closed_cannot_be_used(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        cursor = connection.cursor()
        cursor.close()
        found = []
        for work in (lambda: cursor.execute("SELECT 1"), cursor.fetchone, connection.close, connection.commit):
            try:
                found.append(work())
            except sqlite3.Error as error:
                found.append(failed(error))
        return found

    unchanged.same(body)


def test_a_statement_is_interrupted(unchanged: Both) -> None:
    with closing(adapter.connect(unchanged.url, check_same_thread=False)) as connection:
        over = threading.Event()

        def interrupt() -> None:
            while not over.wait(0.1):
                connection.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(sqlite3.OperationalError, match="interrupted"):
                connection.execute("SELECT count(*) FROM " + ", ".join(f"customers c{n}" for n in range(18)))
        finally:
            over.set()
            thread.join()
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (3,)


def test_a_connection_that_breaks_is_an_operational_error(both: Both) -> None:
    with closing(adapter.connect(both.url)) as connection, psycopg.connect(both.url, autocommit=True) as admin:
        connection.execute("INSERT INTO orders (customer) VALUES (1)")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", ("migrator.adapter",)
        )
        time.sleep(0.2)
        with pytest.raises(sqlite3.OperationalError) as lost:
            connection.execute("SELECT 1 FROM orders")
        assert isinstance(lost.value.__cause__, psycopg.Error)
        assert not connection.in_transaction


def test_no_password_is_told() -> None:
    for url in ("postgresql://user:S3CRETWORD@127.0.0.1:1/db?connect_timeout=1", "postgresql://u:S3CRET%zzWORD@h/d"):
        with pytest.raises(sqlite3.OperationalError) as refused:
            adapter.connect(url)
        assert "S3CRET" not in str(refused.value)
        assert "WORD" not in str(refused.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.create_function("f", 1, str), lambda c: c.create_collation("x", None), lambda c: c.backup(None),
        lambda c: list(c.iterdump()), lambda c: c.set_trace_callback(print),
    ],
)  # fmt: skip
def test_what_only_sqlite_has_says_what_to_do(unchanged: Both, call: Callable[[Any], object]) -> None:
    with (
        closing(adapter.connect(unchanged.url)) as connection,
        pytest.raises(sqlite3.NotSupportedError, match="psycopg"),
    ):
        call(connection)


def test_the_module_has_what_programs_take_from_sqlite3() -> None:
    ours = {name for name in dir(sqlite3) if name.isupper() and name.startswith("PARSE")} | {
        "Row", "Connection", "Cursor", "Error", "Warning", "Binary", "paramstyle", "apilevel", "threadsafety",
        "connect", "register_adapter", "register_converter", "Timestamp", "sqlite_version", "complete_statement",
    }  # fmt: skip
    assert {name for name in ours if not hasattr(adapter, name)} == set()
    assert adapter.IntegrityError is sqlite3.IntegrityError
    assert hasattr(adapter.Connection, "executescript")


def test_many_statements_of_one_program_do_not_fill_the_server(unchanged: Both) -> None:
    with closing(adapter.connect(unchanged.url)) as connection:
        for number in range(300):
            assert connection.execute(f"SELECT {number} + id FROM orders WHERE id = 1").fetchone() == (number + 1,)
        [(left,)] = connection._connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchall()
        assert left <= 260
