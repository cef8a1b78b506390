"""
The journal: what happens to money, on disk before it happens, and until the ledger has it.

Every process writes segments under ``journal/``, see :mod:`gateway.state.segments`. A database that
is down does not matter here: lines wait, up to a number of bytes. Who reads them is the bookkeeper.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from pathlib import Path

import msgspec

from gateway.core.charges import Charge, Reserved
from gateway.core.errors import Unavailable
from gateway.state.segments import Appender, Segments

log = logging.getLogger(__name__)

FOLDER = "journal"
SEGMENT_BYTES = 8 * 2**20  # at most, before the next one begins
HEADROOM = 8  # one part in so many is kept for settling what is reserved, and one for a segment
ENCODER = msgspec.json.Encoder()
FULL = "The journal of money is full: %d bytes wait for the database, %d may."
UNWRITABLE = "The journal of money cannot be written."


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
        self._removed = 0
        self._stuck: deque[bytes] = deque()
        self._lock = threading.Lock()  # the bookkeeper's thread may retry what is stuck
        try:
            self._appender = Appender(folder / FOLDER, min(SEGMENT_BYTES, bytes_max // HEADROOM))
            self._appender.open()
        except OSError as error:
            raise Unavailable(f"state.folder: the journal of money: {error}.") from error

    @property
    def segments(self) -> Segments:
        """The folder of this process."""
        return self._appender.segments

    @property
    def current(self) -> int:
        """The segment of the next line; those below are finished."""
        return self._appender.current

    @property
    def waiting_bytes(self) -> int:
        """On disk: not yet in the ledger, or not yet removed."""
        return self._appender.appended - self._removed + self.elsewhere_bytes

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
                self._appender.write(line)
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
        path = self.segments.path(number)
        size = path.stat().st_size
        path.unlink()
        self._removed += size

    def close(self, *, booked: bool = False) -> None:
        """Stop writing. The folder goes if all of it is *booked*, else others adopt it."""
        with self._lock:
            self._appender.close()
        if booked:
            self.segments.discard()
        else:
            self.segments.close()

    def _flush_stuck(self) -> None:
        while self._stuck:
            self._appender.write(self._stuck[0])
            self._stuck.popleft()
            self.unwritten = len(self._stuck)
