"""A conversation with PostgreSQL begins: the settings under which it gives the answers that SQLite gives."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from psycopg.types.string import TextLoader

from migrator.adapter.reading import shared_tables
from migrator.adapter.results import JSON, JSONB
from migrator.adapter.session import Session
from migrator.adapter.transactions import Transaction, lock_of
from migrator.adapter.wire import Wire
from migrator.core.errors import MigratorError
from migrator.target.connection import Target, resolve_target

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection

    from migrator.adapter.tables import Shared

_SETTINGS = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
}


def target_of(url: str) -> Target:
    """A program's URL may hold a password: nobody reads it in a list of processes. Raises sqlite3.OperationalError."""
    try:
        return resolve_target("env:URL", environ={"URL": url}, named="The URL")
    except MigratorError as error:
        raise sqlite3.OperationalError(str(error)) from None


def tables_at(target: Target) -> Shared:
    """Raises sqlite3.OperationalError."""
    try:
        return shared_tables(target)
    except MigratorError as error:
        raise sqlite3.OperationalError(str(error)) from error.__cause__


def parameters(target: Target, timeout_s: float) -> dict[str, Any]:
    """What psycopg connects with: SQLite's timeout is how long a lock is waited for."""
    settings = {**_SETTINGS, "lock_timeout": f"{max(int(timeout_s * 1000), 1)}ms"}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given = target.parameters.get("options", "")
    return {
        "application_name": "migrator.adapter",
        **target.parameters,
        "options": f"{given} {options}".strip(),
        "autocommit": True,
        "prepare_threshold": None,
    }


def session_of(
    connection: Connection[Any] | AsyncConnection[Any], target: Target, shared: Shared, isolation: str | None
) -> Session:
    for name in (JSON, JSONB):
        connection.adapters.register_loader(name, TextLoader)
    transaction = Transaction(lock_of(shared.tables.known.plan.target_schema))
    wire, secrets = Wire(connection.pgconn), (target.password,)
    return Session(wire, shared.tables, connection, transaction, secrets, isolation, shared=shared)
