"""CREATE, DROP and ALTER in an application's code → what the target has for them, and what is known afterwards."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from migrator.adapter.known import Known
from migrator.adapter.translation import decline
from migrator.core.altering import added_sql
from migrator.core.model import Table, fold
from migrator.core.sql.split import SourceStatement


@dataclass(frozen=True)
class Redefinition:
    """The statements to carry out, comments among them, and what is known when they have been."""

    statements: tuple[str, ...]
    known: Known


def redefinition(statement: SourceStatement, known: Known) -> Redefinition | None:
    """None where SQLite would change nothing, because of IF [NOT] EXISTS. Raises sqlite3.NotSupportedError."""
    temporary = len(statement.tokens) > 1 and statement.tokens[1].is_word("TEMP", "TEMPORARY")
    changed = known.after(statement.text)
    if changed.schema == known.schema and not temporary:
        return None
    if statement.begins_with("ALTER"):
        made = _altered(known, changed)
    else:
        before = statement.begins_with("DROP")
        rewritten = (known if before else changed).rewriter().rewrite(statement, "statement")
        if rewritten.output is None:
            decline(rewritten)
        if renamed := _other_triggers(known, changed):
            raise sqlite3.NotSupportedError(f"The trigger {renamed} would have to be made anew for it. (trigger)")
        made = [rewritten.output]
    return Redefinition((*made, *changed.comments(known)), changed)


def _other_triggers(known: Known, changed: Known) -> str | None:
    """A trigger that is there before and afterwards, and would be another one."""
    after = {trigger.source: trigger for trigger in changed.blueprint.triggers}
    there = {trigger.name for trigger in changed.schema.triggers}
    kept = (trigger for trigger in known.blueprint.triggers if trigger.source in there)
    return next((trigger.source for trigger in kept if after.get(trigger.source) != trigger), None)


def _altered(known: Known, changed: Known) -> list[str]:
    """ADD COLUMN; everything else is declined."""
    tables = {fold(table.name): table for table in known.schema.tables}
    differing = [table for table in changed.schema.tables if tables.get(fold(table.name)) != table]
    if len(differing) != 1 or not _has_more_columns(tables.get(fold(differing[0].name)), differing[0]):
        raise sqlite3.NotSupportedError("Of ALTER TABLE only ADD COLUMN is translated. (statement)")
    table = changed.by_source[fold(differing[0].name)]
    return added_sql(known.blueprint, changed.blueprint, table)


def _has_more_columns(before: Table | None, after: Table) -> bool:
    return before is not None and after.columns[: len(before.columns)] == before.columns
