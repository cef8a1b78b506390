"""Shares of limits, step by step, on a clock that only the test moves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.limits import LIFETIME, MINUTE, NOW, Limit, LimitReached, Span, Unit, Window
from gateway.ledger.exchange import Exchange
from gateway.ledger.hold import Hold
from gateway.ledger.shared_meter import IDLE_S, TRUST_S, SharedMeter
from tests.fakes.clock import ManualClock
from tests.fakes.shares import TwinShares
from tests.reference_shares import ReferenceShares

LIFE = Limit("life", Unit.TOKENS, 100, LIFETIME)
RPM = Limit("rpm", Unit.REQUESTS, 100, MINUTE)
HOURLY = Limit("hourly", Unit.REQUESTS, 10, Window(Span.HOUR))


class Replica:
    """One replica with one shared limit."""

    def __init__(self, twin: ReferenceShares, clock: ManualClock, limit: Limit) -> None:
        self.shares = TwinShares(twin)
        self.exchange = Exchange(self.shares, clock, lambda meter: None)
        self.meter = SharedMeter(limit, clock.wall(), self.exchange)
        self.holds: list[Hold] = []
        self._clock = clock

    async def round(self, asked: int = 0) -> None:
        """Report, and ask for what a waiting request needs."""
        self.meter.asked = asked
        self.exchange.note(self.meter)
        await self.exchange.round()
        self.meter.asked = 0

    def take(self, amount: int) -> bool:
        """Hold *amount* if the share does."""
        taken = self.meter.take(amount, self._clock.wall())
        if taken:
            self.holds.append(Hold([(self.meter, amount)], self._clock))
        return taken

    def use(self, amount: int) -> bool:
        """Hold and settle *amount* if the share does."""
        taken = self.take(amount)
        if taken:
            self.holds.pop().settle({})
        return taken

    async def spend(self, amount: int) -> bool:
        """The same as a request that asks the others first."""
        await self.round(amount)
        return self.use(amount)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at a whole hour."""
    return ManualClock(wall_s=1_700_002_800.0)


@pytest.fixture
def twin(clock: ManualClock) -> ReferenceShares:
    """What the replicas share."""
    return ReferenceShares(clock.wall)


async def test_nothing_is_promised_without_a_share(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """A new meter asks the others before its first request."""
    replica = Replica(twin, clock, LIFE)

    assert not replica.take(1)
    assert await replica.spend(1)


async def test_an_idle_replica_keeps_nothing(twin: ReferenceShares, clock: ManualClock) -> None:
    """Its comfort is given back after a minute, and then it can be forgotten."""
    replica = Replica(twin, clock, LIFE)
    await replica.spend(10)
    kept = replica.meter.spare
    for _ in range(int(IDLE_S)):
        clock.advance(1.1)
        await replica.exchange.round()

    assert kept >= 10
    assert replica.meter.spare == 0
    assert replica.meter.droppable(clock.wall())


async def test_what_another_is_short_of_is_given_back(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """A replica that hears of a shortage keeps only what it holds."""
    rich, poor = Replica(twin, clock, LIFE), Replica(twin, clock, LIFE)
    await rich.spend(10)
    await poor.round(90)
    assert not poor.take(90)

    await rich.exchange.round()
    await rich.exchange.round()
    await poor.round(90)

    assert rich.meter.spare == 0
    assert poor.take(90)


async def test_a_full_limit_refuses_at_once_but_not_during_a_report(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """What was just heard to be full is not asked for again; what is on its way back may fit."""
    replica = Replica(twin, clock, LIFE)
    await replica.spend(100)
    await replica.round(1)
    assert replica.meter.hopeless(1, clock.wall())

    replica.meter.claim(clock.wall())

    assert not replica.meter.hopeless(1, clock.wall())


async def test_a_full_limit_is_asked_for_again_after_the_clock_went_back(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """An answer from later than now is an old one."""
    replica = Replica(twin, clock, LIFE)
    await replica.spend(100)
    await replica.round(1)

    clock.advance(-3600)

    assert not replica.meter.hopeless(1, clock.wall())
    assert replica.meter.renewable(clock.wall())


async def test_a_fault_does_not_end_the_exchange(
    twin: ReferenceShares,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is as if nobody had answered: the next round reports all of it."""
    replica = Replica(twin, clock, LIFE)
    await replica.spend(10)
    with monkeypatch.context() as broken:
        broken.setattr(replica.shares, "exchange", lambda claims: {}[""])
        await replica.round()
    assert replica.exchange.stale_since_s is not None
    assert "the exchange of limits failed" in caplog.text

    await replica.exchange.round()

    assert replica.exchange.stale_since_s is None
    assert replica.meter.acked == 10


async def test_what_a_waiting_request_was_granted_stays(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """A report that begins before the request could take it does not give it back."""
    rich, poor = Replica(twin, clock, LIFE), Replica(twin, clock, LIFE)
    await rich.spend(90)
    await rich.round()
    await poor.round(30)  # of which there are fewer: the limit is short
    poor.meter.asked = 30

    poor.meter.claim(clock.wall())

    assert poor.meter.spare > 0


async def test_an_old_share_is_not_trusted(twin: ReferenceShares, clock: ManualClock) -> None:
    """A replica that slept may have been taken for dead: it asks again before it promises."""
    replica = Replica(twin, clock, LIFE)
    await replica.spend(10)

    clock.advance(TRUST_S + 1)

    assert not replica.take(1)
    assert await replica.spend(1)


async def test_the_dead_leave_what_they_used_and_no_more(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """After ten seconds what a dead replica held is free again; what it used stays counted."""
    dead, alive = Replica(twin, clock, LIFE), Replica(twin, clock, LIFE)
    await dead.spend(30)
    dead.take(20)
    await dead.round()
    await alive.round(70)
    assert not alive.take(70)

    clock.advance(11)

    assert await alive.spend(70)


async def test_a_stale_replica_goes_on_with_its_part(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """Two that both hear nothing share what was left, and pass the limit by one at most."""
    replicas = [Replica(twin, clock, LIFE) for _ in range(2)]
    for replica in (*replicas, *replicas):
        await replica.spend(5)
        await replica.round()
    for replica in (*replicas, *replicas):
        await replica.round()
    for replica in replicas:
        replica.shares.deaf = True
        await replica.round()

    passed = [sum(replica.use(1) for _ in range(100)) for replica in replicas]

    assert 80 <= sum(passed) <= 81
    assert min(passed) >= 30
    assert replicas[0].meter.state(clock.wall()).stale_since_s == clock.wall()


async def test_a_replica_born_deaf_lets_something_through(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """It knows nothing of others, and takes the limit to be its own."""
    replica = Replica(twin, clock, LIFE)
    replica.shares.deaf = True
    await replica.round()

    assert sum(replica.use(1) for _ in range(200)) == 100


@pytest.mark.parametrize(("limit", "waits_s"), [(RPM, 62.0), (HOURLY, 3600.0)])
async def test_windows_roll_while_nobody_is_heard(
    twin: ReferenceShares, clock: ManualClock, limit: Limit, waits_s: float
) -> None:
    """What was used before an outage leaves the window during it; so does what is used in it."""
    replica = Replica(twin, clock, limit)
    await replica.spend(limit.most)
    replica.shares.deaf = True
    await replica.round()
    assert not replica.use(1)

    passed = []
    for _ in range(3):
        clock.advance(waits_s)
        passed.append(sum(replica.use(1) for _ in range(200)))

    assert passed == [limit.most] * 3


async def test_an_outage_is_reported_when_it_happened(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """What left the window during an outage does not count after it."""
    replica = Replica(twin, clock, RPM)
    await replica.spend(10)
    replica.shares.deaf = True
    await replica.round()
    for _ in range(8):
        clock.advance(20)
        assert replica.use(1)
    replica.shares.deaf = False

    await replica.round()
    await replica.round()

    assert replica.meter.state(clock.wall()).used == 4
    assert replica.meter.acked == 18


async def test_a_lowered_limit_takes_back_what_is_not_held(
    twin: ReferenceShares, clock: ManualClock
) -> None:
    """Nothing more is let through once the others know of it."""
    replica = Replica(twin, clock, LIFE)
    await replica.spend(10)
    assert replica.meter.spare

    replica.meter.adopt(Limit(LIFE.name, LIFE.unit, 5, LIFETIME))
    await replica.round(1)
    await replica.round(1)

    assert not replica.take(1)
    reached = replica.meter.reached(1, clock.wall())
    assert isinstance(reached, LimitReached)
    assert (reached.limit.most, reached.used) == (5, 10)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "settle", "release", "round", "ask", "wait"]),
        st.integers(0, 2),
        st.integers(0, 40),
    ),
    max_size=80,
)


class Fleet:
    """Three replicas of one limit; *used*: instants and amounts, over all of them."""

    def __init__(self, limit: Limit) -> None:
        self.clock = ManualClock()
        self.twin = ReferenceShares(self.clock.wall)
        self.replicas = [Replica(self.twin, self.clock, limit) for _ in range(3)]
        self.limit = limit
        self.used: list[tuple[float, int]] = []

    async def do(self, step: tuple[Any, ...]) -> None:
        """One step of a test."""
        what, place, amount = step
        replica = self.replicas[place]
        match what:
            case "take":
                replica.take(amount)
            case "settle" if replica.holds:
                hold = replica.holds.pop()
                actual = min(amount, hold.held[0][1])
                self.used.append((self.clock.wall(), actual))
                hold.settle({self.limit.unit: actual})
            case "release" if replica.holds:
                replica.holds.pop().release()
            case "round":
                await replica.round()
            case "ask":
                await replica.round(amount)
            case "wait":
                self.clock.advance(amount / 7)

    @property
    def total(self) -> int:
        """What is used in the window and held, over all replicas."""
        window = self.limit.window
        since_s = self.clock.wall() - window.rolling_s if window.rolling_s else 0.0
        gauge = window.span is Span.NOW
        used = 0 if gauge else sum(amount for at_s, amount in self.used if at_s > since_s)
        return used + sum(replica.meter.held for replica in self.replicas)


@settings(max_examples=300, deadline=None)
@given(
    steps=STEPS,
    window=st.sampled_from([LIFETIME, NOW, Window(Span.ROLLING, 20)]),
    silent=st.sampled_from([None, 0, 1]),
)
def test_replicas_never_pass_the_limit(
    steps: list[tuple[Any, ...]], window: Window, silent: int | None
) -> None:
    """
    Whatever they do in whatever order, and if one is never heard again: what is used and held,
    over all of them, stays within the limit; but a gauge forgets what the silent one holds.
    """
    fleet = Fleet(Limit("shared", Unit.TOKENS, 60, window))

    async def run() -> None:
        for number, step in enumerate(steps):
            if not (step[1] == silent and number > 20):
                await fleet.do(step)
            live = [r for place, r in enumerate(fleet.replicas) if place != silent]
            held = sum(r.meter.held for r in fleet.replicas if r not in live)
            assert fleet.total - held <= 60
            if silent is None:
                assert all(r.meter.spare >= 0 for r in live)

    asyncio.run(run())


@settings(max_examples=200, deadline=None)
@given(
    steps=STEPS,
    losses=st.lists(st.sampled_from(["deaf", "mute", "", ""]), min_size=80, max_size=80),
)
def test_what_is_used_counts_exactly_once(steps: list[tuple[Any, ...]], losses: list[str]) -> None:
    """However many reports and answers are lost, in the end the others know all, and no more."""
    fleet = Fleet(Limit("shared", Unit.TOKENS, 1000, LIFETIME))

    async def run() -> None:
        for step, loss in zip(steps, losses, strict=False):
            shares = fleet.replicas[step[1]].shares
            shares.deaf, shares.mute = loss == "deaf", loss == "mute"
            await fleet.do(step)
        for replica in fleet.replicas:
            replica.shares.deaf = replica.shares.mute = False
            await replica.round()

    asyncio.run(run())
    known = sum(amount for _, amount in fleet.twin.used.get("shared", []))
    assert known == sum(amount for _, amount in fleet.used)
