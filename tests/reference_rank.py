"""The obvious way to order candidates: sort everything by a key. Imports nothing of ours."""

from __future__ import annotations

import math

MASK = 2**64 - 1


def waiting_time(seed, i, share):
    """Exponential time of candidate *i* from mixed bits (splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + (i + 1) * 0xD1B54A32D192ED03) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    z ^= z >> 31
    uniform = ((z >> 11) + 1) / 9007199254740993
    return -math.log(uniform) / share if share > 0 else math.inf


def rank_by_utility(rows, candidates, weights, forbidden, quality_min, cost_max, grain, seed, most):
    """
    The best *most* of *rows*. *candidates*: (quality, cost, latency, lacks, model, share) each;
    *weights*: of quality, USD and seconds.
    """
    keyed = []
    for i in rows:
        quality, cost, latency_s, lacks, model, share = candidates[i]
        if lacks & forbidden or cost > cost_max or not quality >= quality_min:
            continue
        parts = (quality, -cost * 1e-9, -latency_s)
        utility = sum(w * part for w, part in zip(weights, parts, strict=True) if w > 0)
        if math.isnan(utility):
            continue
        step = math.floor(utility / grain)
        keyed.append((-step, cost, model, waiting_time(seed, i, share), i))
    return [key[-1] for key in sorted(keyed)][:most]
