"""The id of a new row and the number of changed ones: lastrowid, last_insert_rowid() and changes()."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from migrator.core.audit.codebase import Codebase, is_handle
from migrator.core.audit.touched import HOLE, touched_by
from migrator.core.findings import Finding, Severity
from migrator.core.python.modules import Module, Scope
from migrator.core.python.sites import Site
from migrator.core.recoding.calls import is_kept
from migrator.core.recoding.edits import Asked, Edits, Named, Replaced
from migrator.core.recoding.places import attributes_in, finding, library_suffix
from migrator.core.recoding.target import SUPPORT
from migrator.core.redefining import Definitions
from migrator.core.sql.split import split

_LAST_ID = re.compile(r"\s*SELECT\s+last_insert_rowid\s*\(\s*\)\s*;?\s*", re.IGNORECASE)
_CHANGES = re.compile(r"\s*SELECT\s+changes\s*\(\s*\)\s*;?\s*", re.IGNORECASE)
_WRITES = ("INSERT", "REPLACE", "UPDATE", "DELETE", "WITH")


@dataclass
class Identifiers:
    """`returning` says which INSERTs have to give the id of their row, and the column that holds it."""

    code: Codebase
    definitions: Definitions
    edits: dict[Module, Edits]
    kept: frozenset[ast.Call]  # connections that stay SQLite's
    returning: dict[Site, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _gone: set[Site] = field(default_factory=set)

    def __post_init__(self) -> None:
        for site in self.code.sites:
            text = site.texts[0].filled(HOLE)
            if _LAST_ID.fullmatch(text):
                self._last_id(site)
            elif _CHANGES.fullmatch(text):
                self._changes(site)
            elif site.method == "execute_insert":
                self._returns(site)
        for scope in self.code.tree.scopes():
            for node in attributes_in(scope):
                if node.attr == "lastrowid":
                    self._lastrowid(node, scope)
        self._share()

    def replaces(self, site: Site) -> bool:
        """Whether a statement needs not be executed any more, because the one before it gives what it asks for."""
        return site in self._gone

    # -- lastrowid -----------------------------------------------------------------------------------------------------

    def _lastrowid(self, node: ast.Attribute, scope: Scope) -> None:
        handles = [value for value in self.code.inference.of(node.value, scope) if is_handle(value)]
        if not handles or is_kept(frozenset(handles), self.kept):
            return
        behind = list(self._behind(node.value, scope))
        # Each of them has to return its row's id: which one ran last is not known here.
        returning = [self._returns(site) for site in behind]
        if not any(returning) or self._is_of_another(node, scope, behind):
            place = f"{scope.module.path.as_posix()}:{node.lineno}"
            message = "Which INSERT this id is of, or which column holds it, is not certain: use RETURNING."
            self.findings.append(Finding("last-id", Severity.WARNING, place, message))
            return
        awaited = library_suffix(handles)
        call = f"{SUPPORT}.lastrowid{awaited}({{}})"
        self.edits[scope.module].add(node, Asked(f"(await {call})" if awaited else call))

    def _is_of_another(self, node: ast.Attribute, scope: Scope, behind: list[Site]) -> bool:
        """Whether the INSERT that stands nearest before it is into a table without such a column."""
        before = [site for site in behind if site.scope is scope and site.call.line <= node.lineno]
        inserts = [site for site in before if _begins(site, ("INSERT", "REPLACE"))]
        return bool(inserts) and max(inserts, key=lambda site: site.call.line) not in self.returning

    def _behind(self, cursor: ast.expr, scope: Scope) -> Iterator[Site]:
        """The statements that the cursor may have executed: its own, what it was made by, those of a function."""
        name = ast.unparse(cursor)
        made = {_call_in(item.value) for item in scope.bindings.get(name, ()) if item.value is not None}
        for site in self.code.sites:
            function = site.call.node.func
            is_own = site.scope is scope and isinstance(function, ast.Attribute) and ast.unparse(function.value) == name
            passed_on = site.sink is not None and site.sink.function is scope
            if is_own or passed_on or site.call.node is cursor or site.call.node in made:
                yield site

    def _returns(self, site: Site) -> bool:
        """Notes that an INSERT is to give its row's id; False where it is none, or its table has no such column."""
        if site.method not in ("execute", "execute_insert"):
            return False
        for text in site.texts:
            for statement in split(text.filled(HOLE, "?")):
                if not statement.tokens or not statement.tokens[0].is_word("INSERT", "REPLACE", "WITH"):
                    return False
                column = self._id_of(touched_by(statement.text).writes)
                if column is None:
                    return False
                self.returning[site] = column
        return True

    def _id_of(self, tables: tuple[str, ...]) -> str | None:
        for table in tables[:1]:
            try:
                return self.definitions.schema.table(table).rowid_alias
            except KeyError:
                return None
        return None

    def _share(self) -> None:
        """Whoever sends the same text gets the id too: executemany() leaves it where it is."""
        columns = {_literals(site): column for site, column in self.returning.items()}
        for site in self.code.sites:
            if site.method == "executemany" and _literals(site) in columns:
                self.returning[site] = columns[_literals(site)]

    # -- SELECT last_insert_rowid(), SELECT changes() ------------------------------------------------------------------

    def _last_id(self, site: Site) -> None:
        before = self._before(site, ("INSERT", "REPLACE"))
        name = self._name(before, "inserted") if before is not None and self._returns(before) else None
        if name is None:
            self.findings.append(
                finding(site, "last-id", "Which INSERT this asks about is not certain: use RETURNING.")
            )
            return
        self._gone.add(site)
        self.edits[site.scope.module].add(site.call.node, Replaced(name))

    def _changes(self, site: Site) -> None:
        before = self._before(site, _WRITES)
        value = _first_value(site)
        name = self._name(before, "changed") if before is not None and value is not None else None
        if name is None or value is None:
            self.findings.append(
                finding(site, "changes", "Which statement this asks about is not certain: use rowcount.")
            )
            return
        self._gone.add(site)
        self.edits[site.scope.module].add(value, Replaced(f"{name}.rowcount"))

    def _before(self, site: Site, words: tuple[str, ...]) -> Site | None:
        """The last statement of these in the same function before that one."""
        found = [
            other
            for other in self.code.sites
            if other.scope is site.scope and other.call.line < site.call.line and _begins(other, words)
        ]
        return max(found, key=lambda other: other.call.line, default=None)

    def _name(self, site: Site, wanted: str) -> str | None:
        """The name that the statement's cursor has, or gets."""
        statement = site.call.statement
        if isinstance(statement, ast.Assign) and _call_in(statement.value) is site.call.node:
            target = statement.targets[0]
            return target.id if isinstance(target, ast.Name) else None
        if isinstance(statement, ast.Expr) and _call_in(statement.value) is site.call.node:
            while wanted in site.scope.bindings:
                wanted += "_"
            self.edits[site.scope.module].add(statement, Named(wanted))
            return wanted
        return None


def _call_in(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Await) else node


def _literals(site: Site) -> tuple[ast.expr, ...]:
    return tuple(piece.node for text in site.texts for piece in text.pieces)


def _begins(site: Site, words: tuple[str, ...]) -> bool:
    return any(
        statement.tokens and statement.tokens[0].is_word(*words) for statement in split(site.texts[0].filled(HOLE, "?"))
    )


def _first_value(site: Site) -> ast.Subscript | None:
    """`….fetchone()[0]` around the call of a site."""
    for node in ast.walk(site.call.statement):
        call = _call_in(node.value) if isinstance(node, ast.Subscript) else None
        is_row = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "fetchone"
        if isinstance(node, ast.Subscript) and is_row and any(inner is site.call.node for inner in ast.walk(node)):
            return node
    return None
