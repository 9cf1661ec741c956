"""Tables as PostgreSQL's catalog describes them: to compare with, to write down, and to build the same again.

Every definition is unqualified and in the words of pg_get_constraintdef() and pg_get_indexdef(), which PostgreSQL 12
and later read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from migrator.core.blueprint import Phase, Statement
from migrator.core.names import quote_identifier, quote_literal

PUBLIC = "PUBLIC"


@dataclass(frozen=True)
class ColumnShape:
    """`sequence` is the one that belongs to the column: an identity's, or that of a nextval() default."""

    name: str
    type: str
    collation: str | None = None
    not_null: bool = False
    default: str | None = None
    identity: bool = False
    generated: bool = False
    sequence: str | None = None

    @property
    def numbered(self) -> bool:
        """Whether PostgreSQL itself gives the values out: as an identity, or as what is called serial."""
        return self.identity or (self.sequence is not None and (self.default or "").startswith("nextval("))


@dataclass(frozen=True)
class ReferenceShape:
    """A foreign key; its definition stands among the constraints under the same name."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """`role` None is everybody; `column` None is the whole object; `name` is a table or a sequence."""

    kind: str
    name: str
    column: str | None
    privilege: str
    role: str | None
    grantable: bool

    def sql(self) -> str:
        column = f" ({quote_identifier(self.column)})" if self.column else ""
        role = PUBLIC if self.role is None else quote_identifier(self.role)
        option = " WITH GRANT OPTION" if self.grantable else ""
        return f"GRANT {self.privilege}{column} ON {self.kind} {quote_identifier(self.name)} TO {role}{option}"


@dataclass(frozen=True)
class Shape:
    """One table. `invalid` names what is not in force; owner and grants are empty where the shape was written down."""

    name: str
    columns: tuple[ColumnShape, ...]
    constraints: tuple[tuple[str, str], ...]
    indexes: tuple[tuple[str, str], ...]
    invalid: tuple[str, ...] = ()
    references: tuple[ReferenceShape, ...] = ()
    storage: tuple[str, ...] = ()  # storage parameters such as fillfactor=70
    owner: str = ""
    grants: tuple[Grant, ...] = ()

    def parts(self) -> dict[str, str]:
        """Everything that can be compared one by one: what it is called → how it is defined."""
        parts = {f"column {column.name}": _described(column) for column in self.columns}
        parts |= {f"constraint {name}": definition for name, definition in self.constraints}
        parts |= {f"index {name}": definition for name, definition in self.indexes}
        return parts | {f"{name} in force": "no" for name in self.invalid}

    def column(self, name: str) -> ColumnShape | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def relations(self) -> set[str]:
        """The names that the table takes in its schema: its own, its indexes' and its sequences'."""
        sequences = {column.sequence for column in self.columns if column.sequence}
        return {self.name, *(name for name, _ in self.indexes), *sequences}


def _described(column: ColumnShape) -> str:
    words = [column.type]
    if column.collation:
        words.append(f'COLLATE "{column.collation}"')
    if column.not_null:
        words.append("NOT NULL")
    if column.identity:
        words.append("IDENTITY")
    if column.default:
        words.append(("GENERATED " if column.generated else "DEFAULT ") + column.default)
    return " ".join(words)


# -- written down ------------------------------------------------------------------------------------------------------


def to_json(shapes: Mapping[str, Shape]) -> str:
    """A list of tables by name; what is empty is left out."""
    tables = [_lean(asdict(shapes[name])) for name in sorted(shapes)]
    return json.dumps(tables, indent=1, ensure_ascii=False) + "\n"


def _lean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lean(item) for key, item in value.items() if item not in (None, False, "", ())}
    return [_lean(item) for item in value] if isinstance(value, tuple) else value


def from_json(text: str) -> dict[str, Shape]:
    """The inverse of to_json. Raises ValueError, KeyError or TypeError for another text."""
    return {item["name"]: _shape(item) for item in json.loads(text)}


def _shape(item: dict[str, Any]) -> Shape:
    values: dict[str, Any] = {"constraints": (), "indexes": ()} | _tuples(item)
    for key, kind in (("columns", ColumnShape), ("references", ReferenceShape), ("grants", Grant)):
        values[key] = tuple(_entry(kind, entry) for entry in values.get(key, ()))
    return Shape(**values)


def _entry(kind: type, values: dict[str, Any]) -> Any:
    absent = {"column": None, "role": None, "grantable": False} if kind is Grant else {}
    return kind(**absent | values)


def _tuples(value: Any) -> Any:
    """JSON knows lists only; shapes are compared as tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def portable(shape: Shape) -> Shape:
    """The shape without what belongs to one server: its roles."""
    return replace(shape, owner="", grants=())


# -- built again -------------------------------------------------------------------------------------------------------


def statements(shapes: Iterable[Shape]) -> list[Statement]:
    """What builds the tables under the same names; keys are unique indexes first, so that they build in parallel."""
    listed = list(shapes)
    return [
        *(statement for shape in listed for statement in _table(shape)),
        *(statement for shape in listed for statement in _indexes(shape)),
        *(statement for shape in listed for statement in _foreign_keys(shape)),
    ]


def ownership(shapes: Iterable[Shape]) -> list[str]:
    """What gives the tables their owner and their grants; sequences follow their table's owner."""
    texts = []
    for shape in shapes:
        if shape.owner:
            texts.append(f"ALTER TABLE {quote_identifier(shape.name)} OWNER TO {quote_identifier(shape.owner)}")
        texts += [grant.sql() for grant in shape.grants]
    return texts


def _table(shape: Shape) -> list[Statement]:
    serial = [column for column in shape.columns if column.numbered and not column.identity]
    table = quote_identifier(shape.name)
    body = ",\n    ".join(_column(shape.name, column) for column in shape.columns)
    storage = f" WITH ({', '.join(map(_storage, shape.storage))})" if shape.storage else ""
    made = [
        Statement(Phase.TABLE, shape.name, str(column.sequence), f"CREATE SEQUENCE {quote_identifier(column.sequence)}")
        for column in serial
        if column.sequence
    ]
    made.append(Statement(Phase.TABLE, shape.name, shape.name, f"CREATE TABLE {table} (\n    {body}\n){storage}"))
    return made + [
        Statement(
            Phase.TABLE,
            shape.name,
            column.sequence,
            f"ALTER SEQUENCE {quote_identifier(column.sequence)} OWNED BY {table}.{quote_identifier(column.name)}",
        )
        for column in serial
        if column.sequence
    ]


def _storage(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    return f"{name}={quote_literal(value)}"


def _column(table: str, column: ColumnShape) -> str:
    parts = [quote_identifier(column.name), column.type]
    if column.collation:
        parts.append(f"COLLATE {quote_identifier(column.collation)}")
    if column.not_null:
        parts.append("NOT NULL")
    if column.identity:
        parts.append("GENERATED BY DEFAULT AS IDENTITY")
        if column.sequence and column.sequence != f"{table}_{column.name}_seq":
            parts.append(f"(SEQUENCE NAME {quote_identifier(column.sequence)})")
    elif column.generated:
        parts.append(f"GENERATED ALWAYS AS ({column.default}) STORED")
    elif column.default:
        parts.append(f"DEFAULT {column.default}")
    return " ".join(parts)


def _indexes(shape: Shape) -> list[Statement]:
    keys = {name: text for name, text in shape.constraints if text.startswith(("PRIMARY KEY", "UNIQUE"))}
    table, made = quote_identifier(shape.name), []
    for name, definition in shape.indexes:
        add = f"ALTER TABLE {table} ADD CONSTRAINT {quote_identifier(name)} "
        printed = add + keys[name] if name in keys else None
        made.append(Statement(Phase.INDEX, shape.name, name, definition, printed=printed))
        if name in keys:
            kind = "PRIMARY KEY" if keys[name].startswith("PRIMARY") else "UNIQUE"
            deferrable = keys[name].rpartition(")")[2]
            attach = f"{add}{kind} USING INDEX {quote_identifier(name)}{deferrable}"
            made.append(Statement(Phase.KEY, shape.name, name, attach, printed=""))
    return made + [
        Statement(Phase.KEY, shape.name, name, f"ALTER TABLE {table} ADD CONSTRAINT {quote_identifier(name)} {text}")
        for name, text in shape.constraints
        if text.startswith("CHECK")
    ]


def _foreign_keys(shape: Shape) -> list[Statement]:
    table, made = quote_identifier(shape.name), []
    for name, text in shape.constraints:
        if text.startswith("FOREIGN KEY"):
            definition = text.removesuffix(" NOT VALID")
            added = f"ALTER TABLE {table} ADD CONSTRAINT {quote_identifier(name)} {definition}"
            validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote_identifier(name)}"
            made.append(
                Statement(
                    Phase.FOREIGN_KEY,
                    shape.name,
                    name,
                    f"{added} NOT VALID",
                    validate=validate if definition == text else None,
                    printed=added if definition == text else f"{added} NOT VALID",
                )
            )
    return made
