"""Setting up in the UI: which home, which database. What is given is tried before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import probatio as vol
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import instance_id
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from yarl import URL

from .access import ClientCertificateDemanded, access_to_another, own_url
from .const import (
    CONF_DATABASE_URL,
    CONF_ENTRY_IDS,
    CONF_HOME_ID,
    CONF_POLL_INTERVAL_S,
    CONF_RETENTION_DAYS,
    CONF_SOURCE,
    DEFAULT_DATABASE_URL,
    DEFAULT_POLL_INTERVAL_S,
    DEFAULT_RETENTION_DAYS,
    DOMAIN,
    SOURCE_ANOTHER,
    SOURCE_THIS,
)
from .core.entries import CONFIG_ENTRIES
from .core.errors import (
    HomeTaken,
    InvalidToken,
    MetastoreError,
    NewerDatabase,
    NotAdmin,
    ProtocolError,
    SourceError,
    StoreError,
    StoreUnavailable,
)
from .listing import Listing
from .runtime import sharing, stores, url_of
from .source import connect

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
_ANOTHER = vol.Schema(
    {
        vol.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL, autocomplete="url")),
        vol.Required(CONF_TOKEN): _PASSWORD,
        vol.Required(CONF_VERIFY_SSL, default=True): bool,
    }
)
_TOKEN = vol.Schema({vol.Required(CONF_TOKEN): _PASSWORD})
_DATABASE = vol.Schema({vol.Required(CONF_DATABASE_URL, default=DEFAULT_DATABASE_URL): TextSelector()})


def _number(least: int, most: int, unit: str) -> vol.All[int]:
    config = NumberSelectorConfig(min=least, max=most, mode=NumberSelectorMode.BOX, unit_of_measurement=unit)
    return vol.All(NumberSelector(config), vol.Coerce(int))


_OPTIONS = _DATABASE.extend(
    {
        vol.Required(CONF_RETENTION_DAYS): _number(1, 36_500, "d"),
        vol.Required(CONF_POLL_INTERVAL_S): _number(10, 86_400, "s"),
    }
)

# What went wrong → the text that says so; the first that fits.
_SAID: tuple[tuple[type[MetastoreError], str], ...] = (
    (ClientCertificateDemanded, "client_certificate"),
    (InvalidToken, "invalid_auth"),
    (NotAdmin, "not_admin"),
    (ProtocolError, "not_home_assistant"),
    (SourceError, "cannot_connect"),
    (NewerDatabase, "newer_database"),
    (HomeTaken, "home_taken"),
    (StoreUnavailable, "database_unavailable"),
    (StoreError, "invalid_database"),
)


@dataclass(frozen=True)
class _Instance:
    """What a home tells before it is mirrored."""

    name: str
    entry_ids: tuple[str, ...]


class MetastoreConfigFlow(ConfigFlow, domain=DOMAIN):
    """Source, then database."""

    VERSION = 1

    def __init__(self) -> None:
        self._data: dict[str, Any] = {}
        self._title = ""
        self._entry_ids: tuple[str, ...] = ()

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry[Any]) -> OptionsFlow:
        return MetastoreOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return self.async_show_menu(step_id="user", menu_options=[SOURCE_THIS, SOURCE_ANOTHER])

    async def async_step_this(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Nothing is asked: the integration signs itself in."""
        try:
            own_url(self.hass)
        except MetastoreError as error:
            return self.async_abort(reason=_said(error))
        self._data = {CONF_SOURCE: SOURCE_THIS, CONF_HOME_ID: await instance_id.async_get(self.hass)}
        self._title = self.hass.config.location_name
        self._entry_ids = _own_entry_ids(self.hass)
        return await self._once() or await self.async_step_database()

    async def async_step_another(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = _tidy(user_input)
            try:
                instance = await _look(self.hass, user_input)
            except MetastoreError as error:
                errors["base"] = _said(error)
            else:
                self._data = {CONF_SOURCE: SOURCE_ANOTHER, **user_input}
                self._title, self._entry_ids = instance.name, instance.entry_ids
                return await self._once() or await self.async_step_database()
        return self.async_show_form(
            step_id="another",
            data_schema=self.add_suggested_values_to_schema(_ANOTHER, user_input or {}),
            errors=errors,
        )

    async def _once(self) -> ConfigFlowResult | None:
        """The same instance twice would write the same rows twice."""
        if await _entry_of(self.hass, self._entry_ids):
            return self.async_abort(reason="already_configured")
        return None

    async def async_step_database(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        reason = ""
        if user_input is not None:
            try:
                known = await _try_database(self.hass, user_input[CONF_DATABASE_URL], self._entry_ids)
            except StoreError as error:
                errors["base"] = _said(error)
                reason = str(error)
            else:
                if aborted := await self._once():  # another flow may have been quicker
                    return aborted
                # Who was here before finds the own history; who is new gets an id that nobody else has.
                home_id = self._data.setdefault(CONF_HOME_ID, known or uuid4().hex)
                await self.async_set_unique_id(home_id)
                self._abort_if_unique_id_configured()
                options = {
                    CONF_DATABASE_URL: user_input[CONF_DATABASE_URL],
                    CONF_RETENTION_DAYS: _retention(self.hass, user_input[CONF_DATABASE_URL]),
                    CONF_POLL_INTERVAL_S: DEFAULT_POLL_INTERVAL_S,
                }
                data = {**self._data, CONF_ENTRY_IDS: list(self._entry_ids)}
                return self.async_create_entry(title=self._title, data=data, options=options)
        return self.async_show_form(
            step_id="database",
            data_schema=self.add_suggested_values_to_schema(_DATABASE, user_input or {}),
            errors=errors,
            description_placeholders={"reason": reason},
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        entry = self._get_reauth_entry()
        if entry.data[CONF_SOURCE] == SOURCE_THIS:
            return self.async_abort(reason="client_certificate")
        errors: dict[str, str] = {}
        if user_input is not None:
            given = {**entry.data, **_tidy(user_input)}
            if (error := await self._wrong(entry, given)) is None:
                return self.async_update_reload_and_abort(entry, data=given)
            errors["base"] = error
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=_TOKEN,
            errors=errors,
            description_placeholders={"name": entry.title, "url": entry.data[CONF_URL]},
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        entry = self._get_reconfigure_entry()
        if entry.data[CONF_SOURCE] == SOURCE_THIS:
            return self.async_abort(reason="nothing_to_reconfigure")
        errors: dict[str, str] = {}
        if user_input is not None:
            given = {**entry.data, **_tidy(user_input)}
            if (error := await self._wrong(entry, given)) is None:
                return self.async_update_reload_and_abort(entry, data=given)
            errors["base"] = error
        shown = {name: entry.data[name] for name in (CONF_URL, CONF_VERIFY_SSL)} | (user_input or {})
        return self.async_show_form(
            step_id="reconfigure", data_schema=self.add_suggested_values_to_schema(_ANOTHER, shown), errors=errors
        )

    async def _wrong(self, entry: ConfigEntry[Any], given: Mapping[str, Any]) -> str | None:
        """Why this does not open the home that the entry mirrors."""
        try:
            instance = await _look(self.hass, given)
            known = await _known_entry_ids(self.hass, entry)
        except MetastoreError as error:
            return _said(error)
        return None if not known or known & set(instance.entry_ids) else "another_home"


class MetastoreOptionsFlow(OptionsFlowWithReload):
    """Database, retention and polling. The first two belong to the database, so all homes in it share them."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        reason = ""
        if user_input is not None:
            try:
                await _try_database(self.hass, user_input[CONF_DATABASE_URL], ())
            except StoreError as error:
                errors["base"] = _said(error)
                reason = str(error)
            else:
                self._take_along(user_input)
                return self.async_create_entry(data=user_input)
        shown = user_input or self.config_entry.options
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(_OPTIONS, shown),
            errors=errors,
            description_placeholders={"reason": reason},
        )

    def _take_along(self, given: Mapping[str, Any]) -> None:
        shared = {name: given[name] for name in (CONF_DATABASE_URL, CONF_RETENTION_DAYS)}
        for other in sharing(self.hass, self.config_entry.options[CONF_DATABASE_URL]):
            if other.entry_id == self.config_entry.entry_id:
                continue
            if self.hass.config_entries.async_update_entry(other, options={**other.options, **shared}):
                self.hass.config_entries.async_schedule_reload(other.entry_id)


def _tidy(given: Mapping[str, Any]) -> dict[str, Any]:
    """As people copy it: an address with the page that they look at, a token with the blank behind it."""
    tidied = {**given, CONF_TOKEN: given[CONF_TOKEN].strip()}
    if CONF_URL in given:
        text = given[CONF_URL].strip()
        try:
            tidied[CONF_URL] = str(URL(text).origin())
        except ValueError:
            tidied[CONF_URL] = text  # what is wrong with it is said when it is tried
    return tidied


def _retention(hass: HomeAssistant, database: str) -> int:
    """Days. It belongs to the database: a home that is added to one keeps what holds there."""
    others = sharing(hass, database)
    return int(others[0].options[CONF_RETENTION_DAYS]) if others else DEFAULT_RETENTION_DAYS


def _said(error: MetastoreError) -> str:
    return next(text for kind, text in _SAID if isinstance(error, kind))


async def _look(hass: HomeAssistant, given: Mapping[str, Any]) -> _Instance:
    """Sign in once. Raises SourceError."""
    async with connect(async_get_clientsession(hass), access_to_another(given)) as connection:
        listing = Listing(connection, b"")
        if not await listing.is_admin():
            raise NotAdmin("The token's user is not an administrator.")
        condition = await listing.condition()
        entry_ids = [str(row.get(CONFIG_ENTRIES.key)) for row in await listing.all_of(CONFIG_ENTRIES)]
    return _Instance(condition.name or given[CONF_URL], tuple(entry_ids))


def _own_entry_ids(hass: HomeAssistant) -> tuple[str, ...]:
    return tuple(entry.entry_id for entry in hass.config_entries.async_entries())


async def _entry_of(hass: HomeAssistant, entry_ids: tuple[str, ...]) -> ConfigEntry[Any] | None:
    """The entry that mirrors the instance with these config entries already."""
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        known = set(entry.data.get(CONF_ENTRY_IDS, ()))
        with suppress(StoreError):  # where its database is away, what it was added with has to do
            known |= await _known_entry_ids(hass, entry)
        if known & set(entry_ids):
            return entry
    return None


async def _known_entry_ids(hass: HomeAssistant, entry: ConfigEntry[Any]) -> set[str]:
    """Config entries of the instance that this entry mirrors. Raises StoreError."""
    if entry.data[CONF_SOURCE] == SOURCE_THIS:
        return set(_own_entry_ids(hass))
    store = await stores(hass).acquire(url_of(hass, entry.options[CONF_DATABASE_URL]))
    try:
        return set(await store.live(entry.data[CONF_HOME_ID], CONFIG_ENTRIES))
    finally:
        await stores(hass).release(store)


async def _try_database(hass: HomeAssistant, url: str, entry_ids: tuple[str, ...]) -> str | None:
    """Open it, and return the home in it that has these config entries. Raises StoreError."""
    store = await stores(hass).acquire(url_of(hass, url))
    try:
        if home_id := await store.home_of(entry_ids):
            await store.claim(home_id)
            await store.unclaim(home_id)
        return home_id
    finally:
        await stores(hass).release(store)
