"""Placeholders: SQLite says which number each has, and every driver is given the values that SQLite would bind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import apsw
import asyncpg
import psycopg
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.sql.lexer import tokens
from migrator.core.sql.placeholders import (
    Driver,
    PlaceholderError,
    Placeholders,
    Rendered,
    mark,
    read_placeholders,
    render,
)
from tests.migrator import servers
from tests.migrator.core.engines import called_with


@pytest.fixture(scope="module")
def url(embedded_server: servers.Server) -> Iterator[str]:
    with servers.fresh_database(embedded_server) as found:
        yield found


SPELLINGS = ["?", "?, ?", "?5, ?, ?1", ":a, :b, :a", "@a, $a, :a", "?, :a, ?, ?2", "$a::b(c), ?3, ?", ":1, ?1, :b"]
NAMED = [":a", ":b", "@a", "$a", "$a::b(c)", ":ä", "@1", ":p1"]
spelled = st.lists(st.sampled_from(["?", "?1", "?2", "?7", *NAMED]), min_size=1, max_size=8)


def read(sql: str) -> Placeholders:
    return read_placeholders(list(tokens(sql)))


def values_of(placeholders: Placeholders) -> Any:
    """A value of its own for every number, as Python's sqlite3 would be given them."""
    if placeholders.positional:
        return [f"value {number}" for number in range(1, max(placeholders.numbers) + 1)]
    return {name: f"value {name}" for name in placeholders.names.values()}


def bound_by_sqlite(sql: str, placeholders: Placeholders) -> list[Any]:
    return list(apsw.Connection(":memory:").execute(sql, values_of(placeholders)).fetchone() or ())


@given(spelled)
def test_numbers_are_sqlites(parts: list[str]) -> None:
    sql = f"SELECT {', '.join(parts)}"
    placeholders = read(sql)
    arguments = values_of(placeholders)
    mine = [arguments[placeholders.source(number)] for number in placeholders.numbers]
    assert mine == bound_by_sqlite(sql, placeholders)


@given(st.one_of(spelled, st.sampled_from([text.split(", ") for text in SPELLINGS])), st.sampled_from(Driver))
def test_every_driver_gets_the_values(parts: list[str], driver: Driver) -> None:
    sql = f"SELECT {', '.join(parts)}"
    placeholders = read(sql)
    rendered = render(f"SELECT {', '.join(map(mark, placeholders.numbers))}", placeholders, driver)
    given_values = called_with(rendered, values_of(placeholders))
    assert [given_values[key] for key in _keys(rendered, driver)] == bound_by_sqlite(sql, placeholders)


def _keys(rendered: Rendered, driver: Driver) -> list[Any]:
    """Which argument stands in each place, read from the text as the driver's documentation says."""
    if driver is Driver.ASYNCPG:
        return [int(number) - 1 for number in re.findall(r"\$(\d+)", rendered.sql)]
    if driver is Driver.SQLALCHEMY:
        return re.findall(r":(\w+)", rendered.sql)
    named = re.findall(r"%\((\w+)\)s", rendered.sql)
    return named or list(range(rendered.sql.count("%s")))


LITERALS = [
    "100%",
    "%s",
    "%(a)s",
    "?",
    ":a",
    " :foo",
    "12:30",
    "a::b",
    "\\:a",
    ":ab:",
    "\\",
    "\\::",
    "$1",
    "it''s :x",
    "%%",
    "",
]


@pytest.mark.parametrize("driver", list(Driver))
@pytest.mark.parametrize("given_one", [True, False], ids=["with arguments", "without"])
def test_literals_are_nobodys_placeholders(driver: Driver, given_one: bool, url: str) -> None:
    """Each comes back as it was, through the driver itself."""
    listed = ", ".join(f"'{text}'::text" for text in LITERALS)
    named = f'1 AS "50%", 1 % 2 AS "a:b", {listed}'
    placeholders = read("?") if given_one else Placeholders()
    rendered = render(f"SELECT {mark(1) + '::text' if given_one else 1}, {named}", placeholders, driver)
    row, names = execute(driver, url, rendered, ["mine"])
    assert row[0] == ("mine" if given_one else 1)
    assert [row[2], *row[3:]] == [1, *(text.replace("''", "'") for text in LITERALS)]
    assert names[1:3] == ["50%", "a:b"]


def execute(driver: Driver, url: str, rendered: Rendered, arguments: Any) -> tuple[list[Any], list[str]]:
    values = called_with(rendered, arguments)
    if driver is Driver.PSYCOPG:
        with psycopg.connect(url) as connection:
            cursor = connection.execute(rendered.sql.encode(), values)
            return list(cursor.fetchone() or ()), [column.name for column in cursor.description or ()]
    if driver is Driver.ASYNCPG:
        return asyncio.run(_asyncpg(url, rendered.sql, values or []))
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.connect() as connection:
        result = connection.execute(sqlalchemy.text(rendered.sql), values or {})
        return list(result.one()), list(result.keys())


async def _asyncpg(url: str, sql: str, values: list[Any]) -> tuple[list[Any], list[str]]:
    connection = await asyncpg.connect(url)
    try:
        [row] = await connection.fetch(sql, *values)
        return list(row.values()), list(row.keys())
    finally:
        await connection.close()


def test_arguments_say_what_goes_where() -> None:
    rendered = render(f"{mark(6)} {mark(5)} {mark(1)}", read("?5, ?, ?1"), Driver.ASYNCPG)
    assert rendered.sql == "$3 $2 $1"
    assert [(item.source, item.target) for item in rendered.arguments] == [(0, 0), (4, 1), (5, 2)]
    rendered = render(f"{mark(2)} {mark(1)}", read("?, ?"), Driver.PSYCOPG)
    assert rendered.sql == "%(p2)s %(p1)s"  # in another order than the call's
    assert rendered.by_name


@pytest.mark.parametrize("sql", ["?0", "?99999", "#a"])
def test_what_sqlite_refuses_is_refused(sql: str) -> None:
    with pytest.raises(PlaceholderError):
        read(sql)
