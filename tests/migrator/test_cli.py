"""The command line as a person and a script meet it: help, exit codes, JSON, signals, and no secret anywhere."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from migrator.cli import cli
from migrator.core.findings import count_of

from . import servers
from .moving import make_source
from .terminal import Answer, finish, left_behind, migrator, start

VERBS = ["inspect", "plan", "schema", "run", "export", "load", "verify"]
SHOP = """
PRAGMA journal_mode = WAL;
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace');
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers(id), total REAL);
INSERT INTO orders VALUES (1, 1, 9.5), (2, 2, 0.25);
CREATE INDEX orders_by_customer ON orders (customer);
CREATE VIEW totals AS SELECT name, total FROM customers c JOIN orders o ON o.customer = c.id;
"""
UNDECIDED = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1), (2, 'two');"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_source(tmp_path / "shop.db", SHOP)


def run(source: Path, *arguments: str | Path) -> Answer:
    return migrator("run", source, *arguments, "--run-dir", source.parent / "runs", "--workers", "1")


def one_plan(source: Path) -> Path:
    """A plan that leaves every question with `reject`."""
    file = source.with_suffix(".toml")
    assert migrator("plan", source, "-o", file, "--workers", "1").code in (0, 7)
    return file


# -- help --------------------------------------------------------------------------------------------------------------


def test_help_lists_every_verb() -> None:
    answer = migrator("--help")
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.partition("Commands:")[2].strip().splitlines()][
        : len(VERBS)
    ] == VERBS
    assert "Exit codes:" in answer.out


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb: str) -> None:
    """What it does, in sentences; examples; and a word about every option."""
    answer = migrator(verb, "--help")
    assert answer.code == 0
    assert f"migrator {verb} " in answer.out.partition("Examples:")[2]
    command = cli.commands[verb]
    assert command.help
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", None), parameter.name
    assert all(len(line) <= 120 for line in answer.out.splitlines())


# -- exit codes --------------------------------------------------------------------------------------------------------


def test_exit_0_all_is_well(shop: Path, database: str) -> None:
    assert run(shop, database).code == 0
    assert migrator("verify", shop, database, "--run-dir", shop.parent / "runs").code == 0


def test_exit_1_the_run_folder_cannot_be_made(shop: Path, database: str) -> None:
    (shop.parent / "runs").write_text("a file")
    answer = run(shop, database)
    assert answer.code == 1
    assert "--run-dir" in answer.err
    assert left_behind(database) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "{source}", "{database}", "--style", "odd"],
        ["run", "{source}", "{database}", "--plan", "{folder}/no.toml"],
        ["run", "{source}", "mysql://host/db"],
        ["run", "{source}", "env:NOT_SET_AT_ALL"],
        ["plan", "{source}", "--refresh"],
        ["verify", "{source}", "{database}", "--run-dir", "{folder}/no"],
    ],
)
def test_exit_2_usage(arguments: list[str], shop: Path, database: str) -> None:
    filled = [part.format(source=shop, database=database, folder=shop.parent) for part in arguments]
    if filled[0] == "run":
        filled += ["--run-dir", str(shop.parent / "runs")]
    answer = migrator(*filled)
    assert answer.code == 2, answer.all
    assert answer.err
    assert left_behind(database) == []


@pytest.mark.parametrize("option", ["--schema", "--style", "--zone", "--profile"])
def test_option_that_the_plan_decides_is_refused(option: str, shop: Path, database: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    assert migrator("plan", shop, "-o", plan).code == 0
    value = {"--style": "idiomatic", "--profile": "none"}.get(option, "other")

    answer = migrator("run", shop, database, "--plan", plan, option, value, "--replace", "--yes")

    assert answer.code == 2
    assert f"{option} and --plan contradict each other" in answer.err


def test_exit_3_rows_were_rejected(tmp_path: Path, database: str) -> None:
    source = make_source(tmp_path / "odd.db", UNDECIDED)
    answer = run(source, database, "--plan", one_plan(source))
    assert answer.code == 3
    assert "1 rejected" in answer.out
    assert migrator("verify", source, database, "--run-dir", tmp_path / "runs").code == 0, "the reject explains it"


def test_run_that_wrote_nothing_leaves_no_folder(shop: Path, database: str) -> None:
    """A mistyped source or target, or an open question, is found before there is anything to keep."""
    runs, undecided = shop.parent / "runs", make_source(shop.parent / "odd.db", UNDECIDED)
    wrong = [(shop.parent / "no.db", database), (shop, "postgresql://127.0.0.1:1/no"), (undecided, database)]
    assert [run(*arguments).code for arguments in wrong] == [4, 5, 7]
    assert not runs.exists()
    runs.mkdir()
    assert run(*wrong[0]).code == 4
    assert list(runs.iterdir()) == [], "a folder that was there before stays"


def test_exit_4_the_source(tmp_path: Path, database: str) -> None:
    assert run(tmp_path / "no.db", database).code == 4


@pytest.mark.parametrize("target", ["postgresql://127.0.0.1:1/db", "postgresql:///no_such_database?host={folder}"])
def test_exit_5_the_target(target: str, shop: Path, embedded_server: servers.Server) -> None:
    answer = run(shop, target.format(folder=embedded_server.folder) + ("&user=postgres" if "?" in target else ""))
    assert answer.code == 5
    for word in ("error:", "why:", "next:"):
        assert word in answer.err


def test_exit_7_a_decision_is_needed(tmp_path: Path, database: str) -> None:
    source = make_source(tmp_path / "odd.db", UNDECIDED)
    assert migrator("plan", source).code == 7
    answer = run(source, database)
    assert answer.code == 7
    assert "t.n" in answer.err
    assert left_behind(database) == []


# -- output ------------------------------------------------------------------------------------------------------------


def test_json_is_one_object_with_kind_and_version(shop: Path, database: str) -> None:
    """From a real process, so that whatever else writes to stdout would be seen."""
    runs = shop.parent / "runs"
    kinds = {}
    for arguments in (
        ["inspect", shop],
        ["plan", shop],
        ["plan", shop, "-o", shop.parent / "plan.toml"],
        ["schema", shop],
        ["run", shop, database, "--run-dir", runs],
        ["verify", shop, database, "--run-dir", runs],
    ):
        answer = finish(start(*arguments, "--json", "--workers", "1"))
        body = json.loads(answer.out)
        assert body["version"] == 1
        assert answer.code == 0
        kinds[str(arguments[0])] = body["kind"]
        assert "{" not in answer.err
    assert kinds == {
        "inspect": "inspection",
        "plan": "plan",
        "schema": "schema",
        "run": "run",
        "verify": "verification",
    }


@pytest.mark.parametrize("verb", VERBS)
def test_json_of_an_error(verb: str, tmp_path: Path, database: str) -> None:
    target = [database] if verb in ("run", "load", "verify") else [tmp_path / "out"] if verb == "export" else []
    folder = ["--run-dir", tmp_path] if verb in ("run", "load", "verify") else []
    answer = migrator(verb, tmp_path / "no.db", *target, "--json", *folder)
    body = json.loads(answer.out)
    assert body["kind"] == "error"
    assert body["version"] == 1
    assert body["exit_code"] == answer.code != 0
    assert body["what"]
    assert answer.err.startswith("error: ")


def test_progress_goes_to_stderr(shop: Path, database: str) -> None:
    answer = run(shop, database)
    assert "Copying: 4" in answer.err
    assert "Copying" not in answer.out
    assert answer.out.count("verified") == 1


ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|9[0-7]|38;)")


def test_no_colours_off_a_terminal(shop: Path, database: str) -> None:
    answer = finish(start("run", shop, database, "--run-dir", shop.parent / "runs", env={"TERM": "xterm-256color"}))
    assert ESCAPE not in answer.all
    assert ESCAPE not in finish(start("inspect", shop.parent / "no.db", env={"TERM": "xterm-256color"})).all


@pytest.mark.parametrize("no_color", [False, True])
def test_no_color_on_a_terminal(no_color: bool, tmp_path: Path) -> None:
    """https://no-color.org"""
    environment = {"TERM": "xterm-256color", "COLUMNS": "1000"} | ({"NO_COLOR": "1"} if no_color else {})
    shown = on_a_terminal([sys.executable, "-m", "migrator", "inspect", str(tmp_path / "no.db")], environment)
    assert "does not exist" in shown
    assert bool(COLOUR.search(shown)) is not no_color


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=kept | environment)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux says EIO when the last writer is gone.
        while piece := os.read(ours, 65536):
            shown += piece
    process.wait()
    os.close(ours)
    return shown.decode()


# -- what is in the target already -------------------------------------------------------------------------------------


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row and row[0]


def assert_refused(answer: Answer, code: int, *words: str) -> None:
    """Before anything was copied."""
    assert answer.code == code, answer.all
    assert "Copying" not in answer.err
    for word in words:
        assert word in " ".join(answer.err.split())


def test_target_that_is_not_empty(shop: Path, database: str) -> None:
    execute(database, "CREATE TABLE other (a int)", "INSERT INTO other VALUES (1)")
    assert_refused(run(shop, database), 5, "not empty", "table other", "--into-existing", "--replace")
    assert left_behind(database) == [("other", "r")]


def test_into_existing(shop: Path, database: str) -> None:
    execute(database, "CREATE TABLE other (a int)", "INSERT INTO other VALUES (1)")
    assert run(shop, database, "--into-existing").code == 0
    assert value(database, "SELECT (SELECT count(*) FROM other) + (SELECT count(*) FROM orders)") == 3


@pytest.mark.parametrize(
    "taken",
    [
        "CREATE TABLE orders (a int)",
        "CREATE VIEW customers AS SELECT 1 AS a",
        "CREATE TABLE x (a int); CREATE INDEX orders_by_customer ON x (a)",
        "CREATE SEQUENCE orders_id_seq",
        "CREATE TABLE totals (a int)",
    ],
)
def test_into_existing_with_a_name_of_ours(taken: str, shop: Path, database: str) -> None:
    execute(database, taken)
    before = left_behind(database)
    assert_refused(run(shop, database, "--into-existing"), 5, "taken")
    assert left_behind(database) == before


def test_replace(shop: Path, database: str) -> None:
    """What is ours is replaced, what is not stays."""
    assert run(shop, database).code == 0
    execute(database, "UPDATE orders SET total = 77", "CREATE TABLE other (a int)", "INSERT INTO other VALUES (5)")
    assert_refused(run(shop, database, "--replace"), 7, "--yes")
    assert value(database, "SELECT max(total) FROM orders") == 77
    assert run(shop, database, "--replace", "--yes").code == 0
    assert value(database, "SELECT max(total) FROM orders") == 9.5
    assert value(database, "SELECT a FROM other") == 5
    assert migrator("verify", shop, database, "--run-dir", shop.parent / "runs").code == 0


@pytest.mark.parametrize(
    "dependent",
    [
        "CREATE VIEW report AS SELECT total FROM orders",
        "CREATE TABLE invoices (id int, number bigint REFERENCES orders (id))",
        "CREATE SCHEMA more; CREATE MATERIALIZED VIEW more.report AS SELECT name FROM totals",
    ],
)
def test_replace_with_something_that_depends_on_ours(dependent: str, shop: Path, database: str) -> None:
    assert run(shop, database).code == 0
    execute(database, dependent, "UPDATE orders SET total = 77")
    before = left_behind(database)
    assert_refused(run(shop, database, "--replace", "--yes"), 5, "depend")
    assert left_behind(database) == before
    assert value(database, "SELECT max(total) FROM orders") == 77


@pytest.mark.parametrize("option", ["--replace", "--into-existing"])
@pytest.mark.parametrize(
    ("statement", "held"),
    [
        ("CREATE TABLE other (a int); CREATE INDEX orders_by_customer ON other (a)", "index orders_by_customer"),
        ("CREATE TABLE other (a int); CREATE INDEX orders_pkey ON other (a)", "index orders_pkey"),
        ("CREATE SEQUENCE customers_id_seq", "sequence customers_id_seq"),
        ("CREATE TYPE orders AS (a int)", "composite type orders"),
        ("CREATE TYPE totals AS ENUM ('a')", "enum type totals"),
        ("CREATE DOMAIN customers AS text", "domain customers"),
    ],
)
def test_a_name_that_belongs_to_something_else(
    option: str, statement: str, held: str, shop: Path, database: str
) -> None:
    """The rename would stumble over it after the whole copy, so it is said before."""
    execute(database, statement)
    before = left_behind(database)
    assert_refused(run(shop, database, option, "--yes", "--dry-run"), 5, f"It holds {held}.")
    assert left_behind(database) == before


def test_names_that_are_in_nobodys_way(shop: Path, database: str) -> None:
    """What belongs to a replaced table goes with it; and only tables and views share their names with types."""
    assert run(shop, database).code == 0
    execute(database, "CREATE TYPE orders_by_customer AS ENUM ('a')", "CREATE TYPE other AS ENUM ('a')")
    assert run(shop, database, "--replace", "--yes").code == 0


@pytest.mark.parametrize("options", [[], ["--into-existing"], ["--replace"]])
def test_dry_run_changes_nothing(options: list[str], shop: Path, database: str) -> None:
    if options:
        execute(database, "CREATE TABLE other (a int)")
    if options == ["--replace"]:
        execute(database, "CREATE TABLE orders (a int)")
    before = left_behind(database)
    assert run(shop, database, "--dry-run", *options).code == 0
    assert left_behind(database) == before


def test_dry_run_is_not_taken_for_the_run(tmp_path: Path, database: str) -> None:
    """verify takes the newest run that was carried out: it knows what was rejected."""
    source = make_source(tmp_path / "odd.db", UNDECIDED)
    plan = one_plan(source)
    assert run(source, database, "--plan", plan).code == 3
    assert run(source, database, "--plan", plan, "--replace", "--dry-run").code == 0
    answer = migrator("verify", source, database, "--run-dir", tmp_path / "runs")
    assert answer.code == 0, answer.all


@pytest.mark.parametrize(("number", "said"), [(0, "0 tables"), (1, "1 table"), (1204, "1,204 tables")])
def test_a_number_and_its_noun(number: int, said: str) -> None:
    assert count_of(number, "table") == said


# -- interrupted -------------------------------------------------------------------------------------------------------

MANY_ROWS = """
PRAGMA journal_mode = WAL;
CREATE TABLE readings (id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, value REAL, note TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
INSERT INTO readings SELECT i, 'sensor ' || i % 100, i * 0.1, hex(randomblob(20)) FROM n;
CREATE INDEX readings_by_sensor ON readings (sensor, value);
"""


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_source(tmp_path_factory.mktemp("many") / "many.db", MANY_ROWS)


def arrived(url: str) -> int:
    """How many units of unfinished runs are in the target."""
    with psycopg.connect(url, autocommit=True) as connection:
        journals = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrator_journal_%'")
        try:
            return sum(
                connection.execute(f'SELECT count(*) FROM "{name}".unit').fetchone()[0]  # type: ignore[index]
                for (name,) in journals.fetchall()
            )
        except psycopg.errors.UndefinedTable:
            return 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["census", "copy"])
def test_interrupted(number: signal.Signals, moment: str, many_rows: Path, database: str) -> None:
    """Ctrl-C reaches every process of the terminal, a service manager's SIGTERM the first one only.

    As soon as something has arrived it is kept, and the same command goes on.
    """
    command = ("run", many_rows, database, "--run-dir", many_rows.parent / f"runs-{number}-{moment}", "--workers", "1")
    with heeding_interrupts():
        process = start(*command, start_new_session=True)
    try:
        while process.poll() is None and not (arrived(database) if moment == "copy" else any(command[4].glob("*"))):
            time.sleep(0.02)
        assert process.poll() is None, "it was too quick to be interrupted"
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        answer = finish(process)
    finally:
        process.kill()
    assert processes_of(process.pid) == []
    if moment == "census":
        assert (answer.code, left_behind(database)) == (130, [])
        assert "Interrupted." in answer.err
        return
    assert answer.code == 6, answer.all
    assert "The same command goes on where it was" in answer.err
    again = migrator(*command)
    assert again.code == 0, again.all
    assert "going on with the run" in again.err
    assert value(database, "SELECT count(*) FROM readings") == 400_000
    assert value(database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'migrator%'") == 0


@contextmanager
def heeding_interrupts() -> Iterator[None]:
    """Processes started here get SIGINT's default; what runs in the background (nohup, a shell's &) ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def processes_of(session: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) == session:
                found.append(int(folder.name))
    return found


# -- secrets -----------------------------------------------------------------------------------------------------------

CANARY = "C4nary9xPw"
WRONG = "Wr0ngC4nary"


@pytest.fixture(scope="module")
def guarded() -> Iterator[servers.Server]:
    """A PostgreSQL that asks the role `canary` for a password."""
    try:
        with servers.debian() as server:
            rules = server.folder / "data" / "pg_hba.conf"
            rules.write_text("local all canary scram-sha-256\n" + rules.read_text())
            execute(
                server.url("postgres"),
                f"CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{CANARY}'",
                "SELECT pg_reload_conf()",
            )
            yield server
    except servers.Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture
def guarded_url(guarded: servers.Server) -> Iterator[str]:
    with servers.fresh_database(guarded) as url:
        yield url.replace("postgres@", "canary@")


@contextmanager
def nobody_shows(*secrets: str) -> Iterator[None]:
    """No process of this machine has a secret among its arguments while the block runs."""
    stopped, shown = threading.Event(), set()
    own = {str(os.getpid())}

    def look() -> None:
        while not stopped.is_set():
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    line = (folder / "cmdline").read_bytes()
                    if folder.name not in own and any(secret.encode() in line for secret in secrets):
                        shown.add(line)
            time.sleep(0.02)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        stopped.set()
        watcher.join()
    assert shown == set()


def assert_secret_kept(answer: Answer, folder: Path, *secrets: str) -> None:
    for secret in secrets:
        assert secret not in answer.all
        for file in folder.rglob("*"):
            if file.is_file():
                assert secret.encode() not in file.read_bytes(), file


def ways(url: str, folder: Path, password: str) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Every way of handing over a password: what stands on the command line, and what in the environment."""
    files = folder / "secrets"
    files.mkdir(mode=0o700)
    (files / "pgpass").write_text(f"*:*:*:canary:{password}\n")
    (files / "pgpass").chmod(0o600)
    place = dict(re.findall(r"(\w+)=([^&]+)", url.replace("?", "&").replace("%2F", "/")))
    database = url.partition("@/")[2].partition("?")[0]
    (files / "service.conf").write_text(
        f"[canary]\nhost={place['host']}\ndbname={database}\nuser=canary\npassword={password}\n"
    )
    (files / "password").write_text(password + "\n")
    return {
        "PGPASSFILE": ([url], {"PGPASSFILE": str(files / "pgpass")}),
        "service": (["service=canary"], {"PGSERVICEFILE": str(files / "service.conf")}),
        "file": ([url, "--password-file", str(files / "password")], {}),
        "environment": (["env:DATABASE_URL"], {"DATABASE_URL": url.replace("canary@", f"canary:{password}@")}),
        "sqlalchemy": (
            ["env:DATABASE_URL"],
            {"DATABASE_URL": url.replace("postgresql://canary@", f"postgresql+asyncpg://canary:{password}@")},
        ),
    }


WAYS = ["PGPASSFILE", "service", "file", "environment", "sqlalchemy"]


@pytest.mark.parametrize("way", WAYS)
def test_password_is_used_and_never_shown(way: str, shop: Path, guarded_url: str, tmp_path: Path) -> None:
    arguments, environment = ways(guarded_url, tmp_path, CANARY)[way]
    runs = tmp_path / "runs"
    with nobody_shows(CANARY):
        answer = finish(start("run", shop, *arguments, "--run-dir", runs, "--workers", "2", env=environment))
        assert answer.code == 0, answer.err
        assert_secret_kept(answer, runs, CANARY)
        answer = finish(start("verify", shop, *arguments, "--run-dir", runs, "--json", env=environment))
        assert answer.code == 0, answer.err
        assert_secret_kept(answer, runs, CANARY)


@pytest.mark.parametrize("way", WAYS)
def test_wrong_password_is_not_shown_either(way: str, shop: Path, guarded_url: str, tmp_path: Path) -> None:
    arguments, environment = ways(guarded_url, tmp_path, WRONG)[way]
    runs = tmp_path / "runs"
    with nobody_shows(WRONG):
        answer = finish(start("run", shop, *arguments, "--run-dir", runs, "--json", env=environment))
    assert answer.code == 5
    assert "password" in answer.err
    assert "PGPASSFILE" in answer.err, "the ways that work"
    assert_secret_kept(answer, runs, WRONG)


@pytest.mark.parametrize(
    "target",
    [
        f"postgresql://u:{CANARY}@localhost/db",
        f"postgresql+asyncpg://u:{CANARY}@localhost/db",
        f"postgres://u:{CANARY}@localhost:5432/db?sslmode=require",
        f"postgresql://u@localhost/db?password={CANARY}",
        f"host=localhost user=u password={CANARY}",
        f"host=localhost password='{CANARY} with a space'",
    ],
)
def test_password_on_the_command_line_is_refused(target: str, shop: Path) -> None:
    for answer in (run(shop, target), migrator("verify", shop, target)):
        assert answer.code == 2
        for word in ("PGPASSFILE", "service", "--password-file", "env:DATABASE_URL"):
            assert word in answer.err
        assert_secret_kept(answer, shop.parent / "runs", CANARY)


MALFORMED = [
    f"postgresql://u:{CANARY}%zz@host/db",
    f"postgresql://u:%zz{CANARY}@host/db",
    f"postgresql://u:{CANARY}@host:port:more/db",
    f"postgresql://u:{CANARY}@[::1/db",
    f"postgresql://u:{CANARY}@host/db?nonsense=1",
    f"postgresql://u:{CANARY}/{CANARY}@host/db",
    f"postgresql://u:{CANARY} {CANARY}@host/db",
    f"mysql://u:{CANARY}@host/db",
    f"host=h password='{CANARY}",
    f"password = {CANARY} nonsense",
    f"hots=h password={CANARY}",
    f"postgresql://u@host/db?password={CANARY}&nonsense=1",
    f"postgresql://u@host/db?password={CANARY}%zz",
    f"u:{CANARY}@host/db",
]


@pytest.mark.parametrize("target", MALFORMED)
@pytest.mark.parametrize("through", ["argument", "environment"])
def test_malformed_target_does_not_show_its_password(target: str, through: str, shop: Path) -> None:
    """libpq repeats in its messages what it could not read."""
    argument = target if through == "argument" else "env:CANARY_URL"
    result = CliRunner().invoke(
        cli, ["run", str(shop), argument, "--run-dir", str(shop.parent / "runs"), "--json"], env={"CANARY_URL": target}
    )
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code in (2, 5)
    assert CANARY not in result.output
    assert CANARY[3:] not in result.output


def test_host_that_cannot_be_reached_does_not_show_the_password(shop: Path) -> None:
    answer = migrator("run", shop, "env:CANARY_URL", "--run-dir", shop.parent / "runs",
                      env={"CANARY_URL": f"postgresql://u:{CANARY}@127.0.0.1:1/db"})  # fmt: skip
    assert answer.code == 5
    assert_secret_kept(answer, shop.parent / "runs", CANARY)


def test_run_folder_is_private(shop: Path, database: str) -> None:
    """Rejects hold data."""
    assert run(shop, database).code == 0
    [folder] = (shop.parent / "runs").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
