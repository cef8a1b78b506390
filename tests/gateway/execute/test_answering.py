"""One attempt, and what it tells of the deployment."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.errors import UpstreamUnavailable
from gateway.core.fleet import Fleet, Model, ModelClass
from gateway.core.outcome import Failure
from gateway.execute.answering import keeps_thinking
from gateway.execute.breaker import Permit
from tests.fakes.upstream import ROLE, Cut, chat_answer, chat_event, scripted, stream, whole
from tests.gateway.execute.samples import (
    ASK_STREAM,
    EAGER,
    bench,
    decision,
    deployment,
    read_all,
    request,
)


def family(name: str, of: str) -> Model:
    return Model(name, ModelClass.BALANCED, family=of)


@pytest.mark.parametrize(
    ("original", "serving", "kept"),
    [
        (None, "claude-a", True),  # a virtual model: the history is of whoever served it
        ("claude-a", "claude-a", True),
        ("claude-a", "claude-b", True),
        ("claude-a", "other", False),
        ("claude-a", "nameless", False),
        ("nameless", "nameless-2", False),  # no family is not a family in common
        ("unknown", "claude-a", False),
    ],
)
def test_keeps_thinking(original: str | None, serving: str, kept: bool) -> None:
    """Signatures are portable inside a family of models, and nowhere else."""
    models = (
        family("claude-a", "claude"),
        family("claude-b", "claude"),
        family("other", "other"),
        family("nameless", ""),
        family("nameless-2", ""),
    )
    fleet = Fleet((), {model.name: model for model in models}, "v")

    found = keeps_thinking(
        decision(original_model=original), deployment("a/1", "http://a", model=serving), fleet
    )

    assert found is kept


async def test_answer_measures_a_long_whole_answer() -> None:
    """Seconds per token are known only of answers long enough to tell."""
    long = chat_answer("x").replace(b'"completion_tokens":7', b'"completion_tokens":700')
    async with (
        scripted(whole(chat_answer()), whole(long)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        await b.ask(request())
        assert b.upstreams.health()["a/1"].tpot_s is None

        await b.ask(request())
        assert b.upstreams.health()["a/1"].tpot_s is not None


async def test_answer_closes_a_breaker_when_a_stream_begins() -> None:
    """A probe that streams for minutes must not keep everybody else away."""
    reliability = msgspec.structs.replace(EAGER, breaker_failures=1, attempts_max=1)
    async with (
        scripted(whole(status=500), stream(ROLE, chat_event("x"), Cut)) as upstream,
        bench(
            deployment("a/1", upstream.url),
            deployment("b/1", upstream.url),
            reliability=reliability,
        ) as b,
    ):
        b.upstreams.standings["b/1"].failed(Permit.NORMAL, Failure.THROTTLED, 60.0)
        with pytest.raises(UpstreamUnavailable, match="HTTP 500"):
            await b.ask(request(ASK_STREAM))
        assert b.upstreams.health()["a/1"].state == "open"

        reply = await b.ask(request(ASK_STREAM))
        assert b.upstreams.health()["a/1"].state == "closed"

        await read_all(reply)
        assert b.upstreams.health()["a/1"].state == "open"  # it broke off all the same
