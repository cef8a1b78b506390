"""The cost kernel against its naive twin, and the cases that money is lost in elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.cost import PRICE_COLUMNS, cost_of_candidates
from tests import reference_cost

tokens = st.integers(0, 3_000_000)
prices = st.tuples(
    *(st.integers(0, 200_000_000),) * 3,
    st.just(0) | st.integers(1, 1_000_000),
    *(st.integers(0, 400_000_000),) * 3,
    st.just(0) | st.integers(0, 1_000_000_000),
)
candidates = st.lists(st.tuples(tokens, prices), max_size=24)


def cost(tokens_in, tokens_cached, tokens_out, rows):
    """Costs of *rows* of (longest answer, prices)."""
    tokens_out_max = np.array([row[0] for row in rows], np.int64)
    table = np.array([row[1] for row in rows], np.int64).reshape(len(rows), PRICE_COLUMNS)
    found = np.full(len(rows), -1, np.int64)
    cost_of_candidates(tokens_in, tokens_cached, tokens_out, tokens_out_max, table, found)
    return found.tolist()


@settings(deadline=None, max_examples=100)
@given(tokens, tokens, tokens, candidates)
def test_cost_agrees_with_the_reference(tokens_in, tokens_cached, tokens_out, rows):
    """Integers and fractions give the same nano-dollar for every candidate."""
    expected = reference_cost.cost_nano_usd(
        tokens_in, tokens_cached, tokens_out, [r[0] for r in rows], [r[1] for r in rows]
    )

    assert cost(tokens_in, tokens_cached, tokens_out, rows) == expected


FLAT = (2_500_000, 10_000_000, 250_000, 0, 0, 0, 0, 0)  # 2.5, 10 and 0.25 USD per million tokens
STEP = (2_500_000, 10_000_000, 250_000, 200_000, 5_000_000, 15_000_000, 500_000, 7)
SEARCH = (1_000_000, 1_000_000, 1_000_000, 0, 0, 0, 0, 12_000_000)  # and 0.012 USD a request


@pytest.mark.parametrize(
    ("request_tokens", "row", "nano_usd"),
    [
        ((1_000_000, 0, 0), (9, FLAT), 2_500_000_000),  # a million tokens at 2.5 USD
        ((1_000_000, 1_000_000, 0), (9, FLAT), 250_000_000),  # all of them cached
        ((1_000_000, 2_000_000, 0), (9, FLAT), 250_000_000),  # no more than all
        ((0, 0, 100), (1000, FLAT), 1_000_000),
        ((0, 0, 100), (10, FLAT), 100_000),  # the longest answer cuts the prediction
        ((200_000, 0, 0), (9, STEP), 500_000_007),  # at the step: not above it
        ((200_001, 0, 0), (9, STEP), 1_000_005_007),  # above it every token costs more
        ((0, 0, 0), (9, FLAT), 0),
        ((1000, 0, 100), (1000, SEARCH), 13_100_000),
        ((0, 0, 0), (9, SEARCH), 12_000_000),
    ],
)
def test_cost_of_known_requests(request_tokens, row, nano_usd):
    """Prices checked by hand."""
    assert cost(*request_tokens, [row]) == [nano_usd]


@pytest.mark.parametrize(("pico", "nano"), [(499, 0), (500, 1), (1499, 1), (1500, 2)])
def test_cost_rounds_halves_up(pico, nano):
    """One token at so many pico-dollars."""
    assert cost(1, 0, 0, [(9, (pico, 0, 0, 0, 0, 0, 0, 0))]) == [nano]
