"""Which triggers a change of rows sets off, and what they read and change in turn, also through foreign keys.

PostgreSQL runs an AFTER trigger when all rows of the statement are changed, SQLite behind each row; and what a foreign
key passes on comes between. A trigger is carried where it cannot see the difference; `objection` says where it could.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from migrator.core.model import ForeignKey, Schema, Table, fold
from migrator.core.sql.recounting import Recount, recounts
from migrator.core.sql.trigger_steps import ALL, Key, Step, Write
from migrator.core.sql.trigger_text import Event, Time, TriggerText

_PASSED_ON = {"CASCADE": Event.DELETE, "SET NULL": Event.UPDATE, "SET DEFAULT": Event.UPDATE}


@dataclass(frozen=True)
class Program:
    """A trigger; without `steps` where its statements could not be read. Names are folded.

    `mentions` and `reads` are those of its WHEN; `ignores`: it may pass over the row.
    """

    text: TriggerText
    steps: tuple[Step, ...] | None
    reads: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    ignores: bool = False

    @property
    def table(self) -> str:
        return fold(self.text.table)

    @property
    def own(self) -> str:
        return fold(self.text.name)

    def fires_for(self, write: Write) -> bool:
        if (self.table, self.text.event) != (write.table, write.event):
            return False
        return not self.text.columns or ALL in write.columns or bool(self.text.columns & write.columns)


@dataclass
class Effects:
    """Of some statements: all that they and what they set off read and change. unknown: a trigger that is not read."""

    reads: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)
    writes: dict[Write, bool] = field(default_factory=dict)  # whether it is a row's own
    programs: set[str] = field(default_factory=set)
    chooses: bool = False
    unknown: bool = False

    @property
    def changed(self) -> set[str]:
        return {write.table for write in self.writes}

    @property
    def touched(self) -> set[str]:
        return self.reads | self.changed

    def disturb(self, other: Effects) -> bool:
        """Whether the other's reading or writing depends on what comes first, its own rows' order aside."""
        return any(self._disturbs(write, other) for write in self.writes)

    def _disturbs(self, write: Write, other: Effects) -> bool:
        if write.table in other.reads and not (
            write.event is Event.UPDATE
            and ALL not in write.columns | other.mentions
            and write.columns.isdisjoint(other.mentions)
        ):
            return True
        beside = [item for item in other.writes if item.table == write.table]
        return any(not (item.plain and write.plain) for item in beside)


@dataclass(frozen=True)
class Firing:
    """The triggers of a schema. `views` are those that a view's query reads, by its folded name."""

    schema: Schema
    programs: tuple[Program, ...]
    views: Mapping[str, frozenset[str]]

    @cached_property
    def _tables(self) -> dict[str, Table]:
        return {fold(table.name): table for table in self.schema.tables}

    @cached_property
    def _children(self) -> dict[str, list[tuple[str, ForeignKey]]]:
        """Parent → the tables that refer to it."""
        found: dict[str, list[tuple[str, ForeignKey]]] = {}
        for table in self.schema.tables:
            for key in table.foreign_keys:
                found.setdefault(fold(key.parent), []).append((fold(table.name), key))
        return found

    # -- what follows --------------------------------------------------------------------------------------------------

    def fired_by(self, write: Write) -> list[Program]:
        return [program for program in self.programs if program.fires_for(write)]

    def passed_on(self, write: Write) -> Iterator[Write]:
        """What foreign keys make of a change of their parent, one level."""
        for child, key in self._children.get(write.table, ()):
            referred = frozenset(map(fold, key.parent_columns))
            if write.event is Event.DELETE:
                action, event = key.on_delete, _PASSED_ON.get(key.on_delete)
            elif write.event is Event.UPDATE and (ALL in write.columns or referred & write.columns):
                action, event = key.on_update, Event.UPDATE
            else:
                continue
            if action in _PASSED_ON and event:
                yield Write(child, event, frozenset(map(fold, key.columns)) if event is Event.UPDATE else frozenset())

    def reached(self, write: Write) -> list[Write]:
        """What foreign keys make of it, on all levels."""
        found, waiting = list[Write](), [write]
        while waiting:
            for further in self.passed_on(waiting.pop()):
                if further not in found:
                    found.append(further)
                    waiting.append(further)
        return found

    def effects(self, program: Program, without: Sequence[Step] = ()) -> Effects:
        """Of the trigger's condition and statements, and of what they set off."""
        found = Effects(self._based(program.reads), set(program.mentions))
        self._add(found, program, without)
        return found

    def effects_of(self, write: Write) -> Effects:
        """Of the triggers that this sets off, also through foreign keys."""
        found = Effects()
        for item in (write, *self.reached(write)):
            for program in self.fired_by(item):
                self._enter(found, program)
        return found

    def _add(self, found: Effects, program: Program, without: Sequence[Step] = ()) -> None:
        if program.steps is None:
            found.unknown = True
        for step in program.steps or ():
            if step in without:
                continue
            found.reads |= self._based(step.reads)
            found.mentions |= step.mentions
            found.chooses |= step.chooses
            for write in step.writes:
                self._follow(found, write, self.is_own(program, write, step))

    def _follow(self, found: Effects, write: Write, own: bool) -> None:
        if write in found.writes:
            found.writes[write] &= own
            return
        found.writes[write] = own
        for program in self.fired_by(write):
            self._enter(found, program)
        for further in self.passed_on(write):
            self._follow(found, further, False)

    def _enter(self, found: Effects, program: Program) -> None:
        if program.own not in found.programs:
            found.programs.add(program.own)
            found.reads |= self._based(program.reads)
            found.mentions |= program.mentions
            self._add(found, program)

    def _based(self, names: Iterable[str]) -> set[str]:
        """With the tables that views among them read."""
        return set(names).union(*(self.views.get(name, frozenset()) for name in names))

    def is_own(self, program: Program, write: Write, step: Step) -> bool:
        """Whether an AFTER trigger's UPDATE changes nothing but the row it is for, in columns that no key has."""
        table = self._tables.get(write.table)
        if table is None or write.table != program.table or write.event is not Event.UPDATE:
            return False
        keys = self._unique(table)
        names = {self._rowid(table, key.column) for key in write.keys if self._same_column(table, key)}
        held = {name for key in keys for name in key} | _indexed(table)
        held |= {fold(name) for _, key in self._children.get(write.table, ()) for name in key.parent_columns}
        sets = {self._rowid(table, name) for name in write.columns}
        identified = any(set(key) <= names for key in keys)
        return identified and ALL not in sets and sets.isdisjoint(held) and write.table not in self._based(step.reads)

    def _same_column(self, table: Table, key: Key) -> bool:
        return self._rowid(table, key.column) == self._rowid(table, key.of)

    def _rowid(self, table: Table, name: str) -> str:
        """One name for the rowid, which has four."""
        named = {fold(column.name) for column in table.columns}
        if name in ("rowid", "_rowid_", "oid") and name not in named and not table.without_rowid:
            return fold(table.rowid_alias) if table.rowid_alias else "rowid"
        return name

    def _unique(self, table: Table) -> list[tuple[str, ...]]:
        """Keys that tell a row from every other, each compared as it is."""
        found: list[tuple[str, ...]] = [] if table.without_rowid else [(fold(table.rowid_alias or "rowid"),)]
        for index in table.indexes:
            columns = [table.column(part.name) if part.name else None for part in index.columns]
            if index.unique and index.where is None and all(_is_exact(column) for column in columns):
                found.append(tuple(fold(column.name) for column in columns if column))
        return found

    # -- what could be seen --------------------------------------------------------------------------------------------

    def objection(self, program: Program) -> str | None:
        """Where PostgreSQL's order of things could give another result, in words."""
        all_of_it = self.effects(program)
        if all_of_it.unknown:
            return "it sets off a trigger that cannot be read"
        if program.text.time is Time.INSTEAD:
            return "it changes its own view again" if program.own in all_of_it.programs else None
        write = Write(program.table, program.text.event, program.text.columns or frozenset({ALL}))
        reason = self._before(program, all_of_it, write) if program.text.time is Time.BEFORE else None
        if program.text.time is Time.AFTER:
            reason = self._after(program, write)
        return reason or self._passed(program)

    def _before(self, program: Program, effects: Effects, write: Write) -> str | None:
        if program.table in effects.changed:
            return "it changes the table before the row is changed, which PostgreSQL refuses"
        reached = {item.table for item in self.reached(write)}
        if seen := reached & effects.touched:
            return f"a foreign key passes the change on to {min(seen)}, which it reads or changes"
        return None

    def _after(self, program: Program, write: Write) -> str | None:
        if program.ignores:
            return "RAISE(IGNORE) behind the change leaves out the triggers that come after it"
        recounted = self._recounting(program)
        effects = self.effects(program, recounted)
        if any(not own for item, own in effects.writes.items() if item.table == program.table):
            return (
                "it changes other rows of the table, and PostgreSQL runs it when all rows of the statement are changed"
            )
        if program.table in effects.reads:
            return "it reads the table, and PostgreSQL runs it when all rows of the statement are changed"
        reached = {item.table for item in self.reached(write)}
        if seen := reached & self.effects(program).touched:
            return f"a foreign key passes the change on to {min(seen)}, which it reads or changes"
        for other in self._beside(program):
            theirs = self.effects(other)
            if other.text.time is Time.BEFORE and (effects.disturb(theirs) or theirs.disturb(effects)):
                return (
                    f"it changes or reads what the trigger {other.text.name} reads or changes before a row is changed"
                )
            if recounted and any(
                own
                for item, own in theirs.writes.items()
                if item.table == program.table and not item.columns.isdisjoint(_mentions(recounted))
            ):
                return f"it reads columns that the trigger {other.text.name} changes"
        return None

    def _recounting(self, program: Program) -> tuple[Step, ...]:
        """Statements that make a value of another table anew from this one's rows, whichever of them came last.

        Nobody looks at what they leave behind in between.
        """
        found = recounts(program.text, program.steps or ())
        steps = tuple(item.step for item in found)
        tables = {item.table for item in found}
        beside = [item for item in self._beside(program) if item.text.event is program.text.event]
        rest = self.effects(program, steps).touched.union(*(self.effects(item).touched for item in beside))
        quiet = not any(self.fired_by(write) or list(self.passed_on(write)) for step in steps for write in step.writes)
        return steps if quiet and tables.isdisjoint(rest) and all(map(self._compares_exactly, found)) else ()

    def _compares_exactly(self, recount: Recount) -> bool:
        names = (recount.table, recount.key), (recount.counted, recount.column)
        return all(
            _is_exact(column)
            for table, name in names
            for column in (self._tables[table].columns if table in self._tables else ())
            if fold(column.name) == name
        )

    def recounting(self, program: Program) -> bool:
        return program.text.time is Time.AFTER and bool(self._recounting(program))

    def _beside(self, program: Program) -> list[Program]:
        """The other triggers of the table: a statement may insert some rows and update others."""
        return [other for other in self.programs if other.table == program.table and other is not program]

    def _passed(self, program: Program) -> str | None:
        """Whether it could see when a foreign key's change of its table comes."""
        for parent, key in self._parents():
            for event in (Event.DELETE, Event.UPDATE):
                root = Write(parent, event, frozenset(map(fold, key.parent_columns)))
                reached = self.reached(root)
                if any(program.fires_for(write) for write in reached):
                    reason = self._seen_from(program, root, reached)
                    if reason:
                        return reason
        return None

    def _parents(self) -> Iterator[tuple[str, ForeignKey]]:
        return ((parent, key) for parent, children in self._children.items() for _, key in children)

    def _seen_from(self, program: Program, root: Write, reached: list[Write]) -> str | None:
        why = f"a foreign key passes changes of {root.table} on to its table"
        if program.ignores:
            return f"{why}, and it passes over rows"
        effects = self.effects(program, tuple(self._futile(program, root)))
        if effects.chooses:
            return f"{why}, and then SQLite takes no notice of the OR of its statements"
        if root.table == program.table in effects.changed and root.event is Event.UPDATE:
            return f"{why}, which is the same one"
        foreign = {item.table for item, own in effects.writes.items() if not own or item.table != program.table}
        others = {root.table, *(item.table for item in reached)}
        if others & (effects.reads | foreign):
            return f"{why}, and it reads or changes one of the tables that are changed with it"
        for other in self.programs:
            if other is program or (other.table, other.text.time, other.text.event) == (
                program.table,
                program.text.time,
                program.text.event,
            ):
                continue
            if any(other.fires_for(write) for write in (root, *reached)):
                theirs = self.effects(other)
                theirs.reads.add(other.table)  # the rows that it is for
                if theirs.unknown or effects.disturb(theirs) or theirs.disturb(effects):
                    return f"{why}, and what it does depends on whether the trigger {other.text.name} comes first"
        return None

    def _futile(self, program: Program, root: Write) -> Iterator[Step]:
        """Updates of the parent that was deleted, which find no row."""
        if root.event is not Event.DELETE or program.text.event is not Event.DELETE:
            return
        keys = [key for child, key in self._children[root.table] if child == program.table]
        parents = [
            {Key(fold(there), "old", fold(here)) for here, there in zip(key.columns, key.parent_columns, strict=True)}
            for key in keys
            if key.on_delete == "CASCADE"
        ]
        # One key of one level: by another one its table would be reached from elsewhere.
        if len(keys) != 1 or len(parents) != 1 or any(item.table == program.table for item in self._further(root)):
            return
        for step in program.steps or ():
            if (
                all(
                    write.table == root.table and write.event is Event.UPDATE and parents[0] <= write.keys
                    for write in step.writes
                )
                and step.writes
            ):
                yield step

    def _further(self, root: Write) -> Iterator[Write]:
        for write in self.passed_on(root):
            yield from self.reached(write)


def _mentions(steps: Iterable[Step]) -> frozenset[str]:
    return frozenset().union(*(step.mentions for step in steps))


def _is_exact(column: object) -> bool:
    return column is not None and getattr(column, "collation", "") == "BINARY"


def _indexed(table: Table) -> set[str]:
    """Columns that a unique index has in any way: an expression may be over all of them."""
    unique = [index for index in table.indexes if index.unique]
    if any(index.where is not None or any(part.name is None for part in index.columns) for index in unique):
        return {fold(column.name) for column in table.columns}
    return {fold(part.name) for index in unique for part in index.columns if part.name}
