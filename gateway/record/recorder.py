"""
Keeps records without ever keeping a request waiting.

The event loop puts records into memory and appends them to the spool, so that they outlive the
process; one thread writes them in batches. A database that does not answer is tried again with
growing pauses, while the newest records replace the oldest in memory, which wait on disk.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.config.schema import Recording
from gateway.core.clock import Clock
from gateway.core.errors import InternalError, Unavailable
from gateway.core.health import Health
from gateway.record.backlog import Backlog
from gateway.record.leftovers import Leftovers
from gateway.record.record import Feedback, Record
from gateway.record.rows import Batch
from gateway.record.spool import Spool
from gateway.record.store import Store

log = logging.getLogger(__name__)

WAITING_BYTES_MAX = 64 * 2**20  # of records in memory, about
RETRY_S_MAX = 30.0  # between two tries of a database that does not answer
DRAIN_RETRY_S = 0.1  # the same while shutting down
SECONDS_PER_DAY = 86_400
FORGET_S = 3600.0  # between two looks for old records
FORGET_ROWS = 2000  # in one transaction: tens of milliseconds


class Recorder:
    """
    One per process. ``put``, ``put_feedback`` and ``note_view`` are for the event loop: they take
    some ten microseconds and never raise.

    *unseen* holds records that are not counted yet; the metrics do not depend on the database.
    """

    def __init__(
        self,
        store: Store,
        settings: Recording,
        clock: Clock,
        observe: Callable[[Sequence[Record]], None] = lambda records: None,
        spool: Spool | None = None,
        *,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
    ) -> None:
        self._spool = spool or Spool(None, 0)
        self._backlog = Backlog(self._spool, settings.queue_max, waiting_bytes_max)
        self._leftovers = Leftovers(store, self._spool, clock)
        self._store = store
        self._settings = settings
        self._clock = clock
        self._observe = observe
        self._unseen: deque[Record] = deque(maxlen=settings.queue_max)
        self._failures = 0  # of the database, in a row
        self._retry_at_s = 0.0
        self._forget_at_s = 0.0
        self._wake = threading.Event()
        self._stop_at_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    @property
    def waiting(self) -> int:
        """Records that are not stored yet, and feedback that only the disk has."""
        return self._backlog.records + self._spool.alone

    @property
    def dropped(self) -> int:
        """Records and feedback that will never be stored."""
        return self._backlog.dropped + self._spool.dropped + self._leftovers.dropped

    @property
    def waiting_bytes(self) -> int:
        """On disk, of this process and of dead ones: not stored yet, or not yet removed."""
        return self._spool.waiting_bytes

    def start(self) -> None:
        """Begin to write, after migrating the database."""
        self._thread.start()

    def use(self, settings: Recording) -> None:
        """Go on with other settings; the database, and how much waits for it, stay."""
        self._settings = msgspec.structs.replace(settings, queue_max=self._settings.queue_max)

    def put(self, record: Record) -> None:
        """Keep *record*, whose id is new, see Backlog."""
        self._unseen.append(record)
        if self._backlog.put(record) == self._settings.batch_max:
            self._wake.set()

    def put_feedback(self, feedback: Feedback) -> None:
        """Keep *feedback*, see Backlog."""
        self._backlog.put_feedback(feedback)

    def note_view(self, version: str, health: Mapping[str, Health]) -> None:
        """Remember what decisions of this view version see, see Backlog."""
        self._backlog.note_view(version, health)

    def find(self, request_id: str) -> Record | None:
        """
        The record of a request, in memory or stored. May read the database: not for the event loop.

        Raises:
            Unavailable: it is not in memory, and the database does not answer.
        """
        return self._backlog.find(request_id) or self._store.find_record(request_id)

    def close(self, timeout_s: float) -> int:
        """
        Write what waits and stop, within *timeout_s*; blocks. What is left stays on disk for the
        next process. How many records and opinions are not even there, which are then dropped.
        """
        self._stop_at_s = self._clock.monotonic() + timeout_s
        self._wake.set()
        if self._thread.ident is None:
            self._drain()
        else:
            self._thread.join(timeout_s)
        lost = self._backlog.leave()
        if lost:
            log.error("%d records were lost: the record store did not answer", lost)
        if self._spool.alone:
            log.warning("%d records wait on disk for the next process", self._spool.alone)
        self._spool.close()
        self._leftovers.close()
        return lost

    def flush(self) -> bool:
        """
        One round of the writer: count, write, forget, and store some of what only the disk has.
        True when nothing waits any more.

        Only for the thread, and for callers that have not started it.
        """
        self._count()
        try:
            self._leftovers.adopt()
            self._store.prepare()
            finished = self._spool.finish()
            while batch := self._backlog.take(self._settings.batch_max, self._clock.wall()):
                self._write(batch)
            self._spool.remove_stored(finished)
            more = self._leftovers.store_next(finished)
            self._forget()
        except (Unavailable, OSError) as error:
            self._failed(error)
            return False
        if self._failures:
            log.warning("the record store answers again")
        self._failures = 0
        return not more

    def _run(self) -> None:
        while self._stop_at_s is None:
            if self._clock.monotonic() >= self._retry_at_s:
                self._round()
            else:
                self._count()
            self._wake.wait(self._settings.flush_s)
            self._wake.clear()
        self._drain()

    def _drain(self) -> None:
        """Write until nothing waits or the time to stop is over."""
        while not self._round() and self._clock.monotonic() < (self._stop_at_s or 0.0):
            time.sleep(DRAIN_RETRY_S)

    def _round(self) -> bool:
        try:
            return self.flush()
        except Exception:  # whatever it was, the records after it are worth another try
            log.exception("the recorder failed")
            return False

    def _count(self) -> None:
        """Hand records to the metrics, each once, whatever the database does."""
        unseen = [self._unseen.popleft() for _ in range(len(self._unseen))]
        if not unseen:
            return
        try:
            self._observe(unseen)
        except Exception:  # a number that cannot be counted is no reason not to store it
            log.exception("%d records were not counted", len(unseen))

    def _write(self, batch: Batch) -> None:
        """Get rid of *batch*: stored, or refused for good."""
        try:
            self._store.write(batch)
        except Unavailable:
            raise
        except InternalError:
            self._backlog.drop(len(batch.records) + len(batch.feedback))
            log.exception("%d records cannot be stored", len(batch.records))
        self._backlog.done()

    def _forget(self) -> None:
        """Delete some records that are too old; the next round goes on while there are any."""
        if self._clock.monotonic() < self._forget_at_s:
            return
        before_s = self._clock.wall() - self._settings.keep_days * SECONDS_PER_DAY
        if not self._store.forget(before_s, FORGET_ROWS):
            self._forget_at_s = self._clock.monotonic() + FORGET_S

    def _failed(self, error: Exception) -> None:
        if not self._failures:
            cause = error.__cause__ or error
            log.warning("%s %d records wait: %s", error, self.waiting, cause)
        pause_s = min(self._settings.flush_s * 2**self._failures, RETRY_S_MAX)
        self._failures = min(self._failures + 1, 16)
        self._retry_at_s = self._clock.monotonic() + pause_s
