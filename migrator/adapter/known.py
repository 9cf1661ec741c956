"""The tables of the target as SQLite and as PostgreSQL have them: what a translation needs, and what DDL adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import apsw

from migrator.adapter.failures import Names
from migrator.core.blueprint import Blueprint, Phase
from migrator.core.census import TableCensus
from migrator.core.convert import NO_OPTIONS, Options
from migrator.core.ddl import build
from migrator.core.from_catalog import draft
from migrator.core.model import Schema, Table, fold
from migrator.core.original import TABLE, Original
from migrator.core.origins import columns_by_origin, read_options, read_origin
from migrator.core.pg_tables import PgTable
from migrator.core.pgtypes import parse_type
from migrator.core.plan import ColumnPlan, Plan, Style, TablePlan
from migrator.core.planning import draft_plan
from migrator.core.redefining import Definitions
from migrator.core.shapes import ColumnShape, Shape
from migrator.core.sql.scope import TableScope
from migrator.core.sql.split import split
from migrator.source.new_file import open_new
from migrator.source.schema import read_schema as read_source_schema
from migrator.target.comments import Commented


@dataclass(frozen=True)
class Found:
    """What the target's catalog says: tables twice, as they could be built again and as SQLite could have them."""

    schema: str
    shapes: Mapping[str, Shape]
    tables: Mapping[str, PgTable]
    comments: Mapping[str, Commented]
    triggers: tuple[str, ...] = ()  # the comments on them


@dataclass(frozen=True)
class Known:
    """`definitions` are SQLite's statements. `strange` are tables of a type that the migrator does not write.

    `attributes` is filled while results come in: relation → number of the column → the target's names of both.
    """

    definitions: tuple[str, ...]
    schema: Schema
    plan: Plan
    strange: frozenset[str] = frozenset()
    attributes: dict[int, dict[int, tuple[str, str]]] = field(default_factory=dict, compare=False)

    @cached_property
    def blueprint(self) -> Blueprint:
        return build(self.schema, self.plan)

    @cached_property
    def scopes(self) -> Mapping[str, TableScope]:
        """Plain output of every column is made SQLite's value again, from what the plan says of it."""
        return {
            name: replace(scope, columns={key: replace(column, restored=True) for key, column in scope.columns.items()})
            for name, scope in self.blueprint.scopes.items()
        }

    @cached_property
    def by_target(self) -> Mapping[tuple[str, str], ColumnPlan]:
        """Every column by the target's names of its table and of its own."""
        return {(table.target, column.target): column for table in self.plan.carried for column in table.carried}

    @cached_property
    def declared(self) -> Mapping[tuple[str, str], str]:
        """The declared type of every column, by the target's names."""
        return {
            (table.target, column.target): self.schema.table(table.source).column(column.source).declared_type
            for table in self.plan.carried
            for column in table.carried
        }

    @cached_property
    def by_source(self) -> Mapping[str, TablePlan]:
        return {fold(table.source): table for table in self.plan.carried}

    @cached_property
    def defers(self) -> bool:
        """Whether a reference may be looked at as late as at the end of a transaction."""
        return any(key.initially_deferred for table in self.schema.tables for key in table.foreign_keys)

    @cached_property
    def names(self) -> Names:
        """What errors speak of."""
        columns = {key: column.source for key, column in self.by_target.items()}
        keys = {table.name: frozenset(table.primary_key) for table in self.schema.tables}
        return Names({table.target: table.source for table in self.plan.carried}, columns, keys)

    def rewriter(self) -> Definitions:
        """What makes CREATE and DROP of these tables; all but the newest are there."""
        return Definitions(self.schema, self.blueprint, made={table.target for table in self.plan.carried})

    def after(self, statement: str) -> Known:
        """What is known once SQLite has carried out this CREATE or DROP. A new table is planned as an empty one."""
        definitions = _made([*self.definitions, statement])
        schema = _schema_of(definitions)
        census = {table.name: TableCensus.empty(len(table.columns)) for table in schema.tables}
        drafted = draft_plan(schema, census, {}, (), Style.FAITHFUL, "UTC", self.plan.target_schema).plan
        tables = tuple(self._kept(table) for table in drafted.tables)
        return Known(definitions, schema, replace(drafted, tables=tables), self.strange, self.attributes)

    def _kept(self, drafted: TablePlan) -> TablePlan:
        """The table as it is, with the columns that are new."""
        present = self.by_source.get(fold(drafted.source))
        if present is None:
            return drafted
        columns = {fold(column.source): column for column in present.columns}
        return replace(present, columns=tuple(columns.get(fold(column.source), column) for column in drafted.columns))

    def comments(self, before: Known) -> list[str]:
        """The COMMENT statements of what is new or has another definition."""
        phases = Phase.COMMENT, Phase.TRIGGER_COMMENT
        old = {item.sql for item in before.blueprint.phase(*phases)}
        return [item.sql for item in self.blueprint.phase(*phases) if item.sql not in old]


def known_of(found: Found) -> Known:
    """Tables whose comments do not account for all their columns are taken as the catalog describes them."""
    own = {target: origin[1] for target, one in found.comments.items() if (origin := read_origin(one.comment))}
    views = [own[target] for target, one in found.comments.items() if one.is_view and target in own]
    origins = {target: sql for target, sql in own.items() if target in found.shapes}
    names = _accounted(found, _schema_of(_statements(origins.values())))
    drafted = draft(found.schema, found.tables.values())
    texts = {item.name: item.sql for item in drafted.definitions if item.kind == TABLE}
    sources = {target: source for target, (source, _) in names.items()}
    statements = [sql for target, sql in origins.items() if target in names]
    for back in drafted.tables:
        if back.target not in names:
            sources[back.target] = back.name
            names[back.target] = back.name, {column.target: column.name for column in back.columns}
            statements.append(texts[back.name])
    triggers = [origin[1] for origin in map(read_origin, found.triggers) if origin]
    definitions = _made(_statements([*statements, *views, *triggers]))
    schema = _schema_of(definitions)
    plans, strange = [], set()
    for target, (source, columns) in names.items():
        try:
            table = schema.table(source)
            plans.append(_table_plan(table, found.shapes[target], found.comments[target], columns))
        except (KeyError, ValueError):
            strange.add(fold(source))
    plan = Plan(Style.FAITHFUL, "none", "UTC", found.schema, tuple(plans), frozenset(), {})
    return Known(definitions, schema, plan, frozenset(strange))


def _accounted(found: Found, schema: Schema) -> dict[str, tuple[str, dict[str, str]]]:
    """Target → its name in SQLite, and its columns' names by the target's."""
    tables = {fold(table.name): table for table in schema.tables}
    names = {}
    for target, shape in found.shapes.items():
        origin = read_origin(found.comments[target].comment)
        table = tables.get(fold(origin[0])) if origin else None
        if table is None:
            continue
        columns = columns_by_origin(table, found.comments[target].columns)
        others = [column for column in shape.columns if column.name not in columns]
        if not others or (len(others) == 1 and others[0].identity and not table.rowid_alias):
            names[target] = table.name, columns
    return names


def _table_plan(table: Table, shape: Shape, commented: Commented, columns: Mapping[str, str]) -> TablePlan:
    """Raises ValueError for a type that is not the migrator's."""
    carried = {fold(columns[item.name]): item for item in shape.columns if item.name in columns}
    rowid = next((item.name for item in shape.columns if item.name not in columns), None)
    keyed = any(definition.startswith("PRIMARY KEY") for _, definition in shape.constraints)
    return TablePlan(
        source=table.name,
        target=shape.name,
        columns=tuple(
            _column_plan(table, column.name, carried.get(fold(column.name)), commented) for column in table.columns
        ),
        rowid=rowid,
        nullable_key=bool(table.primary_key) and not keyed,
    )


def _column_plan(table: Table, name: str, shape: ColumnShape | None, commented: Commented) -> ColumnPlan:
    column = table.column(name)
    if shape is None:
        return ColumnPlan(name, name, parse_type("text"), drop=True)
    return ColumnPlan(
        source=column.name,
        target=shape.name,
        type=parse_type(shape.type),
        options=_options(commented.columns.get(shape.name)),
        collation=shape.collation,
        not_null=shape.not_null,
        identity=shape.identity,
        affinity=column.affinity,
    )


def _options(comment: str | None) -> Options:
    try:
        return read_options(comment or "")
    except (ValueError, TypeError):
        return NO_OPTIONS


def _statements(texts: Iterable[str]) -> list[str]:
    return [statement.text for text in texts for statement in split(text)]


def _made(statements: Sequence[str]) -> tuple[str, ...]:
    """Those that SQLite can carry out, one after the other, in an empty database."""
    connection = open_new(":memory:", Original(()))
    try:
        return tuple(statement for statement in statements if _makes(connection, statement))
    finally:
        connection.close()


def _makes(connection: apsw.Connection, statement: str) -> bool:
    try:
        connection.execute(statement)
    except apsw.Error:
        return False
    return True


def _schema_of(statements: Iterable[str]) -> Schema:
    connection = open_new(":memory:", Original(()))
    try:
        for statement in statements:
            _makes(connection, statement)
        return read_source_schema(connection).schema
    finally:
        connection.close()
