"""Exporting one range into a data file, and holding the file against the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from migrator.archive.files import DataWriter, new_file
from migrator.archive.folder import Exported, data_name
from migrator.archive.manifest import DataFile
from migrator.source.rows import Range
from migrator.target.binary import HEADER, TRAILER, RowEncoder
from migrator.target.large import LargeRow
from migrator.tasks.batches import prepared
from migrator.tasks.digest import digest_of_values
from migrator.tasks.reading import Reading, copied
from migrator.tasks.rejecting import UNEXPECTED_VALUE, CarefulCopy
from migrator.tasks.table import WorkTable
from migrator.workers import Context


@dataclass(frozen=True)
class ExportTask:
    """Writes one file below `folder`; `suffix` says how it is compressed. Raises Failure where the disk refuses."""

    table: WorkTable
    part: Range
    folder: Path
    suffix: str
    definition: str

    def run(self, context: Context) -> Exported:
        path = self.folder / self._name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        before, reading = context.rows, copied(context, self.table)
        try:
            with new_file(path) as writer, reading.small_values():
                rows = write_straight(reading, self.table, self.part, writer.write, context.report)
                return self._exported(writer, rows)
        except UNEXPECTED_VALUE:
            context.report(before - context.rows)
        with new_file(path) as writer:
            careful = CarefulCopy(context, self.table, reading, FileSink(writer, reading, self.table))
            writer.write(HEADER)
            careful.run(self.part)
            writer.write(TRAILER)
            exported = self._exported(writer, careful.rows, len(careful.rejects), digest_of_values(reading, self.part))
        return replace(
            exported,
            rejects=tuple(item.line() for item in careful.rejects),
            healed=tuple(item.line() for item in careful.healed),
        )

    @property
    def _name(self) -> str:
        return data_name(self.table.target, self.part.low, self.part.high, self.suffix)

    def _exported(self, writer: DataWriter, rows: int, rejected: int = 0, digest: bytes | None = None) -> Exported:
        """`digest` is given where it is not of the stream."""
        written = writer.finish()
        file = DataFile(
            name=self._name,
            table=self.table.target,
            low=self.part.low,
            high=self.part.high,
            rows=rows,
            rejected=rejected,
            careful=digest is not None,
            digest=digest.hex() if digest else written.content_sha256,
            bytes=written.bytes,
            sha256=written.sha256,
            content_sha256=written.content_sha256,
        )
        return Exported(file, self.definition)


def write_straight(
    reading: Reading,
    table: WorkTable,
    part: Range,
    write: Callable[[bytes], object],
    report: Callable[[int], None],
) -> int:
    """The whole stream; returns how many rows it has. Raises what is in UNEXPECTED_VALUE."""
    encoder = RowEncoder([cell.conversion.copy_type for cell in table.copied])
    rows = 0
    write(HEADER)
    for batch in prepared(reading.rows(part), table.copied, attrgetter("unaided")):
        write(encoder.encode(batch))
        rows += len(batch)
        report(len(batch))
    write(TRAILER)
    return rows


@dataclass(frozen=True)
class FileSink:
    """Rows into a data file: encoded first, so that a refused batch leaves nothing behind."""

    writer: DataWriter
    reading: Reading
    table: WorkTable

    def send(self, rows: Sequence[Sequence[object]]) -> None:
        self.writer.write(self._encoder().encode(rows))

    def send_large(self, row: Sequence[object]) -> None:
        large = LargeRow(self._encoder(), self.reading.large, self.table.encoding)
        is_text = [cell.plan.type.is_text for cell in self.table.copied]
        large.check(row, is_text)
        large.write(self.writer.write, row, is_text)

    def _encoder(self) -> RowEncoder:
        return RowEncoder([cell.conversion.copy_type for cell in self.table.copied])
