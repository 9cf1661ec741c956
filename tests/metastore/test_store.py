"""The store on SQLite and on PostgreSQL: what is written, what the history says, and what a database may not be."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from custom_components.metastore.core.diff import Action, Change, diff, digests, replay
from custom_components.metastore.core.entries import (
    AREAS,
    BY_NAME,
    CONFIG_ENTRIES,
    DEVICES,
    ENTITIES,
    REGISTRIES,
    WEBHOOKS,
    Registry,
)
from custom_components.metastore.core.errors import (
    HomeTaken,
    NewerDatabase,
    ProtocolError,
    StoreError,
    StoreUnavailable,
)
from custom_components.metastore.store.dialects import database_url, sync_engine, within
from custom_components.metastore.store.schema import metadata
from custom_components.metastore.store.shared import Stores
from custom_components.metastore.store.store import Span, Store, Sync
from custom_components.metastore.store.upgrade import REVISION_TABLE, upgrade

HOME = "0123456789abcdef"
SPAN = Span("test", 100.0, 0.5)


class Clock:
    """Every look at it is one second later."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def entity(number: int, address: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{number:032x}",
        "entity_id": address or f"sensor.number_{number}",
        "unique_id": str(number),
        "platform": "test",
        "name": None,
        "labels": [],
        "aliases": [None],
        "categories": {},
        "options": {},
        "created_at": 1795229131.115957,
        "modified_at": 1795229132.88746,
        **fields,
    }


@dataclass
class Mirrored:
    """A store with one home in it, and a registry operation in one line."""

    store: Store
    clock: Clock

    async def write(self, registry: Registry, listed: Sequence[dict[str, Any]], *, complete: bool = True) -> Sync:
        stored = await self.store.live(HOME, registry)
        return await self.store.apply(HOME, diff(registry, stored, listed, complete=complete), SPAN)

    async def live(self, registry: Registry) -> list[dict[str, Any]]:
        found = await self.store.live(HOME, registry)
        return [entry._asdict() for entry in found.values()]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Mirrored]:
    clock = Clock()
    stores = Stores(asyncio.to_thread, clock)
    store = await stores.acquire(database_url(url))
    try:
        await store.put_home(HOME, "Home", "2026.11.0")
        yield Mirrored(store, clock)
    finally:
        await stores.release(store)


@pytest.fixture
async def mirrored(any_database: str, socket_enabled: None) -> AsyncIterator[Mirrored]:
    async with opened(any_database) as mirrored:
        yield mirrored


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Asked past the store, as a person would."""
    engine = sync_engine(database_url(url))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


# -- rows --------------------------------------------------------------------------------------------------------------


async def test_what_is_written_is_read_again(mirrored: Mirrored) -> None:
    await mirrored.write(
        ENTITIES,
        [
            entity(1, labels=["b", "a"], aliases=[None, "Lämpchen"], options={"x": {"y": [1, 2.5, True, None]}}),
            entity(2, name="", capabilities={"modes": ["a"]}, area_id="küche"),
        ],
    )
    one, two = await mirrored.live(ENTITIES)
    assert one["labels"] == ["a", "b"]  # a set, of which the order says nothing
    assert one["aliases"] == [None, "Lämpchen"]
    assert one["options"] == {"x": {"y": [1, 2.5, True, None]}}
    assert (one["created_at"], one["modified_at"]) == (1795229131.115957, 1795229132.88746)
    assert (two["name"], two["capabilities"], two["area_id"], two["icon"]) == ("", {"modes": ["a"]}, "küche", None)


async def test_unknown_keys_and_unexpected_types_are_kept(mirrored: Mirrored) -> None:
    await mirrored.write(ENTITIES, [entity(1, name=["a", "list"], shiny_new_key={"a": 1})])
    [one] = await mirrored.live(ENTITIES)
    assert one["name"] is None
    assert one["extra"] == {"name": ["a", "list"], "shiny_new_key": {"a": 1}}
    await mirrored.write(ENTITIES, [entity(1, name="a text again", shiny_new_key={"a": 1})])
    [one] = await mirrored.live(ENTITIES)
    assert (one["name"], one["extra"]) == ("a text again", {"shiny_new_key": {"a": 1}})


async def test_a_key_that_is_not_told_is_not_a_change(mirrored: Mirrored) -> None:
    await mirrored.write(ENTITIES, [entity(1, device_class="motion", shiny_new_key=1)])
    short = entity(1)
    del short["aliases"]
    sync = await mirrored.write(ENTITIES, [short])
    assert (sync.created, sync.updated, sync.removed) == (0, 0, 0)
    [one] = await mirrored.live(ENTITIES)
    assert (one["device_class"], one["aliases"], one["extra"]) == ("motion", [None], {"shiny_new_key": 1})


async def test_a_sync_without_changes_is_one_record(any_database: str, socket_enabled: None) -> None:
    async with opened(any_database) as mirrored:
        await mirrored.write(ENTITIES, [entity(1)])
        before = {name: rows(any_database, f"SELECT * FROM {name}") for name in metadata.tables}
        await mirrored.write(ENTITIES, [entity(1)])
        after = {name: rows(any_database, f"SELECT * FROM {name}") for name in metadata.tables}
    assert len(after.pop("syncs")) == len(before.pop("syncs")) + 1
    assert after == before


async def test_a_rename_keeps_the_row(any_database: str, socket_enabled: None) -> None:
    async with opened(any_database) as mirrored:
        await mirrored.write(ENTITIES, [entity(1, "light.old")])
        await mirrored.write(ENTITIES, [entity(1, "light.new")])
        assert rows(any_database, "SELECT entity_id, removed_at FROM entities") == [("light.new", None)]
        [change, _] = await mirrored.store.history(HOME, ENTITIES, f"{1:032x}")
        assert change["fields"] == {"entity_id": ["light.old", "light.new"]}


async def test_entities_may_swap_their_addresses(mirrored: Mirrored) -> None:
    await mirrored.write(ENTITIES, [entity(1, "light.a"), entity(2, "light.b")])
    sync = await mirrored.write(ENTITIES, [entity(1, "light.b"), entity(2, "light.a")])
    assert sync.updated == 2
    found = await mirrored.store.keys_of(HOME, ENTITIES, "entity_id", ["light.a", "light.b"])
    assert found == {"light.a": f"{2:032x}", "light.b": f"{1:032x}"}


async def test_an_address_has_one_holder_even_while_nothing_may_be_removed(mirrored: Mirrored) -> None:
    await mirrored.write(ENTITIES, [entity(1, "light.a"), entity(2, "light.b")])
    sync = await mirrored.write(ENTITIES, [entity(3, "light.a"), entity(4, "light.c")], complete=False)
    assert (sync.created, sync.removed) == (1, 0)
    assert sorted(row["id"][-1] for row in await mirrored.live(ENTITIES)) == ["1", "2", "4"]
    sync = await mirrored.write(ENTITIES, [entity(3, "light.a"), entity(4, "light.c")])
    assert (sync.created, sync.removed) == (1, 2)


async def test_removed_rows_stay_and_come_back(any_database: str, socket_enabled: None) -> None:
    async with opened(any_database) as mirrored:
        await mirrored.write(AREAS, [{"area_id": "kitchen", "name": "Kitchen"}])
        await mirrored.write(AREAS, [])
        assert await mirrored.live(AREAS) == []
        [(name, removed_at)] = rows(any_database, "SELECT name, removed_at FROM areas")
        assert name == "Kitchen"
        assert removed_at > 1_000
        await mirrored.write(AREAS, [{"area_id": "kitchen", "name": "New kitchen"}])
        assert rows(any_database, "SELECT name, removed_at FROM areas") == [("New kitchen", None)]
        actions = [change["action"] for change in await mirrored.store.history(HOME, AREAS, "kitchen")]
        assert actions == ["created", "removed", "created"]


async def test_all_or_nothing(any_database: str, socket_enabled: None) -> None:
    """A row that the database refuses takes the whole synchronisation along."""
    async with opened(any_database) as mirrored:
        good, bad = (ENTITIES.read(entity(number, "light.same")) for number in (1, 2))
        with pytest.raises(StoreError, match=r"refused what it was told: .*entit"):
            await mirrored.store.apply(HOME, [Change(ENTITIES, None, good), Change(ENTITIES, None, bad)], SPAN)
        assert rows(any_database, "SELECT count(*) FROM entities") == [(0,)]
        assert rows(any_database, "SELECT count(*) FROM changes") == [(0,)]
        assert rows(any_database, "SELECT count(*) FROM syncs") == [(0,)]


async def test_a_value_that_is_nested_too_deeply_is_refused(any_database: str, socket_enabled: None) -> None:
    """Home Assistant cannot send one, but whoever pretends to be a home can."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"deeper": deep}
    async with opened(any_database) as mirrored:
        with pytest.raises(ProtocolError, match="cannot be kept"):
            await mirrored.write(ENTITIES, [entity(1, options=deep)])
        assert rows(any_database, "SELECT count(*) FROM syncs") == [(0,)]
    with pytest.raises(ProtocolError, match="cannot be kept"):
        digests(ENTITIES, [entity(1, options=deep)])


async def test_every_registry_has_a_table(mirrored: Mirrored) -> None:
    for registry in REGISTRIES:
        await mirrored.write(registry, [{registry.key: "one"}])
        [row] = await mirrored.live(registry)
        assert row[registry.key] == "one"


async def test_many_rows(mirrored: Mirrored) -> None:
    """More than one batch of each kind."""
    sync = await mirrored.write(ENTITIES, [entity(number) for number in range(1_203)])
    assert sync.created == 1_203
    sync = await mirrored.write(ENTITIES, [entity(number, name="x") for number in range(600)])
    assert (sync.updated, sync.removed) == (600, 603)
    keys = [f"{number:032x}" for number in range(1_203)]
    assert len(await mirrored.store.live(HOME, ENTITIES, keys)) == 600


# -- history -----------------------------------------------------------------------------------------------------------


async def test_volatile_fields_are_current_and_have_no_history(any_database: str, socket_enabled: None) -> None:
    entry = {"entry_id": "01M7XZX8NQ2GPWEVW8CR896SE5", "domain": "sun", "state": "loaded", "reason": None}
    async with opened(any_database) as mirrored:
        await mirrored.write(CONFIG_ENTRIES, [entry])
        sync = await mirrored.write(CONFIG_ENTRIES, [entry | {"state": "setup_retry", "reason": "no answer"}])
        assert sync.updated == 0
        assert rows(any_database, "SELECT state, reason FROM config_entries") == [("setup_retry", "no answer")]
        assert rows(any_database, "SELECT count(*) FROM changes") == [(1,)]
        [then] = (await mirrored.store.as_of(HOME, CONFIG_ENTRIES, mirrored.clock.now)).values()
        assert getattr(then, "state") is None  # noqa: B009  # the type of the entry is known to the reader only


async def test_a_switch_that_becomes_a_number_has_changed(mirrored: Mirrored) -> None:
    await mirrored.write(ENTITIES, [entity(1, options={"x": True})])
    await mirrored.write(ENTITIES, [entity(1, options={"x": 1}, modified_at=2.0)])
    [change, _] = await mirrored.store.history(HOME, ENTITIES, f"{1:032x}")
    assert str(change["fields"]["options"]) == "[{'x': True}, {'x': 1}]"


async def test_as_of_any_moment_and_a_replay_from_nothing(any_database: str, socket_enabled: None) -> None:
    steps: list[list[dict[str, Any]]] = [
        [],
        [entity(1, "light.a"), entity(2, "light.b", area_id="kitchen")],
        [entity(1, "light.a", name="A"), entity(2, "light.b", area_id="kitchen")],
        [entity(2, "light.a", area_id="attic")],
        [entity(2, "light.a", area_id="attic"), entity(1, "light.c")],
        [entity(1, "light.a"), entity(2, "light.c", area_id=None)],
    ]
    async with opened(any_database) as mirrored:
        moments = []
        for listed in steps:
            await mirrored.write(ENTITIES, listed)
            moments.append(mirrored.clock.now)
        for listed, at in zip(steps, moments, strict=True):
            then = await mirrored.store.as_of(HOME, ENTITIES, at)
            expected = {row["id"]: ENTITIES.read(row) for row in listed}
            assert then == expected
            for number in (1, 2):
                key = f"{number:032x}"
                one = await mirrored.store.as_of(HOME, ENTITIES, at, key=key)
                assert one == {name: entry for name, entry in expected.items() if name == key}
        [kitchen] = (await mirrored.store.as_of(HOME, ENTITIES, moments[2], where={"area_id": "kitchen"})).values()
        assert kitchen == ENTITIES.read(steps[2][1])
        states: dict[str, dict[str, Any]] = {}
        written = rows(any_database, "SELECT object_id, action, fields FROM changes ORDER BY id")
        for key, action, fields in written:
            replay(states, key, Action(action), _parsed(fields))
    live = {key: {name: value for name, value in state.items() if value is not None} for key, state in states.items()}
    assert live == {
        row["id"]: {name: value for name, value in ENTITIES.read(row)._asdict().items() if value is not None}
        for row in steps[-1]
    }


def _parsed(fields: Any) -> Any:
    import orjson

    return orjson.loads(fields) if isinstance(fields, str) else fields


async def test_a_clock_that_is_set_back_does_not_turn_the_history_around(mirrored: Mirrored) -> None:
    await mirrored.write(AREAS, [{"area_id": "a", "name": "one"}])
    mirrored.clock.now -= 500
    await mirrored.write(AREAS, [{"area_id": "a", "name": "two"}])
    second, first = await mirrored.store.history(HOME, AREAS, "a")
    assert second["at"] > first["at"]


async def test_the_purge_forgets_what_was_before(mirrored: Mirrored) -> None:
    await mirrored.write(AREAS, [{"area_id": "a", "name": "one"}])
    await mirrored.write(AREAS, [{"area_id": "a", "name": "two"}])
    between = mirrored.clock.now
    await mirrored.write(AREAS, [{"area_id": "a", "name": "three"}])
    assert await mirrored.store.purge(HOME, between + 0.5) == 2
    [then] = (await mirrored.store.as_of(HOME, AREAS, between + 0.6)).values()
    assert then.name == "two"  # type: ignore[union-attr]
    with pytest.raises(StoreError, match="does not go back"):
        await mirrored.store.as_of(HOME, AREAS, between - 1)


# -- homes -------------------------------------------------------------------------------------------------------------


async def test_many_homes_in_one_database(mirrored: Mirrored) -> None:
    other = "fedcba9876543210"
    await mirrored.store.put_home(other, "Cabin", None)
    await mirrored.write(AREAS, [{"area_id": "kitchen", "name": "Kitchen"}])
    changes = diff(AREAS, {}, [{"area_id": "kitchen", "name": "Small kitchen"}], complete=True)
    await mirrored.store.apply(other, changes, SPAN)
    [[mine]] = [list((await mirrored.store.live(HOME, AREAS)).values())]
    [[theirs]] = [list((await mirrored.store.live(other, AREAS)).values())]
    assert (mine[1], theirs[1]) == ("Kitchen", "Small kitchen")


async def test_a_home_is_recognised_by_its_config_entries(mirrored: Mirrored) -> None:
    await mirrored.write(CONFIG_ENTRIES, [{"entry_id": f"entry {number}"} for number in range(3)])
    assert await mirrored.store.home_of(["unknown", "entry 1", "entry 2"]) == HOME
    assert await mirrored.store.home_of(["unknown"]) is None
    assert await mirrored.store.home_of([]) is None


async def test_a_removed_home_keeps_its_rows_and_comes_back(mirrored: Mirrored) -> None:
    await mirrored.write(AREAS, [{"area_id": "kitchen"}])
    await mirrored.store.remove_home(HOME)
    [home] = await mirrored.store.homes()
    assert home.removed_at is not None
    assert len(await mirrored.live(AREAS)) == 1
    await mirrored.store.put_home(HOME, "Home", "2026.12.0")
    [home] = await mirrored.store.homes()
    assert (home.removed_at, home.version) == (None, "2026.12.0")


async def test_one_store_for_one_database(tmp_path: Path) -> None:
    stores = Stores(asyncio.to_thread, Clock())
    url = database_url(f"sqlite:///{tmp_path / 'a.db'}")
    one, two = await stores.acquire(url), await stores.acquire(url)
    assert one is two
    await stores.release(one)
    await two.homes()
    await stores.release(two)
    three = await stores.acquire(url)
    assert three is not one
    await stores.release(three)


async def test_a_database_that_hangs_does_not_hold_up_another(tmp_path: Path, socket_enabled: None) -> None:
    """A port that takes a connection and says nothing."""
    stores = Stores(asyncio.to_thread, Clock())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/home"
        hanging = asyncio.create_task(stores.acquire(database_url(url)))
        await asyncio.sleep(0.1)
        store = await stores.acquire(database_url(f"sqlite:///{tmp_path / 'a.db'}"))
        assert not hanging.done()
        await stores.release(store)
    with pytest.raises(StoreUnavailable):
        await hanging


async def test_a_home_in_postgresql_is_mirrored_by_one_process(empty_postgresql: str, socket_enabled: None) -> None:
    async with opened(empty_postgresql) as one, opened(empty_postgresql) as another:
        await one.store.claim(HOME)
        with pytest.raises(HomeTaken, match="Another process"):
            await another.store.claim(HOME)
        await another.store.claim("another home")
        await one.store.unclaim(HOME)
        await another.store.claim(HOME)


def test_what_is_refused_is_not_touched(tmp_path: Path) -> None:
    """Not even its journal mode: it may be somebody else's."""
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE states (id INTEGER)")
    before = file.read_bytes()
    with pytest.raises(StoreError, match="belongs to something else"):
        upgrade(database_url(f"sqlite:///{file}"))
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


def test_one_file_has_one_url(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    given = ("sqlite:///a.db", "sqlite:///sub/../a.db", "sqlite:///link.db")
    assert len({within(database_url(text), tmp_path) for text in given}) == 1


async def test_webhooks_are_known_by_a_hash(mirrored: Mirrored) -> None:
    await mirrored.write(WEBHOOKS, [{"webhook_hash": "ab" * 32, "domain": "automation", "local_only": True}])
    [row] = await mirrored.live(WEBHOOKS)
    assert row["local_only"] is True


# -- databases ---------------------------------------------------------------------------------------------------------


def test_the_revisions_make_the_schema(any_database: str, socket_enabled: None) -> None:
    url = database_url(any_database)
    upgrade(url)
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            options = {"version_table": REVISION_TABLE, "compare_type": True}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, metadata) == []
            for name, table in metadata.tables.items():
                found = inspect(connection).get_columns(name)
                assert [column["name"] for column in found] == [column.name for column in table.columns]
    finally:
        engine.dispose()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(any_database: str, socket_enabled: None) -> None:
    url = database_url(any_database)
    upgrade(url)
    upgrade(url)
    assert rows(any_database, f"SELECT version_num FROM {REVISION_TABLE}") == [("0001",)]


def test_a_newer_database_is_refused_and_left_alone(any_database: str, socket_enabled: None) -> None:
    url = database_url(any_database)
    upgrade(url)
    engine = sync_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {REVISION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(NewerDatabase, match="9999"):
        upgrade(url)
    assert rows(any_database, f"SELECT version_num FROM {REVISION_TABLE}") == [("9999",)]


def test_the_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE states (id INTEGER)")
    with pytest.raises(StoreError, match="belongs to something else: it has the tables states"):
        upgrade(database_url(f"sqlite:///{tmp_path / 'other.db'}"))


def test_a_schema_of_postgresql_may_be_shared_where_no_name_is_taken(
    empty_postgresql: str, socket_enabled: None
) -> None:
    with psycopg.connect(empty_postgresql, autocommit=True) as connection:
        connection.execute("CREATE TABLE unrelated (id int)")
        upgrade(database_url(empty_postgresql))
        connection.execute("DROP TABLE metastore_revision")
    with pytest.raises(StoreError, match="areas"):
        upgrade(database_url(empty_postgresql))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("Not a database, but a text that is long enough to be looked at. " * 20)
    with pytest.raises(StoreUnavailable, match="not a database"):
        upgrade(database_url(f"sqlite:///{tmp_path / 'text.db'}"))
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        upgrade(database_url(f"sqlite:///{tmp_path / 'file' / 'below' / 'a.db'}"))


async def test_a_database_that_went_away(empty_postgresql: str, socket_enabled: None) -> None:
    async with opened(empty_postgresql) as mirrored:
        name = empty_postgresql.partition("@/")[2].partition("?")[0]
        with psycopg.connect(empty_postgresql.replace(f"/{name}?", "/postgres?"), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await mirrored.store.homes()
        await mirrored.store.homes()


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///metastore.db", "sqlite"),
        ("sqlite+aiosqlite:////config/metastore.db", "sqlite"),
        ("postgresql://me@db/home", "postgresql+psycopg"),
        ("postgresql+asyncpg://me:secret@db:5433/home", "postgresql+psycopg"),
        ("postgresql+psycopg://db/home", "postgresql+psycopg"),
        (" postgres://db/home\n", "postgresql+psycopg"),
    ],
)
def test_urls_that_are_understood(given: str, driver: str) -> None:
    assert database_url(given).drivername == driver


@pytest.mark.parametrize(
    "given",
    [
        "",
        "sqlite:///a\0.db",
        "metastore.db",
        "mysql://db/home",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://db",
        "http://x/y",
    ],
)
def test_urls_that_are_refused_without_being_repeated(given: str) -> None:
    with pytest.raises(StoreError) as raised:
        database_url(given)
    assert "secret" not in str(raised.value)


def test_relative_files_lie_in_the_configuration_directory(tmp_path: Path) -> None:
    assert within(database_url("sqlite:///a.db"), tmp_path).database == str(tmp_path / "a.db")
    assert within(database_url("sqlite:////b/a.db"), tmp_path).database == "/b/a.db"
    assert within(database_url("postgresql://db/home"), tmp_path).database == "home"


def test_names() -> None:
    assert [*BY_NAME] == [
        "floors", "areas", "labels", "categories", "config_entries", "devices", "entities", "webhooks",
    ]  # fmt: skip
    assert DEVICES.read({"id": "x", "sw_version": 7}).extra == {"sw_version": 7}
    with pytest.raises(ValueError, match="without id"):
        DEVICES.read({"name": "nobody"})
