"""The recorder profile: Home Assistant's own tables, filled; never tables that are only like them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from migrator.core.errors import DecisionNeeded, MigratorError, PlanError, SourceError, TargetError, UsageError
from migrator.core.findings import Severity
from migrator.core.progress import Silent
from migrator.core.shapes import Shape, from_json, portable, to_json
from migrator.profiles import home_assistant_recorder, recognise
from migrator.steps.plan import Planned, PlanRequest, make_plan, read_schema_of
from migrator.steps.schema import SchemaRequest, print_schema
from migrator.target.catalog import read_shapes

from .moving import Moved, make_source, move

FIXTURE = Path(__file__).parents[1] / "fixtures/recorder-2026.11"
SHIPPED = Path(home_assistant_recorder.__file__).parent / "recorder/53.json"
ROWS = 3_847
Edit = Callable[[str], None]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the recorder database that Home Assistant 2026.11.0 wrote."""
    return Path(shutil.copy(FIXTURE / "home-assistant_v2.db", tmp_path / "home-assistant_v2.db"))


@pytest.fixture
def edit(source: Path) -> Edit:
    def run_script(script: str) -> None:
        with closing(sqlite3.connect(source, isolation_level=None)) as db:
            db.execute("PRAGMA foreign_keys = off")
            db.executescript(script)

    return run_script


def make_tables(database: str, *more: str) -> None:
    """The tables as Home Assistant made them, by the dump; `more` are statements run after it."""
    dump = (FIXTURE / "postgres.sql").read_text(encoding="utf-8")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("\n".join(line for line in dump.splitlines() if not line.startswith("\\")))  # type: ignore[arg-type]  # a dump
        connection.execute("SET search_path TO public")
        for statement in more:
            connection.execute(statement)  # type: ignore[arg-type]  # of this file


def bookkeeping(version: int = 53) -> str:
    return f"INSERT INTO schema_changes (schema_version, changed) VALUES ({version}, now())"


def shapes(database: str) -> dict[str, Shape]:
    with psycopg.connect(database, autocommit=True) as connection:
        return read_shapes(connection, "public")


def shipped() -> dict[str, Shape]:
    return from_json(SHIPPED.read_text(encoding="utf-8"))


def ask(database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]  # of this file


def planned(source: Path) -> Planned:
    return make_plan(PlanRequest(source, workers=1), Silent())


def migrate(source: Path, database: str, **options: object) -> Moved:
    """Run as without --profile, and verify again."""
    moved = move(source, database, planning=PlanRequest(source, workers=1), **options)
    assert moved.result.proof.holds
    assert moved.differences() == []
    return moved


@pytest.fixture
def role(each_database: str) -> Iterator[Callable[[str], str]]:
    """Makes roles that are gone after the test, with all they own in this database."""
    made: list[str] = []
    with psycopg.connect(each_database, autocommit=True) as connection:

        def make(name: str) -> str:
            connection.execute(f'CREATE ROLE "{name}"')  # type: ignore[arg-type]
            connection.execute(f'GRANT CREATE, USAGE ON SCHEMA public TO "{name}"')  # type: ignore[arg-type]
            made.append(name)
            return name

        yield make
        for name in made:
            connection.execute(f'DROP OWNED BY "{name}" CASCADE')  # type: ignore[arg-type]
            connection.execute(f'DROP ROLE "{name}"')  # type: ignore[arg-type]


# -- the schema that is shipped ----------------------------------------------------------------------------------------


def test_shipped_schema_is_what_home_assistant_made(each_database: str) -> None:
    make_tables(each_database)
    made = {name: portable(shape) for name, shape in shapes(each_database).items()}
    assert to_json(made) == SHIPPED.read_text(encoding="utf-8")
    assert made == shipped()


def test_empty_target_becomes_what_home_assistant_makes(source: Path, each_database: str) -> None:
    moved = migrate(source, each_database)
    assert (moved.result.tables, moved.result.rows, moved.result.rejects, moved.result.healed) == (13, ROWS, 0, 1)
    assert {name: portable(shape) for name, shape in shapes(each_database).items()} == shipped()


def test_nul_in_a_state_is_stripped_and_reported(source: Path, database: str) -> None:
    moved = migrate(source, database)
    [healed] = moved.lines("healed.jsonl")
    assert (healed["table"], healed["column"], healed["policy"]) == ("states", "state", "strip-nul")
    assert ask(database, f"SELECT state FROM states WHERE state_id = {healed['key']['state_id']}") == [("ab",)]


def test_times_are_utc(source: Path, debian_database: str) -> None:
    """That server's time zone is America/St_Johns."""
    migrate(source, debian_database)
    query = "SELECT (start AT TIME ZONE 'UTC')::text FROM recorder_runs ORDER BY run_id LIMIT 1"
    assert ask(debian_database, query) == [("2026-11-21 02:45:31.09096",)]


def test_home_assistant_can_go_on(source: Path, each_database: str) -> None:
    """The inserts leave the ids to PostgreSQL, as Home Assistant does."""
    migrate(source, each_database)
    before = ask(each_database, "SELECT max(run_id), (SELECT max(state_id) FROM states) FROM recorder_runs")
    with psycopg.connect(each_database, autocommit=True) as connection:
        (run,) = connection.execute(
            "INSERT INTO recorder_runs (start, closed_incorrect, created) VALUES (now(), false, now()) RETURNING run_id"
        ).fetchone() or (None,)
        (state,) = connection.execute(
            "INSERT INTO states (state, old_state_id) SELECT 'on', max(state_id) FROM states RETURNING state_id"
        ).fetchone() or (None,)
    assert [(run, state)] == [(first + 1, second + 1) for first, second in before]  # type: ignore[operator]


# -- Home Assistant's tables are in the target -------------------------------------------------------------------------


def test_owner_grants_and_indexes_of_the_target_are_kept(
    source: Path, each_database: str, role: Callable[[str], str]
) -> None:
    owner, reader = role("homeassistant"), role("Grafana's reader")
    tables = [f'ALTER TABLE {name} OWNER TO "{owner}"' for name in shipped()]
    make_tables(
        each_database,
        *tables,
        f'GRANT SELECT ON states, statistics TO "{reader}"',
        f'GRANT SELECT (entity_id) ON states_meta TO "{reader}" WITH GRANT OPTION',
        f'GRANT USAGE ON SEQUENCE states_state_id_seq TO "{reader}"',
        "GRANT SELECT ON event_types TO PUBLIC",
        "CREATE INDEX of_the_user ON states (state) WHERE state <> 'unknown'",
        "ALTER TABLE states SET (fillfactor = 70)",
        bookkeeping(),
    )
    before = shapes(each_database)
    assert len([grant for shape in before.values() for grant in shape.grants]) == 5
    moved = migrate(source, each_database)
    assert shapes(each_database) == before
    assert moved.result.rows == ROWS
    assert "recorder-rows-replaced" in {finding.rule for finding in moved.result.findings}


def test_serial_columns_of_an_older_home_assistant_are_kept(source: Path, each_database: str) -> None:
    make_tables(
        each_database,
        "ALTER TABLE states ALTER state_id DROP IDENTITY",
        "CREATE SEQUENCE states_state_id_seq OWNED BY states.state_id",
        "ALTER TABLE states ALTER state_id SET DEFAULT nextval('states_state_id_seq')",
        "ALTER TABLE states ALTER attributes TYPE text, ALTER event_id TYPE integer",
        bookkeeping(),
    )
    before = shapes(each_database)
    migrate(source, each_database)
    assert shapes(each_database) == before
    assert ask(each_database, "SELECT nextval('states_state_id_seq') > max(state_id) FROM states") == [(True,)]


def test_a_reviewed_plan_takes_the_targets_types(source: Path, database: str) -> None:
    make_tables(database, "ALTER TABLE states ALTER event_id TYPE integer", bookkeeping())
    migrate(source, database, plan=planned(source).text)
    assert {column.name: column.type for column in shapes(database)["states"].columns}["event_id"] == "integer"


def test_rows_in_the_target_need_replace(source: Path, database: str) -> None:
    make_tables(database, bookkeeping(), "INSERT INTO states (state) VALUES ('on')")
    with pytest.raises(TargetError, match=r"rows in states;.*--replace"):
        migrate(source, database)
    assert ask(database, "SELECT count(*) FROM states") == [(1,)]
    assert migrate(source, database, replace=True).result.rows == ROWS


def test_rows_written_during_the_run_need_replace_too(
    source: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from migrator.steps import carrying

    make_tables(database, bookkeeping())

    def verify_while_home_assistant_starts(*arguments: object) -> object:
        ask(database, "INSERT INTO states (state) VALUES ('on') RETURNING 1")
        return verify_all(*arguments)

    verify_all = carrying.verify_all
    monkeypatch.setattr(carrying, "verify_all", verify_while_home_assistant_starts)
    with pytest.raises(TargetError, match=r"rows in states.*goes on where it was"):
        migrate(source, database)
    assert ask(database, "SELECT count(*) FROM states") == [(1,)]
    assert migrate(source, database, replace=True).result.rows == ROWS
    assert ask(database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'migrator%'") == [(0,)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE VIEW of_the_user AS SELECT state FROM states", "of_the_user"),
        (
            "CREATE TRIGGER of_the_user BEFORE UPDATE ON states FOR EACH ROW "
            "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "trigger of_the_user on states",
        ),
        ("CREATE TABLE of_the_user (state_id bigint)", "not empty"),
    ],
)
def test_what_would_be_lost_is_refused_first(source: Path, database: str, statement: str, said: str) -> None:
    make_tables(database, bookkeeping(), statement)
    with pytest.raises(TargetError, match=said):
        migrate(source, database)


def test_another_table_may_be_there_with_into_existing(source: Path, database: str) -> None:
    make_tables(database, bookkeeping(), "CREATE TABLE of_the_user (id bigint)")
    assert migrate(source, database, into_existing=True).result.rows == ROWS
    assert set(shapes(database)) == {*shipped(), "of_the_user"}


@pytest.mark.parametrize(("version", "advice"), [(52, "db_url"), (54, "SQLite")])
def test_another_version_in_the_target_is_refused(source: Path, database: str, version: int, advice: str) -> None:
    make_tables(database, bookkeeping(version))
    with pytest.raises(TargetError, match=rf"53, the target {version}\..*{advice}"):
        migrate(source, database)


# -- the source --------------------------------------------------------------------------------------------------------


def test_plan_needs_no_answer_and_says_why(source: Path) -> None:
    plan = planned(source)
    assert plan.decisions == ()
    assert plan.plan.profile == "home-assistant-recorder"
    assert "collation" not in plan.text.partition("[tables")[2]
    states = plan.plan.table("states")
    assert states is not None
    state, key = states.column("state"), states.column("state_id")
    assert state is not None
    assert key is not None
    assert (str(state.type), state.policy, key.identity) == ("varchar(255)", "strip-nul", True)
    assert "Home Assistant's character varying(255)" in state.why


def test_unknown_version_needs_tables_that_home_assistant_made(source: Path, database: str, edit: Edit) -> None:
    edit("INSERT INTO schema_changes (schema_version, changed) VALUES (54, '2026-12-01 00:00:00.000000')")
    with pytest.raises(DecisionNeeded, match="version 54"):
        planned(source)
    with pytest.raises(DecisionNeeded, match=r"version 54.*db_url"):
        migrate(source, database)
    edit("ALTER TABLE states ADD COLUMN colour TEXT; CREATE TABLE states_colours (id INTEGER PRIMARY KEY, rgb BLOB)")
    make_tables(
        database,
        bookkeeping(54),
        "ALTER TABLE states ADD COLUMN colour varchar(8)",
        "CREATE TABLE states_colours (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, rgb bytea)",
    )
    before = shapes(database)
    assert migrate(source, database).result.rows == ROWS + 1
    assert shapes(database) == before


def test_pending_data_migrations_are_refused(source: Path, database: str, edit: Edit) -> None:
    edit("UPDATE schema_changes SET schema_version = 30; INSERT INTO schema_changes (schema_version, changed)"
         " VALUES (53, '2026-11-21 00:00:00.000000')")  # fmt: skip
    with pytest.raises(SourceError, match=r"version 30.*state_context_id_as_binary.*Start Home Assistant once"):
        migrate(source, database)
    names = ["state_context_id_as_binary", "event_context_id_as_binary", "event_type_id_migration",
             "entity_id_migration", "entity_id_post_migration"]  # fmt: skip
    for name in names:
        edit(f"INSERT INTO migration_changes VALUES ('{name}', 2)")
    assert migrate(source, database).result.rows == ROWS + 1 + len(names)


@pytest.mark.parametrize(
    "column",
    ["states.entity_id", "states.context_id", "states.last_updated", "states.event_id", "events.event_type",
     "events.time_fired"],
)  # fmt: skip
def test_values_in_old_columns_mean_a_pending_migration(source: Path, edit: Edit, column: str) -> None:
    table, _, name = column.partition(".")
    edit(f"UPDATE {table} SET {name} = 1 WHERE rowid = 7")
    with pytest.raises(SourceError, match=rf"{column} \(1\)"):
        planned(source)


def test_old_attributes_need_a_decision(source: Path, database: str, edit: Edit) -> None:
    """Home Assistant moved newer ones elsewhere, and never reads these again."""
    edit("UPDATE states SET attributes = '{}' WHERE state_id = 7")
    plan = planned(source)
    assert [(finding.rule, finding.where) for finding in plan.decisions] == [("values-do-not-fit", "states.attributes")]
    moved = migrate(source, database, plan=plan.text)
    assert [line["column"] for line in moved.lines("rejects.jsonl")] == ["attributes"]
    assert [line["column"] for line in moved.lines("healed.jsonl")].count("old_state_id") == 1


def test_columns_are_found_by_name_and_empty_old_ones_left(source: Path, each_database: str, edit: Edit) -> None:
    """A database that grew up has its columns in another order, and some that are gone today."""
    edit("""
        ALTER TABLE states RENAME TO old;
        CREATE TABLE states (
            entity_id VARCHAR(255), domain VARCHAR(64), state_id INTEGER NOT NULL PRIMARY KEY, metadata_id INTEGER,
            last_updated_ts FLOAT, state VARCHAR(255), attributes TEXT, event_id INTEGER, last_changed DATETIME,
            last_changed_ts FLOAT, last_reported_ts FLOAT, last_updated DATETIME, old_state_id INTEGER,
            attributes_id INTEGER, context_id VARCHAR(36), context_user_id VARCHAR(36), context_parent_id VARCHAR(36),
            origin_idx SMALLINT, context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB);
        INSERT INTO states (state_id, metadata_id, last_updated_ts, state, last_changed_ts, last_reported_ts,
            old_state_id, attributes_id, origin_idx, context_id_bin)
        SELECT state_id, metadata_id, last_updated_ts, state, last_changed_ts, last_reported_ts,
            old_state_id, attributes_id, origin_idx, context_id_bin FROM old;
        DROP TABLE old;
        CREATE INDEX ix_states_event_id ON states (event_id)""")
    found = {(finding.rule, finding.where): finding.severity for finding in planned(source).findings}
    assert found == {("recorder-column", "states.domain"): Severity.NOTE}
    moved = migrate(source, each_database)
    assert {name: portable(shape) for name, shape in shapes(each_database).items()} == shipped()
    said = {(finding.rule, finding.where) for finding in moved.result.findings}
    assert said == {("index", "ix_states_event_id"), ("recorder-column", "states.domain")}


def test_column_with_values_that_home_assistant_does_not_know(source: Path, database: str, edit: Edit) -> None:
    edit("ALTER TABLE states ADD COLUMN of_the_user TEXT; UPDATE states SET of_the_user = 'x'")
    plan = planned(source)
    assert [(finding.rule, finding.where) for finding in plan.decisions] == [("recorder-column", "states.of_the_user")]
    with pytest.raises(DecisionNeeded):
        migrate(source, database)
    with pytest.raises(PlanError, match="no column of_the_user"):
        migrate(source, database, plan=plan.text)
    line = next(line for line in plan.text.splitlines() if line.startswith("of_the_user"))
    migrate(source, database, plan=plan.text.replace(line, line.replace("{", "{drop = true, ", 1)))
    assert {name: portable(shape) for name, shape in shapes(database).items()} == shipped()


def test_other_tables_are_carried_beside(source: Path, database: str, edit: Edit) -> None:
    edit("""
        CREATE TABLE notes (
            id INTEGER PRIMARY KEY, metadata_id INTEGER REFERENCES states_meta (metadata_id), text TEXT);
        INSERT INTO notes VALUES (1, 1, 'mine');
        CREATE VIEW latest AS SELECT state_id, state FROM states WHERE state_id > 800""")
    moved = migrate(source, database)
    assert (moved.result.tables, moved.result.findings) == (14, ())
    found = shapes(database)
    assert {name: portable(found[name]) for name in shipped()} == shipped()
    assert [item.parent for item in found["notes"].references] == ["states_meta"]
    assert ask(database, "SELECT text FROM notes") == [("mine",)]
    assert ask(database, "SELECT count(*) FROM latest") == [(7,)]


def test_a_table_of_the_same_name_in_the_target_is_in_the_way(source: Path, database: str, edit: Edit) -> None:
    edit("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    make_tables(database, bookkeeping(), "CREATE TABLE notes (id integer)")
    with pytest.raises(TargetError, match="1 name is taken"):
        migrate(source, database, into_existing=True)


def test_states_that_are_too_long_become_rejects_when_the_plan_says_so(source: Path, database: str, edit: Edit) -> None:
    edit("UPDATE states SET state = printf('%0300d', 1) WHERE state_id = 7")
    plan = planned(source)
    assert [finding.where for finding in plan.decisions] == ["states.state"]
    moved = migrate(source, database, plan=plan.text)
    assert [line["column"] for line in moved.lines("rejects.jsonl")] == ["state"]


def test_lost_references_become_null_as_when_home_assistant_purges(source: Path, database: str, edit: Edit) -> None:
    edit("DELETE FROM states WHERE state_id IN (SELECT old_state_id FROM states ORDER BY state_id DESC LIMIT 3)")
    assert [finding.rule for finding in planned(source).findings] == ["orphans"]
    moved = migrate(source, database)
    assert {line["policy"] for line in moved.lines("healed.jsonl")} >= {"orphans = null"}
    assert {name: portable(shape) for name, shape in shapes(database).items()} == shipped()


def test_other_lost_references_are_carried(source: Path, database: str, edit: Edit) -> None:
    edit("DELETE FROM states_meta WHERE metadata_id = (SELECT max(metadata_id) FROM states)")
    moved = migrate(source, database)
    assert (moved.result.rows, moved.result.rejects) == (ROWS - 1, 0)
    assert shapes(database)["states"].invalid == ("states_metadata_id_fkey",)


def test_times_with_and_without_a_fraction(source: Path, database: str, edit: Edit) -> None:
    edit("UPDATE recorder_runs SET created = '2020-01-02 03:04:05' WHERE run_id = 1")
    plan = planned(source)
    assert plan.decisions == ()
    assert 'created = {type = "timestamptz", format = "YYYY-MM-DD HH:MM:SS[.ffffff]"' in plan.text
    migrate(source, database)


# -- names -------------------------------------------------------------------------------------------------------------


def test_profiles_have_names(source: Path, tmp_path: Path) -> None:
    schema = read_schema_of(source)
    assert recognise("none", schema) is None
    assert recognise("auto", schema) is recognise("home-assistant-recorder", schema)
    with pytest.raises(UsageError, match="no profile recorder"):
        recognise("recorder", schema)
    other = read_schema_of(make_source(tmp_path / "other.db", "CREATE TABLE states (state_id INTEGER PRIMARY KEY)"))
    assert recognise("auto", other) is None
    with pytest.raises(UsageError, match="lacks tables"):
        recognise("home-assistant-recorder", other)


def test_switched_off_it_is_an_ordinary_database(source: Path, database: str) -> None:
    planning = PlanRequest(source, profile="none", workers=1)
    text = make_plan(planning, Silent()).text.replace(
        'state = {type = "varchar(255)"', 'state = {type = "varchar(255)", policy = "strip-nul"'
    )
    assert 'profile = "none"' in text
    moved = move(source, database, plan=text)
    assert moved.result.proof.holds
    assert str(shapes(database)["events"].column("time_fired").type) != "timestamp with time zone"  # type: ignore[union-attr]


def test_renaming_home_assistants_tables_is_refused(source: Path, database: str) -> None:
    text = planned(source).text.replace('target = "states"', 'target = "zustände"')
    with pytest.raises(PlanError, match="Home Assistant looks for"):
        migrate(source, database, plan=text)


def test_dropped_table_is_there_and_empty(source: Path, database: str) -> None:
    text = planned(source).text.replace('target = "statistics_runs"', 'target = "statistics_runs"\ndrop = true')
    migrate(source, database, plan=text)
    assert {name: portable(shape) for name, shape in shapes(database).items()} == shipped()
    assert ask(database, "SELECT count(*) FROM statistics_runs") == [(0,)]


def test_printed_schema_loads_and_is_home_assistants(source: Path, database: str) -> None:
    request = SchemaRequest(source, None, PlanRequest(source, workers=1), "sql")
    text = print_schema(request, Silent()).text
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(text)  # type: ignore[arg-type]  # what was printed
    assert {name: portable(shape) for name, shape in shapes(database).items()} == shipped()


def test_errors_say_what_to_do_next(source: Path, database: str, edit: Edit) -> None:
    edit("DELETE FROM schema_changes")
    with pytest.raises(MigratorError) as caught:
        migrate(source, database)
    assert caught.value.next_step
