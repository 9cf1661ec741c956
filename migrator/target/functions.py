"""The functions of triggers, which belong to no table: a name that is taken is found out before anything is built."""

from __future__ import annotations

from collections.abc import Sequence, Set

import psycopg
from psycopg import sql

from migrator.core.errors import Occupied
from migrator.core.findings import count_of

_TAKEN = """
SELECT p.proname FROM pg_proc p
WHERE p.pronamespace = to_regnamespace(%(schema)s) AND p.pronargs = 0 AND p.proname = ANY(%(names)s) AND NOT (
    p.prorettype = 'trigger'::regtype
    AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)
    AND NOT EXISTS (
        SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgfoid = p.oid AND NOT (c.relnamespace = p.pronamespace AND c.relname = ANY(%(leaving)s))))
ORDER BY p.proname"""


def check_functions(
    connection: psycopg.Connection, schema: str, names: Sequence[str], leaving: Set[str], shown: str
) -> None:
    """Raise Occupied for a function of such a name, unless all that call it are triggers of tables that are leaving."""
    quoted = sql.Identifier(schema).as_string(connection)
    rows = connection.execute(_TAKEN, {"schema": quoted, "names": list(names), "leaving": sorted(leaving)}).fetchall()
    if rows:
        raise Occupied(
            f"{count_of(len(rows), 'name is', 'names are')} taken in the schema {schema} of {shown}.",
            f"It holds {', '.join(f'the function {name}()' for (name,) in rows[:6])}, as a trigger's would be called.",
            "Drop it, or leave the trigger behind: [triggers.NAME] with drop = true in the plan.",
        )
