"""The journal keeps what it is given, and says when it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Unavailable
from gateway.ledger import journal as journal_module
from gateway.ledger.journal import FOLDER, Journal
from gateway.ledger.journal_page import read_page
from gateway.state.segments import PAGE_BYTES, adopt_dead, make_segments
from tests.gateway.ledger.ledgers import release, reserve, settle

MIB = 2**20

KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.ledger.journal import Journal
from tests.gateway.ledger.ledgers import reserve, settle
journal = Journal(Path(sys.argv[1]), 2**20)
for number in range(100):
    journal.append(reserve(number))
    journal.append(settle(number))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def journal(tmp_path):
    """A journal of 1 MiB."""
    opened = Journal(tmp_path, MIB)
    yield opened
    opened.close()


def lines_of(segments, lines_max=10**6):
    """Everything that can be read in a folder."""
    found = []
    for number in segments.numbers():
        start = 0
        while not (page := read_page(segments.path(number), start, lines_max)).empty:
            found += page.charges
            start = page.end
    return found


def fail_writes(monkeypatch, bytes_written=None):
    """Have the disk take no more, or only so many bytes of a line."""
    write = os.write

    def broken(file, data):
        if bytes_written is None:
            raise OSError(28, "No space left on device")
        return write(file, data[:bytes_written])

    monkeypatch.setattr(os, "write", broken)


@pytest.mark.parametrize("lines_max", [1, 2, 100])
def test_reads_what_was_appended(journal, lines_max):
    """Every kind of event comes back as it was, whatever the page."""
    said = [reserve(1), settle(1, estimated=True), release(2), reserve(3, tenant="zoë")]
    for charge in said:
        journal.append(charge)

    assert lines_of(journal.segments, lines_max) == said


def test_a_killed_process_loses_nothing(tmp_path):
    """What was appended before SIGKILL is there, and its folder is free for adoption."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (dead,) = adopt_dead(tmp_path / FOLDER)

    assert done.returncode == -signal.SIGKILL
    assert len(lines_of(dead)) == 200
    dead.close()


def test_only_the_dead_are_adopted(tmp_path, journal):
    """A living process's folder is left alone; a dead one's goes to one process."""
    dead = Journal(tmp_path, MIB)
    dead.append(settle(1))
    assert list(adopt_dead(tmp_path / FOLDER)) == []
    dead.close()
    (adopted,) = adopt_dead(tmp_path / FOLDER)

    assert list(adopt_dead(tmp_path / FOLDER)) == []
    assert lines_of(adopted) == [settle(1)]
    adopted.discard()
    assert list(adopt_dead(tmp_path / FOLDER)) == []
    assert journal.segments.folder.exists()


def test_a_folder_that_is_being_made_is_not_adopted(tmp_path):
    """It gets its name when it is locked."""
    (tmp_path / FOLDER / ".fresh").mkdir(parents=True)
    (tmp_path / FOLDER / "a file").touch()

    assert list(adopt_dead(tmp_path / FOLDER)) == []


def test_segments_are_removed_when_booked(journal):
    """Finished segments go one by one, and make room."""
    while journal.current < 3:
        journal.append(settle(1))
    waiting = journal.waiting_bytes
    size = journal.segments.path(1).stat().st_size
    journal.remove(1)

    assert journal.waiting_bytes == waiting - size
    assert journal.segments.numbers() == [2]
    assert size <= MIB // 8 + 1000


def test_reservations_stop_before_settlements(journal):
    """A full journal refuses what is not sent yet, and goes on with what is."""
    while journal.waiting_bytes <= MIB - MIB // 8:
        journal.append(reserve(1))
    with pytest.raises(Unavailable, match="is full"):
        journal.append(reserve(2))
    for settled in range(400):
        journal.append(settle(settled))

    assert journal.waiting_bytes <= MIB
    assert lines_of(journal.segments)[-400:] == [settle(number) for number in range(400)]
    journal.remove(1)
    journal.append(reserve(0))


def test_journals_of_the_dead_take_room(journal):
    """Crash after crash without a database, and the disk does not fill."""
    journal.elsewhere_bytes = MIB
    with pytest.raises(Unavailable, match="is full"):
        journal.append(reserve(1))


@pytest.mark.parametrize("bytes_written", [None, 0, 20])
def test_a_full_disk(journal, monkeypatch, caplog, bytes_written):
    """Reservations are refused, settlements wait in memory; nothing is lost or doubled."""
    journal.append(reserve(1))
    with monkeypatch.context() as patched:
        fail_writes(patched, bytes_written)
        with pytest.raises(Unavailable) as caught:
            journal.append(reserve(2))
        journal.append(settle(1))
        journal.append(release(2))
        with pytest.raises(OSError, match=r"written|space"):
            journal.retry()
        assert journal.unwritten == 2
    journal.retry()
    journal.append(reserve(3))

    assert lines_of(journal.segments) == [reserve(1), settle(1), release(2), reserve(3)]
    assert journal.unwritten == 0
    assert str(journal.segments.folder) not in caught.value.message
    assert "wait in memory" in caplog.text


def test_a_folder_that_cannot_be_written(tmp_path):
    """The setting is named."""
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"state\.folder: the journal of money"):
        Journal(tmp_path / "file", MIB)


def test_a_torn_line_is_not_there(tmp_path):
    """What has no end was never said."""
    path = tmp_path / "00000001.jsonl"
    whole = journal_module.ENCODER.encode(settle(1)) + b"\n"
    path.write_bytes(whole + b'["settled","req_2/1"')

    assert read_page(path, 0, 10).charges == [settle(1)]
    assert read_page(path, len(whole), 10).empty


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"\0\0\0", b"\xff", b'["settled"]', b'["paid",1]', b"[" * 5000]
)
def test_corrupt_lines_are_told(tmp_path, line):
    """They cost no line around them."""
    path = tmp_path / "00000001.jsonl"
    whole = journal_module.ENCODER.encode(settle(1)) + b"\n"
    path.write_bytes(whole + line + b"\n" + whole)
    page = read_page(path, 0, 10)

    assert page.charges == [settle(1)] * 2
    assert page.corrupt == [line]
    assert page.end == path.stat().st_size


def test_bytes_without_end_are_passed(tmp_path):
    """A hole in the file, as a power cut leaves it, does not stop the reader."""
    path = tmp_path / "00000001.jsonl"
    path.write_bytes(bytes(PAGE_BYTES + 10) + b"\n")
    page = read_page(path, 0, 10)

    assert (page.end, len(page.corrupt)) == (PAGE_BYTES, 1)
    assert read_page(path, page.end, 10).end == PAGE_BYTES + 11


@given(
    st.integers(-(2**53), 2**53),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_event_is_one_line(tmp_path_factory, amount, text, wall_s):
    """Whatever its members hold, an event is read as it was written."""
    charge = settle(1, cost_nano_usd=amount, tenant=text, wall_s=wall_s)
    path = tmp_path_factory.mktemp("line") / "00000001.jsonl"
    path.write_bytes(journal_module.ENCODER.encode(charge) + b"\n")

    assert read_page(path, 0, 10).charges == [charge]


def test_names_are_unique(tmp_path):
    """Every start has a folder of its own."""
    made = [make_segments(tmp_path) for _ in range(3)]

    assert len({segments.id for segments in made}) == 3
    for segments in made:
        segments.discard()
