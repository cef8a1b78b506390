"""Recorders to test with, and a store that fails when it is told to."""

from __future__ import annotations

from gateway.config.schema import Recording
from gateway.core.errors import Unavailable
from gateway.record.recorder import Recorder
from gateway.record.spool import Spool
from gateway.record.store import Store
from tests.gateway.record.records import make_record

LATE = 1e12
NOW_S = make_record(0).wall_s


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.wall_s = NOW_S

    def monotonic(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return self.wall_s


class Flaky(Store):
    """A store in memory that fails as often as it is told to."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.error: Exception | None = None
        self.batches: list[int] = []

    def prepare(self) -> None:
        if isinstance(self.error, Unavailable):
            raise self.error
        super().prepare()

    def write(self, batch) -> None:
        if self.error is not None:
            raise self.error
        self.batches.append(len(batch.records))
        super().write(batch)


def recorder_of(store, observe=lambda records: None, folder=None, **limits):
    """A recorder that only works when it is told to, with a spool in *folder*."""
    clock, waiting, spool = Clock(), {}, Spool(folder, 2**20)
    if "waiting_bytes_max" in limits:
        waiting["waiting_bytes_max"] = limits.pop("waiting_bytes_max")
    return Recorder(store, Recording(**limits), clock, observe, spool, **waiting)


def kill(recorder):
    """What the operating system does to a killed process: its files are closed, no more."""
    recorder._spool._segments.close()
    recorder._leftovers.close()


def stored(store):
    """Numbers of the records in *store*."""
    return [int(record.request_id[4:]) for record in store.read_records(0, LATE)]


def put(recorder, *numbers):
    """Put the records of *numbers*."""
    for number in numbers:
        recorder.put(make_record(number))
