"""
A provider that follows a script: a real HTTP server on a free port of the loopback interface.

A script is a list of scenes, one per request; the last one is played again and again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

Scene = Callable[["Upstream", web.Request], Awaitable[web.StreamResponse]]

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
FOREVER_S = 30.0  # longer than any test


class Received:
    """One request as it arrived. *gone*: the client has closed the connection meanwhile."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.method = request.method
        self.path = request.raw_path
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.body = body
        self.peer = request.transport.get_extra_info("peername") if request.transport else None
        self.gone = asyncio.Event()


class Upstream:
    """Where it listens (*url*), what it received, and the *scenes* to come."""

    def __init__(self, url: str, scenes: list[Scene]) -> None:
        self.url = url
        self.scenes = scenes
        self.received: list[Received] = []
        self.arrived = asyncio.Event()  # anything at all

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Play the next scene."""
        received = Received(request, await request.read())
        self.received.append(received)
        self.arrived.set()
        scene = self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0]
        try:
            return await scene(self, request)
        except (asyncio.CancelledError, ConnectionResetError):
            received.gone.set()
            raise


class Stall:
    """In a stream: nothing more, for longer than any test."""


class Cut:
    """In a stream: the connection breaks."""


class Wait:
    """In a stream: until *event*."""

    def __init__(self, event: asyncio.Event) -> None:
        self.event = event


Piece = bytes | type[Stall] | type[Cut] | Wait


def whole(body: bytes = b"{}", status: int = 200, **headers: str) -> Scene:
    """An answer in one piece. Underscores in the names of *headers* are dashes."""

    async def scene(_: Upstream, __: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=JSON | _named(headers))

    return scene


def stream(*pieces: Piece, status: int = 200, **headers: str) -> Scene:
    """Each piece is written, and flushed, by itself; the end of them is a proper end."""

    async def scene(_: Upstream, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=EVENTS | _named(headers))
        await response.prepare(request)
        for piece in pieces:
            if piece is Stall:
                await asyncio.sleep(FOREVER_S)
            elif piece is Cut:
                hang_up_now(request)
                return response
            elif isinstance(piece, Wait):
                await piece.event.wait()
            else:
                assert isinstance(piece, bytes)
                await response.write(piece)
                await asyncio.sleep(0)  # lets it leave before the next
        await response.write_eof()
        return response

    return scene


def silence() -> Scene:
    """Not even headers."""

    async def scene(_: Upstream, __: web.Request) -> web.StreamResponse:
        await asyncio.sleep(FOREVER_S)
        raise AssertionError("nobody waits that long")

    return scene


def hang_up() -> Scene:
    """The connection closes without a byte of an answer."""

    async def scene(_: Upstream, request: web.Request) -> web.StreamResponse:
        hang_up_now(request)
        return web.Response()

    return scene


def raw(*pieces: bytes | Wait, close: bool = False) -> Scene:
    """These very bytes instead of an HTTP answer of the server's."""

    async def scene(_: Upstream, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        for piece in pieces:
            if isinstance(piece, Wait):
                await piece.event.wait()
            else:
                request.transport.write(piece)
        if close:
            request.transport.close()
        await asyncio.sleep(FOREVER_S)
        raise AssertionError("nobody waits that long")

    return scene


def hang_up_now(request: web.Request) -> None:
    """Break the connection of *request*."""
    if request.transport is not None:
        request.transport.abort()


@asynccontextmanager
async def scripted(*scenes: Scene, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """An upstream that plays *scenes*; over TLS with *tls*."""
    upstream = Upstream("", list(scenes))
    server = web.Server(upstream.handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    host, port = runner.addresses[0][:2]
    upstream.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield upstream
    finally:
        await runner.cleanup()


def chat_answer(text: str = "Hello", *, usage: bool = True, finish: str = "stop") -> bytes:
    """A whole answer as OpenAI gives it."""
    counts = b',"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}'
    return (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"served-1","choices":'
        b'[{"index":0,"message":{"role":"assistant","content":"%b"},"finish_reason":"%b"}]%b}'
        % (text.encode(), finish.encode(), counts if usage else b"")
    )


def chat_event(delta: str = "", finish: str | None = None) -> bytes:
    """One chunk of a stream as OpenAI gives it."""
    reason = b"null" if finish is None else b'"%b"' % finish.encode()
    content = b'{"content":"%b"}' % delta.encode() if delta else b"{}"
    return (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"served-1",'
        b'"choices":[{"index":0,"delta":%b,"finish_reason":%b}]}\n\n' % (content, reason)
    )


ROLE = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"served-1",'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
)
USAGE = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"served-1",'
    b'"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}\n\n'
)
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error":{"message":"boom","type":"server_error","code":null}}\n\n'


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
