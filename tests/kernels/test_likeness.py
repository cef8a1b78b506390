"""Features, folded into a short vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.likeness import fold_features
from tests import reference_likeness

SIZE, FEATURES = 16, 128
kinds = st.lists(
    st.lists(st.integers(0, FEATURES - 1), unique=True, max_size=20), min_size=3, max_size=3
)


@settings(deadline=None, max_examples=150)
@given(kinds, st.sets(st.integers(0, FEATURES - 1)), st.booleans())
def test_folding_agrees_with_the_reference(features, common, heavy):
    """The vector is the twin's but for rounding, wherever features share a place."""
    importance = np.ones(FEATURES, dtype=np.float32)
    importance[sorted(common)] = 0.25
    weights = np.array([1.0, 0.5, 2.0 if heavy else 0.0], dtype=np.float32)
    ids, counts = np.zeros((3, 20), dtype=np.int32), np.zeros(3, dtype=np.int64)
    for kind, row in enumerate(features):
        ids[kind, : len(row)], counts[kind] = row, len(row)
    vector = np.full(SIZE, 9.0, dtype=np.float32)

    fold_features(ids, counts, weights, importance, vector)

    expected = reference_likeness.fold(features, weights.tolist(), importance.tolist(), SIZE)
    length = float(np.linalg.norm(vector))
    assert length == pytest.approx(1.0, abs=1e-5) or length == 0.0
    if np.linalg.norm(expected) > 0.5 and length:  # else all cancels out, and rounding decides
        assert abs(float(vector @ np.array(expected))) == pytest.approx(1.0, abs=1e-3)
