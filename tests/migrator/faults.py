"""What tests of faults share: a source that takes a while, a fault at a chosen moment, and the proof afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from .moving import make_source
from .oracle import assert_same_rows, open_source, open_target, tables_of
from .terminal import Answer, left_behind, migrator

ROWS = {"rooms": 3, "readings": 100_000, "events": 60_000}
TOTAL = sum(ROWS.values())
LARGE = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO rooms VALUES (1, 'kitchen'), (2, 'hall'), (3, 'cellar');
CREATE TABLE readings (id INTEGER PRIMARY KEY, room INTEGER REFERENCES rooms, at TEXT NOT NULL, value REAL);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS["readings"]})
INSERT INTO readings SELECT i, i % 3 + 1, 'reading ' || (i * 7919 % 1000003) || ' of that room', i * 0.1 FROM n;
CREATE INDEX readings_by_at ON readings (at);
CREATE INDEX readings_by_value ON readings (room, value);
CREATE TABLE events (id INTEGER PRIMARY KEY, reading INTEGER REFERENCES readings, kind TEXT);
INSERT INTO events SELECT id, id, 'event ' || id FROM readings WHERE id <= {ROWS["events"]};
CREATE VIEW warm AS SELECT name, count(*) AS readings FROM readings JOIN rooms ON rooms.id = room GROUP BY name;
"""


def make_large(folder: Path) -> Path:
    """A WAL database whose larger tables take a second to copy, and their indexes another one."""
    return make_source(folder / "large.db", LARGE)


def command(source: Path, database: str, *options: str) -> tuple[str | Path, ...]:
    return ("run", source, database, "--run-dir", source.parent / "runs", "--workers", "2", *options)


@dataclass
class Strike:
    """Whether and when the fault has come."""

    at_s: float = 0.0
    failed: BaseException | None = None

    @property
    def seconds_ago(self) -> float:
        assert self.failed is None, self.failed
        assert self.at_s, "the moment never came"
        return time.monotonic() - self.at_s


@contextmanager
def striking(url: str, statement: str, action: Callable[[], object], rows: int = 0) -> Iterator[Strike]:
    """Call `action`, once, as soon as a session of a run is at a statement that begins so, and `rows` have arrived."""
    strike = Strike()
    over = threading.Event()
    watcher = threading.Thread(target=_strike, args=(url, statement, action, rows, strike, over), daemon=True)
    watcher.start()
    try:
        yield strike
    finally:
        over.set()
        watcher.join(timeout=60)


def _strike(
    url: str, statement: str, action: Callable[[], object], rows: int, strike: Strike, over: threading.Event
) -> None:
    at_it = sql.SQL(
        "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'migrator %' AND state = 'active' AND query ~ {}"
    ).format(f"^{statement}")
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.is_set():
                if connection.execute(at_it).fetchone() and rows_kept(connection) >= rows:
                    strike.at_s = time.monotonic()
                    action()
                    return
                time.sleep(0.002)
    except BaseException as error:  # noqa: BLE001  # told by the thread that waits
        strike.failed = error


def rows_kept(connection: psycopg.Connection) -> int:
    """Rows that the journals of this database know of."""
    journals = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator\\_journal\\_%'")
    count = sql.SQL("SELECT coalesce(sum(rows), 0)::bigint FROM {}.unit")
    return sum(connection.execute(count.format(sql.Identifier(name))).fetchone()[0] for (name,) in journals.fetchall())


def kept(url: str) -> int:
    with psycopg.connect(url) as connection:
        return rows_kept(connection)


def assert_ended(answer: Answer, code: int, *words: str) -> None:
    """With what, why and next on stderr, and nothing on stdout."""
    assert answer.code == code, answer.all
    assert answer.out == ""
    said = " ".join(answer.err.split())
    for word in ("error: ", "why:", "next:", *words):
        assert word in said, f"{word!r} is not in {said}"
    assert "defect" not in said


def assert_exact(source: Path, database: str, last: Answer) -> None:
    """That last command has ended well; every row is there as SQLite and PostgreSQL see it; nothing is left over."""
    assert last.code == 0, last.all
    verified = migrator("verify", source, database, "--run-dir", source.parent / "runs", "--workers", "2")
    assert verified.code == 0, verified.all
    with open_source(source) as db, open_target(database) as target:
        for table in tables_of(db):
            assert_same_rows(db, target, table)
        assert target.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator%'").fetchall() == []


def assert_untouched(database: str) -> None:
    assert left_behind(database) == []
