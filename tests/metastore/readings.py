"""Two readings of the same thing: what a home has, and what the database and its history say that it has."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from custom_components.metastore.core.diff import Action, replay
from custom_components.metastore.core.entries import BY_NAME, REGISTRIES

from .simulated_home import SimulatedHome

WEBHOOK_KEY = b"a key that is not in the database"

type Rows = dict[str, dict[str, Any]]  # key → row
type Everything = dict[str, Rows]  # registry → rows

# Home Assistant makes these from sets, so their order says nothing.
UNORDERED = {"aliases", "labels", "identifiers", "connections", "allowed_methods"}
IN_JSON = UNORDERED | {
    "categories",
    "capabilities",
    "options",
    "supported_subentry_types",
    "error_reason_translation_placeholders",
    "extra",
}


def expected(home: SimulatedHome) -> Everything:
    """What the home has, as the tables should hold it."""
    found = home.snapshot()
    for row in found["webhooks"].values():
        row["webhook_hash"] = _hash(row.pop("webhook_id"))
    return {
        registry.name: {str(row[registry.key]): _columns(registry.name, row) for row in found[registry.name].values()}
        for registry in REGISTRIES
    }


def _hash(webhook_id: str) -> str:
    return hmac.new(WEBHOOK_KEY, webhook_id.encode(), hashlib.sha256).hexdigest()


def _columns(registry: str, row: dict[str, Any]) -> dict[str, Any]:
    names = BY_NAME[registry].fields
    known = {name: row.get(name) for name in names if name != "extra"}
    return _plain(known | {"extra": {name: value for name, value in row.items() if name not in names}})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: sorted(value, key=json.dumps) if name in UNORDERED and value is not None else value
        for name, value in row.items()
    }


def stored(path: Path, *, removed: bool = False) -> Everything:
    """What the tables hold, read by SQLite alone: what is there, or with `removed`, what was."""
    found: Everything = {}
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        for registry in REGISTRIES:
            condition = "IS NOT NULL" if removed else "IS NULL"
            rows = database.execute(f"SELECT * FROM {registry.name} WHERE removed_at {condition}")
            found[registry.name] = {row[registry.key]: _decoded(row) for row in rows}
    return found


def _decoded(row: sqlite3.Row) -> dict[str, Any]:
    return _plain(
        {
            name: json.loads(row[name]) if name in IN_JSON and row[name] is not None else row[name]
            for name in row.keys()  # noqa: SIM118
            if name not in ("home_id", "removed_at")
        }
    )


def differences(left: Everything, right: Everything) -> list[str]:
    """A line for each value that is not the same; empty where all are."""
    found = []
    for registry in left:
        for key in left[registry].keys() | right[registry].keys():
            one, other = left[registry].get(key), right[registry].get(key)
            if one is None or other is None:
                found.append(f"{registry} {key}: only {'right' if one is None else 'left'}")
            elif one != other:
                found += [
                    f"{registry} {key} {name}: {one[name]!r} {other[name]!r}"
                    for name in one
                    if one[name] != other[name]
                ]
    return found


def query(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement, values).fetchall()


def history(path: Path, key: str) -> list[tuple[str, dict[str, Any]]]:
    """(action, field → [old, new]) of one object, the earliest first."""
    rows = query(path, "SELECT action, fields FROM changes WHERE object_id = ? ORDER BY id", key)
    return [(action, json.loads(fields)) for action, fields in rows]


def replayed(path: Path) -> Everything:
    """The tables as the history alone makes them, from nothing."""
    states: Everything = {registry.name: {} for registry in REGISTRIES}
    for registry, key, action, fields in query(
        path, "SELECT registry, object_id, action, fields FROM changes ORDER BY id"
    ):
        replay(states[registry], key, Action(action), json.loads(fields))
    return {name: {key: _blank(name) | _plain(row) for key, row in rows.items()} for name, rows in states.items()}


def _blank(registry: str) -> dict[str, Any]:
    return dict.fromkeys(BY_NAME[registry].fields)


def lasting(everything: Everything) -> Everything:
    """Without the fields that have no history."""
    return {
        name: {key: row | dict.fromkeys(BY_NAME[name].volatile) for key, row in rows.items()}
        for name, rows in everything.items()
    }


def assert_lives_are_told_once(path: Path) -> None:
    """Ids that are never given twice are created once, and removed once if they are gone."""
    gone = stored(path, removed=True)
    for registry in ("config_entries", "categories", "devices", "entities"):
        for action, wanted in (("created", 1), ("removed", None)):
            counts = dict(
                query(
                    path,
                    "SELECT object_id, count(*) FROM changes WHERE registry = ? AND action = ? GROUP BY 1",
                    registry,
                    action,
                )
            )
            for key, count in counts.items():
                assert count == (wanted or int(key in gone[registry])), f"{registry} {key} was {action} {count} times"
