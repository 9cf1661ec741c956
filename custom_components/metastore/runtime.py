"""What lives as long as a loaded entry: its place in a database, the mirror, and the daily purge."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import storage
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from sqlalchemy import URL

from .access import ClientCertificateDemanded, access_to_another, access_to_this, own_user
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
from .core.retry import GiveUp
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
STOP_WITHIN_S = 20.0
FIRST_PURGE_S = 600.0  # after the start; whoever restarts every night would never purge
SIGN_IN_AGAIN_S = 60.0


def stores(hass: HomeAssistant) -> Stores:
    """The databases that this process has open."""
    found: Stores = hass.data.setdefault(DOMAIN, Stores(hass.async_add_executor_job, time.time))
    return found


def url_of(hass: HomeAssistant, text: str) -> URL:
    """Relative files lie in the configuration directory. Raises StoreError.

    HACS replaces an integration's folder with every update, and what lies in it is gone.
    """
    url = within(database_url(text), Path(hass.config.config_dir))
    integrations = Path(hass.config.path("custom_components")).resolve()
    if url.drivername == "sqlite" and Path(str(url.database)).is_relative_to(integrations):
        raise StoreError("The database would lie among the integrations, whose folders are replaced by updates.")
    return url


def sharing(hass: HomeAssistant, database: str) -> list[MetastoreConfigEntry]:
    """The entries whose homes are in that database, however its URL is written. Raises StoreError."""
    url = url_of(hass, database)
    return [entry for entry in hass.config_entries.async_entries(DOMAIN) if _is_in(hass, entry, url)]


def _is_in(hass: HomeAssistant, entry: MetastoreConfigEntry, url: URL) -> bool:
    try:
        return url_of(hass, entry.options[CONF_DATABASE_URL]) == url
    except StoreError:
        return False


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

    home_id: str
    store: Store
    mirror: Mirror
    task: asyncio.Task[None]
    stop_purging: CALLBACK_TYPE

    async def stop(self, hass: HomeAssistant) -> None:
        self.stop_purging()
        self.task.cancel()
        # A database that hangs must not keep Home Assistant from unloading; its connection gives up by itself.
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                await asyncio.wait([self.task])
                await self.store.unclaim(self.home_id)
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
    first, daily = async_call_later(hass, FIRST_PURGE_S, purge), async_track_time_interval(hass, purge, PURGE_EVERY)

    def stop_purging() -> None:
        first()
        daily()

    return Runtime(home_id, store, mirror, task, stop_purging)


async def _run(hass: HomeAssistant, entry: MetastoreConfigEntry, mirror: Mirror) -> None:
    given_up = await mirror.run()
    while _signs_in_again(entry, given_up):
        await asyncio.sleep(SIGN_IN_AGAIN_S)
        given_up = await mirror.run()
    if isinstance(given_up.error, (InvalidToken, NotAdmin)):
        _LOGGER.warning("The mirror waits for a new token: %s", given_up.error)
        entry.async_start_reauth(hass)
    else:
        _LOGGER.error("The mirror has stopped: %s", given_up.error)


def _signs_in_again(entry: MetastoreConfigEntry, given_up: GiveUp) -> bool:
    """Our own user was deleted or lost its rights in between: the next attempt makes it anew, and asks nobody."""
    refused = isinstance(given_up.error, (InvalidToken, NotAdmin))
    own = entry.data[CONF_SOURCE] == SOURCE_THIS
    return own and refused and not isinstance(given_up.error, ClientCertificateDemanded)


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
