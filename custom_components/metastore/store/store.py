"""One database: what was mirrored, when it changed, and what it was at any time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import batched, count
from typing import Any

from sqlalchemy import URL, Column, Table, delete, func, select, update
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.diff import Action, Change, undo
from ..core.entries import REGISTRIES, Entry, Registry
from ..core.errors import StoreError, StoreUnavailable
from .claims import Claims
from .dialects import READING, Bulk, async_engine, said
from .schema import TABLES, changes, homes, syncs

BATCH_ROWS = 500  # what is bound in one go holds up the event loop for a few milliseconds
READ_ROWS = 500
MAX_KEYS = 500  # in one IN (…)
PURGE_ROWS = 5_000


@dataclass(frozen=True)
class Home:
    home_id: str
    name: str | None
    version: str | None
    history_from: float
    removed_at: float | None


@dataclass(frozen=True)
class Sync:
    """One synchronisation as it was recorded. `id` counts within the home; times are in seconds."""

    id: int
    reason: str
    started_at: float
    duration_s: float
    created: int
    updated: int
    removed: int
    error: str | None = None


@dataclass(frozen=True)
class Span:
    """What a synchronisation knows of itself before it is written; `started_at` is in seconds since 1970."""

    reason: str
    started_at: float
    duration_s: float
    error: str | None = None


def _to_its_end[**P, T](work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A transaction ends before its caller is cancelled.

    One that is left in the middle keeps aiosqlite's thread, and when it writes, the lock on the database.
    """

    @wraps(work)
    async def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.create_task(work(*args, **kwargs))
        cancelled = False
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            task.cancelled() or task.exception()  # nobody else asks
            raise asyncio.CancelledError
        return task.result()

    return whole


class Store:
    """Opened with a database that `upgrade` has brought to the present schema; close it.

    One writer at a time, any number of readers. Where the database does not answer, methods raise StoreUnavailable, and
    StoreError where it refuses.
    """

    def __init__(self, url: URL, clock: Callable[[], float]) -> None:
        self.url = url
        self._engine = async_engine(url)
        self._clock = clock
        self._bulk = {name: Bulk(table, self._engine.dialect, replace=True) for name, table in TABLES.items()}
        self._bulk[changes.name] = Bulk(changes, self._engine.dialect, replace=False)
        self._writing = asyncio.Lock()
        self._claims = Claims(self._engine)

    async def close(self) -> None:
        """Engines that are not disposed keep their threads, and the interpreter from ending."""
        await self._claims.let_go_of_all()
        try:
            if self._engine.dialect.name == "sqlite":
                async with self._engine.connect() as connection:
                    await connection.exec_driver_sql("ROLLBACK")
                    # Who reads the database for long makes this wait; the log is emptied another time.
                    await connection.exec_driver_sql("PRAGMA busy_timeout = 1000")
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        except SQLAlchemyError:
            pass  # The file may be gone; what was committed is in the log and is found at the next start.
        finally:
            await self._engine.dispose()

    @_to_its_end
    async def claim(self, home_id: str) -> None:
        """Be the only process that mirrors this home into this database, until `unclaim`. Raises HomeTaken."""
        with _explained():
            await self._claims.take(home_id)

    @_to_its_end
    async def unclaim(self, home_id: str) -> None:
        await self._claims.let_go(home_id)

    # -- homes ---------------------------------------------------------------------------------------------------------

    @_to_its_end
    async def homes(self) -> list[Home]:
        async with self._read() as connection:
            rows = await connection.execute(select(homes))
            return [Home(row.home_id, row.name, row.version, row.history_from, row.removed_at) for row in rows]

    @_to_its_end
    async def put_home(self, home_id: str, name: str | None, version: str | None) -> None:
        """Make the home, or write what is new about it; a home that was removed is there again."""
        async with self._write() as connection:
            row = (await connection.execute(select(homes).where(homes.c.home_id == home_id))).one_or_none()
            if row is None:
                now = self._clock()
                values = {"home_id": home_id, "name": name, "version": version, "created_at": now, "history_from": now}
                await connection.execute(homes.insert().values(**values))
            elif (row.name, row.version, row.removed_at) != (name, version, None):
                changed = update(homes).where(homes.c.home_id == home_id)
                await connection.execute(changed.values(name=name, version=version, removed_at=None))

    @_to_its_end
    async def remove_home(self, home_id: str) -> None:
        """Everything stays, and says since when it is not mirrored any more."""
        async with self._write() as connection:
            found = update(homes).where(homes.c.home_id == home_id, homes.c.removed_at.is_(None))
            await connection.execute(found.values(removed_at=self._clock()))

    @_to_its_end
    async def home_of(self, entry_ids: Iterable[str]) -> str | None:
        """The home that has most of these config entries; their ids are ULIDs and never given twice."""
        table, found = TABLES["config_entries"], Counter[str]()
        async with self._read() as connection:
            for keys in batched(entry_ids, MAX_KEYS, strict=False):
                query = (
                    select(table.c.home_id, func.count()).where(table.c.entry_id.in_(keys)).group_by(table.c.home_id)
                )
                found.update(dict((await connection.execute(query)).tuples().all()))
        return found.most_common(1)[0][0] if found else None

    # -- writing -------------------------------------------------------------------------------------------------------

    @_to_its_end
    async def apply(self, home_id: str, what: Sequence[Change], span: Span) -> Sync:
        """Rows, history and the record of the synchronisation, in one transaction: all of it, or nothing."""
        async with self._write() as connection:
            at = await self._now(connection, home_id)
            sync_id = await self._next_id(connection, syncs, home_id)
            for registry in REGISTRIES:
                if own := [change for change in what if change.registry is registry]:
                    await self._write_rows(connection, home_id, registry, own, at)
            counts = await self._write_history(connection, home_id, what, at, sync_id)
            sync = Sync(
                sync_id,
                span.reason,
                span.started_at,
                span.duration_s,
                counts[Action.CREATED],
                counts[Action.UPDATED],
                counts[Action.REMOVED],
                span.error,
            )
            await connection.execute(syncs.insert().values(home_id=home_id, **vars(sync)))
        return sync

    async def _now(self, connection: AsyncConnection, home_id: str) -> float:
        """The clock, or a little after the last change: a clock that was set back must not turn the history around."""
        query = select(func.max(changes.c.at)).where(changes.c.home_id == home_id)
        last = (await connection.execute(query)).scalar()
        now = self._clock()
        return now if last is None or now > last else last + 1e-6

    @staticmethod
    async def _next_id(connection: AsyncConnection, table: Table, home_id: str) -> int:
        last = (await connection.execute(select(func.max(table.c.id)).where(table.c.home_id == home_id))).scalar()
        return int(last or 0) + 1

    async def _write_rows(
        self, connection: AsyncConnection, home_id: str, registry: Registry, own: Sequence[Change], at: float
    ) -> None:
        await self._retire(connection, home_id, registry, [change.key for change in own if change.after is None], at)
        if registry.address:
            # Two entities may have changed their addresses with each other: until all are written, neither has one.
            moved = [change.key for change in own if change.before and change.after and _moves(change)]
            await self._retire(connection, home_id, registry, moved, at)
        bulk = self._bulk[registry.name]
        for some in batched((change.after for change in own if change.after), BATCH_ROWS, strict=False):
            rows = bulk.rows((home_id, *entry, None) for entry in some)
            await connection.exec_driver_sql(bulk.statement, rows)

    @staticmethod
    async def _retire(
        connection: AsyncConnection, home_id: str, registry: Registry, keys: Sequence[str], at: float
    ) -> None:
        table = TABLES[registry.name]
        for some in batched(keys, MAX_KEYS, strict=False):
            gone = update(table).where(table.c.home_id == home_id, table.c[registry.key].in_(some))
            await connection.execute(gone.values(removed_at=at))

    async def _write_history(
        self, connection: AsyncConnection, home_id: str, what: Sequence[Change], at: float, sync_id: int
    ) -> Counter[Action]:
        """Returns how many lines there are of each action; what only volatile fields tell is none."""
        counts = Counter[Action]()
        if not what:
            return counts
        bulk, numbers = self._bulk[changes.name], count(await self._next_id(connection, changes, home_id))

        def lines(some: Iterable[Change]) -> Iterator[tuple[Any, ...]]:
            # One at a time: the fields of a whole batch would be enough objects to call the garbage collector.
            for change in some:
                if fields := change.fields():
                    counts[change.action] += 1
                    action, name = change.action.value, change.registry.name
                    yield (home_id, next(numbers), sync_id, at, name, change.key, action, fields)

        for some in batched(what, BATCH_ROWS, strict=False):
            if rows := bulk.rows(lines(some)):
                await connection.exec_driver_sql(bulk.statement, rows)
        return counts

    async def purge(self, home_id: str, before: float) -> int:
        """Forget the history before that instant, a little at a time; returns how many changes that were."""
        purged = 0
        for table, moment in ((changes, changes.c.at), (syncs, syncs.c.started_at)):
            while forgotten := await self._purge_some(home_id, before, table, moment):
                purged += forgotten if table is changes else 0
        return purged

    @_to_its_end
    async def _purge_some(self, home_id: str, before: float, table: Table, moment: Column[float]) -> int:
        async with self._write() as connection:
            # First say that the history begins later, then let go of what was before.
            later = update(homes).where(homes.c.home_id == home_id, homes.c.history_from < before)
            await connection.execute(later.values(history_from=before))
            old = select(table.c.id).where(table.c.home_id == home_id, moment < before).limit(PURGE_ROWS)
            ids = (await connection.execute(old)).scalars().all()
            for some in batched(ids, MAX_KEYS, strict=False):
                await connection.execute(delete(table).where(table.c.home_id == home_id, table.c.id.in_(some)))
            return len(ids)

    # -- reading -------------------------------------------------------------------------------------------------------

    @_to_its_end
    async def live(self, home_id: str, registry: Registry, keys: Iterable[str] | None = None) -> dict[str, Entry]:
        """Key → entry of what is there now; with `keys`, of these only."""
        async with self._read() as connection:
            return await self._live(connection, home_id, registry, keys)

    async def _live(
        self, connection: AsyncConnection, home_id: str, registry: Registry, keys: Iterable[str] | None
    ) -> dict[str, Entry]:
        table = TABLES[registry.name]
        query = select(*(table.c[name] for name in registry.fields)).where(
            table.c.home_id == home_id, table.c.removed_at.is_(None)
        )
        found: dict[str, Entry] = {}
        if keys is None:
            await self._collect(connection, query, registry, found)
        else:
            for some in batched(keys, MAX_KEYS, strict=False):
                await self._collect(connection, query.where(table.c[registry.key].in_(some)), registry, found)
        return found

    @staticmethod
    async def _collect(connection: AsyncConnection, query: Any, registry: Registry, found: dict[str, Entry]) -> None:
        entry, position = registry.entry, registry.key_position
        result = await connection.stream(query, execution_options={"yield_per": READ_ROWS})
        async for rows in result.partitions(READ_ROWS):
            for row in rows:
                found[row[position]] = entry(*row)
            await asyncio.sleep(0)

    @_to_its_end
    async def keys_of(self, home_id: str, registry: Registry, field: str, values: Iterable[str]) -> dict[str, str]:
        """Value of that field → key, of what is there now."""
        table = TABLES[registry.name]
        found: dict[str, str] = {}
        async with self._read() as connection:
            for some in batched(values, MAX_KEYS, strict=False):
                query = select(table.c[field], table.c[registry.key]).where(
                    table.c.home_id == home_id, table.c.removed_at.is_(None), table.c[field].in_(some)
                )
                found |= dict((await connection.execute(query)).tuples().all())
        return found

    @_to_its_end
    async def as_of(
        self,
        home_id: str,
        registry: Registry,
        at: float,
        key: str | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> dict[str, Entry]:
        """Key → entry as it was at that instant, which is in seconds since 1970; volatile fields are None.

        `key` asks for one, `where` (field → value) for those that had these values. What changed since is undone, so
        the answer costs as much as has changed, and a history whose beginning was purged still gives it.
        Raises StoreError for a time before the history begins.
        """
        since = select(changes.c.object_id, changes.c.action, changes.c.fields).where(
            changes.c.home_id == home_id, changes.c.registry == registry.name, changes.c.at > at
        )
        if key is not None:
            since = since.where(changes.c.object_id == key)
        async with self._read() as connection:
            begins = select(homes.c.history_from).where(homes.c.home_id == home_id)
            if at < ((await connection.execute(begins)).scalar() or 0.0):
                raise StoreError("The history does not go back to that time.")
            entries = await self._live(connection, home_id, registry, None if key is None else [key])
            states: dict[str, dict[str, Any]] = {name: entry._asdict() for name, entry in entries.items()}
            result = await connection.stream(since.order_by(changes.c.id.desc()))
            async for rows in result.partitions(READ_ROWS):
                for object_id, action, fields in rows:
                    state = undo(states.pop(object_id, None), Action(action), fields)
                    if state is not None:
                        states[object_id] = state
                await asyncio.sleep(0)
        blank = dict.fromkeys(registry.fields)
        wanted = (where or {}).items()
        return {
            name: registry.make(**(blank | state | dict.fromkeys(registry.volatile)))
            for name, state in states.items()
            if all(state.get(field) == value for field, value in wanted)
        }

    @_to_its_end
    async def history(self, home_id: str, registry: Registry, key: str, limit: int = 100) -> list[dict[str, Any]]:
        """What happened to one object, the latest first."""
        query = select(changes.c.at, changes.c.action, changes.c.fields).where(
            changes.c.home_id == home_id, changes.c.registry == registry.name, changes.c.object_id == key
        )
        async with self._read() as connection:
            rows = await connection.execute(query.order_by(changes.c.id.desc()).limit(limit))
            return [dict(row._mapping) for row in rows]

    # -- connections ---------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        with _explained():
            async with self._engine.connect() as connection:
                yield await connection.execution_options(**READING)

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        with _explained():
            async with self._writing, self._engine.begin() as connection:
                yield connection


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, DataError, ProgrammingError) as error:
        raise StoreError(f"The database refused what it was told: {said(error)}") from error
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The database does not answer: {said(error)}") from error


def _moves(change: Change) -> bool:
    assert change.before is not None
    assert change.after is not None
    return change.registry.address_of(change.before) != change.registry.address_of(change.after)
