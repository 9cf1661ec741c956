"""SQLite itself is the oracle: it creates the tables, and its PRAGMAs must say what the definitions say."""

from __future__ import annotations

import contextlib
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.core.sql.definitions import (
    CheckDefinition,
    DefinitionError,
    ForeignKeyDefinition,
    IndexedColumn,
    TableDefinition,
    read_index,
    read_table,
    read_view,
)
from migrator.core.sql.lexer import LexError, tokens

TABLES = [
    "CREATE TABLE t(a)",
    'CREATE TABLE "x"(a,b)',
    "CREATE TABLE 'single'('q' INT, \"d\"\"d\" TEXT, [b r] , `t``t` VARCHAR(10, 2), ünï DECIMAL(-1,+2), c$d)",
    "CREATE TABLE IF NOT EXISTS t(i INTEGER PRIMARY KEY AUTOINCREMENT, n TEXT COLLATE NOCASE NOT NULL DEFAULT 'i''s')",
    "CREATE TABLE t(a INTEGER PRIMARY KEY DESC, b DEFAULT -1, c DEFAULT (1+(2)), d DEFAULT + 1.5e3, e DEFAULT x'AB')",
    "CREATE TABLE t(a DEFAULT CURRENT_TIMESTAMP, b DEFAULT true, c DEFAULT \"str\", d DEFAULT NULL, e DEFAULT 1_000)",
    "CREATE TABLE t(a INT CHECK (a > 0) CHECK(a<9), b CONSTRAINT named CHECK (b IN (1,')')), CONSTRAINT z CHECK(a<b))",
    "CREATE TABLE t(a INT, b INT GENERATED ALWAYS AS (a * (2 + 1)) STORED, c AS (a || ')') VIRTUAL, d AS (a) NOT NULL)",
    "CREATE TABLE t(a GENERATED, b generated always as (a))",
    "CREATE TABLE t(a INT, b INT, PRIMARY KEY(b COLLATE NOCASE DESC, a) ON CONFLICT REPLACE) WITHOUT ROWID, STRICT",
    "CREATE TABLE t(a INT NOT NULL ON CONFLICT IGNORE UNIQUE ON CONFLICT REPLACE, b, UNIQUE(a, b) ON CONFLICT FAIL)",
    "CREATE TABLE t(a, b, CONSTRAINT u UNIQUE(a) CONSTRAINT c CHECK(a) ON CONFLICT ABORT UNIQUE(b))",
    "CREATE TABLE t(id INTEGER, PRIMARY KEY(id AUTOINCREMENT))",
    "CREATE TABLE t(a REFERENCES p ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE t(a INT CONSTRAINT fk REFERENCES p(x) MATCH FULL NOT DEFERRABLE INITIALLY IMMEDIATE REFERENCES q)",
    "CREATE TABLE t(a, b, FOREIGN KEY(a,b) REFERENCES p(x, 'y') ON DELETE NO ACTION, "
    + "CONSTRAINT k FOREIGN KEY(b) REFERENCES t DEFERRABLE)",
    "CREATE TABLE t(a UNSIGNED BIG INT, b DOUBLE PRECISION -- trailing, (comment\n, c /* , */ text) /* no end",
    "CREATE TABLE t(a key, desc2, abort TEXT, replace INT NULL, \"primary\" INT, [check] CHECK([check]>0))",
]  # fmt: skip


@pytest.fixture
def sqlite() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE p(x INTEGER PRIMARY KEY, y)")
    return connection


def created(sqlite: apsw.Connection, sql: str) -> tuple[str, TableDefinition]:
    sqlite.execute(sql)
    name, stored = sqlite.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC").get[0]
    return name, read_table(stored)


@pytest.mark.parametrize("sql", TABLES)
def test_columns_are_sqlites(sqlite: apsw.Connection, sql: str) -> None:
    name, table = created(sqlite, sql)
    rows = sqlite.execute("SELECT name, dflt_value, pk, hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()

    assert table.name == name
    assert [column.name for column in table.columns] == [row[0] for row in rows]
    for column, (_, default, _, hidden) in zip(table.columns, rows, strict=True):
        assert bare(column.default) == bare(default)
        assert hidden == (0 if column.generated is None else 3 if column.stored else 2)
        _, collation, not_null, _, autoincrement = sqlite.column_metadata(None, name, column.name)
        assert (column.collation or "BINARY") == collation
        assert column.not_null == not_null or not column.not_null  # WITHOUT ROWID and STRICT add their own
        assert autoincrement == (column.autoincrement or table.autoincrement)


def bare(default: Any) -> str | None:
    """PRAGMA table_xinfo leaves out the parentheses around a default."""
    if default is None:
        return None
    return str(default[1:-1] if default.startswith("(") else default)


@pytest.mark.parametrize("sql", TABLES)
def test_keys_are_sqlites(sqlite: apsw.Connection, sql: str) -> None:
    name, table = created(sqlite, sql)
    of_column = [column.name for column in table.columns if column.primary_key]
    of_table = [column.name for column in table.primary_key.columns] if table.primary_key else []
    pragma = "SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0 ORDER BY pk"

    assert of_column + of_table == [row[0] for row in sqlite.execute(pragma, (name,))]
    listed = sqlite.execute("SELECT wr, strict FROM pragma_table_list WHERE name = ?", (name,)).get
    assert (table.without_rowid, table.strict) == listed[:2]


@pytest.mark.parametrize("sql", TABLES)
def test_foreign_keys_are_sqlites(sqlite: apsw.Connection, sql: str) -> None:
    name, table = created(sqlite, sql)
    pragma = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
    theirs = [row[1:] for row in sqlite.execute(pragma, (name,))]
    ours = [
        (key.parent, column, key.parent_columns[place] if key.parent_columns else None)
        for key in table.all_foreign_keys
        for place, column in enumerate(key.columns)
    ]

    assert ours == theirs


@pytest.mark.parametrize("sql", TABLES)
def test_a_table_read_twice_is_the_same_without_its_line_breaks(sql: str) -> None:
    tight = " ".join(token.text for token in tokens(sql))

    assert [column.name for column in read_table(tight).columns] == [column.name for column in read_table(sql).columns]


def test_checks_keep_their_text_and_name() -> None:
    table = read_table(TABLES[6])

    assert table.column("A").checks == (
        CheckDefinition("a > 0"),
        CheckDefinition("a<9"),
    )
    assert table.column("b").checks == (CheckDefinition("b IN (1,')')", "named"),)
    assert table.checks == (CheckDefinition("a<b", "z"),)


def test_generated_columns_keep_their_text() -> None:
    table = read_table(TABLES[7])

    assert [column.generated for column in table.columns] == [
        None,
        "a * (2 + 1)",
        "a || ')'",
        "a",
    ]


def test_foreign_keys_keep_name_and_deferral() -> None:
    assert read_table(TABLES[13]).all_foreign_keys == (
        ForeignKeyDefinition(("a",), "p", deferrable=True, initially_deferred=True),
    )
    assert read_table(TABLES[14]).all_foreign_keys == (
        ForeignKeyDefinition(("a",), "p", ("x",), "fk"),
        ForeignKeyDefinition(("a",), "q"),
    )
    assert read_table(TABLES[15]).foreign_keys == (
        ForeignKeyDefinition(("a", "b"), "p", ("x", "y")),
        ForeignKeyDefinition(("b",), "t", (), "k", deferrable=True),
    )


def test_deferral_is_the_one_sqlite_enforces(sqlite: apsw.Connection) -> None:
    sqlite.execute("PRAGMA foreign_keys = on")
    sqlite.execute(TABLES[13])
    sqlite.execute("BEGIN")
    sqlite.execute("INSERT INTO t VALUES(7)")
    with pytest.raises(apsw.ConstraintError):
        sqlite.execute("COMMIT")


def test_conflicts_and_names_of_keys() -> None:
    table = read_table(TABLES[10])
    first = table.column("a")

    assert (first.not_null_conflict, first.unique, first.unique_conflict) == (
        "IGNORE",
        True,
        "REPLACE",
    )
    assert table.unique[0].conflict == "FAIL"
    assert [key.name for key in read_table(TABLES[11]).unique] == ["u", None]
    assert read_table(TABLES[9]).primary_key.columns == (  # type: ignore[union-attr]
        IndexedColumn("b", collation="NOCASE", descending=True),
        IndexedColumn("a"),
    )


def test_create_table_as_select(sqlite: apsw.Connection) -> None:
    _, table = created(sqlite, "CREATE TABLE copy AS SELECT 1 AS \"a b\", x'00' AS b, p.* FROM p")

    assert [column.name for column in table.columns] == ["a b", "b", "x", "y"]


def test_altered_tables(sqlite: apsw.Connection) -> None:
    sqlite.execute("CREATE TABLE t(a INT -- first\n, b)")
    sqlite.execute("ALTER TABLE t ADD COLUMN c TEXT COLLATE nocase DEFAULT 'x'")
    sqlite.execute('ALTER TABLE t RENAME COLUMN a TO "a\'a"')
    table = read_table(sqlite.execute("SELECT sql FROM sqlite_schema WHERE name = 't'").get)

    assert [column.name for column in table.columns] == ["a'a", "b", "c"]
    assert table.column("c").collation == "nocase"


INDEXES = [
    "CREATE INDEX i ON t(a)",
    "CREATE UNIQUE INDEX main.\"i x\" ON [t](a COLLATE NOCASE DESC, 'b' ASC, (c)) WHERE a > 1 AND b <> ')'",
    'CREATE INDEX i ON t(lower(a), a || b COLLATE NOCASE, lower(b) COLLATE nocase DESC, (a+b), -c, "c")',
    "CREATE INDEX i ON t((a COLLATE RTRIM), b ASC, a+1 DESC, (a||b) COLLATE NOCASE, (a)+(b))",
]


@pytest.mark.parametrize("sql", INDEXES)
def test_indexes_are_sqlites(sqlite: apsw.Connection, sql: str) -> None:
    sqlite.execute("CREATE TABLE t(a, b, c)")
    sqlite.execute(sql)
    name, stored = sqlite.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").get
    index = read_index(stored)
    pragma = 'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno'
    theirs = sqlite.execute(pragma, (name,)).fetchall()

    assert (index.name, index.table) == (name, "t")
    assert index.unique == ("UNIQUE" in sql)
    assert [(column.name, column.descending, column.collation or "BINARY") for column in index.columns] == theirs


def test_index_expressions_and_predicate_keep_their_text() -> None:
    assert [column.expression for column in read_index(INDEXES[2]).columns] == [
        "lower(a)",
        "a || b COLLATE NOCASE",
        "lower(b)",
        "a+b",
        "-c",
        None,
    ]
    assert read_index(INDEXES[1]).where == "a > 1 AND b <> ')'"


def test_views() -> None:
    view = read_view('CREATE VIEW IF NOT EXISTS "v"("one", two) AS\n  SELECT 1, \'a;b\' -- end\n;')

    assert (view.name, view.columns, view.select) == (
        "v",
        ("one", "two"),
        "SELECT 1, 'a;b'",
    )
    assert read_view("CREATE TEMP VIEW main.v AS WITH x AS (SELECT 1) SELECT * FROM x").columns == ()


REFUSED = [
    "",
    ";",
    "SELECT 1",
    "CREATE TABLE t",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TABLE t()",
    "CREATE TABLE t(a",
    "CREATE TABLE t(a CHECK (",
    "CREATE TABLE t(a CHECK ())",
    "CREATE TABLE t(a DEFAULT)",
    "CREATE TABLE t(a 'unclosed)",
    "CREATE TABLE t(a) WITHOUT",
    "CREATE TABLE t(a) STRICT STRICT",
    "CREATE TABLE t(a REFERENCES p ON DELETE EXPLODE)",
    "CREATE TABLE t(a DEFERRABLE INITIALLY)",
    "CREATE TABLE t($a)",
    "CREATE VIRTUAL TABLE t USING fts5(a)",
    "CREATE TABLE t(a \x00)",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_the_unreadable_is_refused(sql: str) -> None:
    with pytest.raises(DefinitionError):
        read_table(sql)


def test_an_error_says_what_and_where() -> None:
    with pytest.raises(
        DefinitionError,
        match=r"expected a table constraint, found 'foo' at character 28",
    ):
        read_table("CREATE TABLE t(a, CHECK(1) foo)")


SOUP = st.sampled_from(
    """CREATE TABLE t ( ) , ; a b 'x' "y" [z] 1 2.5 x'00' + - . || COLLATE nocase DEFAULT CHECK NOT NULL PRIMARY KEY
    AUTOINCREMENT UNIQUE ON CONFLICT REPLACE REFERENCES p DELETE SET CASCADE MATCH DEFERRABLE INITIALLY DEFERRED IF NO
    GENERATED ALWAYS AS STORED CONSTRAINT FOREIGN WITHOUT ROWID STRICT INDEX VIEW WHERE SELECT DESC ? $a::b(c) -- /* */
    EXISTS TEMP NULLS FIRST ' " \x00 \u00e4 \ufeff""".split()  # noqa: SIM905
)


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(
        [
            "",
            "CREATE TABLE t(",
            "CREATE TABLE t(a ",
            "CREATE INDEX i ON t(",
            "CREATE VIEW v AS ",
        ]
    ),
    st.lists(SOUP, max_size=25).map(" ".join) | st.text(max_size=30),
)
def test_nothing_but_definition_errors(prefix: str, soup: str) -> None:
    for read in (read_table, read_index, read_view):
        with contextlib.suppress(DefinitionError):
            read(prefix + soup)


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(["a", "a INT", "a, b TEXT"]),
    st.lists(SOUP, max_size=12).map(" ".join),
    st.sampled_from([")", ") STRICT"]),
)
def test_what_sqlite_accepts_is_read(start: str, soup: str, end: str) -> None:
    sqlite = apsw.Connection(":memory:")
    sql = f"CREATE TABLE t({start} {soup}{end}"
    try:
        sqlite.execute(sql)
    except (apsw.Error, ValueError):  # apsw refuses a NUL itself
        return
    name, stored = sqlite.execute("SELECT name, sql FROM sqlite_schema WHERE name = 't'").get
    names = [row[0] for row in sqlite.execute("SELECT name FROM pragma_table_xinfo(?)", (name,))]

    assert [column.name for column in read_table(stored).columns] == names


@given(st.text(alphabet="ab01_.eExX'\"[]`$@:#?-/*|<>=!~ \n\u00e4", max_size=20))
def test_the_lexer_covers_the_text(sql: str) -> None:
    try:
        found = list(tokens(sql))
    except LexError:
        return
    assert all(token.text == sql[token.start : token.end] for token in found)
