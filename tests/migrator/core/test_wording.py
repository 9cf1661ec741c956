"""The author's words stay where PostgreSQL understands them as the translation; elsewhere the translation stands."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.core.sql.placeholders import Driver
from migrator.core.sql.postgres_statements import read_statement
from migrator.core.sql.postgres_tokens import FREE, KEYWORDS, NEED_AS, Unreadable, pg_tokens
from migrator.core.sql.rewriting import rewrite
from migrator.core.sql.split import split
from migrator.core.sql.wording import printed, same, worded
from tests.migrator import servers
from tests.migrator.core.test_placeholders import execute
from tests.migrator.core.test_statements import TABLES


@pytest.fixture(scope="module", params=["embedded", "debian"])
def postgres(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[tuple[str, ...]]]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, psycopg.connect(url, autocommit=True) as connection:
        yield connection


def output_of(sql: str, driver: Driver = Driver.PSYCOPG) -> str | None:
    [statement] = split(sql)
    return rewrite(statement, TABLES, driver, "test").output


KEPT = [
    "SELECT id,\n       s -- the text's name\n  FROM t\n WHERE i = ? /* 100% */ AND (s = 'it''s' OR f)",
    "select Id, T.S from T where I=? and (J<>3 or not f) and s is not null order by ID desc limit 10",
    'SELECT "order" FROM "t" AS x WHERE x.i IN (1, 2) AND i NOT IN (?, 4) AND i BETWEEN 1 AND j',
    "SELECT p.label FROM p INNER JOIN t ON t.j = p.code LEFT OUTER JOIN t AS u ON u.id = p.code WHERE u.id IS NULL",
    "SELECT label FROM p, t WHERE code = id",
    "SELECT label FROM p CROSS JOIN t",
    "SELECT a.id FROM t AS a, t AS b WHERE a.id = b.j AND a.s = ?",
    "SELECT * FROM t WHERE id = ?",
    "SELECT label FROM p WHERE EXISTS (SELECT * FROM t WHERE j = code AND label = s)",
    "SELECT label, amount FROM p UNION ALL SELECT s, i FROM t",
    "SELECT label, count(*) AS n FROM p GROUP BY label HAVING count(*) > ?",
    "SELECT CASE WHEN amount > 1 THEN 'many' ELSE label END AS kind FROM p",
    "WITH x AS (SELECT code FROM p WHERE amount > ?) SELECT t.s FROM t JOIN x ON x.code = t.id",
    "SELECT replace(label, 'a', 'b') AS l, coalesce(label, 'none') AS m, label || '!' AS k, amount + 1 AS n FROM p",
    "insert into p (code, label) values (?, 'x'), (2, null)",
    "INSERT INTO p (code) VALUES (?) ON CONFLICT (code) DO NOTHING",
    "UPDATE p SET label = ?, amount = amount - (code + ?) WHERE code = ?",
    "DELETE FROM p WHERE code = ? RETURNING label",
]


@pytest.mark.parametrize("sql", KEPT)
def test_what_postgresql_understands_alike_is_kept(sql: str) -> None:
    assert output_of(sql) == (sql.replace("%", "%%").replace("?", "%s") if "?" in sql else sql)


CHANGED = {
    "SELECT Count(*) FROM p -- all\n WHERE label == 'x'": (
        "SELECT Count(*) AS \"Count(*)\" FROM p -- all\n WHERE label = 'x'"
    ),
    "SELECT `label`, [amount] FROM p WHERE label = \"none\"": "SELECT label, amount FROM p WHERE label = 'none'",
    "SELECT label FROM p /* by */ ORDER BY label, code": (
        "SELECT label FROM p /* by */ ORDER BY label NULLS FIRST, code"
    ),
    "SELECT ifnull(label, 'x') AS l FROM p LIMIT 2, 5": "SELECT COALESCE(label, 'x') AS l FROM p LIMIT 5 OFFSET 2",
    "SELECT label FROM p WHERE amount AND (f OR label LIKE 'a%') AND 1": None,
    "SELECT label FROM p WHERE amount AND code = ?": "SELECT label FROM p WHERE amount <> 0 AND code = %s",
    "SELECT label FROM p WHERE NOT amount": "SELECT label FROM p WHERE NOT amount <> 0",
    "SELECT amount%-2 AS m FROM p": "SELECT amount % -2 AS m FROM p",
    "SELECT label FROM p LIMIT?": "SELECT label FROM p LIMIT %s",
    "SELECT id FROM t WHERE f = 1 AND s = ?": "SELECT id FROM t WHERE f AND s = %s",
    'SELECT id AS "user", s AS year FROM t': 'SELECT id AS "user", s AS year FROM t',
    "with x(n) as (select code from p) select n -- all\n from x where n > ?": (
        "with x AS (SELECT code AS n FROM p) select n -- all\n from x where n > %s"
    ),
    "SELECT id year FROM t": 'SELECT id AS year FROM t',
    "INSERT INTO p VALUES (1, ?, 3)": "INSERT INTO p (code, label, amount) VALUES (1, %s, 3)",
    "INSERT OR IGNORE INTO p (code) /* once */ VALUES (?)": (
        "INSERT INTO p (code) /* once */ VALUES (%s) ON CONFLICT DO NOTHING"
    ),
    "SELECT id FROM t /* a /* b */ WHERE i = 1": "SELECT id FROM t WHERE i = 1",
    "SELECT s AS id FROM t ORDER BY t.id": "SELECT s AS id FROM t ORDER BY t.id",
    f"SELECT CASE WHEN i > 0 THEN s ELSE {'s || ' * 20} CAST(id AS TEXT) END FROM t ORDER BY id": (
        f"SELECT CASE WHEN i > 0 THEN s ELSE {'s || ' * 20} CAST(id AS TEXT) END FROM t ORDER BY t.id"
    ),
    "SELECT (SELECT t.id FROM p WHERE code = t.id) AS x FROM t LIMIT 1": (
        "SELECT (SELECT t.id FROM p WHERE code = t.id LIMIT 1) AS x FROM t LIMIT 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("sql", CHANGED)
def test_only_the_rest_is_changed(sql: str) -> None:
    assert output_of(sql) == CHANGED[sql]


def test_comments_are_nobodys_placeholders(postgres: psycopg.Connection[tuple[str, ...]]) -> None:
    url = f"postgresql://postgres@/{postgres.info.dbname}?host={postgres.info.host}"
    sql = "SELECT /* it's 100% :a */ 1 + ? AS n -- 'one :b'\n WHERE 'x' = 'x' -- \\:c ::d"
    for driver in Driver:
        [statement] = split(sql)
        found = rewrite(statement, TABLES, driver, "test").rendered
        assert found is not None
        assert "it's 100%" in found.sql
        row, names = execute(driver, url, found, [2])
        assert (row[0][0] if isinstance(row[0], tuple) else row[0], names) == (3, ["n"])


def test_keywords_are_the_servers(postgres: psycopg.Connection[tuple[str, ...]]) -> None:
    """A later server may have more of them: none of its keywords may be taken for a name."""
    rows = postgres.execute("SELECT word, catcode::text, barelabel FROM pg_get_keywords()").fetchall()
    assert {word for word, category, _ in rows if category != "U"} <= KEYWORDS
    assert {word for word, category, bare in rows if category == "U" and not bare} <= NEED_AS | KEYWORDS


TREES = [
    "SELECT a, b::text COLLATE \"C\" FROM t WHERE NOT (a OR b) AND - (- a) > (b - (c - d)) || 'x'",
    "SELECT (a = b) = c, (a < b) IS NULL, (a IS NULL) = b, (a, b) = (c, d), a IN (1), (a IN (1)) IN (2)",
    "SELECT CASE a WHEN 1 THEN 2 END, count(DISTINCT a) OVER (PARTITION BY b ORDER BY c DESC ROWS UNBOUNDED PRECEDING)",
    "SELECT (-5)::text, - 5::text, (a AND b) OR c, a AND (b OR c), a AND (b AND c), (a + b) * c, a || (b || c)",
    "SELECT a BETWEEN (b = c) AND d, NOT a BETWEEN b AND c, a NOT LIKE b ESCAPE '!', (a LIKE b) LIKE c",
    'SELECT "a"."b", "a""b"."c.d", "user", t.*, x AT TIME ZONE \'UTC\', extract(epoch FROM y), ~ (a + b)',
    'INSERT INTO t AS x (a) SELECT 1 UNION (SELECT 2) ON CONFLICT (a) DO UPDATE SET a = excluded.a WHERE t.b <> 1',
]  # fmt: skip


@pytest.mark.parametrize("sql", TREES)
def test_what_is_printed_is_read_as_the_same(sql: str, postgres: psycopg.Connection[tuple[str, ...]]) -> None:
    if "UNION (" in sql:
        with pytest.raises(Unreadable):
            read_statement(sql)
        return
    tree = read_statement(sql)
    again = printed(tree)
    assert same(read_statement(again), tree)
    assert printed(read_statement(again)) == again


DIFFERENT = [
    ("SELECT a - (b - c)", "SELECT a - b - c"),
    ("SELECT NOT (a = b)", "SELECT (NOT a) = b"),
    ("SELECT -a::text", "SELECT (-a)::text"),
    ("SELECT a OR b AND c", "SELECT (a OR b) AND c"),
    ("SELECT a FROM t", "SELECT DISTINCT a FROM t"),
    ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"),
    ("SELECT a FROM t", "SELECT a AS b FROM t"),
    ("SELECT a FROM t", 'SELECT "A" FROM t'),
    ("SELECT user FROM t", 'SELECT "user" FROM t'),
    ("SELECT a.b FROM t", 'SELECT "c"."b" FROM t'),
    ("SELECT b FROM t", 'SELECT "c"."b" FROM t'),
    ("SELECT 'a'", "SELECT 'A'"),
    ("SELECT 1", "SELECT 1.0"),
    ("SELECT a FROM t, u LEFT JOIN v ON x", "SELECT a FROM t CROSS JOIN u LEFT JOIN v ON x"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_is_not_the_same(one: str, other: str) -> None:
    assert not same(read_statement(one), read_statement(other))
    assert same(read_statement(worded(one, other)), read_statement(other))


def test_a_name_marked_as_free_may_lose_its_table() -> None:
    wanted = read_statement(f'SELECT {FREE}"c"."b"')
    assert same(read_statement("SELECT b"), wanted)
    assert same(read_statement("SELECT C.B"), wanted)
    assert not same(read_statement("SELECT d.b"), wanted)


UNREADABLE = [
    *("SELECT e'a'", "SELECT U&'a'", "SELECT 'a' 'b'", "SELECT 1a", "SELECT 0x10", "SELECT /* a", "SELECT $$a$$"),
    *("SELECT a b c", "SELECT", "", "SELECT (1", "SELECT 1)", "SELECT a FROM", "SELECT a < b < c", "SELECT [a]"),
]


@pytest.mark.parametrize("sql", UNREADABLE)
def test_what_is_read_in_two_ways_is_refused(sql: str) -> None:
    with pytest.raises(Unreadable):
        read_statement(sql)
    assert worded(sql, 'SELECT "a"') == "SELECT a"


@settings(deadline=None)
@given(st.text("ab1.'\"-/*+%<=(), \n\ue003::eE", max_size=20))
def test_no_text_is_too_strange(text: str) -> None:
    try:
        found = list(pg_tokens(text))
    except Unreadable:
        found = []
    assert all(token.start < token.end for token in found)
    assert worded(text, 'SELECT "a" FROM "t"').replace(" ", "").endswith(("at", "a FROM t".replace(" ", "")))
