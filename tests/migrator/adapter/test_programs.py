"""Programs that were written for sqlite3 see the same on both engines: values with their types, names and counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from migrator import adapter

from .both import Both, attempt

QUERIES: list[tuple[str, Any]] = [
    ("SELECT * FROM customers ORDER BY id", ()),
    ("SELECT name, active, score FROM customers WHERE id = ?", (2,)),
    ("SELECT name FROM customers WHERE email = ?", ("ADA@example.org",)),
    ("SELECT count(*), max(score), sum(pieces) FROM customers, orders", ()),
    ("SELECT max(balance), min(balance) FROM customers WHERE id <> 3", ()),
    ("SELECT active, NOT active, active + 1, active = 1 FROM customers ORDER BY id", ()),
    ("SELECT c.name AS who, o.label, o.price FROM customers c LEFT JOIN orders o ON o.customer = c.id "
     "ORDER BY c.id, o.id", ()),
    ("SELECT * FROM spent ORDER BY customer", ()),
    ("SELECT photo, length(photo) FROM customers WHERE photo = ?", (b"\x00\xff",)),
    ("SELECT photo FROM customers WHERE photo = :p", {"p": bytearray(b"")}),
    ("SELECT label FROM orders WHERE pieces IN (?, ?) ORDER BY 1", (1, True)),
    ("SELECT id FROM customers WHERE active = ? ORDER BY id", (True,)),
    ("SELECT id FROM orders WHERE price > ? ORDER BY id", (0.25,)),
    ("SELECT id FROM customers WHERE score > ? ORDER BY id LIMIT ?", (1, 10)),
    ("SELECT name FROM customers WHERE since >= ? ORDER BY since", ("2026-01-01 10:00:00",)),
    ("SELECT name FROM customers WHERE since BETWEEN ? AND ?", ("2026-01-01 10:00:01", "9999-12-31 23:59:59")),
    ("SELECT max(since), count(since) FROM customers", ()),
    ("SELECT 1, 2.5, 'x', NULL, x'00'", ()),
    ("SELECT ?, :b, ? + 1", ("a", 2.5, 3)),
    ("SELECT id FROM orders WHERE ?2 = label AND ?1 = pieces AND pieces = ?1", (1, "one")),
    ("SELECT id, '50%', pieces % 2 FROM orders WHERE label LIKE '%' || :l AND pieces % :two = 1", {"two": 2, "l": "e"}),
    ("SELECT id, ? AS mark FROM orders ORDER BY id", (None,)),
    ("SELECT id FROM orders WHERE pieces * ? > ? ORDER BY id", (1.5, 2)),
    ("SELECT rowid, label FROM orders ORDER BY rowid", ()),
    ("SELECT name FROM customers WHERE name LIKE ? ORDER BY name", ("%b%",)),
    ("WITH big AS (SELECT * FROM orders WHERE pieces > ?) SELECT label FROM big ORDER BY id", (1,)),
    ("SELECT country FROM codes WHERE code = @c AND label = $l", {"c": 1, "l": "un"}),
    ("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", ("orders",)),
    ("PRAGMA table_info(orders)", ()),
    ("PRAGMA foreign_key_list('orders')", ()),
    ("PRAGMA foreign_keys", ()),
    ("", ()),
    ("-- nothing", ()),
]  # fmt: skip


@pytest.mark.parametrize(("query", "arguments"), QUERIES)
def test_queries(unchanged: Both, query: str, arguments: Any) -> None:
    def body(connection: Any) -> Any:
        cursor = connection.execute(query, arguments)
        return cursor.description, cursor.rowcount, cursor.fetchall(), cursor.lastrowid, connection.in_transaction

    unchanged.same(body)


CHANGES: list[tuple[str, Any]] = [
    ("INSERT INTO orders (customer, label) VALUES (?, ?)", (1, "new")),
    ("INSERT INTO orders (id, customer, label) VALUES (?, ?, ?)", (70, 1, "new")),
    ("INSERT INTO orders (id, customer, label) VALUES (?, ?, ?)", (None, 1, "new")),
    ("INSERT INTO orders VALUES (NULL, ?, 'new', NULL, ?)", (1, 7)),
    ("INSERT INTO orders (customer, price) VALUES (1, ?), (3, ?)", (1, 2.5)),
    ("INSERT INTO orders (customer, label) SELECT id, name FROM customers", ()),
    ("INSERT OR IGNORE INTO orders (customer, label) VALUES (1, 'one')", ()),
    ("INSERT OR IGNORE INTO orders (customer, label) VALUES (1, 'another')", ()),
    ("INSERT INTO orders (id, customer) VALUES (1, 3) ON CONFLICT (id) DO UPDATE SET customer = excluded.customer", ()),
    ("INSERT INTO codes VALUES ('it', 1, 'uno')", ()),
    ("REPLACE INTO codes (country, code, label) VALUES ('de', 1, 'Eins')", ()),
    ("INSERT INTO customers (name, active, balance) VALUES (?, ?, ?)", ("Eve", False, 7)),
    ("INSERT INTO customers (name, since) VALUES (?, ?)", ("Eve", "2027-01-01 00:00:00")),
    ("INSERT INTO customers (name) VALUES ('Eve') RETURNING id, name, active", ()),
    ("UPDATE orders SET pieces = pieces + 1, label = upper(label) WHERE customer = ?", (1,)),
    ("UPDATE customers SET active = 0", ()),
    ("UPDATE customers SET score = ?, photo = ? WHERE id = 1", (7, memoryview(b"abc"))),
    ("DELETE FROM orders WHERE customer = ?", (1,)),
    ("DELETE FROM customers WHERE id = 1", ()),
    ("DELETE FROM orders", ()),
    ("UPDATE orders SET label = 'x' WHERE 0 = 1", ()),
]  # fmt: skip
TABLES = ("SELECT * FROM customers ORDER BY 1", "SELECT * FROM codes ORDER BY 1, 2", "SELECT * FROM notes ORDER BY 2")


@pytest.mark.parametrize(("statement", "arguments"), CHANGES)
def test_changes(both: Both, statement: str, arguments: Any) -> None:
    def body(connection: Any) -> Any:
        cursor = connection.execute(statement, arguments)
        told = cursor.fetchall(), cursor.rowcount, cursor.lastrowid, connection.in_transaction
        connection.commit()
        orders = "SELECT * FROM orders ORDER BY id"
        return told, [connection.execute(query).fetchall() for query in (*TABLES, orders)]

    assert both.same(body)


def test_a_row_without_an_id_of_its_own(both: Both) -> None:
    """SQLite numbers it, PostgreSQL does not; everything else is the same."""

    def body(connection: Any) -> Any:
        cursor = connection.execute("INSERT INTO notes VALUES (?, ?)", ("n", 2**63 - 1))
        assert cursor.lastrowid == (1 if isinstance(connection, sqlite3.Connection) else None)
        return cursor.rowcount, connection.total_changes, connection.execute("SELECT * FROM notes").fetchall()

    both.same(body)


def test_an_id_that_is_given_is_gone_on_from(both: Both) -> None:
    def body(connection: Any) -> Any:
        ids = [connection.execute("INSERT INTO notes VALUES ('a', 1)").rowcount]
        for given in (None, 100, None, 40, None):
            statement = "INSERT INTO orders (id, customer) VALUES (?, 1)"
            ids.append(connection.execute(statement, (given,)).lastrowid)
        connection.executemany("INSERT INTO orders (id, customer) VALUES (?, 1)", [(500,), (450,)])
        return [*ids, connection.execute("INSERT INTO orders (customer) VALUES (1)").lastrowid]

    assert both.same(body)[-1] == 501


def test_cursors(both: Both) -> None:
    def body(connection: Any) -> Any:
        cursor = connection.cursor()
        seen = [cursor.description, cursor.rowcount, cursor.lastrowid, cursor.arraysize, cursor.fetchone()]
        cursor.execute("SELECT id FROM customers ORDER BY id")
        seen += [cursor.fetchone(), cursor.fetchmany(), cursor.fetchmany(5), cursor.fetchone(), cursor.fetchall()]
        seen += [list(cursor.execute("SELECT id, name FROM customers ORDER BY id")), next(cursor, None)]
        cursor.executemany("UPDATE orders SET pieces = ? WHERE id = ?", [(7, 1), (8, 2), (9, 99)])
        seen += [cursor.rowcount, cursor.description, cursor.lastrowid, cursor.fetchall()]
        cursor.executemany("INSERT INTO notes VALUES (:a, :b)", ({"a": str(n), "b": n} for n in range(1200)))
        seen += [cursor.rowcount, connection.execute("SELECT count(*), sum(n) FROM notes").fetchone()]
        cursor.executemany("INSERT INTO notes VALUES (?, ?)", [])
        return [*seen, cursor.rowcount, connection.total_changes, cursor.connection is connection]

    both.same(body)


def test_rows_by_name(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        connection.row_factory = adapter.Row
        first, second = connection.execute("SELECT id, name AS Who, 1 FROM customers ORDER BY id LIMIT 2").fetchall()
        again = connection.execute("SELECT id, name AS Who, 1 FROM customers WHERE id = 1").fetchone()
        assert (first == again, first == second, hash(first) == hash(again)) == (True, False, True)
        return first["WHO"], first[0], first[-1], first[0:2], first.keys(), len(first), list(first), tuple(second)

    unchanged.same(body)


def test_sqlites_own_row_class_and_factories(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT id, name FROM customers WHERE id = 1").fetchone()
        connection.row_factory = lambda cursor, values: {
            d[0]: v for d, v in zip(cursor.description, values, strict=True)
        }
        mapped = connection.execute("SELECT id, name FROM customers WHERE id = 2").fetchone()
        cursor = connection.cursor()
        cursor.row_factory = None
        return row["NAME"], dict(row), row.keys(), mapped, cursor.execute("SELECT 1").fetchall()

    unchanged.same(body)


def test_a_missing_name_is_an_index_error(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        connection.row_factory = adapter.Row
        with pytest.raises(IndexError):
            connection.execute("SELECT 1 AS a").fetchone()["b"]

    unchanged.same(body)


FAILURES: list[tuple[str, Any]] = [
    ("INSERT INTO customers (name, email) VALUES ('Eve', 'ADA@example.org')", ()),
    ("INSERT INTO orders (customer, label) VALUES (1, 'one')", ()),
    ("INSERT INTO orders (id, customer) VALUES (1, 1)", ()),
    ("INSERT INTO codes VALUES ('de', 1, 'x')", ()),
    ("INSERT INTO customers (name) VALUES (NULL)", ()),
    ("INSERT INTO customers (name) VALUES (?)", (None,)),
    ("INSERT INTO orders (customer) VALUES (?)", (77,)),
    ("UPDATE orders SET customer = 77 WHERE id = 1", ()),
    ("SELECT nothing FROM customers", ()),
    ("SELECT * FROM nothing", ()),
    ("SELEC 1", ()),
    ("SELECT 1; SELECT 2", ()),
    ("SELECT ?", ()),
    ("SELECT name FROM customers WHERE id = ?", (1, 2)),
    ("SELECT name FROM customers WHERE id = :id", {}),
    ("SELECT name FROM customers WHERE id = ?", (object(),)),
    ("INSERT INTO customers VALUES (1)", ()),
    ("COMMIT", ()),
    ("ROLLBACK", ()),
    ("RELEASE nothing", ()),
]


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(("statement", "arguments"), FAILURES)
def test_failures(unchanged: Both, statement: str, arguments: Any, twice: bool) -> None:
    """What fails with SQLite's words, also once the statement is known."""

    def body(connection: Any) -> Any:
        first = attempt(connection, statement, arguments) if twice else None
        return first, attempt(connection, statement, arguments), connection.in_transaction

    unchanged.same(body)


def test_a_check_that_fails(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        return attempt(connection, "INSERT INTO customers (name) VALUES ('x')")[0]

    assert unchanged.same(body) == "IntegrityError"


DETECTED = adapter.PARSE_DECLTYPES | adapter.PARSE_COLNAMES


@pytest.mark.parametrize("detected", [0, adapter.PARSE_DECLTYPES, adapter.PARSE_COLNAMES, DETECTED])
def test_types_are_detected_as_sqlite3_detects_them(unchanged: Both, detected: int) -> None:
    adapter.register_converter("boolean", lambda raw: raw == b"1")
    adapter.register_converter("loud", lambda raw: raw.decode().upper())

    def body(connection: Any) -> Any:
        columns = 'active, name AS "name [loud]", score, since, price'
        joined = "customers JOIN orders ON customer = customers.id"
        cursor = connection.execute(f"SELECT {columns} FROM {joined} ORDER BY orders.id")
        return cursor.description, cursor.fetchall()

    try:
        unchanged.same(body, detect_types=detected)
    finally:
        del sqlite3.converters["BOOLEAN"], sqlite3.converters["LOUD"]


def test_text_factories(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        connection.text_factory = bytes
        found = connection.execute("SELECT name, id, email, photo FROM customers ORDER BY id").fetchall()
        connection.text_factory = lambda raw: raw.decode().upper()
        return found, connection.execute("SELECT name FROM customers ORDER BY id").fetchall()

    unchanged.same(body)


def test_what_the_last_statement_did(both: Both) -> None:
    def body(connection: Any) -> Any:
        told: list[Any] = []

        def ask() -> None:
            cursor = connection.execute("SELECT last_insert_rowid(), changes(), total_changes(), ? AS n", (5,))
            told.append((cursor.description, cursor.fetchall()))

        ask()
        connection.execute("INSERT INTO orders (customer, label) VALUES (1, 'new'), (3, 'newer')")
        ask()
        connection.execute("UPDATE orders SET pieces = 5 WHERE id > 1 AND last_insert_rowid() > changes()")
        ask()
        attempt(connection, "INSERT INTO orders (customer, label) VALUES (1, 'one')")
        ask()
        connection.execute("INSERT INTO parts (note, whole) VALUES ('part', last_insert_rowid())")
        connection.execute("INSERT INTO codes VALUES ('it', 1, last_insert_rowid() || 'x')")
        ask()
        connection.executemany("UPDATE orders SET pieces = ? WHERE id < ?", [(1, 3), (2, 2)])
        connection.execute("SELECT id FROM orders").fetchall()
        ask()
        connection.execute("DELETE FROM parts WHERE id = last_insert_rowid()")
        rows = [connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in ("orders", "codes")]
        return told, rows, connection.execute("SELECT Changes ( ) AS c").fetchone()

    both.same(body)


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO notes VALUES ('a', last_insert_rowid()), ('b', 2)", "INSERT INTO notes SELECT 'x', changes()"],
)
def test_what_changes_from_row_to_row_is_not_guessed(both: Both, statement: str) -> None:
    with closing(adapter.connect(both.url)) as connection:
        with pytest.raises(sqlite3.NotSupportedError, match="row by row"):
            connection.execute(statement)
        with pytest.raises(sqlite3.NotSupportedError, match="row by row"):
            connection.executemany("INSERT INTO notes VALUES (?, last_insert_rowid())", [("a",)])
        connection.executemany("INSERT INTO parts (note) VALUES (?)", [("a",)])
        with pytest.raises(sqlite3.NotSupportedError, match="RETURNING"):
            connection.execute("SELECT last_insert_rowid()")
        assert connection.execute("SELECT changes()").fetchone() == (1,)


def test_a_sum_of_reals_is_a_real_beside_other_numbers(both: Both) -> None:
    def body(connection: Any) -> Any:
        connection.execute("UPDATE customers SET score = 2, balance = ?", (0.5,))
        asked = "SELECT sum(score), avg(balance), total(pieces), max(score) FROM customers, orders WHERE balance > 0.25"
        return connection.execute(asked).fetchall()

    assert both.same(body) == [(18.0, 0.5, 18.0, 2.0)]
