"""Whatever the translator lets through gives the same on both engines, value and type; all else is declined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.core.model import Affinity
from migrator.core.sql.one_table import translate_expression, translate_predicate
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from tests.migrator import servers
from tests.migrator.core.engines import TABLE, Engines, engines


@pytest.fixture(scope="module", params=["embedded", "debian"])
def both(request: pytest.FixtureRequest) -> Iterator[Engines]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, engines(url) as pair:
        yield pair


# One expression on a line, each of which must translate.
ALLOWED = (Path(__file__).parent / "expressions.txt").read_text(encoding="utf-8").splitlines()


def is_declined(text: str) -> bool:
    try:
        translate_expression(text, TABLE)
    except Untranslatable:
        return True
    return False


@pytest.mark.parametrize("text", ALLOWED)
def test_both_engines_agree(both: Engines, text: str) -> None:
    both.agree_on_expression(text)


@pytest.mark.parametrize("text", [text for text in ALLOWED if not is_declined(f"NOT ({text})")])
def test_both_engines_agree_on_conditions(both: Engines, text: str) -> None:
    both.agree_on_predicate(text)


@pytest.mark.parametrize("text", ALLOWED)
def test_postgresql_takes_it_in_an_index_and_in_a_generated_column(both: Engines, text: str) -> None:
    """Both want an immutable expression; the table has no rows, so no value is out of range."""
    found = translate_expression(text, TABLE)
    if '"' not in found.sql.replace('COLLATE "C"', ""):
        return  # no column in it
    both.postgres.execute("DROP TABLE IF EXISTS empty; CREATE TABLE empty (LIKE t)")
    both.postgres.execute(f"CREATE INDEX ON empty (({found.sql}))".encode())
    both.postgres.execute(
        f"ALTER TABLE empty ADD generated {TYPES[found.kind]} GENERATED ALWAYS AS ({found.sql}) STORED".encode()
    )


TYPES = {
    Kind.INTEGER: "bigint",
    Kind.REAL: "float8",
    Kind.NUMERIC: "numeric",
    Kind.TEXT: "text",
    Kind.BLOB: "bytea",
    Kind.BOOLEAN: "boolean",
}

DECLINED = {
    "s = 1.5": "TEXT compared with REAL",
    "lower(s) = 1": "TEXT compared with INTEGER",
    "i = '1x'": "INTEGER compared with TEXT",
    "abs(i) = '1'": "INTEGER compared with TEXT",
    "i = r": "an INTEGER compared with a REAL, which PostgreSQL rounds",
    "i < 1e300": "an INTEGER compared with a REAL, which PostgreSQL rounds",
    "b = s": "BLOB compared with TEXT",
    "at > '2024'": "SQLite converts '2024' to a number here",
    "at < s": "texts of numeric and of text affinity compared for order",
    "CASE WHEN s THEN 1 END": "TEXT used as a condition",
    "s + 1": "arithmetic with TEXT",
    "d + 1": "arithmetic whose type depends on the row",
    "r % 2": "% with REAL operands",
    "5.5 % 2": "% with REAL operands",
    "1 << 64": "a shift by other than 0 to 63",
    "i << j": "a shift by other than 0 to 63",
    "r | 1": "bits of REAL",
    "r || s": "REAL used as text",
    "COALESCE(i, 2.5)": "one expression of INTEGER and REAL",
    "CASE WHEN i THEN 1 ELSE 'x' END": "one expression of several kinds: INTEGER, TEXT",
    "COALESCE(r, i)": "one expression of INTEGER and REAL",
    "COALESCE(r, 0) || s": "REAL used as text",
    "typeof(COALESCE(r, 0))": "typeof() of REAL",
    "typeof(d)": "typeof() of NUMERIC",
    "CAST(s AS INTEGER)": "CAST of TEXT to INTEGER",
    "CAST(r AS INTEGER)": "CAST of REAL to INTEGER, which SQLite stops at 64 bits",
    "CAST(2.5 AS INT)": "CAST of REAL to INTEGER, which SQLite stops at 64 bits",
    "CAST(r AS TEXT)": "REAL used as text",
    "CAST(i AS NUMERIC)": "CAST to",
    "CAST(s AS BLOB)": "CAST to BLOB",
    "round(r, 1)": "round() is not on the list of what is translated",
    "substr(s, -2)": "substr() with other than a positive literal start and length",
    "substr(s, 0, 2)": "substr() with other than a positive literal start and length",
    "substr(s, 1, j)": "substr() with other than a positive literal start and length",
    "lower(i)": "a string function of INTEGER",
    "replace(s, u, n)": "replace() of what may be '' by what may be NULL",
    "hex(s)": "hex() of TEXT",
    "max(n, s)": "GREATEST of texts that are not compared as BINARY",
    "s GLOB u": "GLOB with a pattern that is not a plain literal",
    "s GLOB '[a'": "GLOB with a pattern that is not a plain literal",
    "s GLOB '[]a]'": "GLOB with a pattern that is not a plain literal",
    "s LIKE 'a!' ESCAPE '!'": "a LIKE pattern that ends in its escape character",
    "s LIKE u ESCAPE 'ab'": "LIKE with this ESCAPE",
    "s LIKE 'x' ESCAPE 'x'": "LIKE with this ESCAPE",
    "i LIKE '1%'": "a pattern on INTEGER",
    "i IN (SELECT 1)": "a query inside an expression",
    "j IN (1, f)": "IN with members of several kinds",
    "(SELECT 1)": "a query inside an expression",
    "lower(s COLLATE NOCASE)": "COLLATE outside a comparison",
    "s = u COLLATE german": "the collation GERMAN",
    "i = j IN (1)": "parentheses are needed in i = j IN (1)",
    "count(*)": "count() is not on the list of what is translated",
    "date('now')": "date() in this place",
    "CURRENT_TIMESTAMP": "the current datetime in this place",
    "random()": "random() in this place",
    "printf('%x', i)": "printf() in this place",
    "my_function(i)": "the function my_function()",
    "json_extract(s, '$.a')": "json_extract() in this place",
    "rowid": "no column rowid",
    "missing > 1": "no column missing",
    "9223372036854775808": "the integer 9223372036854775808 does not fit in 64 bits",
    "1e999": "the number 1e999 is out of the range of a double",
    "i, j": "not one expression",
    "i FROM t": "not one expression",
    "i; DROP TABLE t": "not one statement",
    "(" * 20000: "it is nested too deeply",
    "i" + " + i" * 5000: "it is nested too deeply",
    "'a\0b'": "a string with a NUL character",
}


@pytest.mark.parametrize("text", DECLINED, ids=lambda text: text[:40])
def test_all_else_is_declined_with_its_reason(text: str) -> None:
    with pytest.raises(Untranslatable) as declined:
        translate_expression(text, TABLE)
    assert declined.value.reason.startswith(DECLINED[text])


def test_the_unparsable_is_declined() -> None:
    with pytest.raises(Untranslatable, match="cannot be parsed"):
        translate_expression("i >", TABLE)


CONVERTED = TableScope(
    "t",
    {
        "at": ColumnScope("at", Kind.TIMESTAMPTZ, affinity=Affinity.TEXT),
        "doc": ColumnScope("doc", Kind.JSONB, affinity=Affinity.TEXT),
        "key": ColumnScope("key", Kind.UUID, affinity=Affinity.TEXT),
        "wide": ColumnScope("wide", Kind.TEXT, affinity=Affinity.INTEGER, uniform=False),
        "digits": ColumnScope("digits", Kind.INTEGER, affinity=Affinity.TEXT),
        "loose": ColumnScope("loose", Kind.REAL, affinity=Affinity.NUMERIC),
        "whole": ColumnScope("whole", Kind.INTEGER, affinity=Affinity.REAL),
    },
)


@pytest.mark.parametrize("name", CONVERTED.columns)
def test_a_column_of_any_kind_may_be_asked_for_null(name: str) -> None:
    assert translate_predicate(f"{name} IS NOT NULL", CONVERTED) == f'("{name}" IS NOT NULL)'
    assert translate_expression(name, CONVERTED).sql == f'"{name}"'


@pytest.mark.parametrize(
    "text",
    [
        *("at > '2024'", "doc = '{}'", "wide > 1", "wide = 'a'", "digits = 1", "loose / 2", "loose + 1", "whole / 2"),
        *("key < 'a'", "key = 'a'", "length(doc)", "typeof(loose)", "COALESCE(at, 'x')", "max(digits, 1)", "-digits"),
    ],
)
def test_a_column_that_changed_its_storage_class_is_left_alone(text: str) -> None:
    with pytest.raises(Untranslatable):
        translate_expression(text, CONVERTED)


def test_conditions_read_well() -> None:
    assert translate_predicate("f = 1", TABLE) == '"f"'
    assert translate_predicate("f = 0", TABLE) == '(NOT "f")'
    assert translate_predicate("i", TABLE) == '("i" <> 0)'
    assert translate_predicate("i >= 0 AND i < 10", TABLE) == '(("i" >= 0) AND ("i" < 10))'


def binary(operators: str, left: st.SearchStrategy[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, left, st.sampled_from(operators.split()), right)


def calls(pattern: str, *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(pattern.format, *arguments)


INTEGERS = st.sampled_from(["i", "j", "id", '"order"', "f", "g", "0", "1", "-1", "7", "2147483648"])
REALS = st.sampled_from(["r", "q", "0.5", "-2.5", "1e10", "d"])
TEXTS = st.sampled_from(["s", "u", "n", "w", "at", "''", "'a'", "'Ä'", "'aB'", "'%'", "'7'", '"x"'])
LEAVES = INTEGERS | REALS | TEXTS | st.sampled_from(["b", "x''", "x'ff'", "NULL"])


def integers(number: st.SearchStrategy[str], text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        binary("+ - * / % & |", number, number),
        binary("< <= > >= = <> IS AND OR", number, number),
        binary("< <= > >= = <> IS LIKE", text, text),
        calls("{} {} {}", number, st.sampled_from(["+", "*", "=", "<", "AND", "IS", "%", "||"]), number),
        calls("({} << 3)", number),
        calls("(NOT {})", number),
        calls("(-{})", number),
        calls("({} IS NULL)", number | text),
        calls("({} IN ({}, {}))", number, number, number),
        calls("({} IN ({}, {}))", text, text, text),
        calls("({} BETWEEN {} AND {})", number, number, number),
        calls("({} BETWEEN {} AND {})", text, text, text),
        calls("({} COLLATE NOCASE = {})", text, text),
        calls("({} GLOB 'a*[0-9]?')", text),
        calls("abs({})", number),
        calls("length({})", text),
        calls("instr({}, {})", text, text),
        calls("CAST({} AS {})", number, st.sampled_from(["INTEGER", "REAL"])),
        choices(number, number),
    )


def texts(number: st.SearchStrategy[str], text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        binary("||", text, text | number),
        calls("{}({})", st.sampled_from(["lower", "upper", "trim", "ltrim", "rtrim", "typeof"]), text),
        calls("replace({}, {}, {})", text, text, text),
        calls("trim({}, {})", text, text),
        calls("substr({}, 2, 1)", text),
        calls("CAST({} AS TEXT)", number),
        calls("typeof({})", number),
        choices(number, text),
    )


def choices(condition: st.SearchStrategy[str], result: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        calls("CASE WHEN {} THEN {} ELSE {} END", condition, result, result),
        calls("CASE {} WHEN {} THEN {} END", condition, condition, result),
        calls("IIF({}, {}, {})", condition, result, result),
        calls("{}({}, {})", st.sampled_from(["COALESCE", "NULLIF", "max", "min"]), result, result),
    )


Pair = tuple[st.SearchStrategy[str], st.SearchStrategy[str]]


def typed(depth: int, leaves: Pair = (INTEGERS | REALS, TEXTS)) -> Pair:
    """Numbers and texts, and whether they fit is still for the translator to say."""
    if depth == 0:
        return leaves
    number, text = typed(depth - 1, leaves)
    return number | integers(number, text), text | texts(number, text)


def anything(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return integers(children, children) | texts(children, children)


SOUP = st.one_of(*typed(1), *typed(2), *typed(3), st.recursive(LEAVES, anything, max_leaves=6))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=SOUP)
def test_whatever_translates_agrees(both: Engines, text: str) -> None:
    lenient = replace(both, strict=False)
    if not is_declined(text):
        lenient.agree_on_expression(text)
    if not is_declined(f"NOT ({text})"):
        lenient.agree_on_predicate(text)
