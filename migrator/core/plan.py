"""The plan: for every table and column of the source, what becomes of it. A person reviews it; run carries it out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from migrator.core.convert import NO_OPTIONS, Conversion, Options, conversion
from migrator.core.errors import PlanError
from migrator.core.model import Affinity, Schema, fold
from migrator.core.pgtypes import PgType

VERSION = 1


class Style(StrEnum):
    """FAITHFUL keeps the application's SQL working; IDIOMATIC takes PostgreSQL's own types where the census allows."""

    FAITHFUL = "faithful"
    IDIOMATIC = "idiomatic"


class Policy(StrEnum):
    """What happens to a value that does not fit its column's type."""

    REJECT = "reject"  # the row goes to rejects.jsonl
    WIDEN = "widen"  # the column becomes text, numbers are written in it
    NULL_IF_EMPTY = "null-if-empty"  # '' becomes NULL
    STRIP_NUL = "strip-nul"  # U+0000 is removed from text
    REPLACE_NUL = "replace-nul"  # U+0000 becomes U+2400, the symbol for NUL
    BYTEA = "bytea"  # the column becomes bytea and holds the bytes of the text


class Orphans(StrEnum):
    """What happens to rows whose foreign key names a parent that is not there."""

    NOT_VALID = "not-valid"  # all rows are carried; the key is added NOT VALID and holds for new rows
    REJECT = "reject"  # the rows go to rejects.jsonl
    NULL = "null"  # the reference becomes NULL
    FAIL = "fail"  # the run stops


@dataclass(frozen=True)
class ColumnPlan:
    source: str
    target: str
    type: PgType
    options: Options = NO_OPTIONS
    policy: Policy = Policy.REJECT
    collation: str | None = None  # PostgreSQL's name, for text columns
    drop: bool = False
    identity: bool = False
    not_null: bool = False
    affinity: Affinity = Affinity.BLOB
    why: str = ""
    alternative: str = ""  # the other style's choice as TOML, or ""

    def conversion(self) -> Conversion:
        """Raises PlanError if type and options contradict each other."""
        try:
            return conversion(self.type, self.options, self.affinity)
        except (ValueError, KeyError) as error:
            raise PlanError(f"Column {self.source}: {error}.", next_step="Correct its line in the plan.") from error


@dataclass(frozen=True)
class TablePlan:
    """`query` is set where the target table is one SQLite query (a merge); `source` is then the target's name."""

    source: str
    target: str
    columns: tuple[ColumnPlan, ...] = ()
    query: str | None = None
    key: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    accept_rows_dropped: int = 0
    drop: bool = False
    rowid: str | None = None  # the name of an identity column that carries the rowid
    nullable_key: bool = False  # the primary key holds NULLs, so it becomes UNIQUE
    drop_indexes: tuple[str, ...] = ()  # by their names in SQLite
    orphans: dict[tuple[str, ...], Orphans] = field(default_factory=dict)
    rows: int | None = None
    size_bytes: int | None = None

    @cached_property
    def carried(self) -> tuple[ColumnPlan, ...]:
        return tuple(column for column in self.columns if not column.drop)

    def column(self, source: str) -> ColumnPlan | None:
        """The plan of the source's column, or None if it is dropped or unknown."""
        return self._columns.get(fold(source))

    @cached_property
    def _columns(self) -> dict[str, ColumnPlan]:
        return {fold(column.source): column for column in self.carried}


@dataclass(frozen=True)
class Plan:
    style: Style
    profile: str
    zone: str
    target_schema: str
    tables: tuple[TablePlan, ...]
    dropped_views: frozenset[str]
    fingerprint: dict[str, str]  # object → digest of its definition
    dropped_triggers: frozenset[str] = frozenset()

    @cached_property
    def carried(self) -> tuple[TablePlan, ...]:
        return tuple(table for table in self.tables if not table.drop)

    @property
    def rows(self) -> int:
        """Of all carried tables, as far as the census knew them."""
        return sum(table.rows or 0 for table in self.carried)

    def table(self, source: str) -> TablePlan | None:
        """The plan of the source's table, or None if it is dropped or unknown."""
        return self._tables.get(fold(source))

    @cached_property
    def _tables(self) -> dict[str, TablePlan]:
        return {fold(table.source): table for table in self.carried if not table.query}


def fingerprint(schema: Schema) -> dict[str, str]:
    """A digest per table, view and trigger of how it was created, by which a changed source is recognised."""
    objects = {
        table.name: table.sql + "".join(sorted(index.sql or "" for index in table.indexes)) for table in schema.tables
    }
    objects |= {view.name: view.sql for view in schema.views}
    objects |= {f"{trigger.table}.{trigger.name}": trigger.sql for trigger in schema.triggers}
    return {name: hashlib.sha256(sql.encode()).hexdigest()[:16] for name, sql in sorted(objects.items())}


def check_fingerprint(plan: Plan, schema: Schema) -> None:
    """Raise PlanError, with the differences, where the plan was made for another schema."""
    planned, present = plan.fingerprint, fingerprint(schema)
    if planned == present:
        return
    differences = [f"new: {name}" for name in sorted(present.keys() - planned.keys())]
    differences += [f"gone: {name}" for name in sorted(planned.keys() - present.keys())]
    differences += [f"changed: {name}" for name in sorted(planned.keys() & present) if planned[name] != present[name]]
    raise PlanError(
        "The source's schema is not the one the plan was made for.",
        "; ".join(differences) + ".",
        "Run: migrator plan SOURCE -o PLAN --refresh, review what it added, and run again.",
    )


def check_plan(plan: Plan, schema: Schema) -> None:
    """Raise PlanError where the plan contradicts itself or leaves a table of the source without an answer."""
    covered = {fold(name) for table in plan.carried for name in table.covers}
    planned = {fold(table.source) for table in plan.tables if not table.query}
    for table in schema.tables:
        if (table.kind == "table" or table.holds_content) and fold(table.name) not in planned | covered:
            raise PlanError(
                f"Table {table.name} is neither carried, covered nor dropped.",
                next_step=f"Add [tables.{table.name}] with drop = true, or name it in a query's covers.",
            )
    _check_names(plan)
    for table_plan in plan.carried:
        for column in table_plan.carried:
            column.conversion()
        if not table_plan.query:
            _check_columns(table_plan, schema)


def _check_columns(plan: TablePlan, schema: Schema) -> None:
    try:
        table = schema.table(plan.source)
    except KeyError:
        raise PlanError(
            f"The source has no table {plan.source}.",
            next_step=f"Remove [tables.{plan.source}], or use plan --refresh.",
        ) from None
    if table.kind != "table":
        raise PlanError(
            f"{plan.source} is a virtual table, and cannot be carried as it is.",
            next_step="Set drop = true, or carry its content with a query that covers it.",
        )
    for key, orphans in plan.orphans.items():
        fixed = [name for name in key if (column := plan.column(name)) and column.not_null]
        if orphans is Orphans.NULL and fixed:
            raise PlanError(
                f"The reference {plan.source}({', '.join(key)}) cannot become NULL: {fixed[0]} is NOT NULL.",
                next_step='Choose orphans = "reject" or "not-valid".',
            )
    indexes = {fold(index.name): index.name for index in table.indexes if index.origin != "pk"}
    if unknown := [name for name in plan.drop_indexes if fold(name) not in indexes]:
        raise PlanError(
            f"Table {plan.source} has no index {', '.join(unknown)}.",
            f"It has {', '.join(indexes.values()) or 'none'}, as SQLite names them.",
            f"Correct drop_indexes of [tables.{plan.source}].",
        )
    planned = {fold(column.source) for column in plan.columns}
    present = {fold(column.name): column.name for column in table.columns}
    if unknown := sorted(planned - present.keys()):
        raise PlanError(
            f"Table {plan.source} has no column {', '.join(unknown)}.",
            next_step="Remove the line, or use plan --refresh.",
        )
    if missing := [name for folded, name in present.items() if folded not in planned]:
        raise PlanError(
            f"Column {missing[0]} of {plan.source} is neither carried nor dropped.",
            next_step=f"Add a line to [tables.{plan.source}.columns], with drop = true if it is to stay behind.",
        )


def _check_names(plan: Plan) -> None:
    tables: dict[str, str] = {}
    for table in plan.carried:
        if not all((table.target, *(column.target for column in table.carried))):
            raise PlanError(f"Table {table.source} has an empty name in it.", next_step='Give it one: target = "…".')
        if other := tables.get(table.target):
            raise PlanError(
                f"Tables {other} and {table.source} would both be {table.target} in PostgreSQL.",
                next_step='Give one of them another name: target = "…".',
            )
        tables[table.target] = table.source
        columns: dict[str, str] = {}
        for column in table.carried:
            if first := columns.get(column.target):
                raise PlanError(
                    f"Columns {first} and {column.source} of {table.source} would both be {column.target}.",
                    next_step='Give one of them another name: target = "…".',
                )
            columns[column.target] = column.source
