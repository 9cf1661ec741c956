"""The integration in a running Home Assistant."""

from __future__ import annotations

from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component

from custom_components.metastore.const import DOMAIN


async def test_the_integration_loads(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert DOMAIN in hass.config.components


async def test_home_assistant_accepts_the_manifest(hass: HomeAssistant) -> None:
    integration = await async_get_integration(hass, DOMAIN)
    assert integration.pkg_path == "custom_components.metastore"
    assert integration.integration_type == "service"
    assert str(integration.version) == "0.1.0"
    assert integration.has_branding
