"""Whole programs, before on SQLite and after on PostgreSQL: the same requests get the same answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from migrator.steps.schema import pack

from .applications import NAMES, Application, Copy
from .by_hand import BY_HAND
from .moving import move, plan_text


def moved(copy: Copy, database: str, folder: Path) -> Path:
    """The program's database in PostgreSQL, with the function pack; returns the plan by which it was moved."""
    plan = folder / "plan.toml"
    plan.write_text(plan_text(copy.database), encoding="utf-8")
    move(copy.database, database, plan=plan.read_text(encoding="utf-8"))
    with psycopg.connect(database) as connection:
        connection.execute(pack().encode())
    return plan


def migrator(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "migrator", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=300)


OF_COROUTINES_ALONE = "06_larder"
CASES = [*((name, target) for name in NAMES for target in ("psycopg", "sqlalchemy")), (OF_COROUTINES_ALONE, "asyncpg")]


@pytest.mark.parametrize(("name", "target"), CASES)
def test_a_rewritten_program_gives_the_same_answers(name: str, target: str, database: str, tmp_path: Path) -> None:
    before = Application(name).copy_to(tmp_path / "before")
    before.make_database()
    after = Application(name).copy_to(tmp_path / "after")
    after.make_database()
    plan = moved(after, database, tmp_path)
    done = migrator("rewrite", "python", after.root, "--to", target, "--db", after.database, "--plan", plan, "--write")
    assert done.returncode in (0, 7), done.stderr
    for change in BY_HAND.get(name, ()):
        assert f" {change.place}: " in done.stderr
        change.make(after.root)
    after.database.unlink()
    answers = zip(before.drive(), after.drive({"DATABASE_URL": database}), strict=True)
    # As text: True is no 1 there, and 1.0 no 1.
    assert [(json.dumps(old), json.dumps(new)) for old, new in answers if json.dumps(old) != json.dumps(new)] == []


# -- the command -------------------------------------------------------------------------------------------------------

PROGRAM = """\
import sqlite3


def add(name):
    conn = sqlite3.connect("app.db")
    conn.execute("CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT)")
    conn.execute("INSERT INTO users (name) VALUES (?)", (name,))
    conn.commit()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "app.py").write_text(PROGRAM, encoding="utf-8")
    return folder


def test_check_says_7_until_nothing_is_left(program: Path) -> None:
    assert migrator("rewrite", "python", program).returncode == 7
    assert (program / "app.py").read_text(encoding="utf-8") == PROGRAM
    assert migrator("rewrite", "python", program, "--write").returncode == 0
    assert migrator("rewrite", "python", program, "--check").returncode == 0


@pytest.mark.parametrize("target", ["psycopg", "sqlalchemy"])
def test_another_target_is_refused_once_one_was_taken(program: Path, target: str) -> None:
    assert migrator("rewrite", "python", program, "--to", target, "--write").returncode == 0
    assert migrator("rewrite", "python", program, "--to", target).returncode == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in program.iterdir()}
    done = migrator("rewrite", "python", program, "--to", "asyncpg", "--write")
    assert done.returncode == 7
    assert "other-target postgresql.py" in done.stderr
    assert {path.name: path.read_text(encoding="utf-8") for path in program.iterdir()} == written


def test_a_program_without_coroutines_is_left_as_it_is_by_asyncpg(program: Path) -> None:
    (program / "more.sql").write_text("SELECT ifnull(1, 2);\n", encoding="utf-8")
    done = migrator("rewrite", "python", program, "--to", "asyncpg", "--write", "--json")
    assert done.returncode == 7
    assert [item["rule"] for item in json.loads(done.stdout)["findings"]] == ["synchronous"]
    assert (program / "app.py").read_text(encoding="utf-8") == PROGRAM
    assert sorted(path.name for path in program.iterdir()) == ["app.py", "more.sql"]


def test_the_diff_is_what_write_does(program: Path, tmp_path: Path) -> None:
    diff = migrator("rewrite", "python", program, "--diff")
    assert diff.returncode == 7
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "app.py").write_text(PROGRAM, encoding="utf-8")
    subprocess.run(["git", "apply", "-"], check=True, cwd=copy, input=diff.stdout, encoding="utf-8")
    migrator("rewrite", "python", program, "--write")
    assert {path.name: path.read_text() for path in copy.iterdir()} == {
        path.name: path.read_text() for path in program.iterdir()
    }


@pytest.mark.parametrize(
    ("head", "encoding", "newline"),
    [("", "utf-8", "\r\n"), ("\ufeff", "utf-8", "\n"), ("# -*- coding: latin-1 -*-\n# Grüße\n", "latin-1", "\n")],
)
def test_a_file_keeps_its_encoding_and_lines(program: Path, head: str, encoding: str, newline: str) -> None:
    file = program / "app.py"
    file.write_bytes((head + PROGRAM).replace("\n", newline).encode(encoding))
    file.chmod(0o755)
    migrator("rewrite", "python", program, "--write")
    new = file.read_bytes().decode(encoding)
    assert "VALUES (%s)" in new
    assert new.startswith(head.replace("\n", newline))
    assert new.count("\n") == new.count(newline)
    assert file.stat().st_mode & 0o777 == 0o755


def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(program: Path) -> None:
    (program / "broken.py").write_text("def f(:\n", encoding="utf-8")
    done = migrator("rewrite", "python", program, "--write")
    assert done.returncode == 4
    assert "broken.py:1 cannot be read" in done.stderr
    assert "%s" in (program / "app.py").read_text(encoding="utf-8")


def test_json_for_programs(program: Path) -> None:
    done = json.loads(migrator("rewrite", "python", program, "--json").stdout)
    assert done["kind"] == "rewrite-python"
    assert done["driver"] == "psycopg"
    assert done["files"] == ["postgresql.py", "app.py"]
    assert done["summary"] == {"files": 2, "left": 0}
    assert done["written"] is False


def test_a_folder_without_code_is_said_so(tmp_path: Path) -> None:
    done = migrator("rewrite", "python", tmp_path)
    assert done.returncode == 2
    assert "There is no Python and no SQL" in done.stderr


# -- where files lie, and how they are written -------------------------------------------------------------------------


def test_a_package_has_the_module_in_it(tmp_path: Path) -> None:
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "app.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_app.py").write_text(PROGRAM, encoding="utf-8")
    assert migrator("rewrite", "python", tmp_path, "--write").returncode == 0
    assert (package / "postgresql.py").exists()
    command = [sys.executable, "-c", "import shop.app, test_app"]
    paths = {"PYTHONPATH": f"{tmp_path / 'src'}:{tmp_path / 'tests'}"}
    subprocess.run(command, check=True, cwd="/", env=os.environ | paths)
    assert migrator("rewrite", "python", tmp_path, "--check").returncode == 0


def test_a_module_of_that_name_is_not_taken_for_ours(program: Path) -> None:
    (program / "postgresql.py").write_text("URL = 'mine'\n", encoding="utf-8")
    done = migrator("rewrite", "python", program, "--write")
    assert done.returncode == 2
    assert "postgresql.py is there, and is none that migrator has written." in done.stderr
    assert (program / "app.py").read_text(encoding="utf-8") == PROGRAM


def test_all_files_or_none(program: Path) -> None:
    (program / "other.py").write_text(PROGRAM, encoding="utf-8")
    (program / "other.py").chmod(0o444)
    done = migrator("rewrite", "python", program, "--write")
    assert done.returncode == 2
    assert "other.py is read-only." in done.stderr
    assert sorted(path.name for path in program.iterdir()) == ["app.py", "other.py"]
    assert (program / "app.py").read_text(encoding="utf-8") == PROGRAM


def test_a_link_stays_one(program: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text(PROGRAM, encoding="utf-8")
    (program / "app.py").unlink()
    (program / "app.py").symlink_to(elsewhere)
    assert migrator("rewrite", "python", program, "--write").returncode == 0
    assert (program / "app.py").is_symlink()
    assert "postgresql.connect()" in elsewhere.read_text(encoding="utf-8")


def test_a_script_with_a_byte_order_mark(program: Path) -> None:
    (program / "more.sql").write_bytes("\ufeffDELETE FROM users WHERE name == 'x';\n".encode())
    assert migrator("rewrite", "python", program, "--write").returncode == 0
    new = (program / "more.sql").read_bytes().decode("utf-8")
    assert new.startswith("\ufeff-- For PostgreSQL")
    assert "WHERE name = 'x'" in new


LEFT = """\
import sqlite3

conn = sqlite3.connect("app.db")
conn.execute("CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT)")
version = conn.execute("PRAGMA user_version").fetchone()
conn.create_function("twice", 1, lambda n: 2 * n)
conn.executemany("INSERT INTO users (name) VALUES (" + ",".join(["?"] * len(version)) + ")", [version])
"""


def test_what_is_left_is_not_forgotten(program: Path) -> None:
    (program / "app.py").write_text(LEFT, encoding="utf-8")
    assert migrator("rewrite", "python", program, "--write").returncode == 7
    done = migrator("rewrite", "python", program, "--check")
    assert done.returncode == 7
    found = {line.split()[2] for line in done.stderr.splitlines() if line.startswith("warning left-over")}
    assert found == {"app.py:5:", "app.py:6:", "app.py:7:"}
    audited = json.loads(migrator("audit", program, "--json").stdout)
    assert [(item["rule"], item["line"]) for item in audited["hazards"]] == [("left-over", line) for line in (5, 6, 7)]
    assert audited["summary"]["left"] == 3


COROUTINES = """\
import aiosqlite
from fastapi import Depends, FastAPI

app = FastAPI()


async def get_db():
    db = await aiosqlite.connect("app.db")
    try:
        yield db
    finally:
        await db.close()


@app.get("/todos/{id}")
async def one(id: int, db=Depends(get_db)):
    async with db.execute("SELECT title, done FROM todos WHERE id = ? ORDER BY title", (id,)) as rows:
        return await rows.fetchone()


@app.post("/todos")
async def add(title: str, done: bool, db=Depends(get_db)):
    cursor = await db.execute("INSERT INTO todos (title, done) VALUES (?, ?)", (title, done))
    await db.execute("CREATE TABLE IF NOT EXISTS todos (id INTEGER PRIMARY KEY, title TEXT, done BOOLEAN)")
    return cursor.lastrowid
"""
SCRIPT = """\
CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT, done BOOLEAN);
INSERT INTO todos VALUES (1, 'a', 0);
"""


@pytest.mark.parametrize("target", ["psycopg", "sqlalchemy", "asyncpg"])
def test_nothing_is_left_to_the_audit_of_rewritten_coroutines(target: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(COROUTINES, encoding="utf-8")
    (tmp_path / "schema.sql").write_text(SCRIPT, encoding="utf-8")
    assert json.loads(migrator("audit", tmp_path, "--json").stdout)["summary"]["left"] > 4
    assert migrator("rewrite", "python", tmp_path, "--to", target, "--write").returncode == 0
    assert migrator("rewrite", "python", tmp_path, "--to", target, "--check").returncode == 0
    audited = json.loads(migrator("audit", tmp_path, "--json").stdout)
    assert (audited["summary"]["left"], audited["statements"], audited["hazards"]) == (0, [], [])


def test_the_audit_of_rewritten_coroutines_counts_what_is_sqlites_still(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(COROUTINES, encoding="utf-8")
    assert migrator("rewrite", "python", tmp_path, "--write").returncode == 0
    more = 'async def more(db=Depends(get_db)):\n    await db.execute("DELETE FROM todos WHERE id = ?", (1,))\n'
    with (tmp_path / "app.py").open("a", encoding="utf-8") as file:
        file.write(more)
    audited = json.loads(migrator("audit", tmp_path, "--json").stdout)
    assert [item["rule"] for item in audited["hazards"]] == ["left-over"]
    assert audited["summary"]["left"] == 1
