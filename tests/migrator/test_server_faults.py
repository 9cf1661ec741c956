"""A server that stops, ends sessions, has no room, or refuses: the run says so, and the next one goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from . import servers
from .faults import (
    TOTAL,
    assert_ended,
    assert_exact,
    assert_untouched,
    command,
    kept,
    make_large,
    striking,
)
from .killing import run_struck
from .terminal import left_behind, migrator_forked

Figure = Callable[[str, str], None]
OF = f"of {TOTAL:,} rows kept"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_large(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def mortal() -> Iterator[servers.Server]:
    """A server of this module's own, which may be stopped; with few connections, and commits that are durable."""
    try:
        with servers.embedded(max_connections="12", synchronous_commit="on") as server:
            yield server
    except servers.Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture
def database(mortal: servers.Server) -> Iterator[str]:
    with servers.fresh_database(mortal) as url:
        yield url


@pytest.fixture
def mortal_database(mortal: servers.Server) -> tuple[servers.Server, str]:
    """A database whose creator holds no connection while the server is stopped."""
    with psycopg.connect(mortal.url("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS stopped WITH (FORCE)")
        admin.execute("CREATE DATABASE stopped TEMPLATE template0")
    return mortal, mortal.url("stopped")


# -- it stops ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "statement"),
    [("COPY", "COPY"), ("index", "CREATE INDEX"), ("proof", 'SELECT "id".*readings')],
)
def test_stopped_at_once(
    phase: str, statement: str, source: Path, mortal_database: tuple[servers.Server, str], figure: Figure
) -> None:
    """What a crash of the server is to everybody else; it recovers from its log when it is started again."""
    server, url = mortal_database
    with striking(url, statement, lambda: servers.stop(server), rows=1) as strike:
        ended = migrator_forked(*command(source, url, "--workers", "1"))
    seconds = strike.seconds_ago
    servers.start_again(server)
    figure(
        f"PostgreSQL is stopped with -m immediate in {phase}", f"{seconds:.1f} s until the error, {kept(url):,} {OF}"
    )
    assert_ended(ended, 5, "The same command goes on")
    assert_exact(source, url, migrator_forked(*command(source, url)))


def test_stopped_in_the_rename(source: Path, mortal_database: tuple[servers.Server, str], figure: Figure) -> None:
    server, url = mortal_database
    struck = []

    def stop() -> None:
        servers.stop(server)
        struck.append(time.monotonic())

    ended = run_struck("renamed, not committed", stop, *command(source, url))
    seconds = time.monotonic() - struck[0]
    servers.start_again(server)
    figure("PostgreSQL is stopped with -m immediate in rename", f"{seconds:.1f} s until the error, {kept(url):,} {OF}")
    assert_ended(ended, 5, "The same command goes on")
    assert [name for name, kind in left_behind(url) if kind] == []
    assert_exact(source, url, migrator_forked(*command(source, url)))


# -- it ends sessions --------------------------------------------------------------------------------------------------


def end_sessions(url: str) -> Callable[[], None]:
    def end() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'migrator %'"
            )

    return end


@pytest.mark.parametrize(
    ("phase", "statement"),
    [("COPY", "COPY"), ("index", "CREATE INDEX"), ("proof", 'SELECT "id".*readings')],
)
def test_sessions_are_ended(phase: str, statement: str, source: Path, database: str, figure: Figure) -> None:
    with striking(database, statement, end_sessions(database), rows=1) as strike:
        ended = migrator_forked(*command(source, database, "--workers", "1"))
    figure(f"pg_terminate_backend in {phase}", f"{strike.seconds_ago:.1f} s until the error, {kept(database):,} {OF}")
    assert_ended(ended, 5, "connection", "The same command goes on")
    assert_exact(source, database, migrator_forked(*command(source, database)))


def test_sessions_are_ended_in_the_rename(source: Path, database: str, figure: Figure) -> None:
    ended = run_struck("renamed, not committed", end_sessions(database), *command(source, database))
    figure("pg_terminate_backend in rename", f"{kept(database):,} {OF}")
    assert_ended(ended, 5, "The same command goes on")
    assert_exact(source, database, migrator_forked(*command(source, database)))


# -- it has no room, or does not want to -------------------------------------------------------------------------------


def occupy(url: str, stack: ExitStack, free: int) -> None:
    """Take all connections but so many; the reserved ones too, because the tests are superusers."""
    with closing(psycopg.connect(url)) as first:
        row = first.execute(
            "SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        ).fetchone()
        assert row
    for _ in range(row[0] + 1 - free):
        stack.enter_context(closing(psycopg.connect(url)))


@pytest.mark.parametrize("free", [0, 2, 4])
def test_no_connections_left(free: int, source: Path, database: str, figure: Figure) -> None:
    """A run of two workers takes six: before it, while it begins, while it is at work."""
    with ExitStack() as stack:
        occupy(database, stack, free)
        began = time.monotonic()
        ended = migrator_forked(*command(source, database))
        seconds = time.monotonic() - began
    rows = kept(database)
    figure(f"max_connections: {free} free", f"{seconds:.1f} s until the error, {rows:,} {OF}")
    assert_ended(ended, 5, "too many clients already")
    if not rows:
        assert_untouched(database)
    assert_exact(source, database, migrator_forked(*command(source, database)))


def test_role_that_may_only_read(source: Path, database: str, mortal: servers.Server, figure: Figure) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT pg_read_all_data TO reader")
    url = database.replace("postgres@", "reader@")
    began = time.monotonic()
    ended = migrator_forked(*command(source, url))
    figure("a role that may only read", f"{time.monotonic() - began:.1f} s until the error")
    assert_ended(ended, 5, "permission denied", "Grant the role CREATE")
    assert_untouched(database)


def test_database_that_may_only_be_read(source: Path, database: str, figure: Figure) -> None:
    """As on a standby server, or where the provider has stopped writes."""
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    began = time.monotonic()
    ended = migrator_forked(*command(source, database))
    figure("a database that may only be read", f"{time.monotonic() - began:.1f} s until the error")
    assert_ended(ended, 5, "read-only transaction")
    assert_untouched(database)


@pytest.mark.parametrize("setting", ["statement_timeout", "transaction_timeout", "idle_session_timeout"])
def test_timeouts_of_the_server(setting: str, source: Path, database: str, figure: Figure) -> None:
    """They are meant for an application's statements, and a run's take longer."""
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET {setting} = 100')  # milliseconds
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET {setting} = 100')
    ended = migrator_forked(*command(source, database))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" RESET {setting}')
    figure(f"{setting} = 100 ms", "no error")
    assert_exact(source, database, ended)


def test_lock_of_somebody_else(source: Path, database: str, figure: Figure) -> None:
    """A forgotten transaction reads the table that is to be replaced: the rename waits, and then says for whom."""
    assert migrator_forked(*command(source, database)).code == 0
    again = command(source, database, "--replace", "--yes", "--stall-timeout", "2")
    with psycopg.connect(database, application_name="psql") as somebody:
        somebody.execute("SELECT count(*) FROM readings")
        began = time.monotonic()
        ended = migrator_forked(*again)
        seconds = time.monotonic() - began
        pid = somebody.info.backend_pid
    figure("somebody holds a lock that the run needs", f"{seconds:.1f} s until the error (--stall-timeout 2 s)")
    assert_ended(ended, 5, f"1 session holds a lock that is needed: {pid} (postgres, psql, idle in transaction)")
    assert_exact(source, database, migrator_forked(*again))
