"""Each rule: the smallest programs in which it holds, and the nearest ones in which it does not."""

from __future__ import annotations

import pytest

from migrator.core.audit.hazards import hazards_of
from migrator.core.audit.rules import RULES
from migrator.core.progress import Silent
from migrator.steps.definitions import Tables
from tests.migrator.core.programs import Program, hazards, read

# By rule: programs and the lines at which it holds.
HOLDS: dict[str, list[tuple[Program, list[int]]]] = {
    "connection-at-import": [
        ("import sqlite3\nconn = sqlite3.connect('a.db')\n", [2]),
        ("import sqlite3\nclass Db:\n    conn = sqlite3.connect('a.db')\n", [3]),
        (
            """
            import sqlite3
            def opened(): return sqlite3.connect("a.db")
            def start(): opened().close()
            start()
            """,
            [4],
        ),
        ("import sqlite3\ntry:\n    conn = sqlite3.connect('a.db')\nexcept sqlite3.Error:\n    raise\n", [3]),
        (
            """
            import sqlite3
            class Store:
                def __init__(self): self.conn = sqlite3.connect("a.db")
            store = Store()
            """,
            [4],
        ),
    ],
    "database-url-ignored": [
        ("import os, sqlite3\nURL = os.environ['DATABASE_URL']\ndef a(): return sqlite3.connect('a.db')\n", [3]),
        (
            """
            import os, sqlite3
            def a(): return sqlite3.connect(os.path.join(os.getcwd(), "a.db"))
            def b(): return os.getenv("DATABASE_URL")
            """,
            [2],
        ),
    ],
    "connection-across-threads": [
        ("import sqlite3\ndef a(): return sqlite3.connect('a.db', check_same_thread=False)\n", [2]),
        (
            """
            import sqlite3, threading
            def work(conn): conn.execute("SELECT 1")
            def a():
                conn = sqlite3.connect("a.db")
                threading.Thread(target=work, args=(conn,)).start()
            """,
            [5],
        ),
        (
            """
            import asyncio, sqlite3
            async def a():
                conn = sqlite3.connect("a.db")
                await asyncio.to_thread(conn.execute, "SELECT 1")
            """,
            [4],
        ),
        (
            """
            import sqlite3
            from concurrent.futures import ThreadPoolExecutor
            def a():
                conn = sqlite3.connect("a.db")
                with ThreadPoolExecutor() as pool:
                    pool.map(lambda n: conn.execute("SELECT ?", (n,)), [1, 2])
            """,
            [6],
        ),
        (
            """
            import sqlite3, threading
            class Store:
                def __init__(self): self.conn = sqlite3.connect("a.db")
                def work(self): self.conn.execute("SELECT 1")
                def start(self): threading.Thread(target=self.work).start()
            """,
            [5],
        ),
        (
            """
            import sqlite3, threading
            class Store:
                def __init__(self): self._conn = sqlite3.connect("a.db")
                @property
                def conn(self): return self._conn
                def work(self): self.conn.execute("SELECT 1")
                def start(self): threading.Thread(target=self.work).start()
            """,
            [7],
        ),
    ],
    "two-access-patterns": [
        (
            """
            import sqlite3
            def get_db(): return sqlite3.connect("a.db")
            def a(): get_db().execute("SELECT 1")
            def b():
                conn = sqlite3.connect("a.db")
                conn.execute("SELECT 1")
            """,
            [5],
        ),
    ],
    "injection": [
        ("import sqlite3\ndef a(n): sqlite3.connect('a.db').execute(f'SELECT {n}')\n", [2]),
        ("import sqlite3\ndef a(n): sqlite3.connect('a.db').execute('SELECT %s' % n)\n", [2]),
        ("import sqlite3\ndef a(n): sqlite3.connect('a.db').execute('SELECT {}'.format(n))\n", [2]),
        ("import sqlite3\ndef a(n): sqlite3.connect('a.db').execute('SELECT ' + n)\n", [2]),
        (
            """
            import sqlite3
            def a(values):
                sql = "UPDATE t SET "
                sql += ", ".join(f"{name} = ?" for name in values)
                sqlite3.connect("a.db").execute(sql, list(values.values()))
            """,
            [5],
        ),
        (
            """
            import sqlite3
            COLUMNS = {"name": "name"}
            def learn(key, value): COLUMNS[key] = value
            def a(key): sqlite3.connect("a.db").execute(f"SELECT * FROM t ORDER BY {COLUMNS[key]}")
            """,
            [4],
        ),
    ],
    "pragma": [
        ("import sqlite3\ndef a(): sqlite3.connect('a.db').execute('PRAGMA journal_mode = WAL')\n", [2]),
        ({"a.sql": "SELECT 1;\npragma foreign_keys = on;\n"}, [2]),
    ],
    "sqlite-sql": [
        (f'import sqlite3\ndef a(): sqlite3.connect("a.db").execute("""{sql}""")\n', [2])
        for sql in (
            "INSERT OR IGNORE INTO t VALUES (1)",
            "REPLACE INTO t VALUES (1)",
            "SELECT datetime('now')",
            "SELECT ifnull(a, 0) FROM t",
            "SELECT group_concat(a) FROM t",
            "SELECT rowid FROM t",
            "SELECT name FROM sqlite_master",
            "SELECT a FROM t WHERE a GLOB 'x*'",
            "SELECT a FROM t ORDER BY a COLLATE NOCASE",
            "SELECT a FROM t LIMIT 1, 2",
            "BEGIN IMMEDIATE",
            "ATTACH 'b.db' AS b",
            "SELECT json_extract(a, '$.b') FROM t",
            "SELECT last_insert_rowid()",
        )
    ],
    "statement-after-error": [
        (
            """
            import sqlite3
            def a(conn: sqlite3.Connection):
                try:
                    conn.execute("INSERT INTO t VALUES (1)")
                except sqlite3.IntegrityError:
                    conn.execute("UPDATE t SET a = 1")
            """,
            [3],
        ),
        (
            """
            import sqlite3
            def a(conn: sqlite3.Connection, rows):
                for row in rows:
                    try:
                        conn.execute("INSERT INTO t VALUES (?)", row)
                    except sqlite3.Error:
                        print("twice")
                conn.commit()
            """,
            [4],
        ),
    ],
    "locked-retry": [
        (
            """
            import sqlite3, time
            def a(conn: sqlite3.Connection):
                while True:
                    try:
                        return conn.execute("DELETE FROM t")
                    except sqlite3.OperationalError as error:
                        if "locked" not in str(error):
                            raise
                        time.sleep(1)
            """,
            [6],
        ),
    ],
    "several-names": [
        ("import sqlite3\ndef a(): sqlite3.connect('a.db')\ndef b(): sqlite3.connect('data/b.db')\n", [2, 3]),
        (
            """
            import sqlite3
            def make(conn: sqlite3.Connection):
                conn.execute("CREATE TABLE tokens (id INTEGER PRIMARY KEY, kind TEXT, value TEXT)")
                conn.commit()
            def load(conn: sqlite3.Connection):
                return conn.execute("SELECT kind, value FROM oauth_tokens").fetchall()
            """,
            [6],
        ),
    ],
    "json-as-database": [
        (
            """
            import json
            from pathlib import Path
            STATE = Path("state.json")
            def load(): return json.loads(STATE.read_text())
            def save(state): STATE.write_text(json.dumps(state))
            """,
            [5],
        ),
        (
            """
            import json
            def bump():
                with open("state.json") as file:
                    state = json.load(file)
                with open("state.json", "w") as file:
                    json.dump(state, file)
            """,
            [6],
        ),
    ],
    "ephemeral-path": [
        ("import sqlite3\ndef a(): return sqlite3.connect(':memory:')\n", [2]),
        ("import sqlite3\ndef a(): return sqlite3.connect('/tmp/a.db')\n", [2]),
        ("import sqlite3, tempfile\ndef a(): return sqlite3.connect(tempfile.gettempdir() + '/a.db')\n", [2]),
        ("import sqlite3\nPATH = '/tmp/a.db'\ndef a(path=PATH): return sqlite3.connect(path)\n", [3]),
    ],
    "autocommit": [
        ("import sqlite3\ndef a(): return sqlite3.connect('a.db', isolation_level=None)\n", [2]),
        ("import sqlite3\ndef a(conn: sqlite3.Connection): conn.isolation_level = None\n", [2]),
        ("import sqlite3\ndef a(conn: sqlite3.Connection): conn.executescript('DELETE FROM t')\n", [2]),
        ("import sqlite3\ndef a(conn: sqlite3.Connection): conn.execute('CREATE TABLE t (a)')\n", [2]),
    ],
    "int-for-boolean": [
        (
            f"""
            import sqlite3
            def make(conn: sqlite3.Connection):
                conn.execute("CREATE TABLE t (id INTEGER, n INTEGER, flag BOOLEAN)")
                conn.commit()
            def a(conn: sqlite3.Connection, on: bool):
                conn.execute({call})
            """,
            [6],
        )
        for call in (
            "'SELECT id FROM t WHERE flag = 1'",
            "'UPDATE t SET flag = 0'",
            "'INSERT INTO t (id, flag) VALUES (?, 1)', (3,)",
            "'INSERT INTO t (id, n) VALUES (?, ?)', (1, True)",
            "'UPDATE t SET n = ?', (on,)",
            "'UPDATE t SET n = :n', {'n': not on}",
            "'SELECT id FROM t WHERE n = ?', [1 == 2]",
        )
    ],
}

HOLDS_NOT: dict[str, list[Program]] = {
    "connection-at-import": [
        "import sqlite3\ndef a(): return sqlite3.connect('a.db')\n",
        "import sqlite3\nif __name__ == '__main__':\n    sqlite3.connect('a.db')\n",
        "import psycopg\nconn = psycopg.connect('')\n",
        "import sqlite3\nget = lambda: sqlite3.connect('a.db')\n",
        """
        import sqlite3, threading
        def work(): sqlite3.connect("a.db")
        THREAD = threading.Thread(target=work)
        """,
        """
        import sqlite3
        class Store:
            def __init__(self): self.conn = None
            def open(self): self.conn = sqlite3.connect("a.db")
        store = Store()
        """,
    ],
    "database-url-ignored": [
        "import sqlite3\ndef a(): return sqlite3.connect('a.db')\n",
        "import os, sqlite3\ndef a(): return sqlite3.connect(os.environ['DATABASE_URL'])\n",
        """
        import os, sqlite3
        URL = os.environ.get("DATABASE_URL", "sqlite:///a.db")
        PATH = URL.removeprefix("sqlite:///")
        def a(): return sqlite3.connect(PATH)
        """,
    ],
    "connection-across-threads": [
        "import sqlite3\ndef a(): return sqlite3.connect('a.db', check_same_thread=True)\n",
        """
        import sqlite3, threading
        class Store:
            def __init__(self): self.local = threading.local()
            @property
            def conn(self):
                if not hasattr(self.local, "conn"):
                    self.local.conn = sqlite3.connect("a.db")
                return self.local.conn
            def work(self): self.conn.execute("SELECT 1")
            def start(self): threading.Thread(target=self.work).start()
        """,
        """
        import sqlite3, threading
        class Local(threading.local):
            def __init__(self): self.conn = sqlite3.connect("a.db")
        local = Local()
        def work(): local.conn.execute("SELECT 1")
        def start(): threading.Thread(target=work).start()
        """,
        """
        import sqlite3, threading
        def work(path): sqlite3.connect(path).execute("SELECT 1")
        def a(): threading.Thread(target=work, args=("a.db",)).start()
        """,
        """
        import sqlite3
        def a():
            conn = sqlite3.connect("a.db")
            return list(map(lambda n: conn.execute("SELECT ?", (n,)), [1, 2]))
        """,
        """
        import sqlite3, threading
        local = threading.local()
        def conn():
            if not hasattr(local, "conn"):
                local.conn = sqlite3.connect("a.db")
            return local.conn
        def work(): conn().execute("SELECT 1")
        def a(): threading.Thread(target=work).start()
        """,
    ],
    "two-access-patterns": [
        "import sqlite3\ndef a(): sqlite3.connect('a.db').close()\ndef b(): sqlite3.connect('a.db').close()\n",
        "import sqlite3\ndef get(): return sqlite3.connect('a.db')\ndef b(): get().execute('SELECT 1')\n",
    ],
    "injection": [
        "import sqlite3\ndef a(n): sqlite3.connect('a.db').execute('SELECT ?', (n,))\n",
        "import sqlite3\nT = 'users'\ndef a(): sqlite3.connect('a.db').execute(f'SELECT * FROM {T}')\n",
        """
        import sqlite3
        def a(ids):
            marks = ",".join("?" for _ in ids)
            sqlite3.connect("a.db").execute(f"SELECT * FROM t WHERE id IN ({marks})", ids)
        """,
        """
        import sqlite3
        COLUMNS = {"name": "name", "date": "created_at"}
        def a(key): sqlite3.connect("a.db").execute(f"SELECT * FROM t ORDER BY {COLUMNS.get(key, 'id')}")
        """,
        """
        import sqlite3
        def a(name=None):
            sql, args = "SELECT * FROM t WHERE 1 = 1", []
            if name:
                sql += " AND name = ?"
                args.append(name)
            sqlite3.connect("a.db").execute(sql, args)
        """,
        """
        import sqlite3
        def a(name, kind):
            where, args = [], []
            if name: where.append("name = ?")
            if kind: where.append("kind = ?")
            sql = "SELECT * FROM t"
            if where:
                sql += " WHERE " + " AND ".join(where)
            sqlite3.connect("a.db").execute(sql, args)
        """,
        "import logging\ndef a(n): logging.info(f'SELECT {n}')\n",
    ],
    "pragma": ["import sqlite3\ndef a(): sqlite3.connect('a.db').execute('SELECT 1 AS pragma')\n"],
    "sqlite-sql": [
        f'import sqlite3\ndef a(): sqlite3.connect("a.db").execute("""{sql}""")\n'
        for sql in (
            "SELECT a FROM t WHERE a = 'INSERT OR IGNORE'",
            "SELECT date, time FROM t",
            "SELECT coalesce(a, 0) FROM t",
            "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
            "SELECT a FROM t LIMIT 2 OFFSET 1",
            "SELECT replace(a, 'b', 'c') FROM t",
            "PRAGMA user_version",
            "SELECT count(*), sum(a) FROM t -- rowid",
            "BEGIN",
        )
    ],
    "statement-after-error": [
        f"""
        import sqlite3
        def a(conn: sqlite3.Connection):
            try:
                conn.execute("INSERT INTO t VALUES (1)")
            except sqlite3.IntegrityError:
                {handler}
        """
        for handler in ("raise", "return False", "conn.rollback()\n                conn.execute('SELECT 1')", "pass")
    ]
    + [
        """
        import sqlite3
        def a(conn: sqlite3.Connection):
            try:
                with conn:
                    conn.execute("INSERT INTO t VALUES (1)")
            except sqlite3.IntegrityError:
                conn.execute("UPDATE t SET a = 1")
        """,
        """
        import sqlite3
        def a(conn: sqlite3.Connection, text):
            try:
                n = int(text)
            except ValueError:
                n = 0
            conn.execute("INSERT INTO t VALUES (?)", (n,))
        """,
        """
        import sqlite3
        def a(one: sqlite3.Connection, two: sqlite3.Connection):
            try:
                one.execute("INSERT INTO t VALUES (1)")
            except sqlite3.Error:
                two.execute("INSERT INTO failures VALUES (1)")
        """,
    ],
    "locked-retry": [
        """
        import sqlite3
        def a(conn: sqlite3.Connection):
            try:
                conn.execute("DELETE FROM t")
            except sqlite3.OperationalError:
                raise SystemExit("no table t")
        """,
        """
        import time
        def a(client):
            while True:
                try:
                    return client.get()
                except ConnectionError:
                    time.sleep(1)
        """,
    ],
    "several-names": [
        "import sqlite3\nPATH = 'data/a.db'\ndef a(): sqlite3.connect(PATH)\ndef b(): sqlite3.connect('a.db')\n",
        "HELP = 'Opens a.db or b.db'\n",
        """
        import sqlite3
        def make(conn: sqlite3.Connection):
            conn.execute("CREATE TABLE tokens (id INTEGER PRIMARY KEY, kind TEXT, value TEXT)")
            conn.commit()
        def load(conn: sqlite3.Connection):
            return conn.execute("SELECT city, street FROM addresses").fetchall()
        """,
    ],
    "json-as-database": [
        "import json\ndef load():\n    with open('settings.json') as file:\n        return json.load(file)\n",
        "import json\ndef save(x):\n    with open('report.json', 'w') as file:\n        json.dump(x, file)\n",
        "import json\ndef copy(x): return json.loads(json.dumps(x))\n",
        """
        import json
        def convert():
            with open("in.json") as file:
                data = json.load(file)
            with open("out.json", "w") as file:
                json.dump(data, file)
        """,
    ],
    "ephemeral-path": [
        "import sqlite3\ndef a(): return sqlite3.connect('/var/lib/a.db')\n",
        "import sqlite3\ndef a(): return sqlite3.connect('tmp/a.db')\n",
        "import sqlite3\ndef a(): return sqlite3.connect('/tmpfiles/a.db')\n",
    ],
    "autocommit": [
        "import sqlite3\ndef a(): return sqlite3.connect('a.db', isolation_level='IMMEDIATE')\n",
        """
        import sqlite3
        def a():
            conn = sqlite3.connect("a.db")
            conn.execute("CREATE TABLE t (a)")
            conn.commit()
        """,
        """
        import sqlite3
        def a():
            with sqlite3.connect("a.db") as conn:
                conn.execute("CREATE TABLE t (a)")
        """,
    ],
    "int-for-boolean": [
        f"""
        import sqlite3
        def make(conn: sqlite3.Connection):
            conn.execute("CREATE TABLE t (id INTEGER, n INTEGER, flag BOOLEAN)")
            conn.commit()
        def a(conn: sqlite3.Connection, on: bool):
            conn.execute({call})
        """
        for call in (
            "'SELECT id FROM t WHERE flag'",
            "'SELECT id FROM t WHERE n = 1'",
            "'UPDATE t SET flag = ?', (on,)",
            "'INSERT INTO t (id, flag) VALUES (1, ?)', (on,)",
            "'UPDATE t SET n = ?', (int(on),)",
            "'UPDATE t SET flag = NULL'",
        )
    ],
}


def _cases(programs: dict[str, list[Program]]) -> list[object]:
    return [
        pytest.param(rule, program, id=f"{rule}-{number}")
        for rule, listed in programs.items()
        for number, program in enumerate(listed)
    ]


def test_every_rule_is_tried_both_ways() -> None:
    # What a rewrite has left is found where rewriting is known: test_rewrite_python.py.
    assert set(HOLDS) == set(HOLDS_NOT) == set(RULES) - {"left-over"}


@pytest.mark.parametrize(
    ("rule", "program", "lines"),
    [
        pytest.param(rule, *case, id=f"{rule}-{number}")
        for rule, listed in HOLDS.items()
        for number, case in enumerate(listed)
    ],
)
def test_holds(rule: str, program: Program, lines: list[int]) -> None:
    found = [int(text.split()[0]) for text in hazards(program) if text.split()[1] == rule]

    assert found == lines


@pytest.mark.parametrize(("rule", "program"), _cases(HOLDS_NOT))
def test_does_not_hold(rule: str, program: Program) -> None:
    assert [text for text in hazards(program) if text.split()[1] == rule] == []


def test_what_is_put_in_is_named_as_it_stands_there() -> None:
    code = read(
        """
        import sqlite3
        class Base:
            table = None
            def delete(self, conn: sqlite3.Connection): conn.execute("DELETE FROM " + self.table + " WHERE id = 1")
        """
    )
    [hazard] = hazards_of(code, Tables().read([], Silent()).schema)

    assert (hazard.rule, hazard.detail) == ("injection", "self.table")
