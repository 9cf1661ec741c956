"""SELECTs of views → PostgreSQL's, by the same allow-list as expressions.

A view's result has the kinds of its columns; what differs from row to row in SQLite is declined. The functions may be
merely stable here, and round() is allowed: it differs from SQLite's only where a decimal tie is not exactly a double.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.names import quote_identifier, target_name
from migrator.core.sql import values as v
from migrator.core.sql.aggregates import aggregate, is_aggregate
from migrator.core.sql.comparing import sort_key
from migrator.core.sql.expressions import Emitter
from migrator.core.sql.grouping import Grouping, has_aggregate
from migrator.core.sql.parsing import parse_query, too_deep_is_declined
from migrator.core.sql.query import (
    FromClause,
    Output,
    Query,
    Surroundings,
    direction,
    limit_clause,
    order_clause,
    order_terms,
    other_args,
    output_place,
    require_args,
)
from migrator.core.sql.scope import Kind, TableScope, Untranslatable
from migrator.core.sql.values import Value
from migrator.core.sql.windows import over_window

Columns = tuple[tuple[str, Kind], ...]


def translate_view(select: str, tables: Mapping[str, TableScope], columns: Sequence[str] = ()) -> tuple[str, Columns]:
    """The SELECT for PostgreSQL, with the names and kinds of its columns. Raises Untranslatable.

    `tables` is keyed by folded source names. `columns` are the target's names, where the view lists its own or the
    caller chooses; without them a column is named as in the target's table, or by its alias in lower case.
    """
    with too_deep_is_declined():
        query = translate_query(parse_query(select), Surroundings(tables), None, tuple(columns))
    query.require_names()
    query.require_kinds()
    return query.sql, tuple((column.name, column.value.kind) for column in query.columns)


def translate_query(
    node: exp.Expr, around: Surroundings, outer: FromClause | None, names: tuple[str, ...] = ()
) -> Query:
    """A SELECT, or several with UNION between them. Raises Untranslatable."""
    if isinstance(node, exp.Subquery) and not other_args(node, "this"):
        return translate_query(node.this, around, outer, names)
    if not isinstance(node, exp.Select | exp.SetOperation):
        raise Untranslatable(f"{node.key.upper()} as a query")
    prefix, around = common_tables(node.args.get("with_"), around)
    if isinstance(node, exp.Select):
        query = Select(node, around, outer, names).query()
    else:
        query = _union(node, around, outer, names)
    return replace(query, sql=prefix + query.sql)


def common_tables(with_: exp.With | None, around: Surroundings) -> tuple[str, Surroundings]:
    """What stands before the statement, and what its tables are then."""
    if with_ is None:
        return "", around
    if other_args(with_, "expressions"):
        raise Untranslatable("WITH RECURSIVE")
    parts = []
    for common in with_.expressions:
        if other_args(common, "this", "alias") or common.args["alias"].args.get("columns"):
            raise Untranslatable("a common table expression with a list of columns or a hint")
        name, query = target_name(common.alias), translate_query(common.this, around, None)
        around = around.with_table(common.alias, query.as_table(name))
        parts.append(f"{quote_identifier(name)} AS ({query.sql})")
    return f"WITH {', '.join(parts)} ", around


def _union(node: exp.SetOperation, around: Surroundings, outer: FromClause | None, names: tuple[str, ...]) -> Query:
    require_args(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    left, right = (translate_query(side, around, outer, names) for side in (node.this, node.expression))
    nested = [side for side in (node.this, node.expression) if isinstance(side, exp.SetOperation)]
    if isinstance(node.expression, exp.SetOperation):
        raise Untranslatable("a UNION nested to the right")
    if nested and not all(isinstance(item, exp.Union) for item in (node, *nested)):
        raise Untranslatable("INTERSECT or EXCEPT among others, which PostgreSQL binds in another order")
    if len(left.columns) != len(right.columns):
        raise Untranslatable("a UNION of different widths")
    columns = tuple(_united(one, other) for one, other in zip(left.columns, right.columns, strict=True))
    distinct = bool(node.args.get("distinct"))
    for column in columns if distinct else ():
        v.require_groupable(column.value)
    keys = [_union_key(term, columns) for term in order_terms(node)]
    operator = {exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}.get(type(node), "UNION" if distinct else "UNION ALL")
    sql = f"{left.sql} {operator} {right.sql}"
    return Query(sql + order_clause(keys) + limit_clause(node, around, ordered=bool(keys)), columns)


def _united(one: Output, other: Output) -> Output:
    kinds = {one.value.kind, other.value.kind} - {Kind.NULL}
    if len(kinds) > 1:
        raise Untranslatable(f"a UNION of {one.value.kind} and {other.value.kind}")
    for side in (one.value, other.value):
        if side.collation not in (None, "BINARY"):
            raise Untranslatable(f"a UNION of texts under {side.collation}")
    model = other.value if one.value.kind is Kind.NULL else one.value
    affinity = one.value.affinity if one.value.affinity == other.value.affinity else None
    value = replace(
        model,
        collation=None,
        affinity=affinity,
        nullable=one.value.nullable or other.value.nullable,
        uniform=one.value.uniform and other.value.uniform,
        mixed=one.value.mixed or other.value.mixed,
        finite=one.value.finite and other.value.finite,
        literal=None,
    )
    return replace(one, value=value)


def _union_key(term: exp.Ordered, columns: Sequence[Output]) -> str:
    """PostgreSQL orders a UNION by its columns only, so not by a text under another collation."""
    place = output_place(term.this, [fold(column.source_name) for column in columns])
    if place is None or columns[place].value.kind is Kind.TEXT:
        raise Untranslatable("ORDER BY of a UNION by a text or an expression")
    sort_key(columns[place].value)
    return str(place + 1) + direction(term)


class Select:
    """One SELECT. It answers for the names and the queries inside its expressions."""

    def __init__(
        self, node: exp.Expr, around: Surroundings, outer: FromClause | None, names: tuple[str, ...] = ()
    ) -> None:
        self.node = node
        self.around = around
        self.source = FromClause(outer)
        self.names = names
        self.outputs: tuple[Output, ...] = ()  # empty until they are read: only later clauses see their aliases
        self.plain = QueryEmitter(self, aggregates=False)

    def query(self) -> Query:
        node = self.node
        require_args(node, *_CLAUSES)
        source = self._source_clause()
        grouped = bool(node.args.get("group")) or any(map(has_aggregate, node.expressions))
        emitter = QueryEmitter(self, aggregates=grouped)
        self.outputs = tuple(self._outputs(emitter))
        where = f" WHERE {self.plain.condition(node.args['where'].this)}" if node.args.get("where") else ""
        group = Grouping(self).clause() if grouped else ""
        keys = [self._sort_key(term, emitter) for term in order_terms(node)]
        results = ", ".join(column.sql for column in self.outputs)
        clauses = source + where + group + self._having(emitter) + order_clause(keys)
        sql = f"SELECT {self._distinct()}{results}{clauses}{limit_clause(node, self.around, ordered=bool(keys))}"
        return Query(sql, self.outputs)

    # What goes in

    def _source_clause(self) -> str:
        source = self.node.args.get("from_")
        return self.tables_of(source, self.node.args.get("joins") or []) if source else ""

    def tables_of(self, source: exp.Expr, joins: Sequence[exp.Join] = ()) -> str:
        """A FROM clause, whose tables expressions know from now on. Raises Untranslatable."""
        require_args(source, "this")
        first = self._table(source.this, nullable=False)
        return f" FROM {first}{''.join(map(self._join, joins))}"

    def _join(self, join: exp.Join) -> str:
        require_args(join, "this", "side", "kind", "on", "using")
        outer = join.side == "LEFT"
        if join.side not in ("", "LEFT") or join.kind not in ("", "INNER", "CROSS", "OUTER"):
            raise Untranslatable(f"a {join.side} {join.kind} JOIN")
        table, condition = self._table(join.this, nullable=outer), join.args.get("on")
        if join.args.get("using"):
            return f" {'LEFT JOIN' if outer else 'JOIN'} {table} ON {self._shared(join.args['using'])}"
        if condition is None and outer:
            raise Untranslatable("a LEFT JOIN without ON")
        if condition is None:
            return f" CROSS JOIN {table}"
        return f" {'LEFT JOIN' if outer else 'JOIN'} {table} ON {self.plain.condition(condition)}"

    def _shared(self, names: Sequence[exp.Expr]) -> str:
        """USING: the columns of those names are equal in the last table and before it, and one from now on."""
        *_, last = self.source.tables
        equal = []
        for name in names:
            right = self.source.column(last, name.name)
            self.source.merged.add((last, fold(name.name)))
            left = self.source.column(None, name.name)
            if left is None or right is None:
                raise Untranslatable(f"no column {name.name} on both sides of USING")
            equal.append(self.plain.compare(left, "=", right).sql)
        return " AND ".join(equal)

    def _table(self, node: exp.Expr, *, nullable: bool) -> str:
        require_args(node, "this", "alias")
        alias = node.args.get("alias")
        if alias is not None:
            require_args(alias, "this")
        if isinstance(node, exp.Subquery):
            name = node.alias or f"subquery_{len(self.source.tables) + 1}"
            query = translate_query(node.this, self.around, self.source.outer)
            return f"({query.sql}) AS {self.source.add(name, query.as_table(name), nullable=nullable)}"
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise Untranslatable(f"{node.key.upper()} as a table")
        table = self.around.table(node.name)
        name = self.source.add(node.alias or node.name, table, nullable=nullable)
        target = quote_identifier(table.target)
        return target if target == name else f"{target} AS {name}"

    def column(self, table: str | None, name: str) -> Value | None:
        found = self.source.column(table, name)
        if found is not None or table is not None:
            return found
        return next((output.value for output in self.outputs if fold(output.source_name) == fold(name)), None)

    # What comes out

    def _outputs(self, emitter: QueryEmitter) -> list[Output]:
        outputs = [output for node in self.node.expressions for output in self._output(node, emitter)]
        if not self.names:
            return outputs
        if len(self.names) != len(outputs):
            raise Untranslatable(f"{len(outputs)} columns, {len(self.names)} names")
        return [replace(output, name=name) for output, name in zip(outputs, self.names, strict=True)]

    def output(self, node: exp.Expr) -> list[Output]:
        """One of the results, or all that a * stands for. Raises Untranslatable."""
        return self._output(node, self.plain)

    def _output(self, node: exp.Expr, emitter: QueryEmitter) -> list[Output]:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            if other_args(node, "this", "table"):
                raise Untranslatable("* with exceptions")
            table = getattr(node, "table", "") or None
            return [Output(target, value, source) for value, target, source in self.source.all_columns(table)]
        value = v.settled(emitter.value(node.this if isinstance(node, exp.Alias) else node))
        if isinstance(node, exp.Alias):
            return [Output(target_name(node.alias), value, node.alias)]
        if isinstance(node, exp.Column) and value.column:
            return [Output(self.source.target(node.table or None, node.name), value, node.name)]
        return [Output("", value, "")]

    def _distinct(self) -> str:
        distinct = self.node.args.get("distinct")
        if not distinct:
            return ""
        require_args(distinct)
        for output in self.outputs:
            v.require_groupable(output.value)
        return "DISTINCT "

    def _having(self, emitter: QueryEmitter) -> str:
        having = self.node.args.get("having")
        if having is None:
            return ""
        if not self.node.args.get("group"):
            raise Untranslatable("HAVING without GROUP BY")
        return f" HAVING {emitter.condition(having.this)}"

    def _sort_key(self, term: exp.Ordered, emitter: QueryEmitter) -> str:
        place = output_place(term.this, [fold(output.source_name) for output in self.outputs])
        if self.node.args.get("distinct"):
            if place is None or self.outputs[place].value.kind is Kind.TEXT:
                raise Untranslatable("ORDER BY of a DISTINCT by a text or an expression")
            return str(place + 1) + direction(term)
        value = self.outputs[place].value if place is not None else _orderable(emitter.value(term.this))
        return sort_key(value) + direction(term, nullable=value.nullable)

    # Queries inside

    def exists(self, query: exp.Expr) -> str:
        return f"({translate_query(query, self.around, self.source).sql})"

    def one_column(self, query: exp.Expr) -> tuple[str, Value]:
        found = translate_query(query, self.around, self.source)
        if len(found.columns) != 1:
            raise Untranslatable("IN with a query of several columns")
        return found.sql, found.columns[0].value

    def scalar(self, query: exp.Expr) -> Value:
        """PostgreSQL refuses a second row, SQLite takes the first."""
        first = ""
        if not isinstance(query, exp.Select) or not _has_one_row(query):
            self.around.note("order", "a query as a value that may have several rows: which comes first is not said")
            first = " LIMIT 1"
            if query.args.get("limit"):
                raise Untranslatable("a query as a value with another LIMIT than 1")
        sql, value = self.one_column(query)
        sql += first
        return replace(value, sql=f"({sql})", column=False, nullable=True, literal=None)


def _orderable(value: Value) -> Value:
    return value if value.explicit else v.settled(value)


def _has_one_row(query: exp.Select) -> bool:
    if query.args.get("limit"):
        return bool(query.args["limit"].expression.name == "1")
    return not query.args.get("group") and any(map(has_aggregate, query.expressions))


class QueryEmitter(Emitter):
    """Expressions of a query: with aggregates where its clause may have them, and with round()."""

    def __init__(self, select: Select, *, aggregates: bool) -> None:
        super().__init__(select, select, select.around.parameters)
        self.select = select
        self.aggregates = aggregates

    def use_clock(self, what: str) -> None:
        if self.select.around.notes is None:
            super().use_clock(what)

    def use_pack(self, what: str) -> None:
        self.use_clock(what)
        self.select.around.note("compat", "needs the function pack: migrator schema --compat")

    def value(self, node: exp.Expr) -> Value:
        if isinstance(node, exp.Window):
            if self.aggregates:
                raise Untranslatable("a window function beside GROUP BY or an aggregate")
            self.select.around.note("order", "a window function: which of equal rows comes first is not said")
            return over_window(self.select.plain, node)
        if is_aggregate(node):
            if not self.aggregates:
                raise Untranslatable(f"{node.key}() in this place")
            if isinstance(node, exp.GroupConcat):
                self.select.around.note("order", "group_concat(): which value comes first is not said")
            return aggregate(self.select.plain.value, node)
        if isinstance(node, exp.Round):
            return self._round(node)
        return super().value(node)

    def _round(self, node: exp.Round) -> Value:
        require_args(node, "this", "decimals")
        value, digits = v.number(self.operand(node.this)), node.args.get("decimals")
        places = self.value(digits).literal if digits else 0
        if self.select.around.notes is not None:
            return self._round_in_a_statement(value, digits)
        if not isinstance(places, int) or not 0 <= places <= 15:
            raise Untranslatable("round() to other than 0 to 15 places")
        return Value(f"round({value.sql}::text::numeric, {places})::float8", Kind.REAL, finite=value.finite)

    def _round_in_a_statement(self, value: Value, digits: exp.Expr | None) -> Value:
        places = v.number(v.typed(self.operand(digits), Kind.INTEGER)) if digits else v.integer(0)
        if places.kind is not Kind.INTEGER:
            raise Untranslatable("round() to a REAL number of places")
        self.use_pack("round()")
        if places.literal != 0:
            self.select.around.note("round", "round() differs in 1 of 50,000 results that are nearly halfway")
        return Value(f"sqlite.round({value.sql}::float8, {places.sql})", Kind.REAL, finite=value.finite)


_CLAUSES = (
    *("with_", "distinct", "expressions", "from_", "joins", "where"),
    *("group", "having", "order", "limit", "offset"),
)
