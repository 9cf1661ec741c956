"""The one loop: event → what is dirty → listing → diff → apply.

A connection subscribes first and lists afterwards, so nothing falls in between. The first listing of every connection
replaces what the database has, with a diff; from then on a registry is read again when an event says that it changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from .core.diff import Change, diff, digests, outdated
from .core.dirty import EVENTS, Dirty
from .core.entries import (
    AREAS,
    CATEGORIES,
    CONFIG_ENTRIES,
    DEVICES,
    ENTITIES,
    FLOORS,
    LABELS,
    REGISTRIES,
    WEBHOOKS,
    Entry,
    Payload,
    Registry,
)
from .core.errors import ConnectionLost, MetastoreError, NotAdmin, OtherHome, SourceError, StoreError
from .core.retry import LONGEST_DELAY_S, GiveUp, decide
from .listing import Condition, Listing
from .source import Connection
from .store.store import Span, Store, Sync

_LOGGER = logging.getLogger(__name__)

GATHER_S = 0.03  # changes seldom come alone, and a row may take a hundred milliseconds
SHORTEST_PAUSE_S = 0.25  # after a listing; a home that changes all the time must not list all the time
PAUSE_PER_COST = 4.0
STARTED = "homeassistant_started"


@dataclass(frozen=True)
class Environment:
    """What the mirror needs of the world around it. Times are seconds; `clock` counts from 1970.

    connect: a new connection for each call.
    offload: run what takes long in a thread.
    """

    connect: Callable[[], AbstractAsyncContextManager[Connection]]
    home_id: str
    store: Store
    webhook_key: bytes
    poll_interval_s: float
    clock: Callable[[], float]
    random: Callable[[], float]
    offload: Callable[..., Awaitable[Any]]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class Status:
    """What there is to see of a mirror. `error` is why it is not connected, or not any more."""

    connected: bool = False
    last_sync: Sync | None = None
    error: Exception | None = None


class Mirror:
    """One home, kept in the store for as long as `run` runs."""

    def __init__(self, environment: Environment) -> None:
        self.status = Status()
        self._environment = environment
        self._session: _Session | None = None
        self._was_lost = False
        # Between reading what is stored and writing what differs nobody else may write that registry: no other lane,
        # and no later connection while a requested synchronisation of the last one still writes.
        self._locks = {each: asyncio.Lock() for each in REGISTRIES}

    async def run(self) -> GiveUp:
        """Mirror until a person has to do something, and return what. Anything else is tried again for ever."""
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._environment.connect() as connection:
                    self._session = _Session(self._environment, connection, self._note, self._locks)
                    await self._session.begin()
                    attempt = 0
                    self._log_back()
                    await self._session.stay()
            except MetastoreError as error:
                decision = decide(error, max(attempt, 1), self._environment.random)
                self.status = replace(self.status, connected=False, error=error)
                if isinstance(decision, GiveUp):
                    return decision
                self._log_lost(error)
                await self._environment.sleep(decision.seconds)
            except Exception as error:  # a defect of ours is told, and must not end the mirror
                _LOGGER.exception("The mirror failed unexpectedly, and will try again. Please report this")
                self.status = replace(self.status, connected=False, error=error)
                await self._environment.sleep(LONGEST_DELAY_S)
            finally:
                self._session = None

    async def sync(self) -> Sync:
        """Compare everything now. Raises ConnectionLost where the home is away, StoreError."""
        if self._session is None or not self.status.connected:
            raise ConnectionLost("the home is not connected")
        return await self._session.compare("requested")

    def _note(self, sync: Sync) -> None:
        self.status = Status(True, sync)

    def _log_lost(self, error: Exception) -> None:
        """Once when it is lost and once when it is back; what every attempt failed with is for the debug log."""
        if not self._was_lost:
            _LOGGER.warning("The mirror is interrupted, and will go on by itself: %s", error)
        else:
            _LOGGER.debug("The mirror is still interrupted: %s", error)
        self._was_lost = True

    def _log_back(self) -> None:
        if self._was_lost:
            _LOGGER.info("The mirror goes on")
        self._was_lost = False


@dataclass
class _Session:
    """One connection's life: subscribe, list everything, then follow the events."""

    environment: Environment
    connection: Connection
    on_sync: Callable[[Sync], None]
    locks: dict[Registry, asyncio.Lock]
    dirty: Dirty = field(default_factory=Dirty)
    condition: Condition = field(default_factory=lambda: Condition(None, None, False))
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _digests: dict[Registry, dict[str, int]] = field(default_factory=dict)  # of the last listing
    _started: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.home_id = self.environment.home_id
        self.store = self.environment.store
        self.listing = Listing(self.connection, self.environment.webhook_key)

    # -- the beginning -------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Subscribe, make sure that it is the home of before, and make the database what the home is."""
        await self.store.claim(self.home_id)
        if not await self.listing.is_admin():
            raise NotAdmin("The token's user is not an administrator, and only those may see all registries.")
        for event in EVENTS:
            await self.connection.subscribe(self._note, "subscribe_events", event_type=event)
        await self.connection.subscribe(self._on_started, "subscribe_events", event_type=STARTED)
        await self.connection.subscribe(self._note, "config_entries/subscribe")
        await self._identify()
        await self.compare("connected")

    async def _identify(self) -> None:
        ids = [str(row.get("entry_id")) for row in await self.listing.all_of(CONFIG_ENTRIES)]
        known = await self.store.live(self.home_id, CONFIG_ENTRIES)
        if known and ids and not known.keys() & set(ids):
            raise OtherHome("Another Home Assistant answers at this address: it has none of the known config entries.")

    def _note(self, event: object) -> None:
        self.dirty.note(event)
        self._changed.set()

    def _on_started(self, _: object) -> None:
        self._started.set()

    # -- everything ----------------------------------------------------------------------------------------------------

    async def compare(self, reason: str) -> Sync:
        """List every registry, and write what differs with one record, or why that could not be done."""
        async with AsyncExitStack() as stack:
            for lock in self.locks.values():
                await stack.enter_async_context(lock)
            started, began = self.environment.clock(), monotonic()
            try:
                changes = await self._compare()
                return await self._apply(changes, Span(reason, started, monotonic() - began))
            except BaseException as error:
                # What was told and read meanwhile may not have been written.
                self._digests.clear()
                self._all_dirty()
                if isinstance(error, SourceError):
                    failed = Span(reason, started, monotonic() - began, str(error))
                    with suppress(StoreError):  # the reason counts, and not that it could not be recorded
                        await self.store.apply(self.home_id, [], failed)
                raise

    async def _compare(self) -> list[Change]:
        await self._look()
        self.dirty.registries.clear()
        self.dirty.entities.clear()
        await self.store.put_home(self.home_id, self.condition.name, self.condition.version)
        found: list[Change] = []
        entities = await self._list_entities()
        for registry in REGISTRIES:
            found += entities if registry is ENTITIES else await self._list(registry)
        return found

    def _all_dirty(self) -> None:
        self.dirty.registries |= {each.name for each in REGISTRIES}
        self._changed.set()

    async def _look(self) -> None:
        self.condition = await self.listing.condition()

    async def _list(self, registry: Registry, arrived: Callable[[], None] | None = None) -> list[Change]:
        stored = await self.store.live(self.home_id, registry)
        if registry is CATEGORIES:
            self.dirty.scopes |= {scope for entry in stored.values() if (scope := getattr(entry, "scope", None))}
        complete = self.condition.settled
        listed = await self._ask(registry, arrived)
        self._digests.pop(registry, None)
        if complete:
            self._digests[registry] = await self._digested(registry, listed)
        return await self._confirmed(registry, await self._diff(registry, stored, listed, complete=complete))

    async def _ask(self, registry: Registry, arrived: Callable[[], None] | None) -> list[Payload]:
        asked = frozenset(self.dirty.scopes)
        listed = await self.listing.all_of(registry, asked, arrived)
        if registry is CATEGORIES and self.dirty.scopes - asked:
            self.dirty.registries.add(CATEGORIES.name)
        return listed

    async def _digested(self, registry: Registry, listed: Sequence[Payload]) -> dict[str, int]:
        found: dict[str, int] = await self.environment.offload(digests, registry, listed)
        return found

    async def _confirmed(self, registry: Registry, changes: list[Change]) -> list[Change]:
        """A removal counts if the home is settled after it was told: one that stops unloads what it has."""
        if all(change.after is not None for change in changes):
            return changes
        await self._look()
        if self.condition.settled:
            return changes
        self._digests.pop(registry, None)
        return [change for change in changes if change.after is not None]

    async def _list_entities(self) -> list[Change]:
        """The short form says which there are and which changed, the extended form what they are."""
        complete = self.condition.settled
        listed = await self.listing.all_of(ENTITIES)
        self.dirty.scopes_of(listed)
        stored = await self.store.live(self.home_id, ENTITIES)
        changed, missing = await self.environment.offload(outdated, ENTITIES, stored, listed)
        addresses = [address for row in changed if isinstance(address := row.get("entity_id"), str)]
        del listed, changed  # tens of megabytes, which every garbage collection would walk through
        gone = [Change(ENTITIES, stored.pop(key), None) for key in missing] if complete else []
        # Who is gone is what the listing said. An address may have got another holder since then: that was told, and is
        # read again right after this.
        extended, _ = await self.listing.extended(addresses)
        return await self._confirmed(ENTITIES, gone + await self._diff(ENTITIES, stored, extended, complete=False))

    async def _diff(
        self, registry: Registry, stored: dict[str, Entry], listed: Sequence[Payload], *, complete: bool
    ) -> list[Change]:
        """In a thread where it is long: there the event loop gets its turn every few milliseconds."""
        if len(listed) < 200:
            return diff(registry, stored, listed, complete=complete)
        found: list[Change] = await self.environment.offload(partial(diff, registry, stored, listed, complete=complete))
        return found

    async def _apply(self, changes: list[Change], span: Span) -> Sync:
        sync = await self.store.apply(self.home_id, changes, span)
        self.on_sync(sync)
        return sync

    # -- and then what changes -----------------------------------------------------------------------------------------

    async def stay(self) -> None:
        """Follow the events until the connection is lost. Raises MetastoreError."""
        try:
            async with asyncio.TaskGroup() as lanes:
                lanes.create_task(self.connection.lost())
                lanes.create_task(self._follow_entities())
                for registry in (FLOORS, AREAS, LABELS, CATEGORIES, CONFIG_ENTRIES, DEVICES, WEBHOOKS):
                    lanes.create_task(self._follow(registry))
                lanes.create_task(self._poll())
        except* MetastoreError as group:
            raise _first(group) from None

    async def _follow(self, registry: Registry) -> None:
        """One listing at a time, and a pause after it that grows with what it cost."""
        while True:
            await self._until(lambda: registry.name in self.dirty.registries)
            async with self.locks[registry]:
                started, began = self.environment.clock(), monotonic()
                self.dirty.registries.discard(registry.name)
                # What was told before the answer is in the answer.
                changes = await self._list_again(registry, lambda: self.dirty.registries.discard(registry.name))
                cost = monotonic() - began
                if changes:
                    await self._apply(changes, Span(f"event: {registry.name}", started, cost))
            await self.environment.sleep(max(SHORTEST_PAUSE_S, PAUSE_PER_COST * cost))

    async def _list_again(self, registry: Registry, arrived: Callable[[], None]) -> list[Change]:
        """As `_list`, and only what differs from the last listing is looked up in the database."""
        before = self._digests.get(registry)
        if before is None or not self.condition.settled:
            return await self._list(registry, arrived)
        listed = await self._ask(registry, arrived)
        now = await self._digested(registry, listed)
        changed = [row for row in listed if (key := row.get(registry.key)) not in before or before[key] != now[key]]
        gone = before.keys() - now.keys()
        stored = await self.store.live(
            self.home_id, registry, [*(str(row.get(registry.key)) for row in changed), *gone]
        )
        self._digests[registry] = now
        remaining = {key: entry for key, entry in stored.items() if key in now}
        removed = [Change(registry, entry, None) for key, entry in stored.items() if key in gone]
        return await self._confirmed(registry, diff(registry, remaining, changed, complete=False) + removed)

    async def _follow_entities(self) -> None:
        while True:
            await self._until(lambda: self.dirty.entities or ENTITIES.name in self.dirty.registries)
            await self.environment.sleep(GATHER_S)
            async with self.locks[ENTITIES]:
                started, began = self.environment.clock(), monotonic()
                if ENTITIES.name in self.dirty.registries:
                    self.dirty.registries.discard(ENTITIES.name)
                    self.dirty.entities.clear()
                    changes = await self._list_entities()
                else:
                    changes = await self._get_entities()
                if changes:
                    await self._apply(changes, Span("event: entities", started, monotonic() - began))

    async def _get_entities(self) -> list[Change]:
        """What changed at the dirty addresses.

        An address was left by a removal or by a rename, and the new address of the latter may not have been asked for.
        But whatever took place before an answer was told before it: one more turn brings every new address.
        """
        found, nowhere = await self._take_dirty()
        left = await self._left(found, nowhere)
        if left and self.dirty.entities:
            later, nowhere_later = await self._take_dirty()
            taken = {row.get("entity_id") for row in later.values()}
            found = {key: row for key, row in found.items() if row.get("entity_id") not in taken} | later
            self.dirty.entities |= nowhere_later - nowhere  # what has left since gets its second turn next time
            left = await self._left(found, nowhere - taken)
        if not self.condition.settled:
            # Nothing is gone yet, so who is at an address stays there.
            found = {key: row for key, row in found.items() if row.get("entity_id") not in left}
            left = {}
        stored = await self.store.live(self.home_id, ENTITIES, found)
        gone = await self.store.live(self.home_id, ENTITIES, left.values())
        removed = [Change(ENTITIES, entry, None) for entry in gone.values()]
        return await self._confirmed(ENTITIES, diff(ENTITIES, stored, list(found.values()), complete=False) + removed)

    async def _take_dirty(self) -> tuple[dict[str, Payload], set[str]]:
        addresses = sorted(self.dirty.entities)
        self.dirty.entities.clear()
        rows, nowhere = await self.listing.extended(addresses)
        self.dirty.scopes_of(rows)
        return {str(row.get("id")): row for row in rows}, nowhere

    async def _left(self, found: dict[str, Payload], nowhere: set[str]) -> dict[str, str]:
        """Address → key of stored entities whose address is empty or another's now, and that are nowhere else."""
        asked = {address for row in found.values() if isinstance(address := row.get("entity_id"), str)}
        holders = await self.store.keys_of(self.home_id, ENTITIES, "entity_id", asked | nowhere)
        return {address: key for address, key in holders.items() if key not in found}

    async def _poll(self) -> None:
        """Webhooks have no events, and a home that is not ready says when it is; then what is not listed is gone."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.environment.poll_interval_s):
                    await self._started.wait()
            self._started.clear()
            found = await self.listing.condition()
            if found.settled and not self.condition.settled:
                # What was only not there yet may be gone, and a listing that has begun before does not know.
                await self.compare("settled")
            self.condition = found
            self.dirty.registries.add(WEBHOOKS.name)
            self._changed.set()

    async def _until(self, wanted: Callable[[], object]) -> None:
        while not wanted():
            self._changed.clear()
            await self._changed.wait()


def _first(group: BaseExceptionGroup[MetastoreError]) -> MetastoreError:
    """The reason among the errors of all lanes: most of them only say that the connection is gone."""
    errors = [error for error in group.exceptions if isinstance(error, MetastoreError)]
    return next((error for error in errors if not isinstance(error, ConnectionLost)), errors[0])
