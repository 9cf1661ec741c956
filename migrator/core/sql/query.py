"""What a query has besides expressions: the columns that come out, the tables that go in, order and limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from migrator.core.model import fold
from migrator.core.names import SYSTEM_COLUMNS, quote_identifier, shorten, target_name
from migrator.core.sql import values as v
from migrator.core.sql.comparing import sort_key
from migrator.core.sql.parsing import placeholder_number
from migrator.core.sql.scope import ColumnScope, Kind, TableScope, Untranslatable
from migrator.core.sql.terms import called_with
from migrator.core.sql.values import Parameter, Value


@dataclass(frozen=True)
class Output:
    """A column of a query's result. An unnamed one has the name ''.

    heading: how SQLite calls it to whoever asks. star: what is listed in its place and in that of those behind it,
    which have an empty one. bare: a literal is written as such.
    """

    name: str
    value: Value
    source_name: str
    heading: str = ""
    star: str | None = None
    bare: bool = False

    @property
    def sql(self) -> str:
        sql = v.bare(self.value) if self.bare else self.value.sql
        return f"{sql} AS {quote_identifier(self.name)}" if self.name else sql


def listed(outputs: Sequence[Output]) -> str:
    """What stands behind SELECT or RETURNING."""
    return ", ".join(item.sql if item.star is None else item.star for item in outputs if item.star != "")


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
        columns = {fold(column.source_name): column_scope(column) for column in self.columns}
        return TableScope(name, columns, as_it_is=len(columns) == len(self.columns))


def column_scope(column: Output) -> ColumnScope:
    """The column for a query around this one."""
    value = column.value
    found = ColumnScope(column.name, value.kind, nullable=value.nullable, uniform=value.uniform, source=column.heading)
    found = replace(
        found, picture=value.picture, spelling=value.spelling, zone=value.zone, label=value.label, summed=value.summed
    )
    found = replace(found, json=value.perhaps_json)
    found = replace(found, exact=value.exact and (value.literal is None or not column.bare), bytewise=value.bytewise)
    if value.affinity is None or value.mixed:
        # Without affinity and with one storage class: as an expression in the outer query.
        return replace(
            found, uniform=value.uniform and not value.mixed, real=value.kind is Kind.REAL and not value.mixed
        )
    return replace(found, collation=value.collation or "BINARY", affinity=value.affinity)


@dataclass(frozen=True)
class Headings:
    """What the columns of a result are called: by these names, or as SQLite does where `texts` are the results.

    typed: a literal has its type, because PostgreSQL does not find it out. wanted: the kind that a value of JSON gets.
    """

    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    typed: bool = False
    wanted: Kind | None = None

    def of_one(self, place: int) -> str:
        """How the result is written; '' where nobody asks."""
        return self.texts[place] if place < len(self.texts) else ""

    def named(self, outputs: list[Output], around: Surroundings) -> list[Output]:
        """Raises Untranslatable."""
        if self.texts:
            return _with_names(outputs, [_heading(output, around) for output in outputs])
        if self.names and len(self.names) != len(outputs):
            raise Untranslatable(f"{len(outputs)} columns, {len(self.names)} names")
        return _with_names(outputs, self.names or [output.name for output in outputs])

    @property
    def of_the_rest(self) -> Headings:
        """Of the queries behind UNION, whose results nobody sees by name."""
        return Headings(self.names, typed=self.typed, wanted=self.wanted)


def _with_names(outputs: Sequence[Output], names: Sequence[str]) -> list[Output]:
    """A * brings the names of the target's columns."""
    stars = all(output.star is None or output.name == name for output, name in zip(outputs, names, strict=True))
    found = [replace(output, name=name) for output, name in zip(outputs, names, strict=True)]
    return found if stars else [replace(output, star=None) for output in found]


def _heading(output: Output, around: Surroundings) -> str:
    if output.heading and shorten(output.heading) == output.heading:
        return output.heading
    around.note("column-name", f"PostgreSQL has no column of the name {output.heading[:40]!r}: give it one with AS")
    return ""


@dataclass(frozen=True)
class Note:
    """What may differ in a statement that is translated; `warns` where somebody has to look at it."""

    rule: str
    text: str
    next_step: str = ""
    warns: bool = False


_CATALOG = ("sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "sqlite_sequence")
_CATALOG_INSTEAD = "by pg_tables, pg_indexes or information_schema.columns; to_regclass(name) is NULL for no table"


@dataclass
class Learned:
    """What a statement gives and whether in an order, and which of its placeholders, by number, are ids of new rows."""

    results: list[Value] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    unordered: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What a query may use besides its own tables.

    Without `parameters` there are no placeholders. Without `notes`, as in a view, what PostgreSQL may do another way is
    declined; otherwise it is noted there. `rows` are those that a trigger is for, behind all other names. `learned`
    takes what is known of the statement besides. `next_ids`: an argument that is the id of a new row may be NULL, of
    which SQLite makes the next id.
    """

    tables: Mapping[str, TableScope]  # by folded source names
    parameters: Mapping[int, Parameter] | None = None
    notes: list[Note] | None = None
    rows: FromClause | None = None
    learned: Learned | None = None
    next_ids: bool = False

    def table(self, name: str) -> TableScope:
        """Raises Untranslatable."""
        table = self.tables.get(fold(name))
        if table is None and fold(name) in _CATALOG:
            raise Untranslatable(f"{name}: PostgreSQL's catalog is asked another way, {_CATALOG_INSTEAD}", "catalog")
        if table is None:
            raise Untranslatable(f"no table {name}", "no-table")
        return table

    def with_table(self, name: str, table: TableScope) -> Surroundings:
        return replace(self, tables={**self.tables, fold(name): table})

    def note(self, rule: str, text: str) -> None:
        if self.notes is None:
            raise Untranslatable(text, rule)
        self.tell(Note(rule, text))

    def tell(self, note: Note) -> None:
        """For what is no reason to decline a statement."""
        if self.notes is not None and note not in self.notes:
            self.notes.append(note)


class FromClause:
    """The tables of a FROM clause, under their names in the query; queries inside see those around them."""

    def __init__(self, outer: FromClause | None) -> None:
        self.outer = outer
        self.merged: set[tuple[str, str]] = set()  # columns that USING makes one with those of an earlier table
        self.tables: dict[str, tuple[str, TableScope]] = {}
        self.present: dict[str, TableScope] = {}  # also those that no expression sees yet
        self.shared: set[tuple[str, str]] = set()  # aliases, and the targets of their columns that USING makes one
        self.crowded = False  # whether PostgreSQL sees tables here that are none of these

    def add(self, alias: str, table: TableScope, *, nullable: bool) -> str:
        if fold(alias) in self.tables:
            raise Untranslatable(f"two tables named {alias}")
        if nullable:
            columns = {key: replace(column, nullable=True) for key, column in table.columns.items()}
            table = replace(table, columns=columns)
        self.tables[fold(alias)] = (target_name(alias), table)
        self.present[fold(alias)] = table
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

    def column(self, table: str | None, name: str, *, hidden: frozenset[str] = frozenset()) -> Value | None:
        """`hidden` are names that stand for something else where the column is named."""
        place = self.find(table, name)
        if place is None:
            return self.outer.column(table, name, hidden=hidden | self.names) if self.outer else None
        return self._value(place[0], self.tables[place[0]][1].named[place[1]], hidden)

    def _value(self, alias: str, column: ColumnScope, hidden: frozenset[str] = frozenset()) -> Value:
        alone = sum(column.target in self._seen(other) for other in self.present) == 1 and not self.crowded
        free = alone and column.target not in hidden | SYSTEM_COLUMNS
        return v.column_value(column, self.tables[alias][0], free=free)

    @property
    def names(self) -> frozenset[str]:
        """What a name without a table may mean in PostgreSQL."""
        return frozenset().union(*map(self._seen, self.present))

    def _seen(self, alias: str) -> frozenset[str]:
        targets = frozenset(column.target for column in self.present[alias].named.values())
        return targets - {name for other, name in self.shared if other == alias}

    def scope(self, table: str | None, name: str) -> ColumnScope | None:
        """The column; None for one that no table here has."""
        place = self.find(table, name)
        return self.tables[place[0]][1].named[place[1]] if place else None

    def all_columns(self, table: str | None) -> list[Output]:
        """What * or t.* stands for."""
        if table is not None and fold(table) not in self.tables:
            raise Untranslatable(f"no table {table}")
        chosen = [fold(table)] if table is not None else list(self.tables)
        if any(column.document for alias in chosen for column in self.tables[alias][1].columns.values()):
            raise Untranslatable("* of a JSON function: name the columns")
        columns = [
            Output(column.target, self._value(alias, column), key, column.source or key)
            for alias in chosen
            for key, column in self.tables[alias][1].columns.items()
            if table is not None or (alias, key) not in self.merged
        ]
        as_it_is = all(self.tables[alias][1].as_it_is for alias in chosen) and not self.merged and not self.crowded
        if not as_it_is or not columns:
            return columns
        star = f"{quote_identifier(self.tables[chosen[0]][0])}.*" if table is not None else "*"
        return [replace(column, star=star if place == 0 else "") for place, column in enumerate(columns)]


def output_place(node: exp.Expr, names: Sequence[str]) -> int | None:
    """The output column that an ORDER BY or GROUP BY term names, by its number or its name."""
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
        if not 1 <= int(node.this) <= len(names):
            raise Untranslatable(f"no column number {node.this}")
        return int(node.this) - 1
    if isinstance(node, exp.Column) and not node.table and fold(node.name) in names:
        return names.index(fold(node.name))
    return None


def output_name(term: exp.Expr, place: int, outputs: Sequence[Output]) -> str:
    """How ORDER BY or GROUP BY names a result: as the author does, or by its number where its name is no other's."""
    name, names = outputs[place].name, [output.name for output in outputs]
    if isinstance(term, exp.Column) and names.count(name) == 1 and all(names):
        return quote_identifier(name)
    return str(place + 1)


def united(one: Output, other: Output) -> Output:
    """A column of a UNION. Raises Untranslatable."""
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
        exact=one.value.exact and other.value.exact,
        bytewise=one.value.bytewise and other.value.bytewise,
        picture=one.value.picture if one.value.picture == other.value.picture else None,
        spelling=one.value.spelling if one.value.spelling == other.value.spelling else None,
        json=None if one.value.json is not False or other.value.json is not False else False,
    )
    return replace(one, value=value)


def union_key(term: exp.Ordered, columns: Sequence[Output]) -> str:
    """PostgreSQL orders a UNION by its columns only, so not by a text under another collation."""
    place = output_place(term.this, [fold(column.source_name) for column in columns])
    if place is None or sort_key(columns[place].value) != columns[place].value.sql:
        raise Untranslatable("ORDER BY of a UNION by an expression, or by a text that sorts in another way")
    return output_name(term.this, place, columns) + direction(term, columns[place].value)


def order_terms(node: exp.Expr) -> list[exp.Ordered]:
    order = node.args.get("order")
    if order is None:
        return []
    require_args(order, "expressions")
    return list(order.expressions)


def direction(term: exp.Ordered, value: Value) -> str:
    """NULL is the least value in SQLite and the greatest in PostgreSQL."""
    if term.args.get("with_fill"):
        raise Untranslatable("ORDER BY WITH FILL")
    nulls = f" NULLS {'FIRST' if term.args.get('nulls_first') else 'LAST'}" if value.nullable else ""
    return f"{' DESC' if term.args.get('desc') else ''}{nulls}"


def order_clause(keys: Sequence[str]) -> str:
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def limit_clause(node: exp.Expr, around: Surroundings, emit: Callable[[exp.Expr], Value], *, ordered: bool) -> str:
    limit = _count(node.args.get("limit"), around, emit)
    offset = _count(node.args.get("offset"), around, emit)
    if (limit is not None or offset is not None) and not ordered:
        around.note("order", "LIMIT without ORDER BY: which rows these are is not said")
    counted = f" LIMIT {limit}" if limit is not None and not (isinstance(limit, int) and limit < 0) else ""
    first = max(offset, 0) if isinstance(offset, int) else offset
    skipped = f" OFFSET {first}" if offset is not None else ""
    # `LIMIT ?, ?` has the offset first; in this order its arguments stay where they are.
    return skipped + counted if _is_before(node.args.get("offset"), node.args.get("limit")) else counted + skipped


def _is_before(one: exp.Expr | None, other: exp.Expr | None) -> bool:
    """Whether both are placeholders, and the first is the earlier argument."""
    numbers = [node.expression for node in (one, other) if node is not None]
    if len(numbers) != 2 or not all(isinstance(number, exp.Placeholder) for number in numbers):
        return False
    return placeholder_number(numbers[0]) < placeholder_number(numbers[1])


def _count(node: exp.Expr | None, around: Surroundings, emit: Callable[[exp.Expr], Value]) -> int | str | None:
    """A number, or an expression; one that is negative is an error in PostgreSQL."""
    if node is None:
        return None
    require_args(node, "expression")
    number, sign = node.expression, 1
    if isinstance(number, exp.Placeholder) and around.parameters is not None:
        parameter = around.parameters[placeholder_number(number)]
        return v.typed(v.placeholder(parameter), Kind.INTEGER).sql
    if isinstance(number, exp.Neg):
        number, sign = number.this, -1
    if isinstance(number, exp.Literal) and number.this.isdigit():
        return sign * int(number.this)
    if around.notes is None or any(isinstance(part, exp.Column) for part in node.walk()):
        raise Untranslatable("LIMIT by other than a number")
    value = v.number(v.typed(emit(node.expression), Kind.INTEGER))
    if value.kind is not Kind.INTEGER:
        raise Untranslatable(f"LIMIT by {value.kind}")
    return value.sql


def other_args(node: exp.Expr, *known: str) -> list[str]:
    return [key for key, value in node.args.items() if value and key not in known]


def require_args(node: exp.Expr, *known: str) -> None:
    other = other_args(node, *known)
    if other:
        raise Untranslatable(called_with(node, other))
