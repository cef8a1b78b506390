"""Requests and entries to test with."""

from __future__ import annotations

import json

import msgspec

from gateway.cache.entry import Entry
from gateway.core.chat import Finish, Usage
from gateway.core.request import Controls, Kind, Principal, Request
from gateway.wire.registry import DIALECTS

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello in French."}]}
KINDS = {"openai_embeddings": Kind.EMBEDDING, "openai_completions": Kind.COMPLETION}
CACHE = Controls(cache=True)
ENTRY = Entry(
    body=b'{"answer":"Bonjour"}',
    content_type="application/json",
    stream=False,
    model="gpt-4o",
    deployment="openai/gpt-4o",
    finish=Finish.STOP,
    usage=Usage(tokens_in=11, tokens_out=7),
    cost_nano_usd=97_500,
    warnings=(),
    stored_s=1_700_000_000.0,
    until_s=1_700_003_600.0,
)


def asked(
    body: bytes | dict[str, object] = BODY,
    *,
    dialect: str = "openai_chat",
    controls: Controls = CACHE,
    **changes: object,
) -> Request:
    """The request of *body*, with *changes*."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(
        id="req_1",
        kind=KINDS.get(dialect, Kind.CHAT),
        dialect=dialect,
        path="/v1/chat/completions",
        body=text,
        chat=DIALECTS[dialect].read(text),
        controls=controls,
        principal=Principal(),
        provider=None,
        headers=(),
        arrived_s=1000.0,
        deadline_s=1600.0,
    )
    return msgspec.structs.replace(request, **changes)


def entry(**changes: object) -> Entry:
    """ENTRY with *changes*."""
    return msgspec.structs.replace(ENTRY, **changes)
