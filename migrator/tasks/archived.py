"""The rows of a table from an export: what was going to PostgreSQL, turned back into what SQLite held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import apsw
import psycopg

from migrator.archive.files import AGAIN, open_content
from migrator.archive.manifest import DataFile
from migrator.core.errors import SourceError
from migrator.core.values import MAX_BATCHED_VALUE_BYTES, MAX_VALUE_BYTES, LargeValue
from migrator.core.work import Cell
from migrator.source.rows import WHOLE, Range, Row, batch_rows
from migrator.target.binary import Broken, FieldReader, RowDecoder
from migrator.tasks.batches import Steps, converted
from migrator.tasks.table import WorkTable

CHUNK_BYTES = 1024 * 1024


@dataclass
class ArchiveReading:
    """Reads like a database does; see tasks/reading.py. A large value lies in a file while its row is at hand."""

    folder: Path
    table: WorkTable
    files: Sequence[DataFile]
    most_bytes: int = MAX_VALUE_BYTES
    _spilled: list[IO[bytes]] = field(default_factory=list)

    def ranges(self) -> list[Range]:
        return [Range(file.low, file.high) for file in self.files]

    def rows(self, part: Range, *, ordered: bool = False) -> Iterator[Row]:
        """Files are in the order of the rowids, and no other order is asked of them."""
        undo = _undoing(self.table.copied)
        for _, batch in self._batches(part, self._refuse):
            yield from converted(undo, batch)  # type: ignore[misc]  # what is undone is a source's value

    def rows_carefully(self, part: Range, *, ordered: bool = False) -> Iterator[tuple[int | None, Row]]:
        undo = _undoing(self.table.copied)
        for large, batch in self._batches(part, self._spill):
            for row in converted([] if large else undo, batch):
                yield None, _undone(undo, row) if large else row  # type: ignore[misc]  # as above

    def send(self, copy: psycopg.Copy, cells: tuple[Cell, ...], part: Range, report: Callable[[int], None]) -> int:
        """The stream as it lies in the file. Raises SourceError where it is not the one that was exported."""
        [file] = [file for file in self.files if (file.low, file.high) == (part.low, part.high)]
        content = hashlib.sha256()
        with open_content(self.folder / file.name) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                content.update(chunk)
                copy.write(chunk)
        if content.hexdigest() != file.content_sha256:
            raise SourceError(f"{self.folder / file.name} changed while it was loaded.", "", AGAIN)
        report(file.rows)
        return file.rows

    @contextmanager
    def small_values(self) -> Iterator[None]:
        previous, self.most_bytes = self.most_bytes, MAX_BATCHED_VALUE_BYTES
        try:
            yield
        finally:
            self.most_bytes = previous

    def large(self, value: LargeValue) -> Iterator[bytes]:
        file = self._spilled[value.rowid]
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk

    def _batches(self, part: Range, spill: Spill) -> Iterator[tuple[bool, list[tuple[object, ...]]]]:
        """(whether there is a large value in it, decoded rows); a row with a large value is a batch of its own."""
        types = [cell.conversion.copy_type for cell in self.table.copied]
        decoder, size = RowDecoder(types), batch_rows(len(types))
        for file in self.files:
            if not _meets(file, part):
                continue
            path = self.folder / file.name
            batch: list[tuple[object, ...]] = []
            with open_content(path) as content:
                try:
                    for fields in FieldReader(content, len(types), self.most_bytes, spill).rows():
                        if self._spilled:
                            yield False, batch
                            batch = []
                            yield True, [_decoded(decoder, fields)]
                            self._forget()
                            continue
                        batch.append(decoder.decode(fields))  # type: ignore[arg-type]
                        if len(batch) == size:
                            yield False, batch
                            batch = []
                except Broken as error:
                    raise SourceError(f"{path} is damaged.", f"It is no binary COPY data: {error}.") from error
            yield False, batch

    def _refuse(self, position: int, size: int, chunks: Iterator[bytes]) -> object:
        raise apsw.TooBigError(f"a value of {size:,} bytes")

    def _spill(self, position: int, size: int, chunks: Iterator[bytes]) -> object:
        """Put the value aside, where it can be read again."""
        column = self.table.columns[position]
        self._spilled.append(TemporaryFile())  # noqa: SIM115  # closed when the row is
        for chunk in chunks:
            self._spilled[-1].write(chunk)
        kind = "text" if column.type.is_text or column.options.holds == "text" else "blob"
        return LargeValue(self.table.name, column.source, len(self._spilled) - 1, kind, size)

    def _forget(self) -> None:
        for file in self._spilled:
            file.close()
        self._spilled.clear()


Spill = Callable[[int, int, Iterator[bytes]], object]


def _undoing(cells: tuple[Cell, ...]) -> Steps:
    steps = [(number, cell.conversion.undo or cell.conversion.inverse) for number, cell in enumerate(cells)]
    return [(number, step) for number, step in steps if step]


def _undone(steps: Steps, row: Sequence[object]) -> tuple[object, ...]:
    values = list(row)
    for number, step in steps:
        if values[number] is not None and not isinstance(values[number], LargeValue):
            values[number] = step(values[number])
    return tuple(values)


def _decoded(decoder: RowDecoder, fields: Sequence[object]) -> tuple[object, ...]:
    small = [None if isinstance(value, LargeValue) else value for value in fields]
    decoded = decoder.decode(small)  # type: ignore[arg-type]
    return tuple(
        value if isinstance(value, LargeValue) else known for value, known in zip(fields, decoded, strict=True)
    )


def _meets(file: DataFile, part: Range) -> bool:
    if part == WHOLE or file.low is None or file.high is None:
        return True
    assert part.low is not None
    assert part.high is not None
    return file.low <= part.high and part.low <= file.high
