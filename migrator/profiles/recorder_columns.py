"""The recorder's columns: each takes the type that Home Assistant gave it in PostgreSQL; the census says what fits."""

from __future__ import annotations

from dataclasses import replace

from migrator.core.census import ColumnCensus, TableCensus
from migrator.core.convert import Options
from migrator.core.errors import PlanError, TargetError
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.formats import DATE, is_picture, merge_pictures
from migrator.core.model import Column, Table, fold
from migrator.core.pgtypes import PgType, parse_type
from migrator.core.plan import ColumnPlan, Policy, TablePlan
from migrator.core.shapes import ColumnShape, Shape
from migrator.core.typemap import evidence

ZONE = "UTC"
WRITTEN = f"{DATE} HH:MM:SS.ffffff"  # SQLAlchemy's DATETIME in SQLite, naive and in UTC
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}


def adapt(
    table: TablePlan, source: Table, census: TableCensus, shape: Shape
) -> tuple[tuple[ColumnPlan, ...], list[Finding]]:
    """The table's columns with the shape's types, in the source's order, and what a person should know about them."""
    columns: list[ColumnPlan] = []
    findings: list[Finding] = []
    for planned, column, counted in zip(table.columns, source.columns, census.columns, strict=True):
        where = f"{table.source}.{column.name}"
        made = shape.column(fold(column.name))
        if made is None:
            adapted, found = _unknown(planned, where, counted)
        else:
            adapted = _known(planned, column, counted, made)
            found = [*_misfit(adapted, where, counted), *_missing(adapted, where, counted)]
        columns.append(adapted)
        findings += found
    return tuple(columns), findings


def _known(planned: ColumnPlan, column: Column, counted: ColumnCensus, made: ColumnShape) -> ColumnPlan:
    pg = _type(made)
    why = f"{column.declared_type or 'no type'}: {evidence(counted)}; Home Assistant's {made.type}"
    return replace(
        planned,
        target=made.name,
        type=pg,
        options=Options(format=_format(counted), zone=ZONE) if pg.name == "timestamptz" else Options(),
        policy=Policy.STRIP_NUL if pg.is_text else Policy.REJECT,
        collation=None,
        identity=made.numbered,
        not_null=made.not_null,
        why=why,
        alternative="",
    )


def _type(made: ColumnShape) -> PgType:
    try:
        return parse_type(made.type)
    except ValueError as error:
        raise TargetError(
            f"Home Assistant's column {made.name} in the target cannot be filled.", f"{error}."
        ) from error


def _format(counted: ColumnCensus) -> str:
    """How the column writes its times; a mix of texts with and without a fraction has a format of its own."""
    pictures = frozenset(name for name in counted.formats if is_picture(name))
    found = merge_pictures(pictures) if pictures else None
    return found if found and found.startswith(DATE) and "HH" in found else WRITTEN


def _unknown(planned: ColumnPlan, where: str, counted: ColumnCensus) -> tuple[ColumnPlan, list[Finding]]:
    if not counted.stored:
        message = "Not carried: Home Assistant's table on PostgreSQL has no such column, and it holds nothing."
        return replace(planned, drop=True, alternative=""), [Finding("recorder-column", Severity.NOTE, where, message)]
    holds = count_of(counted.stored, "value")
    message = f"Home Assistant's table on PostgreSQL has no such column, and it holds {holds}."
    advice = "Set drop = true in the plan to leave them behind; the SQLite file keeps them."
    return replace(planned, alternative=""), [Finding("recorder-column", Severity.DECISION, where, message, advice)]


def _misfit(column: ColumnPlan, where: str, counted: ColumnCensus) -> list[Finding]:
    reason = _too_much(column, counted)
    if reason is None:
        return []
    message = (
        f"Home Assistant's column is {column.type}, and stored are {evidence(counted)}: {reason}; "
        "rows with such a value would be rejected."
    )
    advice = "Leave it so and run with this plan, or set drop = true to leave the column's values behind."
    return [Finding("values-do-not-fit", Severity.DECISION, where, message, advice)]


def _missing(column: ColumnPlan, where: str, counted: ColumnCensus) -> list[Finding]:
    if not (column.not_null and counted.nulls):
        return []
    rows = count_of(counted.nulls, "row")
    message = f"Home Assistant's column is NOT NULL, and {rows} hold NULL; they would be rejected."
    advice = "Fill them in SQLite while Home Assistant is stopped, or leave it so and run with this plan."
    return [Finding("values-do-not-fit", Severity.DECISION, where, message, advice)]


def _too_much(column: ColumnPlan, counted: ColumnCensus) -> str | None:
    """Why not every value of the census fits, or None. NULs in text are stripped and do fit."""
    name, strange = column.type.name, counted.stored
    if name in _BITS:
        strange -= counted.integers
        limit = 1 << _BITS[name] - 1
        if counted.integers and not -limit <= (counted.min_integer or 0) <= (counted.max_integer or 0) < limit:
            return f"a {name} ends at {limit - 1:,}"
    elif name == "double precision":
        strange -= counted.reals
    elif column.type.is_text:
        strange -= counted.texts
        if counted.broken_texts:
            return f"{count_of(counted.broken_texts, 'text is', 'texts are')} not valid in the database's encoding"
        if column.type.arguments and counted.max_characters > column.type.arguments[0]:
            return f"up to {counted.max_characters:,} characters"
    elif name == "bytea":
        strange -= counted.blobs
    elif name == "boolean":
        strange -= counted.integers if (counted.distinct or {2}) <= {0, 1} else 0
    elif name == "timestamptz":
        return _strange_times(column, counted)
    return f"{strange:,} of them are of another kind" if strange else None


def _strange_times(column: ColumnPlan, counted: ColumnCensus) -> str | None:
    if not counted.stored:
        return None
    pictures = frozenset(counted.formats)
    agree = counted.texts == counted.stored and not counted.free_text and all(map(is_picture, pictures))
    return None if agree and merge_pictures(pictures) == column.options.format else "not all are times of one format"


def conform(table: TablePlan, shape: Shape, standard: Shape | None) -> tuple[ColumnPlan, ...]:
    """The reviewed columns with the shape's types; where it differs from the recorded one, the shape decides."""
    columns = tuple(column if column.drop else _conformed(table, column, shape, standard) for column in table.columns)
    filled = {column.target for column in columns if not column.drop}
    for made in shape.columns:
        if made.not_null and made.default is None and not made.numbered and made.name not in filled:
            raise PlanError(
                f"[tables.{table.source}] leaves out {made.name}, which is NOT NULL in Home Assistant's table.",
                next_step=f"Carry the column {made.name}.",
            )
    return columns


def _conformed(table: TablePlan, column: ColumnPlan, shape: Shape, standard: Shape | None) -> ColumnPlan:
    made = shape.column(column.target)
    if made is None:
        raise PlanError(
            f"Home Assistant's table {shape.name} has no column {column.target}.",
            next_step=f"Set drop = true for {column.source} in [tables.{table.source}.columns].",
        )
    pg, recorded = _type(made), standard.column(made.name) if standard else None
    if column.type != pg and (recorded is None or column.type != _type(recorded)):
        raise PlanError(
            f"{table.source}.{column.source} is {made.type} in Home Assistant's table, not {column.type}.",
            next_step=f'Write type = "{pg}", or switch the profile off: profile = "none".',
        )
    options = column.options
    if column.type != pg:
        options = Options(format=WRITTEN, zone=ZONE) if pg.name == "timestamptz" else Options()
    return replace(column, type=pg, options=options, collation=None, identity=made.numbered, not_null=made.not_null)
