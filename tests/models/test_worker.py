"""The thread that owns an encoder. Fakes hold it with events, so that nothing sleeps."""

from __future__ import annotations

import asyncio
import threading

import pytest

from models.batching import BatchLimits, Cost, Entry, QueueLimits, Refusal
from models.opinion import Opinion
from models.worker import Worker, settle

WAIT_S = 10.0  # only ever reached by a failing test


class FakeEncoder:
    """Judges a text by its length; holds each batch until it may go on; fails on "bad"."""

    def __init__(self, *, rows=4, held=False):
        self.batches = BatchLimits(rows=rows, tokens=1000)
        self.tokens_max = 16
        self.device = "fake"
        self.seen = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.held = held

    def measure(self):
        return Cost(call_s=0.0, token_s=0.001)

    def describe(self):
        return "fake"

    def read(self, texts):
        self.seen.append(texts)
        self.begun.release()
        if self.held:
            assert self.go.acquire(timeout=WAIT_S)
        if "bad" in texts:
            raise MemoryError("too large")
        return [Opinion([0.0], complexity=len(text) / 100) for text in texts]


class Caller:
    """Submits texts, and collects what comes back as complexities."""

    def __init__(self, worker):
        self.worker = worker
        self.answers = {}

    def ask(self, text, budget_s=None):
        future = asyncio.get_running_loop().create_future()

        def settled(said):
            self.answers[text] = said if said is None else said.complexity
            if not future.done():
                future.set_result(None)

        entry = Entry(text, len(text), len(text), future.done, settled)
        return future, self.worker.submit(entry, budget_s)


@pytest.fixture
def start():
    """Makes workers, and closes them in the end."""
    workers = []

    def started(encoder, entries=10):
        workers.append(Worker(encoder, QueueLimits(entries=entries, bytes=1000)))
        return Caller(workers[-1])

    yield started
    for worker in workers:
        worker.close()
        assert not worker._thread.is_alive()


async def begun(encoder):
    """Wait until the encoder has a batch in hand."""
    assert await asyncio.to_thread(encoder.begun.acquire, timeout=WAIT_S)


async def test_each_caller_gets_its_own_answer(start):
    """Whoever asks first or last."""
    caller = start(FakeEncoder())

    asked = [caller.ask("x" * n)[0] for n in (3, 1, 2)]
    await asyncio.wait_for(asyncio.gather(*asked), WAIT_S)

    assert caller.answers == {"xxx": 0.03, "x": 0.01, "xx": 0.02}


async def test_a_batch_is_who_waits_while_the_last_one_runs(start):
    """No timer: three come while one runs, and go together."""
    encoder = FakeEncoder(held=True)
    caller = start(encoder)
    first, _ = caller.ask("x")
    await begun(encoder)
    others = [caller.ask(text)[0] for text in ("aa", "bb", "cc")]
    assert caller.worker.load.waiting == 3

    encoder.go.release(2)
    await asyncio.wait_for(asyncio.gather(first, *others), WAIT_S)

    assert encoder.seen == [["x"], ["aa", "bb", "cc"]]
    load = caller.worker.load
    assert (load.device, load.waiting, load.batches, load.rows) == ("fake", 0, 2, 4)


async def test_who_has_gone_is_not_run(start):
    """A cancelled caller costs no inference."""
    encoder = FakeEncoder(held=True)
    caller = start(encoder)
    first, _ = caller.ask("x")
    await begun(encoder)
    gone, stays = caller.ask("gone")[0], caller.ask("stays")[0]
    gone.cancel()

    encoder.go.release(2)
    await asyncio.wait_for(asyncio.gather(first, stays), WAIT_S)

    assert encoder.seen == [["x"], ["stays"]]


async def test_a_failed_batch_leaves_nobody_waiting(start, caplog):
    """All of it get None and the log one line; the next batch is read again."""
    encoder = FakeEncoder(rows=1)
    caller = start(encoder)

    for text in ("bad", "bad", "good"):
        await asyncio.wait_for(caller.ask(text)[0], WAIT_S)
        assert caller.worker.is_failing == (text == "bad")

    assert caller.answers == {"bad": None, "good": 0.04}
    assert caplog.text.count("the encoder failed, the first stage answers: MemoryError") == 1


async def test_a_full_queue_and_a_late_answer_are_refused(start):
    """The worker says what its queue says."""
    encoder = FakeEncoder(held=True)
    caller = start(encoder, entries=1)
    first, _ = caller.ask("x")
    await begun(encoder)
    second, refusal = caller.ask("y")
    assert refusal is None

    assert caller.ask("z")[1] is Refusal.OVERLOAD
    second.cancel()
    assert caller.ask("z", budget_s=0.0)[1] is Refusal.DEADLINE
    encoder.go.release(2)
    await asyncio.wait_for(first, WAIT_S)


async def test_closing_ends_the_batch_and_settles_the_rest(start, monkeypatch):
    """Nobody waits for ever: what runs is answered, who waits gets None, who comes is refused."""
    encoder = FakeEncoder(rows=1, held=True)
    caller = start(encoder)
    runs, _ = caller.ask("runs")
    await begun(encoder)
    waits, _ = caller.ask("waits")

    thread = caller.worker._thread
    join = thread.join
    monkeypatch.setattr(thread, "join", lambda timeout: (encoder.go.release(), join(timeout)))
    caller.worker.close()
    await asyncio.wait_for(asyncio.gather(runs, waits), WAIT_S)

    assert caller.answers == {"runs": 0.04, "waits": None}
    assert caller.ask("late")[1] is Refusal.OVERLOAD


def test_a_closed_loop_stops_no_worker(start):
    """Answers for an event loop that has ended go nowhere, and the next loop is served."""
    encoder = FakeEncoder(held=True)
    caller = start(encoder)

    async def leave():
        caller.ask("x")
        await begun(encoder)

    async def stay():
        await asyncio.wait_for(caller.ask("yy")[0], WAIT_S)

    asyncio.run(leave())
    encoder.go.release(2)
    asyncio.run(stay())

    assert caller.answers == {"yy": 0.02}


def test_settling_needs_an_answer_for_everybody():
    """One answer too few is a bug, not a caller who waits."""
    with pytest.raises(ValueError, match="shorter"):
        settle([Entry("", 0, 0, bool, lambda said: None)], [])
