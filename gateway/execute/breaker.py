"""
A breaker per deployment: stay away from what fails, and look again one attempt at a time.

The rules are the table TRANSITIONS; an event that is not in it for a state changes nothing. That is
what happens to attempts which began before the breaker opened and end while it is open: their
news is old.
"""

from __future__ import annotations

import enum
from typing import Final

from gateway.config.schema import Reliability


class State(enum.StrEnum):
    """Whether attempts are let through."""

    CLOSED = "closed"  # all
    OPEN = "open"  # none
    HALF_OPEN = "half_open"  # one at a time, the probe


class Event(enum.StrEnum):
    """What happened."""

    TRIPPED = "tripped"  # too many failures, in a row or as a share
    PROBE = "probe"  # the pause is over, or nothing else is left: one attempt begins
    PROBE_SUCCEEDED = "probe_succeeded"
    PROBE_FAILED = "probe_failed"


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.CLOSED, Event.TRIPPED): State.OPEN,
    (State.OPEN, Event.PROBE): State.HALF_OPEN,
    (State.HALF_OPEN, Event.PROBE): State.HALF_OPEN,  # the last probe was given up unanswered
    (State.HALF_OPEN, Event.PROBE_SUCCEEDED): State.CLOSED,
    (State.HALF_OPEN, Event.PROBE_FAILED): State.OPEN,
}


class Permit(enum.Enum):
    """An attempt may begin; hand it back with the result."""

    NORMAL = "normal"
    PROBE = "probe"


class Breaker:
    """
    The mutable state: *state*, failures in a row, when the pause ends and how long the next one is,
    and whether a probe is out.
    """

    def __init__(self, limits: Reliability) -> None:
        self._limits = limits
        self.state = State.CLOSED
        self._in_a_row = 0
        self._open_until_s = 0.0
        self._pause_s = limits.breaker_open_s
        self._probing = False

    def __repr__(self) -> str:
        return f"<Breaker {self.state}, {self._in_a_row} failures in a row>"

    def limit(self, limits: Reliability) -> None:
        """Go on under other limits."""
        self._limits = limits

    def may_admit(self, now_s: float) -> bool:
        """Whether ``admit`` would say yes."""
        if self.state is State.CLOSED:
            return True
        return not self._probing and now_s >= self._open_until_s

    def recovery_s(self, now_s: float) -> float:
        """Seconds until ``admit`` may say yes again; 0 where only a probe is waited for."""
        return 0.0 if self.state is State.CLOSED else max(0.0, self._open_until_s - now_s)

    def admit(self, now_s: float, *, last_resort: bool = False) -> Permit | None:
        """
        Let an attempt begin, or not. *last_resort*: nothing else is left, so the pause is cut
        short; still one probe at a time, and what it finds counts as ever.
        """
        if self.state is State.CLOSED:
            return Permit.NORMAL
        if self._probing or (now_s < self._open_until_s and not last_resort):
            return None
        self._move(Event.PROBE, now_s)
        return Permit.PROBE

    def succeeded(self, permit: Permit, now_s: float) -> None:
        """An attempt got an answer, if only a refusal."""
        if permit is Permit.PROBE:
            self._move(Event.PROBE_SUCCEEDED, now_s)
        self._in_a_row = 0

    def failed(self, permit: Permit, now_s: float, error_share: float, requests: int) -> None:
        """An attempt failed; *error_share* and *requests* are of the window, this one included."""
        self._in_a_row += 1
        if permit is Permit.PROBE:
            self._move(Event.PROBE_FAILED, now_s)
            return
        limits = self._limits
        if self._in_a_row >= limits.breaker_failures or (
            requests >= limits.breaker_requests_min and error_share >= limits.breaker_error_share
        ):
            self._move(Event.TRIPPED, now_s)

    def abandoned(self, permit: Permit) -> None:
        """An attempt ended without telling anything of the deployment."""
        if permit is Permit.PROBE:
            self._probing = False

    def _move(self, event: Event, now_s: float) -> None:
        """The only place that changes *state*."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return
        self.state = after
        self._probing = event is Event.PROBE
        if after is State.OPEN:
            self._open_until_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, self._limits.breaker_open_s_max)
        elif after is State.CLOSED:
            self._pause_s = self._limits.breaker_open_s
