"""Everything that can go wrong, as a map.

    MigratorError                     what happened, why, what to do next; carries the exit code
    ├── UsageError               2    the command line cannot be carried out as it was given
    ├── SourceError              4    the SQLite side: missing, not a database, corrupt, locked, changed
    ├── TargetError              5    the PostgreSQL side: unreachable, refused, in the way
    │   └── Occupied                  its schema is not empty, or holds rows that --replace would drop
    │   └── Stalled              5    nothing moves between us and the server any more
    ├── PlanError                2    the plan file cannot be read or contradicts the source
    ├── DecisionNeeded           7    nothing was done, because a person has to choose first
    ├── Mismatch                 3    verification found a difference; the target was left untouched
    ├── Interrupted              6    Ctrl-C, SIGTERM or a stall; what had arrived is kept, and the same command goes on
    ├── NotBegun               130    Ctrl-C or SIGTERM before anything had arrived
    └── Failure                  1    anything else that ended the work

The exit codes are those of README.md; a script can rely on them.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells a script."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    MISMATCH = 3
    SOURCE = 4
    TARGET = 5
    RESUMABLE = 6
    DECISION = 7
    INTERRUPTED = 130


class MigratorError(Exception):
    """An error that a person can act on.

    `what` happened, `why` (as far as it is known), and `next_step`: a command or an action that gets further.
    """

    exit_code = ExitCode.FAILURE

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        super().__init__(what, why, next_step)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.next_step) if part)


class Failure(MigratorError):
    """Work ended for a reason that is neither the source's nor the target's."""


class UsageError(MigratorError):
    """The command line asks for something that cannot be done."""

    exit_code = ExitCode.USAGE


class PlanError(MigratorError):
    """The plan cannot be read, is contradictory, or was made for another schema."""

    exit_code = ExitCode.USAGE


class SourceError(MigratorError):
    """The SQLite file cannot be read, or is not what it was."""

    exit_code = ExitCode.SOURCE


class TargetError(MigratorError):
    """The PostgreSQL server cannot be reached or refuses."""

    exit_code = ExitCode.TARGET


class Stalled(TargetError):
    """For as long as --stall-timeout says, nothing has moved."""


class Occupied(TargetError):
    """What stands in the target's schema is in the way."""


class DecisionNeeded(MigratorError):
    """A person has to choose before anything is changed."""

    exit_code = ExitCode.DECISION


class Mismatch(MigratorError):
    """Source and target differ in a way that neither rejects nor healed values explain."""

    exit_code = ExitCode.MISMATCH


class NotBegun(MigratorError):
    """A person or a service manager ended the work before there was anything to keep."""

    exit_code = ExitCode.INTERRUPTED


class Interrupted(MigratorError):
    """A person, a service manager or the watchdog ended the work; the same command goes on."""

    exit_code = ExitCode.RESUMABLE
