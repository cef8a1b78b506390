"""Limits of one process, against a naive twin that remembers every event."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import Unavailable
from gateway.core.limits import (
    LIFETIME,
    MINUTE,
    NOW,
    Limit,
    LimitReached,
    Span,
    Unit,
    Window,
)
from gateway.ledger.hold import Ask, Hold
from gateway.ledger.meters import Meters
from tests.fakes.clock import ManualClock
from tests.reference_shares import window_end

REQUESTS = Limit("k1 requests", Unit.REQUESTS, 5, MINUTE)
TOKENS = Limit("k1 tokens", Unit.TOKENS, 1000, MINUTE)
RUNNING = Limit("k1 concurrent", Unit.CONCURRENT, 3, NOW)
SPEND = Limit("k1 spend", Unit.NANO_USD, 500, Window(Span.DAY))
TEAM = Limit("t1 spend", Unit.NANO_USD, 800, Window(Span.MONTH))
CREDITS = Limit("t1 credits", Unit.NANO_USD, 2000, LIFETIME)

SMALL = [  # that amounts of 0 to 4 fill up to the brim
    Limit("r", Unit.REQUESTS, 5, MINUTE),
    Limit("t", Unit.TOKENS, 9, Window(Span.ROLLING, 3600)),
    Limit("c", Unit.CONCURRENT, 6, NOW),
    Limit("d", Unit.NANO_USD, 7, Window(Span.DAY)),
    Limit("m", Unit.NANO_USD, 12, Window(Span.MONTH)),
    Limit("l", Unit.NANO_USD, 40, LIFETIME),
]
AMOUNTS = st.integers(0, 4)
ASKS = st.lists(st.tuples(st.sampled_from(SMALL), AMOUNTS), min_size=1, max_size=4)
PAUSES = st.sampled_from([0.3, 1.0, 29.0, 61.0, 3600.0, 86_400.0, 31 * 86_400.0])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), ASKS),
        st.tuples(st.just("settle"), st.integers(0, 9), AMOUNTS),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(st.just("change"), st.integers(0, 9), ASKS),
        st.tuples(st.just("wait"), PAUSES),
        st.tuples(st.just("look"), st.sampled_from(SMALL)),
    ),
    max_size=60,
)


class Twin:
    """Every amount with its instant; what is held, as lists of asks."""

    def __init__(self) -> None:
        self.booked: list[tuple[float, Limit, int]] = []
        self.holds: list[list[tuple[Limit, int]]] = []

    def used(self, limit: Limit, now_s: float) -> int:
        """What still counts."""
        if limit.window.span is Span.NOW:
            return 0
        window = limit.window
        ends = [
            (window_end(window.span.value, window.rolling_s, at_s), amount)
            for at_s, booked, amount in self.booked
            if booked is limit
        ]
        return sum(amount for end_s, amount in ends if end_s is None or end_s > now_s)

    def held(self, limit: Limit) -> int:
        """What is held over all holds."""
        return sum(amount for hold in self.holds for held, amount in hold if held is limit)

    def fits(self, asks: list[tuple[Limit, int]], now_s: float) -> bool:
        """Whether there is room for all of *asks* together."""
        total: dict[str, int] = {}
        for limit, amount in asks:
            total[limit.name] = total.get(limit.name, 0) + amount
            used = self.used(limit, now_s) + self.held(limit)
            if used + total[limit.name] > limit.most:
                return False
        return True


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_meters_do_as_their_twin(steps: list[tuple[Any, ...]]) -> None:
    """
    After any holds, ends, changes and pauses: let through exactly what fits, and used, held and
    remaining are those of the twin.
    """
    clock = ManualClock(wall_s=1_709_164_700.0)  # the end of 28 February 2024
    both = Both(Meters(clock), Twin(), clock)
    for step in steps:
        both.do(step)
    for limit in SMALL:
        both.look(limit)


class Both:
    """Meters and their twin; what is asked of the one is asked of the other."""

    def __init__(self, meters: Meters, twin: Twin, clock: ManualClock) -> None:
        self.meters = meters
        self.twin = twin
        self.clock = clock
        self.holds: list[Hold] = []

    def do(self, step: tuple[Any, ...]) -> None:
        """One step of a test, which does nothing where it needs a hold and there is none."""
        now_s, twin = self.clock.wall(), self.twin
        match step:
            case ("hold", asks):
                got = self.meters.try_hold(asks)
                assert isinstance(got, Hold) == twin.fits(asks, now_s)
                if isinstance(got, Hold):
                    self.holds.append(got)
                    twin.holds.append(asks)
            case ("settle", place, amount) if self.holds:
                hold, held = self.pop(place)
                hold.settle(dict.fromkeys(Unit, amount))
                hold.release()
                twin.booked += [(now_s, limit, amount) for limit, _ in held]
            case ("release", place) if self.holds:
                hold, _ = self.pop(place)
                hold.release()
                hold.settle({})
            case ("change", place, asks) if self.holds:
                self.change(place % len(self.holds), asks)
            case ("wait", seconds):
                self.clock.advance(seconds)
            case ("look", limit):
                self.look(limit)

    def pop(self, place: int) -> tuple[Hold, list[Ask]]:
        """Take one of the holds out."""
        place %= len(self.holds)
        return self.holds.pop(place), self.twin.holds.pop(place)

    def change(self, place: int, asks: list[Ask]) -> None:
        """Hold other amounts, of the same limits or of others."""
        before, self.twin.holds[place] = self.twin.holds[place], []
        fits = self.twin.fits(asks, self.clock.wall())
        self.twin.holds[place] = asks if fits else before
        assert (asyncio.run(self.meters.change(self.holds[place], asks)) is None) == fits

    def look(self, limit: Limit) -> None:
        """Both say the same of *limit*."""
        state, now_s = self.meters.state(limit), self.clock.wall()
        used, held = self.twin.used(limit, now_s), self.twin.held(limit)
        assert (state.used, state.held) == (used, held)
        assert state.remaining == max(0, limit.most - used - held)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at a whole minute."""
    return ManualClock(wall_s=1_700_000_040.0)


def spend(meters: Meters, limit: Limit, amount: int) -> None:
    """Hold and settle *amount*."""
    held = meters.try_hold([(limit, amount)])
    assert isinstance(held, Hold)
    held.settle({})


def test_the_first_limit_without_room_is_named(clock: ManualClock) -> None:
    """All or nothing: what came before it in the list is not held."""
    meters = Meters(clock)
    spend(meters, TOKENS, 900)

    got = meters.try_hold([(REQUESTS, 1), (TOKENS, 200), (SPEND, 9999)])

    assert isinstance(got, LimitReached)
    assert (got.limit, got.asked, got.used, got.held) == (TOKENS, 200, 900, 0)
    assert meters.state(REQUESTS).held == 0


def test_retry_after_is_when_enough_has_left(clock: ManualClock) -> None:
    """Amounts leave one after the other; who asks for little need not wait for all of them."""
    meters = Meters(clock)
    for _ in range(5):
        spend(meters, REQUESTS, 1)
        clock.advance(10)

    one, three = (meters.try_hold([(REQUESTS, amount)]) for amount in (1, 3))

    assert isinstance(one, LimitReached)
    assert isinstance(three, LimitReached)
    assert (one.retry_after_s, three.retry_after_s) == (11.0, 31.0)
    assert meters.state(REQUESTS).reset_s == 51.0
    clock.advance(11.0)
    spend(meters, REQUESTS, 1)


@pytest.mark.parametrize(
    ("limit", "amount"),
    [(REQUESTS, 6), (CREDITS, 2000), (RUNNING, 3)],
    ids=lambda value: str(value),
)
def test_waiting_is_not_advised_where_it_is_in_vain(
    clock: ManualClock, limit: Limit, amount: int
) -> None:
    """More than the limit, a balance that is spent, a gauge: no time is told."""
    meters = Meters(clock)
    held = meters.try_hold([(limit, min(amount, limit.most))])
    assert isinstance(held, Hold)
    if limit is not RUNNING:
        held.settle({})

    got = meters.try_hold([(limit, amount)])

    assert isinstance(got, LimitReached)
    assert got.retry_after_s is None


def test_more_than_was_held_is_booked(clock: ManualClock) -> None:
    """What happened happened: the limit is passed then, and nothing is left of it."""
    meters = Meters(clock)
    held = meters.try_hold([(SPEND, 400), (TEAM, 400), (REQUESTS, 1)])
    assert isinstance(held, Hold)

    held.settle({Unit.NANO_USD: 700})

    assert [meters.state(limit).used for limit in (SPEND, TEAM, REQUESTS)] == [700, 700, 1]
    assert [meters.remaining(limit) for limit in (SPEND, TEAM)] == [0, 100]


def test_a_limit_can_be_raised_and_lowered(clock: ManualClock) -> None:
    """Its count stays: a balance of credits grows by a top-up, and a lowered limit refuses."""
    meters = Meters(clock)
    spend(meters, CREDITS, 2000)
    raised, lowered = (Limit(CREDITS.name, CREDITS.unit, most, LIFETIME) for most in (2500, 1000))

    assert meters.state(raised).remaining == 500
    spend(meters, raised, 500)
    assert isinstance(meters.try_hold([(lowered, 1)]), LimitReached)
    assert meters.state(lowered).used == 2500


def test_a_limit_that_was_full_is_free_after_the_clock_is_set_right(clock: ManualClock) -> None:
    """A minute later, and not when the wrong clock comes again."""
    meters = Meters(clock)
    spend(meters, REQUESTS, REQUESTS.most)
    clock.advance(-86_400)
    assert isinstance(meters.try_hold([(REQUESTS, 1)]), LimitReached)

    clock.advance(61)

    assert isinstance(meters.try_hold([(REQUESTS, 1)]), Hold)


def test_a_limit_with_another_window_counts_anew(clock: ManualClock) -> None:
    """What is held under the old window ends there."""
    meters = Meters(clock)
    held = meters.try_hold([(REQUESTS, 2)])
    other = Limit(REQUESTS.name, Unit.REQUESTS, 5, Window(Span.HOUR))

    assert meters.state(other).held == 0
    assert isinstance(held, Hold)
    held.settle({})
    assert meters.state(other).used == 0


async def test_an_ended_hold_cannot_change(clock: ManualClock) -> None:
    """That would hold amounts that nobody gives back."""
    meters = Meters(clock)
    held = await meters.hold([(SPEND, 1)])
    assert isinstance(held, Hold)
    held.release()

    with pytest.raises(ValueError, match="ended"):
        await meters.change(held, [(SPEND, 2)])


async def test_the_past_is_asked_for_in_the_background(clock: ManualClock) -> None:
    """Money is allowed until the ledger answers, also where it fails at first; then all counts."""
    asked: list[tuple[str, float]] = []

    async def history(limit: Limit, before_s: float) -> Iterable[tuple[float, int]]:
        asked.append((limit.name, before_s))
        if len(asked) == 1:
            raise Unavailable("the database does not answer")
        return [(before_s - 100, 450), (before_s - 90_000, 7)]

    meters = Meters(clock, history=history)
    made_s = clock.wall()
    spend(meters, SPEND, 20)
    clock.advance(5)
    spend(meters, SPEND, 20)
    task = asyncio.create_task(meters.run())
    async with asyncio.timeout(15):
        while meters.state(SPEND).used < 490:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    task.cancel()

    assert asked == [(SPEND.name, made_s)] * 2
    assert isinstance(meters.try_hold([(SPEND, 11)]), LimitReached)


def test_the_past_counts_once(clock: ManualClock) -> None:
    """Who tells it again is not heard."""
    meters = Meters(clock)

    meters.seed(SPEND, [(clock.wall(), 100)])
    meters.seed(SPEND, [(clock.wall(), 100)])

    assert meters.state(SPEND).used == 100


def test_idle_meters_make_room(clock: ManualClock) -> None:
    """The bound drops what counts nothing any more, and never what is held or still counts."""
    meters = Meters(clock, meters_max=50)
    kept = meters.try_hold([(RUNNING, 1)])
    spend(meters, TEAM, 800)
    for number in range(500):
        spend(meters, Limit(f"k{number}", Unit.REQUESTS, 5, MINUTE), 1)
        clock.advance(61)

    assert len(meters) <= 52
    assert meters.state(RUNNING).held == 1
    assert meters.state(TEAM).used == 800
    assert isinstance(kept, Hold)


async def test_the_past_is_known_before_anything_is_held(clock: ManualClock) -> None:
    """Who waits for it finds it counted, and a limit that is used up lets nobody through."""
    answers = asyncio.Event()

    async def history(limit: Limit, before_s: float) -> Iterable[tuple[float, int]]:
        await answers.wait()
        return [(before_s - 100, limit.most)]

    meters = Meters(clock, history=history, wait_s=10.0)
    task = asyncio.create_task(meters.run())
    waiting = [asyncio.create_task(meters.know([SPEND, TEAM])) for _ in range(3)]
    await asyncio.sleep(0)
    answers.set()
    await asyncio.gather(*waiting)
    task.cancel()

    assert all(isinstance(meters.try_hold([(one, 1)]), LimitReached) for one in (SPEND, TEAM))


async def test_nobody_waits_for_a_past_that_is_not_told(clock: ManualClock) -> None:
    """A ledger that does not answer keeps no request waiting."""

    async def history(limit: Limit, before_s: float) -> Iterable[tuple[float, int]]:
        raise Unavailable("the database does not answer")

    meters = Meters(clock, history=history, wait_s=3600.0)
    task = asyncio.create_task(meters.run())
    async with asyncio.timeout(10):
        await meters.know([SPEND])
        await meters.know([SPEND])
    task.cancel()

    assert isinstance(meters.try_hold([(SPEND, 1)]), Hold)
