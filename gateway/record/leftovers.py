"""
What only the disk has of records and feedback, brought into the store.

Memory that was too small for an outage leaves some, and processes that were killed leave theirs.
Storing a line twice changes nothing, so nobody keeps account of how far a segment was read.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import InternalError
from gateway.record.record import Feedback, Record
from gateway.record.rows import Batch, Row, feedback_row, record_row, view_row
from gateway.record.spool import Line, Spool
from gateway.record.store import Store
from gateway.state.segments import Segments, adopt_dead, read_lines

log = logging.getLogger(__name__)

ADOPT_S = 30.0  # between two looks for what dead processes have left
LINES_MAX = 500  # in one transaction
LINES = msgspec.json.Decoder(Line)
RECORDS = msgspec.json.Decoder(Record)
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Leftovers:
    """For the recorder's thread. The mutable state: *dead*, folders that it has adopted."""

    def __init__(self, store: Store, spool: Spool, clock: Clock) -> None:
        self.dropped = 0  # lines that nobody can read, that the store refused, or without room
        self._store = store
        self._spool = spool
        self._clock = clock
        self._dead: list[Segments] = []
        self._adopt_at_s = 0.0

    def adopt(self) -> None:
        """
        Hold the folders of dead processes, so that nobody else stores them. Where they take more
        room than this process leaves, their oldest segments are dropped. Raises OSError.
        """
        if self._spool.root is None or self._clock.monotonic() < self._adopt_at_s:
            return
        self._adopt_at_s = self._clock.monotonic() + ADOPT_S
        for segments in adopt_dead(self._spool.root):
            log.warning("adopted the records of a process that did not end well: %s", segments.id)
            self._dead.append(segments)
        self._weigh()
        while self._dead and self._spool.waiting_bytes > self._spool.bytes_max:
            self._give_way(self._dead[0])

    def store_next(self, below: int) -> bool:
        """
        Store one segment, of this process below that number or of a dead one, and delete it. True
        while there is another.

        Raises:
            Unavailable: the database does not answer; the segment stays.
            OSError: it cannot be read; it stays, too.
        """
        alone = self._spool.next_alone(below)
        if alone is not None:
            self._store_segment(alone[1])
            self._spool.remove(alone[0])
        elif self._dead:
            dead = self._dead[0]
            numbers = dead.numbers()
            if numbers:
                self._store_segment(dead.path(numbers[0]))
            self._remove(dead, numbers)
        return bool(self._dead) or self._spool.next_alone(below) is not None

    def close(self) -> None:
        """Let go of what is not stored yet; another process adopts it."""
        for segments in self._dead:
            segments.close()
        self._dead.clear()

    def _remove(self, dead: Segments, numbers: list[int]) -> None:
        """Delete the first of its segments, and with the last of them its folder."""
        if len(numbers) > 1:
            dead.path(numbers[0]).unlink(missing_ok=True)
        else:
            dead.discard()
            self._dead.remove(dead)
        self._weigh()

    def _give_way(self, dead: Segments) -> None:
        numbers = dead.numbers()
        if numbers:
            with dead.path(numbers[0]).open("rb") as file:
                lost = sum(1 for _ in file)
            self.dropped += lost
            log.warning("%d records of a dead process are dropped: there is no room", lost)
        self._remove(dead, numbers)

    def _weigh(self) -> None:
        self._spool.elsewhere_bytes = sum(one.size_bytes() for one in self._dead)

    def _store_segment(self, path: Path) -> None:
        """Every whole line of a segment, a page at a time."""
        start = 0
        while True:
            try:
                page = read_lines(path, start, LINES_MAX)
            except FileNotFoundError:  # it gave way to newer ones just now
                return
            if page.empty:
                return
            batch = self._batch_of(page.lines)
            try:
                self._store.write(batch)
            except InternalError:
                self.dropped += len(batch.records) + len(batch.feedback)
                log.exception("%d records from disk cannot be stored", len(batch.records))
            start = page.end

    def _batch_of(self, lines: list[bytes]) -> Batch:
        """The rows of *lines*; those that cannot be read are counted and left out."""
        records: list[Row] = []
        views: dict[str, Row] = {}
        said: dict[tuple[str, str], Feedback] = {}
        now_s = self._clock.wall()
        unreadable = 0
        for text in lines:
            try:
                line = LINES.decode(text)
                if payload := bytes(line.record):
                    records.append(record_row(RECORDS.decode(payload), payload))
                elif line.view is not None:
                    views[line.view.version] = view_row(line.view, now_s)
                elif line.feedback is not None:
                    said[line.feedback.request_id, line.feedback.key_id] = line.feedback
                else:
                    unreadable += 1
            except UNREADABLE:
                unreadable += 1
        if unreadable:
            self.dropped += unreadable
            log.warning("%d records on disk cannot be read", unreadable)
        feedback = [feedback_row(one) for one in said.values()]
        return Batch(records=records, views=list(views.values()), feedback=feedback)
