"""What a query has besides expressions: the columns that come out, the tables that go in, order and limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.names import quote_identifier, target_name
from migrator.core.sql import values as v
from migrator.core.sql.parsing import placeholder_number
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from migrator.core.sql.values import Parameter, Value


@dataclass(frozen=True)
class Output:
    """A column of a query's result. An unnamed one has the name ''."""

    name: str
    value: Value
    source_name: str

    @property
    def sql(self) -> str:
        return f"{self.value.sql} AS {quote_identifier(self.name)}" if self.name else self.value.sql


@dataclass(frozen=True)
class Query:
    sql: str
    columns: tuple[Output, ...]

    def require_kinds(self) -> None:
        for column in self.columns:
            if column.value.widened:
                raise Untranslatable(f"{column.source_name} holds several storage classes, texts afterwards", "widened")

    def require_names(self) -> None:
        names = [column.name for column in self.columns]
        if "" in names:
            raise Untranslatable("a column without a name: give it one with AS")
        if len(set(names)) < len(names):
            raise Untranslatable("two columns of one name")

    def as_table(self, name: str) -> TableScope:
        self.require_names()
        return TableScope(name, {fold(column.source_name): _column_scope(column) for column in self.columns})


def _column_scope(column: Output) -> ColumnScope:
    value = column.value
    if value.affinity is None or value.mixed:
        # Without affinity and with one storage class: as an expression in the outer query.
        return ColumnScope(column.name, value.kind, uniform=value.uniform and not value.mixed, nullable=value.nullable)
    collation = value.collation or "BINARY"
    return ColumnScope(column.name, value.kind, collation, value.affinity, value.nullable, value.uniform)


@dataclass(frozen=True)
class Note:
    """What may differ in a statement that is translated."""

    rule: str
    text: str


@dataclass(frozen=True)
class Surroundings:
    """What a query may use besides its own tables.

    Without `parameters` there are no placeholders. Without `notes`, as in a view, what PostgreSQL may do another way is
    declined; otherwise it is noted there.
    """

    tables: Mapping[str, TableScope]  # by folded source names
    parameters: Mapping[int, Parameter] | None = None
    notes: list[Note] | None = None

    def table(self, name: str) -> TableScope:
        """Raises Untranslatable."""
        table = self.tables.get(fold(name))
        if table is None:
            raise Untranslatable(f"no table {name}", "no-table")
        return table

    def with_table(self, name: str, table: TableScope) -> Surroundings:
        return replace(self, tables={**self.tables, fold(name): table})

    def note(self, rule: str, text: str) -> None:
        if self.notes is None:
            raise Untranslatable(text, rule)
        if (note := Note(rule, text)) not in self.notes:
            self.notes.append(note)


class FromClause:
    """The tables of a FROM clause, under their names in the query; queries inside see those around them."""

    def __init__(self, outer: FromClause | None) -> None:
        self.outer = outer
        self.merged: set[tuple[str, str]] = set()  # columns that USING makes one with those of an earlier table
        self.tables: dict[str, tuple[str, TableScope]] = {}

    def add(self, alias: str, table: TableScope, *, nullable: bool) -> str:
        if fold(alias) in self.tables:
            raise Untranslatable(f"two tables named {alias}")
        if nullable:
            columns = {key: replace(column, nullable=True) for key, column in table.columns.items()}
            table = replace(table, columns=columns)
        self.tables[fold(alias)] = (target_name(alias), table)
        return quote_identifier(target_name(alias))

    def find(self, table: str | None, name: str) -> tuple[str, str] | None:
        """Alias and column key, both folded."""
        aliases = [fold(table)] if table is not None else list(self.tables)
        found = [alias for alias in aliases if alias in self.tables and fold(name) in self.tables[alias][1].named]
        if table is None:
            found = [alias for alias in found if (alias, fold(name)) not in self.merged]
        if len(found) > 1:
            raise Untranslatable(f"{name} is in several tables")
        return (found[0], fold(name)) if found else None

    def column(self, table: str | None, name: str) -> Value | None:
        place = self.find(table, name)
        if place is None:
            return self.outer.column(table, name) if self.outer else None
        alias, scope = self.tables[place[0]]
        return v.column_value(scope.named[place[1]], alias)

    def target(self, table: str | None, name: str) -> str:
        """The target's name of a column; '' for one that no table here has."""
        place = self.find(table, name)
        return self.tables[place[0]][1].named[place[1]].target if place else ""

    def all_columns(self, table: str | None) -> list[tuple[Value, str, str]]:
        """What * or t.* stands for: value, target's name, source's name."""
        if table is not None and fold(table) not in self.tables:
            raise Untranslatable(f"no table {table}")
        chosen = [fold(table)] if table is not None else list(self.tables)
        return [
            (v.column_value(column, self.tables[alias][0]), column.target, key)
            for alias in chosen
            for key, column in self.tables[alias][1].columns.items()
            if table is not None or (alias, key) not in self.merged
        ]


def output_place(node: exp.Expr, names: Sequence[str]) -> int | None:
    """The output column that an ORDER BY or GROUP BY term names, by its number or its name."""
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
        if not 1 <= int(node.this) <= len(names):
            raise Untranslatable(f"no column number {node.this}")
        return int(node.this) - 1
    if isinstance(node, exp.Column) and not node.table and fold(node.name) in names:
        return names.index(fold(node.name))
    return None


def order_terms(node: exp.Expr) -> list[exp.Ordered]:
    order = node.args.get("order")
    if order is None:
        return []
    require_args(order, "expressions")
    return list(order.expressions)


def direction(term: exp.Ordered, *, nullable: bool = True) -> str:
    """NULL is the least value in SQLite and the greatest in PostgreSQL; without any, an index has the order."""
    if term.args.get("with_fill"):
        raise Untranslatable("ORDER BY WITH FILL")
    if not nullable:
        return " DESC" if term.args.get("desc") else ""
    nulls_first = bool(term.args.get("nulls_first"))
    return f"{' DESC' if term.args.get('desc') else ''} NULLS {'FIRST' if nulls_first else 'LAST'}"


def order_clause(keys: Sequence[str]) -> str:
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def limit_clause(node: exp.Expr, around: Surroundings, *, ordered: bool) -> str:
    limit = _count(node.args.get("limit"), around)
    offset = _count(node.args.get("offset"), around)
    if (limit is not None or offset is not None) and not ordered:
        around.note("order", "LIMIT without ORDER BY: which rows these are is not said")
    counted = f" LIMIT {limit}" if limit is not None and not (isinstance(limit, int) and limit < 0) else ""
    first = max(offset, 0) if isinstance(offset, int) else offset
    return counted + (f" OFFSET {first}" if offset is not None else "")


def _count(node: exp.Expr | None, around: Surroundings) -> int | str | None:
    """A number, or the mark of a placeholder."""
    if node is None:
        return None
    require_args(node, "expression")
    number, sign = node.expression, 1
    if isinstance(number, exp.Placeholder) and around.parameters is not None:
        parameter = around.parameters[placeholder_number(number)]
        return v.typed(v.placeholder(parameter), Kind.INTEGER).sql
    if isinstance(number, exp.Neg):
        number, sign = number.this, -1
    if not isinstance(number, exp.Literal) or not number.this.isdigit():
        raise Untranslatable("LIMIT by other than a number")
    return sign * int(number.this)


def other_args(node: exp.Expr, *known: str) -> list[str]:
    return [key for key, value in node.args.items() if value and key not in known]


def require_args(node: exp.Expr, *known: str) -> None:
    other = other_args(node, *known)
    if other:
        raise Untranslatable(f"{node.key.upper()} with {', '.join(other)}")
