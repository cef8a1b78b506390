"""Price one request at every candidate."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

# Columns of a price table: pico-USD per token, LONG_TOKENS tokens, REQUEST nano-USD per request.
INPUT, OUTPUT, CACHE_READ = range(3)
LONG_TOKENS, LONG_INPUT, LONG_OUTPUT, LONG_CACHE_READ = range(3, 7)
REQUEST = 7
PRICE_COLUMNS = 8

PICO_PER_NANO = 1_000


@kernel(
    "void(int64, int64, int64, Array(int64, 1, 'C', readonly=True),"
    " Array(int64, 2, 'C', readonly=True), int64[::1])"
)
def cost_of_candidates(tokens_in, tokens_cached, tokens_out, tokens_out_max, prices, cost_nano_usd):
    """
    Write what one request costs at each candidate into *cost_nano_usd*.

    Args:
        tokens_in: of the request, >= 0, the cached ones included.
        tokens_cached: of these, how many the candidate reads from its prompt cache, 0 where that
            is not known. More than *tokens_in* counts as all of them.
        tokens_out: predicted length of the answer, >= 0.
        tokens_out_max: int64[n], longest answer of each candidate; cuts the prediction.
        prices: int64[n, PRICE_COLUMNS]. Above LONG_TOKENS of input the LONG prices hold for the
            whole request; 0 there means that there is no such step. REQUEST is added to any.
        cost_nano_usd: int64[n], overwritten; rounded to nearest, halves up.

    Exact in integers up to 9.2e18 pico-USD, nine million dollars for one request.
    """
    cached = min(tokens_cached, tokens_in)
    fresh = tokens_in - cached
    for i in range(cost_nano_usd.size):
        answer = min(tokens_out, tokens_out_max[i])
        step = prices[i, LONG_TOKENS]
        if 0 < step < tokens_in:
            cost = fresh * prices[i, LONG_INPUT] + cached * prices[i, LONG_CACHE_READ]
            cost += answer * prices[i, LONG_OUTPUT]
        else:
            cost = fresh * prices[i, INPUT] + cached * prices[i, CACHE_READ]
            cost += answer * prices[i, OUTPUT]
        tokens_nano_usd = np.int64(cost + PICO_PER_NANO // 2) // PICO_PER_NANO
        cost_nano_usd[i] = tokens_nano_usd + prices[i, REQUEST]
