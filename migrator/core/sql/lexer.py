"""SQLite's tokens, with their places in the text.

Follows https://www.sqlite.org/src/file/src/tokenize.c: white space and comments separate tokens and are not returned,
an unclosed block comment runs to the end, `$a::b(c)` is one placeholder, and every character from
U+0080 on is a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class TokenKind(StrEnum):
    NAME = "name"  # a bare word, keywords included
    QUOTED = "quoted"  # "x", `x` or [x]
    STRING = "string"
    BLOB = "blob"
    NUMBER = "number"
    PLACEHOLDER = "placeholder"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str  # as written
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords, given in upper case; a quoted name never is."""
        return self.kind is TokenKind.NAME and self.text.upper() in words

    def is_operator(self, *operators: str) -> bool:
        return self.kind is TokenKind.OPERATOR and self.text in operators

    @property
    def value(self) -> str:
        """The name or string without its quotes; any other token as written."""
        if self.kind not in (TokenKind.QUOTED, TokenKind.STRING):
            return self.text
        quote = self.text[-1]
        inner = self.text[1:-1]
        return inner if quote == "]" else inner.replace(quote * 2, quote)


class LexError(ValueError):
    """The text at `position` starts no token of SQLite's.

    `end` is where SQLite goes on reading, as behind `1AND`; None where a quote is not closed.
    """

    def __init__(self, what: str, position: int, end: int | None) -> None:
        super().__init__(f"{what} at character {position + 1}")
        self.position = position
        self.end = end


_LETTER = r"[A-Za-z_\u0080-\U0010ffff]"
_LETTER_OR_DIGIT = r"[A-Za-z0-9_$\u0080-\U0010ffff]"
_DIGITS = r"[0-9](?:_?[0-9])*"

_SKIPPED = re.compile(r"(?:[ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z)|\ufeff)+", re.DOTALL)
_TOKEN = re.compile(
    rf"""
      (?P<blob>[xX]'(?:[0-9A-Fa-f]{{2}})*')
    | (?P<name>(?![xX]'){_LETTER}{_LETTER_OR_DIGIT}*)
    | (?P<number>(?:0[xX][0-9A-Fa-f](?:_?[0-9A-Fa-f])*
        | (?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)(?!{_LETTER_OR_DIGIT}))
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<placeholder>\?[0-9]*|[$@:\#](?:{_LETTER_OR_DIGIT}|::)+(?:\([^ \t\n\f\r)]*\))?)
    | (?P<operator>->>|->|\|\||==|!=|<>|<=|>=|<<|>>|[-+*/%=<>&|~(),;.])
    """,
    re.VERBOSE,
)
# A blob of other than pairs of digits, a number with letters, or a character that has no meaning.
_ILLEGAL = re.compile(rf"[xX]'[^']*'|{_LETTER_OR_DIGIT}+(?<![xX](?='))|[^'\"`\[]", re.DOTALL)


def tokens(sql: str, start: int = 0) -> Iterator[Token]:
    """Every token of the text in order, from this place on. Raises LexError."""
    position = _after_space(sql, start)
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None or match.lastgroup is None:
            illegal = _ILLEGAL.match(sql, position)
            shown = illegal.group() if illegal else sql[position:]
            what = f"unrecognised or unclosed token {shown[:20]!r}"
            raise LexError(what, position, illegal.end() if illegal else None)
        yield Token(TokenKind(match.lastgroup), match.group(), match.start(), match.end())
        position = _after_space(sql, match.end())


def with_tokens(sql: str, new: Mapping[Token, str]) -> str:
    """The text with other spellings of some of its tokens."""
    pieces, place = [], 0
    for token in sorted(new, key=lambda token: token.start):
        pieces += [sql[place : token.start], new[token]]
        place = token.end
    return "".join(pieces) + sql[place:]


def with_edits(text: str, edits: Mapping[int, str]) -> str:
    """The text with these texts put in at their places."""
    pieces, place = [], 0
    for at in sorted(edits):
        pieces += [text[place:at], edits[at]]
        place = at
    return "".join(pieces) + text[place:]


def _after_space(sql: str, position: int) -> int:
    match = _SKIPPED.match(sql, position)
    return match.end() if match else position
