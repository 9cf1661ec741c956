"""SELECT, INSERT, UPDATE and DELETE → PostgreSQL's, by the allow-list of expressions and views.

What is translated gives the same rows and leaves the same rows behind; where PostgreSQL is stricter it raises an error.
What may differ without one is noted in the surroundings, or declined with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from migrator.core.model import Affinity, fold
from migrator.core.names import quote_identifier, target_name
from migrator.core.sql import values as v
from migrator.core.sql.fired import require_fired_alike, without_affinities
from migrator.core.sql.given import rounded
from migrator.core.sql.one_table import predicate, translate_predicate
from migrator.core.sql.parsing import parse_query, placeholder_number, too_deep_is_declined
from migrator.core.sql.query import FromClause, Headings, Note, Output, Surroundings, listed, require_args
from migrator.core.sql.replacing import Rows, replacement, with_next_ids, without_new_ids
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from migrator.core.sql.terms import called
from migrator.core.sql.times import TYPES as TIMES
from migrator.core.sql.times import as_time
from migrator.core.sql.unordered import is_unordered
from migrator.core.sql.values import Value
from migrator.core.sql.views import Select, common_tables, translate_query

EXCLUDED = "excluded"  # the row that was to be inserted
MIXED = "a result that SQLite gives as an INTEGER in some rows is a double in all of them"
_NUMBERS = (Kind.INTEGER, Kind.REAL, Kind.NUMERIC)


def translate_statement(
    text: str, around: Surroundings, resolution: str | None = None, results: tuple[str, ...] = ()
) -> str:
    """The statement without OR behind INSERT and UPDATE, and the word that stood there. Raises Untranslatable.

    `results` are the texts of what SELECT or RETURNING lists, by which SQLite calls what has no other name.
    """
    headings = Headings(texts=results)
    with too_deep_is_declined():
        tree = parse_query(text)
        if isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery | exp.Values):
            query = translate_query(tree, around, None, headings)
            query.require_kinds()
            _note_results(query.columns, around)
            if around.learned is not None:
                around.learned.unordered = is_unordered(tree, around)
            return query.sql
        translator = _STATEMENTS.get(type(tree))
        if translator is None:
            raise Untranslatable(f"{called(tree)} is not on the list of what is translated")
        prefix, around = common_tables(tree.args.get("with_"), around)
        sql = translator(tree, around, resolution) + _returning(tree, around, headings)
        return f"{prefix.rstrip()}, {sql.removeprefix('WITH ')}" if prefix and sql.startswith("WITH ") else prefix + sql


# -- INSERT ------------------------------------------------------------------------------------------------------------


def _insert(node: exp.Insert, around: Surroundings, resolution: str | None) -> str:
    require_args(node, "this", "expression", "conflict", "returning", "default", "with_")
    place, columns = _destination(node.this, around)
    require_fired_alike(node, place.table, resolution)
    if node.args.get("default"):
        columns, rows = [], Rows(query="DEFAULT VALUES")
    else:
        rows = _rows(node.expression, around, columns)
        rows = with_next_ids(place.table, columns, rows, around)
    conflict = _upsert(node.args["conflict"], place, _over(around, place)) if node.args.get("conflict") else ""
    if resolution and conflict:
        raise Untranslatable("OR together with ON CONFLICT")
    if resolution == "REPLACE" and columns:
        columns, rows = without_new_ids(place.table, columns, rows)
        _warn_of_given_ids(place.table, columns, around)
        return replacement(place.sql, place.table, columns, around).sql(rows, around)
    _warn_of_given_ids(place.table, columns, around)
    names = f" ({', '.join(quote_identifier(column.target) for column in columns)})" if columns else ""
    return f"INSERT INTO {place.sql}{names} {rows.sql}{conflict}{_on_conflict(resolution, around)}"


@dataclass(frozen=True)
class _Place:
    """The table of a statement, and its name in it."""

    table: TableScope
    alias: str

    @property
    def sql(self) -> str:
        target, name = quote_identifier(self.table.target), quote_identifier(self.alias)
        return target if target == name else f"{target} AS {name}"


def _place(node: exp.Expr, around: Surroundings) -> _Place:
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise Untranslatable("a statement on something other than a table")
    require_args(node, "this", "alias")
    return _Place(around.table(node.name), target_name(node.alias or node.name))


def _destination(node: exp.Expr, around: Surroundings) -> tuple[_Place, list[ColumnScope]]:
    """The table, and the columns in the order of the values."""
    if not isinstance(node, exp.Schema):
        place = _place(node, around)
        return place, [_column(place.table, name) for name in place.table.columns]
    place = _place(node.this, around)
    return place, [_column(place.table, name.name) for name in node.expressions]


def _column(table: TableScope, name: str) -> ColumnScope:
    """One that gets a value."""
    found = (without_affinities(table) if table.is_view else table).named.get(fold(name))
    if found is None:
        raise Untranslatable(f"no column {name}")
    return found


def _over(around: Surroundings, place: _Place, *, excluded: bool = False) -> Select:
    """Expressions over the rows of the table."""
    select = Select(exp.Select(), around, _Excluded(place.table, around.rows) if excluded else None)
    select.source.add(place.alias, place.table, nullable=False)
    select.source.crowded = excluded
    return select


class _Excluded(FromClause):
    """Behind the table's own columns, so that only its full name reaches one of these."""

    def __init__(self, table: TableScope, outer: FromClause | None) -> None:
        super().__init__(outer)
        self.add(EXCLUDED, table, nullable=False)

    def column(self, table: str | None, name: str, *, hidden: frozenset[str] = frozenset()) -> Value | None:
        return super().column(table, name, hidden=hidden) if table is not None else None


def _rows(node: exp.Expr | None, around: Surroundings, columns: Sequence[ColumnScope]) -> Rows:
    if isinstance(node, exp.Values):
        require_args(node, "expressions")
        return Rows(tuple(_row(row, around, columns) for row in node.expressions))
    if not isinstance(node, exp.Select | exp.SetOperation):
        raise Untranslatable("an INSERT of something other than VALUES or a query")
    if isinstance(node, exp.Select) and around.parameters is not None:
        # A query's results have types of their own, which PostgreSQL does not take from the columns.
        for item, column in zip(node.expressions, columns, strict=False):
            if isinstance(item, exp.Placeholder):
                around.parameters[placeholder_number(item)].declared = column.kind
    query = translate_query(node, around, None)
    for output, column in zip(query.columns, columns, strict=False):
        _tell_of_rounding(output.value, column, around)
    if len(query.columns) != len(columns):
        raise Untranslatable(f"{len(query.columns)} values for {len(columns)} columns")
    for output, column in zip(query.columns, columns, strict=True):
        if _stored(output.value, column) not in (
            output.value.sql,
            output.value.literal is not None and v.bare(output.value),
        ):
            raise Untranslatable(f"a query's {output.value.kind} stored in {column.target}")
    return Rows(query=query.sql)


def _row(node: exp.Expr, around: Surroundings, columns: Sequence[ColumnScope]) -> tuple[str, ...]:
    values = node.expressions if isinstance(node, exp.Tuple) else [node.unnest()]
    if len(values) != len(columns):
        raise Untranslatable(f"{len(values)} values for {len(columns)} columns")
    emitter = Select(exp.Select(), around, None).plain
    return tuple(_value(emitter.value, item, column, around) for item, column in zip(values, columns, strict=True))


def _value(emit: Callable[[exp.Expr], Value], node: exp.Expr, column: ColumnScope, around: Surroundings) -> str:
    if isinstance(node, exp.Null) and not column.nullable and column.kind is Kind.INTEGER:
        return "DEFAULT"  # what SQLite makes of NULL for an INTEGER PRIMARY KEY; without a default it is an error too
    value = emit(node)
    _tell_of_rounding(value, column, around)
    return _stored(value, column)


def _tell_of_rounding(value: Value, column: ColumnScope, around: Surroundings) -> None:
    """Of what is calculated or comes from another column; of an argument it is told with all others."""
    if column.scale is None or value.parameter is not None or (value.column and value.label == column.label):
        return
    literal = value.literal
    fits = isinstance(literal, int) or (isinstance(literal, float) and round(literal, column.scale) == literal)
    if not fits and value.kind in _NUMBERS and value.kind is not Kind.INTEGER:
        around.tell(rounded(column))


def _stored(value: Value, column: ColumnScope) -> str:
    """The value as the column's affinity makes it, or Untranslatable where that depends on the value."""
    value = v.typed(value, column.kind)
    if value.parameter is not None:
        value.parameter.stored.append(column)
    if value.parameter is not None or value.kind is Kind.NULL:
        return value.sql
    if column.kind is Kind.BOOLEAN:
        return _stored_truth(v.converted(value, column.affinity))
    if column.kind in TIMES and (time := as_time(value, column.kind, column.picture)) is not None:
        return v.bare(value) if value.literal is not None and column.kind is not Kind.TIMESTAMPTZ else time
    value = v.number(value) if value.kind is Kind.BOOLEAN else v.settled(v.require(value))
    value = v.converted(value, column.affinity)
    if column.kind is Kind.TEXT and not column.uniform:
        return _widened(value, column)
    if value.kind is column.kind:
        return v.bare(value) if value.literal is not None else value.sql
    if column.kind is Kind.REAL and value.kind is Kind.INTEGER and isinstance(value.literal, int):
        return v.bare(value)
    if value.kind is Kind.INTEGER and isinstance(value.literal, int) and _holds_integers(column, value.literal):
        return v.bare(value)
    if column.kind is Kind.TEXT and value.kind is Kind.INTEGER and column.affinity is Affinity.TEXT:
        return v.text(value)
    raise Untranslatable(f"{value.kind} stored in {column.target}, which holds {column.kind}")


def _widened(value: Value, column: ColumnScope) -> str:
    """Numbers are texts in such a column, and a text that looks like one would be read as one."""
    if value.kind is Kind.INTEGER:
        return v.text(value)
    if isinstance(value.literal, str) and not v.LOOKS_NUMERIC.fullmatch(value.literal):
        return value.sql
    raise Untranslatable(f"{value.kind} stored in {column.target}, which holds several storage classes")


def _holds_integers(column: ColumnScope, number: int) -> bool:
    """Whether a column of other numbers gives the integer back as SQLite does: as one, or as a REAL."""
    if column.kind is Kind.NUMERIC:
        return column.affinity is not Affinity.TEXT
    counted = column.affinity in (Affinity.REAL, Affinity.NUMERIC, Affinity.INTEGER)
    return column.kind is Kind.REAL and counted and abs(number) <= v.EXACT_IN_A_DOUBLE


def _stored_truth(value: Value) -> str:
    if value.kind is Kind.BOOLEAN:
        return value.sql
    if value.kind is Kind.INTEGER and value.literal in (0, 1):
        return str(bool(value.literal)).upper()
    raise Untranslatable(f"{value.kind} stored in a boolean")


# -- conflicts ---------------------------------------------------------------------------------------------------------


def _on_conflict(resolution: str | None, around: Surroundings) -> str:
    """Without REPLACE, which replaces nothing where only defaults are inserted."""
    if resolution in (None, "ABORT", "REPLACE"):
        return ""
    if resolution == "IGNORE":
        around.note("or-ignore", "OR IGNORE passes over rows that break NOT NULL or a CHECK; PostgreSQL refuses them")
        return " ON CONFLICT DO NOTHING"
    raise Untranslatable(f"OR {resolution}")


def _upsert(node: exp.OnConflict, place: _Place, select: Select) -> str:
    require_args(node, "conflict_keys", "action", "expressions", "where", "index_predicate")
    key = [_conflict_column(item) for item in node.args.get("conflict_keys") or []]
    columns = [_column(place.table, name) for name in key]
    some = _rows_of_key(node.args.get("index_predicate"), key, place.table)
    target = f" ({', '.join(quote_identifier(column.target) for column in columns)}){some}" if key else ""
    action = str(node.args["action"].name).upper()
    if action == "DO NOTHING":
        return f" ON CONFLICT{target} DO NOTHING"
    if not key:
        raise Untranslatable("ON CONFLICT DO UPDATE without a key")
    inner = _over(select.around, place, excluded=True)
    where = f" WHERE {inner.plain.condition(node.args['where'].this)}" if node.args.get("where") else ""
    return f" ON CONFLICT{target} DO UPDATE SET {_assignments(node.expressions, place.table, inner)}{where}"


def _rows_of_key(where: exp.Where | None, key: Sequence[str], table: TableScope) -> str:
    """What stands behind the key, which has to be one, of all rows or, with WHERE, of these."""
    columns = {fold(name) for name in key}
    is_whole = any(columns == set(unique) for unique in table.unique)
    if where is None:
        if key and not is_whole:
            raise Untranslatable(f"ON CONFLICT ({', '.join(key)}), which is no unique key of all rows")
        return ""
    partial = [item for item in table.partial if set(item.columns) == columns]
    wanted = predicate(where.this, table)
    # PostgreSQL would look at every key of these columns that holds for such rows, SQLite at one.
    if is_whole or len(partial) != 1 or translate_predicate(partial[0].where, table) != wanted:
        raise Untranslatable(f"ON CONFLICT ({', '.join(key)}) WHERE …, which is not the one unique key of such rows")
    return f" WHERE {wanted}"


def _conflict_column(node: exp.Expr) -> str:
    inner = node.this if isinstance(node, exp.Ordered) else node
    if not isinstance(inner, exp.Column | exp.Identifier) or inner.args.get("table"):
        raise Untranslatable("ON CONFLICT on an expression")
    return inner.name


def _warn_of_given_ids(table: TableScope, columns: Sequence[ColumnScope], around: Surroundings) -> None:
    if table.rowid is not None and table.rowid.target in {column.target for column in columns}:
        around.note("given-id", "SQLite goes on behind the highest id; an id that is given does not move a sequence")


# -- UPDATE and DELETE -------------------------------------------------------------------------------------------------


def _update(node: exp.Update, around: Surroundings, resolution: str | None) -> str:
    require_args(node, "this", "expressions", "where", "from_", "returning", "with_")
    if resolution not in (None, "ABORT"):
        raise Untranslatable(f"UPDATE OR {resolution}")
    place = _place(node.this, around)
    require_fired_alike(node, place.table, resolution)
    select = _over(around, place)
    source = node.args.get("from_")
    joined = select.tables_of(source) if source else ""
    sets = _assignments(node.expressions, place.table, select)
    return f"UPDATE {place.sql} SET {sets}{joined}{_where(node, select)}"


def _assignments(nodes: Sequence[exp.Expr], table: TableScope, select: Select) -> str:
    return ", ".join(
        f"{quote_identifier(column.target)} = {_value(select.plain.value, value, column, select.around)}"
        for column, value in (pair for node in nodes for pair in _pairs(node, table))
    )


def _pairs(node: exp.Expr, table: TableScope) -> list[tuple[ColumnScope, exp.Expr]]:
    if not isinstance(node, exp.EQ):
        raise Untranslatable(f"{called(node)} in SET")
    if isinstance(node.this, exp.Column) and not node.this.table:
        return [(_column(table, node.this.name), node.expression)]
    left, right = node.this, node.expression
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple) and len(left.expressions) == len(right.expressions):
        return [
            (_column(table, name.name), value) for name, value in zip(left.expressions, right.expressions, strict=True)
        ]
    raise Untranslatable("SET of several columns from a query")


def _delete(node: exp.Delete, around: Surroundings, resolution: str | None) -> str:
    require_args(node, "this", "where", "returning", "with_")
    place = _place(node.this, around)
    require_fired_alike(node, place.table, resolution)
    select = _over(around, place)
    return f"DELETE FROM {place.sql}{_where(node, select)}"


def _where(node: exp.Expr, select: Select) -> str:
    where = node.args.get("where")
    return f" WHERE {select.plain.condition(where.this)}" if where else ""


def _returning(node: exp.Expr, around: Surroundings, headings: Headings) -> str:
    """Of the table itself; UPDATE's other tables are not seen."""
    returning = node.args.get("returning")
    if returning is None:
        return ""
    require_args(returning, "expressions")
    place = _place(node.this.this if isinstance(node.this, exp.Schema) else node.this, around)
    select = Select(exp.Select(), around, None, headings)
    select.source.add(place.alias, place.table, nullable=False)
    select.source.crowded = bool(node.args.get("from_"))
    results = select.results(returning.expressions, select.plain)
    _note_results(results, around)
    return f" RETURNING {listed(results)}"


def _note_results(outputs: Sequence[Output], around: Surroundings) -> None:
    """A column is read back as what it was; what is calculated is not."""
    if any(output.value.mixed and not output.value.column for output in outputs):
        around.note("mixed", MIXED)
    if any(output.value.summed for output in outputs):
        around.tell(Note("mixed", "a sum that SQLite gives as a REAL, 4.0, is the integer 4 where it is whole"))
    if around.learned is not None:
        around.learned.results.extend(output.value for output in outputs)


def is_always_real(value: Value) -> bool:
    return value.kind is Kind.REAL and not value.mixed


_STATEMENTS: dict[type[exp.Expr], Callable[[Any, Surroundings, str | None], str]] = {
    exp.Insert: _insert,
    exp.Update: _update,
    exp.Delete: _delete,
}
