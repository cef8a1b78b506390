"""Measures of predictions."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="training has an environment of its own: `make train`")

from models.train.evaluate import calibration_error, macro_f1, rank_correlation


def test_macro_f1_counts_rare_classes_as_much():
    """One class found in full and one never: the mean of 1 and 0, absent classes aside."""
    assert macro_f1(np.array([0, 0, 0]), np.array([0, 0, 0]), 3) == 1.0
    assert macro_f1(np.array([0, 0]), np.array([0, 1]), 3) == pytest.approx((2 / 3 + 0) / 2)


def test_calibration_error_is_the_distance_to_the_share_of_right_answers():
    """Half right at 0.9 is 0.4 off; half right at 0.5 is exact."""
    right = np.array([True, False])

    assert calibration_error(np.array([0.9, 0.9]), right) == pytest.approx(0.4)
    assert calibration_error(np.array([0.5, 0.5]), right) == pytest.approx(0.0)


def test_a_correlation_by_length_alone_vanishes_with_length_fixed():
    """What only length explains is nothing once length is held fixed."""
    random = np.random.default_rng(6)
    length = random.normal(size=4_000)
    a, b = length + random.normal(size=4_000), length + random.normal(size=4_000)

    assert rank_correlation(a, b) > 0.4
    assert rank_correlation(a, b, length) == pytest.approx(0, abs=0.1)
