"""Is in the file what PostgreSQL holds? Every row is read from both sides again, and nothing of the copy is used.

Rows have no order that both sides share, so they are compared as multisets of their hashes, exact in type and bits.
Each side of a table is one worker's task.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apsw
import psycopg

from migrator.core.compare import Comparison, Difference, Multiset
from migrator.core.findings import count_of
from migrator.core.values import LARGEST_VALUE_BYTES, Unreadable, show
from migrator.core.way_back import TableBack
from migrator.source.new_file import complaints, open_finished
from migrator.source.rows import WHOLE, Relation, read_rows, read_rows_carefully
from migrator.target.connection import target_errors
from migrator.target.tables import join_snapshot
from migrator.tasks.bring_back import Brought, read_back, row_digest
from migrator.workers import Context

MAX_KEPT_HASHES = 5_000_000

Sum = tuple[int, int]  # of the rows' hashes, and how many rows


@dataclass(frozen=True)
class SumServer:
    """What the inverses make of PostgreSQL's rows, without those that were rejected."""

    table: TableBack
    brought: Brought
    snapshot: str

    def run(self, context: Context) -> Sum:
        """Raises TargetError."""
        assert context.target is not None
        with target_errors(context.target, f"reading {self.table.target} again"):
            if "snapshot" not in context.cache:
                join_snapshot(context.connection, self.snapshot)
                context.cache["snapshot"] = self.snapshot
            multiset = Multiset()
            rows = server_rows(context.connection, self.table, self.brought)
            while batch := list(itertools.islice(rows, self.brought.batch_rows)):
                for row in batch:
                    multiset.add(row)
                context.report(len(batch))
            return multiset.total, multiset.count


@dataclass(frozen=True)
class SumFile:
    """The file's rows as SQLite returns them. `encoding` is Python's name of the file's."""

    table: TableBack
    encoding: str

    def run(self, context: Context) -> Sum:
        context.source.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
        multiset = file_rows(context.source, self.table, self.encoding, keep=False)
        return multiset.total, multiset.count


@dataclass(frozen=True)
class CheckFile:
    """What SQLite says of the file: what is broken in it, and which rules of its own its rows break."""

    def run(self, context: Context) -> tuple[list[str], list[str]]:
        connection = open_finished(context.path)
        try:
            return complaints(connection)
        finally:
            connection.close()


def server_rows(connection: psycopg.Connection, table: TableBack, brought: Brought) -> Iterator[Sequence[object]]:
    inverses = [(n, column.inverse) for n, column in enumerate(table.columns) if column.inverse]
    rejected = Counter(brought.rejected)
    rows = read_back(connection, table, brought.batch_rows)
    if not inverses and not rejected:
        yield from rows
        return
    for row in rows:
        if rejected and rejected[digest := row_digest(row)]:
            rejected[digest] -= 1
            continue
        values = list(row)
        for number, inverse in inverses:
            value = values[number]
            values[number] = value if value is None or isinstance(value, Unreadable) else inverse(value)
        yield values


def file_rows(connection: apsw.Connection, table: TableBack, encoding: str, *, keep: bool) -> Multiset:
    """Texts that are not valid make SQLite's own reading fail; then all are read with care."""
    relation = Relation(table.name, tuple(column.name for column in table.columns))
    multiset = Multiset(keep)
    try:
        for row in read_rows(connection, relation, WHOLE):
            multiset.add(row if relation.columns else ())
    except UnicodeDecodeError:
        multiset = Multiset(keep)
        for _, row in read_rows_carefully(connection, relation, WHOLE, encoding):
            multiset.add(row)
    return multiset


def explain(
    connection: psycopg.Connection, file: apsw.Connection, table: TableBack, encoding: str, brought: Brought
) -> Comparison:
    """Which rows are on one side only."""
    comparison = Comparison(rows=brought.rows)
    if brought.rows > MAX_KEPT_HASHES:
        comparison.add(Difference(table.name, {}, None, count_of(brought.rows, "row"), "others"))
        return comparison
    hashes = file_rows(file, table, encoding, keep=True).hashes
    assert hashes is not None
    for row in server_rows(connection, table, brought):
        digest = Multiset().add(row)
        if hashes[digest]:
            hashes[digest] -= 1
        else:
            comparison.add(Difference(table.name, {}, None, _shown(row), "no such row"))
    if surplus := (+hashes).total():
        comparison.add(Difference(table.name, {}, None, "no such row", count_of(surplus, "row more", "rows more")))
    return comparison


def _shown(row: Sequence[object]) -> str:
    return "(" + ", ".join(show(value, 24) for value in row) + ")"
