"""Tests of gateway.simulated.pace."""

from __future__ import annotations

import pytest

from gateway.simulated.pace import ANY, PROVIDERS, pace_of


@pytest.mark.parametrize(
    ("faster", "slower"),
    [
        (("openai", "gpt-4o-mini"), ("openai", "gpt-4o")),
        (("openai", "gpt-4o"), ("openai", "gpt-4")),
        (("anthropic", "claude-3-5-haiku-20241022"), ("anthropic", "claude-sonnet-4-20250514")),
        (("anthropic", "claude-sonnet-4-20250514"), ("anthropic", "claude-opus-4-20250514")),
        (("gemini", "gemini-2.5-flash"), ("gemini", "gemini-2.5-pro")),
        (("groq", "llama-3.3-70b-versatile"), ("together", "llama-3.3-70b-versatile")),
        (("deepseek", "deepseek-chat"), ("deepseek", "deepseek-reasoner")),
    ],
)
def test_small_models_are_faster(faster: tuple[str, str], slower: tuple[str, str]) -> None:
    """A smaller model, or faster hardware, writes more tokens a second and begins sooner."""
    fast, slow = pace_of(*faster), pace_of(*slower)

    assert fast.tokens_per_s > slow.tokens_per_s
    assert fast.ttft_s < slow.ttft_s


def test_any_model_has_a_pace() -> None:
    """A name nobody knows has one too, and a pause that fits its rate."""
    assert pace_of("nobody", "unheard-of") == ANY
    assert pace_of("groq", "unheard-of") == PROVIDERS["groq"]
    assert ANY.pause_s == pytest.approx(1 / 60)
