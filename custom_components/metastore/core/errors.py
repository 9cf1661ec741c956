"""Everything that can go wrong between a home and the mirror.

MetastoreError
├── SourceError               the home, or the way to it
│   ├── ConnectionLost        retry: the network, a restart, a closed connection, no answer in time
│   │   └── ProtocolError     retry: what came is not what Home Assistant's protocol says
│   ├── CommandFailed         the home answered with an error
│   ├── InvalidToken          final: a person has to sign in again
│   ├── NotAdmin              final: the user may not list webhooks
│   └── OtherHome             final: not the Home Assistant that is in the database
└── StoreError                the database
    ├── NewerDatabase         final: written by a newer version of Metastore
    ├── HomeTaken             retry: another process mirrors this home into the same database
    └── StoreUnavailable      retry: it cannot be opened, or it does not answer
"""

from __future__ import annotations


class MetastoreError(Exception):
    """The message says what happened and why; `__cause__` has the driver's own error."""


class SourceError(MetastoreError):
    """The home, or the way to it."""


class ConnectionLost(SourceError):
    """The connection ended, or an answer did not come in time."""


class ProtocolError(ConnectionLost):
    """What came is not what Home Assistant's protocol says; only a new connection has a known state."""


class CommandFailed(SourceError):
    """The home refused a command. `code` is Home Assistant's: unknown_command, unauthorized, not_found and so on."""

    def __init__(self, command: str, code: str, message: str) -> None:
        super().__init__(f"{command}: {message} ({code})")
        self.command = command
        self.code = code


class InvalidToken(SourceError):
    """The home refused the token. Trying again would count as an attack."""


class NotAdmin(SourceError):
    """The token's user is not an administrator."""


class StoreError(MetastoreError):
    """The database."""


class NewerDatabase(StoreError):
    """The database was written by a newer version of Metastore, and is left as it is."""


class HomeTaken(StoreError):
    """Another process mirrors this home into the same database."""


class StoreUnavailable(StoreError):
    """The database cannot be opened, or does not answer."""


class OtherHome(SourceError):
    """Another Home Assistant than before answers at this address; mixing two homes would remove both."""
