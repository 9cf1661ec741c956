"""What a program asks the connection itself: what its last statement did, and the version it gave its schema."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import pairwise

from migrator.core.names import quote_identifier, quote_literal
from migrator.core.sql.lexer import Token, with_tokens
from migrator.core.sql.split import SourceStatement, split

QUESTIONS = ("last_insert_rowid", "changes", "total_changes")
VERSION_TABLE = "migrator_user_version"
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
NOT_CARRIED = (
    "PRAGMA user_version: which version the SQLite file had is not known here. Ask the file (sqlite3 app.db 'PRAGMA"
    " user_version'), and set it once through the adapter: PRAGMA user_version = N. (pragma)"
)
UNKNOWN_ID = (
    "last_insert_rowid(): PostgreSQL has not told the last id, behind executemany() or an INSERT into a table without"
    " an INTEGER PRIMARY KEY: use INSERT … RETURNING. (connection-state)"
)
MANY_ROWS = (
    "last_insert_rowid(), changes() and total_changes() change from row to row here: execute the statement row by row,"
    " or use INSERT … RETURNING. (connection-state)"
)


def questions(statement: SourceStatement) -> dict[int, str]:
    """The place of each call of one of these functions among the tokens → its name."""
    tokens = statement.tokens
    return {
        place: tokens[place].text.lower()
        for place in range(len(tokens) - 2)
        if tokens[place].is_word(*(name.upper() for name in QUESTIONS))
        and tokens[place + 1].is_operator("(")
        and tokens[place + 2].is_operator(")")
    }


def answered(statement: SourceStatement, found: Mapping[int, str], answers: Mapping[str, int]) -> SourceStatement:
    """With the values in the places of the calls, which stay the same while one statement runs.

    Raises sqlite3.NotSupportedError for an INSERT of several rows, each of which would see the one before.
    """
    if statement.begins_with("INSERT") or statement.begins_with("REPLACE") or statement.begins_with("WITH"):
        _require_one_row(statement.tokens)
    new: dict[Token, str] = {}
    for place, name in found.items():
        token, opening, closing = statement.tokens[place : place + 3]
        value = answers[name]
        new |= {token: f"({value})" if value < 0 else str(value), opening: "", closing: ""}
    [changed] = split(with_tokens(statement.text, new))
    return changed


def _require_one_row(tokens: Sequence[Token]) -> None:
    depth, outer = 0, list[Token]()
    for token in tokens:
        depth -= token.is_operator(")")
        if depth == 0:
            outer.append(token)
        depth += token.is_operator("(")
    if not any(token.is_word("INSERT", "REPLACE") for token in outer):
        return
    several = any(one.is_operator(")") and other.is_operator(",") for one, other in pairwise(outer))
    if several or any(token.is_word("SELECT") for token in outer):
        raise sqlite3.NotSupportedError(MANY_ROWS)


def version_of(value: str) -> int:
    """Raises sqlite3.NotSupportedError for what is no 32-bit number."""
    if not _INTEGER.fullmatch(value) or not -(2**31) <= int(value) < 2**31:
        raise sqlite3.NotSupportedError(f"PRAGMA user_version = {value}: a number of 32 bits is wanted. (pragma)")
    return int(value)


def _table(schema: str) -> str:
    return f"{quote_identifier(schema)}.{quote_identifier(VERSION_TABLE)}"


def has_version(schema: str) -> bytes:
    return f"SELECT to_regclass({quote_literal(_table(schema))}) IS NOT NULL".encode()


def version_query(schema: str) -> bytes:
    return f"SELECT max(version) FROM {_table(schema)}".encode()


def version_statements(schema: str, version: int, *, there: bool) -> tuple[str, ...]:
    """What keeps the version, in a table that is made only where it is not there: that needs more rights."""
    table = _table(schema)
    made = () if there else (f"CREATE TABLE IF NOT EXISTS {table} (version bigint NOT NULL)",)
    return (*made, f"DELETE FROM {table}", f"INSERT INTO {table} VALUES ({version})")
