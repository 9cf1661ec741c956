"""One program on two engines: SQLite with a file, and PostgreSQL with what `migrator run` has made of that file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from migrator import adapter
from tests.migrator import servers
from tests.migrator.moving import make_source, move

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT UNIQUE COLLATE NOCASE,
    active BOOLEAN NOT NULL DEFAULT 1, score REAL, balance NUMERIC, photo BLOB,
    since DATETIME, CHECK (length(name) > 1));
INSERT INTO customers (name, email, active, score, balance, photo, since) VALUES
    ('Ada', 'ada@example.org', 1, 1.5, 10, x'00ff', '2026-01-01 10:00:00'),
    ('Bob', NULL, 0, -0.25, 0.1, NULL, NULL), ('Zoé', 'zoe@example.org', 1, 1e300, -3, x'', '2026-12-31 23:59:59');
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    label TEXT, pieces INTEGER DEFAULT 1, price DECIMAL(10, 2));
INSERT INTO orders (customer, label, pieces, price) VALUES (1, 'one', 1, 9.5), (1, NULL, 2, 3), (3, 'three', 3, 0.25);
CREATE TABLE codes (country TEXT, code INTEGER, label TEXT, PRIMARY KEY (country, code)) WITHOUT ROWID;
INSERT INTO codes VALUES ('de', 1, 'eins'), ('fr', 1, 'un');
CREATE TABLE parts (id INTEGER PRIMARY KEY, whole INTEGER REFERENCES parts DEFERRABLE INITIALLY DEFERRED, note TEXT);
CREATE TABLE notes (text TEXT, n INTEGER);
CREATE UNIQUE INDEX one_label ON orders (label);
CREATE VIEW spent AS SELECT customer, count(*) AS orders, sum(pieces) AS pieces FROM orders GROUP BY customer;
"""

Body = Callable[[Any], Any]


@dataclass(frozen=True)
class Both:
    """A fresh copy of the file and of the database; `url` and `path` are theirs."""

    path: Path
    url: str

    def same(self, body: Body, **keywords: Any) -> Any:
        """What the program sees, which is the same on both, types included: its result, or its sqlite3 error."""
        with closing(sqlite3.connect(self.path, **keywords)) as ours:
            ours.execute("PRAGMA foreign_keys = ON")
            expected = seen(body, ours)
        with closing(adapter.connect(self.url, **keywords)) as theirs:
            found = seen(body, theirs)
        assert repr(found) == repr(expected), f"{found!r} instead of {expected!r}"
        return expected


def seen(body: Body, connection: Any) -> Any:
    try:
        return body(connection)
    except sqlite3.Error as error:
        return failed(error)


def failed(error: sqlite3.Error) -> tuple[str, str, str | None]:
    """What a program can tell of an exception."""
    return type(error).__name__, str(error), getattr(error, "sqlite_errorname", None)


def attempt(connection: Any, statement: str, *arguments: Any) -> Any:
    """The rows, or the error as a value, so that the program goes on."""
    try:
        return connection.execute(statement, *arguments).fetchall()
    except sqlite3.Error as error:
        return failed(error)


@dataclass(frozen=True)
class Moved:
    """A file that was moved, and the database from which copies are made."""

    path: Path
    server: servers.Server
    template: str

    @contextmanager
    def copies(self, folder: Path, name: str = "copy") -> Iterator[Both]:
        path = folder / f"{name}.db"
        shutil.copyfile(self.path, path)
        name = f"{name}_of_{self.template}"
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as admin:
            quoted = sql.Identifier(name), sql.Identifier(self.template)
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*quoted))
            try:
                yield Both(path, self.server.url(name))
            finally:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted[0]))


@contextmanager
def moved(server: servers.Server, folder: Path, script: str = SHOP, **options: Any) -> Iterator[Moved]:
    """`options` are move's."""
    path = make_source(folder / "shop.db", script)
    with servers.fresh_database(server) as url:
        move(path, url, **options)
        name = url.partition("@/")[2].partition("?")[0]
        yield Moved(path, server, name)
