"""What one worker is told about a table: where its rows are, which conversions they take, where they go."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.core.convert import Conversion, Unfit
from migrator.core.plan import ColumnPlan, Policy
from migrator.core.values import Value, hexed, show, storage_class

NUL_SYMBOL = "\u2400"


@dataclass(frozen=True)
class Reject:
    """A row that is not loadable: which one, which column's value, and why."""

    table: str
    key: dict[str, object]
    column: str | None
    storage_class: str | None
    value_hex: str | None
    reason: str
    rowid: int | None = None
    identity: object = None  # how verification recognises the row: see WorkTable.identity_of

    def line(self) -> dict[str, object]:
        """As it stands in rejects.jsonl."""
        return {
            "table": self.table,
            "key": self.key,
            "rowid": self.rowid,
            "column": self.column,
            "storage_class": self.storage_class,
            "value_hex": self.value_hex,
            "reason": self.reason,
            "identity": _written(self.identity),
        }


@dataclass(frozen=True)
class Healed:
    """A value that was changed by an explicit policy."""

    table: str
    key: dict[str, object]
    column: str
    policy: str
    identity: object = None

    def line(self) -> dict[str, object]:
        """As it stands in healed.jsonl."""
        return {
            "table": self.table,
            "key": self.key,
            "column": self.column,
            "policy": self.policy,
            "identity": _written(self.identity),
        }


def _written(identity: object) -> object:
    """JSON has no bytes; keys that hold some are written in hexadecimal with a mark."""
    if isinstance(identity, tuple):
        return [_written(item) for item in identity]
    return {"bytes": identity.hex()} if isinstance(identity, bytes) else identity


def read_identity(identity: object) -> object:
    """The inverse of how an identity is written."""
    if isinstance(identity, list):
        return tuple(map(read_identity, identity))
    return bytes.fromhex(identity["bytes"]) if isinstance(identity, dict) else identity


class RowReject(ValueError):
    """One column of a row does not fit, and its policy is to reject the row."""

    def __init__(self, column: ColumnPlan, value: Value, reason: str) -> None:
        super().__init__(reason)
        self.column = column.source
        self.storage_class = storage_class(value)
        self.value_hex = hexed(value) if not hasattr(value, "size_bytes") else show(value)
        self.reason = reason


@dataclass(frozen=True)
class Cell:
    """One column on its way: the plan's line and the conversion made from it."""

    plan: ColumnPlan
    conversion: Conversion
    required: bool  # NOT NULL in the target

    def carry(self, value: Value) -> tuple[object, str | None]:
        """(PostgreSQL value, policy that healed it or None). Raises RowReject."""
        try:
            return self._required(value, self.conversion.forward(value)), None
        except Unfit as error:
            healed = self.heal(value)
            if healed is value:
                raise RowReject(self.plan, value, str(error)) from error
            try:
                return self._required(value, self.conversion.forward(healed)), self.plan.policy.value
            except Unfit as second:
                raise RowReject(self.plan, value, str(second)) from second

    def _required(self, value: Value, converted: object) -> object:
        if converted is None and self.required:
            raise RowReject(self.plan, value, "NULL in a column that is NOT NULL")
        return converted

    def heal(self, value: Value) -> Value:
        """What the policy makes of a value that does not fit; the same object where it makes nothing of it."""
        if self.plan.policy is Policy.NULL_IF_EMPTY and value == "":
            return None
        if isinstance(value, str) and "\0" in value:
            if self.plan.policy is Policy.STRIP_NUL:
                return value.replace("\0", "")
            if self.plan.policy is Policy.REPLACE_NUL:
                return value.replace("\0", NUL_SYMBOL)
        return value

    def expected(self, value: Value) -> tuple[Value, bool]:
        """(what the inverse should return for this source value, whether a policy healed it). Raises Unfit."""
        try:
            self.conversion.forward(value)
        except Unfit:
            healed = self.heal(value)
            if healed is value:
                raise
            return self._canonical(healed), True
        return self._canonical(value), False

    def _canonical(self, value: Value) -> Value:
        return self.conversion.canonical(value) if self.conversion.canonical else value
