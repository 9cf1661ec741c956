"""Steps of a run at which a test does something to it: kill the process, stop the server, cut the network.

A step is named, and stands for a function of the migrator before or behind which it is done.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from .terminal import Answer, migrator, migrator_forked

# Name of the step → (module, what is called there, whether the process dies before or behind it, at which call).
STEPS: dict[str, tuple[str, str, str, int]] = {
    "before the journal": ("migrator.target.journal", "Journal.create", "before", 1),
    "journal made, not committed": ("migrator.target.journal", "Journal.create", "behind", 1),
    "before the tables": ("migrator.steps.resume", "create_tables", "before", 1),
    "tables made": ("migrator.steps.resume", "create_tables", "behind", 1),
    "tables told": ("migrator.target.journal", "Journal.define", "behind", 1),
    "first table copied": ("migrator.steps.copying", "Copied.add", "behind", 1),
    "third table copied": ("migrator.steps.copying", "Copied.add", "behind", 3),
    "while an index is built": ("migrator.steps.building", "Builder._build", "before", 1),
    "an index built": ("migrator.steps.building", "Builder._build", "behind", 1),
    "all copied": ("migrator.steps.carrying", "copy_tables", "behind", 1),
    "orphans settled": ("migrator.steps.carrying", "settle_orphans", "behind", 1),
    "rejects written": ("migrator.run_folder", "RunFolder.write_lines", "behind", 2),
    "keys attached": ("migrator.steps.carrying", "finish_tables", "behind", 1),
    "a foreign key validated": ("migrator.steps.building", "Builder._validate", "behind", 1),
    "sequences set": ("migrator.steps.carrying", "restart", "behind", 1),
    "views made": ("migrator.steps.carrying", "finish_views", "behind", 1),
    "before the proof": ("migrator.steps.carrying", "verify_all", "before", 1),
    "proven": ("migrator.steps.carrying", "verify_all", "behind", 1),
    "rename begun": ("migrator.target.journal", "Journal.place", "behind", 1),
    "renamed, not committed": ("migrator.target.staging", "move_into_place", "behind", 1),
    "renamed": ("migrator.run_folder", "RunFolder.write_outcome", "before", 1),
    "outcome written": ("migrator.run_folder", "RunFolder.write_outcome", "behind", 1),
    "journal gone": ("migrator.target.journal", "Journal.discard", "behind", 1),
}


def run_killed(step: str, *arguments: str | Path) -> int:
    """The signal that ended the command, or 0 where it did not come to that step. The command runs in a fork."""
    if not (child := os.fork()):
        code = 1
        try:
            arm(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
            code = migrator(*arguments).code
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def run_struck(step: str, action: Callable[[], object], *arguments: str | Path) -> Answer:
    """The command's answer. It runs in a fork, and stands still at that step until this process has done `action`."""
    reached, done = os.pipe(), os.pipe()

    def stand_still() -> None:
        os.write(reached[1], b"!")
        os.read(done[0], 1)

    def strike() -> None:
        if os.read(reached[0], 1):
            action()
            os.write(done[1], b"!")

    striker = threading.Thread(target=strike, daemon=True)
    striker.start()
    try:
        answer = migrator_forked(*arguments, prepare=lambda: arm(step, stand_still))
        assert not striker.is_alive(), f"it did not come to this step: {step}"
        return answer
    finally:
        os.close(reached[1])
        striker.join(timeout=60)


def arm(step: str, action: Callable[[], object]) -> None:
    """Have `action` called, once, at that step, in this process."""
    module, name, when, call = STEPS[step]
    owner: object = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    setattr(owner, last, _armed(getattr(owner, last), action, when, call))


def _armed(work: Callable[..., object], action: Callable[[], object], when: str, call: int) -> Callable[..., object]:
    calls = 0

    def armed(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls = mine = calls + 1
        if mine == call and when == "before":
            action()
        result = work(*arguments, **options)
        if mine == call and when == "behind":
            action()
        return result

    return armed
