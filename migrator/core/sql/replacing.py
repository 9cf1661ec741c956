"""INSERT OR REPLACE, which deletes the rows that are in the way by any key.

DO UPDATE can look at one key only: that row is updated. The rows that are in the way by another key are deleted before,
and the INSERT reads how many these are, so that it starts when they are gone; a row that its own command has deleted
is in the way of no unique key. Rows of one statement that are in each other's way PostgreSQL refuses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.core.names import quote_identifier, quote_literal
from migrator.core.sql.placeholders import marked
from migrator.core.sql.query import Surroundings
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable

_UNCOMPARED = (Kind.JSON, Kind.JSONB, Kind.TEXT_ARRAY)
_NOTE = "OR REPLACE deletes the row that is there, and what depends on it; here it is updated"
_OTHERS = ", and those that are in the way by another key than the first are deleted"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")  # what a name is that needs no quotes in a text
_Key = tuple[str, ...]  # names of the target's columns


@dataclass(frozen=True)
class Rows:
    """What an INSERT inserts: its values row by row, or a query."""

    values: tuple[tuple[str, ...], ...] = ()
    query: str = ""

    @property
    def sql(self) -> str:
        return self.query or f"VALUES {', '.join(f'({listed(row)})' for row in self.values)}"

    @property
    def selected(self) -> str:
        """As queries, in which a placeholder takes its type from a query that stands before. Raises Untranslatable."""
        if any("DEFAULT" in row for row in self.values):
            raise Untranslatable("OR REPLACE of a NULL id beside others, in a table of several keys", "or-replace")
        return f"({self.query})" if self.query else " UNION ALL ".join(f"SELECT {listed(row)}" for row in self.values)


def listed(items: Sequence[str]) -> str:
    return ", ".join(items)


@dataclass(frozen=True)
class Replacement:
    """Of rows with values for these columns. `place` is the table with its name in the statement."""

    place: str
    table: TableScope
    columns: Sequence[ColumnScope]
    keys: tuple[_Key, ...]  # those that a row may be in the way by; the first is updated

    def sql(self, rows: Rows, around: Surroundings) -> str:
        names = listed([quote_identifier(column.target) for column in self.columns])
        if len(self.keys) < 2:
            return f"INSERT INTO {self.place} ({names}) {rows.sql}{self._conflict()}"
        given, gone = (_free_name(name, around) for name in ("given", "replaced"))
        typed = f"SELECT {names} FROM {quote_identifier(self.table.target)} WHERE FALSE UNION ALL {rows.selected}"
        own = listed([f"{given}.{quote_identifier(column.target)}" for column in self.columns])
        return (
            f"WITH {given} AS ({typed}), {gone} AS ({self._delete(given)})"
            f" INSERT INTO {self.place} ({names}) SELECT {own} FROM {given}"
            f" CROSS JOIN (SELECT count(*) FROM {gone}) AS counted{self._conflict()}"
        )

    def _delete(self, given: str) -> str:
        updated, *others = (
            " AND ".join(f"old.{name} = {given}.{name}" for name in map(quote_identifier, key)) for key in self.keys
        )
        table, in_the_way = quote_identifier(self.table.target), " OR ".join(others)
        return (
            f"DELETE FROM {table} AS old USING {given}"
            f" WHERE ({in_the_way}) AND ({updated}) IS NOT TRUE RETURNING 1 AS one"
        )

    def _conflict(self) -> str:
        if not self.keys:
            return ""
        key, given = self.keys[0], {column.target for column in self.columns}
        others = [column.target for column in self.table.columns.values() if column.target not in key]
        sets = listed([f"{quote_identifier(name)} = {_replacing(name, given)}" for name in others])
        action = f"UPDATE SET {sets}" if sets else "NOTHING"
        return f" ON CONFLICT ({listed([*map(quote_identifier, key)])}) DO {action}"


def replacement(place: str, table: TableScope, columns: Sequence[ColumnScope], around: Surroundings) -> Replacement:
    """Raises Untranslatable."""
    if not table.whole:
        raise Untranslatable(
            "OR REPLACE with a unique key over an expression, under a collation or of some rows only: delete the rows"
            " that are in the way, then insert",
            "or-replace",
        )
    given = {column.target for column in columns}
    keys = [tuple(table.named[name].target for name in key) for key in table.unique]
    # A key that is given by default is a new one.
    touched = [key for key in keys if not table.rowid or key != (table.rowid.target,) or table.rowid.target in given]
    primary = tuple(table.named[name].target for name in table.primary_key)
    touched.sort(key=lambda key: key != primary)
    if not all(given.issuperset(key) for key in touched):
        raise Untranslatable("OR REPLACE without a value for every column of the keys", "or-replace")
    kinds = {column.kind for column in table.columns.values() if any(column.target in key for key in touched)}
    if kinds.intersection(_UNCOMPARED) and len(touched) > 1:
        raise Untranslatable("OR REPLACE with a key of JSON", "or-replace")
    if touched:
        around.note("or-replace", _NOTE + (_OTHERS if len(touched) > 1 else ""))
    return Replacement(place, table, columns, tuple(touched))


def without_new_ids(table: TableScope, columns: list[ColumnScope], rows: Rows) -> tuple[list[ColumnScope], Rows]:
    """Without the column of the rowid where every row leaves it to the database."""
    place = next((at for at, column in enumerate(columns) if column == table.rowid), None)
    if place is None or not rows.values or {row[place] for row in rows.values} != {"DEFAULT"}:
        return columns, rows
    values = tuple((*row[:place], *row[place + 1 :]) for row in rows.values)
    return [*columns[:place], *columns[place + 1 :]], Rows(values)


def with_next_ids(table: TableScope, columns: Sequence[ColumnScope], rows: Rows, around: Surroundings) -> Rows:
    """NULL for an INTEGER PRIMARY KEY is the next id in SQLite: so is it here where an argument may be NULL."""
    place = next((at for at, column in enumerate(columns) if column == table.rowid), None)
    if place is None or around.learned is None:
        return rows
    marks = [marked(row[place]) for row in rows.values]
    around.learned.ids.extend(number for number in marks if number is not None)
    if not around.next_ids:
        return rows
    name = table.target if _PLAIN.fullmatch(table.target) else quote_identifier(table.target)
    sequence = f"pg_get_serial_sequence({quote_literal(name)}, {quote_literal(columns[place].target)})"
    values = (
        row if number is None else (*row[:place], f"COALESCE({row[place]}, nextval({sequence}))", *row[place + 1 :])
        for row, number in zip(rows.values, marks, strict=True)
    )
    return Rows(tuple(values), rows.query)


def _replacing(name: str, given: set[str]) -> str:
    return f"EXCLUDED.{quote_identifier(name)}" if name in given else "DEFAULT"


def _free_name(wanted: str, around: Surroundings) -> str:
    while wanted in around.tables:
        wanted += "_"
    return wanted
