"""The door to an encoder in another process, and the one of our own beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from itertools import count
from pathlib import Path

import msgspec

from models.batching import Entry, Refusal
from models.shared_frames import Answer, Ask, Hello, frame_of, read_frame
from models.tokenizer import ends_of
from models.worker import Load, Worker

log = logging.getLogger("switchyard")

RETRY_S = 1.0  # between two tries to reach the other process
HELLO_S = 5.0  # for it to say who it is
ANSWERS = msgspec.msgpack.Decoder(Answer)
HELLOS = msgspec.msgpack.Decoder(Hello)


class SharedWorker:
    """
    Asks the process behind *socket*, which batches for all gateways of a machine. While it cannot
    be reached, or has another encoder, *own* answers in its place. Entries that it had in hand when
    it went are settled with None.
    """

    def __init__(self, socket: Path, version: str, own: Worker, entries_max: int) -> None:
        self._socket = socket
        self._version = version
        self._own = own
        self._entries_max = entries_max
        self._numbers = count()
        self._waiting: dict[int, Entry] = {}
        self._answered = 0
        self._device = ""
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def tokens_max(self) -> int:
        """Read of one text."""
        return self._own.tokens_max

    @property
    def is_failing(self) -> bool:
        """Whether nobody can answer."""
        return self._writer is None and self._own.is_failing

    @property
    def load(self) -> Load:
        """Of this gateway alone. How rows are batched is known over there."""
        own = self._own.load
        return Load(
            device=self._device or own.device,
            waiting=own.waiting + len(self._waiting),
            batches=own.batches,
            rows=own.rows + self._answered,
        )

    def describe(self) -> str:
        """Both places."""
        return f"the one behind {self._socket}, or {self._own.describe()}"

    def submit(self, entry: Entry, budget_s: float | None) -> Refusal | None:
        """As Worker.submit; the other process refuses by answering with nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_connected())
        if self._writer is None:
            return self._own.submit(entry, budget_s)
        if len(self._waiting) >= self._entries_max:
            return Refusal.OVERLOAD
        number = next(self._numbers)
        self._waiting[number] = entry
        self._writer.write(frame_of(Ask(number, ends_of(entry.text), budget_s)))
        return None

    def close(self) -> None:
        """Leave the other process, and close our own worker."""
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
        self._own.close()

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._talk()
            except (OSError, ValueError, TimeoutError) as error:
                if self._writer is not None:
                    log.error("the shared classifier is gone, our own answers: %s", error)  # noqa: TRY400
            finally:
                self._leave()
            await asyncio.sleep(RETRY_S)

    async def _talk(self) -> None:
        """Connect, and hand out answers until the connection ends."""
        reader, writer = await asyncio.open_unix_connection(self._socket)
        with contextlib.closing(writer):
            hello = await asyncio.wait_for(read_frame(reader, HELLOS), HELLO_S)
            if hello.version != self._version:
                raise ValueError(f"it serves {hello.version}, we have {self._version}")
            self._device, self._writer = hello.device, writer
            log.info("the shared classifier answers: %s on %s", hello.version, hello.device)
            while True:
                answer = await read_frame(reader, ANSWERS)
                entry = self._waiting.pop(answer.number, None)
                if entry is not None:
                    self._answered += 1
                    entry.settle(answer.opinion)

    def _leave(self) -> None:
        """Nothing more will come."""
        self._writer, self._device = None, ""
        waiting, self._waiting = self._waiting, {}
        for entry in waiting.values():
            entry.settle(None)
