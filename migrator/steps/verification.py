"""The proof: every row, every constraint, index and identity position, every view."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from migrator.core.blueprint import Blueprint, CarriedView, Phase
from migrator.core.compare import Comparison, Difference
from migrator.core.findings import count_of
from migrator.core.model import fold
from migrator.core.progress import Progress
from migrator.core.views import compare_results
from migrator.core.work import read_identity
from migrator.source.rows import WHOLE, Range
from migrator.steps.identity import IdentityColumn, wrong_positions
from migrator.steps.origin import MAX_VIEW_ROWS, MAX_VIEW_S, NotCompared, Origin, Rows
from migrator.target import staging
from migrator.target.catalog import read_shapes
from migrator.target.connection import Target, connect, execute, set_search_path, target_errors
from migrator.tasks.careful import Explained
from migrator.tasks.query import RangesTask
from migrator.tasks.table import WorkTable
from migrator.tasks.verify import VerifyTask
from migrator.workers import WorkerPool


@dataclass
class Proof:
    """What was compared and what differs. Empty `differences` over everything that was carried is the proof."""

    tables: dict[str, Comparison] = field(default_factory=dict)
    structure: list[Difference] = field(default_factory=list)
    views: dict[str, str] = field(default_factory=dict)  # view → outcome in words
    parts_compared: int = 0

    @property
    def rows(self) -> int:
        return sum(comparison.rows for comparison in self.tables.values())

    @property
    def healed(self) -> int:
        return sum(comparison.healed for comparison in self.tables.values())

    @property
    def rejected(self) -> int:
        return sum(comparison.rejected for comparison in self.tables.values())

    @property
    def differing(self) -> int:
        return sum(comparison.differing for comparison in self.tables.values()) + len(self.structure)

    @property
    def differences(self) -> list[Difference]:
        return [item for comparison in self.tables.values() for item in comparison.differences] + self.structure

    @property
    def holds(self) -> bool:
        return self.differing == 0


def explained_by(rejects: Iterable[Mapping[str, Any]], healed: Iterable[Mapping[str, Any]]) -> dict[str, Explained]:
    """What a run's rejects and healed references allow to differ, by source table."""
    rejected: dict[str, Counter[object]] = defaultdict(Counter)
    nulled: dict[str, set[tuple[str, object]]] = defaultdict(set)
    for line in rejects:
        rejected[line["table"]][read_identity(line["identity"])] += 1
    for line in healed:
        if line["policy"] == "orphans = null":
            nulled[line["table"]].add((line["column"], read_identity(line["identity"])))
    return {
        table: Explained(tuple(rejected[table].items()), frozenset(nulled[table])) for table in {*rejected, *nulled}
    }


def verify_rows(
    pool: WorkerPool, tables: Sequence[WorkTable], explained: Mapping[str, Explained], progress: Progress
) -> dict[str, Comparison]:
    """Compare every row of every table. Raises TargetError where the target cannot be read."""
    parts = {table.target: [WHOLE] for table in tables}
    for task, ranges in pool.run([RangesTask(table) for table in tables if table.splits_by_rowid]):
        assert isinstance(task, RangesTask)
        parts[task.table.target] = _open_ended(ranges) or [WHOLE]
    tasks = []
    for table in tables:
        mine = explained.get(table.name, Explained())
        tasks += [VerifyTask(table, part, mine.within(part)) for part in parts[table.target]]
    comparisons = {table.name: Comparison() for table in tables}
    for task, comparison in pool.run(tasks, progress.advance):
        assert isinstance(task, VerifyTask)
        comparisons[task.table.name].merge(comparison)
    for name, comparison in comparisons.items():
        wanted = sum(count for _, count in explained.get(name, Explained()).rejected)
        if comparison.rejected != wanted:
            shown = f"{wanted:,} rejected rows", f"{comparison.rejected:,} of them found in the source"
            comparison.add(Difference(name, {}, None, *shown))
    return comparisons


def _open_ended(parts: Sequence[Range]) -> list[Range]:
    """The target may hold rows before the source's first and behind its last."""
    ends = list(parts)
    if ends:
        ends[0] = replace(ends[0], low=-(2**63))
        ends[-1] = replace(ends[-1], high=2**63 - 1)
    return ends


def verify_extra_ranges(
    connection: psycopg.Connection, tables: Sequence[WorkTable], comparisons: Mapping[str, Comparison]
) -> None:
    """Rows whose key lies outside of all ranges of the source can only be found by counting."""
    for table in tables:
        comparison = comparisons[table.name]
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table.identifier())).fetchone()
        found = int(row[0]) if row else 0
        expected = comparison.rows
        if found != expected and not comparison.differing:
            comparison.add(Difference(table.name, {}, None, count_of(expected, "row"), count_of(found, "row")))


def verify_structure(
    connection: psycopg.Connection, target: Target, blueprint: Blueprint, schema: str
) -> list[Difference]:
    """Columns, constraints and indexes one by one, against the same statements executed in an empty schema."""
    scratch = f"{staging.PREFIX}expected_{connection.info.backend_pid}"
    differences = []
    with target_errors(target, "comparing the structure"), connection.transaction(force_rollback=True):
        staging.create(connection, scratch)
        set_search_path(connection, scratch)
        for statement in blueprint.phase(Phase.TABLE, Phase.INDEX, Phase.KEY, Phase.FOREIGN_KEY):
            execute(connection, statement.sql)
            if statement.validate:
                execute(connection, statement.validate)
        expected = read_shapes(connection, scratch)
        present = read_shapes(connection, schema)
        for name, shape in expected.items():
            found = present[name].parts() if name in present else {}
            for part, definition in shape.parts().items():
                if found.get(part) != definition:
                    differences.append(Difference(name, {}, part, definition, found.get(part, "missing")))
            differences += [
                Difference(name, {}, part, "in force", "not valid")
                for part in (present[name].invalid if name in present else ())
                if part not in shape.invalid
            ]
    return differences


def _unlike(differences: Iterable[Difference]) -> set[str]:
    """Tables whose rows cannot be read as the plan says: a column is missing or has another type."""
    return {
        item.table
        for item in differences
        if (item.column or "").startswith("column ") and _type_of(item.source) != _type_of(item.target)
    }


def _type_of(definition: str) -> str:
    return re.split(r" (?:COLLATE|NOT NULL|IDENTITY|DEFAULT|GENERATED)\b", definition)[0]


def verify_identity(
    connection: psycopg.Connection, target: Target, schema: str, columns: list[IdentityColumn]
) -> list[Difference]:
    with target_errors(target, "reading the sequences"):
        return [
            Difference(column.source, {}, f"identity {column.column}", f"next value at least {wanted}", f"{found}")
            for column, wanted, found in wrong_positions(connection, schema, columns)
        ]


def verify_views(
    origin: Origin, connection: psycopg.Connection, schema: str, views: Sequence[CarriedView], proof: Proof
) -> None:
    """Compare the results of carried views as multisets; floats within 1e-9 relative, and the outcome says so.

    The source still has what was rejected and healed: a view that reads such a table may give another result, which is
    said and is no difference.
    """
    affected = {fold(name) for name, table in proof.tables.items() if table.rejected or table.healed}
    affected |= origin.changed_tables()
    set_search_path(connection, schema)
    for view in views:
        try:
            ours = origin.view_rows(view)
        except NotCompared as error:
            proof.views[view.source] = f"not compared: {error}"
            continue
        try:
            theirs = _result(connection, schema, view)
        except psycopg.errors.QueryCanceled:
            proof.views[view.source] = f"not compared: more than {MAX_VIEW_S:g} s in PostgreSQL"
            continue
        except psycopg.errors.UndefinedTable:
            proof.views[view.source] = "missing"
            proof.structure.append(Difference(view.source, {}, None, "a view", "missing"))
            continue
        except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex) as error:
            proof.views[view.source] = f"fails in PostgreSQL: {str(error).splitlines()[0]}"
            proof.structure.append(Difference(view.source, {}, None, "a view", proof.views[view.source]))
            continue
        outcome, same = compare_results(ours, theirs)
        allowed = not same and not affected.isdisjoint(origin.view_tables(view))
        if allowed:
            rejected, healed = proof.rejected + sum(origin.rejected.values()), proof.healed + origin.healed
            made_by = f"{count_of(rejected, 'rejected row')} and {count_of(healed, 'healed value')}"
            outcome = f"differs, as {made_by} may make it: {outcome}"
        proof.views[view.source] = outcome
        if not same and not allowed:
            proof.structure.append(Difference(view.source, {}, None, count_of(len(ours), "row"), outcome))


def _result(connection: psycopg.Connection, schema: str, view: CarriedView) -> Rows:
    """What the view gives in PostgreSQL; one row more than any that is compared. Raises psycopg.Error."""
    query = sql.SQL("SELECT * FROM {} LIMIT {}").format(sql.Identifier(schema, view.target), MAX_VIEW_ROWS + 1)
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(int(MAX_VIEW_S * 1000)))
        return connection.execute(query, binary=True).fetchall()


def verify_all(
    origin: Origin,
    pool: WorkerPool,
    target: Target,
    schema: str,
    blueprint: Blueprint,
    tables: Sequence[WorkTable],
    identities: list[IdentityColumn],
    explained: Mapping[str, Explained],
    progress: Progress,
) -> Proof:
    """Everything in that schema against the source as the pool's workers see it."""
    proof = Proof()
    connection = connect(target)
    try:
        with target_errors(target, "the verification"):
            proof.structure = verify_structure(connection, target, blueprint, schema)
            unlike = _unlike(proof.structure)
            tables = [table for table in tables if table.target not in unlike]
            proof.tables = verify_rows(pool, tables, explained, progress)
            verify_extra_ranges(connection, tables, proof.tables)
            identities = [column for column in identities if column.table not in unlike]
            proof.structure += verify_identity(connection, target, schema, identities)
            verify_views(origin, connection, schema, blueprint.views, proof)
    finally:
        connection.close()
    phases = blueprint.phase(Phase.TABLE, Phase.INDEX, Phase.KEY, Phase.FOREIGN_KEY)
    proof.parts_compared = len(phases) + len(identities)
    return proof
