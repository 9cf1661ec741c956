"""The way to a home, over real sockets, with a simulated home at the other end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from custom_components.metastore import source
from custom_components.metastore.core.errors import CommandFailed, ConnectionLost, InvalidToken, ProtocolError
from custom_components.metastore.core.protocol import parse
from custom_components.metastore.source import Access, Connection, connect, websocket_url

from .simulated_home import TOKEN, SimulatedHome

LIST_LABELS = "config/label_registry/list"
LIST_ENTITIES = "config/entity_registry/list"


@pytest.fixture
def expected_lingering_timers() -> bool:
    """aiohttp winds its heartbeat up again when data arrives on a connection that is just being closed."""
    return True


@pytest.fixture
async def home(socket_enabled: None) -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(5, 10).listening() as found:
        yield found


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


@pytest.fixture
async def connection(home: SimulatedHome, session: aiohttp.ClientSession) -> AsyncIterator[Connection]:
    async with connect(session, Access(home.url, TOKEN)) as found:
        yield found


async def lost(connection: Connection) -> None:
    async with asyncio.timeout(15):
        await connection.lost()


# -- coming to a connection --------------------------------------------------------------------------------------------


async def test_an_accepted_token_opens_a_connection(connection: Connection, home: SimulatedHome) -> None:
    assert len(await connection.call(LIST_LABELS)) == 5
    assert home.received["supported_features"] == 1


async def test_a_closed_connection_leaves_nothing_behind(home: SimulatedHome, session: aiohttp.ClientSession) -> None:
    tasks = asyncio.all_tasks()
    async with connect(session, Access(home.url, TOKEN)):
        assert len(home.clients) == 1
    assert not [task for task in asyncio.all_tasks() - tasks if "metastore" in task.get_name()]


async def test_a_refused_token_is_no_lost_connection(home: SimulatedHome, session: aiohttp.ClientSession) -> None:
    with pytest.raises(InvalidToken, match="Invalid access token"):
        async with connect(session, Access(home.url, "wrong")):
            pytest.fail("opened")


def test_an_access_shows_neither_token_nor_password() -> None:
    shown = repr(Access("https://somebody:password@example.org", "very-secret"))
    assert "example.org" in shown
    assert "very-secret" not in shown
    assert "password" not in shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("https://example.org/", "wss://example.org/api/websocket"),
        ("https://example.org/prefix", "wss://example.org/prefix/api/websocket"),
        ("http://[::1]:8123", "ws://[::1]:8123/api/websocket"),
    ],
)
def test_the_websocket_lies_below_the_address(url: str, expected: str) -> None:
    assert str(websocket_url(url)) == expected


@pytest.mark.parametrize("url", ["", "homeassistant.local:8123", "ftp://example.org", "http://", "/api", "ws://x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ProtocolError, match="http"):
        websocket_url(url)


@pytest.mark.parametrize("url", ["ftp://example.org", "http://[", "http://127.0.0.1:port", "http://127.0.0.1:1"])
async def test_what_cannot_be_reached_is_a_lost_connection(url: str, session: aiohttp.ClientSession) -> None:
    with pytest.raises(ConnectionLost):
        async with connect(session, Access(url, TOKEN)):
            pytest.fail("opened")


async def test_a_server_without_a_websocket_is_a_lost_connection(
    session: aiohttp.ClientSession, socket_enabled: None
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionLost, match="no connection"):
            async with connect(session, Access(url, TOKEN)):
                pytest.fail("opened")


async def test_a_server_that_accepts_and_is_silent_is_a_lost_connection(
    session: aiohttp.ClientSession, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CONNECT_TIMEOUT_S", 0.1)
    finished = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await finished.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionLost, match="no connection within"):
            async with connect(session, Access(url, TOKEN)):
                pytest.fail("opened")
        finished.set()


async def test_a_home_that_never_greets_is_a_lost_connection(
    home: SimulatedHome, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CONNECT_TIMEOUT_S", 0.1)
    home.greets = False
    with pytest.raises(ConnectionLost, match="did not greet"):
        async with connect(session, Access(home.url, TOKEN)):
            pytest.fail("opened")


@pytest.mark.parametrize("messages", [0, 1])
async def test_a_connection_that_breaks_before_it_is_open_is_lost(
    home: SimulatedHome, session: aiohttp.ClientSession, messages: int
) -> None:
    home.drop_after(messages)
    with pytest.raises(ConnectionLost):
        async with connect(session, Access(home.url, TOKEN)):
            pytest.fail("opened")


# -- commands ----------------------------------------------------------------------------------------------------------


async def test_a_refused_command_says_why_and_the_connection_stays(connection: Connection) -> None:
    with pytest.raises(CommandFailed, match="Unknown command") as raised:
        await connection.call("nobody/knows/this")
    assert raised.value.code == "unknown_command"
    assert raised.value.command == "nobody/knows/this"
    assert await connection.call("ping") is None


async def test_a_refused_subscription_says_why(connection: Connection, home: SimulatedHome) -> None:
    home.is_admin = False
    with pytest.raises(CommandFailed) as raised:
        await connection.subscribe(lambda _: None, "subscribe_events", event_type="homeassistant_started")
    assert raised.value.code == "unauthorized"


async def test_a_command_without_an_answer_is_a_lost_connection(connection: Connection, home: SimulatedHome) -> None:
    home.unanswered.add(LIST_LABELS)
    with pytest.raises(ConnectionLost, match=r"no answer to config/label_registry/list within 0\.05"):
        await connection.call(LIST_LABELS, timeout_s=0.05)


async def test_an_answer_that_comes_too_late_disturbs_nobody(connection: Connection, home: SimulatedHome) -> None:
    home.unanswered.add(LIST_LABELS)
    with pytest.raises(ConnectionLost):
        await connection.call(LIST_LABELS, timeout_s=0.05)
    number = home.received.total()
    home.say(f'{{"id": {number}, "type": "result", "success": true, "result": []}}')
    assert await connection.call("ping") is None


async def test_many_commands_at_once_are_sent_in_the_order_of_their_ids(connection: Connection) -> None:
    """The home refuses an id that is not greater than the one before."""
    answers = await asyncio.gather(*(connection.call(LIST_LABELS if number % 2 else "ping") for number in range(100)))
    assert [answer is None for answer in answers] == [number % 2 == 0 for number in range(100)]


# -- the order of things -----------------------------------------------------------------------------------------------


async def test_what_was_told_before_an_answer_is_known_when_it_arrives(
    connection: Connection, home: SimulatedHome
) -> None:
    """With coalescing, the events and the answer are in one frame; `arrived` stands between them."""
    told: list[str] = []
    watch: Callable[[Any], None] = lambda event: told.append(event["data"]["label_id"])  # noqa: E731
    await connection.subscribe(watch, "subscribe_events", event_type="label_registry_updated")
    home.before[LIST_LABELS] = lambda: home.create_label("before")
    home.after[LIST_LABELS] = lambda: home.create_label("after")
    rows = await connection.call(LIST_LABELS, arrived=lambda: told.append("arrived"))
    await connection.call("ping")
    assert told == ["before", "arrived", "after"]
    assert {row["label_id"] for row in rows} >= {"before"}
    assert "after" not in {row["label_id"] for row in rows}


async def test_events_go_to_their_subscription(connection: Connection, home: SimulatedHome) -> None:
    labels: list[Any] = []
    floors: list[Any] = []
    await connection.subscribe(labels.append, "subscribe_events", event_type="label_registry_updated")
    await connection.subscribe(floors.append, "subscribe_events", event_type="floor_registry_updated")
    home.create_label("One")
    home.create_floor("Two")
    await connection.call("ping")
    assert [event["data"] for event in labels] == [{"action": "create", "label_id": "one"}]
    assert [event["data"] for event in floors] == [{"action": "create", "floor_id": "two"}]


async def test_a_list_of_results_and_events_is_routed_message_by_message(
    connection: Connection, home: SimulatedHome
) -> None:
    told: list[Any] = []
    await connection.subscribe(told.append, "subscribe_events", event_type="label_registry_updated")
    requests = [asyncio.create_task(connection.call(LIST_LABELS)) for _ in range(5)]
    for number in range(50):
        home.create_label(f"Number {number}")
    answers = await asyncio.gather(*requests)
    await connection.call("ping")
    assert len(told) == 50
    assert all(len(rows) == 55 for rows in answers)


async def test_a_big_answer_is_parsed_in_a_thread_and_stays_in_its_place(
    session: aiohttp.ClientSession, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noted(frame: str | bytes) -> Any:
        threads.append(threading.get_ident())
        return parse(frame)

    monkeypatch.setattr(source, "parse", noted)
    told: list[str] = []
    async with SimulatedHome(100, 3_000).listening() as home, connect(session, Access(home.url, TOKEN)) as connection:
        watch: Callable[[Any], None] = lambda event: told.append(event["data"]["label_id"])  # noqa: E731
        await connection.subscribe(watch, "subscribe_events", event_type="label_registry_updated")
        home.before[LIST_ENTITIES] = lambda: home.create_label("before")
        home.after[LIST_ENTITIES] = lambda: home.create_label("after")
        rows = await connection.call(LIST_ENTITIES, arrived=lambda: told.append("arrived"))
        await connection.call("ping")
    assert [row["entity_id"] for row in rows] == list(home.addresses)
    assert told == ["before", "arrived", "after"]
    assert len(set(threads)) == 2


async def test_a_frame_larger_than_the_limit_is_a_lost_connection(
    home: SimulatedHome, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_FRAME_BYTES", 1_000)
    async with connect(session, Access(home.url, TOKEN)) as connection:
        with pytest.raises(ConnectionLost):
            await connection.call(LIST_ENTITIES)


# -- losing it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame", ["{", "nonsense", "7", '"text"', "null", '{"type": "result"}', '{"id": 99, "type": "event"}']
)
async def test_a_frame_that_is_no_message_ends_the_connection(
    connection: Connection, home: SimulatedHome, frame: str
) -> None:
    home.unanswered.add(LIST_LABELS)
    waiting = asyncio.create_task(connection.call(LIST_LABELS))
    await connection.call("ping")
    home.say(frame)
    with pytest.raises(ProtocolError):
        await lost(connection)
    with pytest.raises(ProtocolError):
        await waiting


async def test_a_close_by_the_home_ends_everything_that_waits(connection: Connection, home: SimulatedHome) -> None:
    home.unanswered.add(LIST_LABELS)
    waiting = [asyncio.create_task(connection.call(LIST_LABELS)) for _ in range(3)]
    await connection.call("ping")
    home.close_connections()
    with pytest.raises(ConnectionLost, match="1000"):
        await lost(connection)
    for found in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(found, ConnectionLost)
    with pytest.raises(ConnectionLost):
        await connection.call("ping")


async def test_a_network_that_is_gone_ends_everything_that_waits(connection: Connection, home: SimulatedHome) -> None:
    home.before[LIST_LABELS] = home.drop_connections
    with pytest.raises(ConnectionLost):
        await connection.call(LIST_LABELS)
    with pytest.raises(ConnectionLost):
        await lost(connection)


async def test_a_half_open_connection_is_found_by_its_missing_pong(
    home: SimulatedHome, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "HEARTBEAT_S", 0.1)
    async with connect(session, Access(home.url, TOKEN)) as connection:
        home.freeze_after(0)
        with pytest.raises(ConnectionLost):
            await connection.call("ping")
        with pytest.raises(ConnectionLost):
            await lost(connection)


async def test_a_pong_is_enough_to_stay(
    home: SimulatedHome, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home in which nothing happens says nothing but pongs."""
    monkeypatch.setattr(source, "HEARTBEAT_S", 0.05)
    async with connect(session, Access(home.url, TOKEN)) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await connection.lost()
        assert await connection.call("ping") is None


async def test_a_connection_that_was_left_says_so_to_whoever_still_waits(
    home: SimulatedHome, session: aiohttp.ClientSession
) -> None:
    home.unanswered.add(LIST_LABELS)
    async with connect(session, Access(home.url, TOKEN)) as connection:
        waiting = asyncio.create_task(connection.call(LIST_LABELS))
        await connection.call("ping")
    with pytest.raises(ConnectionLost, match="closed"):
        await waiting
