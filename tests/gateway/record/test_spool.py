"""What is put into the spool is there for the next process, within bounds."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys

import pytest

from gateway.core.health import Health
from gateway.record.leftovers import ADOPT_S, Leftovers
from gateway.record.record import Feedback
from gateway.record.rows import encode
from gateway.record.spool import FOLDER, LINE_BYTES_MAX, Spool
from gateway.record.store import Store
from gateway.state.segments import adopt_dead, read_lines
from tests.fakes.clock import ManualClock
from tests.gateway.record.recorders import stored
from tests.gateway.record.records import make_record, opinions_of

MIB = 2**20
SLOW = {"p/small": Health(requests=9, ttft_s_p50=2.0)}

KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.config.schema import Recording
from gateway.core.clock import SystemClock
from gateway.core.health import Health
from gateway.record.record import Feedback
from gateway.record.recorder import Recorder
from gateway.record.spool import Spool
from gateway.record.store import Store
from tests.gateway.record.recorders import stored
from tests.gateway.record.records import make_record
recorder = Recorder(
    Store("sqlite://"), Recording(), SystemClock(), spool=Spool(Path(sys.argv[1]), 2**20)
)
recorder.note_view("v1", {"p/small": Health(requests=9, ttft_s_p50=2.0)})
for number in range(100):
    recorder.put(make_record(number))
recorder.put_feedback(Feedback("req_1", 1.0, 5.0, "k1", "good"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def spool(tmp_path):
    """A spool of 1 MiB."""
    opened = Spool(tmp_path, MIB)
    yield opened
    opened.close()


@pytest.fixture
def store():
    """A store in memory."""
    opened = Store("sqlite://")
    opened.prepare()
    yield opened
    opened.close()


def keep(spool, number, version="v1", health=None):
    """Keep the record of that number."""
    return spool.keep_record(encode(make_record(number)), version, health)


def abandon(spool):
    """As if its process were killed: the lock is free, and everything stays."""
    spool._segments.close()


def adopt_all(store, spool, clock=None):
    """Adopt and store everything; what did so."""
    leftovers = Leftovers(store, spool, clock or ManualClock())
    leftovers.adopt()
    while leftovers.store_next(0):
        pass
    return leftovers


def test_a_killed_process_loses_nothing(tmp_path, store, spool):
    """What it has put is stored by another one, views and feedback too, and its folder goes."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    leftovers = adopt_all(store, spool)

    assert done.returncode == -signal.SIGKILL
    assert stored(store) == list(range(100))
    assert store.find_record("req_7") == make_record(7)
    assert store.find_view("v1").health == SLOW
    assert opinions_of(store, "req_1") == [Feedback("req_1", 1.0, 5.0, "k1", "good")]
    assert leftovers.dropped == spool.waiting_bytes == 0
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [spool._segments.id]


def test_nobody_else_may_read_it(tmp_path, spool):
    """The excerpt of a prompt may be in it."""
    number = keep(spool, 1)

    assert os.stat(spool._segments.path(number)).st_mode & 0o777 == 0o600
    assert os.stat(spool._segments.folder).st_mode & 0o777 == 0o700


def test_each_segment_has_the_views_that_it_names(tmp_path, store, spool):
    """A segment may be all that is left, and it holds a view once."""
    dead = Spool(tmp_path, MIB)
    gone = keep(dead, 1, health=SLOW)
    finished = dead.finish()
    for number in (2, 3):
        last = keep(dead, number, health=SLOW)
    dead.remove_stored(finished)
    lines = read_lines(dead._segments.path(last), 0, 10).lines
    abandon(dead)
    adopt_all(store, spool)

    assert gone < finished <= last
    assert [line[:8] for line in lines] == [b'{"view":', b'{"record', b'{"record']
    assert stored(store) == [2, 3]
    assert store.find_view("v1").health == SLOW


def test_stored_segments_go(spool):
    """Neither their files nor their bytes stay; the one that is written does."""
    first = keep(spool, 1)
    finished = spool.finish()
    second = keep(spool, 2)
    before = spool.waiting_bytes
    spool.remove_stored(finished)

    assert spool._segments.numbers() == [second]
    assert first < finished == second
    assert spool.waiting_bytes == spool._segments.size_bytes() < before


def test_what_only_the_disk_has_stays(store, spool):
    """It goes when it is stored."""
    first, finished = keep(spool, 1), spool.finish()
    assert spool.leave(first)
    spool.remove_stored(finished)
    assert spool.alone == 1

    assert not Leftovers(store, spool, ManualClock()).store_next(finished)
    assert stored(store) == [1]
    assert spool.alone == spool.waiting_bytes == 0
    assert spool._segments.numbers() == []


def test_a_full_spool_drops_the_oldest(spool):
    """It stays within its bytes, and counts the lines that nobody else had."""
    numbers = [keep(spool, number) for number in range(1000)]
    held = [spool.leave(number) for number in numbers]

    assert spool.waiting_bytes == spool._segments.size_bytes() <= MIB
    assert held == sorted(held)  # the oldest are not there any more
    assert 0 < held.count(True) < 1000
    for number in range(1000):
        keep(spool, number)
    assert spool.dropped == held.count(True)


def test_the_dead_give_way_to_the_living(tmp_path, store, spool, caplog):
    """Crash after crash without a database, and the disk does not fill."""
    clock = ManualClock()
    for start in (0, 1000):
        dead = Spool(tmp_path, MIB)
        for number in range(start, start + 300):
            keep(dead, number)
        abandon(dead)
    leftovers = Leftovers(store, spool, clock)
    leftovers.adopt()
    assert 0 < spool.waiting_bytes <= MIB
    while keep(spool, 2000) < 4:
        pass
    clock.advance(ADOPT_S)
    leftovers.adopt()
    assert spool.waiting_bytes <= MIB
    while leftovers.store_next(0):
        pass

    assert len(stored(store)) + leftovers.dropped == 600
    assert "there is no room" in caplog.text


@pytest.mark.parametrize("bytes_written", [None, 0, 20])
def test_a_full_disk_is_told_once(tmp_path, store, spool, monkeypatch, caplog, bytes_written):
    """Whatever cannot be written is in memory only; what comes later is on disk again."""
    write = os.write

    def broken(file, data):
        if bytes_written is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:bytes_written])

    dead = Spool(tmp_path, MIB)
    assert keep(dead, 1)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", broken)
        with caplog.at_level(logging.WARNING):
            assert not any(keep(dead, number) for number in (2, 3, 4))
    assert keep(dead, 5)
    abandon(dead)
    adopt_all(store, spool)

    assert stored(store) == [1, 5]
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("can be written again") == 1


def test_a_folder_that_cannot_be_made(tmp_path, caplog):
    """Records are in memory only, and that is told."""
    (tmp_path / "file").touch()
    spool = Spool(tmp_path / "file", MIB)

    assert keep(spool, 1) == spool.finish() == spool.waiting_bytes == 0
    assert "in memory only" in caplog.text
    spool.close()


def test_without_a_folder_nothing_is_kept(store):
    """As where the database is in memory."""
    spool = Spool(None, MIB)

    assert keep(spool, 1) == spool.keep_feedback(Feedback("req_1", 1.0, 5.0, "k1")) == 0
    assert not spool.leave(0)
    assert not adopt_all(store, spool).store_next(0)
    spool.close()


def test_what_cannot_be_a_line_is_not_kept(spool):
    """Longer than a page, or half of a character."""
    assert spool.keep_record(b"x" * (LINE_BYTES_MAX + 1), "v1", None) == 0
    assert spool.keep_feedback(Feedback("req_1", 1.0, 5.0, "k1", "\ud800")) == 0
    assert spool.keep_record(b"x" * LINE_BYTES_MAX, "v1", None)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"\0\0\0", b"\xff", b'{"record":{}}', b'{"record":1}', b"[" * 5000]
)
def test_lines_that_cannot_be_read_are_counted(tmp_path, store, spool, line):
    """They cost no line around them; a torn last line was never said."""
    dead = Spool(tmp_path, MIB)
    number = keep(dead, 1)
    path = dead._segments.path(number)
    whole = path.read_bytes()
    path.write_bytes(line + b"\n" + whole + b'{"record":{"request_id":"req_9"')
    abandon(dead)
    leftovers = adopt_all(store, spool)

    assert stored(store) == [1]
    assert leftovers.dropped == 1


def test_segments_are_read_a_page_at_a_time(tmp_path, store, spool, monkeypatch):
    """However large they are; each page is one transaction."""
    written = []
    write = store.write
    monkeypatch.setattr(store, "write", lambda batch: (written.append(batch), write(batch)))
    dead = Spool(tmp_path, 64 * MIB)
    for number in range(250):
        assert keep(dead, number) == 1
    abandon(dead)
    adopt_all(store, spool)

    assert stored(store) == list(range(250))
    assert len(written) == 3
    assert max(len(batch.records) for batch in written) < 100


def test_storing_again_changes_nothing(tmp_path, store, spool):
    """A record and feedback that were stored before their process died are there once."""
    older, newer = (Feedback("req_1", score, 5.0 + score, "k1") for score in (0.0, 1.0))
    for _ in range(2):
        dead = Spool(tmp_path, MIB)
        keep(dead, 1)
        dead.keep_feedback(newer)
        abandon(dead)
        adopt_all(store, spool)
    dead = Spool(tmp_path, MIB)
    dead.keep_feedback(older)
    abandon(dead)
    adopt_all(store, spool)

    assert stored(store) == [1]
    assert opinions_of(store, "req_1") == [newer]


def test_a_folder_without_a_segment_goes(tmp_path, store, spool):
    """A process that died before it wrote anything leaves nothing."""
    abandon(Spool(tmp_path, MIB))
    adopt_all(store, spool)

    assert len(list((tmp_path / FOLDER).iterdir())) == 1


def test_what_is_adopted_and_not_stored_goes_to_the_next(tmp_path, store, spool):
    """A process that ends lets go of it."""
    dead = Spool(tmp_path, MIB)
    keep(dead, 1)
    abandon(dead)
    leftovers = Leftovers(store, spool, ManualClock())
    leftovers.adopt()
    assert list(adopt_dead(tmp_path / FOLDER)) == []
    leftovers.close()
    adopt_all(store, spool)

    assert stored(store) == [1]


def test_a_segment_that_gave_way_while_it_was_read(store, spool, monkeypatch):
    """Its lines are counted once, and nothing fails."""
    first, finished = keep(spool, 1), spool.finish()
    spool.leave(first)
    found = spool.next_alone(finished)
    spool._segments.path(first).unlink()
    monkeypatch.setattr(spool, "next_alone", iter([found, None]).__next__ and (lambda below: found))

    leftovers = Leftovers(store, spool, ManualClock())
    leftovers.store_next(finished)
    assert stored(store) == []
    assert leftovers.dropped == 0


def test_a_clean_end_leaves_nothing(tmp_path):
    """Unless only the disk has something."""
    for leave in (False, True):
        spool = Spool(tmp_path, MIB)
        number = keep(spool, 1)
        if leave:
            spool.leave(number)
        spool.close()
        assert keep(spool, 2) == 0
        assert len(list((tmp_path / FOLDER).iterdir())) == leave
