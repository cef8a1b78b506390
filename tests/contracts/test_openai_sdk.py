"""OpenAI's own client against the gateway, with nothing but its base URL changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest
from pydantic import BaseModel

from tests.fakes.gateway import RunningGateway

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
HELLO = [{"role": "user", "content": "Say hello in French."}]
# So plain that the classifier is sure of it, and so easy that a cheap model will do.
PLAIN = [
    {
        "role": "user",
        "content": "Summarize this in one sentence: The shop opens at nine, closes at six, and "
        "is shut on Sundays. On holidays it opens at ten.",
    }
]


@pytest.fixture
def client(simulated: RunningGateway) -> Iterator[openai.OpenAI]:
    """A client as its documentation makes one."""
    with openai.OpenAI(base_url=simulated.v1, api_key="sk-any", max_retries=0) as client:
        yield client


def test_chat(client):
    """A plain chat comes back in the name of the model that was asked, with its usage."""
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)

    assert answer.model.startswith("gpt-4o-mini")
    assert "simulated" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_auto_says_what_it_did(client):
    """The virtual model is decided on, and the headers say why and what it saves."""
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=HELLO)

    assert raw.headers["x-switchyard-route-enabled"] == "true"
    assert raw.headers["x-switchyard-selected-model"] != "auto"
    assert raw.headers["x-switchyard-routing-reason"]
    assert float(raw.headers["x-switchyard-estimated-savings"]) > 0
    assert raw.headers["x-switchyard-simulated"] == "true"


def test_stream_without_usage(client):
    """Who did not ask for usage gets no chunk without choices: user code indexes choices[0]."""
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))

    assert all(chunk.choices for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_stream_with_usage(client):
    """Who asked gets it, once, in the last chunk."""
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )

    assert [bool(chunk.usage) for chunk in chunks].count(True) == 1
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-20250514"])
@pytest.mark.parametrize("stream", [False, True])
def test_tool_call(client, model, stream):
    """A forced tool is called with arguments of its schema, whatever dialect the model speaks."""
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": "What is the weather in Rome?"}],
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    }
    if stream:
        with client.chat.completions.stream(**asked) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(**asked).choices[0].message

    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)


def test_conversation_with_a_tool_result(client):
    """The result of a call goes back and is answered in words, on a model of the other dialect."""
    call = {"id": "call_1", "type": "function"}
    call["function"] = {"name": "get_weather", "arguments": '{"city": "Rome"}'}
    answer = client.chat.completions.create(
        model="claude-sonnet-4-20250514",
        messages=[
            {"role": "user", "content": "What is the weather in Rome?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny, 24 degrees"},
        ],
        tools=[WEATHER],
    )

    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    "model", ["gpt-4o-mini", "claude-sonnet-4-5", "claude-sonnet-4-20250514", "claude-3-haiku"]
)
def test_parsed_structured_output(client, model):
    """A pydantic model as response format parses, also where it is only asked for in words."""

    class Person(BaseModel):
        name: str
        age: int

    answer = client.chat.completions.parse(
        model=model,
        messages=[{"role": "user", "content": "Ada Lovelace was 36."}],
        response_format=Person,
    )

    assert isinstance(answer.choices[0].message.parsed, Person)


def test_image_and_several_choices(client):
    """A picture and n = 2 go through."""
    picture = "data:image/png;base64,iVBORw0KGgo="
    answer = client.chat.completions.create(
        model="gpt-4o",
        n=2,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": picture}},
                ],
            }
        ],
    )

    assert [choice.index for choice in answer.choices] == [0, 1]


def test_logprobs(client):
    """Members without a meaning for routing survive."""
    answer = client.chat.completions.create(
        model="gpt-4o", messages=HELLO, logprobs=True, top_logprobs=2
    )

    assert answer.choices[0].logprobs.content


def test_embeddings(client):
    """Embeddings come as vectors of the right length."""
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])

    assert [len(row.embedding) for row in answer.data] == [1536, 1536]


def test_legacy_completion(client):
    """The legacy endpoint, streamed and whole."""
    whole = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say hello")
    parts = client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt="Say hello", stream=True
    )

    assert whole.choices[0].text
    assert "".join(part.choices[0].text for part in parts)


def test_models(client):
    """Real and virtual models are listed, and each can be asked for."""
    ids = {model.id for model in client.models.list()}

    assert {"auto", "gpt-4", "gpt-4o-mini", "claude-sonnet-4-20250514"} <= ids
    assert client.models.retrieve("auto").id == "auto"


def test_unknown_model(client):
    """A model that nobody serves is the SDK's NotFoundError with OpenAI's code."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-9", messages=HELLO)

    assert caught.value.code == "model_not_found"
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_wrong_type_names_the_field(client):
    """A wrong type is a 400 that names the field."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=HELLO, temperature="hot")

    assert caught.value.param == "temperature"


def test_controls_in_the_body(client):
    """extra_body reaches us and not the upstream."""
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4",
        messages=PLAIN,
        extra_body={"switchyard": {"route_action": "auto", "mode": "eco"}},
    )

    assert raw.headers["x-switchyard-mode"] == "eco"
    assert raw.headers["x-switchyard-original-model"] == "gpt-4"


async def test_async_stream(simulated):
    """The async client streams too."""
    async with openai.AsyncOpenAI(base_url=simulated.v1, api_key="sk-any") as client:
        stream = await client.chat.completions.create(model="auto", messages=HELLO, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert "simulated" in text
