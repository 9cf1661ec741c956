"""A program for aiosqlite sees the same over PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from migrator.adapter import aio

from .both import Both, failed


def same(both: Both, body: Callable[[Any], Awaitable[Any]], **keywords: Any) -> Any:
    """What the program sees on both, types included."""

    async def seen(place: str) -> Any:
        async with aio.connect(place, **keywords) as connection:
            await connection.execute("PRAGMA foreign_keys = ON")
            return await body(connection)

    ours, theirs = asyncio.run(seen(f"sqlite:///{both.path}")), asyncio.run(seen(both.url))
    assert repr(theirs) == repr(ours)
    return ours


def test_a_program(both: Both) -> None:
    async def body(db: Any) -> Any:
        found: list[Any] = []
        async with db.execute("SELECT id, name FROM customers WHERE id > ? ORDER BY id", (1,)) as cursor:
            found += [cursor.description, await cursor.fetchone(), [row async for row in cursor], cursor.rowcount]
        cursor = await db.execute("INSERT INTO orders (customer, label) VALUES (:c, :l)", {"c": 1, "l": "new"})
        found += [cursor.lastrowid, cursor.rowcount, db.in_transaction, db.total_changes]
        await db.commit()
        await db.executemany("INSERT INTO notes VALUES (?, ?)", [("a", 1), ("b", 2)])
        await db.rollback()
        await db.executescript("DELETE FROM notes; INSERT INTO notes VALUES ('c', 3);")
        found += [await db.execute_fetchall("SELECT * FROM notes"), db.in_transaction, db.isolation_level]
        found.append(tuple(await db.execute_insert("INSERT INTO orders (customer) VALUES (?)", (3,))))
        cursor = await db.cursor()
        await cursor.execute("SELECT id FROM orders ORDER BY id")
        return [*found, await cursor.fetchmany(2), await cursor.fetchmany(), await cursor.fetchall()]

    same(both, body)


def test_errors_and_rows(both: Both) -> None:
    async def body(db: Any) -> Any:
        found: list[Any] = []
        for statement in ("INSERT INTO orders (id, customer) VALUES (1, 1)", "SELECT nothing", "SELEC"):
            try:
                await db.execute(statement)
            except sqlite3.Error as error:
                found.append(failed(error))
        db.row_factory = aio.Row
        row = await (await db.execute("SELECT id, name AS who FROM customers WHERE id = 1")).fetchone()
        return found, row["WHO"], list(row), row.keys(), db.in_transaction

    same(both, body)


def test_tasks_take_turns(both: Both) -> None:
    async def body(db: Any) -> Any:
        work = [db.execute_fetchall("SELECT ? + id FROM customers WHERE id = 1", (number,)) for number in range(20)]
        return [list(map(tuple, rows)) for rows in await asyncio.gather(*work)]

    same(both, body)


def test_a_statement_is_interrupted(both: Both) -> None:
    async def program() -> None:
        async with aio.connect(both.url) as db:
            slow = "SELECT count(*) FROM " + ", ".join(f"customers c{number}" for number in range(18))
            running = asyncio.ensure_future(db.execute_fetchall(slow))
            while not running.done():
                await asyncio.sleep(0.2)
                await db.interrupt()
            with pytest.raises(sqlite3.OperationalError, match="interrupted"):
                await running
            assert [tuple(row) for row in await db.execute_fetchall("SELECT 1")] == [(1,)]

    asyncio.run(program())


def test_without_aiosqlite_a_file_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosqlite", None)
    with pytest.raises(ImportError, match="pip install aiosqlite"):
        aio.connect("sqlite:///a.db")
