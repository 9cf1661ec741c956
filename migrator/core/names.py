"""Identifiers and literals: quoting, which SQLite and PostgreSQL share, and the names things get in PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from migrator.core.model import fold

SYSTEM_COLUMNS = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
MAX_IDENTIFIER_BYTES = 63  # NAMEDATALEN - 1; PostgreSQL cuts longer names with a notice only


def quote_identifier(name: str) -> str:
    """Always quoted, so that reserved words and capitals stay what they are. Raises ValueError for a NUL."""
    return '"' + _without_nul(name).replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """A string constant under standard_conforming_strings = on. Raises ValueError for a NUL."""
    return "'" + _without_nul(text).replace("'", "''") + "'"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("PostgreSQL has no character U+0000")
    return text


def target_name(name: str) -> str:
    """The name in PostgreSQL: lower case, as PostgreSQL itself folds unquoted names, and at most 63 bytes.

    A longer name keeps its beginning and gets eight digits of its SHA-256, so that it stays recognisable and unique.
    """
    return shorten(fold(name))


def table_name(name: str) -> str:
    """The table's name in PostgreSQL, where names that begin with pg_ would be taken for the catalog's."""
    wanted = target_name(name)
    return f"{wanted}_" if wanted.startswith("pg_") else wanted


def column_name(name: str) -> str:
    """The column's name in PostgreSQL, where every table has some columns already."""
    wanted = target_name(name)
    return f"{wanted}_" if wanted in SYSTEM_COLUMNS or not wanted else wanted


def shorten(name: str) -> str:
    raw = name.encode("utf-8", "surrogatepass")
    if len(raw) <= MAX_IDENTIFIER_BYTES:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:8]
    head = raw[: MAX_IDENTIFIER_BYTES - 9].decode("utf-8", "ignore")
    return f"{head}_{digest}"


def collisions(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that would be the same name in PostgreSQL."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(target_name(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


class NameBook:
    """Hands out names that are unique within one namespace; a taken name gets a number behind it."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        name, number = shorten(wanted), 1
        while name in self._taken:
            number += 1
            suffix = f"_{number}"
            name = shorten(wanted)[: MAX_IDENTIFIER_BYTES - len(suffix)] + suffix
        self._taken.add(name)
        return name
