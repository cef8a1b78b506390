"""What an answer cost."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chat import Usage
from gateway.core.fleet import Price
from gateway.decide.fleet_view import price_row
from gateway.ledger.usage_cost import cost_nano_usd, cost_parts
from tests import reference_cost

SONNET = Price(  # 3, 15, 0.30 and 3.75 USD per million tokens; twice that above 200 thousand
    input=3_000_000,
    output=15_000_000,
    cache_read=300_000,
    cache_write=3_750_000,
    long_context_tokens=200_000,
    long_input=6_000_000,
    long_output=22_500_000,
    long_cache_read=600_000,
    long_cache_write=7_500_000,
)


@pytest.mark.parametrize(
    ("usage", "nano_usd"),
    [
        (Usage(), 0),
        (Usage(tokens_in=1000, tokens_out=200), 3_000_000 + 3_000_000),
        (Usage(tokens_in=1000, tokens_cache_read=1000), 300_000),
        (Usage(tokens_in=1000, tokens_cache_write=1000), 3_750_000),
        (  # 100 fresh, 600 read, 300 written
            Usage(tokens_in=1000, tokens_cache_read=600, tokens_cache_write=300),
            300_000 + 180_000 + 1_125_000,
        ),
        (Usage(tokens_in=10, tokens_cache_read=20), 6_000),  # parts above the whole are believed
        (Usage(tokens_out=100, tokens_reasoning=90), 1_500_000),  # reasoning is in the output
        (Usage(tokens_in=200_000), 600_000_000),  # the step itself is not above it
        (Usage(tokens_in=200_001, tokens_out=10), 1_200_006_000 + 225_000),
        (Usage(tokens_in=300_000, tokens_cache_read=300_000), 180_000_000),
        (Usage(tokens_in=300_000, tokens_cache_write=300_000), 2_250_000_000),
    ],
)
def test_cost_of_known_usage(usage, nano_usd):
    """Answers priced by hand from a published price."""
    assert cost_nano_usd(usage, SONNET) == nano_usd


def test_a_request_costs_besides_its_tokens():
    """A search model: a million tokens at 1 USD, and 0.012 USD for the request, however long."""
    sonar = Price(1_000_000, 1_000_000, 1_000_000, 1_000_000, request_nano_usd=12_000_000)
    stepped = msgspec.structs.replace(sonar, long_context_tokens=10, long_input=2_000_000)

    assert cost_nano_usd(Usage(), sonar) == 12_000_000
    assert cost_nano_usd(Usage(tokens_in=900_000, tokens_out=100_000), sonar) == 1_012_000_000
    assert cost_nano_usd(Usage(tokens_in=900_000), stepped) == 1_812_000_000


tokens = st.integers(0, 2_000_000)
prices = st.builds(
    Price,
    *(st.integers(0, 100_000_000),) * 4,
    st.just(0) | st.integers(1, 500_000),
    *(st.integers(0, 100_000_000),) * 10,
)


@settings(deadline=None, max_examples=100)
@given(tokens, tokens, tokens, tokens, prices)
def test_parts_sum_to_the_whole(tokens_in, tokens_out, read, written, price):
    """The whole is the sum of its parts to half a nano-dollar, and no part is negative."""
    usage = Usage(
        tokens_in,
        tokens_out,
        read,
        written,
        tokens_audio_in=tokens_in // 3,
        tokens_audio_out=tokens_out // 2,
        tokens_cache_write_1h=written // 2,
        web_searches=read % 5,
    )
    parts = cost_parts(usage, price)
    each = msgspec.structs.astuple(parts)

    assert abs(parts.nano_usd * 1000 - sum(each)) <= 500
    assert min(each) >= 0


@settings(deadline=None, max_examples=100)
@given(tokens, tokens, prices)
def test_usage_without_a_cache_costs_what_was_estimated(tokens_in, tokens_out, price):
    """Estimate and bill differ by what was predicted, never by how it is priced."""
    estimated = reference_cost.cost_nano_usd(
        tokens_in, 0, tokens_out, [tokens_out], [price_row(price)]
    )

    assert [cost_nano_usd(Usage(tokens_in, tokens_out), price)] == estimated


@settings(deadline=None, max_examples=100)
@given(tokens, prices)
def test_all_parts_but_the_request_are_tokens(written, price):
    """Writing all of the input to the cache costs its own price, above the step the long one."""
    parts = cost_parts(Usage(tokens_in=written, tokens_cache_write=written), price)
    long = 0 < price.long_context_tokens < written

    assert (parts.input, parts.cache_read, parts.output) == (0, 0, 0)
    assert parts.cache_write == written * (price.long_cache_write if long else price.cache_write)
    assert parts.request == price.request_nano_usd * 1000
