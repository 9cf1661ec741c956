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
            "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
        ),
        Change(
            "catscan/store.py:142",
            "WHERE name GLOB ? ORDER BY name COLLATE NOCASE, id",
            "WHERE name SIMILAR TO translate(%s, '*?', '%%_') ORDER BY lower(name), id",
        ),
        Change("catscan/recommend.py:21", 'state = "ACTIVE"', "state = \\'ACTIVE\\'"),
        Change(
            "catscan/recommend.py:53",
            r"""sqlite.json_text(evidence_json, '.win_rate') COLLATE \"C\"""",
            "(evidence_json::json ->> 'win_rate')::float8",
        ),
        Change("catscan/recommend.py:53", r""" COLLATE \"C\" ORDER""", " ORDER"),
        Change(
            "catscan/routers/analytics.py:38", "WHERE account_id = ? ORDER BY id", "WHERE account_id = %s ORDER BY id"
        ),
    ),
    "05_sergas": (
        Change(
            "sergas/sessions.py:87", "        before = self.db.total_changes\n        await", "        cursor = await"
        ),
        Change("sergas/sessions.py:90", "self.db.total_changes > before", "cursor.rowcount > 0"),
        Change("sergas/sessions.py:52", "context_snapshot LIKE '", "context_snapshot ILIKE '"),
        Change(
            "scripts/nightly.py:33",
            "json_each(s.account_ids) AS j ORDER BY j.value",
            "json_array_elements_text(s.account_ids::json) AS j ORDER BY 1",
        ),
        Change(
            "scripts/nightly.py:41",
            "WHERE json_extract(context_snapshot, ?) IS NOT NULL",
            "WHERE jsonb_path_exists(context_snapshot::jsonb, %s::jsonpath)",
        ),
    ),
}
