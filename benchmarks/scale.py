"""How a run grows with its source: `python -m benchmarks.scale [--most GB] [--write]`

Tables of 1 to 10 GB, made for the occasion; 2,000 tables; one table with 1,000 columns. For each: what `migrator run`
with a plan takes, the largest process of it, and the largest backend of the server (its own memory, without what all
share).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from benchmarks.contenders import DATABASE, python
from benchmarks.machine import this_machine
from benchmarks.rounds import scratch_folder
from benchmarks.server import Server, children, field, running_server

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN = "<!-- scale: begin. Written by scripts/bench scale --write; edits between these lines are lost. -->"
END = "<!-- scale: end -->"
SIZES_GB = (1, 2, 5, 10)
ROW_BYTES = 1_000
TABLES, ROWS_PER_TABLE = 2_000, 50
COLUMNS, WIDE_ROWS = 1_000, 20_000
SAMPLE_EVERY_S = 0.2


@dataclass(frozen=True)
class Line:
    """One source and what its run took. Bytes are of the largest process on each side."""

    label: str
    source_bytes: int
    rows: int
    seconds: float
    copy_s: float
    verify_s: float
    client_bytes: int
    backend_bytes: int

    def cells(self) -> tuple[str, ...]:
        return (
            self.label,
            f"{self.source_bytes / 1e9:.2f}",
            f"{self.rows:,}",
            f"{self.seconds:.1f}",
            f"{self.copy_s:.1f}",
            f"{self.verify_s:.1f}",
            f"{self.seconds / (self.source_bytes / 1e9):.1f}",
            f"{self.client_bytes / 1e6:.0f}",
            f"{self.backend_bytes / 1e6:.0f}",
        )


_HEADINGS = ("", "GB", "rows", "s", "copy", "verify", "s per GB", "MB, migrator", "MB, server")


def make_large(path: Path, gigabytes: int) -> None:
    """Rows of about 1 kB: a key, a time, a real, a text that repeats, and bytes that do not."""
    rows = gigabytes * 10**9 // ROW_BYTES
    _make(
        path,
        "CREATE TABLE samples (id INTEGER PRIMARY KEY, at TEXT NOT NULL, value REAL, note TEXT, payload BLOB)",
        f"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        " INSERT INTO samples SELECT i, datetime(1700000000 + i, 'unixepoch'), i * 0.1,"
        " printf('sample %d of a longer series, taken by hand', i % 1000), randomblob(900) FROM n",
        "CREATE INDEX samples_by_at ON samples (at)",
    )


def make_many(path: Path) -> None:
    statements = []
    for number in range(TABLES):
        statements += [
            f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value REAL)",
            f"CREATE INDEX t{number}_by_name ON t{number} (name)",
            f"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS_PER_TABLE})"
            f" INSERT INTO t{number} SELECT i, 'name ' || i, i * 0.5 FROM n",
        ]
    _make(path, *statements)


def make_wide(path: Path) -> None:
    columns = [f"c{number}" for number in range(COLUMNS)]
    values = ", ".join(f"i * {number} % 10007" for number in range(COLUMNS))
    _make(
        path,
        f"CREATE TABLE wide (id INTEGER PRIMARY KEY, {', '.join(f'{name} INTEGER' for name in columns)})",
        f"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {WIDE_ROWS})"
        f" INSERT INTO wide SELECT i, {values} FROM n",
    )


def _make(path: Path, *statements: str) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "OFF")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.pragma("wal_checkpoint(TRUNCATE)")
    connection.close()


def measure(label: str, make: Callable[[Path], None], server: Server, scratch: Path) -> Line:
    source, work, plan = scratch / "source.db", scratch / "work", scratch / "plan.toml"
    make(source)
    work.mkdir(exist_ok=True)
    python(work, "migrator", "plan", source, "-o", plan)
    try:
        with server.fresh_database(DATABASE), _backends(server) as peak:
            url = server.url(DATABASE)
            done = python(work, "migrator", "run", source, url, "--plan", plan, "--json", "--run-dir", work / "runs")
        body = json.loads(done.stdout)
        return Line(
            label,
            source.stat().st_size,
            body["proof"]["rows"],
            done.wall_s,
            body["seconds"]["copy"],
            body["seconds"]["verify"],
            done.peaks_bytes[0],
            max(peak),
        )
    finally:
        for path in (source, plan):
            path.unlink()


@contextmanager
def _backends(server: Server) -> Iterator[list[int]]:
    """The own memory (RssAnon) of the server's largest process, sampled during the block."""
    postmaster = server.postmaster
    peak, over = [0], threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_EVERY_S):
            peak.append(max([field(Path("/proc", pid), "RssAnon") * 1024 for pid in children(postmaster)], default=0))
            peak[:] = [max(peak)]

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _table(lines: list[Line]) -> list[list[str]]:
    return [list(_HEADINGS), *[list(line.cells()) for line in lines]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench scale")
    parser.add_argument("--most", type=int, default=max(SIZES_GB), metavar="GB")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(DOCUMENT.parent.parent)
    machine, lines = this_machine(), []
    todo: list[tuple[str, Callable[[Path], None]]] = [
        (f"one table of {size} GB", lambda path, size=size: make_large(path, size))  # type: ignore[misc]
        for size in SIZES_GB
        if size <= options.most
    ]
    todo += [(f"{TABLES:,} tables", make_many), (f"one table with {COLUMNS:,} columns", make_wide)]
    with scratch_folder() as scratch, running_server(scratch) as server:
        for label, make in todo:
            lines.append(measure(label, make, server, scratch))
            sys.stderr.write("  ".join(lines[-1].cells()) + "\n")
        about = (
            f"{machine.date}. {machine.cores} cores of {machine.processor}, PostgreSQL {server.version}, one run each."
        )
    rows = _table(lines)
    table = ["| " + " | ".join(row) + " |" for row in (rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:])]
    text = "\n".join([about, "", *table])
    sys.stdout.write(text + "\n")
    if options.write:
        document = DOCUMENT.read_text(encoding="utf-8")
        head, _, rest = document.partition(BEGIN)
        DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
