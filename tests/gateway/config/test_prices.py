"""Prices of the list, and of the configuration."""

from __future__ import annotations

import datetime

import pytest

from gateway.config.offers import Offer
from gateway.config.prices import configured_price, offered_price, price_list
from gateway.config.schema import PriceSettings

NOVEMBER = datetime.date(2026, 11, 25)


@pytest.fixture(scope="module")
def prices():
    """The list of one day."""
    return price_list(NOVEMBER)


# USD per million tokens as the makers publish them, read by hand.
@pytest.mark.parametrize(
    ("provider", "model", "usd"),
    [
        ("openai", "gpt-4", (30, 60, 30, 30)),  # no caching: read and written as input
        ("openai", "gpt-4o", (2.5, 10, 1.25, 2.5)),
        ("openai", "gpt-4o-mini", (0.15, 0.6, 0.075, 0.15)),
        ("anthropic", "claude-sonnet-4-20250514", (3, 15, 0.3, 3.75)),
        ("anthropic", "claude-opus-5-5", (4, 20, 0.2, 5)),
        ("groq", "llama-3.1-8b-instant", (0.05, 0.08, 0.05, 0.05)),
        ("mistral", "open-mixtral-8x7b", (0.7, 0.7, 0.7, 0.7)),
        ("azure", "gpt-4o", (2.5, 10, 1.25, 2.5)),  # as its maker, OpenAI
    ],
)
def test_price_of_the_list(prices, provider, model, usd):
    """Input, output, cache read and cache write, in pico-USD per token."""
    price = prices.price(provider, model)

    assert (price.input, price.output, price.cache_read, price.cache_write) == tuple(
        round(one * 1_000_000) for one in usd
    )
    assert price.long_context_tokens == 0
    assert price.source.startswith("genai-prices ")


def test_price_above_a_long_context(prices):
    """A step holds for the whole request, cache included."""
    price = prices.price("anthropic", "claude-sonnet-4-5")

    assert (price.input, price.output) == (3_000_000, 15_000_000)
    assert price.long_context_tokens == 200_000
    assert (price.long_input, price.long_output) == (6_000_000, 22_500_000)
    assert (price.long_cache_read, price.long_cache_write) == (600_000, 7_500_000)


def test_price_of_a_request(prices):
    """Search models charge for each request: 12 USD a thousand are 0.012 USD each."""
    assert prices.price("perplexity", "sonar").request_nano_usd == 12_000_000
    assert prices.price("openai", "gpt-4o").request_nano_usd == 0


def test_prices_of_audio_hours_and_searches(prices):
    """Where the list has them; elsewhere 0, which is the price of the nearest kind."""
    audio = prices.price("openai", "gpt-audio")
    sonnet = prices.price("anthropic", "claude-sonnet-4-5")

    assert (audio.audio_in, audio.audio_out) == (32_000_000, 64_000_000)
    assert (audio.cache_write_1h, audio.web_search_nano_usd) == (0, 0)
    assert (sonnet.cache_write_1h, sonnet.long_cache_write_1h) == (6_000_000, 12_000_000)
    assert (sonnet.audio_in, sonnet.web_search_nano_usd) == (0, 10_000_000)


@pytest.mark.parametrize(
    ("on", "usd", "since"),
    [
        (datetime.date(2026, 11, 30), 2, None),
        (datetime.date(2026, 12, 1), 4, "2026-12-01"),
        (datetime.date(2027, 6, 1), 4, "2026-12-01"),
    ],
)
def test_price_of_a_day(on, usd, since):
    """An introductory price ends on its day; what began earlier carries the date of the list."""
    listed = price_list(on)
    price = listed.price("google", "gemini-4-argon")

    assert price.input == usd * 1_000_000
    assert price.date == (since or listed.date.isoformat())


def test_date_of_the_list():
    """The last day on which a price began, not after the day asked for."""
    assert price_list(datetime.date(2026, 11, 5)).date == datetime.date(2026, 11, 5)
    assert datetime.date(2026, 11, 9) <= price_list(NOVEMBER).date <= NOVEMBER


def test_price_that_changes_with_the_hour(prices):
    """The dearest hour counts, so that an estimate is never too low by the time of day."""
    price = prices.price("deepseek", "deepseek-chat")

    assert (price.input, price.output) == (270_000, 1_100_000)


def test_embeddings_have_no_price_of_the_output(prices):
    """Asked as a model that writes, the list knows no price for one."""
    assert prices.price("openai", "text-embedding-3-small") is None
    price = prices.price("openai", "text-embedding-3-small", writes=False)
    assert (price.input, price.output) == (20_000, 0)


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "no-such"), ("nobody", "gpt-4o"), ("openai", "whisper-1")]
)
def test_what_the_list_does_not_know(prices, provider, model):
    """No price is None, never zero."""
    assert prices.price(provider, model) is None


def test_context_of_the_list(prices):
    """The window where the list knows it."""
    assert prices.context_tokens("openai", "gpt-4") == 8192
    assert prices.context_tokens("openai", "no-such") is None


def test_price_of_the_configuration():
    """What is left out follows the nearest price that is stated."""
    plain = configured_price(PriceSettings(input=1.5, output=3, date="2026-11-01"))
    full = configured_price(
        PriceSettings(
            input=1,
            output=2,
            cache_read=0.1,
            cache_write=1.25,
            long_context_tokens=1000,
            long_input=3,
            long_output=4,
            long_cache_read=0.3,
            request_usd=0.005,
            audio_in=32,
            cache_write_1h=2,
            long_cache_write_1h=6,
            web_search_usd=0.01,
        )
    )

    assert (plain.input, plain.output) == (1_500_000, 3_000_000)
    assert (plain.cache_read, plain.cache_write) == (1_500_000, 1_500_000)
    assert (plain.long_context_tokens, plain.long_input, plain.long_cache_read) == (0, 0, 0)
    assert (plain.date, plain.source) == ("2026-11-01", "configuration")
    assert (full.cache_read, full.cache_write) == (100_000, 1_250_000)
    assert (full.long_input, full.long_output) == (3_000_000, 4_000_000)
    assert (full.long_cache_read, full.long_cache_write) == (300_000, 3_000_000)
    assert full.request_nano_usd == 5_000_000
    assert (full.audio_in, full.audio_out, full.web_search_nano_usd) == (32_000_000, 0, 10_000_000)
    assert (full.cache_write_1h, full.long_cache_write_1h) == (2_000_000, 6_000_000)


def test_price_of_an_offer(prices):
    """Its own price, else that of the provider it is listed under, else the provider's."""
    stated = Offer(usd_per_mtok=(1.0, 2.0), priced="2024-07-01", source="a page")
    listed = Offer("x:groq", listed=("groq", "llama-3.1-8b-instant"))

    own = offered_price(stated, "m", None, prices, writes=True)
    elsewhere = offered_price(listed, "m", None, prices, writes=True)

    assert (own.input, own.output, own.date) == (1_000_000, 2_000_000, "2024-07-01")
    assert own.source == "a page"
    assert elsewhere.input == 50_000
    assert offered_price(Offer(), "gpt-4", "openai", prices, writes=True).input == 30_000_000
    assert offered_price(Offer(), "gpt-4", None, prices, writes=True) is None
