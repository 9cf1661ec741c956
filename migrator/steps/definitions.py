"""The tables that SQL is read against: a database's, as a plan carries them, or those that CREATE statements make."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from migrator.core.altering import Alter, Alteration, Made, after, read_alter, read_drop
from migrator.core.errors import UsageError
from migrator.core.model import Schema, Table, TableKind, fold
from migrator.core.names import quote_identifier
from migrator.core.plan import Plan, Style
from migrator.core.progress import Progress, Silent
from migrator.core.redefining import Definitions
from migrator.core.related import related
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
        """`created` are the CREATE, ALTER TABLE and DROP TABLE statements at hand.

        Raises UsageError, SourceError, PlanError.
        """
        if self.db is None and self.plan is not None:
            raise UsageError("--plan needs --db.", "A plan does not hold the keys.", "Name the database: --db FILE")
        statements = [*created]
        alters = [sql for sql in statements if sql[:5].upper() != "CREAT"]
        created = [sql for sql in statements if sql[:5].upper() == "CREAT"]
        with tempfile.TemporaryDirectory(prefix="migrator-") as scratch:
            path = Path(scratch) / "drafted.db"
            kept = frozenset[str]()
            if self.db is None:
                refused = draft_database(path, created)
                schema, plan = read_schema_of(path), _drafted(path, self.style)
            else:
                known = read_schema_of(self.db)
                plan = read_plan(self.plan, known)[0] if self.plan else _proposed(self.db, self.style, progress)
                refused = draft_database(path, [*_statements(known), *created])
                schema, plan = _with_new(known, plan, path)
                kept = frozenset(fold(table.name) for table in known.tables)
            found = replace(_definitions(self.db or path, schema, plan), refused=refused)
            return _altered(found, plan, alters, kept) if recognise(plan.profile, schema) is None else found


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


def _altered(found: Definitions, plan: Plan, alters: Sequence[str], kept: frozenset[str]) -> Definitions:
    """With what the ALTER TABLE statements do, one after the other.

    A DROP TABLE counts where another table gets the name: before that, what is known helps the statements in front of
    it. Tables of the database, `kept`, are as they are behind all of it.
    """
    made = Made(found.schema, plan)
    refused, altered = dict(found.refused), dict[str, Alteration]()
    dropped, again = set[str](), list[str]()
    for sql in alters:
        try:
            if sql[:4].upper() == "DROP":
                dropped.add(fold(read_drop(sql)))
                continue
            alter = read_alter(sql)
            change = _change(made, alter, sql, dropped)
        except DefinitionError as error:
            refused[sql] = str(error)
            continue
        if isinstance(change, str):
            refused[sql] = f"SQLite says: {change}"
            continue
        altered[sql] = change
        if alter.verb != "RENAME TO":
            made = made.with_part(change.renamed, change.after)
        elif fold(alter.new) not in kept:
            again += _beside(made.schema, alter.new)
            made = made.without(alter.new).with_part(change.renamed, change.after)
    if not altered:
        return replace(found, refused=refused)
    made, refused = _with_refused(made, refused, again)
    return replace(found, schema=made.schema, blueprint=made.blueprint, refused=refused, created=found, altered=altered)


def _change(made: Made, alter: Alter, sql: str, dropped: Collection[str]) -> Alteration | str:
    """What the statement does to the tables near to it, or what SQLite says of it."""
    is_taken = alter.verb == "RENAME TO" and any(fold(table.name) == fold(alter.new) for table in made.schema.tables)
    takes_name = is_taken and fold(alter.new) in dropped
    before = made.near(alter.table, alter.new) if takes_name else made.near(alter.table)
    near = before.without(alter.new) if takes_name else before
    with drafting(_statements(near.schema)) as draft:
        old = draft.schema()
        said = draft.define(sql)
        if said is None and is_taken and not takes_name:
            said = f"there is already another table or index with this name: {alter.new}"
        if said is None:
            return Alteration(before, after(near, alter, old, draft.schema()), near)
        return (_added_before(near, alter, draft, sql) if alter.verb == "ADD" else None) or said


def _beside(schema: Schema, name: str) -> list[str]:
    """What makes the views and triggers that have to do with a table."""
    near = related(schema, name)
    return [*(view.sql for view in near.views), *(trigger.sql for trigger in near.triggers)]


def _with_refused(made: Made, refused: Mapping[str, str], again: Sequence[str]) -> tuple[Made, dict[str, str]]:
    """With the indexes, views and triggers that can only be made behind the ALTER TABLEs, and what is refused still."""
    schema = made.schema
    with drafting(_statements(schema)) as draft:
        wanted = [*(sql for sql in refused if sql[:6].upper() == "CREATE"), *again]
        late = {sql for sql in wanted if draft.define(sql) is None}
        now = draft.schema() if late else schema
    still = {sql: said for sql, said in refused.items() if sql not in late}
    known = {fold(item.name) for items in (schema.views, schema.triggers) for item in items}
    tables = {fold(table.name): table for table in now.tables}
    schema = replace(
        schema,
        tables=tuple(_with_indexes(table, tables.get(fold(table.name))) for table in schema.tables),
        views=(*schema.views, *(view for view in now.views if fold(view.name) not in known)),
        triggers=(*schema.triggers, *(trigger for trigger in now.triggers if fold(trigger.name) not in known)),
    )
    return Made(schema, made.plan), still


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
    return Alteration(dropped, after(dropped, alter, without, again), dropped) if same else None
