"""Explain a decision: every deployment, what it was expected to give, and why it lost."""

from __future__ import annotations

import msgspec

from gateway.core.decision import Candidate, Decision
from gateway.core.errors import ModelNotFound, PolicyError
from gateway.core.money import usd_text
from gateway.core.question import Question
from gateway.core.signals import Signals
from gateway.decide.case import Case, read_case
from gateway.decide.choice import Choice
from gateway.decide.decide import decide, decide_case
from gateway.decide.eligible import sentences
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import RoutingPolicy
from models.scores import Scores


class Explanation(msgspec.Struct, frozen=True):
    """
    The very decision that ``decide`` takes, None where it refuses (*refusal* then says why), and
    all deployments: those of the ranking first, then by falling quality.
    """

    decision: Decision | None
    refusal: str
    candidates: tuple[Candidate, ...]


def explain(
    question: Question,
    signals: Signals,
    scores: Scores,
    policy: RoutingPolicy,
    view: FleetView,
    *,
    classifier_version: str = "",
) -> Explanation:
    """
    Decide, and tell everything that was weighed.

    Raises:
        ModelNotFound: the client named a model that is neither virtual nor here.
        InvalidRequest: see ``decide``.
    """
    try:
        case = read_case(question, signals, scores, policy, view)
    except ModelNotFound:  # perhaps served as asked, with nothing to weigh
        decision = decide(
            question, signals, scores, policy, view, classifier_version=classifier_version
        )
        return Explanation(decision=decision, refusal="", candidates=())
    try:
        decision, choice = decide_case(case, classifier_version)
    except PolicyError as refused:
        return Explanation(
            decision=None, refusal=refused.message, candidates=candidates_of(case, None)
        )
    return Explanation(decision=decision, refusal="", candidates=candidates_of(case, choice))


def candidates_of(case: Case, choice: Choice | None) -> tuple[Candidate, ...]:
    """Every deployment, those of *choice* first and in its order."""
    ranking = () if choice is None else choice.ranking
    rest = set(range(case.view.rows.everyone.size)).difference(ranking)
    rows = [*ranking, *sorted(rest, key=lambda row: (-case.quality(row), case.cost(row), row))]
    return tuple(candidate_of(case, choice, row) for row in rows)


def candidate_of(case: Case, choice: Choice | None, row: int) -> Candidate:
    """One deployment. Those of the ranking lost nothing that mattered."""
    deployment = case.view.rows.fleet.deployments[row]
    lost = sentences(row, int(case.lacks[row]), case.view, case.estimates, case.limits)
    if choice is not None and row not in choice.ranking:
        if case.quality(row) < choice.floor:
            lost += (f"promises {case.quality(row):.2f}, less than the {choice.floor:.2f} wanted",)
        if case.cost(row) > choice.cap_nano_usd:
            most = usd_text(choice.cap_nano_usd)
            lost += (
                f"costs {usd_text(case.cost(row))} USD, more than the {most} it had to keep to",
            )
        lost = lost or (behind(case, choice.ranking[0], row),)
    return Candidate(
        deployment=deployment.id,
        model=deployment.model,
        provider=deployment.provider,
        cost_nano_usd=case.cost(row),
        quality=case.quality(row),
        latency_s=float(case.estimates.latency_s[row]),
        lost=lost,
    )


def behind(case: Case, winner: int, row: int) -> str:
    """What put *row*, which might have served the request, behind the *winner*."""
    if case.model(row) == case.model(winner):
        return f"is another place of {case.model(row)}, further down the list of failover"
    if case.ask.own is not None and case.model(winner) == case.ask.own.model:
        return "is not the model that the client named"
    dearer = case.cost(row) / max(1, case.cost(winner))
    if dearer > 1.0:
        return f"costs {dearer:.3g} times as much as {case.model(winner)}"
    better = case.quality(winner) - case.quality(row)
    if better > 0.0:
        return f"promises {case.quality(row):.2f}, {better:.2f} less than {case.model(winner)}"
    slower_s = float(case.estimates.latency_s[row] - case.estimates.latency_s[winner])
    if slower_s > 0.0:
        return f"takes {slower_s:.1f} s longer than {case.model(winner)}"
    return f"does not differ enough from {case.model(winner)}"
