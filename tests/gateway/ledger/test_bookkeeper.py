"""The bookkeeper books everything once, and waits for a database as long as it takes."""

from __future__ import annotations

import logging
import os

import pytest

from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.ledger import bookkeeper as bookkeeper_module
from gateway.ledger.bookkeeper import CORRUPT
from gateway.state import ledger_tables as tables
from tests.fakes.clock import ManualClock
from tests.gateway.ledger.ledgers import (
    LEASE_S,
    USD,
    Ledger,
    Process,
    make_ledger,
    release,
    reserve,
    settle,
)
from tests.servers import PostgresServer, scratch, wait_until

PAID = USD * 725 // 10_000


class Flaky(Ledger):
    """A ledger that does not answer when told to."""

    down = False

    def prepare(self):
        if self.down:
            raise Unavailable("The record store does not answer.")
        super().prepare()


@pytest.fixture
def clock():
    """Time that only the test moves."""
    return ManualClock()


@pytest.fixture
def store(clock):
    """A ledger that works until told otherwise."""
    opened = Flaky(make_ledger().engine, clock)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def process(store, tmp_path, clock):
    """A process of that ledger, killed at the end."""
    made = Process(store, tmp_path, clock)
    yield made
    made.crash()


def segments_of(store):
    """How many segments the database knows."""
    with store.engine.begin() as connection:
        return len(connection.execute(tables.journals.select()).all())


def test_books_what_was_appended(store, process):
    """What was reserved and settled meanwhile needs no hold; what is in flight has one."""
    process.append(reserve(1), settle(1), reserve(2), reserve(3), release(3))

    assert process.flush()
    assert store.balance("acme").available_nano_usd == -2 * PAID
    assert store.balance("acme").held_nano_usd == PAID
    assert process.bookkeeper.settled == 1
    assert process.bookkeeper.waiting_bytes == 0
    process.append(settle(2))
    process.flush()
    assert store.balance("acme").held_nano_usd == 0


def test_nothing_is_lost_while_the_database_is_down(store, process, clock, caplog):
    """It is told once, tried with growing pauses, and then everything is there once."""
    store.down = True
    for number in range(20):
        process.append(reserve(number), settle(number))
        assert not process.flush()
    assert not process.bookkeeper.answers
    assert process.bookkeeper.waiting_bytes > 4000
    pause_s = process.bookkeeper._retry_at_s - clock.monotonic()
    assert pause_s == bookkeeper_module.RETRY_S_MAX
    assert len([r for r in caplog.records if "wait" in r.message]) == 1
    store.down = False

    assert process.flush()
    assert process.bookkeeper.answers
    assert process.bookkeeper.settled == 20
    assert store.balance("acme").available_nano_usd == -20 * PAID


def test_segments_go_when_they_are_booked(store, process):
    """Neither the disk nor the database keeps what is done."""
    while process.journal.current < 4:
        process.append(reserve(1), settle(1))
    process.flush()

    assert process.journal.segments.numbers() == []
    assert segments_of(store) <= 1
    assert len(process.bookkeeper._read) <= 1
    assert process.bookkeeper.waiting_bytes == 0


def test_the_dead_are_booked(store, process, tmp_path, clock):
    """What a killed process has said is booked by the next one that looks, and its folder goes."""
    dead = Process(store, tmp_path, clock)
    dead.append(reserve(1), settle(1), reserve(2))
    dead.flush()
    dead.append(settle(2), reserve(3))
    path = dead.journal.segments.path(1)
    path.write_bytes(path.read_bytes() + b'["settled","req_3')
    dead.crash()
    process.flush()

    assert store.balance("acme").available_nano_usd == -3 * PAID
    assert store.balance("acme").held_nano_usd == PAID
    assert not path.parent.exists()
    assert process.journal.elsewhere_bytes == 0
    clock.advance(LEASE_S + 1)
    process.flush()
    assert process.bookkeeper.lapsed == 1
    assert store.balance("acme").held_nano_usd == 0


def test_the_dead_wait_for_the_database(store, process, tmp_path, clock):
    """Their bytes count while they wait."""
    dead = Process(store, tmp_path, clock)
    dead.append(settle(1))
    dead.crash()
    store.down = True
    process.flush()
    waiting = process.journal.elsewhere_bytes
    store.down = False
    process.flush()

    assert waiting > 100
    assert store.balance("acme").available_nano_usd == -PAID
    assert process.journal.elsewhere_bytes == 0


def test_corrupt_lines_are_set_aside(store, process, tmp_path, caplog):
    """Loudly, counted, and kept where somebody can look; the lines around them are booked."""
    process.append(settle(1))
    path = process.journal.segments.path(1)
    path.write_bytes(path.read_bytes() + b"rubbish\n")
    process.append(settle(2))
    with caplog.at_level(logging.CRITICAL):
        assert process.flush()

    assert process.bookkeeper.set_aside == 1
    assert (tmp_path / CORRUPT).read_bytes() == b"rubbish\n"
    assert "cannot be booked" in caplog.text
    assert store.balance("acme").available_nano_usd == -2 * PAID


def test_refused_lines_are_set_aside(store, process, tmp_path):
    """A line that the database takes ill does not keep the others from being booked."""
    process.append(*(settle(number) for number in range(5)))
    bad = settle(2)
    store.prepare()
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER picky BEFORE INSERT ON ledger_settlements "
            f"WHEN NEW.attempt_id = '{bad.attempt_id}' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    assert process.flush()

    assert process.bookkeeper.set_aside == 1
    assert process.bookkeeper.settled == 4
    assert b'"req_2/1"' in (tmp_path / CORRUPT).read_bytes()


def test_booking_makes_room_on_a_full_disk(store, process, monkeypatch):
    """Segments go although the disk takes nothing more, then what waits in memory is written."""
    write = os.write
    process.append(reserve(1), reserve(2))

    def full(file, data):
        if process.journal.segments.path(1).exists():
            raise OSError(28, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    process.append(settle(1), settle(2))
    assert process.journal.unwritten == 2

    assert process.flush()
    assert process.journal.unwritten == 0
    assert store.balance("acme").available_nano_usd == -2 * PAID
    assert process.journal.segments.numbers() == [2]


def test_two_bookkeepers_on_one_journal(store, process, tmp_path, clock):
    """Who comes second finds out where to go on."""
    other = Process(store, tmp_path, clock)
    other.bookkeeper._segments = [process.journal.segments]
    other.bookkeeper._journal = process.journal
    for number in range(6):
        process.append(reserve(number), settle(number))
        assert (process, other)[number % 2].flush()

    assert store.balance("acme").available_nano_usd == -6 * PAID
    assert process.bookkeeper.settled + other.bookkeeper.settled == 6
    other.crash()


def test_a_clean_end_leaves_nothing(store, tmp_path):
    """After the last line the folder goes, and the database forgets it."""
    process = Process(store, tmp_path, SystemClock())
    process.bookkeeper.start()
    process.append(reserve(1), settle(1))

    assert process.bookkeeper.close(5.0)
    assert store.balance("acme").available_nano_usd == -PAID
    assert list((tmp_path / "journal").iterdir()) == []
    assert segments_of(store) == 0


def test_an_end_without_a_database_leaves_everything(store, tmp_path, caplog):
    """The next process books it."""
    store.down = True
    process = Process(store, tmp_path, SystemClock())
    process.append(reserve(1), settle(1))
    assert not process.bookkeeper.close(0.0)
    assert "wait for the database" in caplog.text
    store.down = False
    again = Process(store, tmp_path, SystemClock())
    again.flush()

    assert store.balance("acme").available_nano_usd == -PAID
    again.crash()


def test_an_error_of_ours_does_not_end_the_thread(store, tmp_path, monkeypatch, caplog):
    """Nor does it throw money away at the end."""
    process = Process(store, tmp_path, SystemClock())
    process.append(settle(1))
    with monkeypatch.context() as patched:
        patched.setattr(bookkeeper_module, "book", None)
        process.bookkeeper.start()
        wait_until(lambda: "the bookkeeper failed" in caplog.text)
        assert not process.bookkeeper.close(0.2)

    assert process.journal.segments.folder.exists()


def test_an_outage_of_postgres(tmp_path):
    """PostgreSQL stops while requests go on, and starts again: nothing lost, nothing twice."""
    clock = SystemClock()
    with scratch() as folder:
        server = PostgresServer(folder)
        server.start()
        store = make_ledger(server.create("ledger"), clock)
        process = Process(store, tmp_path, clock)
        process.bookkeeper._flush_s = 0.01
        process.bookkeeper.start()
        said = 0

        def work(requests):
            nonlocal said
            for number in range(said, said + requests):
                now_s = clock.wall()
                process.append(reserve(number, wall_s=now_s), settle(number, wall_s=now_s))
            said += requests

        work(500)
        wait_until(lambda: process.bookkeeper.settled == 500)
        work(100)
        server.stop()
        work(500)
        wait_until(lambda: not process.bookkeeper.answers)
        assert process.bookkeeper.waiting_bytes > 0
        server.start()
        work(100)
        wait_until(lambda: process.bookkeeper.waiting_bytes == 0)
        found = store.check()
        assert process.bookkeeper.close(10.0)
        assert store.balance("acme").available_nano_usd == -said * PAID
        assert (found.sum_nano_usd, found.wrong_balances) == (0, ())
        store.engine.dispose()
        server.stop()
