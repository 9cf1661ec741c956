"""The function pack on PostgreSQL gives what SQLite gives, for values at every boundary that its source knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import apsw
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from migrator.core.sql.json_calls import steps_of
from migrator.steps.schema import pack
from tests.migrator import servers

PACK = pack()
Agree = Callable[[str, tuple[Any, ...]], None]


@pytest.fixture(scope="module", params=["embedded", "debian"])
def postgres(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PACK.encode())
        connection.execute(PACK.encode())  # it may be run again
        yield connection


@pytest.fixture(scope="module")
def agree(postgres: psycopg.Connection[Any]) -> Agree:
    sqlite = apsw.Connection(":memory:")

    def compare(function: str, arguments: tuple[Any, ...]) -> None:
        marks = ", ".join("?" * len(arguments))
        try:
            [(ours,)] = sqlite.execute(f"SELECT {function}({marks})", arguments).fetchall()
        except apsw.SQLError:
            return
        typed = ", ".join(f"%s::{_TYPES[type(value)]}" for value in arguments)
        try:
            row = postgres.execute(f"SELECT sqlite.{function}({typed})".encode(), arguments).fetchone()
        except psycopg.errors.FeatureNotSupported:
            return
        assert row is not None
        assert (type(row[0]), row[0]) == (type(ours), ours), f"{function}{arguments}"

    return compare


_TYPES: dict[type, str] = {str: "text", float: "float8", int: "bigint", bytes: "bytea", type(None): "text"}

# -- date and time -----------------------------------------------------------------------------------------------------

years = st.one_of(st.integers(0, 9999), st.sampled_from([0, 1, 4, 100, 400, 1582, 1899, 1900, 1970, 2000, 2024, 9999]))
dates = st.builds("{:04}-{:02}-{:02}".format, years, st.integers(0, 13), st.integers(0, 32)) | st.builds(
    "-{:04}-{:02}-{:02}".format, st.integers(0, 4714), st.integers(1, 12), st.integers(1, 31)
)
fractions = st.sampled_from(["", ".5", ".123", ".1234", ".9994", ".9995", ".9999999", "."])
clocks = st.builds(
    "{:02}:{:02}{}{}".format,
    st.integers(0, 25),
    st.integers(0, 60),
    st.sampled_from(["", ":00", ":59", ":60", ":30", ":7"]),
    fractions,
)
zones = st.sampled_from(["", "Z", " z", "+01:00", "-05:30", " +14:00", "+15:00", " ", "x", "+1:00"])
texts = st.one_of(
    dates,
    st.builds("{}{}{}{}".format, dates, st.sampled_from([" ", "T", "  ", "", "x"]), clocks, zones),
    st.builds("{}{}".format, clocks, zones),
    st.sampled_from(
        ["2451545", "2451545.5", "-1", "1e3", "1700000000", " 5 ", "5373484.5", "5373484.4999", "", "junk"]
    ),
    st.text(max_size=5).filter(lambda text: "\0" not in text),
)
numbers = st.one_of(
    st.floats(0, 5373485),
    st.floats(-1e12, 1e12),
    st.sampled_from([0.0, 2451544.5, 1700000000.0, 1.5e12, -210866760000.0, 253402300799.0, 253402300800.0, -1.0]),
)
amounts = st.builds(
    "{}{}".format,
    st.sampled_from(["", "+", "-"]),
    st.one_of(
        st.integers(0, 400).map(str),
        st.sampled_from(["1.5", "0.25", ".5", "1.", "1e2", "12.9", "0", "14713", "176546", "5373485", "99999"]),
    ),
)
modifiers = st.one_of(
    st.builds(
        "{} {}{}".format,
        amounts,
        st.sampled_from(["second", "minute", "hour", "day", "month", "year", "Day", "week"]),
        st.sampled_from(["", "s"]),
    ),
    st.builds("{}{:02}:{:02}{}".format, st.sampled_from(["", "+", "-"]), st.integers(0, 25), st.integers(0, 60),
              st.sampled_from(["", ":30", ":30.5", ":61"])),
    st.sampled_from(["start of month", "start of year", "start of day", "start of week", "Start Of Month", "unixepoch",
                     "julianday", "auto", "weekday 0", "weekday 6", "weekday 3.0", "weekday 7", "weekday 1.5", "subsec",
                     "floor", "ceiling", "", "junk", "UNIXEPOCH", "days", "+ 1 day", "1 d"]),
)  # fmt: skip
times = st.tuples(st.one_of(texts, numbers), st.lists(modifiers, max_size=3)).map(lambda pair: (pair[0], *pair[1]))
EXAMPLES: list[tuple[Any, ...]] = [
    ("2024-02-30",), ("2024-02-30", "+1 month"), ("2023-01-31", "+1 month"), ("2023-01-31", "+1 month", "floor"),
    ("2023-01-31", "+1 month", "ceiling"), ("2024-02-29", "+1 year"), ("2024-02-30", "start of month"),
    (1700000000.0, "unixepoch"), (1700000000.0, "auto"), (1700000000.0,), ("1700000000", "unixepoch"),
    ("2024-01-01 24:00:00",), ("2024-01-01 24:00:00", "+0 days"), ("12:00",), ("2024-05-05T10:00:00.1239Z",),
    ("2024-03-10", "weekday 0"), ("9999-12-31", "+1 day"), ("-4713-11-24 12:00:00",), ("0000-01-01", "-1 day"),
    ("2024-01-31 23:59:59.9999",), (2451544.5, "julianday"), ("2024-01-01", "+1.5 months"), (None,), ("now", None),
]  # fmt: skip


@pytest.mark.parametrize("function", ["date", "time", "datetime", "julianday", "unixepoch"])
@pytest.mark.parametrize("arguments", EXAMPLES, ids=str)
def test_times(agree: Agree, function: str, arguments: tuple[Any, ...]) -> None:
    agree(function, arguments)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["date", "time", "datetime", "julianday"]), times)
def test_any_time(agree: Agree, function: str, arguments: tuple[Any, ...]) -> None:
    agree(function, arguments)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts | numbers, texts | numbers)
@example("2024-03-31", "2024-02-29 12:00:00")
@example("2024-02-29 12:00:00", "2024-03-31")
@example("2023-02-30", "2024-02-29")
@example("2025-01-01", "2024-12-31 23:59:59.999")
@example("-0001-05-31", "9999-12-31")
@example(None, "2024-01-01")
def test_time_between(agree: Agree, one: str | float | None, other: str | float) -> None:
    agree("timediff", (one, other))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.datetimes().map(str), st.datetimes().map(str))
def test_time_between_dates(agree: Agree, one: str, other: str) -> None:
    agree("timediff", (one, other))


formats = st.lists(
    st.sampled_from([*(f"%{letter}" for letter in "defFgGHIjklmMpPRsSTuUVwWY%"), "%x", "%", "-", " ", "ä", "'"]),
    max_size=6,
).map("".join)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(formats, times)
@example("%F %T %j %W %w %u %U %V %G %g", ("2024-12-30",))
@example("%f %s", ("2024-12-30 10:00:00.999", "subsec"))
def test_any_format(agree: Agree, form: str, arguments: tuple[Any, ...]) -> None:
    agree("strftime", (form, *arguments))


# -- numbers, texts and blobs ------------------------------------------------------------------------------------------

counts = st.one_of(st.integers(-6, 6), st.sampled_from([2**31, -(2**31), 2**62, -(2**62), 2**63 - 1]))
words = st.text("aÄ😀'\\ b", max_size=6)
blobs = st.binary(max_size=6)


@given(words | blobs, st.lists(counts, min_size=1, max_size=2))
def test_substr(agree: Agree, value: str | bytes, places: list[int]) -> None:
    agree("substr", (value, *places))


@pytest.mark.parametrize("function", ["hex", "quote", "unicode"])
@given(words | blobs | st.integers(-(2**63), 2**63 - 1))
def test_texts(agree: Agree, function: str, value: str | bytes | int) -> None:
    if isinstance(value, str) or (function != "unicode" and (isinstance(value, bytes) or function == "quote")):
        agree(function, (value,))


keys = st.sampled_from(["a", "b c", "", "é", "a.b"])
documents = st.recursive(
    st.sampled_from(
        ["1", "-0", "2.50", "1e5", "true", "false", "null", '"x"', '"a\\u00e9\\n \\"]"', "12345678901234567890"]
    ),
    lambda inner: st.builds(
        "[{}]".format, st.lists(inner, max_size=3).map(" , ".join)
    ) | st.builds(
        "{{ {} }}".format,
        st.lists(st.builds('"{}" :{}'.format, keys, inner), max_size=3).map(", ".join),
    ),
    max_leaves=6,
)  # fmt: skip
steps = st.lists(st.builds('."{}"'.format, keys) | st.sampled_from(["[0]", "[2]", "[#-1]", "[#-9]", ".a"]), max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(documents | st.text('{}[]",:1e-. ', max_size=6), steps)
@example('{"a": 1, "a": 2}', [".a"])
def test_json(postgres: psycopg.Connection[Any], document: str, steps: list[str]) -> None:
    """json_extract() gives the value or is refused; never another one."""
    sqlite, path = apsw.Connection(":memory:"), "$" + "".join(steps)
    wanted = sqlite.execute("SELECT json_valid(?)", (document,)).get
    assert postgres.execute("SELECT sqlite.json_valid(%s)", (document,)).fetchone() == (wanted,)
    if not wanted:
        return
    given = (document, *steps_of(path))
    marks = ", ".join(["%s"] * len(given))
    for function in ("json_type", "json_array_length"):
        [(ours,)] = sqlite.execute(f"SELECT {function}(?, ?)", (document, path))
        assert postgres.execute(f"SELECT sqlite.{function}({marks})".encode(), given).fetchone() == (ours,)
    [(ours,)] = sqlite.execute("SELECT json_extract(?, ?)", (document, path))
    for function, kind in (("json_text", str), ("json_integer", int), ("json_real", float)):
        try:
            row = postgres.execute(f"SELECT sqlite.{function}({marks})".encode(), given).fetchone()
        except psycopg.DataError:
            assert ours is not None
            assert kind is not type(ours) or abs(ours) > 2**63
        else:
            assert (type(row[0]), row[0]) == (type(ours), ours) if row else False


numerals = st.one_of(
    st.builds("{}{}{}{}".format, st.sampled_from(["", " ", "\n", "-", "+", "--"]), st.integers(0, 10**21).map(str),
              st.sampled_from(["", ".", ".5", "e3", "E-2", "e", ".e1"]), st.sampled_from(["", "abc", " ", "."])),
    st.sampled_from(["", "abc", ".5", "-.5", ".", "1e400", "-1e400", "1e-400", "0x10", "Infinity", "NaN"]),
    st.sampled_from(["9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"]),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "function"), [("INTEGER", "to_integer"), ("REAL", "to_real")])
@given(numerals)
def test_texts_as_numbers(postgres: psycopg.Connection[Any], kind: str, function: str, text: str) -> None:
    [(ours,)] = apsw.Connection(":memory:").execute(f"SELECT CAST(? AS {kind})", (text,)).fetchall()
    row = postgres.execute(f"SELECT sqlite.{function}(%s::text)".encode(), (text,)).fetchone()
    assert row == (ours,)


@given(st.floats(allow_nan=False) | st.floats(-1e19, 1e19) | st.sampled_from([2.0**63, -(2.0**63), 2.5, -2.5, 1e300]))
def test_reals_as_integers(postgres: psycopg.Connection[Any], number: float) -> None:
    [(ours,)] = apsw.Connection(":memory:").execute("SELECT CAST(? AS INTEGER)", (number,)).fetchall()
    assert postgres.execute("SELECT sqlite.to_integer(%s::float8)", (number,)).fetchone() == (ours,)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_digit_of_a_double(postgres: psycopg.Connection[Any], number: float) -> None:
    row = postgres.execute("SELECT sqlite.exactly(%s::float8)", (number,)).fetchone()
    assert row == (Decimal(number),)


@given(
    st.one_of(
        st.floats(-1e6, 1e6),
        st.builds(lambda whole, places: whole / 10**places, st.integers(-(10**7), 10**7), st.integers(0, 6)),
        st.sampled_from([0.5, -0.5, 1.5, 2.5, 2.675, 1.005, 0.15, 1e15, 4503599627370497.5, 1e300, 5e-324, 0.0, -0.0]),
    ),
    st.integers(-2, 8),
)
def test_round(agree: Agree, number: float, digits: int) -> None:
    agree("round", (number, digits))


@given(
    st.one_of(
        st.floats(-1e9, 1e9),
        st.floats(allow_nan=False).filter(lambda number: abs(number) < 1e20),
        st.builds(lambda whole, places: whole / 10**places, st.integers(-(10**7), 10**7), st.integers(0, 6)),
        st.sampled_from(
            [0.0, -0.0, -0.04, 0.5, 2.675, 123456789012345678.0, 1e22, 5e-324, float("inf"), -float("inf")]
        ),
    ),
    st.integers(0, 9),
)
def test_fixed(postgres: psycopg.Connection[Any], number: float, places: int) -> None:
    [(ours,)] = apsw.Connection(":memory:").execute(f"SELECT printf('%.{places}f', ?)", (number,)).fetchall()
    assert postgres.execute("SELECT sqlite.fixed(%s::float8, %s)", (number, places)).fetchone() == (ours,)


@given(st.text("ab*?[]^-z\u00e4\n.\\", max_size=8), st.text("ab-]^z\u00e4\n.\\*", max_size=5))
@example("[]-a]", "-")
@example("[^z-a]", "x")
@example("[z-a]*", "")
@example("[a-c-e]?", "-x")
def test_glob(postgres: psycopg.Connection[Any], pattern: str, text: str) -> None:
    [(ours,)] = apsw.Connection(":memory:").execute("SELECT ? GLOB ?", (text, pattern)).fetchall()
    assert postgres.execute("SELECT sqlite.glob(%s, %s)", (pattern, text)).fetchone() == (bool(ours),)
