"""
A provider with a script, so that the true cost of every request is known.

    python -m bench.chaos_upstream LOG

Prints its port, and runs until it is killed. What becomes of a request hangs on its number alone,
which is in its prompt as ``no. 123;``. Every call is noted in LOG, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass

import uvloop

from bench import fake_upstream
from bench.fake_upstream import STREAM_HEAD, chunk

MODEL = "gpt-4o"
NANO_USD_IN = 1000  # per token, as the configuration of the gateways says, too
NANO_USD_OUT = 2000
MARK = b"no. "
SLOW_S = 2.0
EVENTS = 5
EVENT_GAP_S = 0.01


@dataclass(frozen=True)
class Script:
    """What becomes of a request."""

    tokens_in: int
    tokens_out: int
    fails: bool  # the first time; the second goes well
    slow: bool
    stream: bool
    cut: bool  # in the middle of its stream
    unsaid: bool  # its stream tells no usage

    @property
    def nano_usd(self) -> int:
        """The true cost."""
        return self.tokens_in * NANO_USD_IN + self.tokens_out * NANO_USD_OUT


def script(number: int) -> Script:
    """Of the request with this *number*."""
    stream = number % 4 == 1
    return Script(
        tokens_in=20 + number % 10,
        tokens_out=10 + number % 41,
        fails=number % 50 == 7,
        slow=number % 50 == 14,
        stream=stream,
        cut=number % 100 == 21,
        unsaid=number % 100 == 41,
    )


class Log:
    """One line for each call: number, what became of it, its cost in nano-dollars."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, number: int, what: str, nano_usd: int) -> None:
        """*what*: failed, whole, stream, unsaid, cut, or gone: who asked has left before."""
        os.write(self._file, json.dumps([number, what, nano_usd]).encode() + b"\n")


class Upstream(fake_upstream.Upstream):
    """One connection. *failed* are the numbers that have had their failure, of all connections."""

    failed: set[int] = set()  # noqa: RUF012 - shared on purpose
    log: Log

    def __init__(self) -> None:
        super().__init__()
        self.open: int | None = None  # the number that is being answered

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever asked has left."""
        super().connection_lost(exc)
        if self.open is not None:
            self.log.note(self.open, "gone", script(self.open).nano_usd)
            self.open = None

    def answer(self, body: bytes) -> None:
        """As the script says."""
        at = body.find(MARK) + len(MARK)
        number = int(body[at : body.index(b";", at)])
        found = script(number)
        if found.fails and number not in self.failed:
            self.failed.add(number)
            self.log.note(number, "failed", 0)
            self.transport.write(whole(b'{"error":{"message":"scripted"}}', b"500 Failed"))
            return
        self.open = number
        loop = asyncio.get_running_loop()
        if found.stream:
            self.transport.write(STREAM_HEAD)
            self._step(number, 0)
        else:
            wait_s = SLOW_S if found.slow else 0.02
            self.timer = loop.call_later(wait_s, self._whole, number)

    def _whole(self, number: int) -> None:
        found = script(number)
        self._ended("whole")
        message = {"role": "assistant", "content": "Yes."}
        self.transport.write(
            whole(
                json.dumps(
                    {
                        **said("chat.completion"),
                        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                        "usage": usage(found),
                    }
                ).encode()
            )
        )

    def _step(self, number: int, row: int) -> None:
        """The next event of a stream, and a timer for the one after it."""
        found = script(number)
        if row == EVENTS - 2 and found.cut:
            self._ended("cut")
            self.transport.close()
            return
        if row < EVENTS:
            choice = {"index": 0, "delta": {"content": "Yes. "}, "finish_reason": None}
            self._send({**said("chat.completion.chunk"), "choices": [choice]})
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(EVENT_GAP_S, self._step, number, row + 1)
            return
        self._ended("unsaid" if found.unsaid else "stream")
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self._send({**said("chat.completion.chunk"), "choices": [choice]})
        if not found.unsaid:
            usage_of = {"choices": [], "usage": usage(found)}
            self._send({**said("chat.completion.chunk"), **usage_of})
        self.transport.write(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    def _send(self, event: dict[str, object]) -> None:
        self.transport.write(chunk(b"data: %s\n\n" % json.dumps(event).encode()))

    def _ended(self, what: str) -> None:
        assert self.open is not None
        self.log.note(self.open, what, script(self.open).nano_usd)
        self.open = self.timer = None


def said(kind: str) -> dict[str, object]:
    """What every answer begins with."""
    return {"id": "chatcmpl-chaos", "object": kind, "created": 1750000000, "model": MODEL}


def usage(found: Script) -> dict[str, int]:
    """As OpenAI tells it."""
    return {
        "prompt_tokens": found.tokens_in,
        "completion_tokens": found.tokens_out,
        "total_tokens": found.tokens_in + found.tokens_out,
    }


def whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer of known length."""
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


async def main(log: str) -> None:
    """Listen on a free port of the loopback interface."""
    Upstream.log = Log(log)
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
