"""Disks that are full: of the run folder, of PostgreSQL's tables, of its log. The run says whose; the next one goes on.

Small file systems in memory play the disks; where they may not be mounted the tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from . import servers
from .faults import LARGE, TOTAL, assert_ended, assert_exact, command, kept
from .killing import run_struck
from .moving import make_source
from .terminal import left_behind, migrator_forked

Figure = Callable[[str, str], None]


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here, so no disk is small enough to be full")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the space that is left."""
    path = folder / "everything"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "large.db", LARGE)


def of_rows(url: str) -> str:
    return f"{kept(url):,} of {TOTAL:,} rows kept"


def test_no_room_for_the_run_folder(source: Path, database: str, tmp_path: Path, figure: Figure) -> None:
    with small_disk(tmp_path / "runs", "64k") as runs:
        full = fill(runs)
        began = time.monotonic()
        ended = migrator_forked(*command(source, database))
        figure("the disk of the run folder is full", f"{time.monotonic() - began:.1f} s until the error")
        assert_ended(ended, 1, "No space left on device", "--run-dir")
        assert left_behind(database) == []
        full.unlink()
        assert_exact(source, database, migrator_forked(*command(source, database)))


@pytest.mark.parametrize("step", ["before the proof", "orphans settled", "renamed"])
def test_no_room_for_the_outcome(step: str, source: Path, database: str, tmp_path: Path, figure: Figure) -> None:
    """The disk becomes full while the run is at work: what is written at the end is in the journal too."""
    with small_disk(tmp_path / "runs", "256k") as runs:
        filled: list[Path] = []
        ended = run_struck(step, lambda: filled.append(fill(runs)), *command(source, database))
        figure(f"the disk of the run folder fills up: {step}", f"exit {ended.code}, {of_rows(database)}")
        assert_ended(ended, 1, "cannot be written", "No space left on device", "The same command goes on")
        filled[0].unlink()
        assert_exact(source, database, migrator_forked(*command(source, database)))


def test_no_room_for_the_copy_of_the_source(source: Path, database: str, tmp_path: Path, figure: Figure) -> None:
    """A database that is not in WAL mode is copied into the run folder."""
    rollback = make_source(tmp_path / "rollback.db", LARGE.replace("journal_mode = WAL", "journal_mode = DELETE"))
    with small_disk(tmp_path / "runs", "2m"):
        began = time.monotonic()
        ended = migrator_forked(*command(rollback, database))
        figure("no room for the copy of the source", f"{time.monotonic() - began:.1f} s until the error")
        assert_ended(ended, 4, "The copy of the source needs", "--run-dir")
        assert left_behind(database) == []


@pytest.fixture
def tablespace(embedded_server: servers.Server, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A database whose tables lie on a small disk of their own, and that disk. An empty database takes 8 MB."""
    folder = embedded_server.folder / "small"
    with ExitStack() as stack:
        stack.enter_context(small_disk(folder, "24m"))
        place = folder / "tables"
        place.mkdir()
        servers.own(place)
        with psycopg.connect(embedded_server.url("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{place}'")  # type: ignore[arg-type]
            admin.execute("CREATE DATABASE small TEMPLATE template0 TABLESPACE small")
            yield embedded_server.url("small"), folder
            admin.execute("DROP DATABASE small WITH (FORCE)")
            admin.execute("DROP TABLESPACE small")


def enlarge(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


@pytest.mark.parametrize(("size", "phase"), [("12m", "COPY"), ("25m", "the indexes")])
def test_no_room_in_the_tablespace(
    size: str, phase: str, source: Path, tablespace: tuple[str, Path], figure: Figure
) -> None:
    url, folder = tablespace
    enlarge(folder, size)
    ended = migrator_forked(*command(source, url, "--workers", "1"))
    enlarge(folder, "200m")
    figure(f"PostgreSQL's disk is full in {phase}", f"exit {ended.code}, {of_rows(url)}")
    assert_ended(ended, 5, "Free space on the server")
    assert_exact(source, url, migrator_forked(*command(source, url)))


def test_no_room_for_the_log(source: Path, tmp_path: Path, figure: Figure) -> None:
    """PostgreSQL's write-ahead log has no room: the server stops itself, and starts again when there is some."""
    with servers.embedded(max_wal_size="32MB", min_wal_size="32MB") as server, ExitStack() as stack:
        url = server.url("postgres")
        servers.stop(server, "fast")
        wal, aside = server.folder / "data" / "pg_wal", server.folder / "aside"
        shutil.copytree(wal, aside)
        stack.enter_context(small_disk(wal, "20m"))
        subprocess.run(["cp", "-a", f"{aside}/.", wal], check=True)
        servers.own(wal)
        servers.start_again(server)
        began = time.monotonic()
        ended = migrator_forked(*command(source, url, "--workers", "1"))
        seconds = time.monotonic() - began
        enlarge(wal, "400m")
        if servers.is_running(server):
            servers.stop(server)
        servers.start_again(server)
        figure("PostgreSQL has no room for its log", f"exit {ended.code} after {seconds:.1f} s, {of_rows(url)}")
        assert_ended(ended, 5)
        assert_exact(source, url, migrator_forked(*command(source, url)))
        servers.stop(server, "fast")
