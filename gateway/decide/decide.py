"""Decide which deployments to try, best first, and why."""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision, Versions
from gateway.core.errors import ModelNotFound, PolicyError
from gateway.core.question import Question
from gateway.core.request import RouteAction
from gateway.core.signals import Signals
from gateway.decide.case import Case, read_case
from gateway.decide.choice import Choice
from gateway.decide.choose import as_asked, routed
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import RoutingPolicy
from gateway.decide.unlisted import decide_unlisted, find_unlisted
from models.scores import Scores


class Observed(msgspec.Struct, frozen=True):
    """What ``observe`` would have chosen, or why it would have refused."""

    model: str | None
    cost_nano_usd: int | None
    why: str


def decide(
    question: Question,
    signals: Signals,
    scores: Scores,
    policy: RoutingPolicy,
    view: FleetView,
    *,
    classifier_version: str = "",
) -> Decision:
    """
    Decide one request: a function of its arguments.

    Raises:
        ModelNotFound: the client named a model that is neither virtual nor here.
        InvalidRequest: it prefers a model that is not here, or named none for an embedding.
        PolicyError: what operator and client allow leaves no deployment.
    """
    try:
        case = read_case(question, signals, scores, policy, view)
    except ModelNotFound:
        place = find_unlisted(question, policy)
        if place is None:
            raise
        return decide_unlisted(
            place,
            question,
            signals,
            scores,
            policy,
            view,
            classifier_version=classifier_version,
        )
    decision, _ = decide_case(case, classifier_version)
    return decision


def decide_case(case: Case, classifier_version: str = "") -> tuple[Decision, Choice]:
    """Decide on what was read; also returns the choice, for those who explain it."""
    action = case.ask.action
    if action is RouteAction.OBSERVE:
        observed = observe(case)
        choice = as_asked(case)
        choice = msgspec.structs.replace(choice, why=observed.why)
        return decision_of(case, choice, observed, classifier_version), choice
    choice = as_asked(case) if action is RouteAction.DISABLED else routed(case)
    return decision_of(case, choice, None, classifier_version), choice


def observe(case: Case) -> Observed:
    """Choose without effect: rules first, where there are some, then the mode."""
    try:
        choice = routed(case)
    except PolicyError as refused:
        return Observed(
            model=None, cost_nano_usd=None, why=f"Observed: routing would refuse. {refused.message}"
        )
    winner = choice.ranking[0]
    return Observed(
        model=case.model(winner), cost_nano_usd=case.cost(winner), why=f"Observed: {choice.why}"
    )


def decision_of(
    case: Case, choice: Choice, observed: Observed | None, classifier_version: str
) -> Decision:
    """Write down *choice* with everything that explains it."""
    ask, scores, view = case.ask, case.scores, case.view
    deployments, winner = view.rows.fleet.deployments, choice.ranking[0]
    deployment, original = deployments[winner], case.original
    cost_nano_usd = case.cost(winner)
    own_model = None if ask.own is None else ask.own.model
    return Decision(
        action=ask.action,
        mode=choice.mode_name,
        ranking=tuple([deployments[row].id for row in choice.ranking]),
        model=deployment.model,
        provider=deployment.provider,
        original_model=own_model,
        original_provider=None if original is None else original.provider,
        routed=deployment.model != own_model,
        reason=choice.why,
        rule=choice.rule,
        task_type=ask.task,
        confidence=ask.confidence,
        complexity=scores.complexity,
        tier=scores.tier,
        stage=scores.stage,
        tokens_in=case.signals.tokens_in,
        tokens_out=min(case.estimates.tokens_out, deployment.output_tokens_max),
        cost_original_nano_usd=None if original is None else original.cost_nano_usd,
        cost_nano_usd=cost_nano_usd,
        quality=case.quality(winner),
        within_cost_limit=case.cost_most(winner) <= case.limits.cost_max_nano_usd,
        provider_healthy=bool(view.available[winner]),
        versions=Versions(
            policy=case.policy.version,
            fleet=view.rows.fleet.version,
            view=view.version,
            classifier=classifier_version,
        ),
        seed=case.question.seed,
        would=None if observed is None else observed.model,
        would_cost_nano_usd=None if observed is None else observed.cost_nano_usd,
        warnings=(*ask.warnings, *choice.notes),
    )
