"""Estimate cost, latency and quality of one request at every candidate, in one pass."""

from __future__ import annotations

from kernels.cost import cost_of_candidates
from kernels.jit import kernel


@kernel(
    "void(int64, int64, Array(int64, 1, 'C', readonly=True), Array(int64, 2, 'C', readonly=True),"
    " Array(float64, 1, 'C', readonly=True), Array(float64, 1, 'C', readonly=True),"
    " Array(float64, 1, 'C', readonly=True), Array(float64, 1, 'C', readonly=True),"
    " int64[::1], float64[::1], float64[::1])"
)
def estimate_candidates(
    tokens_in,
    tokens_out,
    tokens_out_max,
    prices,
    ttft_s,
    tpot_s,
    promised,
    reliability,
    cost_nano_usd,
    latency_s,
    quality,
):
    """
    Write what one request costs, takes and gives at each candidate into the last three.

    Args:
        tokens_in: of the request, >= 0, none of them read from a cache.
        tokens_out: predicted length of the answer, >= 0.
        tokens_out_max: int64[n], longest answer of each candidate; cuts the prediction.
        prices: int64[n, PRICE_COLUMNS], see cost_of_candidates.
        ttft_s, tpot_s: float64[n], seconds to the first token, and for each token of the answer.
        promised: float64[n], quality of an answer, 0 to 1.
        reliability: float64[n], share of the requests that get an answer.
        cost_nano_usd: int64[n], overwritten.
        latency_s: float64[n], overwritten: seconds to the last token.
        quality: float64[n], overwritten: *promised* times *reliability*.
    """
    cost_of_candidates(tokens_in, 0, tokens_out, tokens_out_max, prices, cost_nano_usd)
    for i in range(cost_nano_usd.size):
        latency_s[i] = ttft_s[i] + min(tokens_out, tokens_out_max[i]) * tpot_s[i]
        quality[i] = promised[i] * reliability[i]
