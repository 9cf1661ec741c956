"""The README's queries, on a database that the store has made: each is a statement, and answers."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from custom_components.metastore.store.dialects import database_url
from custom_components.metastore.store.upgrade import upgrade

README = Path(__file__).parent.parent.parent / "README.md"


def test_ten_useful_queries(tmp_path: Path) -> None:
    upgrade(database_url(f"sqlite:///{tmp_path / 'metastore.db'}"))
    [block] = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    queries = [query for query in re.sub(r"(?m)^--.*$", "", block).split(";") if query.strip()]
    assert len(queries) == 10
    with closing(sqlite3.connect(tmp_path / "metastore.db")) as db:
        for query in queries:
            assert isinstance(db.execute(query).fetchall(), list)
