"""What waits in memory to be stored: records, feedback, and the views that records name."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping

import msgspec

from gateway.core.health import FRESH, Health
from gateway.record.record import RECORD_BYTES, Feedback, Record, View, client_chars
from gateway.record.rows import Batch, Row, Unencodable, encode, feedback_row, record_row, view_row
from gateway.record.spool import Spool

log = logging.getLogger(__name__)

VIEWS_MAX = 1024  # a request of ten minutes at a view a second, and a while of outage
COMMENT_CHARS_MAX = 4000


class Waiting(msgspec.Struct, frozen=True):
    """A record in memory, its JSON, the bytes of both, and which segment of the spool has it."""

    record: Record
    payload: bytes
    size: int
    segment: int  # 0: none


class Backlog:
    """
    Up to *entries_max* records and as much feedback, of up to *bytes_max* bytes, all of it in
    *spool*, too, as far as that has room. ``put``, ``put_feedback`` and ``note_view`` are for the
    event loop: they take some ten microseconds and never raise.

    The mutable state, all under one lock that is held for microseconds: *waiting*, records by id,
    oldest first; *opinions*, feedback, each with its segment of the spool; *writing* and *saying*,
    those that ``take`` has put into *batch*; *views*, the health that recent decisions saw.
    """

    def __init__(self, spool: Spool, entries_max: int, bytes_max: int) -> None:
        self.dropped = 0  # records and feedback that were nowhere else
        self._spool = spool
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()
        self._bytes = 0
        self._opinions: deque[tuple[Feedback, int]] = deque()
        self._writing: dict[str, Waiting] = {}
        self._saying: list[tuple[Feedback, int]] = []
        self._batch: Batch | None = None
        self._views: OrderedDict[str, dict[str, Health]] = OrderedDict()

    @property
    def records(self) -> int:
        """Records in memory."""
        return len(self._waiting) + len(self._writing)

    @property
    def opinions(self) -> int:
        """Feedback in memory."""
        return len(self._opinions) + len(self._saying)

    def put(self, record: Record) -> int:
        """
        Keep *record*, whose id is new; how many now wait to be taken. Without room the oldest are
        on disk only, and those that are not there are dropped.
        """
        try:
            payload = encode(record)
        except Unencodable as error:
            self.drop(1)
            log.warning("a record cannot be stored: %s", error)
            return len(self._waiting)
        version = record.decision.versions.view
        size = RECORD_BYTES + client_chars(record) + len(payload)
        with self._lock:
            segment = self._spool.keep_record(payload, version, self._views.get(version))
            self._waiting[record.request_id] = Waiting(record, payload, size, segment)
            self._bytes += size
            while len(self._waiting) > self._entries_max or self._bytes > self._bytes_max:
                oldest = self._waiting.popitem(last=False)[1]
                self._bytes -= oldest.size
                self.dropped += not self._spool.leave(oldest.segment)
            return len(self._waiting)

    def put_feedback(self, feedback: Feedback) -> None:
        """Keep *feedback*, its comment cut to COMMENT_CHARS_MAX, as ``put`` does."""
        comment = feedback.comment[:COMMENT_CHARS_MAX]
        said = msgspec.structs.replace(feedback, comment=comment)
        with self._lock:
            self._opinions.append((said, self._spool.keep_feedback(said)))
            if len(self._opinions) > self._entries_max:
                self.dropped += not self._spool.leave(self._opinions.popleft()[1])

    def note_view(self, version: str, health: Mapping[str, Health]) -> None:
        """Remember what decisions of this view version see; stored once a record names it."""
        measured = {name: one for name, one in health.items() if one != FRESH}
        with self._lock:
            self._views[version] = measured
            self._views.move_to_end(version)
            if len(self._views) > VIEWS_MAX:
                self._views.popitem(last=False)

    def find(self, request_id: str) -> Record | None:
        """The record of a request, None when it is not in memory."""
        with self._lock:
            found = self._waiting.get(request_id) or self._writing.get(request_id)
        return None if found is None else found.record

    def take(self, batch_max: int, now_s: float) -> Batch | None:
        """
        The next batch, of up to *batch_max* records and as much feedback: the last one until it is
        ``done``. None when nothing waits.
        """
        if self._batch is not None:
            return self._batch
        with self._lock:
            for _ in range(min(len(self._waiting), batch_max - len(self._writing))):
                request_id, one = self._waiting.popitem(last=False)
                self._bytes -= one.size
                self._writing[request_id] = one
            for _ in range(min(len(self._opinions), batch_max - len(self._saying))):
                self._saying.append(self._opinions.popleft())
        if not self._writing and not self._saying:
            return None
        opinions = {(one.request_id, one.key_id): feedback_row(one) for one, _ in self._saying}
        self._batch = Batch(
            records=[record_row(one.record, one.payload) for one in self._writing.values()],
            views=self._used_views(now_s),
            feedback=tuple(opinions.values()),
        )
        return self._batch

    def done(self) -> None:
        """Forget the batch: it is stored, or refused for good."""
        with self._lock:
            self._writing.clear()
            self._saying.clear()
        self._batch = None

    def drop(self, count: int) -> None:
        """Count what will never be stored."""
        with self._lock:
            self.dropped += count

    def leave(self) -> int:
        """Give up what waits; how many records and opinions are not on disk, so dropped."""
        with self._lock:
            left = [one.segment for one in (*self._waiting.values(), *self._writing.values())]
            left += [segment for _, segment in (*self._opinions, *self._saying)]
            lost = sum(not self._spool.leave(segment) for segment in left)
            self.dropped += lost
            self._waiting.clear()
            self._opinions.clear()
        return lost

    def _used_views(self, now_s: float) -> list[Row]:
        """The views that the batch names, as far as they are remembered."""
        used = {one.record.decision.versions.view for one in self._writing.values()}
        with self._lock:
            known = [View(name, self._views[name]) for name in used if name in self._views]
        return [view_row(view, now_s) for view in known]
