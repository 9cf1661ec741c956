"""The census counts what is stored; parts of a table can be counted apart and added up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrator.core.census import ColumnCensus, TableCensus
from migrator.core.values import BrokenText, LargeValue

values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(["2024-01-01", "yes", "no", "", "12", "{}", "a\0b"]),
    st.binary(max_size=8),
    st.just(BrokenText(b"\xff")),
    st.just(LargeValue("t", "c", 1, "text", 9_000_000)),
    st.just(LargeValue("t", "c", 2, "blob", 9_000_000)),
)


@given(st.lists(values), st.lists(values))
def test_parts_add_up_to_the_whole(one: list[object], other: list[object]) -> None:
    whole, first, second = ColumnCensus(), ColumnCensus(), ColumnCensus()
    for census, batch in ((whole, [*one, *other]), (first, one), (second, other)):
        if batch:
            census.add(batch)  # type: ignore[arg-type]  # a list of values
    first.merge(second)

    # Decimals and microseconds stop being counted once they are known to be too many.
    first.not_microseconds, whole.not_microseconds = bool(first.not_microseconds), bool(whole.not_microseconds)
    assert first == whole


@given(st.lists(values, min_size=1))
def test_every_value_is_counted_once(column: list[object]) -> None:
    census = ColumnCensus()
    census.add(column)  # type: ignore[arg-type]  # a list of values

    assert census.rows == len(column)
    assert census.nulls + census.integers + census.reals + census.texts + census.blobs == len(column)


def test_what_a_text_column_shows() -> None:
    census = TableCensus.empty(1)
    census.add([("ä",), ("b\0",), ("",), (None,), ("2024-01-01",)])
    [column] = census.columns

    assert (column.texts, column.nulls, column.empty_texts, column.texts_with_nul) == (4, 1, 1, 1)
    assert (column.max_characters, column.max_text_bytes) == (10, 10)
    assert column.formats == {"other": 2, "empty": 1, "YYYY-MM-DD": 1}


def test_reals_that_sqlite_has_rounded_are_counted() -> None:
    census = ColumnCensus()
    census.add([9223372036854775808.0, -1e19, 1.5, float("inf")])

    assert (census.beyond_int64, census.infinite) == (2, 1)
