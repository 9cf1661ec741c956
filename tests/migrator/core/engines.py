"""One table of hard rows in a real SQLite and a real PostgreSQL, and the comparison of what both make of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import apsw
import psycopg

from migrator.core.model import Affinity
from migrator.core.sql.one_table import translate_expression, translate_predicate
from migrator.core.sql.placeholders import Rendered
from migrator.core.sql.rewriting import Rewritten
from migrator.core.sql.scope import ColumnScope, Kind, PartialKey, TableScope
from migrator.core.sql.views import translate_view

_INTEGER, _NUMERIC, _REAL, _TEXT = Affinity.INTEGER, Affinity.NUMERIC, Affinity.REAL, Affinity.TEXT

COLUMNS = {
    "id": ("INTEGER PRIMARY KEY", "bigint PRIMARY KEY", ColumnScope("id", Kind.INTEGER, "BINARY", _INTEGER, False)),
    "i": ("INTEGER", "bigint", ColumnScope("i", Kind.INTEGER, affinity=_INTEGER)),
    "j": ("INTEGER", "integer", ColumnScope("j", Kind.INTEGER, affinity=_INTEGER)),
    "r": ("REAL", "float8", ColumnScope("r", Kind.REAL, affinity=_REAL)),
    "q": ("REAL", "float8", ColumnScope("q", Kind.REAL, affinity=_REAL)),
    "s": ("TEXT", "text", ColumnScope("s", Kind.TEXT, affinity=_TEXT)),
    "u": ("TEXT", "text", ColumnScope("u", Kind.TEXT, affinity=_TEXT)),
    "n": ("TEXT COLLATE NOCASE", "text", ColumnScope("n", Kind.TEXT, "NOCASE", _TEXT)),
    "w": ("TEXT COLLATE RTRIM", "text", ColumnScope("w", Kind.TEXT, "RTRIM", _TEXT)),
    "at": ("DATETIME", "text", ColumnScope("at", Kind.TEXT, affinity=_NUMERIC)),
    "f": ("BOOLEAN", "boolean", ColumnScope("f", Kind.BOOLEAN, affinity=_NUMERIC)),
    "g": ("INTEGER NOT NULL", "boolean NOT NULL", ColumnScope("g", Kind.BOOLEAN, affinity=_INTEGER, nullable=False)),
    "b": ("BLOB", "bytea", ColumnScope("b", Kind.BLOB, affinity=Affinity.BLOB)),
    "d": ("DECIMAL(9,2)", "numeric", ColumnScope("d", Kind.NUMERIC, affinity=_NUMERIC)),
    "order": ("INT", "bigint", ColumnScope("order", Kind.INTEGER, affinity=_INTEGER)),
}  # fmt: skip
TABLE = TableScope(
    "t",
    {
        name: replace(scope, source=name, exact=type_name.split()[0] in ("bigint", "text", "float8"))
        for name, (_, type_name, scope) in COLUMNS.items()
    },
    ("id",),
    as_it_is=True,
)
SMALL = TableScope(
    "p",
    {
        "code": ColumnScope("code", Kind.INTEGER, affinity=_INTEGER, nullable=False, source="Code", exact=True),
        "label": ColumnScope("label", Kind.TEXT, affinity=_TEXT, source="label", exact=True, bytewise=True),
        "amount": ColumnScope("amount", Kind.INTEGER, affinity=_INTEGER, source="amount", exact=True),
    },
    ("code",),
    as_it_is=True,
)
SEVERAL = TableScope(
    "k",
    {
        "id": ColumnScope("id", Kind.INTEGER, affinity=_INTEGER, nullable=False, source="id", exact=True),
        "name": ColumnScope("name", Kind.TEXT, affinity=_TEXT, source="name", exact=True, bytewise=True),
        "shelf": ColumnScope("shelf", Kind.INTEGER, affinity=_INTEGER, source="shelf", exact=True),
        "slot": ColumnScope("slot", Kind.INTEGER, affinity=_INTEGER, source="slot"),
        "note": ColumnScope("note", Kind.TEXT, affinity=_TEXT, source="note", exact=True, bytewise=True),
    },
    ("id",),
    (("id",), ("name",), ("shelf", "slot")),
    as_it_is=True,
)
# As an idiomatic plan carries them: texts became uuid and timestamps, with the spelling that they had.
EVENTS = TableScope(
    "e",
    {
        "id": ColumnScope("id", Kind.INTEGER, affinity=_INTEGER, nullable=False, source="id", exact=True),
        "uid": ColumnScope("uid", Kind.UUID, affinity=_TEXT, source="uid", picture="hyphens"),
        "active": ColumnScope("active", Kind.INTEGER, affinity=_INTEGER, source="active", exact=True),
        "at": ColumnScope("at", Kind.TIMESTAMPTZ, affinity=_TEXT, source="at", picture="YYYY-MM-DD HH:MM:SS"),
        "z": ColumnScope("z", Kind.TIMESTAMPTZ, affinity=_TEXT, source="z", picture="YYYY-MM-DDTHH:MM:SS.fffZ"),
        "made": ColumnScope("made", Kind.TIMESTAMP, affinity=_TEXT, source="made", picture="YYYY-MM-DD HH:MM:SS"),
        "price": ColumnScope("price", Kind.REAL, affinity=_REAL, source="price", exact=True),
        "kind": ColumnScope("kind", Kind.TEXT, "NOCASE", _TEXT, source="kind", exact=True),
    },
    ("id",),
    (("id",),),
    whole=False,
    as_it_is=True,
    partial=(PartialKey(("uid",), "active = 1"),),
)
TABLES = {"t": TABLE, "p": SMALL}

_TOP, _BOTTOM, _INF = 2**63 - 1, -(2**63), float("inf")
#       i        j    r        q     s          u         n       w       at             f     g  b      d     order
ROWS: list[tuple[Any, ...]] = [
    (None, None, None, None, None, None, None, None, None, None, 0, None, None, None),
    (0, 0, 0.0, -0.0, "", "", "", "", "2024-01-01", 0, 1, b"", 0, 1),
    (1, -1, 1.0, -1.0, "a", "A", "A", "a ", "2024-01-01 10:00:00", 1, 0, b"\x00", 1, 2),
    (-1, 2, 0.1, 0.2, "Ä", "ä", "Ä", "a", "2024-01-01T10:00:00", 1, 1, b"\xff", 0.5, 2),
    (7, -2, -2.5, 2.5, "abc", "B", "abC", " a", "text", 0, 0, b"ab\\x", -2.25, None),
    (-7, 3, 2.675, 1e-300, "aBc", "b", "ABc", "A", None, None, 1, b"AB", 3, 3),
    (_TOP, 2**31 - 1, 1e308, 1e308, "a\\b%c_d", "_", "ab", "b", "x", 1, 1, None, 12345678.99, 0),
    (_BOTTOM, -(2**31), -1e308, 5e-324, "  x ", "x", "aB ", "b  ", "", 0, 0, b"\x80", -7, -1),
    (2**53 + 1, 100, _INF, -_INF, "ß\U0001f600é", "\U0001f600", "ß", "ß", "9x", None, 1, b"zz", 2**40, 5),
    (1700000000, 12, _INF, 3.5, "line\nbreak", "'", "[x]", "", "y", 1, 0, b"'", 0.1, 9),
    (5, 5, 5.0, 0.3, "*", "?", "A*b", "*", "ABC", 0, 1, b"*", 5, 5),
    (65536, 65536, 1e15, 1e16, "0123", "12", "007", "1", "z", 1, 1, b"12", 2, 1),
]  # fmt: skip
SEVERAL_ROWS = [(1, "a", 1, 1, "one"), (2, "b", 1, 2, None), (3, "c", 2, 1, "three"), (4, None, None, 4, "")]
_UID = "00000000-0000-4000-8000-{:012x}".format
EVENT_ROWS: list[tuple[Any, ...]] = [
    (1, _UID(1), 1, "2024-01-01 10:00:00", "2024-01-01T10:00:00.000Z", "2024-03-31 02:30:00", 9.5, "a"),
    (2, _UID(2), 1, "2023-12-31 23:59:59", "2024-01-01T10:00:00.500Z", "2023-12-31 23:59:59", 2.0, "A"),
    (3, _UID(1), 0, None, None, None, None, None),
    (4, _UID(0xABCDEF), None, "2024-01-01 10:00:00", "1999-12-31T00:00:00.001Z", "2024-01-01 10:00:00", -0.25, "b"),
    (5, None, 1, "2024-10-27 02:30:00", "2024-10-27T02:30:00.000Z", "2024-10-27 02:30:00", 4.0, "B"),
    (6, _UID(7), 0, "1970-01-01 00:00:00", "2024-10-27T01:30:00.000Z", "1970-01-01 00:00:00", 1e300, "ä"),
]
SMALL_ROWS = [(0, "zero", None), (1, "one", 10), (2, "two", 30), (5, "FIVE", -5), (100, None, 7), (101, "one", 11)]


@dataclass
class Engines:
    """Both databases; a disagreement is an AssertionError."""

    sqlite: apsw.Connection
    postgres: psycopg.Connection[Any]

    strict: bool = True  # PostgreSQL's error for a number out of range must show in SQLite's result

    def agree_on_expression(self, text: str) -> bool:
        """False where PostgreSQL raised that error for a row."""
        found = translate_expression(text, TABLE)
        return self._agree(text, found.sql, found.kind)

    def agree_on_predicate(self, text: str) -> bool:
        found = translate_predicate(text, TABLE)
        return self._agree(f"CASE WHEN {text} THEN 1 WHEN NOT ({text}) THEN 0 END", found, Kind.BOOLEAN)

    def _agree(self, ours: str, theirs: str, kind: Kind) -> bool:
        try:
            self._agree_on_rows(ours, theirs, kind, "")
        except psycopg.errors.NumericValueOutOfRange:
            for place in range(1, len(ROWS) + 1):
                self._agree_on_row(ours, theirs, kind, place)
            return False
        return True

    def _agree_on_row(self, ours: str, theirs: str, kind: Kind, place: int) -> None:
        where = f" WHERE id = {place}"
        try:
            self._agree_on_rows(ours, theirs, kind, where)
        except psycopg.errors.NumericValueOutOfRange:
            try:
                found = self.sqlite.execute(f"SELECT {ours} FROM t{where}").get
            except apsw.SQLError:
                return
            assert not self.strict or may_be_out_of_range(found, kind), f"{found!r} and an error\n  {ours}\n  {theirs}"

    def _agree_on_rows(self, ours: str, theirs: str, kind: Kind, where: str) -> None:
        right = self.postgres.execute(f"SELECT {theirs} FROM t{where} ORDER BY t.id".encode()).fetchall()
        try:
            left = self.sqlite.execute(f"SELECT {ours} FROM t{where} ORDER BY t.id").fetchall()
        except apsw.SQLError as error:
            raise psycopg.errors.NumericValueOutOfRange from error
        for row, (one, other) in enumerate(zip(left, right, strict=True), 1):
            assert same(one[0], other[0], kind), f"row {row}: {one[0]!r} and {other[0]!r}\n  {ours}\n  {theirs}"

    def agree_on_query(self, select: str, *, ordered: bool = False) -> bool:
        """False where PostgreSQL raised the error for a number out of range."""
        sql, columns = translate_view(select, TABLES)
        try:
            cursor = self.postgres.execute(sql.encode())
        except psycopg.errors.NumericValueOutOfRange:
            return False
        left, right = self.sqlite.execute(select).fetchall(), cursor.fetchall()
        assert [column.name for column in cursor.description or []] == [name for name, _ in columns]
        if not ordered:
            left, right = sorted(left, key=sort_key), sorted(right, key=sort_key)
        assert len(left) == len(right), f"{len(left)} and {len(right)} rows\n  {select}\n  {sql}"
        for one, other in zip(left, right, strict=True):
            for (_, kind), mine, yours in zip(columns, one, other, strict=True):
                assert same(mine, yours, kind, relative=1e-9), f"{one!r} and {other!r}\n  {select}\n  {sql}"
        return True

    def agree_on_statement(self, sql: str, arguments: Any, rewritten: Rewritten) -> bool:
        """The same result, and the same rows in both tables afterwards. False where PostgreSQL refused it."""
        assert rewritten.rendered is not None, rewritten.findings
        theirs, names = self._on_postgres(rewritten.rendered, arguments)
        ours, wanted = self._on_sqlite(sql, arguments)
        message = f"{ours}\n{theirs}\n  {sql}\n  {rewritten.rendered.sql}\n  {arguments}"
        # Which condition is looked at first is said by neither, and one may be abs(-9223372036854775808).
        if theirs is None or wanted == ["integer overflow"]:
            return False
        assert ours is not None, message
        if {"column-name", "no-table"}.isdisjoint(finding.rule for finding in rewritten.findings):
            assert names == wanted, message
        ordered = "ORDER BY" in _outermost(" ".join(sql.upper().split()))
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            if place or not ordered:
                one.sort(key=sort_key)
                other.sort(key=sort_key)
            assert len(one) == len(other), message
            assert all(all(map(alike, *rows)) for rows in zip(one, other, strict=True)), message
        return True

    def _on_sqlite(self, sql: str, arguments: Any) -> tuple[list[list[Any]] | None, list[str]]:
        """The result, and what is in both tables then; None where it is refused. And the names of the result.

        All is taken back.
        """
        names: list[str] = []

        def trace(cursor: apsw.Cursor, *_: Any) -> bool:
            names.extend(column[0] for column in cursor.get_description())
            return True

        self.sqlite.execute("SAVEPOINT before")
        try:
            cursor = self.sqlite.cursor()
            cursor.exec_trace = trace
            rows = cursor.execute(sql, arguments or None).fetchall()
            return [rows, *(self.sqlite.execute(query).fetchall() for query in _TABLES)], names
        except apsw.Error as error:
            return None, [str(error)]
        finally:
            self.sqlite.execute("ROLLBACK TO before; RELEASE before")

    def _on_postgres(self, rendered: Rendered, arguments: Any) -> tuple[list[list[Any]] | None, list[str]]:
        try:
            with self.postgres.transaction(force_rollback=True):
                cursor = self.postgres.execute(rendered.sql.encode(), called_with(rendered, arguments))
                rows = cursor.fetchall() if cursor.description else []
                names = [column.name for column in cursor.description or ()]
                return [rows, *(self.postgres.execute(query.encode()).fetchall() for query in _TABLES)], names
        except (
            psycopg.DataError,
            psycopg.IntegrityError,
            psycopg.errors.AmbiguousParameter,
            psycopg.errors.CardinalityViolation,
        ):
            return None, []


def _outermost(sql: str) -> str:
    """Without what stands in parentheses."""
    while (less := re.sub(r"\([^()]*\)", "", sql)) != sql:
        sql = less
    return sql


_TABLES = ("SELECT * FROM t", "SELECT * FROM p", "SELECT * FROM k", "SELECT * FROM e")


def called_with(rendered: Rendered, arguments: Any) -> Any:
    """The arguments of the call, as the driver is to be given them."""
    found = {item.target: arguments[item.source] for item in rendered.arguments}
    if not found:
        return None
    return found if rendered.by_name else [value for _, value in sorted(found.items())]


def alike(ours: Any, theirs: Any) -> bool:
    """As `same`, where nobody says of which kind a value is."""
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(theirs, bool):
        return ours in (0, 1) and theirs is bool(ours)
    if isinstance(theirs, datetime):
        return isinstance(ours, str) and _moment(ours) == _moment(str(theirs))
    if isinstance(theirs, UUID):
        return bool(ours == str(theirs))
    if isinstance(ours, int | float):
        return isinstance(theirs, int | float | Decimal) and close(float(ours), float(theirs), 1e-9)
    return type(ours) is type(theirs) and bool(ours == theirs)


def _moment(text: str) -> datetime:
    """A text without an offset is in UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def may_be_out_of_range(found: Any, kind: Kind) -> bool:
    """Whether SQLite too left the 64 bits or the doubles; a text or a truth says nothing about its operands."""
    if kind is Kind.INTEGER:
        return found is None or isinstance(found, float)
    if kind is Kind.REAL:
        return found is None or abs(found) in (0.0, float("inf")) or abs(found) < sys.float_info.min
    return True


def sort_key(row: Sequence[Any]) -> list[tuple[int, Any]]:
    return [_sort_key(value) for value in row]


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, datetime):
        return (2, value.astimezone(UTC).isoformat(" ") if value.tzinfo else value.isoformat(" "))
    if isinstance(value, str | bytes | UUID):
        return (3 if isinstance(value, bytes) else 2, value if isinstance(value, bytes) else str(value))
    return (1, round(float(value), 6))


def same(ours: Any, theirs: Any, kind: Kind, relative: float = 0.0) -> bool:
    """Equal in type and value; a REAL that SQLite made from an integer literal may be an integer there."""
    if ours is None or theirs is None:
        return ours is theirs
    if kind is Kind.BOOLEAN:
        return ours in (0, 1) and theirs is bool(ours)
    if kind in (Kind.REAL, Kind.NUMERIC):
        return isinstance(theirs, float | Decimal) and close(float(ours), float(theirs), relative)
    return type(ours) is type(theirs) and bool(ours == theirs)


def close(one: float, other: float, relative: float) -> bool:
    return one == other or abs(one - other) <= relative * max(abs(one), abs(other))


@contextmanager
def engines(url: str) -> Iterator[Engines]:
    """Both databases with the tables t, p, k and e."""
    sqlite = apsw.Connection(":memory:")
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as postgres:
        postgres.execute("SET TimeZone = 'America/New_York'")  # which no result may depend on
        for table in ("t", "p", "k", "e"):
            sqlite.execute(_create(table, 0))
            postgres.execute(_create(table, 1).encode())
            if table == "e":
                sqlite.execute(_SOME_ROWS)
                postgres.execute(_SOME_ROWS.encode())
            _fill(sqlite, postgres, table)
        yield Engines(sqlite, postgres)


_SMALLER = {
    "p": (
        "Code INTEGER PRIMARY KEY, label TEXT, amount INTEGER",
        'code bigint PRIMARY KEY, label text COLLATE "C", amount bigint',
    ),
    "k": (
        "id INTEGER PRIMARY KEY, name TEXT UNIQUE, shelf INTEGER, slot INT, note TEXT DEFAULT 'new',"
        " UNIQUE (shelf, slot)",
        'id bigint DEFAULT 5 PRIMARY KEY, name text COLLATE "C" UNIQUE, shelf bigint,'
        " slot integer, note text COLLATE \"C\" DEFAULT 'new', UNIQUE (shelf, slot)",
    ),
    "e": (
        "id INTEGER PRIMARY KEY, uid TEXT, active INTEGER, at TEXT, z TEXT, made TEXT, price REAL,"
        " kind TEXT COLLATE NOCASE",
        "id bigint PRIMARY KEY, uid uuid, active bigint, at timestamptz, z timestamptz, made timestamp, price float8,"
        " kind text",
    ),
}


_SOME_ROWS = "CREATE UNIQUE INDEX e_uid ON e (uid) WHERE active = 1"


def _create(table: str, engine: int) -> str:
    columns = ", ".join(f'"{name}" {types[engine]}' for name, types in COLUMNS.items())
    return f"CREATE TABLE {table}({columns if table == 't' else _SMALLER[table][engine]})"


def _fill(sqlite: apsw.Connection, postgres: psycopg.Connection[Any], table: str) -> None:
    numbered = [(number, *row) for number, row in enumerate(ROWS, 1)]
    for row in {"t": numbered, "p": SMALL_ROWS, "k": SEVERAL_ROWS, "e": EVENT_ROWS}[table]:
        marks = ", ".join("?" * len(row))
        sqlite.execute(f"INSERT INTO {table} VALUES({marks})", row)
        flags = {10, 11} if table == "t" else set()
        values = [bool(value) if index in flags and value is not None else value for index, value in enumerate(row)]
        if table == "e" and values[3]:
            values[3] += "+00"
        postgres.execute(f"INSERT INTO {table} VALUES({marks.replace('?', '%s')})".encode(), values)
