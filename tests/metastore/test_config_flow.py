"""Setting up in the UI, against a simulated home and against this Home Assistant's own server."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_socket import socket_allow_hosts

from custom_components.metastore import access
from custom_components.metastore.const import DOMAIN
from custom_components.metastore.core.errors import ConnectionLost, StoreUnavailable
from custom_components.metastore.source import Access
from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.upgrade import upgrade

from .simulated_home import TOKEN, SimulatedHome

YEAR = timedelta(days=365)


@pytest.fixture
async def home(socket_enabled: None) -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(devices=3, entities=7).listening() as home:
        yield home


@pytest.fixture
def database(hass: HomeAssistant, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'metastore.db'}"


async def until(condition: Callable[[], Any]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen")


async def begun(hass: HomeAssistant, source: str) -> dict[str, Any]:
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert flow["type"] is FlowResultType.MENU
    return dict(await hass.config_entries.flow.async_configure(flow["flow_id"], {"next_step_id": source}))


async def reconfiguring(hass: HomeAssistant, entry: Any) -> dict[str, Any]:
    context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    return dict(await hass.config_entries.flow.async_init(DOMAIN, context=context))


async def answered(hass: HomeAssistant, flow: dict[str, Any], **given: Any) -> dict[str, Any]:
    return dict(await hass.config_entries.flow.async_configure(flow["flow_id"], given))


async def added(hass: HomeAssistant, home: SimulatedHome, database: str) -> Any:
    """The other home, set up and mirrored."""
    flow = await begun(hass, "another")
    flow = await answered(hass, flow, url=home.url, token=TOKEN, verify_ssl=True)
    assert flow["step_id"] == "database"
    flow = await answered(hass, flow, database_url=database)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = flow["result"]
    await mirrored(entry)
    return entry


async def mirrored(entry: Any) -> None:
    await until(lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data.mirror.status.connected)


async def removed(hass: HomeAssistant, entry: Any) -> None:
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


def asked(database: str, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as db:
        return db.execute(query).fetchall()


# -- another home ------------------------------------------------------------------------------------------------------


async def test_another_home_is_mirrored_into_a_file(hass: HomeAssistant, home: SimulatedHome, database: str) -> None:
    entry = await added(hass, home, database)
    assert entry.data["source"] == "another"
    assert entry.options == {"database_url": database, "retention_days": 365, "poll_interval_s": 300}
    assert asked(database, "SELECT count(*) FROM entities WHERE removed_at IS NULL") == [(7,)]
    await removed(hass, entry)
    assert asked(database, "SELECT removed_at IS NOT NULL FROM homes") == [(1,)]
    assert asked(database, "SELECT count(*) FROM entities WHERE removed_at IS NULL") == [(7,)]


async def test_a_home_that_comes_back_finds_its_history(
    hass: HomeAssistant, home: SimulatedHome, database: str
) -> None:
    await removed(hass, await added(hass, home, database))
    entry = await added(hass, home, database)
    assert asked(database, "SELECT count(*), count(removed_at) FROM homes") == [(1, 0)]
    assert asked(database, "SELECT DISTINCT action FROM changes") == [("created",)]
    await removed(hass, entry)


async def test_the_same_home_is_not_added_twice(hass: HomeAssistant, home: SimulatedHome, database: str) -> None:
    entry = await added(hass, home, database)
    flow = await answered(hass, await begun(hass, "another"), url=home.url + "/", token=TOKEN, verify_ssl=True)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    await removed(hass, entry)


async def test_of_two_flows_for_the_same_home_the_second_is_refused(
    hass: HomeAssistant, home: SimulatedHome, database: str, tmp_path: Path
) -> None:
    """Also where the first entry's database is away, so that nobody can look into it."""
    first, second = await begun(hass, "another"), await begun(hass, "another")
    given = {"url": home.url, "token": TOKEN, "verify_ssl": True}
    first, second = await answered(hass, first, **given), await answered(hass, second, **given)
    entry = (await answered(hass, first, database_url=database))["result"]
    await mirrored(entry)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    assert (await answered(hass, second, database_url=other))["reason"] == "already_configured"
    with patch("custom_components.metastore.config_flow.stores", side_effect=StoreUnavailable("away")):
        third = await answered(hass, await begun(hass, "another"), **given)
    assert third["reason"] == "already_configured"
    await removed(hass, entry)


async def test_an_address_and_a_token_may_be_given_as_they_are_copied(hass: HomeAssistant, home: SimulatedHome) -> None:
    flow = await begun(hass, "another")
    flow = await answered(hass, flow, url=f" {home.url}/lovelace/0", token=f"{TOKEN} ", verify_ssl=True)
    assert flow["step_id"] == "database"


async def test_a_database_among_the_integrations_is_refused(hass: HomeAssistant, home: SimulatedHome) -> None:
    """An update would take it away."""
    flow = await answered(hass, await begun(hass, "another"), url=home.url, token=TOKEN, verify_ssl=True)
    flow = await answered(hass, flow, database_url="sqlite:///custom_components/metastore/mine.db")
    assert flow["errors"] == {"base": "invalid_database"}
    assert "replaced by updates" in flow["description_placeholders"]["reason"]


async def test_a_home_that_is_added_to_a_database_keeps_the_retention_there(
    hass: HomeAssistant, home: SimulatedHome, database: str
) -> None:
    entry = await added(hass, home, database)
    hass.config_entries.async_update_entry(entry, options={**entry.options, "retention_days": 30})
    async with SimulatedHome(devices=1, entities=2, seed=7).listening() as cabin:
        neighbour = await added(hass, cabin, database)
        assert neighbour.options["retention_days"] == 30
        await removed(hass, neighbour)
    await removed(hass, entry)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"token": "a wrong token"}, "invalid_auth"),
        ({"url": "http://127.0.0.1:1"}, "cannot_connect"),
        ({"url": "ftp://home"}, "not_home_assistant"),
    ],
)
async def test_what_is_given_is_tried_first(
    hass: HomeAssistant, home: SimulatedHome, given: dict[str, Any], error: str
) -> None:
    flow = await begun(hass, "another")
    flow = await answered(hass, flow, **{"url": home.url, "token": TOKEN, "verify_ssl": True} | given)
    assert (flow["type"], flow["errors"]) == (FlowResultType.FORM, {"base": error})
    flow = await answered(hass, flow, url=home.url, token=TOKEN, verify_ssl=False)
    assert flow["step_id"] == "database"


async def test_a_user_who_is_no_administrator_is_refused(hass: HomeAssistant, home: SimulatedHome) -> None:
    home.is_admin = False
    flow = await answered(hass, await begun(hass, "another"), url=home.url, token=TOKEN, verify_ssl=True)
    assert flow["errors"] == {"base": "not_admin"}


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mysql://db/home", "invalid_database"),
        ("postgresql://nobody@127.0.0.1:1/home", "database_unavailable"),
        ("sqlite:///newer.db", "newer_database"),
        ("sqlite:///other.db", "invalid_database"),
    ],
)
async def test_the_database_is_tried_first(hass: HomeAssistant, home: SimulatedHome, url: str, error: str) -> None:
    config = Path(hass.config.config_dir)
    files = [config / "newer.db", config / "other.db"]
    try:
        await hass.async_add_executor_job(upgrade, database_url(f"sqlite:///{files[0]}"))
        with closing(sqlite3.connect(files[0])) as db, db:
            db.execute("UPDATE metastore_revision SET version_num = '9999'")
        with closing(sqlite3.connect(files[1])) as db:
            db.execute("CREATE TABLE states (id INTEGER)")
        flow = await answered(hass, await begun(hass, "another"), url=home.url, token=TOKEN, verify_ssl=True)
        flow = await answered(hass, flow, database_url=url)
        assert (flow["step_id"], flow["errors"]) == ("database", {"base": error})
    finally:
        for file in files:
            file.unlink()


async def test_a_token_that_is_revoked_asks_for_a_new_one(
    hass: HomeAssistant, home: SimulatedHome, database: str
) -> None:
    entry = await added(hass, home, database)
    home.token = "a new token"
    home.close_connections()
    await until(lambda: hass.config_entries.flow.async_progress_by_handler(DOMAIN))
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["step_id"] == "reauth_confirm"
    wrong = await answered(hass, dict(flow), token="still wrong")
    assert wrong["errors"] == {"base": "invalid_auth"}
    done = await answered(hass, dict(flow), token="a new token")
    assert done["reason"] == "reauth_successful"
    await mirrored(entry)
    await removed(hass, entry)


async def test_another_address_for_the_same_home(hass: HomeAssistant, home: SimulatedHome, database: str) -> None:
    entry = await added(hass, home, database)
    async with SimulatedHome(devices=1, entities=1, seed=7).listening() as stranger:
        flow = await reconfiguring(hass, entry)
        assert flow["step_id"] == "reconfigure"
        flow = await answered(hass, flow, url=stranger.url, token=TOKEN, verify_ssl=True)
        assert flow["errors"] == {"base": "another_home"}
        flow = await answered(hass, flow, url=home.url + "/", token=TOKEN, verify_ssl=False)
        assert flow["reason"] == "reconfigure_successful"
    assert entry.data["verify_ssl"] is False
    await mirrored(entry)
    await removed(hass, entry)


# -- options -----------------------------------------------------------------------------------------------------------


async def test_another_database_is_filled_and_shared(
    hass: HomeAssistant, home: SimulatedHome, database: str, tmp_path: Path
) -> None:
    """Database and retention belong to all homes in a database, so the other home moves along."""
    entry = await added(hass, home, database)
    async with SimulatedHome(devices=1, entities=2, seed=7).listening() as cabin:
        neighbour = await added(hass, cabin, database)
        assert neighbour.runtime_data.store is entry.runtime_data.store
        flow = dict(await hass.config_entries.options.async_init(entry.entry_id))
        given = {"database_url": "http://x", "retention_days": 30, "poll_interval_s": 60}
        flow = dict(await hass.config_entries.options.async_configure(flow["flow_id"], given))
        assert flow["errors"] == {"base": "invalid_database"}
        given["database_url"] = f"sqlite:///{tmp_path / 'new.db'}"
        flow = dict(await hass.config_entries.options.async_configure(flow["flow_id"], given))
        assert flow["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        await mirrored(entry)
        await mirrored(neighbour)
        assert neighbour.options == given | {"poll_interval_s": 300}
        assert asked(given["database_url"], "SELECT count(*) FROM homes") == [(2,)]
        assert asked(given["database_url"], "SELECT count(*) FROM entities") == [(9,)]
        assert asked(database, "SELECT count(*) FROM entities WHERE removed_at IS NULL") == [(9,)]
        await removed(hass, neighbour)
    await removed(hass, entry)


async def test_the_history_is_purged_daily(hass: HomeAssistant, home: SimulatedHome, database: str) -> None:
    entry = await added(hass, home, database)
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as db, db:
        db.execute("UPDATE changes SET at = 1000 WHERE id = 1")
        [(count,)] = db.execute("SELECT count(*) FROM changes").fetchall()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
    await until(lambda: asked(database, "SELECT count(*) FROM changes") == [(count - 1,)])
    await hass.async_block_till_done(wait_background_tasks=False)
    await removed(hass, entry)


# -- this home ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def server(hass: HomeAssistant, socket_enabled: None, aiohttp_server: Any) -> None:
    """This Home Assistant's own server, on a real port."""
    await listening(hass, aiohttp_server, "127.0.0.1")


async def listening(hass: HomeAssistant, aiohttp_server: Any, host: str, context: ssl.SSLContext | None = None) -> None:
    socket_allow_hosts([host], allow_unix_socket=True)
    for part in ("auth", "http", "websocket_api", "config", "webhook"):
        assert await async_setup_component(hass, part, {})
    server = await aiohttp_server(hass.http.app, host=host, ssl=context)
    hass.http.server_host, hass.http.server_port = [host], server.port
    hass.http.ssl_certificate = "/ssl/fullchain.pem" if context else None


def certified(folder: Path, name: str) -> ssl.SSLContext:
    """A server's context, whose certificate is signed by itself and made out to that name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt_util.utcnow()
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now, now + YEAR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain) + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


async def test_this_home_asks_for_nothing(hass: HomeAssistant, server: None, database: str) -> None:
    flow = await begun(hass, "this")
    assert flow["step_id"] == "database"
    flow = await answered(hass, flow, database_url=database)
    entry = flow["result"]
    await mirrored(entry)
    assert entry.data.keys() == {"source", "home_id", "user_id", "entry_ids"}
    user = await hass.auth.async_get_user(entry.data["user_id"])
    assert user is not None
    assert (user.system_generated, user.local_only) == (True, True)
    assert [group.id for group in user.groups] == [GROUP_ID_ADMIN]
    again = await begun(hass, "this")
    assert again["reason"] == "already_configured"
    await removed(hass, entry)
    assert await hass.auth.async_get_user(user.id) is None


@pytest.mark.parametrize("expected_lingering_timers", [True])  # of the server, for the connection that was cut
async def test_a_user_that_somebody_deleted_is_made_again(hass: HomeAssistant, server: None, database: str) -> None:
    entry = (await answered(hass, await begun(hass, "this"), database_url=database))["result"]
    await mirrored(entry)
    first = entry.data["user_id"]
    user = await hass.auth.async_get_user(first)
    assert user is not None
    await hass.auth.async_remove_user(user)
    await until(lambda: entry.data["user_id"] != first)
    await mirrored(entry)
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []
    await removed(hass, entry)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_this_home_is_reached_though_its_certificate_is_for_another_name(
    hass: HomeAssistant, socket_enabled: None, aiohttp_server: Any, database: str, tmp_path: Path, host: str
) -> None:
    """Others know it by that name, and it knows itself by its address."""
    await listening(hass, aiohttp_server, host, certified(tmp_path, "home.example"))
    entry = (await answered(hass, await begun(hass, "this"), database_url=database))["result"]
    await mirrored(entry)
    await removed(hass, entry)


@pytest.mark.parametrize("expected_lingering_timers", [True])  # of the server, for the connection that was cut
async def test_another_home_has_to_have_the_right_certificate_unless_somebody_says_otherwise(
    hass: HomeAssistant, socket_enabled: None, aiohttp_server: Any, tmp_path: Path
) -> None:
    await listening(hass, aiohttp_server, "127.0.0.1", certified(tmp_path, "home.example"))
    asyncio.get_running_loop().set_exception_handler(None)  # the server's end of a refused handshake is no failure
    given = {"url": access.own_url(hass), "token": "a wrong one"}
    flow = await begun(hass, "another")
    flow = await answered(hass, flow, **given, verify_ssl=True)
    assert flow["errors"] == {"base": "cannot_connect"}
    flow = await answered(hass, flow, **given, verify_ssl=False)
    assert flow["errors"] == {"base": "invalid_auth"}


@pytest.mark.parametrize("expected_lingering_timers", [True])  # of the server, for the connection that was refused
async def test_this_home_signs_in_again_when_its_token_is_refused(
    hass: HomeAssistant, server: None, database: str
) -> None:
    """As when an admin deletes the user just while the mirror signs in. Nobody is asked."""
    refused = 0

    async def access_that_is_refused_first(*arguments: Any) -> Access:
        nonlocal refused
        refused += 1
        found = await access.access_to_this(*arguments)
        return replace(found, token="refused") if refused == 1 else found

    with (
        patch("custom_components.metastore.runtime.access_to_this", access_that_is_refused_first),
        patch("custom_components.metastore.runtime.SIGN_IN_AGAIN_S", 0.0),
    ):
        entry = (await answered(hass, await begun(hass, "this"), database_url=database))["result"]
        await mirrored(entry)
    assert refused == 2
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []
    await removed(hass, entry)


@pytest.mark.parametrize("expected_lingering_timers", [True])  # of the server, for the connection that was cut
async def test_a_user_that_somebody_switched_off_is_made_again(
    hass: HomeAssistant, server: None, database: str
) -> None:
    entry = (await answered(hass, await begun(hass, "this"), database_url=database))["result"]
    await mirrored(entry)
    first = entry.data["user_id"]
    user = await hass.auth.async_get_user(first)
    assert user is not None
    await hass.auth.async_deactivate_user(user)
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: entry.data["user_id"] != first)
    await mirrored(entry)
    assert await hass.auth.async_get_user(first) is None
    await removed(hass, entry)


async def test_this_home_has_nothing_to_reconfigure(hass: HomeAssistant, server: None, database: str) -> None:
    entry = (await answered(hass, await begun(hass, "this"), database_url=database))["result"]
    await mirrored(entry)
    flow = await reconfiguring(hass, entry)
    assert flow["reason"] == "nothing_to_reconfigure"
    await removed(hass, entry)


async def test_a_server_that_demands_certificates_is_refused(hass: HomeAssistant, server: None) -> None:
    with patch.object(hass.http, "ssl_peer_certificate", "/ssl/clients.pem"):
        flow = await begun(hass, "this")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "client_certificate")


def test_a_home_without_a_server_is_refused() -> None:
    with pytest.raises(ConnectionLost, match="no web server"):
        access.own_url(object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listens_on", "reached_at"),
    [
        (None, "127.0.0.1"),
        (["0.0.0.0", "::"], "127.0.0.1"),
        (["::"], "[::1]"),
        (["192.168.1.5"], "192.168.1.5"),
        ("192.168.1.5", "192.168.1.5"),
        (["fd00::5"], "[fd00::5]"),
        (["192.168.1.5", "127.0.0.1"], "127.0.0.1"),
        (["homeassistant.local"], "homeassistant.local"),
    ],
)
def test_where_a_server_reaches_itself(listens_on: Any, reached_at: str) -> None:
    assert access.reachable_host(listens_on) == reached_at


# -- set-up and the action ---------------------------------------------------------------------------------------------


async def test_the_action_compares_everything(hass: HomeAssistant, home: SimulatedHome, database: str) -> None:
    entry = await added(hass, home, database)
    call = {"config_entry_id": entry.entry_id}
    answer = await hass.services.async_call(DOMAIN, "sync", call, blocking=True, return_response=True)
    assert answer is not None
    assert (answer["created"], answer["updated"], answer["removed"]) == (0, 0, 0)
    home.drop_connections()
    await until(lambda: not entry.runtime_data.mirror.status.connected)
    with pytest.raises(HomeAssistantError, match="not connected"):
        await hass.services.async_call(DOMAIN, "sync", call, blocking=True, return_response=True)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "sync", call, blocking=True, return_response=True)
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "sync", {"config_entry_id": "?"}, blocking=True, return_response=True)
    await removed(hass, entry)


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("postgresql://nobody@127.0.0.1:1/home", ConfigEntryState.SETUP_RETRY),
        ("mysql://db/home", ConfigEntryState.SETUP_ERROR),
    ],
)
async def test_a_database_that_is_away_or_wrong(
    hass: HomeAssistant, socket_enabled: None, url: str, state: ConfigEntryState
) -> None:
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={"source": "another", "url": "http://127.0.0.1:1", "token": "t", "verify_ssl": True, "home_id": "h"},
        options={"database_url": url, "retention_days": 1, "poll_interval_s": 10},
    )
    entry.add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert entry.state is state
    await removed(hass, entry)


async def test_a_database_that_cannot_be_opened_any_more_does_not_keep_the_entry(
    hass: HomeAssistant, home: SimulatedHome, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told that the database does not know, and the entry is gone all the same."""
    entry = await added(hass, home, database)
    await hass.config_entries.async_unload(entry.entry_id)
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as db, db:
        db.execute("UPDATE metastore_revision SET version_num = 'of tomorrow'")
    await removed(hass, entry)
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert "does not know that the home was removed: The database has the revision of tomorrow" in caplog.text


async def test_another_home_at_the_address_stops_the_mirror_and_says_so(
    hass: HomeAssistant, home: SimulatedHome, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await added(hass, home, database)
    await hass.config_entries.async_unload(entry.entry_id)
    for entry_id in [*home.config_entries]:
        home.remove_config_entry(entry_id)
    home.create_config_entry("met")
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: "The mirror has stopped: Another Home Assistant answers" in caplog.text)
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []
    await removed(hass, entry)


async def test_a_purge_that_fails_is_told_and_tried_again_the_next_day(
    hass: HomeAssistant, home: SimulatedHome, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await added(hass, home, database)
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as db, db:
        db.execute("ALTER TABLE changes RENAME TO mislaid")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
    await until(lambda: "The history was not purged" in caplog.text)
    await removed(hass, entry)
