"""Rows per second from units: nothing is lost between the parts, and the time between attempts does not count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from migrator.core.throughput import Arrival, Throughput, measure

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def arrival(rows: int, begin_s: float, end_s: float, attempt: int = 1) -> Arrival:
    times = [NOON + timedelta(seconds=second) for second in (begin_s, end_s)]
    return Arrival("states", None, None, rows, 0, attempt, *times)


ARRIVALS = st.lists(
    st.builds(
        lambda rows, begin, taken, attempt: arrival(
            rows, begin + attempt * 10_000, begin + attempt * 10_000 + taken, attempt
        ),
        st.integers(0, 1_000_000),
        st.floats(0, 1000),
        st.floats(0, 1000) | st.just(0.0),
        st.integers(1, 3),
    )
)


@given(ARRIVALS, st.integers(1, 200))
def test_the_parts_hold_every_row(arrivals: list[Arrival], parts: int) -> None:
    measured = measure(arrivals, parts)

    assert measured.rows == sum(item.rows for item in arrivals)
    if measured.seconds:
        held = sum(rate * measured.seconds / parts for rate in measured.rates)
        assert held == pytest.approx(measured.rows)
        assert measured.peak >= measured.mean * (1 - 1e-9)


def test_units_beside_each_other_add_up() -> None:
    """Two workers: one brings 100 rows in ten seconds, the other 20 in the last two."""
    measured = measure([arrival(100, 0, 10), arrival(20, 8, 10)], parts=5)

    assert measured.seconds == 10
    assert measured.rates == pytest.approx((10, 10, 10, 10, 20))
    assert (measured.mean, measured.peak) == pytest.approx((12, 20))


def test_the_night_between_two_attempts_is_left_out() -> None:
    measured = measure([arrival(50, 0, 5), arrival(10, 40_000, 41, attempt=2), arrival(10, 40_000, 40_001, attempt=2)])

    assert measured.seconds == 6
    assert measured.resumed_s == (5,)
    assert measured.rows == 70


def test_a_clock_that_is_set_back_makes_no_negative_time() -> None:
    assert measure([arrival(5, 10, 3), arrival(5, 10, 12)]).seconds == 2


@pytest.mark.parametrize("arrivals", [[], [arrival(7, 3, 3)]])
def test_no_time_is_no_rate(arrivals: list[Arrival]) -> None:
    measured = measure(arrivals)

    assert (measured.rates, measured.mean, measured.peak) == ((), 0, 0)
    assert measured == Throughput(rows=sum(item.rows for item in arrivals))


def test_a_line_of_the_file_can_be_read_again() -> None:
    written = arrival(5, 0.25, 1.5)

    assert convert(json.loads(json.dumps(written.line())), Arrival) == written
