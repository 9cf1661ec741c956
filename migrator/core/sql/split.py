"""A script → its statements. A trigger's own statements belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.core.sql.lexer import LexError, Token, tokens


@dataclass(frozen=True, slots=True)
class SourceStatement:
    """`text` is as written, without the semicolon behind it; `line` counts from 1.

    `tokens` have their places in `text`. Where the text is none of SQLite's, they are empty and `error` says why.
    """

    text: str
    line: int
    tokens: tuple[Token, ...]
    error: str | None = None

    def begins_with(self, *words: str) -> bool:
        return len(self.tokens) >= len(words) and all(
            token.is_word(word) for token, word in zip(self.tokens, words, strict=False)
        )


def split(script: str) -> Iterator[SourceStatement]:
    """Every statement in order. Behind a quote that is not closed nothing can be told apart: that is the last one."""
    found: list[Token] = []
    wrong: LexError | None = None
    for token, error in _read(script):
        wrong = wrong or error
        if token is None:
            continue
        if token.is_operator(";") and not _inside_trigger(found):
            if found or wrong:
                yield _statement(script, found, wrong, token.start)
            found, wrong = [], None
        else:
            found.append(token)
    if found or wrong:
        yield _statement(script, found, wrong, len(script))


def _read(script: str) -> Iterator[tuple[Token | None, LexError | None]]:
    """The tokens, and what is none, behind which SQLite's tokenizer goes on."""
    place: int | None = 0
    while place is not None:
        try:
            for token in tokens(script, place):
                yield token, None
            return
        except LexError as error:
            yield None, error
            place = error.end


def _inside_trigger(found: Sequence[Token]) -> bool:
    """A trigger ends with `; END`, and CASE has an END of its own."""
    words = [token.text.upper() for token in found[:3]]
    if words[:2] != ["CREATE", "TRIGGER"] and words[1:] not in (["TEMP", "TRIGGER"], ["TEMPORARY", "TRIGGER"]):
        return False
    return not (len(found) > 2 and found[-1].is_word("END") and found[-2].is_operator(";"))


def _statement(script: str, found: Sequence[Token], wrong: LexError | None, end: int) -> SourceStatement:
    if wrong is not None:
        start = min([wrong.position, *(token.start for token in found[:1])])
        return SourceStatement(script[start:end].strip(), script.count("\n", 0, start) + 1, (), str(wrong))
    start, end = found[0].start, found[-1].end
    moved = tuple(Token(token.kind, token.text, token.start - start, token.end - start) for token in found)
    return SourceStatement(script[start:end], script.count("\n", 0, start) + 1, moved)
