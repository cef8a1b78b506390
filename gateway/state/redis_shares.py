"""Shares of limits in Redis: one script per exchange, so that nothing comes between."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.core.errors import Unavailable
from gateway.state.shares import FORGET_S, SHARE_S, SHORT_S, Claim, Share, Shared

if TYPE_CHECKING:
    from redis.asyncio import Redis

TIMEOUT_S: Final = 0.25
PREFIX: Final = "{switchyard}:limits"  # the braces keep all keys on one node of a cluster


class RedisShares:
    """
    The shares of one replica, which gets a new name whenever it starts: what it counted before
    stays counted, and what it held lapses.
    """

    def __init__(self, redis: Redis, prefix: str = PREFIX, *, timeout_s: float = TIMEOUT_S) -> None:
        self._redis = redis
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._replica = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._script = redis.register_script(lua("calendar") + lua("shares"))

    async def exchange(self, claims: Sequence[Claim]) -> Shared:
        """One round trip; bounded in time."""
        from redis.exceptions import RedisError

        keys = [f"{self._prefix}:replicas", f"{self._prefix}:short"]
        keys += [f"{self._prefix}:of:{claim.name}" for claim in claims]
        times_ms = [int(s * 1000) for s in (SHARE_S, SHORT_S, FORGET_S)]
        asked = [self._replica, next(self._numbers), *times_ms, [packed(claim) for claim in claims]]
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._script(keys, [msgspec.msgpack.encode(asked)])
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"Redis does not share limits: {type(error).__name__}") from error
        return shared(msgspec.msgpack.decode(answer))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def connect(url: str, prefix: str = PREFIX) -> RedisShares:
    """
    The shares at *url*, such as ``redis://host:6379/0``. Nothing is sent yet.

    Raises:
        Unavailable: the client library is not installed, or *url* is none.
    """
    try:
        from redis.asyncio import Redis

        # One call at a time: a second connection is only there while the first is given up.
        return RedisShares(Redis.from_url(url, max_connections=4), prefix)
    except ImportError:
        raise Unavailable("state.redis_url needs the package redis.") from None
    except ValueError:
        raise Unavailable("state.redis_url is no URL of a Redis.") from None


def lua(name: str) -> str:
    """The text of a script of ours."""
    return (resources.files("gateway.state") / "lua" / f"{name}.lua").read_text()


def packed(claim: Claim) -> list[Any]:
    """A claim as the script reads it."""
    return [
        claim.name,
        claim.most,
        claim.window.span.value,
        claim.window.rolling_s * 1000,
        claim.used,
        claim.keep,
        claim.need,
        claim.want,
        claim.held,
        claim.base,
        claim.anew,
        [(int(age_s * 1000), used) for age_s, used in claim.points],
        False if claim.past is None else [(int(age_s * 1000), n) for age_s, n in claim.past],
    ]


def shared(answer: list[Any]) -> Shared:
    """What the script answers."""
    shares, replicas, short = answer
    return Shared(tuple(map(share_of, shares)), replicas, tuple(short))


def share_of(given: list[Any]) -> Share:
    """One answer; a time of -1 ms stands for never."""
    ceiling, used, others, spare, free, lost, since_ms, seeded, frees_ms, resets_ms = given
    return Share(
        ceiling=ceiling,
        used=used,
        others=others,
        spare=spare,
        free=free,
        lost=lost,
        since_s=since_ms / 1000,
        seeded=seeded,
        frees_s=frees_ms / 1000 if frees_ms >= 0 else None,
        resets_s=resets_ms / 1000 if resets_ms >= 0 else None,
    )
