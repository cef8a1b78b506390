"""What goes to an upstream."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.core.request import Kind
from gateway.execute.call import Headers, headers_for, prepare
from gateway.wire.registry import DIALECTS
from tests.gateway.execute.samples import (
    ASK,
    ASK_CLAUDE,
    ASK_STREAM,
    deployment,
    request,
)

OPENAI = DIALECTS["openai_chat"]
ANTHROPIC = DIALECTS["anthropic_messages"]


def test_prepare_splices_the_same_dialect() -> None:
    """Only the model changes; the path is the client's endpoint."""
    call = prepare(request(), deployment("a/1", "http://a/v1/"))

    assert call.url == "http://a/v1/chat/completions"
    assert call.body == ASK.replace(b"asked-1", b"upstream-a/1")
    assert not call.translated
    assert call.losses == ()


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages"])
def test_prepare_copies_nothing_where_nothing_changes(dialect: str) -> None:
    """The client's own bytes go on where the model has the same name upstream."""
    body = ASK if dialect == "openai_chat" else ASK_CLAUDE
    asked = request(body, dialect)
    same = deployment("a/1", "http://a", dialect=dialect, upstream_model=asked.chat.model)

    assert prepare(asked, same).body is asked.body


def test_prepare_asks_for_usage_in_a_stream() -> None:
    """A client that did not ask for usage gets none of it; one that did is left alone."""
    call = prepare(request(ASK_STREAM), deployment("a/1", "http://a"))
    assert call.drop_usage
    assert b'"stream_options":{"include_usage":true}' in call.body

    asked = ASK_STREAM[:-1] + b',"stream_options":{"include_usage":true}}'
    call = prepare(request(asked), deployment("a/1", "http://a"))
    assert not call.drop_usage
    assert call.body == asked.replace(b"asked-1", b"upstream-a/1")


def test_prepare_keeps_the_endpoint_inside_a_family() -> None:
    """A deployment of OpenAI's dialect serves embeddings too, under their own path."""
    asked = request(b'{"model":"asked-1","input":"Hi"}', "openai_embeddings", kind=Kind.EMBEDDING)

    call = prepare(asked, deployment("a/1", "http://a"))

    assert call.url == "http://a/embeddings"
    assert not call.translated


def test_prepare_translates_between_families() -> None:
    """Another dialect gets its own body and path, and the losses are named."""
    asked = ASK[:-1] + b',"logit_bias":{"1":2}}'
    call = prepare(request(asked), deployment("a/1", "http://a", dialect="anthropic_messages"))

    assert call.url == "http://a/v1/messages"
    assert call.translated
    assert msgspec.json.decode(call.body)["max_tokens"] == 1000
    assert "dropped;unsupported;logit_bias" in call.losses


def test_prepare_refuses_what_has_no_translation() -> None:
    """Embeddings have no counterpart in the other family."""
    asked = request(b'{"model":"asked-1","input":"Hi"}', "openai_embeddings", kind=Kind.EMBEDDING)

    with pytest.raises(InvalidRequest):
        prepare(asked, deployment("a/1", "http://a", dialect="anthropic_messages"))


def test_prepare_drops_thinking_of_another_family() -> None:
    """Signed reasoning goes only where it can be read."""
    history = (
        b'{"model":"asked-1","max_tokens":9,"messages":[{"role":"user","content":"Hi"},'
        b'{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},'
        b'{"type":"text","text":"Hello"}]},{"role":"user","content":"Go on"}]}'
    )
    there = deployment("a/1", "http://a", dialect="anthropic_messages")
    asked = request(history, "anthropic_messages")

    assert b"signature" in prepare(asked, there).body
    assert b"signature" not in prepare(asked, there, keep_thinking=False).body


@pytest.mark.parametrize(
    ("dialect", "forwarded", "expected"),
    [
        ("openai", (), {"authorization": "Bearer key-of-a/1", "accept": "application/json"}),
        ("anthropic", (), {"x-api-key": "key-of-a/1", "anthropic-version": "2023-06-01"}),
        # The client's version is what its body is written in.
        ("anthropic", (("Anthropic-Version", "2026-01-01"),), {"anthropic-version": "2026-01-01"}),
        ("anthropic", (("anthropic-beta", "x"), ("openai-beta", "y")), {"anthropic-beta": "x"}),
        ("openai", (("OpenAI-Beta", "y"), ("traceparent", "t")), {"traceparent": "t"}),
        ("openai", (("user-agent", "sdk/1"),), {"user-agent": "sdk/1"}),
    ],
)
def test_headers_for(dialect: str, forwarded: Headers, expected: dict[str, str]) -> None:
    """Ours, the client's, the operator's, in that order; only those of the upstream's family."""
    upstream = OPENAI if dialect == "openai" else ANTHROPIC
    other = "anthropic-" if dialect == "openai" else "openai-"

    headers = dict(headers_for(deployment("a/1", "http://a"), upstream, forwarded, stream=False))

    assert expected.items() <= headers.items()
    assert headers["content-type"] == "application/json"
    assert not [name for name in headers if name.startswith(other)]


@pytest.mark.parametrize(
    "name", ["Authorization", "x-api-key", "Cookie", "Host", "Content-Length", "Expect"]
)
def test_headers_for_withholds(name: str) -> None:
    """A gateway key never reaches a provider, nor does what belongs to one connection."""
    headers = dict(
        headers_for(deployment("a/1", "http://a"), OPENAI, ((name, "evil"),), stream=True)
    )

    assert "evil" not in headers.values()
    assert headers["accept"] == "text/event-stream"


def test_headers_for_the_operator() -> None:
    """What is configured for a deployment wins over everything."""
    there = deployment("a/1", "http://a", headers={"Authorization": "Custom", "X-Team": "t"})

    headers = dict(headers_for(there, OPENAI, (), stream=False))

    assert (headers["authorization"], headers["x-team"]) == ("Custom", "t")


def test_prepare_passes_the_other_dialect_through() -> None:
    """Byte pass-through holds for every dialect, not only for one."""
    asked = request(ASK_CLAUDE, "anthropic_messages")
    call = prepare(asked, deployment("a/1", "http://a", dialect="anthropic_messages"))

    assert call.body == ASK_CLAUDE.replace(b"asked-1", b"upstream-a/1")
