"""What to do after a failure."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.outcome import Failure
from gateway.execute.next_step import Progress, Step, next_step

FRESH = Progress(
    retries_here=0,
    deployments_left=2,
    second_opinions=0,
    attempts_left=3,
    s_left=30.0,
    budget_left=True,
    first_byte_sent=False,
)


def after(failure: Failure, **changes: object) -> Step:
    return next_step(failure, msgspec.structs.replace(FRESH, **changes))


@pytest.mark.parametrize(
    ("failure", "step"),
    [
        (Failure.REFUSED, Step.GIVE_UP),
        (Failure.DENIED, Step.FAILOVER),
        (Failure.THROTTLED, Step.FAILOVER),
        (Failure.BROKEN, Step.FAILOVER),
        (Failure.LATE, Step.FAILOVER),
    ],
)
def test_next_step_of_a_first_failure(failure: Failure, step: Step) -> None:
    """With time, budget and candidates left, the kind of failure alone decides."""
    assert after(failure) is step


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize(
    "limit",
    [{"first_byte_sent": True}, {"budget_left": False}, {"s_left": 0.4}, {"attempts_left": 0}],
)
def test_next_step_respects_every_limit(failure: Failure, limit: dict[str, object]) -> None:
    """No failure is worth a second answer, a retry storm or a missed deadline."""
    assert after(failure, second_opinions=1, **limit) is Step.GIVE_UP


def test_next_step_retries_once_per_deployment() -> None:
    """The last deployment that is left gets a second chance when it breaks, and no third."""
    assert after(Failure.BROKEN, deployments_left=1) is Step.FAILOVER
    assert after(Failure.BROKEN, deployments_left=0) is Step.RETRY
    assert after(Failure.BROKEN, retries_here=1, deployments_left=0) is Step.GIVE_UP


def test_next_step_asks_for_a_second_opinion() -> None:
    """A refusal moves on only to a deployment that it need not hold for."""
    assert after(Failure.REFUSED, second_opinions=1) is Step.FAILOVER
    assert after(Failure.REFUSED, second_opinions=0, deployments_left=5) is Step.GIVE_UP


def test_next_step_asks_with_another_key_first() -> None:
    """The deployment that was decided on is not at fault, so the others wait; limits hold."""
    for failure in (Failure.DENIED, Failure.THROTTLED, Failure.BROKEN):
        assert after(failure, other_key=True) is Step.OTHER_KEY
    assert after(Failure.DENIED, other_key=True, attempts_left=0) is Step.GIVE_UP
    assert after(Failure.DENIED, other_key=True, budget_left=False) is Step.GIVE_UP
