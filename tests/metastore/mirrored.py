"""A mirror before a simulated home, with a clock of its own, for the tests that look at what it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from custom_components.metastore.core.retry import GiveUp
from custom_components.metastore.mirror import Environment, Mirror
from custom_components.metastore.source import Access, Connection, connect
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.store import Store

from .readings import WEBHOOK_KEY, differences, expected, stored
from .simulated_home import SimulatedHome

HOME = "the-home"
PATIENCE_S = 10.0  # a test that waits so long has failed
NEVER_S = 3600.0

# What a mirror asks of a home.
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


class Clock:
    """Each look at it takes a second, so that no two changes have the same time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


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
                home_id=self.home_id,
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


def first(rows: dict[str, Any], number: int = 0) -> str:
    return list(rows)[number]


# -- the mirror's test modules import these; for the others the harness stays as it is ---------------------------------


@pytest.fixture(autouse=True, scope="session")
def _quiet_engines() -> None:
    """The harness has SQLAlchemy log each statement, which takes longer than the statements."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """aiohttp winds its heartbeat up again when data arrives on a connection that is just being closed."""
    return True
