"""kill -9 at every named step of export and of load, a second time during the next attempt, and full disks.

Whatever an attempt leaves: a file that is not whole never counts, and in the end what the source holds is loaded.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .killing import EXPORT_STEPS, STEPS, arm, run_killed
from .moving import make_source
from .oracle import assert_same_rows, open_source, open_target, tables_of
from .terminal import Answer, left_behind, migrator, migrator_forked
from .test_killed import PLACED, SOURCE

EARLY = {"before anything", "begun", "first file written"}
LATE = [step for step in EXPORT_STEPS if step not in EARLY | {"export finished"}]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "home.db", SOURCE)


def export(source: Path) -> tuple[str | Path, ...]:
    return ("export", source, source.parent / "out", "--workers", "1")


def load(source: Path, database: str) -> tuple[str | Path, ...]:
    return ("load", source.parent / "out", database, "--run-dir", source.parent / "runs", "--workers", "1")


def assert_exported(source: Path, last: Answer) -> None:
    """Nothing but what the manifest names."""
    assert last.code == 0, last.all
    folder = source.parent / "out"
    manifest = json.loads((folder / "manifest.json").read_text())
    named = {file["name"] for table in manifest["tables"] for file in table["files"]} | set(manifest["others"])
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == named | {"manifest.json", "run.json"}


def assert_loaded(source: Path, database: str, last: Answer) -> None:
    assert last.code == 0, last.all
    with open_source(source) as db, open_target(database) as target:
        for table in tables_of(db):
            assert_same_rows(db, target, table)
        assert target.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator%'").fetchall() == []


# -- export ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", EXPORT_STEPS)
def test_an_export_that_is_killed_goes_on(step: str, source: Path, database: str) -> None:
    assert run_killed(step, *export(source)) == signal.SIGKILL
    if step == "export finished":  # nothing was left to do but to say so
        assert migrator(*export(source)).code == 0
    else:
        again = migrator(*export(source))
        assert_exported(source, again)
        assert ("going on with the export" in again.err) == (step in LATE)
    assert_loaded(source, database, migrator(*load(source, database)))


@pytest.mark.parametrize("step", LATE)
def test_an_attempt_that_is_killed_as_well_goes_on_too(step: str, source: Path) -> None:
    assert run_killed("first file told", *export(source)) == signal.SIGKILL
    run_killed(step, *export(source))
    assert_exported(source, migrator(*export(source)))


def test_only_what_the_source_has_changed_since_is_written_again(source: Path, database: str) -> None:
    assert run_killed("files proven", *export(source)) == signal.SIGKILL
    with closing(sqlite3.connect(source)) as db:
        db.execute("UPDATE lamps SET name = 'another' WHERE id = 3")
        db.execute("INSERT INTO settings VALUES ('c', 'new')")
        db.commit()
    again = migrator(*export(source), "--json")
    assert_exported(source, again)
    assert (json.loads(again.out)["files"], json.loads(again.out)["kept"]) == (4, 2)
    assert_loaded(source, database, migrator(*load(source, database)))


def test_another_source_or_another_version_is_not_mixed_in(source: Path) -> None:
    assert run_killed("first file told", *export(source)) == signal.SIGKILL
    other = make_source(source.with_name("other.db"), SOURCE)
    refused = migrator("export", other, source.parent / "out")
    assert refused.code == 2
    assert f"the unfinished export of {source}" in refused.err


def test_a_file_that_was_cut_off_meanwhile_is_written_again(source: Path) -> None:
    assert run_killed("all rows written", *export(source)) == signal.SIGKILL
    [file] = (source.parent / "out" / "data").glob("lamps-*/*")
    file.write_bytes(file.read_bytes()[:-3])
    again = migrator(*export(source), "--json")
    assert_exported(source, again)
    assert json.loads(again.out)["kept"] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_export_says_that_it_goes_on(number: signal.Signals, source: Path) -> None:
    answer = migrator_forked(
        *export(source), prepare=lambda: arm("third file told", lambda: signal.raise_signal(number))
    )
    assert answer.code == 6
    assert "3 data files are kept" in answer.err
    assert "The same command goes on" in answer.err
    assert_exported(source, migrator(*export(source)))


def test_an_export_that_is_interrupted_before_anything_leaves_nothing(source: Path) -> None:
    answer = migrator_forked(
        *export(source), prepare=lambda: arm("before anything", lambda: signal.raise_signal(signal.SIGINT))
    )
    assert answer.code == 130
    assert not (source.parent / "out").exists()


# -- load --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_load_that_is_killed_goes_on(step: str, source: Path, database: str) -> None:
    assert migrator(*export(source)).code == 0
    assert run_killed(step, *load(source, database)) == signal.SIGKILL
    again = migrator(*load(source, database))
    assert_loaded(source, database, again)
    assert ("had arrived" in again.out) == (step in PLACED)


@pytest.mark.parametrize(
    "step", ["tables told", "all copied", "a foreign key validated", "proven", "renamed, not committed"]
)
def test_a_load_that_is_killed_twice_goes_on_too(step: str, source: Path, database: str) -> None:
    assert migrator(*export(source)).code == 0
    assert run_killed("before the proof", *load(source, database)) == signal.SIGKILL
    assert run_killed(step, *load(source, database)) == signal.SIGKILL
    assert_loaded(source, database, migrator(*load(source, database)))


def test_another_export_in_the_same_folder_is_loaded_anew(source: Path, database: str) -> None:
    """What has arrived is held against the files as they are then."""
    assert migrator(*export(source)).code == 0
    assert run_killed("before the proof", *load(source, database)) == signal.SIGKILL
    with closing(sqlite3.connect(source)) as db:
        db.execute("UPDATE rooms SET name = 'cellar' WHERE id = 2")
        db.commit()
    shutil.rmtree(source.parent / "out")
    assert migrator(*export(source)).code == 0
    assert_loaded(source, database, migrator(*load(source, database)))


# -- full disks --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_named_and_the_same_command_goes_on(small_disk: Path, tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "home.db",
        "PRAGMA journal_mode = WAL; CREATE TABLE a (id INTEGER PRIMARY KEY, x); INSERT INTO a VALUES (1, 'first');"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, x BLOB); INSERT INTO b VALUES (1, randomblob(200000));",
    )
    command = ("export", source, small_disk / "out", "--workers", "1")
    full = migrator(*command)
    assert full.code == 1
    assert "No space left on device" in full.err
    assert "run the same command again" in full.err
    assert not (small_disk / "out" / "manifest.json").exists()
    assert list((small_disk / "out").rglob("*.part")) == []
    assert migrator("load", small_disk / "out", database).code == 4
    assert left_behind(database) == []
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    again = migrator(*command, "--json")
    assert again.code == 0, again.all
    assert json.loads(again.out)["kept"] == 1
    loaded = migrator("load", small_disk / "out", database, "--run-dir", tmp_path / "runs")
    assert_loaded(source, database, loaded)
