"""The PostgreSQL types a plan may name, under one spelling each."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ALIASES = {
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float8": "double precision",
    "decimal": "numeric",
    "character varying": "varchar",
    "character": "char",
    "bool": "boolean",
    "time without time zone": "time",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
_ARGUMENTS = {"numeric": 2, "varchar": 1, "char": 1}
KNOWN = (
    "smallint",
    "integer",
    "bigint",
    "double precision",
    "numeric",
    "text",
    "varchar",
    "char",
    "bytea",
    "boolean",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "json",
    "jsonb",
    "text[]",
)
_SHAPE = re.compile(r"(?P<name>[a-z0-9 ]+?(?:\[\])?)\s*(?:\(\s*(?P<arguments>\d+(?:\s*,\s*\d+)?)\s*\))?")


@dataclass(frozen=True)
class PgType:
    name: str
    arguments: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"({','.join(map(str, self.arguments))})" if self.arguments else "")

    @property
    def is_text(self) -> bool:
        return self.name in ("text", "varchar", "char")


def parse_type(text: str) -> PgType:
    """The type of that name. Raises ValueError for a type the migrator does not write, and says which it does."""
    match = _SHAPE.fullmatch(text.strip().lower())
    name = match["name"].strip() if match else ""
    name = _ALIASES.get(name, name)
    if match is None or name not in KNOWN:
        hint = "real holds 24 bits of a double's 53; use double precision" if name in ("real", "float4") else ""
        raise ValueError(f"unknown type {text!r}: {hint or 'one of ' + ', '.join(KNOWN)}")
    arguments = tuple(int(part) for part in (match["arguments"] or "").split(",") if part)
    if len(arguments) > _ARGUMENTS.get(name, 0):
        raise ValueError(f"{name} takes no arguments like those in {text!r}")
    if name == "numeric" and len(arguments) == 1:
        arguments = (arguments[0], 0)
    return PgType(name, arguments)
