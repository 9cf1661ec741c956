"""Columns that an idiomatic plan made timestamptz, date and uuid, as a program that knows them as texts uses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.migrator import servers
from tests.migrator.core.test_sqlite_compat import PACK

from .both import Both, moved

SCRIPT = """
CREATE TABLE a (id INTEGER PRIMARY KEY, at TEXT, z TEXT, day TEXT, uid TEXT);
INSERT INTO a VALUES
    (1, '2024-01-01 10:00:00', '2024-01-01T10:00:00Z', '2024-01-01', '123e4567-e89b-12d3-a456-426614174000'),
    (2, '2024-02-01 10:00:00', '2024-02-01T10:00:00Z', '2024-02-01', '123e4567-e89b-12d3-a456-426614174001'),
    (3, NULL, NULL, NULL, NULL), (4, '2023-12-31 23:59:59', '2023-12-31T23:59:59Z', '2023-12-31', NULL);
"""
QUERIES: list[tuple[str, Any]] = [
    ("SELECT id FROM a ORDER BY at DESC, id", ()),
    ("SELECT max(at), min(at), max(day) FROM a", ()),
    ("SELECT min(z), max(uid) FROM a", ()),
    ("SELECT id FROM a WHERE at > ? ORDER BY id", ("2024-01-01 10:00:00",)),
    ("SELECT id FROM a WHERE at > ? ORDER BY id", ("2024-01",)),
    ("SELECT id FROM a WHERE at < '2024-02-01T10:00:00' AND z >= ? ORDER BY id", ("2024-01-01T10:00:00Z",)),
    ("SELECT date(at), strftime('%Y-%m', at), substr(at, 1, 10), at || '' FROM a ORDER BY id", ()),
    ("SELECT id FROM a WHERE date(at) = '2024-01-01' OR at LIKE '2024-02%' ORDER BY id", ()),
    ("SELECT id FROM a WHERE uid = '123e4567-e89b-12d3-a456-426614174000' OR uid = ?",
     ("123e4567-e89b-12d3-a456-426614174001",)),
    ("SELECT id FROM a WHERE uid = '123E4567-E89B-12D3-A456-426614174000'", ()),
    ("SELECT upper(uid), julianday(at) - julianday(day) FROM a WHERE uid LIKE '123e%' ORDER BY uid", ()),
    ("SELECT at, count(*) FROM a GROUP BY at ORDER BY at", ()),
    ("SELECT id FROM a WHERE at > z OR at IN ('2024-01-01 10:00:00') ORDER BY id", ()),
]  # fmt: skip


@pytest.fixture(scope="module")
def idiomatic(embedded_server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("idiomatic")
    with moved(embedded_server, folder, SCRIPT, style="idiomatic") as found, found.copies(folder) as copies:
        with psycopg.connect(copies.url, autocommit=True) as admin:
            admin.execute(PACK.encode())
            types = admin.execute("SELECT data_type FROM information_schema.columns WHERE table_name = 'a'").fetchall()
            assert {"timestamp with time zone", "date", "uuid"} <= {name for (name,) in types}
        yield copies


@pytest.mark.parametrize(("query", "arguments"), QUERIES)
def test_texts_that_became_times(idiomatic: Both, query: str, arguments: Any) -> None:
    rows = idiomatic.same(lambda connection: connection.execute(query, arguments).fetchall())
    assert isinstance(rows, list)
