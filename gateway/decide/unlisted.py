"""
Models that the catalogue does not know: a fine-tune, or a name from yesterday.

They are served as asked where the client itself named the provider, and never chosen: nobody here
knows what they cost or how good they are.
"""

from __future__ import annotations

from gateway.core.decision import Decision, Versions
from gateway.core.fleet import Deployment
from gateway.core.question import Question
from gateway.core.request import RouteAction
from gateway.core.signals import Signals
from gateway.decide.ask import read_action
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import RoutingPolicy, in_region
from models.scores import Scores


def find_unlisted(question: Question, policy: RoutingPolicy) -> Deployment | None:
    """
    Where the unknown model of *question* is served as asked: at the provider of its path, or of its
    own name (``provider/model``). None where that provider serves no such models, routing shall
    choose, or there is a limit of cost, which nobody could keep.
    """
    controls, grant = question.controls, question.grant
    provider, _, name = question.model.partition("/")
    pinned = question.provider or provider
    place = policy.unlisted.get(pinned.lower())
    action = read_action(question, policy, virtual=False)
    if (
        place is None
        or action in (RouteAction.AUTO, RouteAction.CUSTOM)
        or controls.cost_usd_max is not None
        or not in_region(place, controls.regions)
        or grant.models
        or grant.spend_left_nano_usd is not None
        or ((grant.own_only or place.brought) and place.provider not in grant.own_providers)
    ):
        return None
    bare = name if name and provider.lower() == pinned.lower() else question.model
    return place.serving(bare)


def decide_unlisted(
    place: Deployment,
    question: Question,
    signals: Signals,
    scores: Scores,
    policy: RoutingPolicy,
    view: FleetView,
    *,
    classifier_version: str,
) -> Decision:
    """The only decision there is: *place* answers, and its cost counts as nothing."""
    model = place.model
    return Decision(
        action=read_action(question, policy, virtual=False),
        mode=policy.mode,
        ranking=(place.id,),
        model=model,
        provider=place.provider,
        original_model=model,
        original_provider=place.provider,
        routed=False,
        reason=f"{place.provider} was named, and {model} is not in the catalogue: served as asked.",
        rule=None,
        task_type=scores.task_type,
        confidence=scores.confidence,
        complexity=scores.complexity,
        tier=scores.tier,
        stage=scores.stage,
        tokens_in=signals.tokens_in,
        tokens_out=0,
        cost_original_nano_usd=None,
        cost_nano_usd=0,
        quality=0.0,
        within_cost_limit=True,
        provider_healthy=True,
        versions=Versions(
            policy=policy.version,
            fleet=view.rows.fleet.version,
            view=view.version,
            classifier=classifier_version,
        ),
        seed=question.seed,
        warnings=(f"unpriced: nobody here knows what {model} costs, so it counts as nothing.",),
    )
