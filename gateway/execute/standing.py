"""How one deployment stands: its breaker, its cooldown and what happened lately."""

from __future__ import annotations

from gateway.config.schema import Reliability
from gateway.core.clock import Clock
from gateway.core.health import Health
from gateway.core.outcome import Failure
from gateway.execute.breaker import Breaker, Permit, State
from gateway.execute.trouble import Trouble
from gateway.execute.window import Counts, Window, percentile

COOLDOWN = "cooldown"


class Standing:
    """
    Everything we know about the health of one deployment. Every attempt begins with ``admit`` and
    ends with exactly one of ``succeeded``, ``failed`` and ``abandoned``.

    A cooldown is the upstream's word, the breaker is our conclusion; either keeps attempts away.
    *name* is what the log calls the deployment.
    """

    def __init__(self, limits: Reliability, clock: Clock, name: str) -> None:
        self._limits = limits
        self._clock = clock
        self._breaker = Breaker(limits)
        self._window = Window(limits.window_s)
        self._trouble = Trouble(name)
        self._cool_until_s = 0.0

    def limit(self, limits: Reliability) -> None:
        """Go on under other limits. A window of another length begins empty."""
        if limits.window_s != self._limits.window_s:
            self._window = Window(limits.window_s)
        self._limits = limits
        self._breaker.limit(limits)

    @property
    def cooling(self) -> bool:
        """The upstream has asked us to stay away."""
        return self._clock.monotonic() < self._cool_until_s

    @property
    def available(self) -> bool:
        """An attempt may begin now."""
        return not self.cooling and self._breaker.may_admit(self._clock.monotonic())

    @property
    def recovery_s(self) -> float:
        """Seconds until an attempt may begin, as far as we know."""
        now_s = self._clock.monotonic()
        return max(self._cool_until_s - now_s, self._breaker.recovery_s(now_s), 0.0)

    @property
    def wait_s(self) -> float:
        """
        Seconds that a request which nobody else can serve has to wait: the cooldown, which is
        always kept; without one the pause of the breaker, though that may be cut short.
        """
        now_s = self._clock.monotonic()
        cool_s = self._cool_until_s - now_s
        return cool_s if cool_s > 0 else self._breaker.recovery_s(now_s)

    def admit(self, *, last_resort: bool = False) -> Permit | None:
        """Let an attempt begin, or not; a cooldown is kept even as the last resort."""
        if self.cooling:
            return None
        return self._breaker.admit(self._clock.monotonic(), last_resort=last_resort)

    def answering(self, permit: Permit) -> None:
        """
        A stream has begun. It may last for minutes, so a probe has succeeded now; how the stream
        ends is told all the same, under a normal permit.
        """
        if permit is Permit.PROBE:
            now_s = self._clock.monotonic()
            self._breaker.succeeded(permit, now_s)
            self._tell(now_s)

    def succeeded(
        self, permit: Permit, *, ttft_s: float | None = None, tpot_s: float | None = None
    ) -> None:
        """An attempt came to its end."""
        now_s = self._clock.monotonic()
        self._window.add(now_s, ttft_s=ttft_s, tpot_s=tpot_s)
        self._breaker.succeeded(permit, now_s)
        self._tell(now_s)

    def failed(self, permit: Permit, failure: Failure, retry_after_s: float | None = None) -> None:
        """
        An attempt failed. REFUSED is the client's fault and tells that the upstream is alive, no
        more. THROTTLED begins a cooldown of *retry_after_s*, bounded, and leaves the breaker be.
        """
        now_s = self._clock.monotonic()
        if failure is Failure.REFUSED:
            self._breaker.succeeded(permit, now_s)
            self._tell(now_s)
        elif failure is Failure.THROTTLED:
            self._window.add(now_s, throttled=True)
            self._breaker.abandoned(permit)
            wait_s = self._limits.cooldown_s if retry_after_s is None else retry_after_s
            wait_s = min(max(wait_s, 0.0), self._limits.cooldown_s_max)
            if wait_s > 0 and not self.cooling:
                self._trouble.cooling(now_s, wait_s)
            self._cool_until_s = max(self._cool_until_s, now_s + wait_s)
        else:
            self._window.add(now_s, error=True)
            total = self._window.total(now_s)
            share = total.errors / total.requests
            self._breaker.failed(permit, now_s, share, total.requests)
            if failure is Failure.DENIED:
                self._trouble.denied(now_s)
            self._tell(now_s)

    def abandoned(self, permit: Permit) -> None:
        """An attempt ended without telling anything: its client left, or the fault was ours."""
        self._breaker.abandoned(permit)

    def _tell(self, now_s: float) -> None:
        breaker = self._breaker
        if breaker.state is not State.CLOSED or self._trouble.told_open:
            self._trouble.breaker(now_s, breaker.state, breaker.recovery_s(now_s))

    def counts(self) -> Counts:
        """What happened lately; to be read only."""
        return self._window.total(self._clock.monotonic())

    def health(self) -> Health:
        """As a decision sees it."""
        total = self.counts()
        state = COOLDOWN if self.cooling else self._breaker.state.value
        if state == State.OPEN.value and self._breaker.may_admit(self._clock.monotonic()):
            state = State.HALF_OPEN.value  # the pause is over, nobody has probed yet
        return Health(
            available=self.available,
            state=state,
            requests=total.requests,
            error_share=total.error_share,
            ttft_s_p50=percentile(total.ttft, 0.5),
            ttft_s_p95=percentile(total.ttft, 0.95),
            tpot_s=percentile(total.tpot, 0.5),
        )
