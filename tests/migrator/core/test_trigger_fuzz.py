"""Triggers that nobody thought of: those that are carried leave the same rows behind on both engines, or fail on both.

More of them: MIGRATOR_FUZZED_TRIGGERS=2000.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.migrator import servers
from tests.migrator.core.fired import fired

ROUNDS = int(os.environ.get("MIGRATOR_FUZZED_TRIGGERS", "120"))
NAMES = ["zeta", "alpha", "Mid", "nu", "beta"]
COLUMNS = {"a": ["id", "n", "u"], "b": ["id", "a_id", "n"], "c": ["id", "n"], "v": ["id", "n"]}
ACTIONS = st.sampled_from(["CASCADE", "SET NULL", "NO ACTION", "CASCADE"])
OPERATORS = st.sampled_from(["=", "<>", ">", "IS", "IS NOT", "<="])
NUMBERS = st.sampled_from(["0", "1", "2", "3", "NULL"])


def tables(on_delete: str, on_update: str) -> str:
    return f"""
CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER, u INTEGER UNIQUE, t TEXT);
CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER, t TEXT,
                a_id INTEGER REFERENCES a (id) ON DELETE {on_delete} ON UPDATE {on_update});
CREATE TABLE c (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, t TEXT);
CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT, n INTEGER);
CREATE VIEW v AS SELECT id, n, t FROM a;
"""


ROWS = [
    "INSERT INTO a (id, n, u, t) VALUES (1, 0, 5, 'x'), (2, 3, 6, 'y'), (3, NULL, 7, 'z')",
    "INSERT INTO b (id, n, t, a_id) VALUES (1, 1, 'p', 1), (2, 2, 'q', 1), (3, 3, 'r', 2), (4, 0, NULL, NULL)",
    "INSERT INTO c (id, n, t) VALUES (1, 1, 'one'), (2, 0, 'two')",
]


@st.composite
def condition(draw: st.DrawFn, table: str, rows: list[str], queries: bool = True) -> str:
    row, column = draw(st.sampled_from(rows)), draw(st.sampled_from(COLUMNS[table]))
    other = draw(st.sampled_from(["a", "b", "c", "log"]))
    return draw(
        st.sampled_from(
            [
                f"{row}.{column} {draw(OPERATORS)} {draw(NUMBERS)}",
                f"{rows[0]}.n {draw(OPERATORS)} {rows[-1]}.n",
                f"{row}.t LIKE '%x%' OR {row}.n IS NULL",
                *([f"EXISTS (SELECT 1 FROM {other} WHERE n = {row}.{column})"] if queries else []),
                *([f"(SELECT count(*) FROM {other}) > {draw(st.integers(2, 6))}"] if queries else []),
            ]
        )
    )


@st.composite
def step(draw: st.DrawFn, table: str, rows: list[str]) -> str:
    row, column = draw(st.sampled_from(rows)), draw(st.sampled_from(COLUMNS[table]))
    other = draw(st.sampled_from(["a", "b", "c", table if table != "v" else "a"]))
    where = draw(
        st.sampled_from(
            [
                f"id = {row}.id",
                f"id = {row}.{column}",
                f"n = {row}.n",
                f"id > {row}.id",
                "n < 2",
                f"{row}.id = id AND n >= 0",
            ]
        )
    )
    value = draw(st.sampled_from(["n + 1", f"{row}.{column}", "2", f"{row}.n + 1", "(SELECT count(*) FROM log)"]))
    kind = draw(st.integers(0, 11))
    if kind <= 2:
        return f"INSERT INTO log (what, n) VALUES ('{draw(st.sampled_from('ijk'))}' || {row}.id, {row}.{column})"
    if kind == 3:
        return f"INSERT INTO log (what, n) SELECT 's' || {row}.id || t, n FROM {other} WHERE {where} ORDER BY id"
    if kind <= 5 and table != "v":
        sets = draw(st.sampled_from(["t = 'own'", "n = n + 1", "t = t || n"]))
        return f"UPDATE {table} SET {sets} WHERE {draw(st.sampled_from(['id', 'n > 0 AND rowid']))} = {row}.id"
    if kind == 6 and table == "b":
        query = draw(st.sampled_from(["count(*)", "max(n)", "sum(n)"]))
        link = draw(st.sampled_from(["a_id = a.id", f"b.a_id = {row}.a_id"]))
        found = draw(st.sampled_from([f"id = {row}.a_id", f"id IN ({', '.join(f'{name}.a_id' for name in rows)})"]))
        return f"UPDATE a SET n = (SELECT {query} FROM b WHERE {link}) WHERE {found}"
    if kind == 7:
        given_id = draw(st.sampled_from([f"{row}.id", f"{row}.n", "9"]))
        verb = draw(st.sampled_from(["INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE"]))
        conflict = draw(st.sampled_from(["", " ON CONFLICT (id) DO UPDATE SET n = n + 1", " ON CONFLICT DO NOTHING"]))
        return (
            f"{verb} INTO c (id, n, t) VALUES ({given_id}, {row}.{column}, 'c'){conflict if verb == 'INSERT' else ''}"
        )
    if kind == 8:
        raised = draw(st.sampled_from(["ABORT, 'no'", "IGNORE"]))
        return draw(
            st.sampled_from(
                [
                    f"SELECT RAISE({raised}) WHERE {draw(condition(table, rows))}",
                    f"SELECT CASE WHEN {draw(condition(table, rows))} THEN RAISE({raised}) END",
                    f"SELECT RAISE({raised}) FROM {other} WHERE {where}",
                ]
            )
        )
    if kind == 9:
        return f"DELETE FROM {other} WHERE {where}"
    return f"UPDATE {other} SET n = {value} WHERE {where}"


@st.composite
def trigger(draw: st.DrawFn, name: str) -> str:
    table = draw(st.sampled_from(["a", "b", "c", "a", "b", "v"]))
    event = draw(st.sampled_from(["INSERT", "UPDATE", "DELETE"]))
    rows = {"INSERT": ["NEW"], "UPDATE": ["NEW", "OLD"], "DELETE": ["OLD"]}[event]
    time = "INSTEAD OF" if table == "v" else draw(st.sampled_from(["BEFORE", "AFTER", "AFTER"]))
    columns = draw(st.sampled_from(["", "", " OF n", " OF t, n"])) if event == "UPDATE" and table != "v" else ""
    when = f" WHEN {draw(condition(table, rows))}" if draw(st.integers(0, 3)) == 0 else ""
    steps = draw(st.lists(step(table, rows), min_size=1, max_size=2))
    return f"CREATE TRIGGER {name} {time} {event}{columns} ON {table}{when} BEGIN {'; '.join(steps)}; END"


@st.composite
def statement(draw: st.DrawFn) -> str:
    table = draw(st.sampled_from("aabbcv"))
    where = draw(st.sampled_from(["", " WHERE id = 1", " WHERE id > 1", " WHERE n > 0", " WHERE id IN (2, 3, 12)"]))
    kind = draw(st.integers(0, 9))
    if kind >= 8:
        return draw(
            st.sampled_from(
                [f"DELETE FROM a{where}", f"UPDATE a SET id = id + 30{where}", f"UPDATE a SET id = id - 1{where}"]
            )
        )
    if kind <= 1:
        count = draw(st.integers(1, 3))
        ids = draw(st.lists(st.integers(1, 15), min_size=count, max_size=count, unique=True))
        rest = [
            (draw(NUMBERS.filter(lambda n: table != "c" or n != "NULL")), draw(st.sampled_from("xyz"))) for _ in ids
        ]
        verb = draw(st.sampled_from(["INSERT", "INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE"]))
        conflicts = ["", " ON CONFLICT (id) DO UPDATE SET n = excluded.n", " ON CONFLICT DO NOTHING"]
        conflict = draw(st.sampled_from(conflicts)) if verb == "INSERT" and table != "v" else ""
        also, more = (", a_id", [f", {draw(NUMBERS)}" for _ in ids]) if table == "b" else ("", ["" for _ in ids])
        listed = ", ".join(f"({i}, {n}, '{t}'{m})" for i, (n, t), m in zip(ids, rest, more, strict=True))
        return f"{verb} INTO {table} (id, n, t{also}) VALUES {listed}{conflict}"
    if kind == 2:
        source = draw(st.sampled_from("abc"))
        return f"INSERT INTO {table} (id, n, t) SELECT id + 20, COALESCE(n, 1), t FROM {source}{where} ORDER BY id"
    if kind <= 5:
        sets = ["n = n + 1", "t = t || 'x'", "n = 2, t = 'two'", "n = (SELECT count(*) FROM log)", "id = id + 30"]
        return f"UPDATE {table} SET {draw(st.sampled_from(sets))}{where}"
    return f"DELETE FROM {table}{where}"


def test_any_triggers(embedded_server: servers.Server, figure: Callable[[str, str], None]) -> None:
    counted: Counter[str] = Counter()

    @settings(max_examples=ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def try_some(data: st.DataObject) -> None:
        count = data.draw(st.integers(1, 4))
        triggers = [data.draw(trigger(name)) for name in NAMES[:count]]
        script = tables(data.draw(ACTIONS), data.draw(ACTIONS)) + "".join(f"{text};\n" for text in triggers)
        statements = data.draw(st.lists(statement(), min_size=3, max_size=8))
        with fired(postgres, script, ROWS, only_carried=True) as both:
            counted["triggers"] += count
            counted["triggers carried"] += len(both.carried)
            if not both.carried:
                return
            for sql in statements:
                counted[f"statements {both.agree(sql)}"] += 1

    with (
        servers.fresh_database(embedded_server) as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as postgres,
    ):
        postgres.execute("SET client_min_messages TO error")
        try_some()
    assert counted["triggers carried"] > counted["triggers"] / 4
    assert counted["statements equal"] > ROUNDS
    figure("Triggers on both engines", ", ".join(f"{number:,} {what}" for what, number in sorted(counted.items())))
