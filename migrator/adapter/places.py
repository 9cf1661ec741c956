"""Which database a URL or a path names."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SERVER = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_FILE = re.compile(r"sqlite(?:\+\w+)?://", re.IGNORECASE)


def is_server(place: str) -> bool:
    """Whether it is PostgreSQL's; everything else is a file of SQLite's, or :memory:."""
    return _SERVER.match(place) is not None


def file_of(place: str) -> str:
    """What sqlite3.connect() takes: a.db of sqlite:///a.db, /a.db of sqlite:////a.db, and anything else as it is."""
    found = _FILE.match(place)
    if found is None:
        return place
    path = unquote(place[found.end() :].partition("?")[0])
    return path.removeprefix("/") or ":memory:"
