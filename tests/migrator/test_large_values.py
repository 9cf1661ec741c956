"""Values that do not fit into memory: copied exactly, compared exactly, and no process ever holds one."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import tomlkit

from migrator.core.progress import Silent
from migrator.steps.plan import PlanRequest, make_plan

from . import servers
from .moving import make_source, move_all, plan_text
from .terminal import start

MIB = 1024 * 1024
LARGE_BYTES = 500 * MIB
TEXT = "plain, ä, €, 𝄞; "
PROMISED_KIB = 250 * 1024

SCHEMA = """
CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, body BLOB);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO files SELECT i, 'file ' || i, randomblob(i % 100) FROM n;
CREATE TABLE letters (id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO letters VALUES (1, 'short'), (3, '');
CREATE TABLE scans (id INTEGER PRIMARY KEY, page BLOB);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 35)
INSERT INTO scans SELECT i, randomblob((i % 7 + 1) * 1048576 - i) FROM n;
CREATE TABLE pictures (name TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
INSERT INTO pictures VALUES ('small', x'00'), ('large', randomblob(10485760)), ('none', NULL);
CREATE TABLE heap (kind TEXT, body BLOB);
INSERT INTO heap VALUES ('a', randomblob(9437184)), ('b', x''), ('c', randomblob(9437185)), ('d', NULL);
"""


@dataclass(frozen=True)
class Watched:
    """A finished process; `peaks` says how many KiB of memory each process of it has ever had, by name."""

    code: int
    out: str
    peaks: dict[str, int]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The large value is written in pieces, so that this process does not need the memory either."""
    path = tmp_path_factory.mktemp("large") / "large.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(SCHEMA)
        db.execute("UPDATE files SET body = zeroblob(?) WHERE id = 500", (LARGE_BYTES,))
        pieces = random.Random(500)
        with db.blobopen("files", "body", 500) as blob:
            for _ in range(LARGE_BYTES // MIB):
                blob.write(pieces.randbytes(MIB))
        db.execute("INSERT INTO letters VALUES (2, ?)", (TEXT * (40 * MIB // len(TEXT.encode())),))
    return path


@pytest.fixture(scope="module")
def moved(source: Path, embedded_server: servers.Server) -> Iterator[tuple[str, Watched]]:
    with servers.fresh_database(embedded_server) as url:
        yield url, watched("run", source, url, "--run-dir", source.parent / "runs", "--workers", "2", "--json")


def watched(*arguments: str | Path) -> Watched:
    with (
        Path(os.devnull).open("w") as nothing,
        start(*arguments, stdout=subprocess.PIPE, stderr=nothing, start_new_session=True) as process,
    ):
        peaks: dict[str, int] = {}
        while process.poll() is None:
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError, StopIteration, ValueError):
                    if os.getsid(int(folder.name)) == process.pid:
                        status = (folder / "status").read_text().splitlines()
                        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
                        who = "command" if int(folder.name) == process.pid else f"worker {folder.name}"
                        peaks[who] = max(peaks.get(who, 0), peak)
            time.sleep(0.05)
        assert process.stdout
        return Watched(process.returncode, process.stdout.read(), peaks)


def assert_within_promise(ended: Watched) -> None:
    print({who: f"{peak // 1024} MiB" for who, peak in ended.peaks.items()})
    assert len(ended.peaks) >= 3, "the command and two workers were seen"
    assert max(ended.peaks.values()) <= PROMISED_KIB


def test_run_is_verified_and_stays_within_its_memory(moved: tuple[str, Watched]) -> None:
    _, ended = moved
    assert ended.code == 0
    result = json.loads(ended.out)
    assert (result["rejects"], result["healed"], result["proof"]["holds"]) == (0, 0, True)
    assert result["rows"] == 1000 + 3 + 35 + 3 + 4
    assert_within_promise(ended)


DIGESTS = {
    "files": ("id::text", "body"),
    "letters": ("id::text", "convert_to(body, 'UTF8')"),
    "scans": ("id::text", "page"),
    "pictures": ("name", "body"),
    "heap": ("kind", "body"),
}


@pytest.mark.parametrize("table", DIGESTS)
def test_every_byte_arrived(table: str, source: Path, moved: tuple[str, Watched]) -> None:
    """SHA-256 of every value, computed by PostgreSQL on one side and by Python on the other."""
    key, value = DIGESTS[table]
    with psycopg.connect(moved[0]) as connection:
        query = f"SELECT {key}, length({value}), encode(sha256({value}), 'hex') FROM {table}"
        theirs = {name: (size, digest) for name, size, digest in connection.execute(query)}  # type: ignore[call-overload]
    assert theirs == {str(name): digested(value) for name, value in values(source, table)}


def values(source: Path, table: str) -> Iterator[tuple[object, Any]]:
    with closing(sqlite3.connect(source)) as db:
        key, column = DIGESTS[table][0].removesuffix("::text"), "page" if table == "scans" else "body"
        yield from db.execute(f"SELECT {key}, {column} FROM {table}")


def digested(value: Any) -> tuple[int | None, str | None]:
    if value is None:
        return None, None
    raw = value.encode() if isinstance(value, str) else value
    return len(raw), hashlib.sha256(raw).hexdigest()


def test_defects_inside_large_values_are_found(source: Path, moved: tuple[str, Watched]) -> None:
    """One byte of 500 million, one letter of forty million, one byte without a rowid, and one without a key."""
    url, _ = moved
    with psycopg.connect(url, autocommit=True) as connection:
        middle = LARGE_BYTES // 2
        connection.execute(
            "UPDATE files SET body = set_byte(body, %s, get_byte(body, %s) # 1) WHERE id = 500", (middle, middle)
        )
        connection.execute("UPDATE letters SET body = overlay(body PLACING 'o' FROM 20000001 FOR 1) WHERE id = 2")
        connection.execute("UPDATE scans SET page = set_byte(page, 1000, get_byte(page, 1000) # 1) WHERE id = 6")
        connection.execute(
            "UPDATE pictures SET body = set_byte(body, 9000000, get_byte(body, 9000000) # 1) WHERE name = 'large'"
        )
        connection.execute(
            "UPDATE heap SET body = set_byte(body, 9000000, get_byte(body, 9000000) # 1) WHERE kind = 'c'"
        )
    ended = watched("verify", source, url, "--run-dir", source.parent / "runs", "--workers", "2", "--json")
    assert ended.code == 3
    found = {(item["table"], *item["key"].values(), item["column"]) for item in json.loads(ended.out)["differences"]}
    assert found == {
        ("files", 500, "body"),
        ("letters", 2, "body"),
        ("scans", 6, "page"),
        ("pictures", "large", "body"),
        ("heap", 3, None),
        ("heap", None),
    }
    assert_within_promise(ended)


def test_large_values_under_a_key_of_two_columns(tmp_path: Path, database: str) -> None:
    """Each is found again by the whole key: neither column alone says which row it is."""
    source = make_source(
        tmp_path / "pages.db",
        "CREATE TABLE pages (book TEXT, number INTEGER, scan BLOB, PRIMARY KEY (book, number));"
        "INSERT INTO pages VALUES ('a', 1, randomblob(9000000)), ('a', 2, randomblob(9000000)), ('b', 1, x'00')",
    )
    moved = move_all(source, database)
    with psycopg.connect(database, autocommit=True) as connection:
        swap = "UPDATE pages SET number = 3 - number WHERE book = 'a'"
        connection.execute(swap.replace("3 - number", "number + 10"))
        connection.execute(swap.replace("3 - number", "13 - number"))
    found = {(*item.key.values(), item.column) for item in moved.verify().proof.differences if item.key}
    assert found == {("a", 1, "scan"), ("a", 2, "scan")}


@pytest.mark.parametrize(("encoding", "size"), [("UTF-8", 9_000_000), ("UTF-16le", 5_000_000)])
def test_merge_of_large_values(encoding: str, size: int, tmp_path: Path, database: str) -> None:
    """The rows of a query have no rowid either."""
    source = make_source(
        tmp_path / "merge.db",
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE a (id INTEGER PRIMARY KEY, body TEXT);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, body TEXT);"
        f"INSERT INTO a VALUES (1, 'ä' || hex(zeroblob({size // 2}))), (2, 'short'); INSERT INTO b VALUES (3, NULL)",
    )
    document = tomlkit.parse(plan_text(source))
    for name in ("a", "b"):
        del document["tables"][name]  # type: ignore[union-attr]
    document["tables"]["merged"] = {  # type: ignore[index]
        "source": "SELECT id, body FROM a UNION ALL SELECT id, body FROM b",
        "key": ["id"],
        "covers": ["a", "b"],
    }
    move_all(source, database, plan=tomlkit.dumps(document))
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT left(body, 3), length(body) FROM merged WHERE id = 1").fetchone() == (
            "ä00",
            size // 2 * 2 + 1,
        )


def test_a_nul_in_a_large_text_is_a_question_like_any_other(tmp_path: Path) -> None:
    """The census reads such a text through, so the plan knows its length and what PostgreSQL would refuse."""
    source = make_source(
        tmp_path / "app.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);"
        "INSERT INTO t VALUES (1, replace(hex(zeroblob(4718592)), '00', 'ä') || char(0) || 'x'), (2, 'ok')",
    )
    planned = make_plan(PlanRequest(source, profile="none", workers=1), Silent())
    assert [(finding.rule, finding.where) for finding in planned.decisions] == [("nul-in-text", "t.body")]
    assert "≤ 4,718,594 characters" in planned.text or "≤ 4718594 characters" in planned.text
