"""The matrix of a running process."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.config.learn_schema import LearnSettings
from gateway.core.clock import SystemClock
from gateway.learn.learner import Learner
from gateway.learn.matrix import NO_MATRIX
from gateway.record.record import Feedback
from gateway.record.rows import Batch, feedback_row, record_row
from gateway.record.store import Store
from tests.gateway.record.records import make_record

ON = LearnSettings(refresh_s=0.001)


class Watch:
    """Counts how often it was told of a change, and what it then raises."""

    def __init__(self, error=None):
        self.told = asyncio.Event()
        self.count = 0
        self.error = error

    async def __call__(self):
        self.count += 1
        self.told.set()
        if self.error:
            raise self.error


@pytest.fixture
def store():
    """A store with one record."""
    opened = Store("sqlite://")
    opened.prepare()
    opened.write(Batch(records=[record_row(make_record(0))]))
    yield opened
    opened.close()


def judge(store, score):
    """Feedback of now."""
    said = Feedback("req_0", score, SystemClock().wall(), "k")
    store.write(Batch(feedback=[feedback_row(said)]))


async def test_tells_of_changes_alone(store):
    """The same judgements are no news; another one is."""
    changed = Watch()
    learner = Learner(store, SystemClock(), changed)
    await learner.refresh(ON)
    await learner.refresh(ON)
    assert (changed.count, learner.matrix.cells) == (1, ())
    judge(store, 1.0)
    await learner.refresh(ON)

    assert changed.count == 2
    assert learner.matrix.cells[0].score == 1.0


async def test_runs_until_it_is_ended(store):
    """Judgements that come meanwhile are seen by a later round; settings are asked each time."""
    changed, asked = Watch(), []
    learner = Learner(store, SystemClock(), changed)

    def settings():
        asked.append(1)
        return ON

    task = asyncio.create_task(learner.run(settings))
    await changed.told.wait()
    changed.told.clear()
    judge(store, 0.5)
    await changed.told.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert learner.matrix.cells[0].score == 0.5
    assert len(asked) >= 2


async def test_a_database_that_does_not_answer(tmp_path, caplog):
    """What was learnt stays, the log says so once, and it goes on when the database is back."""
    store = Store(f"sqlite:///{tmp_path}/records.db")
    learner = Learner(store, SystemClock(), Watch())
    with caplog.at_level(logging.WARNING):
        await learner.refresh(ON)
        await learner.refresh(ON)

    assert learner.matrix is NO_MATRIX
    assert caplog.text.count("what was learnt stays") == 1
    store.prepare()
    await learner.refresh(ON)
    assert learner.matrix is not NO_MATRIX
    store.close()


async def test_a_fault_of_ours_ends_nothing(store, caplog):
    """Policies that cannot be compiled are logged, and the next round tries again."""
    changed = Watch(ValueError("broken"))
    learner = Learner(store, SystemClock(), changed)
    with caplog.at_level(logging.ERROR):
        await learner.refresh(ON)
        await learner.refresh(ON)

    assert caplog.text.count("learning failed") == changed.count == 2
    assert learner.matrix is NO_MATRIX
