"""A SQLite file without its rows: what a run writes down of its source, and what the way back makes a file from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from migrator.core.errors import UsageError

TABLE, VIRTUAL, INDEX, VIEW, TRIGGER = "table", "virtual", "index", "view", "trigger"
COLUMN = "column"  # one that a table of the original has got since


@dataclass(frozen=True)
class Definition:
    """One object as sqlite_schema holds it; `unique` belongs to an index."""

    kind: str
    name: str
    table: str
    sql: str
    unique: bool = False


@dataclass(frozen=True)
class Original:
    """`analyzed` says whether the file held statistics of ANALYZE; definitions stand in the order of their making."""

    definitions: tuple[Definition, ...]
    encoding: str = "UTF-8"
    user_version: int = 0
    application_id: int = 0
    page_size_bytes: int = 4096
    auto_vacuum: int = 0
    wal: bool = False
    analyzed: bool = False

    def of(self, *kinds: str) -> tuple[Definition, ...]:
        return tuple(item for item in self.definitions if item.kind in kinds)

    def sql(self) -> str:
        """The statements for a person to read, or for SQLite's own shell."""
        pragmas = {
            "encoding": f"'{self.encoding}'",
            "page_size": self.page_size_bytes,
            "auto_vacuum": self.auto_vacuum,
            "user_version": self.user_version,
            "application_id": self.application_id,
        }
        lines = [f"PRAGMA {name} = {value};" for name, value in pragmas.items()]
        return "\n".join([*lines, *(f"{item.sql};" for item in self.definitions)]) + "\n"


def to_json(original: Original) -> str:
    return json.dumps(asdict(original), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Original:
    """Raises UsageError for a text that to_json() has not written."""
    try:
        body = json.loads(text)
        definitions = tuple(Definition(**item) for item in body.pop("definitions"))
        return Original(
            definitions, **{name: body[name] for name in {item.name for item in fields(Original)} & {*body}}
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError("The run folder's original.json cannot be read.", f"{error}.") from error
