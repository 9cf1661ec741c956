"""A program that uses SQLite → the same program on PostgreSQL: new sources, and what a person has still to do."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import libcst as cst

from migrator.core.audit import transactions
from migrator.core.audit.codebase import Codebase
from migrator.core.findings import Finding, Severity, count_of
from migrator.core.model import fold
from migrator.core.python.modules import Call, Module
from migrator.core.python.sites import Sink, Site, is_none
from migrator.core.python.texts import Known, Marks
from migrator.core.recoding.arguments import Given, Reshaped
from migrator.core.recoding.calls import Calls, is_kept, kept_connections, shared_connections
from migrator.core.recoding.edits import (
    Argued,
    CalledOn,
    Edit,
    Edits,
    Keyed,
    NewSource,
    Range,
    Removed,
    Replaced,
    Respelled,
    TextEdit,
)
from migrator.core.recoding.guards import Guards
from migrator.core.recoding.identifiers import Identifiers
from migrator.core.recoding.left_over import UNKNOWN_CONNECTION, concerns, is_left, is_sqlites, left_over
from migrator.core.recoding.names import renamed
from migrator.core.recoding.numbering import numbered
from migrator.core.recoding.places import finding, library_suffix, place_of
from migrator.core.recoding.reliance import relied_on
from migrator.core.recoding.respelling import Literals
from migrator.core.recoding.spellings import USUAL, Spellings, once, spellings_of
from migrator.core.recoding.statements import Recoded, Statements
from migrator.core.recoding.target import SUPPORT, Target
from migrator.core.recoding.writing import NotFound, written
from migrator.core.redefining import Definitions


@dataclass(frozen=True)
class Draft:
    """A file and what is to be changed in it, and nothing of the program: another process may write it."""

    path: PurePosixPath
    text: str
    edits: Mapping[tuple[Range, str], Sequence[Edit]]
    package: str = ""  # that the module beside the program lies in

    def write(self) -> NewSource | Finding:
        """The new source, or why there is none: a file that would not compile stays as it is."""
        try:
            new = written(self.text, self.edits, self.package)
            compile(new, self.path.as_posix(), "exec", dont_inherit=True)
        except (NotFound, cst.ParserSyntaxError, SyntaxError) as error:
            message = f"This file is left as it is: its changes could not be written ({error})."
            return Finding("unwritten", Severity.WARNING, self.path.as_posix(), message)
        return NewSource(self.path, self.text, new)


@dataclass(frozen=True)
class Recoding:
    """`refused` says that the program as a whole is left as it is."""

    drafts: tuple[Draft, ...]
    findings: tuple[Finding, ...]
    refused: bool = False
    spellings: Spellings = USUAL  # for the module beside the program


@dataclass
class Recoder:
    code: Codebase
    definitions: Definitions
    target: Target
    database: str = ""  # the name of the file that is moved
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.edits = {module: Edits(module) for module in self.code.tree.modules}
        self.kept, others = kept_connections(self.code, self.database)
        self.findings += others
        self.before = self.code.target
        self.guards = Guards(self.code)
        self.tables = frozenset(fold(table.name) for table in self.definitions.schema.tables)
        self.refused = self._refused()
        self.spellings = spellings_of(self.definitions.blueprint.scopes.values())
        self.identifiers = Identifiers(self.code, self.definitions, self.edits, self.kept)

    def _refused(self) -> tuple[Finding, ...]:
        """Why nothing at all is changed: for another driver than before, or for one that has no such connections."""
        if self.before is not None and self.before is not self.target:
            return (_other_target(self.before, self.target),)
        twins = [f"{library}.connect" for library in self.target.libraries]
        moved = [call for call in self.code.connects if call.node not in self.kept]
        return tuple(_synchronous(call) for call in moved if not self.code.calls_external(call, *twins))

    def recode(self) -> Recoding:
        if self.refused:
            return Recoding((), self.refused, refused=True)
        self.findings += left_over(self.code, self.tables, self.target)
        self.findings += relied_on(self.code, self.definitions.schema, self.kept, self.guards, self.before is not None)
        self._statements()
        kept = self._kept_names()
        for module, edits in self.edits.items():
            self.findings += Calls(self.code, module, edits, self.kept, self.target).recode()
            self.findings += renamed(module, self.code.inference, edits, kept, self.target)
        drafts = (Draft(module.path, module.text, edits.found) for module, edits in self.edits.items() if edits.found)
        return Recoding(tuple(drafts), tuple(once(self.findings)), spellings=self.spellings)

    # -- statements ----------------------------------------------------------------------------------------------------

    def _statements(self) -> None:
        literals = Literals()
        sites = list(self._moved(literals))
        drivers = numbered((site for site in sites if not site.is_open), self.target)
        statements = Statements(
            self.definitions, self.target, literals, self.identifiers.returning, spellings=self.spellings
        )
        for site in (site for site in sites if not site.is_open):
            statements.learn_ids(site, _given(site), drivers[site])
        done = []
        for site in sites:
            if site.is_open:
                self._leave(site)
                continue
            self.findings += shared_connections(site, self.kept)
            recoded = statements.recode(site, _given(site), drivers[site])
            self.findings += recoded.findings
            if recoded.wanted is not None:
                done.append(recoded)
            elif site.sink is None:
                self._method(site, self.edits[site.scope.module])
        self._literals(literals, done)
        for recoded in done:
            self._call(recoded)
        for relay in self.code.sites.relays:
            if relay.of and not is_kept(frozenset(relay.of), self.kept):
                self._method(relay, self.edits[relay.scope.module])
        self.findings += self.identifiers.findings
        self.findings += _without_order(statements.unordered)

    def _moved(self, literals: Literals) -> Iterator[Site]:
        """All but those whose database stays SQLite's, which keep their literals, and those that are not needed."""
        for site in self.code.sites:
            if is_kept(frozenset(site.of), self.kept):
                pieces = [piece for text in site.texts for piece in text.pieces if isinstance(piece, Known)]
                literals.take({(piece.module, piece.node, piece.part): () for piece in pieces})
            elif not self.identifiers.replaces(site):
                yield site

    def _leave(self, site: Site) -> None:
        texts = [text.filled("x") for text in site.texts]
        if self.before is not None:
            is_asked = any(is_left(text, self.before) for text in texts)
        else:
            is_asked = any(is_sqlites(text, None) or concerns(text, self.tables) for text in texts)
        if is_asked and not self.findings_at(site):
            self.findings.append(finding(site, "unknown-connection", UNKNOWN_CONNECTION))

    def findings_at(self, site: Site) -> list[Finding]:
        return [item for item in self.findings if item.where == place_of(site)]

    def _literals(self, literals: Literals, done: Sequence[Recoded]) -> None:
        parts: dict[tuple[Module, ast.expr], dict[int, tuple[TextEdit, ...]]] = {}
        without: dict[tuple[Module, ast.expr], set[int]] = {}
        marked: dict[tuple[Module, ast.expr], set[int]] = {}
        for (module, node, part), edits in literals.found.items():
            if edits:
                parts.setdefault((module, node), {})[part] = edits
        for recoded in done:
            for hole in recoded.without:
                assert hole.within is not None
                without.setdefault((hole.module, hole.within), set()).add(hole.part)
            for mark in recoded.marks:
                if mark.within is not None:
                    marked.setdefault((mark.module, mark.within), set()).add(mark.part)
        for key in {**parts, **without, **marked}:
            gone, kept = frozenset(without.get(key, ())), frozenset(marked.get(key, ()))
            self.edits[key[0]].add(key[1], Respelled(parts.get(key, {}), gone, kept))

    def _call(self, recoded: Recoded) -> None:
        site = recoded.site
        edits = self.edits[site.scope.module]
        if recoded.goes:
            self._goes(site, edits)
            return
        for mark, how in recoded.marks.items():
            if mark.within is None:
                self._mark(mark, how)
        if recoded.arguments is not None:
            self._arguments(site, recoded.arguments, edits)
        if recoded.around != "{}":
            edits.add(site.sql, Replaced(recoded.around))
        if site.sink is None:
            self._method(site, edits)

    def _mark(self, mark: Marks, how: str) -> None:
        """`",".join("?" * n)` → one placeholder for a list, or another spelling of each."""
        edits = self.edits[mark.module]
        if how == "one":
            edits.add(mark.node, Replaced('"%s"'))
            return
        # A text times n, which join() takes apart letter by letter, becomes a list times n.
        times = [node for node in ast.walk(mark.node) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)]
        repeated = {id(side) for node in times for side in (node.left, node.right)}
        for node in ast.walk(mark.node):
            if isinstance(node, ast.Constant) and node.value == "?":
                edits.add(node, Replaced('["%s"]' if id(node) in repeated else '"%s"'))

    def _arguments(self, site: Site, new: Reshaped, edits: Edits) -> None:
        if new.whole:
            edits.add(site.arguments, Replaced(new.whole)) if site.arguments else edits.add(
                site.call.node, Argued(new.whole)
            )
        if site.arguments is None:
            return
        if new.template != "{}":
            edits.add(site.arguments, Replaced(new.template))
        if new.keys:
            edits.add(new.of or site.arguments, Keyed(new.keys))
        for node, source in new.elements:
            edits.add(node, Replaced(source))

    def _goes(self, site: Site, edits: Edits) -> None:
        statement = site.call.statement
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Await):
            value = value.value
        if value is site.call.node and isinstance(statement, ast.Expr):
            edits.add(statement, Removed())
        else:
            self.findings.append(finding(site, "pragma", "What this PRAGMA gives is used; PostgreSQL has none."))

    def _method(self, site: Site, edits: Edits) -> None:
        """Calls that psycopg has not, or not so, become functions of the module beside the program."""
        name = self._function(site)
        if name is None:
            return
        function = site.call.node.func
        if isinstance(function, ast.Attribute) and function.attr == site.method:
            edits.add(site.call.node, CalledOn(f"{SUPPORT}.{name}{library_suffix(site.of)}"))
        else:
            self.findings.append(
                finding(site, "sqlite-api", f"{site.method}() is handed over: call {SUPPORT}.{name}().")
            )

    def _function(self, site: Site) -> str | None:
        """The function that takes the place of a method."""
        of_connection = any(made.type.endswith(".Connection") for made in site.of)
        if site.method == "execute" and site.arguments is None and transactions.is_kept_at_once(self.code, site):
            return "executescript"
        if site.method in ("executescript", "execute_fetchall", "execute_insert"):
            return site.method
        if site.method == "executemany":
            return "executemany" if of_connection else None
        return "execute" if site.method == "execute" and self.guards.needed(site) else None

    # -- names ---------------------------------------------------------------------------------------------------------

    def _kept_names(self) -> frozenset[ast.AST]:
        """The function in a connect() call goes with the call, or stays with it."""
        return self.code.connecting.union(call.node.func for call in self.code.connects)


def _without_order(sites: Iterable[Site]) -> Iterator[Finding]:
    """Once for the program: most programs do not mind."""
    found = sorted(sites, key=lambda site: (site.scope.module.path, site.call.line))
    if found:
        many = count_of(len(found), "statement reads", "statements read")
        message = (
            f"{many} several rows without ORDER BY, the first one here. PostgreSQL gives them in an order of its own,"
            " in another one after an UPDATE, and fetchone() another row."
        )
        said = finding(found[0], "order", message, Severity.NOTE)
        yield replace(said, next_step="Say ORDER BY where the order matters.")


def _other_target(before: Target, now: Target) -> Finding:
    message = (
        f"This program was rewritten for {before.title}, and is not rewritten for {now.title} from there: use"
        f" --to {before.module}, or begin with the program as it was."
    )
    return Finding("other-target", Severity.WARNING, f"{SUPPORT}.py", message)


def _synchronous(call: Call) -> Finding:
    message = (
        "asyncpg has no connection without coroutines, so the whole program is left as it is: use --to psycopg or"
        " --to sqlalchemy, or make this aiosqlite's first."
    )
    return Finding("synchronous", Severity.WARNING, f"{call.scope.module.path.as_posix()}:{call.line}", message)


def _given(site: Site) -> Given:
    node = None if is_none(site.arguments) else site.arguments
    passed = node is not None if site.sink is None else _sink_passes(site.sink, node)
    return Given(node, site.scope, site.method == "executemany", passed)


def _sink_passes(sink: Sink, node: ast.expr | None) -> bool:
    """Whether the driver gets arguments, be they empty: what the function makes of none is seen in its default."""
    if sink.arguments is None:
        return False
    if node is not None or sink.fills:
        return True
    bindings = sink.function.bindings.get(sink.arguments.arg, ())
    return not (bindings and is_none(bindings[0].value))
