"""
All limits of a process: requests, tokens, concurrency and money by one mechanism.

Without shares this process owns every limit, and everything is exact and synchronous. With them
the limits are shared between replicas: ``hold`` counts down the share in hand, and asks the
others only where that does not do.

What money was spent before a meter was made is told by a history, which ``know`` waits for. Where
it does not answer, what comes is counted and allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from gateway.core.clock import Clock
from gateway.core.errors import SwitchyardError
from gateway.core.limits import Limit, LimitReached, MeterState, Unit
from gateway.ledger.exchange import Exchange
from gateway.ledger.hold import Ask, Hold, Refused, take_all
from gateway.ledger.meter import Meter
from gateway.ledger.shared_meter import SharedMeter
from gateway.state.shares import Shares

log = logging.getLogger(__name__)

METERS_MAX: Final = 50_000  # about a kilobyte each
DROP_TRIES: Final = 8  # meters looked at for one that may go
WAIT_S: Final = 0.25  # for the other replicas, before a request is refused
AGAIN_S: Final = 0.02  # between two asks for what others have to spare
SEED_RETRY_S: Final = 1.0  # of a history that does not answer

# What a limit in money counted before an instant: pairs of when, in seconds of the epoch, and
# nano-dollars. Fine steps are better: what was spent in a step counts as spent at its start.
History = Callable[[Limit, float], Awaitable[Iterable[tuple[float, int]]]]


class Meters:
    """
    For the event loop's thread only. ``run`` must run where there are shares or a history.

    The mutable state: *_meters* by name, the least recently used first; *_unseeded*, those whose
    history is still to be asked for.
    """

    def __init__(
        self,
        clock: Clock,
        shares: Shares | None = None,
        history: History | None = None,
        *,
        meters_max: int = METERS_MAX,
        wait_s: float = WAIT_S,
    ) -> None:
        self._clock = clock
        self._history = history
        self._meters_max = meters_max
        self._wait_s = wait_s
        self._meters: OrderedDict[str, Meter] = OrderedDict()
        self._unseeded: dict[str, Meter] = {}
        self._wanted = asyncio.Event()  # the history of one that is unseeded
        self._told = asyncio.Event()  # one was; then there is another event
        self._untold = False  # the history does not answer
        self._exchange = None if shares is None else Exchange(shares, clock, self._want_seed)

    def __len__(self) -> int:
        return len(self._meters)

    @property
    def stale_since_s(self) -> float | None:
        """Since when the other replicas are not heard of, in seconds of the epoch; None: now."""
        return None if self._exchange is None else self._exchange.stale_since_s

    def try_hold(self, asks: Sequence[Ask]) -> Hold | LimitReached:
        """Hold all of *asks* or nothing, with what is known here."""
        now_s = self._clock.wall()
        try:
            return self._hold(asks, now_s)
        except Refused as refused:
            return refused.meter.reached(refused.amount, now_s)

    async def know(self, limits: Iterable[Limit]) -> None:
        """
        Wait until what was spent before is counted in *limits*, WAIT_S at most, and not at all
        where the history does not answer.
        """
        now_s = self._clock.wall()
        meters = [self._meter(limit, now_s) for limit in limits]
        if self._history is None or all(meter.known for meter in meters):
            return
        for meter in meters:
            if not meter.known:
                self._want_seed(meter)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait_s):
                while not (self._untold or all(meter.known for meter in meters)):
                    await self._told.wait()

    async def hold(self, asks: Sequence[Ask]) -> Hold | LimitReached:
        """
        Hold all of *asks* or nothing. Waits, WAIT_S at most, only where the share in hand does
        not do and other replicas may have left more.
        """
        got = self.try_hold(asks)
        if isinstance(got, Hold) or self._exchange is None:
            return got
        return await self._insist(lambda now_s: self._hold(asks, now_s))

    async def change(self, hold: Hold, asks: Sequence[Ask]) -> LimitReached | None:
        """
        Hold *asks* instead of what *hold* has, all or nothing, as for another attempt on a model
        that costs more. Where they are refused, *hold* stays as it was.

        Raises:
            ValueError: *hold* has ended.
        """
        got = await self._insist(lambda now_s: self._change(hold, asks, now_s))
        return got if isinstance(got, LimitReached) else None

    def state(self, limit: Limit) -> MeterState:
        """Where *limit* stands."""
        now_s = self._clock.wall()
        return self._meter(limit, now_s).state(now_s)

    def remaining(self, limit: Limit) -> int:
        """What *limit* leaves."""
        now_s = self._clock.wall()
        return self._meter(limit, now_s).remaining(now_s)

    def seed(self, limit: Limit, past: Iterable[tuple[float, int]]) -> None:
        """
        Count what was used of *limit* before this process, or any replica, counted: instants in
        seconds of the epoch, and amounts. Only the first time counts.
        """
        now_s = self._clock.wall()
        self._meter(limit, now_s).seed(past, now_s)
        self._unseeded.pop(limit.name, None)

    async def run(self) -> None:
        """Keep the shares and ask for histories, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self._exchange is not None:
                tasks.create_task(self._exchange.run())
            if self._history is not None:
                tasks.create_task(self._seed_all(self._history))

    def _hold(self, asks: Sequence[Ask], now_s: float) -> Hold:
        wanted = [(self._meter(limit, now_s), amount) for limit, amount in asks]
        take_all(wanted, now_s)
        return Hold(wanted, self._clock)

    def _change(self, hold: Hold, asks: Sequence[Ask], now_s: float) -> Hold:
        if hold.ended:
            raise ValueError("a hold that has ended cannot change")
        wanted = [(self._meter(limit, now_s), amount) for limit, amount in asks]
        for meter, amount in hold.held:
            meter.give_back(amount)
        try:
            take_all(wanted, now_s)
        except Refused:
            for meter, amount in hold.held:
                meter.restore(amount)
            raise
        hold.held = wanted
        return hold

    async def _insist(self, attempt: Callable[[float], Hold]) -> Hold | LimitReached:
        end_s = self._clock.monotonic() + self._wait_s
        pause_s = 0.0
        while True:
            now_s = self._clock.wall()
            try:
                return attempt(now_s)
            except Refused as refused:
                meter, amount = refused.meter, refused.amount
            left_s = end_s - self._clock.monotonic()
            if self._exchange is None or not isinstance(meter, SharedMeter):
                return meter.reached(amount, now_s)
            if left_s <= 0 or meter.hopeless(amount, now_s):
                return meter.reached(amount, now_s)
            await self._exchange.ask(meter, amount, pause_s, left_s)
            pause_s = AGAIN_S

    def _meter(self, limit: Limit, now_s: float) -> Meter:
        meter = self._meters.get(limit.name)
        if meter is None:
            return self._make(limit, now_s)
        self._meters.move_to_end(limit.name)
        if meter.limit is not limit and meter.limit != limit:
            if (meter.limit.window, meter.limit.unit) != (limit.window, limit.unit):
                return self._make(limit, now_s)  # another count; holds keep the old one
            meter.adopt(limit)
        return meter

    def _make(self, limit: Limit, now_s: float) -> Meter:
        seedable = self._history is not None and limit.unit is Unit.NANO_USD
        meter: Meter
        if self._exchange is None:
            meter = Meter(limit, now_s, seedable=seedable)
            if seedable:
                self._want_seed(meter)
        else:
            meter = SharedMeter(limit, now_s, self._exchange, seedable=seedable)
        self._meters[limit.name] = meter
        if len(self._meters) > self._meters_max:
            self._drop_one(now_s)
        return meter

    def _drop_one(self, now_s: float) -> None:
        """Forget the least recently used meter that may go; where none may, there is one more."""
        oldest = list(zip(range(DROP_TRIES), self._meters, strict=False))
        for _, name in oldest:
            if self._meters[name].droppable(now_s):
                del self._meters[name]
                self._unseeded.pop(name, None)
                return
            self._meters.move_to_end(name)

    def _want_seed(self, meter: Meter) -> None:
        self._unseeded[meter.limit.name] = meter
        self._wanted.set()

    async def _seed_all(self, history: History) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for name, meter in list(self._unseeded.items()):
                try:
                    past = await history(meter.limit, meter.made_s)
                except SwitchyardError as error:
                    if not self._untold:
                        log.warning("the spend so far is not known yet: %s", error)
                    self._untold = True
                    self._tell()
                    self._wanted.set()
                    await asyncio.sleep(SEED_RETRY_S)
                    break
                self._untold = False
                meter.seed(past, self._clock.wall())
                self._tell()
                if self._unseeded.get(name) is meter:
                    del self._unseeded[name]

    def _tell(self) -> None:
        """Wake those who wait in ``know``."""
        told, self._told = self._told, asyncio.Event()
        told.set()
