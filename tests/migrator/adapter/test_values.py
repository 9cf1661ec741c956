"""Arguments and results at their boundaries: SQLite's value, or a sqlite3 error, and never another value."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator import adapter

from .both import Both, Moved, failed, moved

# Every affinity, and columns whose type in PostgreSQL is chosen by what they hold.
KINDS = """
CREATE TABLE kinds (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, n NUMERIC, b BLOB, flag BOOLEAN, day DATE,
    at DATETIME, clock TIME, money DECIMAL(10, 2), words DATETIME, untyped, short VARCHAR(5), whole NUMERIC, doc JSON,
    is_on INTEGER, made_at INTEGER, mood TEXT, token UUID, list TEXT);
INSERT INTO kinds VALUES
    (1, 1, 1.5, 'a', 0.5, x'00', 1, '2026-01-31', '2026-01-31 10:00:00', '10:00:00', 9.99, 'soon', 'x', 'abc', 7,
     '{"a": 1.0}', 1, 1700000000, 'yes', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '["a","b"]'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'no',
     NULL, NULL),
    (3, -9223372036854775808, -0.0, '', -3, x'', 0, '0001-01-01', '9999-12-31 23:59:59', '23:59:59', -3, '', '', '', 8,
     '[]', 0, 1600000000, 'no', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[]');
"""
COLUMNS = (
    *("i", "r", "t", "n", "b", "flag", "day", "at", "clock", "money", "words", "untyped", "short", "whole", "doc"),
    *("is_on", "made_at", "mood", "token", "list"),
)


@pytest.fixture(scope="module", params=["faithful", "idiomatic"])
def kinds(
    request: pytest.FixtureRequest, embedded_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Moved]:
    folder = tmp_path_factory.mktemp(request.param)
    with moved(embedded_server, folder, KINDS, style=request.param) as found:
        yield found


@pytest.fixture(scope="module")
def pair(kinds: Moved, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    with (
        kinds.copies(tmp_path_factory.mktemp("pair")) as copies,
        closing(sqlite3.connect(copies.path)) as ours,
        closing(adapter.connect(copies.url)) as theirs,
    ):
        yield ours, theirs


class Colour(StrEnum):
    RED = "red"


class Point:
    """Something that a program has registered an adapter for."""


BOUNDARIES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 5, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 1700000000,
    0.0, -0.0, 0.1, 1.0, 2.5, 1e15, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 1.005, 12345678.99, 1e17,
    "", "a", "5", "-7", " 5 ", "5.0", "2.5", "1e3", "0x10", "abcde", "abcdef", "abc      ", "ä𝄞", "a\0b", "yes", "no",
    "2026-02-28", "2026-02-30", "2026-02-28 01:02:03", "2026-02-28T01:02:03", "2026-02-28 01:02:03.5", "01:02:03",
    '{"b": 1, "a": [null]}', '{"a":', '["x", null]', "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
    "c0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", b"", b"\x00\xff", b"5", bytearray(b"x"), memoryview(b"y"), Colour.RED,
    date(2026, 2, 28), datetime(2026, 2, 28, 1, 2, 3, 500_000, tzinfo=UTC),
]  # fmt: skip
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=8),
    st.from_regex(r"[ +-]?[0-9]{1,4}(\.[0-9]{1,3})?(e[0-9])?", fullmatch=True), st.dates().map(str),
)  # fmt: skip


def stored(connection: Any, column: str, value: Any) -> Any:
    """What a program reads back of a value that it has stored, or the error's class. Nothing stays."""
    try:
        connection.execute(f'UPDATE kinds SET "{column}" = ? WHERE id = 1', (value,))
        return connection.execute(f'SELECT "{column}" FROM kinds WHERE id = 1').fetchone()
    except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
        return type(error)
    finally:
        connection.rollback()


def found(connection: Any, query: str, value: Any) -> Any:
    try:
        return connection.execute(query, (value,)).fetchall()
    except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
        return type(error)


def is_right(ours: Any, theirs: Any, column: str) -> bool:
    """Equal with types and bits; or refused by PostgreSQL; or JSON whose meaning is kept, where the plan says so."""
    if isinstance(theirs, type):
        return issubclass(theirs, (sqlite3.DataError, sqlite3.NotSupportedError, OverflowError, UnicodeEncodeError))
    if repr(ours) == repr(theirs):
        return True
    texts = column in ("doc", "list") and isinstance(ours[0], str) and isinstance(theirs[0], str)
    return texts and bool(json.loads(theirs[0]) == json.loads(ours[0]))


@pytest.mark.parametrize("column", COLUMNS)
def test_values_at_boundaries_come_back_or_are_refused(pair: tuple[Any, Any], column: str) -> None:
    taken = 0
    for value in BOUNDARIES:
        ours, theirs = (stored(connection, column, value) for connection in pair)
        assert is_right(ours, theirs, column), f"{column} = {value!r}: {theirs!r} instead of {ours!r}"
        taken += not isinstance(theirs, type)
    assert taken >= 2


@pytest.mark.parametrize("column", COLUMNS)
def test_comparisons_at_boundaries_are_alike_or_refused(pair: tuple[Any, Any], column: str) -> None:
    for operator in ("=", ">", "<=", "IS"):
        query = f'SELECT id FROM kinds WHERE "{column}" {operator} ? ORDER BY id'
        for value in BOUNDARIES:
            ours, theirs = (found(connection, query, value) for connection in pair)
            assert is_right(ours, theirs, ""), f"{query} {value!r}: {theirs!r} instead of {ours!r}"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(column=st.sampled_from(COLUMNS), value=ANYTHING, operator=st.sampled_from(["=", "<", ">=", "<>"]))
def test_any_value_is_stored_and_compared_alike_or_refused(
    pair: tuple[Any, Any], column: str, value: Any, operator: str
) -> None:
    ours, theirs = (stored(connection, column, value) for connection in pair)
    assert is_right(ours, theirs, column), f"{column} = {value!r}: {theirs!r} instead of {ours!r}"
    query = f'SELECT id FROM kinds WHERE "{column}" {operator} ? ORDER BY id'
    ours, theirs = (found(connection, query, value) for connection in pair)
    assert is_right(ours, theirs, ""), f"{query} {value!r}: {theirs!r} instead of {ours!r}"


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_reads_as_it_was(pair: tuple[Any, Any], column: str) -> None:
    ours, theirs = (connection.execute(f'SELECT "{column}" FROM kinds ORDER BY id').fetchall() for connection in pair)
    assert all(is_right(one, other, column) for one, other in zip(ours, theirs, strict=True)), (ours, theirs)


def test_a_text_with_nul_is_a_data_error(unchanged: Both) -> None:
    with closing(adapter.connect(unchanged.url)) as connection, pytest.raises(sqlite3.DataError, match="NUL"):
        connection.execute("INSERT INTO notes VALUES (?, 1)", ("a\0b",))


def test_values_that_no_column_can_bind_fail_as_in_sqlite(unchanged: Both) -> None:
    def body(connection: Any) -> Any:
        seen: list[Any] = []
        for value in (object(), Decimal("1.5"), [1], 2**63):
            for _ in range(2):
                try:
                    connection.execute("SELECT label FROM orders WHERE pieces = ?", (value,))
                except sqlite3.Error as error:
                    seen.append(failed(error))
                except OverflowError as error:
                    seen.append(str(error))
        return seen

    unchanged.same(body)


def test_registered_adapters_are_used(both: Both) -> None:
    adapter.register_adapter(Point, lambda _: "1;2")

    def body(connection: Any) -> Any:
        connection.execute("INSERT INTO notes VALUES (?, ?)", (Point(), True))
        return connection.execute("SELECT * FROM notes WHERE text = ?", (Point(),)).fetchall()

    assert both.same(body) == [("1;2", 1)]
