"""
A draft of rules, tried on recorded requests before anybody is routed by it.

Both sides are decided now: the rules in force and the draft, on the fleet and the learnt qualities
of today and the health of then. So every difference has one cause, the draft. What was only
observed is decided as if it had taken effect: that is what observing is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from gateway.core.decision import Decision
from gateway.core.errors import ClientError, PolicyError
from gateway.core.fleet import Deployment
from gateway.core.health import Health
from gateway.core.money import NANO_USD_PER_USD
from gateway.core.request import RouteAction
from gateway.decide.decide import decide
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import Policies
from gateway.ledger.usage_cost import cost_nano_usd
from gateway.record.record import Record
from gateway.record.replay import is_blind

EXAMPLES_MAX = 20
NONE_RULED = (
    "; rules had a say in none of them: they decide for the route actions custom and observe alone,"
    " so set `action: custom` for the project or the key, or have clients send it"
)

FindHealth = Callable[[str], Mapping[str, Health] | None]


class Sums(msgspec.Struct):
    """Of one group of decisions; money is draft minus rules in force."""

    records: int = 0
    changed: int = 0  # to another model or another provider
    to_another_provider: int = 0
    cost_nano_usd: int = 0


class Example(msgspec.Struct, frozen=True):
    """
    A request that the draft treats in another way. *before* and *after* are ``provider/model``,
    None where the request is refused; *reason* is that of the draft.
    """

    request_id: str
    task_type: str
    tier: str
    before: str | None
    after: str | None
    rule: str | None  # of the draft, that decided
    reason: str
    cost_nano_usd: int  # draft minus rules in force, 0 when either refuses


class Backtest(msgspec.Struct):
    """
    What a draft would have changed. *metered* of the decisions are priced by the usage that was
    billed, the others by estimates. *ruled* ones are of the actions custom and observe: rules have
    no say in the others. *skipped* records name a view that is no longer stored, *unscored*
    ones were not classified because routing was off for them: nothing can be said of either.
    """

    records: int = 0
    ruled: int = 0
    metered: int = 0
    skipped: int = 0
    unscored: int = 0
    refused: int = 0  # by the draft, not by the rules in force
    admitted: int = 0  # the other way round
    total: Sums = msgspec.field(default_factory=Sums)
    by_task: dict[str, Sums] = {}
    by_tier: dict[str, Sums] = {}
    by_rule: dict[str, Sums] = {}  # of the draft; "" where none matched
    examples: list[Example] = []  # the first EXAMPLES_MAX changes

    @property
    def changed(self) -> int:
        """Requests that get another model, another provider, or another verdict."""
        return self.total.changed + self.refused + self.admitted

    @property
    def judged(self) -> int:
        """Records of which something can be said."""
        return self.records - self.skipped - self.unscored

    def summary(self) -> str:
        """
        ``would have changed 41 of 500 decisions: -0.31 USD, 12 to another provider``; and what to
        do where rules had no say in any.
        """
        usd = self.total.cost_nano_usd / NANO_USD_PER_USD
        line = f"would have changed {self.changed} of {self.judged} decisions: {usd:+z.2f} USD"
        line += f", {self.total.to_another_provider} to another provider"
        for count, words in (
            (self.refused, "would be refused"),
            (self.admitted, "would be refused no more"),
        ):
            line += f", {count} {words}" if count else ""
        if self.skipped + self.unscored:
            line += f"; {self.skipped + self.unscored} records cannot be decided again"
        return line + (NONE_RULED if self.judged and not self.ruled else "")


def backtest(
    records: Iterable[Record],
    before: Policies,
    after: Policies,
    view: FleetView,
    find_health: FindHealth,
) -> Backtest:
    """
    Decide *records* under both, on the fleet of *view* as healthy as it was then.

    *find_health* gives the health of a view version, None when it is not known. Only sums and
    examples are kept, so there may be any number of records.
    """
    report, version, seen = Backtest(), None, None
    prices = {deployment.id: deployment for deployment in view.rows.fleet.deployments}
    for record in records:
        report.records += 1
        if record.decision.versions.view != version:  # neighbours mostly saw the same view
            version = record.decision.versions.view
            health = find_health(version)
            seen = None if health is None else view.with_health(health)
        if seen is None:
            report.skipped += 1
            continue
        old, new = decided(record, before, seen), decided(record, after, seen)
        if isinstance(new, Decision) and is_blind(record.decision, new):
            report.unscored += 1
            continue
        compare(report, record, old, new, prices)
    return report


def decided(record: Record, policies: Policies, view: FleetView) -> Decision | str:
    """The decision on *record*, or why it is refused."""
    policy, question = policies.for_project(record.question.project), record.question
    if record.decision.action is RouteAction.OBSERVE:
        controls = msgspec.structs.replace(question.controls, action=RouteAction.CUSTOM)
        question = msgspec.structs.replace(question, controls=controls)
    try:
        return decide(question, record.signals, record.scores, policy, view)
    except (PolicyError, ClientError) as error:
        return error.message


def compare(
    report: Backtest,
    record: Record,
    old: Decision | str,
    new: Decision | str,
    prices: Mapping[str, Deployment],
) -> None:
    """Add one request to *report*."""
    found = [one for one in (new, old) if isinstance(one, Decision)]
    report.ruled += any(one.action is RouteAction.CUSTOM for one in found)
    if len(found) < 2:
        refused, admitted = isinstance(old, Decision), isinstance(new, Decision)
        report.refused += refused
        report.admitted += admitted
        if refused or admitted:
            note(report, record, old, new, 0)
        return
    after, before = found
    metered = [metered_cost(record, one, prices) for one in (after, before)]
    if metered[0] is not None and metered[1] is not None:
        report.metered += 1
        cost = metered[0] - metered[1]
    else:
        cost = after.cost_nano_usd - before.cost_nano_usd
    moved = after.provider != before.provider
    changed = moved or after.model != before.model
    for sums in (
        report.total,
        report.by_task.setdefault(after.task_type, Sums()),
        report.by_tier.setdefault(after.tier, Sums()),
        report.by_rule.setdefault(after.rule or "", Sums()),
    ):
        sums.records += 1
        sums.changed += changed
        sums.to_another_provider += moved
        sums.cost_nano_usd += cost
    if changed:
        note(report, record, old, new, cost)


def metered_cost(
    record: Record, decision: Decision, prices: Mapping[str, Deployment]
) -> int | None:
    """
    What the tokens of *record* cost where *decision* sends it; None when nothing was billed, or
    nobody knows that price. Another model takes other tokens; how many, nobody can know.
    """
    place, usage = prices.get(decision.ranking[0]), record.outcome.usage
    return None if place is None or usage is None else cost_nano_usd(usage, place.price)


def note(
    report: Backtest, record: Record, old: Decision | str, new: Decision | str, cost: int
) -> None:
    """Keep an example while there is room."""
    if len(report.examples) >= EXAMPLES_MAX:
        return
    report.examples.append(
        Example(
            request_id=record.request_id,
            task_type=record.decision.task_type,
            tier=record.decision.tier,
            before=place_of(old),
            after=place_of(new),
            rule=new.rule if isinstance(new, Decision) else None,
            reason=new.reason if isinstance(new, Decision) else new,
            cost_nano_usd=cost,
        )
    )


def place_of(decision: Decision | str) -> str | None:
    """``provider/model``, None where there is no decision."""
    return f"{decision.provider}/{decision.model}" if isinstance(decision, Decision) else None
