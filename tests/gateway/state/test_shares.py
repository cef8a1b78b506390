"""One contract for all who keep shares: Redis, and a naive twin of it in one process."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.core.limits import LIFETIME, MINUTE, NOW, Span, Window, parse_window
from gateway.state.redis_shares import connect
from gateway.state.shares import Claim, Share, Shares
from tests.fakes.shares import TwinShares
from tests.reference_shares import ReferenceShares

DAY_S = 86_400


Replica = Callable[[], Shares]


@pytest.fixture(params=["twin", "redis"])
async def replica(request: pytest.FixtureRequest) -> AsyncIterator[Replica]:
    """Makes replicas that share their limits with each other and with no other test."""
    twin = ReferenceShares(time.time)
    prefix = "{limits}:" + secrets.token_hex(4)
    made: list[Shares] = []

    def make() -> Shares:
        if request.param == "twin":
            made.append(TwinShares(twin))
        else:
            made.append(connect(request.getfixturevalue("redis_server").url, prefix))
        return made[-1]

    yield make
    for shares in made:
        await shares.close()


def claim(*, most: int = 100, window: Window = MINUTE, used: int = 0, **rest: object) -> Claim:
    """A claim that keeps what it used and holds."""
    held = int(rest.pop("held", 0))
    keep = int(rest.pop("keep", used + held))
    need = int(rest.pop("need", keep))
    points = rest.pop("points", ((0.0, used),) if used else ())
    return Claim(
        name=str(rest.pop("name", "k1")),
        most=most,
        window=window,
        used=used,
        keep=keep,
        need=need,
        want=int(rest.pop("want", need)),
        held=held,
        base=int(rest.pop("base", 0)),
        points=points,
        **rest,
    )


async def one(shares: Shares, asked: Claim) -> Share:
    """The answer to one claim."""
    return (await shares.exchange([asked])).shares[0]


async def test_shares_never_pass_the_limit(replica: Replica) -> None:
    """Two replicas that need 70 of 100 each get 100 together."""
    first, second = replica(), replica()

    got = await one(first, claim(need=70))
    rest = await one(second, claim(need=70))

    assert (got.ceiling, rest.ceiling) == (70, 30)
    assert (rest.others, rest.spare, rest.free) == (70, 70, 0)


async def test_comfort_leaves_room_for_others(replica: Replica) -> None:
    """What is only wanted is granted out of a part of what is free."""
    got = await one(replica(), claim(need=20, want=1000))

    assert got.ceiling == 20 + 40
    assert got.free == 40


async def test_what_is_given_back_is_there_for_others(replica: Replica) -> None:
    """A share that a replica lowers can be taken at once."""
    first, second = replica(), replica()
    await one(first, claim(need=100))

    await one(first, claim(used=10, keep=10))
    got = await one(second, claim(need=95))

    assert got.ceiling == 90
    assert got.used == 10


async def test_a_report_counts_once(replica: Replica) -> None:
    """The same report, sent again because its answer was lost, changes nothing."""
    shares = replica()
    await one(shares, claim(used=7))

    again = await one(shares, claim(used=7))
    more = await one(shares, claim(used=9, points=((5.0, 7), (0.0, 9))))

    assert (again.used, more.used) == (7, 9)


async def test_what_is_settled_above_the_limit_counts(replica: Replica) -> None:
    """Use above the limit is what happened; nothing is free then."""
    got = await one(replica(), claim(used=130, need=131))

    assert (got.used, got.ceiling, got.free) == (130, 130, -30)


async def test_others_hear_of_a_shortage(replica: Replica) -> None:
    """A limit that a replica is short of is told to all."""
    first, second = replica(), replica()
    await one(first, claim(need=100))
    await one(second, claim(need=1))

    heard = await first.exchange([])

    assert heard.short == ("k1",)
    assert heard.replicas == 2


async def test_a_gauge_counts_what_is_held(replica: Replica) -> None:
    """Concurrency: a share is what runs, and nothing is used up."""
    first, second = replica(), replica()
    await one(first, claim(window=NOW, most=3, held=2, keep=2))

    full = await one(second, claim(window=NOW, most=3, need=2))
    await one(first, claim(window=NOW, most=3, held=1, keep=1))
    room = await one(second, claim(window=NOW, most=3, need=2))

    assert (full.ceiling, full.used, full.spare) == (1, 0, 0)
    assert room.ceiling == 2


async def test_old_use_leaves_a_rolling_window(replica: Replica) -> None:
    """A late report counts when it happened, and not at all where that is long ago."""
    asked = claim(used=9, base=0, points=((70.0, 2), (30.0, 5), (0.0, 9)), need=9, want=9)

    got = await one(replica(), asked)

    assert got.used == 7
    assert got.resets_s is not None
    assert 60.0 <= got.resets_s <= 61.0


async def test_when_room_will_be(replica: Replica) -> None:
    """What is lacking is there when as much of what is used has left the window."""
    used = claim(most=10, used=10, points=((40.0, 6), (10.0, 10)), need=17)

    got = await one(replica(), used)

    assert got.ceiling == 10
    assert got.frees_s is not None
    assert 50.0 <= got.frees_s <= 51.0


async def test_the_past_counts_once(replica: Replica) -> None:
    """Two replicas that tell the same past: the first is believed."""
    first, second = replica(), replica()
    unseeded = await one(first, claim(window=LIFETIME))
    past = ((5 * DAY_S, 40), (0.0, 2))

    await one(first, claim(window=LIFETIME, past=past))
    got = await one(second, claim(window=LIFETIME, past=past))

    assert not unseeded.seeded
    assert got.seeded
    assert (got.used, got.resets_s) == (42, None)


async def test_a_lost_count_is_told_anew(replica: Replica) -> None:
    """A report that builds on others that nobody knows counts only when it is sent anew."""
    shares = replica()

    lost = await one(shares, claim(used=9, base=8))
    anew = await one(shares, claim(used=9, base=4, anew=True))

    assert lost.lost
    assert (lost.used, anew.used, anew.lost) == (0, 5, False)


@pytest.mark.parametrize("span", ["minute", "hour", "day", "week", "month", "rolling 90m"])
async def test_calendars_agree(replica: Replica, span: str) -> None:
    """Use of any age over two years is in the window or not, as the calendar says."""
    window = parse_window(span)
    shares = replica()
    ages = [*range(0, 730 * DAY_S, 12 * DAY_S + 12_345), *range(0, 7 * DAY_S, 7001)]
    # Each instant is a limit of its own, whose past is one nano-dollar then.
    asked = [
        claim(name=f"{span} {age_s}", window=window, past=((float(age_s), 1),)) for age_s in ages
    ]
    expected = ReferenceShares(time.time).exchange("x", asked)[0]

    got = (await shares.exchange(asked)).shares

    assert [share.used for share in got] == [share["used"] for share in expected]


@pytest.mark.parametrize("most", [2**53 - 1, 9_000_000_000_000_001])
async def test_large_amounts_are_exact(replica: Replica, most: int) -> None:
    """Nano-dollars of millions of dollars keep their last digit."""
    window = Window(Span.MONTH)

    got = await one(replica(), claim(most=most, window=window, used=most - 1, need=most + 5))

    assert (got.used, got.ceiling) == (most - 1, most)
