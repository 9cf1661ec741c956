"""SELECTs of views → PostgreSQL's, by the same allow-list as expressions.

A view's result has the kinds of its columns; what differs from row to row in SQLite is declined. The functions may be
merely stable here, and round() is allowed: it differs from SQLite's only where a decimal tie is not exactly a double.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.names import quote_identifier, target_name
from migrator.core.sql import values as v
from migrator.core.sql.catalog import NAMES as CATALOG
from migrator.core.sql.catalog import catalog_table
from migrator.core.sql.comparing import sort_key
from migrator.core.sql.grouping import Grouping, has_aggregate
from migrator.core.sql.json_tables import NAMES as JSON_TABLES
from migrator.core.sql.json_tables import call as json_table
from migrator.core.sql.json_tables import members as json_members
from migrator.core.sql.parsing import parse_query, too_deep_is_declined
from migrator.core.sql.postgres_tokens import FREE, unmarked
from migrator.core.sql.query import (
    FromClause,
    Headings,
    Output,
    Query,
    Surroundings,
    direction,
    limit_clause,
    listed,
    order_clause,
    order_terms,
    other_args,
    output_name,
    output_place,
    require_args,
    union_key,
    united,
)
from migrator.core.sql.query_emitter import QueryEmitter
from migrator.core.sql.row_lists import only_values, selected
from migrator.core.sql.scope import Kind, TableScope, Untranslatable
from migrator.core.sql.terms import called
from migrator.core.sql.values import Value

Columns = tuple[tuple[str, Kind], ...]
# Of a FROM clause: its SQL, which may name the tables before it, its name in the query, its columns.
_Item = tuple[Callable[[], str], str, TableScope]
_PLAIN = Headings()


def translate_view(select: str, tables: Mapping[str, TableScope], columns: Sequence[str] = ()) -> tuple[str, Columns]:
    """The SELECT for PostgreSQL, with the names and kinds of its columns. Raises Untranslatable."""
    query = view_query(select, tables, columns)
    return query.sql, tuple((column.name, column.value.kind) for column in query.columns)


def view_query(select: str, tables: Mapping[str, TableScope], columns: Sequence[str] = ()) -> Query:
    """Raises Untranslatable.

    `tables` is keyed by folded source names. `columns` are the target's names, where the view lists its own or the
    caller chooses; without them a column is named as in the target's table, or by its alias in lower case.
    """
    with too_deep_is_declined():
        query = translate_query(parse_query(select), Surroundings(tables), None, Headings(tuple(columns)))
    query.require_names()
    query.require_kinds()
    return replace(query, sql=unmarked(query.sql))


def translate_query(
    node: exp.Expr, around: Surroundings, outer: FromClause | None, headings: Headings = _PLAIN
) -> Query:
    """A SELECT, or several with UNION between them. Raises Untranslatable."""
    if isinstance(node, exp.Subquery) and not other_args(node, "this"):
        return translate_query(node.this, around, outer, headings)
    values = node if isinstance(node, exp.Values) else only_values(node)
    if values is not None:
        node = selected(values)
    if not isinstance(node, exp.Select | exp.SetOperation):
        raise Untranslatable(f"{called(node)} as a query")
    prefix, around = common_tables(node.args.get("with_"), around)
    if isinstance(node, exp.Select):
        query = Select(node, around, outer, headings).query()
    else:
        query = _union(node, around, outer, headings)
    return replace(query, sql=prefix + query.sql)


def common_tables(with_: exp.With | None, around: Surroundings) -> tuple[str, Surroundings]:
    """What stands before the statement, and what its tables are then."""
    if with_ is None:
        return "", around
    require_args(with_, "expressions", "recursive")
    if with_.args.get("recursive") and around.notes is None:
        raise Untranslatable("WITH RECURSIVE")  # a run compares a view's rows, and this one may have no end
    parts = []
    for common in with_.expressions:
        require_args(common, "this", "alias")
        require_args(common.args["alias"], "this", "columns")
        if with_.args.get("recursive") and _reads(common.this, common.alias):
            query = _recursive(common, around)
        else:
            query = translate_query(common.this, around, None, Headings(_listed_names(common)))
        name = target_name(common.alias)
        around = around.with_table(common.alias, _renamed(query, common).as_table(name))
        parts.append(f"{quote_identifier(name)} AS ({query.sql})")
    return f"WITH {'RECURSIVE ' if with_.args.get('recursive') else ''}{', '.join(parts)} ", around


def _listed_names(common: exp.CTE) -> tuple[str, ...]:
    return tuple(target_name(column.name) for column in common.args["alias"].args.get("columns") or [])


def _renamed(query: Query, common: exp.CTE) -> Query:
    """The query with the names that the author lists for its columns."""
    names = [column.name for column in common.args["alias"].args.get("columns") or []]
    if not names:
        return query
    columns = [
        replace(column, name=target_name(name), source_name=name, heading=name)
        for column, name in zip(query.columns, names, strict=True)
    ]
    return replace(query, columns=tuple(columns))


def _reads(query: exp.Expr, name: str) -> bool:
    return any(fold(table.name) == fold(name) for table in query.find_all(exp.Table))


def _recursive(common: exp.CTE, around: Surroundings) -> Query:
    """A first query, and one that reads what was found last: both engines go on until that finds nothing."""
    union = common.this
    if not isinstance(union, exp.Union) or _reads(union.this, common.alias):
        raise Untranslatable("a recursive query that is not one UNION of a first query and one that goes on")
    require_args(union, "this", "expression", "distinct")
    names = _listed_names(common)
    first = translate_query(union.this, around, None, Headings(names, typed=True))
    table = _renamed(first, common).as_table(target_name(common.alias))
    known = {key: replace(column, nullable=True) for key, column in table.columns.items()}
    around = around.with_table(common.alias, replace(table, columns=known))
    further = translate_query(union.expression, around, None, Headings(names, typed=True))
    if [column.value.kind for column in first.columns] != [column.value.kind for column in further.columns]:
        raise Untranslatable("a recursive query whose columns change their kind")
    columns = tuple(map(united, first.columns, further.columns))
    for column in columns if union.args.get("distinct") else ():
        v.require_groupable(column.value)
    operator = "UNION" if union.args.get("distinct") else "UNION ALL"
    return Query(f"{first.sql} {operator} {further.sql}", columns)


def _union(node: exp.SetOperation, around: Surroundings, outer: FromClause | None, headings: Headings) -> Query:
    require_args(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    left = translate_query(node.this, around, outer, headings)
    right = translate_query(node.expression, around, outer, headings.of_the_rest)
    nested = [side for side in (node.this, node.expression) if isinstance(side, exp.SetOperation)]
    if isinstance(node.expression, exp.SetOperation):
        raise Untranslatable("a UNION nested to the right")
    if nested and not all(isinstance(item, exp.Union) for item in (node, *nested)):
        raise Untranslatable("INTERSECT or EXCEPT among others, which PostgreSQL binds in another order")
    if len(left.columns) != len(right.columns):
        raise Untranslatable("a UNION of different widths")
    columns = tuple(united(one, other) for one, other in zip(left.columns, right.columns, strict=True))
    distinct = bool(node.args.get("distinct"))
    for column in columns if distinct else ():
        v.require_groupable(column.value)
    keys = [union_key(term, columns) for term in order_terms(node)]
    operator = {exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}.get(type(node), "UNION" if distinct else "UNION ALL")
    sql = f"{left.sql} {operator} {right.sql}"
    limit = limit_clause(node, around, Select(exp.Select(), around, None).plain.value, ordered=bool(keys))
    return Query(sql + order_clause(keys) + limit, columns)


class Select:
    """One SELECT. It answers for the names and the queries inside its expressions."""

    def __init__(
        self, node: exp.Expr, around: Surroundings, outer: FromClause | None, headings: Headings = _PLAIN
    ) -> None:
        self.node = node
        self.around = around
        self.source = FromClause(outer or around.rows)
        self.headings = headings
        self.outputs: tuple[Output, ...] = ()  # empty until they are read: only later clauses see their aliases
        self.plain = QueryEmitter(self, aggregates=False)

    def query(self) -> Query:
        node = self.node
        require_args(node, *_CLAUSES)
        source = self._source_clause()
        grouped = bool(node.args.get("group")) or any(map(has_aggregate, node.expressions))
        emitter = QueryEmitter(self, aggregates=grouped)
        self.outputs = tuple(self.results(node.expressions, emitter))
        where = f" WHERE {self.plain.condition(node.args['where'].this)}" if node.args.get("where") else ""
        group = Grouping(self).clause() if grouped else ""
        keys = [self._sort_key(term, emitter) for term in order_terms(node)]
        results = listed(self.outputs)
        clauses = source + where + group + self._having(emitter) + order_clause(keys)
        limit = limit_clause(node, self.around, self.plain.value, ordered=bool(keys))
        sql = f"SELECT {self._distinct()}{results}{clauses}{limit}"
        return Query(sql, self.outputs)

    # What goes in

    def _source_clause(self) -> str:
        source = self.node.args.get("from_")
        return self.tables_of(source, self.node.args.get("joins") or []) if source else ""

    def tables_of(self, source: exp.Expr, joins: Sequence[exp.Join] = ()) -> str:
        """A FROM clause, whose tables expressions know from now on. Raises Untranslatable."""
        require_args(source, "this")
        first, *others = [self._table(node.this, place) for place, node in enumerate([source, *joins], 1)]
        self.source.present |= {fold(alias): table for _, alias, table in (first, *others)}
        added = [self._added(first, nullable=False)]
        added += [self._join(join, item) for join, item in zip(joins, others, strict=True)]
        return f" FROM {''.join(added)}"

    def _added(self, item: _Item, *, nullable: bool) -> str:
        write, alias, table = item
        sql = write()
        name = self.source.add(alias, table, nullable=nullable)
        return sql if sql == name else f"{sql} AS {name}"

    def _join(self, join: exp.Join, item: _Item) -> str:
        require_args(join, "this", "side", "kind", "on", "using", "method")
        outer = join.side == "LEFT"
        if join.side not in ("", "LEFT") or join.kind not in ("", "INNER", "CROSS", "OUTER"):
            raise Untranslatable(f"a {join.side or join.kind} JOIN")
        before = list(self.source.tables)
        table, condition = self._added(item, nullable=outer), join.args.get("on")
        names = [name.name for name in join.args.get("using") or []]
        if join.args.get("method"):
            names = [name for name in item[2].columns if any(self.source.find(old, name) for old in before)]
            condition = None if names or not outer else exp.true()
        if names:
            return f" {'LEFT JOIN' if outer else 'JOIN'} {table} {self._shared(names)}"
        if condition is None and outer:
            raise Untranslatable("a LEFT JOIN without ON")
        if condition is None:
            return f" CROSS JOIN {table}"
        return f" {'LEFT JOIN' if outer else 'JOIN'} {table} ON {self.plain.condition(condition)}"

    def _shared(self, names: Sequence[str]) -> str:
        """USING, NATURAL: the columns of those names are equal in the last table and before it, and one from now on."""
        *_, last = self.source.tables
        equal, shared = list[str](), list[tuple[str, str]]()
        for name in names:
            right = self.source.column(last, name)
            self.source.merged.add((last, fold(name)))
            left = self.source.column(None, name)
            if left is None or right is None:
                raise Untranslatable(f"no column {name} on both sides of USING")
            equal.append(self.plain.compare(left, "=", right).sql)
            shared += self._same_name(last, name, left, right) if equal[-1] == f"({left.sql} = {right.sql})" else []
        if len(shared) < len(names) or self.around.notes is None:
            return f"ON {' AND '.join(equal)}"
        self.source.shared |= set(shared)
        return f"USING ({', '.join(quote_identifier(target) for _, target in shared)})"

    def _same_name(self, last: str, name: str, left: Value, right: Value) -> list[tuple[str, str]]:
        """The last table's alias, and the target's name of a column that both sides have under it."""
        scope = self.source.scope(last, name)
        ending = f".{quote_identifier(scope.target)}" if scope else ""
        return [(last, scope.target)] if scope and left.sql.endswith(ending) and right.sql.endswith(ending) else []

    def _table(self, node: exp.Expr, place: int) -> _Item:
        require_args(node, *(("expressions", "alias") if isinstance(node, exp.Values) else ("this", "alias")))
        alias = node.args.get("alias")
        if alias is not None:
            require_args(alias, "this")
        if isinstance(node, exp.Values):
            node = exp.Subquery(this=selected(node), alias=node.args.get("alias"))
        if isinstance(node, exp.Subquery):
            name = node.alias or f"subquery_{place}"
            query = translate_query(node.this, self.around, self.source.outer)
            return lambda: f"({query.sql})", name, query.as_table(name)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous) and fold(node.this.name) in JSON_TABLES:
            arguments = node.this.expressions
            found = json_members(fold(node.this.name), at_a_path=len(arguments) > 1)
            return lambda: self._members(found, arguments), node.alias or node.this.name, found
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise Untranslatable(f"{called(node)} as a table")
        if fold(node.name) in CATALOG and fold(node.name) not in self.around.tables:
            sql, table = catalog_table(self.node, node.name, self.around)
            return lambda: sql, node.alias or node.name, table
        table = self.around.table(node.name)
        return lambda: quote_identifier(table.target), node.alias or node.name, table

    def _members(self, table: TableScope, arguments: Sequence[exp.Expr]) -> str:
        for node in (node for argument in arguments for node in argument.walk()):
            if isinstance(node, exp.Column) and not node.table and fold(node.name) in table.columns:
                raise Untranslatable(
                    f"{node.name} in {table.target}() is a column of its own: say of which table it is"
                )
        return json_table(self.plain, table.target, [self.plain.operand(argument) for argument in arguments])

    def column(self, table: str | None, name: str) -> Value | None:
        found = self.source.column(table, name)
        if found is not None or table is not None:
            return found
        return next((output.value for output in self.outputs if fold(output.source_name) == fold(name)), None)

    # What comes out

    def results(self, nodes: Sequence[exp.Expr], emitter: QueryEmitter) -> list[Output]:
        """With all that a * stands for. Raises Untranslatable."""
        texts = map(self.headings.of_one, range(len(nodes)))
        found = [
            output for node, text in zip(nodes, texts, strict=True) for output in self._output(node, text, emitter)
        ]
        return self.headings.named(found, self.around)

    def _output(self, node: exp.Expr, text: str, emitter: QueryEmitter) -> list[Output]:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            if other_args(node, "this", "table"):
                raise Untranslatable("* with exceptions")
            table = getattr(node, "table", "") or None
            columns = self.source.all_columns(table)
            # A view lists its columns: the table may get more.
            return columns if self.around.notes is not None else [replace(item, star=None) for item in columns]
        value = emitter.value(node.this if isinstance(node, exp.Alias) else node)
        if value.document is not None and self.headings.wanted is not None:
            value = v.typed(value, self.headings.wanted)
        value = v.settled(value)
        bare = isinstance(value.literal, int | str) and self.around.notes is not None and not self.headings.typed
        if isinstance(node, exp.Alias):
            return [Output(target_name(node.alias), value, node.alias, node.alias, bare=bare)]
        column = node.unnest()
        scope = self.source.scope(column.table or None, column.name) if isinstance(column, exp.Column) else None
        if not isinstance(column, exp.Column) or not (value.column or (scope and scope.document)):
            return [Output("", value, "", text, bare=bare)]
        # Of a query inside another one SQLite takes the names as they are written.
        heading = (text and scope and scope.source) or column.name
        if isinstance(node, exp.Paren):
            return [Output("", value, "", heading)]
        return [Output(scope.target if scope else "", value, node.name, heading)]

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
        place = self._listed_place(term.this) if place is None and self.node.args.get("distinct") else place
        value = self.outputs[place].value if place is not None else _orderable(emitter.value(term.this))
        key = sort_key(value)
        if place is not None and key == value.sql and (self.node.args.get("distinct") or self.around.notes is not None):
            return output_name(term.this, place, self.outputs) + direction(term, value)
        bytewise = value.kind is Kind.TEXT and value.collation in (None, "BINARY")
        if self.node.args.get("distinct") and place is not None and bytewise:
            self._collate_result(place, key)
            return output_name(term.this, place, self.outputs) + direction(term, value)
        if self.node.args.get("distinct"):
            raise Untranslatable("ORDER BY of a DISTINCT by an expression, or by a text that sorts in another way")
        return self._no_result(key) + direction(term, value)

    def _listed_place(self, node: exp.Expr) -> int | None:
        """The result that is this very expression."""
        results = [result.unalias() for result in self.node.expressions]
        return results.index(node) if node in results and len(results) == len(self.outputs) else None

    def _collate_result(self, place: int, key: str) -> None:
        """A DISTINCT is ordered by what it lists, so that has to be what compares byte for byte."""
        output = self.outputs[place]
        collated = replace(output, value=replace(output.value, sql=key, literal=None, bytewise=True))
        self.outputs = (*self.outputs[:place], collated, *self.outputs[place + 1 :])

    def _no_result(self, key: str) -> str:
        """In PostgreSQL a name in ORDER BY is first of all a result's, also of one that gets no name here."""
        taken = tuple(f".{quote_identifier(output.name)}" if output.name else "" for output in self.outputs)
        return key.removeprefix(FREE) if key.startswith(FREE) and key.endswith(taken) else key

    # Queries inside

    def exists(self, query: exp.Expr) -> str:
        return f"({translate_query(query, self.around, self.source).sql})"

    def one_column(self, query: exp.Expr, wanted: Kind | None = None) -> tuple[str, Value]:
        found = translate_query(query, self.around, self.source, Headings(wanted=wanted))
        if len(found.columns) != 1:
            raise Untranslatable("IN with a query of several columns")
        return found.sql, found.columns[0].value

    def columns(self, query: exp.Expr) -> tuple[str, list[Value]]:
        found = translate_query(query, self.around, self.source)
        return found.sql, [column.value for column in found.columns]

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
        return replace(value, sql=f"({sql})", column=False, nullable=True, literal=None, json=value.perhaps_json)


def _orderable(value: Value) -> Value:
    return value if value.explicit else v.settled(value)


def _has_one_row(query: exp.Select) -> bool:
    if query.args.get("limit"):
        return bool(query.args["limit"].expression.name == "1")
    return not query.args.get("group") and any(map(has_aggregate, query.expressions))


_CLAUSES = (
    *("with_", "distinct", "expressions", "from_", "joins", "where"),
    *("group", "having", "order", "limit", "offset", "windows"),
)
