"""Tests of gateway.wire.anthropic_usage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from gateway.core.chat import Usage
from gateway.wire.anthropic_usage import Counts, counts_of, merged, read_usage, usage_of
from tests.gateway.wire.test_openai_usage import usages


def read(**usage: object) -> Usage | None:
    """How a usage object reads."""
    return read_usage(json.dumps({"usage": usage}).encode())


@given(usages())
def test_usage_survives_writing_and_reading(usage: Usage) -> None:
    """What is written reads back, unless it counts nothing."""
    expected = usage if usage.tokens_in or usage.tokens_out else None

    assert read(**counts_of(usage)) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 5)),
        ({"input_tokens": 10.0, "output_tokens": 5}, Usage(10, 5)),
        (
            {
                "input_tokens": 5,
                "cache_read_input_tokens": 2000,
                "cache_creation_input_tokens": 100,
                "output_tokens": 7,
            },
            Usage(2105, 7, 2000, 100),
        ),
        (
            {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 9}},
            Usage(0, 7, tokens_reasoning=7),
        ),
        ({"input_tokens": -1, "output_tokens": 2**50}, None),
        ({"input_tokens": "10"}, None),
        ({}, None),
    ],
)
def test_read_usage(usage: dict[str, object], expected: Usage | None) -> None:
    """The input includes both cache parts, which this dialect counts apart."""
    assert read(**usage) == expected


def test_counts_of_excludes_the_cache() -> None:
    """To a client of this dialect input_tokens are the fresh ones only."""
    assert counts_of(Usage(2105, 7, 2000, 100, 3)) == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 2000,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
    }


def test_merged_counts_are_cumulative() -> None:
    """A later count replaces an earlier one; what is not said again holds."""
    first = Counts(input_tokens=300, cache_read_input_tokens=60, output_tokens=1)

    later = merged(first, Counts(input_tokens=340, output_tokens=88))

    assert usage_of(later) == Usage(400, 88, 60)
