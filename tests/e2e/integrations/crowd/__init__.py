"""For the tests: many devices and entities, which change all at once, and what only Home Assistant's inside can do."""

from __future__ import annotations

import asyncio

from homeassistant.config_entries import SOURCE_IMPORT, ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

DOMAIN = "crowd"
ENTITIES_PER_DEVICE = 10


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    devices, entities = dr.async_get(hass), er.async_get(hass)

    async def come(call: ServiceCall) -> None:
        """Register `devices` devices, each with ten entities, without ever holding up the others for long."""
        for number in range(call.data["devices"]):
            device = devices.async_get_or_create(
                config_entry_id=entry.entry_id, identifiers={(DOMAIN, str(number))}, name=f"Member {number}"
            )
            for part in range(ENTITIES_PER_DEVICE):
                entities.async_get_or_create(
                    "sensor",
                    DOMAIN,
                    f"{number}-{part}",
                    config_entry=entry,
                    device_id=device.id,
                    suggested_object_id=f"crowd_{number}_{part}",
                )
            await asyncio.sleep(0)

    @callback
    def change_all(call: ServiceCall) -> None:
        """In one turn of the event loop: every entity and every device twice, and each tenth entity's address."""
        called = call.data["called"]
        for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
            devices.async_update_device(device.id, name_by_user="somebody")
            devices.async_update_device(device.id, name_by_user=called)
        for number, known in enumerate(er.async_entries_for_config_entry(entities, entry.entry_id)):
            entities.async_update_entity(known.entity_id, name="something")
            new = {"new_entity_id": f"sensor.{called}_{number}"} if number % 10 == 0 else {}
            entities.async_update_entity(known.entity_id, name=f"{called} {number}", **new)

    async def bring_back(call: ServiceCall) -> None:
        """Add an integration that a person cannot add, because it comes from configuration.yaml."""
        await hass.config_entries.flow.async_init(call.data["domain"], context={"source": SOURCE_IMPORT}, data={})

    async def delete_user(call: ServiceCall) -> None:
        """Delete a user whom the frontend would not let a person delete."""
        user = await hass.auth.async_get_user(call.data["user_id"])
        assert user is not None
        await hass.auth.async_remove_user(user)

    hass.services.async_register(DOMAIN, "come", come)
    hass.services.async_register(DOMAIN, "change_all", change_all)
    hass.services.async_register(DOMAIN, "bring_back", bring_back)
    hass.services.async_register(DOMAIN, "delete_user", delete_user)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    return True


async def async_remove_config_entry_device(hass: HomeAssistant, entry: ConfigEntry, device: dr.DeviceEntry) -> bool:
    return True
