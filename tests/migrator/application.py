"""The application that owns the database: a process of its own, because SQLite's locks belong to processes.

Reading the source in the test's own process is no substitute: two SQLite libraries in one process on the same file drop
each other's locks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for statement in sys.argv[2:]:
    db.execute(statement).fetchall()
print("ready", flush=True)
for line in sys.stdin:
    print(db.execute(line).fetchall(), flush=True)
"""

_CRASH = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    db.execute(statement).fetchall()
os._exit(0)
"""

# Every transaction moves an amount from one table to the other, and counts itself: whoever sees one state sees the
# same sum in both tables, as many rows in both, and a log without gaps.
LEDGER = """
CREATE TABLE debit (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note TEXT);
CREATE TABLE credit (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note TEXT);
CREATE TABLE log (number INTEGER PRIMARY KEY);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO debit SELECT i, i * 7 % 1000, hex(randomblob(20)) FROM n;
INSERT INTO credit SELECT id, amount, hex(randomblob(20)) FROM debit;
INSERT INTO log VALUES (1);
"""

_WRITE = """
import json, sqlite3, sys, threading, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
db.execute("PRAGMA synchronous = OFF")
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
number, locked_out = 1, 0
while not stopped.is_set():
    try:
        db.execute("BEGIN IMMEDIATE")
        number += 1
        row = number * 7919 % 20000 + 1
        for table in ("debit", "credit"):
            change = f"UPDATE {table} SET amount = amount + ?, note = hex(randomblob(30)) WHERE id = ?"
            db.execute(change, (number % 13, row))
            db.execute(f"DELETE FROM {table} WHERE id = ?", (number * 31 % 20000 + 1,))
            db.execute(f"INSERT INTO {table} VALUES (?, ?, 'new')", (20000 + number, number))
        db.execute("INSERT INTO log VALUES (?)", (number,))
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        locked_out += 1
        if db.in_transaction:
            db.execute("ROLLBACK")
        number = db.execute("SELECT max(number) FROM log").fetchone()[0]
    if number == 2:
        print("ready", flush=True)
    time.sleep(0.002)
print(json.dumps({"transactions": number, "locked_out": locked_out}), flush=True)
"""


class Holder:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def execute(self, statement: str) -> str:
        """Run one statement in the open connection; returns its rows as text."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(statement + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def holding(path: Path, *statements: str) -> Iterator[Holder]:
    """An application that has executed these statements and keeps its connection open."""
    with _started(_HOLD, path, statements) as process:
        yield Holder(process)


@contextmanager
def writing(path: Path, outcome: dict[str, Any]) -> Iterator[None]:
    """An application that goes on changing a LEDGER; `outcome` says afterwards how many transactions it committed and
    how often it was refused because something else held the lock for a minute."""
    with _started(_WRITE, path, ()) as process:
        yield
        rest, _ = process.communicate(timeout=120)
        outcome.update(json.loads(rest))


def crash(path: Path, *statements: str) -> None:
    """An application that executes these statements and dies without closing, committing or tidying up."""
    subprocess.run([sys.executable, "-c", _CRASH, str(path), *statements], check=True)


@contextmanager
def _started(script: str, path: Path, statements: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", script, str(path), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().strip() == "ready"
            yield process
        finally:
            process.kill()
