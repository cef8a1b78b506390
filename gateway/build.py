"""Parts of a gateway, each made of its settings. Pure, but for what is loaded from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.cache.shared import Shared
from gateway.choosing import Routing
from gateway.config.fleet import build_fleet
from gateway.config.problem import ConfigErrors, Problem
from gateway.config.schema import ClassifierSettings
from gateway.config.settings import Settings
from gateway.core.clock import Clock
from gateway.core.health import Health
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.learn.matrix import NO_MATRIX, QualityMatrix
from gateway.learn.promises import promises
from gateway.scan.scanner import Engines, Scanner
from gateway.state.effective import effective
from gateway.state.facts import Facts, ProviderKeyFact
from models.options import Options


class Compiled(msgspec.Struct, frozen=True):
    """
    A configuration: as the file has it, *completed* by the facts, and what requests are served by.
    """

    settings: Settings
    completed: Settings
    routing: Routing
    scanner: Scanner | None


def compiled(
    settings: Settings,
    facts: Facts,
    environ: Mapping[str, str],
    engines: Engines | None,
    matrix: QualityMatrix,
) -> Compiled:
    """
    What requests are served by under *settings*, *facts* and what was learnt, while nobody's
    health is known.

    Raises:
        ConfigErrors: a content policy or an entry of the allow list is wrong.
    """
    config, fleet = effective(settings.config, facts), settings.fleet
    if brought := brought_providers(facts):
        fleet = build_fleet(settings.config, environ, brought=brought)
    completed = msgspec.structs.replace(settings, config=config, fleet=fleet)
    return Compiled(
        settings, completed, routing_of(completed, {}, matrix), scanner_of(completed, engines)
    )


def brought_providers(facts: Facts) -> tuple[str, ...]:
    """Those that some tenant has a key of its own for, in order."""
    keys: dict[str, ProviderKeyFact] = facts.of("provider_key")  # type: ignore[assignment]
    return tuple(sorted({key.provider for key in keys.values() if not key.disabled}))


def decisive(facts: Facts) -> tuple[object, ...]:
    """What of *facts* anything is compiled of; other changes need no new policies."""
    kinds = ("project", "rules", "content_policy")
    return *(facts.of(kind) for kind in kinds), brought_providers(facts)


def connection_limits(settings: Settings) -> dict[str, int]:
    """Most connections by base URL, where the operator set one."""
    providers = settings.config.providers
    return {
        deployment.base_url: limit
        for deployment in settings.fleet.deployments
        if not deployment.simulated and deployment.provider in providers
        for limit in (providers[deployment.provider].connections_max,)
        if limit is not None
    }


def shared_cache(settings: Settings, clock: Clock) -> Shared | None:
    """
    Where replicas share answers; None where they share none.

    Raises:
        Unavailable: the client library of Redis is not installed, or the URL is none.
    """
    url, cache = settings.state.redis_url, settings.config.cache
    return Shared(url, clock) if url and cache.enabled and cache.shared else None


def classifier_options(settings: ClassifierSettings) -> Options:
    """What the classifier is run with."""
    return Options(
        enabled=settings.enabled,
        deadline_s=settings.deadline_ms / 1e3,
        threads=settings.threads,
        queue_entries_max=settings.queue_entries_max,
        queue_bytes_max=settings.queue_bytes_max,
        memory_bytes_max=settings.memory_bytes_max,
        socket=None if settings.socket is None else Path(settings.socket),
    )


def scanner_of(settings: Settings, engines: Engines | None) -> Scanner | None:
    """
    The scanner under *settings*, None where nothing is to be scanned.

    Raises:
        ConfigErrors: a content policy or an entry of the allow list is wrong.
    """
    config = settings.config
    if not config.scan.enabled or engines is None:
        return None
    projects = {name: project.scan for name, project in config.projects.items()}
    try:
        return Scanner(engines, config.scan, projects)
    except ValueError as error:
        raise ConfigErrors([Problem("$.scan", str(error))]) from None


def routing_of(
    settings: Settings, health: Mapping[str, Health], matrix: QualityMatrix = NO_MATRIX
) -> Routing:
    """What decisions read under *settings* while the fleet is in *health*; *matrix* was learnt."""
    learnt = promises(matrix, settings.config.routing, settings.fleet)
    policies = compile_policies(settings.config, settings.fleet, learnt)
    return Routing(policies, fleet_view(settings.fleet, health))
