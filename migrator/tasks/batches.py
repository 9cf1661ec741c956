"""Batches of rows on their way to the encoder or to a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from migrator.core.convert import Conversion, Forward
from migrator.core.work import Cell
from migrator.source.rows import Row, batch_rows
from migrator.target.reader import batches

Prepared = Sequence[Sequence[object]]
Steps = Sequence[tuple[int, Callable[..., object]]]


def prepared(
    rows: Iterator[Row], cells: tuple[Cell, ...], chosen: Callable[[Conversion], Forward | None]
) -> Iterator[Prepared]:
    """The rows in batches as the encoder takes them, each value through what is `chosen` of its conversion.

    Raises where a value needs the careful way.
    """
    if not cells:
        raise ValueError("a table without columns has nothing that could go straight")
    steps = [(number, chosen(cell.conversion)) for number, cell in enumerate(cells)]
    changing = any(cell.conversion.inverse for cell in cells)
    prepare = _preparation([(number, step) for number, step in steps if step], changing)
    for batch in batches(rows, batch_rows(len(cells))):
        yield prepare(batch)


def _preparation(steps: Steps, changing: bool) -> Callable[[Sequence[Row]], Prepared]:
    """What a batch goes through on its way: nothing, checks that leave the rows as they are, or conversions."""
    if not steps:
        return lambda batch: batch
    return partial(converted, steps) if changing else partial(_checked, steps)


def _checked(steps: Steps, batch: Sequence[Row]) -> Prepared:
    for number, check in steps:
        for value in [row[number] for row in batch]:
            if value is not None:
                check(value)
    return batch


def converted(steps: Steps, batch: Sequence[Sequence[object]]) -> Prepared:
    """The batch with each step applied to its column; NULL stays what it is."""
    if not steps or not batch:
        return batch
    columns: list[Sequence[object]] = list(zip(*batch, strict=True))
    for number, step in steps:
        columns[number] = [None if value is None else step(value) for value in columns[number]]
    return list(zip(*columns, strict=True))
