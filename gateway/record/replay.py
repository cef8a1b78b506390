"""
Deciding again: what a changed policy, fleet or classifier would have done with recorded requests.

With the versions that a record names the decision is the same, so every difference has a cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from gateway.core.decision import Decision
from gateway.core.errors import ClientError, PolicyError
from gateway.core.fleet import Fleet
from gateway.core.health import Health
from gateway.core.money import NANO_USD_PER_USD
from gateway.core.request import RouteAction
from gateway.decide.ask import UNCLASSIFIED
from gateway.decide.decide import decide
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import Policies
from gateway.record.record import Record

FleetHealth = Mapping[str, Health]
Decide = Callable[[Record, FleetHealth], Decision]
EXAMPLES_MAX = 100


class Delta(msgspec.Struct):
    """Sums over decided requests; money is estimated, new minus recorded."""

    records: int = 0
    changed: int = 0  # that another model would answer
    cost_nano_usd: int = 0
    savings_nano_usd: int = 0

    def add(self, before: Decision, after: Decision) -> None:
        """Count one request."""
        self.records += 1
        self.changed += before.model != after.model
        self.cost_nano_usd += after.cost_nano_usd - before.cost_nano_usd
        self.savings_nano_usd += after.savings_nano_usd - before.savings_nano_usd


class Change(msgspec.Struct, frozen=True):
    """A request that would be answered by another model, or by none: then *after* is None."""

    request_id: str
    before: str
    after: str | None
    reason: str
    cost_nano_usd: int  # new minus recorded, 0 when refused


class Report(msgspec.Struct):
    """
    What would be different. *skipped* records name a view that is not stored, and *unscored* ones
    were not classified, because routing was off for them and is on now: nothing can be said of
    either. *examples* holds the first EXAMPLES_MAX changes.
    """

    records: int = 0
    skipped: int = 0
    unscored: int = 0
    refused: int = 0  # that no model may answer any more; in no sum
    total: Delta = msgspec.field(default_factory=Delta)
    by_task: dict[str, Delta] = {}
    by_tier: dict[str, Delta] = {}
    by_model: dict[str, Delta] = {}  # that was decided on when recorded
    examples: list[Change] = []

    @property
    def changed(self) -> int:
        """Requests that another model would answer, or none."""
        return self.total.changed + self.refused

    def summary(self) -> str:
        """One line, e.g. ``12 of 340 decisions would change: -0.31 USD``."""
        usd = self.total.cost_nano_usd / NANO_USD_PER_USD
        judged = self.records - self.skipped - self.unscored
        line = f"{self.changed} of {judged} decisions would change: "
        line += f"{usd:+z.2f} USD"
        if self.refused:
            line += f", {self.refused} would be refused"
        if self.skipped:
            line += f"; {self.skipped} cannot be decided again, their view is not stored"
        if self.unscored:
            line += f"; {self.unscored} records were not classified (routing was off)"
            line += " and cannot be judged"
        return line


def replay(
    records: Iterable[Record],
    find_health: Callable[[str], FleetHealth | None],
    decide_record: Decide,
) -> Report:
    """
    Decide *records* again and compare.

    *find_health* gives the health of a view version, None when it is not known. Only sums and
    examples are kept, so there may be any number of records.
    """
    report = Report()
    version, health = "", None
    for record in records:
        report.records += 1
        if record.decision.versions.view != version:
            version = record.decision.versions.view
            health = find_health(version)
        if health is None:
            report.skipped += 1
            continue
        compare(report, record, health, decide_record)
    return report


def compare(report: Report, record: Record, health: FleetHealth, decide_record: Decide) -> None:
    """Decide *record* again and add the difference to *report*."""
    before = record.decision
    try:
        after = decide_record(record, health)
    except (PolicyError, ClientError) as error:
        report.refused += 1
        note(report, Change(record.request_id, before.model, None, error.message, 0))
        return
    if is_blind(before, after):
        report.unscored += 1
        return
    report.total.add(before, after)
    for groups, name in (
        (report.by_task, before.task_type),
        (report.by_tier, before.tier),
        (report.by_model, before.model),
    ):
        groups.setdefault(name, Delta()).add(before, after)
    if before.model != after.model:
        cost = after.cost_nano_usd - before.cost_nano_usd
        note(report, Change(record.request_id, before.model, after.model, after.reason, cost))


def is_blind(before: Decision, after: Decision) -> bool:
    """Whether *after* depends on what the prompt is about, and *before* needed no such thing."""
    off = RouteAction.DISABLED
    return before.stage in UNCLASSIFIED and before.action is off and after.action is not off


def note(report: Report, change: Change) -> None:
    """Keep *change* as an example while there is room."""
    if len(report.examples) < EXAMPLES_MAX:
        report.examples.append(change)


def decide_again(policies: Policies, fleet: Fleet) -> Decide:
    """A function that decides records with *policies* on *fleet*, as healthy as it was then."""
    view, seen = fleet_view(fleet, {}), None

    def decide_record(record: Record, health: FleetHealth) -> Decision:
        nonlocal view, seen
        if seen is not health:  # neighbours saw the same view
            view, seen = view.with_health(health), health
        policy = policies.for_project(record.question.project)
        return decide(record.question, record.signals, record.scores, policy, view)

    return decide_record
