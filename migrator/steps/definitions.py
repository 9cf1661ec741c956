"""The tables that SQL is read against: a database's, as a plan carries them, or those that CREATE statements make."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.core.altering import Alter, Alteration, Made, after, read_alter
from migrator.core.errors import UsageError
from migrator.core.model import Schema, Table, TableKind, fold
from migrator.core.names import quote_identifier
from migrator.core.plan import Plan, Style
from migrator.core.progress import Progress, Silent
from migrator.core.redefining import Definitions
from migrator.core.sql.cursor import DefinitionError
from migrator.profiles import recognise
from migrator.source.draft import Draft, draft_database, drafting
from migrator.steps.known import blueprint_of, recorded_shapes
from migrator.steps.plan import PlanRequest, make_plan, read_plan, read_schema_of


@dataclass(frozen=True)
class Tables:
    """Where they come from: `db`, with or without a plan for it; without it the statements themselves."""

    db: Path | None = None
    plan: Path | None = None
    style: Style = Style.FAITHFUL

    def read(self, created: Iterable[str], progress: Progress) -> Definitions:
        """`created` are the CREATE and ALTER TABLE statements at hand. Raises UsageError, SourceError, PlanError."""
        if self.db is None and self.plan is not None:
            raise UsageError("--plan needs --db.", "A plan does not hold the keys.", "Name the database: --db FILE")
        statements = [*created]
        alters = [sql for sql in statements if sql[:5].upper() == "ALTER"]
        created = [sql for sql in statements if sql[:5].upper() != "ALTER"]
        with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
            path = Path(scratch) / "drafted.db"
            if self.db is None:
                refused = draft_database(path, created)
                schema, plan = read_schema_of(path), _drafted(path, self.style)
            else:
                known = read_schema_of(self.db)
                plan = read_plan(self.plan, known)[0] if self.plan else _proposed(self.db, self.style, progress)
                refused = draft_database(path, [*_statements(known), *created])
                schema, plan = _with_new(known, plan, path)
            found = replace(_definitions(self.db or path, schema, plan), refused=refused)
            return _altered(found, plan, alters) if recognise(plan.profile, schema) is None else found


def _proposed(path: Path, style: Style, progress: Progress) -> Plan:
    return make_plan(PlanRequest(path, style, workers=1), progress).plan


def _drafted(path: Path, style: Style) -> Plan:
    """For tables without rows, which a known application's profile would ask for its version."""
    return make_plan(PlanRequest(path, style, profile="none", workers=1), Silent()).plan


def _statements(schema: Schema) -> Iterator[str]:
    """What makes the tables, indexes, views and triggers that a database has."""
    for table in schema.tables:
        if table.kind is not TableKind.SHADOW:
            yield table.sql
    for table in schema.tables:
        yield from (index.sql for index in table.indexes if index.sql)
    yield from (view.sql for view in schema.views if view.sql)
    yield from (trigger.sql for trigger in schema.triggers)


def _with_new(schema: Schema, plan: Plan, drafted: Path) -> tuple[Schema, Plan]:
    """The schema with what a program makes beside it, and a proposal for that."""
    made = read_schema_of(drafted)
    tables = {fold(table.name): table for table in made.tables}
    known = {fold(table.name) for table in schema.tables}
    views = {fold(view.name) for view in schema.views}
    triggers = {fold(trigger.name) for trigger in schema.triggers}
    merged = replace(
        schema,
        tables=(
            *(_with_indexes(table, tables.get(fold(table.name))) for table in schema.tables),
            *(table for name, table in tables.items() if name not in known),
        ),
        views=(*schema.views, *(view for view in made.views if fold(view.name) not in views)),
        triggers=(*schema.triggers, *(item for item in made.triggers if fold(item.name) not in triggers)),
    )
    if known.issuperset(tables):
        return merged, plan
    new = tuple(item for item in _drafted(drafted, plan.style).tables if fold(item.source) not in known)
    return merged, replace(plan, tables=(*plan.tables, *new))


def _with_indexes(table: Table, made: Table | None) -> Table:
    names = {fold(index.name) for index in table.indexes}
    new = [index for index in made.indexes if index.origin == "c" and fold(index.name) not in names] if made else []
    return replace(table, indexes=(*table.indexes, *new))


def _definitions(path: Path, schema: Schema, plan: Plan) -> Definitions:
    profile = recognise(plan.profile, schema)
    shapes = recorded_shapes(profile, path, schema) if profile else None
    if profile and shapes is not None:
        plan = profile.conform(plan, shapes)
    return Definitions(schema, blueprint_of(schema, plan, shapes))


def _altered(found: Definitions, plan: Plan, alters: Sequence[str]) -> Definitions:
    """With what the ALTER TABLE statements do, one after the other."""
    made = Made(found.schema, plan)
    refused, altered = dict(found.refused), dict[str, Alteration]()
    for sql in alters:
        try:
            change = _change(made, read_alter(sql), sql)
        except DefinitionError as error:
            refused[sql] = str(error)
            continue
        if isinstance(change, str):
            refused[sql] = f"SQLite says: {change}"
        else:
            made = made.with_part(change.before, change.after)
            altered[sql] = change
    if not altered:
        return replace(found, refused=refused)
    return replace(found, schema=made.schema, blueprint=made.blueprint, refused=refused, created=found, altered=altered)


def _change(made: Made, alter: Alter, sql: str) -> Alteration | str:
    """What the statement does to the tables near to it, or what SQLite says of it."""
    near = made.near(alter.table)
    with drafting(_statements(near.schema)) as draft:
        before = draft.schema()
        said = draft.define(sql)
        if said is None:
            return Alteration(near, after(near, alter, before, draft.schema()))
        return (_added_before(near, alter, draft, sql) if alter.verb == "ADD" else None) or said


def _added_before(near: Made, alter: Alter, draft: Draft, sql: str) -> Alteration | None:
    """What the statement did, where the table has this very column. It leaves the draft as it may be."""
    whole = draft.schema()
    if draft.define(f"ALTER TABLE {quote_identifier(alter.table)} DROP COLUMN {quote_identifier(alter.column)}"):
        return None
    without = draft.schema()
    if draft.define(sql):
        return None
    again = draft.schema()
    try:
        same = again.table(alter.table).column(alter.column) == whole.table(alter.table).column(alter.column)
    except KeyError:
        return None
    dropped = after(near, Alter(alter.table, "DROP", alter.column), whole, without)
    return Alteration(dropped, after(dropped, alter, without, again)) if same else None
