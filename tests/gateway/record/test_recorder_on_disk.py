"""With a spool the recorder loses nothing with its process, nor in a long outage."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import Unavailable
from gateway.core.health import Health
from gateway.record import leftovers as leftovers_module
from gateway.record.record import Feedback
from gateway.record.spool import FOLDER
from tests.gateway.record.recorders import NOW_S, Flaky, kill, put, recorder_of, stored
from tests.gateway.record.records import opinions_of


@pytest.fixture
def store():
    """A store that works until told otherwise."""
    opened = Flaky()
    yield opened
    opened.close()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(["put", "put", "flush", "down", "up", "kill"]), max_size=60),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_with_a_spool_every_record_is_stored(steps, queue_max, batch_max):
    """Whatever happens in whatever order, kills and outages that memory is too small for."""
    store, made = Flaky(), 0
    with tempfile.TemporaryDirectory() as name:
        start = {"folder": Path(name), "queue_max": queue_max, "batch_max": batch_max}
        recorder = recorder_of(store, **start)
        for step in steps:
            if step == "put":
                put(recorder, made)
                made += 1
            elif step == "flush":
                recorder.flush()
            elif step == "kill":
                kill(recorder)
                recorder = recorder_of(store, **start)
            else:
                store.error = Unavailable("down") if step == "down" else None
            assert recorder._backlog.records <= queue_max + batch_max
        store.error = None
        for _ in steps:
            recorder.flush()
        assert recorder.flush()
        assert recorder.waiting == recorder.dropped == recorder.waiting_bytes == 0
        assert recorder.close(timeout_s=0) == 0
        assert list(Path(name, FOLDER).iterdir()) == []
    kept = stored(store)
    store.close()

    assert kept == list(range(made))


def test_an_outage_that_memory_is_too_small_for(store, tmp_path):
    """The oldest wait on disk, feedback too; all is stored, and the disk is free, once it ends."""
    recorder = recorder_of(store, folder=tmp_path, queue_max=3)
    slow = Health(requests=9, ttft_s_p50=2.0)
    store.error = Unavailable("down")
    recorder.note_view("v1", {"p/small": slow})
    for number in range(20):
        put(recorder, number)
        recorder.put_feedback(Feedback(f"req_{number}", 1.0, NOW_S + 5, "k1"))
        assert not recorder.flush()
    assert recorder.waiting == 20 + 17
    assert recorder._backlog.records == 3
    assert recorder.waiting_bytes > 20_000
    store.error = None

    assert recorder.flush()
    assert stored(store) == list(range(20))
    assert all(len(opinions_of(store, f"req_{number}")) == 1 for number in range(20))
    assert store.find_view("v1").health == {"p/small": slow}
    assert recorder.waiting == recorder.dropped == recorder.waiting_bytes == 0


def test_what_is_left_at_the_end_is_stored_by_the_next(store, tmp_path, caplog):
    """A database that is down when a process ends costs nothing."""
    recorder = recorder_of(store, folder=tmp_path, batch_max=2)
    store.error = Unavailable("down")
    put(recorder, *range(5))
    recorder.put_feedback(Feedback("req_1", 1.0, NOW_S + 5, "k1"))
    assert recorder.close(timeout_s=0) == recorder.dropped == 0
    store.error = None
    assert recorder_of(store, folder=tmp_path).flush()

    assert stored(store) == list(range(5))
    assert len(opinions_of(store, "req_1")) == 1
    assert "6 records wait on disk" in caplog.text


def test_without_room_on_the_disk_memory_is_all(store, tmp_path, monkeypatch):
    """What neither has is counted, no more and no less."""
    recorder = recorder_of(store, folder=tmp_path, queue_max=3)
    store.error = Unavailable("down")
    put(recorder, 0, 1)

    def full(file, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        put(recorder, *range(2, 10))
    put(recorder, 10)
    store.error = None
    recorder.flush()

    assert stored(store) == [0, 1, 8, 9, 10]
    assert recorder.dropped == 6


def test_an_outage_that_the_disk_is_too_small_for(store, tmp_path):
    """The newest are kept, and what is lost is counted."""
    recorder = recorder_of(store, folder=tmp_path, queue_max=10)
    store.error = Unavailable("down")
    put(recorder, *range(1000))
    assert recorder.waiting_bytes <= 2**20
    store.error = None
    while not recorder.flush():
        pass
    kept = stored(store)

    assert 0 < recorder.dropped < 1000
    assert kept == list(range(recorder.dropped, 1000))


def test_a_spool_that_cannot_be_read_is_tried_again(store, tmp_path, monkeypatch):
    """Nothing is deleted, and what is in memory is stored meanwhile."""
    recorder = recorder_of(store, folder=tmp_path, queue_max=2)
    put(recorder, *range(4))

    def fail(path, start, lines_max):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(leftovers_module, "read_lines", fail)
        assert not recorder.flush()
    assert stored(store) == [2, 3]

    assert recorder.flush()
    assert stored(store) == [0, 1, 2, 3]
