"""Which deployment comes next: the ranking of one request against how everything stands now."""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision
from gateway.core.errors import UpstreamThrottled, UpstreamUnavailable
from gateway.core.fleet import Deployment
from gateway.core.outcome import Failure
from gateway.execute.breaker import Permit
from gateway.execute.failures import Failed
from gateway.execute.standing import Standing
from gateway.execute.upstreams import Upstreams


class Chosen(msgspec.Struct, frozen=True):
    """An attempt may begin; *permit* goes back to *standing* with its result."""

    deployment: Deployment
    standing: Standing
    permit: Permit


class Course:
    """
    The mutable state: who of the ranking is *left*, in order. Nobody is removed for being
    unavailable: a breaker may close while another attempt runs.
    """

    def __init__(self, decision: Decision, upstreams: Upstreams) -> None:
        self._decision = decision
        self._upstreams = upstreams
        found = map(upstreams.deployment, decision.ranking)
        self._ranked = tuple(place.serving(decision.model) for place in found if place is not None)
        self.left = list(self._ranked)

    def first(self) -> Chosen:
        """
        The best that is available. When none is, the one whose breaker opens soonest is probed,
        unless somebody does that already; a cooldown is always kept.

        Raises:
            UpstreamThrottled: nobody may be asked now; ``retry_after_s`` is the soonest recovery.
            UpstreamUnavailable: a reload has removed them all.
        """
        if not self.left:
            raise UpstreamUnavailable("No deployment of this decision is configured any more.")
        chosen = self.next(self.left)
        if chosen is not None:
            return chosen
        standing_of = self._upstreams.standing
        for deployment in sorted(self.left, key=lambda one: standing_of(one).recovery_s):
            chosen = self._choose(deployment, last_resort=True)
            if chosen is not None:
                return chosen
        raise UpstreamThrottled(
            f"All {len(self.left)} deployments that may serve this request are resting.",
            retry_after_s=self.recovery_s(),
        )

    def next(self, among: list[Deployment]) -> Chosen | None:
        """The first of *among*, some that are left, that is available; it is then not left."""
        for deployment in among:
            chosen = self._choose(deployment)
            if chosen is not None:
                return chosen
        return None

    def after(self, chosen: Chosen, failed: Failed) -> list[Deployment]:
        """
        Who is left, in the order to try. What failed at one provider, other than a limit of that
        very deployment, is likely to fail for its other models too, so other providers go first.
        """
        if failed.failure is Failure.THROTTLED:
            return self.left
        return sorted(self.left, key=lambda one: one.provider == chosen.deployment.provider)

    def again(self, chosen: Chosen) -> Chosen | None:
        """The same deployment once more, unless its breaker has opened."""
        permit = chosen.standing.admit()
        return None if permit is None else msgspec.structs.replace(chosen, permit=permit)

    def available(self) -> list[Deployment]:
        """Who is left and may be asked now."""
        return [one for one in self.left if self._upstreams.standing(one).available]

    def second_opinions(self, refused: Deployment, failed: Failed) -> list[Deployment]:
        """
        Who need not refuse what *refused* did: a larger context, when the prompt was too long, or
        the client's own model, when routing had replaced it.
        """
        own = self._decision.original_model
        if failed.too_long:
            return [d for d in self.available() if d.context_tokens > refused.context_tokens]
        if own is None or refused.model == own:
            return []
        return [one for one in self.available() if one.model == own]

    def recovery_s(self) -> float | None:
        """
        Seconds until the first of the whole ranking may be asked; None without any. Who keeps a
        cooldown is then asked, if only as a probe, also where its breaker is open for longer.
        """
        waits = [self._upstreams.standing(deployment).wait_s for deployment in self._ranked]
        return min(waits, default=None)

    def _choose(self, deployment: Deployment, *, last_resort: bool = False) -> Chosen | None:
        standing = self._upstreams.standing(deployment)
        permit = standing.admit(last_resort=last_resort)
        if permit is None:
            return None
        self.left.remove(deployment)
        return Chosen(deployment, standing, permit)
