"""Rules that are not in force yet: what is wrong with them, and what they would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from gateway.config.check_rules import rule_problems
from gateway.config.known import known_names
from gateway.config.problem import Problem
from gateway.config.schema import Config, Policy, Project, Rule
from gateway.config.settings import Settings
from gateway.core.fleet import Fleet
from gateway.core.health import Health
from gateway.decide.fleet_view import FleetRows, fleet_rows, fleet_view
from gateway.decide.policy import NOTHING_LEARNT, Learnt, compile_policies
from gateway.learn.backtest import Backtest, backtest
from gateway.record.store import Store

RECORDS_MAX = 10_000  # of one backtest: some seconds


def with_rules(config: Config, project: str | None, rules: tuple[Rule, ...]) -> Config:
    """*config* with *rules* in place of those of *project*, or of the common ones where None."""
    if project is None:
        return msgspec.structs.replace(config, rules=rules)
    changed = msgspec.structs.replace(config.projects.get(project, Project()), rules=rules)
    return msgspec.structs.replace(config, projects={**config.projects, project: changed})


def draft_problems(
    settings: Settings, project: str | None, rules: tuple[Rule, ...]
) -> list[Problem]:
    """What ``check`` finds wrong with *rules*, and targets that nobody here serves."""
    config = settings.config
    policy = Policy() if project is None else config.projects.get(project, Project()).policy
    path = "$.rules"
    found = list(rule_problems(rules, path, config, known_names(config), policy))
    told = {problem.path for problem in found}
    missing = unserved(rules, path, settings.fleet)
    return [*found, *(problem for problem in missing if problem.path not in told)]


def unserved(rules: tuple[Rule, ...], path: str, fleet: Fleet) -> Iterator[Problem]:
    """
    Targets that no deployment of *fleet* serves. Such a rule is allowed and changes nothing: the
    request is decided as if the rule were not there.
    """
    rows = fleet_rows(fleet)
    for index, rule in enumerate(rules):
        model, provider = rule.then.model, rule.then.provider
        if model is None:
            continue
        found = rows.find(model, provider)
        if found is None or not found.rows.size:
            where = f"{provider} does not serve {model}" if provider else f"nobody serves {model}"
            message = f"{where} here, so rule {rule.id} would change nothing{instead(rows, model)}"
            yield Problem(f"{path}[{index}].then.model", message)


def instead(rows: FleetRows, model: str) -> str:
    """What is served and looks like *model*."""
    close = rows.close_names(model)
    return f"; served: {', '.join(close)}" if close else ""


def backtest_rules(
    store: Store,
    settings: Settings,
    rules: tuple[Rule, ...],
    *,
    project: str | None = None,
    since_s: float = 0.0,
    until_s: float,
    limit: int = 500,
    learnt: Learnt = NOTHING_LEARNT,
) -> Backtest:
    """
    Try *rules*, in place of those of *project* (None: of the common ones), on its newest *limit*
    records between the two times, at most RECORDS_MAX. Blocks.

    Raises:
        Unavailable: the database does not answer.
    """
    limit = min(limit, RECORDS_MAX)
    start_s = store.start_of_newest(since_s, until_s, limit, project)
    draft = with_rules(settings.config, project, rules)

    def find_health(version: str) -> Mapping[str, Health] | None:
        seen = store.find_view(version)
        return None if seen is None else seen.health

    return backtest(
        store.read_records(start_s, until_s, limit, project),
        compile_policies(settings.config, settings.fleet, learnt),
        compile_policies(draft, settings.fleet, learnt),
        fleet_view(settings.fleet, {}),
        find_health,
    )
