"""Statements that nobody thought of, with arguments of any type: what SQLite gives, or an error of sqlite3's.

More of them: MIGRATOR_FUZZED_STATEMENTS=20000.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator import adapter
from tests.migrator import servers
from tests.migrator.core.test_sqlite_compat import PACK
from tests.migrator.core.test_statement_fuzz import aggregates, changes, inserts, joins, selects

from .both import moved
from .test_translated import SCRIPT, alike, ordered

ROUNDS = int(os.environ.get("MIGRATOR_FUZZED_STATEMENTS", "400"))
NUMBERS = [0, 1, -1, 7, 2, 2**40, None, True, 0.5, -2.5, 1e10, 3.0]
VALUES = st.sampled_from([*NUMBERS, "", "a", "Ä", "aB", "%b_", "5", " 7", "2.5", "it's", b"", b"z"])
# The releases of SQLite differ in them, or say nothing of an order; they are tried against its newest one elsewhere.
ELSEWHERE = re.compile(
    r"\b(printf|round|group_concat|random|quote|unixepoch|julianday|date|time|datetime|timediff|strftime|substr|CAST"
    r"|json_(set|insert|replace|remove|patch|pretty))\(",
    re.IGNORECASE,
)
NEXT = "SELECT setval('p_code_seq', (SELECT max(code) FROM p)), setval('t_id_seq', (SELECT max(id) FROM t))"


def outcome(connection: Any, sql: str, arguments: dict[str, Any]) -> Any:
    """The result and both tables afterwards, or the error. All is taken back."""
    try:
        rows = connection.execute(sql, arguments).fetchall()
        return [rows, *(connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in ("t", "p"))]
    except (sqlite3.Error, OverflowError) as error:
        return error
    finally:
        connection.rollback()


def test_any_statement(embedded_server: servers.Server, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()

    with (
        moved(embedded_server, tmp_path, SCRIPT) as found,
        found.copies(tmp_path) as copies,
        psycopg.connect(copies.url, autocommit=True) as admin,
        closing(sqlite3.connect(copies.path)) as ours,
        closing(adapter.connect(copies.url)) as theirs,
    ):
        admin.execute(PACK.encode())

        @settings(max_examples=ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            sql=st.one_of(selects(), aggregates(), joins(), inserts(), changes()),
            values=st.lists(VALUES, min_size=4, max_size=4),
        )
        def attempt(sql: str, values: list[Any]) -> None:
            if ELSEWHERE.search(sql):
                return
            admin.execute(NEXT)  # PostgreSQL does not give a number out twice
            arguments = dict(zip("abcd", values, strict=True))
            right = outcome(theirs, sql, arguments)
            seen[type(right).__name__] += 1
            if isinstance(right, Exception):
                return
            left = outcome(ours, sql, arguments)
            assert isinstance(left, list), f"{left!r} on SQLite\n  {sql}\n  {arguments}"
            for place, (one, other) in enumerate(zip(left, right, strict=True)):
                pair = (one, other) if place else (ordered(sql, one), ordered(sql, other))
                assert alike(*pair), f"{pair[1]} instead of {pair[0]}\n  {sql}\n  {arguments}"

        attempt()
    assert seen["list"] > sum(seen.values()) / 4, seen
