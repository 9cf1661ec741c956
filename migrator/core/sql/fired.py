"""Statements on a table that has triggers: whether these do the same in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from migrator.core.model import Affinity, fold
from migrator.core.sql.scope import Fires, TableScope, Untranslatable

_EVENTS: dict[type[exp.Expr], str] = {exp.Insert: "INSERT", exp.Update: "UPDATE", exp.Delete: "DELETE"}
_RULE = "trigger"


def require_fired_alike(node: exp.Expr, table: TableScope, resolution: str | None) -> None:
    """Raises Untranslatable. `resolution` is the word behind OR."""
    event = _EVENTS[type(node)]
    if table.is_view:
        _require_instead(node, table, event, resolution)
    if not table.fires:
        return
    if resolution == "REPLACE":
        raise Untranslatable("OR REPLACE on a table with triggers: another of them would fire", _RULE)
    fired = list(_fired(node, table, event))
    if any(fires.chooses for fires in fired) and (resolution or _updates_instead(node)):
        raise Untranslatable("a conflict clause, which in SQLite goes for the statements of the triggers too", _RULE)
    if any(fires.recounts for fires in fired) and _updates_instead(node):
        raise Untranslatable("DO UPDATE on a table whose triggers look at its other rows", _RULE)
    changed = frozenset().union(*(fires.touches for fires in fired))
    if seen := changed & set(_read_by_rows(node)):
        raise Untranslatable(f"a query over {min(seen)}, which the table's triggers change from row to row", _RULE)


def without_affinities(table: TableScope) -> TableScope:
    """A view as its trigger sees a new row: the values are what the statement gives, and no column converts them."""
    columns = {name: replace(column, affinity=Affinity.BLOB) for name, column in table.columns.items()}
    return replace(table, columns=columns)


def _require_instead(node: exp.Expr, table: TableScope, event: str, resolution: str | None) -> None:
    if event not in table.fires:
        raise Untranslatable(f"{event} on a view without an INSTEAD OF trigger for it that is carried", _RULE)
    if resolution or node.args.get("conflict") or node.args.get("returning"):
        raise Untranslatable("a conflict clause or RETURNING on a view", _RULE)


def _fired(node: exp.Expr, table: TableScope, event: str) -> Iterator[Fires]:
    events = {event, "UPDATE"} if _updates_instead(node) else {event}
    yield from (fires for name, fires in table.fires.items() if name in events)


def _updates_instead(node: exp.Expr) -> bool:
    conflict = node.args.get("conflict")
    return bool(conflict and conflict.expressions)


def _read_by_rows(node: exp.Expr) -> Iterator[str]:
    """What SQLite reads for one row after the other; the rows themselves it has found before."""
    parts = [node.args.get("conflict"), node.args.get("returning")]
    parts += node.expressions if isinstance(node, exp.Update) else []
    inside = [part for part in parts if part is not None and any(part.find_all(exp.Select))]
    tables = [table for part in inside for table in part.find_all(exp.Table)]
    tables += list(node.args["with_"].find_all(exp.Table)) if inside and node.args.get("with_") else []
    yield from (fold(table.name) for table in tables)
