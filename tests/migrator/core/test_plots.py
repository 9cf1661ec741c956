"""The geometry of the plots: places within the plot, round ticks, labels that a person would write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core import plots

POSITIVE = st.floats(1e-6, 1e12)


@given(POSITIVE, st.integers(2, 8))
def test_an_axis_has_round_ticks_up_to_its_ceiling(maximum: float, steps: int) -> None:
    top = plots.ceiling(maximum, steps)
    marks = plots.ticks(top, steps)

    assert maximum <= top * (1 + 1e-9)
    assert (marks[0].at, marks[-1].at) == (0, 100)
    assert 2 <= len(marks) <= steps + 1
    assert re.fullmatch(r"[125]0*", f"{top / (len(marks) - 1):e}".partition("e")[0].replace(".", "").rstrip("0"))


def test_an_axis_of_nothing_has_a_height_too() -> None:
    assert plots.ceiling(0) == 1


@pytest.mark.parametrize(
    ("top", "labels"),
    [
        (600_000, ["0", "200k", "400k", "600k"]),
        (1_500, ["0", "500", "1k", "1.5k"]),
        (2e6, ["0", "500k", "1M", "1.5M", "2M"]),
    ],
)
def test_rows_are_labelled_in_short(top: float, labels: list[str]) -> None:
    assert [tick.label for tick in plots.ticks(top)] == labels


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (0.4, ["0 s", "100 ms", "200 ms", "300 ms"]),
        (7, ["0 s", "2 s", "4 s", "6 s"]),
        (100, ["0 s", "30 s", "1 min", "1 min 30 s"]),
        (3600, ["0 s", "10 min", "20 min", "30 min", "40 min", "50 min"]),
        (9 * 86400, ["0 s", "2 d", "4 d", "6 d", "8 d"]),
        (0, ["0 s"]),
    ],
)
def test_times_are_labelled_at_round_times(seconds: float, labels: list[str]) -> None:
    assert [tick.label for tick in plots.time_ticks(seconds)] == labels


@given(POSITIVE)
def test_no_label_of_a_time_stands_so_near_to_the_end_that_it_is_cut_off(seconds: float) -> None:
    marks = plots.time_ticks(seconds)

    assert 2 <= len(marks) <= 6
    assert marks[-1].at <= 94.01
    assert len({tick.label for tick in marks}) == len(marks)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.35, "350 ms"),
        (0.9996, "1 s"),
        (12.34, "12.3 s"),
        (59.97, "60 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (97_200, "1 d 3 h"),
    ],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float, text: str) -> None:
    assert plots.duration(seconds) == text


def test_steps_go_up_and_down_from_left_to_right() -> None:
    assert plots.line_path([50, 100], top=100) == "M0,50V50H500V0H1000"
    assert plots.area_path([50, 100], top=100) == "M0,50V50H500V0H1000V100H0Z"
    assert plots.line_path([], top=1) == plots.area_path([], top=1) == ""


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200))
def test_a_path_stays_in_its_box(values: list[float]) -> None:
    path = plots.line_path(values, plots.ceiling(max(values)))
    heights = [float(number) for number in re.findall(r"V(-?[\d.]+)", path)]
    places = [float(number) for number in re.findall(r"H(-?[\d.]+)", path)]

    assert all(-0.01 <= height <= plots.HEIGHT for height in heights)
    assert places == sorted(places)
    assert places[-1] == plots.WIDTH


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1e6), max_size=8))
def test_every_phase_can_be_seen_and_none_leaves_the_plot(seconds: dict[str, float]) -> None:
    for bar in plots.waterfall(seconds):
        assert bar.start >= 0
        assert bar.length > 0
        assert bar.start + bar.length <= 100.01


def test_phases_follow_each_other() -> None:
    copy, verify = plots.waterfall({"copy": 3.0, "verify": 1.0})

    assert (copy.start, copy.length) == (0, 75)
    assert (verify.start, verify.length) == (75, 25)
