"""The ranking kernel against its naive twin, and what its order means."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.rank import rank_by_utility, waiting_time
from tests import reference_rank

nan = float("nan")
candidate = st.tuples(
    st.sampled_from([0.45, 0.7, 0.86, 0.9]) | st.floats(0, 1) | st.just(nan),
    st.sampled_from([0, 1_000, 2_000_000]) | st.integers(0, 10**10),
    st.floats(0, 60) | st.just(nan),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
)
fleets = st.lists(candidate, max_size=24)
weight = st.just(0.0) | st.floats(0.001, 5)
NO_LIMITS = {"forbidden": -1, "quality_min": 0.0, "cost_max": 10**15, "grain": 0.005}


def rank(candidates, weights=(1.0, 0.0, 0.0), rows=None, seed=1, most=8, **limits):
    """Rank *candidates* of (quality, cost, latency, lacks, model, share)."""
    limits = NO_LIMITS | limits
    types = (np.float64, np.int64, np.float64, np.int64, np.int64, np.float64)
    columns = [np.array([c[k] for c in candidates], kind) for k, kind in enumerate(types)]
    rows = np.arange(len(candidates)) if rows is None else np.array(rows, np.int64)
    ranking = np.empty(most, np.int64)
    ranked = rank_by_utility(
        rows,
        *columns,
        *weights,
        limits["forbidden"],
        limits["quality_min"],
        limits["cost_max"],
        limits["grain"],
        seed,
        ranking,
    )
    return ranking[:ranked].tolist()


@settings(deadline=None, max_examples=200)
@given(
    fleets,
    st.tuples(weight, weight, weight),
    st.sampled_from([-1, 1, 2, 0]),
    st.sampled_from([0.0, 0.7, 0.86]),
    st.sampled_from([10**15, 2_000_000]),
    st.integers(0, 2**31 - 1),
    st.integers(1, 30),
)
def test_rank_agrees_with_the_reference(
    candidates, weights, forbidden, quality_min, cost_max, seed, most
):
    """The kernel and the obvious sort give the same order, ties and draws included."""
    rows = list(range(len(candidates)))
    expected = reference_rank.rank_by_utility(
        rows, candidates, weights, forbidden, quality_min, cost_max, 0.005, seed, most
    )
    found = rank(
        candidates,
        weights,
        seed=seed,
        most=most,
        forbidden=forbidden,
        quality_min=quality_min,
        cost_max=cost_max,
    )

    assert found == expected


@settings(deadline=None, max_examples=50)
@given(fleets.filter(bool), st.data())
def test_rank_considers_only_the_rows_given(candidates, data):
    """A subset ranks as the whole does, less what is not in it."""
    rows = data.draw(st.lists(st.sampled_from(range(len(candidates))), unique=True))
    whole = rank(candidates, most=30)

    assert rank(candidates, rows=rows, most=30) == [i for i in whole if i in rows]


def one(quality=0.9, cost=1000, latency_s=1.0, lacks=0, model=0, share=1.0):
    """One candidate, an able and cheap one."""
    return (quality, cost, latency_s, lacks, model, share)


def test_rank_without_candidates():
    """Nobody eligible is an empty ranking, not an error: the caller turns it into a refusal."""
    assert rank([]) == []
    assert rank([one(lacks=1)]) == []


def test_rank_forbids_only_what_it_is_told_to():
    """A lack outside the mask does not matter: that is how a last resort is found."""
    assert rank([one(lacks=0b10)], forbidden=0b01) == [0]


def test_rank_trades_quality_for_money():
    """Raising the weight of money moves the cheap candidate in front of the good one."""
    candidates = [one(quality=0.9, cost=10**9), one(quality=0.8, cost=10**7, model=1)]

    assert rank(candidates, (1.0, 0.0, 0.0)) == [0, 1]
    assert rank(candidates, (1.0, 0.2, 0.0)) == [1, 0]


def test_rank_never_takes_what_is_not_known():
    """NaN excludes where it matters, and only there."""
    candidates = [one(latency_s=nan), one(quality=nan), one(model=1)]

    assert rank(candidates, (1.0, 1.0, 0.0)) == [0, 2]
    assert rank(candidates, (1.0, 0.0, 1.0)) == [2]


def test_rank_takes_the_cheaper_one_where_quality_hardly_differs():
    """Less than the grain is noise."""
    assert rank([one(quality=0.9012, cost=2000), one(quality=0.9001, cost=1000)]) == [1, 0]
    assert rank([one(quality=0.9112, cost=2000), one(quality=0.9001, cost=1000)]) == [0, 1]


def test_rank_draws_among_equals_in_proportion_to_their_share():
    """Three deployments of one model at one price: 3/4, 1/4 and none of the traffic."""
    equals = [one(share=1.0), one(share=3.0), one(share=0.0)]
    first = Counter(rank(equals, seed=seed)[0] for seed in range(4000))

    assert first[0] + first[1] == 4000
    assert first[1] / 4000 == pytest.approx(0.75, abs=0.02)


def test_rank_draws_only_among_equals():
    """Another model or another price is no equal, whatever the seed."""
    candidates = [one(model=0, cost=1000), one(model=1, cost=1000), one(model=0, cost=999)]

    assert {tuple(rank(candidates, seed=seed)) for seed in range(50)} == {(2, 0, 1)}


def test_rank_keeps_the_best_of_many():
    """The list is as long as it was asked to be, and holds the best."""
    many = [one(quality=k / 100, model=k) for k in range(100)]

    assert rank(many, most=3) == [99, 98, 97]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**31 - 1), st.integers(0, 10_000))
def test_waiting_times_are_positive_and_repeat(seed, i):
    """A draw is a function of seed and candidate, and never infinite for a share above 0."""
    assert 0 < waiting_time(seed, i, 1.0) < 40
    assert waiting_time(seed, i, 1.0) == pytest.approx(reference_rank.waiting_time(seed, i, 1.0))
