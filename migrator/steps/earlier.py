"""A run that left rows out, and whose plan was mended since: its tables give way to the new ones without --replace.

They do so only while they hold what that run has placed and nothing else, for then nothing is lost with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from migrator.core.errors import MigratorError, Occupied, TargetError
from migrator.core.findings import count_of
from migrator.core.progress import Progress
from migrator.run_folder import RunFolder, ended_runs
from migrator.steps.verify import Verified, VerifyRequest, verify
from migrator.target.catalog import belongings
from migrator.target.connection import Target, connect, target_errors
from migrator.target.standing import Marks, read_marks

REPLACE = "--replace replaces these tables, whatever they hold."


@dataclass(frozen=True)
class PlacedTables:
    """`names` are the tables and views that the run has placed in `schema`, `relations` also what belongs to them."""

    run: Path
    schema: str
    names: tuple[str, ...]
    relations: frozenset[str]
    marks: Marks

    def check(self, connection: psycopg.Connection) -> None:
        """Raise TargetError where somebody has written into the tables since they were compared."""
        if read_marks(connection, self.schema, self.marks) != self.marks:
            raise TargetError(
                f"Somebody has written into the tables that {self.run.name} placed.",
                "They were compared with the source when this run began, and hold something else now.",
                f"Stop the application, and give the same command again. {REPLACE}",
            )


def give_way(
    occupied: Occupied, source: Path, target: Target, runs: Path, workers: int, progress: Callable[[], Progress]
) -> PlacedTables:
    """What the earlier run has placed, compared with the source. Raises `occupied` where there is none like that."""
    folder = _left_rows_out(runs, source, target)
    if folder is None:
        raise occupied
    schema = str((folder.read_outcome() or {})["schema"])
    connection = connect(target)
    try:
        with target_errors(target, "a look at the tables of an earlier run"):
            marks = read_marks(connection, schema)
        verified = _verified(occupied, VerifyRequest(source, target, folder.path, runs, workers), progress())
        names = verified.placed
        with target_errors(target, "a look at the tables of an earlier run"):
            relations = {*names, *belongings(connection, schema, names)}
        kept = {name: mark for name, mark in marks.items() if name in names}
        return PlacedTables(folder.path, schema, names, frozenset(relations), kept)
    finally:
        connection.close()


def _left_rows_out(runs: Path, source: Path, target: Target) -> RunFolder | None:
    """The newest run of that source that has put something into that target, if it has rejected rows."""
    for folder in map(RunFolder, reversed(ended_runs(runs))):
        outcome: dict[str, Any] = folder.read_outcome() or {}
        if outcome.get("schema") and (outcome.get("source"), outcome.get("target")) == (
            str(source.resolve()),
            target.shown,
        ):
            return folder if outcome.get("rejects") else None
    return None


def _verified(occupied: Occupied, request: VerifyRequest, progress: Progress) -> Verified:
    assert request.run
    try:
        verified = verify(request, progress)
    except MigratorError as error:
        why = f"It may hold what {request.run.name} placed, which could not be compared with the source: {error}"
        raise Occupied(occupied.what, why, REPLACE) from None
    if not verified.proof.holds or verified.changed:
        found = "; ".join([*map(str, verified.proof.differences[:3]), *verified.changed[:3]])
        raise Occupied(
            occupied.what,
            f"It is not what {request.run.name} placed, or the source is another since: "
            f"{count_of(verified.proof.differing, 'difference')}. {found}",
            REPLACE,
        )
    return verified
