"""The result of an audit: tables, doors, hazards, and how much is left to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from migrator.core.audit.accesses import Access, accesses_of
from migrator.core.audit.codebase import Codebase
from migrator.core.audit.hazards import hazards_of
from migrator.core.audit.rules import Hazard
from migrator.core.audit.sent import Place, Sent
from migrator.core.audit.touched import Operation
from migrator.core.audit.trial import Trial
from migrator.core.model import Schema, Table, TableKind, fold
from migrator.core.progress import Progress
from migrator.core.python.modules import Function, Scope
from migrator.core.redefining import Definitions


@dataclass(frozen=True)
class TableUse:
    """`rows` and `size_bytes` are None without a database; `columns` are empty where nobody makes the table."""

    name: str
    columns: tuple[str, ...]  # name and declared type
    keys: tuple[str, ...]
    rows: int | None
    size_bytes: int | None
    written_by: tuple[Place, ...]
    read_by: tuple[Place, ...]


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
        return "WRITE" if self.writes else "READ" if self.reads else "-"


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
    endpoints = (_door(code, item.function, item.method, item.path) for item in code.doors.endpoints())
    jobs = (_door(code, job.function, job.trigger, f"{job.file}:{job.line}") for job in code.doors.jobs())
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
        found[access.table][access.operation].append(Place(access.file, access.line, access.function))
    made = {fold(table.name): table for table in schema.tables if table.kind is TableKind.TABLE}
    for name in made:
        found[name]  # also what nobody uses
    return tuple(
        TableUse(
            made[name].name if name in made else name,
            tuple(_column(column.name, column.declared_type) for column in made[name].columns) if name in made else (),
            _keys(made[name]) if name in made else (),
            sizes.rows.get(name),
            sizes.size_bytes.get(name),
            tuple(places[Operation.WRITE]),
            tuple(places[Operation.READ]),
        )
        for name, places in sorted(found.items())
    )


def _column(name: str, declared: str) -> str:
    return f"{name} {declared}".strip()


def _keys(table: Table) -> tuple[str, ...]:
    primary = f"PRIMARY KEY ({', '.join(table.primary_key)})" if table.primary_key else ""
    foreign = (f"{', '.join(key.columns)} → {key.parent}" for key in table.foreign_keys)
    return tuple(filter(None, [primary, *foreign]))


# -- doors -------------------------------------------------------------------------------------------------------------


def _door(code: Codebase, function: Scope, method: str, path: str) -> Door:
    reads, writes = code.graph.tables_from(function)
    through = {
        Through(access.table, access.operation.value, access.file, access.line, code.graph.way(function, scope))
        for access, scope in code.graph.accesses_from(function)
    }
    ordered = tuple(sorted(through, key=lambda item: (item.operation, item.table, item.file, item.line)))
    return Door(method, path, place_of(function), reads, writes, ordered)


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
