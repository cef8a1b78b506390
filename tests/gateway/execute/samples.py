"""Requests, decisions and fleets for the tests of this package."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import msgspec

from gateway.config.schema import Reliability, Server
from gateway.core.clock import Clock, SystemClock
from gateway.core.decision import Decision, Versions
from gateway.core.fleet import Capability, Deployment, Fleet, Model, ModelClass, Price, Timeouts
from gateway.core.outcome import Outcome
from gateway.core.request import Controls, Kind, Principal, Request, RouteAction
from gateway.core.transport import Transport
from gateway.execute.credentials import Credentials, ProviderKey
from gateway.execute.endpoint_guard import EndpointGuard
from gateway.execute.failover import execute
from gateway.execute.pool import Pool
from gateway.execute.reply import Reply
from gateway.execute.upstreams import Upstreams
from gateway.wire.registry import DIALECTS

ASK = b'{"model":"asked-1","messages":[{"role":"user","content":"Hi"}]}'
ASK_STREAM = b'{"model":"asked-1","messages":[{"role":"user","content":"Hi"}],"stream":true}'
ASK_CLAUDE = b'{"model":"asked-1","max_tokens":64,"messages":[{"role":"user","content":"Hi"}]}'

# Pico-dollars per token: 1 USD per million in, 2 out.
PRICE = Price(input=1_000_000, output=2_000_000, cache_read=100_000, cache_write=1_250_000)
PATIENT = Timeouts(connect_s=5.0, first_token_s=5.0, inter_token_s=5.0, total_s=10.0)
QUICK = Timeouts(connect_s=0.1, first_token_s=0.1, inter_token_s=0.1, total_s=5.0)
EAGER = Reliability(backoff_s=0.0)


def deployment(id_: str, url: str, **changes: object) -> Deployment:
    """A deployment at *url*; OpenAI's dialect unless *changes* say otherwise."""
    one = Deployment(
        id=id_,
        model="served-1",
        provider=id_.partition("/")[0],
        upstream_model=f"upstream-{id_}",
        dialect="openai_chat",
        base_url=url,
        api_key="key-of-" + id_,
        model_class=ModelClass.BALANCED,
        capabilities=Capability.CHAT | Capability.STREAM,
        context_tokens=8000,
        output_tokens_max=1000,
        price=PRICE,
        timeouts=PATIENT,
    )
    return msgspec.structs.replace(one, **changes)


def fleet(*deployments: Deployment) -> Fleet:
    """These, and the models they name."""
    models = {one.model: Model(one.model, one.model_class) for one in deployments}
    return Fleet(deployments, models, "v1")


def request(body: bytes = ASK, dialect: str = "openai_chat", **changes: object) -> Request:
    """A request as the API would hand it over, with ten seconds to go."""
    now_s = SystemClock().monotonic()
    one = Request(
        id="req_0123456789",
        kind=Kind.CHAT,
        dialect=dialect,
        path="/v1/chat/completions",
        body=body,
        chat=DIALECTS[dialect].read(body),
        controls=Controls(),
        principal=Principal(),
        provider=None,
        headers=(),
        arrived_s=now_s,
        deadline_s=now_s + 10.0,
    )
    return msgspec.structs.replace(one, **changes)


def decision(*ranking: str, **changes: object) -> Decision:
    """A decision for *ranking*, best first."""
    one = Decision(
        action=RouteAction.AUTO,
        mode="balanced",
        ranking=ranking,
        model="served-1",
        provider="a",
        original_model=None,
        original_provider=None,
        routed=False,
        reason="",
        rule=None,
        task_type="open_qa",
        confidence=1.0,
        complexity=0.5,
        tier="medium",
        stage="rules",
        tokens_in=13,
        tokens_out=100,
        cost_original_nano_usd=None,
        cost_nano_usd=0,
        quality=0.9,
        within_cost_limit=True,
        provider_healthy=True,
        versions=Versions("p", "f", "v", "c"),
        seed=1,
    )
    return msgspec.structs.replace(one, **changes)


class Bench:
    """A pool, upstreams over it, and the outcomes that were told."""

    def __init__(self, pool: Pool, upstreams: Upstreams) -> None:
        self.pool = pool
        self.upstreams = upstreams
        self.outcomes: list[Outcome] = []

    async def ask(self, request: Request, *ranking: str, **changes: object) -> Reply:
        """Execute; without *ranking* over the whole fleet in its order."""
        ids = ranking or tuple(one.id for one in self.upstreams.fleet.deployments)
        return await execute(
            decision(*ids, **changes), request, self.upstreams, self.outcomes.append
        )

    @property
    def outcome(self) -> Outcome:
        """The only outcome."""
        assert len(self.outcomes) == 1
        return self.outcomes[0]

    def failures(self) -> list[str | None]:
        """Of the attempts of the only outcome."""
        return [attempt.failure for attempt in self.outcome.attempts]


@asynccontextmanager
async def bench(
    *deployments: Deployment,
    reliability: Reliability = EAGER,
    server: Server | None = None,
    clock: Clock | None = None,
    random: Callable[[], float] = lambda: 0.5,
    simulated: Transport | None = None,
    show: str = "served",
    keys: Iterable[ProviderKey] = (),
) -> AsyncIterator[Bench]:
    """
    Everything between a decision and real sockets. *keys* are of tenants, whose endpoints may be on
    loopback. At the end no connection may be in use: that is the leak test of every scenario.
    """
    clock = clock or SystemClock()
    pool = Pool(clock=clock)
    guarded = Pool(clock=clock, guard=EndpointGuard(("127.0.0.1",)))
    upstreams = Upstreams(
        fleet(*deployments),
        real=pool,
        simulated=simulated or pool,
        reliability=reliability,
        server=server or Server(),
        answer_model="asked" if show == "asked" else "served",
        clock=clock,
        random=random,
        credentials=Credentials(keys),
        guarded=guarded,
    )
    try:
        yield Bench(pool, upstreams)
        for one in (pool, guarded):
            assert one.open == one.idle, f"connections leaked: {one!r}"
    finally:
        await pool.close()
        await guarded.close()


async def read_all(reply: Reply) -> bytes:
    """The whole stream of *reply*."""
    assert reply.stream is not None
    try:
        return b"".join([piece async for piece in reply.stream])
    finally:
        await reply.stream.aclose()


async def soon(event: asyncio.Event) -> None:
    """Wait for *event*, which must be about to happen."""
    async with asyncio.timeout(5.0):
        await event.wait()
