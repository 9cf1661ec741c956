"""The target's SQL as scripts, for people and for psql."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.core.blueprint import Blueprint, Phase, Reference
from migrator.core.names import quote_identifier, quote_literal
from migrator.core.plan import Orphans, Plan

TRIGGERS = (Phase.FUNCTION, Phase.TRIGGER, Phase.TRIGGER_COMMENT)
_SECTIONS = (
    ("pre-data: tables", (Phase.TABLE,)),
    ("post-data: keys and indexes", (Phase.INDEX, Phase.KEY)),
    ("post-data: foreign keys", (Phase.FOREIGN_KEY,)),
    ("views", (Phase.VIEW,)),
    ("comments", (Phase.COMMENT,)),
    ("triggers", TRIGGERS),
)


def create_schema(plan: Plan) -> list[str]:
    named = plan.target_schema != "public"
    return [f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(plan.target_schema)}"] if named else []


def enter(plan: Plan) -> str:
    """The statements' names are unqualified. PostgreSQL's own come first, so a table called text is no type."""
    return f"SET search_path TO {quote_identifier(plan.target_schema)}"


def sections(blueprint: Blueprint) -> list[tuple[str, list[str]]]:
    """Title and statements of every section that has some."""
    found = [(title, printed(blueprint, *phases)) for title, phases in _SECTIONS]
    return [section for section in found if section[1]]


def printed(blueprint: Blueprint, *phases: Phase) -> list[str]:
    """The statements as a person would write them: where a run takes two steps, in one."""
    texts = [item.sql if item.printed is None else item.printed for item in blueprint.phase(*phases)]
    return [text for text in texts if text]


def comment(text: str) -> list[str]:
    """Comment lines; names and messages may hold line breaks, and what follows one would be no comment any more."""
    return [f"-- {line}" for line in text.replace("\0", "?").splitlines()]


# -- an export for psql ------------------------------------------------------------------------------------------------


def pre_data(blueprint: Blueprint, plan: Plan) -> str:
    return _script(
        "The tables, to be filled before post-data.sql is run.",
        [*create_schema(plan), enter(plan), *printed(blueprint, Phase.TABLE)],
    )


def post_data(
    blueprint: Blueprint, plan: Plan, floors: Iterable[tuple[str, str, int]], rejected: Iterable[str] = ()
) -> str:
    """`floors` are (table, identity column, highest id ever given); `rejected` are tables that rows are missing of."""
    statements = [enter(plan), *printed(blueprint, Phase.INDEX, Phase.KEY)]
    if references := settling(blueprint.references, rejected):
        statements.append(_settle(references))
    statements += printed(blueprint, Phase.FOREIGN_KEY)
    statements += [_restart(*floor) for floor in floors]
    statements += printed(blueprint, Phase.VIEW, Phase.COMMENT)
    statements += [f"ANALYZE {quote_identifier(name)}" for name in blueprint.tables]
    statements += printed(blueprint, *TRIGGERS)
    return _script("Keys, indexes, foreign keys, the positions of sequences, views and triggers.", statements)


@dataclass(frozen=True)
class Load:
    """A data file and the table it goes into; names are the target's."""

    table: str
    columns: tuple[str, ...]
    file: str
    rows: int


def load(files: Sequence[Load], plan: Plan, *, compressed: bool) -> str:
    """A script for psql. COPY takes a file that was cut off between two rows for a whole one, so rows are counted."""
    lines = comment(
        "Loads the export with psql alone, in one transaction: all of it, or nothing. In this file's folder, run:\n"
        "  psql --no-psqlrc --file load.sql 'postgresql://host/database'\n"
        "Nothing is compared with the source; migrator load does that."
    )
    if compressed:
        lines += comment("The files are compressed; psql reads them through zstd, which has to be installed.")
    lines += ["\\set ON_ERROR_STOP on", "\\encoding UTF8", "BEGIN;", "\\ir pre-data.sql"]
    schema = quote_identifier(plan.target_schema)
    rows: dict[str, int] = {}
    for item in files:
        table = f"{schema}.{quote_identifier(item.table)}"
        listed = f" ({', '.join(map(quote_identifier, item.columns))})" if item.columns else ""
        source = f"PROGRAM 'zstd -dc {item.file}'" if compressed else f"'{item.file}'"
        lines.append(f"\\copy {table}{listed} FROM {source} (FORMAT BINARY)")
        rows[table] = rows.get(table, 0) + item.rows
    lines += [f"{_counted(table, count)};" for table, count in rows.items()]
    lines += ["\\ir post-data.sql", "COMMIT;"]
    return "\n".join(lines) + "\n"


def _counted(table: str, rows: int) -> str:
    """Fails where the table has another number of rows."""
    message = quote_literal(f"{table} has % rows, and the export {rows}")
    return _block(
        [
            "DECLARE",
            f"    found bigint := (SELECT count(*) FROM {table});",
            "BEGIN",
            f"    IF found <> {rows} THEN",
            f"        RAISE EXCEPTION USING MESSAGE = replace({message}, '%', found::text);",
            "    END IF;",
            "END",
        ]
    )


def _block(lines: Iterable[str]) -> str:
    """An anonymous block; a name in it may hold what would end it."""
    text, tag = "\n".join(lines), "$migrator$"
    while tag in text:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag}\n{text}\n{tag}"


UNFIT = r"""-- A name in this export holds a line break, which psql's \copy cannot take. Use migrator load.
\set ON_ERROR_STOP on
DO $$ BEGIN RAISE EXCEPTION 'A name in this export holds a line break: use migrator load.'; END $$;
"""


def fits_psql(files: Iterable[Load], plan: Plan) -> bool:
    r"""\copy is one line, so names with a line break cannot stand in it."""
    names = [plan.target_schema, *(name for item in files for name in (item.table, *item.columns))]
    return not any(re.search(r"[\r\n]", name) for name in names)


def settling(references: Iterable[Reference], rejected: Iterable[str]) -> list[Reference]:
    """The references whose orphans go or become NULL: the plan says so, or their parents are missing."""
    losing, found = {*rejected}, dict[str, Reference]()
    references = list(references)
    changed = True
    while changed:
        changed = False
        for item in references:
            bereaved = item.orphans is Orphans.FAIL and item.parent in losing
            if item.name in found or not (bereaved or item.orphans in (Orphans.REJECT, Orphans.NULL)):
                continue
            found[item.name], changed = item, True
            if not nulls(item):
                losing.add(item.table)
    return list(found.values())


def nulls(reference: Reference) -> bool:
    return reference.orphans is Orphans.NULL or (reference.orphans is Orphans.FAIL and reference.loose)


def _settle(references: Sequence[Reference]) -> str:
    lines = ["DECLARE", "    gone bigint;", "    again boolean := true;", "BEGIN", "    WHILE again LOOP"]
    lines.append("        again := false;")
    for item in references:
        lines += [
            f"        {_settling(item)};",
            "        GET DIAGNOSTICS gone = ROW_COUNT;",
            "        IF gone > 0 THEN",
            f"            RAISE NOTICE '% rows without their parent: %', gone, {quote_literal(item.name)};",
            *([] if nulls(item) else ["            again := true;"]),
            "        END IF;",
        ]
    return _block([*lines, "    END LOOP;", "END"])


def _settling(item: Reference) -> str:
    child, parent = quote_identifier(item.table), quote_identifier(item.parent)
    pairs = list(zip(map(quote_identifier, item.columns), map(quote_identifier, item.parent_columns), strict=True))
    present = " AND ".join(f"c.{ours} IS NOT NULL" for ours, _ in pairs)
    joined = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in pairs)
    orphaned = f"{present} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {joined})"
    if nulls(item):
        return f"UPDATE {child} c SET {', '.join(f'{ours} = NULL' for ours, _ in pairs)} WHERE {orphaned}"
    return f"DELETE FROM {child} c WHERE {orphaned}"


def _restart(table: str, column: str, floor: int) -> str:
    name, quoted = quote_identifier(table), quote_identifier(column)
    sequence = f"pg_get_serial_sequence({quote_literal(name)}, {quote_literal(column)})"
    highest = f"greatest({floor}, (SELECT max({quoted}) FROM {name}), 0)"
    return f"SELECT setval({sequence}, least({highest}::numeric + 1, 9223372036854775807)::bigint, false)"


def _script(title: str, statements: Iterable[str]) -> str:
    return "\n".join([*comment(title), "", *(f"{statement};" for statement in statements)]) + "\n"
