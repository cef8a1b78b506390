"""What operators are told of a deployment in trouble, in the log and seldom."""

from __future__ import annotations

import logging
import math
from typing import Final

from gateway.execute.breaker import State

QUIET_S: Final = 60.0  # between two messages of one kind about one deployment

log = logging.getLogger("switchyard")


class Trouble:
    """
    Warns of one *deployment*: never more than once in QUIET_S of each kind, so that a storm of
    failures is a line. Only what was told to be bad is told to be good again.

    The mutable state: when each kind was told last, and whether the breaker is told to be open.
    """

    def __init__(self, deployment: str) -> None:
        self._deployment = deployment
        self._told_s: dict[str, float] = {}
        self.told_open = False

    def denied(self, now_s: float) -> None:
        """The upstream rejected our credentials, or does not let us have the model."""
        if self._due("denied", now_s):
            log.warning(
                "%s rejects us: check its key, what the account may do, and the name of the model.",
                self._deployment,
            )

    def cooling(self, now_s: float, wait_s: float) -> None:
        """A cooldown begins."""
        if self._due("cooling", now_s):
            log.warning("%s has asked us to stay away; we do for %.3g s.", self._deployment, wait_s)

    def breaker(self, now_s: float, state: State, pause_s: float) -> None:
        """The breaker is in *state*, if OPEN for another *pause_s*."""
        if state is State.CLOSED and self.told_open:
            self.told_open = False
            log.warning("%s answers again: its breaker has closed.", self._deployment)
        elif state is State.OPEN and not self.told_open and self._due("open", now_s):
            self.told_open = True
            log.warning(
                "%s keeps failing: its breaker is open, and a probe follows in %.3g s.",
                self._deployment,
                pause_s,
            )

    def _due(self, kind: str, now_s: float) -> bool:
        if now_s - self._told_s.get(kind, -math.inf) < QUIET_S:
            return False
        self._told_s[kind] = now_s
        return True
