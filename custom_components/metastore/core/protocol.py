"""Home Assistant's WebSocket dialogue without a socket: frames in, messages out, and what is to be sent.

https://developers.home-assistant.io/docs/api/websocket; the frames of every phase were recorded from 2026.11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from .errors import InvalidToken, ProtocolError

MAX_FRAME_BYTES = 64 * 1024 * 1024  # 41,000 entities are 23 MB; aiohttp would stop at 4


class Phase(StrEnum):
    """Where the dialogue is; a command can be sent in OPEN only."""

    GREETING = "greeting"
    AUTHENTICATING = "authenticating"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Opened:
    """The token was accepted."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a command."""

    id: int
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The refusal of a command."""

    id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a subscription delivers; `id` is that of the subscribing command."""

    id: int
    payload: Any


type Message = Opened | Result | Failed | Event


def parse(frame: str | bytes) -> Any:
    """The frame's JSON. Raises ProtocolError.

    PostgreSQL has no character U+0000, so a home that uses it gets U+FFFD in its place, on either database.
    """
    try:
        content = orjson.loads(frame)
    except ValueError as error:
        raise ProtocolError(f"a frame is not JSON: {error}") from error
    escaped = "\\u0000" in frame if isinstance(frame, str) else b"\\u0000" in frame
    try:
        return _without_nul(content) if escaped else content
    except RecursionError as error:
        raise ProtocolError("a frame is nested too deeply") from error


def _without_nul(content: Any) -> Any:
    match content:
        case str():
            return content.replace("\0", "\ufffd")
        case list():
            return [_without_nul(item) for item in content]
        case dict():
            return {_without_nul(name): _without_nul(value) for name, value in content.items()}
        case _:
            return content


class Dialogue:
    """One connection from its greeting on. After a ProtocolError only a new one has a known state."""

    def __init__(self, token: str) -> None:
        self.phase = Phase.GREETING
        self._token = token
        self._last_id = 0
        self._waiting: set[int] = set()
        self._outgoing: list[str] = []

    def outgoing(self) -> list[str]:
        """What has to be sent now, in this order; each text once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    def command(self, kind: str, /, **arguments: Any) -> int:
        """Put a command into what has to be sent, and return the id that its answer will carry."""
        if self.phase is not Phase.OPEN:
            raise ProtocolError(f"{kind} before the home has accepted the token")
        self._last_id += 1
        self._waiting.add(self._last_id)
        self._send({"id": self._last_id, "type": kind, **arguments})
        return self._last_id

    def receive(self, content: Any) -> Iterator[Message]:
        """The messages in a parsed frame: one, or a list of them, each to be routed by itself.

        Raises ProtocolError, and InvalidToken where the home refuses the token.
        """
        for message in content if isinstance(content, list) else (content,):
            if not isinstance(message, dict):
                raise ProtocolError(f"a message is a {type(message).__name__}")
            if self.phase is Phase.OPEN:
                yield from self._open(message)
            else:
                yield from self._authenticate(message)

    def _authenticate(self, message: dict[str, Any]) -> Iterator[Message]:
        match self.phase, message.get("type"):
            case Phase.GREETING, "auth_required":
                self.phase = Phase.AUTHENTICATING
                self._send({"type": "auth", "access_token": self._token})
            case Phase.AUTHENTICATING, "auth_ok":
                self.phase = Phase.OPEN
                # One frame may then hold a list of messages, which spares the home a frame for each event.
                self.command("supported_features", features={"coalesce_messages": 1})
                yield Opened()
            case _, "auth_invalid":
                raise InvalidToken(f"the home refused the token: {message.get('message', 'no reason given')}")
            case phase, kind:
                raise ProtocolError(f"{str(kind)[:40]!r} in the phase {phase}")

    def _open(self, message: dict[str, Any]) -> Iterator[Message]:
        kind, number = message.get("type"), message.get("id")
        if kind not in ("result", "event", "pong"):
            return  # A kind of a later release, which nobody has asked for.
        if type(number) is not int:
            raise ProtocolError(f"a {kind} without an id")
        if number > self._last_id or number < 1:
            raise ProtocolError(f"a {kind} for the command {number}, which was never sent")
        if kind == "event":
            yield Event(number, message.get("event"))
        elif number in self._waiting:
            self._waiting.discard(number)
            yield self._answer(number, message)
        elif kind == "result":
            raise ProtocolError(f"a second result for the command {number}")

    def _answer(self, number: int, message: dict[str, Any]) -> Message:
        if message.get("type") == "pong" or message.get("success") is True:
            return Result(number, message.get("result"))
        error = message.get("error")
        error = error if isinstance(error, dict) else {}
        return Failed(number, str(error.get("code", "unknown_error")), str(error.get("message", "no reason given")))

    def _send(self, message: dict[str, Any]) -> None:
        self._outgoing.append(orjson.dumps(message).decode())
