"""What operators are told."""

from __future__ import annotations

import pytest

from gateway.execute.breaker import State
from gateway.execute.trouble import QUIET_S, Trouble


def test_trouble_is_quiet_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """Each kind is told at most once in QUIET_S, independently of the others."""
    trouble = Trouble("a/1")
    for now_s in (0.0, 1.0, QUIET_S - 0.1, QUIET_S):
        trouble.denied(now_s)
        trouble.cooling(now_s, 3.0)

    assert len(caplog.messages) == 4
    assert len(set(caplog.messages)) == 2


def test_trouble_of_a_breaker_that_flaps(caplog: pytest.LogCaptureFixture) -> None:
    """The last word is right in the end, however often the breaker moved meanwhile."""
    trouble = Trouble("a/1")
    for now_s in (0.0, 1.0, 2.0):
        trouble.breaker(now_s, State.OPEN, 5.0)
        trouble.breaker(now_s, State.HALF_OPEN, 0.0)
        trouble.breaker(now_s, State.CLOSED, 0.0)
    assert len(caplog.messages) == 2

    trouble.breaker(QUIET_S - 1.0, State.OPEN, 5.0)
    assert len(caplog.messages) == 2
    trouble.breaker(QUIET_S, State.OPEN, 5.0)
    assert caplog.messages[2] == caplog.messages[0]
