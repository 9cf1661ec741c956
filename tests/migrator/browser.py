"""A real Chromium without a window, steered through the pipe that it offers for that: no port, no driver, no library.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PROGRAMS = ("chromium", "google-chrome")
OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
)


class Unavailable(Exception):
    """There is no such browser on this machine; the text says what to install."""


@dataclass
class Tab:
    """One page. `requests` are the addresses it asked for, `complaints` what the browser said about it."""

    _pipe: tuple[int, int]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _session: str | None = None
    _rest: bytes = b""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _loaded: bool = False

    def open(self, address: str) -> None:
        """Load it and wait until it has loaded."""
        self.requests.clear()
        self.complaints.clear()
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded:
            self._note(self._read())

    def look(self, scheme: str, width: int, height: int = 900, *, scale: float = 1, media: str = "screen") -> None:
        """Be a screen of that width, or paper, for somebody who likes it `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, as JSON carries it; a promise is awaited."""
        options = {"returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, *, whole: bool = False) -> bytes:
        """PNG of what the screen shows, or of the whole page."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": number, "method": method, "params": parameters, **session}
        os.write(self._pipe[1], json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self._note(answer)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(str(parameters))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._pipe[0], 1 << 20)
            assert piece, "Chromium has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def chromium() -> Iterator[Tab]:
    """A tab of a browser that starts here and ends with the block. Raises Unavailable."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise Unavailable("no Chromium here: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="migrator-browser-", ignore_cleanup_errors=True) as profile:
        sandbox = ("--no-sandbox",) if os.getuid() == 0 else ()
        process, pipe = _start([program, *OPTIONS, *sandbox, f"--user-data-dir={profile}"], profile)
        try:
            tab = Tab(pipe)
            tab.attach()
            yield tab
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            for end in pipe:
                os.close(end)


def _start(command: list[str], home: str) -> tuple[int, tuple[int, int]]:
    """(process, (what it says, what it is told)): it listens at its file 3 and speaks at its file 4."""
    heard, told = os.pipe()
    said, speaking = os.pipe()
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (heard, speaking)]  # out of the way of 3 and 4
    files = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    files += [(os.POSIX_SPAWN_DUP2, end, number) for end, number in zip(theirs, (3, 4), strict=True)]
    process = os.posix_spawn(command[0], command, {**os.environ, "HOME": home}, file_actions=files)
    for end in (heard, speaking, *theirs):
        os.close(end)
    return process, (said, told)
