"""Anthropic's own client against the gateway, with nothing but its base URL changed."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest

from tests.fakes.gateway import RunningGateway

WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
HELLO = [{"role": "user", "content": "Say hello in French."}]


@pytest.fixture
def client(simulated: RunningGateway) -> Iterator[anthropic.Anthropic]:
    """A client as its documentation makes one."""
    with anthropic.Anthropic(base_url=simulated.url, api_key="any", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "gpt-4o-mini"])
def test_message(client, model):
    """A message is answered by models of either dialect."""
    answer = client.messages.create(model=model, max_tokens=200, messages=HELLO)

    assert answer.content[0].type == "text"
    assert "simulated" in answer.content[0].text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0


@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "gpt-4o-mini", "claude-auto"])
def test_stream(client, model):
    """A stream has every event the SDK builds its message from."""
    with client.messages.stream(model=model, max_tokens=200, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    assert text == final.content[0].text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 0


@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "gpt-4o"])
@pytest.mark.parametrize("stream", [False, True])
def test_tool_use(client, model, stream):
    """A forced tool is called with an object as input."""
    asked = {
        "model": model,
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "What is the weather in Rome?"}],
        "tools": [WEATHER],
        "tool_choice": {"type": "tool", "name": "get_weather"},
    }
    if stream:
        with client.messages.stream(**asked) as events:
            answer = events.get_final_message()
    else:
        answer = client.messages.create(**asked)

    call = next(block for block in answer.content if block.type == "tool_use")
    assert isinstance(call.input["city"], str)
    assert answer.stop_reason == "tool_use"


def test_stop_at_max_tokens(client):
    """A short limit ends the answer and says so."""
    answer = client.messages.create(model="claude-sonnet-4-20250514", max_tokens=3, messages=HELLO)

    assert answer.stop_reason == "max_tokens"


def test_count_tokens(client):
    """Tokens are counted, and the count is marked as our estimate."""
    raw = client.messages.with_raw_response.count_tokens(
        model="claude-sonnet-4-20250514", messages=HELLO
    )

    assert raw.parse().input_tokens > 0
    assert "estimated" in raw.headers["x-switchyard-warnings"]


def test_models(client):
    """The list has Anthropic's shape for Anthropic's client."""
    models = {model.id: model for model in client.models.list()}

    assert "claude-auto" in models
    assert models["claude-sonnet-4-20250514"].type == "model"


def test_errors(client):
    """Errors have Anthropic's shape and types."""
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="claude-9", max_tokens=10, messages=HELLO)

    assert caught.value.body["error"]["type"] == "not_found_error"
    assert caught.value.request_id


def test_lost_fields_are_named(client):
    """What the other dialect cannot carry is named in the warnings."""
    raw = client.messages.with_raw_response.create(
        model="gpt-4o-mini", max_tokens=50, messages=HELLO, extra_body={"top_k": 5}
    )

    assert "dropped;unsupported;top_k" in raw.headers["x-switchyard-warnings"]


async def test_async(simulated):
    """The async client works too."""
    async with anthropic.AsyncAnthropic(base_url=simulated.url, api_key="any") as client:
        answer = await client.messages.create(model="claude-auto", max_tokens=50, messages=HELLO)

    assert answer.content
