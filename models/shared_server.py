"""
One encoder for all gateways of a machine, best on a GPU, which wants large batches:
``python -m models.shared_server SOCKET``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import time
from pathlib import Path

import msgspec

from models.artefact import FILES
from models.batching import Entry, QueueLimits, tokens_of
from models.encoder import Encoder
from models.opinion import Opinion
from models.options import DEFAULTS
from models.shared_frames import Answer, Ask, Hello, frame_of, read_frame
from models.worker import Worker

log = logging.getLogger("switchyard")

ASKS = msgspec.msgpack.Decoder(Ask)
PRIVATE = 0o077  # only the user who runs the gateways may connect
QUEUE_ENTRIES_MAX = 4096  # of all gateways; the deadline refuses sooner


class SharedServer:
    """Answers over Unix sockets what a worker scores."""

    def __init__(self, worker: Worker, version: str) -> None:
        self._worker = worker
        self._hello = Hello(version, worker.load.device)
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self, socket: Path) -> None:
        """Listen on *socket*; one that a dead process has left is replaced."""
        mask = os.umask(PRIVATE)
        try:
            self._server = await asyncio.start_unix_server(self._serve, socket)
        finally:
            os.umask(mask)

    async def stop(self) -> None:
        """Take no more connections, and end those that there are."""
        if self._server is not None:
            self._server.close()
        tasks = [task for task in self._serving.values() if task is not None]
        for writer in self._serving:
            writer.close()
        await asyncio.gather(*tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One gateway, until it leaves."""
        self._serving[writer] = asyncio.current_task()
        writer.write(frame_of(self._hello))
        with contextlib.suppress(OSError, ValueError), contextlib.closing(writer):
            while True:
                self._ask(await read_frame(reader, ASKS), writer)
        del self._serving[writer]

    def _ask(self, ask: Ask, writer: asyncio.StreamWriter) -> None:
        late_s = None if ask.budget_s is None else time.monotonic() + ask.budget_s

        def gone() -> bool:
            return writer.is_closing() or (late_s is not None and time.monotonic() > late_s)

        def settle(opinion: Opinion | None) -> None:
            if not writer.is_closing():
                writer.write(frame_of(Answer(ask.number, opinion)))

        size = len(ask.text.encode("utf-8", "replace"))
        entry = Entry(ask.text, size, tokens_of(size, self._worker.tokens_max), gone, settle)
        if self._worker.submit(entry, ask.budget_s) is not None:
            settle(None)


async def run(socket: Path, files: Path, threads: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises ArtefactError when there is nothing to serve."""
    encoder = Encoder.load(files, threads)
    limits = QueueLimits(entries=QUEUE_ENTRIES_MAX, bytes=QUEUE_ENTRIES_MAX << 12)
    worker = Worker(encoder, limits)
    server = SharedServer(worker, encoder.version)
    await server.start(socket)
    log.info("%s, behind %s", encoder.describe(), socket)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()
    await server.stop()
    worker.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("socket", type=Path)
    parser.add_argument("--files", type=Path, default=FILES)
    parser.add_argument("--threads", type=int, default=DEFAULTS.threads)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(run(options.socket, options.files, options.threads))
    finally:
        options.socket.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
