"""Is what lies in an export still, and truly, what the source holds?"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from migrator.archive.files import check_file
from migrator.archive.manifest import DataFile
from migrator.core.compare import Comparison, Difference, identical, row_difference
from migrator.core.values import LargeValue
from migrator.source.rows import Range, batch_rows
from migrator.target.reader import batches, digest
from migrator.tasks.archived import ArchiveReading
from migrator.tasks.batches import Steps, converted
from migrator.tasks.careful import Careful, Explained, is_large, raw_bytes
from migrator.tasks.digest import digest_of_values
from migrator.tasks.export import write_straight
from migrator.tasks.reading import Reading, copied
from migrator.tasks.rejecting import UNEXPECTED_VALUE
from migrator.tasks.table import WorkTable
from migrator.workers import Context


@dataclass(frozen=True)
class StandsTask:
    """Whether a file that an earlier attempt wrote would be the same today; nothing is written."""

    table: WorkTable
    file: DataFile

    def run(self, context: Context) -> bool:
        part, reading = Range(self.file.low, self.file.high), copied(context, self.table)
        if self.file.careful:
            return digest_of_values(reading, part).hex() == self.file.digest
        content = hashlib.sha256()
        try:
            with reading.small_values():
                rows = write_straight(reading, self.table, part, content.update, context.report)
        except UNEXPECTED_VALUE:
            return False
        return (rows, content.hexdigest()) == (self.file.rows, self.file.digest)


@dataclass(frozen=True)
class CheckFileTask:
    """Raises SourceError for a data file that is not the one that was exported."""

    folder: Path
    file: DataFile

    def run(self, context: Context) -> None:
        check_file(self.folder / self.file.name, self.file.bytes, self.file.sha256)


@dataclass(frozen=True)
class ProveTask:
    """Reads a data file back through psycopg's loaders and compares each value with what SQLite holds."""

    table: WorkTable
    file: DataFile
    folder: Path
    explained: Explained

    def run(self, context: Context) -> Comparison:
        before = context.rows
        if not self.explained.rejected and (straight := self._straight(context)):
            return straight
        context.report(before - context.rows)
        return ProofOfFile(context, self.table, self.explained).compare(self._part, self._reading())

    @property
    def _part(self) -> Range:
        return Range(self.file.low, self.file.high)

    def _reading(self) -> ArchiveReading:
        return ArchiveReading(self.folder, self.table, [self.file])

    def _straight(self, context: Context) -> Comparison | None:
        """The comparison if nothing differs and every value is small; None says: look closer."""
        ours, theirs = copied(context, self.table), self._reading()
        canonical = _canonical(self.table)
        comparison = Comparison()
        try:
            with ours.small_values(), theirs.small_values(), closing(theirs.rows(self._part)) as file:  # type: ignore[type-var]
                for batch in batches(ours.rows(self._part), batch_rows(len(self.table.columns))):
                    other = next(batches(file, len(batch)), [])
                    if not identical(converted(canonical, batch), converted(canonical, other)):
                        return None
                    comparison.rows += len(batch)
                    context.report(len(batch))
                return comparison if next(file, None) is None else None
        except UNEXPECTED_VALUE:
            return None


def _comparable(value: object, reading: Reading) -> object:
    """A large value by its digest, so that neither side has to be held."""
    if isinstance(value, LargeValue):
        return "large", digest(reading.large(value))
    if isinstance(value, (str, bytes)) and is_large(value):
        return "large", digest(iter([raw_bytes(value)]))
    return value


def _canonical(table: WorkTable) -> Steps:
    return [(n, cell.conversion.canonical) for n, cell in enumerate(table.copied) if cell.conversion.canonical]


class ProofOfFile(Careful):
    """Row by row in the order in which both are read; rejected rows are not in the file."""

    def compare(self, part: Range, file: ArchiveReading) -> Comparison:
        theirs = (row for _, row in file.rows_carefully(part))
        names = [cell.plan.source for cell in self.table.copied]
        for rowid, row in self.source_rows(part, ordered=False):
            self.comparison.rows += 1
            key = self.table.key_of(row, rowid)
            found = next(theirs, None)
            if found is None:
                self.comparison.add(Difference(self.table.name, key, None, "a row", "no row"))
                continue
            [held] = converted(_canonical(self.table), [found])
            expected = [_comparable(value, self.reading) for value in self.expected(rowid, row)[: len(names)]]
            held = [_comparable(value, file) for value in held]
            for difference in row_difference(self.table.name, key, names, expected, held):
                self.comparison.add(difference)
        for row in theirs:
            self.comparison.add(Difference(self.table.name, self.table.key_of(row, None), None, "no row", "a row"))
        return self.comparison
