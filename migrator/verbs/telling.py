"""report: a page of a run that has ended."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.core.errors import ExitCode
from migrator.disk import write_text
from migrator.options import ANOTHER, JSON, RUNS
from migrator.shell import Output, Verb, handled


@click.command("report", cls=Verb)
@click.argument("run_folder", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", "file", type=click.Path(path_type=Path), help="Default: report.html in the run folder.")
@click.option(
    "--run-dir", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="Where run folders are."
)
@JSON
@handled
def report(run_folder: Path | None, file: Path | None, run_dir: Path, output: Output) -> int:
    """Make one HTML page of a run: what was carried, the types and why, what was not, how fast, and the proof.

    RUN_FOLDER is the folder of a run that has ended, also of a dry run or one that found a difference; default: the
    newest one. No database is asked. The page is one file without scripts, for screens, phones and paper. It names
    tables, columns, keys of rejected rows and values that differ: show it to those who may see them.

    Examples:
      migrator report
      migrator report migrator-runs/app-20260101_120000_ab12 -o report.html
      migrator report --json | jq '.tables[] | {source, target, rows}'
    """
    from migrator.page import render
    from migrator.report import to_json
    from migrator.steps.report import report as report_step

    made = report_step(run_folder, run_dir)
    file = file or made.folder / "report.html"
    write_text(file, render(made), ANOTHER)
    if output.json:
        click.echo(to_json("report", {"file": str(file)} | made.body()))
    else:
        output.out.print(f"report written to {file}", markup=False)
    return ExitCode.OK
