"""A process that is killed while it writes: the file is whole, and the next synchronisation is exact."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import sqlite3
import time
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from custom_components.metastore.core.diff import diff
from custom_components.metastore.core.entries import ENTITIES
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.shared import Stores
from custom_components.metastore.store.store import Span

ROUNDS = int(os.environ.get("METASTORE_KILLED_ROUNDS", "10"))  # scripts/bench killed takes more
# A copy of this process, so that Home Assistant is not imported for every writer.
COPIES = multiprocessing.get_context("fork")
SPAN = Span("test", 0.0, 0.0)


def listed(turn: int) -> list[dict[str, object]]:
    return [{"id": f"{n:032x}", "entity_id": f"light.{n}_{turn % 3}", "name": f"{turn}"} for n in range(400)]


def write(file: Path, told: Connection) -> None:
    """One synchronisation after the other, until somebody puts an end to it."""
    asyncio.run(_write(file, told))


async def _write(file: Path, told: Connection) -> None:
    stores = Stores(asyncio.to_thread, time.time)
    store = await stores.acquire(database_url(f"sqlite:///{file}"))
    await store.put_home("home", "Home", None)
    for turn in range(1_000_000):
        stored = await store.live("home", ENTITIES)
        await store.apply("home", diff(ENTITIES, stored, listed(turn), complete=True), SPAN)
        told.send(turn)


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
async def test_a_writer_that_is_killed_loses_nothing_that_it_said(tmp_path: Path) -> None:
    file = tmp_path / "metastore.db"
    moments = random.Random(9)
    for _ in range(ROUNDS):
        told = await asyncio.to_thread(_write_and_kill, file, moments.uniform(0.0, 0.2))
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            [(names, rows)] = db.execute("SELECT group_concat(DISTINCT name), count(*) FROM entities").fetchall()
            # All rows are of one turn: the last one that was told, or the one behind it.
            assert rows == 400
            assert names in (str(told), str(told + 1))
            [(written, counted)] = db.execute(
                "SELECT (SELECT count(*) FROM changes), (SELECT sum(created + updated + removed) FROM syncs)"
            ).fetchall()
            assert written == counted
        stores = Stores(asyncio.to_thread, time.time)
        store = await stores.acquire(database_url(f"sqlite:///{file}"))
        stored = await store.live("home", ENTITIES)
        await store.apply("home", diff(ENTITIES, stored, listed(7), complete=True), SPAN)
        assert await store.live("home", ENTITIES) == {str(row["id"]): ENTITIES.read(row) for row in listed(7)}
        await stores.release(store)
    print(f"{ROUNDS} writers were killed; every file was whole, and every next synchronisation exact")


def _write_and_kill(file: Path, after_s: float) -> int:
    """The last turn that the writer has told before its end."""
    ours, theirs = COPIES.Pipe(duplex=False)
    writer = COPIES.Process(target=write, args=(file, theirs))
    writer.start()
    theirs.close()
    turn = ours.recv()
    time.sleep(after_s)
    writer.kill()
    writer.join()
    with suppress(EOFError):
        while True:
            turn = ours.recv()
    return int(turn)
