"""Order candidates by expected utility."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

USD_PER_NANO_USD = 1e-9
LOW_32_BITS = 0xFFFFFFFF


@kernel("float64(int64, int64, float64)")
def waiting_time(seed, i, share):
    """
    How long candidate *i* waits for its turn: exponential with rate *share*, from *seed* alone.

    The least of such times falls on a candidate with the probability of its part of the shares
    (Efraimidis and Spirakis 2006), so sorting by them draws without replacement. A share of 0
    waits for ever. The bits are mixed as in MurmurHash3 (its 32-bit finalizer).
    """
    # Only the low 32 bits of each product are kept: a sum that wraps at 64 bits has the same.
    bits = (int(seed) * 0x9E3779B1 + (int(i) + 1) * 0x85EBCA77) & LOW_32_BITS
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & LOW_32_BITS
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & LOW_32_BITS
    uniform = ((bits ^ (bits >> 16)) + 0.5) / 4294967296.0  # in (0, 1): never log(0)
    return -np.log(uniform) / share if share > 0.0 else np.inf


@kernel("float64(float64, float64)")
def weighted(weight, estimate):
    """
    Their product; 0 for a weight of 0, whatever the estimate: NaN then does not matter.
    """
    return weight * estimate if weight > 0.0 else 0.0


@kernel(
    "int64(Array(int64, 1, 'C', readonly=True), Array(float64, 1, 'C', readonly=True),"
    " Array(int64, 1, 'C', readonly=True), Array(float64, 1, 'C', readonly=True),"
    " Array(int64, 1, 'C', readonly=True), Array(int64, 1, 'C', readonly=True),"
    " Array(float64, 1, 'C', readonly=True), float64, float64, float64, int64, float64, int64,"
    " float64, int64, int64[::1])"
)
def rank_by_utility(
    rows,
    quality,
    cost_nano_usd,
    latency_s,
    lacks,
    model,
    share,
    quality_weight,
    usd_weight,
    s_weight,
    forbidden,
    quality_min,
    cost_max_nano_usd,
    grain,
    seed,
    ranking,
):
    """
    Write the best candidates among *rows* into *ranking*, best first.

    ``utility = quality_weight * quality - usd_weight * USD - s_weight * seconds``, compared in
    steps of *grain*. Within a step the cheaper one wins, then the model that is listed first, and
    among deployments of one model at one cost a draw in proportion to *share*: load balance.

    Args:
        rows: int64[m], the candidates to consider, each at most once; indices into all that
            follow.
        quality: float64[n], expected quality, 0 to 1.
        cost_nano_usd: int64[n], expected price of this request.
        latency_s: float64[n], expected seconds to the last token.
        lacks: int64[n], bits of what each candidate lacks.
        model: int64[n], index of the model that each candidate serves.
        share: float64[n], >= 0, part of the traffic among equals; 0 comes last.
        quality_weight, usd_weight, s_weight: >= 0; a weight of 0 ignores its estimate altogether.
        forbidden: a candidate that lacks one of these bits is left out.
        quality_min, cost_max_nano_usd: so is one that promises less or costs more.
        grain: > 0, differences of utility below it do not matter.
        seed: >= 0, of the draw; the same seed draws the same.
        ranking: int64[k], overwritten up to the returned length.

    Returns:
        How many candidates were ranked, 0 to min(m, k). One with a NaN estimate that matters is
        never ranked.

    Insertion into the best k: k is the length of a failover list (8), so a candidate that is not
    among the best costs one comparison.
    """
    kept = np.empty(ranking.size, dtype=np.float64)
    ranked = 0
    for i in rows:
        if lacks[i] & forbidden or cost_nano_usd[i] > cost_max_nano_usd:
            continue
        if not quality[i] >= quality_min:
            continue
        usd = cost_nano_usd[i] * USD_PER_NANO_USD
        utility = weighted(quality_weight, quality[i])
        utility -= weighted(usd_weight, usd) + weighted(s_weight, latency_s[i])
        step = np.floor(utility / grain)
        if np.isnan(step):
            continue
        slot = ranked
        while slot > 0:
            j = ranking[slot - 1]
            if kept[slot - 1] != step:
                before = kept[slot - 1] > step
            elif cost_nano_usd[j] != cost_nano_usd[i]:
                before = cost_nano_usd[j] < cost_nano_usd[i]
            elif model[j] != model[i]:
                before = model[j] < model[i]
            else:
                wait_j, wait_i = waiting_time(seed, j, share[j]), waiting_time(seed, i, share[i])
                before = wait_j < wait_i or (wait_j == wait_i and j < i)
            if before:
                break
            if slot < ranking.size:
                kept[slot] = kept[slot - 1]
                ranking[slot] = j
            slot -= 1
        if slot < ranking.size:
            kept[slot] = step
            ranking[slot] = i
            ranked = min(ranked + 1, ranking.size)
    return ranked
