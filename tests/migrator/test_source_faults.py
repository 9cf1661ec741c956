"""A source that is damaged, or taken away while it is read: refused with exit code 4, or carried as it was."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.source.rows import ROWS_PER_RANGE

from .faults import assert_ended, assert_exact, assert_untouched, command, make_large, striking
from .moving import make_source
from .oracle import assert_same_rows, open_source, open_target, tables_of
from .terminal import Answer, migrator_forked

Figure = Callable[[str, str], None]
PAGE_BYTES = 1024
PAGES = f"""
PRAGMA page_size = {PAGE_BYTES};
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO notes SELECT i, 'note number ' || i FROM n;
CREATE INDEX notes_by_body ON notes (body);
"""


def run(source: Path, database: str) -> Answer:
    return migrator_forked("run", source, database, "--run-dir", source.parent / "runs", "--workers", "1")


def flipped(source: Path, byte: int, bit: int) -> Path:
    """A copy of the file with one bit the other way round."""
    copy = source.with_name("flipped.db")
    raw = bytearray(source.read_bytes())
    raw[byte] ^= 1 << bit
    copy.write_bytes(raw)
    return copy


def rows_by_range(source: Path) -> int | None:
    """How many rows are found in four ranges of rowids; None where SQLite refuses to read them."""
    between = "SELECT count(body) FROM notes NOT INDEXED WHERE id BETWEEN ? AND ?"
    try:
        with open_source(source) as db:
            return sum(db.execute(between, (low, low + 4999)).fetchone()[0] for low in range(1, 20000, 5000))
    except sqlite3.DatabaseError:
        return None


def hiding_flips(source: Path, rng: random.Random) -> list[tuple[int, int]]:
    """(byte, bit) that hide rows from a search, while SQLite reads on without a word."""
    pages = source.stat().st_size // PAGE_BYTES
    found = []
    for _ in range(4000):
        byte, bit = rng.randrange(1, pages) * PAGE_BYTES + rng.randrange(24), rng.randrange(8)
        if rows_by_range(flipped(source, byte, bit)) not in (None, 20000):
            found.append((byte, bit))
        if len(found) == 3:
            break
    return found


def test_flipped_bits_that_hide_rows(tmp_path: Path, database: str, figure: Figure) -> None:
    """Copy and proof would both miss the same rows; SQLite's look at its pages does not."""
    assert ROWS_PER_RANGE > 20000
    source = make_source(tmp_path / "notes.db", PAGES)
    flips = hiding_flips(source, random.Random(1))
    assert flips
    lost = []
    for flip in flips:
        damaged = flipped(source, *flip)
        lost.append(20000 - (rows_by_range(damaged) or 0))
        began = time.monotonic()
        ended = run(damaged, database)
        assert_ended(ended, 4, "is damaged", ".recover")
        assert_untouched(database)
    figure(
        "a bit that hides rows",
        f"{min(lost)} to {max(lost)} rows hidden: refused after {time.monotonic() - began:.1f} s",
    )
    assert_exact(source, database, run(source, database))


def test_any_flipped_bit(tmp_path: Path, database: str, figure: Figure) -> None:
    """Refused, or what SQLite reads is what is carried: a bit inside a value is another value, and nobody can know."""
    source = make_source(tmp_path / "notes.db", PAGES)
    rng = random.Random(2)
    outcomes: Counter[str] = Counter()
    for _ in range(12):
        page = rng.randrange(1, source.stat().st_size // PAGE_BYTES)
        damaged = flipped(source, page * PAGE_BYTES + rng.randrange(PAGE_BYTES), rng.randrange(8))
        ended = migrator_forked(*command(damaged, database, "--replace", "--yes", "--workers", "1"))
        assert ended.code in (0, 3, 4), ended.all
        outcomes["refused" if ended.code == 4 else "carried as SQLite reads it"] += 1
        if ended.code == 0:
            with open_source(damaged) as db, open_target(database) as target:
                assert assert_same_rows(db, target, "notes") == 20000
    figure("one bit anywhere, 12 times", ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items())))


def test_a_bit_inside_a_value_is_another_value(tmp_path: Path, database: str) -> None:
    """SQLite keeps no checksums. The documentation says so."""
    source = make_source(tmp_path / "notes.db", PAGES)
    byte = source.read_bytes().index(b"note number 777")
    damaged = flipped(source, byte, 0)
    assert run(damaged, database).code == 0
    with open_target(database) as target:
        assert target.execute("SELECT body FROM notes WHERE id = 777").fetchone() == ("oote number 777",)


def test_truncated_while_it_is_read(tmp_path: Path, database: str, figure: Figure) -> None:
    """The file is larger than what a worker keeps in memory, so somebody comes to where nothing is any more."""
    source = make_source(
        tmp_path / "large.db",
        """
        PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE blobs (id INTEGER PRIMARY KEY, body BLOB);
        WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1600)
        INSERT INTO blobs SELECT i, randomblob(60000) FROM n;
        """,
    )
    whole = shutil.copyfile(source, tmp_path / "whole")
    with striking(database, "COPY", lambda: os.truncate(source, 100_000)) as strike:
        ended = migrator_forked(*command(source, database, "--workers", "1"))
    figure("the source is truncated in COPY", f"{strike.seconds_ago:.1f} s until the error")
    assert_ended(ended, 4, "Check that the file is still there")
    assert_ended(migrator_forked(*command(source, database)), 4, "is damaged")
    shutil.copyfile(whole, source)
    assert_exact(source, database, migrator_forked(*command(source, database)))


@pytest.mark.parametrize("what", ["replaced", "deleted"])
def test_taken_away_while_it_is_read(what: str, tmp_path: Path, database: str, figure: Figure) -> None:
    """The workers have the old file open, and carry it to the end."""
    source = make_large(tmp_path)
    old = shutil.copyfile(source, tmp_path / "old.db")

    def take_away() -> None:
        if what == "deleted":
            source.unlink()
        else:
            make_source(tmp_path / "other.db", "CREATE TABLE other (a); INSERT INTO other VALUES (1)").replace(source)

    with striking(database, "COPY", take_away) as strike:
        ended = migrator_forked(*command(source, database, "--workers", "1"))
    assert strike.seconds_ago > 0
    assert ended.code == 0, ended.all
    with open_source(old) as db, open_target(database) as target:
        assert sum(assert_same_rows(db, target, table) for table in tables_of(db)) > 100_000
    figure(f"the source is {what} in COPY", "the old one is carried to the end")
