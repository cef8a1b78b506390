"""
A provider that answers at once and cheaply: what is measured is the gateway before it.

    python -m bench.fake_upstream

Prints its port, and runs until it is killed. It answers every POST, with one JSON answer or, where
the body asks for a stream, with EVENTS events, one per EVENT_GAP_S. Each event carries the time at
which it was sent, nanoseconds of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import uvloop

EVENTS = 51
EVENT_GAP_S = 0.010  # a hundred tokens per second, a fast model
MARK = b'"content":"t'  # before the 19 digits of the time

ANSWER = (
    b'{"id":"chatcmpl-bench","object":"chat.completion","created":1750000000,"model":"gpt-4o-mini",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"'
    + b"An answer of some length, as people get them. "
    * 8
    + b'"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":120,'
    b'"completion_tokens":90,"total_tokens":210},"system_fingerprint":"fp_bench"}'
)
WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
) + ANSWER
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1750000000,'
    b'"model":"gpt-4o-mini","choices":[{"index":0,"delta":{%s},"finish_reason":null}]}\n\n'
)
LAST = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1750000000,'
    b'"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}'
    b'\n\ndata: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1750000000,'
    b'"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":120,"completion_tokens":51,'
    b'"total_tokens":171}}\n\ndata: [DONE]\n\n'
)


def chunk(data: bytes) -> bytes:
    """*data* as one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Upstream(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from it

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = body_length(self.buffer[:end])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.answer(body)

    def answer(self, body: bytes) -> None:
        """One whole answer, or the begin of a stream."""
        if b'"stream":true' not in body and b'"stream": true' not in body:
            self.transport.write(WHOLE)
            return
        self.transport.write(STREAM_HEAD)
        self.send(0, asyncio.get_running_loop().time())

    def send(self, row: int, begun_s: float) -> None:
        """The *row*-th event of a stream that began at *begun_s*, and a timer for the next."""
        if row == EVENTS:
            self.timer = None
            self.transport.write(chunk(LAST) + b"0\r\n\r\n")
            return
        self.transport.write(chunk(EVENT % (MARK + b'%019d"' % time.monotonic_ns())))
        self.timer = asyncio.get_running_loop().call_at(
            begun_s + (row + 1) * EVENT_GAP_S, self.send, row + 1, begun_s
        )


def body_length(head: bytes) -> int:
    """Content-Length of a request head, 0 without."""
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])


async def main() -> None:
    """Listen on a free port of the loopback interface."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
