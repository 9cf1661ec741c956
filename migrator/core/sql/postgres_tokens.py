"""PostgreSQL's tokens, of a statement that was translated or of one that PostgreSQL might take as it stands.

Follows src/backend/parser/scan.l with standard_conforming_strings on. What SQLite would read in another way, or only
PostgreSQL knows, is refused: E'…', $$…$$, a comment inside another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.core.sql.placeholders import MARK_BEGIN, MARK_END

FREE = "\ue003"  # stands before the name of a table that may be left out

# All but those that PostgreSQL takes for a name anywhere: SELECT word, catcode FROM pg_get_keywords().
_KEYWORDS = """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
    cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default
    deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant
    greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join
    json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national
    natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
    placing position precision primary real references returning right row select session_user setof similar
    smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true
    union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
    xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
KEYWORDS = frozenset(_KEYWORDS.split())
# Names all the same, but not of a result without AS.
NEED_AS = frozenset({
    "day", "filter", "hour", "minute", "month", "over", "second", "varying", "within", "without", "year",
})  # fmt: skip

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*", re.ASCII)
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f\v]+|--[^\n\r]*|/\*(?:(?!/\*|\*/).)*\*/)
    | (?<![A-Za-z0-9_$\u0080-\ud7ff\uf900-\U0010ffff])(?P<mark>{MARK_BEGIN}[0-9]+{MARK_END})
      (?![A-Za-z0-9_$\u0080-\U0010ffff])
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>{FREE}?"(?:[^"]|"")+")
    | (?P<word>[A-Za-z_\u0080-\ud7ff\uf900-\U0010ffff][A-Za-z0-9_$\u0080-\ud7ff\uf900-\U0010ffff]*)(?!['"&])
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.\u0080-\U0010ffff])
    | (?P<punctuation>::|[(),;.])
    | (?P<operator>(?!/\*)[-+*/<>=~!@\#%^&|`?]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class Unreadable(ValueError):
    """The text is none that these modules read; PostgreSQL may still take it."""


@dataclass(frozen=True, slots=True)
class PgToken:
    kind: str
    text: str  # without what marks a name as free
    start: int
    end: int
    free: bool = False
    word: str = ""  # of a bare word: it in lower case

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.word in words

    def is_one_of(self, *texts: str) -> bool:
        return self.kind in ("punctuation", "operator") and self.text in texts


def pg_tokens(sql: str) -> Iterator[PgToken]:
    """Raises Unreadable."""
    place = 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None or match.lastgroup is None:
            raise Unreadable(f"no token at character {place + 1}")
        end = place + len(_operator(match.group())) if match.lastgroup == "operator" else match.end()
        if match.lastgroup != "space":
            text, kind = sql[place:end], match.lastgroup
            word = text.lower() if kind == "word" else ""
            yield PgToken(kind, text.removeprefix(FREE), place, end, text.startswith(FREE), word)
        place = end


def _operator(run: str) -> str:
    """One operator of a run of their characters: a comment ends it, and + or - only if it has other characters."""
    run = re.split(r"--|/\*", run)[0]
    if not re.search(r"[~!@#%^&|`?]", run):
        run = run[0] + run[1:].rstrip("+-") if len(run) > 1 else run
    return run


def unmarked(sql: str) -> str:
    """The text without what marks a name as free."""
    return re.sub(rf"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|{FREE}", lambda found: found[1] or "", sql)


def plain_name(name: str) -> str:
    """The name as it is written where it needs no quotes, or in quotes."""
    needless = _PLAIN.fullmatch(name) and name not in KEYWORDS
    return name if needless else '"' + name.replace('"', '""') + '"'
