"""rewrite: the application's SQL, and the code around it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.core.errors import ExitCode, UsageError
from migrator.core.findings import Severity, count_of
from migrator.options import JSON
from migrator.shell import Group, Output, Verb, handled

if TYPE_CHECKING:
    from migrator.core.sql.rewriting import Rewritten
    from migrator.steps.rewrite_sql import Script


@click.group(cls=Group)
def rewrite() -> None:
    """Rewrite an application's SQL for PostgreSQL."""


@rewrite.command("sql", cls=Verb)
@click.argument("files", nargs=-1, metavar="[FILE…|-]")
@click.option(
    "--to",
    "driver",
    type=click.Choice(["psycopg", "asyncpg", "sqlalchemy"]),
    default="psycopg",
    show_default=True,
    help="Whose placeholders are written: %s, $1, or :name for SQLAlchemy's text().",
)
@click.option("--db", type=click.Path(path_type=Path), help="The SQLite database that the statements are for.")
@click.option("--plan", type=click.Path(path_type=Path), help="With --db: the plan by which it is moved.")
@JSON
@handled
def sql(files: tuple[str, ...], driver: str, db: Path | None, plan: Path | None, output: Output) -> int:
    """Translate SQLite's statements into PostgreSQL's, each or not at all.

    What is translated gives the same rows, or is refused by PostgreSQL; the rule behind it was tried on both. What has
    no faithful translation is left as it is, as a comment with the reason. The tables are those of --db, as its plan
    carries them; without --db those that the statements themselves create. Where there are none, only what needs no
    types is translated, with a note.

    Placeholders in all five of SQLite's spellings become those of the driver; --json tells for each statement which
    argument goes where and which type it must have. A statement without placeholders is to be executed without
    arguments: its % are single.

    Exits with 7 if a statement was left as it is.

    Examples:
      echo "SELECT id FROM users WHERE name = ?" | migrator rewrite sql --db app.db
      migrator rewrite sql queries.sql --db app.db --plan plan.toml > queries-postgresql.sql
      migrator rewrite sql queries.sql --db app.db --to asyncpg --json | jq '.statements[] | select(.output == null)'
    """
    from migrator import report
    from migrator.core.sql.placeholders import Driver
    from migrator.steps.rewrite_sql import RewriteRequest, rewrite_sql

    request = RewriteRequest(tuple(map(_script, files or ("-",))), Driver(driver), db, plan)
    found = list(rewrite_sql(request, output.progress()))
    left = sum(rewritten.output is None for _, rewritten in found)
    if output.json:
        summary = {"statements": len(found), "rewritten": len(found) - left, "left": left}
        body = {"driver": driver, "statements": [_body(*item) for item in found], "summary": summary}
        click.echo(report.to_json("rewrite", body))
    else:
        for _, rewritten in found:
            click.echo(_text(rewritten), nl=False)
        report.show_findings(output.err, [finding for _, rewritten in found for finding in rewritten.findings])
        if left:
            output.err.print(f"{count_of(left, 'statement')} of {len(found):,} left as written", markup=False)
    return ExitCode.DECISION if left else ExitCode.OK


def _script(name: str) -> Script:
    from migrator.steps.rewrite_sql import Script

    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return Script("stdin" if name == "-" else name, raw.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{name} cannot be read.", f"{error.strerror}.", "Name a file, or - for stdin.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8.", f"At byte {error.start}.", "Convert it: iconv -t UTF-8") from None


def _text(rewritten: Rewritten) -> str:
    if rewritten.output is None:
        reasons = [finding.message for finding in rewritten.findings if finding.severity is not Severity.NOTE]
        lines = [*reasons, *rewritten.statement.text.splitlines()]
        return "".join(f"-- {line}\n" for line in lines)
    return f"{rewritten.output};\n" if rewritten.output else ""


def _body(script: Script, rewritten: Rewritten) -> dict[str, Any]:
    from migrator import report

    arguments = rewritten.rendered.arguments if rewritten.rendered else ()
    return {
        "file": script.name,
        "line": rewritten.statement.line,
        "input": rewritten.statement.text,
        "output": rewritten.output,
        "arguments": [
            {"from": item.source, "to": item.target, "type": rewritten.expects.get(item.target)} for item in arguments
        ],
        "findings": report.finding_json(rewritten.findings),
    }
