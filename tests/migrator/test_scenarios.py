"""Every folder in scenarios/: SQL goes in, the expected outcome comes out. scenarios/README.md explains the keys."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import psycopg
import pytest
import tomlkit
from psycopg.types.string import TextLoader

from migrator import report
from migrator.archive.compression import SUFFIX
from migrator.archive.folder import open_export
from migrator.core.errors import MigratorError
from migrator.core.findings import Finding
from migrator.core.plan import Style
from migrator.core.progress import Silent
from migrator.steps.carrying import RunResult
from migrator.steps.export import ExportRequest, export
from migrator.steps.load import LoadRequest, load
from migrator.steps.plan import PlanRequest, make_plan
from migrator.steps.resume import first_attempt
from migrator.steps.run import RunRequest, run
from migrator.steps.verify import VerifyRequest, verify
from migrator.target.connection import resolve_target

from .returned import bring_back, schema, wrong_values

SCENARIOS = Path(__file__).parent / "scenarios"
KEYS = {
    "plan", "edits", "findings", "decisions", "exit", "error", "types", "rows", "rejects", "healed", "ddl", "absent",
    "after",
}  # fmt: skip


class Scenario:
    def __init__(self, folder: Path, scratch: Path, database: str) -> None:
        self.expected: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        assert not (unknown := self.expected.keys() - KEYS), f"expected.json has unknown keys: {unknown}"
        self.source = scratch / "source.db"
        self.database = database
        self.target = resolve_target(database)
        self.attempt = first_attempt(self.target, self.source, scratch / "runs")
        self.folder = self.attempt.folder
        self.plan = scratch / "plan.toml"
        self.wrong: list[str] = []
        connection = apsw.Connection(str(self.source))
        connection.execute((folder / "setup.sql").read_text(encoding="utf-8"))
        connection.close()

    def expect(self, what: str, expected: object, found: object) -> None:
        if json.dumps(expected) != json.dumps(found):  # 1, 1.0 and true are different here
            self.wrong.append(f"{what}\n    expected {expected!r}\n    found    {found!r}")

    def expect_all(self, what: str, expected: Iterable[object], found: Iterable[object]) -> None:
        """The same items, in any order."""
        ours, theirs = _sorted(expected), _sorted(found)
        missing, surplus = [x for x in ours if x not in theirs], [x for x in theirs if x not in ours]
        if ours != theirs:
            self.wrong.append(f"{what}\n    missing  {missing}\n    surplus  {surplus}\n    found    {theirs}")

    def check(self) -> None:
        planned = self._plan()
        try:
            result, code = self._run()
        except MigratorError as error:
            self.expect("exit of run", self.expected.get("exit", 0), int(error.exit_code))
            if self.expected.get("error", "") not in str(error) or "error" not in self.expected:
                self.wrong.append(f"error of run\n    found    {error}")
            result = None
        if result:
            self.expect("exit of run", self.expected.get("exit", 0), code)
        findings = {_finding(item) for item in (*planned, *(result.findings if result else ()))}
        self.expect_all("findings", self.expected.get("findings", []), findings)
        if result:
            self._verify()
            self._bring_back()
            with psycopg.connect(self.database, autocommit=True) as connection:
                self._target(connection)

    def _plan(self) -> tuple[Finding, ...]:
        options = self.expected.get("plan", {})
        self.planning = PlanRequest(
            self.source, Style(options.get("style", "faithful")), options.get("zone", "UTC"), workers=1
        )
        planned = make_plan(self.planning, Silent())
        self.expect("decisions", self.expected.get("decisions", False), bool(planned.decisions))
        edited = tomlkit.parse(planned.text)
        for path, value in self.expected.get("edits", {}).items():
            *parents, key = path.split(".")
            table = reduce(lambda table, name: table.setdefault(name, {}), parents, edited)
            is_line = isinstance(value, dict) and key in table  # a column's line stays a line, and in its place
            table[key] = tomlkit.inline_table() | value if is_line else value
        self.plan.write_text(tomlkit.dumps(edited), encoding="utf-8")
        return planned.findings

    def _run(self) -> tuple[RunResult, int]:
        result = self._carry()
        return result, 3 if result.rejects else 0

    def _carry(self) -> RunResult:
        request = RunRequest(
            source=self.source,
            attempt=self.attempt,
            plan=self.plan,
            planning=self.planning,
            outcome=report.result_body,
            workers=1,
        )
        return run(request, Silent())

    def _verify(self) -> None:
        request = VerifyRequest(self.source, self.target, self.folder.path, self.folder.path, 1)
        verified = verify(request, Silent())
        self.expect("differences of verify", [], [str(item) for item in verified.proof.differences])
        self.expect("changes of verify", [], list(verified.changed))

    def _bring_back(self) -> None:
        """Whatever was carried goes back into a file that is as the source was."""
        again = self.source.with_name("again.db")
        answer = bring_back(self.database, again, "--run", self.folder.path)
        if answer.code:
            self.wrong.append(f"way back\n    found    {answer.all}")
            return
        made = {row[1] for row in schema(self.source)}
        self.expect_all("schema of the way back", schema(self.source), [row for row in schema(again) if row[1] in made])
        self.expect("values of the way back", [], wrong_values(self.folder, self.source, again))

    # -- the target ----------------------------------------------------------------------------------------------------

    def _target(self, connection: psycopg.Connection) -> None:
        for name in ("json", "jsonb"):
            connection.adapters.register_loader(name, TextLoader)
        expected = self.expected
        definitions = _definitions(connection)
        for path, wanted in expected.get("types", {}).items():
            table, _, column = path.rpartition(".")
            found = next((line for line in definitions.get(table, []) if line.startswith(f"{column} {wanted}")), None)
            if found is None or found.removeprefix(f"{column} {wanted}")[:1] not in ("", " "):
                self.wrong.append(f"type of {path}\n    expected {wanted}\n    found    {definitions.get(table)}")
        for table, rows in expected.get("rows", {}).items():
            found_rows = connection.execute(psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(table)))
            self.expect_all(f"rows of {table}", rows, _noted(found_rows))
        self._journal("rejects", "rejects.jsonl", ("table", "key", "column", "reason"))
        self._journal("healed", "healed.jsonl", ("table", "key", "column", "policy"))
        for table, texts in expected.get("ddl", {}).items():
            for text in texts:
                if not any(text in line for line in definitions.get(table, [])):
                    self.wrong.append(f"ddl of {table}\n    expected {text}\n    found    {definitions.get(table)}")
        everything = [f"{table}: {line}" for table, lines in definitions.items() for line in [table, *lines]]
        for text in expected.get("absent", []):
            self.expect(f"absent: {text}", [], [line for line in everything if text in line])
        for step in expected.get("after", []):
            self._after(connection, step)

    def _journal(self, key: str, file: str, names: tuple[str, ...]) -> None:
        """Each entry names what matters to it; a reason is compared by a part of its text."""
        lines = list(self.folder.lines(file))
        entries = self.expected.get(key, [])
        for entry in entries:
            same = [line for line in lines if all(_matches(name, entry[name], line[name]) for name in entry)]
            if same:
                lines.remove(same[0])
            else:
                self.wrong.append(f"{key}\n    missing  {entry}\n    among    {lines}")
        if lines and len(entries) < len(list(self.folder.lines(file))):
            self.wrong.append(f"{key}\n    surplus  {[{name: line[name] for name in names} for line in lines]}")

    def _after(self, connection: psycopg.Connection, step: dict[str, Any]) -> None:
        try:
            cursor = connection.execute(step["sql"])
        except psycopg.Error as error:
            if "refused" not in step or step["refused"] not in str(error):
                self.wrong.append(f"after: {step['sql']}\n    found    {error}")
            return
        rows = _noted(cursor) if cursor.description else []
        if "refused" in step:
            self.wrong.append(f"after: {step['sql']}\n    expected an error\n    found    {rows}")
        self.expect(f"after: {step['sql']}", step.get("gives", rows), rows)


class ThroughFiles(Scenario):
    """The same, exported and loaded again."""

    def _carry(self) -> RunResult:
        archive = self.plan.with_name("export")
        export_request = ExportRequest(
            self.source, open_export(archive, self.source), self.plan, self.planning, SUFFIX, [], workers=1
        )
        exported = export(export_request, Silent())
        request = LoadRequest(archive=archive, attempt=self.attempt, outcome=report.result_body, workers=1)
        result = load(request, Silent())
        result.findings = exported.findings
        return result


def _sorted(items: Iterable[object]) -> list[str]:
    return sorted(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items)


def _finding(finding: Finding) -> str:
    return f"{finding.rule} {finding.where}"


def _matches(name: str, expected: object, found: object) -> bool:
    return expected in found if name == "reason" else expected == found  # type: ignore[operator]


def _noted(cursor: psycopg.Cursor[Any]) -> list[list[object]]:
    types = [column.type_display.partition("(")[0] for column in cursor.description or ()]
    return [[_notation(value, kind) for value, kind in zip(row, types, strict=True)] for row in cursor]


def _notation(value: object, kind: str) -> object:
    """The value in JSON, exact in type: what JSON has no word for becomes {"its type": "its text"}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if kind in ("json", "jsonb") and value is not None:
        return {kind: value}
    if isinstance(value, (Decimal, UUID, date, time, datetime)):
        return {kind: value.isoformat(" ") if isinstance(value, datetime) else str(value)}
    return value


def _definitions(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Table or view → its columns, constraints, indexes and query, one line each, as PostgreSQL prints them."""
    lines: dict[str, list[str]] = {}
    for table, line in connection.execute(_DEFINITIONS):
        lines.setdefault(table, []).append(" ".join(line.split()))
    return lines


_DEFINITIONS = """
SELECT c.relname, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
    'COLLATE "' || nullif(o.collname, 'default') || '"', CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    CASE WHEN a.attidentity = 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
    CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' ELSE 'GENERATED ALWAYS AS ' END || pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_collation o ON o.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
UNION ALL SELECT c.relname, k.conname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')
UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'"""


FOLDERS = sorted(path.parent for path in SCENARIOS.glob("*/setup.sql"))


VALUES = [folder for folder in FOLDERS if re.search('"(rows|rejects|healed)"', (folder / "expected.json").read_text())]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenario(folder: Path, tmp_path: Path, database: str) -> None:
    check(Scenario(folder, tmp_path, database))


@pytest.mark.parametrize("folder", VALUES, ids=lambda folder: folder.name)
def test_scenario_through_files(folder: Path, tmp_path: Path, database: str) -> None:
    check(ThroughFiles(folder, tmp_path, database))


def check(scenario: Scenario) -> None:
    scenario.check()
    if scenario.wrong:
        pytest.fail("\n".join(scenario.wrong), pytrace=False)
