"""Measures of predictions."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="training has an environment of its own: `make train`")

from models.scores import TASK_TYPES
from models.train.data import Row
from models.train.evaluate import (
    Predictions,
    calibration_error,
    confusion,
    macro_f1,
    rank_correlation,
)
from models.train.outcomes import interval, resampled


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


def test_a_confusion_stands_in_the_row_of_what_it_is():
    """One Open QA that is called Other: first row, last column."""
    rows = [Row("a", 0, 0.5, "en", "authored-a"), Row("b", 1, 0.5, "en", "authored-a")]
    found = Predictions(rows, np.array([len(TASK_TYPES) - 1, 1]), np.ones(2), np.ones(2))

    first, second = confusion(found).splitlines()[2:4]

    assert first.split(" | ")[1:] == ["0"] * 10 + ["1 |"]
    assert second.split(" | ")[1:] == ["0", "1"] + ["0"] * 8 + ["0 |"]


def test_an_interval_of_any_measure_is_that_of_the_mean_for_the_mean():
    """The same resampling, with the rows of all columns kept together."""
    values = np.random.default_rng(6).normal(size=400)

    assert resampled(np.mean, values) == pytest.approx(interval(values), abs=0.02)
    assert resampled(lambda a, b: float((a - b).max()), values, values) == (0.0, 0.0)
