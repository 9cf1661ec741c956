"""What the way back of an earlier run will be: its plan the other way round, held against what PostgreSQL has now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from migrator.core.errors import DecisionNeeded, TargetError, UsageError
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.from_catalog import Names, column_of, declared, draft
from migrator.core.model import Affinity, Column, Generated, Schema, Table, affinity, fold
from migrator.core.names import quote_identifier
from migrator.core.original import COLUMN, Definition, Original, from_json
from migrator.core.pg_tables import PgColumn, PgSchema, PgTable
from migrator.core.pgtypes import PgType, parse_type
from migrator.core.plan import ColumnPlan, Plan, TablePlan, fingerprint
from migrator.core.way_back import ColumnBack, TableBack, WayBack, column_back
from migrator.run_folder import RunFolder, ended_runs
from migrator.source.new_file import schema_of
from migrator.source.original import read_original
from migrator.steps.known import blueprint_of
from migrator.steps.verify import plan_of_run
from migrator.tasks.table import WorkTable, work_tables

_ALIKE = ({"smallint", "integer", "bigint"}, {"text", "varchar", "char"})
_IN_STRICT = {
    Affinity.INTEGER: "INTEGER", Affinity.TEXT: "TEXT", Affinity.BLOB: "BLOB", Affinity.REAL: "REAL",
    Affinity.NUMERIC: "INTEGER",
}  # fmt: skip
_BY_CATALOG = "Or carry the tables as PostgreSQL's catalog describes them: add --schema {}"


@dataclass(frozen=True)
class Earlier:
    """A finished run: its folder, its outcome, the schema of its source, its plan.

    `known` are the tables that a known application makes, in PostgreSQL's names.
    """

    folder: RunFolder
    outcome: dict[str, Any]
    original: Original
    schema: Schema
    plan: Plan
    tables: tuple[WorkTable, ...]
    known: frozenset[str]


def find_run(run_dir: Path, shown: str, file: Path) -> Path | None:
    """The newest run into that database. Raises DecisionNeeded where runs of several files went there."""
    found: dict[str, Path] = {}
    for folder in ended_runs(run_dir):
        outcome = RunFolder(folder).read_outcome() or {}
        if outcome.get("target") == shown and (folder / "plan.toml").exists():
            found[str(outcome.get("source"))] = folder
    if len(found) > 1:
        found = {name: folder for name, folder in found.items() if Path(name).name == file.name} or found
    if len(found) > 1:
        raise DecisionNeeded(
            f"Runs of {count_of(len(found), 'file')} went into {shown}.",
            ", ".join(f"{source} ({folder.name})" for source, folder in found.items()),
            f"Name the run whose tables are to come back: --run {next(iter(found.values()))}",
        )
    return next(iter(found.values()), None)


def read_run(path: Path) -> Earlier:
    """Raises UsageError where the folder does not hold what the way back needs."""
    folder = RunFolder(path)
    outcome = folder.read_outcome()
    if outcome is None or not folder.read_plan().exists():
        raise UsageError(
            f"{path} is not the folder of a finished run.", next_step="Name it with --run migrator-runs/NAME"
        )
    original = _original(folder, outcome)
    schema = schema_of(original)
    plan, shapes = plan_of_run(folder, schema)
    if not folder.read_original() and plan.fingerprint != fingerprint(schema):
        raise UsageError(
            f"The schema of {outcome['source']} has changed since the run {path.name}.",
            "That run wrote down no schema of its own, so the tables as they were are not known.",
            _BY_CATALOG.format(plan.target_schema),
        )
    whole = replace(plan, tables=tuple(table for table in plan.tables if not table.query))
    tables = work_tables(whole, schema, blueprint_of(schema, whole, shapes).generated, plan.target_schema)
    return Earlier(folder, outcome, original, schema, plan, tuple(tables), frozenset(shapes or ()))


def _original(folder: RunFolder, outcome: dict[str, Any]) -> Original:
    text = folder.read_original()
    if text is not None:
        return from_json(text)
    source = Path(outcome.get("source", ""))
    if not source.is_file():
        raise UsageError(
            f"The run {folder.path.name} wrote down no schema of its source, and {source} is not there any more.",
            "It was made by an earlier version.",
            _BY_CATALOG.format(outcome.get("schema", "public")),
        )
    return read_original(source)


def invert(earlier: Earlier, served: PgSchema, filled: Iterable[str]) -> WayBack:
    """`filled` are the tables of PostgreSQL that hold rows. Raises TargetError, DecisionNeeded."""
    return _Inversion(earlier, served, frozenset(filled)).invert()


@dataclass
class _Inversion:
    earlier: Earlier
    served: PgSchema
    filled: frozenset[str]
    findings: list[Finding] = field(default_factory=list)
    added: list[Definition] = field(default_factory=list)

    def invert(self) -> WayBack:
        plan, original = self.earlier.plan, self.earlier.original
        tables = [self._table(table) for table in self.earlier.tables]
        merged = [self._served(table.target) for table in plan.carried if table.query]
        names = Names({fold(item.name) for item in original.definitions})
        drafted = draft(self.served.name, merged, names=names)
        self.findings += drafted.findings
        self._say_merged([table for table in plan.carried if table.query])
        self._say_left()
        definitions = (*original.definitions, *self.added, *drafted.definitions)
        return WayBack(
            replace(original, definitions=definitions),
            (*tables, *drafted.tables),
            tuple(self.findings),
            self.earlier.folder.path,
        )

    def _say(
        self, rule: str, where: str, message: str, next_step: str = "", severity: Severity = Severity.WARNING
    ) -> None:
        self.findings.append(Finding(rule, severity, where, message, next_step))

    def _served(self, target: str) -> PgTable:
        table = self.served.table(target)
        if table is None:
            raise TargetError(
                f"PostgreSQL has no table {self.served.name}.{target} any more.",
                f"The run {self.earlier.folder.path.name} made it.",
                _BY_CATALOG.format(self.served.name),
            )
        return table

    # -- one table -----------------------------------------------------------------------------------------------------

    def _table(self, work: WorkTable) -> TableBack:
        table, there = self.earlier.schema.table(work.name), self._served(work.target)
        planned = self.earlier.plan.table(work.name)
        assert planned is not None
        columns = [
            self._column(table, there, column)
            for column in work.columns
            if (own := _own(table, column.source)) is None or own.generated is Generated.NOT
        ]
        carried = {column.target for column in (*work.columns, *work.computed)}
        since = [column for column in there.columns if column.name not in carried]
        columns += [self._since(table, column, planned) for column in since]
        filled = {fold(column.name) for column in columns}
        return TableBack(
            schema=self.served.name,
            target=work.target,
            name=table.name,
            columns=tuple(columns),
            nulls=tuple(self._nulls(table, filled, there.name)),
            key=tuple(column.source for column in work.columns if column.source in work.key),
            sequence=_sequence(table, there, work),
            only=there.only,
        )

    def _column(self, table: Table, there: PgTable, planned: ColumnPlan) -> ColumnBack:
        found = there.column(planned.target)
        if found is None or not _fits(planned.type, found):
            what = f"is {found.type} now, and was {planned.type}" if found else "is not there any more"
            raise TargetError(
                f"PostgreSQL's column {there.name}.{planned.target} {what}.",
                f"So the plan of the run {self.earlier.folder.path.name} does not say what its values mean.",
                _BY_CATALOG.format(self.served.name),
            )
        return column_back(planned)

    def _since(self, table: Table, column: PgColumn, planned: TablePlan) -> ColumnBack:
        """A column that the run has not filled: of a known application, or made since."""
        left = next((item for item in planned.columns if item.drop and item.target == column.name), None)
        own = _own(table, left.source) if left else None
        if own is not None and own.generated is Generated.NOT:
            return replace(column_of(column, own.name), affinity=own.affinity)
        if planned.target in self.earlier.known:
            raise TargetError(
                f"PostgreSQL's table {planned.target} has got a column {column.name} since the run.",
                "The application was upgraded, and does not expect its new version's rows in its old tables.",
                "Go on with PostgreSQL, or with the SQLite file as it was.",
            )
        taken = Names({fold(item.name) for item in table.columns})
        name = taken.take(column.name)
        kind = declared(column)
        kind = _IN_STRICT[affinity(kind)] if table.strict else kind
        sql = f"ALTER TABLE {quote_identifier(table.name)} ADD COLUMN {quote_identifier(name)} {kind}".rstrip()
        self.added.append(Definition(COLUMN, name, table.name, sql))
        message = f"The run did not make this column ({column.type}): it is added to the table."
        self._say("column-added", f"{table.name}.{name}", message, severity=Severity.NOTE)
        return column_of(column, name)

    def _nulls(self, table: Table, filled: set[str], target: str) -> Iterable[str]:
        """Columns that stay empty. What must not be empty gets its default, or somebody has to decide."""
        for column in table.columns:
            if fold(column.name) in filled or column.generated is not Generated.NOT:
                continue
            where = f"{table.name}.{column.name}"
            if column.name == table.rowid_alias:
                self._say("column-left-behind", where, "The run left it behind: SQLite numbers the rows anew.")
            elif not column.not_null:
                self._say("column-left-behind", where, "The run left it behind: it is NULL.", severity=Severity.NOTE)
                yield column.name
            elif column.default is not None:
                self._say(
                    "column-left-behind", where, f"The run left it behind: it gets its default, {column.default}."
                )
            elif target in self.filled:
                raise DecisionNeeded(
                    f"{where} is NOT NULL without a default, and the run left it behind.",
                    f"Nothing in PostgreSQL says what its values were before {self.earlier.folder.path.name}.",
                    _BY_CATALOG.format(self.served.name),
                )

    # -- what does not come back ---------------------------------------------------------------------------------------

    def _say_merged(self, merged: list[TablePlan]) -> None:
        for table in merged:
            covered = ", ".join(table.covers)
            message = f"It was made by a query, which has no inverse: it comes back as it is; {covered} stay empty."
            self._say("merge", table.source, message)

    def _say_left(self) -> None:
        plan, schema = self.earlier.plan, self.earlier.schema
        for table in plan.tables:
            if table.drop and any(fold(item.name) == fold(table.source) for item in schema.tables):
                there = table.target in self.filled
                message = "The run left it behind: it is empty." + (
                    " PostgreSQL's rows are not carried." if there else ""
                )
                self._say(
                    "table-left-behind", table.source, message, severity=Severity.WARNING if there else Severity.NOTE
                )
        ours = {table.target for table in plan.tables}
        advice = f"To carry every table as the catalog describes it: --schema {self.served.name}"
        for name in sorted({table.name for table in self.served.tables} - ours):
            self._say("table-not-of-the-run", name, "Not carried: the run did not make this table.", advice)
        run = self.earlier.folder.path.name
        if rejects := self.earlier.outcome.get("rejects", 0):
            message = f"The run rejected {count_of(rejects, 'row')}: in PostgreSQL and in the file they are missing."
            self._say("run-rejects", run, message, "They stand in rejects.jsonl there.")
        if healed := self.earlier.outcome.get("healed", 0):
            message = f"The run healed {count_of(healed, 'value')}: the file has them as PostgreSQL has them."
            self._say("run-healed", run, message, "Which they were stands in healed.jsonl there.", Severity.NOTE)


def _own(table: Table, name: str) -> Column | None:
    return next((column for column in table.columns if fold(column.name) == fold(name)), None)


def _sequence(table: Table, there: PgTable, work: WorkTable) -> str | None:
    """The column of PostgreSQL that goes on where AUTOINCREMENT was."""
    if not table.autoincrement or table.rowid_alias is None:
        return None
    planned = next((column for column in work.columns if fold(column.source) == fold(table.rowid_alias)), None)
    column = there.column(planned.target) if planned else None
    return column.name if column and column.sequence else None


def _fits(planned: PgType, found: PgColumn) -> bool:
    """Whether the values can still be what the plan says: of the same type, or of one with the same values."""
    try:
        name = parse_type(found.base).name
    except ValueError:
        return False
    return name == planned.name or any({name, planned.name} <= alike for alike in _ALIKE)
