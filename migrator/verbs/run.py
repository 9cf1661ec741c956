"""run: from SQLite into PostgreSQL, and the way back."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.core.errors import UsageError
from migrator.core.plan import Style
from migrator.options import JSON, PASSWORD, STALL, WORKERS, decided_by, planning_options
from migrator.shell import Output, Verb, handled
from migrator.verbs.placing import RUN_DIR, Placing, placing_options
from migrator.verbs.way_back import is_way_back, run_back


@click.command(cls=Verb)
@click.argument("place", metavar="SOURCE")
@click.argument("target", required=False)
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="The plan; without one, a fresh one is made."
)
@planning_options
@placing_options
@RUN_DIR
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path),
    help="The way back: the run whose tables come back. Default: the newest one into SOURCE.",
)
@PASSWORD
@STALL
@JSON
@WORKERS
@handled
def run(
    place: str, target: str | None, plan_file: Path | None, style: str, zone: str, target_schema: str, profile: str,
    into_existing: bool, replace: bool, dry_run: bool, yes: bool, run_dir: Path, run_folder: Path | None,
    password_file: Path | None, stall_timeout: float, workers: int, output: Output,
) -> int:  # fmt: skip
    """Copy the database into PostgreSQL, prove it, and only then put it in place.

    Everything is built in a staging schema from one snapshot of the source, while the application goes on writing.
    Every row is then compared with the source, value by value; only if nothing differs are the tables moved into the
    target schema, in one transaction. On any error the target stays as it was.

    Whatever interrupts it, the same command goes on: rows that have arrived are compared with the source as it is then,
    and only what has changed or is missing is copied. See migrator status.

    TARGET is a URL or connection string without a password, or env:VARIABLE with the whole URL in that variable.
    Passwords come from PGPASSFILE, a service file or --password-file. Without TARGET an embedded PostgreSQL is used,
    with its data beside the source (install metastore-migrator[embedded]).

    Rows that do not fit are written to rejects.jsonl in the run folder, and the exit code is 3. Edit the plan as
    migrator rejects shows, and give the same command again: the new tables take the place of those that the run has
    placed, as long as these are what they were.

    The way back: where SOURCE is a PostgreSQL database, TARGET is a SQLite file to make. The plan of the earlier run
    says what every value was; the schema is that of the original file. Without an earlier run, or with --schema, the
    tables are made as PostgreSQL's catalog describes them. The file gets its name when every row has been compared.

    Examples:
      migrator run app.db postgresql://db.example.org/app --plan plan.toml
      DATABASE_URL=… migrator run app.db env:DATABASE_URL
      migrator run home-assistant_v2.db postgresql://ha@localhost/homeassistant --replace
      migrator run app.db
      migrator run postgresql://db.example.org/app app-again.db
    """
    if is_way_back(place):
        return run_back(
            place, target, target_schema, run_folder, run_dir, password_file, stall_timeout, workers, output,
            replace=replace, dry_run=dry_run, yes=yes,
        )  # fmt: skip
    if run_folder:
        raise UsageError("--run is for the way back, from PostgreSQL into a file.", next_step="Leave it out.")
    from migrator.steps.finished import stamp_of
    from migrator.steps.plan import PlanRequest
    from migrator.steps.run import RunRequest
    from migrator.steps.run import run as run_step

    decided_by(plan_file)
    source = Path(place)
    planning = PlanRequest(source, Style(style), zone, target_schema, profile, workers)
    placing = Placing(
        target, password_file, into_existing, replace, dry_run, yes, run_dir, stall_timeout, workers
    )  # fmt: skip
    return placing.carry(
        source,
        source,
        stamp_of(source, plan_file, planning),
        output,
        lambda common: run_step(
            RunRequest(source=source, plan=plan_file, planning=planning, **common), output.progress()
        ),
    )
