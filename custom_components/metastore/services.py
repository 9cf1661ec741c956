"""Actions."""

from __future__ import annotations

import probatio as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .const import ATTR_CONFIG_ENTRY_ID, DOMAIN, SERVICE_SYNC
from .core.errors import MetastoreError
from .runtime import MetastoreConfigEntry

_SYNC = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions; each finds its home by the config entry."""

    async def sync(call: ServiceCall) -> ServiceResponse:
        entry = _entry(hass, call.data[ATTR_CONFIG_ENTRY_ID])
        try:
            done = await entry.runtime_data.mirror.sync()
        except MetastoreError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="sync_failed",
                translation_placeholders={"reason": str(error)},
            ) from error
        return {
            "sync_id": done.id,
            "created": done.created,
            "updated": done.updated,
            "removed": done.removed,
            "duration_s": round(done.duration_s, 3),
        }

    hass.services.async_register(DOMAIN, SERVICE_SYNC, sync, schema=_SYNC, supports_response=SupportsResponse.OPTIONAL)


def _entry(hass: HomeAssistant, entry_id: str) -> MetastoreConfigEntry:
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_such_entry")
    if entry.state is not ConfigEntryState.LOADED:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="entry_not_loaded")
    return entry
