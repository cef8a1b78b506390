"""Dual coordinate descent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.descent import descend
from tests import reference_descent

BUCKETS, HEADS = 12, 3

row_strategy = st.dictionaries(st.integers(0, BUCKETS - 1), st.floats(-2, 2, width=32), max_size=6)
rows_strategy = st.lists(row_strategy, min_size=1, max_size=8)


def problem(rows, seed):
    """The arguments of the kernel for *rows*, with drawn signs and costs, some of them 0."""
    random = np.random.default_rng(seed)
    shape = (len(rows), HEADS)
    ends = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return {
        "ends": ends,
        "ids": np.array([bucket for row in rows for bucket in row], dtype=np.int32),
        "values": np.array([value for row in rows for value in row.values()], dtype=np.float32),
        "signs": random.choice([-1.0, 1.0], shape).astype(np.float32),
        "costs": random.choice([0.0, 0.5, 3.0], shape).astype(np.float32),
        "duals": np.zeros(shape, dtype=np.float32),
        "weights": np.zeros((BUCKETS, HEADS), dtype=np.float32),
    }


def descended(order, arguments):
    """How far the duals moved in one pass of the kernel; changes duals and weights."""
    return descend(np.array(order, dtype=np.int64), *arguments.values())


@settings(deadline=None, max_examples=60)
@given(rows_strategy, st.integers(0, 9), st.randoms(use_true_random=False))
def test_descend_agrees_with_the_reference(rows, seed, random):
    """Kernel and twin end two passes in the same place, whatever the order of the rows."""
    order = list(range(len(rows)))
    random.shuffle(order)
    arguments = problem(rows, seed)
    naive = {name: arguments[name].tolist() for name in ("signs", "costs", "duals", "weights")}

    for _ in range(2):
        moved = descended(order, arguments)
        expected = reference_descent.descend(order, rows, *naive.values())

    assert moved == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(arguments["duals"], naive["duals"], atol=1e-4)
    np.testing.assert_allclose(arguments["weights"], naive["weights"], atol=1e-4)


@settings(deadline=None, max_examples=30)
@given(rows_strategy, st.integers(0, 9))
def test_weights_are_the_sums_of_the_duals(rows, seed):
    """What the duals say of the rows is what the weights hold."""
    arguments = problem(rows, seed)
    descended(range(len(rows)), arguments)

    dense = np.array([[row.get(bucket, 0.0) for bucket in range(BUCKETS)] for row in rows])
    summed = dense.T @ (arguments["duals"] * arguments["signs"])

    np.testing.assert_allclose(arguments["weights"], summed, atol=1e-4)
    assert (arguments["duals"] >= 0).all()


def test_a_row_without_cost_teaches_nothing():
    """Where nobody knows the answer, the row leaves the head as it is."""
    arguments = problem([{0: 1.0}, {1: 1.0}], 0)
    arguments["costs"][:] = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]

    descended([0, 1], arguments)

    assert arguments["weights"][0, 0] == 0.0
    assert arguments["weights"][1, 1] == 0.0
    assert (arguments["weights"][:2, 2] != 0.0).all()


def test_two_rows_are_told_apart():
    """After some passes each side is near its margin, and nothing moves any more."""
    arguments = problem([{0: 1.0, 2: 1.0}, {1: 1.0, 2: 1.0}], 0)
    arguments["signs"][:] = [[1.0] * HEADS, [-1.0] * HEADS]
    arguments["costs"][:] = 100.0

    moved = [descended([0, 1], arguments) for _ in range(60)]

    weights = arguments["weights"]
    assert moved[-1] < 1e-3 < moved[0]
    np.testing.assert_allclose(weights[0] + weights[2], 1.0, atol=0.02)
    np.testing.assert_allclose(weights[1] + weights[2], -1.0, atol=0.02)
