"""The limits kernel against its naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.limits import CONTEXT, COST, OUTPUT, QUALITY, mark_limits
from tests import reference_limits

small = st.integers(0, 20)  # few values, so that limits are met exactly
quality = st.sampled_from([0.0, 0.5, 0.85, 1.0, float("nan")])
candidates = st.lists(st.tuples(st.integers(0, 127), small, small, small, quality), max_size=24)


def mark(needs, tokens_total, tokens_wanted, cost_max, quality_min, rows, already=0):
    """Bits of *rows* of (capabilities, context, longest answer, cost, quality)."""
    limits = np.array([row[:3] for row in rows], np.int64).reshape(len(rows), 3)
    cost = np.array([row[3] for row in rows], np.int64)
    promised = np.array([row[4] for row in rows], np.float64)
    lacks = np.full(len(rows), already, np.int64)
    mark_limits(
        needs, tokens_total, tokens_wanted, cost_max, quality_min, limits, cost, promised, lacks
    )
    return lacks.tolist()


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 127), small, small, small, st.sampled_from([0.0, 0.5, 0.85]), candidates)
def test_marks_agree_with_the_reference(needs, total, wanted, cost_max, quality_min, rows):
    """Every bit of every candidate, limits that are just met included."""
    expected = reference_limits.mark_limits(needs, total, wanted, cost_max, quality_min, rows)

    assert mark(needs, total, wanted, cost_max, quality_min, rows) == expected


@pytest.mark.parametrize(
    ("row", "bits"),
    [
        ((0b11, 100, 50, 10, 0.9), 0),  # every limit is met exactly
        ((0b01, 100, 50, 10, 0.9), 0b10),
        ((0b11, 99, 50, 10, 0.9), CONTEXT),
        ((0b11, 100, 49, 10, 0.9), OUTPUT),
        ((0b11, 100, 50, 11, 0.9), COST),
        ((0b11, 100, 50, 10, 0.89), QUALITY),
        ((0b11, 100, 50, 10, float("nan")), QUALITY),  # not known is no promise
    ],
)
def test_each_limit_has_its_own_bit(row, bits):
    """One lack, one bit."""
    assert mark(0b11, 100, 50, 10, 0.9, [row]) == [bits]


def test_marks_are_added():
    """What was marked before stays."""
    assert mark(0, 0, 0, 10, 0.0, [(0, 1, 1, 11, 1.0)], already=1 << 20) == [1 << 20 | COST]
