"""What the adapter costs for each statement: `python -m benchmarks.adapter [--rounds N] [--write]`

The same statements over plain psycopg, over the adapter on the same tables, and over sqlite3 on the file that the
tables came from, all in turn in one run. A round's figure is the median of its calls; differences are taken within each
round.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.contenders import DATABASE, python
from benchmarks.machine import this_machine
from benchmarks.rounds import scratch_folder
from benchmarks.server import running_server
from migrator import adapter

DOCUMENT = Path(__file__).parent.parent / "docs" / "adapter.md"
BEGIN = "<!-- adapter: begin. Written by scripts/bench adapter --write; edits between these lines are lost. -->"
END = "<!-- adapter: end -->"
ROWS, CALLS, WARM_UP = 10_000, 300, 60
GOAL_US = 20.0

TABLE = """
CREATE TABLE events (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value REAL, seen BOOLEAN NOT NULL DEFAULT 0);
WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
INSERT INTO events (name, value, seen) SELECT 'event ' || i, i * 0.5, i % 2 FROM n;
"""
BY_KEY = "SELECT id, name, value, seen FROM events WHERE id = ?"
HUNDRED = "SELECT id, name, value FROM events WHERE id > ? ORDER BY id LIMIT 100"
INSERT = "INSERT INTO events (name, value) VALUES (?, ?)"
CONTENDERS = ("psycopg", "adapter", "sqlite3")


@dataclass(frozen=True)
class Work:
    """`call` does it once with a connection's execute, whose number it is; `before` and `after` surround a round."""

    label: str
    call: Callable[[Any, str, int], object]
    sql: str
    writes: bool = False


def _fetched(connection: Any, sql: str, number: int) -> object:
    return connection.execute(sql, (number * 7 % (ROWS - 200) + 1,)).fetchall()


def _inserted(connection: Any, sql: str, number: int) -> object:
    return connection.execute(sql, (f"new {number}", number * 0.25))


def _committed(connection: Any, sql: str, number: int) -> object:
    connection.execute(sql, (f"new {number}", number * 0.25))
    return connection.commit()


WORKS = (
    Work("SELECT of one row by its key", _fetched, BY_KEY),
    Work("SELECT of 100 rows", _fetched, HUNDRED),
    Work("INSERT, inside of a transaction", _inserted, INSERT, writes=True),
    Work("INSERT and commit", _committed, INSERT, writes=True),
)


def measure(connections: dict[str, Any], work: Work, rounds: int) -> dict[str, list[float]]:
    """Microseconds of a call, one median for each round."""
    found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for turn in range(rounds + 1):
        order = CONTENDERS[turn % 3 :] + CONTENDERS[: turn % 3]
        for name in order:
            sql = work.sql.replace("?", "%s") if name == "psycopg" else work.sql
            figures = _round(connections[name], work, sql)
            if turn:  # the first one warms up
                found[name].append(median(figures))
    return found


def _round(connection: Any, work: Work, sql: str) -> Iterator[float]:
    figures = []
    for number in range(CALLS):
        begun = time.perf_counter_ns()
        work.call(connection, sql, number)
        figures.append((time.perf_counter_ns() - begun) / 1000)
    connection.commit()
    return iter(figures[WARM_UP:])


@contextmanager
def _connections(url: str, path: Path) -> Iterator[dict[str, Any]]:
    """psycopg prepares from the first execution on, as the adapter does."""
    with psycopg.connect(url, prepare_threshold=0) as plain:
        ours, file = adapter.connect(url), sqlite3.connect(path)
        try:
            yield {"psycopg": plain, "adapter": ours, "sqlite3": file}
        finally:
            ours.close()
            file.close()


def line(work: Work, found: dict[str, list[float]]) -> list[str]:
    more = median(ours - plain for ours, plain in zip(found["adapter"], found["psycopg"], strict=True))
    ratio = median(ours / plain for ours, plain in zip(found["adapter"], found["psycopg"], strict=True))
    cells = [f"{median(found[name]):.1f}" for name in CONTENDERS]
    return [work.label, *cells, f"{more:+.1f}", f"{ratio:.2f}"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench adapter")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    machine = this_machine()
    rows = [["p50 of a call", *(f"{name}, µs" for name in CONTENDERS), "adapter − psycopg, µs", "ratio"]]
    with scratch_folder() as scratch, running_server(scratch) as server, server.fresh_database(DATABASE):
        path = scratch / "events.db"
        with sqlite3.connect(path) as file:
            file.executescript(TABLE.format(rows=ROWS))
        python(scratch, "migrator", "run", path, server.url(DATABASE), "--run-dir", scratch / "runs")
        with _connections(server.url(DATABASE), path) as connections:
            for work in WORKS:
                rows.append(line(work, measure(connections, work, options.rounds)))
                sys.stderr.write("  ".join(rows[-1]) + "\n")
        about = (
            f"{machine.date}. {machine.cores} cores of {machine.processor}, PostgreSQL {server.version}, "
            f"psycopg {machine.psycopg}, SQLite {sqlite3.sqlite_version}; medians of {options.rounds} rounds."
        )
    table = ["| " + " | ".join(row) + " |" for row in (rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:])]
    text = "\n".join([about, "", *table])
    sys.stdout.write(text + "\n")
    if options.write:
        head, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
        DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
