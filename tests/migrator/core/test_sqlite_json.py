"""JSON that the function pack changes and walks through is what SQLite makes of it, letter for letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.migrator import servers
from tests.migrator.core.test_sqlite_compat import PACK

NESTED = '{"a":1.50,"b":[1, 2e5,{"\\u0061":[]}],"a":{"a":null},"c d":"x\\u00e9\\/", "": -0.0}'
keys = st.sampled_from(["a", "b", "b c", "", "é", "k1", "\\u0061", "\\u00e9", "1", 'x\\"y', "\\n", "a.b", "[0]"])
atoms = st.sampled_from(
    ["1", "-0", "-0.0", "2.50", "1e5", "1E+2", "0.1", "true", "false", "null", '"x"', '""']
) | st.sampled_from(['"a\\u00e9\\n \\" \\/ {[,:"', "123456789012345678901234567890", '"\U0001f600\\ud83d\\ude00"'])
blanks = st.sampled_from(["", " ", "\n\t", "\r"])


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.builds('{}"{}"{}:{}{}'.format, blanks, keys, blanks, blanks, inner)
    return st.builds("{}[{}{}]".format, blanks, blanks, st.lists(inner, max_size=3).map(" ,".join)) | st.builds(
        "{{{}{}}}{}".format, blanks, st.lists(members, max_size=4).map(", ".join), blanks
    )


documents = st.recursive(atoms, _containers, max_leaves=8)
given_documents = documents | _containers(documents) | st.text('{}[]",:1e-. ', max_size=6)
steps = st.sampled_from([".a", ".b", '."b c"', '.""', ".é", '."é"', ".k1", ".1", '."a.b"', ".new", '."n w"']) | (
    st.sampled_from(["[0]", "[1]", "[2]", "[#]", "[#-1]", "[#-2]", "[#-0]", "[#-9]", "[01]"])
)
NO_PATHS = ("", "a", "$.", "$[", "$[-1]", "$x", "$.a[", "$..a")
paths = st.lists(steps, max_size=3).map(lambda found: "$" + "".join(found)) | st.sampled_from([None, *NO_PATHS])


@pytest.fixture(scope="module", params=["embedded", "debian"])
def postgres(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PACK.encode())
        yield connection


def agree(postgres: psycopg.Connection[Any], ours: str, theirs: str, arguments: Sequence[Any], document: str) -> None:
    """The same rows, or an error on both sides.

    What SQLite takes for JSON5 PostgreSQL refuses, and so it does what is no path where SQLite does not look at it.
    """
    sqlite = apsw.Connection(":memory:")
    try:
        wanted = sqlite.execute(ours, arguments).fetchall()
    except apsw.SQLError:
        wanted = None
    try:
        found = postgres.execute(theirs.encode(), arguments).fetchall()
    except psycopg.DataError:
        is_valid = sqlite.execute("SELECT json_valid(?)", (document,)).get
        assert wanted is None or not is_valid or not set(arguments).isdisjoint(NO_PATHS), (theirs, arguments)
    else:
        assert found == wanted, (theirs, arguments)


def call(function: str, *marks: str) -> str:
    return f"SELECT {function}({', '.join(marks)})"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["json_set", "json_insert", "json_replace"]),
    given_documents,
    st.lists(st.tuples(paths, documents), max_size=3),
)
@example("json_set", NESTED, [("$.x.y[0]", "9"), ("$.b[#]", "[ 1 ]"), ("$.x[1]", "2"), ("$.x.z[#-1]", "2")])
@example("json_set", NESTED, [("$.b[2].a[0]", "true"), ("$.x\ty", "1"), ("$.x\ty.a.b", "null")])
@example("json_insert", NESTED, [("$", "5"), ("$.b[3]", "5"), ("$.b[5]", "5"), ("$.a", "5")])
@example("json_replace", NESTED, [("$", "[5]"), ("$[0]", '{"a": 6}'), ("$[0].b", "5")])
@example("json_set", "[]", [("$[0]", "1"), ("$[#]", "2"), ("$[#-1]", "3"), ("$[#-2]", "4")])
def test_changed(
    postgres: psycopg.Connection[Any], function: str, document: str, pairs: list[tuple[str | None, str]]
) -> None:
    arguments = [document, *(given for pair in pairs for given in pair)]
    ours = call(function, "?", *["?", "json(?)"] * len(pairs))
    theirs = call(f"sqlite.{function}", "%s", *["%s", "sqlite.json_part(%s)"] * len(pairs))
    agree(postgres, ours, theirs, arguments, document)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents, st.lists(paths, max_size=3))
@example(NESTED, ["$.a", "$.a", "$.b[0]", "$.b[0]"])
@example(NESTED, ["$", "bad"])
@example(NESTED, ["$.zz", None])
@example(NESTED, ["$.b[#-1].a", "$.b[#]", '$.""'])
def test_removed(postgres: psycopg.Connection[Any], document: str, removed: list[str | None]) -> None:
    marks = len(removed) + 1
    theirs = call("sqlite.json_remove", *["%s"] * marks)
    agree(postgres, call("json_remove", *"?" * marks), theirs, [document, *removed], document)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents | st.just(NESTED), _containers(documents) | documents | st.none())
@example(NESTED, '{"\\u0061": 2, "new": 1, "new": {"x": null, "y": {"z": null}}, "b": {"q": [null]}, "c d": null}')
@example('{"a": 1, "a": 2}', '{"a": null, "a": null, "a": null, "a": 3}')
@example("[1]", '{"b": {"x": 1, "n": null}}')
@example("{", None)
def test_patched(postgres: psycopg.Connection[Any], document: str, patch: str | None) -> None:
    theirs = call("sqlite.json_patch", "%s", "%s")
    agree(postgres, call("json_patch", "?", "?"), theirs, (document, patch), document)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents, st.sampled_from([None, "", "  ", "\t", "é"]))
def test_pretty(postgres: psycopg.Connection[Any], document: str, indent: str | None) -> None:
    theirs = call("sqlite.json_pretty", "%s", "%s")
    agree(postgres, call("json_pretty", "?", "?"), theirs, (document, indent), document)


@pytest.mark.parametrize("table", ["json_each", "json_tree"])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents)
@example(NESTED)
def test_walked_through(postgres: psycopg.Connection[Any], table: str, document: str) -> None:
    """In SQLite's order. Keys and values are JSON in the pack: what they are the rewriting asks for."""
    ours = (
        "SELECT json_quote(key), type, json_quote(value), CASE WHEN atom IS NOT NULL THEN json_quote(atom) END,"
        f" fullkey, path FROM {table}(?)"
    )
    theirs = (
        "SELECT sqlite.json_taken(key), type, sqlite.json_taken(value),"
        " CASE WHEN atom <> 'null' THEN sqlite.json_taken(atom) END, fullkey, path"
        f" FROM sqlite.{table}(%s)"
    )
    try:
        agree(postgres, ours, theirs, (document,), document)
    except AssertionError:
        # An integer of more than 64 bits is a REAL in SQLite, and an error here.
        if "1234567890123456789" not in document:
            raise


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents, paths.filter(lambda path: path is not None))
def test_a_tree_behind_a_path(postgres: psycopg.Connection[Any], document: str, path: str) -> None:
    ours = "SELECT type, CASE WHEN type IN ('array', 'object') THEN value END FROM json_tree(?, ?)"
    theirs = (
        "SELECT type, CASE WHEN type IN ('array', 'object') THEN value END"
        " FROM sqlite.json_tree(%s, VARIADIC sqlite.json_steps(%s))"
    )
    agree(postgres, ours, theirs, (document, path), document)


reals = st.one_of(
    st.builds(lambda digits, power: float(f"{digits}e{power}"), st.integers(-(10**13), 10**13), st.integers(-320, 300)),
    st.builds(lambda whole, places: whole / 10**places, st.integers(-(10**13), 10**13), st.integers(0, 16)),
    st.sampled_from([0.0, -0.0, 0.1, 1e-4, 1e-5, 1e14, 1e15, 1e16, 1e17, 1e22, 5e-324, 1 / 3, float("inf"), 2.5e-310]),
    st.floats(allow_nan=False),
)


@settings(max_examples=500, deadline=None)
@given(reals)
def test_reals(postgres: psycopg.Connection[Any], number: float) -> None:
    """Spelt as SQLite does, or refused."""
    try:
        row = postgres.execute("SELECT sqlite.json_quote_real(%s::float8)", (number,)).fetchone()
    except psycopg.DataError:
        digits = repr(abs(number)).split("e")[0].replace(".", "").strip("0")
        assert len(digits) > 13 or not 0.001 <= abs(number) < 1e15
    else:
        assert row == (apsw.Connection(":memory:").execute("SELECT json_quote(?)", (number,)).get,)
