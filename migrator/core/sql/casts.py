"""CAST between texts and numbers: SQLite reads what it can of a text, and cuts off where PostgreSQL rounds."""

from __future__ import annotations

from typing import Protocol

from migrator.core.sql import values as v
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value

TYPES = {Kind.INTEGER: "bigint", Kind.REAL: "float8", Kind.TEXT: "text"}


class Caller(Protocol):
    """Who emits the expression."""

    def use_pack(self, what: str) -> None: ...


def cast_sql(caller: Caller, value: Value, kind: Kind) -> str:
    """Raises Untranslatable."""
    if kind is Kind.TEXT:
        return v.text(value)
    if value.kind is Kind.TEXT:
        caller.use_pack(f"CAST of TEXT to {kind}")
        return f"sqlite.{'to_integer' if kind is Kind.INTEGER else 'to_real'}({v.text(value)})"
    found = v.number(value)
    if found.mixed or found.kind is Kind.NUMERIC:
        raise Untranslatable("CAST of a number that is sometimes an integer")
    if found.kind is kind:
        return found.sql
    if kind is Kind.INTEGER:
        caller.use_pack("CAST of REAL to INTEGER, which SQLite stops at 64 bits and PostgreSQL refuses beyond")
        return f"sqlite.to_integer({found.sql})"
    return f"{found.sql}::float8"
