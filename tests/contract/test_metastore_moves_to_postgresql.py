"""A home outgrows its file: what Migrator makes of Metastore's SQLite database is what Metastore goes on with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from custom_components.metastore.core.diff import diff
from custom_components.metastore.core.entries import DEVICES, ENTITIES, REGISTRIES, Registry
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.schema import metadata
from custom_components.metastore.store.shared import Stores
from custom_components.metastore.store.store import Span, Store
from custom_components.metastore.store.upgrade import REVISION_TABLE
from migrator.embedded import embedded_server

HOME = "0123456789abcdef"
SPAN = Span("test", 100.0, 0.5)

FIRST: dict[Registry, list[dict[str, Any]]] = {registry: [{registry.key: "one"}] for registry in REGISTRIES}
FIRST[ENTITIES] = [
    {
        "id": f"{number:032x}",
        "entity_id": f"light.{number}",
        "labels": ["ä", "b"],
        "aliases": [None, "Lämpchen"],
        "options": {"b": 1, "a": {"x": [1, 2.5, True, None, "€"]}},
        "capabilities": None,
        "created_at": 1795229131.115957,
        "modified_at": 0.0,
        "shiny": {"new": "key"},
    }
    for number in range(50)
]
FIRST[DEVICES] = [{"id": "d", "identifiers": [["a", "b", "c"]], "connections": [], "name": "", "labels": []}]
THEN = [FIRST[ENTITIES][0] | {"entity_id": "light.renamed"}, *FIRST[ENTITIES][2:]]


@pytest.fixture
def server(socket_enabled: None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="metastore-tests-") as folder:
        Path(folder).chmod(0o755)
        with embedded_server(Path(folder) / "data") as url:
            yield url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    stores = Stores(asyncio.to_thread, time.time)
    store = await stores.acquire(database_url(url))
    try:
        yield store
    finally:
        await stores.release(store)


async def write(store: Store, registry: Registry, listed: list[dict[str, Any]]) -> None:
    changes = diff(registry, await store.live(HOME, registry), listed, complete=True)
    await store.apply(HOME, changes, SPAN)


async def everything(store: Store, moments: list[float]) -> dict[str, Any]:
    """What the store answers: what is there, what was there at each moment, and what happened."""
    found: dict[str, Any] = {"homes": await store.homes()}
    for registry in REGISTRIES:
        found[registry.name] = await store.live(HOME, registry)
        found[f"{registry.name} then"] = [await store.as_of(HOME, registry, at) for at in moments]
        found[f"{registry.name} history"] = [
            await store.history(HOME, registry, key) for key in sorted(found[registry.name])
        ]
    return found


async def test_the_store_goes_on_in_postgresql(server: str, tmp_path: Path) -> None:
    file, moments = tmp_path / "metastore.db", []
    async with opened(f"sqlite:///{file}") as store:
        await store.put_home(HOME, "Home", "2026.11.0")
        for registry, listed in FIRST.items():
            await write(store, registry, listed)
        moments.append(time.time())
        await write(store, ENTITIES, THEN)
        moments.append(time.time())
        before = await everything(store, moments)

    command = [sys.executable, "-m", "migrator", "run", str(file), server, "--run-dir", str(tmp_path / "runs")]
    moved = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert moved.returncode == 0, moved.stderr + moved.stdout

    async with opened(server) as store:
        assert await everything(store, moments) == before
        await write(store, ENTITIES, FIRST[ENTITIES])
        live = await store.live(HOME, ENTITIES)
        assert live == {row["id"]: ENTITIES.read(row) for row in FIRST[ENTITIES]}
        [then] = [await store.as_of(HOME, ENTITIES, moments[1])]
        assert then == before["entities"]


def test_the_moved_tables_are_those_that_metastore_makes(server: str, tmp_path: Path) -> None:
    """Types, keys and indexes, as Alembic compares them."""
    from custom_components.metastore.store.upgrade import upgrade

    file = tmp_path / "metastore.db"
    upgrade(database_url(f"sqlite:///{file}"))
    command = [sys.executable, "-m", "migrator", "run", str(file), server, "--run-dir", str(tmp_path / "runs")]
    moved = subprocess.run(command, capture_output=True, text=True, check=False)
    assert moved.returncode == 0, moved.stderr + moved.stdout
    engine = create_engine(database_url(server))
    with engine.connect() as connection:
        options = {"version_table": REVISION_TABLE, "compare_type": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    # Migrator says in comments where tables and columns come from, and Metastore makes none.
    assert [item for item in found if "comment" not in str(item[0])] == []
    engine.dispose()
    with psycopg.connect(server) as connection:
        upgraded = connection.execute("SELECT version_num FROM metastore_revision").fetchall()
    assert upgraded == [("0001",)]
