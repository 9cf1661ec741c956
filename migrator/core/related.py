"""The part of a schema that has to do with some tables, through foreign keys, views and triggers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from migrator.core.model import Schema, fold
from migrator.core.sql.lexer import LexError, tokens


def related(schema: Schema, *names: str) -> Schema:
    """These tables, what they refer to or are read and written with, and so on; its order is the schema's.

    A view or trigger has to do with every name among its words, and a table with its foreign keys' parents: whatever
    is outside of the part says nothing of what is inside, and the other way round.
    """
    found = _connected(schema, {*map(fold, names)})
    return replace(
        schema,
        tables=tuple(table for table in schema.tables if fold(table.name) in found),
        views=tuple(view for view in schema.views if fold(view.name) in found),
        triggers=tuple(trigger for trigger in schema.triggers if fold(trigger.table) in found),
    )


def _connected(schema: Schema, names: set[str]) -> set[str]:
    neighbours = defaultdict[str, set[str]](set)
    for group in _groups(schema):
        for member in group:
            neighbours[member] |= group
    waiting, found = [*names], set(names)
    while waiting:
        new = neighbours[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _groups(schema: Schema) -> Iterator[frozenset[str]]:
    """Names of tables and views that have to do with one another."""
    known = {fold(item.name) for items in (schema.tables, schema.views) for item in items}
    for table in schema.tables:
        yield from (frozenset((fold(table.name), fold(key.parent))) for key in table.foreign_keys)
    yield from (_words(view.sql) & known for view in schema.views)
    yield from (_words(trigger.sql) & known for trigger in schema.triggers)


@lru_cache(maxsize=4096)
def _words(sql: str) -> frozenset[str]:
    try:
        return frozenset(fold(token.value) for token in tokens(sql))
    except LexError:  # SQLite has read it, so there is no such statement; it would have to do with nothing
        return frozenset()
