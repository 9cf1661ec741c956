"""What a run has done so far, in the target beside what it has built, so that the same command can go on.

run          one row: what is carried where; the transaction that moves the tables into place sets `placed_at`
definition   from what each table and foreign key was made; where the plan says something else now, it is made anew
unit         a table or a rowid range that has arrived: its rows, a digest of its source, when it was copied
line         what was rejected and healed, as it stands in rejects.jsonl and healed.jsonl

A unit and its lines are written in the transaction of its COPY. The journal has a schema of its own, because in the
staging schema a table of the source may have any name.
"""

from __future__ import annotations

import json
import platform
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import args_row, class_row

from migrator.core.errors import Failure
from migrator.core.throughput import Arrival
from migrator.core.work import Healed, Reject

PREFIX = "migrator_journal_"
VERSION = 3
END_WITHIN_S = 30.0

_TABLES = (
    "CREATE TABLE {}.run (version integer NOT NULL, run_id text NOT NULL, attempt integer NOT NULL DEFAULT 1,"
    " host text NOT NULL, source text NOT NULL, folder text NOT NULL,"
    " target_schema text NOT NULL, expected_rows bigint NOT NULL, phase text NOT NULL DEFAULT 'tables',"
    " begun_at timestamptz NOT NULL DEFAULT now(), placed_at timestamptz, outcome text)",
    "CREATE TABLE {}.definition (name text PRIMARY KEY, digest text NOT NULL)",
    "CREATE TABLE {}.unit (table_name text NOT NULL, low bigint, high bigint, rows bigint NOT NULL,"
    " rejected bigint NOT NULL, careful boolean NOT NULL, digest bytea NOT NULL, attempt integer NOT NULL,"
    " begun_at timestamptz NOT NULL DEFAULT transaction_timestamp(),"
    " arrived_at timestamptz NOT NULL DEFAULT clock_timestamp())",
    "CREATE TABLE {}.line (table_name text NOT NULL, low bigint, settled boolean NOT NULL, kind text NOT NULL,"
    " content text NOT NULL, position bigint GENERATED ALWAYS AS IDENTITY)",
)


@dataclass(frozen=True)
class RunRecord:
    """An interrupted run, or one whose end nobody has told yet."""

    version: int
    run_id: str
    attempt: int
    host: str
    source: str
    folder: str
    target_schema: str
    expected_rows: int
    phase: str
    begun_at: datetime
    placed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Unit:
    """`table` is the target's name; `low` and `high` are rowids, None for a whole table.

    careful: whether the digest is of the values that SQLite holds, and not of the rows as they were sent.
    """

    table: str
    low: int | None
    high: int | None
    rows: int
    rejected: int
    careful: bool
    digest: bytes


@dataclass(frozen=True)
class Progress:
    """Finished units, their rows, and when the last of them arrived."""

    units: int
    rows: int
    last_at: datetime | None


@dataclass(frozen=True)
class Journal:
    """The journal of one run, as one attempt writes it. Methods raise psycopg.Error."""

    run_id: str
    attempt: int = 1

    @property
    def schema(self) -> str:
        return PREFIX + self.run_id

    def create(self, connection: psycopg.Connection, source: str, folder: str, schema: str, expected_rows: int) -> None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self.schema)))
        for table in _TABLES:
            connection.execute(sql.SQL(table).format(sql.Identifier(self.schema)))
        columns = "version, run_id, host, source, folder, target_schema, expected_rows"
        connection.execute(
            self._sql(f"INSERT INTO {{}} ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s)", "run"),
            (VERSION, self.run_id, platform.node(), source, folder, schema, expected_rows),
        )

    def take_over(self, connection: psycopg.Connection) -> Journal:
        """Begin the next attempt: from now on no worker of an earlier one can write a unit."""
        statement = self._sql("UPDATE {} SET attempt = attempt + 1, host = %s RETURNING attempt", "run")
        row = connection.execute(statement, (platform.node(),)).fetchone()
        assert row
        return replace(self, attempt=row[0])

    def enter(self, connection: psycopg.Connection, phase: str) -> None:
        """Say what is done now, for who looks at the run from elsewhere."""
        connection.execute(self._sql("UPDATE {} SET phase = %s", "run"), (phase,))

    def discard(self, connection: psycopg.Connection) -> None:
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(self.schema)))

    def place(self, connection: psycopg.Connection, outcome: str) -> None:
        """To be called in the transaction of the rename: a process that is killed behind it has done its work."""
        connection.execute(self._sql("UPDATE {} SET placed_at = now(), outcome = %s", "run"), (outcome,))

    # -- units and lines -----------------------------------------------------------------------------------------------

    def add_unit(
        self, connection: psycopg.Connection, unit: Unit, rejects: Iterable[Reject], healed: Iterable[Healed]
    ) -> None:
        """To be called in the transaction of the unit's COPY. Raises Failure where a later attempt has taken over."""
        statement = sql.SQL(
            "INSERT INTO {} SELECT %s::text, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::boolean, %s::bytea,"
            " attempt FROM {} WHERE attempt = %s"
        )
        written = connection.execute(
            statement.format(sql.Identifier(self.schema, "unit"), sql.Identifier(self.schema, "run")),
            (unit.table, unit.low, unit.high, unit.rows, unit.rejected, unit.careful, unit.digest, self.attempt),
        )
        if written.rowcount != 1:
            raise Failure(f"Another process goes on with the run {self.run_id}.", "This one has ended.")
        self._add_lines(connection, unit.table, unit.low, False, rejects, healed)

    def add_settled(
        self, connection: psycopg.Connection, table: str, rejects: Iterable[Reject], healed: Iterable[Healed]
    ) -> None:
        """What became of rows without their parent, in the transaction in which it became so."""
        self._add_lines(connection, table, None, True, rejects, healed)

    def _add_lines(
        self,
        connection: psycopg.Connection,
        table: str,
        low: int | None,
        settled: bool,
        rejects: Iterable[Reject],
        healed: Iterable[Healed],
    ) -> None:
        named = [("rejects.jsonl", item.line()) for item in rejects]
        named += [("healed.jsonl", item.line()) for item in healed]
        if named:
            statement = self._sql("COPY {} (table_name, low, settled, kind, content) FROM STDIN", "line")
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for kind, line in named:
                    copy.write_row((table, low, settled, kind, json.dumps(line)))

    def progress(self, connection: psycopg.Connection) -> Progress:
        query = self._sql("SELECT count(*), coalesce(sum(rows), 0)::bigint, max(arrived_at) FROM {}", "unit")
        with connection.cursor(row_factory=args_row(Progress)) as cursor:
            return cursor.execute(query).fetchone() or Progress(0, 0, None)

    def units(self, connection: psycopg.Connection) -> dict[str, list[Unit]]:
        """Target table → what has arrived of it, in the order of the rowids."""
        found: dict[str, list[Unit]] = defaultdict(list)
        query = self._sql(
            "SELECT table_name, low, high, rows, rejected, careful, digest FROM {} ORDER BY table_name, low", "unit"
        )
        for row in connection.execute(query):
            found[row[0]].append(Unit(*row))
        return found

    def arrivals(self, connection: psycopg.Connection) -> Iterator[str]:
        """The lines of units.jsonl: what has arrived in all attempts and stands, in that order."""
        columns = "table_name, low, high, rows, rejected, attempt, begun_at, arrived_at"
        with connection.cursor(row_factory=args_row(Arrival)) as cursor:
            for arrival in cursor.execute(self._sql(f"SELECT {columns} FROM {{}} ORDER BY arrived_at", "unit")):
                yield json.dumps(arrival.line())

    def settled_tables(self, connection: psycopg.Connection) -> set[str]:
        rows = connection.execute(self._sql("SELECT DISTINCT table_name FROM {} WHERE settled", "line"))
        return {table for (table,) in rows}

    def forget(self, connection: psycopg.Connection, table: str, unit: Unit | None = None) -> None:
        """Take back what is written of a table, or of one range of it."""
        for name in ("unit", "line"):
            statement = self._sql("DELETE FROM {} WHERE table_name = %s", name)
            if unit is None:
                connection.execute(statement, (table,))
            else:
                connection.execute(statement + sql.SQL(" AND low IS NOT DISTINCT FROM %s"), (table, unit.low))

    def lines(self, connection: psycopg.Connection, kind: str) -> Iterator[str]:
        """The lines of rejects.jsonl or healed.jsonl, streamed in the order of tables and rowids."""
        order = "table_name, settled, low, position"
        query = self._sql(f"SELECT content FROM {{}} WHERE kind = %s ORDER BY {order}", "line")
        with connection.transaction(), connection.cursor("lines") as cursor:
            for (content,) in cursor.execute(query, (kind,)):
                yield content

    # -- definitions ---------------------------------------------------------------------------------------------------

    def definitions(self, connection: psycopg.Connection) -> dict[str, str]:
        return dict(connection.execute(self._sql("SELECT name, digest FROM {}", "definition")).fetchall())

    def define(self, connection: psycopg.Connection, digests: Mapping[str, str]) -> None:
        statement = self._sql(
            "INSERT INTO {} VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET digest = excluded.digest", "definition"
        )
        with connection.cursor() as cursor:
            cursor.executemany(statement, list(digests.items()))

    def _sql(self, statement: str, table: str) -> sql.Composed:
        return sql.SQL(statement).format(sql.Identifier(self.schema, table))


def read_runs(connection: psycopg.Connection) -> list[RunRecord]:
    """Every run that has a journal in this database, the newest first."""
    names = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) AND has_schema_privilege(oid, 'USAGE')"
        " AND to_regclass(format('%%I.run', nspname)) IS NOT NULL",
        (PREFIX,),
    ).fetchall()
    found: list[RunRecord] = []
    for (name,) in names:
        with connection.cursor(row_factory=class_row(RunRecord)) as cursor:
            found += cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name, "run"))).fetchall()
    return sorted(found, key=lambda record: record.begun_at, reverse=True)


def end_sessions(connection: psycopg.Connection, application_name: str) -> int:
    """End what an earlier process of the same run has left on the server, and wait until it is gone.

    A backend can outlive its client by minutes, and holds locks on what is built next. Returns how many there were.
    """
    found = sessions(connection, application_name)
    for pid, _ in found:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    until = time.monotonic() + END_WITHIN_S
    while sessions(connection, application_name) and time.monotonic() < until:
        time.sleep(0.05)
    return len(found)


def sessions(connection: psycopg.Connection, application_name: str) -> list[tuple[int, str]]:
    """(pid, what it is doing: the beginning of its statement, or its state) of other sessions of that name."""
    return connection.execute(
        "SELECT pid, CASE state WHEN 'active' THEN left(regexp_replace(query, '\\s+', ' ', 'g'), 100) ELSE state END"
        " FROM pg_stat_activity"
        " WHERE application_name = %s AND pid <> pg_backend_pid() AND datname = current_database() ORDER BY pid",
        (application_name,),
    ).fetchall()
