"""The drivers that a program can be rewritten for: their names for things, and the module beside the program."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from migrator.core.python.modules import Module
from migrator.core.recoding.spellings import USUAL, Spellings
from migrator.core.sql.placeholders import Driver

SUPPORT = "postgresql"  # the module that is written beside the program
MARK = "-- For PostgreSQL, rewritten by migrator"  # begins a script: nothing in SQL itself says whose it is

_ERRORS = (
    *("Error", "InterfaceError", "DatabaseError", "DataError", "IntegrityError", "InternalError"),
    *("ProgrammingError", "NotSupportedError"),
)
_FROM = re.compile(r"from [\w.]+ import ")
_ALL = ("sqlite3", "aiosqlite")

Names = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Target:
    """`names` has for a name of sqlite3 or aiosqlite what takes its place: of exceptions there may be several.

    A name that begins with a star is a tuple of classes. `beside` are the parts of the module beside the program, and
    `beside_async` what coroutines need in addition.
    """

    driver: Driver
    title: str
    names: Names
    beside: tuple[str, ...]
    beside_async: tuple[str, ...]
    placeholder: re.Pattern[str]  # what it writes for a value
    libraries: tuple[str, ...] = _ALL  # SQLite's that it can take the place of
    in_order: str = "{}"  # what is written around SQL whose placeholders are counted only when it is sent
    read_only: str = "read_only=True"  # the argument of connect() for one that only reads
    plain_rows: str = "None"  # the row_factory of tuples
    makes_errors: bool = True  # whether its exceptions are made with a message, as sqlite3's are

    @property
    def module(self) -> str:
        """What the program imports."""
        return self.driver.value

    def support(self, coroutines: bool, spellings: Spellings = USUAL) -> str:
        """The module beside the program, with what it has to know of the program's tables."""
        folder = files("migrator.core.recoding").joinpath("beside")
        parts = (*self.beside, *(self.beside_async if coroutines else ()))
        texts = (folder.joinpath(f"{part}.py.txt").read_text(encoding="utf-8") for part in parts)
        source = _with_what_is_used("\n\n".join(texts))
        known = f"_SPELLINGS: dict[str, str] = {json.dumps(dict(spellings.pictures), indent=4)}\n"
        known = known.replace('"\n}', '",\n}')
        source = source.replace("_SPELLINGS: dict[str, str] = {}\n", known)
        return source.replace('_ZONE = ""\n', f"_ZONE = {json.dumps(spellings.zone)}\n")


def _with_what_is_used(source: str) -> str:
    """The source without the imports, each in a line of its own, that its parts do not need."""
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    lines = (_of_import(line, used) if _FROM.match(line) else line for line in source.splitlines(keepends=True))
    return "".join(lines)


def _of_import(line: str, used: set[str]) -> str:
    head, _, names = line.partition(" import ")
    kept = [name for name in names.strip().split(", ") if name.split(" as ")[-1] in used or "__future__" in head]
    return f"{head} import {', '.join(kept)}\n" if kept else ""


def _plain(errors: str, connection: str, asynchronous: str) -> Names:
    """For drivers that call their exceptions as sqlite3 does."""
    return {
        **{f"{library}.{name}": (f"{errors}.{name}",) for library in _ALL for name in _ERRORS},
        **_handles("sqlite3", f"{connection}.Connection", f"{connection}.Cursor"),
        **_handles("aiosqlite", f"{asynchronous}.AsyncConnection", f"{asynchronous}.AsyncCursor"),
        # A table or column that is not there is a ProgrammingError in PostgreSQL's drivers.
        **{f"{library}.OperationalError": _either(errors) for library in _ALL},
    }


def _either(errors: str) -> tuple[str, ...]:
    return (f"{errors}.OperationalError", f"{errors}.ProgrammingError")


def _handles(library: str, connection: str, cursor: str) -> Names:
    connect = "connect_async" if library == "aiosqlite" else "connect"
    return {
        f"{library}.Connection": (connection,),
        f"{library}.Cursor": (cursor,),
        f"{library}.connect": (f"{SUPPORT}.{connect}",),
        f"{library}.Row": (f"{SUPPORT}.Row",),
        f"{library}.Binary": ("bytes",),
    }


_ASYNCPG_ERRORS: Names = {
    "Error": ("asyncpg.PostgresError", "asyncpg.InterfaceError"),
    "DatabaseError": ("asyncpg.PostgresError", "asyncpg.InterfaceError"),
    "InterfaceError": ("asyncpg.InterfaceError",),
    "DataError": ("asyncpg.DataError",),
    "IntegrityError": ("asyncpg.IntegrityConstraintViolationError",),
    "InternalError": ("asyncpg.InternalServerError",),
    "ProgrammingError": ("asyncpg.SyntaxOrAccessError", "asyncpg.InterfaceError"),
    "NotSupportedError": ("asyncpg.FeatureNotSupportedError",),
    "OperationalError": (f"*{SUPPORT}.OperationalError",),
}
_SQLALCHEMY = _plain("sqlalchemy.exc", SUPPORT, SUPPORT)
# What SQLAlchemy itself refuses, a missing value for one, is none of its DBAPIErrors.
_SQLALCHEMY_ERRORS = {f"{library}.Error": ("sqlalchemy.exc.SQLAlchemyError",) for library in _ALL}

TARGETS: Mapping[Driver, Target] = {
    Driver.PSYCOPG: Target(
        Driver.PSYCOPG,
        "psycopg",
        {**_plain("psycopg", "psycopg", "psycopg"), **{f"{library}.Warning": ("psycopg.Warning",) for library in _ALL}},
        ("psycopg", "spelling", "values", "rows"),
        ("psycopg_async",),
        re.compile(r"%s|%\(\w+\)s"),
        read_only='options="-c default_transaction_read_only=on"',
        plain_rows="psycopg.rows.tuple_row",
    ),
    Driver.SQLALCHEMY: Target(
        Driver.SQLALCHEMY,
        "SQLAlchemy",
        {**_SQLALCHEMY, **_SQLALCHEMY_ERRORS},
        ("sqlalchemy", "results", "sqlalchemy_sending", "spelling", "values", "rows"),
        ("results_async", "sqlalchemy_async"),
        re.compile(r":\w+"),
        makes_errors=False,
    ),
    Driver.ASYNCPG: Target(
        Driver.ASYNCPG,
        "asyncpg",
        {
            **{f"{library}.{name}": new for library in _ALL for name, new in _ASYNCPG_ERRORS.items()},
            **_handles("aiosqlite", f"{SUPPORT}.AsyncConnection", f"{SUPPORT}.AsyncCursor"),
            "sqlite3.Row": (f"{SUPPORT}.Row",),
            "sqlite3.Binary": ("bytes",),
        },
        ("asyncpg", "spelling", "results", "results_async", "asyncpg_sending", "rows"),
        (),
        re.compile(r"\$\d+(::\w+)?"),  # to SQLite, the cast behind it belongs to the name
        libraries=("aiosqlite",),
        in_order=f"{SUPPORT}.numbered({{}})",
    ),
}


def target_of(modules: Sequence[Module]) -> Target | None:
    """Which one a program was rewritten for: the module beside it imports that driver."""
    for module in modules:
        if is_support(module):
            return next((target for target in TARGETS.values() if f"import {target.module}\n" in module.text), None)
    return None


def is_support(module: Module) -> bool:
    """Whether this is the module that a rewrite has written, and not just one of its name."""
    if module.name.rpartition(".")[2] != SUPPORT or module.find("row_factory") is None:
        return False
    return any(map(module.find, ("transaction", "transaction_async")))
