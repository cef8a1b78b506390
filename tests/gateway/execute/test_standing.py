"""How one deployment stands."""

from __future__ import annotations

import pytest

from gateway.config.schema import Reliability
from gateway.core.health import FRESH
from gateway.core.outcome import Failure
from gateway.execute.breaker import Permit
from gateway.execute.standing import Standing
from tests.fakes.clock import ManualClock

LIMITS = Reliability(breaker_failures=3, cooldown_s=10.0, cooldown_s_max=60.0, window_s=30.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def standing(clock: ManualClock) -> Standing:
    return Standing(LIMITS, clock, "a/1")


def test_standing_of_the_unknown(standing: Standing) -> None:
    """A deployment nobody has asked yet is available, and nothing is measured."""
    assert standing.health() == FRESH


@pytest.mark.parametrize(
    ("retry_after_s", "wait_s"),
    [(None, 10.0), (2.5, 2.5), (3600.0, 60.0), (0.0, 0.0)],
)
def test_standing_keeps_a_cooldown(
    standing: Standing, clock: ManualClock, retry_after_s: float | None, wait_s: float
) -> None:
    """The upstream says for how long, within our bound; without a word we choose."""
    standing.failed(Permit.NORMAL, Failure.THROTTLED, retry_after_s)

    assert standing.recovery_s == pytest.approx(wait_s)
    assert standing.available is (wait_s == 0.0)
    clock.advance(wait_s)
    assert standing.admit() is Permit.NORMAL


def test_standing_keeps_a_cooldown_as_the_last_resort(standing: Standing) -> None:
    """Where the upstream asked us to stay away nobody is sent, however badly needed."""
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 5.0)

    assert standing.admit(last_resort=True) is None
    assert standing.health().state == "cooldown"


def test_standing_shortens_no_cooldown(standing: Standing) -> None:
    """An answer that overtakes another does not undo what that one said."""
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 30.0)
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 1.0)

    assert standing.recovery_s == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("failure", "state", "error_share"),
    [
        (Failure.REFUSED, "closed", 0.0),  # the client's fault
        (Failure.THROTTLED, "cooldown", 1.0),
        (Failure.DENIED, "open", 1.0),
        (Failure.BROKEN, "open", 1.0),
        (Failure.LATE, "open", 1.0),
    ],
)
def test_standing_after_three_failures(
    standing: Standing, failure: Failure, state: str, error_share: float
) -> None:
    """Only what the deployment is to blame for opens its breaker."""
    for _ in range(3):
        standing.failed(Permit.NORMAL, failure)

    health = standing.health()
    assert (health.state, health.error_share) == (state, error_share)


def test_standing_shows_that_a_probe_is_due(standing: Standing, clock: ManualClock) -> None:
    """When the pause is over the deployment is available again, to one."""
    for _ in range(3):
        standing.failed(Permit.NORMAL, Failure.BROKEN)
    assert not standing.health().available

    clock.advance(LIMITS.breaker_open_s)

    health = standing.health()
    assert (health.available, health.state) == (True, "half_open")
    assert standing.admit() is Permit.PROBE
    assert not standing.health().available


def test_standing_counts_a_stream_that_begins_as_a_probe_that_succeeded(
    standing: Standing, clock: ManualClock
) -> None:
    """Others need not wait for the end of a long stream; how it ends counts all the same."""
    for _ in range(3):
        standing.failed(Permit.NORMAL, Failure.BROKEN)
    clock.advance(LIMITS.breaker_open_s)
    assert standing.admit() is Permit.PROBE

    standing.answering(Permit.PROBE)
    assert standing.health().state == "closed"

    standing.failed(Permit.NORMAL, Failure.BROKEN)
    assert standing.health().requests == 4


def test_standing_measures_times(standing: Standing, clock: ManualClock) -> None:
    """Percentiles are over the window, and gone when it has passed."""
    for ttft_s in (0.1, 0.2, 0.3, 9.0):
        standing.succeeded(Permit.NORMAL, ttft_s=ttft_s, tpot_s=0.02)

    health = standing.health()
    assert health.ttft_s_p50 == pytest.approx(0.2, rel=0.03)
    assert health.ttft_s_p95 == pytest.approx(9.0, rel=0.03)
    assert health.tpot_s == pytest.approx(0.02, rel=0.03)

    clock.advance(40.0)
    assert standing.health() == FRESH


def test_standing_takes_new_limits(standing: Standing) -> None:
    """A reload changes the rules and forgets nothing but a window of another length."""
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 50.0)

    standing.limit(Reliability(window_s=60.0))

    assert standing.health().requests == 0
    assert standing.cooling


@pytest.mark.parametrize(
    ("retry_after_s", "failures", "wait_s"),
    [(None, 0, 0.0), (7.0, 0, 7.0), (7.0, 3, 7.0), (None, 3, LIMITS.breaker_open_s)],
)
def test_standing_waits_for_a_cooldown_before_a_breaker(
    standing: Standing, retry_after_s: float | None, failures: int, wait_s: float
) -> None:
    """Only a cooldown keeps a request away that nobody else can serve."""
    for _ in range(failures):
        standing.failed(Permit.NORMAL, Failure.BROKEN)
    if retry_after_s is not None:
        standing.failed(Permit.NORMAL, Failure.THROTTLED, retry_after_s)

    assert standing.wait_s == pytest.approx(wait_s)


def test_standing_warns_of_trouble(
    standing: Standing, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What operators must know is said once, by name, and when it is over."""
    for _ in range(5):
        standing.failed(Permit.NORMAL, Failure.DENIED)
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 0.0)
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 2.0)
    standing.failed(Permit.NORMAL, Failure.THROTTLED, 2.0)
    clock.advance(LIMITS.breaker_open_s)
    standing.answering(Permit.PROBE if standing.admit() is Permit.PROBE else Permit.NORMAL)
    standing.succeeded(Permit.NORMAL)

    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4
    said = caplog.messages
    assert all(message.startswith("a/1 ") for message in said)
    assert [
        word in message
        for word, message in zip(("rejects", "open", "2 s", "closed"), said, strict=True)
    ] == [True] * 4


def test_standing_does_not_warn_of_what_is_usual(
    standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    """Refusals, single failures and answers are no news."""
    standing.failed(Permit.NORMAL, Failure.REFUSED)
    standing.failed(Permit.NORMAL, Failure.BROKEN)
    standing.succeeded(Permit.NORMAL)
    standing.abandoned(Permit.NORMAL)

    assert caplog.messages == []
