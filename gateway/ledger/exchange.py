"""
The task that keeps a replica's shares: it reports, gives back and takes, ten times a second, and
at once where a request waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from typing import Final

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.ledger.shared_meter import RENEW_S, SharedMeter
from gateway.state.shares import Shared, Shares

log = logging.getLogger(__name__)

TICK_S: Final = 0.1
PAUSE_S_MAX: Final = 1.0  # between two tries while nobody answers
WEIGHT_MAX: Final = 200  # of claims and their points in one exchange: some 10 ms of Redis
LOOK_S: Final = 1.0  # between two looks for shares that would lapse


class Exchange:
    """
    One per replica. ``run`` is the only one that talks to the others.

    The mutable state: *_changed* meters have something to report; *_leased* ones have a share,
    by name; *_waiting* ends with the next round that begins. *stale_since_s*: since when nobody
    answers, in seconds of the epoch; *replicas*: how many were heard of when somebody last did.
    """

    def __init__(
        self, shares: Shares, clock: Clock, unseeded: Callable[[SharedMeter], None]
    ) -> None:
        self.stale_since_s: float | None = None
        self.replicas = 1
        self._shares = shares
        self._clock = clock
        self._unseeded = unseeded
        self._changed: dict[SharedMeter, None] = {}
        self._leased: dict[str, SharedMeter] = {}
        self._waiting: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()
        self._heard_s = clock.wall()
        self._sent_s = -math.inf  # monotonic, as is the next
        self._looked_s = -math.inf
        self._failures = 0

    def note(self, meter: SharedMeter) -> None:
        """*meter* has something to report, at the next tick."""
        self._changed[meter] = None

    async def ask(self, meter: SharedMeter, amount: int, pause_s: float, timeout_s: float) -> None:
        """
        Ask for *amount* of *meter*, after *pause_s* seconds, and wait for the answer, at most
        *timeout_s* seconds.
        """
        meter.asked += amount
        try:
            await asyncio.sleep(pause_s)
            self.note(meter)
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().create_future()
            self._wake.set()
            await asyncio.wait([self._waiting], timeout=timeout_s)
        finally:
            meter.asked -= amount

    async def run(self) -> None:
        """Exchange until cancelled."""
        task = asyncio.current_task()
        while True:
            await self.round()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError  # a client that is connecting swallows it
            pause_s = min(PAUSE_S_MAX, TICK_S * 2 ** min(self._failures, 8))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            self._wake.clear()

    async def round(self) -> None:
        """Report everything there is to report. Never raises for want of an answer."""
        waiting, self._waiting = self._waiting, None
        now_s = self._clock.monotonic()
        self._renew(now_s)
        meters = list(self._changed)
        self._changed.clear()
        try:
            if meters or self._leased or self._failures or now_s >= self._sent_s + RENEW_S:
                for some in in_parts(meters):
                    await self._report(some)
                self._hear()
        except Unavailable as error:
            self._miss(meters, error)
        except Exception as error:  # whatever it was, all limits hang on the next try
            log.exception("the exchange of limits failed")
            self._miss(meters, error)
        finally:
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def _report(self, meters: list[SharedMeter]) -> None:
        self._sent_s = self._clock.monotonic()
        now_s = self._clock.wall()
        claims = [meter.claim(now_s) for meter in meters]
        shared = await self._shares.exchange(claims)
        short = set(shared.short)
        for meter, claim, share in zip(meters, claims, shared.shares, strict=True):
            meter.accept(claim, share, now_s, short=claim.name in short)
            if share.ceiling > claim.used:
                self._leased[claim.name] = meter
            else:
                self._leased.pop(claim.name, None)
            if meter.wants_seed:
                self._unseeded(meter)
        self._share_out(shared)

    def _share_out(self, shared: Shared) -> None:
        """Give at once what another replica is short of and this one has to spare."""
        self.replicas = max(1, shared.replicas)
        for name in shared.short:
            meter = self._leased.get(name)
            if meter is not None and meter.spare and not meter.asked:
                meter.short = True
                self.note(meter)
                self._wake.set()

    def _renew(self, now_s: float) -> None:
        if now_s >= self._looked_s + LOOK_S:
            self._looked_s = now_s
            for meter in self._leased.values():
                if meter.renewable(self._clock.wall()):
                    self.note(meter)

    def _hear(self) -> None:
        if self.stale_since_s is not None:
            log.info("limits are shared again after %d failures", self._failures)
        self.stale_since_s = None
        self._failures = 0
        self._heard_s = self._clock.wall()

    def _miss(self, meters: list[SharedMeter], error: Exception) -> None:
        if self.stale_since_s is None:
            log.warning("limits go on with what this replica knows: %s", error)
            self.stale_since_s = self._heard_s
        self._failures += 1
        for meter in meters:
            meter.dirty = True
            self.note(meter)


def in_parts(meters: list[SharedMeter]) -> Iterator[list[SharedMeter]]:
    """*meters* in parts that are one exchange each; one part, empty, where there are none."""
    part: list[SharedMeter] = []
    weight = 0
    for meter in meters:
        if part and weight + meter.weight > WEIGHT_MAX:
            yield part
            part, weight = [], 0
        part.append(meter)
        weight += meter.weight
    yield part
