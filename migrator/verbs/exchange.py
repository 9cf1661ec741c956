"""export and load: a migration in two halves, which may happen on two machines."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from migrator.core.errors import ExitCode
from migrator.core.plan import Style
from migrator.options import JSON, PASSWORD, SOURCE, STALL, WORKERS, decided_by, planning_options
from migrator.shell import Output, Verb, handled
from migrator.verbs.placing import RUN_DIR, Placing, placing_options


@click.command(cls=Verb)
@SOURCE
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="The plan; without one, a fresh one is made."
)
@planning_options
@click.option(
    "--compress",
    type=click.Choice(["zstd", "none"]),
    default="zstd",
    show_default=True,
    help="How the rows are written.",
)
@JSON
@WORKERS
@handled
def export(
    source: Path, folder: Path, plan_file: Path | None, style: str, zone: str, target_schema: str, profile: str,
    compress: str, workers: int, output: Output,
) -> int:  # fmt: skip
    """Write the database into FOLDER, from where it can be loaded anywhere.

    All files come from one snapshot of the source, while the application goes on writing: the plan, the SQL before and
    after the rows, and the rows in PostgreSQL's binary COPY format. Every file is read back and compared with the
    source, value by value; only then is manifest.json written, with the SHA-256 of each.

    Load it with migrator load, which proves it once more in the target, or with psql alone: psql -f load.sql. Rows that
    do not fit are written to rejects.jsonl in FOLDER, and the exit code is 3.

    Whatever interrupts it, the same command goes on: files that are there are compared with the source as it is then.

    Examples:
      migrator export app.db app-export
      migrator export app.db app-export --plan plan.toml --compress none
    """
    from migrator import report
    from migrator.archive.compression import SUFFIX
    from migrator.archive.folder import open_export
    from migrator.steps.export import ExportRequest
    from migrator.steps.export import export as export_step
    from migrator.steps.finished import exported_before, stamp_of
    from migrator.steps.plan import PlanRequest

    decided_by(plan_file)
    planning = PlanRequest(source, Style(style), zone, target_schema, profile, workers)
    suffix = SUFFIX if compress == "zstd" else ""
    stamp = stamp_of(source, plan_file, planning)
    if exported_before(folder, source, stamp):
        output.err.print(f"done: {folder} holds this export, and the source is what it was", markup=False)
        if output.json:
            click.echo(report.to_json("export", {"folder": str(folder), "finished_before": True}))
        return ExitCode.MISMATCH if (folder / "rejects.jsonl").exists() else ExitCode.OK
    with closing(open_export(folder, source)) as opened:
        if opened.known:
            output.err.print(f"going on with the export in {folder}", markup=False)
        result = export_step(
            ExportRequest(source, opened, plan_file, planning, suffix, stamp, workers), output.progress()
        )
    if output.json:
        click.echo(report.to_json("export", report.export_body(result)))
    else:
        report.show_export(output.out, result)
    return ExitCode.MISMATCH if result.rejects else ExitCode.OK


@click.command(cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("target", required=False)
@placing_options
@RUN_DIR
@PASSWORD
@STALL
@JSON
@WORKERS
@handled
def load(
    folder: Path, target: str | None, into_existing: bool, replace: bool, dry_run: bool, yes: bool, run_dir: Path,
    password_file: Path | None, stall_timeout: float, workers: int, output: Output,
) -> int:  # fmt: skip
    """Load what migrator export wrote into PostgreSQL, prove it, and only then put it in place.

    Before anything is loaded, every file is held against the manifest's SHA-256. Then all is as in a run: a staging
    schema, every row compared with the files, value by value, and one transaction that moves the tables into place. On
    any error the target stays as it was, and whatever interrupts it, the same command goes on.

    TARGET and its password are given as in migrator run.

    Examples:
      migrator load app-export postgresql://db.example.org/app
      migrator load app-export env:DATABASE_URL --replace
    """
    from migrator.steps.finished import stamp_of
    from migrator.steps.load import LoadRequest, check_export
    from migrator.steps.load import load as load_step

    placing = Placing(
        target, password_file, into_existing, replace, dry_run, yes, run_dir, stall_timeout, workers
    )  # fmt: skip
    return placing.carry(
        folder,
        check_export(folder),
        stamp_of(folder),
        output,
        lambda common: load_step(LoadRequest(archive=folder, **common), output.progress()),
    )
