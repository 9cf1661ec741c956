"""The run folder: the plan that was carried out, what was rejected and healed, and the outcome.

plan.toml       the plan as it was
shapes.json     the tables that a known application makes, where a profile had a part
rejects.jsonl   one row per line: table, key, column, storage class, value in hexadecimal, reason
healed.jsonl    one healed value per line: table, key, column, policy
run.json        the outcome; its shape has a version
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from migrator.core.errors import Failure
from migrator.core.work import Healed, Reject

VERSION = 1


@dataclass
class RunFolder:
    """`made` are the folders that did not exist before this run, the innermost first."""

    path: Path
    rejects: int = 0
    healed: int = 0
    made: tuple[Path, ...] = ()

    def write_plan(self, text: str) -> None:
        self._write("plan.toml", text)

    def write_shapes(self, text: str) -> None:
        self._write("shapes.json", text)

    def read_shapes(self) -> str | None:
        with suppress(FileNotFoundError):
            return (self.path / "shapes.json").read_text(encoding="utf-8")
        return None

    def add_rejects(self, rejects: Iterable[Reject]) -> None:
        lines = [
            {
                "table": reject.table,
                "key": reject.key,
                "rowid": reject.rowid,
                "column": reject.column,
                "storage_class": reject.storage_class,
                "value_hex": reject.value_hex,
                "reason": reject.reason,
                "identity": _identity(reject.identity),
            }
            for reject in rejects
        ]
        self.rejects += len(lines)
        self._append("rejects.jsonl", lines)

    def add_healed(self, healed: Iterable[Healed]) -> None:
        lines = [
            {
                "table": item.table,
                "key": item.key,
                "column": item.column,
                "policy": item.policy,
                "identity": _identity(item.identity),
            }
            for item in healed
        ]
        self.healed += len(lines)
        self._append("healed.jsonl", lines)

    def write_outcome(self, outcome: dict[str, Any]) -> None:
        self._write("run.json", json.dumps({"version": VERSION, **outcome}, indent=2, ensure_ascii=False) + "\n")

    def read_outcome(self) -> dict[str, Any] | None:
        """What an earlier run wrote, or None if it never came so far."""
        with suppress(OSError, ValueError):
            return dict(json.loads((self.path / "run.json").read_text(encoding="utf-8")))
        return None

    def read_plan(self) -> Path:
        return self.path / "plan.toml"

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The entries of rejects.jsonl or healed.jsonl."""
        with suppress(FileNotFoundError), (self.path / name).open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def remove_if_empty(self) -> None:
        """Take the folder back where nothing was written: the source or the target turned out to be wrong."""
        with suppress(OSError):
            for path in self.made:
                path.rmdir()

    def _append(self, name: str, lines: list[dict[str, Any]]) -> None:
        if lines:
            with _writing(self.path / name) as path, path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)

    def _write(self, name: str, text: str) -> None:
        with _writing(self.path / name) as path:
            path.write_text(text, encoding="utf-8")


class _writing:  # noqa: N801  # used like a function
    """Turns a full disk or a missing permission into an error a person can act on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, OSError):
            raise Failure(
                f"{self._path} cannot be written.", f"{error.strerror}.", "Choose another place with --run-dir."
            ) from error


def _identity(identity: object) -> object:
    """JSON has no bytes; keys that hold some are written in hexadecimal with a mark."""
    if isinstance(identity, tuple):
        return [_identity(item) for item in identity]
    return {"bytes": identity.hex()} if isinstance(identity, bytes) else identity


def read_identity(identity: object) -> object:
    """The inverse of how an identity is written."""
    if isinstance(identity, list):
        return tuple(map(read_identity, identity))
    return bytes.fromhex(identity["bytes"]) if isinstance(identity, dict) else identity


def create_run_folder(parent: Path, source: Path, run_id: str) -> RunFolder:
    """A new folder for this run, readable by its owner only: rejects hold data. Raises Failure."""
    path = parent / f"{source.stem}-{run_id}"
    made = (path,) if parent.exists() else (path, parent)
    try:
        path.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise Failure(
            f"The run folder {path} cannot be made.", f"{error.strerror}.", "Choose another place with --run-dir."
        ) from error
    return RunFolder(path, made=made)


def new_run_id() -> str:
    """Sorts by time, and is a valid part of a schema's name."""
    return datetime.now(UTC).strftime("%Y%m%d_%H%M%S_") + os.urandom(2).hex()
