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
    from migrator.steps.rewrite_python import Rewriting
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
    from migrator.steps.definitions import Tables
    from migrator.steps.rewrite_sql import RewriteRequest, rewrite_sql

    request = RewriteRequest(tuple(map(_script, files or ("-",))), Driver(driver), Tables(db, plan))
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


@rewrite.command("functions", cls=Verb)
@JSON
@handled
def functions(output: Output) -> int:
    """Print SQLite's functions as PostgreSQL's, which rewritten statements may need (the note `compat`).

    They go into a schema `sqlite` of their own, and may be installed again at any time. migrator schema --compat prints
    them behind the tables.

    Examples:
      migrator rewrite functions | psql "$DATABASE_URL"
    """
    from migrator import report
    from migrator.steps.schema import pack

    if output.json:
        click.echo(report.to_json("functions", {"sql": pack()}))
    else:
        click.echo(pack(), nl=False)
    return ExitCode.OK


@rewrite.command("python", cls=Verb)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--to",
    "driver",
    type=click.Choice(["psycopg", "asyncpg", "sqlalchemy"]),
    default="psycopg",
    show_default=True,
    help="The driver that the program uses then; asyncpg is for programs that use aiosqlite alone.",
)
@click.option("--db", type=click.Path(path_type=Path), help="The SQLite database that the program uses.")
@click.option("--plan", type=click.Path(path_type=Path), help="With --db: the plan by which it is moved.")
@click.option("--diff", "action", flag_value="diff", help="Print what would change, as a diff that git apply takes.")
@click.option("--write", "action", flag_value="write", help="Change the files.")
@click.option("--check", "action", flag_value="check", default=True, help="Only say what is left to do. (default)")
@JSON
@handled
def python(
    paths: tuple[Path, ...], driver: str, db: Path | None, plan: Path | None, action: str, output: Output
) -> int:
    """Rewrite a program that uses sqlite3 or aiosqlite: its SQL, and the code around it.

    Statements are translated as by rewrite sql, in literals, constants, f-strings and SQL files, together with their
    arguments. connect(), rows, exceptions, with blocks, lastrowid, scripts and PRAGMAs become what PostgreSQL's driver
    has for them; what it has not is in the module postgresql.py, which is written beside the program and is yours then.
    The connection is the one that the environment variable DATABASE_URL names.

    What is not certain is left as it is and reported, with file, line and rule. Formatting stays, a rewritten file
    compiles, and a second run changes nothing.

    Exits with 7 while something is left to do: for this command, or for you.

    Examples:
      migrator rewrite python src --db app.db --diff | less
      migrator rewrite python src --db app.db --plan plan.toml --write
      migrator rewrite python src --to sqlalchemy --db app.db --diff
      migrator rewrite python src --check
    """
    from migrator import report
    from migrator.core.sql.placeholders import Driver
    from migrator.steps.definitions import Tables
    from migrator.steps.rewrite_python import RecodeRequest, rewrite_python, write

    rewriting = rewrite_python(RecodeRequest(paths, Driver(driver), Tables(db, plan)), output.progress())
    if action == "write":
        write(rewriting)
    if output.json:
        click.echo(report.to_json("rewrite-python", {"driver": driver, **_changes(rewriting, action)}))
    else:
        _tell(rewriting, action, output)
    if rewriting.unread:
        return ExitCode.SOURCE
    left = rewriting.open or (rewriting.sources if action != "write" else ())
    return ExitCode.DECISION if left else ExitCode.OK


def _tell(rewriting: Rewriting, action: str, output: Output) -> None:
    from migrator import report

    if action == "diff":
        for line in rewriting.diff():
            click.echo(line, nl=False)
    report.show_findings(output.err, rewriting.findings)
    for item in rewriting.unread:
        output.err.print(f"error: {item.file}:{item.line} cannot be read: {item.reason}.", markup=False)
    done = "changed" if action == "write" else "to be changed"
    files, left = count_of(len(rewriting.sources), "file"), count_of(len(rewriting.open), "place")
    output.err.print(f"{files} {done}; {left} left to you", markup=False)


def _changes(rewriting: Rewriting, action: str) -> dict[str, Any]:
    from migrator import report

    return {
        "written": action == "write",
        "files": [source.path.as_posix() for source in rewriting.sources],
        "diff": "".join(rewriting.diff()),
        "findings": report.finding_json(rewriting.findings),
        "unread": [{"file": item.file, "line": item.line, "reason": item.reason} for item in rewriting.unread],
        "summary": {"files": len(rewriting.sources), "left": len(rewriting.open)},
    }


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
