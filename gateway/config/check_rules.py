"""Rules of a configuration: what can never match, and targets that contradict themselves."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.known import Known
from gateway.config.problem import Problem
from gateway.config.schema import Condition, Config, Policy, Range, Rule, Target

RANGES = ("tokens_in", "complexity", "cost_usd", "system_prompt_chars")


def rule_problems(
    rules: tuple[Rule, ...], path: str, config: Config, known: Known, policy: Policy
) -> Iterator[Problem]:
    """Problems of *rules*, which stand at *path* and obey *policy* and the common one."""
    ids: dict[str, int] = {}
    for index, rule in enumerate(rules):
        place = f"{path}[{index}]"
        if rule.id in ids:
            yield Problem(f"{place}.id", f"'{rule.id}' is the id of rule {ids[rule.id]} too")
        elif not rule.id.strip():
            yield Problem(f"{place}.id", "expected a name, which records and headers will show")
        ids.setdefault(rule.id, index)
        yield from _condition(f"{place}.when", rule.when, known)
        yield from _target(f"{place}.then", rule.then, known)
        yield from _obedience(f"{place}.then", rule.then, known, (policy, config.policy))


def _condition(path: str, when: Condition, known: Known) -> Iterator[Problem]:
    for index, task in enumerate(when.task_types):
        yield from known.task(f"{path}.task_types[{index}]", task)
    for index, model in enumerate(when.models):
        yield from known.named_by_client(f"{path}.models[{index}]", model)
    for name in RANGES:
        bounds: Range | None = getattr(when, name)
        if bounds is None:
            continue
        if bounds.gt is None and bounds.lt is None:
            yield Problem(f"{path}.{name}", "bounds nothing: state gt, lt or both")
        elif bounds.gt is not None and bounds.lt is not None and bounds.gt >= bounds.lt:
            message = f"nothing lies above {bounds.gt:g} and below {bounds.lt:g}"
            yield Problem(f"{path}.{name}", message)


def _target(path: str, then: Target, known: Known) -> Iterator[Problem]:
    given = {
        "model": then.model is not None,
        "mode": then.mode is not None,
        "best_within_usd": then.best_within_usd is not None,
        "keep": then.keep,
    }
    chosen = [name for name, is_given in given.items() if is_given]
    if not chosen:
        yield Problem(path, "empty: state model, mode, best_within_usd or keep")
    elif len(chosen) > 1:
        yield Problem(path, f"{' and '.join(chosen)} exclude each other")
    if then.provider is not None and then.model is None:
        yield Problem(f"{path}.provider", "needs a model, which this provider shall serve")
    if then.own_key and then.keep:
        yield Problem(f"{path}.own_key", "says nothing beside keep")
    if then.mode is not None:
        yield from known.mode(f"{path}.mode", then.mode)
    if then.provider is not None:
        yield from known.provider(f"{path}.provider", then.provider)
    if then.model is not None:
        yield from known.model(f"{path}.model", then.model)
        served = known.served.get(then.provider or "")
        model = known.canonical(then.model)
        if served is not None and model in known.models and model not in served:
            yield Problem(f"{path}.provider", f"{then.provider} does not serve {model}")


def _obedience(
    path: str, then: Target, known: Known, policies: tuple[Policy, ...]
) -> Iterator[Problem]:
    """A target that a policy forbids would never be taken."""
    for policy in policies:
        if then.model is not None:
            model = known.canonical(then.model)
            denied = {known.canonical(name) for name in policy.denied_models}
            allowed = {known.canonical(name) for name in policy.allowed_models}
            if model in denied:
                yield Problem(f"{path}.model", f"the policy denies {model}")
            elif allowed and model not in allowed:
                yield Problem(f"{path}.model", f"the policy does not allow {model}")
        if then.provider is not None and then.provider in policy.denied_providers:
            yield Problem(f"{path}.provider", f"the policy denies {then.provider}")
        limit, wanted = policy.cost_usd_max, then.best_within_usd
        if limit is not None and wanted is not None and wanted > limit:
            message = f"{wanted:g} USD is more than the policy's cost_usd_max, {limit:g} USD"
            yield Problem(f"{path}.best_within_usd", message)
