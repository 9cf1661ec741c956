"""Hazards of the SQL itself, and of the values that it is given."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from migrator.core.audit.codebase import Codebase
from migrator.core.audit.markers import sqlite_only
from migrator.core.audit.rules import Hazard
from migrator.core.audit.sent import Sent
from migrator.core.audit.touched import HOLE, touched_by
from migrator.core.model import Schema, fold
from migrator.core.python.modules import How, Scope
from migrator.core.python.sites import Site
from migrator.core.python.texts import Hole, Text
from migrator.core.sql.lexer import Token, TokenKind
from migrator.core.sql.split import SourceStatement


def hazards(code: Codebase, schema: Schema) -> Iterator[Hazard]:
    names = _names(schema)
    flags = _declared_boolean(schema)
    for sent in code.sent:
        if sent.site is not None and any(_is_put_together(text) for text in sent.site.texts):
            yield _at(sent, "injection", _shown(sent.site))
        pragma = next((item.text for item in sent.statements if item.begins_with("PRAGMA")), None)
        if pragma is not None:
            yield _at(sent, "pragma", pragma.replace(HOLE, "…"))
        special = dict.fromkeys(mark for statement in sent.statements for mark in sqlite_only(statement, names))
        if special:
            yield _at(sent, "sqlite-sql", ", ".join(special))
        yield from _booleans(code, schema, sent, flags)
    yield from _strange_tables(code, schema)


def _at(sent: Sent, rule: str, detail: str) -> Hazard:
    return Hazard(sent.place.file, sent.place.line, rule, detail)


def _is_put_together(text: Text) -> bool:
    """A text with a hole in it; one that is nothing but a hole is not known at all."""
    return bool(text.holes) and any(not isinstance(piece, Hole) for piece in text.pieces)


def _shown(site: Site) -> str:
    holes = dict.fromkeys(ast.unparse(hole.node) for text in site.texts for hole in text.holes)
    return ", ".join(holes)


def _names(schema: Schema) -> set[str]:
    """Every name that a text in double quotes may mean, folded; empty where no table is known."""
    found = {fold(table.name) for table in schema.tables} | {fold(view.name) for view in schema.views}
    return found | {fold(column.name) for table in schema.tables for column in table.columns}


# -- numbers for booleans ----------------------------------------------------------------------------------------------


def _declared_boolean(schema: Schema) -> set[str]:
    """Columns that every table with one of that name declares as BOOLEAN."""
    boolean: set[str] = set()
    other: set[str] = set()
    for table in schema.tables:
        for column in table.columns:
            is_flag = fold(column.declared_type).startswith("bool")
            (boolean if is_flag else other).add(fold(column.name))
    return boolean - other


def _booleans(code: Codebase, schema: Schema, sent: Sent, flags: set[str]) -> Iterator[Hazard]:
    for statement in sent.statements:
        for name in (*_compared_with_numbers(statement.tokens, flags), *_inserted_numbers(statement.tokens, flags)):
            yield _at(sent, "int-for-boolean", f"{name} is BOOLEAN and meets a number")
    for name in _true_for_numbers(code, schema, sent.site, sent.statements) if sent.site else ():
        yield _at(sent, "int-for-boolean", f"{name} holds numbers and is given a bool")


def _compared_with_numbers(tokens: tuple[Token, ...], flags: set[str]) -> Iterator[str]:
    if not tokens or tokens[0].is_word("CREATE"):
        return
    for place, token in enumerate(tokens[:-2]):
        if token.kind in (TokenKind.NAME, TokenKind.QUOTED) and fold(token.value) in flags:
            operator, value = tokens[place + 1], tokens[place + 2]
            if (operator.is_operator("=", "==", "!=", "<>") or operator.is_word("IS")) and value.text in ("0", "1"):
                yield token.value


def _inserted_numbers(tokens: tuple[Token, ...], flags: set[str]) -> Iterator[str]:
    """INSERT INTO t (…, flag) VALUES (…, 0)."""
    for place, column in _inserted(tokens):
        alone = tokens[place - 1].is_operator("(", ",") and tokens[place + 1].is_operator(")", ",")
        if column in flags and alone and tokens[place].text in ("0", "1"):
            yield column


def _true_for_numbers(code: Codebase, schema: Schema, site: Site, found: Iterable[SourceStatement]) -> Iterator[str]:
    """Columns declared as integers whose argument is a bool: where the statement says which argument goes where."""
    given = _arguments(site)
    for statement in found:
        columns = _columns_of_placeholders(statement)
        for key, node in given.items():
            column = columns.get(key)
            if column is not None and _is_bool(code, node, site.scope) and _is_integer(schema, statement, column):
                yield column


def _arguments(site: Site) -> dict[int | str, ast.expr]:
    node = site.arguments
    if isinstance(node, ast.Name):
        values = [item.value for item in site.scope.bindings.get(node.id, ()) if item.how is How.ASSIGNED]
        node = values[0] if len(values) == 1 else node
    if site.method == "executemany":
        node = _row_of(node)
    if isinstance(node, ast.Tuple | ast.List):
        return dict(enumerate(node.elts))
    if isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        return {key: value for key, value in zip(keys, node.values, strict=True) if isinstance(key, str)}
    return {}


def _row_of(node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return node.elt
    return node.elts[0] if isinstance(node, ast.List | ast.Tuple) and node.elts else None


def _is_bool(code: Codebase, node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool)
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("bool", "any", "all", "isinstance")
    if isinstance(node, ast.Name):
        return any(
            (binding.how is How.ASSIGNED and binding.value is not None and _is_bool(code, binding.value, scope))
            or (binding.how is How.PARAMETER and _annotated_bool(binding.node))
            for binding in scope.bindings.get(node.id, ())
        )
    return False


def _annotated_bool(argument: ast.AST) -> bool:
    annotation = getattr(argument, "annotation", None)
    return isinstance(annotation, ast.Name) and annotation.id == "bool"


def _columns_of_placeholders(statement: SourceStatement) -> dict[int | str, str]:
    """Which column each argument is for: `column = ?`, and the list of an INSERT."""
    tokens = statement.tokens
    marks = [place for place, token in enumerate(tokens) if token.kind is TokenKind.PLACEHOLDER]
    found: dict[int | str, str] = {}
    inserted = dict(_inserted(tokens))
    for number, place in enumerate(marks):
        key = number if tokens[place].text.startswith("?") else tokens[place].text[1:]
        if place in inserted:
            found[key] = inserted[place]
        elif place > 1 and tokens[place - 1].is_operator("=", "==", "!=", "<>"):
            found[key] = fold(tokens[place - 2].value)
    return found


def _inserted(tokens: tuple[Token, ...]) -> Iterator[tuple[int, str]]:
    """(place of a value, column) of INSERT INTO t (a, b) VALUES (…, …)."""
    values = next((place for place, token in enumerate(tokens) if token.is_word("VALUES")), None)
    if values is None or not tokens[values - 1].is_operator(")"):
        return
    opened = max(place for place in range(values) if tokens[place].is_operator("("))
    names = [fold(token.value) for token in tokens[opened + 1 : values - 1] if not token.is_operator(",")]
    depth, column = 0, 0
    for place in range(values + 1, len(tokens)):
        token = tokens[place]
        depth += token.is_operator("(") - token.is_operator(")")
        if depth == 0:
            return
        if depth == 1 and token.is_operator(","):
            column += 1
        elif depth == 1 and column < len(names):
            yield place, names[column]


def _is_integer(schema: Schema, statement: SourceStatement, column: str) -> bool:
    touched = touched_by(statement.text)
    for table in schema.tables:
        if fold(table.name) in (*touched.writes, *touched.reads):
            for item in table.columns:
                if fold(item.name) == column:
                    return "int" in fold(item.declared_type)
    return False


# -- tables that nobody makes ------------------------------------------------------------------------------------------


def _strange_tables(code: Codebase, schema: Schema) -> Iterator[Hazard]:
    """A table that is used and never made, beside one that is made and never used and has the same columns."""
    first: dict[str, tuple[Sent, set[str]]] = {}
    for sent in code.sent:
        words = {fold(token.value) for item in sent.statements for token in item.tokens if _is_name(token)}
        for table in (*sent.touched.writes, *sent.touched.reads):
            known, used = first.get(table, (sent, set()))
            first[table] = (min(known, sent, key=lambda item: item.place), used | words)
    made = {fold(table.name): {fold(item.name) for item in table.columns} for table in schema.tables}
    views = {fold(view.name) for view in schema.views}
    for table, (sent, words) in sorted(first.items()):
        if table in made or table in views or table.startswith("sqlite_") or HOLE in table:
            continue
        for other, columns in made.items():
            if other not in first and len(words & columns) >= 2 and len(words & columns) * 2 >= len(columns):
                yield _at(sent, "several-names", f"{table} is used and never made; {other} has its columns")
                break


def _is_name(token: Token) -> bool:
    return token.kind in (TokenKind.NAME, TokenKind.QUOTED)
