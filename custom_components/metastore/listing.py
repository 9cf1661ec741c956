"""Reading a home's registries, as complete as the home tells of them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from .core.entries import (
    AREAS,
    CATEGORIES,
    CONFIG_ENTRIES,
    DEVICES,
    ENTITIES,
    FLOORS,
    LABELS,
    WEBHOOKS,
    Payload,
    Registry,
)
from .core.errors import ProtocolError
from .source import Connection

ENTITIES_PER_CALL = 500  # parsed within a few milliseconds
CALLS_AT_ONCE = 3  # the home makes the next answer while this one is read
LIST_TIMEOUT_S = 180.0

_COMMANDS = {
    FLOORS: "config/floor_registry/list",
    AREAS: "config/area_registry/list",
    LABELS: "config/label_registry/list",
    CONFIG_ENTRIES: "config_entries/get",
    DEVICES: "config/device_registry/list",
    ENTITIES: "config/entity_registry/list",
}


@dataclass(frozen=True)
class Condition:
    """What a home says of itself. Only while it is `settled` do its registries hold everything that there is."""

    name: str | None
    version: str | None
    settled: bool


@dataclass(frozen=True)
class Listing:
    """`webhook_key` is the key under which webhook ids are hashed."""

    connection: Connection
    webhook_key: bytes

    async def condition(self) -> Condition:
        """Raises ConnectionLost, CommandFailed."""
        found = await self.connection.call("get_config")
        if not isinstance(found, dict):
            raise ProtocolError("get_config gave no object")
        # In recovery mode the state is RUNNING, and every registry is loaded empty.
        settled = found.get("state") == "RUNNING" and not (found.get("recovery_mode") or found.get("safe_mode"))
        return Condition(_text(found.get("location_name")), _text(found.get("version")), settled)

    async def is_admin(self) -> bool:
        """Asked once: Home Assistant logs an error for each command that it refuses."""
        user = await self.connection.call("auth/current_user")
        return isinstance(user, dict) and user.get("is_admin") is True

    async def all_of(
        self, registry: Registry, scopes: Iterable[str] = (), arrived: Callable[[], None] | None = None
    ) -> list[Payload]:
        """Every entry of the registry that has a key; of entities the short form. `scopes` are those of categories.

        `arrived` is called when the answer is there, before anything that came after it; with several answers, with the
        first of them.
        """
        found = await self._all_of(registry, scopes, arrived)
        return [row for row in found if isinstance(row.get(registry.key), str)]

    async def _all_of(
        self, registry: Registry, scopes: Iterable[str], arrived: Callable[[], None] | None
    ) -> list[Payload]:
        if registry is CATEGORIES:
            found: list[Payload] = []
            for number, scope in enumerate(sorted(scopes)):
                rows = await self._list("config/category_registry/list", None if number else arrived, scope=scope)
                found += [{**row, "scope": scope} for row in rows]
            return found
        if registry is WEBHOOKS:
            return [self._hashed(row) for row in await self._list("webhook/list", arrived)]
        return await self._list(_COMMANDS[registry], arrived)

    async def _list(self, command: str, arrived: Callable[[], None] | None, **arguments: Any) -> list[Payload]:
        found = await self.connection.call(command, arrived=arrived, timeout_s=LIST_TIMEOUT_S, **arguments)
        if not isinstance(found, list):
            raise ProtocolError(f"{command} gave no list")
        return [row for row in found if isinstance(row, dict)]

    def _hashed(self, row: Payload) -> Payload:
        """The id opens the webhook to whoever knows it."""
        secret = str(row.get("webhook_id", "")).encode()
        kept = {name: value for name, value in row.items() if name != "webhook_id"}
        return {**kept, "webhook_hash": hmac.new(self.webhook_key, secret, hashlib.sha256).hexdigest()}

    async def extended(self, addresses: Sequence[str]) -> tuple[list[Payload], set[str]]:
        """The whole form of the entities at these addresses, and the addresses at which there is none."""
        found: list[Payload] = []
        missing: set[str] = set()
        chunks = batched(addresses, ENTITIES_PER_CALL, strict=False)
        for together in batched(chunks, CALLS_AT_ONCE, strict=False):
            answers = await asyncio.gather(*(self._get(some) for some in together))
            for some, answer in zip(together, answers, strict=True):
                found += [row for row in answer.values() if isinstance(row, dict)]
                missing |= {address for address in some if answer.get(address) is None}
        return found, missing

    async def _get(self, addresses: Sequence[str]) -> dict[str, Any]:
        answer = await self.connection.call("config/entity_registry/get_entries", entity_ids=list(addresses))
        if not isinstance(answer, dict):
            raise ProtocolError("get_entries gave no object")
        return answer


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
