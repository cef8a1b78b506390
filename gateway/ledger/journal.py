"""
The journal: what happens to money, on disk before it happens, and until the ledger has it.

Every process has a folder of its own under ``journal/``, locked as long as it lives, with segments
``00000001.jsonl``, ``00000002.jsonl`` and so on: one line for each event, appended by one
unbuffered write, so that a process which is killed loses nothing (the machine's page cache keeps
it; a power cut may take the last seconds). A database that is down does not matter here: lines
wait, up to a number of bytes. Who reads them is the bookkeeper.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.core.charges import Charge, Reserved
from gateway.core.errors import Unavailable

log = logging.getLogger(__name__)

FOLDER = "journal"
LOCK = "lock"
SEGMENT_BYTES = 8 * 2**20  # at most, before the next one begins
HEADROOM = 8  # one part in so many is kept for settling what is reserved, and one for a segment
ENCODER = msgspec.json.Encoder()
FULL = "The journal of money is full: %d bytes wait for the database, %d may."
UNWRITABLE = "The journal of money cannot be written."


class Segments:
    """The folder of one process, held by its lock: nobody else reads or removes it meanwhile."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    @property
    def id(self) -> str:
        """Its name, unique among all processes of all machines."""
        return self.folder.name

    def numbers(self) -> list[int]:
        """Of the segments that are there, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.jsonl"))

    def path(self, number: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{number:08d}.jsonl"

    def size_bytes(self) -> int:
        """Of all segments."""
        return sum(self.path(number).stat().st_size for number in self.numbers())

    def discard(self) -> None:
        """Remove the folder and let go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Let go of the folder; what is in it is adopted by another process."""
        os.close(self._lock)


class Journal:
    """
    Appends to the folder of this process. ``append`` is for the event loop: microseconds, and no
    wait. *elsewhere_bytes* is what the journals of dead processes take, which counts too.

    Args:
        folder: ``state.folder``, made if missing.
        bytes_max: that may wait for the database.

    Raises:
        Unavailable: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self.elsewhere_bytes = 0
        self.unwritten = 0  # settlements that wait in memory, because the disk takes no more
        self._bytes_max = bytes_max
        self._segment_bytes_max = min(SEGMENT_BYTES, bytes_max // HEADROOM)
        self._root = folder / FOLDER
        self._appended = 0
        self._removed = 0
        self._segment_bytes = 0
        self._number = 0
        self._file: int | None = None
        self._stuck: deque[bytes] = deque()
        self._lock = threading.Lock()  # the bookkeeper's thread may retry what is stuck
        try:
            self._segments = make_segments(self._root)
            self._open()
        except OSError as error:
            raise Unavailable(f"state.folder: the journal of money: {error}.") from error

    @property
    def segments(self) -> Segments:
        """The folder of this process."""
        return self._segments

    @property
    def current(self) -> int:
        """The segment that is written, or will be; those below are finished."""
        return self._number + (self._file is None)

    @property
    def waiting_bytes(self) -> int:
        """On disk: not yet in the ledger, or not yet removed."""
        return self._appended - self._removed + self.elsewhere_bytes

    def append(self, charge: Charge) -> None:
        """
        Keep *charge*. A settlement or release is always accepted: in memory where the disk is
        full, until it is not.

        Raises:
            Unavailable: there is no room for a reservation, so its request must not be sent.
        """
        reservation = isinstance(charge, Reserved)
        if reservation:
            most = self._bytes_max - self._bytes_max // HEADROOM
            if self.waiting_bytes > most:
                raise Unavailable(FULL % (self.waiting_bytes, most))
        line = ENCODER.encode(charge) + b"\n"
        with self._lock:
            try:
                self._flush_stuck()
                self._write(line)
            except OSError as error:
                if reservation:
                    raise Unavailable(UNWRITABLE) from error
                if not self._stuck:
                    log.critical("%s Settlements wait in memory: %s", UNWRITABLE, error)
                self._stuck.append(line)
                self.unwritten = len(self._stuck)

    def retry(self) -> None:
        """Write what waits in memory. Raises OSError while that fails."""
        if self._stuck:
            with self._lock:
                self._flush_stuck()

    def remove(self, number: int) -> None:
        """Delete a finished segment, all of whose lines are in the ledger."""
        path = self._segments.path(number)
        size = path.stat().st_size
        path.unlink()
        self._removed += size

    def close(self, *, booked: bool = False) -> None:
        """Stop writing. The folder goes if all of it is *booked*, else others adopt it."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
        if booked:
            self._segments.discard()
        else:
            self._segments.close()

    def _flush_stuck(self) -> None:
        while self._stuck:
            self._write(self._stuck[0])
            self._stuck.popleft()
            self.unwritten = len(self._stuck)

    def _write(self, line: bytes) -> None:
        """One line, whole. After a failure a new segment begins: a torn line ends the old one."""
        file = self._file
        if file is None or self._segment_bytes >= self._segment_bytes_max:
            file = self._open()
        try:
            written = os.write(file, line)
        except OSError:
            self._abandon(file)
            raise
        self._appended += written
        self._segment_bytes += written
        if written < len(line):
            self._abandon(file)
            raise OSError(f"only {written} of {len(line)} bytes could be written")

    def _abandon(self, file: int) -> None:
        """Go on in a new segment, so that this one can be booked, and make room."""
        if self._segment_bytes:
            self._file = None
            os.close(file)

    def _open(self) -> int:
        """Begin the next segment."""
        path = self._segments.path(self._number + 1)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        if self._file is not None:
            os.close(self._file)
        self._file, self._segment_bytes = file, 0
        self._number += 1
        return file


def make_segments(root: Path) -> Segments:
    """
    A new folder under *root*, locked before it has the name under which others look for dead
    ones. Raises OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    name = os.urandom(8).hex()
    unborn = root / f".{name}"
    unborn.mkdir(mode=0o700)
    lock = lock_of(unborn)
    if lock is None:
        raise OSError(f"{unborn} is locked by somebody else")
    folder = root / name
    unborn.rename(folder)
    return Segments(folder, lock)


def adopt_dead(folder: Path) -> Iterator[Segments]:
    """The journals under ``state.folder`` whose processes are dead, now held by this one."""
    for path in sorted((folder / FOLDER).glob("[!.]*")):
        lock = lock_of(path) if path.is_dir() else None
        if lock is not None:
            yield Segments(path, lock)


def lock_of(folder: Path) -> int | None:
    """The lock of *folder* as an open file, None where somebody has it or the folder is gone."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if not folder.exists():  # removed by its last owner while we waited to be let in
        os.close(lock)
        return None
    return lock
