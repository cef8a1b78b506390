"""The obvious estimate of one request, candidate by candidate. Imports nothing of ours."""

from __future__ import annotations


def latency_and_quality(tokens_out, candidates):
    """Seconds and quality per candidate: (longest answer, ttft, tpot, promised, reliability)."""
    latency_s, quality = [], []
    for longest, ttft_s, tpot_s, promised, reliability in candidates:
        latency_s.append(ttft_s + min(tokens_out, longest) * tpot_s)
        quality.append(promised * reliability)
    return latency_s, quality
