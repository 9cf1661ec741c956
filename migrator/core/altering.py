"""ALTER TABLE in an application's code: what it does to the tables that the target has, and what it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from migrator.core.blueprint import Blueprint, CarriedView, Phase
from migrator.core.census import TableCensus
from migrator.core.ddl import build
from migrator.core.model import Schema, Table, TableKind, Trigger, View, fold
from migrator.core.names import quote_identifier
from migrator.core.plan import ColumnPlan, Plan, TablePlan
from migrator.core.planning import draft_plan
from migrator.core.related import related
from migrator.core.sql.cursor import Cursor


@dataclass(frozen=True)
class Made:
    """The tables at one time, as SQLite and as PostgreSQL have them."""

    schema: Schema
    plan: Plan

    @cached_property
    def blueprint(self) -> Blueprint:
        return build(self.schema, self.plan)

    def near(self, *names: str) -> Made:
        """The part that has to do with these tables: what an ALTER TABLE changes and needs, and mostly a small one."""
        schema = related(self.schema, *names)
        found = {fold(table.name) for table in schema.tables}
        tables = tuple(table for table in self.plan.tables if not table.query and fold(table.source) in found)
        return Made(schema, replace(self.plan, tables=tables))

    def without(self, name: str) -> Made:
        """Behind a DROP TABLE. The views and triggers that have to do with the table go as well."""
        near = related(self.schema, name)
        schema = replace(
            self.schema,
            tables=tuple(table for table in self.schema.tables if fold(table.name) != fold(name)),
            views=tuple(view for view in self.schema.views if view not in near.views),
            triggers=tuple(trigger for trigger in self.schema.triggers if trigger not in near.triggers),
        )
        plan = tuple(table for table in self.plan.tables if table.query or fold(table.source) != fold(name))
        return Made(schema, replace(self.plan, tables=plan))

    def with_part(self, before: Made, after: Made) -> Made:
        """With one part as an ALTER TABLE leaves it, which has as many tables, views and triggers as before."""
        old, new = before.schema, after.schema
        schema = replace(
            self.schema,
            tables=_exchanged(self.schema.tables, old.tables, new.tables),
            views=_exchanged(self.schema.views, old.views, new.views),
            triggers=_exchanged(self.schema.triggers, old.triggers, new.triggers),
        )
        tables = {
            fold(table.source): changed for table, changed in zip(before.plan.tables, after.plan.tables, strict=True)
        }
        plan = tuple(table if table.query else tables.get(fold(table.source), table) for table in self.plan.tables)
        return Made(schema, replace(self.plan, tables=plan))

    def table(self, name: str) -> TablePlan:
        """Raises KeyError."""
        return {fold(table.source): table for table in self.plan.carried}[fold(name)]


_Item = TypeVar("_Item", Table, View, Trigger)


def _exchanged(items: tuple[_Item, ...], old: tuple[_Item, ...], new: tuple[_Item, ...]) -> tuple[_Item, ...]:
    changed = {fold(item.name): other for item, other in zip(old, new, strict=True)}
    return tuple(changed.get(fold(item.name), item) for item in items)


@dataclass(frozen=True)
class Alter:
    """What an ALTER TABLE says: `verb` is RENAME TO, RENAME, ADD or DROP; `column` and `new` are names, or empty."""

    table: str
    verb: str
    column: str = ""
    new: str = ""


@dataclass(frozen=True)
class Alteration:
    """Of the part that has to do with the table. `renamed` is `before` without what gave its name away."""

    before: Made
    after: Made
    renamed: Made


def read_alter(sql: str) -> Alter:
    """Raises DefinitionError."""
    cursor = Cursor(sql)
    cursor.expect_word("ALTER", "TABLE")
    table = cursor.object_name()
    verb = cursor.expect_one_of("RENAME", "ADD", "DROP")
    if verb == "RENAME" and cursor.accept_word("TO"):
        return Alter(table, "RENAME TO", new=cursor.name())
    cursor.accept_word("COLUMN")
    column = cursor.name()
    if verb == "RENAME":
        cursor.expect_word("TO")
        return Alter(table, verb, column, cursor.name())
    return Alter(table, verb, column)


def read_drop(sql: str) -> str:
    """The table that goes. Raises DefinitionError."""
    cursor = Cursor(sql)
    cursor.expect_word("DROP", "TABLE")
    cursor.accept_word("IF", "EXISTS")
    return cursor.object_name()


def altered_sql(alter: Alter, change: Alteration) -> list[str]:
    """The statements for PostgreSQL. Raises KeyError for a table or column that is not carried."""
    return [*_altered(alter, change), *_other_functions(change)]


def _altered(alter: Alter, change: Alteration) -> list[str]:
    before = change.before.table(alter.table)
    table = quote_identifier(before.target)
    views = _other_views(change)
    if alter.verb == "RENAME TO":
        return [f"ALTER TABLE {table} RENAME TO {quote_identifier(change.after.table(alter.new).target)}"]
    if alter.verb == "DROP":
        dropped = f"ALTER TABLE {table} DROP COLUMN {quote_identifier(_column(before, alter.column).target)}"
        gone = [f"DROP VIEW {quote_identifier(view.target)}" for view, _ in views]
        return [*gone, dropped, *_made_again(change, views, "CREATE VIEW")]
    if alter.verb == "RENAME":
        new = _column(change.after.table(alter.table), alter.new)
        renamed = _renamed(before.target, _column(before, alter.column).target, new.target)
        pairs = ((view, *names) for view, now in views for names in zip(view.columns, now.columns, strict=True))
        return [renamed, *(_renamed(view.target, old, name) for view, old, name in pairs if old != name)]
    added = added_sql(change.before.blueprint, change.after.blueprint, change.after.table(alter.table))
    return [*added, *_made_again(change, views, "CREATE OR REPLACE VIEW")]


def _other_functions(change: Alteration) -> list[str]:
    """PostgreSQL renames what stands in a trigger, and leaves its function as it was written."""
    functions = {trigger.name: trigger.function for trigger in change.before.blueprint.triggers}
    now = change.after.blueprint.triggers
    return [item.function for item in now if functions.get(item.name, item.function) != item.function]


def _renamed(relation: str, old: str, new: str) -> str:
    return f"ALTER TABLE {quote_identifier(relation)} RENAME COLUMN {quote_identifier(old)} TO {quote_identifier(new)}"


def _other_views(change: Alteration) -> list[tuple[CarriedView, CarriedView]]:
    """The views whose columns are others afterwards: SELECT * is one of more, and a column's name is a result's."""
    afterwards = {view.target: view for view in change.after.blueprint.views}
    pairs = ((view, afterwards.get(view.target, view)) for view in change.before.blueprint.views)
    return [(view, now) for view, now in pairs if view.columns != now.columns]


def _made_again(change: Alteration, views: Sequence[tuple[CarriedView, CarriedView]], how: str) -> list[str]:
    names = {view.target for view, _ in views}
    found = [item.sql for item in change.after.blueprint.phase(Phase.VIEW) if item.name in names]
    return [f"{how}{sql.removeprefix('CREATE VIEW')}" for sql in found]


def _column(table: TablePlan, name: str) -> ColumnPlan:
    """Raises KeyError."""
    return {fold(column.source): column for column in table.carried}[fold(name)]


def added_sql(before: Blueprint, after: Blueprint, table: TablePlan) -> list[str]:
    """What gives a table the columns, checks and foreign keys that it has afterwards."""
    old = _lines(before, table.target)
    columns = tuple(f"{quote_identifier(column.target)} " for column in table.carried)
    made = [
        f"ALTER TABLE {quote_identifier(table.target)} ADD {'COLUMN ' if line.startswith(columns) else ''}{line}"
        for line in _lines(after, table.target)
        if line not in old
    ]
    keys = {item.name for item in before.phase(Phase.FOREIGN_KEY)}
    references = [item for item in after.phase(Phase.FOREIGN_KEY) if item.name not in keys]
    return made + [item.printed or item.sql for item in references]


def _lines(blueprint: Blueprint, target: str) -> Sequence[str]:
    """The parts of the CREATE TABLE."""
    [sql] = [item.sql for item in blueprint.phase(Phase.TABLE) if item.table == item.name == target]
    return sql.partition("(\n    ")[2].rpartition("\n)")[0].split(",\n    ")


# -- what is there afterwards ------------------------------------------------------------------------------------------


def after(made: Made, alter: Alter, old: Schema, new: Schema) -> Made:
    """`old` and `new` are the schemas of a draft before and behind the ALTER; what differs is as in `new`."""
    renamed = {fold(alter.table): alter.new} if alter.verb == "RENAME TO" else {}
    there = {table.name: table for table in old.tables}
    drafted = {fold(table.name): table for table in new.tables if table != there.get(table.name)}
    views = {fold(view.name): view for view in new.views if view not in old.views}
    triggers = {fold(trigger.name): trigger for trigger in new.triggers if trigger not in old.triggers}
    schema = replace(
        made.schema,
        tables=tuple(
            drafted.get(fold(renamed.get(fold(table.name), table.name)), table) for table in made.schema.tables
        ),
        views=tuple(views.get(fold(view.name), view) for view in made.schema.views),
        triggers=tuple(triggers.get(fold(trigger.name), trigger) for trigger in made.schema.triggers),
    )
    proposals = _proposals(schema, made.plan, drafted)
    tables = tuple(
        _kept(table, proposals.get(fold(renamed.get(fold(table.source), table.source))), alter)
        for table in made.plan.tables
    )
    return Made(schema, replace(made.plan, tables=tables))


def _proposals(schema: Schema, plan: Plan, drafted: Mapping[str, Table]) -> dict[str, TablePlan]:
    near = _related(schema, drafted)
    tables = (table for table in schema.tables if table.kind is TableKind.TABLE and fold(table.name) in near)
    ordinary = replace(schema, tables=tuple(tables), views=())
    census = {table.name: TableCensus.empty(len(table.columns)) for table in ordinary.tables}
    draft = draft_plan(ordinary, census, {}, (), plan.style, plan.zone, plan.target_schema)
    return {fold(table.source): table for table in draft.plan.tables if fold(table.source) in drafted}


def _related(schema: Schema, names: Iterable[str]) -> set[str]:
    """These tables and those that foreign keys lead to from them: a key has the type of what it refers to."""
    tables = {fold(table.name): table for table in schema.tables}
    waiting, found = [*names], set[str]()
    while waiting:
        name = waiting.pop()
        if name in tables and name not in found:
            found.add(name)
            waiting += [fold(key.parent) for key in tables[name].foreign_keys]
    return found


def _kept(present: TablePlan, proposed: TablePlan | None, alter: Alter) -> TablePlan:
    """The table under its new name, its columns as they are; one that is new is as it is proposed."""
    if proposed is None:
        return present
    renamed = {fold(alter.new): fold(alter.column)} if alter.verb == "RENAME" else {}
    columns = {fold(column.source): column for column in present.columns}
    kept = []
    for column in proposed.columns:
        old = columns.get(renamed.get(fold(column.source), fold(column.source)))
        kept.append(replace(old, source=column.source, target=column.target) if old else column)
    return replace(present, source=proposed.source, target=proposed.target, columns=tuple(kept))
