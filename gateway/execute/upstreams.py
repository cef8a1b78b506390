"""Everything that outlives one request: the fleet, how to reach it, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gateway.config.schema import Reliability, Server
from gateway.core.clock import Clock
from gateway.core.fleet import Deployment, Fleet
from gateway.core.health import Health
from gateway.core.transport import Transport
from gateway.execute.retry_budget import RetryBudget
from gateway.execute.standing import Standing


class Upstreams:
    """
    Shared by all requests of one event loop. *real* and *simulated* reach deployments of either
    kind. *random* gives 0 to 1 and jitters pauses. *answer_model*: whether replies name the model
    that ``served`` or the one that was ``asked`` for.

    The mutable state: the fleet, the standing of each deployment by id, the retry budget.
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
    ) -> None:
        self.clock = clock
        self.random = random
        self.server = server
        self.show_asked = answer_model == "asked"
        self.standings: dict[str, Standing] = {}
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
        for standing in self.standings.values():
            standing.limit(reliability)

    def deployment(self, deployment_id: str) -> Deployment | None:
        """None for one that a reload has removed since the decision."""
        return self._deployments.get(deployment_id)

    def standing(self, deployment: Deployment) -> Standing:
        """How *deployment* stands; one that a reload has removed is judged afresh."""
        standing = self.standings.get(deployment.id)
        return standing or Standing(self.reliability, self.clock, deployment.id)

    def transport(self, deployment: Deployment) -> Transport:
        """How to reach *deployment*."""
        return self._transports[deployment.simulated]

    def health(self) -> dict[str, Health]:
        """Health of every deployment by id, as decisions see it."""
        return {id_: standing.health() for id_, standing in self.standings.items()}
