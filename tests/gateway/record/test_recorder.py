"""The recorder keeps what it can, counts what it drops, and comes back by itself."""

from __future__ import annotations

import logging
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import InternalError, Unavailable
from gateway.core.health import Health
from gateway.record import backlog as backlog_module
from gateway.record import recorder as recorder_module
from gateway.record.record import Feedback
from tests.gateway.record.recorders import NOW_S, Flaky, put, recorder_of, stored
from tests.gateway.record.records import make_decision, make_record, opinions_of

DAY_S = 86_400.0


@pytest.fixture
def store():
    """A store that works until told otherwise."""
    opened = Flaky()
    yield opened
    opened.close()


def test_writes_in_batches(store):
    """Everything that waits is written, no batch above the limit."""
    recorder = recorder_of(store, batch_max=3)
    put(recorder, *range(7))

    assert recorder.flush()
    assert store.batches == [3, 3, 1]
    assert stored(store) == list(range(7))
    assert recorder.waiting == recorder.dropped == 0


def test_the_oldest_give_way(store):
    """Without room the oldest records are dropped and counted, so the newest can be looked up."""
    recorder = recorder_of(store, queue_max=3)
    put(recorder, *range(5))
    recorder.flush()

    assert stored(store) == [2, 3, 4]
    assert recorder.dropped == 2


def test_memory_is_bounded_in_bytes(store):
    """Clients that write long names cannot make the queue large."""
    recorder = recorder_of(store, waiting_bytes_max=200_000)
    for number in range(10):
        recorder.put(make_record(number, text="x" * 40_000))
    recorder.flush()

    assert stored(store) == [8, 9]
    assert recorder.dropped == 8
    assert recorder._backlog._bytes == 0


def test_a_record_larger_than_all_room_is_dropped(store):
    """It takes every other record with it, and nothing breaks."""
    recorder = recorder_of(store, waiting_bytes_max=10_000)
    put(recorder, 1)
    recorder.put(make_record(2, path="/" * 20_000))
    put(recorder, 3)
    recorder.flush()

    assert stored(store) == [3]
    assert recorder.dropped == 2


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from(["put", "flush", "down", "up"]), max_size=60),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_every_record_is_stored_or_counted(steps, queue_max, batch_max):
    """Whatever happens in whatever order, no record vanishes or is stored twice."""
    store = Flaky()
    recorder = recorder_of(store, queue_max=queue_max, batch_max=batch_max)
    made = 0
    for step in steps:
        if step == "put":
            put(recorder, made)
            made += 1
        elif step == "flush":
            recorder.flush()
        else:
            store.error = Unavailable("down") if step == "down" else None
        assert recorder.waiting <= queue_max + batch_max
    store.error = None
    assert recorder.close(timeout_s=0) == 0
    kept = stored(store)
    store.close()

    assert len(kept) + recorder.dropped == made
    assert kept == sorted(set(kept))


def test_finds_records_at_every_stage(store):
    """A record can be read while it waits, while its batch fails, and once it is stored."""
    recorder = recorder_of(store)
    put(recorder, 1)
    assert recorder.find("req_1") == make_record(1)

    store.error = Unavailable("down")
    assert not recorder.flush()
    assert recorder.waiting == 1
    assert recorder.find("req_1") == make_record(1)

    store.error = None
    assert recorder.flush()
    assert recorder.waiting == 0
    assert recorder.find("req_1") == make_record(1)
    assert recorder.find("req_2") is None


def test_an_outage_is_told_once_and_survived(store, caplog):
    """The log has a line when the database goes and one when it comes back."""
    recorder = recorder_of(store)
    store.error = Unavailable("down")
    with caplog.at_level(logging.WARNING):
        for number in range(4):
            put(recorder, number)
            assert not recorder.flush()
        store.error = None
        assert recorder.flush()

    assert [record.message.split(" 1 ")[0] for record in caplog.records] == [
        "down",
        "the record store answers again",
    ]
    assert stored(store) == [0, 1, 2, 3]
    assert recorder.dropped == 0


def test_pauses_grow_while_the_database_is_down(store):
    """Tries of a database that is down become rare, up to a limit, and frequent once it is up."""
    recorder = recorder_of(store, flush_s=0.5)
    store.error = Unavailable("down")
    pauses = []
    for _ in range(9):
        recorder.flush()
        pauses.append(recorder._retry_at_s - 1000.0)
    store.error = None
    recorder.flush()
    store.error = Unavailable("down")
    recorder.flush()

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert recorder._retry_at_s - 1000.0 == 0.5


def test_refused_rows_do_not_block_those_behind_them(store, caplog):
    """A batch that the database refuses for good is dropped and counted."""
    recorder = recorder_of(store, batch_max=2)
    put(recorder, 1, 2)
    store.error = InternalError("refused")
    assert recorder.flush()
    store.error = None
    put(recorder, 3)
    recorder.flush()

    assert stored(store) == [3]
    assert recorder.dropped == 2
    assert "2 records cannot be stored" in caplog.text


def test_records_without_json_cost_only_themselves(store, caplog):
    """The rest of the batch is stored."""
    recorder = recorder_of(store)
    recorder.put(make_record(1, path="/\ud800"))
    put(recorder, 2)
    recorder.flush()

    assert stored(store) == [2]
    assert recorder.dropped == 1
    assert recorder.waiting == 0
    assert "req_1" in caplog.text


def test_a_bug_does_not_stop_the_writer(store, caplog):
    """Records wait through an error that nobody foresaw, and are written after it."""
    recorder = recorder_of(store, batch_max=2)
    put(recorder, 1, 2, 3)
    store.error = RuntimeError("bug")
    assert not recorder._round()
    store.error = None
    assert recorder._round()

    assert stored(store) == [1, 2, 3]
    assert "the recorder failed" in caplog.text


def test_a_bug_that_stays_does_not_fill_the_memory(store, monkeypatch):
    """Rounds that fail in the middle take no more records than one batch holds."""

    def fail(record, payload):
        raise RuntimeError("bug")

    monkeypatch.setattr(backlog_module, "record_row", fail)
    recorder = recorder_of(store, queue_max=3, batch_max=2)
    for number in range(20):
        put(recorder, number)
        assert not recorder._round()

    assert recorder.waiting == 5
    assert recorder.dropped == 15


def test_records_are_counted_once_whatever_the_database_does(store):
    """Metrics see a record in the next round, also when it cannot be stored, and only once."""
    seen = []
    recorder = recorder_of(store, seen.extend)
    store.error = Unavailable("down")
    put(recorder, 1, 2)
    recorder.flush()
    put(recorder, 3)
    recorder.flush()
    store.error = None
    recorder.flush()

    assert [record.request_id for record in seen] == ["req_1", "req_2", "req_3"]


def test_an_error_of_the_metrics_does_not_cost_records(store, caplog):
    """A record that cannot be counted is stored all the same."""

    def fail(records):
        raise ValueError(len(records))

    recorder = recorder_of(store, fail)
    put(recorder, 1)
    recorder.flush()

    assert stored(store) == [1]
    assert "1 records were not counted" in caplog.text


def test_views_are_stored_once_a_record_names_them(store):
    """The health behind a decision is kept with it; health that nobody used is not."""
    recorder = recorder_of(store)
    slow = Health(requests=9, ttft_s_p50=2.0)
    recorder.note_view("v1", {"p/small": slow, "p/large": Health()})
    recorder.note_view("v2", {"p/small": Health(available=False)})
    put(recorder, 1)
    recorder.flush()

    view = store.find_view("v1")
    assert view is not None
    assert view.health == {"p/small": slow}  # who is absent is fresh
    assert store.find_view("v2") is None


def test_views_in_memory_are_bounded(store, monkeypatch):
    """A fleet whose health changes every second does not fill the memory."""
    monkeypatch.setattr(backlog_module, "VIEWS_MAX", 3)
    recorder = recorder_of(store)
    for number in range(10):
        recorder.note_view(f"v{number}", {})
    versions = make_decision().versions
    recorder.put(make_record(1, decision=make_decision(versions=versions)))
    recorder.flush()

    assert list(recorder._backlog._views) == ["v7", "v8", "v9"]
    assert store.find_view("v1") is None
    assert stored(store) == [1]


def test_feedback_is_stored(store):
    """Opinions go the way of records; the last of a key within a batch wins."""
    recorder = recorder_of(store)
    recorder.put_feedback(Feedback("req_1", 0.0, NOW_S + 5, "k1", "no"))
    recorder.put_feedback(Feedback("req_1", 1.0, NOW_S + 6, "k1", "x" * 5000))
    recorder.flush()

    assert opinions_of(store, "req_1") == [Feedback("req_1", 1.0, NOW_S + 6, "k1", "x" * 4000)]


def test_feedback_is_bounded(store):
    """Opinions that find no room are dropped, the oldest first, and counted."""
    recorder = recorder_of(store, queue_max=2)
    store.error = Unavailable("down")
    for number in range(5):
        recorder.put_feedback(Feedback(f"req_{number}", 1.0, NOW_S + 5, "k1"))
    store.error = None
    recorder.flush()

    assert recorder.dropped == 3
    assert opinions_of(store, "req_2") == []
    assert len(opinions_of(store, "req_4")) == 1


def test_old_records_are_forgotten_a_batch_a_round(store, monkeypatch):
    """Rounds delete until nothing is old, then look again after an hour."""
    monkeypatch.setattr(recorder_module, "FORGET_ROWS", 2)
    recorder = recorder_of(store, keep_days=1.0)
    clock = recorder._clock
    put(recorder, *range(5))
    recorder.flush()
    clock.wall_s += DAY_S + 4  # all but the last are older than a day
    clock.now_s += 3600
    left = []
    for _ in range(3):
        recorder.flush()
        left.append(stored(store))
    clock.wall_s += DAY_S
    recorder.flush()

    assert left == [[2, 3, 4], [4], [4]]
    assert stored(store) == [4]
    clock.now_s += 3600
    recorder.flush()
    assert stored(store) == []


def test_closing_writes_what_waits(store):
    """A drained process leaves nothing behind."""
    recorder = recorder_of(store, flush_s=3600)
    recorder.start()
    put(recorder, *range(5))
    recorder.put_feedback(Feedback("req_1", 1.0, NOW_S + 5, "k1"))

    assert recorder.close(timeout_s=30) == 0
    assert stored(store) == list(range(5))
    assert len(opinions_of(store, "req_1")) == 1


def test_closing_counts_what_it_loses(store, caplog):
    """A database that is down does not keep the process from ending."""
    recorder = recorder_of(store, batch_max=2)
    store.error = Unavailable("down")
    put(recorder, *range(5))
    recorder.put_feedback(Feedback("req_1", 1.0, NOW_S + 5, "k1"))

    assert recorder.close(timeout_s=0) == 6
    assert recorder.dropped == 6
    assert "6 records were lost" in caplog.text


def test_a_full_batch_wakes_the_thread(store):
    """A burst does not wait for the next round, which here would be an hour away."""
    written = threading.Event()
    recorder = recorder_of(store, lambda records: written.set(), batch_max=3, flush_s=3600)
    recorder.start()
    put(recorder, *range(3))

    assert written.wait(30)
    assert recorder.close(timeout_s=30) == 0
    assert stored(store) == [0, 1, 2]
