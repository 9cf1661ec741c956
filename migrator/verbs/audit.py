"""audit: what a program does with SQLite, before anything is changed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.core.errors import ExitCode, UsageError
from migrator.core.visible import one_line, visible
from migrator.disk import write_text
from migrator.options import ANOTHER, JSON
from migrator.shell import Output, Verb, handled

if TYPE_CHECKING:
    from migrator.core.audit.result import Audit


@click.command("audit", cls=Verb)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(path_type=Path, readable=False))
@click.option("--db", type=click.Path(path_type=Path), help="The SQLite database, for its tables, rows and sizes.")
@click.option("--plan", type=click.Path(path_type=Path), help="With --db: the plan by which it is moved.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "sarif", "html"]),
    default="text",
    show_default=True,
    help="For a terminal, a wiki, a program, code scanning or a browser.",
)
@click.option("-o", "--output", "file", type=click.Path(path_type=Path), help="Write it there instead of stdout.")
@JSON
@handled
def audit(
    paths: tuple[Path, ...], db: Path | None, plan: Path | None, form: str, file: Path | None, output: Output
) -> int:
    """Show what a program does with SQLite, and how much of it is left to change.

    PATH is a folder or file of Python or SQL. The code is read, never run. For every table: which functions write and
    read it. For every endpoint of Flask, FastAPI, aiohttp or Django, and every scheduled job: which tables it reaches,
    and through which calls. Hazards of a move, each with its rule, its reason and what to do. The tables are those of
    --db, or those that the program itself creates.

    The last line is a number that falls to 0 as the program is changed. Exits with 4 if a file could not be read: it is
    named, and the others are reported.

    Examples:
      migrator audit src
      migrator audit src --db app.db --format markdown -o docs/sqlite.md
      migrator audit src --format sarif -o audit.sarif      (for GitHub's code scanning)
      migrator audit src --json | jq '.summary.left'
    """
    from migrator.steps.audit import AuditRequest, make_audit
    from migrator.steps.definitions import Tables

    made = make_audit(AuditRequest(paths, Tables(db, plan)), output.progress())
    _print(made, _format(form, output), file, paths, output)
    for item in made.unread:
        told = f"not read: {visible(item.file)}:{item.line}: {one_line(item.reason)}"
        output.err.print(told, style="red", markup=False)
    return ExitCode.SOURCE if made.unread else ExitCode.OK


def _format(form: str, output: Output) -> str:
    """--json is --format json. Raises UsageError where both say something else."""
    given = click.get_current_context().get_parameter_source("form") is click.core.ParameterSource.COMMANDLINE
    if output.json and given and form != "json":
        raise UsageError(f"--json and --format {form} contradict each other.", "", "Give one of the two.")
    return "json" if output.json else form


def _print(made: Audit, form: str, file: Path | None, paths: tuple[Path, ...], output: Output) -> None:
    from migrator.audit_report import as_text, rendered, show_audit

    next_step = f"migrator rewrite python {shlex.join(map(str, paths))} --diff"
    if file is not None:
        write_text(file, as_text(made, next_step) if form == "text" else rendered(made, form), ANOTHER)
    elif form == "text":
        show_audit(output.out, made, next_step)
    else:
        click.echo(rendered(made, form), nl=False)
