"""
What automatic routing saves, or would save: every request at the model it names, and at the one
that routing chooses, both by the same tokens. Savings are signed: a dearer choice counts as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gateway.core.chat import Usage
from gateway.core.decision import Decision
from gateway.core.errors import ClientError, PolicyError
from gateway.core.fleet import Capability, Deployment, Price
from gateway.core.question import Question
from gateway.core.request import Controls, Kind, RouteAction
from gateway.core.signals import Signals
from gateway.decide.ask import UNCLASSIFIED
from gateway.decide.decide import decide
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import Policies, RoutingPolicy
from gateway.learn.shipped import Mix, Prompts
from gateway.ledger.fee import routing_fee
from gateway.ledger.usage_cost import cost_nano_usd
from gateway.record.record import Record
from models.scores import TIER_BOUNDS, Scores

AUTO = "auto"  # the virtual model that is compared with the baseline
COMPLEXITY = {  # the middle of each tier
    "low": TIER_BOUNDS[0] / 2,
    "medium": sum(TIER_BOUNDS) / 2,
    "high": (TIER_BOUNDS[1] + 1.0) / 2,
}


class Workload(msgspec.Struct, frozen=True):
    """*requests* alike, read and scored. *usage* of one of them, None: to be estimated."""

    question: Question
    signals: Signals
    scores: Scores
    usage: Usage | None = None
    requests: int = 1


class Line(msgspec.Struct):
    """One row of the bill, nano-USD. *original*: without routing."""

    requests: int = 0
    original_nano_usd: int = 0
    cost_nano_usd: int = 0
    fee_nano_usd: int = 0

    @property
    def savings_nano_usd(self) -> int:
        """Before the fee; negative where routing costs more."""
        return self.original_nano_usd - self.cost_nano_usd

    @property
    def share(self) -> float:
        """Of the original cost that stays with the client after the fee; 0 where that is 0."""
        kept = self.savings_nano_usd - self.fee_nano_usd
        return kept / self.original_nano_usd if self.original_nano_usd else 0.0


class Savings(msgspec.Struct):
    """
    The bill. *unjudged* requests were never classified, or nobody knows what to compare them with;
    *refused* ones no model may answer. Neither is in any sum.
    """

    unjudged: int = 0
    refused: int = 0
    total: Line = msgspec.field(default_factory=Line)
    by_model: dict[str, Line] = {}  # that routing chooses
    by_tier: dict[str, Line] = {}
    by_task: dict[str, Line] = {}


def calculate(workloads: Iterable[Workload], policies: Policies, view: FleetView) -> Savings:
    """
    The bill of *workloads* under *policies*, while everybody is as healthy as in *view*. Only sums
    are kept, so there may be any number of them.
    """
    bill = Savings()
    prices = {place.id: place for place in view.rows.fleet.deployments}
    for work in workloads:
        if work.scores.stage in UNCLASSIFIED:
            bill.unjudged += work.requests
            continue
        controls = msgspec.structs.replace(work.question.controls, action=RouteAction.AUTO)
        question = msgspec.structs.replace(work.question, controls=controls)
        policy = policies.for_project(question.project)
        try:
            decision = decide(question, work.signals, work.scores, policy, view)
        except (PolicyError, ClientError):
            bill.refused += work.requests
            continue
        costs = both_costs(work, decision, policy, view, prices)
        if costs is None:
            bill.unjudged += work.requests
            continue
        add(bill, work.requests, decision, costs, policy.fee_rate)
    return bill


def both_costs(
    work: Workload,
    decision: Decision,
    policy: RoutingPolicy,
    view: FleetView,
    prices: dict[str, Deployment],
) -> tuple[int, int] | None:
    """Cost of one request without routing and with it; None when there is nothing to compare."""
    if decision.cost_original_nano_usd is None:
        return None
    chosen, original = prices.get(decision.ranking[0]), original_price(decision, policy, view)
    if work.usage is None or chosen is None or original is None:
        return decision.cost_original_nano_usd, decision.cost_nano_usd
    return cost_nano_usd(work.usage, original), cost_nano_usd(work.usage, chosen.price)


def original_price(decision: Decision, policy: RoutingPolicy, view: FleetView) -> Price | None:
    """The price of the model that *decision* is compared with."""
    if decision.original_model is None:
        return None if policy.baseline is None else policy.baseline.price
    own = view.rows.find(decision.original_model, decision.original_provider)
    return None if own is None else view.rows.fleet.deployments[own.rows[0]].price


def add(
    bill: Savings, requests: int, decision: Decision, costs: tuple[int, int], fee_rate: float
) -> None:
    """Put *requests* alike on the bill."""
    original, cost = costs
    fee = routing_fee(
        original - cost, fee_rate, action=RouteAction.AUTO, routed=decision.routed
    ).amount_nano_usd
    for line in (
        bill.total,
        bill.by_model.setdefault(decision.model, Line()),
        bill.by_tier.setdefault(decision.tier, Line()),
        bill.by_task.setdefault(decision.task_type, Line()),
    ):
        line.requests += requests
        line.original_nano_usd += requests * original
        line.cost_nano_usd += requests * cost
        line.fee_nano_usd += requests * fee


def named_baseline(baseline: str, view: FleetView) -> str:
    """
    The model that requests name when they are compared with *baseline*: itself where somebody
    serves it, else a virtual one, whose baseline the policy must then be compiled with.
    """
    return baseline if view.rows.find(baseline) is not None else AUTO


def of_records(records: Iterable[Record], model: str | None = None) -> Iterator[Workload]:
    """Recorded requests, as if each had named *model*; None: the one it named."""
    for record in records:
        question = record.question
        if model is not None:
            question = msgspec.structs.replace(question, model=model, provider=None)
        yield Workload(question, record.signals, record.scores, record.outcome.usage)


def of_mix(mix: Mix, model: str = AUTO) -> Iterator[Workload]:
    """The traffic of *mix*, all of it naming *model*."""
    for kind in mix.prompts:
        yield Workload(
            question=Question(
                kind=Kind.CHAT,
                dialect="openai_chat",
                model=model,
                provider=None,
                controls=Controls(),
                project="default",
                thinking_signed=False,
                seed=0,
            ),
            signals=plain_signals(kind),
            scores=Scores(
                task_type=kind.task_type,
                confidence=1.0,
                complexity=COMPLEXITY[kind.tier],
                tier=kind.tier,
                stage="first-stage",
                uncertain=False,
            ),
            usage=Usage(tokens_in=kind.tokens_in, tokens_out=kind.tokens_out),
            requests=round(kind.share * mix.requests),
        )


def plain_signals(kind: Prompts) -> Signals:
    """Signals of a plain English prompt: one ask, nothing special about it."""
    return Signals(
        tokens_in=kind.tokens_in,
        tokens_system=0,
        system_prompt_chars=0,
        turns=1,
        asks=1,
        needs=Capability.CHAT,
        has_tools=False,
        has_vision=False,
        requires_json=False,
        has_code=False,
        has_math=False,
        questions=1,
        constraints=0,
        words=3 * kind.tokens_in // 4,
        script="latin",
        language="en",
        max_tokens=None,
        stream=False,
        agent_continuation=False,
        excerpt_chars=4 * kind.tokens_in,
        excerpt_truncated=False,
    )
