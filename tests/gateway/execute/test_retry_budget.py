"""Extra attempts as a share of traffic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.execute.retry_budget import FLOOR_SAVED_S, SAVED_MAX, RetryBudget


def spent(budget: RetryBudget, now_s: float, wanted: int) -> int:
    """How many of *wanted* extra attempts the budget allows at once."""
    count = 0
    while count < wanted and budget.left(now_s):
        budget.withdraw(now_s)
        count += 1
    return count


def test_retry_budget_allows_a_share_of_traffic() -> None:
    """Without a floor, a hundred requests earn as many extra attempts as the share says."""
    budget = RetryBudget(share=0.25, floor_per_s=0.0)
    for _ in range(100):
        budget.deposit()

    assert spent(budget, 0.0, 100) == 25


def test_retry_budget_refills_its_floor() -> None:
    """A quiet gateway may retry too, and saves up only a little."""
    budget = RetryBudget(share=0.0, floor_per_s=2.0)

    assert spent(budget, 0.0, 100) == 2 * FLOOR_SAVED_S
    assert spent(budget, 1.5, 100) == 3
    assert spent(budget, 1000.0, 100) == 2 * FLOOR_SAVED_S


def test_retry_budget_of_nothing() -> None:
    """Share and floor zero switch extra attempts off."""
    budget = RetryBudget(share=0.0, floor_per_s=0.0)
    budget.deposit()

    assert not budget.left(0.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=200), st.floats(0, 1))
def test_retry_budget_bounds_every_storm(steps: list[tuple[bool, float]], share: float) -> None:
    """Whatever the order of requests and failures, extra attempts stay within share and floor."""
    budget, now_s, requests, extra = RetryBudget(share, floor_per_s=1.0), 0.0, 0, 0
    for is_request, pause_s in steps:
        now_s += pause_s
        if is_request:
            requests += 1
            budget.deposit()
        else:
            extra += spent(budget, now_s, 1)

    assert extra <= requests * share + (now_s + FLOOR_SAVED_S) * 1.0 + 1e-6


def test_retry_budget_saves_no_more_than_its_maximum() -> None:
    """Days of quiet traffic do not pay for a storm."""
    budget = RetryBudget(share=1.0, floor_per_s=0.0)
    for _ in range(10_000):
        budget.deposit()

    assert spent(budget, 0.0, 10_000) == SAVED_MAX
