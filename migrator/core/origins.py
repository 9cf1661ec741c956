"""What a table was in SQLite, as the comments in the target say it: for people, and for who speaks SQLite to it later.

A table's comment has its name and its definition, a column's the name, the declared type and, where the type alone does
not say how SQLite spelled the values, the options of its conversion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from migrator.core.convert import NO_OPTIONS, Options
from migrator.core.model import Column, Table

_TABLE, _VIEW, _TRIGGER, _COLUMN = "SQLite table ", "SQLite view ", "SQLite trigger ", "SQLite: "


def table_origin(table: Table) -> str:
    """The name, and in the lines below it what made the table and its indexes."""
    indexes = [index.sql for index in table.indexes if index.sql]
    return _TABLE + table.name + "".join(f"\n{sql};" for sql in (table.sql, *indexes))


def view_origin(name: str, sql: str) -> str:
    return f"{_VIEW}{name}\n{sql};"


def trigger_origin(name: str, sql: str) -> str:
    return f"{_TRIGGER}{name}\n{sql};"


def column_origin(column: Column, options: Options) -> str:
    """One line for people; options stand in a second one."""
    declared = f" {column.declared_type}" if column.declared_type else ""
    collated = f" COLLATE {column.collation}" if column.collation != "BINARY" else ""
    said = {name: value for name, value in asdict(options).items() if value is not None}
    written = "" if options == NO_OPTIONS else f"\n{json.dumps(said, ensure_ascii=False)}"
    return f"{_COLUMN}{column.name}{declared}{collated}{written}"


def read_origin(comment: str | None) -> tuple[str, str] | None:
    """The name of the table, view or trigger, and what made it; None where the comment is not one of these."""
    kind = next((kind for kind in (_TABLE, _VIEW, _TRIGGER) if comment and comment.startswith(kind)), None)
    if comment is None or kind is None:
        return None
    name, found, rest = comment.partition("\nCREATE")
    return (name.removeprefix(kind), f"CREATE{rest}") if found else None


def read_options(comment: str) -> Options:
    """The options in a column's comment. Raises ValueError or TypeError where somebody has written something else."""
    _, found, written = comment.rpartition("\n{")
    return Options(**json.loads("{" + written)) if found else NO_OPTIONS


def columns_by_origin(table: Table, comments: Mapping[str, str]) -> dict[str, str]:
    """Target column → source column, for every column whose comment begins as column_origin() writes it."""
    heads = {column_origin(column, NO_OPTIONS): column.name for column in table.columns}
    found = {name: heads.get(text.rpartition("\n{")[0] or text) for name, text in comments.items()}
    return {name: source for name, source in found.items() if source is not None}
