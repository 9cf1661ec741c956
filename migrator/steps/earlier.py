"""A run that left rows out, and whose plan or source was mended since: its tables give way without --replace.

They do so only while they are exactly what that run has placed, for then nothing is lost with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg

from migrator.core.errors import Occupied, TargetError
from migrator.run_folder import newest_placed
from migrator.target.catalog import belongings
from migrator.target.connection import Target, connect, target_errors
from migrator.target.standing import Marks, read_marks

REPLACE = "--replace replaces these tables, whatever they hold."


@dataclass(frozen=True)
class PlacedTables:
    """`marks` are of the tables and views that the run has placed, `relations` those and what belongs to them."""

    run: Path
    schema: str
    marks: Marks
    relations: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.marks)

    def check(self, connection: psycopg.Connection) -> None:
        """Raise TargetError where somebody has changed the tables since this run began."""
        if changed := _changed(self.marks, read_marks(connection, self.schema, self.marks)):
            raise TargetError(
                f"Somebody has changed {', '.join(changed)} while the new tables were built.",
                f"{self.run.name} had placed them; they are left as they are.",
                f"Stop the application. {REPLACE}",
            )


def give_way(occupied: Occupied, source: Path, target: Target, runs: Path) -> PlacedTables:
    """What the earlier run has placed. Raises `occupied` where there is none, with a reason where it is another now."""
    newest = newest_placed(runs, source, target.shown)
    if newest is None or not newest[1].get("standing"):  # which is written where rows were left out
        raise occupied
    folder, outcome = newest
    marks: dict[str, str] = outcome["standing"]
    schema = str(outcome["schema"])
    connection = connect(target)
    try:
        with target_errors(target, "a look at the tables of an earlier run"):
            if changed := _changed(marks, read_marks(connection, schema, marks)):
                why = f"{folder.path.name} has placed its tables there; {', '.join(changed)} changed since."
                raise Occupied(occupied.what, why, REPLACE)
            relations = {*marks, *belongings(connection, schema, marks)}
        return PlacedTables(folder.path, schema, marks, frozenset(relations))
    finally:
        connection.close()


def _changed(before: Marks, now: Marks) -> list[str]:
    return [name for name, mark in before.items() if now.get(name) != mark]
