"""Statements that nobody thought of: each that is rewritten gives on PostgreSQL what it gives on SQLite, or is refused.

The arguments have the types that the rewriting says it expects. More of them: MIGRATOR_FUZZED_STATEMENTS=20000.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.core.sql.lexer import TokenKind, tokens, with_tokens
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten, rewrite
from migrator.core.sql.split import SourceStatement, split
from tests.migrator import servers
from tests.migrator.core.engines import engines
from tests.migrator.core.test_expressions import INTEGERS, REALS, TEXTS, typed
from tests.migrator.core.test_sqlite_compat import PACK
from tests.migrator.core.test_statements import TABLES

ROUNDS = int(os.environ.get("MIGRATOR_FUZZED_STATEMENTS", "1500"))
VALUES: dict[str | None, list[Any]] = {
    "bigint": [0, 1, -1, 7, 2**40, None],
    "double precision": [0.5, -2.5, 1e10, 3.0, None],
    "numeric": [0.5, 2, None],
    "text": ["", "a", "Ä", "aB", "%b_", "abc", "it's :x 100%", None],
    "bytea": [b"", b"zz", None],
    "boolean": [0, 1, None],
    "timestamptz": ["2024-01-01T10:00:00.500Z", "1999-12-31T00:00:00.001Z", None],
    "timestamp": ["2024-01-01 10:00:00", "1970-01-01 00:00:00", None],
    "uuid": ["00000000-0000-4000-8000-000000000002", None],
    None: ["x", None],
}

given_number, given_text = st.sampled_from([":a", ":b"]), st.sampled_from([":c", ":d"])
NUMBER, TEXT = typed(2, (INTEGERS | REALS | given_number, TEXTS | given_text))
CONDITION = typed(1, (INTEGERS | REALS | given_number, TEXTS | given_text))[0]
DOCUMENT = st.sampled_from(
    [
        '(\'{"a": [\' || j || \', "\' || t.id || \'"], "b c": {"\\u0061": 1.50}, "a": null}\')',
        "json_object('a', json_array(i, s), 'k', f, 'b c', json('{}'))",
        "json_array(j, json_object('a', u, 'x', 0.25), NULL)",
        "('[' || j || ', [1,{\"a\":' || t.id || '}] ]')",
        "(s || '')",
        "('{\"k\":\"' || u || '\"}')",
        ":c",
    ]
)
PATH = st.sampled_from(
    ["'$.a'", "'$.a[0]'", "'$[0]'", "'$[#-1]'", "'$.a[#]'", "'$.\"b c\".a'", "'$.n.m[0]'", "'$[1][1].a'", "'$'", "NULL"]
) | st.sampled_from(["'$.' || u", "'$[' || id || ']'", "'$.k'", ":d"])


def _edits(document: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A document that is made of another one."""
    part = st.one_of(
        *(NUMBER, TEXT, document, st.sampled_from(["json('[1 ,{}]')", "NULL", "r", "b", "id > 3", "0.5"])),
        st.builds("json_extract({}, {})".format, document, PATH),
        st.builds("{} {} '$.a'".format, document, st.sampled_from(["->", "->>"])),
    )
    return st.one_of(
        st.builds("{}({}, {}, {})".format, st.sampled_from(["json_set", "json_insert", "json_replace"]), document, PATH,
                  part),
        st.builds("json_set({}, {}, {}, {}, {})".format, document, PATH, part, PATH, part),
        st.builds("json_remove({}, {})".format, document, PATH),
        st.builds("json_remove({}, {}, {})".format, document, PATH, PATH),
        st.builds("json_patch({}, {})".format, document, document),
        st.builds("json_pretty({}{})".format, document, st.sampled_from(["", ", ' '"])),
        st.builds("json_array({}, {})".format, part, part),
    )  # fmt: skip


MADE = _edits(DOCUMENT | _edits(DOCUMENT))
WALKED = st.builds(
    "(SELECT {} FROM {}({}) AS e WHERE {})".format,
    st.sampled_from(["group_concat(e.fullkey)", "count(e.atom)", "json_group_array(e.value)", "group_concat(e.type)",
                     "json_group_array(json_array(e.key, e.path))", "max(e.fullkey)", "sum(e.value)",
                     "json_group_object(e.fullkey, e.atom)", "max(e.key)", "count(e.id)"]),
    st.sampled_from(["json_each", "json_tree"]),
    DOCUMENT | MADE | st.builds("{}, {}".format, DOCUMENT, PATH),
    st.sampled_from(["1", "e.type = 'integer'", "e.atom IS NOT NULL", "e.path = '$'", "e.key > 0", "e.type <> 'text'"]),
)  # fmt: skip
DATES = st.builds(
    "{}({}{})".format,
    st.sampled_from(["date", "datetime", "time", "julianday", "unixepoch"]),
    st.sampled_from(["at", "'2024-02-29 12:30:00'", "i", ":c", "s"]),
    st.sampled_from(["", ", '+1 month'", ", 'start of month', '-1 day'", ", 'unixepoch'"]),
)
CALLS = st.one_of(
    st.builds("substr({}, {}, {})".format, TEXT | st.just("b"), st.sampled_from(["-2", "0", "j", ":a", "3"]),
              st.sampled_from(["2", "-1", ":b", "j", "0"])),
    st.builds("CAST({} AS {})".format, TEXT | NUMBER, st.sampled_from(["INTEGER", "REAL", "TEXT"])),
    st.builds("{}({})".format, st.sampled_from(["hex", "quote", "unicode"]), TEXT | st.sampled_from(["b", "j", "id"])),
    st.builds("printf('%d|%.2f|%s|%04d', {}, {}, {}, {})".format, st.sampled_from(["i", "j", ":a"]),
              st.sampled_from(["j / 7.0", ":b", "id"]), TEXT, st.sampled_from(["j", "id"])),
    st.builds("printf('{}', {})".format, st.sampled_from(["%5.1f|", "%-8d|", "%,d", "%x", "%+08d", "%o", "%.3e", "%g"]),
              st.sampled_from(["i", "j", "id", "j / 7.0", "r", ":a", "NULL"])),
    st.builds("printf('{}', {})".format, st.sampled_from(["%-6s|", "%!.2s", "%!-5.1s|", "%c", "%x"]), TEXT),
    st.builds("timediff({}, {})".format, st.sampled_from(["at", "'2024-02-29 12:30:00'", "i", ":c", "s", "date(at)"]),
              st.sampled_from(["at", "'2023-12-31'", "id + 2460000", ":c", "j / 7.0"])),
    st.builds("{} OVER (PARTITION BY {} ORDER BY id{})".format, st.sampled_from(["sum(j)", "count(i)", "row_number()",
              "lag(s)", "lead(j, 2)", "max(s)", "avg(j)"]), st.sampled_from("fgj"),
              st.sampled_from(["", " DESC"])),
    st.builds("{}('{{\"a\": [' || j || ', \"' || id || '\"]}}', '$.a{}')".format,
              st.sampled_from(["json_extract", "json_type", "json_array_length"]),
              st.sampled_from(["", "[0]", "[1]", "[#-1]", "[5]", ".b"])),
    st.builds("('{{\"a\": [' || j || ', \"' || t.id || '\"], \"b c\": {{}}}}' {} {})".format,
              st.sampled_from(["->", "->>"]), st.sampled_from(["'a'", "'$.a[1]'", "'b c'", "0", "'$.x'", "'$'"])),
    st.builds("json_array({}, json_object('a', {}, s, 1))".format, NUMBER | TEXT,
              NUMBER | TEXT | st.just("json('[]')")),
    st.builds("(SELECT json_group_array({}) FROM p WHERE code < j)".format,
              st.sampled_from(["code", "label", "amount"])),
    st.builds("(SELECT count({}) FROM json_each('[' || j || ', \"' || t.id || '\"]') AS e WHERE e.key {})".format,
              st.sampled_from(["*", "e.value", "e.type"]), st.sampled_from(["= 0", "< j", "IS NULL"])),
    st.builds("json_extract('[' || t.id || ', \"x\"]', {})".format,
              st.sampled_from(["'$[1]'", "'$[' || '1]'", "'$[0]', '$'"])),
    st.builds("iif({}, {}, {}, {})".format, NUMBER, TEXT, NUMBER, TEXT),
    st.builds("{}({}, {})".format, st.sampled_from(["concat", "concat_ws"]), TEXT | NUMBER, TEXT | NUMBER),
    st.builds("{}({})".format, st.sampled_from(["octet_length", "unhex", "likely", "ceil", "floor", "trunc"]),
              TEXT | NUMBER | st.sampled_from(["j / 7.0", "hex(b)"])),
    st.builds("{} {} {}".format, st.sampled_from(["s", "u", "n"]), st.sampled_from(["GLOB", "NOT GLOB", "LIKE"]),
              st.sampled_from([":c", "u", "u || '*'", "'[' || u || 'b-c]*'", "n || '%'"])),
    st.builds("round({}, {})".format, st.sampled_from(["j / 7.0", "id / 3.0", "j", ":a"]), st.sampled_from("0123")),
)  # fmt: skip
ANY = NUMBER | TEXT | DATES | CALLS | MADE | WALKED
SMALL_NUMBER = st.sampled_from(["code", "amount", "code + 1", "amount * 2", "-5", ":a", "COALESCE(amount, :b)", "NULL"])
SMALL_TEXT = st.sampled_from(["label", "'x'", ":c", "label || :d", "upper(label)", "NULL", "CAST(code AS TEXT)"])
NUMBERS_COMPARED = st.builds(
    "{} {} {}".format, SMALL_NUMBER, st.sampled_from(["=", "<", ">=", "<>", "IS", "IS NOT"]), SMALL_NUMBER
)
TEXTS_COMPARED = st.builds(
    "{} {} {}".format, SMALL_TEXT, st.sampled_from(["=", "<", "LIKE", "IS", "IN (:c, 'one') OR 'a' ="]), SMALL_TEXT
)
SMALL_CONDITION = NUMBERS_COMPARED | TEXTS_COMPARED
WHERE = st.just("") | st.builds(" WHERE {}".format, SMALL_CONDITION)
RETURNING = st.sampled_from(["", "", " RETURNING code", " RETURNING *", " RETURNING label AS l, amount + 1"])


@st.composite
def selects(draw: st.DrawFn) -> str:
    results = ", ".join(draw(st.lists(ANY, min_size=1, max_size=3)))
    where = draw(st.just("") | st.builds(" WHERE {}".format, CONDITION))
    order = draw(
        st.sampled_from(["", "", " ORDER BY id", " ORDER BY id DESC LIMIT 3", " ORDER BY id LIMIT 5 OFFSET 2"])
    )
    return f"SELECT {results} FROM t{where}{order}"


@st.composite
def aggregates(draw: st.DrawFn) -> str:
    counted = st.builds(
        "{}({}){}".format,
        st.sampled_from(["sum", "avg", "min", "max", "count", "total"]),
        NUMBER,
        st.just("") | st.builds(" FILTER (WHERE {})".format, CONDITION),
    ) | st.builds(
        "{} ORDER BY id)".format, st.sampled_from(["group_concat(s, '-'", "json_group_array(j", "group_concat(j"])
    )
    results = ", ".join(draw(st.lists(counted, min_size=1, max_size=2)))
    key = draw(st.sampled_from(["f", "g", "substr(s, 1, 1)", "i > 0", "date(at)"]))
    having = draw(st.just("") | st.sampled_from([" HAVING count(*) > 1", " HAVING max(j) > :a"]))
    return f"SELECT {key}, {results} FROM t WHERE id < 7 GROUP BY {key}{having}"


@st.composite
def joins(draw: st.DrawFn) -> str:
    join = draw(st.sampled_from(["JOIN p ON j = code", "LEFT JOIN p ON j = code AND amount > :a", "CROSS JOIN p"]))
    return f"SELECT id, code, {draw(SMALL_TEXT)}, {draw(SMALL_NUMBER)} FROM t {join}{draw(WHERE)}"


@st.composite
def inserts(draw: st.DrawFn) -> str:
    verb = draw(st.sampled_from(["INSERT INTO", "INSERT OR IGNORE INTO", "INSERT OR REPLACE INTO", "REPLACE INTO"]))
    code = draw(st.sampled_from(["1", "7", "200", ":a", "NULL"]))
    label = draw(st.sampled_from(["'x'", ":c", "NULL", "'a' || :d"]))
    amount = draw(st.sampled_from(["1", ":b", "NULL", "2 + 3"]))
    conflict = ""
    if verb == "INSERT INTO":
        conflict = draw(
            st.sampled_from(["", " ON CONFLICT DO NOTHING", " ON CONFLICT (code) DO NOTHING"])
            | st.builds(
                " ON CONFLICT (code) DO UPDATE SET amount = {}, label = {}".format,
                st.sampled_from(["excluded.amount", "p.amount + 1", "amount + excluded.amount", ":b"]),
                st.sampled_from(["excluded.label", "label || '!'", ":d", "NULL"]),
            )
        )
    return f"{verb} p (code, label, amount) VALUES ({code}, {label}, {amount}){conflict}{draw(RETURNING)}"


@st.composite
def replacements(draw: st.DrawFn) -> str:
    """Into the table of several keys; rows that are in each other's way PostgreSQL refuses."""
    row = st.builds(
        "({}, {}, {}, {}, {})".format,
        st.sampled_from(["1", "2", "9", ":a"]),
        st.sampled_from(["'a'", "'b'", "'x'", ":c", "NULL", "'a' || :d"]),
        st.sampled_from(["1", "2", ":b", "NULL", "1 + 1"]),
        st.sampled_from(["1", "2", "7"]),
        st.sampled_from(["'other'", ":d", "NULL"]),
    )
    rows = ", ".join(draw(st.lists(row, min_size=1, max_size=2)))
    returning = draw(st.sampled_from(["", " RETURNING id", " RETURNING *"]))
    return f"{draw(st.sampled_from(['REPLACE', 'INSERT OR REPLACE']))} INTO k VALUES {rows}{returning}"


@st.composite
def changes(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        return f"DELETE FROM p{draw(WHERE)}{draw(RETURNING)}"
    sets = f"label = {draw(SMALL_TEXT)}, amount = {draw(SMALL_NUMBER)}"
    return f"UPDATE p SET {sets}{draw(WHERE)}{draw(RETURNING)}"


INNER = st.sampled_from(
    [
        "code = t.j",
        "p.code = id",
        "label = s AND amount < i",
        "code IN (SELECT id FROM t AS u WHERE u.j = code)",
        "i > :a",
    ]
)
NESTED = st.one_of(
    st.builds("EXISTS (SELECT * FROM p WHERE {})".format, INNER),
    st.builds("j NOT IN (SELECT amount FROM p WHERE amount IS NOT NULL AND {})".format, INNER),
    st.builds("(SELECT max(amount) FROM p WHERE {}) > j".format, INNER),
)


SOURCES = ["t", "t AS x JOIN t USING (id)", "(SELECT * FROM t WHERE id > 3) AS t", "t, (SELECT 1 AS one) AS o"]


@st.composite
def nested(draw: st.DrawFn) -> str:
    source = draw(
        st.sampled_from(
            ["t", "t AS x JOIN t USING (id)", "(SELECT * FROM t WHERE id > 3) AS t", "t, (SELECT 1 AS one) AS o"]
        )
    )
    results = draw(st.sampled_from(["t.id, s AS i", "T.*", "*", "t.id AS s, t.s AS id", "t.j, (SELECT 5) AS five"]))
    order = draw(st.sampled_from(["", " ORDER BY t.id", " ORDER BY id, t.j DESC", " ORDER BY 1", " ORDER BY s, t.id"]))
    both = draw(st.sampled_from(["AND", "OR"]))
    return f"SELECT {results} FROM {source} WHERE {draw(NESTED)} {both} {draw(CONDITION)}{order}"


@st.composite
def recursions(draw: st.DrawFn) -> str:
    """Numbers that end, and a walk through p; statements without a table."""
    first = draw(st.sampled_from(["SELECT 1", "SELECT code FROM p WHERE code < 3", "VALUES (1), (5)", "SELECT :a"]))
    union = draw(st.sampled_from(["UNION", "UNION ALL"]))
    step = draw(st.sampled_from(["n + 1", "n * 2 + 1", "n + (SELECT count(*) FROM p)", "n - -2"]))
    source = draw(st.sampled_from(["c", "c JOIN p ON code = n", "c LEFT JOIN p ON amount = n"]))
    result = draw(st.sampled_from(["n", "n, n * 2", "count(*), max(n)", "*"]))
    order = draw(st.sampled_from(["", " ORDER BY n", " ORDER BY n DESC LIMIT 3"])) if "(" not in result else ""
    recursive = f"WITH RECURSIVE c(n) AS ({first} {union} SELECT {step} FROM {source} WHERE n < 40)"
    return f"{recursive} SELECT {result} FROM c{order}"


@st.composite
def tableless(draw: st.DrawFn) -> str:
    items = ["1", "-7 / 2", "'a' || :c", "NULL", "5 > 3", "CAST(:d AS INTEGER)", "x'00ff'", "2.5 * 2", "abs(-3)"]
    rows = [", ".join(draw(st.lists(st.sampled_from(items), min_size=2, max_size=2))) for _ in range(2)]
    values = f"VALUES ({rows[0]}), ({rows[1]})"
    filtered = f"SELECT column2 FROM ({values}) AS v WHERE column1 IS NOT NULL"
    return draw(st.sampled_from([f"SELECT {rows[0]}", values, f"SELECT {rows[0]} UNION SELECT {rows[1]}", filtered]))


@st.composite
def made(draw: st.DrawFn) -> str:
    """Of few rows: one that PostgreSQL refuses would hide the others."""
    return (
        f"SELECT id, {draw(MADE | WALKED)} FROM t WHERE id IN ({draw(st.integers(1, 12))}, {draw(st.integers(1, 12))})"
    )


UUIDS = ["'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000ABCDEF'", "'x'", "NULL"]
MOMENTS = ["'2024-01-01 10:00:00'", "'2024-01-01'", "'2024-10-27T02:30:00.000Z'", "''", "datetime('now')"]
TIMED = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["at", "z", "made"]), st.sampled_from(["<", ">=", "=", "<>", "IS"]),
              st.sampled_from([*MOMENTS, "at", "z", "made", ":e"])),
    st.builds("uid {} {}".format, st.sampled_from(["=", "<", ">=", "IS NOT", "LIKE"]), st.sampled_from([*UUIDS, ":f"])),
    st.builds("(made, id) {} ({}, {})".format, st.sampled_from(["<", ">", "=", ">=", "<>"]),
              st.sampled_from([*MOMENTS, ":g"]), st.sampled_from(["3", ":a", "active"])),
    st.builds("{} IN ({}, {})".format, st.sampled_from(["at", "z", "uid"]), st.sampled_from(MOMENTS),
              st.sampled_from([*UUIDS, *MOMENTS])),
    st.builds("{}({}) {} {}".format, st.sampled_from(["date", "datetime", "length", "upper"]),
              st.sampled_from(["at", "z", "made", "uid"]), st.sampled_from(["<", "="]), st.sampled_from(MOMENTS)),
)  # fmt: skip


@st.composite
def timed(draw: st.DrawFn) -> str:
    """Over the columns that an idiomatic plan makes of texts, and a name under NOCASE."""
    where = f"{draw(TIMED)} {draw(st.sampled_from(['AND', 'OR']))} {draw(TIMED)}"
    key = draw(st.sampled_from(["at", "z", "kind", "uid", "active", "made, kind", "date(at)"]))
    counted = draw(st.sampled_from(["count(DISTINCT kind)", "max(at)", "min(z)", "min(uid)", "sum(DISTINCT price)"]))
    shown = draw(
        st.sampled_from(["id, at", "DISTINCT z", "id, substr(uid, 25)", "DISTINCT active, made", "id, z || at"])
    )
    order = draw(st.sampled_from(["", " ORDER BY at, id", " ORDER BY z DESC, id", " ORDER BY uid, id"]))
    order = order if "id," in shown else ""
    added = draw(st.sampled_from(["sum", "total", "avg", "max"]))
    moment, uid = draw(st.sampled_from(MOMENTS)), draw(st.sampled_from(UUIDS))
    statements = [
        f"SELECT {shown} FROM e WHERE {where}{order}",
        f"SELECT count(*), {counted} FROM e WHERE {where} GROUP BY {key}",
        f"SELECT s - 1, s FROM (SELECT active, {added}(DISTINCT price) AS s FROM e WHERE {where} GROUP BY {key}) AS x "
        "WHERE s > 2 OR active",
        f"UPDATE e SET at = {moment}, uid = {uid} WHERE {where}",
        f"INSERT INTO e (id, uid, active, price) VALUES (9, {uid}, :a, 1.5) "
        "ON CONFLICT (uid) WHERE active = 1 DO UPDATE SET price = excluded.price RETURNING id",
    ]
    return draw(st.sampled_from(statements))


FRAMES = [
    *("", " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " ROWS 1 PRECEDING EXCLUDE CURRENT ROW"),
    " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES",
]


@st.composite
def rows(draw: st.DrawFn) -> str:
    """Row values, NATURAL JOIN, windows, long chains."""
    left = draw(st.sampled_from(["(code, label)", "(amount, code)", "(label, amount)"]))
    one, two = draw(SMALL_NUMBER | SMALL_TEXT), draw(SMALL_NUMBER | SMALL_TEXT)
    compared = f"{left} {draw(st.sampled_from(['=', '<', '>=', '<>', 'IS', '>']))} ({one}, {two})"
    among = f"{left} {draw(st.sampled_from(['IN', 'NOT IN']))} (VALUES ({one}, {two}), (1, NULL))"
    condition = draw(st.sampled_from([compared, among, f"code IN (VALUES (1), ({one}))"]))
    word, last = draw(st.sampled_from(["OR", "AND"])), draw(SMALL_CONDITION)
    window = draw(st.sampled_from(["ntile(3)", "nth_value(label, 2)", "sum(amount)", "first_value(code)"]))
    added = draw(st.sampled_from(["sum", "avg", "total", "min", "count"]))
    statements = [
        f"SELECT code, {condition} FROM p WHERE {f' {word} '.join([last] * 40)}",
        f"SELECT code FROM p WHERE {condition} {word} {last}",
        f"SELECT * FROM p NATURAL JOIN (SELECT code, label, id FROM t JOIN p ON j = code) AS q WHERE {condition}",
        f"SELECT code, {window} OVER (PARTITION BY amount > 7 ORDER BY code{draw(st.sampled_from(FRAMES))}) FROM p",
        f"SELECT {added}(DISTINCT {one}) FROM p WHERE {condition}",
    ]
    return draw(st.sampled_from(statements))


WRITTEN = (
    *(selects(), aggregates(), joins(), inserts(), replacements(), changes(), nested()),
    *(recursions(), tableless(), made(), timed(), rows()),
)


@st.composite
def spelt(draw: st.DrawFn) -> str:
    """As authors spell a statement: other cases, comments, no blanks."""
    sql = draw(st.one_of(WRITTEN))
    new = {}
    for token in tokens(sql):
        if token.kind is TokenKind.NAME and draw(st.integers(0, 9)) == 0:
            new[token] = draw(st.sampled_from([token.text.upper(), token.text.title()]))
        elif draw(st.integers(0, 30)) == 0:
            new[token] = draw(
                st.sampled_from([f"{token.text} /* it's 100% :a */ ", f"{token.text} -- ?\n", f" {token.text}"])
            )
    return with_tokens(sql, new)


STATEMENTS = st.one_of(*WRITTEN, spelt())


def arguments_for(rewritten: Rewritten, draw: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """Of the types that are expected; SQLite wants a value for every name in the statement."""
    assert rewritten.rendered
    found = {
        str(item.source): draw(VALUES[rewritten.expects.get(item.target)]) for item in rewritten.rendered.arguments
    }
    return {name: found.get(name) for name in "abcdefg"}


def _as_written(statement: SourceStatement, rewritten: Rewritten) -> bool:
    """Whether nothing but the placeholders is different."""
    assert rewritten.output is not None
    names = re.sub(r"%\(([a-g])\)s", r":\1", rewritten.output)
    return statement.text in (names, names.replace("%%", "%"))


def test_any_statement(embedded_server: servers.Server, figure: Callable[[str, str], None]) -> None:
    counted: Counter[str] = Counter()
    seconds: list[float] = []

    @settings(max_examples=ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STATEMENTS, st.data())
    def try_one(sql: str, data: st.DataObject) -> None:
        [statement] = split(sql)
        started = time.perf_counter()
        rewritten = rewrite(statement, TABLES, Driver.PSYCOPG, "test")
        seconds.append(time.perf_counter() - started)
        counted["statements"] += 1
        counted["as written"] += rewritten.output is not None and _as_written(statement, rewritten)
        assert not any(finding.rule == "defect" for finding in rewritten.findings)
        if rewritten.rendered is None:
            counted["declined"] += 1
            return
        arguments = arguments_for(rewritten, lambda values: data.draw(st.sampled_from(values)))
        agreed = both.agree_on_statement(statement.text, arguments, rewritten)
        counted["equal" if agreed else "refused by PostgreSQL"] += 1

    with servers.fresh_database(embedded_server) as url, engines(url) as both:
        both.postgres.execute(PACK.encode())
        try_one()
    assert counted["equal"] > ROUNDS / 4
    figure("Statements on both engines", ", ".join(f"{number:,} {what}" for what, number in sorted(counted.items())))
    figure("Statements rewritten per second", f"{len(seconds) / sum(seconds):,.0f}")
