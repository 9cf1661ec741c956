"""Which tables a statement reads and writes."""

from __future__ import annotations

import pytest

from migrator.core.audit.touched import HOLE, Touched, touched_by

TOUCHED: list[tuple[str, str, str]] = [
    ("SELECT 1", "", ""),
    ("SELECT * FROM a", "a", ""),
    ('SELECT * FROM "A B", `c`, [d]', "a b c d", ""),
    ("SELECT * FROM main.a JOIN other.b USING (id)", "a other.b", ""),
    ("SELECT * FROM a AS x LEFT OUTER JOIN b y ON x.id = y.id CROSS JOIN c", "a b c", ""),
    ("SELECT (SELECT max(id) FROM b) FROM a WHERE EXISTS (SELECT 1 FROM c)", "a b c", ""),
    ("SELECT * FROM (SELECT * FROM a), b", "a b", ""),
    ("SELECT * FROM a WHERE id IN (1, 2), b", "a", ""),
    ("SELECT x FROM a GROUP BY x, y ORDER BY x, y", "a", ""),
    ("SELECT extract(day FROM x) FROM a", "a x", ""),
    ("SELECT * FROM a WHERE x IS DISTINCT FROM b", "a", ""),
    ("SELECT * FROM json_each(x), pragma_table_info('a'), a", "a", ""),
    ("SELECT 'FROM b' AS \"FROM c\" FROM a -- FROM d\n/* FROM e */", "a", ""),
    ("WITH x AS (SELECT * FROM a), y (n) AS (SELECT 1) SELECT * FROM x, y, b", "a b", ""),
    ("WITH RECURSIVE x AS (VALUES (1) UNION SELECT n FROM x, a) DELETE FROM b WHERE id IN x", "a", "b"),
    ("SELECT * FROM a UNION ALL SELECT * FROM b EXCEPT SELECT * FROM c", "a b c", ""),
    ("INSERT INTO a VALUES (1)", "", "a"),
    ("INSERT OR REPLACE INTO a SELECT * FROM b", "b", "a"),
    ("REPLACE INTO a VALUES (1)", "", "a"),
    ("INSERT INTO a SELECT * FROM a", "", "a"),
    ("INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET n = excluded.n", "", "a"),
    ("UPDATE a SET n = (SELECT max(n) FROM b)", "b", "a"),
    ("UPDATE OR IGNORE a SET n = b.n FROM b WHERE b.id = a.id", "b", "a"),
    ("DELETE FROM a WHERE id IN (SELECT id FROM b)", "b", "a"),
    ("DELETE FROM a; INSERT INTO b SELECT * FROM a", "a", "a b"),
    ("CREATE TABLE a AS SELECT * FROM b", "", ""),
    ("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END", "", ""),
    ("DROP TABLE a", "", ""),
    ("PRAGMA table_info(a)", "", ""),
    (f"SELECT * FROM {HOLE} JOIN a", f"{HOLE} a", ""),
    (f"SELECT * FROM t_{HOLE}", f"t_{HOLE}", ""),
    ("SELECT * FROM a WHERE n = 'unfinished", "", ""),
    ("FROM WHERE , ) INTO", "", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("sql", "reads", "writes"), TOUCHED, ids=[sql for sql, _, _ in TOUCHED])
def test_touched(sql: str, reads: str, writes: str) -> None:
    found = touched_by(sql)

    assert Touched(tuple(sorted(found.reads)), tuple(sorted(found.writes))) == Touched(_names(reads), _names(writes))


def _names(text: str) -> tuple[str, ...]:
    return ("a b", *text.split()[2:]) if text.startswith("a b c d") else tuple(sorted(text.split()))
