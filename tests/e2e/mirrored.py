"""What stands in the database, and whether that is what the home says of itself.

Nothing is imported from the integration: the tables are read as a person with sqlite3 or psql would read them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from home_assistant import HomeAssistant
from psycopg.rows import dict_row

KEYS = {
    "floors": "floor_id",
    "areas": "area_id",
    "labels": "label_id",
    "categories": "category_id",
    "config_entries": "entry_id",
    "devices": "id",
    "entities": "id",
    "webhooks": "webhook_hash",
}
OURS = {"home_id", "removed_at", "extra"}
# Home Assistant makes these lists from sets, so that their order differs from one start to the next.
SETS = {
    "floors": {"aliases"},
    "areas": {"aliases", "labels"},
    "devices": {"labels", "identifiers", "connections"},
    "entities": {"labels"},
    "webhooks": {"allowed_methods"},
}
EQUAL_WITHIN_S = 60.0  # a change takes a second; after a fault the mirror's back-off comes on top

WITHOUT_HISTORY = {
    "state",
    "reason",
    "error_reason_translation_domain",
    "error_reason_translation_key",
    "error_reason_translation_placeholders",
    "supports_options",
    "supports_remove_device",
    "supports_unload",
    "supports_reconfigure",
    "supported_subentry_types",
}

type Row = dict[str, Any]
type Rows = dict[str, Row]


@dataclass(frozen=True)
class Database:
    """`url` is what the config flow gets, `query` runs one statement; `home_id` chooses one of several homes."""

    url: str
    query: Callable[[str], list[Row]]
    home_id: str | None = None

    def of(self, home_id: str) -> Database:
        return replace(self, home_id=home_id)

    def live(self, registry: str) -> Rows:
        rows = self.query(f"SELECT * FROM {registry} WHERE removed_at IS NULL")
        return {row[KEYS[registry]]: row for row in rows if self.home_id in (None, row["home_id"])}

    def one(self, statement: str) -> Any:
        """The only value of the only row."""
        [row] = self.query(statement)
        [value] = row.values()
        return value


def sqlite(path: Path) -> Database:
    def query(statement: str) -> list[Row]:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement)]

    return Database(f"sqlite:///{path}", query)


def postgresql(url: str) -> Database:
    def query(statement: str) -> list[Row]:
        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()

    return Database(url, query)


def differences(home: HomeAssistant, database: Database, webhook_key: bytes) -> list[str]:
    """Each line names one field in which the database is not what the home lists."""
    found: list[str] = []
    for registry, rows in home.listings().items():
        listed = {row[KEYS[registry]]: row for row in _hashed(registry, rows, webhook_key)}
        stored = database.live(registry)
        found += [f"{registry}: {key} is missing" for key in listed.keys() - stored.keys()]
        found += [f"{registry}: {key} is not there any more" for key in stored.keys() - listed.keys()]
        for key in listed.keys() & stored.keys():
            found += [f"{registry}: {key}: {text}" for text in _unequal(registry, listed[key], stored[key])]
    return found


def _hashed(registry: str, rows: Iterable[Row], key: bytes) -> list[Row]:
    """Of a webhook's id, which opens it, only a keyed hash is stored."""
    if registry != "webhooks":
        return list(rows)
    return [
        {name: value for name, value in row.items() if name != "webhook_id"}
        | {"webhook_hash": hmac.new(key, row["webhook_id"].encode(), hashlib.sha256).hexdigest()}
        for row in rows
    ]


def _unequal(registry: str, listed: Row, stored: Row) -> list[str]:
    columns = stored.keys() - OURS
    expected = dict.fromkeys(columns) | {name: listed[name] for name in listed.keys() & columns}
    expected["extra"] = {name: listed[name] for name in listed.keys() - columns}
    return [
        f"{name} is {stored[name]!r} and not {value!r}"
        for name, value in expected.items()
        if not _equal(stored[name], value, ordered=name not in SETS.get(registry, set()))
    ]


def _equal(stored: Any, value: Any, *, ordered: bool) -> bool:
    if isinstance(value, (list, dict)) and isinstance(stored, str):
        stored = json.loads(stored)  # SQLite has no type for it
    if isinstance(value, list) and isinstance(stored, list) and not ordered:
        stored, value = (sorted(each, key=json.dumps) for each in (stored, value))
    return bool(stored == value)


def wait_until_equal(home: HomeAssistant, database: Database, mirroring: HomeAssistant | None = None) -> float:
    """Compare until nothing differs; returns and prints how long that took, in seconds."""
    began = time.monotonic()
    while found := _look(home, database, mirroring or home):
        if time.monotonic() - began > EQUAL_WITHIN_S:
            raise AssertionError(
                f"{len(found)} differences after {EQUAL_WITHIN_S:g} seconds:\n" + "\n".join(found[:20])
            )
        time.sleep(0.1)
    took = time.monotonic() - began
    print(f"equal after {took:.1f} s")
    return took


def _look(home: HomeAssistant, database: Database, mirroring: HomeAssistant) -> list[str]:
    try:
        key = bytes.fromhex(mirroring.stored("metastore")["webhook_key"])
        return differences(home, database, key)
    except (FileNotFoundError, sqlite3.OperationalError, psycopg.errors.UndefinedTable) as error:
        return [f"there is nothing yet: {error}"]


def replayed(database: Database, registry: str) -> Rows:
    """Every line of the history applied in its order, to nothing."""
    states: Rows = {}
    lines = database.query(f"SELECT object_id, action, fields FROM changes WHERE registry = '{registry}' ORDER BY id")
    for line in lines:
        key, fields = line["object_id"], line["fields"]
        fields = json.loads(fields) if isinstance(fields, str) else fields
        if line["action"] == "removed":
            del states[key]
            continue
        assert (key in states) == (line["action"] == "updated"), (registry, line)
        state = states.setdefault(key, {})
        for name, (old, new) in fields.items():
            assert state.get(name) == old, (registry, key, name)
            state[name] = new
    return states


def history_differences(database: Database) -> list[str]:
    """Where the history, played from its beginning, does not end with what is there now."""
    found: list[str] = []
    for registry in KEYS:
        states, live = replayed(database, registry), database.live(registry)
        found += [f"{registry}: {key}" for key in states.keys() ^ live.keys()]
        for key in states.keys() & live.keys():
            for name, value in live[key].items():
                if name in OURS - {"extra"} or name in WITHOUT_HISTORY:
                    continue
                if not _equal(value, states[key].get(name), ordered=True):
                    found.append(f"{registry}: {key}: {name} is {value!r} and in history {states[key].get(name)!r}")
    return found


def blunders(home: HomeAssistant) -> list[str]:
    """What the log says and should not: errors of ours, tracebacks through us, and what blocked the event loop."""
    found: list[str] = []
    never = ("blocking call", "never awaited", "never retrieved")
    for message in re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", home.log()):
        ours = " ERROR " in message and "[custom_components.metastore" in message
        through_us = "Traceback" in message and "custom_components/metastore" in message
        if ours or through_us or any(text in message for text in never):
            found.append(message)
    return found
