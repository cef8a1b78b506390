"""What only Redis does: its calendar in Lua, and what happens when it does not answer."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis as sync_redis
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import Unavailable
from gateway.core.limits import MINUTE, Span, Window
from gateway.ledger.windows import bucket_of
from gateway.state.redis_shares import RedisShares, connect, lua
from gateway.state.shares import Claim
from tests.servers import RedisServer, free_port

WINDOWS = [*(Window(span) for span in Span if span is not Span.ROLLING)]
WINDOWS += [Window(Span.ROLLING, seconds) for seconds in (1, 7, 60, 3600, 30 * 86_400)]
CALL = "return {bucket(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))}"


@pytest.fixture(scope="module")
def calendar(redis_server: RedisServer) -> Any:
    """The Lua function that finds a bucket."""
    with sync_redis.Redis.from_url(redis_server.url) as client:
        yield client.register_script(lua("calendar") + CALL)


@pytest.fixture
async def shares(redis_server: RedisServer) -> AsyncIterator[RedisShares]:
    """A replica's shares."""
    made = connect(redis_server.url, "{alone}")
    yield made
    await made.close()


@settings(max_examples=300, deadline=None)
@given(window=st.sampled_from(WINDOWS), at_ms=st.integers(0, 4_102_444_800_000))
def test_lua_and_python_agree_on_buckets(calendar: Any, window: Window, at_ms: int) -> None:
    """Every instant from 1970 to 2099 falls into the same bucket, and leaves at the same time."""
    expected = bucket_of(window, at_ms / 1000)

    start_ms, *leaves = calendar(args=[window.span.value, window.rolling_s * 1000, at_ms])

    assert start_ms == round(expected.start_s * 1000)
    assert leaves == ([round(expected.leaves_s * 1000)] if expected.leaves_s < math.inf else [])


async def test_an_overtaken_report_changes_nothing(shares: RedisShares) -> None:
    """A report that arrives after a later one, as from a connection given up, is not counted."""
    late = claim(used=3)
    await shares.exchange([claim(used=5)])
    shares._numbers = iter([1])

    got = (await shares.exchange([late])).shares[0]

    assert (got.used, got.ceiling) == (5, 5)


async def test_no_redis_is_unavailable() -> None:
    """Where nobody listens, the error is ours and says nothing of the address."""
    shares = connect(f"redis://127.0.0.1:{free_port()}/0")

    with pytest.raises(Unavailable, match="Redis does not share limits: ConnectionError"):
        await shares.exchange([])
    await shares.close()


def claim(used: int) -> Claim:
    """A claim of what was used and nothing else."""
    return Claim(
        name="k1",
        most=100,
        window=MINUTE,
        used=used,
        keep=used,
        need=used,
        want=used,
        held=0,
        base=0,
        points=((0.0, used),),
    )
