"""Home Assistant's recorder: history and statistics, in tables that Home Assistant itself makes on PostgreSQL.

The schema is never invented. Where Home Assistant has made its tables in the target, those are read from the catalog
and built the same; elsewhere the tables are those it is recorded to make (recorder/VERSION.json, read from the catalog
of a database that Home Assistant made). Facts about its data migrations are from homeassistant/components/recorder/
migration.py of 2026.11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from migrator.core.blueprint import Blueprint, Phase, Reference, Statement
from migrator.core.census import TableCensus
from migrator.core.ddl import build
from migrator.core.errors import DecisionNeeded, Occupied, PlanError, SourceError, TargetError
from migrator.core.findings import Finding, Severity
from migrator.core.model import Schema, TableKind, fold
from migrator.core.plan import Orphans, Plan, TablePlan
from migrator.core.shapes import Shape, from_json, ownership, portable, statements
from migrator.core.sql.scope import TableScope
from migrator.profiles import recorder_columns, recorder_keys
from migrator.profiles.profile import Answers, Present, Shapes

NAME = "home-assistant-recorder"
VERSIONS = (53,)

_ALWAYS = frozenset({"schema_changes", "recorder_runs", "states", "events"})
# What Home Assistant writes about itself; it says nothing about a home.
_BOOKKEEPING = frozenset({"schema_changes", "recorder_runs", "statistics_runs", "migration_changes"})

# Data migration → (the last schema version whose new databases need it, the version of the migration).
# event_id_post_migration is left out: it drops an index and a key of SQLite's table, which are not carried anyway.
_MIGRATIONS = {
    "state_context_id_as_binary": (35, 2),
    "event_context_id_as_binary": (35, 2),
    "event_type_id_migration": (36, 1),
    "entity_id_migration": (37, 1),
    "entity_id_post_migration": (37, 1),
}
# Their data moves to other columns in the background; a value left says that this is not finished.
_MOVED_AWAY = {
    "states": (
        "entity_id", "event_id", "last_changed", "last_updated", "context_id", "context_user_id", "context_parent_id",
    ),
    "events": ("event_type", "time_fired", "context_id", "context_user_id", "context_parent_id"),
}  # fmt: skip
# Home Assistant sets these to NULL itself when it purges what they point to.
_LOOSE = frozenset({("old_state_id",), ("attributes_id",), ("data_id",)})

_FINISH = (
    "Start Home Assistant once with this SQLite database, wait until its log says that the migration is finished, stop "
    "it, and run again."
)

_UPGRADE = "Start Home Assistant of the {} version once with {}, so that it upgrades that; stop it, and run again."


class HomeAssistantRecorder:
    """The recorder's profile; see migrator.profiles.profile.Profile."""

    name = NAME

    def recognises(self, schema: Schema) -> bool:
        names = {fold(table.name) for table in schema.tables if table.kind is TableKind.TABLE}
        if not names >= _ALWAYS:
            return False
        columns = {fold(column.name) for column in schema.table("schema_changes").columns}
        return {"change_id", "schema_version"} <= columns

    def questions(self, tables: Iterable[str]) -> Mapping[str, str]:
        asked = {"versions": "SELECT schema_version FROM schema_changes ORDER BY change_id"}
        if "migration_changes" in {fold(name) for name in tables}:
            asked["migrations"] = "SELECT migration_id, version FROM migration_changes"
        return asked

    def made_by_application(self, present: Iterable[str], schema: Schema, answers: Answers) -> frozenset[str]:
        """The recorded names; in a version that is not recorded, also what both sides have."""
        names = frozenset(present)
        if not names >= _ALWAYS:
            return frozenset()
        shared = set() if _version(answers) in VERSIONS else {fold(table.name) for table in schema.tables}
        return names & (_read(VERSIONS[-1]).keys() | shared)

    def recorded(self, answers: Answers) -> Shapes:
        version = _version(answers)
        if version not in VERSIONS:
            raise DecisionNeeded(
                f"The recorder's schema has version {version}, which this migrator has not recorded.",
                f"It knows what Home Assistant makes on PostgreSQL for version {', '.join(map(str, VERSIONS))}, and "
                "does not guess.",
                "Let Home Assistant of the same version make its tables: start it once with db_url naming an empty "
                "PostgreSQL database, stop it, and run: migrator run SOURCE TARGET --replace",
            )
        return _read(version)

    def check_source(self, answers: Answers) -> None:
        versions = [row[0] for row in answers["versions"]]
        if not versions:
            raise SourceError("The recorder's schema_changes is empty.", "So its version is unknown.", _FINISH)
        done = {str(row[0]): row[1] for row in answers.get("migrations", ())}
        first = versions[0] if isinstance(versions[0], int) else 0
        pending = [
            name
            for name, (last, wanted) in _MIGRATIONS.items()
            if first <= last and not (isinstance(found := done.get(name), int) and found >= wanted)
        ]
        if pending:
            raise SourceError(
                "Home Assistant has not finished migrating this database.",
                f"It began with schema version {first}, and these are not marked as done: {', '.join(pending)}.",
                _FINISH,
            )

    def check_target(self, answers: Answers, present: Present) -> None:
        wanted, found = _version(answers), _version(present.answers)
        if found is None and wanted in VERSIONS and _same(_read(wanted), present.shapes):
            found = wanted
        if found != wanted:
            behind = isinstance(found, int) and isinstance(wanted, int) and found > wanted
            to_upgrade = ("target's", "the SQLite database") if behind else ("source's", "db_url naming the target")
            raise TargetError(
                "Home Assistant's tables in the target are not of the source's version.",
                f"The source has schema version {wanted}, the target {'none' if found is None else found}.",
                _UPGRADE.format(*to_upgrade),
            )
        outside = [
            f"foreign key {reference.name} to {reference.parent}"
            for shape in present.shapes.values()
            for reference in shape.references
            if reference.parent not in present.shapes
        ]
        if peculiar := [*present.peculiar, *outside]:
            raise TargetError(
                "Home Assistant's tables in the target have something that Home Assistant did not make.",
                f"It would be lost: {', '.join(peculiar)}.",
                "Drop it, run again, and create it afterwards.",
            )

    def check_replaceable(self, filled: Iterable[str], *, replace: bool) -> tuple[Finding, ...]:
        rows = sorted(filled)
        data = [name for name in rows if name not in _BOOKKEEPING]
        if data and not replace:
            raise Occupied(
                "Home Assistant's tables in the target already hold data.",
                f"There are rows in {', '.join(data)}; a first start of Home Assistant writes some too.",
                "Stop Home Assistant. If nothing in them is needed, replace them with: migrator run … --replace",
            )
        if not rows:
            return ()
        message = "The rows that Home Assistant wrote into the target's tables are replaced by those of the source."
        return (Finding("recorder-rows-replaced", Severity.NOTE, ", ".join(rows), message),)

    # -- plan ----------------------------------------------------------------------------------------------------------

    def adapt(
        self,
        plan: Plan,
        findings: Sequence[Finding],
        schema: Schema,
        census: Mapping[str, TableCensus],
        shapes: Shapes,
    ) -> tuple[Plan, tuple[Finding, ...]]:
        ours = [table for table in plan.tables if fold(table.source) in shapes]
        _check_moved(schema, census)
        recorder_keys.check(schema, census, shapes, _read(VERSIONS[-1]))
        found = [finding for finding in findings if not _concerns(finding, ours)]
        tables = []
        for table in plan.tables:
            if table not in ours:
                tables.append(table)
                continue
            shape, source = shapes[fold(table.source)], schema.table(table.source)
            columns, more = recorder_columns.adapt(table, source, census[source.name], shape)
            keys, loose = _orphans(table)
            tables.append(replace(table, columns=columns, orphans=keys, nullable_key=False))
            found += [*more, *loose]
        return replace(plan, profile=NAME, tables=tuple(tables)), tuple(found)

    def conform(self, plan: Plan, shapes: Shapes) -> Plan:
        tables = []
        for table in plan.tables:
            shape = shapes.get(fold(table.source))
            if shape and not table.drop and not table.query:
                if table.target != shape.name or table.rowid:
                    raise PlanError(
                        f"[tables.{table.source}] changes a table that Home Assistant looks for.",
                        next_step='Remove its target and rowid; or switch the profile off: profile = "none".',
                    )
                table = replace(  # noqa: PLW2901  # the table as it has to be
                    table, columns=recorder_columns.conform(table, shape, _standard(shape.name)), nullable_key=False
                )
            elif table.target in shapes and not table.drop:
                raise PlanError(
                    f"[tables.{table.source}] would be {table.target}, which is Home Assistant's.",
                    next_step='Give it another name: target = "…".',
                )
            tables.append(table)
        return replace(plan, tables=tuple(tables))

    # -- blueprint -----------------------------------------------------------------------------------------------------

    def blueprint(self, schema: Schema, plan: Plan, shapes: Shapes) -> Blueprint:
        ordinary = build(schema, plan)
        ours = [table for table in plan.tables if fold(table.source) in shapes]
        made = [shapes[name] for name in sorted(shapes)]
        beside = [statement for statement in ordinary.statements if statement.table not in shapes]
        carried = {table.target for table in plan.carried}
        references = _references(made, ours, carried)
        lasting = {(item.table, item.name) for item in references if item.orphans is Orphans.NOT_VALID}
        built = [_unproven(item) if (item.table, item.name) in lasting else item for item in statements(made)]
        return replace(
            ordinary,
            statements=tuple(_in_order([*built, *beside])),
            references=(*references, *(item for item in ordinary.references if item.table not in shapes)),
            findings=(
                *(finding for finding in ordinary.findings if not _concerns(finding, ours, schema)),
                *_indexes_left(schema, shapes),
                *_triggers_left(ordinary, shapes),
            ),
            triggers=tuple(item for item in ordinary.triggers if item.table not in shapes),
            final=tuple(ownership(made)),
            sequences=(*_sequences(made), *ordinary.sequences),
            scopes={
                name: replace(scope, as_it_is=_in_its_order(scope, shapes[scope.target]))
                if scope.target in shapes
                else scope
                for name, scope in ordinary.scopes.items()
            },
        )


def _in_its_order(scope: TableScope, shape: Shape) -> bool:
    """Whether Home Assistant makes the columns in the order that they have in a database of many versions."""
    return [column.target for column in scope.columns.values()] == [column.name for column in shape.columns]


def _triggers_left(ordinary: Blueprint, shapes: Shapes) -> Iterable[Finding]:
    for item in ordinary.triggers:
        if item.table in shapes:
            message = f"The trigger on {item.table} is not carried: Home Assistant's tables are as it makes them."
            yield Finding("trigger", Severity.WARNING, item.source, message)


def _sequences(made: Iterable[Shape]) -> list[str]:
    return [column.sequence for shape in made for column in shape.columns if column.sequence]


def _unproven(statement: Statement) -> Statement:
    """A foreign key that holds for new rows only, because the plan carries orphans."""
    return replace(statement, validate=None, printed=None) if statement.validate else statement


def _in_order(mixed: list[Statement]) -> list[Statement]:
    order = list(Phase)
    return sorted(mixed, key=lambda statement: order.index(statement.phase))


@cache
def _read(version: int) -> Shapes:
    text = (files("migrator.profiles") / "recorder" / f"{version}.json").read_text(encoding="utf-8")
    return from_json(text)


def _standard(table: str) -> Shape | None:
    return _read(VERSIONS[-1]).get(table)


def _version(answers: Answers) -> object:
    """The version that the last change left, as Home Assistant reads it."""
    rows = answers.get("versions", ())
    return rows[-1][0] if rows else None


def _same(one: Shapes, other: Shapes) -> bool:
    return {name: portable(shape) for name, shape in one.items()} == {name: portable(s) for name, s in other.items()}


def _check_moved(schema: Schema, census: Mapping[str, TableCensus]) -> None:
    left = []
    for name, columns in _MOVED_AWAY.items():
        table = schema.table(name)
        for column, counted in zip(table.columns, census[table.name].columns, strict=True):
            if fold(column.name) in columns and counted.stored:
                left.append(f"{name}.{column.name} ({counted.stored:,})")
    if left:
        raise SourceError(
            "Home Assistant has not finished migrating this database.",
            f"Old columns still hold values: {', '.join(left)}.",
            _FINISH,
        )


def _concerns(finding: Finding, tables: Sequence[TablePlan], schema: Schema | None = None) -> bool:
    """Whether it is about how these tables would be made if they were not Home Assistant's."""
    if finding.rule.startswith(("definition", "view", "trigger")):
        return False
    names = {table.source for table in tables}
    known = schema.tables if schema else ()
    indexes = {index.name for table in known if table.name in names for index in table.indexes}
    where = finding.where.partition(".")[0].partition("(")[0]
    return where in names or (finding.rule == "index" and finding.where in indexes)


def _orphans(table: TablePlan) -> tuple[dict[tuple[str, ...], Orphans], list[Finding]]:
    """References that Home Assistant itself sets to NULL when it purges; all other orphans are kept as they are."""
    keys, findings = {}, []
    for columns, orphans in table.orphans.items():
        loose = tuple(map(fold, columns)) in _LOOSE
        keys[columns] = Orphans.NULL if loose else orphans
        message = (
            "Rows name a parent that is gone: the reference becomes NULL, as Home Assistant does when it purges."
            if loose
            else "Rows name a parent that is gone: all are carried, and the key is added NOT VALID."
        )
        where = f"{table.source}({', '.join(columns)})"
        findings.append(Finding("orphans", Severity.WARNING, where, message, "Set orphans in the plan to change that."))
    return keys, findings


def _references(made: Sequence[Shape], ours: Sequence[TablePlan], carried: set[str]) -> list[Reference]:
    settled = {
        (table.target, tuple(map(fold, columns))): orphans
        for table in ours
        for columns, orphans in table.orphans.items()
    }
    return [
        Reference(
            item.name, shape.name, item.columns, item.parent, item.parent_columns,
            settled.get((shape.name, item.columns), Orphans.FAIL), loose=item.columns in _LOOSE,
        )
        for shape in made
        for item in shape.references
        if shape.name in carried
    ]  # fmt: skip


def _indexes_left(schema: Schema, shapes: Shapes) -> list[Finding]:
    """Indexes that an older version left in SQLite, and that Home Assistant does not make on PostgreSQL."""
    return [
        Finding(
            "index",
            Severity.NOTE,
            index.name,
            "Not carried: Home Assistant makes none of that name.",
            "",
            index.sql or "",
        )
        for table in schema.tables
        if fold(table.name) in shapes
        for index in table.indexes
        if index.origin == "c" and fold(index.name) not in {name for name, _ in shapes[fold(table.name)].indexes}
    ]
