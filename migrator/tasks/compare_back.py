"""Is in the file what PostgreSQL holds? Every row is read from both sides again, and nothing of the copy is used.

Rows have no order that both sides share, so they are compared as multisets of their hashes, exact in type and bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import apsw
import psycopg

from migrator.core.compare import Comparison, Difference, Multiset
from migrator.core.findings import count_of
from migrator.core.values import Unreadable, show
from migrator.core.way_back import TableBack
from migrator.source.rows import WHOLE, Relation, read_rows, read_rows_carefully
from migrator.tasks.bring_back import Brought, read_back, row_digest

MAX_KEPT_HASHES = 5_000_000
REPORT_ROWS = 1_000

Rows = Iterator[Sequence[object]]


@dataclass
class CompareBack:
    """`encoding` is Python's name of the file's; `brought` says which rows of PostgreSQL were rejected."""

    connection: psycopg.Connection
    file: apsw.Connection
    table: TableBack
    encoding: str
    brought: Brought
    report: Callable[[int], None]

    def run(self) -> Comparison:
        server, file = Multiset(), Multiset()
        for row in self._server():
            server.add(row)
            if server.count % REPORT_ROWS == 0:
                self.report(REPORT_ROWS)
        self.report(server.count % REPORT_ROWS)
        self._add_file(file)
        comparison = Comparison(rows=server.count, rejected=sum(self.brought.rejected.values()))
        if server != file:
            self._explain(comparison, server.count, file.count)
        return comparison

    def _server(self) -> Rows:
        """What the inverse makes of PostgreSQL's rows, without those that were rejected."""
        inverses = [(n, column.inverse) for n, column in enumerate(self.table.columns) if column.inverse]
        rejected = Counter(self.brought.rejected)
        for row in read_back(self.connection, self.table, self.brought.batch_rows):
            if rejected and rejected[digest := row_digest(row)]:
                rejected[digest] -= 1
                continue
            values = list(row)
            for number, inverse in inverses:
                value = values[number]
                values[number] = value if value is None or isinstance(value, Unreadable) else inverse(value)
            yield values

    def _add_file(self, multiset: Multiset) -> None:
        """Texts that are not valid make SQLite's own reading fail; then all are read with care."""
        relation = Relation(self.table.name, tuple(column.name for column in self.table.columns))
        try:
            for row in read_rows(self.file, relation, WHOLE):
                multiset.add(row if relation.columns else ())
        except UnicodeDecodeError:
            multiset.__init__(keep=multiset.hashes is not None)  # type: ignore[misc]  # begins again
            for _, row in read_rows_carefully(self.file, relation, WHOLE, self.encoding):
                multiset.add(row)

    def _explain(self, comparison: Comparison, expected: int, found: int) -> None:
        """Which rows are on one side only."""
        if max(expected, found) > MAX_KEPT_HASHES:
            summary = count_of(expected, "row"), f"{count_of(found, 'row')}, or others"
            comparison.add(Difference(self.table.name, {}, None, *summary))
            return
        file = Multiset(keep=True)
        self._add_file(file)
        assert file.hashes is not None
        for row in self._server():
            digest = Multiset().add(row)
            if file.hashes[digest]:
                file.hashes[digest] -= 1
            else:
                comparison.add(Difference(self.table.name, {}, None, _shown(row), "no such row"))
        if surplus := (+file.hashes).total():
            comparison.add(
                Difference(self.table.name, {}, None, "no such row", count_of(surplus, "row more", "rows more"))
            )


def _shown(row: Sequence[object]) -> str:
    return "(" + ", ".join(show(value, 24) for value in row) + ")"
