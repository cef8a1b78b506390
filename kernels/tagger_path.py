"""The best labels of a row of tokens, given what each token says and what may follow what."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

# Label 0 is no name; label k a name of type k - 1 begins; label TYPES + k it goes on.
TYPES = 4
LABELS = 1 + 2 * TYPES
WEIGHTS = 2 * TYPES  # of a feature, one for each label but 0, whose score is always 0
NEVER = -(1 << 29)  # score of what may not follow; sums of it and of weights stay in an int32


@kernel(
    "void(int32[:, ::1], int32[::1], int64, Array(int8, 2, 'C', readonly=True),"
    " Array(int32, 2, 'C', readonly=True), int32[:, ::1], uint8[::1])"
)
def label_tokens(ids, sizes, count, table, follow, scores, labels):
    """
    Write the labels of the best path through the first *count* tokens.

    Args:
        ids: int32[m, f], row k holds the sizes[k] features of token k.
        sizes: int32[m].
        count: 0 to m.
        table: int8[2**bits, WEIGHTS], read-only.
        follow: int32[LABELS, LABELS], read-only: score of label k after label j. NEVER forbids.
        scores: int32[m, LABELS], overwritten: what each token says of each label.
        labels: uint8[m], overwritten up to *count*. Of equal paths the lower last label wins.

    All in whole numbers, so that the labels are the same on every machine.
    """
    if count == 0:
        return
    back = np.empty((count, LABELS), dtype=np.uint8)
    best = np.empty(LABELS, dtype=np.int32)
    now = np.empty(LABELS, dtype=np.int32)
    sums = np.empty(WEIGHTS, dtype=np.int32)
    for i in range(count):
        sums[:] = 0
        for k in range(sizes[i]):
            row = table[ids[i, k]]
            for w in range(WEIGHTS):
                sums[w] += np.int32(row[w])
        scores[i, 0] = 0
        for w in range(WEIGHTS):
            scores[i, w + 1] = sums[w]
        for label in range(LABELS):
            top, source = np.int32(follow[0, label]), 0
            if i > 0:
                top += best[0]
                for before in range(1, LABELS):
                    value = best[before] + follow[before, label]
                    if value > top:
                        top, source = value, before
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
