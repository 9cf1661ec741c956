"""Schema and census → a plan and what a person should look at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrator.core.census import ColumnCensus, TableCensus
from migrator.core.convert import NO_OPTIONS
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.model import Affinity, Column, ForeignKey, Schema, Table, TableKind, fold
from migrator.core.names import collisions, column_name, table_name, target_name
from migrator.core.pgtypes import PgType
from migrator.core.plan import ColumnPlan, Orphans, Plan, Style, TablePlan, fingerprint
from migrator.core.plan_file import column_line, inline
from migrator.core.typemap import Choice, choose
from migrator.core.values import MAX_VALUE_BYTES

MAX_COLUMNS = 1_600  # PostgreSQL's limit per table
MAX_INDEXED_BYTES = 2_704  # BTMaxItemSize for pages of 8 kB; compressible values may still fit
PAGE_BYTES = 8_160  # what one row may take on a page after its long values moved to TOAST


@dataclass(frozen=True)
class Orphaned:
    """One foreign key with rows that have no parent."""

    table: str
    key: ForeignKey
    rows: int


@dataclass(frozen=True)
class Draft:
    plan: Plan
    findings: tuple[Finding, ...]


def draft_plan(
    schema: Schema,
    census: Mapping[str, TableCensus],
    sizes: Mapping[str, int],
    orphans: tuple[Orphaned, ...],
    style: Style,
    zone: str,
    target_schema: str,
) -> Draft:
    """The plan that this style proposes for every table. Views are carried, or declined later by schema and run."""
    drafter = _Drafter(style, zone)
    tables = [
        drafter.table(table, census[table.name], sizes.get(table.name), orphans)
        for table in schema.tables
        if table.kind is TableKind.TABLE
    ]
    drafter.findings += virtual_tables(schema)
    drafter.name_collisions(schema)
    plan = Plan(
        style=style,
        profile="none",
        zone=zone,
        target_schema=target_schema,
        tables=tuple(_align_keys(schema, tables)),
        dropped_views=frozenset(),
        fingerprint=fingerprint(schema),
    )
    return Draft(plan, tuple(drafter.findings))


def virtual_tables(schema: Schema) -> list[Finding]:
    """What is said of virtual tables and their shadows, which are not carried."""
    return [_virtual(table) for table in schema.tables if table.kind is not TableKind.TABLE]


def _virtual(table: Table) -> Finding:
    if table.kind is TableKind.SHADOW:
        message = "Belongs to a virtual table and is not carried."
        return Finding("shadow-table", Severity.NOTE, table.name, message)
    module = table.sql.upper().partition("USING")[2].strip().partition("(")[0].strip().lower() or "unknown"
    searches = module.startswith("fts")
    search = "In PostgreSQL build a tsvector column with a GIN index. " if searches else ""
    if not table.holds_content:
        message = f"A virtual table (module {module}) over another table's content is not carried."
        return Finding("virtual-table", Severity.WARNING, table.name, message, search.strip(), table.sql)
    message = f"A virtual table (module {module}) is not carried, and its content may exist nowhere else."
    carried = (
        f'a query carries its content: [tables.NAME] with source = "SELECT rowid, * FROM {table.name}", '
        f'key = ["rowid"] and covers = ["{table.name}"].'
        if searches
        else f"to carry its content, make a table of it first: CREATE TABLE name AS SELECT * FROM {table.name};"
    )
    advice = f"{search}Decide in the plan: [tables.{table.name}] with drop = true leaves it behind; {carried}"
    return Finding("virtual-table", Severity.DECISION, table.name, message, advice, table.sql)


def draft_query(table: TablePlan, columns: tuple[str, ...], census: TableCensus, style: Style, zone: str) -> TablePlan:
    """The table plan of a merging query, with a column line for every result column that has none."""
    drafter = _Drafter(style, zone)
    known = {column.source: column for column in table.columns}
    drafted = [
        known.get(name) or drafter.column(table.source, _query_column(name), counted)
        for name, counted in zip(columns, census.columns, strict=True)
    ]
    return replace(table, columns=tuple(drafted), rows=census.rows)


def _query_column(name: str) -> Column:
    return Column(name, "", Affinity.BLOB, not_null=False, default=None, collation="BINARY")


class _Drafter:
    def __init__(self, style: Style, zone: str) -> None:
        self._style = style
        self._zone = zone
        self.findings: list[Finding] = []

    def table(
        self, table: Table, census: TableCensus, size_bytes: int | None, orphans: tuple[Orphaned, ...]
    ) -> TablePlan:
        columns = [
            self._special(table, column, self.column(table.name, column, counted))
            for column, counted in zip(table.columns, census.columns, strict=True)
        ]
        self._limits(table, census)
        return TablePlan(
            source=table.name,
            target=table_name(table.name),
            columns=tuple(columns),
            nullable_key=self._nullable_key(table, census),
            drop_indexes=self._large_indexes(table, census),
            orphans={
                orphaned.key.columns: self._orphans(orphaned) for orphaned in orphans if orphaned.table == table.name
            },
            rows=census.rows,
            size_bytes=size_bytes,
        )

    def column(self, table: str, column: Column, census: ColumnCensus) -> ColumnPlan:
        choice = choose(column, census, self._style, self._zone)
        other = Style.IDIOMATIC if self._style is Style.FAITHFUL else Style.FAITHFUL
        alternative = choose(column, census, other, self._zone)
        self._report(f"{table}.{column.name}", column, census, choice)
        planned = self._planned(column, choice, self._style)
        if (alternative.type, alternative.options) == (choice.type, choice.options):
            return planned
        line = inline(column_line(self._planned(column, alternative, other)))
        return replace(planned, alternative=f"{line}   # {other.value}{_mark(alternative)}")

    @staticmethod
    def _planned(column: Column, choice: Choice, style: Style) -> ColumnPlan:
        """Faithful texts sort as in SQLite: by code point, which is PostgreSQL's collation C."""
        bytewise = choice.type.is_text and style is Style.FAITHFUL
        return ColumnPlan(
            source=column.name,
            target=column_name(column.name),
            type=choice.type,
            options=choice.options,
            collation="C" if bytewise else None,
            not_null=column.not_null,
            affinity=column.affinity,
            why=f"{column.declared_type or 'no type'}: {choice.why}{_mark(choice)}",
        )

    @staticmethod
    def _special(table: Table, column: Column, planned: ColumnPlan) -> ColumnPlan:
        if table.rowid_alias and fold(column.name) == fold(table.rowid_alias):
            return replace(planned, identity=True, not_null=True, alternative="")
        if planned.type.name in _DOCUMENTS and fold(column.name) in _indexed(table):
            # Two JSON texts can mean the same and differ; keys and indexes compare the texts.
            return replace(planned, type=PgType("text"), options=NO_OPTIONS, collation="C", alternative="")
        return planned

    def _nullable_key(self, table: Table, census: TableCensus) -> bool:
        keys = {fold(name) for name in table.primary_key}
        nulls = sum(
            counted.nulls
            for column, counted in zip(table.columns, census.columns, strict=True)
            if fold(column.name) in keys
        )
        if nulls and not table.rowid_alias:
            self._add(
                "null-in-primary-key",
                Severity.WARNING,
                table.name,
                f"{nulls:,} NULL in the primary key, which PostgreSQL refuses: the key becomes UNIQUE.",
                'To keep a primary key, add rowid = "some_name" (an identity column that carries the rowid).',
            )
            return True
        return False

    def _large_indexes(self, table: Table, census: TableCensus) -> tuple[str, ...]:
        """Indexes over values that a B-tree of PostgreSQL has no room for; they would end the run at its last step."""
        large = {
            fold(column.name)
            for column, counted in zip(table.columns, census.columns, strict=True)
            if max(counted.max_text_bytes, counted.max_blob_bytes) > MAX_INDEXED_BYTES
        }
        names = [
            index.name
            for index in table.indexes
            if index.origin != "pk" and any(fold(part.name or "") in large for part in index.columns)
        ]
        for name in names:
            self._add(
                "index-too-large",
                Severity.WARNING,
                f"{table.name}.{name}",
                f"A value is longer than the {MAX_INDEXED_BYTES:,} bytes that PostgreSQL can index: not carried.",
                "Index a prefix afterwards: CREATE INDEX … (left(column, 500)); or try it: drop_indexes = [].",
            )
        return tuple(names)

    def _orphans(self, orphaned: Orphaned) -> Orphans:
        columns = ", ".join(orphaned.key.columns)
        self._add(
            "orphans",
            Severity.WARNING,
            f"{orphaned.table}({columns})",
            f"{count_of(orphaned.rows, 'row names', 'rows name')} a row of {orphaned.key.parent} that does not exist: "
            "all are carried, and the key is added NOT VALID.",
            "To clean up on the way, set orphans to reject or null in the plan.",
        )
        return Orphans.NOT_VALID

    def name_collisions(self, schema: Schema) -> None:
        tables = [table.name for table in schema.tables if table.kind is TableKind.TABLE]
        for group in collisions([*tables, *(view.name for view in schema.views)]):
            self._collision("name-collision", ", ".join(group), target_name(group[0]))
        for table in schema.tables:
            for group in collisions(column.name for column in table.columns):
                self._collision("name-collision", ", ".join(f"{table.name}.{name}" for name in group), "one name")
            for name in [table.name, *(column.name for column in table.columns)]:
                if target_name(name) != fold(name):
                    self._add(
                        "name-shortened",
                        Severity.WARNING,
                        f"{table.name}.{name}" if name != table.name else name,
                        f"PostgreSQL allows 63 bytes: it becomes {target_name(name)}.",
                        'Choose another with target = "…".',
                    )

        self._reserved_names(schema)

    def _reserved_names(self, schema: Schema) -> None:
        for table in schema.tables:
            if table_name(table.name) != target_name(table.name):
                self._add(
                    "name-reserved",
                    Severity.WARNING,
                    table.name,
                    f"Names with pg_ are PostgreSQL's own: it becomes {table_name(table.name)}.",
                    'Choose another with target = "…".',
                )
            for name in (column.name for column in table.columns):
                if column_name(name) != target_name(name):
                    self._add(
                        "name-reserved",
                        Severity.WARNING,
                        f"{table.name}.{name}",
                        f"Every table of PostgreSQL has a column {fold(name)} already: it becomes {column_name(name)}.",
                        'Choose another with target = "…".',
                    )

    def _collision(self, rule: str, where: str, name: str) -> None:
        self._add(rule, Severity.DECISION, where, f"All would be {name} in PostgreSQL.", 'Rename one: target = "…".')

    def _limits(self, table: Table, census: TableCensus) -> None:
        if len(table.columns) > MAX_COLUMNS:
            self._add(
                "too-many-columns",
                Severity.DECISION,
                table.name,
                f"{len(table.columns):,} columns; PostgreSQL allows {MAX_COLUMNS:,}.",
                "Drop columns in the plan (drop = true), or carry the table as several queries.",
            )
        largest = max((max(item.max_text_bytes, item.max_blob_bytes) for item in census.columns), default=0)
        if table.without_rowid and largest > MAX_VALUE_BYTES:
            self._add(
                "value-held-whole",
                Severity.WARNING,
                table.name,
                f"A value has {largest:,} bytes. SQLite reads parts of a value only where there is a rowid, so here "
                f"a worker holds it as a whole, several times: up to {4 * largest:,} bytes of memory.",
                "With little memory run with --workers 1, or make the table one with a rowid first.",
            )
        smallest = 24 + len(table.columns) // 8 + sum(map(_smallest_bytes, census.columns))
        if smallest > PAGE_BYTES:
            self._add(
                "row-too-big",
                Severity.WARNING,
                table.name,
                f"A row may take {smallest:,} bytes even with its long values moved out; a page holds {PAGE_BYTES:,}. "
                "Rows that do not fit become rejects.",
                "Drop columns, or carry the table as two queries.",
            )

    def _report(self, where: str, column: Column, census: ColumnCensus, choice: Choice) -> None:
        if choice.type.is_text and column.collation != "BINARY":
            self._add(
                "collation",
                Severity.WARNING,
                where,
                f"COLLATE {column.collation} is not carried: {_COLLATION.get(column.collation, _OWN_COLLATION)} "
                "Indexes and views that are carried keep it.",
                _COLLATION_ADVICE.get(column.collation, ""),
            )
        if choice.trouble:
            message = _TROUBLE[choice.trouble].format(declared=column.declared_type or "no type", type=choice.type)
            self._add(choice.trouble, Severity.WARNING, where, f"{message} Stored: {choice.why}.")
        if choice.unfit:
            rule, advice = _remedy(census, choice)
            self._add(
                rule,
                Severity.DECISION,
                where,
                f"{choice.unfit:,} of {census.stored:,} values do not fit {choice.type} and would be rejected.",
                advice,
            )

    def _add(
        self, rule: str, severity: Severity, where: str, message: str, next_step: str = "", original: str = ""
    ) -> None:
        self.findings.append(Finding(rule, severity, where, message, next_step, original))


_COLLATION = {
    "NOCASE": "SQLite compares this column without regard to case, PostgreSQL by every letter.",
    "RTRIM": "SQLite compares this column without regard to spaces at the end, PostgreSQL with them.",
}
_OWN_COLLATION = "only the application knows how it compares."
_COLLATION_ADVICE = {
    "NOCASE": "In queries compare lower(column) with lower(value).",
    "RTRIM": "In queries compare rtrim(column) with rtrim(value).",
}

_DOCUMENTS = ("json", "jsonb", "text[]")


def _mark(choice: Choice) -> str:
    """Says of a conversion that is not lossless what it keeps."""
    return ", normalised: the JSON's meaning is kept, not its bytes" if choice.type.name in ("jsonb", "text[]") else ""


def _indexed(table: Table) -> set[str]:
    parts = [part.name for index in table.indexes for part in index.columns if part.name]
    return {
        fold(name) for name in (*table.primary_key, *parts, *(c for key in table.foreign_keys for c in key.columns))
    }


_TROUBLE = {
    "not-as-declared": "Declared {declared}, but not every value is written as one: carried as {type}.",
    "longer-than-declared": "{declared} limits nothing in SQLite, and longer texts are stored: carried as {type}.",
    "already-lossy": "SQLite has stored integers beyond 2**63 as reals, so their last digits were lost before.",
    "real-in-integer": "Declared {declared}, but reals are stored: carried as {type}.",
    "text-in-other-type": "Declared {declared}, but only texts are stored: carried as {type}.",
    "blob-in-other-type": "Declared {declared}, but only blobs are stored: carried as {type}.",
    "blob-in-text": "Declared {declared}, but blobs are stored too.",
    "text-in-number": "Declared {declared}, but texts are stored too.",
    "empty-text-in-number": "Declared {declared}, but empty texts are stored.",
    "mixed-storage": "Declared {declared}; several storage classes are stored: carried as {type}.",
}


def _remedy(census: ColumnCensus, choice: Choice) -> tuple[str, str]:
    if census.texts_with_nul and choice.type.is_text:
        return "nul-in-text", "Set policy to strip-nul, replace-nul or bytea; or leave reject."
    if census.broken_texts and choice.type.is_text:
        return "invalid-utf8", "Set policy to bytea to keep every byte; or leave reject."
    if choice.trouble == "empty-text-in-number":
        return (
            "values-do-not-fit",
            "Set policy to null-if-empty; or widen to carry the column as text; or leave reject.",
        )
    if census.blobs:
        return "values-do-not-fit", "No policy carries blobs beside other values: correct these rows; or leave reject."
    return "values-do-not-fit", "Set policy to widen to carry the column as text; or leave reject."


def _smallest_bytes(census: ColumnCensus) -> int:
    """What a value takes at least on the page when the longest one moved out: a TOAST pointer, or itself if short."""
    if census.texts or census.blobs:
        return min(18, 1 + max(census.max_text_bytes, census.max_blob_bytes))
    return 8 if census.stored else 0


def _align_keys(schema: Schema, tables: list[TablePlan]) -> list[TablePlan]:
    """A foreign key needs the parent's type: where the two were chosen differently, the child follows the parent."""
    planned = {fold(table.source): table for table in tables}
    for table in schema.tables:
        for key in table.foreign_keys:
            child, parent = planned.get(fold(table.name)), planned.get(fold(key.parent))
            if child is None or parent is None or len(key.columns) != len(key.parent_columns):
                continue
            for name, parent_name in zip(key.columns, key.parent_columns, strict=True):
                child = _aligned(child, name, parent.column(parent_name))
            planned[fold(table.name)] = child
    return [planned[fold(table.source)] for table in tables]


_COMPATIBLE = {("varchar", "text"), ("text", "varchar"), ("varchar", "varchar")}


def _aligned(child: TablePlan, name: str, parent: ColumnPlan | None) -> TablePlan:
    column = child.column(name)
    if column is None or parent is None or column.type == parent.type:
        return child
    if (column.type.name, parent.type.name) in _COMPATIBLE or column.affinity is not parent.affinity:
        return child
    changed = replace(column, type=parent.type, options=parent.options, alternative="")
    return replace(child, columns=tuple(changed if item is column else item for item in child.columns))
