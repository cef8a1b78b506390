"""The obvious way to price a request: fractions, one by one. Imports nothing of ours."""

from __future__ import annotations

from fractions import Fraction
from math import floor


def cost_nano_usd(tokens_in, tokens_cached, tokens_out, tokens_out_max, prices):
    """Cost of one request per candidate; *prices* rows in the order of the kernel's columns."""
    costs = []
    for longest, row in zip(tokens_out_max, prices, strict=True):
        usd_in, usd_out, usd_cached, step, long_in, long_out, long_cached, request_nano = row
        if step > 0 and tokens_in > step:
            usd_in, usd_out, usd_cached = long_in, long_out, long_cached
        cached = min(tokens_cached, tokens_in)
        pico = (tokens_in - cached) * usd_in + cached * usd_cached
        pico += min(tokens_out, longest) * usd_out
        costs.append(floor(Fraction(pico, 1000) + request_nano + Fraction(1, 2)))
    return costs
