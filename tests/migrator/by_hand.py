"""What a person changes in the applications after the rewrite: only places that it has reported.

Each is the file and line in the program as it was, which the report names, and the text before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Change:
    place: str
    old: str
    new: str

    def make(self, root: Path) -> None:
        file = root / self.place.partition(":")[0]
        text = file.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, (self.place, self.old)
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


BY_HAND: dict[str, tuple[Change, ...]] = {
    "03_catscan": (
        Change(
            "catscan/store.py:33",
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
            "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE \\\"C\\\"",
        ),
        Change("catscan/store.py:81", " ORDER BY id LIMIT ?, ?", " ORDER BY id OFFSET %s LIMIT %s"),
    ),
    "05_sergas": (
        Change(
            "sergas/sessions.py:87", "        before = self.db.total_changes\n        await", "        cursor = await"
        ),
        Change("sergas/sessions.py:90", "self.db.total_changes > before", "cursor.rowcount > 0"),
        Change("sergas/sessions.py:52", "context_snapshot LIKE '", "context_snapshot ILIKE '"),
    ),
}
