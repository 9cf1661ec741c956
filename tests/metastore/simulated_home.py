"""A Home Assistant that is only registries: the server side of its WebSocket, for homes of any size and any misfortune.

It shares no code with the integration, so that two implementations of the protocol check each other. Rows, events and
their order are those recorded from Home Assistant 2026.11 (see tests/fixtures/homeassistant-2026.11).

As a program it is a home in a process of its own, for benchmarks. It prints one line of JSON when it is ready:

    cd tests && python -m metastore.simulated_home --port 8200 --devices 10000 --entities 50000 \
        [--changes-per-second 100 --kind entity]

The changes begin when somebody has subscribed to them, or on the command `simulated_home/change`, which only this home
knows: {"per_second": 100, "kind": "entity", "seconds": 60}. `simulated_home/counts` tells how many there were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from .simulated_registries import Registries, Row

VERSION = "2026.11.0"
TOKEN = "a-token-that-opens-it"
MOST_PENDING = 4096  # messages that a client may leave unread; then Home Assistant closes the connection
CHANGES_PER_TICK_S = 0.01


class SimulatedHome(Registries):
    """The registries with a WebSocket before them.

    Switches: `token`, `is_admin`, `state`, `recovery_mode`, `safe_mode`, `version`, and for misfortunes `greets`
    (False: it accepts and says nothing), `refused` (command → the error that it is answered with), `unanswered`
    (commands that get no answer), `misanswered` (command → the text of the frame that comes instead), and `shaped`
    (command → the JSON of its result).

    `before` and `after` hold, for a command, what is done once when it arrives next or has been answered: what happens
    in a home while somebody is asking.
    """

    def __init__(self, devices: int = 0, entities: int = 0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.token = TOKEN
        self.is_admin = True
        self.state = "RUNNING"
        self.recovery_mode = self.safe_mode = False
        self.location_name, self.version = "Simulated Home", VERSION
        self.greets = True
        self.refused: dict[str, str] = {}
        self.unanswered: set[str] = set()
        self.misanswered: dict[str, str] = {}
        self.shaped: dict[str, str] = {}
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}
        self.when_subscribed: dict[str, Callable[[], object]] = {}
        self.received: Counter[str] = Counter()
        self.connections = self.cut = self.sent = 0
        self.clients: set[_Client] = set()
        self.port = 0
        self.generating: asyncio.Task[None] | None = None
        self._countdown: int | None = None
        self._when_over: Callable[[_Client], None] = _Client.drop
        self.fill(devices, entities)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[SimulatedHome]:
        server = await serve(
            self._welcome, "127.0.0.1", port, max_size=None, compression=None, ping_interval=None, write_limit=2**20
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            await self._close(server)

    async def _close(self, server: Server) -> None:
        if self.generating:
            self.generating.cancel()
            await asyncio.wait([self.generating])
        for client in list(self.clients):
            client.drop()
        server.close()
        await server.wait_closed()

    async def _welcome(self, socket: ServerConnection) -> None:
        client = _Client(self, socket)
        self.connections += 1
        self.clients.add(client)
        try:
            await client.run()
        finally:
            self.clients.discard(client)

    # -- telling -------------------------------------------------------------------------------------------------------

    def fire(self, event_type: str, **data: Any) -> None:
        listeners = [
            (client, number)
            for client in self.clients
            for number, kind in client.subscriptions.items()
            if kind in (event_type, "*")
        ]
        if not listeners:
            return
        event = orjson.dumps(
            {
                "event_type": event_type,
                "data": data,
                "origin": "LOCAL",
                "time_fired": datetime.now(UTC).isoformat(),
                "context": {"id": self._ulid(), "parent_id": None, "user_id": None},
            }
        )
        for client, number in listeners:
            client.put(b'{"type":"event","event":%b,"id":%d}' % (event, number))

    def fire_config_entry(self, kind: str, row: Row) -> None:
        for client in list(self.clients):
            for number, subscribed in client.subscriptions.items():
                if subscribed == "config_entries/subscribe":
                    client.put_json({"id": number, "type": "event", "event": [{"type": kind, "entry": dict(row)}]})

    # -- misfortunes ---------------------------------------------------------------------------------------------------

    def finish_starting(self) -> None:
        self.state, self.recovery_mode, self.safe_mode = "RUNNING", False, False
        self.fire("homeassistant_started")

    def drop_connections(self) -> None:
        """The network is gone: no close frame."""
        for client in list(self.clients):
            client.drop()

    def drop_after(self, messages: int) -> None:
        """The connection is gone after that many more messages."""
        self._countdown, self._when_over = messages, _Client.drop

    def freeze_after(self, messages: int) -> None:
        """After that many more messages nothing is sent or read, and nobody is told: a half-open connection."""
        self._countdown, self._when_over = messages, _Client.freeze

    def close_connections(self) -> None:
        """What a restart and the revocation of a token look like: CLOSE 1000, and nothing else."""
        for client in list(self.clients):
            client.close()

    def revoke_token(self) -> None:
        self.token = "another token"
        self.close_connections()

    def say(self, text: str) -> None:
        """Send a frame of that text to everybody."""
        for client in list(self.clients):
            client.put(text.encode())

    def allowance(self, client: _Client, wanted: int) -> int:
        """How many of so many messages may be sent before the misfortune that was ordered."""
        if self._countdown is None:
            return wanted
        allowed = min(wanted, self._countdown)
        self._countdown -= allowed
        if self._countdown == 0 and allowed < wanted:
            self._countdown = None
            asyncio.get_running_loop().call_soon(self._when_over, client)
        return allowed

    # -- changing all the time -----------------------------------------------------------------------------------------

    def generate(self, per_second: float, kind: str, seconds: float | None = None) -> None:
        """Rename one entity or device after another, that many each second; a rate of 0 stops it."""
        if self.generating:
            self.generating.cancel()
        self.generating = asyncio.create_task(self._generate(per_second, kind, seconds)) if per_second else None

    async def _generate(self, per_second: float, kind: str, seconds: float | None) -> None:
        keys, number, began = self._endless(kind), 0, time.monotonic()
        while seconds is None or time.monotonic() - began < seconds:
            due = int((time.monotonic() - began) * per_second)
            for key in islice(keys, max(0, due - number)):
                number += 1
                if kind == "entity":
                    self.update_entity(key, name=f"Change {number}")
                else:
                    self.update_device(key, name_by_user=f"Change {number}")
            await asyncio.sleep(CHANGES_PER_TICK_S)

    def _endless(self, kind: str) -> Iterator[str]:
        while True:
            yield from list(self.entities if kind == "entity" else self.devices)


class _Client:
    """One connection. Answers and events leave through one queue, in the order in which they were put there."""

    def __init__(self, home: SimulatedHome, socket: ServerConnection) -> None:
        self.subscriptions: dict[int, str] = {}
        self._home = home
        self._socket = socket
        self._last_id = 0
        self._coalesces = False
        self._frozen = self._closing = False
        self._pending: deque[bytes] = deque()
        self._wake = asyncio.Event()

    # -- fate ----------------------------------------------------------------------------------------------------------

    def drop(self) -> None:
        self._frozen = True
        self._socket.transport.abort()

    def freeze(self) -> None:
        self._frozen = True
        self._socket.transport.pause_reading()

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    # -- sending -------------------------------------------------------------------------------------------------------

    def put_json(self, message: dict[str, Any]) -> None:
        self.put(orjson.dumps(message))

    def put(self, message: bytes) -> None:
        if self._closing:
            return
        self._pending.append(message)
        self._wake.set()
        if len(self._pending) > MOST_PENDING:
            self._home.cut += 1
            self._pending.clear()
            self.close()

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while not self._closing or self._pending:
                await self._wake.wait()
                self._wake.clear()
                while self._pending and not self._frozen:
                    await self._send(self._take())
            await self._socket.close(1000)

    def _take(self) -> list[bytes]:
        if not self._coalesces:
            return [self._pending.popleft()]
        taken = list(self._pending)
        self._pending.clear()
        return taken

    async def _send(self, messages: list[bytes]) -> None:
        messages = messages[: self._home.allowance(self, len(messages))]
        if messages:
            self._home.sent += len(messages)
            frame = messages[0] if len(messages) == 1 else b"[%b]" % b",".join(messages)
            await self._socket.send(frame, text=True)
            await asyncio.sleep(0)

    # -- receiving -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        if not self._home.greets:
            await self._socket.wait_closed()
            return
        writer = asyncio.create_task(self._write())
        try:
            self.put_json({"type": "auth_required", "ha_version": self._home.version})
            if self._authenticate(await self._socket.recv()):
                async for text in self._socket:
                    self._receive(text)
            else:
                self.close()
            await self._socket.wait_closed()
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    def _authenticate(self, text: str | bytes) -> bool:
        """Not JSON: a close without a word; a bad token: the reason and a close."""
        try:
            said = json.loads(text)
        except ValueError:
            return False
        if not isinstance(said, dict) or said.get("type") != "auth":
            self.put_json({"type": "auth_invalid", "message": "Auth message incorrectly formatted"})
        elif said.get("access_token") != self._home.token:
            self.put_json({"type": "auth_invalid", "message": "Invalid access token or password"})
        else:
            self.put_json({"type": "auth_ok", "ha_version": self._home.version})
            return True
        return False

    def _receive(self, text: str | bytes) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            self.close()
            return
        number, kind = said.get("id"), said.get("type")
        if type(number) is not int or number < 1 or not isinstance(kind, str):
            self._refuse(None, "invalid_format", "Message incorrectly formatted.")
        elif number <= self._last_id:
            self._refuse(number, "id_reuse", "Identifier values have to increase.")
        else:
            self._last_id = number
            self._do(number, kind, {name: value for name, value in said.items() if name not in ("id", "type")})

    def _do(self, number: int, kind: str, arguments: dict[str, Any]) -> None:
        home = self._home
        home.received[kind] += 1
        if happens := home.before.pop(kind, None):
            happens()
        if kind in home.misanswered:
            self.put(home.misanswered[kind].encode())
        elif kind in home.shaped:
            self._result(number, home.shaped[kind].encode())
        elif kind in home.refused:
            self._refuse(number, home.refused[kind], "This was refused.")
        elif kind not in home.unanswered:
            self._answer(number, kind, arguments)
        if happens := home.after.pop(kind, None):
            happens()

    def _answer(self, number: int, kind: str, arguments: dict[str, Any]) -> None:
        if kind not in _COMMANDS:
            self._refuse(number, "unknown_command", "Unknown command.")
            return
        answer, required, optional, needs_admin = _COMMANDS[kind]
        if missing := required - arguments.keys():
            self._refuse(number, "invalid_format", f"required key not provided at '{min(missing)}'. Got None")
        elif extra := arguments.keys() - required - optional:
            self._refuse(number, "invalid_format", f"extra keys not allowed. Got {sorted(extra)}")
        elif needs_admin and not self._home.is_admin:
            self._refuse(number, "unauthorized", "Unauthorized")
        else:
            answer(self, number, arguments)

    def _refuse(self, number: int | None, code: str, message: str) -> None:
        error = {"code": code, "message": message}
        self.put_json({"id": number, "type": "result", "success": False, "error": error})

    def _result(self, number: int, value: bytes = b"null") -> None:
        self.put(b'{"id":%d,"type":"result","success":true,"result":%b}' % (number, value))

    # -- commands ------------------------------------------------------------------------------------------------------

    def _features(self, number: int, arguments: dict[str, Any]) -> None:
        self._coalesces = arguments["features"].get("coalesce_messages", 0) >= 1
        self._result(number)

    def _ping(self, number: int, arguments: dict[str, Any]) -> None:
        self.put_json({"id": number, "type": "pong"})

    def _subscribe(self, number: int, arguments: dict[str, Any]) -> None:
        kind = arguments.get("event_type", "*")
        if not self._home.is_admin and not kind.endswith("_registry_updated"):
            self._refuse(number, "unauthorized", "Unauthorized")
            return
        self.subscriptions[number] = kind
        self._result(number)
        if happens := self._home.when_subscribed.pop(kind, None):
            happens()

    def _unsubscribe(self, number: int, arguments: dict[str, Any]) -> None:
        if self.subscriptions.pop(arguments["subscription"], None) is None:
            self._refuse(number, "not_found", "Subscription not found.")
        else:
            self._result(number)

    def _subscribe_entries(self, number: int, arguments: dict[str, Any]) -> None:
        self.subscriptions[number] = "config_entries/subscribe"
        self._result(number)
        rows = () if self._home.recovery_mode else self._home.config_entries.values()
        self.put_json({"id": number, "type": "event", "event": [{"type": None, "entry": dict(row)} for row in rows]})

    def _user(self, number: int, arguments: dict[str, Any]) -> None:
        who = {"id": "f" * 32, "name": "Owner", "is_owner": self._home.is_admin, "is_admin": self._home.is_admin}
        self._result(number, orjson.dumps(who | {"credentials": [], "mfa_modules": []}))

    def _config(self, number: int, arguments: dict[str, Any]) -> None:
        home = self._home
        said = {
            "location_name": home.location_name,
            "recovery_mode": home.recovery_mode,
            "safe_mode": home.safe_mode,
            "state": home.state,
            "time_zone": "Europe/Amsterdam",
            "version": home.version,
        }
        self._result(number, orjson.dumps(said))

    def _list(self, number: int, rows: Iterable[bytes]) -> None:
        """In recovery mode every registry is empty."""
        self._result(number, b"[]" if self._home.recovery_mode else b"[%b]" % b",".join(rows))

    def _list_floors(self, number: int, arguments: dict[str, Any]) -> None:
        self._list(number, [row.long() for row in self._home.floors.values()])

    def _list_areas(self, number: int, arguments: dict[str, Any]) -> None:
        self._list(number, [row.long() for row in self._home.areas.values()])

    def _list_labels(self, number: int, arguments: dict[str, Any]) -> None:
        self._list(number, [row.long() for row in self._home.labels.values()])

    def _list_categories(self, number: int, arguments: dict[str, Any]) -> None:
        self._list(number, [row.long() for row in self._home.categories.get(arguments["scope"], {}).values()])

    def _list_config_entries(self, number: int, arguments: dict[str, Any]) -> None:
        wanted = arguments.get("domain")
        rows = self._home.config_entries.values()
        self._list(number, [row.long() for row in rows if wanted in (None, row["domain"])])

    def _list_devices(self, number: int, arguments: dict[str, Any]) -> None:
        self._list(number, [row.long() for rows in (self._home.devices, self._home.children) for row in rows.values()])

    def _list_entities(self, number: int, arguments: dict[str, Any]) -> None:
        self._list(number, [row.short() for row in self._home.entities.values()])

    def _get_entities(self, number: int, arguments: dict[str, Any]) -> None:
        addresses = {} if self._home.recovery_mode else self._home.addresses
        parts = [
            b"%b:%b" % (orjson.dumps(wanted), addresses[wanted].long() if wanted in addresses else b"null")
            for wanted in dict.fromkeys(arguments["entity_ids"])
        ]
        self._result(number, b"{%b}" % b",".join(parts))

    def _list_webhooks(self, number: int, arguments: dict[str, Any]) -> None:
        """A home that is still starting has none yet."""
        rows = self._home.webhooks.values() if self._home.state == "RUNNING" else ()
        self._list(number, [row.long() for row in rows])

    def _generate(self, number: int, arguments: dict[str, Any]) -> None:
        self._home.generate(arguments["per_second"], arguments["kind"], arguments.get("seconds"))
        self._result(number)

    def _counts(self, number: int, arguments: dict[str, Any]) -> None:
        home = self._home
        counts = {"changes": home.changes, "connections": home.connections, "cut": home.cut, "sent": home.sent}
        busy = home.generating is not None and not home.generating.done()
        self._result(number, orjson.dumps(counts | {"generating": busy}))


type _Handler = Callable[[_Client, int, dict[str, Any]], None]
_NONE: frozenset[str] = frozenset()

# Command → who answers it, the keys that it needs, those that it may have, and whether it takes an administrator.
_COMMANDS: dict[str, tuple[_Handler, frozenset[str], frozenset[str], bool]] = {
    "supported_features": (_Client._features, frozenset({"features"}), _NONE, False),
    "ping": (_Client._ping, _NONE, _NONE, False),
    "subscribe_events": (_Client._subscribe, _NONE, frozenset({"event_type"}), False),
    "unsubscribe_events": (_Client._unsubscribe, frozenset({"subscription"}), _NONE, False),
    "config_entries/subscribe": (_Client._subscribe_entries, _NONE, frozenset({"type_filter"}), False),
    "auth/current_user": (_Client._user, _NONE, _NONE, False),
    "get_config": (_Client._config, _NONE, _NONE, False),
    "config/floor_registry/list": (_Client._list_floors, _NONE, _NONE, False),
    "config/area_registry/list": (_Client._list_areas, _NONE, _NONE, False),
    "config/label_registry/list": (_Client._list_labels, _NONE, _NONE, False),
    "config/category_registry/list": (_Client._list_categories, frozenset({"scope"}), _NONE, False),
    "config_entries/get": (_Client._list_config_entries, _NONE, frozenset({"domain", "type_filter"}), False),
    "config/device_registry/list": (_Client._list_devices, _NONE, _NONE, False),
    "config/entity_registry/list": (_Client._list_entities, _NONE, _NONE, False),
    "config/entity_registry/get_entries": (_Client._get_entities, frozenset({"entity_ids"}), _NONE, False),
    "webhook/list": (_Client._list_webhooks, _NONE, _NONE, True),
    "simulated_home/change": (
        _Client._generate,
        frozenset({"per_second", "kind"}),
        frozenset({"seconds"}),
        False,
    ),
    "simulated_home/counts": (_Client._counts, _NONE, _NONE, False),
}


async def _run(arguments: argparse.Namespace) -> None:
    began = time.monotonic()
    home = SimulatedHome(arguments.devices, arguments.entities)
    async with home.listening(arguments.port):
        ready = {"url": home.url, "token": home.token, "port": home.port, "pid": os.getpid()}
        ready |= {"devices": arguments.devices, "entities": arguments.entities}
        print(json.dumps(ready | {"filled_in_s": round(time.monotonic() - began, 3)}), flush=True)
        if arguments.changes_per_second:
            wanted = f"{arguments.kind}_registry_updated"
            home.when_subscribed[wanted] = lambda: home.generate(arguments.changes_per_second, arguments.kind)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated Home Assistant in a process of its own")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--entities", type=int, default=500)
    parser.add_argument("--changes-per-second", type=float, default=0.0)
    parser.add_argument("--kind", choices=("entity", "device"), default="entity")
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
