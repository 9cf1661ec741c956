"""How long work tells what it is doing; report.py shows it, tests ignore it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def start(self, label: str, total: int | None = None) -> None:
        """A phase begins; `total` rows or steps are ahead, None where nobody knows."""

    def advance(self, count: int = 1) -> None:
        """So many more are done. May be called from any thread."""

    def finish(self) -> None:
        """The phase is over."""

    def note(self, text: str) -> None:
        """One line that stays."""


class Silent:
    """Shows nothing."""

    def start(self, label: str, total: int | None = None) -> None:
        pass

    def advance(self, count: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def note(self, text: str) -> None:
        pass
