"""Score a text by the rows that its features pick from a table of weights."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

HEADS_MAX = 16  # bytes of a row: a power of two, so that no row lies across two cache lines


@kernel("void(Array(int8, 2, 'C', readonly=True), int32[::1], float64, float64[::1])")
def add_rows(table, ids, weight, scores):
    """
    Add ``weight / sqrt(ids.size)`` times the sum of the picked rows to *scores*.

    Args:
        table: int8[buckets, HEADS_MAX], read-only: a row for each bucket, a column for each head.
        ids: int32[n], 0 to buckets - 1, not checked. Empty adds nothing.
        weight: of this group of features, finite.
        scores: float64[heads], at most HEADS_MAX, added to, in steps of the table.

    The square root makes n features of weight one a vector of length one, so a long text speaks
    no louder than a short one. The sums are integers: the order of the features changes nothing,
    not even the last bit.

    Head by head, not row by row: a sum in a register lets the processor fetch many rows at once
    (on a busy machine, with a cold table, 6 against 150 us for 500 of them), and the
    rows are near after the first head.
    """
    if ids.size == 0:
        return
    scale = weight / np.sqrt(ids.size)
    for head in range(scores.size):
        total = np.int64(0)
        for i in range(ids.size):
            total += np.int64(table[np.uint64(ids[i]), np.uint64(head)])
        scores[head] += scale * total


@kernel(
    "void(Array(int8, 2, 'C', readonly=True), int32[:, ::1], int64[::1], float64, float64[::1])"
)
def add_groups(table, ids, counts, weight, scores):
    """
    ``add_rows`` for each group of features: row k of *ids* holds *counts*[k] of them, int64.

    One call instead of several, because a call from Python takes as long as some hundred rows.
    """
    for group in range(counts.size):
        add_rows(table, ids[group, : counts[group]], weight, scores)
