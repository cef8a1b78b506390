"""One encoder for several gateways, over a Unix socket, and what happens when it goes."""

from __future__ import annotations

import asyncio
import stat
from contextlib import asynccontextmanager

import msgspec
import pytest
from msgspec.structs import replace

from models import shared_worker
from models.batching import Entry, QueueLimits, Refusal
from models.classifier import load_classifier
from models.encoder import Encoder
from models.opinion import Opinion
from models.options import PATIENT
from models.shared_frames import FRAME_BYTES_MAX, Answer, Ask, Hello, frame_of, read_frame
from models.shared_server import SharedServer
from models.shared_worker import SharedWorker
from models.worker import Load, Worker
from tests.models.artefacts import write_artefact

WAIT_S = 10.0  # only ever reached by a failing test
THEIRS, OURS = Opinion([-0.1, -2.0], 0.1, strong_need=0.5), Opinion([-0.2, -1.0], 0.2)


class Own:
    """The worker of our own, which answers at once."""

    tokens_max = 16
    is_failing = True
    load = Load(device="ours", waiting=1, batches=2, rows=3)
    closed = False

    def describe(self):
        return "ours"

    def submit(self, entry, budget_s):
        entry.settle(OURS)

    def close(self):
        self.closed = True


class Other:
    """The other process, played: says hello, and answers what the test tells it to."""

    def __init__(self, version="v1"):
        self.version = version
        self.asked = asyncio.Queue()
        self.writers = []

    async def serve(self, reader, writer):
        self.writers.append(writer)
        writer.write(frame_of(Hello(self.version, "gpu")))
        decoder = msgspec.msgpack.Decoder(Ask)
        try:
            while True:
                self.asked.put_nowait(await read_frame(reader, decoder))
        except OSError:
            writer.close()

    def answer(self, number, said=THEIRS):
        self.writers[-1].write(frame_of(Answer(number, said)))


@asynccontextmanager
async def listening(path, other):
    server = await asyncio.start_unix_server(other.serve, path)
    try:
        yield
    finally:
        server.close()
        for writer in other.writers:
            writer.close()


@pytest.fixture
async def door(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_worker, "RETRY_S", 0.001)
    door = SharedWorker(tmp_path / "socket", "v1", Own(), entries_max=2)
    yield door
    door.close()
    assert door._own.closed
    await asyncio.gather(door._task, return_exceptions=True)


def ask(door, text="a", budget_s=None):
    """What the door says at once, and the answer to come."""
    answer = asyncio.get_running_loop().create_future()
    return door.submit(Entry(text, len(text), 2, answer.done, answer.set_result), budget_s), answer


async def connected(door):
    """Ask once to make it connect, and again when it is."""
    ask(door)
    async with asyncio.timeout(WAIT_S):
        while door._writer is None:  # noqa: ASYNC110 - it has no event for this
            await asyncio.sleep(0.001)
    return ask(door)


async def test_the_other_process_answers(door, tmp_path):
    """Each caller gets its own answer, in whatever order they come."""
    other = Other()
    async with listening(tmp_path / "socket", other):
        _, first = await connected(door)
        refusal, second = ask(door, "b" * 9, budget_s=0.5)
        asked = [await asyncio.wait_for(other.asked.get(), WAIT_S) for _ in range(2)]
        other.answer(asked[1].number, replace(THEIRS, complexity=0.9))
        other.answer(asked[0].number)
        other.answer(12345)

        assert (await asyncio.wait_for(first, WAIT_S)) == THEIRS
        assert (await asyncio.wait_for(second, WAIT_S)).complexity == 0.9
        assert refusal is None
        assert [(a.text, a.budget_s) for a in asked] == [("a", None), ("b" * 9, 0.5)]
        assert door.load == Load(device="gpu", waiting=1, batches=2, rows=5)
        assert not door.is_failing


async def test_nobody_there_is_no_harm(door, tmp_path):
    """Our own worker answers in place."""
    assert await ask(door)[1] == OURS
    assert door.describe() == f"the one behind {tmp_path / 'socket'}, or ours"
    assert door.load == Own.load
    assert door.is_failing


async def test_who_was_in_hand_when_it_went_gets_none(door, tmp_path, caplog):
    """Then our own worker answers, until the other one is back."""
    path, other = tmp_path / "socket", Other()
    async with listening(path, other):
        _, answer = await connected(door)
        await asyncio.wait_for(other.asked.get(), WAIT_S)
    assert await asyncio.wait_for(answer, WAIT_S) is None
    assert await ask(door)[1] == OURS
    assert "the shared classifier is gone, our own answers: " in caplog.text

    path.unlink()
    async with listening(path, other):
        _, answer = await connected(door)
        other.answer((await asyncio.wait_for(other.asked.get(), WAIT_S)).number)
        assert await asyncio.wait_for(answer, WAIT_S) == THEIRS


async def test_another_encoder_is_not_asked(door, tmp_path):
    """Thresholds and records are for the one that we have."""
    other = Other(version="v2")
    async with listening(tmp_path / "socket", other):
        async with asyncio.timeout(WAIT_S):
            while not other.writers:
                assert await ask(door)[1] == OURS
                await asyncio.sleep(0.001)
        assert await ask(door)[1] == OURS


async def test_too_many_in_hand_are_refused(door, tmp_path):
    """The queue over there is not ours to fill without limit."""
    async with listening(tmp_path / "socket", Other()):
        await connected(door)
        assert ask(door)[0] is None
        assert ask(door)[0] is Refusal.OVERLOAD


@pytest.fixture
async def server(tmp_path):
    """The real one, with a tiny encoder."""
    folder = tmp_path / "files"
    folder.mkdir()
    encoder = Encoder.load(write_artefact(folder))
    worker = Worker(encoder, QueueLimits(entries=100, bytes=100_000))
    served = SharedServer(worker, encoder.version)
    await served.start(tmp_path / "socket")
    yield served
    await served.stop()
    worker.close()


async def test_a_gateway_and_the_server_understand_each_other(server, tmp_path):
    """The whole way: cascade, socket, batch, scores; and in place when the server has gone."""
    options = replace(PATIENT, socket=tmp_path / "socket")
    classifier = load_classifier(options, tmp_path / "files")
    door = classifier._second_stage.asking.door
    await connected(door)

    scores = await asyncio.wait_for(classifier.submit("a b"), WAIT_S)

    assert (scores.stage, scores.complexity) == ("encoder", pytest.approx(0.16))
    assert server._worker.load.rows >= 1
    assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) & 0o077 == 0
    classifier.close()
    await asyncio.gather(door._task, return_exceptions=True)


async def test_the_server_answers_late_and_refused_ones_with_none(server, tmp_path):
    """Nobody waits for an answer that will not come."""
    reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
    assert (await read_frame(reader, shared_worker.HELLOS)).version == "encoder-tiny"
    server._worker.close()
    writer.write(frame_of(Ask(7, "a", None)))

    answer = await asyncio.wait_for(read_frame(reader, shared_worker.ANSWERS), WAIT_S)

    assert answer == Answer(7, None)
    writer.close()


async def test_what_is_no_frame_is_refused():
    """A length beyond the limit, an end in the middle."""
    reader = asyncio.StreamReader()
    reader.feed_data((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(ValueError, match=f"a frame of {FRAME_BYTES_MAX + 1} bytes, more than"):
        await read_frame(reader, shared_worker.ANSWERS)

    reader = asyncio.StreamReader()
    reader.feed_data(b"\0\0\0\5abc")
    reader.feed_eof()
    with pytest.raises(ConnectionResetError, match="the other side has closed"):
        await read_frame(reader, shared_worker.ANSWERS)
