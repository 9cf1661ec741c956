"""Databases of real applications: `build` makes one as a file, with the same content on every run.

`<name>.sql` is the schema as the application writes it, with rows by hand; the modules grow_* add generated ones. No
foreign key is orphaned and every value fits its declared type: the hard cases stand in tests/scenarios.
`catscan_merge.toml` merges catscan_legacy into the tables of catscan.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from . import grow, grow_catscan, grow_shops

HERE = Path(__file__).parent
MERGE = HERE / "catscan_merge.toml"

_GROW: dict[str, Callable[[sqlite3.Connection, random.Random, int], None]] = {
    "pickpulse": grow.pickpulse,
    "levqor": grow.levqor,
    "catscan_legacy": grow_catscan.legacy,
    "catscan": grow_catscan.consolidated,
    "ha_metadata": grow.ha_metadata,
    "sergas": grow.sergas,
    "chinook": grow_shops.chinook,
    "django": grow_shops.django,
}
NAMES = tuple(_GROW)
_JOURNAL_MODES = {"chinook": "DELETE"}  # A file that is handed round; the others belong to servers.


def build(name: str, folder: Path, scale: int = 1) -> Path:
    """Create `folder/name.db`; `scale` multiplies the generated rows, some thousands at 1. Refuses an existing file."""
    path = folder / f"{name}.db"
    path.touch(exist_ok=False)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {_JOURNAL_MODES.get(name, 'WAL')}")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript((HERE / f"{name}.sql").read_text(encoding="utf-8"))
        db.execute("BEGIN")
        _GROW[name](db, random.Random(42), scale)
        db.execute("COMMIT")
    return path


def md5(text: str | None) -> str | None:
    """The SQL function of catscan_merge.toml: 32 lower-case hex digits over UTF-8, NULL for NULL."""
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
