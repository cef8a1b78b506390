"""Mark what each candidate lacks for a request."""

from __future__ import annotations

from kernels.jit import kernel

# Columns of a table of limits.
(CAPABILITIES, CONTEXT_TOKENS, TOKENS_OUT_MAX) = range(3)
LIMIT_COLUMNS = 3

# Bits above the capabilities, which keep their own: a missing one is marked as itself.
CONTEXT = 1 << 7  # the request does not fit in the context window
OUTPUT = 1 << 8  # the answer asked for is longer than the candidate gives
COST = 1 << 9  # dearer than the limit
QUALITY = 1 << 10  # promises less than the minimum


@kernel(
    "void(int64, int64, int64, int64, float64, Array(int64, 2, 'C', readonly=True),"
    " Array(int64, 1, 'C', readonly=True), Array(float64, 1, 'C', readonly=True), int64[::1])"
)
def mark_limits(
    needs, tokens_total, tokens_wanted, cost_max, quality_min, limits, cost, quality, lacks
):
    """
    Add the bits of what each candidate lacks to *lacks*.

    Args:
        needs: bits of the capabilities that the request needs, below CONTEXT.
        tokens_total: input and the answer asked for, what has to fit in the context window.
        tokens_wanted: longest answer that was asked for, 0 when nothing was.
        cost_max: most that the request may cost, in the unit of *cost*.
        quality_min: least that a candidate must promise.
        limits: int64[n, LIMIT_COLUMNS].
        cost: int64[n], of this request.
        quality: float64[n]; NaN, not known, promises nothing and lacks QUALITY.
        lacks: int64[n], added to: what is there already stays.
    """
    for i in range(lacks.size):
        lack = needs & ~limits[i, CAPABILITIES]
        if tokens_total > limits[i, CONTEXT_TOKENS]:
            lack |= CONTEXT
        if tokens_wanted > limits[i, TOKENS_OUT_MAX]:
            lack |= OUTPUT
        if cost[i] > cost_max:
            lack |= COST
        if not quality[i] >= quality_min:
            lack |= QUALITY
        lacks[i] |= lack
