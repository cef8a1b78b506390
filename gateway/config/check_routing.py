"""Modes, qualities, policies and projects of a configuration."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.known import Known
from gateway.config.problem import Problem, hint, unknown
from gateway.config.schema import CLASS_QUALITY, Config, Floors, Mode, Policy, Routing
from gateway.config.yaml_tree import child
from models.scores import TIERS


def routing_problems(config: Config, known: Known) -> Iterator[Problem]:
    """Problems of ``routing`` and of the common ``policy``."""
    routing = config.routing
    best = _best_quality(routing)
    yield from known.mode("$.routing.mode", routing.mode)
    yield from known.model("$.routing.baseline_model", routing.baseline_model)
    for name, mode in routing.virtual_models.items():
        path = child("$.routing.virtual_models", name)
        yield from known.mode(path, mode)
        if name.lower() in known.names:
            message = f"'{name}' is a name of {known.names[name.lower()]} already"
            yield Problem(path, message)
    for name, trade_off in routing.modes.items():
        yield from _mode(child("$.routing.modes", name), trade_off, best)
    yield from _quality(routing, known)
    yield from _policy("$.policy", config.policy, known, best)


def project_problems(config: Config, known: Known) -> Iterator[Problem]:
    """Problems of ``projects``, except for their rules."""
    best = _best_quality(config.routing)
    for name, project in config.projects.items():
        path = child("$.projects", name)
        if project.mode is not None:
            yield from known.mode(f"{path}.mode", project.mode)
        yield from _policy(f"{path}.policy", project.policy, known, best)


def learn_problems(config: Config) -> Iterator[Problem]:
    """Problems of ``learn``."""
    projects = {"default", *config.projects}
    for index, name in enumerate(config.learn.projects):
        if name not in projects:
            yield Problem(f"$.learn.projects[{index}]", unknown("project", name, projects))


def _best_quality(routing: Routing) -> Floors:
    """The highest quality that any model is believed to have, per tier."""
    classes = {**CLASS_QUALITY, **routing.class_quality}
    believed = [*classes.values(), *routing.quality]
    low, medium, high = (
        max(getattr(quality, tier) or 0.0 for quality in believed) for tier in TIERS
    )
    return Floors(low=low, medium=medium, high=high)


def _mode(path: str, mode: Mode, best: Floors) -> Iterator[Problem]:
    for tier in TIERS:
        floor, reached = getattr(mode.floors, tier), getattr(best, tier)
        if floor > reached:
            message = f"no model reaches {floor:g} on {tier} prompts: the best has {reached:g}"
            yield Problem(f"{path}.floors.{tier}", message)
    if not (mode.quality_weight or mode.usd_weight or mode.s_weight):
        message = "quality_weight, usd_weight and s_weight are all 0: nothing to choose by"
        yield Problem(path, message)


def _quality(routing: Routing, known: Known) -> Iterator[Problem]:
    seen: dict[tuple[str, str | None], int] = {}
    for index, override in enumerate(routing.quality):
        path = f"$.routing.quality[{index}]"
        yield from known.model(f"{path}.model", override.model)
        if override.task_type is not None:
            yield from known.task(f"{path}.task_type", override.task_type)
        if override.low is None and override.medium is None and override.high is None:
            yield Problem(path, "says nothing: state low, medium or high")
        subject = (known.canonical(override.model), override.task_type)
        if subject in seen:
            yield Problem(path, f"speaks of the same model and task as quality[{seen[subject]}]")
        seen.setdefault(subject, index)


def _policy(path: str, policy: Policy, known: Known, best: Floors) -> Iterator[Problem]:
    for member in ("denied_models", "allowed_models"):
        for index, name in enumerate(getattr(policy, member)):
            yield from known.model(f"{path}.{member}[{index}]", name)
    denied = {known.canonical(name) for name in policy.denied_models}
    allowed = {known.canonical(name) for name in policy.allowed_models}
    for name in sorted(denied & allowed):
        yield Problem(f"{path}.allowed_models", f"{name} is denied as well")
    for index, name in enumerate(policy.denied_providers):
        yield from known.provider(f"{path}.denied_providers[{index}]", name)
    for task, name in policy.forced_models.items():
        place = child(f"{path}.forced_models", task)
        yield from known.task(place, task)
        yield from known.model(place, name)
        model = known.canonical(name)
        if model in denied or (allowed and model not in allowed):
            yield Problem(place, f"{model} is forced, but not allowed")
    for index, region in enumerate(policy.regions):
        if region not in known.regions:
            message = f"nobody serves from region '{region}'{hint(region, known.regions)}"
            yield Problem(f"{path}.regions[{index}]", message)
    highest = max(best.low, best.medium, best.high)
    if policy.quality_min is not None and policy.quality_min > highest:
        message = f"no model reaches {policy.quality_min:g}: the best has {highest:g}"
        yield Problem(f"{path}.quality_min", message)
