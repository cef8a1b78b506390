"""Tests of gateway.wire.openai_usage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.chat import Usage
from gateway.wire.openai_usage import counts_of, read_usage

counts = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """A usage that keeps the invariants of the canonical form."""
    read, write, fresh, said, reasoned = (draw(counts) for _ in range(5))
    return Usage(read + write + fresh, said + reasoned, read, write, reasoned)


def read(**usage: object) -> Usage | None:
    """How a usage object reads."""
    return read_usage(json.dumps({"usage": usage}).encode())


@given(usages())
def test_usage_survives_writing_and_reading(usage: Usage) -> None:
    """What is written reads back, unless it counts nothing."""
    expected = usage if usage.tokens_in or usage.tokens_out else None

    assert read_usage(json.dumps({"usage": counts_of(usage)}).encode()) == expected


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"]),
        st.none() | st.integers(-5, 10**15) | st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.dictionaries(st.sampled_from(["cached_tokens", "cache_write_tokens"]), counts),
    st.dictionaries(st.just("reasoning_tokens"), counts),
)
def test_usage_keeps_the_invariants(
    usage: dict[str, object], prompt: dict[str, int], completion: dict[str, int]
) -> None:
    """Whatever was reported, the parts of the input and the reasoning fit into their wholes."""
    found = read(**usage, prompt_tokens_details=prompt, completion_tokens_details=completion)

    if found is not None:
        assert found.tokens_in >= found.tokens_cache_read + found.tokens_cache_write >= 0
        assert found.tokens_out >= found.tokens_reasoning >= 0


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, Usage(10, 5)),
        ({"prompt_tokens": 10.0, "completion_tokens": 5}, Usage(10, 5)),
        ({"prompt_tokens": 10}, Usage(10, 0)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 8},
            },
            Usage(10, 5, 8),
        ),
        ({"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 8}, Usage(10, 5, 8)),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 8},
            Usage(10, 5, 8),
        ),
        # hidden reasoning: xAI reports it beside, Gemini only in the total
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 115,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            Usage(10, 105, tokens_reasoning=100),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115},
            Usage(10, 105, tokens_reasoning=100),
        ),
        # a prompt counted without its cached part
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 95,
                "prompt_tokens_details": {"cached_tokens": 80},
            },
            Usage(90, 5, 80),
        ),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 3}, Usage(10, 5)),
        ({"prompt_tokens": -1, "completion_tokens": 2**50}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": "10"}, None),
        ({}, None),
    ],
)
def test_read_usage(usage: dict[str, object], expected: Usage | None) -> None:
    """Each imitator's way of counting gives the canonical one."""
    assert read(**usage) == expected


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"usage":null}', b'{"usage":5}', b"\xff"])
def test_read_usage_without_any(body: bytes) -> None:
    """A body without readable usage has none."""
    assert read_usage(body) is None
