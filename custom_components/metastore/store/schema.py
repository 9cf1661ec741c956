"""The tables, once for SQLite and PostgreSQL.

`home_id` leads every key, so that many homes share one database, and one day several servers. Times are seconds since
1970 as Home Assistant gives them, exact to the bit; `removed_at`, `at` and `started_at` are by Metastore's own clock.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from ..core.entries import DEVICES, ENTITIES, REGISTRIES, Registry
from .dialects import Json, TextList

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

_TYPES: dict[object, TypeEngine[Any]] = {
    str: Text(),
    int: BigInteger(),
    float: Double(),
    bool: Boolean(create_constraint=False),
    list[str]: TextList(),
    list: Json(),
    dict: Json(),
}


def _home() -> Column[str]:
    return Column("home_id", Text, ForeignKey("homes.home_id"), nullable=False)


homes = Table(
    "homes",
    metadata,
    Column("home_id", Text, primary_key=True, nullable=False),
    Column("name", Text),
    Column("version", Text),
    Column("created_at", Double, nullable=False),
    Column("history_from", Double, nullable=False),
    Column("removed_at", Double),
)


def _table(registry: Registry) -> Table:
    table = Table(
        registry.name,
        metadata,
        _home(),
        *(
            Column(name, _TYPES[kind], nullable=name not in (registry.key, "extra"))
            for name, kind in registry.kinds.items()
        ),
        Column("removed_at", Double),
        PrimaryKeyConstraint("home_id", registry.key),
    )
    if registry in (DEVICES, ENTITIES):
        Index(None, table.c.home_id, table.c.area_id)
    return table


TABLES = {registry.name: _table(registry) for registry in REGISTRIES}

_entities = TABLES[ENTITIES.name]
Index(
    "entities_live_entity_id",
    _entities.c.home_id,
    _entities.c.entity_id,
    unique=True,
    sqlite_where=_entities.c.removed_at.is_(None),
    postgresql_where=_entities.c.removed_at.is_(None),
)
Index(None, _entities.c.home_id, _entities.c.device_id)

syncs = Table(
    "syncs",
    metadata,
    _home(),
    Column("id", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    Column("error", Text),
    PrimaryKeyConstraint("home_id", "id"),
)

changes = Table(
    "changes",
    metadata,
    _home(),
    Column("id", BigInteger, nullable=False),
    Column("sync_id", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("registry", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("fields", Json, nullable=False),
    PrimaryKeyConstraint("home_id", "id"),
)
Index(None, changes.c.home_id, changes.c.registry, changes.c.object_id, changes.c.at)
Index(None, changes.c.home_id, changes.c.at)
