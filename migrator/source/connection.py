"""Opening a SQLite file that somebody else owns, without changing it and without trusting it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from migrator.core.errors import SourceError
from migrator.core.values import MAX_VALUE_BYTES

MAGIC = b"SQLite format 3\x00"
WAL_MAGICS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")  # https://www.sqlite.org/fileformat2.html#walformat
BUSY_TIMEOUT_MS = 30_000


def sqlite_version() -> str:
    """Of the library that reads."""
    return apsw.sqlite_lib_version()


@contextmanager
def source_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the file at `path` into a SourceError that a person can act on."""
    try:
        yield
    except apsw.TooBigError:
        raise
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise SourceError(
            f"{path} is damaged.",
            f"SQLite says: {error}.",
            f"Make a copy, then try: sqlite3 {path} .recover | sqlite3 recovered.db, and migrate recovered.db.",
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise SourceError(
            f"{path} is locked.",
            f"Another process held its lock for more than {BUSY_TIMEOUT_MS // 1000} s ({error}).",
            "Stop the process that writes without a pause, or migrate a copy made with: sqlite3 FILE '.backup COPY'.",
        ) from error
    except apsw.Error as error:
        raise SourceError(
            f"{path} could not be read.",
            f"SQLite says: {error}.",
            "Check that the file is still there and whole, and that its disk or network share is well.",
        ) from error


def check_file(path: Path) -> None:
    """Raise SourceError where the file cannot be an SQLite database: missing, empty, encrypted, something else."""
    try:
        if not path.exists():
            raise SourceError(f"{path} does not exist.", next_step="Check the path, or run: ls " + str(path.parent))
        if not path.is_file():
            raise SourceError(f"{path} is not a file.", next_step="Give the path of the database file itself.")
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise SourceError(f"{path} cannot be opened.", f"{error.strerror}.", "Check its permissions.") from error
    if not head:
        raise SourceError(
            f"{path} is empty (0 bytes).",
            "SQLite would take it for a database without tables, which is hardly what was meant.",
            "Check that the path is the live database and not a place holder.",
        )
    if not head.startswith(MAGIC):
        raise _not_a_database(path, head)
    _check_log(path.with_name(path.name + "-wal"))


def _check_log(log: Path) -> None:
    """SQLite takes a log with a strange header for an empty one, and every transaction in it would be lost silently."""
    try:
        with log.open("rb") as file:
            head = file.read(4)
    except OSError:
        return
    if head.strip(b"\0") and head not in WAL_MAGICS:
        raise SourceError(
            f"{log} is not a write-ahead log of SQLite.",
            f"It begins with {head!r}; SQLite would ignore it, and with it the newest transactions.",
            "Restore the log that belongs to the database, or move this file away if it never did.",
        )


def _not_a_database(path: Path, head: bytes) -> SourceError:
    if len(head) == 4096 and path.stat().st_size % 512 == 0 and len(set(head)) > 240:
        return SourceError(
            f"{path} looks encrypted.",
            "Its size is a whole number of pages and its first page is random bytes, as SQLCipher and SEE write them.",
            "Decrypt a copy with the application's own key, for example: ATTACH 'plain.db' AS plain KEY ''; "
            "SELECT sqlcipher_export('plain'); then migrate plain.db.",
        )
    return SourceError(
        f"{path} is not an SQLite database.",
        f"It does not begin with the header 'SQLite format 3' but with {head[:16]!r}.",
        "Check the path; for a text dump, make a database of it first: sqlite3 new.db < dump.sql",
    )


def connect(path: Path, *, writable: bool = False) -> apsw.Connection:
    """A connection to an existing database, read-only unless `writable`. Raises SourceError.

    The file is untrusted: its schema may not call functions with side effects, and cell sizes are checked.
    Closing never checkpoints, so a file we only read keeps its bytes.
    """
    flags = apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY
    with source_errors(path):
        connection = apsw.Connection(str(path), flags=flags)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        # SQLite raises TooBigError instead of loading a larger value; rows.large_value reads it in chunks.
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.pragma("cell_size_check", True)
        connection.pragma("cache_size", -64_000)
        _register_functions(connection)
        if not writable:
            connection.authorizer = _read_only
        return connection


# https://www.sqlite.org/c3ref/c_alter_table.html lists the operations. A plan's queries and the source's own views are
# untrusted text, so what is not reading is refused when a statement is prepared.
_READING = {
    apsw.SQLITE_SELECT,
    apsw.SQLITE_READ,
    apsw.SQLITE_FUNCTION,
    apsw.SQLITE_RECURSIVE,
    apsw.SQLITE_TRANSACTION,
    apsw.SQLITE_PRAGMA,
}


def _read_only(operation: int, *_: str | None) -> int:
    return apsw.SQLITE_OK if operation in _READING else apsw.SQLITE_DENY


def _register_functions(connection: apsw.Connection) -> None:
    """Functions that a merging query may call beside SQLite's own; all are deterministic."""
    for name in ("md5", "sha1", "sha256"):
        connection.create_scalar_function(name, _digest(name), 1, deterministic=True)


def _digest(algorithm: str):  # type: ignore[no-untyped-def]  # apsw's own callback type is not exported
    def digest(value: object) -> str | None:
        if value is None:
            return None
        raw = value if isinstance(value, bytes) else str(value).encode()
        return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()

    return digest


def open_readable(path: Path, scratch: Path) -> tuple[apsw.Connection, Path]:
    """A connection that can be read from, and the path it reads: `path`, or a copy of it in `scratch`.

    A database in WAL mode whose folder cannot be written needs a -shm file that SQLite cannot make there; and where a
    crash has left half a transaction, only a writer may take it back. Such a database is copied together with its -wal
    and -journal. Raises SourceError, also when one of the files changes during the copy.
    """
    check_file(path)
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
        connection.close()
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        path = copy_aside(path, scratch)
    except apsw.Error:
        pass  # connect() and the first query say what is wrong
    return connect(path), path


def copy_aside(path: Path, scratch: Path) -> Path:
    """Copy the database and its -wal and -journal into `scratch` and return the copy's path.

    Raises SourceError if one of the files changed meanwhile: they would not belong together.
    """
    parts = [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))]
    before = [_identity(part) for part in parts]
    require_space(scratch, sum(part.stat().st_size for part in parts if part.exists()))
    scratch.mkdir(parents=True, exist_ok=True)
    for part in parts:
        with suppress(FileNotFoundError):
            shutil.copyfile(part, scratch / part.name)
    if before != [_identity(part) for part in parts]:
        raise SourceError(
            f"{path} changed while it was copied.",
            "Its folder is read-only here, so a copy is needed, and something else is writing to it.",
            "Run the command where the folder is writable, or stop the writer for the time of the copy.",
        )
    copy = scratch / path.name
    if copy.with_name(copy.name + "-journal").exists():
        _roll_back(copy)
    return copy


def _roll_back(path: Path) -> None:
    """A crash interrupted a transaction: the first reader that may write takes it back, as the application would."""
    connection = connect(path, writable=True)
    with source_errors(path):
        connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
    connection.close()


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raise SourceError where the file system of `folder` has no room for a copy of that size."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SourceError(
            f"The copy of the source needs {needed_bytes:,} bytes, and {folder} has {free:,} left.",
            "A database that is not in WAL mode, or that lies in a read-only folder, is read from a copy.",
            "Free some space there, or choose another folder; for a run, with --run-dir.",
        )


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
