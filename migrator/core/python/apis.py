"""What the modules outside the program give back: those for SQLite, and the web frameworks around them.

https://docs.python.org/3/library/sqlite3.html, https://aiosqlite.omnilib.dev, https://flask.palletsprojects.com/en/stable/api/,
https://fastapi.tiangolo.com/reference/.
"""

from __future__ import annotations

CONNECTION, CURSOR, ROW, ROWS = "Connection", "Cursor", "Row", "Rows"
LIBRARIES = ("sqlite3", "aiosqlite")

# Other names of the same thing.
SAME = {
    "sqlite3.dbapi2": "sqlite3",
    "pysqlite3": "sqlite3",
    "pysqlite3.dbapi2": "sqlite3",
    "aiosqlite.core.Connection": "aiosqlite.Connection",
    "aiosqlite.cursor.Cursor": "aiosqlite.Cursor",
    "aiosqlite.Row": "sqlite3.Row",
    "fastapi.applications.FastAPI": "fastapi.FastAPI",
    "fastapi.routing.APIRouter": "fastapi.APIRouter",
    "fastapi.Request": "starlette.requests.Request",
    "fastapi.requests.Request": "starlette.requests.Request",
    "fastapi.WebSocket": "starlette.requests.Request",
    "flask.current_app": "flask.Flask",
    "flask.app.Flask": "flask.Flask",
    "flask.blueprints.Blueprint": "flask.Blueprint",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
}

# What a call of a function gives; of an unknown one, an instance of its own name, as if it were a class.
RESULTS = {
    "sqlite3.connect": "sqlite3.Connection",
    "aiosqlite.connect": "aiosqlite.Connection",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
}

# What a method gives, for every library of SQLite; rows come out of cursors.
METHODS = {
    (CONNECTION, "cursor"): CURSOR,
    (CONNECTION, "execute"): CURSOR,
    (CONNECTION, "executemany"): CURSOR,
    (CONNECTION, "executescript"): CURSOR,
    (CONNECTION, "execute_fetchall"): ROWS,
    (CONNECTION, "execute_insert"): ROW,
    (CURSOR, "execute"): CURSOR,
    (CURSOR, "executemany"): CURSOR,
    (CURSOR, "executescript"): CURSOR,
    (CURSOR, "fetchone"): ROW,
    (CURSOR, "fetchall"): ROWS,
    (CURSOR, "fetchmany"): ROWS,
    (CURSOR, "connection"): CONNECTION,
}

# What an attribute of an instance is.
ATTRIBUTES = {
    "starlette.requests.Request.app": "fastapi.FastAPI",
    "sqlite3.Cursor.connection": "sqlite3.Connection",
}

# What they give back is what somebody else has put in.
CONTAINERS = ("queue.", "collections.", "asyncio.Queue", "asyncio.LifoQueue", "multiprocessing.")
PASSED_ON = ("contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext", "typing.cast")
CONTEXT_MANAGERS = ("contextlib.contextmanager", "contextlib.asynccontextmanager")
SAME_ELEMENTS = ("list", "tuple", "sorted", "reversed", "iter", "set")


# Of these it matters which of their things something is; of the other libraries only that it is one of theirs.
_FOLLOWED = {
    *("sqlite3", "aiosqlite", "flask", "quart", "fastapi", "starlette", "aiohttp", "django", "apscheduler", "schedule"),
    *("threading", "concurrent", "multiprocessing", "asyncio", "anyio", "queue", "collections", "json"),
}


def is_followed(type_name: str) -> bool:
    """Whether the attributes and results of such a thing are told apart."""
    return type_name.partition(".")[0] in _FOLLOWED


def kind_of(type_name: str) -> str | None:
    """Connection, Cursor, Row or Rows of a library for SQLite; None for any other type."""
    library, _, kind = type_name.rpartition(".")
    return kind if library in LIBRARIES and kind in (CONNECTION, CURSOR, ROW, ROWS) else None


def library_of(type_name: str) -> str:
    return type_name.rpartition(".")[0]
