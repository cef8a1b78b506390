"""LockLLM's own package against the gateway: its wrappers, its headers, its parser."""

from __future__ import annotations

import pytest
from lockllm import (
    ProxyOptions,
    create_anthropic,
    create_async_openai,
    create_client,
    create_openai,
    parse_proxy_metadata,
)
from lockllm.wrappers import create_groq

HELLO = [{"role": "user", "content": "Say hello in French."}]
AUTO = ProxyOptions(route_action="auto")


def test_openai_wrapper_routes(simulated):
    """auto on a premium model: the parser finds every field of the routing group."""
    client = create_openai(api_key="k", base_url=f"{simulated.v1}/proxy/openai", proxy_options=AUTO)
    raw = client.chat.completions.with_raw_response.create(model="gpt-4", messages=HELLO)
    metadata = parse_proxy_metadata(dict(raw.headers))

    assert raw.parse().choices[0].message.content
    assert metadata.routing.enabled
    assert metadata.routing.task_type
    assert 0.0 <= metadata.routing.complexity <= 1.0
    assert metadata.routing.selected_model
    assert metadata.routing.routing_reason
    assert metadata.routing.estimated_original_cost >= metadata.routing.estimated_routed_cost
    assert metadata.routing.estimated_savings == pytest.approx(
        metadata.routing.estimated_original_cost - metadata.routing.estimated_routed_cost
    )
    assert metadata.routing.estimated_input_tokens > 0
    assert metadata.routing.estimated_output_tokens > 0
    assert metadata.routing_fee_reserved == pytest.approx(
        0.05 * metadata.routing.estimated_savings, abs=1e-9
    )


def test_disabled_is_as_asked(simulated):
    """Without a route action the model is the one that was named, without routing metadata."""
    client = create_openai(api_key="k", base_url=f"{simulated.v1}/proxy/openai")
    raw = client.chat.completions.with_raw_response.create(model="gpt-4", messages=HELLO)
    metadata = parse_proxy_metadata(dict(raw.headers))

    assert metadata.routing is None
    assert metadata.model == "gpt-4"
    assert metadata.provider == "openai"


def test_anthropic_wrapper(simulated):
    """The Anthropic client posts below the provider's path with /v1."""
    client = create_anthropic(
        api_key="k", base_url=f"{simulated.v1}/proxy/anthropic", proxy_options=AUTO
    )
    raw = client.messages.with_raw_response.create(
        model="claude-sonnet-4-20250514", max_tokens=100, messages=HELLO
    )

    assert raw.parse().content[0].text
    assert parse_proxy_metadata(dict(raw.headers)).routing.enabled


def test_universal_client(simulated):
    """The universal endpoint takes provider/model, on credits."""
    client = create_client(api_key="k", base_url=f"{simulated.v1}/proxy")
    raw = client.chat.completions.with_raw_response.create(
        model="anthropic/claude-sonnet-4-20250514", messages=HELLO
    )
    metadata = parse_proxy_metadata(dict(raw.headers))

    assert raw.parse().choices[0].message.content
    assert metadata.credits_mode == "lockllm_credits"
    assert metadata.provider == "anthropic"


def test_groq_wrapper_streams(simulated):
    """The wrapper of another provider, streamed."""
    client = create_groq(api_key="k", base_url=f"{simulated.v1}/proxy/groq", proxy_options=AUTO)
    stream = client.chat.completions.create(
        model="llama-3.1-70b-versatile", messages=HELLO, stream=True
    )

    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream)


async def test_async_wrapper(simulated):
    """The async wrapper works too."""
    async with create_async_openai(api_key="k", base_url=f"{simulated.v1}/proxy/openai") as client:
        answer = await client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert answer.choices[0].message.content
