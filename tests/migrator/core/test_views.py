"""Views on both engines: the same rows, the same kinds, floats within 1e-9; all else is declined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.core.model import Affinity
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from migrator.core.sql.views import translate_view
from tests.migrator import servers
from tests.migrator.core.engines import TABLES, Engines, engines


@pytest.fixture(scope="module", params=["embedded", "debian"])
def both(request: pytest.FixtureRequest) -> Iterator[Engines]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, engines(url) as pair:
        yield pair


# The view v_config_performance of an ad bidder, on the tables t and p.
CONFIG_PERFORMANCE = """
SELECT p.code, p.label AS Name, COALESCE(SUM(t.j), 0) AS total_reached, COALESCE(SUM(t."order"), 0) AS impressions,
    COALESCE(SUM(t.j), 0) / 1000000.0 AS spend_usd,
    CASE WHEN SUM(t.j) > 0 THEN ROUND(100.0 * SUM(t."order") / SUM(t.j), 1) ELSE 0 END AS win_rate,
    CASE WHEN SUM(t.j) > 0 THEN ROUND(100.0 - 100.0 * SUM(t."order") / SUM(t.j), 1) ELSE NULL END AS waste_rate
FROM p LEFT JOIN t ON t.j = p.code AND t.f = 1
GROUP BY p.code
"""

VIEWS = [
    CONFIG_PERFORMANCE,
    "SELECT g, sum(id) FILTER (WHERE f) AS x, count(*) FILTER (WHERE s > 'a') AS n FROM t GROUP BY g",
    "VALUES (1, 'a'), (2, NULL)",
    "SELECT * FROM t",
    "SELECT p.*, t.id FROM t JOIN p ON t.j = p.code",
    "SELECT id, s AS Text, i > 0 AS positive, f, f = 1 AS flag, NULL AS empty, 'x' AS x, 5 AS y, 2.5 AS z FROM t",
    "SELECT id FROM t WHERE i",
    "SELECT id FROM t WHERE f AND s LIKE 'A%' OR n = 'ABC'",
    "SELECT a.id AS one, b.id AS two FROM t a, t AS b WHERE a.n = b.n",
    "SELECT t.id, x.label FROM t CROSS JOIN p AS x WHERE x.amount > 10",
    "SELECT t.id, label FROM t LEFT OUTER JOIN p ON j = code AND amount > 10 WHERE label IS NULL",
    "SELECT count(*) AS n, count(i) AS c, count(DISTINCT s) AS d, count(DISTINCT f) AS e, count(f) AS g FROM t",
    "SELECT sum(j) AS a, sum(f) AS b, sum(g) AS c, avg(j) AS d, avg(f) AS e, total(j) AS g, max(j) AS k FROM t",
    "SELECT sum(amount) AS a, total(amount) AS b, avg(amount) AS c FROM p WHERE code < 0",
    "SELECT min(s) AS a, max(s) AS b, max(r) AS c, min(f) AS d, max(i > 0) AS e, min(d) AS g, sum(d) AS h FROM t",
    "SELECT sum(r) AS a, avg(r) AS b, total(q) AS c FROM t WHERE id < 7",
    "SELECT sum(r) AS a, avg(r) AS b, total(r) AS c, sum(q) AS d FROM t WHERE id IN (9, 10)",
    "SELECT f, count(*) AS n FROM t GROUP BY f",
    "SELECT f, g, sum(j) AS n FROM t GROUP BY 1, g HAVING count(*) > 1",
    "SELECT substr(s, 1, 1) AS letter, count(*) AS n FROM t GROUP BY letter",
    "SELECT substr(s, 1, 1) || '!' AS letter, count(*) AS n FROM t GROUP BY substr(s, 1, 1)",
    "SELECT i > 0 AS positive, count(*) AS members FROM t GROUP BY i > 0 HAVING members > 1",
    "SELECT p.label, count(*) AS n FROM p GROUP BY p.label HAVING p.label IS NOT NULL AND max(amount) > 5",
    "SELECT DISTINCT label FROM p",
    "SELECT DISTINCT f, g FROM t",
    "SELECT id AS a, s AS b FROM t UNION ALL SELECT code, label FROM p",
    "SELECT s FROM t UNION SELECT label FROM p",
    "SELECT id, 0 AS kind FROM t UNION ALL SELECT code, 1 FROM p UNION ALL SELECT amount, 2 FROM p",
    "SELECT id, NULL AS x FROM t UNION ALL SELECT code, label FROM p",
    "SELECT x.n, x.label FROM (SELECT label, count(*) AS n FROM p GROUP BY label) AS x WHERE x.n > 1",
    "SELECT n FROM (SELECT count(*) AS n FROM p)",
    "SELECT same FROM (SELECT n AS same FROM t) WHERE same = 'abc'",
    "WITH big AS (SELECT * FROM p WHERE amount > 5), c AS (SELECT code FROM big) SELECT * FROM c WHERE code < 100",
    "SELECT id FROM t EXCEPT SELECT code FROM p",
    "SELECT id FROM t INTERSECT SELECT code FROM p",
    "SELECT * FROM p JOIN (SELECT code, label AS other FROM p WHERE amount > 5) AS q USING (code)",
    "SELECT code FROM p WHERE EXISTS (SELECT 1 FROM t WHERE t.j = p.code)",
    "SELECT code FROM p WHERE NOT EXISTS (SELECT * FROM t WHERE t.j = code AND f = 1)",
    "SELECT id FROM t WHERE j IN (SELECT code FROM p WHERE amount > 7)",
    "SELECT id FROM t WHERE j NOT IN (SELECT code FROM p)",
    "SELECT id FROM t WHERE s IN (SELECT label FROM p)",
    "SELECT id, (SELECT max(amount) FROM p WHERE code = t.j) AS best FROM t",
    "SELECT id, (SELECT label FROM p ORDER BY code DESC LIMIT 1) AS last FROM t",
    "SELECT id, round(r, 1) AS a, round(j) AS b, round(j / 3.0, 2) AS c FROM t WHERE id < 6 AND id <> 5",
    "SELECT s || '-' || j AS joined, length(s) AS n, upper(s) AS big, CAST(j AS REAL) AS r FROM t",
    'SELECT id, "order", "no such" AS word FROM t',
    "SELECT 1 AS one",
]  # fmt: skip

ORDERED = [
    "SELECT DISTINCT s, t.u FROM t ORDER BY s, t.u DESC",
    "SELECT DISTINCT label FROM p ORDER BY label DESC",
    "SELECT label FROM p UNION SELECT label FROM p WHERE code > 1 ORDER BY label DESC",
    "SELECT id FROM t ORDER BY s, id",
    "SELECT id FROM t ORDER BY s DESC, id DESC",
    "SELECT id, n FROM t ORDER BY n, id",
    "SELECT id FROM t ORDER BY s COLLATE NOCASE DESC, 1",
    "SELECT id, r AS x FROM t ORDER BY x DESC, id",
    "SELECT id FROM t ORDER BY i IS NULL, i, f DESC, id",
    "SELECT id FROM t ORDER BY j NULLS LAST, id LIMIT 5",
    "SELECT id FROM t ORDER BY id DESC LIMIT 3 OFFSET 2",
    "SELECT id FROM t ORDER BY id LIMIT 2, 3",
    "SELECT id FROM t ORDER BY id LIMIT -1",
    "SELECT label, sum(amount) AS total FROM p GROUP BY label ORDER BY total DESC, label",
    "SELECT label FROM p GROUP BY label ORDER BY count(*) DESC, max(code)",
    "SELECT DISTINCT amount FROM p ORDER BY amount DESC",
    "SELECT id FROM t UNION ALL SELECT code FROM p ORDER BY 1 LIMIT 4",
    "SELECT id AS a FROM t UNION SELECT code FROM p ORDER BY a DESC",
    "SELECT b, id FROM t ORDER BY b, id",
]


@pytest.mark.parametrize("select", VIEWS)
def test_both_engines_agree(both: Engines, select: str) -> None:
    assert both.agree_on_query(select)


@pytest.mark.parametrize("select", ORDERED)
def test_both_engines_agree_on_the_order(both: Engines, select: str) -> None:
    assert both.agree_on_query(select, ordered=True)


@pytest.mark.parametrize("select", [*VIEWS, *ORDERED])
def test_postgresql_makes_a_view_of_it(both: Engines, select: str) -> None:
    sql, columns = translate_view(select, TABLES)
    both.postgres.execute("DROP VIEW IF EXISTS v")
    both.postgres.execute(f"CREATE VIEW v AS {sql}".encode())
    found = both.postgres.execute("SELECT * FROM v LIMIT 0").description or []
    assert [column.name for column in found] == [name for name, _ in columns]


def test_columns_have_the_targets_names_and_kinds() -> None:
    _, columns = translate_view(CONFIG_PERFORMANCE, TABLES)

    assert columns[:3] == (("code", Kind.INTEGER), ("name", Kind.TEXT), ("total_reached", Kind.INTEGER))
    assert columns[4:] == (("spend_usd", Kind.REAL), ("win_rate", Kind.REAL), ("waste_rate", Kind.REAL))


def test_a_view_may_name_its_columns() -> None:
    sql, columns = translate_view("SELECT count(*), max(code) FROM p", TABLES, ("n", "Top"))

    assert columns == (("n", Kind.INTEGER), ("Top", Kind.INTEGER))
    assert sql == 'SELECT count(*) AS "n", max("p"."code") AS "Top" FROM "p"'


def test_a_grouped_key_brings_its_columns_into_the_group() -> None:
    sql, _ = translate_view("SELECT label, count(*) AS n FROM p GROUP BY code", TABLES)

    assert sql == 'SELECT "p"."label" AS "label", count(*) AS "n" FROM "p" GROUP BY "p"."code", "p"."label"'


DECLINED = {
    "SELECT label, max(amount) AS m FROM p": "loose GROUP BY: label differs within a group",
    "SELECT label, amount FROM p GROUP BY label": "loose GROUP BY: amount differs within a group",
    "SELECT n, count(*) AS c FROM t GROUP BY n": "loose GROUP BY: n (one of several spellings of its group)",
    "SELECT DISTINCT n FROM t": "DISTINCT values under NOCASE",
    "SELECT count(*) FROM p": "a column without a name",
    "SELECT code, code FROM p": "two columns of one name",
    "SELECT code FROM p LIMIT 1": "LIMIT without ORDER BY",
    "SELECT code FROM p ORDER BY code LIMIT code": "LIMIT by other than a number",
    "SELECT id FROM t JOIN p USING (code)": "no column code on both sides of USING",
    "SELECT id FROM t RIGHT JOIN p ON j = code": "a RIGHT",
    "SELECT id FROM t FULL JOIN p ON j = code": "a FULL",
    "SELECT group_concat(label) AS x FROM p": "group_concat()",
    "SELECT max(n) AS x FROM t": "max() under the collation NOCASE",
    "SELECT sum(s) AS x FROM t": "arithmetic with TEXT",
    "SELECT id FROM t WHERE count(*) > 1": "count() in this place",
    "SELECT row_number() OVER (ORDER BY id) AS x FROM t": "",
    "SELECT id, s FROM t UNION ALL SELECT code, amount FROM p": "a UNION of TEXT and INTEGER",
    "SELECT n AS x FROM t UNION ALL SELECT label FROM p": "a UNION of texts under NOCASE",
    "SELECT id FROM t UNION SELECT code, label FROM p": "a UNION of different widths",
    "SELECT s FROM t UNION ALL SELECT label FROM p ORDER BY 1": "ORDER BY of a UNION by an expression, or by a text",
    "SELECT DISTINCT n FROM t ORDER BY n": "ORDER BY of a DISTINCT by an expression, or by a text",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r": "WITH RECURSIVE",
    "SELECT id, (SELECT label FROM p) AS x FROM t": "a query as a value that may have several rows",
    "SELECT * FROM nowhere": "no table nowhere",
    "SELECT code AS rowid_, rowid FROM p": "no column rowid",
    "SELECT amount FROM p AS a, p AS b": "amount is in several tables",
    "SELECT a.code FROM p AS a, t AS a": "two tables named a",
    "SELECT value FROM json_each('[1]')": "",
    "DELETE FROM p": "DELETE as a query",
    "SELECT date('now') AS d": "date() in this place",
    "SELECT i FROM t WHERE n IN (SELECT label FROM p)": "IN with a query of another kind or collation",
}


@pytest.mark.parametrize("select", DECLINED)
def test_all_else_is_declined_with_its_reason(select: str) -> None:
    with pytest.raises(Untranslatable) as declined:
        translate_view(select, TABLES)
    assert declined.value.reason.startswith(DECLINED[select])


def test_a_converted_column_is_carried_but_not_compared() -> None:
    tables = {
        "x": TableScope(
            "x",
            {
                "at": ColumnScope("at", Kind.TIMESTAMP, affinity=Affinity.TEXT),
                "doc": ColumnScope("doc", Kind.JSONB, affinity=Affinity.TEXT),
            },
        )
    }

    assert translate_view("SELECT at, doc FROM x WHERE doc IS NOT NULL ORDER BY at", tables)[1] == (
        ("at", Kind.TIMESTAMP),
        ("doc", Kind.JSONB),
    )
    for declined in (
        "SELECT at FROM x WHERE at > '2024'",
        "SELECT DISTINCT doc FROM x",
        "SELECT length(doc) AS n FROM x",
    ):
        with pytest.raises(Untranslatable):
            translate_view(declined, tables)


COLUMN = st.sampled_from("""id j f g s u n d code label amount "order" b p.code t.r""".split())  # noqa: SIM905
AGGREGATE = st.builds("{}({})".format, st.sampled_from(["sum", "avg", "min", "max", "count", "total"]), COLUMN)
CONDITION = st.builds(
    "{} {} {}".format,
    COLUMN,
    st.sampled_from(["=", "<", ">=", "IS", "<>", "LIKE"]),
    COLUMN | st.sampled_from(["0", "1", "'a'", "'one'", "NULL", "(SELECT max(code) FROM p)"]),
)
GROUPED = "(SELECT j AS code, s AS label, count(*) AS amount FROM t GROUP BY j, s)"
JOIN = st.builds("t {} p ON {}".format, st.sampled_from(["JOIN", "LEFT JOIN"]), CONDITION)
SOURCE = st.sampled_from(["t", "p", "t, p", GROUPED]) | JOIN


@st.composite
def selects(draw: st.DrawFn) -> str:
    items = draw(st.lists(COLUMN | AGGREGATE | CONDITION, min_size=1, max_size=3))
    results = ", ".join(f"{item} AS c{place}" for place, item in enumerate(items))
    where = draw(st.just("") | st.builds(" WHERE {}".format, CONDITION))
    groups = draw(st.lists(COLUMN | st.sampled_from(["c0", "1"]), max_size=2))
    group = f" GROUP BY {', '.join(groups)}" if groups else ""
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    return f"SELECT {distinct}{results} FROM {draw(SOURCE)}{where}{group}"


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(select=selects())
def test_whatever_translates_agrees(both: Engines, select: str) -> None:
    try:
        translate_view(select, TABLES)
    except Untranslatable:
        return
    both.agree_on_query(select)
