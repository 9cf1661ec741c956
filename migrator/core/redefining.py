"""CREATE and DROP in an application's code → what the target has for them, by the blueprint of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from migrator.core.altering import Alteration, altered_sql, read_alter
from migrator.core.blueprint import Blueprint, Phase, Statement
from migrator.core.findings import Finding
from migrator.core.model import Schema, fold
from migrator.core.names import quote_identifier
from migrator.core.sql.cursor import Cursor, DefinitionError
from migrator.core.sql.lexer import Token
from migrator.core.sql.placeholders import Driver
from migrator.core.sql.rewriting import Rewritten, declined, finding_at, rewrite
from migrator.core.sql.split import SourceStatement
from migrator.core.table_info import asked_table, table_info
from migrator.core.triggers import CarriedTrigger

_KINDS = ("TABLE", "INDEX", "VIEW", "TRIGGER")


def defines(statement: SourceStatement) -> bool:
    """Whether it says which tables there are."""
    return statement.begins_with("CREATE") or any(statement.begins_with(verb, "TABLE") for verb in ("ALTER", "DROP"))


@dataclass(frozen=True)
class _Definition:
    """What a CREATE or DROP says before it comes to the point; `rest` are the tokens behind the name."""

    verb: str
    kind: str
    name: str
    guarded: bool  # IF NOT EXISTS, or IF EXISTS
    temporary: bool
    rest: tuple[Token, ...]


class _Tables(Protocol):
    @property
    def schema(self) -> Schema: ...

    @property
    def blueprint(self) -> Blueprint: ...


@dataclass
class Definitions:
    """Of one script after the other: a foreign key can be made when its parent has been.

    `refused` holds what SQLite says of statements that make nothing, `made` the target tables that are there.
    `created` is what the CREATE statements alone make, where `altered` says what each ALTER TABLE does to that.
    """

    schema: Schema
    blueprint: Blueprint
    refused: Mapping[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    created: _Tables | None = None
    altered: Mapping[str, Alteration] = field(default_factory=dict)
    _waiting: list[tuple[str, str]] = field(
        default_factory=list, init=False
    )  # parent, and the foreign key that waits for it

    def rewritten(self, statement: SourceStatement, driver: Driver, place: str, *, next_ids: bool = False) -> Rewritten:
        """Any statement: what defines something by the blueprint, the others by its tables; `next_ids` as rewrite()."""
        if (asked := asked_table(statement)) is not None:
            scope = self.blueprint.scopes.get(fold(asked))
            return table_info(statement, asked, self.schema, scope, driver, place)
        if statement.begins_with("CREATE") or statement.begins_with("DROP"):
            return self.rewrite(statement, place)
        if statement.begins_with("ALTER", "TABLE"):
            return self._alter(statement, place)
        found = rewrite(statement, self.blueprint.scopes, driver, place, next_ids=next_ids)
        if found.output is not None:
            return found
        return self._rewritten_earlier(statement, driver, place, next_ids=next_ids) or found

    def _rewritten_earlier(
        self, statement: SourceStatement, driver: Driver, place: str, *, next_ids: bool
    ) -> Rewritten | None:
        """A statement that stands before an ALTER TABLE, by what its tables are there."""
        names = {fold(token.value) for token in statement.tokens}
        scopes = dict(self.blueprint.scopes)
        for sql, change in reversed([*self.altered.items()]):
            alter = read_alter(sql)
            if not names.isdisjoint((fold(alter.table), fold(alter.new))):
                later = change.after.blueprint.scopes.keys()
                scopes = {name: scope for name, scope in scopes.items() if name not in later}
                scopes |= change.before.blueprint.scopes
                before = rewrite(statement, scopes, driver, place, next_ids=next_ids)
                if before.output is not None:
                    return before
        return None

    def rewrite(self, statement: SourceStatement, place: str) -> Rewritten:
        definition = _read(statement.text)
        if definition is None or definition.temporary:
            return declined(statement, place, "statement", "This kind of CREATE or DROP is not translated.")
        if definition.verb == "DROP":
            return self._drop(statement, definition, place)
        found = self._findings.get(fold(definition.name), [])
        sql, difference = self._created(definition, self._made)
        if not sql and self.altered and definition.kind != "TABLE":
            sql = self._created(definition, self)[0]  # it may stand behind what it needs
            found = _by_concern(self.blueprint).get(fold(definition.name), []) if sql else found
        if not sql and difference is not None:
            said = self.refused.get(statement.text)
            return declined(statement, place, "definition", f"SQLite says: {said}." if said else difference)
        notes = tuple(finding_at(place, item.rule, item.message, statement, item.severity) for item in found)
        if not sql:
            reasons = " ".join(item.message for item in found) or "It is not carried."
            return declined(statement, place, notes[0].rule if notes else "definition", reasons)
        return Rewritten(statement, sql, findings=notes)

    def _created(self, definition: _Definition, tables: _Tables) -> tuple[str, str | None]:
        """The statements, or what is different there."""
        difference = _difference(definition, self._known if tables is self._made else self._known_afterwards)
        made = self._made_of(definition, tables.blueprint) if difference is None else ()
        return "".join(f"{part};\n" for part in made).removesuffix(";\n"), difference

    @property
    def _made(self) -> _Tables:
        """What the CREATE statements make."""
        return self.created or self

    @cached_property
    def _statements(self) -> dict[str, list[Statement]]:
        """By target table."""
        found = defaultdict[str, list[Statement]](list)
        for item in self._made.blueprint.statements:
            found[item.table].append(item)
        return found

    @cached_property
    def _parents(self) -> dict[tuple[str, str], str]:
        """Of each foreign key, by its table and name."""
        return {(item.table, item.name): item.parent for item in self._made.blueprint.references}

    @cached_property
    def _findings(self) -> dict[str, list[Finding]]:
        return _by_concern(self._made.blueprint)

    @cached_property
    def _known(self) -> dict[str, dict[str, str]]:
        return _known_in(self._made.schema)

    @cached_property
    def _known_afterwards(self) -> dict[str, dict[str, str]]:
        return _known_in(self.schema)

    # -- CREATE --------------------------------------------------------------------------------------------------------

    def _made_of(self, definition: _Definition, blueprint: Blueprint) -> Iterator[str]:
        if definition.kind == "TABLE":
            yield from self._table(definition)
            return
        wanted = fold(definition.name)
        if definition.kind == "VIEW":
            names = {view.target for view in blueprint.views if fold(view.source) == wanted}
            found = [item.sql for item in blueprint.phase(Phase.VIEW) if item.name in names]
            yield from (_guarded(sql, "CREATE OR REPLACE VIEW") if definition.guarded else sql for sql in found)
        elif definition.kind == "TRIGGER":
            for trigger in (item for item in blueprint.triggers if fold(item.source) == wanted):
                yield trigger.function
                yield _guarded(trigger.trigger, "CREATE OR REPLACE TRIGGER") if definition.guarded else trigger.trigger
        else:
            yield from (
                _guarded(item.sql) if definition.guarded else item.sql
                for item in blueprint.phase(Phase.INDEX)
                if item.name == wanted and item.printed is None
            )

    def _table(self, definition: _Definition) -> Iterator[str]:
        scope = self._made.blueprint.scopes.get(fold(definition.name))
        if scope is None:
            return
        mine = self._statements[scope.target]
        [created] = [item.sql for item in mine if item.phase is Phase.TABLE]
        inner = [*map(_constraint, _constraints(mine)), *self._foreign_keys(scope.target)]
        head, _, tail = created.rpartition("\n)")
        created = ",\n    ".join([head, *inner]) + "\n)" + tail
        yield _guarded(created) if definition.guarded else created
        self.made.add(scope.target)
        own = {fold(index.name) for index in self._made.schema.table(definition.name).indexes if index.origin == "c"}
        for item in mine:
            if item.phase is Phase.INDEX and item.printed is None and item.name not in own:
                yield _guarded(item.sql) if definition.guarded else item.sql
        yield from [sql for parent, sql in self._waiting if parent == scope.target]

    def _foreign_keys(self, table: str) -> Iterator[str]:
        """Those whose parent is there; the others come behind their parent."""
        for item in self._statements[table]:
            if item.phase is not Phase.FOREIGN_KEY:
                continue
            definition = (item.printed or item.sql).removesuffix(" NOT VALID")
            parent = self._parents[item.table, item.name]
            if parent in self.made | {table}:
                yield _constraint(definition)
            else:
                self._waiting.append((parent, definition))

    # -- ALTER and DROP ------------------------------------------------------------------------------------------------

    def _alter(self, statement: SourceStatement, place: str) -> Rewritten:
        change = self.altered.get(statement.text)
        if change is None:
            said = self.refused.get(statement.text, "this kind of ALTER TABLE is not translated")
            return declined(statement, place, "definition", f"Not translated: {said}.")
        try:
            sql = altered_sql(read_alter(statement.text), change)
        except KeyError as error:
            return declined(statement, place, "definition", f"Not translated: {error} is not carried.")
        old = change.before.blueprint.findings
        notes = (item for item in change.after.blueprint.findings if item not in old)
        found = tuple(finding_at(place, item.rule, item.message, statement, item.severity) for item in notes)
        return Rewritten(statement, ";\n".join(sql), findings=found)

    def _drop(self, statement: SourceStatement, definition: _Definition, place: str) -> Rewritten:
        scope = self.blueprint.scopes.get(fold(definition.name))
        name = scope.target if scope else fold(definition.name)
        guard = "IF EXISTS " if definition.guarded else ""
        triggers = self.blueprint.triggers
        if definition.kind == "TRIGGER":
            dropped = next((item for item in triggers if fold(item.source) == fold(definition.name)), None)
            if dropped is None:
                return declined(statement, place, "trigger", f"PostgreSQL gets no trigger {definition.name}.")
            drop = f"DROP TRIGGER {guard}{quote_identifier(dropped.name)} ON {quote_identifier(dropped.table)}"
            return Rewritten(statement, f"{drop};\n{_without_function(dropped, guard)}")
        # With a table or view PostgreSQL drops its triggers, and leaves their functions.
        left = [_without_function(item, "IF EXISTS ") for item in triggers if item.table == name]
        sql = [f"DROP {definition.kind} {guard}{quote_identifier(name)}", *(left if definition.kind != "INDEX" else ())]
        return Rewritten(statement, ";\n".join(sql))


def _without_function(trigger: CarriedTrigger, guard: str) -> str:
    return f"DROP FUNCTION {guard}{quote_identifier(trigger.name)}()"


def _read(sql: str) -> _Definition | None:
    """None for another statement, or another kind of it."""
    try:
        cursor = Cursor(sql)
        verb = cursor.expect_one_of("CREATE", "DROP")
        temporary = cursor.at_word("TEMP", "TEMPORARY")
        cursor.skip_words("TEMP", "TEMPORARY", "UNIQUE")
        kind = cursor.expect_one_of(*_KINDS)
        guarded = cursor.accept_word("IF", "NOT", "EXISTS") if verb == "CREATE" else cursor.accept_word("IF", "EXISTS")
        name = cursor.object_name()
    except DefinitionError:
        return None
    return _Definition(verb, kind, name, guarded, temporary, cursor.tokens[cursor.at :])


def _difference(definition: _Definition, known: Mapping[str, Mapping[str, str]]) -> str | None:
    """None where it is known as this statement would make it."""
    sql = known[definition.kind].get(fold(definition.name))
    if sql is None:
        return f"The database has no {definition.kind.lower()} {definition.name}."
    found = _read(sql)
    same = found is not None and _texts(found.rest) == _texts(definition.rest)
    return None if same else f"The database has another {definition.name}."


def _by_concern(blueprint: Blueprint) -> dict[str, list[Finding]]:
    """The findings by the folded name of what they concern."""
    found = defaultdict[str, list[Finding]](list)
    for item in blueprint.findings:
        found[fold(item.where).replace("(", ".").partition(".")[0]].append(item)
    return found


def _known_in(schema: Schema) -> dict[str, dict[str, str]]:
    """What there is of each kind: folded name → how it was made."""
    indexes = [index for table in schema.tables for index in table.indexes]
    return {
        "TABLE": _by_name((table.name, table.sql) for table in schema.tables),
        "VIEW": _by_name((view.name, view.sql) for view in schema.views),
        "INDEX": _by_name((index.name, index.sql) for index in indexes),
        "TRIGGER": _by_name((trigger.name, trigger.sql) for trigger in schema.triggers),
    }


def _by_name(items: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {fold(name): sql for name, sql in items if sql}


def _texts(rest: Iterable[Token]) -> list[str]:
    return [token.text for token in rest]


def _constraints(mine: Iterable[Statement]) -> Iterator[str]:
    return (item.printed for item in mine if item.phase is Phase.INDEX and item.printed)


def _constraint(definition: str) -> str:
    """What stands behind ADD in an ALTER TABLE stands in the CREATE TABLE too."""
    return definition.partition(" ADD ")[2]


def _guarded(sql: str, instead: str = "") -> str:
    for head in ("CREATE TABLE", "CREATE UNIQUE INDEX", "CREATE INDEX", "CREATE VIEW", "CREATE TRIGGER"):
        if sql.startswith(f"{head} "):
            return f"{instead or f'{head} IF NOT EXISTS'}{sql.removeprefix(head)}"
    return sql
