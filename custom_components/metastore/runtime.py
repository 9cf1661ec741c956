"""What lives as long as a loaded entry: its place in a database, the mirror, and the daily purge."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import storage
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_track_time_interval
from sqlalchemy import URL

from .access import access_to_another, access_to_this, own_user
from .const import (
    CONF_DATABASE_URL,
    CONF_HOME_ID,
    CONF_POLL_INTERVAL_S,
    CONF_RETENTION_DAYS,
    CONF_SOURCE,
    CONF_USER_ID,
    DOMAIN,
    SOURCE_THIS,
)
from .core.errors import InvalidToken, MetastoreError, NotAdmin, StoreError
from .mirror import Environment, Mirror
from .source import Access, Connection, connect
from .store.dialects import database_url, within
from .store.shared import Stores
from .store.store import Store

_LOGGER = logging.getLogger(__name__)

type MetastoreConfigEntry = ConfigEntry[Runtime]

PURGE_EVERY = timedelta(days=1)
STORAGE_VERSION = 1
DAY_S = 86_400


def stores(hass: HomeAssistant) -> Stores:
    """The databases that this process has open."""
    found: Stores = hass.data.setdefault(DOMAIN, Stores(hass.async_add_executor_job, time.time))
    return found


def url_of(hass: HomeAssistant, text: str) -> URL:
    """Relative files lie in the configuration directory. Raises StoreError."""
    return within(database_url(text), Path(hass.config.config_dir))


async def webhook_key(hass: HomeAssistant) -> bytes:
    """The key under which webhook ids are hashed. It lives here and not in the database, which thus opens nothing."""
    kept: storage.Store[dict[str, str]] = storage.Store(hass, STORAGE_VERSION, DOMAIN, private=True)
    data = await kept.async_load()
    if data is None:
        data = {"webhook_key": secrets.token_hex(32)}
        await kept.async_save(data)
    return bytes.fromhex(data["webhook_key"])


@dataclass
class Runtime:
    """Made by `start`, ended by `stop`; between them the mirror runs in a task of its own."""

    store: Store
    mirror: Mirror
    task: asyncio.Task[None]
    stop_purging: CALLBACK_TYPE

    async def stop(self, hass: HomeAssistant) -> None:
        self.stop_purging()
        self.task.cancel()
        await asyncio.wait([self.task])
        await stores(hass).release(self.store)


async def start(hass: HomeAssistant, entry: MetastoreConfigEntry) -> Runtime:
    """Open the database and begin to mirror. Raises StoreError; a home that is away is waited for."""
    store = await stores(hass).acquire(url_of(hass, entry.options[CONF_DATABASE_URL]))
    home_id = entry.data[CONF_HOME_ID]
    mirror = Mirror(
        Environment(
            connect=_SignIn(hass, entry).connect,
            home_id=home_id,
            store=store,
            webhook_key=await webhook_key(hass),
            poll_interval_s=float(entry.options[CONF_POLL_INTERVAL_S]),
            clock=time.time,
            random=random.random,
            offload=hass.async_add_executor_job,
        )
    )

    async def purge(_: object) -> None:
        try:
            await store.purge(home_id, time.time() - entry.options[CONF_RETENTION_DAYS] * DAY_S)
        except StoreError as error:
            _LOGGER.warning("The history was not purged, and will be tomorrow: %s", error)

    task = entry.async_create_background_task(hass, _run(hass, entry, mirror), "metastore mirror", eager_start=False)
    return Runtime(store, mirror, task, async_track_time_interval(hass, purge, PURGE_EVERY))


async def _run(hass: HomeAssistant, entry: MetastoreConfigEntry, mirror: Mirror) -> None:
    given_up = await mirror.run()
    if isinstance(given_up.error, (InvalidToken, NotAdmin)):
        _LOGGER.warning("The mirror waits for a new token: %s", given_up.error)
        entry.async_start_reauth(hass)
    else:
        _LOGGER.error("The mirror has stopped: %s", given_up.error)


@dataclass(frozen=True)
class _SignIn:
    """How this entry comes to a connection."""

    hass: HomeAssistant
    entry: MetastoreConfigEntry

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        access = await self._access()
        async with connect(async_get_clientsession(self.hass), access) as connection:
            yield connection

    async def _access(self) -> Access:
        if self.entry.data[CONF_SOURCE] != SOURCE_THIS:
            return access_to_another(self.entry.data)
        user = await own_user(self.hass, self.entry.data.get(CONF_USER_ID))
        if self.entry.data.get(CONF_USER_ID) != user.id:
            self.hass.config_entries.async_update_entry(self.entry, data={**self.entry.data, CONF_USER_ID: user.id})
        return await access_to_this(self.hass, user)


async def forget(hass: HomeAssistant, entry: MetastoreConfigEntry) -> None:
    """What the database has of the home stays, and says since when it is not mirrored any more."""
    try:
        store = await stores(hass).acquire(url_of(hass, entry.options[CONF_DATABASE_URL]))
        try:
            await store.remove_home(entry.data[CONF_HOME_ID])
        finally:
            await stores(hass).release(store)
    except MetastoreError as error:
        _LOGGER.warning("The database does not know that the home was removed: %s", error)
