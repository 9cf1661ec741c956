"""The same tables, triggers and statements on both engines, and all that is in the tables after each statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apsw
import psycopg

from migrator.core.blueprint import Blueprint, Phase
from migrator.core.census import TableCensus
from migrator.core.ddl import build
from migrator.core.model import Schema
from migrator.core.original import Original
from migrator.core.plan import Style
from migrator.core.planning import draft_plan
from migrator.core.script import TRIGGERS, printed
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten, rewrite
from migrator.core.sql.split import split
from migrator.source.new_file import open_new
from migrator.source.schema import read_schema
from tests.migrator.core.engines import alike

EQUAL, REFUSED, FAILED, DECLINED = "equal", "refused by PostgreSQL", "refused by both", "declined"


@dataclass
class Fired:
    """`given` are columns whose numbers PostgreSQL gives: a sequence goes on where SQLite's highest rowid does not."""

    sqlite: apsw.Connection
    postgres: psycopg.Connection[Any]
    blueprint: Blueprint
    given: frozenset[str] = frozenset({"log.id"})

    @property
    def carried(self) -> set[str]:
        return {trigger.source for trigger in self.blueprint.triggers}

    @property
    def declined(self) -> dict[str, str]:
        return {item.where: item.message for item in self.blueprint.findings if item.rule == "trigger"}

    def agree(self, sql: str) -> str:
        """What became of the statement; an AssertionError where the engines do not agree."""
        [statement] = split(sql)
        found = rewrite(statement, self.blueprint.scopes, Driver.PSYCOPG, "test")
        if found.rendered is None:
            return DECLINED
        self._sort_rows()
        ours = self._on_sqlite(sql)
        theirs = self._on_postgres(found)
        if isinstance(ours, str):
            self.sqlite.execute("ROLLBACK TO statement; RELEASE statement")
            assert isinstance(theirs, str), f"SQLite: {ours}\n{sql}\n{self.told()}"
            return FAILED
        if isinstance(theirs, str):
            self.sqlite.execute("ROLLBACK TO statement; RELEASE statement")
            return REFUSED
        self.sqlite.execute("RELEASE statement")
        assert sorted(map(repr, ours)) == sorted(map(repr, theirs)), f"{ours}\n{theirs}\n{sql}\n{self.told()}"
        self.same_tables(sql)
        return EQUAL

    def _sort_rows(self) -> None:
        """In the order of their keys, in which SQLite looks at them: PostgreSQL says nothing about it."""
        for key in self.blueprint.phase(Phase.KEY):
            if key.name.endswith("_pkey"):
                self.postgres.execute(f'CLUSTER "{key.table}" USING "{key.name}"'.encode())

    def same_tables(self, sql: str) -> None:
        for table in self.blueprint.tables:
            ours, theirs = self._rows(self.sqlite, table), self._rows(self.postgres, table)
            same = len(ours) == len(theirs) and all(all(map(alike, *rows)) for rows in zip(ours, theirs, strict=True))
            assert same, f"{table}\n{ours}\n{theirs}\n{sql}\n{self.told()}"

    def _rows(self, connection: Any, table: str) -> list[tuple[Any, ...]]:
        """In the order of the key; without the numbers that are given."""
        names = [row[1] for row in self.sqlite.execute(f'PRAGMA table_info("{table}")')]
        listed = ", ".join(f'"{name}"' for name in names if f"{table}.{name}" not in self.given)
        query = f'SELECT {listed} FROM "{table}" ORDER BY "{names[0]}"'
        return [tuple(row) for row in connection.execute(query).fetchall()]

    def _on_sqlite(self, sql: str) -> list[Any] | str:
        self.sqlite.execute("SAVEPOINT statement")
        try:
            return self.sqlite.execute(sql).fetchall()
        except apsw.Error as error:
            return str(error)

    def _on_postgres(self, found: Rewritten) -> list[Any] | str:
        assert found.rendered
        try:
            with self.postgres.transaction():
                cursor = self.postgres.execute(found.rendered.sql.encode())
                return cursor.fetchall() if cursor.description else []
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.TriggeredDataChangeViolation) as error:
            return str(error)

    def told(self) -> str:
        return "\n".join(f"{item.function}\n{item.trigger}" for item in self.blueprint.triggers)


def planned(connection: apsw.Connection) -> tuple[Schema, Blueprint]:
    schema = read_schema(connection).schema
    census = {table.name: TableCensus.empty(len(table.columns)) for table in schema.tables}
    plan = draft_plan(schema, census, {}, (), Style.FAITHFUL, "UTC", "public").plan
    return schema, build(schema, plan)


@contextmanager
def fired(
    postgres: psycopg.Connection[Any], script: str, rows: Sequence[str] = (), *, only_carried: bool = False
) -> Iterator[Fired]:
    """The tables and, behind them, the triggers of the script. `rows` are there before the triggers are.

    only_carried: SQLite too is left with none but those that are carried; otherwise all are there.
    """
    sqlite = open_new(":memory:", Original(()))
    texts = [statement.text for statement in split(script)]
    tables = [text for text in texts if not text.upper().startswith("CREATE TRIGGER")]
    for text in tables:
        sqlite.execute(text)
    _, blueprint = planned(sqlite)
    sqlite.execute("PRAGMA foreign_keys = ON")
    postgres.execute("DROP SCHEMA IF EXISTS fired CASCADE; CREATE SCHEMA fired; SET search_path TO fired")
    phases = [Phase.TABLE, Phase.INDEX, Phase.KEY, Phase.FOREIGN_KEY, Phase.VIEW]
    for statement in printed(blueprint, *phases):
        postgres.execute(statement.encode())
    for row in rows:
        sqlite.execute(row)
        postgres.execute(row.encode())
    for text in texts[len(tables) :]:
        sqlite.execute(text)
    _, blueprint = planned(sqlite)
    for statement in printed(blueprint, *TRIGGERS):
        postgres.execute(statement.encode())
    pair = Fired(sqlite, postgres, blueprint)
    for name in pair.declined if only_carried else ():
        sqlite.execute(f'DROP TRIGGER "{name}"')
    try:
        yield pair
    finally:
        sqlite.close()
