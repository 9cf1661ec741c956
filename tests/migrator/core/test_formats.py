"""A text has a date or time format only if writing the parsed value in that format gives the same text back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.core.convert import Options, Unfit, conversion
from migrator.core.formats import merge_pictures, storable_as_jsonb, text_format
from migrator.core.pgtypes import parse_type


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "empty"),
        ("2024-02-29", "YYYY-MM-DD"),
        ("2024-02-30", "other"),
        ("2024-01-01 24:00:00", "other"),
        ("2024-01-01 10:00", "YYYY-MM-DD HH:MM"),
        ("2024-01-01T10:00:00Z", "YYYY-MM-DDTHH:MM:SSZ"),
        ("2024-01-01 10:00:00.123+05:30", "YYYY-MM-DD HH:MM:SS.fff+05:30"),
        ("2024-01-01 10:00:00.000000", "YYYY-MM-DD HH:MM:SS.000000"),
        ("2024-01-01 10:00:00.1", "other"),
        ("10:00:59", "HH:MM:SS"),
        ("6f1ed002-ab5b-4d3c-9a52-0a1b2c3d4e5f", "uuid"),
        ("6F1ED002-AB5B-4D3C-9A52-0A1B2C3D4E5F", "uuid-upper"),
        ("6f1ed002ab5b4d3c9a520a1b2c3d4e5f", "uuid-hex"),
        ('{"a": 1}', "json-object"),
        ("[1, 2]", "json-array"),
        ('["a", "b"]', "json-text-array"),
        ("[NaN]", "other"),
        (r'{"a": "\u0000"}', "json-not-jsonb"),
        (r'{"a": "\\u0000"}', "json-object"),
        (r'{"a": "\ud83d\ude00"}', "json-object"),
        (r'{"a": "\ud83d"}', "json-not-jsonb"),
        ("{" * 100_000, "other"),
        (" 12 ", "number"),
        ("1e5", "number"),
        ("٣", "other"),
        ("twelve", "other"),
    ],
)
def test_the_format_of_a_text(text: str, name: str) -> None:
    assert text_format(text) == name


@pytest.mark.parametrize(
    ("pictures", "merged"),
    [
        ({"YYYY-MM-DD"}, "YYYY-MM-DD"),
        ({"HH:MM:SS.ffffff", "HH:MM:SS.000000"}, "HH:MM:SS.ffffff"),
        ({"HH:MM:SS", "HH:MM:SS.ffffff"}, "HH:MM:SS[.ffffff]"),  # isoformat leaves a zero fraction out
        ({"HH:MM:SS", "HH:MM:SS.ffffff", "HH:MM:SS.000000"}, None),  # which of the two forms would zero have?
        ({"HH:MM:SS", "HH:MM:SS.000000"}, None),
        ({"HH:MM", "HH:MM:SS"}, None),
        ({"YYYY-MM-DD HH:MM:SSZ", "YYYY-MM-DD HH:MM:SS+02:00"}, None),
    ],
)
def test_pictures_that_one_format_can_write_back(pictures: set[str], merged: str | None) -> None:
    assert merge_pictures(frozenset(pictures)) == merged


moments = st.datetimes().filter(lambda moment: 1 < moment.year < 9999)
offsets = st.sampled_from(["", "Z", "+00:00", "+02:00", "-11:45"])
timespecs = st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds", "auto"])


@given(moments, st.sampled_from(" T"), timespecs, offsets)
def test_a_recognised_timestamp_comes_back_as_the_same_text(
    moment: datetime, separator: str, timespec: str, offset: str
) -> None:
    text = moment.isoformat(separator, timespec) + offset
    picture = merge_pictures(frozenset({text_format(text)}))

    assert picture is not None
    converted = conversion(parse_type("timestamptz" if offset else "timestamp"), Options(format=picture))
    value = converted.forward(text)
    if isinstance(value, datetime) and value.tzinfo:  # what PostgreSQL returns is in UTC, whatever went in
        value = value.astimezone(timezone(timedelta(0)))
    assert converted.inverse is not None
    assert converted.inverse(value) == text


@given(st.one_of(st.dates().map(date.isoformat), st.times().map(time.isoformat)))
def test_a_recognised_date_or_time_comes_back_as_the_same_text(text: str) -> None:
    picture = merge_pictures(frozenset({text_format(text)}))

    assert picture is not None
    if picture == "YYYY-MM-DD":
        converted = conversion(parse_type("date"))
    else:
        converted = conversion(parse_type("time"), Options(format=picture))
    assert converted.inverse is not None
    assert converted.inverse(converted.forward(text)) == text


@given(st.text(max_size=40))
def test_any_text_has_a_format_and_none_raises(text: str) -> None:
    assert text_format(text)


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_only_nul_and_half_surrogates_keep_json_out_of_jsonb(value: dict[str, str]) -> None:
    import json

    clean = "\0" not in "".join([*value, *value.values()])
    assert storable_as_jsonb(json.dumps(value)) is clean


def test_a_time_that_a_zone_has_never_or_twice_is_refused() -> None:
    """On 2024-03-31 clocks in Berlin went from 02:00 to 03:00, so 02:30 never was; on 2024-10-27 it was twice."""
    berlin = conversion(parse_type("timestamptz"), Options(format="YYYY-MM-DD HH:MM:SS", zone="Europe/Berlin"))

    assert berlin.forward("2024-03-31 03:30:00")
    for text in ("2024-03-31 02:30:00", "2024-10-27 02:00:00", "2024-10-27 02:59:59"):
        with pytest.raises(Unfit):
            berlin.forward(text)
    for text in ("2024-10-27 01:59:59", "2024-10-27 03:00:00"):
        assert berlin.inverse(berlin.forward(text)) == text
    second = datetime(2024, 10, 27, 1, 30, tzinfo=UTC)  # as PostgreSQL may hold it
    assert berlin.inverse(second) == "2024-10-27 02:30:00 (2024-10-27 01:30:00+00:00)"
