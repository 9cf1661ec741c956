"""rewrite sql as a person and a script meet it: files and stdin, a database or none, JSON, exit codes, bad input."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import rewrite
from migrator.core.sql.split import split
from migrator.steps.plan import PlanRequest

from . import servers
from .core.test_sqlite_compat import PACK
from .databases import NAMES, build
from .moving import edited, make_source, move, plan_text
from .terminal import finish, migrator, start
from .test_schema_formats import made

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_active INTEGER DEFAULT 1);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers, total REAL, note TEXT);
INSERT INTO customers VALUES (1, 'Ada', 1), (2, 'Grace', 0), (3, 'Linus', 1);
INSERT INTO orders VALUES (1, 1, 10.5, NULL), (2, 1, 4.5, 'gift'), (3, 3, 7, '50% off');
CREATE VIEW spent AS SELECT c.name, sum(o.total) AS total FROM customers c JOIN orders o ON o.customer = c.id
    GROUP BY c.id;
"""
SCRIPT = """-- what the shop asks
SELECT name FROM customers WHERE is_active = ? AND name LIKE ? ORDER BY id;
PRAGMA foreign_keys = ON;
INSERT INTO orders (customer, total, note) VALUES (:customer, :total, 'a; b');

SELECT zeroblob(id) FROM orders; SELECT total FROM spent WHERE name = ?1
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_source(tmp_path / "shop.db", SHOP)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "queries.sql"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def told(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    answer = migrator("rewrite", "sql", *arguments, "--json")
    return answer.code, json.loads(answer.out)


def test_statements_keep_their_order_and_what_is_left_is_a_comment(shop: Path, script: Path) -> None:
    answer = migrator("rewrite", "sql", script, "--db", shop)
    assert answer.code == 7
    lines = answer.out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["SELECT", "INSERT", "--", "--", "SELECT"]
    assert lines[3] == "-- SELECT zeroblob(id) FROM orders"
    assert "1 statement of 5 left as written" in answer.err
    assert f"{script}:6" in answer.err


def test_json_tells_what_every_statement_became(shop: Path, script: Path) -> None:
    code, said = told(script, "--db", shop)
    assert (code, said["kind"], said["version"]) == (7, "rewrite", 1)
    assert said["summary"] == {"statements": 5, "rewritten": 4, "left": 1}
    asks, pragma, insert, left, spent = said["statements"]
    assert asks["input"].startswith("SELECT name")
    assert asks["line"] == 2
    assert [(item["from"], item["to"], item["type"]) for item in asks["arguments"]] == [
        (0, 0, "bigint"), (1, 1, "text"),
    ]  # fmt: skip
    assert (pragma["output"], [item["rule"] for item in pragma["findings"]]) == ("", ["pragma"])
    assert insert["output"].endswith("VALUES (%(customer)s, %(total)s, 'a; b')")
    assert [(item["from"], item["to"]) for item in insert["arguments"]] == [
        ("customer", "customer"), ("total", "total"),
    ]  # fmt: skip
    assert (left["output"], [item["rule"] for item in left["findings"]]) == (None, ["function"])
    assert spent["output"].count("%s") == 1


@pytest.mark.parametrize("driver", list(Driver))
def test_what_is_rewritten_runs_on_the_moved_database(driver: Driver, shop: Path, database: str) -> None:
    """The moved one has a boolean, under another name."""
    plan = edited(plan_text(shop), "customers.is_active", type="boolean", target="active")
    moved = move(shop, database, plan=plan)
    plan_file = moved.folder.read_plan()
    statement = "SELECT name FROM customers WHERE is_active = ? ORDER BY id"
    code, said = told_of(statement, driver, shop, plan_file)
    assert code == 0
    [found] = said["statements"]
    assert found["arguments"][0]["type"] == "boolean"
    assert found["output"].startswith("SELECT name FROM customers WHERE active = (")
    if driver is Driver.PSYCOPG:
        with psycopg.connect(database) as connection:
            for flag in (1, 0, True, None):
                with closing(sqlite3.connect(shop)) as db:
                    wanted = db.execute(statement, (flag,)).fetchall()
                assert connection.execute(found["output"].encode(), (flag,)).fetchall() == wanted


def told_of(statement: str, driver: Driver, shop: Path, plan: Path) -> tuple[int, dict[str, Any]]:
    file = shop.with_name("statement.sql")
    file.write_text(statement, encoding="utf-8")
    return told(file, "--db", shop, "--plan", plan, "--to", driver.value)


def test_a_script_knows_the_tables_that_it_makes(tmp_path: Path) -> None:
    file = tmp_path / "app.sql"
    file.write_text(
        "CREATE TABLE t (a INTEGER, b TEXT); SELECT b FROM t WHERE a = ?; SELECT x FROM u", encoding="utf-8"
    )
    code, said = told(file)
    assert code == 7
    assert [item["output"] is not None for item in said["statements"]] == [True, True, False]
    assert said["statements"][2]["findings"][0]["rule"] == "no-table"


DRAFTED = """
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, is_active INTEGER DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE broken (id INTEGER,, x TEXT);
CREATE TABLE checked (at TEXT DEFAULT (datetime('now')), day TEXT AS (substr(at, 1, 10)) CHECK (length(day) = 10));
CREATE TABLE keyless (x INTEGER) WITHOUT ROWID;
CREATE TABLE endless AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c;
CREATE TABLE huge AS SELECT zeroblob(1000000000) AS x;
CREATE TABLE checked (at TEXT DEFAULT (datetime('now')), day TEXT AS (substr(at, 1, 10)) CHECK (length(day) = 10));
SELECT created_at FROM t WHERE name = ?; SELECT day FROM checked;
"""


def test_one_definition_that_sqlite_refuses_leaves_the_others(tmp_path: Path) -> None:
    file = tmp_path / "app.sql"
    file.write_text(DRAFTED, encoding="utf-8")
    _, said = told(file)
    left = {item["input"].split()[2]: item["findings"][0] for item in said["statements"] if item["output"] is None}
    assert {name: finding["message"] for name, finding in left.items()} == {
        "broken": 'SQLite says: near ",": syntax error.',
        "keyless": "SQLite says: PRIMARY KEY missing on table keyless.",
        "endless": "SQLite says: not authorized.",
        "huge": "SQLite says: string or blob too big.",
    }
    assert {finding["rule"] for finding in left.values()} == {"definition"}


@pytest.mark.parametrize("name", NAMES)
def test_definitions_make_what_a_run_makes(
    name: str, tmp_path: Path, embedded_server: servers.Server, database: str
) -> None:
    """Every CREATE that a real application's database holds, in its order."""
    source = build(name, tmp_path)
    with closing(sqlite3.connect(source)) as db:
        definitions = [
            sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        ]
    file = tmp_path / "schema.sql"
    file.write_text(";\n".join(definitions), encoding="utf-8")
    _, said = told(file, "--db", source)
    assert len(said["statements"]) == len(definitions)
    with psycopg.connect(database) as connection:
        for statement in said["statements"]:
            if statement["output"]:
                connection.execute(statement["output"].encode())
    plan = re.sub(r'orphans = "[a-z-]+"', 'orphans = "null"', plan_text(source))
    with servers.fresh_database(embedded_server) as url:
        move(source, url, plan=plan)
        wanted = made(url)
    mine = made(database)
    for part in ("tables", "relations", "views"):
        assert mine[part] == wanted[part]


def test_definitions_may_be_repeated(tmp_path: Path, database: str) -> None:
    """As applications do at every start."""
    file = tmp_path / "app.sql"
    file.write_text(REPEATED, encoding="utf-8")
    code, said = told(file)
    assert code == 0
    with psycopg.connect(database) as connection:
        for statement in said["statements"] * 2:
            connection.execute(statement["output"].encode())
        for table in ("teams", "users"):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


REPEATED = """
CREATE TABLE IF NOT EXISTS teams (id INTEGER PRIMARY KEY, label TEXT COLLATE NOCASE UNIQUE);
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY, team INTEGER REFERENCES teams, name TEXT, UNIQUE (team, name));
CREATE UNIQUE INDEX IF NOT EXISTS users_by_name ON users (name) WHERE team IS NULL;
CREATE VIEW IF NOT EXISTS alone AS SELECT name FROM users WHERE team IS NULL;
"""


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("CREATE TABLE customers (id INTEGER PRIMARY KEY)", "definition"),
        ("CREATE TEMP TABLE t (a)", "statement"),
        ("CREATE VIRTUAL TABLE f USING fts5(a)", "statement"),
        ("CREATE TRIGGER r AFTER INSERT ON orders BEGIN DELETE FROM orders; END", "trigger"),
        ("CREATE", "statement"),
    ],
)
def test_other_definitions_are_left(sql: str, rule: str, shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "definition.sql"
    file.write_text(sql, encoding="utf-8")
    code, said = told(file, "--db", shop)
    assert (code, said["statements"][0]["findings"][0]["rule"]) == (7, rule)


def test_a_script_may_make_what_the_database_has_not(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.sql"
    file.write_text(
        "CREATE TABLE fresh (id INTEGER PRIMARY KEY, note TEXT); CREATE INDEX by_note ON fresh (note);"
        "INSERT INTO fresh (note) SELECT name FROM customers",
        encoding="utf-8",
    )
    code, said = told(file, "--db", shop)
    assert code == 0
    assert [item["output"].split(" ")[0] for item in said["statements"]] == ["CREATE", "CREATE", "INSERT"]


RECORDER = Path(__file__).parents[1] / "fixtures/recorder-2026.11/home-assistant_v2.db"
GROWN = """
ALTER TABLE statistics_meta RENAME COLUMN unit_class TO old;
ALTER TABLE statistics_meta ADD COLUMN unit_class VARCHAR(255);
UPDATE statistics_meta SET unit_class = old;
ALTER TABLE statistics_meta DROP COLUMN old;
"""
ASKED = """
CREATE TABLE notes (run INTEGER PRIMARY KEY, text TEXT);
SELECT * FROM statistics_meta WHERE id = 1;
SELECT * FROM event_types WHERE event_type_id = 1;
SELECT state FROM states WHERE last_updated_ts > 1700000000.5 AND state LIKE 'o%' ORDER BY state;
SELECT text FROM notes JOIN recorder_runs ON run_id = run WHERE closed_incorrect
"""


def test_tables_of_a_known_application(tmp_path: Path, database: str) -> None:
    """They are Home Assistant's own, whose columns stand in another order than in a database that has grown."""
    source, script = Path(shutil.copy(RECORDER, tmp_path / "home-assistant_v2.db")), tmp_path / "queries.sql"
    with closing(sqlite3.connect(source, isolation_level=None)) as db:
        db.executescript(GROWN)
        script.write_text(ASKED, encoding="utf-8")
        answer = migrator("rewrite", "sql", script, "--db", source)
        assert (answer.code, answer.err.count("warning")) == (0, 0), answer.err
        assert answer.out.startswith("CREATE TABLE")
        move(source, database, planning=PlanRequest(source, workers=1))
        ours = [db.execute(statement.text).fetchall() for statement in [*split(ASKED)][1:4]]
    with psycopg.connect(database, autocommit=True) as connection:
        made, *asked = (item.text for item in split(answer.out))
        connection.execute(made.encode())
        theirs = [connection.execute(text.encode()).fetchall() for text in asked]
    assert all(ours)
    assert [*ours, []] == theirs


SPELT = """
CREATE TABLE Rooms (Id INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT UNIQUE);
CREATE TABLE visits (room INTEGER REFERENCES Rooms, at TEXT, PRIMARY KEY (room, at));
CREATE INDEX Rooms_by_Name ON Rooms (Name);
CREATE VIEW Named AS SELECT Name FROM Rooms;
"""
COLUMNS = """
CREATE TABLE Odd (Name TEXT NOT NULL DEFAULT '50%', "a b" DECIMAL(9, 2) DEFAULT (1 + 1), twice AS (n * 2), n INT,
    at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (n, Name));
CREATE TABLE bare (x, y VARCHAR(20));
CREATE TABLE one (id INTEGER PRIMARY KEY, f BOOLEAN NOT NULL DEFAULT 0);
"""
ASKED_COLUMNS = "PRAGMA table_info(Odd); pragma table_info('bare'); PRAGMA table_info = \"ONE\""


def test_columns_are_asked_of_the_catalog(tmp_path: Path, each_database: str) -> None:
    source, script = make_source(tmp_path / "columns.db", COLUMNS), tmp_path / "queries.sql"
    script.write_text(ASKED_COLUMNS, encoding="utf-8")
    answer = migrator("rewrite", "sql", script, "--db", source)
    assert answer.code == 0, answer.err
    move(source, each_database)
    with closing(sqlite3.connect(source)) as db, psycopg.connect(each_database, autocommit=True) as connection:
        for ours, theirs in zip(split(ASKED_COLUMNS), answer.out.split(";\n"), strict=False):
            one, other = db.execute(ours.text), connection.execute(theirs.encode())
            assert [column[0] for column in one.description] == [column.name for column in other.description or ()]
            assert one.fetchall() == other.fetchall()
        connection.execute("ALTER TABLE bare DROP COLUMN y, ADD COLUMN z bigint NOT NULL")
        found = connection.execute(answer.out.split(";\n")[1].encode()).fetchall()
    assert found == [(0, "x", "", 0, None, 0), (1, "z", "BIGINT", 1, None, 0)]


def test_columns_of_a_table_that_nobody_knows(shop: Path, tmp_path: Path) -> None:
    script = tmp_path / "queries.sql"
    script.write_text("PRAGMA table_info(nowhere); PRAGMA table_info", encoding="utf-8")
    _, found = told(script, "--db", shop)
    assert [statement["findings"][0]["rule"] for statement in found["statements"]] == ["pragma", "pragma"]


ALTERED = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, Name TEXT, old INTEGER, junk TEXT);
CREATE TABLE visits (id INTEGER PRIMARY KEY, room INTEGER REFERENCES rooms (id), priority INTEGER DEFAULT 0);
CREATE INDEX rooms_name ON rooms (Name);
CREATE VIEW named AS SELECT Name, id FROM rooms;
CREATE VIEW everything AS SELECT * FROM rooms;
INSERT INTO rooms VALUES (1, 'a', 2, 'x'), (2, 'b', NULL, 'y');
ALTER TABLE rooms ADD COLUMN floor INTEGER NOT NULL DEFAULT 3 CHECK (floor > 0);
ALTER TABLE rooms ADD Level REAL CHECK (Level IS NULL OR Level < 5);
UPDATE rooms SET floor = floor + id, level = 2.5 WHERE Name LIKE 'A';
ALTER TABLE visits ADD COLUMN other INTEGER REFERENCES rooms (id) ON DELETE SET NULL;
ALTER TABLE rooms RENAME COLUMN old TO "Age";
ALTER TABLE rooms RENAME COLUMN Name TO Title;
ALTER TABLE rooms DROP COLUMN junk;
ALTER TABLE visits RENAME TO Calls;
INSERT INTO calls (id, room, other) VALUES (1, 1, 2);
ALTER TABLE "calls" ADD COLUMN at TEXT DEFAULT 'never';
DELETE FROM rooms WHERE title = 'b'
"""
ASKED_AFTERWARDS = """
SELECT id, Title, age, floor, level FROM rooms ORDER BY id;
SELECT * FROM calls;
SELECT * FROM rooms;
SELECT Title FROM named;
SELECT * FROM everything;
SELECT id FROM rooms WHERE floor > 3 AND level IS NOT NULL;
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name
"""


def test_tables_that_a_script_alters(tmp_path: Path, each_database: str) -> None:
    script = tmp_path / "script.sql"
    script.write_text(f"{ALTERED};{ASKED_AFTERWARDS}", encoding="utf-8")
    answer = migrator("rewrite", "sql", script)
    assert answer.code == 0, answer.err
    statements = [text for text in answer.out.split(";\n") if text]
    with closing(sqlite3.connect(":memory:")) as db, psycopg.connect(each_database, autocommit=True) as connection:
        db.executescript(f"PRAGMA foreign_keys = ON; {ALTERED}")
        ours = [db.execute(statement.text).fetchall() for statement in split(ASKED_AFTERWARDS)]
        for text in statements[: -len(ours)]:
            connection.execute(text.encode())
        theirs = [connection.execute(text.encode()).fetchall() for text in statements[-len(ours) :]]
        assert ours == theirs
        for wrong in ("UPDATE rooms SET floor = 0", "UPDATE rooms SET floor = NULL", "UPDATE calls SET other = 9"):
            with pytest.raises(psycopg.IntegrityError):
                connection.execute(wrong.encode())


def test_a_column_that_the_table_has_already(tmp_path: Path, database: str) -> None:
    """Programs make new databases with all columns, and bring old ones up to date."""
    source = make_source(tmp_path / "new.db", "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT NOT NULL DEFAULT 7, m)")
    script = tmp_path / "script.sql"
    script.write_text("ALTER TABLE a ADD COLUMN n INT NOT NULL DEFAULT 7; ALTER TABLE a ADD n TEXT", encoding="utf-8")
    code, found = told(script, "--db", source)
    first, second = found["statements"]
    assert code == 7
    assert second["findings"][0]["message"] == "Not translated: SQLite says: duplicate column name: n."
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE a (id bigint)")
        connection.execute("INSERT INTO a VALUES (1)")
        connection.execute(first["output"].encode())
        assert connection.execute("SELECT * FROM a").fetchall() == [(1, 7)]


FIRED = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT, size INTEGER);
CREATE TABLE log (what TEXT, size INTEGER);
CREATE VIEW large AS SELECT id, name FROM rooms WHERE size > 50;
CREATE TRIGGER made AFTER INSERT ON rooms BEGIN INSERT INTO log VALUES ('made ' || new.name, new.size); END;
CREATE TRIGGER grown AFTER UPDATE OF size ON rooms WHEN new.size > old.size BEGIN
    INSERT INTO log VALUES ('grown ' || old.name, new.size); END;
CREATE TRIGGER named INSTEAD OF INSERT ON large BEGIN INSERT INTO rooms (name, size) VALUES (new.name, 99); END;
ALTER TABLE rooms RENAME COLUMN size TO area;
ALTER TABLE log RENAME TO journal;
ALTER TABLE rooms RENAME TO places;
INSERT INTO places (name, area) VALUES ('a', 1);
UPDATE places SET area = 2;
INSERT INTO large (name) VALUES ('b')
"""
DROPPED = "DROP VIEW large; DROP TABLE places; DROP TABLE journal"


def test_tables_with_triggers_that_a_script_alters(tmp_path: Path, each_database: str) -> None:
    """A function of PostgreSQL's keeps the names that it was written with, and outlives its table."""
    script = tmp_path / "script.sql"
    script.write_text(f"{FIRED};{DROPPED}", encoding="utf-8")
    _, found = told(script)
    outputs = [statement["output"] for statement in found["statements"]]
    asked = "SELECT what, size FROM journal ORDER BY what, size"
    with closing(sqlite3.connect(":memory:")) as db, psycopg.connect(each_database, autocommit=True) as connection:
        db.executescript(FIRED)
        for output in outputs[:-3]:
            connection.execute(output.encode())
        assert connection.execute(asked).fetchall() == db.execute(asked).fetchall()
        for output in outputs[-3:]:
            connection.execute(output.encode())
        left = "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        assert connection.execute(left).fetchall() == []


MADE_ANEW = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, junk TEXT);
CREATE INDEX users_name ON users (name);
INSERT INTO users VALUES (1, 'a', 'x'), (2, 'b', NULL);
UPDATE users SET junk = 'y' WHERE junk IS NULL;
CREATE TABLE users_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER DEFAULT 3);
INSERT INTO users_new (id, name) SELECT id, name || junk FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
CREATE UNIQUE INDEX users_age ON users (name, age);
CREATE TABLE log (name TEXT);
CREATE VIEW old AS SELECT name FROM users WHERE age > 2;
CREATE TRIGGER noted AFTER INSERT ON users WHEN new.age > 3 BEGIN INSERT INTO log VALUES (new.name); END;
INSERT INTO users (id, name, age) VALUES (7, 'c', 4);
INSERT INTO users (id, name, age) VALUES (8, 'c', 4) ON CONFLICT (name, age) DO UPDATE SET age = 9;
ALTER TABLE users ADD COLUMN size REAL DEFAULT 1.5
"""


def test_a_table_that_takes_the_place_of_another(tmp_path: Path, each_database: str) -> None:
    """SQLite's own advice for changes that ALTER TABLE does not make: https://sqlite.org/lang_altertable.html."""
    script = tmp_path / "script.sql"
    script.write_text(MADE_ANEW, encoding="utf-8")
    code, found = told(script)
    assert code == 0, found
    with closing(sqlite3.connect(":memory:")) as db, psycopg.connect(each_database, autocommit=True) as connection:
        db.executescript(MADE_ANEW)
        for statement in found["statements"]:
            connection.execute(statement["output"].encode())
        for asked in ("SELECT * FROM users ORDER BY id", "SELECT name FROM log", "SELECT name FROM old ORDER BY name"):
            assert connection.execute(asked.encode()).fetchall() == db.execute(asked).fetchall()


def test_a_table_that_would_take_a_name_that_is_taken(tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_text("CREATE TABLE a (x); CREATE TABLE b (x, a); ALTER TABLE b RENAME TO a;", encoding="utf-8")
    _, found = told(script)
    [said] = found["statements"][-1]["findings"]
    assert "there is already another table or index with this name: a" in said["message"]
    script.write_text("CREATE TABLE a (x); CREATE TABLE b (y); ALTER TABLE b RENAME y TO a;", encoding="utf-8")
    assert told(script)[0] == 0


DOCUMENTS = """
CREATE TABLE docs (id INTEGER PRIMARY KEY, body JSON, tags JSON);
INSERT INTO docs VALUES (1, '{"n": 1, "name": "a", "tags": ["x", "y"]}', '["x"]');
INSERT INTO docs VALUES (2, '{"n": 7, "of": {"k": "v"}}', '[]');
"""
ASKED_OF_DOCUMENTS = """
SELECT id FROM docs WHERE body ->> 'n' = 7;
SELECT body ->> '$.name', json_extract(body, '$.of.k') FROM docs ORDER BY id;
SELECT docs.id, t.value FROM docs, json_each(docs.body, '$.tags') AS t ORDER BY docs.id, t.key + 0;
SELECT json_array_length(tags), json_type(body, '$.tags') FROM docs ORDER BY id
"""


@pytest.mark.parametrize("kind", ["jsonb", "json", "text"])
def test_documents_of_every_type(kind: str, tmp_path: Path, each_database: str) -> None:
    source, script = make_source(tmp_path / "docs.db", DOCUMENTS), tmp_path / "queries.sql"
    plan = edited(edited(plan_text(source), "docs.body", type=kind), "docs.tags", type=kind)
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    script.write_text(ASKED_OF_DOCUMENTS, encoding="utf-8")
    answer = migrator("rewrite", "sql", script, "--db", source, "--plan", tmp_path / "plan.toml")
    assert answer.code == 0, answer.err
    move(source, each_database, plan=plan)
    with closing(sqlite3.connect(source)) as db, psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute(PACK.encode())
        ours = [db.execute(statement.text).fetchall() for statement in split(ASKED_OF_DOCUMENTS)]
        theirs = [connection.execute(text.encode()).fetchall() for text in answer.out.split(";\n") if text]
    assert ours == theirs
    script.write_text("SELECT body -> 'of' FROM docs", encoding="utf-8")
    code, _ = told(script, "--db", source, "--plan", tmp_path / "plan.toml")
    assert code == (7 if kind == "jsonb" else 0)


TIMES = """
CREATE TABLE log (id INTEGER PRIMARY KEY, at TIMESTAMP, day DATE, iso DATETIME, clock TIME, opt TIMESTAMP);
INSERT INTO log VALUES
    (1, '2024-01-01 00:00:00', '2024-01-01', '2024-01-01T10:00:00.000000', '09:30', '2024-01-01 10:00:00'),
    (2, '2024-02-29 12:30:15', '2023-12-31', '2024-01-01T10:00:00.250000', '23:59', '2024-01-01 10:00:00.000001'),
    (3, '0999-12-31 23:59:59', NULL, NULL, '00:00', '2024-01-02 00:00:00'), (4, NULL, '2024-02-29', NULL, NULL, NULL);
CREATE INDEX log_late ON log (at) WHERE at > '2024-01-01';
"""
ASKED_OF_TIMES = """
SELECT id FROM log WHERE at > '2024-01-01' ORDER BY id;
SELECT id FROM log WHERE at <= '2024-01-01' OR at = '2024-02-29 12:30:15' ORDER BY id;
SELECT id FROM log WHERE '2024-01-01 00:00:00' <= at AND day >= '2024-' ORDER BY id;
SELECT id FROM log WHERE at BETWEEN '2024-01-01' AND '2024-01-31 23:59:59' ORDER BY id;
SELECT id FROM log WHERE day IN ('2024-01-01', '2023-12-31') ORDER BY id;
SELECT id FROM log WHERE at < datetime('2024-02-29 12:30:15', '+1 second') AND day < date('now') ORDER BY id;
SELECT id FROM log WHERE at > date('2024-01-01') OR iso > datetime('2024-01-01 10:00:00') ORDER BY id;
SELECT id FROM log WHERE opt = '2024-01-01 10:00:00' OR opt > '2024-01-01 10:00:00.5' OR clock < '09:31' ORDER BY id;
SELECT date(at), datetime(day, '+1 day'), strftime('%H:%M', iso), time(at), julianday(opt) FROM log ORDER BY id;
SELECT substr(at, 1, 7), substr(opt, -8), iso || '!', clock || '', at LIKE '2024%' FROM log ORDER BY id;
SELECT id FROM log WHERE day GLOB '*-29' ORDER BY id;
SELECT date(at), count(*) FROM log GROUP BY date(at) ORDER BY 1;
SELECT x.id FROM (SELECT id, at AS t FROM log) AS x WHERE x.t < '2024-01-02' AND date(x.t) > '2000' ORDER BY 1
"""
WRITTEN_TIMES = """
INSERT INTO log (id, at, day) VALUES (5, datetime('2024-05-05 01:02:03', '-1 day'), date('2024-05-05'));
INSERT INTO log (id, at, day) VALUES (6, NULL, '2024-06-06');
UPDATE log SET at = '2024-07-07 07:07:07' WHERE day = '2024-06-06';
SELECT count(*) FROM log WHERE at > '2024-05-04 01:02:02' AND substr(day, 6, 1) = '0'
"""


def test_times_are_compared_and_shown_as_their_texts(tmp_path: Path, each_database: str) -> None:
    source, script = make_source(tmp_path / "times.db", TIMES), tmp_path / "queries.sql"
    script.write_text(f"{ASKED_OF_TIMES};{WRITTEN_TIMES}", encoding="utf-8")
    answer = migrator("rewrite", "sql", script, "--db", source)
    assert answer.code == 0, answer.err
    move(source, each_database)
    with closing(sqlite3.connect(source)) as db, psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute(PACK.encode())
        for statement, text in zip(split(script.read_text(encoding="utf-8")), answer.out.split(";\n"), strict=False):
            one, other = db.execute(statement.text), connection.execute(text.encode())
            if one.description:
                theirs = [tuple(map(_plain, row)) for row in other.fetchall()]
                assert [tuple(row) for row in one.fetchall()] == theirs, text


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO log (at) VALUES ('2024-01-01')",
        "UPDATE log SET day = datetime('now')",
        "UPDATE log SET iso = CURRENT_TIMESTAMP",
        "SELECT id FROM log WHERE at > 5",
        "SELECT id FROM log WHERE day > '2024'",
        "SELECT id FROM log WHERE day IN ('2024-01-01', 'never')",
        "SELECT date(COALESCE(at, opt)) FROM log",
        "SELECT CASE WHEN id > 1 THEN at ELSE 'x' END FROM log",
    ],
)
def test_texts_of_another_picture_are_declined(sql: str, tmp_path: Path) -> None:
    source, script = make_source(tmp_path / "times.db", TIMES), tmp_path / "queries.sql"
    script.write_text(sql, encoding="utf-8")
    assert told(script, "--db", source)[0] == 7


CATALOG = """
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name;
SELECT name FROM sqlite_master WHERE name = 'Rooms';
SELECT 1 FROM sqlite_master WHERE name = 'rooms';
SELECT type, tbl_name FROM sqlite_schema WHERE type = 'index' AND name = 'Rooms_by_Name';
SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%';
SELECT count(*), max(name) FROM sqlite_master WHERE type = 'view'
"""


def test_the_catalog_is_asked_by_the_names_of_the_source(tmp_path: Path, each_database: str) -> None:
    source, script = make_source(tmp_path / "spelt.db", SPELT), tmp_path / "queries.sql"
    script.write_text(CATALOG, encoding="utf-8")
    answer = migrator("rewrite", "sql", script, "--db", source)
    assert answer.code == 0, answer.err
    move(source, each_database)
    with closing(sqlite3.connect(source)) as db, psycopg.connect(each_database, autocommit=True) as connection:
        ours = [db.execute(statement.text).fetchall() for statement in split(CATALOG)]
        theirs = [connection.execute(text.encode()).fetchall() for text in answer.out.split(";\n") if text]
    assert ours == theirs


def test_stdin_is_read_where_no_file_is_named(shop: Path) -> None:
    process = start("rewrite", "sql", "--db", shop, stdin=-1)
    assert process.stdin
    process.stdin.write("SELECT id FROM customers WHERE name = ?")
    process.stdin.close()
    process.stdin = None
    answer = finish(process)
    assert answer.code == 0
    assert answer.out.count("%s") == 1


def test_definitions_are_not_taken_for_anything_else(tmp_path: Path) -> None:
    """A script comes from anybody: it makes tables in a file of its own, and opens no other."""
    file = tmp_path / "evil.sql"
    other = tmp_path / "other.db"
    file.write_text(f"ATTACH '{other}' AS o; CREATE TABLE o.t (a); CREATE TABLE t AS SELECT load_extension('x')",
                    encoding="utf-8")  # fmt: skip
    assert told(file)[0] == 7
    assert not other.exists()


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"SELECT \xff", 2, "is not UTF-8"),
        (b"SELECT 'open", 7, "SQLite cannot read it"),
        (b"SELECT (" * 3000, 7, "nested too deeply"),
        (b"SELECT 1 +" + b"+ 1" * 5000, 7, ""),
        (b"", 0, ""),
        (b";;;", 0, ""),
        (b"SELEC 1", 7, "SELEC is not translated"),
        (b"SELECT \x00", 7, "SQLite cannot read it"),
    ],
    ids=["not UTF-8", "unclosed", "deep", "long", "empty", "semicolons", "misspelt", "NUL"],
)
def test_bad_input_is_told_and_the_rest_goes_on(raw: bytes, code: int, said: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.sql"
    file.write_bytes(raw)
    answer = migrator("rewrite", "sql", file)
    assert answer.code == code, answer.all
    assert said in answer.err + answer.out


def test_files_that_are_not_there(shop: Path, tmp_path: Path) -> None:
    assert migrator("rewrite", "sql", tmp_path / "none.sql").code == 2
    assert migrator("rewrite", "sql", shop, "--db", tmp_path / "none.db").code in (2, 4)
    refused = migrator("rewrite", "sql", shop.with_suffix(".sql"), "--plan", "plan.toml")
    assert refused.code == 2


PIECES = [
    *("SELECT", "FROM", "t", "a", "?", ":x", "'", '"', "(", ")", ",", "=", "1", "1e9", "x'0'", "--", "/*", ";", "\n"),
    *("INSERT", "OR", "REPLACE", "INTO", "VALUES", "UPDATE", "SET", "WITH", "AS", "CASE", "END", "CREATE", "TRIGGER"),
    *("BEGIN", "NOT", "NULL", "IS", "LIKE", "ESCAPE", "[", "]", "`", "$", "@", "#", "\\", "é", "\0", "%", "."),
]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30).map(" ".join))
def test_no_text_is_too_strange(text: str) -> None:
    for statement in split(text):
        found = rewrite(statement, {}, Driver.PSYCOPG, "test")
        assert found.output is not None or found.findings


def test_the_functions_alone(database: str) -> None:
    """Twice, because they may be there already."""
    done = finish(start("rewrite", "functions"))
    assert done.code == 0
    for _ in range(2):
        with psycopg.connect(database) as connection:
            connection.execute(done.out.encode())
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT sqlite.hex('a')").fetchone() == ("61",)
