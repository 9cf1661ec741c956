"""Ranges of rowids follow the rows, wherever those lie."""

from __future__ import annotations

import itertools

import apsw
import pytest

from migrator.source import rows
from migrator.source.rows import Range, Relation, read_rows, table_ranges

RELATION = Relation("t", ("id",), rowid='"id"')
LEAST, MOST = -(2**63), 2**63 - 1


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> apsw.Connection:
    monkeypatch.setattr(rows, "ROWS_PER_RANGE", 10)
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    return connection


@pytest.mark.parametrize(
    ("ids", "ranges"),
    [
        ([], 0),
        ([7], 1),
        (range(25), 3),
        (range(0, 2_000, 100), 191),  # of equal width, and most of them empty: too few to look
        ([*range(100), 2**62], 11),
        ([LEAST, *range(100), MOST], 11),
        ([LEAST, MOST], 1),
        ([number * 2**40 for number in range(-30, 30)], 6),
    ],
)
def test_every_row_is_in_one_range(source: apsw.Connection, ids: list[int], ranges: int) -> None:
    source.executemany("INSERT INTO t VALUES (?)", [(number,) for number in ids])
    found = table_ranges(source, RELATION)
    assert len(found) == ranges
    assert all(one.high < other.low for one, other in itertools.pairwise(found))  # type: ignore[operator]
    assert [number for part in found for (number,) in read_rows(source, RELATION, part)] == sorted(ids)
    assert all(isinstance(part, Range) for part in found)
