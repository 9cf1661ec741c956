"""PostgreSQL's errors → the exceptions of sqlite3, in SQLite's words where it has words for them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from migrator.core.redact import redact
from migrator.core.sql.trigger_body import RAISED

# https://www.sqlite.org/rescode.html
BUSY, INTERRUPT, TOO_BIG, ERROR, NO_CONNECTION = 5, 9, 18, 1, 14
CHECK, FOREIGN_KEY, NOT_NULL, PRIMARY_KEY, TRIGGER, UNIQUE = 275, 787, 1299, 1555, 1811, 2067

# A table or a column is gone, or a result has other types now: somebody has changed the tables.
STALE = {"42P01", "42703", "0A000"}
# No operator or function for these types, or types that do not go together: SQLite knows no such thing.
_UNTYPED = {"42883", "42804", "42846", "42725", "42P18", "42P08", "42P22"}
_UNKNOWN = ("no such table", "no such column", "no such index", "no such view")
LOCKED = {
    *("55P03", "40001", "40P01", "25P03", "25P04"),  # a lock's timeout, a conflict, a deadlock, the session's timeouts
}


@dataclass(frozen=True)
class Names:
    """SQLite's names of what PostgreSQL names: tables by their own, columns by both; keys are primary ones."""

    tables: Mapping[str, str]
    columns: Mapping[tuple[str, str], str]
    keys: Mapping[str, frozenset[str]]  # table → columns, all in SQLite's names


@dataclass(frozen=True)
class Said:
    """What PostgreSQL says of an error: the five digits, the text, and where they are known the names in it."""

    state: str | None
    message: str
    detail: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None


def may_be_stale(error: sqlite3.Error, state: str | None) -> bool:
    """Whether it may come of tables that were changed since they were read."""
    return state in STALE or str(error).startswith(_UNKNOWN) or "has no column named" in str(error)


def operational(message: str) -> sqlite3.OperationalError:
    """An error that SQLite itself would raise, in its words."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode, error.sqlite_errorname = ERROR, "SQLITE_ERROR"
    return error


def failure(said: Said, names: Names, *secrets: str | None) -> sqlite3.Error:
    """The exception to raise; the caller sets its cause."""
    kind, code, name, message = _known(said, names) or _by_class(said)
    error = kind(redact(message, *secrets))
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


_Failure = tuple[type[sqlite3.Error], int, str, str]


def _known(said: Said, names: Names) -> _Failure | None:
    """What SQLite says of the same."""
    table = names.tables.get(said.table or "", said.table or "")
    if said.state == "23505":
        return _not_unique(said, table, names)
    if said.state == "23502":
        column = names.columns.get((said.table or "", said.column or ""), said.column)
        return _constraint(NOT_NULL, "NOTNULL", f"NOT NULL constraint failed: {table}.{column}")
    if said.state in ("23503", "23001"):
        return _constraint(FOREIGN_KEY, "FOREIGNKEY", "FOREIGN KEY constraint failed")
    if said.state == "23514":
        return _constraint(CHECK, "CHECK", f"CHECK constraint failed: {said.constraint}")
    if said.state == RAISED:
        return _constraint(TRIGGER, "TRIGGER", said.message)
    if said.state in LOCKED:
        return sqlite3.OperationalError, BUSY, "SQLITE_BUSY", "database is locked"
    if said.state == "57014":
        return sqlite3.OperationalError, INTERRUPT, "SQLITE_INTERRUPT", "interrupted"
    return None


def _not_unique(said: Said, table: str, names: Names) -> _Failure:
    """The columns stand in the detail, whatever language it is in: (a, b)=(1, 2)."""
    found = re.search(r"\((?P<key>.+?)\)=\(", said.detail or "")
    key = found["key"] if found else ""
    own = {target: source for (relation, target), source in names.columns.items() if relation == said.table}
    columns = [own.get(part.strip('"')) for part in key.split(", ")]
    if None in columns:  # an expression over a column, such as one without regard to case
        columns = [source for target, source in own.items() if re.search(rf"\b{re.escape(target)}\b", key)]
    listed = ", ".join(f"{table}.{column}" for column in columns) or f"index '{said.constraint}'"
    primary = frozenset(filter(None, columns)) == names.keys.get(table)
    code, name = (PRIMARY_KEY, "PRIMARYKEY") if primary else (UNIQUE, "UNIQUE")
    return _constraint(code, name, f"UNIQUE constraint failed: {listed}")


def _constraint(code: int, name: str, message: str) -> _Failure:
    return sqlite3.IntegrityError, code, f"SQLITE_CONSTRAINT_{name}", message


def _by_class(said: Said) -> _Failure:
    """By the first two digits: https://www.postgresql.org/docs/current/errcodes-appendix.html"""
    message = " ".join(said.message.split())
    state = said.state or "08"
    if state in _UNTYPED:
        return sqlite3.NotSupportedError, ERROR, "SQLITE_ERROR", message
    kind: type[sqlite3.Error] = {
        "0A": sqlite3.NotSupportedError,
        "22": sqlite3.DataError,
        "23": sqlite3.IntegrityError,
        "08": sqlite3.OperationalError,
        "XX": sqlite3.InternalError,
    }.get(state[:2], sqlite3.OperationalError)
    code, name = (NO_CONNECTION, "SQLITE_CANTOPEN") if state[:2] == "08" else (ERROR, "SQLITE_ERROR")
    return kind, code, name, message
