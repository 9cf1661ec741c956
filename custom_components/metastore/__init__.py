"""Metastore: the metadata of a home in a real SQL database."""

from __future__ import annotations

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from . import runtime
from .access import remove_own_user
from .const import CONF_USER_ID, DOMAIN
from .core.errors import StoreError, StoreUnavailable
from .runtime import MetastoreConfigEntry
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Actions are there whether or not a home is set up."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: MetastoreConfigEntry) -> bool:
    """Open the database and begin to mirror; a home that is away is waited for in the background."""
    try:
        entry.runtime_data = await runtime.start(hass, entry)
    except StoreUnavailable as error:
        raise ConfigEntryNotReady(str(error)) from error
    except StoreError as error:
        raise ConfigEntryError(str(error)) from error
    return True


async def async_unload_entry(hass: HomeAssistant, entry: MetastoreConfigEntry) -> bool:
    """Stop mirroring and let go of the database."""
    await entry.runtime_data.stop(hass)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: MetastoreConfigEntry) -> None:
    """Take back the user; what was mirrored stays in the database."""
    await remove_own_user(hass, entry.data.get(CONF_USER_ID))
    await runtime.forget(hass, entry)
