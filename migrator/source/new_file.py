"""Making a SQLite file beside the one whose place it will take."""

from __future__ import annotations

import fcntl
import glob
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from migrator.core.errors import Failure, SourceError
from migrator.core.model import Schema
from migrator.core.names import quote_identifier
from migrator.core.original import TABLE, Definition, Original
from migrator.core.values import LARGEST_VALUE_BYTES, BrokenText
from migrator.disk import sync_folder
from migrator.source.connection import check_file, connect
from migrator.source.schema import read_schema

_SEARCHES_A_TABLE = re.compile(r"\bUSING\s+fts[45]\b.*[(,]\s*content\s*=", re.IGNORECASE | re.DOTALL)
_PERMISSIONS = "Check the folder's permissions."
MARK = ".migrator-"  # stands in the name of a file that is being made


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn what stands in the way of writing `path` into an error that a person can act on."""
    try:
        yield
    except apsw.FullError as error:
        raise _full(path) from error
    except (apsw.CantOpenError, apsw.PermissionsError, apsw.ReadOnlyError) as error:
        raise SourceError(f"{path} cannot be made.", f"SQLite says: {error}.", _PERMISSIONS) from error
    except apsw.Error as error:
        raise SourceError(f"{path} cannot be written.", f"SQLite says: {error}.") from error
    except OSError as error:
        if error.errno == 28:
            raise _full(path) from error
        raise SourceError(f"{path} cannot be written.", f"{error.strerror}.", _PERMISSIONS) from error


def _full(path: Path) -> Failure:
    return Failure(f"{path} cannot be written.", "There is no space left.", "Free some, or name a file elsewhere.")


class NewFile:
    """The file while it is being made; nobody else knows its name. Errors are apsw's, for file_errors()."""

    def __init__(self, path: Path, original: Original) -> None:
        self.path = path
        self.original = original
        self.connection = open_new(str(path), original)

    def make(self, definitions: Iterable[Definition]) -> list[tuple[Definition, str]]:
        return make(self.connection, definitions)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; may be nested."""
        with self.connection:
            yield

    def insert(
        self, table: str, columns: Sequence[str], nulls: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        self.connection.executemany(_insert(table, ["?"] * len(columns), columns, nulls), rows)

    def insert_one(self, table: str, columns: Sequence[str], nulls: Sequence[str], row: Sequence[Any]) -> None:
        """As insert(); takes texts that are not valid in the file's encoding, too."""
        places = ["CAST(? AS TEXT)" if isinstance(value, BrokenText) else "?" for value in row]
        values = [value.raw if isinstance(value, BrokenText) else value for value in row]
        self.connection.execute(_insert(table, places, columns, nulls), values)

    def rebuild(self, table: Definition) -> bool:
        """Fill a full-text search from the table that it searches; False where it is no such search."""
        if not _SEARCHES_A_TABLE.search(table.sql):
            return False
        name = quote_identifier(table.name)
        try:
            self.connection.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
        except (apsw.SQLError, apsw.ConstraintError):
            return False
        return True

    def highest_rowid(self, table: str) -> int:
        ((found,),) = self.connection.execute(f"SELECT coalesce(max(rowid), 0) FROM main.{quote_identifier(table)}")
        return int(found)

    def set_sequences(self, positions: Mapping[str, int]) -> None:
        """AUTOINCREMENT goes on above these numbers."""
        for table, number in positions.items():
            self.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self.connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))

    def close(self) -> None:
        """Write down what the original says of itself, and bring all of it to the disk."""
        original = self.original
        if original.analyzed:
            self.connection.execute("ANALYZE")
        self.connection.pragma("user_version", original.user_version)
        self.connection.pragma("application_id", original.application_id)
        if original.wal:
            self.connection.pragma("locking_mode", "NORMAL")
            self.connection.pragma("journal_mode", "WAL")
        self.connection.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())


def open_new(name: str, original: Original) -> apsw.Connection:
    """An empty database with the original's settings; `name` may be :memory:."""
    connection = apsw.Connection(name)
    # Texts in double quotes were allowed when the original was made.
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 1)
    connection.pragma("encoding", original.encoding)
    connection.pragma("page_size", original.page_size_bytes)
    connection.pragma("auto_vacuum", original.auto_vacuum)
    # A file that is not finished is thrown away, so nothing has to be safe before the end.
    connection.pragma("locking_mode", "EXCLUSIVE")
    connection.pragma("journal_mode", "MEMORY")
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -64_000)
    # What PostgreSQL holds is carried; rows that break a rule of the original are reported at the end.
    connection.pragma("foreign_keys", False)
    connection.pragma("ignore_check_constraints", True)
    return connection


def make(connection: apsw.Connection, definitions: Iterable[Definition]) -> list[tuple[Definition, str]]:
    """Make these objects, and return those that SQLite refuses here, with what it says."""
    refused = []
    for item in definitions:
        try:
            connection.execute(item.sql)
        except (apsw.SQLError, apsw.ConstraintError, apsw.AuthError) as error:
            refused.append((item, str(error)))
    return refused


def schema_of(original: Original) -> Schema:
    """The schema that these definitions make. Raises SourceError for a table that cannot be made here."""
    connection = open_new(":memory:", original)
    try:
        for item, said in make(connection, original.definitions):
            if item.kind == TABLE:
                raise SourceError(
                    f"The table {item.name} cannot be made.",
                    f"SQLite says: {said}.",
                    "Carry the tables as PostgreSQL's catalog describes them: add --schema NAME",
                )
        return read_schema(connection).schema
    finally:
        connection.close()


def _insert(table: str, places: Sequence[str], columns: Sequence[str], nulls: Sequence[str]) -> str:
    """OR ABORT: a rule of the table itself might replace or leave out rows."""
    name = f"INSERT OR ABORT INTO main.{quote_identifier(table)}"
    if not columns and not nulls:
        return f"{name} DEFAULT VALUES"
    listed = ", ".join(map(quote_identifier, [*columns, *nulls]))
    return f"{name} ({listed}) VALUES ({', '.join([*places, *(['NULL'] * len(nulls))])})"


@contextmanager
def new_file(path: Path, original: Original) -> Iterator[NewFile]:
    """A file in the folder of `path`, gone after the block unless place() has given it its name. Raises SourceError.

    What a killed process has left of an earlier one goes first.
    """
    with file_errors(path):
        _remove_abandoned(path)
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}{MARK}", dir=path.parent)
        # This lock is not one of SQLite's, and ends with the process, however that happens.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        made: NewFile | None = None
        try:
            made = NewFile(Path(name), original)
            yield made
        finally:
            if made is not None:
                made.connection.close(True)
            _remove(name)
            os.close(descriptor)


def _remove_abandoned(path: Path) -> None:
    for left in path.parent.glob(f"{glob.escape(path.name + MARK)}????????"):
        with left.open("rb") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(str(left))


def _remove(name: str) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(name + suffix).unlink(missing_ok=True)


def open_finished(path: Path) -> apsw.Connection:
    """For reading every value whole. The file is our own, and a full-text search is checked by writing to it."""
    connection = connect(path, writable=True)
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
    return connection


def complaints(connection: apsw.Connection) -> tuple[list[str], list[str]]:
    """What is broken in the file, and which rules of its own its rows break."""
    broken: list[str] = []
    rules: list[str] = []
    for (line,) in connection.execute("PRAGMA main.integrity_check"):
        if line != "ok":
            (rules if line.startswith(("CHECK constraint failed", "NULL value in ")) else broken).append(str(line))
    tables = [name for schema, name, kind, *_ in connection.execute("PRAGMA main.table_list") if kind == "table"]
    for table in tables:
        orphans: dict[str, int] = {}
        try:
            for _, _, parent, _ in connection.execute(f"PRAGMA main.foreign_key_check({quote_identifier(table)})"):
                orphans[parent] = orphans.get(parent, 0) + 1
        except apsw.SQLError as error:
            rules.append(f"{table}: {error}")
        rules += [f"{table}: {count:,} of its rows name no row of {parent}" for parent, count in orphans.items()]
    return broken, rules


# -- its place ---------------------------------------------------------------------------------------------------------


def check_place(path: Path, *, replace: bool) -> None:
    """Raise SourceError where the file could not take its place: a folder, a file, a log that is in the way."""
    if not path.parent.is_dir():
        raise SourceError(f"There is no folder {path.parent}.", next_step=f"Make it: mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise SourceError(f"The folder {path.parent} cannot be written.", next_step="Check its permissions.")
    if not path.exists() and not path.is_symlink():
        left = [name for suffix in ("-wal", "-journal") if (name := path.with_name(path.name + suffix)).exists()]
        if left:
            raise SourceError(
                f"{left[0]} is there, and {path.name} is not.",
                "SQLite would take it for a part of the new file and spoil that.",
                "Move it away, or restore the file that it belongs to.",
            )
        return
    if path.is_dir():
        raise SourceError(f"{path} is a folder.", next_step="Name the file to make in it.")
    if not replace:
        raise SourceError(
            f"{path} exists.",
            "It may hold what is nowhere else.",
            "Name another file, or add --replace: it is kept aside.",
        )
    with exclusive(path):
        pass


@contextmanager
def exclusive(path: Path) -> Iterator[apsw.Connection | None]:
    """Nobody else reads or writes the database at `path` during the block. Raises SourceError where somebody does.

    A connection that is open in WAL mode is noticed even while it does nothing; one in another mode only while it is in
    the middle of a transaction, because it holds no lock otherwise.
    """
    if path.is_file() and not path.stat().st_size:
        yield None
        return
    check_file(path)
    connection = connect(path, writable=True)
    try:
        _lock(connection, path)
        yield connection
    finally:
        with suppress(apsw.Error):
            connection.execute("ROLLBACK")
        connection.close()


def _lock(connection: apsw.Connection, path: Path) -> None:
    try:
        connection.set_busy_timeout(1_000)
        connection.pragma("locking_mode", "EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
    except (apsw.BusyError, apsw.LockedError) as error:
        raise SourceError(
            f"{path} is in use.", f"Another process has it open ({error}).", "Stop that process, and run again."
        ) from error
    except apsw.Error as error:
        raise SourceError(
            f"{path} cannot be replaced.", f"SQLite says: {error}.", "Name another file, or move it away."
        ) from error


def place(made: Path, path: Path, kept: Path | None) -> None:
    """Give the finished file its name; what was there is at `kept` afterwards. Raises SourceError."""
    with file_errors(path):
        if kept is None:
            made.chmod(0o666 & ~_umask())
            _take_name(made, path)
        else:
            with exclusive(path) as connection:
                _inherit(made, path)
                _take_place(made, path, kept, connection)
        sync_folder(path.parent)


def _take_place(made: Path, path: Path, kept: Path, connection: apsw.Connection | None) -> None:
    """A log of the old file becomes a part of it, because the new one would inherit the log's name."""
    if connection is not None:
        connection.execute("ROLLBACK")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    try:
        os.link(path, kept)
    except OSError:  # a file system without links
        path.rename(kept)
    made.replace(path)


def _take_name(made: Path, path: Path) -> None:
    """A rename would silently replace a file that somebody has made meanwhile; a link is refused."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise _exists_now(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _exists_now(path) from None
        made.rename(path)
    else:
        made.unlink()


def _exists_now(path: Path) -> SourceError:
    return SourceError(f"{path} exists now.", "Somebody made it meanwhile.", "Look at it, and run again.")


def _inherit(made: Path, path: Path) -> None:
    """Who may read and write the old file may do so with the new one."""
    status = path.stat()
    made.chmod(status.st_mode & 0o777)
    with suppress(PermissionError):
        os.chown(made, status.st_uid, status.st_gid)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
