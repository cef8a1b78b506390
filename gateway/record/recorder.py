"""
Keeps records without ever keeping a request waiting.

The event loop puts records into memory; one thread writes them in batches. A database that does
not answer is tried again with growing pauses, while the newest records replace the oldest.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.config.schema import Recording
from gateway.core.clock import Clock
from gateway.core.errors import InternalError, Unavailable
from gateway.core.health import FRESH, Health
from gateway.record.record import Feedback, Record, View
from gateway.record.rows import (
    Batch,
    Row,
    Unencodable,
    feedback_row,
    record_row,
    view_row,
)
from gateway.record.store import Store

log = logging.getLogger(__name__)

WAITING_BYTES_MAX = 64 * 2**20  # of records in memory, about
RECORD_BYTES = 4096  # of one in memory, less what its client wrote
VIEWS_MAX = 1024  # a request of ten minutes at a view a second, and a while of outage
COMMENT_CHARS_MAX = 4000
RETRY_S_MAX = 30.0  # between two tries of a database that does not answer
DRAIN_RETRY_S = 0.1  # the same while shutting down
SECONDS_PER_DAY = 86_400
FORGET_S = 3600.0  # between two looks for old records
FORGET_ROWS = 2000  # in one transaction: tens of milliseconds


class Recorder:
    """
    One per process. ``put``, ``put_feedback`` and ``note_view`` are for the event loop: they take
    about a microsecond and never raise.

    The mutable state, all under one lock that is held for microseconds: *waiting*, records by id,
    oldest first, with their size; *writing*, the batch that the thread took last and has not got
    rid of; *views*, the health that recent decisions saw; *opinions*, feedback that waits.
    *unseen* holds records that are not counted yet; the metrics do not depend on the database.
    """

    def __init__(
        self,
        store: Store,
        settings: Recording,
        clock: Clock,
        observe: Callable[[Sequence[Record]], None] = lambda records: None,
        *,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
    ) -> None:
        self.dropped = 0  # records and feedback that will never be stored
        self._store = store
        self._settings = settings
        self._clock = clock
        self._observe = observe
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[Record, int]] = OrderedDict()
        self._waiting_bytes = 0
        self._waiting_bytes_max = waiting_bytes_max
        self._writing: dict[str, Record] = {}
        self._views: OrderedDict[str, dict[str, Health]] = OrderedDict()
        self._opinions: deque[Feedback] = deque()
        self._unseen: deque[Record] = deque(maxlen=settings.queue_max)
        self._batch: Batch | None = None  # of *writing*; only the thread touches it and these
        self._failures = 0  # of the database, in a row
        self._retry_at_s = 0.0
        self._forget_at_s = 0.0
        self._wake = threading.Event()
        self._stop_at_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    @property
    def waiting(self) -> int:
        """Records that are not stored yet."""
        return len(self._waiting) + len(self._writing)

    def start(self) -> None:
        """Begin to write, after migrating the database."""
        self._thread.start()

    def use(self, settings: Recording) -> None:
        """Go on with other settings; the database, and how much waits for it, stay."""
        self._settings = msgspec.structs.replace(settings, queue_max=self._settings.queue_max)

    def put(self, record: Record) -> None:
        """Keep *record*, whose id is new; without room the oldest that wait are dropped."""
        size = RECORD_BYTES + client_chars(record)
        with self._lock:
            self._waiting[record.request_id] = (record, size)
            self._waiting_bytes += size
            while (
                len(self._waiting) > self._settings.queue_max
                or self._waiting_bytes > self._waiting_bytes_max
            ):
                self._waiting_bytes -= self._waiting.popitem(last=False)[1][1]
                self.dropped += 1
        self._unseen.append(record)
        if len(self._waiting) == self._settings.batch_max:
            self._wake.set()

    def put_feedback(self, feedback: Feedback) -> None:
        """Keep *feedback*, its comment cut to COMMENT_CHARS_MAX."""
        comment = feedback.comment[:COMMENT_CHARS_MAX]
        with self._lock:
            self._opinions.append(msgspec.structs.replace(feedback, comment=comment))
            if len(self._opinions) > self._settings.queue_max:
                self._opinions.popleft()
                self.dropped += 1

    def note_view(self, version: str, health: Mapping[str, Health]) -> None:
        """Remember what decisions of this view version see; stored once a record names it."""
        measured = {name: one for name, one in health.items() if one != FRESH}
        with self._lock:
            self._views[version] = measured
            self._views.move_to_end(version)
            if len(self._views) > VIEWS_MAX:
                self._views.popitem(last=False)

    def find(self, request_id: str) -> Record | None:
        """
        The record of a request, stored or not. May read the database: not for the event loop.

        Raises:
            Unavailable: it is not in memory, and the database does not answer.
        """
        with self._lock:
            waiting = self._waiting.get(request_id)
            record = waiting[0] if waiting else self._writing.get(request_id)
        if record is not None:
            return record
        return self._store.find_record(request_id)

    def close(self, timeout_s: float) -> int:
        """
        Write what waits and stop, within *timeout_s*; blocks. How many records and opinions were
        lost, which are then counted as dropped.
        """
        self._stop_at_s = self._clock.monotonic() + timeout_s
        self._wake.set()
        if self._thread.ident is None:
            self._drain()
        else:
            self._thread.join(timeout_s)
        with self._lock:
            left = self._batch.feedback if self._batch else ()
            lost = self.waiting + len(self._opinions) + len(left)
            self.dropped += lost
            self._waiting.clear()
            self._opinions.clear()
        if lost:
            log.error("%d records were lost: the record store did not answer", lost)
        return lost

    def flush(self) -> bool:
        """
        One round of the writer: count, write, forget. True when nothing waits any more.

        Only for the thread, and for callers that have not started it.
        """
        self._count()
        try:
            self._store.prepare()
            while self._take():
                self._write()
            self._forget()
        except Unavailable as error:
            self._failed(error)
            return False
        if self._failures:
            log.warning("the record store answers again")
        self._failures = 0
        return True

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

    def _take(self) -> bool:
        """Make the next batch, unless one is left over. False when there is nothing to write."""
        if self._batch is not None:
            return True
        with self._lock:
            room = self._settings.batch_max - len(self._writing)
            for _ in range(min(len(self._waiting), room)):
                request_id, (record, size) = self._waiting.popitem(last=False)
                self._waiting_bytes -= size
                self._writing[request_id] = record
            said = [self._opinions.popleft() for _ in range(min(len(self._opinions), room))]
        if not self._writing and not said:
            return False
        opinions = {(one.request_id, one.key_id): feedback_row(one) for one in said}
        self._batch = Batch(
            records=self._encode(),
            views=self._used_views(),
            feedback=tuple(opinions.values()),
        )
        return True

    def _encode(self) -> list[Row]:
        rows = []
        for record in self._writing.values():
            try:
                rows.append(record_row(record))
            except Unencodable as error:
                self._drop(1)
                log.warning("a record cannot be stored: %s", error)
        return rows

    def _used_views(self) -> list[Row]:
        """The views that the batch names, as far as they are remembered."""
        used = {record.decision.versions.view for record in self._writing.values()}
        with self._lock:
            known = [View(name, self._views[name]) for name in used if name in self._views]
        now_s = self._clock.wall()
        return [view_row(view, now_s) for view in known]

    def _write(self) -> None:
        """Get rid of the batch: stored, or refused for good."""
        batch = self._batch or Batch()
        try:
            self._store.write(batch)
        except Unavailable:
            raise
        except InternalError:
            self._drop(len(batch.records) + len(batch.feedback))
            log.exception("%d records cannot be stored", len(batch.records))
        with self._lock:
            self._writing.clear()
        self._batch = None

    def _drop(self, count: int) -> None:
        with self._lock:
            self.dropped += count

    def _forget(self) -> None:
        """Delete some records that are too old; the next round goes on while there are any."""
        if self._clock.monotonic() < self._forget_at_s:
            return
        before_s = self._clock.wall() - self._settings.keep_days * SECONDS_PER_DAY
        if not self._store.forget(before_s, FORGET_ROWS):
            self._forget_at_s = self._clock.monotonic() + FORGET_S

    def _failed(self, error: Unavailable) -> None:
        if not self._failures:
            cause = error.__cause__ or error
            log.warning("%s %d records wait in memory: %s", error, self.waiting, cause)
        pause_s = min(self._settings.flush_s * 2**self._failures, RETRY_S_MAX)
        self._failures = min(self._failures + 1, 16)
        self._retry_at_s = self._clock.monotonic() + pause_s


def client_chars(record: Record) -> int:
    """Characters that the client chose the length of."""
    controls, question = record.question.controls, record.question
    return (
        len(record.path)
        + len(question.model)
        + len(record.text or "")
        + len(controls.prefer_model or "")
        + len(controls.task_hint or "")
        + len(controls.session_id or "")
        + sum(len(name) + len(value) for name, value in controls.metadata.items())
    )
