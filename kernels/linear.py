"""Score a text by the rows that its features pick from a table of weights."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

HEADS_MAX = 16  # length of a row, so that one instruction adds a whole row


@kernel("void(Array(int8, 2, 'C', readonly=True), int32[::1], float64, float64[::1])")
def add_rows(table, ids, weight, scores):
    """
    Add ``weight / sqrt(ids.size)`` times the sum of the picked rows to *scores*.

    Args:
        table: int8[buckets, HEADS_MAX], read-only: a row for each bucket, a column for each head.
        ids: int32[n], 0 to buckets - 1, not checked. Empty adds nothing.
        weight: of this group of features, finite.
        scores: float64[HEADS_MAX], added to, in steps of the table.

    The square root makes n features of weight one a vector of length one, so a long text speaks
    no louder than a short one. The sums are integers: the order of the features changes nothing,
    not even the last bit.
    """
    if ids.size == 0:
        return
    sums = np.zeros(HEADS_MAX, dtype=np.int32)
    for i in range(ids.size):
        row = np.int64(ids[i])
        for head in range(HEADS_MAX):
            sums[head] += np.int32(table[row, head])
    scale = weight / np.sqrt(ids.size)
    for head in range(HEADS_MAX):
        scores[head] += scale * sums[head]
