"""The way to a home: Home Assistant's WebSocket over an aiohttp session."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from .core.errors import CommandFailed, ConnectionLost, InvalidToken, ProtocolError
from .core.protocol import MAX_FRAME_BYTES, Dialogue, Event, Failed, Message, Opened, Result, parse

HEARTBEAT_S = 20.0
CONNECT_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 30.0
INLINE_BYTES = 128 * 1024  # a longer frame is parsed in a thread

type Watch = Callable[[Any], None]


@dataclass(frozen=True)
class Access:
    """Where a home is and what opens it; `repr` shows no token."""

    url: str
    token: str
    ssl: ssl.SSLContext | bool = True

    def __repr__(self) -> str:
        return f"Access({URL(self.url).with_user(None)})"


class Connection:
    """An open connection. Commands may be sent at any time; subscriptions call back in the order of the frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, dialogue: Dialogue) -> None:
        self._socket = socket
        self._dialogue = dialogue
        self._sending = asyncio.Lock()
        self._answers: dict[int, _Answer] = {}
        self._watches: dict[int, Watch] = {}
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def call(
        self,
        kind: str,
        /,
        *,
        arrived: Callable[[], None] | None = None,
        timeout_s: float = COMMAND_TIMEOUT_S,
        **arguments: Any,
    ) -> Any:
        """The answer's value. `arrived` is called when the answer is there, before anything that came after it.

        Raises CommandFailed where the home refuses, ConnectionLost where no answer comes in time.
        """
        answer = _Answer(kind, asyncio.get_running_loop().create_future(), arrived)
        number = await self._send(kind, arguments, answer)
        return await self._answer(number, answer, timeout_s)

    async def subscribe(self, watch: Watch, kind: str, /, **arguments: Any) -> None:
        """`watch` is called with every event, in the reader: it must be quick, and it must not fail."""
        answer = _Answer(kind, asyncio.get_running_loop().create_future(), None)
        number = await self._send(kind, arguments, answer, watch)
        await self._answer(number, answer, COMMAND_TIMEOUT_S)

    async def lost(self) -> None:
        """Wait until the connection ends. Raises ConnectionLost."""
        await asyncio.wait((self._lost,))
        self._lost.result()

    async def _send(self, kind: str, arguments: dict[str, Any], answer: _Answer, watch: Watch | None = None) -> int:
        async with self._sending:  # ids have to arrive in the order in which they were given out
            number = self._dialogue.command(kind, **arguments)
            self._answers[number] = answer
            if watch:
                self._watches[number] = watch
            await self._flush()
        return number

    async def _answer(self, number: int, answer: _Answer, timeout_s: float) -> Any:
        try:
            async with asyncio.timeout(timeout_s):
                done, _ = await asyncio.wait((answer.future, self._lost), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise ConnectionLost(f"no answer to {answer.kind} within {timeout_s:g} seconds") from None
        finally:
            self._answers.pop(number, None)
        if answer.future in done:
            return answer.future.result()
        self._lost.result()
        raise AssertionError("a connection is lost with a reason")

    async def _flush(self) -> None:
        try:
            for frame in self._dialogue.outgoing():
                await self._socket.send_str(frame)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise ConnectionLost(f"the connection broke: {error}") from error

    async def read(self) -> None:
        """Read until the connection ends, and tell everybody who waits. It never waits for anything but the socket."""
        error: Exception
        try:
            while True:
                for message in self._dialogue.receive(await self._next()):
                    self._route(message)
                await self._flush()
        except (ConnectionLost, InvalidToken) as raised:
            error = raised
        except asyncio.CancelledError:
            error = ConnectionLost("the connection was closed")
        for future in (self._opened, self._lost):
            if not future.done():
                future.set_exception(error)
                future.exception()  # nobody has to ask for it

    async def _next(self) -> Any:
        frame = await self._socket.receive()
        if frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            if len(frame.data) <= INLINE_BYTES:
                return parse(frame.data)
            return await asyncio.get_running_loop().run_in_executor(None, parse, frame.data)
        if frame.type is aiohttp.WSMsgType.ERROR:
            raise ConnectionLost(f"the connection broke: {frame.data}")
        raise ConnectionLost(f"the home closed the connection ({self._socket.close_code})")

    def _route(self, message: Message) -> None:
        match message:
            case Opened():
                if not self._opened.done():
                    self._opened.set_result(None)
            case Event(number, payload):
                if watch := self._watches.get(number):
                    watch(payload)
            case Result(number, value):
                if answer := self._answers.get(number):
                    answer.settle(value)
            case Failed(number, code, text):
                if answer := self._answers.get(number):
                    answer.refuse(CommandFailed(answer.kind, code, text))

    async def opened(self) -> None:
        """Wait until the home has accepted the token. Raises InvalidToken, ConnectionLost."""
        done, _ = await asyncio.wait((self._opened,), timeout=CONNECT_TIMEOUT_S)
        if not done:
            raise ConnectionLost(f"the home did not greet within {CONNECT_TIMEOUT_S:g} seconds")
        self._opened.result()


@dataclass(frozen=True)
class _Answer:
    kind: str
    future: asyncio.Future[Any]
    arrived: Callable[[], None] | None

    def settle(self, value: Any) -> None:
        if self.arrived:
            self.arrived()
        if not self.future.done():
            self.future.set_result(value)

    def refuse(self, error: CommandFailed) -> None:
        if not self.future.done():
            self.future.set_exception(error)


@asynccontextmanager
async def connect(session: aiohttp.ClientSession, access: Access) -> AsyncIterator[Connection]:
    """A connection whose token was accepted. Raises InvalidToken, and ConnectionLost for everything on the way."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            socket = await session.ws_connect(
                websocket_url(access.url), ssl=access.ssl, heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME_BYTES
            )
    except TimeoutError:
        raise ConnectionLost(f"no connection within {CONNECT_TIMEOUT_S:g} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise ConnectionLost(f"no connection: {error}") from error
    connection = Connection(socket, Dialogue(access.token))
    reader = asyncio.create_task(connection.read(), name="metastore reader")
    try:
        await connection.opened()
        yield connection
    finally:
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await socket.close()


def websocket_url(url: str) -> URL:
    """Raises ProtocolError for a URL that is none."""
    home = URL(url)
    if home.scheme not in ("http", "https") or not home.host:
        raise ProtocolError("the address has to begin with http:// or https://")
    return home.with_scheme("wss" if home.scheme == "https" else "ws") / "api" / "websocket"
