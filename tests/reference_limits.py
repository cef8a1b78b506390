"""The obvious way to mark what a candidate lacks. Imports nothing of ours."""

from __future__ import annotations


def mark_limits(needs, tokens_total, tokens_wanted, cost_max, quality_min, candidates):
    """Bits per candidate; *candidates*: (capabilities, context, longest answer, cost, quality)."""
    marked = []
    for capabilities, context_tokens, tokens_out_max, cost, quality in candidates:
        bits = [bit for bit in range(7) if needs >> bit & 1 and not capabilities >> bit & 1]
        bits += [7] if tokens_total > context_tokens else []
        bits += [8] if tokens_wanted > tokens_out_max else []
        bits += [9] if cost > cost_max else []
        bits += [] if quality >= quality_min else [10]
        marked.append(sum(1 << bit for bit in bits))
    return marked
