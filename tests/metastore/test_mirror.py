"""The mirror before a simulated home: whatever happens there ends up in a SQLite database, and in its history."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_components.metastore import listing, source
from custom_components.metastore.core.diff import Action, replay
from custom_components.metastore.core.entries import BY_NAME, REGISTRIES
from custom_components.metastore.core.errors import ConnectionLost, InvalidToken, NotAdmin, OtherHome, StoreUnavailable
from custom_components.metastore.core.retry import GiveUp
from custom_components.metastore.mirror import Environment, Mirror
from custom_components.metastore.source import Access, Connection, connect
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.store import Span, Store, Sync
from custom_components.metastore.store.upgrade import upgrade

from .simulated_home import SimulatedHome

HOME = "the-home"
WEBHOOK_KEY = b"a key that is not in the database"
PATIENCE_S = 10.0  # a test that waits so long has failed
NEVER_S = 3600.0

type Rows = dict[str, dict[str, Any]]  # key → row
type Everything = dict[str, Rows]  # registry → rows

# Home Assistant makes these from sets, so their order says nothing.
UNORDERED = {"aliases", "labels", "identifiers", "connections", "allowed_methods"}
IN_JSON = UNORDERED | {
    "categories",
    "capabilities",
    "options",
    "supported_subentry_types",
    "error_reason_translation_placeholders",
    "extra",
}


class Clock:
    """Each look at it takes a second, so that no two changes have the same time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


# -- two readings of the same thing ------------------------------------------------------------------------------------


def expected(home: SimulatedHome) -> Everything:
    """What the home has, as the tables should hold it."""
    found = home.snapshot()
    for row in found["webhooks"].values():
        row["webhook_hash"] = _hash(row.pop("webhook_id"))
    return {
        registry.name: {str(row[registry.key]): _columns(registry.name, row) for row in found[registry.name].values()}
        for registry in REGISTRIES
    }


def _hash(webhook_id: str) -> str:
    return hmac.new(WEBHOOK_KEY, webhook_id.encode(), hashlib.sha256).hexdigest()


def _columns(registry: str, row: dict[str, Any]) -> dict[str, Any]:
    names = BY_NAME[registry].fields
    known = {name: row.get(name) for name in names if name != "extra"}
    return _plain(known | {"extra": {name: value for name, value in row.items() if name not in names}})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: sorted(value, key=json.dumps) if name in UNORDERED and value is not None else value
        for name, value in row.items()
    }


def stored(path: Path, *, removed: bool = False) -> Everything:
    """What the tables hold, read by SQLite alone: what is there, or with `removed`, what was."""
    found: Everything = {}
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        for registry in REGISTRIES:
            condition = "IS NOT NULL" if removed else "IS NULL"
            rows = database.execute(f"SELECT * FROM {registry.name} WHERE removed_at {condition}")
            found[registry.name] = {row[registry.key]: _decoded(row) for row in rows}
    return found


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    return _plain(
        {
            name: json.loads(row[name]) if name in IN_JSON and row[name] is not None else row[name]
            for name in row.keys()  # noqa: SIM118
            if name not in ("home_id", "removed_at")
        }
    )


def differences(left: Everything, right: Everything) -> list[str]:
    """A line for each value that is not the same; empty where all are."""
    found = []
    for registry in left:
        for key in left[registry].keys() | right[registry].keys():
            one, other = left[registry].get(key), right[registry].get(key)
            if one is None or other is None:
                found.append(f"{registry} {key}: only {'right' if one is None else 'left'}")
            elif one != other:
                found += [
                    f"{registry} {key} {name}: {one[name]!r} {other[name]!r}"
                    for name in one
                    if one[name] != other[name]
                ]
    return found


def query(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement, values).fetchall()


def history(path: Path, key: str) -> list[tuple[str, dict[str, Any]]]:
    """(action, field → [old, new]) of one object, the earliest first."""
    rows = query(path, "SELECT action, fields FROM changes WHERE object_id = ? ORDER BY id", key)
    return [(action, json.loads(fields)) for action, fields in rows]


def replayed(path: Path) -> Everything:
    """The tables as the history alone makes them, from nothing."""
    states: Everything = {registry.name: {} for registry in REGISTRIES}
    for registry, key, action, fields in query(
        path, "SELECT registry, object_id, action, fields FROM changes ORDER BY id"
    ):
        replay(states[registry], key, Action(action), json.loads(fields))
    return {name: {key: _blank(name) | _plain(row) for key, row in rows.items()} for name, rows in states.items()}


def _blank(registry: str) -> dict[str, Any]:
    return dict.fromkeys(BY_NAME[registry].fields)


def lasting(everything: Everything) -> Everything:
    """Without the fields that have no history."""
    return {
        name: {key: row | dict.fromkeys(BY_NAME[name].volatile) for key, row in rows.items()}
        for name, rows in everything.items()
    }


# -- a mirror before a home --------------------------------------------------------------------------------------------


@dataclass
class Mirrored:
    """A mirror in a task of its own. It does not rest between listings, and notes how long it would have rested."""

    home: SimulatedHome
    store: Store
    path: Path
    session: aiohttp.ClientSession
    clock: Clock
    poll_interval_s: float = 0.02
    random: Callable[[], float] = lambda: 0.0
    home_id: str = HOME
    slept: list[float] = field(default_factory=list)
    given_up: GiveUp | None = None
    died: Exception | None = None

    def __post_init__(self) -> None:
        self.mirror = Mirror(
            Environment(
                connect=self._connect,
                find_home=self._find_home,
                store=self.store,
                webhook_key=WEBHOOK_KEY,
                poll_interval_s=self.poll_interval_s,
                clock=self.clock,
                random=self.random,
                offload=asyncio.to_thread,
                sleep=self._sleep,
            )
        )

    def _connect(self) -> AbstractAsyncContextManager[Connection]:
        return connect(self.session, Access(self.home.url, "a-token-that-opens-it"))

    async def _find_home(self, _: list[str]) -> str:
        return self.home_id

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async def run() -> None:
            try:
                self.given_up = await self.mirror.run()
            except Exception as error:
                self.died = error
                raise

        task = asyncio.create_task(run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def equal(self) -> None:
        """Wait until the database is what the home is."""
        await until(lambda: self.died or self._is_equal(), self._explain)
        if self.died:
            raise self.died

    def _is_equal(self) -> bool:
        return self.mirror.status.connected and not differences(expected(self.home), stored(self.path))

    def _explain(self) -> str:
        lines = differences(expected(self.home), stored(self.path))
        return "\n".join(["left: the home, right: the database", *lines[:20], repr(self.mirror.status)])

    async def settled(self) -> None:
        """Wait until it has asked for webhooks and config once more, and whatever was told before is written."""
        await self.equal()
        polled = self.home.received["webhook/list"]
        await until(lambda: self.died or self.home.received["webhook/list"] > polled + 1, self._explain)
        if self.died:
            raise self.died


async def until(condition: Callable[[], object], explain: Callable[[], str] = str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110  The database tells nobody when it changes.
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"waited for {PATIENCE_S:g} seconds\n{explain()}")


@pytest.fixture(autouse=True, scope="session")
def _quiet_engines() -> None:
    """The harness has SQLAlchemy log each statement, which takes longer than the statements."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """aiohttp winds its heartbeat up again when data arrives on a connection that is just being closed."""
    return True


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the present schema."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(database_url(f"sqlite:///{path}"))
    return path


@pytest.fixture
def home(socket_enabled: None) -> SimulatedHome:
    return SimulatedHome(12, 30)


@asynccontextmanager
async def mirrored_by(home: SimulatedHome, path: Path, **arguments: Any) -> AsyncIterator[Mirrored]:
    """A mirror that does not run yet, with everything around it."""
    clock = Clock()
    store = Store(database_url(f"sqlite:///{path}"), clock)
    try:
        async with home.listening(), aiohttp.ClientSession() as session:
            yield Mirrored(home, store, path, session, clock, **arguments)
    finally:
        await store.close()


@pytest.fixture
async def mirrored(
    request: pytest.FixtureRequest, home: SimulatedHome, template: Path, tmp_path: Path
) -> AsyncIterator[Mirrored]:
    """The parameter is the time between two polls, in seconds."""
    path = Path(shutil.copy(template, tmp_path / "metastore.db"))
    async with mirrored_by(home, path, poll_interval_s=getattr(request, "param", 0.02)) as found:
        yield found


# -- the first time ----------------------------------------------------------------------------------------------------


async def test_a_cold_mirror_is_the_listings_field_by_field(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.equal()
    rows = stored(mirrored.path)
    assert {name: len(found) for name, found in rows.items()} == {
        "floors": 3,
        "areas": 20,
        "labels": 5,
        "categories": 1,
        "config_entries": 3,
        "devices": 12,
        "entities": 30,
        "webhooks": 2,
    }
    assert query(mirrored.path, "SELECT home_id, name, version, removed_at FROM homes") == [
        (HOME, "Simulated Home", "2026.11.0", None)
    ]


async def test_the_history_of_a_cold_mirror_is_one_created_for_each_row(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.equal()
    rows = sum(len(found) for found in stored(mirrored.path).values())
    assert query(mirrored.path, "SELECT action, count(*) FROM changes GROUP BY 1") == [("created", rows)]
    assert query(mirrored.path, "SELECT id, reason, created, updated, removed, error FROM syncs") == [
        (1, "connected", rows, 0, 0, None)
    ]
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))


@pytest.mark.parametrize("mirrored", [NEVER_S], indirect=True)
async def test_a_synchronisation_without_changes_writes_one_record_and_nothing_else(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.equal()
        before = dump(mirrored.path)
        sync = await mirrored.mirror.sync()
        after = dump(mirrored.path)
    assert (sync.reason, sync.created, sync.updated, sync.removed) == ("requested", 0, 0, 0)
    assert len(after["syncs"]) == len(before["syncs"]) + 1
    assert before | {"syncs": None} == after | {"syncs": None}


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = query(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {name: query(path, f"SELECT rowid, * FROM {name} ORDER BY 1") for (name,) in tables}


async def test_polling_and_reconnecting_without_changes_write_no_history(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.settled()
        changes = query(mirrored.path, "SELECT count(*) FROM changes")
        mirrored.home.drop_connections()
        await until(lambda: len(query(mirrored.path, "SELECT 1 FROM syncs WHERE reason = 'connected'")) == 2)
        await mirrored.settled()
    assert query(mirrored.path, "SELECT count(*) FROM changes") == changes
    assert query(mirrored.path, "SELECT reason, created, updated, removed FROM syncs")[1:] == [("connected", 0, 0, 0)]


async def test_a_home_with_nothing_in_it_is_mirrored_too(template: Path, tmp_path: Path, socket_enabled: None) -> None:
    empty = SimulatedHome()
    for remove, keys in (
        (empty.remove_floor, empty.floors),
        (empty.remove_area, empty.areas),
        (empty.remove_label, empty.labels),
        (empty.remove_config_entry, empty.config_entries),
        (empty.remove_webhook, empty.webhooks),
    ):
        for key in list(keys):
            remove(key)
    empty.categories.clear()
    path = Path(shutil.copy(template, tmp_path / "metastore.db"))
    async with mirrored_by(empty, path) as mirrored, mirrored.running():
        await until(lambda: mirrored.mirror.status.connected)
        assert stored(path) == {registry.name: {} for registry in REGISTRIES}
        empty.create_device(empty.create_config_entry("first"), "The first")
        await mirrored.equal()


async def test_what_a_later_release_adds_is_kept_under_its_name(mirrored: Mirrored) -> None:
    device, entity = next(iter(mirrored.home.devices)), next(iter(mirrored.home.entities))
    mirrored.home.devices[device].change({"orbit": {"height_km": 400}})
    mirrored.home.entities[entity].change({"orbit": [1, None]})
    async with mirrored.running():
        await mirrored.equal()
    assert stored(mirrored.path)["devices"][device]["extra"]["orbit"] == {"height_km": 400}
    assert stored(mirrored.path)["entities"][entity]["extra"] == {"orbit": [1, None]}


# -- what can happen in a home -----------------------------------------------------------------------------------------


def first(rows: dict[str, Any], number: int = 0) -> str:
    return list(rows)[number]


OPERATIONS: dict[str, Callable[[SimulatedHome], object]] = {
    "a floor is created": lambda home: home.create_floor("Cellar", level=-1, aliases=["below", "downstairs"]),
    "a floor is renamed": lambda home: home.update_floor("floor_0", name="Zolder é", level=2),
    "floors are reordered": lambda home: home.reorder_floors(),
    "a floor is removed, and areas are on none": lambda home: home.remove_floor("floor_0"),
    "an area is created": lambda home: home.create_area("Wardrobe ☃", labels=["label_1", "label_0"]),
    "an area moves to another floor": lambda home: home.update_area("room_0", floor_id="floor_2", icon="mdi:stove"),
    "areas are reordered": lambda home: home.reorder_areas(),
    "an area is removed, and what was in it is in none": lambda home: home.remove_area("room_1"),
    "a label is created": lambda home: home.create_label("Battery powered", color="#ffcc00"),
    "a label is changed": lambda home: home.update_label("label_0", description="Never lose this", color="deep-orange"),
    "a label is removed, and nothing has it": lambda home: home.remove_label("label_0"),
    "a category is created": lambda home: home.create_category("helpers", "Counters"),
    "a category is renamed": lambda home: home.update_category(
        "automation", first(home.categories["automation"]), name="Safety first"
    ),
    "a category is removed, and no entity is in it": lambda home: home.remove_category(
        "automation", first(home.categories["automation"])
    ),
    "a config entry is created": lambda home: home.create_config_entry("sun"),
    "a config entry is renamed": lambda home: home.update_config_entry(first(home.config_entries), title="Another"),
    "a config entry fails": lambda home: home.set_state(first(home.config_entries), "setup_error", "no route"),
    "a config entry is disabled with its devices and entities": lambda home: home.disable_config_entry(
        first(home.config_entries)
    ),
    "a config entry is removed with its devices and entities": lambda home: home.remove_config_entry(
        first(home.config_entries)
    ),
    "a config entry is removed and added again": lambda home: _add_again(home, first(home.config_entries)),
    "a device is created": lambda home: home.create_device(
        first(home.config_entries), "Bridge", identifiers=[["simulated", "b", "third part"], ["simulated", "a"]]
    ),
    "a child device is created": lambda home: home.create_device(
        first(home.config_entries), "Outlet", parent=first(home.devices)
    ),
    "a device is renamed": lambda home: home.update_device(first(home.devices), name_by_user="Renamed by user"),
    "a child device is renamed": lambda home: home.update_device(first(home.children), name_by_user="Child"),
    "a device is connected through another": lambda home: home.update_device(
        first(home.devices), via_device_id=first(home.devices, 1)
    ),
    "a device moves": lambda home: home.update_device(first(home.devices), area_id="room_7", labels=["label_4"]),
    "a device is disabled with its entities": lambda home: home.update_device(first(home.devices), disabled_by="user"),
    "a device is disabled and enabled again": lambda home: (
        home.update_device(first(home.devices), disabled_by="user"),
        home.update_device(first(home.devices), disabled_by=None),
    ),
    "a device is removed with its children and entities": lambda home: home.remove_device(first(home.devices, 8)),
    "a child device is removed": lambda home: home.remove_device(first(home.children)),
    "an entity is created": lambda home: home.create_entity("sensor.new", device=first(home.devices)),
    "an entity gets a name, an icon, an area, labels and aliases": lambda home: home.update_entity(
        first(home.entities),
        name="My temp",
        icon="mdi:thermometer",
        area_id="room_3",
        labels=["label_3", "label_1"],
        aliases=[None, "warmth"],
    ),
    "an entity's options change": lambda home: home.update_entity(
        first(home.entities), options={"sensor": {"display_precision": 1, "unit_of_measurement": "°F"}}
    ),
    "an entity is hidden": lambda home: home.update_entity(first(home.entities), hidden_by="user"),
    "an entity is disabled": lambda home: home.update_entity(first(home.entities), disabled_by="user"),
    "an entity gets another device class": lambda home: home.update_entity(
        first(home.entities), device_class="duration", capabilities=None
    ),
    "an entity gets a category": lambda home: home.update_entity(
        first(home.entities), categories={"automation": first(home.categories["automation"])}
    ),
    "an entity is renamed": lambda home: home.rename_entity(first(home.entities), "sensor.renamed"),
    "an entity is renamed and renamed back": lambda home: _rename_and_back(home, first(home.entities)),
    "an entity takes the address of one that was removed": lambda home: _take_over(
        home, first(home.entities), first(home.entities, 1)
    ),
    "two entities swap their addresses": lambda home: home.swap_entities(first(home.entities), first(home.entities, 1)),
    "three entities rotate their addresses": lambda home: (
        home.swap_entities(first(home.entities), first(home.entities, 1)),
        home.swap_entities(first(home.entities, 1), first(home.entities, 2)),
    ),
    "an entity is removed": lambda home: home.remove_entity(first(home.entities)),
    "an entity is created and removed": lambda home: home.remove_entity(home.create_entity("sensor.short_lived")),
    "another entity is created at the address of a removed one": lambda home: home.recreate_entity(
        first(home.entities)
    ),
    "a webhook is added": lambda home: home.create_webhook("secret-webhook-9", "Ninth", allowed_methods=["PUT", "GET"]),
    "a webhook is removed": lambda home: home.remove_webhook("secret-webhook-0"),
}


def _add_again(home: SimulatedHome, entry_id: str) -> None:
    """Devices and entities come back with new ids, entities at the addresses that they had."""
    devices = [row["name"] for row in home.devices.values() if row["config_entry_id"] == entry_id]
    addresses = [row["entity_id"] for row in home.entities.values() if row["config_entry_id"] == entry_id]
    home.remove_config_entry(entry_id)
    again = home.create_config_entry("domain_0")
    made = [home.create_device(again, name) for name in devices]
    for number, address in enumerate(addresses):
        key = home.create_entity(address, device=made[number % len(made)])
        home.update_entity(key, options={"conversation": {"should_expose": False}})


def _rename_and_back(home: SimulatedHome, key: str) -> None:
    address = home.entities[key]["entity_id"]
    home.rename_entity(key, "sensor.for_a_moment")
    home.rename_entity(key, address)


def _take_over(home: SimulatedHome, key: str, other: str) -> None:
    address = home.entities[other]["entity_id"]
    home.remove_entity(other)
    home.rename_entity(key, address)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
async def test_what_happens_while_connected_is_mirrored(
    mirrored: Mirrored, operation: Callable[[SimulatedHome], object]
) -> None:
    async with mirrored.running():
        await mirrored.settled()
        operation(mirrored.home)
        await mirrored.settled()
    assert mirrored.home.connections == 1
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))
    assert_lives_are_told_once(mirrored.path)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
async def test_what_happens_while_disconnected_is_mirrored_afterwards(
    mirrored: Mirrored, operation: Callable[[SimulatedHome], object]
) -> None:
    async with mirrored.running():
        await mirrored.settled()
        mirrored.home.drop_connections()
        operation(mirrored.home)
        await until(lambda: mirrored.home.connections == 2)
        await mirrored.settled()
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))
    assert_lives_are_told_once(mirrored.path)


def assert_lives_are_told_once(path: Path) -> None:
    """Ids that are never given twice are created once, and removed once if they are gone."""
    gone = stored(path, removed=True)
    for registry in ("config_entries", "categories", "devices", "entities"):
        for action, wanted in (("created", 1), ("removed", None)):
            counts = dict(
                query(
                    path,
                    "SELECT object_id, count(*) FROM changes WHERE registry = ? AND action = ? GROUP BY 1",
                    registry,
                    action,
                )
            )
            for key, count in counts.items():
                assert count == (wanted or int(key in gone[registry])), f"{registry} {key} was {action} {count} times"


async def test_a_rename_keeps_the_row_and_says_what_the_address_was(mirrored: Mirrored) -> None:
    key = first(mirrored.home.entities)
    old = mirrored.home.entities[key]["entity_id"]
    async with mirrored.running():
        await mirrored.equal()
        mirrored.home.rename_entity(key, "sensor.renamed")
        await mirrored.equal()
    actions = history(mirrored.path, key)
    assert [action for action, _ in actions] == ["created", "updated"]
    assert actions[1][1]["entity_id"] == [old, "sensor.renamed"]
    assert key not in stored(mirrored.path, removed=True)["entities"]


async def test_an_entity_that_was_created_again_at_its_address_is_another_one(mirrored: Mirrored) -> None:
    key = first(mirrored.home.entities)
    address = mirrored.home.entities[key]["entity_id"]
    async with mirrored.running():
        await mirrored.equal()
        again = mirrored.home.recreate_entity(key)
        await mirrored.equal()
    assert stored(mirrored.path)["entities"][again]["entity_id"] == address
    assert stored(mirrored.path, removed=True)["entities"][key]["entity_id"] == address
    assert [action for action, _ in history(mirrored.path, key)] == ["created", "removed"]
    assert [action for action, _ in history(mirrored.path, again)] == ["created"]


async def test_addresses_that_were_swapped_are_two_updates(mirrored: Mirrored) -> None:
    one, other = first(mirrored.home.entities), first(mirrored.home.entities, 1)
    async with mirrored.running():
        await mirrored.equal()
        mirrored.home.swap_entities(one, other)
        await mirrored.equal()
    for key in (one, other):
        assert {action for action, _ in history(mirrored.path, key)} == {"created", "updated"}


async def test_the_state_of_a_config_entry_is_current_and_has_no_history(mirrored: Mirrored) -> None:
    entry = first(mirrored.home.config_entries)
    async with mirrored.running():
        await mirrored.equal()
        mirrored.home.set_state(entry, "setup_retry", "no route to host")
        await mirrored.equal()
    assert stored(mirrored.path)["config_entries"][entry]["reason"] == "no route to host"
    assert [action for action, _ in history(mirrored.path, entry)] == ["created"]


async def test_a_burst_of_changes_costs_few_listings(mirrored: Mirrored) -> None:
    """Six changes each of 30 entities and 12 devices in one turn of the loop."""
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        listings = home.received["config/device_registry/list"]
        for number in range(6):
            for key in list(home.entities):
                home.update_entity(key, name=f"Name {number}")
            for key in (*home.devices, *home.children):
                home.update_device(key, name_by_user=f"Name {number}")
        await mirrored.settled()
        assert home.received["config/device_registry/list"] - listings <= 2
    assert home.connections == 1


async def test_a_burst_that_makes_the_home_close_the_connection_is_mirrored_after_it(mirrored: Mirrored) -> None:
    """Home Assistant lets nobody have more than 4,096 messages unread."""
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        for number in range(200):
            for key in list(home.entities):
                home.update_entity(key, name=f"Name {number}")
        home.remove_entity(first(home.entities))
        await until(lambda: home.connections == 2)
        await mirrored.settled()
    assert home.cut == 1
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))


async def test_many_entities_are_asked_for_in_several_calls(
    template: Path, tmp_path: Path, socket_enabled: None
) -> None:
    home = SimulatedHome(300, 1_200)
    path = Path(shutil.copy(template, tmp_path / "metastore.db"))
    async with mirrored_by(home, path) as mirrored, mirrored.running():
        await mirrored.equal()
        assert home.received["config/entity_registry/get_entries"] == 3
        home.remove_config_entry(first(home.config_entries))
        await mirrored.equal()


# -- what happens while somebody is asking -----------------------------------------------------------------------------

ASKED = (
    "auth/current_user",
    "subscribe_events",
    "config_entries/subscribe",
    "config_entries/get",
    "get_config",
    "config/floor_registry/list",
    "config/area_registry/list",
    "config/label_registry/list",
    "config/category_registry/list",
    "config/device_registry/list",
    "config/entity_registry/list",
    "config/entity_registry/get_entries",
    "webhook/list",
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("command", ASKED)
async def test_what_happens_around_the_answer_to_a_command_is_not_missed(
    mirrored: Mirrored, command: str, when: str
) -> None:
    home = mirrored.home
    one, other = first(home.entities), first(home.entities, 1)
    async with mirrored.running():
        await mirrored.settled()
        getattr(home, when)[command] = lambda: everything_happens(home, one, other)
        home.update_entity(one, name="Changed while nobody listened")
        home.drop_connections()
        await until(lambda: command not in getattr(home, when))
        await mirrored.settled()
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))
    assert_lives_are_told_once(mirrored.path)


def everything_happens(home: SimulatedHome, one: str, other: str) -> None:
    home.create_floor("New floor")
    home.update_area("room_2", floor_id="new_floor")
    home.remove_label("label_1")
    home.create_category("scene", "New category")
    home.swap_entities(one, other)
    home.recreate_entity(first(home.entities, 2))
    home.remove_device(first(home.children))
    device = home.create_device(home.create_config_entry("new"), "New device")
    home.create_entity("sensor.entirely_new", device=device)


async def test_a_category_in_a_new_scope_is_found_though_the_scopes_were_just_asked_for(mirrored: Mirrored) -> None:
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        home.before["config/category_registry/list"] = lambda: home.create_category("exotic", "Never heard of")
        home.create_category("automation", "The occasion")
        await mirrored.settled()
    assert {row["scope"] for row in stored(mirrored.path)["categories"].values()} == {"automation", "exotic"}


async def test_an_entity_with_a_category_of_a_new_scope_leads_to_the_scope(mirrored: Mirrored) -> None:
    home = mirrored.home
    category = home.create_category("exotic", "Never heard of")
    home.update_entity(first(home.entities), categories={"exotic": category})
    async with mirrored.running():
        await mirrored.equal()
    assert stored(mirrored.path)["categories"][category]["scope"] == "exotic"


async def test_scopes_that_are_in_the_database_are_asked_for_again(mirrored: Mirrored) -> None:
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        category = home.create_category("exotic", "Known by its event only")
        await mirrored.settled()
        home.drop_connections()
        home.update_category("exotic", category, name="Renamed while nobody listened")
        await until(lambda: home.connections == 2)
        await mirrored.settled()


# -- removing takes a home that is up and running ----------------------------------------------------------------------


def hold_back(home: SimulatedHome, condition: str) -> None:
    if condition == "NOT_RUNNING":
        home.state = "NOT_RUNNING"
    else:
        setattr(home, condition, True)


@pytest.mark.parametrize("condition", ["NOT_RUNNING", "recovery_mode", "safe_mode"])
async def test_nothing_is_removed_before_the_home_is_up_and_running(mirrored: Mirrored, condition: str) -> None:
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        everything = stored(mirrored.path)
        hold_back(home, condition)
        home.close_connections()
        home.remove_config_entry(first(home.config_entries))
        home.remove_floor("floor_0")
        home.remove_label("label_0")
        home.remove_category("automation", first(home.categories["automation"]))
        await until(lambda: home.connections == 2 and mirrored.mirror.status.connected)
        home.remove_entity(first(home.entities))  # and an event tells of this one
        polled = home.received["webhook/list"]
        await until(lambda: home.received["webhook/list"] > polled + 2)

        kept = stored(mirrored.path)
        assert {name: rows.keys() for name, rows in kept.items()} == {
            name: rows.keys() for name, rows in everything.items()
        }
        assert not any(stored(mirrored.path, removed=True).values())
        assert query(mirrored.path, "SELECT count(*) FROM changes WHERE action = 'removed'") == [(0,)]

        home.finish_starting()
        await mirrored.settled()
    assert_lives_are_told_once(mirrored.path)


async def test_a_home_that_is_starting_may_add_and_change(mirrored: Mirrored) -> None:
    home = mirrored.home
    home.state = "NOT_RUNNING"
    entity = first(home.entities)
    async with mirrored.running():
        await until(lambda: mirrored.mirror.status.connected)
        home.rename_entity(entity, "sensor.renamed_early")
        device = home.create_device(first(home.config_entries), "Early")
        await until(lambda: device in stored(mirrored.path)["devices"])
        await until(lambda: stored(mirrored.path)["entities"][entity]["entity_id"] == "sensor.renamed_early")
        assert stored(mirrored.path)["webhooks"] == {}
        home.finish_starting()
        await mirrored.equal()


async def test_while_starting_an_address_has_one_holder_all_the_same(mirrored: Mirrored) -> None:
    """Nobody is removed yet, so whoever came to an address that is taken has to wait."""
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        home.state = "NOT_RUNNING"
        home.close_connections()
        recreated = [home.recreate_entity(key) for key in list(home.entities)[:2]]
        await until(lambda: home.connections == 2 and mirrored.mirror.status.connected)
        recreated.append(home.recreate_entity(first(home.entities)))
        home.rename_entity(first(home.entities, 1), "sensor.renamed_early")
        await until(lambda: "sensor.renamed_early" in addresses(mirrored.path))
        assert {home.entities[key]["entity_id"] for key in recreated} <= addresses(mirrored.path)
        assert query(mirrored.path, "SELECT count(*) FROM entities WHERE removed_at IS NULL") == [(30,)]
        assert home.connections == 2
        home.finish_starting()
        await mirrored.equal()
    assert_lives_are_told_once(mirrored.path)


def addresses(path: Path) -> set[str]:
    return {row["entity_id"] for row in stored(path)["entities"].values()}


@pytest.mark.parametrize("mirrored", [NEVER_S], indirect=True)
async def test_the_event_that_says_started_is_enough(mirrored: Mirrored) -> None:
    home = mirrored.home
    async with mirrored.running():
        await until(lambda: mirrored.mirror.status.connected)
        home.state = "NOT_RUNNING"
        home.close_connections()
        home.remove_device(first(home.devices))
        await until(lambda: home.connections == 2 and mirrored.mirror.status.connected)
        assert differences(expected(home), stored(mirrored.path))
        home.finish_starting()
        await mirrored.equal()


# -- webhooks ----------------------------------------------------------------------------------------------------------


async def test_whoever_has_the_database_can_call_no_webhook(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.settled()
        mirrored.home.create_webhook("secret-webhook-9", "Another")
        await mirrored.settled()
    assert len(stored(mirrored.path)["webhooks"]) == 3
    files = [path.read_bytes() for path in mirrored.path.parent.glob("metastore.db*")]
    assert not any(b"secret-webhook" in content for content in files)


@pytest.mark.parametrize("mirrored", [NEVER_S], indirect=True)
async def test_a_change_of_config_entries_is_a_reason_to_look_at_webhooks(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.equal()
        mirrored.home.create_webhook("secret-webhook-9", "Made by the new entry")
        mirrored.home.create_config_entry("mobile_app")
        await mirrored.equal()


# -- losing the home and finding it again ------------------------------------------------------------------------------

FAULTS: dict[str, Callable[[SimulatedHome], object]] = {
    "the network is gone": lambda home: home.drop_connections(),
    "the home closes the connection": lambda home: home.close_connections(),
    "a frame is not JSON": lambda home: home.say('{"id": 1, "type": '),
    "a frame is a number": lambda home: home.say("7"),
    "a result has the id of a command that was never sent": lambda home: home.say(
        '{"id": 100000, "type": "result", "success": true, "result": null}'
    ),
    "a result comes twice": lambda home: home.say('{"id": 2, "type": "result", "success": true, "result": null}'),
    "the home is half-open": lambda home: home.freeze_after(0),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_after_a_fault_the_mirror_goes_on(
    mirrored: Mirrored,
    fault: Callable[[SimulatedHome], object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(source, "HEARTBEAT_S", 0.2)
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        fault(home)
        home.remove_entity(first(home.entities))
        await until(lambda: home.connections == 2)
        await mirrored.settled()
    said = [record.message for record in caplog.records if record.name.endswith("metastore.mirror")]
    assert len([line for line in said if "interrupted" in line]) == 1


@pytest.mark.parametrize(
    "message",
    ['{"id": 3, "type": "novelty", "more": {}}', '{"type": "greeting"}'],
)
async def test_messages_of_a_later_release_are_no_fault(mirrored: Mirrored, message: str) -> None:
    async with mirrored.running():
        await mirrored.settled()
        mirrored.home.say(message)
        mirrored.home.remove_entity(first(mirrored.home.entities))
        await mirrored.settled()
    assert mirrored.home.connections == 1


# Told to the first subscription: 1 asked for coalescing, 2 whose token it is.
EVENTS = {
    "a list of nothing known": '{"id": 3, "type": "event", "event": [7, null]}',
    "no event at all": '{"id": 3, "type": "event"}',
    "an event without data": '{"id": 3, "type": "event", "event": {"event_type": "device_registry_updated"}}',
    "an unknown event": '{"id": 3, "type": "event", "event": {"event_type": "moon_registry_updated", "data": {}}}',
    "an entity event that names none": (
        '{"id": 3, "type": "event", "event": {"event_type": "entity_registry_updated", "data": {"action": "update"}}}'
    ),
    "a category event without a scope": (
        '{"id": 3, "type": "event", "event": {"event_type": "category_registry_updated", "data": {"scope": 7}}}'
    ),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
async def test_strange_events_do_no_harm(mirrored: Mirrored, event: str) -> None:
    async with mirrored.running():
        await mirrored.settled()
        mirrored.home.say(event)
        mirrored.home.remove_entity(first(mirrored.home.entities))
        await mirrored.settled()
    assert mirrored.home.connections == 1


async def test_a_connection_may_break_after_any_message(mirrored: Mirrored) -> None:
    """A whole connection takes some thirty messages; each one is once the last."""
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        for messages in range(1, 45):
            before = home.connections
            home.drop_after(messages)
            home.drop_connections()
            home.update_entity(first(home.entities, messages % len(home.entities)), name=f"Name {messages}")
            await until(lambda before=before: home.connections >= before + 2)  # type: ignore[misc]
        await mirrored.settled()
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))
    assert_lives_are_told_once(mirrored.path)


async def test_a_refused_command_is_tried_again_with_a_new_connection(mirrored: Mirrored) -> None:
    home = mirrored.home
    home.refused["config/label_registry/list"] = "unknown_error"
    async with mirrored.running():
        await until(lambda: home.connections >= 3)
        assert "unknown_error" in str(mirrored.mirror.status.error)
        assert not mirrored.mirror.status.connected
        home.refused.clear()
        await mirrored.equal()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("get_config", "[]"),
        ("config/label_registry/list", "{}"),
        ("config/entity_registry/get_entries", "[]"),
    ],
)
async def test_an_answer_of_another_shape_is_a_fault_and_changes_nothing(
    mirrored: Mirrored, command: str, answer: str
) -> None:
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        everything = stored(mirrored.path)
        home.shaped[command] = answer
        home.update_entity(first(home.entities), name="Another")
        home.drop_connections()
        await until(lambda: home.connections >= 3)
        assert stored(mirrored.path) == everything
        home.shaped.clear()
        await mirrored.equal()


async def test_rows_without_a_key_are_left_out(mirrored: Mirrored) -> None:
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        known = ",".join(row.long().decode() for row in home.labels.values())
        home.shaped["config/label_registry/list"] = f'[{{"name": "nobody knows which"}}, 7, {known}]'
        home.update_area("room_0", name="Another")
        home.fire("label_registry_updated", action="update", label_id="label_0")
        home.drop_connections()
        await until(lambda: home.connections == 2)
        await mirrored.settled()
        asked = home.received["config/label_registry/list"]
        home.fire("label_registry_updated", action="update", label_id="label_0")
        await until(lambda: home.received["config/label_registry/list"] > asked)
        await mirrored.settled()


async def test_a_command_without_an_answer_is_a_lost_connection(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LIST_TIMEOUT_S", 0.05)
    mirrored.home.unanswered.add("config/area_registry/list")
    async with mirrored.running():
        await until(lambda: mirrored.home.connections >= 2)
        assert "no answer to config/area_registry/list" in str(mirrored.mirror.status.error)
        mirrored.home.unanswered.clear()
        await mirrored.equal()


async def test_each_failure_doubles_the_longest_wait_up_to_five_minutes(
    home: SimulatedHome, template: Path, tmp_path: Path
) -> None:
    """With a random number of one half; nothing listens at the address."""
    store = Store(database_url(f"sqlite:///{shutil.copy(template, tmp_path / 'metastore.db')}"), Clock())
    async with aiohttp.ClientSession() as session:
        home.port = 1
        mirrored = Mirrored(home, store, tmp_path / "metastore.db", session, Clock(), random=lambda: 0.5)
        async with mirrored.running():
            await until(lambda: len(mirrored.slept) >= 12)
        assert mirrored.slept[:12] == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 150, 150, 150]
        assert isinstance(mirrored.mirror.status.error, ConnectionLost)
        with pytest.raises(ConnectionLost):
            await mirrored.mirror.sync()
    await store.close()


async def test_a_connection_that_came_to_listing_begins_the_waiting_anew(mirrored: Mirrored) -> None:
    mirrored.mirror._environment = replace(mirrored.mirror._environment, random=lambda: 0.99)
    home = mirrored.home
    async with mirrored.running():
        for connections in range(1, 5):
            await until(lambda wanted=connections: home.connections == wanted and mirrored.mirror.status.connected)  # type: ignore[misc]
            home.drop_connections()
            await until(lambda: not mirrored.mirror.status.connected)
    waits = [seconds for seconds in mirrored.slept if seconds == 0.99]
    assert len(waits) == 4


async def test_the_rest_after_a_listing_is_four_times_its_cost_and_no_less_than_a_quarter_second(
    mirrored: Mirrored,
) -> None:
    async with mirrored.running():
        await mirrored.settled()
        mirrored.slept.clear()
        mirrored.home.update_device(first(mirrored.home.devices), name_by_user="Another")
        await mirrored.equal()
        await until(lambda: mirrored.slept)
    assert min(mirrored.slept) >= 0.25


# -- giving up ---------------------------------------------------------------------------------------------------------


async def test_a_refused_token_is_final(mirrored: Mirrored) -> None:
    mirrored.home.token = "another"
    async with mirrored.running():
        await until(lambda: mirrored.given_up)
    assert mirrored.given_up is not None
    assert isinstance(mirrored.given_up.error, InvalidToken)
    assert mirrored.home.connections == 1
    assert query(mirrored.path, "SELECT * FROM homes") == []


async def test_a_token_that_is_revoked_while_connected_is_final(mirrored: Mirrored) -> None:
    """The home says no more than CLOSE 1000; the next connection learns why."""
    async with mirrored.running():
        await mirrored.settled()
        everything = stored(mirrored.path)
        mirrored.home.revoke_token()
        await until(lambda: mirrored.given_up)
        assert isinstance(mirrored.mirror.status.error, InvalidToken)
        assert not mirrored.mirror.status.connected
        assert mirrored.home.connections == 2
        assert stored(mirrored.path) == everything


async def test_a_user_who_is_no_administrator_is_refused_before_anything_is_asked(mirrored: Mirrored) -> None:
    mirrored.home.is_admin = False
    async with mirrored.running():
        await until(lambda: mirrored.given_up)
    assert mirrored.given_up is not None
    assert isinstance(mirrored.given_up.error, NotAdmin)
    assert set(mirrored.home.received) == {"supported_features", "auth/current_user"}


async def test_another_home_at_the_same_address_is_not_mixed_with_the_first(mirrored: Mirrored) -> None:
    home, other = mirrored.home, SimulatedHome(5, 10, seed=7)
    async with mirrored.running():
        await mirrored.settled()
        everything = stored(mirrored.path)
        home.config_entries, home.devices, home.entities = other.config_entries, other.devices, other.entities
        home.drop_connections()
        await until(lambda: mirrored.given_up)
    assert mirrored.given_up is not None
    assert isinstance(mirrored.given_up.error, OtherHome)
    assert stored(mirrored.path) == everything


async def test_a_home_is_the_same_while_one_config_entry_is(mirrored: Mirrored) -> None:
    home = mirrored.home
    async with mirrored.running():
        await mirrored.settled()
        home.drop_connections()
        for entry in list(home.config_entries)[1:]:
            home.remove_config_entry(entry)
        home.create_config_entry("new")
        await until(lambda: home.connections == 2)
        await mirrored.settled()
    assert mirrored.given_up is None


# -- on request --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [NEVER_S], indirect=True)
async def test_a_requested_synchronisation_brings_what_no_event_told(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.equal()
        mirrored.home.create_webhook("secret-webhook-9", "Another")
        mirrored.home.remove_webhook("secret-webhook-0")
        mirrored.home.entities[first(mirrored.home.entities)].change({"name": "Never told", "modified_at": 1.0})
        sync = await mirrored.mirror.sync()
        assert (sync.created, sync.updated, sync.removed) == (1, 1, 1)
        assert mirrored.mirror.status.last_sync == sync
        assert not differences(expected(mirrored.home), stored(mirrored.path))


async def test_two_requests_at_once_and_changes_meanwhile(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.settled()
        requests = [asyncio.create_task(mirrored.mirror.sync()) for _ in range(2)]
        for _ in range(20):
            mirrored.home.recreate_entity(first(mirrored.home.entities))
            mirrored.home.remove_device(mirrored.home.create_device(first(mirrored.home.config_entries), "Short"))
            await asyncio.sleep(0)
        first_sync, second_sync = await asyncio.gather(*requests)
        assert second_sync.id > first_sync.id
        await mirrored.settled()
    assert_lives_are_told_once(mirrored.path)
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))


async def test_a_request_on_a_connection_that_breaks_says_so(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.settled()
        mirrored.home.before["config/device_registry/list"] = mirrored.home.drop_connections
        with pytest.raises(ConnectionLost):
            await mirrored.mirror.sync()
        await mirrored.settled()


async def test_a_request_that_outlives_its_connection_spoils_nothing(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has listed everything when the connection breaks, and writes only when the next connection has listed too."""
    home, apply = mirrored.home, mirrored.store.apply
    key = first(home.devices)

    async def slow(home_id: str, what: Any, span: Span) -> Sync:
        if span.reason == "requested":
            home.update_device(key, name_by_user="The latest name")
            home.drop_connections()
            with suppress(TimeoutError):  # A mirror that lets nobody in before this one is done is right as well.
                async with asyncio.timeout(0.5):
                    await reconnected.wait()
        sync = await apply(home_id, what, span)
        if span.reason == "connected":
            reconnected.set()
        return sync

    async with mirrored.running():
        await mirrored.settled()
        reconnected = asyncio.Event()
        monkeypatch.setattr(mirrored.store, "apply", slow)
        home.devices[key].change({"name_by_user": "A name that nobody told", "modified_at": 1.0})
        await asyncio.gather(mirrored.mirror.sync(), return_exceptions=True)
        await until(lambda: home.connections == 2)
        await mirrored.settled()
    assert not differences(replayed(mirrored.path), lasting(stored(mirrored.path)))


async def test_what_a_failed_request_did_not_write_is_written_with_the_next_change(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, apply = mirrored.home, mirrored.store.apply
    one, other = first(home.devices), first(home.devices, 1)

    async def failing(home_id: str, what: Any, span: Span) -> Sync:
        if span.reason == "requested":
            raise StoreUnavailable("the disk is full")
        return await apply(home_id, what, span)

    async with mirrored.running():
        await mirrored.settled()
        home.devices[one].change({"name_by_user": "A name that nobody told", "modified_at": 1.0})
        monkeypatch.setattr(mirrored.store, "apply", failing)
        with pytest.raises(StoreUnavailable):
            await mirrored.mirror.sync()
        home.update_device(other, name_by_user="Another")
        await mirrored.settled()


@pytest.mark.parametrize("turns", range(0, 40, 4))
async def test_a_mirror_that_is_stopped_while_it_reads_leaves_no_thread(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """Stopped after so many turns of the event loop; the harness looks for threads."""
    reading, live = asyncio.Event(), mirrored.store.live

    async def noted(*arguments: Any) -> Any:
        reading.set()
        return await live(*arguments)

    monkeypatch.setattr(mirrored.store, "live", noted)
    async with mirrored.running():
        await reading.wait()
        for _ in range(turns):
            await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_a_mirror_that_is_stopped_while_it_writes_leaves_the_database_usable(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """Stopped after so many turns of the event loop; a transaction that nobody ends would lock the database."""
    writing, apply = asyncio.Event(), mirrored.store.apply

    async def noted(*arguments: Any) -> Sync:
        writing.set()
        return await apply(*arguments)

    monkeypatch.setattr(mirrored.store, "apply", noted)
    async with mirrored.running():
        await writing.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
    with closing(sqlite3.connect(mirrored.path, timeout=0)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.rollback()
    monkeypatch.undo()
    async with mirrored.running():
        await mirrored.equal()
    assert_lives_are_told_once(mirrored.path)


# -- any sequence of operations, with disconnections at any point ------------------------------------------------------


def nth(rows: Iterable[str], number: int) -> str | None:
    """One of them; which one is said by a number of any size."""
    keys = list(rows)
    return keys[number % len(keys)] if keys else None


def _on(choose: Callable[[SimulatedHome], Iterable[str]], act: Callable[..., object]) -> Callable[..., None]:
    def operation(home: SimulatedHome, one: int, other: int) -> None:
        if (key := nth(choose(home), one)) is not None:
            act(home, key, other)

    return operation


def _swap(home: SimulatedHome, key: str, other: int) -> None:
    if (second := nth(home.entities, other)) != key:
        home.swap_entities(key, str(second))


def _move_to_free_address(home: SimulatedHome, key: str, other: int) -> None:
    """Few addresses, so that they are left and taken again."""
    if (address := f"sensor.place_{other % 4}") not in home.addresses:
        home.rename_entity(key, address)


def _new_entity(home: SimulatedHome, one: int, other: int) -> None:
    if (address := f"sensor.place_{one % 4}") not in home.addresses:
        home.create_entity(address, device=nth(home.devices, other))


def _new_device(home: SimulatedHome, key: str, other: int) -> None:
    parents = [device for device, row in home.devices.items() if row["config_entry_id"] == key]
    home.create_device(key, f"Device {other}", parent=nth(parents, other) if other % 2 else None)


def _remove_config_entry(home: SimulatedHome, key: str, _: int) -> None:
    if len(home.config_entries) > 1:  # without any of the known entries it would be another home
        home.remove_config_entry(key)


# Categories are in scopes that are always asked for: what is made in another one while nobody listens, nobody tells.
ANYTHING: dict[str, Callable[[SimulatedHome, int, int], object]] = {
    "create floor": lambda home, one, other: home.create_floor(f"Floor {one % 3}", level=other % 5),
    "remove floor": _on(lambda home: home.floors, lambda home, key, _: home.remove_floor(key)),
    "create area": lambda home, one, other: home.create_area(f"Room {one % 3}", floor_id=nth(home.floors, other)),
    "remove area": _on(lambda home: home.areas, lambda home, key, _: home.remove_area(key)),
    "create label": lambda home, one, _: home.create_label(f"Label {one % 3}"),
    "remove label": _on(lambda home: home.labels, lambda home, key, _: home.remove_label(key)),
    "create category": lambda home, one, other: home.create_category(("helpers", "scene")[one % 2], f"Name {other}"),
    "create config entry": lambda home, one, _: home.create_config_entry(f"domain_{one % 3}"),
    "disable config entry": _on(
        lambda home: home.config_entries,
        lambda home, key, other: home.disable_config_entry(key, "user" if other % 2 else None),
    ),
    "remove config entry": _on(lambda home: home.config_entries, _remove_config_entry),
    "create device": _on(lambda home: home.config_entries, _new_device),
    "move device": _on(
        lambda home: [*home.devices, *home.children],
        lambda home, key, other: home.update_device(key, area_id=nth(home.areas, other), labels=list(home.labels)),
    ),
    "disable device": _on(
        lambda home: home.devices,
        lambda home, key, other: home.update_device(key, disabled_by=("user", None)[other % 2]),
    ),
    "remove device": _on(lambda home: [*home.devices, *home.children], lambda home, key, _: home.remove_device(key)),
    "create entity": _new_entity,
    "name entity": _on(
        lambda home: home.entities, lambda home, key, other: home.update_entity(key, name=f"Name {other % 3}")
    ),
    "alias entity": _on(
        lambda home: home.entities, lambda home, key, other: home.update_entity(key, aliases=[None, f"{other % 3}"])
    ),
    "rename entity": _on(lambda home: home.entities, _move_to_free_address),
    "swap entities": _on(lambda home: home.entities, _swap),
    "recreate entity": _on(lambda home: home.entities, lambda home, key, _: home.recreate_entity(key)),
    "remove entity": _on(lambda home: home.entities, lambda home, key, _: home.remove_entity(key)),
    "create webhook": lambda home, one, _: home.create_webhook(f"secret-webhook-{one % 3}", f"Name {one % 3}"),
    "remove webhook": _on(lambda home: home.webhooks, lambda home, key, _: home.remove_webhook(key)),
}

OPERATION = st.tuples(st.sampled_from(sorted(ANYTHING)), st.integers(0, 20), st.integers(0, 20))
INTERRUPTION = st.one_of(
    st.none(), st.tuples(st.sampled_from(["drop", "close"]), st.none()), st.tuples(st.just("after"), st.integers(0, 40))
)


@dataclass(frozen=True)
class Step:
    """Operations at once, then an interruption, then operations while the mirror is on its way back or reading."""

    operations: list[tuple[str, int, int]]
    interruption: tuple[str, int | None] | None
    meanwhile: list[tuple[str, str, tuple[str, int, int]]]  # (before or after, command, operation)

    def take(self, home: SimulatedHome) -> None:
        for when, command, operation in self.meanwhile:
            getattr(home, when)[command] = partial(perform, home, operation)
        match self.interruption:
            case "after", int(messages):
                home.drop_after(messages)
            case "drop", _:
                home.drop_connections()
            case "close", _:
                home.close_connections()
        for operation in self.operations:
            perform(home, operation)


def perform(home: SimulatedHome, operation: tuple[str, int, int]) -> None:
    name, one, other = operation
    ANYTHING[name](home, one, other)


STEPS = st.lists(
    st.builds(
        Step,
        st.lists(OPERATION, max_size=6),
        INTERRUPTION,
        st.lists(st.tuples(st.sampled_from(["before", "after"]), st.sampled_from(ASKED), OPERATION), max_size=4),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
async def test_after_any_sequence_the_database_and_its_history_are_what_the_home_was(
    template: Path, tmp_path: Path, socket_enabled: None, steps: list[Step]
) -> None:
    path = Path(shutil.copy(template, tmp_path / f"{uuid4().hex}.db"))
    seen: list[tuple[float, Everything]] = []
    home = SimulatedHome(4, 6)
    async with mirrored_by(home, path) as mirrored:
        async with mirrored.running():
            await mirrored.settled()
            for step in steps:
                step.take(home)
                await mirrored.settled()
                await mirrored.equal()
                seen.append((mirrored.clock.now, lasting(expected(home))))
        assert not differences(replayed(path), lasting(stored(path)))
        assert_lives_are_told_once(path)
        for at, everything in seen:
            assert not differences(await as_of(mirrored.store, at), everything)


async def as_of(store: Store, at: float) -> Everything:
    return {
        registry.name: {key: _plain(entry._asdict()) for key, entry in (await store.as_of(HOME, registry, at)).items()}
        for registry in REGISTRIES
    }
