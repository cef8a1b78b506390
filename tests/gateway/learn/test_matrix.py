"""Judgements summed up: they fade, and their order does not matter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.learn.matrix import WEIGHTS, Evidence, decay
from tests.gateway.learn.samples import day_of, judged, matrix_of

SUMS = st.builds(
    lambda samples, share, tier: judged(samples, samples * share, tier=tier),
    st.integers(1, 500),
    st.floats(0.0, 1.0),
    st.sampled_from(["low", "medium", "high"]),
)
DAYS = st.lists(
    st.builds(
        lambda sums, age: day_of(*sums, age=age),
        st.lists(SUMS, max_size=4),
        st.integers(0, 400),
    ),
    max_size=12,
)


@given(st.floats(0.0, 1e4), st.floats(0.0, 1e4), st.floats(0.1, 1e3))
def test_decay_falls(age, more, half_life):
    """The older the less, never more than one, and half after each half-life."""
    assert 0.0 <= decay(age + more, half_life) <= decay(age, half_life) <= 1.0
    assert decay(age + half_life, half_life) == pytest.approx(decay(age, half_life) / 2)


def test_decay_of_tomorrow():
    """A clock that runs ahead makes no judgement count more than once."""
    assert decay(-3.0, 30.0) == 1.0


@given(DAYS, st.randoms())
def test_order_does_not_matter(days, random):
    """Whatever order a database answers in, the matrix and its version are the same."""
    shuffled = list(days)
    random.shuffle(shuffled)

    assert matrix_of(*shuffled) == matrix_of(*days)


@given(DAYS)
def test_sums_stay_in_bounds(days):
    """No cell counts more than was judged, nor scores more than it counts."""
    for cell in matrix_of(*days).cells:
        assert 0.0 <= cell.score <= cell.samples * (1 + 1e-9) <= cell.judged * (1 + 2e-9)


def test_golden():
    """Ten of today, ten of one half-life ago, ten of two: 10 + 5 + 2.5."""
    days = [day_of(judged(10, 8.0), age=age) for age in (0, 30, 60)]
    (cell,) = matrix_of(*days).cells

    assert (cell.judged, cell.samples, cell.score) == (30, 17.5, 14.0)


@pytest.mark.parametrize(
    ("samples", "age", "trusted"),
    [(19, 0, False), (20, 0, True), (20, 1, False), (40, 30, True), (39, 30, False)],
)
def test_trust_begins_at_twenty(samples, age, trusted):
    """Judgements of today, or as many more as they have faded."""
    matrix = matrix_of(day_of(judged(samples, 0.0), age=age))

    assert matrix.is_trusted(matrix.cells[0]) is trusted


def test_the_version_is_of_what_promises_depend_on():
    """It changes with a judgement, the day's decay and a setting; not with days of no evidence."""
    first = matrix_of(day_of(judged(10, 8.0)))

    assert first.version == matrix_of(day_of(judged(10, 8.0)), day_of(age=3)).version
    assert first.version == matrix_of(day_of(judged(4, 3.0)), day_of(judged(6, 5.0))).version
    for other in (
        matrix_of(day_of(judged(10, 8.5))),
        matrix_of(day_of(judged(10, 8.0), age=1)),
        matrix_of(day_of(judged(10, 8.0)), samples_min=5.0),
        matrix_of(),
    ):
        assert other.version != first.version


def test_unknown_kinds_are_left_out():
    """What an older or newer version called a task type or tier says nothing here."""
    matrix = matrix_of(day_of(judged(10, 8.0, task_type="Poetry"), judged(10, 8.0, tier="extreme")))

    assert matrix.cells == ()


def test_every_kind_of_evidence_has_a_weight():
    """A new source says how much it counts."""
    assert WEIGHTS.keys() == set(Evidence)
    assert all(math.isfinite(weight) and weight > 0 for weight in WEIGHTS.values())
