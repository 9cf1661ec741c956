"""Plan → the statements that make the target, in the order in which a run needs them.

Names are unqualified: a run sets the search_path to its staging schema, a printed migration file to the final one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from migrator.core.blueprint import Blueprint, CarriedView, Phase, Reference, Statement
from migrator.core.defaults import UntranslatableDefault, default_sql
from migrator.core.findings import Finding, Severity
from migrator.core.index_parts import index_part, index_predicate
from migrator.core.model import Check, Column, ForeignKey, Generated, Index, IndexColumn, Schema, Table, View, fold
from migrator.core.names import NameBook, quote_identifier, quote_literal
from migrator.core.origins import column_origin, table_origin, view_origin
from migrator.core.plan import ColumnPlan, Orphans, Plan, TablePlan
from migrator.core.scoping import KINDS, table_scope
from migrator.core.sql.advice import advice
from migrator.core.sql.definitions import DefinitionError, read_view
from migrator.core.sql.one_table import translate_expression, translate_predicate
from migrator.core.sql.query import column_scope
from migrator.core.sql.scope import TableScope, Untranslatable
from migrator.core.sql.views import view_query
from migrator.core.triggers import CarriedTrigger, carry_triggers

_COLLATIONS = {"NOCASE": "without regard to case", "RTRIM": "without regard to spaces at the end"}


def build(schema: Schema, plan: Plan) -> Blueprint:
    """The statements for every carried table and view, and a finding for everything that is not carried."""
    return _Builder(schema, plan).build()


@dataclass
class _Builder:
    schema: Schema
    plan: Plan
    statements: list[Statement] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    views: list[CarriedView] = field(default_factory=list)
    generated: set[tuple[str, str]] = field(default_factory=set)
    sequences: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: NameBook = field(default_factory=NameBook)
    scopes: dict[str, TableScope] = field(default_factory=dict)
    triggers: tuple[CarriedTrigger, ...] = ()
    unique: dict[str, set[frozenset[str]]] = field(default_factory=dict)  # target table → its unique column sets

    def build(self) -> Blueprint:
        for table in self.plan.carried:
            self.names.take(table.target)
            self.scopes[fold(table.source)] = table_scope(self._source(table), table)
        for table in self.plan.carried:
            self._table(table)
        for table in self.plan.carried:
            self._foreign_keys(table)
        self._views()
        self._triggers()
        return Blueprint(
            tuple(self.statements),
            tuple(self.references),
            tuple(self.views),
            frozenset(self.generated),
            tuple(self.findings),
            sequences=tuple(self.sequences),
            scopes=self.scopes,
            triggers=self.triggers,
        )

    def _source(self, table: TablePlan) -> Table | None:
        return None if table.query else self.schema.table(table.source)

    # -- tables --------------------------------------------------------------------------------------------------------

    def _table(self, plan: TablePlan) -> None:
        source = self._source(plan)
        key = {fold(name) for name in self._key(plan, source)}
        lines = [self._column(plan, column, source, fold(column.source) in key) for column in plan.carried]
        if plan.rowid:
            lines.append(f"{quote_identifier(plan.rowid)} bigint NOT NULL {self._identity(plan, plan.rowid)}")
        if source:
            lines += filter(None, (self._check(plan, check) for check in source.checks))
        body = ",\n    ".join(lines)
        sql = f"CREATE TABLE {quote_identifier(plan.target)} (\n    {body}\n)"
        self._add(Phase.TABLE, plan.target, plan.target, sql)
        self._primary_key(plan, source)
        for index in source.indexes if source else ():
            if index.origin != "pk" and fold(index.name) not in {fold(name) for name in plan.drop_indexes}:
                self._index(plan, index)
        for conflict in source.conflicts if source else ():
            self._conflict(plan, conflict.columns, conflict.resolution)
        self._comments(plan, source)

    def _key(self, plan: TablePlan, source: Table | None) -> tuple[str, ...]:
        if plan.rowid or plan.nullable_key:
            return ()
        return source.primary_key if source else plan.key

    def _column(self, plan: TablePlan, column: ColumnPlan, source: Table | None, in_key: bool) -> str:
        original = source.column(column.source) if source else None
        parts = [quote_identifier(column.target), str(column.type)]
        if column.collation and column.type.is_text:
            parts.append(f"COLLATE {quote_identifier(column.collation)}")
        if column.not_null or in_key:
            parts.append("NOT NULL")
        if column.identity:
            parts.append(self._identity(plan, column.target))
        elif original and original.generated is not Generated.NOT:
            parts += self._generated(plan, column, original)
        elif original and original.default is not None:
            parts += self._default(plan, column, original.default)
        return " ".join(parts)

    def _identity(self, plan: TablePlan, column: str) -> str:
        """PostgreSQL would take the sequence's name from a table that is created after this one."""
        wanted = f"{plan.target}_{column}_seq"
        name = self.names.take(wanted)
        self.sequences.append(name)
        options = f" (SEQUENCE NAME {quote_identifier(name)})" if name != wanted else ""
        return f"GENERATED BY DEFAULT AS IDENTITY{options}"

    def _generated(self, plan: TablePlan, column: ColumnPlan, original: Column) -> list[str]:
        where = f"{plan.source}.{column.source}"
        try:
            if original.expression is None:
                raise Untranslatable("its definition could not be read")
            translated = translate_expression(original.expression, self.scopes[fold(plan.source)])
            if translated.kind is not KINDS[column.type.name]:
                raise Untranslatable(f"it gives {translated.kind.value.lower()}, and the column is {column.type}")
        except Untranslatable as error:
            text = f"GENERATED ALWAYS AS ({original.expression}) {original.generated.value.upper()}"
            self._finding("generated-column", where, f"Carried as an ordinary column with its values: {error}.", text)
            return []
        self.generated.add((plan.source, column.source))
        return [f"GENERATED ALWAYS AS ({translated.sql}) STORED"]

    def _default(self, plan: TablePlan, column: ColumnPlan, text: str) -> list[str]:
        try:
            sql = default_sql(text, column)
        except UntranslatableDefault as error:
            self._finding("default", f"{plan.source}.{column.source}", f"Not carried: {error}.", f"DEFAULT {text}")
            return []
        return [f"DEFAULT {sql}"] if sql is not None else []

    def _check(self, plan: TablePlan, check: Check) -> str | None:
        try:
            sql = translate_predicate(check.expression, self.scopes[fold(plan.source)])
        except Untranslatable as error:
            self._finding("check", plan.source, f"Not carried: {error}.", f"CHECK ({check.expression})")
            return None
        name = f"CONSTRAINT {quote_identifier(check.name)} " if check.name else ""
        return f"{name}CHECK ({sql})"

    # -- keys and indexes ----------------------------------------------------------------------------------------------

    def _primary_key(self, plan: TablePlan, source: Table | None) -> None:
        if plan.rowid:
            self._key_constraint(plan, "PRIMARY KEY", f"{plan.target}_pkey", (plan.rowid,))
        key = source.primary_key if source else plan.key
        columns = self._targets(plan, key)
        if not key:
            return
        if columns is None:
            self._finding("primary-key", plan.source, f"Not carried: a column of ({', '.join(key)}) is dropped.")
            return
        if plan.rowid or plan.nullable_key:
            self._key_constraint(plan, "UNIQUE", f"{plan.target}_{'_'.join(columns)}_key", columns)
        else:
            self._key_constraint(plan, "PRIMARY KEY", f"{plan.target}_pkey", columns)
        if source:
            self._folded_key(plan, source, key)

    def _folded_key(self, plan: TablePlan, source: Table, key: tuple[str, ...]) -> None:
        """A key over NOCASE text is unique without regard to case, beside being a key."""
        columns = tuple(IndexColumn(name, collation=source.column(name).collation) for name in key)
        if any(column.collation == "NOCASE" for column in columns):
            name = f"{plan.target}_{'_'.join(key)}_nocase"
            self._index(plan, Index(name, source.name, unique=True, origin="c", columns=columns))

    def _key_constraint(self, plan: TablePlan, kind: str, name: str, columns: tuple[str, ...]) -> None:
        """A unique index built in parallel with others, then attached as the constraint, which takes no time."""
        name = self.names.take(name)
        table, quoted, listed = quote_identifier(plan.target), quote_identifier(name), _listed(columns)
        printed = f"ALTER TABLE {table} ADD CONSTRAINT {quoted} {kind} ({listed})"
        self._add(
            Phase.INDEX, plan.target, name, f"CREATE UNIQUE INDEX {quoted} ON {table} ({listed})", printed=printed
        )
        attach = f"ALTER TABLE {table} ADD CONSTRAINT {quoted} {kind} USING INDEX {quoted}"
        self._add(Phase.KEY, plan.target, name, attach, printed="")
        self.unique.setdefault(plan.target, set()).add(frozenset(columns))

    def _index(self, plan: TablePlan, index: Index) -> None:
        try:
            scope = self.scopes[fold(plan.source)]
            parts = [index_part(plan, part, scope) for part in index.columns]
            where = index_predicate(index, scope)
        except Untranslatable as error:
            self._finding("index", index.name, f"Not carried: {error}.", index.sql or "")
            return
        self._conflict(plan, [part.name or "" for part in index.columns], index.conflict)
        columns = tuple(part.column for part in parts)
        if index.origin == "u" and all(columns) and not where:
            name = f"{plan.target}_{'_'.join(columns)}_key"  # type: ignore[arg-type]  # all() has looked
            self._key_constraint(plan, "UNIQUE", name, columns)  # type: ignore[arg-type]
            return
        unique = "UNIQUE " if index.unique else ""
        wanted = f"{plan.target}_{'_'.join(part.name or 'expr' for part in index.columns)}_key"
        name = self.names.take(fold(wanted if index.origin == "u" else index.name))
        listed = ", ".join(part.sql for part in parts)
        sql = f"CREATE {unique}INDEX {quote_identifier(name)} ON {quote_identifier(plan.target)} ({listed}){where}"
        self._add(Phase.INDEX, plan.target, name, sql)
        if index.unique and all(columns) and not where:
            self.unique.setdefault(plan.target, set()).add(frozenset(columns))  # type: ignore[arg-type]

    def _conflict(self, plan: TablePlan, columns: Iterable[str], resolution: str | None) -> None:
        if resolution and resolution not in ("ABORT", "FAIL", "ROLLBACK"):
            message = f"ON CONFLICT {resolution} has no equivalent: it moves into the INSERT statements."
            self._finding("on-conflict", f"{plan.source}({', '.join(columns)})", message)

    def _targets(self, plan: TablePlan, names: tuple[str, ...]) -> tuple[str, ...] | None:
        columns = [plan.column(name) for name in names]
        return None if None in columns else tuple(column.target for column in columns if column)

    # -- foreign keys --------------------------------------------------------------------------------------------------

    def _foreign_keys(self, plan: TablePlan) -> None:
        source = self._source(plan)
        for key in source.foreign_keys if source else ():
            try:
                self._foreign_key(plan, key)
            except Untranslatable as error:
                text = f"FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.parent}"
                self._finding("foreign-key", f"{plan.source}({', '.join(key.columns)})", f"Not carried: {error}.", text)

    def _foreign_key(self, plan: TablePlan, key: ForeignKey) -> None:
        parent = self.plan.table(key.parent) or next(
            (table for table in self.plan.carried if fold(table.source) == fold(key.parent)), None
        )
        if parent is None:
            raise Untranslatable(f"table {key.parent} is not carried or does not exist")
        columns, parents = self._targets(plan, key.columns), self._targets(parent, key.parent_columns)
        if columns is None or parents is None or len(columns) != len(parents) or not parents:
            raise Untranslatable("a column of it is missing or dropped")
        for name, other in zip(key.columns, key.parent_columns, strict=True):
            self._comparable(plan.column(name), parent.column(other))
            self._compared_exactly(parent, other)
        if frozenset(parents) not in self.unique.get(parent.target, set()):
            raise Untranslatable(f"{parent.target}({', '.join(parents)}) has no unique constraint")
        name = self.names.take(key.name or f"{plan.target}_{'_'.join(columns)}_fkey")
        orphans = next(
            (item for names, item in plan.orphans.items() if [*map(fold, names)] == [*map(fold, key.columns)]),
            Orphans.FAIL,
        )
        table, quoted = quote_identifier(plan.target), quote_identifier(name)
        definition = (
            f"ALTER TABLE {table} ADD CONSTRAINT {quoted} FOREIGN KEY ({_listed(columns)})"
            f" REFERENCES {quote_identifier(parent.target)} ({_listed(parents)}){_actions(key)}"
        )
        validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted}"
        not_valid = orphans is Orphans.NOT_VALID
        self._add(
            Phase.FOREIGN_KEY,
            plan.target,
            name,
            definition + " NOT VALID",
            validate=None if not_valid else validate,
            printed=definition + (" NOT VALID" if not_valid else ""),
        )
        self.references.append(Reference(name, plan.target, columns, parent.target, parents, orphans))

    @staticmethod
    def _comparable(child: ColumnPlan | None, parent: ColumnPlan | None) -> None:
        assert child is not None
        assert parent is not None
        kinds = KINDS[child.type.name], KINDS[parent.type.name]
        if kinds[0] is not kinds[1]:
            raise Untranslatable(f"{child.source} is {child.type} and its parent {parent.type}")

    def _compared_exactly(self, parent: TablePlan, name: str) -> None:
        """SQLite compares by the parent's collation, whatever the child's is; PostgreSQL's key compares exactly."""
        planned, scope = parent.column(name), self.scopes[fold(parent.source)].columns[fold(name)]
        if planned and planned.type.is_text and scope.collation != "BINARY":
            how = _COLLATIONS.get(scope.collation, f"by the application's own collation {scope.collation}")
            raise Untranslatable(f"SQLite compares {parent.source}.{name} {how}")

    # -- views and comments --------------------------------------------------------------------------------------------

    def _views(self) -> None:
        """A view may read another one, so go round until nothing more can be translated."""
        waiting = [view for view in self.schema.views if view.name not in self.plan.dropped_views]
        while waiting:
            refused = [(view, reason) for view in waiting if (reason := self._view(view))]
            if len(refused) == len(waiting):
                for view, reason in refused:
                    self._finding("view", view.name, f"Not carried: {reason}.", view.sql)
                return
            waiting = [view for view, _ in refused]

    def _view(self, view: View) -> str | None:
        """Add the view and return None, or return why it cannot be translated."""
        if not view.columns:
            return "SQLite itself cannot read it"
        try:
            definition = read_view(view.sql)
            query = view_query(definition.select, self.scopes, tuple(map(fold, definition.columns)))
        except (Untranslatable, DefinitionError) as error:
            return str(error)
        target = self.names.take(fold(view.name))
        names = tuple(fold(name) for name in view.columns)
        self._add(
            Phase.VIEW,
            target,
            target,
            f"CREATE VIEW {quote_identifier(target)} ({_listed(names)}) AS\n{query.sql}",
        )
        origin = _literal(view_origin(view.name, view.sql))
        self._add(Phase.COMMENT, target, target, f"COMMENT ON VIEW {quote_identifier(target)} IS {origin}")
        self.views.append(CarriedView(view.name, target, names))
        scoped = {
            fold(source): replace(column_scope(column), target=name, source=source)
            for source, name, column in zip(view.columns, names, query.columns, strict=True)
        }
        spelt = {target: view.name} if target != view.name else {}
        self.scopes[fold(view.name)] = TableScope(target, scoped, as_it_is=True, spelt=spelt, is_view=True)
        return None

    def _triggers(self) -> None:
        merged = {fold(table.source) for table in self.plan.carried if table.query}
        scopes = {name: scope for name, scope in self.scopes.items() if name not in merged}
        carried = carry_triggers(self.schema, scopes, self.plan.dropped_triggers)
        for item in carried.triggers:
            self._add(Phase.FUNCTION, item.table, item.name, item.function)
            self._add(Phase.TRIGGER, item.table, item.name, item.trigger)
            self._add(Phase.TRIGGER_COMMENT, item.table, item.name, item.comment)
        self.triggers = carried.triggers
        self.findings += carried.findings
        self.scopes |= carried.scopes

    def _comments(self, plan: TablePlan, source: Table | None) -> None:
        table = quote_identifier(plan.target)
        origin = table_origin(source) if source else f"SQLite query over {', '.join(plan.covers)}"
        self._add(Phase.COMMENT, plan.target, plan.target, f"COMMENT ON TABLE {table} IS {_literal(origin)}")
        if source is None:
            return
        for column in plan.carried:
            text = column_origin(source.column(column.source), column.options)
            sql = f"COMMENT ON COLUMN {table}.{quote_identifier(column.target)} IS {_literal(text)}"
            self._add(Phase.COMMENT, plan.target, column.target, sql)

    def _add(
        self, phase: Phase, table: str, name: str, sql: str, validate: str | None = None, printed: str | None = None
    ) -> None:
        self.statements.append(Statement(phase, table, name, sql, validate, printed))

    def _finding(self, rule: str, where: str, message: str, original: str = "") -> None:
        self.findings.append(Finding(rule, Severity.WARNING, where, message, advice(rule), original))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(quote_identifier, names))


def _literal(text: str) -> str:
    return quote_literal(text.replace("\0", ""))


def _actions(key: ForeignKey) -> str:
    text = "".join(
        f" ON {event} {action}"
        for event, action in (("UPDATE", key.on_update), ("DELETE", key.on_delete))
        if action != "NO ACTION"
    )
    if key.deferrable:
        text += " DEFERRABLE INITIALLY DEFERRED" if key.initially_deferred else " DEFERRABLE"
    return text
