"""Everything that outlives one request: the fleet, how to reach it, and how it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, NoReturn

from gateway.config.schema import Reliability, Server
from gateway.core.clock import Clock
from gateway.core.fleet import Deployment, Fleet
from gateway.core.health import Health
from gateway.core.transport import Transport, TransportError
from gateway.execute.credentials import Credentials, ProviderKey
from gateway.execute.retry_budget import RetryBudget
from gateway.execute.standing import Standing

ENDPOINTS_MAX: Final = 4096  # of tenants, times the models asked there, whose standing we know
OPERATOR: Final = (None,)  # with the key of the deployment itself


class Upstreams:
    """
    Shared by all requests of one event loop. *real* and *simulated* reach deployments of either
    kind, *guarded* the endpoints that tenants name. *random* gives 0 to below 1: it jitters pauses
    and draws keys. *answer_model*: whether replies name the model that ``served`` or the one that
    was ``asked`` for.

    The mutable state: the fleet, the standing of each deployment by id, and of each endpoint of a
    tenant, the keys of tenants, the retry budget.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        real: Transport,
        simulated: Transport,
        reliability: Reliability,
        server: Server,
        answer_model: Literal["served", "asked"] = "served",
        clock: Clock,
        random: Callable[[], float],
        credentials: Credentials | None = None,
        guarded: Transport | None = None,
    ) -> None:
        self.clock = clock
        self.random = random
        self.server = server
        self.show_asked = answer_model == "asked"
        self.standings: dict[str, Standing] = {}
        self.credentials = credentials or Credentials()
        self._endpoints: dict[tuple[str, str | None, str], Standing] = {}
        self._guarded = guarded or Nowhere()
        self._transports = {False: real, True: simulated}
        self.use(fleet, reliability)

    def use(self, fleet: Fleet, reliability: Reliability) -> None:
        """
        Go on with another configuration. A deployment whose id stays keeps its standing; requests
        that have begun end with what they began with.
        """
        self.fleet = fleet
        self.reliability = reliability
        self.budget = RetryBudget(reliability.retry_share, reliability.retry_floor_per_s)
        everywhere = (*fleet.deployments, *fleet.unlisted)
        self._deployments = {deployment.id: deployment for deployment in everywhere}
        kept = {id_: self.standings.get(id_) for id_ in self._deployments}
        self.standings = {
            id_: standing or Standing(reliability, self.clock, id_)
            for id_, standing in kept.items()
        }
        for standing in (*self.standings.values(), *self._endpoints.values()):
            standing.limit(reliability)

    def deployment(self, deployment_id: str) -> Deployment | None:
        """None for one that a reload has removed since the decision."""
        return self._deployments.get(deployment_id)

    def keys(self, tenant: str, deployment: Deployment) -> Sequence[ProviderKey | None]:
        """
        What *tenant* may ask *deployment* with now: None is the operator's key, which serves those
        tenants that have none of their own for this provider.
        """
        if deployment.simulated or not self.credentials.has(tenant, deployment.provider):
            return () if deployment.brought else OPERATOR
        return self.credentials.ready(tenant, deployment.provider, self.clock.monotonic())

    def standing(self, deployment: Deployment, key: ProviderKey | None = None) -> Standing:
        """
        How *deployment* stands when it is asked with *key*: an endpoint of a tenant stands for
        itself, so that its failures keep nobody else away. One that a reload has removed is judged
        afresh.
        """
        if key is not None and key.guarded:
            return self._endpoint(key, deployment.id)
        standing = self.standings.get(deployment.id)
        return standing or Standing(self.reliability, self.clock, deployment.id)

    def transport(self, deployment: Deployment, key: ProviderKey | None = None) -> Transport:
        """How to reach *deployment* with *key*."""
        if key is not None and key.guarded:
            return self._guarded
        return self._transports[deployment.simulated]

    def health(self) -> dict[str, Health]:
        """Health of every deployment by id, as decisions see it."""
        return {id_: standing.health() for id_, standing in self.standings.items()}

    def _endpoint(self, key: ProviderKey, deployment_id: str) -> Standing:
        place = (key.tenant, key.base_url, deployment_id)
        standing = self._endpoints.get(place)
        if standing is None:
            if len(self._endpoints) >= ENDPOINTS_MAX:
                del self._endpoints[next(iter(self._endpoints))]  # the oldest
            name = f"{deployment_id} of tenant {key.tenant}"
            standing = self._endpoints[place] = Standing(self.reliability, self.clock, name)
        return standing


class Nowhere:
    """A ``Transport`` that reaches nothing: where no endpoints of tenants are let in."""

    async def send(self, *_: object, **__: object) -> NoReturn:
        """Raises TransportError."""
        raise TransportError("connect", "Endpoints of tenants are not reached from here.")
