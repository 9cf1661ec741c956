"""Everything the target will have, as statements in the order in which a run needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from migrator.core.findings import Finding
from migrator.core.plan import Orphans
from migrator.core.sql.scope import TableScope
from migrator.core.triggers import CarriedTrigger


class Phase(StrEnum):
    """pg_dump's three sections, with post-data in the order it has to be built; triggers come when all is in place."""

    TABLE = "table"
    INDEX = "index"
    KEY = "key"
    FOREIGN_KEY = "foreign key"
    VIEW = "view"
    COMMENT = "comment"
    FUNCTION = "function"
    TRIGGER = "trigger"
    TRIGGER_COMMENT = "trigger comment"


@dataclass(frozen=True)
class Statement:
    """`table` and `name` are target names. `validate` belongs to a foreign key that is added NOT VALID first."""

    phase: Phase
    table: str
    name: str
    sql: str
    validate: str | None = None
    printed: str | None = None  # how `schema` shows it, where a run takes two steps


@dataclass(frozen=True)
class Reference:
    """A foreign key as the target has it; names are target names.

    Where a parent is rejected, a `loose` reference becomes NULL instead of taking its row along.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    orphans: Orphans
    loose: bool = False


@dataclass(frozen=True)
class CarriedView:
    source: str
    target: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Blueprint:
    """Everything the target will have. `generated` holds (source table, source column) that PostgreSQL computes.

    `final` are statements of the transaction that moves the tables into place: owners and grants. `sequences` are the
    names of the identity columns' sequences. `scopes` are tables and views as expressions see them, by folded source
    names.
    """

    statements: tuple[Statement, ...]
    references: tuple[Reference, ...]
    views: tuple[CarriedView, ...]
    generated: frozenset[tuple[str, str]]
    findings: tuple[Finding, ...]
    final: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    scopes: Mapping[str, TableScope] = field(default_factory=dict)
    triggers: tuple[CarriedTrigger, ...] = ()

    @property
    def tables(self) -> list[str]:
        """Every table, also one that gets no rows."""
        return [item.name for item in self.phase(Phase.TABLE) if item.name == item.table]

    def phase(self, *phases: Phase) -> list[Statement]:
        return [statement for statement in self.statements if statement.phase in phases]
