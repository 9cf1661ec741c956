"""The staging schema: everything is built and proven in it, then moved into place in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from migrator.core.errors import Occupied
from migrator.core.findings import count_of
from migrator.target.catalog import belongings, relations, types
from migrator.target.connection import execute, set_search_path

PREFIX = "migrator_staging_"
_REPLACED = {"table", "view", "materialized view"}


@dataclass(frozen=True)
class Placement:
    """Where the tables and views go, and what may be there already."""

    schema: str
    into_existing: bool = False
    replace: bool = False


def check_room(
    connection: psycopg.Connection,
    placement: Placement,
    names: Iterable[str],
    shown: str,
    leaving: Set[str] = frozenset(),
    rows: Set[str] = frozenset(),
) -> None:
    """Raise TargetError where the target schema holds something that is in the way, before anything is built.

    What is `leaving` is dropped in the end, and so is in nobody's way. `rows` are those of the names that are tables
    and views, so that a type may not have them either.
    """
    present = {name: kind for name, kind in relations(connection, placement.schema).items() if name not in leaving}
    if present and not placement.replace and not placement.into_existing:
        raise Occupied(
            f"The schema {placement.schema} in {shown} is not empty.",
            f"It holds {_listed(present)}.",
            "Choose an empty database, --into-existing to add beside them, or --replace to replace the same names.",
        )
    replaced = doomed(connection, placement, set(rows))
    going = {*replaced, *belongings(connection, placement.schema, replaced)}
    taken = {name: kind for name, kind in types(connection, placement.schema).items() if name in rows}
    taken |= {name: present[name] for name in names if name in present and name not in going}
    if taken:
        raise Occupied(
            f"{count_of(len(taken), 'name is', 'names are')} taken in the schema {placement.schema} of {shown}.",
            f"It holds {_listed(taken)}.",
            _ways_out(connection, placement, set(rows), taken),
        )


def _ways_out(connection: psycopg.Connection, placement: Placement, rows: set[str], taken: Mapping[str, str]) -> str:
    replaced = doomed(connection, replace(placement, replace=True), rows)
    if not placement.replace and taken.keys() <= {*replaced, *belongings(connection, placement.schema, replaced)}:
        return "Use --replace to replace them, or give the tables other names in the plan."
    return "--replace leaves these: drop or rename them, or put the tables into another schema."


def _listed(present: Mapping[str, str], most: int = 6) -> str:
    """Tables before the rest, which mostly belongs to them."""
    indexes = [f"index {name}" for name, kind in sorted(present.items()) if kind == "index"]
    names = [f"{kind} {name}" for name, kind in sorted(present.items()) if kind != "index"] or indexes
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def create(connection: psycopg.Connection, staging: str) -> None:
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(staging)))


def rehearse_create(connection: psycopg.Connection, run_id: str) -> None:
    """Make a schema and roll back. Raises psycopg.Error where the role or the server does not allow it."""
    with connection.transaction(force_rollback=True):
        create(connection, f"{PREFIX}{run_id}_rehearsal")


def size_bytes(connection: psycopg.Connection, run_id: str) -> int:
    """What the run's tables and indexes take on the server's disk."""
    row = connection.execute(
        "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'",
        (PREFIX + run_id,),
    ).fetchone()
    return int(row[0]) if row else 0


def discard(connection: psycopg.Connection, staging: str) -> None:
    """Remove the staging schema and all that is in it; nothing outside can depend on it."""
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(staging)))


def move_into_place(
    connection: psycopg.Connection,
    staging: str,
    placement: Placement,
    tables: Sequence[str],
    views: Sequence[str],
    obsolete: Sequence[str] = (),
    final: Sequence[str] = (),
    guard: Callable[[], None] | None = None,
) -> None:
    """The rename, in one transaction: either all tables and views are in the target schema afterwards, or none.

    `obsolete` tables are dropped first, and with `replace` tables and views of the same names too; PostgreSQL refuses
    where something else depends on them. `guard` looks at the obsolete ones when nobody can write to them any more.
    `final` statements give owners and grants and make triggers. Raises psycopg.Error, and then nothing has changed.
    """
    with connection.transaction():
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (placement.schema,)).fetchone():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(placement.schema)))
        if obsolete:
            _lock(connection, placement.schema, obsolete)
        if guard:
            guard()
        _drop(connection, placement.schema, {*obsolete, *((*tables, *views) if placement.replace else ())})
        for kind, names in (("TABLE", tables), ("VIEW", views)):
            statement = sql.SQL("ALTER {} {} SET SCHEMA {}")
            for name in names:
                connection.execute(
                    statement.format(sql.SQL(kind), sql.Identifier(staging, name), sql.Identifier(placement.schema))
                )
        connection.execute(sql.SQL("DROP SCHEMA {} RESTRICT").format(sql.Identifier(staging)))
        set_search_path(connection, placement.schema)
        for text in final:
            execute(connection, text)


def doomed(connection: psycopg.Connection, placement: Placement, names: set[str]) -> list[str]:
    """What --replace would drop."""
    if not placement.replace:
        return []
    present = relations(connection, placement.schema)
    return sorted(name for name in names if present.get(name) in _REPLACED)


def rehearse_drop(
    connection: psycopg.Connection, placement: Placement, names: set[str], owners: Iterable[str] = ()
) -> None:
    """Drop, and give a table to each owner; then roll back.

    Raises psycopg.Error where something outside depends on what would be dropped, or where a role may not be used.
    """
    with connection.transaction(force_rollback=True):
        _drop(connection, placement.schema, names)
        for number, owner in enumerate(sorted(owners)):
            table = sql.Identifier(placement.schema, f"{PREFIX}{number}")
            connection.execute(sql.SQL("CREATE TABLE {} ()").format(table))
            connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(table, sql.Identifier(owner)))


def _lock(connection: psycopg.Connection, schema: str, tables: Sequence[str]) -> None:
    names = sql.SQL(", ").join(sql.Identifier(schema, name) for name in tables)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))


def _drop(connection: psycopg.Connection, schema: str, names: set[str]) -> None:
    present = relations(connection, schema)
    for kind in ("view", "materialized view", "table"):
        doomed = [sql.Identifier(schema, name) for name in sorted(names) if present.get(name) == kind]
        if doomed:
            statement = sql.SQL("DROP {} {} RESTRICT").format(sql.SQL(kind.upper()), sql.SQL(", ").join(doomed))
            connection.execute(statement)
