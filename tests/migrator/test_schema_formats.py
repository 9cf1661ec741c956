"""What `schema` prints makes the same tables as a run does, by whatever tool it is carried out."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from migrator.core.plan import Style
from migrator.core.progress import Silent
from migrator.core.shapes import Shape, portable
from migrator.steps.plan import PlanRequest, make_plan
from migrator.target.catalog import read_shapes, relations

from . import servers
from .databases import NAMES, build
from .moving import make_source, move
from .oracle import open_target
from .terminal import migrator
from .test_seed_systems import RECORDER, merge_plan

ALEMBICS_OWN = "alembic_version"


class Source:
    """A database and the plan by which it is carried."""

    def __init__(self, path: Path, plan: str) -> None:
        self.path = path
        self.plan = path.with_name("plan.toml")
        self.plan.write_text(plan, encoding="utf-8")

    def printed(self, form: str, *options: str) -> Path:
        """The file that `migrator schema` writes; with options, by a fresh plan."""
        file = self.path.with_name({"alembic": "0001.py"}.get(form, f"{form}.sql"))
        arguments = options or ("--plan", str(self.plan))
        answer = migrator("schema", self.path, "--format", form, "-o", file, "--workers", "1", *arguments)
        assert answer.code == 0, answer.err
        return file

    def run(self, database: str) -> dict[str, Any]:
        move(self.path, database, plan=self.plan.read_text(encoding="utf-8"))
        return made(database)


def planned(path: Path, style: str = "faithful") -> Source:
    return Source(path, make_plan(PlanRequest(path, Style(style), workers=1), Silent()).text)


def source_of(name: str, style: str, folder: Path) -> Source:
    if name == "recorder":
        return planned(Path(shutil.copy(RECORDER, folder)), style)
    path = build(name, folder)
    return Source(path, merge_plan(path, style)) if name == "catscan_legacy" else planned(path, style)


def made(database: str, schema: str = "public", but: str = "") -> dict[str, Any]:
    """Everything that is in the schema, as the catalog describes it, without the table `but`."""
    with open_target(database) as connection:
        shapes: dict[str, Shape] = read_shapes(connection, schema)  # and sets the search_path to that schema
        leaving = shapes[but].relations if but in shapes else {but}
        kinds = {name: kind for name, kind in relations(connection, schema).items() if name not in leaving}
        views = "SELECT viewname, definition FROM pg_views WHERE schemaname = %s"
        comments = (
            "SELECT c.relname, a.attname, obj_description(c.oid, 'pg_class'), col_description(c.oid, a.attnum)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE n.nspname = %s AND a.attnum > 0 AND c.relkind = 'r' ORDER BY c.relname, a.attnum"
        )
        return {
            "tables": {name: portable(shape) for name, shape in shapes.items() if name not in leaving},
            "relations": kinds,
            "views": dict(connection.execute(views, (schema,)).fetchall()),
            "comments": [row for row in connection.execute(comments, (schema,)) if row[0] not in leaving],
        }


def by_psql(server: servers.Server, file: Path, database: str) -> None:
    """As a person does it, in a terminal that knows ASCII only."""
    result = subprocess.run(
        [server.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, database],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def by_psycopg(file: Path, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(file.read_text(encoding="utf-8"))  # type: ignore[call-overload]  # what was printed


class Alembic:
    """A project as `alembic init` makes it, with the printed revision in it."""

    def __init__(self, revision: Path, database: str) -> None:
        folder = revision.with_name("alembic")
        command.init(Config(revision.with_name("alembic.ini"), stdout=io.StringIO()), str(folder))
        shutil.copy(revision, folder / "versions")
        self._output = io.StringIO()
        # Without its ini file, from which env.py would configure the logging of this process.
        self._config = Config(output_buffer=self._output)
        self._config.set_main_option("script_location", str(folder))
        url = database.replace("postgresql://", "postgresql+psycopg://")
        self._config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))

    def upgrade(self) -> None:
        command.upgrade(self._config, "head")

    def downgrade(self) -> None:
        command.downgrade(self._config, "base")

    def sql(self) -> str:
        """What `alembic upgrade head --sql` prints."""
        command.upgrade(self._config, "head", sql=True)
        return self._output.getvalue()


# -- real databases ----------------------------------------------------------------------------------------------------

# Both styles print the same kinds of statements, so each database shows one of them.
STYLES = {name: ("faithful", "idiomatic")[number % 2] for number, name in enumerate([*NAMES, "recorder"])}


@pytest.mark.parametrize("name", STYLES)
def test_every_tool_makes_what_a_run_makes(
    name: str, embedded_server: servers.Server, database: str, tmp_path: Path
) -> None:
    source = source_of(name, STYLES[name], tmp_path)
    wanted = source.run(database)
    assert wanted["tables"]
    assert_all_make(wanted, source, embedded_server)
    with servers.fresh_database(embedded_server) as url:
        assert_alembic_goes_there_and_back(source, url, without_alembics_own(wanted))


def assert_all_make(wanted: dict[str, Any], source: Source, server: servers.Server) -> None:
    tools: list[Callable[[str], None]] = [
        lambda url: by_psql(server, source.printed("sql"), url),
        lambda url: by_psql(server, source.printed("supabase"), url),
        lambda url: by_psycopg(source.printed("sql"), url),
    ]
    for carry_out in tools:
        with servers.fresh_database(server) as url:
            carry_out(url)
            assert made(url) == wanted


def without_alembics_own(wanted: dict[str, Any]) -> dict[str, Any]:
    table = wanted["tables"].get(ALEMBICS_OWN)
    leaving = table.relations if table else set()
    return {
        "tables": {name: shape for name, shape in wanted["tables"].items() if name not in leaving},
        "relations": {name: kind for name, kind in wanted["relations"].items() if name not in leaving},
        "views": wanted["views"],
        "comments": [row for row in wanted["comments"] if row[0] not in leaving],
    }


def assert_alembic_goes_there_and_back(
    source: Source, database: str, wanted: dict[str, Any], schema: str = "public", *options: str
) -> None:
    alembic = Alembic(source.printed("alembic", *options), database)
    alembic.upgrade()
    assert made(database, schema, but=ALEMBICS_OWN) == wanted
    with open_target(database) as connection:
        assert connection.execute("SELECT version_num FROM public.alembic_version").fetchall() == [("0001",)]
    alembic.downgrade()
    assert not any(made(database, schema, but=ALEMBICS_OWN).values())
    alembic.upgrade()


@pytest.mark.parametrize("name", ["sergas", "recorder"])
def test_another_schema(name: str, embedded_server: servers.Server, database: str, tmp_path: Path) -> None:
    """The same there, nothing in public; and Alembic still finds its own table, though the source has one too."""
    source = source_of(name, "faithful", tmp_path)
    wanted = source.run(database)
    with servers.fresh_database(embedded_server) as url:
        by_psql(embedded_server, source.printed("sql", "--schema", "Other: 100%"), url)
        assert made(url, "Other: 100%") == wanted
        assert not any(made(url).values())
    with servers.fresh_database(embedded_server) as url:
        wanted = without_alembics_own(wanted)
        assert_alembic_goes_there_and_back(source, url, wanted, "Other: 100%", "--schema", "Other: 100%")
        assert list(made(url)["tables"]) == [ALEMBICS_OWN]


def test_search_path_of_the_session_is_as_before(embedded_server: servers.Server, tmp_path: Path) -> None:
    """A migration tool sends many files through one session."""
    text = source_of("sergas", "faithful", tmp_path).printed("sql", "--schema", "other").read_text(encoding="utf-8")
    with servers.fresh_database(embedded_server) as url, open_target(url) as connection:
        before = connection.execute("SHOW search_path").fetchone()
        connection.execute(text)  # type: ignore[call-overload]  # what was printed
        assert connection.execute("SHOW search_path").fetchone() == before


@pytest.mark.parametrize("form", ["sql", "supabase", "alembic"])
def test_the_originals_are_named(form: str, tmp_path: Path) -> None:
    text = source_of("chinook", "faithful", tmp_path).printed(form).read_text(encoding="utf-8").replace("\\'", "'")
    assert 'COMMENT ON TABLE "invoiceline" IS \'SQLite table InvoiceLine' in text
    assert 'COMMENT ON COLUMN "invoiceline"."unitprice" IS \'SQLite: UnitPrice NUMERIC(10,2)\'' in text


@pytest.mark.parametrize("form", ["sql", "alembic"])
def test_the_originals_of_a_known_application_are_named(form: str, tmp_path: Path) -> None:
    """Its tables carry no comments, so the file does."""
    lines = source_of("recorder", "faithful", tmp_path).printed(form).read_text(encoding="utf-8").splitlines()
    mark = {"sql": "--", "alembic": "#"}[form]
    assert f"{mark} states_meta is SQLite table states_meta" in lines


# -- texts that mean something to a tool that carries them -------------------------------------------------------------

# psql reads \d, :name and $$, a driver %s and %%, SQLAlchemy :name, Python \n, """ and {}, everybody ; and line breaks.
AWKWARD = r"""
CREATE TABLE "50% off; it's :a" (
    id INTEGER PRIMARY KEY,
    "per:cent %s %% %(x)s" TEXT DEFAULT '100%% :name \: \n ''$$'' ; {x} ""\""" -- none',
    "two
lines\" TEXT DEFAULT 'first
second	third' CHECK ("two
lines\" <> ':id %s'),
    "after" BLOB DEFAULT x'00ff25',
    UNIQUE ("per:cent %s %% %(x)s")
);
CREATE INDEX "in:dex %d" ON "50% off; it's :a" ("two
lines\" DESC) WHERE "per:cent %s %% %(x)s" <> '%:x';
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES "50% off; it's :a" (id) ON DELETE CASCADE);
CREATE VIEW "view: 100%" AS SELECT id, "per:cent %s %% %(x)s" || ':x%' AS "a:b %%" FROM "50% off; it's :a";
CREATE VIEW upon AS SELECT id, "a:b %%" FROM "view: 100%";
CREATE TRIGGER "refused
DROP SCHEMA public CASCADE; --" AFTER INSERT ON child BEGIN
    DELETE FROM child WHERE id = ':x %s
DROP SCHEMA public CASCADE;';
END;
INSERT INTO "50% off; it's :a" (id) VALUES (1);
INSERT INTO child VALUES (1, 1);
"""

# Every table is also a type, and is found under its name.
TYPES = """
CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE date (id INTEGER PRIMARY KEY, date DATE, name TEXT);
CREATE TABLE name (id INTEGER PRIMARY KEY, date DATETIME, text TEXT CHECK (text <> ''));
CREATE TABLE uuid (id INTEGER PRIMARY KEY, uuid UUID, json JSON);
CREATE VIEW texts AS SELECT lower(text) || 'x' AS text FROM text;
INSERT INTO text VALUES (1, 'a');
INSERT INTO date VALUES (1, '2026-01-01', 'b');
INSERT INTO name VALUES (1, '2026-01-01 00:00:00', 'c');
"""

CIRCLE = """
CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b (id));
CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO a VALUES (1, NULL);
"""

SCRIPTS = {"awkward": AWKWARD, "types": TYPES, "circle": CIRCLE}


@pytest.fixture(params=list(SCRIPTS))
def hard(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return planned(make_source(tmp_path / "hard.db", SCRIPTS[request.param]))


def test_hard_texts_by_every_tool(hard: Source, embedded_server: servers.Server, database: str) -> None:
    wanted = hard.run(database)
    assert_all_make(wanted, hard, embedded_server)
    with servers.fresh_database(embedded_server) as url:
        assert_alembic_goes_there_and_back(hard, url, wanted)


def test_hard_texts_by_alembic_as_a_script(hard: Source, embedded_server: servers.Server, database: str) -> None:
    """`alembic upgrade head --sql`, for a person who may run SQL only."""
    wanted = hard.run(database)
    with servers.fresh_database(embedded_server) as url:
        script = hard.path.with_name("script.sql")
        script.write_text(Alembic(hard.printed("alembic"), url).sql(), encoding="utf-8")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(script.read_bytes())
        assert made(url, but=ALEMBICS_OWN) == wanted


def test_awkward_texts_arrive(embedded_server: servers.Server, tmp_path: Path) -> None:
    """Not only as the run makes them: the default and the names are those of the source."""
    source = planned(make_source(tmp_path / "awkward.db", AWKWARD))
    with servers.fresh_database(embedded_server) as url:
        Alembic(source.printed("alembic"), url).upgrade()
        with open_target(url) as connection:
            connection.execute("""INSERT INTO "50% off; it's :a" (id) VALUES (7)""")
            row = connection.execute("""SELECT * FROM "50% off; it's :a" """).fetchone()
            view = connection.execute('SELECT "a:b %%" FROM upon')
            assert row == (7, '100%% :name \\: \\n \'$$\' ; {x} ""\\""" -- none', "first\nsecond\tthird", b"\0\xff%")
            assert view.fetchone() == (row[1] + ":x%",)


def test_nothing_to_create(tmp_path: Path, embedded_server: servers.Server) -> None:
    """All that the source has is Alembic's own table."""
    script = f"CREATE TABLE {ALEMBICS_OWN} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    source = planned(make_source(tmp_path / "bare.db", script))
    with servers.fresh_database(embedded_server) as url:
        alembic = Alembic(source.printed("alembic"), url)
        alembic.upgrade()
        alembic.downgrade()
        alembic.upgrade()
        assert list(made(url)["tables"]) == [ALEMBICS_OWN]


@pytest.mark.parametrize("form", ["sql", "supabase", "alembic"])
def test_sqlites_functions_come_along_where_they_are_asked_for(
    form: str, tmp_path: Path, embedded_server: servers.Server, database: str
) -> None:
    source = planned(make_source(tmp_path / "shop.db", "CREATE TABLE t (at TEXT)"), "faithful")
    file = source.printed(form, "--compat")
    if form == "alembic":
        Alembic(file, database).upgrade()
    else:
        by_psql(embedded_server, file, database)
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT sqlite.date('2024-01-31', '+1 month'), to_regclass('public.t') IS NOT NULL")
        assert found.fetchone() == ("2024-03-02", True)
