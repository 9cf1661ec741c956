"""Reaching PostgreSQL: where it is, how the password gets there without being seen, and what its errors mean."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakSet

import psycopg
from psycopg import conninfo, sql

from migrator.core.errors import TargetError, UsageError
from migrator.core.redact import HIDDEN, redact

# What psycopg warns of when a connection breaks is raised as well, and told once.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

APPLICATION_NAME = "migrator"
CONNECT_TIMEOUT_S = 10
# Without them a cut link hangs for ever: in the middle of a COPY, or while the server is at work and says nothing.
_LINK = {
    "tcp_user_timeout": "60000",  # milliseconds
    "keepalives_idle": "30",  # seconds, as the next
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

# An older server would refuse the connection for a setting that it does not know.
_LATER_TIMEOUTS = {140_000: "idle_session_timeout", 170_000: "transaction_timeout"}

_SQLALCHEMY_DRIVERS = ("postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2", "postgres")
_EXAMPLE = "Example: postgresql://host/database"
_WAYS = (
    "Leave the password out and use one of: a line in the file named by PGPASSFILE (or ~/.pgpass), a service file "
    "(service=NAME), --password-file FILE, or env:DATABASE_URL with the whole URL in that variable."
)

_ENCODE = "Write postgresql://user@host:port/database; in a name or password / is %2F, @ is %40, : is %3A, ? is %3F."


# All connections of this process, for a watchdog that has to end what waits on them.
_open: WeakSet[psycopg.Connection] = WeakSet()
_opening = threading.Lock()


@dataclass(frozen=True)
class Target:
    """A database to connect to. `shown` is safe to print; the password is not in it, nor in repr()."""

    parameters: Mapping[str, str] = field(repr=False)
    shown: str

    @property
    def password(self) -> str | None:
        return self.parameters.get("password")


def is_database(text: str) -> bool:
    """Whether the text can only mean a database of a server: a URL, env:VARIABLE or a libpq connection string."""
    return re.match(r"[A-Za-z+0-9]+://|env:|\s*[a-z_]+\s*=", text) is not None


def resolve_target(
    text: str, password_file: Path | None = None, environ: Mapping[str, str] = os.environ, named: str = "TARGET"
) -> Target:
    """The database that TARGET names: a URL, a libpq connection string, or env:VARIABLE holding one.

    Raises UsageError for a password in the argument itself (every user of the machine can read a command line) and for
    text that is no connection string. Remote servers have to show a verified certificate unless sslmode says otherwise.
    """
    from_environment = text.startswith("env:")
    if from_environment:
        variable = text.removeprefix("env:")
        if not environ.get(variable):
            raise UsageError(f"The environment variable {variable} is not set.", next_step=f"export {variable}=…")
        text = environ[variable]
    parameters = _parse(text, named)
    if (parameters.get("password") or parameters.get("sslpassword")) and not from_environment:
        raise UsageError(
            f"{named} contains a password.", "Anyone on this machine could read it in the process list.", _WAYS
        )
    if password_file is not None:
        parameters["password"] = _read_password(password_file)
    if _is_remote(parameters) and "PGSSLMODE" not in environ:
        _verify_certificate(parameters, environ)
    parameters.setdefault("connect_timeout", str(CONNECT_TIMEOUT_S))
    return Target({**_LINK, **parameters}, _shown(parameters))


def _parse(text: str, named: str) -> dict[str, str]:
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in _SQLALCHEMY_DRIVERS:
        text = f"postgresql://{rest}"
    elif separator and scheme.lower() not in ("postgresql", "postgres"):
        raise UsageError(f"{named} begins with {redact(scheme)}://.", next_step="Write postgresql://host/database")
    if separator and "@" in rest.partition("/")[2].partition("?")[0]:
        raise UsageError(f"{named} has an @ behind its host.", "A password with / in it ends there.", _ENCODE)
    if not separator and "=" not in text:
        what = "a file" if Path(text).is_file() else "no connection string"
        raise UsageError(f"{named} is {what}.", "A PostgreSQL database is needed here.", _EXAMPLE)
    try:
        parameters = {key: str(value) for key, value in conninfo.conninfo_to_dict(text).items()}
    except psycopg.ProgrammingError as error:
        # What libpq could not read it puts between quotation marks, and that may be a part of a password.
        said = re.sub(r'".*"', f'"{HIDDEN}"', str(error).strip().replace('"="', "="), flags=re.DOTALL)
        reason = redact(said, *_passwords(text))
        raise UsageError(f"{named} is not a connection string.", reason, _EXAMPLE) from None
    _check_port(parameters, named)
    return parameters


def _check_port(parameters: dict[str, str], named: str) -> None:
    if not re.fullmatch(r"[0-9,]*", parameters.get("port", "")):
        raise UsageError(f"The port in {named} is not a number.", "It may be a password that stands there.", _ENCODE)


def _passwords(text: str) -> tuple[str | None, ...]:
    """What could be a password in a text that libpq could not parse."""
    try:
        netloc = urlsplit(text).netloc
    except ValueError:
        netloc = text.partition("://")[2]
    return (netloc.rpartition("@")[0].partition(":")[2] or None,)


def _read_password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise UsageError(f"The password file {path} cannot be read.", str(error)) from error


def _is_remote(parameters: Mapping[str, str]) -> bool:
    host = parameters.get("host") or parameters.get("hostaddr") or ""
    return bool(host) and not host.startswith(("/", "127.")) and host not in ("localhost", "::1")


def _verify_certificate(parameters: dict[str, str], environ: Mapping[str, str]) -> None:
    if "sslmode" in parameters:
        return
    parameters["sslmode"] = "verify-full"
    own = Path.home() / ".postgresql" / "root.crt"
    if "sslrootcert" not in parameters and "PGSSLROOTCERT" not in environ and not own.exists():
        parameters["sslrootcert"] = "system"


def _shown(parameters: Mapping[str, str]) -> str:
    host = parameters.get("host") or "local socket"
    port = f":{parameters['port']}" if "port" in parameters else ""
    service = parameters.get("service")
    return f"service {service}" if service else f"{parameters.get('dbname', 'default database')} on {host}{port}"


@contextmanager
def target_errors(target: Target, doing: str) -> Iterator[None]:
    """Turn psycopg's errors into a TargetError without secrets. `doing` completes the sentence: PostgreSQL refused …"""
    try:
        yield
    except psycopg.Error as error:
        raise target_error(target, doing, error) from None


def target_error(target: Target, doing: str, error: psycopg.Error) -> TargetError:
    """What PostgreSQL said, where it applies, and what gets further."""
    said = redact(" ".join(str(error).split()), target.password)
    return TargetError(f"PostgreSQL ({target.shown}) refused {doing}.", f"It says: {said}", _advice(error, target))


def _advice(error: psycopg.Error, target: Target) -> str:
    text = str(error).lower()
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "Grant the role CREATE on the database and on the schema, or connect as the database's owner."
    if isinstance(error, psycopg.errors.DependentObjectsStillExist):
        return "Drop what depends on these tables first, or put the new ones elsewhere with --schema NAME."
    if isinstance(error, psycopg.errors.DiskFull):
        return "Free space on the server: the target needs about 1.5 times the source's size while it is built."
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "Connect to the primary server, as a role and to a database that may be written to."
    if "too many clients" in text or "too many connections" in text or "connection slots" in text:
        return "Close other sessions, raise the limit (max_connections), or take fewer connections: --workers 1"
    if "certificate" in text or "ssl" in text:
        return "Give the server's root with sslrootcert=FILE, or sslmode=disable where the network is trusted."
    if "password" in text or "authentication" in text:
        return _WAYS
    if "does not exist" in text and "database" in text:
        return f"Create it first: createdb {target.parameters.get('dbname', 'NAME')}"
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return "Check that the server is running and that host and port are right: pg_isready -h HOST -p PORT"
    return ""


def connect(target: Target, *, autocommit: bool = True, search_path: str | None = None) -> psycopg.Connection:
    """A connection in UTF-8 and UTC. Raises TargetError, also for a database whose encoding is not UTF8."""
    with target_errors(target, "the connection"):
        connection = psycopg.connect(
            "",
            **{"application_name": APPLICATION_NAME, **target.parameters},  # type: ignore[arg-type]
            autocommit=autocommit,
            prepare_threshold=None,
            options="-c client_encoding=UTF8 -c TimeZone=UTC -c DateStyle=ISO -c statement_timeout=0"
            " -c idle_in_transaction_session_timeout=0 -c lock_timeout=0"
            # The server notices as soon as we do that the link is cut, and ends what we have begun.
            " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
        )
    with _opening:
        _open.add(connection)
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise TargetError(
            f"The database ({target.shown}) has the encoding {encoding}.",
            "It could not hold every text of the source.",
            "Create one with: createdb --encoding=UTF8 --template=template0 NAME",
        )
    for since, setting in _LATER_TIMEOUTS.items():
        if connection.info.server_version >= since:
            connection.execute(f"SET {setting} = 0")
    if search_path is not None:
        set_search_path(connection, search_path)
    return connection


def hang_up(connection: psycopg.Connection) -> None:
    """Shut the connection's socket: whatever waits on it, in any thread, gets psycopg.OperationalError at once."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


@contextmanager
def hurried(connection: psycopg.Connection, within_s: float) -> Iterator[None]:
    """Within the block the server has to answer in time; later the connection is hung up."""
    late = threading.Timer(within_s, hang_up, [connection])
    late.start()
    try:
        yield
    finally:
        late.cancel()


def hang_up_all() -> None:
    """Hang up every connection of this process."""
    with _opening:
        present = list(_open)
    for connection in present:
        hang_up(connection)


def connect_for_building(target: Target, *, search_path: str | None = None) -> psycopg.Connection:
    """A connection whose commits need not wait for the disk.

    The rename's commit does, and that flushes everything written before it; until then a crash of the server costs
    staging anyway.
    """
    connection = connect(target, search_path=search_path)
    connection.execute("SET synchronous_commit = off")
    return connection


def set_search_path(connection: psycopg.Connection, schema: str) -> None:
    """Unqualified names mean that schema, and PostgreSQL's own first.

    Every table is a type too: with pg_catalog named last, a table called text would be what the other tables' text is.
    """
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))


def execute(connection: psycopg.Connection, statement: str) -> psycopg.Cursor[tuple[object, ...]]:
    """Run a statement that core/ddl.py composed: every identifier in it went through names.quote_identifier."""
    return connection.execute(statement)
