"""One contract for every database; PostgreSQL joins where SWITCHYARD_TEST_POSTGRES names one."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading

import pytest
from sqlalchemy import text

from gateway.core.errors import InternalError, Unavailable
from gateway.core.health import Health
from gateway.core.request import Principal
from gateway.record import store as store_module
from gateway.record.record import Feedback, View
from gateway.record.rows import Batch, Judged, feedback_row, record_row, view_row
from gateway.record.store import Store
from tests.gateway.record.records import make_record, opinions_of

POSTGRES = os.environ.get("SWITCHYARD_TEST_POSTGRES")
KINDS = ["memory", "file", *(["postgres"] if POSTGRES else [])]
LATE = 1e12  # after every record


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    """An empty store, once for each kind of database."""
    urls = {"memory": "sqlite://", "file": f"sqlite:///{tmp_path}/new/records.db"}
    opened = Store(urls.get(request.param, POSTGRES or ""))
    opened.prepare()
    if request.param == "postgres":
        opened.forget(LATE, 10**6)
    yield opened
    opened.close()


def rows(*records):
    """A batch of *records*."""
    return Batch(records=[record_row(record) for record in records])


def ids(records):
    """Numbers of *records*."""
    return [int(record.request_id.removeprefix("req_")) for record in records]


def test_finds_what_was_written(store):
    """A record is read back as it was put; an unknown id is None."""
    store.write(rows(make_record(1), make_record(2, text="words")))

    assert store.find_record("req_2") == make_record(2, text="words")
    assert store.find_record("req_3") is None


def test_writing_a_batch_again_changes_nothing(store):
    """After a commit whose answer was lost the batch is written twice, and counted once."""
    opinion = Feedback("req_1", 1.0, 5.0, "k1")
    batch = Batch(
        records=[record_row(make_record(1))],
        views=[view_row(View("v1", {}), 3.0)],
        feedback=[feedback_row(opinion)],
    )
    store.write(batch)
    store.write(batch)

    assert ids(store.read_records(0, LATE)) == [1]
    assert opinions_of(store, "req_1") == [opinion]


def test_a_later_opinion_of_the_same_key_replaces_the_first(store):
    """A client may change its mind; another key's opinion stands beside it."""
    said = [
        Feedback("req_1", 1.0, 5.0, "k1"),
        Feedback("req_1", 0.5, 6.0, "k2", "so so"),
        Feedback("req_1", 0.0, 7.0, "k1", "wrong"),
    ]
    for one in said:
        store.write(Batch(feedback=[feedback_row(one)]))

    assert opinions_of(store, "req_1") == said[1:]


def test_views_are_found_by_version(store):
    """Health that a decision saw is there as long as records name it."""
    view = View("v1", {"p/small": Health(available=False, state="open")})
    store.write(Batch(views=[view_row(view, 3.0)]))

    assert store.find_view("v1") == view
    assert store.find_view("v2") is None


@pytest.mark.parametrize("page", [1, 2, 3, 500])
def test_reads_in_order_of_time_whatever_the_page(store, monkeypatch, page):
    """Pages neither lose nor repeat a record, also where several have the same time."""
    monkeypatch.setattr(store_module, "PAGE", page)
    start = make_record(0).wall_s
    records = [make_record(i, wall_s=start + i // 3) for i in range(8)]
    store.write(rows(*reversed(records)))

    assert ids(store.read_records(0, LATE)) == list(range(8))
    assert ids(store.read_records(start + 1, start + 2)) == [3, 4, 5]
    assert ids(store.read_records(start, LATE, limit=4)) == [0, 1, 2, 3]
    assert ids(store.read_records(start, LATE, limit=0)) == []


def test_reading_leaves_the_store_free(store):
    """A slow reader holds no transaction: records can be written between two of its records."""
    store.write(rows(make_record(1), make_record(2)))
    reader = store.read_records(0, LATE)
    next(reader)
    store.write(rows(make_record(3)))

    assert store.find_record("req_3") is not None


def test_unreadable_records_are_left_out_and_told(store, caplog):
    """One record of an unknown shape does not end an export."""
    strange = {**record_row(make_record(1)), "payload": b"{}"}
    store.write(Batch(records=[strange, record_row(make_record(2))]))
    with caplog.at_level(logging.WARNING):
        found = ids(store.read_records(0, LATE))

    assert found == [2]
    assert "1 records have an unknown shape" in caplog.text
    assert store.find_record("req_1") is None


def test_reads_one_project(store):
    """Of several projects, over pages, only the one that is asked for."""
    other = Principal(project="shop", key_id="k")
    store.write(
        rows(*(make_record(i) if i % 3 else make_record(i, principal=other) for i in range(9)))
    )

    assert ids(store.read_records(0, LATE, project="shop")) == [0, 3, 6]
    assert ids(store.read_records(0, LATE, 2, "shop")) == [0, 3]


def test_finds_where_the_newest_begin(store):
    """The time from which there are just so many records; the start where there are less."""
    start = make_record(0).wall_s
    other = Principal(project="shop", key_id="k")
    store.write(rows(*(make_record(i) for i in range(5)), make_record(5, principal=other)))

    assert store.start_of_newest(0, LATE, 2) == start + 4
    assert store.start_of_newest(0, LATE, 2, "default") == start + 3
    assert store.start_of_newest(0, start + 3, 2) == start + 1
    assert store.start_of_newest(start + 1, LATE, 50) == start + 1


def test_sums_feedback(store):
    """The database adds up what was said of each model, task type and tier in a stretch of time."""
    store.write(rows(*(make_record(i, model="large" if i == 3 else "small") for i in range(5))))
    assert store.oldest_feedback_s() is None
    said = [(0, 1.0, 10.0), (1, 0.25, 11.0), (2, 1.0, 20.0), (3, 0.5, 12.0), (9, 0.0, 12.0)]
    opinions = [Feedback(f"req_{number}", score, at_s, "k") for number, score, at_s in said]
    store.write(Batch(feedback=[feedback_row(one) for one in opinions]))

    assert store.oldest_feedback_s() == 10.0
    assert store.sum_feedback(10.0, 20.0) == [
        Judged("large", "Summarization", "low", samples=1, score=0.5),
        Judged("small", "Summarization", "low", samples=2, score=1.25),
    ]
    assert store.sum_feedback(30.0, LATE) == []
    assert [store.count_feedback(10.0, 20.0), store.count_feedback(20.0, LATE)] == [4, 1]


def test_forgets_in_batches(store):
    """Old rows go a batch at a time, the oldest first, and young ones stay."""
    start = make_record(0).wall_s
    store.write(rows(*(make_record(i) for i in range(5))))

    assert store.forget(start + 4, limit=3) == 3
    assert ids(store.read_records(0, LATE)) == [3, 4]
    assert store.forget(start + 4, limit=3) == 1
    assert store.forget(start + 4, limit=3) == 0
    assert ids(store.read_records(0, LATE)) == [4]


def test_forgets_views_by_their_last_use(store):
    """A view that records still name outlives the day on which it was first seen."""
    view = View("v1", {})
    store.write(Batch(views=[view_row(view, 10.0)]))
    store.write(Batch(views=[view_row(view, 20.0), view_row(View("v2", {}), 10.0)]))
    store.write(Batch(feedback=[feedback_row(Feedback("req_1", 1.0, 10.0, "k1"))]))

    assert store.forget(before_s=15.0, limit=100) == 2
    assert store.find_view("v1") == view
    assert store.find_view("v2") is None
    assert opinions_of(store, "req_1") == []


def test_preparing_again_does_nothing(store):
    """Every start prepares the store; what it holds stays."""
    store.write(rows(make_record(1)))
    store.prepare()

    assert store.find_record("req_1") is not None


def test_a_refused_row_is_not_worth_another_try(store):
    """A row that breaks the schema is an error of ours, and nothing of its batch is stored."""
    broken = {**record_row(make_record(2)), "project": None}
    with pytest.raises(InternalError) as caught:
        store.write(Batch(records=[record_row(make_record(1)), broken]))

    assert not isinstance(caught.value, Unavailable)
    assert store.find_record("req_1") is None


def test_two_stores_share_a_file(tmp_path):
    """Two processes on one file: both migrate, both write, each reads the other's records."""
    url = f"sqlite:///{tmp_path}/records.db"
    first, second = Store(url), Store(url)
    first.prepare()
    second.prepare()
    first.write(rows(make_record(1)))
    second.write(rows(make_record(2)))

    assert ids(first.read_records(0, LATE)) == ids(second.read_records(0, LATE)) == [1, 2]
    first.close()
    second.close()


def test_a_crash_loses_nothing_that_was_committed(tmp_path):
    """Files as a killed process leaves them, log beside the database, hold every commit."""
    store = Store(f"sqlite:///{tmp_path}/records.db")
    store.prepare()
    store.write(rows(make_record(1)))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("records.db", "records.db-wal"):
        (crashed / name).write_bytes((tmp_path / name).read_bytes())
    again = Store(f"sqlite:///{crashed}/records.db")
    again.prepare()

    assert (crashed / "records.db-wal").stat().st_size > 0
    assert ids(again.read_records(0, LATE)) == [1]
    store.close()
    again.close()


def test_a_batch_is_written_whole_or_not_at_all(tmp_path):
    """A transaction that a crash cuts short leaves no half of a batch."""
    url = f"sqlite:///{tmp_path}/records.db"
    store = Store(url)
    store.prepare()
    with sqlite3.connect(tmp_path / "records.db") as other:
        other.execute("DROP TABLE feedback")
    other.close()
    with pytest.raises(Unavailable):
        store.write(
            Batch(
                records=[record_row(make_record(1))],
                feedback=[feedback_row(Feedback("req_1", 1.0, 5.0, "k1"))],
            )
        )

    assert store.find_record("req_1") is None
    store.close()


def test_threads_share_a_store_in_memory():
    """The only connection there is goes from thread to thread, and no record is lost."""
    store = Store("sqlite://")
    store.prepare()

    def work(first):
        for number in range(first, first + 20):
            store.write(rows(make_record(number)))
            assert store.find_record(f"req_{number}") is not None

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list(store.read_records(0, LATE))) == 60
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:hidden@h/d", "mysql is not sqlite or postgresql"),
        ("postgresql+nosuch://u:hidden@h/d", "state.database_url"),
        ("no url", "state.database_url"),
    ],
)
def test_unusable_urls_are_told_without_their_password(url, message):
    """A wrong setting is named; the secret in it is not."""
    with pytest.raises(Unavailable) as caught:
        Store(url)

    assert message in caught.value.message
    assert "hidden" not in caught.value.message


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path):
    """Errors of the file system are ours too, and show clients no path."""
    (tmp_path / "file").write_text("")
    store = Store(f"sqlite:///{tmp_path}/file/records.db")
    with pytest.raises(Unavailable) as caught:
        store.prepare()
    with pytest.raises(Unavailable):
        store.find_record("req_1")

    assert str(tmp_path) not in caught.value.message
    store.close()


def test_files_use_a_write_ahead_log(tmp_path):
    """Readers and the writer do not wait for each other, and a crash leaves a whole file."""
    store = Store(f"sqlite:///{tmp_path}/records.db")
    store.prepare()
    with store._engine.connect() as connection:
        mode, sync = (
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous")
        )

    assert (mode, sync) == ("wal", 1)
    store.close()
