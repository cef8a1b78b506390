"""What is told of one request when it has ended, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.core.chat import Finish, Usage
from gateway.core.clock import Clock
from gateway.core.fleet import Deployment
from gateway.core.outcome import Attempt, Ending, Failure, Outcome
from gateway.ledger.usage_cost import billed_nano_usd

CLIENT_GONE_STATUS: Final = 499  # nginx's word for a client that left before there was an answer

Ended = Callable[[Outcome], None]


class Tally:
    """
    The mutable state: the attempts so far, and whether the outcome was told.

    All times are seconds of *clock*, *arrived_s* is where the request's own time begins.
    """

    def __init__(self, arrived_s: float, clock: Clock, ended: Ended) -> None:
        self.attempts: list[Attempt] = []
        self.clock = clock
        self._arrived_s = arrived_s
        self._ended = ended
        self._told = False

    def since_arrival(self, at_s: float) -> float:
        """Seconds from the arrival of the request to *at_s*."""
        return max(0.0, at_s - self._arrived_s)

    def attempted(
        self,
        deployment: Deployment,
        start_s: float,
        *,
        status: int | None,
        failure: Failure | None = None,
        ttft_s: float | None = None,
        message: str = "",
        key_id: str = "",
    ) -> None:
        """An attempt that began at *start_s* has ended now."""
        self.attempts.append(
            Attempt(
                deployment=deployment.id,
                start_s=self.since_arrival(start_s),
                duration_s=max(0.0, self.clock.monotonic() - start_s),
                status=status,
                failure=failure,
                ttft_s=ttft_s,
                message=message,
                key_id=key_id,
            )
        )

    def end(
        self,
        ending: Ending,
        *,
        status: int,
        deployment: Deployment | None = None,
        finish: Finish | None = None,
        usage: Usage | None = None,
        first_byte_s: float | None = None,
        error: str = "",
    ) -> None:
        """Tell the outcome; only the first time counts. *first_byte_s*: when the client got it."""
        if self._told:
            return
        self._told = True
        cost = 0
        if usage is not None and deployment is not None:
            cost = billed_nano_usd(usage, deployment.price)
        self._ended(
            Outcome(
                ending=ending,
                status=status,
                deployment=deployment.id if deployment is not None else "",
                attempts=tuple(self.attempts),
                finish=finish,
                usage=usage,
                cost_nano_usd=cost,
                ttft_s=None if first_byte_s is None else self.since_arrival(first_byte_s),
                duration_s=self.since_arrival(self.clock.monotonic()),
                error=error,
            )
        )
