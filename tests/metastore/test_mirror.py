"""The mirror before a simulated home: whatever happens there ends up in a SQLite database, and in its history."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from custom_components.metastore.core.entries import DEVICES, REGISTRIES, Payload, Registry
from custom_components.metastore.listing import Listing

from .mirrored import (
    ASKED,
    HOME,
    NEVER_S,
    Mirrored,
    _quiet_engines,  # noqa: F401
    expected_lingering_timers,  # noqa: F401
    first,
    mirrored_by,
    until,
)
from .readings import assert_lives_are_told_once, differences, expected, history, lasting, query, replayed, stored
from .simulated_home import SimulatedHome

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


async def test_a_large_home(template: Path, tmp_path: Path, socket_enabled: None) -> None:
    """10,000 devices and 50,000 entities, in the form in which Home Assistant would send 40 MB."""
    home = SimulatedHome(devices=10_000, entities=50_000)
    path = Path(shutil.copy(template, tmp_path / "large.db"))
    async with home.listening(), mirrored_by(home, path, poll_interval_s=NEVER_S) as mirrored, mirrored.running():
        async with asyncio.timeout(120):
            while not mirrored.mirror.status.connected:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0.1)
        assert query(path, "SELECT count(*) FROM entities WHERE removed_at IS NULL") == [(50_000,)]
        assert differences(expected(home), stored(path)) == []


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


async def test_a_home_that_settles_while_it_is_listed_loses_what_is_gone(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that was asked for before removes nothing, and must not hide from later ones that something is gone."""
    home = mirrored.home
    async with mirrored.running():
        await mirrored.equal()
    hold_back(home, "NOT_RUNNING")
    home.remove_device(first(home.devices))
    all_of = Listing.all_of

    async def slowly(self: Listing, registry: Registry, *arguments: Any) -> list[Payload]:
        found = await all_of(self, registry, *arguments)
        if registry is DEVICES and mirrored.mirror.status.connected:
            home.finish_starting()
            await asyncio.sleep(0.1)
        return found

    async with mirrored.running():
        await until(lambda: mirrored.mirror.status.connected)
        monkeypatch.setattr(Listing, "all_of", slowly)
        home.update_device(first(home.devices), name_by_user="somebody")
        await mirrored.equal()


@pytest.mark.parametrize("mirrored", [NEVER_S], indirect=True)
async def test_a_home_that_stops_unloads_what_it_has_and_nothing_is_gone(mirrored: Mirrored) -> None:
    async with mirrored.running():
        await mirrored.equal()
        before = stored(mirrored.path)["webhooks"]
        mirrored.home.state = "STOPPING"
        for webhook_id in [*mirrored.home.webhooks]:
            mirrored.home.remove_webhook(webhook_id)
        mirrored.home.set_state(first(mirrored.home.config_entries), "not_loaded")
        await until(lambda: stored(mirrored.path)["config_entries"] == expected(mirrored.home)["config_entries"])
        await asyncio.sleep(0.2)
        assert stored(mirrored.path)["webhooks"] == before


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
