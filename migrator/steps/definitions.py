"""The tables that SQL is read against: a database's, as a plan carries them, or those that CREATE statements make."""

from __future__ import annotations

import shutil
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
from migrator.source.new_file import draft_database
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
            return _altered(found, plan, path, alters) if recognise(plan.profile, schema) is None else found


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


def _altered(found: Definitions, plan: Plan, draft: Path, alters: Sequence[str]) -> Definitions:
    """With what the ALTER TABLE statements do, one after the other."""
    first = made = Made(found.schema, plan, found.blueprint)
    before = read_schema_of(draft) if alters else found.schema
    refused, altered = dict(found.refused), dict[str, Alteration]()
    for sql in alters:
        try:
            alter = read_alter(sql)
        except DefinitionError as error:
            refused[sql] = str(error)
            continue
        said = draft_database(draft, [sql]).get(sql)
        if said is None:
            now = read_schema_of(draft)
            change = Alteration(made, after(made, alter, before, now))
            made, before = change.after, now
            altered[sql] = change
        elif alter.verb == "ADD" and (again := _added_before(made, alter, draft, sql)) is not None:
            altered[sql] = again
        else:
            refused[sql] = f"SQLite says: {said}"
    return replace(found, schema=made.schema, blueprint=made.blueprint, refused=refused, created=first, altered=altered)


def _added_before(made: Made, alter: Alter, draft: Path, sql: str) -> Alteration | None:
    """What the statement did, where the table has this very column."""
    scratch = draft.with_suffix(".without")
    scratch.unlink(missing_ok=True)
    shutil.copyfile(draft, scratch)
    table, column = quote_identifier(alter.table), quote_identifier(alter.column)
    whole = read_schema_of(scratch)
    drop = f"ALTER TABLE {table} DROP COLUMN {column}"
    if draft_database(scratch, [drop]):
        return None
    without = read_schema_of(scratch)
    if draft_database(scratch, [sql]):
        return None
    again = read_schema_of(scratch)
    try:
        same = again.table(alter.table).column(alter.column) == whole.table(alter.table).column(alter.column)
    except KeyError:
        return None
    dropped = after(made, Alter(alter.table, "DROP", alter.column), whole, without)
    return Alteration(dropped, after(dropped, alter, without, again)) if same else None
