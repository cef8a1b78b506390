"""Kept answers as the clients' own packages read them: a hit is as good as a first answer."""

from __future__ import annotations

import anthropic
import openai
import pytest
from lockllm import ProxyOptions, create_openai, parse_proxy_metadata

from tests.contracts.conftest import KEY

CACHE = {"X-Switchyard-Cache": "true"}
CLAUDE = "claude-sonnet-4-20250514"


def hello(name: str) -> list[dict[str, str]]:
    """A prompt that no other test sends."""
    return [{"role": "user", "content": f"Say hello in French to {name}."}]


def test_lockllm_reads_miss_and_hit(guarded, provider):
    """Its wrapper, without an option about the cache: the second answer is the first one."""
    with create_openai(
        api_key=KEY,
        base_url=f"{guarded.v1}/proxy/openai",
        proxy_options=ProxyOptions(route_action="auto"),
    ) as client:
        before = len(provider.bodies)
        raws = [
            client.chat.completions.with_raw_response.create(model="gpt-4", messages=hello("Ada"))
            for _ in range(2)
        ]
    told = [parse_proxy_metadata(dict(raw.headers)) for raw in raws]

    assert [one.cache_status for one in told] == ["MISS", "HIT"]
    assert (told[0].cache_age, told[0].tokens_saved, told[0].cost_saved) == (None, None, None)
    assert 0 <= told[1].cache_age <= 60
    assert told[1].tokens_saved == 18
    assert told[1].cost_saved > 0
    assert told[1].routing.selected_model == told[0].routing.selected_model
    assert told[1].routing_fee_reserved == 0
    assert raws[0].parse() == raws[1].parse()
    assert len(provider.bodies) == before + 1


@pytest.mark.parametrize(
    "options",
    [{"cache_response": False}, {"cache_response": True, "cache_ttl": 0}],
)
def test_lockllm_may_say_no(guarded, provider, options):
    """Neither answer is kept, and no header speaks of a cache."""
    with create_openai(
        api_key=KEY,
        base_url=f"{guarded.v1}/proxy/openai",
        proxy_options=ProxyOptions(**options),
    ) as client:
        before = len(provider.bodies)
        raws = [
            client.chat.completions.with_raw_response.create(model="gpt-4", messages=hello("Bob"))
            for _ in range(2)
        ]

    assert [parse_proxy_metadata(dict(raw.headers)).cache_status for raw in raws] == [None, None]
    assert len(provider.bodies) == before + 2


def test_openai_reads_a_replayed_stream(simulated):
    """Chunk by chunk the same, usage included."""
    with openai.OpenAI(api_key="k", base_url=simulated.v1, default_headers=CACHE) as client:
        streams = []
        for _ in range(2):
            with client.chat.completions.with_streaming_response.create(
                model="gpt-4o",
                messages=hello("Cleo"),
                stream=True,
                stream_options={"include_usage": True},
            ) as reply:
                streams.append((reply.headers["X-Switchyard-Cache-Status"], list(reply.parse())))

    assert [status for status, _ in streams] == ["MISS", "HIT"]
    assert streams[0][1] == streams[1][1]
    assert streams[1][1][-1].usage.total_tokens > 0


def test_anthropic_reads_a_replayed_stream(simulated):
    """Its helper puts the same message together."""
    with anthropic.Anthropic(api_key="k", base_url=simulated.url, default_headers=CACHE) as client:
        messages, ages = [], []
        for _ in range(2):
            with client.messages.stream(
                model=CLAUDE, max_tokens=100, messages=hello("Dora")
            ) as stream:
                messages.append(stream.get_final_message())
                ages.append(stream.response.headers.get("Age"))

    assert messages[0] == messages[1]
    assert messages[0].content[0].text
    assert [age is not None for age in ages] == [False, True]


def test_whole_answers_of_both_packages(simulated):
    """A kept answer parses like any other."""
    with (
        openai.OpenAI(api_key="k", base_url=simulated.v1, default_headers=CACHE) as one,
        anthropic.Anthropic(api_key="k", base_url=simulated.url, default_headers=CACHE) as other,
    ):
        chats = [
            one.chat.completions.create(model="gpt-4o", messages=hello("Eve")) for _ in range(2)
        ]
        messages = [
            other.messages.create(model=CLAUDE, max_tokens=100, messages=hello("Eve"))
            for _ in range(2)
        ]

    assert chats[0] == chats[1]
    assert messages[0] == messages[1]
