"""LIKE and GLOB.

SQLite's LIKE folds the 26 ASCII letters: so does ILIKE under the collation "C". A backslash means nothing to SQLite and
escapes in PostgreSQL, unless ESCAPE '' says that nothing does.
"""

from __future__ import annotations

import re

from migrator.core.names import quote_literal
from migrator.core.sql.scope import Kind, Untranslatable
from migrator.core.sql.values import Value, bare

_CLASS = re.compile(r"\[\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_ ])+\]")


def like_condition(subject: Value, pattern: Value, escape: str | None) -> str:
    _require_texts(subject, pattern)
    if escape is not None:
        _require_plain_escape(pattern, escape)
    compared = subject.sql if subject.bytewise else f'{subject.sql} COLLATE "C"'
    text = bare(pattern) if isinstance(pattern.literal, str) else pattern.sql
    needless = escape is None and isinstance(pattern.literal, str) and "\\" not in pattern.literal
    escaping = "" if needless else f" ESCAPE {quote_literal(escape or '')}"
    return f"({compared} ILIKE {text}{escaping})"


def _require_plain_escape(pattern: Value, escape: str) -> None:
    if len(escape) != 1 or escape.isalnum() or escape in "%_":
        raise Untranslatable("LIKE with this ESCAPE")
    if not isinstance(pattern.literal, str):
        return  # one that ends in its escape character is an error in PostgreSQL
    if not re.fullmatch(f"(?:[^{re.escape(escape)}]|{re.escape(escape)}.)*", pattern.literal, re.DOTALL):
        raise Untranslatable("a LIKE pattern that ends in its escape character")


def glob_condition(subject: Value, pattern: Value) -> str | None:
    """* and ? of a literal as LIKE's % and _, classes as a regular expression's. None where that is not enough."""
    _require_texts(subject, pattern)
    if not isinstance(pattern.literal, str):
        return None
    if "[" in pattern.literal:
        expression = _regular_expression(pattern.literal)
        return f'({subject.sql} COLLATE "C" ~ {quote_literal(expression)})' if expression is not None else None
    like = re.sub(r"[\\%_]", r"\\\g<0>", pattern.literal).replace("*", "%").replace("?", "_")
    return f"({subject.sql} LIKE {quote_literal(like)} ESCAPE '\\')"


def _regular_expression(pattern: str) -> str | None:
    """None for a class that is not plainly one of letters and digits."""
    pieces, place = [], 0
    while place < len(pattern):
        piece = _class_at(pattern, place) if pattern[place] == "[" else pattern[place]
        if piece is None:
            return None
        pieces.append({"*": ".*", "?": "."}.get(piece) or (piece if len(piece) > 1 else re.escape(piece)))
        place += len(piece)
    return "^" + "".join(pieces) + "$"


def _class_at(pattern: str, place: int) -> str | None:
    found = _CLASS.match(pattern, place)
    return found.group() if found else None


def _require_texts(subject: Value, pattern: Value) -> None:
    if {subject.kind, pattern.kind} - {Kind.TEXT, Kind.NULL}:
        raise Untranslatable(f"a pattern on {subject.kind}")
