"""The best labels of a row of tokens, given what each token says and what may follow what."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

# Label 0 is no name; label k a name of type k - 1 begins; label TYPES + k it goes on.
TYPES = 4
LABELS = 1 + 2 * TYPES
WEIGHTS = 2 * TYPES  # of a feature, one for each label but 0, whose score is always 0
NEVER = -(1 << 29)  # score of what may not follow; sums of it and of weights stay in an int32

# Four of the eight weights of a row at a time, each as a number from 0 in two bytes of its own.
ABOVE_ZERO, EVERY_OTHER = np.uint64(0x8080808080808080), np.uint64(0x00FF00FF00FF00FF)
LANE_BITS, LANE = 16, np.uint64(0xFFFF)


@kernel(
    "void(int32[:, ::1], int32[::1], int64, Array(uint64, 1, 'C', readonly=True), int32[:, ::1])",
    inline=True,
)
def add_weights(ids, sizes, count, table, scores):
    """
    Write what each token says of each label, see ``label_tokens``.
    """
    for i in range(count):
        even = odd = np.uint64(0)
        for k in range(sizes[i]):
            row = table[np.uint64(ids[i, k])] ^ ABOVE_ZERO
            even += row & EVERY_OTHER
            odd += row >> np.uint64(8) & EVERY_OTHER
        scores[i, 0] = 0
        for k in range(TYPES):
            lane = np.uint64(LANE_BITS * k)
            scores[i, 2 * k + 1] = np.int32(even >> lane & LANE) - 128 * sizes[i]
            scores[i, 2 * k + 2] = np.int32(odd >> lane & LANE) - 128 * sizes[i]


@kernel(
    "void(int32[:, ::1], int32[::1], int64, Array(uint64, 1, 'C', readonly=True),"
    " Array(int32, 2, 'C', readonly=True), int32[:, ::1], uint8[::1])"
)
def label_tokens(ids, sizes, count, table, follow, scores, labels):
    """
    Write the labels of the best path through the first *count* tokens.

    Args:
        ids: int32[m, f], row k holds the sizes[k] features of token k.
        sizes: int32[m], at most 256.
        count: 0 to m.
        table: uint64[2**bits], read-only: the WEIGHTS of each feature as int8, the first in the
            lowest byte.
        follow: int32[LABELS, LABELS], read-only: score of label k after label j. NEVER forbids.
        scores: int32[m, LABELS], overwritten: what each token says of each label.
        labels: uint8[m], overwritten up to *count*. Of equal paths the lower last label wins.

    All in whole numbers, so that the labels are the same on every machine. Behind most tokens no
    name is so likely that anything could follow it better than it follows label 0.
    """
    if count == 0:
        return
    add_weights(ids, sizes, count, table, scores)
    back = np.empty((count, LABELS), dtype=np.uint8)
    best = np.zeros(LABELS, dtype=np.int32)
    now = np.empty(LABELS, dtype=np.int32)
    gain = np.full(LABELS, NEVER, dtype=np.int32)  # at most, by following a label and not 0
    for before in range(1, LABELS):
        for label in range(LABELS):
            if follow[0, label] != NEVER:
                gain[before] = max(gain[before], follow[before, label] - follow[0, label])
    for i in range(count):
        calm = True
        for before in range(1, LABELS):
            calm &= best[before] + gain[before] <= best[0]
        for label in range(LABELS):
            top, source = best[0] + follow[0, label], 0
            if i > 0 and (not calm or follow[0, label] == NEVER):
                for before in range(1, LABELS):
                    value = best[before] + follow[before, label]
                    source = before if value > top else source
                    top = max(top, value)
            now[label] = max(top + scores[i, label], NEVER)
            back[i, label] = source
        best[:] = now
    label = 0
    for k in range(1, LABELS):
        if best[k] > best[label]:
            label = k
    for i in range(count - 1, -1, -1):
        labels[i] = label
        label = np.int64(back[i, label])  # type: ignore[assignment]  # numba needs the width


@kernel(
    "int64(int32[:, ::1], Array(int32, 2, 'C', readonly=True), uint8[::1], int64, int64[:, ::1])"
)
def read_spans(scores, follow, labels, count, spans):
    """
    Write the names among the first *count* labels, and return how many there are.

    Args:
        spans: int64[m, 4], overwritten up to the result: first token, end (exclusive), type, and
            by how much the path beats the same one without this name. What does not fit is left
            out.
    """
    found, i = 0, 0
    while i < count and found < spans.shape[0]:
        label = np.int64(labels[i])
        if label == 0:
            i += 1
            continue
        kind = (label - 1) % TYPES
        before = np.int64(labels[i - 1]) if i > 0 else 0
        with_it, without = np.int64(follow[before, label]), np.int64(follow[before, 0])
        first = i
        with_it += scores[i, label]
        i += 1
        while i < count and labels[i] == kind + 1 + TYPES:
            with_it += scores[i, labels[i]] + follow[labels[i - 1], labels[i]]
            without += follow[0, 0]
            i += 1
        if i < count:
            with_it += follow[labels[i - 1], labels[i]]
            without += follow[0, labels[i]]
        spans[found, 0], spans[found, 1] = first, i
        spans[found, 2], spans[found, 3] = kind, with_it - without
        found += 1
    return found
