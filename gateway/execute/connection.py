"""One HTTP/1.1 connection to an upstream: one exchange at a time, its answer piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from gateway.core.transport import TransportError

# Unread bytes above twice this stop the reading from the socket; they go on below it once. A slow
# client then slows its upstream instead of filling our memory.
READ_BYTES = 128 * 2**10
HEADER_FIELD_BYTES_MAX = 16 * 2**10  # nginx: 4 x 8 KiB, node: 16 KiB for all of them
HEADERS_MAX = 128  # the default of aiohttp and Apache: 100


class Connection(BaseProtocol):
    """
    The mutable state is the exchange in progress: *_head* until the status and headers are there,
    then *_body* until its end or *broken*, the reason that it has none.

    *heard*: a byte of the answer has arrived. *exchanges* were begun on this connection.
    """

    __slots__ = ("_body", "_closed", "_head", "_keep", "broken", "exchanges", "heard", "idle_s")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, closed: Callable[[Connection], None]
    ) -> None:
        super().__init__(loop)
        self._closed = closed
        self._head: asyncio.Future[RawResponseMessage] | None = None
        self._body: StreamReader = EMPTY_PAYLOAD
        self._keep = True
        self.broken: TransportError | None = None
        self.heard = False
        self.exchanges = 0
        self.idle_s = 0.0  # when it became idle

    @property
    def reusable(self) -> bool:
        """The exchange is over on both sides, and the upstream keeps the connection open."""
        return (
            self._keep
            and self._body.is_eof()
            and self.transport is not None
            and not self.transport.is_closing()
            and not self.transport.get_write_buffer_size()
        )

    async def exchange(
        self, head: bytes, body: bytes, *, bodiless: bool
    ) -> tuple[RawResponseMessage, StreamReader]:
        """
        Send a request and wait for the head of its answer. *bodiless*: it will have no body,
        whatever its headers say. Cancelled, the connection is closed.

        Raises:
            TransportError: ``lost`` or ``malformed``; the connection is closed.
        """
        self.heard = False
        self.exchanges += 1
        transport = self.transport
        if transport is None:
            raise TransportError("lost", "The provider had closed the connection.")
        # Never paused in writing: the body is in memory already, and the caller bounds the wait.
        self._parser = HttpResponseParser(
            self,
            self._loop,
            READ_BYTES,
            max_line_size=HEADER_FIELD_BYTES_MAX,
            max_field_size=HEADER_FIELD_BYTES_MAX,
            max_headers=HEADERS_MAX,
            response_with_body=not bodiless,
            read_until_eof=True,
            auto_decompress=False,
        )
        self._body = EMPTY_PAYLOAD
        self._head = self._loop.create_future()
        transport.writelines((head, body) if body else (head,))
        try:
            message = await self._head
        except BaseException:
            self._keep = False
            self.abort()
            raise
        return message, self._body

    def rest(self) -> None:
        """The exchange is over: whatever comes now was not asked for."""
        self._parser = None
        self._head = None

    def abort(self) -> None:
        """Close at once, which tells the upstream to stop."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse; *data* is empty when reading goes on after a pause."""
        if self._parser is None:
            if data:  # nobody asked: the next answer would be off by one
                self.abort()
            return
        self.heard = True
        try:
            messages, upgraded, _ = self._parser.feed_data(data)
        except HttpProcessingError as error:
            self._fail(TransportError("malformed", f"No valid HTTP: {type(error).__name__}."))
            return
        for message, body in messages:
            self._answered(message, body, upgraded=upgraded)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The end of the connection ends the body too, properly or not."""
        super().connection_lost(exc)
        parser, self._parser = self._parser, None
        self._keep = False
        waiting = self._waiter() is not None
        if waiting or not self._body.is_eof():
            reason = f": {exc}" if exc is not None else "."
            lost = TransportError("lost", f"The provider closed the connection early{reason}")
            if waiting or exc is not None:
                self._break(lost)
            else:
                try:
                    if parser is not None:
                        parser.feed_eof()
                except HttpProcessingError:
                    self._break(lost)
        self._closed(self)

    def _answered(self, message: RawResponseMessage, body: StreamReader, *, upgraded: bool) -> None:
        if message.code == 101:
            self._fail(TransportError("malformed", "The provider switched protocols unasked."))
        elif message.code < 200:
            return  # 100 Continue, 103 Early Hints: the answer is still to come
        elif (waiter := self._waiter()) is None:
            self._keep = False  # a second answer to one request
        else:
            self._body = body
            self._keep = not message.should_close and not upgraded
            waiter.set_result(message)

    def _waiter(self) -> asyncio.Future[RawResponseMessage] | None:
        """Who waits for the head of an answer."""
        return self._head if self._head is not None and not self._head.done() else None

    def _fail(self, error: TransportError) -> None:
        self._parser = None
        self._keep = False
        self._break(error)
        self.abort()

    def _break(self, error: TransportError) -> None:
        """Tell who waits. A body ends instead of raising, so that what came before is read."""
        if (waiter := self._waiter()) is not None:
            waiter.set_exception(error)
        elif not self._body.is_eof():
            self.broken = error
            self._body.feed_eof()


class Response:
    """See ``UpstreamResponse``. *done* takes the connection back, whatever its state."""

    __slots__ = ("_body", "_connection", "_done", "_end", "headers", "status")

    def __init__(
        self,
        message: RawResponseMessage,
        body: StreamReader,
        connection: Connection,
        done: Callable[[Connection], None],
    ) -> None:
        self.status: int = message.code
        self.headers: Mapping[str, str] = folded(message)
        self._body = body
        self._connection: Connection | None = connection
        self._done = done
        self._end: TransportError | None = None

    async def read(self) -> bytes:
        """The next bytes as they came, b"" at the proper end. Raises TransportError."""
        if self._connection is None:
            if self._end is not None:
                raise self._end
            return b""
        data = await self._body.readany()
        if data:
            return data
        self._end = self._connection.broken
        self._let_go()
        if self._end is not None:
            raise self._end
        return b""

    def close(self) -> None:
        """Let go; an answer that has not come to its end breaks off, also for a late reader."""
        if self._connection is not None:
            self._end = TransportError("lost", "The answer was closed by us.")
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._done(connection)


def folded(message: RawResponseMessage) -> dict[str, str]:
    """Headers by name in lower case; values of one name are joined as RFC 9110 5.3 allows."""
    headers: dict[str, str] = {}
    for name, value in message.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
