"""Naive twin of kernels/descent. Imports nothing of ours."""

from __future__ import annotations


def descend(
    order: list[int],
    rows: list[dict[int, float]],
    signs: list[list[float]],
    costs: list[list[float]],
    duals: list[list[float]],
    weights: list[list[float]],
) -> float:
    """One pass, one head after the other; *rows* map buckets to values. Changes the last two."""
    furthest = 0.0
    for head in range(len(signs[0])):
        for i in order:
            sign, cost = signs[i][head], costs[i][head]
            if cost == 0.0:
                continue
            score = sum(value * weights[bucket][head] for bucket, value in rows[i].items())
            length = sum(value**2 for value in rows[i].values())
            slack = 0.5 / cost
            gradient = sign * score - 1.0 + slack * duals[i][head]
            dual = max(duals[i][head] - gradient / (length + slack), 0.0)
            step = (dual - duals[i][head]) * sign
            duals[i][head] = dual
            furthest = max(furthest, abs(step))
            for bucket, value in rows[i].items():
                weights[bucket][head] += step * value
    return furthest
