"""DEFAULT clauses keep the value that SQLite would store."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from migrator.core.convert import is_same
from migrator.core.defaults import UntranslatableDefault, apply_affinity, default_sql, literal_value
from migrator.core.model import Affinity
from migrator.core.pgtypes import parse_type
from migrator.core.plan import ColumnPlan

DECLARED = {
    Affinity.INTEGER: "INTEGER",
    Affinity.TEXT: "TEXT",
    Affinity.REAL: "REAL",
    Affinity.NUMERIC: "NUMERIC",
    Affinity.BLOB: "BLOB",
}


def planned(type_name: str, affinity: Affinity = Affinity.BLOB) -> ColumnPlan:
    return ColumnPlan("c", "c", parse_type(type_name), affinity=affinity)


@pytest.mark.parametrize(
    ("text", "type_name", "affinity", "sql"),
    [
        ("0", "bigint", Affinity.INTEGER, "0"),
        ("'0'", "bigint", Affinity.INTEGER, "0"),
        ("0", "boolean", Affinity.NUMERIC, "false"),
        ("TRUE", "boolean", Affinity.NUMERIC, "true"),
        ("(1)", "bigint", Affinity.INTEGER, "1"),
        ("-1.5", "double precision", Affinity.REAL, "'-1.5'::double precision"),
        ('"pending"', "text", Affinity.TEXT, "'pending'"),
        ("'it''s'", "text", Affinity.TEXT, "'it''s'"),
        ("0", "text", Affinity.TEXT, "'0'"),
        ("x''", "bytea", Affinity.BLOB, r"'\x'"),
        ("X'00ff'", "bytea", Affinity.BLOB, r"'\x00ff'"),
        ("NULL", "text", Affinity.TEXT, None),
        ("'{}'", "jsonb", Affinity.TEXT, "'{}'"),
        ("'[\"a\"]'", "text[]", Affinity.TEXT, "ARRAY['a']::text[]"),
        ("CURRENT_TIMESTAMP", "text", Affinity.TEXT, "to_char((now() AT TIME ZONE 'utc'), 'YYYY-MM-DD HH24:MI:SS')"),
        ("current_timestamp", "timestamp", Affinity.NUMERIC, "date_trunc('second', (now() AT TIME ZONE 'utc'))"),
        ("(datetime('now'))", "timestamptz", Affinity.TEXT, "date_trunc('second', now())"),
        ("(strftime('%s', 'now'))", "bigint", Affinity.INTEGER, "floor(extract(epoch FROM now()))::bigint"),
    ],
)
def test_a_default_and_its_translation(text: str, type_name: str, affinity: Affinity, sql: str | None) -> None:
    assert default_sql(text, planned(type_name, affinity)) == sql


@pytest.mark.parametrize("text", ["(random())", "(abs(-1))", "'n/a'", "(strftime('%W','now'))", "1 + 1"])
def test_what_is_not_known_is_not_guessed(text: str) -> None:
    with pytest.raises(UntranslatableDefault):
        default_sql(text, planned("bigint", Affinity.INTEGER))


literals = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0", "1", "-0", "1.0", "-0.0", "12abc", " 12 ", "1e3", "-1.5e-3", "0x1F", "", "abc", "+7"]).map(
        lambda text: "'" + text + "'"
    ),
    st.binary(max_size=4).map(lambda raw: f"x'{raw.hex()}'"),
)


@example("-0.0", Affinity.BLOB)
@example("'-0.0'", Affinity.REAL)
@given(literals, st.sampled_from(list(Affinity)))
def test_a_literal_becomes_what_sqlite_stores(literal: str, affinity: Affinity) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE TABLE t (k, c {DECLARED[affinity]} DEFAULT {literal})")
    connection.execute("INSERT INTO t (k) VALUES (1)")
    ((stored,),) = connection.execute("SELECT c FROM t")

    try:
        ours = apply_affinity(literal_value(literal), affinity)
    except ValueError:
        assume(False)  # a real in a text column: not carried, because SQLite's own spelling has changed over time

    assert is_same(ours, stored)
