"""
Brings the journal into the ledger without ever keeping a request waiting.

One thread reads what the event loop has appended, and books it in batches. A database that does
not answer is tried again with growing pauses; nothing is dropped meanwhile. The journals of
processes that died are booked too.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from pathlib import Path

from gateway.core.clock import Clock
from gateway.core.errors import InternalError, Unavailable
from gateway.ledger.booking import LAPSES_MAX, Reading, book, lapse
from gateway.ledger.journal import FOLDER, Journal
from gateway.ledger.journal_page import Page, read_page
from gateway.state.ledger_store import LedgerStore
from gateway.state.ledger_transaction import Moved
from gateway.state.segments import Segments, adopt_dead

log = logging.getLogger(__name__)

FLUSH_S = 1.0  # between two looks into the journal
BATCH_MAX = 1000  # lines in one transaction
ADOPT_S = 30.0  # between two looks for journals of dead processes
LAPSE_S = 15.0  # between two looks for reservations whose lease is over
KEEP_S = 400 * 86_400.0  # of settlements one by one; entries and spend stay
FORGET_S = 3600.0  # between two looks for old settlements
FORGET_ROWS = 2000  # in one transaction: tens of milliseconds
RETRY_S_MAX = 5.0  # between two tries of a database that does not answer
DRAIN_RETRY_S = 0.1  # the same while shutting down
CORRUPT = "ledger.corrupt"  # in state.folder


class Bookkeeper:
    """
    One per process. The event loop appends to *journal*; everything here is for the thread, but
    for the counts, which anybody may read.

    Its mutable state: *segments*, the folders it reads, its own and those it has adopted; *read*,
    how far each segment was read as the database said last; *gone*, segments that it has deleted
    and the database still has a line of.
    """

    def __init__(
        self,
        store: LedgerStore,
        journal: Journal,
        folder: Path,
        clock: Clock,
        *,
        flush_s: float = FLUSH_S,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self.settled = 0  # attempts that this process has billed
        self.lapsed = 0  # reservations that it has released because their lease was over
        self.set_aside = 0  # lines that cannot be booked: see CORRUPT
        self._store = store
        self._journal = journal
        self._folder = folder
        self._clock = clock
        self._flush_s = flush_s
        self._batch_max = batch_max
        self._segments: list[Segments] = [journal.segments]
        self._read: dict[str, int] = {}
        self._gone: list[str] = []
        self._failures = 0  # of the database, in a row
        self._retry_at_s = 0.0
        self._adopt_at_s = 0.0
        self._lapse_at_s = 0.0
        self._forget_at_s = 0.0
        self._wake = threading.Event()
        self._stop_at_s: float | None = None
        self._closed_booked = False  # what the first ``close`` has returned
        self._thread = threading.Thread(target=self._run, name="bookkeeper", daemon=True)

    @property
    def waiting_bytes(self) -> int:
        """Of journals that are not in the ledger yet."""
        segments, current = self._journal.segments, self._journal.current
        return self._journal.waiting_bytes - self._read.get(name_of(segments, current), 0)

    @property
    def answers(self) -> bool:
        """Whether the database answered when it was last asked."""
        return self._failures == 0

    def start(self) -> None:
        """Begin to book."""
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """
        Book what waits and stop, within *timeout_s*; blocks; once. True when nothing is left; what
        is left waits on disk for the next process. The journal is closed, too.
        """
        if self._stop_at_s is not None:
            return self._closed_booked
        self._stop_at_s = self._clock.monotonic() + timeout_s
        self._wake.set()
        if self._thread.ident is None:
            self._drain()
        else:
            self._thread.join(timeout_s)
        done = not self._thread.is_alive() and self._all_booked()
        if not done:
            log.warning("%d bytes of the journal wait for the database", self.waiting_bytes)
        for segments in self._segments[1:]:
            segments.close()
        if done:
            segments = self._journal.segments
            left = [name_of(segments, number) for number in segments.numbers()]
            with contextlib.suppress(Unavailable):
                self._store.forget_segments([*self._gone, *left])
        self._journal.close(booked=done)
        self._closed_booked = done
        return done

    def flush(self) -> bool:
        """
        One round: adopt, book, delete what is booked, release what lapsed, forget what is old.
        True when nothing waits any more.

        Only for the thread, and for callers that have not started it.
        """
        try:
            self._adopt()
            for segments in list(self._segments):
                self._book_all(segments)
            if self._journal.unwritten:  # what is booked has made room
                self._journal.retry()
                self._book_all(self._journal.segments)
            self._lapse()
            self._forget()
        except (Unavailable, OSError) as error:
            self._failed(error)
            return False
        if self._failures:
            log.warning("the ledger answers again")
        self._failures = 0
        return True

    def _run(self) -> None:
        while self._stop_at_s is None:
            if self._clock.monotonic() >= self._retry_at_s:
                self._round()
            self._wake.wait(self._flush_s)
            self._wake.clear()
        self._drain()

    def _drain(self) -> None:
        """Book until nothing waits or the time to stop is over."""
        while not self._round() and self._clock.monotonic() < (self._stop_at_s or 0.0):
            time.sleep(DRAIN_RETRY_S)

    def _round(self) -> bool:
        try:
            return self.flush()
        except Exception:  # whatever it was, the lines after it are worth another try
            log.exception("the bookkeeper failed")
            return False

    def _adopt(self) -> None:
        """Hold the journals of dead processes, so that nobody else books them."""
        if self._clock.monotonic() < self._adopt_at_s:
            return
        self._adopt_at_s = self._clock.monotonic() + ADOPT_S
        for segments in adopt_dead(self._folder / FOLDER):
            log.warning("adopted the journal of a process that did not end well: %s", segments.id)
            self._segments.append(segments)
        self._journal.elsewhere_bytes = sum(one.size_bytes() for one in self._segments[1:])

    def _book_all(self, segments: Segments) -> None:
        """Everything in one folder. A dead process's goes with its last line."""
        own = segments is self._journal.segments
        current = self._journal.current  # before reading, as those below it have ended
        for number in segments.numbers():
            self._book_segment(segments, number)
            if own and number < current:
                self._journal.remove(number)
            if not own or number < current:
                self._gone.append(name_of(segments, number))
        if not own:
            self._journal.elsewhere_bytes -= segments.size_bytes()
            self._segments.remove(segments)
            segments.discard()

    def _book_segment(self, segments: Segments, number: int) -> None:
        """Every whole line of a segment, a page at a time; line by line where one is refused."""
        name = name_of(segments, number)
        lines_max, alone_until = self._batch_max, 0
        while True:
            start = self._start_of(name)
            if start >= alone_until:
                lines_max = self._batch_max
            page = read_page(segments.path(number), start, lines_max)
            if page.empty:
                return
            try:
                self._book_page(page, name)
            except Moved:
                self._read.pop(name, None)
            except Unavailable:
                raise  # and should it have been booked all the same, then the next try is Moved
            except InternalError:
                if lines_max > 1:
                    lines_max, alone_until = 1, page.end
                    continue
                log.exception("the ledger refuses a line of the journal")
                line = segments.path(number).read_bytes()[page.start : page.end - 1]
                self._book_page(Page(page.start, page.end, [], [line]), name)

    def _book_page(self, page: Page, name: str) -> None:
        for line in page.corrupt:
            self._put_aside(name, line)
        reading = Reading(segment=name, start=page.start, end=page.end)
        self.settled += book(self._store, page.charges, reading)
        self.set_aside += len(page.corrupt)
        self._read[name] = page.end

    def _all_booked(self) -> bool:
        """Whether nothing of this process's own journal is left."""
        segments = self._journal.segments
        sizes = {n: segments.path(n).stat().st_size for n in segments.numbers()}
        read = all(size == self._read.get(name_of(segments, n), 0) for n, size in sizes.items())
        return read and not self._journal.unwritten

    def _forget(self) -> None:
        """
        Let the database forget segments that are deleted, and some settlements that are too old;
        the next round goes on while there are any.
        """
        if self._gone:
            self._store.forget_segments(self._gone)
            for name in self._gone:
                self._read.pop(name, None)
            self._gone.clear()
        if self._clock.monotonic() < self._forget_at_s:
            return
        if not self._store.forget(self._clock.wall() - KEEP_S, FORGET_ROWS):
            self._forget_at_s = self._clock.monotonic() + FORGET_S

    def _put_aside(self, name: str, line: bytes) -> None:
        """Keep what cannot be booked where somebody can look at it."""
        log.critical("a line of the journal %s cannot be booked: see %s", name, CORRUPT)
        with (self._folder / CORRUPT).open("ab") as file:
            file.write(line + b"\n")

    def _start_of(self, name: str) -> int:
        start = self._read.get(name)
        if start is None:
            start = self._read[name] = self._store.read_bytes(name)
        return start

    def _lapse(self) -> None:
        """Release reservations whose lease is over; the next round goes on while there are any."""
        if self._clock.monotonic() < self._lapse_at_s:
            return
        lapsed = lapse(self._store)
        if lapsed:
            self.lapsed += lapsed
            log.warning("%d reservations lapsed without a settlement", lapsed)
        if lapsed < LAPSES_MAX:
            self._lapse_at_s = self._clock.monotonic() + LAPSE_S

    def _failed(self, error: Exception) -> None:
        if not self._failures:
            cause = error.__cause__ or error
            log.warning("%s %d bytes of the journal wait: %s", error, self.waiting_bytes, cause)
        pause_s = min(self._flush_s * 2**self._failures, RETRY_S_MAX)
        self._failures = min(self._failures + 1, 16)
        self._retry_at_s = self._clock.monotonic() + pause_s


def name_of(segments: Segments, number: int) -> str:
    """Of a segment, in the database."""
    return f"{segments.id}/{number}"
