"""What the translator is told about the target, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrator.core.model import Affinity


class Kind(StrEnum):
    """What a column holds in PostgreSQL."""

    INTEGER = "INTEGER"  # smallint, integer or bigint
    REAL = "REAL"
    NUMERIC = "NUMERIC"
    TEXT = "TEXT"
    BLOB = "BLOB"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMPTZ = "TIMESTAMPTZ"
    JSON = "JSON"
    JSONB = "JSONB"
    UUID = "UUID"
    TEXT_ARRAY = "TEXT_ARRAY"
    NULL = "NULL"  # an expression that is NULL and nothing else


@dataclass(frozen=True)
class ColumnScope:
    """A column as expressions see it: kind is the target's, collation and affinity are the source's.

    uniform: every value has the storage class that the kind stands for. It is False for a column that was widened,
    say to text because one number was not one; then only IS NULL, count() and plain output are translated.
    """

    target: str
    kind: Kind
    collation: str = "BINARY"
    affinity: Affinity = Affinity.BLOB
    nullable: bool = True
    uniform: bool = True


@dataclass(frozen=True)
class TableScope:
    """`columns` is keyed by the folded source names; `primary_key` holds such keys."""

    target: str
    columns: Mapping[str, ColumnScope]
    primary_key: tuple[str, ...] = ()


@dataclass(frozen=True)
class Translation:
    sql: str
    kind: Kind


class Untranslatable(ValueError):
    """The expression is not on the allow-list; `reason` says what is not, for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
