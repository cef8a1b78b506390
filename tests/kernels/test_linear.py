"""Sums of picked rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.linear import HEADS_MAX, add_groups, add_rows
from tests import reference_linear

BUCKETS = 64


def table(seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-127, 128, (BUCKETS, HEADS_MAX))
    return steps.astype(np.int8)


def added(rows, ids, weight, scores):
    sums = np.array(scores, dtype=np.float64)
    add_rows(rows, np.array(ids, dtype=np.int32), weight, sums)
    return sums.tolist()


ids_strategy = st.lists(st.integers(0, BUCKETS - 1), max_size=300)


@settings(deadline=None, max_examples=100)
@given(ids_strategy, st.floats(-4, 4), st.integers(0, 5))
def test_add_rows_agrees_with_the_reference(ids, weight, seed):
    """Kernel and twin give the same scores, also on top of earlier ones."""
    rows, scores = table(seed), [0.5 * head for head in range(HEADS_MAX)]

    expected = reference_linear.add_rows(rows.tolist(), ids, weight, scores)

    assert added(rows, ids, weight, scores) == pytest.approx(expected, rel=1e-12, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, BUCKETS - 1), max_size=20), max_size=4), st.floats(-4, 4))
def test_groups_are_added_one_by_one(groups, weight):
    """Several groups of features give what a call for each gives, whatever lies behind them."""
    rows = table(3)
    ids = np.full((len(groups), 21), BUCKETS - 1, dtype=np.int32)
    for at, group in enumerate(groups):
        ids[at, : len(group)] = group
    sums = np.zeros(HEADS_MAX)
    add_groups(rows, ids, np.array([len(group) for group in groups], np.int64), weight, sums)

    expected = [0.0] * HEADS_MAX
    for group in groups:
        expected = reference_linear.add_rows(rows.tolist(), group, weight, expected)
    assert sums.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(ids_strategy, st.randoms())
def test_order_changes_nothing(ids, random):
    """The same features in another order give the same bits."""
    other = list(ids)
    random.shuffle(other)

    zeros = [0.0] * HEADS_MAX

    assert added(table(1), ids, 0.7, zeros) == added(table(1), other, 0.7, zeros)


def test_no_features_add_nothing():
    """A view without words leaves the scores as they are, not NaN."""
    assert added(table(0), [], 1.0, [1.5] * HEADS_MAX) == [1.5] * HEADS_MAX


def test_four_times_the_features_count_twice():
    """The sum grows with the root of the count: n features are a vector of length one."""
    rows, zeros = table(2), [0.0] * HEADS_MAX

    once, four = added(rows, [7], 1.0, zeros), added(rows, [7] * 4, 1.0, zeros)

    assert four == pytest.approx([2 * score for score in once])


def test_extreme_steps_do_not_overflow():
    """As many features as a text can have, all at the end of the int8, sum without wrapping."""
    rows = np.full((BUCKETS, HEADS_MAX), -127, dtype=np.int8)

    assert added(rows, [3] * 10_000, 1.0, [0.0] * HEADS_MAX) == [-12_700.0] * HEADS_MAX
