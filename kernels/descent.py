"""Fit several linear classifiers on sparse rows at once, by dual coordinate descent."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel


@kernel(
    "float64(int64[::1], int64[::1], int32[::1], float32[::1], float32[:, ::1], float32[:, ::1],"
    " float32[:, ::1], float32[:, ::1])"
)
def descend(order, ends, ids, values, signs, costs, duals, weights):
    """
    One pass over the rows; returns how far the duals moved at most, a sign of convergence.

    Each head minimises ``|w|^2 / 2 + sum of cost * max(0, 1 - sign * score)^2`` over the rows
    whose cost is not 0 (Hsieh et al., A dual coordinate descent method for large-scale linear
    SVM, 2008, algorithm 1 with the squared loss).

    Args:
        order: int64[n], the rows to visit, each at most once.
        ends: int64[rows + 1]: row i has the features from ends[i] to ends[i + 1].
        ids: int32[features], 0 to buckets - 1, not checked.
        values: float32[features], finite.
        signs: float32[rows, heads], 1 or -1.
        costs: float32[rows, heads], 0 where the head shall not learn from the row.
        duals: float32[rows, heads], at first 0, changed.
        weights: float32[buckets, heads], at first 0, changed: the sums of dual * sign * row.

    All heads together, because fetching the rows of the weights is what takes the time.
    """
    heads = signs.shape[1]
    scores = np.empty(heads, dtype=np.float64)
    steps = np.empty(heads, dtype=np.float32)
    furthest = 0.0
    for at in range(order.size):
        row = order[at]
        first, last = ends[row], ends[row + 1]
        length = 0.0
        scores[:] = 0.0
        for k in range(first, last):
            length += np.float64(values[k]) * values[k]
            for head in range(heads):
                scores[head] += values[k] * weights[ids[k], head]
        moved = False
        for head in range(heads):
            steps[head] = 0.0
            if costs[row, head] == 0.0:
                continue
            slack = 0.5 / costs[row, head]
            dual = duals[row, head]
            gradient = signs[row, head] * scores[head] - 1.0 + slack * dual
            changed = np.float32(max(dual - gradient / (length + slack), 0.0))
            if changed != dual:
                duals[row, head] = changed
                steps[head] = (changed - dual) * signs[row, head]
                furthest = max(furthest, abs(np.float64(steps[head])))
                moved = True
        if moved:
            for k in range(first, last):
                for head in range(heads):
                    weights[ids[k], head] += values[k] * steps[head]
    return furthest
