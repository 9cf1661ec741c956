"""The command line: parse, call one step, print, exit. Nothing is decided here."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import click

from migrator.core.errors import ExitCode, UsageError
from migrator.core.findings import count_of
from migrator.core.plan import Style
from migrator.disk import write_text
from migrator.options import ANOTHER, JSON, PASSWORD, RUNS, SOURCE, WORKERS, decided_by, planning_options
from migrator.shell import Group, Output, handled
from migrator.verbs.audit import audit
from migrator.verbs.exchange import export, load
from migrator.verbs.rewrite import rewrite
from migrator.verbs.run import run
from migrator.verbs.telling import report

# Steps are imported by the verb that needs them: the parsers and drivers behind them take a second on a small machine,
# and --help should not.


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("metastore-migrator"), prog_name="migrator")
def cli() -> None:
    """Move any SQLite database to PostgreSQL, and prove that nothing was lost.

    Start with inspect, then plan, then run. Each verb has its own help with examples: migrator run --help

    Exit codes: 0 ok · 1 failure · 2 usage · 3 rejected rows or a mismatch · 4 source · 5 target · 6 interrupted, and
    the same command goes on · 7 needs a decision · 130 interrupted.
    """


@cli.command()
@SOURCE
@JSON
@WORKERS
@handled
def inspect(source: Path, workers: int, output: Output) -> int:
    """Show what a SQLite database holds: its schema, and a census of every column.

    SQLite promises nothing about what a column stores. The census reads every row once and counts storage classes,
    bounds, lengths, formats of dates, JSON and UUIDs, characters PostgreSQL cannot hold, and rows without their parent.
    The file is opened read-only; a database in use can be inspected.

    Examples:
      migrator inspect app.db
      migrator inspect app.db --json | jq '.tables[] | {name, rows}'
    """
    from migrator import report
    from migrator.steps.inspect import inspect as inspect_step

    inspection = inspect_step(source, workers, output.progress())
    if output.json:
        click.echo(report.inspection_json(inspection))
    else:
        report.show_inspection(output.out, inspection)
    return ExitCode.OK


@cli.command()
@SOURCE
@click.option("-o", "--output", "file", type=click.Path(path_type=Path), help="Write the plan there instead of stdout.")
@click.option("--refresh", is_flag=True, help="Add to an existing plan what it lacks; your edits and comments stay.")
@planning_options
@JSON
@WORKERS
@handled
def plan(
    source: Path, file: Path | None, refresh: bool, style: str, zone: str, target_schema: str, profile: str,
    workers: int, output: Output,
) -> int:  # fmt: skip
    """Propose what becomes of every table and column, as a TOML file to review and edit.

    Behind each column stands the evidence of the census, below it the other style's choice as a comment. The file also
    drops, renames and merges tables and columns, and says what happens to values that do not fit.

    Exits with 7 if something has to be decided first: the questions stand at the top of the file.

    Examples:
      migrator plan app.db -o plan.toml
      migrator plan app.db --style idiomatic --zone Europe/Berlin -o plan.toml
      migrator plan app.db -o plan.toml --refresh      (after the application's schema changed)
    """
    from migrator import report
    from migrator.steps.plan import PlanRequest, make_plan

    existing = _existing_plan(file, refresh)
    request = PlanRequest(source, Style(style), zone, target_schema, profile, workers)
    planned = make_plan(request, output.progress(), existing)
    if file is not None:
        write_text(file, planned.text, ANOTHER)
    if output.json:
        body = {"file": str(file) if file else None, "findings": report.finding_json(planned.findings)}
        click.echo(report.to_json("plan", body | {"plan": planned.text}))
    elif file is None:
        click.echo(planned.text, nl=False)
    else:
        report.show_findings(output.out, planned.findings)
        output.out.print(f"plan for {count_of(len(planned.plan.carried), 'table')} written to {file}")
    if planned.decisions:
        questions = count_of(len(planned.decisions), "question needs", "questions need")
        output.err.print(f"{questions} an answer in the plan", style="bold red")
        return ExitCode.DECISION
    return ExitCode.OK


def _existing_plan(file: Path | None, refresh: bool) -> str | None:
    if refresh:
        if file is None or not file.exists():
            raise UsageError("--refresh needs an existing plan.", next_step="Name it with -o plan.toml")
        return file.read_text(encoding="utf-8")
    if file is not None and file.exists():
        raise UsageError(f"{file} exists.", "It may hold decisions of yours.", "Use --refresh to add what it lacks.")
    if file is not None and not file.parent.is_dir():
        raise UsageError(
            f"There is no folder {file.parent} for the plan.", next_step=f"Make it: mkdir -p {file.parent}"
        )
    return None


@cli.command()
@SOURCE
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="The plan; without one, a fresh one is made."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["alembic", "sql", "supabase"]),
    default="sql",
    show_default=True,
    help="Plain SQL, a Supabase migration, or an Alembic revision.",
)
@click.option("--compat", is_flag=True, help="Add SQLite's functions, which rewritten statements may need.")
@click.option("-o", "--output", "file", type=click.Path(path_type=Path), help="Write it there instead of stdout.")
@planning_options
@JSON
@WORKERS
@handled
def schema(
    source: Path, plan_file: Path | None, form: str, compat: bool, file: Path | None, style: str, zone: str,
    target_schema: str, profile: str, workers: int, output: Output,
) -> int:  # fmt: skip
    """Print the SQL that creates the target: tables, keys, indexes, foreign keys, views, triggers.

    Expressions in CHECKs, defaults, generated columns, indexes and views are translated where that is proven; what is
    not carried is listed with its reason and its original text.

    Examples:
      migrator schema app.db
      migrator schema app.db --format supabase -o supabase/migrations/20260101000000_app.sql
      migrator schema app.db --plan plan.toml --format alembic -o versions/0001_app.py
    """
    from migrator import report
    from migrator.steps.plan import PlanRequest
    from migrator.steps.schema import SchemaRequest, print_schema

    decided_by(plan_file)
    planning = PlanRequest(source, Style(style), zone, target_schema, profile, workers)
    printed = print_schema(SchemaRequest(source, plan_file, planning, form, compat), output.progress())
    if file is not None:
        write_text(file, printed.text, ANOTHER)
    if output.json:
        body = {"file": str(file) if file else None, "sql": printed.text}
        click.echo(report.to_json("schema", body | {"findings": report.finding_json(printed.findings)}))
    else:
        report.show_findings(output.err, printed.findings)
        if file is None:
            click.echo(printed.text, nl=False)
    return ExitCode.OK


cli.add_command(run)
cli.add_command(export)
cli.add_command(load)


@cli.command()
@SOURCE
@click.argument("target")
@click.option(
    "--run", "run_folder", type=click.Path(path_type=Path), help="The run folder; default: the newest of SOURCE."
)
@click.option(
    "--run-dir", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="Where run folders are."
)
@PASSWORD
@JSON
@WORKERS
@handled
def verify(
    source: Path, target: str, run_folder: Path | None, run_dir: Path, password_file: Path | None, workers: int,
    output: Output,
) -> int:  # fmt: skip
    """Compare the target with the source as it is now: every row, constraint, index, sequence and view.

    The comparison shares nothing with the copy but the plan: the raw value in SQLite on one side, the inverse of the
    value that PostgreSQL returns on the other, exact in type and bits. What the run rejected or healed is taken into
    account and counted. Exits with 3 if anything else differs.

    Examples:
      migrator verify app.db postgresql://db.example.org/app
      migrator verify app.db env:DATABASE_URL --run migrator-runs/app-20260101_120000_ab12
    """
    from migrator import report
    from migrator.steps.verify import VerifyRequest
    from migrator.steps.verify import verify as verify_step
    from migrator.target.connection import resolve_target

    request = VerifyRequest(source, resolve_target(target, password_file), run_folder, run_dir, workers)
    verified = verify_step(request, output.progress())
    if output.json:
        body = {"run": str(verified.run), "changed": verified.changed}
        click.echo(report.to_json("verification", report.proof_body(verified.proof) | body))
    else:
        for change in verified.changed:
            output.out.print(change, markup=False)
        report.show_proof(output.out, verified.proof)
        output.out.print(f"held against the plan of {verified.run}", markup=False)
    return ExitCode.OK if verified.proof.holds else ExitCode.MISMATCH


@cli.command()
@click.argument("run_folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--run-dir", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="Where run folders are."
)
@JSON
@handled
def rejects(run_folder: Path | None, run_dir: Path, output: Output) -> int:
    """Show what a run could not load: rejected rows in groups, and the line of the plan that would carry them.

    RUN_FOLDER is the folder of a run; default: the newest one. Every rejected row stands by itself, with its key, its
    value in hexadecimal and the reason, in rejects.jsonl there. Edit the plan, and give the command of the run again.

    Examples:
      migrator rejects
      migrator rejects migrator-runs/app-20260101_120000_ab12 --json | jq '.groups[] | {table, column, rows}'
    """
    from migrator import report
    from migrator.steps.rejects import rejects as rejects_step

    found = rejects_step(run_folder, run_dir)
    if output.json:
        click.echo(report.rejects_json(found))
    else:
        report.show_rejects(output.out, found)
    return ExitCode.OK


cli.add_command(report)


@cli.command()
@click.argument("target")
@PASSWORD
@JSON
@handled
def status(target: str, password_file: Path | None, output: Output) -> int:
    """Show the unfinished runs in a database: which go on, how far they are, and how to go on or to discard them.

    A run that was interrupted keeps what had arrived in a staging schema; the command that began it goes on. Runs that
    have ended leave nothing in the target.

    Examples:
      migrator status postgresql://db.example.org/app
      migrator status env:DATABASE_URL --json
    """
    from migrator import report
    from migrator.steps.status import status as status_step
    from migrator.target.connection import resolve_target

    runs = status_step(resolve_target(target, password_file))
    if output.json:
        click.echo(report.status_json(runs))
    else:
        report.show_status(output.out, runs)
    return ExitCode.OK


cli.add_command(audit)
cli.add_command(rewrite)


def main() -> None:
    """The console script."""
    cli(prog_name="migrator")
