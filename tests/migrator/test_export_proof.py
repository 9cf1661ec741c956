"""Defects planted between writing and proof: in a data file of an export, and in the staging schema of a load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from migrator.archive.compression import zstd
from migrator.target.binary import FieldReader

from .killing import arm
from .moving import make_source
from .terminal import Answer, left_behind, migrator, migrator_forked

SOURCE = """
CREATE TABLE keyed (id INTEGER PRIMARY KEY, n INTEGER, x, t TEXT, b BLOB);
INSERT INTO keyed VALUES (1, 70000, 0.5, 'one', x'01'), (2, 5, -0.0, '', NULL), (3, 0, 1e300, 'three', x'03');
CREATE TABLE named (name TEXT PRIMARY KEY, n INTEGER);
INSERT INTO named VALUES ('a', 1), ('b', 2);
CREATE TABLE loose (n INTEGER, t TEXT);
INSERT INTO loose VALUES (1, 'x'), (1, 'x'), (2, NULL);
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "home.db", SOURCE)


def export(source: Path, compress: str = "none", prepare: Callable[[], None] = lambda: None) -> Answer:
    command = ("export", source, source.parent / "out", "--workers", "1", "--compress", compress)
    return migrator_forked(*command, prepare=prepare)


# -- what was written --------------------------------------------------------------------------------------------------

# (table, the bytes as they were written, what they become): one value, one bit, one row.
IN_A_FILE: dict[str, tuple[str, bytes, bytes, str]] = {
    "a flipped bit in an integer": ("keyed", b"\x00\x01\x11\x70", b"\x00\x01\x11\x71", "keyed.n [id=1]"),
    "0.0 for -0.0": ("keyed", b"\x80" + b"\0" * 7, b"\0" * 8, "keyed.x [id=2]"),
    "another text": ("keyed", b"three", b"thre3", "keyed.t [id=3]"),
    "'' for NULL": ("keyed", b"\xff\xff\xff\xff", b"\0\0\0\0", "keyed.b [id=2]"),
    "a value of a table without a key": ("loose", b"\0\0\0\1x", b"\0\0\0\1y", "loose.t"),
}


@pytest.mark.parametrize("defect", IN_A_FILE)
@pytest.mark.parametrize("compress", ["none", "zstd"])
def test_a_file_that_does_not_hold_what_the_source_does(defect: str, compress: str, source: Path) -> None:
    table, before, after, where = IN_A_FILE[defect]

    def spoil() -> None:
        [file] = (source.parent / "out" / "data").glob(f"{table}-*/*")
        raw = file.read_bytes()
        content = zstd.decompress(raw) if compress == "zstd" else raw
        assert before in content
        changed = content.replace(before, after, 1)
        file.write_bytes(zstd.compress(changed) if compress == "zstd" else changed)

    answer = export(source, compress, lambda: arm("all rows written", spoil))
    assert answer.code == 3, answer.all
    assert where in answer.err
    assert not (source.parent / "out" / "manifest.json").exists()
    assert migrator("load", source.parent / "out", "postgresql:///nowhere").code == 4, "there is no export"


def test_a_row_that_is_missing_in_a_file(source: Path) -> None:
    def spoil() -> None:
        [file] = (source.parent / "out" / "data").glob("keyed-*/*")
        with file.open("rb") as content:
            rows = list(FieldReader(content, 5).rows())
        last = sum(4 + len(field or b"") for field in rows[-1]) + 2  # type: ignore[arg-type]
        raw = file.read_bytes()
        file.write_bytes(raw[: -2 - last] + raw[-2:])

    answer = export(source, prepare=lambda: arm("all rows written", spoil))
    assert answer.code == 3, answer.all
    assert "keyed [id=3]: source a row, target no row" in answer.err


# -- what was loaded ---------------------------------------------------------------------------------------------------

IN_STAGING: dict[str, tuple[str, str]] = {
    "a flipped bit": ("UPDATE keyed SET n = n # 1 WHERE id = 1", "keyed.n [id=1]"),
    "int2 wrapped": ("UPDATE keyed SET n = 4464 WHERE id = 1", "keyed.n [id=1]"),
    "int2 wrapped, in its own type": (
        "ALTER TABLE keyed ALTER COLUMN n TYPE smallint USING ((n + 32768) % 65536 - 32768)::smallint",
        "keyed.column n",
    ),
    "a missing row": ("DELETE FROM keyed WHERE id = 2", "keyed [id=2]: source a row, target no row"),
    "a row too many": ("INSERT INTO keyed VALUES (9, 0, 0, '', NULL)", "keyed [id=9]: source no row, target a row"),
    "two swapped rows": ("UPDATE keyed SET id = -id; UPDATE keyed SET id = 4 + id", "keyed"),
    "0.0 for -0.0": ("UPDATE keyed SET x = 0.0 WHERE id = 2", "keyed.x [id=2]"),
    "NULL for ''": ("UPDATE keyed SET t = NULL WHERE id = 2", "keyed.t [id=2]"),
    "a value behind a key of text": ("UPDATE named SET n = 3 WHERE name = 'b'", "named [name='b']"),
    "a duplicate where there is no key": ("INSERT INTO loose VALUES (1, 'x')", "loose"),
    "a lost row where there is no key": ("DELETE FROM loose WHERE t IS NULL", "loose"),
    "a lost constraint": ("ALTER TABLE named DROP CONSTRAINT named_pkey", "named.constraint named_pkey"),
    "a sequence that is behind": ("SELECT setval(pg_get_serial_sequence('keyed', 'id'), 1)", "keyed.identity id"),
}


@pytest.mark.parametrize("defect", IN_STAGING)
def test_a_target_that_does_not_hold_what_the_files_do(defect: str, source: Path, database: str) -> None:
    statement, where = IN_STAGING[defect]

    def spoil() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator\\_staging%'")
            [(schema,)] = found.fetchall()
            connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
            connection.execute(statement)

    assert export(source).code == 0
    command = ("load", source.parent / "out", database, "--run-dir", source.parent / "runs", "--workers", "1")
    answer = migrator_forked(*command, prepare=lambda: arm("before the proof", spoil))
    assert answer.code == 3, answer.all
    assert where in answer.err
    assert left_behind(database) == [], "what is wrong is not kept"
    assert migrator(*command).code == 0
