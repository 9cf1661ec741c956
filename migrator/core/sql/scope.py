"""What the translator is told about the target, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from migrator.core.model import Affinity

ROWIDS = ("rowid", "_rowid_", "oid")


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
    PARAMETER = "PARAMETER"  # what a call gives: its type is the one that its place wants


@dataclass(frozen=True)
class ColumnScope:
    """A column as expressions see it: kind is the target's, collation and affinity are the source's.

    uniform: every value has the storage class that the kind stands for. It is False for a column that was widened,
    say to text because one number was not one; then only IS NULL, count() and plain output are translated. source: the
    name as the source declares it. exact: PostgreSQL's type is bigint, double precision, text or varchar. bytewise: its
    own collation is C. restored: whoever reads the output makes SQLite's value of it, so that plain output says what
    SQLite says. document: a value of JSON, which has the type that its place wants.
    declined: a column that SQLite has here and PostgreSQL has not.
    json: whether JSON functions take it for JSON; None where that is not certain.
    picture: the format of the texts that a date or time was, where that says their order. spelling: the same, also
    where it does not, `zone` whose time they say. real: a REAL in every row, whatever the affinity says, as what a
    query has calculated. scale: how many digits behind its point a number keeps, where PostgreSQL rounds it. label:
    table and column, as a person knows them. summed: a sum of numbers of which each was an INTEGER or a REAL.
    """

    target: str
    kind: Kind
    collation: str = "BINARY"
    affinity: Affinity = Affinity.BLOB
    nullable: bool = True
    uniform: bool = True
    source: str = ""
    exact: bool = False
    bytewise: bool = False
    restored: bool = False
    document: bool = False
    declined: bool = False
    json: bool | None = False
    picture: str | None = None
    real: bool = False
    spelling: str | None = None
    zone: str | None = None
    scale: int | None = None
    label: str = ""
    summed: bool = False


@dataclass(frozen=True)
class Fires:
    """What the triggers of a table do for one event; `touches` are the tables that they change, by folded names.

    chooses: one of their statements says INSERT OR …, which in SQLite a statement with OR of its own overrules.
    recounts: they look at the table's other rows.
    """

    touches: frozenset[str]
    chooses: bool = False
    recounts: bool = False


@dataclass(frozen=True)
class PartialKey:
    """Columns, by folded source names, that no two of some rows share. `where` says of which, in SQLite's words."""

    columns: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class TableScope:
    """`columns` is keyed by the folded source names; `primary_key` and `unique` hold such keys.

    `unique` are all keys that no two rows share, the primary key among them. `whole` is False where SQLite would see
    another conflict than those: a key over an expression, under a collation or of some rows only; `partial` are keys of
    some rows. `rowid` is the column that carries it, where there is one. as_it_is: the target has these columns in
    this order and no others. `spelt` has the source's names of the table and its indexes by the target's, where these
    are others. `fires` has the triggers by the event: INSERT, UPDATE, DELETE.
    """

    target: str
    columns: Mapping[str, ColumnScope]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    whole: bool = True
    rowid: ColumnScope | None = None
    as_it_is: bool = False
    spelt: Mapping[str, str] = field(default_factory=dict)
    is_view: bool = False
    fires: Mapping[str, Fires] = field(default_factory=dict)
    partial: tuple[PartialKey, ...] = ()

    @cached_property
    def named(self) -> Mapping[str, ColumnScope]:
        """What an expression may name: the columns, and the rowid by the names that no column has."""
        if self.rowid is None:
            return self.columns
        return {**dict.fromkeys(ROWIDS, self.rowid), **self.columns}


@dataclass(frozen=True)
class Translation:
    sql: str
    kind: Kind


class Untranslatable(ValueError):
    """The expression is not on the allow-list; `reason` says what is not, for a person, and `rule` for a program.

    `next_step` is what to do, where that is more than the rule says.
    """

    def __init__(self, reason: str, rule: str = "untranslatable", next_step: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule
        self.next_step = next_step
