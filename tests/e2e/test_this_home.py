"""A home with everything in it, mirrored by itself into SQLite.

The tests change one home, one after the other; each ends with a database that is what the home lists.
"""

from __future__ import annotations

import time
from itertools import batched
from typing import Any

import pytest
from home_assistant import HomeAssistant, wait_for
from mirrored import Database, blunders, history_differences, sqlite, wait_until_equal


@pytest.fixture(scope="module")
def database(home: HomeAssistant) -> Database:
    done = home.mirror_this("sqlite:///metastore.db")
    assert done["type"] == "create_entry", done
    database = sqlite(home.folder / "metastore.db")
    wait_until_equal(home, database)
    return database


def all_of(home: HomeAssistant, registry: str) -> list[dict[str, Any]]:
    return list(home.call(f"config/{registry}_registry/list"))


def invite_the_crowd(home: HomeAssistant) -> None:
    if not home.has("crowd"):
        home.set_up("crowd")


def test_the_database_is_what_the_home_lists(home: HomeAssistant, database: Database) -> None:
    wait_until_equal(home, database)
    for registry, least in {"devices": 75, "entities": 125, "areas": 3, "config_entries": 3, "webhooks": 2}.items():
        assert len(database.live(registry)) >= least, registry


def test_the_first_sync_wrote_what_there_was_from_nothing(database: Database) -> None:
    first = database.query("SELECT * FROM changes WHERE sync_id = 1")
    assert {row["action"] for row in first} == {"created"}
    assert database.one("SELECT created FROM syncs WHERE id = 1") == len(first) > 200
    assert history_differences(database) == []


def test_nothing_was_typed(home: HomeAssistant, database: Database) -> None:
    """The home has the instance's own id; a user that nobody can sign in as opens it, and no token is stored."""
    assert database.one("SELECT home_id FROM homes") == home.stored("core.uuid")["uuid"]
    user = own_user(home)
    assert user["system_generated"]
    assert user["local_only"]
    saved = home.storage("core.config_entries")
    wait_for("stored user", lambda: saved.exists() and user["id"] in saved.read_text())
    [entry] = [each for each in home.stored("core.config_entries")["entries"] if each["domain"] == "metastore"]
    assert set(entry["data"].pop("entry_ids")) <= set(database.live("config_entries"))
    assert entry["data"] == {"source": "this", "home_id": home.stored("core.uuid")["uuid"], "user_id": user["id"]}


def own_user(home: HomeAssistant) -> dict[str, Any]:
    [user] = [each for each in home.call("config/auth/list") if each["name"] == "Metastore"]
    return dict(user)


def test_webhook_ids_are_nowhere_in_the_database(home: HomeAssistant, database: Database) -> None:
    """Whoever knows one can call it."""
    files = list(home.folder.glob("metastore.db*"))
    assert files
    for webhook in home.call("webhook/list"):
        assert not any(webhook["webhook_id"].encode() in file.read_bytes() for file in files)


def test_without_a_change_a_sync_leaves_one_record(home: HomeAssistant, database: Database) -> None:
    wait_until_equal(home, database)
    before = database.one("SELECT count(*) FROM changes")
    done = home.act("metastore.sync", config_entry_id=home.entry_of("metastore")["entry_id"])
    assert (done["created"], done["updated"], done["removed"]) == (0, 0, 0)
    assert database.one("SELECT max(id) FROM syncs") == done["sync_id"]
    assert database.one("SELECT count(*) FROM changes") == before


def test_floors_and_areas_come_move_and_go(home: HomeAssistant, database: Database) -> None:
    floors = [
        home.call("config/floor_registry/create", name=f"Level {level}", level=level, aliases=[f"{level}.", "storey"])
        for level in range(-2, 6)
    ]
    areas = [
        home.call(
            "config/area_registry/create",
            name=f"Room {number}",
            floor_id=floors[number % len(floors)]["floor_id"],
            aliases=["room", f"no. {number}", "ünïcode ☃"],
            icon="mdi:sofa",
            picture="/local/room.png",
        )
        for number in range(30)
    ]
    for number, area in enumerate(areas[:20]):
        home.call("config/area_registry/update", area_id=area["area_id"], name=f"Chamber {number}")
    for area in areas[5:15]:
        home.call("config/area_registry/update", area_id=area["area_id"], floor_id=floors[0]["floor_id"], aliases=[])
    for floor in floors[2:4]:
        home.call("config/floor_registry/update", floor_id=floor["floor_id"], name=floor["name"] + " (new)", level=None)
    home.call("config/floor_registry/delete", floor_id=floors[0]["floor_id"])
    for area in areas[25:]:
        home.call("config/area_registry/delete", area_id=area["area_id"])
    wait_until_equal(home, database)
    assert len(database.live("floors")) == len(floors) - 1


def test_labels_and_categories_of_every_scope_come_and_go(home: HomeAssistant, database: Database) -> None:
    """Nobody lists the scopes: one that is not the frontend's is learned from an event."""
    labels = [
        home.call("config/label_registry/create", name=f"Label {number}", color="indigo", description="what for")
        for number in range(10)
    ]
    made = [
        (scope, home.call("config/category_registry/create", scope=scope, name=f"{scope} {number}", icon="mdi:tag"))
        for scope in ("automation", "helpers", "scene", "script", "attic")
        for number in range(3)
    ]
    chosen = [label["label_id"] for label in labels]
    entities, devices = all_of(home, "entity"), all_of(home, "device")
    for number, entity in enumerate(entities[:10]):
        scope, category = made[number]
        home.call(
            "config/entity_registry/update",
            entity_id=entity["entity_id"],
            labels=chosen[number:],
            categories={scope: category["category_id"]},
        )
    for number, device in enumerate(devices[:10]):
        home.call("config/device_registry/update", device_id=device["id"], labels=chosen[: number + 1])
    for label in labels[:3]:
        home.call("config/label_registry/update", label_id=label["label_id"], name=label["name"] + " (new)", icon=None)
    for label in labels[6:]:
        home.call("config/label_registry/delete", label_id=label["label_id"])
    for scope, category in made[::2]:
        home.call("config/category_registry/delete", scope=scope, category_id=category["category_id"])
    for scope, category in made[1::2]:
        new = {"category_id": category["category_id"], "name": category["name"] + " (new)", "icon": None}
        home.call("config/category_registry/update", scope=scope, **new)
    wait_until_equal(home, database)
    assert {row["scope"] for row in database.live("categories").values()} >= {"automation", "attic"}


def test_devices_are_renamed_moved_disabled_and_removed(home: HomeAssistant, database: Database) -> None:
    devices = all_of(home, "device")
    areas = [area["area_id"] for area in all_of(home, "area")]
    for turn in ("first", "second"):
        for number, device in enumerate(devices):
            home.call(
                "config/device_registry/update",
                device_id=device["id"],
                name_by_user=f"{turn} {number}",
                area_id=areas[number % len(areas)],
            )
    for device in devices[::7]:
        home.call("config/device_registry/update", device_id=device["id"], disabled_by="user")
    for device in devices[::14]:
        home.call("config/device_registry/update", device_id=device["id"], disabled_by=None)
    home.call("config/area_registry/delete", area_id=areas[0])
    wait_until_equal(home, database)


def test_devices_are_removed_with_what_belongs_to_them(home: HomeAssistant, database: Database) -> None:
    """Entities go with their device, and children before their parent."""
    invite_the_crowd(home)
    home.act("crowd.come", devices=30)
    wait_until_equal(home, database)
    crowd = home.entry_of("crowd")["entry_id"]
    own = [device["id"] for device in all_of(home, "device") if device["config_entry_id"] == crowd]
    assert len(own) == 30
    for device in own[:20]:
        home.call("config/device_registry/remove", device_id=device)
    wait_until_equal(home, database)
    removed = database.query("SELECT id FROM devices WHERE removed_at IS NOT NULL")
    assert {row["id"] for row in removed} >= set(own[:20])


def test_entities_change_in_every_way_that_the_frontend_knows(home: HomeAssistant, database: Database) -> None:
    areas = [area["area_id"] for area in all_of(home, "area")]
    entities = [row["entity_id"] for row in all_of(home, "entity") if row["platform"] in ("demo", "kitchen_sink")]
    ways: list[dict[str, Any]] = [
        {"name": "Renamed"},
        {"name": "Moved", "area_id": areas[0]},
        {"disabled_by": "user"},
        {"hidden_by": "user", "icon": "mdi:ghost"},
        {"aliases": ["The thing", None, "Das Ding", "東"]},
        {"options_domain": "conversation", "options": {"should_expose": True, "weight": 1.5}},
        {"labels": [], "device_class": "door"},
    ]
    for number, entity_id in enumerate(entities):
        home.call("config/entity_registry/update", entity_id=entity_id, **ways[number % len(ways)])
    for entity_id in entities[::9]:
        home.call("config/entity_registry/remove", entity_id=entity_id)
    wait_until_equal(home, database)


def test_renamed_entities_keep_their_identity_even_where_they_swap(home: HomeAssistant, database: Database) -> None:
    wait_until_equal(home, database)
    before = {row["entity_id"]: key for key, row in database.live("entities").items()}
    lights = [name for name in before if name.startswith("light.")]
    assert len(lights) >= 4

    def rename(old: str, new: str) -> None:
        home.call("config/entity_registry/update", entity_id=old, new_entity_id=new)

    for one, other in batched(lights[:4], 2, strict=True):
        rename(one, "light.for_a_moment")
        rename(other, one)
        rename("light.for_a_moment", other)
    for number, entity_id in enumerate(name for name in before if name.startswith("sensor.")):
        rename(entity_id, f"sensor.number_{number}")
    wait_until_equal(home, database)
    after = {row["entity_id"]: key for key, row in database.live("entities").items()}
    assert (after[lights[0]], after[lights[1]]) == (before[lights[1]], before[lights[0]])
    assert set(before.values()) == set(after.values())


def test_integrations_are_deleted_and_added_again(home: HomeAssistant, database: Database) -> None:
    """Which removes their devices and entities, and gives the new ones new ids."""
    home.set_up("sun", {})
    invite_the_crowd(home)
    kept = database.live("devices").keys()
    for integration in ("kitchen_sink", "sun"):
        home.remove_entry(home.entry_of(integration)["entry_id"])
    home.set_up("sun", {})
    home.act("crowd.bring_back", domain="kitchen_sink")
    wait_until_equal(home, database)
    home.remove_entry(home.entry_of("crowd")["entry_id"])
    home.call("config_entries/update", entry_id=home.entry_of("sun")["entry_id"], title="Our star")
    home.call("config_entries/disable", entry_id=home.entry_of("kitchen_sink")["entry_id"], disabled_by="user")
    wait_until_equal(home, database)
    home.call("config_entries/disable", entry_id=home.entry_of("kitchen_sink")["entry_id"], disabled_by=None)
    wait_until_equal(home, database)
    assert kept - database.live("devices").keys()


def test_webhooks_come_and_go_without_an_event(home: HomeAssistant, database: Database) -> None:
    """They are polled, every five minutes where the options say nothing else."""
    set_options(home, database, poll_interval_s=10)
    before = database.live("webhooks").keys()
    configuration = home.folder / "configuration.yaml"
    configuration.write_text(configuration.read_text().replace("the-bell-rings", "somebody-knocks"))
    home.act("automation.reload")
    wait_until_equal(home, database)
    assert len(before - database.live("webhooks").keys()) == 1


def set_options(home: HomeAssistant, database: Database, poll_interval_s: int) -> None:
    """Return when the mirror has begun again with them."""
    options = {"database_url": database.url, "retention_days": 365, "poll_interval_s": poll_interval_s}
    began = time.time()
    assert home.set_options(home.entry_of("metastore")["entry_id"], options)["type"] == "create_entry"
    wait_until_equal(home, database)
    wait_for("sync with new options", lambda: database.one("SELECT max(started_at) FROM syncs") > began)


def test_another_database_starts_empty_and_is_filled(home: HomeAssistant, database: Database) -> None:
    # There is no list of scopes: one that is not the frontend's, and that no entity names, cannot be found any more.
    for category in home.call("config/category_registry/list", scope="attic"):
        home.call("config/category_registry/delete", scope="attic", category_id=category["category_id"])
    elsewhere = sqlite(home.folder / "in a folder/that is new/home.db")
    set_options(home, elsewhere, poll_interval_s=300)
    assert {row["action"] for row in elsewhere.query("SELECT * FROM changes WHERE sync_id = 1")} == {"created"}
    set_options(home, database, poll_interval_s=300)


def test_the_history_leads_to_what_is_there(home: HomeAssistant, database: Database) -> None:
    """After all that took place so far."""
    wait_until_equal(home, database)
    assert history_differences(database) == []


def test_a_deleted_user_is_made_again(home: HomeAssistant, database: Database) -> None:
    gone = own_user(home)["id"]
    invite_the_crowd(home)
    home.act("crowd.delete_user", user_id=gone)
    home.call("config/area_registry/create", name="Without a user")
    wait_until_equal(home, database)
    assert own_user(home)["id"] != gone
    assert [flow for flow in home.call("config_entries/flow/progress") if flow["handler"] == "metastore"] == []


def test_reloading_leaves_nothing_behind(home: HomeAssistant, database: Database) -> None:
    entry = home.entry_of("metastore")["entry_id"]
    for number in range(3):
        home.call("config/area_registry/create", name=f"While reloading {number}")
        home.reload_entry(entry)
    home.call("config_entries/disable", entry_id=entry, disabled_by="user")
    home.call("config/area_registry/create", name="While nobody mirrors")
    home.call("config_entries/disable", entry_id=entry, disabled_by=None)
    wait_until_equal(home, database)


def test_the_power_fails_in_the_middle_of_changes(home: HomeAssistant, database: Database) -> None:
    """Home Assistant itself loses what it had not saved yet; the database then follows it back."""
    home.stop()  # what is there by now is saved
    home.start()
    wait_until_equal(home, database)
    devices = all_of(home, "device")
    for number in range(1500):
        device = devices[number % len(devices)]
        home.send("config/device_registry/update", device_id=device["id"], name_by_user=f"in vain {number}")
        if number >= 1000:
            home.receive()
    home.kill()
    assert database.one("PRAGMA integrity_check") == "ok"
    home.start()
    wait_until_equal(home, database)
    assert history_differences(database) == []


def test_a_removed_home_stays_and_is_found_again(home: HomeAssistant, database: Database) -> None:
    wait_until_equal(home, database)
    rows, changes = len(database.live("devices")), database.one("SELECT count(*) FROM changes")
    user = own_user(home)["id"]
    home.remove_entry(home.entry_of("metastore")["entry_id"])
    assert user not in {each["id"] for each in home.call("config/auth/list")}
    assert database.one("SELECT removed_at FROM homes") is not None
    assert len(database.live("devices")) == rows

    home.mirror_this("sqlite:///metastore.db")
    wait_until_equal(home, database)
    assert database.query("SELECT home_id, removed_at FROM homes") == [
        {"home_id": home.stored("core.uuid")["uuid"], "removed_at": None}
    ]
    since = database.query("SELECT registry, action FROM changes")[changes:]
    assert {line["registry"] for line in since} <= {"config_entries"}  # its own


def test_a_home_cannot_be_mirrored_twice(home: HomeAssistant, database: Database) -> None:
    wait_until_equal(home, database)
    again = home.mirror_this("sqlite:///another.db")
    assert (again["type"], again["reason"]) == ("abort", "already_configured")
    as_another = home.mirror_another(home.url, home.token, "sqlite:///another.db")
    assert (as_another["type"], as_another["reason"]) == ("abort", "already_configured")
    assert not (home.folder / "another.db").exists()


def test_nothing_was_said_that_should_worry_anybody(home: HomeAssistant, database: Database) -> None:
    home.stop()
    assert blunders(home) == []
