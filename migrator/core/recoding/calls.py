"""What becomes of the calls of connections and cursors, apart from their SQL."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from migrator.core.audit.codebase import Codebase, gives_connection, is_handle
from migrator.core.audit.files import database_files
from migrator.core.findings import Finding, Severity
from migrator.core.python import apis
from migrator.core.python.modules import Call, Module, Scope
from migrator.core.python.sites import Site
from migrator.core.python.values import Made, Managed, Values
from migrator.core.recoding.edits import Edits, Replaced, Unawaited
from migrator.core.recoding.places import attributes_in
from migrator.core.recoding.target import SUPPORT, Target

# What connections and cursors of PostgreSQL have as well, or what is rewritten elsewhere.
_KNOWN = {
    *(
        "execute",
        "executemany",
        "executescript",
        "commit",
        "rollback",
        "close",
        "cursor",
        "row_factory",
        "isolation_level",
    ),
    *("fetchone", "fetchmany", "fetchall", "description", "rowcount", "lastrowid", "arraysize", "connection"),
    *("execute_fetchall", "execute_insert", "__enter__", "__exit__"),
}
_DROPPED = {"timeout", "check_same_thread", "cached_statements", "uri", "database", "isolation_level", "detect_types"}


class Calls:
    """Of one module. `kept` are the connect() calls whose database stays SQLite's: those in memory."""

    def __init__(self, code: Codebase, module: Module, edits: Edits, kept: frozenset[ast.Call], target: Target) -> None:
        self.code = code
        self.module = module
        self.edits = edits
        self.kept = kept
        self.target = target

    def recode(self) -> Iterator[Finding]:
        for scope in self.module.scopes:
            for call in scope.calls:
                if call.node in self.code.connecting and call.node not in self.kept:
                    yield from self._connect(call)
            yield from self._attributes(scope)
            yield from self._factories(scope)
        for statement in ast.walk(self.module.tree):
            if isinstance(statement, ast.With | ast.AsyncWith):
                self._with(statement)
        self._awaited()

    # -- connect() -----------------------------------------------------------------------------------------------------

    def _connect(self, call: Call) -> Iterator[Finding]:
        """The path and SQLite's own options go; isolation_level=None is what autocommit=True is."""
        level = next((item.value for item in call.node.keywords if item.arg == "isolation_level"), None)
        autocommit = isinstance(level, ast.Constant) and level.value is None
        given = ["autocommit=True"] if autocommit else []
        if any("mode=ro" in text for text in self.code.strings(_path(call), call.scope)):
            given.append(self.target.read_only)
        if makes_objects(call.node):
            given.append("objects=True")
        name = "connect_async" if self.code.calls_external(call, "aiosqlite.connect") else "connect"
        self.edits.add(call.node, Replaced(f"{SUPPORT}.{name}({', '.join(given)})"))
        for keyword in call.node.keywords:
            converts = keyword.arg == "detect_types" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value == 0
            )
            if converts or keyword.arg not in _DROPPED:
                yield self._finding(call.node, "sqlite-api", _own_option(keyword.arg))

    # -- attributes ----------------------------------------------------------------------------------------------------

    def _attributes(self, scope: Scope) -> Iterator[Finding]:
        """What of a connection or cursor there is none for PostgreSQL."""
        for node in attributes_in(scope):
            if node.attr in _KNOWN:
                continue
            handles = [value for value in self.code.inference.of(node.value, scope) if is_handle(value)]
            if handles and not self._is_kept(frozenset(handles)):
                yield self._own(node)

    def _factories(self, scope: Scope) -> Iterator[Finding]:
        for target, binding in scope.attributes.get("row_factory", ()):
            value = binding.value
            if value is None or not self._is_mine(target.value, scope):
                continue
            names = {getattr(item, "name", "") for item in self.code.inference.of(value, scope)}
            if names & {"sqlite3.Row", "aiosqlite.Row"}:
                self.edits.add(value, Replaced(f"{SUPPORT}.row_factory"))
            elif isinstance(value, ast.Constant) and value.value is None:
                self.edits.add(value, Replaced(self.target.plain_rows))
            else:
                self.edits.add(value, Replaced(f"{SUPPORT}.each_row({{}})"))
        for name in scope.attributes.keys() - _KNOWN - {"isolation_level"}:
            for target, _ in scope.attributes[name]:
                if self._is_mine(target.value, scope):
                    yield self._own(target)
        for target, binding in scope.attributes.get("isolation_level", ()):
            if binding.value is not None and self._is_mine(target.value, scope):
                is_none = isinstance(binding.value, ast.Constant) and binding.value.value is None
                self.edits.add(target, Replaced(f"{ast.unparse(target.value)}.autocommit"))
                self.edits.add(binding.value, Replaced(str(is_none)))

    # -- with ----------------------------------------------------------------------------------------------------------

    def _with(self, statement: ast.With | ast.AsyncWith) -> None:
        """`with connection:` commits and leaves it open; psycopg's closes it."""
        for item in statement.items:
            scope = self._scope_of(item.context_expr)
            values = self.code.inference.of(item.context_expr, scope)
            if item.context_expr in self.code.connecting:
                if isinstance(statement, ast.With) and self._is_used_behind(item.optional_vars, statement, scope):
                    self.edits.add(item.context_expr, Replaced(f"{SUPPORT}.transaction({{}})"))
                continue
            if self._is_kept(values):
                continue
            behind = "_async" if isinstance(statement, ast.AsyncWith) else ""
            if any(_is_connection(value) for value in values):
                self.edits.add(item.context_expr, Replaced(f"{SUPPORT}.transaction{behind}({{}})"))
            elif behind and _is_execute(item.context_expr) and any(is_handle(value) for value in values):
                self.edits.add(item.context_expr, Replaced("await {}"))

    def _is_used_behind(self, target: ast.expr | None, statement: ast.stmt, scope: Scope) -> bool:
        """Whether the connection that a with statement makes is used below it: sqlite3 leaves it open."""
        end = statement.end_lineno or statement.lineno
        return isinstance(target, ast.Name) and any(
            isinstance(node.value, ast.Name) and node.value.id == target.id and node.lineno > end
            for node in attributes_in(scope)
        )

    def _awaited(self) -> None:
        """aiosqlite's cursor() is awaited, psycopg's is not."""
        for node in ast.walk(self.module.tree):
            made = node.value if isinstance(node, ast.Await) else None
            if isinstance(node, ast.Await) and isinstance(made, ast.Call) and _is(made.func, "cursor"):
                self._unawait(node, made)

    def _unawait(self, node: ast.Await, made: ast.Call) -> None:
        if self._is_mine(made, self._scope_of(node)):
            self.edits.add(node, Unawaited())

    def _scope_of(self, node: ast.expr) -> Scope:
        """The innermost scope around an expression."""
        best = self.module.scope
        for scope in self.module.scopes:
            inner = scope.node
            if isinstance(inner, ast.Module):
                continue
            start, end = getattr(inner, "lineno", 0), getattr(inner, "end_lineno", 0)
            if start <= node.lineno <= end and start >= getattr(best.node, "lineno", 0):
                best = scope
        return best

    # -- whose ---------------------------------------------------------------------------------------------------------

    def _is_mine(self, node: ast.expr, scope: Scope) -> bool:
        values = self.code.inference.of(node, scope)
        return any(is_handle(value) for value in values) and not self._is_kept(values)

    def _is_kept(self, values: Values) -> bool:
        return is_kept(values, self.kept)

    def _own(self, node: ast.Attribute) -> Finding:
        return self._finding(node, "sqlite-api", f"{ast.unparse(node)} is sqlite3's own; {self.target.title} has none.")

    def _finding(self, node: ast.expr, rule: str, message: str) -> Finding:
        return Finding(rule, Severity.WARNING, f"{self.module.path.as_posix()}:{node.lineno}", message)


def _own_option(name: str | None) -> str:
    if name == "detect_types":
        return "Dates and timestamps stay objects, and a DATETIME becomes one; what else it converts is left to you."
    return f"connect({name or '**'}=…) is sqlite3's own."


def makes_objects(call: ast.Call) -> bool:
    """Whether connect() has detect_types, so that dates and timestamps are objects."""
    return any(
        item.arg == "detect_types" and not (isinstance(item.value, ast.Constant) and not item.value.value)
        for item in call.keywords
    )


def is_kept(values: Values, kept: frozenset[ast.Call]) -> bool:
    """Whether all handles among these values come from connections that stay SQLite's."""
    origins = [value.origin for value in values if isinstance(value, Made) and apis.kind_of(value.type)]
    return bool(origins) and all(origin is not None and origin.node in kept for origin in origins)


def shared_connections(site: Site, kept: frozenset[ast.Call]) -> Iterator[Finding]:
    """Connections that stay SQLite's and come to SQL that is PostgreSQL's now."""
    for made in site.of:
        if made.origin is not None and made.origin.node in kept:
            place = f"{made.origin.scope.module.path.as_posix()}:{made.origin.node.lineno}"
            message = "This connection stays SQLite's, and is handed to functions whose SQL is for PostgreSQL now."
            yield Finding("other-database", Severity.WARNING, place, message)


def kept_connections(code: Codebase, database: str) -> tuple[frozenset[ast.Call], list[Finding]]:
    """connect() calls that stay SQLite's: of databases in memory, and of other files than the one that is moved.

    `database` is the name of that file; if the program has no such name, it is the one that it opens most often.
    """
    memory = [call for call in code.connects if ":memory:" in code.strings(_path(call), call.scope)]
    opened = {call: database_files(code.strings(_path(call), call.scope)) for call in code.connects}
    often = Counter(name for names in opened.values() for name in sorted(names))
    main = database if database in often else next((name for name, _ in often.most_common(1)), "")
    others = [call for call, names in opened.items() if names and main not in names]
    findings = [
        _other(call, f"This opens {', '.join(sorted(opened[call]))}, not {main}: it stays SQLite's.") for call in others
    ]
    in_memory = [call for call in memory if not opened[call]]
    sometimes = "In some cases this opens a database in memory: that is PostgreSQL's one then, too."
    findings += [_other(call, sometimes) for call in memory if call not in in_memory and call not in others]
    return frozenset(call.node for call in [*in_memory, *others]), findings


def _other(call: Call, message: str) -> Finding:
    place = f"{call.scope.module.path.as_posix()}:{call.line}"
    return Finding("other-database", Severity.WARNING, place, message)


def _path(call: Call) -> ast.expr | None:
    return call.node.args[0] if call.node.args else None


def _is_connection(value: object) -> bool:
    return isinstance(value, Made) and gives_connection(value) and not isinstance(value, Managed)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def _is_execute(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _is(node.func, "execute")
