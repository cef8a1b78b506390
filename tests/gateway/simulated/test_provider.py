"""Tests of gateway.simulated.provider."""

from __future__ import annotations

import json

import pytest

from gateway.simulated.provider import reply_to
from gateway.simulated.reply import Reply

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}


def replied(
    path: str, body: object = CHAT, method: str = "POST", provider: str = "openai"
) -> Reply:
    """The reply of a provider."""
    url = f"simulated://{provider}{path}"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return reply_to(method, url, data, created_s=17, request_id="req_1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", CHAT),
        ("/v1/messages", CHAT),
        ("/v1/messages?beta=true", CHAT),
        ("/v1/messages/count_tokens", CHAT),
        ("/completions", {"model": "m", "prompt": "Hi"}),
        ("/embeddings", {"model": "m", "input": "Hi"}),
    ],
)
def test_endpoints(path: str, body: object) -> None:
    """Every endpoint answers in the name of the model in the body."""
    reply = replied(path, body)

    assert (reply.status, reply.model) == (200, "m")
    assert json.loads(reply.body)


def test_count_tokens() -> None:
    """A count is one number."""
    assert json.loads(replied("/v1/messages/count_tokens").body).keys() == {"input_tokens"}


@pytest.mark.parametrize(
    ("method", "provider", "path", "body", "status"),
    [
        ("POST", "openai", "/chat/completions", b"{", 400),
        ("POST", "openai", "/embeddings", {"model": "m"}, 400),
        ("POST", "openai", "/responses", CHAT, 404),
        ("GET", "openai", "/models", b"", 404),
        ("GET", "openai", "/chat/completions", b"", 405),
        ("POST", "anthropic", "/v1/messages", b"{", 400),
        ("POST", "anthropic", "/v1/messages/batches", b"{}", 404),
        ("GET", "anthropic", "/v1/models", b"", 404),
    ],
)
def test_refusals(method: str, provider: str, path: str, body: object, status: int) -> None:
    """What the provider would refuse is refused in its own words."""
    reply = replied(path, body, method, provider)
    said = json.loads(reply.body)

    assert reply.status == status
    assert said["error"]["message"]
    assert (said.get("type") == "error") == (provider == "anthropic")


def test_unknown_paths_list_the_known() -> None:
    """The message of a 404 says what there is."""
    assert json.loads(replied("/nothing").body)["error"]["message"] == (
        "The simulated provider has no /nothing: it answers /chat/completions, /completions, "
        "/embeddings, /v1/messages, /v1/messages/count_tokens."
    )
