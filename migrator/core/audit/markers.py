"""What in a text of SQL only SQLite understands, by its tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from migrator.core.model import fold
from migrator.core.sql.lexer import Token, TokenKind
from migrator.core.sql.split import SourceStatement

_FUNCTIONS = {
    *(
        "date",
        "time",
        "datetime",
        "julianday",
        "strftime",
        "unixepoch",
        "timediff",
        "ifnull",
        "iif",
        "group_concat",
        "printf",
    ),
    *(
        "typeof",
        "total",
        "instr",
        "last_insert_rowid",
        "changes",
        "total_changes",
        "randomblob",
        "zeroblob",
        "glob",
        "hex",
    ),
    *(
        "json_extract",
        "json_each",
        "json_tree",
        "json_group_array",
        "json_group_object",
        "json_valid",
        "json_type",
        "char",
    ),
    *("unicode", "quote", "json_array_length", "json_patch", "json_set", "json_insert", "json_replace", "json_remove"),
}
_CATALOGS = {"sqlite_master", "sqlite_schema", "sqlite_sequence", "sqlite_temp_master", "sqlite_stat1"}
_ROWIDS = {"rowid", "_rowid_", "oid"}
_CONFLICTS = ("IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK")


def sqlite_only(statement: SourceStatement, names: Collection[str]) -> Iterator[str]:
    """What PostgreSQL would refuse or read in another way. `names` are the known columns and tables, folded."""
    tokens = statement.tokens
    if not tokens or tokens[0].is_word("PRAGMA"):
        return
    if tokens[0].is_word("ATTACH", "DETACH"):
        yield tokens[0].text.upper()
    if tokens[0].is_word("BEGIN") and len(tokens) > 1 and tokens[1].is_word("IMMEDIATE", "EXCLUSIVE", "DEFERRED"):
        yield f"BEGIN {tokens[1].text.upper()}"
    for place, token in enumerate(tokens):
        found = _at(tokens, place, token, names)
        if found:
            yield found


def _at(tokens: Sequence[Token], place: int, token: Token, names: Collection[str]) -> str | None:
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    before = tokens[place - 1] if place else None
    if token.kind is TokenKind.QUOTED and token.text[0] == '"' and names and fold(token.value) not in names:
        is_alias = before is not None and before.is_word("AS")
        return None if is_alias else "text in double quotes"
    if token.kind is not TokenKind.NAME:
        return None
    word = token.text.upper()
    if after is not None and after.is_operator("(") and token.text.lower() in _FUNCTIONS:
        return f"{token.text.lower()}()"
    if token.text.lower() in _CATALOGS:
        return token.text.lower()
    if token.text.lower() in _ROWIDS and token.text.lower() not in names:
        return token.text.lower()
    return _phrase(tokens, place, word, before, after)


def _phrase(tokens: Sequence[Token], place: int, word: str, before: Token | None, after: Token | None) -> str | None:
    if (
        word == "OR"
        and before is not None
        and before.is_word("INSERT", "UPDATE")
        and after
        and after.is_word(*_CONFLICTS)
    ):
        return f"{before.text.upper()} OR {after.text.upper()}"
    if word == "REPLACE" and after is not None and after.is_word("INTO") and before is None:
        return "REPLACE INTO"
    if word in ("AUTOINCREMENT", "GLOB", "STRICT"):
        return word if word != "STRICT" or tokens[0].is_word("CREATE") else None
    if word == "COLLATE" and after is not None and after.is_word("NOCASE", "RTRIM", "BINARY"):
        return f"COLLATE {after.text.upper()}"
    if word == "WITHOUT" and after is not None and after.is_word("ROWID"):
        return "WITHOUT ROWID"
    if word == "INDEXED" and after is not None and after.is_word("BY"):
        return "INDEXED BY"
    if word == "LIMIT" and place + 2 < len(tokens) and tokens[place + 2].is_operator(","):
        return "LIMIT a, b"
    return None
