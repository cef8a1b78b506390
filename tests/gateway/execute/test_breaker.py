"""The breaker and its table."""

from __future__ import annotations

import pytest

from gateway.config.schema import Reliability
from gateway.execute.breaker import TRANSITIONS, Breaker, Event, Permit, State

LIMITS = Reliability(
    breaker_failures=3,
    breaker_error_share=0.5,
    breaker_requests_min=10,
    breaker_open_s=5.0,
    breaker_open_s_max=15.0,
)


def opened(at_s: float = 0.0) -> Breaker:
    breaker = Breaker(LIMITS)
    for _ in range(LIMITS.breaker_failures):
        fail(breaker, at_s)
    return breaker


def fail(breaker: Breaker, now_s: float, permit: Permit = Permit.NORMAL) -> None:
    breaker.failed(permit, now_s, 0.0, 0)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_breaker_table(state: State, event: Event) -> None:
    """The table is complete for every state's own events and silent about all others."""
    expected = {
        State.CLOSED: {Event.TRIPPED: State.OPEN},
        State.OPEN: {Event.PROBE: State.HALF_OPEN},
        State.HALF_OPEN: {
            Event.PROBE: State.HALF_OPEN,
            Event.PROBE_SUCCEEDED: State.CLOSED,
            Event.PROBE_FAILED: State.OPEN,
        },
    }

    assert TRANSITIONS.get((state, event)) == expected[state].get(event)


def test_breaker_opens_after_failures_in_a_row() -> None:
    """A success in between starts the count anew."""
    breaker = Breaker(LIMITS)
    fail(breaker, 0.0)
    fail(breaker, 0.0)
    breaker.succeeded(Permit.NORMAL, 0.0)
    fail(breaker, 0.0)
    fail(breaker, 0.0)
    assert breaker.state is State.CLOSED

    fail(breaker, 0.0)
    assert breaker.state is State.OPEN
    assert breaker.admit(4.9) is None


@pytest.mark.parametrize(
    ("share", "requests", "state"),
    [
        (0.5, 10, State.OPEN),
        (0.5, 9, State.CLOSED),  # too few to judge by
        (0.49, 100, State.CLOSED),
    ],
)
def test_breaker_opens_at_a_share_of_errors(share: float, requests: int, state: State) -> None:
    """The share counts only over enough requests."""
    breaker = Breaker(LIMITS)

    breaker.failed(Permit.NORMAL, 0.0, share, requests)

    assert breaker.state is state


def test_breaker_probes_one_at_a_time() -> None:
    """After the pause one attempt is let through; its success closes, and all are let through."""
    breaker = opened()

    assert breaker.admit(5.0) is Permit.PROBE
    assert breaker.admit(5.0) is None
    breaker.succeeded(Permit.PROBE, 5.1)

    assert breaker.state is State.CLOSED
    assert breaker.admit(5.1) is Permit.NORMAL


def test_breaker_doubles_its_pause_up_to_the_maximum() -> None:
    """Every failed probe doubles the pause; a success resets it."""
    breaker, now_s, pauses = opened(), 0.0, []
    for _ in range(4):
        pauses.append(breaker.recovery_s(now_s))
        now_s += pauses[-1]
        assert breaker.admit(now_s) is Permit.PROBE
        fail(breaker, now_s, Permit.PROBE)
    assert pauses == [5.0, 10.0, 15.0, 15.0]

    now_s += 15.0
    assert breaker.admit(now_s) is Permit.PROBE
    breaker.succeeded(Permit.PROBE, now_s)
    for _ in range(3):
        fail(breaker, now_s)
    assert breaker.recovery_s(now_s) == 5.0


def test_breaker_ignores_old_news() -> None:
    """What ends while the breaker is open began before: it neither closes nor prolongs."""
    breaker = opened()

    breaker.succeeded(Permit.NORMAL, 1.0)
    fail(breaker, 2.0)

    assert breaker.state is State.OPEN
    assert breaker.recovery_s(2.0) == 3.0


def test_breaker_gets_an_abandoned_probe_back() -> None:
    """A probe whose client leaves says nothing; the next request probes."""
    breaker = opened()
    assert breaker.admit(5.0) is Permit.PROBE

    breaker.abandoned(Permit.PROBE)

    assert breaker.admit(5.0) is Permit.PROBE


def test_breaker_cuts_its_pause_short_as_the_last_resort() -> None:
    """With nobody else left one probe goes out early, and only one."""
    breaker = opened()
    assert breaker.admit(1.0) is None

    assert breaker.admit(1.0, last_resort=True) is Permit.PROBE
    assert breaker.admit(1.0, last_resort=True) is None
