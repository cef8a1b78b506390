"""Compile configuration and fleet into what a decision reads, once per reload."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
import numpy as np

from gateway.config.schema import (
    CLASS_QUALITY,
    MODE_ALIASES,
    MODES,
    Condition,
    Config,
    Mode,
    Policy,
    Project,
    Routing,
    Rule,
    Target,
)
from gateway.core.fleet import Deployment, Fleet, Price, Reference
from gateway.core.money import nano_usd
from gateway.core.request import RouteAction
from gateway.decide.fleet_view import (
    FleetRows,
    Floats,
    Ints,
    fleet_rows,
    frozen,
    price_row,
    table,
)
from gateway.decide.labels import plain
from gateway.decide.lack import Lack
from gateway.decide.priors import TASK_INDEX, TIER_INDEX
from kernels.cost import PRICE_COLUMNS
from models.scores import TASK_TYPES, TIERS

UNLIMITED_NANO_USD = 10**15  # a million dollars: no request costs that much

# What answers turned out to be worth, 0 to 1, by model, task type and tier.
Learnt = Mapping[tuple[str, str, str], float]
NOTHING_LEARNT: Learnt = {}


class PolicyRule(msgspec.Struct, frozen=True, eq=False):
    """
    A rule with its target resolved. *rows* are the deployments it may send to, None: any.
    *keyless*: it asks for a provider with a key and no deployment of the target has one.
    """

    id: str
    reason: str
    when: Condition  # its names and labels in lower case
    then: Target
    rows: Ints | None
    keyless: bool


class Baseline(msgspec.Struct, frozen=True, eq=False):
    """
    What costs are compared with where no model was named; *prices* is *price* as the cost kernel
    reads it.
    """

    model: str
    price: Price
    prices: Ints  # [1, PRICE_COLUMNS]
    tokens_out_max: Ints  # [1]


class RoutingPolicy(msgspec.Struct, frozen=True, eq=False):
    """
    What one project's requests are decided by; immutable, and only for the fleet it was compiled
    with. *version* is a hash of everything that a decision may depend on.
    """

    version: str
    fleet_version: str
    action: RouteAction  # for requests that name a real model
    mode: str  # of requests that ask for none
    modes: dict[str, Mode]
    mode_names: dict[str, str]  # every name of a mode in lower case, aliases too -> its key
    virtual: dict[str, str]  # virtual model in lower case -> key of a mode
    rules: tuple[PolicyRule, ...]  # first match wins
    forced: dict[str, str]  # task type -> model
    lacks: Ints  # bits of Lack that the policy alone sets
    cost_max_nano_usd: int
    quality_min: float
    quality: Floats  # [task type, tier, row], expected, 0 to 1
    uncertain: str  # keep, complexity
    high_tier: str  # own, premium
    baseline: Baseline | None
    fee_rate: float
    unlisted: dict[str, Deployment]  # provider in lower case -> its place for unknown models
    labels: frozenset[str]  # that any rule knows, as conditions compare them


class Policies(msgspec.Struct, frozen=True, eq=False):
    """The policy of every project."""

    default: RoutingPolicy
    projects: dict[str, RoutingPolicy]
    version: str

    def for_project(self, name: str) -> RoutingPolicy:
        """The policy of *name*; a project that the configuration does not mention has defaults."""
        return self.projects.get(name, self.default)


def compile_policies(config: Config, fleet: Fleet, learnt: Learnt = NOTHING_LEARNT) -> Policies:
    """
    Compile one policy per project. *config* has been checked: names that stand for nothing in
    the fleet are ignored where they forbid, and never match where they are a target.
    """
    rows = fleet_rows(fleet)
    quality = quality_table(config.routing, rows, learnt)
    default = compile_policy(config, Project(), rows, quality)
    projects = {
        name: compile_policy(config, project, rows, quality)
        for name, project in config.projects.items()
    }
    versions = [default.version, *(projects[name].version for name in sorted(projects))]
    return Policies(default=default, projects=projects, version=digest("".join(versions).encode()))


def compile_policy(
    config: Config, project: Project, rows: FleetRows, quality: Floats
) -> RoutingPolicy:
    """The policy of one project: its own limits on top of the common ones."""
    routing = config.routing
    modes = {**MODES, **routing.modes}
    mode_names = {
        **{alias: mode for alias, mode in MODE_ALIASES.items() if mode in modes},
        **{name.lower(): name for name in modes},
    }
    mode = mode_names.get((project.mode or routing.mode).lower(), "balanced")
    rules = (*by_priority(project.rules), *by_priority(config.rules))
    both = (config.policy, project.policy)
    return RoutingPolicy(
        version=digest(
            msgspec.json.encode((routing, modes, rules, both, project.action, project.mode)),
            quality.tobytes(),
            rows.fleet.version.encode(),
        ),
        fleet_version=rows.fleet.version,
        action=routing.action if project.action is None else project.action,
        mode=mode,
        modes=modes,
        mode_names=mode_names,
        virtual=virtual_modes(
            routing.virtual_models, mode_names, mode, own_mode=project.mode is not None
        ),
        rules=tuple(compile_rule(rule, rows) for rule in rules),
        forced={
            TASK_NAMES.get(task.lower(), task): model
            for policy in both
            for task, model in policy.forced_models.items()
        },
        lacks=frozen(policy_lacks(both[0], rows) | policy_lacks(both[1], rows)),
        cost_max_nano_usd=min(cost_limit(policy) for policy in both),
        quality_min=max(policy.quality_min or 0.0 for policy in both),
        quality=quality,
        uncertain=routing.uncertain,
        high_tier=routing.high_tier,
        baseline=compile_baseline(rows.fleet.references.get(routing.baseline_model)),
        fee_rate=routing.fee_rate,
        unlisted=unlisted_places(both, rows.fleet),
        labels=frozenset(plain(label) for rule in rules for label in rule.when.labels),
    )


TASK_NAMES = {task.lower(): task for task in TASK_TYPES}


def digest(*parts: bytes) -> str:
    """Version of *parts*, in order: 16 hexadecimal digits."""
    found = hashlib.blake2b(digest_size=8)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def compile_baseline(reference: Reference | None) -> Baseline | None:
    """*reference* as a table of one row."""
    if reference is None:
        return None
    return Baseline(
        model=reference.model,
        price=reference.price,
        prices=table([price_row(reference.price)], PRICE_COLUMNS),
        tokens_out_max=frozen(np.array([reference.output_tokens_max], np.int64)),
    )


def by_priority(rules: tuple[Rule, ...]) -> list[Rule]:
    """Falling priority, then file order."""
    return sorted(rules, key=lambda rule: -rule.priority)


def cost_limit(policy: Policy) -> int:
    """Most that one request may cost, nano-USD."""
    return UNLIMITED_NANO_USD if policy.cost_usd_max is None else nano_usd(policy.cost_usd_max)


def virtual_modes(
    virtual_models: dict[str, str], mode_names: dict[str, str], mode: str, *, own_mode: bool
) -> dict[str, str]:
    """
    The mode of each virtual model. One that is called like a mode (``eco``) asks for just that; any
    other (``auto``) leaves it to us, so *mode* comes first where the project has its own.
    """
    found = {}
    for name, chosen in virtual_models.items():
        preset = name.lower() in mode_names and name.lower() != "auto"
        found[name.lower()] = (
            mode if own_mode and not preset else mode_names.get(chosen.lower(), mode)
        )
    return found


def policy_lacks(policy: Policy, rows: FleetRows) -> Ints:
    """int64[n]: bits of Lack that *policy* sets whatever the request."""
    lacks = np.zeros(rows.everyone.size, np.int64)
    lacks[rows.rows_of(policy.denied_models)] |= Lack.DENIED
    if policy.allowed_models:
        lacks[np.setdiff1d(rows.everyone, rows.rows_of(policy.allowed_models))] |= Lack.NOT_ALLOWED
    denied_providers = {name.lower() for name in policy.denied_providers}
    for row, deployment in enumerate(rows.fleet.deployments):
        if deployment.provider.lower() in denied_providers:
            lacks[row] |= Lack.DENIED
    return lacks | region_lacks(policy.regions, rows)


def region_lacks(regions: tuple[str, ...], rows: FleetRows) -> Ints:
    """
    int64[n]: Lack.REGION outside *regions*, none when that is empty. ``eu`` holds ``eu`` and
    ``eu-west-1``; a deployment whose region is not known is in none.
    """
    lacks = np.zeros(rows.everyone.size, np.int64)
    for row, deployment in enumerate(rows.fleet.deployments if regions else ()):
        if not in_region(deployment, regions):
            lacks[row] = Lack.REGION
    return lacks


def in_region(deployment: Deployment, regions: tuple[str, ...]) -> bool:
    """Whether *deployment* is in one of *regions*; every place is where these are empty."""
    here = deployment.region.lower()
    allowed = [region.lower() for region in regions]
    return not allowed or any(here == region or here.startswith(f"{region}-") for region in allowed)


def unlisted_places(policies: tuple[Policy, ...], fleet: Fleet) -> dict[str, Deployment]:
    """
    The places for models that the catalogue does not know, by provider in lower case. None where
    models are allowed or denied by name, or cost is limited: what is unknown could be anything.
    """
    if any(
        one.allowed_models or one.denied_models or one.cost_usd_max is not None for one in policies
    ):
        return {}
    denied = {name.lower() for one in policies for name in one.denied_providers}
    return {
        place.provider.lower(): place
        for place in fleet.unlisted
        if place.provider.lower() not in denied
        and all(in_region(place, one.regions) for one in policies)
    }


def quality_table(routing: Routing, rows: FleetRows, learnt: Learnt = NOTHING_LEARNT) -> Floats:
    """
    float64[task type, tier, row]: what a deployment promises. The prior of its model's class, then
    what was *learnt*, then the operator's overrides in order; the last one wins.
    """
    table = np.empty((len(TASK_TYPES), len(TIERS), rows.everyone.size), np.float64)
    priors = {**CLASS_QUALITY, **routing.class_quality}
    for row, deployment in enumerate(rows.fleet.deployments):
        prior = priors[deployment.model_class]
        table[:, :, row] = (prior.low, prior.medium, prior.high)
    for (model, task_type, of_tier), worth in learnt.items():
        table[TASK_INDEX[task_type], TIER_INDEX[of_tier], rows.rows_of([model])] = worth
    for override in routing.quality:
        tasks = range(len(TASK_TYPES))
        if override.task_type is not None:
            task = TASK_INDEX[TASK_NAMES[override.task_type.lower()]]
            tasks = range(task, task + 1)
        some = rows.rows_of([override.model])
        for tier, value in enumerate((override.low, override.medium, override.high)):
            if value is not None:
                for task in tasks:
                    table[task, tier, some] = value
    return frozen(table)


def compile_rule(rule: Rule, rows: FleetRows) -> PolicyRule:
    """Resolve the target of *rule*, and put what its condition compares into lower case."""
    some = target_rows(rule.then, rows)
    keyless = False
    if rule.then.own_key:
        deployments = rows.fleet.deployments
        asked = rows.everyone if some is None else some
        some = frozen(
            np.array(
                [
                    k
                    for k in asked
                    if deployments[k].api_key or deployments[k].simulated or deployments[k].brought
                ],
                np.int64,
            )
        )
        keyless = some.size == 0
    when = msgspec.structs.replace(
        rule.when,
        task_types=tuple(name.lower() for name in rule.when.task_types),
        labels=tuple(plain(label) for label in rule.when.labels),
        models=tuple(name.lower() for name in rule.when.models),
        languages=tuple(language.lower() for language in rule.when.languages),
    )
    return PolicyRule(
        id=rule.id, reason=rule.reason, when=when, then=rule.then, rows=some, keyless=keyless
    )


def target_rows(target: Target, rows: FleetRows) -> Ints | None:
    """The deployments that *target* names by model, by provider or by both; None: it names none."""
    if target.model is not None:
        named = rows.find(target.model, target.provider)
        return frozen(np.empty(0, np.int64)) if named is None else named.rows
    if target.provider is not None:
        deployments = rows.fleet.deployments
        provider = target.provider.lower()
        here = [k for k, d in enumerate(deployments) if d.provider.lower() == provider]
        return frozen(np.array(here, np.int64))
    return None
