"""Statements on both engines: the same rows come back, and the same rows are there afterwards; all else is declined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from migrator.core.model import Affinity
from migrator.core.sql import rewriting
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten, rewrite
from migrator.core.sql.split import split
from tests.migrator import servers
from tests.migrator.core.engines import EVENTS, SEVERAL, SMALL, TABLE, Engines, engines
from tests.migrator.core.test_sqlite_compat import PACK

T = replace(TABLE, unique=(("id",),), rowid=TABLE.columns["id"])
P = replace(SMALL, unique=(("code",),), rowid=SMALL.columns["code"])
K = replace(SEVERAL, rowid=SEVERAL.columns["id"])
E = replace(EVENTS, rowid=EVENTS.columns["id"])
TABLES = {"t": T, "p": P, "k": K, "e": E, "partial": replace(K, whole=False)}
TWICE = replace(E, partial=E.partial * 2)


@pytest.fixture(scope="module", params=["embedded", "debian"])
def both(request: pytest.FixtureRequest) -> Iterator[Engines]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, engines(url) as pair:
        pair.postgres.execute(PACK.encode())
        yield pair


def rewritten(sql: str, driver: Driver = Driver.PSYCOPG) -> Rewritten:
    [statement] = split(sql)
    return rewrite(statement, TABLES, driver, "test")


QUERIES: list[tuple[str, Any]] = [
    ("SELECT count(), count(*) FROM p WHERE code > 0", ()),
    ("SELECT id, s FROM t WHERE i = ?", (7,)),
    ("SELECT id FROM t WHERE s = ? OR n = ?", ("a", "abc")),
    ("SELECT id FROM t WHERE n IN (?, 'ä', ?)", ("ABC", "aB ")),
    ("SELECT id FROM t WHERE r > ? AND j <= ?", (0.5, 100)),
    ("SELECT id FROM t WHERE r BETWEEN ? AND ?", (-3, 3.5)),
    ("SELECT id FROM t WHERE f = ? AND g = ?", (1, 0)),
    ("SELECT id FROM t WHERE f = ?", (None,)),
    ("SELECT id FROM t WHERE s LIKE ?", ("%B%",)),
    ("SELECT id FROM t WHERE s LIKE '%' || ? || '%'", ("c",)),
    ("SELECT id FROM t WHERE s LIKE ? ESCAPE '\\'", ("%\\%c\\_%",)),
    ("SELECT id FROM t WHERE s NOT LIKE ? ESCAPE '!'", ("%!%c!__",)),
    ("SELECT id FROM t WHERE s = 'x%' OR s = ?", ("a",)),
    ("SELECT id, i % 3 FROM t WHERE j = ?", (5,)),
    ("SELECT id FROM t WHERE b = ?", (b"zz",)),
    ("SELECT id FROM t WHERE :a IS NULL OR i = :a", {"a": None}),
    ("SELECT id FROM t WHERE :a IS NULL OR i = :a", {"a": 7}),
    ("SELECT id FROM t WHERE ?2 = s AND ?1 = i AND i = ?1", (1, "a")),
    ("SELECT id FROM t WHERE i = ?5 OR j = ? OR j = ?1", (2, None, None, None, 7, 12)),
    ("SELECT id FROM t WHERE i = @a OR j = $b::c(d) OR j = :a", {"a": 5, "b::c(d)": 12}),
    ("SELECT id FROM t ORDER BY id LIMIT ? OFFSET ?", (3, 2)),
    ("SELECT id, i + ? AS n, r * ? AS m, COALESCE(s, ?) AS k FROM t WHERE id < 5", (10, 2.5, "none")),
    ("SELECT id, CASE WHEN i > ? THEN ? ELSE s END AS k FROM t", (0, "positive")),
    ("SELECT CAST(? AS INTEGER) AS a, CAST(? AS TEXT) AS b", (5, "x")),
    ("SELECT rowid, s FROM t WHERE rowid = ?", (3,)),
    ("SELECT p.oid FROM p WHERE _rowid_ > ?", (4,)),
    ("SELECT count(*) FROM t WHERE s = ?", ("a",)),
    ("SELECT s, count(*) FROM t WHERE id > ? GROUP BY s HAVING count(*) >= ?", (1, 1)),
    ("SELECT id FROM t WHERE j IN (SELECT code FROM p WHERE amount > ?)", (7,)),
    ("SELECT id FROM t WHERE ? IN (SELECT code FROM p)", (5,)),
    ("WITH big AS (SELECT code FROM p WHERE amount > ?) SELECT code FROM big WHERE code <> ?", (5, 2)),
    ("SELECT id FROM t WHERE s = ':a' OR s = ? OR s = '12:30 :b \\:c'", ("?",)),
    ("SELECT 1", ()),
    ("SELECT id, date(at), strftime('%Y-%m', at, 'start of month', '-1 day'), julianday(at) FROM t", ()),
    ("SELECT date(?, 'unixepoch'), datetime(i, 'unixepoch') FROM t WHERE id < 10", ("1700000000",)),
    ("SELECT id FROM t WHERE date(at) >= ? AND at < datetime(?, '+1 month')", ("2023-05-05", "2024-01-31")),
    ("SELECT id, substr(s, -2), substr(s, 0, 2), substr(s, j, ?), substr(b, 1, 1), substr(s, -1, -1) FROM t", (2,)),
    ("SELECT id, CAST(s AS INTEGER), CAST(r AS INTEGER), CAST(at AS REAL), CAST('12abc' AS INT) FROM t", ()),
    ("SELECT id, round(r, 1), round(q), round(j / 3.0, ?), round(2.675, 2) FROM t WHERE id < 8", (2,)),
    ("SELECT id, hex(s), hex(b), hex(i), quote(s), quote(j), quote(b), unicode(n) FROM t", ()),
    ("SELECT f, group_concat(id), group_concat(DISTINCT g), group_concat(s, '; ') FROM t WHERE id < 3 GROUP BY f", ()),
    ("SELECT count(*) FROM (SELECT id FROM t ORDER BY random() LIMIT 5) AS some", ()),
    ("SELECT id, row_number() OVER (PARTITION BY f ORDER BY id DESC), rank() OVER (ORDER BY g) FROM t", ()),
    ("SELECT t.*, count(p.code) AS n FROM t LEFT JOIN p ON p.code = t.j GROUP BY t.id ORDER BY n DESC, t.id", ()),
    ("SELECT id, n, w, max(j) FROM t GROUP BY id", ()),
    ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?) SELECT n, n * 2 FROM c", (5,)),
    ("WITH RECURSIVE tree AS (SELECT code, label, 0 AS depth FROM p WHERE code = ? UNION SELECT p.code, p.label, "
     "depth + 1 FROM p JOIN tree ON p.code = tree.code + 1 WHERE depth < 9) SELECT * FROM tree ORDER BY depth", (0,)),
    ("WITH RECURSIVE c(Path, N) AS (SELECT 'a', 1 UNION ALL SELECT path || '/' || n, n + 1 FROM c WHERE n < 4) "
     "SELECT path FROM c", ()),
    ("WITH RECURSIVE x(k) AS (SELECT code FROM p) SELECT * FROM x WHERE k > ?", (1,)),
    ("WITH x (A, b) AS (SELECT code, label FROM p), y AS (SELECT a FROM x) SELECT x.*, y.A FROM x JOIN y USING (a)",
     ()),
    ("SELECT id, sum(j) OVER (ORDER BY id), avg(j) OVER (PARTITION BY g), count(*) OVER () FROM t WHERE id < 9", ()),
    ("SELECT id, lag(s) OVER (ORDER BY id), lead(j, 2, 0) OVER (ORDER BY id), max(s) OVER (ORDER BY id) FROM t", ()),
    ("SELECT id, sum(j) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) FROM t WHERE id < 9", ()),
    ("SELECT code, first_value(label) OVER (PARTITION BY label ORDER BY code) FROM p WHERE amount > ?", (0,)),
    ("SELECT * FROM p JOIN (SELECT code, label AS other FROM p) AS q USING (code) WHERE code < ?", (3,)),
    ("SELECT code, amount, q.more FROM p LEFT JOIN (SELECT amount, code AS more FROM p WHERE code > 1) AS q "
     "USING (amount)", ()),
    ("SELECT s - 1, s FROM (SELECT sum(price) AS s FROM e) AS x", ()),
    ("WITH x AS (SELECT active, sum(price) AS s FROM e GROUP BY active) SELECT s / 2, s - 1 > ? FROM x", (3,)),
    ("WITH x AS (SELECT sum(price) AS s FROM e), y AS (SELECT s * 2 AS s FROM x) SELECT s + 0.5, typeof(s) FROM y", ()),
    ("SELECT (SELECT s FROM (SELECT total(active) AS s FROM e)) / 2, (SELECT avg(active) FROM e) * 3", ()),
    ("SELECT id FROM t WHERE " + " OR ".join(f"(i = {n} AND s = 'a')" for n in range(990)), ()),
    ("SELECT id FROM t WHERE f" + " AND (i <> ? OR s IS NULL)" * 900, (2,) * 900),
    ("SELECT s" + " || i || 'x' || ?" * 300 + " FROM t", ("y",) * 300),
    ("SELECT 'a' || 'b' || s || 'c' || id, 1 AND 0 OR 1 AND f FROM t WHERE (f OR g) AND i AND (j AND 1)", ()),
    ("SELECT sum(DISTINCT j), avg(DISTINCT g), total(DISTINCT i), min(DISTINCT s), max(DISTINCT j), sum(DISTINCT f), "
     "total(DISTINCT g) FILTER (WHERE id > 2), avg(DISTINCT r) FROM t WHERE id < 7", ()),
    ("SELECT active, sum(DISTINCT price), count(DISTINCT made) FROM e GROUP BY active", ()),
    ("SELECT id FROM t WHERE (j, s) = (?, ?) OR (s, i) IS (NULL, NULL) OR (n, j) = ('ABC', 3)", (12, "line\nbreak")),
    ("SELECT id FROM t WHERE (j, s, id) > (?, ?, ?) ORDER BY j, s, id", (2, "abc", 3)),
    ("SELECT id, (j, s) < (3, 'a'), (j, s) <> (NULL, 'a'), (f, j) = (1, 2), (s, NULL) >= ('a', 1) FROM t", ()),
    ("SELECT id FROM t WHERE (j, s) IN (VALUES (12, ?), (NULL, 'a'), ('2', 'abc')) OR (s, j) NOT IN "
     "(VALUES ('a', NULL))", ("line\nbreak",)),
    ("SELECT id, (s, j) IN (VALUES ('a', -1), (NULL, 2)) FROM t", ()),
    ("SELECT id FROM t WHERE j IN (VALUES (1), (2), (?)) AND (id, j) IN (SELECT id, j FROM t WHERE f)", (5,)),
    ("SELECT code FROM p WHERE (code, amount) NOT IN (SELECT code, amount FROM p WHERE code > 1)", ()),
    ("SELECT * FROM p NATURAL JOIN (SELECT code, label AS other FROM p) AS q WHERE code < 3", ()),
    ("SELECT id, code, s.j, n FROM t NATURAL LEFT JOIN (SELECT id, j, code, n FROM t JOIN p ON j = code) AS s "
     "ORDER BY t.id", ()),
    ("SELECT id, code FROM t NATURAL JOIN p", ()),
    ("SELECT id, name FROM k NATURAL LEFT JOIN (SELECT 1 AS one WHERE 0) AS x", ()),
    ("SELECT q.a, b, c FROM (SELECT 1 AS a, 2 AS b) AS q NATURAL JOIN (SELECT 1 AS a, 3 AS c) AS r "
     "NATURAL JOIN (SELECT 3 AS c, 2 AS b) AS s", ()),
    ("SELECT id, ntile(4) OVER (ORDER BY id), nth_value(s, 2) OVER (ORDER BY id), nth_value(j, 3) OVER w, "
     "ntile(2) OVER w + 1, last_value(id) OVER (ORDER BY g, id RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) "
     "FROM t WINDOW w AS (PARTITION BY f ORDER BY id)", ()),
    ("SELECT id, sum(j) OVER (ORDER BY g GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES), count(*) OVER "
     "(ORDER BY f RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP), count(*) OVER (ORDER BY id "
     "ROWS 2 PRECEDING EXCLUDE CURRENT ROW), count(*) OVER (PARTITION BY n ORDER BY id) FROM t WHERE id < 9", ()),
    ("SELECT count(*), lower(n), count(DISTINCT n), count(DISTINCT w) FROM t GROUP BY n ORDER BY n", ()),
    ("SELECT count(*), max(id), min(s) FROM t GROUP BY w, f HAVING count(*) > 0", ()),
    ("SELECT lower(kind) AS k, count(*), sum(price) FROM e WHERE id < 6 GROUP BY kind ORDER BY kind DESC", ()),
    ("SELECT id, at FROM e WHERE at >= '2024-01-01 10:00:00' ORDER BY at DESC, id", ()),
    ("SELECT id FROM e WHERE at > '2024-01-01' OR at = '2024-10-27 02:30:00' ORDER BY z", ()),
    ("SELECT id FROM e WHERE z BETWEEN '2024-01-01T10:00:00.000Z' AND ? AND z > '2024'", ("2024-10-27T01:30:00.000Z",)),
    ("SELECT id FROM e WHERE at IN ('2024-01-01 10:00:00', '1970-01-01 00:00:00') OR at < z OR made = at", ()),
    ("SELECT max(at), min(z), max(made), count(DISTINCT at), min(uid) FROM e", ()),
    ("SELECT at, count(*) FROM e GROUP BY at ORDER BY at", ()),
    ("SELECT DISTINCT z FROM e WHERE at <> '' ORDER BY z DESC LIMIT 3", ()),
    ("SELECT date(at), strftime('%Y-%m', z), at || '!', substr(z, 12), length(at), upper(uid), julianday(at) "
     "FROM e", ()),
    ("SELECT id FROM e WHERE date(at) = '2024-01-01' OR z LIKE '%.500Z' OR uid LIKE '%ABC%'", ()),
    ("SELECT id FROM e WHERE uid = '00000000-0000-4000-8000-000000000001' OR uid > ? ORDER BY uid DESC, id",
     ("00000000-0000-4000-8000-000000000003",)),
    ("SELECT id FROM e WHERE uid = '00000000-0000-4000-8000-000000ABCDEF' "
     "OR uid < '00000000-0000-4000-8000-000000abcdef' OR uid >= 'x'", ()),
    ("SELECT a.id, b.id FROM e AS a JOIN e AS b ON a.uid = b.uid AND a.at >= b.at AND a.at <= b.made", ()),
    ("SELECT at FROM (SELECT at, row_number() OVER (PARTITION BY uid ORDER BY at) AS n FROM e) AS x WHERE n = 1 "
     "AND at < datetime('now')", ()),
    ("SELECT id FROM t INTERSECT SELECT code FROM p ORDER BY 1", ()),
    ("SELECT j FROM t EXCEPT SELECT code FROM p", ()),
    ("SELECT id, (SELECT label FROM p WHERE p.code = t.j) FROM t WHERE id IN () OR id NOT IN ()", ()),
    ("SELECT id, printf('%d: %s, %05d|%4d|%5s', i, s, j, j, n), printf('%.2f%% of %s', r, ?) FROM t", ("all",)),
    ("SELECT printf('%-4d|%+d|%,d|%x %X %o|%u', j, j, i, i, j, j, i), printf('%-5s|%.2s|%c', s, 'abc', 'xyz') FROM t "
     "WHERE id <> 4", ()),
    ("SELECT printf('%8.2f|%e|%G', j / 7.0, j, j * 1.0), printf('%8.3d|%-+6d|%05.1f', j, j, ?) FROM t", (2.25,)),
    ("SELECT timediff('2024-03-31', ?), timediff('now', 'now'), timediff(2460000.5, '2020-02-29 12:00:00')",
     ("2024-02-29",)),
    ("SELECT printf('%.1f', q), format('%.3f', j / 7.0), printf('%d', ?), printf('') FROM t WHERE id < 9", (7,)),
    ("SELECT typeof(random()), random() = random()", ()),
    ("SELECT json_extract(?, '$.a'), json_extract('[1, [\"x\", {\"b\" : null}]]', '$[1]')", ('{"a": "b\\u00e9"}',)),
    ("SELECT id FROM t WHERE json_extract('{\"a\":' || j || '}', '$.a') > 2 AND json_extract('[true]', '$[0]')", ()),
    ("SELECT id FROM t WHERE json_extract('{\"a\":\"' || u || '\"}', '$.a') = ? OR json_extract(s, '$') IS NULL "
     "AND 0", ("B",)),
    ("SELECT COALESCE(json_extract('[' || j || ']', '$[#-1]'), 7) + 1, json_extract('[0.5]', '$[0]') * r FROM t "
     "WHERE j IS NOT NULL", ()),
    ("SELECT json_type('{\"a\":' || j || '}', '$.a'), json_array_length('[1, 2]'), json_valid(s), "
     "CAST(json_extract('[5]', '$[0]') AS INTEGER), json_extract('{}', '$.x.y[3]') IS NULL FROM t", ()),
    ("SELECT char(65, 228, 128512) || 'x', char(), sign(j), sign(r), hex(zeroblob(3)) FROM t", ()),
    ("SELECT date('now') = date(), date('now') = CURRENT_DATE, length(CURRENT_TIMESTAMP), time() = CURRENT_TIME", ()),
    ("SELECT id, iif(i > 0, 'a', i < 0, 'b', 'c'), iif(j > 2, 1), if(f, s, u), iif(i, 1, 2) FROM t", ()),
    ("SELECT id FROM t WHERE likely(i > 0) AND unlikely(s = ?) OR likelihood(j, 0.5) = 12", ("a",)),
    ("SELECT concat(s, i, NULL, f), concat_ws('-', s, u, j, NULL, ''), concat_ws(s, 1, 2), concat(?) FROM t", ("x",)),
    ("SELECT octet_length(s), octet_length(b), octet_length(i), unhex(hex(b)), unhex(s), unhex('0aF') FROM t", ()),
    ("SELECT length(randomblob(16)), length(randomblob(0)), length(hex(randomblob(?))), length(randomblob(j % 50)) "
     "FROM t", (40,)),
    ("SELECT randomblob(16) = randomblob(16), length(randomblob(j % 50 + 13)) FROM t WHERE j IS NOT NULL", ()),
    ("SELECT ceil(j / 7.0), floor(j / -7.0), trunc(j / 7.0), ceiling(i), floor(j), pi() FROM t", ()),
    ("SELECT sqrt(abs(j)), exp(id), ln(id), log10(id), pow(id, 2), power(2, id / 3.0) FROM t WHERE id < 9", ()),
    ("SELECT count(*) FILTER (WHERE i > ?), sum(j) FILTER (WHERE f), total(j) FILTER (WHERE s = 'a'), g FROM t "
     "GROUP BY g", (0,)),
    ("SELECT group_concat(s, '; ' ORDER BY id DESC), json_group_array(j ORDER BY s DESC, id) FILTER (WHERE id < 7), "
     "group_concat(label ORDER BY n COLLATE NOCASE, id) FROM t LEFT JOIN p ON code = j", ()),
    ("SELECT id, sum(j) FILTER (WHERE g) OVER (ORDER BY id), rank() OVER w, percent_rank() OVER w, cume_dist() OVER W "
     "FROM t WHERE id < 9 WINDOW w AS (PARTITION BY f ORDER BY g)", ()),
    ("SELECT id FROM t ORDER BY id LIMIT ? * 2 OFFSET (? - 1) * 2", (2, 2)),
    ("SELECT id FROM t ORDER BY id LIMIT (SELECT count(*) FROM p) - 1", ()),
    ("VALUES (1, 'a'), (2, CAST(? AS TEXT))", ("b",)),
    ("WITH x (A, b, c) AS (SELECT * FROM p) SELECT b, a FROM x WHERE c > 7", ()),
    ("SELECT column1 + 1, column2 FROM (VALUES (1, 'a'), (2, 'b')) AS v WHERE column2 IN (SELECT * FROM "
     "(VALUES ('b')))", ()),
    ("WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT n FROM c", ()),
    ("WITH v(a, b) AS (VALUES (1, 'x'), (2, NULL)) SELECT b, a FROM v ORDER BY a DESC", ()),
    ("SELECT DISTINCT s || '!', j FROM t ORDER BY 1, j", ()),
    ("SELECT DISTINCT value AS v FROM p, json_each('[\"' || label || '\", \"B\"]') ORDER BY v DESC", ()),
    ("SELECT DISTINCT e.value, t.j + 1 FROM t, json_each('[\"' || t.j || '\"]') AS e "
     "ORDER BY e.value, t.j + 1 DESC", ()),
    ("SELECT id FROM t WHERE s GLOB ? OR n GLOB u || '*' OR NOT glob(u, s)", ("[^a]*[b-c%]*",)),
    ("SELECT id FROM t WHERE s GLOB '[]a]*' OR w GLOB '*[!-~]' OR like(u, s) OR s LIKE n COLLATE NOCASE", ()),
    ("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", ("p",)),
    ("SELECT name, tbl_name, type FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY 1", ()),
    ("SELECT count(*), max(m.name) FROM sqlite_master AS m WHERE m.name IN ('k', 't', ?) AND type IN ('table', "
     "'view')",
     ("x",)),
    ("SELECT 1 FROM sqlite_master WHERE 'P' = name", ()),
    ("SELECT code FROM p WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = 'k' AND name "
     "NOT LIKE 'sqlite\\_%' ESCAPE '\\') OR code = (SELECT count(*) FROM sqlite_master WHERE type = 'view')", ()),
    ("SELECT abs(unixepoch() - unixepoch('now')) < 2, julianday('now') > 2460000, strftime('%Y', 'now') > '2025'", ()),
]  # fmt: skip

_MADE = '\'{"a": [\' || j || \', "\' || t.id || \'"], "b" : {"c d":  null, "e\\u00e9": "\\u00e9\\n"}}\''
JSON: list[tuple[str, Any]] = [
    (f"SELECT {_MADE} -> 'a', {_MADE} -> '$.b', {_MADE} ->> 'b', {_MADE} -> 'a' -> 0, {_MADE} -> 'x' FROM t", ()),
    (f"SELECT id FROM t WHERE {_MADE} ->> '$.a[0]' = j AND {_MADE} ->> '$.a[1]' || 'x' = id || 'x'", ()),
    ("SELECT '[1,2]' ->> 1 + 1", ()),
    ("SELECT '{\"a.b\": \"y\", \"0\": \"z\"}' ->> 'a.b' || '!', '{\"0\": \"z\"}' -> '0', '[7]' -> 0, '[7]' -> '0'", ()),
    (f"SELECT json({_MADE}), json(' 5 '), json(NULL), json('\"a b\"') FROM t WHERE j > 0", ()),
    ("SELECT json_array(), json_array(id, s, NULL, f, json_array(u, 'ä\"\\\n'), json('[1 , 2]')) FROM t", ()),
    ("SELECT json_object('id', id, s || 'x', n, 'of', json_object()), json_quote(s), json_quote(j) FROM t "
     "WHERE s IS NOT NULL", ()),
    ("SELECT json_object('label', label, 'amount', amount) AS made FROM p WHERE code < ?", (5,)),
    ("SELECT json_group_array(code), json_group_object(label, amount), json_group_object(code, label) FROM p "
     "WHERE code = ?", (5,)),
    ("SELECT json_group_array(json_object('c', code)), json_group_object(label, 1) FROM p WHERE code > 1000", ()),
    ("SELECT f, json_group_array(DISTINCT g) FROM t WHERE id IN (2, 3) GROUP BY f", ()),
    (f"SELECT json_extract({_MADE}, ?) FROM t WHERE id > 3", ("$.b",)),
    (f"SELECT json_extract({_MADE}, '$.a', '$.x', '$.b.e\u00e9') FROM t", ()),
    (f"SELECT id FROM t WHERE json_extract({_MADE}, '$.a[' || (t.id - t.id + 1) || ']') = ? ", ("4",)),
    ("SELECT value, key, type, fullkey, path FROM json_each('{\"a\": \"x\", \"b c\": \"y\", \"d_e\": null, \"f\": [1, "
     "{}], \"9\": \"\u00e9\"}')", ()),
    ("SELECT key + 1, value * 2, type FROM json_each('{\"a\": [1, 2, 3]}', '$.a')", ()),
    (f"SELECT t.id, j.value FROM t JOIN json_each({_MADE}, '$.a') AS j ON j.key = 1 WHERE j.value = CAST(t.id AS TEXT)",
     ()),
    ("SELECT id FROM t WHERE j IN (SELECT value FROM json_each(?))", ("[2, 5, 65536]",)),
    ("SELECT id FROM t WHERE s IN (SELECT value FROM json_each(:a)) OR EXISTS (SELECT 1 FROM json_each('[' || j || ']')"
     " AS e WHERE e.value > 99)", {"a": '["a", "abc", null]'}),
    ("SELECT p.code, count(*), max(CAST(m.key AS INTEGER)) FROM p, "
     "json_each('[\"' || label || '\", \"two\"]') AS m WHERE m.value = label "
     "AND m.key < 5 GROUP BY p.code", ()),
    ("SELECT x.value || '!' FROM p LEFT JOIN json_each('[\"a\"]') AS x ON code = 1", ()),
    ("SELECT value FROM json_each(NULL)", ()),
    (f"SELECT json_set({_MADE}, '$.a[#]', t.id, '$.n.m', json_array(s), '$.b', NULL), json_insert({_MADE}, '$.a', 1, "
     f"'$.k', f), json_replace({_MADE}, '$.a[0]', json({_MADE}), '$.k', 1) FROM t", ()),
    (f"SELECT json_remove({_MADE}, '$.a[#-1]', ?), json_remove({_MADE}), json_patch({_MADE}, ?) FROM t WHERE id > 3",
     ("$.b", '{"a": null, "b": {"z": [1, null]}}')),
    ("SELECT json_patch(?, '{}'), json_pretty(' [1 , {}]'), json_pretty('{\"a\": [1]}', ' '), json_set('[]', '$[0]', "
     "'[1]', '$[#]', json('[1]')) -> 1", ('[ 1 ]',)),
    (f"SELECT json_array(json_extract({_MADE}, '$.a'), {_MADE} ->> '$.b', json_extract({_MADE}, '$.b.e\u00e9')) FROM t",
     ()),
    (f"SELECT json_set({_MADE}, '$.a[0]', json_extract({_MADE}, '$.a[1]'), '$.r', 0.5, '$.e', 1e3) FROM t", ()),
    ("SELECT json_group_array(r), json_group_array(json_array(q)) FROM t WHERE id = 2 OR id = 5", ()),
    ("SELECT json_group_array(value), json_group_array(json_object(type, atom)) FROM json_each('[1, 2.50, \"x\", "
     "[ 1 ], {}, true, null]')", ()),
    ("SELECT p.code, e.fullkey, e.path, e.type FROM p, json_tree('{\"a\": [\"' || label || '\", {\"b c\": 1}], "
     "\"x\\u0062\": [[], {}]}') AS e", ()),
    ("SELECT value || '!' FROM json_tree('[[\"a\"], {\"k\": \"b\"}]') WHERE type = 'text' AND key IS NOT NULL", ()),
    ("SELECT count(*), group_concat(type) FROM json_tree('{\"a\": [1, 2, 3]}', ?)", ("$.a",)),
    ("SELECT fullkey FROM json_tree('{\"a\": [1, 2]}') WHERE atom = 2 OR atom = 1", ()),
    ("SELECT fullkey FROM json_each('{\"\\u0061\": 1, \"b\\n\": 2}')", ()),
    ("SELECT json_extract('[1]', '$[#]') IS NULL, json_type('[[2]]', '$[#-1]')", ()),
    ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM json_tree('[' || j || ', [' || t.id || ']]') AS e WHERE e.atom = 5)",
     ()),
    ("SELECT type, atom, value FROM json_each('\"x\"')", ()),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "arguments"), JSON)
def test_json_is_written_alike(both: Engines, sql: str, arguments: Any) -> None:
    assert both.agree_on_statement(sql, arguments, rewritten(sql))


NAMED: list[tuple[str, Any]] = [
    ("SELECT count(*), Count( * ) , max(code)  FROM p", ()),
    ("SELECT CODE, p.Label, (code), code AS Total, code Other, 'x', 1.50, NULL, ? + code FROM p", (1,)),
    ("SELECT rowid, oid, p.rowid AS Id, _rowid_ + 1 FROM p WHERE code < 2", ()),
    ("SELECT DISTINCT label, code /* which */, amount -- how much\n FROM p", ()),
    ("SELECT *, p.*, x.Code, code IS DISTINCT FROM 5 "
     "FROM (SELECT CODE, amount AS Much FROM p) AS x JOIN p USING (code)", ()),
    ("SELECT CASE WHEN code > 1 THEN 'a, b' ELSE 'c' END, (SELECT max(id) FROM t) FROM p", ()),
    ("SELECT code AS First, label FROM p UNION ALL SELECT id AS other, s FROM t", ()),
    ("WITH x AS (SELECT Code, label AS L FROM p) SELECT *, l || '%' FROM x WHERE code = ?", (1,)),
    ("SELECT s AS a, s AS A, s, S FROM t WHERE id = ?", (5,)),
    ("SELECT EXISTS (SELECT 1 FROM p), 1 IN (1, 2), -5, 'it''s' || ?, \"code\" FROM p LIMIT 1", ("%",)),
    ("INSERT INTO p (code, label) VALUES (?, 'x') RETURNING Code, LABEL AS Name, amount IS NULL, code + ?", (70, 1)),
    ("UPDATE p SET amount = 1 WHERE code = 1 RETURNING *, rowid, upper(label)", ()),
    ("UPDATE p SET amount = t.id FROM t WHERE t.j = code RETURNING code, amount", ()),
    ("DELETE FROM p WHERE code > 1 RETURNING CODE, label", ()),
]  # fmt: skip

CHANGES: list[tuple[str, Any]] = [
    ("INSERT INTO p (code, label, amount) VALUES (?, ?, ?)", (7, "seven", 70)),
    ("INSERT INTO p VALUES (8, 'eight' || ?, NULL), (9, NULL, -1)", ("!",)),
    ("INSERT INTO p (amount, code) VALUES (1 + 2, 50) RETURNING code, amount * 2 AS double", ()),
    ("INSERT INTO p (code, label) SELECT id + 1000, s FROM t WHERE id > ?", (8,)),
    ("INSERT INTO p (code, label) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM p WHERE code = ?)", (77, "new", 77)),
    ("INSERT INTO p (code, label, amount) SELECT ?, label, ? FROM p WHERE code = 1", (78, None)),
    ("INSERT OR IGNORE INTO p (code, label) VALUES (1, 'other'), (11, 'new')", ()),
    ("INSERT OR ABORT INTO p (code) VALUES (12)", ()),
    ("INSERT OR REPLACE INTO p (code, label) VALUES (?, ?)", (1, "uno")),
    ("REPLACE INTO p (code, label, amount) VALUES (:code, :label, :amount)", {"code": 2, "label": None, "amount": 5}),
    ("INSERT OR REPLACE INTO k VALUES (?, ?, ?, ?, ?)", (1, "b", 2, 1, "all four")),
    ("INSERT OR REPLACE INTO k (id, name, shelf, slot) VALUES (2, 'x', 1, 2)", ()),
    ("REPLACE INTO k (id, name, shelf, slot) VALUES (9, NULL, NULL, 1), (1, 'c', 7, 7) RETURNING *", ()),
    ("REPLACE INTO k (name, shelf, slot, note) VALUES (:name, 2, 1, :name || '!') RETURNING name, note", {"name": "a"}),
    ("INSERT OR REPLACE INTO k (id, name, shelf, slot) SELECT code, label, code, amount FROM p WHERE code > ? "
     "ORDER BY code", (4,)),
    ("WITH one AS (SELECT 'b' AS b) INSERT OR REPLACE INTO k (id, name, shelf, slot) SELECT 1, b, 2, 1 FROM one", ()),
    ("INSERT OR REPLACE INTO k (id, name, shelf, slot) VALUES (NULL, 'a', ?, 1)", (2,)),
    ("INSERT OR REPLACE INTO k DEFAULT VALUES", ()),
    ("INSERT INTO p (code, amount) VALUES (1, 5) "
     "ON CONFLICT (code) DO UPDATE SET amount = amount + excluded.amount", ()),
    ("INSERT INTO p (code, label) VALUES (1, ?) "
     "ON CONFLICT(code) DO UPDATE SET label = excluded.label WHERE p.code > ?", ("uno", 0)),
    ("INSERT INTO p (code) VALUES (1) ON CONFLICT DO NOTHING", ()),
    ("INSERT INTO p (code) VALUES (1) ON CONFLICT (code) DO NOTHING", ()),
    ("INSERT INTO e (id, uid, active) VALUES (8, ?, 1) ON CONFLICT (uid) WHERE active = 1 "
     "DO UPDATE SET price = COALESCE(price, 0.0) + ? WHERE e.id < 9", ("00000000-0000-4000-8000-000000000002", 1.5)),
    ("INSERT INTO e (id, uid, active) VALUES (8, ?, 1), (9, ?, 0) ON CONFLICT(uid) WHERE (active = 1) DO NOTHING "
     "RETURNING id", ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000001")),
    ("INSERT INTO e (id, uid, at, z, made) VALUES (8, '00000000-0000-4000-8000-000000000009', '2024-05-05 05:05:05', "
     "'2024-05-05T05:05:05.050Z', '2024-05-05 05:05:05')", ()),
    ("UPDATE e SET at = datetime('2024-05-05 01:02:03', '+1 day'), z = NULL WHERE at > '2024-01-02 00:00:00'", ()),
    ("DELETE FROM e WHERE at < datetime('now', '-30 days') AND uid IS NOT NULL", ()),
    ("UPDATE p SET label = ?, amount = amount + ? WHERE code = ?", ("x", 5, 2)),
    ("UPDATE p SET label = COALESCE(?, label) WHERE code IN (?, ?)", (None, 1, 2)),
    ("UPDATE p SET (label, amount) = (?, 7) WHERE label = 'one' RETURNING code", ("x",)),
    ("UPDATE p AS x SET amount = code, code = amount + 1000 WHERE x.label IS NOT NULL AND amount IS NOT NULL", ()),
    ("UPDATE p SET label = t.s FROM t WHERE t.id = p.code", ()),
    ("UPDATE t SET f = ?, g = NOT g, s = upper(s) WHERE id = ?", (1, 2)),
    ("UPDATE p SET label = json_set('{}', '$.a', json_array(label, amount), '$.b.c', ? || 'x') WHERE code < 5", ("ä",)),
    ("UPDATE t SET f = i > 0, j = f, b = x'00ff', r = 2", ()),
    ("INSERT INTO p (code, label, amount) VALUES ('13', 7, ' 2.0 '), ('14', -7, '9223372036854775807')", ()),
    ("UPDATE t SET i = '5', r = '2.5', q = '3', s = 7, f = '1', d = 12 WHERE id = 3", ()),
    ("DELETE FROM p WHERE label LIKE ?", ("o%",)),
    ("DELETE FROM p WHERE code IN (SELECT j FROM t) RETURNING *", ()),
    ("DELETE FROM p AS x WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.j = x.code)", ()),
    ("DELETE FROM p", ()),
    ("WITH big AS (SELECT code FROM p WHERE amount > 9) DELETE FROM p WHERE code IN (SELECT code FROM big)", ()),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "arguments"), QUERIES)
def test_both_engines_answer_alike(both: Engines, sql: str, arguments: Any) -> None:
    assert both.agree_on_statement(sql, arguments, rewritten(sql))


def test_a_defect_ends_one_statement_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(rewriting, "_translated", fail)
    found = rewritten("SELECT code FROM p")
    assert (found.output, [finding.rule for finding in found.findings]) == (None, ["defect"])


@pytest.mark.parametrize(("sql", "arguments"), NAMED)
def test_columns_are_called_alike(both: Engines, sql: str, arguments: Any) -> None:
    assert both.agree_on_statement(sql, arguments, rewritten(sql))


@pytest.mark.parametrize("name", ["x" * 64, "ä" * 32, ""])
def test_a_name_that_postgresql_has_not_is_told(both: Engines, name: str) -> None:
    found = rewritten(f'SELECT code AS "{name}" FROM p')
    assert [finding.rule for finding in found.findings] == ["column-name"]
    assert both.agree_on_statement(f'SELECT code AS "{name}" FROM p', (), found)


@pytest.mark.parametrize(("sql", "arguments"), CHANGES)
def test_both_engines_hold_the_same_afterwards(both: Engines, sql: str, arguments: Any) -> None:
    assert both.agree_on_statement(sql, arguments, rewritten(sql))


DECLINED = {
    "SELECT last_insert_rowid()": "connection-state",
    "SELECT code, changes() FROM p": "connection-state",
    "SELECT total_changes() > 0": "connection-state",
    "SELECT name FROM sqlite_master WHERE type = 'table'": "catalog",
    "SELECT name FROM sqlite_master WHERE name LIKE 's%'": "catalog",
    "SELECT name FROM sqlite_master WHERE type = 'table' OR name = 'x'": "catalog",
    "SELECT name FROM sqlite_master WHERE name = 'sqlite_sequence'": "catalog",
    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name = 'x'": "catalog",
    "SELECT * FROM sqlite_master WHERE type = 'view'": "catalog",
    "SELECT 1 FROM sqlite_master WHERE name = 'x' AND \"sql\" LIKE '%y%'": "catalog",
    "SELECT sql FROM Sqlite_Schema": "catalog",
    "SELECT name FROM sqlite_temp_master WHERE name = 'x'": "catalog",
    "DELETE FROM sqlite_master WHERE name = 'x'": "catalog",
    "SELECT seq FROM sqlite_sequence WHERE name = ?": "catalog",
    "SELECT json_extract(label, '$.a[b]') FROM p": "function",
    "SELECT json_array(b) FROM t": "function",
    "SELECT id FROM t WHERE at > json('5')": "untranslatable",
    "SELECT json_array(d), json_array(COALESCE(r, 1)) FROM t": "function",
    "SELECT json_group_array(DISTINCT json_extract(label, '$')) FROM p": "function",
    "SELECT json_array(CAST(json(label) AS TEXT)) FROM p": "function",
    "SELECT json_array(max(json(label))) FROM p": "function",
    "SELECT json_array(lag(json(label)) OVER (ORDER BY code)) FROM p": "function",
    "SELECT json_set(label, '$.a') FROM p": "function",
    "SELECT json_set(label, 'a', 1) FROM p": "function",
    "SELECT json_set(label, '$.a[-1]', 1) FROM p": "function",
    "SELECT json_set(label, '$.a', ?) FROM p": "function",
    "SELECT json_set(b, '$.a', 1) FROM t": "function",
    "SELECT json_insert(label, code, 1) FROM p": "function",
    "SELECT json_remove() FROM p": "function",
    "SELECT json_remove(label, '$x') FROM p": "function",
    "SELECT json_patch(label) FROM p": "function",
    "SELECT json_pretty(label, code) FROM p": "function",
    "SELECT json_array(COALESCE(json(label), '1')) FROM p": "function",
    "SELECT json_array(j) FROM (SELECT json(label) AS j FROM p)": "function",
    "SELECT json_array((SELECT json(label))) FROM p": "function",
    "SELECT json_object(code, 1) FROM p": "function",
    "SELECT label -> '[0]', label ->> -1 FROM p": "function",
    "SELECT label ->> amount FROM p": "function",
    "SELECT json_each.id FROM json_each('[1]')": "function",
    "SELECT parent FROM json_tree('[1]')": "function",
    "SELECT (SELECT max(rowid) FROM json_each('[1]')) FROM t": "function",
    "SELECT (SELECT count(*) FROM json_each('[' || oid || ']')) FROM t": "untranslatable",
    "SELECT (SELECT count(*) FROM json_each('[' || id || ']')) FROM t": "untranslatable",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM json_each(s) WHERE id = 1)": "function",
    "SELECT key FROM json_tree('[1]', '$[0]')": "function",
    "SELECT fullkey FROM json_tree('[1]', '$[0]')": "function",
    "SELECT root FROM json_tree('[1]')": "function",
    "SELECT * FROM json_tree('[1]')": "untranslatable",
    "SELECT * FROM json_each('[1]')": "untranslatable",
    "SELECT key, path FROM json_each('[1]', '$')": "function",
    "SELECT json_extract(label, 'a') FROM p": "function",
    "SELECT json_extract(b, '$') FROM t": "function",
    "SELECT json_extract(label, '$') = x'00' FROM p": "function",
    "SELECT json_valid(label, 6) FROM p": "function",
    "SELECT json_type(code) FROM p": "function",
    "SELECT char(code), 1 FROM p": "function",
    "SELECT char(55296)": "function",
    "SELECT zeroblob(code) FROM p": "function",
    "SELECT sign(label) FROM p": "untranslatable",
    "SELECT id FROM t WHERE s LIKE ? ESCAPE 'ab'": "untranslatable",
    "SELECT :a IS NULL OR s = :a OR CAST(:a AS INTEGER) = 5 FROM t": "placeholder-types",
    "SELECT code FROM nowhere": "no-table",
    "SELECT count(DISTINCT) FROM p": "untranslatable",
    "SELECT lower(), label FROM p": "untranslatable",
    "INSERT OR REPLACE INTO k (id, name, shelf) VALUES (1, 'x', 2)": "or-replace",
    "INSERT OR REPLACE INTO k (id, name, shelf, slot) VALUES (NULL, 'x', 2, 1), (9, 'y', 2, 7)": "or-replace",
    "INSERT OR REPLACE INTO partial (id) VALUES (1)": "or-replace",
    "SELECT id FROM t WHERE (i, s) = (1, 2, 3)": "untranslatable",
    "SELECT id FROM t WHERE (i, s) = (SELECT 1, 'a')": "untranslatable",
    "SELECT id FROM t WHERE (i, s) IN ((1, 'a'))": "untranslatable",
    "SELECT id FROM t WHERE (i, s) IN (VALUES (1, u))": "untranslatable",
    "SELECT id FROM t WHERE (i, s) BETWEEN (1, 'a') AND (2, 'b')": "untranslatable",
    "SELECT sum(DISTINCT j) OVER () FROM t": "untranslatable",
    "SELECT n, count(*) FROM t GROUP BY n": "untranslatable",
    "SELECT n AS k, count(*) FROM t GROUP BY k": "untranslatable",
    "SELECT count(*) FROM t GROUP BY n HAVING upper(n) = 'A'": "untranslatable",
    "SELECT DISTINCT n FROM t": "untranslatable",
    "SELECT n FROM t UNION SELECT s FROM t": "untranslatable",
    "SELECT ntile(j) OVER (ORDER BY id) FROM t": "untranslatable",
    "SELECT sum(j) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t": "untranslatable",
    "SELECT id FROM e WHERE at > ?": "untranslatable",
    "INSERT INTO e (id, at) VALUES (8, '2024')": "untranslatable",
    "INSERT INTO e (id, uid) VALUES (8, '00000000-0000-4000-8000-00000000ABCD')": "untranslatable",
    "INSERT INTO e (id, uid) VALUES (8, ?) ON CONFLICT (uid) DO NOTHING": "untranslatable",
    "INSERT INTO e (id, uid) VALUES (8, ?) ON CONFLICT (uid) WHERE active = 0 DO NOTHING": "untranslatable",
    "INSERT INTO e (id) VALUES (8) ON CONFLICT (id) WHERE active = 1 DO NOTHING": "untranslatable",
    "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT 'x' FROM c) SELECT n FROM c": "untranslatable",
    "WITH RECURSIVE c AS (SELECT n FROM c) SELECT n FROM c": "untranslatable",
    "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c LIMIT 5) SELECT n FROM c": "untranslatable",
}


@pytest.mark.parametrize("sql", DECLINED)
def test_what_cannot_be_the_same_is_declined(sql: str) -> None:
    found = rewritten(sql)
    assert (found.output, [finding.rule for finding in found.findings]) == (None, [DECLINED[sql]])
    assert all(finding.next_step for finding in found.findings)


def test_one_of_several_keys_of_some_rows_is_not_guessed() -> None:
    sql = "INSERT INTO e (id, uid) VALUES (8, ?) ON CONFLICT (uid) WHERE active = 1 DO NOTHING"
    [statement] = split(sql)
    assert rewrite(statement, {"e": E}, Driver.PSYCOPG, "test").output is not None
    assert rewrite(statement, {"e": TWICE}, Driver.PSYCOPG, "test").output is None


WORDED = {
    "SELECT id FROM t WHERE": "it cannot be parsed: something is missing behind WHERE",
    "SELECT id FROM t WHERE a b date(c) d": "it cannot be parsed: at b date(c) d",
    "SELECT (1, 2) FROM t": "a row value in this place",
    "SELECT id FROM t INDEXED BY x": "INDEXED BY",
    "DELETE FROM t ORDER BY id LIMIT 1": "DELETE with ORDER BY, LIMIT",
    "SELECT id FROM main.t": "the name of a database",
    "SELECT i REGEXP 'a' FROM t": "REGEXP is not on the list",
    "SELECT soundex(s) FROM t": "soundex() is not on the list",
    "SELECT id FROM e WHERE day > '2024'": "SQLite makes a number of '2024' here",
    "SELECT id FROM e WHERE day > 5": "is greater than every number",
    "SELECT nothing FROM t": "no column nothing",
    "SELECT id FROM e WHERE at > ?": "texts that do not say their zone",
    "SELECT sqlite_version()": "sqlite_version() is not on the list",
    "PRAGMA page_count": "This PRAGMA asks SQLite something",
    "SELECT @": "SQLite cannot read it",
}


@pytest.mark.parametrize("sql", WORDED)
def test_what_is_declined_is_said_in_words_of_sql_with_what_to_do(sql: str) -> None:
    days = replace(E.columns["made"], target="day", affinity=Affinity.NUMERIC)
    [statement] = split(sql)
    tables = {**TABLES, "e": replace(E, columns={**E.columns, "day": days})}
    found = rewrite(statement, tables, Driver.PSYCOPG, "test")
    [finding] = found.findings
    assert found.output is None
    assert WORDED[sql] in finding.message
    assert "sqlglot" not in finding.message
    assert finding.next_step.endswith(".")


UNKNOWN: list[tuple[str, Any]] = [
    ("SELECT id, s FROM t WHERE i = ? AND (s <> 'x' OR NOT j IN (1, ?))", (7, 2)),
    ("SELECT * FROM p -- all\n WHERE code BETWEEN ? AND 5 AND label IS NOT NULL ORDER BY Amount DESC, code", (1,)),
    ("SELECT count(*), 1 FROM t WHERE 1 = 1", ()),
    ("SELECT x.id, label AS l FROM t AS x JOIN p ON p.code = x.j WHERE x.id IN (SELECT code FROM p)", ()),
    ("SELECT code FROM p WHERE EXISTS (SELECT id FROM t WHERE t.id = p.code) ORDER BY label LIMIT 2", ()),
    ("INSERT INTO p (code, label, amount) VALUES (?, ?, NULL), (71, 'x', 2) RETURNING code, label", (70, "y")),
    ("UPDATE p SET label = ?, amount = code WHERE code = ?", ("x", 1)),
    ("DELETE FROM p WHERE amount > ?", (5,)),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "arguments"), UNKNOWN)
def test_what_needs_no_types_needs_no_tables(both: Engines, sql: str, arguments: Any) -> None:
    [statement] = split(sql)
    found = rewrite(statement, {}, Driver.PSYCOPG, "test")
    assert [finding.rule for finding in found.findings] == ["no-table"]
    assert both.agree_on_statement(sql, arguments, found)


NEEDS_TABLES = [
    "SELECT id + 1 FROM t",
    "SELECT id FROM t WHERE flag",
    "SELECT id FROM t WHERE s LIKE ?",
    "SELECT DISTINCT s FROM t",
    "SELECT s FROM t GROUP BY s",
    "SELECT max(id) FROM t",
    "SELECT rowid FROM t",
    'SELECT "s" FROM t',
    "SELECT ? FROM t",
    "SELECT 1.5 FROM t",
    "SELECT id FROM t WHERE '1' = 1",
    "SELECT id FROM t WHERE ? = ?",
    "SELECT id FROM t WHERE s = i = 1",
    "SELECT id FROM pg_tables",
    "SELECT id FROM t LIMIT 1, 2",
    "SELECT id FROM t UNION SELECT code FROM p",
    "INSERT INTO t VALUES (1)",
    "INSERT OR REPLACE INTO t (id) VALUES (1)",
    "INSERT INTO t (id) VALUES (1 + 1)",
    "UPDATE t SET i = i + 1",
    f"SELECT count(*){' ' * 60} , id FROM t WHERE count ( /* {'x' * 60} */ * ) = 1",
]


@pytest.mark.parametrize("sql", NEEDS_TABLES)
def test_what_needs_types_is_declined_without_tables(sql: str) -> None:
    [statement] = split(sql)
    found = rewrite(statement, {}, Driver.PSYCOPG, "test")
    assert found.output is None
    assert found.findings[0].message


@pytest.mark.parametrize(
    "sql", ["UPDATE t SET at = 5", "UPDATE t SET at = '2024'", "UPDATE t SET i = '5x', r = '1e999'"]
)
def test_what_would_be_stored_as_another_value_is_declined(sql: str) -> None:
    """The text column of numeric affinity would hold an integer in SQLite."""
    assert rewritten(sql).output is None


def test_a_token_that_is_none_costs_its_own_statement_only() -> None:
    script = "SELECT 1;\nSELECT id FROM t WHERE f=1AND g; SELECT x'0'; SELECT 2; SELECT 'open; SELECT 3"
    found = [(item.text, item.line, item.error is None) for item in split(script)]
    assert found == [
        ("SELECT 1", 1, True),
        ("SELECT id FROM t WHERE f=1AND g", 2, False),
        ("SELECT x'0'", 2, False),
        ("SELECT 2", 2, True),
        ("SELECT 'open; SELECT 3", 2, False),
    ]
