"""The configuration as facts complete it: the file stays the base, and what it names stays its."""

from __future__ import annotations

import msgspec

from gateway.config.schema import Config, Project
from gateway.core.content_policy import ContentPolicy
from gateway.state.facts import COMMON_RULES, Facts, PolicyFact, RuleSet, TenantProject


def effective(config: Config, facts: Facts) -> Config:
    """
    *config* with the projects, rules and content policies of *facts*.

    A project of both has the limits and defaults of the file, which only its owner can change;
    rules that were published for it go before those of the file.
    """
    stored: dict[str, TenantProject] = facts.of("project")  # type: ignore[assignment]
    rules: dict[str, RuleSet] = facts.of("rules")  # type: ignore[assignment]
    policies: dict[str, PolicyFact] = facts.of("content_policy")  # type: ignore[assignment]
    projects = {name: one.settings for name, one in stored.items()} | config.projects
    for name, published in rules.items():
        if name != COMMON_RULES:
            project = projects.get(name, Project())
            both = (*published.rules, *project.rules)
            projects[name] = msgspec.structs.replace(project, rules=both)
    common = rules.get(COMMON_RULES)
    scan = config.scan
    added = tuple(found for one in policies.values() for found in content_policy(one, stored))
    if added:
        scan = msgspec.structs.replace(scan, policies=(*scan.policies, *added))
    return msgspec.structs.replace(
        config,
        projects=projects,
        rules=config.rules if common is None else (*common.rules, *config.rules),
        scan=scan,
    )


def content_policy(
    fact: PolicyFact, projects: dict[str, TenantProject]
) -> tuple[ContentPolicy, ...]:
    """The policy of *fact*, for the projects of its tenant alone; none where that has none."""
    if not fact.tenant:
        return (fact.policy,)
    own = tuple(name for name, project in projects.items() if project.tenant == fact.tenant)
    named = tuple(name for name in own if not fact.policy.projects or name in fact.policy.projects)
    return (msgspec.structs.replace(fact.policy, projects=named),) if named else ()
