"""run, where SOURCE is a PostgreSQL database: the way back into a SQLite file."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from migrator.core.errors import DecisionNeeded, ExitCode, UsageError
from migrator.shell import Output

_OTHER_WAY = {
    "plan_file": "--plan",
    "style": "--style",
    "zone": "--zone",
    "profile": "--profile",
    "into_existing": "--into-existing",
}


def is_way_back(source: str) -> bool:
    """Whether SOURCE names a database of a server. A file of that name is a file."""
    from migrator.target.connection import is_database

    with contextlib.suppress(OSError):  # longer than a file's name can be
        return is_database(source) and not Path(source).exists()
    return True


def run_back(
    source: str, file: str | None, schema: str, run: Path | None, run_dir: Path, password_file: Path | None,
    stall_timeout: float, workers: int, output: Output, *, replace: bool, dry_run: bool, yes: bool,
) -> int:  # fmt: skip
    """Carry the tables back, and say what came of it. Returns the exit code."""
    from migrator import report
    from migrator.run_folder import create_run_folder, new_run_id
    from migrator.steps.resume import named_target
    from migrator.steps.reverse import Returned, ReverseRequest, reverse
    from migrator.steps.watchdog import Watchdog
    from migrator.target.connection import resolve_target

    path = _file(file)
    chosen = schema if _given("target_schema") else None
    if chosen and run:
        raise UsageError("--schema and --run contradict each other.", "The run has its own schema.", "Leave one out.")
    run_id = new_run_id()
    server = named_target(resolve_target(source, password_file, named="SOURCE"), run_id)

    def outcome(returned: Returned) -> dict[str, Any]:
        return report.returned_body(returned, server.shown)

    with Watchdog(server, stall_timeout) as watchdog:
        confirm = None if yes else watchdog.pausing(_ask)
        folder = create_run_folder(run_dir, path, run_id)
        request = ReverseRequest(
            server, path, run_id, folder, run, run_dir, chosen, outcome, replace, dry_run, confirm, workers
        )
        returned = reverse(request, output.progress())
    if output.json:
        click.echo(report.to_json("way-back", outcome(returned)))
    else:
        report.show_returned(output.out, returned)
    return ExitCode.MISMATCH if returned.rejects else ExitCode.OK


def _file(text: str | None) -> Path:
    from migrator.target.connection import is_database

    if given := [option for name, option in _OTHER_WAY.items() if _given(name)]:
        raise UsageError(
            f"{given[0]} is for the way from SQLite to PostgreSQL.",
            "SOURCE is a PostgreSQL database, so the way is back into a file.",
            f"Leave {given[0]} out.",
        )
    if text is None:
        raise UsageError("TARGET is missing.", next_step="Name the SQLite file to make: migrator run SOURCE app.db")
    if is_database(text):
        raise UsageError(
            "SOURCE and TARGET are both databases of a server.",
            "Migrator carries between SQLite and PostgreSQL.",
            "Name a SQLite file as one of them.",
        )
    path = Path(text)
    return path.resolve() if path.is_symlink() else path.absolute()


def _given(name: str) -> bool:
    context = click.get_current_context()
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _ask(path: Path, kept: Path) -> None:
    what = f"{path} would be replaced, and kept as {kept.name}."
    if not sys.stdin.isatty():
        raise DecisionNeeded(what, next_step="Add --yes.")
    if not click.confirm(f"Replace {path}? What is there now is kept as {kept.name}.", err=True):
        raise DecisionNeeded("Nothing was done.", "The question was answered with no.")
