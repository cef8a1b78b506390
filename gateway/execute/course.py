"""Which deployment comes next: the ranking of one request against how everything stands now."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from gateway.core.decision import Decision
from gateway.core.errors import UpstreamThrottled, UpstreamUnavailable
from gateway.core.fleet import Deployment
from gateway.core.outcome import Failure
from gateway.execute.breaker import Permit
from gateway.execute.credentials import KEYS_REST, ProviderKey, keys_refused, ordered
from gateway.execute.failures import Failed
from gateway.execute.standing import Standing
from gateway.execute.upstreams import Upstreams


class Chosen(msgspec.Struct, frozen=True):
    """
    An attempt may begin; *permit* goes back to *standing* with its result. *deployment* is as the
    tenant's own *key* reaches it, None: as the operator configured it.
    """

    deployment: Deployment
    standing: Standing
    permit: Permit
    key: ProviderKey | None = None

    @property
    def key_id(self) -> str:
        """As an attempt tells it."""
        return "" if self.key is None else self.key.id


class Course:
    """
    The mutable state: who of the ranking is *left*, in order, and the keys of *tenant* that have
    failed this request, by id. Nobody is removed for being unavailable: a breaker may close while
    another attempt runs.
    """

    def __init__(self, decision: Decision, upstreams: Upstreams, tenant: str) -> None:
        self._tenant = tenant
        self._failed: set[str] = set()
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
            UpstreamUnavailable: a reload has removed them all, or the tenant's keys are refused.
        """
        if not self.left:
            raise UpstreamUnavailable("No deployment of this decision is configured any more.")
        chosen = self.next(self.left)
        if chosen is not None:
            return chosen
        for deployment in sorted(self.left, key=self._recovery_s):
            chosen = self._choose(deployment, last_resort=True)
            if chosen is not None:
                return chosen
        if not any(map(self._keys, self.left)):
            if denied := self._denied():
                raise keys_refused(denied)
            raise UpstreamThrottled(KEYS_REST, retry_after_s=self.recovery_s())
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
        After a refusal only those whose second opinion is worth asking.
        """
        if failed.failure is Failure.REFUSED:
            return self.second_opinions(chosen.deployment, failed)
        if failed.failure is Failure.THROTTLED:
            return self.left
        return sorted(self.left, key=lambda one: one.provider == chosen.deployment.provider)

    def again(self, chosen: Chosen) -> Chosen | None:
        """The same deployment once more, unless its breaker has opened."""
        permit = chosen.standing.admit()
        return None if permit is None else msgspec.structs.replace(chosen, permit=permit)

    def failed(self, chosen: Chosen, failed: Failed) -> None:
        """
        Ask with the key of *chosen* no more, where it or its own endpoint was at fault. A key that
        was refused is what the client is told of, if nobody answers.
        """
        if chosen.key is None:
            return
        if failed.of_key and failed.failure is Failure.DENIED:
            said = f"HTTP {failed.status} {failed.words}".strip()
            failed.error = keys_refused([chosen.key], said)
        endpoint = chosen.key.guarded and failed.failure is not Failure.REFUSED
        if failed.of_key or endpoint:
            self._failed.add(chosen.key.id)

    def other_key(self, chosen: Chosen) -> bool:
        """Whether a key has failed, and the tenant has another for the same deployment."""
        if chosen.key is None or chosen.key.id not in self._failed:
            return False
        return self._available(self._place(chosen))

    def with_other_key(self, chosen: Chosen) -> Chosen | None:
        """The same deployment with another key of the tenant."""
        return self._admitted(self._place(chosen))

    def available(self) -> list[Deployment]:
        """Who is left and may be asked now."""
        return list(filter(self._available, self.left))

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
        return min(map(self._wait_s, self._ranked), default=None)

    def _wait_s(self, deployment: Deployment) -> float:
        upstreams = self._upstreams
        keys = upstreams.keys(self._tenant, deployment)
        if not keys:
            now_s = upstreams.clock.monotonic()
            return upstreams.credentials.wait_s(self._tenant, deployment.provider, now_s)
        return min(upstreams.standing(deployment, key).wait_s for key in keys)

    def _recovery_s(self, deployment: Deployment) -> float:
        standing = self._upstreams.standing
        keys = self._keys(deployment)
        return min((standing(deployment, key).recovery_s for key in keys), default=math.inf)

    def _available(self, deployment: Deployment) -> bool:
        standing = self._upstreams.standing
        return any(standing(deployment, key).available for key in self._keys(deployment))

    def _place(self, chosen: Chosen) -> Deployment:
        """The deployment of *chosen* as the operator configured it."""
        return next(one for one in self._ranked if one.id == chosen.deployment.id)

    def _keys(self, deployment: Deployment) -> Sequence[ProviderKey | None]:
        """What *deployment* may be asked with now."""
        keys = self._upstreams.keys(self._tenant, deployment)
        if not self._failed:
            return keys
        return [key for key in keys if key is None or key.id not in self._failed]

    def _denied(self) -> Sequence[ProviderKey]:
        """The tenant's keys, where each provider that is left has refused all that are for it."""
        now_s = self._upstreams.clock.monotonic()
        denied: list[ProviderKey] = []
        for provider in dict.fromkeys(one.provider for one in self.left):
            found = self._upstreams.credentials.denied(self._tenant, provider, now_s)
            if not found:
                return ()
            denied += found
        return denied

    def _choose(self, deployment: Deployment, *, last_resort: bool = False) -> Chosen | None:
        chosen = self._admitted(deployment, last_resort=last_resort)
        if chosen is not None:
            self.left.remove(deployment)
        return chosen

    def _admitted(self, deployment: Deployment, *, last_resort: bool = False) -> Chosen | None:
        """An attempt at *deployment* with the first key, in drawn order, that lets one begin."""
        upstreams = self._upstreams
        for key in ordered(self._keys(deployment), upstreams.random):
            standing = upstreams.standing(deployment, key)
            permit = standing.admit(last_resort=last_resort)
            if permit is not None:
                reached = deployment if key is None else key.reach(deployment)
                return Chosen(reached, standing, permit, key)
        return None
