"""
The usage of each provider, as its documentation shows it, to what is billed.

Every line is written in our own numbers in the shape of that provider, and read whole and at the
end of a stream.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chat import Finished, Usage
from gateway.core.fleet import CONFIGURED, Price
from gateway.ledger.usage_cost import billed_nano_usd, cost_nano_usd
from gateway.wire import anthropic_usage, openai_usage, sse
from gateway.wire.anthropic_stream_reader import AnthropicStreamReader
from gateway.wire.anthropic_watch import AnthropicWatch
from gateway.wire.openai_stream import OpenAIStreamReader
from gateway.wire.openai_watch import OpenAIWatch

PRICE = (
    Price(  # USD per million tokens: 2.5, 10, 1.25, 3, audio 32 and 64, an hour 5; 0.01 a search
        input=2_500_000,
        output=10_000_000,
        cache_read=1_250_000,
        cache_write=3_000_000,
        audio_in=32_000_000,
        audio_out=64_000_000,
        cache_write_1h=5_000_000,
        web_search_nano_usd=10_000_000,
    )
)
OPENAI_LIKE = {
    "openai_audio": (
        '{"prompt_tokens":300,"completion_tokens":150,"total_tokens":450,"prompt_tokens_details":'
        '{"cached_tokens":0,"audio_tokens":200},"completion_tokens_details":{"reasoning_tokens":0,'
        '"audio_tokens":100,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}',
        Usage(300, 150, tokens_audio_in=200, tokens_audio_out=100),
        250_000 + 6_400_000 + 500_000 + 6_400_000,
    ),
    "openai_audio_and_cache_overlap": (
        '{"prompt_tokens":300,"completion_tokens":10,"total_tokens":310,"prompt_tokens_details":'
        '{"cached_tokens":256,"audio_tokens":200}}',
        Usage(300, 10, 256, tokens_audio_in=44),
        320_000 + 1_408_000 + 100_000,
    ),
    "xai_without_a_cost": (
        '{"prompt_tokens":30,"completion_tokens":10,"total_tokens":240,"prompt_tokens_details":'
        '{"text_tokens":30,"audio_tokens":0,"image_tokens":0,"cached_tokens":20},'
        '"completion_tokens_details":{"reasoning_tokens":200},"num_sources_used":0}',
        Usage(30, 210, 20, tokens_reasoning=200),
        25_000 + 25_000 + 2_100_000,
    ),
    "xai_reasoning_as_long_as_the_cache": (
        '{"prompt_tokens":30,"completion_tokens":10,"total_tokens":60,"prompt_tokens_details":'
        '{"cached_tokens":20},"completion_tokens_details":{"reasoning_tokens":20}}',
        Usage(30, 30, 20, tokens_reasoning=20),
        25_000 + 25_000 + 300_000,
    ),
    "xai_ticks": (
        '{"prompt_tokens":30,"completion_tokens":10,"total_tokens":40,'
        '"cost_in_usd_ticks":37756000}',
        Usage(30, 10, reported_pico_usd=3_775_600_000),
        3_775_600,
    ),
    "gemini": (
        '{"prompt_tokens":21,"completion_tokens":0,"total_tokens":81}',
        Usage(21, 60, tokens_reasoning=60),
        52_500 + 600_000,
    ),
    "deepseek": (
        '{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,'
        '"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36,'
        '"completion_tokens_details":{"reasoning_tokens":40}}',
        Usage(100, 50, 64, tokens_reasoning=40),
        90_000 + 80_000 + 500_000,
    ),
    "mistral": (
        '{"prompt_tokens":1013,"completion_tokens":5,"total_tokens":1018,'
        '"prompt_tokens_details":{"cached_tokens":1008},"prompt_audio_seconds":null}',
        Usage(1013, 5, 1008),
        12_500 + 1_260_000 + 50_000,
    ),
    "openrouter": (
        '{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,"cost":0.00095,'
        '"is_byok":false,"cost_details":{"upstream_inference_cost":0.00095},'
        '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0}}',
        Usage(194, 2, reported_pico_usd=950_000_000),
        950_000,
    ),
    "openrouter_with_the_account's_own_key": (
        '{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,"cost":0.00005,'
        '"is_byok":true,"cost_details":{"upstream_inference_cost":0.00095}}',
        Usage(194, 2, reported_pico_usd=1_000_000_000),
        1_000_000,
    ),
    "perplexity": (
        '{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"cost":'
        '{"input_tokens_cost":0.00001,"request_cost":0.005,"total_cost":0.00503}}',
        Usage(10, 20, reported_pico_usd=5_030_000_000),
        5_030_000,
    ),
    "a_cost_in_who_knows_what": (
        '{"prompt_tokens":4,"completion_tokens":1,"cost":7}',
        Usage(4, 1),
        20_000,
    ),
    "a_cost_that_is_no_number": (
        '{"prompt_tokens":4,"completion_tokens":1,"cost":"0.1 USD","is_byok":false}',
        Usage(4, 1),
        20_000,
    ),
    "no_or_an_absurd_cost": (
        '{"prompt_tokens":4,"completion_tokens":1,"cost":1e9,"is_byok":false}',
        Usage(4, 1),
        20_000,
    ),
}
HOURS = (
    '{"input_tokens":20,"cache_read_input_tokens":600,"cache_creation_input_tokens":556,'
    '"cache_creation":{"ephemeral_5m_input_tokens":456,"ephemeral_1h_input_tokens":100},'
    '"output_tokens":7,"server_tool_use":{"web_search_requests":2,"web_fetch_requests":0}}'
)


@pytest.mark.parametrize(
    ("usage", "expected", "nano_usd"), OPENAI_LIKE.values(), ids=OPENAI_LIKE.keys()
)
def test_usage_of_the_openai_family(usage: str, expected: Usage, nano_usd: int) -> None:
    """Whole, in a chunk without choices, and beside the last words: one usage, one cost."""
    words = '[{"index":0,"delta":{"content":"A"},"finish_reason":"stop"}]'
    for choices in ("[]", words):
        event = sse.event_of(f'{{"choices":{choices},"usage":{usage}}}'.encode())
        watch = OpenAIWatch()
        watch.feed(event)

        assert (watch.usage, watch.usage_final) == (expected, True)
        assert OpenAIStreamReader().read(event)[-1] == Finished(usage=expected)
    assert openai_usage.read_usage(f'{{"usage":{usage}}}'.encode()) == expected
    assert billed_nano_usd(expected, PRICE) == nano_usd


def test_usage_of_anthropic() -> None:
    """Writes for an hour and searches have their own price; the rest of the parts sum."""
    usage = anthropic_usage.read_usage(f'{{"usage":{HOURS}}}'.encode())

    assert usage == Usage(1176, 7, 600, 556, tokens_cache_write_1h=100, web_searches=2)
    assert cost_nano_usd(usage, PRICE) == (
        50_000 + 750_000 + 456 * 3_000 + 100 * 5_000 + 70_000 + 20_000_000
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (  # with searches the totals grow past the first breakdown
            HOURS,
            '{"input_tokens":50,"cache_read_input_tokens":900,"cache_creation_input_tokens":1556,'
            '"output_tokens":90,"server_tool_use":{"web_search_requests":5}}',
            Usage(2506, 90, 900, 1556, tokens_cache_write_1h=100, web_searches=5),
        ),
        (  # Z.ai
            '{"input_tokens":0,"output_tokens":0}',
            '{"input_tokens":14,"output_tokens":3,"cache_read_input_tokens":6}',
            Usage(20, 3, 6),
        ),
        (  # imitators that write zeros at the end
            '{"input_tokens":15,"cache_read_input_tokens":6,"output_tokens":1}',
            '{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9}',
            Usage(21, 9, 6),
        ),
    ],
    ids=["searches", "zeros first", "zeros last"],
)
def test_usage_that_anthropic_says_twice(start: str, end: str, expected: Usage) -> None:
    """Counts of the start and the end of a stream are one usage, never a sum."""
    watch, reader = AnthropicWatch(), AnthropicStreamReader()
    begin = f'{{"type":"message_start","message":{{"usage":{start}}}}}'.encode()
    finish = f'{{"type":"message_delta","delta":{{}},"usage":{end}}}'.encode()
    for event in (sse.event_of(begin, "message_start"), sse.event_of(finish, "message_delta")):
        watch.feed(event)
        read = reader.read(event)

    assert (watch.usage, watch.usage_final) == (expected, True)
    assert read == [Finished(None, expected)]


def test_what_the_operator_states_is_billed() -> None:
    """A stated price beats a reported cost; so does an estimate, which nobody reported."""
    stated = Price(1_000_000, 1_000_000, 0, 0, source=CONFIGURED)
    said = Usage(1000, 0, reported_pico_usd=5_000_000)
    cut = Usage(1000, 0, estimated=True, reported_pico_usd=5_000_000)

    assert billed_nano_usd(said, stated) == 1_000_000
    assert billed_nano_usd(said, PRICE) == 5_000
    assert billed_nano_usd(cut, PRICE) == 2_500_000


count = st.none() | st.integers(-5, 3_000) | st.floats(-5, 3_000)


def details(*names: str) -> st.SearchStrategy[dict[str, object] | None]:
    """Some of *names* with a count each, or null."""
    return st.none() | st.dictionaries(st.sampled_from(names), count)


@settings(deadline=None, max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"]),
        count,
    ),
    details("cached_tokens", "cache_write_tokens", "audio_tokens"),
    details("reasoning_tokens", "audio_tokens"),
)
def test_parts_of_the_openai_family_sum(
    usage: dict[str, object],
    prompt: dict[str, object] | None,
    answer: dict[str, object] | None,
) -> None:
    """Whatever was reported, no part exceeds its whole and no cost the dearest price of it."""
    body = {**usage, "prompt_tokens_details": prompt, "completion_tokens_details": answer}

    check(openai_usage.read_usage(json.dumps({"usage": body}).encode()))


@settings(deadline=None, max_examples=200)
@given(
    details(
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    ),
    details("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    details("web_search_requests"),
)
def test_parts_of_anthropic_sum(
    usage: dict[str, object] | None,
    kept: dict[str, object] | None,
    tools: dict[str, object] | None,
) -> None:
    """The same of the other family."""
    body = {**(usage or {}), "cache_creation": kept, "server_tool_use": tools}

    check(anthropic_usage.read_usage(json.dumps({"usage": body}).encode()))


def check(usage: Usage | None) -> None:
    """Parts fit into their wholes, and the cost lies between nothing and the dearest."""
    if usage is None:
        return
    cached = usage.tokens_cache_read + usage.tokens_cache_write
    tokens = usage.tokens_in + usage.tokens_out
    searches = usage.web_searches * PRICE.web_search_nano_usd

    assert usage.tokens_in >= cached + usage.tokens_audio_in
    assert usage.tokens_out >= usage.tokens_reasoning + usage.tokens_audio_out
    assert usage.tokens_cache_write >= usage.tokens_cache_write_1h
    assert min(usage.tokens_cache_read, usage.tokens_audio_in, usage.tokens_audio_out) >= 0
    assert min(usage.tokens_cache_write_1h, usage.tokens_reasoning, usage.web_searches) >= 0
    assert 0 <= cost_nano_usd(usage, PRICE) <= tokens * PRICE.audio_out // 1000 + searches
