"""The operator's figures by route."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.outcome import Ending
from gateway.learn.measures import ROUTES, Percentiles, measures
from tests.gateway.record.records import make_decision, make_outcome, make_record


@given(st.lists(st.floats(0.001, 600.0), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_percentiles_are_close(durations, share):
    """Within a bucket of the one that sorting gives."""
    found = Percentiles()
    for duration in durations:
        found.add(duration)
    exact = sorted(durations)[max(0, -int(-share * len(durations) // 1) - 1)]

    assert found.at(share) == pytest.approx(exact, rel=0.0501)


def test_no_durations():
    """Nothing completed: there is no median."""
    assert Percentiles().at(0.5) is None


def test_routes():
    """Means, percentiles and shares of each route."""
    dear = make_decision(tier="high", cost_nano_usd=9_000_000, quality=0.8)
    kept = make_decision(tier="high", routed=False, quality=0.6)
    failed = make_outcome(ending=Ending.FAILED, cost_nano_usd=0)
    records = [
        make_record(1),
        make_record(2, decision=dear, outcome=make_outcome(duration_s=3.0), savings_nano_usd=-50),
        make_record(3, decision=kept, outcome=failed, savings_nano_usd=0),
    ]
    high, low = measures(records, ROUTES["tier"])

    assert (low.route, low.requests, low.routed) == ("low", 1, 1.0)
    assert low.duration_s_p50 == low.duration_s_p95 == pytest.approx(1.76, rel=0.05)
    assert low.cost_nano_usd == 1_100_000
    assert (high.requests, high.routed, high.escalated, high.failed) == (2, 0.5, 0.5, 0.5)
    assert (high.cost_nano_usd, high.savings_nano_usd) == (550_000, -25)
    assert high.duration_s_p95 == pytest.approx(3.0, rel=0.05)
    assert high.promised == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("mode", "auto balanced"),
        ("tier", "low"),
        ("task", "Summarization"),
        ("model", "small"),
        ("rule", "none"),
    ],
)
def test_other_routes(name, route):
    """By whatever an operator groups by."""
    (found,) = measures([make_record(1), make_record(2)], ROUTES[name])

    assert (found.route, found.requests) == (route, 2)
    assert measures([make_record(1)])[0].route == "auto balanced"
