"""The estimate kernel against its naive twin and the cost kernel."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.cost import PRICE_COLUMNS
from kernels.estimate import estimate_candidates
from tests import reference_cost, reference_estimate

tokens = st.integers(0, 3_000_000)
seconds = st.floats(0.0, 100.0)
shares = st.floats(0.0, 1.0)
prices = st.lists(
    st.integers(0, 200_000_000), min_size=PRICE_COLUMNS, max_size=PRICE_COLUMNS
)  # of any step: the cost kernel's own tests look at those that matter
candidates = st.lists(st.tuples(tokens, seconds, seconds, shares, shares, prices), max_size=24)


@settings(deadline=None, max_examples=100)
@given(tokens, tokens, candidates)
def test_estimate_agrees_with_the_references(tokens_in, tokens_out, rows):
    """Every candidate gets the cost, the latency and the quality of the naive twins."""
    count = len(rows)
    columns = [np.array([row[k] for row in rows], np.float64) for k in range(1, 5)]
    longest = np.array([row[0] for row in rows], np.int64)
    table = np.array([row[5] for row in rows], np.int64).reshape(count, PRICE_COLUMNS)
    cost, latency_s, quality = np.empty(count, np.int64), np.empty(count), np.empty(count)

    estimate_candidates(tokens_in, tokens_out, longest, table, *columns, cost, latency_s, quality)

    expected_s, expected = reference_estimate.latency_and_quality(
        tokens_out, [row[:5] for row in rows]
    )
    np.testing.assert_allclose(latency_s, expected_s, rtol=1e-12)
    np.testing.assert_allclose(quality, expected, rtol=1e-12)
    assert cost.tolist() == reference_cost.cost_nano_usd(
        tokens_in, 0, tokens_out, [row[0] for row in rows], [row[5] for row in rows]
    )
