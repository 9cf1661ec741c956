"""The mirror when something fails: it finds the home again or gives up for good, and may be stopped at any moment."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from custom_components.metastore import listing, source
from custom_components.metastore.core.errors import ConnectionLost, InvalidToken, NotAdmin, OtherHome, StoreUnavailable
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.store import Span, Store, Sync

from .mirrored import (
    NEVER_S,
    Clock,
    Mirrored,
    _quiet_engines,  # noqa: F401
    expected_lingering_timers,  # noqa: F401
    first,
    until,
)
from .readings import assert_lives_are_told_once, differences, expected, lasting, query, replayed, stored
from .simulated_home import SimulatedHome

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
