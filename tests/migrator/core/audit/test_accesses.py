"""Who reads and writes which table, in the ways in which programs keep and hand over their connections."""

from __future__ import annotations

import pytest

from tests.migrator.core.programs import Program, accesses

FOUND: dict[str, tuple[Program, list[str]]] = {
    "a connection in a function": (
        """
        import sqlite3
        def total():
            conn = sqlite3.connect("app.db")
            return conn.execute("SELECT sum(n) FROM orders").fetchone()
        """,
        ["total reads orders"],
    ),
    "a cursor of a connection of a module": (
        """
        import sqlite3
        conn = sqlite3.connect("app.db")
        cur = conn.cursor()
        def add(n):
            cur.execute("INSERT INTO orders (n) VALUES (?)", (n,))
            cur.executemany("DELETE FROM old WHERE n = ?", [(n,)])
        """,
        ["add writes orders", "add writes old"],
    ),
    "import under another name": (
        """
        import sqlite3 as sq
        from sqlite3 import connect as open_it
        def one():
            with sq.connect("a.db") as db:
                db.execute("SELECT 1 FROM a")
        def two():
            open_it("b.db").execute("SELECT 1 FROM b")
        """,
        ["one reads a", "two reads b"],
    ),
    "import a.b as c": (
        {
            "app/__init__.py": "",
            "app/db.py": "import sqlite3\ndef get(): return sqlite3.connect('x.db')\n",
            "main.py": """
                import app.db as database
                import app.db
                def one(): database.get().execute("SELECT 1 FROM a")
                def two(): app.db.get().execute("SELECT 1 FROM b")
            """,
        },
        ["one reads a", "two reads b"],
    ),
    "from x import *": (
        {
            "db.py": "import sqlite3\nconn = sqlite3.connect('x.db')\nQUERY = 'SELECT 1 FROM a'\n",
            "main.py": """
                from db import *
                def one(): conn.execute(QUERY)
            """,
        },
        ["one reads a"],
    ),
    "a global that a function sets": (
        """
        import sqlite3
        conn = None
        def init():
            global conn
            conn = sqlite3.connect("app.db")
        def add():
            conn.execute("INSERT INTO a VALUES (1)")
        """,
        ["add writes a"],
    ),
    "a class that keeps the connection": (
        """
        import sqlite3
        class Store:
            def __init__(self, path):
                self._conn: sqlite3.Connection | None = None
                self.path = path
            def connect(self):
                self._conn = sqlite3.connect(self.path)
            def add(self):
                self._conn.execute("INSERT INTO a VALUES (1)")
        """,
        ["Store.add writes a"],
    ),
    "an annotation alone": (
        """
        import sqlite3
        from typing import Optional
        class Store:
            conn: Optional[sqlite3.Connection] = None
            def add(self):
                self.conn.execute("INSERT INTO a VALUES (1)")
        def load(conn: "sqlite3.Connection"):
            conn.execute(SQL)
        SQL = "SELECT * FROM b"
        """,
        ["Store.add writes a", "load reads b"],
    ),
    "annotations with Union, aliases and circles": (
        """
        import sqlite3
        from typing import Union
        JSON = Union[dict[str, "JSON"], list["JSON"], str, None]
        Handle = Union[sqlite3.Connection, sqlite3.Cursor]
        def load(conn: Union["sqlite3.Connection", None], options: JSON):
            conn.execute("SELECT * FROM a")
        def save(handle: Handle, options: "JSON"):
            handle.execute("DELETE FROM b")
        """,
        ["load reads a", "save writes b"],
    ),
    "an annotation of self": (
        """
        import sqlite3
        class Store:
            def __init__(self, factory):
                self.conn: sqlite3.Connection = factory()
            def add(self, sql="INSERT INTO a VALUES (1)"):
                self.conn.execute("INSERT INTO a VALUES (1)")
        """,
        ["Store.add writes a"],
    ),
    "a repository that is given a connection": (
        """
        import sqlite3
        class Base:
            def __init__(self, conn):
                self.conn = conn
        class Users(Base):
            def all(self):
                return self.conn.execute("SELECT * FROM users").fetchall()
        def main():
            users = Users(sqlite3.connect("a.db"))
            users.all()
        """,
        ["Users.all reads users"],
    ),
    "a helper that passes SQL on": (
        """
        import sqlite3
        def run(sql, args=()):
            with sqlite3.connect("a.db") as conn:
                return conn.execute(sql, args)
        def users():
            return run("SELECT * FROM users")
        """,
        ["users reads users"],
    ),
    "a helper of a helper, by keyword": (
        """
        import sqlite3
        class Db:
            def _run(self, *, query, values=()):
                return sqlite3.connect("a.db").execute(query, values)
            def fetch(self, sql, *args):
                return self._run(query=sql, values=args).fetchall()
        def users(db: Db):
            return db.fetch("SELECT * FROM users WHERE id = ?", 1)
        """,
        ["users reads users"],
    ),
    "a context manager of the program": (
        """
        import sqlite3
        from contextlib import contextmanager, closing
        @contextmanager
        def session():
            conn = sqlite3.connect("a.db")
            try:
                yield conn
                conn.commit()
            finally:
                conn.close()
        def add():
            with session() as s, closing(s.cursor()) as cur:
                cur.execute("INSERT INTO a VALUES (1)")
        """,
        ["add writes a"],
    ),
    "a class with __enter__": (
        """
        import sqlite3
        class Session:
            def __enter__(self):
                self.conn = sqlite3.connect("a.db")
                return self.conn.cursor()
            def __exit__(self, *exc):
                self.conn.close()
        def add():
            with Session() as cur:
                cur.execute("INSERT INTO a VALUES (1)")
        """,
        ["add writes a"],
    ),
    "__enter__ that returns itself": (
        """
        import sqlite3
        class Db:
            def __enter__(self):
                self.conn = sqlite3.connect("a.db")
                return self
            def __exit__(self, *exc): ...
            def add(self):
                self.conn.execute("INSERT INTO a VALUES (1)")
        def main():
            with Db() as db:
                db.conn.execute("SELECT * FROM b")
        """,
        ["Db.add writes a", "main reads b"],
    ),
    "a decorator that gives a connection": (
        """
        import functools, sqlite3
        def with_connection(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                conn = sqlite3.connect("a.db")
                try:
                    return function(conn, *args, **kwargs)
                finally:
                    conn.close()
            return wrapper
        @with_connection
        def add(conn, n):
            conn.execute("INSERT INTO a VALUES (?)", (n,))
        @with_connection
        def sized(c):
            return c.cursor().execute(f"SELECT count(*) FROM b").fetchone()
        """,
        ["add writes a", "sized reads b"],
    ),
    "decorators with settings, of methods, and of functions that pass SQL on": (
        """
        import functools, sqlite3
        def connected(path, retries=1):
            def decorate(function):
                async def wrapper(request, *args, **kwargs):
                    with sqlite3.connect(path) as db:
                        return await function(request, db, *args, **kwargs)
                return wrapper
            return decorate
        def by_name(f):
            def wrapper(self, *a):
                return f(self, *a, conn=sqlite3.connect(self.path))
            return wrapper
        def first(f): return lambda *a: f(sqlite3.connect("a.db"), *a)
        @connected("a.db", retries=2)
        async def one(request, db, name): db.cursor().execute(SQL, (name,))
        SQL = "SELECT 1 FROM a"
        class Store:
            @by_name
            def two(self, n, conn=None): self._sent(conn, "DELETE FROM b", n)
            def _sent(self, c, sql, *values): c.execute(sql, values)
        @first
        def run(conn, sql, *values): return conn.execute(sql, values)
        def three(): run("INSERT INTO c VALUES (?)", 1)
        @other.decorator
        def four(conn): conn.send(SQL)
        """,
        ["Store.two writes b", "one reads a", "three writes c"],
    ),
    "a property": (
        """
        import sqlite3
        from functools import cached_property
        class Db:
            @property
            def conn(self):
                return sqlite3.connect("a.db")
            @cached_property
            def cur(self):
                return self.conn.cursor()
            def one(self): self.conn.execute("SELECT 1 FROM a")
            def two(self): self.cur.execute("SELECT 1 FROM b")
        """,
        ["Db.one reads a", "Db.two reads b"],
    ),
    "a dataclass": (
        """
        import sqlite3
        from dataclasses import dataclass, field
        @dataclass
        class Repo:
            conn: sqlite3.Connection
            cache: dict = field(default_factory=dict)
            def all(self): return self.conn.execute("SELECT * FROM a")
        @dataclass
        class Other:
            conn: object
            def all(self): return self.conn.execute("SELECT * FROM b")
        def main(): Other(sqlite3.connect("x.db")).all()
        """,
        ["Repo.all reads a", "Other.all reads b"],
    ),
    "walrus, match, conditional expression": (
        """
        import sqlite3
        def one():
            if (conn := sqlite3.connect("a.db")):
                conn.execute("SELECT 1 FROM a")
        def two(kind):
            conn = sqlite3.connect("a.db")
            match kind:
                case "b": sql = "SELECT 1 FROM b"
                case _: sql = "SELECT 1 FROM c"
            conn.execute(sql)
        def three(flag):
            sqlite3.connect("a.db").execute("SELECT 1 FROM d" if flag else "DELETE FROM e")
        """,
        ["one reads a", "two reads b", "two reads c", "three reads d", "three writes e"],
    ),
    "nested functions, lambdas, comprehensions": (
        """
        import sqlite3
        def outer():
            conn = sqlite3.connect("a.db")
            def inner():
                conn.execute("SELECT 1 FROM a")
            get = lambda: conn.execute("SELECT 1 FROM b")
            return [conn.execute("SELECT 1 FROM c WHERE n = ?", (n,)) for n in range(3)]
        """,
        ["outer.inner reads a", "outer reads b", "outer reads c"],
    ),
    "connections that are iterated over": (
        """
        import sqlite3
        CONNECTIONS = [sqlite3.connect(f"{n}.db") for n in range(3)]
        BY_NAME = {"main": sqlite3.connect("main.db")}
        def one():
            for conn in CONNECTIONS:
                conn.execute("SELECT 1 FROM a")
        def two():
            BY_NAME["main"].execute("SELECT 1 FROM b")
        def three():
            for conn in BY_NAME.values():
                conn.execute("SELECT 1 FROM c")
        """,
        ["one reads a", "two reads b", "three reads c"],
    ),
    "generators and yield from": (
        """
        import sqlite3
        def connections():
            yield sqlite3.connect("a.db")
        def again():
            yield from connections()
        def one():
            for conn in again():
                conn.execute("SELECT 1 FROM a")
        def two():
            next(again()).execute("SELECT 1 FROM b")
        """,
        ["one reads a", "two reads b"],
    ),
    "aiosqlite": (
        """
        import aiosqlite
        async def one():
            async with aiosqlite.connect("a.db") as db:
                async with db.execute("SELECT 1 FROM a") as cursor:
                    async for row in cursor: ...
                await db.execute_fetchall("SELECT 1 FROM b")
                await db.execute_insert("INSERT INTO c VALUES (1)")
        async def connections():
            yield await aiosqlite.connect("a.db")
        async def two():
            async for db in connections():
                await db.executescript("DELETE FROM d; DELETE FROM e")
        """,
        ["one reads a", "one reads b", "one writes c", "two writes d", "two writes e"],
    ),
    "recursion and cyclic imports": (
        {
            "a.py": """
                import sqlite3
                import b
                def connection(depth=0):
                    return b.connection(depth) if depth else sqlite3.connect("x.db")
                def one(): connection().execute("SELECT 1 FROM a")
            """,
            "b.py": """
                import a
                def connection(depth):
                    return a.connection(depth - 1)
                def two(): connection(3).execute("SELECT 1 FROM b")
            """,
        },
        ["one reads a", "two reads b"],
    ),
    "relative imports in a namespace package under src": (
        {
            "src/shop/db.py": "import sqlite3\ndef connection(): return sqlite3.connect('x.db')\n",
            "src/shop/orders/api.py": """
                from ..db import connection
                def one(): connection().execute("SELECT 1 FROM a")
            """,
            "tests/test_api.py": """
                from shop.db import connection
                def test_it(): connection().execute("DELETE FROM a")
            """,
        },
        ["one reads a", "test_it writes a"],
    ),
    "an attribute of Flask's g": (
        """
        import sqlite3
        from flask import g
        def get_db():
            if "db" not in g:
                g.db = sqlite3.connect("a.db")
            return g.db
        def one(): get_db().execute("SELECT 1 FROM a")
        def two(): g.db.execute("SELECT 1 FROM b")
        """,
        ["one reads a", "two reads b"],
    ),
    "getattr of g": (
        """
        import sqlite3
        from flask import g
        def get_db():
            db = getattr(g, "_database", None)
            if db is None:
                db = g._database = sqlite3.connect("a.db")
            return db
        def one(): get_db().execute("SELECT 1 FROM a")
        """,
        ["one reads a"],
    ),
    "a thread's own connection": (
        """
        import sqlite3, threading
        local = threading.local()
        def connection():
            if not hasattr(local, "conn"):
                local.conn = sqlite3.connect("a.db")
            return local.conn
        def one(): connection().execute("SELECT 1 FROM a")
        """,
        ["one reads a"],
    ),
    "a singleton": (
        """
        import sqlite3
        class Db:
            _instance = None
            def __new__(cls):
                if cls._instance is None:
                    cls._instance = super().__new__(cls)
                    cls._instance.conn = sqlite3.connect("a.db")
                return cls._instance
            @classmethod
            def get(cls):
                if not cls._instance:
                    cls._instance = cls()
                return cls._instance
            def all(self): return self.conn.execute("SELECT 1 FROM a")
        def one(): Db.get().conn.execute("SELECT 1 FROM b")
        """,
        ["Db.all reads a", "one reads b"],
    ),
    "static and class methods": (
        """
        import sqlite3
        class Db:
            path = "a.db"
            @staticmethod
            def connect(): return sqlite3.connect(Db.path)
            @classmethod
            def all(cls): return cls.connect().execute("SELECT 1 FROM a")
        """,
        ["Db.all reads a"],
    ),
    "super and a subclass of Connection": (
        """
        import sqlite3
        class Connection(sqlite3.Connection):
            def add(self): self.execute("INSERT INTO a VALUES (1)")
        def one():
            sqlite3.connect("a.db", factory=Connection).execute("SELECT 1 FROM b")
            Connection("a.db").execute("SELECT 1 FROM c")
        """,
        ["Connection.add writes a", "one reads b", "one reads c"],
    ),
    "a connection that goes through super().__init__()": (
        """
        import sqlite3
        class Base:
            def __init__(self, conn): self.conn = conn
        class Users(Base):
            def __init__(self, conn, cache):
                super().__init__(conn)
                self.cache = cache
            def all(self): return self.conn.execute("SELECT 1 FROM a" + self.cache.where())
        Users(sqlite3.connect("a.db"), object())
        """,
        ["Users.all reads a…"],
    ),
    "a table that a class names for what it inherits": (
        """
        import sqlite3
        NAMES = {"b": "by_choice"}
        class Base:
            table = None
            order = "id"
            def all(self, conn: sqlite3.Connection):
                return conn.execute("SELECT * FROM {} ORDER BY {}".format(self.table, self.order))
        class A(Base):
            table = "a"
        class B(Base):
            table = NAMES["b"]
            order = "name"
        class Deeper(A):
            table = "deeper"
        """,
        ["Base.all reads a", "Base.all reads by_choice", "Base.all reads deeper"],
    ),
    "a table that an instance is given": (
        """
        import sqlite3
        class Base:
            def all(self, conn: sqlite3.Connection): return conn.execute("SELECT * FROM " + self.table)
        class Known(Base):
            def __init__(self): self.table = "a"
        class Given(Base):
            table = "b"
            def __init__(self, table): self.table = table
        class Later(Base): ...
        Later().table = input()
        """,
        ["Base.all reads (unknown)", "Base.all reads a", "Base.all reads b"],
    ),
    "a table or a statement that is decided while the program runs": (
        """
        import sqlite3
        def table(conn: sqlite3.Connection, name): conn.execute(f"DELETE FROM {name} WHERE id IN (SELECT id FROM a)")
        def quoted(conn: sqlite3.Connection, name): conn.execute(f'SELECT * FROM "{name}" JOIN a USING (id)')
        def all_of_it(conn: sqlite3.Connection): conn.execute(input())
        """,
        [
            "all_of_it unknowns (unknown)",
            "quoted reads (unknown)",
            "quoted reads a",
            "table reads a",
            "table writes (unknown)",
        ],
    ),
    "a protocol is called through its implementation": (
        """
        import sqlite3
        from typing import Protocol
        class Store(Protocol):
            def run(self, sql: str) -> None: ...
        class Real:
            def __init__(self): self.conn = sqlite3.connect("a.db")
            def run(self, sql: str) -> None: self.conn.execute(sql)
        def use(store: Store): store.run("DELETE FROM a")
        use(Real())
        """,
        ["use writes a"],
    ),
    "named tuples and dictionaries of queries": (
        """
        import sqlite3
        QUERIES = {"users": "SELECT * FROM users", "orders": "SELECT * FROM orders"}
        class Q:
            BOOKS = "SELECT * FROM books"
        def one(): sqlite3.connect("a.db").execute(QUERIES["users"])
        def two(): sqlite3.connect("a.db").execute(Q.BOOKS)
        """,
        ["one reads users", "two reads books"],
    ),
    "a loop over statements": (
        """
        import sqlite3
        TABLES = ("a", "b")
        STATEMENTS = ["DELETE FROM c", "DELETE FROM d"]
        def clear():
            conn = sqlite3.connect("a.db")
            for table in TABLES:
                conn.execute(f"DELETE FROM {table}")
            for sql in STATEMENTS:
                conn.execute(sql)
        """,
        ["clear writes a", "clear writes b", "clear writes c", "clear writes d"],
    ),
    "a pool in a queue, and migrations in pairs": (
        """
        import sqlite3, queue
        MIGRATIONS = [(1, "DELETE FROM a"), (2, "DELETE FROM b")]
        class Pool:
            def __init__(self):
                self.free = queue.Queue()
                self.free.put(sqlite3.connect("a.db"))
            def get(self): return self.free.get()
        def migrate():
            conn = Pool().get()
            for version, sql in MIGRATIONS:
                conn.execute(sql)
        """,
        ["migrate writes a", "migrate writes b"],
    ),
    "a connection in a tuple": (
        """
        import sqlite3
        def opened():
            conn = sqlite3.connect("a.db")
            return conn, conn.cursor()
        def one():
            conn, cur = opened()
            cur.execute("SELECT 1 FROM a")
            conn.execute("SELECT 1 FROM b")
        """,
        ["one reads a", "one reads b"],
    ),
    "a method under another name": (
        """
        import sqlite3
        def one():
            run = sqlite3.connect("a.db").execute
            run("SELECT 1 FROM a")
        """,
        ["one reads a"],
    ),
    "a choice from a dictionary": (
        """
        import sqlite3
        TABLES = {"users": "users", "orders": "orders_v2"}
        def one(kind):
            sqlite3.connect("a.db").execute(f"SELECT 1 FROM {TABLES[kind]}")
        """,
        ["one reads orders_v2", "one reads users"],
    ),
    "a file of SQL": (
        {"sql/clean.sql": "-- nightly\nDELETE FROM a;\nINSERT INTO b SELECT * FROM c;\n"},
        ["<file> writes a", "<file> writes b", "<file> reads c"],
    ),
}

NOT_SQLITE: dict[str, str] = {
    "Django's cursor": """
        from django.db import connection
        def one():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM a WHERE id = %s", [1])
        """,
    "SQLAlchemy's session": """
        from sqlalchemy import create_engine, text
        from sqlalchemy.orm import Session, sessionmaker
        engine = create_engine("postgresql:///x")
        Local = sessionmaker(bind=engine)
        def one(session: Session):
            session.execute(text("SELECT 1 FROM a"))
        def two():
            with engine.connect() as conn:
                conn.execute(text("SELECT 1 FROM a"))
        def three():
            with Local() as session:
                session.execute(text("SELECT 1 FROM a"))
        """,
    "psycopg": """
        import psycopg
        def one():
            with psycopg.connect("") as conn, conn.cursor() as cur:
                cur.execute("SELECT 1 FROM a")
        """,
    "asyncpg": """
        import asyncpg
        async def one():
            pool = await asyncpg.create_pool()
            async with pool.acquire() as conn:
                await conn.execute("DELETE FROM a")
        """,
    "peewee": """
        from peewee import Model, SqliteDatabase
        db = SqliteDatabase("a.db")
        class User(Model): ...
        def one(): return User.select().where(User.id == 1).execute()
        """,
    "an executor, a task, a command": """
        from concurrent.futures import Executor
        class Command:
            def execute(self, text): return text.upper()
        def one(command: Command): command.execute("SELECT 1 FROM a")
        def two(): Command().execute("DELETE FROM a")
        """,
    "text that is only looked at": """
        import sqlite3
        HELP = "SELECT 1 FROM a"
        def one(): print("DELETE FROM a")
        """,
    "definitions": """
        import sqlite3
        conn = sqlite3.connect("a.db")
        conn.execute("CREATE TABLE a (id)")
        conn.execute("DROP TABLE a")
        conn.execute("PRAGMA table_info(a)")
        """,
}


@pytest.mark.parametrize(("program", "expected"), FOUND.values(), ids=FOUND.keys())
def test_found(program: Program, expected: list[str]) -> None:
    assert sorted(accesses(program)) == sorted(expected)


@pytest.mark.parametrize("program", NOT_SQLITE.values(), ids=NOT_SQLITE.keys())
def test_other_databases_are_left_alone(program: str) -> None:
    assert accesses(program) == []
