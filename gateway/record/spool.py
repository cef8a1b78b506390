"""
Records and feedback on disk while they wait for the database.

Each is appended to a segment of this process, see :mod:`gateway.state.segments`, as it is put into
memory. A segment goes once all of it is stored. A killed process, or memory that was too small for
an outage, leaves lines that only the disk has: :mod:`gateway.record.leftovers` stores those.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.core.health import Health
from gateway.record.record import Feedback, View
from gateway.state.segments import PAGE_BYTES, Appender, Segments

log = logging.getLogger(__name__)

FOLDER = "records"
SEGMENT_BYTES = 8 * 2**20  # at most, before the next one begins
SEGMENTS_MIN = 8  # of a full spool: so little is dropped at once
LINE_BYTES_MAX = PAGE_BYTES - 64  # of one record; a longer one is in memory only
ENCODER = msgspec.json.Encoder()
UNWRITABLE = "records wait in memory only: %s cannot be written: %s"
NO_RECORD = msgspec.Raw()


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the three. *record*, if any, is JSON still: its row holds it as it is."""

    record: msgspec.Raw = NO_RECORD
    view: View | None = None  # before the first record of its segment that names it
    feedback: Feedback | None = None


class Spool:
    """
    One per process. ``keep_record`` and ``keep_feedback`` are for the event loop: they take some
    microseconds and never raise; a disk that takes no more is told once.

    The mutable state, under a lock: *sizes*, the bytes of each segment, oldest first; *alone*,
    how many lines of each are nowhere else; *seen*, the views in segment *seen_in*.

    Args:
        folder: ``state.folder``; None: nothing is kept, as where the database is in memory.
        bytes_max: of this process; beyond it the oldest segment is dropped.
    """

    def __init__(self, folder: Path | None, bytes_max: int) -> None:
        self.dropped = 0  # lines that only the disk had
        self.elsewhere_bytes = 0  # of dead processes
        self.bytes_max = bytes_max
        self.root = None if folder is None else folder / FOLDER
        self._lock = threading.Lock()
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._alone: dict[int, int] = {}
        self._seen: set[str] = set()
        self._seen_in = 0
        self._failing = False
        self._segment_bytes_max = min(SEGMENT_BYTES, bytes_max // SEGMENTS_MIN)
        self._appender: Appender | None = None
        self._segments: Segments | None = None
        if self.root is not None:
            try:
                self._appender = Appender(self.root, self._segment_bytes_max)
                self._segments = self._appender.segments
            except OSError as error:
                log.warning(UNWRITABLE, self.root, error)

    @property
    def waiting_bytes(self) -> int:
        """On disk, of this process and of dead ones."""
        return self._bytes + self.elsewhere_bytes

    @property
    def alone(self) -> int:
        """Lines that only the disk has."""
        return sum(tuple(self._alone.values()))

    def keep_record(self, payload: bytes, version: str, health: Mapping[str, Health] | None) -> int:
        """
        Append a record by its JSON, behind the view *version* that it names, of *health* if that
        is known. The number of the segment that has it; 0: none.
        """
        appender = self._appender
        if appender is None or len(payload) > LINE_BYTES_MAX:
            return 0
        lines = b'{"record":' + payload + b"}\n"
        with self._lock:
            if self._seen_in != appender.current:
                self._seen_in = appender.current
                self._seen.clear()
            if health is None or version in self._seen:
                return self._write(appender, lines)
            view = ENCODER.encode(Line(view=View(version, dict(health)))) + b"\n"
            number = self._write(appender, view + lines if len(view) < PAGE_BYTES else lines)
            if number:
                self._seen.add(version)
            return number

    def keep_feedback(self, feedback: Feedback) -> int:
        """Append *feedback*. The number of the segment that has it; 0: none."""
        appender = self._appender
        if appender is None:
            return 0
        try:
            line = ENCODER.encode(Line(feedback=feedback)) + b"\n"
        except ValueError:  # half of a character
            return 0
        with self._lock:
            return self._write(appender, line)

    def leave(self, number: int) -> bool:
        """Let go of a line that the memory had, too. Whether segment *number* still has it."""
        with self._lock:
            if number not in self._sizes:
                return False
            self._alone[number] = self._alone.get(number, 0) + 1
            return True

    def finish(self) -> int:
        """Go on in a new segment: those below the result have an end."""
        appender = self._appender
        if appender is None:
            return 0
        with self._lock:
            appender.finish()
            return appender.current

    def remove_stored(self, below: int) -> None:
        """Delete segments below that number, unless they have what nobody else has."""
        with self._lock:
            stored = [n for n in self._sizes if n < below and n not in self._alone]
        for number in stored:
            self.remove(number)

    def next_alone(self, below: int) -> tuple[int, Path] | None:
        """The first segment below that number with what nobody else has, and its file."""
        with self._lock:
            number = min((one for one in self._alone if one < below), default=None)
        if number is None or self._segments is None:
            return None
        return number, self._segments.path(number)

    def remove(self, number: int) -> None:
        """Delete a segment whose lines are stored."""
        with self._lock:
            self._bytes -= self._sizes.pop(number, 0)
            self._alone.pop(number, None)
        self._unlink(number)

    def close(self) -> None:
        """Stop. The folder goes, unless it has what nobody else has: that is adopted by others."""
        with self._lock:
            appender, self._appender = self._appender, None
        if appender is None:
            return
        appender.close()
        if self._alone:
            appender.segments.close()
        else:
            appender.segments.discard()

    def _write(self, appender: Appender, lines: bytes) -> int:
        """Append to the current segment, whose number is the result; 0 when it is not there."""
        number = appender.current
        if number not in self._sizes:
            self._make_room()
        try:
            appender.write(lines)
        except OSError as error:
            if not self._failing:
                log.warning(UNWRITABLE, self.root, error)
            self._failing = True
            if appender.current != number:  # it has half a line, and goes with the others
                self._sizes.setdefault(number, 0)
            return 0
        if self._failing:
            log.warning("records wait on disk, too: %s can be written again", self.root)
        self._failing = False
        self._sizes[number] = self._sizes.get(number, 0) + len(lines)
        self._bytes += len(lines)
        return number

    def _make_room(self) -> None:
        """Drop the oldest segments until there is room for one more."""
        while self._sizes and self._bytes + self._segment_bytes_max > self.bytes_max:
            number = next(iter(self._sizes))
            self._bytes -= self._sizes.pop(number)
            self.dropped += self._alone.pop(number, 0)
            log.warning("the oldest records on disk give way: they take %d bytes", self._bytes)
            self._unlink(number)

    def _unlink(self, number: int) -> None:
        """Should it stay, then others store it again, which changes nothing."""
        if self._segments is not None:
            with contextlib.suppress(OSError):
                self._segments.path(number).unlink()
