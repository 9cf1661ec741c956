"""Any schema, any value: it arrives exactly as it was, in type and bits, or it is rejected and the reject says why.

Values are drawn at the boundaries, because that is where encoders, types and formats end.
"""

from __future__ import annotations

import math
import sqlite3
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from psycopg import sql

from migrator.core.convert import Conversion, Options, Unfit, conversion
from migrator.core.model import Affinity
from migrator.core.pgtypes import parse_type
from migrator.core.plan import Plan, TablePlan
from migrator.core.plan_file import from_toml
from migrator.core.values import hexed
from migrator.steps.plan import read_schema_of

from . import servers
from .moving import move, plan_text

# -- values ------------------------------------------------------------------------------------------------------------

INTEGERS = [
    0, 1, -1, 2, 70_000, 2**15 - 1, 2**15, -(2**15) - 1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**40,
    2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 20_260_101, 1_700_000_000, 1_700_000_000_123,
]  # fmt: skip
REALS = [
    0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 5e-324, -5e-324, 2.2250738585072014e-308, 1e308, 1.7976931348623157e308, 1e-7,
    1e15, 1e16, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**63), 9.223372036854775e18, 123456789.123456, math.inf, -math.inf,
    1_700_000_000.5, 2_460_000.5,
]  # fmt: skip
TEXTS = [
    "", " ", "a", "a ", "0", "1", "-0", "+1", "01", "1.0", "1.50", "1e5", "0x1F", "inf", "nan", "NULL", "true", "t",
    "9223372036854775807", "9223372036854775808", "12345678901234567890123", "1_000", "\u0661", "½",
    "2026-01-01", "2026-02-30", "2026-01-01 10:00:00", "2026-01-01T10:00:00Z", "2026-01-01 24:00:00",
    "2026-01-01 10:00:00.000000", "2026-01-01 10:00:00.123456", "2026-03-29 02:30:00", "0000-00-00", "0001-01-01",
    "9999-12-31 23:59:59.999999", "10:00", "23:59:60", "[]", '["a","b"]', '{"a":1.10,"a":2}', '{"n":1e400}', "{", "[1]",
    '"\\u0000"', '["\\ud800"]', "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
    "ä", "a\u0308", "ẞ", "𝄞😀", "\u200d", "\ufeff", "\ufffd", "\U0010ffff", "\u0000", "a\u0000b", "\\N", "\\.",
    "\t\r\n", "'", '"', "\x7f\x80", "x" * 255, "x" * 256, "ü" * 300,
]  # fmt: skip
BLOBS = [b"", b"\x00", bytes(range(256)), b"text", b"\xff\xfe", b"PGCOPY\n\xff\r\n\x00", b"\x00" * 16, bytes(range(16))]

integers = st.one_of(st.sampled_from(INTEGERS), st.integers(-(2**63), 2**63 - 1))
reals = st.one_of(st.sampled_from(REALS), st.floats(allow_nan=False))  # SQLite stores NaN as NULL
texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
blobs = st.one_of(st.sampled_from(BLOBS), st.binary(max_size=40))
values = st.one_of(st.none(), integers, reals, texts, blobs)
BOUNDARIES: list[Any] = [None, *INTEGERS, *REALS, *TEXTS, *BLOBS]


def bits(value: object) -> object:
    """The value in a form in which == is exact: storage class and bits."""
    return ("real", struct.pack("!d", value)) if isinstance(value, float) else (type(value).__name__, value)


# -- the pairs of core/convert.py --------------------------------------------------------------------------------------

STAMP = "YYYY-MM-DD HH:MM:SS"
PAIRS: dict[str, tuple[str, Options, Affinity]] = {
    "smallint": ("smallint", Options(), Affinity.INTEGER),
    "integer": ("integer", Options(), Affinity.INTEGER),
    "bigint": ("bigint", Options(), Affinity.INTEGER),
    "bigint, no type": ("bigint", Options(), Affinity.BLOB),
    "double precision, REAL": ("double precision", Options(), Affinity.REAL),
    "double precision, NUMERIC": ("double precision", Options(), Affinity.NUMERIC),
    "double precision, INTEGER": ("double precision", Options(), Affinity.INTEGER),
    "double precision, no type": ("double precision", Options(), Affinity.BLOB),
    "numeric, NUMERIC": ("numeric", Options(), Affinity.NUMERIC),
    "numeric, REAL": ("numeric", Options(), Affinity.REAL),
    "numeric, INTEGER": ("numeric", Options(), Affinity.INTEGER),
    "numeric, no type": ("numeric", Options(), Affinity.BLOB),
    "numeric(10,2), NUMERIC": ("numeric(10,2)", Options(), Affinity.NUMERIC),
    "numeric(10,2), no type": ("numeric(10,2)", Options(), Affinity.BLOB),
    "text": ("text", Options(), Affinity.TEXT),
    "text, widened": ("text", Options(holds="number"), Affinity.BLOB),
    "text, widened NUMERIC": ("text", Options(holds="number"), Affinity.NUMERIC),
    "varchar(255)": ("varchar(255)", Options(), Affinity.TEXT),
    "char(2)": ("char(2)", Options(), Affinity.TEXT),
    "bytea": ("bytea", Options(), Affinity.BLOB),
    "bytea of text": ("bytea", Options(holds="text"), Affinity.TEXT),
    "boolean": ("boolean", Options(), Affinity.NUMERIC),
    "boolean in words": ("boolean", Options(true="t", false="f"), Affinity.TEXT),
    "date": ("date", Options(), Affinity.TEXT),
    "time": ("time", Options(format="HH:MM"), Affinity.TEXT),
    "timestamp": ("timestamp", Options(format=STAMP), Affinity.TEXT),
    "timestamp as isoformat": ("timestamp", Options(format=STAMP + "[.ffffff]"), Affinity.TEXT),
    "timestamptz, UTC": ("timestamptz", Options(format=STAMP, zone="UTC"), Affinity.TEXT),
    "timestamptz, Berlin": ("timestamptz", Options(format=STAMP, zone="Europe/Berlin"), Affinity.TEXT),
    "timestamptz, Z": ("timestamptz", Options(format="YYYY-MM-DDTHH:MM:SSZ"), Affinity.TEXT),
    "timestamptz, s": ("timestamptz", Options(unit="s"), Affinity.NUMERIC),
    "timestamptz, ms": ("timestamptz", Options(unit="ms"), Affinity.INTEGER),
    "timestamptz, us": ("timestamptz", Options(unit="us"), Affinity.INTEGER),
    "timestamptz, julian": ("timestamptz", Options(unit="julian"), Affinity.REAL),
    "uuid": ("uuid", Options(), Affinity.TEXT),
    "uuid, upper": ("uuid", Options(format="upper"), Affinity.TEXT),
    "uuid, bytes": ("uuid", Options(format="bytes"), Affinity.BLOB),
    "json": ("json", Options(), Affinity.TEXT),
    "jsonb": ("jsonb", Options(), Affinity.TEXT),
    "text[]": ("text[]", Options(), Affinity.TEXT),
}
NORMALISED = {"jsonb", "text[]"}


def pair(name: str) -> Conversion:
    pg, options, affinity = PAIRS[name]
    return conversion(parse_type(pg), options, affinity)


def as_stored(value: Any, affinity: Affinity) -> Any:
    """What SQLite makes of the value in a column of that affinity; a pair is never shown anything else."""
    declared = "" if affinity is Affinity.BLOB else affinity.value
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"CREATE TABLE t (x {declared})")
        db.execute("INSERT INTO t VALUES (?)", (value,))
        return db.execute("SELECT x FROM t").fetchone()[0]


def assert_same(name: str, value: Any, returned: object) -> None:
    if name in NORMALISED and isinstance(value, str):
        assert isinstance(returned, str)
        canonical = pair(name).canonical
        assert canonical
        assert canonical(value) == returned
    else:
        assert bits(returned) == bits(value)


@pytest.mark.parametrize("name", PAIRS)
@given(value=values)
@settings(max_examples=100, database=None, deadline=None)
def test_inverse_gives_the_value_back_or_forward_refuses(name: str, value: Any) -> None:
    """For the conversions in between nothing is stored: PostgreSQL's part is tested below."""
    made = pair(name)
    value = as_stored(value, PAIRS[name][2])
    try:
        converted = made.forward(value)
    except Unfit as refusal:
        event(f"refused: {str(refusal).partition(' ')[0]}")
        return
    if name not in NORMALISED | {"json"}:
        assert_same(name, value, made.inverse(converted) if made.inverse else converted)


@pytest.mark.parametrize("name", PAIRS)
def test_null_stays_null(name: str) -> None:
    made = pair(name)
    assert made.forward(None) is None
    assert made.inverse is None or made.inverse(None) is None


@pytest.fixture(scope="module")
def scratch(embedded_server: servers.Server) -> Iterator[psycopg.Connection]:
    """A session in which tables come and go."""
    with servers.fresh_database(embedded_server) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


def through_copy(connection: psycopg.Connection, made: Conversion, value: object) -> object:
    """The value after binary COPY and back through psycopg's loaders and the inverse. Raises if either side refuses."""
    with connection.transaction(force_rollback=True):
        with connection.cursor() as cursor, cursor.copy("COPY t (x) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([made.copy_type])
            copy.write_row((value,))
        query = sql.SQL("SELECT {} FROM t").format(sql.SQL(made.read).format(sql.Identifier("x")))  # type: ignore[arg-type]
        row = connection.execute(query, binary=True).fetchone()
    assert row is not None
    return made.inverse(row[0]) if made.inverse else row[0]


@pytest.mark.parametrize("name", PAIRS)
def test_through_postgresql(name: str, scratch: psycopg.Connection) -> None:
    """Both ways into the target, for every boundary: what the careful way accepts arrives exactly, and the fast way,
    which checks less, never lets another value arrive."""
    made = pair(name)
    accepted = 0
    scratch.execute(f"CREATE TABLE t (x {PAIRS[name][0]})")  # type: ignore[call-overload]
    try:
        for boundary in BOUNDARIES:
            value = as_stored(boundary, PAIRS[name][2])
            try:
                converted = made.forward(value)
            except Unfit:
                pass
            else:
                assert_same(name, value, through_copy(scratch, made, converted))
                accepted += 1
            try:
                fast = made.fast(value) if made.fast and value is not None else value
                returned = through_copy(scratch, made, fast)
            except (Unfit, psycopg.Error, TypeError, ValueError, OverflowError, AttributeError, struct.error):
                continue
            assert_same(name, value, returned)
    finally:
        scratch.execute("DROP TABLE t")
    assert accepted > 1, "not only NULL"


# What psycopg's binary dumpers do by themselves: 70000 becomes 4464, 2 becomes true, 2**53 + 1 is rounded, True is 1.
@pytest.mark.parametrize(
    ("type", "affinity", "value"),
    [
        ("smallint", Affinity.INTEGER, 70_000),
        ("smallint", Affinity.INTEGER, -70_000),
        ("integer", Affinity.INTEGER, 2**40),
        ("boolean", Affinity.INTEGER, 2),
        ("boolean", Affinity.INTEGER, -1),
        ("boolean", Affinity.TEXT, "no"),
        ("double precision", Affinity.NUMERIC, 2**53 + 1),
        ("double precision", Affinity.INTEGER, 2**63 - 1),
        ("double precision", Affinity.BLOB, 1),
        ("double precision", Affinity.BLOB, True),
        ("smallint", Affinity.INTEGER, True),
        ("integer", Affinity.INTEGER, True),
        ("bigint", Affinity.INTEGER, True),
        ("bigint", Affinity.INTEGER, 1.0),
        ("numeric", Affinity.NUMERIC, True),
        ("numeric(3,1)", Affinity.NUMERIC, 1.25),
        ("numeric(3,1)", Affinity.NUMERIC, 100),
        ("varchar(2)", Affinity.TEXT, "a  "),
        ("char(2)", Affinity.TEXT, "a"),
        ("text", Affinity.TEXT, b"a"),
        ("bytea", Affinity.BLOB, "a"),
    ],
)
def test_value_that_a_dumper_would_change_is_rejected(type: str, affinity: Affinity, value: object) -> None:  # noqa: A002
    with pytest.raises(Unfit):
        conversion(parse_type(type), Options(), affinity).forward(value)  # type: ignore[arg-type]


# -- whole databases ---------------------------------------------------------------------------------------------------

DECLARED = [
    "", "INTEGER", "INT", "SMALLINT", "BIGINT UNSIGNED", "REAL", "FLOAT", "DOUBLE PRECISION", "FLOATING POINT",
    "NUMERIC", "DECIMAL(10,2)", "NUMERIC(40)", "TEXT", "VARCHAR(5)", "CHAR(0)", "CLOB", "BLOB", "BOOLEAN", "DATETIME",
    "DATE", "TIME", "TIMESTAMP", "JSON", "UUID", "STRING", "ANY", "CHARINT",
]  # fmt: skip
STRICT = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]
NAMES = ["c", "Order", "two words", 'quo"te', "Ünïcode", "select", "x" * 70, "100%", "a.b"]
KEYS = ["none", "rowid", "autoincrement", "any", "text", "pair", "without rowid"]


@dataclass(frozen=True)
class TableOf:
    name: str
    ddl: str
    columns: int
    rows: list[tuple[Any, ...]]


@st.composite
def tables(draw: st.DrawFn, number: int) -> TableOf:
    strict = draw(st.booleans()) and draw(st.booleans())
    types = STRICT if strict else DECLARED
    key = draw(st.sampled_from(KEYS))
    width = draw(st.integers(2, 5))
    declared = [draw(st.sampled_from(types)) for _ in range(width)]
    names = [
        f"{name}_{n}" for n, name in enumerate(draw(st.lists(st.sampled_from(NAMES), min_size=width, max_size=width)))
    ]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    if key in ("rowid", "autoincrement"):
        declared[0] = "INTEGER"
    if key == "text":
        declared[0] = "TEXT"
    lines = []
    for n, (name, kind) in enumerate(zip(quoted, declared, strict=True)):
        words = [name, kind]
        if n == 0 and key in ("rowid", "autoincrement", "any", "text"):
            words.append("PRIMARY KEY" + (" AUTOINCREMENT" if key == "autoincrement" else ""))
        elif draw(st.sampled_from([False, False, False, True])):
            words.append("NOT NULL")
        if n == 1 and draw(st.sampled_from([False, False, True])):
            words.append("UNIQUE")
        lines.append(" ".join(words))
    if key in ("pair", "without rowid"):
        lines.append(f"PRIMARY KEY ({quoted[0]}, {quoted[1]})")
    options = [word for word, holds in (("STRICT", strict), ("WITHOUT ROWID", key == "without rowid")) if holds]
    name = f"Table {number}"
    ddl = f'CREATE TABLE "{name}" ({", ".join(lines)}) {", ".join(options)}'
    rows = draw(st.lists(st.tuples(*[values] * width), max_size=12))
    return TableOf(name, ddl, width, rows)


databases = st.tuples(*[tables(number) for number in range(4)])


def build(path: Path, wanted: Sequence[TableOf], encoding: str) -> None:
    """What SQLite refuses (a duplicate, a text in a STRICT integer) is left out."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA encoding = '{encoding}'")
        for table in wanted:
            db.execute(table.ddl)
            for row in table.rows:
                try:
                    db.execute(f'INSERT INTO "{table.name}" VALUES ({", ".join("?" * table.columns)})', row)
                except sqlite3.Error:
                    continue


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
@pytest.mark.parametrize("style", ["faithful", "idiomatic"])
@given(wanted=databases)
@settings(
    max_examples=3,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_database_arrives_or_says_what_did_not(
    style: str, encoding: str, embedded_server: servers.Server, wanted: tuple[TableOf, ...]
) -> None:
    """The plan is run as proposed: what it cannot decide stays with the policy `reject`."""
    with tempfile.TemporaryDirectory() as folder, servers.fresh_database(embedded_server) as url:
        source = Path(folder) / "any.db"
        build(source, wanted, encoding)
        text = plan_text(source, style)
        moved = move(source, url, style=style, plan=text)
        assert moved.differences() == []
        rejects = moved.lines("rejects.jsonl")
        assert moved.result.rejects == len(rejects)
        plan = from_toml(text, read_schema_of(source))
        with closing(sqlite3.connect(source)) as db, psycopg.connect(url) as connection:
            for table in plan.carried:
                assert_accounted_for(db, connection, plan, table, [r for r in rejects if r["table"] == table.source])


def assert_accounted_for(
    db: sqlite3.Connection, connection: psycopg.Connection, plan: Plan, table: TablePlan, rejects: list[dict[str, Any]]
) -> None:
    """Each row of the source is in the target, exact in type and bits, or among the rejects with the value that is
    the reason; and the target has no other."""
    ours: Counter[object] = Counter()
    by_value: Counter[tuple[str, str]] = Counter()
    for row in db.execute(f'SELECT * FROM "{table.source}"'):
        ours[noted(table, row)] += 1
        for column, value in zip(table.columns, row, strict=True):
            by_value[column.source, hexed(value)] += 1
    conversions = [column.conversion() for column in table.columns]
    columns = [
        sql.SQL(made.read).format(sql.Identifier(column.target))  # type: ignore[arg-type]
        for made, column in zip(conversions, table.columns, strict=True)
    ]
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(columns), sql.Identifier(plan.target_schema, table.target)
    )
    connection.execute("SET TIME ZONE 'UTC'")
    theirs: Counter[object] = Counter()
    for row in connection.execute(query, binary=True):
        returned = [
            made.inverse(value) if made.inverse else value for made, value in zip(conversions, row, strict=True)
        ]
        theirs[noted(table, returned)] += 1
    assert theirs - ours == Counter(), "a row that the source does not have"
    assert (ours - theirs).total() == len(rejects)
    for reject in rejects:
        assert reject["reason"]
        if reject["value_hex"] is not None:
            assert by_value[reject["column"], reject["value_hex"]], reject


def noted(table: TablePlan, row: Sequence[Any]) -> object:
    """Exact in type and bits; of JSON that became jsonb or text[] the canonical form, and the plan says so."""
    cells = []
    for column, value in zip(table.columns, row, strict=True):
        canonical = column.conversion().canonical
        cells.append(bits(canonical(value) if canonical and isinstance(value, str) and value[:1] in "[{" else value))
    return tuple(cells)


def test_canonical_json_keeps_the_meaning() -> None:
    """Same meaning, same form: the order of keys, spaces and trailing zeros. Another meaning, another form."""
    canonical = pair("jsonb").canonical
    assert canonical
    same = ['{"a": 1.10, "b": [1e2]}', '{"b":[100],"a":1.1}', '{"a":7,"a":1.1,"b":[100.00]}']
    assert len(set(map(canonical, same))) == 1
    others = [
        '{"a":1}',
        '{"a":"1"}',
        '{"a":{"number":"1"}}',
        '{"a":true}',
        '{"a":null}',
        '{"a":[1]}',
        '{"a":1.0000000000000000001}',
    ]
    assert len(set(map(canonical, others))) == len(others)
