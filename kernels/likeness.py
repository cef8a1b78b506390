"""Fold the hashed features of a text into one short vector."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel


@kernel(
    "void(int32[:, ::1], int64[::1], Array(float32, 1, 'C', readonly=True),"
    " Array(float32, 1, 'C', readonly=True), float32[::1])"
)
def fold_features(ids, counts, kind_weights, importance, vector):
    """
    Overwrite *vector* with the sum of all features, at unit length; zero without features.

    Each feature is added to one place of the vector or taken from it, as its number says, so that
    features that share a place cancel out on average. Each kind is first brought to unit length.

    Args:
        ids: int32[k, m], row by kind: distinct features, as kernels.hashing.hash_text writes them.
        counts: int64[k]: how many of each row count.
        kind_weights: float32[k], at least 0.
        importance: float32[n], at least 0: of each feature; every id is below n.
        vector: float32[d], d a power of two.
    """
    vector[:] = 0.0
    size = np.int64(vector.size)
    for kind in range(counts.size):
        total = 0.0
        for k in range(counts[kind]):
            weight = np.float64(importance[ids[kind, k]])
            total += weight * weight
        if total == 0.0:
            continue
        scale = kind_weights[kind] / np.sqrt(total)
        for k in range(counts[kind]):
            feature = np.int64(ids[kind, k])
            value = np.float32(importance[feature] * scale)
            if (feature // size) & 1:
                value = -value
            vector[feature & (size - 1)] += value
    norm = 0.0
    for k in range(size):
        norm += np.float64(vector[k]) * np.float64(vector[k])
    if norm > 0.0:
        norm = 1.0 / np.sqrt(norm)
        for k in range(size):
            vector[k] = np.float32(vector[k] * norm)
