"""Transactions as sqlite3 has them: when one begins, what a failed statement takes back, and what commits."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

from migrator import adapter

from .both import Both, attempt, failed

ORDERS = "SELECT id, customer, label FROM orders ORDER BY id"
ADD = "INSERT INTO orders (customer, label) VALUES (?, ?)"


def states(connection: Any, statements: list[str]) -> list[Any]:
    """What became of each, and whether a transaction was open then."""
    return [(attempt(connection, statement), connection.in_transaction) for statement in statements]


@pytest.mark.parametrize("level", ["", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", None])
def test_when_a_transaction_begins(both: Both, level: str | None) -> None:
    def body(connection: Any) -> Any:
        return states(
            connection,
            [
                "SELECT 1",
                "PRAGMA foreign_keys = ON",
                "UPDATE orders SET pieces = 9 WHERE id = 1",
                "SELECT pieces FROM orders WHERE id = 1",
                "ROLLBACK",
                "SELECT pieces FROM orders WHERE id = 1",
                "WITH x AS (SELECT 1 AS n) DELETE FROM notes",
                "BEGIN",
                "BEGIN",
                "DELETE FROM orders WHERE id = 3",
                "COMMIT",
                "COMMIT",
                "BEGIN IMMEDIATE",
                "SELECT count(*) FROM orders",
                "END TRANSACTION",
                "BEGIN EXCLUSIVE TRANSACTION",
                "ROLLBACK TRANSACTION",
            ],
        )

    both.same(body, isolation_level=level)


@pytest.mark.parametrize("level", ["", None])
def test_a_statement_that_fails_takes_back_itself_alone(both: Both, level: str | None) -> None:
    def body(connection: Any) -> Any:
        found: list[Any] = []
        for number in range(6):
            found.append(attempt(connection, ADD, (1, f"good {number}")))
            found.append(attempt(connection, ADD, (1, f"good {number}")))
            found.append(attempt(connection, "SELECT nothing"))
            found.append(attempt(connection, "SELECT count(*) FROM orders"))
            found.append(attempt(connection, ADD, (99, "no such customer")))
            found.append(connection.in_transaction)
        connection.commit()
        connection.rollback()
        return found, [row[1:] for row in connection.execute(ORDERS)]

    both.same(body, isolation_level=level)


def test_what_fails_behind_many_statements_takes_back_itself_alone(both: Both) -> None:
    """More of them than there are places to return to inside of each other, with the program's own between them."""

    def body(connection: Any) -> Any:
        found: list[Any] = []
        for number in range(75):
            found.append(attempt(connection, ADD, (1, f"row {number}")))
            if number % 7 == 0:
                found.append(attempt(connection, ADD, (99, "no such customer")))
            if number % 23 == 5:
                connection.execute("SAVEPOINT own")
            if number % 23 == 21:
                connection.execute("ROLLBACK TO own" if number > 50 else "RELEASE own")
            if number % 10 == 9:
                found.append(attempt(connection, "SELECT count(*) FROM orders"))
        connection.commit()
        return found, [row[1:] for row in connection.execute(ORDERS)]

    both.same(body)


def test_what_fails_first_leaves_an_open_transaction(both: Both) -> None:
    def body(connection: Any) -> Any:
        first = attempt(connection, ADD, (99, "x")), connection.in_transaction
        second = attempt(connection, ADD, (1, "y")), connection.in_transaction
        connection.rollback()
        return first, second, attempt(connection, "SELECT count(*) FROM orders"), connection.in_transaction

    both.same(body)


def test_insert_except_update(both: Both) -> None:
    """The idiom that a PostgreSQL transaction without savepoints breaks."""

    def body(connection: Any) -> Any:
        for label in ("one", "new", "new", "three"):
            try:
                connection.execute(ADD, (1, label))
            except sqlite3.IntegrityError:
                connection.execute("UPDATE orders SET pieces = pieces + 10 WHERE label = ?", (label,))
        connection.commit()
        return connection.execute("SELECT label, pieces FROM orders WHERE label IS NOT NULL ORDER BY label").fetchall()

    assert both.same(body) == [("new", 11), ("one", 11), ("three", 13)]


def test_savepoints(both: Both) -> None:
    def body(connection: Any) -> Any:
        counted = "SELECT count(*) FROM orders"
        return states(
            connection,
            [
                "BEGIN", "DELETE FROM orders WHERE id = 1", "SAVEPOINT a", "DELETE FROM orders WHERE id = 2", counted,
                'SAVEPOINT "b c"', "INSERT INTO orders (customer) VALUES (99)", "DELETE FROM orders", counted,
                'ROLLBACK TO "B C"', counted, "SELECT * FROM nothing", "DELETE FROM orders WHERE id = 3", counted,
                "ROLLBACK TRANSACTION TO SAVEPOINT A", counted, "RELEASE b", "RELEASE SAVEPOINT a", counted, "COMMIT",
                "SAVEPOINT outer", "DELETE FROM orders WHERE id = 2", "SAVEPOINT inner", "DELETE FROM orders", counted,
                "ROLLBACK TO inner", "RELEASE outer", counted, "SAVEPOINT x", "ROLLBACK", "RELEASE x",
                "SAVEPOINT same", "DELETE FROM orders", "SAVEPOINT same", "ROLLBACK TO same", counted, "RELEASE same",
                "ROLLBACK TO same", counted, "RELEASE same",
            ],
        )  # fmt: skip

    both.same(body, isolation_level=None)


def test_with_commits_or_rolls_back_and_does_not_close(both: Both) -> None:
    def body(connection: Any) -> Any:
        with connection as entered:
            entered.execute(ADD, (1, "kept"))
        with suppress(ZeroDivisionError), connection:
            connection.execute(ADD, (1, "lost"))
            raise ZeroDivisionError
        return connection.in_transaction, [row[2] for row in connection.execute(ORDERS)]

    assert both.same(body) == (False, ["one", None, "three", "kept"])


def test_a_reference_that_is_looked_at_last(both: Both) -> None:
    """COMMIT fails and leaves the transaction open, so that the program can mend it."""

    def body(connection: Any) -> Any:
        connection.execute("INSERT INTO parts (id, whole) VALUES (2, 1)")
        found = []
        with pytest.raises(sqlite3.IntegrityError) as refused:
            connection.commit()
        found += [failed(refused.value), connection.in_transaction]
        connection.execute("INSERT INTO parts (id) VALUES (1)")
        connection.commit()
        connection.execute("DELETE FROM parts WHERE id = 1")
        with pytest.raises(sqlite3.IntegrityError), connection:
            pass
        return found, connection.in_transaction, connection.execute("SELECT * FROM parts ORDER BY id").fetchall()

    both.same(body)


def test_scripts(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute(ADD, (1, "before"))
        connection.executescript(
            "-- a comment; with a semicolon\nINSERT INTO orders (customer, label) VALUES (1, ';');\n"
            "BEGIN; UPDATE orders SET pieces = 5; COMMIT; SAVEPOINT s; DELETE FROM notes;"
        )
        first = connection.in_transaction, connection.execute("SELECT label, pieces FROM orders").fetchall()
        connection.rollback()
        with pytest.raises(sqlite3.IntegrityError):
            connection.executescript("DELETE FROM notes; INSERT INTO orders (customer) VALUES (99); DELETE FROM orders")
        return first, connection.in_transaction, connection.execute("SELECT count(*) FROM orders").fetchall()

    both.same(body)


@pytest.mark.parametrize("level", ["", None])
def test_many_rows_of_which_one_fails(both: Both, level: str | None) -> None:
    """Those before it stay."""

    def body(connection: Any) -> Any:
        rows = [(1, f"row {number}") for number in range(700)] + [(99, "no such customer"), (1, "behind")]
        with pytest.raises(sqlite3.IntegrityError) as refused:
            connection.executemany(ADD, rows)
        told = failed(refused.value), connection.in_transaction, connection.total_changes
        connection.commit()
        return told, connection.execute("SELECT count(*), max(label) FROM orders").fetchall()

    both.same(body, isolation_level=level)


def test_many_rows_of_which_one_cannot_be_sent(both: Both) -> None:
    def body(connection: Any) -> Any:
        rows = [(1, "a"), (1, "b"), (1, object()), (1, "c")]
        with pytest.raises(sqlite3.ProgrammingError):
            connection.executemany(ADD, rows)
        connection.commit()
        found = [row[1:] for row in connection.execute(ORDERS)]
        with pytest.raises(ZeroDivisionError):
            connection.executemany(ADD, ((1, f"{1 / (2 - number)}") for number in range(5)))
        return found, connection.in_transaction, [row[1:] for row in connection.execute(ORDERS)]

    both.same(body)


def test_changing_the_isolation_level_to_none_commits(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute(ADD, (1, "kept"))
        connection.isolation_level = None
        found = connection.in_transaction, connection.isolation_level
        with pytest.raises(ValueError, match="isolation_level"):
            connection.isolation_level = "READ COMMITTED"
        return found, connection.execute(ORDERS).fetchall()

    both.same(body)


def test_what_was_not_committed_is_lost(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute(ADD, (1, "lost"))
        connection.close()
        connection.close()
        return attempt(connection, "SELECT 1")

    both.same(body)
    with closing(adapter.connect(both.url)) as again:
        assert len(again.execute(ORDERS).fetchall()) == 3


def test_one_writes_at_a_time(both: Both) -> None:
    """Who waits for longer than the timeout is told what SQLite would tell him; readers do not wait."""
    with closing(adapter.connect(both.url)) as first, closing(adapter.connect(both.url, timeout=0.1)) as second:
        first.execute(ADD, (1, "first"))
        assert second.execute("SELECT count(*) FROM orders").fetchone() == (3,)
        with pytest.raises(sqlite3.OperationalError, match="database is locked") as locked:
            second.execute("UPDATE customers SET score = 1")
        assert locked.value.sqlite_errorname == "SQLITE_BUSY"
        assert isinstance(locked.value.__cause__, psycopg.errors.LockNotAvailable)
        first.commit()
        second.execute("UPDATE customers SET score = 1 WHERE id = 1")
        second.commit()
        assert first.execute("SELECT score FROM customers WHERE id = 1").fetchone() == (1.0,)


def test_counting_in_two_threads_loses_nothing(both: Both) -> None:
    def count() -> None:
        with closing(adapter.connect(both.url, isolation_level="IMMEDIATE", timeout=60)) as connection:
            for _ in range(25):
                with connection:
                    connection.execute("UPDATE customers SET balance = balance")
                    [(pieces,)] = connection.execute("SELECT pieces FROM orders WHERE id = 1")
                    connection.execute("UPDATE orders SET pieces = ? WHERE id = 1", (pieces + 1,))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(adapter.connect(both.url)) as connection:
        assert connection.execute("SELECT pieces FROM orders WHERE id = 1").fetchone() == (76,)


def test_a_snapshot_that_is_old_cannot_be_written_over(both: Both) -> None:
    with closing(adapter.connect(both.url, isolation_level=None)) as one, closing(adapter.connect(both.url)) as other:
        one.execute("BEGIN")
        assert one.execute("SELECT pieces FROM orders WHERE id = 1").fetchone() == (1,)
        with other:
            other.execute("UPDATE orders SET pieces = 2 WHERE id = 1")
        assert one.execute("SELECT pieces FROM orders WHERE id = 1").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            one.execute("UPDATE orders SET pieces = 3 WHERE id = 1")
        one.execute("ROLLBACK")
        one.execute("UPDATE orders SET pieces = pieces + 1 WHERE id = 1")
        assert other.execute("SELECT pieces FROM orders WHERE id = 1").fetchone() == (3,)
