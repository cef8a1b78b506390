"""The obvious way to order candidates: sort everything by a key. Imports nothing of ours."""

from __future__ import annotations

import math


def waiting_time(seed, i, share):
    """Exponential time of candidate *i* from mixed bits (32-bit finalizer of MurmurHash3)."""
    bits = (seed * 0x9E3779B1 + (i + 1) * 0x85EBCA77) % 2**32
    bits = (bits ^ bits >> 16) * 0x85EBCA6B % 2**32
    bits = (bits ^ bits >> 13) * 0xC2B2AE35 % 2**32
    uniform = ((bits ^ bits >> 16) + 0.5) / 2**32
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
