"""The result of an audit: tables, doors, hazards, and how much is left to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from migrator.core.audit.accesses import UNKNOWN, Access, accesses_of
from migrator.core.audit.codebase import Codebase
from migrator.core.audit.hazards import hazards_of
from migrator.core.audit.rules import Hazard
from migrator.core.audit.sent import Place, Sent
from migrator.core.audit.touched import Operation
from migrator.core.audit.trial import Trial
from migrator.core.model import Schema, Table, TableKind, View, fold
from migrator.core.progress import Progress
from migrator.core.python.modules import Function, Scope
from migrator.core.python.values import Callee
from migrator.core.redefining import Definitions


class Kind(StrEnum):
    TABLE = "table"
    VIRTUAL = "virtual"
    VIEW = "view"
    MISSING = "missing"
    UNKNOWN = "unknown"


_REMARKS = {
    Kind.VIEW: "view",
    Kind.MISSING: "not made here",
    Kind.UNKNOWN: "decided while the program runs",
}


@dataclass(frozen=True)
class TableUse:
    """`rows` and `size_bytes` are None without a database; `columns` are empty where nobody makes the table."""

    name: str
    kind: Kind
    columns: tuple[str, ...]  # name and declared type
    keys: tuple[str, ...]
    rows: int | None
    size_bytes: int | None
    written_by: tuple[Place, ...]
    read_by: tuple[Place, ...]

    @property
    def remark(self) -> str:
        """What is to be said of one that is no table made here."""
        return _REMARKS.get(self.kind, "")


@dataclass(frozen=True)
class Through:
    """A table that is reached from a door, where, and by which functions."""

    table: str
    operation: str
    file: str
    line: int
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Door:
    """An endpoint (method and path) or a job (trigger)."""

    method: str
    path: str
    place: Place
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    through: tuple[Through, ...]

    @property
    def operation(self) -> str:
        """UNKNOWN where SQL is sent of which nothing can be told."""
        return "WRITE" if self.writes else "READ" if self.reads else "UNKNOWN" if self.through else "-"


@dataclass(frozen=True)
class StatementUse:
    """The SQL that a call sends; of several variants the first. `declined` says why it cannot be translated."""

    place: Place
    sql: str
    declined: tuple[str, ...] = ()  # rule ids


@dataclass(frozen=True)
class Unread:
    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class Summary:
    """`left` falls to 0: the places that a person, or the rewrite, has still to change."""

    files: int
    lines: int
    statements: int
    rewritable: int
    hazards: Mapping[str, int]
    left: int


@dataclass(frozen=True)
class Audit:
    tables: tuple[TableUse, ...]
    endpoints: tuple[Door, ...]
    jobs: tuple[Door, ...]
    hazards: tuple[Hazard, ...]
    statements: tuple[StatementUse, ...]
    unread: tuple[Unread, ...]
    summary: Summary

    @property
    def table_count(self) -> int:
        """Without views, and without what is not known."""
        return sum(table.kind not in (Kind.VIEW, Kind.UNKNOWN) for table in self.tables)


@dataclass(frozen=True)
class Sizes:
    """What only the database can tell."""

    rows: Mapping[str, int] = field(default_factory=dict)  # by folded names
    size_bytes: Mapping[str, int] = field(default_factory=dict)


def audit(
    code: Codebase,
    definitions: Definitions,
    sizes: Sizes,
    unread: Sequence[Unread],
    progress: Progress,
    left: Iterable[Hazard] = (),
) -> Audit:
    """`left` is what a rewrite has left behind it."""
    accesses, schema = accesses_of(code.sent), definitions.schema
    hazards = sorted([*hazards_of(code, schema), *left])
    statements = _statements(code, definitions, progress)
    places = {(item.place.file, item.place.line) for item in statements} | {(item.file, item.line) for item in hazards}
    texts = [module.text for module in code.tree.modules] + [script.text for script in code.scripts]
    summary = Summary(
        len(texts),
        sum(text.count("\n") for text in texts),
        len(statements),
        sum(not item.declined for item in statements),
        dict(sorted(Counter(hazard.rule for hazard in hazards).items())),
        len(places),
    )
    endpoints = (_door(code, item.runs, item.method, item.path) for item in code.doors.endpoints())
    jobs = (_door(code, job.runs, job.trigger, f"{job.file}:{job.line}") for job in code.doors.jobs())
    tables = _tables(accesses, schema, sizes)
    return Audit(
        tables, tuple(endpoints), tuple(jobs), tuple(hazards), statements, tuple(unread) + _unfinished(code), summary
    )


def _unfinished(code: Codebase) -> tuple[Unread, ...]:
    """Scripts whose end cannot be read; what stands before it has been."""
    return tuple(
        Unread(item.place.file, item.place.line, statement.error)
        for item in code.sent
        for statement in item.statements
        if item.site is None and statement.error
    )


# -- tables ------------------------------------------------------------------------------------------------------------


def _tables(accesses: Iterable[Access], schema: Schema, sizes: Sizes) -> tuple[TableUse, ...]:
    found: dict[str, dict[Operation, list[Place]]] = defaultdict(lambda: {Operation.READ: [], Operation.WRITE: []})
    for access in accesses:
        if access.operation is Operation.UNKNOWN:
            continue
        found[access.table][access.operation].append(Place(access.file, access.line, access.function))
    made = {fold(table.name): table for table in schema.tables if table.kind is not TableKind.SHADOW}
    for name, table in made.items():
        if table.kind is TableKind.TABLE:
            found[name]  # also what nobody uses
    views = {fold(view.name): view for view in schema.views}
    return tuple(
        TableUse(
            *_described(name, made.get(name), views.get(name)),
            sizes.rows.get(name),
            sizes.size_bytes.get(name),
            tuple(places[Operation.WRITE]),
            tuple(places[Operation.READ]),
        )
        for name, places in sorted(found.items())
    )


def _described(name: str, table: Table | None, view: View | None) -> tuple[str, Kind, tuple[str, ...], tuple[str, ...]]:
    """Name, kind, columns and keys."""
    if table is not None:
        columns = tuple(_column(column.name, column.declared_type) for column in table.columns)
        return table.name, Kind(table.kind), columns, _keys(table)
    if view is not None:
        return view.name, Kind.VIEW, view.columns, ()
    return name, Kind.UNKNOWN if name == UNKNOWN else Kind.MISSING, (), ()


def _column(name: str, declared: str) -> str:
    return f"{name} {declared}".strip()


def _keys(table: Table) -> tuple[str, ...]:
    primary = f"PRIMARY KEY ({', '.join(table.primary_key)})" if table.primary_key else ""
    foreign = (f"{', '.join(key.columns)} → {key.parent}" for key in table.foreign_keys)
    return tuple(filter(None, [primary, *foreign]))


# -- doors -------------------------------------------------------------------------------------------------------------


def _door(code: Codebase, runs: Callee, method: str, path: str) -> Door:
    reads, writes = code.graph.tables_from(runs)
    through = {
        Through(access.table, access.operation.value, access.file, access.line, code.graph.way(runs, callee))
        for access, callee in code.graph.accesses_from(runs)
    }
    ordered = tuple(sorted(through, key=lambda item: (item.operation, item.table, item.file, item.line)))
    return Door(method, path, place_of(runs.function), reads, writes, ordered)


def place_of(scope: Scope) -> Place:
    line = scope.node.lineno if isinstance(scope.node, Function) else 1
    return Place(scope.module.path.as_posix(), line, scope.name)


# -- statements --------------------------------------------------------------------------------------------------------


def _statements(code: Codebase, definitions: Definitions, progress: Progress) -> tuple[StatementUse, ...]:
    found, trial = [], Trial(definitions)
    for sent in code.sent:
        found.append(StatementUse(sent.place, _shown(sent), trial.refusals(sent)))
        progress.advance()
    return tuple(sorted(found, key=lambda item: item.place))


def _shown(sent: Sent) -> str:
    return sent.site.texts[0].filled("{…}", "?, …") if sent.site is not None else sent.statements[0].text
