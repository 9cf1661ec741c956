"""A home mirrored by itself into SQLite and, at the same time, by another Home Assistant into PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from home_assistant import HomeAssistant, wait_for
from mirrored import Database, blunders, history_differences, sqlite, wait_until_equal


@pytest.fixture(scope="module")
def own(home: HomeAssistant) -> Database:
    done = home.mirror_this("sqlite:///metastore.db")
    assert done["type"] == "create_entry", done
    home.set_up("crowd")
    home.act("crowd.come", devices=280)
    return sqlite(home.folder / "metastore.db")


@pytest.fixture(scope="module")
def remote(home: HomeAssistant, observer: HomeAssistant, server: Database, own: Database) -> Database:
    """The database in which the observer mirrors the home."""
    done = observer.mirror_another(home.url, home.long_lived_token("observer"), server.url)
    assert done["type"] == "create_entry", done
    wait_until_equal(home, server, observer)
    return server


def test_both_databases_are_what_the_home_lists(
    home: HomeAssistant, observer: HomeAssistant, own: Database, remote: Database
) -> None:
    wait_until_equal(home, own)
    wait_until_equal(home, remote, observer)
    assert history_differences(own) == history_differences(remote) == []
    assert len(remote.live("entities")) > 2000


def test_another_home_gets_an_id_of_its_own(home: HomeAssistant, own: Database, remote: Database) -> None:
    """The instance's own id cannot be read from outside."""
    assert remote.one("SELECT home_id FROM homes") != own.one("SELECT home_id FROM homes")
    assert remote.one("SELECT name FROM homes") == own.one("SELECT name FROM homes")


def test_the_same_home_cannot_be_added_twice(home: HomeAssistant, observer: HomeAssistant, remote: Database) -> None:
    again = observer.mirror_another(home.url + "/", home.token, remote.url)
    assert (again["type"], again["reason"]) == ("abort", "already_configured")


def test_who_is_no_administrator_is_refused_with_the_reason(home: HomeAssistant, observer: HomeAssistant) -> None:
    asked = observer.mirror_another(home.url, home.token_of_somebody(), "sqlite:///unused.db")
    assert (asked["step_id"], asked["errors"]) == ("another", {"base": "not_admin"})


@pytest.mark.parametrize(
    ("url", "token", "reason"),
    [
        pytest.param(None, "not a token", "invalid_auth", id="a wrong token"),
        pytest.param("http://127.0.0.1:9", "any", "cannot_connect", id="nobody there"),
        pytest.param("ftp://127.0.0.1", "any", "not_home_assistant", id="not an address"),
    ],
)
def test_what_does_not_open_a_home_is_refused(
    home: HomeAssistant, observer: HomeAssistant, url: str | None, token: str, reason: str
) -> None:
    asked = observer.mirror_another(url or home.url, token, "sqlite:///unused.db")
    assert asked["errors"] == {"base": reason}


def test_a_burst_for_which_the_server_cuts_the_connection(
    home: HomeAssistant, observer: HomeAssistant, own: Database, remote: Database
) -> None:
    """6,160 changes in one turn of the event loop: when 4,096 messages wait, the server hangs up."""
    cut = "Client unable to keep up with pending messages"
    before = home.log().count(cut)
    home.act("crowd.change_all", called="crowd")
    wait_until_equal(home, own)
    wait_until_equal(home, remote, observer)
    assert home.log().count(cut) >= before + 2  # both mirrors
    assert history_differences(own) == history_differences(remote) == []


@pytest.fixture
def reduced(
    home: HomeAssistant, observer: HomeAssistant, remote: Database, request: pytest.FixtureRequest
) -> Iterator[int]:
    """The home is up, in a mode with less than everything; the value is the number of the last change before."""
    wait_until_equal(home, remote, observer)
    last, connected = remote.one("SELECT max(id) FROM changes"), connections(remote)
    home.stop()
    request.param(home)
    wait_for("connection to the reduced home", lambda: connections(remote) > connected)
    yield last
    home.stop()
    home.start()
    wait_until_equal(home, remote, observer)


@pytest.mark.parametrize("reduced", [lambda home: home.start("--recovery-mode")], indirect=True, ids=["recovery"])
def test_recovery_mode_deletes_nothing(
    home: HomeAssistant, observer: HomeAssistant, remote: Database, reduced: int
) -> None:
    """There, every registry is empty, and yet the home says that it is up and running."""
    assert home.call("get_config")["recovery_mode"]
    assert home.call("config/area_registry/list") == []
    synchronise(observer)
    assert removals_after(reduced, remote) == []


@pytest.mark.parametrize("reduced", [HomeAssistant.start_safely], indirect=True, ids=["safe"])
def test_safe_mode_deletes_nothing(
    home: HomeAssistant, observer: HomeAssistant, remote: Database, reduced: int
) -> None:
    """There, no custom integration is loaded, and what they bring is not there."""
    assert home.call("get_config")["safe_mode"]
    synchronise(observer)
    assert removals_after(reduced, remote) == []


def removals_after(change: int, database: Database) -> list[dict[str, Any]]:
    return database.query(f"SELECT registry, object_id FROM changes WHERE id > {change} AND action = 'removed'")


def connections(database: Database) -> int:
    return int(database.one("SELECT count(*) FROM syncs WHERE reason = 'connected'"))


def synchronise(home: HomeAssistant) -> Any:
    return home.act("metastore.sync", config_entry_id=home.entry_of("metastore")["entry_id"])


def test_a_revoked_token_asks_a_person_and_knocks_no_more(
    home: HomeAssistant, observer: HomeAssistant, remote: Database
) -> None:
    """Every knock with a wrong token would count as an attack."""
    attacks = "Login attempt or request with invalid authentication"
    before = home.log().count(attacks)
    home.revoke("observer")

    def asked() -> list[dict[str, Any]]:
        return [flow for flow in observer.call("config_entries/flow/progress") if flow["handler"] == "metastore"]

    [flow] = wait_for("question for a new token", asked)
    assert flow["context"]["source"] == "reauth"
    home.call("config/area_registry/create", name="Unseen at first")
    time.sleep(2.5)  # The first two attempts of a mirror that tries again come within three seconds at the latest.
    path = f"/api/config/config_entries/flow/{flow['flow_id']}"
    assert observer.rest("POST", path, {"token": "wrong"})["errors"] == {"base": "invalid_auth"}
    assert home.log().count(attacks) == before + 2  # the mirror once, and the wrong token of just now
    token = home.long_lived_token("observer again")
    assert observer.rest("POST", path, {"token": token})["reason"] == "reauth_successful"
    wait_until_equal(home, remote, observer)
    assert home.log().count(attacks) == before + 2
    # Home Assistant writes its entries a second later. Killed before, it would start with the revoked token.
    entries = observer.storage("core.config_entries")
    wait_for("new token on the disk", lambda: token in entries.read_text())


def test_what_took_place_while_nobody_watched_is_made_up_for(
    home: HomeAssistant, observer: HomeAssistant, remote: Database
) -> None:
    """The observer is killed while it writes, and the home goes on."""
    home.act("crowd.change_all", called="unwatched")
    observer.kill()
    home.act("crowd.change_all", called="at_last")
    home.call("config/area_registry/create", name="While nobody watched")
    observer.start()
    wait_until_equal(home, remote, observer)
    assert history_differences(remote) == []


def test_a_home_that_is_added_again_finds_its_history(
    home: HomeAssistant, observer: HomeAssistant, remote: Database
) -> None:
    """It is recognised by its config entries."""
    home_id, changes = remote.one("SELECT home_id FROM homes"), remote.one("SELECT count(*) FROM changes")
    observer.remove_entry(observer.entry_of("metastore")["entry_id"])
    assert remote.one("SELECT removed_at FROM homes") is not None
    observer.mirror_another(home.url, home.long_lived_token("observer once more"), remote.url)
    wait_until_equal(home, remote, observer)
    assert remote.query("SELECT home_id, removed_at FROM homes") == [{"home_id": home_id, "removed_at": None}]
    assert remote.one("SELECT count(*) FROM changes") == changes


def test_two_homes_share_a_database(home: HomeAssistant, observer: HomeAssistant, remote: Database) -> None:
    """The observer mirrors itself as well, into the same one."""
    done = observer.mirror_this(remote.url)
    assert done["type"] == "create_entry", done
    own_id = observer.stored("core.uuid")["uuid"]
    wait_until_equal(observer, remote.of(own_id))
    [other] = [row["home_id"] for row in remote.query("SELECT home_id FROM homes") if row["home_id"] != own_id]
    wait_until_equal(home, remote.of(other), observer)


def test_nothing_was_said_that_should_worry_anybody(
    home: HomeAssistant, observer: HomeAssistant, own: Database, remote: Database
) -> None:
    for each in (observer, home):
        each.stop()
        assert blunders(each) == []
