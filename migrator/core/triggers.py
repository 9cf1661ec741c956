"""Triggers → functions in PL/pgSQL and the triggers that call them, or a reason why there is none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlglot import exp

from migrator.core.findings import Finding, Severity
from migrator.core.firing import Firing, Program
from migrator.core.model import Generated, Schema, Trigger, fold
from migrator.core.names import NameBook, quote_identifier, quote_literal, target_name
from migrator.core.origins import trigger_origin
from migrator.core.sql.advice import advice
from migrator.core.sql.cursor import DefinitionError
from migrator.core.sql.definitions import read_view
from migrator.core.sql.fired import without_affinities
from migrator.core.sql.parsing import parse_expression, parse_query, too_deep_is_declined
from migrator.core.sql.postgres_tokens import plain_name
from migrator.core.sql.query import Note, Surroundings
from migrator.core.sql.scope import Fires, TableScope, Untranslatable
from migrator.core.sql.trigger_body import Body, function, is_raise, translate_body
from migrator.core.sql.trigger_steps import Step, Write, mentioned, read_step
from migrator.core.sql.trigger_text import Event, Time, TriggerText, read_trigger

_AFTER_FOREIGN_KEYS = "RI_"  # PostgreSQL fires triggers by name, and its own for foreign keys are called so
_PACK = "compat"
_WITHOUT_PACK = "it needs functions of SQLite's, which a run does not make"


@dataclass(frozen=True)
class CarriedTrigger:
    """`function`, `trigger` and `comment` are statements; `name` is the trigger's and the function's in the target."""

    source: str
    table: str
    name: str
    function: str
    trigger: str
    comment: str


@dataclass(frozen=True)
class Carried:
    """`scopes` are the tables with what their triggers do."""

    triggers: tuple[CarriedTrigger, ...]
    findings: tuple[Finding, ...]
    scopes: Mapping[str, TableScope]


def carry_triggers(schema: Schema, scopes: Mapping[str, TableScope], dropped: frozenset[str]) -> Carried:
    return _Carrier(schema, scopes, frozenset(map(fold, dropped))).carry()


@dataclass
class _Carrier:
    schema: Schema
    scopes: Mapping[str, TableScope]
    dropped: frozenset[str]
    refused: dict[str, str] = field(default_factory=dict)  # folded names
    notes: dict[str, list[Note]] = field(default_factory=dict)

    def carry(self) -> Carried:
        wanted = [trigger for trigger in self.schema.triggers if fold(trigger.name) not in self.dropped]
        bodies = {}
        for program in self._candidates():
            try:
                bodies[program.own] = self._body(program)
            except Untranslatable as error:
                self.refused[program.own] = str(error)
        carried = [item for item in self.firing.programs if item.own in bodies]
        names = _names(carried)
        made = tuple(
            self._made(
                trigger, names[fold(trigger.name)], self.programs[fold(trigger.name)], bodies[fold(trigger.name)]
            )
            for trigger in wanted
            if fold(trigger.name) in bodies
        )
        return Carried(made, tuple(self._findings(wanted)), self._known(carried))

    @cached_property
    def programs(self) -> Mapping[str, Program]:
        """All that SQLite has, also those that are not carried."""
        return {program.own: program for program in self.firing.programs}

    @cached_property
    def firing(self) -> Firing:
        """In the order in which SQLite fires them: the newest first."""
        found = tuple(filter(None, map(self._program, reversed(self.schema.triggers))))
        return Firing(self.schema, found, dict(_views(self.schema)))

    def _program(self, trigger: Trigger) -> Program | None:
        try:
            text = read_trigger(trigger.sql)
        except DefinitionError as error:
            self.refused[fold(trigger.name)] = f"it cannot be read: {error}"
            return None
        try:
            steps = tuple(map(read_step, text.steps))
            when = parse_expression(text.condition) if text.condition else None
        except Untranslatable as error:
            self.refused[fold(trigger.name)] = str(error)
            return Program(text, None)
        return Program(
            text,
            steps,
            frozenset(fold(table.name) for table in when.find_all(exp.Table)) if when else frozenset(),
            mentioned(when) if when else frozenset(),
            ignores=any(_ignores(step) for step in steps),
        )

    def _candidates(self) -> Iterator[Program]:
        for program in self.firing.programs:
            if program.own in self.dropped or program.own in self.refused:
                continue
            if reason := self._unsuitable(program) or self.firing.objection(program):
                self.refused[program.own] = reason
            else:
                yield program

    def _unsuitable(self, program: Program) -> str | None:
        scope, text = self.scopes.get(program.table), program.text
        if scope is None:
            return f"{text.table} is not carried"
        if unknown := sorted(text.columns - scope.columns.keys()):
            return f"the column {unknown[0]} is not carried"
        if text.time is not Time.INSTEAD:
            return None
        if text.columns:
            return "PostgreSQL has no INSTEAD OF UPDATE OF"
        beside = [
            item for item in self.firing.programs if item.table == program.table and item.text.event is text.event
        ]
        return "PostgreSQL stops at the first of several INSTEAD OF triggers" if len(beside) > 1 else None

    def _body(self, program: Program) -> Body:
        """Raises Untranslatable."""
        notes = self.notes.setdefault(program.own, [])
        around = Surroundings(self._known(self._candidates_known), notes=notes)
        steps = [self._where_it_was(program, step) for step in program.steps or ()]
        body = translate_body(program.text, steps, self._row(program), around)
        if any(note.rule == _PACK for note in notes):
            raise Untranslatable(_WITHOUT_PACK)
        if any(write.event is Event.INSERT for step in program.steps or () for write in step.writes):
            around.note("order", "a statement of several rows: which of them it is for first is not said")
        return body

    def _where_it_was(self, program: Program, step: Step) -> Step:
        """An UPDATE of the row by its old key, which in SQLite finds nothing where the key was changed.

        By the end of the statement another row may have it; until this one gave it up none could.
        """
        if program.text.event is not Event.UPDATE or not any(
            self.firing.is_own(program, write, step) for write in step.writes
        ):
            return step
        keys = {key for write in step.writes for key in write.keys if key.row == "old" and key.column == key.of}
        more = "".join(f" AND OLD.{name} = NEW.{name}" for name in sorted(plain_name(key.of) for key in keys))
        return replace(step, text=step.text + more, readable=step.readable + more)

    @cached_property
    def _candidates_known(self) -> list[Program]:
        """Those that may be carried, while it is not known of all whether they are."""
        return [
            program for program in self.firing.programs if program.own not in self.refused | dict.fromkeys(self.dropped)
        ]

    def _row(self, program: Program) -> TableScope:
        """NEW and OLD: before the change SQLite has no rowid, PostgreSQL no generated column, and all may be NULL."""
        scope, text = self.scopes[program.table], program.text
        if text.time is Time.INSTEAD:
            return without_affinities(scope)
        if text.time is not Time.BEFORE:
            return scope
        hidden = self._later(program) if text.event is not Event.DELETE else set()
        columns = {name: replace(column, nullable=True) for name, column in scope.columns.items() if name not in hidden}
        rowid = None if text.event is Event.INSERT else scope.rowid
        return replace(scope, columns=columns, rowid=rowid, as_it_is=False)

    def _later(self, program: Program) -> set[str]:
        table = self.schema.table(program.text.table)
        found = {fold(column.name) for column in table.columns if column.generated is not Generated.NOT}
        if program.text.event is Event.INSERT and table.rowid_alias:
            found.add(fold(table.rowid_alias))
        return found

    # -- what comes out ------------------------------------------------------------------------------------------------

    def _made(self, trigger: Trigger, name: str, program: Program, body: Body) -> CarriedTrigger:
        table, text = self.scopes[program.table], program.text
        active = _setting(name) if program.own in self.firing.effects(program).programs else None
        conditions = [f"current_setting('{active}', true) IS DISTINCT FROM 'on'"] if active else []
        conditions += [body.condition] if body.condition else []
        when = f"\n    WHEN ({' AND '.join(conditions)})" if conditions else ""
        target = quote_identifier(table.target)
        event = f"{text.event}{self._listed(table, text)}"
        create = (
            f"CREATE TRIGGER {quote_identifier(name)} {text.time} {event} ON {target}"
            f" FOR EACH ROW{when}\n    EXECUTE FUNCTION {quote_identifier(name)}()"
        )
        origin = quote_literal(trigger_origin(trigger.name, trigger.sql).replace("\0", ""))
        comment = f"COMMENT ON TRIGGER {quote_identifier(name)} ON {target} IS {origin}"
        return CarriedTrigger(trigger.name, table.target, name, function(name, body, active), create, comment)

    @staticmethod
    def _listed(table: TableScope, text: TriggerText) -> str:
        names = [column.target for name, column in table.columns.items() if name in text.columns]
        return f" OF {', '.join(map(quote_identifier, names))}" if names else ""

    def _findings(self, wanted: Iterable[Trigger]) -> Iterator[Finding]:
        for trigger in wanted:
            reason = self.refused.get(fold(trigger.name))
            if reason is not None:
                message = f"The trigger on {trigger.table} is not carried: {reason}."
                yield Finding("trigger", Severity.WARNING, trigger.name, message, advice("trigger"), trigger.sql)
                continue
            for note in self.notes.get(fold(trigger.name), ()):
                yield Finding(note.rule, Severity.NOTE, trigger.name, f"{note.text}.", original=trigger.sql)

    def _known(self, carried: Sequence[Program]) -> dict[str, TableScope]:
        """The tables with what these triggers do."""
        found = dict(self.scopes)
        for program in carried:
            scope, event = found[program.table], program.text.event
            fires = {**scope.fires, event.value: self._fires(program)}
            found[program.table] = replace(scope, fires=fires)
        return found

    def _fires(self, program: Program) -> Fires:
        effects = self.firing.effects_of(Write(program.table, program.text.event, frozenset({"*"})))
        beside = (item for item in self.firing.programs if item.table == program.table)
        seen = {view for view, tables in self.firing.views.items() if tables & effects.changed}
        return Fires(frozenset(effects.changed | seen), effects.chooses, any(map(self.firing.recounting, beside)))


def _ignores(step: Step) -> bool:
    calls = (node for node in step.tree.find_all(exp.Anonymous) if is_raise(node))
    return any(call.expressions[0].name.upper() == "IGNORE" for call in calls)


def _views(schema: Schema) -> Iterator[tuple[str, frozenset[str]]]:
    """What views read, through other views too; one that cannot be read is not carried either."""
    direct = {}
    for view in schema.views:
        try:
            with too_deep_is_declined():
                tree = parse_query(read_view(view.sql).select)
        except (Untranslatable, DefinitionError):
            continue
        direct[fold(view.name)] = {fold(table.name) for table in tree.find_all(exp.Table)}
    for name, tables in direct.items():
        found = set(tables)
        while further := {item for view in found & direct.keys() for item in direct[view]} - found:
            found |= further
        yield name, frozenset(found)


def _names(carried: Sequence[Program]) -> dict[str, str]:
    """PostgreSQL fires in the order of names; of several for the same they are to be SQLite's."""
    book, found = NameBook(), dict[str, str]()
    groups: dict[tuple[str, Time, Event], list[Program]] = {}
    for program in carried:
        groups.setdefault((program.table, program.text.time, program.text.event), []).append(program)
    for group in groups.values():
        names = [target_name(program.text.name) for program in group]
        if names != sorted(set(names)) or any(name <= _AFTER_FOREIGN_KEYS for name in names):
            names = [target_name(f"t{place:02}_{name}") for place, name in enumerate(names, 1)]
        found |= {program.own: book.take(name) for program, name in zip(group, names, strict=True)}
    return found


def _setting(name: str) -> str:
    """Of the transaction: says that the trigger is at work, and is not to fire because of what it does."""
    plain = re.sub(r"[^a-z0-9_]", "_", name)
    digest = f"_{hashlib.sha256(name.encode()).hexdigest()[:8]}" if plain != name or len(plain) > 50 else ""
    return f"migrator.in_{plain[:50]}{digest}"
